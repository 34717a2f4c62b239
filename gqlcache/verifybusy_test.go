package gqlcache_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"

	"github.com/99designs/gqlgen/graphql"
	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/internal/testgraph"
)

// TestVerifyFindsStaleInABusyRun: mutations run all the time, and each entry is dropped
// within the grace. What is stale is found all the same.
func TestVerifyFindsStaleInABusyRun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newVerifyRig(t, func(o *gqlcache.Options) { o.Verify.Grace = time.Second })
		const rounds = 20
		for i := range rounds {
			r.ask(verified)
			// Other mutations overlap everything from here on.
			latch := r.store.Block("Mutation.log")
			other := make(chan struct{})
			go func() {
				defer close(other)
				r.ask(`mutation{log}`)
			}()
			<-latch.Reached
			// Stands for a mutation whose annotation lacks an edge.
			r.behind(fmt.Sprintf(`mutation{renameUser(id:$Ann,name:"Anna%d")}`, i))
			r.ask(verified)
			synctest.Wait() // recomputed twice; now it waits for the other mutation
			latch.Release()
			<-other
			synctest.Wait()                                              // and now for the grace
			r.ask(`mutation{updateUser(id:$Ann,input:{email:"e"}){id}}`) // drops the entry, and is well annotated
		}
		if got, want := countsOf(r.settle()), (counts{sampled: rounds, mismatched: rounds}); got != want {
			t.Errorf("counted %+v, want %+v", got, want)
		}
	})
}

// TestVerifyWhileTheValueMoves: the value that is stale changes again between two
// recomputations, so that they differ. That is no instability while a mutation runs:
// further ones agree.
func TestVerifyWhileTheValueMoves(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name  string
		moves int
		want  counts
	}{
		{"for a while", 3, counts{sampled: 1, mismatched: 1}},
		{"for ever", 1000, counts{sampled: 1, skipped: 1}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newVerifyRig(t, nil)
				r.ask(verified)
				latch := r.store.Block("Mutation.log")
				go r.ask(`mutation{log}`)
				<-latch.Reached
				calls := 0
				r.store.On("Query.user", func(context.Context) error {
					if calls++; calls <= row.moves {
						r.behind(fmt.Sprintf(`mutation{renameUser(id:$Ann,name:"Anna%d")}`, calls))
					}
					return nil
				})
				r.ask(verified)
				synctest.Wait()
				latch.Release()
				v := r.settle()
				if got := countsOf(v); got != row.want || v.Skipped != v.SkippedBy["busy"] {
					t.Errorf("counted %+v, want %+v", v, row.want)
				}
			})
		})
	}
}

// TestVerifyQueues: hits that find no place wait for one, entries that were never
// recomputed first, and what has none even then is counted.
func TestVerifyQueues(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newVerifyRig(t, nil)
		query := func(i int) string { return fmt.Sprintf(`{counter(id:%d){value}}`, i) }
		r.hit(query(0))
		r.settle()
		for i := range 1200 {
			r.ask(query(i + 1))
		}
		latch := r.store.Block("Query.counter")
		r.ask(query(0))
		<-latch.Reached // the only place is taken
		for i := range 1200 {
			r.ask(query(i + 1))
		}
		latch.Release()
		v := r.settle()
		if v.Sampled != 1202 || v.Confirmed != 1001 || v.Skipped != 201 || v.SkippedBy["full"] != 201 {
			t.Errorf("%+v", v)
		}
	})
}

// pooledKey holds what a framework hands from one request to the next.
type pooledKey struct{}

type pooled struct{ user atomic.Value }

// TestVerifyNotWithPooledTexts: the texts of a header are parts of a buffer of the
// framework's, into which it reads another caller's request as soon as this one is over.
// A hit is recomputed with the header that its request had.
func TestVerifyNotWithPooledTexts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newVerifyRig(t, nil)
		var seen []string
		r.store.On("Query.userNames", func(ctx context.Context) error {
			seen = append(seen, strings.Clone(testgraph.Viewer(ctx)))
			return nil
		})
		buffer := []byte("alice")
		asked := func() {
			req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/query", strings.NewReader(`{"query":"{userNames}"}`))
			req.Header.Set("Content-Type", "application/json")
			req.Header.Set("X-Viewer", unsafe.String(unsafe.SliceData(buffer), len(buffer)))
			testgraph.Send(r.srv, req)
		}
		r.ask(`{userCount}`)
		latch := r.store.Block("Query.userCount")
		r.ask(`{userCount}`)
		<-latch.Reached // the only place is taken: the next hit waits
		asked()
		asked()
		copy(buffer, "mally")
		latch.Release()
		if v := r.settle(); v.Confirmed != 2 {
			t.Errorf("%+v", v)
		}
		if got := strings.Join(seen, " "); got != "alice alice" {
			t.Errorf("resolvers saw %s, want alice twice", got)
		}
	})
}

