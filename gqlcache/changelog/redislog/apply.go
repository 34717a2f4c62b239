package redislog

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/cascadeql/cascadeql/gqlcache/changelog"
)

// epochStep is by how much an epoch is greater, at least, than every number before. It is
// part of the scripts.
const epochStep = 1_000_000

// An applier brings records to the sink, in the order of their numbers, and moves the
// position. It alone calls the sink, and it alone decides whether a lease that the server
// has granted may be taken. Nothing in it does I/O.
type applier struct {
	instance string
	ttl      time.Duration
	life     *life
	lease    *lease
	pending  *pending
	owed     *owed
	rounds   *rounds
	report   *reporter
	counts   *counters

	at     atomic.Pointer[changelog.Position]
	joined chan struct{} // closed when the first epoch is known

	mu      sync.Mutex // one at a time applies to the sink and moves the position; protects all below
	sink    changelog.Sink
	ready   time.Duration // no lease before: see adopt
	since   time.Duration // until then leases of earlier epochs may run
	intents intents
}

// start takes the sink. Call it before all else.
func (a *applier) start(sink changelog.Sink) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.sink = sink
	a.intents.start(sink)
}

// position returns where the sink is. It does not block.
func (a *applier) position() changelog.Position { return *a.at.Load() }

// withIntents calls f with the intents as of a position. It may not call the applier.
func (a *applier) withIntents(f func(open *intents, at changelog.Position)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	f(&a.intents, a.position())
}

// judge looks at an intent that was due, and makes up for a record that is lost. It
// reports whether nobody stands by the intent.
func (a *applier) judge(was openIntent, said lastSign) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	found := a.intents.judge(was, said)
	if found == lost {
		a.flush(a.position(), "an intent is lost")
	}
	return found == abandoned
}

// apply brings records to the sink, in order. Those known already are skipped; at a hole,
// records are lost, and everything that was cached before is invalidated. A record that
// is too far ahead is of another epoch, or of nobody who knows the log: it invalidates
// everything too, and the position stays for a renewal to move. A record that cannot be
// understood invalidates everything once, though a renewal and a read may both bring it.
// REQUIRES: mu held.
func (a *applier) apply(records []streamRecord) {
	for _, r := range records {
		at := a.position()
		switch {
		case r.Number >= at.Number+epochStep:
			a.flush(at, "record of another epoch")
			a.rounds.kickOff()
		case r.unknown && !r.behind(at):
			// What cannot be read may be anything. Its number is used if it is one.
			a.report.begin(troubleUnknown, nil)
			a.flush(changelog.Position{Epoch: at.Epoch, Number: max(at.Number, r.Number)}, "unknown record")
		case r.Number <= at.Number:
			continue
		default:
			if r.Number > at.Number+1 {
				a.flush(changelog.Position{Epoch: at.Epoch, Number: r.Number - 1}, "missing records")
				a.rounds.kickOff()
			}
			a.report.end(troubleUnknown)
			a.give(at.Epoch, r)
			// After the sink: who reads this position knows the record's effect.
			a.at.Store(&changelog.Position{Epoch: at.Epoch, Number: r.Number})
		}
		a.counts.records.Add(1)
		a.owed.add(r.Origin)
	}
}

// give gives the sink a record. REQUIRES: mu held.
func (a *applier) give(epoch uint64, r streamRecord) {
	if r.intent {
		a.intents.announce(openIntent{id: changelog.Position{Epoch: epoch, Number: r.Number}, tags: r.Tags, all: r.All, sign: "1"}, r.Origin)
		return
	}
	if !r.silent() {
		a.sink.Apply(r.Record)
	}
	// After the change: who does not find the announcement any more must find that.
	for _, id := range r.settles {
		a.intents.settle(id)
	}
}

// flush invalidates everything and moves the position. REQUIRES: mu held.
func (a *applier) flush(to changelog.Position, why string) {
	if a.intents.known() {
		// Before the position moves: from then on the others do not wait for this
		// instance.
		a.lease.drop(a.position())
		a.intents.lose(to.Number)
		a.rounds.kickOff()
	}
	a.sink.Flush(to.Epoch, to.Number)
	a.at.Store(&to)
	a.counts.flushes.Add(1)
	a.owed.add("")
	a.report.event(EventFlush, to, why)
}

