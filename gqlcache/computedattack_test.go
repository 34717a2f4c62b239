package gqlcache_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/internal/testgraph"
)

// TestComputedPrivate: a value whose function says Private is kept only under a predicate.
func TestComputedPrivate(t *testing.T) {
	t.Parallel()
	mine := func(ctx context.Context, c *gqlcache.Cache) (string, error) {
		return gqlcache.Compute(ctx, c, gqlcache.KeyOf("mine"), func(ctx context.Context) (string, error) {
			return who(ctx), gqlcache.Private(ctx)
		}, gqlcache.Reads())
	}
	t.Run("all see the same", func(t *testing.T) {
		t.Parallel()
		r := &valuesRig{rig: newRig(t, "annotated", gqlcache.Options{Callers: gqlcache.AllSeeTheSame})}
		for _, viewer := range []string{"ann", "bob"} {
			r.within(viewer, func(ctx context.Context) {
				if got, err := mine(ctx, r.cache); got != viewer || err != nil {
					t.Errorf("%s got what is private to %q, %v", viewer, got, err)
				}
			})
		}
	})
	t.Run("public", func(t *testing.T) {
		t.Parallel()
		r := newPartitioned(t)
		r.store.On("Query.banner", func(ctx context.Context) error {
			got, err := mine(ctx, r.cache)
			if got != who(ctx) {
				t.Errorf("%s got what is private to %q", who(ctx), got)
			}
			return err
		})
		for _, viewer := range []string{"ann", "bob"} {
			r.do(testgraph.Request{Query: `{ banner(id: "b1") { text } }`, Header: map[string]string{"X-Viewer": viewer}})
		}
	})
	t.Run("predicate", func(t *testing.T) {
		t.Parallel()
		r := newValues(t, gqlcache.Options{})
		for range 2 {
			for _, viewer := range []string{"ann", "bob"} {
				r.within(viewer, func(ctx context.Context) {
					if got, err := mine(ctx, r.cache); got != viewer || err != nil {
						t.Errorf("%s got what is private to %q, %v", viewer, got, err)
					}
				})
			}
		}
		if s := valueStats(r.cache, "mine"); s.Hits != 2 {
			t.Errorf("it is not kept under a predicate: %+v", s)
		}
	})
}

