package gqlcache_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/cascadeql/cascadeql/cascade"
	"github.com/cascadeql/cascadeql/gqlcache/changelog"
)

// A fakeLog is a numbered log in memory. Tests say which members hear what is published,
// and which have a lease; nothing happens by itself.
type fakeLog struct {
	// carry brings a published record to another member. Nil brings it before Publish
	// returns.
	carry func(*logMember)

	mu      sync.Mutex // protects all below
	epoch   uint64
	number  uint64
	first   uint64 // the oldest record kept
	records []changelog.Record
	members []*logMember
	changed chan struct{} // closed at every change
}

func newFakeLog() *fakeLog {
	return &fakeLog{epoch: 7, number: 100, first: 101, changed: make(chan struct{})}
}

// A logMember is one instance's end of the log.
type logMember struct {
	f     *fakeLog
	level changelog.Level
	fresh atomic.Bool
	at    atomic.Pointer[changelog.Position]
	// onFresh is called whenever the lease is asked for, before it is looked at.
	onFresh atomic.Pointer[func()]
	// wrap changes the sink at the start.
	wrap func(changelog.Sink) changelog.Sink
	// cold leaves the member without a lease at its start.
	cold bool

	delivery sync.Mutex // one delivery at a time; taken before fakeLog.mu
	sink     changelog.Sink

	// Protected by fakeLog.mu.
	deaf    bool
	fail    error
	pending []changelog.Record
	closed  int
}

func (f *fakeLog) join(level changelog.Level) *logMember {
	m := &logMember{f: f, level: level}
	m.at.Store(&changelog.Position{})
	f.mu.Lock()
	defer f.mu.Unlock()
	f.members = append(f.members, m)
	return m
}

// REQUIRES: mu held.
func (f *fakeLog) news() { close(f.changed); f.changed = make(chan struct{}) }

func (f *fakeLog) change(work func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	work()
	f.news()
}

// Start implements changelog.Log.
func (m *logMember) Start(_ context.Context, sink changelog.Sink) error {
	m.delivery.Lock()
	if m.sink != nil {
		m.delivery.Unlock()
		return changelog.ErrStarted
	}
	if m.wrap != nil {
		sink = m.wrap(sink)
	}
	m.sink = sink
	m.delivery.Unlock()
	m.deliver()
	m.fresh.Store(!m.cold)
	return nil
}

// deliver applies what the member has not heard of.
func (m *logMember) deliver() {
	m.delivery.Lock()
	defer m.delivery.Unlock()
	if m.sink == nil {
		return
	}
	f, at := m.f, *m.at.Load()
	f.mu.Lock()
	epoch, number, first := f.epoch, f.number, f.first
	var missed []changelog.Record
	if at.Epoch == epoch && at.Number+1 >= first {
		missed = slices.Clone(f.records[at.Number+1-first:])
	}
	f.mu.Unlock()
	if at.Epoch != epoch || at.Number+1 < first {
		m.sink.Flush(epoch, number)
	}
	for _, r := range missed {
		m.sink.Apply(r)
	}
	m.at.Store(&changelog.Position{Epoch: epoch, Number: number})
	f.change(func() {})
}

// Publish implements changelog.Log.
func (m *logMember) Publish(ctx context.Context, tags []cascade.Tag, all bool) (changelog.Receipt, error) {
	f, r := m.f, changelog.Record{Tags: tags, All: all, Origin: fmt.Sprintf("%p", m)}
	m.delivery.Lock()
	started := m.sink != nil
	m.delivery.Unlock()
	if !started {
		return changelog.Receipt{}, changelog.ErrNotStarted
	}
	f.mu.Lock()
	fail, closed := m.fail, m.closed > 0
	if fail == nil && !closed {
		r.Number = f.append(r)
	}
	at := changelog.Position{Epoch: f.epoch, Number: r.Number}
	f.mu.Unlock()
	switch {
	case closed:
		return changelog.Receipt{}, changelog.ErrClosed
	case fail != nil:
		m.fresh.Store(false)
		f.change(func() { m.pending = append(m.pending, r) })
		m.delivery.Lock()
		m.sink.Apply(r)
		m.delivery.Unlock()
		return changelog.Receipt{Why: "failed"}, fmt.Errorf("%w: %w", changelog.ErrPending, fail)
	}
	m.deliver()
	for _, other := range f.hearing(m) {
		if f.carry != nil {
			f.carry(other)
		} else {
			other.deliver()
		}
	}
	receipt := changelog.Receipt{Epoch: at.Epoch, Number: at.Number, Confirmed: f.confirmed(ctx, m, at)}
	if !receipt.Confirmed {
		receipt.Why = "somebody has not answered"
	}
	return receipt, nil
}

