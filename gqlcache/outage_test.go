package gqlcache_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/redis/go-redis/v9"

	"github.com/cascadeql/cascadeql/gqlcache/changelog"
)

var outageTime = flag.Duration("outage.time", 2*loadLease, "how long Redis is down in TestOutageUnderLoad")

// loadLease is the lease under a counterLoad. A machine that is busy with it must renew it
// mostly.
const loadLease = time.Second

// A counterLoad reads counters on two instances without pause and writes them on the
// first. Each value is larger than the one before, so a read is stale when it shows less
// than what was acknowledged before it began: at all on the first instance, and without a
// flag on the second. Half of the reads are of operations, the others of values that the
// program computes, by all that there is for these.
type counterLoad struct {
	*redisRig
	// committed are the counters.
	committed [3]atomic.Int64
	acked     [3]atomic.Int64
	confirmed [3]atomic.Int64
	reads     atomic.Int64
	failed    atomic.Pointer[error]
	pace      time.Duration // at most so long between two writes
	stop      chan struct{}
	done      sync.WaitGroup
}

// newCounterLoad adds an instance for each client, over a link of its own for those that
// are nil, and writes each counter once.
func newCounterLoad(r *redisRig, clients ...*redis.Client) *counterLoad {
	r.t.Helper()
	var specs []nodeSpec
	for _, client := range clients {
		var s nodeSpec
		if client != nil {
			s.client = client
		}
		specs = append(specs, s)
	}
	return newCounterLoadOf(r, specs...)
}

// newCounterLoadOf is newCounterLoad of instances of any kind, but for level and lease.
func newCounterLoadOf(r *redisRig, specs ...nodeSpec) *counterLoad {
	r.t.Helper()
	c := &counterLoad{redisRig: r, pace: 20 * time.Millisecond}
	for _, s := range specs {
		s.level, s.ttl = changelog.Strong, loadLease
		r.add(s)
	}
	for k := range c.acked {
		c.acked[k].Store(100)
	}
	r.rows.On("Mutation.setCounter", func(ctx context.Context) error {
		vars := graphql.GetOperationContext(ctx).Variables
		var k int
		var v int64
		if _, err := fmt.Sscan(fmt.Sprint(vars["id"], " ", vars["v"]), &k, &v); err != nil {
			return err
		}
		c.committed[k].Store(v)
		return nil
	})
	r.untilFresh()
	for k := range c.acked {
		c.write(k)
	}
	return c
}

func (c *counterLoad) query(n *node, query string, vars map[string]any) string {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	resp, err := n.ask(ctx, query, vars)
	if err != nil {
		c.fail(fmt.Errorf("%s: %w", query, err))
	}
	return resp
}

func (c *counterLoad) fail(err error) { c.failed.CompareAndSwap(nil, &err) }

// acknowledged is what a read of a counter on an instance must show at least.
func (c *counterLoad) acknowledged(n *node, k int) int64 {
	if n == c.nodes[0] {
		return c.acked[k].Load()
	}
	return c.confirmed[k].Load()
}

// judge says that a read is stale.
func (c *counterLoad) judge(n *node, what string, k int, got, want int64) {
	if got < want {
		c.fail(fmt.Errorf("stale: %s %d is %d, %d was acknowledged before, of its own instance: %v", what, k, got, want, n == c.nodes[0]))
	}
}

func (c *counterLoad) read(n *node, k int) {
	want := c.acknowledged(n, k)
	body := c.query(n, `query($id: Int!) { counter(id: $id) { value } }`, map[string]any{"id": k})
	var got int64
	if _, err := fmt.Sscanf(body, `{"counter":{"value":%d}}`, &got); err != nil {
		c.fail(fmt.Errorf("answer %q: %w", body, err))
	}
	c.judge(n, "counter", k, got, want)
	c.reads.Add(1)
}

func (c *counterLoad) write(k int) {
	next, flags := c.acked[k].Load()+1, c.flags()
	c.query(c.nodes[0], `mutation($id: Int!, $v: Int!) { setCounter(id: $id, value: $v) { value } }`, map[string]any{"id": k, "v": next})
	c.acked[k].Store(next)
	if c.flags() == flags {
		c.confirmed[k].Store(next)
	}
}

// flags counts the mutations that were answered with a flag.
func (c *counterLoad) flags() uint64 {
	st := c.nodes[0].cache.Stats()
	return st.Unconfirmed + st.LogErrors
}

// current expects that both instances show what is in the database, once the second has
// heard of all changes. The server may not have taken the last one at once: that was
// flagged, and is pushed later.
func (c *counterLoad) current() {
	c.t.Helper()
	a, b := c.nodes[0].log, c.nodes[1].log
	eventually(c.t, "all records", func() bool { return a.Stats().Pending == 0 && b.Applied().Reached(a.Applied()) })
	for k := range c.acked {
		c.confirmed[k].Store(c.acked[k].Load())
		c.read(c.nodes[0], k)
		c.read(c.nodes[1], k)
	}
}

