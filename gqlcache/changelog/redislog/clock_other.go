//go:build !linux

package redislog

import "time"

// now reads the clock of leases.
func now() time.Duration { return goMonotonic() }