// TestComputedPutReplaces: once Put has returned nil, nobody gets an older value of the key,
// whatever became of the new one.
func TestComputedPutReplaces(t *testing.T) {
	t.Parallel()
	key, all, reads := gqlcache.KeyOf("rate"), gqlcache.ForAll(), gqlcache.Reads()
	put := func(t *testing.T, c *gqlcache.Cache, v int) {
		t.Helper()
		if err := gqlcache.Put(t.Context(), c, key, v, c.Begin(t.Context()), all, reads); err != nil {
			t.Fatal(err)
		}
	}
	t.Run("in other instances", func(t *testing.T) {
		t.Parallel()
		a, b := newInstances(t, 2).two()
		get := func(m *instance) int {
			v, err := gqlcache.Get[int](t.Context(), m.cache, key, all)
			if err != nil && !errors.Is(err, gqlcache.ErrMiss) {
				t.Error(err)
			}
			return v
		}
		put(t, a.cache, 1)
		put(t, b.cache, 2)
		if got := get(a); got == 1 {
			t.Error("an instance gives a value that another one has replaced")
		}
		if got := get(b); got != 2 {
			t.Errorf("the value that was put is %d", got)
		}
		put(t, b.cache, 3)
		if got := get(b); got != 3 {
			t.Errorf("the value that was put again is %d", got)
		}
		if _, err := gqlcache.Compute(t.Context(), a.cache, key, func(context.Context) (int, error) { return 3, nil }, all, reads); err != nil {
			t.Fatal(err)
		}
		put(t, b.cache, 4)
		if got := get(a); got == 3 {
			t.Error("an instance gives a computed value that another one has replaced")
		}
	})
	t.Run("while one is computed", func(t *testing.T) {
		t.Parallel()
		r := newValues(t, gqlcache.Options{})
		if _, err := gqlcache.Compute(t.Context(), r.cache, key, func(context.Context) (int, error) {
			put(t, r.cache, 2) // by somebody else, who has seen a newer state
			return 1, nil
		}, all, reads); err != nil {
			t.Fatal(err)
		}
		r.wantJob(key, -1, 2, false, reads)
	})
	t.Run("in another instance, while one is computed", func(t *testing.T) {
		t.Parallel()
		a, b := newInstances(t, 2).two()
		if _, err := gqlcache.Compute(t.Context(), a.cache, key, func(context.Context) (int, error) {
			put(t, b.cache, 2)
			return 1, nil
		}, all, reads); err != nil {
			t.Fatal(err)
		}
		if got, err := gqlcache.Get[int](t.Context(), a.cache, key, all); got == 1 {
			t.Errorf("%d, %v: an instance keeps what it computed while another one put a value", got, err)
		}
	})
	t.Run("a token of before the last put", func(t *testing.T) {
		t.Parallel()
		r := newValues(t, gqlcache.Options{})
		token := r.cache.Begin(t.Context())
		r.invalidate(gqlcache.Tag("other"))
		put(t, r.cache, 1)
		if err := gqlcache.Put(t.Context(), r.cache, key, 2, token, all, reads); err != nil {
			t.Fatal(err)
		}
		r.wantJob(key, -1, 2, false, reads)
	})
	t.Run("by one that is too large", func(t *testing.T) {
		t.Parallel()
		r := newValues(t, gqlcache.Options{Limits: gqlcache.Limits{MaxEntryBytes: 4096}})
		key := gqlcache.KeyOf("text")
		for _, n := range []int{1, 10_000} {
			if err := gqlcache.Put(t.Context(), r.cache, key, string(make([]byte, n)), r.cache.Begin(t.Context()), all, reads); err != nil {
				t.Fatal(err)
			}
		}
		if v, err := gqlcache.Get[string](t.Context(), r.cache, key, all); !errors.Is(err, gqlcache.ErrMiss) {
			t.Errorf("the older value is given, of %d bytes, %v", len(v), err)
		}
	})
}

// TestComputedWritesBesideTheCache: where a request bypasses the cache, Put and Delete drop
// the value all the same, since others do not bypass it.
func TestComputedWritesBesideTheCache(t *testing.T) {
	t.Parallel()
	key, all, reads := gqlcache.KeyOf("rate"), gqlcache.ForAll(), gqlcache.Reads()
	for name, write := range map[string]func(context.Context, *gqlcache.Cache) error{
		"Put": func(ctx context.Context, c *gqlcache.Cache) error {
			return gqlcache.Put(ctx, c, key, 2, c.Begin(ctx), all, reads)
		},
		"Delete": func(ctx context.Context, c *gqlcache.Cache) error {
			_, err := gqlcache.Delete(ctx, c, key, all)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			off := atomic.Bool{}
			r := newValues(t, gqlcache.Options{Enabled: func(context.Context) bool { return !off.Load() }})
			r.wantJob(key, 1, 1, true, reads)
			off.Store(true)
			if err := write(t.Context(), r.cache); err != nil {
				t.Fatal(err)
			}
			off.Store(false)
			if v, err := gqlcache.Get[int](t.Context(), r.cache, key, all); v == 1 {
				t.Errorf("the value from before is given: %d, %v", v, err)
			}
		})
	}
	t.Run("an unknown caller", func(t *testing.T) {
		t.Parallel()
		r := newValues(t, gqlcache.Options{Predicate: func(context.Context) (gqlcache.Predicate, error) { return gqlcache.Predicate{}, errors.New("no") }})
		r.within("ann", func(ctx context.Context) {
			if _, err := gqlcache.Delete(ctx, r.cache, key); !errors.Is(err, gqlcache.ErrCallers) {
				t.Errorf("a removal of nobody knows whose value: %v", err)
			}
			if err := gqlcache.Put(ctx, r.cache, key, 1, r.cache.Begin(ctx)); !errors.Is(err, gqlcache.ErrCallers) {
				t.Errorf("a value of nobody knows whom: %v", err)
			}
		})
	})
}

