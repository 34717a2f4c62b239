package gqlcache_test

import (
	"bytes"
	"context"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/inspect"
	"github.com/cascadeql/cascadeql/gqlcache/internal/testgraph"
)

// TestAddedTwice: a server that has the cache twice answers as one that has it once, and
// is told of it once.
func TestAddedTwice(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	c, err := gqlcache.New(gqlcache.Options{
		Inspector: inspectable(), Predicate: viewerPredicate, SweepInterval: -1, Logger: slog.New(slog.NewTextHandler(&log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	p := &panel{rig: &rig{t: t, cache: c, store: testgraph.NewStore(), twin: testgraph.NewStore()}}
	p.cached, p.plain = testgraph.NewServer(p.store, c, c, c), testgraph.NewServer(p.twin)
	p.h = c.Handler(p.cached)
	p.run("annotated", []string{
		"MISS: " + readUsers, "HIT: " + readUsers, renameAnn, "MISS: " + readUsers, "HIT: " + readUsers,
	})
	if s := p.cache.Stats(); s.Invalidations != 1 {
		t.Errorf("%d invalidations of one mutation", s.Invalidations)
	}
	if x := p.ask("admin", readUsers, inspect.Request{Bypass: true}); x.Status != inspect.Bypass {
		t.Errorf("%+v", x)
	}
	if p.snapshot().Totals.Hits == 0 {
		t.Error("the inspector does not answer")
	}
	if got := log.String(); strings.Count(got, "remove one srv.Use(cache)") != 1 {
		t.Errorf("log %q", got)
	}
}

// nesting runs an operation of its own in the context of another one, as a resolver may.
type nesting struct {
	run  func(ctx context.Context)
	busy bool
}

func (*nesting) ExtensionName() string                   { return "Nesting" }
func (*nesting) Validate(graphql.ExecutableSchema) error { return nil }

func (n *nesting) InterceptResponse(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
	if !n.busy {
		n.busy = true
		n.run(ctx)
	}
	return next(ctx)
}

// TestOperationInAnother: an operation that is run within another one is no cache that
// was added twice.
func TestOperationInAnother(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	c, err := gqlcache.New(gqlcache.Options{Predicate: viewerPredicate, SweepInterval: -1, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	n := &nesting{}
	srv := testgraph.NewServer(testgraph.NewStore(), n, c)
	var inner testgraph.Response
	n.run = func(ctx context.Context) { inner = testgraph.Do(t, ctx, srv, testgraph.Request{Query: readUsers}) }
	outer := testgraph.Ask(t, srv, readUsers, nil)
	if len(inner.Data) == 0 || !bytes.Equal(inner.Data, outer.Data) {
		t.Errorf("within: %s, around: %s", inner.Body, outer.Body)
	}
	if s := c.Stats(); s.Misses != 1 || s.Hits != 1 || log.Len() > 0 {
		t.Errorf("%d misses, %d hits, log %q", s.Misses, s.Hits, log.String())
	}
}

// TestForgottenHandler: whoever set Actions is told why nobody can act, and nobody else
// is.
func TestForgottenHandler(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name             string
		actions, wrapped bool
		want             bool
	}{
		{"forgotten", true, false, true},
		{"wrapped", true, true, false},
		{"no actions, no handler", false, false, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			p := newPanel(t, func(o *gqlcache.Options) {
				if !row.actions {
					o.Inspector.Actions = nil
				}
			})
			if !row.wrapped {
				p.h = p.cached
			}
			told := slices.ContainsFunc(p.snapshot().Warnings, func(w inspect.Warning) bool {
				return w.Code == "handler" && strings.Contains(w.Message, "cache.Handler(srv)")
			})
			if told != row.want {
				t.Errorf("told: %v, want %v", told, row.want)
			}
		})
	}
}

// TestWhyAnything: of an answer that any change drops, and of a mutation that drops all
// answers, the inspector says what is not declared.
func TestWhyAnything(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ name, level, document, want string }{
		{"reads", "annotated", "{looseAll{id}}", "nothing says what Query.looseAll reads"},
		{"writes", "only reads", readUsers, "no mutation declares that it writes the view v_user"},
		{"declared", "annotated", readUsers, ""},
	} {
		r := newRig(t, row.level, gqlcache.Options{Inspector: inspectable()})
		p := &panel{rig: r, h: r.cached}
		if got := p.ask("admin", row.document, nil).DependsOnAnything; got != row.want {
			t.Errorf("%s: %q, want %q", row.name, got, row.want)
		}
	}
	p := newPanel(t, nil)
	if got := p.ask("admin", "mutation{setLoose(id:\"1\",name:\"x\")}", nil).Invalidation; got == nil || got.Everything != "nothing says what Mutation.setLoose writes" {
		t.Errorf("%+v", got)
	}
}
