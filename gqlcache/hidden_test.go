package gqlcache_test

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/internal/hostile"
	"github.com/cascadeql/cascadeql/gqlcache/internal/testgraph"
	"github.com/vektah/gqlparser/v2/ast"
)

// A hostileRig is the hostile server with the cache and without, over worlds with the
// same history.
type hostileRig struct {
	t             *testing.T
	cache         *gqlcache.Cache
	cached, plain http.Handler
	world, twin   *hostile.World
}

func newHostileRig(t *testing.T, before ...graphql.HandlerExtension) *hostileRig {
	t.Helper()
	r := &hostileRig{t: t, cache: newCache(t, gqlcache.Options{Callers: gqlcache.AllSeeTheSame, DirectivesCovered: []string{"guarded", "audited"}}), world: hostile.NewWorld(), twin: hostile.NewWorld()}
	r.cached = hostile.Serve(r.world, append(append([]graphql.HandlerExtension{}, before...), r.cache)...)
	r.plain = hostile.Serve(r.twin, before...)
	return r
}

// noticed is what a server of this kind can notice of an operation.
type noticed struct {
	calls     map[string]int
	marshaled int64
	asked     int64
}

func notice(w *hostile.World, ask func()) noticed {
	before, m, a := w.Calls(), hostile.Marshaled.Load(), hostile.Asked.Load()
	ask()
	n := noticed{calls: map[string]int{}, marshaled: hostile.Marshaled.Load() - m, asked: hostile.Asked.Load() - a}
	for name, calls := range w.Calls() {
		if calls > before[name] {
			n.calls[name] = calls - before[name]
		}
	}
	return n
}

// do sends a document to both servers, compares the bytes and what they noticed, as far
// as the cache did not answer itself, and tells what it did.
func (r *hostileRig) do(document string, extra map[string]int) string {
	r.t.Helper()
	var got, want testgraph.Response
	before := r.cache.Stats()
	with := notice(r.world, func() { got = testgraph.Do(r.t, r.t.Context(), r.cached, testgraph.Request{Query: document}) })
	status := outcome(before, r.cache.Stats())
	without := notice(r.twin, func() { want = testgraph.Do(r.t, r.t.Context(), r.plain, testgraph.Request{Query: document}) })
	if got.Body != want.Body || got.Status != want.Status {
		r.t.Errorf("%s\n   cached: %d %s\n uncached: %d %s", document, got.Status, got.Body, want.Status, want.Body)
	}
	maps.Copy(without.calls, extra)
	if status != "HIT" && !reflect.DeepEqual(with, without) {
		r.t.Errorf("%s\n   with: %+v\nwithout: %+v", document, with, without)
	}
	return status
}

