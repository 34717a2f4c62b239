package e2e

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/analysis"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/catalog"
)

// The property: when a write changes the answer of a read, a row that the write has
// changed is one on which the analysis says that the read depends; and each row that a
// write has changed is one of those that the analysis says it changes. SQLite itself is
// the judge: rows before and after are compared, and the reads are asked again.

var analysisSchema = []string{
	`CREATE TABLE users (seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, tenant TEXT NOT NULL, email TEXT NOT NULL UNIQUE, name TEXT NOT NULL, karma INTEGER NOT NULL DEFAULT 0, nick TEXT)`,
	`CREATE TABLE posts (seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, tenant TEXT NOT NULL, author_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
		title TEXT NOT NULL, status TEXT NOT NULL, version INTEGER NOT NULL DEFAULT 1, parent_id TEXT REFERENCES posts (id) ON DELETE SET NULL, low TEXT GENERATED ALWAYS AS (lower(title)) STORED)`,
	`CREATE TABLE comments (seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, post_id TEXT NOT NULL REFERENCES posts (id) ON DELETE CASCADE, author_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE, body TEXT NOT NULL)`,
	`CREATE TABLE tags (id TEXT PRIMARY KEY NOT NULL, name TEXT NOT NULL COLLATE NOCASE)`,
	`CREATE TABLE post_tags (post_id TEXT NOT NULL REFERENCES posts (id) ON DELETE CASCADE, tag_id TEXT NOT NULL REFERENCES tags (id) ON DELETE CASCADE ON UPDATE CASCADE, PRIMARY KEY (post_id, tag_id))`,
	`CREATE TABLE counters (post_id TEXT PRIMARY KEY NOT NULL, n INTEGER NOT NULL DEFAULT 0)`,
	`CREATE TABLE pair (id TEXT PRIMARY KEY NOT NULL, other TEXT NOT NULL REFERENCES twin (id) DEFERRABLE INITIALLY DEFERRED)`,
	`CREATE TABLE twin (id TEXT PRIMARY KEY NOT NULL, other TEXT NOT NULL REFERENCES pair (id) DEFERRABLE INITIALLY DEFERRED)`,
	`CREATE TRIGGER count_comments AFTER INSERT ON comments BEGIN INSERT INTO counters (post_id, n) VALUES (new.post_id, 1) ON CONFLICT (post_id) DO UPDATE SET n = n + 1; END`,
	`CREATE VIEW feed AS SELECT * FROM posts WHERE status = 'PUBLISHED'`,
	`CREATE VIEW titles AS SELECT id, author_id, lower(title) AS t, coalesce(parent_id, 'none') AS parent FROM posts`,
	`CREATE VIEW stats AS SELECT u.id AS author_id, u.tenant, (SELECT count(*) FROM posts p WHERE p.author_id = u.id) AS posts,
		(SELECT count(*) FROM posts p JOIN comments c ON c.post_id = p.id WHERE p.author_id = u.id) AS comments,
		(SELECT p.title FROM posts p WHERE p.author_id = u.id ORDER BY p.seq DESC LIMIT 1) AS latest FROM users u`,
	`CREATE VIEW named_tags AS SELECT x.post_id, t.id AS tag_id, t.name FROM post_tags x JOIN tags t ON t.id = x.tag_id`,
}

var analysisTables = []string{"users", "posts", "comments", "tags", "post_tags", "counters", "pair", "twin"}

// A row is one of a table before and after a write: nil where there is none.
type changedRow struct {
	table    string
	old, new []any
}

func snapshot(t *testing.T, conn *sql.Conn, identity string) map[string]map[string][]any {
	t.Helper()
	all := map[string]map[string][]any{}
	for _, name := range analysisTables {
		all[name] = map[string][]any{}
		for _, row := range rowsOf(t, conn, `SELECT `+identity+`, * FROM `+name) {
			all[name][fmt.Sprint(row[0])] = row[1:]
		}
	}
	return all
}

