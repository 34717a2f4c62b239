package plans

import "reflect"

// CopyVariables returns a copy of variables that resolvers cannot change.
//
// Invariant: what an answer depends on, and what a mutation declares to change, is told
// from the variables that the operation came with. Resolvers may change them: an input
// that is bound to a map is the very map of the variables, and taking a member out of it
// before the rest is handed on is what many do.
func CopyVariables(vars map[string]any) map[string]any {
	if vars == nil {
		return nil
	}
	out := make(map[string]any, len(vars))
	for name, v := range vars {
		out[name] = copied(v)
	}
	return out
}

// copied copies lists and maps, at any depth: variables come from JSON, and are no deeper
// than that.
func copied(v any) any {
	switch v := v.(type) {
	case nil, string, bool, int, int64, float64:
		return v
	case map[string]any:
		if v == nil {
			return v
		}
		return CopyVariables(v)
	case []any:
		if v == nil {
			return v
		}
		out := make([]any, len(v))
		for i := range v {
			out[i] = copied(v[i])
		}
		return out
	}
	rv := reflect.ValueOf(v)
	switch {
	case rv.Kind() == reflect.Slice && !rv.IsNil():
		out := reflect.MakeSlice(rv.Type(), rv.Len(), rv.Len())
		for i := range rv.Len() {
			setCopied(out.Index(i), rv.Index(i))
		}
		return out.Interface()
	case rv.Kind() == reflect.Map && !rv.IsNil():
		out := reflect.MakeMapWithSize(rv.Type(), rv.Len())
		for it := rv.MapRange(); it.Next(); {
			e := reflect.New(rv.Type().Elem()).Elem()
			setCopied(e, it.Value())
			out.SetMapIndex(it.Key(), e)
		}
		return out.Interface()
	}
	return v
}

func setCopied(to, from reflect.Value) {
	if c := copied(from.Interface()); c != nil {
		to.Set(reflect.ValueOf(c))
	}
}
