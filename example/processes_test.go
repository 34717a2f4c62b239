package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cascadeql/cascadeql/example/internal/blog"
	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/changelog"
	"github.com/cascadeql/cascadeql/gqlcache/changelog/redislog"
	"github.com/cascadeql/cascadeql/gqlcache/store/redisstore"
	"github.com/cascadeql/cascadeql/internal/redistest"
	"github.com/cascadeql/cascadeql/internal/rounds"
)

var processTime = flag.Duration("processes.time", 1500*time.Millisecond, "how long each history of TestThreeProcesses is")

// memberLevel is the variable that makes this test binary a server of its own, with that
// level of the log. The example itself is always strong.
const memberLevel = "EXAMPLE_MEMBER_LEVEL"

// memberLease is short, and long enough for a busy machine to renew it mostly.
const memberLease = 500 * time.Millisecond

// runMember serves as main does, until it is told to end.
func runMember(level string) (err error) {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	cfg, err := configFrom(os.Getenv)
	if err != nil {
		return err
	}
	watched := newObserver(cfg)
	store, err := blog.OpenWith(ctx, blogOptions(cfg.database, watched))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	store.SetLatency(2 * time.Millisecond)
	o, err := redisstore.ClientOptions(os.Getenv("REDIS_URL"))
	if err != nil {
		return err
	}
	client := redis.NewClient(o)
	defer func() { err = errors.Join(err, client.Close()) }()
	n, err := strconv.Atoi(level)
	if err != nil {
		return err
	}
	opts := cacheOptions()
	if watched != nil {
		observe(&opts, watched)
	}
	if opts.Log, err = redislog.New(client, redislog.Options{Namespace: "main", Level: changelog.Level(n), TTL: memberLease}); err != nil {
		return err
	}
	if opts.Shared, err = redisstore.New(redisstore.Options{Client: client, Prefix: "gqlc", DecodeMeta: gqlcache.DecodeMeta}); err != nil {
		return err
	}
	opts.RequireLease = changelog.Level(n) == changelog.Strong
	cache, err := gqlcache.New(opts)
	if err != nil {
		return err
	}
	defer func() { _ = cache.Close() }() // its queue may be lost
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Printf("listening on http://%s\n", listener.Addr())
	return serve(ctx, listener, newServerOver(schemaOver(store, cfg), store, cache))
}

const memberTags = 3

func memberTag(k int) string { return fmt.Sprintf("22222222-2222-4222-8222-%012d", k) }

// A company is three processes over one database and one Redis, each behind a link of its
// own, and clients who read and rename tags. The name of a tag ends in a number that
// grows, so a read is stale when it shows less than what was acknowledged before it
// began, and broken when that acknowledgement carried no flag.
type company struct {
	t         *testing.T
	processes []*process
	links     []*redistest.Proxy
	locks     [memberTags]sync.Mutex // one writer a tag, so that its numbers grow
	acked     [memberTags]atomic.Int64
	unflagged [memberTags]atomic.Int64

	reads, hits, stale, broken, writes, flagged, refused atomic.Int64
	failed                                               atomic.Pointer[error]
}

func newCompany(t *testing.T, level changelog.Level, database kind) *company {
	t.Helper()
	c := &company{t: t}
	server, env := redistest.Start(t), database.environment(t)
	for range 3 {
		link := redistest.NewProxy(t, server.Addr())
		c.links = append(c.links, link)
		c.processes = append(c.processes, startProcess(t, os.Args[0],
			append(env, "REDIS_URL=redis://"+link.Addr(), fmt.Sprintf("%s=%d", memberLevel, level))...))
	}
	for k := range memberTags {
		redistest.Eventually(t, "a tag", func() bool {
			a := c.processes[0].send(fmt.Sprintf(`mutation { createTag(input: {id: %q, name: "%d-0"}) { name } }`, memberTag(k), k))
			return len(a.Errors) == 0
		})
	}
	for _, p := range c.processes {
		p.until("it caches", func() bool { return p.send(readMember(0)).Extensions.Cache.Status == "HIT" })
	}
	return c
}

func readMember(k int) string { return fmt.Sprintf(`{ tag(id: %q) { name } }`, memberTag(k)) }

// ask sends an operation to one of the processes.
func (c *company) ask(p *process, query string) (a answered, err error) {
	resp, err := p.client.Do(p.request(query))
	if err != nil {
		return a, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return a, err
	}
	if err := json.Unmarshal(text, &a); err != nil || resp.StatusCode != http.StatusOK {
		return a, fmt.Errorf("status %d: %s, %w", resp.StatusCode, text, err)
	}
	return a, nil
}

func (c *company) fail(err error) { c.failed.CompareAndSwap(nil, &err) }

func (c *company) read(p *process, k int) {
	acked, unflagged := c.acked[k].Load(), c.unflagged[k].Load()
	a, err := c.ask(p, readMember(k))
	var data struct{ Tag struct{ Name string } }
	if err == nil {
		err = json.Unmarshal(a.Data, &data)
	}
	_, text, _ := strings.Cut(data.Tag.Name, "-")
	got, numberErr := strconv.ParseInt(text, 10, 64)
	if err = errors.Join(err, numberErr); err != nil || len(a.Errors) > 0 {
		c.fail(fmt.Errorf("a read: %s, %v, %w", a.Data, a.Errors, err))
		return
	}
	c.reads.Add(1)
	if a.Extensions.Cache.Status == "HIT" {
		c.hits.Add(1)
	}
	if got < acked {
		c.stale.Add(1)
	}
	if got < unflagged {
		c.broken.Add(1)
	}
}

