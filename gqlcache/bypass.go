package gqlcache

import "slices"

// Reason names why a query was not looked up, or why its answer was not stored. Stats, logs and
// extensions.cache share these names.
type Reason string

// Reasons not to look a query up. All but ReasonFailed are decided before it runs.
const (
	ReasonDisabled      Reason = "disabled"      // Options.Enabled said no
	ReasonClosed        Reason = "closed"        // the cache is closed
	ReasonIntrospection Reason = "introspection" // __schema, __type or _service: differs per request
	ReasonTypename      Reason = "typename"      // nothing but __typename: cheaper than a lookup
	ReasonDefer         Reason = "defer"         // @defer: the answer comes in parts
	ReasonPolicy        Reason = "policy"        // @cacheControl(maxAge: 0)
	ReasonVariables     Reason = "variables"     // an upload, or something else without a canonical form
	ReasonPredicate     Reason = "predicate"     // the caller's predicate is unknown
	ReasonOperation     Reason = "operation"     // too large to plan
	ReasonLease         Reason = "lease"         // Options.Log is not fresh: others may have changed what is stored
	ReasonToken         Reason = "token"         // the log has not reached the caller's token
	ReasonFailed        Reason = "failed"        // a function of the options panicked
	ReasonMutating      Reason = "mutating"      // it is to see what its mutation, or its transaction, has written
	ReasonInspector     Reason = "inspector"     // a user of the inspector asked for an answer without the cache
	ReasonDirective     Reason = "directive"     // a run-time directive that Options.DirectivesCovered does not name
	ReasonCallers       Reason = "callers"       // all callers see the same, it was said, and two got different answers
	ReasonShadow        Reason = "shadow"        // Options.Shadow: the cache answers nothing
)

// Reasons not to store an answer.
const (
	ReasonErrors      Reason = "errors"       // the answer has errors
	ReasonNoData      Reason = "no_data"      // data is null
	ReasonIncremental Reason = "incremental"  // the answer is one part of several
	ReasonLists       Reason = "lists"        // Options.CacheLists is false and there are several rows
	ReasonTooLarge    Reason = "too_large"    // larger than Options.MaxEntryBytes
	ReasonInvalidated Reason = "invalidated"  // a change came in while it was computed, or was announced: see Options.Intent
	ReasonUnreadable  Reason = "unreadable"   // the answer is no JSON that the operation could give
	ReasonReads       Reason = "reads"        // what the answer depends on cannot be told: the predicate names a view that the schema does not have, say
	ReasonStore       Reason = "store"        // the store refused it
	ReasonEnded       Reason = "ended"        // the request ended, or a time limit inside of it, while the answer was computed
	ReasonDoNotStore  Reason = "do_not_store" // a resolver said DoNotStore
	ReasonPrivate     Reason = "private"      // a resolver said Private, and the key has no predicate
	ReasonWrote       Reason = "wrote"        // a resolver of the query said that it changed something: Touch, Report
	ReasonBeside      Reason = "beside"       // resolvers, or an extension after the cache, set extensions or headers
	ReasonInner       Reason = "inner"        // resolvers run for another caller than the key says: an extension after the cache
)

// reasons lists all of them, so that counters need no map on the way of a request.
var reasons = []Reason{
	ReasonDisabled, ReasonClosed, ReasonIntrospection, ReasonTypename, ReasonDefer, ReasonPolicy,
	ReasonVariables, ReasonPredicate, ReasonOperation, ReasonLease, ReasonToken, ReasonFailed,
	ReasonMutating, ReasonInspector, ReasonDirective, ReasonCallers, ReasonShadow,
	ReasonErrors, ReasonNoData, ReasonIncremental, ReasonLists, ReasonTooLarge, ReasonInvalidated,
	ReasonUnreadable, ReasonReads, ReasonStore, ReasonEnded, ReasonDoNotStore, ReasonPrivate, ReasonWrote, ReasonBeside, ReasonInner,
}

// firstNotStored is where the reasons not to store begin.
var firstNotStored = slices.Index(reasons, ReasonErrors)
