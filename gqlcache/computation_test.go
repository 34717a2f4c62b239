package gqlcache_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler"
	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/internal/testgraph"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// fields is an extension that looks after one field, by its name.
type fields map[string]func(ctx context.Context, next graphql.Resolver) (any, error)

func (fields) ExtensionName() string                   { return "fields" }
func (fields) Validate(graphql.ExecutableSchema) error { return nil }

func (f fields) InterceptField(ctx context.Context, next graphql.Resolver) (any, error) {
	if own := f[graphql.GetFieldContext(ctx).Field.Name]; own != nil {
		return own(ctx, next)
	}
	return next(ctx)
}

// A story is a server with a cache in a bubble of its own time.
type story struct {
	*rig
	t *testing.T
}

func tell(t *testing.T, o gqlcache.Options, f func(s *story), before ...graphql.HandlerExtension) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		o.Store = newMapStore()
		f(&story{newRig(t, "annotated", o, before...), t})
	})
}

// begin sends a request, and returns when everybody waits.
func (s *story) begin(ctx context.Context, document string) *call {
	c := s.start(ctx, document)
	synctest.Wait()
	return c
}

// is fails unless the call has been answered so.
func (s *story) is(c *call, body string) {
	s.t.Helper()
	synctest.Wait()
	select {
	case <-c.done:
		if c.resp.Body != body {
			s.t.Errorf("got %s, want %s", c.resp.Body, body)
		}
	default:
		s.t.Errorf("no answer, want %s", body)
	}
}

func (s *story) waits(c *call) {
	s.t.Helper()
	synctest.Wait()
	select {
	case <-c.done:
		s.t.Errorf("answered with %s, want it to wait", c.resp.Body)
	default:
	}
}

const (
	askNames = "{userNames}"
	names    = `{"data":{"userNames":["Ann","Bob"]}}`
)

// TestHandlerWaitsForItsResolvers: while a resolver runs, the handler of its request has
// not returned, whoever else waits for the answer, and the resolver has the request's own
// context.
func TestHandlerWaitsForItsResolvers(t *testing.T) {
	t.Parallel()
	type requestKey struct{}
	tell(t, gqlcache.Options{}, func(s *story) {
		var seen context.Context
		s.store.On("Query.userNames", func(ctx context.Context) error { seen = ctx; return nil })
		latch := s.store.BlockHard("Query.userNames")
		ctx, cancel := context.WithTimeout(context.WithValue(s.t.Context(), requestKey{}, "own"), time.Minute)
		leader := s.begin(ctx, askNames)
		joiner := s.begin(s.t.Context(), askNames)
		cancel()
		s.waits(leader)
		s.waits(joiner)
		latch.Release()
		s.is(leader, names)
		s.is(joiner, names)
		_, limited := seen.Deadline()
		if s.store.Calls("Query.userNames") != 2 || seen.Value(requestKey{}) == "own" || limited {
			t.Error("the joiner's computation was not on its own context")
		}
	})
}

// truncating is a resolver that takes the end of its context for the end of its rows.
func truncating(ctx context.Context, next graphql.Resolver) (any, error) {
	v, err := next(ctx)
	select {
	case <-ctx.Done():
		return []string{"Ann"}, nil
	case <-time.After(100 * time.Millisecond):
		return v, err
	}
}

