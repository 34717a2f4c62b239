package gqlcache_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/inspect"
	"github.com/cascadeql/cascadeql/gqlcache/internal/testgraph"
)

// verifyRig is a server that recomputes every hit.
type verifyRig struct {
	t     *testing.T
	store *testgraph.Store
	cache *gqlcache.Cache
	srv   http.Handler
	log   *bytes.Buffer
}

func newVerifyRig(t *testing.T, change func(*gqlcache.Options)) *verifyRig {
	t.Helper()
	return newVerifyRigOn(t, func(s *testgraph.Store) graphql.ExecutableSchema { return testgraph.Executable(s, "cacheControl") }, change)
}

// newVerifyRigOn is newVerifyRig for a schema.
func newVerifyRigOn(t *testing.T, schema func(*testgraph.Store) graphql.ExecutableSchema, change func(*gqlcache.Options)) *verifyRig {
	t.Helper()
	o := gqlcache.Options{
		SweepInterval: -1, Store: newMapStore(), Predicate: viewerPredicate,
		Verify: gqlcache.VerifyOptions{Rate: 1, WithoutValues: true, Timeout: time.Minute, Concurrency: 1, Grace: time.Second},
	}
	r := &verifyRig{t: t, store: testgraph.NewStore(), log: &bytes.Buffer{}}
	o.Logger = slog.New(slog.NewTextHandler(r.log, nil))
	if change != nil {
		change(&o)
	}
	c, err := gqlcache.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	r.cache = c
	r.srv = testgraph.Serve(schema(r.store), c)
	return r
}

func (r *verifyRig) ask(query string, headers ...string) testgraph.Response {
	r.t.Helper()
	return testgraph.Ask(r.t, r.srv, expand(query), nil, headers...)
}

// behind changes the store without telling the cache.
func (r *verifyRig) behind(mutation string) {
	r.t.Helper()
	if got := testgraph.Ask(r.t, testgraph.NewServer(r.store), expand(mutation), nil); got.Errors != nil {
		r.t.Error(got.Body)
	}
}

// hit fills the cache with a query and asks for it again.
func (r *verifyRig) hit(query string) {
	r.t.Helper()
	first := r.ask(query)
	if second := r.ask(query); first.Body != second.Body || first.Errors != nil || r.cache.Stats().Hits == 0 {
		r.t.Errorf("no hit: %s, then %s", first.Body, second.Body)
	}
}

// settle lets everything end that goes on in the background, and returns what was found.
func (r *verifyRig) settle() inspect.Verify {
	r.t.Helper()
	synctest.Wait()
	time.Sleep(5 * time.Second) // of the bubble's clock: beyond the grace
	synctest.Wait()
	if v := r.cache.VerifyStats(); v != nil {
		return *v
	}
	return inspect.Verify{} // in shadow mode
}

const verified = `query Read{user(id:$Ann){name email}}`

// counts are the figures that matter, in the order of the fields.
type counts struct{ sampled, confirmed, discounted, skipped, unstable, mismatched uint64 }

func countsOf(v inspect.Verify) counts {
	return counts{v.Sampled, v.Confirmed, v.Discounted, v.Skipped, v.Unstable, v.Mismatched}
}

