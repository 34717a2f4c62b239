package tiered_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/cascadeql/cascadeql/gqlcache/store"
	"github.com/cascadeql/cascadeql/gqlcache/store/memstore"
	"github.com/cascadeql/cascadeql/gqlcache/store/storetest"
	"github.com/cascadeql/cascadeql/gqlcache/store/tiered"
	"github.com/cascadeql/cascadeql/internal/allocs"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func memory(t testing.TB, opts memstore.Options) *memstore.Store {
	t.Helper()
	s, err := memstore.New(opts)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// newStore makes a store that is closed with the test, its tiers with it.
func newStore(t testing.TB, opts tiered.Options) *tiered.Store {
	t.Helper()
	s, err := tiered.New(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestConformance(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, o storetest.Options) store.Store {
		t.Helper()
		return newStore(t, tiered.Options{Clock: o.Clock, Tiers: []tiered.Tier{
			{Name: "fast", Store: memory(t, memstore.Options(o))},
			{Name: "slow", Store: memory(t, memstore.Options(o))},
		}})
	})
}

func TestOptions(t *testing.T) {
	t.Parallel()
	m := memory(t, memstore.Options{})
	t.Cleanup(func() { _ = m.Close() })
	one := func(change func(*tiered.Tier)) tiered.Options {
		tier := tiered.Tier{Name: "a", Store: m}
		change(&tier)
		return tiered.Options{Tiers: []tiered.Tier{tier}}
	}
	rows := []struct {
		name string
		opts tiered.Options
		want []string
	}{
		{"one tier", one(func(*tiered.Tier) {}), nil},
		{"no tiers", tiered.Options{}, []string{"Tiers is empty"}},
		{"no name", one(func(t *tiered.Tier) { t.Name = "" }), []string{"Tiers[0].Name"}},
		{"one name twice", tiered.Options{Tiers: []tiered.Tier{{Name: "a", Store: m}, {Name: "a", Store: m}}}, []string{"Tiers[1].Name"}},
		{"no store", one(func(t *tiered.Tier) { t.Store = nil }), []string{"Store is nil"}},
		{"unknown policy", one(func(t *tiered.Tier) { t.Write = 9 }), []string{"Write is 9"}},
		{"factor above 1", one(func(t *tiered.Tier) { t.TTLFactor = 1.1 }), []string{"TTLFactor is 1.1"}},
		{"negative factor", one(func(t *tiered.Tier) { t.TTLFactor = -1 }), []string{"TTLFactor is -1"}},
		{"factor that is no number", one(func(t *tiered.Tier) { t.TTLFactor = math.NaN() }), []string{"TTLFactor is NaN"}},
		{"negative count", one(func(t *tiered.Tier) { t.PromoteEvery = -1 }), []string{"PromoteEvery is -1"}},
		{"jitter of all", one(func(t *tiered.Tier) { t.Jitter = 1 }), []string{"Jitter is 1"}},
		{"negative jitter", one(func(t *tiered.Tier) { t.Jitter = -0.1 }), []string{"Jitter is -0.1"}},
		{"jitter that is no number", one(func(t *tiered.Tier) { t.Jitter = math.NaN() }), []string{"Jitter is NaN"}},
		{"outside and nobody to adopt", one(func(t *tiered.Tier) { t.Outside = true }), []string{"Adopt is nil"}},
		{"all around", one(func(t *tiered.Tier) { t.Write = tiered.Around }), []string{"nothing would ever be stored"}},
		{"two faults", one(func(t *tiered.Tier) { t.Name, t.Store = "", nil }), []string{"Name", "Store"}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			s, err := tiered.New(row.opts)
			if (err != nil) != (len(row.want) > 0) || (s == nil) != (err != nil) {
				t.Fatalf("New = %v, %v", s, err)
			}
			for _, want := range row.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q does not say %q", err, want)
				}
			}
		})
	}
}

// A faulty store fails when it is told to, and can be stopped in Get, after it has read.
type faulty struct {
	store.Store
	mu   sync.Mutex
	err  error
	read func() // called by Get with the answer in hand
	gone func() // called by Put and Delete before they do anything
}

func (f *faulty) fail(err error) { f.mu.Lock(); f.err = err; f.mu.Unlock() }

func (f *faulty) fault() error { f.mu.Lock(); defer f.mu.Unlock(); return f.err }

func (f *faulty) Get(ctx context.Context, key []byte) (*store.Entry, error) {
	if err := f.fault(); err != nil {
		return nil, err
	}
	e, err := f.Store.Get(ctx, key)
	if f.read != nil {
		f.read()
	}
	return e, err
}

