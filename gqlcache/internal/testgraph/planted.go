package testgraph

import (
	"fmt"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	gqlparser "github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
)

// ExecutablePlanted is Executable of a schema in whose text each odd one of replacements
// stands for the one before it, which must occur once: a schema with faults.
func ExecutablePlanted(s *Store, replacements []string, without ...string) (graphql.ExecutableSchema, error) {
	var texts []*ast.Source
	for _, source := range sources {
		one := *source
		texts = append(texts, &one)
	}
	for i := 0; i+1 < len(replacements); i += 2 {
		n := 0
		for _, source := range texts {
			n += strings.Count(source.Input, replacements[i])
			source.Input = strings.Replace(source.Input, replacements[i], replacements[i+1], 1)
		}
		if n != 1 {
			return nil, fmt.Errorf("the schema has %q %d times", replacements[i], n)
		}
	}
	schema, err := gqlparser.LoadSchema(texts...)
	if err != nil {
		return nil, err
	}
	return NewExecutableSchema(Config{Resolvers: resolver{s}, Schema: strip(schema, without)}), nil
}
