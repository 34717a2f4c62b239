package gqlcache_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/internal/testgraph"
	"github.com/cascadeql/cascadeql/gqlcache/store/discard"
)

// shareable is what values are declared to be in tests of what instances share.
var shareable = []gqlcache.ComputeOption{gqlcache.ForAll(), gqlcache.Reads(gqlcache.Tag("x"))}

// computeAt computes a value on an instance, and reports whether the function ran.
func computeAt[T any](t *testing.T, m *instance, key gqlcache.Key, v T, opts ...gqlcache.ComputeOption) (got T, ran bool) {
	t.Helper()
	if opts == nil {
		opts = shareable
	}
	got, err := gqlcache.Compute(t.Context(), m.cache, key, func(context.Context) (T, error) { ran = true; return v, nil }, opts...)
	if err != nil {
		t.Error(err)
	}
	return got, ran
}

// wantAt fails unless an instance gets a value, and its function runs or not.
func wantAt[T any](t *testing.T, what string, m *instance, key gqlcache.Key, v, want T, ran bool, opts ...gqlcache.ComputeOption) {
	t.Helper()
	if got, did := computeAt(t, m, key, v, opts...); !reflect.DeepEqual(got, want) || did != ran {
		t.Errorf("%s: got %v, computed %v; want %v, %v", what, got, did, want, ran)
	}
}

// A score is encoded, since it has a list.
type score struct {
	Name   string
	Points []int
}

// TestComputedShared: what one instance has computed, another one finds, by whatever it is
// asked, and keeps. What is kept as it is because the program says so stays where it is, and
// so does what does not come back from its bytes.
func TestComputedShared(t *testing.T) {
	t.Parallel()
	r := newInstances(t, 2)
	a, b := r.two()
	n := 0
	next := func() gqlcache.Key { n++; return gqlcache.KeyOf("shared").Arg("n", n) }
	hits := func() uint64 { return valueStats(b.cache, "shared").Shared }

	wantShared(t, a, b, "a number", next(), 7, 8, true)
	wantShared(t, a, b, "a text", next(), "one", "two", true)
	wantShared(t, a, b, "a text that is none", next(), "\xff", "two", false)
	wantShared(t, a, b, "no number", next(), math.Inf(1), 2, false)
	wantShared(t, a, b, "a list", next(), []int{1, 2}, []int{3}, true)
	wantShared(t, a, b, "a struct", next(), score{"ann", []int{1}}, score{"bob", nil}, true)
	wantShared(t, a, b, "a plain struct", next(), struct{ A, B int }{1, 2}, struct{ A, B int }{3, 4}, true)
	wantShared(t, a, b, "one with a field of its own", next(), struct{ a int }{1}, struct{ a int }{2}, false)
	wantShared(t, a, b, "a time", next(), time.Unix(1000, 1).UTC(), time.Unix(2000, 0).UTC(), true)
	wantShared(t, a, b, "of a codec", next(), score{"ann", []int{1}}, score{"bob", nil}, true, append(shareable, gqlcache.WithCodec(jsonLines{}))...)
	wantShared(t, a, b, "immutable", next(), &score{"ann", nil}, &score{"bob", nil}, false, append(shareable, gqlcache.Immutable())...)
	wantShared(t, a, b, "for nothing", next(), 7, 8, true, gqlcache.ForAll(), gqlcache.Reads())
	wantShared(t, a, b, "for everything", next(), 7, 8, true, gqlcache.ForAll())
	wantShared(t, a, b, "of a tenant", gqlcache.KeyOf("tenants").Tenant("t"), 7, 8, true, gqlcache.Reads())

	key := next()
	computeAt(t, a, key, score{"ann", []int{1}})
	before := hits()
	if is, err := gqlcache.Exists(t.Context(), b.cache, key, gqlcache.ForAll()); !is || err != nil {
		t.Errorf("exists %v, %v", is, err)
	}
	for range 2 {
		if got, err := gqlcache.Get[score](t.Context(), b.cache, key, gqlcache.ForAll()); got.Name != "ann" || err != nil {
			t.Errorf("got %v, %v", got, err)
		}
	}
	if n := hits() - before; n != 1 {
		t.Errorf("%d are taken over, want 1", n)
	}
	key = next()
	computeAt(t, a, key, 1)
	all, err := gqlcache.ComputeAll(t.Context(), b.cache, []int{1, 2}, func(id int) gqlcache.Key {
		if id == 1 {
			return key
		}
		return gqlcache.KeyOf("shared").Arg("another", id)
	}, func(_ context.Context, missing []int) (map[int]int, error) {
		if fmt.Sprint(missing) != "[2]" {
			t.Errorf("asked for %v", missing)
		}
		return map[int]int{2: 2}, nil
	}, shareable...)
	if fmt.Sprint(all) != "map[1:1 2:2]" || err != nil {
		t.Errorf("got %v, %v", all, err)
	}
	wantAt(t, "one of several", a, gqlcache.KeyOf("shared").Arg("another", 2), 3, 2, false)
	if s := b.cache.Stats(); s.StoreErrors != 0 {
		t.Errorf("%+v", s)
	}
}

