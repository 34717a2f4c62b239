package gqlcache_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/textproto"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/internal/testgraph"
)

// Servers of net/http, over each protocol that it speaks.

// A protocol is a way to serve a handler of net/http, and to ask it.
type protocol struct {
	name    string
	tls     bool
	version int
}

func protocols() []protocol {
	return []protocol{{"HTTP/1.1", false, 1}, {"HTTP/2 over TLS", true, 2}, {"HTTP/2 without TLS", false, 2}}
}

// served is a server, and a client that speaks its protocol only.
type served struct {
	*httptest.Server

	client  *http.Client
	version int
}

func (p protocol) serve(t *testing.T, h http.Handler) *served {
	t.Helper()
	srv := httptest.NewUnstartedServer(h)
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	var only http.Protocols
	switch {
	case p.version == 1:
		only.SetHTTP1(true)
	case p.tls:
		only.SetHTTP2(true)
	default:
		only.SetUnencryptedHTTP2(true)
	}
	srv.Config.Protocols = &only
	if p.tls {
		srv.EnableHTTP2 = true
		srv.StartTLS()
	} else {
		srv.Start()
	}
	transport := &http.Transport{Protocols: &only, DisableCompression: true}
	if p.tls {
		transport.TLSClientConfig = srv.Client().Transport.(*http.Transport).TLSClientConfig
	}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		srv.Close()
	})
	return &served{srv, &http.Client{Transport: transport}, p.version}
}

// received is all that a client sees of a response.
type received struct {
	status          int
	header, trailer http.Header
	hints           []string // of informational responses
	body            string
	err             error
	length          int64
}

func (s *served) send(ctx context.Context, q *sentRequest) (got received) {
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{Got1xxResponse: func(code int, h textproto.MIMEHeader) error {
		got.hints = append(got.hints, fmt.Sprint(code, h))
		return nil
	}})
	r, err := http.NewRequestWithContext(ctx, q.method, s.URL+q.target, strings.NewReader(q.body))
	if err != nil {
		return received{err: err}
	}
	if q.method == http.MethodPost {
		r.Header.Set("Content-Type", "application/json")
	}
	for name, value := range q.header {
		r.Header.Set(name, value)
	}
	resp, err := s.client.Do(r)
	if err != nil {
		got.err = err
		return got
	}
	if resp.ProtoMajor != s.version {
		got.err = errors.New(resp.Proto)
	}
	b, err := io.ReadAll(resp.Body)
	got.err = errors.Join(got.err, err, resp.Body.Close())
	got.body, got.status, got.header, got.trailer, got.length = string(b), resp.StatusCode, resp.Header, resp.Trailer, resp.ContentLength
	got.header.Del("Date")
	got.header.Del("Content-Length")
	return got
}

// compareReceived reports what a client can tell apart.
func compareReceived(t *testing.T, name string, get bool, got, want received) {
	t.Helper()
	if get {
		for _, h := range []string{"Cache-Control", "Etag"} {
			got.header.Del(h)
		}
		got.header["Vary"] = slices.DeleteFunc(slices.Clone(got.header["Vary"]), func(v string) bool { return v == "Accept" })
		if len(got.header["Vary"]) == 0 {
			got.header.Del("Vary")
		}
	}
	if (got.err == nil) != (want.err == nil) {
		t.Errorf("%s: error %v, without: %v", name, got.err, want.err)
		return
	}
	if got.status != want.status || got.body != want.body {
		t.Errorf("%s: %d %.200s\n without: %d %.200s", name, got.status, got.body, want.status, want.body)
	}
	if !maps.EqualFunc(got.header, want.header, slices.Equal) {
		t.Errorf("%s: header %v\n without: %v", name, got.header, want.header)
	}
	if !maps.EqualFunc(got.trailer, want.trailer, slices.Equal) {
		t.Errorf("%s: trailer %v\n without: %v", name, got.trailer, want.trailer)
	}
	if !slices.Equal(got.hints, want.hints) {
		t.Errorf("%s: hints %v\n without: %v", name, got.hints, want.hints)
	}
}

