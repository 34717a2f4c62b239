package redislog

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cascadeql/cascadeql/cascade/tag"
	"github.com/cascadeql/cascadeql/gqlcache/changelog"
)

// A modelSink remembers what it was given.
type modelSink struct {
	applied map[changelog.Position]bool
	flushed changelog.Position
	open    map[changelog.Position]bool
	last    changelog.Position // of the last numbered record
	fault   string
}

func (s *modelSink) Apply(r changelog.Record) {
	if r.Number == 0 {
		return
	}
	at := changelog.Position{Epoch: s.flushed.Epoch, Number: r.Number}
	if s.last.Reached(at) || s.flushed.Reached(at) {
		s.fault = fmt.Sprintf("record %v after %v and a flush at %v", at, s.last, s.flushed)
	}
	s.last, s.applied[at] = at, true
}

func (s *modelSink) Flush(epoch, number uint64) {
	s.flushed = changelog.Position{Epoch: epoch, Number: number}
}

func (s *modelSink) Announce(id changelog.Position, _ changelog.Record) { s.open[id] = true }
func (s *modelSink) Settle(id changelog.Position)                       { delete(s.open, id) }

// A modelLog is the server's side: records that are complete, of which replies and reads
// may lack some.
type modelLog struct {
	rand    *rand.Rand
	epoch   uint64
	number  uint64
	first   uint64 // before the first record
	records []streamRecord
	open    []changelog.Position
}

func (m *modelLog) begin() {
	m.epoch = max(m.epoch, m.number) + 2*epochStep
	m.number, m.first, m.records, m.open = m.epoch, m.epoch, nil, nil
}

// add logs a change, an intent, the end of one, or an end that is a change too.
func (m *modelLog) add(c changes) streamRecord {
	m.number++
	r := streamRecord{intent: c.intent, settles: c.settles}
	r.Number, r.Tags, r.All, r.Origin = m.number, c.tags, c.all, "other"
	m.records = append(m.records, r)
	m.open = slices.DeleteFunc(m.open, func(id changelog.Position) bool { return slices.Contains(c.settles, id) })
	if c.intent {
		m.open = append(m.open, changelog.Position{Epoch: m.epoch, Number: m.number})
	}
	return r
}

func (m *modelLog) change() changes {
	c := changes{count: 1, tags: []tag.Tag{{Hash: m.number + 1}}}
	switch m.rand.IntN(4) {
	case 0:
		c.intent = true
	case 1:
		if len(m.open) > 0 {
			c.settles = []changelog.Position{m.open[m.rand.IntN(len(m.open))]}
			if m.rand.IntN(2) == 0 {
				c.tags = nil
			}
		}
	}
	return c
}

// after returns the records after a number, and one time in four not the first of them.
func (m *modelLog) after(number uint64) []streamRecord {
	var list []streamRecord
	for _, r := range m.records {
		if r.Number > number {
			list = append(list, r)
		}
	}
	if len(list) > 0 && m.rand.IntN(4) == 0 {
		list = list[1+m.rand.IntN(len(list)):]
	}
	return list
}

// TestApplier gives an applier replies and reads that are late, overlap and lack records,
// in random order, and checks after each step that the invariants of Log hold which are
// the applier's.
func TestApplier(t *testing.T) {
	t.Parallel()
	leases, flushes := 0, 0
	for seed := range uint64(1000) {
		w := newModel(seed)
		for step := range 60 {
			what := w.step()
			if fault := w.fault(); fault != "" {
				t.Fatalf("seed %d, step %d, %s: %s", seed, step, what, fault)
			}
			if w.a.lease.valid() {
				leases++
			}
		}
		flushes += int(w.a.counts.flushes.Load())
	}
	if leases < 5_000 || flushes < 1_000 {
		t.Errorf("a lease after %d steps, %d flushes: the histories show too little", leases, flushes)
	}
}

// A model is an applier between a sink and a log.
type model struct {
	a       *applier
	sink    *modelSink
	log     *modelLog
	replies []func() // renewals under way, in their order
	granted changelog.Position
}

func newModel(seed uint64) *model {
	o := Options{TTL: time.Hour, IntentTTL: 3 * time.Hour, Logger: slog.New(slog.DiscardHandler), OnEvent: func(Event) {}}
	report, counts := newReporter(o), &counters{}
	w := &model{
		a: &applier{
			instance: "self", ttl: o.TTL, life: &life{ctx: context.Background()}, lease: newLease(o.TTL, report, counts),
			pending: &pending{}, owed: newOwed("self"), rounds: newRounds(), report: report, counts: counts,
			joined: make(chan struct{}), intents: intents{ttl: o.IntentTTL},
		},
		sink: &modelSink{applied: map[changelog.Position]bool{}, open: map[changelog.Position]bool{}},
		log:  &modelLog{rand: rand.New(rand.NewPCG(seed, 0))},
	}
	w.a.at.Store(&changelog.Position{})
	w.a.start(w.sink)
	w.log.begin()
	return w
}

