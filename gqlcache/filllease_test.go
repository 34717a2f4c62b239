package gqlcache_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/internal/testgraph"
	"github.com/cascadeql/cascadeql/gqlcache/store/redisstore"
	"github.com/cascadeql/cascadeql/internal/redistest"
	"github.com/cascadeql/cascadeql/internal/rounds"
)

// fakeLeases gives out the leases of what several caches share.
type fakeLeases struct {
	mu      sync.Mutex // protects all below
	held    map[string]bool
	taken   int // leases given out
	fail    func() error
	refused chan struct{} // gets a value, if there is room, when somebody is not the holder
}

func newFakeLeases() *fakeLeases {
	return &fakeLeases{held: map[string]bool{}, refused: make(chan struct{}, 1)}
}

// A leasingShared is one cache's end of the shared entries and of their leases.
type leasingShared struct {
	*fakeShared
	*fakeLeases
}

// Lease implements store.Leaser.
func (c leasingShared) Lease(_ context.Context, key []byte, _ time.Duration) (func(context.Context), bool, error) {
	none := func(context.Context) {}
	d, k := c.fakeLeases, string(key)
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.fail != nil {
		if err := d.fail(); err != nil {
			return none, false, err
		}
	}
	if d.held[k] || d.held["*"] {
		select {
		case d.refused <- struct{}{}:
		default:
		}
		return none, false, nil
	}
	d.held[k] = true
	d.taken++
	return func(context.Context) {
		d.mu.Lock()
		defer d.mu.Unlock()
		delete(d.held, k)
	}, true, nil
}

// LeaseAll implements store.BatchLeaser.
func (c leasingShared) LeaseAll(ctx context.Context, keys [][]byte, ttl time.Duration) (held []bool, release func(context.Context), err error) {
	var all []func(context.Context)
	held = make([]bool, len(keys))
	for n, key := range keys {
		var end func(context.Context)
		if end, held[n], err = c.Lease(ctx, key, ttl); err != nil {
			break
		}
		all = append(all, end)
	}
	return held, func(ctx context.Context) {
		for _, end := range all {
			end(ctx)
		}
	}, err
}

// open reports how many leases are held.
func (d *fakeLeases) open() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.held)
}

// leased are two instances that wait so long for each other.
func leased(t *testing.T, wait time.Duration) (*instances, *fakeLeases) {
	t.Helper()
	d := newFakeLeases()
	return newInstances(t, 2, func(m *instance, o *gqlcache.Options) {
		o.Shared, o.FillLease = leasingShared{m.shared, d}, wait
	}), d
}

// TestFillLease: a cold key is computed once.
func TestFillLease(t *testing.T) {
	t.Parallel()
	r, d := leased(t, time.Hour)
	a, b := r.two()
	latch := r.rows.Block("Query.user")
	first := a.begin(readAnn)
	receive(t, latch.Reached, "the computation")
	done := make(chan struct{})
	go func() { defer close(done); b.want("HIT shared", "Ann", readAnn) }()
	<-d.refused
	latch.Release()
	first.wait(t)
	receive(t, done, "the answer of the other")
	if n := r.rows.Calls("Query.user"); n != 1 {
		t.Errorf("%d computations, want 1", n)
	}
	if d.open() != 0 || d.taken < 1 || b.cache.Stats().LeaseWaits != 0 {
		t.Errorf("%d leases held, %d taken, %+v", d.open(), d.taken, b.cache.Stats())
	}
}

// spoiledLeases are what may become of the leases of two instances, one after the other, how
// long they wait, and how often the first one has in vain.
var spoiledLeases = []struct {
	name  string
	wait  time.Duration
	spoil func(*fakeLeases)
	waits uint64
	fails bool // the store
}{
	{"the holder has died", 20 * time.Millisecond, func(d *fakeLeases) { d.held["*"] = true }, 1, false},
	{"the store fails", time.Hour, func(d *fakeLeases) { d.fail = func() error { return errors.New("no") } }, 0, true},
	{"the store panics", time.Hour, func(d *fakeLeases) { d.fail = func() error { panic("no") } }, 0, true},
}

