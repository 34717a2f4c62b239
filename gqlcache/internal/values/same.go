package values

import (
	"reflect"
	"time"
	"unsafe"
)

// Same reports whether two values of one type are the same for whoever looks at them: as
// reflect.DeepEqual, but that times are the same which are one instant in one offset, as a
// monotonic clock and the name of a zone are not written down.
func Same(a, b any) bool {
	return comparison{}.same(reflect.ValueOf(a), reflect.ValueOf(b), 0)
}

// A comparison has the pairs that turned out to be the same: pieces that are reached in many
// ways are compared once.
type comparison map[pair]bool

type pair struct {
	a, b unsafe.Pointer
	n    int // of a list
	typ  reflect.Type
}

// maxSameDepth is where a value counts as one that contains itself.
const maxSameDepth = 1000

func (c comparison) same(a, b reflect.Value, depth int) bool {
	if depth > maxSameDepth || a.IsValid() != b.IsValid() {
		return false
	}
	if !a.IsValid() {
		return true
	}
	if a.Type() != b.Type() {
		return false
	}
	if a.Type() == timeType && a.CanInterface() {
		x, y := a.Interface().(time.Time), b.Interface().(time.Time)
		_, xo := x.Zone()
		_, yo := y.Zone()
		return x.Equal(y) && xo == yo
	}
	switch a.Kind() {
	case reflect.Interface:
		if a.IsNil() || b.IsNil() {
			return a.IsNil() == b.IsNil()
		}
		return c.same(a.Elem(), b.Elem(), depth+1)
	case reflect.Pointer, reflect.Slice, reflect.Map:
		if a.IsNil() || b.IsNil() {
			return a.IsNil() == b.IsNil()
		}
		return c.shared(a, b, depth)
	case reflect.Array:
		return c.list(a, b, depth)
	case reflect.Struct:
		for i := range a.NumField() {
			if !c.same(a.Field(i), b.Field(i), depth+1) {
				return false
			}
		}
		return true
	case reflect.Func:
		return a.IsNil() && b.IsNil()
	default:
		return a.Equal(b)
	}
}

// shared compares what two values refer to.
func (c comparison) shared(a, b reflect.Value, depth int) (same bool) {
	p := pair{a: a.UnsafePointer(), b: b.UnsafePointer(), typ: a.Type()}
	if a.Kind() != reflect.Pointer {
		if p.n = a.Len(); p.n != b.Len() {
			return false
		}
	}
	if c[p] {
		return true
	}
	switch a.Kind() {
	case reflect.Pointer:
		same = c.same(a.Elem(), b.Elem(), depth+1)
	case reflect.Map:
		same = c.maps(a, b, depth)
	default:
		same = c.list(a, b, depth)
	}
	if same {
		c[p] = true
	}
	return same
}

func (c comparison) list(a, b reflect.Value, depth int) bool {
	for i := range a.Len() {
		if !c.same(a.Index(i), b.Index(i), depth+1) {
			return false
		}
	}
	return true
}

func (c comparison) maps(a, b reflect.Value, depth int) bool {
	for it := a.MapRange(); it.Next(); {
		other := b.MapIndex(it.Key())
		if !other.IsValid() || !c.same(it.Value(), other, depth+1) {
			return false
		}
	}
	return true
}
