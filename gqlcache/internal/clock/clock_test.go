package clock

import (
	"slices"
	"testing"

	"github.com/cascadeql/cascadeql/internal/allocs"
)

func tagOf(hash uint64) Tag { return Tag{Hash: hash, Mask: All} }

// siblings returns hashes that share a shard.
func siblings(c *Clock, n int) []uint64 {
	var hashes []uint64
	for h := uint64(1); len(hashes) < n; h++ {
		if c.shard(h) == c.shard(1) {
			hashes = append(hashes, h)
		}
	}
	return hashes
}

func mustFinish(t *testing.T, c *Clock, token Token, tags ...Tag) *Stamp {
	t.Helper()
	s, ok := c.Finish(token, tags)
	if !ok {
		t.Fatalf("Finish(%d, %v) refused", token, tags)
	}
	return s
}

func TestRules(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		reads []Tag
		apply []Tag
		valid bool
	}{
		{"same tag", []Tag{{Hash: 1, Mask: 1}}, []Tag{{Hash: 1, Mask: 1}}, false},
		{"other tag", []Tag{{Hash: 1, Mask: 1}}, []Tag{{Hash: 2, Mask: 1}}, true},
		{"other columns", []Tag{{Hash: 1, Mask: 1}}, []Tag{{Hash: 1, Mask: 2}}, true},
		{"columns meet", []Tag{{Hash: 1, Mask: 3}}, []Tag{{Hash: 1, Mask: 6}}, false},
		{"unknown columns changed", []Tag{{Hash: 1, Mask: 4}}, []Tag{{Hash: 1, Mask: All}}, false},
		{"all columns read", []Tag{{Hash: 1, Mask: All}}, []Tag{{Hash: 1, Mask: 4}}, false},
		{"no mask is all columns, read", []Tag{{Hash: 1, Mask: 0}}, []Tag{{Hash: 1, Mask: 4}}, false},
		{"no mask is all columns, changed", []Tag{{Hash: 1, Mask: 4}}, []Tag{{Hash: 1, Mask: 0}}, false},
		{"one of many read", []Tag{{Hash: 3, Mask: 1}, {Hash: 1, Mask: 1}, {Hash: 2, Mask: 2}}, []Tag{{Hash: 2, Mask: 2}}, false},
		{"one of many changed", []Tag{{Hash: 2, Mask: 1}}, []Tag{{Hash: 3, Mask: 1}, {Hash: 1, Mask: 1}, {Hash: 2, Mask: 1}}, false},
		{"one hash under two masks, first", []Tag{{Hash: 1, Mask: 1}, {Hash: 1, Mask: 2}}, []Tag{{Hash: 1, Mask: 1}}, false},
		{"one hash under two masks, second", []Tag{{Hash: 1, Mask: 1}, {Hash: 1, Mask: 2}}, []Tag{{Hash: 1, Mask: 2}}, false},
		{"one hash under two masks, neither", []Tag{{Hash: 1, Mask: 1}, {Hash: 1, Mask: 2}}, []Tag{{Hash: 1, Mask: 4}}, true},
		{"mask of a neighbor", []Tag{{Hash: 1, Mask: 1}, {Hash: 2, Mask: 2}}, []Tag{{Hash: 1, Mask: 2}, {Hash: 2, Mask: 1}}, true},
		{"repeated tags", []Tag{{Hash: 1, Mask: 1}, {Hash: 1, Mask: 1}}, []Tag{{Hash: 1, Mask: 1}, {Hash: 1, Mask: 1}}, false},
		{"nothing read", nil, []Tag{{Hash: 1, Mask: All}}, true},
		{"nothing changed", []Tag{{Hash: 1, Mask: 1}}, nil, true},
	}
	for _, tt := range tests {
		t.Run("stamp/"+tt.name, func(t *testing.T) {
			t.Parallel()
			c := New(Options{})
			s := mustFinish(t, c, c.Begin(), slices.Clone(tt.reads)...)
			c.Apply(tt.apply)
			if got := c.Valid(s); got != tt.valid {
				t.Errorf("Valid = %v, want %v", got, tt.valid)
			}
		})
		t.Run("fill/"+tt.name, func(t *testing.T) {
			t.Parallel()
			c := New(Options{})
			token := c.Begin()
			c.Apply(tt.apply)
			if _, ok := c.Finish(token, slices.Clone(tt.reads)); ok != tt.valid {
				t.Errorf("Finish = %v, want %v", ok, tt.valid)
			}
		})
		t.Run("fill with a cell/"+tt.name, func(t *testing.T) {
			t.Parallel()
			c := New(Options{})
			mustFinish(t, c, c.Begin(), slices.Clone(tt.reads)...)
			token := c.Begin()
			c.Apply(tt.apply)
			if _, ok := c.Finish(token, slices.Clone(tt.reads)); ok != tt.valid {
				t.Errorf("Finish = %v, want %v", ok, tt.valid)
			}
		})
	}
}

