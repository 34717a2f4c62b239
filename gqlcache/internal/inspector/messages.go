package inspector

import "github.com/cascadeql/cascadeql/gqlcache/internal/reason"

// Codes of inspect.Reason beside those of package reason and of the watch.
const (
	codeHit       = "hit"
	codeMiss      = "miss"
	codeJoined    = "joined"
	codeAbandoned = "abandoned"
	codeMutation  = "mutation"
	codeUnchanged = "unchanged"
	codeInspected = "inspect"
	codeRefreshed = "refreshed"
	codeKept      = "kept"
	codeStale     = "stale"

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
	codeRefreshed: "An answer was stored, and was computed anew before it would have expired: see Options.EarlyRefresh.",
	codeKept:      "Computing the answer has failed, so the client got the stored one: see Options.StaleIfError and Options.EarlyRefresh.",
	codeStale:     "The answer has expired, and no change has reached it: another request is computing it anew (Options.StaleWhileRevalidate), or the client takes it as it is (max-stale).",
	codeMutation:  "Answers that these changes reach are not served any more.",

	reason.Disabled:      "Options.Enabled said no.",
	reason.Closed:        "The cache is closed.",
	reason.Introspection: "Introspection is never cached.",
	reason.Typename:      "The query asks for nothing but __typename, which costs less than a lookup.",
	reason.Defer:         "The answer comes in parts (@defer).",
	reason.Policy:        "@cacheControl in the schema says maxAge: 0, or a resolver said MaxAge(0).",
	reason.Variables:     "A variable cannot be part of a key: an upload, say.",
	reason.Predicate:     "Options.Predicate returned an error or an empty text, so nobody knows which rows the caller may see.",
	reason.Operation:     "The operation is too large to be planned.",
	reason.Lease:         "This instance has no lease of the log, so others may have changed what is stored. That is normal for seconds after the start; later, the log lines of the server say why.",
	reason.Token:         "The request's token names a change that this instance has not heard of: it was computed anew.",
	reason.Failed:        "Options.Enabled or Options.Vary failed. The server's log lines say how.",
	reason.Mutating:      "A mutation's resolver asked this, or a request with a transaction that has written: it is to see that.",
	reason.Shadow:        "The cache is in shadow mode: it compares, and answers nothing.",
	reason.Refresh:       "The request's policy is Refresh, or its client sent no-cache: it was computed anew.",
	reason.NoStore:       "The request's policy is NoStore, or its client sent no-store.",
	reason.Headers:       "The schema says that the answer depends on header fields (vary), and the operation has no header of its own: a resolver runs it.",
	reason.NotCached:     "No answer is stored, and nothing was computed: the request's policy is CacheOnly, or its client sent only-if-cached.",
	reason.Inspector:     "The inspector asked for an answer without the cache.",

	reason.Directive: "It selects a field, or passes an argument, with a run-time directive that would not run on a hit. Options.DirectivesCovered can name it.",
	reason.Callers:   "All callers share this answer, and this one has other credentials: it was computed to see whether they get the same. When they do not, the operation is not cached.",

	reason.Errors:      "The answer was computed and not stored: it has errors, or something failed of which the server tells clients nothing.",
	reason.NoData:      "The answer was computed and not stored: its data is null.",
	reason.Incremental: "The answer was computed and not stored: it is one part of several.",
	reason.Lists:       "The answer was computed and not stored: it has several rows, and Options.OneRowOnly is set.",
	reason.TooLarge:    "The answer was computed and not stored: it is larger than Options.MaxEntryBytes.",
	reason.Invalidated: "The answer was computed and not stored: something that it depends on was changed meanwhile, or may be changing still: a mutation that was announced (Options.Intent), or a commit whose outcome nobody saw (Options.Observe).",
	reason.Unreadable:  "The answer was computed and not stored: it could not be read.",
	reason.Reads:       "The answer was computed and not stored: Predicate.Reads names what the schema does not have.",
	reason.Beside:      "The answer was computed and not stored: resolvers, or an extension that comes after the cache, set an extension or a header beside it.",
	reason.Uncommitted: "The answer was computed and not stored: a statement may have read what its transaction had changed and not committed, or has read from a replica.",
	reason.Unexplained: "The answer was computed and not stored: no statement shows where the data of a field come from. Name the field in Observe.Computed if it computes from its object, its arguments and what Predicate and Vary have, in Observe.Foreign if not.",
	reason.Expired:     "The answer was computed and not stored: it shows a value of the program's that has expired (StaleFor, OnError).",
	reason.Volatile:    "The answer was computed and not stored: a statement asks for the time, or the like, and no maxAge says how long the answer lasts.",
	reason.Inner:       "The answer was computed and not stored: an extension that comes after the cache changed who asks. Add the cache last.",
	reason.Store:       "The answer was computed and not stored: the store refused it.",
	reason.Ended:       "The answer was computed and not stored: the request ended, or a time limit inside of it, so the answer may be a part of the truth.",
	reason.DoNotStore:  "The answer was computed and not stored: a resolver said DoNotStore.",
	reason.Private:     "The answer was computed and not stored: a resolver said Private, and its key has no predicate.",
	reason.Key:         "The answer was computed and not stored: a value in one of its statements comes from nothing that its key has. The server's log names the statement.",
	reason.NoAge:       "The answer was computed and not stored: neither @cacheControl in the schema nor a resolver's MaxAge says how long it may be kept, and Options.OnlyHinted is set.",
	reason.Wrote:       "The answer was computed and not stored: a resolver said that it changed something.",
}

// MessageOf returns the message of a code, of an answer of that tier.
func MessageOf(code, tier string) string {
	if tier == tierShared {
		return "Another instance has computed this answer, and nothing that it depends on has changed since."
	}
	return messages[code]
}
