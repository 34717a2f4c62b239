package watch

import (
	"container/list"
	"time"

	"github.com/cascadeql/cascadeql/gqlcache/inspect"
)

type opName struct{ name, hash string }

// An opRow is the figures of one operation.
type opRow struct {
	op                     *Operation
	views                  []*viewRow
	hits, misses, bypasses uint64
	entries                int
	bytes                  int64
	saved                  time.Duration
	last                   *inspect.LastInvalidation
	ages                   list.List // of *entry, the last stored first

	// into is the row that took over the figures when another operation needed the room.
	// Entries still name this row then.
	into *opRow
}

// total is the row where the figures are.
func (o *opRow) total() *opRow {
	if o.into != nil {
		return o.into
	}
	return o
}

func (o *opRow) enter(e *entry) {
	e.age = o.ages.PushFront(e)
	o.total().entries++
	o.total().bytes += int64(e.size)
	for _, v := range o.views {
		v.entries++
	}
}

func (o *opRow) leave(e *entry) {
	o.ages.Remove(e.age)
	o.total().entries--
	o.total().bytes -= int64(e.size)
	for _, v := range o.views {
		v.entries--
	}
}

// row returns the row of an operation. When there is no room for another, the one that
// was used least is counted together with the others: a client that makes up names does
// not push out operations that are used. REQUIRES: mu held.
func (s *session) row(op *Operation) *opRow {
	name := opName{op.name, op.hash}
	if row := s.ops[name]; row != nil {
		return row
	}
	if len(s.ops) >= s.r.opts.Limits.Operations {
		s.fold()
	}
	row := &opRow{op: op}
	for _, v := range op.views {
		row.views = append(row.views, s.view(v))
	}
	s.ops[name] = row
	return row
}

// REQUIRES: mu held.
func (s *session) fold() {
	var least *opRow
	for _, row := range s.ops {
		if least == nil || row.used() < least.used() {
			least = row
		}
	}
	delete(s.ops, opName{least.op.name, least.op.hash})
	least.into = s.other
	o := s.other
	o.hits += least.hits
	o.misses += least.misses
	o.bypasses += least.bypasses
	o.entries += least.entries
	o.bytes += least.bytes
	o.saved += least.saved
	if least.last != nil && (o.last == nil || o.last.Seq < least.last.Seq) {
		o.last = least.last
	}
}

func (o *opRow) used() uint64 { return o.hits + o.misses + o.bypasses }

// A viewRow is the figures of one view.
type viewRow struct {
	name                        string
	entries                     int
	hits, misses, invalidations uint64
	last                        *inspect.LastInvalidation
	counted                     uint64 // the last change counted in invalidations
}

// view returns the row of a view. REQUIRES: mu held.
func (s *session) view(name string) *viewRow {
	if v := s.views[name]; v != nil {
		return v
	}
	if len(s.views) >= s.r.opts.Limits.Views {
		name = otherName // names come from the schema, which has a bound of its own
		if v := s.views[name]; v != nil {
			return v
		}
	}
	v := &viewRow{name: name}
	s.views[name] = v
	return v
}

// invalidated counts a change of the view once. REQUIRES: mu held.
func (v *viewRow) invalidated(change uint64, last *inspect.LastInvalidation) {
	v.last = last
	if v.counted != change {
		v.counted = change
		v.invalidations++
	}
}
