package schemahash_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/cascadeql/cascadeql/schemahash"
)

// load parses a schema from one source a string.
func load(t testing.TB, sources ...string) *ast.Schema {
	t.Helper()
	files := make([]*ast.Source, len(sources))
	for i, s := range sources {
		files[i] = &ast.Source{Name: fmt.Sprintf("file%d.graphql", i), Input: s}
	}
	schema, err := gqlparser.LoadSchema(files...)
	if err != nil {
		t.Fatalf("load schema: %v\n%s", err, strings.Join(sources, "\n---\n"))
	}
	return schema
}

// base is what the rows below vary.
const base = `
directive @tag(name: String!, n: Int = 1) repeatable on SCHEMA | SCALAR | OBJECT | FIELD_DEFINITION | ARGUMENT_DEFINITION | INTERFACE | UNION | ENUM | ENUM_VALUE | INPUT_OBJECT | INPUT_FIELD_DEFINITION
directive @mark(cfg: Cfg) on OBJECT | FIELD_DEFINITION
schema { query: Query mutation: Mutation }
scalar Date
interface Node { id: ID! }
interface Named { name: String }
type User implements Node & Named { id: ID! name: String tags(first: Int = 10, after: String): [String!]! }
type Bot implements Node { id: ID! }
union Actor = User | Bot
enum Role { ADMIN USER }
input Cfg { a: Int = 1 b: [String!] role: Role = ADMIN }
type Query { user(id: ID!): User actor: Actor now: Date find(cfg: Cfg = {a: 1, b: ["x"]}): [User] }
type Mutation { rename(id: ID!, name: String): User }
type Other { x: Int }
`

// with replaces the only occurrence of old in the base schema.
func with(t testing.TB, old, replacement string) string {
	t.Helper()
	if n := strings.Count(base, old); n != 1 {
		t.Fatalf("base schema has %q %d times, want once", old, n)
	}
	return strings.Replace(base, old, replacement, 1)
}

