package cacheotel_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/internal/testgraph"
	cacheotel "github.com/cascadeql/cascadeql/gqlcache/metrics/otel"
)

// summary is a span in a line: its name and the values of its attributes.
func summary(s sdktrace.ReadOnlySpan) string {
	line := strings.TrimPrefix(s.Name(), "gqlcache.")
	for _, kv := range s.Attributes() {
		line += " " + kv.Value.String()
	}
	return line
}

func TestTracer(t *testing.T) {
	t.Parallel()
	recorder := tracetest.NewSpanRecorder()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorder))
	cache, err := gqlcache.New(gqlcache.Options{
		Tracer: cacheotel.NewTracer(provider),
		Predicate: func(context.Context) (gqlcache.Predicate, error) {
			return gqlcache.Predicate{Text: "tenant = 'secret'"}, nil
		},
		SweepInterval: -1,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cache.Close() }()
	rows := testgraph.NewStore()
	var within string
	rows.On("Query.user", func(ctx context.Context) error {
		_, span := provider.Tracer("test").Start(ctx, "resolver")
		within = span.(sdktrace.ReadOnlySpan).Parent().SpanID().String()
		span.End()
		return nil
	})
	srv := testgraph.NewServer(rows, cache)
	ask := func(document string) { testgraph.Ask(t, srv, document, map[string]any{"id": testgraph.Ann}) }
	ask(`query One($id:ID!){user(id:$id){name}}`)
	ask(`query One($id:ID!){user(id:$id){name}}`)
	ask(`query Three{__typename}`)
	ask(`mutation Four($id:ID!){renameUser(id:$id,name:"x")}`)
	ask(`query Five{fails}`)
	if err := cache.Invalidate(t.Context(), gqlcache.View("v_user")); err != nil {
		t.Error(err)
	}

	var got []string
	for _, s := range recorder.Ended() {
		got = append(got, summary(s))
		if s.Status().Code != codes.Unset {
			t.Errorf("%s has the status %v", s.Name(), s.Status())
		}
		if s.Name() == "gqlcache.fill" && strings.Contains(summary(s), "One") && s.SpanContext().SpanID().String() != within {
			t.Error("the resolver's span is not within the fill")
		}
	}
	want := []string{
		"lookup One query miss", "resolver", "fill One query stored", "lookup One query hit", "lookup Three query bypass typename",
		"invalidate Four mutation invalidated", "lookup Five query miss", "fill Five query not_stored errors", "invalidate invalidated",
	}
	if !slices.Equal(got, want) {
		t.Errorf("spans %q\nwant  %q", got, want)
	}
	if all := fmt.Sprint(recorder.Ended()); strings.Contains(all, "secret") || strings.Contains(strings.Join(got, " "), testgraph.Ann) {
		t.Error("a span tells a predicate or an id")
	}
}

// TestPending: a change that the log has not taken is an error in the trace.
func TestPending(t *testing.T) {
	t.Parallel()
	recorder := tracetest.NewSpanRecorder()
	tracer := cacheotel.NewTracer(sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorder)))
	_, end := tracer.Start(t.Context(), gqlcache.Span{Kind: gqlcache.SpanInvalidate})
	end(gqlcache.SpanEnd{Outcome: gqlcache.OutcomePending})
	if s := recorder.Ended()[0]; s.Status().Code != codes.Error || summary(s) != "invalidate pending" {
		t.Errorf("%s, %v", summary(s), s.Status())
	}
}