// TestComputedOfValuesAndMore: a value of values of which nothing is declared depends on
// every change: its function may have read more than these.
func TestComputedOfValuesAndMore(t *testing.T) {
	t.Parallel()
	r := newValues(t, gqlcache.Options{})
	part := func(ctx context.Context) (int, error) {
		return gqlcache.Compute(ctx, r.cache, gqlcache.KeyOf("part"), func(context.Context) (int, error) { return 1, nil },
			gqlcache.ForAll(), gqlcache.Reads(gqlcache.Tag("part")))
	}
	row := 10
	whole := func(opts ...gqlcache.ComputeOption) int {
		got, err := gqlcache.Compute(t.Context(), r.cache, gqlcache.KeyOf("whole").Arg("declared", len(opts)), func(ctx context.Context) (int, error) {
			v, err := part(ctx)
			return v + row, err // the row comes from a plain statement
		}, append(opts, gqlcache.ForAll())...)
		if err != nil {
			t.Error(err)
		}
		return got
	}
	whole()
	row = 20
	r.invalidate(gqlcache.Entity("User", testgraph.Ann))
	if got := whole(); got != 21 {
		t.Errorf("got %d after a change of a row that nothing was said of", got)
	}
	whole(gqlcache.Reads())
	row = 30
	r.invalidate(gqlcache.Entity("User", testgraph.Ann))
	if got := whole(gqlcache.Reads()); got != 21 {
		t.Errorf("got %d, though it is declared to depend on its part alone", got)
	}
	r.invalidate(gqlcache.Tag("part"))
	if got := whole(gqlcache.Reads()); got != 31 {
		t.Errorf("got %d after a change of its part", got)
	}
}

// TestComputedVaryInValuesForAll: what varies by Vary is no part of what is for all.
func TestComputedVaryInValuesForAll(t *testing.T) {
	t.Parallel()
	r := &valuesRig{rig: newRig(t, "annotated", gqlcache.Options{
		Callers: gqlcache.AllSeeTheSame, Vary: func(ctx context.Context) []string { return []string{who(ctx)} },
	})}
	for range 2 {
		for _, language := range []string{"de", "en"} {
			r.within(language, func(ctx context.Context) {
				got, err := gqlcache.Compute(ctx, r.cache, gqlcache.KeyOf("page"), func(ctx context.Context) (string, error) {
					return gqlcache.Compute(ctx, r.cache, gqlcache.KeyOf("title"), func(ctx context.Context) (string, error) { return who(ctx), nil }, gqlcache.Reads())
				}, gqlcache.ForAll(), gqlcache.Reads())
				if got != language || err != nil {
					t.Errorf("%s gets %q, %v", language, got, err)
				}
			})
		}
	}
}

// TestComputedLateInParts: what a part says late is said of the computation around it, too:
// that has the part already.
func TestComputedLateInParts(t *testing.T) {
	t.Parallel()
	r := newValues(t, gqlcache.Options{})
	whole := func() (ran bool) {
		_, err := gqlcache.Compute(t.Context(), r.cache, gqlcache.KeyOf("whole"), func(ctx context.Context) (int, error) {
			ran = true
			var left context.Context
			v, err := gqlcache.Compute(ctx, r.cache, gqlcache.KeyOf("part"), func(ctx context.Context) (int, error) {
				left = ctx // by a goroutine that goes on
				return 1, nil
			}, gqlcache.ForAll(), gqlcache.Reads())
			if left != nil {
				if err := gqlcache.Read(left, gqlcache.Tag("late")); !errors.Is(err, gqlcache.ErrLate) {
					t.Errorf("late: %v", err)
				}
			}
			return v, err
		}, gqlcache.ForAll(), gqlcache.Reads())
		if err != nil {
			t.Error(err)
		}
		return ran
	}
	whole()
	r.invalidate(gqlcache.Tag("late"))
	if !whole() {
		t.Error("what was made of a part is kept over a change of what the part has read late")
	}
}

// A codecFunc is JSON that calls a function for each value that it encodes.
type codecFunc func()

func (f codecFunc) Marshal(v any) ([]byte, error) { f(); return json.Marshal(v) }

