package main

const (
	transportFile  = "gqlcache/transport.go"
	memoFile       = "gqlcache/transportmemo.go"
	extensionsFile = "gqlcache/transportextensions.go"
	directFile     = "gqlcache/transportdirect.go"
	installFile    = "gqlcache/install.go"
	answerHTTPFile = "gqlcache/http.go"
	statusHTTPFile = "gqlcache/cachestatus.go"
)

// transportRules are those of transports that send answers as they are kept.
var transportRules = []mutant{
	{
		name: "transport: data that a hook has replaced are not sent", file: transportFile,
		old: "len(resp.Data) == len(k.data) && unsafe.SliceData(resp.Data) == unsafe.SliceData(k.data)", new: "true",
		test: "TestTransport$",
	},
	{
		name: "transport: errors of a hook are lost", file: transportFile,
		old: "len(resp.Errors) == 0 && len(resp.Extensions) == 0 &&\n		resp.Label", new: "len(resp.Extensions) == 0 &&\n		resp.Label",
		test: "TestTransport$",
	},
	{
		name: "transport: extensions of a hook are lost", file: transportFile,
		old: "len(resp.Errors) == 0 && len(resp.Extensions) == 0 &&\n		resp.Label", new: "len(resp.Errors) == 0 &&\n		resp.Label",
		test: "TestTransport$",
	},
	{
		name: "transport: a body that cannot be read is taken for a short one", file: transportFile,
		old: "			return b, err //nolint:wrapcheck // inner reads it", new: "			return b, nil //nolint:nilerr // a mutant",
		test: "TestTransportReadsBodies",
	},
	{
		name: "transport: a mutation by GET runs when it comes again", file: transportFile,
		old: "if errs != nil || t.get && !asksOnly(oc) {", new: "if errs != nil {",
		test: "TestTransport$",
	},
	{
		name: "transport: header fields are set twice", file: transportFile,
		old: ", scratch: http.Header{}}", new: "}",
		test: "TestTransport$",
	},
	{
		name: "transport: header fields of the first Accept are set for all", file: memoFile,
		old: "	case len(accept) == 1 && accept[0] != \"\" && len(accept[0]) <= maxAccept:\n		return accept[0], true", new: "	case len(accept) == 1:\n		return \"\", true",
		test: "TestTransport$",
	},
	{
		name: "transport: requests share the variables that were decoded", file: memoFile,
		old: "		Variables: plans.CopyVariables(q.variables), Extensions: plans.CopyVariables(q.extensions),\n	})", new: "		Variables: q.variables, Extensions: q.extensions,\n	})",
		test: "TestRepeatedRequestsShareNothing",
	},
	{
		name: "transport: requests share the variables of the operation", file: memoFile,
		old: "		RawQuery: oc.RawQuery, Variables: plans.CopyVariables(oc.Variables), OperationName", new: "		RawQuery: oc.RawQuery, Variables: oc.Variables, OperationName",
		test: "TestRepeatedRequestsShareNothing",
	},
	{
		name: "transport: an operation is used again whatever extensions there are", file: extensionsFile,
		old: "			e.changing = append(e.changing, typ.String())\n", new: "",
		test: "TestTransport$",
	},
	{
		name: "transport: a persisted query is used again when it is forgotten", file: extensionsFile,
		old: " && (!e.persists || q.extensions[persistedQueryExtension] == nil)", new: "",
		test: "TestForgottenPersistedQueries",
	},
	{
		name: "transport: a document that extensions may change is used again", file: memoFile,
		old: "	return before != nil && *before == now", new: "	return before != nil && (*before == now || true)",
		test: "TestDocumentsOfOneRequest",
	},
	{
		name: "transport: what one server has made is used for another", file: memoFile,
		old: "if p := q.prepared; p != nil && p.by == met &&", new: "if p := q.prepared; p != nil && met != nil &&",
		test: "TestOneTransportInSeveralServers",
	},
	{
		name: "transport: the requests of two transports are one", file: transportFile,
		old: "		t.number = byte(n)\n", new: "		t.number = 1\n",
		test: "TestTransportsShareNoRequests",
	},
	{
		name: "transport: the query of a URL is not copied", file: transportFile,
		old: "		u.RawQuery = string(text[1:])\n", new: "",
		test: "TestRequestsWhoseMemoryIsUsedAgain",
	},
	{
		name: "direct: mutations are looked up", file: directFile,
		old: "oc.Operation.Operation != ast.Query || ", new: "",
		test: "TestDirectAsksNothingForMutations",
	},
	{
		name: "direct: an extension that is added later is passed", file: extensionsFile,
		old: "met.executor == e && met.number == list.Len()", new: "met.executor == e",
		test: "TestHooksRunOnHits",
	},
	{
		name: "direct: every extension is passed", file: directFile,
		old: "	if len(met.hooks) > 0 {", new: "	if false {",
		test: "TestHooksRunOnHits",
	},
	{
		name: "direct: the lease is not looked at", file: directFile,
		old: "		if _, fresh := c.fleet.Arrive(); !fresh {", new: "		if _, fresh := c.fleet.Arrive(); false && !fresh {",
		test: "TestDirectLeavesToDispatch",
	},
	{
		name: "direct: a caller's token is not looked at", file: directFile,
		old: "c.opts.Tokens && r.Header.Get(TokenHeader) != \"\"", new: "false",
		test: "TestDirectLeavesToDispatch",
	},
	{
		name: "direct: a transaction that waits to be committed is not seen", file: directFile,
		old: "if a := arrivalFrom(ctx, c); a != nil && a.hold != nil {", new: "if false {",
		test: "TestDirectLeavesToDispatch",
	},
	{
		name: "http: a dead answer may be kept", file: answerHTTPFile,
		old: "DoNotStore: !c.fresh() || !c.engine.Valid(&k.stamp.Stamp) || ", new: "DoNotStore: ",
		test: "TestCacheControlOfDeadAnswers",
	},
	{
		name: "http: answers with Vary are public", file: answerHTTPFile,
		old: "Public:  k.public && (c.opts.Vary == nil || len(c.opts.HTTP.VaryHeaders) > 0)", new: "Public:  k.public",
		test: "TestCacheControl$",
	},
	{
		name: "http: answers under a predicate are compressed", file: queryFile,
		old: "return public && len(c.opts.HTTP.Encodings) > 0", new: "return len(c.opts.HTTP.Encodings) > 0",
		test: "TestEncodedAnswers",
	},
	{
		name: "http: variants are not charged", file: "gqlcache/internal/engine/store.go",
		old: "	grown.Size += n\n", new: "",
		test: "TestGrow",
	},
	{
		name: "transport: Cache-Status is there beside the inspector's", file: statusHTTPFile,
		old: "case value == nil || wire.ExchangeFrom(ctx).Reports():", new: "case value == nil:",
		test: "TestCacheStatusBesideOthers",
	},
	{
		name: "transport: responses share the memory of a Cache-Status", file: statusHTTPFile,
		old: "append(slices.Clip(h[cacheStatus]), value...)", new: "append(value, h[cacheStatus]...)",
		test: "TestCacheStatusBesideOthers",
	},
	{
		name: "transport: an answer that was not stored says that it was", file: statusHTTPFile,
		old: "s.Stored = o.fate == inspector.Computed && o.why == \"\"", new: "s.Stored = o.fate == inspector.Computed",
		test: "TestCacheStatusOfTransports",
	},
	{
		name: "transport: an answer of another request's resolvers does not say so", file: statusHTTPFile,
		old: "s.Collapsed = o.fate == inspector.Joined", new: "s.Collapsed = false",
		test: "TestCacheStatusOfJoined",
	},
	{
		name: "transport: a hit past the hooks has no Cache-Status", file: directFile,
		old: "	c.addStatusOf(ctx, w.Header(), c.hitStatus)\n", new: "",
		test: "TestCacheStatusOfTransports",
	},
	{
		name: "install: the transports that a server has are not wrapped", file: installFile,
		old: "			all = append(all, cache.Transport(t))", new: "			all = append(all, t)",
		test: "TestInstall$",
	},
	{
		name: "install: the transports that a server has change places", file: installFile,
		old: "			all = append(all, cache.Transport(t))", new: "			all = append([]graphql.Transport{cache.Transport(t)}, all...)",
		test: "TestTransport$",
	},
	{
		name: "install: the first transport takes requests", file: installFile,
		old: "	return false\n}\n\n// Do implements", new: "	return true\n}\n\n// Do implements",
		test: "TestTransport$",
	},
	{
		name: "install: a copy of the server is changed", file: installFile,
		old: "		*list = all\n", new: "		copy(*list, all[1:])\n		*list = all\n",
		test: "TestInstallKeepsTheServer",
	},
	{
		name: "install: a field of another type is taken for the transports", file: installFile,
		old: "!f.IsValid() || f.Type() != reflect.TypeFor[[]graphql.Transport]()", new: "!f.IsValid()",
		test: "TestTransportsIn",
	},
	{
		name: "install: transports that are added later are not named", file: installFile,
		old: "l.seen.Load() != n {", new: "l.seen.Load() != n && false {",
		test: "TestTransportsThatEncodeAgain",
	},
	{
		name: "install: transports that get no requests are named", file: installFile,
		old: "		met[k] = true\n", new: "		met[k] = met[k] && wrapped\n",
		test: "TestInstall$",
	},
	{
		name: "install: an unwrapped POST that comes first is not noticed", file: "gqlcache/extension.go",
		old: "	c.warnOfOrder(oc)\n", new: "",
		test: "TestTransportsThatEncodeAgain",
	},
	{
		name: "install: streams are taken for an unwrapped POST", file: installFile,
		old: " &&\n		!strings.Contains(h.Get(\"Accept\"), \"text/event-stream\")", new: " &&\n		true",
		test: "TestStreamsBesideAWrappedPOST",
	},
	{
		name: "misuse: nobody says that no server has the cache", file: "gqlcache/misuse.go",
		old: "	if c.schema.Load() == nil {\n", new: "	if false {\n",
		test: "TestNoServerHasTheCache",
	},
	{
		name: "misuse: the server of another schema is the same", file: "gqlcache/misuse.go",
		old: "	case c.met.server != v.Pointer() && !c.met.several:", new: "	case false:",
		test: "TestServersThatShare",
	},
	{
		name: "misuse: directives without a function do something", file: "gqlcache/misuse.go",
		old: "f.Kind() == reflect.Func && f.IsNil()", new: "f.Kind() == reflect.Map",
		test: "TestGeneratedDirectives",
	},
	{
		name: "misuse: extensions behind the cache are before it", file: "gqlcache/transportextensions.go",
		old: "		if e.answers && typ.Implements(aroundResponses)", new: "		if false && typ.Implements(aroundResponses)",
		test: "TestExtensionBehindTheCache",
	},
	{
		name: "misuse: a transaction around a mutation is not looked for", file: "gqlcache/commitwarnings.go",
		old: "	c.warnOfUncommitted(r.Context)\n", new: "",
		test: "TestMutationWithinATransaction",
	},
	{
		name: "misuse: a transaction is not seen behind the cache's handler", file: "gqlcache/commitwarnings.go",
		old: ` && ctx.Type() != reflect.TypeFor[arrival]()`, new: "",
		test: "TestMutationWithinATransaction",
	},
	{
		name: "misuse: nanoseconds are no small age", file: "gqlcache/misuse.go",
		old: "d.of < time.Millisecond", new: "d.of < 0",
		test: "TestSmallOptions",
	},
	{
		name: "install: a server that parses each request is not noticed", file: extensionsFile,
		old: "	t.cache.warnOfQueryCache(e)\n", new: "",
		test: "TestNoQueryCache",
	},
	{
		name: "transport: a hit of an answer that has expired is told as any other", file: statusHTTPFile,
		old: "own.out.fate == inspector.Hit && !own.out.expired {", new: "own.out.fate == inspector.Hit {",
		test: "TestExpiredAnswersAtTheEdge",
	},
	{
		name: "transport: a miss of an answer that has expired is told as any other", file: statusHTTPFile,
		old: "			s.Forward = wire.ForwardStale\n", new: "",
		test: "TestExpiredAnswersAtTheEdge",
	},
	{
		name: "http: an answer that has expired may be kept", file: answerHTTPFile,
		old: " || c.schema.Load().keepsExpired && k.stamp.ExpiredFor(c.opts.Now()) >= 0,", new: ",",
		test: "TestExpiredAnswersAtTheEdge",
	},
}
