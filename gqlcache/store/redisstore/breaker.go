package redisstore

import (
	"sync"
	"time"
)

// A State is what the breaker does with calls.
type State int

const (
	// Closed lets all calls through.
	Closed State = iota
	// Open lets none through, until the cool-down is over.
	Open
	// Probing lets none through but the one that tries.
	Probing
)

// String names a state.
func (s State) String() string { return [...]string{"closed", "open", "probing"}[s] }

// MarshalText returns String, so that JSON has the state's name.
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// An outcome is what a call says about Redis.
type outcome int

const (
	unknown outcome = iota // nothing: the caller gave up early, or Redis answered that it will not
	good
	bad
)

// A breaker stops calls after failures in a row.
//
// Invariants:
//  1. While it is not closed, at most one call runs that was admitted since it opened:
//     the probe.
//  2. Only the probe's outcome ends that. Calls admitted before may still return, with
//     news that are older than the decision to open.
//  3. Whoever is admitted reports, so a probe cannot stay out for ever.
type breaker struct {
	after    int
	coolDown time.Duration
	changed  func(to State, why error) // called without the lock held; Closed and Open only

	mu     sync.Mutex
	state  State
	row    int       // failures in a row; REQUIRES mu
	until  time.Time // end of the cool-down; REQUIRES mu
	opened uint64    // how many times; REQUIRES mu
}

// A ticket admits one call.
type ticket struct{ probe bool }

// admit reports whether a call may be made. It then must be reported.
func (b *breaker) admit(now time.Time) (ticket, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.state == Closed:
		return ticket{}, true
	case b.state == Open && !now.Before(b.until):
		b.state = Probing
		return ticket{probe: true}, true
	}
	return ticket{}, false
}

// refuses reports whether admit would refuse now. It admits nothing, so there is nothing
// to report.
func (b *breaker) refuses(now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.state == Probing || b.state == Open && now.Before(b.until)
}

// report takes in what came of a call. Only reads reset the count of failures: quick
// writes beside slow reads would keep it from ever being reached.
func (b *breaker) report(t ticket, read bool, o outcome, now time.Time, why error) {
	if to, changed := b.apply(t, read, o, now); changed {
		b.changed(to, why)
	}
}

func (b *breaker) apply(t ticket, read bool, o outcome, now time.Time) (State, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case t.probe && o == good:
		b.state, b.row = Closed, 0
		return Closed, true
	case t.probe && o == bad:
		b.state, b.until = Open, now.Add(b.coolDown)
	case t.probe:
		b.state = Open // the cool-down is over: the next call is the probe
	case b.state != Closed:
	case o == bad:
		if b.row++; b.row >= b.after {
			b.state, b.until = Open, now.Add(b.coolDown)
			b.opened++
			return Open, true
		}
	case o == good && read:
		b.row = 0
	}
	return b.state, false
}

func (b *breaker) snapshot() (State, uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.state, b.opened
}
