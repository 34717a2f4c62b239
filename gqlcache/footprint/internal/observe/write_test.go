package observe

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/analysis"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/catalog"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/rowtag"
)

// Nothing is written where no row is affected, if nothing else can be.
func TestNothingAffected(t *testing.T) {
	c := blog(catalog.SQLite)
	c.Tables["users"].Triggers = []catalog.Trigger{{Name: "r", Body: "CREATE TRIGGER r AFTER UPDATE ON users BEGIN UPDATE posts SET version = 1; END", Update: true}}
	r := newRig(t, Options{read: func(context.Context, catalog.Dialect, catalog.Query) (*catalog.Catalog, error) { return c, nil }})
	s := r.session()
	affect(t.Context(), s, 0, updateTitle, "n", 7)
	affect(t.Context(), s, 0, `DELETE FROM posts WHERE id = ?`, 7)
	query(t.Context(), s, `DELETE FROM posts WHERE id = ? RETURNING id`, args(7))
	if n := r.commits(); n > 1 {
		t.Errorf("%d commits", n)
	}
	open(t.Context(), s, `DELETE FROM posts WHERE id = ? RETURNING id`, args(7)).End(nil, -1, false)
	n := r.commits()
	affect(t.Context(), s, 0, `UPDATE users SET name = ? WHERE id = ?`, "n", 7)
	affect(t.Context(), s, -1, updateTitle, "n", 7)
	affect(t.Context(), s, 0, `INSERT INTO posts (id, author_id, status, title, version) VALUES (1, 1, 'P', 't', 1) ON CONFLICT (id) DO UPDATE SET title = 'x'`)
	if r.commits() != n+3 {
		t.Errorf("%d commits, not %d", r.commits(), n+3)
	}
	if r.sink.wrote != 7 {
		t.Errorf("%d writes are told", r.sink.wrote)
	}
}

// A write within a query is one, however many rows the query returns, and whatever these
// have: neither is the write's.
func TestWriteWithin(t *testing.T) {
	r := newRig(t, Options{Dialect: catalog.PostgreSQL})
	s := r.session()
	e := s.Start(t.Context(), `WITH w AS (UPDATE posts SET title = $1 WHERE id = $2 RETURNING id) SELECT id FROM w WHERE id > 100`, named(args("n", 7)))
	e.Rows(1)
	e.End(nil, -1, true)
	if r.commits() != 1 {
		t.Error("no rows")
	}
	affect(t.Context(), s, 0, `WITH w AS (UPDATE posts SET title = $1 WHERE id = $2 RETURNING id) SELECT id FROM w WHERE id > 100`, "n", 7)
	if r.commits() != 2 {
		t.Error("none affected")
	}
	query(t.Context(), s, `WITH w AS (INSERT INTO posts (id, author_id, title) VALUES ($1, $2, $3) RETURNING id) SELECT 100 + id FROM w`, args(7, 1, "t"), args(107))
	for _, k := range r.last().Events[0].New {
		if k.Column == 0 && slices.Contains(k.Values, intValue(t, 107)) {
			t.Error("a column of the query is taken for one of the table")
		}
	}
}

// intValue is the value of a number.
func intValue(t *testing.T, n int64) rowtag.Value {
	t.Helper()
	v, ok := rowtag.ValueOf(catalog.Int, n)
	if !ok {
		t.Fatal(n)
	}
	return v
}