func TestSumDiffers(t *testing.T) {
	t.Parallel()
	rows := []struct{ name, old, replacement string }{
		{"type added", "type Other", "type Added { x: Int }\ntype Other"},
		{"type removed", "type Other { x: Int }", ""},
		{"type renamed", "type Other", "type Others"},
		{"kind object to input", "type Other", "input Other"},
		{"kind object to interface", "type Other", "interface Other"},
		{"scalar added", "scalar Date", "scalar Date scalar Time"},
		{"field added", "type Other { x: Int", "type Other { x: Int y: Int"},
		{"field renamed", "type Other { x", "type Other { y"},
		{"field type", "type Other { x: Int", "type Other { x: Float"},
		{"field non-null", "type Other { x: Int", "type Other { x: Int!"},
		{"field list", "type Other { x: Int", "type Other { x: [Int]"},
		{"element non-null", "): [User]", "): [User!]"},
		{"list non-null", "): [User]", "): [User]!"},
		{"list depth", "): [User]", "): [[User]]"},
		{"inner and outer non-null swapped", "String): [String!]!", "String): [String]!"},
		{"argument added", "now: Date", "now(zone: String): Date"},
		{"argument removed", "first: Int = 10, after: String", "first: Int = 10"},
		{"argument renamed", "after: String", "before: String"},
		{"argument type", "after: String", "after: ID"},
		{"argument non-null", "after: String", "after: String!"},
		{"argument default added", "after: String", `after: String = ""`},
		{"argument default null", "after: String", "after: String = null"},
		{"argument default removed", "first: Int = 10", "first: Int"},
		{"argument default changed", "first: Int = 10", "first: Int = 11"},
		{"argument default object member", "{a: 1, b", "{a: 2, b"},
		{"argument default object member removed", `{a: 1, b: ["x"]}`, `{a: 1}`},
		{"argument default element added", `["x"]`, `["x", "y"]`},
		{"argument default element to list", `["x"]`, `[]`},
		{"input field added", "input Cfg { a", "input Cfg { z: Int a"},
		{"input field default", "a: Int = 1", "a: Int = 2"},
		{"input field default removed", "a: Int = 1", "a: Int"},
		{"input field default null", "b: [String!]", "b: [String!] = null"},
		{"input field default enum", "role: Role = ADMIN", "role: Role = USER"},
		{"input field non-null", "b: [String!]", "b: [String!]!"},
		{"enum value added", "ADMIN USER }", "ADMIN USER GUEST }"},
		{"enum value removed", "ADMIN USER }", "ADMIN }"},
		{"enum value renamed", "ADMIN USER }", "ADMIN USERS }"},
		{"union member removed", "= User | Bot", "= User"},
		{"union member added", "= User | Bot", "= User | Bot | Other"},
		{"interface removed", "implements Node & Named", "implements Node"},
		{"interface added", "type Other {", "type Other implements Named { name: String"},
		{"root type dropped", "query: Query mutation: Mutation", "query: Query"},
		{"root type moved", "mutation: Mutation", "mutation: Other"},
		{"root type swapped", "mutation: Mutation", "subscription: Mutation"},
		{"directive definition added", "scalar Date", "directive @new on OBJECT\nscalar Date"},
		{"directive definition removed", "directive @mark(cfg: Cfg) on OBJECT | FIELD_DEFINITION", ""},
		{"directive argument added", "@mark(cfg: Cfg)", "@mark(cfg: Cfg, x: Int)"},
		{"directive argument default", "n: Int = 1", "n: Int = 2"},
		{"directive location removed", "on OBJECT | FIELD_DEFINITION\n", "on OBJECT\n"},
		{"directive repeatable", "@mark(cfg: Cfg) on", "@mark(cfg: Cfg) repeatable on"},
		{"applied to schema", "schema {", `schema @tag(name: "a") {`},
		{"applied to scalar", "scalar Date", `scalar Date @tag(name: "a")`},
		{"applied to object", "type Other", "extend type Other @mark\ntype Other"},
		{"applied to field", "x: Int }", `x: Int @tag(name: "a") }`},
		{"applied to argument", "after: String", `after: String @tag(name: "a")`},
		{"applied to interface", "interface Named", "extend interface Named @tag(name: \"a\")\ninterface Named"},
		{"applied to union", "union Actor", `union Actor @tag(name: "a")`},
		{"applied to enum", "enum Role", `enum Role @tag(name: "a")`},
		{"applied to enum value", "ADMIN USER }", `ADMIN USER @tag(name: "a") }`},
		{"applied to input", "input Cfg", `input Cfg @tag(name: "a")`},
		{"applied to input field", "a: Int = 1", `a: Int = 1 @tag(name: "a")`},
		{"deprecated", "x: Int }", "x: Int @deprecated }"},
		{"built-in type extended", "scalar Date", "scalar Date extend scalar String @tag(name: \"a\")"},
		{"built-in directive redefined", "scalar Date", "scalar Date directive @deprecated(reason: String, since: String) on FIELD_DEFINITION"},
	}
	want := schemahash.Sum(load(t, base))
	seen := map[schemahash.Hash]string{want: "base"}
	for _, row := range rows {
		got := schemahash.Sum(load(t, with(t, row.old, row.replacement)))
		if other, ok := seen[got]; ok {
			t.Errorf("%s: same hash as %s", row.name, other)
		}
		seen[got] = row.name
	}
}

