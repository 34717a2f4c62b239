package gqlcache

// Codes of inspect.Reason beside those of Reason and of the watch.
const (
	codeHit       = "hit"
	codeMiss      = "miss"
	codeJoined    = "joined"
	codeAbandoned = "abandoned"
	codeMutation  = "mutation"
	codeUnchanged = "unchanged"
	codeInspected = "inspect"

	tierMemory = "memory"
	tierShared = "shared"
)

// messages say for people what codes stand for.
var messages = map[string]string{
	codeHit:       "Nothing that this answer depends on has changed since it was computed.",
	codeMiss:      "No answer was stored under this key, or a change has dropped it.",
	codeJoined:    "Another request was computing the same answer.",
	codeAbandoned: "The request ended while it waited for an answer that another one computes.",
	codeInspected: "The inspector answered. The operation was not run.",
	codeUnchanged: "The mutation changed nothing that an answer could depend on, so nothing was dropped.",
	codeMutation:  "Answers that these changes reach are not served any more.",

	string(ReasonDisabled):      "Options.Enabled said no.",
	string(ReasonClosed):        "The cache is closed.",
	string(ReasonIntrospection): "Introspection is never cached.",
	string(ReasonTypename):      "The query asks for nothing but __typename, which costs less than a lookup.",
	string(ReasonDefer):         "The answer comes in parts (@defer).",
	string(ReasonPolicy):        "@cacheControl in the schema says maxAge: 0, or a resolver said MaxAge(0).",
	string(ReasonVariables):     "A variable cannot be part of a key: an upload, say.",
	string(ReasonPredicate):     "Options.Predicate returned an error or an empty text, so nobody knows which rows the caller may see.",
	string(ReasonOperation):     "The operation is too large to be planned.",
	string(ReasonLease):         "This instance has no lease of the log, so others may have changed what is stored.",
	string(ReasonToken):         "The request's token names a change that this instance has not heard of: it was computed anew.",
	string(ReasonFailed):        "Options.Enabled or Options.Vary failed. The server's log lines say how.",
	string(ReasonMutating):      "A mutation's resolver asked this, or a request with a transaction that has written: it is to see that.",
	string(ReasonShadow):        "The cache is in shadow mode: it compares, and answers nothing.",
	string(ReasonInspector):     "The inspector asked for an answer without the cache.",

	string(ReasonDirective): "It selects a field, or passes an argument, with a run-time directive that would not run on a hit. Options.DirectivesCovered can name it.",
	string(ReasonCallers):   "All callers share this answer, and this one has other credentials: it was computed to see whether they get the same. When they do not, the operation is not cached.",

	string(ReasonErrors):      "The answer was computed and not stored: it has errors, or something failed of which the server tells clients nothing.",
	string(ReasonNoData):      "The answer was computed and not stored: its data is null.",
	string(ReasonIncremental): "The answer was computed and not stored: it is one part of several.",
	string(ReasonLists):       "The answer was computed and not stored: it has several rows, and Options.OneRowOnly is set.",
	string(ReasonTooLarge):    "The answer was computed and not stored: it is larger than Options.MaxEntryBytes.",
	string(ReasonInvalidated): "The answer was computed and not stored: something that it depends on was changed meanwhile, or is being changed (Options.Intent).",
	string(ReasonUnreadable):  "The answer was computed and not stored: it could not be read.",
	string(ReasonReads):       "The answer was computed and not stored: Predicate.Reads names what the schema does not have.",
	string(ReasonBeside):      "The answer was computed and not stored: resolvers, or an extension that comes after the cache, set an extension or a header beside it.",
	string(ReasonInner):       "The answer was computed and not stored: an extension that comes after the cache changed who asks. Add the cache last.",
	string(ReasonStore):       "The answer was computed and not stored: the store refused it.",
	string(ReasonEnded):       "The answer was computed and not stored: the request ended, or a time limit inside of it, so the answer may be a part of the truth.",
	string(ReasonDoNotStore):  "The answer was computed and not stored: a resolver said DoNotStore.",
	string(ReasonPrivate):     "The answer was computed and not stored: a resolver said Private, and its key has no predicate.",
	string(ReasonWrote):       "The answer was computed and not stored: a resolver said that it changed something.",
}

func messageOf(code, tier string) string {
	if tier == tierShared {
		return "Another instance has computed this answer, and nothing that it depends on has changed since."
	}
	return messages[code]
}
