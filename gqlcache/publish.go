package gqlcache

import (
	"context"
	"errors"

	"github.com/99designs/gqlgen/graphql"
	"github.com/cascadeql/cascadeql/cascade"
	"github.com/cascadeql/cascadeql/gqlcache/inspect"
	"github.com/cascadeql/cascadeql/gqlcache/internal/fleet"
	"github.com/cascadeql/cascadeql/gqlcache/internal/safe"
	"github.com/cascadeql/cascadeql/gqlcache/internal/watch"
)

// The kinds of inspect.Cause, but for peers.
const (
	causeMutation = "mutation"
	causeResolver = "resolver"
	causeManual   = "manual"
	causeCommit   = "commit" // seen by a handle of Options.Observe
)

// causeOf names the operation at hand as the cause of a change.
func causeOf(ctx context.Context) inspect.Cause {
	by := inspect.Cause{Kind: causeMutation}
	if graphql.HasOperationContext(ctx) {
		by.Name = graphql.GetOperationContext(ctx).Operation.Name
	}
	return by
}

// change is a change that is to be made known.
type change struct {
	by inspect.Cause
	// everything says why all entries are dropped, "" when only some are. cleared says
	// that they are removed from the store as well.
	everything string
	cleared    bool
	events     []cascade.Event
	// more are tags beside those of the events. operations are those that name
	// operations: no rows, so they do not reach what depends on anything.
	more, operations []cascade.Tag
	// texts are the words of what is told by a text: patterns, tenants.
	texts []cascade.Tag
	// rows are the words of rows that a commit has changed.
	rows   []cascade.Tag
	part   cascade.Partition
	within *request // the operation that made it, nil outside of one
}

// published is what became of a change.
type published struct {
	fleet.Publication
	tags int
	// trace and invalidation are nil when nobody watches.
	trace        *cascade.Trace
	invalidation *inspect.Invalidation
}

// publish applies a change to the clock: when it returns, no answer that it reaches is
// served any more. Where the server may commit later than now, the change is applied
// again then: see uncommitted.
func (c *Cache) publish(ctx context.Context, ch change) published {
	p, _ := c.publishAnd(ctx, ch, func() error { return nil })
	return p
}

// publishAnd is publish with something that belongs to the change, and is done after it.
// The error is that of either.
func (c *Cache) publishAnd(ctx context.Context, ch change, after func() error) (p published, err error) {
	all := ch.everything != ""
	if !all && len(ch.events)+len(ch.more)+len(ch.operations)+len(ch.rows) == 0 {
		p.Number = c.clock.Seq()
		return p, after()
	}
	if ch.by.Kind != causeMutation {
		c.verify.ChangedOutside()
	}
	applied := false
	defer func() {
		if !applied {
			c.applyUnknown(ctx, &ch)
		}
	}()
	if !ch.within.publishesLater() {
		var endSpan func(SpanEnd)
		ctx, endSpan = c.span(ctx, SpanInvalidate)
		defer func() { endSpan(appliedEnd(p.Publication)) }()
	}
	tags := c.tagsOf(&ch)
	if all = ch.everything != ""; all {
		c.counts.flushes.Add(1)
	}
	if !all && len(ch.operations) > 0 {
		tags = cascade.Merge(append(tags, ch.operations...))
	}
	if !all && (c.opts.Log != nil || c.front != nil) && len(ch.more)+len(ch.operations) > 0 {
		tags = append(tags, cascade.Unnamed) // no view of another schema stands for these
	}
	p.tags = len(tags)
	c.counts.invalidations.Add(1)
	c.counts.tags.Add(uint64(len(tags)))

	p.trace = c.inspector.Trace(ch.more, ch.events, ch.part)
	end := c.inspector.Begin(watch.Change{Cause: ch.by, Everything: ch.everything, Cleared: ch.cleared, Tags: tags, Trace: p.trace})
	what := fleet.Change{Tags: tags, Rows: ch.rows, Texts: ch.texts, All: all}
	switch {
	case ch.by.Kind == causeCommit && c.opts.Log == nil && c.front == nil:
		p.Number = c.fleet.Apply(what) // the commit has returned: no later point is one
	case ch.within.keepChange(&batch{by: ch.by, Change: what}):
		p.Number = c.fleet.Apply(what) // the others learn of it later
	case ch.by.Kind == causeCommit && ch.within == nil && c.opts.Log != nil:
		p.Number, p.Shared = c.observing.outside.add(ctx, what)
	default:
		p.Publication = c.makeKnown(ctx, nil, what)
	}
	applied = true
	err = after()
	p.invalidation = end(p.Number)
	return p, errors.Join(p.Err, err)
}

// applyUnknown applies a change whose application did not end: a function of the owner's
// has ended the goroutine, or something here has panicked. What was changed is committed
// all the same.
func (c *Cache) applyUnknown(ctx context.Context, ch *change) {
	c.clock.Flush() // first: the same may happen again
	all := fleet.Change{All: true}
	if ch.within.keepChange(&batch{by: ch.by, Change: all}) {
		return
	}
	c.makeKnown(ctx, nil, all)
}

// tagsOf returns the tags of a change's events, and none when it changes everything.
// Should they fail to be told, it does.
func (c *Cache) tagsOf(ch *change) []cascade.Tag {
	if ch.everything != "" || len(ch.events)+len(ch.more) == 0 {
		return nil
	}
	tags, err := safe.Call(func() ([]cascade.Tag, error) {
		return c.schema.Load().Plan.Publish(ch.more, ch.events, ch.part), nil
	})
	if err != nil {
		c.once.Warn("publish tags", "gqlcache: what a change reaches could not be told, so it has dropped everything", err)
		ch.everything = "a change that could not be evaluated"
		return nil
	}
	return tags
}
