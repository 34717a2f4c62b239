package main

const (
	sharedFile  = "gqlcache/shared.go"
	applyFile   = "gqlcache/changelog/redislog/apply.go"
	acksFile    = "gqlcache/changelog/redislog/acks.go"
	renewFile   = "gqlcache/changelog/redislog/renew.go"
	pendingFile = "gqlcache/changelog/redislog/pending.go"
	scriptsFile = "gqlcache/changelog/redislog/scripts.go"
	formatFile  = "gqlcache/store/redisstore/format.go"
)

// sharedRules are those of several instances: the log, the leases, and what is taken over from the store
// that they share.
var sharedRules = []mutant{
	{
		name: "validity is looked at before the lease", file: queryFile,
		old: "	if why == \"\" && c.opts.Log != nil && !c.fresh() {\n",
		new: "	if why == \"\" {\n" +
			"		k, _ := c.appendKey(ctx, nil, d, oc.Variables, who)\n" +
			"		if e, _, _ := c.lookup(ctx, k); e != nil && c.fresh() {\n" +
			"			return respond(ctx, e.Body)\n		}\n	}\n" +
			"	if why == \"\" && !c.fresh() {\n",
		test: "TestLeaseBeforeValidity",
	},
	{
		name: "nobody looks at the lease", file: sharedFile,
		old: "return fresh && err == nil", new: "return fresh == fresh || err == nil",
		test: "TestLostLease",
	},
	{
		name: "joiner does not look at the lease", file: queryFile,
		old: "f.stamp != nil && c.fresh() &&", new: "f.stamp != nil &&",
		test: "TestLeaseLostWhileJoined|TestJoinAfterTheLease",
	},
	{
		name: "shared entry is not proven", file: sharedFile,
		old: "if !ok || !c.history.Unchanged(m.at.Epoch, m.at.Number, tags) {", new: "if !ok {",
		test: "TestSharedEntriesThatAreNotProven",
	},
	{
		name: "shared entry is not checked after it was proven", file: sharedFile,
		old: "	token := c.clock.Begin()\n	e, tags, err := c.sharedGet(ctx, c.sharedKey(key))",
		new: "	e, tags, err := c.sharedGet(ctx, c.sharedKey(key))\n	token := c.clock.Begin()\n" +
			"	if e != nil {\n		return &filled{body: e.Body, born: token, fromShared: true}\n	}",
		test: "TestSharedEntries|TestAdoptionRaces",
	},
	{
		name: "history learns of a record after the clock", file: sharedFile,
		old:  "	s.c.history.Note(r)\n	if s.noted != nil {\n		s.noted()\n	}\n	s.c.applyRecord(r)\n",
		new:  "	s.c.applyRecord(r)\n	if s.noted != nil {\n		s.noted()\n	}\n	s.c.history.Note(r)\n",
		test: "TestAdoptionRaces",
	},
	{
		name: "record of another schema is trusted", file: sharedFile,
		old: "len(tags) == 0 || tags[0] != st.Mark", new: "len(tags) == 0",
		test: "TestForeignRecords|TestOtherSchema",
	},
	{
		name: "shared entry is stamped when it is stored", file: queryFile,
		old: "c.toShared(ctx, key, e, r.at, named)", new: "c.toShared(ctx, key, e, c.applied(), named)",
		test: "TestSharedStampIsOfTheBeginning",
	},
	{
		name: "shared entry is stamped when the computation ends", file: queryFile,
		old: "	f.left = r.hasEnded(ctx)\n", new: "	f.left = r.hasEnded(ctx)\n	r.at = c.applied()\n",
		test: "TestSharedStampIsOfTheBeginning",
	},
	{
		name: "lease is counted from the reply", file: renewFile,
		old:  "		sent := now()\n		reply, err := r.ask(ctx)\n",
		new:  "		reply, err := r.ask(ctx)\n		sent := now()\n",
		test: "TestLeaseCountsFromTheRequest",
	},
	{
		name: "lease is longer than is waited for", file: applyFile,
		old: "a.ttl*9/10", new: "a.ttl*5",
		test: "TestPausedInstance",
	},
	{
		name: "lease is taken with changes pending", file: pendingFile,
		old: "	if p.empty() {\n		takeLease()", new: "	if true {\n		takeLease()",
		test: "TestNoLeaseWhilePending",
	},
	{
		name: "newcomer does not wait for a term", file: applyFile,
		old: "if now() < a.ready || ", new: "if ",
		test: "TestNotReadyBeforeOneTerm",
	},
	{
		name: "no flush at a hole in the records", file: applyFile,
		old: "if r.Number > at.Number+1 {", new: "if false {",
		test: "TestHole",
	},
	{
		name: "no flush when the end of the log is missing", file: applyFile,
		old:  "		a.flush(changelog.Position{Epoch: at.Epoch, Number: reply.number}, \"missing records\")\n",
		new:  "		a.at.Store(&changelog.Position{Epoch: at.Epoch, Number: reply.number})\n",
		test: "TestHole",
	},
	{
		name: "unknown record is skipped", file: applyFile,
		old:  "a.flush(changelog.Position{Epoch: at.Epoch, Number: max(at.Number, r.Number)}, \"unknown record\")",
		new:  "a.at.Store(&changelog.Position{Epoch: at.Epoch, Number: max(at.Number, r.Number)})",
		test: "TestStrangeRecords",
	},
	{
		name: "no wait for the leases of the epoch before", file: applyFile,
		old: "return max(outlived, a.since)", new: "return 0",
		test: "TestServerForgets",
	},
	{
		name: "confirmed without the members' word", file: acksFile,
		old: "if a.applied[id] >= n {", new: "if true {",
		test: "TestPausedInstance",
	},
	{
		name: "members are dropped by what they have applied", file: scriptsFile,
		old: "if string.sub(fields[i], 1, 2) == 'l:' then", new: "if string.sub(fields[i], 1, 2) == 'm:' then",
		test: "TestReap",
	},
	{
		name: "lease without proof of the reply before", file: scriptsFile,
		old: "if e == ce and received and ", new: "if e == ce and ",
		test: "TestLeaseNeedsTheReplyBefore",
	},
	{
		name: "a full server takes no changes", file: scriptsFile,
		old: "const prelude = `#!lua flags=allow-oom\n", new: "const prelude = `#!lua\n",
		test: "TestOutOfMemory",
	},
	{
		name: "another server goes on with the epoch", file: scriptsFile,
		old: "not (run and v[3] and v[3] ~= run) and ", new: "",
		test: "TestServerForgets",
	},
	{
		name: "a caller that knows more is not believed", file: scriptsFile,
		old: " and not (ce == e and a > s) then", new: " then",
		test: "TestNumbersRewound",
	},
	{
		name: "checksum leaves the header out", file: formatFile,
		old:  "	sum := crc32.Update(0, castagnoli, value[:crcAt])\n	return crc32.Update(sum, castagnoli, value[crcAt+4:])",
		new:  "	return crc32.Update(0, castagnoli, value[headerLen:])",
		test: "TestEachBit",
	},
	{
		name: "entry of another key is taken", file: formatFile,
		old: "if !bytes.Equal(r.key, key) {", new: "if _ = bytes.Equal; false {",
		test: "TestMoved",
	},
}
