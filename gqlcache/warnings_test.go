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
	"github.com/cascadeql/cascadeql/gqlcache/changelog"
	"github.com/cascadeql/cascadeql/gqlcache/inspect"
	"github.com/cascadeql/cascadeql/gqlcache/internal/rolegraph"
	"github.com/cascadeql/cascadeql/gqlcache/internal/testgraph"
	"github.com/vektah/gqlparser/v2/ast"
)

// TestOpenInspectorIsWarnedOf: once, at the start, when it asks for nothing.
func TestOpenInspectorIsWarnedOf(t *testing.T) {
	t.Parallel()
	all := func(context.Context) bool { return true }
	for _, row := range []struct {
		name string
		in   gqlcache.Inspector
		want string
	}{
		{"none", gqlcache.Inspector{}, ""},
		{"nobody", gqlcache.Inspector{Allow: func(context.Context) bool { return false }, Actions: all}, ""},
		{"by the request", gqlcache.Inspector{Allow: func(ctx context.Context) bool { return testgraph.Viewer(ctx) == "ann" }}, ""},
		{"panics without one", gqlcache.Inspector{Allow: func(context.Context) bool { panic("no request") }}, ""}, // a caller's bug
		{"everybody", gqlcache.Inspector{Allow: all}, "actions=false"},
		{"everybody may act", gqlcache.Inspector{Allow: all, Actions: all}, "actions=true"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			var log bytes.Buffer
			c, err := gqlcache.New(gqlcache.Options{Inspector: row.in, Callers: gqlcache.AllSeeTheSame, SweepInterval: -1, Logger: slog.New(slog.NewTextHandler(&log, nil))})
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			got := log.String()
			if (row.want == "") != (got == "") || !strings.Contains(got, row.want) || strings.Count(got, "\n") > 1 {
				t.Errorf("log %q, want %q", got, row.want)
			}
		})
	}
}

// TestWarnings: each warning is there when its cause is, and not before.
func TestWarnings(t *testing.T) {
	t.Parallel()
	codes := func(c *gqlcache.Cache) (out []string) {
		for _, w := range c.Snapshot().Warnings {
			if w.Severity != "info" {
				out = append(out, w.Code)
			}
		}
		return out
	}
	t.Run("none", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, "annotated", gqlcache.Options{})
		r.run("annotated", []string{"MISS: " + readUsers, renameAnn})
		if got := codes(r.cache); len(got) != 0 {
			t.Errorf("%v", got)
		}
	})
	t.Run("directives and field hooks", func(t *testing.T) {
		t.Parallel()
		c := newCache(t, gqlcache.Options{Predicate: tenantPredicate})
		s := testgraph.Serve((&rolegraph.Server{}).Executable(), c)
		s.AroundFields(func(ctx context.Context, next graphql.Resolver) (any, error) { return next(ctx) })
		testgraph.Ask(t, s, "{open}", nil)
		if got := codes(c); !slices.Equal(got, []string{"directive", "directive", "directive", "directive", "field_hooks"}) {
			t.Errorf("%v", got)
		}
	})
	t.Run("query cache", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, "annotated", gqlcache.Options{})
		srv := testgraph.NewServer(r.store, r.cache)
		for i, want := range []int{0, 1} {
			for range 30 {
				testgraph.Ask(t, srv, readUsers, nil)
			}
			if got := codes(r.cache); len(got) != want || want == 1 && got[0] != "query_cache" {
				t.Errorf("%d: %v", i, got)
			}
			srv.SetQueryCache(graphql.NoCache[*ast.QueryDocument]{})
		}
	})
	t.Run("cluster", func(t *testing.T) {
		t.Parallel()
		m := newInstances(t, 1)
		a := m.all[0]
		a.log.lose()
		if got := codes(a.cache); !slices.Equal(got, []string{"lease"}) {
			t.Errorf("%v", got)
		}
		x := (&panel{rig: &rig{t: t}}).read(testgraph.Do(t, t.Context(), a.h, inspectRequest("", readUsers, nil)))
		if len(x.Warnings) != 1 || x.Warnings[0].Code != "lease" {
			t.Errorf("%+v", x.Warnings)
		}
	})
	t.Run("lint", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, "bare", gqlcache.Options{})
		w := r.cache.Snapshot().Warnings
		if !slices.ContainsFunc(w, func(w inspect.Warning) bool { return w.Code == "unknown-reads" && w.Severity == "info" }) || len(w) != 51 || w[50].Code != "lint" {
			t.Errorf("%+v", w)
		}
	})
	t.Run("other schema", func(t *testing.T) {
		t.Parallel()
		f := newFakeLog()
		one, other := f.join(changelog.Bounded), f.join(changelog.Bounded)
		serve := func(log *logMember, without ...string) *gqlcache.Cache {
			c := newCache(t, gqlcache.Options{Instances: gqlcache.Instances{Log: log}, Callers: gqlcache.AllSeeTheSame})
			testgraph.Serve(testgraph.Executable(testgraph.NewStore(), without...), c)
			return c
		}
		a, b := serve(one, "cacheControl"), serve(other, "cacheControl", "writes")
		if err := b.Invalidate(t.Context(), gqlcache.View("User")); err != nil {
			t.Fatal(err)
		}
		if got := codes(a); !slices.Equal(got, []string{"schema"}) {
			t.Errorf("%v", got)
		}
	})
}
