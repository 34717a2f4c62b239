package gqlcache_test

import (
	"bytes"
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/changelog"
	"github.com/cascadeql/cascadeql/gqlcache/changelog/redislog"
	"github.com/cascadeql/cascadeql/gqlcache/internal/testgraph"
	"github.com/cascadeql/cascadeql/gqlcache/store/redisstore"
	"github.com/cascadeql/cascadeql/internal/redistest"
)

// quietRedis keeps go-redis' own remarks about broken connections out of the output.
type quietRedis struct{}

func (quietRedis) Printf(context.Context, string, ...any) {}

func init() { redis.SetLogger(quietRedis{}) }

// A logbook collects log lines.
type logbook struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logbook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logbook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// A node is one instance of a service over Redis: a cache with its log and its shared store.
type node struct {
	cache  *gqlcache.Cache
	log    *redislog.Log
	shared *redisstore.Store
	*runner
}

// A nodeSpec says how a node is made. Only client and rows are required.
type nodeSpec struct {
	client redis.UniversalClient
	rows   *testgraph.Store
	level  changelog.Level
	ttl    time.Duration
	intent time.Duration // redislog.Options.IntentTTL
	logger *slog.Logger
	// readTimeout is how long the shared store is waited for. A test that counts its hits waits longer than a server
	// in production does.
	readTimeout time.Duration
	change      func(*gqlcache.Options)
}

// patientLease is the lease of tests that say what the cache did: a busy machine must renew it.
const patientLease = 800 * time.Millisecond

// newNode makes an instance that is closed with the test, and does not wait for its lease.
func newNode(tb testing.TB, s nodeSpec) *node {
	tb.Helper()
	if s.logger == nil {
		s.logger = slog.New(slog.DiscardHandler)
	}
	n := &node{}
	var err error
	if n.log, err = redislog.New(s.client, redislog.Options{Namespace: "main", Level: s.level, TTL: s.ttl, IntentTTL: s.intent, Logger: s.logger}); err != nil {
		tb.Fatal(err)
	}
	n.shared, err = redisstore.New(redisstore.Options{
		Client: s.client, Prefix: "gqlc", DecodeMeta: gqlcache.DecodeMeta, Logger: s.logger, CoolDown: 100 * time.Millisecond, ReadTimeout: s.readTimeout,
	})
	if err != nil {
		tb.Fatal(err)
	}
	o := gqlcache.Options{Callers: gqlcache.AllSeeTheSame, Instances: gqlcache.Instances{Log: n.log, Shared: n.shared}, SweepInterval: -1, Logger: s.logger}
	if s.change != nil {
		s.change(&o)
	}
	if n.cache, err = gqlcache.New(o); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = n.cache.Close() })
	n.runner = newRunner(testgraph.Executable(s.rows, "cacheControl"), n.cache)
	return n
}

// eventually waits for a condition.
func eventually(tb testing.TB, what string, condition func() bool) {
	tb.Helper()
	redistest.Eventually(tb, what, condition)
}

// newNodes makes instances and waits until each has a lease.
func newNodes(tb testing.TB, count int, s nodeSpec) []*node {
	tb.Helper()
	var all []*node
	for range count {
		all = append(all, newNode(tb, s))
	}
	for _, n := range all {
		eventually(tb, "a lease", n.log.Fresh)
	}
	return all
}
