package sqlparse

import (
	"errors"
	"strings"
	"testing"
	"time"
)

// TestDeep has texts whose nesting would end the stack of a parser without a bound.
func TestDeep(t *testing.T) {
	const n = 5_000
	for _, open := range []string{"(", "- ", "NOT ", "+", "~", "f(", "CASE WHEN ", "EXISTS (SELECT ", "(SELECT ", "a[", "ARRAY[", "a BETWEEN ",
		"a = ", "a LIKE ", "CAST(", "a IN (", "a AND (", "a IN (SELECT ", "x::", "a ESCAPE ", "a COLLATE b = ", "((1)=", "a OR NOT ", "a::b.", "1 + - "} {
		for _, d := range []Dialect{Any, SQLite, PostgreSQL} {
			for _, text := range []string{
				"SELECT " + strings.Repeat(open, n),
				"SELECT " + strings.Repeat(open, n) + "a" + strings.Repeat(")", n),
				"SELECT 1 FROM " + strings.Repeat(open, n),
				"WITH a AS (" + strings.Repeat("WITH a AS (", n),
				"SELECT 1 FROM " + strings.Repeat("(a JOIN ", n),
				"INSERT INTO t " + strings.Repeat("(", n),
			} {
				if s, err := ParseDialect(text, d); err == nil {
					t.Errorf("%d: %q… is of kind %d, not an error", d, text[:40], s.Kind)
				} else if !errors.Is(err, ErrSyntax) || len(err.Error()) > 200 {
					t.Errorf("%d: %q…: error of %d bytes", d, text[:40], len(err.Error()))
				}
			}
		}
	}
}

// TestNested has nesting that applications have.
func TestNested(t *testing.T) {
	const n = 60
	for _, text := range []string{
		"SELECT " + strings.Repeat("(", 2*n) + "a" + strings.Repeat(")", 2*n),
		"SELECT 1 FROM t WHERE " + strings.Repeat("a IN (SELECT b FROM u WHERE ", n) + "true" + strings.Repeat(")", n),
		"SELECT 1 FROM " + strings.Repeat("(SELECT * FROM ", n) + "t" + strings.Repeat(") x", n),
		"SELECT 1 FROM t WHERE a = 1" + strings.Repeat(" OR a = 1", 5_000),
		"SELECT " + strings.Repeat("(", maxDepth/2-10) + "a" + strings.Repeat(")", maxDepth/2-10),
		"SELECT 1" + strings.Repeat(" UNION ALL SELECT 1", 5_000),
	} {
		for _, d := range []Dialect{Any, SQLite, PostgreSQL} {
			if _, err := ParseDialect(text, d); err != nil {
				t.Errorf("%d: %q…: %v", d, text[:40], err)
			}
		}
	}
}

// TestLong has texts for which a careless reader needs a time that is the square of their
// length: minutes, where these need a fraction of a second.
func TestLong(t *testing.T) {
	start := time.Now()
	for _, c := range []struct{ before, part, after string }{
		{"SELECT 1 WHERE a IN (1", ", 'x'", ")"},
		{"INSERT INTO t VALUES (1)", ", (2)", ""},
		{"SELECT 'a", "''", "'"},
		{"SELECT 'a", "\\\\", "'"},
		{"SELECT 1 ", "/**/", ""},
		{"SELECT 1 ", "--\n", ""},
		{"SELECT 1 ", "'a\\'", ""},
		{"SELECT ", "$a", ""},
		{"SELECT ", "$a$b$a$ ", ""},
		{"SELECT 1", " + 2", ""},
		{"SELECT 1", ", ((((1))))", ""},
		{"SELECT 1", ", ((((SELECT 1))))", ""},
		{"SELECT ", "((", ""},
		{"SELECT ", ":a", ""},
		{"SELECT 1", ", :a", ""},
		{"SELECT a", ".b", ""},
		{"CREATE TRIGGER a BEGIN SELECT 1;", "SELECT 1;", "END"},
		{"SELECT 1", "/* /* ", ""},
		{"SELECT 1 FROM t", ", t", ""},
		{"SELECT a", "<>=", ""},
		{"SELECT a", "?", ""},
		{"SELECT a", "+", ""},
	} {
		text := c.before + strings.Repeat(c.part, 256<<10/len(c.part)) + c.after
		for _, d := range []Dialect{Any, SQLite, PostgreSQL} {
			_, _ = ParseDialect(text, d)
		}
		if took := time.Since(start); took > 3*time.Minute {
			t.Fatalf("%v so far, with %q", took, c.before+c.part)
		}
	}
	literals := "SELECT 1 FROM t WHERE a IN (1" + strings.Repeat(", 'abcdefgh'", 100_000) + ")"
	if _, err := Parse(literals); err != nil {
		t.Errorf("%d bytes of literals: %v", len(literals), err)
	}
	if _, err := Parse("SELECT '" + strings.Repeat("x", maxText) + "'"); err == nil {
		t.Error("no limit of a text's length")
	}
}
