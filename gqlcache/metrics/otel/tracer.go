package cacheotel

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/metrics"
)

// The attributes of spans. There are no others: neither keys nor predicates, variables or
// rows leave the cache with a span.
const (
	AttributeOperation = attribute.Key("graphql.operation.name") // of the semantic conventions
	AttributeType      = attribute.Key("graphql.operation.type") // of the semantic conventions
	AttributeOutcome   = attribute.Key("gqlcache.outcome")
	AttributeReason    = attribute.Key("gqlcache.reason")
)

// tracer implements gqlcache.Tracer.
type tracer struct{ trace.Tracer }

// NewTracer returns a tracer for gqlcache.Options that makes spans called
// gqlcache.lookup, .fill and .invalidate within those of requests. A span of a
// change that other instances perhaps do not know of, see gqlcache.OutcomePending, has
// the status error.
func NewTracer(p trace.TracerProvider) gqlcache.Tracer { return tracer{p.Tracer(scope)} }

// Start implements gqlcache.Tracer.
func (t tracer) Start(ctx context.Context, s gqlcache.Span) (context.Context, func(gqlcache.SpanEnd)) {
	ctx, span := t.Tracer.Start(ctx, metrics.Stem+"."+string(s.Kind), trace.WithSpanKind(trace.SpanKindInternal))
	if s.Operation != "" {
		span.SetAttributes(AttributeOperation.String(s.Operation))
	}
	if s.Type != "" {
		span.SetAttributes(AttributeType.String(s.Type))
	}
	return ctx, func(e gqlcache.SpanEnd) {
		span.SetAttributes(AttributeOutcome.String(string(e.Outcome)))
		if e.Reason != "" {
			span.SetAttributes(AttributeReason.String(string(e.Reason)))
		}
		if e.Outcome == gqlcache.OutcomePending {
			span.SetStatus(codes.Error, "the log has not taken the change")
		}
		span.End()
	}
}