// TestTruncatedAnswers: an answer whose request ended while it was computed is its own
// alone, whatever it looks like.
func TestTruncatedAnswers(t *testing.T) {
	t.Parallel()
	const short = `{"data":{"userNames":["Ann"]}}`
	for name, end := range map[string]func(context.Context) (context.Context, context.CancelFunc){
		"deadline": func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithTimeout(ctx, 50*time.Millisecond)
		},
		"leaver": func(ctx context.Context) (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancel(ctx)
			time.AfterFunc(50*time.Millisecond, cancel)
			return ctx, cancel
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tell(t, gqlcache.Options{}, func(s *story) {
				ctx, cancel := end(s.t.Context())
				defer cancel()
				leader := s.begin(ctx, askNames)
				joiner := s.begin(s.t.Context(), askNames)
				time.Sleep(time.Second) // of the bubble's own time
				s.is(leader, short)
				s.is(joiner, names)
				if got := s.send(askNames); got.Body != names {
					t.Errorf("later: %s", got.Body)
				}
				if n := s.store.Calls("Query.userNames"); n != 2 {
					t.Errorf("%d computations, want 2", n)
				}
			}, fields{"userNames": truncating})
		})
	}
	t.Run("hidden members", func(t *testing.T) {
		t.Parallel()
		tell(t, gqlcache.Options{}, func(s *story) {
			ctx, cancel := context.WithCancel(s.t.Context())
			s.store.On("Query.user", func(context.Context) error { cancel(); return nil })
			if c := s.begin(ctx, readAnn); c.resp.Body != `{"data":{"user":{"name":"Ann"}}}` {
				t.Errorf("got %s", c.resp.Body)
			}
		})
	})
	t.Run("inner time limit", func(t *testing.T) {
		t.Parallel()
		limits := []time.Duration{50 * time.Millisecond, time.Minute}
		limit := func(ctx context.Context, next graphql.Resolver) (any, error) {
			ctx, cancel := context.WithTimeout(ctx, limits[0])
			defer cancel()
			limits = limits[1:]
			return next(ctx)
		}
		tell(t, gqlcache.Options{}, func(s *story) {
			s.store.On("Query.userNames", func(ctx context.Context) error {
				select {
				case <-ctx.Done():
				case <-time.After(100 * time.Millisecond):
				}
				return nil
			})
			s.send(askNames)
			s.send(askNames)
			if st := s.cache.Stats(); st.NotStored[gqlcache.ReasonEnded] != 1 || st.Hits != 0 {
				t.Errorf("%+v, want the first answer not to be stored", st.NotStored)
			}
			if s.send(askNames); s.cache.Stats().Hits != 1 {
				t.Error("the second answer was not stored")
			}
		}, fields{"userNames": limit})
	})
}

// TestDeadlines: a request whose time is over gets what it gets without the cache, from
// the server's own presenter, whether it computes or waits.
func TestDeadlines(t *testing.T) {
	t.Parallel()
	const ask = "{user(id:$Ann){name} userNames}"
	const want = `{"errors":[{"message":"presented: context deadline exceeded","path":["userNames"]}],"data":null}`
	slow := func(ctx context.Context, next graphql.Resolver) (any, error) {
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(time.Hour):
			return next(ctx)
		}
	}
	tell(t, gqlcache.Options{}, func(s *story) {
		present(s.cached)
		present(s.plain)
		first := s.begin(s.t.Context(), ask)
		limited := func(h http.Handler) string {
			ctx, cancel := context.WithTimeout(s.t.Context(), 100*time.Millisecond)
			defer cancel()
			return testgraph.Do(t, ctx, h, testgraph.Request{Query: expand(ask)}).Body
		}
		if plain := limited(s.plain); plain != want {
			t.Fatalf("plain: %s", plain)
		}
		if got := limited(s.cached); got != want {
			t.Errorf("joiner: %s", got)
		}
		left := func(h http.Handler) string {
			ctx, cancel := context.WithCancel(s.t.Context())
			time.AfterFunc(100*time.Millisecond, cancel)
			return testgraph.Do(t, ctx, h, testgraph.Request{Query: expand(ask)}).Body
		}
		if plain, got := left(s.plain), left(s.cached); got != plain {
			t.Errorf("leaver: %s, want %s", got, plain)
		}
		time.Sleep(2 * time.Hour)
		s.over(first)
		if got := limited(s.cached); !strings.Contains(got, "Ann") {
			t.Errorf("then: %s", got)
		}
	}, fields{"userNames": slow})
}

// over waits for a call without looking at its answer.
func (s *story) over(c *call) { <-c.done }

// present gives a server a presenter of its own.
func present(h http.Handler) {
	h.(*handler.Server).SetErrorPresenter(func(ctx context.Context, err error) *gqlerror.Error {
		return &gqlerror.Error{Message: "presented: " + errors.Unwrap(err).Error(), Path: graphql.GetPath(ctx)}
	})
}

