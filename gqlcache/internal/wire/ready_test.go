package wire_test

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/cascadeql/cascadeql/gqlcache/internal/wire"
	"github.com/cascadeql/cascadeql/internal/allocs"
)

// Bodies, and the tag of the short one.
var (
	short = []byte(`{"data":{"a":1}}`)
	long  = []byte(`{"data":"` + strings.Repeat("all work and no play ", 200) + `"}`)
)

// ask is a request for an answer, "Name: value" a line of its header.
func ask(method string, lines ...string) *http.Request {
	r := httptest.NewRequest(method, "/query", nil) //nolint:noctx // nobody waits for it
	for _, l := range lines {
		name, value, _ := strings.Cut(l, ": ")
		r.Header.Add(name, value)
	}
	return r
}

// send returns the response, with what the server has set in its header before.
func send(a *wire.Ready, r *http.Request, s wire.Sending, before ...string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	w.Header().Set("Content-Type", "application/json")
	for _, l := range before {
		name, value, _ := strings.Cut(l, ": ")
		w.Header().Add(name, value)
	}
	s.Length = true
	a.Send(w, r, &s)
	return w
}

// coding returns an encoding that is as good as its word: the name, and the length.
func coding(name string) wire.Encoding {
	return wire.Encoding{Name: name, Encode: func(dst, body []byte) ([]byte, error) {
		return fmt.Appendf(dst, "%s of %d", name, len(body)), nil
	}}
}

func grows(int) bool { return true }

// encoding sends in encodings that are made at once.
func encoding(names ...string) wire.Sending {
	s := wire.Sending{CacheControl: "no-cache", Vary: []string{"Accept"}, Grow: grows}
	for _, n := range names {
		s.Encodings = append(s.Encodings, coding(n))
	}
	return s
}

// header is what matters of a response's.
func header(w *httptest.ResponseRecorder) string {
	var list []string
	for _, name := range []string{"Content-Type", "Content-Length", "Content-Encoding", "Cache-Control", "Age", "Etag", "Vary"} {
		if v, ok := w.Header()[name]; ok {
			list = append(list, name+": "+strings.Join(v, "|"))
		}
	}
	return strings.Join(list, "\n")
}

