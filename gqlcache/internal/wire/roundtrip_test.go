package wire_test

import (
	"bytes"
	stdgzip "compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzhttp"
	"github.com/klauspost/compress/zstd"

	"github.com/cascadeql/cascadeql/gqlcache/internal/wire"
)

// late is a writer that encodes what is written, and says so when the header is sent, as
// chi's does.
type late struct {
	http.ResponseWriter
	to   *stdgzip.Writer
	sent bool
}

func (w *late) WriteHeader(status int) {
	h := w.Header()
	if !w.sent && status == http.StatusOK && h.Get("Content-Encoding") == "" {
		h.Set("Content-Encoding", "gzip")
		h.Add("Vary", "Accept-Encoding")
		h.Del("Content-Length")
		w.to = stdgzip.NewWriter(w.ResponseWriter)
	}
	w.sent = true
	w.ResponseWriter.WriteHeader(status)
}

func (w *late) Write(b []byte) (int, error) {
	if !w.sent {
		w.WriteHeader(http.StatusOK)
	}
	if w.to != nil {
		return w.to.Write(b)
	}
	return w.ResponseWriter.Write(b)
}

func encodesLate(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			next.ServeHTTP(w, r)
			return
		}
		l := &late{ResponseWriter: w}
		next.ServeHTTP(l, r)
		if l.to != nil {
			_ = l.to.Close()
		}
	})
}

// early is a writer that encodes what is written.
type early struct {
	http.ResponseWriter
	to io.Writer
}

func (w early) Write(b []byte) (int, error) { return w.to.Write(b) }

// encodesEarly says that it encodes before anybody writes. It takes it that nobody sets a
// length, as middlewares do that people write themselves.
func encodesEarly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			next.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Content-Encoding", "gzip")
		gz := stdgzip.NewWriter(w)
		next.ServeHTTP(early{w, gz}, r)
		_ = gz.Close()
	})
}

func gzhttpWith(t *testing.T, suffix string) func(http.Handler) http.Handler {
	t.Helper()
	wrap, err := gzhttp.NewWrapper(gzhttp.SuffixETag(suffix), gzhttp.EnableZstd(true))
	if err != nil {
		t.Fatal(err)
	}
	return func(next http.Handler) http.Handler { return wrap(next) }
}

// decoded returns the body of a response without its encoding.
func decoded(t *testing.T, encoding string, body []byte) []byte {
	t.Helper()
	var r io.Reader = bytes.NewReader(body)
	var err error
	switch encoding {
	case "":
		return body
	case "gzip":
		r, err = stdgzip.NewReader(r)
	case "zstd":
		var d *zstd.Decoder
		d, err = zstd.NewReader(r)
		if err == nil {
			defer d.Close()
			r = d
		}
	default:
		t.Fatalf("encoding %q", encoding)
	}
	if err == nil {
		body, err = io.ReadAll(r)
	}
	if err != nil {
		t.Errorf("%s: %v", encoding, err)
	}
	return body
}

// got is a response: its body as it came.
type got struct {
	status int
	header http.Header
	body   []byte
}

// exchange sends a request to a server.
func exchange(t *testing.T, method, url, accept, match string) got {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if accept != "-" {
		r.Header.Set("Accept-Encoding", accept)
	}
	if match != "" {
		r.Header.Set("If-None-Match", match)
	}
	client := http.Client{Transport: &http.Transport{DisableCompression: true, DisableKeepAlives: true}}
	res, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return got{res.StatusCode, res.Header, body}
}

