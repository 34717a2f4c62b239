package values

import (
	"encoding/binary"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cascadeql/cascadeql/gqlcache/internal/opkey"
)

// The bytes of a key. This is the only place that says how they are laid out.
//
//	key    = 'V' · scope · tenant · name · arg*
//	scope  = 'A' for all callers | 'O' outside of requests
//	       | 'P' · vary, inside of a public operation | 'R' · part: the predicate's text · vary
//	       | 'H' · part: header fields · 'P' … or 'R' …, inside of an operation that names some
//	vary   = count as a uvarint · part*
//	tenant = '-' | 'T' · part
//	name   = part
//	arg    = part: its name · value
//	value  = '0' | 't' | 'f' | 'i' varint | 'u' uvarint | 'd' 8 bytes | 's' part | 'b' part
//	       | 'c' part: a time | 'l' count · value*
//	part   = length as a uvarint · bytes: opkey.AppendPart
//
// Each piece says where it ends, so a reader takes the key apart from the front, and no
// two keys that differ in a piece have the same bytes. The first byte is none with which
// the key of an operation begins: see package plans.

// Version is the first byte of every key.
const Version = 'V'

// FailureKey returns the key under which an error is kept in place of the value of a key.
func FailureKey(key string) string { return failureVersion + key[1:] }

// failureVersion is the first byte of those, in place of Version.
const failureVersion = "E"

// The bytes of a key that say who shares it.
const (
	scopeAll       = 'A'
	scopeOutside   = 'O'
	scopePublic    = 'P'
	scopePredicate = 'R'
	scopeHeaders   = 'H'
)

// inlineSize is how many bytes of arguments a key holds without memory of its own.
const inlineSize = 96

// A Key is what a program builds for a value. The zero Key has no name, and is invalid.
type Key struct {
	name, tenant string
	tenanted     bool
	fault        string
	n            int
	inline       [inlineSize]byte
	long         []byte // in place of inline; nothing appends to it in place
}

// KeyOf returns a key without tenant and arguments.
func KeyOf(name string) Key { return Key{name: name} }

// Name returns the key's name.
func (k *Key) Name() string { return k.name }

// Tenant returns the key's tenant, and whether it has one.
func (k *Key) Tenant() (string, bool) { return k.tenant, k.tenanted }

// WithTenant returns the key with a tenant.
func (k Key) WithTenant(tenant string) Key {
	if tenant == "" {
		k.invalid("the tenant is empty")
	}
	k.tenant, k.tenanted = tenant, true
	return k
}

// With returns the key with one more argument.
func (k Key) With(name string, value any) Key {
	var scratch [64]byte
	b := opkey.AppendPart(scratch[:0], name)
	fault := ""
	switch t := value.(type) {
	case time.Time:
		b = appendTime(b, t)
	case *time.Time:
		if t == nil {
			b = append(b, '0')
		} else {
			b = appendTime(b, *t)
		}
	default:
		v := reflect.ValueOf(value)
		var ok bool
		if b, ok = appendScalar(b, v); !ok {
			var list []byte // not b: a function that calls itself would have it in the heap
			list, fault = appendValue(nil, v, 0)
			b = append(b, list...)
		}
	}
	if fault != "" {
		k.invalid("the argument " + name + " " + fault)
		return k
	}
	k.write(b)
	return k
}

// invalid notes the first fault.
func (k *Key) invalid(fault string) {
	if k.fault == "" {
		k.fault = fault
	}
}

// Fault says why the key is of no use, "" when it is not.
func (k *Key) Fault() string {
	if k.fault == "" && k.name == "" {
		return "it has no name"
	}
	return k.fault
}

func (k *Key) write(b []byte) {
	if k.long == nil && k.n+len(b) <= inlineSize {
		k.n += copy(k.inline[k.n:], b)
		return
	}
	// A copy, which keeps k out of the heap, too.
	long := append(make([]byte, 0, len(k.args())+len(b)), k.args()...)
	k.long = append(long, b...)
}

// args returns the bytes of the arguments. They are the key's.
func (k *Key) args() []byte {
	if k.long != nil {
		return k.long
	}
	return k.inline[:k.n]
}

// A Scope says who shares a value. The strings are not kept.
type Scope struct {
	// All is everybody, Outside everybody outside of requests; Public those who ask a
	// public operation. With none of them it is the callers with one predicate.
	All, Outside, Public bool
	Predicate            string
	// Vary are the other texts that keep callers apart. They do not count for All and
	// Outside.
	Vary []string
	// Headers has the values of the header fields that the operation depends on, "" when
	// it names none. As Vary.
	Headers string
}

