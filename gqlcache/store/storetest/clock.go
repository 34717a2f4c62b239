package storetest

import (
	"sync/atomic"
	"time"
)

// A timer is a clock that the suite moves.
type timer struct{ nanos atomic.Int64 }

func (c *timer) now() time.Time          { return time.Unix(0, c.nanos.Load()) }
func (c *timer) set(t time.Time)         { c.nanos.Store(t.UnixNano()) }
func (c *timer) advance(d time.Duration) { c.nanos.Add(int64(d)) }