// TestFillLeaseIsAdvice: whatever becomes of the lease, the query is answered.
func TestFillLeaseIsAdvice(t *testing.T) {
	t.Parallel()
	for _, row := range spoiledLeases {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			r, d := leased(t, row.wait)
			row.spoil(d)
			a, b := r.two()
			a.want("MISS", "Ann", readAnn)
			b.want("HIT shared", "Ann", readAnn) // without a lease
			s := a.cache.Stats()
			if s.LeaseWaits != row.waits || (s.StoreErrors > 0) != row.fails {
				t.Errorf("%d waits in vain, %d errors", s.LeaseWaits, s.StoreErrors)
			}
		})
	}
}

// TestFillLeaseIsGivenUp: a holder whose answer is not stored lets the next one compute
// at once.
func TestFillLeaseIsGivenUp(t *testing.T) {
	t.Parallel()
	r, d := leased(t, time.Hour)
	a, b := r.two()
	latch := r.rows.Block("Query.user")
	first := a.begin(readAnn)
	receive(t, latch.Reached, "the computation")
	done := make(chan struct{})
	go func() { defer close(done); b.want("MISS invalidated", "New", readAnn) }() // it arrived before the change
	<-d.refused
	a.want("INVALIDATED", "", renameAnn) // so the first answer is void
	latch.Release()
	first.wait(t)
	receive(t, done, "the answer of the other")
	if d.open() != 0 {
		t.Errorf("%d leases are held", d.open())
	}
}

// TestFillLeaseAndEndedRequests: who waits for a lease obeys its request.
func TestFillLeaseAndEndedRequests(t *testing.T) {
	t.Parallel()
	r, d := leased(t, time.Hour)
	d.held["*"] = true
	a := r.all[0]
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		testgraph.Do(t, ctx, a.h, testgraph.Request{Query: expand(readAnn)})
	}()
	<-d.refused
	cancel()
	receive(t, done, "the end of the request")
}

// storeLease is how long the shared store lets one instance compute for all, at least. A
// machine that takes longer may have two of them compute.
const storeLease = 3 * time.Second

// untroubled waits until instances have leases of the log. What it returns tells whether
// they have had them since, and whether Redis has answered: on a busy machine they may not,
// and then each computes for itself.
func untroubled(all []*instance) func() bool {
	troubles := func() (n uint64) {
		for _, m := range all {
			st := m.cache.Stats()
			n += st.Log.LeasesLost + st.LogErrors + st.StoreErrors + st.LeaseWaits
			for _, more := range st.Bypassed {
				n += more
			}
			for _, v := range m.cache.ComputedStats() {
				n += v.Bypassed[gqlcache.ReasonLease]
			}
		}
		return n
	}
	for _, m := range all {
		eventually(m.t, "a lease", func() bool { return m.cache.Stats().Log.Fresh })
	}
	before := troubles()
	return func() bool { return troubles() == before }
}

// TestFillLeaseInRedis: three instances, a cold key, one computation.
func TestFillLeaseInRedis(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name  string
		write redisstore.Policy
	}{{"written behind", redisstore.Behind}, {"written through", redisstore.Through}} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			s := redistest.Start(t)
			all := redisInstances(t, 3, s, func(o *gqlcache.Options) {
				shared, err := redisstore.New(redisstore.Options{
					Client: s.Client(), Prefix: "gqlc", DecodeMeta: gqlcache.DecodeMeta, Write: row.write,
					ReadTimeout: 5 * time.Second, WriteTimeout: 5 * time.Second,
				})
				if err != nil {
					t.Fatal(err)
				}
				o.Shared, o.FillLease = shared, time.Minute
			})
			rows := all[0].rows
			rounds.Until(t, "each time the machine was too busy for the leases of the log", func(round int) bool {
				calm, before, began := untroubled(all), rows.Calls("Query.user"), time.Now()
				latch := rows.Block("Query.user")
				var calls []*call
				for _, m := range all {
					calls = append(calls, m.begin(fmt.Sprintf("{u%d:user(id:$Ann){name}}", round)))
				}
				receive(t, latch.Reached, "a computation")
				latch.Release()
				for _, c := range calls {
					if data := string(c.wait(t).Data); data == "" || data == "null" {
						t.Errorf("answer %q", data)
					}
				}
				if !calm() {
					return false
				}
				n := rows.Calls("Query.user") - before
				if n != 1 && time.Since(began) < storeLease {
					t.Errorf("%d computations, want 1", n)
				}
				return n == 1
			})
			left := func() int { return len(s.Client().Keys(t.Context(), "gqlc:l:*").Val()) }
			eventually(t, "the end of the lease", func() bool { return left() == 0 })
		})
	}
}
