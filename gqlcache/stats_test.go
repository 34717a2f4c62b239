package gqlcache_test

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/99designs/gqlgen/graphql"
	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/internal/testgraph"
)

// below is an extension under the cache that panics on request.
type below struct{ named }

func (below) InterceptResponse(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
	if testgraph.Viewer(ctx) == "panics" {
		panic("below the cache") // an extension's bug
	}
	return next(ctx)
}

// TestStatsAddUp: each query is counted in one place.
func TestStatsAddUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, "annotated", gqlcache.Options{Store: newMapStore()})
		r.cached = testgraph.NewServer(r.store, r.cache, below{"below"})
		asked := uint64(0)
		ask := func(viewer, document string) {
			asked++
			testgraph.Ask(t, r.cached, expand(document), nil, "X-Viewer", viewer)
		}
		ask("ann", readUsers)
		ask("ann", readUsers)
		ask("ann", "{__typename}")
		ask("ann", "{__schema{queryType{name}}}")
		ask("ann", "{fails}")
		ask("ann", "{users{name} fails}")
		ask("panics", readUsers)
		ask("panics", "{__typename}")
		for _, document := range []string{renameAnn, `mutation{renameUndeclared(id:$Ann,name:"x")}`, "{nope}", "{"} {
			testgraph.Ask(t, r.cached, expand(document), nil, "X-Viewer", "ann") // no queries
		}

		latch := r.store.Block("Query.users")
		ctx, cancel := context.WithCancel(t.Context())
		stays := r.start(t.Context(), readUsers)
		synctest.Wait()
		leaver, fails := r.start(ctx, readUsers), r.start(t.Context(), readUsers)
		synctest.Wait()
		cancel()
		leaver.wait(t)
		latch.Release()
		stays.wait(t)
		fails.wait(t)
		asked += 3

		s := r.cache.Stats()
		total := s.Hits + s.Misses + s.Joined + s.Abandoned
		for _, n := range s.Bypassed {
			total += n
		}
		if total != asked || s.Hits == 0 || s.Joined == 0 || s.Abandoned != 1 || len(s.Bypassed) != 2 {
			t.Errorf("%d of %d queries counted: %+v", total, asked, s)
		}
		wantSums(t, r.cache)
		if s.NotStored[gqlcache.ReasonErrors] != 2 || s.Invalidations != 2 || s.Flushes != 1 || s.Tags == 0 {
			t.Errorf("%+v", s)
		}
	})
}

// TestDead: lookups that find what a change has reached.
func TestDead(t *testing.T) {
	t.Parallel()
	r := newRig(t, "annotated", gqlcache.Options{})
	r.run("annotated", []string{"MISS: " + readAnn, renameAnn, "MISS: " + readAnn, "HIT: " + readAnn})
	if s := r.cache.Stats(); s.Dead != 1 || s.Entries != 1 {
		t.Errorf("%d dead, %d entries; want 1 and 1", s.Dead, s.Entries)
	}
}

func TestHitRate(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		s    gqlcache.Stats
		want float64
	}{
		{gqlcache.Stats{}, 0},
		{gqlcache.Stats{Misses: 4}, 0},
		{gqlcache.Stats{Hits: 3, Misses: 1}, 0.75},
		{gqlcache.Stats{Hits: 1, Joined: 2, Misses: 1, Abandoned: 5, Bypassed: map[gqlcache.Reason]uint64{gqlcache.ReasonDefer: 9}}, 0.75},
		{gqlcache.Stats{Joined: 1}, 1},
	} {
		if got := row.s.HitRate(); got != row.want {
			t.Errorf("%+v: %v, want %v", row.s, got, row.want)
		}
	}
}
