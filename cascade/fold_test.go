package cascade

import (
	"math"
	"math/big"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"unicode"
)

// A collation maps texts that a server takes for one to one text. ok is false for a text
// that it refuses.
type collation struct {
	name string
	of   func(string) (string, bool)
}

func always(f func(string) string) func(string) (string, bool) {
	return func(s string) (string, bool) { return f(s), true }
}

// unaccented is a part of what Unicode collations ignore: enough to show what beyond
// ASCII may be equal to.
var unaccented = strings.NewReplacer(
	"é", "e", "É", "E", "ü", "u", "ß", "ss", "ﬁ", "fi", "Å", "A", "å", "a", "\u0301", "", "\u200b", "", "\u00ad", "",
	"１", "1", "８", "8", "Ａ", "A", "ａ", "a", "٨", "8", "ı", "i", "İ", "i", "K", "k", "æ", "ae", "－", "-",
)

func alphanumeric(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return -1
	}, s)
}

func finite(f float64, err error) (string, bool) {
	return strconv.FormatFloat(f+0, 'g', -1, 64), err == nil && !math.IsNaN(f)
}

// collations are conversions and comparisons that servers are known to have.
var collations = []collation{
	{"binary", always(func(s string) string { return s })},
	{"lower case", always(strings.ToLower)},
	{"padded", always(func(s string) string { return strings.TrimRight(s, " ") })},
	{"trimmed", always(strings.TrimSpace)},
	{"trimmed, lower case", always(func(s string) string { return strings.ToLower(strings.TrimSpace(s)) })},
	{"accents", always(func(s string) string { return strings.ToLower(unaccented.Replace(s)) })},
	{"shifted", always(func(s string) string { return strings.ToLower(unaccented.Replace(alphanumeric(s))) })},
	{"without hyphens", always(func(s string) string { return strings.ToLower(strings.ReplaceAll(s, "-", "")) })},
	{"ends at NUL", always(func(s string) string { before, _, _ := strings.Cut(s, "\x00"); return before })},
	{"Atoi", func(s string) (string, bool) { n, err := strconv.Atoi(s); return strconv.Itoa(n), err == nil }},
	{"Atoi, trimmed", func(s string) (string, bool) {
		n, err := strconv.Atoi(strings.TrimSpace(s))
		return strconv.Itoa(n), err == nil
	}},
	{"ParseInt with a base", func(s string) (string, bool) {
		n, err := strconv.ParseInt(s, 0, 64)
		return strconv.FormatInt(n, 10), err == nil
	}},
	{"ParseFloat", func(s string) (string, bool) { return finite(strconv.ParseFloat(s, 64)) }},
	{"ParseFloat, trimmed", func(s string) (string, bool) { return finite(strconv.ParseFloat(strings.TrimSpace(s), 64)) }},
	{"single precision", func(s string) (string, bool) {
		f, err := strconv.ParseFloat(s, 64)
		if math.Trunc(f) == f { // a column of whole numbers is not
			return "", false
		}
		return finite(float64(float32(f)), err)
	}},
	{"decimal", func(s string) (string, bool) {
		if len(s) > 40 || strings.ContainsAny(s, "/pPxXbBoO_") || strings.ContainsAny(s, "eE") && len(s) > 8 {
			return "", false
		}
		r, ok := new(big.Rat).SetString(s)
		if !ok {
			return "", false
		}
		return r.String(), true
	}},
	{"truth", func(s string) (string, bool) {
		switch strings.ToLower(strings.TrimSpace(s)) {
		case "t", "true", "y", "yes", "on", "1":
			return "1", true
		case "f", "false", "n", "no", "off", "0":
			return "0", true
		}
		return "", false
	}},
	{"uuid", func(s string) (string, bool) {
		s = strings.ToLower(s)
		s = strings.TrimPrefix(s, "urn:uuid:")
		s = strings.NewReplacer("-", "", "{", "", "}", "").Replace(s)
		return s, len(s) == 32 && strings.Trim(s, "0123456789abcdef") == ""
	}},
}

