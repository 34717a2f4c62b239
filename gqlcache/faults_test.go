package gqlcache_test

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/redis/go-redis/v9"

	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/changelog"
	"github.com/cascadeql/cascadeql/gqlcache/internal/testgraph"
	"github.com/cascadeql/cascadeql/gqlcache/store/redisstore"
	"github.com/cascadeql/cascadeql/internal/redistest"
	"github.com/cascadeql/cascadeql/internal/rounds"
)

func (c *counterLoad) must(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Error(err)
	}
}

// faultTime is how long a fault lasts: more than a lease.
const faultTime = loadLease * 3 / 2

// repeat does something every few milliseconds for a while, more than a lease.
func (c *counterLoad) repeat(f func(context.Context)) {
	over := time.After(faultTime)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		f(context.Background())
		select {
		case <-over:
			return
		case <-tick.C:
		}
	}
}

// last lets a fault last for more than a lease.
func (c *counterLoad) last() { c.repeat(func(context.Context) {}) }

// garbage overwrites all entries.
func (c *counterLoad) garbage(ctx context.Context) {
	keys, err := c.admin.Keys(ctx, "gqlc:q:*").Result()
	c.must(err)
	for n, key := range keys {
		if n%2 == 0 {
			c.must(c.admin.Set(ctx, key, "no entry, but longer than the header of one", time.Minute).Err())
			continue
		}
		// A bit of the place in the log that the entry is based on: without the checksum
		// it would be proven by records that it does not know.
		c.must(c.admin.SetRange(ctx, key, 60, "\xff").Err())
	}
}

// crowd writes keys of others until the server has pushed some out.
func (c *counterLoad) crowd(ctx context.Context) {
	filler := strings.Repeat("x", 1<<10)
	_, _ = c.admin.Pipelined(ctx, func(p redis.Pipeliner) error {
		for range 2000 {
			p.Set(ctx, fmt.Sprintf("other:%x", rand.Uint64()), filler, time.Minute)
		}
		return nil
	}) // a server that finds nothing more to push out refuses some
}

// writes counts the mutations that were answered.
func (c *counterLoad) writes() (n int64) {
	for k := range c.acked {
		n += c.acked[k].Load()
	}
	return n
}

// bypassed counts the requests that an instance answered without a lease.
func bypassed(n *node) uint64 { return n.cache.Stats().Bypassed[gqlcache.ReasonLease] }