// wantShared computes a value on one instance, and looks whether another one finds it.
func wantShared[T any](t *testing.T, a, b *instance, what string, key gqlcache.Key, first, second T, shared bool, opts ...gqlcache.ComputeOption) {
	t.Helper()
	wantAt(t, what, a, key, first, first, true, opts...)
	want := second
	if shared {
		want = first
	}
	for range 2 {
		wantAt(t, what, b, key, second, want, !shared, opts...)
		shared = true // by itself
	}
}

// jsonLines is a codec with another form than encoding/json.
type jsonLines struct{ Suffix string }

func (jsonLines) Marshal(v any) ([]byte, error) {
	b, err := json.Marshal(v)
	return append(b, '\n'), err
}

func (jsonLines) Unmarshal(data []byte, v any) error {
	rest, ok := bytes.CutSuffix(data, []byte("\n"))
	if !ok {
		return errors.New("no line")
	}
	return json.Unmarshal(rest, v)
}

// TestComputedSharedProof: a value of another instance is not found once something that it
// depends on has changed anywhere since its function began, whoever has heard of it.
func TestComputedSharedProof(t *testing.T) {
	t.Parallel()
	key := gqlcache.KeyOf("proven")
	opts := []gqlcache.ComputeOption{gqlcache.ForAll(), gqlcache.Reads(gqlcache.Entity("User", testgraph.Ann), gqlcache.Tag("x"))}
	drop := func(m *instance, changes ...gqlcache.Change) {
		if err := m.cache.Invalidate(t.Context(), changes...); err != nil {
			t.Error(err)
		}
	}
	for _, row := range []struct {
		name   string
		change func(a, b *instance)
		shared bool
	}{
		{"nothing", func(_, _ *instance) {}, true},
		{"something else", func(a, _ *instance) { a.ask(renameBob) }, true},
		{"a mutation there", func(a, _ *instance) { a.ask(renameAnn) }, false},
		{"a mutation here", func(_, b *instance) { b.ask(renameAnn) }, false},
		{"a tag", func(a, _ *instance) { drop(a, gqlcache.Tag("x")) }, false},
		{"its name", func(_, b *instance) { drop(b, gqlcache.Computed("proven")) }, false},
		{"everything", func(a, _ *instance) { drop(a, gqlcache.Everything()) }, false},
		{"a change that nobody has heard of since", func(a, b *instance) {
			b.log.withhold()
			a.ask(renameAnn)
			b.log.lose()
			b.log.recover()
		}, false},
		{"removed there", func(a, _ *instance) {
			if existed, err := gqlcache.Delete(t.Context(), a.cache, key, gqlcache.ForAll()); !existed || err != nil {
				t.Errorf("existed %v, %v", existed, err)
			}
		}, false},
		{"removed here, where it is not kept", func(_, b *instance) {
			if existed, err := gqlcache.Delete(t.Context(), b.cache, key, gqlcache.ForAll()); !existed || err != nil {
				t.Errorf("existed %v, %v", existed, err)
			}
		}, false},
		{"another place in the store", func(a, _ *instance) {
			a.shared.edit(func(e *sharedEntry) { e.meta[1]++ }) // the epoch
		}, false},
		{"no lease", func(_, b *instance) { b.log.lose() }, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			r := newInstances(t, 2)
			a, b := r.two()
			computeAt(t, a, key, 1, opts...)
			row.change(a, b)
			want := 1
			if !row.shared {
				want = 2
			}
			wantAt(t, row.name, b, key, 2, want, !row.shared, opts...)
		})
	}
}

// TestComputedSharedStampIsOfTheBeginning: a value is shared with the place in the log that
// was reached when its function began: what changed meanwhile elsewhere reaches it, though
// its own instance has not heard.
func TestComputedSharedStampIsOfTheBeginning(t *testing.T) {
	t.Parallel()
	r := newInstances(t, 2)
	a, b := r.two()
	a.log.withhold()
	_, err := gqlcache.Compute(t.Context(), a.cache, gqlcache.KeyOf("old"), func(context.Context) (int, error) {
		return 1, b.cache.Invalidate(t.Context(), gqlcache.Tag("x"))
	}, shareable...)
	if err != nil {
		t.Error(err)
	}
	if r.sharedEntries.len() != 1 {
		t.Errorf("%d entries are shared", r.sharedEntries.len())
	}
	wantAt(t, "a change during the function", b, gqlcache.KeyOf("old"), 2, 2, true)

	// A record is applied here when the value is kept already.
	r = newInstances(t, 1)
	kept := newMapStore()
	b = r.all[0]
	a = r.add(func(_ *instance, o *gqlcache.Options) { o.Store = kept })
	kept.hook = func(ctx context.Context, call string) error {
		if call != "Put" {
			return nil
		}
		return b.cache.Invalidate(ctx, gqlcache.Tag("x"))
	}
	computeAt(t, a, gqlcache.KeyOf("old"), 1)
	if r.sharedEntries.len() != 1 {
		t.Errorf("%d entries are shared", r.sharedEntries.len())
	}
	wantAt(t, "a change when it was kept", b, gqlcache.KeyOf("old"), 2, 2, true)

	// A record is applied here after the request has arrived, and before the function reads.
	r = newInstances(t, 2)
	a, b = r.two()
	askedBy(t, a.cache, "", func(ctx context.Context) {
		if err := b.cache.Invalidate(ctx, gqlcache.Tag("x")); err != nil {
			t.Error(err)
		}
		_, err := gqlcache.Compute(ctx, a.cache, gqlcache.KeyOf("old"), func(context.Context) (int, error) { return 1, nil }, shareable...)
		if err != nil {
			t.Error(err)
		}
	})
	if n := r.sharedEntries.len(); n != 0 {
		t.Errorf("%d entries are shared of what a request may have read before a change", n)
	}
}