// mustMeet checks what every server may take for one value.
func mustMeet(t *testing.T, a, b string) {
	t.Helper()
	for _, c := range collations {
		x, ok := c.of(a)
		y, also := c.of(b)
		if !ok || !also || x != y {
			continue
		}
		if !mayBeSame(a, b) || !mayBeSame(b, a) {
			t.Errorf("%q and %q are equal (%s: %q), and share no class", a, b, c.name, x)
		}
		if !tagsMeet(a, b) {
			t.Errorf("%q and %q are equal (%s: %q), and share no tag", a, b, c.name, x)
		}
		// as values and keys, which are canonical before they are compared
		if p, q := ValueOf(a), ValueOf(b); !mayBeSame(p.text, q.text) {
			t.Errorf("the values of %q and %q are equal (%s: %q), and share no class: %q %q", a, b, c.name, x, p.text, q.text)
		}
	}
}

func tagsMeet(a, b string) bool {
	v := &View{Name: "v", hash: 7}
	var bld tagBuilder
	x, n := bld.row(v, []byte(a))
	y, m := bld.row(v, []byte(b))
	if n == 0 || m == 0 {
		return true
	}
	for _, h := range x[:n] {
		for _, g := range y[:m] {
			if h == g {
				return true
			}
		}
	}
	return false
}

// spellings are values with others that some server takes for the same.
var spellings = []string{
	"", "0", "8", "08", "+8", " 8", "8 ", "8.0", "8e0", "0.8e1", "80e-1", "0x8", "010", "1_000", "1000", "1e3", "-8", "-8.00", "-0", "100.00",
	"1e2", "0.30000000000000004", "0.3", "9007199254740993", "9007199254740992", "9007199254740993.0", "1.7976931348623157e308", "5e-324", "16777216.5",
	"0.1", "0.10000000149011612", "true", "TRUE", "t", "1", "yes", "false", "off", "abc", "ABC", "ab-c", "a b c", "abc ", "\tabc\n",
	"507F1F77BCF86CD799439011", "507f1f77bcf86cd799439011", "f47ac10b-58cc-4372-a567-0e02b2c3d479", "{F47AC10B-58CC-4372-A567-0E02B2C3D479}",
	"urn:uuid:f47ac10b-58cc-4372-a567-0e02b2c3d479", "f47ac10b58cc4372a5670e02b2c3d479", "F47A-C10B-58CC-4372-A567-0E02-B2C3-D479",
	"12345678-1234-1234-1234-123456789012", "12345678123412341234123456789012", "12345678123412341234123456789012.0",
	"ann@x", "Ann@X", "café", "cafe", "cafe\u0301", "straße", "strasse", "ﬁle", "file", "８", "٨", "K", "k", "a\x00b", "a\u200bb", "ab",
	"Inf", "+infinity", "007-a", "7a", "00", "---", ".", "1.", ".5", "0.5", "1.5", "15", "1,000", "VXNlcjo4=", "vxnlcjo4", "1e400",
}

func TestEqualValuesMeet(t *testing.T) {
	t.Parallel()
	for _, a := range spellings {
		for _, b := range spellings {
			mustMeet(t, a, b)
		}
	}
}

func FuzzEqualValuesMeet(f *testing.F) {
	for i, a := range spellings {
		f.Add(a, spellings[(i+1)%len(spellings)], uint64(i))
	}
	f.Fuzz(func(t *testing.T, a, b string, seed uint64) {
		mustMeet(t, a, b)
		for _, c := range [2]string{a, b} {
			mustMeet(t, c, respelled(c, rand.New(rand.NewPCG(seed, 1))))
		}
	})
}

