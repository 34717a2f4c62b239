package observe

import (
	"bytes"
	"context"
	"database/sql/driver"
	"errors"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/analysis"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/catalog"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/rowtag"
)

// maxImages bounds the rows that are asked for around a write.
const maxImages = 500

// images are rows before a write.
//
// They are asked for only while the connection holds the lock that the write needs, so
// that the rows that it finds are those which the write changes:
//
//   - T asks for the rows with a condition, without a lock. U changes one of them, and
//     commits. T writes the rows that meet the condition now: the values before, as T
//     knows them, are not those of the row that U has changed.
//
// In SQLite the transaction holds the lock once it has written, or since BEGIN IMMEDIATE.
// A query before the first write of a deferred transaction would open its snapshot, which
// makes the write fail when somebody else has committed meanwhile: it is not asked.
//
// In PostgreSQL the query takes the locks, those that the write takes itself: a stronger
// one makes transactions wait for each other that would not. An error ends the
// transaction, so the query is between SAVEPOINT and RELEASE.
//
// How many rows there are is compared: affected, before and after.
type images struct {
	rows [][]driver.Value // copies
	text string           // asks for the same rows afterwards; "" for deleted ones
	args []driver.NamedValue
}

// refusals are the texts that nothing is asked for, since it has failed. They are without
// their values: statements that are written with their values, each with a text of its own,
// would use up the bound for all others.
type refusals struct {
	mu sync.Mutex
	// texts are refused, by hash, until a time since started. None of these is before next.
	// A text with the hash of another one is refused without need.
	texts map[uint64]time.Duration
	next  time.Duration
	any   atomic.Bool // there are some
}

// maxRefusals bounds them. With more, nothing is asked at all.
const maxRefusals = 1000

// forever is a time that does not come.
const forever = time.Duration(math.MaxInt64)

// has reports whether nothing is asked for a statement.
func (r *refusals) has(e *Execution) bool {
	if !r.any.Load() {
		return false
	}
	text := e.known.hashed(e.s.o, e.st)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.expire()
	_, ok := r.texts[text]
	return ok || len(r.texts) >= maxRefusals
}

// add has nothing asked for a statement until a time.
func (r *refusals) add(e *Execution, until time.Duration) {
	text := e.known.hashed(e.s.o, e.st)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.texts == nil {
		r.texts, r.next = map[uint64]time.Duration{}, forever
	}
	if r.expire(); len(r.texts) < maxRefusals {
		r.texts[text] = until
		r.any.Store(true)
		r.next = min(r.next, until)
	}
}

// expire forgets the texts whose time has come. REQUIRES: mu is held.
func (r *refusals) expire() {
	now := time.Since(started)
	if now < r.next {
		return
	}
	r.next = forever
	for text, until := range r.texts {
		if until <= now {
			delete(r.texts, text)
		} else {
			r.next = min(r.next, until)
		}
	}
	r.any.Store(len(r.texts) > 0)
}

// normalized returns the statement's text without its values.
func (e *Execution) normalized() string { return e.known.normalized(e.s.o, e.st) }

// refuse turns images off for a statement.
func (s *Session) refuse(e *Execution, why string) {
	s.o.refused.add(e, forever)
	s.o.found(e.ctx, Finding{Kind: ImageRefused, Text: e.normalized(), Why: why})
}

