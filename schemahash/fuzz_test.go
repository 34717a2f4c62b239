package schemahash_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/formatter"

	"github.com/cascadeql/cascadeql/schemahash"
)

// FuzzFormat writes a schema with gqlparser's formatter, loads the text and compares the
// hashes. The seeds and the corpus run with every go test.
func FuzzFormat(f *testing.F) {
	f.Add(base)
	f.Add("type Query { x: Int }")
	f.Add(`scalar Any directive @v(x: Any = {a: [1.5, "x\n\"", E, null]}) repeatable on FIELD_DEFINITION type Query { "d" f(a: Any = true): Int @v @v(x: """b""") }`)
	f.Add("schema { query: Q } type Q implements I { x: [[Int!]]! } interface I { x: [[Int!]]! } extend type Q { y: E } enum E { A B @deprecated(reason: \"no\") }")
	f.Add("directive @s on SCHEMA extend schema @s type Query { f(i: In = {}): Int } input In @oneOf { a: Int b: [In!] }")
	f.Fuzz(func(t *testing.T, source string) {
		schema, err := gqlparser.LoadSchema(&ast.Source{Name: "fuzz.graphql", Input: source})
		if err != nil {
			return
		}
		want := schemahash.Sum(schema)
		if again := schemahash.Sum(schema); again != want {
			t.Fatalf("two hashes of one schema: %s and %s", want, again)
		}
		if !formats(schema) {
			return
		}
		var text strings.Builder
		formatter.NewFormatter(&text, formatter.WithoutDescription()).FormatSchema(schema)
		formatted, err := gqlparser.LoadSchema(&ast.Source{Name: "formatted.graphql", Input: text.String()})
		if err != nil {
			t.Fatalf("the formatted schema does not load: %v\n%s", err, text.String())
		}
		if got := schemahash.Sum(formatted); got != want {
			t.Fatalf("formatting changed the hash of\n%s\nformatted\n%s", source, text.String())
		}
	})
}

// formats reports whether gqlparser's formatter keeps the meaning of a schema. It does
// not when
//   - a root type is left out although a type has its default name: the formatter then
//     writes no schema block, which makes that type a root;
//   - a root is no object type, which gqlparser accepts: its hidden fields get an empty
//     block;
//   - something extends a built-in type or redefines a built-in directive: it writes
//     neither;
//   - a string needs an escape that GraphQL does not have: it quotes as Go does;
//   - the schema has directives, in the oldest gqlparser: it writes none.
func formats(s *ast.Schema) bool {
	for name, root := range map[string]*ast.Definition{"Query": s.Query, "Mutation": s.Mutation, "Subscription": s.Subscription} {
		if root == nil && s.Types[name] != nil {
			return false
		}
	}
	if s.Query != nil && s.Query.Kind != ast.Object {
		return false
	}
	ok := quotable(s.SchemaDirectives) && (len(s.SchemaDirectives) == 0 || writesSchemaDirectives())
	for _, d := range s.Directives {
		for _, a := range d.Arguments {
			ok = ok && quotable(a.Directives) && quotableValue(a.DefaultValue)
		}
	}
	for _, def := range s.Types {
		ok = ok && definitionFormats(def)
	}
	return ok
}

func writesSchemaDirectives() bool {
	var text strings.Builder
	formatter.NewFormatter(&text).FormatSchema(gqlparser.MustLoadSchema(&ast.Source{Input: `
		directive @s on SCHEMA extend schema @s type Query { x: Int }`}))
	return strings.Contains(text.String(), "schema @s")
}

func definitionFormats(def *ast.Definition) bool {
	if def.BuiltIn && (len(def.Directives) > 0 || len(def.Interfaces) > 0 || userFields(def)) {
		return false
	}
	ok := quotable(def.Directives)
	for _, f := range def.Fields {
		ok = ok && quotable(f.Directives) && quotableValue(f.DefaultValue)
		for _, a := range f.Arguments {
			ok = ok && quotable(a.Directives) && quotableValue(a.DefaultValue)
		}
	}
	for _, v := range def.EnumValues {
		ok = ok && quotable(v.Directives)
	}
	return ok
}

// userFields reports whether a built-in type was given fields or values.
func userFields(def *ast.Definition) bool {
	for _, f := range def.Fields {
		if !f.Position.Src.BuiltIn {
			return true
		}
	}
	for _, v := range def.EnumValues {
		if !v.Position.Src.BuiltIn {
			return true
		}
	}
	return false
}

func quotable(list ast.DirectiveList) bool {
	for _, d := range list {
		for _, a := range d.Arguments {
			if !quotableValue(a.Value) {
				return false
			}
		}
	}
	return true
}

func quotableValue(v *ast.Value) bool {
	if v == nil {
		return true
	}
	if v.Kind == ast.StringValue || v.Kind == ast.BlockValue {
		quoted := strings.ReplaceAll(strconv.Quote(v.Raw), `\\`, "")
		for _, escape := range []string{`\a`, `\v`, `\x`, `\U`} {
			if strings.Contains(quoted, escape) {
				return false
			}
		}
	}
	for _, child := range v.Children {
		if !quotableValue(child.Value) {
			return false
		}
	}
	return true
}

func BenchmarkSum(b *testing.B) {
	schema := load(b, base)
	b.ReportAllocs()
	for b.Loop() {
		schemahash.Sum(schema)
	}
}