// What is deleted takes what refers to it along, to the last level.
func TestCascades(t *testing.T) {
	c := blog(catalog.SQLite)
	c.Tables["posts"].Foreign[0].OnDelete = catalog.Cascade
	c.Tables["posts"].Foreign[0].OnUpdate = catalog.Cascade
	votes := &catalog.Table{Name: "votes", Columns: []catalog.Column{{Name: "id", Class: catalog.Int, NotNull: true}, {Name: "comment_id", Class: catalog.Int}}, Keys: [][]int{{0}}}
	votes.Foreign = []catalog.ForeignKey{{Columns: []int{1}, Table: c.Tables["comments"], RefColumns: []int{0}, OnDelete: catalog.SetNull}}
	c.Tables["votes"] = votes
	c.Finish()
	r := newRig(t, Options{read: func(context.Context, catalog.Dialect, catalog.Query) (*catalog.Catalog, error) { return c, nil }})
	const comments, posts = `SELECT count(*) FROM comments WHERE post_id = ?`, `SELECT count(*) FROM posts WHERE author_id = ?`
	for _, x := range []struct {
		read     string
		args     []any
		write    string
		good     bool
		argument int
	}{
		{comments, args(7), `DELETE FROM posts WHERE id = ?`, false, 7},
		{comments, args(7), `DELETE FROM posts WHERE id = ?`, true, 8},
		{comments, args(7), `DELETE FROM users WHERE id = ?`, false, 1},
		{posts, args(1), `DELETE FROM users WHERE id = ?`, false, 1},
		{posts, args(1), `DELETE FROM users WHERE id = ?`, true, 2},
		{posts, args(1), `UPDATE users SET id = ? WHERE id = 9`, false, 1},
		{posts, args(1), `UPDATE users SET id = ? WHERE id = 9`, true, 2},
		{posts, args(1), `UPDATE users SET name = 'x' WHERE id = ?`, true, 1},
		{`SELECT count(*) FROM votes WHERE comment_id = ?`, args(3), `DELETE FROM users WHERE id = ?`, false, 1},
		{`SELECT count(*) FROM votes WHERE comment_id = ?`, args(3), `DELETE FROM comments WHERE id = ?`, true, 4},
		{`SELECT count(*) FROM votes WHERE comment_id IS NULL`, nil, `DELETE FROM comments WHERE id = ?`, false, 4},
	} {
		f := r.read(x.read, x.args, args(1))
		exec(t.Context(), r.session(), x.write, x.argument)
		if r.fresh(f) != x.good {
			t.Errorf("%s %v after %s %d: good %v", x.read, x.args, x.write, x.argument, !x.good)
		}
	}

	// A table whose rows refer to each other.
	self := &catalog.Table{Name: "tree", Columns: []catalog.Column{{Name: "id", Class: catalog.Int, NotNull: true}, {Name: "up", Class: catalog.Int}}, Keys: [][]int{{0}}}
	self.Foreign = []catalog.ForeignKey{{Columns: []int{1}, Table: self, RefColumns: []int{0}, OnDelete: catalog.Cascade}}
	sc := &catalog.Catalog{Dialect: catalog.SQLite, Tables: map[string]*catalog.Table{"tree": self}}
	sc.Finish()
	events, everything := cascade(nil, &rowtag.Event{Table: self, Op: rowtag.Deleted}, 0)
	if everything != "" || len(events) < 2 || len(events) > maxCascadeDepth+2 || events[len(events)-1].Op != rowtag.Changed {
		t.Errorf("%d events, %q", len(events), everything)
	}
}

// A write of many rows, or of many tags, is one of the table.
func TestManyRows(t *testing.T) {
	r := newRig(t, Options{})
	f := r.read(`SELECT count(*) FROM posts WHERE author_id = ?`, args(1), args(2))
	s := r.session()
	insert := func(n int) {
		exec(t.Context(), s, `BEGIN`)
		for i := range n {
			exec(t.Context(), s, `INSERT INTO posts (id, author_id, status, title, version) VALUES (?, 2, 'P', 't', 1)`, i)
		}
		exec(t.Context(), s, `INSERT INTO users (id, name, last_seen) VALUES (1, 'n', 'n')`)
		if len(s.pending.events) > maxRows+1 {
			t.Errorf("%d events are pending", len(s.pending.events))
		}
		exec(t.Context(), s, `COMMIT`)
	}
	insert(maxRows)
	if !r.fresh(f) {
		t.Error("rows of another author drop it")
	}
	insert(maxRows + 1)
	if r.fresh(f) || len(r.last().Events) != 2 || r.last().Everything != "" {
		t.Errorf("%+v", r.last())
	}
	values := strings.Repeat(`(1, 2, 'P', 't', 1), `, maxRows) + `(1, 2, 'P', 't', 1)`
	f = r.read(`SELECT count(*) FROM posts WHERE author_id = ?`, args(1), args(2))
	exec(t.Context(), s, `INSERT INTO posts (id, author_id, status, title, version) VALUES `+values)
	if r.fresh(f) || len(r.last().Events) != 1 {
		t.Errorf("%d events", len(r.last().Events))
	}

	// A client that filters by everything: the tags of a commit have a bound.
	table := r.state.Load().catalog.Tables["posts"]
	columns := []string{"author_id = 1", "status = 'P'", "version = 2"}
	var last Footprint
	for i := 1; i < 8; i++ {
		var where []string
		for c := range columns {
			if i&(1<<c) != 0 {
				where = append(where, columns[c])
			}
		}
		last = r.read(`SELECT count(*) FROM posts WHERE `+strings.Join(where, " AND "), nil, args(2))
	}
	var events []rowtag.Event
	for i := range maxRows {
		author, version := rowtag.Known{Column: 1}, rowtag.Known{Column: 4}
		for j := range 8 {
			author.Values = append(author.Values, rowtag.Value(100*i+j+1))
			version.Values = append(version.Values, rowtag.Value(100*i+j+50))
		}
		events = append(events, rowtag.Event{Table: table, Op: rowtag.Inserted, New: []rowtag.Known{author, {Column: 2, Values: []rowtag.Value{1}}, version}})
	}
	if few := r.TagsOf(events[:1]); meet(few, last.Tags) {
		t.Error("other values drop it")
	}
	if tags := r.TagsOf(events); len(tags) > maxCommitTags || !meet(tags, last.Tags) {
		t.Errorf("%d tags", len(tags))
	}
}

