package wire_test

import (
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/cascadeql/cascadeql/gqlcache/internal/wire"
)

// TestAcceptEncoding: which of the owner's encodings, zstd before gzip, an answer is sent
// in.
func TestAcceptEncoding(t *testing.T) {
	t.Parallel()
	a, s := wire.NewReady(long), encoding("zstd", "gzip")
	for _, row := range []struct {
		name   string
		header []string
		want   string
	}{
		{"no header", nil, ""},
		{"nothing", []string{""}, ""},
		{"one", []string{"gzip"}, "gzip"},
		{"both: the owner's order", []string{"gzip, zstd"}, "zstd"},
		{"both: the client's weights", []string{"gzip, zstd;q=0.999"}, "gzip"},
		{"on two lines", []string{"gzip;q=0.5", "zstd;q=0.6"}, "zstd"},
		{"in capitals", []string{"GZip;Q=1.0"}, "gzip"},
		{"by its old name", []string{"x-gzip"}, "gzip"},
		{"by no name", []string{"x-zstd, gzipped"}, ""},
		{"refused", []string{"gzip;q=0, zstd;q=0.000"}, ""},
		{"everything", []string{"*"}, "zstd"},
		{"everything but one", []string{"*, zstd;q=0"}, "gzip"},
		{"nothing else", []string{"gzip;q=0.1, *;q=0"}, "gzip"},
		{"nothing at all", []string{"*;q=0"}, ""},
		{"everything, one more", []string{"*;q=0.1, gzip;q=0.2"}, "gzip"},
		{"anything is as good as identity", []string{"identity, gzip"}, "gzip"},
		{"identity is better", []string{"identity, gzip;q=0.5"}, ""},
		{"identity is like everything", []string{"gzip;q=0.5, *"}, "zstd"},
		{"identity is worse", []string{"identity;q=0.5, gzip;q=0.6"}, "gzip"},
		{"identity is refused", []string{"identity;q=0, gzip;q=0.001"}, "gzip"},
		{"nothing is left", []string{"identity;q=0"}, ""},
		{"others", []string{"br, deflate"}, ""},
		{"the first mention counts", []string{"gzip;q=0, gzip"}, ""},
		{"with space", []string{" zstd ; q=0.2 ,\tgzip\t; q=0.3 "}, "gzip"},
		{"with other parameters", []string{"gzip;level=9;q=0.3"}, "gzip"},
		{"malformed: no weight", []string{"gzip;q=, zstd;q=0.1"}, "zstd"},
		{"malformed: more than 1", []string{"gzip;q=1.001, zstd;q=0.1"}, "zstd"},
		{"malformed: a large weight", []string{"gzip;q=2, zstd;q=0.1"}, "zstd"},
		{"malformed: four decimals", []string{"gzip;q=0.0001, zstd;q=0.1"}, "zstd"},
		{"malformed: no number", []string{"gzip;q=0.x, zstd;q=0.1"}, "zstd"},
		{"malformed: no point", []string{"gzip;q=01, zstd;q=0.1"}, "zstd"},
		{"malformed: q alone", []string{"gzip;q, zstd;q=0.1"}, "zstd"},
		{"malformed: a sign", []string{"gzip;q=-1, zstd;q=0.1"}, "zstd"},
		{"empty elements", []string{",;, ,gzip,"}, "gzip"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			r := ask(http.MethodPost)
			for _, l := range row.header {
				r.Header.Add("Accept-Encoding", l)
			}
			if got := send(a, r, s).Header().Get("Content-Encoding"); got != row.want {
				t.Errorf("%q, want %q", got, row.want)
			}
		})
	}
}

// TestManyEncodings: those beyond the bound are not looked at.
func TestManyEncodings(t *testing.T) {
	t.Parallel()
	s := encoding("a", "b", "c", "d", "e", "f", "g", "h", "i")
	for name, want := range map[string]string{"h": "h", "i": ""} {
		if got := send(wire.NewReady(long), ask(http.MethodPost, "Accept-Encoding: "+name), s).Header().Get("Content-Encoding"); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

var weightSyntax = regexp.MustCompile(`^(0(\.[0-9]{0,3})?|1(\.0{0,3})?)$`)

// slowly chooses one of the encodings as the RFC says, from all that a header says.
func slowly(header string, own []string) string {
	said := map[string]float64{}
	for element := range strings.SplitSeq(strings.ToLower(header), ",") {
		fields := strings.Split(element, ";")
		name, q, ok := strings.Trim(fields[0], " \t"), 1.0, true
		if name == "x-gzip" {
			name = "gzip"
		}
		for _, p := range fields[1:] {
			key, v, _ := strings.Cut(strings.Trim(p, " \t"), "=")
			if key == "q" {
				ok = ok && weightSyntax.MatchString(v)
				q, _ = strconv.ParseFloat(v, 64)
			}
		}
		if _, twice := said[name]; ok && (!twice || name == "*") {
			said[name] = q
		}
	}
	of := func(name string) float64 {
		if q, ok := said[name]; ok {
			return q
		}
		return said["*"]
	}
	chosen, most := "", 0.0
	for _, name := range own {
		if q := of(name); q > most && q >= of("identity") {
			chosen, most = name, q
		}
	}
	return chosen
}

// FuzzAcceptEncoding: the encoding is the one that a simple reader of the header chooses.
func FuzzAcceptEncoding(f *testing.F) {
	a, s := wire.NewReady(long), encoding("zstd", "gzip")
	for _, seed := range []string{"", "gzip", "gzip, deflate, br, zstd", "*;q=0.5, gzip;q=0.7", "identity;q=1, zstd;q=0.5", "gzip;q=1.0001", ";q=1,gzip", "zstd;q", "x-gzip;a=b;q=0.3"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, header string) {
		for _, c := range []byte(header) {
			if c >= 0x7f {
				return // no name has it, and capitals are another matter there
			}
		}
		r := ask(http.MethodPost)
		r.Header["Accept-Encoding"] = []string{header}
		want := slowly(header, []string{"zstd", "gzip"})
		if got := send(a, r, s).Header().Get("Content-Encoding"); got != want {
			t.Errorf("%q: %q, want %q", header, got, want)
		}
	})
}
