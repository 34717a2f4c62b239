package observe

import (
	"context"
	"database/sql/driver"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/catalog"
)

// A change is one statement that was committed.
type change struct {
	text string
	args []any
	want bool // the answer is still good
}

// each reads, changes, and looks whether the answer is still good.
func each(t *testing.T, r *rig, text string, arguments []any, rows [][]any, complete bool, changes []change) {
	t.Helper()
	for _, c := range changes {
		r.read(text, arguments, rows...) // shapes
		ctx, rec := r.record(t.Context())
		open(ctx, r.session(), text, arguments, rows...).End(nil, -1, complete)
		f := rec.End()
		if f.Unknown != "" {
			t.Fatalf("%s: %s", text, f.Unknown)
		}
		exec(Outside(t.Context()), r.session(), c.text, c.args...)
		if got := r.fresh(f); got != c.want {
			t.Errorf("%s\n  after %s %v: good %v", text, c.text, c.args, got)
		}
	}
}

func TestReads(t *testing.T) {
	const (
		insert = `INSERT INTO posts (id, author_id, status, title, version) VALUES (?, ?, ?, ?, 1)`
		status = `UPDATE posts SET status = ? WHERE id = ?`
		remove = `DELETE FROM posts WHERE id = ?`
	)
	r := newRig(t, Options{})
	// By key: the row, with the columns that are used.
	each(t, r, postByID, args(7), [][]any{args(7, "x")}, true, []change{
		{updateTitle, args("n", 7), false}, {updateTitle, args("n", 8), true}, {status, args("n", 7), true},
		{remove, args(7), false}, {remove, args(8), true}, {insert, args(8, 1, "P", "x"), true},
		{`DELETE FROM posts WHERE title = ?`, args("x"), false}, {`DELETE FROM posts`, nil, false},
		{`UPDATE posts SET title = 'a' WHERE author_id = ?`, args(1), false},
		{`UPDATE posts SET title = 'a' WHERE id IN (?, ?)`, args(7, 8), false},
		{`UPDATE posts SET title = 'a' WHERE id IN (?, ?)`, args(9, 8), true},
		{`UPDATE users SET name = 'a' WHERE id = ?`, args(7), true},
	})
	// Its absence.
	each(t, r, postByID, args(7), nil, true, []change{{insert, args(7, 1, "P", "x"), false}, {insert, args(8, 1, "P", "x"), true}})
	// A set whose rows are shown.
	const ofAuthor = `SELECT id, title FROM posts WHERE author_id = ? AND status = 'P'`
	each(t, r, ofAuthor, args(1), [][]any{args(7, "x"), args(8, "y")}, true, []change{
		{updateTitle, args("n", 7), false}, {updateTitle, args("n", 9), true}, {remove, args(8), false}, {remove, args(9), true},
		{insert, args(9, 1, "P", "x"), false}, {insert, args(9, 2, "P", "x"), true}, {insert, args(9, 1, "D", "x"), true},
		{status, args("P", 9), false}, {status, args("D", 9), true}, {status, args("D", 7), false},
		{`UPDATE posts SET author_id = ? WHERE id = ?`, args(1, 9), false}, {`UPDATE posts SET author_id = ? WHERE id = ?`, args(2, 9), true},
	})
	// Rows that are not read to their end: what is not shown counts, and the order.
	const ordered = `SELECT id, title FROM posts WHERE author_id = ? ORDER BY version`
	each(t, r, ordered, args(1), [][]any{args(7, "x")}, false, []change{
		{`UPDATE posts SET version = ? WHERE id = ? AND author_id = ?`, args(1, 9, 1), false},
		{`UPDATE posts SET title = ? WHERE id = ? AND author_id = ?`, args("n", 9, 1), false},
		{`DELETE FROM posts WHERE id = ? AND author_id = ?`, args(9, 1), false},
		{`DELETE FROM posts WHERE id = ? AND author_id = ?`, args(9, 2), true},
	})
	each(t, r, ordered, args(1), [][]any{args(7, "x")}, true, []change{
		{`UPDATE posts SET title = ? WHERE id = ? AND author_id = ?`, args("n", 9, 1), true},
	})
	// An aggregate has no rows to show.
	each(t, r, `SELECT count(*) FROM posts WHERE author_id = ?`, args(1), [][]any{args(2)}, true, []change{
		{insert, args(9, 1, "P", "x"), false}, {insert, args(9, 2, "P", "x"), true}, {updateTitle, args("n", 7), true}, {remove, args(7), false},
	})
	// A page: rows beyond it do not count.
	const page = `SELECT id, title FROM posts WHERE author_id = ? ORDER BY id DESC LIMIT ?`
	each(t, r, page, args(1, 2), [][]any{args(90, "x"), args(80, "y")}, true, []change{
		{insert, args(95, 1, "P", "x"), false}, {insert, args(85, 1, "P", "x"), false}, {insert, args(70, 1, "P", "x"), true},
		{`DELETE FROM posts WHERE id = ? AND author_id = ?`, args(70, 1), true}, {remove, args(90), false},
	})
	// One that is not full shows all.
	each(t, r, page, args(1, 3), [][]any{args(90, "x"), args(80, "y")}, true, []change{
		{insert, args(70, 1, "P", "x"), false}, {`DELETE FROM posts WHERE id = ? AND author_id = ?`, args(70, 1), true},
	})
	each(t, r, `SELECT id, title FROM posts ORDER BY id LIMIT 2`, nil, [][]any{args(5, "x"), args(6, "y")}, true, []change{
		{insert, args(70, 1, "P", "x"), true}, {insert, args(1, 1, "P", "x"), false},
	})
	const offset = `SELECT id, title FROM posts WHERE author_id = ? ORDER BY id LIMIT 2 OFFSET ?`
	each(t, r, offset, args(1, 2), [][]any{args(50, "x"), args(60, "y")}, true, []change{
		{insert, args(70, 1, "P", "x"), true}, {insert, args(10, 1, "P", "x"), false},
		{`DELETE FROM posts WHERE id = ? AND author_id = ?`, args(10, 1), false}, {`DELETE FROM posts WHERE id = ? AND author_id = ?`, args(70, 1), true},
	})
	each(t, r, offset, args(1, 2), nil, true, []change{{`DELETE FROM posts WHERE id = ? AND author_id = ?`, args(10, 1), false}})
	// A search.
	each(t, r, `SELECT id, title FROM posts WHERE title LIKE ?`, args("%cache%"), [][]any{args(7, "a cache")}, true, []change{
		{insert, args(9, 1, "P", "two caches"), false}, {insert, args(9, 1, "P", "nothing"), true}, {updateTitle, args("Cached", 9), false},
	})
	// In an empty list is nothing.
	each(t, r, `SELECT id, title FROM posts WHERE id IN (SELECT value FROM json_each(?))`, args("[]"), nil, true, []change{{insert, args(9, 1, "P", "x"), true}})
	each(t, r, `SELECT id, title FROM posts WHERE id IN (SELECT value FROM json_each(?))`, args("[7, 8]"), [][]any{args(7, "x")}, true, []change{
		{insert, args(8, 1, "P", "x"), false}, {insert, args(9, 1, "P", "x"), true},
	})
	// Joined by a foreign key.
	const joined = `SELECT p.id, p.title, u.id, u.name FROM posts p JOIN users u ON u.id = p.author_id WHERE p.status = ?`
	each(t, r, joined, args("P"), [][]any{args(7, "x", 1, "Ann"), args(8, "x", 1, "Ann")}, true, []change{
		{`UPDATE users SET name = 'x' WHERE id = ?`, args(1), false}, {`UPDATE users SET name = 'x' WHERE id = ?`, args(2), true},
		{`UPDATE users SET last_seen = 'x' WHERE id = ?`, args(1), true}, {`INSERT INTO users (id, name, last_seen) VALUES (?, 'x', 'x')`, args(9), true},
	})
	// The empty side of an outer join.
	const outer = `SELECT p.id, p.title, c.id, c.body FROM posts p LEFT JOIN comments c ON c.post_id = p.id WHERE p.id = ?`
	each(t, r, outer, args(7), [][]any{args(7, "x", nil, nil)}, true, []change{
		{`INSERT INTO comments (id, post_id, body) VALUES (?, ?, 'x')`, args(1, 7), false}, {`INSERT INTO comments (id, post_id, body) VALUES (?, ?, 'x')`, args(1, 8), true},
	})
	// A column whose equality is not known makes no term.
	each(t, r, `SELECT id, name FROM users WHERE email = ?`, args("a@b"), nil, true, []change{
		{`UPDATE users SET email = ? WHERE id = ?`, args("A@B", 3), false}, {`UPDATE users SET name = 'x' WHERE id = ?`, args(3), true},
	})
	// An INSERT that ignores rows tells whether they are there.
	each(t, r, `INSERT INTO users (id, name, last_seen) VALUES (?, 'x', 'x') ON CONFLICT DO NOTHING`, args(1), nil, true, []change{
		{`DELETE FROM users WHERE id = ?`, args(1), false},
	})
}

