package gqlcachetest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
)

// An answer is what a server sent.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// recorder is a response writer that keeps what is written. wrote, if set, is called
// before the first byte is taken: after gqlgen has answered, and before whatever the
// handlers around it do then.
type recorder struct {
	mu    sync.Mutex
	got   answer
	once  sync.Once
	wrote func()
}

// Header implements http.ResponseWriter.
func (w *recorder) Header() http.Header { return w.got.header }

// WriteHeader implements http.ResponseWriter.
func (w *recorder) WriteHeader(status int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.got.status == 0 && status >= http.StatusOK {
		w.got.status = status
	}
}

// Write implements http.ResponseWriter.
func (w *recorder) Write(b []byte) (int, error) {
	if w.wrote != nil {
		w.once.Do(w.wrote)
	}
	w.WriteHeader(http.StatusOK)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.got.body = append(w.got.body, b...)
	return len(b), nil
}

// Flush implements http.Flusher.
func (w *recorder) Flush() {}

// send sends one request to a handler. A handler's panic is its answer.
func (c *Comparison) send(h http.Handler, s step, wrote func()) (got answer) {
	c.requests.Add(1)
	op := &c.Operations[s.op]
	body := map[string]any{"query": op.Query}
	if op.OperationName != "" {
		body["operationName"] = op.OperationName
	}
	if s.variables != "" {
		body["variables"] = json.RawMessage(s.variables)
	}
	b, err := json.Marshal(body)
	if err != nil {
		return answer{body: []byte(err.Error())}
	}
	r := httptest.NewRequestWithContext(context.Background(), http.MethodPost, c.Path, bytes.NewReader(b))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json")
	for name, values := range c.Callers[s.caller] {
		r.Header[name] = slices.Clone(values)
	}
	w := &recorder{got: answer{header: http.Header{}}, wrote: wrote}
	defer func() {
		if p := recover(); p != nil {
			w.got.body = append(w.got.body, fmt.Sprintf("panic: %v", p)...)
		}
		got = w.got
	}()
	h.ServeHTTP(w, r)
	return w.got
}

// A session is the two servers at the beginning of a history, and what they have answered
// since.
type session struct {
	c             *Comparison
	plain, cached http.Handler
	// past are the answers of the plain server to queries, and those that readers of the
	// other one got.
	past []pastAnswer
	// changes are how many mutations were sent.
	changes int
}

type pastAnswer struct {
	step    step
	body    string
	changes int
	// meanwhile says that a reader got it while a mutation ran: it may have been a wrong
	// one.
	meanwhile bool
}

func (c *Comparison) start() *session {
	return &session{c: c, plain: c.Plain(), cached: c.Cached()}
}

func (s *session) close() { closeAll(s.plain, s.cached) }

func closeAll(handlers ...http.Handler) {
	for _, h := range handlers {
		if c, ok := h.(io.Closer); ok {
			_ = c.Close() // what a test's server says at its end does not concern the comparison
		}
	}
}

// do sends a step to both servers and returns how they differ, nil when they do not or
// the operation is not compared.
func (s *session) do(st step) *Difference {
	c := s.c
	if c.mutates(st) {
		s.changes++
		got := c.send(s.cached, st, nil)
		if c.OneStore {
			return nil // once is enough; what it did is seen by queries
		}
		return s.differ(st, c.send(s.plain, st, nil), got)
	}
	want := c.send(s.plain, st, nil)
	got := c.send(s.cached, st, nil)
	d := s.differ(st, want, got)
	if d != nil && !same(want, c.send(s.plain, st, nil), c.ignored) {
		c.unstable(st.op, "two answers of the server without the cache differ")
		d = nil
	}
	s.past = append(s.past, pastAnswer{step: st, body: string(want.body), changes: s.changes})
	return d
}

// differ compares two answers.
func (s *session) differ(st step, want, got answer) *Difference {
	if s.c.notCompared[st.op] != "" || same(want, got, s.c.ignored) {
		return nil
	}
	d := &Difference{
		Operation: s.c.Operations[st.op].name(), Caller: st.caller + 1, op: st.op,
		Plain: string(want.body), Cached: string(got.body),
	}
	d.Kind, d.At = s.kind(st, want, got)
	if s.c.known[d.id()] {
		return nil
	}
	return d
}

// kind says how two answers differ.
func (s *session) kind(st step, want, got answer) (kind Kind, at string) {
	if !sameBody(want.body, got.body) {
		at = firstDifference(want.body, got.body)
		body, stale, other, shown := string(got.body), false, false, false
		for _, p := range s.past {
			if p.step.op != st.op || p.step.variables != st.variables || !sameBody([]byte(p.body), []byte(body)) {
				continue
			}
			if p.meanwhile {
				shown = true
			} else if p.step.caller == st.caller {
				stale = stale || p.changes < s.changes
			} else {
				other = true
			}
		}
		switch {
		case stale:
			return Stale, at
		case other:
			return OtherCaller, at
		case shown:
			return Stale, at
		case want.status != got.status:
			return Status, fmt.Sprintf("status %d, %d with the cache", want.status, got.status)
		default:
			return Bytes, at
		}
	}
	if want.status != got.status {
		return Status, fmt.Sprintf("status %d, %d with the cache", want.status, got.status)
	}
	name, _ := differentHeader(want.header, got.header, s.c.ignored)
	return Header, fmt.Sprintf("%s: %q, %q with the cache", name, want.header.Values(name), got.header.Values(name))
}

func same(a, b answer, ignored map[string]bool) bool {
	_, differ := differentHeader(a.header, b.header, ignored)
	return a.status == b.status && sameBody(a.body, b.body) && !differ
}

// differentHeader returns the first header that differs.
func differentHeader(a, b http.Header, ignored map[string]bool) (name string, differ bool) {
	var names []string
	for _, h := range []http.Header{a, b} {
		for name := range h {
			if k := http.CanonicalHeaderKey(name); !ignored[k] && !strings.HasPrefix(k, "X-Gqlcache-") {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	for _, name := range names {
		if !slices.Equal(a[name], b[name]) {
			return name, true
		}
	}
	return "", false
}

// sameBody compares two bodies byte by byte. The cache's own member, extensions.cache, is
// none of the API.
func sameBody(a, b []byte) bool {
	if bytes.Equal(a, b) {
		return true
	}
	if !bytes.Contains(b, []byte(`"cache":`)) {
		return false
	}
	return slices.Equal(members(a), members(b))
}

// members returns the members of a body with their bytes, in order, without
// extensions.cache.
func members(body []byte) (list []string) {
	dec := json.NewDecoder(bytes.NewReader(body))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return []string{string(body)}
	}
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return []string{string(body)}
		}
		var raw json.RawMessage
		if err := dec.Decode(&raw); err != nil {
			return []string{string(body)}
		}
		if name == "extensions" {
			var ext map[string]json.RawMessage
			if json.Unmarshal(raw, &ext) == nil {
				delete(ext, "cache")
				if len(ext) == 0 {
					continue
				}
				raw, _ = json.Marshal(ext) // of raw messages: never fails
			}
		}
		list = append(list, fmt.Sprintf("%v:%s", name, raw))
	}
	return list
}