// A value that the database makes is not NULL, and one that it may change is not known.
func TestValuesThatAreMade(t *testing.T) {
	r := newRig(t, Options{})
	f := r.read(postByID, args(7))
	exec(t.Context(), r.session(), `INSERT INTO posts (id, author_id, status, title, version) VALUES (?, 1, 'P', 't', 1)`, nil)
	if r.fresh(f) {
		t.Error("an INTEGER PRIMARY KEY is made of NULL")
	}
	table := r.state.Load().catalog.Tables["posts"]
	set := []analysis.SetValue{{Column: 0, Source: &analysis.Source{Kind: analysis.Param, Param: 1}}}
	if known := r.session().setsOf(table, set, arguments{list: named(args(nil))}, nil); len(known) > 0 {
		t.Error("a key is NULL")
	}
	r = newRig(t, Options{Dialect: catalog.PostgreSQL})
	f = r.read(`SELECT count(*) FROM posts WHERE status = $1`, args("P"), args(1))
	exec(t.Context(), r.session(), `INSERT INTO posts (id, author_id, status, title, version) VALUES (1, 1, $1, 't', 1)`, "P ")
	if r.fresh(f) {
		t.Error("varchar(1) cuts spaces")
	}
	f = r.read(`SELECT count(*) FROM posts WHERE status = $1`, args("P"), args(1))
	exec(t.Context(), r.session(), `UPDATE posts SET status = coalesce($1, status) WHERE id = $2`, nil, 7)
	if !r.fresh(f) {
		t.Error("NULL leaves the column alone")
	}
	exec(t.Context(), r.session(), `UPDATE posts SET status = coalesce($1, status) WHERE id = $2`, "P", 7)
	if r.fresh(f) {
		t.Error("a value does not")
	}
}

// Events travel to another instance, whose shapes are others.
func TestEventsTravel(t *testing.T) {
	a, b := newRig(t, Options{}), newRig(t, Options{})
	f := b.read(postByID, args(7), args(7, "x"))
	other := b.read(postByID, args(8), args(8, "x"))
	exec(t.Context(), a.session(), updateTitle, "n", 7)
	words, ok := a.AppendEvents(nil, a.last().Events)
	events, ok2 := b.ReadEvents(words)
	if !ok || !ok2 {
		t.Fatal("they do not travel")
	}
	b.sink.Committed(t.Context(), Commit{Events: events})
	if b.fresh(f) || !b.fresh(other) {
		t.Error("the row is fresh, or another one is not")
	}
	if _, ok := b.ReadEvents(words[:len(words)-1]); ok {
		t.Error("a part is read")
	}
}

// What a record reaches in an instance that does not know its table, or has not read the
// catalog of some handle.
func TestReach(t *testing.T) {
	a := newRig(t, Options{})
	exec(t.Context(), a.session(), updateTitle, "n", 7)
	words, _ := a.AppendEvents(nil, a.last().Events)
	ctx, rec := Begin(t.Context(), Start{Since: ^uint64(0), Number: 1, Sink: a.sink, Coarse: true}, a.Observer)
	query(ctx, a.session(), postByID, args(7), args(7, "x"))
	shared := rec.End().Coarse
	older := blog(catalog.SQLite)
	delete(older.Tables, "posts")
	b := newRig(t, Options{read: func(context.Context, catalog.Dialect, catalog.Query) (*catalog.Catalog, error) { return older, nil }})
	unread := New(Options{Dialect: catalog.SQLite, Name: "unread"})
	for name, observers := range map[string][]*Observer{"older": {b.Observer}, "unread": {unread}, "both": {unread, b.Observer}} {
		if tags, ok := Reach(nil, words, observers...); !ok || !meet(tags, shared) {
			t.Errorf("%s: an answer of another instance is not reached: %v, %v", name, tags, ok)
		}
	}
	f := a.read(postByID, args(8), args(8, "x"))
	if tags, ok := Reach(nil, words, a.Observer, unread, b.Observer); !ok || meet(tags, f.Tags) {
		t.Errorf("another row is reached: %v, %v", tags, ok)
	}
	a.CatalogChanged(t.Context())
	if _, ok := Reach(nil, words, a.Observer); ok {
		t.Error("shapes that are not at hand reach nothing")
	}
	if _, ok := Reach(nil, words[:len(words)-1], unread); ok {
		t.Error("a part is read")
	}
}

