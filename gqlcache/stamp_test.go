package gqlcache_test

import (
	"context"
	"testing"

	"github.com/cascadeql/cascadeql/gqlcache"
)

// TestSharedStampIsOfTheBeginning: what a shared entry says that it is based on is what
// was applied before its computation began. A change that is applied later, at whatever
// point, voids it for others.
func TestSharedStampIsOfTheBeginning(t *testing.T) {
	t.Parallel()
	t.Run("change before the entry is shared", func(t *testing.T) {
		t.Parallel()
		local := newMapStore()
		r := newInstances(t, 2)
		a := r.all[0]
		late := r.add(func(_ *instance, o *gqlcache.Options) { o.Store = local })
		changed := false
		local.hook = func(_ context.Context, call string) error {
			if call == "Put" && !changed {
				changed = true
				a.want("INVALIDATED", "", renameAnn)
			}
			return nil
		}
		late.want("MISS", "Ann", readAnn) // it began before the change
		r.all[1].want("MISS", "New", readAnn)
	})
	t.Run("change during the computation", func(t *testing.T) {
		t.Parallel()
		r := newInstances(t, 2)
		a, b := r.two()
		latch := r.rows.Block("Query.user:done")
		read := b.begin(readAnn)
		receive(t, latch.Reached, "the computation")
		a.want("INVALIDATED", "", setCounter)
		position := a.log.Applied()
		latch.Release()
		read.wait(t)
		late := 0
		r.sharedEntries.edit(func(e *sharedEntry) {
			if e.version >= position.Number {
				late++
			}
		})
		if late > 0 || r.sharedEntries.len() != 1 {
			t.Errorf("%d of %d entries claim to be based on a change that came after their beginning", late, r.sharedEntries.len())
		}
	})
}
