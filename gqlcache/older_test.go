package gqlcache_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/internal/testgraph"
	"github.com/cascadeql/cascadeql/internal/rounds"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

const (
	// eachHit draws every hit of an answer that has minutes left, however little it cost
	// to compute, and noHit none.
	eachHit = 1e18
	noHit   = 1e-18
)

var errDown = errors.New("the database is down")

func isDown(context.Context) error { return errDown }

// An aging rig has a clock that the test turns, and a log.
type aging struct {
	*rig
	passed atomic.Int64
	log    bytes.Buffer
}

func newAging(t *testing.T, o gqlcache.Options) *aging {
	t.Helper()
	a := &aging{}
	start := time.Now()
	o.Now = func() time.Time { return start.Add(time.Duration(a.passed.Load())) }
	o.TTL, o.Jitter = time.Minute, -1
	o.Logger = slog.New(slog.NewTextHandler(&a.log, nil))
	a.rig = newRig(t, "annotated", o)
	return a
}

// at turns the clock to an age of what was stored at first.
func (a *aging) at(age time.Duration) { a.passed.Store(int64(age)) }

// asks sends the query of all names, and wants a body and what the cache did.
func (a *aging) asks(body, status string) {
	a.t.Helper()
	before := a.cache.Stats()
	got := a.send(askNames)
	if did := outcome(before, a.cache.Stats()); got.Body != body || did != status {
		a.t.Errorf("%s: %s, want %s: %s", did, got.Body, status, body)
	}
}

// counted wants the figures of older answers.
func (a *aging) counted(refreshed, hidden uint64) {
	a.t.Helper()
	if s := a.cache.Stats(); s.Refreshed != refreshed || s.Hidden != hidden {
		a.t.Errorf("%d refreshed and %d hidden, want %d and %d", s.Refreshed, s.Hidden, refreshed, hidden)
	}
}

// TestEarlyRefresh: the request that draws it computes an answer anew, and the others go
// on hitting.
func TestEarlyRefresh(t *testing.T) {
	t.Parallel()
	t.Run("others hit", func(t *testing.T) {
		t.Parallel()
		a := newAging(t, gqlcache.Options{EarlyRefresh: eachHit})
		a.asks(names, "MISS")
		a.at(50 * time.Second)
		latch := a.store.BlockHard("Query.userNames")
		leader := a.start(t.Context(), askNames)
		receive(t, latch.Reached, "the resolver")
		defer latch.Release()
		for range 2 {
			if got := a.start(t.Context(), askNames).wait(t); got.Body != names {
				t.Errorf("beside the leader: %s", got.Body)
			}
		}
		latch.Release()
		if got := leader.wait(t); got.Body != names {
			t.Errorf("the leader got %s", got.Body)
		}
		a.counted(1, 0)
		if s := a.cache.Stats(); s.Hits != 2 || s.Misses != 2 || s.Joined != 0 || a.store.Calls("Query.userNames") != 2 {
			t.Errorf("%d hits, %d misses, %d joined", s.Hits, s.Misses, s.Joined)
		}
		a.at(70 * time.Second) // the first entry has expired, and the second one is drawn
		a.asks(names, "MISS")
		a.counted(2, 0)
	})
	t.Run("not drawn", func(t *testing.T) {
		t.Parallel()
		a := newAging(t, gqlcache.Options{EarlyRefresh: noHit})
		a.asks(names, "MISS")
		a.at(59 * time.Second)
		for range 20 {
			a.asks(names, "HIT")
		}
		a.counted(0, 0)
	})
	t.Run("failure", func(t *testing.T) {
		t.Parallel()
		a := newAging(t, gqlcache.Options{EarlyRefresh: eachHit})
		a.asks(names, "MISS")
		a.store.On("Query.userNames", isDown)
		a.asks(names, "MISS errors")
		a.counted(1, 1)
		a.asks(names, "HIT") // for a while the key has no flights
		if n := strings.Count(a.log.String(), errDown.Error()); n != 1 {
			t.Errorf("said %d times:\n%s", n, a.log.String())
		}
	})
	t.Run("failure after a change", func(t *testing.T) {
		t.Parallel()
		a := newAging(t, gqlcache.Options{EarlyRefresh: eachHit})
		a.asks(names, "MISS")
		a.store.On("Query.userNames", func(ctx context.Context) error {
			a.store.On("Query.userNames", nil)
			a.send(renameAnn)
			return errDown
		})
		if got := a.send(askNames); len(got.Errors) == 0 {
			t.Errorf("%s hides the failure, and a change", got.Body)
		}
		a.counted(1, 0)
	})
	t.Run("failure after the expiry", func(t *testing.T) {
		t.Parallel()
		a := newAging(t, gqlcache.Options{EarlyRefresh: eachHit})
		a.asks(names, "MISS")
		a.store.On("Query.userNames", func(context.Context) error { a.at(time.Minute); return errDown })
		if got := a.send(askNames); len(got.Errors) == 0 {
			t.Errorf("%s has expired", got.Body)
		}
	})
	t.Run("the request ends", func(t *testing.T) {
		t.Parallel()
		a := newAging(t, gqlcache.Options{EarlyRefresh: eachHit})
		a.asks(names, "MISS")
		ctx, cancel := context.WithCancel(t.Context())
		a.store.On("Query.userNames", func(context.Context) error { cancel(); return nil })
		if got := testgraph.Do(t, ctx, a.cached, testgraph.Request{Query: askNames}); got.Body != names {
			t.Error(got.Body)
		}
		a.store.On("Query.userNames", nil)
		a.counted(1, 1)
		a.asks(names, "MISS") // drawn again: nothing was stored that could be a part of the truth
	})
	t.Run("not stored", func(t *testing.T) {
		t.Parallel()
		a := newAging(t, gqlcache.Options{EarlyRefresh: eachHit})
		a.asks(names, "MISS")
		a.store.On("Query.userNames", gqlcache.DoNotStore)
		a.asks(names, "MISS do_not_store")
		a.asks(names, "HIT") // the older entry
		a.counted(1, 0)
	})
	t.Run("race", func(t *testing.T) {
		t.Parallel()
		m := newMapStore()
		a := newAging(t, gqlcache.Options{EarlyRefresh: eachHit, Store: m})
		a.asks(names, "MISS")
		var came atomic.Bool
		m.hook = func(context.Context, string) error {
			if !came.Swap(true) {
				a.send("{userCount}") // its flight ends between the look-up and the computation
			}
			return nil
		}
		a.send(askNames)
		a.counted(1, 0)
	})
	t.Run("inside of a resolver", func(t *testing.T) {
		t.Parallel()
		a := newAging(t, gqlcache.Options{EarlyRefresh: eachHit})
		a.asks(names, "MISS")
		a.store.On("Query.userCount", func(ctx context.Context) error {
			testgraph.Do(t, ctx, a.cached, testgraph.Request{Query: askNames})
			return nil
		})
		a.send("{userCount}")
		if n := a.store.Calls("Query.userNames"); n != 1 {
			t.Errorf("%d computations, want 1", n)
		}
	})
}

