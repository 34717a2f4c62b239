package main

import (
	"context"
	"math/rand/v2"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/cascadeql/cascadeql/example/graph"
	"github.com/cascadeql/cascadeql/gqlcache"
)

// TestAnnouncementsCoverChanges: with Options.Intent, a mutation of a random history
// drops nothing at its end that it had not dropped when its resolvers began.
func TestAnnouncementsCoverChanges(t *testing.T) {
	t.Parallel()
	for _, v := range []struct {
		name   string
		schema func() (*ast.Schema, error)
	}{
		{"example", nil}, {"views only", viewSchema},
	} {
		t.Run(v.name, func(t *testing.T) {
			t.Parallel()
			var r *rig
			dead := func(ctx context.Context) int {
				found, err := r.cache.Sweep(ctx)
				if err != nil {
					t.Error(err)
				}
				return found.DeadEntries
			}
			announced := 0
			r = startRig(t, setup{
				schema: v.schema,
				change: func(o *gqlcache.Options) { o.Intent, o.SweepInterval = true, -1 },
				fields: func(ctx context.Context, next graphql.Resolver) (any, error) {
					if fc := graphql.GetFieldContext(ctx); fc.Object == "Mutation" {
						announced += dead(ctx)
					}
					return next(ctx)
				},
			})
			seed := *historySeed
			if seed == 0 {
				seed = rand.Uint64()
			}
			story := newStory(seed, graph.NewExecutableSchema(graph.Config{}).Schema())
			story.changes = 250
			one, shown := &client{rig: r}, 0
			for _, st := range story.history(min(*historySteps/3, 1000)) {
				if st.sweep {
					continue
				}
				// All are of one tenant: a row that is named is heard of beyond its
				// partition, one that is not named is not, and what other tenants see of
				// it does not change.
				st.tenant = "ta"
				rep := one.send(st)
				// What a resolver has reported of a row that the answer does not name,
				// because there is none, counts as a change of its own, and is more than
				// was made.
				if n := dead(t.Context()); n > 0 && len(rep.Errors) == 0 && shown < 5 {
					shown++
					t.Errorf("seed %d: %d entries fell that were not announced, with\n%s", seed, n, st)
				}
			}
			if announced == 0 {
				t.Error("nothing was dropped")
			}
		})
	}
}
