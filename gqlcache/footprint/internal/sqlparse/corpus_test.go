package sqlparse

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

type sample struct {
	text string
	d    Dialect
}

// corpus returns the statements in testdata: files are named after their dialect, and
// empty lines stand between statements.
func corpus(t testing.TB) (all []sample) {
	t.Helper()
	files, err := filepath.Glob("testdata/corpus/*.sql")
	if err != nil || len(files) == 0 {
		t.Fatal("no corpus", err)
	}
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		d := SQLite
		if strings.HasPrefix(filepath.Base(f), "postgresql") {
			d = PostgreSQL
		}
		for text := range strings.SplitSeq(strings.TrimSpace(string(data)), "\n\n") {
			all = append(all, sample{text, d})
		}
	}
	return all
}

func TestCorpus(t *testing.T) {
	all := corpus(t)
	for _, c := range all {
		s, err := ParseDialect(c.text, c.d)
		if err != nil {
			t.Errorf("%d: %v\n%s", c.d, err, c.text)
			continue
		}
		if _, err := ParseDialect(c.text+";", c.d); err != nil {
			t.Errorf("%d: with a semicolon: %v\n%s", c.d, err, c.text)
		}
		for _, more := range []string{"; UPDATE t SET a=1", ";\nUPDATE t SET a=1;", "; COMMIT", ";;", "\x00", " )", " (", "; --\nDELETE FROM t"} {
			if _, err := ParseDialect(c.text+more, c.d); err == nil {
				t.Errorf("%d: followed by %q it is no error:\n%s", c.d, more, c.text)
			}
			if _, err := Parse(c.text + more); err == nil {
				t.Errorf("followed by %q it is no error:\n%s", more, c.text)
			}
		}
		// What both databases agree on is what each of them says.
		if either, err := Parse(c.text); err == nil && !reflect.DeepEqual(either, s) {
			t.Errorf("%d: another tree without a dialect:\n%s", c.d, c.text)
		}
		checkWhere(t, c, s)
	}
	if len(all) < 150 {
		t.Errorf("%d statements in the corpus", len(all))
	}
}

// checkWhere says that the condition's offsets are those of its text.
func checkWhere(t *testing.T, c sample, s *Statement) {
	t.Helper()
	if s.Where == nil {
		if s.WhereAt != [2]int{} {
			t.Errorf("offsets without a condition:\n%s", c.text)
		}
		return
	}
	cond := c.text[s.WhereAt[0]:s.WhereAt[1]]
	// Parameters of SQLite without a number have other ones there.
	if c.d != PostgreSQL && strings.ContainsAny(cond, "$:@?") {
		return
	}
	again, err := ParseDialect("DELETE FROM t WHERE "+cond, c.d)
	if err != nil {
		t.Errorf("condition %q: %v", cond, err)
		return
	}
	if !reflect.DeepEqual(again.Where, s.Where) {
		t.Errorf("condition %q is another one:\n%s", cond, c.text)
	}
}

// FuzzParse says that no text panics, that nothing may follow a statement, and that no
// reading without a dialect differs from that of a dialect that accepts the text.
func FuzzParse(f *testing.F) {
	for _, c := range corpus(f) {
		f.Add(c.text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		either, err := Parse(text)
		for _, d := range []Dialect{Any, SQLite, PostgreSQL} {
			s, derr := ParseDialect(text, d)
			if derr == nil {
				if _, err := ParseDialect(text+"\n; UPDATE t SET a=1", d); err == nil {
					t.Errorf("%d: another statement may follow %q", d, text)
				}
				checkWhere(t, sample{text, d}, s)
			}
			if err == nil && derr == nil && !reflect.DeepEqual(s, either) {
				t.Errorf("%d: %q has another tree without a dialect", d, text)
			}
		}
	})
}