// TestEarlyRefreshPastHooks: a hit that is drawn before the dispatch is computed in it,
// as often as others.
func TestEarlyRefreshPastHooks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, c := testgraph.NewStore(), newCache(t, gqlcache.Options{
			Predicate: viewerPredicate, HTTP: gqlcache.HTTP{Direct: true}, Store: newMapStore(),
			TTL: time.Minute, Jitter: -1, EarlyRefresh: 60 / math.Ln2,
		})
		s.On("Query.userNames", func(context.Context) error { <-time.After(time.Second); return nil })
		srv := postTo(s, c)
		const rounds = 600
		for range rounds {
			if got := testgraph.Ask(t, srv, askNames, nil); got.Body != names {
				t.Error(got.Body)
			}
		}
		st := c.Stats()
		if st.Hits+st.Misses != rounds || st.Misses != st.Refreshed+1 || st.Sent < st.Hits {
			t.Errorf("%d refreshed, %d misses, %d hits, %d sent", st.Refreshed, st.Misses, st.Hits, st.Sent)
		}
		if part := float64(st.Refreshed) / rounds; part < .4 || part > .6 {
			t.Errorf("%.2f of the hits were drawn, want half of them", part)
		}
	})
}

// TestEarlyRefreshWithInstances: what is drawn is not taken over from the shared store,
// where it is as old, and what was computed replaces it there.
func TestEarlyRefreshWithInstances(t *testing.T) {
	t.Parallel()
	var passed atomic.Int64
	start := time.Now()
	r := newInstances(t, 2, func(_ *instance, o *gqlcache.Options) {
		o.Now = func() time.Time { return start.Add(time.Duration(passed.Load())) }
		o.EarlyRefresh, o.TTL, o.Jitter, o.FillLease = eachHit, time.Minute, -1, 0
	})
	a, b := r.two()
	a.want("MISS", "Ann", readAnn)
	b.want("HIT shared", "Ann", readAnn)
	b.want("HIT memory", "Ann", readAnn) // what it cost is not known here
	passed.Store(int64(50 * time.Second))
	a.want("MISS", "Ann", readAnn)
	if s := a.cache.Stats(); s.Refreshed != 1 || s.SharedHits != 0 {
		t.Errorf("%d refreshed, %d shared hits", s.Refreshed, s.SharedHits)
	}
	passed.Store(int64(70 * time.Second))
	b.want("HIT shared", "Ann", readAnn)
}

