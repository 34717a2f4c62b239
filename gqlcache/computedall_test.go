package gqlcache_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/internal/testgraph"
)

// A many calls ComputeAll with ids that are numbers, and counts.
type many struct {
	*valuesRig
	mu    sync.Mutex
	asked [][]int     // the ids of each call of the function
	runs  map[int]int // how often an id was asked for
	opts  []gqlcache.ComputeOption
	// fn is called by the function, nil for nothing.
	fn func(ctx context.Context, missing []int) error
	// gone are ids that do not exist.
	gone []int
}

func newMany(t *testing.T, opts ...gqlcache.ComputeOption) *many {
	t.Helper()
	return &many{valuesRig: newValues(t, gqlcache.Options{Jitter: -1}), runs: map[int]int{}, opts: append(opts, gqlcache.ForAll())}
}

func itemKey(id int) gqlcache.Key { return gqlcache.KeyOf("item").Arg("id", id) }

func itemTag(id int) gqlcache.Change { return gqlcache.Tag(fmt.Sprint("item ", id)) }

func itemReads(id int) []gqlcache.Change { return []gqlcache.Change{itemTag(id)} }

func (m *many) all(ctx context.Context, ids ...int) (map[int]string, error) {
	return gqlcache.ComputeAll(ctx, m.cache, ids, itemKey, func(ctx context.Context, missing []int) (map[int]string, error) {
		m.mu.Lock()
		m.asked = append(m.asked, missing)
		for _, id := range missing {
			m.runs[id]++
		}
		m.mu.Unlock()
		if m.fn != nil {
			if err := m.fn(ctx, missing); err != nil {
				return nil, err
			}
		}
		got := map[int]string{-1: "nobody has asked for it"}
		for _, id := range missing {
			if !slices.Contains(m.gone, id) {
				got[id] = fmt.Sprint("item ", id)
			}
		}
		return got, nil
	}, m.opts...)
}

// want fails unless the items come, and the function was called with the missing ones.
func (m *many) want(ids []int, calls ...[]int) {
	m.t.Helper()
	m.asked = nil
	got, err := m.all(m.t.Context(), ids...)
	if err != nil {
		m.t.Error(err)
	}
	want := map[int]string{}
	for _, id := range ids {
		if !slices.Contains(m.gone, id) {
			want[id] = fmt.Sprint("item ", id)
		}
	}
	if !maps.Equal(got, want) {
		m.t.Errorf("got %v", got)
	}
	if !slices.EqualFunc(m.asked, calls, slices.Equal) {
		m.t.Errorf("of %v it was asked for %v, want %v", ids, m.asked, calls)
	}
}

// TestComputeAll: one call computes what is missing, and each value is kept by itself.
func TestComputeAll(t *testing.T) {
	t.Parallel()
	m := newMany(t, gqlcache.ReadsOf(itemReads), gqlcache.Reads(gqlcache.Tag("items")))
	ctx := t.Context()
	m.want([]int{1, 2, 1, 3}, []int{1, 2, 3})
	m.want([]int{3, 4, 2, 5}, []int{4, 5})
	m.want([]int{1, 2, 3, 4, 5})
	m.want(nil)
	if v, err := gqlcache.Get[string](ctx, m.cache, itemKey(2), gqlcache.ForAll()); v != "item 2" || err != nil {
		t.Errorf("Get: %q, %v", v, err)
	}
	m.invalidate(itemTag(2)) // one of those that were computed together
	m.want([]int{1, 2, 3}, []int{2})
	m.invalidate(gqlcache.Tag("items"))
	m.want([]int{1, 2}, []int{1, 2})
	if existed, err := gqlcache.Delete(ctx, m.cache, itemKey(1), gqlcache.ForAll()); !existed || err != nil {
		t.Error(existed, err)
	}
	m.want([]int{1, 2}, []int{1})
	m.invalidate(gqlcache.Computed("item"))
	m.want([]int{1, 2}, []int{1, 2})
	if s := valueStats(m.cache, "item"); s.Misses != 11 || s.Fills != 6 || s.Hits != 11 {
		t.Errorf("%+v", s)
	}
	// What is read while they are computed counts for all of them.
	m = newMany(t, gqlcache.Reads())
	m.fn = func(ctx context.Context, missing []int) error { return gqlcache.Read(ctx, itemTag(missing[0])) }
	m.want([]int{1, 2, 3}, []int{1, 2, 3})
	m.invalidate(itemTag(2))
	m.want([]int{1, 2, 3})
	m.invalidate(itemTag(1))
	m.want([]int{1, 2, 3}, []int{1, 2, 3})
	// A value that may be changed is the caller's own.
	for range 3 {
		got, err := gqlcache.ComputeAll(ctx, m.cache, []int{1, 2}, func(id int) gqlcache.Key { return gqlcache.KeyOf("lists").Arg("id", id) },
			func(_ context.Context, missing []int) (map[int][]int, error) {
				list := []int{1} // one for all
				return map[int][]int{missing[0]: list, missing[1]: list}, nil
			}, gqlcache.ForAll(), gqlcache.Reads())
		if err != nil || got[1][0] != 1 || got[2][0] != 1 {
			t.Error(got, err)
		}
		got[1][0] = 9
	}
}

