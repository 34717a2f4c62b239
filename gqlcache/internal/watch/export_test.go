package watch

import "fmt"

// Sizes are how much a recorder holds.
type Sizes struct{ Entries, Slots, Buckets, Removals, Operations, Views, Log, Pending, Refs int }

// Sizes returns how much is held; nothing while nobody watches.
func (r *Recorder) Sizes() Sizes {
	s := r.live.Load()
	if s == nil {
		return Sizes{}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	x := Sizes{len(s.entries), s.slots, len(s.buckets), len(s.removals), len(s.ops), len(s.views), len(s.log), len(s.pending), 0}
	for _, b := range s.buckets {
		x.Refs += cap(b.refs)
	}
	return x
}

// Check says which invariant of the session is broken.
func (r *Recorder) Check() error {
	s := r.live.Load()
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	slots, refs, bytes := 0, 0, int64(0)
	rows := map[*opRow]int{}
	views := map[*viewRow]int{}
	predicates := map[uint64]int{}
	for k, e := range s.entries {
		if e.id != k || s.removals[k] != nil {
			return fmt.Errorf("entry %v under %v, removal %v", e.id, k, s.removals[k])
		}
		for i, sl := range e.slots {
			if b := s.buckets[sl.b.hash]; b != sl.b || b.refs[sl.at].e != e || int(b.refs[sl.at].slot) != i {
				return fmt.Errorf("slot %d of an entry is not in its bucket", i)
			}
		}
		slots += len(e.slots)
		bytes += int64(e.size)
		rows[e.op.total()]++
		for _, v := range e.op.views {
			views[v]++
		}
		for _, p := range e.parts {
			if p.predicate {
				predicates[p.value]++
			}
		}
	}
	for _, b := range s.buckets {
		if len(b.refs) == 0 {
			return fmt.Errorf("an empty bucket")
		}
		refs += len(b.refs)
	}
	if slots != s.slots || refs != s.slots || bytes != s.bytes || s.recent.Len() != len(s.entries) || s.removed.Len() != len(s.removals) {
		return fmt.Errorf("slots %d, in buckets %d, counted %d; bytes %d, counted %d; %d entries, %d in order; %d removals, %d in order",
			slots, refs, s.slots, bytes, s.bytes, len(s.entries), s.recent.Len(), len(s.removals), s.removed.Len())
	}
	for _, row := range s.ops {
		if row.entries != rows[row] || row.ages.Len() != rows[row] {
			return fmt.Errorf("operation %s: %d entries, counted %d, in order %d", row.op.name, rows[row], row.entries, row.ages.Len())
		}
	}
	if s.other.entries != rows[s.other] {
		return fmt.Errorf("other operations: %d entries, counted %d", rows[s.other], s.other.entries)
	}
	for _, v := range s.views {
		if v.entries != views[v] {
			return fmt.Errorf("view %s: %d entries, counted %d", v.name, views[v], v.entries)
		}
	}
	if fmt.Sprint(predicates) != fmt.Sprint(s.predicates) {
		return fmt.Errorf("predicates %v, counted %v", predicates, s.predicates)
	}
	return nil
}
