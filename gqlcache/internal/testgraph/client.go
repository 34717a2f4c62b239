package testgraph

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// A Response is an HTTP response to an operation.
type Response struct {
	Status int
	Body   string
	// Data, Errors and Extensions are the members of the body, as raw JSON.
	Data, Errors json.RawMessage
	Extensions   map[string]json.RawMessage
}

// A Request is what Do sends.
type Request struct {
	Query string
	Name  string
	Vars  map[string]any
	// Raw is the body to send instead.
	Raw    string
	Header map[string]string
}

// Ask posts a query with variables and headers ("X-Viewer", "ann", …).
func Ask(t testing.TB, h http.Handler, query string, vars map[string]any, headers ...string) Response {
	t.Helper()
	r := Request{Query: query, Vars: vars, Header: map[string]string{}}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header[headers[i]] = headers[i+1]
	}
	return Do(t, t.Context(), h, r)
}

// Do sends a request and reads the response. It may be called from any goroutine.
func Do(t testing.TB, ctx context.Context, h http.Handler, r Request) Response {
	t.Helper()
	body := r.Raw
	if body == "" {
		m := map[string]any{"query": r.Query}
		if r.Name != "" {
			m["operationName"] = r.Name
		}
		if r.Vars != nil {
			m["variables"] = r.Vars
		}
		b, err := json.Marshal(m)
		if err != nil {
			t.Error(err)
		}
		body = string(b)
	}
	hr := httptest.NewRequestWithContext(ctx, http.MethodPost, "/query", strings.NewReader(body))
	hr.Header.Set("Content-Type", "application/json")
	for k, v := range r.Header {
		hr.Header.Set(k, v)
	}
	return Send(h, hr)
}

// Send hands a request to a handler.
func Send(h http.Handler, r *http.Request) Response {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	out := Response{Status: w.Code, Body: w.Body.String()}
	var members struct {
		Data       json.RawMessage            `json:"data"`
		Errors     json.RawMessage            `json:"errors"`
		Extensions map[string]json.RawMessage `json:"extensions"`
	}
	if json.NewDecoder(bytes.NewReader(w.Body.Bytes())).Decode(&members) == nil {
		out.Data, out.Errors, out.Extensions = members.Data, members.Errors, members.Extensions
	}
	return out
}
