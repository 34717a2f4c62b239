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
		old: "r.old.stamp.ExpiredFor(c.opts.Now()) >= 0", new: "false",
		test: "TestEarlyRefresh/failure_after_the_expiry",
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
		old: "return o != nil && o.early }", new: "return false }",
		test: "TestEarlyRefresh/others_hit",
	},
	{
		name: "older: a refresh takes the older entry for the new one", file: computeFile,
		old: "e == nil || r.old.is(s)", new: "e == nil",
		test: "TestEarlyRefresh/race",
	},
	{
		name: "older: a refresh takes what is as old from the shared store", file: sharedFile, in: "gqlcache",
		old: "!e.Expires.After(after)", new: "false",
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
}
