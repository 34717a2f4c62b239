package redislog

import "time"

var started = time.Now()

// goMonotonic reads Go's monotonic clock, never zero.
func goMonotonic() time.Duration { return time.Since(started) + 1 }

// never is the end of no lease.
const never = -1
