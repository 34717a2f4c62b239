package cascade

import (
	"slices"
	"strings"
)

// An Event is one change of one view.
type Event struct {
	View *View
	Op   Op
	// Rows are the canonical keys of the rows changed; All says that there may be others.
	Rows []string
	All  bool
	// Columns are the columns that changed; AllColumns when unknown, and always unless Op is Update.
	Columns Mask
	// Old and New are values that every row of the event had before and has afterwards.
	Old, New Known

	// everywhere says that the change is not confined to the partition that it was made in: it follows
	// from a change of a view that the partitions share.
	everywhere bool
}

// Known are the values known of some columns. A column with several values holds one of them.
type Known []ColumnValues

// ColumnValues are the values that a column may hold.
type ColumnValues struct {
	Column string
	Values []Value
}

// of returns the values of a column; nil when they are not known.
func (k Known) of(column string) []Value {
	for i := range k {
		if k[i].Column == column {
			return k[i].Values
		}
	}
	return nil
}

// with returns k with the values of a column, replacing what was known of it.
func (k Known) with(column string, values []Value) Known {
	for i := range k {
		if k[i].Column == column {
			k = slices.Clone(k)
			k[i].Values = values
			return k
		}
	}
	return append(k[:len(k):len(k)], ColumnValues{column, values})
}

// RowEvent returns a change of one row of a type or view about which nothing else is known. A key that
// is null or unknown stands for every row. ok is false when the name is neither.
func (p *Plan) RowEvent(name string, id Value) (events []Event, ok bool) {
	for _, v := range p.viewsNamed(name) {
		events = append(events, p.rowEvent(v, name, Any, id))
	}
	return events, len(events) > 0
}

// rowEvent is a change of the row of a view that has the given key under the given name. A type's key
// is that of its first view: it names no row of another one that has a different key.
func (p *Plan) rowEvent(v *View, name string, op Op, id Value) Event {
	foreign := v.Name != name && slices.ContainsFunc(v.Types, func(t string) bool { return p.byType[t][0].Key != v.Key })
	if foreign || id.kind != valueText {
		return Event{View: v, Op: Any, All: true, Columns: AllColumns}
	}
	return Event{View: v, Op: op, Rows: []string{id.text}, Columns: AllColumns}
}

// ViewEvent returns a change of unknown rows of a view or of the views of a type.
func (p *Plan) ViewEvent(name string) (events []Event, ok bool) {
	for _, v := range p.viewsNamed(name) {
		events = append(events, Event{View: v, Op: Any, All: true, Columns: AllColumns})
	}
	return events, len(events) > 0
}

// viewsNamed resolves the name of a view, an object type, or an interface or union.
func (p *Plan) viewsNamed(name string) []*View {
	if vs := p.byType[name]; len(vs) > 0 {
		return vs
	}
	if v := p.byName[name]; v != nil {
		return []*View{v}
	}
	var vs []*View
	if def := p.schema.Types[name]; def != nil && def.IsAbstractType() {
		for _, t := range p.schema.GetPossibleTypes(def) {
			for _, v := range p.byType[t.Name] {
				if !slices.Contains(vs, v) {
					vs = append(vs, v)
				}
			}
		}
	}
	return vs
}

// Publish appends to dst the tags of the events and of everything derived from them, and returns all of
// it merged and sorted by hash. A change made inside a partition reaches, in partitioned views, only
// that partition's readers and those outside all partitions; what is derived from a view that is not
// partitioned reaches all.
func (p *Plan) Publish(dst []Tag, events []Event, part Partition) []Tag {
	pub := publisher{out: append(dst, Anything)}
	all := p.Cascade(events)
	for i := range all {
		pub.part = part
		if all[i].everywhere {
			pub.part = Partition{}
		}
		pub.event(&all[i])
	}
	return Merge(pub.out)
}

