package cascade

import (
	"reflect"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/cascadeql/cascadeql/extractor"
)

func TestPolicy(t *testing.T) {
	t.Parallel()
	const public = `@cacheControl(scope: PUBLIC)`
	rows := []struct {
		name, schema, query string
		want                Policy
	}{
		// Ages.
		{"no hint", `type Query { a: A } type A { n: Int }`, `{a{n}}`, Policy{MaxAge: -1, Default: true, PrivateBy: "Query.a"}},
		{"top-level scalar", `type Query { n: Int }`, `{n}`, Policy{MaxAge: -1, Default: true, PrivateBy: "Query.n"}},
		{"hint on scalar", `type Query { n: Int @cacheControl(maxAge: 7) }`, `{n}`, Policy{MaxAge: 7, LimitedBy: "Query.n", PrivateBy: "Query.n"}},
		{"hint on field", `type Query { a: A @cacheControl(maxAge: 60) } type A { n: Int }`, `{a{n}}`, Policy{MaxAge: 60, LimitedBy: "Query.a", PrivateBy: "Query.a"}},
		{"hint on type", `type Query { a: A } type A @cacheControl(maxAge: 50) { n: Int }`, `{a{n}}`, Policy{MaxAge: 50, LimitedBy: "A", PrivateBy: "Query.a"}},
		{"hint on type extension", `type Query { a: A } type A { n: Int } extend type A @cacheControl(maxAge: 50)`, `{a{n}}`, Policy{MaxAge: 50, LimitedBy: "A", PrivateBy: "Query.a"}},
		{"strictest of extensions", `type Query { a: A } type A @cacheControl(maxAge: 9) { n: Int } extend type A @cacheControl(maxAge: 5) extend type A @cacheControl(maxAge: 7)`, `{a{n}}`, Policy{MaxAge: 5, LimitedBy: "A", PrivateBy: "Query.a"}},
		{"zero on type", `type Query { a: A } type A @cacheControl(maxAge: 0) { n: Int }`, `{a{n}}`, Policy{MaxAge: 0, LimitedBy: "A", PrivateBy: "Query.a"}},
		{"field beats type", `type Query { a: A @cacheControl(maxAge: 99) } type A @cacheControl(maxAge: 50) { n: Int }`, `{a{n}}`, Policy{MaxAge: 99, LimitedBy: "Query.a", PrivateBy: "Query.a"}},
		{"field beats type, scope kept", `type Query { a: A @cacheControl(maxAge: 99) } type A @cacheControl(maxAge: 50, scope: PRIVATE) { n: Int }`, `{a{n}}`, Policy{MaxAge: 99, LimitedBy: "Query.a", PrivateBy: "Query.a"}},
		{"lowest first", `type Query { a: A @cacheControl(maxAge: 5) b: A @cacheControl(maxAge: 9) } type A { n: Int }`, `{a{n} b{n}}`, Policy{MaxAge: 5, LimitedBy: "Query.a", PrivateBy: "Query.a"}},
		{"lowest last", `type Query { a: A @cacheControl(maxAge: 5) b: A @cacheControl(maxAge: 9) } type A { n: Int }`, `{b{n} a{n}}`, Policy{MaxAge: 5, LimitedBy: "Query.a", PrivateBy: "Query.b"}},
		{"zero wins", `type Query { a: A @cacheControl(maxAge: 5) } type A { n: Int @cacheControl(maxAge: 0) }`, `{a{n}}`, Policy{MaxAge: 0, LimitedBy: "A.n", PrivateBy: "Query.a"}},
		{"leaf does not loosen", `type Query { a: A @cacheControl(maxAge: 5) } type A { n: Int @cacheControl(maxAge: 60) }`, `{a{n}}`, Policy{MaxAge: 5, LimitedBy: "Query.a", PrivateBy: "Query.a"}},
		{"inner object without hint", `type Query { a: A @cacheControl(maxAge: 5) } type A { b: A n: Int }`, `{a{b{n}}}`, Policy{MaxAge: 5, Default: true, LimitedBy: "Query.a", PrivateBy: "Query.a"}},
		{"inherit on field", `type Query { a: A @cacheControl(maxAge: 5) } type A { b: A @cacheControl(inheritMaxAge: true) n: Int }`, `{a{b{n}}}`, Policy{MaxAge: 5, LimitedBy: "Query.a", PrivateBy: "Query.a"}},
		{"inherit on type", `type Query { a: A @cacheControl(maxAge: 5) } type A @cacheControl(inheritMaxAge: true) { b: A n: Int }`, `{a{b{n}}}`, Policy{MaxAge: 5, LimitedBy: "Query.a", PrivateBy: "Query.a"}},
		{"inherit on field keeps the type's age", `type Query { a: A @cacheControl(maxAge: 9) } type A { b: B @cacheControl(inheritMaxAge: true) } type B @cacheControl(maxAge: 3) { n: Int }`, `{a{b{n}}}`, Policy{MaxAge: 3, LimitedBy: "B", PrivateBy: "Query.a"}},
		{"inherit at the root", `type Query { a: A @cacheControl(inheritMaxAge: true) } type A { n: Int }`, `{a{n}}`, Policy{MaxAge: -1, Default: true, PrivateBy: "Query.a"}},
		{"scalars inherit from grandparent", `type Query { a: A @cacheControl(maxAge: 5) } type A @cacheControl(inheritMaxAge: true) { b: A n: Int }`, `{a{b{b{n}}}}`, Policy{MaxAge: 5, LimitedBy: "Query.a", PrivateBy: "Query.a"}},
		{"list", `type Query { a: [A!]! } type A @cacheControl(maxAge: 5) { n: Int }`, `{a{n}}`, Policy{MaxAge: 5, LimitedBy: "A", PrivateBy: "Query.a"}},
		{"alias", `type Query { a: A @cacheControl(maxAge: 5) } type A { n: Int }`, `{x: a{y: n}}`, Policy{MaxAge: 5, LimitedBy: "Query.a", PrivateBy: "Query.a"}},
		{"root type restricts", `type Query @cacheControl(maxAge: 5) { a: A @cacheControl(maxAge: 9) } type A { n: Int }`, `{a{n}}`, Policy{MaxAge: 5, LimitedBy: "Query", PrivateBy: "Query.a"}},
		{"nothing but typename", `type Query { n: Int }`, `{__typename}`, Policy{MaxAge: -1, Public: true}},

		// Abstract types.
		{"interface's hint", `type Query { a: I } interface I @cacheControl(maxAge: 5) { n: Int } type A implements I { n: Int }`, `{a{n}}`, Policy{MaxAge: 5, LimitedBy: "I", PrivateBy: "Query.a"}},
		{"implementing type below interface", `type Query { a: I } interface I @cacheControl(maxAge: 9) { n: Int } type A implements I @cacheControl(maxAge: 3) { n: Int }`, `{a{n}}`, Policy{MaxAge: 3, LimitedBy: "A", PrivateBy: "Query.a"}},
		{"implementing type above interface", `type Query { a: I } interface I @cacheControl(maxAge: 3) { n: Int } type A implements I @cacheControl(maxAge: 9) { n: Int }`, `{a{n}}`, Policy{MaxAge: 3, LimitedBy: "I", PrivateBy: "Query.a"}},
		{"type through a field of interface type", `type Query { a: I @cacheControl(maxAge: 60) } interface I { n: Int } type A implements I @cacheControl(maxAge: 5) { n: Int }`, `{a{n}}`, Policy{MaxAge: 5, LimitedBy: "A", PrivateBy: "Query.a"}},
		{"type through a union", `type Query { a: U @cacheControl(maxAge: 60) } union U = A | B type A { n: Int } type B @cacheControl(maxAge: 5) { m: Int }`, `{a{...on A{n}}}`, Policy{MaxAge: 5, LimitedBy: "B", PrivateBy: "Query.a"}},
		{"union's hint", `type Query { a: U } union U @cacheControl(maxAge: 4) = A type A { n: Int }`, `{a{...on A{n}}}`, Policy{MaxAge: 4, LimitedBy: "U", PrivateBy: "Query.a"}},
		{"every type has an age", `type Query { a: U } union U = A | B type A @cacheControl(maxAge: 6) { n: Int } type B @cacheControl(maxAge: 5) { m: Int }`, `{a{__typename}}`, Policy{MaxAge: 5, LimitedBy: "B", PrivateBy: "Query.a"}},
		{"one type has none", `type Query { a: U } union U = A | B type A @cacheControl(maxAge: 6) { n: Int } type B { m: Int }`, `{a{__typename}}`, Policy{MaxAge: 6, Default: true, LimitedBy: "A", PrivateBy: "Query.a"}},
		{"age on the interface's field", `type Query { a: I @cacheControl(maxAge: 9) } interface I { n: Int @cacheControl(maxAge: 2) } type A implements I { n: Int }`, `{a{n}}`, Policy{MaxAge: 2, LimitedBy: "A.n", PrivateBy: "Query.a"}},
		{"own age over the interface's field", `type Query { a: I @cacheControl(maxAge: 9) } interface I { n: Int @cacheControl(maxAge: 2) } type A implements I { n: Int @cacheControl(maxAge: 4) }`, `{a{n}}`, Policy{MaxAge: 4, LimitedBy: "A.n", PrivateBy: "Query.a"}},

		// Scopes.
		{"public", `type Query { a: A ` + public + ` } type A ` + public + ` { n: Int }`, `{a{n __typename}}`, Policy{MaxAge: -1, Default: true, Public: true}},
		{"public leaf of its own", `type Query { a: A ` + public + ` } type A { n: Int ` + public + ` }`, `{a{n}}`, Policy{MaxAge: -1, Default: true, Public: true}},
		{"leaf says nothing", `type Query { a: A ` + public + ` } type A { n: Int }`, `{a{n}}`, Policy{MaxAge: -1, Default: true, PrivateBy: "A.n"}},
		{"field says nothing, type public", `type Query { a: A } type A ` + public + ` { n: Int }`, `{a{n}}`, Policy{MaxAge: -1, Default: true, PrivateBy: "Query.a"}},
		{"public root leaf", `type Query { n: Int ` + public + ` }`, `{n}`, Policy{MaxAge: -1, Default: true, Public: true}},
		{"root type public is not enough", `type Query ` + public + ` { n: Int }`, `{n}`, Policy{MaxAge: -1, Default: true, PrivateBy: "Query.n"}},
		{"private root type", `type Query @cacheControl(scope: PRIVATE) { n: Int ` + public + ` }`, `{n}`, Policy{MaxAge: -1, Default: true, PrivateBy: "Query"}},
		{"private field", `type Query { a: A ` + public + ` } type A ` + public + ` { n: Int m: Int @cacheControl(scope: PRIVATE) }`, `{a{n m}}`, Policy{MaxAge: -1, Default: true, PrivateBy: "A.m"}},
		{"private field not selected", `type Query { a: A ` + public + ` } type A ` + public + ` { n: Int m: Int @cacheControl(scope: PRIVATE) }`, `{a{n}}`, Policy{MaxAge: -1, Default: true, Public: true}},
		{"private type", `type Query { a: A ` + public + ` } type A @cacheControl(scope: PRIVATE) { n: Int ` + public + ` }`, `{a{n}}`, Policy{MaxAge: -1, Default: true, PrivateBy: "A"}},
		{"private type extension", `type Query { a: A ` + public + ` } type A ` + public + ` { n: Int } extend type A @cacheControl(scope: PRIVATE)`, `{a{n}}`, Policy{MaxAge: -1, Default: true, PrivateBy: "A"}},
		{"public type extension", `type Query { a: A ` + public + ` } type A @cacheControl(scope: PRIVATE) { n: Int } extend type A ` + public, `{a{n}}`, Policy{MaxAge: -1, Default: true, PrivateBy: "A"}},
		{"inner object says nothing", `type Query { a: A ` + public + ` } type A ` + public + ` { b: A n: Int }`, `{a{b{n}}}`, Policy{MaxAge: -1, Default: true, PrivateBy: "A.b"}},
		{"private type through an interface", `type Query { a: I @cacheControl(maxAge: 60, scope: PUBLIC) } interface I ` + public + ` { n: Int } type A implements I @cacheControl(scope: PRIVATE) { n: Int ` + public + ` }`, `{a{n}}`, Policy{MaxAge: 60, LimitedBy: "Query.a", PrivateBy: "A"}},
		{"private type through a union", `type Query { a: U ` + public + ` } union U ` + public + ` = A | B type A @cacheControl(scope: PRIVATE) { n: Int } type B ` + public + ` { n: Int }`, `{a{...on B{n}}}`, Policy{MaxAge: -1, Default: true, PrivateBy: "A"}},
		{"private union", `type Query { a: U ` + public + ` } union U @cacheControl(scope: PRIVATE) = B type B ` + public + ` { n: Int }`, `{a{...on B{n}}}`, Policy{MaxAge: -1, Default: true, PrivateBy: "U"}},
		{"private interface, concrete field", `type Query { a: A ` + public + ` } interface I @cacheControl(scope: PRIVATE) { n: Int } type A implements I ` + public + ` { n: Int }`, `{a{n}}`, Policy{MaxAge: -1, Default: true, PrivateBy: "A"}},
		{"private field of an interface", `type Query { a: A ` + public + ` } interface I { n: Int @cacheControl(scope: PRIVATE) } type A implements I ` + public + ` { n: Int ` + public + ` }`, `{a{n}}`, Policy{MaxAge: -1, Default: true, PrivateBy: "A.n"}},
		{"public field of an interface is no promise", `type Query { a: I ` + public + ` } interface I ` + public + ` { n: Int ` + public + ` } type A implements I { n: Int }`, `{a{n}}`, Policy{MaxAge: -1, Default: true, PrivateBy: "A.n"}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			p := mustCompile(t, row.schema, "", Options{})
			got := p.policy(selectionOf(t, p.schema, row.query))
			if got.SMaxAge != 0 || got.Stale != -1 || got.Vary != nil {
				t.Errorf("nothing is said beside maxAge and scope: %+v", got)
			}
			got.Stale, got.StaleDefault = 0, false
			if !reflect.DeepEqual(got, row.want) {
				t.Errorf("got  %+v\nwant %+v", got, row.want)
			}
		})
	}
}

