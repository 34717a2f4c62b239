package e2e

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/chromedp/chromedp"
)

// serveGateway serves the example as a gateway does that has an answer of its own to what
// it does not let through: nil lets everything pass.
func serveGateway(t *testing.T, deny *atomic.Pointer[http.HandlerFunc]) (address string) {
	t.Helper()
	target, err := url.Parse(serveExample(t))
	if err != nil {
		t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }}
	gateway := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if h := deny.Load(); h != nil && r.Method == http.MethodPost {
			(*h)(w, r)
			return
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(gateway.Close)
	return gateway.URL
}

// TestRefused: what is in the way of the server is shown with its words and what to do,
// by the panel and in place of the answer. Once an operation gets through, the panel asks
// again at once.
func TestRefused(t *testing.T) {
	answer := func(status int, contentType, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", contentType)
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
		}
	}
	for _, row := range []struct {
		name   string
		deny   http.HandlerFunc
		told   []string // by the panel
		answer string   // in place of the operation's
	}{
		{"who are you", answer(http.StatusUnauthorized, "text/plain", "Who are you?"), []string{"401", "“Who are you?”", "Authorization"}, "Who are you?"},
		{"not here", answer(http.StatusNotFound, "text/plain", "404 page not found"), []string{"404", "begins with /"}, "404 page not found"},
		{"a page to log in", answer(http.StatusOK, "text/html", "<h1>Log in</h1>"), []string{"200", "no JSON", "<h1>Log in</h1>"}, "<h1>Log in</h1>"},
		{"an error of GraphQL", answer(http.StatusForbidden, "application/json", `{"errors":[{"message":"Only for staff"}]}`), []string{"Only for staff"}, "Only for staff"},
	} {
		t.Run(row.name, func(t *testing.T) {
			var deny atomic.Pointer[http.HandlerFunc]
			deny.Store(&row.deny)
			p := open(t, serveGateway(t, &deny))
			p.until(`document.querySelector('[data-link="refused"]') !== null`)
			p.tabTo("live")
			p.until(`document.querySelector('[data-empty="The server refuses to tell"]') !== null`)
			for _, want := range row.told {
				if got := p.text(".gqc-empty"); !strings.Contains(got, want) {
					t.Errorf("the panel says %q, without %q", got, want)
				}
			}
			if got := p.run(feed); got != "NONE" {
				t.Errorf("%s, want NONE", got)
			}
			p.until(`document.querySelector(".graphiql-response").innerText.includes(` + quote(row.answer) + `)`)
			if got := p.text(".graphiql-response"); strings.Contains(got, "stack") {
				t.Errorf("of no use to a user: %s", got)
			}
			deny.Store(nil)
			if got := p.run(feed); got != "MISS" {
				t.Errorf("%s, want MISS", got)
			}
			p.ready()
			p.takeOut("Failed to load resource") // the browser complains of statuses
		})
	}
}

// TestUnreachable: the connection breaks while the page is open.
func TestUnreachable(t *testing.T) {
	abort := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	var deny atomic.Pointer[http.HandlerFunc]
	p := open(t, serveGateway(t, &deny))
	p.ready()
	deny.Store(&abort)
	p.until(`document.querySelector('[data-link="unreachable"]') !== null`)
	p.do(chromedp.Reload())
	p.tabTo("live")
	p.until(`document.querySelector('[data-empty="The server does not answer"]')?.innerText.includes("cannot be reached")`)
	p.takeOut("Failed to load resource")
}