// respelled returns another spelling of a text, such as clients come upon.
func respelled(s string, r *rand.Rand) string {
	for range 1 + r.IntN(3) {
		switch r.IntN(9) {
		case 0:
			s = strings.ToUpper(s)
		case 1:
			s = strings.ToLower(s)
		case 2:
			s += strings.Repeat(" ", 1+r.IntN(2))
		case 3:
			s = "0" + s
		case 4:
			s = "+" + s
		case 5:
			s += ".0"
		case 6:
			s += "e0"
		case 7:
			s = strings.ReplaceAll(s, "-", "")
		case 8:
			s = strings.NewReplacer("e", "é", "a", "å", "8", "８").Replace(s)
		}
	}
	return s
}

// Different values hardly ever meet: what is coarse about classes costs no hits.
func TestDifferentValuesDoNotMeet(t *testing.T) {
	t.Parallel()
	text := func(r *rand.Rand, alphabet string, n int) string {
		b := make([]byte, n)
		for i := range b {
			b[i] = alphabet[r.IntN(len(alphabet))]
		}
		return string(b)
	}
	const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	for _, kind := range []struct {
		name string
		make func(r *rand.Rand, i int) string
		most float64 // rows that share a tag with one row, of 100,000
	}{
		{"counted", func(_ *rand.Rand, i int) string { return strconv.Itoa(i) }, 0.001}, // 0 and 1 are truth values, and that is all
		{"negative", func(_ *rand.Rand, i int) string { return strconv.Itoa(-i) }, 0.001},
		{"11 of base62", func(r *rand.Rand, _ int) string { return text(r, base62, 11) }, 0},
		{"uuid", func(r *rand.Rand, _ int) string {
			return text(r, "0123456789abcdef", 8) + "-1234-4321-8765-" + text(r, "0123456789abcdef", 12)
		}, 0.001},
		{"hexadecimal", func(r *rand.Rand, _ int) string { return text(r, "0123456789abcdef", 24) }, 0},
		{"snowflake", func(r *rand.Rand, _ int) string { return strconv.FormatInt(r.Int64(), 10) }, 0.001},
		{"slugs", func(_ *rand.Rand, i int) string { return "post-" + strconv.Itoa(i) }, 0},
		{"prices", func(_ *rand.Rand, i int) string { return strconv.FormatFloat(float64(i)/100, 'f', -1, 64) }, 1.2},
	} {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(1, 2))
			var b tagBuilder
			v := &View{Name: "v", hash: 7}
			const rows = 100_000
			seen := map[uint64]int{}
			hits := 0
			for i := range rows {
				hashes, n := b.row(v, []byte(kind.make(r, i)))
				if n == 0 {
					t.Fatal("a row without a class")
				}
				for _, h := range hashes[:n] {
					hits += seen[h]
					seen[h]++
				}
			}
			if got := 2 * float64(hits) / rows; got > kind.most {
				t.Errorf("a row shares a tag with %.4f others, want at most %v", got, kind.most)
			}
		})
	}
}

func BenchmarkRowTag(b *testing.B) {
	v := &View{Name: "v", hash: 7}
	for _, key := range []string{"12345", "01890a5d-ac96-774b-bcce-b302099a8057", "507f1f77bcf86cd799439011", "9007199254740993", "1.50"} {
		b.Run(key, func(b *testing.B) {
			b.ReportAllocs()
			var t tagBuilder
			k := []byte(key)
			for b.Loop() {
				t.row(v, k)
			}
		})
	}
}

// TestTimesMeetAll: a point in time has as many texts as there are zones.
func TestTimesMeetAll(t *testing.T) {
	t.Parallel()
	for _, other := range []string{"2024-01-02T04:00:00+01:00", "2024-01-02", "1704164400", "2024-01-02 03:00"} {
		if !mayBeSame("2024-01-02T03:00:00Z", other) || !mayBeSame(other, "2024-01-02T03:00:00Z") {
			t.Errorf("never the same as %s", other)
		}
	}
	for _, text := range []string{"2024-01-02", "2024-01-02-and-more", "a024-01-02T03:00:00Z", "550e8400-e29b-41d4-a716-446655440000"} {
		if mayBeSame(text, "2024-01-03") {
			t.Errorf("%s meets all others", text)
		}
	}
}
