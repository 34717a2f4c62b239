package main

const (
	uncommittedFile = "gqlcache/uncommitted.go"
	holdFile        = "gqlcache/hold.go"
	refusedFile     = "gqlcache/refused.go"
	arrivalFile     = "gqlcache/arrival.go"
)

// commitsRules are those by which changes are applied after their commit, wherever in the server that is, and
// only what may have been changed is dropped.
var commitsRules = []mutant{
	{
		name: "commits: a mutation counts when gqlgen has answered", file: uncommittedFile,
		old: "	case r.uncommitted.keep(b):\n		return true\n	}\n	return r.hold.keep(b)", new: "	}\n	return r.hold.keep(b)",
		test: "TestCommitInAnExtension$",
	},
	{
		name: "commits: an operation that panics or ends is not applied again", file: extensionFile,
		old:  "		a := r.leave(ctx)\n",
		new:  "		if resp == nil {\n			return\n		}\n		a := r.leave(ctx)\n",
		test: "TestCommitInAnExtension$",
	},
	{
		name: "commits: what runs before the handler is not applied again", file: extensionFile,
		old: "	r.enter()\n	defer func() { // also when it panics\n", new: "	defer func() {\n		return\n",
		test: "TestCommitInAnExtension$",
	},
	{
		name: "commits: the record is written when gqlgen has answered", file: "gqlcache/publish.go",
		old: "		p.Number = c.fleet.Apply(what) // the others learn of it later\n", new: "		p.Publication = c.fleet.Publish(ctx, nil, what)\n",
		test: "TestCommitInAnExtensionIsOneRecord",
	},
	{
		name: "commits: an inner hold hides the outer one", file: holdFile,
		old: "if a.hold != nil && a.hold.isAhead() {", new: "if false {",
		test: "TestNestedHolds",
	},
	{
		name: "commits: holds are found in the context alone", file: arrivalFile,
		old: "		outer = arrivalOf(w, c)\n", new: "		_ = w\n",
		test: "TestNestedHolds",
	},
	{
		name: "commits: holds of several caches shadow each other", file: arrivalFile,
		old: "ok && k.Cache == a.cache {", new: "ok && k.Cache != nil {",
		test: "TestNestedHolds",
	},
	{
		name: "commits: what is said after a hold is kept by it", file: uncommittedFile,
		old: "	if u.ahead == 0 {\n		return false\n	}\n", new: "",
		test: "TestLateChanges|TestLateMutation",
	},
	{
		name: "commits: what is kept is looked for before, and not with, the addition", file: uncommittedFile,
		old: "		return false\n	}\n	u.add(b)\n",
		new: "		return false\n	}\n	u.mu.Unlock()\n	soon, stop := context.WithTimeout(context.Background(), 2_000_000)\n" +
			"	<-soon.Done()\n	stop()\n	u.mu.Lock()\n	u.add(b)\n",
		test: "TestLateChangeMeetsTheEnd",
	},
	{
		name: "commits: what a mutation writes that was given up is not heard", file: refusedFile,
		old:  "func (r *request) changeLate(ctx context.Context) {\n",
		new:  "func (r *request) changeLate(ctx context.Context) {\n	if ctx != nil {\n		return\n	}\n",
		test: "TestMutationGivenUp",
	},
	{
		name: "commits: streams are held", file: holdFile,
		old: "		h.streams.Store(true)\n", new: "",
		test: "TestStreamsAreNotHeld",
	},
	{
		name: "commits: what a stream changes is not applied at its end", file: holdFile,
		old: "		h.uncommitted.keep(&batch{by: b.by, Change: b.Change})\n", new: "",
		test: "TestStreamsAreNotHeld",
	},
	{
		name: "commits: a query's change is not applied when it ends", file: uncommittedFile,
		old: "		r.uncommitted.repeat(b)\n", new: "",
		test: "TestQueryThatWrites",
	},
	{
		name: "commits: a query that writes is stored", file: touchFile,
		old: "		r.refuseToStore(ReasonWrote)\n", new: "",
		test: "TestQueryThatWrites",
	},
	{
		name: "commits: Commit waits for the end", file: "gqlcache/commit.go",
		old: "	c.publish(ctx, ch)\n", new: "	ch.within = r\n	c.publish(ctx, ch)\n",
		test: "TestCommit$",
	},
	{
		name: "commits: what a middleware has read is as new as its operation", file: extensionFile,
		old: "r.arrived, r.at, r.hold, r.shapes, r.arrival = a.number, a.at, a.hold, a.shapes, a", new: "r.at, r.hold, r.shapes, r.arrival = a.at, a.hold, a.shapes, a",
		test: "TestReadBeforeTheHandler",
	},
	{
		name: "commits: a header of the client's makes it new", file: arrivalFile,
		old: "			next.ServeHTTP(wire.Upgrade(w, a), r)\n", new: "			next.ServeHTTP(w, r.WithContext(a.Context))\n",
		test: "TestReadBeforeTheHandler",
	},
	{
		name: "commits: a websocket's operations are as old as it is", file: arrivalFile,
		old: "{ a.gone.Store(true) }", new: "{}",
		test: "TestHandlerWebsocket",
	},
	{
		name: "commits: a refused field drops what it declares", file: "gqlcache/mutation.go",
		old: "	maps.Copy(said.nothing, r.unwritten(d, resp))\n", new: "	_ = resp\n",
		test: "TestRefused$",
	},
	{
		name: "commits: an error is a refusal", file: refusedFile,
		old: "	if s.entries != 1 || !s.failed {\n		return false\n	}\n", new: "	if s.failed {\n		return true\n	}\n",
		test: "TestRefused$",
	},
	{
		name: "commits: the second try's refusal stands for both", file: refusedFile,
		old: "s.entries != 1 || !s.failed", new: "!s.failed",
		test: "TestRefused$",
	},
	{
		name: "commits: a directive that went on has refused", file: refusedFile,
		old: "return !slices.Contains(s.passed, d) }", new: "return d != nil }",
		test: "TestRefused$",
	},
	{
		name: "commits: Options.Writes is not heard", file: refusedFile,
		old: "		if r.cache.writesBeside(f.Definition) {\n", new: "		if false {\n",
		test: "TestRefused$",
	},
	{
		name: "commits: what answers without a resolver has written nothing", file: refusedFile,
		old: "|| !isNull(resp, f.Name):", new: ":",
		test: "TestRefused$",
	},
	{
		name: "commits: an executor without middlewares writes nothing", file: refusedFile,
		old: "	watched := len(roots) > 0 || r.cache.roots.seen.Load() && !r.cache.roots.several.Load()\n", new: "	watched := true\n",
		test: "TestRefused",
	},
}
