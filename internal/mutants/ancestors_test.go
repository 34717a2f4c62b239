package main

import (
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// TestAncestors: each row of docs/ancestors.md names tests that exist, or says that the feature is declined or not built,
// and one of the tests must notice each of the row's mutants.
func TestAncestors(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/ancestors.md")
	if err != nil {
		t.Fatal(err)
	}
	known, tests := byName(), testNames(t)
	rows := regexp.MustCompile(`(?m)^\| \d+ \|.*$`).FindAllString(string(page), -1)
	if len(rows) != 91 {
		t.Errorf("%d rows, want 91", len(rows))
	}
	for n, row := range rows {
		cells := strings.Split(strings.Trim(row, "| "), " | ")
		if len(cells) != 5 || cells[0] != strconv.Itoa(n+1) {
			t.Fatalf("row %d: %d cells, want 5, the first of them the number: %s", n+1, len(cells), row)
		}
		named := regexp.MustCompile("`((?:Test|Example)\\w*)`").FindAllStringSubmatch(cells[3], -1)
		ours := strings.ToLower(cells[2])
		if len(named) == 0 && !strings.Contains(ours, "declined: ") && !strings.Contains(ours, "**not built**") {
			t.Errorf("%d: no test, and neither declined nor not built", n+1)
		}
		for _, name := range named {
			if !tests[name[1]] {
				t.Errorf("%d: there is no %s", n+1, name[1])
			}
		}
		names := quoted.FindAllStringSubmatch(cells[4], -1)
		if len(names) == 0 && cells[4] != "–" {
			t.Errorf("%d: no mutant, and no dash: %s", n+1, cells[4])
		}
		for _, q := range names {
			switch m := known[q[1]]; {
			case m.name == "":
				t.Errorf("%d: no mutant is called %q", n+1, q[1])
			case !noticedBy(t, m, named):
				t.Errorf("%d: %s must notice %q, and none of these is in the row", n+1, m.test, m.name)
			}
		}
	}
}
