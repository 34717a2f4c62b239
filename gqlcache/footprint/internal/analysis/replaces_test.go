package analysis

import (
	"testing"

	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/catalog"
)

// A constraint with ON CONFLICT REPLACE deletes other rows when a row is inserted or
// updated, and what refers to them by ON DELETE CASCADE.
func TestConstraintsThatReplace(t *testing.T) {
	slots := &catalog.Table{Name: "slots", Replaces: true, Columns: []catalog.Column{
		{Name: "id", Class: catalog.Text, NotNull: true}, {Name: "role", Class: catalog.Text, NotNull: true},
	}, Keys: [][]int{{0}, {1}}}
	used := &catalog.Table{Name: "used", Columns: []catalog.Column{{Name: "slot", Class: catalog.Text}}}
	used.Foreign = []catalog.ForeignKey{{Columns: []int{0}, Table: slots, RefColumns: []int{0}, OnDelete: catalog.Cascade, Enforced: true}}
	names := &catalog.Table{Name: "names", Columns: []catalog.Column{{Name: "id", Class: catalog.Text, NotNull: true}}, Keys: [][]int{{0}}}
	slots.Foreign = []catalog.ForeignKey{{Columns: []int{1}, Table: names, RefColumns: []int{0}, OnUpdate: catalog.Cascade, Enforced: true}}
	c := catalogOf(catalog.SQLite, nil, slots, used, names)
	for _, text := range []string{
		`INSERT INTO slots (id, role) VALUES (?, ?)`,
		`INSERT INTO slots (id, role) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET role = excluded.role`,
		`UPDATE slots SET role = ? WHERE id = ?`,
		`UPDATE names SET id = ? WHERE id = ?`,
	} {
		s := Analyze(c, text)
		written := map[*catalog.Table]WriteKind{}
		for _, w := range s.Writes {
			written[w.Table] = max(written[w.Table], w.Kind)
		}
		if s.Unknown != "" || written[slots] != Any || written[used] != Any {
			t.Errorf("%s: %v", text, s)
		}
	}
	if s := Analyze(c, `DELETE FROM slots WHERE id = ?`); len(s.Writes) != 1 || s.Writes[0].Kind != Deletes {
		t.Errorf("DELETE: %v", s)
	}
}
