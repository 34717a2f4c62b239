package clock

import (
	"testing"
	"unsafe"

	"pgregory.net/rapid"
)

func TestCellFillsOneCacheLine(t *testing.T) {
	t.Parallel()
	if got := unsafe.Sizeof(cell{}); got != 64 {
		t.Fatalf("a cell has %d bytes", got)
	}
}

type pair struct{ mask, n uint64 }

func TestCellHistory(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		raises []pair
		mask   uint64
		born   uint64
		want   bool
	}{
		{"fresh cell", nil, All, 1, false},
		{"born at the invalidation", []pair{{1, 5}}, 1, 5, false},
		{"born before it", []pair{{1, 5}}, 1, 4, true},
		{"other column", []pair{{1, 5}}, 2, 4, false},
		{"all columns", []pair{{All, 5}}, 2, 4, true},
		{"read of all columns", []pair{{1, 5}}, All, 4, true},
		{"older pair behind a younger one", []pair{{1, 5}, {2, 9}}, 1, 4, true},
		{"younger pair does not widen", []pair{{1, 5}, {2, 9}}, 1, 5, false},
		{"superset replaces", []pair{{1, 5}, {3, 9}}, 1, 8, true},
		{"subset after superset", []pair{{3, 5}, {1, 9}}, 2, 5, false},
		{"three masks are exact", []pair{{1, 5}, {2, 6}, {4, 7}}, 2, 6, false},
		{"fourth mask merges the two oldest", []pair{{1, 5}, {2, 6}, {4, 7}, {8, 9}}, 1, 5, true},
		{"fourth mask keeps the second oldest", []pair{{1, 5}, {2, 6}, {4, 7}, {8, 9}}, 2, 5, true},
		{"fourth mask leaves the youngest exact", []pair{{1, 5}, {2, 6}, {4, 7}, {8, 9}}, 4, 7, false},
		{"fourth mask is exact itself", []pair{{1, 5}, {2, 6}, {4, 7}, {8, 9}}, 16, 1, false},
		{"all columns make room", []pair{{1, 5}, {2, 6}, {4, 7}, {All, 8}, {1, 9}, {2, 10}, {4, 11}}, 1, 9, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var c cell
			for _, p := range tt.raises {
				c.raise(p.mask, p.n)
			}
			if got := c.invalidated(tt.mask, tt.born); got != tt.want {
				t.Errorf("invalidated(%b, %d) = %v, want %v; cell %v", tt.mask, tt.born, got, tt.want, c.snapshot())
			}
		})
	}
}

func TestCellKilled(t *testing.T) {
	t.Parallel()
	var c cell
	c.kill()
	if !c.invalidated(1, infinity-1) {
		t.Error("a removed cell is not invalid")
	}
}

// TestCellInterleavings lets a reader look at a cell while two invalidations are
// published, in every possible interleaving of its loads with their stores. Whatever it
// sees, it must find all that was published before; and as long as no masks were merged,
// nothing that never was.
func TestCellInterleavings(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		// Three masks never merge; more do.
		exact := rapid.Bool().Draw(t, "exact")
		masks := []uint64{1, 2, 3, All}
		if !exact {
			masks = []uint64{1, 2, 4, 8, 3, 6, 12, 7, 15, All}
		}
		draw := rapid.SampledFrom(masks)

		var state snapshot
		var before []pair
		n := uint64(0)
		publish := func() (steps plan) {
			n += 2
			before = append(before, pair{draw.Draw(t, "mask"), n})
			return planRaise(&state, before[len(before)-1].mask, n)
		}
		for range rapid.IntRange(0, 6).Draw(t, "earlier") {
			state.run(publish())
		}
		old := len(before)

		// The states that the cell goes through.
		states := []snapshot{state}
		for range 2 {
			p := publish()
			for _, st := range p.list[:p.n] {
				state[st.word] = st.value
				states = append(states, state)
			}
		}
		checkReads(t, states, before[:old], before[old:], exact)
	})
}

func (s *snapshot) run(p plan) {
	for _, st := range p.list[:p.n] {
		s[st.word] = st.value
	}
}

// TestCellExhaustive does the same for every history of five invalidations, during the
// last.
func TestCellExhaustive(t *testing.T) {
	t.Parallel()
	masks := []uint64{1, 2, 3, 4, 8, All}
	var walk func(state snapshot, history []pair)
	walk = func(state snapshot, history []pair) {
		for _, m := range masks {
			p := pair{m, uint64(2*len(history) + 2)}
			steps := planRaise(&state, m, p.n)
			states := []snapshot{state}
			next := state
			for _, st := range steps.list[:steps.n] {
				next[st.word] = st.value
				states = append(states, next)
			}
			if len(history) == 4 {
				checkReads(t, states, history, []pair{p}, false)
				continue
			}
			walk(next, append(history[:len(history):len(history)], p))
		}
	}
	walk(snapshot{}, nil)
}

type fataler interface {
	Fatalf(format string, args ...any)
}

// checkReads tries every way for a reader to load word after word while the states pass.
func checkReads(t fataler, states []snapshot, before, during []pair, exact bool) {
	var seen snapshot
	var load func(word, from int)
	load = func(word, from int) {
		if word == len(seen) {
			checkSeen(t, seen, states[len(states)-1], before, during, exact)
			return
		}
		for i := from; i < len(states); i++ {
			seen[word] = states[i][word]
			load(word+1, i)
		}
	}
	load(0, 0)
}

func checkSeen(t fataler, seen, final snapshot, before, during []pair, exact bool) {
	for bit := uint64(1); bit <= 16; bit <<= 1 {
		var last uint64
		for _, p := range before {
			if p.mask&bit != 0 {
				last = p.n
			}
		}
		if last > 0 && !seen.invalidated(bit, last-1) {
			t.Fatalf("column %b: the invalidation %d is lost in %v", bit, last, seen)
		}
		if limit := final.last(bit); seen.invalidated(bit, limit) {
			t.Fatalf("column %b: invalidated after %d, and afterwards not any more: %v, then %v", bit, limit, seen, final)
		}
		touched := false
		for _, p := range during {
			touched = touched || p.mask&bit != 0
		}
		if exact && !touched && seen.invalidated(bit, last) {
			t.Fatalf("column %b: invalidated after %d in %v", bit, last, seen)
		}
	}
}

// invalidated asks the cell's own question of words that were loaded before.
func (s snapshot) invalidated(mask, born uint64) bool {
	var c cell
	for i, w := range s {
		c.words[i].Store(w)
	}
	return c.invalidated(mask, born)
}

// last returns the number after which the columns count as untouched.
func (s *snapshot) last(mask uint64) uint64 {
	n := s[baseWord]
	for i := range slots {
		if s[maskWord(i)]&mask != 0 {
			n = max(n, s[numWord(i)])
		}
	}
	return n
}