// applyHere gives the sink a change that has no number here. REQUIRES: mu held.
func (a *applier) applyHere(c changes) {
	a.sink.Apply(changelog.Record{Tags: c.tags, All: c.all, Origin: a.instance})
}

// applyUnnumbered gives the sink a change of this instance that the server has not taken.
func (a *applier) applyUnnumbered(c changes) {
	if c.nothing() {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.applyHere(c)
}

// read applies records that were read from the stream while the position was in an epoch.
// In another epoch they may be records of the old one, and are left out. It returns where
// the position is now, and whether they were applied.
func (a *applier) read(epoch uint64, records []streamRecord) (changelog.Position, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.position().Epoch != epoch {
		return a.position(), false
	}
	a.apply(records)
	return a.position(), true
}

// take applies the reply to a publication, and the change itself. The leases that were
// granted before it are over at outlived. It returns until when leases of older epochs
// may run.
func (a *applier) take(reply numbered, c changes, outlived time.Duration) (gate time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if reply.epoch == a.position().Epoch {
		own := changelog.Record{Number: reply.number, Tags: c.tags, All: c.all, Origin: a.instance}
		a.apply(append(reply.missed, streamRecord{Record: own, intent: c.intent, settles: c.settles}))
		return a.since
	}
	// The server has begun another epoch and does not know who holds leases, or one has
	// begun since it answered. Only the end of the longest lease says that the others
	// have stopped. The next renewal flushes; nothing is served here before.
	a.lease.drop(a.position())
	if !c.intent && !c.nothing() {
		a.applyHere(c)
	}
	a.rounds.kickOff()
	return max(outlived, a.since)
}

// learn applies a reply to a renewal that was sent at a time. It reports whether the
// round is over: with a lease, or with none to be had yet.
func (a *applier) learn(reply renewal, sent time.Duration) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.lease.learn(reply.longest)
	a.report.holds(troubleName, !reply.named)
	a.report.holds(troubleAlone, reply.alone)
	at := a.position()
	if reply.epoch != at.Epoch {
		if reply.epoch > at.Epoch {
			a.adopt(reply.epoch, reply.first, reply.quiet)
		}
		return false
	}
	a.apply(reply.missed)
	if len(reply.missed) >= pageSize {
		return false // there is more
	}
	if at = a.position(); at.Number < reply.number {
		a.flush(changelog.Position{Epoch: at.Epoch, Number: reply.number}, "missing records")
	}
	if !a.intents.look(reply) {
		return false
	}
	if reply.granted {
		a.extend(sent)
	}
	return reply.granted
}

// extend takes the lease that the server has granted. REQUIRES: mu held, and everything
// that the server knew when it granted the lease has been applied.
func (a *applier) extend(sent time.Duration) {
	if now() < a.ready || a.life.isOver() {
		return
	}
	a.pending.ifEmpty(func() { a.lease.extend(sent, sent+a.ttl*9/10, a.position()) })
}

// readyAt returns the time before which no lease is taken.
func (a *applier) readyAt() time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.ready
}

// adopt begins an epoch. The position is before the log's first record, so that what is
// still there can be read, and entries of other instances be proven by it. Leases of
// earlier epochs, of which the server knows nothing, may run for a term from now: until
// then, no publication is confirmed.
// REQUIRES: mu held.
func (a *applier) adopt(epoch, first uint64, quiet bool) {
	was := a.position()
	to := changelog.Position{Epoch: epoch, Number: first}
	a.lease.drop(was)
	a.since = now() + a.lease.term()
	a.intents.begin(epoch, quiet)
	a.flush(to, "new epoch")
	a.counts.epochs.Add(1)
	a.report.event(EventEpoch, to, "")
	if was.Epoch == 0 {
		// Who has just started takes no lease for a term. The server may have lost
		// records that only an older instance knows of: that one says so at its next
		// renewal, which begins a new epoch. Until then entries that the lost records
		// would invalidate look valid.
		a.ready = a.since
		close(a.joined)
		return
	}
	a.report.log.Warn("a new epoch has begun, everything cached is dropped", "epoch", epoch)
}
