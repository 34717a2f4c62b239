package discard_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/store"
	"github.com/cascadeql/cascadeql/gqlcache/store/discard"
)

// TestKeepsNothing: whatever is put is a miss, and no call is a failure until the store is
// closed.
func TestKeepsNothing(t *testing.T) {
	t.Parallel()
	s, ctx, key := discard.New(), t.Context(), []byte("key")
	e := &store.Entry{Body: []byte("body"), Version: 1, Size: 9}
	calls := map[string]func() error{
		"Put":         func() error { return s.Put(ctx, key, e) },
		"Delete":      func() error { return s.Delete(ctx, key) },
		"DeleteEntry": func() error { return s.DeleteEntry(ctx, key, e) },
		"Clear":       func() error { return s.Clear(ctx) },
	}
	for name, call := range calls {
		if err := call(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if got, err := s.Get(ctx, key); got != nil || !errors.Is(err, store.ErrMiss) {
			t.Errorf("after %s there is %+v, %v", name, got, err)
		}
		for range s.All(ctx) {
			t.Errorf("after %s something is held", name)
		}
	}
	if got := s.Stats(); got != (store.Stats{Misses: 4}) {
		t.Errorf("figures %+v", got)
	}
	for range 2 {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	for name, call := range calls {
		if err := call(); !errors.Is(err, store.ErrClosed) {
			t.Errorf("%s of a closed store: %v", name, err)
		}
	}
	if _, err := s.Get(ctx, key); !errors.Is(err, store.ErrClosed) {
		t.Errorf("Get of a closed store: %v", err)
	}
}

// A cache without memory of its own.
func ExampleNew() {
	cache, err := gqlcache.New(gqlcache.Options{Callers: gqlcache.AllSeeTheSame, Store: discard.New()})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = cache.Close() }()
	fmt.Println(cache.Stats().Entries)
	// Output: 0
}
