package observe

import (
	"cmp"
	"database/sql/driver"
	"errors"
	"slices"
	"strings"

	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/analysis"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/catalog"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/rowtag"
)

// A writing is what one run of a statement writes, as far as it is known before it runs.
// Arguments are not kept: the application may use their memory for something else while
// rows are read.
type writing struct {
	s *Session
	a *analysis.Statement
	// base are the events of the statement's text and arguments, by write.
	base [][]rowtag.Event
	// homes are those of the rows, by write.
	homes []rowtag.Home
	// returned are the rows of RETURNING, by column of the table; rows is how many there
	// were.
	returned [][]rowtag.Known
	rows     int64
	images   *images
	misread  string
}

// prepareWrite evaluates what the statement writes, and asks for the rows that it is about
// to change.
func (e *Execution) prepareWrite(args arguments) {
	if e.a.Unknown != "" {
		return
	}
	w := &writing{s: e.s, a: e.a}
	for _, one := range e.a.Writes {
		list := e.s.eventsOf(one, args)
		home := e.homeOfWrite(one)
		for i := range list {
			list[i].Home = home
		}
		w.base, w.homes = append(w.base, list), append(w.homes, home)
	}
	e.write = w
	// A trigger of the connection's own may write a virtual table, which need not change rows
	// before the transaction ends.
	if hooked := e.hidden == "" && (e.triggers == "" || !e.st.virtual) && e.hooked(); !hooked && len(e.a.Writes) == 1 && e.hidden == "" && e.triggers == "" {
		w.images = e.s.imagesBefore(e, args)
	}
}

// eventsOf returns the events of a write: one for each row that is inserted, and one for
// all rows that have the same values before and after.
func (s *Session) eventsOf(w *analysis.Write, args arguments) []rowtag.Event {
	t := w.Table
	switch w.Kind {
	case analysis.Inserts:
		if len(w.Rows) == 0 {
			return []rowtag.Event{{Table: t, Op: rowtag.Inserted}}
		}
		if len(w.Rows) > maxRows {
			return []rowtag.Event{{Table: t, Op: rowtag.Changed}}
		}
		list := make([]rowtag.Event, 0, len(w.Rows))
		for _, row := range w.Rows {
			list = append(list, rowtag.Event{Table: t, Op: rowtag.Inserted, New: s.setsOf(t, row, args, nil)})
		}
		return list
	case analysis.Updates, analysis.Deletes:
		e := rowtag.Event{Table: t, Op: rowtag.Deleted}
		for i := range w.Terms {
			term := &w.Terms[i]
			vals, ok, off := args.values(t.Columns[term.Column].Class, &term.Source)
			if !ok || off {
				continue
			}
			if len(vals) == 0 {
				return nil // no row has one of no values
			}
			k := rowtag.Known{Column: term.Column, Values: vals}
			if len(vals) == 1 && t.Columns[term.Column].Class == catalog.Text {
				k.Text, k.HasText = args.text(&term.Source)
			}
			e.Old = append(e.Old, k)
		}
		sortKnown(e.Old)
		if w.Kind == analysis.Updates {
			e.Op, e.Columns = rowtag.Updated, w.Changed
			e.New = s.setsOf(t, w.Sets, args, &e.Columns)
		}
		return []rowtag.Event{e}
	}
	return []rowtag.Event{{Table: t, Op: rowtag.Changed}}
}

