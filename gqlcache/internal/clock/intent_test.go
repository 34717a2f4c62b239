package clock

import (
	"slices"
	"sync/atomic"
	"testing"
)

func TestIntentRules(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name             string
		reads, announced []Tag
		kept             bool
	}{
		{"same tag", []Tag{{Hash: 1, Mask: 1}}, []Tag{{Hash: 1, Mask: 1}}, false},
		{"other tag", []Tag{{Hash: 1, Mask: 1}}, []Tag{{Hash: 2, Mask: 1}}, true},
		{"other columns", []Tag{{Hash: 1, Mask: 1}}, []Tag{{Hash: 1, Mask: 2}}, true},
		{"columns meet", []Tag{{Hash: 1, Mask: 3}}, []Tag{{Hash: 1, Mask: 6}}, false},
		{"no mask is all columns, read", []Tag{{Hash: 1}}, []Tag{{Hash: 1, Mask: 4}}, false},
		{"no mask is all columns, announced", []Tag{{Hash: 1, Mask: 4}}, []Tag{{Hash: 1}}, false},
		{"one of many", []Tag{{Hash: 3, Mask: 1}, {Hash: 1, Mask: 1}}, []Tag{{Hash: 2, Mask: 1}, {Hash: 1, Mask: 1}}, false},
		{"repeated", []Tag{{Hash: 1, Mask: 1}}, []Tag{{Hash: 1, Mask: 1}, {Hash: 1, Mask: 1}}, false},
		{"nothing announced", []Tag{{Hash: 1, Mask: 1}}, nil, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := New(Options{})
			before := mustFinish(t, c, c.Begin(), slices.Clone(tt.reads)...)
			in := c.Announce(tt.announced)
			if got := c.Valid(before); got != tt.kept {
				t.Errorf("announced: Valid = %v, want %v", got, tt.kept)
			}
			token := c.Begin()
			if _, ok := c.Finish(token, slices.Clone(tt.reads)); ok != tt.kept {
				t.Errorf("announced: Finish = %v, want %v", ok, tt.kept)
			}
			in.Settle()
			// Nothing was applied, so nothing has changed.
			if _, ok := c.Finish(token, slices.Clone(tt.reads)); !ok {
				t.Error("settled: Finish refused")
			}
		})
	}
}

// TestIntentsOverlap: a tag stays pending until the last intent that names it is settled,
// and settling one twice takes nothing from another.
func TestIntentsOverlap(t *testing.T) {
	t.Parallel()
	c := New(Options{})
	refused := func(want bool) {
		t.Helper()
		if _, ok := c.Finish(c.Begin(), []Tag{tagOf(1)}); ok == want {
			t.Errorf("Finish = %v, want %v", ok, !want)
		}
	}
	a, b := c.Announce([]Tag{tagOf(1)}), c.Announce([]Tag{tagOf(1), tagOf(2)})
	a.Settle()
	a.Settle()
	refused(true)
	all := c.AnnounceAll()
	b.Settle()
	refused(true)
	all.Settle()
	all.Settle()
	refused(false)
	for i := range c.shards {
		if n := len(c.shards[i].pending); n != 0 {
			t.Errorf("shard %d remembers %d tags of settled intents", i, n)
		}
	}
	if n := c.allPending.Load(); n != 0 {
		t.Errorf("%d intents of everything are open", n)
	}
}

// TestAnnounceAll: what has no tags falls as well.
func TestAnnounceAll(t *testing.T) {
	t.Parallel()
	c := New(Options{})
	untagged, tagged := mustFinish(t, c, c.Begin()), mustFinish(t, c, c.Begin(), tagOf(1))
	in := c.AnnounceAll()
	if c.Valid(untagged) || c.Valid(tagged) {
		t.Error("valid while everything may change")
	}
	if _, ok := c.Finish(c.Begin(), nil); ok {
		t.Error("a fill without tags was accepted")
	}
	in.Settle()
	mustFinish(t, c, c.Begin())
}

// TestIntentStress: a value changes between Announce and Apply. Fills read it, and keep
// it in a stamp if they may; nobody who has seen the new value, in whatever way, is given
// a stamp with an older one.
//
// The changed tag is the last of many, so that a number that is visible before all marks
// are there stays so for long enough that a fill takes it for its token.
func TestIntentStress(t *testing.T) {
	t.Parallel()
	rounds := 2500
	if testing.Short() {
		rounds = 200
	}
	c := New(Options{})
	type kept struct {
		stamp *Stamp
		value int64
	}
	var value atomic.Int64
	var current atomic.Pointer[kept]
	var bad, hits atomic.Int64
	target := Tag{Hash: 1, Mask: 1}
	stop := background(t,
		func() {
			token := c.Begin()
			v := value.Load()
			if s, ok := c.Finish(token, []Tag{target}); ok {
				current.Store(&kept{s, v})
			}
		},
		func() {
			seen := value.Load()
			if k := current.Load(); k != nil && c.Valid(k.stamp) {
				hits.Add(1)
				if k.value < seen {
					bad.Add(1)
				}
			}
		},
		func() { c.Sweep(slices.Values([]*Stamp(nil))) },
	)
	announced := make([]Tag, 600)
	for i := range announced {
		announced[i] = Tag{Hash: uint64(i + 100), Mask: 1}
	}
	announced[len(announced)-1] = target
	for i := range rounds {
		in := c.Announce(announced)
		if i%8 == 0 {
			in.Settle()
			in = c.AnnounceAll()
		}
		value.Add(1)
		if k := current.Load(); k != nil && c.Valid(k.stamp) {
			t.Errorf("round %d: valid between the commit and the settling", i)
		}
		c.Apply([]Tag{target})
		in.Settle()
		token := c.Begin()
		v := value.Load()
		if s, ok := c.Finish(token, []Tag{target}); ok {
			current.Store(&kept{s, v})
		}
	}
	stop()
	if bad.Load() > 0 {
		t.Errorf("%d of %d hits show less than their reader had seen", bad.Load(), hits.Load())
	}
}
