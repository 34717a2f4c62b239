package opkey

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"slices"
)

// ErrUnencodable is returned for variables whose value cannot be told from its bytes:
// uploads, pointers, structs and other types than those of decoded JSON, NaN and the
// infinities, nesting beyond 100 levels. Such a request must not be cached.
var ErrUnencodable = errors.New("opkey: a variable cannot be encoded")

// maxDepth bounds the nesting of variables: a client chooses it.
const maxDepth = 100

// AppendVariables appends the canonical form of an operation's coerced variables, see the
// package comment. nil and an empty map are the same: no variables. It does not allocate
// for maps of up to 16 keys, beyond growing dst. On error the bytes are returned as far
// as they were written.
func AppendVariables(dst []byte, vars map[string]any) ([]byte, error) {
	return appendMap(dst, vars, 0)
}

// appendMap appends a count and the members by name.
func appendMap(dst []byte, m map[string]any, depth int) ([]byte, error) {
	dst = appendCount(dst, len(m))
	if len(m) == 0 {
		return dst, nil
	}
	var buf [inPlace]string
	keys := buf[:0]
	if len(m) > inPlace {
		keys = make([]string, 0, len(m))
	}
	for k := range m {
		keys = append(keys, k)
	}
	sortKeys(keys)
	var err error
	for _, k := range keys {
		dst = AppendPart(dst, k)
		if dst, err = appendValue(dst, m[k], depth+1); err != nil {
			return dst, err
		}
	}
	return dst, nil
}

// sortKeys sorts a few keys by insertion: that is quicker, and keeps the array on the
// stack.
func sortKeys(keys []string) {
	if len(keys) > inPlace {
		slices.Sort(keys)
		return
	}
	for i := 1; i < len(keys); i++ {
		for j := i; j > 0 && keys[j] < keys[j-1]; j-- {
			keys[j], keys[j-1] = keys[j-1], keys[j]
		}
	}
}

func appendValue(dst []byte, v any, depth int) ([]byte, error) {
	if depth > maxDepth {
		return dst, ErrUnencodable
	}
	switch v := v.(type) {
	case nil:
		return append(dst, 'n'), nil
	case bool:
		return appendBool(dst, v), nil
	case string:
		return AppendPart(append(dst, 's'), v), nil
	case json.Number:
		// The text as it came: 1 and 1.0 differ for a custom scalar.
		return AppendPart(append(dst, '#'), string(v)), nil
	case int64:
		return appendNumber(dst, reflect.Int64, uint64(v)), nil
	case int:
		return appendNumber(dst, reflect.Int, uint64(v)), nil
	case float64:
		return appendFloat(dst, reflect.Float64, v)
	case []any:
		return appendList(dst, v, depth)
	case map[string]any:
		if v == nil {
			return append(dst, 'O'), nil
		}
		return appendMap(append(dst, 'o'), v, depth)
	}
	return appendReflected(dst, reflect.ValueOf(v), depth)
}

func appendBool(dst []byte, b bool) []byte {
	if b {
		return append(dst, 't')
	}
	return append(dst, 'f')
}

// appendNumber keeps the Go kind: a resolver that gets its argument as any can tell them
// apart.
func appendNumber(dst []byte, kind reflect.Kind, bits uint64) []byte {
	return binary.BigEndian.AppendUint64(append(dst, 'k', byte(kind)), bits)
}

// appendFloat refuses what JSON has no text for. NaN moreover differs from itself.
func appendFloat(dst []byte, kind reflect.Kind, f float64) ([]byte, error) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return dst, ErrUnencodable
	}
	return appendNumber(dst, kind, math.Float64bits(f)), nil
}

// appendList tells a nil list from an empty one: both are empty lists to GraphQL, but a
// scalar that encodes its value as JSON answers null for the one and [] for the other.
func appendList(dst []byte, list []any, depth int) ([]byte, error) {
	if list == nil {
		return append(dst, 'L'), nil
	}
	dst = appendCount(append(dst, 'l'), len(list))
	var err error
	for _, v := range list {
		if dst, err = appendValue(dst, v, depth+1); err != nil {
			return dst, err
		}
	}
	return dst, nil
}
