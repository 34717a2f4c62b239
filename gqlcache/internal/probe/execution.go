package probe

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/99designs/gqlgen/graphql"
	"github.com/cascadeql/cascadeql/extractor"
	"github.com/cascadeql/cascadeql/gqlcache/internal/safe"
	"github.com/vektah/gqlparser/v2/ast"
)

var errProbing = errors.New("a probe panicked")

// An execution is one execution of a probe, or of a part of one.
type execution struct {
	*Recorder
	lost atomic.Bool
}

// CopyOperation copies an operation context for an execution of its own. The original
// belongs to its request, whose extensions may write to it; what of it is not copied is
// state of an execution.
func CopyOperation(oc *graphql.OperationContext) *graphql.OperationContext {
	return &graphql.OperationContext{
		RawQuery: oc.RawQuery, Variables: oc.Variables, OperationName: oc.OperationName, Doc: oc.Doc,
		Extensions: oc.Extensions, Headers: oc.Headers, Operation: oc.Operation,
		DisableIntrospection: oc.DisableIntrospection, RecoverFunc: oc.RecoverFunc,
		ResolverMiddleware: oc.ResolverMiddleware, RootResolverMiddleware: oc.RootResolverMiddleware,
	}
}

// probeContext returns the operation context of a probe, or of a part of one.
func (rec *Recorder) probeContext(op *ast.OperationDefinition) *graphql.OperationContext {
	oc := CopyOperation(rec.oc)
	oc.Doc, oc.Operation = rec.plan.probe.Doc, op
	return oc
}

func (s *execution) run(ctx context.Context, op *ast.OperationDefinition) (data []byte) {
	defer func() {
		if recover() != nil {
			data = nil
		}
	}()
	oc := s.probeContext(op)
	oc.ResolverMiddleware = s.resolve
	oc.RootResolverMiddleware = func(ctx context.Context, next graphql.RootResolver) graphql.Marshaler { return next(ctx) }
	quiet := func(context.Context, any) error { return errProbing }
	oc.RecoverFunc = quiet
	ctx = graphql.WithOperationContext(ctx, oc)
	ctx = graphql.WithResponseContext(ctx, graphql.DefaultErrorPresenter, quiet)
	resp := s.code.Exec(ctx)(ctx)
	if resp == nil || s.lost.Load() || len(resp.Errors) > 0 || len(graphql.GetErrors(ctx)) > 0 {
		return nil
	}
	return resp.Data
}

func (s *execution) resolve(ctx context.Context, next graphql.Resolver) (any, error) {
	fc := graphql.GetFieldContext(ctx)
	typ := s.plan.schema.Types[fc.Field.Definition.Type.Name()]
	switch {
	case typ == nil:
		return quietNull{}, nil
	case typ.IsLeafType():
		return s.nothing(fc, typ, s.leaf(ctx, fc, typ, next)), nil
	case extractor.IsHidden(fc.Field.Alias):
		return s.object(ctx, fc, next), nil
	}
	res, ok := s.value(fc)
	if !ok {
		s.lost.Store(true)
	}
	if absent(res.value) {
		return quietNull{}, nil
	}
	return res.value, nil
}

// nothing returns nil for what is not known of a nullable field. A field may have the Go
// type any, and then gqlgen would give our null to the marshaler of its scalar.
func (s *execution) nothing(fc *graphql.FieldContext, typ *ast.Definition, v any) any {
	if _, unknown := v.(quietNull); !unknown || ownScalars[typ.Name] {
		return v
	}
	if on := s.plan.schema.Types[fc.Object]; on != nil {
		if def := on.Fields.ForName(fc.Field.Name); def != nil && !def.Type.NonNull {
			return nil
		}
	}
	return v
}

// selected returns what the client's own field of this name returned, if it has selected
// one: its resolver has no need to run again.
func (s *execution) selected(fc *graphql.FieldContext) (any, bool) {
	var res recorded
	// Each hidden field on the way has to be the client's: below item: other{owner{…}} an
	// owner is another one than on the path item.owner.
	for f := fc; f != nil; f = f.Parent {
		if f.Field.Field == nil || !extractor.IsHidden(f.Field.Alias) {
			continue
		}
		own, _ := s.value(f)
		if !own.bare {
			return nil, false
		}
		if f == fc {
			res = own
		}
	}
	return res.value, true
}

// hidden returns the value of a hidden field, nil when it is not known.
func (s *execution) hidden(ctx context.Context, fc *graphql.FieldContext, next graphql.Resolver) any {
	var may, guarded bool
	if s.plan.mayResolve {
		may, guarded = s.plan.probe.MayResolve(fc.Field.Alias)
	}
	if !fc.IsMethod && !fc.IsResolver && !guarded {
		return quietly(func() (any, error) { return next(ctx) })
	}
	res, ok := s.selected(fc)
	switch {
	case ok:
		return res
	case may && s.resolves:
		return s.resolved(ctx, next)
	default:
		return nil
	}
}

// leaf reads a key, or the end of a path.
func (s *execution) leaf(ctx context.Context, fc *graphql.FieldContext, typ *ast.Definition, next graphql.Resolver) any {
	return shown(typ, s.hidden(ctx, fc, next))
}

// object reads an object, or a list of them, on a path.
func (s *execution) object(ctx context.Context, fc *graphql.FieldContext, next graphql.Resolver) any {
	res := s.hidden(ctx, fc, next)
	// A nil that gqlgen would find is a null that propagates: it never gets there.
	if absent(res) || anyAbsent(res) || !repeatable(res) {
		return quietNull{}
	}
	return res
}

// resolved runs a resolver that the owner allows, through all that the server has around
// its fields, which sees the operation of the client.
func (s *execution) resolved(ctx context.Context, next graphql.Resolver) any {
	ctx = graphql.WithOperationContext(ctx, s.oc)
	// Errors and extensions of the field stay here.
	ctx = graphql.WithFreshResponseContext(ctx)
	res := quietly(func() (any, error) { return s.next(ctx, next) })
	if len(graphql.GetErrors(ctx)) > 0 {
		return nil
	}
	return res
}

// quietly returns nil for everything that goes wrong.
func quietly(f func() (any, error)) any {
	res, err := safe.Call(f)
	if err != nil {
		return nil
	}
	return res
}