func (codecFunc) Unmarshal(data []byte, v any) error { return json.Unmarshal(data, v) }

// TestComputedLateIsNotShared: a value of which a read is told too late is not given to who
// waits, also where it is not kept for another reason.
func TestComputedLateIsNotShared(t *testing.T) {
	for _, large := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			r := newValues(t, gqlcache.Options{Limits: gqlcache.Limits{MaxEntryBytes: 4096}})
			text := []string{"x"}
			if large {
				text[0] = strings.Repeat("x", 5000)
			}
			var left context.Context
			late := codecFunc(func() { _ = gqlcache.Read(left, gqlcache.Tag("late")) })
			ask := func() {
				_, err := gqlcache.ComputeAll(t.Context(), r.cache, []int{1}, itemKey, func(ctx context.Context, _ []int) (map[int][]string, error) {
					r.calls.Add(1)
					left = ctx
					time.Sleep(100 * time.Millisecond)
					return map[int][]string{1: text}, nil
				}, gqlcache.ForAll(), gqlcache.Reads(), gqlcache.WithCodec(late))
				if err != nil {
					t.Error(err)
				}
			}
			var all sync.WaitGroup
			all.Go(ask)
			synctest.Wait()
			all.Go(ask)
			all.Wait()
			if n := r.calls.Load(); n != 2 {
				t.Errorf("large %v: %d calls", large, n)
			}
		})
	}
}

// TestComputedUnencodable: a value that cannot be kept is its caller's all the same: which
// values cannot is a matter of the data.
func TestComputedUnencodable(t *testing.T) {
	t.Parallel()
	type list struct {
		Tags []string `json:"tags,omitempty"`
	}
	r := newValues(t, gqlcache.Options{})
	for _, want := range [][]string{{}, nil, {"a"}, {}} {
		key := gqlcache.KeyOf("list").Arg("tags", want)
		for range 2 {
			got, err := gqlcache.Compute(t.Context(), r.cache, key, func(context.Context) (list, error) { return list{want}, nil }, gqlcache.ForAll(), gqlcache.Reads())
			if err != nil || (got.Tags == nil) != (want == nil) || len(got.Tags) != len(want) {
				t.Errorf("%#v: got %#v, %v", want, got.Tags, err)
			}
		}
		err := gqlcache.Put(t.Context(), r.cache, key, list{want}, r.cache.Begin(t.Context()), gqlcache.ForAll(), gqlcache.Reads())
		if lost := want != nil && len(want) == 0; errors.Is(err, gqlcache.ErrCodec) != lost {
			t.Errorf("%#v is put: %v", want, err)
		}
	}
	if s := valueStats(r.cache, "list"); s.NotStored[gqlcache.ReasonCodec] != 6 {
		t.Errorf("%+v", s)
	}
	for _, codec := range []gqlcache.Codec{lossy{}, lossy{panics: true}} {
		key, by := gqlcache.KeyOf("lossy"), gqlcache.WithCodec(codec)
		got, err := gqlcache.Compute(t.Context(), r.cache, key, func(context.Context) ([]int, error) { return []int{2}, nil }, gqlcache.ForAll(), by)
		if err != nil || len(got) != 1 || got[0] != 2 {
			t.Errorf("%+v: %v, %v", codec, got, err)
		}
		if err := gqlcache.Put(t.Context(), r.cache, key, []int{2}, r.cache.Begin(t.Context()), gqlcache.ForAll(), by); !errors.Is(err, gqlcache.ErrCodec) {
			t.Errorf("%+v: put: %v", codec, err)
		}
	}
}

