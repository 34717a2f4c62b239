package keycheck

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/cespare/xxhash/v2"
)

// A value is a scalar, by hashes.
type value struct {
	// exact tells values apart that are written differently, folded is equal for spellings
	// of one value: letter case, space around it, zeros, the types of Go and of drivers.
	exact, folded uint64
	// null says that there is no value.
	null bool
	// whole says that it is a whole number, n.
	whole bool
	n     int64
	// plain says that it is one of few, by its looks: a truth value, a whole number, a name
	// without digits.
	plain bool
	// at is the time that it is, the zero time when it is none.
	at time.Time
	// float is the number that it is, if it is a float64 and no whole one.
	float float64
}

// A normalizer makes values. It keeps buffers, and must not be used concurrently.
type normalizer struct {
	buf, decoded []byte
	// quick says that folded and null are enough.
	quick bool
}

// longest is how much of a text is looked at for another form than its own.
const longest = 4096

var null = value{exact: xxhash.Sum64String("\x00null"), folded: xxhash.Sum64String("\x00null"), null: true, plain: true}

// scalar returns the value of v, false when it is a list or something else with parts.
func (n *normalizer) scalar(v any) (value, bool) {
	switch v := v.(type) {
	case nil:
		return null, true
	case string:
		return n.text(v), true
	case []byte:
		if v == nil {
			return null, true
		}
		return n.bytes(v), true
	case int64:
		return n.whole(v), true
	case int:
		return n.whole(int64(v)), true
	case int32:
		return n.whole(int64(v)), true
	case float64:
		return n.float(v), true
	case bool:
		return n.truth(v), true
	case time.Time:
		return n.time(v), true
	case json.Number:
		return n.text(v.String()), true
	case fmt.Stringer:
		return n.stringer(v)
	}
	return n.reflected(reflect.ValueOf(v))
}

// stringer makes a value of types such as uuid.UUID and decimal.Decimal.
func (n *normalizer) stringer(v fmt.Stringer) (val value, ok bool) {
	rv := reflect.ValueOf(v)
	switch rv.Kind() {
	case reflect.Pointer, reflect.Interface:
		if rv.IsNil() {
			return null, true
		}
	case reflect.Slice, reflect.Map:
		return n.reflected(rv)
	}
	defer func() {
		if recover() != nil {
			val, ok = value{}, false
		}
	}()
	return n.text(v.String()), true
}

func (n *normalizer) reflected(rv reflect.Value) (value, bool) {
	for rv.Kind() == reflect.Pointer || rv.Kind() == reflect.Interface {
		if rv.IsNil() {
			return null, true
		}
		rv = rv.Elem()
		if rv.CanInterface() {
			if t, ok := rv.Interface().(time.Time); ok {
				return n.time(t), true
			}
		}
	}
	switch rv.Kind() {
	case reflect.String:
		return n.text(rv.String()), true
	case reflect.Bool:
		return n.truth(rv.Bool()), true
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return n.whole(rv.Int()), true
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return n.text(strconv.FormatUint(rv.Uint(), 10)), true
	case reflect.Float32, reflect.Float64:
		return n.float(rv.Float()), true
	case reflect.Slice, reflect.Array:
		if rv.Type().Elem().Kind() == reflect.Uint8 {
			b := make([]byte, rv.Len())
			reflect.Copy(reflect.ValueOf(b), rv)
			return n.bytes(b), true
		}
	}
	return value{}, false
}

func (n *normalizer) whole(i int64) value {
	n.buf = strconv.AppendInt(n.buf[:0], i, 10)
	h := xxhash.Sum64(n.buf)
	return value{exact: h, folded: h, whole: true, n: i, plain: true}
}

func (n *normalizer) float(f float64) value {
	if f == float64(int64(f)) && f > -1<<53 && f < 1<<53 {
		return n.whole(int64(f))
	}
	n.buf = strconv.AppendFloat(n.buf[:0], f, 'g', -1, 64)
	h := xxhash.Sum64(n.buf)
	return value{exact: h, folded: h, float: f}
}