// Rows that are still open when the computation ends are not read to their end.
func TestOpenRows(t *testing.T) {
	r := newRig(t, Options{})
	const text = `SELECT id, title FROM posts WHERE author_id = ? ORDER BY version`
	r.read(text, args(1), args(7, "x"))
	ctx, rec := r.record(t.Context())
	e := open(ctx, r.session(), text, args(1), args(7, "x"))
	f := rec.End()
	e.End(nil, -1, true)
	exec(t.Context(), r.session(), `DELETE FROM posts WHERE id = ? AND author_id = ?`, 9, 1)
	if r.fresh(f) {
		t.Error("it is taken for complete")
	}
}

// A key that the driver returns in an unexpected form makes the set wide.
func TestOddKey(t *testing.T) {
	r := newRig(t, Options{})
	const text = `SELECT id, title FROM posts WHERE author_id = ?`
	r.read(text, args(1), args(7, "x"))
	f := r.read(text, args(1), args("seven", "x"))
	exec(t.Context(), r.session(), `UPDATE posts SET title = 'n' WHERE author_id = ?`, 1)
	if r.fresh(f) {
		t.Error("the row is missed")
	}
}

// The columns of the result are those that were expected.
func TestOtherColumns(t *testing.T) {
	r := newRig(t, Options{})
	ctx, rec := r.record(t.Context())
	query(ctx, r.session(), postByID, args(7), args(7, "x", "y"))
	if rec.End().Unknown == "" {
		t.Error("it is known")
	}
}