// askedBy calls f within a request of a viewer.
func askedBy(t *testing.T, c *gqlcache.Cache, viewer string, f func(ctx context.Context)) {
	t.Helper()
	req := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/rest", nil)
	h := c.Handler(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) { f(context.WithValue(req.Context(), whoKey{}, viewer)) }))
	h.ServeHTTP(httptest.NewRecorder(), req)
}

// TestComputedSharedHandsOn: what is made of a value that was taken over depends on all that
// the value depends on, expires with it, and is shared with that in turn.
func TestComputedSharedHandsOn(t *testing.T) {
	t.Parallel()
	inner, outer := gqlcache.KeyOf("inner"), gqlcache.KeyOf("outer")
	for name, get := range map[string]func(ctx context.Context, m *instance) error{
		"Compute": func(ctx context.Context, m *instance) error {
			_, err := gqlcache.Compute(ctx, m.cache, inner, func(context.Context) ([]int, error) { return nil, errors.New("it was not found") }, gqlcache.ForAll(), gqlcache.Reads())
			return err
		},
		"Get": func(ctx context.Context, m *instance) error {
			_, err := gqlcache.Get[[]int](ctx, m.cache, inner, gqlcache.ForAll())
			return err
		},
		"Exists": func(ctx context.Context, m *instance) error {
			_, err := gqlcache.Exists(ctx, m.cache, inner, gqlcache.ForAll())
			return err
		},
		"ComputeAll": func(ctx context.Context, m *instance) error {
			_, err := gqlcache.ComputeAll(ctx, m.cache, []int{1}, func(int) gqlcache.Key { return inner }, func(context.Context, []int) (map[int][]int, error) {
				return nil, errors.New("it was not found")
			}, gqlcache.ForAll(), gqlcache.Reads())
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newInstances(t, 3)
			a, b := r.two()
			c := r.all[2]
			computeAt(t, a, inner, []int{1}, gqlcache.ForAll(), gqlcache.Reads(gqlcache.Tag("x")), gqlcache.TTL(time.Minute))
			made := func(m *instance) (ran bool) {
				_, err := gqlcache.Compute(t.Context(), m.cache, outer, func(ctx context.Context) (int, error) {
					ran = true
					return 1, get(ctx, m)
				}, gqlcache.ForAll(), gqlcache.Reads(), gqlcache.TTL(time.Hour))
				if err != nil {
					t.Error(err)
				}
				return ran
			}
			if !made(b) || made(c) {
				t.Error("what was made of it is not computed once")
			}
			for _, m := range []*instance{b, c} {
				found := false
				for _, v := range m.cache.ComputedValues(10) {
					if v.Key == "outer" {
						if found = true; v.LeftMS > time.Minute.Milliseconds() {
							t.Errorf("what was made of it is kept for %d ms", v.LeftMS)
						}
					}
				}
				if !found {
					t.Errorf("what was made of it is not kept: %v", m.cache.ComputedValues(10))
				}
			}
			if err := a.cache.Invalidate(t.Context(), gqlcache.Tag("x")); err != nil {
				t.Error(err)
			}
			computeAt(t, a, inner, []int{1}, gqlcache.ForAll(), gqlcache.Reads(gqlcache.Tag("x")))
			if !made(c) {
				t.Error("what was made of it outlives a change of what it depends on")
			}
		})
	}
}

// TestComputedSharedCallers: a value is found elsewhere by those who share it, and by nobody
// else, and the store has no word of who they are.
func TestComputedSharedCallers(t *testing.T) {
	t.Parallel()
	r := newInstances(t, 2, func(_ *instance, o *gqlcache.Options) {
		o.Predicate = whosePredicate
		o.Vary = func(ctx context.Context) []string { return []string{"vary " + who(ctx)[:1]} }
	})
	a, b := r.two()
	key := gqlcache.KeyOf("secretname").Arg("secret argument", "secret value")
	ask := func(m *instance, viewer string, v int) (got int) {
		askedBy(t, m.cache, viewer, func(ctx context.Context) {
			var err error
			got, err = gqlcache.Compute(ctx, m.cache, key, func(context.Context) (int, error) { return v, nil }, gqlcache.Reads())
			if err != nil {
				t.Error(err)
			}
		})
		return got
	}
	ask(a, "ann", 1)
	for viewer, want := range map[string]int{"ann": 1, "bob": 2, "amy": 3} {
		if got := ask(b, viewer, want); got != want {
			t.Errorf("%s gets %d, want %d", viewer, got, want)
		}
	}
	wantAt(t, "a job", b, gqlcache.KeyOf("secretname").Arg("secret argument", "secret value"), 4, 4, true)
	r.sharedEntries.mu.Lock()
	defer r.sharedEntries.mu.Unlock()
	for k, e := range r.sharedEntries.entries {
		for _, word := range []string{"caller", "ann", "vary", "secret"} {
			if strings.Contains(k, word) || bytes.Contains(e.body, []byte(word)) || bytes.Contains(e.meta, []byte(word)) {
				t.Errorf("%q is in the shared store: %q", word, k)
			}
		}
	}
	if len(r.sharedEntries.entries) != 4 {
		t.Errorf("%d entries", len(r.sharedEntries.entries))
	}
}

