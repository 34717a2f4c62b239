package gqlcache_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/99designs/gqlgen/client"
	"github.com/99designs/gqlgen/graphql/handler/extension"
	"github.com/99designs/gqlgen/graphql/handler/lru"
	"github.com/cascadeql/cascadeql/gqlcache"
)

// oddExtensions are what clients may send as extensions.cache.
func oddExtensions() map[string]string {
	return map[string]string{
		"null":           `null`,
		"a number":       `7`,
		"a huge number":  `1e999999`,
		"a text":         `"clear"`,
		"a list":         `[[{"action":{"type":"clear"}}]]`,
		"an object":      `{}`,
		"null inside":    `{"inspect":null,"action":null,"bypass":null}`,
		"the wrong type": `{"inspect":{"since":-1},"action":{"type":["clear"]},"bypass":"yes"}`,
		"a large cursor": `{"inspect":{"since":18446744073709551616}}`,
		"other case":     `{"INSPECT":{},"Action":{"TYPE":"clear"},"BYPASS":true}`,
		"twice":          `{"bypass":false,"bypass":true,"action":{"type":"clear"}}`,
		"deep":           `{"x":` + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + `}`,
		"long":           `{"action":{"type":"` + strings.Repeat("clear", 50_000) + `"}}`,
		"no text":        "{\"action\":{\"type\":\"clear\",\"view\":\"\xff\xfe\"}}",
	}
}

// TestOddExtensions: whatever a client puts into extensions.cache, without permission the
// answer has the bytes of a server without an inspector: those of hits and misses, of
// errors, of mutations and of stored documents. With permission, the answer is one of the
// operation, or of the inspector.
func TestOddExtensions(t *testing.T) {
	t.Parallel()
	for name, ext := range oddExtensions() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			stored := func() extension.AutomaticPersistedQuery {
				return extension.AutomaticPersistedQuery{Cache: lru.New[string](10)}
			}
			p := newPanel(t, nil, stored())
			plain := newPanel(t, func(o *gqlcache.Options) { o.Inspector = gqlcache.Inspector{} }, stored())
			p.snapshot() // somebody watches
			send := func(h http.Handler, viewer, body string) *httptest.ResponseRecorder {
				hr := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/query", strings.NewReader(body))
				hr.Header.Set("Content-Type", "application/json")
				hr.Header.Set("X-Viewer", viewer)
				hr.Header.Set(gqlcache.DebugHeader, "true")
				w := httptest.NewRecorder()
				h.ServeHTTP(w, hr)
				return w
			}
			sum := sha256.Sum256([]byte(readUsers))
			persisted := `,"persistedQuery":{"version":1,"sha256Hash":"` + hex.EncodeToString(sum[:]) + `"}`
			for i, row := range []struct{ query, more string }{
				{readUsers, ""}, {readUsers, ""}, {"{fails}", ""}, {"{failsHard}", ""}, {"{nonsense}", ""}, {"{__typename}", ""},
				{expand(renameAnn), ""}, {readUsers, ""}, {"", persisted}, {readUsers, persisted}, {"", persisted},
				{expand(`mutation{renameUndeclared(id:$Ann,name:"x")}`), ""}, {readUsers, ""},
			} {
				body := fmt.Sprintf(`{"query":%q,"extensions":{"cache":{"bypass":true},"cache":%s%s}}`, row.query, ext, row.more)
				got, want := send(p.h, "stranger", body), send(plain.h, "stranger", body)
				if got.Body.String() != want.Body.String() || got.Code != want.Code || !sameHeader(got.Header(), want.Header()) {
					t.Errorf("request %d: %d %v %s, want %d %v %s", i, got.Code, got.Header(), got.Body, want.Code, want.Header(), want.Body)
				}
			}
			a, b := p.cache.Stats(), plain.cache.Stats()
			if a.Hits != b.Hits || a.Misses != b.Misses || a.Invalidations != b.Invalidations || a.Hits == 0 {
				t.Errorf("%+v, want %+v", a, b)
			}
			w := send(p.h, "admin", fmt.Sprintf(`{"query":%q,"extensions":{"cache":%s}}`, readUsers, ext))
			if w.Code != http.StatusOK || strings.Contains(w.Body.String(), `"errors":[`) || !strings.Contains(w.Body.String(), `"status":`) {
				t.Errorf("with permission: %d %s", w.Code, w.Body)
			}
		})
	}
}

// TestPermissionsAreAskedOnce: for each operation that shows the header, so that one
// answer is made by one permission; and functions that panic are a no.
func TestPermissionsAreAskedOnce(t *testing.T) {
	t.Parallel()
	var allow, actions atomic.Int64
	p := newPanel(t, func(o *gqlcache.Options) {
		o.Inspector.Allow = func(context.Context) bool { return allow.Add(1)%2 == 1 }
		o.Inspector.Actions = func(context.Context) bool { actions.Add(1); panic("actions") }
	})
	allow.Store(0) // New has asked
	send := func(header, document, ask string) string {
		body := fmt.Sprintf(`{"query":%q,"extensions":{"cache":%s}}`, expand(document), ask)
		hr := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/query", strings.NewReader(body))
		hr.Header.Set("Content-Type", "application/json")
		hr.Header.Set(gqlcache.DebugHeader, header)
		w := httptest.NewRecorder()
		p.h.ServeHTTP(w, hr)
		return w.Body.String()
	}
	asked := int64(0)
	for i, row := range []struct {
		header, document, ask string
		want                  bool // told
	}{
		{"", readUsers, "{}", false},
		{"true", readUsers, "{}", true},
		{"true", readUsers, "{}", false},
		{"true", renameAnn, "{}", true},
		{"true", renameAnn, `{"inspect":{}}`, false},
		{"true", asks, `{"inspect":{}}`, true},
		{"TRUE", asks, `{"inspect":{}}`, false},
		{"true", asks, `{"action":{"type":"clear"}}`, false},
		{"true", readUsers, `{"action":{"type":"clear"}}`, true},
	} {
		body := send(row.header, row.document, row.ask)
		if row.header == "true" {
			asked++
		}
		if strings.Contains(body, `"status":`) != row.want || allow.Load() != asked || strings.Contains(body, `"action"`) {
			t.Errorf("%d: asked %d times, want %d: %s", i, allow.Load(), asked, body)
		}
	}
	if actions.Load() == 0 || p.cache.Stats().Flushes != 0 {
		t.Errorf("actions were asked for %d times, %d flushes", actions.Load(), p.cache.Stats().Flushes)
	}
}