func rowsOf(t *testing.T, conn *sql.Conn, q string, args ...any) (out [][]any) {
	t.Helper()
	rows, err := conn.QueryContext(t.Context(), q, args...)
	if err != nil {
		t.Fatalf("%s %v: %v", q, args, err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		row, to := make([]any, len(columns)), make([]any, len(columns))
		for i := range row {
			to[i] = &row[i]
		}
		if err := rows.Scan(to...); err != nil {
			t.Fatal(err)
		}
		out = append(out, row)
	}
	if err := rows.Err(); err != nil {
		t.Fatalf("%s %v: %v", q, args, err)
	}
	return out
}

func changes(before, after map[string]map[string][]any) (out []changedRow) {
	for name, rows := range before {
		for k, old := range rows {
			now := after[name][k]
			if now == nil || fmt.Sprint(now) != fmt.Sprint(old) {
				out = append(out, changedRow{name, old, now})
			}
		}
		for k, now := range after[name] {
			if rows[k] == nil {
				out = append(out, changedRow{name, nil, now})
			}
		}
	}
	return out
}

func text(v any) string {
	if v == nil {
		return "NULL"
	}
	return fmt.Sprint(v)
}

// values evaluates a source as a reader of the analysis would. off says that its term is
// no condition, or cannot be evaluated.
func values(s analysis.Source, args []any) (list []string, off bool) {
	arg := func(n int) any { return args[n-1] }
	if s.Unless != 0 && arg(s.Unless) == nil {
		return nil, true
	}
	switch s.Kind {
	case analysis.Param:
		if v := arg(s.Param); v != nil {
			list = append(list, text(v))
		}
	case analysis.Constant:
		list = append(list, s.Text)
	case analysis.List:
		for _, one := range s.List {
			v, off := values(one, args)
			if off {
				return nil, true
			}
			list = append(list, v...)
		}
	case analysis.JSONList:
		var of []any
		if err := json.Unmarshal([]byte(arg(s.Param).(string)), &of); err != nil {
			return nil, true
		}
		for _, v := range of {
			list = append(list, text(v))
		}
	default:
		return nil, true
	}
	return list, false
}

// A filled read is what it depends on.
type filled struct {
	q       string
	args    []any
	s       *analysis.Statement
	answer  string
	rows    [][]any
	viaRows map[*analysis.Ref][]string // values of a via's column when it was filled
}

func (f *filled) matches(r *analysis.Ref, row []any) bool {
	for _, term := range r.Terms {
		if list, off := values(term.Source, f.args); !off && !slices.Contains(list, text(row[term.Column])) {
			return false
		}
	}
	for _, term := range r.Contains {
		list, off := values(term.Source, f.args)
		if off {
			continue
		}
		in := strings.ToLower(text(row[term.Column]))
		parts := []string{strings.ToLower(strings.Join(list, ""))}
		if term.Pattern {
			parts = strings.FieldsFunc(parts[0], func(r rune) bool { return strings.ContainsRune(`%_\`, r) })
		}
		for _, part := range parts {
			if len(list) == 1 && !strings.Contains(in, part) {
				return false
			}
		}
	}
	if r.Via != nil && !slices.Contains(f.viaRows[r], text(row[r.Via.Column])) {
		return false
	}
	return true
}

// meets reports whether a change of a row is one on which a read depends, by what the
// analysis promises of a Ref.
func (f *filled) meets(r *analysis.Ref, c changedRow) bool {
	if r.Table.Name != c.table {
		return false
	}
	used := r.Where | r.Selected | r.Order
	if r.Shown && c.touches(used) {
		for _, row := range f.rows {
			if c.hasKey(r, row) {
				return true
			}
		}
	}
	mask := r.Where | catalog.Presence
	inWindow := func([]any) bool { return true }
	if r.Shown {
		limit, offset := -1, 0
		if r.Limit != nil {
			if v, off := values(*r.Limit, f.args); !off && len(v) == 1 {
				limit, _ = strconv.Atoi(v[0])
			}
		}
		if r.Offset != nil {
			if v, off := values(*r.Offset, f.args); !off && len(v) == 1 {
				offset, _ = strconv.Atoi(v[0])
			}
		}
		whole := !r.Limited || r.Single && offset == 0 && limit >= 0 && len(f.rows) < limit
		if whole || r.Single && offset == 0 && limit >= 0 {
			mask &^= catalog.Vanished
		}
		if !whole && r.Window >= 0 && limit >= 0 && len(f.rows) == limit && len(f.rows) > 0 {
			last := f.rows[len(f.rows)-1][r.WindowOut].(int64)
			inWindow = func(row []any) bool {
				at := row[r.Window].(int64)
				return at == last || r.Descending == (at > last)
			}
		}
	}
	if r.Joined && !r.Pinned {
		mask &^= catalog.Created
		if r.Shown && !r.Limited {
			mask &^= catalog.Vanished
		}
	}
	old := c.old != nil && f.matches(r, c.old) && inWindow(c.old)
	now := c.new != nil && f.matches(r, c.new) && inWindow(c.new)
	switch {
	case now && !old && mask&catalog.Created != 0, old && !now && mask&catalog.Vanished != 0:
		return true
	}
	return (old || now) && c.old != nil && c.new != nil && c.touches(mask)
}

func (c changedRow) touches(mask catalog.Mask) bool {
	if c.old == nil || c.new == nil {
		return true
	}
	for i := range c.old {
		if mask&catalog.Bit(i) != 0 && text(c.old[i]) != text(c.new[i]) {
			return true
		}
	}
	return false
}

func (c changedRow) hasKey(r *analysis.Ref, out []any) bool {
	for _, row := range [][]any{c.old, c.new} {
		if row == nil {
			continue
		}
		same := true
		for i, col := range r.KeyColumns {
			same = same && text(row[col]) == text(out[r.KeyOuts[i]])
		}
		if same {
			return true
		}
	}
	return false
}

// fill asks a read, and keeps what it depends on.
func fill(t *testing.T, conn *sql.Conn, c *catalog.Catalog, q string, args []any) *filled {
	t.Helper()
	f := &filled{q: q, args: args, s: analysis.Analyze(c, q), viaRows: map[*analysis.Ref][]string{}}
	f.rows = rowsOf(t, conn, q, args...)
	f.answer = answerOf(c.Dialect, q, f.rows)
	if f.s.Columns >= 0 && len(f.rows) > 0 && len(f.rows[0]) != f.s.Columns {
		t.Fatalf("%s has %d columns, not %d", q, len(f.rows[0]), f.s.Columns)
	}
	for _, r := range f.s.Refs {
		if r.Via == nil {
			continue
		}
		for _, row := range rowsOf(t, conn, `SELECT * FROM `+r.Via.Ref.Table.Name) {
			if f.matches(r.Via.Ref, row) {
				f.viaRows[r] = append(f.viaRows[r], text(row[r.Via.From]))
			}
		}
	}
	return f
}

func answerOf(d catalog.Dialect, q string, rows [][]any) string {
	lines := make([]string, len(rows))
	for i, row := range rows {
		lines[i] = fmt.Sprint(row...)
		for j, v := range row {
			lines[i] += fmt.Sprintf("|%d %v", j, v)
		}
	}
	if d == catalog.PostgreSQL || !strings.Contains(q, "ORDER BY") { // equal rows have no order in PostgreSQL
		slices.Sort(lines)
	}
	return strings.Join(lines, "\n")
}

// An expected write is one that the analysis names, or that follows from it.
type expected struct {
	table    *catalog.Table
	kind     analysis.WriteKind
	changed  catalog.Mask
	old, new map[int][]string
}

func expectedOf(s *analysis.Statement, args []any) (out []expected) {
	for _, w := range s.Writes {
		base := expected{table: w.Table, kind: w.Kind, changed: w.Changed, old: map[int][]string{}, new: map[int][]string{}}
		for _, term := range w.Terms {
			if list, off := values(term.Source, args); !off {
				base.old[term.Column] = list
			}
		}
		set := func(to *expected, v analysis.SetValue) {
			if v.Null {
				to.new[v.Column] = []string{"NULL"}
				return
			}
			list, off := values(*v.Source, args)
			switch {
			case off:
			case v.Keep && len(list) == 0 && w.Kind == analysis.Updates:
				to.changed &^= catalog.Bit(v.Column)
			case v.Keep && len(list) == 0:
			case len(list) == 0:
				to.new[v.Column] = []string{"NULL"}
			default:
				to.new[v.Column] = list
			}
		}
		if w.Kind == analysis.Inserts && w.Rows != nil {
			for _, row := range w.Rows {
				one := base
				one.new = map[int][]string{}
				for _, v := range row {
					set(&one, v)
				}
				out = append(out, one)
			}
			continue
		}
		for _, v := range w.Sets {
			if v.Null || v.Source != nil {
				set(&base, v)
			}
		}
		out = append(out, base)
		out = append(out, childrenOf(base, 0)...)
	}
	return out
}

func childrenOf(e expected, depth int) (out []expected) {
	for _, c := range analysis.Children(e.table, e.kind, e.changed) {
		child := expected{table: c.Table, kind: c.Kind, changed: c.Changed, old: map[int][]string{}}
		for i, col := range c.Key.Columns {
			if list, ok := e.old[c.Key.RefColumns[i]]; ok {
				child.old[col] = list
			}
		}
		out = append(out, child)
		if depth < 8 {
			out = append(out, childrenOf(child, depth+1)...)
		}
	}
	return out
}

func (e expected) covers(c changedRow) bool {
	if e.table.Name != c.table {
		return false
	}
	has := func(known map[int][]string, row []any) bool {
		for col, list := range known {
			if !slices.Contains(list, text(row[col])) {
				return false
			}
		}
		return true
	}
	switch e.kind {
	case analysis.Any:
		return true
	case analysis.Inserts:
		return c.old == nil && has(e.new, c.new)
	case analysis.Deletes:
		return c.new == nil && has(e.old, c.old)
	}
	return c.old != nil && c.new != nil && has(e.old, c.old) && has(e.new, c.new) && !c.touches(^e.changed)
}

func TestAnalysisProperty(t *testing.T) {
	property{
		dialect: catalog.SQLite, identity: "rowid", schema: analysisSchema, rounds: 12,
		connect: func() *sql.Conn { return connect(t, "sqlite", ":memory:?_pragma=foreign_keys(1)") },
		adapt:   func(s statement) statement { return s },
	}.check(t)
}

func TestAnalysisPropertyPostgres(t *testing.T) {
	conn := connect(t, "pgx", postgres(t))
	var schema []string
	for _, q := range analysisSchema {
		switch {
		case strings.HasPrefix(q, "CREATE TRIGGER"):
			schema = append(schema, `CREATE FUNCTION count_comments() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
				INSERT INTO counters (post_id, n) VALUES (NEW.post_id, 1) ON CONFLICT (post_id) DO UPDATE SET n = counters.n + 1; RETURN NEW; END $$`,
				`CREATE TRIGGER count_comments AFTER INSERT ON comments FOR EACH ROW EXECUTE FUNCTION count_comments()`,
				`CREATE FUNCTION fold() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.title := lower(NEW.title); RETURN NEW; END $$`,
				`CREATE TRIGGER fold BEFORE INSERT OR UPDATE ON posts FOR EACH ROW EXECUTE FUNCTION fold()`)
		case strings.HasPrefix(q, "CREATE TABLE twin"), strings.HasPrefix(q, "CREATE TABLE pair"):
			schema = append(schema, strings.NewReplacer("REFERENCES twin (id) DEFERRABLE INITIALLY DEFERRED", "", "NOT NULL)", "NOT NULL, row_id BIGSERIAL)", "DEFERRED)", "DEFERRED, row_id BIGSERIAL)").Replace(
				strings.Replace(q, "REFERENCES twin (id) DEFERRABLE INITIALLY DEFERRED)", ", row_id BIGSERIAL)", 1)))
			if strings.HasPrefix(q, "CREATE TABLE twin") {
				schema = append(schema, `ALTER TABLE pair ADD FOREIGN KEY (other) REFERENCES twin (id) DEFERRABLE INITIALLY DEFERRED`)
			}
		case strings.HasPrefix(q, "CREATE TABLE"):
			q = strings.NewReplacer("seq INTEGER PRIMARY KEY", "seq BIGSERIAL PRIMARY KEY", "COLLATE NOCASE", "").Replace(q)
			schema = append(schema, strings.TrimSuffix(q, ")")+", row_id BIGSERIAL)")
		default:
			schema = append(schema, q)
		}
	}
	property{
		dialect: catalog.PostgreSQL, identity: "row_id", schema: schema, rounds: 6,
		connect: func() *sql.Conn {
			run(t, conn, "DROP SCHEMA public CASCADE", "CREATE SCHEMA public")
			return conn
		},
		adapt: func(s statement) statement {
			var b strings.Builder
			n := 0
			for i := 0; i < len(s.q); i++ {
				if s.q[i] != '?' {
					b.WriteByte(s.q[i])
					continue
				}
				b.WriteByte('$')
				if i+1 == len(s.q) || s.q[i+1] < '0' || s.q[i+1] > '9' {
					n++
					b.WriteString(strconv.Itoa(n))
				}
			}
			return statement{b.String(), s.args}
		},
	}.check(t)
}

// A property is what is tried on one database.
type property struct {
	dialect  catalog.Dialect
	identity string // a column that tells a row before and after a write
	schema   []string
	rounds   int
	connect  func() *sql.Conn
	adapt    func(statement) statement
}

// accepts reports whether the database takes a statement: the generator has some of one
// dialect alone.
func (p property) accepts(t *testing.T, conn *sql.Conn, s statement) bool {
	t.Helper()
	run(t, conn, "BEGIN")
	rows, err := conn.QueryContext(t.Context(), s.q, s.args...)
	if err == nil {
		for rows.Next() {
		}
		err = rows.Err()
		_ = rows.Close()
	}
	run(t, conn, "ROLLBACK")
	return err == nil
}

func (p property) check(t *testing.T) {
	rounds := p.rounds
	if n, err := strconv.Atoi(os.Getenv("ROUNDS")); err == nil {
		rounds = n
	}
	first, _ := strconv.Atoi(os.Getenv("SEED"))
	var pairs, changed, kept, written, missed int
	unknown := map[string]string{}
	for seed := first; seed < first+rounds && missed < 4; seed++ {
		g := generator{rand.New(rand.NewPCG(uint64(seed), 7))}
		conn := p.connect()
		run(t, conn, p.schema...)
		exec := func(q string, args ...any) bool {
			s := p.adapt(statement{q, args})
			_, err := conn.ExecContext(t.Context(), s.q, s.args...)
			return err == nil
		}
		for i := range 5 {
			exec(`INSERT INTO users (id, tenant, email, name, nick) VALUES (?, ?, ?, ?, ?)`, fmt.Sprint("u", i), g.tenant(), fmt.Sprintf("u%d@x", i), g.pick("Ann", "Bob"), g.null(g.pick("a", "b")))
		}
		for i := range 4 {
			exec(`INSERT INTO tags VALUES (?, ?)`, fmt.Sprint("t", i), g.pick("apple", "pear"))
		}
		for i := range 12 {
			exec(`INSERT INTO posts (id, tenant, author_id, title, status, parent_id) VALUES (?, ?, ?, ?, ?, ?)`, fmt.Sprint("p", i), g.tenant(), g.user(), g.title(), g.status(), g.null(g.post()))
			exec(`INSERT INTO post_tags VALUES (?, ?)`, fmt.Sprint("p", i), g.tag())
		}
		for i := range 25 {
			exec(`INSERT INTO comments (id, post_id, author_id, body) VALUES (?, ?, ?, 'x')`, fmt.Sprint("c", i), g.post(), g.user())
		}
		c := readCatalog(t, p.dialect, conn)
		var reads []*filled
		for len(reads) < 40 {
			s := p.adapt(g.read())
			if !p.accepts(t, conn, s) {
				continue
			}
			f := fill(t, conn, c, s.q, s.args)
			if f.s.Unknown != "" {
				unknown[s.q] = f.s.Unknown
				continue
			}
			reads = append(reads, f)
		}
		before := snapshot(t, conn, p.identity)
		for range 25 {
			run(t, conn, "BEGIN")
			var texts []string
			for range 1 + g.r.IntN(3) {
				w := p.adapt(g.write())
				run(t, conn, "SAVEPOINT w")
				from := snapshot(t, conn, p.identity)
				ok := false
				if strings.Contains(w.q, "RETURNING") {
					rows, err := conn.QueryContext(context.Background(), w.q, w.args...)
					if err == nil {
						for rows.Next() {
						}
						ok = rows.Err() == nil
						rows.Close()
					}
				} else {
					ok = exec(w.q, w.args...)
				}
				if !ok {
					run(t, conn, "ROLLBACK TO w")
					continue
				}
				texts = append(texts, fmt.Sprint(w.q, w.args))
				s := analysis.Analyze(c, w.q)
				if s.Unknown != "" {
					unknown[w.q] = s.Unknown
					run(t, conn, "ROLLBACK TO w")
					continue
				}
				list := expectedOf(s, w.args)
				for _, row := range changes(from, snapshot(t, conn, p.identity)) {
					written++
					if !slices.ContainsFunc(list, func(e expected) bool { return e.covers(row) }) {
						missed++
						t.Errorf("seed %d: %s %v\nchanged %v\nwhich is none of\n%s", seed, w.q, w.args, row, s)
					}
				}
			}
			if !exec("COMMIT") {
				exec("ROLLBACK")
			}
			after := snapshot(t, conn, p.identity)
			diff := changes(before, after)
			before = after
			for i, f := range reads {
				now := answerOf(p.dialect, f.q, rowsOf(t, conn, f.q, f.args...))
				hit := slices.ContainsFunc(diff, func(row changedRow) bool {
					return slices.ContainsFunc(f.s.Refs, func(r *analysis.Ref) bool { return f.meets(r, row) })
				})
				pairs++
				switch {
				case now != f.answer && !hit:
					missed++
					t.Errorf("seed %d: missed %s %v\n%s\nafter %s\nbefore\n%s\nnow\n%s", seed, f.q, f.args, f.s, strings.Join(texts, "\n      "), f.answer, now)
				case now != f.answer:
					changed++
				case !hit:
					kept++
				}
				if hit || now != f.answer {
					reads[i] = fill(t, conn, c, f.q, f.args)
				}
			}
		}
	}
	t.Logf("%d pairs, %d changed, %d of %d others kept (%.1f %%); %d rows written", pairs, changed, kept, pairs-changed, 100*float64(kept)/float64(max(1, pairs-changed)), written)
	if changed == 0 || kept == 0 || written == 0 {
		t.Error("nothing was tried")
	}
	for q, why := range unknown {
		t.Errorf("not understood: %s: %s", q, why)
	}
}
