package observe

import (
	"context"

	"github.com/cascadeql/cascadeql/cascade/tag"
)

// wrote tells all sinks that a statement on a context has written, or may have.
func (o *Observer) wrote(ctx context.Context) {
	for _, a := range o.attached() {
		o.contain("wrote", func() { a.sink.Wrote(ctx) })
	}
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
