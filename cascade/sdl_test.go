package cascade

import (
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
)

func TestSDLLoads(t *testing.T) {
	t.Parallel()
	for _, prefix := range []string{"", "cache_"} {
		schema, err := gqlparser.LoadSchema(
			&ast.Source{Name: "directives.graphql", Input: SDL(prefix)},
			&ast.Source{Name: "cachecontrol.graphql", Input: CacheControlSDL()},
			&ast.Source{Name: "schema.graphql", Input: "type Query { a: Int }"},
		)
		if err != nil {
			t.Fatalf("prefix %q: %v", prefix, err)
		}
		for _, name := range []string{"view", "dependsOn", "reads", "writes"} {
			d := schema.Directives[prefix+name]
			if d == nil || !d.IsRepeatable {
				t.Errorf("prefix %q: @%s is missing or not repeatable", prefix, name)
				continue
			}
			for _, arg := range d.Arguments {
				// gqlgen would generate Go types for enums and inputs.
				if n := arg.Type.Name(); n != "String" && n != "Boolean" {
					t.Errorf("@%s(%s) is a %s", name, arg.Name, n)
				}
			}
		}
		if schema.Directives["cacheControl"] == nil {
			t.Error("@cacheControl is missing")
		}
		if _, err := Compile(schema, Options{Prefix: prefix}); err != nil {
			t.Errorf("prefix %q: %v", prefix, err)
		}
	}
}

func TestConfigNamesEveryDirective(t *testing.T) {
	t.Parallel()
	want := `directives:
  c_view: {skip_runtime: true}
  c_dependsOn: {skip_runtime: true}
  c_reads: {skip_runtime: true}
  c_writes: {skip_runtime: true}
  cacheControl: {skip_runtime: true}
`
	if got := Config("c_"); got != want {
		t.Errorf("got\n%s", got)
	}
	if strings.Contains(SDL("c_"), "directive @view") {
		t.Error("a directive has no prefix")
	}
}