// setsOf returns the values that are set, and takes the columns that keep theirs from
// changed.
func (s *Session) setsOf(t *catalog.Table, sets []analysis.SetValue, args arguments, changed *catalog.Mask) (list []rowtag.Known) {
	for i := range sets {
		set := &sets[i]
		c := &t.Columns[set.Column]
		k := rowtag.Known{Column: set.Column}
		switch {
		case set.Null:
			k.Values = []rowtag.Value{rowtag.Null}
		case set.Source == nil || set.Source.Kind != analysis.Param && set.Source.Kind != analysis.Constant:
			continue
		default:
			if set.Keep && set.Source.Kind == analysis.Param {
				if v, found := args.told(set.Source.Param, set.Source.Name); found && isNull(v) {
					if changed != nil && set.Column < catalog.LastColumnBit {
						*changed &^= catalog.Bit(set.Column)
					}
					continue
				}
			}
			vals, ok, off := args.values(c.Class, set.Source)
			if !ok || off || len(vals) != 1 {
				continue
			}
			k.Values = vals
			if c.Class == catalog.Text && vals[0] != rowtag.Null {
				if k.Text, k.HasText = args.text(set.Source); !k.HasText {
					break
				}
				if s.o.opts.Dialect == catalog.PostgreSQL && strings.HasSuffix(k.Text, " ") {
					continue // varchar(n) cuts spaces that are too many
				}
			}
		}
		if k.Values[0] == rowtag.Null && (c.NotNull || inKey(t, set.Column)) {
			continue // a number that SQLite makes for an INTEGER PRIMARY KEY
		}
		bound(&k)
		list = append(list, k)
	}
	sortKnown(list)
	return list
}

// maxKnownText bounds the text that an event keeps for reads that search.
const maxKnownText = 256

// bound drops a text that is too long to be searched.
func bound(k *rowtag.Known) {
	if len(k.Text) > maxKnownText {
		k.Text, k.HasText = "", false
	}
}

func inKey(t *catalog.Table, column int) bool {
	return slices.ContainsFunc(t.Keys, func(key []int) bool { return slices.Contains(key, column) })
}

func sortKnown(list []rowtag.Known) {
	slices.SortFunc(list, func(a, b rowtag.Known) int { return a.Column - b.Column })
}

// knownOf is a column's value as the driver returns it.
func knownOf(t *catalog.Table, column int, v any) (k rowtag.Known, ok bool) {
	class := t.Columns[column].Class
	x, ok := returned(class, v)
	if !ok {
		return k, false
	}
	k = rowtag.Known{Column: column, Values: []rowtag.Value{x}}
	if class == catalog.Text && x != rowtag.Null {
		switch v := v.(type) {
		case string:
			if len(v) <= maxKnownText {
				k.Text, k.HasText = strings.Clone(v), true
			}
		case []byte:
			if len(v) <= maxKnownText {
				k.Text, k.HasText = string(v), true
			}
		}
	}
	return k, true
}

// row takes a row of RETURNING.
func (w *writing) row(dest []driver.Value) {
	w.rows++
	if len(w.a.Writes) != 1 || w.rows > maxRows {
		w.returned = nil
		return
	}
	one := w.a.Writes[0]
	if one.Returning == nil || !one.Plain {
		return
	}
	var known []rowtag.Known
	for i, c := range one.Returning {
		if c < 0 || i >= len(dest) || slices.ContainsFunc(known, func(k rowtag.Known) bool { return k.Column == c }) {
			continue
		}
		if k, ok := knownOf(one.Table, c, dest[i]); ok {
			known = append(known, k)
		}
	}
	sortKnown(known)
	w.returned = append(w.returned, known)
}

// wrote notes what a statement has written. complete says that all rows of RETURNING were
// read.
func (s *Session) wrote(e *Execution, err error, affected int64, complete bool) {
	s.o.wrote(e.ctx)
	s.leaks, s.pending.ctx = true, e.ctx
	switch {
	case e.write == nil:
		s.pending.all(e.a.Unknown, e.text)
	case e.write.misread != "":
		s.pending.all(e.write.misread, e.text)
	case e.hidden != "":
		s.pending.all(e.hidden, e.text)
	case e.triggers == "" && e.nothingDone(err): // nothing was changed
	default:
		events, everything, told := s.hook.changes(e, err, affected, complete)
		if !told {
			events, everything = e.write.events(e, err, affected, complete)
			everything = cmp.Or(everything, e.triggers)
		}
		if everything != "" {
			s.pending.all(everything, e.text)
		} else {
			s.pending.add(e.st, e.text, events...)
		}
		if err == nil && s.tx.open {
			s.tx.locked = true
		}
	}
	if err != nil && !s.pending.empty() && (e.a.Unknown != "" || !s.o.refusal(err)) {
		s.pending.uncertain = true
	}
	s.soil()
}

// soil notes whether others cannot see yet what the connection sees.
func (s *Session) soil() { s.dirty.Store(!s.pending.empty() || s.writing > 0) }