// TestComputedSharedAbsence: that there is no value is found, too, and only what may end it
// does. Errors stay where they are.
func TestComputedSharedAbsence(t *testing.T) {
	t.Parallel()
	r := newInstances(t, 2)
	a, b := r.two()
	key := gqlcache.KeyOf("gone")
	fails := func(m *instance, err error, opts ...gqlcache.ComputeOption) (ran bool) {
		_, got := gqlcache.Compute(t.Context(), m.cache, key, func(context.Context) (score, error) { ran = true; return score{}, err }, append(opts, shareable...)...)
		if !errors.Is(got, err) {
			t.Errorf("got %v, want %v", got, err)
		}
		return ran
	}
	fails(a, gqlcache.ErrAbsent)
	if is, err := gqlcache.Exists(t.Context(), b.cache, key, gqlcache.ForAll()); is || err != nil {
		t.Errorf("exists %v, %v", is, err)
	}
	if fails(b, gqlcache.ErrAbsent) {
		t.Error("an absence is not found")
	}
	if _, err := gqlcache.Get[score](t.Context(), b.cache, key, gqlcache.ForAll()); !errors.Is(err, gqlcache.ErrAbsent) {
		t.Errorf("got %v", err)
	}
	if existed, err := gqlcache.Delete(t.Context(), b.cache, key, gqlcache.ForAll()); existed || err != nil {
		t.Errorf("existed %v, %v", existed, err)
	}
	fails(a, gqlcache.ErrAbsent)
	all, err := gqlcache.ComputeAll(t.Context(), b.cache, []int{1}, func(int) gqlcache.Key { return key }, func(context.Context, []int) (map[int]score, error) {
		t.Error("an absence is not found")
		return nil, nil
	}, shareable...)
	if len(all) != 0 || err != nil {
		t.Errorf("got %v, %v", all, err)
	}
	if err := a.cache.Invalidate(t.Context(), gqlcache.Tag("x")); err != nil {
		t.Error(err)
	}
	if !fails(b, errFailing, gqlcache.ErrorAge(time.Minute)) || !fails(a, errFailing, gqlcache.ErrorAge(time.Minute)) {
		t.Error("an error is shared")
	}
}

// TestComputedSharedPolicies: who refreshes asks no other instance, and what he gets takes
// the place of theirs; who must not compute finds what others have; who stores nothing finds
// nothing.
func TestComputedSharedPolicies(t *testing.T) {
	t.Parallel()
	r := newInstances(t, 3)
	a, b := r.two()
	c := r.all[2]
	key := gqlcache.KeyOf("policy")
	computeAt(t, a, key, 1)
	ask := func(m *instance, p gqlcache.Policy, v int) (int, error) {
		return gqlcache.Compute(gqlcache.WithPolicy(t.Context(), p), m.cache, key, func(context.Context) (int, error) { return v, nil }, shareable...)
	}
	several := func(m *instance, p gqlcache.Policy, ids ...int) (map[int]int, error) {
		return gqlcache.ComputeAll(gqlcache.WithPolicy(t.Context(), p), m.cache, ids, func(id int) gqlcache.Key {
			if id == 1 {
				return key
			}
			return gqlcache.KeyOf("policy").Arg("id", id)
		}, func(_ context.Context, missing []int) (map[int]int, error) { return map[int]int{missing[0]: 9}, nil }, shareable...)
	}
	if got, err := several(b, gqlcache.CacheOnly, 1); got[1] != 1 || err != nil {
		t.Errorf("only what is kept, several: %v, %v", got, err)
	}
	if got, err := several(c, gqlcache.CacheOnly, 1, 2); got[1] != 1 || !errors.Is(err, gqlcache.ErrMiss) {
		t.Errorf("only what is kept, one of two: %v, %v", got, err)
	}
	d := r.add()
	if got, err := ask(d, gqlcache.CacheOnly, 2); got != 1 || err != nil {
		t.Errorf("only what is kept: %d, %v", got, err)
	}
	d = r.add()
	if got, err := ask(d, gqlcache.NoStore, 2); got != 2 || err != nil {
		t.Errorf("nothing is stored: %d, %v", got, err)
	}
	if got, err := several(d, gqlcache.NoStore, 1); got[1] != 9 || err != nil {
		t.Errorf("nothing is stored, several: %v, %v", got, err)
	}
	if got, err := gqlcache.Get[int](gqlcache.WithPolicy(t.Context(), gqlcache.Refresh), d.cache, key, gqlcache.ForAll()); !errors.Is(err, gqlcache.ErrMiss) {
		t.Errorf("who refreshes gets %d, %v", got, err)
	}
	if is, err := gqlcache.Exists(gqlcache.WithPolicy(t.Context(), gqlcache.Refresh), d.cache, key, gqlcache.ForAll()); is || err != nil {
		t.Errorf("who refreshes finds %v, %v", is, err)
	}
	if got, err := ask(d, gqlcache.Refresh, 3); got != 3 || err != nil {
		t.Errorf("refreshed: %d, %v", got, err)
	}
	wantAt(t, "after a refresh", r.add(), key, 4, 3, false)
	if got, err := several(r.add(), gqlcache.Refresh, 1); got[1] != 9 || err != nil {
		t.Errorf("refreshed, several: %v, %v", got, err)
	}
	wantAt(t, "after a refresh of several", r.add(), key, 4, 9, false)
}

