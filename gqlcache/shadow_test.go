package gqlcache_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler"
	"github.com/cascadeql/cascadeql/cascade"
	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/changelog"
	"github.com/cascadeql/cascadeql/gqlcache/inspect"
	"github.com/cascadeql/cascadeql/gqlcache/internal/testgraph"
)

// newShadowRig is a server in shadow mode in which all callers have one predicate.
func newShadowRig(t *testing.T, change func(*gqlcache.Options)) *verifyRig {
	t.Helper()
	return newVerifyRig(t, func(o *gqlcache.Options) {
		o.Verify = gqlcache.VerifyOptions{Grace: time.Second, Timeout: time.Minute}
		o.Shadow = true
		o.Predicate = func(context.Context) (gqlcache.Predicate, error) { return gqlcache.Predicate{Text: "true"}, nil }
		if change != nil {
			change(o)
		}
	})
}

// shadowSums are the figures of all operations.
func shadowSums(c *gqlcache.Cache) (sum inspect.ShadowOperation) {
	for _, o := range c.ShadowStats().Operations {
		sum.Queries += o.Queries
		sum.Hits += o.Hits
		sum.Right += o.Right
		sum.Overtaken += o.Overtaken
		sum.Stale += o.Stale
		sum.OtherCaller += o.OtherCaller
		sum.Unstable += o.Unstable
		sum.Unsettled += o.Unsettled
	}
	return sum
}

func TestShadowOutcomes(t *testing.T) {
	t.Parallel()
	alice, bob := []string{"X-Viewer", "alice", "Authorization", "Bearer alice"}, []string{"X-Viewer", "bob", "Cookie", "session=bob"}
	for _, row := range []struct {
		name string
		run  func(r *verifyRig)
		want inspect.ShadowOperation
		said string
	}{
		{"right", func(r *verifyRig) {
			r.ask(verified)
			r.ask(verified)
			r.ask(verified)
		}, inspect.ShadowOperation{Queries: 3, Hits: 2, Right: 2}, ""},
		{"dropped", func(r *verifyRig) {
			r.ask(verified)
			r.ask(`mutation{renameUser(id:$Ann,name:"Anna")}`)
			r.ask(verified)
		}, inspect.ShadowOperation{Queries: 2}, ""},
		{"another caller's", func(r *verifyRig) {
			for _, who := range [][]string{alice, bob, bob, alice} {
				r.ask(`query Me{viewer}`, who...)
				r.settle()
			}
		}, inspect.ShadowOperation{Queries: 4, Hits: 3, Right: 1, OtherCaller: 2}, "another caller's answer"},
		{"asked once", func(r *verifyRig) {
			r.ask(`query Me{viewer}`, alice...)
			r.ask(`query Me{viewer}`, bob...)
		}, inspect.ShadowOperation{Queries: 2, Hits: 1, Unsettled: 1}, ""},
		{"stale", func(r *verifyRig) {
			r.ask(verified)
			r.behind(`mutation{renameUser(id:$Ann,name:"Anna")}`)
			r.ask(verified)
			r.settle()
			r.ask(verified)
		}, inspect.ShadowOperation{Queries: 3, Hits: 2, Stale: 2}, "would have been stale"},
		{"stale after a mutation, at first sight", func(r *verifyRig) {
			r.ask(verified)
			r.ask(verified)
			r.store.On("Mutation.renameUser", func(ctx context.Context) error { return gqlcache.NothingWritten(ctx) })
			r.ask(`mutation{renameUser(id:$Ann,name:"Anna")}`)
			r.ask(verified)
		}, inspect.ShadowOperation{Queries: 3, Hits: 2, Right: 1, Stale: 1}, "would have been stale"},
		{"stale for everybody", func(r *verifyRig) {
			r.ask(verified, alice...)
			r.behind(`mutation{renameUser(id:$Ann,name:"Anna")}`)
			for _, who := range [][]string{bob, bob, alice, alice} {
				r.ask(verified, who...)
				r.settle()
			}
		}, inspect.ShadowOperation{Queries: 5, Hits: 4, Stale: 4}, "would have been stale"},
		{"differs each time", func(r *verifyRig) {
			calls := 0
			r.store.On("Query.user", func(context.Context) error {
				calls++
				r.behind(fmt.Sprintf(`mutation{renameUser(id:$Ann,name:"Anna%d")}`, calls))
				return nil
			})
			for range 4 {
				r.ask(verified)
				r.settle()
			}
		}, inspect.ShadowOperation{Queries: 4, Hits: 3, Unstable: 3}, "differently each time"},
		{"refused", func(r *verifyRig) {
			r.ask(verified, alice...)
			r.store.On("Query.user", func(context.Context) error { return errors.New("forbidden: a secret") })
			r.ask(verified, bob...)
			r.settle()
			r.ask(verified, bob...)
		}, inspect.ShadowOperation{Queries: 3, Hits: 2, OtherCaller: 2}, "another caller's answer"},
		{"a mutation is on its way", func(r *verifyRig) {
			r.ask(verified)
			latch := r.store.Block("Mutation.renameUser:done")
			done := make(chan struct{})
			go func() {
				defer close(done)
				r.ask(`mutation{renameUser(id:$Ann,name:"Anna")}`)
			}()
			<-latch.Reached
			r.ask(verified) // the entry is right to be served: the mutation is not acknowledged
			synctest.Wait()
			latch.Release()
			<-done
		}, inspect.ShadowOperation{Queries: 2, Hits: 1, Overtaken: 1}, ""},
		{"another program tells late", func(r *verifyRig) {
			r.ask(verified)
			r.behind(`mutation{renameUser(id:$Ann,name:"Anna")}`)
			r.ask(verified)
			synctest.Wait()
			if err := r.cache.Invalidate(r.t.Context(), gqlcache.Entity("User", testgraph.Ann)); err != nil {
				r.t.Error(err)
			}
		}, inspect.ShadowOperation{Queries: 2, Hits: 1, Overtaken: 1}, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newShadowRig(t, nil)
				row.run(r)
				time.Sleep(5 * time.Second) // of the bubble's clock: beyond the grace
				synctest.Wait()
				if got := shadowSums(r.cache); got != row.want {
					t.Errorf("counted %+v, want %+v; log %s", got, row.want, r.log)
				}
				if !strings.Contains(r.log.String(), row.said) || row.said == "" && r.log.Len() > 0 {
					t.Errorf("logged %s", r.log)
				}
				told, err := json.Marshal(r.cache.Snapshot().Shadow)
				if err != nil {
					t.Fatal(err)
				}
				for _, secret := range []string{testgraph.Ann, "Anna", "alice", "bob", "ann@", "secret"} {
					if strings.Contains(string(told)+r.log.String(), secret) {
						t.Errorf("%q is told: %s %s", secret, told, r.log)
					}
				}
				if st := r.cache.Stats(); st.Hits+st.Joined+st.Misses > 0 || r.cache.VerifyStats() != nil {
					t.Errorf("%+v", st)
				}
			})
		})
	}
}