// refusal reports whether an error is the database's answer that it has not done what a
// statement asks for: a constraint, a value out of range, a deadlock. Then it is known what
// was written. An error of another kind may have come on the way back.
func (o *Observer) refusal(err error) bool {
	switch o.opts.Dialect {
	case catalog.PostgreSQL:
		state := sqlState(err)
		return len(state) == 5 && state != completionUnknown && slices.Contains(refusalClasses, state[:2])
	case catalog.SQLite:
		var answer interface{ Code() int }
		return errors.As(err, &answer) && answer.Code()&0xff == sqliteConstraint
	}
	return false
}

// nothingDone reports whether the database has refused all that a statement was to change. For
// SQLite that is the insertion of one row where no trigger has run: OR FAIL and ON CONFLICT
// FAIL leave what was done before the error.
func (e *Execution) nothingDone(err error) bool {
	if err == nil || e.a.Unknown != "" || !e.s.o.refusal(err) {
		return false
	}
	if e.s.o.opts.Dialect == catalog.PostgreSQL {
		return true
	}
	if len(e.a.Writes) != 1 {
		return false
	}
	w := e.a.Writes[0]
	return w.Kind == analysis.Inserts && w.Plain && w.OneRow
}

// sqlState returns the code of an error that PostgreSQL has answered, "" for others.
func sqlState(err error) string {
	var answer interface{ SQLState() string }
	if errors.As(err, &answer) {
		return answer.SQLState()
	}
	return ""
}

// refusalClasses are the classes of PostgreSQL's errors after which a statement has changed
// nothing: of data, of constraints, of a transaction that was rolled back or has failed
// before, of syntax and privileges, and those that functions raise.
var refusalClasses = []string{"22", "23", "25", "40", "42", "P0"}

const (
	completionUnknown = "40003"
	sqliteConstraint  = 19
)

// events returns what a run has changed, with what follows from it by foreign keys.
func (w *writing) events(e *Execution, err error, affected int64, complete bool) (events []rowtag.Event, everything string) {
	for i, one := range w.a.Writes {
		list := w.base[i]
		if len(w.a.Writes) == 1 {
			// Of one row that is inserted, nothing follows the first that is returned: whoever
			// asks for its key reads no further.
			complete = complete || err == nil && w.misread == "" && one.Plain && one.Kind == analysis.Inserts && one.OneRow && w.rows == 1
			if complete && e.rows && one.Returning != nil {
				affected = w.rows
			}
			if err == nil && affected == 0 && one.Plain && one.Kind != analysis.Any {
				return nil, ""
			}
			if exact, ok := w.imaged(e, err, affected); ok {
				list = exact
			} else if complete && one.Plain && one.Returning != nil && one.Kind != analysis.Any && int64(len(w.returned)) == affected && e.rows {
				list = w.byRow(one, list)
			}
		}
		for j := range list {
			list[j].Home = w.homes[i]
		}
		events = append(events, list...)
		for j := range list {
			if events, everything = cascade(events, &list[j], 0); everything != "" {
				return nil, everything
			}
		}
	}
	return events, ""
}

// byRow makes an event of each row that was returned.
func (w *writing) byRow(one *analysis.Write, base []rowtag.Event) []rowtag.Event {
	list := make([]rowtag.Event, 0, len(w.returned))
	for _, row := range w.returned {
		e := rowtag.Event{Table: one.Table, Op: rowtag.Inserted, New: row}
		switch one.Kind {
		case analysis.Inserts:
			if len(base) == 1 && len(w.returned) == 1 { // which of several rows is which is not known
				e.New = merge(base[0].New, row)
			}
		case analysis.Updates:
			if len(base) != 1 {
				return base
			}
			e = base[0]
			e.New = merge(base[0].New, row)
			e.Old = slices.Clone(base[0].Old)
			for _, k := range row { // as it was before, where it did not change
				if e.Columns&catalog.Bit(k.Column) == 0 {
					e.Old = merge(e.Old, []rowtag.Known{k})
				}
			}
		case analysis.Deletes:
			if len(base) != 1 {
				return base
			}
			e = base[0]
			e.Old = merge(base[0].Old, row)
		}
		list = append(list, e)
	}
	return list
}

