package observe

import (
	"database/sql/driver"
	"slices"

	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/analysis"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/catalog"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/rowtag"
)

// A RowChange is one row that a statement changes, as the database tells it while the
// statement runs.
type RowChange struct {
	// Database is the name of the schema: main, or that of an attached database.
	Database, Table string
	// Before and After say that there is a row before and after: a row that is inserted has
	// only the second, one that is deleted only the first.
	Before, After bool
	// Moved says that an update has given the row another rowid.
	Moved bool
	// Columns is how many columns the table has.
	Columns int
	// Values sets the values of the row before and after, in the order of the table's
	// columns. Those of a row that is not there are left alone. They are nil, int64,
	// float64, string and []byte, never a []byte that is nil, and are not changed later.
	Values func(before, after []driver.Value) error
}

// A rowHook is what the database has told of the statement that runs.
//
// The invariant: a statement that was the only one of its connection which writes, from its
// start to its end, and that has succeeded, has changed the rows that the hook told of
// meanwhile, and no others, in tables that are hookable. So the rows are the statement's
// events where it reaches no other tables. Otherwise the events of its text stand.
//
//   - T updates rows with RETURNING and leaves its rows open. U deletes rows on the same
//     connection, and ends. What the hook has told is of both: neither may leave with the
//     other's rows, since each is published at its own end.
//   - The application takes the driver's connection and sets a hook of its own, which
//     replaces this one. From then on nothing is told, so the session has no hook any more.
//   - A hook that was replaced all the same tells of fewer rows than were affected. Of a
//     query whose rows were not read to their end it is not known how many were: it must
//     have told of some.
type rowHook struct {
	by     *Execution // which writes; nil for none
	events []rowtag.Event
	told   []tableCount
	// failed says that the rows are not all, or not only by's. everything says why anything
	// may have been changed.
	failed     bool
	everything string

	before, after []driver.Value // buffers
}

// Hook says that the database tells of the rows that statements on the connection change.
// install makes it call changed for each, while the statement runs, on the goroutine that
// uses the connection; it reports whether it could. It must be called before the session is
// used.
func (s *Session) Hook(install func(changed func(*RowChange)) bool) {
	if s.o.opts.Dialect != catalog.SQLite {
		return
	}
	s.contain("row hook", func() {
		if install(s.rowChanged) {
			s.hook = &rowHook{}
		}
	})
}

// rowChanged is called from within the database: a panic must not go through it.
func (s *Session) rowChanged(r *RowChange) {
	h := s.hook
	if h == nil || h.by == nil || h.failed {
		return
	}
	defer func() {
		if v := recover(); v != nil {
			h.failed = true
			s.o.panicked("row hook", v)
		}
	}()
	h.add(r)
}

// add notes a row.
func (h *rowHook) add(r *RowChange) {
	t, _, ok := h.by.st.catalog.Lookup(r.Database, r.Table)
	if !ok || t == nil || !hookable(t) || len(t.Columns) != r.Columns {
		// The statement reaches hookable tables only, as the catalog has it.
		h.everything = "the database has changed a table that is not known"
		return
	}
	switch n := h.count(t); {
	case n == maxRows+1:
		h.events = append(h.events, rowtag.Event{Table: t, Op: rowtag.Changed})
		return
	case n > maxRows:
		return
	}
	h.before, h.after = slices.Grow(h.before[:0], r.Columns)[:r.Columns], slices.Grow(h.after[:0], r.Columns)[:r.Columns]
	if err := r.Values(h.before, h.after); err != nil {
		h.failed = true
		return
	}
	e := rowtag.Event{Table: t, Op: rowtag.Updated}
	if r.Before {
		e.Old = imageOf(t, h.before)
	}
	if r.After {
		e.New = imageOf(t, h.after)
	}
	switch {
	case !r.Before:
		e.Op = rowtag.Inserted
	case !r.After:
		e.Op = rowtag.Deleted
	case r.Moved: // the rowid is a column, too, that need not have a name
		e.Columns = catalog.All &^ catalog.Presence
	default:
		e.Columns = changedColumns(h.before, h.after)
		if e.Columns == 0 {
			return
		}
	}
	h.events = append(h.events, e)
}

// count adds one to the rows that were told of a table.
func (h *rowHook) count(t *catalog.Table) int {
	at := slices.IndexFunc(h.told, func(c tableCount) bool { return c.table == t })
	if at < 0 {
		at = len(h.told)
		h.told = append(h.told, tableCount{table: t})
	}
	h.told[at].n++
	return h.told[at].n
}

// changedColumns are those in which two rows differ.
func changedColumns(before, after []driver.Value) (m catalog.Mask) {
	for c := range before {
		if !same(before[c], after[c]) {
			m |= catalog.Bit(c)
		}
	}
	return m
}

// hookable reports whether the hook tells of each row of a table that changes, and of all of
// its columns. SQLite calls it for no virtual table, and has no values of columns that are
// generated.
func hookable(t *catalog.Table) bool {
	return !t.Virtual && !t.Ambiguous && !slices.ContainsFunc(t.Columns, func(c catalog.Column) bool { return c.Generated })
}

// reachesHookable reports whether a statement writes hookable tables only, whatever foreign
// keys do. What triggers write is among its writes.
func reachesHookable(a *analysis.Statement) bool {
	var seen []*catalog.Table
	var reach func(t *catalog.Table) bool
	reach = func(t *catalog.Table) bool {
		if slices.Contains(seen, t) {
			return true
		}
		seen = append(seen, t)
		if !hookable(t) {
			return false
		}
		for _, c := range analysis.Children(t, analysis.Any, catalog.All) {
			if !reach(c.Table) {
				return false
			}
		}
		return true
	}
	for _, w := range a.Writes {
		if !reach(w.Table) {
			return false
		}
	}
	return true
}

// hooked begins to collect what the hook tells of a statement, and reports whether it does.
func (e *Execution) hooked() bool {
	h := e.s.hook
	switch {
	case h == nil || e.st == nil || e.known == nil:
		return false
	case h.by != nil:
		h.failed = true
		return false
	case !e.known.reachesHookable():
		return false
	}
	*h = rowHook{by: e, before: h.before, after: h.after}
	return true
}

// changes returns what the hook has told of a statement that has ended. ok is false where
// the rows are not known to be those that it has changed.
func (h *rowHook) changes(e *Execution, err error, affected int64, complete bool) (events []rowtag.Event, everything string, ok bool) {
	switch {
	case h == nil || h.by != e:
		return nil, "", false
	case h.everything != "": // the text is as wrong as the catalog, whatever became of it
		return nil, h.everything, true
	case h.failed || err != nil:
		return nil, "", false
	}
	w := e.a.Writes[0]
	var told int64
	for _, c := range h.told {
		if c.table == w.Table {
			told = int64(c.n)
		}
	}
	if told < affected || told < e.write.rows {
		return nil, "", false
	}
	if told == 0 && affected < 0 && (!complete || w.Returning == nil) {
		return nil, "", false
	}
	return h.events, "", true
}

// end forgets a statement that has ended, and the values of its last row, which may be large.
func (h *rowHook) end(e *Execution) {
	if h != nil && h.by == e {
		clear(h.before[:cap(h.before)])
		clear(h.after[:cap(h.after)])
		*h = rowHook{before: h.before, after: h.after}
	}
}