// TestHiddenFieldsCannotBeNoticed: whatever Go values, marshalers, methods, directives,
// resolvers and middlewares a server has, an operation answers and does the same with the
// cache. The marshalers count for all servers, so this test does not run in parallel.
func TestHiddenFieldsCannotBeNoticed(t *testing.T) { //nolint:paralleltest // see above
	for _, row := range []struct {
		document, again string
		extra           map[string]int
	}{
		{document: `{ghost{text}}`, again: "HIT"},
		{document: `{vault{text}}`, again: "HIT"},
		{document: `{safe{text}}`, again: "MISS errors"},
		{document: `{relay{text}}`, again: "HIT"},
		{document: `{relay{id text}}`, again: "HIT"},
		{document: `{doc(nil:true){text}}`, again: "HIT"},
		{document: `{doc(nil:false){text}}`, again: "HIT"},
		{document: `{sealed{text}}`, again: "HIT"},
		{document: `{sealed{text inner{name}}}`, again: "HIT"},
		{document: `{sealed{id}}`, again: "MISS errors"},
		{document: `{tagged{text}}`, again: "HIT"},
		{document: `{anys{__typename ... on Item{name} ... on Vault{text} ... on Ghost{text}}}`, again: "HIT"},
		{document: `{nodes{__typename}}`, again: "HIT"},
		{document: `{nodes{... on Item{name}}}`, again: "HIT"},
		{document: `{audited{name}}`, again: "HIT"},
		{document: `{shy{name}}`, again: "HIT"},
		{document: `{shy{name id}}`, again: "MISS errors"},
		{document: `{items{name code stamp color due loaded owner{name} maker{name}}}`, again: "HIT"},
		{document: `{items{id owner{name}} again: items{name}}`, again: "HIT"},
		{document: `mutation{createDefault(name:"x"){name}}`},
		{document: `mutation{createDefault(name:"x"){name due}}`},
		{document: `mutation{createNil(name:"x"){name}}`},
		{document: `mutation{createCode(code:"c-panic"){name}}`},
		{document: `mutation{createCode(code:"c-null"){name}}`},
		{document: `mutation{createCode(code:"panic"){name}}`},
		{document: `mutation{createCode(code:"null"){name}}`},
		{document: `mutation{createOwned(name:"x"){name}}`},
		{document: `mutation{addPart(name:"x"){name loaded}}`},
		{document: `mutation{addPart(name:"x"){name loaded item{name}}}`},
		{document: `mutation{addVia(name:"x"){name loaded}}`, extra: map[string]int{"Part.item": 1, "field Part.item": 1}},
		{document: `mutation{addOwned(name:"x"){name}}`},
		{document: `mutation{addOwned(name:"x"){name owners{name}}}`},
		{document: `mutation{addGuarded(name:"x"){name}}`},
		{document: `mutation{a: createDefault(name:"x"){name} b: createOwned(name:"y"){name}}`},
	} {
		t.Run(row.document, func(t *testing.T) { //nolint:paralleltest // see above
			r := newHostileRig(t)
			first := r.do(row.document, row.extra)
			if strings.HasPrefix(row.document, "{") && !strings.HasPrefix(first, "MISS") {
				t.Errorf("first %q", first)
			}
			if again := r.do(row.document, row.extra); again != row.again {
				t.Errorf("again %q, want %q", again, row.again)
			}
		})
	}
}

// TestHiddenKeysAreRight: what the cache learns about rows that clients do not name is
// what clients would see.
func TestHiddenKeysAreRight(t *testing.T) { //nolint:paralleltest // marshalers count
	for _, row := range []struct {
		name  string
		steps []string // "STATUS: document"
	}{
		{"a value that is not there yet", []string{
			`MISS: {byDue(due:"2026-01-02T03:04:05Z"){name}}`, `: mutation{createDefault(name:"x"){name}}`, `MISS: {byDue(due:"2026-01-02T03:04:05Z"){name}}`}},
		{"a value behind a marshaler", []string{
			`MISS: {byCode(code:"c-z"){name}}`, `MISS: {byStamp(stamp:"1"){name}}`, `: mutation{createCode(code:"z"){name}}`,
			`MISS: {byCode(code:"c-z"){name}}`, `MISS: {byStamp(stamp:"1"){name}}`}},
		{"an enum", []string{
			`MISS: {byColor(color:GREEN){name}}`, `MISS: {byColor(color:RED){name}}`, `: mutation{createOwned(name:"x"){name}}`,
			`MISS: {byColor(color:GREEN){name}}`, keptHere() + `: {byColor(color:RED){name}}`}},
		{"a path through plain objects", []string{
			`MISS: {byOwner(owner:"9"){name}}`, `MISS: {byOwner(owner:"5"){name}}`, `: mutation{createOwned(name:"x"){name}}`,
			`MISS: {byOwner(owner:"9"){name}}`, keptHere() + `: {byOwner(owner:"5"){name}}`}},
		{"a path through a plain object that is not there", []string{
			`MISS: {byOwner(owner:"9"){name}}`, `: mutation{createDefault(name:"x"){name}}`, `MISS: {byOwner(owner:"9"){name}}`}},
		{"a path through a resolver", []string{
			`MISS: {partsOf(item:"1"){name}}`, `MISS: {partsOf(item:"5"){name}}`, `: mutation{addPart(name:"x"){name}}`,
			`MISS: {partsOf(item:"1"){name}}`, `MISS: {partsOf(item:"5"){name}}`}},
		{"a path through a resolver that the owner allows", []string{
			`MISS: {partsOf(item:"1"){name}}`, `MISS: {partsOf(item:"5"){name}}`, `: mutation{addVia(name:"x"){name}}`,
			`MISS: {partsOf(item:"1"){name}}`, `HIT: {partsOf(item:"5"){name}}`}},
		{"a path through a resolver that the client has selected", []string{
			`MISS: {partsOf(item:"1"){name}}`, `MISS: {partsOf(item:"5"){name}}`, `: mutation{addPart(name:"x"){item{name}}}`,
			`MISS: {partsOf(item:"1"){name}}`, `HIT: {partsOf(item:"5"){name}}`, `: mutation{addVia(name:"x"){item{id} ...f}} fragment f on Part{item{name}}`,
			`MISS: {partsOf(item:"1"){name}}`, `HIT: {partsOf(item:"5"){name}}`}},
		{"a path through a resolver that the client has selected by another name", []string{
			`MISS: {partsOf(item:"1"){name}}`, `MISS: {partsOf(item:"5"){name}}`, `: mutation{addVia(name:"x"){it: item{name}}}`,
			`MISS: {partsOf(item:"1"){name}}`, `HIT: {partsOf(item:"5"){name}}`, `: mutation{addPart(name:"x"){it: item{name}}}`,
			`MISS: {partsOf(item:"1"){name}}`, `MISS: {partsOf(item:"5"){name}}`}},
		{"rows without a key that can be read", []string{
			`MISS: {ghost{text}}`, `MISS: {vault{text}}`, `MISS: {relay{text}}`, `MISS: {sealed{text}}`, `MISS: {tagged{text}}`, `MISS: {doc(nil:true){text}}`,
			`: mutation{touchAll}`,
			`MISS: {ghost{text}}`, `MISS: {vault{text}}`, `MISS: {relay{text}}`, `MISS: {sealed{text}}`, `MISS: {tagged{text}}`, `MISS: {doc(nil:true){text}}`}},
	} {
		t.Run(row.name, func(t *testing.T) { //nolint:paralleltest // see above
			r := newHostileRig(t)
			for i, step := range row.steps {
				want, document, _ := strings.Cut(step, ": ")
				extra := map[string]int{}
				switch {
				case strings.Contains(document, "addVia(name:\"x\"){name"):
					extra = map[string]int{"Part.item": 1, "field Part.item": 1}
				case strings.Contains(document, "addVia(name:\"x\"){it:"):
					extra = map[string]int{"Part.item": 2, "field Part.item": 2} // one of them the client's own
				}
				if got := r.do(document, extra); got != want {
					t.Errorf("step %d, %s: %q, want %q", i, document, got, want)
				}
			}
		})
	}
}