// TestIsDue: the chance of an answer to be due is that of XFetch, exp(-left/(β·took)).
func TestIsDue(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	for _, row := range []struct {
		took, left time.Duration
		beta       float64
	}{
		{time.Second, time.Second, 1}, {time.Second, 3 * time.Second, 1}, {time.Second, 3 * time.Second, 3},
		{2 * time.Second, time.Second, .5}, {time.Second, time.Minute, 1}, {time.Second, 0, 1}, {0, time.Second, 1},
	} {
		want := math.Exp(-float64(row.left) / (row.beta * float64(row.took)))
		if row.took == 0 {
			want = 0
		}
		const n = 20_000
		due := 0
		for range n {
			if gqlcache.IsDue(row.took, row.beta, row.left, rng.ExpFloat64()) {
				due++
			}
		}
		if got := float64(due) / n; math.Abs(got-want) > .015 {
			t.Errorf("%+v: due in %.3f of all cases, want %.3f", row, got, want)
		}
	}
}

// TestStaleIfError: an answer that has expired, and that no change has reached, is served
// in place of a failure, for a time.
func TestStaleIfError(t *testing.T) {
	t.Parallel()
	o := gqlcache.Options{StaleIfError: 10 * time.Second}
	expired := func(t *testing.T, o gqlcache.Options) *aging {
		t.Helper()
		a := newAging(t, o)
		a.asks(names, "MISS")
		a.at(65 * time.Second)
		a.store.On("Query.userNames", isDown)
		return a
	}
	fails := func(a *aging, document string) {
		a.t.Helper()
		if got := a.send(document); len(got.Errors) == 0 {
			a.t.Errorf("%s, want a failure", got.Body)
		}
	}
	t.Run("failure", func(t *testing.T) {
		t.Parallel()
		a := expired(t, o)
		for range 2 {
			a.asks(names, "MISS errors")
		}
		a.counted(0, 2)
		if n := a.cache.Stats().Stale; n != 2 {
			t.Errorf("%d stale, want 2", n)
		}
		if n := strings.Count(a.log.String(), errDown.Error()); n != 1 {
			t.Errorf("said %d times:\n%s", n, a.log.String())
		}
		a.at(69 * time.Second)
		a.asks(names, "MISS errors")
		a.at(70 * time.Second)
		fails(a, askNames)
		a.counted(0, 3)
	})
	t.Run("a refusal", func(t *testing.T) {
		t.Parallel()
		o := o
		o.Refused = []string{"FORBIDDEN"}
		a := expired(t, o)
		a.store.On("Query.userNames", func(context.Context) error {
			return &gqlerror.Error{Message: "not you", Extensions: map[string]any{"code": "FORBIDDEN"}}
		})
		fails(a, askNames)
		a.store.On("Query.userNames", isDown)
		a.asks(names, "MISS errors")
	})
	t.Run("shorter than another time", func(t *testing.T) {
		t.Parallel()
		a := expired(t, gqlcache.Options{StaleIfError: 5 * time.Second, StaleWhileRevalidate: time.Hour})
		fails(a, askNames)
	})
	t.Run("no failure", func(t *testing.T) {
		t.Parallel()
		a := expired(t, o)
		a.store.On("Query.userNames", nil)
		a.asks(names, "MISS")
		a.asks(names, "HIT")
		a.at(120 * time.Second)
		a.asks(names, "HIT")
		a.at(125 * time.Second) // of the second entry, too, the time is over
		a.asks(names, "MISS")
		if s := a.cache.Stats(); s.Stale != 0 || s.Hidden != 0 {
			t.Errorf("%d stale, %d hidden", s.Stale, s.Hidden)
		}
	})
	t.Run("a change before", func(t *testing.T) {
		t.Parallel()
		a := expired(t, o)
		a.send(renameAnn)
		fails(a, askNames)
	})
	t.Run("a change meanwhile", func(t *testing.T) {
		t.Parallel()
		a := expired(t, o)
		a.store.On("Query.userNames", func(context.Context) error { a.send(renameAnn); return errDown })
		fails(a, askNames)
	})
	t.Run("the request ends", func(t *testing.T) {
		t.Parallel()
		a := expired(t, o)
		ctx, cancel := context.WithCancel(t.Context())
		a.store.On("Query.userNames", func(context.Context) error { cancel(); return errDown })
		if got := testgraph.Do(t, ctx, a.cached, testgraph.Request{Query: askNames}); got.Body == names {
			t.Error("the failure of a request that has ended was hidden")
		}
		a.counted(0, 0)
	})
	t.Run("kept to the request", func(t *testing.T) {
		t.Parallel()
		a := expired(t, o)
		a.store.On("Query.userNames", func(ctx context.Context) error { return errors.Join(gqlcache.DoNotStore(ctx), errDown) })
		fails(a, askNames)
	})
	t.Run("inside of a resolver", func(t *testing.T) {
		t.Parallel()
		a := expired(t, o)
		a.store.On("Query.userCount", func(ctx context.Context) error {
			if got := testgraph.Do(t, ctx, a.cached, testgraph.Request{Query: askNames}); len(got.Errors) == 0 {
				t.Errorf("%s was served inside, and the answer around it is stored as new", got.Body)
			}
			return nil
		})
		a.send("{userCount}")
	})
	t.Run("the age that a resolver has said", func(t *testing.T) {
		t.Parallel()
		a := newAging(t, o)
		a.store.On("Query.userNames", func(ctx context.Context) error { return gqlcache.MaxAge(ctx, 10*time.Second) })
		a.asks(names, "MISS")
		a.at(10 * time.Second)
		a.asks(names, "MISS")
		a.at(21 * time.Second)
		a.store.On("Query.userNames", isDown)
		a.asks(names, "MISS errors")
		a.at(30 * time.Second)
		fails(a, askNames)
	})
	t.Run("another caller", func(t *testing.T) {
		t.Parallel()
		a := expired(t, gqlcache.Options{StaleIfError: 10 * time.Second, Callers: gqlcache.AllSeeTheSame})
		other := testgraph.Request{Query: askNames, Header: map[string]string{"Authorization": "Bearer bob"}}
		if got := testgraph.Do(t, t.Context(), a.cached, other); len(got.Errors) == 0 {
			t.Errorf("%s was compared with no other caller's answer", got.Body)
		}
		a.asks(names, "MISS errors")
	})
	t.Run("instances", func(t *testing.T) {
		t.Parallel()
		var passed atomic.Int64
		start := time.Now()
		r := newInstances(t, 2, func(_ *instance, o *gqlcache.Options) {
			o.Now = func() time.Time { return start.Add(time.Duration(passed.Load())) }
			o.StaleIfError, o.TTL, o.Jitter = time.Hour, time.Minute, -1
		})
		a, _ := r.two()
		a.want("MISS", "Ann", readAnn)
		passed.Store(int64(65 * time.Second))
		r.rows.On("Query.user", isDown)
		a.want("HIT memory", "Ann", readAnn)
		if s := a.cache.Stats(); s.Stale != 1 || s.Misses != 2 || s.Hits != 0 {
			t.Errorf("%d stale, %d misses, %d hits", s.Stale, s.Misses, s.Hits)
		}
		r.sharedEntries.edit(func(e *sharedEntry) {
			if age := e.expires.Sub(start); age != time.Minute {
				t.Errorf("other instances have it for %v, want a minute", age)
			}
		})
		a.log.fresh.Store(false)
		if got := testgraph.Do(t, t.Context(), a.h, testgraph.Request{Query: expand(readAnn)}); len(got.Errors) == 0 {
			t.Errorf("%s was served without a lease", got.Body)
		}
	})
}

