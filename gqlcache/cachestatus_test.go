package gqlcache_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/99designs/gqlgen/graphql"
	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/inspect"
	"github.com/cascadeql/cascadeql/gqlcache/internal/testgraph"
	httpwire "github.com/cascadeql/cascadeql/gqlcache/internal/wire"
)

// cacheStatusOf sends a POST and returns the header, with the digits of keys and times
// left out.
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

// TestToldAnswersAreNotCached: a proxy in front may keep the answer to a GET, and the
// header that asks for what the cache did is in no Vary: then it would tell everybody.
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

// statusServer is a server whose transports say what became of an answer.
func statusServer(t *testing.T, o gqlcache.Options, x ...graphql.HandlerExtension) (*testgraph.Store, *gqlcache.Cache, http.Handler) {
	t.Helper()
	o.HTTP.CacheStatus, o.Predicate = "edge-1", viewerPredicate
	store, c := testgraph.NewStore(), newCache(t, o)
	return store, c, testgraph.ServeBy(c.Transport, testgraph.Executable(store), append(x, c)...)
}

// statusOf sends a request and returns the values of its Cache-Status.
func statusOf(t *testing.T, h http.Handler, method, document string) []string {
	t.Helper()
	q := sentRequest{method: method, target: get("query", document), header: map[string]string{"X-Viewer": "ann"}}
	if method == http.MethodPost {
		body, err := json.Marshal(map[string]string{"query": document})
		if err != nil {
			t.Error(err)
		}
		q.target, q.body = "/query", string(body)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, q.make(t.Context()))
	return w.Header()["Cache-Status"]
}

// TestCacheStatusOfTransports: each answer says once what became of it, by each way that
// a transport has to send one.
func TestCacheStatusOfTransports(t *testing.T) {
	t.Parallel()
	for _, direct := range []bool{false, true} {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			_, _, h := statusServer(t, gqlcache.Options{HTTP: gqlcache.HTTP{Direct: direct}})
			for _, row := range []struct {
				document string
				want     []string // of the first, the second and later requests
			}{
				{`{ banner(id: "b1") { text } }`, []string{"edge-1; fwd=miss; stored", "edge-1; hit"}},
				{"{ notes { name } }", []string{"edge-1; fwd=miss; stored", "edge-1; hit"}},
				{"{ fails }", []string{"edge-1; fwd=miss; detail=errors"}},
				{"{ __typename }", []string{"edge-1; fwd=bypass; detail=typename"}},
				{"{ nothing }", []string{"edge-1; fwd=bypass"}},
				{"{", []string{"edge-1; fwd=bypass"}},
				{"mutation { setCounter(id: 1, value: 2) { id } }", []string{map[string]string{
					http.MethodPost: "edge-1; fwd=method", http.MethodGet: "edge-1; fwd=bypass", // it is refused
				}[method]}},
			} {
				for i := range 5 {
					want := row.want[min(i, len(row.want)-1)]
					if got := statusOf(t, h, method, row.document); !slices.Equal(got, []string{want}) {
						t.Errorf("direct %v, %s, time %d: %q, want %q", direct, row.document, i, got, want)
					}
				}
			}
		}
	}
}

// TestCacheStatusOfJoined: who has waited for another request's resolvers hears of that.
func TestCacheStatusOfJoined(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store, _, h := statusServer(t, gqlcache.Options{})
		latch := store.Block("Query.banner")
		var got [2][]string
		var asking sync.WaitGroup
		for i := range got {
			asking.Go(func() { got[i] = statusOf(t, h, http.MethodGet, `{ banner(id: "b1") { text } }`) })
			synctest.Wait()
		}
		latch.Release()
		asking.Wait()
		want := [2][]string{{"edge-1; fwd=miss; stored"}, {"edge-1; fwd=miss; collapsed"}}
		if !slices.EqualFunc(got[:], want[:], slices.Equal) {
			t.Errorf("%q, want %q", got, want)
		}
	})
}

// TestCacheStatusBesideOthers: the member is added to those of other caches, and is not
// there twice where the inspector has its own.
func TestCacheStatusBesideOthers(t *testing.T) {
	t.Parallel()
	_, c, h := statusServer(t, gqlcache.Options{Inspector: gqlcache.Inspector{Allow: func(context.Context) bool { return true }}})
	around := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Status", "inner; hit")
		c.Handler(h).ServeHTTP(w, r)
	})
	ask := func(debug bool) []string {
		q := sentRequest{method: http.MethodGet, target: get("query", "{ users { name } }"), header: map[string]string{"X-Viewer": "ann"}}
		if debug {
			q.header[gqlcache.DebugHeader] = "true"
		}
		w := httptest.NewRecorder()
		around.ServeHTTP(w, q.make(t.Context()))
		return w.Header()["Cache-Status"]
	}
	for range 3 {
		ask(false)
	}
	if got := ask(false); !slices.Equal(got, []string{"inner; hit", "edge-1; hit"}) {
		t.Errorf("%q", got)
	}
	if got := ask(true); len(got) != 2 || !strings.HasPrefix(got[1], "gqlcache; hit; ttl=") {
		t.Errorf("with the inspector: %q", got)
	}
	if got := ask(false); !slices.Equal(got, []string{"inner; hit", "edge-1; hit"}) {
		t.Errorf("after the inspector: %q", got) // the values are shared by all responses
	}
}

// TestCacheStatusIsAToken: the name is a token of structured fields.
func TestCacheStatusIsAToken(t *testing.T) {
	t.Parallel()
	for name, fine := range map[string]bool{"gql.cache/1": true, "*": true, "1st": false, "a b": false, "a; hit": false, "a,b": false, "é": false} {
		c, err := gqlcache.New(quiet(gqlcache.Options{Callers: gqlcache.AllSeeTheSame, HTTP: gqlcache.HTTP{CacheStatus: name}}))
		if fine != (err == nil) || !fine && !errors.Is(err, gqlcache.ErrOptions) {
			t.Errorf("%q: %v", name, err)
		}
		_ = c.Close()
	}
}
