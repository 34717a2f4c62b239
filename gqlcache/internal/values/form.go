package values

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"reflect"
	"sync"

	"github.com/cascadeql/cascadeql/gqlcache/internal/opkey"
)

// SharedKey returns the key of a value in a store that other instances share: a SHA-256, so
// that neither who has the value nor what it was computed of can be read there. The first
// byte is none with which the key of an operation begins.
func SharedKey(key string) string {
	sum := sha256.Sum256([]byte(key))
	return string(append([]byte{Version}, sum[:]...))
}

// A Form says what the bytes of a value mean: those of two values are not exchanged unless
// they have one form.
type Form [16]byte

var typeForms sync.Map // of Form by reflect.Type

// FormOf returns the form of values of a type that a codec encodes: of the kinds, the names
// and the tags in the type, and in all that it is made of, and of the codec's type and what
// can be read of its settings. A nil codec is encoding/json.
func FormOf(t reflect.Type, codec any) Form {
	form, ok := typeForms.Load(t)
	if !ok {
		form = formOf(t)
		typeForms.Store(t, form)
	}
	if codec == nil {
		return form.(Form)
	}
	of := form.(Form)
	b := append([]byte("codec"), of[:]...)
	by := reflect.TypeOf(codec)
	of = formOf(by)
	b = append(b, of[:]...)
	if Plain(by) {
		b = fmt.Appendf(b, "%#v", codec)
	}
	return digest(b)
}

func digest(b []byte) (f Form) {
	sum := sha256.Sum256(b)
	copy(f[:], sum[:])
	return f
}

func formOf(t reflect.Type) Form {
	w := typeWriter{seen: map[reflect.Type]int{}}
	w.typ(t)
	return digest(w.out)
}

// A typeWriter writes a type so that two that differ anywhere have other bytes.
type typeWriter struct {
	out  []byte
	seen map[reflect.Type]int
}

func (w *typeWriter) text(s string) { w.out = opkey.AppendPart(w.out, s) }

func (w *typeWriter) number(n int) { w.out = binary.AppendUvarint(w.out, uint64(n)) }

func (w *typeWriter) typ(t reflect.Type) {
	if n, ok := w.seen[t]; ok {
		w.out = append(w.out, '^')
		w.number(n)
		return
	}
	w.seen[t] = len(w.seen)
	w.out = append(w.out, byte(t.Kind()))
	w.text(t.PkgPath())
	w.text(t.Name())
	switch t.Kind() {
	case reflect.Struct:
		w.fields(t)
	case reflect.Map:
		w.typ(t.Key())
		w.typ(t.Elem())
	case reflect.Array:
		w.number(t.Len())
		w.typ(t.Elem())
	case reflect.Pointer, reflect.Slice, reflect.Chan:
		w.typ(t.Elem())
	case reflect.Interface, reflect.Func:
		w.text(t.String())
	default:
	}
}

func (w *typeWriter) fields(t reflect.Type) {
	w.number(t.NumField())
	for i := range t.NumField() {
		f := t.Field(i)
		w.text(f.Name)
		w.text(f.PkgPath)
		w.text(string(f.Tag))
		if f.Anonymous {
			w.out = append(w.out, 'a')
		}
		w.typ(f.Type)
	}
}

// The bytes of a value in a store that other instances share:
//
//	shared = layout · kind · form · checksum, CRC-32C of all others, big-endian · body
//	kind   = 'v' a value · 'a' it is known that there is none; its body is empty
//
// The checksum is for stores without one of their own: a number that has lost its last digit
// is a number.
const (
	sharedLayout = 1
	sharedValue  = 'v'
	sharedAbsent = 'a'

	sharedSumAt = 2 + len(Form{})
	sharedHead  = sharedSumAt + crc32.Size
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// AppendShared appends the bytes with which other instances get a value.
func AppendShared(b []byte, absent bool, form Form, body []byte) []byte {
	kind := byte(sharedValue)
	if absent {
		kind = sharedAbsent
	}
	at := len(b)
	b = append(b, sharedLayout, kind)
	b = append(b, form[:]...)
	b = append(b, 0, 0, 0, 0)
	b = append(b, body...)
	binary.BigEndian.PutUint32(b[at+sharedSumAt:], sumOf(b[at:]))
	return b
}

// sumOf leaves out its own bytes.
func sumOf(b []byte) uint32 {
	return crc32.Update(crc32.Checksum(b[:sharedSumAt], castagnoli), castagnoli, b[sharedHead:])
}

// CutShared takes the bytes apart that AppendShared has written. The body is a part of
// them. ok is false for other bytes.
func CutShared(b []byte) (absent bool, form Form, body []byte, ok bool) {
	if len(b) < sharedHead || b[0] != sharedLayout || binary.BigEndian.Uint32(b[sharedSumAt:]) != sumOf(b) {
		return false, form, nil, false
	}
	absent = b[1] == sharedAbsent
	if !absent && b[1] != sharedValue || absent && len(b) > sharedHead {
		return false, form, nil, false
	}
	copy(form[:], b[2:])
	return absent, form, b[sharedHead:len(b):len(b)], true
}