// Arguments are not kept: the application may use their memory again.
func TestArgumentsAreNotKept(t *testing.T) {
	r := newRig(t, Options{})
	const text = `SELECT id, title FROM posts WHERE status = ?`
	r.read(text, args([]byte("P")))
	b := []byte("P")
	ctx, rec := r.record(t.Context())
	e := r.session().Start(ctx, text, named(args(b)))
	e.Rows(2)
	b[0] = 'X'
	e.End(nil, -1, true)
	f := rec.End()
	exec(t.Context(), r.session(), `INSERT INTO posts (id, author_id, status, title, version) VALUES (1, 1, 'P', 't', 1)`)
	if r.fresh(f) {
		t.Error("a read")
	}
	f = r.read(text, args("P"))
	b = []byte("P")
	e = r.session().Start(t.Context(), `UPDATE posts SET status = ? WHERE id = ? RETURNING version`, named(args(b, 9)))
	e.Rows(1)
	b[0] = 'X'
	e.End(nil, -1, false)
	if r.fresh(f) {
		t.Error("a write")
	}
}

// A page of an observed transaction of another catalog is everything.
func TestCatalogChanges(t *testing.T) {
	c := blog(catalog.SQLite)
	r := newRig(t, Options{read: func(context.Context, catalog.Dialect, catalog.Query) (*catalog.Catalog, error) { return c, nil }})
	f := r.read(postByID, args(7), args(7, "x"))
	s := r.session()
	exec(t.Context(), s, `BEGIN`)
	exec(t.Context(), s, updateTitle, "n", 9)

	old := r.Fingerprint()
	c = blog(catalog.SQLite)
	c.Fingerprint[1]++
	if err := r.Load(t.Context(), r.conn); err != nil {
		t.Fatal(err)
	}
	if r.fresh(f) || r.Fingerprint() == old {
		t.Error("a change of the catalog is not published")
	}
	f = r.read(`SELECT id, name FROM users WHERE id = ?`, args(7), args(7, "x")) // a new trigger may write it
	exec(t.Context(), s, `COMMIT`)
	if r.fresh(f) {
		t.Error("what was written under the old catalog is published as known")
	}

	// A catalog that cannot be read.
	n := r.commits()
	if err := r.Load(t.Context(), r.conn); err != nil || r.commits() != n {
		t.Errorf("the same catalog: %v, %d", err, r.commits())
	}
	r.opts.read = func(context.Context, catalog.Dialect, catalog.Query) (*catalog.Catalog, error) { panic("catalog") }
	if err := r.Load(t.Context(), r.conn); err == nil || r.commits() != n+1 || r.Loaded() || !r.has(NoCatalog) {
		t.Error("nothing is known, and that is not told")
	}
	ctx, rec := r.record(t.Context())
	query(ctx, r.session(), postByID, args(7), args(7, "x"))
	if rec.End().Unknown == "" {
		t.Error("a read is known without a catalog")
	}
	s = r.session()
	n = r.commits()
	exec(t.Context(), s, `BEGIN`)
	exec(t.Context(), s, updateTitle, "n", 7)
	if r.commits() != n {
		t.Fatal("published before the commit")
	}
	exec(t.Context(), s, `COMMIT`)
	if r.commits() != n+1 || r.last().Everything == "" {
		t.Error("a write is known without a catalog")
	}
}

