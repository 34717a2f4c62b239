package main

// joinRules are those of what several instances share, as far as the cache keeps them.
var joinRules = []mutant{
	{
		name: "lease not looked at", file: "gqlcache/query.go",
		old: `why == "" && c.opts.Log != nil && !c.fresh()`, new: "false",
		test: "TestLostLease",
	},
	{
		name: "join as of the arrival", file: "gqlcache/query.go",
		old: "r.since = c.clock.Seq()", new: "_ = 0",
		test: "TestJoinAfterTheLease",
	},
	{
		name: "joined without a lease", file: "gqlcache/query.go",
		old: "f.stamp != nil && c.fresh() &&", new: "f.stamp != nil &&",
		test: "TestLeaseLostWhileJoined",
	},
	{
		name: "answers of transactions shared", file: "gqlcache/request.go",
		old: "	if r.hold != nil {\n		r.at = changelog.Position{}\n	}\n", new: "",
		test: "TestHeldChangesAreSharedAtTheCommit",
	},
	{
		name: "mark ignored", file: "gqlcache/shared.go",
		old: "len(tags) == 0 || tags[0] != st.Mark", new: "len(tags) == 0",
		test: "TestForeignRecords|TestOtherSchema",
	},
	{
		name: "entry not proven", file: "gqlcache/shared.go",
		old: "!ok || !c.history.Unchanged(m.at.Epoch, m.at.Number, tags)", new: "!ok",
		test: "TestSharedEntries",
	},
	{
		name: "clock before history", file: "gqlcache/shared.go",
		old: "	s.c.history.Note(r)\n	if s.noted != nil {\n		s.noted()\n	}\n", new: "	defer s.c.history.Note(r)\n	if s.noted != nil {\n		defer s.noted()\n	}\n",
		test: "TestAdoptionRaces",
	},
	{
		name: "a tier hides the one behind it", file: "gqlcache/shared.go",
		old: "if s, ok := c.opts.Shared.(store.Sieve); ok {", new: "if s, ok := c.opts.Shared.(store.Sieve); ok && false {",
		test: "TestTiers$",
	},
	{
		name: "entry that is refused is moved up", file: "gqlcache/store/tiered/tiered.go",
		old: "if use != nil && !use(e) {", new: "if false {",
		test: "TestGetIf",
	},
	{
		name: "jitter lets a copy outlive its original", file: "gqlcache/store/tiered/tiered.go",
		old: "(1 - rand.Float64()*t.Jitter)", new: "(1 + rand.Float64()*t.Jitter)",
		test: "TestJitter",
	},
}
