package watch

import (
	"container/list"
	"time"

	"github.com/cascadeql/cascadeql/cascade"
)

// An entry is a stored answer in the index.
type entry struct {
	id      id
	op      *opRow
	parts   []part
	slots   []slot
	born    uint64
	stored  uint64 // session.stores when it was
	size    int
	expires time.Time
	cost    time.Duration
	live    func() bool
	hits    uint64

	recent, age *list.Element
}

func (e *entry) expired(now time.Time) bool { return !e.expires.IsZero() && !now.Before(e.expires) }

// A bucket holds the entries with one tag. An entry knows its places in the buckets, so
// that it can be taken out of a bucket of thousands at once.
type bucket struct {
	hash uint64
	refs []ref
}

type ref struct {
	e    *entry
	mask uint64
	slot int32 // in e.slots
}

type slot struct {
	b  *bucket
	at int32 // in b.refs
}

// maskOf is the set of columns of a tag; zero, which somebody forgot to set, is all of
// them.
func maskOf(t cascade.Tag) uint64 {
	if t.Mask == 0 {
		return ^uint64(0)
	}
	return t.Mask
}

// add puts an entry into the index, and the entries used least out of it until there is
// room. REQUIRES: mu held, and no entry with its id.
func (s *session) add(e *entry, tags []cascade.Tag, now time.Time) {
	limits := &s.r.opts.Limits
	for len(s.entries) > 0 && (len(s.entries) >= limits.Entries || s.slots+len(tags) > limits.Tags) {
		s.left++
		s.remove(s.recent.Back().Value.(*entry))
	}
	e.slots = make([]slot, 0, len(tags))
	for _, t := range tags {
		if t == (cascade.Tag{}) { // where repetitions were
			continue
		}
		b := s.buckets[t.Hash]
		if b == nil {
			b = &bucket{hash: t.Hash}
			s.buckets[t.Hash] = b
		}
		b.refs = append(b.refs, ref{e, maskOf(t), int32(len(e.slots))})
		e.slots = append(e.slots, slot{b, int32(len(b.refs) - 1)})
	}
	s.slots += len(e.slots)
	s.bytes += int64(e.size)
	s.entries[e.id] = e
	e.recent = s.recent.PushFront(e)
	e.op.enter(e)
	for _, p := range e.parts {
		if p.predicate {
			s.predicates[p.value]++
		}
	}
}

// remove takes an entry out of the index. REQUIRES: mu held.
func (s *session) remove(e *entry) {
	for _, sl := range e.slots {
		b := sl.b
		last := len(b.refs) - 1
		moved := b.refs[last]
		b.refs[sl.at] = moved
		moved.e.slots[moved.slot].at = sl.at
		b.refs[last] = ref{}
		b.refs = b.refs[:last]
		switch {
		case last == 0:
			delete(s.buckets, b.hash)
		case last < cap(b.refs)/4:
			b.refs = append(make([]ref, 0, 2*last), b.refs...)
		}
	}
	s.slots -= len(e.slots)
	s.bytes -= int64(e.size)
	delete(s.entries, e.id)
	s.recent.Remove(e.recent)
	e.op.leave(e)
	for _, p := range e.parts {
		if !p.predicate {
			continue
		}
		if s.predicates[p.value]--; s.predicates[p.value] == 0 {
			delete(s.predicates, p.value)
		}
	}
}

// prune takes out what has expired, at most once a second. REQUIRES: mu held.
func (s *session) prune(now time.Time) {
	if now.Sub(s.pruned).Abs() < time.Second {
		return
	}
	s.pruned = now
	for _, e := range s.entries {
		if e.expired(now) {
			s.drop(e, removal{code: expired})
		}
	}
}
