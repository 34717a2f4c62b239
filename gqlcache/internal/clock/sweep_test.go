package clock

import (
	"slices"
	"testing"
)

func TestSweep(t *testing.T) {
	t.Parallel()
	c := New(Options{})
	kept := mustFinish(t, c, c.Begin(), tagOf(1), tagOf(2))
	dead := mustFinish(t, c, c.Begin(), tagOf(2), tagOf(3))
	mustFinish(t, c, c.Begin(), tagOf(4)) // nobody holds it
	c.Apply([]Tag{tagOf(3)})

	got := c.Sweep(slices.Values([]*Stamp{kept, nil, dead, kept}))
	if want := (SweepStats{Valid: 2, Dead: 1, Kept: 2, Removed: 2}); got != want {
		t.Errorf("Sweep = %+v, want %+v", got, want)
	}
	if st := c.Stats(); st.Cells != 2 {
		t.Errorf("%d cells are left", st.Cells)
	}
	if !c.Valid(kept) || c.Valid(dead) {
		t.Error("a sweep changed what is valid")
	}
	c.Apply([]Tag{tagOf(9)})
	if !c.Valid(kept) {
		t.Error("the sweep removed a cell that is in use")
	}
	c.Apply([]Tag{tagOf(2)})
	if c.Valid(kept) {
		t.Error("the stamp is cut off from its cell")
	}
}

// The index of tags takes the memory of those that are there, not of the most that have
// ever been.
func TestSweepShrinksTheIndex(t *testing.T) {
	const count = 100_000
	c := New(Options{})
	kept := mustFinish(t, c, c.Begin(), benchTags(100, 1)...)
	before := heap()
	for i := range uint64(count / 100) {
		mustFinish(t, c, c.Begin(), benchTags(100, 101+i*100)...)
	}
	full := heap() - before
	c.Sweep(slices.Values([]*Stamp{kept}))
	if left := heap() - before; left > full/20 {
		t.Errorf("%d bytes are left of %d", left, full)
	}
	c.Apply(benchTags(5, 1))
	if c.Valid(kept) {
		t.Error("the stamp is cut off from its cells")
	}
	mustFinish(t, c, c.Begin(), benchTags(100, 1)...)
	if st := c.Stats(); st.Cells != 100 {
		t.Errorf("%d cells", st.Cells)
	}
}

// A stamp that the iteration missed is cut off from what its tag will be told. It must
// die of the next number, whatever that is.
func TestSweepMissesAStamp(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		apply Tag
	}{{"its own tag", tagOf(1)}, {"another tag", tagOf(2)}} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := New(Options{})
			missed := mustFinish(t, c, c.Begin(), tagOf(1))
			c.Sweep(slices.Values([]*Stamp{}))
			if !c.Valid(missed) {
				t.Error("nothing was invalidated, and the compare says otherwise")
			}
			c.Apply([]Tag{tt.apply})
			if c.Valid(missed) {
				t.Error("a stamp whose cell is gone is valid at a new number")
			}
		})
	}
}

// A fill that began before an invalidation must be refused although the cell that knew of
// it was removed meanwhile: at the first sweep by a tombstone, at later ones by the low
// number.
func TestSweepKeepsFillsInFlight(t *testing.T) {
	t.Parallel()
	for sweeps := 1; sweeps <= 4; sweeps++ {
		c := New(Options{})
		mustFinish(t, c, c.Begin(), tagOf(1))
		token := c.Begin()
		c.Apply([]Tag{tagOf(1)})
		for range sweeps {
			c.Sweep(slices.Values([]*Stamp{}))
		}
		if _, ok := c.Finish(token, []Tag{tagOf(1)}); ok {
			t.Errorf("%d sweeps: a fill from before the invalidation was accepted", sweeps)
		}
		mustFinish(t, c, c.Begin(), tagOf(1))
		if st := c.Stats(); sweeps > 1 && st.Tombstones != 0 {
			t.Errorf("%d sweeps: %d tombstones are left", sweeps, st.Tombstones)
		}
	}
}

// The first sweep after an invalidation keeps what it knows column by column.
func TestSweepTombstoneKeepsColumns(t *testing.T) {
	t.Parallel()
	c := New(Options{})
	mustFinish(t, c, c.Begin(), tagOf(1))
	token := c.Begin()
	c.Apply([]Tag{{Hash: 1, Mask: 1}})
	c.Sweep(slices.Values([]*Stamp{}))
	mustFinish(t, c, token, Tag{Hash: 1, Mask: 2})
}

// A stamp finished while the sweep iterates is not in the iteration, and keeps its cells.
func TestFinishDuringSweep(t *testing.T) {
	t.Parallel()
	c := New(Options{})
	mustFinish(t, c, c.Begin(), tagOf(1))
	var s *Stamp
	c.Sweep(func(func(*Stamp) bool) { s = mustFinish(t, c, c.Begin(), tagOf(1), tagOf(2)) })
	c.Apply([]Tag{tagOf(9)})
	if !c.Valid(s) {
		t.Error("the sweep removed a cell that was taken after it began")
	}
}

// A Finish that read the number of the previous sweep must not take back the mark of this
// one.
func TestLateUseKeepsMark(t *testing.T) {
	t.Parallel()
	var c cell
	c.use(2)
	c.use(1)
	if got := c.words[markWord].Load(); got != 2 {
		t.Errorf("mark %d, want 2", got)
	}
}

// A cell that outlives two sweeps after an invalidation leaves no tombstone of it when it
// goes. A fill that is older still must be refused.
func TestSweepForgetsIntoLow(t *testing.T) {
	t.Parallel()
	c := New(Options{})
	token := c.Begin()
	s := mustFinish(t, c, token, Tag{Hash: 1, Mask: 2})
	c.Apply([]Tag{{Hash: 1, Mask: 1}})
	for range 2 {
		c.Sweep(slices.Values([]*Stamp{s}))
	}
	c.Sweep(slices.Values([]*Stamp{}))
	if st := c.Stats(); st.Cells != 0 || st.Tombstones != 0 {
		t.Errorf("%+v", st)
	}
	if _, ok := c.Finish(token, []Tag{{Hash: 1, Mask: 1}}); ok {
		t.Error("a fill from before the invalidation was accepted")
	}
	mustFinish(t, c, c.Begin(), Tag{Hash: 1, Mask: 1})
}

// A sweep buries numbers that are older than those of an Apply that came while it ran,
// and may push the younger ones into the old generation. That one must keep its own bound
// when the young generation, with the older numbers, is forgotten first.
func TestSweepBuriesOldNumbers(t *testing.T) {
	t.Parallel()
	c := New(Options{Tombstones: 1})
	h := siblings(c, 4)
	mustFinish(t, c, c.Begin(), tagOf(h[0]))
	c.Apply([]Tag{tagOf(h[0])}) // held by a cell that nobody uses
	token := c.Begin()
	c.Sweep(func(func(*Stamp) bool) { c.Apply([]Tag{tagOf(h[1])}) })
	c.Sweep(slices.Values([]*Stamp{}))
	c.Apply([]Tag{tagOf(h[2])})
	c.Apply([]Tag{tagOf(h[3])})
	if _, ok := c.Finish(token, []Tag{tagOf(h[1])}); ok {
		t.Error("a fill from before the invalidation was accepted")
	}
}
