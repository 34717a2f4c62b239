package extractor

import (
	"encoding/json"
	"math"
	"reflect"
	"strconv"
	"unicode/utf8"

	"github.com/google/uuid"
)

// CanonicalID returns what all spellings of a key have in common, given the key as a JSON
// scalar. The result is nil for null, arrays, objects and what is no JSON, and never nil
// otherwise. It may share memory with raw.
//
// UUIDs of any version become lower case with hyphens, whether they were written in upper
// case, in braces, as urn:uuid: or without hyphens. So does any other key of 32
// hexadecimal digits, which does no harm: the mapping keeps different values apart. Other
// strings are kept as they are, with bytes that are not UTF-8 replaced by U+FFFD. Numbers
// become plain decimal digits: 1, 1.0, 1e0 and the string "1" are one key, the string
// "1.0" is another.
func CanonicalID(raw []byte) []byte {
	if len(raw) == 0 {
		return nil
	}
	switch raw[0] {
	case '"':
		if len(raw) < 2 || raw[len(raw)-1] != '"' {
			return nil
		}
		inner := raw[1 : len(raw)-1]
		if len(inner) == 36 && isCanonicalUUID(inner) {
			return inner
		}
		if !plainText(inner) {
			var s string
			if json.Unmarshal(raw, &s) != nil {
				return nil
			}
			inner = []byte(s)
		}
		return canonicalText(inner)
	case 't', 'f':
		if string(raw) == "true" || string(raw) == "false" {
			return raw
		}
		return nil
	default:
		return canonicalNumber(raw)
	}
}

// CanonicalValue is CanonicalID for a Go value: a string, json.Number, integer, float,
// bool, a named type of those, or a uuid.UUID. It reports false for everything else, for
// NaN and for infinities.
func CanonicalValue(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return CanonicalString(v), true
	case json.Number:
		n := canonicalNumber([]byte(v))
		return string(n), n != nil
	case int:
		return strconv.Itoa(v), true
	case int64:
		return strconv.FormatInt(v, 10), true
	case bool:
		return strconv.FormatBool(v), true
	case uuid.UUID:
		return v.String(), true
	case nil:
		return "", false
	}
	r := reflect.ValueOf(v)
	switch r.Kind() {
	case reflect.String:
		return CanonicalString(r.String()), true
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return strconv.FormatInt(r.Int(), 10), true
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return strconv.FormatUint(r.Uint(), 10), true
	case reflect.Float32, reflect.Float64:
		return canonicalFloat(r.Float(), r.Type().Bits())
	case reflect.Bool:
		return strconv.FormatBool(r.Bool()), true
	}
	return "", false
}

// CanonicalString is CanonicalID for the text of a string.
func CanonicalString(s string) string {
	if len(s) == 36 && isCanonicalUUID(s) {
		return s
	}
	if c := canonicalText([]byte(s)); string(c) != s {
		return string(c)
	}
	return s
}

func canonicalFloat(f float64, bits int) (string, bool) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return "", false
	}
	n := canonicalNumber(strconv.AppendFloat(nil, f, 'e', -1, bits))
	return string(n), n != nil
}

// plainText reports whether the inside of a JSON string is its text.
func plainText(s []byte) bool {
	for _, c := range s {
		if c == '\\' || c == '"' || c < ' ' {
			return false
		}
	}
	return true
}

// canonicalText returns s itself where it is canonical already.
func canonicalText(s []byte) []byte {
	switch len(s) {
	case 36:
		if isCanonicalUUID(s) {
			return s
		}
	case 38:
		// uuid.Parse takes any two bytes for the braces.
		if s[0] != '{' || s[37] != '}' {
			return validText(s)
		}
	case 32, 45:
	default:
		return validText(s)
	}
	id, err := uuid.ParseBytes(s)
	if err != nil {
		return validText(s)
	}
	text, _ := id.MarshalText()
	return text
}

// validText replaces what is not UTF-8, as decoding it from JSON would.
func validText(s []byte) []byte {
	if utf8.Valid(s) {
		return s
	}
	return []byte(string([]rune(string(s))))
}

func isCanonicalUUID[T string | []byte](s T) bool {
	for i := range len(s) {
		c := s[i]
		switch i {
		case 8, 13, 18, 23:
			if c != '-' {
				return false
			}
		default:
			if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
				return false
			}
		}
	}
	return true
}