func (c *company) write(p *process, k int) {
	c.locks[k].Lock()
	defer c.locks[k].Unlock()
	next := c.acked[k].Load() + 1
	a, err := c.ask(p, fmt.Sprintf(`mutation { renameTag(id: %q, name: "%d-%d") { name } }`, memberTag(k), k, next))
	switch {
	case err != nil:
		c.fail(fmt.Errorf("a write: %w", err))
	case len(a.Errors) == 1 && a.Errors[0].Message == gqlcache.ErrNoLease.Error():
		c.refused.Add(1)
	case len(a.Errors) > 0:
		c.fail(fmt.Errorf("a write: %v", a.Errors))
	default:
		c.writes.Add(1)
		c.acked[k].Store(next)
		if a.Extensions.Cache.Consistency == "" {
			c.unflagged[k].Store(next)
		} else {
			c.flagged.Add(1)
		}
	}
}

// run lets clients work for a while, eight of a hundred requests being mutations, and
// disturbs one process after the other. On a busy machine it takes longer, until there
// were hits and mutations.
func (c *company) run(seed uint64, d time.Duration, disturb func(c *company, n int, wait func(time.Duration))) {
	over := make(chan struct{})
	go func() {
		defer close(over)
		limit := time.Now().Add(20 * d)
		time.Sleep(d)
		for (c.hits.Load() == 0 || c.writes.Load() == 0) && time.Now().Before(limit) {
			time.Sleep(d / 10)
		}
	}()
	wait := func(d time.Duration) {
		select {
		case <-over:
		case <-time.After(d):
		}
	}
	ended := func() bool {
		select {
		case <-over:
			return true
		default:
			return false
		}
	}
	var all sync.WaitGroup
	for n := range 9 {
		all.Go(func() {
			rng := rand.New(rand.NewPCG(seed, uint64(n)))
			for !ended() {
				p, k := c.processes[rng.IntN(3)], rng.IntN(memberTags)
				if rng.IntN(100) < 8 {
					c.write(p, k)
				} else {
					c.read(p, k)
				}
			}
		})
	}
	if disturb != nil {
		all.Go(func() {
			rng := rand.New(rand.NewPCG(seed, 99))
			for !ended() {
				disturb(c, rng.IntN(3), wait)
				wait(memberLease / 2)
			}
		})
	}
	all.Wait()
}

// paused stops a process for longer than its lease.
func paused(c *company, n int, wait func(time.Duration)) {
	c.processes[n].signal(syscall.SIGSTOP)
	wait(memberLease * 9 / 5)
	c.processes[n].signal(syscall.SIGCONT)
}

// deaf swallows what Redis answers a process, for a part of its lease or for longer.
func deaf(c *company, n int, wait func(time.Duration)) {
	c.links[n].SwallowReplies()
	wait(memberLease/4 + rand.N(memberLease*3/2))
	c.links[n].Heal()
}

// late changes what a process has answered already while the process hears nothing of it,
// and reads it there, within the lease of the process unless the machine is slow.
func late(c *company) {
	reader := c.processes[1]
	reader.until("it caches", func() bool { return reader.send(readMember(0)).Extensions.Cache.Status == "HIT" })
	c.links[1].SwallowReplies()
	c.write(c.processes[0], 0)
	c.read(reader, 0)
	c.links[1].Heal()
}

// TestThreeProcesses: clients of three processes read and write while all is well, while
// processes are stopped for longer than a lease, and while links swallow what Redis
// answers. No read that begins after an unflagged acknowledgement shows what was before
// it; and the check can fail, since the eventual level shows staleness.
func TestThreeProcesses(t *testing.T) {
	t.Parallel()
	for _, member := range []struct {
		level    changelog.Level
		database kind
	}{
		{changelog.Eventual, sqlite},
		{changelog.Bounded, sqlite},
		{changelog.Strong, sqlite},
		{changelog.Strong, bareSQLite},
		{changelog.Strong, barePostgreSQL},
	} {
		if !slices.Contains(kinds, member.database) {
			continue
		}
		level := member.level
		for _, row := range []struct {
			name    string
			disturb func(*company, int, func(time.Duration))
		}{{"healthy", nil}, {"paused", paused}, {"deaf", deaf}} {
			t.Run(fmt.Sprintf("%v, %s, %v", level, row.name, member.database), func(t *testing.T) {
				t.Parallel()
				c := newCompany(t, level, member.database)
				seed := rand.Uint64()
				c.run(seed, *processTime, row.disturb)
				if err := c.failed.Load(); err != nil {
					t.Error(*err)
				}
				t.Logf("seed %d: %d of %d reads stale, %d after an unflagged mutation; %d hits; of %d mutations %d flagged; %d refused",
					seed, c.stale.Load(), c.reads.Load(), c.broken.Load(), c.hits.Load(), c.writes.Load(), c.flagged.Load(), c.refused.Load())
				if c.broken.Load() > 0 {
					t.Errorf("%d reads are stale after an unflagged mutation", c.broken.Load())
				}
				// A strong mutation is flagged when the link ends while it is being
				// published. A bounded one may be even while all is well, when a
				// machine is too busy to acknowledge it within the budget.
				if level != changelog.Eventual && c.flagged.Load() == 0 && c.stale.Load() > 0 {
					t.Errorf("%d stale reads, and no mutation was flagged", c.stale.Load())
				}
				if level == changelog.Strong && row.name != "deaf" && c.stale.Load() > 0 {
					t.Errorf("%d stale reads, and no link was harmed", c.stale.Load())
				}
				if level == changelog.Eventual {
					rounds.Until(t, "no read was stale at the eventual level: the check sees nothing", func(int) bool {
						late(c)
						return c.stale.Load() > 0
					})
				}
				if c.hits.Load() == 0 || c.writes.Load() == 0 {
					t.Error("the run did not exercise hits and mutations")
				}
			})
		}
	}
}
