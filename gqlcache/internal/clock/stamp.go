package clock

import (
	"sync/atomic"
	"unsafe"
)

// A Stamp is what a computed value keeps to be told whether it is still valid: when its
// computation began, and the cells of its tags. It belongs to the clock that made it. It
// is safe for concurrent use and must not be copied.
type Stamp struct {
	// ok is the clock's number at which the stamp was last seen valid; all else is
	// immutable.
	ok   atomic.Uint64
	born uint64
	// cells by mask, and where in cells each mask ends.
	cells  []*cell
	groups []group
}

type group struct {
	mask uint64
	end  uint32
}

// Born returns the token of the computation.
func (s *Stamp) Born() Token { return s.born }

// Len returns the number of tags, repetitions left out.
func (s *Stamp) Len() int { return len(s.cells) }

// Size returns the bytes of the stamp and of all its cells. A cell that several stamps
// share is counted for each of them: which of them will be the last that keeps it cannot
// be told, so the sum over all stamps is at least what they take together.
func (s *Stamp) Size() int {
	return int(unsafe.Sizeof(*s)) +
		cap(s.cells)*int(unsafe.Sizeof((*cell)(nil))) +
		cap(s.groups)*int(unsafe.Sizeof(group{})) +
		len(s.cells)*CellSize
}

// CellSize is about what a tag takes that stamps depend on, in bytes: its cell, and its
// place in the index, which a map that has just grown has twice. See BenchmarkMemory.
const CellSize = int(unsafe.Sizeof(cell{})) + 40

// invalidated walks the cells.
func (s *Stamp) invalidated() bool {
	start := uint32(0)
	for _, g := range s.groups {
		for _, c := range s.cells[start:g.end] {
			if c.invalidated(g.mask, s.born) {
				return true
			}
		}
		start = g.end
	}
	return false
}

// mark notes in the cells that a sweep has found a stamp that uses them.
func (s *Stamp) mark(sweep uint64) {
	for _, c := range s.cells {
		// Most cells are shared: do not take their cache lines from other readers without
		// need.
		if c.words[markWord].Load() != sweep {
			c.words[markWord].Store(sweep)
		}
	}
}

// countGroups returns the number of distinct masks in grouped tags.
func countGroups(tags []Tag) int {
	n := 0
	for i := range tags {
		if i == 0 || tags[i].Mask != tags[i-1].Mask {
			n++
		}
	}
	return n
}
