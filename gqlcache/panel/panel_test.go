package panel_test

import (
	"bytes"
	"compress/gzip"
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

func get(h http.Handler, method, target string, header map[string]string) *http.Response {
	r := httptest.NewRequest(method, target, nil)
	for k, v := range header {
		r.Header.Set(k, v)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func body(t *testing.T, r *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

var references = regexp.MustCompile(`(?:src|href)="(\?[^"]+)"`)

// TestExactRoutes: all that the page refers to is below the page's own URL, whatever that is.
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
			page := get(mux, http.MethodGet, path, nil)
			if page.StatusCode != http.StatusOK {
				t.Fatalf("status %d", page.StatusCode)
			}
			refs := references.FindAllStringSubmatch(body(t, page), -1)
			if len(refs) != 2 {
				t.Fatalf("references %q, want the script and the stylesheet", refs)
			}
			for _, ref := range refs {
				target := path + html.UnescapeString(ref[1])
				r := get(mux, http.MethodGet, target, nil)
				if r.StatusCode != http.StatusOK || len(body(t, r)) < 10_000 {
					t.Errorf("%s: status %d, or next to nothing in it", target, r.StatusCode)
				}
				if cc := r.Header.Get("Cache-Control"); !strings.Contains(cc, "immutable") {
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
			plain := get(h, http.MethodGet, target, nil)
			content := body(t, plain)
			if plain.Header.Get("Content-Encoding") != "" || plain.Header.Get("X-Content-Type-Options") != "nosniff" {
				t.Errorf("headers %v", plain.Header)
			}
			if cc := plain.Header.Get("Cache-Control"); cc != "no-cache" {
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
				r := get(h, http.MethodGet, target, map[string]string{"Accept-Encoding": accept})
				if got := r.Header.Get("Content-Encoding") == "gzip"; got != compressed {
					t.Errorf("Accept-Encoding %q: compressed %t", accept, got)
					continue
				}
				if compressed && unzip(t, r.Body) != content {
					t.Errorf("Accept-Encoding %q: other content", accept)
				}
				again := get(h, http.MethodGet, target, map[string]string{"Accept-Encoding": accept, "If-None-Match": r.Header.Get("ETag")})
				if again.StatusCode != http.StatusNotModified || body(t, again) != "" {
					t.Errorf("Accept-Encoding %q: status %d for the same ETag, want 304 and nothing", accept, again.StatusCode)
				}
			}
		})
	}
}

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
			r := get(h, http.MethodGet, "/", nil)
			nonce := config(t, body(t, r))["nonce"]
			want := fmt.Sprintf("style-src 'self' 'nonce-%s'; default-src 'none'; script-src 'self'; img-src 'self' data:; font-src 'self'; connect-src %s; base-uri 'none'; form-action 'none'; frame-ancestors 'none'", nonce, row.connect)
			if got := r.Header.Get("Content-Security-Policy"); got != want {
				t.Errorf("policy\n%s, want\n%s", got, want)
			}
			for k, v := range map[string]string{"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff", "Cross-Origin-Opener-Policy": "same-origin"} {
				if r.Header.Get(k) != v {
					t.Errorf("%s: %q, want %q", k, r.Header.Get(k), v)
				}
			}
			if again := config(t, body(t, get(h, http.MethodGet, "/", nil)))["nonce"]; again == nonce {
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
	page := body(t, get(panel.Handler(evil, evil,
		panel.WithDefaultQuery(evil),
		panel.WithStoragePrefix(evil),
		panel.WithGraphiqlUiHeaders(map[string]string{evil: evil}),
		panel.WithGraphiqlFetcherHeaders(map[string]string{evil: evil}),
	), http.MethodGet, "/", nil))
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
			if r := get(h, row.method, row.target, nil); r.StatusCode != row.status {
				t.Errorf("status %d, want %d", r.StatusCode, row.status)
			}
		})
	}
}

func ExampleHandler() {
	mux := http.NewServeMux()
	// mux.Handle("/graphql", srv)
	mux.Handle("GET /{$}", panel.Handler("Blog", "/graphql"))
	r := get(mux, http.MethodGet, "/", nil)
	fmt.Println(r.Status, r.Header.Get("Content-Type"))
	// Output: 200 OK text/html; charset=utf-8
}

func BenchmarkPage(b *testing.B) {
	h := panel.Handler("Blog", "/graphql")
	b.ReportAllocs()
	for b.Loop() {
		get(h, http.MethodGet, "/", nil)
	}
}
