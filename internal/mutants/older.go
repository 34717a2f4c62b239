package main

const olderFile = "gqlcache/older.go"

// olderRules are those of entries that are computed anew although no change has reached them.
var olderRules = []mutant{
	{
		name: "older: an entry is served in place of a failure though a change has reached it", file: olderFile,
		old: "!c.valid(r.old.stamp) || ", new: "",
		test: "TestEarlyRefresh/failure_after_a_change",
	},
	{
		name: "older: an entry is served in place of a failure though it has expired", file: olderFile,
		old: "r.old.stamp.ExpiredFor(c.opts.Now()) >= c.opts.StaleIfError", new: "false",
		test: "TestEarlyRefresh/failure_after_the_expiry",
	},
	{
		name: "older: a refusal of the caller is hidden", file: olderFile,
		old: "f.resp != nil && c.refuses(f.resp.Errors)", new: "f.resp != nil && c.refuses(nil)",
		test: "TestStaleIfError/a_refusal",
	},
	{
		name: "older: a failure of an early refresh reaches the client", file: olderFile,
		old: "	case ReasonErrors, ReasonNoData:\n		return true", new: "	case ReasonErrors, ReasonNoData:\n		return false",
		test: "TestEarlyRefresh/failure$",
	},
	{
		name: "older: a refresh is not counted", file: olderFile,
		old: "	if r.out.early {\n", new: "	if false {\n",
		test: "TestEarlyRefresh/others_hit",
	},
	{
		name: "older: a hidden failure is not counted", file: olderFile,
		old: "r.out.old && r.out.fate == inspector.Computed", new: "false",
		test: "TestEarlyRefresh/failure$",
	},
	{
		name: "older: those who draw while another computes wait for it", file: olderFile,
		old: "return o != nil && (o.early || o.stamp", new: "return o != nil && !o.early && (o.early || o.stamp",
		test: "TestEarlyRefresh/others_hit",
	},
	{
		name: "older: a refresh takes the older entry for the new one", file: computeFile,
		old: "e == nil || r.old.is(s)", new: "e == nil",
		test: "TestEarlyRefresh/race",
	},
	{
		name: "older: a refresh takes what is as old from the shared store", file: sharedFile, in: "gqlcache",
		old: "!e.Expires.After(w.Younger)", new: "false",
		test: "TestEarlyRefreshWithInstances",
	},
	{
		name: "older: an operation inside of a resolver is refreshed", file: olderFile,
		old: "r.outer == nil && ", new: "",
		test: "TestEarlyRefresh/inside",
	},
	{
		name: "older: a hit that is drawn before the dispatch is drawn again", file: olderFile,
		old: "(ctx.Value(drawnKey{c}) != nil || c.draws(s))", new: "c.draws(s)",
		test: "TestEarlyRefreshPastHooks",
	},
	{
		name: "older: the chance of a refresh does not depend on the cost", file: olderFile,
		old: "float64(took)*beta*drawn", new: "beta*drawn*float64(time.Second)",
		test: "TestIsDue",
	},
	{
		name: "older: an entry that has expired counts as a hit", file: queryFile,
		old: "c.schema.Load().keepsExpired && s.ExpiredFor", new: "false && s.ExpiredFor",
		test: "TestStaleIfError/no_failure",
	},
	{
		name: "older: an entry is served beyond its stale time", file: olderFile,
		old: ">= c.opts.StaleIfError", new: ">= time.Hour",
		test: "TestStaleIfError/shorter",
	},
	{
		name: "older: an entry that a change has reached is served", file: "gqlcache/internal/engine/lookup.go", in: "gqlcache",
		old: "	case !e.Valid(s):", new: "	case !e.Valid(s) && !e.config.Now().After(s.expires):",
		test: "TestStaleWhileRevalidate/a_change_meanwhile",
	},
	{
		name: "older: a failure of a request that has ended is hidden", file: olderFile,
		old: "r.old.early || !f.left &&", new: "true ||",
		test: "TestStaleIfError/the_request_ends",
	},
	{
		name: "older: an expired entry is part of a new answer", file: olderFile,
		old: "r.anew != \"\" || r.outer != nil {", new: "r.anew != \"\" {",
		test: "TestStaleIfError/inside",
	},
	{
		name: "older: an expired entry is served to a caller for whom nothing was compared", file: olderFile,
		old: " || d.callers != nil && !d.callers.trusts(ctx, oc, s)", new: "",
		test: "TestStaleIfError/another_caller",
	},
	{
		name: "older: an answer that has expired is not counted", file: olderFile,
		old: "	if r.out.expired {\n", new: "	if false {\n",
		test: "TestStaleIfError/failure",
	},
	{
		name: "older: other instances have an entry beyond its expiry", file: olderFile,
		old: "	fresh.Expires = s.Expires()\n", new: "",
		test: "TestStaleIfError/instances",
	},
	{
		name: "older: those who ask while another request computes anew wait for it", file: olderFile,
		old: " || o.stamp.ExpiredFor(c.opts.Now()) < o.d.stale", new: "",
		test: "TestStaleWhileRevalidate/others_are_served",
	},
	{
		name: "older: an entry is served beyond its time while another request computes anew", file: olderFile,
		old: "o.stamp.ExpiredFor(c.opts.Now()) < o.d.stale", new: "true",
		test: "TestStaleWhileRevalidate/beyond",
	},
	{
		name: "older: who waits for nobody is alone with what cannot be shared", file: flightFile, in: "gqlcache",
		old: "(p != nil || s.isUnshared(hash))", new: "p != nil",
		test: "TestStaleWhileRevalidate/failure",
	},
}
