package redislog_test

import (
	"context"
	"log/slog"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"github.com/cascadeql/cascadeql/cascade/tag"
	"github.com/cascadeql/cascadeql/gqlcache/changelog"
	"github.com/cascadeql/cascadeql/gqlcache/changelog/redislog"
	"github.com/cascadeql/cascadeql/gqlcache/internal/history"
	"github.com/cascadeql/cascadeql/internal/redistest"
)

// silent keeps go-redis' own remarks out of the output: broken connections are what the
// tests are about.
type silent struct{}

func (silent) Printf(context.Context, string, ...any) {}

func TestMain(m *testing.M) {
	redis.SetLogger(silent{})
	if addr := os.Getenv(mutatorEnv); addr != "" {
		mutate(addr, os.Getenv(mutatorEnv+"_NAMESPACE"))
		return
	}
	redistest.WaitInParallel(16)
	goleak.VerifyTestMain(m)
}

// patience is how long a test waits for what must happen some time. No test measures
// speed.
const patience = 30 * time.Second

// ttl is the lease in tests: short, and long enough for a busy machine to renew it
// mostly.
const ttl = 800 * time.Millisecond

// entity is the tag of one register.
func entity(k int) []tag.Tag {
	return []tag.Tag{{Hash: uint64(k + 1), Mask: ^uint64(0)}}
}

// A database has registers that only grow.
type database struct {
	mu     sync.Mutex
	values map[int]int
}

func newDatabase() *database { return &database{values: map[int]int{}} }

func (d *database) read(k int) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.values[k]
}

func (d *database) write(k, v int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.values[k] = v
}

// An instance is a small cache in front of the database, which is the sink of a log. It
// records what it was told.
type instance struct {
	*redislog.Log
	db      *database
	logged  *syncBuffer
	table   *history.Table
	stopped gate // a stopped process: everything of it stands still
	deaf    gate // records do not arrive as they are logged
	renewal gate // leases are not renewed
	reply   gate // replies to renewals are not looked at
	hits    atomic.Int64

	mu      sync.Mutex // protects all below
	clock   int
	entries map[int]int    // by register
	changed map[uint64]int // by tag, the clock
	floor   int
	records []changelog.Record
	flushes []changelog.Position
	events  []redislog.Event
	happens chan struct{} // closed at the next event, record or flush
}

func (i *instance) news() { close(i.happens); i.happens = make(chan struct{}) }

// Apply implements changelog.Sink.
func (i *instance) Apply(r changelog.Record) {
	i.table.Note(r)
	i.mu.Lock()
	defer i.mu.Unlock()
	i.clock++
	if r.All {
		i.floor = i.clock
	}
	for _, t := range r.Tags {
		i.changed[t.Hash] = i.clock
		delete(i.entries, int(t.Hash)-1)
	}
	if r.All {
		clear(i.entries)
	}
	i.records = append(i.records, r)
	i.news()
}

// Flush implements changelog.Sink.
func (i *instance) Flush(epoch, number uint64) {
	i.table.Flush(epoch, number)
	i.mu.Lock()
	defer i.mu.Unlock()
	i.clock++
	i.floor = i.clock
	clear(i.entries)
	i.flushes = append(i.flushes, changelog.Position{Epoch: epoch, Number: number})
	i.news()
}

func (i *instance) event(e redislog.Event) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.events = append(i.events, e)
	i.news()
}

// read reads a register through the cache.
func (i *instance) read(k int) int {
	fresh := i.Fresh() // before the entry: see changelog.Log
	i.stopped.pass()
	i.mu.Lock()
	v, ok := i.entries[k]
	token := i.clock
	i.mu.Unlock()
	if ok && fresh {
		i.hits.Add(1)
		return v
	}
	v = i.db.read(k)
	i.stopped.pass()
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.changed[uint64(k+1)] <= token && i.floor <= token {
		i.entries[k] = v
	}
	return v
}

// cached returns what the entry of a register is, valid or not.
func (i *instance) cached(k int) (int, bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	v, ok := i.entries[k]
	return v, ok
}

// write changes a register and publishes that.
func (i *instance) write(t testing.TB, k, v int) (changelog.Receipt, error) {
	t.Helper()
	i.db.write(k, v)
	return i.Publish(t.Context(), entity(k), false)
}

