package fleet_test

import (
	"slices"
	"testing"

	"github.com/cascadeql/cascadeql/cascade/tag"
	"github.com/cascadeql/cascadeql/gqlcache/changelog"
	"github.com/cascadeql/cascadeql/gqlcache/internal/fleet"
)

// schemaOf has views by the hashes of their names; 100 more is the hash that their
// changes publish.
func schemaOf(mark uint64, names ...uint64) *fleet.Schema {
	cfg := fleet.SchemaConfig{Mark: tag.Tag{Hash: mark}, Unnamed: 99}
	for _, n := range names {
		cfg.Views = append(cfg.Views, fleet.View{Name: n, Reached: 100 + n, Partitioned: n == 3})
	}
	cfg.Whole = func(tags []tag.Tag, names []uint64) []tag.Tag {
		for _, n := range names {
			tags = append(tags, tag.Tag{Hash: 1000 + n}) // of the whole view
		}
		return tags
	}
	return fleet.NewSchema(cfg)
}

// TestRecords: what a record of one instance is to another.
func TestRecords(t *testing.T) {
	t.Parallel()
	ours := []uint64{1, 2, 3}
	changed := func(names ...uint64) (tags []tag.Tag) {
		for _, n := range names {
			tags = append(tags, tag.Tag{Hash: 100 + n, Mask: 1})
		}
		return tags
	}
	whole := func(names ...uint64) (tags []tag.Tag) {
		for _, n := range names {
			tags = append(tags, tag.Tag{Hash: 1000 + n})
		}
		return tags
	}
	for _, row := range []struct {
		name    string
		from    *fleet.Schema
		build   string
		tags    []tag.Tag
		want    []tag.Tag // nil is everything
		foreign uint64
	}{
		{"of this schema", schemaOf(7, ours...), "a", changed(1), changed(1), 0},
		{"of another build", schemaOf(7, ours...), "b", changed(1), changed(1), 0},
		{"of another build, in a partition", schemaOf(7, ours...), "b", changed(1, 3), slices.Concat(changed(1, 3), whole(3)), 0},
		{"of another schema", schemaOf(8, ours...), "a", changed(2), whole(2), 1},
		{"of a schema with fewer views", schemaOf(8, 1, 2), "a", changed(2), whole(2, 3), 1},
		{"of a schema with more views", schemaOf(8, 1, 2, 3, 4), "a", changed(2), whole(2), 1},
		{"of a view that is unknown here", schemaOf(8, 1, 2, 3, 4), "a", changed(4), nil, 1},
		{"of no view", schemaOf(8, ours...), "a", append(changed(2), tag.Tag{Hash: 99}), nil, 1},
		{"that names nothing", schemaOf(8, ours...), "a", []tag.Tag{{Hash: 5}}, nil, 1},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			var sent []tag.Tag
			publisher := start(t, func(c *fleet.Config) {
				c.Schema, c.Build, c.OwnPartitions = func() *fleet.Schema { return row.from }, row.build, true
			})
			publisher.log.publish = func(tags []tag.Tag, _ bool) (changelog.Receipt, error) {
				sent = slices.Clone(tags)
				return changelog.Receipt{}, nil
			}
			reader := start(t, func(c *fleet.Config) {
				s := schemaOf(7, ours...)
				c.Schema, c.OwnPartitions = func() *fleet.Schema { return s }, true
			})
			publisher.Publish(t.Context(), nil, fleet.Change{Tags: row.tags}) // the first one lists its views
			reader.log.sink.Apply(changelog.Record{Number: 101, Tags: sent, Origin: "b"})
			if got := reader.heard[0]; !slices.Equal(got.tags, row.want) || (got.everything != "") != (row.want == nil) || got.origin != "b" {
				t.Errorf("heard %+v, want %v", got, row.want)
			}
			if n := reader.Counts.Foreign.Load(); n != row.foreign {
				t.Errorf("%d foreign", n)
			}
			// A log that was out of reach joins its records.
			joined := slices.Concat(sent, sent)
			reader.log.sink.Apply(changelog.Record{Number: 102, Tags: joined})
			if got := reader.heard[1]; !slices.Equal(got.tags, slices.Concat(row.want, row.want)) {
				t.Errorf("joined: heard %+v", got)
			}
		})
	}
}

// TestStrangers: the views of a publisher that has not listed them are not known.
func TestStrangers(t *testing.T) {
	t.Parallel()
	reader := start(t, func(c *fleet.Config) {
		s := schemaOf(7, 1, 2)
		c.Schema = func() *fleet.Schema { return s }
	})
	sent := schemaOf(8, 1, 2, 3).Record(fleet.Change{Tags: []tag.Tag{{Hash: 101, Mask: 1}}})
	reader.log.sink.Apply(changelog.Record{Number: 101, Tags: sent})
	if got := reader.heard[0]; got.everything == "" {
		t.Errorf("heard %+v", got)
	}
}

// TestRowsLikeARecord: the words of rows hold texts of anybody. Those that look like the
// begin of a record hide no change.
func TestRowsLikeARecord(t *testing.T) {
	t.Parallel()
	var sent []tag.Tag
	i := start(t, func(c *fleet.Config) {
		c.Rows = func(tags, words []tag.Tag) ([]tag.Tag, bool) {
			return append(tags, tag.Tag{Hash: 4 + words[0].Hash}), true
		}
	})
	i.log.publish = func(tags []tag.Tag, _ bool) (changelog.Receipt, error) {
		sent = slices.Clone(tags)
		return changelog.Receipt{}, nil
	}
	i.Publish(t.Context(), nil, fleet.Change{Tags: []tag.Tag{bob}})
	begin := sent[:3]
	i.Publish(t.Context(), nil, fleet.Change{Rows: slices.Concat([]tag.Tag{ann}, begin)})
	i.log.sink.Apply(changelog.Record{Number: 101, Tags: sent})
	if got := i.heard[0]; got.everything == "" && !slices.Contains(got.tags, tag.Tag{Hash: 5}) {
		t.Errorf("heard %+v", got)
	}
}