// TestComputeAllAbsence: what the function leaves out does not exist, if it has looked, has
// not failed, and was not cut short.
func TestComputeAllAbsence(t *testing.T) {
	t.Parallel()
	m := newMany(t, gqlcache.ReadsOf(itemReads))
	m.gone = []int{2, 3}
	m.want([]int{1, 2, 3}, []int{1, 2, 3})
	m.want([]int{3, 2, 1})
	if _, err := gqlcache.Get[string](t.Context(), m.cache, itemKey(2), gqlcache.ForAll()); !errors.Is(err, gqlcache.ErrAbsent) {
		t.Errorf("Get: %v", err)
	}
	m.gone = []int{3}
	m.invalidate(itemTag(2))
	m.want([]int{1, 2, 3}, []int{2})
	// The function says that none of them exists.
	m.fn = func(context.Context, []int) error { return gqlcache.ErrAbsent }
	m.gone = []int{3, 7, 8}
	m.want([]int{1, 7, 8}, []int{7, 8})
	m.want([]int{1, 7, 8})
	// It fails.
	m.fn = func(context.Context, []int) error { return errors.Join(gqlcache.ErrAbsent, errFailing) }
	if got, err := m.all(t.Context(), 1, 9); !errors.Is(err, errFailing) || got[1] != "item 1" || len(got) != 1 {
		t.Errorf("got %v, %v", got, err)
	}
	// Its context ends.
	ctx, cancel := context.WithCancel(t.Context())
	m.gone = []int{9}
	m.fn = func(context.Context, []int) error { cancel(); return nil }
	if got, err := m.all(ctx, 9, 10); err != nil || len(got) != 1 {
		t.Errorf("got %v, %v", got, err)
	}
	m.fn, m.gone = nil, nil
	m.want([]int{9, 10}, []int{9, 10})
	// It has looked at nothing.
	m = newMany(t, gqlcache.Reads())
	m.gone = []int{2}
	m.want([]int{1, 2}, []int{1, 2})
	m.want([]int{1, 2}, []int{2})
}

// TestComputeAllSharing: concurrent callers with sets that overlap compute each id once, in
// whatever order they ask.
func TestComputeAllSharing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMany(t, gqlcache.Reads())
		slow := func(ctx context.Context, _ []int) error {
			select {
			case <-time.After(100 * time.Millisecond):
			case <-ctx.Done():
			}
			return nil
		}
		m.fn = slow
		var all sync.WaitGroup
		ask := func(ctx context.Context, ids ...int) {
			all.Go(func() {
				if got, err := m.all(ctx, ids...); err != nil || len(got) != len(ids) {
					t.Errorf("%v: %v, %v", ids, got, err)
				}
			})
		}
		once := func(what string) {
			t.Helper()
			start := time.Now()
			all.Wait()
			if took := time.Since(start); took > 250*time.Millisecond {
				t.Errorf("%s: took %v", what, took)
			}
			for id, n := range m.runs {
				if n != 1 {
					t.Errorf("%s: %d was computed %d times", what, id, n)
				}
			}
			clear(m.runs)
			m.invalidate(gqlcache.Everything())
			time.Sleep(time.Minute)
		}
		ask(t.Context(), 1, 2)
		ask(t.Context(), 2, 1)
		once("two")
		for range 500 {
			ask(t.Context(), rand.Perm(40)...)
		}
		once("many")
		for i := range 40 {
			ask(t.Context(), i, (i+1)%40)
		}
		once("a ring")
		// Compute of one of them, before and after.
		single := func(id int) {
			all.Go(func() {
				v, err := gqlcache.Compute(t.Context(), m.cache, itemKey(id), func(context.Context) (string, error) {
					time.Sleep(100 * time.Millisecond)
					m.mu.Lock()
					defer m.mu.Unlock()
					m.runs[id]++
					return fmt.Sprint("item ", id), nil
				}, m.opts...)
				if err != nil || v != fmt.Sprint("item ", id) {
					t.Errorf("%v, %v", v, err)
				}
			})
		}
		single(1)
		synctest.Wait()
		ask(t.Context(), 1, 2)
		synctest.Wait()
		single(2)
		once("with single ones")

		// The one who computes leaves: the other computes all that is missing in one call.
		leader, leave := context.WithCancel(t.Context())
		ask(leader, 1, 2, 3)
		synctest.Wait()
		m.asked = nil
		ask(t.Context(), 3, 2, 1, 4)
		synctest.Wait()
		leave()
		all.Wait()
		slices.Sort(m.asked[len(m.asked)-1])
		if !slices.EqualFunc(m.asked, [][]int{{4}, {1, 2, 3}}, slices.Equal) {
			t.Errorf("after who left: %v", m.asked)
		}
		m.invalidate(gqlcache.Everything())

		// It fails, or panics.
		for _, fail := range []func() error{func() error { return errFailing }, func() error { panic("no") }} {
			m.fn = func(context.Context, []int) error { time.Sleep(100 * time.Millisecond); return fail() }
			all.Go(func() {
				defer func() { _ = recover() }()
				if _, err := m.all(t.Context(), 1, 2); !errors.Is(err, errFailing) {
					t.Error(err)
				}
			})
			synctest.Wait()
			m.fn = slow
			ask(t.Context(), 2, 1)
			all.Wait()
			m.invalidate(gqlcache.Everything())
			time.Sleep(time.Minute)
		}
	})
}

