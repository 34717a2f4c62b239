package keycheck

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// A form is a part of the key that resolvers write in another way. What can be made of it is
// made for values that nothing else explains. It is made of the part alone: what depends on
// the caller, too, explains nothing.
type form struct {
	hash   uint64
	kind   kind
	at     time.Time // that it is, or the zero time
	local  time.Time // that a text without a zone is in time.Local, if that is another one
	number float64   // that it is, or NaN
	text   string
	// squeezed is what squeeze makes of the text, once it was asked for.
	squeezed string
}

// maxForms is how many parts are looked at for each value.
const maxForms = 32

// form takes in a part, with its text if it is one.
func (o *origins) form(hash uint64, k kind, v *value, s string) {
	if len(o.forms) >= maxForms {
		return
	}
	f := form{hash: hash, kind: k, at: v.at, number: numberOf(v, s)}
	if len(s) <= longest {
		f.text = s
	}
	if !f.at.IsZero() {
		if t, ok := parseTimeIn(strings.TrimSpace(f.text), time.Local); ok && !t.Equal(f.at) {
			f.local = t
		}
	}
	if !f.at.IsZero() || !math.IsNaN(f.number) || f.text != "" {
		o.forms = append(o.forms, f)
	}
}

// numberOf returns the number that a value is, NaN when it is none.
func numberOf(v *value, s string) float64 {
	if v.whole {
		return float64(v.n)
	}
	if v.float != 0 {
		return v.float
	}
	if s = strings.TrimSpace(s); s != "" && (s[0] <= '9' || s[0] == '.') {
		if f, err := strconv.ParseFloat(s, 64); err == nil {
			return f
		}
	}
	return math.NaN()
}

// units are those in which times are written as numbers, since 1970.
var units = [...]struct {
	of    func(int64) time.Time
	write func(time.Time) int64
}{
	{func(n int64) time.Time { return time.Unix(n, 0) }, time.Time.Unix},
	{time.UnixMilli, time.Time.UnixMilli},
	{time.UnixMicro, time.Time.UnixMicro},
	{func(n int64) time.Time { return time.Unix(0, n) }, time.Time.UnixNano},
}

// instants takes in the times that a number may be, and the numbers that a time may be.
func (o *origins) instants(hash uint64, k kind, v *value) {
	for i, u := range units {
		s := newSource(mix(hash, uint64(i)), k, instant)
		switch {
		case !v.at.IsZero():
			o.hold(s, o.whole(u.write(v.at)))
		case v.whole:
			if t := u.of(v.n); t.Year() >= 1980 && t.Year() < 2200 {
				o.hold(s, o.time(t))
			}
		}
	}
}

// computed appends the origins of what a value may be computed from: the end of a day from a
// time in it, a number from one of another unit, a text from one with other separators, a
// digest from what it is of. text is the value's, "" where it has none.
func (o *origins) computed(dst []uint32, v *value, text string) []uint32 {
	if len(o.forms) == 0 {
		return dst
	}
	number, digest := numberOf(v, text), o.digest(text)
	o.squeezed = squeeze(o.squeezed[:0], text)
	for i := range o.forms {
		f := &o.forms[i]
		s := source(0)
		switch {
		case !v.at.IsZero():
			if how, ok := f.shift(v.at); ok {
				s = newSource(mix(f.hash, how), f.kind, shifted)
			}
		case v.whole && !f.at.IsZero():
			for unit, u := range units {
				if how, ok := f.shift(u.of(v.n)); ok {
					s = newSource(mix(f.hash, mix(how, uint64(unit))), f.kind, shifted)
				}
			}
		case digest != nil && f.digests(digest):
			s = newSource(f.hash, f.kind, digested)
		case !math.IsNaN(number) && !math.IsNaN(f.number):
			if n, ok := multiple(f.number, number); ok {
				s = newSource(mix(f.hash, math.Float64bits(n)), f.kind, scaled)
			}
		case len(o.squeezed) >= minSqueezed && f.squeeze() == string(o.squeezed):
			s = newSource(f.hash, f.kind, compact)
		}
		if s == 0 {
			continue
		}
		if n, ok := o.originOf(s, nil); ok {
			dst = append(dst, n)
		}
	}
	return dst
}