// A watcher remembers what an operation looks like to an extension.
type watcher struct {
	named
	mu  sync.Mutex
	saw []string
	oc  *graphql.OperationContext
}

func (w *watcher) note(ctx context.Context, where string) {
	oc := graphql.GetOperationContext(ctx)
	line := fmt.Sprintf("%s: same context %v", where, oc == w.oc)
	line += fmt.Sprintf(", operation %v, document %v", selectedNames(oc, oc.Operation.SelectionSet), len(oc.Doc.Operations))
	if fc := graphql.GetFieldContext(ctx); fc != nil && fc.Field.Field != nil {
		line += fmt.Sprintf(", field %s %v", fc.Field.Alias, selectedNames(oc, fc.Field.Selections))
		line += fmt.Sprintf(", node %d, parent %v", len(fc.Field.SelectionSet), fc.Parent != nil)
	}
	if rc := graphql.GetRootFieldContext(ctx); rc != nil {
		line += fmt.Sprintf(", root %v", selectedNames(oc, rc.Field.Selections))
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.saw = append(w.saw, line)
}

func selectedNames(oc *graphql.OperationContext, set []ast.Selection) (out []string) {
	for _, f := range graphql.CollectFields(oc, set, nil) {
		out = append(out, f.Alias+":"+f.Name)
		if f.Field.Definition == nil || strings.HasPrefix(f.Alias, "__c") {
			out = append(out, "HIDDEN")
		}
		out = append(out, selectedNames(oc, f.Selections)...)
	}
	return out
}

func (w *watcher) InterceptOperation(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
	w.oc = graphql.GetOperationContext(ctx)
	w.note(ctx, "operation")
	return next(ctx)
}

func (w *watcher) InterceptResponse(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
	w.note(ctx, "response")
	resp := next(ctx)
	w.note(ctx, "answered")
	return resp
}

func (w *watcher) InterceptRootField(ctx context.Context, next graphql.RootResolver) graphql.Marshaler {
	w.note(ctx, "root")
	return next(ctx)
}

func (w *watcher) InterceptField(ctx context.Context, next graphql.Resolver) (any, error) {
	w.note(ctx, "field")
	return next(ctx)
}

// TestOperationIsTheClients: extensions, middlewares and resolvers see the operation that
// the client sent, and the very context of it, while it runs and afterwards.
func TestOperationIsTheClients(t *testing.T) { //nolint:paralleltest // marshalers count
	for _, document := range []string{
		`{shy{name owner{name}}}`, `{items{...F}} fragment F on Item{name owner{...G}} fragment G on Owner{name}`,
		`{nodes{...on Item{name}}}`, `mutation{addGuarded(name:"x"){name loaded}}`, `mutation{createOwned(name:"x"){name}}`,
	} {
		var saw [2][]string
		for i := range saw {
			w, world := &watcher{named: "watcher"}, hostile.NewWorld()
			world.AskedBy = func(ctx context.Context) { w.note(ctx, "resolver") }
			exts := []graphql.HandlerExtension{w}
			if i == 1 {
				exts = append(exts, newCache(t, gqlcache.Options{Callers: gqlcache.AllSeeTheSame}))
			}
			testgraph.Do(t, t.Context(), hostile.Serve(world, exts...), testgraph.Request{Query: document})
			saw[i] = w.saw
		}
		if !reflect.DeepEqual(saw[0], saw[1]) {
			t.Errorf("%s\nwithout: %s\n   with: %s", document, strings.Join(saw[0], "\n\t"), strings.Join(saw[1], "\n\t"))
		}
	}
}

// handmade is an executable schema around gqlgen's that counts.
type handmade struct {
	graphql.ExecutableSchema
	executed *int
}

func (h handmade) Exec(ctx context.Context) graphql.ResponseHandler {
	*h.executed++
	return h.ExecutableSchema.Exec(ctx)
}

// unmeasured is graphql.ExecutableSchema. A schema by hand embeds none of it, for the
// method Complexity: nothing calls that, and its arguments depend on the version of
// gqlgen.
type unmeasured = graphql.ExecutableSchema

// opaque hides gqlgen's schema altogether.
type opaque struct {
	unmeasured

	handmade handmade
}

func (o opaque) Schema() *ast.Schema                              { return o.handmade.Schema() }
func (o opaque) Exec(ctx context.Context) graphql.ResponseHandler { return o.handmade.Exec(ctx) }

// TestForeignSchemasAreExecutedOnce: what is around gqlgen's code does not see the
// cache's execution, and where that code is not found there is none.
func TestForeignSchemasAreExecutedOnce(t *testing.T) { //nolint:paralleltest // marshalers count
	for name, wrap := range map[string]func(graphql.ExecutableSchema, *int) graphql.ExecutableSchema{
		"embedded": func(es graphql.ExecutableSchema, n *int) graphql.ExecutableSchema { return handmade{es, n} },
		"pointer":  func(es graphql.ExecutableSchema, n *int) graphql.ExecutableSchema { return &handmade{es, n} },
		"opaque": func(es graphql.ExecutableSchema, n *int) graphql.ExecutableSchema {
			return opaque{handmade: handmade{es, n}}
		},
	} {
		world, executed := hostile.NewWorld(), 0
		cache := newCache(t, gqlcache.Options{Callers: gqlcache.AllSeeTheSame})
		srv := hostile.ServeSchema(wrap(hostile.Executable(world), &executed), world, cache)
		ask := func(document string) string {
			before := cache.Stats()
			testgraph.Do(t, t.Context(), srv, testgraph.Request{Query: document})
			return outcome(before, cache.Stats())
		}
		got := []string{ask(`{byColor(color:RED){name}}`), ask(`mutation{createOwned(name:"x"){name}}`), ask(`{byColor(color:RED){name}}`)}
		want := []string{"MISS", "", keptHere()}
		if name == "opaque" {
			want[2] = "MISS" // the row's color is not known
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
		// A hit's execution has been begun as well: gqlgen's is lazy.
		if executed != 3 {
			t.Errorf("%s: executed %d times", name, executed)
		}
	}
}

// TestTranslatedKeys: a middleware that shows other keys than the Go values is found out,
// and then keys that clients do not select are unknown.
func TestTranslatedKeys(t *testing.T) { //nolint:paralleltest // marshalers count
	world := hostile.NewWorld()
	cache := newCache(t, gqlcache.Options{Callers: gqlcache.AllSeeTheSame})
	srv := hostile.Serve(world)
	srv.AroundFields(func(ctx context.Context, next graphql.Resolver) (any, error) {
		res, err := next(ctx)
		if fc := graphql.GetFieldContext(ctx); err == nil && fc.Object == "Owner" && fc.Field.Name == "id" {
			return res.(int) + 100, nil
		}
		return res, err
	})
	srv.Use(cache)
	ask := func(document string) string {
		before := cache.Stats()
		testgraph.Do(t, t.Context(), srv, testgraph.Request{Query: document})
		return outcome(before, cache.Stats())
	}
	touch := func() {
		if err := cache.Invalidate(t.Context(), gqlcache.Entity("Owner", "107")); err != nil {
			t.Fatal(err)
		}
	}
	const hidden, shown = `{items{owner{name}}}`, `{items{name owner{id}}}`
	var got []string
	got = append(got, ask(hidden), ask(shown), ask(hidden))
	touch()
	got = append(got, ask(hidden), ask(shown))
	if want := []string{"MISS", "MISS invalidated", "MISS", "MISS", "MISS"}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestSharedCachesRunNobodysResolvers: a cache that two servers have does not know whose
// resolvers a path leads through, so none of them runs; what plain fields tell is known
// all the same.
func TestSharedCachesRunNobodysResolvers(t *testing.T) { //nolint:paralleltest // marshalers count
	cache := newCache(t, gqlcache.Options{Callers: gqlcache.AllSeeTheSame})
	worlds := []*hostile.World{hostile.NewWorld(), hostile.NewWorld()}
	var servers []http.Handler
	for _, w := range worlds {
		servers = append(servers, hostile.Serve(w, cache))
	}
	ask := func(document string) string {
		before := cache.Stats()
		testgraph.Do(t, t.Context(), servers[1], testgraph.Request{Query: document})
		return outcome(before, cache.Stats())
	}
	var got []string
	for _, document := range []string{
		`{byOwner(owner:"5"){name}}`, `{partsOf(item:"5"){name}}`, `mutation{addVia(name:"x"){name}}`, `mutation{createOwned(name:"x"){name}}`,
		`{byOwner(owner:"5"){name}}`, `{partsOf(item:"5"){name}}`,
	} {
		got = append(got, ask(document))
	}
	if want := []string{"MISS", "MISS", "", "", keptHere(), "MISS"}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	for i, w := range worlds {
		if n := w.Calls()["Part.item"]; n != 0 {
			t.Errorf("server %d: a resolver ran %d times", i, n)
		}
	}
}

// TestLateResolversDoNotMeetTheProbe: a middleware for root fields that gives up leaves
// its fields to a goroutine, which goes on while the cache reads what it has. Run with
// -race, and without: maps are not for that.
func TestLateResolversDoNotMeetTheProbe(t *testing.T) { //nolint:paralleltest // marshalers count
	world := hostile.NewWorld()
	cache := newCache(t, gqlcache.Options{Callers: gqlcache.AllSeeTheSame})
	srv := hostile.Serve(world)
	var late sync.WaitGroup
	begin := make(chan struct{})
	srv.AroundRootFields(func(ctx context.Context, next graphql.RootResolver) graphql.Marshaler {
		if graphql.GetRootFieldContext(ctx).Field.Alias != "late" {
			return next(ctx)
		}
		late.Go(func() {
			<-begin
			next(ctx)
		})
		return graphql.MarshalString("gave up")
	})
	srv.AroundFields(func(ctx context.Context, next graphql.Resolver) (any, error) {
		if graphql.GetFieldContext(ctx).Field.Name == "loaded" {
			close(begin)
		}
		return next(ctx)
	})
	srv.Use(cache)
	got := testgraph.Do(t, t.Context(), srv, testgraph.Request{Query: `{items{loaded owner{name}} late: items{name owner{name}}}`})
	late.Wait()
	if want := `{"data":{"items":[{"loaded":true,"owner":{"name":"seven"}}],"late":"gave up"}}`; got.Body != want {
		t.Errorf("got %s, want %s", got.Body, want)
	}
}