// arounds are middlewares that use what net/http's writer can do, and wrap no writer.
func arounds() map[string]func(http.Handler) http.Handler {
	return map[string]func(http.Handler) http.Handler{
		"nothing": func(h http.Handler) http.Handler { return h },
		"a trailer that is announced": func(h http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Add("Trailer", "X-Checksum")
				h.ServeHTTP(w, r)
				w.Header().Set("X-Checksum", "1")
			})
		},
		"a trailer that is not announced": func(h http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				h.ServeHTTP(w, r)
				w.Header().Set(http.TrailerPrefix+"X-Checksum", "1")
			})
		},
		"a last line": func(h http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				h.ServeHTTP(w, r)
				_, _ = w.Write([]byte("\n"))
			})
		},
		"a function around": func(h http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, _ = w.Write([]byte("f("))
				h.ServeHTTP(w, r)
				_, _ = w.Write([]byte(")"))
			})
		},
		"an early hint": func(h http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Link", "</style.css>; rel=preload")
				w.WriteHeader(http.StatusEarlyHints)
				h.ServeHTTP(w, r)
			})
		},
		"a status": func(h http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.WriteHeader(http.StatusAccepted)
				h.ServeHTTP(w, r)
			})
		},
		"a flush before": func(h http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_ = http.NewResponseController(w).Flush()
				h.ServeHTTP(w, r)
			})
		},
		"a flush after": func(h http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				h.ServeHTTP(w, r)
				_ = http.NewResponseController(w).Flush()
				w.Header().Set(http.TrailerPrefix+"X-Checksum", "1")
			})
		},
		"an own encoding": func(h http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Transfer-Encoding", "identity")
				h.ServeHTTP(w, r)
			})
		},
		"no date, no connection": func(h http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header()["Date"] = nil
				w.Header().Set("Connection", "close")
				h.ServeHTTP(w, r)
			})
		},
		"a time limit":        func(h http.Handler) http.Handler { return http.TimeoutHandler(h, time.Hour, "") },
		"a limit of the body": func(h http.Handler) http.Handler { return http.MaxBytesHandler(h, 50_000) },
		"both at once": func(h http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_ = http.NewResponseController(w).EnableFullDuplex()
				h.ServeHTTP(w, r)
			})
		},
	}
}

// sizes are requests whose answers fit into the buffers of net/http, and do not.
func sizes() (all []sentRequest) {
	for _, n := range []int{10, 3_000, 80_000} {
		text := strings.Repeat("a", n)
		all = append(all, sentRequest{name: fmt.Sprint("POST ", n), method: http.MethodPost, body: `{"query":"{echo(text:\"` + text + `\")}"}`})
		if n < 10_000 {
			all = append(all, sentRequest{name: fmt.Sprint("GET ", n), method: http.MethodGet, target: get("query", `{echo(text:"`+text+`")}`)[len("/query"):]})
		}
	}
	for _, accept := range []string{"text/event-stream", "multipart/mixed"} {
		all = append(all, sentRequest{name: accept, method: http.MethodPost, body: `{"query":"{users{id name}}"}`, header: map[string]string{"Accept": accept}},
			sentRequest{name: accept + " of a mutation", method: http.MethodPost, body: `{"query":"mutation{log}"}`, header: map[string]string{"Accept": accept}})
	}
	return append(all, sentRequest{name: "mutation", method: http.MethodPost, body: `{"query":"mutation{log}"}`},
		sentRequest{name: "refused", method: http.MethodPost, body: `{"query":"{nothing}"}`},
		sentRequest{name: "failed", method: http.MethodPost, body: `{"query":"{fails}"}`},
		sentRequest{name: "options", method: http.MethodOptions},
		sentRequest{name: "head", method: http.MethodHead, target: get("query", "{users{id}}")[len("/query"):]})
}

// TestProtocols: what a client gets is what it gets without the cache, over each protocol,
// whatever middlewares do with the writer of net/http.
func TestProtocols(t *testing.T) {
	t.Parallel()
	for _, p := range protocols() {
		for name, around := range arounds() {
			for i, wrapper := range []string{"nothing", "Handler", "HoldUntilCommit"} {
				t.Run(p.name+", "+name+", "+wrapper, func(t *testing.T) {
					t.Parallel()
					// Half of those that keep the promise of ContentLength make it.
					promised := i%2 == 0 && !slices.Contains([]string{"a last line", "a trailer that is not announced", "a flush after"}, name)
					r := newRig(t, "annotated", gqlcache.Options{HTTP: gqlcache.HTTP{ContentLength: promised, Direct: i%2 == 1}})
					h := around(r.cached)
					switch wrapper {
					case "Handler":
						h = r.cache.Handler(h)
					case "HoldUntilCommit":
						h = r.cache.HoldUntilCommit(h)
					}
					cached, plain := p.serve(t, h), p.serve(t, around(r.plain))
					for _, q := range sizes() {
						for range 3 {
							got, want := cached.send(t.Context(), &q), plain.send(t.Context(), &q)
							compareReceived(t, q.name, q.method == http.MethodGet, got, want)
						}
					}
					if n := r.cache.Stats().Hits; n < 4 { // net/http reads no body of HTTP/1.1 after a flush
						t.Errorf("%d hits, not stored %v, bypassed %v", n, r.cache.Stats().NotStored, r.cache.Stats().Bypassed)
					}
				})
			}
		}
	}
}

// TestStreamsOfOneConnection: requests of several callers come over one connection at once,
// and some of their streams are reset while the request is read, or computed, or answered.
// Everybody else gets what is theirs.
func TestStreamsOfOneConnection(t *testing.T) {
	t.Parallel()
	for _, p := range protocols()[1:] {
		for _, direct := range []bool{false, true} {
			t.Run(fmt.Sprint(p.name, " ", direct), func(t *testing.T) {
				t.Parallel()
				checkStreams(t, p, direct)
			})
		}
	}
}

