package analysis

import (
	"testing"

	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/catalog"
)

// A row leaves a partition when the column changes by which the table is partitioned,
// whatever columns the read names.
func TestPartitions(t *testing.T) {
	events := &catalog.Table{Name: "events", Columns: []catalog.Column{{Name: "tenant", Class: catalog.Text, NotNull: true}, {Name: "n", Class: catalog.Int}}}
	c := catalogOf(catalog.PostgreSQL, nil, events)
	c.Tables["events_a"] = events
	if s := Analyze(c, "SELECT n FROM events_a"); len(s.Refs) != 1 || s.Refs[0].Where != catalog.All {
		t.Errorf("a partition: %v", s)
	}
	if s := Analyze(c, "SELECT n FROM events"); len(s.Refs) != 1 || s.Refs[0].Where == catalog.All {
		t.Errorf("the table: %v", s)
	}
}