// merge returns what two lists know, the second one rather.
func merge(a, b []rowtag.Known) []rowtag.Known {
	list := slices.Clone(b)
	for _, k := range a {
		if !slices.ContainsFunc(b, func(x rowtag.Known) bool { return x.Column == k.Column }) {
			list = append(list, k)
		}
	}
	sortKnown(list)
	return list
}

// The bounds of what foreign keys may do.
const (
	maxCascadeDepth  = 8
	maxCascadeEvents = 256
)

// kinds are those of events that foreign keys act on.
var kinds = map[rowtag.Op]analysis.WriteKind{rowtag.Updated: analysis.Updates, rowtag.Deleted: analysis.Deletes, rowtag.Changed: analysis.Any}

// cascade adds what the database does to rows that refer to a changed one. What triggers of
// theirs do is in the analysis of the statement, and so are the children of a write of any
// rows: it is followed here only where it stands for one row.
func cascade(events []rowtag.Event, e *rowtag.Event, depth int) (_ []rowtag.Event, everything string) {
	kind, ok := kinds[e.Op]
	if !ok || e.Op == rowtag.Changed && depth == 0 {
		return events, ""
	}
	for _, child := range analysis.Children(e.Table, kind, e.Columns) {
		one := childEvent(e, &child)
		if depth >= maxCascadeDepth {
			one = rowtag.Event{Table: child.Table, Op: rowtag.Changed}
		}
		if child.Table.Ambiguous && e.Table.Ambiguous && child.Key.Same {
			one.Home = e.Home
		}
		if one.Op == rowtag.Changed && slices.ContainsFunc(events, func(x rowtag.Event) bool {
			return x.Table == one.Table && x.Home == one.Home && x.Op == rowtag.Changed
		}) {
			continue
		}
		if len(events) >= maxCascadeEvents {
			return nil, "foreign keys reach too far"
		}
		events = append(events, one)
		if events, everything = cascade(events, &one, depth+1); everything != "" {
			return nil, everything
		}
	}
	return events, ""
}

// childEvent is what a foreign key does to the rows that refer to a changed one.
func childEvent(e *rowtag.Event, c *analysis.Child) rowtag.Event {
	one := rowtag.Event{Table: c.Table, Op: rowtag.Changed}
	switch c.Kind {
	case analysis.Deletes:
		one.Op, one.Old = rowtag.Deleted, through(e.Table, c.Table, c.Key, e.Old)
	case analysis.Updates:
		one.Op, one.Columns, one.Old = rowtag.Updated, c.Changed, through(e.Table, c.Table, c.Key, e.Old)
		switch {
		case c.Changed == catalog.All: // a trigger may set others
		case c.Action == catalog.SetNull:
			for _, column := range c.Key.Columns {
				one.New = append(one.New, rowtag.Known{Column: column, Values: []rowtag.Value{rowtag.Null}})
			}
			sortKnown(one.New)
		case c.Action == catalog.Cascade:
			one.New = through(e.Table, c.Table, c.Key, e.New)
			one.New = append(one.New, kept(e, c)...)
			sortKnown(one.New)
		}
	}
	return one
}

// kept are the values of the key's columns that the update leaves alone.
func kept(e *rowtag.Event, c *analysis.Child) (list []rowtag.Known) {
	for _, k := range through(e.Table, c.Table, c.Key, e.Old) {
		i := slices.Index(c.Key.Columns, k.Column)
		ref := c.Key.RefColumns[i]
		if e.Columns&catalog.Bit(ref) == 0 && !slices.ContainsFunc(e.New, func(x rowtag.Known) bool { return x.Column == ref }) {
			list = append(list, k)
		}
	}
	return list
}

// through takes the values of a key to the columns that refer to it.
func through(t, child *catalog.Table, key *catalog.ForeignKey, side []rowtag.Known) (list []rowtag.Known) {
	for i, c := range key.RefColumns {
		if i >= len(key.Columns) || t.Columns[c].Class != child.Columns[key.Columns[i]].Class {
			continue
		}
		for _, k := range side {
			if k.Column == c {
				k.Column = key.Columns[i]
				list = append(list, k)
			}
		}
	}
	sortKnown(list)
	return list
}
