package clock

import (
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
)

// TestApplyStress: once Apply has returned, no stamp that began before and depends on the
// tag is ever valid again, whatever hits, fills and sweeps run meanwhile.
//
// The tag is published last of many, so that a number that is visible before the cells
// are written stays so for long enough that a reader makes the stamp immune.
func TestApplyStress(t *testing.T) {
	t.Parallel()
	rounds := 4000
	if testing.Short() {
		rounds = 1500
	}
	c := New(Options{Tombstones: 256})
	changed := make([]Tag, 100)
	for i := range changed {
		changed[i] = Tag{Hash: uint64(i + 10), Mask: 1 << (i % 5)}
	}
	target := Tag{Hash: 1, Mask: 1}
	changed[len(changed)-1] = target
	var current atomic.Pointer[Stamp]
	current.Store(mustFinish(t, c, c.Begin(), target))

	stop := background(t,
		func() { c.Valid(current.Load()) },
		func() { c.Sweep(slices.Values([]*Stamp{current.Load()})) },
		func() { c.Finish(c.Begin(), []Tag{{Hash: 1, Mask: 2}, {Hash: 1, Mask: 1}, {Hash: 20, Mask: All}}) },
	)
	defer stop()
	for i := range rounds {
		s := mustFinish(t, c, c.Begin(), target, Tag{Hash: uint64(i), Mask: 4})
		current.Store(s)
		// Masks vary, so that the cell merges; all of them meet the target's.
		changed[len(changed)-1] = Tag{Hash: target.Hash, Mask: target.Mask | 1<<(i%5)}
		token := c.Begin()
		c.Apply(changed)
		if c.Valid(s) {
			t.Fatalf("round %d: valid after the invalidation was acknowledged", i)
		}
		if _, ok := c.Finish(token, []Tag{target}); ok {
			t.Fatalf("round %d: a fill in flight was accepted", i)
		}
	}
}

// TestFinishStress: a fill that an Apply overlaps is refused, or its stamp is dead as
// soon as the Apply has returned. The changed tag comes first of many, so that the walk
// of Finish takes a while after it.
func TestFinishStress(t *testing.T) {
	t.Parallel()
	rounds := 20000
	if testing.Short() {
		rounds = 8000
	}
	c := New(Options{})
	target := Tag{Hash: 1, Mask: 1}
	var acked atomic.Uint64
	stop := background(t, func() {
		acked.Store(c.Apply([]Tag{target}))
		for range 20 { // leave the fills time to end between two numbers
			runtime.Gosched()
		}
	})
	defer stop()
	tags := make([]Tag, 60)
	for i := range rounds {
		for j := range tags {
			tags[j] = Tag{Hash: uint64(j + 1), Mask: 1 << min(j, 1)}
		}
		s, ok := c.Finish(c.Begin(), tags)
		if !ok {
			continue
		}
		if n := acked.Load(); s.Born() < n && c.Valid(s) {
			t.Fatalf("round %d: a stamp from %d is valid after %d was acknowledged", i, s.Born(), n)
		}
	}
}

// TestUnrelatedStress: a stamp that every sweep sees, of columns that never change, is
// valid throughout.
func TestUnrelatedStress(t *testing.T) {
	t.Parallel()
	rounds := 4000
	if testing.Short() {
		rounds = 1000
	}
	c := New(Options{})
	s := mustFinish(t, c, c.Begin(), Tag{Hash: 1, Mask: 1 << 40}, Tag{Hash: 2, Mask: 1 << 41})
	stop := background(t,
		func() { c.Apply([]Tag{{Hash: 1, Mask: 1}, {Hash: 2, Mask: 2}}) },
		func() { c.Apply([]Tag{{Hash: 1, Mask: 1 << 20}, {Hash: 1, Mask: 6}, {Hash: 2, Mask: 3}}) },
		func() { c.Sweep(slices.Values([]*Stamp{s})) },
		func() { c.Finish(c.Begin(), []Tag{{Hash: 1, Mask: All}, {Hash: 2, Mask: All}}) },
	)
	defer stop()
	for range rounds {
		if !c.Valid(s) {
			t.Fatal("dead without reason")
		}
		c.Apply([]Tag{{Hash: 2, Mask: 4}})
	}
}

// background runs each function over and over until stop is called.
func background(t *testing.T, fns ...func()) (stop func()) {
	t.Helper()
	var done atomic.Bool
	var wg sync.WaitGroup
	for _, fn := range fns {
		wg.Go(func() {
			for !done.Load() {
				fn()
			}
		})
	}
	return func() { done.Store(true); wg.Wait() }
}
