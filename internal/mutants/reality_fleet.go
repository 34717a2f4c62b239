package main

const (
	recordFile   = "gqlcache/internal/fleet/record.go"
	buildFile    = "gqlcache/internal/fleet/build.go"
	tokenFile    = "gqlcache/internal/fleet/token.go"
	namesFile    = "cascade/names.go"
	logFile      = "gqlcache/changelog/redislog/log.go"
	logOptions   = "gqlcache/changelog/redislog/options.go"
	retryFile    = "gqlcache/changelog/redislog/retry.go"
	storeOptions = "gqlcache/store/redisstore/options.go"
	storeKeys    = "gqlcache/store/redisstore/keys.go"
	macFile      = "gqlcache/store/redisstore/mac.go"
)

// fleetRules are those of instances that are not alike: of other schemas, builds and partitions; of names that decide
// who shares; and of what clients and connections do to the log.
var fleetRules = []mutant{
	{
		name: "a record of another schema drops everything", file: recordFile, in: "gqlcache",
		old: "	publisher, ok := f.publishers.views(rec)\n", new: "	if true {\n		return nil, false\n	}\n	publisher, ok := f.publishers.views(rec)\n",
		test: "TestOtherSchema|TestDeployment",
	},
	{
		name: "a view that is unknown here is passed over", file: recordFile, in: "gqlcache",
		old: "known {\n			return nil, false\n", new: "known {\n			continue\n",
		test: "TestForeignViews",
	},
	{
		name: "a view that the publisher does not have is thought unchanged", file: recordFile, in: "gqlcache",
		old: "if _, has := slices.BinarySearch(publisher, name); !has {", new: "if _, has := slices.BinarySearch(publisher, name); !has && false {",
		test: "TestForeignViews",
	},
	{
		name: "a publisher of unknown views is trusted", file: recordFile, in: "gqlcache",
		old: "if !ok || len(rec.names) == 0 {", new: "if !ok {\n		publisher = s.names\n	}\n	if len(rec.names) == 0 {",
		test: "TestStrangers",
	},
	{
		name: "a list of views is not checked", file: recordFile, in: "gqlcache",
		old: "slices.IsSorted(r.list) && sumOf(r.list) == r.sum", new: "slices.IsSorted(r.list)",
		test: "TestOddRecords",
	},
	{
		name: "a record that names nothing changes nothing", file: recordFile, in: "gqlcache",
		old: "if !ok || len(rec.names) == 0 {", new: "if !ok {",
		test: "TestOddRecords",
	},
	{
		name: "a change of an operation's answers has a view's name", file: "gqlcache/publish.go",
		old: "if !all && (c.opts.Log != nil || c.front != nil) && len(ch.more)+len(ch.operations) > 0 {", new: "if false {",
		test: "TestForeignViews",
	},
	{
		name: "views are changed inside the partition of nobody", file: namesFile,
		old: "		part = partAny\n", new: "		part = partOutside\n",
		test: "TestWholeViewsReachRows",
	},
	{
		name: "a change of a whole view is an update", file: namesFile,
		old: "Op: Any, All: true, Columns: AllColumns})\n	}\n	return events", new: "Op: Create, All: true, Columns: AllColumns})\n	}\n	return events",
		test: "TestWholeViewsReachRows",
	},
	{
		name: "partitions of another build are thought to be called alike", file: recordFile, in: "gqlcache",
		old: "rec.mark == s.cfg.Mark && (rec.build == 0 || rec.build == f.build):", new: "rec.mark == s.cfg.Mark:",
		test: "TestRenamedPartitions",
	},
	{
		name: "the mark does not know what partitions mean", file: "gqlcache/internal/plans/schema.go", in: "gqlcache",
		old: "tagsVersion, o, partitions)", new: "tagsVersion, o, \"\")",
		test: "TestRenamedPartitions",
	},
	{
		name: "the mark does not know the order of columns", file: namesFile,
		old: "			text(c)\n", new: "			_ = c\n",
		test: "TestLayout",
	},
	{
		name: "builds share entries", file: buildFile, in: "gqlcache",
		old: "return append([]byte{keyVersion}, sum[:16]...)", new: "return append([]byte{keyVersion}, sum[:0]...)",
		test: "TestBuilds",
	},
	{
		name: "the build does not know the executable", file: buildFile, in: "gqlcache",
		old: "\" executable \" + digest", new: "\" executable \" + digest[:0]",
		test: "TestDefaultBuild",
	},
	{
		name: "a changed revision is a build", file: buildFile, in: "gqlcache",
		old: "case revision != \"\" && modified == \"false\":", new: "case true:",
		test: "TestDefaultBuild",
	},
	{
		name: "a cache without a build shares", file: "gqlcache/options.go",
		old: "if o.Shared != nil && o.Build == \"\" {", new: "if false {",
		test: "TestDefaultBuild",
	},
	{
		name: "a log has a default namespace", file: logOptions,
		old: "	if o.Level == 0 {\n		o.Level = changelog.Bounded", new: "	if o.Namespace == \"\" {\n		o.Namespace = \"main\"\n	}\n	if o.Level == 0 {\n		o.Level = changelog.Bounded",
		test: "TestOptions|TestNew",
	},
	{
		name: "a store has a default prefix", file: storeOptions,
		old: "	if o.DecodeMeta == nil {\n", new: "	if o.Prefix == \"\" {\n		o.Prefix = \"gqlc\"\n	}\n	if o.DecodeMeta == nil {\n",
		test: "TestNew|TestOptions",
	},
	{
		name: "an instance is called as its label", file: logFile,
		old: "	if label == \"\" {\n		return random\n	}\n", new: "	if label != \"\" {\n		return label\n	}\n	if label == \"\" {\n		return random\n	}\n",
		test: "TestTwins",
	},
	{
		name: "a change whose connection breaks is pending at once", file: retryFile,
		old: "if err == nil || !passing(err) ||", new: "if true || err == nil || !passing(err) ||",
		test: "TestPushedAgain",
	},
	{
		name: "what the server refuses is asked again", file: retryFile,
		old: "return slices.ContainsFunc(passingAnswers", new: "return true || slices.ContainsFunc(passingAnswers",
		test: "TestRefusedAtOnce",
	},
	{
		name: "tokens are looked at without Tokens", file: queryFile,
		old: "if why == \"\" && c.opts.Tokens {", new: "if why == \"\" {",
		test: "TestTokensOff",
	},
	{
		name: "a token that is none bypasses the cache", file: tokenFile, in: "gqlcache",
		old: "	before := f.applied()\n", new: "	if err != nil {\n		return \"\", false\n	}\n	before := f.applied()\n",
		test: "TestTokens",
	},
	{
		name: "a token that could not be looked up is absent", file: tokenFile, in: "gqlcache",
		old: "errors.Is(err, changelog.ErrBehind) && before.Epoch == at.Epoch && after.Epoch == at.Epoch", new: "err != nil || errors.Is(err, changelog.ErrBehind)",
		test: "TestTokens",
	},
	{
		name: "a token of an epoch to come is absent", file: tokenFile, in: "gqlcache",
		old: " && before.Epoch == at.Epoch && after.Epoch == at.Epoch", new: "",
		test: "TestTokens",
	},
	{
		name: "every token asks the log", file: tokenFile, in: "gqlcache",
		old: "if !f.looks.allows(f.age()) {", new: "if false {",
		test: "TestTokensCostNoLoad",
	},
	{
		name: "a token beyond the limit is absent", file: tokenFile, in: "gqlcache",
		old: "		return f.nextWindow(ctx)\n", new: "		return \"\", true\n",
		test: "TestTokenBeyondTheLimit",
	},
	{
		name: "a token beyond the limit joins what runs", file: computeFile,
		old: "Key: r.anew + key, Arrived:", new: "Key: key, Arrived:",
		test: "TestTokenBeyondTheLimit",
	},
	{
		name: "a token beyond the limit takes what is stored", file: queryFile,
		old: "if e != nil && r.anew != \"\" && !c.fleet.WasAnswered(r.anew, key, s.Stamp.Stamp) {", new: "if false {",
		test: "TestTokenBeyondTheLimit",
	},
	{
		name: "computations for tokens do not wait for their window", file: tokenFile, in: "gqlcache",
		old: "	case <-next.C:\n", new: "	case <-next.C:\n	default:\n",
		test: "TestTokensOfOneWindow",
	},
	{
		name: "each token is computed alone", file: tokenFile, in: "gqlcache",
		old: "	return string(b), true", new: "	return \"\", false",
		test: "TestTokensCostNoLoad",
	},
	{
		name: "leases are outside of the Redis user's keys", file: storeKeys,
		old: "\":l:{\"", new: "\":lease:{\"",
		test: "TestACLOfLeasesAndFeeds", in: "gqlcache",
	},
	{
		name: "an entry without authentication is taken", file: macFile,
		old: "	if value[3]&flagMAC == 0 || len(value) < headerLen+macLen {\n		return nil, errMAC\n", new: "	if value[3]&flagMAC == 0 || len(value) < headerLen+macLen {\n		return value, nil\n",
		test: "TestKeys",
	},
	{
		name: "only the first key reads", file: macFile,
		old: "range s.keys {", new: "range s.keys[:1] {",
		test: "TestKeys",
	},
	{
		name: "the authentication leaves the prefix out", file: macFile,
		old: "	_, _ = h.Write([]byte(s.prefix))\n", new: "",
		test: "TestEachBitWithKeys",
	},
	{
		name: "the authentication is not looked at", file: macFile,
		old: "if hmac.Equal(value[end:], s.mac(secret, value[:end])) {", new: "if hmac.Equal(value[end:], s.mac(secret, value[:end])) || true {",
		test: "TestEachBitWithKeys",
	},
}
