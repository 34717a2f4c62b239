package redislog

import (
	"time"

	"github.com/cascadeql/cascadeql/cascade/tag"
	"github.com/cascadeql/cascadeql/gqlcache/changelog"
)

// An openIntent is an announcement of any instance that is not settled.
type openIntent struct {
	id   changelog.Position
	tags []tag.Tag
	all  bool
	// sign is the last sign of life of its maker that was seen here, and since when. When
	// it is the same for an IntentTTL, nobody stands by the intent.
	sign  string
	since time.Duration
	// missing says that the server did not know it when it was last asked. The record
	// that settles it is under way then.
	missing bool
}

// intents are the open intents as of the applier's position. All methods REQUIRE
// applier.mu held. These hold whenever it is free:
//
//  1. The sink has been given each intent of the epoch that was logged up to the position
//     and not settled up to it, or blind is set.
//  2. While blind is set, or since, there is no lease; every intent in gone was settled
//     since.
//  3. Until quiet, everything is announced under the epoch's own id: intents of older
//     epochs may be open, which the server has forgotten. Their makers stand by them
//     until an IntentTTL after they last did, which was before the epoch began.
type intents struct {
	ttl  time.Duration
	sink changelog.IntentSink // nil: the caches know no intents, and none are kept
	open map[changelog.Position]*openIntent

	blind bool
	// seen is the number at which the server must be asked, or later, to know what blind
	// instances have missed.
	seen uint64
	gone map[changelog.Position]bool

	// loud is when the intents of older epochs are over, zero when they are.
	loud time.Duration
	// hushed says that they are over and that the server does not know it yet.
	hushed bool
}

// start takes the sink, if it knows intents.
func (i *intents) start(sink changelog.Sink) {
	i.sink, _ = sink.(changelog.IntentSink)
	i.open = map[changelog.Position]*openIntent{}
}

// epochIntent names everything until the intents of older epochs are over.
func epochIntent(epoch uint64) changelog.Position { return changelog.Position{Epoch: epoch} }

// known reports whether the sink knows intents.
func (i *intents) known() bool { return i.sink != nil }

// announce gives the sink an intent.
func (i *intents) announce(in openIntent, origin string) {
	if i.sink == nil || i.open[in.id] != nil {
		return
	}
	in.since = now()
	i.open[in.id] = &in
	i.sink.Announce(in.id, changelog.Record{Number: in.id.Number, Tags: in.tags, All: in.all, Origin: origin})
}

// settle gives the sink an intent's end.
func (i *intents) settle(id changelog.Position) {
	if i.sink == nil {
		return
	}
	if i.blind {
		i.gone[id] = true
	}
	delete(i.open, id)
	i.sink.Settle(id)
}

// lose says that intents may have been logged up to a number that were not read. Give up
// the lease before.
func (i *intents) lose(number uint64) {
	if !i.blind {
		i.blind, i.gone = true, map[changelog.Position]bool{}
	}
	i.seen = max(i.seen, number)
}

// look takes in what the server knows of open intents, and reports whether they are all
// known now.
// REQUIRES: the records of the reply are applied.
func (i *intents) look(reply renewal) bool {
	if i.sink == nil {
		return true
	}
	if reply.quiet {
		i.hush(reply.epoch)
	}
	if !i.blind {
		return true
	}
	if !reply.looked || reply.number < i.seen {
		return false
	}
	listed := map[changelog.Position]bool{epochIntent(reply.epoch): true}
	for _, in := range reply.open {
		listed[in.id] = true
		if !i.gone[in.id] { // settled by a record that came after the reply
			i.announce(in, "")
		}
	}
	for id := range i.open {
		if !listed[id] && (id.Epoch != reply.epoch || id.Number <= reply.number) {
			i.settle(id) // by a record that is missing; its change was made up for by a flush
		}
	}
	i.blind, i.gone, i.seen = false, nil, 0
	return true
}

// begin announces everything under a new epoch, for as long as intents of older ones may
// be open.
func (i *intents) begin(epoch uint64, quiet bool) {
	if i.sink == nil {
		return
	}
	before := i.open
	i.open, i.loud, i.hushed = map[changelog.Position]*openIntent{}, 0, false
	if !quiet {
		i.loud = now() + i.ttl
		i.announce(openIntent{id: epochIntent(epoch), all: true}, "")
	}
	for id := range before {
		i.settle(id) // after the announcement of everything, which stands in for it
	}
}

// hush ends what begin has announced.
func (i *intents) hush(epoch uint64) {
	if i.loud != 0 {
		i.settle(epochIntent(epoch))
	}
	i.loud, i.hushed = 0, false
}

// hushDue ends it when its time is over. The next renewal says so to the server, for
// those who join later.
func (i *intents) hushDue(epoch uint64) {
	if i.loud != 0 && now() >= i.loud {
		i.hush(epoch)
		i.hushed = true
	}
}

// due returns copies of the intents of which no new sign has been looked for in an
// IntentTTL.
func (i *intents) due() (due []openIntent) {
	t := now()
	for _, in := range i.open {
		if in.id.Number != 0 && t >= in.since+i.ttl {
			due = append(due, *in)
		}
	}
	return due
}

// A finding says what the server's last word on an intent means.
type finding int

const (
	attended  finding = iota // somebody stands by it, or it is settled, or the next look says more
	abandoned                // nobody stands by it
	lost                     // it was settled long ago, by a record that never came
)

// judge compares an intent, as it was when it was due, with the server's answer.
func (i *intents) judge(was openIntent, said lastSign) finding {
	in := i.open[was.id]
	switch {
	case in == nil:
		return attended
	case said.known && said.sign == was.sign:
		return abandoned
	case said.known:
		in.sign, in.since, in.missing = said.sign, now(), false
	case in.missing:
		return lost
	default:
		in.since, in.missing = now(), true
	}
	return attended
}
