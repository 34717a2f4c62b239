package docs_test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"

	"github.com/cascadeql/cascadeql/cascade"
)

// TestReadmeSchema: the README's snippet is a schema of its own, as are others with a type
// Query.
func TestReadmeSchema(t *testing.T) {
	t.Parallel()
	all := blocks(t, root+"README.md", "graphql")
	if len(all) != 1 {
		t.Fatalf("%d snippets", len(all))
	}
	findings, err := cascade.Lint(compiled(t, all[0]), cascade.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range findings {
		t.Error(f)
	}
}

// compiled loads a snippet that is a schema of its own.
func compiled(t *testing.T, b block) *ast.Schema {
	t.Helper()
	schema, err := gqlparser.LoadSchema(
		&ast.Source{Name: "directives.graphql", Input: cascade.SDL("")},
		&ast.Source{Name: b.place, Input: b.text})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := cascade.Compile(schema, cascade.Options{}); err != nil {
		t.Error(err)
	}
	return schema
}

// TestSchemas: what the other pages show of the example's schema is what it says,
// directives included.
func TestSchemas(t *testing.T) {
	t.Parallel()
	source := &ast.Source{Name: "schema.graphql", Input: read(t, root+"example/graph/schema.graphql")}
	example, err := parser.ParseSchema(source)
	if err != nil {
		t.Fatal(err)
	}
	checked := 0
	for _, page := range pages(t) {
		if page == root+"README.md" {
			continue
		}
		for _, b := range blocks(t, page, "graphql") {
			shown, err := parser.ParseSchema(&ast.Source{Name: b.place, Input: b.text})
			if err != nil {
				t.Error(err)
				continue
			}
			if shown.Definitions.ForName("Query") != nil && example.Definitions.ForName(shown.Definitions[0].Name) == nil {
				compiled(t, b)
				continue
			}
			for _, ext := range shown.SchemaExtension {
				want := example.SchemaExtension[0].Directives
				if got := spell(ext.Directives); got != spell(want) {
					t.Errorf("%s: schema: %s, want %s", b.place, got, spell(want))
				}
			}
			for _, def := range shown.Definitions {
				want := example.Definitions.ForName(def.Name)
				if want == nil {
					t.Errorf("%s: the example has no %s", b.place, def.Name)
					continue
				}
				if got := spell(def.Directives); got != "" && got != spell(want.Directives) {
					t.Errorf("%s: %s: %s, want %s", b.place, def.Name, got, spell(want.Directives))
				}
				for _, f := range def.Fields {
					checked++
					if got, want := spellField(f), spellField(want.Fields.ForName(f.Name)); got != want {
						t.Errorf("%s: %s.%s is %s, want %s", b.place, def.Name, f.Name, got, want)
					}
				}
			}
		}
	}
	if checked == 0 {
		t.Error("no page shows a field of the example")
	}
}

// spellField spells a field's arguments, type and directives.
func spellField(f *ast.FieldDefinition) string {
	if f == nil {
		return "absent"
	}
	var args []string
	for _, a := range f.Arguments {
		text := a.Name + ": " + a.Type.String()
		if a.DefaultValue != nil {
			text += " = " + a.DefaultValue.String()
		}
		args = append(args, text)
	}
	return "(" + strings.Join(args, ", ") + "): " + f.Type.String() + " " + spell(f.Directives)
}

// spell spells directives, the arguments of each in the order of their names.
func spell(list ast.DirectiveList) string {
	var all []string
	for _, d := range list {
		var args []string
		for _, a := range d.Arguments {
			args = append(args, a.Name+": "+a.Value.String())
		}
		slices.Sort(args)
		all = append(all, "@"+d.Name+"("+strings.Join(args, ", ")+")")
	}
	return strings.Join(all, " ")
}

// TestGqlgenConfig: the README has the lines that keep gqlgen from generating code for
// directives.
func TestGqlgenConfig(t *testing.T) {
	t.Parallel()
	all := blocks(t, root+"README.md", "yaml")
	if len(all) != 1 || !strings.Contains(all[0].text, cascade.Config("")) {
		t.Errorf("the README's gqlgen.yml does not have these lines:\n%s", cascade.Config(""))
	}
}

// TestShell: a shell accepts the commands.
func TestShell(t *testing.T) {
	t.Parallel()
	for _, page := range pages(t) {
		for _, b := range blocks(t, page, "sh") {
			cmd := exec.CommandContext(t.Context(), "sh", "-n")
			cmd.Stdin = strings.NewReader(b.text)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%s: %v\n%s", b.place, err, out)
			}
		}
	}
}