// TestSend: the status, the header and the body of an answer, by method and by what the
// server has said before.
func TestSend(t *testing.T) {
	t.Parallel()
	tag := wire.NewReady(short).ETag()
	plain := wire.Sending{CacheControl: "private, no-cache", Vary: []string{"Accept", "Authorization"}}
	const typed = "Content-Type: application/json\n"
	for _, row := range []struct {
		name   string
		r      *http.Request
		s      wire.Sending
		before []string
		status int
		want   string
	}{
		{"POST with nothing to say", ask("POST"), wire.Sending{}, nil, 200, typed + "Content-Length: 16"},
		{"POST has no tag", ask("POST"), plain, nil, 200,
			typed + "Content-Length: 16\nCache-Control: private, no-cache\nVary: Accept|Authorization"},
		{"POST is sent whole", ask("POST", "If-None-Match: "+tag), plain, nil, 200,
			typed + "Content-Length: 16\nCache-Control: private, no-cache\nVary: Accept|Authorization"},
		{"GET", ask("GET"), plain, nil, 200,
			typed + "Content-Length: 16\nCache-Control: private, no-cache\nEtag: " + tag + "\nVary: Accept|Authorization"},
		{"GET of what is there", ask("GET", "If-None-Match: "+tag), plain, nil, 304,
			"Cache-Control: private, no-cache\nEtag: " + tag + "\nVary: Accept|Authorization"},
		{"GET that reloads", ask("GET", "If-None-Match: "+tag, "Cache-Control: no-cache"), plain, nil, 304,
			"Cache-Control: private, no-cache\nEtag: " + tag + "\nVary: Accept|Authorization"},
		{"GET of what was there", ask("GET", `If-None-Match: "other"`, "If-Modified-Since: Fri, 01 Jan 2100 00:00:00 GMT"), wire.Sending{}, nil, 200,
			typed + "Content-Length: 16\nEtag: " + tag},
		{"GET of a range", ask("GET", "Range: bytes=0-3"), wire.Sending{}, nil, 200, typed + "Content-Length: 16\nEtag: " + tag},
		{"HEAD", ask("HEAD"), wire.Sending{}, nil, 200, typed + "Content-Length: 16\nEtag: " + tag},
		{"HEAD of what is there", ask("HEAD", "If-None-Match: "+tag), wire.Sending{}, nil, 304, "Etag: " + tag},
		{"somebody may encode it", ask("GET", "Accept-Encoding: gzip"), wire.Sending{}, nil, 200, typed + "Content-Length: 16\nEtag: W/" + tag},
		{"nobody may encode it", ask("GET", "Accept-Encoding: identity, gzip;q=0"), wire.Sending{}, nil, 200, typed + "Content-Length: 16\nEtag: " + tag},
		{"an age", ask("GET"), wire.Sending{CacheControl: "public, max-age=0, s-maxage=9", Age: "2"}, nil, 200,
			typed + "Content-Length: 16\nCache-Control: public, max-age=0, s-maxage=9\nAge: 2\nEtag: " + tag},
		{"not to be stored", ask("GET", "If-None-Match: "+tag), wire.Sending{CacheControl: "no-store"}, nil, 200,
			typed + "Content-Length: 16\nCache-Control: no-store"},
		{"the server's Cache-Control", ask("GET"), wire.Sending{CacheControl: "no-cache", Age: "2"}, []string{"Cache-Control: max-age=9"}, 200,
			typed + "Content-Length: 16\nCache-Control: max-age=9\nEtag: " + tag},
		{"the server's ETag", ask("GET", "If-None-Match: "+tag), wire.Sending{}, []string{`ETag: "theirs"`}, 200,
			typed + `Content-Length: 16` + "\n" + `Etag: "theirs"`},
		{"the server encodes", ask("GET", "If-None-Match: "+tag), wire.Sending{CacheControl: "no-cache"}, []string{"Content-Encoding: gzip"}, 200,
			typed + "Content-Encoding: gzip\nCache-Control: no-cache"},
		{"the server's Vary", ask("GET"), plain, []string{"Vary: Origin, accept"}, 200,
			typed + "Content-Length: 16\nCache-Control: private, no-cache\nEtag: " + tag + "\nVary: Origin, accept|Authorization"},
		{"the server varies by everything", ask("GET"), plain, []string{"Vary: *"}, 200,
			typed + "Content-Length: 16\nCache-Control: private, no-cache\nEtag: " + tag + "\nVary: *"},
		{"a cookie", ask("GET", "If-None-Match: "+tag), plain, []string{"Set-Cookie: a=b"}, 200,
			typed + "Content-Length: 16\nCache-Control: no-store\nVary: Accept|Authorization"},
		{"a cookie, and nothing to say", ask("GET"), wire.Sending{}, []string{"Set-Cookie: a=b"}, 200,
			typed + "Content-Length: 16\nCache-Control: no-store"},
		{"a cookie to a POST", ask("POST"), plain, []string{"Set-Cookie: a=b"}, 200,
			typed + "Content-Length: 16\nCache-Control: no-store\nVary: Accept|Authorization"},
		{"a cookie to a POST, and nothing to say", ask("POST"), wire.Sending{}, []string{"Set-Cookie: a=b"}, 200, typed + "Content-Length: 16"},
		{"a cookie, by the owner's leave", ask("GET"), plain, []string{"Set-Cookie: a=b", "Cache-Control: private"}, 200,
			typed + "Content-Length: 16\nCache-Control: private\nEtag: " + tag + "\nVary: Accept|Authorization"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			w := send(wire.NewReady(short), row.r, row.s, row.before...)
			if got := header(w); w.Code != row.status || got != row.want {
				t.Errorf("%d\n%s\nwant %d\n%s", w.Code, got, row.status, row.want)
			}
			want := string(short)
			if row.status == http.StatusNotModified || row.r.Method == http.MethodHead {
				want = ""
			}
			if got := w.Body.String(); got != want {
				t.Errorf("body %q, want %q", got, want)
			}
		})
	}
}

