package analysis

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/catalog"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/sqlparse"
)

// Positions are all parameters and settings, each once, of an unknown statement too.
func TestPositions(t *testing.T) {
	c := world(catalog.PostgreSQL)
	for text, want := range map[string]string{
		`SELECT id FROM posts WHERE id = $2 AND title > $1 LIMIT $3 OFFSET $3`:                                 "[{2  } {1  } {3  }]",
		`SELECT my_fn($1), current_user FROM posts WHERE id IN (SELECT id FROM nothing WHERE a = $2)`:          "[{1  } {0  current_user} {2  }]",
		`SELECT body FROM secured WHERE id = $1`:                                                               "[{0  app.tenant} {1  }]",
		`SET app.tenant = 'x'`:                                                                                 "[]",
		`UPDATE posts SET title = $1 WHERE id = $2`:                                                            "[{2  } {1  }]",
		`WITH a AS (SELECT id FROM posts WHERE id = $1) SELECT (SELECT count(*) FROM a WHERE id = $2 OR $3)`:   "[{1  } {2  } {3  }]",
		`SELECT id FROM posts UNION SELECT id FROM users WHERE id = $1 ORDER BY 1 LIMIT $2`:                    "[{1  } {2  }]",
		`SELECT count(*) FILTER (WHERE id = $1) FROM posts GROUP BY title HAVING count(*) > $2`:                "[{1  } {2  }]",
		`SELECT id FROM posts WHERE ($1::text IS NULL OR status = $2) ORDER BY CASE WHEN $3 THEN 1 ELSE 2 END`: "[{1  } {2  } {3  }]",
	} {
		if got := fmt.Sprint(Analyze(c, text).Positions); got != want {
			t.Errorf("%s\n got %s\nwant %s", text, got, want)
		}
	}
	s := Analyze(world(catalog.SQLite), `SELECT id FROM posts WHERE id = :id`)
	if fmt.Sprint(s.Positions) != "[{1 :id }]" || s.Params != 1 {
		t.Error(s.Positions, s.Params)
	}
}

// The number of columns is that of the result, or not known.
func TestColumns(t *testing.T) {
	c := world(catalog.PostgreSQL)
	for text, want := range map[string]int{
		`SELECT id, title FROM posts`:                                          2,
		`SELECT * FROM posts`:                                                  8,
		`SELECT p.*, 1 FROM posts p JOIN users u ON true`:                      9,
		`SELECT * FROM posts JOIN users USING (tenant)`:                        -1,
		`SELECT * FROM shared`:                                                 -1,
		`SELECT * FROM generate_series(1, 2)`:                                  -1,
		`SELECT id FROM posts UNION SELECT id FROM users`:                      1,
		`SELECT nope FROM posts`:                                               -1,
		`UPDATE posts SET title = $1`:                                          0,
		`UPDATE posts SET title = $1 RETURNING *`:                              8,
		`UPDATE posts SET title = 'x' FROM users RETURNING *`:                  -1,
		`INSERT INTO tags (id) VALUES ($1) RETURNING id, name`:                 2,
		`WITH x AS (DELETE FROM tags RETURNING id) UPDATE posts SET title = 1`: 0,
		`WITH x AS (DELETE FROM tags RETURNING id) SELECT id, 1 FROM x`:        2,
		`BEGIN`: 0,
	} {
		if got := Analyze(c, text).Columns; got != want {
			t.Errorf("%s: %d, not %d", text, got, want)
		}
	}
}

// The condition is the text between WHERE and what follows it.
func TestWhereText(t *testing.T) {
	c := world(catalog.PostgreSQL)
	for text, want := range map[string]string{
		"UPDATE posts SET title = $1 WHERE id = $2 /* x */ RETURNING id": "id = $2",
		"DELETE FROM posts WHERE (id = $1)":                              "(id = $1)",
		"DELETE FROM posts":                                              "",
		"DELETE FROM posts WHERE id IN (SELECT id FROM users)":           "",
		"WITH x AS (SELECT 1) DELETE FROM posts WHERE id = $1":           "",
	} {
		s := Analyze(c, text)
		if len(s.Writes) != 1 || strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(s.Writes[0].Where), "/* x */")) != want {
			t.Errorf("%s: %q", text, s.Writes[0].Where)
		}
	}
	w := Analyze(c, `UPDATE public.posts AS p SET title = 'x' WHERE p.id = $1`).Writes[0]
	if w.Name != (sqlparse.Name{Schema: "public", Name: "posts"}) || w.Alias != "p" || !w.OwnRows {
		t.Errorf("%+v", w)
	}
}

