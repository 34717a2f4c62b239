package main

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cascadeql/cascadeql/example/graph"
	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/changelog"
	"github.com/cascadeql/cascadeql/gqlcache/changelog/redislog"
	"github.com/cascadeql/cascadeql/gqlcache/inspect"
	"github.com/cascadeql/cascadeql/gqlcache/store/memstore"
	"github.com/cascadeql/cascadeql/gqlcache/store/redisstore"
	"github.com/cascadeql/cascadeql/gqlcache/store/tiered"
	"github.com/cascadeql/cascadeql/internal/redistest"
	"github.com/cascadeql/cascadeql/internal/rounds"
)

// everything is a server with all that the cache can do at once: intents over a strong
// log, a shared store of two tiers with leases to compute, every hit recomputed, a
// tracer, somebody who watches, every other request told about itself, and half of them
// held until they are over. Servers with the same namespace are instances of one service.
type everything struct {
	t      *testing.T
	redis  *redistest.Server
	spaces atomic.Int64
}

func newEverything(t *testing.T) *everything {
	t.Helper()
	return &everything{t: t, redis: redistest.Start(t)}
}

// setup returns the setup of servers that are each the only instance of a service.
func (e *everything) setup() setup { return e.instance("") }

// instance returns the setup of an instance of the service with that namespace; without
// one, of services of their own.
func (e *everything) instance(namespace string) setup {
	return setup{
		change: func(o *gqlcache.Options) {
			space := namespace
			if space == "" {
				space = fmt.Sprintf("service-%d", e.spaces.Add(1))
			}
			e.configure(o, space)
		},
		wrap: func(r *rig, next http.Handler) http.Handler { return everySecond(r.cache, next) },
		told: true,
	}
}

// Patience of tests on a busy machine: what is not answered in time is computed, or a
// mutation refused.
const (
	patientLease  = 1500 * time.Millisecond
	patientIntent = 2 * patientLease
	patientRead   = 5 * time.Second
)

func (e *everything) configure(o *gqlcache.Options, namespace string) {
	client := redistest.Client(e.t, e.redis.Addr())
	quiet := slog.New(slog.DiscardHandler)
	log, err := redislog.New(client, redislog.Options{
		Namespace: namespace, Level: changelog.Strong, TTL: patientLease, IntentTTL: patientIntent, Logger: quiet,
	})
	if err != nil {
		e.t.Fatal(err)
	}
	near, err := memstore.New(memstore.Options{MaxEntries: 50})
	if err != nil {
		e.t.Fatal(err)
	}
	far, err := redisstore.New(redisstore.Options{
		Client: client, Prefix: namespace, DecodeMeta: gqlcache.DecodeMeta, ReadTimeout: patientRead, Logger: quiet, CompressAbove: 512,
	})
	if err != nil {
		e.t.Fatal(err)
	}
	shared, err := tiered.New(tiered.Options{Tiers: []tiered.Tier{
		{Name: "near", Store: near, TTLFactor: 0.5, Jitter: 0.1}, {Name: "far", Store: far},
	}})
	if err != nil {
		e.t.Fatal(err)
	}
	o.Log, o.Shared, o.FillLease = log, shared, 5*time.Millisecond
	o.RequireLease, o.Tokens, o.Intent = true, true, true
	o.MaxEntries = 100 // so that the shared store is asked
	o.Verify = gqlcache.VerifyOptions{Rate: 1, Context: outlivingContext, Grace: 50 * time.Millisecond, Concurrency: 2}
	o.Tracer, o.Logger = tracing{}, quiet
}

// everySecond lets the cache hold half of the requests until they are over, of those that
// ask what it did as of the others.
func everySecond(cache *gqlcache.Cache, next http.Handler) http.Handler {
	free := cache.Handler(next)
	held := cache.HoldUntilCommit(free)
	var n atomic.Int64
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if n.Add(1)%4 < 2 {
			free.ServeHTTP(w, r)
		} else {
			held.ServeHTTP(w, r)
		}
	})
}

// tracing is a tracer whose spans are in the context.
type tracing struct{}

// Start implements gqlcache.Tracer.
func (tracing) Start(ctx context.Context, s gqlcache.Span) (context.Context, func(gqlcache.SpanEnd)) {
	return context.WithValue(ctx, tracing{}, s), func(gqlcache.SpanEnd) {}
}