// TestSendVariant: which body goes out, with which tag.
func TestSendVariant(t *testing.T) {
	t.Parallel()
	tag := strings.TrimSuffix(wire.NewReady(long).ETag(), `"`)
	fails := wire.Encoding{Name: "fails", Encode: func([]byte, []byte) ([]byte, error) { return nil, errors.New("no") }}
	const whole = ""
	for _, row := range []struct {
		name   string
		r      *http.Request
		change func(*wire.Sending)
		before string
		want   string // the encoding
		tag    string
		vary   string
	}{
		{"it is accepted", ask("GET", "Accept-Encoding: gzip"), nil, "", "gzip", tag + `-gzip"`, "Accept|Accept-Encoding"},
		{"to a POST", ask("POST", "Accept-Encoding: gzip"), nil, "", "gzip", "", "Accept|Accept-Encoding"},
		{"the other one is accepted", ask("GET", "Accept-Encoding: zstd"), nil, "", "zstd", tag + `-zstd"`, "Accept|Accept-Encoding"},
		{"another is accepted", ask("GET", "Accept-Encoding: br"), nil, "", whole, "W/" + tag + `"`, "Accept|Accept-Encoding"},
		{"none is accepted", ask("GET", "Accept-Encoding: "), nil, "", whole, tag + `"`, "Accept|Accept-Encoding"},
		{"there is none", ask("GET", "Accept-Encoding: gzip"), func(s *wire.Sending) { s.Encodings = nil }, "", whole, "W/" + tag + `"`, "Accept"},
		{"there is no room", ask("GET", "Accept-Encoding: gzip"), func(s *wire.Sending) { s.Grow = func(int) bool { return false } }, "", whole, "W/" + tag + `"`, "Accept|Accept-Encoding"},
		{"nobody gives room", ask("GET", "Accept-Encoding: gzip"), func(s *wire.Sending) { s.Grow = nil }, "", whole, "W/" + tag + `"`, "Accept|Accept-Encoding"},
		{"it is not time", ask("GET", "Accept-Encoding: gzip"), func(s *wire.Sending) { s.CompressAfter = 2 }, "", whole, "W/" + tag + `"`, "Accept|Accept-Encoding"},
		{"the next one", ask("GET", "Accept-Encoding: fails, gzip"), func(s *wire.Sending) { s.Encodings = slices.Insert(s.Encodings, 0, fails) }, "", "gzip", tag + `-gzip"`, "Accept|Accept-Encoding"},
		{"the server encodes", ask("GET", "Accept-Encoding: gzip"), nil, "Content-Encoding: br", "br", "", "Accept"},
		{"a cookie", ask("GET", "Accept-Encoding: gzip"), nil, "Set-Cookie: a=b", whole, "", "Accept"},
		{"the server's tag", ask("GET", "Accept-Encoding: gzip"), nil, `Etag: "t"`, "gzip", `"t"`, "Accept|Accept-Encoding"},
		{"HEAD makes none", ask("HEAD", "Accept-Encoding: gzip"), nil, "", whole, "W/" + tag + `"`, "Accept|Accept-Encoding"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			s := encoding("gzip", "zstd")
			if row.change != nil {
				row.change(&s)
			}
			before := []string{}
			if row.before != "" {
				before = append(before, row.before)
			}
			w := send(wire.NewReady(long), row.r, s, before...)
			body, length := string(long), fmt.Sprint(len(long))
			switch {
			case row.want == "br":
				length = "" // whoever encodes knows it
			case row.want != whole:
				body = fmt.Sprintf("%s of %d", row.want, len(long))
				length = fmt.Sprint(len(body))
			}
			if row.r.Method == http.MethodHead {
				body = ""
			}
			h := w.Header()
			if w.Body.String() != body || h.Get("Content-Length") != length {
				t.Errorf("%d bytes, Content-Length %q: %.30q", w.Body.Len(), h.Get("Content-Length"), w.Body)
			}
			if got := h.Get("Content-Encoding"); got != row.want {
				t.Errorf("encoding %q, want %q", got, row.want)
			}
			if got := h.Get("Etag"); got != row.tag {
				t.Errorf("tag %s, want %s", got, row.tag)
			}
			if got := strings.Join(h["Vary"], "|"); got != row.vary {
				t.Errorf("Vary %q, want %q", got, row.vary)
			}
		})
	}
}

