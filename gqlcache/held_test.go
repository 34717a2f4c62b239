package gqlcache_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/internal/testgraph"
)

// touching is an extension that touches a row for each response of a subscription.
type touching struct{ ending }

func (*touching) InterceptResponse(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
	resp := next(ctx)
	if resp != nil {
		_ = gqlcache.Touch(ctx, "User", testgraph.Ann)
	}
	return resp
}

// TestStreamsAreNotHeld: the events of a subscription behind a hold are sent when they
// come, though its resolvers change something. That counts at once, and again at the end
// of the request.
func TestStreamsAreNotHeld(t *testing.T) {
	t.Parallel()
	r := newInstances(t, 2)
	a, b := r.two()
	srv := testgraph.NewServer(r.rows, &touching{}, a.cache)
	w := &wire{header: http.Header{}}
	for _, m := range r.all {
		m.ask(readAnn)
	}
	var atEnd uint64
	h := a.cache.HoldUntilCommit(http.HandlerFunc(func(hw http.ResponseWriter, q *http.Request) {
		srv.ServeHTTP(hw, q)
		w.note("end")
		for _, m := range r.all {
			if _, got := m.ask(readAnn); strings.HasPrefix(got, "HIT") && m == a {
				t.Errorf("before the end: %s", got)
			}
			testgraph.Do(t, t.Context(), testgraph.NewServer(r.rows), testgraph.Request{Query: expand(renameAnn)}) // commits
		}
		atEnd = r.fakeLog.number
	}))
	h.ServeHTTP(w, post(t, `subscription{ticks(n:3)}`, "text/event-stream"))
	end := w.index("end")
	for _, event := range []string{`"ticks":0`, `"ticks":1`, `"ticks":2`, "complete"} {
		if at := w.index(event); at < 0 || at > end {
			t.Errorf("%s comes after the end: %q", event, w.events)
		}
	}
	if r.fakeLog.number == atEnd {
		t.Error("nothing was made known at the end")
	}
	b.want("MISS", "New", readAnn)
}

// Writers with some of the optional interfaces.
type (
	justWriter struct{ http.ResponseWriter }
	withPush   struct{ http.ResponseWriter }
	withNotify struct{ http.ResponseWriter }
	withHijack struct{ http.ResponseWriter }
	withFlush  struct{ http.ResponseWriter }
	deep       struct{ http.ResponseWriter } // of which only http.ResponseController finds them
)

func (withPush) Push(string, *http.PushOptions) error { return nil }
func (withNotify) CloseNotify() <-chan bool           { return nil }
func (withFlush) Flush()                              {}
func (withHijack) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return nil, nil, errors.New("hijacked")
}
func (d deep) Unwrap() http.ResponseWriter { return d.ResponseWriter }

func optional(w http.ResponseWriter) string {
	_, f := w.(http.Flusher)
	_, h := w.(http.Hijacker)
	_, p := w.(http.Pusher)
	_, n := w.(http.CloseNotifier) //nolint:staticcheck // frameworks assert it
	return fmt.Sprint(f, h, p, n)
}