func (c *counterLoad) begin(readers int) {
	c.stop = make(chan struct{})
	// A pause is also as long as what was done before it: a machine that is busy with the
	// load alone could not renew the leases.
	loop := func(seed uint64, most time.Duration, f func(*rand.Rand)) {
		rng := rand.New(rand.NewPCG(1, seed))
		took := time.Duration(0)
		for {
			select {
			case <-c.stop:
				return
			case <-time.After(max(rand.N(most), min(2*took, loadLease/10))):
				began := time.Now()
				f(rng)
				took = time.Since(began)
			}
		}
	}
	for r := range readers {
		c.done.Go(func() {
			loop(uint64(r), time.Millisecond, func(rng *rand.Rand) {
				n, k := c.nodes[r%2], rng.IntN(3)
				if rng.IntN(2) == 0 {
					c.readValue(n, k, rng)
				} else {
					c.read(n, k)
				}
			})
		})
	}
	c.done.Go(func() { // one writer: the values of a counter grow
		loop(99, c.pace, func(rng *rand.Rand) { c.write(rng.IntN(3)) })
	})
}

func (c *counterLoad) end() {
	close(c.stop)
	c.done.Wait()
}

// healthy waits until both instances serve from their caches again, and have nothing left
// to push.
func (c *counterLoad) healthy() {
	c.t.Helper()
	before := [2]uint64{c.nodes[0].cache.Stats().Hits, c.nodes[1].cache.Stats().Hits}
	eventually(c.t, "leases, hits and no changes pending", func() bool {
		for i, n := range c.nodes {
			if !n.log.Fresh() || n.log.Stats().Pending > 0 || n.cache.Stats().Hits < before[i]+100 {
				return false
			}
		}
		return true
	})
}

// inOwnProcess says whether the test runs in a process that runs nothing else. If not, it
// has one run it, with the arguments, and fails the test as that process fails. The test may
// be parallel to others, which wait as long as it does.
func inOwnProcess(t *testing.T, args ...string) bool {
	t.Helper()
	const variable = "GQLCACHE_TEST_IN_OWN_PROCESS"
	if os.Getenv(variable) == t.Name() {
		return true
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	child := exec.CommandContext(t.Context(), self, append(args, "-test.run=^"+t.Name()+"$", "-test.v")...)
	child.Env = append(os.Environ(), variable+"="+t.Name())
	out, err := child.CombinedOutput()
	switch t.Logf("in a process of its own:\n%s", out); {
	case bytes.Contains(out, []byte("--- SKIP: "+t.Name())):
		t.SkipNow()
	case err != nil || !bytes.Contains(out, []byte("--- PASS: "+t.Name())):
		t.Error("failed there: ", err)
	}
	return false
}

// size is the goroutines and the bytes in use, as small as they get within a while.
func size() (goroutines int, heap uint64) {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return runtime.NumGoroutine(), m.HeapAlloc
}

// TestOutageUnderLoad: Redis is down under load, and comes back empty. No query fails;
// where a change was made it is seen at once, and elsewhere from the reconnect on;
// nothing is left behind. make soak has it down for a minute.
func TestOutageUnderLoad(t *testing.T) {
	t.Parallel()
	if !inOwnProcess(t, "-outage.time="+outageTime.String()) { // it counts goroutines
		return
	}
	r := newRedisRig(t)
	clients := []*redis.Client{r.server.Client(), r.server.Client()}
	c := newCounterLoad(r, clients...)
	outage := func(d time.Duration) {
		c.begin(8)
		c.healthy()
		eventually(t, "an answer of the other instance", func() bool {
			return c.nodes[0].cache.Stats().SharedHits+c.nodes[1].cache.Stats().SharedHits > 0
		})
		r.server.Kill()
		eventually(t, "the end of the leases", func() bool { return !c.nodes[0].log.Fresh() && !c.nodes[1].log.Fresh() })
		reads := c.reads.Load()
		<-time.After(d)
		eventually(t, "reads without Redis, and a change", func() bool {
			return c.reads.Load() >= reads+100 && c.nodes[0].cache.Stats().LogErrors > 0
		})
		r.server.Restart()
		c.healthy()
		c.end()
		c.current()
	}
	outage(100 * time.Millisecond) // buffers and connections reach their usual size
	goroutines, heap := size()
	outage(*outageTime)
	if err := c.failed.Load(); err != nil {
		t.Error(*err)
	}
	const more, moreBytes = 10, 8 << 20
	eventually(t, "goroutines and memory as before", func() bool {
		g, h := size()
		return g <= goroutines+more && h <= heap+moreBytes
	})
	for _, client := range clients {
		if p := client.PoolStats(); int(p.TotalConns) > client.Options().PoolSize+2 {
			t.Errorf("%d connections", p.TotalConns)
		}
	}
}

// ask runs an operation and returns its data. Unlike run it may be called from any
// goroutine.
func (n *node) ask(ctx context.Context, query string, vars map[string]any) (string, error) {
	ctx = graphql.StartOperationTrace(ctx)
	oc, errs := n.exec.CreateOperationContext(ctx, &graphql.RawParams{Query: query, Variables: vars})
	if errs != nil {
		return "", errs
	}
	h, ctx := n.exec.DispatchOperation(ctx, oc)
	resp := h(ctx)
	if resp == nil {
		return "", errors.New("no answer")
	}
	if len(resp.Errors) > 0 {
		return "", resp.Errors
	}
	return string(resp.Data), nil
}
