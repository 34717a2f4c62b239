package gqlcache

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/cascadeql/cascadeql/cascade"
	"github.com/cascadeql/cascadeql/gqlcache/inspect"
	"github.com/cascadeql/cascadeql/gqlcache/internal/watch"
)

// The kinds of inspect.Cause, but for peers.
const (
	causeMutation = "mutation"
	causeResolver = "resolver"
	causeManual   = "manual"
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
	// everything says why everything falls, "" when it does not; cleared that it is removed as well.
	everything string
	cleared    bool
	events     []cascade.Event
	// more are tags beside those of the events. operations are those that name operations: no rows, so they
	// do not reach what depends on anything.
	more, operations []cascade.Tag
	part             cascade.Partition
	hold             *hold
	intent           *intention // that announced it, nil without
}

// published is what became of a change.
type published struct {
	announced
	tags int
	// trace and invalidation are nil when nobody watches.
	trace        *cascade.Trace
	invalidation *inspect.Invalidation
}

// publish applies a change to the clock: when it returns, no answer that it reaches is served any more.
// Changes made in a transaction that commits later are applied again then, by the hold.
func (c *Cache) publish(ctx context.Context, ch change) published {
	p, _ := c.publishAnd(ctx, ch, func() error { return nil })
	return p
}

// publishAnd is publish with something that belongs to the change, and is done after it. The error is that
// of either.
func (c *Cache) publishAnd(ctx context.Context, ch change, after func() error) (p published, err error) {
	all := ch.everything != ""
	if !all && len(ch.events)+len(ch.more)+len(ch.operations) == 0 {
		p.number = c.clock.Seq()
		return p, after()
	}
	ctx, endSpan := c.span(ctx, SpanInvalidate)
	defer func() { endSpan(endInvalidate(p.announced)) }()
	var tags []cascade.Tag
	switch {
	case all:
		c.counts.flushes.Add(1)
	case len(ch.events)+len(ch.more) > 0:
		tags = c.schema.Load().plan.Publish(ch.more, ch.events, ch.part)
	}
	if !all && len(ch.operations) > 0 {
		tags = cascade.Merge(append(tags, ch.operations...))
	}
	p.tags = len(tags)
	c.counts.invalidations.Add(1)
	c.counts.tags.Add(uint64(len(tags)))

	p.trace = c.trace(ch)
	end := c.begin(watch.Change{Cause: ch.by, Everything: ch.everything, Cleared: ch.cleared, Tags: tags, Trace: p.trace})
	switch {
	case ch.hold == nil:
		p.announced = c.announce(ctx, ch.intent, tags, all)
	case all:
		ch.hold.addAll(ch.by)
		p.number = c.clock.Flush()
	default: // the others learn of it at the commit
		ch.hold.add(ch.by, tags)
		p.number = c.clock.Apply(tags)
	}
	err = after()
	p.invalidation = end(p.number)
	return p, errors.Join(p.err, err)
}

// trace tells how a change goes through the views, while somebody watches.
func (c *Cache) trace(ch change) *cascade.Trace {
	if c.watch == nil || !c.watch.Watching() || len(ch.events) == 0 {
		return nil
	}
	t, err := protect(func() (*cascade.Trace, error) {
		return c.schema.Load().plan.Trace(ch.more, ch.events, ch.part), nil
	})
	c.blinded(err)
	return t
}

// begin tells the watch that a change is about to be applied. The function tells it that it was, with the
// clock's number, and returns what fell: nil while nobody watches. Neither panics: a change that was made has
// to be applied, and its mutation answered, whatever becomes of those who watch.
func (c *Cache) begin(ch watch.Change) (end func(number uint64) *inspect.Invalidation) {
	if c.watch == nil || !c.watch.Watching() {
		return func(uint64) *inspect.Invalidation { return nil }
	}
	start := time.Now()
	ch.Tags = slices.Clone(ch.Tags) // it keeps them, and so may the clock and the log
	p, err := protect(func() (*watch.Pending, error) { return c.watch.Begin(ch), nil })
	c.blinded(err)
	return func(number uint64) *inspect.Invalidation {
		inv, err := protect(func() (*inspect.Invalidation, error) { return p.Done(number, time.Since(start)), nil })
		c.blinded(err)
		return inv
	}
}

// blinded tells that those who watch have missed something.
func (c *Cache) blinded(err error) {
	if err != nil {
		c.complain.once("watch", "gqlcache: a change could not be noted for the inspector", err)
	}
}