// An imaging rig keeps rows of posts.
func imaging(t *testing.T, o Options) (*rig, map[int64][]driver.Value) {
	t.Helper()
	r := newRig(t, o)
	rows := map[int64][]driver.Value{
		7: {int64(7), int64(1), "P", "x", int64(1)}, 8: {int64(8), int64(1), "P", "y", int64(1)}, 9: {int64(9), int64(2), "D", "z", int64(1)},
	}
	r.conn.answer = func(text string, args []driver.NamedValue) (list [][]driver.Value, err error) {
		switch {
		case strings.Contains(text, `WHERE (author_id = ?`):
			for id := int64(7); id < 10; id++ {
				if rows[id] != nil && rows[id][1] == args[0].Value {
					list = append(list, rows[id])
				}
			}
		case strings.Contains(text, `WHERE "id" IN (`):
			for _, a := range args {
				if row := rows[a.Value.(int64)]; row != nil {
					list = append(list, row)
				}
			}
		default:
			return nil, errors.New("not expected: " + text)
		}
		return list, nil
	}
	return r, rows
}

// Row images: the values before and after are known.
func TestImages(t *testing.T) {
	const byAuthor = `UPDATE posts SET status = status || ? WHERE author_id = ? -- all of them`
	set := func(rows map[int64][]driver.Value, id int64, status string) {
		row := append([]driver.Value(nil), rows[id]...)
		row[2] = status
		rows[id] = row
	}
	r, rows := imaging(t, Options{})
	draft := r.read(`SELECT count(*) FROM posts WHERE status = ?`, args("D"), args(1))
	published := r.read(`SELECT count(*) FROM posts WHERE status = ?`, args("P"), args(2))
	hidden := r.read(`SELECT count(*) FROM posts WHERE status = ?`, args("H"), args(0))
	s := r.session()
	run := func(begin string, affected int64) {
		r.conn.texts = nil
		exec(t.Context(), s, begin)
		e := s.Start(t.Context(), byAuthor, named(args("!", 1)))
		set(rows, 7, "H")
		set(rows, 8, "H")
		e.End(nil, affected, true)
		exec(t.Context(), s, `COMMIT`)
	}
	run(`BEGIN IMMEDIATE`, 2)
	if len(r.conn.texts) != 2 {
		t.Fatalf("%q", r.conn.texts)
	}
	if r.fresh(published) || r.fresh(hidden) || !r.fresh(draft) {
		t.Errorf("published %v, hidden %v, draft %v", r.fresh(published), r.fresh(hidden), r.fresh(draft))
	}
	for _, row := range r.last().Events {
		if row.Columns != catalog.Bit(2) {
			t.Errorf("%+v", row)
		}
	}
	set(rows, 7, "P")
	set(rows, 8, "P")
	run(`BEGIN IMMEDIATE`, 3) // another row was written than was asked for
	if r.fresh(draft) {
		t.Error("images of other rows are believed")
	}

	draft = r.read(`SELECT count(*) FROM posts WHERE status = ?`, args("D"), args(1))
	run(`BEGIN`, 2)
	if len(r.conn.texts) != 0 || r.fresh(draft) {
		t.Errorf("asked for without the lock: %q", r.conn.texts)
	}
	exec(t.Context(), s, `BEGIN`)
	exec(t.Context(), s, `UPDATE users SET name = 'x' WHERE id = 1`) // takes the lock
	exec(t.Context(), s, `DELETE FROM posts WHERE author_id = ?`, 2)
	if len(r.conn.texts) != 1 {
		t.Errorf("after another write: %q", r.conn.texts)
	}
	e := open(t.Context(), s, postByID, args(7), args(7, "x"))
	r.conn.texts = nil
	exec(t.Context(), s, byAuthor, "!", 1)
	if len(r.conn.texts) != 0 {
		t.Error("asked for while rows are open")
	}
	e.End(nil, -1, true)
	exec(t.Context(), s, `ROLLBACK`)
	exec(t.Context(), s, byAuthor, "!", 1)
	if len(r.conn.texts) != 0 {
		t.Error("asked for outside of a transaction")
	}

	for _, text := range []string{ // conditions that are not of the row alone
		`UPDATE posts SET status = 'x' WHERE author_id = ? AND id IN (SELECT post_id FROM comments)`,
		`UPDATE posts SET status = 'x' WHERE author_id = ? AND version > random()`,
	} {
		exec(t.Context(), s, `BEGIN IMMEDIATE`)
		exec(t.Context(), s, text, 1)
		exec(t.Context(), s, `ROLLBACK`)
		if len(r.conn.texts) != 0 {
			t.Errorf("%s: %q", text, r.conn.texts)
		}
	}

	// A failure turns them off for the text.
	r.conn.answer = func(string, []driver.NamedValue) ([][]driver.Value, error) { return nil, errors.New("failed") }
	for range 2 {
		exec(t.Context(), s, `BEGIN IMMEDIATE`)
		exec(t.Context(), s, byAuthor, "!", 1)
		exec(t.Context(), s, `ROLLBACK`)
	}
	if len(r.conn.texts) != 1 || !r.has(ImageRefused) {
		t.Errorf("%q", r.conn.texts)
	}
	r, _ = imaging(t, Options{Images: Off})
	s = r.session()
	exec(t.Context(), s, `BEGIN IMMEDIATE`)
	exec(t.Context(), s, byAuthor, "!", 1)
	if len(r.conn.texts) != 0 {
		t.Error("they are off")
	}
}

