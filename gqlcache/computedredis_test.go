package gqlcache_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/changelog"
)

// TestComputedPutOverRedis: once Put has returned, no instance gives an older value of the
// key, nor what was made of one, whatever its own cache had, was computing or had looked for
// in vain.
func TestComputedPutOverRedis(t *testing.T) {
	t.Parallel()
	r := newRedisRig(t)
	for range 2 {
		r.add(nodeSpec{level: changelog.Strong, ttl: patientLease, readTimeout: 10 * time.Second, change: func(o *gqlcache.Options) {
			o.MaxEntryBytes = 4096
		}})
	}
	r.untilFresh()
	key, all, reads := gqlcache.KeyOf("rate"), gqlcache.ForAll(), gqlcache.Reads()
	// flush waits until the store has what the instances have queued for it. What one of
	// them has queued would else take the place of what the other one puts.
	flush := func() {
		t.Helper()
		for _, n := range r.nodes {
			if err := n.shared.Flush(t.Context()); err != nil {
				t.Error(err)
			}
		}
	}
	put := func(n int, v string) {
		t.Helper()
		flush()
		c := r.nodes[n].cache
		if err := gqlcache.Put(t.Context(), c, key, v, c.Begin(t.Context()), all, reads); err != nil {
			t.Error(err)
		}
	}
	get := func(ctx context.Context, n int) string {
		v, err := gqlcache.Get[string](ctx, r.nodes[n].cache, key, all)
		if err != nil && !errors.Is(err, gqlcache.ErrMiss) {
			t.Error(err)
		}
		return v
	}
	compute := func(n int, key gqlcache.Key, fn func(ctx context.Context) string) string {
		t.Helper()
		v, err := gqlcache.Compute(t.Context(), r.nodes[n].cache, key, func(ctx context.Context) (string, error) { return fn(ctx), nil }, all, reads)
		if err != nil {
			t.Error(err)
		}
		return v
	}
	is := func(v string) func(context.Context) string { return func(context.Context) string { return v } }
	made := func(n int) string {
		return compute(n, gqlcache.KeyOf("made of it"), func(ctx context.Context) string { return "made of " + get(ctx, n) })
	}
	// want looks for a value where it was put, and elsewhere for that value or none.
	want := func(what, v string, at int) {
		t.Helper()
		if got := get(t.Context(), at); got != v {
			t.Errorf("%s: %q where %q was put", what, got, v)
		}
		flush()
		if got := get(t.Context(), 1-at); got != v {
			t.Errorf("%s: the other instance has %q, want %q", what, got, v)
		}
		for n := range 2 {
			if got := made(n); got != "made of "+get(t.Context(), n) {
				t.Errorf("%s: instance %d has what was %s", what, n, got)
			}
		}
	}

	want("nothing was put", "", 0)
	put(0, "first")
	want("after an absence", "first", 0)
	put(1, "second")
	want("after a value that was put", "second", 1)
	put(1, "third")
	want("again", "third", 1)
	if got := compute(0, key, is("computed")); got != "third" {
		t.Errorf("got %q", got)
	}
	drop := func() {
		if _, err := gqlcache.Delete(t.Context(), r.nodes[0].cache, key, all); err != nil {
			t.Error(err)
		}
	}
	drop()
	if got := compute(0, key, is("computed")); got != "computed" {
		t.Errorf("got %q", got)
	}
	put(1, "fourth")
	want("after a value that was computed", "fourth", 1)
	drop()
	compute(0, key, func(context.Context) string {
		put(1, "fifth") // by somebody who has seen a newer state
		return "older"
	})
	want("while a value was computed", "fifth", 1)
	token := r.nodes[0].cache.Begin(t.Context())
	put(1, "sixth")
	flush()
	if err := gqlcache.Put(t.Context(), r.nodes[0].cache, key, "seventh", token, all, reads); err != nil {
		t.Error(err)
	}
	want("with a token of before another one", "seventh", 0)
	put(1, strings.Repeat("too large", 1000))
	want("by a value that is too large to be kept", "", 1)
	put(0, "eighth")
	flush()
	if existed, err := gqlcache.Delete(t.Context(), r.nodes[1].cache, key, all); !existed || err != nil {
		t.Errorf("deleted where it is not kept: %v, %v", existed, err)
	}
	want("after it was deleted elsewhere", "", 0)
}