// Cascade returns the events and those that follow from them through the view graph. A derived row
// is visited once, however many ways lead to it.
func (p *Plan) Cascade(events []Event) []Event {
	all := slices.Clone(events)
	seen := map[derivedRow]bool{}
	visited := func(d *Event, all bool, k string) bool {
		return seen[derivedRow{d.View, d.everywhere, all, k}] || seen[derivedRow{d.View, true, all, k}]
	}
	for i := 0; i < len(all); i++ { // grows while it runs; the graph has no cycles
		e := all[i]
		for _, edge := range e.View.out {
			if e.Columns&(edge.using|existence) == 0 {
				continue
			}
			d := Event{View: edge.to, Op: Any, Columns: AllColumns, everywhere: e.everywhere || !e.View.Partitioned}
			rows, known := edge.rows(&e)
			if !known {
				d.All = true
				rows = []string{""}
			}
			for _, k := range rows {
				if visited(&d, d.All, k) || visited(&d, true, "") {
					continue
				}
				seen[derivedRow{d.View, d.everywhere, d.All, k}] = true
				if d.All {
					all = append(all, d)
				} else {
					d.Rows = append(d.Rows, k)
				}
			}
			if len(d.Rows) > 0 {
				all = append(all, d)
			}
		}
	}
	return all
}

type derivedRow struct {
	view            *View
	everywhere, all bool
	key             string
}

// rows returns the keys of the rows derived from an event's rows, when they can be told: from the old
// and the new value of the key's column, which are one when the column did not change.
func (d *edge) rows(e *Event) ([]string, bool) {
	if d.key == "" {
		return nil, false
	}
	if d.key == d.from.Key && len(d.from.Types) > 0 { // the row's own key, which never changes
		return e.Rows, !e.All
	}
	before, after := e.Old.of(d.key), e.New.of(d.key)
	switch e.Op {
	case Create:
		return texts(after, nil)
	case Delete:
		return texts(before, nil)
	case Update:
		if m, _ := d.from.column(d.key); e.Columns&m == 0 {
			if before == nil {
				before = after
			}
			return texts(before, nil)
		}
	}
	if before == nil || after == nil {
		return nil, false
	}
	return texts(before, after)
}

// texts joins the values of two lists. A null names no row.
func texts(a, b []Value) (keys []string, known bool) {
	if a == nil {
		return nil, false
	}
	for _, v := range slices.Concat(a, b) {
		switch v.kind {
		case valueText:
			keys = append(keys, v.text)
		case valueUnknown:
			return nil, false
		}
	}
	return keys, true
}

// A publisher turns events into tags.
type publisher struct {
	out  []Tag
	part Partition
	b    tagBuilder
	keys []Value // of the event's rows, when it has no others
}

func (p *publisher) event(e *Event) {
	if e.Columns == 0 || (len(e.Rows) == 0 && !e.All) {
		return // nothing changed
	}
	p.keys = p.keys[:0]
	for _, k := range e.Rows {
		p.out = append(p.out, Tag{p.b.row(e.View, []byte(k)), uint64(e.Columns)})
		p.keys = append(p.keys, Value{kind: valueText, text: k})
	}
	if e.All {
		p.keys = p.keys[:0]
	}
	parts, n := writerParts(e.View, p.part)
	for _, part := range parts[:n] {
		p.rows(e, part)
		p.shapes(e, part)
	}
}

// rows publishes what the reads of rows listen to besides their own rows.
func (p *publisher) rows(e *Event, part uint64) {
	add := func(kind byte) {
		p.out = append(p.out, Tag{p.b.rows(kind, e.View, part), uint64(e.Columns)})
	}
	if e.All && e.Op != Create { // a row that is created was not there
		add(tagAllRows)
	}
	if e.All && e.Op != Delete { // a row that is deleted was there
		add(tagNoRow)
	}
	if e.Op != Create && e.Op != Delete {
		add(tagUpdate)
	}
}