// In PostgreSQL the images take the locks that the write takes, and an error of theirs does
// not end the transaction.
func TestImagesOfPostgreSQL(t *testing.T) {
	r := newRig(t, Options{Dialect: catalog.PostgreSQL, Images: On})
	row := []driver.Value{int64(7), int64(1), "P", "x", int64(1)}
	var wrong string
	r.conn.answer = func(text string, _ []driver.NamedValue) ([][]driver.Value, error) {
		switch {
		case wrong != "" && strings.HasPrefix(text, wrong):
			return nil, errFailed
		case strings.HasPrefix(text, "SELECT"):
			return [][]driver.Value{row}, nil
		}
		return nil, nil
	}
	s := r.session()
	run := func(text string, arguments ...any) []string {
		r.conn.texts = nil
		exec(t.Context(), s, `BEGIN`)
		exec(t.Context(), s, text, arguments...)
		exec(t.Context(), s, `COMMIT`)
		var short []string
		for _, x := range r.conn.texts {
			x = strings.ReplaceAll(x, " cascadeql_images", "")
			if i := strings.Index(x, " FROM "); i >= 0 {
				x = "SELECT" + x[i:]
			}
			short = append(short, strings.ReplaceAll(x, "\n", ""))
		}
		return short
	}
	const by = `SELECT FROM "posts" WHERE "id" IN ($1)`
	for _, c := range []struct {
		text string
		args []any
		want []string
	}{
		{`UPDATE posts SET status = status || $1 WHERE author_id = $2`, args("!", 1), []string{
			"SAVEPOINT", `SELECT FROM "posts" WHERE (author_id = $1) LIMIT 501 FOR NO KEY UPDATE`, "RELEASE SAVEPOINT", "SAVEPOINT", by, "RELEASE SAVEPOINT",
		}},
		{`DELETE FROM posts AS p WHERE p.author_id = $1`, args(1), []string{
			"SAVEPOINT", `SELECT FROM "posts" AS "p" WHERE (p.author_id = $1) LIMIT 501 FOR UPDATE`, "RELEASE SAVEPOINT",
		}},
		{`UPDATE posts SET id = $1 WHERE author_id = $2`, args(3, 1), nil}, // its key changes
	} {
		if got := run(c.text, c.args...); fmt.Sprint(got) != fmt.Sprint(c.want) {
			t.Errorf("%s: %q", c.text, got)
		}
	}
	wrong = "SELECT"
	const other = `UPDATE posts SET title = title || $1 WHERE author_id = $2`
	if got := run(other, "!", 1); fmt.Sprint(got) != fmt.Sprint([]string{"SAVEPOINT", `SELECT FROM "posts" WHERE (author_id = $1) LIMIT 501 FOR NO KEY UPDATE`, "ROLLBACK TO SAVEPOINT", "RELEASE SAVEPOINT"}) {
		t.Errorf("a failure: %q", got)
	}
	if got := run(other, "!", 1); len(got) != 0 {
		t.Errorf("after a failure: %q", got)
	}
	for _, text := range []string{`DEALLOCATE ALL`, `DISCARD ALL`} { // the driver's statements are gone
		wrong, s = "", r.session()
		exec(t.Context(), s, text)
		s.Reset(t.Context())
		if got := run(`UPDATE posts SET version = version + 2 WHERE author_id = $1`, 1); len(got) != 0 {
			t.Errorf("after %s: %q", text, got)
		}
	}
	s = r.session()
	wrong = "RELEASE"
	run(`UPDATE posts SET version = version + 1 WHERE author_id = $1`, 1)
	if r.last().Everything == "" {
		t.Error("a savepoint that is not released leaves the session sure")
	}
}

