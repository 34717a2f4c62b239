package main

const (
	variablesFile = "gqlcache/internal/plans/variables.go"
)

// attackRules are those that were found by attacking servers with interceptors.
var attackRules = []mutant{
	{
		name: "resolvers that were left behind are not missed", file: witnessFile, in: "gqlcache",
		old: "func (w *Witness) leftBehind() bool { return w.running.Load() > 0 }", new: "func (w *Witness) leftBehind() bool { return w.running.Load() < 0 }",
		test: "TestResolversLeftBehind$",
	},
	{
		name: "root fields that were left behind are not missed", file: innerFile,
		old: "			w.Enter()\n			defer w.Leave()\n", new: "",
		test: "TestRootFieldsLeftBehind$",
	},
	{
		name: "only the first root field's caller is looked at", file: innerFile,
		old: "	if c.met.hooks(oc) {\n", new: "	if c.met.hooks(oc) && w == nil {\n",
		test: "TestUserOfOneRootField$",
	},
	{
		name: "what was said before the computation is forgotten", file: computeFile,
		old: "	refused := r.mu.unstored != \"\"\n	r.mu.Unlock()\n	if refused {\n		f.Unshare()", new: "	refused := r.mu.unstored != \"\"\n	r.mu.unstored = \"\"\n	r.mu.Unlock()\n	if refused {\n		f.Unshare()",
		test: "TestHintsBeforeTheComputation$",
	},
	{
		name: "an outer operation does not hear of its inner one's hints", file: hintsFile,
		old: "	for o := r.outer; o != nil; o = o.outer {\n", new: "	for o := r.outer; o != r.outer; o = o.outer {\n",
		test: "TestHintsOfInnerOperations$",
	},
	{
		name: "a query depends on what resolvers made of its variables", file: computeFile,
		old: "	vars := plans.CopyVariables(oc.Variables)\n", new: "	vars := oc.Variables\n",
		test: "TestResolversThatChangeTheirVariables$",
	},
	{
		name: "a mutation changes what resolvers left of its variables", file: mutationFile,
		old: "	if first == nil || reflect.DeepEqual(first, now) {\n", new: "	if first != nil || reflect.DeepEqual(first, now) {\n",
		test: "TestResolversThatChangeTheirVariables$",
	},
	{
		name: "variables are copied at the top only", file: variablesFile, in: "gqlcache",
		old: "		return CopyVariables(v)\n", new: "		return v\n",
		test: "TestResolversThatChangeTheirVariables$",
	},
}