// TestComputedInMiddlewares: an answer depends on the values that middlewares and extensions
// have got for its request: a resolver may show what they put into the context.
func TestComputedInMiddlewares(t *testing.T) {
	t.Parallel()
	user := func(ctx context.Context, c *gqlcache.Cache) error {
		_, err := gqlcache.Compute(ctx, c, gqlcache.KeyOf("user"), func(context.Context) (string, error) { return "ann", nil },
			gqlcache.ForAll(), gqlcache.Reads(gqlcache.Tag("users")), gqlcache.TTL(time.Hour))
		return err
	}
	for _, where := range []string{"middleware", "extension"} {
		t.Run(where, func(t *testing.T) {
			t.Parallel()
			r := newValues(t, gqlcache.Options{})
			var h http.Handler
			if where == "middleware" {
				h = r.cache.Handler(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
					for range 10 {
						if err := user(req.Context(), r.cache); err != nil {
							t.Error(err)
						}
					}
					r.cached.ServeHTTP(w, req)
				}))
			} else {
				srv := testgraph.NewServer(r.store)
				srv.AroundResponses(func(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
					if err := user(ctx, r.cache); err != nil {
						t.Error(err)
					}
					return next(ctx)
				})
				srv.Use(r.cache)
				h = srv
			}
			computed := 0
			r.store.On("Query.counter", func(context.Context) error { computed++; return nil })
			for i := range 3 {
				for range 2 {
					req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(`{"query":"{ counter(id: 1) { value } }"}`))
					req.Header.Set("Content-Type", "application/json")
					h.ServeHTTP(httptest.NewRecorder(), req)
				}
				if computed != i+1 {
					t.Errorf("computed %d times after %d changes of what it was made of", computed, i)
				}
				r.invalidate(gqlcache.Tag("users"))
			}
		})
	}
}

// TestComputedIsVerified: a hit that is recomputed gets no values that are kept: one of them
// may be what is wrong.
func TestComputedIsVerified(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &valuesRig{rig: newRig(t, "annotated", gqlcache.Options{
			Callers: gqlcache.AllSeeTheSame, Verify: gqlcache.VerifyOptions{Rate: 1, WithoutValues: true},
		})}
		r.store.On("Query.counter", func(ctx context.Context) error {
			_, err := gqlcache.Compute(ctx, r.cache, gqlcache.KeyOf("value"), func(context.Context) (int64, error) { return r.calls.Add(1), nil }, gqlcache.Reads())
			return err
		})
		for range 2 {
			r.do(testgraph.Request{Query: `{ counter(id: 1) { value } }`})
		}
		<-time.After(2 * time.Second) // of the bubble's clock: beyond the grace
		synctest.Wait()
		if n := r.calls.Load(); n != 2 {
			t.Errorf("%d calls, %+v", n, r.cache.VerifyStats())
		}
	})
}

// TestComputedAroundAnotherCache: a function that runs within one of the same cache, with one
// of another cache in between, may read in a snapshot of the outer one.
func TestComputedAroundAnotherCache(t *testing.T) {
	t.Parallel()
	r, other := newValues(t, gqlcache.Options{}), newValues(t, gqlcache.Options{})
	all := gqlcache.ForAll()
	state := 1
	inner := func(ctx context.Context, snapshot int) (int, error) {
		return gqlcache.Compute(ctx, r.cache, gqlcache.KeyOf("inner"), func(context.Context) (int, error) { return snapshot, nil }, all, gqlcache.Reads(gqlcache.Tag("state")))
	}
	older := func(ctx context.Context, fn func() int) (int, error) { // than the outer one's beginning
		return gqlcache.Compute(ctx, r.cache, gqlcache.KeyOf("older"), func(context.Context) (int, error) { return fn(), nil }, all, gqlcache.Reads(gqlcache.Tag("older")))
	}
	r.invalidate(gqlcache.Tag("older"))
	_, err := gqlcache.Compute(t.Context(), r.cache, gqlcache.KeyOf("outer"), func(ctx context.Context) (int, error) {
		snapshot := state
		state = 2
		r.invalidate(gqlcache.Tag("state"))
		return gqlcache.Compute(ctx, other.cache, gqlcache.KeyOf("between"), func(ctx context.Context) (int, error) {
			if _, err := older(ctx, func() int { return 1 }); err != nil {
				return 0, err
			}
			return inner(ctx, snapshot)
		}, all, gqlcache.Reads())
	}, all, gqlcache.Reads())
	if err != nil {
		t.Fatal(err)
	}
	if got, err := inner(t.Context(), state); got != 2 || err != nil {
		t.Errorf("got %d, %v after the change", got, err)
	}
	if got, err := older(t.Context(), func() int { return 2 }); got != 1 || err != nil {
		t.Errorf("got %d, %v, though nothing has changed since the outer one began", got, err)
	}
}

