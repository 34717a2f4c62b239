package panel_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/cascadeql/cascadeql/gqlcache/panel"
)

// get returns what the handler answers.
func get(ctx context.Context, h http.Handler, method, target string, header map[string]string) *httptest.ResponseRecorder {
	r := httptest.NewRequestWithContext(ctx, method, target, nil)
	for k, v := range header {
		r.Header.Set(k, v)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

var references = regexp.MustCompile(`(?:src|href)="(\?[^"]+)"`)

// TestExactRoutes: all that the page refers to is below the page's own URL, whatever that
// is.
func TestExactRoutes(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/", "/playground", "/deep/path/"} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			mux := http.NewServeMux()
			pattern := path
			if strings.HasSuffix(path, "/") {
				pattern += "{$}"
			}
			mux.Handle("GET "+pattern, panel.Handler("Blog", "/graphql"))
			page := get(t.Context(), mux, http.MethodGet, path, nil)
			if page.Code != http.StatusOK {
				t.Fatalf("status %d", page.Code)
			}
			refs := references.FindAllStringSubmatch(page.Body.String(), -1)
			if len(refs) != 2 {
				t.Fatalf("references %q, want the script and the stylesheet", refs)
			}
			for _, ref := range refs {
				target := path + html.UnescapeString(ref[1])
				r := get(t.Context(), mux, http.MethodGet, target, nil)
				if r.Code != http.StatusOK || len(r.Body.String()) < 10_000 {
					t.Errorf("%s: status %d, or next to nothing in it", target, r.Code)
				}
				if cc := r.Header().Get("Cache-Control"); !strings.Contains(cc, "immutable") {
					t.Errorf("%s: Cache-Control %q, want immutable", target, cc)
				}
			}
		})
	}
}

func TestAssets(t *testing.T) {
	t.Parallel()
	h := panel.Handler("Blog", "/graphql")
	for _, name := range []string{"app.js", "app.css", "LICENSES.txt"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			target := "/?gqlcache=" + name
			plain := get(t.Context(), h, http.MethodGet, target, nil)
			content := plain.Body.String()
			if plain.Header().Get("Content-Encoding") != "" || plain.Header().Get("X-Content-Type-Options") != "nosniff" {
				t.Errorf("headers %v", plain.Header())
			}
			if cc := plain.Header().Get("Cache-Control"); cc != "no-cache" {
				t.Errorf("without its version it has Cache-Control %q, want no-cache", cc)
			}
			onDisk, err := os.ReadFile("assets/" + name)
			if err != nil {
				t.Fatal(err)
			}
			if content != string(onDisk) {
				t.Error("it is not the embedded file")
			}
			for accept, compressed := range map[string]bool{"gzip, br": true, "br;q=1, gzip;q=0.5": true, "gzip;q=0": false, "br": false, "GZIP": true, "gzip;q=x": false} {
				r := get(t.Context(), h, http.MethodGet, target, map[string]string{"Accept-Encoding": accept})
				if got := r.Header().Get("Content-Encoding") == "gzip"; got != compressed {
					t.Errorf("Accept-Encoding %q: compressed %t", accept, got)
					continue
				}
				if compressed && unzip(t, r.Body) != content {
					t.Errorf("Accept-Encoding %q: other content", accept)
				}
				again := get(t.Context(), h, http.MethodGet, target, map[string]string{"Accept-Encoding": accept, "If-None-Match": r.Header().Get("ETag")})
				if again.Code != http.StatusNotModified || again.Body.String() != "" {
					t.Errorf("Accept-Encoding %q: status %d for the same ETag, want 304 and nothing", accept, again.Code)
				}
			}
		})
	}
}

// TestMiddlewareCompresses: what a middleware around the page will compress, the page
// does not.
func TestMiddlewareCompresses(t *testing.T) {
	t.Parallel()
	h := panel.Handler("Blog", "/graphql")
	middleware := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		defer z.Close()
		h.ServeHTTP(compressing{w, z}, r)
	})
	const target = "/?gqlcache=app.css"
	want := get(t.Context(), h, http.MethodGet, target, nil).Body.String()
	r := get(t.Context(), middleware, http.MethodGet, target, map[string]string{"Accept-Encoding": "gzip"})
	if got := unzip(t, r.Body); got != want {
		t.Errorf("%d bytes that begin with %q, want %d", len(got), got[:min(len(got), 20)], len(want))
	}
}

type compressing struct {
	http.ResponseWriter
	z *gzip.Writer
}

func (c compressing) Write(b []byte) (int, error) { return c.z.Write(b) }

