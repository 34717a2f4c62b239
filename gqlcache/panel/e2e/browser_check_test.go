package e2e

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// TestNotices: a page that does wrong is noticed, so that the other tests can fail.
func TestNotices(t *testing.T) {
	findBrowser(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/" {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Security-Policy", "script-src 'self' 'nonce-ours'")
		_, _ = w.Write([]byte(`<!doctype html><script>blocked</script><img src="http://example.org/x.png"><script nonce="ours">
			console.error("complaint"); setTimeout(() => { document.title = "done"; throw new Error("thrown") }, 100);
			document.write("<img src=/missing.png>");
		</script>`))
	}))
	t.Cleanup(server.Close)
	p := open(t, server.URL)
	p.until(`document.title === "done"`)
	p.until(`performance.getEntriesByType("resource").some(e => e.name.endsWith("missing.png"))`)
	for _, problem := range []string{"Content Security Policy", "request to http://example.org/x.png", "complaint", "thrown", "404"} {
		p.expect(problem)
	}
	p.expect("ERR_NAME_NOT_RESOLVED") // no other host can be reached
}
