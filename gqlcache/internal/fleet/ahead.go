package fleet

import (
	"slices"
	"sync"

	"github.com/cascadeql/cascadeql/cascade/tag"
)

// An Ahead is changes that are applied here before a record of the log has them. The
// history does not know them: an answer that another instance has shared before them would
// be proven by it. While an Ahead is open, such an answer is not taken over. Its methods
// may be called concurrently.
type Ahead struct {
	f *Fleet
	// The fields below are guarded by f.ahead.mu.
	all   bool
	masks map[uint64]uint64 // by hash
}

// ahead are those that are open.
type ahead struct {
	mu   sync.Mutex // protects all below, and what is in open
	open []*Ahead
}

// maxAheadTags bounds the tags of an Ahead. Beyond, no answer is taken over.
const maxAheadTags = 50_000

// Ahead opens one. Recorded must be called.
func (f *Fleet) Ahead() *Ahead {
	a := &Ahead{f: f, masks: map[uint64]uint64{}}
	f.ahead.mu.Lock()
	defer f.ahead.mu.Unlock()
	f.ahead.open = append(f.ahead.open, a)
	return a
}

// Note adds a change. It must be applied afterwards, and recorded before Recorded.
func (a *Ahead) Note(ch Change) {
	if a == nil || a.f.cfg.Shared == nil {
		return
	}
	tags, ok := a.f.reach(ch)
	a.f.ahead.mu.Lock()
	defer a.f.ahead.mu.Unlock()
	for _, t := range tags {
		a.masks[t.Hash] |= maskOf(t)
	}
	if a.all = a.all || ch.All || !ok || len(a.masks) > maxAheadTags; a.all {
		clear(a.masks)
	}
}

// Recorded says that a record has the changes, and was applied here.
func (a *Ahead) Recorded() {
	if a == nil {
		return
	}
	h := &a.f.ahead
	h.mu.Lock()
	defer h.mu.Unlock()
	if i := slices.Index(h.open, a); i >= 0 {
		h.open = slices.Delete(h.open, i, i+1)
	}
}

// meets reports whether a change that no record has meets one of the tags.
func (h *ahead) meets(tags []tag.Tag) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, a := range h.open {
		if a.all || slices.ContainsFunc(tags, func(t tag.Tag) bool { return a.masks[t.Hash]&maskOf(t) != 0 }) {
			return true
		}
	}
	return false
}

// maskOf is the set of columns of a tag: all of them where none is set.
func maskOf(t tag.Tag) uint64 {
	if t.Mask == 0 {
		return ^uint64(0)
	}
	return t.Mask
}
