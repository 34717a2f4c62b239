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

// The bytes of a key. Key.AppendTo writes them, and cut, in parts.go, is the only reader.
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

// SetTenant gives the key a tenant.
func (k *Key) SetTenant(tenant string) {
	if tenant == "" {
		k.invalid("the tenant is empty")
	}
	k.tenant, k.tenanted = tenant, true
}

// Add gives the key one more argument. Keys that were copied from it before keep theirs.
func (k *Key) Add(name string, value any) {
	if k.long != nil {
		var scratch [64]byte
		k.write(k.append(scratch[:0], name, value))
		return
	}
	// In place. What is longer than the array is in another one, and copied.
	b := k.append(k.inline[k.n:k.n], name, value)
	if k.n+len(b) <= inlineSize {
		k.n += len(b)
		return
	}
	k.write(b)
}

// append appends an argument, or nothing and notes what is wrong with it.
func (k *Key) append(room []byte, name string, value any) []byte {
	b := opkey.AppendPart(room, name)
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
		return room
	}
	return b
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

// write appends to the arguments, in memory of the key's own.
func (k *Key) write(b []byte) {
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
	// A copy of the arguments, or each key would be in the heap.
	text, _ := describe(&pieces{name: k.name, tenant: k.tenant, tenanted: k.tenanted, args: slices.Clone(k.args())})
	return text
}

// Describe returns the text of a key from its bytes, without its scope. ok is false for
// other bytes.
func Describe(key []byte) (text string, ok bool) {
	p, ok := cut(key)
	if !ok {
		return "", false
	}
	return describe(&p)
}

// describe writes a key for people. ok is false where its arguments cannot be read.
func describe(p *pieces) (text string, ok bool) {
	var s strings.Builder
	s.WriteString(p.name)
	sep := "("
	if p.tenanted {
		fmt.Fprintf(&s, "%stenant: %q", sep, p.tenant)
		sep = ", "
	}
	for args := p.args; len(args) > 0; {
		var name []byte
		var v any
		if name, v, args, ok = cutArgument(args); !ok {
			return "", false
		}
		fmt.Fprintf(&s, "%s%s: ", sep, name)
		describeValue(&s, v)
		sep = ", "
	}
	if sep == ", " {
		s.WriteByte(')')
	}
	return clip(s.String()), true
}

// describeValue writes a value of an argument for people: see cutValue.
func describeValue(s *strings.Builder, v any) {
	switch v := v.(type) {
	case nil:
		s.WriteString("null")
	case string:
		s.WriteString(strconv.Quote(v))
	case []byte:
		fmt.Fprintf(s, "%x", v)
	case float64:
		s.WriteString(strconv.FormatFloat(v, 'g', -1, 64))
	case time.Time:
		s.WriteString(v.Format(time.RFC3339Nano))
	case []any:
		s.WriteByte('[')
		for i, e := range v {
			if i > 0 {
				s.WriteString(", ")
			}
			describeValue(s, e)
		}
		s.WriteByte(']')
	default:
		fmt.Fprint(s, v)
	}
}

func clip(text string) string {
	if len(text) <= maxText {
		return text
	}
	return strings.ToValidUTF8(text[:maxText], "") + "…"
}