// TestStaleWhileRevalidate: one request computes an answer anew that has expired, and for
// a time the others get the older one.
func TestStaleWhileRevalidate(t *testing.T) {
	t.Parallel()
	revalidating := func(t *testing.T, age, ifError time.Duration) (a *aging, latch *testgraph.Latch, leader *call) {
		t.Helper()
		a = newAging(t, gqlcache.Options{StaleWhileRevalidate: 10 * time.Second, StaleIfError: ifError})
		a.asks(names, "MISS")
		a.at(age)
		latch = a.store.BlockHard("Query.userNames")
		t.Cleanup(latch.Release)
		leader = a.start(t.Context(), askNames)
		receive(t, latch.Reached, "the resolver")
		return a, latch, leader
	}
	t.Run("others are served", func(t *testing.T) {
		t.Parallel()
		a, latch, leader := revalidating(t, 69*time.Second, 0)
		for range 3 {
			if got := a.start(t.Context(), askNames).wait(t); got.Body != names {
				t.Error(got.Body)
			}
		}
		latch.Release()
		if got := leader.wait(t); got.Body != names {
			t.Error(got.Body)
		}
		a.asks(names, "HIT")
		if s := a.cache.Stats(); s.Stale != 3 || s.Hits != 4 || s.Misses != 2 || s.Joined != 0 || s.Hidden != 0 {
			t.Errorf("%d stale, %d hits, %d misses, %d joined", s.Stale, s.Hits, s.Misses, s.Joined)
		}
	})
	t.Run("beyond", func(t *testing.T) {
		t.Parallel()
		a, latch, leader := revalidating(t, 69*time.Second, time.Hour)
		a.at(70 * time.Second)
		joiner := a.start(t.Context(), askNames)
		select {
		case <-joiner.done:
			t.Errorf("served %s when its time was over", joiner.resp.Body)
		case <-time.After(20 * time.Millisecond):
		}
		latch.Release()
		leader.wait(t)
		joiner.wait(t)
		if n := a.cache.Stats().Stale; n != 0 {
			t.Errorf("%d stale", n)
		}
	})
	t.Run("a change meanwhile", func(t *testing.T) {
		t.Parallel()
		a, latch, leader := revalidating(t, 61*time.Second, 0)
		a.send(renameAnn)
		late := a.start(t.Context(), askNames)
		select {
		case <-late.done: // with what there was before the change
		case <-time.After(20 * time.Millisecond):
		}
		latch.Release()
		if got := late.wait(t); !strings.Contains(got.Body, "New") {
			t.Errorf("%s after a change was acknowledged", got.Body)
		}
		leader.wait(t)
		if n := a.cache.Stats().Stale; n != 0 {
			t.Errorf("%d stale", n)
		}
	})
	t.Run("failure", func(t *testing.T) {
		t.Parallel()
		a := newAging(t, gqlcache.Options{StaleWhileRevalidate: 10 * time.Second})
		a.asks(names, "MISS")
		a.at(61 * time.Second)
		a.store.On("Query.userNames", isDown)
		if got := a.send(askNames); len(got.Errors) == 0 {
			t.Errorf("%s hides a failure, and StaleIfError is not set", got.Body)
		}
		a.asks(names, "HIT")
	})
}