// A transaction's start has its level, and its end and savepoints have names.
func TestTransactions(t *testing.T) {
	pg, lite := world(catalog.PostgreSQL), world(catalog.SQLite)
	for _, tt := range []struct {
		c    *catalog.Catalog
		text string
		want Statement
	}{
		{pg, `BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY`, Statement{Kind: sqlparse.Begin, Level: "serializable", ReadOnly: true}},
		{lite, `BEGIN IMMEDIATE`, Statement{Kind: sqlparse.Begin, Level: "immediate"}},
		{pg, `COMMIT`, Statement{Kind: sqlparse.Commit}},
		{pg, `PREPARE TRANSACTION 'gid'`, Statement{Kind: sqlparse.PrepareTransaction, Savepoint: "gid"}},
		{pg, `COMMIT PREPARED 'gid'`, Statement{Kind: sqlparse.CommitPrepared, Savepoint: "gid"}},
		{pg, `ROLLBACK TO SAVEPOINT a`, Statement{Kind: sqlparse.RollbackTo, Savepoint: "a"}},
		{lite, `RELEASE a`, Statement{Kind: sqlparse.Release, Savepoint: "a"}},
	} {
		got := Analyze(tt.c, tt.text)
		if got.Kind != tt.want.Kind || got.Level != tt.want.Level || got.ReadOnly != tt.want.ReadOnly || got.Savepoint != tt.want.Savepoint || got.Unknown != "" || got.Set != nil {
			t.Errorf("%s: %+v", tt.text, got)
		}
	}
	if s := Analyze(pg, `SET LOCAL app.tenant = 'x'`); s.Set == nil || s.Set.Setting != "app.tenant" || !s.Set.Local {
		t.Errorf("%+v", s)
	}
	if s := Analyze(pg, `ALTER TABLE posts ADD COLUMN x int`); !s.Reloads || s.Unknown == "" || s.ReadsOnly || s.Transaction {
		t.Errorf("%+v", s)
	}
	if s := Analyze(pg, `SELECT 1; COMMIT`); !s.Transaction || s.Kind != 0 {
		t.Errorf("%+v", s)
	}
}

// A text of several statements changes anything. It leaves the connection in doubt unless
// each statement is of a kind that has nothing to do with transactions.
func TestScripts(t *testing.T) {
	t.Parallel()
	pg, lite := world(catalog.PostgreSQL), world(catalog.SQLite)
	for _, tt := range []struct {
		c       *catalog.Catalog
		text    string
		known   bool // that no transaction begins or ends
		reloads bool
	}{
		{lite, `CREATE TABLE a (id INTEGER); INSERT INTO a VALUES (1);; -- done`, true, true},
		{lite, `PRAGMA synchronous = NORMAL; UPDATE posts SET title = 'x'; SELECT 1`, true, false},
		{lite, `CREATE TRIGGER t AFTER INSERT ON posts BEGIN DELETE FROM users; END; CREATE INDEX i ON posts (id);`, true, true},
		{pg, `CREATE TABLE a (id int); TRUNCATE posts`, true, true},
		{lite, `CREATE TABLE a (id INTEGER); COMMIT`, false, false},
		{lite, `BEGIN; CREATE TABLE a (id INTEGER); COMMIT`, false, false}, // a driver may run the first one alone
		{lite, `PRAGMA foreign_keys = ON;`, true, false},
		{lite, `PRAGMA foreign_keys=1`, true, false},
		{lite, `PRAGMA foreign_keys = OFF`, false, false}, // what foreign keys tell is not true any more
		{lite, `PRAGMA foreign_keys = ON; COMMIT`, false, false},
		{pg, `PRAGMA foreign_keys = ON`, false, false},
		{lite, `SAVEPOINT a; DELETE FROM posts`, false, false},
		{lite, `RELEASE a; DELETE FROM posts`, false, false},
		{lite, `DELETE FROM posts; ROLLBACK TO a`, false, false},
		{lite, `DELETE FROM posts; VACUUM`, false, false}, // nobody has looked at it
		{lite, `DELETE FROM posts; PRAGMA writable_schema = ON`, false, false},
		{pg, `DELETE FROM posts; DISCARD ALL`, false, false},
		{pg, `SELECT Set_Config('app.user', 'ann', false); SELECT 1`, false, false},
		{pg, `DELETE FROM posts; SET search_path = a`, false, false},
		{pg, `DELETE FROM posts; PREPARE TRANSACTION 'a'`, false, false},
		{pg, `DELETE FROM posts; COMMIT PREPARED 'a'`, false, false},
		{pg, `CALL f(); DELETE FROM posts`, false, false},
		{pg, `CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT 2; END; DELETE FROM posts`, false, false},
	} {
		s := Analyze(tt.c, tt.text)
		if s.Unknown == "" || s.ReadsOnly || s.Transaction == tt.known || s.Reloads != tt.reloads || len(s.Writes)+len(s.Refs) > 0 {
			t.Errorf("%s: %+v", tt.text, s)
		}
	}
}

