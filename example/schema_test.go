package main

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/formatter"
	"github.com/vektah/gqlparser/v2/parser"
)

// The schema is the contract's, but for directives.
func TestSchemaIsTheContracts(t *testing.T) {
	t.Parallel()
	ours := parse(t, "graph/schema.graphql")
	if len(ours.SchemaExtension) != 1 || len(ours.Directives) != 0 {
		t.Errorf("%d extensions of the schema, %d directive definitions", len(ours.SchemaExtension), len(ours.Directives))
	}
	ours.SchemaExtension = nil
	stripped := 0
	for _, d := range ours.Definitions {
		stripped += len(d.Directives)
		d.Directives = nil
		for _, f := range d.Fields {
			stripped += len(f.Directives)
			f.Directives = nil
		}
	}
	if stripped < 50 {
		t.Errorf("only %d directives in our schema", stripped)
	}
	if got, want := format(ours), format(parse(t, "graph/testdata/contract.graphql")); got != want {
		t.Errorf("schema differs from the contract:\n%s", got)
	}
}

// Fields that return rows, and fields of the root types, say what they read or write.
func TestEverythingIsAnnotated(t *testing.T) {
	t.Parallel()
	schema, err := gqlparser.LoadSchema(source(t, "graph/schema.graphql"),
		source(t, "../cascade/directives.graphql"), source(t, "../cascade/cachecontrol.graphql"))
	if err != nil {
		t.Fatal(err)
	}
	for name, d := range schema.Types {
		if d.BuiltIn || d.Kind != ast.Object || d.Directives.ForName("view") == nil && !isRoot(schema, d) {
			continue
		}
		for _, f := range d.Fields {
			want := "reads"
			if d == schema.Mutation {
				want = "writes"
			} else if schema.Types[f.Type.Name()].IsLeafType() {
				continue
			}
			if !strings.HasPrefix(f.Name, "__") && f.Directives.ForName(want) == nil {
				t.Errorf("%s.%s has no @%s", name, f.Name, want)
			}
		}
	}
}

func isRoot(s *ast.Schema, d *ast.Definition) bool { return d == s.Query || d == s.Mutation }

func source(t *testing.T, path string) *ast.Source {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return &ast.Source{Name: path, Input: string(text)}
}

func parse(t *testing.T, path string) *ast.SchemaDocument {
	t.Helper()
	doc, err := parser.ParseSchema(source(t, path))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func format(doc *ast.SchemaDocument) string {
	var text bytes.Buffer
	formatter.NewFormatter(&text).FormatSchemaDocument(doc)
	return text.String()
}