// TestSumDiffersBetween compares pairs that differ in how one thing is said.
func TestSumDiffersBetween(t *testing.T) {
	t.Parallel()
	const value = "scalar Any directive @v(x: Any, y: Any) repeatable on FIELD_DEFINITION directive @w on FIELD_DEFINITION type Query { f: Int "
	rows := []struct{ name, a, b string }{
		{"int and float", "@v(x: 1)", "@v(x: 1.0)"},
		{"int and string", "@v(x: 1)", `@v(x: "1")`},
		{"enum and string", "@v(x: A)", `@v(x: "A")`},
		{"boolean and string", "@v(x: true)", `@v(x: "true")`},
		{"boolean and boolean", "@v(x: true)", "@v(x: false)"},
		{"null and string", "@v(x: null)", `@v(x: "null")`},
		{"null and absent", "@v(x: null)", "@v"},
		{"value and list", "@v(x: 1)", "@v(x: [1])"},
		{"list and nested list", "@v(x: [1, 2])", "@v(x: [[1], 2])"},
		{"nested lists", "@v(x: [[1, 2], []])", "@v(x: [[1], [2]])"},
		{"order of elements", "@v(x: [1, 2])", "@v(x: [2, 1])"},
		{"joined strings", `@v(x: ["ab", "c"])`, `@v(x: ["a", "bc"])`},
		{"joined strings with the bytes of kinds", `@v(x: ["a\u0004\u0001b", "c"])`, `@v(x: ["a", "b\u0004\u0001c"])`},
		{"joined strings with a kind's byte", `@v(x: ["a\u0004b", "c"])`, `@v(x: ["a", "b\u0004c"])`},
		{"end of an inner list", "@v(x: [[1], 2])", "@v(x: [[1, 2]])"},
		{"end of an inner object", "@v(x: {a: {b: 1}, c: 2})", "@v(x: {a: {b: 1, c: 2}})"},
		{"empty list and empty object", "@v(x: [])", "@v(x: {})"},
		{"member names", "@v(x: {a: 1})", "@v(x: {b: 1})"},
		{"values swapped between members", "@v(x: {a: 1, b: 2})", "@v(x: {a: 2, b: 1})"},
		{"values swapped between arguments", "@v(x: 1, y: 2)", "@v(x: 2, y: 1)"},
		{"argument moved", "@v(x: 1)", "@v(y: 1)"},
		{"applied once and twice", "@v(x: 1)", "@v(x: 1) @v(x: 1)"},
		{"order of a repeatable directive", "@v(x: 1) @v(x: 2)", "@v(x: 2) @v(x: 1)"},
		{"white space in a string", `@v(x: "a b")`, `@v(x: "a  b")`},
		{"block and plain string of other content", `@v(x: """a""")`, `@v(x: "a ")`},
		{"one more directive", "@w", "@w @v"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			a, b := load(t, value+row.a+" }"), load(t, value+row.b+" }")
			if schemahash.Sum(a) == schemahash.Sum(b) {
				t.Errorf("%s and %s have the same hash", row.a, row.b)
			}
		})
	}
}