func TestApplyNumbers(t *testing.T) {
	t.Parallel()
	c := New(Options{})
	if n := c.Apply(nil); n != c.Seq() || n != 1 {
		t.Errorf("Apply of nothing returned %d and left %d", n, c.Seq())
	}
	if n := c.Apply([]Tag{tagOf(1), tagOf(1)}); n != 2 || c.Seq() != 2 {
		t.Errorf("Apply returned %d and left %d", n, c.Seq())
	}
	if n := c.Flush(); n != 3 || c.Stats().Floor != 3 {
		t.Errorf("Flush returned %d, floor %d", n, c.Stats().Floor)
	}
}

func TestFlush(t *testing.T) {
	t.Parallel()
	c := New(Options{})
	tagged, bare, token := mustFinish(t, c, c.Begin(), tagOf(1)), mustFinish(t, c, c.Begin()), c.Begin()
	c.Flush()
	if c.Valid(tagged) || c.Valid(bare) {
		t.Error("a stamp outlived a flush")
	}
	if _, ok := c.Finish(token, []Tag{tagOf(2)}); ok {
		t.Error("a fill outlived a flush")
	}
	if !c.Valid(mustFinish(t, c, c.Begin(), tagOf(1))) {
		t.Error("a flush kills what began after it")
	}
}

// A stamp that was seen valid at some number must be looked at again at the next.
func TestValidIsRememberedForOneNumberOnly(t *testing.T) {
	t.Parallel()
	c := New(Options{})
	s := mustFinish(t, c, c.Begin(), tagOf(1))
	for range 3 {
		c.Apply([]Tag{tagOf(2)})
		for range 2 { // by a walk, and by what it remembered
			if !c.Valid(s) {
				t.Fatal("another tag killed the stamp")
			}
		}
	}
	c.Apply([]Tag{tagOf(1)})
	if c.Valid(s) {
		t.Fatal("stale")
	}
}

// An Apply that lands while Finish walks: its number is loaded before, so that the stamp
// is born with an ok from before the Apply and dies at its first check.
func TestApplyAfterFinish(t *testing.T) {
	t.Parallel()
	c := New(Options{})
	token := c.Begin()
	c.Apply([]Tag{tagOf(9)})
	s := mustFinish(t, c, token, tagOf(1))
	if !c.Valid(s) {
		t.Error("an unrelated number killed the stamp")
	}
	c.Apply([]Tag{tagOf(1)})
	if c.Valid(s) || s.Born() != token {
		t.Error("stale")
	}
}

