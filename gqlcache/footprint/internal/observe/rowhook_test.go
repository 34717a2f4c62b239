package observe

import (
	"context"
	"database/sql/driver"
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/catalog"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/rowtag"
)

// hookedSession is a session whose database tells of rows.
func hookedSession(r *rig) (s *Session, tell func(table string, before, after []driver.Value)) {
	s = r.session()
	var changed func(*RowChange)
	s.Hook(func(f func(*RowChange)) bool { changed = f; return true })
	return s, func(table string, before, after []driver.Value) {
		c := &RowChange{Database: "main", Table: table, Before: before != nil, After: after != nil, Columns: max(len(before), len(after))}
		c.Values = func(b, a []driver.Value) error {
			copy(b, before)
			copy(a, after)
			return nil
		}
		changed(c)
	}
}

func values(list ...any) (row []driver.Value) {
	for _, a := range named(list) {
		row = append(row, a.Value)
	}
	return row
}

const (
	allDrafts = `UPDATE posts SET status = 'D' WHERE title LIKE ?` // of which its text knows no row
	countOf   = `SELECT count(*) FROM posts WHERE author_id = ? AND status = 'D'`
)

// What the database tells are the statement's events: rows that were not told of have not
// changed, whatever the text says, and those that were have, whatever it does not say.
func TestRowHook(t *testing.T) {
	r := newRig(t, Options{})
	s, tell := hookedSession(r)
	one, two, comments := r.read(countOf, args(1), args(1)), r.read(countOf, args(2), args(1)), r.read(`SELECT count(*) FROM comments WHERE post_id = ?`, args(7), args(1))
	e := s.Start(t.Context(), allDrafts, named(args("x%")))
	tell("posts", values(7, 1, "P", "x", 1), values(7, 1, "D", "x", 1))
	tell("posts", values(8, 2, "D", "x", 1), values(8, 2, "D", "x", 1))
	e.End(nil, 2, false)
	if r.fresh(one) || !r.fresh(two) || !r.fresh(comments) {
		t.Errorf("fresh: the author's %v, another one's %v, comments %v", r.fresh(one), r.fresh(two), r.fresh(comments))
	}
	e = s.Start(t.Context(), `INSERT OR REPLACE INTO posts (id, author_id, status, title, version) VALUES (9, 3, 'P', 't', 1)`, nil)
	tell("posts", nil, values(9, 3, "P", "t", 1))
	tell("COMMENTS", values(1, 7, "x"), nil)
	e.End(nil, 1, false)
	if !r.fresh(two) || r.fresh(comments) {
		t.Errorf("fresh: another author's %v, comments %v", r.fresh(two), r.fresh(comments))
	}
	if open(t.Context(), s, allDrafts+` RETURNING id`, args("x%")).End(nil, -1, true); !r.fresh(two) {
		t.Error("a statement that has changed nothing, as all of its rows say")
	}
	if len(r.conn.texts) > 0 {
		t.Errorf("asked %q", r.conn.texts)
	}
	for _, v := range slices.Concat(s.hook.before[:cap(s.hook.before)], s.hook.after[:cap(s.hook.after)]) {
		if v != nil {
			t.Errorf("%v is kept", v)
		}
	}
}

// A number is another one with another sign, also where it is 0.
func TestSame(t *testing.T) {
	if same(0.0, math.Copysign(0, -1)) || !same(1.5, 1.5) || same(1.0, int64(1)) || same(0.0, nil) || same(nil, 0.0) {
		t.Error("floats")
	}
}

