package observe

import (
	"context"
	"slices"

	"github.com/cascadeql/cascadeql/cascade/tag"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/analysis"
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

// A Change is columns of a table that a commit has changed, by their names, of rows that
// were there and stay.
type Change struct {
	Table   string
	Columns []string
}

// Changes returns the columns that the commit has changed, none when everything may have
// been.
func (c *Commit) Changes() (list []Change) {
	for i := range c.Events {
		e := &c.Events[i]
		if e.Table == nil || e.Op != rowtag.Updated {
			continue
		}
		at := slices.IndexFunc(list, func(x Change) bool { return x.Table == e.Table.Name })
		if at < 0 {
			at = len(list)
			list = append(list, Change{Table: e.Table.Name})
		}
		for n := range e.Table.Columns {
			if name := e.Table.Columns[n].Name; e.Columns&catalog.Bit(n) != 0 && !slices.Contains(list[at].Columns, name) {
				list[at].Columns = append(list[at].Columns, name)
			}
		}
	}
	return list
}

// Unowned says that the commit belongs to no mutation which still runs, and why: it is a
// finding unless a statement came from Outside. It must be called by Sink.Committed.
func (c *Commit) Unowned(ctx context.Context, why string) {
	for _, of := range append([]context.Context{ctx}, c.Origins...) {
		if r, _ := of.Value(recordingKey{}).(*Recording); r == outside {
			return
		}
	}
	if c.Text != "" { // it is a statement's, not a change of the catalog by somebody else
		c.Observer.found(ctx, Finding{Kind: OutsideCommit, Text: c.Text, Why: why})
	}
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

// Unmatched returns the sets of rows, in words, that were read of tables of which the
// directives name other sets, or single rows only. declared returns the columns that each
// of a table's declared conditions compares, none where there is no condition, and false
// for a table that is not to be judged. same reports whether a column of the table is one
// of those. A set that is asked for by a key, or through another table, is not judged: its
// rows are known one by one.
func (f *Footprint) Unmatched(declared func(table string) ([][]string, bool), same func(column, field string) bool) (list []string) {
	for _, a := range f.Analyses {
		for _, r := range a.Refs {
			if r.Via != nil || r.Joined || hasKey(r.Table, termOf(r)) {
				continue
			}
			sets, named := declared(r.Table.Name)
			if !named {
				continue
			}
			compares := func(field string) bool {
				for i := range r.Table.Columns {
					if r.Where&catalog.Bit(i) != 0 && same(r.Table.Columns[i].Name, field) {
						return true
					}
				}
				return false
			}
			if !slices.ContainsFunc(sets, func(fields []string) bool {
				return !slices.ContainsFunc(fields, func(field string) bool { return !compares(field) })
			}) {
				list = append(list, r.SetWords())
			}
		}
	}
	return list
}

// termOf returns what reports whether a column is one of the terms of a ref.
func termOf(r *analysis.Ref) func(column int) bool {
	return func(column int) bool {
		return slices.ContainsFunc(r.Terms, func(t analysis.Term) bool { return t.Column == column })
	}
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
