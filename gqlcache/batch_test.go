package gqlcache_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler"
	"github.com/cascadeql/cascadeql/gqlcache"
)

// batch is a transport as servers have it for several operations in one request: they run
// at once.
type batch struct{}

func (batch) Supports(r *http.Request) bool {
	return r.Header.Get("Content-Type") == "application/batch"
}

func (batch) Do(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	var all []graphql.RawParams
	if err := json.NewDecoder(r.Body).Decode(&all); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	answers := make([]*graphql.Response, len(all))
	var wg sync.WaitGroup
	for i := range all {
		wg.Go(func() {
			all[i].Headers = r.Header
			oc, errs := exec.CreateOperationContext(r.Context(), &all[i])
			if errs != nil {
				answers[i] = exec.DispatchError(r.Context(), errs)
				return
			}
			next, ctx := exec.DispatchOperation(r.Context(), oc)
			answers[i] = next(ctx)
		})
	}
	wg.Wait()
	_ = json.NewEncoder(w).Encode(answers) // to memory
}

// TestCacheStatusOfBatches: operations of one request may run at once, and all of them
// are told.
func TestCacheStatusOfBatches(t *testing.T) {
	t.Parallel()
	const operations = 50
	p := newPanel(t, nil)
	p.cached.(*handler.Server).AddTransport(batch{})
	send := func(viewer string) *httptest.ResponseRecorder {
		body := "[" + strings.TrimSuffix(strings.Repeat(`{"query":"{users{name}}"},`, operations), ",") + "]"
		hr := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/query", strings.NewReader(body))
		hr.Header.Set("Content-Type", "application/batch")
		hr.Header.Set("X-Viewer", viewer)
		hr.Header.Set(gqlcache.DebugHeader, "true")
		w := httptest.NewRecorder()
		p.h.ServeHTTP(w, hr)
		return w
	}
	for range 3 {
		w := send("ann")
		if n := strings.Count(w.Body.String(), `"status":`); n != operations || len(w.Header()["Cache-Status"]) != n {
			t.Errorf("%d were told, and %d in the header", n, len(w.Header()["Cache-Status"]))
		}
	}
	many := "[" + strings.Repeat(`{"query":"{__typename}"},`, 500) + `{"query":"{__typename}"}]`
	hr := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/query", strings.NewReader(many))
	hr.Header.Set("Content-Type", "application/batch")
	hr.Header.Set(gqlcache.DebugHeader, "true")
	w := httptest.NewRecorder()
	p.h.ServeHTTP(w, hr)
	if n := len(w.Header()["Cache-Status"]); n != 100 {
		t.Errorf("%d of 501 operations are in the header", n)
	}
	if w := send("stranger"); len(w.Header()["Cache-Status"]) != 0 || strings.Contains(w.Body.String(), "extensions") {
		t.Errorf("%v %s", w.Header(), w.Body)
	}
}

// TestCacheStatusAfterATimeout: an operation may go on when its request was answered by
// others, who own the header by then.
func TestCacheStatusAfterATimeout(t *testing.T) {
	t.Parallel()
	ended := make(chan struct{}, 1)
	p := newPanel(t, nil)
	slow := p.cached
	p.h = p.cache.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		inner := httptest.NewRecorder()
		done := make(chan struct{})
		go func() {
			close(done)
			slow.ServeHTTP(inner, r)
			ended <- struct{}{}
		}()
		<-done
		for range 100 {
			w.Header().Set("Retry-After", "1")
		}
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	for range 20 {
		w := httptest.NewRecorder()
		hr := transports(t, readUsers, "ann", nil)["POST"]()
		hr.Header.Set(gqlcache.DebugHeader, "true")
		p.h.ServeHTTP(w, hr)
		<-ended
		if w.Code != http.StatusServiceUnavailable {
			t.Errorf("status %d", w.Code)
		}
	}
}

// mute is a response writer that cannot be flushed.
type mute struct{ w *httptest.ResponseRecorder }

func (m mute) Header() http.Header         { return m.w.Header() }
func (m mute) Write(b []byte) (int, error) { return m.w.Write(b) }
func (m mute) WriteHeader(status int)      { m.w.WriteHeader(status) }

// TestHandlerAddsNoAbilities: what the server's own response writer cannot do stays
// impossible, for strangers with the header, too.
func TestHandlerAddsNoAbilities(t *testing.T) {
	t.Parallel()
	p := newPanel(t, nil)
	for _, way := range []string{"SSE", "mixed", "POST", "GET"} {
		answer := func(h http.Handler) string {
			w := httptest.NewRecorder()
			hr := transports(t, readUsers, "stranger", nil)[way]()
			hr.Header.Set(gqlcache.DebugHeader, "true")
			h.ServeHTTP(mute{w}, hr)
			return w.Body.String()
		}
		if got, want := answer(p.h), answer(p.cached); got != want {
			t.Errorf("%s: %s, want %s", way, got, want)
		}
	}
}