// Where what the database has told may not be all that a statement has changed, or not that
// statement's alone, its own text tells.
func TestRowHookInDoubt(t *testing.T) {
	for name, run := range map[string]func(r *rig, s *Session, tell func(string, []driver.Value, []driver.Value)){
		"fewer rows than are affected": func(r *rig, s *Session, tell func(string, []driver.Value, []driver.Value)) {
			e := s.Start(r.t.Context(), allDrafts, named(args("x%")))
			tell("posts", values(7, 1, "P", "x", 1), values(7, 1, "D", "x", 1))
			tell("lines", nil, values(1, "x", 1))
			e.End(nil, 2, false)
		},
		"fewer rows than are returned": func(r *rig, s *Session, tell func(string, []driver.Value, []driver.Value)) {
			e := s.Start(r.t.Context(), allDrafts+` RETURNING id`, named(args("x%")))
			tell("posts", values(7, 1, "P", "x", 1), values(7, 1, "D", "x", 1))
			e.Rows(1)
			e.Row(values(7))
			e.Row(values(8))
			e.End(nil, -1, true)
		},
		"nothing of rows that are not read": func(r *rig, s *Session, _ func(string, []driver.Value, []driver.Value)) {
			open(r.t.Context(), s, allDrafts+` RETURNING id`, args("x%")).End(nil, -1, false)
		},
		"nothing of a query without rows": func(r *rig, s *Session, _ func(string, []driver.Value, []driver.Value)) {
			e := s.Start(r.t.Context(), allDrafts, named(args("x%")))
			e.Rows(0)
			e.End(nil, -1, true)
		},
		"an error": func(r *rig, s *Session, tell func(string, []driver.Value, []driver.Value)) {
			e := s.Start(r.t.Context(), allDrafts, named(args("x%")))
			tell("posts", values(7, 1, "P", "x", 1), values(7, 1, "D", "x", 1))
			e.End(errFailed, -1, false)
		},
		"two statements at a time": func(r *rig, s *Session, tell func(string, []driver.Value, []driver.Value)) {
			e := s.Start(r.t.Context(), allDrafts, named(args("x%")))
			other := s.Start(r.t.Context(), `UPDATE users SET name = 'n' WHERE id = 5`, nil)
			tell("posts", values(7, 1, "P", "x", 1), values(7, 1, "D", "x", 1))
			tell("users", values(5, "m", "", ""), values(5, "n", "", ""))
			other.End(nil, 1, false)
			e.End(nil, 1, false)
		},
		"the second of two statements": func(r *rig, s *Session, tell func(string, []driver.Value, []driver.Value)) {
			other := s.Start(r.t.Context(), `UPDATE users SET name = 'n' WHERE id = 5`, nil)
			e := s.Start(r.t.Context(), allDrafts, named(args("x%")))
			tell("posts", values(7, 1, "P", "x", 1), values(7, 1, "D", "x", 1))
			other.End(nil, 0, false)
			e.End(nil, 1, false)
		},
		"values that cannot be read": func(r *rig, s *Session, _ func(string, []driver.Value, []driver.Value)) {
			e := s.Start(r.t.Context(), allDrafts, named(args("x%")))
			s.rowChanged(&RowChange{Database: "main", Table: "posts", Before: true, After: true, Columns: 5, Values: func(_, _ []driver.Value) error { return errFailed }})
			e.End(nil, 1, false)
		},
		"a fault of ours": func(r *rig, s *Session, _ func(string, []driver.Value, []driver.Value)) {
			e := s.Start(r.t.Context(), allDrafts, named(args("x%")))
			s.rowChanged(&RowChange{Database: "main", Table: "posts", Before: true, After: true, Columns: 5, Values: func(_, _ []driver.Value) error { panic("x") }})
			e.End(nil, 1, false)
		},
		"the application has had the connection": func(r *rig, s *Session, tell func(string, []driver.Value, []driver.Value)) {
			s.Unwrapped(r.t.Context())
			s.Reset(r.t.Context())
			r.sink.commits = nil
			e := s.Start(r.t.Context(), allDrafts, named(args("x%")))
			tell("posts", values(7, 1, "P", "x", 1), values(7, 1, "D", "x", 1))
			e.End(nil, 1, false)
		},
		"many rows": func(r *rig, s *Session, tell func(string, []driver.Value, []driver.Value)) {
			e := s.Start(r.t.Context(), allDrafts, named(args("x%")))
			for i := range 3 * maxRows {
				tell("posts", values(i, 1, "P", "x", 1), values(i, 1, "D", "x", 1))
			}
			if n := len(s.hook.events); n > maxRows+1 {
				r.t.Errorf("%d events are kept", n)
			}
			e.End(nil, 3*maxRows, false)
		},
		"another rowid": func(r *rig, s *Session, _ func(string, []driver.Value, []driver.Value)) {
			e := s.Start(r.t.Context(), allDrafts, named(args("x%")))
			s.rowChanged(&RowChange{Database: "main", Table: "posts", Before: true, After: true, Moved: true, Columns: 5, Values: func(b, a []driver.Value) error {
				copy(b, values(7, 2, "D", "x", 1))
				copy(a, values(7, 2, "D", "x", 1))
				return nil
			}})
			e.End(nil, 1, false)
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, Options{Images: Off})
			s, tell := hookedSession(r)
			f := r.read(countOf, args(2), args(1))
			r.read(countOf, args(2), args(1))
			run(r, s, tell)
			if r.fresh(f) {
				t.Error("another author's posts may have changed, and are kept")
			}
			if c := r.last(); c.Everything != "" && name != "an error" {
				t.Errorf("everything: %s", c.Everything)
			}
			if name == "the application has had the connection" {
				return
			}
			if s.hook.by != nil || len(s.hook.events) > 0 {
				t.Error("the hook still belongs to a statement that has ended")
			}
			// What follows is believed again.
			f = r.read(countOf, args(2), args(1))
			e := s.Start(t.Context(), allDrafts, named(args("x%")))
			tell("posts", values(7, 1, "P", "x", 1), values(7, 1, "D", "x", 1))
			e.End(nil, 1, false)
			if !r.fresh(f) {
				t.Error("the next statement is not known by its rows")
			}
		})
	}
}

