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

// A BatchLeaser is an optional part of a Leaser that takes many leases in one round trip, or in
// few.
type BatchLeaser interface {
	Leaser
	// LeaseAll is Lease of many keys. Held says of each key, in its place, whether this caller
	// holds its lease now. With an error some could not be asked for, and held is of the others.
	//
	// Release is never nil, and gives all of them up, as that of Lease does.
	LeaseAll(ctx context.Context, keys [][]byte, ttl time.Duration) (held []bool, release func(context.Context), err error)
}

// A Waker is an optional part of a Leaser. It tells when leases are given up, so that who
// waits for one need not ask again and again.
type Waker interface {
	// Released returns a channel that is closed when anybody has given the lease of a key
	// up after the call, once the writes that Lease speaks of can be seen; it may be
	// closed without a reason. It is nil while the store cannot hear of that. A lease may
	// end without a word, when its holder is dead, and a message may be lost: who waits
	// asks again after a while all the same. Stop, which is never nil, ends the wait; call
	// it in any case. Released does not block. The key's bytes are not kept.
	Released(key []byte) (released <-chan struct{}, stop func())
}
