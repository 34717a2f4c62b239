package gqlcache_test

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
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
type logbook = redistest.Output

// A node is one instance of a service over Redis: a cache with its log and its shared
// store.
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
	// readTimeout is how long the shared store is waited for, for a read or a write. A test
	// that counts its hits waits longer than a server in production does.
	readTimeout time.Duration
	change      func(*gqlcache.Options)
	schema      func(*testgraph.Store) graphql.ExecutableSchema // nil is the one with all directives
}

// patientLease is the lease of tests that say what the cache did: a busy machine must
// renew it.
const patientLease = 3 * time.Second

// newNode makes an instance that is closed with the test, and does not wait for its
// lease.
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
		Client: s.client, Prefix: "gqlc", DecodeMeta: gqlcache.DecodeMeta, Logger: s.logger, CoolDown: 100 * time.Millisecond, ReadTimeout: s.readTimeout, WriteTimeout: s.readTimeout,
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
	if s.schema == nil {
		s.schema = func(rows *testgraph.Store) graphql.ExecutableSchema {
			return testgraph.Executable(rows, "cacheControl")
		}
	}
	n.runner = newRunner(s.schema(s.rows), n.cache)
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

// A redisRig is instances of one service over one Redis and one database. Each reaches
// Redis over a link of its own, unless its spec has a client.
type redisRig struct {
	t      *testing.T
	server *redistest.Server
	admin  *redis.Client
	rows   *testgraph.Store
	nodes  []*node
	links  []*redistest.Proxy // nil where the spec has a client
	lines  []*logbook         // of each
	h      []http.Handler
}

// newRedisRig starts the server, with arguments if there are any. It has no instances
// yet.
func newRedisRig(t *testing.T, args ...string) *redisRig {
	t.Helper()
	return redisRigOf(t, redistest.Start(t, args...))
}

// redisRigOf is newRedisRig over a server that runs.
func redisRigOf(t *testing.T, server *redistest.Server) *redisRig {
	t.Helper()
	return &redisRig{t: t, server: server, admin: server.Client(), rows: testgraph.NewStore()}
}

// add makes an instance, and does not wait for its lease.
func (r *redisRig) add(s nodeSpec) *node {
	r.t.Helper()
	var link *redistest.Proxy
	if s.client == nil {
		link = redistest.NewProxy(r.t, r.server.Addr())
		s.client = redistest.Client(r.t, link.Addr())
	}
	lines := &logbook{}
	s.rows, s.logger = r.rows, slog.New(slog.NewTextHandler(lines, nil))
	n := newNode(r.t, s)
	r.nodes, r.links, r.lines = append(r.nodes, n), append(r.links, link), append(r.lines, lines)
	if s.schema == nil {
		r.h = append(r.h, testgraph.NewServer(r.rows, n.cache))
	} else {
		r.h = append(r.h, testgraph.Serve(s.schema(r.rows), n.cache))
	}
	return n
}

// untilFresh waits until each instance has a lease and knows of no announcement.
func (r *redisRig) untilFresh() {
	r.t.Helper()
	for _, n := range r.nodes {
		eventually(r.t, "a cache that serves", func() bool { return n.log.Fresh() && n.log.Stats().Open == 0 })
	}
}

// ask sends a document to one of the instances.
func (r *redisRig) ask(n int, document string) testgraph.Response {
	r.t.Helper()
	return testgraph.Ask(r.t, r.h[n], document, nil)
}

// start sends it in the background.
func (r *redisRig) start(n int, document string) *call {
	c := &call{done: make(chan struct{})}
	go func() {
		defer close(c.done)
		c.resp = testgraph.Ask(r.t, r.h[n], document, nil)
	}()
	return c
}

// shared waits until an answer is in the shared store, and returns it.
func (r *redisRig) shared(n int, document string) string {
	r.t.Helper()
	body := r.ask(n, document).Body
	if err := r.nodes[n].shared.Flush(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
	return body
}

// logged returns the lines of all instances.
func (r *redisRig) logged() string {
	var all strings.Builder
	for _, l := range r.lines {
		all.WriteString(l.String())
	}
	return all.String()
}