// until waits for a condition, which is looked at whenever something happens to the
// instance, and now and then.
func (i *instance) until(t testing.TB, what string, condition func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(patience)
	for {
		i.mu.Lock()
		happens := i.happens
		i.mu.Unlock()
		if condition() {
			return
		}
		select {
		case <-happens:
		case <-tick.C:
		case <-limit:
			t.Fatalf("%s: not within %v; %+v\n%s", what, patience, i.Stats(), i.logged)
		}
	}
}

func (i *instance) untilFresh(t testing.TB) {
	t.Helper()
	i.until(t, "a lease", i.Fresh)
}

// had counts the events of a kind.
func (i *instance) had(kind redislog.EventKind) int {
	i.mu.Lock()
	defer i.mu.Unlock()
	n := 0
	for _, e := range i.events {
		if e.Kind == kind {
			n++
		}
	}
	return n
}

// numbers are those of the records applied.
func (i *instance) numbers() []uint64 {
	i.mu.Lock()
	defer i.mu.Unlock()
	var n []uint64
	for _, r := range i.records {
		n = append(n, r.Number)
	}
	return n
}

// A gate can be shut.
type gate struct {
	mu      sync.Mutex
	shut    chan struct{} // nil when open
	waiting int           // how many stand before it
}

func (g *gate) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.shut == nil {
		g.shut = make(chan struct{})
	}
}

func (g *gate) open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.shut != nil {
		close(g.shut)
		g.shut = nil
	}
}

func (g *gate) pass() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if shut := g.shut; shut != nil {
		g.waiting++
		g.mu.Unlock()
		<-shut
		g.mu.Lock()
		g.waiting--
	}
}

func (g *gate) holds() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.waiting > 0
}

// syncBuffer collects a log.
type syncBuffer struct{ redistest.Output }

// lines counts those that contain a text.
func (b *syncBuffer) lines(text string) int { return strings.Count(b.String(), text) }

var namespaces atomic.Int64

// namespace is a new one.
func namespace() string { return "t" + strconv.FormatInt(namespaces.Add(1), 10) }

// newInstance returns an instance that is not started. It is closed with the test.
func newInstance(t testing.TB, addr string, db *database, o redislog.Options) *instance {
	t.Helper()
	return newInstanceOf(t, redistest.Client(t, addr), db, o)
}

// newInstanceOf is newInstance with a client of any kind, which stays the caller's.
func newInstanceOf(t testing.TB, client redis.UniversalClient, db *database, o redislog.Options) *instance {
	t.Helper()
	i := &instance{db: db, logged: &syncBuffer{}, table: history.New(0),
		entries: map[int]int{}, changed: map[uint64]int{}, happens: make(chan struct{})}
	if o.TTL == 0 {
		o.TTL = ttl
	}
	if o.Namespace == "" {
		o.Namespace = "main"
	}
	o.Logger = slog.New(slog.NewTextHandler(i.logged, nil))
	o.OnEvent = i.event
	log, err := redislog.New(client, o)
	if err != nil {
		t.Fatal(err)
	}
	i.Log = log
	log.Gate(func(point string) {
		i.stopped.pass()
		switch point {
		case "read":
			i.deaf.pass()
			i.stopped.pass()
		case "renew":
			i.renewal.pass()
		case "renewed":
			i.reply.pass()
		}
	})
	t.Cleanup(func() {
		i.stopped.open()
		i.deaf.open()
		i.renewal.open()
		i.reply.open()
		_ = log.Close()
	})
	return i
}

// startInstance starts one.
func startInstance(t testing.TB, addr string, db *database, o redislog.Options) *instance {
	t.Helper()
	i := newInstance(t, addr, db, o)
	if err := i.Start(t.Context(), i); err != nil {
		t.Fatal(err)
	}
	return i
}

// startFresh starts some instances and waits until each has a lease.
func startFresh(t testing.TB, n int, addr string, o redislog.Options) []*instance {
	t.Helper()
	db := newDatabase()
	var all []*instance
	for range n {
		all = append(all, startInstance(t, addr, db, o))
	}
	for _, i := range all {
		i.untilFresh(t)
	}
	return all
}

func contains(l []uint64, n uint64) bool { return slices.Contains(l, n) }
