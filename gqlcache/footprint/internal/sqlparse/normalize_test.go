package sqlparse_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/sqlparse"
)

const secret = "sesame"

// TestNormalize: a normalized statement has the names of the text, and none of its values.
func TestNormalize(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, text, want string
		dialect          sqlparse.Dialect
	}{
		{"constants", `SELECT id FROM posts WHERE title = 'sesame' AND id = 4711 AND score > 1.5e3`, `SELECT id FROM posts WHERE title = ? AND id = ? AND score > ?`, sqlparse.PostgreSQL},
		{"parameters", `SELECT id FROM posts WHERE id = $1`, `SELECT id FROM posts WHERE id = ?`, sqlparse.PostgreSQL},
		{"named parameters", `SELECT id FROM posts WHERE id = :sesame`, `SELECT id FROM posts WHERE id = ?`, sqlparse.SQLite},
		{"a list", `SELECT id FROM posts WHERE id IN ($1, $2,$3)`, `SELECT id FROM posts WHERE id IN (?)`, sqlparse.PostgreSQL},
		{"rows", `INSERT INTO posts (id, title) VALUES (1, 'sesame'), (2, 'sesame')`, `INSERT INTO posts (id, title) VALUES (?)`, sqlparse.SQLite},
		{"spaces and comments", "SELECT /* sesame */ id\n\tFROM posts -- sesame\nWHERE id = 1", `SELECT id FROM posts WHERE id = ?`, sqlparse.PostgreSQL},
		{"escapes", `SELECT E'it\'s sesame', B'101', x'ff', U&'sesame'`, `SELECT ?`, sqlparse.PostgreSQL},
		{"dollar quotes", `SELECT $a$sesame ' $a$`, `SELECT ?`, sqlparse.PostgreSQL},
		{"names in quotes", `SELECT "id" FROM "Posts"`, `SELECT "id" FROM "Posts"`, sqlparse.PostgreSQL},
		{"names in quotes that the database has", `SELECT "id", "sesame" FROM [posts]`, `SELECT "id", ? FROM [posts]`, sqlparse.SQLite},
		{"a setting", `SET LOCAL app.tenant = sesame`, `SET LOCAL app.tenant = ?`, sqlparse.PostgreSQL},
		{"a list of settings", `SET search_path TO sesame, public`, `SET search_path TO ?`, sqlparse.PostgreSQL},
		{"a role", `SET ROLE sesame`, `SET ROLE ?`, sqlparse.PostgreSQL},
		{"a user", `SET SESSION AUTHORIZATION "sesame"`, `SET SESSION AUTHORIZATION ?`, sqlparse.PostgreSQL},
		{"a pragma", `PRAGMA key = sesame`, `PRAGMA key = ?`, sqlparse.SQLite},
		{"a call of a pragma", `PRAGMA key(sesame)`, `PRAGMA key(?)`, sqlparse.SQLite},
		{"several statements", `SELECT 1; SET ROLE sesame`, `SELECT ?; ? ? ?`, sqlparse.PostgreSQL},
		{"an update", `UPDATE posts SET title = upper(title) WHERE id = 1`, `UPDATE posts SET title = upper(title) WHERE id = ?`, sqlparse.PostgreSQL},
		{"an open quote", `SELECT id FROM posts WHERE title = 'sesame`, `SELECT id FROM posts WHERE title = …`, sqlparse.PostgreSQL},
		{"a quote that may end elsewhere", `SELECT id FROM posts WHERE title = 'a\' OR sesame = 'b'`, `SELECT id FROM posts WHERE title = …`, sqlparse.PostgreSQL},
		{"no SQL", "\x00sesame", "…", sqlparse.SQLite},
		{"nothing", "", "", sqlparse.SQLite},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			got := sqlparse.Normalize(row.text, row.dialect, 200, func(name string) bool { return name == "id" || name == "posts" })
			if got != row.want {
				t.Errorf("%s\nwant %s", got, row.want)
			}
			if strings.Contains(got, secret) {
				t.Errorf("a value is shown: %s", got)
			}
		})
	}
}

// TestNormalizeIsBounded: in bytes, whatever the statement has.
func TestNormalizeIsBounded(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"names":   "SELECT " + strings.Repeat("column_of_a_table, ", 1000) + "x FROM t",
		"a name":  "SELECT " + strings.Repeat("é", 1000) + " FROM t",
		"values":  "SELECT id FROM t WHERE id IN (" + strings.Repeat("1, ", 10_000) + "1) AND " + secret,
		"invalid": "SELECT \xff\xfe FROM t",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := sqlparse.Normalize(text, sqlparse.SQLite, 100, func(string) bool { return false })
			if len(got) > 100 || !utf8.ValidString(got) || strings.Contains(got, secret) {
				t.Errorf("%d bytes: %q", len(got), got)
			}
			if name != "invalid" && !strings.HasSuffix(got, "…") {
				t.Errorf("%q does not say that it was cut", got)
			}
		})
	}
}

// FuzzNormalize: what is in a text as a constant is never shown, and the bound is kept.
func FuzzNormalize(f *testing.F) {
	f.Add("SELECT id FROM posts WHERE title = ", " AND id = 1", uint8(2))
	f.Add("SET search_path TO ", ", public", uint8(1))
	f.Add("INSERT INTO t VALUES (E'a', ", ")", uint8(2))
	f.Fuzz(func(t *testing.T, before, after string, dialect uint8) {
		const value = "8f1c7a52d0"
		d := sqlparse.Dialect(dialect%2) + sqlparse.SQLite
		if strings.Contains(before+after, value) {
			return
		}
		// Where what precedes is not a statement of whole tokens, the quotes may be within a
		// name, or the end of a string.
		if toks, err := sqlparse.TokensDialect(before, d); err != nil || len(toks) > 0 && toks[len(toks)-1].End == len(before) {
			return
		}
		got := sqlparse.Normalize(before+"'"+value+"'"+after, d, 300, func(string) bool { return true })
		if strings.Contains(got, value) || len(got) > 300 {
			t.Errorf("%q", got)
		}
	})
}
