package keycheck

import (
	"database/sql/driver"
	"fmt"
	"reflect"
	"time"
	"unsafe"
)

// The bounds of what is taken in of computed values.
const (
	maxPieces = 20_000 // of one computation
	maxNested = 32
	// maxNamed is how many entries of a map are parts by their keys. Those of a larger map
	// are as the elements of a list.
	maxNamed = 32
)

// Got says that a computed value was got, which the program may use from then on. It was
// asked for under a key of that name: see Part. Each of its fields, at any depth, counts as
// a column that was read, and the elements of a list as rows. It must not be called for a
// value whose own key is known to be incomplete.
//
// Fields that are not exported are not looked at: they may be changed by methods meanwhile.
// A value that has some, or that is very large, holds more than is known of it. From then
// on an argument without a source proves nothing.
func (f *Fill) Got(field, name string, v any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	defer f.contain()
	if f.b == nil {
		return
	}
	g := got{o: &f.b.origins, field: field}
	g.o.quick = true
	defer func() { g.o.quick = false }()
	g.add(mix(mix(9, hashString(name)), hashString(field)), reflect.ValueOf(v), 0)
}

// got takes in a value.
type got struct {
	o     *origins
	field string
	// within are the pointers on the way to where it is.
	within []unsafe.Pointer
}

// add takes in a piece of a value, which is at a place.
func (g *got) add(at uint64, v reflect.Value, depth int) {
	o := g.o
	if o.pieces++; o.pieces > maxPieces || depth > maxNested || o.rows > maxRows/2 {
		o.partial = true
	}
	if o.partial || !v.IsValid() {
		return
	}
	switch v.Kind() {
	case reflect.Interface:
		g.add(at, v.Elem(), depth+1)
	case reflect.Pointer:
		g.pointer(at, v, depth)
	case reflect.Struct:
		g.structure(at, v, depth)
	case reflect.Slice, reflect.Array:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			g.scalar(at, v)
			return
		}
		for i := range v.Len() {
			g.add(mix(at, 7), v.Index(i), depth+1)
		}
	case reflect.Map:
		named := v.Len() <= maxNamed && v.Type().Key().Kind() == reflect.String
		for it := v.MapRange(); it.Next(); {
			place := mix(at, 2)
			if named {
				place = mix(at, hashString(it.Key().String()))
			}
			g.add(mix(at, 1), it.Key(), depth+1)
			g.add(place, it.Value(), depth+1)
		}
	case reflect.Chan, reflect.Func, reflect.UnsafePointer:
		o.partial = true
	default:
		g.scalar(at, v)
	}
}

func (g *got) pointer(at uint64, v reflect.Value, depth int) {
	if v.IsNil() {
		return
	}
	to := v.UnsafePointer()
	for _, p := range g.within {
		if p == to {
			return
		}
	}
	g.within = append(g.within, to)
	g.add(at, v.Elem(), depth+1)
	g.within = g.within[:len(g.within)-1]
}

// structure takes in the fields of a struct, and what it is for a database or as a text.
func (g *got) structure(at uint64, v reflect.Value, depth int) {
	told := g.told(at, v)
	if v.Type() == timeType {
		return
	}
	for i := range v.NumField() {
		switch f := v.Type().Field(i); {
		case f.IsExported(), f.Anonymous && f.Type.Kind() == reflect.Struct:
			g.add(mix(at, hashString(f.Name)), v.Field(i), depth+1)
		case f.Name != "_" && !told:
			g.o.partial = true
		}
	}
}

var timeType = reflect.TypeFor[time.Time]()

// told takes in what a value itself says that it is, and reports whether it says so.
func (g *got) told(at uint64, v reflect.Value) bool {
	if !v.CanInterface() {
		return false
	}
	switch x := v.Interface().(type) {
	case time.Time:
		g.hold(at, x)
		return true
	case driver.Valuer:
		if d, ok := valueOf(x); ok {
			g.hold(at, d)
			return true
		}
	case fmt.Stringer:
		g.hold(at, x.String())
		return true
	}
	return false
}

// scalar takes in a value without parts, and the text that it has, as a UUID does.
func (g *got) scalar(at uint64, v reflect.Value) {
	g.told(at, v)
	if v.Kind() == reflect.String {
		g.hold(at, v.String())
		return
	}
	if val, ok := g.o.reflected(v); ok {
		g.has(at, val)
	}
}

func (g *got) hold(at uint64, x any) {
	val, ok := g.o.scalar(x)
	if !ok {
		return
	}
	number, ok := g.has(at, val)
	if s, composite := compositeCell(x); ok && composite {
		g.o.cellParts(number, s)
		g.o.quick = true
	}
}

// has says that a place has a value.
func (g *got) has(at uint64, val value) (number uint32, ok bool) {
	if val.null {
		return 0, false
	}
	if len(g.o.list) >= maxParts {
		g.o.partial = true
		return 0, false
	}
	if number, ok = g.o.originOf(newSource(at, ofRow, equal), nil); ok {
		g.o.list[number].field = g.field
		g.o.hasCell(number, val)
	}
	return number, ok
}