// TestHungComputation: one computation that hangs harms no request but its own.
func TestHungComputation(t *testing.T) {
	t.Parallel()
	tell(t, gqlcache.Options{}, func(s *story) {
		var calls atomic.Int32
		hang := make(chan struct{})
		s.store.On("Query.userNames", func(context.Context) error {
			if calls.Add(1) == 1 {
				<-hang
			}
			return nil
		})
		stuck := s.begin(s.t.Context(), askNames)
		for range 20 {
			time.Sleep(100 * time.Millisecond)
			ctx, cancel := context.WithTimeout(s.t.Context(), 300*time.Millisecond)
			if got := testgraph.Do(t, ctx, s.cached, testgraph.Request{Query: askNames}); got.Body != names {
				t.Errorf("got %s", got.Body)
			}
			cancel()
		}
		if n := calls.Load(); n != 2 {
			t.Errorf("%d computations, want 2", n)
		}
		close(hang)
		s.is(stuck, names)
	})
}

// TestHungHerd: with a database that hangs, a crowd makes one computation more in each
// bound.
func TestHungHerd(t *testing.T) {
	t.Parallel()
	tell(t, gqlcache.Options{}, func(s *story) {
		latch := s.store.BlockHard("Query.userNames")
		var crowd []*call
		for range 500 {
			crowd = append(crowd, s.start(s.t.Context(), askNames))
		}
		time.Sleep(2*time.Second + time.Millisecond)
		synctest.Wait()
		if n := s.store.Calls("Query.userNames"); n > 3 {
			t.Errorf("%d computations in two bounds, want 3", n)
		}
		latch.Release()
		for _, c := range crowd {
			s.is(c, names)
		}
	})
}

// TestStampede: a crowd on a cold key costs one computation, and one more when its leader
// leaves.
func TestStampede(t *testing.T) {
	t.Parallel()
	for name, leaves := range map[string]bool{"nobody leaves": false, "the leader leaves": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tell(t, gqlcache.Options{}, func(s *story) {
				latch := s.store.Block("Query.userNames")
				ctx, cancel := context.WithCancel(s.t.Context())
				defer cancel()
				leader := s.begin(ctx, askNames)
				var crowd []*call
				for range 5000 {
					crowd = append(crowd, s.start(s.t.Context(), askNames))
				}
				synctest.Wait()
				most := 1
				if leaves {
					most = 2
					cancel()
					s.over(leader)
				}
				synctest.Wait()
				latch.Release()
				for _, c := range crowd {
					s.is(c, names)
				}
				if n := s.store.Calls("Query.userNames"); n > most {
					t.Errorf("%d computations, want %d", n, most)
				}
			})
		})
	}
}

// TestNoQueueOfFailures: those who wait for an answer that cannot be shared compute side
// by side.
func TestNoQueueOfFailures(t *testing.T) {
	t.Parallel()
	fails := func(context.Context, graphql.Resolver) (any, error) {
		time.Sleep(20 * time.Millisecond)
		return nil, errors.New("down")
	}
	tell(t, gqlcache.Options{}, func(s *story) {
		start := time.Now()
		for range 3 {
			var calls []*call
			for range 50 {
				calls = append(calls, s.start(s.t.Context(), askNames))
			}
			for _, c := range calls {
				s.over(c)
			}
		}
		if took := time.Since(start); took > 80*time.Millisecond {
			t.Errorf("%v, want three or four times 20ms", took)
		}
	}, fields{"userNames": fails})
}

// TestErrorsOfAnInnerExtension: an answer is not stored either when no field has failed,
// and an extension below the cache has put an error beside it.
func TestErrorsOfAnInnerExtension(t *testing.T) {
	t.Parallel()
	for level, without := range levels {
		t.Run(level, func(t *testing.T) {
			t.Parallel()
			c := newCache(t, gqlcache.Options{Predicate: viewerPredicate})
			var done atomic.Bool
			srv := testgraph.Serve(testgraph.Executable(testgraph.NewStore(), without...), c, responseHook(func(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
				resp := next(ctx)
				if !done.Swap(true) {
					resp.Errors = append(resp.Errors, gqlerror.Errorf("half of it"))
				}
				return resp
			}))
			for i := range 3 {
				if got := testgraph.Ask(t, srv, expand(readAnn), nil); len(got.Errors) > 0 != (i == 0) {
					t.Errorf("%d: %s", i, got.Body)
				}
			}
			if s := c.Stats(); s.NotStored[gqlcache.ReasonErrors] != 1 || s.Hits != 1 {
				t.Errorf("%d hits, not stored: %v", s.Hits, s.NotStored)
			}
		})
	}
}

