package analysis

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/catalog"
)

var write = flag.Bool("write", false, "write the expected results anew")

// TestWords: in words, a statement has no constant, and is as it was afterwards.
func TestWords(t *testing.T) {
	for name, d := range map[string]catalog.Dialect{"testdata/sqlite.txt": catalog.SQLite, "testdata/postgres.txt": catalog.PostgreSQL} {
		c := world(d)
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		constants := 0
		for line := range strings.SplitSeq(string(data), "\n") {
			if line == "" || line[0] == '#' || line[0] == ' ' {
				continue
			}
			a := Analyze(c, line)
			before := a.String()
			words := strings.ReplaceAll(a.Words(), "volatile: 'now'", "volatile: now") // always the same
			if strings.Contains(before, "'") {
				constants++
			}
			if strings.Contains(words, "'") || strings.Count(words, "\n") != strings.Count(before, "\n") {
				t.Errorf("%s\n%s", line, words)
			}
			if a.String() != before {
				t.Errorf("%s is another one now", line)
			}
		}
		if constants < 5 {
			t.Errorf("%d statements of %s have constants", constants, name)
		}
	}
}

// TestStatements compares the analysis of each statement in testdata with the one beside
// it. A case is a statement, and the lines of its analysis, indented.
func TestStatements(t *testing.T) {
	for name, d := range map[string]catalog.Dialect{"testdata/sqlite.txt": catalog.SQLite, "testdata/postgres.txt": catalog.PostgreSQL} {
		c := world(d)
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var out strings.Builder
		cases := 0
		for block := range strings.SplitSeq(strings.TrimSpace(string(data)), "\n\n") {
			var comment, text string
			var want []string
			for line := range strings.SplitSeq(block, "\n") {
				switch {
				case strings.HasPrefix(line, "#"):
					comment += line + "\n"
				case strings.HasPrefix(line, "    "):
					want = append(want, strings.TrimSpace(line))
				default:
					text = line
				}
			}
			out.WriteString(comment)
			if text != "" {
				cases++
				got := Analyze(c, text).String()
				if got != strings.Join(want, "\n") && !*write {
					t.Errorf("%s\n got %s\nwant %s", text, strings.ReplaceAll(got, "\n", "\n     "), strings.Join(want, "\n     "))
				}
				out.WriteString(text + "\n    " + strings.ReplaceAll(got, "\n", "\n    ") + "\n")
			}
			out.WriteString("\n")
		}
		if cases < 50 {
			t.Errorf("%s has %d cases", name, cases)
		}
		if *write {
			if err := os.WriteFile(name, []byte(strings.TrimRight(out.String(), "\n")+"\n"), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}
