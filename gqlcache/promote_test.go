package gqlcache_test

import (
	"testing"

	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/store/discard"
)

// TestPromoteEvery: every n-th answer that is taken over is kept in the process. The others
// are served all the same, and none of them outlives a change.
func TestPromoteEvery(t *testing.T) {
	t.Parallel()
	r := newInstances(t, 1)
	a := r.all[0]
	b := r.add(func(_ *instance, o *gqlcache.Options) { o.PromoteEvery = 3 })
	a.want("MISS", "Ann", readAnn)
	for range 3 {
		b.want("HIT shared", "Ann", readAnn)
	}
	b.want("HIT memory", "Ann", readAnn)
	if s := b.cache.Stats(); s.SharedHits != 3 || s.Entries != 1 || s.StoreErrors != 0 {
		t.Errorf("%+v", s)
	}
	a.want("INVALIDATED", "", renameAnn)
	b.want("MISS", "New", readAnn) // computed here, so it is kept
	b.want("HIT memory", "New", readAnn)
}

// TestWithoutMemory: over a store that keeps nothing the shared one answers, and a change
// reaches what is there.
func TestWithoutMemory(t *testing.T) {
	t.Parallel()
	r := newInstances(t, 2, func(_ *instance, o *gqlcache.Options) { o.Store = discard.New() })
	a, b := r.two()
	a.want("MISS", "Ann", readAnn)
	a.want("HIT shared", "Ann", readAnn)
	b.want("HIT shared", "Ann", readAnn)
	b.want("INVALIDATED", "", renameAnn)
	a.want("MISS", "New", readAnn)
	b.want("HIT shared", "New", readAnn)
}
