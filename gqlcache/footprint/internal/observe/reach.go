package observe

import (
	"context"
	"slices"

	"github.com/cascadeql/cascadeql/cascade/tag"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/catalog"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/rowtag"
)

// wrote tells all sinks that a statement on a context has written, or may have.
func (o *Observer) wrote(ctx context.Context) {
	for _, a := range o.attached() {
		o.contain("wrote", func() { a.sink.Wrote(ctx) })
	}
}

// Tables returns the names of the tables that the commit has changed, none when everything
// may have been.
func (c *Commit) Tables() (names []string) {
	for i := range c.Events {
		if t := c.Events[i].Table; t != nil && !slices.Contains(names, t.Name) {
			names = append(names, t.Name)
		}
	}
	return names
}

// Tables returns the names of the tables that were read. It returns false when there may
// be others.
func (f *Footprint) Tables() (names []string, all bool) {
	for _, a := range f.Analyses {
		for _, r := range a.Refs {
			if !slices.Contains(names, r.Table.Name) {
				names = append(names, r.Table.Name)
			}
		}
	}
	return names, len(f.Analyses) < maxAnalyses && f.Unknown == ""
}

// Words returns what was read in words, a statement each, without its constants.
func (f *Footprint) Words() (list []string) {
	for _, a := range f.Analyses {
		list = append(list, a.Words())
	}
	return list
}

// Reach adds to tags those that words of events have for reads through the observers, now.
// It returns false when they may reach everything. A table that no observer knows has its
// whole table's tag: an answer of an instance whose catalog is younger may depend on it. It
// must be called after the commit of the events.
func Reach(tags, words []tag.Tag, observers ...*Observer) ([]tag.Tag, bool) {
	var known []uint64
	for _, o := range observers {
		st := o.state.Load()
		switch {
		case st != nil:
		case o.loaded.Load(): // answers rely on shapes that are not at hand
			return nil, false
		default: // no answer of this process relies on any
			continue
		}
		events, ok := st.shapes.ReadEvents(words)
		if !ok {
			return nil, false
		}
		own := events[:0]
		for _, e := range events {
			if e.Table != nil {
				own = append(own, e)
				known = append(known, st.shapes.TableHash(e.Table.Name))
			}
		}
		tags = append(tags, st.tagsOf(own)...)
	}
	strange, ok := nothing.ReadEvents(words)
	if !ok {
		return nil, false
	}
	for i := range strange {
		if !slices.Contains(known, strange[i].TableHash) {
			tags = nothing.Publish(tags, &strange[i])
		}
	}
	return tags, true
}

// nothing has no tables.
var nothing = rowtag.NewShapes("", &catalog.Catalog{})
