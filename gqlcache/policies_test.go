package gqlcache_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/internal/testgraph"
)

// everybody allows directives to all clients.
func everybody(context.Context) bool { return true }

// under is an Options.Policy.
func under(p gqlcache.Policy) func(context.Context) gqlcache.Policy {
	return func(context.Context) gqlcache.Policy { return p }
}

// clientPolicies hears all directives.
var clientPolicies = gqlcache.ClientPolicies{Allow: everybody, NoCache: true, NoStore: true, OnlyIfCached: true, MaxStale: true}

const notCached = `{"errors":[{"message":"no answer is stored, and the request wants none to be computed","extensions":{"code":"NOT_CACHED"}}],"data":null}`

// asksWith sends the query of all names with a policy in its context, or with a
// Cache-Control when it is no policy's name.
func (a *aging) asksWith(said, body, status string) testgraph.Response {
	a.t.Helper()
	ctx, q := a.t.Context(), testgraph.Request{Query: askNames}
	switch said {
	case "refresh":
		ctx = gqlcache.WithPolicy(ctx, gqlcache.Refresh)
	case "cache-only":
		ctx = gqlcache.WithPolicy(ctx, gqlcache.CacheOnly)
	case "by no-store":
		ctx = gqlcache.WithPolicy(ctx, gqlcache.NoStore)
	case "cache-first":
		ctx = gqlcache.WithPolicy(ctx, gqlcache.CacheFirst)
	case "unknown":
		ctx = gqlcache.WithPolicy(ctx, gqlcache.Policy(77))
	default:
		q.Header = map[string]string{"Cache-Control": said}
	}
	before := a.cache.Stats()
	got := testgraph.Do(a.t, ctx, a.cached, q)
	if did := outcome(before, a.cache.Stats()); got.Body != body || did != status {
		a.t.Errorf("%q: %s: %s, want %s: %s", said, did, got.Body, status, body)
	}
	return got
}

// unseen changes a name behind the cache's back.
func (a *aging) unseen(name string) string {
	a.t.Helper()
	testgraph.Ask(a.t, testgraph.NewServer(a.store), `mutation($id: ID!, $n: String!) { renameUser(id: $id, name: $n) }`, map[string]any{"id": testgraph.Ann, "n": name})
	return strings.Replace(names, `"Ann"`, `"`+name+`"`, 1)
}

