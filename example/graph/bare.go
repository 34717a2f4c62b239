package graph

import (
	"context"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
)

// WithoutDirectives returns the same server with no directive in its schema, and whose
// resolvers report nothing: the cache then knows what the SQL statements tell it, and
// nothing else.
func WithoutDirectives(es graphql.ExecutableSchema) graphql.ExecutableSchema {
	schema := gqlparser.MustLoadSchema(sources...) // a copy of its own
	schema.SchemaDirectives = nil
	for _, def := range schema.Types {
		if def.BuiltIn {
			continue
		}
		def.Directives = nil
		for _, f := range def.Fields {
			f.Directives = nil
		}
	}
	return bare{es, schema}
}

// bare is a server without directives and reports.
type bare struct {
	graphql.ExecutableSchema
	schema *ast.Schema
}

func (b bare) Schema() *ast.Schema { return b.schema }

func (b bare) Exec(ctx context.Context) graphql.ResponseHandler {
	next := b.ExecutableSchema.Exec(ctx)
	return func(ctx context.Context) *graphql.Response {
		return next(context.WithValue(ctx, silentKey{}, true))
	}
}

// silentKey marks what reports nothing.
type silentKey struct{}

func silent(ctx context.Context) bool { return ctx.Value(silentKey{}) != nil }