// TestWrappedWriters: a wrapper's writer has the optional interfaces of the server's, and
// no others.
func TestWrappedWriters(t *testing.T) {
	t.Parallel()
	rec := func() http.ResponseWriter { return justWriter{httptest.NewRecorder()} }
	type combination struct {
		withFlush
		withHijack
		withPush
		withNotify
	}
	parts := combination{withFlush{rec()}, withHijack{rec()}, withPush{rec()}, withNotify{rec()}}
	type fh struct {
		http.ResponseWriter
		http.Flusher
		http.Hijacker
	}
	type fn struct {
		http.ResponseWriter
		http.Flusher
		http.CloseNotifier // frameworks assert it
	}
	type all struct {
		http.ResponseWriter
		http.Flusher
		http.Hijacker
		http.Pusher
		http.CloseNotifier // frameworks assert it
	}
	type fp struct {
		http.ResponseWriter
		http.Flusher
		http.Pusher
	}
	type hn struct {
		http.ResponseWriter
		http.Hijacker
		http.CloseNotifier // frameworks assert it
	}
	r := newRig(t, "annotated", gqlcache.Options{Inspector: gqlcache.Inspector{Allow: func(context.Context) bool { return true }}})
	for i, w := range []http.ResponseWriter{
		rec(), parts.withFlush, parts.withHijack, parts.withPush, parts.withNotify,
		fh{rec(), parts, parts}, fn{rec(), parts, parts}, all{rec(), parts, parts, parts, parts}, fp{rec(), parts, parts}, hn{rec(), parts, parts},
		deep{parts.withHijack}, deep{rec()},
	} {
		for name, wrap := range map[string]func(http.Handler) http.Handler{
			"hold": r.cache.HoldUntilCommit, "Handler": r.cache.Handler,
			"both": func(h http.Handler) http.Handler { return r.cache.HoldUntilCommit(r.cache.Handler(h)) },
		} {
			for _, header := range []string{"Upgrade", gqlcache.DebugHeader} {
				q := post(t, readAnn, "application/json")
				q.Header.Set(header, "true")
				wrap(http.HandlerFunc(func(got http.ResponseWriter, _ *http.Request) {
					if optional(got) != optional(w) {
						t.Errorf("%d %s %s: %s, want %s", i, name, header, optional(got), optional(w))
					}
					_, _, err := http.NewResponseController(got).Hijack()
					_, _, want := http.NewResponseController(w).Hijack()
					if fmt.Sprint(err) != fmt.Sprint(want) {
						t.Errorf("%d %s: Hijack %v, want %v", i, name, err, want)
					}
					err, want = http.NewResponseController(got).Flush(), http.NewResponseController(w).Flush()
					if fmt.Sprint(err) != fmt.Sprint(want) {
						t.Errorf("%d %s: Flush %v, want %v", i, name, err, want)
					}
				})).ServeHTTP(w, q)
			}
		}
	}
}

// TestHeldCopies: what io.Copy and io.WriteString write is held like the rest.
func TestHeldCopies(t *testing.T) {
	t.Parallel()
	r := newRig(t, "annotated", gqlcache.Options{})
	w := &wire{header: http.Header{}}
	r.cache.HoldUntilCommit(http.HandlerFunc(func(hw http.ResponseWriter, q *http.Request) {
		_, _ = io.WriteString(hw, "before ")
		r.cached.ServeHTTP(httptest.NewRecorder(), q)
		_, _ = io.Copy(hw, strings.NewReader("copy "))
		_, _ = io.WriteString(hw, "string")
		w.note("commit")
	})).ServeHTTP(w, post(t, renameAnn, "application/json"))
	if got := fmt.Sprintf("%q", w.events); got != `["write before " "commit" "write copy string"]` {
		t.Error(got)
	}
}

type fakeTx struct{}

func (*fakeTx) Commit() error   { return nil }
func (*fakeTx) Rollback() error { return nil }

type txKey struct{}

// TestWarningsOfTransactions: what can be seen of transactions that the cache does not
// know is said once.
func TestWarningsOfTransactions(t *testing.T) {
	t.Parallel()
	c, log := loud(t, gqlcache.Options{Callers: gqlcache.AllSeeTheSame})
	h := c.HoldUntilCommit(testgraph.NewServer(testgraph.NewStore(), c))
	serve := func(ctx context.Context) { testgraph.Send(h, post(t, readAnn, "application/json").WithContext(ctx)) }
	serve(t.Context())
	if lines := log.lines(); len(lines) != 0 {
		t.Errorf("%q", lines)
	}
	for range 2 {
		serve(context.WithValue(context.WithValue(t.Context(), txKey{}, &fakeTx{}), t, "other"))
	}
	if got := strings.Join(log.lines(), "\n"); strings.Count(got, "fakeTx") != 1 || !strings.Contains(got, "outside of HoldUntilCommit") {
		t.Errorf("%q", got)
	}
}