func (f *faulty) Put(ctx context.Context, key []byte, e *store.Entry) error {
	if err := f.fault(); err != nil {
		return err
	}
	if f.gone != nil {
		f.gone()
	}
	return f.Store.Put(ctx, key, e)
}

func (f *faulty) Delete(ctx context.Context, key []byte) error {
	if err := f.fault(); err != nil {
		return err
	}
	if f.gone != nil {
		f.gone()
	}
	return f.Store.Delete(ctx, key)
}

func (f *faulty) Clear(ctx context.Context) error {
	if err := f.fault(); err != nil {
		return err
	}
	return f.Store.Clear(ctx)
}

// two is a store of two tiers whose clock stands still.
type two struct {
	*tiered.Store
	fast, slow *faulty
	nanos      atomic.Int64 // the time; otter reads it in a goroutine of its own
	reports    []string
}

func (w *two) now() time.Time          { return time.Unix(0, w.nanos.Load()) }
func (w *two) advance(d time.Duration) { w.nanos.Add(int64(d)) }

func newTwo(t *testing.T, change func(*tiered.Options)) *two {
	t.Helper()
	w := &two{}
	w.advance(1_000_000 * time.Hour)
	clock := w.now
	w.fast = &faulty{Store: memory(t, memstore.Options{Clock: clock, MaxEntryBytes: 1000})}
	w.slow = &faulty{Store: memory(t, memstore.Options{Clock: clock, MaxEntryBytes: 2000})}
	opts := tiered.Options{
		Tiers:   []tiered.Tier{{Name: "fast", Store: w.fast}, {Name: "slow", Store: w.slow}},
		Clock:   clock,
		OnError: func(tier, op string, err error) { w.reports = append(w.reports, fmt.Sprint(tier, " ", op, ": ", err)) },
	}
	if change != nil {
		change(&opts)
	}
	w.Store = newStore(t, opts)
	return w
}

var key = []byte("k")

func put(t *testing.T, s store.Store, e *store.Entry) {
	t.Helper()
	if err := s.Put(t.Context(), key, e); err != nil {
		t.Fatal(err)
	}
}

// holds checks what a store has at the key; "" is nothing.
func holds(t *testing.T, s store.Store, body string) *store.Entry {
	t.Helper()
	e, err := s.Get(t.Context(), key)
	switch {
	case body == "" && errors.Is(err, store.ErrMiss):
		return nil
	case err != nil || string(e.Body) != body:
		t.Fatalf("Get = %+v, %v; want %q", e, err, body)
	}
	return e
}

func body(text string, version uint64) *store.Entry {
	return &store.Entry{Body: []byte(text), Version: version}
}

func TestPromotion(t *testing.T) {
	t.Parallel()
	w := newTwo(t, nil)
	e := body("a", 1)
	e.Expires = w.now().Add(time.Minute)
	put(t, w.slow, e)
	holds(t, w.fast, "")
	w.advance(20 * time.Second)
	got := holds(t, w, "a")
	if up := holds(t, w.fast, "a"); up != got || !up.Expires.Equal(e.Expires) {
		t.Errorf("moved up as %+v, want the time of %+v", up, e)
	}
	holds(t, w, "a")
	if st := w.Stats(); st.Hits != 3 || st.Misses != 0 { // one of them above, of the fast tier itself
		t.Errorf("figures %+v", st)
	}
	tiers := w.Tiers()
	if tiers[0].Name != "fast" || tiers[0].Promotions != 1 || tiers[1].Hits != 1 || tiers[1].Promotions != 0 {
		t.Errorf("figures %+v", tiers)
	}
	w.advance(40 * time.Second)
	holds(t, w, "")
}