// TestRoundTrip: a server with a client, and with writers around that encode, too.
// Whoever encodes, the client reads the body, it need not fetch again what it has, and a
// strong tag is that of the same bytes every time.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	plain := func(next http.Handler) http.Handler { return next }
	for name, around := range map[string]func(http.Handler) http.Handler{
		"alone":              plain,
		"gzhttp":             func(next http.Handler) http.Handler { return gzhttp.GzipHandler(next) },
		"gzhttp with suffix": gzhttpWith(t, "-gzip"),
		"encoded late":       encodesLate,
		"encoded early":      encodesEarly,
	} {
		for _, ours := range []bool{false, true} {
			t.Run(name+map[bool]string{true: ", and ours"}[ours], func(t *testing.T) {
				t.Parallel()
				a := wire.NewReady(long)
				s := wire.Sending{CacheControl: "no-cache", CompressAfter: 2, Grow: grows}
				if ours {
					s.Encodings = []wire.Encoding{wire.Zstd(), wire.Gzip()}
				}
				server := httptest.NewServer(around(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					w.Header().Set("Content-Type", "application/json")
					a.Send(w, r, &s)
				})))
				defer server.Close()
				bytesOf := map[string]string{} // by strong tag
				for range 3 {
					for _, method := range []string{http.MethodPost, http.MethodGet, http.MethodHead} {
						for _, accept := range []string{"-", "", "gzip", "zstd", "gzip, deflate, br, zstd"} {
							res := exchange(t, method, server.URL, accept, "")
							if res.status != http.StatusOK {
								t.Fatalf("%s %q: %d", method, accept, res.status)
							}
							encoding, tag := res.header.Get("Content-Encoding"), res.header.Get("Etag")
							if encoding != "" && !strings.Contains(accept, encoding) {
								t.Errorf("%s %q: encoding %q", method, accept, encoding)
							}
							if method == http.MethodHead {
								continue
							}
							if got := decoded(t, encoding, res.body); !bytes.Equal(got, long) {
								t.Errorf("%s %q: %d bytes in %q: %.30q", method, accept, len(res.body), encoding, got)
							}
							if method == http.MethodPost {
								if tag != "" {
									t.Errorf("%s %q: tag %s", method, accept, tag)
								}
								continue
							}
							if name == "encoded early" && encoding != "" && tag == "" {
								continue // this server takes it on itself
							}
							if strings.HasPrefix(tag, `"`) {
								if before, ok := bytesOf[tag]; ok && before != string(res.body) {
									t.Errorf("%s %q: %s is the tag of two bodies", method, accept, tag)
								}
								bytesOf[tag] = string(res.body)
							}
							again := exchange(t, method, server.URL, accept, tag)
							if again.status != http.StatusNotModified || len(again.body) > 0 || again.header.Get("Etag") != tag {
								t.Errorf("%s %q, If-None-Match %s: %d, tag %s", method, accept, tag, again.status, again.header.Get("Etag"))
							}
							if again.header.Get("Cache-Control") != "no-cache" || ours && again.header.Get("Vary") == "" {
								t.Errorf("%s %q, not modified: %v", method, accept, again.header)
							}
						}
					}
				}
				if want := map[bool]int{true: 3, false: 1}[ours]; name == "alone" && len(bytesOf) != want {
					t.Errorf("%d strong tags, want %d", len(bytesOf), want)
				}
			})
		}
	}
}

// TestEncodings: both of ours can be read, append, and may be used concurrently.
func TestEncodings(t *testing.T) {
	t.Parallel()
	for _, e := range []wire.Encoding{wire.Gzip(), wire.Zstd()} {
		for range 4 {
			t.Run(e.Name, func(t *testing.T) {
				t.Parallel()
				for _, body := range [][]byte{short, long, bytes.Repeat(long, 500)} {
					encoded, err := e.Encode([]byte("before"), body)
					rest, ok := bytes.CutPrefix(encoded, []byte("before"))
					if err != nil || !ok {
						t.Fatalf("%v: %.20q", err, encoded)
					}
					if got := decoded(t, e.Name, rest); !bytes.Equal(got, body) {
						t.Errorf("%d bytes, want %d", len(got), len(body))
					}
					if again, _ := e.Encode(nil, body); !bytes.Equal(again, rest) {
						t.Error("the same body is encoded in two ways")
					}
				}
			})
		}
	}
}