// shapes publishes what the where-reads of the view listen to.
func (p *publisher) shapes(e *Event, part uint64) {
	for i := range e.View.shapes {
		sh := &e.View.shapes[i]
		if len(sh.columns) == 0 {
			mask := e.Columns
			switch e.Op {
			case Create:
				mask = created
			case Delete:
				mask = vanished
			}
			p.out = append(p.out, Tag{p.b.set(sh.id, 0, nil, part), uint64(mask)})
			continue
		}
		if e.Columns&(sh.mask|existence) == 0 {
			continue
		}
		switch {
		case e.Op == Create:
			p.tuple(sh, e, e.New, nil, created, part)
		case e.Op == Delete:
			p.tuple(sh, e, e.Old, nil, vanished, part)
		case e.Op == Update && e.Columns&existence == 0:
			// a column that did not change has one value, whichever side knows it
			left, entered := e.Columns, e.Columns
			if sh.moved(e) {
				left, entered = vanished, existence
			}
			p.tuple(sh, e, e.Old, e.New, left, part)
			p.tuple(sh, e, e.New, e.Old, entered, part)
		default:
			p.tuple(sh, e, nil, nil, e.Columns, part)
		}
	}
}

// tuple publishes the tags of one side's values: for the columns of the shape that are known, each
// combination; the reads that compare other columns as well subscribe to every subset of theirs.
// other tells the values of columns that did not change. The key of known rows is always known.
func (p *publisher) tuple(sh *shape, e *Event, side, other Known, mask Mask, part uint64) {
	var known uint
	var lists [maxTerms][]Value
	combos := 1
	for i, c := range sh.names {
		vals, most := side.of(c), maxCombinations
		if vals == nil && other != nil && e.Columns&sh.bits[i] == 0 {
			vals = other.of(c)
		}
		if c == e.View.Key && len(p.keys) > 0 {
			vals = p.keys
		}
		if vals == nil || slices.ContainsFunc(vals, func(v Value) bool { return !v.Known() }) {
			continue
		}
		if c != sh.columns[i] { // contains
			grams, ok := gramsOfValues(vals)
			if !ok {
				continue
			}
			vals, most = grams, maxGrams
		}
		if combos*len(vals) > most {
			continue
		}
		combos *= len(vals)
		known |= 1 << i
		lists[i] = vals
	}
	leaf := setLeaf{sh: sh, known: known, mask: mask, part: part}
	if all := uint(1)<<len(sh.columns) - 1; sh.order != "" && known == all {
		leaf.ordered = true
		at := side.of(sh.order)
		if m, _ := e.View.column(sh.order); at == nil && other != nil && e.Columns&m == 0 {
			at = other.of(sh.order)
		}
		if len(at) == 1 && len(e.Rows) == 1 && !e.All {
			leaf.place, leaf.placed = placeOf(at[0])
		}
	}
	var combo [maxTerms]Value
	p.combine(&leaf, 0, lists[:len(sh.columns)], combo[:len(sh.columns)])
}

// setLeaf is what the tags of one side of a change have in common.
type setLeaf struct {
	sh    *shape
	known uint
	mask  Mask
	part  uint64
	// ordered says that pages listen for the place of the change, placed that it is known.
	ordered, placed bool
	place           uint64
}

func (p *publisher) combine(leaf *setLeaf, i int, lists [][]Value, combo []Value) {
	if i == len(lists) {
		set := p.b.set(leaf.sh.id, leaf.known, combo, leaf.part)
		p.out = append(p.out, Tag{set, uint64(leaf.mask)})
		if leaf.ordered {
			p.places(set, leaf.place, leaf.placed, leaf.mask)
		}
		return
	}
	if leaf.known&(1<<i) == 0 {
		p.combine(leaf, i+1, lists, combo)
		return
	}
	for _, v := range lists[i] {
		combo[i] = v
		p.combine(leaf, i+1, lists, combo)
	}
}

// columnName is how a path of fields is written as a column; splitPath is the reverse.
func columnName(path []string) string { return strings.Join(path, ".") }

func splitPath(column string) []string { return strings.Split(column, ".") }