func unzip(t *testing.T, r io.Reader) string {
	t.Helper()
	z, err := gzip.NewReader(r)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestSize keeps what a browser loads below its budget.
func TestSize(t *testing.T) {
	t.Parallel()
	const budget = 500_000
	total := 0
	for _, name := range []string{"app.js", "app.css"} {
		b, err := os.ReadFile("assets/" + name)
		if err != nil {
			t.Fatal(err)
		}
		var z bytes.Buffer
		w := gzip.NewWriter(&z)
		if _, err := w.Write(b); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		total += z.Len()
	}
	if total > budget {
		t.Errorf("%d bytes compressed, more than %d", total, budget)
	}
}

// TestPolicy: what the page may do, to the letter.
func TestPolicy(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ name, endpoint, subscriptions, connect string }{
		{"path", "/graphql", "", "'self'"},
		{"absolute", "https://api.example.org/graphql", "", "'self' https://api.example.org wss://api.example.org"},
		{"without TLS", "http://127.0.0.1:1/graphql", "", "'self' http://127.0.0.1:1 ws://127.0.0.1:1"},
		{"subscriptions elsewhere", "/graphql", "wss://live.example.org/s", "'self' https://live.example.org wss://live.example.org"},
		{"no URL", "::", "", "'self'"},
		{"a directive in the host", "https://a;sandbox/graphql", "wss://b,script-src/s", "'self'"},
		{"a source in the host", "https://*/graphql", "//'unsafe-inline'/s", "'self'"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			h := panel.Handler("Blog", row.endpoint, panel.WithSubscriptionEndpoint(row.subscriptions))
			r := get(t.Context(), h, http.MethodGet, "/", nil)
			nonce := config(t, r.Body.String())["nonce"]
			want := fmt.Sprintf("style-src 'self' 'nonce-%s'; default-src 'none'; script-src 'self'; img-src 'self' data:; font-src 'self'; connect-src %s; base-uri 'none'; form-action 'none'; frame-ancestors 'none'", nonce, row.connect)
			if got := r.Header().Get("Content-Security-Policy"); got != want {
				t.Errorf("policy\n%s, want\n%s", got, want)
			}
			for k, v := range map[string]string{"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff", "Cross-Origin-Opener-Policy": "same-origin"} {
				if r.Header().Get(k) != v {
					t.Errorf("%s: %q, want %q", k, r.Header().Get(k), v)
				}
			}
			if again := config(t, get(t.Context(), h, http.MethodGet, "/", nil).Body.String())["nonce"]; again == nonce {
				t.Error("two pages have one nonce")
			}
		})
	}
}

var embedded = regexp.MustCompile(`(?s)<script type="application/json" id="gqlcache-config">(.*?)</script>`)

func config(t *testing.T, page string) map[string]any {
	t.Helper()
	m := embedded.FindStringSubmatch(page)
	if m == nil {
		t.Fatalf("no configuration in %s", page)
	}
	var c map[string]any
	if err := json.Unmarshal([]byte(m[1]), &c); err != nil {
		t.Fatal(err)
	}
	return c
}

// TestEscaping: no text of the options becomes markup.
func TestEscaping(t *testing.T) {
	t.Parallel()
	const evil = `</script><script>alert(1)</script><!--`
	page := get(t.Context(), panel.Handler(evil, evil,
		panel.WithDefaultQuery(evil),
		panel.WithStoragePrefix(evil),
		panel.WithGraphiqlUiHeaders(map[string]string{evil: evil}),
		panel.WithGraphiqlFetcherHeaders(map[string]string{evil: evil}),
	), http.MethodGet, "/", nil).Body.String()
	if strings.Contains(page, "<script>alert") || strings.Count(page, "</script>") != 2 || strings.Contains(page, "<!--") {
		t.Errorf("markup in %s", page)
	}
	c := config(t, page)
	for _, name := range []string{"title", "endpoint", "defaultQuery", "storagePrefix"} {
		if c[name] != evil {
			t.Errorf("%s is %q", name, c[name])
		}
	}
	if !strings.Contains(fmt.Sprint(c["fetcherHeaders"]), evil) || !strings.Contains(fmt.Sprint(c["uiHeaders"]), "alert") {
		t.Errorf("headers %v and %v", c["fetcherHeaders"], c["uiHeaders"])
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	h := panel.Handler("Blog", "/graphql")
	for _, row := range []struct {
		name, method, target string
		status               int
	}{
		{"POST", http.MethodPost, "/", http.StatusMethodNotAllowed},
		{"PUT of an asset", http.MethodPut, "/?gqlcache=app.js", http.StatusMethodNotAllowed},
		{"HEAD", http.MethodHead, "/", http.StatusOK},
		{"unknown asset", http.MethodGet, "/?gqlcache=../go.mod", http.StatusNotFound},
		{"query of GraphiQL", http.MethodGet, "/?query={a}", http.StatusOK},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			if r := get(t.Context(), h, row.method, row.target, nil); r.Code != row.status {
				t.Errorf("status %d, want %d", r.Code, row.status)
			}
		})
	}
}

func ExampleHandler() {
	mux := http.NewServeMux()
	// mux.Handle("/graphql", srv)
	mux.Handle("GET /{$}", panel.Handler("Blog", "/graphql"))
	r := get(context.Background(), mux, http.MethodGet, "/", nil)
	fmt.Println(r.Code, r.Header().Get("Content-Type"))
	// Output: 200 text/html; charset=utf-8
}

func BenchmarkPage(b *testing.B) {
	h := panel.Handler("Blog", "/graphql")
	b.ReportAllocs()
	for b.Loop() {
		get(b.Context(), h, http.MethodGet, "/", nil)
	}
}
