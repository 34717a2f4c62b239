package gqlcache

import (
	"slices"

	"github.com/cascadeql/cascadeql/gqlcache/internal/reason"
)

// Reason names why a query was not looked up, or why its answer was not stored. Stats,
// logs and extensions.cache share these names.
type Reason string

// Reasons not to look a query up. All but ReasonFailed are decided before it runs.
const (
	ReasonDisabled      Reason = reason.Disabled      // Options.Enabled said no
	ReasonClosed        Reason = reason.Closed        // the cache is closed
	ReasonIntrospection Reason = reason.Introspection // __schema, __type or _service: differs per request
	ReasonTypename      Reason = reason.Typename      // nothing but __typename: cheaper than a lookup
	ReasonDefer         Reason = reason.Defer         // @defer: the answer comes in parts
	ReasonPolicy        Reason = reason.Policy        // @cacheControl(maxAge: 0)
	ReasonVariables     Reason = reason.Variables     // an upload, or something else without a canonical form
	ReasonPredicate     Reason = reason.Predicate     // the caller's predicate is unknown
	ReasonOperation     Reason = reason.Operation     // too large to plan, or its context was replaced by an extension
	ReasonLease         Reason = reason.Lease         // Options.Log is not fresh: others may have changed what is stored
	ReasonToken         Reason = reason.Token         // the log has not reached the caller's token
	ReasonFailed        Reason = reason.Failed        // a function of the options panicked
	ReasonMutating      Reason = reason.Mutating      // it is to see what its mutation, or its transaction, has written
	ReasonInspector     Reason = reason.Inspector     // a user of the inspector asked for an answer without the cache
	ReasonDirective     Reason = reason.Directive     // a run-time directive that Options.DirectivesCovered does not name
	ReasonCallers       Reason = reason.Callers       // all callers see the same, it was said, and two got different answers
	ReasonShadow        Reason = reason.Shadow        // Options.Shadow: the cache answers nothing
	ReasonRefresh       Reason = reason.Refresh       // Refresh, or the client's no-cache: it was computed anew
	ReasonNoStore       Reason = reason.NoStore       // NoStore, or the client's no-store
	ReasonHeaders       Reason = reason.Headers       // @cacheControl(vary:) names header fields, and the operation has no header of its own
	ReasonNotCached     Reason = reason.NotCached     // CacheOnly, or the client's only-if-cached, and no answer was stored
)

// Reasons not to store an answer.
const (
	ReasonErrors      Reason = reason.Errors      // the answer has errors
	ReasonNoData      Reason = reason.NoData      // data is null
	ReasonIncremental Reason = reason.Incremental // the answer is one part of several
	ReasonLists       Reason = reason.Lists       // Options.OneRowOnly is set and there are several rows
	ReasonTooLarge    Reason = reason.TooLarge    // larger than Options.MaxEntryBytes
	ReasonInvalidated Reason = reason.Invalidated // a change came in while it was computed, or was announced: see Options.Intent
	ReasonUnreadable  Reason = reason.Unreadable  // the answer is no JSON that the operation could give
	ReasonReads       Reason = reason.Reads       // what the answer depends on cannot be told: the predicate names a view that the schema does not have, say
	ReasonStore       Reason = reason.Store       // the store refused it
	ReasonEnded       Reason = reason.Ended       // the request ended, or a time limit inside of it, while the answer was computed
	ReasonDoNotStore  Reason = reason.DoNotStore  // a resolver said DoNotStore
	ReasonPrivate     Reason = reason.Private     // a resolver said Private, and the key has no predicate
	ReasonWrote       Reason = reason.Wrote       // a resolver of the query said that it changed something: Touch, Report
	ReasonBeside      Reason = reason.Beside      // resolvers, or an extension after the cache, set extensions or headers
	ReasonNoAge       Reason = reason.NoAge       // Options.OnlyHinted, and neither the schema nor a resolver says how long it may be kept
	ReasonInner       Reason = reason.Inner       // resolvers run for another caller than the key says: an extension after the cache
)

// Reasons not to store an answer whose statements are observed: see Options.Observe.
const (
	ReasonUncommitted Reason = reason.Uncommitted // it may show what a transaction has written and not committed
	ReasonUnexplained Reason = reason.Unexplained // no statement shows where the data of a field come from
	ReasonKey         Reason = reason.Key         // a value in a statement comes from nothing that the key has: see Observe.KeyCheck
	ReasonVolatile    Reason = reason.Volatile    // a statement asks for the time, or so, and no maxAge says how long that lasts
)

// ReasonCodec is a reason not to keep a value that a program computes, which ComputedStats
// has and Stats has not: see Compute.
const ReasonCodec Reason = reason.Codec // it is not what it was once it is encoded and decoded

// ReasonExpired is a reason not to keep an answer, or a value, that shows an expired value:
// see StaleFor and OnError.
const ReasonExpired Reason = reason.Expired

// reasons lists all of them, so that counters need no map on the way of a request.
var reasons = []Reason{
	ReasonDisabled, ReasonClosed, ReasonIntrospection, ReasonTypename, ReasonDefer, ReasonPolicy,
	ReasonVariables, ReasonPredicate, ReasonOperation, ReasonLease, ReasonToken, ReasonFailed,
	ReasonMutating, ReasonInspector, ReasonDirective, ReasonCallers, ReasonShadow,
	ReasonRefresh, ReasonNoStore, ReasonHeaders, ReasonNotCached,
	ReasonErrors, ReasonNoData, ReasonIncremental, ReasonLists, ReasonTooLarge, ReasonInvalidated,
	ReasonUnreadable, ReasonReads, ReasonStore, ReasonEnded, ReasonDoNotStore, ReasonPrivate, ReasonWrote, ReasonBeside, ReasonInner,
	ReasonNoAge, ReasonUncommitted, ReasonUnexplained, ReasonVolatile, ReasonKey, ReasonExpired,
}

// firstNotStored is where the reasons not to store begin.
var firstNotStored = slices.Index(reasons, ReasonErrors)
