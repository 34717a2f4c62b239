package gqlcache_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/inspect"
	"github.com/cascadeql/cascadeql/gqlcache/internal/testgraph"
)

// asks is the operation that comes with a request to the inspector.
const asks = "query GqlcacheInspector { __typename }"

// inspectable lets everybody look but "stranger", and "admin" act.
func inspectable() gqlcache.Inspector {
	return gqlcache.Inspector{
		Allow:   func(ctx context.Context) bool { return testgraph.Viewer(ctx) != "stranger" },
		Actions: func(ctx context.Context) bool { return testgraph.Viewer(ctx) == "admin" },
	}
}

// A panel is a rig whose cached server is asked as the panel asks: everybody is of one
// predicate.
type panel struct {
	*rig
	h   http.Handler
	mem *mapStore
}

func newPanel(t *testing.T, change func(*gqlcache.Options), before ...graphql.HandlerExtension) *panel {
	t.Helper()
	mem := newMapStore()
	o := gqlcache.Options{
		Inspector: inspectable(), Store: mem,
		Predicate: func(context.Context) (gqlcache.Predicate, error) { return gqlcache.Predicate{Text: secret}, nil },
	}
	if change != nil {
		change(&o)
	}
	r := newRig(t, "annotated", o, before...)
	return &panel{rig: r, h: r.cache.Handler(r.cached), mem: mem}
}

// request is a POST with extensions.cache, of a viewer who shows the header.
func inspectRequest(viewer, document string, ask any) testgraph.Request {
	body := map[string]any{"query": expand(document)}
	if ask != nil {
		body["extensions"] = map[string]any{"cache": ask}
	}
	b, _ := json.Marshal(body) // maps and types of inspect always encode
	return testgraph.Request{Raw: string(b), Header: map[string]string{"X-Viewer": viewer, gqlcache.DebugHeader: "true"}}
}

// ask sends a request, and returns what extensions.cache has to say, which is as the
// schema says.
func (p *panel) ask(viewer, document string, ask any) (x inspect.Extension) {
	p.t.Helper()
	resp := testgraph.Do(p.t, p.t.Context(), p.h, inspectRequest(viewer, document, ask))
	return p.read(resp)
}

func (p *panel) read(resp testgraph.Response) (x inspect.Extension) {
	p.t.Helper()
	raw := resp.Extensions["cache"]
	if raw == nil {
		p.t.Errorf("no extensions.cache: %s", resp.Body)
		return x
	}
	validate[inspect.Extension](p.t, raw)
	if err := json.Unmarshal(raw, &x); err != nil {
		p.t.Error(err)
	}
	return x
}

func (p *panel) snapshot() inspect.Snapshot {
	p.t.Helper()
	x := p.ask("admin", asks, inspect.Request{Inspect: &inspect.SnapshotRequest{}})
	if x.Inspect == nil {
		p.t.Fatalf("no snapshot: %+v", x)
	}
	return *x.Inspect
}

func (p *panel) act(a inspect.Action) inspect.ActionResult {
	p.t.Helper()
	x := p.ask("admin", asks, inspect.Request{Action: &a})
	if x.Action == nil {
		p.t.Fatalf("no result: %+v", x)
	}
	return *x.Action
}

// TestInspectorAnswers: requests to the inspector are answered without running anything,
// and leave no trace in the figures.
func TestInspectorAnswers(t *testing.T) {
	t.Parallel()
	p := newPanel(t, nil)
	p.ask("admin", readUsers, nil)
	before := p.cache.Stats()
	for _, row := range []struct {
		name, document string
		ask            inspect.Request
	}{
		{"snapshot", asks, inspect.Request{Inspect: &inspect.SnapshotRequest{}}},
		{"of any query", readUsers, inspect.Request{Inspect: &inspect.SnapshotRequest{Since: 7}}},
		{"of any mutation", renameAnn, inspect.Request{Inspect: &inspect.SnapshotRequest{}}},
	} {
		b, err := json.Marshal(row.ask)
		if err != nil {
			t.Fatal(err)
		}
		validate[inspect.Request](t, b)
		resp := testgraph.Do(t, t.Context(), p.h, inspectRequest("reader", row.document, row.ask))
		x := p.read(resp)
		if x.Status != inspect.Inspected || x.Reason.Code != "inspect" || x.Inspect == nil || string(resp.Data) != "{}" || resp.Errors != nil {
			t.Errorf("%s: %s", row.name, resp.Body)
		}
		if x.Inspect != nil && (x.Inspect.Capabilities.Actions || x.Inspect.WatchingSince == 0) {
			t.Errorf("%s: capabilities %+v, watching since %d", row.name, x.Inspect.Capabilities, x.Inspect.WatchingSince)
		}
	}
	after := p.cache.Stats()
	if before.Hits != after.Hits || before.Misses != after.Misses || len(after.Bypassed) != 0 || after.Invalidations != 0 {
		t.Errorf("counted: %+v", after)
	}
	if x := p.ask("admin", readUsers, nil); x.Status != inspect.Hit {
		t.Errorf("the mutation ran: %+v", x.Reason)
	}
}

