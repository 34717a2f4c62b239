package memstore

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// Options bound a store. The zero value is an unbounded store.
type Options struct {
	// MaxBytes bounds the sum of Entry.Size. Defaults to 0, unbounded.
	MaxBytes int64
	// MaxEntries bounds the number of entries. Defaults to 0, unbounded.
	MaxEntries int
	// MaxEntryBytes is the largest Entry.Size that Put accepts. Defaults to 0: whatever
	// fits MaxBytes.
	MaxEntryBytes int
	// Clock tells the time that Entry.Expires is compared with, by the wall clock. It is
	// called on every Get and while locks are held, so it must be fast, must not call the
	// store, and must be safe for concurrent use. With a clock of one's own nothing
	// expires between the calls of a store; they still never return an expired entry.
	// Defaults to the system's, which is read so that it is known within a millisecond when
	// that was set, or the machine was suspended.
	Clock func() time.Time
}

// validate reports all faults at once.
func (o Options) validate() error {
	var faults []error
	negative := func(name string, value int64) {
		if value < 0 {
			faults = append(faults, fmt.Errorf("memstore: %s is %d; it must be 0 (unbounded) or more", name, value))
		}
	}
	negative("MaxBytes", o.MaxBytes)
	negative("MaxEntries", int64(o.MaxEntries))
	negative("MaxEntryBytes", int64(o.MaxEntryBytes))
	if o.MaxBytes > 0 && int64(o.MaxEntryBytes) > o.MaxBytes {
		faults = append(faults, fmt.Errorf("memstore: MaxEntryBytes (%d) exceeds MaxBytes (%d): such an entry could never be held", o.MaxEntryBytes, o.MaxBytes))
	}
	if o.MaxBytes > 0 && o.MaxEntries > 0 && o.floor() > math.MaxUint32 {
		faults = append(faults, fmt.Errorf("memstore: MaxBytes (%d) is more than 4 GiB for each of MaxEntries (%d); lower the one or raise the other", o.MaxBytes, o.MaxEntries))
	}
	return errors.Join(faults...)
}

// floor is the least weight of an entry. It is not 0, since otter never evicts what
// weighs nothing.
func (o Options) floor() int64 {
	if o.MaxBytes == 0 || o.MaxEntries == 0 {
		return 1
	}
	n := int64(o.MaxEntries)
	return max((o.MaxBytes-1)/n+1, 1)
}

// entryLimit is the largest Entry.Size that can be held: weights are 32-bit numbers in
// otter, and what outweighs the whole store would be evicted at once.
func (o Options) entryLimit() int64 {
	limit := int64(math.MaxUint32)
	if o.MaxBytes > 0 {
		limit = min(limit, o.MaxBytes)
	}
	if o.MaxEntryBytes > 0 {
		limit = min(limit, int64(o.MaxEntryBytes))
	}
	return limit
}
