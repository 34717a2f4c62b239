package redislog

import (
	"github.com/cascadeql/cascadeql/gqlcache/changelog"
)

// epochStep is by how much an epoch is greater, at least, than every number before. It is part of the
// scripts.
const epochStep = 1_000_000

// apply brings records to the sink, in order. Those known already are skipped; at a hole, records are
// lost, and everything that was cached before is void. A record that is too far ahead is of another epoch,
// or of nobody who knows the log: it voids everything too, and the position stays for a renewal to move.
// REQUIRES: mu held.
func (l *Log) apply(records []streamRecord) {
	for _, r := range records {
		at := l.Applied()
		switch {
		case r.Number >= at.Number+epochStep:
			l.flush(at, "record of another epoch")
			l.rounds.kickOff()
		case r.unknown:
			// What cannot be read may be anything. Its number is used if it is one.
			l.trouble.begin(troubleUnknown, nil)
			l.flush(changelog.Position{Epoch: at.Epoch, Number: max(at.Number, r.Number)}, "unknown record")
		case r.Number <= at.Number:
			continue
		default:
			if r.Number > at.Number+1 {
				l.flush(changelog.Position{Epoch: at.Epoch, Number: r.Number - 1}, "missing records")
				l.rounds.kickOff()
			}
			l.trouble.end(troubleUnknown)
			l.give(at.Epoch, r)
			// After the sink: who reads this position knows the record's effect.
			l.position.Store(&changelog.Position{Epoch: at.Epoch, Number: r.Number})
		}
		l.counts.records.Add(1)
		l.owed.add(r.Origin, l.o.Instance)
	}
}

// flush voids everything and moves the position. REQUIRES: mu held.
func (l *Log) flush(to changelog.Position, why string) {
	l.losesSight(to.Number)
	l.sink.Flush(to.Epoch, to.Number)
	l.position.Store(&to)
	l.counts.flushes.Add(1)
	l.owed.add("", l.o.Instance)
	l.event(EventFlush, to, why)
}

// applyHere gives the sink a change that has no number here. REQUIRES: mu held.
func (l *Log) applyHere(r changelog.Record) {
	r.Number, r.Origin = 0, l.o.Instance
	l.sink.Apply(r)
}

// adopt begins an epoch. The position is before the log's first record, so that what is still there can be
// read, and entries of other instances be proven by it. Leases of earlier epochs, of which the server knows
// nothing, may run for a TTL from now: until then, no publication is confirmed.
// REQUIRES: mu held.
func (l *Log) adopt(epoch, first uint64, quiet bool) {
	was := l.Applied()
	to := changelog.Position{Epoch: epoch, Number: first}
	l.dropLease()
	l.since = now() + l.term()
	l.newEpoch(epoch, quiet)
	l.flush(to, "new epoch")
	l.counts.epochs.Add(1)
	l.event(EventEpoch, to, "")
	if was.Epoch == 0 {
		// Who has just started takes no lease for a term. The server may have lost records that only an
		// older instance knows of: that one says so at its next renewal, which begins a new epoch. Until
		// then entries that the lost records would void look valid.
		l.ready = l.since
		close(l.joined)
		return
	}
	l.trouble.log.Warn("a new epoch has begun, everything cached is void", "epoch", epoch)
}
