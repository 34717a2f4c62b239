package observe

import (
	"cmp"
	"database/sql/driver"
	"slices"

	"github.com/cascadeql/cascadeql/cascade/tag"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/analysis"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/catalog"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/rowtag"
)

// A reading is what one run of a statement reads, as far as it is known.
type reading struct {
	tags   []tag.Tag
	merged int
	// hidden are the tags of columns that do not matter to the own recording.
	hidden       []tag.Tag
	mergedHidden int
	unknown      string
	uncommitted  string
	finished     bool
	skipped      bool
	since        uint64
	rows         int64
	refs         []refReading
}

// A refReading is a ref's, with this run's arguments.
type refReading struct {
	terms []rowtag.Known
	// where are the columns of Ref.Where that decide with these arguments.
	where catalog.Mask
	// byKey says that the terms are a key's.
	byKey bool
	// hidden are columns that do not matter to the own recording.
	hidden catalog.Mask
	// none says that a term has no values: there are no rows.
	none bool
	// searched is a column of Contains, -1 for none.
	searched int
	operands []string
	// limit and offset are known where bounded.
	limit, offset int64
	bounded       bool
	// last is the Window's column in the last row.
	last rowtag.Value
	// first is how far the first rows of several sets reach.
	first firstReading
	// key is that of the last row, and keyTerms are the terms with its values.
	key      []rowtag.Value
	keyTerms []rowtag.Known
	// unkeyed says that a row had a key that is not known.
	unkeyed bool
}

// read evaluates what the statement reads. hidden is what hides has returned. REQUIRES: mu
// is held.
func (e *Execution) read(args arguments, hidden []catalog.Mask) {
	rd := &e.rd
	if rd.unknown = e.why; rd.unknown != "" {
		return
	}
	rd.since = e.asOf.generation
	if e.own != nil {
		rd.since = min(rd.since, e.own.start.Since)
	}
	rd.refs = make([]refReading, len(e.a.Refs))
	for i, r := range e.a.Refs {
		x := &rd.refs[i]
		x.evaluate(r, args)
		if hidden != nil {
			x.hidden = hidden[i] &^ x.where
		}
	}
	e.shareFirst()
}

// evaluate takes the values of a run.
func (x *refReading) evaluate(r *analysis.Ref, args arguments) {
	x.searched = -1
	x.where = args.where(r)
	for i := range r.Terms {
		t := &r.Terms[i]
		vals, ok, off := args.values(r.Table.Columns[t.Column].Class, &t.Source)
		if !ok || off {
			continue
		}
		x.none = x.none || len(vals) == 0
		x.terms = append(x.terms, rowtag.Known{Column: t.Column, Values: vals})
	}
	slices.SortFunc(x.terms, func(a, b rowtag.Known) int { return a.Column - b.Column })
	x.byKey = hasKey(r.Table, x.compares)
	for i := range r.Contains {
		t := &r.Contains[i]
		if text, ok := args.text(&t.Source); ok && r.Table.Columns[t.Column].Class == catalog.Text {
			x.searched, x.operands = t.Column, []string{text}
			break
		}
	}
	if r.First != nil {
		x.first.evaluate(r.First, args)
	}
	if r.Limit == nil {
		return
	}
	if x.limit, x.bounded = args.number(r.Limit); x.bounded && r.Offset != nil {
		x.offset, x.bounded = args.number(r.Offset)
	}
}

// compares reports whether a column is one of the terms.
func (x *refReading) compares(column int) bool {
	return slices.ContainsFunc(x.terms, func(k rowtag.Known) bool { return k.Column == column })
}

// hasKey reports whether a table has a key of such columns.
func hasKey(t *catalog.Table, is func(column int) bool) bool {
	return slices.ContainsFunc(t.Keys, func(key []int) bool {
		return !slices.ContainsFunc(key, func(c int) bool { return !is(c) })
	})
}