// AppendTo appends the bytes of the key in a scope. The key must be valid.
func (k *Key) AppendTo(b []byte, s *Scope) []byte {
	b = append(b, Version)
	if s.Headers != "" && !s.All && !s.Outside {
		b = opkey.AppendPart(append(b, scopeHeaders), s.Headers)
	}
	switch {
	case s.All:
		b = append(b, scopeAll)
	case s.Outside:
		b = append(b, scopeOutside)
	case s.Public:
		b = appendVary(append(b, scopePublic), s.Vary)
	default:
		b = appendVary(opkey.AppendPart(append(b, scopePredicate), s.Predicate), s.Vary)
	}
	if k.tenanted {
		b = opkey.AppendPart(append(b, 'T'), k.tenant)
	} else {
		b = append(b, '-')
	}
	b = opkey.AppendPart(b, k.name)
	return append(b, k.args()...)
}

// IsOf reports whether a key has the name and the tenant of another one, so that they differ
// in their arguments only.
func (k *Key) IsOf(o *Key) bool {
	return k.name == o.name && k.tenanted == o.tenanted && k.tenant == o.tenant
}

// AppendLike is AppendTo in the scope of another key, by the bytes of that. REQUIRES: IsOf.
func (k *Key) AppendLike(b []byte, o *Key, key []byte) []byte {
	b = append(b, key[:len(key)-len(o.args())]...)
	return append(b, k.args()...)
}

func appendVary(b []byte, vary []string) []byte {
	b = binary.AppendUvarint(b, uint64(len(vary)))
	for _, part := range vary {
		b = opkey.AppendPart(b, part)
	}
	return b
}

// maxDepth bounds lists in lists, and pointers to pointers.
const maxDepth = 8

// appendScalar appends a value that has no parts. false: it has, or cannot be appended. It
// calls no method of the value.
func appendScalar(b []byte, v reflect.Value) (_ []byte, ok bool) {
	switch v.Kind() {
	case reflect.Invalid:
		return append(b, '0'), true
	case reflect.Bool:
		if v.Bool() {
			return append(b, 't'), true
		}
		return append(b, 'f'), true
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return binary.AppendVarint(append(b, 'i'), v.Int()), true
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		if n := v.Uint(); n > math.MaxInt64 {
			return binary.AppendUvarint(append(b, 'u'), n), true
		}
		return binary.AppendVarint(append(b, 'i'), int64(v.Uint())), true
	case reflect.Float32, reflect.Float64:
		f := v.Float()
		if math.IsNaN(f) {
			return b, false
		}
		return binary.BigEndian.AppendUint64(append(b, 'd'), math.Float64bits(f+0)), true // -0 is 0
	case reflect.String:
		return opkey.AppendPart(append(b, 's'), v.String()), true
	default:
		return b, false
	}
}

// appendValue appends a value by its kind.
func appendValue(b []byte, v reflect.Value, depth int) (_ []byte, fault string) {
	if depth > maxDepth {
		return b, "is nested too deeply"
	}
	b, ok := appendScalar(b, v)
	if ok {
		return b, ""
	}
	switch v.Kind() {
	case reflect.Float32, reflect.Float64:
		return b, "is not a number"
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return append(b, '0'), ""
		}
		return appendValue(b, v.Elem(), depth+1)
	case reflect.Slice, reflect.Array:
		return appendList(b, v, depth)
	default:
	}
	return b, "is of type " + v.Type().String() + ", which has no fixed text; use a text, a number, a truth value, a list of these, or a time"
}

func appendList(b []byte, v reflect.Value, depth int) (_ []byte, fault string) {
	if v.Kind() == reflect.Slice && v.IsNil() {
		return append(b, '0'), ""
	}
	n := v.Len()
	if v.Type().Elem().Kind() == reflect.Uint8 { // a digest, a UUID
		b = binary.AppendUvarint(append(b, 'b'), uint64(n))
		for i := range n {
			b = append(b, byte(v.Index(i).Uint()))
		}
		return b, ""
	}
	b = binary.AppendUvarint(append(b, 'l'), uint64(n))
	for i := range n {
		if b, fault = appendValue(b, v.Index(i), depth+1); fault != "" {
			return b, fault
		}
	}
	return b, ""
}

var timeType = reflect.TypeFor[time.Time]()

// appendTime appends an instant: where it was told does not matter.
func appendTime(b []byte, t time.Time) []byte {
	var text [40]byte
	return opkey.AppendPart(append(b, 'c'), t.UTC().AppendFormat(text[:0], time.RFC3339Nano))
}

// maxText bounds the text of a key for people.
const maxText = 400