// TestFailuresWithoutTrace: what the server's presenter and recover function keep from
// clients is a failure all the same, and so is what an interceptor makes a value of. Its
// answer is not stored.
func TestFailuresWithoutTrace(t *testing.T) {
	t.Parallel()
	failing := func(f func(ctx context.Context) (any, error)) func(context.Context, graphql.Resolver) (any, error) {
		return func(ctx context.Context, next graphql.Resolver) (any, error) { return f(ctx) }
	}
	once := func(f func(context.Context, graphql.Resolver) (any, error)) func(context.Context, graphql.Resolver) (any, error) {
		var done atomic.Bool
		return func(ctx context.Context, next graphql.Resolver) (any, error) {
			if done.Swap(true) {
				return next(ctx)
			}
			return f(ctx, next)
		}
	}
	swallow := func(ctx context.Context, next graphql.Resolver) (v any, err error) {
		defer func() { _ = recover() }()
		v, err = next(ctx)
		if err != nil {
			return nil, nil
		}
		return v, err
	}
	rows := []struct {
		name, document string
		fields         fields
		hook           func(context.Context) error
	}{
		{"an error", "{boss:user(id:$Bob){boss{name}}}", fields{"boss": once(failing(func(context.Context) (any, error) { return nil, errors.New("down") }))}, nil},
		{"a panic", "{boss:user(id:$Bob){boss{name}}}", fields{"boss": once(failing(func(context.Context) (any, error) { panic("down") }))}, nil},
		{"an error beside a value", "{user(id:$Ann){name}}", fields{"user": once(func(ctx context.Context, next graphql.Resolver) (any, error) {
			graphql.AddError(ctx, errors.New("half of it"))
			return next(ctx)
		})}, nil},
		{"a formatted one", "{user(id:$Ann){name}}", fields{"user": once(func(ctx context.Context, next graphql.Resolver) (any, error) {
			graphql.AddErrorf(ctx, "half of %s", "it")
			return next(ctx)
		})}, nil},
		{"a null that may not be", "{user(id:$Bob){boss{name}}}", fields{"name": once(failing(func(context.Context) (any, error) { return nil, nil }))}, nil},
		{"an error that an interceptor drops", "{user(id:$Ann){name}}", fields{"user": swallow}, func(context.Context) error { return errors.New("down") }},
		{"a panic that an interceptor drops", "{user(id:$Ann){name}}", fields{"user": swallow}, func(context.Context) error { panic("down") }},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, "annotated", gqlcache.Options{}, row.fields)
			srv := r.cached.(*handler.Server)
			srv.SetErrorPresenter(func(context.Context, error) *gqlerror.Error { return nil })
			srv.SetRecoverFunc(func(context.Context, any) error { return nil })
			if row.hook != nil {
				var done atomic.Bool
				r.store.On("Query.user", func(ctx context.Context) error {
					if done.Swap(true) {
						return nil
					}
					return row.hook(ctx)
				})
			}
			computed := uint64(1)
			if got := r.send(row.document); len(got.Errors) > 0 {
				if !onFloor {
					t.Fatalf("the presenter hides nothing: %s", got.Body)
				}
				computed = 0 // it panics for an error that is nil, with the cache and without
			}
			if s := r.cache.Stats(); s.NotStored[gqlcache.ReasonErrors]+s.NotStored[gqlcache.ReasonNoData] != computed {
				t.Errorf("not stored: %v", s.NotStored)
			}
			r.fresh(row.document)
		})
	}
	t.Run("a field that tracers ask for", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, "annotated", gqlcache.Options{}, fields{"name": func(ctx context.Context, next graphql.Resolver) (any, error) {
			v, err := next(ctx)
			_ = graphql.GetFieldErrors(ctx, graphql.GetFieldContext(ctx))
			graphql.HasFieldError(ctx, graphql.GetFieldContext(ctx))
			_ = graphql.GetErrors(ctx)
			return v, err
		}})
		r.run("annotated", []string{"MISS: " + readAnn, "HIT: " + readAnn})
	})
}

