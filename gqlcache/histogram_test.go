package gqlcache_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/cascadeql/cascadeql/gqlcache"
)

func sum(counts []uint64) (n uint64) {
	for _, c := range counts {
		n += c
	}
	return n
}

// TestDurations: each fill and each mutation is in the bucket of the time it took.
func TestDurations(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name   string
		took   time.Duration
		bucket int
	}{
		{"no time", 0, 0},
		{"on a bound", 5 * time.Millisecond, 5},
		{"above a bound", 5*time.Millisecond + 1, 6},
		{"above all bounds", time.Minute, 16},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, "annotated", gqlcache.Options{Store: newMapStore()})
				latch := r.store.Block("Query.users")
				one := r.start(t.Context(), readUsers)
				synctest.Wait()
				<-time.After(row.took)
				latch.Release()
				one.wait(t)
				h := r.cache.Stats().FillDuration
				if h.Count != 1 || h.Sum != row.took || len(h.Counts) != len(h.Bounds)+1 || h.Counts[row.bucket] != 1 || sum(h.Counts) != 1 {
					t.Errorf("%+v", h)
				}
			})
		})
	}
}

func TestSettleDuration(t *testing.T) {
	t.Parallel()
	r := newRig(t, "annotated", gqlcache.Options{})
	r.run("annotated", []string{renameAnn, renameAnn, readAnn})
	s := r.cache.Stats()
	if s.SettleDuration.Count != 2 || s.SettleDuration.Sum <= 0 || s.WaitDuration.Count != 0 || s.Log != nil {
		t.Errorf("settle %+v, wait %+v, log %+v", s.SettleDuration, s.WaitDuration, s.Log)
	}
}