// append numbers a record. REQUIRES: mu held.
func (f *fakeLog) append(r changelog.Record) uint64 {
	f.number++
	r.Number = f.number
	f.records = append(f.records, r)
	return r.Number
}

// hearing returns the other members that records reach.
func (f *fakeLog) hearing(m *logMember) (out []*logMember) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, other := range f.members {
		if other != m && !other.deaf && other.closed == 0 {
			out = append(out, other)
		}
	}
	return out
}

// confirmed waits, at the strong level, until each other member has applied the record or
// has no lease.
func (f *fakeLog) confirmed(ctx context.Context, m *logMember, at changelog.Position) bool {
	for m.level != changelog.Eventual {
		f.mu.Lock()
		changed, missing := f.changed, false
		for _, other := range f.members {
			p := *other.at.Load()
			missing = missing || other != m && other.fresh.Load() && p.Epoch <= at.Epoch && !p.Reached(at)
		}
		f.mu.Unlock()
		if !missing {
			return true
		}
		if m.level != changelog.Strong {
			return false
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return false
		}
	}
	return false
}

// Fresh implements changelog.Log.
func (m *logMember) Fresh() bool {
	if hook := m.onFresh.Load(); hook != nil {
		(*hook)()
	}
	return m.fresh.Load()
}

// Applied implements changelog.Log.
func (m *logMember) Applied() changelog.Position { return *m.at.Load() }

// CatchUp implements changelog.Log.
func (m *logMember) CatchUp(_ context.Context, p changelog.Position) error {
	m.f.mu.Lock()
	fail, epoch, number := m.fail, m.f.epoch, m.f.number
	m.f.mu.Unlock()
	switch {
	case fail != nil:
		return fail
	case p.Epoch > epoch || p.Epoch == epoch && p.Number > number:
		return changelog.ErrBehind
	}
	m.deliver()
	if p.Epoch < epoch {
		return changelog.ErrEpoch
	}
	return nil
}

// Stats implements changelog.Log.
func (m *logMember) Stats() changelog.Stats {
	m.f.mu.Lock()
	defer m.f.mu.Unlock()
	return changelog.Stats{Applied: m.Applied(), Fresh: m.fresh.Load(), Pending: len(m.pending)}
}

// Close implements changelog.Log.
func (m *logMember) Close() error {
	m.fresh.Store(false)
	m.f.change(func() { m.closed++ })
	return nil
}

// What tests do to a member.

// withhold keeps records from the member; its lease runs on.
func (m *logMember) withhold() { m.f.change(func() { m.deaf = true }) }

// lose ends the member's lease.
func (m *logMember) lose() { m.f.change(func() { m.fresh.Store(false) }) }

// breakDown makes publications of the member fail, nil ends that.
func (m *logMember) breakDown(err error) { m.f.change(func() { m.fail = err }) }

// recover lets the member hear again: it pushes what was not taken, catches up, and then
// has a lease.
func (m *logMember) recover() {
	m.f.change(func() {
		m.deaf, m.fail = false, nil
		for _, r := range m.pending {
			m.f.append(r)
		}
		m.pending = nil
	})
	m.deliver()
	m.f.change(func() { m.fresh.Store(true) })
}

// trim forgets the records so far.
func (f *fakeLog) trim() {
	f.change(func() { f.records, f.first = nil, f.number+1 })
}

// restart begins a new epoch, of which nobody knows yet; nobody has a lease.
func (f *fakeLog) restart() {
	f.change(func() {
		f.epoch, f.number = f.epoch+1, f.number/2
		f.records, f.first = nil, f.number+1
		for _, m := range f.members {
			m.fresh.Store(false)
		}
	})
}