// absent are requests that the inspector does not listen to.
var absent = []struct {
	name, viewer, header string
}{
	{"no permission", "stranger", "true"},
	{"no header", "admin", ""},
	{"another value", "admin", "yes"},
}

// everyAsk is one request of each kind.
func everyAsk() map[string]any {
	return map[string]any{
		"inspect": inspect.Request{Inspect: &inspect.SnapshotRequest{}},
		"clear":   inspect.Request{Action: &inspect.Action{Type: "clear"}},
		"row":     inspect.Request{Action: &inspect.Action{Type: "invalidateRow", View: "v_user", ID: testgraph.Ann}},
		"bypass":  inspect.Request{Bypass: true},
		"junk":    "<script>",
		"nothing": nil,
	}
}

// TestInspectorAbsent: on every transport, requests that may not see the inspector get
// the bytes of a server without one, and change nothing.
func TestInspectorAbsent(t *testing.T) {
	t.Parallel()
	for _, row := range absent {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			p := newPanel(t, nil)
			plain := newPanel(t, func(o *gqlcache.Options) { o.Inspector = gqlcache.Inspector{} })
			for what, ask := range everyAsk() {
				for way, request := range transports(t, readUsers, row.viewer, ask) {
					send := func(h http.Handler) *httptest.ResponseRecorder {
						hr := request()
						hr.Header.Set(gqlcache.DebugHeader, row.header)
						w := httptest.NewRecorder()
						h.ServeHTTP(w, hr)
						return w
					}
					got, want := send(p.h), send(plain.h)
					if got.Body.String() != want.Body.String() || got.Code != want.Code || !sameHeader(got.Header(), want.Header()) {
						t.Errorf("%s by %s: %d %v %s, want %d %v %s", what, way, got.Code, got.Header(), got.Body, want.Code, want.Header(), want.Body)
					}
				}
			}
			a, b := p.cache.Stats(), plain.cache.Stats()
			if a.Hits != b.Hits || a.Misses != 1 || b.Misses != 1 || a.Invalidations != 0 || len(a.Bypassed) != 0 {
				t.Errorf("%+v, want %+v", a, b)
			}
		})
	}
}

func sameHeader(a, b http.Header) bool {
	x, y := a.Clone(), b.Clone()
	for _, h := range []http.Header{x, y} {
		if kind, _, ok := strings.Cut(h.Get("Content-Type"), "boundary="); ok {
			h.Set("Content-Type", kind)
		}
	}
	if len(x) != len(y) {
		return false
	}
	for k := range x {
		if strings.Join(x[k], "\n") != strings.Join(y[k], "\n") {
			return false
		}
	}
	return true
}