// TestComputedSharedHints: what a function says of its value counts for other instances,
// also when it is said late.
func TestComputedSharedHints(t *testing.T) {
	t.Parallel()
	r := newInstances(t, 2, func(_ *instance, o *gqlcache.Options) { o.Predicate = whosePredicate })
	a, b := r.two()
	key := gqlcache.KeyOf("said")
	ask := func(m *instance, viewer string, say func(context.Context) error, opts ...gqlcache.ComputeOption) (ran bool) {
		askedBy(t, m.cache, viewer, func(ctx context.Context) {
			_, err := gqlcache.Compute(ctx, m.cache, key, func(ctx context.Context) (int, error) { ran = true; return 1, say(ctx) }, append(opts, gqlcache.Reads(gqlcache.Tag("x")))...)
			if err != nil {
				t.Error(err)
			}
		})
		return ran
	}
	nothing := func(context.Context) error { return nil }
	for name, say := range map[string]func(context.Context) error{
		"DoNotStore":       gqlcache.DoNotStore,
		"Private, for all": gqlcache.Private,
		"MaxAge 0":         func(ctx context.Context) error { return gqlcache.MaxAge(ctx, 0) },
	} {
		opts := []gqlcache.ComputeOption{gqlcache.ForAll()}
		ask(a, "ann", say, opts...)
		if n := r.sharedEntries.len(); n != 0 {
			t.Errorf("%s: %d entries are shared", name, n)
		}
	}
	ask(a, "ann", gqlcache.Private)
	if ask(b, "ann", nothing) || !ask(b, "bob", nothing) {
		t.Error("what is private to ann is not found by her, or by bob")
	}

	var left context.Context
	ask(a, "ann", func(ctx context.Context) error { left = ctx; return nil }, gqlcache.ForAll())
	before := r.sharedEntries.len()
	if err := gqlcache.DoNotStore(left); !errors.Is(err, gqlcache.ErrLate) {
		t.Error(err)
	}
	if n := r.sharedEntries.len(); n != before-1 {
		t.Errorf("%d entries are shared after one was withdrawn of %d", n, before)
	}
	// Said while it is put.
	during := codecFunc(func() { _ = gqlcache.DoNotStore(left) })
	ask(a, "ann", func(ctx context.Context) error { left = ctx; return nil }, gqlcache.ForAll(), gqlcache.WithCodec(during))
	if n := r.sharedEntries.len(); n != before-1 {
		t.Errorf("%d entries are shared after one was refused, of %d", n, before-1)
	}
}