// readRow takes a row of the result. REQUIRES: mu is held.
func (e *Execution) readRow(dest []driver.Value) {
	rd := &e.rd
	if rd.finished || rd.unknown != "" {
		return
	}
	rd.rows++
	for i, r := range e.a.Refs {
		x := &rd.refs[i]
		if r.First != nil {
			x.first.row(r, dest)
		} else if r.Window >= 0 && r.WindowOut >= 0 && r.WindowOut < len(dest) {
			var ok bool
			if x.last, ok = rowtag.ValueOf(r.Table.Columns[r.Window].Class, dest[r.WindowOut]); !ok {
				x.last = 0 // a text or a blob, which SQLite stores in any column
			}
		}
		if !r.Shown || x.unkeyed || len(r.KeyColumns) == 1 && x.byKey && len(x.terms) == 1 && x.terms[0].Column == r.KeyColumns[0] {
			continue // all is said by what it is asked for
		}
		e.showRow(r, x, dest)
	}
	e.compact()
}

// showRow subscribes to a row that is shown.
func (e *Execution) showRow(r *analysis.Ref, x *refReading, dest []driver.Value) {
	same := len(x.key) == len(r.KeyColumns)
	if !same {
		x.key = make([]rowtag.Value, len(r.KeyColumns))
		x.keyTerms = make([]rowtag.Known, len(x.key))
		for j, c := range r.KeyColumns {
			x.keyTerms[j] = rowtag.Known{Column: c, Values: x.key[j : j+1 : j+1]}
		}
		slices.SortFunc(x.keyTerms, func(a, b rowtag.Known) int { return a.Column - b.Column })
	}
	for j, c := range r.KeyColumns {
		v, ok := rowtag.Value(0), false
		if at := r.KeyOuts[j]; at >= 0 && at < len(dest) {
			v, ok = returned(r.Table.Columns[c].Class, dest[at])
		}
		if !ok {
			x.unkeyed = true
			return
		}
		same = same && x.key[j] == v
		x.key[j] = v
	}
	if same || slices.Contains(x.key, rowtag.Null) { // the empty side of an outer join
		return
	}
	e.rd.tags = e.subscribe(e.rd.tags, x, &rowtag.Rows{
		Table: r.Table, Home: e.homeOf(r), Terms: x.keyTerms, Since: e.rd.since,
		Mask: x.where | x.first.where | r.Selected | r.Order | catalog.Presence,
	})
}

// compact merges tags that have become many.
func (e *Execution) compact() {
	rd := &e.rd
	if len(rd.tags) > 2*rd.merged+1024 {
		rd.tags = tag.Merge(rd.tags)
		rd.merged = len(rd.tags)
	}
	if len(rd.hidden) > 2*rd.mergedHidden+1024 {
		rd.hidden = tag.Merge(rd.hidden)
		rd.mergedHidden = len(rd.hidden)
	}
	if len(rd.tags)+len(rd.hidden) > maxTags {
		rd.unknown, rd.tags, rd.hidden = "it depends on too many rows", nil, nil
	}
}

// readAll ends the reading. REQUIRES: mu is held, by the session's goroutine.
func (e *Execution) readAll(complete bool, err error) {
	rd, s := &e.rd, e.s
	rd.tags = e.rest(rd.tags, complete)
	rd.finished = true
	if err != nil && e.writes && rd.unknown == "" {
		rd.unknown = "a write has failed"
	}
	if s.undone.Load() != e.undone || s.writing > 0 || s.tx.open && !s.pending.empty() && s.pending.meets(s.o.state.Load(), rd) {
		rd.uncommitted = e.text
	}
}

// meets reports whether what is pending reaches what was read, when it is committed or when it
// is undone. The shapes that the reading relies on are known by now.
//
//   - T deletes a post, and reads the list of posts, which lacks it. The list depends on
//     posts that come. T rolls back: the post has come for everybody who keeps the list.
func (p *pending) meets(st *state, rd *reading) bool {
	if p.everything != "" || rd.unknown != "" || st == nil || st != p.st {
		return true
	}
	if g := rowtag.Generation(); p.generation != g || p.tags == nil {
		p.tags, p.generation = st.tagsOf(p.events), g
		for i := range p.tags {
			if m := &p.tags[i].Mask; *m&catalog.Presence != 0 {
				*m |= catalog.Presence
			}
		}
	}
	return slices.ContainsFunc(rd.tags, p.reaches) || slices.ContainsFunc(rd.hidden, p.reaches)
}

// reaches reports whether what is pending changes what has the tag.
func (p *pending) reaches(t tag.Tag) bool {
	i, found := slices.BinarySearchFunc(p.tags, t.Hash, func(a tag.Tag, h uint64) int { return cmp.Compare(a.Hash, h) })
	return found && p.tags[i].Mask&t.Mask != 0
}