// transports are ways to send an operation, and the inspector's request with it.
func transports(t *testing.T, document, viewer string, ask any) map[string]func() *http.Request {
	t.Helper()
	body := inspectRequest(viewer, document, ask).Raw
	ext, err := json.Marshal(map[string]any{"cache": ask})
	if err != nil {
		t.Fatal(err)
	}
	of := func(method, target, body string, header ...string) func() *http.Request {
		return func() *http.Request {
			hr := httptest.NewRequestWithContext(t.Context(), method, target, strings.NewReader(body))
			hr.Header.Set("X-Viewer", viewer)
			for i := 0; i+1 < len(header); i += 2 {
				hr.Header.Set(header[i], header[i+1])
			}
			return hr
		}
	}
	values := url.Values{"query": {expand(document)}, "extensions": {string(ext)}}.Encode()
	form := "--b\r\nContent-Disposition: form-data; name=\"operations\"\r\n\r\n" + body +
		"\r\n--b\r\nContent-Disposition: form-data; name=\"map\"\r\n\r\n{}\r\n--b--\r\n"
	return map[string]func() *http.Request{
		"POST":       of(http.MethodPost, "/query", body, "Content-Type", "application/json"),
		"GET":        of(http.MethodGet, "/query?"+values, ""),
		"GET typed":  of(http.MethodGet, "/query?"+values, body, "Content-Type", "application/json"),
		"SSE":        of(http.MethodPost, "/query", body, "Content-Type", "application/json", "Accept", "text/event-stream"),
		"mixed":      of(http.MethodPost, "/query", body, "Content-Type", "application/json", "Accept", "multipart/mixed"),
		"form":       of(http.MethodPost, "/query", form, "Content-Type", `multipart/form-data; boundary="b"`),
		"urlencoded": of(http.MethodPost, "/query", values, "Content-Type", "application/x-www-form-urlencoded"),
	}
}

// TestInspectorNeverByGet: whoever may act may not by GET, nor where the method is not
// known; the operation runs, and the cache is as before.
func TestInspectorNeverByGet(t *testing.T) {
	t.Parallel()
	for what, ask := range everyAsk() {
		if what == "inspect" {
			continue
		}
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			p := newPanel(t, nil)
			p.ask("admin", readUsers, nil)
			ways := transports(t, readUsers, "admin", ask)
			for _, row := range []struct {
				name    string
				h       http.Handler
				request func() *http.Request
			}{
				{"GET", p.h, ways["GET"]}, {"GET typed", p.h, ways["GET typed"]},
				{"POST without the wrapper", p.cached, ways["POST"]},
			} {
				hr := row.request()
				hr.Header.Set(gqlcache.DebugHeader, "true")
				resp := testgraph.Send(row.h, hr)
				if x := p.read(resp); x.Status != inspect.Hit || x.Action != nil || len(resp.Data) < 10 {
					t.Errorf("%s: %s", row.name, resp.Body)
				}
			}
			if st := p.cache.Stats(); st.Invalidations != 0 || st.Misses != 1 || len(st.Bypassed) != 0 {
				t.Errorf("%+v", st)
			}
		})
	}
	t.Run("a form without the header", func(t *testing.T) {
		t.Parallel()
		p := newPanel(t, nil)
		p.ask("admin", readUsers, nil)
		for _, way := range []string{"form", "urlencoded"} {
			resp := testgraph.Send(p.h, transports(t, readUsers, "admin", everyAsk()["clear"])[way]())
			if resp.Extensions != nil {
				t.Errorf("%s: %s", way, resp.Body)
			}
		}
		if st := p.cache.Stats(); st.Invalidations != 0 {
			t.Errorf("%+v", st)
		}
	})
}

// TestInspectorReadsByGet: a snapshot changes nothing, so it may be asked for by GET, and
// on streams.
func TestInspectorReadsByGet(t *testing.T) {
	t.Parallel()
	p := newPanel(t, nil)
	for way, request := range transports(t, asks, "reader", everyAsk()["inspect"]) {
		if way == "urlencoded" || way == "form" {
			continue // the first is none of this server's, the second has its own parser
		}
		hr := request()
		hr.Header.Set(gqlcache.DebugHeader, "true")
		w := httptest.NewRecorder()
		p.h.ServeHTTP(w, hr)
		if !strings.Contains(w.Body.String(), `"status":"INSPECTED"`) || strings.Count(w.Body.String(), "INSPECTED") != 1 {
			t.Errorf("%s: %s", way, w.Body)
		}
	}
}

// TestInspectorBehindOthers: extensions that refuse operations refuse them to the
// inspector as well, whether they do so for operations or for responses.
func TestInspectorBehindOthers(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name string
		ext  graphql.HandlerExtension
	}{
		{"operations", &bouncer{}}, {"responses", &bouncer{late: true}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			p := newPanel(t, nil, row.ext)
			for what, ask := range everyAsk() {
				resp := testgraph.Do(t, t.Context(), p.h, inspectRequest("admin", asks, ask))
				if resp.Extensions != nil || !strings.Contains(resp.Body, "refused") {
					t.Errorf("%s: %s", what, resp.Body)
				}
			}
		})
	}
}

// bouncer refuses everything.
type bouncer struct{ late bool }

