package redislog_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/cascadeql/cascadeql/gqlcache/changelog"
	"github.com/cascadeql/cascadeql/gqlcache/changelog/redislog"
	"github.com/cascadeql/cascadeql/gqlcache/internal/clock"
)

// intentTTL is as short as it may be.
const intentTTL = 2 * ttl

// patientTTL is long enough for signs of life to come in time on a busy machine.
const patientTTL = 4 * ttl

// A sharedStore is one that instances share.
type sharedStore struct {
	mu   sync.Mutex // protects all
	kept map[int]sharedEntry
}

type sharedEntry struct {
	v  int
	at changelog.Position
}

func (s *sharedStore) put(k int, e sharedEntry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kept[k] = e
}

func (s *sharedStore) get(k int) (sharedEntry, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.kept[k]
	return e, ok
}

// An intentInstance is a cache that knows announcements, under the product's clock and
// history, with entries of its own and a shared store.
type intentInstance struct {
	*instance
	clock  *clock.Clock
	shared *sharedStore

	mu       sync.Mutex // protects all below
	kept     map[int]kept
	open     map[changelog.Position]*clock.Intent
	names    map[changelog.Position]changelog.Record
	calls    []string // of the sink
	adoptive int      // hits in the shared store
}

type kept struct {
	v     int
	stamp *clock.Stamp
}

// called remembers a call, and wakes who waits for it.
func (l *intentInstance) called(what string) {
	l.mu.Lock()
	l.calls = append(l.calls, what)
	l.mu.Unlock()
	l.instance.mu.Lock()
	l.news()
	l.instance.mu.Unlock()
}

// Apply implements changelog.Sink.
func (l *intentInstance) Apply(r changelog.Record) {
	l.instance.Apply(r) // and the history, before the clock
	if r.All {
		l.clock.Flush()
	} else {
		l.clock.Apply(r.Tags)
	}
	l.called(fmt.Sprint("apply ", len(r.Tags)))
}

// Flush implements changelog.Sink.
func (l *intentInstance) Flush(epoch, number uint64) {
	l.instance.Flush(epoch, number)
	l.clock.Flush()
	l.called("flush")
}

// Announce implements changelog.IntentSink.
func (l *intentInstance) Announce(id changelog.Position, r changelog.Record) {
	l.mu.Lock()
	if r.All {
		l.open[id] = l.clock.AnnounceAll()
	} else {
		l.open[id] = l.clock.Announce(r.Tags)
	}
	l.names[id] = r
	l.mu.Unlock()
	l.called(fmt.Sprint("announce ", len(r.Tags)))
}

// Settle implements changelog.IntentSink.
func (l *intentInstance) Settle(id changelog.Position) {
	l.mu.Lock()
	in := l.open[id]
	delete(l.open, id)
	l.mu.Unlock()
	if in != nil {
		in.Settle()
		l.called("settle")
	}
}

// holdsBack says whether something that names a register is announced.
func (l *intentInstance) holdsBack(k int) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for id := range l.open {
		if r := l.names[id]; r.All || slices.Contains(r.Tags, entity(k)[0]) {
			return true
		}
	}
	return false
}

// history returns the sink's calls so far.
func (l *intentInstance) history() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.calls)
}

// read reads a register through the cache.
func (l *intentInstance) read(k int) int {
	if !l.Fresh() { // before the entry: see changelog.Log
		return l.db.read(k)
	}
	l.stopped.pass()
	if e, ok := l.lookup(k); ok && l.clock.Valid(e.stamp) {
		l.hits.Add(1)
		return e.v
	}
	if v, ok := l.adopt(k); ok {
		return v
	}
	at := l.Applied()
	token := l.clock.Begin()
	v := l.db.read(k)
	l.stopped.pass()
	if stamp, ok := l.clock.Finish(token, entity(k)); ok {
		l.keep(k, kept{v, stamp})
		if l.Fresh() {
			l.shared.put(k, sharedEntry{v, at})
		}
	}
	return v
}

func (l *intentInstance) lookup(k int) (kept, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e, ok := l.kept[k]
	return e, ok
}

func (l *intentInstance) keep(k int, e kept) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.kept[k] = e
}

// adopt takes an entry over from the shared store.
func (l *intentInstance) adopt(k int) (int, bool) {
	token := l.clock.Begin()
	e, ok := l.shared.get(k)
	if !ok || !l.table.Unchanged(e.at.Epoch, e.at.Number, entity(k)) {
		return 0, false
	}
	stamp, ok := l.clock.Finish(token, entity(k))
	if !ok {
		return 0, false
	}
	l.keep(k, kept{e.v, stamp})
	l.mu.Lock()
	l.adoptive++
	l.mu.Unlock()
	return e.v, true
}

// hit reads a register and reports whether it was served from what is kept here.
func (l *intentInstance) hit(k int) bool {
	before := l.hits.Load()
	l.read(k)
	return l.hits.Load() > before
}

// serves reads a register twice and reports whether either was served from what is kept
// here: what the first has computed may be.
func (l *intentInstance) serves(k int) bool {
	first, second := l.hit(k), l.hit(k)
	return first || second
}

// intend announces a change of a register.
func (l *intentInstance) intend(t testing.TB, k int) changelog.Intention {
	t.Helper()
	in, err := l.Intend(t.Context(), entity(k), false)
	if err != nil {
		t.Fatalf("Intend: %v\n%s", err, l.logged)
	}
	return in
}

// settled publishes a change of a register that was announced.
func (l *intentInstance) settled(t testing.TB, in changelog.Intention, k, v int) {
	t.Helper()
	l.db.write(k, v)
	if _, err := in.Publish(t.Context(), entity(k), false); err != nil {
		t.Fatalf("Publish: %v\n%s", err, l.logged)
	}
}

// An intentRig is some intentInstances over one database and shared store.
type intentRig struct {
	t      testing.TB
	db     *database
	shared *sharedStore
	o      redislog.Options
	all    []*intentInstance
}

// newCrew starts instances and waits until they serve from their caches.
func newIntentRig(t testing.TB, addr string, n int, o redislog.Options) *intentRig {
	t.Helper()
	if o.Namespace == "" {
		o.Namespace = namespace()
	}
	if o.IntentTTL == 0 {
		o.IntentTTL = intentTTL
	}
	c := &intentRig{t: t, db: newDatabase(), shared: &sharedStore{kept: map[int]sharedEntry{}}, o: o}
	for range n {
		c.join(addr)
	}
	for _, l := range c.all {
		l.untilFresh(t)
		l.until(t, "the end of what older epochs may have announced", func() bool { return l.Stats().Open == 0 })
	}
	return c
}

// join starts one more.
func (c *intentRig) join(addr string) *intentInstance {
	c.t.Helper()
	l := &intentInstance{
		instance: newInstance(c.t, addr, c.db, c.o), clock: clock.New(clock.Options{}), shared: c.shared,
		kept: map[int]kept{}, open: map[changelog.Position]*clock.Intent{}, names: map[changelog.Position]changelog.Record{},
	}
	if err := l.Start(context.Background(), l); err != nil {
		c.t.Fatal(err)
	}
	c.all = append(c.all, l)
	return l
}

// over waits for a time to pass, on the clock of leases.
func over(d time.Duration) { <-time.After(d) }