// The keys of one side of a join are asked for, and never used without the set that they
// come from.
func TestSemiJoins(t *testing.T) {
	const count = `SELECT count(*) FROM posts p JOIN comments c ON c.post_id = p.id WHERE p.author_id = ?`
	r := newRig(t, Options{SemiJoins: true})
	r.conn.answer = func(text string, args []driver.NamedValue) ([][]driver.Value, error) {
		if text != `SELECT DISTINCT "id" FROM "posts" WHERE "author_id" IN (?) LIMIT 257` || len(args) != 1 || args[0].Value != int64(1) {
			t.Errorf("%s %v", text, args)
		}
		return [][]driver.Value{{int64(7)}, {int64(8)}}, nil
	}
	each(t, r, count, args(1), [][]any{args(5)}, true, []change{
		{`INSERT INTO comments (id, post_id, body) VALUES (?, ?, 'x')`, args(1, 7), false},
		{`INSERT INTO comments (id, post_id, body) VALUES (?, ?, 'x')`, args(1, 9), true},
		{`INSERT INTO posts (id, author_id, status, title, version) VALUES (?, ?, 'P', 't', 1)`, args(9, 1), false},
		{`INSERT INTO posts (id, author_id, status, title, version) VALUES (?, ?, 'P', 't', 1)`, args(9, 2), true},
		{`UPDATE posts SET author_id = ? WHERE id = ?`, args(1, 9), false},
	})
	r.conn.answer = func(string, []driver.NamedValue) ([][]driver.Value, error) {
		var many [][]driver.Value
		for i := range maxKeys + 1 {
			many = append(many, []driver.Value{int64(i)})
		}
		return many, nil
	}
	each(t, r, count, args(1), [][]any{args(5)}, true, []change{{`INSERT INTO comments (id, post_id, body) VALUES (?, ?, 'x')`, args(1, 999), false}})
	r = newRig(t, Options{})
	each(t, r, count, args(1), [][]any{args(5)}, true, []change{{`INSERT INTO comments (id, post_id, body) VALUES (?, ?, 'x')`, args(1, 9), false}})
	if len(r.conn.texts) > 0 {
		t.Errorf("%q", r.conn.texts)
	}
}

