package gqlcache

import (
	"context"
	"errors"

	"github.com/99designs/gqlgen/graphql"
	"github.com/cascadeql/cascadeql/gqlcache/internal/count"
	"github.com/cascadeql/cascadeql/gqlcache/internal/safe"
)

// A Tracer is told what the cache does for a request, while it does it: see
// Options.Tracer. Its methods are called concurrently. What they do, a request waits for;
// should they panic, it goes on without.
type Tracer interface {
	// Start begins a span, within what the context belongs to. The returned context, made
	// of it, is used for what runs in the span, resolvers included; end is called once,
	// with what came of it, when they have returned.
	Start(ctx context.Context, s Span) (within context.Context, end func(SpanEnd))
}

// A Span is something that takes time.
type Span struct {
	Kind SpanKind
	// Operation is the name of the operation, as in OperationStats but not bounded in
	// number; empty outside of one.
	Operation string
	// Type is the operation's: query, mutation or subscription; empty outside of one.
	Type string
}

// SpanKind says what a span is about.
type SpanKind string

// The kinds of spans.
const (
	// SpanLookup is the search for an answer in the store of this process. It ends with
	// OutcomeHit, OutcomeMiss, or at once with OutcomeBypass and the reason.
	SpanLookup SpanKind = "lookup"
	// SpanFill is what follows a miss: the look into the store that the instances share,
	// the resolvers, or the wait for another request that runs them. It ends with
	// OutcomeStored, OutcomeNotStored and the reason, OutcomeJoined, OutcomeHit when
	// another instance, or request, had an answer after all, or OutcomeAbandoned.
	SpanFill SpanKind = "fill"
	// SpanInvalidate is the application of a change, with the wait for other instances.
	// It ends with OutcomeInvalidated, OutcomeUnconfirmed or OutcomePending: see
	// Stats.Unconfirmed and Stats.LogErrors.
	SpanInvalidate SpanKind = "invalidate"
)

// Outcome says what came of a span.
type Outcome string

// The outcomes of spans.
const (
	OutcomeHit         Outcome = "hit"
	OutcomeMiss        Outcome = "miss"
	OutcomeBypass      Outcome = "bypass"
	OutcomeStored      Outcome = "stored"
	OutcomeNotStored   Outcome = "not_stored"
	OutcomeJoined      Outcome = "joined"
	OutcomeAbandoned   Outcome = "abandoned"
	OutcomeInvalidated Outcome = "invalidated"
	OutcomeUnconfirmed Outcome = "unconfirmed"
	OutcomePending     Outcome = "pending"
)

// SpanEnd is what came of a span.
type SpanEnd struct {
	Outcome Outcome
	// Reason is set for OutcomeBypass and OutcomeNotStored.
	Reason Reason
}

var errTracer = errors.New("it returned no context, one that is not made of the given one, or no function that ends the span")

// span begins a span. The returned context is the given one, and the function does
// nothing, without a tracer or when it fails.
func (c *Cache) span(ctx context.Context, kind SpanKind) (context.Context, func(SpanEnd)) {
	if c.opts.Tracer == nil {
		return ctx, func(SpanEnd) {}
	}
	s := Span{Kind: kind}
	if graphql.HasOperationContext(ctx) {
		if op := graphql.GetOperationContext(ctx).Operation; op != nil {
			s.Operation, s.Type = count.Name(op.Name), string(op.Operation)
		}
	}
	type started struct {
		ctx context.Context
		end func(SpanEnd)
	}
	t, err := safe.Call(func() (started, error) {
		within, end := c.opts.Tracer.Start(ctx, s)
		// Resolvers get this context: without what the server put into it they would
		// panic.
		if within == nil || end == nil || requestFrom(within) != requestFrom(ctx) {
			return started{}, errTracer
		}
		return started{within, end}, nil
	})
	if err != nil {
		c.once.Warn("tracer", "gqlcache: Options.Tracer failed, so spans are missing", err)
		return ctx, func(SpanEnd) {}
	}
	return t.ctx, func(e SpanEnd) {
		if err := safe.Do(func() error { t.end(e); return nil }); err != nil {
			c.once.Warn("tracer", "gqlcache: Options.Tracer failed, so spans are missing", err)
		}
	}
}