// TestComputedInTheirOwnOptions: a function of the options that gets a value for which it is
// asked itself has it beside the cache, and comes to an end.
func TestComputedInTheirOwnOptions(t *testing.T) {
	t.Parallel()
	for _, which := range []string{"Enabled", "Predicate", "Vary", "Partition"} {
		t.Run(which, func(t *testing.T) {
			t.Parallel()
			var lines logbook
			var c *gqlcache.Cache
			depth := 0
			get := func(ctx context.Context, opts ...gqlcache.ComputeOption) string {
				if depth++; depth > 20 {
					t.Fatal("it asks itself for ever")
				}
				key := gqlcache.KeyOf("user of " + which)
				if which == "Partition" {
					key = key.Tenant("a")
				}
				name, err := gqlcache.Compute(ctx, c, key, func(ctx context.Context) (string, error) { return who(ctx), nil },
					append(opts, gqlcache.Reads())...)
				if err != nil {
					t.Error(err)
				}
				return name
			}
			o := gqlcache.Options{
				Predicate: whosePredicate, Partition: func(context.Context) string { return "a" },
				Logger: slog.New(slog.NewTextHandler(&lines, nil)),
			}
			switch which {
			case "Enabled":
				o.Enabled = func(ctx context.Context) bool { return get(ctx, gqlcache.ForAll()) == "" || depth > 0 }
			case "Predicate":
				o.Predicate = func(ctx context.Context) (gqlcache.Predicate, error) {
					return gqlcache.Predicate{Text: "user " + get(ctx)}, nil
				}
			case "Vary":
				o.Vary = func(ctx context.Context) []string { return []string{get(ctx)} }
			case "Partition":
				o.Partition = func(ctx context.Context) string { get(ctx, gqlcache.ForAll()); return "a" }
			}
			r := newValues(t, o)
			c = r.cache
			for range 2 {
				for _, name := range []string{"ann", "bob"} {
					r.within(name, func(ctx context.Context) {
						depth = 0
						got, err := gqlcache.Compute(ctx, c, gqlcache.KeyOf("page").Tenant("a"), func(ctx context.Context) (string, error) { return who(ctx), nil }, gqlcache.Reads())
						if got != name || err != nil {
							t.Errorf("%s gets %q, %v", name, got, err)
						}
					})
				}
			}
			if n := strings.Count(lines.String(), "Options."+which+" gets the value"); n != 1 {
				t.Errorf("it is told %d times: %s", n, lines.String())
			}
		})
	}
}

