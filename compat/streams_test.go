package compat_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"
)

// A socket is a client of the protocol graphql-transport-ws.
type socket struct {
	t    *testing.T
	conn *websocket.Conn
	last int
}

type message struct {
	ID      string          `json:"id,omitempty"`
	Type    string          `json:"type"`
	Payload json.RawMessage `json:"payload,omitempty"`
}

func dial(t *testing.T, h http.Handler) *socket {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	conn, res, err := websocket.Dial(t.Context(), "ws"+strings.TrimPrefix(server.URL, "http")+"/graphql",
		&websocket.DialOptions{Subprotocols: []string{"graphql-transport-ws"}, HTTPHeader: http.Header{"X-User": {"alice"}}})
	if err != nil {
		t.Fatal(err)
	}
	if res != nil && res.Body != nil {
		_ = res.Body.Close()
	}
	s := &socket{t: t, conn: conn}
	t.Cleanup(func() { _ = conn.CloseNow() })
	s.write(message{Type: "connection_init"})
	if m := s.read(); m.Type != "connection_ack" {
		t.Fatalf("got %+v", m)
	}
	return s
}

func (s *socket) write(m message) {
	s.t.Helper()
	if err := wsjson.Write(s.t.Context(), s.conn, m); err != nil {
		s.t.Fatal(err)
	}
}

func (s *socket) read() message {
	s.t.Helper()
	for {
		var m message
		if err := wsjson.Read(s.t.Context(), s.conn, &m); err != nil {
			s.t.Fatal(err)
		}
		if m.Type == "ping" {
			s.write(message{Type: "pong"})
			continue
		}
		return m
	}
}

// begin starts an operation and returns its id.
func (s *socket) begin(query string) string {
	s.t.Helper()
	s.last++
	id := string(rune('a' + s.last))
	payload, err := json.Marshal(map[string]string{"query": query})
	if err != nil {
		s.t.Fatal(err)
	}
	s.write(message{ID: id, Type: "subscribe", Payload: payload})
	return id
}

// ask runs a query or a mutation and returns all messages about it.
func (s *socket) ask(query string) []string {
	s.t.Helper()
	id := s.begin(query)
	var out []string
	for {
		m := s.read()
		if m.ID != id {
			s.t.Fatalf("a message about %q while %q runs", m.ID, id)
		}
		out = append(out, m.Type+" "+string(m.Payload))
		if m.Type == "complete" { // after an error, too
			return out
		}
	}
}

// TestWebsockets: the messages of a connection are the server's: one answer, then complete.
func TestWebsockets(t *testing.T) {
	t.Parallel()
	for name, wrap := range map[string]func(http.Handler, *gqlcache.Cache) http.Handler{
		"bare":    nil,
		"handler": func(h http.Handler, c *gqlcache.Cache) http.Handler { return withCache(c, h, c.Handler) },
		"hold":    func(h http.Handler, c *gqlcache.Cache) http.Handler { return withCache(c, h, c.HoldUntilCommit) },
	} {
		for _, st := range []stack{netHTTP, ginStack, chiStack} {
			t.Run(st.name+" "+name, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, st, setup{wrap: wrap})
				plain, cached := dial(t, w.Plain), dial(t, w.Cached)
				for _, query := range []string{
					`{ item(id: 1) { name price } }`, `{ item(id: 1) { name price } }`, `{ items { stock parts { name } } }`,
					`mutation { updateItem(id: 1, input: {name: "new"}) { name } }`, `{ item(id: 1) { name price } }`,
					`mutation { addPartVia(itemId: 1, name: "p") { name } }`, `{ items { stock parts { name } } }`,
					`{ perhaps(how: ERROR) item(id: 1) { name } }`, `{ nonsense }`, `{ whoami }`, `{ whoami }`, `{ __typename }`,
				} {
					if got, want := cached.ask(query), plain.ask(query); !slices.Equal(got, want) {
						t.Errorf("%s\nwith the cache\n%s\nwithout\n%s", query, strings.Join(got, "\n"), strings.Join(want, "\n"))
					}
				}
			})
		}
	}
}