// TestComputeAllWithin: within a computation nobody waits, and what is around depends on all
// of the values.
func TestComputeAllWithin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMany(t, gqlcache.ReadsOf(itemReads))
		outer := func(name string, ids ...int) (ran bool) {
			_, err := gqlcache.Compute(t.Context(), m.cache, gqlcache.KeyOf(name), func(ctx context.Context) (int, error) {
				ran = true
				time.Sleep(100 * time.Millisecond)
				got, err := m.all(ctx, ids...)
				return len(got), err
			}, gqlcache.ForAll(), gqlcache.Reads())
			if err != nil {
				t.Error(err)
			}
			return ran
		}
		type within struct{}
		m.fn = func(ctx context.Context, missing []int) error {
			time.Sleep(100 * time.Millisecond)
			if ctx.Value(within{}) != nil {
				return nil
			}
			_, err := m.all(context.WithValue(ctx, within{}, true), 3-missing[0]) // the other one
			return err
		}
		start := time.Now()
		var all sync.WaitGroup
		for _, id := range []int{1, 2} {
			all.Go(func() {
				if _, err := m.all(t.Context(), id); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if took := time.Since(start); took > 400*time.Millisecond {
			t.Errorf("took %v", took)
		}
		m.fn = nil
		for _, row := range []struct {
			drop gqlcache.Change
			ran  bool
		}{{itemTag(2), true}, {itemTag(3), true}, {itemTag(1), false}, {gqlcache.Computed("item"), true}} {
			outer("c", 2, 3)
			m.invalidate(row.drop)
			if outer("c", 2, 3) != row.ran {
				t.Errorf("%v: want %v", row.drop, row.ran)
			}
		}
		// A Put of one of them.
		if err := gqlcache.Put(t.Context(), m.cache, itemKey(2), "x", m.cache.Begin(t.Context()), gqlcache.ForAll()); err != nil {
			t.Error(err)
		}
		if !outer("c", 2, 3) {
			t.Error("a Put reaches nobody")
		}
	})
}

// TestComputeAllLate: what is said late removes all that was kept, and a mutation keeps
// nothing.
func TestComputeAllLate(t *testing.T) {
	t.Parallel()
	m := newMany(t, gqlcache.Reads())
	var kept context.Context
	m.fn = func(ctx context.Context, _ []int) error { kept = ctx; return nil }
	m.want([]int{1, 2}, []int{1, 2})
	if err := gqlcache.Read(kept, itemTag(1)); !errors.Is(err, gqlcache.ErrLate) {
		t.Error(err)
	}
	m.want([]int{1, 2}, []int{1, 2})
	m.fn = func(ctx context.Context, _ []int) error { return gqlcache.DoNotStore(ctx) }
	m.want([]int{3, 4}, []int{3, 4})
	m.want([]int{3, 4}, []int{3, 4})
	m.fn = nil
	m.store.On("Mutation.renameUser", func(ctx context.Context) error {
		if got, err := m.all(ctx, 1, 5); len(got) != 2 || err != nil {
			t.Error(got, err)
		}
		return nil
	})
	m.do(testgraph.Request{Query: expand(`mutation { renameUser(id: $Bob, name: "x") }`)})
	m.want([]int{1, 5}, []int{5})
	// One is deleted while they are computed.
	m.fn = func(context.Context, []int) error {
		_, err := gqlcache.Delete(t.Context(), m.cache, itemKey(8), gqlcache.ForAll())
		return err
	}
	m.want([]int{8, 9}, []int{8, 9})
	m.fn = nil
	m.want([]int{8, 9}, []int{8})
	// A change while they are computed.
	m.fn = func(ctx context.Context, _ []int) error {
		if err := gqlcache.Read(ctx, itemTag(6)); err != nil {
			return err
		}
		return m.cache.Invalidate(ctx, itemTag(6))
	}
	m.want([]int{6, 7}, []int{6, 7})
	m.fn = nil
	m.want([]int{6, 7}, []int{6, 7})
}