// TestComputedSharedForms: bytes are taken over only by who means the same by them, and
// broken ones by nobody. What is computed takes their place.
func TestComputedSharedForms(t *testing.T) {
	t.Parallel()
	key := gqlcache.KeyOf("form")
	type another struct {
		Name   string
		Points []int
		New    bool
	}
	codec := func(c gqlcache.Codec) []gqlcache.ComputeOption { return append(shareable[:2:2], gqlcache.WithCodec(c)) }
	edited := func(f func(body []byte) []byte) func(*testing.T, *instance) bool {
		return func(t *testing.T, b *instance) bool {
			t.Helper()
			b.shared.edit(func(e *sharedEntry) { e.body = f(bytes.Clone(e.body)) })
			_, ran := computeAt(t, b, key, score{"bob", []int{2}})
			return ran
		}
	}
	for name, ran := range map[string]func(*testing.T, *instance) bool{
		"a field more": func(t *testing.T, b *instance) bool {
			t.Helper()
			_, ran := computeAt(t, b, key, another{})
			return ran
		},
		"another name": func(t *testing.T, b *instance) bool {
			t.Helper()
			type points struct {
				Name   string
				Points []int
			}
			_, ran := computeAt(t, b, key, points{})
			return ran
		},
		"a codec": func(t *testing.T, b *instance) bool {
			t.Helper()
			_, ran := computeAt(t, b, key, score{}, codec(codecFunc(func() {}))...)
			return ran
		},
		"cut off":       edited(func(b []byte) []byte { return b[:len(b)-1] }),
		"nothing":       edited(func([]byte) []byte { return nil }),
		"only the head": edited(func(b []byte) []byte { return b[:22] }),
		"a bit":         edited(func(b []byte) []byte { b[len(b)-5] ^= 1; return b }),
		"a later layout": edited(func(b []byte) []byte {
			b[0]++
			return b
		}),
		"something else": edited(func([]byte) []byte { return []byte(`{"data":{"user":{"name":"Ann"}}}, and more of it`) }),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newInstances(t, 2)
			a, b := r.two()
			computeAt(t, a, key, score{"ann", []int{1}})
			if !ran(t, b) {
				t.Error("it was taken over")
			}
			if s := b.cache.Stats(); valueStats(b.cache, "form").Shared != 0 || s.SharedDead != 1 || s.SharedHits != 0 {
				t.Errorf("%d taken over, %d refused", valueStats(b.cache, "form").Shared, s.SharedDead)
			}
			if got, err := gqlcache.Get[[]byte](t.Context(), r.add().cache, key, gqlcache.ForAll()); !errors.Is(err, gqlcache.ErrMiss) {
				t.Errorf("another type gets %v, %v", got, err)
			}
		})
	}
	t.Run("settings of a codec", func(t *testing.T) {
		t.Parallel()
		r := newInstances(t, 2)
		a, b := r.two()
		computeAt(t, a, key, score{"ann", []int{1}}, codec(jsonLines{"a"})...)
		wantAt(t, "others", b, key, score{"bob", nil}, score{"bob", nil}, true, codec(jsonLines{"b"})...)
	})
	t.Run("builds", func(t *testing.T) {
		t.Parallel()
		r := newInstances(t, 0)
		a := r.add(func(_ *instance, o *gqlcache.Options) { o.Build = "1" })
		b := r.add(func(_ *instance, o *gqlcache.Options) { o.Build = "2" })
		computeAt(t, a, key, 1)
		wantAt(t, "another build", b, key, 2, 2, true)
	})
}

// TestComputedSharedStoreFails: whatever the store does, the function's value is returned,
// and the failure is counted.
func TestComputedSharedStoreFails(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(*instance){
		"fails":                   func(m *instance) { m.shared.fail = errors.New("down") },
		"panics":                  func(m *instance) { m.shared.found = func() { panic("no") } },
		"panics when it is asked": func(m *instance) { m.shared.sharedEntries = nil },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newInstances(t, 2)
			a, b := r.two()
			keys := func(id int) gqlcache.Key { return gqlcache.KeyOf("fails").Arg("id", id) }
			for id := range 4 {
				computeAt(t, a, keys(id), 1)
			}
			spoil(b)
			wantAt(t, name, b, keys(0), 2, 2, true)
			if got, err := gqlcache.Get[int](t.Context(), b.cache, keys(1), gqlcache.ForAll()); !errors.Is(err, gqlcache.ErrMiss) {
				t.Errorf("got %d, %v", got, err)
			}
			if is, err := gqlcache.Exists(t.Context(), b.cache, keys(1), gqlcache.ForAll()); is || err != nil {
				t.Errorf("exists %v, %v", is, err)
			}
			all, err := gqlcache.ComputeAll(t.Context(), b.cache, []int{1, 2}, keys, func(_ context.Context, missing []int) (map[int]int, error) {
				return map[int]int{1: len(missing), 2: len(missing)}, nil
			}, shareable...)
			if fmt.Sprint(all) != "map[1:2 2:2]" || err != nil {
				t.Errorf("got %v, %v", all, err)
			}
			if err := gqlcache.Put(t.Context(), b.cache, keys(3), 5, b.cache.Begin(t.Context()), shareable...); err != nil {
				t.Error(err)
			}
			if s := b.cache.Stats(); s.StoreErrors == 0 {
				t.Errorf("no failure is counted: %+v", s)
			}
		})
	}
}

// TestComputedSharedPut: what is put on one instance is found by the others, and by nobody
// what it has replaced. A change of what it depends on ends it everywhere.
func TestComputedSharedPut(t *testing.T) {
	t.Parallel()
	r := newInstances(t, 3)
	a, b := r.two()
	c := r.all[2]
	key := gqlcache.KeyOf("put")
	put := func(m *instance, token gqlcache.Token, v []int, opts ...gqlcache.ComputeOption) {
		t.Helper()
		if err := gqlcache.Put(t.Context(), m.cache, key, v, token, append(opts, shareable...)...); err != nil {
			t.Error(err)
		}
	}
	for i, m := range []*instance{a, b, a} {
		token := m.cache.Begin(t.Context())
		if i == 2 {
			put(b, b.cache.Begin(t.Context()), []int{-1}) // by another one meanwhile: this one's is the later one
		}
		put(m, token, []int{i})
		for _, other := range r.all {
			wantAt(t, fmt.Sprint("put ", i), other, key, []int{9}, []int{i}, false)
		}
	}
	put(c, c.cache.Begin(t.Context()), []int{5}, gqlcache.Immutable())
	wantAt(t, "by one that is not shared", a, key, []int{9}, []int{9}, true)
	put(a, a.cache.Begin(t.Context()), []int{6})
	if err := c.cache.Invalidate(t.Context(), gqlcache.Tag("x")); err != nil {
		t.Error(err)
	}
	wantAt(t, "after a change", b, key, []int{9}, []int{9}, true)

	// The log does not take it: nobody knows where in it the value is.
	before := r.sharedEntries.len()
	a.log.breakDown(errors.New("down"))
	if err := gqlcache.Put(t.Context(), a.cache, gqlcache.KeyOf("unsaid"), 1, a.cache.Begin(t.Context()), shareable...); err == nil {
		t.Error("no error of the log")
	}
	if n := r.sharedEntries.len(); n != before {
		t.Errorf("%d entries, before %d", n, before)
	}
}

