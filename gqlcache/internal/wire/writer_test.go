package wire_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/cascadeql/cascadeql/gqlcache/inspect"
	"github.com/cascadeql/cascadeql/gqlcache/internal/wire"
)

// owner is a request whose response is held back, or not.
type owner struct{ holds, hijacked bool }

func (o *owner) Holds() bool { return o.holds }
func (o *owner) Hijacked()   { o.hijacked = true }

// conn is a response writer that records what it is asked to do, in order.
type conn struct {
	header http.Header
	events []string
	fails  error // of hijacking
}

func newConn() *conn { return &conn{header: http.Header{}} }

func (c *conn) Header() http.Header { return c.header }
func (c *conn) WriteHeader(status int) {
	c.events = append(c.events, fmt.Sprint("status ", status))
}
func (c *conn) WriteHeaderNow() { c.events = append(c.events, "header") }
func (c *conn) Flush()          { c.events = append(c.events, "flush") }

func (c *conn) Write(b []byte) (int, error) {
	c.events = append(c.events, "write "+string(b))
	return len(b), nil
}

func (c *conn) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	c.events = append(c.events, "hijack")
	return nil, nil, c.fails
}

// around is a middleware's writer around another one.
type around struct{ http.ResponseWriter }

func (a around) Unwrap() http.ResponseWriter { return a.ResponseWriter }

func sendHeader(w http.ResponseWriter) { w.(interface{ WriteHeaderNow() }).WriteHeaderNow() }

func TestHeld(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name  string
		write func(w http.ResponseWriter, o *owner)
		want  []string // before the release, "release", and after it
	}{
		{"nothing is held before a change", func(w http.ResponseWriter, _ *owner) {
			w.WriteHeader(201)
			_, _ = io.WriteString(w, "a")
			_ = http.NewResponseController(w).Flush()
			sendHeader(w)
		}, []string{"status 201", "write a", "flush", "header", "release"}},
		{"everything is held after it", func(w http.ResponseWriter, o *owner) {
			o.holds = true
			w.WriteHeader(201)
			_, _ = io.Copy(w, strings.NewReader("a"))
			_ = http.NewResponseController(w).Flush()
			sendHeader(w)
			_, _ = w.Write([]byte("b"))
			w.WriteHeader(500)
		}, []string{"release", "status 201", "write ab", "flush"}},
		{"an informational status is not held", func(w http.ResponseWriter, o *owner) {
			o.holds = true
			w.WriteHeader(http.StatusEarlyHints)
			w.WriteHeader(http.StatusOK)
		}, []string{"status 103", "release", "status 200"}},
		{"an informational status comes too late", func(w http.ResponseWriter, o *owner) {
			o.holds = true
			_, _ = io.WriteString(w, "a")
			w.WriteHeader(http.StatusEarlyHints)
		}, []string{"release", "write a"}},
		{"a hold that ends writes in order", func(w http.ResponseWriter, o *owner) {
			o.holds = true
			_, _ = io.WriteString(w, "a")
			o.holds = false
			_, _ = io.WriteString(w, "b")
		}, []string{"write a", "write b", "release"}},
		{"a hijack comes after what was written", func(w http.ResponseWriter, o *owner) {
			o.holds = true
			w.WriteHeader(http.StatusSwitchingProtocols)
			_, _, _ = http.NewResponseController(w).Hijack()
		}, []string{"status 101", "hijack", "release"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			o, c := &owner{}, newConn()
			held := wire.NewHeld(c, o)
			row.write(held.Writer(), o)
			c.events = append(c.events, "release")
			held.Release()
			if !slices.Equal(c.events, row.want) {
				t.Errorf("%q, want %q", c.events, row.want)
			}
			if o.hijacked != slices.Contains(row.want, "hijack") {
				t.Errorf("hijacked: %t", o.hijacked)
			}
			c.events = nil
			o.holds = true
			_, _ = held.Write([]byte("late"))
			if got := fmt.Sprint(c.events); got != "[write late]" {
				t.Errorf("after the release: %s", got)
			}
		})
	}
}

// TestHijacked: the owner hears of a hijack only if it succeeds.
func TestHijacked(t *testing.T) {
	t.Parallel()
	for _, fails := range []error{nil, errors.New("no")} {
		for name, writer := range map[string]func(http.ResponseWriter, wire.Owner) http.ResponseWriter{
			"held":    func(w http.ResponseWriter, o wire.Owner) http.ResponseWriter { return wire.NewHeld(w, o).Writer() },
			"upgrade": wire.Upgrade,
		} {
			o, c := &owner{}, newConn()
			c.fails = fails
			_, _, err := writer(c, o).(http.Hijacker).Hijack()
			if !errors.Is(err, fails) || o.hijacked != (fails == nil) {
				t.Errorf("%s: %v, hijacked: %t", name, err, o.hijacked)
			}
		}
	}
}

func TestOwners(t *testing.T) {
	t.Parallel()
	outer, inner := &owner{}, &owner{}
	w := around{wire.NewHeld(around{wire.Upgrade(newConn(), outer)}, inner).Writer()}
	var got []wire.Owner
	for o := range wire.Owners(w) {
		if len(got) == 0 || got[len(got)-1] != o {
			got = append(got, o)
		}
	}
	if want := []wire.Owner{inner, outer}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	for o := range wire.Owners(newConn()) {
		t.Errorf("a server's own writer has %v", o)
	}
	for o := range wire.Owners(nil) {
		t.Errorf("no writer has %v", o)
	}
}

