package e2e

import (
	"testing"

	"github.com/cascadeql/cascadeql/gqlcache"
)

// A search in a virtual table of SQLite is dropped by writes of that table and of the one that
// has its texts, by triggers, too, and by no others.
func TestSearches(t *testing.T) {
	t.Parallel()
	s := newSeam(t, gqlcache.Observe{Everything: true}, undeclared, nil)
	for _, text := range []string{
		`CREATE TABLE pages (n INTEGER PRIMARY KEY, title TEXT NOT NULL)`,
		`CREATE VIRTUAL TABLE found USING fts5(title, content='pages', content_rowid='n')`,
		`CREATE TRIGGER keep AFTER INSERT ON pages BEGIN INSERT INTO found (rowid, title) VALUES (new.n, new.title); END`,
		`CREATE VIRTUAL TABLE bits USING fts5(id UNINDEXED, body)`,
		`CREATE TABLE memos (id TEXT, body TEXT)`,
		`CREATE TRIGGER index_memo AFTER INSERT ON memos BEGIN INSERT INTO bits VALUES (new.id, new.body); END`,
		`CREATE VIRTUAL TABLE boxes USING rtree(id, x0, x1)`,
		`CREATE VIEW hits AS SELECT rowid AS n, title FROM found`,
		`INSERT INTO pages VALUES (1, 'red apple'), (2, 'plum')`,
		`INSERT INTO bits VALUES ('1', 'red apple'), ('2', 'plum')`,
		`INSERT INTO boxes VALUES (1, 0, 1), (2, 5, 6)`,
	} {
		s.exec(t.Context(), text)
	}
	const (
		search = iota
		view
		own
		column
		box
	)
	reads := []string{
		search: `SELECT f.rowid, p.title FROM found f LEFT JOIN pages p ON p.n = f.rowid AND p.n = 1 WHERE found MATCH 'apple'`,
		view:   `SELECT n FROM hits WHERE title = 'plum'`,
		own:    `SELECT id, bm25(bits) FROM bits('apple') WHERE id = '1'`,
		column: `SELECT id FROM bits WHERE id = '1' AND body MATCH 'apple'`,
		box:    `SELECT id FROM boxes WHERE x1 >= 0 AND id = 1`,
	}
	for _, c := range []struct {
		write string
		drops []int
	}{
		{`INSERT INTO pages (title) VALUES ('green apple')`, []int{search, view}},
		{`UPDATE pages SET title = 'blue plum' WHERE n = 2`, []int{search, view}}, // what is shown of it is the page's
		{`INSERT INTO found (found, rowid, title) VALUES ('delete', 2, 'plum')`, []int{search, view}},
		{`INSERT INTO found (found) VALUES ('rebuild')`, []int{search, view}},
		{`INSERT INTO bits VALUES ('3', 'yellow')`, []int{own, column}}, // how much an apple weighs
		{`INSERT INTO memos VALUES ('4', 'white')`, []int{own, column}},
		{`INSERT INTO bits (bits, rank) VALUES ('rank', 'bm25(1.0, 10.0)')`, []int{own, column}},
		{`UPDATE bits SET body = 'pear' WHERE bits MATCH 'plum'`, []int{own, column}},
		{`DELETE FROM bits WHERE id = '2'`, []int{own, column}},
		{`UPDATE boxes SET x0 = 4 WHERE id = 2`, []int{box}},
		{`UPDATE loose SET name = 'x'`, nil},
	} {
		for i, read := range reads {
			s.reads("Query.loose", read)
			s.ask(first)
			if s.ask(first); !s.ask(first) {
				t.Fatalf("%s is not stored: %v %+v", read, s.cache.Stats().NotStored, s.cache.Observed().Findings)
			}
			s.exec(t.Context(), c.write)
			drops := false
			for _, d := range c.drops {
				drops = drops || d == i
			}
			if hit := s.ask(first); hit == drops {
				t.Errorf("%s\nafter %s: a hit %v", read, c.write, hit)
			}
			s.exec(t.Context(), `CREATE TABLE IF NOT EXISTS again (id TEXT)`) // for the next read
		}
	}
}