// TestCompressAfter: an encoding is made at the n-th time that it is asked for, once.
func TestCompressAfter(t *testing.T) {
	t.Parallel()
	var made, grown int
	s := wire.Sending{
		CompressAfter: 3,
		Encodings: []wire.Encoding{{Name: "gzip", Encode: func(_, body []byte) ([]byte, error) {
			made++
			return body[:10], nil
		}}},
		Grow: func(n int) bool {
			grown += n
			return true
		},
	}
	a := wire.NewReady(long)
	before := a.Size()
	var got []int
	for range 5 {
		got = append(got, send(a, ask("POST", "Accept-Encoding: gzip"), s).Body.Len())
		send(a, ask("POST"), s)
		send(a, ask("HEAD", "Accept-Encoding: gzip"), s)
	}
	if want := []int{len(long), len(long), 10, 10, 10}; !slices.Equal(got, want) || made != 1 {
		t.Errorf("%d, made %d times, want %d", got, made, want)
	}
	if got := a.Size() - before; got != grown || got < 10 {
		t.Errorf("it has grown by %d bytes, and asked for %d", got, grown)
	}
	if w := send(a, ask("HEAD", "Accept-Encoding: gzip"), s); w.Header().Get("Content-Length") != "10" {
		t.Errorf("HEAD: %s", header(w))
	}
}

// TestUselessEncodings: whatever an encoding does, the body goes out, and it is tried
// once.
func TestUselessEncodings(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name   string
		body   []byte
		encode func(dst, body []byte) ([]byte, error)
		tries  int64
		err    string
	}{
		{"it fails", long, func([]byte, []byte) ([]byte, error) { return []byte("half"), errors.New("broken") }, 1, "broken"},
		{"it panics", long, func([]byte, []byte) ([]byte, error) { panic("broken") }, 1, "broken"},
		{"it makes nothing", long, func(dst, _ []byte) ([]byte, error) { return dst, nil }, 1, "no byte"},
		{"it makes as much", long, func(dst, body []byte) ([]byte, error) { return append(dst, body...), nil }, 1, ""},
		{"the body is small", long[:1399], func([]byte, []byte) ([]byte, error) { return []byte("small"), nil }, 0, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			var tries atomic.Int64
			var errs []error
			s := wire.Sending{
				Encodings: []wire.Encoding{{Name: "gzip", Encode: func(dst, body []byte) ([]byte, error) {
					tries.Add(1)
					return row.encode(dst, body)
				}}},
				Grow:    func(int) bool { return true },
				OnError: func(err error) { errs = append(errs, err) },
			}
			a := wire.NewReady(row.body)
			size := a.Size()
			for range 3 {
				w := send(a, ask("GET", "Accept-Encoding: gzip"), s)
				if !bytes.Equal(w.Body.Bytes(), row.body) || w.Header().Get("Content-Encoding") != "" {
					t.Fatalf("%s\n%d bytes", header(w), w.Body.Len())
				}
			}
			if tries.Load() != row.tries || a.Size() != size {
				t.Errorf("%d tries, %d bytes kept", tries.Load(), a.Size()-size)
			}
			if got := errors.Join(errs...); row.err == "" && got != nil || row.err != "" && (len(errs) != 1 || !strings.Contains(got.Error(), row.err)) {
				t.Errorf("errors: %v", errs)
			}
		})
	}
}

// TestServersTagPastSet: a tag is the server's in whatever case it writes the name.
func TestServersTagPastSet(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	theirs := []string{`"theirs"`}
	w.Header()["ETag"] = theirs
	wire.NewReady(short).Send(w, ask(http.MethodGet), &wire.Sending{})
	if w.Header()["Etag"] != nil {
		t.Errorf("a second tag: %v", w.Header())
	}
}

// TestETag: the tag is that of the body, the same on every instance.
func TestETag(t *testing.T) {
	t.Parallel()
	if got, want := wire.NewReady([]byte("a")).ETag(), `"ypeBEsobvcr6wjGzmiPcTQ"`; got != want { // the first half of SHA-256
		t.Errorf("%s, want %s", got, want)
	}
	if a, b := wire.NewReady(short).ETag(), wire.NewReady(long).ETag(); a == b {
		t.Errorf("two bodies with the tag %s", a)
	}
}

// TestSharedValues: the header of one response is not that of another.
func TestSharedValues(t *testing.T) {
	t.Parallel()
	a, s := wire.NewReady(long), encoding("gzip")
	r := ask("GET", "Accept-Encoding: gzip")
	first := header(send(a, r, s))
	w := send(a, r, s)
	for name := range w.Header() {
		w.Header().Add(name, "more")
	}
	if got := header(send(a, r, s)); got != first {
		t.Errorf("%s\nwant\n%s", got, first)
	}
}