// TestShadowChangesNothing: bodies and headers are those of a server without the cache,
// the same resolvers run, and requests for the same answer are not joined.
func TestShadowChangesNothing(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	c := newCache(t, gqlcache.Options{
		Shadow: true, Predicate: viewerPredicate, Logger: slog.New(slog.NewTextHandler(&log, nil)),
		Inspector: gqlcache.Inspector{Allow: func(context.Context) bool { return true }},
	})
	store, twin := testgraph.NewStore(), testgraph.NewStore()
	shadow := c.HoldUntilCommit(c.Handler(testgraph.NewServer(store, c)))
	plain := testgraph.NewServer(twin)
	send := func(h http.Handler, document string) *httptest.ResponseRecorder {
		body, err := json.Marshal(map[string]string{"query": expand(document)})
		if err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", bytes.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set(gqlcache.DebugHeader, "true")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w
	}
	for range 2 {
		for _, document := range []string{
			`{users{name boss{name} posts{name author{name}}} search(text:"a"){...on User{name} ...on Post{name}}}`,
			`{fails}`, `{panics userNames}`, `{viewer}`, `{nothing}`, `{post(id:$Hello){name author{name}}}`,
			`mutation{renameUser(id:$Ann,name:"Anna")}`,
			`mutation{createPost(id:"pp",authorId:$Ann,name:"n"){ok}}`,
			`mutation{boom}`, `mutation{updateUser(id:$Ann,input:{email:"e"}){name}}`,
		} {
			got, want := send(shadow, document), send(plain, document)
			if got.Body.String() != want.Body.String() || got.Code != want.Code || fmt.Sprint(got.Header()) != fmt.Sprint(want.Header()) {
				t.Errorf("%s\n shadow %d %v %s\n plain  %d %v %s", document, got.Code, got.Header(), got.Body, want.Code, want.Header(), want.Body)
			}
			if store.Total() != twin.Total() {
				t.Fatalf("%s ran %d resolvers, without the cache %d", document, store.Total(), twin.Total())
			}
		}
	}
}

// TestShadowJoinsNothing: two requests for one answer are two computations.
func TestShadowJoinsNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newShadowRig(t, nil)
		latch := r.store.Block("Query.user")
		for range 2 {
			go r.ask(verified)
		}
		synctest.Wait()
		if n := r.store.Calls("Query.user"); n != 2 {
			t.Errorf("%d computations for two requests", n)
		}
		latch.Release()
	})
}

