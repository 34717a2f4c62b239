package gqlcache_test

import (
	"context"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/inspect"
	"github.com/cascadeql/cascadeql/gqlcache/internal/testgraph"
)

// A breaking clock panics in calls from functions whose names contain a text, once it is
// armed.
type breaking struct {
	in     string
	armed  atomic.Bool
	broken atomic.Int64
}

func (b *breaking) now() time.Time {
	if !b.armed.Load() {
		return time.Now()
	}
	pcs := make([]uintptr, 32)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs)])
	for {
		f, more := frames.Next()
		if strings.Contains(f.Function, b.in) {
			b.broken.Add(1)
			panic("the clock is broken")
		}
		if !more {
			return time.Now()
		}
	}
}

// TestBrokenWatch: whatever goes wrong where the cache takes notes, of which a broken
// clock is as good an example as any, requests are answered, changes are applied, and the
// log has one line.
func TestBrokenWatch(t *testing.T) {
	t.Parallel()
	for _, in := range []string{
		"internal/watch.(*Recorder).Begin", "internal/watch.(*Pending).Done", "internal/watch.(*Recorder).Stored",
		"internal/watch.(*Recorder).Served", "internal/watch.(*Recorder).Missed", "internal/watch.(*Recorder).Count",
		"gqlcache.(*Cache).explain", "internal/watch.",
	} {
		t.Run(in, func(t *testing.T) {
			t.Parallel()
			b := &breaking{in: in}
			c, log := loud(t, gqlcache.Options{
				Predicate: viewerPredicate, Store: newMapStore(),
				Inspector: gqlcache.Inspector{Allow: func(ctx context.Context) bool { return testgraph.Viewer(ctx) != "" }},
			})
			gqlcache.UseClock(c, b.now)
			s, twin := testgraph.NewStore(), testgraph.NewStore()
			h, plain := c.HoldUntilCommit(testgraph.NewServer(s, c)), testgraph.NewServer(twin)
			testgraph.Do(t, t.Context(), h, inspectRequest("one", asks, inspect.Request{Inspect: &inspect.SnapshotRequest{}}))
			b.armed.Store(true)
			for _, document := range []string{readAnn, readAnn, readUsers, renameAnn, readAnn, readUsers, readAnn, "{__typename}"} {
				q := inspectRequest("one", document, nil)
				got, want := testgraph.Do(t, t.Context(), h, q), testgraph.Do(t, t.Context(), plain, q)
				if string(got.Data) != string(want.Data) || len(got.Errors) != 0 {
					t.Errorf("%s: %s, want %s", document, got.Body, want.Body)
				}
			}
			if st := c.Stats(); st.Hits != 2 || st.Misses != 4 {
				t.Errorf("%d hits, %d misses", st.Hits, st.Misses)
			}
			// Several kinds of trouble have a line each; that of the inspector is one of
			// them.
			if lines := log.lines(); b.broken.Load() > 0 && strings.Count(strings.Join(lines, "\n"), "the inspector failed") != 1 {
				t.Errorf("log: %q", lines)
			}
			if b.broken.Load() == 0 {
				t.Error("the test is pointless: nothing was broken")
			}
		})
	}
}

// TestBrokenWatchOfALog: records of other instances are applied.
func TestBrokenWatchOfALog(t *testing.T) {
	t.Parallel()
	b := &breaking{in: "internal/watch."}
	r := newInstances(t, 2)
	one, other := r.two()
	for _, m := range r.all {
		gqlcache.UseClock(m.cache, b.now)
		testgraph.Do(t, t.Context(), m.h, inspectRequest("", asks, inspect.Request{Inspect: &inspect.SnapshotRequest{}}))
		m.ask(readAnn)
	}
	b.armed.Store(true)
	if resp, _ := one.ask(renameAnn); len(resp.Errors) > 0 || strings.Contains(resp.Body, "consistency") {
		t.Errorf("the mutation is answered %s", resp.Body)
	}
	for _, m := range r.all {
		if resp, _ := m.ask(readAnn); !strings.Contains(resp.Body, "New") {
			t.Errorf("after the mutation: %s", resp.Body)
		}
	}
	if st := other.cache.Stats(); b.broken.Load() == 0 || st.Log.Unconfirmed > 0 {
		t.Errorf("broken %d times, %+v", b.broken.Load(), *st.Log)
	}
}

// breaksOperation is an extension that leaves an operation in a state that nobody can
// evaluate, when its resolvers have run.
type breaksOperation struct{ of string }

func (breaksOperation) ExtensionName() string                   { return "breaks operation" }
func (breaksOperation) Validate(graphql.ExecutableSchema) error { return nil }
func (b breaksOperation) InterceptField(ctx context.Context, next graphql.Resolver) (any, error) {
	res, err := next(ctx)
	if fc := graphql.GetFieldContext(ctx); fc.Object == b.of {
		fc.Field.Arguments[0].Value = nil
	}
	return res, err
}

// TestUntoldChanges: what cannot be told of a mutation that has committed drops
// everything, and fails nothing.
func TestUntoldChanges(t *testing.T) {
	t.Parallel()
	r := newRig(t, "annotated", gqlcache.Options{}, breaksOperation{"Mutation"})
	r.run("annotated", []string{
		"MISS: " + readAnn, "HIT: " + readAnn, renameAnn, "MISS: " + readAnn, "HIT: " + readAnn,
	})
	if n := r.cache.Stats().Flushes; n != 1 {
		t.Errorf("%d flushes", n)
	}
}

// TestUntoldReads: an answer of which nobody can tell what it depends on is not stored,
// and is sent.
func TestUntoldReads(t *testing.T) {
	t.Parallel()
	r := newRig(t, "annotated", gqlcache.Options{}, breaksOperation{"Query"})
	r.run("annotated", []string{"MISS reads: " + readAnn})
}
