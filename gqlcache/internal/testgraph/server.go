package testgraph

import (
	"context"
	"errors"
	"slices"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler"
	"github.com/99designs/gqlgen/graphql/handler/lru"
	"github.com/99designs/gqlgen/graphql/handler/transport"
	"github.com/vektah/gqlparser/v2/ast"
)

// Executable returns the executable schema over a store, without the directives of the
// given names: a schema whose author has said less.
func Executable(s *Store, without ...string) graphql.ExecutableSchema {
	return ExecutableBy(s, ComplexityRoot{}, without...)
}

// ExecutableBy is Executable with functions that say how complex fields are.
func ExecutableBy(s *Store, complexity ComplexityRoot, without ...string) graphql.ExecutableSchema {
	cfg := Config{Resolvers: resolver{s}, Complexity: complexity}
	if len(without) > 0 {
		cfg.Schema = strip(NewExecutableSchema(cfg).Schema(), without)
	}
	return NewExecutableSchema(cfg)
}

// strip copies a schema without applications of some directives.
func strip(s *ast.Schema, names []string) *ast.Schema {
	keep := func(list ast.DirectiveList) ast.DirectiveList {
		return slices.DeleteFunc(slices.Clone(list), func(d *ast.Directive) bool { return slices.Contains(names, d.Name) })
	}
	out := *s
	out.SchemaDirectives = keep(s.SchemaDirectives)
	out.Types = map[string]*ast.Definition{}
	for name, def := range s.Types {
		d := *def
		d.Directives = keep(def.Directives)
		d.Fields = slices.Clone(def.Fields)
		for i, f := range d.Fields {
			c := *f
			c.Directives = keep(f.Directives)
			d.Fields[i] = &c
		}
		out.Types[name] = &d
	}
	out.Query, out.Mutation, out.Subscription = out.Types["Query"], out.Types["Mutation"], out.Types["Subscription"]
	out.PossibleTypes = renewed(s.PossibleTypes, out.Types)
	out.Implements = renewed(s.Implements, out.Types)
	return &out
}

func renewed(lists map[string][]*ast.Definition, types map[string]*ast.Definition) map[string][]*ast.Definition {
	out := map[string][]*ast.Definition{}
	for name, list := range lists {
		for _, def := range list {
			if def != nil {
				def = types[def.Name]
			}
			out[name] = append(out[name], def)
		}
	}
	return out
}

// NewServer returns a server over a store that speaks every protocol of gqlgen's, with
// extensions in the given order.
func NewServer(s *Store, exts ...graphql.HandlerExtension) *handler.Server {
	return Serve(Executable(s, "cacheControl"), exts...)
}

// Serve is NewServer for a schema.
func Serve(es graphql.ExecutableSchema, exts ...graphql.HandlerExtension) *handler.Server {
	return ServeBy(func(t graphql.Transport) graphql.Transport { return t }, es, exts...)
}

// ServeBy is Serve with each transport wrapped.
func ServeBy(wrap func(graphql.Transport) graphql.Transport, es graphql.ExecutableSchema, exts ...graphql.HandlerExtension) *handler.Server {
	srv := handler.New(es)
	srv.AddTransport(wrap(transport.Websocket{}))
	srv.AddTransport(wrap(transport.Options{}))
	srv.AddTransport(wrap(transport.SSE{}))
	srv.AddTransport(wrap(transport.MultipartMixed{}))
	srv.AddTransport(wrap(transport.GET{}))
	srv.AddTransport(wrap(transport.MultipartForm{}))
	srv.AddTransport(wrap(transport.POST{}))
	srv.SetQueryCache(lru.New[*ast.QueryDocument](100))
	srv.SetRecoverFunc(func(context.Context, any) error { return errors.New("panicked") }) // gqlgen's own prints
	for _, e := range exts {
		srv.Use(e)
	}
	return srv
}