func (n *normalizer) truth(b bool) value {
	v := n.text(strconv.FormatBool(b))
	v.plain = true
	return v
}

// time makes a value of a time. Databases keep microseconds at most.
func (n *normalizer) time(t time.Time) value {
	n.buf = append(n.buf[:0], "\x00time "...)
	n.buf = strconv.AppendInt(n.buf, t.Round(time.Microsecond).UnixMicro(), 10)
	h := xxhash.Sum64(n.buf)
	return value{exact: h, folded: h, at: t}
}

// bytes makes a value of bytes: of 16 that are no text the one of a UUID.
func (n *normalizer) bytes(b []byte) value {
	if !utf8.Valid(b) {
		if len(b) == 16 {
			n.buf = hex.AppendEncode(n.buf[:0], b)
			h := xxhash.Sum64(n.buf)
			return value{exact: h, folded: h}
		}
		h := xxhash.Sum64(b)
		return value{exact: h, folded: h}
	}
	n.buf = append(n.buf[:0], b...)
	return n.own()
}

func (n *normalizer) text(s string) value {
	n.buf = append(n.buf[:0], s...)
	return n.own()
}

// own makes a value of the text in the buffer, and overwrites it.
func (n *normalizer) own() value {
	b := n.buf
	var v value
	if !n.quick || len(b) > longest {
		v.exact = xxhash.Sum64(b)
	}
	if len(b) > longest {
		v.folded = v.exact
		return v
	}
	b = trim(b)
	if d, ok := decimal(b); ok {
		v.folded = xxhash.Sum64(d)
		v.n, v.whole = atoi(d)
		v.plain = v.whole
		v.exact = v.folded
		return v
	}
	if looksLikeTime(b) {
		if t, ok := parseTime(string(b)); ok {
			return n.time(t)
		}
	}
	b = fold(b)
	if u, ok := uuidText(b); ok {
		b = u
		v.exact = xxhash.Sum64(b)
	}
	v.folded, v.plain = xxhash.Sum64(b), !n.quick && isName(b)
	return v
}

func trim(b []byte) []byte {
	for len(b) > 0 && (b[0] == ' ' || b[0] >= '\t' && b[0] <= '\r') {
		b = b[1:]
	}
	for len(b) > 0 && (b[len(b)-1] == ' ' || b[len(b)-1] >= '\t' && b[len(b)-1] <= '\r') {
		b = b[:len(b)-1]
	}
	return b
}

// decimal returns a number without what makes no difference to it.
func decimal(b []byte) ([]byte, bool) {
	negative := len(b) > 0 && b[0] == '-'
	d := b
	if negative || len(b) > 0 && b[0] == '+' {
		d = d[1:]
	}
	point, digits := -1, 0
	for i, c := range d {
		switch {
		case c >= '0' && c <= '9':
			digits++
		case c == '.' && point < 0 && i > 0:
			point = i
		default:
			return nil, false
		}
	}
	if digits == 0 {
		return nil, false
	}
	if point >= 0 {
		for d[len(d)-1] == '0' {
			d = d[:len(d)-1]
		}
		if d[len(d)-1] == '.' {
			d = d[:len(d)-1]
		}
	}
	for len(d) > 1 && d[0] == '0' && d[1] != '.' {
		d = d[1:]
	}
	if negative && (len(d) > 1 || d[0] != '0') {
		start := cap(b) - cap(d) - 1 // d is a part of b, after the sign
		b[start] = '-'
		return b[start : start+1+len(d)], true
	}
	return d, true
}

func atoi(b []byte) (int64, bool) {
	if len(b) > 19 {
		return 0, false
	}
	i, err := strconv.ParseInt(string(b), 10, 64)
	return i, err == nil
}

