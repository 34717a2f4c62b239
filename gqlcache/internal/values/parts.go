package values

import (
	"encoding/binary"
	"iter"
	"math"
	"slices"
	"time"

	"github.com/cascadeql/cascadeql/gqlcache/internal/opkey"
)

// TenantPart is the name of the tenant among the parts of a key. No argument has it.
const TenantPart = "the tenant"

// Parts returns the tenant and the arguments of a key, by their names, as values of Go: nil,
// bool, int64, uint64, float64, string, []byte, time.Time, and []any of these. An argument
// is called by its name in quotes. They are the caller's, and the key need not live as long.
func (k *Key) Parts() iter.Seq2[string, any] {
	return parts(k.tenant, k.tenanted, slices.Clone(k.args())) // or each key would be in the heap
}

func parts(tenant string, tenanted bool, args []byte) iter.Seq2[string, any] {
	return func(yield func(string, any) bool) {
		if tenanted && !yield(TenantPart, tenant) {
			return
		}
		for b := args; len(b) > 0; {
			name, rest, ok := opkey.CutPart(b)
			if !ok {
				return
			}
			var v any
			if v, b, ok = cutValue(rest); !ok || !yield(quoted(name), v) {
				return
			}
		}
	}
}

func quoted(name []byte) string { return "argument \"" + string(name) + "\"" }

// cutValue returns a value of an argument, and what comes after it.
func cutValue(b []byte) (v any, rest []byte, ok bool) {
	if len(b) == 0 {
		return nil, nil, false
	}
	kind, rest := b[0], b[1:]
	switch kind {
	case '0':
		return nil, rest, true
	case 't', 'f':
		return kind == 't', rest, true
	case 'i':
		n, width := binary.Varint(rest)
		return n, rest[max(0, width):], width > 0
	case 'u':
		n, width := binary.Uvarint(rest)
		return n, rest[max(0, width):], width > 0
	case 'd':
		if len(rest) < 8 {
			return nil, nil, false
		}
		return math.Float64frombits(binary.BigEndian.Uint64(rest)), rest[8:], true
	case 's', 'b', 'c':
		part, rest, ok := opkey.CutPart(rest)
		switch {
		case !ok:
		case kind == 's':
			v = string(part)
		case kind == 'b':
			v = slices.Clone(part)
		default:
			at, err := time.Parse(time.RFC3339Nano, string(part))
			v, ok = at, err == nil
		}
		return v, rest, ok
	case 'l':
		n, width := binary.Uvarint(rest)
		if width <= 0 {
			return nil, nil, false
		}
		rest = rest[width:]
		list := []any{}
		for range n {
			if v, rest, ok = cutValue(rest); !ok {
				return nil, nil, false
			}
			list = append(list, v)
		}
		return list, rest, true
	}
	return nil, nil, false
}

// ScopeOf returns who shares the value of a key, by the key's bytes, and its other parts:
// see Key.Parts. ok is false for other bytes.
func ScopeOf(key []byte) (s Scope, others iter.Seq2[string, any], ok bool) {
	rest, ok := cutScope(key)
	if !ok || len(rest) == 0 {
		return s, nil, false
	}
	scope := key[2 : len(key)-len(rest)]
	switch key[1] {
	case scopeAll:
		s.All = true
	case scopeOutside:
		s.Outside = true
	case scopePredicate:
		predicate, after, _ := opkey.CutPart(scope)
		s.Predicate, scope = string(predicate), after
	default:
		s.Public = true
	}
	if !s.All && !s.Outside {
		n, width := binary.Uvarint(scope)
		scope = scope[width:]
		for range n {
			var part []byte
			part, scope, _ = opkey.CutPart(scope)
			s.Vary = append(s.Vary, string(part))
		}
	}
	tenanted := rest[0] == 'T'
	rest = rest[1:]
	var tenant []byte
	if tenanted {
		if tenant, rest, ok = opkey.CutPart(rest); !ok {
			return s, nil, false
		}
	}
	if _, rest, ok = opkey.CutPart(rest); !ok {
		return s, nil, false
	}
	return s, parts(string(tenant), tenanted, rest), true
}