// TestVerifyNotOnAPooledContext: a context of the framework is handed to another caller
// as soon as its request is over. A hit is recomputed on what the owner gives, and not at
// all for another caller.
func TestVerifyNotOnAPooledContext(t *testing.T) {
	t.Parallel()
	const occupies = `{userCount}`
	copied := func(ctx context.Context) (context.Context, error) {
		p := &pooled{}
		p.user.Store(ctx.Value(pooledKey{}).(*pooled).user.Load())
		return context.WithValue(context.Background(), pooledKey{}, p), nil
	}
	for _, row := range []struct {
		name string
		lend func(context.Context) (context.Context, error)
		why  string
		said string
	}{
		{"a copy", copied, "", ""},
		{"the request's", func(ctx context.Context) (context.Context, error) { return ctx, nil }, "context", "the request's own context"},
		{"none", func(context.Context) (context.Context, error) { return nil, nil }, "context", "it returned nil"},
		{"an error", func(context.Context) (context.Context, error) { return nil, errors.New("no copy") }, "context", "no copy"},
		{"a panic", func(context.Context) (context.Context, error) { panic("oops") }, "context", "oops"},
		{"one that ends with the request", func(ctx context.Context) (context.Context, error) {
			return context.WithValue(ctx, testKey{}, 1), nil
		}, "context", "ended before a hit was recomputed"},
		{"one that is pooled", func(ctx context.Context) (context.Context, error) { return context.WithoutCancel(ctx), nil }, "caller", "another caller"},
		{"without a user", func(context.Context) (context.Context, error) {
			return context.WithValue(context.Background(), pooledKey{}, &pooled{}), nil
		}, "caller", "another caller"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newVerifyRig(t, func(o *gqlcache.Options) {
					o.Verify.WithoutValues = false
					o.Verify.Context = func(ctx context.Context) (context.Context, error) {
						if graphql.GetOperationContext(ctx).RawQuery == occupies {
							return copied(ctx)
						}
						return row.lend(ctx)
					}
					o.Predicate = func(ctx context.Context) (gqlcache.Predicate, error) {
						user, _ := ctx.Value(pooledKey{}).(*pooled).user.Load().(string)
						return gqlcache.Predicate{Text: user}, nil
					}
				})
				var seen []string
				r.store.On("Query.userNames", func(ctx context.Context) error {
					seen = append(seen, ctx.Value(pooledKey{}).(*pooled).user.Load().(string))
					return nil
				})
				one := &pooled{} // of the pool
				one.user.Store("alice")
				alice := func(query string) {
					ctx, cancel := context.WithCancel(context.WithValue(t.Context(), pooledKey{}, one))
					defer cancel()
					testgraph.Do(t, ctx, r.srv, testgraph.Request{Query: query})
				}
				alice(occupies)
				latch := r.store.Block("Query.userCount")
				alice(occupies)
				<-latch.Reached // the only place is taken: the next hit waits
				alice(`{userNames}`)
				alice(`{userNames}`)
				one.user.Store("mallory")
				latch.Release()
				v := r.settle()
				want := "alice alice"
				if row.why != "" {
					want = "alice"
				}
				if got := strings.Join(seen, " "); got != want {
					t.Errorf("resolvers saw %s, want %s", got, want)
				}
				if v.Sampled != 2 || row.why == "" && v.Confirmed != 2 || row.why != "" && v.SkippedBy[row.why] != 1 {
					t.Errorf("%+v", v)
				}
				if row.said != "" && !strings.Contains(r.log.String(), row.said) {
					t.Errorf("logged %s", r.log)
				}
			})
		})
	}
}

type testKey struct{}

// TestVerifyTellsNoValues: neither reports nor the log hold what answers, errors or
// callers say.
func TestVerifyTellsNoValues(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newVerifyRig(t, nil)
		r.ask(verified, "X-Viewer", "a secret viewer")
		r.store.On("Query.user", func(context.Context) error { return errors.New("a secret message") })
		r.ask(verified, "X-Viewer", "a secret viewer")
		v := r.settle()
		if v.Mismatched != 1 || v.Mismatches[0].Kind != "error" || v.Mismatches[0].Path != "user" {
			t.Fatalf("%+v", v)
		}
		if told := fmt.Sprintf("%+v %s", v, r.log); strings.Contains(told, "secret") || strings.Contains(told, testgraph.Ann) {
			t.Errorf("told %s", told)
		}
	})
}
