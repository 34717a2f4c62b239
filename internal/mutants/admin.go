package main

const (
	invalidateHandlerFile = "gqlcache/invalidatehandler.go"
	readChangesFile       = "gqlcache/readchanges.go"
	healthFile            = "gqlcache/health.go"
)

// adminRules are those of the handler for other programs' changes, and of probes.
var adminRules = []mutant{
	{
		name: "changes: everything is applied beside a name that nobody knows", file: invalidateHandlerFile,
		old: "return changes, h.cache.refuseChanges(changes)", new: "return changes, nil",
		test: "TestInvalidateHandlerRefuses",
	},
	{
		name: "changes: what stands before a mistake is applied", file: invalidateHandlerFile,
		old:  "	changes, err := readChanges(body)\n	if err != nil {",
		new:  "	changes, err := readChanges(body)\n	if err != nil && len(changes) < 2 {",
		test: "TestInvalidateHandlerRefuses",
	},
	{
		name: "changes: a short secret will do", file: invalidateHandlerFile,
		old: "case len(secret) < minSecret:", new: "case secret == \"\":",
		test: "TestInvalidateHandlerSecrets",
	},
	{
		name: "changes: the end of a line belongs to the secret", file: invalidateHandlerFile,
		old: "r <= ' ' || r > '~'", new: "r > '~'",
		test: "TestInvalidateHandlerSecrets",
	},
	{
		name: "changes: no secret is asked for", file: invalidateHandlerFile,
		old: "case !h.knows(r.Header[\"Authorization\"]):", new: "case false:",
		test: "TestInvalidateHandlerRequests",
	},
	{
		name: "changes: the last secret alone is good", file: invalidateHandlerFile,
		old: "found |= subtle", new: "found = subtle",
		test: "TestInvalidateHandlerRequests",
	},
	{
		name: "changes: any method will do", file: invalidateHandlerFile,
		old: "case r.Method != http.MethodPost:", new: "case false:",
		test: "TestInvalidateHandlerRequests",
	},
	{
		name: "changes: the client's leave ends the wait for other instances", file: invalidateHandlerFile,
		old: "context.WithoutCancel(r.Context())", new: "r.Context()",
		test: "TestInvalidateHandlerOverRedis",
	},
	{
		name: "changes: what the log has not taken is acknowledged", file: invalidateHandlerFile,
		old: "	if err != nil {\n		status, answer.Error =", new: "	if false {\n		status, answer.Error =",
		test: "TestInvalidateHandlerPending",
	},
	{
		name: "changes: an unknown field is passed over", file: readChangesFile,
		old:  "		if name != \"changes\" {\n			return unknownField(\"the body\", name, \"changes\")",
		new:  "		if name != \"changes\" {\n			_, err := r.Token()\n			return err",
		test: "TestInvalidateHandlerRefuses",
	},
	{
		name: "changes: the last of two fields counts", file: readChangesFile,
		old: "case slices.Contains(seen, name):", new: "case false:",
		test: "TestInvalidateHandlerRefuses",
	},
	{
		name: "changes: a change may have two kinds", file: readChangesFile,
		old: "kinds != 1", new: "kinds == 0",
		test: "TestInvalidateHandlerRefuses",
	},
	{
		name: "changes: a variable that was not set is a name", file: readChangesFile,
		old: "	case s == \"\":\n", new: "	case false:\n",
		test: "TestInvalidateHandlerRefuses",
	},
	{
		name: "changes: a value that was not set is one", file: readChangesFile,
		old: "	case json.Number, bool:\n", new: "	case json.Number, bool, nil:\n",
		test: "TestInvalidateHandlerValues",
	},
	{
		name: "changes: rows by a value need no value", file: readChangesFile,
		old: "n != len(parts)", new: "n < 2",
		test: "TestInvalidateHandlerValues",
	},
	{
		name: "changes: a pattern of values that is none is passed over", file: invalidateHandlerFile,
		old: "err != nil && ch.isPattern():", new: "err != nil && ch.kind == changeOperations:",
		test: "TestInvalidateHandlerValues",
	},
	{
		name: "changes: a number loses digits", file: readChangesFile,
		old: "	case json.Number:\n		return t, err\n", new: "	case json.Number:\n		f, _ := t.Float64()\n		return f, err\n",
		test: "TestInvalidateHandlerNumbers",
	},
	{
		name: "health: an instance without a lease is not ready", file: healthFile,
		old: "h.Cached, h.Consistent = false, false", new: "h = Health{}",
		test: "TestHealthOfInstances|TestHealthWithoutRedis",
	},
	{
		name: "health: an instance whose changes wait is not ready", file: healthFile,
		old: "		h.Consistent = false\n		h.because(fmt", new: "		h.Serving, h.Consistent = false, false\n		h.because(fmt",
		test: "TestHealthOfInstances",
	},
	{
		name: "health: changes that wait are consistent", file: healthFile,
		old: "Pending; n > 0 {", new: "Pending; n < 0 {",
		test: "TestHealthOfInstances",
	},
	{
		name: "health: a cache that is closed is ready", file: healthFile,
		old: "	if c.isClosed() {\n", new: "	if false {\n",
		test: "TestHealth$",
	},
}