// TestComputedInPartition: Options.Partition gets values for its own caller, for whom nobody
// knows the tenant before it has returned. It comes to an end, and what others get under the
// same keys is kept, until something of the tenant changes.
func TestComputedInPartition(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name string
		get  func(ctx context.Context, c *gqlcache.Cache, fn func(context.Context) (string, error)) (string, error)
	}{
		{"of the caller", func(ctx context.Context, c *gqlcache.Cache, fn func(context.Context) (string, error)) (string, error) {
			return gqlcache.Compute(ctx, c, gqlcache.KeyOf("tenant"), fn, gqlcache.Reads())
		}},
		{"with any tenant", func(ctx context.Context, c *gqlcache.Cache, fn func(context.Context) (string, error)) (string, error) {
			return gqlcache.Compute(ctx, c, gqlcache.KeyOf("tenant").Tenant("b"), fn, gqlcache.AnyTenant(), gqlcache.Reads())
		}},
		{"several", func(ctx context.Context, c *gqlcache.Cache, fn func(context.Context) (string, error)) (string, error) {
			all, err := gqlcache.ComputeAll(ctx, c, []int{1}, func(int) gqlcache.Key { return gqlcache.KeyOf("tenant") }, func(ctx context.Context, _ []int) (map[int]string, error) {
				v, err := fn(ctx)
				return map[int]string{1: v}, err
			}, gqlcache.Reads())
			return all[1], err
		}},
		{"put", func(ctx context.Context, c *gqlcache.Cache, fn func(context.Context) (string, error)) (string, error) {
			token := c.Begin(ctx)
			v, err := fn(ctx)
			if put := gqlcache.Put(ctx, c, gqlcache.KeyOf("tenant"), v, token, gqlcache.Reads()); !errors.Is(put, gqlcache.ErrOutdated) { // by the one within
				err = errors.Join(err, put)
			}
			return v, err
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var c *gqlcache.Cache
				depth, runs := 0, 0
				get := func(ctx context.Context) string {
					v, err := row.get(ctx, c, func(ctx context.Context) (string, error) { runs++; return "tenant of " + who(ctx), nil })
					if err != nil {
						t.Error(err)
					}
					return v
				}
				r := newValues(t, gqlcache.Options{Predicate: whosePredicate, Logger: slog.New(slog.DiscardHandler), Partition: func(ctx context.Context) string {
					if depth++; depth > 20 {
						t.Fatal("it asks itself for ever")
					}
					return get(ctx)
				}})
				c = r.cache
				start := time.Now()
				for _, name := range []string{"ann", "bob"} {
					r.within(name, func(ctx context.Context) {
						ask := func(what string, computed bool) {
							t.Helper()
							depth, runs = 0, 0
							if got := get(ctx); got != "tenant of "+name || (runs > 0) != computed && row.name != "put" {
								t.Errorf("%s: %s gets %q, %d runs", what, name, got, runs)
							}
						}
						ask("first", true)
						ask("again", false)
						r.invalidate(gqlcache.Tenant("tenant of nobody"))
						ask("after another tenant's", false)
						r.invalidate(gqlcache.Tenant("tenant of " + name))
						ask("after the tenant's", true)
					})
				}
				if waited := time.Since(start); waited > 0 {
					t.Errorf("it has waited for itself, for %v", waited)
				}
			})
		})
	}
}

// TestComputedLongKeys: a client that chooses an argument of many bytes makes no entry of as
// many.
func TestComputedLongKeys(t *testing.T) {
	t.Parallel()
	r := newValues(t, gqlcache.Options{Limits: gqlcache.Limits{MaxEntryBytes: 4096}})
	for _, n := range []int{100, 10_000} {
		key := gqlcache.KeyOf("search").Arg("text", strings.Repeat("x", n))
		runs := 0
		for range 2 {
			if _, err := gqlcache.Compute(t.Context(), r.cache, key, func(context.Context) (int, error) { runs++; return 1, nil }, gqlcache.ForAll(), gqlcache.Reads()); err != nil {
				t.Error(err)
			}
		}
		if kept := runs == 1; kept != (n == 100) {
			t.Errorf("%d bytes: kept %v", n, kept)
		}
	}
	if s := valueStats(r.cache, "search"); s.NotStored[gqlcache.ReasonTooLarge] != 2 {
		t.Errorf("%+v", s)
	}
}