// The condition of a write has its own parameters.
func TestCondition(t *testing.T) {
	for _, c := range []struct {
		text, where, clause string
		want                []any
	}{
		{`UPDATE t SET a = ?, b = '?' WHERE c = ? AND d = ?`, `c = ? AND d = ?`, "c = ? AND d = ?", args(int64(2), int64(3))},
		{`UPDATE t SET a = ?2 WHERE c = ?1 AND d = ?`, `c = ?1 AND d = ?`, "c = ? AND d = ?", args(int64(1), int64(3))},
		{`UPDATE t SET a = :x, "b?" = ? WHERE c = @y AND d = :x`, `c = @y AND d = :x`, "c = ? AND d = ?", args(int64(3), int64(1))},
		{`UPDATE t SET a = /* ? */ ? WHERE c = ? -- ?`, `c = ?`, "c = ?", args(int64(2))},
		{`UPDATE t SET c = ? WHERE c = ?;`, `c = ?`, "c = ?", args(int64(2))},
		{`DELETE FROM t`, ``, ``, nil},
	} {
		clause, own, ok := condition(catalog.SQLite, c.text, c.where, false, arguments{list: named(args(1, 2, 3))})
		var got []any
		for _, a := range own {
			got = append(got, a.Value)
		}
		if !ok || c.where != "" && clause != " WHERE ("+c.clause+"\n)" || fmt.Sprint(got) != fmt.Sprint(c.want) {
			t.Errorf("%s: %q %v %v", c.text, clause, got, ok)
		}
	}
	if _, _, ok := condition(catalog.SQLite, `UPDATE t SET a = b = ? WHERE b = ? RETURNING b = ?`, `b = ?`, true, arguments{list: named(args(1, 2, 3))}); ok {
		t.Error("a condition that occurs twice")
	}
	if _, _, ok := condition(catalog.SQLite, `UPDATE t SET a = ? WHERE b = ?`, `b = ?`, false, arguments{list: named(args(1))}); ok {
		t.Error("an argument that is not there")
	}
	clause, own, ok := condition(catalog.PostgreSQL, `UPDATE t SET a = $1 WHERE b = $3 AND c = '$2' AND d = $2`, `b = $3 AND c = '$2' AND d = $2`, false, arguments{list: named(args(1, 2, 3))})
	if !ok || clause != " WHERE (b = $1 AND c = '$2' AND d = $2\n)" || len(own) != 2 || own[0].Value != int64(3) || own[1].Value != int64(2) {
		t.Errorf("%q %v %v", clause, own, ok)
	}
	for _, text := range []string{`DELETE FROM t WHERE a = E'\'$1' AND b = $1`, `DELETE FROM t WHERE a = $x$ $1 $x$`, `DELETE FROM t WHERE /* $2 */ a = $1`} {
		if clause, _, ok := condition(catalog.PostgreSQL, text, text[20:], false, arguments{list: named(args(1, 2))}); ok {
			t.Errorf("%s: %s", text, clause)
		}
	}
	a := arguments{list: []driver.NamedValue{{Ordinal: 1, Name: "x", Value: int64(5)}, {Ordinal: 2, Value: int64(6)}}}
	if v, ok := a.get(2, ":x"); !ok || v != int64(5) {
		t.Error("a named argument")
	}
	if _, ok := a.get(1, ""); ok {
		t.Error("a named argument by its number")
	}
}

