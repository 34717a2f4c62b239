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
			name, v, rest, ok := cutArgument(b)
			if !ok || !yield(quoted(name), v) {
				return
			}
			b = rest
		}
	}
}

func quoted(name []byte) string { return "argument \"" + string(name) + "\"" }

// cutArgument returns the name and the value of an argument, and what comes after it.
func cutArgument(b []byte) (name []byte, v any, rest []byte, ok bool) {
	if name, rest, ok = opkey.CutPart(b); ok {
		v, rest, ok = cutValue(rest)
	}
	return name, v, rest, ok
}

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

// pieces are those of a key. args are bytes of it.
type pieces struct {
	scope        Scope
	tenant, name string
	tenanted     bool
	args         []byte
}

// ScopeOf returns who shares the value of a key, by the key's bytes, and its other parts:
// see Key.Parts. ok is false for other bytes.
func ScopeOf(key []byte) (s Scope, others iter.Seq2[string, any], ok bool) {
	p, ok := cut(key)
	if !ok {
		return s, nil, false
	}
	return p.scope, parts(p.tenant, p.tenanted, p.args), true
}

// cut takes a key apart, but for its arguments. ok is false for other bytes.
func cut(key []byte) (p pieces, ok bool) {
	if len(key) == 0 || key[0] != Version {
		return p, false
	}
	rest, ok := p.scope.cut(key[1:])
	if !ok || len(rest) == 0 {
		return p, false
	}
	if p.tenanted = rest[0] == 'T'; p.tenanted {
		p.tenant, rest, ok = cutText(rest[1:])
	} else {
		rest = rest[1:]
	}
	if ok {
		p.name, p.args, ok = cutText(rest)
	}
	return p, ok
}

// cut sets the scope that bytes begin with, and returns what comes after it.
func (s *Scope) cut(b []byte) (rest []byte, ok bool) {
	if len(b) == 0 {
		return nil, false
	}
	kind, rest := b[0], b[1:]
	if kind == scopeHeaders {
		if s.Headers, rest, ok = cutText(rest); !ok || len(rest) == 0 {
			return nil, false
		}
		if kind, rest = rest[0], rest[1:]; kind != scopePublic && kind != scopePredicate {
			return nil, false
		}
	}
	switch kind {
	case scopeAll:
		s.All = true
		return rest, true
	case scopeOutside:
		s.Outside = true
		return rest, true
	case scopePublic:
		s.Public = true
	case scopePredicate:
		if s.Predicate, rest, ok = cutText(rest); !ok {
			return nil, false
		}
	default:
		return nil, false
	}
	count, width := binary.Uvarint(rest)
	if width <= 0 {
		return nil, false
	}
	rest = rest[width:]
	for range count {
		var part string
		if part, rest, ok = cutText(rest); !ok {
			return nil, false
		}
		s.Vary = append(s.Vary, part)
	}
	return rest, true
}

func cutText(b []byte) (text string, rest []byte, ok bool) {
	part, rest, ok := opkey.CutPart(b)
	return string(part), rest, ok
}
