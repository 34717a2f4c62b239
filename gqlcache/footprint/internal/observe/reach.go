package observe

import (
	"context"
	"slices"

	"github.com/cascadeql/cascadeql/cascade/tag"
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

// Words returns what was read in words, a statement each.
func (f *Footprint) Words() (list []string) {
	for _, a := range f.Analyses {
		list = append(list, a.String())
	}
	return list
}

// Reach adds to tags those that words of events have for reads through the observers, now.
// It returns false when they may reach everything. A table that no observer knows is read
// by nobody whose answer is stored without depending on anything. It must be called after
// the commit of the events.
func Reach(tags, words []tag.Tag, observers ...*Observer) ([]tag.Tag, bool) {
	for _, o := range observers {
		events, ok := o.ReadEvents(words)
		if !ok {
			return nil, false
		}
		known := events[:0]
		for _, e := range events {
			if e.Table != nil {
				known = append(known, e)
			}
		}
		tags = append(tags, o.TagsOf(known)...)
	}
	return tags, true
}
