package main

import (
	"os"
	"regexp"
	"slices"
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
	for _, m := range slices.Concat(rules, cacheRules, precisionRules, sharedRules, joinRules, commitsRules, computationRules, boundsRules, keyRules, hiddenRules, verifyingRules, fleetRules, valuesRules, attackRules, attack2Rules) {
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