// TestFaultsUnderLoad: whatever happens to Redis or to the way there, no request fails,
// no read is stale that began after a mutation was acknowledged without a flag, and both
// instances cache again afterwards. An outage has a test of its own.
func TestFaultsUnderLoad(t *testing.T) {
	t.Parallel()
	const control, stream = "{gqlc:main}:c", "{gqlc:main}:log"
	for _, row := range []struct {
		name  string
		args  []string
		fault func(*counterLoad)
		heal  func(*counterLoad)
		// seen says that the fault was one: else the run is pointless.
		seen func(*counterLoad) bool
		// unflagged says that the fault is no reason to flag a mutation. A machine that
		// is too busy to answer within a lease is one, so a few may be.
		unflagged bool
	}{
		{
			name:  "FLUSHALL",
			fault: func(w *counterLoad) { w.repeat(func(ctx context.Context) { w.must(w.admin.FlushAll(ctx).Err()) }) },
			seen:  func(w *counterLoad) bool { return w.nodes[1].log.Stats().Epochs > 1 },
		},
		{
			name:  "control key evicted",
			fault: func(w *counterLoad) { w.must(w.admin.Del(context.Background(), control).Err()); w.last() },
			seen:  func(w *counterLoad) bool { return w.nodes[0].log.Stats().Epochs > 1 },
		},
		{
			name:  "log evicted",
			fault: func(w *counterLoad) { w.repeat(func(ctx context.Context) { w.must(w.admin.Del(ctx, stream).Err()) }) },
			seen:  func(w *counterLoad) bool { return w.nodes[1].log.Stats().Records > 0 },
		},
		{
			name: "full, noeviction", args: []string{"--maxmemory-policy", "noeviction"},
			fault: func(w *counterLoad) {
				w.must(w.admin.ConfigSet(context.Background(), "maxmemory", "1").Err())
				w.last()
			},
			heal:      func(w *counterLoad) { w.must(w.admin.ConfigSet(context.Background(), "maxmemory", "0").Err()) },
			seen:      func(w *counterLoad) bool { return w.nodes[0].shared.Counters().WriteErrors > 0 },
			unflagged: true,
		},
		{
			name:  "scripts flushed",
			fault: func(w *counterLoad) { w.repeat(func(ctx context.Context) { w.must(w.admin.ScriptFlush(ctx).Err()) }) },
			seen:  func(*counterLoad) bool { return true }, unflagged: true,
		},
		{
			name:  "corrupt values",
			fault: func(w *counterLoad) { w.repeat(w.garbage) },
			seen: func(w *counterLoad) bool {
				return w.nodes[0].shared.Counters().Corrupt+w.nodes[1].shared.Counters().Corrupt > 0
			},
			unflagged: true,
		},
		{
			name: "connections ended",
			fault: func(w *counterLoad) {
				w.repeat(func(ctx context.Context) { _ = w.admin.ClientKillByFilter(ctx, "SKIPME", "yes").Err() })
			},
			seen: func(*counterLoad) bool { return true },
		},
		{
			name:  "slow",
			fault: func(w *counterLoad) { w.links[1].Delay(100 * time.Millisecond); w.last() },
			heal:  func(w *counterLoad) { w.links[1].Heal() },
			seen:  func(w *counterLoad) bool { return w.nodes[1].shared.Counters().Timeouts > 0 },
		},
		{
			name:  "replies swallowed",
			fault: func(w *counterLoad) { w.links[1].SwallowReplies(); w.last() },
			heal:  func(w *counterLoad) { w.links[1].Heal() },
			seen:  func(w *counterLoad) bool { return bypassed(w.nodes[1]) > 0 },
		},
		{
			name:  "an instance cut off",
			fault: func(w *counterLoad) { w.links[1].Cut(); w.last() },
			heal:  func(w *counterLoad) { w.links[1].Heal() },
			seen:  func(w *counterLoad) bool { return bypassed(w.nodes[1]) > 0 },
		},
		{
			name: "the clients paused",
			fault: func(w *counterLoad) {
				w.must(w.admin.Do(context.Background(), "CLIENT", "PAUSE", faultTime.Milliseconds(), "ALL").Err())
				w.last()
			},
			seen: func(w *counterLoad) bool { return bypassed(w.nodes[0]) > 0 && bypassed(w.nodes[1]) > 0 },
		},
		{
			// Reads of the log and of entries go on, and nobody gets a lease.
			name: "the writers paused",
			fault: func(w *counterLoad) {
				w.must(w.admin.Do(context.Background(), "CLIENT", "PAUSE", faultTime.Milliseconds(), "WRITE").Err())
				w.last()
			},
			seen: func(w *counterLoad) bool { return bypassed(w.nodes[0]) > 0 && bypassed(w.nodes[1]) > 0 },
		},
		{
			// Keys of others push out what they push out: entries, the log, the control key.
			name: "evicted, allkeys-random", args: []string{"--maxmemory-policy", "allkeys-random"},
			fault: func(w *counterLoad) {
				w.must(w.admin.ConfigSet(context.Background(), "maxmemory", "4mb").Err())
				w.repeat(w.crowd)
			},
			heal: func(w *counterLoad) { w.must(w.admin.ConfigSet(context.Background(), "maxmemory", "0").Err()) },
			seen: func(w *counterLoad) bool { return w.nodes[0].log.Stats().Epochs > 1 },
		},
		{
			name: "killed, all of its data kept", args: []string{"--appendonly", "yes"},
			fault: func(w *counterLoad) { w.server.Kill(); w.server.Restart() },
			seen:  func(w *counterLoad) bool { return w.nodes[1].log.Stats().Epochs > 1 },
		},
		{
			name: "killed, the data of a while ago",
			fault: func(w *counterLoad) {
				w.must(w.admin.Save(context.Background()).Err())
				w.last() // what is written meanwhile is lost
				w.server.Kill()
				w.server.Restart()
			},
			seen: func(w *counterLoad) bool { return w.nodes[1].log.Stats().Epochs > 1 },
		},
		{
			name:  "the server stopped",
			fault: func(w *counterLoad) { w.server.Pause(); w.last() },
			heal:  func(w *counterLoad) { w.server.Resume() },
			seen:  func(w *counterLoad) bool { return bypassed(w.nodes[0]) > 0 && bypassed(w.nodes[1]) > 0 },
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			w := newCounterLoad(newRedisRig(t, row.args...), nil, nil)
			w.begin(4)
			w.healthy()
			before := w.flags()
			rounds.Until(t, "nobody noticed the fault, no value was taken over, or most mutations were flagged without a reason", func(int) bool {
				flags, writes := w.flags(), w.writes()
				row.fault(w)
				if row.heal != nil {
					row.heal(w)
				}
				few := int64(w.flags()-flags) <= (w.writes()-writes)/2
				w.healthy()
				return row.seen(w) && w.sharesValues() && (few || !row.unflagged)
			})
			w.end()
			w.current()
			if err := w.failed.Load(); err != nil {
				t.Error(*err)
			}
			t.Logf("%d reads, %d of %d mutations flagged", w.reads.Load(), w.flags()-before, w.writes())
		})
	}
}

