package gqlcache_test

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/inspect"
	"github.com/cascadeql/cascadeql/gqlcache/internal/testgraph"
	httpwire "github.com/cascadeql/cascadeql/gqlcache/internal/wire"
)

// cacheStatusOf sends a POST and returns the header, with the digits of keys and times left out.
func cacheStatusOf(t *testing.T, h http.Handler, q testgraph.Request) string {
	t.Helper()
	hr := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/query", strings.NewReader(q.Raw))
	hr.Header.Set("Content-Type", "application/json")
	for k, v := range q.Header {
		hr.Header.Set(k, v)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, hr)
	return regexp.MustCompile(`key="[0-9a-f]{12}"`).ReplaceAllString(w.Header().Get("Cache-Status"), `key="…"`)
}

// TestCacheStatus: RFC 9211, with the parameters that the outcome has.
func TestCacheStatus(t *testing.T) {
	t.Parallel()
	for _, held := range []string{"", "held", "holding"} {
		p := newPanel(t, func(o *gqlcache.Options) { o.Jitter = -1 })
		switch held { // the order of the wrappers does not matter
		case "held":
			p.h = p.cache.HoldUntilCommit(p.h)
		case "holding":
			p.h = p.cache.Handler(p.cache.HoldUntilCommit(p.cached))
		}
		for _, row := range []struct {
			viewer, document string
			ask              any
			want             string
		}{
			{"ann", readUsers, nil, `gqlcache; fwd=miss; stored; ttl=300; key="…"; detail=cold`},
			{"ann", readUsers, nil, `gqlcache; hit; ttl=299; key="…"; detail=memory`},
			{"ann", "{fails}", nil, `gqlcache; fwd=miss; key="…"; detail=errors`},
			{"ann", "{__typename}", nil, `gqlcache; fwd=bypass; detail=typename`},
			{"admin", readUsers, inspect.Request{Bypass: true}, `gqlcache; fwd=request; detail=inspector`},
			{"ann", renameAnn, nil, `gqlcache; fwd=method; detail=mutation`},
			{"ann", readUsers, nil, `gqlcache; fwd=miss; stored; ttl=300; key="…"; detail=invalidated`},
			{"stranger", readUsers, nil, ``},
			{"ann", asks, inspect.Request{Inspect: &inspect.SnapshotRequest{}}, ``},
		} {
			if got := cacheStatusOf(t, p.h, inspectRequest(row.viewer, row.document, row.ask)); got != row.want {
				t.Errorf("%s%s as %s: %q, want %q", held, row.document, row.viewer, got, row.want)
			}
		}
		q := inspectRequest("ann", readUsers, nil)
		delete(q.Header, gqlcache.DebugHeader)
		if got := cacheStatusOf(t, p.h, q); got != "" {
			t.Errorf("not asked for: %q", got)
		}
		if got := cacheStatusOf(t, p.cached, inspectRequest("ann", readUsers, nil)); got != "" {
			t.Errorf("without the wrapper: %q", got)
		}
	}
}

// TestCacheStatusIsWellFormed: every reason is a token of structured fields.
func TestCacheStatusIsWellFormed(t *testing.T) {
	t.Parallel()
	member := regexp.MustCompile("^gqlcache(; [a-z]+(=([A-Za-z][A-Za-z0-9_]*|[0-9]+|\"[^\"]*\"))?)+$")
	for _, r := range gqlcache.Reasons() {
		x := &inspect.Extension{Status: inspect.Bypass, Reason: inspect.Reason{Code: string(r)}}
		if got := httpwire.CacheStatus(x); !member.MatchString(got) {
			t.Errorf("%q", got)
		}
	}
}

// TestToldAnswersAreNotCached: a proxy in front may keep the answer to a GET, and the header that asks for what
// the cache did is in no Vary: then it would tell everybody.
func TestToldAnswersAreNotCached(t *testing.T) {
	t.Parallel()
	p := newPanel(t, nil)
	for _, row := range []struct {
		name, viewer, document string
		ask                    any
		get, post              string
	}{
		{"an answer", "ann", readUsers, nil, "no-store", "no-store"},
		{"a snapshot", "ann", asks, everyAsk()["inspect"], "no-store", "no-store"},
		{"a stranger's", "stranger", readUsers, nil, "private, no-cache", ""},
		{"a stranger's snapshot", "stranger", asks, everyAsk()["inspect"], "no-store", ""},
	} {
		for way, want := range map[string]string{"GET": row.get, "POST": row.post} {
			hr := transports(t, row.document, row.viewer, row.ask)[way]()
			hr.Header.Set(gqlcache.DebugHeader, "true")
			w := httptest.NewRecorder()
			p.h.ServeHTTP(w, hr)
			if got := w.Header().Get("Cache-Control"); got != want {
				t.Errorf("%s by %s: Cache-Control %q, want %q", row.name, way, got, want)
			}
		}
	}
}

// TestCacheStatusOfStreams: their headers are sent before the answer is known.
func TestCacheStatusOfStreams(t *testing.T) {
	t.Parallel()
	p := newPanel(t, nil)
	srv := httptest.NewServer(p.h)
	defer srv.Close()
	for _, accept := range []string{"text/event-stream", "multipart/mixed", "application/json"} {
		q := inspectRequest("ann", readUsers, nil)
		hr, err := http.NewRequestWithContext(t.Context(), http.MethodPost, srv.URL, strings.NewReader(q.Raw))
		if err != nil {
			t.Fatal(err)
		}
		hr.Header.Set("Content-Type", "application/json")
		hr.Header.Set("Accept", accept)
		hr.Header.Set(gqlcache.DebugHeader, "true")
		resp, err := srv.Client().Do(hr)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if got := resp.Header.Get("Cache-Status"); (got != "") != (accept == "application/json") {
			t.Errorf("%s: %q", accept, got)
		}
	}
}