// TestWarningOfOuterHandler: an extension whose handler is around the cache's may commit
// after it.
func TestWarningOfOuterHandler(t *testing.T) {
	t.Parallel()
	c, log := loud(t, gqlcache.Options{Callers: gqlcache.AllSeeTheSame})
	es := testgraph.Executable(testgraph.NewStore(), "cacheControl")
	ask := func(h http.Handler, document string) {
		testgraph.Do(t, t.Context(), h, testgraph.Request{Query: expand(document)})
	}
	inside := testgraph.Serve(es, c, &ending{place: "handler", do: func() {}})
	outside := testgraph.Serve(es, &ending{place: "handler", do: func() {}}, c)
	ask(outside, readAnn)
	ask(inside, renameAnn)
	if lines := log.lines(); len(lines) != 0 {
		t.Errorf("%q", lines)
	}
	for range 2 {
		ask(outside, renameAnn)
	}
	if got := strings.Join(log.lines(), "\n"); strings.Count(got, "InterceptOperation") != 1 || !strings.Contains(got, "HoldUntilCommit") {
		t.Errorf("%q", got)
	}
}

// lateHeader keeps the status back until it is told to send it, as gin's writer does.
type lateHeader struct {
	*httptest.ResponseRecorder
	status int
}

func (w *lateHeader) WriteHeader(status int) { w.status = status }
func (w *lateHeader) WriteHeaderNow()        { w.ResponseRecorder.WriteHeader(w.status) }

// within is a middleware's writer around another one.
type within struct{ http.ResponseWriter }

func (w within) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// TestHeldHeaderIsSent: who asks for a method of the server's writer finds it behind the
// hold.
func TestHeldHeaderIsSent(t *testing.T) {
	t.Parallel()
	c := newCache(t, gqlcache.Options{Callers: gqlcache.AllSeeTheSame})
	serve := func(front func(http.ResponseWriter) http.ResponseWriter) int {
		late := &lateHeader{ResponseRecorder: httptest.NewRecorder()}
		late.Code = 0
		h := c.HoldUntilCommit(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusAccepted)
			if now, ok := w.(interface{ WriteHeaderNow() }); ok {
				now.WriteHeaderNow()
			}
		}))
		h.ServeHTTP(front(late), httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil))
		return late.Code
	}
	if got := serve(func(w http.ResponseWriter) http.ResponseWriter { return w }); got != http.StatusAccepted {
		t.Errorf("the status sent is %d", got)
	}
	if got := serve(func(w http.ResponseWriter) http.ResponseWriter { return within{within{w}} }); got != http.StatusAccepted {
		t.Errorf("behind two middlewares the status sent is %d", got)
	}
}

// TestHeldHeaders: what a middleware inside of the hold does to the header, when the server
// has answered, is as late as it is without the hold: the commit has failed, say, and it
// writes an error.
func TestHeldHeaders(t *testing.T) {
	t.Parallel()
	failing := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			next.ServeHTTP(w, r)
			w.Header().Set("X-Late", "1")
			http.Error(w, "the commit has failed", http.StatusInternalServerError)
		})
	}
	for _, p := range protocols() {
		r := newRig(t, "annotated", gqlcache.Options{})
		cached, plain := p.serve(t, r.cache.HoldUntilCommit(failing(r.cached))), p.serve(t, failing(r.plain))
		for _, query := range []string{"mutation{log}", "{users{name}}", "{nothing}"} {
			q := &sentRequest{method: http.MethodPost, body: `{"query":"` + query + `"}`}
			compareReceived(t, p.name+" "+query, false, cached.send(t.Context(), q), plain.send(t.Context(), q))
		}
	}
}
