package main

const (
	foreignFile  = "gqlcache/foreign.go"
	buildFile    = "gqlcache/build.go"
	tokenFile    = "gqlcache/token.go"
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
		name: "a record of another schema drops everything", file: foreignFile,
		old: "	publisher, ok := c.publishers.views(said)\n", new: "	if true {\n		return nil, false\n	}\n	publisher, ok := c.publishers.views(said)\n",
		test: "TestOtherSchema|TestDeployment",
	},
	{
		name: "a view that is unknown here is passed over", file: foreignFile,
		old: "		if v == nil {\n			return nil, false\n		}\n		views", new: "		if v == nil {\n			continue\n		}\n		views",
		test: "TestForeignViews",
	},
	{
		name: "a view that the publisher does not have is thought unchanged", file: foreignFile,
		old: "if _, has := slices.BinarySearch(publisher, name); !has {", new: "if _, has := slices.BinarySearch(publisher, name); !has && false {",
		test: "TestForeignViews",
	},
	{
		name: "a publisher of unknown views is trusted", file: foreignFile,
		old: "if !ok || len(said.names) == 0 {", new: "if !ok {\n		publisher = st.names.all\n	}\n	if len(said.names) == 0 {",
		test: "TestStrangers",
	},
	{
		name: "a list of views is not checked", file: foreignFile,
		old: "slices.IsSorted(r.list) && sumOf(r.list) == r.sum", new: "slices.IsSorted(r.list)",
		test: "TestOddRecords",
	},
	{
		name: "a record that names nothing changes nothing", file: foreignFile,
		old: "if !ok || len(said.names) == 0 {", new: "if !ok {",
		test: "TestOddRecords",
	},
	{
		name: "a change of an operation's answers has a view's name", file: "gqlcache/publish.go",
		old: "if !all && c.opts.Log != nil && len(ch.more)+len(ch.operations) > 0 {", new: "if false {",
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
		name: "partitions of another build are thought to be called alike", file: foreignFile,
		old: "if said.build != 0 && said.build != st.build {", new: "if false {",
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
		name: "builds share entries", file: buildFile,
		old: "return append([]byte{sharedKeyVersion}, sum[:16]...)", new: "return append([]byte{sharedKeyVersion}, sum[:0]...)",
		test: "TestBuilds",
	},
	{
		name: "the build does not know the executable", file: buildFile,
		old: "\" executable \" + digest", new: "\" executable \" + digest[:0]",
		test: "TestDefaultBuild",
	},
	{
		name: "a changed revision is a build", file: buildFile,
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
		old: "	return false\n}", new: "	return true\n}",
		test: "TestRefusedAtOnce",
	},
	{
		name: "tokens are looked at without Tokens", file: queryFile,
		old: "if why == \"\" && c.opts.Tokens {", new: "if why == \"\" {",
		test: "TestTokensOff",
	},
	{
		name: "a token that is none bypasses the cache", file: tokenFile,
		old: "	before := c.applied()\n", new: "	if err != nil {\n		return ReasonToken\n	}\n	before := c.applied()\n",
		test: "TestTokens",
	},
	{
		name: "a token that could not be looked up is absent", file: tokenFile,
		old: "errors.Is(err, changelog.ErrBehind) && before.Epoch == at.Epoch && after.Epoch == at.Epoch", new: "err != nil || errors.Is(err, changelog.ErrBehind)",
		test: "TestTokens",
	},
	{
		name: "a token of an epoch to come is absent", file: tokenFile,
		old: " && before.Epoch == at.Epoch && after.Epoch == at.Epoch", new: "",
		test: "TestTokens",
	},
	{
		name: "every token asks the log", file: tokenFile,
		old: "if !c.looks.allows(time.Since(c.born)) {", new: "if false {",
		test: "TestTokensCostNoLoad",
	},
	{
		name: "a token beyond the limit is absent", file: tokenFile,
		old: "		return c.anew(ctx, r)\n", new: "		return \"\"\n",
		test: "TestTokenBeyondTheLimit",
	},
	{
		name: "a token beyond the limit joins what runs", file: queryFile,
		old: "Key: r.anew + key, Arrived:", new: "Key: key, Arrived:",
		test: "TestTokenBeyondTheLimit",
	},
	{
		name: "a token beyond the limit takes what is stored", file: queryFile,
		old: "if e != nil && r.anew != \"\" && !c.windows.has(r.anew, key, s) {", new: "if false {",
		test: "TestTokenBeyondTheLimit",
	},
	{
		name: "computations for tokens do not wait for their window", file: tokenFile,
		old: "	case <-next.C:\n", new: "	case <-next.C:\n	default:\n",
		test: "TestTokensOfOneWindow",
	},
	{
		name: "each token is computed alone", file: tokenFile,
		old: "	r.anew = string(b)\n	return \"\"", new: "	return ReasonToken",
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
