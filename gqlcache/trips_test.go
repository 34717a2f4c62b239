package gqlcache_test

import (
	"context"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/internal/testgraph"
	"github.com/cascadeql/cascadeql/internal/trips/record"
)

// TestTrips makes the trips that internal/trips counts, one after the other, since a trip
// is what the whole process does meanwhile. Each checks that it has been the trip of its
// name.
func TestTrips(t *testing.T) {
	// A collection, or another processor, may leave a trip with an empty pool: what fills
	// it is then a part of the trip.
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	explained := func(o *gqlcache.Options) {
		o.Inspector = gqlcache.Inspector{Allow: func(context.Context) bool { return true }}
	}
	panics := func(context.Context) error { panic("a resolver") }
	exits := func(context.Context) error { runtime.Goexit(); return nil }
	rows := []struct {
		name     string
		change   func(*gqlcache.Options)
		before   []string // documents
		point    string   // of the resolver that has a hook
		hook     func(context.Context) error
		document string
		debug    bool
		want     string // what the cache does, as outcome has it
		after    string // the status of readAnn afterwards
	}{
		{name: "hit, plain", before: []string{readAnn}, document: readAnn, want: "HIT", after: "HIT"},
		{name: "hit, of a request that is known", before: []string{readAnn, readAnn, readAnn}, document: readAnn, want: "HIT", after: "HIT"},
		{name: "hit, explained", change: explained, before: []string{readAnn}, document: readAnn, debug: true, want: "HIT", after: "HIT"},
		{name: "miss, plain, first of its document", before: []string{readCounter}, document: readAnn, want: "MISS", after: "HIT"},
		{name: "miss, plain, resolver panics", point: "Query.user", hook: panics, before: []string{readCounter}, document: readAnn, want: "MISS errors", after: "MISS"},
		{name: "miss, plain, resolver exits", point: "Query.user", hook: exits, before: []string{readCounter}, document: readAnn, want: "MISS", after: "MISS"},
		{name: "mutation, plain", before: []string{readAnn}, document: renameAnn, after: "MISS"},
		{name: "mutation, plain, resolver panics", point: "Mutation.renameUser:done", hook: panics, before: []string{readAnn}, document: renameAnn, after: "MISS"},
		{name: "mutation, plain, resolver exits", point: "Mutation.renameUser:done", hook: exits, before: []string{readAnn}, document: renameAnn, after: "MISS"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := gqlcache.Options{}
				if row.change != nil {
					row.change(&o)
				}
				r := newRig(t, "annotated", o)
				ask := func(document string) string {
					_, status := r.do(testgraph.Request{Query: expand(document)})
					return status
				}
				for _, document := range row.before {
					ask(document)
				}
				for _, s := range []*testgraph.Store{r.store, r.twin} {
					s.On(row.point, row.hook)
				}
				q := testgraph.Request{Query: expand(row.document), Header: map[string]string{}}
				want := apart(func() testgraph.Response { return testgraph.Do(t, t.Context(), r.plain, q) })
				if row.debug {
					q.Header[gqlcache.DebugHeader] = "true"
				}
				before := r.cache.Stats()
				var got testgraph.Response
				synctest.Wait() // for what the store does of its own
				trip(t, row.name, func() {
					got = apart(func() testgraph.Response { return testgraph.Do(t, t.Context(), r.cached, q) })
					synctest.Wait()
				})
				if status := outcome(before, r.cache.Stats()); status != row.want {
					t.Errorf("status %q, want %q", status, row.want)
				}
				if string(got.Data) != string(want.Data) || string(got.Errors) != string(want.Errors) || (got.Extensions["cache"] != nil) != row.debug {
					t.Errorf("answer %s, without the cache %s", got.Body, want.Body)
				}
				for _, s := range []*testgraph.Store{r.store, r.twin} {
					s.On(row.point, nil)
				}
				if status := ask(readAnn); status != row.after {
					t.Errorf("status %q afterwards, want %q", status, row.after)
				}
			})
		})
	}
	t.Run("instances", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			r := newInstances(t, 2, func(_ *instance, o *gqlcache.Options) { o.Predicate = viewerPredicate })
			r.fakeLog.carry = func(m *logMember) { // another instance does nothing on this one's goroutine
				done := make(chan struct{})
				go func() {
					defer close(done)
					m.deliver()
				}()
				<-done
			}
			a, b := r.two()
			for _, step := range []struct {
				name           string
				at             *instance
				document, want string
				status         string
			}{
				{"miss with a log and a shared store", a, readAnn, "Ann", "MISS"},
				{"taken over from another instance", b, readAnn, "Ann", "HIT"},
				{"mutation with a log and two instances", a, renameAnn, "", ""},
				{"miss after a change elsewhere", b, readAnn, "New", "MISS"},
			} {
				before := step.at.cache.Stats()
				var got testgraph.Response
				synctest.Wait()
				trip(t, step.name, func() {
					got = testgraph.Ask(t, step.at.h, expand(step.document), nil)
					synctest.Wait()
				})
				if !strings.Contains(got.Body, step.want) || got.Errors != nil {
					t.Errorf("%s: answer %s, want one with %s", step.name, got.Body, step.want)
				}
				if status := outcome(before, step.at.cache.Stats()); status != step.status {
					t.Errorf("%s: status %q, want %q", step.name, status, step.status)
				}
			}
		})
	})
	t.Run("verified", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			r := newVerifyRig(t, nil)
			r.ask(verified)
			synctest.Wait()
			trip(t, "hit, verified", func() {
				r.ask(verified)
				record.Without(func() { r.settle() })
			})
			if got, want := countsOf(r.settle()), (counts{sampled: 1, confirmed: 1}); got != want {
				t.Errorf("counted %+v, want %+v", got, want)
			}
		})
	})
}

// trip makes a trip, and records it for internal/trips.
func trip(t *testing.T, name string, f func()) {
	t.Helper()
	if err := record.Trip(name, f); err != nil {
		t.Fatal(err)
	}
}

// apart makes a request on a goroutine of its own, which its resolver may end.
func apart(f func() testgraph.Response) (out testgraph.Response) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		out = f()
	}()
	<-done
	return out
}
