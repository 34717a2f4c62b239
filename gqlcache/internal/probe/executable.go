package probe

import (
	"reflect"

	"github.com/99designs/gqlgen/graphql"
)

// executables are the code that gqlgen has generated for the servers of a cache.
// Immutable.
type executables struct {
	// es executes operations; nil when no code of gqlgen's was found, or when servers
	// have different code.
	es graphql.ExecutableSchema
	// same says that all servers have the very same schema, so that es runs the resolvers
	// of every request.
	same bool
}

// Serves adds the executable schema of a server, before its first operation. Servers that
// share a cache may have different resolvers behind the same generated code; reading
// plain fields with it calls none of them.
func (p *Prober) Serves(es graphql.ExecutableSchema) {
	code := generated(es)
	for {
		old := p.code.Load()
		next := &executables{es: code, same: true}
		if old != nil {
			if old.es == nil || code == nil || reflect.TypeOf(old.es) != reflect.TypeOf(code) {
				next = &executables{}
			} else {
				next.same = old.same && old.es == code // pointers, both of them
			}
		}
		if p.code.CompareAndSwap(old, next) {
			return
		}
	}
}

// generated returns the executable schema that gqlgen has generated, which may be
// embedded in others; nil when there is none. Executing anything else a second time could
// be noticed: an implementation by hand may count, or act.
func generated(es graphql.ExecutableSchema) graphql.ExecutableSchema {
	for range 10 {
		v := reflect.ValueOf(es)
		if v.Kind() != reflect.Pointer {
			if v.Kind() != reflect.Struct {
				return nil
			}
		} else if v = v.Elem(); v.Kind() != reflect.Struct {
			return nil
		}
		if v.Type().Name() == "executableSchema" && reflect.ValueOf(es).Kind() == reflect.Pointer && directiveRootType(v.Type()) != nil {
			return es
		}
		f := v.FieldByName("ExecutableSchema")
		if !f.IsValid() || !f.CanInterface() {
			return nil
		}
		inner, ok := f.Interface().(graphql.ExecutableSchema)
		if !ok {
			return nil
		}
		es = inner
	}
	return nil
}

// directiveRootType returns the type whose fields are the directives that generated code
// calls.
func directiveRootType(code reflect.Type) reflect.Type {
	for _, name := range []string{"Directives", "directives"} {
		if f, ok := code.FieldByName(name); ok && f.Type.Kind() == reflect.Struct {
			return f.Type
		}
	}
	return nil
}