func (b *bouncer) ExtensionName() string                   { return "Bouncer" }
func (b *bouncer) Validate(graphql.ExecutableSchema) error { return nil }
func (b *bouncer) refusal(ctx context.Context) *graphql.Response {
	return graphql.ErrorResponse(ctx, "refused")
}

func (b *bouncer) InterceptOperation(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
	if b.late {
		return next(ctx)
	}
	return graphql.OneShot(b.refusal(ctx))
}

func (b *bouncer) InterceptResponse(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
	if !b.late {
		return next(ctx)
	}
	return b.refusal(ctx)
}

// TestInspectorUnreadable: who may look is told that the request makes no sense; its
// operation runs.
func TestInspectorUnreadable(t *testing.T) {
	t.Parallel()
	p := newPanel(t, nil)
	for _, ask := range []any{"<script>", []int{1}, map[string]any{"inspect": 7}, map[string]any{"action": "clear"}} {
		x := p.ask("admin", readUsers, ask)
		if x.Status == inspect.Inspected || len(x.Warnings) != 1 || x.Warnings[0].Code != "request" {
			t.Errorf("%v: %+v", ask, x)
		}
	}
}

// TestInspectorBypass: an answer without the cache, neither looked up nor stored.
func TestInspectorBypass(t *testing.T) {
	t.Parallel()
	p := newPanel(t, nil)
	past := inspect.Request{Bypass: true}
	for i, row := range []struct {
		viewer string
		ask    any
		want   inspect.Status
		code   string
	}{
		{"admin", past, inspect.Bypass, "inspector"},
		{"admin", nil, inspect.Miss, "cold"}, // nothing was stored
		{"admin", past, inspect.Bypass, "inspector"},
		{"reader", past, inspect.Hit, "hit"}, // who may not act is not heard
	} {
		if x := p.ask(row.viewer, readUsers, row.ask); x.Status != row.want || x.Reason.Code != row.code {
			t.Errorf("%d: %s %s, want %s %s", i, x.Status, x.Reason.Code, row.want, row.code)
		}
	}
	if n := p.cache.Stats().Bypassed[gqlcache.ReasonInspector]; n != 2 {
		t.Errorf("%d counted", n)
	}
}

// TestExtensionIsNotStored: what one request is told is in nobody else's answer.
func TestExtensionIsNotStored(t *testing.T) {
	t.Parallel()
	p := newPanel(t, nil)
	for _, viewer := range []string{"admin", "stranger", "admin", "stranger"} {
		resp := testgraph.Do(t, t.Context(), p.h, inspectRequest(viewer, readUsers, nil))
		if (resp.Extensions != nil) != (viewer == "admin") {
			t.Errorf("%s: %s", viewer, resp.Body)
		}
	}
	entries := 0
	for _, e := range p.mem.All(t.Context()) {
		entries++
		if strings.Contains(string(e.Body), "extensions") || strings.Contains(string(e.Body), "version") {
			t.Errorf("stored: %s", e.Body)
		}
	}
	if entries != 1 {
		t.Errorf("%d entries", entries)
	}
}

// TestInspectorNamesAreText: what clients and rows are called passes through the JSON as
// it is.
func TestInspectorNamesAreText(t *testing.T) {
	t.Parallel()
	const id = `"></script><img src=x onerror=alert(1)>` + "\u2028"
	p := newPanel(t, nil)
	p.snapshot()
	r := p.act(inspect.Action{Type: "invalidateRow", View: "v_user", ID: id})
	if !r.OK || !strings.Contains(r.Message, id) {
		t.Errorf("result %+v", r)
	}
	if r := p.act(inspect.Action{Type: "invalidateView", View: "<b>v_user</b>"}); r.OK || !strings.Contains(r.Message, "<b>") {
		t.Errorf("result %+v", r)
	}
	log := p.snapshot().Log
	if len(log) != 1 || len(log[0].Changes) == 0 || len(log[0].Changes[0].IDs) != 1 || log[0].Changes[0].IDs[0] != id {
		t.Errorf("log %+v", log)
	}
	resp := testgraph.Do(t, t.Context(), p.h, inspectRequest("admin", asks, inspect.Request{Inspect: &inspect.SnapshotRequest{}}))
	if strings.Contains(resp.Body, "</script>") {
		t.Error("the JSON has the name unescaped: a page that embeds it would run it")
	}
}
