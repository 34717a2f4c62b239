package main

const (
	intentFile   = "gqlcache/intent.go"
	sinkFile     = "gqlcache/internal/fleet/sink.go"
	announceFile = "gqlcache/changelog/redislog/announce.go"
	intentsFile  = "gqlcache/changelog/redislog/intents.go"
	upkeepFile   = "gqlcache/changelog/redislog/upkeep.go"
)

// intentRules are those of changes that are announced to all instances before they are made.
var intentRules = []mutant{
	{
		name: "intent is settled before its change is applied", file: applyFile,
		old: "	if !r.silent() {\n		a.sink.Apply(r.Record)\n	}\n	// After the change: who does not find the announcement any more must find that.\n" +
			"	for _, id := range r.settles {\n		a.intents.settle(id)\n	}\n",
		new:  "	for _, id := range r.settles {\n		a.intents.settle(id)\n	}\n	if !r.silent() {\n		a.sink.Apply(r.Record)\n	}\n",
		test: "TestChangeBeforeSettlement",
	},
	{
		name: "nobody is waited for at an announcement", file: announceFile,
		old: "	w.level = changelog.Strong\n", new: "	w.level = changelog.Eventual\n",
		test: "TestIntendWaits|TestIntend$",
	},
	{
		name: "announcement that was not heard is good", file: announceFile,
		old: "	if !receipt.Confirmed {", new: "	if false {",
		test: "TestIntendRefused",
	},
	{
		name: "expired intent is forgotten", file: upkeepFile,
		old:  "change := changes{count: 1, tags: in.tags, all: in.all, settles:",
		new:  "change := changes{count: 1, settles:",
		test: "TestIntentOfTheDead",
	},
	{
		name: "intent expires though somebody stands by it", file: scriptsFile,
		old: "    redis.call('HINCRBY', KEYS[1], 'j:' .. ARGV[k], 1)\n", new: "",
		test: "TestIntentIsStoodBy",
	},
	{
		name: "newcomer does not ask for open intents", file: intentsFile,
		old: "			i.announce(in, \"\")\n", new: "			_ = in\n",
		test: "TestNewcomerLearnsOfIntents|TestHoleHidesIntents",
	},
	{
		name: "intent that was settled since the reply comes back", file: intentsFile,
		old: "if !i.gone[in.id] {", new: "if true {",
		test: "TestApplier",
	},
	{
		name: "lease goes on over a hole that may hide an intent", file: applyFile,
		old: "		a.lease.drop(a.position())\n		a.intents.lose(", new: "		a.intents.lose(",
		test: "TestHoleEndsTheLease",
	},
	{
		name: "lease is taken before the open intents are known", file: intentsFile,
		old:  "	if !reply.looked || reply.number < i.seen {\n		return false\n	}\n",
		new:  "	if !reply.looked || reply.number < i.seen {\n		i.blind = false\n		return true\n	}\n",
		test: "TestNewcomerLearnsOfIntents|TestHoleHidesIntents",
	},
	{
		name: "intents of older epochs are over with them", file: intentsFile,
		old: "	if !quiet {\n		i.loud", new: "	if false {\n		i.loud",
		test: "TestNewEpochHidesIntents",
	},
	{
		name: "intent is not repeated in a new epoch", file: upkeepFile,
		old:  "			if _, err := in.announce(ctx); err != nil {\n				return err\n			}\n",
		new:  "			_ = in\n",
		test: "TestNewEpochHidesIntents",
	},
	{
		name: "follower hears no change of the dead", file: "gqlcache/changelog/redislog/record.go",
		old: "len(r.settles) > 0 && len(r.Tags) == 0 && !r.All)", new: "len(r.settles) > 0)",
		test: "TestIntentOfTheDead",
	},
	{
		name: "mutation that was not announced is run", file: intentFile,
		old: "	if !ok {\n		return false\n", new: "	if !ok {\n		return true\n",
		test: "TestIntentCannotBeAnnounced",
	},
	{
		name: "nothing but anything is announced", file: intentFile,
		old: "Plan.Publish(ch.more, ch.events, c.partition(ctx)), false", new: "Plan.Publish(nil, nil, c.partition(ctx)), false",
		test: "TestAnnouncementsCoverChanges",
	},
	{
		name: "announcement marks nothing elsewhere", file: sinkFile, in: "gqlcache",
		old: "s.open[id] = s.f.cfg.Clock.Announce(tags)", new: "s.open[id] = s.f.cfg.Clock.Announce(tags)\n		s.open[id].Settle()",
		test: "TestIntentOverTheLog",
	},
	{
		name: "a log that returns no intention has announced", file: "gqlcache/internal/fleet/announce.go",
		old: "if err == nil && in == nil {", new: "if err == nil && in == nil && false {",
		test: "TestAnnounceWithoutAnIntention",
	},
	{
		name: "what may be joined is numbered before the token is caught up with", file: "gqlcache/query.go",
		old: "		if r.since, ok = c.fleet.Arrive(); !ok {", new: "		since := r.since\n		if r.since, ok = c.fleet.Arrive(); c.opts.Tokens {\n			r.since = since\n		}\n		if !ok {",
		test: "TestJoinAfterTheLease",
	},
}
