package redislog

import (
	"time"

	"github.com/cascadeql/cascadeql/cascade"
	"github.com/cascadeql/cascadeql/gqlcache/changelog"
)

// An openIntent is an announcement of any instance that is not settled.
type openIntent struct {
	id   changelog.Position
	tags []cascade.Tag
	all  bool
	// sign is the last sign of life of its maker that was seen here, and since when. When it is the same for an
	// IntentTTL, nobody stands by the intent.
	sign  string
	since time.Duration
	// missing says that the server did not know it when it was last asked. The record that settles it is
	// under way then.
	missing bool
}

// intents are the open intents as of the position. Log.mu protects them. These hold whenever it is free:
//
//  1. The sink has been told of each intent of the epoch that was logged up to the position and not settled up to
//     it, or blind is set.
//  2. While blind is set, or since, there is no lease; every intent in gone was settled since.
//  3. Until quiet, everything is announced under the epoch's own id: intents of older epochs may be open, which the
//     server has forgotten. Their makers stand by them until an IntentTTL after they last did, which was before
//     the epoch began.
type intents struct {
	sink changelog.IntentSink // nil: the caches know no intents, and none are kept
	open map[changelog.Position]*openIntent

	blind bool
	// seen is the number at which the server must be asked, or later, to know what blind instances have missed.
	seen uint64
	gone map[changelog.Position]bool

	// loud is when the intents of older epochs are over, zero when they are.
	loud time.Duration
	// tell says that the server does not know yet that they are.
	tell bool
}

// epochIntent names everything until the intents of older epochs are over.
func epochIntent(epoch uint64) changelog.Position { return changelog.Position{Epoch: epoch} }

// give gives the sink a record. REQUIRES: mu held.
func (l *Log) give(epoch uint64, r streamRecord) {
	if r.intent {
		l.announce(openIntent{id: changelog.Position{Epoch: epoch, Number: r.Number}, tags: r.Tags, all: r.All, sign: "1"}, r.Origin)
		return
	}
	if !r.silent() {
		l.sink.Apply(r.Record)
	}
	// After the change: who does not find the announcement any more must find that.
	for _, id := range r.settles {
		l.settle(id)
	}
}

// announce tells the sink of an intent. REQUIRES: mu held.
func (l *Log) announce(in openIntent, origin string) {
	if l.intents.sink == nil || l.intents.open[in.id] != nil {
		return
	}
	in.since = now()
	l.intents.open[in.id] = &in
	l.intents.sink.Announce(in.id, changelog.Record{Number: in.id.Number, Tags: in.tags, All: in.all, Origin: origin})
}

// settle tells the sink of an intent's end. REQUIRES: mu held.
func (l *Log) settle(id changelog.Position) {
	if l.intents.sink == nil {
		return
	}
	if l.intents.blind {
		l.intents.gone[id] = true
	}
	delete(l.intents.open, id)
	l.intents.sink.Settle(id)
}

// losesSight says that intents may have been logged up to a number that were not read. The lease is given up before
// the position moves: from then on the others do not wait for this instance. REQUIRES: mu held.
func (l *Log) losesSight(number uint64) {
	if l.intents.sink == nil {
		return
	}
	l.dropLease()
	if !l.intents.blind {
		l.intents.blind, l.intents.gone = true, map[changelog.Position]bool{}
	}
	l.intents.seen = max(l.intents.seen, number)
	l.rounds.kickOff()
}

// asks returns what a renewal is to tell about older epochs, and whether it is to ask for the open intents.
func (l *Log) asks() (tell, look int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.intents.tell {
		tell = 1
	}
	if l.intents.blind {
		look = 1
	}
	return tell, look
}

// look takes in what the server knows of open intents, and reports whether they are all known now.
// REQUIRES: mu held, and the records of the reply are applied.
func (l *Log) look(reply renewal) bool {
	if l.intents.sink == nil {
		return true
	}
	if reply.quiet {
		l.hush()
	}
	if !l.intents.blind {
		return true
	}
	if !reply.looked || reply.number < l.intents.seen {
		return false
	}
	listed := map[changelog.Position]bool{epochIntent(reply.epoch): true}
	for _, in := range reply.open {
		listed[in.id] = true
		if !l.intents.gone[in.id] { // settled by a record that came after the reply
			l.announce(in, "")
		}
	}
	for id := range l.intents.open {
		if !listed[id] && (id.Epoch != reply.epoch || id.Number <= reply.number) {
			l.settle(id) // by a record that is missing; its change was made up for by a flush
		}
	}
	l.intents.blind, l.intents.gone, l.intents.seen = false, nil, 0
	return true
}

// newEpoch announces everything, for as long as intents of older epochs may be open. REQUIRES: mu held.
func (l *Log) newEpoch(epoch uint64, quiet bool) {
	if l.intents.sink == nil {
		return
	}
	before := l.intents.open
	l.intents.open, l.intents.loud, l.intents.tell = map[changelog.Position]*openIntent{}, 0, false
	if !quiet {
		l.intents.loud = now() + l.o.IntentTTL
		l.announce(openIntent{id: epochIntent(epoch), all: true}, "")
	}
	for id := range before {
		l.settle(id) // after the announcement of everything, which stands in for it
	}
}

// hush ends what newEpoch has announced. REQUIRES: mu held.
func (l *Log) hush() {
	if l.intents.loud != 0 {
		l.settle(epochIntent(l.Applied().Epoch))
	}
	l.intents.loud, l.intents.tell = 0, false
}

// hushDue ends it when its time is over, and has the server told, for those who join later.
func (l *Log) hushDue() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.intents.loud != 0 && now() >= l.intents.loud {
		l.hush()
		l.intents.tell = true
	}
}
