package gqlcache_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/99designs/gqlgen/client"
	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/internal/testgraph"
)

// txServer runs each request in a transaction of its own: a snapshot of the rows that is
// opened before gqlgen and committed after it has answered. Requests are named by the
// header X-Name; those whose name begins with "write" commit, the others only read.
type txServer struct {
	cache *gqlcache.Cache
	// prepare is called with each transaction's rows.
	prepare func(name string, rows *testgraph.Store)
	// panics ends the transaction of that name with a panic, after the commit.
	panics string

	mu    sync.Mutex
	rows  *testgraph.Store
	stops map[string]*txStop
}

type txStop struct{ reached, open chan struct{} }

// stop makes the request of a name stop at "begin", after its snapshot, or "commit",
// before it.
func (s *txServer) stop(name, point string) *txStop {
	st := &txStop{make(chan struct{}), make(chan struct{})}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stops == nil {
		s.stops = map[string]*txStop{}
	}
	s.stops[name+":"+point] = st
	return st
}

func (s *txServer) reach(name, point string) {
	s.mu.Lock()
	st := s.stops[name+":"+point]
	s.mu.Unlock()
	if st != nil {
		close(st.reached)
		<-st.open
	}
}

func (s *txServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := r.Header.Get("X-Name")
	s.mu.Lock()
	rows := s.rows.Clone()
	s.mu.Unlock()
	if s.prepare != nil {
		s.prepare(name, rows)
	}
	s.reach(name, "begin")
	testgraph.NewServer(rows, s.cache).ServeHTTP(w, r)
	s.reach(name, "commit")
	if strings.HasPrefix(name, "write") {
		s.mu.Lock()
		s.rows = rows
		s.mu.Unlock()
	}
	if s.panics == name {
		panic("after the commit")
	}
}

// txRig is such a server with the wrapper or, as control, without.
type txRig struct {
	t  *testing.T
	h  http.Handler
	tx *txServer
}

func newTxRig(t *testing.T, wrapped bool) *txRig {
	t.Helper()
	s := &txServer{cache: newCache(t, gqlcache.Options{Callers: gqlcache.AllSeeTheSame, Store: newMapStore()}), rows: testgraph.NewStore()}
	r := &txRig{t: t, tx: s, h: s}
	if wrapped {
		r.h = s.cache.HoldUntilCommit(s)
	}
	return r
}

func (r *txRig) ask(name, document string) string {
	q := testgraph.Request{Query: expand(document), Header: map[string]string{"X-Name": name}}
	return testgraph.Do(r.t, r.t.Context(), r.h, q).Body
}

func (r *txRig) start(name, document string) <-chan string {
	answer := make(chan string, 1)
	go func() {
		defer close(answer) // also when the handler panics
		defer func() { _ = recover() }()
		answer <- r.ask(name, document)
	}()
	return answer
}

// TestHoldUntilCommit: each sequence is stale without the wrapper and never with it.
func TestHoldUntilCommit(t *testing.T) {
	t.Parallel()
	touch := func(name string, rows *testgraph.Store) {
		hook := func(ctx context.Context) error {
			testgraph.Do(t, context.WithoutCancel(ctx), testgraph.NewServer(rows), testgraph.Request{Query: expand(renameAnn)})
			return gqlcache.Touch(ctx, "User", testgraph.Ann)
		}
		rows.On("Mutation.log", hook)
		rows.On("Query.userCount", hook)
	}
	betweenInvalidationAndCommit := func(write string) func(*txRig) string {
		return func(r *txRig) string {
			commit := r.tx.stop("write", "commit")
			written := r.start("write", write)
			<-commit.reached
			r.ask("read", readAnn) // stores the state before the commit
			close(commit.open)
			<-written
			return r.ask("late", readAnn)
		}
	}
	rows := []struct {
		name    string
		prepare func(string, *testgraph.Store)
		play    func(*txRig) string
	}{
		{"read between invalidation and commit", nil, betweenInvalidationAndCommit(renameAnn)},
		{"undeclared mutation", nil, betweenInvalidationAndCommit(`mutation{renameUndeclared(id:$Ann,name:"New")}`)},
		{"Touch in a mutation", touch, betweenInvalidationAndCommit("mutation{log}")},
		{"Touch in a query", touch, betweenInvalidationAndCommit("{userCount}")},
		{"snapshot opened before the change, filled after it", nil, func(r *txRig) string {
			begin := r.tx.stop("read", "begin")
			read := r.start("read", readAnn)
			<-begin.reached
			r.ask("write", renameAnn)
			close(begin.open)
			<-read
			return r.ask("late", readAnn)
		}},
		{"joined the flight of an older snapshot", nil, func(r *txRig) string {
			var latch *testgraph.Latch
			r.tx.prepare = func(name string, rows *testgraph.Store) {
				if name == "read" {
					latch = rows.Block("Query.user")
				}
			}
			begin := r.tx.stop("read", "begin")
			read := r.start("read", readAnn)
			<-begin.reached
			r.ask("write", renameAnn)
			close(begin.open)
			<-latch.Reached
			late := r.start("late", readAnn)
			synctest.Wait() // until it waits for the flight
			latch.Release()
			<-read
			return <-late
		}},
		{"panic after the commit", nil, func(r *txRig) string {
			r.tx.panics = "write"
			return betweenInvalidationAndCommit(renameAnn)(r)
		}},
	}
	for _, row := range rows {
		for _, wrapped := range []bool{false, true} {
			t.Run(row.name+map[bool]string{false: "/without", true: "/with"}[wrapped], func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					r := newTxRig(t, wrapped)
					r.tx.prepare = row.prepare
					if got := row.play(r); strings.Contains(got, `"New"`) != wrapped {
						t.Errorf("answer after the mutation's: %s", got)
					}
				})
			})
		}
	}
}

