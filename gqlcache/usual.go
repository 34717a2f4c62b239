package gqlcache

import (
	"sync/atomic"
	"time"
)

// usual is how long the slowest of an operation's recent computations took: a maximum that decays. The
// zero value knows of none. It is used concurrently; a note that is lost does no harm.
type usual struct {
	nanoseconds atomic.Int64
}

// usualDecay is how many shorter computations let the maximum fall to some third of what it was.
const usualDecay = 128

func (u *usual) get() time.Duration { return time.Duration(u.nanoseconds.Load()) }

func (u *usual) note(took time.Duration) {
	old := u.nanoseconds.Load()
	if n := int64(took); n >= old {
		u.nanoseconds.Store(n)
	} else {
		u.nanoseconds.Store(old - (old-n)/usualDecay)
	}
}
