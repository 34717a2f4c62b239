package wire_test

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/cascadeql/cascadeql/gqlcache/internal/wire"
)

// TestIfNoneMatch: which tags are those of an answer that the client has. X stands for
// the opaque part of the tag.
func TestIfNoneMatch(t *testing.T) {
	t.Parallel()
	a := wire.NewReady(long)
	opaque := strings.Trim(a.ETag(), `"`)
	s := encoding("gzip", "mine")
	for _, row := range []struct {
		name   string
		header []string // If-None-Match
		accept string   // Accept-Encoding, "-" for none
		want   string   // the tag, empty for the whole answer
	}{
		{"no header", nil, "-", ""},
		{"its own", []string{`"X"`}, "-", `"X"`},
		{"compared weakly", []string{`W/"X"`}, "-", `W/"X"`},
		{"another", []string{`"Y"`}, "-", ""},
		{"its beginning", []string{`"X`}, "-", ""},
		{"another with the same beginning", []string{`"Xa"`}, "-", ""},
		{"any", []string{"*"}, "-", `"X"`},
		{"any, with space", []string{" *\t"}, "gzip", `W/"X"`},
		{"any, in a list", []string{`*, "Y"`}, "-", ""},
		{"any, after others", []string{`"Y", *`}, "-", ""},
		{"any, on two lines", []string{`"Y"`, "*"}, "-", ""},
		{"any, as a tag", []string{`"*"`}, "-", ""},
		{"in a list", []string{`"Y", W/"Z" ,"X"`}, "-", `"X"`},
		{"with empty elements", []string{`,, "Y",,"X"`}, "-", `"X"`},
		{"on the second line", []string{`"Y"`, `"X"`}, "-", `"X"`},
		{"after a malformed line", []string{`Y`, `"X"`}, "-", `"X"`},
		{"after a comma in a tag", []string{`"Y, ", "X"`}, "-", ""},
		{"without quotes", []string{`X`}, "-", ""},
		{"without the opening quote", []string{`X"`}, "-", ""},
		{"without a comma", []string{`"Y" "X"`}, "-", ""},
		{"weak in lower case", []string{`w/"X"`}, "-", ""},
		{"weak, with space", []string{`W/ "X"`}, "-", ""},
		{"after a malformed one", []string{`Y, "X"`}, "-", ""},
		{"before a malformed one", []string{`"X", Y`}, "-", `"X"`},
		{"of an encoding", []string{`"X-gzip"`}, "gzip", `"X-gzip"`},
		{"of an encoding, weakly", []string{`W/"X-gzip"`}, "br, gzip;q=0.1", `W/"X-gzip"`},
		{"of the owner's encoding", []string{`"X-mine"`}, "mine", `"X-mine"`},
		{"of an encoding around", []string{`"X-br"`}, "*", `"X-br"`},
		{"of no encoding", []string{`"X-other"`}, "*", ""},
		{"of an encoding that is not accepted", []string{`"X-gzip"`}, "br", ""},
		{"of an encoding that is refused", []string{`"X-gzip"`}, "gzip;q=0, *", ""},
		{"of an encoding, by who says nothing", []string{`"X-gzip"`}, "-", ""},
		{"the first that is accepted", []string{`"X-gzip", "X-br", "X"`}, "br", `"X-br"`},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			r := ask(http.MethodGet)
			for _, l := range row.header {
				r.Header.Add("If-None-Match", strings.ReplaceAll(l, "X", opaque))
			}
			if row.accept != "-" {
				r.Header.Set("Accept-Encoding", row.accept)
			}
			w := send(a, r, s)
			got := ""
			if w.Code == http.StatusNotModified {
				got = strings.ReplaceAll(w.Header().Get("Etag"), opaque, "X")
			}
			if got != row.want {
				t.Errorf("%q, want %q", got, row.want)
			}
		})
	}
}

var tagList = regexp.MustCompile(`^[, \t]*(?:(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"[ \t]*(?:,[, \t]*|$))*$`)
var tagInList = regexp.MustCompile(`(?:W/)?"([^"]*)"`)

// FuzzIfNoneMatch: a list that is well-formed is read as a simple reader does; of any
// other, nothing matches that is not in it.
func FuzzIfNoneMatch(f *testing.F) {
	a := wire.NewReady(short)
	opaque := strings.Trim(a.ETag(), `"`)
	for _, seed := range []string{``, `*`, `"X"`, `W/"X"`, `"Y", "X"`, `"Y" "X"`, `,,"X",`, `X`, `"X`, `"a,b",W/"X"`, `"Y", *`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, list string) {
		list = strings.ReplaceAll(list, "X", opaque)
		r := ask(http.MethodGet)
		r.Header["If-None-Match"] = []string{list}
		w := send(a, r, wire.Sending{})
		matched := w.Code == http.StatusNotModified
		every := strings.Trim(list, " \t") == "*"
		if matched && !every && !strings.Contains(list, w.Header().Get("Etag")) {
			t.Errorf("%q matches %s", list, w.Header().Get("Etag"))
		}
		if !tagList.MatchString(list) {
			return
		}
		want := slices.ContainsFunc(tagInList.FindAllStringSubmatch(list, -1), func(m []string) bool { return m[1] == opaque })
		if matched != want {
			t.Errorf("%q: matches %t, want %t", list, matched, want)
		}
	})
}
