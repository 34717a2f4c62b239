package e2e

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/store/memstore"
)

// sharing are two instances over one database, with handles of their own, that share what
// they compute.
func sharing(t *testing.T, change func(*gqlcache.Options)) (a, b *seam, shared *memstore.Store) {
	t.Helper()
	shared, err := memstore.New(memstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	path, log := filepath.Join(t.TempDir(), "shared.db"), &logOf{}
	with := func(o *gqlcache.Options) {
		o.Shared, o.Build = shared, "1"
		if change != nil {
			change(o)
		}
	}
	return instance(t, path, log, 0, with), instance(t, path, log, 0, with), shared
}

// An instance that finds a value of another one has sent no statement, and knows none of the
// sets of columns that the other one's compare. A commit reaches the value there all the same,
// what is made of it, and what a third one finds of that.
func TestSharedValuesOfStatements(t *testing.T) {
	a, b, _ := sharing(t, nil)
	inner := func(s *seam, ctx context.Context) (v []int, ran bool) {
		v, err := gqlcache.Compute(ctx, s.cache, gqlcache.KeyOf("inner"), func(ctx context.Context) ([]int, error) {
			ran = true
			return []int{1}, s.read(ctx, byID, "1")
		}, gqlcache.ForAll())
		if err != nil {
			t.Fatal(err)
		}
		return v, ran
	}
	outer := func(s *seam) (ran bool) {
		_, err := gqlcache.Compute(t.Context(), s.cache, gqlcache.KeyOf("outer"), func(ctx context.Context) (int, error) {
			ran = true
			_, _ = inner(s, ctx)
			return 1, nil
		}, gqlcache.ForAll())
		if err != nil {
			t.Fatal(err)
		}
		return ran
	}
	for range 2 { // a learns which columns its statement compares
		inner(a, t.Context())
		a.exec(t.Context(), rename, "1")
	}
	inner(a, t.Context())
	if _, ran := inner(b, t.Context()); ran {
		t.Fatal("it is not found")
	}
	if !outer(b) || outer(a) {
		t.Fatal("what is made of it is not found")
	}
	a.exec(t.Context(), rename, "1")
	if _, ran := inner(a, t.Context()); !ran { // and shares it
		t.Error("stale where it was computed")
	}
	if !outer(b) {
		t.Error("stale where the value was found")
	}
	b.exec(t.Context(), rename, "1")
	if !outer(a) {
		t.Error("stale where what is made of it was found")
	}
}

// A value whose key may be complete by coincidence is for requests with the credentials of its
// own, in this instance: in the shared store nobody can tell them apart. A job's is shared, as
// its owner says who has it.
func TestSharedValuesOfOneCaller(t *testing.T) {
	a, b, shared := sharing(t, func(o *gqlcache.Options) { o.Callers, o.Predicate = 0, allUsers })
	got := ""
	for _, s := range []*seam{a, b} {
		s.srv = authenticate(s, s.srv)
		s.store.On("Query.loose", func(ctx context.Context) (err error) {
			got, err = gqlcache.Compute(ctx, s.cache, gqlcache.KeyOf("board"), func(ctx context.Context) (string, error) {
				return userOf(ctx), s.read(ctx, looseNamed, userOf(ctx))
			}, gqlcache.ForAll())
			return err
		})
	}
	for range 2 {
		a.as("user-ann", first)
		a.exec(t.Context(), `UPDATE loose SET name = name || '!'`)
	}
	a.as("user-ann", first)
	if n := shared.Stats().Puts; n != 0 || got != "user-ann" {
		t.Errorf("%d entries are shared; got %q", n, got)
	}
	if b.as("user-bob", first); got != "user-bob" {
		t.Errorf("bob got the value of %q", got)
	}
	if _, err := gqlcache.Compute(t.Context(), a.cache, gqlcache.KeyOf("job"), func(ctx context.Context) (string, error) {
		return "all", a.read(ctx, byID, "1")
	}, gqlcache.ForAll()); err != nil {
		t.Fatal(err)
	}
	if v, err := gqlcache.Get[string](t.Context(), b.cache, gqlcache.KeyOf("job"), gqlcache.ForAll()); v != "all" || err != nil {
		t.Errorf("a job's value is not found: %q, %v", v, err)
	}
}