// wide adds what a statement reads whose rows were not observed.
func (e *Execution) wide(dst []tag.Tag) (tags []tag.Tag, unknown string) {
	if e.why != "" {
		return dst, e.why
	}
	for _, r := range e.a.Refs {
		dst = e.st.shapes.Subscribe(dst, &rowtag.Rows{Table: r.Table, Home: e.homeOf(r), Mask: r.Where | r.Selected | r.Order | catalog.Presence})
	}
	return e.conflicts(dst), ""
}

// coarse adds the tags of the tables that a statement reads, with all their columns: these
// have other numbers in other catalogs.
func (e *Execution) coarse(dst []tag.Tag) []tag.Tag {
	if e.why != "" {
		return dst
	}
	for _, r := range e.a.Refs {
		dst = e.st.shapes.Subscribe(dst, &rowtag.Rows{Table: r.Table, Mask: catalog.All})
	}
	return e.conflicts(dst)
}

// conflicts adds what an INSERT tells of rows that are there: how many it has affected.
func (e *Execution) conflicts(dst []tag.Tag) []tag.Tag {
	for _, w := range e.a.Writes {
		if w.Ignores || w.Kind == analysis.Any {
			rows := rowtag.Rows{Table: w.Table, Mask: catalog.All}
			if w.Table.Ambiguous && w.In == (analysis.In{}) {
				rows.Home = e.home
			}
			dst = e.st.shapes.Subscribe(dst, &rows)
		}
	}
	return dst
}

// rest adds what decides which rows there are. complete says that all were seen. REQUIRES:
// mu is held.
func (e *Execution) rest(dst []tag.Tag, complete bool) []tag.Tag {
	rd := &e.rd
	if rd.unknown != "" || rd.refs == nil {
		return dst
	}
	for i, r := range e.a.Refs {
		dst = e.restOf(dst, r, &rd.refs[i], complete)
	}
	return e.conflicts(dst)
}

func (e *Execution) restOf(dst []tag.Tag, r *analysis.Ref, x *refReading, complete bool) []tag.Tag {
	if x.none {
		return dst
	}
	mask := x.where
	if r.Limited {
		mask |= r.Order
	}
	var window *rowtag.Window
	switch {
	case e.full(r, x, complete):
		mask |= r.Order | catalog.Created
		if x.first.offset > 0 { // one that goes from before the page moves it
			mask |= catalog.Presence
		}
		window = x.first.window
	case x.byKey || !r.Shown || !complete || x.unkeyed:
		mask |= r.Selected | r.Order | catalog.Presence
	default:
		presence, paged := x.presence(r, e.rd.rows)
		mask |= presence
		if paged && r.Window >= 0 && x.last != 0 {
			window = rowtag.NewWindow(r.Window, x.last, r.Descending)
		}
	}
	if r.Joined && !r.Pinned && !x.byKey {
		mask &^= catalog.Created
		if r.Shown && !r.Limited && complete && !x.unkeyed {
			mask &^= catalog.Vanished
		}
	}
	rows := rowtag.Rows{Table: r.Table, Home: e.homeOf(r), Terms: x.terms, Mask: mask, Since: e.rd.since, Window: window}
	if x.searched >= 0 && !x.byKey {
		if tags, ok := e.st.shapes.SubscribeContains(dst, &rows, x.searched, x.operands); ok {
			return tags
		}
	}
	return e.subscribe(dst, x, &rows)
}

// presence returns whether it matters that rows come to the set, or go from it, which are
// not shown. paged says that only those up to the last row that is shown do.
func (x *refReading) presence(r *analysis.Ref, rows int64) (mask catalog.Mask, paged bool) {
	switch {
	case !r.Limited:
		return catalog.Created, false // the others matter only when they enter
	case !x.bounded || !r.Single || x.offset < 0:
		return catalog.Presence, false
	case x.offset == 0 && (x.limit < 0 || rows < x.limit):
		return catalog.Created, false // all rows are shown
	case x.offset == 0:
		return catalog.Created, true // one that goes moves no other one in
	case rows == x.limit && rows > 0:
		return catalog.Presence, true // one that goes from before the page moves it
	}
	return catalog.Presence, false
}