// TestComputedSharedPutMeanwhile: a change between the token of what is put and its record
// keeps it from the others, also one that its instance hears of while it publishes.
func TestComputedSharedPutMeanwhile(t *testing.T) {
	t.Parallel()
	r := newInstances(t, 2)
	a, b := r.two()
	token := a.cache.Begin(t.Context())
	a.log.withhold()
	if err := b.cache.Invalidate(t.Context(), gqlcache.Tag("x")); err != nil {
		t.Error(err)
	}
	if err := gqlcache.Put(t.Context(), a.cache, gqlcache.KeyOf("put"), 1, token, shareable...); err != nil {
		t.Error(err)
	}
	wantAt(t, "put over a change", b, gqlcache.KeyOf("put"), 2, 2, true)
}

// TestComputedPutsMeet: while a Put waits for the other instances, one of them puts another
// value of the key, or removes it. Nobody gets the first one when both have returned.
func TestComputedPutsMeet(t *testing.T) {
	t.Parallel()
	for name, meanwhile := range map[string]func(m *instance, key gqlcache.Key) error{
		"put": func(m *instance, key gqlcache.Key) error {
			return gqlcache.Put(t.Context(), m.cache, key, 2, m.cache.Begin(t.Context()), shareable...)
		},
		"deleted": func(m *instance, key gqlcache.Key) error {
			_, err := gqlcache.Delete(t.Context(), m.cache, key, gqlcache.ForAll())
			return err
		},
		"alone": func(*instance, gqlcache.Key) error { return nil },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newInstances(t, 2)
			a, b := r.two()
			key := gqlcache.KeyOf("met")
			var met atomic.Bool
			r.fakeLog.carry = func(m *logMember) {
				m.deliver()
				if met.CompareAndSwap(false, true) {
					if err := meanwhile(b, key); err != nil {
						t.Error(err)
					}
				}
			}
			if err := gqlcache.Put(t.Context(), a.cache, key, 1, a.cache.Begin(t.Context()), shareable...); err != nil {
				t.Error(err)
			}
			want := map[string]int{"put": 2, "alone": 1}[name] // a miss is 0
			for i, m := range r.all {
				got, err := gqlcache.Get[int](t.Context(), m.cache, key, gqlcache.ForAll())
				if got != want || errors.Is(err, gqlcache.ErrMiss) != (want == 0) {
					t.Errorf("instance %d has %d, %v; want %d", i, got, err, want)
				}
			}
			if s := valueStats(a.cache, "met"); name == "alone" && s.Hits != 1 {
				t.Errorf("%+v", s)
			}
		})
	}
}

// TestComputedSharedStale: an expired value is not shared, a younger one of another instance
// takes its place, and where there is none it is returned as ever.
func TestComputedSharedStale(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	now := time.Now()
	r := newInstances(t, 2, func(_ *instance, o *gqlcache.Options) {
		o.Jitter = -1
		o.Now = func() time.Time { mu.Lock(); defer mu.Unlock(); return now }
	})
	pass := func(d time.Duration) { mu.Lock(); defer mu.Unlock(); now = now.Add(d) }
	a, b := r.two()
	key := gqlcache.KeyOf("stale")
	opts := append(shareable[:2:2], gqlcache.TTL(time.Minute), gqlcache.OnError(time.Hour))
	fails := func(m *instance) int {
		v, err := gqlcache.Compute(t.Context(), m.cache, key, func(context.Context) (int, error) { return 0, errFailing }, opts...)
		if err != nil {
			t.Error(err)
		}
		return v
	}
	wantAt(t, "first", a, key, 1, 1, true, opts...)
	wantAt(t, "first, elsewhere", b, key, 2, 1, false, opts...)
	pass(2 * time.Minute)
	if got := fails(a); got != 1 {
		t.Errorf("an expired value in place of an error is %d", got)
	}
	wantAt(t, "expired everywhere", a, key, 3, 3, true, opts...)
	wantAt(t, "a younger one of another instance", b, key, 4, 3, false, opts...)
	pass(2 * time.Minute)
	if got := fails(b); got != 3 {
		t.Errorf("an expired value that was taken over, in place of an error, is %d", got)
	}
	_, err := gqlcache.Get[int](t.Context(), r.add(func(_ *instance, o *gqlcache.Options) {
		o.Now = func() time.Time { mu.Lock(); defer mu.Unlock(); return now }
	}).cache, key, gqlcache.ForAll(), gqlcache.OnError(time.Hour))
	if !errors.Is(err, gqlcache.ErrMiss) {
		t.Errorf("an expired value is found: %v", err)
	}
}

