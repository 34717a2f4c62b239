package gqlcache_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/internal/testgraph"
)

// spans is a tracer that writes down what it is told.
type spans struct {
	mu    sync.Mutex
	ended []string
	open  int
}

type spanKey struct{}

// Start implements gqlcache.Tracer.
func (r *spans) Start(ctx context.Context, s gqlcache.Span) (context.Context, func(gqlcache.SpanEnd)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.open++
	over := false
	return context.WithValue(ctx, spanKey{}, s.Kind), func(e gqlcache.SpanEnd) {
		r.mu.Lock()
		defer r.mu.Unlock()
		line := fmt.Sprintf("%s %s %s %s", s.Kind, s.Operation, e.Outcome, e.Reason)
		if over {
			line += " again"
		}
		over = true
		r.open--
		r.ended = append(r.ended, strings.TrimSpace(line))
	}
}

func (r *spans) told(t *testing.T, want ...string) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.open != 0 || !slices.Equal(r.ended, want) {
		t.Errorf("%d open, spans %q, want %q", r.open, r.ended, want)
	}
	r.ended = nil
}

func TestSpans(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name      string
		documents []string
		want      []string
	}{
		{"miss", []string{`query A{users{name}}`}, []string{"lookup A miss", "fill A stored"}},
		{"hit", []string{`query A{users{name}}`, `query A{users{name}}`}, []string{"lookup A miss", "fill A stored", "lookup A hit"}},
		{"another name", []string{`query A{users{name}}`, `query B{users{name}}`}, []string{"lookup A miss", "fill A stored", "lookup B miss", "fill B stored"}},
		{"not stored", []string{`query A{fails}`}, []string{"lookup A miss", "fill A not_stored errors"}},
		{"bypass", []string{`query A{__typename}`}, []string{"lookup A bypass typename"}},
		{"anonymous", []string{`{__typename}`}, []string{"lookup (anonymous) bypass typename"}},
		{"mutation", []string{`mutation A{renameUser(id:$Ann,name:"x")}`}, []string{"invalidate A invalidated"}},
		{"undeclared mutation", []string{`mutation A{renameUndeclared(id:$Ann,name:"x")}`}, []string{"invalidate A invalidated"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			tracer := &spans{}
			r := newRig(t, "annotated", gqlcache.Options{Tracer: tracer})
			for _, document := range row.documents {
				testgraph.Ask(t, r.cached, expand(document), nil)
			}
			tracer.told(t, row.want...)
		})
	}
}

// TestSpansOfAHerd: one computes, one waits, one leaves.
func TestSpansOfAHerd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tracer := &spans{}
		r := newRig(t, "annotated", gqlcache.Options{Tracer: tracer, Store: newMapStore()})
		latch := r.store.Block("Query.users")
		ctx, cancel := context.WithCancel(t.Context())
		const herd = `query Herd{users{name}}` // the name is a part of the key
		first := r.start(t.Context(), herd)
		synctest.Wait()
		leaves, stays := r.start(ctx, herd), r.start(t.Context(), herd)
		synctest.Wait()
		tracer.mu.Lock()
		tracer.ended = nil // three misses
		tracer.mu.Unlock()
		cancel()
		leaves.wait(t)
		latch.Release()
		first.wait(t)
		stays.wait(t)
		slices.Sort(tracer.ended)
		tracer.told(t, "fill Herd abandoned", "fill Herd joined", "fill Herd stored")
	})
}

// TestSpansOfSeveralInstances: what another instance has, and a change that the others
// have perhaps not.
func TestSpansOfSeveralInstances(t *testing.T) {
	t.Parallel()
	tracer := &spans{}
	r := newInstances(t, 2, func(_ *instance, o *gqlcache.Options) { o.Tracer = tracer })
	a, b := r.two()
	a.want("MISS", "Ann", readAnn)
	b.want("HIT shared", "Ann", readAnn)
	tracer.told(t, "lookup (anonymous) miss", "fill (anonymous) stored", "lookup (anonymous) miss", "fill (anonymous) hit")
	a.log.lose()
	a.want("BYPASS lease", "Ann", readAnn)
	tracer.told(t, "lookup (anonymous) bypass lease")
}

// TestSpansOutsideOfOperations have no name.
func TestSpansOutsideOfOperations(t *testing.T) {
	t.Parallel()
	tracer := &spans{}
	r := newRig(t, "annotated", gqlcache.Options{Tracer: tracer})
	if err := r.cache.Invalidate(t.Context(), gqlcache.View("v_user")); err != nil {
		t.Error(err)
	}
	if err := r.cache.Clear(t.Context()); err != nil {
		t.Error(err)
	}
	tracer.told(t, "invalidate  invalidated", "invalidate  invalidated")
}

// TestResolversRunInTheirSpan: what the tracer puts into the context reaches resolvers.
func TestResolversRunInTheirSpan(t *testing.T) {
	t.Parallel()
	r := newRig(t, "annotated", gqlcache.Options{Tracer: &spans{}})
	var in any
	r.store.On("Query.users", func(ctx context.Context) error { in = ctx.Value(spanKey{}); return nil })
	testgraph.Ask(t, r.cached, `{users{name}}`, nil)
	if in != gqlcache.SpanFill {
		t.Errorf("the resolver ran in %v", in)
	}
}

// faulty is a tracer that breaks.
type faulty func(context.Context) (context.Context, func(gqlcache.SpanEnd))

// Start implements gqlcache.Tracer.
func (f faulty) Start(ctx context.Context, _ gqlcache.Span) (context.Context, func(gqlcache.SpanEnd)) {
	return f(ctx)
}

// TestFaultyTracer: nothing that goes wrong in a tracer changes an answer.
func TestFaultyTracer(t *testing.T) {
	t.Parallel()
	for name, tracer := range map[string]faulty{
		"panics":     func(context.Context) (context.Context, func(gqlcache.SpanEnd)) { panic("start") },
		"no context": func(context.Context) (context.Context, func(gqlcache.SpanEnd)) { return nil, func(gqlcache.SpanEnd) {} },
		"another context": func(context.Context) (context.Context, func(gqlcache.SpanEnd)) {
			return context.Background(), func(gqlcache.SpanEnd) {}
		},
		"no end": func(ctx context.Context) (context.Context, func(gqlcache.SpanEnd)) { return ctx, nil },
		"end panics": func(ctx context.Context) (context.Context, func(gqlcache.SpanEnd)) {
			return ctx, func(gqlcache.SpanEnd) { panic("end") }
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, log := loud(t, gqlcache.Options{Callers: gqlcache.AllSeeTheSame, Tracer: tracer})
			s := testgraph.NewStore()
			r := &rig{t: t, cache: c, store: s, cached: testgraph.NewServer(s, c), plain: testgraph.NewServer(testgraph.NewStore())}
			r.run("annotated", []string{"MISS: " + readAnn, "HIT: " + readAnn, renameAnn, "MISS: " + readAnn, "typename: {__typename}"})
			if lines := log.lines(); len(lines) != 1 || !strings.Contains(lines[0], "Options.Tracer failed") {
				t.Errorf("log: %q", lines)
			}
		})
	}
}