// TestNothingHiddenIsShown: with HideIDs and HideVariables, no value that a client has
// sent is anywhere in what the inspector says: of its own operation, in the snapshot, in
// the header, in the log.
func TestNothingHiddenIsShown(t *testing.T) {
	t.Parallel()
	const mark = "zzmarkzz"
	lines := &logged{}
	p := newPanel(t, func(o *gqlcache.Options) {
		o.Inspector.HideIDs, o.Inspector.HideVariables = true, true
		o.Logger = lines.logger()
	})
	p.snapshot()
	all := ""
	say := func(document, vars string) {
		body := fmt.Sprintf(`{"query":%q,"variables":%s}`, expand(document), vars)
		hr := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/query", strings.NewReader(body))
		hr.Header.Set("Content-Type", "application/json")
		hr.Header.Set(gqlcache.DebugHeader, "true")
		w := httptest.NewRecorder()
		p.h.ServeHTTP(w, hr)
		var resp struct {
			Errors     json.RawMessage
			Extensions struct{ Cache json.RawMessage }
		}
		if err := json.Unmarshal(w.Body.Bytes(), &resp); err != nil || resp.Extensions.Cache == nil {
			t.Errorf("%s: %v %s", document, err, w.Body)
		}
		all += fmt.Sprint(string(resp.Extensions.Cache), w.Header()["Cache-Status"])
	}
	const vars = `{"` + mark + `":"` + mark + `"}`
	for range 2 {
		for _, document := range []string{
			`query($` + mark + `:ID!){user(id:$` + mark + `){name id}}`, `{user(id:"` + mark + `"){name}}`, `{users{id name}}`, `{posts{id name author{id}}}`,
			`{usersByName(name:"` + mark + `"){id}}`, `{notes{id}}`, `{echo(text:"` + mark + `",id:"` + mark + `")}`,
			`mutation{createUser(id:"` + mark + `",input:{name:"` + mark + `",email:"` + mark + `"}){id}}`,
			`mutation($` + mark + `:ID!){renameUser(id:$` + mark + `,name:"` + mark + `")}`,
			`mutation{renameUsers(ids:["` + mark + `","a` + mark + `"],name:"` + mark + `")}`,
			`mutation{createPost(id:"` + mark + `",authorId:"` + mark + `",name:"` + mark + `"){ok}}`,
			`mutation{publishAll(authorId:"` + mark + `")}`, `mutation{addComment(id:"` + mark + `",postId:$Hello,text:"` + mark + `"){id}}`,
			`mutation{setNote(id:"` + mark + `",owner:"` + mark + `",name:"` + mark + `")}`, `mutation{setSetting(key:"` + mark + `",value:"` + mark + `")}`,
			`mutation{setBlurb(text:"` + mark + `"){__typename}}`, `mutation{renameUserCascade(id:$Ann,name:"` + mark + `"){__typename}}`,
			`mutation{renameUndeclared(id:"` + mark + `",name:"` + mark + `")}`, `mutation{deleteUser(id:"` + mark + `")}`,
		} {
			v := "{}"
			if strings.Contains(document, "$"+mark) {
				v = vars
			}
			say(document, v)
		}
		if err := p.cache.Invalidate(t.Context(), gqlcache.Entity("User", mark), gqlcache.Entity("v_note", mark)); err != nil {
			t.Error(err)
		}
		b, err := json.Marshal(p.snapshot())
		if err != nil {
			t.Fatal(err)
		}
		all += string(b)
	}
	all += strings.Join(lines.lines(), "\n")
	if at := strings.Index(all, mark); at >= 0 {
		t.Errorf("…%s…", all[max(0, at-300):at+50])
	}
}

// TestNoActionsByWebsocket: a page of another site may open a websocket, and no preflight
// asks whether it may. Whoever may act may not that way, whatever its opening says of the
// method.
func TestNoActionsByWebsocket(t *testing.T) {
	t.Parallel()
	p := newPanel(t, nil)
	p.send(readUsers)
	for _, viewer := range []string{"admin", "stranger"} {
		for what, ask := range everyAsk() {
			if what == "inspect" || ask == nil {
				continue
			}
			c := client.New(p.h, client.AddHeader(gqlcache.DebugHeader, "true"), client.AddHeader("X-Viewer", viewer),
				client.Extensions(map[string]any{"cache": ask}))
			ws := c.WebsocketWithPayload(readUsers, map[string]any{gqlcache.DebugHeader: "true", "extensions": map[string]any{"cache": ask}})
			var got struct{ Users []struct{ Name string } }
			if err := ws.Next(&got); err != nil || len(got.Users) == 0 {
				t.Errorf("%s as %s: %v, %v", what, viewer, got, err)
			}
			if err := ws.Close(); err != nil {
				t.Error(err)
			}
		}
	}
	if st := p.cache.Stats(); st.Misses != 1 || st.Hits != 8 || st.Invalidations != 0 || len(st.Bypassed) != 0 {
		t.Errorf("%+v", st)
	}
}