func (w *model) step() string {
	at := w.a.position()
	switch p := w.log.rand.IntN(100); {
	case p < 1:
		w.log.begin()
		return "a new epoch"
	case p < 25:
		w.log.add(w.log.change())
		return "a record"
	case p < 45:
		w.ask()
		return "a request for a lease"
	case p < 65:
		if len(w.replies) > 0 {
			w.replies[0]()
			w.replies = w.replies[1:]
		}
		return "a reply"
	case p < 80:
		if at.Epoch == w.log.epoch {
			w.a.read(at.Epoch, w.log.after(at.Number))
		}
		return "a read"
	case p < 92:
		w.publish(w.log.change())
		return "a publication"
	case p < 96:
		w.a.pending.keep(w.log.change(), func() { w.a.lease.drop(at) })
		return "a change that the server does not take"
	}
	if c, some := w.a.pending.take(); some {
		w.publish(c)
		w.a.pending.finish(nil)
	}
	return "a push"
}

// ask asks for a lease. The reply is of now, and arrives later.
func (w *model) ask() {
	at := w.a.position()
	var look bool
	w.a.withIntents(func(open *intents, _ changelog.Position) { look = open.blind })
	reply := renewal{epoch: w.log.epoch, number: w.log.number, first: w.log.first, looked: look, quiet: true, named: true}
	if at.Epoch == reply.epoch {
		reply.missed, reply.granted = w.log.after(at.Number), true
	}
	for _, id := range w.log.open {
		reply.open = append(reply.open, openIntent{id: id, all: true})
	}
	w.replies = append(w.replies, func() {
		if w.a.learn(reply, now()) && w.a.lease.valid() {
			w.granted = changelog.Position{Epoch: reply.epoch, Number: reply.number}
		}
		w.a.ready = 0 // a term is too long for a test
	})
}

func (w *model) publish(c changes) {
	at := w.a.position()
	reply := numbered{epoch: w.log.epoch}
	if at.Epoch == w.log.epoch {
		reply.missed = w.log.after(at.Number)
	}
	reply.number = w.log.add(c).Number
	w.a.take(reply, c, now())
}

// fault returns which invariant does not hold.
func (w *model) fault() string {
	at, leased := w.a.position(), w.a.lease.valid()
	switch {
	case w.sink.fault != "":
		return w.sink.fault
	case leased && !at.Reached(w.granted):
		return fmt.Sprintf("a lease that was granted at %v, and the position is %v", w.granted, at)
	case leased && w.a.pending.count() > 0:
		return "a lease, and changes are pending"
	case leased && w.a.intents.blind:
		return "a lease, and intents may be open that are not known"
	case at.Epoch != w.log.epoch:
		return "" // the server has forgotten what was there
	}
	open := map[changelog.Position]bool{}
	for _, r := range w.log.records {
		id := changelog.Position{Epoch: at.Epoch, Number: r.Number}
		if r.Number > at.Number {
			break
		}
		if !r.silent() && !w.sink.applied[id] && !w.sink.flushed.Reached(id) {
			return fmt.Sprintf("the position is %v, and record %v was neither applied nor flushed", at, id)
		}
		open[id] = r.intent
		for _, id := range r.settles {
			delete(open, id)
		}
	}
	if w.a.intents.blind {
		return ""
	}
	for id, intent := range open {
		if intent && !w.sink.open[id] {
			return fmt.Sprintf("intent %v is open, and the sink does not know it", id)
		}
	}
	for id := range w.sink.open {
		if id.Epoch == at.Epoch && id.Number != 0 && id.Number <= at.Number && !open[id] {
			return fmt.Sprintf("intent %v is settled, and the sink holds it open", id)
		}
	}
	return ""
}

// TestUnknownRecordTwice: a renewal and a read bring the same record that cannot be
// understood. It flushes once if its ID is one of the log's, and else each time.
func TestUnknownRecordTwice(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, id string // %d is the number
		times    uint64
	}{
		{"numbered", "%d-0", 1},
		{"odd sequence", "%d-7", 2},
		{"number from before the epoch", "7-0", 2},
		{"no number", "x-0", 2},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			w := newModel(0)
			w.ask()
			w.replies[0]() // the epoch is known
			at := w.a.position()
			before := w.a.counts.flushes.Load()
			record := parseRecord(strings.Replace(row.id, "%d", formatNumber(at.Number+1), 1), "\x09what", "other")
			for range 2 {
				w.a.read(at.Epoch, []streamRecord{record})
			}
			if got := w.a.counts.flushes.Load() - before; got != row.times {
				t.Errorf("%d flushes, want %d", got, row.times)
			}
		})
	}
}
