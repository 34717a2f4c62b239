package gqlcache_test

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler"
	"github.com/cascadeql/cascadeql/gqlcache/inspect"
	"github.com/cascadeql/cascadeql/gqlcache/internal/testgraph"
)

// TestTotalsAddUpAtOnce: queries of every fate, mutations, actions and requests to the
// inspector at once, some of them given up by their clients. Each query is counted once,
// in the totals and in the tables, and what a change has dropped is counted at one node
// of its cascade.
func TestTotalsAddUpAtOnce(t *testing.T) {
	t.Parallel()
	p := newPanel(t, nil)
	p.snapshot()
	var queries, changes atomic.Uint64
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 60 {
				ctx, cancel := context.WithCancel(t.Context())
				if (i+g)%7 == 0 {
					go cancel()
				}
				var document string
				var ask any
				counts := &queries
				switch (i + g) % 10 {
				case 0, 1, 2:
					document = readUsers
				case 3:
					document = fmt.Sprintf("query N%d{users{name id}}", i)
				case 4:
					document = "{panics}"
				case 5:
					document, ask = readUsers, inspect.Request{Bypass: true}
				case 6:
					document = "{__typename}"
				case 7:
					document, counts = fmt.Sprintf(`mutation{renameUser(id:$Ann,name:"%d")}`, i), &changes
				case 8:
					document, ask, counts = asks, inspect.Request{Inspect: &inspect.SnapshotRequest{}}, new(atomic.Uint64)
				case 9:
					document, ask, counts = asks, inspect.Request{Action: &inspect.Action{Type: "invalidateView", View: "v_user"}}, &changes
				}
				resp := testgraph.Do(t, ctx, p.h, inspectRequest("admin", document, ask))
				cancel()
				if resp.Body == "null" {
					continue // gqlgen gave it up before the cache was asked
				}
				counts.Add(1)
				if resp.Extensions == nil {
					continue // it was given up since, and nobody is told
				}
				if inv := p.read(resp).Invalidation; inv != nil {
					evictions(t, inv)
				}
			}
		})
	}
	wg.Wait()
	s := p.snapshot()
	to := s.Totals
	if to.Requests != queries.Load() || to.Invalidations != changes.Load() {
		t.Errorf("%d requests of %d, %d changes of %d", to.Requests, queries.Load(), to.Invalidations, changes.Load())
	}
	var ops, all inspect.Totals
	for _, o := range s.Operations {
		ops.Hits += o.Hits
		ops.Misses += o.Misses
		ops.Bypasses += o.Bypasses
	}
	for _, o := range p.cache.OperationStats() {
		all.Hits += o.Hits
		all.Misses += o.Misses
		all.Collapsed += o.Joined
		all.Abandoned += o.Abandoned
		all.Bypasses += o.Bypassed
	}
	if ops.Hits != to.Hits || ops.Misses != to.Misses+to.Collapsed || ops.Bypasses != to.Bypasses {
		t.Errorf("the table has %+v, the totals %+v", ops, to)
	}
	if all.Hits != to.Hits || all.Misses != to.Misses || all.Collapsed != to.Collapsed || all.Abandoned != to.Abandoned || all.Bypasses != to.Bypasses {
		t.Errorf("by name %+v, in all %+v", all, to)
	}
}

// TestTotalsCountPanics: a query is counted in the tables, too, when an extension below
// the cache panics.
func TestTotalsCountPanics(t *testing.T) {
	t.Parallel()
	p := newPanel(t, nil)
	p.cached.(*handler.Server).AroundResponses(func(context.Context, graphql.ResponseHandler) *graphql.Response { panic("below") })
	p.snapshot()
	for _, document := range []string{readUsers, "{__typename}"} {
		want := http.StatusInternalServerError
		if onFloor {
			want = http.StatusUnprocessableEntity
		}
		if resp := p.send(document); resp.Status != want {
			t.Errorf("%d %s", resp.Status, resp.Body)
		}
	}
	s := p.snapshot()
	var ops inspect.Totals
	for _, o := range s.Operations {
		ops.Misses += o.Misses
		ops.Bypasses += o.Bypasses
	}
	if to := s.Totals; to.Requests != 2 || to.Misses != 1 || to.Bypasses != 1 || ops.Misses != 1 || ops.Bypasses != 1 {
		t.Errorf("the table has %+v, the totals %+v", ops, to)
	}
}
