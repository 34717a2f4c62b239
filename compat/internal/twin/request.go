package twin

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
)

// A Request is one request to a GraphQL endpoint.
type Request struct {
	Query     string
	Variables map[string]any
	// Operation is the name of the operation to run, "" for none.
	Operation string
	// Extensions are the request's, such as persistedQuery.
	Extensions map[string]any
	// User is sent in the header X-User.
	User string
	// Header is added to the others.
	Header map[string]string
	// Method is POST unless set.
	Method string
	// Path is /graphql unless set.
	Path string
	// Body and Type replace the JSON body.
	Body []byte
	Type string
}

// HTTP returns the request as a server gets it.
func (r Request) HTTP(ctx context.Context) *http.Request {
	target := r.Path
	if target == "" {
		target = "/graphql"
	}
	method, body, typ := r.Method, r.Body, r.Type
	if method == "" {
		method = http.MethodPost
	}
	switch {
	case method == http.MethodGet:
		q := url.Values{}
		set(q, "query", r.Query)
		set(q, "operationName", r.Operation)
		if r.Variables != nil {
			q.Set("variables", string(encode(r.Variables)))
		}
		if r.Extensions != nil {
			q.Set("extensions", string(encode(r.Extensions)))
		}
		target += "?" + q.Encode()
	case body == nil:
		params := map[string]any{}
		if r.Query != "" {
			params["query"] = r.Query
		}
		if r.Variables != nil {
			params["variables"] = r.Variables
		}
		if r.Operation != "" {
			params["operationName"] = r.Operation
		}
		if r.Extensions != nil {
			params["extensions"] = r.Extensions
		}
		body, typ = encode(params), "application/json"
	}
	out := httptest.NewRequestWithContext(ctx, method, target, bytes.NewReader(body))
	if typ != "" {
		out.Header.Set("Content-Type", typ)
	}
	if r.User != "" {
		out.Header.Set("X-User", r.User)
	}
	for name, value := range r.Header {
		out.Header.Set(name, value)
	}
	return out
}

func set(q url.Values, name, value string) {
	if value != "" {
		q.Set(name, value)
	}
}

func encode(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}

// An Answer is what a client got.
type Answer struct {
	Status int
	Header http.Header
	Body   string
	// Fields are those that a field middleware saw while it was computed, none if it came from the cache.
	Fields []string
}

// String has all that a client can see of it, in one order. What the cache adds by contract, and times,
// are left out.
func (a Answer) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d\n", a.Status)
	for _, name := range slices.Sorted(maps.Keys(a.Header)) {
		if name != "Cache-Status" && name != "Date" {
			fmt.Fprintf(&b, "%s: %s\n", name, strings.Join(a.Header[name], "; "))
		}
	}
	return b.String() + "\n" + a.Body
}

// Serve sends a request to a handler. A use of the ResponseWriter after the handler has returned is a
// breach of the contract. A handler's panic is the answer 500, as in a framework with a recover middleware.
func (c *Contract) Serve(ctx context.Context, h http.Handler, r Request) (a Answer) {
	one := &call{}
	w := &writer{contract: c, recorder: httptest.NewRecorder()}
	defer func() {
		if v := recover(); v != nil {
			a = Answer{Status: http.StatusInternalServerError, Body: fmt.Sprint("panic: ", v)}
		}
	}()
	defer w.ended.Store(true)
	h.ServeHTTP(w, r.HTTP(context.WithValue(ctx, callKey{}, one)))
	res := w.recorder.Result()
	return Answer{Status: res.StatusCode, Header: res.Header, Body: w.recorder.Body.String(), Fields: one.seen()}
}

// writer is the ResponseWriter of one request.
type writer struct {
	contract *Contract
	recorder *httptest.ResponseRecorder
	ended    atomic.Bool
}

func (w *writer) use(method string) {
	if w.ended.Load() {
		w.contract.fault("ResponseWriter.%s after its request", method)
	}
}

func (w *writer) Header() http.Header {
	w.use("Header")
	return w.recorder.Header()
}

func (w *writer) Write(b []byte) (int, error) {
	w.use("Write")
	return w.recorder.Write(b)
}

func (w *writer) WriteHeader(status int) {
	w.use("WriteHeader")
	w.recorder.WriteHeader(status)
}

func (w *writer) Flush() {
	w.use("Flush")
	w.recorder.Flush()
}
