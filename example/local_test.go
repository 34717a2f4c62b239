package main

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// TestInspectorIsLocal: the inspector shows itself to this machine only.
func TestInspectorIsLocal(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name   string
		change func(*http.Request)
		want   bool
	}{
		{"here", func(*http.Request) {}, true},
		{"here, by name", func(r *http.Request) { r.Host = "localhost" }, true},
		{"IPv6", func(r *http.Request) { r.RemoteAddr, r.Host = "[::1]:50000", "[::1]:8080" }, true},
		{"mapped", func(r *http.Request) { r.RemoteAddr = "[::ffff:127.0.0.1]:50000" }, true},
		{"from elsewhere", func(r *http.Request) { r.RemoteAddr = "192.0.2.1:50000" }, false},
		{"through a proxy", func(r *http.Request) { r.Header.Set("X-Forwarded-For", "192.0.2.1") }, false},
		{"through another proxy", func(r *http.Request) { r.Header.Set("Forwarded", "for=192.0.2.1") }, false},
		{"a site's name for this machine", func(r *http.Request) { r.Host = "evil.example:8080" }, false},
		{"no address", func(r *http.Request) { r.RemoteAddr = "@" }, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/graphql", nil)
			r = fromHere(r)
			row.change(r)
			got := false
			markLocal(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = isLocal(r.Context()) })).ServeHTTP(httptest.NewRecorder(), r)
			if got != row.want {
				t.Errorf("local %v", got)
			}
		})
	}
	t.Run("a server on another interface", func(t *testing.T) {
		t.Parallel()
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/graphql", nil)
		r.RemoteAddr, r.Host = "127.0.0.1:1", "localhost"
		if fromLoopback(r) {
			t.Error("no local address, and local")
		}
	})
	t.Run("the cache asks", func(t *testing.T) {
		t.Parallel()
		in := cacheOptions().Inspector
		if in.Allow(t.Context()) || in.Actions(t.Context()) {
			t.Error("everybody is let in")
		}
	})
}
