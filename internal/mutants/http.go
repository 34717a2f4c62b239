package main

const (
	readyFile       = "gqlcache/internal/wire/ready.go"
	variantFile     = "gqlcache/internal/wire/variant.go"
	conditionalFile = "gqlcache/internal/wire/conditional.go"
	negotiateFile   = "gqlcache/internal/wire/negotiate.go"
	controlFile     = "gqlcache/internal/wire/cachecontrol.go"
)

// httpRules are those of answers as they are sent.
var httpRules = []mutant{
	{
		name: "http: a POST is not modified", file: readyFile,
		old: "tagged := read && stored &&", new: "tagged := stored &&",
		test: "TestSend$",
	},
	{
		name: "http: the tag is that of all encodings", file: variantFile,
		old: `"-" + e.Name + `, new: "",
		test: "TestSendVariant|TestRoundTrip",
	},
	{
		name: "http: a strong tag of what somebody may encode", file: readyFile,
		old: "return a.entityTags().weak", new: "return a.entityTags().strong",
		test: "TestRoundTrip",
	},
	{
		name: "http: nothing varies", file: readyFile,
		old: "	addVary(h, s.Vary, encodes)\n", new: "",
		test: "TestSend$",
	},
	{
		name: "http: variants do not vary", file: readyFile,
		old: "	if encodes {\n		addVaryName(h, acceptEncoding)\n	}\n", new: "",
		test: "TestSendVariant|TestRoundTrip",
	},
	{
		name: "http: the server's Vary is lost", file: readyFile,
		old: `if len(h["Vary"]) == 0 && len(names) > 0 {`, new: "if len(names) > 0 {",
		test: "TestSend$",
	},
	{
		name: "http: a cookie is kept by caches", file: readyFile,
		old: `own := len(h["Set-Cookie"]) > 0 && len(h["Cache-Control"]) == 0`, new: "own := false",
		test: "TestSend$",
	},
	{
		name: "http: our Cache-Control over theirs", file: readyFile,
		old: "	if len(h[\"Cache-Control\"]) > 0 {\n		return true\n	}\n	if own {", new: "	if own {",
		test: "TestSend$",
	},
	{
		name: "http: our tag over theirs", file: readyFile,
		old: `&& len(h["Etag"]) == 0`, new: "",
		test: "TestSend$",
	},
	{
		name: "http: what is not to be stored has a tag", file: readyFile,
		old: "return s.CacheControl != noStore", new: "return true",
		test: "TestSend$",
	},
	{
		name: "http: a length of what others encode", file: readyFile,
		old: "s.Length && !encoded && len(", new: "s.Length && len(",
		test: "TestSend$|TestRoundTrip",
	},
	{
		name: "http: encoded twice", file: readyFile,
		old: "encodes := !encoded &&", new: "encodes := ",
		test: "TestSendVariant|TestRoundTrip",
	},
	{
		name: "http: an encoding that is not accepted is not modified", file: conditionalFile,
		old: "return known && weight(accepted, coding) > 0", new: "return known",
		test: "TestIfNoneMatch",
	},
	{
		name: "http: any tag is that of an answer", file: conditionalFile,
		old: "!ok || coding != \"\"", new: "ok && coding != \"\"",
		test: "TestIfNoneMatch",
	},
	{
		name: "http: identity is never better", file: negotiateFile,
		old: "if list[i] < plain {", new: "if false {",
		test: "TestAcceptEncoding",
	},
	{
		name: "http: a weight of 0 accepts", file: negotiateFile,
		old: "	w = int(s[0]-'0') * fullWeight\n", new: "	w = max(1, int(s[0]-'0')*fullWeight)\n",
		test: "TestAcceptEncoding",
	},
	{
		name: "http: variants without room", file: variantFile,
		old: "n := len(body) + variantSize; s.Grow(n) {", new: "n := len(body) + variantSize; s.Grow(n) || true {",
		test: "TestSendVariant",
	},
	{
		name: "http: variants are encoded twice", file: variantFile,
		old: " && v.begun.CompareAndSwap(false, true) {", new: " {",
		test: "TestReadyAtOnce",
	},
	{
		name: "http: variants that save nothing", file: variantFile,
		old: "	if len(body) >= len(a.body) {\n		return none\n	}\n", new: "",
		test: "TestUselessEncodings",
	},
	{
		name: "http: an Encode may panic", file: variantFile,
		old: "safe.Call(func() ([]byte, error) { return e.Encode(nil, a.body) })", new: "e.Encode(nil, a.body)\n	_ = safe.Call[int]",
		test: "TestUselessEncodings",
	},
	{
		name: "http: an Encode that gives nothing is an answer", file: variantFile,
		old: "	if err == nil && len(body) == 0 {\n		err = errNothing\n	}\n", new: "",
		test: "TestUselessEncodings",
	},
	{
		name: "http: browsers keep answers", file: controlFile,
		old: `"public, max-age=0, s-maxage="`, new: `"public, max-age="`,
		test: "TestCacheControlFor",
	},
	{
		name: "http: caches keep what some callers see", file: controlFile,
		old: "	case !k.Public:\n		return privateNoCache, \"\"\n", new: "",
		test: "TestCacheControlFor",
	},
	{
		name: "http: caches keep what is not to be stored", file: controlFile,
		old: " || k.DoNotStore || k.Shadow:", new: " || k.Shadow:",
		test: "TestCacheControlFor",
	},
}