// TestPromoteEvery: the n-th hit of a tier moves up, also when each is of another key, and
// what has not moved up is returned all the same.
func TestPromoteEvery(t *testing.T) {
	t.Parallel()
	fast, slow := memory(t, memstore.Options{}), memory(t, memstore.Options{})
	s := newStore(t, tiered.Options{Tiers: []tiered.Tier{{Name: "fast", Store: fast}, {Name: "slow", Store: slow, PromoteEvery: 3}}})
	get := func(key string) {
		t.Helper()
		if e, err := s.Get(t.Context(), []byte(key)); err != nil || string(e.Body) != key {
			t.Fatalf("%s: %+v, %v", key, e, err)
		}
	}
	for i := range 9 {
		if err := slow.Put(t.Context(), fmt.Append(nil, i), body(fmt.Sprint(i), 1)); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 9 {
		get(fmt.Sprint(i))
	}
	if got := s.Tiers()[0]; got.Promotions != 3 || got.Entries != 3 {
		t.Errorf("a scan of 9 keys: %+v", got)
	}
	for range 3 {
		get("0")
	}
	if got := s.Tiers()[0].Promotions; got != 4 {
		t.Errorf("%d moves up after three hits of one key more, want 4", got)
	}
	if got := s.Stats(); got.Hits != 12 || got.Misses != 0 {
		t.Errorf("figures %+v", got)
	}
}

// TestThreeTiers moves an entry up through all tiers on its way, whichever of them fails.
func TestThreeTiers(t *testing.T) {
	t.Parallel()
	var stores [3]*faulty
	var tiers []tiered.Tier
	for i := range stores {
		stores[i] = &faulty{Store: memory(t, memstore.Options{})}
		tiers = append(tiers, tiered.Tier{Name: fmt.Sprint(i), Store: stores[i]})
	}
	s := newStore(t, tiered.Options{Tiers: tiers})
	put(t, stores[2], body("a", 1))
	stores[1].fail(errors.New("broken"))
	holds(t, s, "a")
	holds(t, stores[0], "a")
	stores[1].fail(nil)
	if err := stores[0].Delete(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	holds(t, s, "a")
	holds(t, stores[1], "a")
	if got := s.Tiers(); got[0].Promotions != 2 || got[1].Promotions != 1 || got[1].Faults != 2 {
		t.Errorf("figures %+v", got)
	}
}

func TestTTLFactor(t *testing.T) {
	t.Parallel()
	w := newTwo(t, func(o *tiered.Options) { o.Tiers[0].TTLFactor = 0.25 })
	e := body("a", 1)
	e.Expires = w.now().Add(80 * time.Second)
	put(t, w, e)
	if got := holds(t, w.fast, "a").Expires.Sub(w.now()); got != 20*time.Second {
		t.Errorf("put with %v, want 20s", got)
	}
	if got := holds(t, w.slow, "a").Expires.Sub(w.now()); got != 80*time.Second {
		t.Errorf("the slow tier got %v, want 80s", got)
	}
	w.advance(40 * time.Second) // the copy is gone, the original has 40 s left
	got := holds(t, w, "a")
	if left := got.Expires.Sub(w.now()); left != 10*time.Second {
		t.Errorf("moved up with %v, want 10s", left)
	}
	// What Get returned is what DeleteEntry knows.
	if err := w.DeleteEntry(t.Context(), key, got); err != nil {
		t.Fatal(err)
	}
	holds(t, w.fast, "")
	never := body("never", 2)
	put(t, w, never)
	if got := holds(t, w.fast, "never"); !got.Expires.IsZero() {
		t.Errorf("expires %v, want never", got.Expires)
	}
}

// TestJitter: copies of entries that expire together do not, and none outlives its
// original.
func TestJitter(t *testing.T) {
	t.Parallel()
	w := newTwo(t, func(o *tiered.Options) { o.Tiers[0].TTLFactor, o.Tiers[0].Jitter = 0.5, 0.4 })
	seen := map[time.Duration]bool{}
	for n := range 50 {
		k := fmt.Append(nil, "key ", n)
		e := body("a", 1)
		e.Expires = w.now().Add(100 * time.Second)
		if err := w.Put(t.Context(), k, e); err != nil {
			t.Fatal(err)
		}
		got, err := w.fast.Get(t.Context(), k)
		if err != nil {
			t.Fatal(err)
		}
		left := got.Expires.Sub(w.now())
		if left > 50*time.Second || left < 30*time.Second {
			t.Errorf("put with %v, want from 30s to 50s", left)
		}
		seen[left] = true
		if got, err = w.slow.Get(t.Context(), k); err != nil || got.Expires.Sub(w.now()) != 100*time.Second {
			t.Errorf("the slow tier got %+v, %v, want 100s", got, err)
		}
	}
	if len(seen) < 40 {
		t.Errorf("%d different ages of 50", len(seen))
	}
}

// TestGetIf passes over what the caller refuses, moves up what it accepts, and counts
// both.
func TestGetIf(t *testing.T) {
	t.Parallel()
	w := newTwo(t, nil)
	only := func(want string) func(*store.Entry) bool {
		return func(e *store.Entry) bool { return string(e.Body) == want }
	}
	put(t, w.fast, body("old", 1))
	put(t, w.slow, body("young", 2))
	if e, err := w.GetIf(t.Context(), key, only("young")); err != nil || string(e.Body) != "young" {
		t.Fatalf("GetIf = %+v, %v", e, err)
	}
	holds(t, w.fast, "young")
	if e, err := w.GetIf(t.Context(), key, only("young")); err != nil || string(e.Body) != "young" {
		t.Fatalf("GetIf = %+v, %v", e, err)
	}
	if e, err := w.GetIf(t.Context(), key, only("none")); !errors.Is(err, store.ErrMiss) {
		t.Errorf("GetIf = %+v, %v, want a miss", e, err)
	}
	tiers := w.Tiers()
	if tiers[0].Rejected != 2 || tiers[0].Promotions != 1 || tiers[1].Rejected != 1 {
		t.Errorf("figures %+v", tiers)
	}
	// One of the hits is the look at the fast tier above.
	if st := w.Stats(); st.Hits != 3 || st.Misses != 1 {
		t.Errorf("figures %+v, want 3 hits and a miss", st)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := w.GetIf(t.Context(), key, only("young")); !errors.Is(err, store.ErrClosed) {
		t.Errorf("GetIf = %v, want ErrClosed", err)
	}
}

// TestGetAll: each tier is asked for what those before it have not, or have and was refused,
// and what is found moves up. A tier that fails is left alone.
func TestGetAll(t *testing.T) {
	t.Parallel()
	w := newTwo(t, nil)
	keys := [][]byte{[]byte("fast"), []byte("slow"), []byte("both"), []byte("none")}
	for _, p := range []struct {
		in   store.Store
		key  string
		body string
	}{{w.fast, "fast", "fast"}, {w.slow, "slow", "slow"}, {w.fast, "both", "old"}, {w.slow, "both", "young"}} {
		version := uint64(1)
		if p.body == "young" {
			version = 2
		}
		if err := p.in.Put(t.Context(), []byte(p.key), body(p.body, version)); err != nil {
			t.Fatal(err)
		}
	}
	get := func(ok func(int, *store.Entry) bool) (got string) {
		t.Helper()
		all, err := w.GetAll(t.Context(), keys, ok)
		if err != nil {
			t.Error(err)
		}
		for _, e := range all {
			if e != nil {
				got += string(e.Body)
			}
			got += ","
		}
		return got
	}
	if got := get(nil); got != "fast,slow,old,," {
		t.Errorf("got %s", got)
	}
	if got := get(func(_ int, e *store.Entry) bool { return string(e.Body) != "old" }); got != "fast,slow,young,," {
		t.Errorf("got %s", got)
	}
	tiers := w.Tiers()
	if tiers[0].Rejected != 1 || tiers[0].Promotions != 2 || tiers[1].Rejected != 0 {
		t.Errorf("figures %+v", tiers)
	}
	for key, want := range map[string]string{"slow": "slow", "both": "young"} {
		if e, err := w.fast.Get(t.Context(), []byte(key)); err != nil || string(e.Body) != want {
			t.Errorf("%s has not moved up: %+v, %v", key, e, err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if all, err := w.GetAll(t.Context(), keys, nil); !errors.Is(err, store.ErrClosed) || len(all) != len(keys) {
		t.Errorf("%v, %v after Close", all, err)
	}
}

func TestAround(t *testing.T) {
	t.Parallel()
	w := newTwo(t, func(o *tiered.Options) { o.Tiers[0].Write = tiered.Around })
	put(t, w, body("a", 1))
	holds(t, w.fast, "")
	holds(t, w, "a")
	holds(t, w.fast, "a") // by reading
	put(t, w, body("b", 1))
	holds(t, w.fast, "")
	holds(t, w, "b")
}

func TestTooLarge(t *testing.T) {
	t.Parallel()
	w := newTwo(t, nil)
	put(t, w, body("a", 1))
	large := body("large", 2)
	large.Size = 1500
	put(t, w, large)
	holds(t, w.fast, "") // not the one before
	holds(t, w, "large")
	huge := body("huge", 3)
	huge.Size = 2500
	if err := w.Put(t.Context(), key, huge); !errors.Is(err, store.ErrTooLarge) {
		t.Errorf("Put = %v, want ErrTooLarge", err)
	}
	holds(t, w, "large")
	if len(w.reports) > 0 {
		t.Errorf("reports %q, want none", w.reports)
	}
}

func TestAdopt(t *testing.T) {
	t.Parallel()
	var ok bool
	var adopted *store.Entry
	w := newTwo(t, func(o *tiered.Options) {
		o.Tiers[1].Outside = true
		o.Adopt = func(k []byte, e *store.Entry) (*store.Entry, bool) {
			if string(k) != string(key) || string(e.Body) != "theirs" {
				return nil, false
			}
			return adopted, ok
		}
	})
	put(t, w.slow, body("theirs", 1))
	holds(t, w, "")
	holds(t, w.fast, "")
	holds(t, w.slow, "theirs")
	ok, adopted = true, body("ours", 1)
	if got := holds(t, w, "ours"); got != adopted {
		t.Error("another entry than Adopt has made")
	}
	ok = false // is not asked about what was moved up
	if got := holds(t, w, "ours"); got != adopted {
		t.Error("another entry than Adopt has made")
	}
	if tiers := w.Tiers(); tiers[1].Rejected != 1 || w.Stats().Misses != 1 || w.Stats().Hits != 2 {
		t.Errorf("figures %+v, %+v", tiers, w.Stats())
	}
}

// TestFirstTierOutside has nothing but a tier of others.
func TestFirstTierOutside(t *testing.T) {
	t.Parallel()
	ok := false
	s := newStore(t, tiered.Options{
		Tiers: []tiered.Tier{{Name: "only", Store: memory(t, memstore.Options{}), Outside: true}},
		Adopt: func(_ []byte, e *store.Entry) (*store.Entry, bool) { return e, ok },
	})
	put(t, s, body("a", 1))
	holds(t, s, "")
	ok = true
	holds(t, s, "a")
	if st := s.Stats(); st.Hits != 1 || st.Misses != 1 {
		t.Errorf("figures %+v", st)
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	for _, which := range []string{"fast", "slow"} {
		t.Run(which, func(t *testing.T) {
			t.Parallel()
			w := newTwo(t, nil)
			bad, good := w.fast, w.slow
			if which == "slow" {
				bad, good = good, bad
			}
			put(t, w, body("a", 1))
			bad.fail(broken)
			holds(t, w, "a")
			put(t, w, body("b", 2))
			holds(t, good, "b")
			if err := w.Delete(t.Context(), key); !errors.Is(err, broken) || !strings.Contains(err.Error(), which) {
				t.Errorf("Delete = %v, want the fault of %s", err, which)
			}
			holds(t, good, "")
			holds(t, w, "")
			put(t, w, body("c", 3))
			if err := w.Clear(t.Context()); !errors.Is(err, broken) {
				t.Errorf("Clear = %v, want the fault", err)
			}
			holds(t, good, "")
			good.fail(broken)
			holds(t, w, "")
			if err := w.Put(t.Context(), key, body("d", 4)); !errors.Is(err, broken) {
				t.Errorf("Put = %v, want the fault: nobody took it", err)
			}
			faults := uint64(0)
			for _, tier := range w.Tiers() {
				faults += tier.Faults
			}
			if len(w.reports) == 0 || faults != uint64(len(w.reports)) {
				t.Errorf("%d faults, reports %q", faults, w.reports)
			}
		})
	}
	t.Run("a caller who leaves is none", func(t *testing.T) {
		t.Parallel()
		w := newTwo(t, nil)
		w.slow.fail(context.Canceled)
		holds(t, w, "")
		if len(w.reports) > 0 {
			t.Errorf("reports %q", w.reports)
		}
	})
}

// TestPutOrder: what is put goes to the slowest tier first. While that still has the older
// entry, the faster one may lose the newer, and get the older by a read:
//
//	put                        read
//	the fast tier has it
//	                           the fast tier has lost it: the slow one has the older
//	                           the older moves up
//	the slow tier has it
//
// Later reads would get the older one.
func TestPutOrder(t *testing.T) {
	t.Parallel()
	w := newTwo(t, nil)
	put(t, w.slow, body("old", 1))
	w.slow.gone = func() {
		w.slow.gone = nil
		if err := w.fast.Delete(t.Context(), key); err != nil {
			t.Error(err)
		}
		holds(t, w, "old")
	}
	put(t, w, body("new", 1))
	holds(t, w, "new")
}

// TestNoMoveAfter stops a Get after it has read from the slow tier, and lets it go on
// when a writer has returned.
func TestNoMoveAfter(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name  string
		write func(context.Context, *two, *store.Entry) error
		want  string // what the fast tier holds in the end
	}{
		{"nothing", func(context.Context, *two, *store.Entry) error { return nil }, "old"},
		{"Delete", func(ctx context.Context, w *two, _ *store.Entry) error { return w.Delete(ctx, key) }, ""},
		{"DeleteEntry", func(ctx context.Context, w *two, e *store.Entry) error { return w.DeleteEntry(ctx, key, e) }, ""},
		{"Clear", func(ctx context.Context, w *two, _ *store.Entry) error { return w.Clear(ctx) }, ""},
		{"Put of the same version", func(ctx context.Context, w *two, _ *store.Entry) error { return w.Put(ctx, key, body("new", 1)) }, "new"},
		{"Put of what does not fit", func(ctx context.Context, w *two, _ *store.Entry) error {
			return w.Put(ctx, key, &store.Entry{Version: 2, Size: 1500})
		}, ""},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			w := newTwo(t, nil)
			old := body("old", 1)
			put(t, w.slow, old)
			w.slow.read = func() {
				w.slow.read = nil
				if err := row.write(t.Context(), w, old); err != nil {
					t.Error(err)
				}
			}
			holds(t, w, "old")
			holds(t, w.fast, row.want)
		})
	}
}

// TestMoveWithin runs a whole Get just before a writer comes to the slow tier.
func TestMoveWithin(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{"Delete": "", "Put": "new"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newTwo(t, nil)
			put(t, w.slow, body("old", 1))
			w.slow.gone = func() {
				w.slow.gone = nil
				holds(t, w, "old")
			}
			if name == "Put" {
				put(t, w, body("new", 1))
			} else if err := w.Delete(t.Context(), key); err != nil {
				t.Fatal(err)
			}
			holds(t, w.fast, want)
			holds(t, w.slow, want)
		})
	}
}

// TestTakenBack lets the writer come between a move's look at the counter and its put.
func TestTakenBack(t *testing.T) {
	t.Parallel()
	w := newTwo(t, nil)
	late := &lateDelete{Store: w.fast, slow: w.slow}
	s := newStore(t, tiered.Options{Tiers: []tiered.Tier{{Name: "fast", Store: late}, {Name: "slow", Store: w.slow}}})
	late.whole = s
	put(t, w.slow, body("old", 1))
	holds(t, s, "old")
	holds(t, w.fast, "")
}

// lateDelete deletes from all tiers just before its first put.
type lateDelete struct {
	store.Store
	whole store.Store
	slow  store.Store
	once  sync.Once
}

func (l *lateDelete) Put(ctx context.Context, key []byte, e *store.Entry) error {
	var err error
	l.once.Do(func() { err = l.whole.Delete(ctx, key) })
	return errors.Join(err, l.Store.Put(ctx, key, e))
}

func TestClose(t *testing.T) {
	t.Parallel()
	w := newTwo(t, nil)
	put(t, w, body("a", 1))
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	for _, tier := range []store.Store{w.fast, w.slow} {
		if _, err := tier.Get(t.Context(), key); !errors.Is(err, store.ErrClosed) {
			t.Errorf("a tier says %v, want ErrClosed", err)
		}
	}
	if len(w.reports) > 0 {
		t.Errorf("reports %q", w.reports)
	}
}

func TestHitDoesNotAllocate(t *testing.T) {
	// Not parallel: the runtime counts the allocations of all goroutines.
	s := newStore(t, tiered.Options{Tiers: []tiered.Tier{
		{Name: "fast", Store: memory(t, memstore.Options{})}, {Name: "slow", Store: memory(t, memstore.Options{})},
	}})
	put(t, s, body("a", 1))
	ctx := context.Background()
	if n := allocs.PerRun(1000, func() {
		if _, err := s.Get(ctx, key); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("a hit allocates %v times", n)
	}
}

func BenchmarkFirstTierHit(b *testing.B) {
	one := memory(b, memstore.Options{})
	rows := []struct {
		name string
		s    store.Store
	}{
		{"alone", memory(b, memstore.Options{})},
		{"tiered", newStore(b, tiered.Options{Tiers: []tiered.Tier{{Name: "fast", Store: one}, {Name: "slow", Store: memory(b, memstore.Options{})}}})},
	}
	for _, row := range rows {
		b.Run(row.name, func(b *testing.B) {
			ctx := context.Background()
			if err := row.s.Put(ctx, key, body("a", 1)); err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				_, _ = row.s.Get(ctx, key)
			}
		})
	}
	_ = rows[0].s.Close()
}
