package gqlcache_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/changelog"
	"github.com/cascadeql/cascadeql/gqlcache/internal/testgraph"
)

// An instance is one of several servers over the same rows.
type instance struct {
	t      *testing.T
	cache  *gqlcache.Cache
	h      http.Handler
	log    *logMember
	shared *fakeShared
	rows   *testgraph.Store // of all instances
}

// instances are servers that share rows, a log and a store.
type instances struct {
	t             *testing.T
	rows          *testgraph.Store
	fakeLog       *fakeLog
	sharedEntries *sharedEntries
	all           []*instance
}

func newInstances(t *testing.T, n int, change ...func(*instance, *gqlcache.Options)) *instances {
	t.Helper()
	r := &instances{t: t, rows: testgraph.NewStore(), fakeLog: newFakeLog(), sharedEntries: newSharedEntries()}
	for range n {
		r.add(change...)
	}
	return r
}

func (r *instances) add(change ...func(*instance, *gqlcache.Options)) *instance {
	r.t.Helper()
	return r.addServing(testgraph.Executable(r.rows, "cacheControl"), change...)
}

// addServing adds an instance that serves a schema of its own over the same rows.
func (r *instances) addServing(es graphql.ExecutableSchema, change ...func(*instance, *gqlcache.Options)) *instance {
	r.t.Helper()
	m := &instance{t: r.t, rows: r.rows, log: r.fakeLog.join(changelog.Bounded), shared: &fakeShared{sharedEntries: r.sharedEntries}}
	o := gqlcache.Options{
		Callers: gqlcache.AllSeeTheSame, Instances: gqlcache.Instances{Log: m.log, Shared: m.shared},
		Inspector: gqlcache.Inspector{Allow: func(context.Context) bool { return true }},
	}
	for _, f := range change {
		f(m, &o)
	}
	if o.Predicate != nil {
		o.Callers = 0
	}
	m.cache = newCache(r.t, o)
	m.h = testgraph.Serve(es, m.cache)
	r.all = append(r.all, m)
	return m
}

func (r *instances) two() (a, b *instance) { return r.all[0], r.all[1] }

// told is extensions.cache as tests look at it.
type told struct {
	Status, Tier       string
	DidCache           bool
	Reason             struct{ Code string }
	Consistency, Token string
}

// sum sums extensions.cache up: "HIT memory", "HIT shared", "MISS", "MISS errors",
// "BYPASS lease", …
func (x told) sum() string {
	switch x.Status {
	case "HIT":
		return x.Status + " " + x.Tier
	case "MISS":
		if x.DidCache || x.Reason.Code == "joined" {
			return x.Status
		}
	case "INVALIDATED":
		return strings.TrimSpace(x.Status + " " + x.Consistency)
	}
	return strings.TrimSpace(x.Status + " " + x.Reason.Code)
}

func extensionOf(t testing.TB, resp testgraph.Response) (x told) {
	t.Helper()
	if raw := resp.Extensions["cache"]; raw != nil {
		if err := json.Unmarshal(raw, &x); err != nil {
			t.Error(err)
		}
	}
	return x
}

// ask sends a document and returns what the cache did.
func (m *instance) ask(document string, headers ...string) (testgraph.Response, string) {
	m.t.Helper()
	headers = append([]string{gqlcache.DebugHeader, "true"}, headers...)
	resp := testgraph.Ask(m.t, m.h, expand(document), nil, headers...)
	return resp, extensionOf(m.t, resp).sum()
}

// want asks, and says when the cache did something else, or the answer does not contain a
// text.
func (m *instance) want(status, text, document string, headers ...string) {
	m.t.Helper()
	resp, got := m.ask(document, headers...)
	if got != status || !strings.Contains(string(resp.Data)+string(resp.Errors), text) {
		m.t.Errorf("%s: %q %s%s, want %q with %s", document, got, resp.Data, resp.Errors, status, text)
	}
}

// begin sends a document in the background.
func (m *instance) begin(document string, headers ...string) *call {
	c := &call{done: make(chan struct{})}
	go func() {
		defer close(c.done)
		c.resp, _ = m.ask(document, headers...)
	}()
	return c
}