// The database is asked now and then whether its catalog is another one, on a connection
// that does nothing else.
func TestPoll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := blog(catalog.SQLite)
		asked, wrong := 0, false
		r := newRig(t, Options{
			read: func(context.Context, catalog.Dialect, catalog.Query) (*catalog.Catalog, error) { return c, nil },
			version: func(context.Context, catalog.Dialect, catalog.Query) (catalog.Version, error) {
				if asked++; wrong {
					return catalog.Version{}, errFailed
				}
				return c.Version, nil
			},
		})
		f := r.read(postByID, args(7), args(7, "x"))
		wait := func(d time.Duration) { <-time.After(d) }
		s := r.session()
		s.Reset(t.Context())
		if asked != 0 {
			t.Fatal("asked right after it was read")
		}
		wait(pollSQLite)
		exec(t.Context(), s, `BEGIN`)
		if asked != 1 {
			t.Fatalf("asked %d times", asked)
		}
		wait(pollSQLite)
		query(t.Context(), s, postByID, args(7), args(7, "x"))
		exec(t.Context(), s, `COMMIT`)
		if asked != 1 {
			t.Fatal("asked within a transaction")
		}
		next := blog(catalog.SQLite)
		next.Version[0], next.Fingerprint[1] = 1, 1
		c = next
		s.Reset(t.Context())
		if asked != 2 || r.fresh(f) || r.state.Load().catalog != next {
			t.Errorf("asked %d times, good %v", asked, r.fresh(f))
		}
		wrong = true
		wait(pollSQLite)
		s.Reset(t.Context())
		s.Reset(t.Context())
		if asked != 3 || !r.Loaded() {
			t.Errorf("asked %d times after a failure", asked)
		}
	})
}

// DDL drops everything, and the catalog is read again.
func TestDDL(t *testing.T) {
	reads := 0
	r := newRig(t, Options{read: func(context.Context, catalog.Dialect, catalog.Query) (*catalog.Catalog, error) {
		reads++
		c := blog(catalog.SQLite)
		c.Fingerprint[1] = byte(reads)
		return c, nil
	}})
	s := r.session()
	for _, inside := range []bool{false, true} {
		f := r.read(postByID, args(7), args(7, "x"))
		before := reads
		if inside {
			exec(t.Context(), s, `BEGIN`)
		}
		exec(t.Context(), s, `CREATE TRIGGER r AFTER UPDATE ON users BEGIN UPDATE posts SET version = 1; END`)
		if inside {
			if reads != before {
				t.Error("read within the transaction")
			}
			exec(t.Context(), s, `COMMIT`)
		}
		if reads != before+1 || r.fresh(f) {
			t.Errorf("read %d times, good %v", reads-before, r.fresh(f))
		}
		exec(t.Context(), s, updateTitle, "n", 7)
		if r.last().Everything != "" {
			t.Errorf("afterwards: %q", r.last().Everything)
		}
	}
}

// A rollback undoes what a transaction has written: rows that it has taken out of a set come
// back. A reading of the set within the transaction is not kept, one of another set is.
func TestReadBesideWhatIsUndone(t *testing.T) {
	const list = `SELECT id, title FROM posts WHERE author_id = ? AND status = 'D'`
	for _, c := range []struct {
		write  string
		author int
		stored bool
	}{
		{`DELETE FROM posts WHERE id = 7`, 1, false},
		{`DELETE FROM posts WHERE id = 7 AND author_id = 1`, 1, false},
		{`DELETE FROM posts WHERE id = 7 AND author_id = 1`, 2, true},
		{`UPDATE posts SET author_id = 3 WHERE id = 7 AND author_id = 1`, 1, false},
		{`UPDATE posts SET author_id = 3 WHERE id = 7 AND author_id = 1`, 2, true},
		{`UPDATE posts SET status = 'P' WHERE id = 7 AND author_id = 1`, 1, false},
		{`UPDATE posts SET version = 2 WHERE id = 7 AND author_id = 1`, 1, true},
		{`INSERT INTO posts (id, author_id, status, title, version) VALUES (9, 1, 'D', 't', 1)`, 1, false},
	} {
		r := newRig(t, Options{Images: Off})
		r.read(list, args(c.author), args(8, "x"))
		s := r.session()
		exec(t.Context(), s, `BEGIN`)
		exec(t.Context(), s, c.write)
		ctx, rec := r.record(t.Context())
		query(ctx, s, list, args(c.author), args(8, "x"))
		if stored := rec.End().Uncommitted == ""; stored != c.stored {
			t.Errorf("%s, posts of %d: stored %v", c.write, c.author, stored)
		}
	}
}
