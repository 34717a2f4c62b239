package gqlcache_test

import (
	"context"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/internal/testgraph"
)

// TestExpiredAnswersAtTheEdge: what is served beyond its age is for no cache in front,
// which is told so, and no client hears that what it has is still true.
func TestExpiredAnswersAtTheEdge(t *testing.T) {
	t.Parallel()
	const banner = `{ banner(id: "b1") { id text } }`
	for _, encodings := range [][]gqlcache.Encoding{nil, {gqlcache.Gzip()}} {
		e, store := &cdn{}, testgraph.NewStore()
		var passed atomic.Int64
		start := time.Now()
		o := e.options()
		o.Now = func() time.Time { return start.Add(time.Duration(passed.Load())) }
		o.Jitter, o.StaleIfError, o.StaleWhileRevalidate = -1, 30*time.Second, 20*time.Second
		o.HTTP.CacheStatus, o.HTTP.Encodings, o.HTTP.CompressAfter = "edge-1", encodings, 1
		o.HTTP.CacheControl = func(_ context.Context, proposed string) string {
			if proposed == "no-cache" {
				return "public, max-age=0, s-maxage=3600"
			}
			return proposed
		}
		_, h := edgeServer(t, o, store)
		if got := testgraph.Ask(t, h, `mutation($t: String!) { setBanner(id: "b1", text: $t) }`, map[string]any{"t": strings.Repeat("welcome ", 300)}, "X-Viewer", "ann"); got.Errors != nil {
			t.Fatal(got.Body)
		}
		var tag string
		ask := func(what, status, control string) {
			t.Helper()
			for _, have := range []string{"", tag} {
				q := sentRequest{method: "GET", target: get("query", banner), header: map[string]string{
					"X-From-Edge": "1", "X-Viewer": "ann", "If-None-Match": have, "Accept-Encoding": "gzip",
				}}
				w := httptest.NewRecorder()
				h.ServeHTTP(w, q.make(t.Context()))
				hd := w.Header()
				want := 200
				if have != "" && control != "no-store" {
					want = 304
				}
				if w.Code != want || want == 200 && w.Body.Len() == 0 || hd.Get("Surrogate-Key") == "" {
					t.Errorf("%s, have %q: %d %s %v, want %d", what, have, w.Code, w.Body, hd, want)
				}
				if hd.Get("Cache-Status") != status || hd.Get("Cache-Control") != control || (hd.Get("Etag") == "") != (control == "no-store") {
					t.Errorf("%s: %v, want %q and %q", what, hd, status, control)
				}
				if have == "" && hd.Get("Etag") != "" {
					tag = hd.Get("Etag")
				}
				status = strings.Replace(status, "fwd=miss; stored", "hit", 1)
				status = strings.Replace(status, "fwd=stale; stored", "hit", 1)
			}
		}
		const keep = "public, max-age=0, s-maxage=3600"
		ask("stored", "edge-1; fwd=miss; stored", keep)
		ask("a hit", "edge-1; hit", keep)

		passed.Store(int64(64 * time.Second)) // the age of a banner is a minute
		latch := store.BlockHard("Query.banner")
		done := make(chan struct{})
		go func() {
			defer close(done)
			edgeGet(t, h, banner)
		}()
		receive(t, latch.Reached, "the resolver")
		ask("while another request computes", "edge-1; hit; ttl=-4", "no-store")
		latch.Release()
		<-done
		ask("computed anew", "edge-1; hit", keep)

		passed.Store(int64(150 * time.Second)) // 26 seconds after the second one's age
		store.On("Query.banner", isDown)
		ask("the database is down", "edge-1; fwd=stale; detail=errors", "no-store")
		store.On("Query.banner", nil)
		ask("it is back", "edge-1; fwd=stale; stored", keep)
	}
}
