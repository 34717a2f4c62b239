package gqlcache

import (
	"context"
	"sync/atomic"

	"github.com/99designs/gqlgen/graphql"
	"github.com/cascadeql/cascadeql/gqlcache/internal/fleet"
	"github.com/cascadeql/cascadeql/gqlcache/internal/inspector"
	"github.com/cascadeql/cascadeql/gqlcache/internal/watch"
	"github.com/cascadeql/cascadeql/gqlcache/store"
)

// An outcome is what became of an operation. The steps that decide it write it, and
// Cache.end reports it. The zero outcome is that of a query which has failed before
// anything was looked up.
type outcome struct {
	fate inspector.Fate
	// looked says that an entry was looked for, and ended that end has reported the
	// outcome.
	looked, ended bool
	// early says that the answer was computed before the entry had expired which a hit
	// would have had, and old that the answer is r.old's.
	early, old bool
	// expired says that this entry had expired when it was found.
	expired bool
	// why says why a query has bypassed the cache, or why its answer was not stored.
	why Reason
	// d is nil when the operation was not planned.
	d    *document
	resp *graphql.Response
	// entry is that of a hit which the first look has found, or r.old's. Another answer
	// is f, under key. entryKey is the entry's key if the answer may be kept in other
	// encodings, and "" otherwise.
	entry    *store.Entry
	entryKey string
	f        *filled
	key      string
	// done is what a mutation has done, until it is explained.
	done *settled
	// span ends the span of the computation, nil when there is none.
	span func(SpanEnd)
	// given is resp once a query has ended, and nothing above is written any more.
	given atomic.Pointer[graphql.Response]
}

// end reports what became of an operation: it counts it, for Stats and for those who
// watch, ends its span, and explains it. Call it deferred where the operation begins: it
// also runs when something below panics, or ends the goroutine.
func (c *Cache) end(ctx context.Context, r *request) {
	o := &r.out
	if o.fate == inspector.Failed && !r.mutates {
		o.why = ReasonErrors
		if !o.looked { // a function of the options has ended the goroutine
			o.fate, o.why = inspector.Bypassed, ReasonFailed
		}
	}
	switch {
	case r.anew != "" && o.computes():
		c.countBypass(ctx, o.d, ReasonToken)
	case r.renews && o.computes():
		c.countBypass(ctx, o.d, ReasonRefresh)
	case o.fate == inspector.Hit:
		c.countHit(o.d)
	case o.fate == inspector.Bypassed:
		c.countBypass(ctx, o.d, o.why)
	case o.fate == inspector.Joined:
		c.counts.joined.Add(1)
		o.d.Counts.Joined.Add(1)
	case o.fate == inspector.Abandoned:
		c.counts.abandoned.Add(1)
		o.d.Counts.Abandoned.Add(1)
	case o.computes():
		c.counts.misses.Add(1)
		o.d.Counts.Misses.Add(1)
	}
	if o.fate == inspector.Computed && o.why != "" {
		c.counts.refused(o.why)
	}
	if r.old != nil {
		c.countOld(r)
	}
	if c.opts.Inspector.Allow != nil && c.inspector.Watching() && !r.mutates && (o.looked || o.fate == inspector.Bypassed) {
		c.observe(o)
	}
	if o.span != nil {
		o.span(o.spanEnd())
	}
	if r.note != nil && (!r.mutates || o.fate == inspector.Refused || o.done != nil) {
		c.explain(ctx, r)
	}
	o.ended, o.done = true, nil
	if !r.mutates {
		o.given.Store(o.resp)
	}
}

// computes says that the operation's resolvers ran, or were about to, for an answer that
// was looked for or was to be computed anew; also if another request's did.
func (o *outcome) computes() bool {
	switch o.fate {
	case inspector.Failed:
		return o.looked
	case inspector.Computed, inspector.Joined, inspector.Compared:
		return true
	}
	return false
}

// countHit counts a query that was answered from the cache.
func (c *Cache) countHit(d *document) {
	c.counts.hits.Add(1)
	d.Counts.Hits.Add(1)
}

// countBypass counts a query that was not looked up. The document is nil when it was not
// asked for.
func (c *Cache) countBypass(ctx context.Context, d *document, why Reason) {
	c.counts.bypass(why)
	if d != nil {
		d.Counts.Bypassed.Add(1)
		return
	}
	c.operations.Of(graphql.GetOperationContext(ctx).Operation.Name).Bypassed.Add(1)
}

// observe counts a query for those who watch.
func (c *Cache) observe(o *outcome) {
	var op *watch.Operation
	if o.d != nil {
		op = o.d.shown
	}
	c.inspector.Ended(op, o.fate, o.key)
}

// spanEnd says what came of a query that was not in the store.
func (o *outcome) spanEnd() SpanEnd {
	switch o.fate {
	case inspector.Hit:
		return SpanEnd{Outcome: OutcomeHit}
	case inspector.Joined:
		return SpanEnd{Outcome: OutcomeJoined}
	case inspector.Abandoned:
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