func TestVerifyOutcomes(t *testing.T) {
	t.Parallel()
	rename := func(to string) string { return `mutation Rename{renameUser(id:$Ann,name:"` + to + `")}` }
	rows := []struct {
		name   string
		change func(*gqlcache.Options)
		run    func(r *verifyRig)
		want   counts
	}{
		{"nothing changed", nil, func(r *verifyRig) { r.hit(verified) }, counts{sampled: 1, confirmed: 1}},
		{"each hit", nil, func(r *verifyRig) {
			r.hit(verified)
			r.settle()
			r.ask(verified)
		}, counts{sampled: 2, confirmed: 2}},
		{"hidden keys, lists and links", nil, func(r *verifyRig) {
			r.hit(`{users{name boss{name} posts{name author{name}}} search(text:"a"){...on User{name} ...on Post{name}} hit(id:$Ann){__typename}}`)
		}, counts{sampled: 1, confirmed: 1}},
		{"changed behind the cache", nil, func(r *verifyRig) {
			r.ask(verified)
			r.behind(rename("Anna"))
			r.ask(verified)
		}, counts{sampled: 1, mismatched: 1}},
		{"a mutation comes in while it is recomputed", nil, func(r *verifyRig) {
			r.ask(verified)
			latch := r.store.Block("Query.user")
			r.ask(verified)
			<-latch.Reached
			r.ask(rename("Anna"))
			latch.Release()
		}, counts{sampled: 1, discounted: 1}},
		{"a change is committed and not applied yet", nil, func(r *verifyRig) {
			r.ask(verified)
			latch := r.store.Block("Mutation.renameUser:done")
			done := make(chan struct{})
			go func() {
				defer close(done)
				r.ask(rename("Anna"))
			}()
			<-latch.Reached
			r.ask(verified) // the old answer is right: the mutation is not acknowledged
			if v := r.settle(); v.Mismatched+v.Discounted > 0 {
				r.t.Errorf("judged while a mutation was running: %+v", v)
			}
			latch.Release()
			<-done
		}, counts{sampled: 1, discounted: 1}},
		{"a mutation never ends", nil, func(r *verifyRig) { // skipped: nobody knows whether it has committed
			r.ask(verified)
			latch := r.store.BlockHard("Mutation.renameUser:done")
			go r.ask(rename("Anna"))
			<-latch.Reached
			r.ask(verified)
			time.Sleep(2 * time.Minute)
			if v := r.settle(); v.SkippedBy["mutations"] != 1 {
				r.t.Errorf("%+v", v)
			}
			latch.Release()
		}, counts{sampled: 1, skipped: 1}},
		{"another program tells of its change late", nil, func(r *verifyRig) {
			r.ask(verified)
			r.behind(rename("Anna"))
			r.ask(verified)
			synctest.Wait() // recomputed once
			if err := r.cache.Invalidate(r.t.Context(), gqlcache.Entity("User", testgraph.Ann)); err != nil {
				r.t.Error(err)
			}
		}, counts{sampled: 1, discounted: 1}},
		{"the change is taken back", nil, func(r *verifyRig) {
			before := r.ask(verified)
			r.behind(rename("Anna"))
			r.ask(verified)
			synctest.Wait()
			name := strings.Split(before.Body, `"`)[7]
			r.behind(rename(name))
		}, counts{sampled: 1, unstable: 1}},
		{"it is another answer each time", nil, func(r *verifyRig) {
			r.ask(verified)
			calls := 0
			r.store.On("Query.user", func(context.Context) error {
				calls++
				r.behind(rename(strings.Repeat("x", calls)))
				return nil
			})
			r.ask(verified)
		}, counts{sampled: 1, unstable: 1}},
		{"the resolver fails", nil, func(r *verifyRig) {
			r.ask(verified)
			r.store.On("Query.user", func(context.Context) error { return errors.New("not any more") })
			r.ask(verified)
		}, counts{sampled: 1, mismatched: 1}},
		{"the resolver fails the second time", nil, func(r *verifyRig) {
			r.ask(verified)
			r.behind(rename("Anna"))
			calls := 0
			r.store.On("Query.user", func(context.Context) error {
				if calls++; calls == 2 {
					return errors.New("for a moment")
				}
				return nil
			})
			r.ask(verified)
		}, counts{sampled: 1, unstable: 1}},
		{"the resolver fails only once", nil, func(r *verifyRig) {
			r.ask(verified)
			calls := 0
			r.store.On("Query.user", func(context.Context) error {
				if calls++; calls == 1 {
					return errors.New("for a moment")
				}
				return nil
			})
			r.ask(verified)
		}, counts{sampled: 1, unstable: 1}},
		{"the resolver panics", nil, func(r *verifyRig) {
			r.ask(verified)
			r.store.On("Query.user", func(context.Context) error { panic("a resolver's bug") })
			r.ask(verified)
		}, counts{sampled: 1, mismatched: 1}},
		{"a marshaler panics", nil, func(r *verifyRig) {
			r.ask(`{user(id:$Ann){odd}}`)
			r.behind(rename("panic"))
			r.ask(`{user(id:$Ann){odd}}`)
		}, counts{sampled: 1, mismatched: 1}},
		{"the resolver takes too long", nil, func(r *verifyRig) {
			r.ask(verified)
			latch := r.store.Block("Query.user")
			r.ask(verified)
			<-latch.Reached
			time.Sleep(2 * time.Minute)
		}, counts{sampled: 1, skipped: 1}},
		{"the end of the time looks like the end of the rows", nil, func(r *verifyRig) {
			r.ask(verified)
			r.store.On("Query.user", func(ctx context.Context) error {
				<-ctx.Done()
				return nil
			})
			r.behind(rename("Anna"))
			r.ask(verified)
			time.Sleep(2 * time.Minute)
		}, counts{sampled: 1, skipped: 1}},
		{"too many at once", nil, func(r *verifyRig) {
			r.ask(verified)
			latch := r.store.Block("Query.user")
			r.ask(verified)
			<-latch.Reached
			r.ask(verified)
			latch.Release()
		}, counts{sampled: 2, confirmed: 1, skipped: 1}}, // the second is of the same entry
		{"a second server with resolvers of its own", nil, func(r *verifyRig) {
			testgraph.NewServer(testgraph.NewStore(), r.cache)
			r.hit(verified)
		}, counts{sampled: 1, skipped: 1}},
		{"behind a hold", nil, func(r *verifyRig) {
			r.srv = r.cache.HoldUntilCommit(r.srv)
			r.hit(verified)
		}, counts{sampled: 1, confirmed: 1}},
		{"a misspelled rate", func(o *gqlcache.Options) { o.Verify.Rate = 1e-300 }, func(r *verifyRig) {
			for range 20 {
				r.ask(verified)
			}
		}, counts{}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newVerifyRig(t, row.change)
				row.run(r)
				if got := countsOf(r.settle()); got != row.want {
					t.Errorf("counted %+v, want %+v; log %s", got, row.want, r.log)
				}
			})
		})
	}
}

