package cascade

import (
	"maps"
	"reflect"

	"github.com/vektah/gqlparser/v2/ast"
)

// maxInputDepth bounds the input objects inside each other whose defaults are looked for.
// A schema whose defaults contain themselves has no values at all.
const maxInputDepth = 64

// arguments evaluates the arguments of a field as its resolver gets them: with the
// defaults of the fields of input objects too, which gqlparser leaves to whoever decodes
// the object. Without them a list of objects, of which some leave a field out, would seem
// to hold the other objects' values only. The map belongs to the caller; what is in it
// may be shared with vars and is not changed.
func (p *Plan) arguments(f *ast.Field, vars map[string]any) map[string]any {
	args := map[string]any{}
	for _, a := range f.Definition.Arguments {
		if v, given := argument(f.Arguments.ForName(a.Name), a.DefaultValue, vars); given {
			args[a.Name] = p.withDefaults(v, a.Type.Name(), 0)
		}
	}
	return args
}

// noValue stands for an argument that cannot be evaluated. It is no value of any kind, so
// it is unknown wherever it is looked at.
type noValue struct{}

// argument is ast.Field.ArgumentMap for one argument, but that a literal which cannot be
// evaluated is no panic: a number that does not fit, for a scalar of the schema's own.
// Its field fails when it is resolved, or is skipped. Other fields of the operation have
// an outcome all the same.
func argument(given *ast.Argument, byDefault *ast.Value, vars map[string]any) (v any, ok bool) {
	literal := byDefault
	if given != nil {
		if given.Value.Kind != ast.Variable {
			literal = given.Value
		} else if v, ok = vars[given.Value.Raw]; ok {
			return v, true
		}
	}
	if literal == nil {
		return nil, false
	}
	v, err := literal.Value(vars)
	if err != nil {
		return noValue{}, true
	}
	return v, true
}

// withDefaults returns a value of an input type, or a list of such at any depth, with the
// fields that are absent and have a default.
func (p *Plan) withDefaults(v any, typ string, depth int) any {
	def := p.schema.Types[typ]
	if def == nil || def.Kind != ast.InputObject || v == nil || depth > maxInputDepth {
		return v
	}
	if m, ok := v.(map[string]any); ok {
		return p.objectWithDefaults(m, def, depth)
	}
	list := reflect.ValueOf(v) // gqlparser makes typed slices too
	if list.Kind() != reflect.Slice {
		return v
	}
	elems := make([]any, list.Len())
	for i := range elems {
		elems[i] = p.withDefaults(list.Index(i).Interface(), typ, depth+1)
	}
	return elems
}

func (p *Plan) objectWithDefaults(m map[string]any, def *ast.Definition, depth int) map[string]any {
	full := maps.Clone(m)
	for _, f := range def.Fields {
		v, present := m[f.Name]
		if !present {
			if f.DefaultValue == nil {
				continue
			}
			var err error
			if v, err = f.DefaultValue.Value(nil); err != nil {
				continue // gqlparser loads no schema with such a default
			}
		}
		full[f.Name] = p.withDefaults(v, f.Type.Name(), depth+1)
	}
	return full
}