// A statement that reaches a table of whose rows the database does not tell, by whatever
// foreign keys, is known by its text. A row of a table that nobody knows is everything.
func TestRowHookTables(t *testing.T) {
	for name, change := range map[string]func(*catalog.Catalog){
		"generated columns": func(c *catalog.Catalog) { c.Tables["comments"].Columns[2].Generated = true },
		"virtual":           func(c *catalog.Catalog) { c.Tables["comments"].Virtual = true },
		"ambiguous":         func(c *catalog.Catalog) { c.Tables["comments"].Ambiguous = true },
	} {
		c := blog(catalog.SQLite)
		change(c)
		r := newRig(t, Options{Images: Off, read: func(context.Context, catalog.Dialect, catalog.Query) (*catalog.Catalog, error) { return c, nil }})
		s, tell := hookedSession(r)
		f := r.read(`SELECT count(*) FROM posts WHERE author_id = ?`, args(2), args(1))
		e := s.Start(t.Context(), `DELETE FROM posts WHERE title LIKE ?`, named(args("x%")))
		if s.hook.by != nil {
			t.Errorf("%s: a cascade reaches it, and what is told is taken for all", name)
		}
		tell("posts", values(7, 1, "P", "x", 1), nil)
		e.End(nil, 1, false)
		if r.fresh(f) {
			t.Errorf("%s: the text is not believed", name)
		}
	}
	r := newRig(t, Options{})
	for i, c := range []RowChange{
		{Database: "main", Table: "unknown", Columns: 5}, {Database: "temp", Table: "posts", Columns: 5}, {Database: "main", Table: "posts", Columns: 6},
	} {
		s, _ := hookedSession(r)
		e := s.Start(t.Context(), allDrafts, named(args("x%")))
		c.Values = func(_, _ []driver.Value) error { return errors.New("asked for") }
		s.rowChanged(&c)
		e.End([]error{nil, errFailed}[i%2], 0, false)
		if r.last().Everything == "" {
			t.Errorf("%s.%s with %d columns is a table that is known", c.Database, c.Table, c.Columns)
		}
	}
	if r := newRig(t, Options{Dialect: catalog.PostgreSQL}); true {
		if s, _ := hookedSession(r); s.hook != nil {
			t.Error("PostgreSQL has a hook")
		}
	}
	s := r.session()
	if s.Hook(func(func(*RowChange)) bool { return false }); s.hook != nil {
		t.Error("a hook that could not be set")
	}
	if s.Hook(func(func(*RowChange)) bool { panic("x") }); s.hook != nil {
		t.Error("a hook that panicked")
	}
}

// Bytes that a driver returns as nil may be NULL, or none.
func TestReturnedNil(t *testing.T) {
	table := &catalog.Table{Columns: []catalog.Column{{Name: "b", Class: catalog.Bytes}}}
	for _, row := range [][]driver.Value{{[]byte(nil)}} {
		if list := imageOf(table, row); len(list) != 0 {
			t.Errorf("%#v is %v", row, list)
		}
	}
	for _, v := range []driver.Value{nil, []byte{}} {
		if list := imageOf(table, []driver.Value{v}); len(list) != 1 || slices.Contains(list[0].Values, rowtag.Null) != (v == nil) {
			t.Errorf("%#v is %v", v, list)
		}
	}
}
