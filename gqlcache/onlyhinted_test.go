package gqlcache_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cascadeql/cascadeql/gqlcache"
)

// TestOnlyHinted: only what has an age is kept: of the whole schema's making, or of a
// resolver's.
func TestOnlyHinted(t *testing.T) {
	t.Parallel()
	r := newRig(t, "policies", gqlcache.Options{OnlyHinted: true})
	r.run("policies", []string{
		`MISS: {banner(id:"b1"){text}}`, `HIT: {banner(id:"b1"){text}}`,
		`MISS no_age: {users{name}}`, `MISS no_age: {users{name}}`,
		`MISS no_age: {banner(id:"b1"){text} users{name}}`, `MISS no_age: {banner(id:"b1"){text} users{name}}`,
		`MISS no_age: {userCount}`,
	})
	for _, store := range []interface {
		On(name string, f func(context.Context) error)
	}{r.store, r.twin} {
		store.On("Query.userCount", func(ctx context.Context) error {
			if err := gqlcache.MaxAge(ctx, time.Minute); !errors.Is(err, gqlcache.ErrNoOperation) {
				return err // the server without the cache knows of none
			}
			return nil
		})
	}
	r.run("policies", []string{`MISS: {userCount}`, `HIT: {userCount}`})
}

// TestOnlyHintedSharing: what is not kept is shared by those who ask at the same time.
func TestOnlyHintedSharing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, "annotated", gqlcache.Options{OnlyHinted: true})
		latch := r.store.BlockHard("Query.userNames")
		first, second := r.start(t.Context(), askNames), r.start(t.Context(), askNames)
		synctest.Wait()
		latch.Release()
		if a, b := first.wait(t), second.wait(t); a.Body != names || b.Body != names || r.store.Calls("Query.userNames") != 1 {
			t.Errorf("%s, %s, computed %d times", a.Body, b.Body, r.store.Calls("Query.userNames"))
		}
	})
}

// TestOnlyHintedValues: a value needs an age of its own.
func TestOnlyHintedValues(t *testing.T) {
	t.Parallel()
	cache := newValues(t, gqlcache.Options{OnlyHinted: true}).cache
	calls := 0
	compute := func(name string, age time.Duration, opts ...gqlcache.ComputeOption) {
		t.Helper()
		_, err := gqlcache.Compute(t.Context(), cache, gqlcache.KeyOf(name), func(ctx context.Context) (int, error) {
			calls++
			if age > 0 {
				return calls, gqlcache.MaxAge(ctx, age)
			}
			return calls, nil
		}, append(opts, gqlcache.ForAll(), gqlcache.Reads())...)
		if err != nil {
			t.Error(err)
		}
	}
	for range 2 {
		compute("none", 0)
	}
	if calls != 2 {
		t.Errorf("%d calls, want 2: it has no age", calls)
	}
	for range 2 {
		compute("said", time.Minute)
		compute("option", 0, gqlcache.TTL(time.Minute))
	}
	if calls != 4 {
		t.Errorf("%d calls, want 4: two more values, each kept", calls)
	}
	for ttl, want := range map[time.Duration]bool{0: false, time.Minute: true} {
		opts := []gqlcache.ComputeOption{gqlcache.ForAll(), gqlcache.Reads()}
		if ttl > 0 {
			opts = append(opts, gqlcache.TTL(ttl))
		}
		key := gqlcache.KeyOf("put").Arg("ttl", int64(ttl))
		if err := gqlcache.Put(t.Context(), cache, key, 1, cache.Begin(t.Context()), opts...); err != nil {
			t.Error(err)
		}
		if ok, err := gqlcache.Exists(t.Context(), cache, key, gqlcache.ForAll()); ok != want || err != nil {
			t.Errorf("put with %v: %v, %v", ttl, ok, err)
		}
	}
}