// sound says what a server with everything must not show when it has been used, and
// returns whether it has shown all that it must.
func (e *everything) sound(st gqlcache.Stats, v *inspect.Verify) (exercised bool) {
	e.t.Helper()
	if v.Mismatched+v.Unstable > 0 {
		e.t.Errorf("%d hits were stale, %d unstable: %+v", v.Mismatched, v.Unstable, v.Mismatches)
	}
	if st.Log.Refused+st.LogErrors > 0 {
		e.t.Errorf("%d mutations were refused, %d not told: the machine is too slow", st.Log.Refused, st.LogErrors)
	}
	return v.Confirmed > 0 && st.Hits > 0 && st.SharedHits > 0 && st.Log.Intents > 0 && st.Invalidations > 0
}

const notEverything = "no hits, their verification, the shared store and announcements"

// announced are the fields of announcements that the server keeps for a service.
func (e *everything) announced(namespace string) (left []string) {
	e.t.Helper()
	fields, err := redistest.Client(e.t, e.redis.Addr()).HKeys(e.t.Context(), "{gqlc:"+namespace+"}:c").Result()
	if err != nil || len(fields) == 0 {
		e.t.Errorf("fields %q, %v", fields, err)
	}
	for _, f := range fields {
		if strings.HasPrefix(f, "i:") || strings.HasPrefix(f, "j:") {
			left = append(left, f)
		}
	}
	return left
}

// addUp compares the figures of a cache at rest with those by operation.
func addUp(t *testing.T, c *gqlcache.Cache) {
	t.Helper()
	st, all := c.Stats(), gqlcache.OperationStats{}
	for _, op := range c.OperationStats() {
		all.Hits, all.Misses, all.Joined = all.Hits+op.Hits, all.Misses+op.Misses, all.Joined+op.Joined
		all.Abandoned, all.Bypassed = all.Abandoned+op.Abandoned, all.Bypassed+op.Bypassed
	}
	for _, n := range st.Bypassed {
		all.Bypassed -= n
	}
	if all != (gqlcache.OperationStats{Hits: st.Hits, Misses: st.Misses, Joined: st.Joined, Abandoned: st.Abandoned}) {
		t.Errorf("by operation %+v, altogether %+v", all, st)
	}
}

// TestEverythingSameAnswers: a server with everything answers a random history as one
// without a cache does.
func TestEverythingSameAnswers(t *testing.T) {
	t.Parallel()
	rounds.Until(t, notEverything, func(int) bool {
		e := newEverything(t)
		seed := *historySeed
		if seed == 0 {
			seed = rand.Uint64()
		}
		story := newStory(seed, graph.NewExecutableSchema(graph.Config{}).Schema())
		out := compareHistory(t, seed, story.history(min(*historySteps/3, 1000)), e.setup(), 5)
		return out.at < 0 && e.sound(out.stats, out.verify)
	})
}

// TestEverythingNoStaleReads: several such servers over the same rows show nothing that a
// mutation has changed which was acknowledged, and no hit is wrong.
func TestEverythingNoStaleReads(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 3} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			e := newEverything(t)
			path := filepath.Join(t.TempDir(), "blog.db")
			var rigs []*rig
			for range n {
				s := e.instance("service")
				s.path = path
				rigs = append(rigs, startRig(t, s))
			}
			r := newRaceOn(t, rigs[0], "tenant one", "tenant two")
			r.peers, r.readers = rigs[1:], 12
			r.settle()
			if r.reads = min(*staleReads, defaultEverythingReads); testing.Short() {
				r.reads = min(r.reads, 500)
			}
			latency := func(d time.Duration) {
				for _, one := range rigs {
					one.store.SetLatency(d)
				}
			}
			rounds.Until(t, notEverything, func(int) bool {
				latency(testLatency / 2)
				seed := rand.Uint64()
				writes := r.run(seed)
				latency(0)
				r.settle()
				t.Logf("seed %d: %d reads, %d writes, %d stale", seed, r.reads, writes, r.stale.Load())
				for _, f := range r.faults {
					t.Error(f)
				}
				exercised := true
				for _, one := range rigs {
					exercised = e.sound(one.cache.Stats(), one.cache.VerifyStats()) && exercised
					addUp(t, one.cache)
				}
				return exercised
			})
			if left := e.announced("service"); len(left) > 0 {
				t.Errorf("the server still knows of announcements: %q", left)
			}
		})
	}
}
