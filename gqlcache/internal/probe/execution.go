package probe

import (
	"context"
	"errors"
	"io"
	"reflect"
	"sync"
	"sync/atomic"

	"github.com/99designs/gqlgen/graphql"
	"github.com/cascadeql/cascadeql/extractor"
	"github.com/cascadeql/cascadeql/gqlcache/internal/safe"
	"github.com/google/uuid"
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

// quietNull is a null that does not propagate to its parent: gqlgen compares with its own
// Null.
type quietNull struct{}

func (quietNull) MarshalGQL(w io.Writer) { _, _ = io.WriteString(w, "null") }

// text is a string that needs no escapes.
type text string

func (t text) MarshalGQL(w io.Writer) { _, _ = io.WriteString(w, `"`+string(t)+`"`) }

// shown returns what stands for the Go value of a leaf, so that it says what the server
// would show of it:
//
//   - values of Go's own kinds, of GraphQL's own scalars, are given to gqlgen, as they
//     are. The owner may have bound ID to functions; then what they show is what clients
//     send back;
//   - an enum's value that has the text of one of its names, and a UUID, say that text;
//   - everything else is a null that does not propagate: nothing is known of what a
//     marshaler would make of it, and no marshaler of the server's is called to find out.
//     So are nils.
func shown(typ *ast.Definition, v any) any {
	switch v := v.(type) {
	case nil:
		return quietNull{}
	case string, int, int64, int32, bool:
		if typ.Kind == ast.Scalar && ownScalars[typ.Name] {
			return v
		}
	case uuid.UUID:
		return textOfUUID(v)
	case *uuid.UUID:
		if v == nil {
			return quietNull{}
		}
		return textOfUUID(*v)
	}
	rv := reflect.ValueOf(v)
	if rv.Kind() == reflect.Slice {
		return shownList(typ, rv)
	}
	for rv.Kind() == reflect.Pointer {
		if rv.IsNil() {
			return quietNull{}
		}
		rv = rv.Elem()
	}
	if typ.Kind == ast.Enum {
		if rv.Kind() == reflect.String && typ.EnumValues.ForName(rv.String()) != nil {
			return text(rv.String())
		}
		return quietNull{}
	}
	if ownScalars[typ.Name] && kindOf(rv.Type()) == kindBasic {
		return v
	}
	return quietNull{}
}

// shownList returns what stands for a list: an element that is not known makes the list
// unknown.
func shownList(typ *ast.Definition, rv reflect.Value) any {
	if rv.IsNil() || rv.Type().Implements(marshalerType) || rv.Type().Implements(contextMarshalerType) {
		return quietNull{}
	}
	for i := range rv.Len() {
		if !rv.Index(i).CanInterface() {
			return quietNull{}
		}
		if _, unknown := shown(typ, rv.Index(i).Interface()).(quietNull); unknown {
			return quietNull{}
		}
	}
	if typ.Kind == ast.Enum || !ownScalars[typ.Name] {
		list := make(graphql.Array, rv.Len())
		for i := range list {
			m, ok := shown(typ, rv.Index(i).Interface()).(graphql.Marshaler)
			if !ok {
				return quietNull{}
			}
			list[i] = m
		}
		return list
	}
	return rv.Interface()
}

func textOfUUID(id uuid.UUID) any {
	if id == uuid.Nil {
		return quietNull{} // gqlgen's own marshaler shows null
	}
	return text(id.String())
}

// ownScalars are the scalars of the GraphQL specification.
var ownScalars = map[string]bool{"ID": true, "String": true, "Int": true, "Float": true, "Boolean": true}

type valueKind uint8

const (
	kindOther valueKind = iota + 1
	kindBasic           // a bool, number or string, be it named, without a marshaler of its own
	kindMarshaler
)

var (
	marshalerType        = reflect.TypeFor[graphql.Marshaler]()
	contextMarshalerType = reflect.TypeFor[graphql.ContextMarshaler]()
	kinds                sync.Map // valueKind by reflect.Type
)

// kindOf returns what can be done with the values of a type, which is no pointer.
func kindOf(t reflect.Type) valueKind {
	if k, ok := kinds.Load(t); ok {
		return k.(valueKind)
	}
	k := kindOther
	p := reflect.PointerTo(t)
	switch {
	case p.Implements(marshalerType), p.Implements(contextMarshalerType), t.Implements(marshalerType), t.Implements(contextMarshalerType):
		k = kindMarshaler
	case t.Kind() == reflect.String, t.Kind() >= reflect.Bool && t.Kind() <= reflect.Float64 && t.Kind() != reflect.Uintptr:
		k = kindBasic
	}
	kinds.Store(t, k)
	return k
}

// absent reports whether a resolver's value is what gqlgen shows as null: nil, or a nil
// pointer in an interface.
func absent(v any) bool {
	if v == nil {
		return true
	}
	rv := reflect.ValueOf(v)
	switch rv.Kind() {
	case reflect.Pointer, reflect.Map, reflect.Interface:
		return rv.IsNil()
	default:
		return false
	}
}

// anyAbsent reports whether a list, or a list in it, has an absent element.
func anyAbsent(v any) bool { return listHas(reflect.ValueOf(v), absentElement) }

// repeatable reports whether a value can be given to generated code a second time: what
// marshals itself would do so twice.
func repeatable(v any) bool {
	if v == nil {
		return true
	}
	rv := reflect.ValueOf(v)
	t := rv.Type()
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if t.Kind() != reflect.Interface {
		return kindOf(t) != kindMarshaler
	}
	return !marshals(rv) && !listHas(rv, marshals)
}

// listHas reports whether any element of a list, or of lists in it, meets a condition.
func listHas(list reflect.Value, is func(reflect.Value) bool) bool {
	for list.Kind() == reflect.Pointer && !list.IsNil() {
		list = list.Elem()
	}
	if list.Kind() != reflect.Slice {
		return false
	}
	for i := range list.Len() {
		e := list.Index(i)
		if e.Kind() == reflect.Slice {
			if listHas(e, is) {
				return true
			}
			continue
		}
		if is(e) {
			return true
		}
		if e.Kind() != reflect.Interface && e.Kind() != reflect.Pointer && e.Kind() != reflect.Map {
			return false // elements are alike
		}
	}
	return false
}

func absentElement(v reflect.Value) bool {
	for v.Kind() == reflect.Interface && !v.IsNil() {
		v = v.Elem()
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Map, reflect.Interface:
		return v.IsNil()
	default:
		return false
	}
}

func marshals(v reflect.Value) bool {
	for v.Kind() == reflect.Interface || v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return false
		}
		v = v.Elem()
	}
	return kindOf(v.Type()) == kindMarshaler
}