// TestReentrance: a resolver that asks its own server what it is part of is answered, and
// so is everybody after it.
func TestReentrance(t *testing.T) {
	t.Parallel()
	tell(t, gqlcache.Options{}, func(s *story) {
		depth := 0
		s.store.On("Query.userNames", func(ctx context.Context) error {
			if depth++; depth == 1 {
				if got := testgraph.Do(t, ctx, s.cached, testgraph.Request{Query: askNames}); got.Body != names {
					t.Errorf("inside: %s", got.Body)
				}
			}
			return nil
		})
		s.is(s.begin(s.t.Context(), askNames), names)
		s.is(s.begin(s.t.Context(), askNames), names)
	})
}

// TestCrossedResolvers: two requests whose resolvers ask for each other's operation wait
// for none.
func TestCrossedResolvers(t *testing.T) {
	t.Parallel()
	tell(t, gqlcache.Options{}, func(s *story) {
		both := make(chan struct{})
		var n atomic.Int32
		crossed := func(document string) func(context.Context) error {
			var asked atomic.Bool
			return func(ctx context.Context) error {
				if asked.Swap(true) {
					return nil
				}
				if n.Add(1) == 2 {
					close(both)
				}
				<-both
				if got := testgraph.Do(t, ctx, s.cached, testgraph.Request{Query: document}); len(got.Errors) > 0 {
					return fmt.Errorf("inside: %s", got.Body)
				}
				return nil
			}
		}
		s.store.On("Query.userNames", crossed("{userCount}"))
		s.store.On("Query.userCount", crossed(askNames))
		start := time.Now()
		a, b := s.start(s.t.Context(), askNames), s.start(s.t.Context(), "{userCount}")
		s.over(a)
		s.over(b)
		if took := time.Since(start); took != 0 || a.resp.Body != names {
			t.Errorf("%s after %v", a.resp.Body, took)
		}
	})
}

// TestQueryInsideAMutation: what a mutation's resolver asks its own server shows what it
// has written.
func TestQueryInsideAMutation(t *testing.T) {
	t.Parallel()
	r := newRig(t, "annotated", gqlcache.Options{})
	r.send(readAnn)
	var inside string
	r.store.On("Mutation.renameUser:done", func(ctx context.Context) error {
		inside = testgraph.Do(t, ctx, r.cached, testgraph.Request{Query: expand(readAnn)}).Body
		return nil
	})
	r.send(renameAnn)
	if !strings.Contains(inside, "New") {
		t.Errorf("inside: %s", inside)
	}
	if n := r.cache.Stats().Bypassed[gqlcache.ReasonMutating]; n != 1 {
		t.Errorf("%d bypassed", n)
	}
}

// TestDoNotStoreEndsSharing: from the call on everybody computes for himself, side by
// side.
func TestDoNotStoreEndsSharing(t *testing.T) {
	t.Parallel()
	hints := map[string]struct {
		say       func(context.Context) error
		predicate bool
		stored    bool
	}{
		"DoNotStore":            {gqlcache.DoNotStore, true, false},
		"Private":               {gqlcache.Private, true, true},
		"Private, no predicate": {gqlcache.Private, false, false},
		"MaxAge(0)":             {func(ctx context.Context) error { return gqlcache.MaxAge(ctx, 0) }, true, false},
	}
	for name, row := range hints {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tell(t, gqlcache.Options{}, func(s *story) {
				if !row.predicate {
					s.cache = newCache(s.t, gqlcache.Options{Store: newMapStore()})
					s.cached = testgraph.NewServer(s.store, s.cache)
				}
				var first atomic.Bool
				said, hold := make(chan struct{}), make(chan struct{})
				s.store.On("Query.userNames", func(ctx context.Context) error {
					if first.Swap(true) {
						return nil
					}
					<-said
					if err := row.say(ctx); err != nil {
						t.Error(err)
					}
					<-hold
					return nil
				})
				leader, joiner := s.begin(s.t.Context(), askNames), s.begin(s.t.Context(), askNames)
				s.waits(joiner)
				close(said)
				s.is(joiner, names) // although the leader goes on
				s.waits(leader)
				_ = s.cache.Invalidate(s.t.Context(), gqlcache.View("User")) // drops what the joiner stored
				close(hold)
				s.is(leader, names)
				if _, held := s.cache.Stats().NotStored[gqlcache.ReasonInvalidated]; row.stored && !held {
					t.Error("the answer would not have been stored anyway")
				}
			})
		})
	}
}