// TestComputeAllCallers: within a request the values are the caller's.
func TestComputeAllCallers(t *testing.T) {
	t.Parallel()
	m := newMany(t)
	m.opts = []gqlcache.ComputeOption{gqlcache.Reads()}
	for _, viewer := range []string{"ann", "bob", "ann", "bob"} {
		m.within(viewer, func(ctx context.Context) {
			if got, err := m.all(ctx, 1, 2); len(got) != 2 || err != nil {
				t.Error(got, err)
			}
		})
	}
	if len(m.asked) != 2 {
		t.Errorf("asked for %v", m.asked)
	}
	if _, err := m.all(t.Context(), 1); !errors.Is(err, gqlcache.ErrCallers) {
		t.Error(err)
	}
}

// TestComputeAllBadCalls: what is wrong with a call is an error, and nothing is computed.
func TestComputeAllBadCalls(t *testing.T) {
	t.Parallel()
	r := newValues(t, gqlcache.Options{})
	reads := gqlcache.Reads()
	for _, row := range []struct {
		name  string
		keyOf func(id int) gqlcache.Key
		opts  []gqlcache.ComputeOption
		want  error
	}{
		{"no key", nil, nil, gqlcache.ErrKey},
		{"one key", func(int) gqlcache.Key { return gqlcache.KeyOf("x") }, []gqlcache.ComputeOption{reads}, gqlcache.ErrKey},
		{"two names", func(id int) gqlcache.Key { return gqlcache.KeyOf(fmt.Sprint("x", id)) }, []gqlcache.ComputeOption{reads}, gqlcache.ErrKey},
		{"two tenants", func(id int) gqlcache.Key { return gqlcache.KeyOf("x").Tenant(fmt.Sprint(id)).Arg("id", id) }, []gqlcache.ComputeOption{reads}, gqlcache.ErrKey},
		{"an invalid key", func(id int) gqlcache.Key { return gqlcache.KeyOf("x").Arg("id", struct{ int }{id}) }, []gqlcache.ComputeOption{reads}, gqlcache.ErrKey},
		{"a later invalid key", func(id int) gqlcache.Key {
			if id == 1 {
				return gqlcache.KeyOf("x").Arg("id", 1)
			}
			return gqlcache.KeyOf("x").Arg("id", struct{ int }{id})
		}, []gqlcache.ComputeOption{reads}, gqlcache.ErrKey},
		{"ReadsOf of other ids", itemKey, []gqlcache.ComputeOption{gqlcache.ReadsOf(func(string) []gqlcache.Change { return nil })}, gqlcache.ErrKey},
		{"ReadsOf without a function", itemKey, []gqlcache.ComputeOption{gqlcache.ReadsOf[int](nil)}, gqlcache.ErrKey},
		{"an unknown view", itemKey, []gqlcache.ComputeOption{gqlcache.ReadsOf(func(int) []gqlcache.Change { return []gqlcache.Change{gqlcache.View("nope")} })}, gqlcache.ErrUnknownName},
		{"an unknown view for all", itemKey, []gqlcache.ComputeOption{gqlcache.Reads(gqlcache.View("nope"))}, gqlcache.ErrUnknownName},
	} {
		ran := false
		_, err := gqlcache.ComputeAll(t.Context(), r.cache, []int{1, 2}, row.keyOf, func(context.Context, []int) (map[int]int, error) {
			ran = true
			return nil, nil
		}, append(row.opts, gqlcache.ForAll())...)
		if !errors.Is(err, row.want) || ran {
			t.Errorf("%s: %v, ran %v", row.name, err, ran)
		}
	}
	if _, err := gqlcache.ComputeAll[int, int](t.Context(), r.cache, []int{1}, itemKey, nil, gqlcache.ForAll()); !errors.Is(err, gqlcache.ErrKey) {
		t.Error(err)
	}
	if err := callOf[int](gqlcache.KeyOf("x"), gqlcache.ForAll(), gqlcache.ReadsOf(itemReads))(t.Context(), r.cache, new(bool)); !errors.Is(err, gqlcache.ErrKey) {
		t.Error(err)
	}
	_, err := gqlcache.ComputeAll(t.Context(), r.cache, []int{1}, itemKey, func(context.Context, []int) (map[int]func(), error) { return nil, nil }, gqlcache.ForAll(), reads)
	if !errors.Is(err, gqlcache.ErrCodec) {
		t.Error(err)
	}
}