// TestPolicies: each policy does what it says, by context, and nothing else does.
func TestPolicies(t *testing.T) {
	t.Parallel()
	t.Run("refresh", func(t *testing.T) {
		t.Parallel()
		a := newAging(t, gqlcache.Options{})
		a.asks(names, "MISS")
		changed := a.unseen("anna")
		a.asks(names, "HIT")
		a.asksWith("refresh", changed, "refresh")
		a.asks(changed, "HIT")
	})
	t.Run("a refresh that fails leaves the entry", func(t *testing.T) {
		t.Parallel()
		a := newAging(t, gqlcache.Options{StaleIfError: time.Hour})
		a.asks(names, "MISS")
		a.store.On("Query.userNames", isDown)
		got := testgraph.Do(t, gqlcache.WithPolicy(t.Context(), gqlcache.Refresh), a.cached, testgraph.Request{Query: askNames})
		if got.Errors == nil {
			t.Errorf("a failure is hidden from who wants a new answer: %s", got.Body)
		}
		a.asks(names, "HIT")
		a.at(70 * time.Second) // it has expired, and others have it while nothing better comes
		if got := testgraph.Do(t, gqlcache.WithPolicy(t.Context(), gqlcache.Refresh), a.cached, testgraph.Request{Query: askNames}); got.Errors == nil {
			t.Errorf("a failure is hidden from who wants a new answer: %s", got.Body)
		}
	})
	t.Run("cache-only", func(t *testing.T) {
		t.Parallel()
		a := newAging(t, gqlcache.Options{StaleWhileRevalidate: time.Minute})
		if got := a.asksWith("cache-only", notCached, "not_cached"); got.Status != http.StatusOK {
			t.Errorf("status %d", got.Status)
		}
		a.asks(names, "MISS")
		a.asksWith("cache-only", names, "HIT")
		a.send(renameAnn)
		a.asksWith("cache-only", notCached, "not_cached")
		a.at(2 * time.Minute)
		a.asksWith("cache-only", notCached, "not_cached")
		if n := a.store.Calls("Query.userNames"); n != 1 {
			t.Errorf("computed %d times, want once", n)
		}
	})
	t.Run("cache-only computes nothing that bypasses", func(t *testing.T) {
		t.Parallel()
		a := newAging(t, gqlcache.Options{Enabled: func(context.Context) bool { return false }})
		a.asksWith("cache-only", notCached, "not_cached")
		if n := a.store.Calls("Query.userNames"); n != 0 {
			t.Errorf("computed %d times", n)
		}
	})
	t.Run("cache-only leaves mutations alone", func(t *testing.T) {
		t.Parallel()
		a := newAging(t, gqlcache.Options{})
		a.asks(names, "MISS")
		got := testgraph.Do(t, gqlcache.WithPolicy(t.Context(), gqlcache.CacheOnly), a.cached, testgraph.Request{Query: expand(renameAnn)})
		if got.Errors != nil {
			t.Error(got.Body)
		}
		a.asksWith("cache-only", notCached, "not_cached")
	})
	t.Run("no-store", func(t *testing.T) {
		t.Parallel()
		a := newAging(t, gqlcache.Options{})
		a.asksWith("by no-store", names, "no_store")
		a.asks(names, "MISS")
		changed := a.unseen("anna")
		a.asksWith("by no-store", changed, "no_store")
		a.asks(names, "HIT")
	})
	t.Run("unknown", func(t *testing.T) {
		t.Parallel()
		a := newAging(t, gqlcache.Options{})
		a.asksWith("unknown", names, "no_store")
		if !strings.Contains(a.log.String(), "Policy(77)") {
			t.Error(a.log.String())
		}
	})
	t.Run("by option", func(t *testing.T) {
		t.Parallel()
		o := gqlcache.Options{Policy: func(ctx context.Context) gqlcache.Policy {
			if graphql.GetOperationContext(ctx).Operation.Name == "New" {
				return gqlcache.Refresh
			}
			return gqlcache.CacheFirst
		}}
		r := newRig(t, "annotated", o)
		r.run("annotated", []string{"refresh: query New{users{name}}", "refresh: query New{users{name}}", "MISS: query Old{users{name}}", "HIT: query Old{users{name}}"})
		ctx := gqlcache.WithPolicy(t.Context(), gqlcache.CacheFirst)
		before := r.cache.Stats()
		testgraph.Do(t, ctx, r.cached, testgraph.Request{Query: "query New{users{name}}"})
		if did := outcome(before, r.cache.Stats()); did != "HIT" {
			t.Errorf("%s: what a context says counts before the option", did)
		}
	})
	t.Run("an option that panics", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, "annotated", gqlcache.Options{Policy: func(context.Context) gqlcache.Policy { panic("no") }})
		r.run("annotated", []string{"failed: {users{name}}", "failed: {users{name}}"})
	})
}

// TestRefreshesShareOneComputation: those who want a new answer share one that began after
// all of them have asked, and not the one that runs.
func TestRefreshesShareOneComputation(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, "annotated", gqlcache.Options{})
		latch := r.store.BlockHard("Query.userNames")
		first := r.start(t.Context(), askNames)
		receive(t, latch.Reached, "the resolver")
		var waiting []*call
		for range 5 {
			waiting = append(waiting, r.start(gqlcache.WithPolicy(t.Context(), gqlcache.Refresh), askNames))
		}
		synctest.Wait()
		latch.Release()
		for _, c := range append(waiting, first) {
			if got := c.wait(t); got.Body != names {
				t.Error(got.Body)
			}
		}
		if n := r.store.Calls("Query.userNames"); n != 2 {
			t.Errorf("computed %d times, want 2: once before they have asked, and once for all of them", n)
		}
	})
}