// TestPolicyBesideApollo: what the arguments beside Apollo's say of an operation.
func TestPolicyBesideApollo(t *testing.T) {
	t.Parallel()
	type said struct {
		SMaxAge, Stale int
		StaleDefault   bool
		Vary           string
	}
	rows := []struct {
		name, schema, query string
		want                said
	}{
		{"nothing", `type Query { n: Int }`, `{n}`, said{0, -1, true, ""}},
		{"root leaf", `type Query { n: Int @cacheControl(sMaxAge: 9, staleWhileRevalidate: 8, vary: ["X-B", "x-a", "X-A"]) }`, `{n}`, said{9, 8, false, "x-a x-b"}},
		{"zero", `type Query { n: Int @cacheControl(sMaxAge: 0, staleWhileRevalidate: 0) }`, `{n}`, said{0, 0, false, ""}},
		{"one root field says nothing", `type Query { n: Int @cacheControl(sMaxAge: 9, staleWhileRevalidate: 8) m: Int }`, `{n m}`, said{0, 8, true, ""}},
		{"lowest", `type Query { n: Int @cacheControl(sMaxAge: 9, staleWhileRevalidate: 8) m: Int @cacheControl(sMaxAge: 4, staleWhileRevalidate: 12) }`, `{n m}`, said{4, 8, false, ""}},
		{"type", `type Query { a: A } type A @cacheControl(sMaxAge: 9, staleWhileRevalidate: 8, vary: "X-A") { n: Int }`, `{a{n}}`, said{9, 8, false, "x-a"}},
		{"field beats type, but for vary", `type Query { a: A @cacheControl(sMaxAge: 90, staleWhileRevalidate: 80, vary: "X-B") } type A @cacheControl(sMaxAge: 9, staleWhileRevalidate: 8, vary: "X-A") { n: Int }`, `{a{n}}`, said{90, 80, false, "x-a x-b"}},
		{"inner object says nothing", `type Query { a: A @cacheControl(sMaxAge: 9, staleWhileRevalidate: 8) } type A { b: A n: Int }`, `{a{b{n}}}`, said{0, 8, true, ""}},
		{"inner object inherits", `type Query { a: A @cacheControl(sMaxAge: 9, staleWhileRevalidate: 8) } type A { b: A @cacheControl(inheritMaxAge: true) n: Int }`, `{a{b{n}}}`, said{9, 8, false, ""}},
		{"leaf restricts", `type Query { a: A @cacheControl(sMaxAge: 9) } type A { n: Int @cacheControl(sMaxAge: 2, vary: "X-N") }`, `{a{n}}`, said{2, -1, true, "x-n"}},
		{"leaf not selected", `type Query { a: A @cacheControl(sMaxAge: 9) } type A { n: Int @cacheControl(sMaxAge: 2, vary: "X-N") m: Int }`, `{a{m}}`, said{9, -1, true, ""}},
		{"through an interface", `type Query { a: I @cacheControl(sMaxAge: 9) } interface I { n: Int } type A implements I @cacheControl(sMaxAge: 3, vary: "X-A") { n: Int }`, `{a{n}}`, said{3, -1, true, "x-a"}},
		{"interface's vary, concrete field", `type Query { a: A } interface I @cacheControl(vary: "X-I") { n: Int @cacheControl(vary: "X-N") } type A implements I { n: Int }`, `{a{n}}`, said{0, -1, true, "x-i x-n"}},
		{"union", `type Query { a: U } union U @cacheControl(vary: "X-U") = A type A @cacheControl(vary: "X-A") { n: Int }`, `{a{__typename}}`, said{0, -1, true, "x-a x-u"}},
		{"root type", `type Query @cacheControl(sMaxAge: 5, vary: "X-Q") { n: Int @cacheControl(sMaxAge: 9) }`, `{n}`, said{5, -1, true, "x-q"}},
		{"extensions", `type Query { a: A } type A @cacheControl(sMaxAge: 9, vary: "X-B") { n: Int } extend type A @cacheControl(sMaxAge: 5, vary: "X-A")`, `{a{n}}`, said{5, -1, true, "x-a x-b"}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			p := mustCompile(t, row.schema, "", Options{})
			got := p.policy(selectionOf(t, p.schema, row.query))
			if is := (said{got.SMaxAge, got.Stale, got.StaleDefault, strings.Join(got.Vary, " ")}); is != row.want {
				t.Errorf("got  %+v\nwant %+v", is, row.want)
			}
		})
	}
}

