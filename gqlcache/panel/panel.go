package panel

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"html/template"
	"net/http"
	"net/url"
	"strings"
)

var document = template.Must(template.New("page").Parse(`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{{.Title}}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="?gqlcache=app.css&amp;v={{.Stylesheet}}">
</head>
<body>
<noscript>The playground needs JavaScript.</noscript>
<div id="root"></div>
<script type="application/json" id="gqlcache-config">{{.Config}}</script>
<script src="?gqlcache=app.js&amp;v={{.Script}}" defer></script>
</body>
</html>
`))

// Handler returns the page, for GET requests. The endpoint is the URL of the GraphQL
// server as the browser sees it: a path from the host, "/graphql", one from the page,
// "graphql", which also holds behind a proxy that serves both below a path of its own, or
// in full. Another origin must allow the page's, and the header X-Gqlcache-Debug (CORS).
// Nothing is read from the request but what it asks for and which encodings it accepts;
// the handler is safe for concurrent use.
func Handler(title, endpoint string, opts ...Option) http.HandlerFunc {
	p := page{Title: title, Endpoint: endpoint}
	for _, o := range opts {
		o(&p)
	}
	policy := policyFor(p.Endpoint, p.Subscriptions)
	return func(w http.ResponseWriter, r *http.Request) {
		switch name := r.URL.Query().Get("gqlcache"); {
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		case assets == nil:
			http.Error(w, "built without the playground: the build tag gqlcache_noui is set", http.StatusNotFound)
		case name == "":
			p.serve(w, policy)
		case assets[name] != nil:
			assets[name].ServeHTTP(w, r)
		default:
			http.NotFound(w, r)
		}
	}
}

// serve writes the page. Each gets a nonce of its own for the one style element that a
// dialog of GraphiQL makes.
func (p page) serve(w http.ResponseWriter, policy string) {
	p.Nonce = rand.Text()
	config, err := json.Marshal(p) // with <, > and & escaped: nothing in it ends the element
	if err != nil {
		http.Error(w, "the playground's configuration cannot be encoded", http.StatusInternalServerError)
		return
	}
	var b bytes.Buffer
	err = document.Execute(&b, map[string]any{
		"Title":      p.Title,
		"Config":     template.JS(config), //nolint:gosec // JSON, escaped by json.Marshal
		"Stylesheet": assets["app.css"].version,
		"Script":     assets["app.js"].version,
	})
	if err != nil {
		http.Error(w, "the playground cannot be written", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Content-Security-Policy", "style-src 'self' 'nonce-"+p.Nonce+"'; "+policy)
	_, _ = w.Write(b.Bytes()) // a lost client is nobody's business
}

// policyFor returns the Content-Security-Policy without its style-src. The page may speak
// to its own origin and to those of absolute endpoints.
func policyFor(endpoints ...string) string {
	connect := "'self'"
	for _, endpoint := range endpoints {
		u, err := url.Parse(endpoint)
		if err != nil || u.Host == "" || strings.ContainsAny(u.Host, ";,' *") { // nothing but an origin, whoever configures it
			continue
		}
		schemes := []string{"http", "ws"}
		if u.Scheme == "https" || u.Scheme == "wss" {
			schemes = []string{"https", "wss"}
		}
		for _, scheme := range schemes {
			connect += " " + scheme + "://" + u.Host
		}
	}
	return "default-src 'none'; script-src 'self'; img-src 'self' data:; font-src 'self'; connect-src " + connect +
		"; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}
