package redislog

import (
	"sync/atomic"
	"time"

	"github.com/cascadeql/cascadeql/gqlcache/changelog"
)

// A lease says until when cached entries may be served here. It does not decide whether
// it may be extended: see applier.extend. It is safe for concurrent use.
type lease struct {
	report *reporter
	counts *counters

	until   atomic.Int64 // its end on the clock of now, or never
	longest atomic.Int64 // the longest lease of any instance
}

func newLease(ttl time.Duration, report *reporter, counts *counters) *lease {
	l := &lease{report: report, counts: counts}
	l.until.Store(never)
	l.longest.Store(int64(ttl))
	return l
}

// valid reports whether the lease runs.
func (l *lease) valid() bool {
	// The end first, the clock second: the lease that was loaded is then valid when the
	// clock is read. The other way round a reader that stops in between compares an old
	// time with a lease that was taken, and ran out, since; and everything after it is
	// not covered by any.
	until := l.until.Load()
	return until > 0 && int64(now()) < until
}

// extend takes a lease that was asked for at a time, unless the one that runs is longer.
// The position is that of the instance.
func (l *lease) extend(sent, end time.Duration, at changelog.Position) {
	if int64(end) <= l.until.Load() {
		return
	}
	was := l.until.Swap(int64(end))
	if was != never && int64(sent) > was {
		l.counts.leasesLost.Add(1)
		l.report.event(EventLeaseLost, at, "ran out")
	}
	if was == never || int64(sent) > was {
		l.report.event(EventLease, at, "")
	}
}

// drop gives the lease up. The position is that of the instance.
func (l *lease) drop(at changelog.Position) {
	if was := l.until.Swap(never); was != never {
		l.counts.leasesLost.Add(1)
		l.report.event(EventLeaseLost, at, "given up")
	}
}

// end ends the lease together with the log.
func (l *lease) end() { l.until.Store(never) }

// term is how long leases run: the longest of any instance that is known.
func (l *lease) term() time.Duration { return time.Duration(l.longest.Load()) }

// learn takes in the longest lease that the server knows of. It never makes the term
// shorter: leases of an older epoch may run. REQUIRES: one caller at a time.
func (l *lease) learn(longest time.Duration) { l.longest.Store(max(int64(longest), l.longest.Load())) }