// TestFailoverUnderLoad promotes a replica that lacks the last changes: acknowledged ones
// stay seen all the same.
func TestFailoverUnderLoad(t *testing.T) {
	t.Parallel()
	primary := redistest.Start(t, "--repl-diskless-sync-delay", "0")
	replica := redistest.Start(t, "--repl-diskless-sync-delay", "0", "--replicaof", "127.0.0.1 "+primary.Port())
	redistest.Eventually(t, "a replica in step", func() bool { return redistest.InStep(replica) })
	w := newCounterLoad(redisRigOf(t, primary), nil, nil)
	w.begin(4)
	w.healthy()
	before := w.nodes[0].log.Applied()
	redistest.Isolate(t, primary, replica)
	writes := w.writes()
	redistest.Eventually(t, "changes that will be lost", func() bool { return w.writes() > writes+3 })
	primary.Kill()
	replica.Resume()
	if err := replica.Client().ReplicaOf(t.Context(), "NO", "ONE").Err(); err != nil {
		t.Fatal(err)
	}
	for _, link := range w.links {
		link.Retarget(replica.Addr())
	}
	w.healthy()
	w.end()
	w.current()
	if err := w.failed.Load(); err != nil {
		t.Error(*err)
	}
	if at := w.nodes[0].log.Applied(); at.Epoch <= before.Epoch {
		t.Errorf("the position is %v, was %v: no new epoch", at, before)
	}
}

// TestDeploymentUnderLoad has instances side by side as a deployment does: no read is stale
// of the one that does not write, and both cache.
func TestDeploymentUnderLoad(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name     string
		old, new nodeSpec
	}{
		{"another build", nodeSpec{}, nodeSpec{change: func(o *gqlcache.Options) { o.Build = "new" }}},
		{"more is declared", nodeSpec{}, nodeSpec{change: func(o *gqlcache.Options) { o.Infer = true }}},
		{"more was declared", nodeSpec{change: func(o *gqlcache.Options) { o.Infer = true }}, nodeSpec{}},
		{"a view has another name", nodeSpec{}, nodeSpec{schema: func(rows *testgraph.Store) graphql.ExecutableSchema { return countersIn(rows, "v_tally") }}},
		{"no directive is left", nodeSpec{}, nodeSpec{schema: func(rows *testgraph.Store) graphql.ExecutableSchema {
			return testgraph.Executable(rows, levels["bare"]...)
		}}},
		{"other partitions", nodeSpec{}, nodeSpec{change: func(o *gqlcache.Options) {
			o.Partition, o.PartitionVersion = func(context.Context) string { return "new" }, "2"
		}}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			w := newCounterLoadOf(newRedisRig(t), row.old, row.new)
			w.pace = 400 * time.Millisecond // a write may drop everything
			w.begin(4)
			w.healthy()
			w.last()
			w.healthy()
			w.end()
			w.current()
			if err := w.failed.Load(); err != nil {
				t.Error(*err)
			}
			t.Logf("%d reads, %d mutations", w.reads.Load(), w.writes())
		})
	}
}

// slowStore is a shared store whose reads are given up soon, and whose breaker opens at
// the fifth failure.
func slowStore(t *testing.T, addr string) *redisstore.Store {
	t.Helper()
	s, err := redisstore.New(redisstore.Options{
		Client: redistest.Client(t, addr), Prefix: "gqlc", DecodeMeta: gqlcache.DecodeMeta, Logger: slog.New(slog.DiscardHandler),
		ReadTimeout: 50 * time.Millisecond, BreakAfter: 5, CoolDown: time.Hour,
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestSoftTimeout: a server that takes its time costs a query what ReadTimeout says, not
// what the server takes, and after some queries nothing.
func TestSoftTimeout(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	link := redistest.NewProxy(t, s.Addr())
	// The log has a way of its own: it must not lose its lease.
	slow := slowStore(t, link.Addr())
	n := newNodes(t, 1, nodeSpec{client: s.Client(), rows: testgraph.NewStore(), level: changelog.Strong, ttl: patientLease, change: func(o *gqlcache.Options) {
		_ = o.Shared.Close()
		o.Shared = slow
	}})[0]
	link.SwallowReplies()
	const query = "query($t:String){echo(text:$t)}"
	for i := range 20 {
		start := time.Now()
		n.run(t, query, map[string]any{"t": time.Duration(i).String()})
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("query %d took %v", i, took)
		}
	}
	st := n.cache.Stats()
	if st.Misses != 20 || st.StoreErrors < 20 || st.Bypassed[gqlcache.ReasonLease] > 0 {
		t.Errorf("figures %+v", st)
	}
	if c := slow.Counters(); c.Timeouts == 0 || c.Timeouts > 5 || c.Skipped == 0 || c.Breaker != redisstore.Open {
		t.Errorf("figures %+v, want at most five timeouts, and a breaker that spares the rest", c)
	}
	hits := st.Hits
	n.run(t, query, map[string]any{"t": "0s"})
	if got := n.cache.Stats().Hits; got != hits+1 {
		t.Error("what is in memory is not served")
	}
}