func TestArrays(t *testing.T) {
	for text, want := range map[string]string{
		`{}`: `[]`, `{1,2}`: `[1 2]`, `{"a b",c}`: `[a b c]`, `{"a\"b\\",NULL,"NULL"}`: `[a"b\ <nil> NULL]`, `{""}`: `[]`,
	} {
		if list, ok := elements(text); !ok || fmt.Sprint(list) != want {
			t.Errorf("%s: %v, %v", text, list, ok)
		}
	}
	for _, text := range []string{``, `{`, `{1`, `{1,}`, `{{1},{2}}`, `{"a`, `{"a"b}`, `[0:1]={1,2}`, `{a b}`, `{,}`, `{"a\`} {
		if list, ok := elements(text); ok {
			t.Errorf("%s: %v", text, list)
		}
	}
	if list, ok := elements([]int64{1, 2}); !ok || len(list) != 2 {
		t.Error("a slice")
	}
	if _, ok := elements(make([]int, maxListed+1)); ok {
		t.Error("a long slice")
	}
}

// Row-level security lets a query of ours find other rows than a write with the same
// condition. What RETURNING shows are all rows that were written.
func TestWritesUnderPolicies(t *testing.T) {
	c := blog(catalog.PostgreSQL)
	posts := c.Tables["posts"]
	posts.Policies, posts.Conditions = true, []string{"version > 0"}
	r := newRig(t, Options{Dialect: catalog.PostgreSQL, Images: On, read: func(context.Context, catalog.Dialect, catalog.Query) (*catalog.Catalog, error) { return c, nil }})
	s := r.session()
	const drafts = `SELECT id, title FROM posts WHERE status = $1 AND author_id = $2`
	read := func(author int) Footprint { return r.read(drafts, args("D", author), args(10+author, "x")) }
	read(1) // makes the shapes
	one, two := read(1), read(2)
	exec(t.Context(), s, `BEGIN`)
	query(t.Context(), s, `UPDATE posts SET status = $1 WHERE id = $2 RETURNING id, author_id, status`, args("D", 7), args(7, 1, "D"))
	exec(t.Context(), s, `COMMIT`)
	if len(r.conn.texts) > 0 {
		t.Errorf("images where policies apply: %q", r.conn.texts)
	}
	if r.fresh(one) || !r.fresh(two) {
		t.Errorf("of the author: fresh %v; of another one: fresh %v", r.fresh(one), r.fresh(two))
	}
}

// A row that was inserted is known by what the statement says and by what it returned,
// also to who reads the first row and no further. Rows of which one may follow are not.
func TestReturnedKey(t *testing.T) {
	const (
		one = `INSERT INTO posts (author_id, status, title, version) VALUES (?, 'DRAFT', ?, 1) RETURNING id`
		two = `INSERT INTO posts (author_id, status, title, version) VALUES (?, 'DRAFT', ?, 1), (1, 'DRAFT', 't', 1) RETURNING id`
		any = `INSERT INTO posts (author_id, status, title, version) SELECT ?, 'DRAFT', ?, post_id FROM comments RETURNING id`
	)
	for _, c := range []struct {
		text      string
		read      string
		arg       int
		err       error
		fresh     bool
		triggered bool
	}{
		{text: one, read: postByID, arg: 8, fresh: true},
		{text: one, read: postByID, arg: 7},
		{text: one, read: `SELECT id, title FROM posts WHERE author_id = ?`, arg: 4, fresh: true},
		{text: one, read: `SELECT id, title FROM posts WHERE author_id = ?`, arg: 3},
		{text: one, read: postByID, arg: 8, triggered: true},
		{text: one, read: postByID, arg: 8, err: errFailed},
		{text: two, read: postByID, arg: 8},
		{text: any, read: postByID, arg: 8},
	} {
		known := blog(catalog.SQLite)
		if c.triggered {
			known.Tables["posts"].Triggers = []catalog.Trigger{{Name: "r", Body: "CREATE TRIGGER r AFTER INSERT ON posts BEGIN UPDATE posts SET version = 1; END", Insert: true}}
		}
		r := newRig(t, Options{read: func(context.Context, catalog.Dialect, catalog.Query) (*catalog.Catalog, error) { return known, nil }})
		f := r.read(c.read, args(c.arg), args(c.arg, "old"))
		open(t.Context(), r.session(), c.text, args(3, "new"), args(7)).End(c.err, -1, false)
		if r.fresh(f) != c.fresh {
			t.Errorf("%+v: fresh %v", c, r.fresh(f))
		}
	}
}

// An insertion that was refused has changed nothing where it was to be of one row. Of several
// some may be there: a constraint with ON CONFLICT FAIL leaves them.
func TestRefusedInsertion(t *testing.T) {
	for text, fresh := range map[string]bool{
		`INSERT INTO posts (author_id, status, title, version) VALUES (3, 'DRAFT', 't', 1)`:                                 true,
		`INSERT INTO posts (author_id, status, title, version) VALUES (3, 'DRAFT', 't', 1), (3, 'DRAFT', 't', 2)`:           false,
		`INSERT INTO posts (author_id, status, title, version) SELECT 3, 'DRAFT', body, post_id FROM comments`:              false,
		`INSERT INTO posts (author_id, status, title, version) SELECT 3, 'DRAFT', body, post_id FROM comments WHERE id = 1`: false,
	} {
		r := newRig(t, Options{Dialect: catalog.SQLite})
		f := r.read(`SELECT id, title FROM posts WHERE author_id = ?`, args(3), args(7, "t"))
		r.session().Start(t.Context(), text, nil).End(sqliteError(2067), -1, false)
		if r.fresh(f) != fresh {
			t.Errorf("%s: fresh %v", text, r.fresh(f))
		}
	}
}

// A mutation counts as one that was seen to write where a statement of it writes, whatever
// becomes of it, and where a transaction that was to write was rolled back.
func TestSeenToWrite(t *testing.T) {
	t.Parallel()
	const (
		update = `UPDATE posts SET title = 'x' WHERE id = 7`
		claim  = `SELECT id FROM posts WHERE id = 7 FOR UPDATE`
	)
	for _, c := range []struct {
		name    string
		dialect catalog.Dialect
		texts   []string
		err     error // of the last
		wrote   bool
		commits int
	}{
		{"no row", catalog.PostgreSQL, []string{update}, nil, true, 0},
		{"no row, committed", catalog.PostgreSQL, []string{"BEGIN", update, "COMMIT"}, nil, true, 0},
		{"no row, rolled back", catalog.PostgreSQL, []string{"BEGIN", update, "ROLLBACK"}, nil, true, 0},
		{"rows are locked", catalog.PostgreSQL, []string{"BEGIN", claim, "ROLLBACK"}, nil, true, 0},
		{"rows are locked within WITH", catalog.PostgreSQL, []string{"BEGIN", `WITH q AS (` + claim + `) SELECT id FROM q`, "ROLLBACK"}, nil, true, 0},
		{"rows are locked for no key", catalog.PostgreSQL, []string{"BEGIN", `SELECT id FROM posts WHERE id = 7 FOR NO KEY UPDATE SKIP LOCKED`, "ROLLBACK"}, nil, true, 0},
		{"rows are locked, to a savepoint", catalog.PostgreSQL, []string{"BEGIN", "SAVEPOINT a", claim, "ROLLBACK TO a", "ROLLBACK"}, nil, true, 0},
		{"rows are locked for others", catalog.PostgreSQL, []string{"BEGIN", `SELECT id FROM posts WHERE id = 7 FOR SHARE`, "ROLLBACK"}, nil, false, 0},
		{"rows are locked, and committed", catalog.PostgreSQL, []string{"BEGIN", claim, "COMMIT"}, nil, false, 0},
		{"rows are locked, without a transaction", catalog.PostgreSQL, []string{claim}, nil, false, 0},
		{"rows are locked, and nobody knows", catalog.PostgreSQL, []string{"BEGIN", claim, "ROLLBACK"}, errFailed, false, 0},
		{"of the transaction before", catalog.PostgreSQL, []string{"BEGIN", claim, "COMMIT", "BEGIN", "ROLLBACK"}, nil, false, 0},
		{"rows are read", catalog.PostgreSQL, []string{"BEGIN", `SELECT id FROM posts WHERE id = 7`, "ROLLBACK"}, nil, false, 0},
		{"no row, SQLite", catalog.SQLite, []string{update}, nil, true, 0},
		{"a writer's lock", catalog.SQLite, []string{"BEGIN IMMEDIATE", postByID, "ROLLBACK"}, nil, true, 0},
		{"rows are read, SQLite", catalog.SQLite, []string{"BEGIN", postByID, "ROLLBACK"}, nil, false, 0},
		{"nothing that is understood", catalog.PostgreSQL, []string{"BEGIN", "DO 'x'", "ROLLBACK"}, nil, true, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, Options{Dialect: c.dialect})
			s := r.session()
			for i, text := range c.texts {
				var err error
				if i == len(c.texts)-1 {
					err = c.err
				}
				s.Start(t.Context(), text, named(nil)).End(err, 0, true)
			}
			if (r.sink.wrote > 0) != c.wrote || r.commits() != c.commits {
				t.Errorf("told of %d writes and %d commits, expected %v and %d", r.sink.wrote, r.commits(), c.wrote, c.commits)
			}
		})
	}
}

// A connection of SQLite is asked what it has of its own when it is opened, and after what may
// have changed that; until it can be asked, it may have anything.
func TestOwnTriggers(t *testing.T) {
	t.Parallel()
	own, asked, fails := catalog.Temporary{}, 0, false
	r := newRig(t, Options{
		connection: func(context.Context, catalog.Dialect, catalog.Query) (catalog.Connection, error) {
			return catalog.Connection{ForeignKeys: true, Triggers: true}, nil
		},
		temporary: func(context.Context, catalog.Query) (catalog.Temporary, error) {
			asked++
			if fails {
				return catalog.Temporary{}, errFailed
			}
			return own, nil
		},
	})
	s := r.session()
	s.Opened(t.Context())
	for _, c := range []struct {
		name       string
		do         func()
		asked      int
		everything bool
	}{
		{"opened", func() {}, 1, false},
		{"nothing new", func() { query(t.Context(), s, postByID, args(7)) }, 1, false},
		{"made by something else", func() {
			own.Triggers = true
			exec(t.Context(), s, `CREATE TEMP TRIGGER x AFTER INSERT ON posts BEGIN SELECT 1; END`)
		}, 2, true},
		{"still there", func() {}, 2, true},
		{"past the session", func() { own.Triggers = false; s.Unwrapped(t.Context()); s.Reset(t.Context()) }, 3, false},
		{"it cannot say", func() { fails = true; exec(t.Context(), s, `DROP TABLE lines`) }, 4, true},
		{"it can again", func() { fails = false }, 5, false},
	} {
		c.do()
		exec(t.Context(), s, updateTitle, "x", 7)
		if why := r.last().Everything; (why != "") != c.everything || asked != c.asked {
			t.Errorf("%s: everything %q, asked %d times", c.name, why, asked)
		}
	}
	f := r.read(postByID, args(7), args(7, "old"))
	own.Hides = true
	exec(t.Context(), s, `CREATE TEMP TABLE posts (id INTEGER)`)
	ctx, rec := r.record(t.Context())
	query(ctx, s, postByID, args(7), args(7, "other"))
	if got := rec.End(); got.Unknown == "" || r.fresh(f) {
		t.Errorf("what a hidden table has is known: %+v", got)
	}
}
