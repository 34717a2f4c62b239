package keycheck

import (
	"fmt"
	"slices"
	"testing"
)

func TestShape(t *testing.T) {
	for _, c := range []struct {
		text      string
		like      string // has the same hash, when it is not ""
		positions []int
	}{
		{"SELECT 1", "", nil},
		{"a = ? AND b = ?", "", []int{1, 2}},
		{"a IN (?, ?,?) AND b = ?", "a IN (?) AND b = ?", []int{1, 1, 1, 2}},
		{"a IN (?) AND b = ?", "", []int{1, 2}},
		{"a IN ($1,$2) AND b = $3", "a IN ($1,$2,$3,$4) AND b = $5", []int{1, 1, 2}},
		{"b = $3 AND a IN ( $1 , $2 )", "b = $2 AND a IN ($1)", []int{2, 2, 1}},
		{"a = $1 OR b = $1", "", []int{1}},
		{"a = ?2 AND b = ?1", "", []int{2, 1}},
		{"a = :x AND b = :y OR c = :x", "", []int{1, 2}},
		{"a = @x", "", []int{1}},
		{"a::text = ? AND b IN (?, 1)", "", []int{1, 2}},
		{"a = '?' AND \"?\" = `?` AND b = ? -- ?\n /* ? */", "", []int{1}},
		{`a = E'\'?' AND b = ?`, "", []int{1}},
		{"a = 'it''s ?' AND b = ?", "", []int{1}},
		{"doc ? 'k' AND a = $2 AND b = $1", "", []int{2, 1}},
		{"f(?, x) IN (?, ?)", "", []int{1, 2, 2}},
		{"a = ANY($1)", "", []int{1}},
		{"x[1:2] = ?", "", []int{1}},
		{"a = $0 AND b = $99999999", "", nil},
		{"'", "", nil}, {"/*", "", nil}, {"--", "", nil}, {"(", "", nil}, {"(?", "", []int{1}}, {"(?,", "", []int{1}}, {"$", "", nil}, {":", "", nil},
	} {
		hash, positions := Shape(c.text)
		if !slices.Equal(positions, c.positions) {
			t.Errorf("%s: positions %v, want %v", c.text, positions, c.positions)
		}
		if c.like != "" {
			if other, _ := Shape(c.like); other != hash {
				t.Errorf("%s and %s have different hashes", c.text, c.like)
			}
		}
	}
	var seen []uint64
	for _, text := range []string{"a = $1 OR b = $1", "a = $1 OR b = $2", "a IN ($1)", "a = $1", "a IN ($1, 1)", "a = '$1'"} {
		hash, _ := Shape(text)
		if slices.Contains(seen, hash) {
			t.Errorf("%s has the hash of another", text)
		}
		seen = append(seen, hash)
	}
}

// TestShapeOfLists: what is learned of a list of one length holds for the others.
func TestShapeOfLists(t *testing.T) {
	c := newChecker(Options{})
	for i := 1; i <= 6; i++ {
		text, ids := "id IN (?", []any{"a0"}
		for j := 1; j < i; j++ {
			text, ids = text+", ?", append(ids, fmt.Sprint("a", j))
		}
		hash, positions := Shape(text + ")")
		f := by(i, vars{"ids": ids})
		for j, id := range ids {
			f.events = append(f.events, func(f *Fill) { f.Argument("", text, hash, positions[j], positions[j], id) })
		}
		if g := grade(f.run(c)); i > 1 && g != shared {
			t.Errorf("with %d placeholders: %s", i, g)
		}
	}
}

func FuzzShape(f *testing.F) {
	for _, s := range []string{"a IN (?, ?) AND b = $1", "'", "(:a, @b)", "E'\\", "/* -- $1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		hash, positions := Shape(text)
		again, _ := Shape(text)
		if again != hash {
			t.Error("another hash")
		}
		for _, p := range positions {
			if p < 0 || p > len(positions) {
				t.Errorf("positions %v", positions)
			}
		}
	})
}