// TestHints: what resolvers say of storing counts, from wherever they say it.
func TestHints(t *testing.T) {
	t.Parallel()
	t.Run("not stored", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, "annotated", gqlcache.Options{})
		r.store.On("Query.userNames", gqlcache.DoNotStore)
		r.run("annotated", []string{"MISS do_not_store: " + askNames, "MISS do_not_store: " + askNames})
		r.store.On("Query.userNames", nil)
		r.run("annotated", []string{"MISS: " + askNames, "HIT: " + askNames})
	})
	t.Run("age", func(t *testing.T) {
		t.Parallel()
		var passed atomic.Int64
		start := time.Now()
		r := newRig(t, "annotated", gqlcache.Options{Jitter: -1, Now: func() time.Time { return start.Add(time.Duration(passed.Load())) }})
		r.store.On("Query.userNames", func(ctx context.Context) error {
			return errors.Join(gqlcache.MaxAge(ctx, time.Minute), gqlcache.MaxAge(ctx, time.Hour))
		})
		r.run("annotated", []string{"MISS: " + askNames})
		passed.Store(int64(59 * time.Second))
		r.run("annotated", []string{"HIT: " + askNames})
		passed.Store(int64(61 * time.Second))
		r.run("annotated", []string{"MISS: " + askNames})
	})
	t.Run("elsewhere", func(t *testing.T) {
		t.Parallel()
		for _, err := range []error{gqlcache.DoNotStore(t.Context()), gqlcache.Private(t.Context()), gqlcache.MaxAge(t.Context(), 1), gqlcache.MaxAge(t.Context(), 0)} {
			if !errors.Is(err, gqlcache.ErrNoOperation) {
				t.Errorf("%v, want ErrNoOperation", err)
			}
		}
		if err := gqlcache.MaxAge(t.Context(), -1); err == nil || errors.Is(err, gqlcache.ErrNoOperation) {
			t.Errorf("a negative age: %v", err)
		}
		r := newRig(t, "annotated", gqlcache.Options{})
		r.store.On("Mutation.renameUser", func(ctx context.Context) error {
			return errors.Join(gqlcache.DoNotStore(ctx), gqlcache.Private(ctx), gqlcache.MaxAge(ctx, 1))
		})
		if got := r.send(renameAnn); len(got.Errors) > 0 {
			t.Errorf("in a mutation: %s", got.Body)
		}
	})
	t.Run("too late", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, "annotated", gqlcache.Options{})
		var late context.Context
		r.store.On("Query.userNames", func(ctx context.Context) error { late = ctx; return nil })
		r.run("annotated", []string{"MISS: " + askNames, "HIT: " + askNames})
		if err := gqlcache.DoNotStore(late); !errors.Is(err, gqlcache.ErrLate) {
			t.Errorf("%v, want ErrLate", err)
		}
		r.run("annotated", []string{"MISS: " + askNames})
	})
}

// TestReadBeforeTheComputation: what an outer extension has read for a request, in a
// snapshot that it opened or by itself, is as old as the request. A change since then is
// one for the answer, too.
func TestReadBeforeTheComputation(t *testing.T) {
	t.Parallel()
	r := newRig(t, "annotated", gqlcache.Options{})
	// The snapshot of the request is from before the change, which is acknowledged before
	// its resolvers run.
	snapshot := r.store.Clone()
	srv := testgraph.Serve(testgraph.Executable(snapshot, "cacheControl"), outerRead(func() { r.send(renameAnn) }), r.cache)
	if got := testgraph.Do(t, t.Context(), srv, testgraph.Request{Query: expand(readAnn)}); !strings.Contains(got.Body, "Ann") {
		t.Fatalf("the snapshot shows %s", got.Body)
	}
	r.fresh(readAnn)
}

// outerRead is called when a request arrives at an extension around the cache.
type outerRead func()

func (outerRead) ExtensionName() string                   { return "outer" }
func (outerRead) Validate(graphql.ExecutableSchema) error { return nil }

func (f outerRead) InterceptResponse(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
	f()
	return next(ctx)
}