// The caller's predicate is another when the hit is recomputed: so are the rows that it
// may see.
func TestVerifySamePredicate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var sees atomic.Value
		sees.Store("all")
		r := newVerifyRig(t, func(o *gqlcache.Options) {
			o.Predicate = func(context.Context) (gqlcache.Predicate, error) {
				return gqlcache.Predicate{Text: sees.Load().(string)}, nil
			}
		})
		r.ask(verified)
		latch := r.store.Block("Query.user")
		r.ask(verified)
		<-latch.Reached
		sees.Store("less")
		r.behind(`mutation{renameUser(id:$Ann,name:"Anna")}`) // stands for a row that is hidden now
		latch.Release()
		v := r.settle()
		if got, want := countsOf(v), (counts{sampled: 1, skipped: 1}); got != want || v.SkippedBy["caller"] != 1 {
			t.Errorf("counted %+v, want %+v", v, want)
		}
	})
}

// Under HoldUntilCommit a mutation is running until its request has ended, which is after
// gqlgen.
func TestVerifyWaitsForTheCommit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newVerifyRig(t, nil)
		commit, answered := make(chan struct{}), make(chan struct{})
		held := r.cache.HoldUntilCommit(http.HandlerFunc(func(w http.ResponseWriter, hr *http.Request) {
			r.srv.ServeHTTP(w, hr)
			close(answered)
			<-commit
		}))
		// It runs on rows of its own until the commit, and so changes nothing here.
		go testgraph.Ask(t, held, expand(`mutation{log}`), nil)
		<-answered
		r.ask(verified)
		r.behind(`mutation{renameUser(id:$Ann,name:"Anna")}`)
		r.ask(verified)
		if v := r.settle(); v.Mismatched+v.Discounted > 0 {
			t.Errorf("judged before the commit: %+v", v)
		}
		close(commit)
		if got, want := countsOf(r.settle()), (counts{sampled: 1, mismatched: 1}); got != want {
			t.Errorf("counted %+v, want %+v", got, want)
		}
	})
}

