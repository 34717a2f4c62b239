package cascade

import "github.com/cespare/xxhash/v2"

// Reads and changes that a program names by itself, beside what the schema declares of
// its operations.

// ReadRow appends to dst the tags of what depends on one row of a type or view, there or
// not, of which any column may matter. A key that is null or unknown stands for every row.
// partitioned says that the rows belong to tenants. ok is false when the name is neither.
func (p *Plan) ReadRow(dst []Tag, name string, key Value, part Partition) (tags []Tag, partitioned, ok bool) {
	r := reader{part: part, out: dst}
	views := p.viewsNamed(name)
	for _, v := range views {
		partitioned = partitioned || v.Partitioned
		if e := p.rowEvent(v, name, Any, key); e.All {
			r.whole(v, AllColumns)
			continue
		}
		r.anyRow(v, []byte(key.text))
	}
	return r.out, partitioned, len(views) > 0
}

// ReadView appends to dst the tags of what depends on all rows of a view, or of the views
// of a type: see ReadRow.
func (p *Plan) ReadView(dst []Tag, name string, part Partition) (tags []Tag, partitioned, ok bool) {
	r := reader{part: part, out: dst}
	views := p.viewsNamed(name)
	for _, v := range views {
		partitioned = partitioned || v.Partitioned
		r.whole(v, AllColumns)
	}
	return r.out, partitioned, len(views) > 0
}

// ReadWhere appends to dst the tags of what depends on the rows of a view, or of the views
// of a type, with one value in a column: see ReadRow. ok is also false when none of the
// views has the column.
//
// Changes say which rows come into a set and leave it where some field's @reads compares
// the column. What else changes in a row is published by row only, and which rows are in
// the set is not known here: so updates of the view's other rows count, too. Where no
// field compares the column, and for a value that cannot be compared, it is the whole view.
func (p *Plan) ReadWhere(dst []Tag, name, column string, value Value, part Partition) (tags []Tag, partitioned, ok bool) {
	r := reader{part: part, out: dst}
	for _, v := range p.viewsNamed(name) {
		partitioned = partitioned || v.Partitioned
		if _, has := v.column(column); has {
			ok = true
		}
		classes, comparable := withClasses([]Value{value})
		sh := v.shape([]string{column})
		if sh == nil || !comparable || value.mayBeAbsent() {
			r.whole(v, AllColumns)
			continue
		}
		parts, n := readerParts(v, part)
		for known := range uint(2) {
			r.subset(sh, known, 0, [][]Value{classes}, make([]Value, 1), AllColumns, parts[:n])
		}
		for _, at := range parts[:n] {
			r.add(r.b.rows(tagUpdate, v, at), AllColumns)
			r.add(r.b.rows(tagAllRows, v, at), AllColumns)
		}
	}
	return r.out, partitioned, ok
}

// ReadConsulted appends to dst the tags of what a predicate's condition depends on: a view
// whose rows decide whether it holds, or, as "view.column", a column that it compares. ok
// is false when the name is neither.
func (p *Plan) ReadConsulted(dst []Tag, name string, part Partition) (tags []Tag, ok bool) {
	if tags, _, ok = p.ReadView(dst, name, part); ok {
		return tags, true
	}
	r := reader{part: part, out: dst}
	for i := range len(name) {
		if name[i] != '.' {
			continue
		}
		v := p.viewNamed(name[:i])
		if v == nil {
			continue
		}
		if m, has := v.column(name[i+1:]); has {
			r.whole(v, m|presence)
			return r.out, true
		}
	}
	return dst, false
}

// WhereEvents returns a change of unknown rows of a view, or of the views of a type, that
// had or have one value in a column: any of them may have come, gone or changed. ok is
// false when none of the views has the column.
func (p *Plan) WhereEvents(name, column string, value Value) (events []Event, ok bool) {
	for _, v := range p.viewsNamed(name) {
		_, has := v.column(column)
		if ok = ok || has; !has || !value.Known() {
			events = append(events, Event{View: v, Op: Any, All: true, Columns: AllColumns})
			continue
		}
		held := Known{{Column: column, Values: []Value{value}}}
		events = append(events,
			Event{View: v, Op: Create, All: true, Columns: AllColumns, New: held},
			Event{View: v, Op: Delete, All: true, Columns: AllColumns, Old: held},
			Event{View: v, Op: Update, All: true, Columns: AllColumns &^ presence, Old: held, New: held},
		)
	}
	return events, ok
}

// The kinds of tag that are of no rows: see tags.go.
const (
	tagUser      = 't' // what a program has given a name
	tagValueKey  = 'k' // the value that a program keeps under a key
	tagValuePut  = 'p' // the same, for those who have the value in theirs
	tagValueName = 'v' // all values under keys of a name
)

func tagOf(kind byte, text []byte) Tag {
	return Tag{Hash: xxhash.Sum64(append(append(make([]byte, 0, 128), kind), text...)), Mask: uint64(AllColumns)}
}

// UserTag is a tag that a program publishes and subscribes to by a name of its own.
func UserTag(name string) Tag { return tagOf(tagUser, []byte(name)) }

// ValueTags are the tags of a value that a program keeps under a key. stored is published
// when the value is removed. replaced is published when another one is put in its place: it
// reaches what was made of the older value, and all other entries of the key.
func ValueTags(key []byte) (stored, replaced Tag) {
	return tagOf(tagValueKey, key), tagOf(tagValuePut, key)
}

// ValueNameTag is a tag of all values under keys of a name.
func ValueNameTag(name string) Tag { return tagOf(tagValueName, []byte(name)) }