// String returns the key for people: board(tenant: "a", limit: 10).
func (k *Key) String() string {
	if fault := k.Fault(); fault != "" {
		return strconv.Quote(k.name) + ", which is invalid: " + fault
	}
	var s strings.Builder
	describe(&s, k.name, k.tenant, k.tenanted, slices.Clone(k.args())) // or each key would be in the heap
	return clip(s.String())
}

// Describe returns the text of a key from its bytes, without its scope. ok is false for
// other bytes.
func Describe(key []byte) (text string, ok bool) {
	rest, ok := cutScope(key)
	if !ok || len(rest) == 0 {
		return "", false
	}
	tenanted := rest[0] == 'T'
	rest = rest[1:]
	var tenant, name []byte
	if tenanted {
		if tenant, rest, ok = opkey.CutPart(rest); !ok {
			return "", false
		}
	}
	if name, rest, ok = opkey.CutPart(rest); !ok {
		return "", false
	}
	var s strings.Builder
	if !describe(&s, string(name), string(tenant), tenanted, rest) {
		return "", false
	}
	return clip(s.String()), true
}

// cutScope returns a key without what says who shares it.
func cutScope(key []byte) (rest []byte, ok bool) {
	if len(key) < 2 || key[0] != Version {
		return nil, false
	}
	kind, rest := key[1], key[2:]
	if kind == scopeHeaders {
		if _, rest, ok = opkey.CutPart(rest); !ok || len(rest) == 0 {
			return nil, false
		}
		if kind, rest = rest[0], rest[1:]; kind != scopePublic && kind != scopePredicate {
			return nil, false
		}
	}
	switch kind {
	case scopeAll, scopeOutside:
		return rest, true
	case scopePredicate:
		if _, rest, ok = opkey.CutPart(rest); !ok {
			return nil, false
		}
	case scopePublic:
	default:
		return nil, false
	}
	count, width := binary.Uvarint(rest)
	if width <= 0 {
		return nil, false
	}
	rest = rest[width:]
	for range count {
		if _, rest, ok = opkey.CutPart(rest); !ok {
			return nil, false
		}
	}
	return rest, true
}

// describe writes a key for people, and reports whether its arguments could be read.
func describe(s *strings.Builder, name, tenant string, tenanted bool, args []byte) bool {
	s.WriteString(name)
	sep := "("
	if tenanted {
		fmt.Fprintf(s, "%stenant: %q", sep, tenant)
		sep = ", "
	}
	for len(args) > 0 {
		arg, rest, ok := opkey.CutPart(args)
		if !ok {
			return false
		}
		fmt.Fprintf(s, "%s%s: ", sep, arg)
		if args, ok = describeValue(s, rest); !ok {
			return false
		}
		sep = ", "
	}
	if sep == ", " {
		s.WriteByte(')')
	}
	return true
}

// describeValue writes a value for people, and returns what comes after it.
func describeValue(s *strings.Builder, b []byte) (rest []byte, ok bool) {
	if len(b) == 0 {
		return nil, false
	}
	kind, rest := b[0], b[1:]
	switch kind {
	case '0', 't', 'f':
		s.WriteString(map[byte]string{'0': "null", 't': "true", 'f': "false"}[kind])
		return rest, true
	case 'i':
		n, width := binary.Varint(rest)
		s.WriteString(strconv.FormatInt(n, 10))
		return rest[max(0, width):], width > 0
	case 'u':
		n, width := binary.Uvarint(rest)
		s.WriteString(strconv.FormatUint(n, 10))
		return rest[max(0, width):], width > 0
	case 'd':
		if len(rest) < 8 {
			return nil, false
		}
		s.WriteString(strconv.FormatFloat(math.Float64frombits(binary.BigEndian.Uint64(rest)), 'g', -1, 64))
		return rest[8:], true
	case 's', 'b', 'c':
		part, rest, ok := opkey.CutPart(rest)
		switch kind {
		case 's':
			s.WriteString(strconv.Quote(string(part)))
		case 'b':
			fmt.Fprintf(s, "%x", part)
		case 'c':
			s.Write(part)
		}
		return rest, ok
	case 'l':
		return describeList(s, rest)
	}
	return nil, false
}

func describeList(s *strings.Builder, b []byte) (rest []byte, ok bool) {
	n, width := binary.Uvarint(b)
	if width <= 0 {
		return nil, false
	}
	b = b[width:]
	s.WriteByte('[')
	for i := range n {
		if i > 0 {
			s.WriteString(", ")
		}
		if b, ok = describeValue(s, b); !ok {
			return nil, false
		}
	}
	s.WriteByte(']')
	return b, true
}

func clip(text string) string {
	if len(text) <= maxText {
		return text
	}
	return strings.ToValidUTF8(text[:maxText], "") + "…"
}
