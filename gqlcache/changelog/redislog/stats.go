package redislog

import (
	"sync/atomic"
	"time"

	"github.com/cascadeql/cascadeql/gqlcache/changelog"
)

// counters are what Stats counts. Every part counts its own.
type counters struct {
	members                                      atomic.Int64
	published, unconfirmed, failed               atomic.Uint64
	records, flushes, epochs, leasesLost, reaped atomic.Uint64
	intents, refused, expired                    atomic.Uint64
	waited                                       atomic.Int64
}

// Stats implements changelog.Log.
func (l *Log) Stats() changelog.Stats {
	c := l.counts
	var open int
	l.applier.withIntents(func(i *intents, _ changelog.Position) { open = len(i.open) })
	return changelog.Stats{
		Applied:     l.Applied(),
		Fresh:       l.Fresh(),
		Members:     int(c.members.Load()),
		Published:   c.published.Load(),
		Unconfirmed: c.unconfirmed.Load(),
		Failed:      c.failed.Load(),
		Pending:     l.pending.count(),
		Records:     c.records.Load(),
		Flushes:     c.flushes.Load(),
		Epochs:      c.epochs.Load(),
		LeasesLost:  c.leasesLost.Load(),
		Reaped:      c.reaped.Load(),
		Intents:     c.intents.Load(),
		Refused:     c.refused.Load(),
		Expired:     c.expired.Load(),
		Open:        open,
		Waited:      time.Duration(c.waited.Load()),
	}
}
