package compat_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	ftv1 "github.com/99designs/gqlgen/graphql/handler/apollofederatedtracingv1"
	"github.com/99designs/gqlgen/graphql/handler/apollofederatedtracingv1/generated"
	"github.com/99designs/gqlgen/graphql/handler/apollotracing"
	"github.com/cascadeql/cascadeql/compat/internal/twin"
	"github.com/ravilushqa/otelgqlgen"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"google.golang.org/protobuf/proto"
)

// traced are requests for tracers, in the order in which they are sent.
var traced = []twin.Request{
	q(`{ item(id: 1) { name } }`),
	q(`{ item(id: 1) { name } }`),
	q(`query Named { items { name owner { name } parts { name item { name } } } }`),
	q(`mutation { updateItem(id: 1, input: {name: "new"}) { name } }`),
	q(`mutation { addPartVia(itemId: 1, name: "p") { name } }`),
	q(`mutation { createItem(name: "x", price: 100) { name } }`),
	q(`{ item(id: 1) { name } perhaps(how: ERROR) }`),
	q(`{ item(id: 1) { name } perhaps(how: PANIC) }`),
	q(`{ nonsense }`),
}

// split takes the extensions off an answer.
func split(t *testing.T, body string) (rest string, ext map[string]json.RawMessage) {
	t.Helper()
	var all map[string]json.RawMessage
	if err := json.Unmarshal([]byte(body), &all); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	if all["extensions"] != nil {
		if err := json.Unmarshal(all["extensions"], &ext); err != nil {
			t.Fatal(err)
		}
	}
	return string(all["errors"]) + string(all["data"]), ext
}

// compare sends the requests to both servers. What the tracer says of an answer that was computed must be equal.
func compare(t *testing.T, w *world, header map[string]string, trace func(ext map[string]json.RawMessage) []string) {
	t.Helper()
	told := 0
	for _, r := range traced {
		r.Header = header
		plain := w.ask(t.Context(), w.Plain, r)
		cached := w.ask(t.Context(), w.Cached, r)
		want, wantExt := split(t, plain.Body)
		got, gotExt := split(t, cached.Body)
		if got != want || plain.Status != cached.Status {
			t.Errorf("%s\nwith the cache %d %s\nwithout %d %s", r.Query, cached.Status, got, plain.Status, want)
		}
		if len(cached.Fields) == 0 {
			continue // a hit: nothing was resolved
		}
		told += len(trace(wantExt))
		if got, want := trace(gotExt), trace(wantExt); !slices.Equal(got, want) {
			t.Errorf("%s\nthe trace is, with the cache,\n%s\nwithout\n%s", r.Query, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
	if told < 20 {
		t.Errorf("the traces have only %d fields", told)
	}
}

// TestApolloTracing: the resolvers that are told are the client's.
func TestApolloTracing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, netHTTP, setup{before: func(s *site) { s.use(apollotracing.Tracer{}) }})
	compare(t, w, nil, func(ext map[string]json.RawMessage) []string {
		var tracing struct {
			Execution struct {
				Resolvers []struct {
					Path                              []any
					ParentType, FieldName, ReturnType string
				}
			}
		}
		if ext["tracing"] != nil {
			if err := json.Unmarshal(ext["tracing"], &tracing); err != nil {
				t.Fatal(err)
			}
		}
		var out []string
		for _, r := range tracing.Execution.Resolvers {
			out = append(out, fmt.Sprint(r))
		}
		slices.Sort(out)
		return out
	})
}

// TestFederatedTracing: the tree of a gateway's trace has the client's fields.
func TestFederatedTracing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, netHTTP, setup{before: func(s *site) { s.use(&ftv1.Tracer{}) }})
	compare(t, w, map[string]string{"apollo-federation-include-trace": "ftv1"}, func(ext map[string]json.RawMessage) []string {
		var text string
		if ext["ftv1"] == nil {
			return nil
		}
		if err := json.Unmarshal(ext["ftv1"], &text); err != nil {
			t.Fatal(err)
		}
		b, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		var trace generated.Trace
		if err := proto.Unmarshal(b, &trace); err != nil {
			t.Fatal(err)
		}
		var out []string
		var walk func(path string, n *generated.Trace_Node)
		walk = func(path string, n *generated.Trace_Node) {
			if n == nil {
				return
			}
			path += fmt.Sprintf("/%s%d", n.GetResponseName(), n.GetIndex())
			out = append(out, fmt.Sprintf("%s %s %s %s %d", path, n.GetOriginalFieldName(), n.GetParentType(), n.GetType(), len(n.GetError())))
			for _, c := range n.GetChild() {
				walk(path, c)
			}
		}
		walk("", trace.GetRoot())
		slices.Sort(out)
		return out
	})
	w.Same(q(`{ item(id: 2) { name } }`)) // who does not ask for a trace gets none
	w.Same(q(`{ item(id: 2) { name } }`))
}

// TestOpenTelemetry: the spans of an answer that was computed are the server's, below the caller's span.
func TestOpenTelemetry(t *testing.T) {
	t.Parallel()
	recorders := map[*site]*tracetest.SpanRecorder{}
	w := newWorld(t, netHTTP, setup{before: func(s *site) {
		recorders[s] = tracetest.NewSpanRecorder()
		provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorders[s]))
		s.use(otelgqlgen.Middleware(otelgqlgen.WithTracerProvider(provider)))
	}})
	seen := map[*site]int{}
	spans := func(s *site) []string {
		ended := recorders[s].Ended()
		news := ended[seen[s]:]
		seen[s] = len(ended)
		names := map[string]string{}
		for _, span := range news {
			names[span.SpanContext().SpanID().String()] = span.Name()
		}
		var out []string
		for _, span := range news {
			out = append(out, names[span.Parent().SpanID().String()]+" > "+span.Name()+fmt.Sprint(span.Status().Code, len(span.Events())))
		}
		slices.Sort(out)
		return out
	}
	told := 0
	for _, r := range traced {
		plain, cached := w.ask(t.Context(), w.Plain, r), w.ask(t.Context(), w.Cached, r)
		if plain.String() != cached.String() {
			t.Errorf("%s\nwith the cache\n%s\nwithout\n%s", r.Query, cached, plain)
		}
		got, want := spans(w.cached), spans(w.plain)
		told += len(want)
		if cached.Status == http.StatusOK && len(cached.Fields) == 0 {
			continue
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s\nspans, with the cache\n%s\nwithout\n%s", r.Query, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
	if told < 20 {
		t.Errorf("there are only %d spans", told)
	}
}