// TestShadowKeepsNoTruncatedAnswer: a resolver that takes the end of its context for the
// end of its rows answers without an error.
func TestShadowKeepsNoTruncatedAnswer(t *testing.T) {
	t.Parallel()
	t.Run("of the request", func(t *testing.T) {
		t.Parallel()
		r := newShadowRig(t, nil)
		ctx, leave := context.WithCancel(t.Context())
		r.store.On("Query.user:done", func(context.Context) error {
			leave()
			return nil
		})
		testgraph.Do(t, ctx, r.srv, testgraph.Request{Query: expand(verified)})
		r.store.On("Query.user:done", nil)
		r.ask(verified)
		if got := shadowSums(r.cache); got.Hits != 0 || got.Queries != 2 {
			t.Errorf("%+v", got)
		}
	})
	t.Run("of a field", func(t *testing.T) {
		t.Parallel()
		r := newShadowRig(t, nil)
		over := true
		r.srv.(*handler.Server).Use(fields{"user": func(ctx context.Context, next graphql.Resolver) (any, error) {
			ctx, leave := context.WithCancel(ctx)
			defer leave()
			if over {
				leave()
			}
			return next(ctx)
		}})
		for i, hits := range []uint64{0, 0, 1} {
			over = i == 0
			r.ask(verified)
			if got := shadowSums(r.cache); got.Hits != hits {
				t.Errorf("%d: %+v", i, got)
			}
		}
	})
}

// stuckLog is a log that takes no change until it is released, and has no lease.
type stuckLog struct {
	release chan struct{}
	told    chan int // tags
}

func (l *stuckLog) Start(context.Context, changelog.Sink) error       { return nil }
func (l *stuckLog) Fresh() bool                                       { return false }
func (l *stuckLog) Applied() changelog.Position                       { return changelog.Position{} }
func (l *stuckLog) CatchUp(context.Context, changelog.Position) error { select {} }
func (l *stuckLog) Stats() changelog.Stats                            { return changelog.Stats{} }
func (l *stuckLog) Close() error                                      { return nil }
func (l *stuckLog) Publish(_ context.Context, tags []cascade.Tag, _ bool) (changelog.Receipt, error) {
	<-l.release
	l.told <- len(tags)
	return changelog.Receipt{}, nil
}

// TestShadowMutationsNeverWait: without a lease, and with a log that does not answer,
// mutations run and are answered as ever. The other instances are told nevertheless.
func TestShadowMutationsNeverWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		log := &stuckLog{release: make(chan struct{}), told: make(chan int, 10)}
		r := newShadowRig(t, func(o *gqlcache.Options) { o.Log, o.RequireLease, o.Tokens = log, true, true })
		start := time.Now()
		for _, who := range []string{"Anna", "Anne", "Anouk"} {
			got := r.ask(`mutation{renameUser(id:$Ann,name:"`+who+`")}`, gqlcache.TokenHeader, "1.1")
			if got.Body != `{"data":{"renameUser":true}}` {
				t.Errorf("answered %s", got.Body)
			}
			r.ask(verified, gqlcache.TokenHeader, "1.1")
		}
		if waited := time.Since(start); waited > 0 {
			t.Errorf("waited %v", waited)
		}
		close(log.release)
		synctest.Wait()
		if len(log.told) == 0 || <-log.told < 2 {
			t.Error("the log was told nothing")
		}
	})
}

// TestShadowStore: what is compared is in no store that others serve from, which is
// closed all the same.
func TestShadowStore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		shared := newMapStore()
		r := newShadowRig(t, func(o *gqlcache.Options) { o.Store = shared })
		r.ask(verified)
		r.ask(verified)
		if got := shadowSums(r.cache); got.Right != 1 {
			t.Errorf("%+v", got)
		}
		if _, err := shared.Get(t.Context(), nil); err == nil || len(shared.entries) > 0 {
			t.Errorf("%d entries in the owner's store", len(shared.entries))
		}
	})
}

func ExampleCache_ShadowStats() {
	cache, err := gqlcache.New(gqlcache.Options{Callers: gqlcache.AllSeeTheSame, Shadow: true})
	if err != nil {
		panic(err)
	}
	defer func() { _ = cache.Close() }()
	for _, o := range cache.ShadowStats().Operations {
		fmt.Println(o.Name, o.Hits, o.Stale, o.OtherCaller, o.Unstable)
	}
	fmt.Println(len(cache.ShadowStats().Findings), "findings")
	// Output: 0 findings
}