// TestExchange: the header is complete when it is sent, whichever way that is, and only
// once.
func TestExchange(t *testing.T) {
	t.Parallel()
	for name, send := range map[string]func(http.ResponseWriter){
		"status":     func(w http.ResponseWriter) { w.WriteHeader(http.StatusOK) },
		"body":       func(w http.ResponseWriter) { _, _ = w.Write(nil) },
		"flush":      func(w http.ResponseWriter) { w.(http.Flusher).Flush() },
		"header now": sendHeader,
		"nothing":    func(http.ResponseWriter) {},
	} {
		for _, accept := range []string{"application/json", "text/event-stream"} {
			c := newConn()
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPut, "/", nil)
			r.Header.Set("Accept", accept)
			wire.Serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				x := wire.ExchangeFrom(r.Context())
				if x.Method() != http.MethodPut {
					t.Errorf("the method is %q", x.Method())
				}
				x.Report(&inspect.Extension{Status: inspect.Hit, Tier: "memory"})
				if w.WriteHeader(http.StatusEarlyHints); len(c.header) > 0 {
					t.Errorf("%s: complete at an informational status", name)
				}
				send(w)
				if sent := name != "nothing" && accept == "application/json"; (len(c.header) > 0) != sent {
					t.Errorf("%s, %s: %v when it is sent", name, accept, c.header)
				}
				x.Report(&inspect.Extension{Status: inspect.Inspected})
			}), c, r, true)
			want := "map[]"
			if accept == "application/json" {
				want = "map[Cache-Control:[no-store] Cache-Status:[gqlcache; hit; detail=memory]]"
			}
			if got := fmt.Sprint(c.header); got != want {
				t.Errorf("%s, %s: %s, want %s", name, accept, got, want)
			}
		}
	}
	if x := wire.ExchangeFrom(t.Context()); x != nil || x.Method() != "" {
		t.Error("there is an exchange without one")
	}
}

func TestHeader(t *testing.T) {
	t.Parallel()
	serve := func(accept string, f func(h http.Header, seen *wire.Header)) {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		r.Header.Set("Accept", accept)
		w := newConn()
		wire.Serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { f(w.Header(), wire.HeaderFrom(r.Context())) }), w, r, false)
	}
	digest := func(h *wire.Header) string {
		d, seen := h.Here().Digest(t.Context())
		return fmt.Sprint(d, seen)
	}
	const unseen = "0 0"
	serve("", func(header http.Header, h *wire.Header) {
		if got := digest(h); got != unseen {
			t.Errorf("while no operation runs: %s", got)
		}
		end := h.Begin()
		before := digest(h)
		if header.Set("A", "1"); digest(h) == before {
			t.Error("a header that was set is not seen")
		}
		if header.Del("A"); digest(h) != before {
			t.Error("the same header has another digest")
		}
		second := h.Begin()
		if got := digest(h); got != unseen {
			t.Errorf("while two operations run: %s", got)
		}
		second()
		elsewhere := make(chan string)
		go func() { elsewhere <- digest(h) }()
		if got := <-elsewhere; got != unseen {
			t.Errorf("on another goroutine: %s", got)
		}
		end()
	})
	wire.Serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := wire.HeaderFrom(r.Context())
		defer h.Begin()()
		if got := digest(h); got == unseen {
			t.Error("it is not seen before it is sent")
		}
		wire.ExchangeFrom(r.Context()).Report(&inspect.Extension{Status: inspect.Hit})
		if w.WriteHeader(http.StatusOK); digest(h) != unseen {
			t.Error("it is looked at when this package has written to it")
		}
	}), newConn(), httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil), true)
	for _, accept := range []string{"text/event-stream", "multipart/mixed"} { // which the server need not speak
		serve(accept, func(header http.Header, h *wire.Header) {
			defer h.Begin()()
			before := digest(h)
			if header.Set("A", "1"); digest(h) == before {
				t.Errorf("of a client that accepts %s, a header that was set is not seen", accept)
			}
		})
	}
}

// TestHeaderWithinHeader: where a middleware has a header of its own, what is set in either
// of the two is seen, on the goroutines that may look at them.
func TestHeaderWithinHeader(t *testing.T) {
	t.Parallel()
	digest := func(h *wire.Header) string {
		d, seen := h.Here().Digest(t.Context())
		return fmt.Sprint(d, seen)
	}
	serve := func(w http.ResponseWriter, r *http.Request, f func(http.ResponseWriter, *http.Request)) {
		wire.Serve(http.HandlerFunc(f), w, r, false)
	}
	for name, run := range map[string]func(f func()){
		"a buffer": func(f func()) { f() },
		"a time limit": func(f func()) {
			done := make(chan struct{})
			go func() {
				defer close(done)
				f()
			}()
			<-done
		},
	} {
		serve(newConn(), httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil), func(outer http.ResponseWriter, r *http.Request) {
			if h := wire.HeaderFrom(r.Context()); !h.IsOf(outer) || h.IsOf(newConn()) {
				t.Errorf("%s: the header is not the writer's", name)
			}
			run(func() {
				serve(newConn(), r, func(inner http.ResponseWriter, r *http.Request) {
					h := wire.HeaderFrom(r.Context())
					defer h.Begin()()
					before := digest(h)
					if inner.Header().Set("A", "1"); digest(h) == before {
						t.Errorf("%s: what is set in its header is not seen", name)
					}
					before = digest(h)
					outer.Header().Set("A", "1")
					if seen := digest(h) != before; seen != (name == "a buffer") {
						t.Errorf("%s: what is set around it is seen: %v", name, seen)
					}
				})
			})
		})
	}
}