// fold lowers the letters of b, in place where it is ASCII.
func fold(b []byte) []byte {
	for i, c := range b {
		if c >= utf8.RuneSelf {
			return foldRunes(b)
		}
		if c >= 'A' && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return b
}

func foldRunes(b []byte) []byte {
	out := make([]byte, 0, len(b)+8)
	for len(b) > 0 {
		r, size := utf8.DecodeRune(b)
		out = utf8.AppendRune(out, unicode.ToLower(r))
		b = b[size:]
	}
	return out
}

// uuidText returns the digits of a UUID, in place.
func uuidText(b []byte) ([]byte, bool) {
	if len(b) == 38 && b[0] == '{' && b[37] == '}' {
		b = b[1:37]
	}
	if len(b) != 36 || b[8] != '-' || b[13] != '-' || b[18] != '-' || b[23] != '-' {
		return nil, false
	}
	for _, c := range b {
		if !inUUID[c] {
			return nil, false
		}
	}
	copy(b[8:], b[9:13])
	copy(b[12:], b[14:18])
	copy(b[16:], b[19:23])
	copy(b[20:], b[24:36])
	return b[:32], true
}

// inUUID says which bytes are in one.
var inUUID = func() (in [256]bool) {
	for _, c := range []byte("0123456789abcdef-") {
		in[c] = true
	}
	return in
}()

// isName reports whether b may be one of few: letters and underscores, not many.
func isName(b []byte) bool {
	if len(b) == 0 || len(b) > 40 {
		return false
	}
	for _, c := range b {
		if (c < 'a' || c > 'z') && c != '_' {
			return false
		}
	}
	return true
}

func looksLikeTime(b []byte) bool {
	return len(b) >= 10 && len(b) <= 64 && b[4] == '-' && b[7] == '-' && b[0] >= '0' && b[0] <= '9'
}

// layouts are those in which clients, drivers and SQLite write times.
var layouts = []string{
	time.RFC3339Nano,
	"2006-01-02 15:04:05.999999999Z07:00",
	"2006-01-02 15:04:05.999999999-07",
	"2006-01-02 15:04:05.999999999",
	"2006-01-02T15:04:05.999999999",
	"2006-01-02T15:04",
	time.DateOnly,
	"2006-01-02 15:04:05.999999999 -0700 MST",
}

func parseTime(s string) (time.Time, bool) { return parseTimeIn(s, time.UTC) }

// parseTimeIn returns the time that a text is, in a zone if it has none.
func parseTimeIn(s string, zone *time.Location) (time.Time, bool) {
	for _, layout := range layouts {
		if t, err := time.ParseInLocation(layout, s, zone); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

// decode returns the text that s is the base64 form of.
func (n *normalizer) decode(s string) (string, bool) {
	b, ok := n.decodeBytes(s)
	if !ok || !isText(b) {
		return "", false
	}
	return string(b), true
}

// decodeBytes returns what s is the base64 form of. It is overwritten by the next call.
func (n *normalizer) decodeBytes(s string) ([]byte, bool) {
	s = strings.TrimRight(s, "=")
	if len(s) < 2 || len(s) > longest || len(s)%4 == 1 {
		return nil, false
	}
	encoding := base64.RawStdEncoding
	if strings.ContainsAny(s, "-_") {
		encoding = base64.RawURLEncoding
	}
	n.buf = append(n.buf[:0], s...)
	var err error
	n.decoded, err = encoding.AppendDecode(n.decoded[:0], n.buf)
	return n.decoded, err == nil && len(n.decoded) > 0
}

func isText(b []byte) bool { return utf8.Valid(b) && printable(b) }

func printable(b []byte) bool {
	for _, c := range b {
		if c < ' ' && c != '\t' && c != '\n' && c != '\r' || c == 0x7f {
			return false
		}
	}
	return true
}

// eachToken calls f for the parts of s that separators do not divide.
func eachToken(s string, within func(byte) bool, f func(token string)) {
	start := -1
	for i := 0; i <= len(s); i++ {
		in := i < len(s) && within(s[i])
		if in && start < 0 {
			start = i
		}
		if !in && start >= 0 {
			f(s[start:i])
			start = -1
		}
	}
}

// inToken says what a token is made of: no separators but those within names and
// addresses.
func inToken(c byte) bool {
	return inWord(c) || c == '-' || c == '_' || c == '@' || c == '.'
}

// inWord says what a word is made of.
func inWord(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= utf8.RuneSelf
}