// imagesBefore asks for the rows that a write is about to change, nil where that is not
// lawful.
func (s *Session) imagesBefore(e *Execution, args arguments) *images {
	w := e.a.Writes[0]
	t := w.Table
	switch {
	case s.o.opts.Images != On || s.conn == nil || s.open > 0 || s.unsure != "" || s.raw || s.forgot,
		w.Kind != analysis.Updates && w.Kind != analysis.Deletes,
		!w.OwnRows || !w.Plain || w.Policies || t.Ambiguous && e.home == 0 || len(t.Columns) == 0 || w.Name.Name == "",
		!s.tx.open || s.tx.shaky || s.o.opts.Dialect == catalog.SQLite && !s.tx.locked || s.o.refused.has(e):
		return nil
	}
	key := imageKey(t, w.Changed)
	if w.Kind == analysis.Updates && (key == nil || s.o.opts.Dialect == catalog.PostgreSQL && setsKey(w)) {
		return nil
	}
	where, own, ok := condition(s.o.opts.Dialect, e.known.text, w.Where, w.Returning != nil, args)
	if !ok {
		s.refuse(e, "its condition cannot be asked alone")
		return nil
	}
	from := quote(w.Name.Name)
	if w.Name.Schema != "" {
		from = quote(w.Name.Schema) + "." + from
	}
	plain := from
	if w.Alias != "" && w.Alias != w.Name.Name {
		from += " AS " + quote(w.Alias)
	}
	text := "SELECT " + columnList(t) + " FROM " + from + where + " LIMIT " + strconv.Itoa(maxImages+1)
	if s.o.opts.Dialect == catalog.PostgreSQL {
		text += lockOf(w)
	}
	rows, err := s.askInside(e.ctx, text, own, len(t.Columns))
	switch {
	case errors.Is(err, errTooMany):
		return nil
	case err != nil:
		if e.ctx.Err() == nil {
			s.refuse(e, unanswered(err))
		}
		return nil
	}
	m := &images{rows: rows}
	if w.Kind == analysis.Updates && len(rows) > 0 {
		m.text, m.args = byKeys(s.o.opts.Dialect, t, plain, key, rows)
	}
	return m
}

// lockOf is the lock that a write of PostgreSQL takes of its rows, if it takes any: an
// UPDATE that changes no key lets others refer to the row.
func lockOf(w *analysis.Write) string {
	if w.Kind == analysis.Updates {
		return " FOR NO KEY UPDATE"
	}
	return " FOR UPDATE"
}

// setsKey reports whether a write sets a column of a key. Which lock it takes is not known
// before it runs then: a key that is set to what it was is not changed.
//
//   - T and U insert rows that refer to an author. T sets all columns of the author, the
//     mail among them, to what they were but for a counter: it asks for FOR NO KEY UPDATE
//     and gets it. A query with FOR UPDATE before it would wait for U, and U's for T.
func setsKey(w *analysis.Write) bool {
	return slices.ContainsFunc(w.Table.Keys, func(key []int) bool {
		return slices.ContainsFunc(key, func(c int) bool { return w.Changed&catalog.Bit(c) != 0 })
	})
}

// The savepoint of a query of ours.
const (
	savepoint  = "SAVEPOINT cascadeql_images"
	release    = "RELEASE SAVEPOINT cascadeql_images"
	rollbackTo = "ROLLBACK TO SAVEPOINT cascadeql_images"
)

// askInside is ask within a transaction of the application, which an error of ours does not
// end.
func (s *Session) askInside(ctx context.Context, text string, args []driver.NamedValue, columns int) ([][]driver.Value, error) {
	if s.o.opts.Dialect == catalog.SQLite {
		return s.ask(ctx, text, args, columns)
	}
	if _, err := s.ask(ctx, savepoint, nil, 0); err != nil {
		return nil, err
	}
	rows, err := s.ask(ctx, text, args, columns)
	if err != nil {
		if _, err := s.ask(ctx, rollbackTo, nil, 0); err != nil {
			s.doubt("a savepoint could not be undone")
			return nil, err
		}
	}
	if _, err := s.ask(ctx, release, nil, 0); err != nil {
		s.doubt("a savepoint could not be released")
		return nil, err
	}
	return rows, err
}

var errTooMany = errors.New("too many rows")

// ask runs a query of ours and returns copies of its rows.
func (s *Session) ask(ctx context.Context, text string, args []driver.NamedValue, columns int) (rows [][]driver.Value, err error) {
	return ask(ctx, s.conn, text, args, columns)
}

func ask(ctx context.Context, conn Conn, text string, args []driver.NamedValue, columns int) (rows [][]driver.Value, err error) {
	err = conn.Query(ctx, text, args, func(dest []driver.Value) error {
		if len(rows) == maxImages {
			return errTooMany
		}
		if len(dest) != columns {
			return said("other columns than asked for")
		}
		row := slices.Clone(dest)
		for i, v := range row {
			if b, ok := v.([]byte); ok {
				row[i] = bytes.Clone(b)
			}
		}
		rows = append(rows, row)
		return nil
	})
	return rows, err
}

// imageKey is a key that the write does not change, whose values can be compared.
func imageKey(t *catalog.Table, changed catalog.Mask) []int {
	for _, key := range t.Keys {
		if !slices.ContainsFunc(key, func(c int) bool {
			return t.Columns[c].Class == catalog.Opaque || changed&catalog.Bit(c) != 0
		}) {
			return key
		}
	}
	return nil
}