func checkStreams(t *testing.T, p protocol, direct bool) {
	t.Helper()
	r := newRig(t, "annotated", gqlcache.Options{HTTP: gqlcache.HTTP{Direct: direct}})
	h := r.cache.Handler(r.cached)
	var serving sync.WaitGroup
	srv := p.serve(t, http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		serving.Add(1)
		defer serving.Done()
		h.ServeHTTP(w, q)
	}))
	as := func(who, query string) *sentRequest {
		return &sentRequest{method: http.MethodPost, body: `{"query":"` + query + `"}`, header: map[string]string{"X-Viewer": who}}
	}
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			who := []string{"ann", "bob"}[i%2]
			for n := range 15 {
				streamOnce(t, srv, as(who, "{viewer notes{name}}"), (i+n)%5)
			}
		})
	}
	all.Wait()

	// The one who computes leaves while others wait.
	latch := r.store.Block("Query.users")
	ctx, leave := context.WithCancel(t.Context())
	left := make(chan received)
	go func() { left <- srv.send(ctx, as("ann", "{users{name}}")) }()
	<-latch.Reached
	answers := make(chan received)
	for range 5 {
		go func() { answers <- srv.send(t.Context(), as("ann", "{users{name}}")) }()
	}
	leave()
	if got := <-left; got.err == nil {
		t.Error("who has left has an answer")
	}
	latch.Release()
	for range 5 {
		if got := <-answers; got.body != `{"data":{"users":[{"name":"Ann"},{"name":"Bob"}]}}` {
			t.Errorf("%s %v", got.body, got.err)
		}
	}

	// A mutation whose client leaves is a change all the same.
	latch = r.store.BlockHard("Mutation.renameUser:done")
	ctx, leave = context.WithCancel(t.Context())
	go func() {
		left <- srv.send(ctx, as("ann", fmt.Sprintf(`mutation{renameUser(id:\"%s\",name:\"New\")}`, testgraph.Ann)))
	}()
	<-latch.Reached
	srv.send(t.Context(), as("bob", "{users{name}}"))
	leave()
	<-left
	latch.Release()
	serving.Wait()
	if got := r.send("{users{name}}"); !strings.Contains(got.Body, "New") {
		t.Errorf("%s", got.Body)
	}
}

// streamOnce sends a request whose body ends with an error (0), one whose answer is not read
// (1), or the given one.
func streamOnce(t *testing.T, srv *served, q *sentRequest, kind int) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	body, w := io.Pipe()
	switch kind {
	case 0:
		go func() {
			_, _ = io.WriteString(w, `{"query":"{viewer`)
			_ = w.CloseWithError(errors.New("the client has left"))
		}()
	case 1:
		go func() {
			_, _ = io.WriteString(w, `{"query":"{echo(text:\"`+strings.Repeat("b", 200_000)+`\")}"}`)
			_ = w.Close()
		}()
	default:
		got, who := srv.send(ctx, q), q.header["X-Viewer"]
		want := fmt.Sprintf(`{"data":{"viewer":%q,"notes":[{"name":"%s's diary"}]}}`, who, map[string]string{"ann": "Ann", "bob": "Bob"}[who])
		if got.err != nil || got.body != want {
			t.Errorf("%s: %s %v", who, got.body, got.err)
		}
		return
	}
	hr, err := http.NewRequestWithContext(ctx, http.MethodPost, srv.URL, body)
	if err != nil {
		t.Error(err)
		return
	}
	hr.Header.Set("Content-Type", "application/json")
	if resp, err := srv.client.Do(hr); err == nil {
		cancel()
		_ = resp.Body.Close()
	}
}

// TestTrailersOfRequests: a client may send trailers, which gqlgen does not look at, and a
// middleware does when the body was read.
func TestTrailersOfRequests(t *testing.T) {
	t.Parallel()
	for _, p := range protocols() {
		r := newRig(t, "annotated", gqlcache.Options{})
		seen := make(chan string, 1)
		srv := p.serve(t, http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
			r.cached.ServeHTTP(w, q)
			seen <- q.Trailer.Get("X-Sum")
		}))
		for range 4 {
			body := struct{ io.Reader }{strings.NewReader(`{"query":"{users{id}}"}`)} // of a length that is not known
			hr, err := http.NewRequestWithContext(t.Context(), http.MethodPost, srv.URL, body)
			if err != nil {
				t.Fatal(err)
			}
			hr.Header.Set("Content-Type", "application/json")
			hr.Trailer = http.Header{"X-Sum": {"7"}}
			resp, err := srv.client.Do(hr)
			if err != nil {
				t.Fatal(err)
			}
			_, err = io.Copy(io.Discard, resp.Body)
			if err = errors.Join(err, resp.Body.Close()); err != nil {
				t.Error(err)
			}
			if got := <-seen; got != "7" {
				t.Errorf("%s: %q", p.name, got)
			}
		}
	}
}