// wire is a connection that notes what comes over it, in order.
type wire struct {
	mu     sync.Mutex
	header http.Header
	events []string
}

func (w *wire) Header() http.Header { return w.header }

func (w *wire) note(event string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.events = append(w.events, event)
}

func (w *wire) WriteHeader(status int) { w.note("status " + http.StatusText(status)) }
func (w *wire) Flush()                 { w.note("flush") }
func (w *wire) Write(b []byte) (int, error) {
	w.note("write " + string(b))
	return len(b), nil
}

func (w *wire) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	w.note("hijack")
	return nil, nil, nil
}

// index is where an event is that contains a text, or -1.
func (w *wire) index(text string) int {
	return slices.IndexFunc(w.events, func(e string) bool { return strings.Contains(e, text) })
}

func post(t *testing.T, document, accept string) *http.Request {
	t.Helper()
	hr := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/query", strings.NewReader(`{"query":"`+strings.ReplaceAll(expand(document), `"`, `\"`)+`"}`))
	hr.Header.Set("Content-Type", "application/json")
	hr.Header.Set("Accept", accept)
	return hr
}

// TestHeldAnswers: a mutation's answer comes after the commit, a query's as it is
// written.
func TestHeldAnswers(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, document, accept, answer string
		held                           bool
	}{
		{"mutation", renameAnn, "application/json", "renameUser", true},
		{"mutation over SSE", renameAnn, "text/event-stream", "renameUser", true},
		{"mutation over multipart", renameAnn, "multipart/mixed", "renameUser", true},
		{"failing mutation", "mutation{boom}", "application/json", "boom", true},
		{"query", readUsers, "application/json", "users", false},
		{"query over SSE", readUsers, "text/event-stream", "users", false},
		{"query that touches a row", "{userCount}", "application/json", "userCount", true},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, "annotated", gqlcache.Options{})
			r.store.On("Query.userCount", func(ctx context.Context) error { return gqlcache.Touch(ctx, "User", testgraph.Ann) })
			w := &wire{header: http.Header{}}
			h := r.cache.HoldUntilCommit(http.HandlerFunc(func(hw http.ResponseWriter, q *http.Request) {
				r.cached.ServeHTTP(hw, q)
				w.note("commit")
			}))
			h.ServeHTTP(w, post(t, row.document, row.accept))
			commit, answer := w.index("commit"), w.index(row.answer)
			if answer < 0 || (answer > commit) != row.held {
				t.Errorf("%q", w.events)
			}
			if flush := w.index("flush"); row.accept == "text/event-stream" && (flush < 0 || flush > commit) {
				t.Errorf("nothing was flushed before the end: %q", w.events)
			}
			// The bytes are those of a server without the wrapper.
			plain := httptest.NewRecorder()
			r.plain.ServeHTTP(plain, post(t, row.document, row.accept))
			var body strings.Builder
			for _, e := range w.events {
				if text, ok := strings.CutPrefix(e, "write "); ok {
					body.WriteString(text)
				}
			}
			if body.String() != plain.Body.String() {
				t.Errorf("body %q, want %q", body.String(), plain.Body)
			}
		})
	}
}

// TestHeldStatus: what the handler said with its answer is kept, in the order of
// net/http.
func TestHeldStatus(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name   string
		answer func(http.ResponseWriter)
		want   []string
	}{
		{"nothing", func(http.ResponseWriter) {}, []string{"end"}},
		{"status only", func(w http.ResponseWriter) { w.WriteHeader(http.StatusAccepted) }, []string{"end", "status Accepted"}},
		{"the first status counts", func(w http.ResponseWriter) {
			w.WriteHeader(http.StatusAccepted)
			w.WriteHeader(http.StatusTeapot)
			_, _ = io.WriteString(w, "a")
			_, _ = io.WriteString(w, "b")
		}, []string{"end", "status Accepted", "write ab"}},
		{"a status after the body", func(w http.ResponseWriter) {
			_, _ = io.WriteString(w, "a")
			w.WriteHeader(http.StatusTeapot)
		}, []string{"end", "write a"}},
		{"early hints", func(w http.ResponseWriter) {
			w.WriteHeader(http.StatusEarlyHints)
			w.WriteHeader(http.StatusAccepted)
		}, []string{"status Early Hints", "end", "status Accepted"}},
		{"flush", func(w http.ResponseWriter) {
			_, _ = io.WriteString(w, "a")
			if err := http.NewResponseController(w).Flush(); err != nil {
				t.Error(err)
			}
		}, []string{"end", "write a", "flush"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, "annotated", gqlcache.Options{})
			w := &wire{header: http.Header{}}
			r.cache.HoldUntilCommit(http.HandlerFunc(func(hw http.ResponseWriter, q *http.Request) {
				r.cached.ServeHTTP(httptest.NewRecorder(), q) // its answer goes nowhere
				hw.Header().Set("X-Set", "here")
				row.answer(hw)
				w.note("end")
			})).ServeHTTP(w, post(t, renameAnn, "application/json"))
			if !slices.Equal(w.events, row.want) || w.header.Get("X-Set") != "here" {
				t.Errorf("%q, want %q; header %v", w.events, row.want, w.header)
			}
		})
	}
}

// TestHeldPanic: the panic goes on, and no answer is sent.
func TestHeldPanic(t *testing.T) {
	t.Parallel()
	r := newRig(t, "annotated", gqlcache.Options{})
	w := &wire{header: http.Header{}}
	defer func() {
		if p := recover(); p != "no commit" || len(w.events) > 0 {
			t.Errorf("panic %v after %q", p, w.events)
		}
	}()
	r.cache.HoldUntilCommit(http.HandlerFunc(func(hw http.ResponseWriter, q *http.Request) {
		r.cached.ServeHTTP(hw, q)
		panic("no commit") // the transaction's failure
	})).ServeHTTP(w, post(t, renameAnn, "application/json"))
}

// TestHoldHijacked: operations of a hijacked connection are on their own: they begin when
// they arrive, not when the connection was opened. Else none of their answers could be
// stored after a change, and they could join a computation from before it.
func TestHoldHijacked(t *testing.T) {
	t.Parallel()
	r := newRig(t, "annotated", gqlcache.Options{})
	w := &wire{header: http.Header{}}
	r.cache.HoldUntilCommit(http.HandlerFunc(func(hw http.ResponseWriter, q *http.Request) {
		if _, _, err := http.NewResponseController(hw).Hijack(); err != nil {
			t.Error(err)
		}
		ask := func(document string) string {
			before := r.cache.Stats()
			body := testgraph.Send(r.cached, post(t, document, "application/json").WithContext(q.Context())).Body
			return outcome(before, r.cache.Stats()) + body
		}
		ask(readAnn)
		ask(renameAnn)
		if got := ask(readAnn); !strings.HasPrefix(got, "MISS{") || !strings.Contains(got, "New") {
			t.Errorf("after the change: %s", got)
		}
		if got := ask(readAnn); !strings.HasPrefix(got, "HIT") {
			t.Errorf("then: %s", got)
		}
	})).ServeHTTP(w, post(t, readAnn, "application/json"))
	if !slices.Equal(w.events, []string{"hijack"}) {
		t.Errorf("%q", w.events)
	}
}

// TestHoldWebsocket: gqlgen's websockets work behind the wrapper.
func TestHoldWebsocket(t *testing.T) {
	t.Parallel()
	r := newRig(t, "annotated", gqlcache.Options{})
	c := client.New(r.cache.HoldUntilCommit(r.cached))
	for i, document := range []string{readAnn, renameAnn, readAnn} {
		ws := c.Websocket(expand(document))
		var got map[string]any
		if err := ws.Next(&got); err != nil || len(got) == 0 {
			t.Errorf("%d: %v, %v", i, got, err)
		}
		if err := ws.Close(); err != nil {
			t.Error(err)
		}
	}
	r.mustSee("New")
}

// TestHoldOfAnotherCache: a wrapper counts for its own cache only.
func TestHoldOfAnotherCache(t *testing.T) {
	t.Parallel()
	r := newRig(t, "annotated", gqlcache.Options{})
	other := newCache(t, gqlcache.Options{Predicate: viewerPredicate})
	w := &wire{header: http.Header{}}
	other.HoldUntilCommit(http.HandlerFunc(func(hw http.ResponseWriter, q *http.Request) {
		r.cached.ServeHTTP(hw, q)
		w.note("end")
	})).ServeHTTP(w, post(t, renameAnn, "application/json"))
	if w.index("renameUser") > w.index("end") {
		t.Errorf("held by a cache that has no part in it: %q", w.events)
	}
}