func columnList(t *catalog.Table) string {
	names := make([]string, len(t.Columns))
	for i := range t.Columns {
		names[i] = quote(t.Columns[i].Name)
	}
	return strings.Join(names, ", ")
}

func quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// byKeys asks for rows by their keys.
func byKeys(d catalog.Dialect, t *catalog.Table, from string, key []int, rows [][]driver.Value) (text string, args []driver.NamedValue) {
	var b strings.Builder
	b.WriteString("SELECT " + columnList(t) + " FROM " + from + " WHERE ")
	for i, row := range rows {
		for j, c := range key {
			v := row[c]
			if text, ok := v.([]byte); ok && t.Columns[c].Class != catalog.Bytes {
				v = string(text)
			}
			args = append(args, driver.NamedValue{Ordinal: len(args) + 1, Value: v})
			switch {
			case len(key) == 1 && i == 0:
				b.WriteString(quote(t.Columns[c].Name) + " IN (")
			case len(key) == 1:
				b.WriteString(", ")
			case j == 0 && i > 0:
				b.WriteString(") OR (" + quote(t.Columns[c].Name) + " = ")
			case j == 0:
				b.WriteString("(" + quote(t.Columns[c].Name) + " = ")
			default:
				b.WriteString(" AND " + quote(t.Columns[c].Name) + " = ")
			}
			b.WriteString(placeholder(d, len(args)))
		}
	}
	return b.String() + ")", args
}

// imaged makes events of the rows before and after. ok is false where the images are not
// those of the rows that were written.
func (w *writing) imaged(e *Execution, err error, affected int64) (events []rowtag.Event, ok bool) {
	m := w.images
	if m == nil || err != nil || affected != int64(len(m.rows)) {
		return nil, false
	}
	one := w.a.Writes[0]
	t := one.Table
	if one.Kind == analysis.Deletes {
		for _, row := range m.rows {
			events = append(events, rowtag.Event{Table: t, Op: rowtag.Deleted, Old: imageOf(t, row)})
		}
		return events, true
	}
	s := e.s
	if m.text == "" || s.open > 0 || s.unsure != "" || s.tx.shaky {
		return nil, false
	}
	after, err := s.askInside(e.ctx, m.text, m.args, len(t.Columns))
	if err != nil || len(after) != len(m.rows) {
		return nil, false
	}
	key := imageKey(t, one.Changed)
	before := make(map[string][]driver.Value, len(after))
	for _, row := range m.rows {
		k, ok := keyText(t, key, row)
		if !ok {
			return nil, false
		}
		before[k] = row
	}
	for _, row := range after {
		k, ok := keyText(t, key, row)
		old := before[k]
		if !ok || old == nil {
			return nil, false
		}
		delete(before, k)
		e := rowtag.Event{Table: t, Op: rowtag.Updated, Old: imageOf(t, old), New: imageOf(t, row), Columns: changedColumns(old, row)}
		if e.Columns != 0 {
			events = append(events, e)
		}
	}
	return events, true
}

// same reports whether a driver returned one value twice. Values that cannot be compared
// are not the same.
func same(a, b driver.Value) bool {
	if x, ok := a.([]byte); ok {
		y, ok := b.([]byte)
		return ok && bytes.Equal(x, y) && (x == nil) == (y == nil)
	}
	if x, ok := a.(float64); ok { // -0 is another answer than 0
		y, ok := b.(float64)
		return ok && math.Float64bits(x) == math.Float64bits(y)
	}
	ta := reflect.TypeOf(a)
	return ta == reflect.TypeOf(b) && (ta == nil || ta.Comparable()) && a == b
}

func imageOf(t *catalog.Table, row []driver.Value) (list []rowtag.Known) {
	for c, v := range row {
		if k, ok := knownOf(t, c, v); ok {
			list = append(list, k)
		}
	}
	return list
}

// keyText tells rows apart.
func keyText(t *catalog.Table, key []int, row []driver.Value) (string, bool) {
	var b []byte
	for _, c := range key {
		v, ok := returned(t.Columns[c].Class, row[c])
		if !ok || v == rowtag.Null {
			return "", false
		}
		b = strconv.AppendUint(b, uint64(v), 36)
		b = append(b, ' ')
	}
	return string(b), true
}