func TestHasPrivate(t *testing.T) {
	t.Parallel()
	rows := []struct {
		schema string
		want   bool
	}{
		{`type Query { a: Int }`, false},
		{`type Query { a: Int @cacheControl(scope: PUBLIC, maxAge: 1) }`, false},
		{`type Query { a: Int @cacheControl(scope: PRIVATE) }`, true},
		{`type Query { a: U } union U @cacheControl(scope: PRIVATE) = A type A { n: Int }`, true},
		{`type Query { a: Int } interface I { n: Int @cacheControl(scope: PRIVATE) }`, true},
	}
	for _, row := range rows {
		if got := mustCompile(t, row.schema, "", Options{}).HasPrivate(); got != row.want {
			t.Errorf("%s: got %v", row.schema, got)
		}
	}
}

func BenchmarkPolicy(b *testing.B) {
	p := mustCompile(b, faultBase, `extend type Query { f: [Post!]! @cacheControl(maxAge: 5) n: Node }`, Options{})
	root := selectionOf(b, p.schema, `{f{id title author{id name}} n{id}}`)
	b.ReportAllocs()
	for b.Loop() {
		p.policy(root)
	}
}

func BenchmarkCompile(b *testing.B) {
	schema := loadWith(b, SDL("")+CacheControlSDL(), faultBase, "")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Compile(schema, Options{}); err != nil {
			b.Fatal(err)
		}
	}
}