// TestSubscriptionsTellOfMutations: a subscriber who is told of a change and the client who made it.
func TestSubscriptionsTellOfMutations(t *testing.T) {
	t.Parallel()
	w := newWorld(t, netHTTP, setup{})
	s := dial(t, w.Cached)
	for _, name := range []string{"first", "second", "third"} {
		w.ask(t.Context(), w.Cached, q(`{ item(id: 1) { name } }`))
		id := s.begin(`subscription { changed { id name owner { name } } }`)
		for !w.cached.store.Watched() {
			// The subscription has begun when its channel is there.
			s.write(message{Type: "ping"})
			if m := s.readPong(); m.Type != "pong" {
				t.Fatalf("got %+v", m)
			}
		}
		if got := w.ask(t.Context(), w.Cached, q(`mutation { updateItem(id: 1, input: {name: "`+name+`"}) { name } }`)).Body; !strings.Contains(got, name) {
			t.Fatal(got)
		}
		m := s.read()
		if m.ID != id || !strings.Contains(string(m.Payload), name) {
			t.Errorf("the subscriber got %s %s", m.Type, m.Payload)
		}
		// The mutation is acknowledged: whoever asks now sees it, on any connection.
		if got := s.askAmong(id, `{ item(id: 1) { name } }`); !strings.Contains(got, name) {
			t.Errorf("over the connection: %s", got)
		}
		if got := w.ask(t.Context(), w.Cached, q(`{ item(id: 1) { name } }`)).Body; !strings.Contains(got, name) {
			t.Errorf("by POST: %s", got)
		}
		s.write(message{ID: id, Type: "complete"})
		for w.cached.store.Watched() {
			s.write(message{Type: "ping"})
			if m := s.readPong(); m.Type != "pong" {
				t.Fatalf("got %+v", m)
			}
		}
	}
}

// readPong reads the answer to a ping, and leaves out the end of a subscription.
func (s *socket) readPong() message {
	s.t.Helper()
	for {
		if m := s.read(); m.Type != "complete" {
			return m
		}
	}
}

// askAmong runs a query while a subscription is open.
func (s *socket) askAmong(open, query string) string {
	s.t.Helper()
	id := s.begin(query)
	var data string
	for {
		switch m := s.read(); {
		case m.ID == open:
		case m.ID == id && m.Type == "next":
			data = string(m.Payload)
		case m.ID == id:
			return data
		}
	}
}

// TestSocketsThatClose: a connection is closed while its query runs and somebody else waits for the same answer.
func TestSocketsThatClose(t *testing.T) {
	t.Parallel()
	w := newWorld(t, netHTTP, setup{})
	open := w.cached.gates.Close("slow")
	s := dial(t, w.Cached)
	s.begin(`{ slow(id: 1) { name } }`)
	w.cached.gates.Await("slow", 1)
	joined := make(chan string)
	go func() { joined <- w.ask(context.Background(), w.Cached, q(`{ slow(id: 1) { name } }`)).Body }()
	_ = s.conn.CloseNow()
	open()
	if got := <-joined; got != `{"data":{"slow":{"name":"item a"}}}` {
		t.Errorf("the joiner got %s", got)
	}
}

// TestEventStreams: the bytes of a stream are the server's, and a reader who leaves it hurts nobody.
func TestEventStreams(t *testing.T) {
	t.Parallel()
	stream := func(t *testing.T, h http.Handler, query string, most int) []string {
		t.Helper()
		server := httptest.NewServer(h)
		defer server.Close()
		body, err := json.Marshal(map[string]string{"query": query})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, server.URL+"/graphql", bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Accept", "text/event-stream")
		req.Header.Set("X-User", "alice")
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		out := []string{res.Status + " " + res.Header.Get("Content-Type")}
		lines := bufio.NewScanner(res.Body)
		for len(out) < most && lines.Scan() {
			out = append(out, lines.Text())
		}
		return out
	}
	for _, st := range stacks {
		t.Run(st.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, st, setup{})
			for _, query := range []string{
				`{ item(id: 1) { name } }`, `{ item(id: 1) { name } }`, `mutation { updateItem(id: 1, input: {name: "new"}) { name } }`,
				`{ item(id: 1) { name } }`, `{ nonsense }`, `{ perhaps(how: ERROR) }`,
			} {
				for _, most := range []int{1, 2, 100} {
					if got, want := stream(t, w.Cached, query, most), stream(t, w.Plain, query, most); !slices.Equal(got, want) {
						t.Errorf("%s\nwith the cache\n%s\nwithout\n%s", query, strings.Join(got, "\n"), strings.Join(want, "\n"))
					}
				}
			}
		})
	}
}
