package main

const headerFile = "gqlcache/internal/wire/header.go"

// surroundingRules are about what is around the cache in a server: extensions, transports, middlewares.
var surroundingRules = []mutant{
	{
		name: "around: an operation is looked for in the context alone", file: extensionFile,
		old: "	ctx = r.bind(ctx)\n", new: "",
		test: "TestHandlersOfOperations",
	},
	{
		name: "around: handlers are called with a context", file: extensionFile,
		old: "	if ctx == nil {\n		return r\n", new: "	if false {\n		return r\n",
		test: "TestHandlersWithoutContext",
	},
	{
		name: "around: a bound context has the operation context that was there", file: extensionFile,
		old: "		ctx = graphql.WithOperationContext(ctx, r.operation)\n", new: "		_ = ctx\n",
		test: "TestHandlersOfOperations|TestReplacedOperationContexts",
	},
	{
		name: "around: what a resolver is refused is the operation's answer", file: extensionFile,
		old: "	if graphql.GetFieldContext(ctx) != graphql.GetFieldContext(r.Context) {", new: "	if false {",
		test: "TestRefusedRequestsOfResolvers",
	},
	{
		name: "around: a response without an operation is an operation's", file: extensionFile,
		old: "	if oc.Operation == nil {\n		return false", new: "	if oc.Operation == nil {\n		return true",
		test: "TestRefusedRequestsOfResolvers",
	},
	{
		name: "around: queries are looked up by a context that was put in place of theirs", file: queryFile,
		old: "r != nil && c.isReplaced(r, oc)", new: "r != nil && c.isReplaced(r, oc) && false",
		test: "TestReplacedOperationContexts",
	},
	{
		name: "around: mutations have written what a context says that was put in place of theirs", file: mutationFile,
		old: "			r.planned = r.planned.undeclared()\n", new: "",
		test: "TestReplacedOperationContexts",
	},
	{
		name: "around: an operation is as complex as it was", file: extensionsFile,
		old: "	if len(e.limits) == 0 {", new: "	if true {",
		test: "TestComplexityOfRepeatedRequests",
	},
	{
		name: "around: functions do not tell how complex an operation is", file: extensionsFile,
		old: "		return v.IsNil()", new: "		return true",
		test: "TestComplexityOfRepeatedRequests",
	},
	{
		name: "around: a middleware has no header of its own", file: transportFile,
		old: "h != nil && !h.IsOf(w)", new: "h != nil && !h.IsOf(w) && false",
		test: "TestCookiesOfWritersWithin",
	},
	{
		name: "around: a header around another one is not looked at", file: headerFile,
		old: "outer: HeaderFrom(r.Context())", new: "outer: nil",
		test: "TestHeaderWithinHeader", in: "gqlcache/internal/wire",
	},
	{
		name: "around: every header is looked at on every goroutine", file: headerFile,
		old: "i < l.depth && h != nil", new: "l.depth > 0 && h != nil",
		test: "TestHeaderWithinHeader", in: "gqlcache/internal/wire",
	},
	{
		name: "around: nobody changes the length of what is sent", file: readyFile,
		old: " && sendsAsIs(w) {", new: " {",
		test: "TestWritersThatChangeBodies", in: "gqlcache",
	},
	{
		name: "around: an answer has a length though nobody has promised to write no more", file: readyFile,
		old: "if s.Length && !encoded", new: "if !encoded",
		test: "TestProtocols", in: "gqlcache",
	},
	{
		name: "around: an answer has a length though a trailer is announced", file: readyFile,
		old: ` && len(h["Trailer"]) == 0 && sendsAsIs`, new: " && sendsAsIs",
		test: "TestProtocols", in: "gqlcache",
	},
	{
		name: "around: a document of one caller is used again for another", file: "gqlcache/transportextensions.go",
		old: "return ok && now == doc", new: "return ok || now == doc",
		test: "TestDocumentsByCaller", in: "gqlcache",
	},
	{
		name: "around: no answer has a length over HTTP/2", file: readyFile,
		old: ` || t.Name() == "http2responseWriter"`, new: "",
		test: "TestContentLength", in: "gqlcache",
	},
	{
		name: "around: there is room behind the data of an answer", file: "gqlcache/http.go",
		old: "	return data[:len(data):len(data)]\n", new: "	return data\n",
		test: "TestMembersAppendedToData",
	},
	{
		name: "around: what is registered does not change", file: besideFile,
		old: "!bytes.Equal(toldBy(all), before.told)", new: "!bytes.Equal(toldBy(all), toldBy(all))",
		test: "TestRegisteredListsOfWarnings",
	},
}
