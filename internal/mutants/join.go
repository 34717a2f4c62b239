package main

// joinRules are those of what several instances share, as far as the cache keeps them.
var joinRules = []mutant{
	{
		name: "lease not looked at", file: "gqlcache/query.go",
		old: "r.since, ok = c.fleet.Arrive(); !ok", new: "r.since, ok = c.fleet.Arrive(); !ok && false",
		test: "TestLostLease",
	},
	{
		name: "what New has begun goes on when it fails", file: cacheFile,
		old: "			c.abandon()\n", new: "",
		test: "TestNewThatFails$",
	},
	{
		name: "join as of the arrival", file: "gqlcache/query.go",
		old: "if r.since, ok = c.fleet.Arrive(); !ok {", new: "if _, ok = c.fleet.Arrive(); !ok {",
		test: "TestJoinAfterTheLease",
	},
	{
		name: "joined without a lease", file: "gqlcache/instances.go",
		old: "return c.fresh() && c.engine.Valid(&s.Stamp)", new: "return c.engine.Valid(&s.Stamp)",
		test: "TestLeaseLostWhileJoined",
	},
	{
		name: "answers of transactions shared", file: extensionFile,
		old: "	if r.hold != nil {\n		r.at = changelog.Position{}\n	}\n", new: "",
		test: "TestHeldChangesAreSharedAtTheCommit",
	},
	{
		name: "mark ignored", file: schemaFile, in: "gqlcache",
		old: "len(tags) == 0 || tags[0] != s.cfg.Mark", new: "len(tags) == 0",
		test: "TestForeignRecords|TestOtherSchema",
	},
	{
		name: "entry not proven", file: sharedFile, in: "gqlcache",
		old: "!ok || !f.history.Unchanged(m.at.Epoch, m.at.Number, tags)", new: "!ok",
		test: "TestSharedEntries",
	},
	{
		name: "clock before history", file: sinkFile, in: "gqlcache",
		old: "	f.history.Note(r)\n	if s.Noted != nil {\n		s.Noted()\n	}\n", new: "	defer f.history.Note(r)\n	if s.Noted != nil {\n		defer s.Noted()\n	}\n",
		test: "TestAdoptionRaces",
	},
	{
		name: "a tier hides the one behind it", file: sharedFile, in: "gqlcache",
		old: "if s, ok := f.cfg.Shared.(store.Sieve); ok {", new: "if s, ok := f.cfg.Shared.(store.Sieve); ok && false {",
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