// Close ends what is being recomputed, and what waits to be.
func TestVerifyCloses(t *testing.T) {
	t.Parallel()
	for _, point := range []string{"Query.user", "grace", "nothing obeys"} {
		t.Run(point, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newVerifyRig(t, func(o *gqlcache.Options) { o.Verify.Grace = time.Hour })
				r.ask(verified)
				release := func() {}
				switch point {
				case "Query.user":
					r.store.Block(point)
				case "grace":
					r.behind(`mutation{renameUser(id:$Ann,name:"Anna")}`)
				default:
					release = r.store.BlockHard("Query.user").Release
				}
				r.ask(verified)
				synctest.Wait()
				start := time.Now()
				if err := r.cache.Close(); err != nil {
					t.Error(err)
				}
				if took := time.Since(start); took > time.Minute {
					t.Errorf("Close took %v", took)
				}
				release()
				synctest.Wait()
				if got, want := countsOf(*r.cache.VerifyStats()), (counts{sampled: 1, skipped: 1}); got != want {
					t.Errorf("counted %+v, want %+v", got, want)
				}
			})
		})
	}
}

// What is reported names the place and the mutation, and nothing that belongs to a
// caller.
func TestVerifyReport(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newVerifyRig(t, nil)
		const secretName = "a secret name"
		r.ask(`mutation Before{renameUser(id:$Ann,name:"x")}`)
		r.ask(verified)
		time.Sleep(3 * time.Second)
		r.ask(`mutation Unrelated{setCounter(id:1,value:5){id}}`)
		r.ask(`mutation Suspicious{createPost(id:"pp",authorId:$Ann,name:"n"){ok}}`)
		r.behind(`mutation{renameUser(id:$Ann,name:"` + secretName + `")}`)
		for range 3 {
			r.ask(verified)
			r.settle()
		}
		v := r.settle()
		if v.Mismatched != 3 || len(v.Mismatches) != 3 || v.Rate != 1 {
			t.Fatalf("found %+v", v)
		}
		m := v.Mismatches[0]
		if m.Operation.Name != "Read" || m.Operation.Type != "query" || m.Operation.Hash == "" || m.Key == "" ||
			m.Path != "user.name" || m.Field != "User.name" || m.AgeMS != 3000 || m.At == 0 {
			t.Errorf("mismatch %+v", m)
		}
		var told []string
		for _, s := range m.Suspects {
			told = append(told, s.Mutation+": "+s.Missing)
		}
		want := []string{
			"Suspicious: @writes of Mutation.createPost does not reach v_user, which User.name reads",
			"Unrelated: @writes of Mutation.setCounter does not reach v_user, which User.name reads",
		}
		if strings.Join(told, "\n") != strings.Join(want, "\n") {
			t.Errorf("suspects\n%s\nwant\n%s", strings.Join(told, "\n"), strings.Join(want, "\n"))
		}
		if lines := strings.Count(r.log.String(), "\n"); lines != 1 {
			t.Errorf("%d lines: %s", lines, r.log)
		}
		for _, text := range []string{secretName, testgraph.Ann, "owner ="} {
			if strings.Contains(r.log.String(), text) {
				t.Errorf("%q is in the log: %s", text, r.log)
			}
		}
	})
}

// Verify mode is off by default.
func TestVerifyOff(t *testing.T) {
	t.Parallel()
	if v := newCache(t, gqlcache.Options{}).VerifyStats(); v != nil {
		t.Errorf("VerifyStats = %+v", v)
	}
}

// TestVerifyHearsResolvers: what a resolver says while a hit is recomputed counts as it
// does in a query: a row that it has changed is heard of, and neither it nor a report is
// told of the request that was the hit.
func TestVerifyHearsResolvers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newVerifyRig(t, nil)
		r.ask(verified)
		r.ask(`{userNames}`)
		var reported error
		r.store.On("Query.userNames", func(ctx context.Context) error {
			r.behind(`mutation{renameUser(id:$Ann,name:"Anna")}`)
			reported = errors.Join(
				gqlcache.Report(ctx, gqlcache.Unchanged("User", testgraph.Ann)),
				gqlcache.Touch(ctx, "User", testgraph.Ann),
			)
			return nil
		})
		r.ask(`{userNames}`) // a hit, whose recomputation changes a row
		if s := r.settle(); s.Sampled != 1 || s.Mismatched != 0 {
			t.Errorf("%+v", s)
		}
		if reported != nil {
			t.Errorf("Report, and Touch: %v", reported)
		}
		if got := r.ask(verified); !strings.Contains(got.Body, "Anna") {
			t.Errorf("after the change: %s", got.Body)
		}
	})
}
