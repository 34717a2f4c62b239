package gqlcache

import (
	"context"
	"slices"

	"github.com/99designs/gqlgen/graphql"
	"github.com/cascadeql/cascadeql/cascade"
	"github.com/cascadeql/cascadeql/extractor"
	"github.com/cascadeql/cascadeql/gqlcache/internal/fleet"
	"github.com/cascadeql/cascadeql/gqlcache/internal/safe"
)

// intend announces, before a mutation runs, all that its declared writes may change: see
// Options.Intent. What only the answer would tell counts as unknown, as it does for a
// mutation that fails. The announcement is settled when the changes are applied for the
// last time: see uncommitted. false: it could not be announced, and the mutation must not
// run.
func (c *Cache) intend(ctx context.Context, r *request, oc *graphql.OperationContext, d *document) (ok bool) {
	if !c.opts.Intent || c.shadow != nil {
		return true
	}
	tags, all := c.foreseen(ctx, oc, d)
	if !all && len(tags) == 0 {
		return true
	}
	a, ok := c.fleet.Announce(ctx, tags, all)
	if !ok {
		return false
	}
	if !r.uncommitted.keep(&batch{announced: []*fleet.Announcement{a}}) {
		c.fleet.Settle(ctx, a) // the operation is over: nothing of ours runs it
		return false
	}
	return true
}

// foreseen returns the tags of all that a mutation may change, as far as it declares
// that; or that it may be anything.
func (c *Cache) foreseen(ctx context.Context, oc *graphql.OperationContext, d *document) (tags []cascade.Tag, all bool) {
	if d.Operation == nil || slices.ContainsFunc(d.Operation.Extract.Fields, func(f *extractor.Field) bool { return f.Cascade }) {
		return nil, true // a cascade payload may name anything
	}
	ch := change{everything: "an operation that could not be evaluated"}
	_ = safe.Do(func() error { c.changed(&ch, d, nil, cascade.Outcome{Vars: oc.Variables}); return nil }) // settle logs it
	switch {
	case ch.everything != "":
		return nil, true
	case len(ch.events)+len(ch.more) == 0:
		return nil, false
	}
	return c.schema.Load().Plan.Publish(ch.more, ch.events, c.partition(ctx)), false
}