// TestClientPolicies: a client's directives count where the owner allows them.
func TestClientPolicies(t *testing.T) {
	t.Parallel()
	t.Run("nothing by default", func(t *testing.T) {
		t.Parallel()
		a := newAging(t, gqlcache.Options{})
		a.asks(names, "MISS")
		a.unseen("anna")
		for _, said := range []string{"no-cache", "no-store", "only-if-cached", "max-stale"} {
			a.asksWith(said, names, "HIT")
		}
	})
	t.Run("not allowed", func(t *testing.T) {
		t.Parallel()
		o := clientPolicies
		o.Allow = func(context.Context) bool { panic("no") }
		a := newAging(t, gqlcache.Options{ClientPolicies: o, StaleIfError: time.Minute})
		a.asks(names, "MISS")
		a.asksWith("no-store", names, "HIT")
	})
	t.Run("no-cache is bounded", func(t *testing.T) {
		t.Parallel()
		a := newAging(t, gqlcache.Options{ClientPolicies: gqlcache.ClientPolicies{NoCache: true}})
		a.asks(names, "MISS")
		changed := a.unseen("anna")
		a.at(999 * time.Millisecond)
		a.asksWith("no-cache", names, "HIT")
		a.at(time.Second)
		a.asksWith("max-age=0, No-Cache", changed, "refresh")
		for range 20 {
			a.asksWith("no-cache", changed, "HIT")
		}
		a.asksWith("no-store", changed, "HIT")
		a.at(2 * time.Second)
		a.asksWith("no-cache", changed, "refresh")
	})
	t.Run("no-store", func(t *testing.T) {
		t.Parallel()
		a := newAging(t, gqlcache.Options{ClientPolicies: gqlcache.ClientPolicies{NoStore: true}})
		a.asksWith("no-store, only-if-cached", names, "no_store")
		a.asks(names, "MISS")
	})
	t.Run("only-if-cached", func(t *testing.T) {
		t.Parallel()
		a := newAging(t, gqlcache.Options{ClientPolicies: gqlcache.ClientPolicies{OnlyIfCached: true, Allow: everybody}})
		for range 4 { // the first of its kind, the second, and those that are remembered
			if got := a.asksWith("only-if-cached", notCached, "not_cached"); got.Status != http.StatusGatewayTimeout {
				t.Errorf("status %d", got.Status)
			}
		}
		a.asks(names, "MISS")
		if got := a.asksWith(`only-if-cached, x="a, no-store"`, names, "HIT"); got.Status != http.StatusOK {
			t.Errorf("status %d", got.Status)
		}
	})
	t.Run("max-stale", func(t *testing.T) {
		t.Parallel()
		a := newAging(t, gqlcache.Options{ClientPolicies: clientPolicies, StaleIfError: time.Minute})
		a.asks(names, "MISS")
		changed := a.unseen("anna")
		a.at(80 * time.Second) // expired 20 seconds ago
		a.asksWith("max-stale=21", names, "HIT")
		a.asksWith("max-stale", names, "HIT")
		a.asksWith("only-if-cached, max-stale=21", names, "HIT")
		a.asksWith("only-if-cached, max-stale=20", notCached, "not_cached")
		a.asksWith("max-stale=20", changed, "MISS")
		a.at(100 * time.Second)
		a.asks(changed, "HIT")
		a.at(10 * time.Minute) // longer than the owner allows
		a.asksWith("max-stale", changed, "MISS")
		a.at(11*time.Minute + 10*time.Second)
		a.send(renameAnn)
		a.asksWith("only-if-cached, max-stale", notCached, "not_cached") // a change has dropped it
	})
	t.Run("websockets and streams", func(t *testing.T) {
		t.Parallel()
		a := newAging(t, gqlcache.Options{ClientPolicies: clientPolicies, StaleIfError: time.Minute})
		before := a.cache.Stats()
		testgraph.Do(t, t.Context(), a.cached, testgraph.Request{Query: askNames, Header: map[string]string{"Cache-Control": "no-store", "Accept": "text/event-stream"}})
		if did := outcome(before, a.cache.Stats()); did != "MISS" {
			t.Error(did)
		}
	})
}

// TestDirectPolicies: what is sent past the hooks heeds policies.
func TestDirectPolicies(t *testing.T) {
	t.Parallel()
	o := gqlcache.Options{ClientPolicies: gqlcache.ClientPolicies{OnlyIfCached: true, NoStore: true, Allow: everybody}, HTTP: gqlcache.HTTP{Direct: true}}
	a := newAging(t, o)
	for range 3 {
		a.send(askNames)
	}
	a.asksWith("only-if-cached", names, "HIT")
	a.asksWith("no-store", names, "no_store")
	a.asksWith("by no-store", names, "no_store")
	a.asksWith("refresh", names, "refresh")
}

