package values

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"sync"
	"unsafe"
)

var plainTypes sync.Map // of bool by reflect.Type

// Plain reports whether a copy of a value of a type shares no memory with it that anybody
// could change: truth values, numbers, texts, times, and arrays and structs of these.
func Plain(t reflect.Type) bool {
	if known, ok := plainTypes.Load(t); ok {
		return known.(bool)
	}
	plain := isPlain(t)
	plainTypes.Store(t, plain)
	return plain
}

func isPlain(t reflect.Type) bool {
	if t == timeType {
		return true
	}
	switch t.Kind() {
	case reflect.Bool, reflect.String,
		reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64,
		reflect.Float32, reflect.Float64, reflect.Complex64, reflect.Complex128:
		return true
	case reflect.Array:
		return isPlain(t.Elem())
	case reflect.Struct:
		for i := range t.NumField() {
			if !isPlain(t.Field(i).Type) {
				return false
			}
		}
		return true
	default:
		return false
	}
}

// JSONFault says why values of a type do not survive encoding/json, "" when they may. What
// only a value can show is not looked at.
func JSONFault(t reflect.Type) string { return jsonFault(t, map[reflect.Type]bool{}) }

func jsonFault(t reflect.Type, seen map[reflect.Type]bool) string {
	if seen[t] {
		return ""
	}
	seen[t] = true
	if has, fault := ownJSON(t); has {
		return fault
	}
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Array:
		return jsonFault(t.Elem(), seen)
	case reflect.Map:
		return jsonFault(t.Elem(), seen)
	case reflect.Struct:
		return jsonFields(t, seen)
	case reflect.Interface:
		return fmt.Sprintf("%v does not say which type comes back", t)
	case reflect.Chan, reflect.Func, reflect.Complex64, reflect.Complex128, reflect.UnsafePointer:
		return fmt.Sprintf("%v has no JSON", t)
	default:
		return ""
	}
}

func jsonFields(t reflect.Type, seen map[reflect.Type]bool) string {
	for i := range t.NumField() {
		f := t.Field(i)
		switch {
		case f.Name == "_":
			continue
		case f.Tag.Get("json") == "-":
			return fmt.Sprintf("the field %v.%s is left out of the JSON", t, f.Name)
		case !f.IsExported() && !f.Anonymous:
			return fmt.Sprintf("the field %v.%s is not exported", t, f.Name)
		case !f.IsExported() && f.Type.Kind() != reflect.Struct:
			return fmt.Sprintf("the embedded field %v.%s is not exported", t, f.Name)
		}
		if fault := jsonFault(f.Type, seen); fault != "" {
			return fault
		}
	}
	return ""
}

var (
	marshaler       = reflect.TypeFor[json.Marshaler]()
	unmarshaler     = reflect.TypeFor[json.Unmarshaler]()
	textMarshaler   = reflect.TypeFor[encoding.TextMarshaler]()
	textUnmarshaler = reflect.TypeFor[encoding.TextUnmarshaler]()
)

// ownJSON reports whether a type says itself how it is encoded, and the fault if it does
// not say how it is decoded.
func ownJSON(t reflect.Type) (has bool, fault string) {
	if t.Kind() == reflect.Interface {
		return false, ""
	}
	is := func(i reflect.Type) bool { return t.Implements(i) || reflect.PointerTo(t).Implements(i) }
	switch {
	case is(marshaler) && is(unmarshaler), !is(marshaler) && is(textMarshaler) && is(textUnmarshaler):
		return true, ""
	case is(marshaler), is(textMarshaler):
		return true, fmt.Sprintf("%v says how it is encoded, and not how it is decoded", t)
	}
	return false, ""
}

// SizeOf is about how many bytes a value keeps in memory beside itself: what it points to,
// each piece once.
func SizeOf(v any) int {
	s := sizer{seen: map[unsafe.Pointer]bool{}}
	rv := reflect.ValueOf(v)
	if !rv.IsValid() {
		return 0
	}
	s.add(rv)
	return int(rv.Type().Size()) + s.bytes
}

// maxPieces bounds how much of a value is looked at. What comes after is not counted.
const maxPieces = 1 << 20

type sizer struct {
	seen   map[unsafe.Pointer]bool
	bytes  int
	pieces int
}

// add adds what a value points to.
func (s *sizer) add(v reflect.Value) {
	if s.pieces++; s.pieces > maxPieces {
		return
	}
	switch v.Kind() {
	case reflect.String:
		s.bytes += v.Len()
	case reflect.Pointer:
		if !v.IsNil() && s.first(v.UnsafePointer()) {
			s.bytes += int(v.Type().Elem().Size())
			s.add(v.Elem())
		}
	case reflect.Interface:
		if !v.IsNil() {
			s.bytes += int(v.Elem().Type().Size())
			s.add(v.Elem())
		}
	case reflect.Slice:
		if v.Len() > 0 && s.first(v.UnsafePointer()) {
			s.bytes += v.Cap() * int(v.Type().Elem().Size())
			s.each(v)
		}
	case reflect.Array:
		s.each(v)
	case reflect.Map:
		if !v.IsNil() && s.first(v.UnsafePointer()) {
			s.bytes += v.Len() * 2 * int(v.Type().Key().Size()+v.Type().Elem().Size())
			for it := v.MapRange(); it.Next(); {
				s.add(it.Key())
				s.add(it.Value())
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			s.add(v.Field(i))
		}
	default:
	}
}

// each adds what the elements of a list point to.
func (s *sizer) each(v reflect.Value) {
	switch v.Type().Elem().Kind() {
	case reflect.String, reflect.Pointer, reflect.Interface, reflect.Slice, reflect.Array, reflect.Map, reflect.Struct:
	default:
		return // they point to nothing
	}
	for i := range v.Len() {
		s.add(v.Index(i))
	}
}

func (s *sizer) first(p unsafe.Pointer) bool {
	if s.seen[p] {
		return false
	}
	s.seen[p] = true
	return true
}