func TestDroppedTombstones(t *testing.T) {
	t.Parallel()
	c := New(Options{Tombstones: 1})
	hashes := siblings(c, 8)
	token := c.Begin()
	for _, h := range hashes {
		c.Apply([]Tag{tagOf(h)})
	}
	if st := c.Stats(); st.Tombstones > 2 {
		t.Errorf("%d tombstones for a bound of one in each generation", st.Tombstones)
	}
	for _, h := range hashes {
		if _, ok := c.Finish(token, []Tag{tagOf(h)}); ok {
			t.Errorf("tag %d: its tombstone was dropped, and a fill from before was accepted", h)
		}
		if _, ok := c.Finish(c.Begin(), []Tag{tagOf(h)}); !ok {
			t.Errorf("tag %d: a fill from afterwards was refused", h)
		}
		if _, ok := c.Finish(token, []Tag{tagOf(h)}); ok {
			t.Errorf("tag %d: a fill from before was accepted, once there was a cell", h)
		}
	}
}

// The two generations may know different columns of one tag.
func TestTombstonesOfBothGenerations(t *testing.T) {
	t.Parallel()
	c := New(Options{Tombstones: 1})
	h := siblings(c, 2)
	token := c.Begin()
	c.Apply([]Tag{{Hash: h[0], Mask: 1}})
	c.Apply([]Tag{{Hash: h[1], Mask: 1}}) // the first one is old now
	c.Apply([]Tag{{Hash: h[1], Mask: 2}})
	middle := c.Begin()
	for _, tt := range []struct {
		name  string
		token Token
		tag   Tag
		ok    bool
	}{
		{"old generation", token, Tag{Hash: h[0], Mask: 1}, false},
		{"old generation, other column", token, Tag{Hash: h[0], Mask: 2}, true},
		{"young generation, earlier mask", token, Tag{Hash: h[1], Mask: 1}, false},
		{"young generation, later mask", token, Tag{Hash: h[1], Mask: 2}, false},
		{"after both", middle, Tag{Hash: h[1], Mask: 3}, true},
	} {
		if _, ok := c.Finish(tt.token, []Tag{tt.tag}); ok != tt.ok {
			t.Errorf("%s: Finish = %v, want %v", tt.name, ok, tt.ok)
		}
	}
}

// A cell made for one fill must remember what a fill in flight that reads other columns
// needs.
func TestRevivedCellKeepsOtherColumns(t *testing.T) {
	t.Parallel()
	c := New(Options{})
	token := c.Begin()
	c.Apply([]Tag{{Hash: 1, Mask: 1}})
	mustFinish(t, c, token, Tag{Hash: 1, Mask: 2})
	if _, ok := c.Finish(token, []Tag{{Hash: 1, Mask: 1}}); ok {
		t.Error("the new cell forgot the tombstone")
	}
}

func TestStampSize(t *testing.T) {
	t.Parallel()
	c := New(Options{})
	tags := make([]Tag, 0, 40)
	for i := range 40 {
		tags = append(tags, Tag{Hash: uint64(i / 2), Mask: uint64(1 + i%4)})
	}
	s := mustFinish(t, c, c.Begin(), tags...)
	if s.Len() != 40 || len(s.groups) != 4 {
		t.Errorf("%d tags in %d groups", s.Len(), len(s.groups))
	}
	if got, limit := s.Size()-40*CellSize, 80+40*8+4*16; got > limit {
		t.Errorf("a stamp of 40 tags takes %d bytes beside its cells, more than %d", got, limit)
	}
}

func TestValidDoesNotAllocate(t *testing.T) {
	c := New(Options{})
	s := mustFinish(t, c, c.Begin(), tagOf(1), tagOf(2), tagOf(3))
	if n := allocs.PerRun(100, func() { c.Valid(s) }); n != 0 {
		t.Errorf("the fast path allocates %v times", n)
	}
	if n := allocs.PerRun(100, func() { c.walk(s, c.Seq()) }); n != 0 {
		t.Errorf("the walk allocates %v times", n)
	}
	changed := []Tag{tagOf(2)}
	if n := allocs.PerRun(100, func() { c.Apply(changed) }); n != 0 {
		t.Errorf("an invalidation of a live tag allocates %v times", n)
	}
}
