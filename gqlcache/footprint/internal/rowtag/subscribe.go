package rowtag

import (
	"cmp"
	"slices"

	"github.com/cascadeql/cascadeql/cascade/tag"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/catalog"
)

// Rows are what a read depends on: the rows of a table that have one of the values in each
// of the Terms' columns.
type Rows struct {
	Table *catalog.Table
	// Terms are sorted by column. Without values there is no such row.
	Terms []Known
	// Mask says what of the rows matters.
	Mask catalog.Mask
	// Since is the Generation from before the request and its snapshot.
	Since uint64
	// Window bounds the rows to those up to the last that a page shows; nil without.
	Window *Window
	// Home is the schema of the rows, where several have the Table and it is known.
	Home Home
}

// A Window is a page of a set, in the order of a column that alone decides it.
type Window struct {
	column     int
	last       uint64
	descending bool
}

// NewWindow returns the window that ends with a value, nil when it has no place.
func NewWindow(column int, last Value, descending bool) *Window {
	at, ok := place(last)
	if !ok {
		return nil
	}
	return &Window{column, at, descending}
}

// Further returns that of two windows of one order which ends later. nil is none.
func (w *Window) Further(o *Window) *Window {
	if w == nil || (o.last > w.last) != o.descending && o.last != w.last {
		return o
	}
	return w
}

// Subscribe adds the tags of a read.
//
// The tags are those of all subsets of the terms: a change publishes the tag of what it
// knows, which may be less than the read compares.
func (s *Shapes) Subscribe(dst []tag.Tag, r *Rows) []tag.Tag {
	mask := r.Mask
	for i := range r.Terms {
		if len(r.Terms[i].Values) == 0 {
			return dst
		}
		mask |= catalog.Bit(r.Terms[i].Column)
	}
	t := s.tables[r.Table]
	if t == nil {
		return append(dst, tag.Tag{Hash: mix(s.TableHash(r.Table.Name)), Mask: catalog.All})
	}
	var buffer [maxTerms]Known
	terms, byKey := choose(buffer[:0], r.Table, r.Terms)
	dst = t.stray(dst, r.Home)
	order, w := -1, r.Window
	if w != nil && !byKey {
		order = w.column
		mask |= catalog.Bit(order)
	}
	if len(terms) == 0 && order < 0 {
		return append(dst, tag.Tag{Hash: t.tableTag(r.Home), Mask: mask})
	}
	var columns [maxTerms]int
	for i := range terms {
		columns[i] = terms[i].Column
	}
	sh := s.need(t, columns[:len(terms)], order, -1)
	if sh == nil || sh.born > r.Since { // a shape that writers may not have known
		return append(dst, tag.Tag{Hash: t.tableTag(r.Home), Mask: mask})
	}
	if len(sh.columns) < len(terms) { // a smaller one: there was no room
		terms = slices.DeleteFunc(terms, func(k Known) bool { return !slices.Contains(sh.columns, k.Column) })
	}
	all := 1<<len(terms) - 1
	for subset := range all + 1 {
		dst = t.combine(dst, sh, terms, subset, setHash(r.Home), func(dst []tag.Tag, hash uint64) []tag.Tag {
			if sh.order >= 0 && subset == all {
				return subscribeUntil(dst, hash, w, mask)
			}
			return append(dst, tag.Tag{Hash: hash, Mask: mask})
		})
	}
	return dst
}

// Covers reports whether a read whose tags are given, sorted by their hash, depends on the
// row of a table that has a value in its key of one column. v is as ValueOf wants it.
func (s *Shapes) Covers(tags []tag.Tag, table *catalog.Table, v any) bool {
	t := s.tables[table]
	if t == nil || table.Ambiguous {
		return false
	}
	has := func(hash uint64) bool {
		_, found := slices.BinarySearchFunc(tags, hash, func(t tag.Tag, hash uint64) int { return cmp.Compare(t.Hash, hash) })
		return found
	}
	for _, key := range table.Keys {
		if len(key) != 1 {
			continue
		}
		if x, ok := ValueOf(table.Columns[key[0]].Class, v); ok && x != Null {
			if sh := t.find(key, -1, -1); has(t.tableTag(0)) || sh != nil && has(setHash(0).with(t.columns[key[0]], x).tag(sh)) {
				return true
			}
		}
	}
	return false
}

// choose takes those of the terms that tags are made of: a key alone, or the first ones.
func choose(dst []Known, t *catalog.Table, terms []Known) (chosen []Known, byKey bool) {
	for _, key := range t.Keys {
		if len(key) > maxTerms {
			continue
		}
		dst = dst[:0]
		combinations := 1
		for i := range terms {
			if slices.Contains(key, terms[i].Column) {
				combinations *= len(terms[i].Values)
				dst = append(dst, terms[i])
			}
		}
		if len(dst) == len(key) && (combinations <= maxCombinations || len(key) == 1 && combinations <= maxValues) {
			return dst, true
		}
	}
	dst = dst[:0]
	combinations := 1
	for i := range terms {
		if n := combinations * len(terms[i].Values); len(dst) < maxTerms && n <= maxCombinations {
			combinations = n
			dst = append(dst, terms[i])
		}
	}
	if len(dst) > 0 {
		return dst, false
	}
	for i := range terms {
		if len(terms[i].Values) <= maxValues {
			return append(dst, terms[i]), false
		}
	}
	return dst, false
}

// combine calls f with the hash of each combination of the values of a subset of terms.
func (t *tableShapes) combine(dst []tag.Tag, sh *shape, terms []Known, subset int, h setHash, f func([]tag.Tag, uint64) []tag.Tag) []tag.Tag {
	for i := range terms {
		if subset&(1<<i) == 0 {
			continue
		}
		for _, v := range terms[i].Values {
			dst = t.combine(dst, sh, terms[i+1:], subset>>(i+1), h.with(t.columns[terms[i].Column], v), f)
		}
		return dst
	}
	return f(dst, h.tag(sh))
}

// SubscribeContains adds the tags of a read of rows whose column contains one of the
// operands, whatever the case of ASCII letters. ok is false, and nothing is added, when no
// tag can stand for one of them.
func (s *Shapes) SubscribeContains(dst []tag.Tag, r *Rows, column int, operands []string) (tags []tag.Tag, ok bool) {
	t := s.tables[r.Table]
	if t == nil || len(operands) == 0 || len(operands) > maxCombinations {
		return dst, false
	}
	for _, x := range operands {
		if _, ok := gramOf(x); !ok {
			return dst, false
		}
	}
	mask := r.Mask | catalog.Bit(column)
	dst = t.stray(dst, r.Home)
	sh := s.need(t, []int{column}, -1, column)
	if sh == nil || sh.grams != column || sh.born > r.Since {
		return append(dst, tag.Tag{Hash: t.tableTag(r.Home), Mask: mask}), true
	}
	dst = append(dst, tag.Tag{Hash: sh.gramTag(r.Home, ""), Mask: mask})
	for _, x := range operands {
		g, _ := gramOf(x)
		dst = append(dst, tag.Tag{Hash: sh.gramTag(r.Home, g), Mask: mask})
	}
	return dst, true
}
