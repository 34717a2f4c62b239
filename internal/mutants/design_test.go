package main

import (
	"io/fs"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

var quoted = regexp.MustCompile(`"([^"]+)"`)

// designTable returns the numbered rows of the table of DESIGN.md that has the header, cell by cell.
func designTable(t *testing.T, header string) [][]string {
	t.Helper()
	page, err := os.ReadFile("../../DESIGN.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(page), header+"\n")
	table, _, _ = strings.Cut(table, "\n\n")
	var rows [][]string
	for _, row := range regexp.MustCompile(`(?m)^\| \d+ \|.*$`).FindAllString(table, -1) {
		cells := strings.Split(strings.Trim(row, "| "), " | ")
		rows = append(rows, cells)
		if cells[0] != strconv.Itoa(len(rows)) {
			t.Errorf("row %d has the number %s", len(rows), cells[0])
		}
		if want := strings.Count(header, "|") - 1; len(cells) != want {
			t.Fatalf("%d cells, want %d: %s", len(cells), want, row)
		}
	}
	return rows
}

func byName() map[string]mutant {
	known := map[string]mutant{}
	for _, m := range all {
		known[m.name] = m
	}
	return known
}

// TestDesignNamesMutants: DESIGN.md has mutants for each of the fourteen rules, and they exist.
func TestDesignNamesMutants(t *testing.T) {
	t.Parallel()
	known := byName()
	rows := designTable(t, "| # | broken rule | mutants |")
	if len(rows) != 14 {
		t.Errorf("%d rules, want 14", len(rows))
	}
	for _, row := range rows {
		names := quoted.FindAllStringSubmatch(row[2], -1)
		if len(names) == 0 {
			t.Errorf("no mutant: %s", row)
		}
		for _, m := range names {
			if known[m[1]].name == "" {
				t.Errorf("no mutant is called %q", m[1])
			}
		}
	}
}

// TestDesignInvariants: the tests and mutants that DESIGN.md names for an invariant exist, and one of the tests must
// notice each of the mutants.
func TestDesignInvariants(t *testing.T) {
	t.Parallel()
	known, tests := byName(), testNames(t)
	rows := designTable(t, "| # | promise | invariant | where | test | mutants |")
	if len(rows) == 0 {
		t.Fatal("no invariants")
	}
	for _, row := range rows {
		named := regexp.MustCompile("`(Test\\w+)`").FindAllStringSubmatch(row[4], -1)
		if len(named) == 0 {
			t.Errorf("%s: no test", row[0])
		}
		for _, n := range named {
			if !tests[n[1]] {
				t.Errorf("%s: there is no %s", row[0], n[1])
			}
		}
		names := quoted.FindAllStringSubmatch(row[5], -1)
		if len(names) == 0 && row[5] != "–" {
			t.Errorf("%s: no mutant, and no dash: %s", row[0], row[5])
		}
		for _, q := range names {
			m := known[q[1]]
			if m.name == "" {
				t.Errorf("%s: no mutant is called %q", row[0], q[1])
				continue
			}
			if !noticedBy(t, m, named) {
				t.Errorf("%s: %s must notice %q, and none of these is in the row", row[0], m.test, m.name)
			}
		}
	}
}

// noticedBy reports whether one of the tests is among those that must notice a mutant.
func noticedBy(t *testing.T, m mutant, tests [][]string) bool {
	t.Helper()
	for _, alternative := range strings.Split(m.test, "|") {
		top, _, _ := strings.Cut(alternative, "/")
		expr, err := regexp.Compile(top)
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range tests {
			if expr.MatchString(n[1]) {
				return true
			}
		}
	}
	return false
}

// testNames returns the names of the tests and examples of the repository.
func testNames(t *testing.T) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	root := os.DirFS("../..")
	function := regexp.MustCompile(`(?m)^func ((?:Test|Example)\w*)\(`)
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(name, "_test.go") {
			if err == nil && d.IsDir() && d.Name() == "node_modules" {
				return fs.SkipDir
			}
			return err
		}
		text, err := fs.ReadFile(root, name)
		for _, f := range function.FindAllSubmatch(text, -1) {
			names[string(f[1])] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// TestMutantsExist: each mutant has a name of its own, and breaks a text that is in its file, once.
func TestMutantsExist(t *testing.T) {
	t.Parallel()
	known := map[string]bool{}
	for _, m := range all {
		if known[m.name] {
			t.Errorf("two mutants are called %q", m.name)
		}
		known[m.name] = true
		if _, err := m.broken("../.."); err != nil {
			t.Errorf("%s: %v", m.name, err)
		}
	}
}
