package gqlcache_test

import (
	"context"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/internal/testgraph"
)

// sweeps is an extension that sweeps a cache when a mutation's resolvers begin: what the
// announcement has dropped is gone then.
type sweeps struct {
	t     *testing.T
	cache *gqlcache.Cache
}

func (*sweeps) ExtensionName() string                   { return "sweeps" }
func (*sweeps) Validate(graphql.ExecutableSchema) error { return nil }
func (s *sweeps) InterceptField(ctx context.Context, next graphql.Resolver) (any, error) {
	if fc := graphql.GetFieldContext(ctx); fc.Object == "Mutation" {
		s.dead(ctx)
	}
	return next(ctx)
}

// dead removes the entries that a change has reached, and says how many there were.
func (s *sweeps) dead(ctx context.Context) int {
	r, err := s.cache.Sweep(ctx)
	if err != nil {
		s.t.Error(err)
	}
	return r.DeadEntries
}

// TestAnnouncementsCoverChanges: with Intent, a mutation drops nothing at its end that it
// has not dropped before its resolvers ran. What the answer tells, and what is unknown
// without it, must not be more than what was foreseen.
func TestAnnouncementsCoverChanges(t *testing.T) {
	t.Parallel()
	for _, level := range []string{"annotated", "only writes", "only reads", "bare"} {
		for _, s := range sequences {
			t.Run(level+"/"+s.name, func(t *testing.T) {
				t.Parallel()
				c := newCache(t, gqlcache.Options{Instances: gqlcache.Instances{Intent: true}, Predicate: viewerPredicate})
				before := &sweeps{t: t, cache: c}
				rows := testgraph.NewStore()
				h := testgraph.Serve(testgraph.Executable(rows, levels[level]...), before, c)
				for i, step := range s.steps {
					q, _ := stepRequest(step)
					testgraph.Do(t, t.Context(), h, q)
					if n := before.dead(t.Context()); n > 0 {
						t.Errorf("step %d, %s: %d entries were dropped that were not announced", i, q.Query, n)
					}
				}
			})
		}
	}
}
