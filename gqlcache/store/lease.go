package store

import (
	"context"
	"time"
)

// A Leaser is a shared store that can tell who computes an entry, so that the others wait
// for it. It is an optional part of a Store, and advice: two holders of one lease cost a
// computation, and nothing else.
type Leaser interface {
	// Lease takes the lease of a key for at most ttl, and reports whether this caller
	// holds it now; else somebody else does. It blocks as Get does. An error says that
	// the store could not be asked, and the caller goes on without a lease.
	//
	// Release is never nil. It gives the lease up, of a holder, once the writes of this
	// key that were made before through the same store can be seen; it blocks as Put
	// does, and does not wait longer for that. What becomes of it is not reported: a
	// lease that stays ends with its ttl. Another call does nothing.
	Lease(ctx context.Context, key []byte, ttl time.Duration) (release func(context.Context), holder bool, err error)
}