// TestReadyAtOnce: many ask for the same answer at the same time. With -race.
func TestReadyAtOnce(t *testing.T) {
	t.Parallel()
	for range 20 {
		a := wire.NewReady(long)
		var made, grown atomic.Int64
		s := encoding("gzip", "zstd")
		s.CompressAfter = 2
		for i, e := range s.Encodings {
			var begun atomic.Bool
			s.Encodings[i].Encode = func(dst, body []byte) ([]byte, error) {
				made.Add(1)
				if begun.CompareAndSwap(false, true) { // another request comes meanwhile
					if w := send(a, ask("GET", "Accept-Encoding: "+e.Name), s); w.Body.String() != string(long) {
						t.Errorf("%s while it is encoded:\n%.40s", header(w), w.Body)
					}
				}
				return e.Encode(dst, body)
			}
		}
		s.Grow = func(n int) bool { grown.Add(int64(n)); return true }
		size := a.Size()
		var wg sync.WaitGroup
		for i := range 32 {
			name := s.Encodings[i%2].Name
			wg.Go(func() {
				w := send(a, ask("GET", "Accept-Encoding: "+name), s)
				want, tag := string(long), "W/"+a.ETag()
				if w.Header().Get("Content-Encoding") == name {
					want, tag = fmt.Sprintf("%s of %d", name, len(long)), strings.TrimSuffix(a.ETag(), `"`)+"-"+name+`"`
				}
				if w.Body.String() != want || w.Header().Get("Etag") != tag {
					t.Errorf("%s\n%.40s", header(w), w.Body)
				}
			})
		}
		wg.Wait()
		if made.Load() != 2 || int64(a.Size()-size) != grown.Load() {
			t.Errorf("made %d times, grown by %d for %d", made.Load(), a.Size()-size, grown.Load())
		}
	}
}

// sink is a writer whose header is used again, as nothing but Send is measured.
type sink struct{ header http.Header }

func (s *sink) Header() http.Header         { return s.header }
func (s *sink) WriteHeader(int)             {}
func (s *sink) Write(b []byte) (int, error) { return len(b), nil }

// TestSendAllocates: a hit costs no allocation.
func TestSendAllocates(t *testing.T) {
	gzip := encoding("gzip")
	gzip.Vary = []string{"Accept", "Accept-Encoding"}
	a := wire.NewReady(long)
	for name, row := range map[string]struct {
		r *http.Request
		s wire.Sending
	}{
		"POST":           {ask("POST", "Accept-Encoding: gzip, deflate, br, zstd"), wire.Sending{}},
		"POST, private":  {ask("POST"), wire.Sending{CacheControl: "private, no-cache", Vary: []string{"Accept"}}},
		"POST, gzip":     {ask("POST", "Accept-Encoding: gzip, deflate, br, zstd"), gzip},
		"GET":            {ask("GET", "Accept-Encoding: gzip"), wire.Sending{CacheControl: "no-cache"}},
		"GET, unchanged": {ask("GET", "Accept-Encoding: gzip", "If-None-Match: W/"+a.ETag()), wire.Sending{CacheControl: "no-cache"}},
	} {
		w := &sink{header: http.Header{"Content-Type": {"application/json"}}}
		if n := allocs.PerRun(100, func() {
			clear(w.header)
			a.Send(w, row.r, &row.s)
		}); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

func BenchmarkSend(b *testing.B) {
	gzip := encoding("gzip")
	gzip.Vary = []string{"Accept", "Accept-Encoding"}
	a := wire.NewReady(long)
	for name, row := range map[string]struct {
		r *http.Request
		s wire.Sending
	}{
		"post":         {ask("POST"), wire.Sending{CacheControl: "private, no-cache", Vary: []string{"Accept"}}},
		"post-gzip":    {ask("POST", "Accept-Encoding: gzip, deflate, br, zstd"), gzip},
		"not-modified": {ask("GET", "Accept-Encoding: gzip", "If-None-Match: W/"+a.ETag()), wire.Sending{CacheControl: "no-cache"}},
	} {
		b.Run(name, func(b *testing.B) {
			w := &sink{header: http.Header{}}
			b.ReportAllocs()
			for b.Loop() {
				clear(w.header)
				a.Send(w, row.r, &row.s)
			}
		})
	}
}
