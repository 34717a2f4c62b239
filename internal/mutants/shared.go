package main

const (
	sharedFile  = "gqlcache/internal/fleet/shared.go"
	freshFile   = "gqlcache/internal/fleet/lease.go"
	schemaFile  = "gqlcache/internal/fleet/schema.go"
	markFile    = "gqlcache/instances.go"
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
		name: "a primary that waits for its replicas is not asked again", file: retryFile,
		old: `"ASK", "NOREPLICAS", "BUSY"}`, new: `"ASK", "BUSY"}`,
		test: "TestPushedWhenReplicasAreBack",
	},
	{
		name: "a primary without min-replicas-to-write is not told of", file: scriptsFile,
		old: "local alone = replicas > 0 and", new: "local alone = replicas < 0 and",
		test: "TestPrimaryAlone",
	},
	{
		name: "a primary with min-replicas-to-write is complained of", file: scriptsFile,
		old: "  and not info('replication', 'min_slaves_good_slaves:(%d+)')\n", new: "",
		test: "TestPrimaryAlone",
	},
	{
		name: "validity is looked at before the lease", file: queryFile,
		old: "	if why == \"\" && c.opts.Log != nil {\n",
		new: "	if why == \"\" {\n" +
			"		k, _ := c.appendKey(ctx, nil, d, oc, who)\n" +
			"		if e, _, _ := c.lookup(ctx, oc, k); e != nil && c.fresh() {\n" +
			"			return respond(ctx, e.Body)\n		}\n	}\n" +
			"	if why == \"\" && c.opts.Log != nil {\n",
		test: "TestLeaseBeforeValidity",
	},
	{
		name: "nobody looks at the lease", file: freshFile, in: "gqlcache",
		old: "return fresh && err == nil", new: "return fresh == fresh || err == nil",
		test: "TestLostLease",
	},
	{
		name: "joiner does not look at the lease", file: computeFile,
		old: "c.valid(f.stamp)", new: "c.engine.Valid(&f.stamp.Stamp)",
		test: "TestLeaseLostWhileJoined|TestJoinAfterTheLease",
	},
	{
		name: "shared entry is not proven", file: sharedFile, in: "gqlcache",
		old: "if !ok || !f.history.Unchanged(m.at.Epoch, m.at.Number, tags) {", new: "if !ok {",
		test: "TestSharedEntriesThatAreNotProven",
	},
	{
		name: "shared entry is not checked after it was proven", file: sharedFile,
		old:  "	token := f.cfg.Clock.Begin()\n	e, tags, err := f.get(ctx, f.sharedKey(key), &w)",
		new:  "	e, tags, err := f.get(ctx, f.sharedKey(key), &w)\n	token := f.cfg.Clock.Begin()",
		test: "TestTokenBeforeTheStore",
	},
	{
		name: "history learns of a record after the clock", file: sinkFile, in: "gqlcache",
		old:  "	f.history.Note(r)\n	if s.Noted != nil {\n		s.Noted()\n	}\n	f.applyRecord(r, texts)\n",
		new:  "	f.applyRecord(r, texts)\n	if s.Noted != nil {\n		s.Noted()\n	}\n	f.history.Note(r)\n",
		test: "TestAdoptionRaces",
	},
	{
		name: "record of another schema is trusted", file: schemaFile, in: "gqlcache",
		old: "len(tags) == 0 || tags[0] != s.cfg.Mark", new: "len(tags) == 0",
		test: "TestForeignRecords|TestOtherSchema",
	},
	{
		name: "shared entry is stamped when it is stored", file: computeFile,
		old: "c.fleet.Share(ctx, key, whileFresh(e, f.stamp), r.at, cascade.Merge(others))", new: "r.at, _ = c.fleet.Place()\n		c.fleet.Share(ctx, key, whileFresh(e, f.stamp), r.at, cascade.Merge(others))",
		test: "TestSharedStampIsOfTheBeginning",
	},
	{
		name: "shared entry is stamped when the computation ends", file: computeFile,
		old: "	f.left = ctx.Err() != nil\n", new: "	f.left = ctx.Err() != nil\n	r.at, _ = c.fleet.Place()\n",
		test: "TestSharedStampIsOfTheBeginning",
	},
	{
		name: "the place in the log is read after the clock", file: freshFile,
		old:  "	if f.cfg.Log != nil {\n		at = f.applied()\n	}\n	return at, f.cfg.Clock.Seq()\n",
		new:  "	number = f.cfg.Clock.Seq()\n	if f.cfg.Log != nil {\n		at = f.applied()\n	}\n	return at, number\n",
		test: "TestPlaceBeforeNumber",
	},
	{
		name: "what may be joined is numbered before the lease", file: freshFile,
		old:  "	if !f.Fresh() {\n		return 0, false\n	}\n	return f.cfg.Clock.Seq(), true",
		new:  "	since = f.cfg.Clock.Seq()\n	return since, f.Fresh()",
		test: "TestNumberAfterLease",
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
		name: "unknown record flushes each time that it comes", file: applyFile,
		old: "case r.unknown && !r.behind(at):", new: "case r.unknown:",
		test: "TestUnknownRecordTwice",
	},
	{
		name: "unknown record that has no number of the log's is skipped", file: "gqlcache/changelog/redislog/record.go",
		old: "return !r.misnumbered && at.Epoch < r.Number &&", new: "return",
		test: "TestUnknownRecordTwice",
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
	{
		name: "answer that is refused while it is shared stays there", file: "gqlcache/compute.go",
		old: "if why := r.refusal(); why != \"\" { // said late", new: "if why := r.refusal(); false { // said late",
		test: "TestRefusedWhileItIsShared",
	},
}
