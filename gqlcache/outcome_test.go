package gqlcache_test

import (
	"context"
	"maps"
	"runtime"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/inspect"
	"github.com/cascadeql/cascadeql/gqlcache/internal/testgraph"
)

// An overhearing extension notes what Explain says of an operation, also when that panics
// or ends the goroutine.
type overhearing struct {
	named
	told inspect.Extension
	ok   bool
}

func (o *overhearing) InterceptResponse(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
	defer func() { o.told, o.ok = gqlcache.Explain(ctx) }()
	return next(ctx)
}

// A sabotage does something in place of the resolvers.
type sabotage struct {
	named
	do func()
}

func (b *sabotage) InterceptResponse(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
	if b.do != nil {
		b.do()
	}
	return next(ctx)
}

// TestFailedOperations: an operation below which something panics, or ends the goroutine,
// is counted once, has its spans ended and is explained, as if its resolvers had failed.
func TestFailedOperations(t *testing.T) {
	t.Parallel()
	panics := func() { panic("below the cache") } // an extension's bug
	exits := runtime.Goexit
	for _, row := range []struct {
		name, document string
		do             func()
		predicate      func() // in place of do, in the predicate
		spans          []string
		status         inspect.Status
		code           string
		count          string // of Stats
	}{
		{"miss panics", "query A{users{name}}", panics, nil, []string{"lookup A miss", "fill A not_stored errors"}, inspect.Miss, "errors", "misses"},
		{"miss exits", "query A{users{name}}", exits, nil, []string{"lookup A miss", "fill A not_stored errors"}, inspect.Miss, "errors", "misses"},
		{"bypass panics", "query A{__typename}", panics, nil, []string{"lookup A bypass typename"}, inspect.Bypass, "typename", "bypassed"},
		{"bypass exits", "query A{__typename}", exits, nil, []string{"lookup A bypass typename"}, inspect.Bypass, "typename", "bypassed"},
		{"mutation panics", renameAnn, panics, nil, []string{"invalidate (anonymous) invalidated"}, inspect.Invalidated, "mutation", ""},
		{"mutation exits", renameAnn, exits, nil, []string{"invalidate (anonymous) invalidated"}, inspect.Invalidated, "mutation", ""},
		{"predicate exits", "query A{users{name}}", nil, exits, nil, inspect.Bypass, "failed", "bypassed"},
	} {
		for _, asked := range []bool{false, true} {
			name := row.name
			if asked {
				name += ", asked"
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				tracer, above, below := &spans{}, &overhearing{named: "overhearing"}, &sabotage{named: "sabotage", do: row.do}
				r := newRig(t, "annotated", gqlcache.Options{Tracer: tracer, Predicate: func(ctx context.Context) (gqlcache.Predicate, error) {
					if row.predicate != nil {
						row.predicate()
					}
					return viewerPredicate(ctx)
				}})
				h := testgraph.NewServer(r.store, above, r.cache, below)
				ctx := t.Context()
				if asked {
					ctx = gqlcache.WithExplain(ctx)
				}
				done := make(chan struct{})
				go func() {
					defer close(done)
					testgraph.Do(t, ctx, h, testgraph.Request{Query: expand(row.document)})
				}()
				<-done
				tracer.told(t, row.spans...)
				if above.told.Status != row.status || above.told.Reason.Code != row.code || above.told.Reason.Message == "" || !above.ok {
					t.Errorf("told %+v, %t, want %s %s", above.told, above.ok, row.status, row.code)
				}
				s := r.cache.Stats()
				got, want := map[string]uint64{"misses": s.Misses, "bypassed": 0, "hits": s.Hits, "joined": s.Joined}, map[string]uint64{}
				for _, n := range s.Bypassed {
					got["bypassed"] += n
				}
				if row.count != "" {
					want[row.count] = 1
				}
				maps.DeleteFunc(got, func(_ string, n uint64) bool { return n == 0 })
				if !maps.Equal(got, want) {
					t.Errorf("counted %v, want %v", got, want)
				}
			})
		}
	}
}