// TestOlderAnswersAreNotStale: while entries expire, are drawn, and computations fail,
// nobody who asks after a mutation was acknowledged gets what was there before it.
func TestOlderAnswersAreNotStale(t *testing.T) {
	t.Parallel()
	a := newAging(t, gqlcache.Options{EarlyRefresh: 1e4, StaleIfError: 20 * time.Second, StaleWhileRevalidate: 20 * time.Second})
	var acknowledged atomic.Int64
	fail := func(context.Context) error {
		<-time.After(rand.N(100 * time.Microsecond))
		if rand.IntN(3) == 0 {
			return errDown
		}
		return nil
	}
	a.store.On("Query.counter:done", fail)
	a.send("mutation{setCounter(id:1,value:0){value}}")
	rounds.Until(t, "no hits, stale and hidden answers and refreshed ones", func(int) bool {
		var clients sync.WaitGroup
		writing := make(chan struct{})
		clients.Go(func() {
			defer close(writing)
			for range 200 {
				n := acknowledged.Load() + 1
				a.send(fmt.Sprintf("mutation{setCounter(id:1,value:%d){value}}", n))
				acknowledged.Store(n)
				<-time.After(rand.N(3 * time.Millisecond))
			}
		})
		for range 4 {
			clients.Go(func() {
				for {
					select {
					case <-writing:
						return
					default:
					}
					a.passed.Add(rand.Int64N(int64(10 * time.Second)))
					before := acknowledged.Load()
					got := a.send(readCounter)
					var data struct{ Counter struct{ Value int64 } }
					if len(got.Errors) > 0 {
						continue
					}
					if err := json.Unmarshal(got.Data, &data); err != nil || data.Counter.Value < before {
						t.Errorf("%s after %d was acknowledged, %v", got.Body, before, err)
						return
					}
				}
			})
		}
		clients.Wait()
		s := a.cache.Stats()
		return s.Hits > 0 && s.Stale > 0 && s.Hidden > 0 && s.Refreshed > 0
	})
}