// Children are what foreign keys do, one level of them.
func TestChildren(t *testing.T) {
	c := world(catalog.PostgreSQL)
	text := func(table string, kind WriteKind, columns ...string) string {
		t := c.Tables[table]
		var m catalog.Mask
		for _, name := range columns {
			m |= catalog.Bit(at(t, name))
		}
		var list []string
		for _, k := range Children(t, kind, m) {
			list = append(list, fmt.Sprintf("%s.%s %d %s", k.Table.Name, k.Table.Columns[k.Key.Columns[0]].Name, k.Kind, maskText(k.Table, k.Changed)))
		}
		slices.Sort(list)
		return strings.Join(list, "; ")
	}
	for _, tt := range []struct{ got, want string }{
		{text("posts", Inserts), ""},
		{text("posts", Deletes), "comments.post_id 3 ; post_tags.post_id 3 ; posts.parent_id 2 parent_id"},
		{text("posts", Updates, "title"), ""},
		{text("posts", Updates, "id"), "moved.post_id 2 post_id"},
		{text("posts", Any), "comments.post_id 4 all; moved.post_id 4 all; post_tags.post_id 4 all; posts.parent_id 4 all"},
		{text("twin", Deletes), ""},
		{text("counters", Deletes), ""},
	} {
		if tt.got != tt.want {
			t.Errorf("got %s, want %s", tt.got, tt.want)
		}
	}
	// A trigger of the child may set more columns, and a generated column follows.
	posts := c.Tables["posts"]
	posts.Columns = append(posts.Columns, catalog.Column{Name: "low", Generated: true})
	if got := text("posts", Deletes); !strings.Contains(got, "posts.parent_id 2 parent_id, low") {
		t.Error(got)
	}
	posts.Triggers = []catalog.Trigger{{Name: "x", Update: true, Body: "BEGIN NEW.title := 'x'; RETURN NEW; END"}}
	if got := text("posts", Deletes); !strings.Contains(got, "posts.parent_id 2 all") {
		t.Error(got)
	}
}

// A trigger of a table that a foreign key writes is followed, too.
func TestTriggerOfChild(t *testing.T) {
	c := world(catalog.PostgreSQL)
	c.Tables["comments"].Triggers = append(c.Tables["comments"].Triggers, catalog.Trigger{
		Name: "gone", Delete: true, Body: "BEGIN UPDATE tags SET name = 'x'; RETURN OLD; END",
	})
	s := Analyze(c, `DELETE FROM users WHERE id = $1`)
	if !slices.ContainsFunc(s.Writes, func(w *Write) bool { return w.Kind == Any && w.Table.Name == "tags" }) {
		t.Error(s)
	}
	c.Tables["comments"].Triggers[1].Body = ""
	if s := Analyze(c, `DELETE FROM users WHERE id = $1`); s.Unknown == "" || s.ReadsOnly {
		t.Error(s)
	}
	if s := Analyze(c, `UPDATE users SET name = 'x' WHERE id = $1`); s.Unknown != "" {
		t.Error(s)
	}
}

// A panic of the analysis is an unknown statement: here that of a catalog which was not
// completed.
func TestNoPanic(t *testing.T) {
	posts := table("posts", "id text!")
	posts.Keys = [][]int{{7}}
	c := &catalog.Catalog{Dialect: catalog.SQLite, Tables: map[string]*catalog.Table{"posts": posts}}
	c.Finish()
	s := Analyze(c, `SELECT id FROM posts ORDER BY id LIMIT 1`)
	if s.Unknown == "" || !strings.Contains(s.Unknown, "the analysis failed") || s.Refs != nil {
		t.Error(s)
	}
}

// Work and results are bounded.
func TestBounds(t *testing.T) {
	c := world(catalog.SQLite)
	var doubling strings.Builder
	doubling.WriteString("WITH a0 AS (SELECT 1 AS x)")
	for i := range 30 {
		fmt.Fprintf(&doubling, ", a%d AS (SELECT l.x FROM a%d l, a%d r)", i+1, i, i)
	}
	for name, text := range map[string]string{
		"tables":  "SELECT 1 FROM posts p0" + strings.Repeat(", posts", 300),
		"queries": doubling.String() + " SELECT x FROM a30",
		"edges":   "SELECT 1 FROM posts p0" + joins(200),
	} {
		s := Analyze(c, text)
		if s.Unknown == "" {
			t.Errorf("%s: %d tables", name, len(s.Refs))
		}
	}
	long := strings.Repeat("x", 5000)
	if s := Analyze(c, `SELECT `+long+`(1)`); len(s.Unknown) > 250 || len(s.Volatile) > 250 {
		t.Error(len(s.Unknown), len(s.Volatile))
	}
}

