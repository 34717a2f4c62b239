package probe_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/cascadeql/cascadeql/cascade"
	"github.com/cascadeql/cascadeql/gqlcache/internal/hostile"
	"github.com/cascadeql/cascadeql/gqlcache/internal/probe"
	"github.com/cascadeql/cascadeql/gqlcache/internal/testgraph"
)

// reading is an extension that reads which rows answers show.
type reading struct {
	prober *probe.Prober
	schema *ast.Schema
	plan   *cascade.Plan
	fails  error
	keys   []string // of the last answer
	probed bool     // something was read beside it
}

func (*reading) ExtensionName() string { return "reading" }

func (r *reading) Validate(es graphql.ExecutableSchema) (err error) {
	r.prober.Serves(es)
	r.schema = es.Schema()
	r.plan, err = cascade.Compile(r.schema, cascade.Options{})
	return err
}

func (r *reading) InterceptResponse(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
	oc := graphql.GetOperationContext(ctx)
	op, err := r.plan.Operation(oc.Doc, oc.Operation)
	if err != nil {
		r.fails = err
		return next(ctx)
	}
	rec := r.prober.Record(oc, r.prober.Plan(op.Extract, r.schema, func(string) bool { return false }), true)
	resp := next(ctx)
	res, err := rec.Read(ctx, op.Extract, resp)
	if r.keys, r.fails, r.probed = nil, err, rec != nil; err == nil {
		for _, o := range res.Objects {
			if o.Key != nil {
				r.keys = append(r.keys, string(o.Key))
			}
		}
	}
	return resp
}

func newReading(distrusted func(context.Context, string)) *reading {
	return &reading{prober: probe.New(probe.Config{Timeout: time.Second, Distrusted: distrusted})}
}

// ask sends a document and compares the answer with a plain server's.
func ask(t *testing.T, rows *testgraph.Store, r *reading, exts ...graphql.HandlerExtension) func(document string) {
	t.Helper()
	with, without := testgraph.NewServer(rows, append(exts, r)...), testgraph.NewServer(rows, exts...)
	return func(document string) {
		t.Helper()
		got, want := testgraph.Do(t, t.Context(), with, testgraph.Request{Query: document}), testgraph.Do(t, t.Context(), without, testgraph.Request{Query: document})
		if got.Body != want.Body {
			t.Errorf("%s: %s, want %s", document, got.Body, want.Body)
		}
		if r.fails != nil {
			t.Errorf("%s: %v", document, r.fails)
		}
	}
}

// TestKeysThatNobodySelected: the rows are known, whatever is selected of them.
func TestKeysThatNobodySelected(t *testing.T) {
	t.Parallel()
	r := newReading(nil)
	do := ask(t, testgraph.NewStore(), r)
	read := func(document string) string {
		do(document)
		return strings.Join(r.keys, " ")
	}
	if got := read(`{users{id}}`); got == "" || r.probed {
		t.Errorf("keys in the answer: %q, probed: %t", got, r.probed)
	}
	want := read(`{users{id name}}`)
	for _, document := range []string{`{users{name}}`, `{a:users{n:name}}`, `{users{...on User{name}}}`, `query($no:Boolean=false){users{name id@include(if:$no)}}`} {
		if got := read(document); got != want || !r.probed {
			t.Errorf("%s: %q, want %q; probed: %t", document, got, want, r.probed)
		}
	}
	if got := read(`{a:users{name} userCount b:users{name}}`); got != want+" "+want {
		t.Errorf("two root fields: %q, want %q twice", got, want)
	}
}

// translating is an interceptor of fields by which ids are shown under other texts.
type translating struct{}

func (translating) ExtensionName() string                   { return "translating" }
func (translating) Validate(graphql.ExecutableSchema) error { return nil }

func (translating) InterceptField(ctx context.Context, next graphql.Resolver) (any, error) {
	v, err := next(ctx)
	if id, ok := v.(string); ok && graphql.GetFieldContext(ctx).Field.Alias == "id" {
		return "shown-" + id, err
	}
	return v, err
}

// TestTypesAreDistrustedOnce: when a type's rows turn out to be shown under other keys
// than their Go values have, only keys in answers count.
func TestTypesAreDistrustedOnce(t *testing.T) {
	t.Parallel()
	var types []string
	r := newReading(func(_ context.Context, typ string) { types = append(types, typ) })
	do := ask(t, testgraph.NewStore(), r, translating{})
	do(`{users{name}}`)
	if len(r.keys) == 0 || len(types) > 0 {
		t.Fatalf("before: keys %q, distrusted %q", r.keys, types)
	}
	for range 2 {
		do(`{a:users{id} b:users{name}}`)
		for _, key := range r.keys {
			if !strings.HasPrefix(key, "shown-") {
				t.Errorf("a key of a Go value counts: %q", key)
			}
		}
		if len(r.keys) == 0 {
			t.Error("the keys of the answer are lost")
		}
		if do(`{users{name}}`); len(r.keys) > 0 {
			t.Errorf("afterwards: %q", r.keys)
		}
	}
	if len(types) != 1 || types[0] != "User" {
		t.Errorf("distrusted: %q", types)
	}
}

// outer is an executable schema around another one.
type outer struct{ graphql.ExecutableSchema }

// unmeasured is graphql.ExecutableSchema. A schema by hand embeds none of it, for the
// method Complexity: nothing calls that, and its arguments depend on the version of
// gqlgen.
type unmeasured = graphql.ExecutableSchema

// handmade is one that gqlgen has not generated.
type handmade struct {
	unmeasured

	es graphql.ExecutableSchema
}

func (h handmade) Schema() *ast.Schema                              { return h.es.Schema() }
func (h handmade) Exec(ctx context.Context) graphql.ResponseHandler { return h.es.Exec(ctx) }

// TestServersOfOneCache: what is read beside an operation depends on the code of all
// servers.
func TestServersOfOneCache(t *testing.T) {
	t.Parallel()
	es := testgraph.Executable(testgraph.NewStore())
	plan, err := cascade.Compile(es.Schema(), cascade.Options{})
	if err != nil {
		t.Fatal(err)
	}
	doc := gqlparser.MustLoadQuery(es.Schema(), `{users{name}}`)
	op, err := plan.Operation(doc, doc.Operations[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		name    string
		servers []graphql.ExecutableSchema
		want    bool
	}{
		{"none", nil, false},
		{"one", []graphql.ExecutableSchema{es}, true},
		{"one that is embedded", []graphql.ExecutableSchema{outer{es}, &outer{es}}, true},
		{"two with the same code", []graphql.ExecutableSchema{es, testgraph.Executable(testgraph.NewStore())}, true},
		{"one by hand", []graphql.ExecutableSchema{handmade{es: es}}, false},
		{"one by hand among others", []graphql.ExecutableSchema{es, handmade{es: es}, es}, false},
		{"two with different code", []graphql.ExecutableSchema{es, hostile.Executable(hostile.NewWorld())}, false},
	} {
		p := probe.New(probe.Config{})
		for _, s := range row.servers {
			p.Serves(s)
		}
		got := p.Plan(op.Extract, es.Schema(), func(string) bool { return false })
		if (got != nil) != row.want || (got.Size() > 0) != row.want {
			t.Errorf("%s: %v, of size %d", row.name, got, got.Size())
		}
		if rec := p.Record(&graphql.OperationContext{}, got, true); (rec != nil) != row.want {
			t.Errorf("%s: %v", row.name, rec)
		}
	}
}