// TestClientPolicyOptions: what is wrong with them is said.
func TestClientPolicyOptions(t *testing.T) {
	t.Parallel()
	for want, o := range map[string]gqlcache.ClientPolicies{
		"Allow is not":                 {OnlyIfCached: true},
		"neither StaleIfError nor":     {MaxStale: true},
		"none of the directives":       {Allow: everybody},
		"RefreshInterval is -1s; it m": {NoCache: true, RefreshInterval: -time.Second},
	} {
		if _, err := gqlcache.New(gqlcache.Options{ClientPolicies: o}); err == nil || !strings.Contains(err.Error(), want) || !errors.Is(err, gqlcache.ErrOptions) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// TestPoliciesOfInstances: what another instance has computed is stored, and is no new
// answer.
func TestPoliciesOfInstances(t *testing.T) {
	t.Parallel()
	r := newInstances(t, 2, func(_ *instance, o *gqlcache.Options) {
		o.Policy = func(ctx context.Context) gqlcache.Policy {
			return map[string]gqlcache.Policy{"refresh": gqlcache.Refresh, "only": gqlcache.CacheOnly}[graphql.GetOperationContext(ctx).Headers.Get("X-Policy")]
		}
	})
	a, b := r.two()
	b.want("BYPASS not_cached", "NOT_CACHED", readAnn, "X-Policy", "only")
	a.want("MISS", "Ann", readAnn)
	b.want("HIT shared", "Ann", readAnn, "X-Policy", "only")
	b.want("HIT memory", "Ann", readAnn, "X-Policy", "only")
	testgraph.Ask(t, testgraph.NewServer(r.rows), expand(renameAnn), nil)
	b.want("MISS", "New", readAnn, "X-Policy", "refresh")
	if _, did := b.ask(readAnn); did != "HIT memory" {
		t.Error(did)
	}
	a.want("HIT memory", "Ann", readAnn) // its own entry is as true as before, for all that it knows
	r.add().want("HIT shared", "New", readAnn)
}

// TestComputedPolicies: values heed the policies of their context, and of their operation.
func TestComputedPolicies(t *testing.T) {
	t.Parallel()
	cache := newValues(t, gqlcache.Options{}).cache
	var calls atomic.Int32
	get := func(ctx context.Context) (int32, error) {
		return gqlcache.Compute(ctx, cache, gqlcache.KeyOf("n"), func(context.Context) (int32, error) { return calls.Add(1), nil }, gqlcache.ForAll(), gqlcache.Reads())
	}
	for i, row := range []struct {
		policy gqlcache.Policy
		want   int32
		err    error
	}{
		{gqlcache.CacheOnly, 0, gqlcache.ErrMiss},
		{gqlcache.CacheFirst, 1, nil},
		{gqlcache.CacheOnly, 1, nil},
		{gqlcache.NoStore, 2, nil},
		{gqlcache.CacheFirst, 1, nil},
		{gqlcache.Refresh, 3, nil},
		{gqlcache.CacheFirst, 3, nil},
	} {
		if n, err := get(gqlcache.WithPolicy(t.Context(), row.policy)); n != row.want || !errors.Is(err, row.err) {
			t.Errorf("step %d, %v: %d, %v, want %d, %v", i, row.policy, n, err, row.want, row.err)
		}
	}
	for policy, want := range map[gqlcache.Policy]bool{gqlcache.CacheFirst: true, gqlcache.CacheOnly: true, gqlcache.Refresh: false, gqlcache.NoStore: false} {
		ctx := gqlcache.WithPolicy(t.Context(), policy)
		if ok, err := gqlcache.Exists(ctx, cache, gqlcache.KeyOf("n"), gqlcache.ForAll()); ok != want || err != nil {
			t.Errorf("%v: exists %v, %v", policy, ok, err)
		}
		if _, err := gqlcache.Get[int32](ctx, cache, gqlcache.KeyOf("n"), gqlcache.ForAll()); (err == nil) != want {
			t.Errorf("%v: %v", policy, err)
		}
	}
	existed, err := gqlcache.Delete(gqlcache.WithPolicy(t.Context(), gqlcache.NoStore), cache, gqlcache.KeyOf("n"), gqlcache.ForAll())
	if !existed || err != nil {
		t.Errorf("%v, %v: what is deleted asks for no policy", existed, err)
	}
}

// TestRefreshedValues: the values of an operation are refreshed with it, for a client as
// often as the operation may be.
func TestRefreshedValues(t *testing.T) {
	t.Parallel()
	a := newAging(t, gqlcache.Options{Predicate: whosePredicate, ClientPolicies: gqlcache.ClientPolicies{NoCache: true}})
	var calls int
	a.store.On("Query.userNames", func(ctx context.Context) error {
		_, err := gqlcache.Compute(ctx, a.cache, gqlcache.KeyOf("n"), func(context.Context) (int, error) { calls++; return calls, nil }, gqlcache.Reads())
		return err
	})
	for i, row := range []struct {
		at   time.Duration
		said string
		did  string
		want int
	}{
		{0, "", "MISS", 1},
		{0, "refresh", "refresh", 2},
		{500 * time.Millisecond, "no-cache", "HIT", 2},
		{2 * time.Second, "no-cache", "refresh", 3},
		{2 * time.Second, "by no-store", "no_store", 4},
		{2 * time.Second, "", "HIT", 4},
	} {
		a.at(row.at)
		a.asksWith(row.said, names, row.did)
		if calls != row.want {
			t.Errorf("step %d: called %d times, want %d", i, calls, row.want)
		}
	}
}