// shift reports how a time was made of the part: it is the beginning of the part's day, or of
// the next one, or the last moment before that. A text without a zone may be of time.Local:
// every program reads it in the same one. Another zone is not looked for, since it may be the
// caller's own, and then the key lacks it.
func (f *form) shift(t time.Time) (how uint64, ok bool) {
	if f.at.IsZero() {
		return 0, false
	}
	t = t.Round(time.Microsecond) // as databases do
	for i, at := range [...]time.Time{f.at, f.local} {
		if at.IsZero() || t.Sub(at).Abs() > 2*day {
			continue
		}
		y, m, d := at.Date()
		midnight := time.Date(y, m, d, 0, 0, 0, 0, at.Location())
		for j, from := range [...]time.Time{at, midnight} {
			for days := range 2 {
				next := from.AddDate(0, 0, days)
				for k, before := range [...]time.Duration{0, time.Second, time.Millisecond, time.Microsecond} {
					if next.Add(-before).Equal(t) {
						return uint64(1 + i + 2*j + 4*days + 8*k), true
					}
				}
			}
		}
	}
	return 0, false
}

const day = 24 * time.Hour

// factors are those between units that people use: of money, percent, time and length.
var factors = [...]float64{100, 1000, 60, 3600, 1e6}

// multiple returns by what a number was multiplied, or divided. The product may have been
// made whole: int(49.99*100) is 4998.
func multiple(from, to float64) (float64, bool) {
	if from == 0 {
		return 0, false
	}
	for _, f := range factors {
		if near(from*f, to) || to == math.Trunc(to) && math.Abs(from*f-to) < 1 {
			return f, true
		}
		if near(from/f, to) {
			return 1 / f, true
		}
	}
	return 0, false
}

func near(a, b float64) bool { return math.Abs(a-b) <= 1e-9*math.Abs(b) }

// minSqueezed is how long a text must be to be told without its separators.
const minSqueezed = 4

func (f *form) squeeze() string {
	if f.squeezed == "" {
		f.squeezed = string(squeeze(nil, f.text))
	}
	return f.squeezed
}

// squeeze appends the letters and digits of a text.
func squeeze(dst []byte, s string) []byte {
	for _, r := range s {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			dst = utf8.AppendRune(dst, unicode.ToLower(r))
		}
	}
	return dst
}

// isDigest reports whether bytes may be a digest, by how many they are.
func isDigest(n int) bool { return n == md5.Size || n == sha1.Size || n == sha256.Size }

// digest returns the digest that a text is, in hexadecimal, base64 or as it is; nil when it is
// none. It is overwritten by the next call of decodeBytes.
func (o *origins) digest(s string) []byte {
	if n := len(s); n%2 == 0 && isDigest(n/2) {
		o.buf = append(o.buf[:0], s...)
		var err error
		if o.decoded, err = hex.AppendDecode(o.decoded[:0], o.buf); err == nil {
			return o.decoded
		}
	}
	if b, ok := o.decodeBytes(s); ok && isDigest(len(b)) {
		return b
	}
	if isDigest(len(s)) && !utf8.ValidString(s) {
		return append(o.decoded[:0], s...)
	}
	return nil
}

// digests reports whether a digest is that of the part.
func (f *form) digests(digest []byte) bool {
	if f.text == "" {
		return false
	}
	switch b := []byte(f.text); len(digest) {
	case md5.Size:
		sum := md5.Sum(b)
		return string(sum[:]) == string(digest)
	case sha1.Size:
		sum := sha1.Sum(b)
		return string(sum[:]) == string(digest)
	case sha256.Size:
		sum := sha256.Sum256(b)
		return string(sum[:]) == string(digest)
	}
	return false
}
