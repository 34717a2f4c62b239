package rowtag

import (
	"math"
	"reflect"
	"strconv"

	"github.com/cespare/xxhash/v2"

	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/catalog"
)

// Null is the value of a column without one.
const Null Value = 0x6e756c6c_6e756c6c

// maxText bounds the text that a Known keeps for reads that search.
const maxText = 256

// ValueOf returns the normal form, under a class, of a value as a driver returns it or as
// it is bound to a parameter: two values that the database takes for equal have one. ok is
// false when that cannot be told. Unequal values may have one, too: that widens.
func ValueOf(class catalog.Class, v any) (value Value, ok bool) {
	if v == nil {
		return Null, true
	}
	switch class {
	case catalog.Int:
		n, ok := integer(v)
		return intValue(n), ok
	case catalog.Text:
		if s, ok := v.(string); ok {
			return hashed(class, s), true
		}
	case catalog.Opaque:
		return 0, false
	}
	switch b, text, kind := plain(v); kind {
	case isNull:
		return Null, true
	case isText:
		return ofText(class, text)
	case isBytes:
		return ofBytes(class, b)
	case isBool:
		if class == catalog.Bool {
			return intValue(int64(b[0])), true
		}
	case isInt:
		if class == catalog.Bool && (text == "0" || text == "1") { // SQLite
			return intValue(int64(text[0] - '0')), true
		}
	}
	return 0, false
}

// ofText is the value of a text under a class.
func ofText(class catalog.Class, text string) (Value, bool) {
	switch class {
	case catalog.Text:
		return hashed(class, text), true
	case catalog.UUID:
		var id [16]byte
		if !parseUUID(text, &id) {
			return 0, false
		}
		return hashed(class, string(id[:])), true
	case catalog.Bool:
		switch text {
		case "t", "true":
			return intValue(1), true
		case "f", "false":
			return intValue(0), true
		}
	}
	return 0, false // a text that is stored as bytes may be in any of several notations
}

// ofBytes is the value of bytes under a class. Drivers return texts as bytes, too.
func ofBytes(class catalog.Class, b []byte) (Value, bool) {
	switch class {
	case catalog.Bytes:
		return hashed(class, string(b)), true
	case catalog.UUID:
		if len(b) == 16 {
			return hashed(class, string(b)), true
		}
	}
	return ofText(class, string(b))
}

// A plainKind is what is left of a type's name.
type plainKind uint8

const (
	isOther plainKind = iota
	isNull
	isText
	isBytes
	isBool
	isInt
)

// plain takes the name from a value's type, and follows pointers.
func plain(v any) (b []byte, text string, kind plainKind) {
	switch x := v.(type) {
	case string:
		return nil, x, isText
	case []byte:
		if x == nil {
			return nil, "", isNull
		}
		return x, "", isBytes
	}
	rv := reflect.ValueOf(v)
	for range 4 {
		if rv.Kind() != reflect.Pointer && rv.Kind() != reflect.Interface {
			break
		}
		if rv.IsNil() {
			return nil, "", isNull
		}
		rv = rv.Elem()
	}
	switch rv.Kind() {
	case reflect.String:
		return nil, rv.String(), isText
	case reflect.Bool:
		if rv.Bool() {
			return []byte{1}, "", isBool
		}
		return []byte{0}, "", isBool
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return nil, strconv.FormatInt(rv.Int(), 10), isInt
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return nil, strconv.FormatUint(rv.Uint(), 10), isInt
	case reflect.Slice:
		if rv.Type().Elem().Kind() != reflect.Uint8 {
			break
		}
		if rv.IsNil() {
			return nil, "", isNull
		}
		return rv.Bytes(), "", isBytes
	case reflect.Array:
		if rv.Len() == 16 && rv.Type().Elem().Kind() == reflect.Uint8 {
			b := make([]byte, 16)
			reflect.Copy(reflect.ValueOf(b), rv)
			return b, "", isBytes
		}
	}
	return nil, "", isOther
}

// integer is the whole number that a database reads from a value.
func integer(v any) (int64, bool) {
	switch x := v.(type) {
	case int64:
		return x, true
	case float64:
		return wholeNumber(x)
	}
	b, text, kind := plain(v)
	switch kind {
	case isBytes: // a blob of SQLite, which no number equals, and which comes behind all of them
		return 0, false
	case isBool:
		return int64(b[0]), true
	case isOther:
		if rv := reflect.ValueOf(v); rv.Kind() == reflect.Float64 || rv.Kind() == reflect.Float32 {
			return wholeNumber(rv.Float())
		}
		return 0, false
	}
	n, err := strconv.ParseInt(text, 10, 64)
	return n, err == nil
}

// wholeNumber is exact below 2^53 only.
func wholeNumber(x float64) (int64, bool) {
	return int64(x), math.Trunc(x) == x && math.Abs(x) < 1<<53
}

// parseUUID reads 32 digits in any of the notations: with hyphens, in braces, in capitals.
func parseUUID(s string, id *[16]byte) bool {
	n := 0
	for i := range len(s) {
		c := s[i]
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		case c == '-' || c == '{' && i == 0 || c == '}' && i == len(s)-1:
			continue
		default:
			return false
		}
		if n == 32 {
			return false
		}
		id[n/2] = id[n/2]<<4 | c
		n++
	}
	return n == 32
}

// intSalt keeps small numbers apart from other hashes.
const intSalt = 0x9e3779b97f4a7c15

// intValue is a bijection, so that place can undo it, but for the two numbers that would
// be 0 or Null: they are Null, whose place is not known.
func intValue(n int64) Value {
	if v := Value(mix(uint64(n) + intSalt)); v != 0 {
		return v
	}
	return Null
}

// place returns where the value of an Int column is in the order of its numbers. ok is
// false for Null and for numbers below zero.
func place(v Value) (at uint64, ok bool) {
	if v == Null || v == 0 {
		return 0, false
	}
	n := unmix(uint64(v)) - intSalt
	return n, int64(n) >= 0
}

func hashed(class catalog.Class, s string) Value {
	if v := Value(mix(xxhash.Sum64String(s) + uint64(class))); v != 0 {
		return v
	}
	return Null
}

// mix is a bijection whose results are spread evenly: the finalizer of SplitMix64.
func mix(x uint64) uint64 {
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	return x ^ x>>31
}

// unmix undoes mix.
func unmix(x uint64) uint64 {
	x ^= x>>31 ^ x>>62
	x *= 0x319642b2d24d8ec3
	x ^= x>>27 ^ x>>54
	x *= 0x96de1b173f119089
	return x ^ x>>30 ^ x>>60
}