func TestSumEqual(t *testing.T) {
	t.Parallel()
	const value = "scalar Any directive @v(x: Any, y: Any) repeatable on FIELD_DEFINITION directive @w on FIELD_DEFINITION type Query { f: Int "
	rows := []struct {
		name string
		a, b []string
	}{
		{"order of types", []string{"type Query { a: A } type A { x: Int } type B { x: Int }"}, []string{"type B { x: Int } type A { x: Int } type Query { a: A }"}},
		{"order of fields", []string{"type Query { a: Int b: Int }"}, []string{"type Query { b: Int a: Int }"}},
		{"order of arguments", []string{"type Query { f(a: Int, b: Int): Int }"}, []string{"type Query { f(b: Int, a: Int): Int }"}},
		{"order of enum values", []string{"enum E { A B } type Query { e: E }"}, []string{"enum E { B A } type Query { e: E }"}},
		{"order of members", []string{"type A { x: Int } type B { x: Int } union U = A | B type Query { u: U }"}, []string{"type A { x: Int } type B { x: Int } union U = | B | A type Query { u: U }"}},
		{"order of interfaces", []string{"interface I { x: Int } interface J { y: Int } type Query implements I & J { x: Int y: Int }"}, []string{"interface I { x: Int } interface J { y: Int } type Query implements J & I { x: Int y: Int }"}},
		{"order of locations", []string{"directive @d on OBJECT | ENUM type Query { x: Int }"}, []string{"directive @d on ENUM | OBJECT type Query { x: Int }"}},
		{"order of input fields", []string{"input I { a: Int b: Int } type Query { f(i: I): Int }"}, []string{"input I { b: Int a: Int } type Query { f(i: I): Int }"}},
		{"order of different directives", []string{value + "@v(x: 1) @w }"}, []string{value + "@w @v(x: 1) }"}},
		{"order of directive arguments", []string{value + "@v(x: 1, y: 2) }"}, []string{value + "@v(y: 2, x: 1) }"}},
		{"order of object members", []string{value + "@v(x: {a: 1, b: {c: 1, d: 2}}) }"}, []string{value + "@v(x: {b: {d: 2, c: 1}, a: 1}) }"}},
		{"block string", []string{value + `@v(x: "a\nb") }`}, []string{value + "@v(x: \"\"\"\n   a\n   b\n\"\"\") }"}},
		{"escaped string", []string{value + `@v(x: "\u0061") }`}, []string{value + `@v(x: "a") }`}},
		{"descriptions", []string{`"q" type Query { "f" f("a" a: Int): E } "e" enum E { "v" V }`}, []string{"type Query { f(a: Int): E } enum E { V }"}},
		{"comments and layout", []string{"# c\ntype Query {\n\tf : Int,\n}\n"}, []string{"type Query{f:Int}"}},
		{"files", []string{"type Query { a: A }", "type A { x: Int }"}, []string{"type A { x: Int } type Query { a: A }"}},
		{"order of files", []string{"type Query { a: A }", "type A { x: Int }"}, []string{"type A { x: Int }", "type Query { a: A }"}},
		{"extension of a type", []string{"type Query { a: Int } extend type Query { b: Int }"}, []string{"type Query { a: Int b: Int }"}},
		{"extension of an enum", []string{"enum E { A } extend enum E { B } type Query { e: E }"}, []string{"enum E { A B } type Query { e: E }"}},
		{"extension of a union", []string{"type A { x: Int } type B { x: Int } union U = A extend union U = B type Query { u: U }"}, []string{"type A { x: Int } type B { x: Int } union U = A | B type Query { u: U }"}},
		{"extension of the schema", []string{"directive @d on SCHEMA schema @d { query: Q } type Q { x: Int } type M { x: Int } extend schema { mutation: M }"}, []string{"directive @d on SCHEMA schema { query: Q mutation: M } type Q { x: Int } type M { x: Int } extend schema @d"}},
		{"named and default roots", []string{"type Query { x: Int }"}, []string{"schema { query: Query } type Query { x: Int }"}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			a, b := schemahash.Sum(load(t, row.a...)), schemahash.Sum(load(t, row.b...))
			if a != b {
				t.Errorf("different hashes for\n%s\nand\n%s", strings.Join(row.a, "\n"), strings.Join(row.b, "\n"))
			}
		})
	}
}

// TestSumSortsStably interleaves many applications of two repeatable directives: only the
// order among those of one name counts. Short lists would be in order by luck.
func TestSumSortsStably(t *testing.T) {
	t.Parallel()
	const defs = "directive @v(n: Int) repeatable on OBJECT directive @w(n: Int) repeatable on OBJECT type Query "
	var v, w, mixed strings.Builder
	for i := range 50 {
		fmt.Fprintf(&v, "@v(n: %d) ", i)
		fmt.Fprintf(&w, "@w(n: %d) ", i)
		fmt.Fprintf(&mixed, "@w(n: %d) @v(n: %d) ", i, i)
	}
	apart := schemahash.Sum(load(t, defs+v.String()+w.String()+"{ x: Int }"))
	if got := schemahash.Sum(load(t, defs+mixed.String()+"{ x: Int }")); got != apart {
		t.Error("the order between different directives changes the hash")
	}
}
