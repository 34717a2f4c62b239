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

// A machine is one of several servers over the same rows.
type machine struct {
	t      *testing.T
	cache  *gqlcache.Cache
	h      http.Handler
	log    *member
	shared *hatch
	rows   *testgraph.Store // of all machines
}

// machines are servers that share rows, a log and a store.
type machines struct {
	t     *testing.T
	rows  *testgraph.Store
	fleet *fleet
	attic *attic
	all   []*machine
}

func newMachines(t *testing.T, n int, change ...func(*machine, *gqlcache.Options)) *machines {
	t.Helper()
	r := &machines{t: t, rows: testgraph.NewStore(), fleet: newFleet(), attic: newAttic()}
	for range n {
		r.add(change...)
	}
	return r
}

func (r *machines) add(change ...func(*machine, *gqlcache.Options)) *machine {
	r.t.Helper()
	return r.addServing(testgraph.Executable(r.rows, "cacheControl"), change...)
}

// addServing adds a machine that serves a schema of its own over the same rows.
func (r *machines) addServing(es graphql.ExecutableSchema, change ...func(*machine, *gqlcache.Options)) *machine {
	r.t.Helper()
	m := &machine{t: r.t, rows: r.rows, log: r.fleet.join(changelog.Bounded), shared: &hatch{attic: r.attic}}
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

func (r *machines) two() (a, b *machine) { return r.all[0], r.all[1] }

// told is extensions.cache as tests look at it.
type told struct {
	Status, Tier       string
	DidCache           bool
	Reason             struct{ Code string }
	Consistency, Token string
}

// sum sums extensions.cache up: "HIT memory", "HIT shared", "MISS", "MISS errors", "BYPASS lease", …
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
func (m *machine) ask(document string, headers ...string) (testgraph.Response, string) {
	m.t.Helper()
	headers = append([]string{gqlcache.DebugHeader, "true"}, headers...)
	resp := testgraph.Ask(m.t, m.h, expand(document), nil, headers...)
	return resp, extensionOf(m.t, resp).sum()
}

// want asks, and says when the cache did something else, or the answer does not contain a text.
func (m *machine) want(status, text, document string, headers ...string) {
	m.t.Helper()
	resp, got := m.ask(document, headers...)
	if got != status || !strings.Contains(string(resp.Data)+string(resp.Errors), text) {
		m.t.Errorf("%s: %q %s%s, want %q with %s", document, got, resp.Data, resp.Errors, status, text)
	}
}

// begin sends a document in the background.
func (m *machine) begin(document string, headers ...string) *call {
	c := &call{done: make(chan struct{})}
	go func() {
		defer close(c.done)
		c.resp, _ = m.ask(document, headers...)
	}()
	return c
}
