package history

import (
	"sync"

	"github.com/cascadeql/cascadeql/cascade/tag"
	"github.com/cascadeql/cascadeql/gqlcache/changelog"
)

// DefaultTags is how many tags a Table holds unless told otherwise.
const DefaultTags = 1 << 17

// A Table answers whether anything happened to some tags after a number. What it has
// forgotten it does not vouch for: an entry born before its low mark is not provable, and
// a miss.
//
// It keeps two generations. The younger one takes what is new; when it is full the older
// one is forgotten, the low mark rises to the last number that it held, and the younger
// one takes its place. These hold whenever the lock is free:
//
//  1. Every pair of a tag and a number above low, from a record noted in this epoch, is
//     held by one of the generations: under the tag's hash, with a number and a mask that
//     are at least the pair's.
//  2. No record above low was missed.
//
// There is one writer at a time, in the order of the numbers, and any number of readers.
type Table struct {
	perGeneration int

	mu         sync.RWMutex // protects all below
	epoch      uint64
	low, last  uint64
	young, old map[uint64]marks
	youngLast  uint64 // the largest number in the younger generation
	oldLast    uint64
}

// slots is how many masks are told apart for a hash.
const slots = 3

// marks are when columns of one hash last changed. A free slot has no mask.
type marks [slots]mark

type mark struct{ number, mask uint64 }

// New returns a table that holds at most so many tags, DefaultTags if that is not
// positive, at up to about 100 bytes each. It knows nothing before its first Flush.
func New(tags int) *Table {
	if tags <= 0 {
		tags = DefaultTags
	}
	return &Table{perGeneration: max(1, tags/2), young: map[uint64]marks{}, old: map[uint64]marks{}}
}

// Flush forgets everything: entries of the epoch born at number or later are provable
// from now on, others are not.
func (t *Table) Flush(epoch, number uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.epoch = epoch
	t.forget(number)
}

// REQUIRES: mu held.
func (t *Table) forget(number uint64) {
	t.low, t.last = number, number
	t.young, t.old = map[uint64]marks{}, map[uint64]marks{}
	t.youngLast, t.oldLast = number, number
}

// Note remembers a record. A record without a number, which the log has not taken yet,
// counts as the next one: what is known here by then is before it. The tags are not kept.
func (t *Table) Note(r changelog.Record) {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := r.Number
	if n == 0 {
		n = t.last + 1
	} else {
		t.last = max(t.last, n)
	}
	if r.All {
		last := t.last
		t.forget(n)
		t.last = last
		return
	}
	for _, tag := range r.Tags {
		t.note(tag, n)
	}
}

// REQUIRES: mu held.
func (t *Table) note(tag tag.Tag, n uint64) {
	m, known := t.young[tag.Hash]
	if !known && len(t.young) >= t.perGeneration {
		// The record may be half noted: its number is above the low mark all the same,
		// and the tags that follow are noted in the new generation.
		t.low = max(t.low, t.oldLast)
		t.old, t.oldLast = t.young, t.youngLast
		t.young = make(map[uint64]marks)
	}
	m.raise(n, maskOf(tag))
	t.young[tag.Hash] = m
	t.youngLast = max(t.youngLast, n)
}

// raise records that the columns changed at n. When there is no room, the two oldest
// become one: at the later number, with both masks, which refuses more than it must and
// never less.
func (m *marks) raise(n, mask uint64) {
	for i := range m {
		if m[i].mask&^mask == 0 { // free, or all of it changed again
			m[i] = mark{max(n, m[i].number), mask}
			return
		}
	}
	a, b := 0, 1
	if m[b].number < m[a].number {
		a, b = b, a
	}
	for i := 2; i < slots; i++ {
		switch {
		case m[i].number < m[a].number:
			a, b = i, a
		case m[i].number < m[b].number:
			b = i
		}
	}
	m[b].mask |= m[a].mask
	m[a] = mark{n, mask}
}

// after reports whether a column of the mask changed after born.
func (m *marks) after(born, mask uint64) bool {
	for i := range m {
		if m[i].number > born && m[i].mask&mask != 0 {
			return true
		}
	}
	return false
}

// Unchanged reports whether the table proves that an entry is still true as far as this
// instance knows: the entry was born in the table's epoch, not before its low mark, and
// no record after born has met one of the tags: the same hash, and a column in common. It
// takes O(tags), and does not keep or change the tags.
//
// Born may be ahead of what this instance has applied. The entry is then at least as new
// as all that it knows, and what it does not know yet is what its lease is for.
func (t *Table) Unchanged(epoch, born uint64, tags []tag.Tag) bool {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if epoch != t.epoch || epoch == 0 || born < t.low {
		return false
	}
	for _, tag := range tags {
		mask := maskOf(tag)
		if m, ok := t.young[tag.Hash]; ok && m.after(born, mask) {
			return false
		}
		if m, ok := t.old[tag.Hash]; ok && m.after(born, mask) {
			return false
		}
	}
	return true
}

// maskOf is the set of columns of a tag; zero, which somebody forgot to set, is all of
// them.
func maskOf(tag tag.Tag) uint64 {
	if tag.Mask == 0 {
		return ^uint64(0)
	}
	return tag.Mask
}
