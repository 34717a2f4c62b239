package engine

import (
	"context"
	"time"

	"github.com/cascadeql/cascadeql/gqlcache/internal/clock"
	"github.com/cascadeql/cascadeql/gqlcache/internal/safe"
)

// A Report is what a sweep found.
type Report struct {
	At   time.Time
	Took time.Duration
	// Live entries could be served; Dead ones could not and were removed.
	LiveEntries, DeadEntries int
	LiveBytes, DeadBytes     int64
	// Tags are those that live entries depend on.
	Tags int
}

// SweepUntil sweeps, at intervals and when tags take too much memory, until done is
// closed. It sweeps by memory alone when the interval is not positive.
func (e *Engine) SweepUntil(done <-chan struct{}, interval time.Duration) {
	var tick <-chan time.Time
	if interval > 0 {
		t := time.NewTicker(interval)
		defer t.Stop()
		tick = t.C
	}
	for {
		select {
		case <-done:
			return
		case <-tick:
		case <-e.pressure.due:
		}
		e.Sweep(context.Background(), done)
	}
}

// Sweep removes the entries that can never be served again, and has the clock forget the
// tags that no entry depends on. It looks at every entry, without holding up who asks for
// one. When the context ends, it goes on to look and removes nothing more. It gives up
// when done is closed.
func (e *Engine) Sweep(ctx context.Context, done <-chan struct{}) Report {
	e.sweeping.Lock()
	defer e.sweeping.Unlock()
	start := e.config.Now()
	r := Report{At: start}
	e.pressure.swept()
	err := safe.Do(func() error {
		r.Tags = e.config.Clock.Sweep(func(yield func(*clock.Stamp) bool) { e.sweepEntries(ctx, done, &r, yield) }).Kept
		return nil
	})
	if err != nil {
		e.failed("all", err)
		return r
	}
	e.pressure.bound(max(e.config.MaxBytes, r.LiveBytes))
	r.Took = e.config.Now().Sub(start)
	e.last.Store(&r)
	return r
}

// SweepDue reports whether so many bytes have come in that a sweep is due. It waits for
// one that runs.
func (e *Engine) SweepDue() bool {
	e.sweeping.Lock()
	defer e.sweeping.Unlock()
	return e.pressure.bytes.Load() >= e.pressure.limit.Load()
}

// sweepEntries yields the stamps of the live entries and removes the dead ones.
func (e *Engine) sweepEntries(ctx context.Context, done <-chan struct{}, r *Report, yield func(*clock.Stamp) bool) {
	for key, entry := range e.config.Store.All(context.WithoutCancel(ctx)) {
		select {
		case <-done:
			return
		default:
		}
		s := e.own(entry)
		if s == nil {
			continue
		}
		if !e.config.Clock.Valid(s.Stamp) {
			// The live ones are looked at to the end: the tags of those left out would be
			// forgotten, and the entries with them at the next change of anything.
			if ctx.Err() == nil && e.Remove(ctx, key, entry) {
				r.DeadEntries++
				r.DeadBytes += int64(entry.Size)
			}
			continue
		}
		r.LiveEntries++
		r.LiveBytes += int64(entry.Size)
		if !yield(s.Stamp) {
			return
		}
	}
}