// joins are equal by a key, so that all columns of all tables are equal.
func joins(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, " JOIN posts p%d ON p%d.id = p0.id", i+1, i+1)
	}
	var list []string
	for i := range n {
		for j := range i {
			if i%20 == 0 {
				list = append(list, fmt.Sprintf("p%d.id = p%d.id", i, j))
			}
		}
	}
	return b.String() + " WHERE " + strings.Join(list, " AND ")
}

// Parsed views are kept up to a bound.
func TestDefinitionsAreBounded(t *testing.T) {
	for i := range 3000 {
		text := fmt.Sprintf("SELECT id FROM posts WHERE title = '%d%s'", i, strings.Repeat("x", 1000))
		if _, err := definition(catalog.SQLite, text); err != nil {
			t.Fatal(err)
		}
	}
	definitions.Lock()
	defer definitions.Unlock()
	if n := len(definitions.queries); n > maxDefinitionBytes/1000 || definitions.bytes > maxDefinitionBytes {
		t.Error(n, definitions.bytes)
	}
}

// A catalog is analyzed from many goroutines, and the same text gives the same result.
func TestConcurrent(t *testing.T) {
	c := world(catalog.SQLite)
	const text = `SELECT author_id, posts, comments, latest FROM stats WHERE author_id = ?`
	want := Analyze(c, text).String()
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 50 {
				if got := Analyze(c, text).String(); got != want {
					t.Error(got)
				}
			}
		})
	}
	all.Wait()
}

// Only what was parsed, and has no function or relation that may write, only reads.
func TestReadsOnly(t *testing.T) {
	c := world(catalog.PostgreSQL)
	for text, want := range map[string]bool{
		`SELECT relname FROM pg_catalog.pg_class`:                             true,
		`SELECT nope FROM posts`:                                              true,
		`SELECT body FROM search`:                                             true,
		`SELECT nope FROM feed`:                                               true,
		`SELECT nope FROM writes`:                                             false,
		`SELECT nope FROM twice`:                                              false,
		`SELECT nope FROM odd_policy`:                                         false,
		`SELECT nope, my_fn(1) FROM posts`:                                    false,
		`SELECT nope FROM nothing`:                                            false,
		`SELECT nope FROM posts WHERE EXISTS (SELECT my_fn(1))`:               false,
		`WITH x AS (DELETE FROM posts RETURNING id) SELECT posts.nope FROM x`: false,
		`UPDATE posts SET nope = 1`:                                           false,
		`SELECT nope FROM posts ORDER BY (SELECT 1 FROM posts LIMIT my_fn())`: false,
	} {
		if s := Analyze(c, text); s.ReadsOnly != want || s.Unknown == "" {
			t.Errorf("%s: %s", text, s)
		}
	}
}

func FuzzAnalyze(f *testing.F) {
	for _, text := range []string{
		`SELECT id FROM posts WHERE id = ?`, `UPDATE posts SET title = ? WHERE id = ?`, `WITH a AS (SELECT 1) SELECT * FROM a`,
		`INSERT INTO tags (id) SELECT id FROM feed ON CONFLICT DO NOTHING`, `SELECT * FROM stats s LEFT JOIN posts USING (tenant)`,
	} {
		f.Add(text)
	}
	lite, pg := world(catalog.SQLite), world(catalog.PostgreSQL)
	f.Fuzz(func(t *testing.T, text string) {
		for _, c := range []*catalog.Catalog{lite, pg} {
			s := Analyze(c, text)
			if strings.Contains(s.Unknown, "the analysis failed") {
				t.Errorf("%q: %s", text, s.Unknown)
			}
			if s.Unknown != "" && (len(s.Refs) > 0 || len(s.Writes) > 0) {
				t.Errorf("%q: known and unknown", text)
			}
			for _, r := range s.Refs {
				if r.Shown != (len(r.KeyColumns) > 0) || len(r.KeyColumns) != len(r.KeyOuts) || r.Window >= 0 != (r.WindowOut >= 0) {
					t.Errorf("%q: %+v", text, r)
				}
			}
		}
	})
}
