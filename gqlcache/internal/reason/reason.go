// Package reason has the names of the reasons why a query is not looked up, or why its
// answer is not stored. Stats, logs and extensions.cache show them. gqlcache.Reason is
// the public type, and its constants say what each means.
package reason

// Reasons not to look a query up.
const (
	Disabled      = "disabled"
	Closed        = "closed"
	Introspection = "introspection"
	Typename      = "typename"
	Defer         = "defer"
	Policy        = "policy"
	Variables     = "variables"
	Predicate     = "predicate"
	Operation     = "operation"
	Lease         = "lease"
	Token         = "token"
	Failed        = "failed"
	Mutating      = "mutating"
	Inspector     = "inspector"
	Directive     = "directive"
	Callers       = "callers"
	Shadow        = "shadow"
	Refresh       = "refresh"
	NoStore       = "no_store"
	Headers       = "headers"
	NotCached     = "not_cached"
)

// Reasons not to store an answer.
const (
	Errors      = "errors"
	NoData      = "no_data"
	Incremental = "incremental"
	Lists       = "lists"
	TooLarge    = "too_large"
	Invalidated = "invalidated"
	Unreadable  = "unreadable"
	Reads       = "reads"
	Store       = "store"
	Ended       = "ended"
	DoNotStore  = "do_not_store"
	Private     = "private"
	Wrote       = "wrote"
	Beside      = "beside"
	Inner       = "inner"
	Uncommitted = "uncommitted"
	Unexplained = "unexplained"
	Volatile    = "volatile"
	Key         = "key"
	Codec       = "codec"
	NoAge       = "no_age"
	Expired     = "expired"
)