// TestComputedWithinAnotherCache: what is around a value may have opened a snapshot when it
// began, also where it is of another cache: what is read in it is not kept over a change.
func TestComputedWithinAnotherCache(t *testing.T) {
	t.Parallel()
	all, reads := gqlcache.ForAll(), gqlcache.Reads(gqlcache.Tag("state"))
	for _, around := range []string{"a computation", "an operation"} {
		for _, how := range []string{"Compute", "Put"} {
			t.Run(around+", "+how, func(t *testing.T) {
				t.Parallel()
				r, other := newValues(t, gqlcache.Options{}), newValues(t, gqlcache.Options{})
				state := 1
				inner := func(ctx context.Context, read int) (int, error) {
					return gqlcache.Compute(ctx, r.cache, gqlcache.KeyOf("inner"), func(context.Context) (int, error) { return read, nil }, all, reads)
				}
				body := func(ctx context.Context) error {
					snapshot := state
					state = 2
					r.invalidate(gqlcache.Tag("state"))
					if how == "Compute" {
						_, err := inner(ctx, snapshot)
						return err
					}
					err := gqlcache.Put(ctx, r.cache, gqlcache.KeyOf("inner"), snapshot, r.cache.Begin(ctx), all, reads)
					if !errors.Is(err, gqlcache.ErrOutdated) {
						t.Errorf("Put: %v", err)
					}
					return nil
				}
				if around == "a computation" {
					if _, err := gqlcache.Compute(t.Context(), other.cache, gqlcache.KeyOf("outer"), func(ctx context.Context) (int, error) { return 0, body(ctx) }, all, gqlcache.Reads()); err != nil {
						t.Fatal(err)
					}
				} else {
					other.store.On("Query.counter", body)
					other.do(testgraph.Request{Query: `{ counter(id: 1) { value } }`})
				}
				if got, err := inner(t.Context(), state); got != 2 || err != nil {
					t.Errorf("got %d, %v after the change", got, err)
				}
				// Where nothing has changed, it is kept.
				if _, err := gqlcache.Compute(t.Context(), other.cache, gqlcache.KeyOf("another"), func(ctx context.Context) (int, error) {
					return gqlcache.Compute(ctx, r.cache, gqlcache.KeyOf("constant"), func(context.Context) (int, error) { return 1, nil }, all, gqlcache.Reads())
				}, all); err != nil {
					t.Error(err)
				}
				r.wantJob(gqlcache.KeyOf("constant"), -1, 1, false, gqlcache.Reads())
			})
		}
	}
}

// TestComputedOneKeyForTwoTypes: who waits for a value that turns out to be of another type
// gets the error that he would get for one that is kept.
func TestComputedOneKeyForTwoTypes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newValues(t, gqlcache.Options{})
		leave := make(chan struct{})
		var all sync.WaitGroup
		all.Go(func() {
			_, err := gqlcache.Compute(t.Context(), r.cache, gqlcache.KeyOf("two types"), func(context.Context) (int, error) { <-leave; return 1, nil }, gqlcache.ForAll(), gqlcache.Reads())
			if err != nil {
				t.Error(err)
			}
		})
		synctest.Wait()
		all.Go(func() {
			got, err := gqlcache.Compute(t.Context(), r.cache, gqlcache.KeyOf("two types"), func(context.Context) (string, error) { return "a text", nil }, gqlcache.ForAll(), gqlcache.Reads())
			if !errors.Is(err, gqlcache.ErrKey) {
				t.Errorf("got %q, %v", got, err)
			}
		})
		synctest.Wait()
		close(leave)
		all.Wait()
	})
}

// TestComputedTenantInPublicValues: a value within a public operation is for all tenants. It
// is not kept if it holds one's own, unless its key says whose it is.
func TestComputedTenantInPublicValues(t *testing.T) {
	t.Parallel()
	for name, outer := range map[string]func(tenant string) gqlcache.Key{
		"without a tenant": func(string) gqlcache.Key { return gqlcache.KeyOf("outer") },
		"with the tenant":  func(tenant string) gqlcache.Key { return gqlcache.KeyOf("outer").Tenant(tenant) },
	} {
		r := newPartitioned(t)
		var got []string
		r.store.On("Query.banner", func(ctx context.Context) error {
			v, err := gqlcache.Compute(ctx, r.cache, outer(who(ctx)), func(ctx context.Context) (string, error) {
				return gqlcache.Compute(ctx, r.cache, gqlcache.KeyOf("inner").Tenant(who(ctx)), func(ctx context.Context) (string, error) { return who(ctx), nil }, gqlcache.Reads())
			}, gqlcache.Reads())
			got = append(got, v)
			return err
		})
		viewers := []string{"ann", "bob", "ann"}
		for _, viewer := range viewers {
			r.do(testgraph.Request{Query: `{ banner(id: "b1") { text } }`, Header: map[string]string{"X-Viewer": viewer}})
		}
		if !slices.Equal(got, viewers) {
			t.Errorf("%s: %q", name, got)
		}
		kept := 0
		if name == "with the tenant" {
			kept = 1
		}
		if s := valueStats(r.cache, "outer"); s.Hits != uint64(kept) {
			t.Errorf("%s: %d hits, want %d", name, s.Hits, kept)
		}
	}
}
