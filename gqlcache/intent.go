package gqlcache

import (
	"context"
	"slices"

	"github.com/99designs/gqlgen/graphql"
	"github.com/cascadeql/cascadeql/cascade"
	"github.com/cascadeql/cascadeql/extractor"
	"github.com/cascadeql/cascadeql/gqlcache/internal/clock"
)

// intend announces, before a mutation runs, all that its declared writes may change: see Options.Intent.
// What only the answer would tell counts as unknown, as it does for a mutation that fails. The intent
// is settled by the returned function, after the changes are applied; with a hold, after the commit.
func (c *Cache) intend(ctx context.Context, r *request, oc *graphql.OperationContext, d *document) (settle func()) {
	if !c.opts.Intent {
		return func() {}
	}
	in := c.intent(ctx, oc, d)
	if r.hold != nil {
		r.hold.intend(in)
		return func() {}
	}
	return in.Settle
}

func (c *Cache) intent(ctx context.Context, oc *graphql.OperationContext, d *document) *clock.Intent {
	if d.op == nil || slices.ContainsFunc(d.op.Extract.Fields, func(f *extractor.Field) bool { return f.Cascade }) {
		return c.clock.AnnounceAll() // a cascade payload may name anything
	}
	events, everything := d.op.Events(cascade.Outcome{Vars: oc.Variables})
	switch {
	case everything != "":
		return c.clock.AnnounceAll()
	case len(events) == 0:
		return c.clock.Announce(nil)
	}
	return c.clock.Announce(c.schema.Load().plan.Publish(nil, events, c.partition(ctx)))
}
