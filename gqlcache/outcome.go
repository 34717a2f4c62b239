package gqlcache

import (
	"context"

	"github.com/99designs/gqlgen/graphql"
	"github.com/cascadeql/cascadeql/gqlcache/internal/fleet"
	"github.com/cascadeql/cascadeql/gqlcache/internal/watch"
	"github.com/cascadeql/cascadeql/gqlcache/store"
)

// A fate says how an operation ended.
type fate uint8

const (
	// failed: it has no answer. Something below has panicked, or has ended the goroutine.
	failed fate = iota
	// bypassed: it was answered as without the cache.
	bypassed
	// hit: it was answered by an entry, or by another instance's.
	hit
	// computed: its resolvers ran.
	computed
	// joined: it was answered by the resolvers of another request.
	joined
	// compared: its resolvers ran, to see whether other callers get the same.
	compared
	// abandoned: it ended while it waited for another request.
	abandoned
	// refused: it is a mutation that did not run.
	refused
	// changed: it is a mutation that has changed something, and unchanged: one that has not.
	changed
	unchanged
	// inspected: the inspector has answered it.
	inspected
)

// An outcome is what became of an operation. The steps that decide it write it, and Cache.end reports it.
// The zero outcome is that of a query which has failed before anything was looked up.
type outcome struct {
	fate fate
	// looked says that an entry was looked for, and ended that end has reported the outcome.
	looked, ended bool
	// why says why a query has bypassed the cache, or why its answer was not stored.
	why Reason
	// d is nil when the operation was not planned.
	d    *document
	resp *graphql.Response
	// entry is that of a hit which the first look has found. Another answer is f, under key.
	entry *store.Entry
	f     *filled
	key   string
	// done is what a mutation has done, until it is explained.
	done *settled
	// span ends the span of the computation, nil when there is none.
	span func(SpanEnd)
}

// end reports what became of an operation: it counts it, for Stats and for those who watch, ends its span, and explains it.
// Call it deferred where the operation begins: it also runs when something below panics, or ends the goroutine.
func (c *Cache) end(ctx context.Context, r *request) {
	o := &r.out
	if o.fate == failed && !r.mutates {
		o.why = ReasonErrors
		if !o.looked { // a function of the options has ended the goroutine
			o.fate, o.why = bypassed, ReasonFailed
		}
	}
	switch {
	case r.anew != "" && o.computes():
		c.countBypass(ctx, o.d, ReasonToken)
	case o.fate == hit:
		c.counts.hits.Add(1)
		o.d.Counts.Hits.Add(1)
	case o.fate == bypassed:
		c.countBypass(ctx, o.d, o.why)
	case o.fate == joined:
		c.counts.joined.Add(1)
		o.d.Counts.Joined.Add(1)
	case o.fate == abandoned:
		c.counts.abandoned.Add(1)
		o.d.Counts.Abandoned.Add(1)
	case o.computes():
		c.counts.misses.Add(1)
		o.d.Counts.Misses.Add(1)
	}
	if o.fate == computed && o.why != "" {
		c.counts.refused(o.why)
	}
	if c.watch != nil {
		c.observe(o)
	}
	if o.span != nil {
		o.span(o.spanEnd())
	}
	if r.note != nil && (!r.mutates || o.fate == refused || o.done != nil) {
		c.explain(ctx, r)
	}
	o.ended, o.done = true, nil
}

// computes says that the operation's resolvers ran, or were about to, for an answer that was looked for or was to be
// computed anew; also if another request's did.
func (o *outcome) computes() bool {
	switch o.fate {
	case failed:
		return o.looked
	case computed, joined, compared:
		return true
	}
	return false
}

// countBypass counts a query that was not looked up. The document is nil when it was not asked for.
func (c *Cache) countBypass(ctx context.Context, d *document, why Reason) {
	c.counts.bypass(why)
	if d != nil {
		d.Counts.Bypassed.Add(1)
		return
	}
	c.operations.Of(graphql.GetOperationContext(ctx).Operation.Name).Bypassed.Add(1)
}

// observe counts a query for those who watch. A hit of the first look was counted by the look.
func (c *Cache) observe(o *outcome) {
	if !c.watched() {
		return
	}
	defer c.shield.Recover()
	var op *watch.Operation
	if o.d != nil {
		op = o.d.shown
	}
	switch {
	case o.fate == bypassed:
		c.watch.Count(op, watch.Bypass)
	case o.fate == hit && o.f != nil:
		c.watch.Served([]byte(o.key), op, 0)
	case o.fate == joined:
		c.watch.Count(op, watch.Collapsed)
	case o.computes():
		c.watch.Count(op, watch.Miss)
	}
}

// spanEnd says what came of a query that was not in the store.
func (o *outcome) spanEnd() SpanEnd {
	switch o.fate {
	case hit:
		return SpanEnd{Outcome: OutcomeHit}
	case joined:
		return SpanEnd{Outcome: OutcomeJoined}
	case abandoned:
		return SpanEnd{Outcome: OutcomeAbandoned}
	}
	if o.why != "" {
		return SpanEnd{OutcomeNotStored, o.why}
	}
	return SpanEnd{Outcome: OutcomeStored}
}

// appliedEnd says what came of a change.
func appliedEnd(p fleet.Publication) SpanEnd {
	switch {
	case p.Err != nil:
		return SpanEnd{Outcome: OutcomePending}
	case p.Shared && !p.Receipt.Confirmed:
		return SpanEnd{Outcome: OutcomeUnconfirmed}
	}
	return SpanEnd{Outcome: OutcomeInvalidated}
}