// TestComputedSharedPromotion: of values that are taken over every n-th is kept, and with a
// store that keeps nothing each comes from the shared one.
func TestComputedSharedPromotion(t *testing.T) {
	t.Parallel()
	r := newInstances(t, 1)
	a, key := r.all[0], gqlcache.KeyOf("promoted")
	computeAt(t, a, key, []int{1})
	b := r.add(func(_ *instance, o *gqlcache.Options) { o.PromoteEvery = 3 })
	none := r.add(func(_ *instance, o *gqlcache.Options) { o.Store = discard.New() })
	for range 5 {
		wantAt(t, "every third", b, key, []int{2}, []int{1}, false)
		wantAt(t, "without memory", none, key, []int{2}, []int{1}, false)
	}
	if n, all := valueStats(b.cache, "promoted").Shared, valueStats(none.cache, "promoted").Shared; n != 3 || all != 5 {
		t.Errorf("%d and %d are taken over, want 3 and 5", n, all)
	}
	computeAt(t, none, gqlcache.KeyOf("computed"), 1)
	wantAt(t, "what was computed without memory", none, gqlcache.KeyOf("computed"), 2, 1, false)
}

// TestComputedSharedHold: what is computed in a request that may hold changes is for its own
// instance, as answers are.
func TestComputedSharedHold(t *testing.T) {
	t.Parallel()
	r := newInstances(t, 1)
	m := r.all[0]
	h := m.cache.HoldUntilCommit(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
		if _, err := gqlcache.Compute(req.Context(), m.cache, gqlcache.KeyOf("held"), func(context.Context) (int, error) { return 1, nil }, shareable...); err != nil {
			t.Error(err)
		}
	}))
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/rest", nil))
	if n := r.sharedEntries.len(); n != 0 {
		t.Errorf("%d entries are shared", n)
	}
}

// TestComputedSharedRemoval: what was removed is not left in the shared store either.
func TestComputedSharedRemoval(t *testing.T) {
	t.Parallel()
	r := newInstances(t, 2)
	a, b := r.two()
	computeAt(t, a, gqlcache.KeyOf("removed"), 1)
	if existed, err := gqlcache.Delete(t.Context(), b.cache, gqlcache.KeyOf("removed"), gqlcache.ForAll()); !existed || err != nil {
		t.Errorf("existed %v, %v", existed, err)
	}
	if n := r.sharedEntries.len(); n != 0 {
		t.Errorf("%d entries are left", n)
	}
	if existed, err := gqlcache.Delete(t.Context(), b.cache, gqlcache.KeyOf("removed"), gqlcache.ForAll()); existed || err != nil {
		t.Errorf("removed twice: existed %v, %v", existed, err)
	}
}

// undecoding is a codec that cannot decode what it has encoded, once that is said.
type undecoding struct {
	jsonLines

	no *bool
}

func (f undecoding) Unmarshal(data []byte, v any) error {
	if *f.no {
		panic("it cannot be decoded any more")
	}
	return f.jsonLines.Unmarshal(data, v)
}

// TestComputedSharedUndecodable: what cannot be decoded is neither kept nor given to anybody.
func TestComputedSharedUndecodable(t *testing.T) {
	t.Parallel()
	r := newInstances(t, 2)
	a, b := r.two()
	no := false
	opts := append(shareable[:2:2], gqlcache.WithCodec(undecoding{no: &no}))
	computeAt(t, a, gqlcache.KeyOf("undecodable"), score{"ann", []int{1}}, opts...)
	no = true
	if got, err := gqlcache.Get[score](t.Context(), b.cache, gqlcache.KeyOf("undecodable"), opts...); !errors.Is(err, gqlcache.ErrMiss) {
		t.Errorf("got %v, %v", got, err)
	}
	wantAt(t, "undecodable", b, gqlcache.KeyOf("undecodable"), score{"bob", []int{2}}, score{"bob", []int{2}}, true, opts...)
	if n := b.cache.Stats().Entries; n != 0 {
		t.Errorf("%d entries are kept", n)
	}
}

// TestComputedSharedWithinAnotherCache: what is computed within a computation of another cache
// may be older than any place in the log that is known here.
func TestComputedSharedWithinAnotherCache(t *testing.T) {
	t.Parallel()
	r, other := newInstances(t, 1), newValues(t, gqlcache.Options{})
	_, err := gqlcache.Compute(t.Context(), other.cache, gqlcache.KeyOf("outer"), func(ctx context.Context) (int, error) {
		return gqlcache.Compute(ctx, r.all[0].cache, gqlcache.KeyOf("inner"), func(context.Context) (int, error) { return 1, nil }, shareable...)
	}, gqlcache.ForAll())
	if err != nil {
		t.Error(err)
	}
	if n := r.sharedEntries.len(); n != 0 {
		t.Errorf("%d entries are shared", n)
	}
}
