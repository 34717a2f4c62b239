package testgraph

import (
	"slices"
	"strconv"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
)

// AddHint adds a @cacheControl to a field of queries. Its arguments are numbers, names of
// enum values, and texts for vary.
func AddHint(es graphql.ExecutableSchema, field string, hints map[string]any) {
	d := &ast.Directive{Name: "cacheControl", Definition: es.Schema().Directives["cacheControl"], Location: ast.LocationFieldDefinition}
	for name, value := range hints {
		v := &ast.Value{Kind: ast.EnumValue}
		switch value := value.(type) {
		case int:
			v.Kind, v.Raw = ast.IntValue, strconv.Itoa(value)
		case []string:
			v.Kind = ast.ListValue
			for _, one := range value {
				v.Children = append(v.Children, &ast.ChildValue{Value: &ast.Value{Kind: ast.StringValue, Raw: one}})
			}
		case string:
			v.Raw = value
		}
		d.Arguments = append(d.Arguments, &ast.Argument{Name: name, Value: v})
	}
	f := es.Schema().Query.Fields.ForName(field)
	f.Directives = append(slices.Clone(f.Directives), d)
}