// selectionOf builds the tree of an operation's response positions.
func selectionOf(t testing.TB, schema *ast.Schema, query string) *extractor.Selection {
	t.Helper()
	doc, errs := gqlparser.LoadQuery(schema, query)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	return selectionOn(schema, schema.Query, nil, doc.Operations[0].SelectionSet)
}

func selectionOn(schema *ast.Schema, object *ast.Definition, field *extractor.Field, set ast.SelectionSet) *extractor.Selection {
	s := &extractor.Selection{Object: object, Field: field}
	var add func(ast.SelectionSet)
	add = func(set ast.SelectionSet) {
		for _, selection := range set {
			switch selection := selection.(type) {
			case *ast.InlineFragment:
				if selection.TypeCondition == object.Name {
					add(selection.SelectionSet)
				}
			case *ast.Field:
				definition := object.Fields.ForName(selection.Name)
				if definition == nil {
					definition = selection.Definition // __typename
				}
				f := &extractor.Field{Name: selection.Alias, Definition: definition, In: s}
				for _, possible := range schema.PossibleTypes[definition.Type.Name()] {
					f.On = append(f.On, selectionOn(schema, possible, f, selection.SelectionSet))
				}
				s.Fields = append(s.Fields, f)
			}
		}
	}
	add(set)
	return s
}
