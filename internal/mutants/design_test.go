package main

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestDesignNamesMutants: DESIGN.md has mutants for each of the fourteen rules, and they exist.
func TestDesignNamesMutants(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../DESIGN.md")
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, m := range all {
		known[m.name] = true
	}
	_, table, _ := strings.Cut(string(page), "| # | broken rule | mutants |")
	table, _, _ = strings.Cut(table, "\n\n")
	rows := regexp.MustCompile(`(?m)^\| \d+ \|.*$`).FindAllString(table, -1)
	if len(rows) != 14 {
		t.Errorf("%d rules, want 14", len(rows))
	}
	for _, row := range rows {
		names := regexp.MustCompile(`"([^"]+)"`).FindAllStringSubmatch(row, -1)
		if len(names) == 0 {
			t.Errorf("no mutant: %s", row)
		}
		for _, m := range names {
			if !known[m[1]] {
				t.Errorf("no mutant is called %q", m[1])
			}
		}
	}
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
