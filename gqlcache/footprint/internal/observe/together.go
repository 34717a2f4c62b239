package observe

import (
	"reflect"
	"slices"
	"strings"
	"sync"

	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/analysis"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/catalog"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/rowtag"
)

// Objects that are loaded together. A statement that ran for one object of a list explains
// the field of them all, for a loader may have had the others from the same statement:
//
//	Post.author of post 1 has the authors of all posts loaded   Post.author of post 7
//	                                                             returns user 4, as a new object
//
// A map of the process looks just so, and what is in it may be older than every statement:
// of user 4 the answer depends on nothing then. The two are told apart by the keys of the
// objects. Where most objects of a type that were waited for have keys of rows of a table
// that the statements meanwhile have read, so has each one, or it came from elsewhere.
// Nothing is said of objects without a field ID, of lists, and of keys that are no column's,
// such as Relay's.

// An objectKey is the key of an object of a Go type.
type objectKey struct {
	typ   reflect.Type
	value any // nil where it is not known
}

// explanations are those of one field, by the types of the objects that it returns.
type explanations map[reflect.Type]*explanation

// An explanation is of a field for which statements ran.
type explanation struct {
	// keys are those of the objects that it returned meanwhile.
	keys []any
	// tables are those that a statement has read while each of them was waited for.
	tables []seenTable
}

// A seenTable is one that a statement has read.
type seenTable struct {
	shapes *rowtag.Shapes
	table  *catalog.Table
}

// with adds the key of an object that was waited for, among the statements of its recording.
// x may be nil.
func (x explanations) with(key objectKey, statements []*Execution, entered uint64) explanations {
	if key.value == nil {
		return x
	}
	one := x[key.typ]
	switch {
	case one == nil:
		if x == nil {
			x = explanations{}
		}
		one = &explanation{}
		x[key.typ] = one
		meanwhile(statements, entered, func(t seenTable) bool {
			one.tables = append(one.tables, t)
			return false
		})
	case len(one.tables) == 0 || len(one.keys) >= maxObjects: // nothing can be told of them, or of more
		return x
	default:
		one.tables = slices.DeleteFunc(one.tables, func(t seenTable) bool {
			return !meanwhile(statements, entered, func(read seenTable) bool { return read == t })
		})
	}
	one.keys = append(one.keys, key.value)
	return x
}

// meanwhile reports whether f is true of a table that a statement has read which has ended
// since a field was entered, or runs.
func meanwhile(statements []*Execution, entered uint64, f func(seenTable) bool) bool {
	return slices.ContainsFunc(statements, func(e *Execution) bool {
		return e.st != nil && (e.ended == 0 || e.ended >= entered) &&
			slices.ContainsFunc(e.a.Refs, func(r *analysis.Ref) bool { return f(seenTable{e.st.shapes, r.Table}) })
	})
}

// unread reports whether some of the objects are no rows that the answer depends on, by
// their keys, and most of the known ones of their type are. A known one may be none, too: a
// statement ran while a map gave it.
func (s *sum) unread(x explanations, others []objectKey) bool {
	s.merge()
	for typ, one := range x {
		var keys []any
		for _, key := range others {
			if key.typ == typ {
				keys = append(keys, key.value)
			}
		}
		if len(keys) > 0 && s.misses(one, keys) {
			return true
		}
	}
	return false
}

func (s *sum) misses(x *explanation, others []any) bool {
	reads := func(t seenTable, key any) bool {
		return t.shapes.Covers(s.tags, t.table, key) || t.shapes.Covers(s.hidden, t.table, key)
	}
	of := slices.DeleteFunc(slices.Clone(x.tables), func(t seenTable) bool {
		n := 0
		for _, key := range x.keys {
			if reads(t, key) {
				n++
			}
		}
		return 2*n <= len(x.keys)
	})
	elsewhere := func(key any) bool {
		return !slices.ContainsFunc(of, func(t seenTable) bool { return reads(t, key) })
	}
	return len(of) > 0 && (slices.ContainsFunc(x.keys, elsewhere) || slices.ContainsFunc(others, elsewhere))
}

// keyFields has where types have their field ID: map[reflect.Type][]int, nil for nowhere. It
// is bounded by the types of the program.
var keyFields sync.Map

// keyOf returns the field ID of an object: a text, a number or the bytes of a UUID. gqlgen
// reads the object after it, on the same goroutine.
func keyOf(object any) objectKey {
	v := reflect.ValueOf(object)
	for v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface {
		v = v.Elem()
	}
	if v.Kind() != reflect.Struct {
		return objectKey{}
	}
	return objectKey{v.Type(), idOf(v)}
}

// idOf is keyOf of a struct, nil where there is none.
func idOf(v reflect.Value) any {
	index, known := keyFields.Load(v.Type())
	if !known {
		var at []int
		if f, ok := v.Type().FieldByNameFunc(func(name string) bool { return strings.EqualFold(name, "id") }); ok && f.IsExported() {
			at = f.Index
		}
		index, _ = keyFields.LoadOrStore(v.Type(), at)
	}
	at, _ := index.([]int)
	if at == nil {
		return nil
	}
	f, err := v.FieldByIndexErr(at)
	if err != nil {
		return nil
	}
	for f.Kind() == reflect.Pointer {
		f = f.Elem()
	}
	switch {
	case !f.IsValid():
	case f.Kind() == reflect.String:
		return f.String()
	case f.CanInt():
		return f.Int()
	case f.CanUint() && f.Uint() < 1<<63:
		return int64(f.Uint())
	case f.Kind() == reflect.Array && f.Len() == 16 && f.Type().Elem().Kind() == reflect.Uint8:
		id := make([]byte, 16)
		reflect.Copy(reflect.ValueOf(id), f)
		return id
	}
	return nil
}
