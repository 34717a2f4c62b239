package gqlcache_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/changelog"
	"github.com/cascadeql/cascadeql/gqlcache/internal/testgraph"
	"github.com/cascadeql/cascadeql/internal/redistest"
)

const (
	changesSecret = "a secret of at least 32 characters"
	oldSecret     = "the-secret-before-was-not-shorter"
)

// changesKey is changesSecret as the handler takes it.
var changesKey = strings.ReplaceAll(changesSecret, " ", "-")

func invalidateHandler(t *testing.T, c *gqlcache.Cache) http.Handler {
	t.Helper()
	h, err := c.InvalidateHandler(changesKey, oldSecret)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// changesRequest is a request that is right, but for what a test changes.
func changesRequest(ctx context.Context, body string) *http.Request {
	r := httptest.NewRequestWithContext(ctx, http.MethodPost, "/changes", strings.NewReader(expand(body)))
	r.Header.Set("Authorization", "Bearer "+changesKey)
	r.Header.Set("Content-Type", "application/json")
	return r
}

// changesAnswer is what the handler answers.
type changesAnswer struct {
	Applied                   int
	Consistency, Token, Error string
}

func sendChanges(t *testing.T, h http.Handler, r *http.Request) (changesAnswer, *httptest.ResponseRecorder) {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	var a changesAnswer
	if err := json.Unmarshal(w.Body.Bytes(), &a); err != nil {
		t.Fatalf("%q: %v", w.Body, err)
	}
	if w.Header().Get("Content-Type") != "application/json" || w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("headers %v", w.Header())
	}
	if (a.Error == "") != (w.Code == http.StatusOK) || (w.Code == http.StatusServiceUnavailable) != (w.Header().Get("Retry-After") != "") {
		t.Errorf("status %d with %q, %v", w.Code, a.Error, w.Header())
	}
	return a, w
}

// TestInvalidateHandlerReaches: a request does what Invalidate does.
func TestInvalidateHandlerReaches(t *testing.T) {
	t.Parallel()
	all := []string{"query Ann" + readAnn, "{user(id:$Bob){name}}", readCounter, "{settings}"}
	for _, row := range []struct {
		name, changes string
		applied       int
		dropped       []int // of all
	}{
		{"a row", `{"row":{"type":"User","id":$Ann}}`, 1, []int{0}},
		{"the fields of a row the other way round", `{"row":{"id":$Ann,"type":"User"}}`, 1, []int{0}},
		{"a row in another spelling", `{"row":{"type":"User","id":"{11111111-1111-4111-8111-111111111111}"}}`, 1, []int{0}},
		{"a row of a view", `{"row":{"type":"v_user","id":$Bob}}`, 1, []int{1}},
		{"a row by a number", `{"row":{"type":"Counter","id":1}}`, 1, []int{2}},
		{"a row by the text of a number", `{"row":{"type":"Counter","id":"1"}}`, 1, []int{2}},
		{"a row by a number with an exponent", `{"row":{"type":"Counter","id":0.1e1}}`, 1, []int{2}},
		{"another row", `{"row":{"type":"Counter","id":2}}`, 1, nil},
		{"a view", `{"view":"v_user"}`, 1, []int{0, 1}},
		{"the view of a type", `{"view":"Counter"}`, 1, []int{2}},
		{"an operation", `{"operation":"Ann"}`, 1, []int{0}},
		{"an operation that nobody has sent", `{"operation":"Nobody"}`, 1, nil},
		{"several", `{"row":{"type":"User","id":$Ann}},{"view":"v_setting"},{"operation":"Ann"}`, 3, []int{0, 3}},
		{"escapes", `{"v\u0069ew":"v\u005fuser"}`, 1, []int{0, 1}},
		{"everything", `{"everything":true}`, 1, []int{0, 1, 2, 3}},
		{"everything beside others", `{"view":"v_user"},{"everything":true}`, 2, []int{0, 1, 2, 3}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, "annotated", gqlcache.Options{})
			for _, read := range all {
				r.run("annotated", []string{"MISS: " + read, "HIT: " + read})
			}
			a, w := sendChanges(t, invalidateHandler(t, r.cache), changesRequest(t.Context(), `{"changes":[`+row.changes+`]}`))
			if want := (changesAnswer{Applied: row.applied}); w.Code != http.StatusOK || a != want {
				t.Errorf("status %d, %+v, want %+v", w.Code, a, want)
			}
			dropped := map[int]bool{}
			for _, i := range row.dropped {
				dropped[i] = true
			}
			for i, read := range all {
				r.run("annotated", []string{map[bool]string{true: "MISS", false: "HIT"}[dropped[i]] + ": " + read})
			}
		})
	}
}

// TestInvalidateHandlerNumbers: a number keeps the digits that a floating-point number
// has no place for.
func TestInvalidateHandlerNumbers(t *testing.T) {
	t.Parallel()
	r := newInstances(t, 1)
	c := r.all[0].cache
	for _, id := range []string{"9007199254740992", "9007199254740993", "-9007199254740993", "123456789012345678901234567890"} {
		want, err := c.Tags(gqlcache.Entity("Counter", id))
		if err != nil {
			t.Fatal(err)
		}
		sendChanges(t, invalidateHandler(t, c), changesRequest(t.Context(), `{"changes":[{"row":{"type":"Counter","id":`+id+`}}]}`))
		r.fakeLog.mu.Lock()
		got := r.fakeLog.records[len(r.fakeLog.records)-1].Tags
		r.fakeLog.mu.Unlock()
		// Three tags and one with the view's name come first. The list of all views may
		// come between.
		if n := len(want) - 4; n < 4 || len(got) < n || !slices.Equal(got[len(got)-n:], want[4:]) {
			t.Errorf("%s: published %v, want %v", id, got, want)
		}
	}
}

// TestInvalidateHandlerRefuses: a request that is wrong in any part changes nothing, and
// the answer says in which.
func TestInvalidateHandlerRefuses(t *testing.T) {
	t.Parallel()
	const good = `{"row":{"type":"User","id":$Ann}}`
	for _, row := range []struct {
		name, body string
		status     int
		says       string
	}{
		{"nothing", ``, 400, "no JSON document"},
		{"no JSON", `changes=everything`, 400, "no JSON document"},
		{"half a document", `{"changes":[` + good, 400, "no JSON document"},
		{"text behind the document", `{"changes":[` + good + `]}x`, 400, "after top-level value"},
		{"two documents", `{"changes":[` + good + `]}{"changes":[{"view":"v_user"}]}`, 400, "after top-level value"},
		{"no UTF-8", "{\"changes\":[" + good + ",{\"view\":\"v_\xffuser\"}]}", 400, "UTF-8"},
		{"a list", `[` + good + `]`, 400, "the body must be an object"},
		{"null", `null`, 400, "the body must be an object"},
		{"no changes", `{}`, 400, "changes is missing or empty"},
		{"an empty list", `{"changes":[]}`, 400, "changes is missing or empty"},
		{"changes null", `{"changes":null}`, 400, "changes must be a list"},
		{"one change in place of a list", `{"changes":` + good + `}`, 400, "changes must be a list"},
		{"an unknown field", `{"changes":[` + good + `],"dry":true}`, 400, `unknown field "dry"`},
		{"another case", `{"Changes":[` + good + `]}`, 400, `unknown field "Changes"`},
		{"changes twice", `{"changes":[` + good + `],"changes":[` + good + `]}`, 400, `"changes" twice`},
		{"a change that is a text", `{"changes":[` + good + `,"everything"]}`, 400, "changes[1] must be an object"},
		{"a change that is null", `{"changes":[` + good + `,null]}`, 400, "changes[1] must be an object"},
		{"an empty change", `{"changes":[` + good + `,{}]}`, 400, "changes[1] must have one of"},
		{"two kinds in a change", `{"changes":[` + good + `,{"view":"v_user","operation":"A"}]}`, 400, "changes[1] must have one of"},
		{"a view twice", `{"changes":[` + good + `,{"view":"v_user","view":"v_post"}]}`, 400, `changes[1] has "view" twice`},
		{"an unknown kind", `{"changes":[` + good + `,{"table":"user"}]}`, 400, `changes[1] has the unknown field "table"`},
		{"an unknown kind with a point", `{"changes":[` + good + `,{"a.b":1}]}`, 400, `changes[1] has the unknown field "a.b"`},
		{"a kind in another case", `{"changes":[` + good + `,{"View":"v_user"}]}`, 400, `changes[1] has the unknown field "View"`},
		{"a row that is a text", `{"changes":[` + good + `,{"row":$Bob}]}`, 400, "changes[1].row must be an object"},
		{"a row without an id", `{"changes":[` + good + `,{"row":{"type":"User"}}]}`, 400, "changes[1].row must have a type and an id"},
		{"a row without a type", `{"changes":[` + good + `,{"row":{"id":$Bob}}]}`, 400, "changes[1].row must have a type and an id"},
		{"a row with two ids", `{"changes":[` + good + `,{"row":{"type":"User","id":"1","id":"2"}}]}`, 400, `changes[1].row has "id" twice`},
		{"an unknown field of a row", `{"changes":[` + good + `,{"row":{"type":"User","id":"1","tenant":"x"}}]}`, 400, `changes[1].row has the unknown field "tenant"`},
		{"a type that is a number", `{"changes":[` + good + `,{"row":{"type":1,"id":"1"}}]}`, 400, "changes[1].row.type must be a string"},
		{"a type that is empty", `{"changes":[` + good + `,{"row":{"type":"","id":"1"}}]}`, 400, "changes[1].row.type is empty"},
		{"an id that is empty", `{"changes":[` + good + `,{"row":{"type":"User","id":""}}]}`, 400, "changes[1].row.id is empty"},
		{"an id that is null", `{"changes":[` + good + `,{"row":{"type":"User","id":null}}]}`, 400, "changes[1].row.id must be a string or a number"},
		{"an id that is true", `{"changes":[` + good + `,{"row":{"type":"User","id":true}}]}`, 400, "changes[1].row.id must be a string or a number"},
		{"an id that is a list", `{"changes":[` + good + `,{"row":{"type":"User","id":["1"]}}]}`, 400, "changes[1].row.id must be a string or a number"},
		{"an id that is half a character", `{"changes":[` + good + `,{"row":{"type":"User","id":"\ud800"}}]}`, 400, "changes[1].row.id has a character"},
		{"an id beyond all numbers", `{"changes":[` + good + `,{"row":{"type":"User","id":1e99999999999999999999}}]}`, 400, "changes[1]: the id is no key"},
		{"a view that is a list", `{"changes":[` + good + `,{"view":["v_user"]}]}`, 400, "changes[1].view must be a string"},
		{"a view that is empty", `{"changes":[` + good + `,{"view":""}]}`, 400, "changes[1].view is empty"},
		{"an operation that is empty", `{"changes":[` + good + `,{"operation":""}]}`, 400, "changes[1].operation is empty"},
		{"an operation that is a number", `{"changes":[` + good + `,{"operation":1}]}`, 400, "changes[1].operation must be a string"},
		{"everything false", `{"changes":[` + good + `,{"everything":false}]}`, 400, "changes[1].everything must be true"},
		{"everything as a text", `{"changes":[` + good + `,{"everything":"true"}]}`, 400, "changes[1].everything must be true"},
		{"an unknown view", `{"changes":[` + good + `,{"view":"v_nope"}]}`, 422, `changes[1]: the server's schema has no view, and no type with a key, of the name "v_nope"`},
		{"an unknown type", `{"changes":[` + good + `,{"row":{"type":"Nope","id":1}}]}`, 422, `changes[1]: `},
		{"a type without a key", `{"changes":[` + good + `,{"row":{"type":"Blurb","id":1}}]}`, 422, `"Blurb"`},
		{"a name in another case", `{"changes":[` + good + `,{"view":"user"}]}`, 422, `"user"`},
		{"an unknown view beside everything", `{"changes":[{"everything":true},{"view":"v_nope"}]}`, 422, "changes[1]: "},
		{"a long name", `{"changes":[` + good + `,{"view":"` + strings.Repeat("ü", 1000) + `"}]}`, 422, "üüü…"},
		{"deep nesting", `{"changes":` + strings.Repeat("[", 9000) + strings.Repeat("]", 9000) + `}`, 400, "changes[0] must be an object"},
		{"deeper nesting", strings.Repeat("[", 500_000), 400, "no JSON document"},
		{"too large", `{"changes":[` + good + strings.Repeat(" ", 1<<20) + `]}`, 413, "1048576 bytes"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, "annotated", gqlcache.Options{})
			r.run("annotated", []string{"MISS: " + readAnn})
			a, w := sendChanges(t, invalidateHandler(t, r.cache), changesRequest(t.Context(), row.body))
			if w.Code != row.status || !strings.Contains(a.Error, row.says) || a.Applied != 0 || len(a.Error) > 300 {
				t.Errorf("status %d, %+v, want %d and %q", w.Code, a, row.status, row.says)
			}
			if n := r.cache.Stats().Invalidations; n != 0 {
				t.Errorf("%d changes were applied", n)
			}
			r.run("annotated", []string{"HIT: " + readAnn})
		})
	}
}

// failingBody breaks off in the middle.
type failingBody struct{ io.Reader }

func (b failingBody) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// TestInvalidateHandlerRequests: what of a request beside its body decides.
func TestInvalidateHandlerRequests(t *testing.T) {
	t.Parallel()
	const body = `{"changes":[{"view":"v_user"}]}`
	header := func(name string, values ...string) func(*http.Request) {
		return func(r *http.Request) { r.Header[name] = values }
	}
	for _, row := range []struct {
		name   string
		change func(*http.Request)
		status int
		header string // of the answer
	}{
		{"as it is", func(*http.Request) {}, 200, ""},
		{"the second secret", header("Authorization", "Bearer "+oldSecret), 200, ""},
		{"the scheme in another case", header("Authorization", "bearer "+changesKey), 200, ""},
		{"spaces before the secret", header("Authorization", "Bearer   "+changesKey), 200, ""},
		{"a charset", header("Content-Type", `application/json; charset="UTF-8"`), 200, ""},
		{"no secret", header("Authorization"), 401, "WWW-Authenticate"},
		{"an empty secret", header("Authorization", "Bearer "), 401, "WWW-Authenticate"},
		{"the secret alone", header("Authorization", changesKey), 401, "WWW-Authenticate"},
		{"another scheme", header("Authorization", "Basic "+changesKey), 401, "WWW-Authenticate"},
		{"another secret", header("Authorization", "Bearer "+strings.ToUpper(changesKey)), 401, "WWW-Authenticate"},
		{"the beginning of the secret", header("Authorization", "Bearer "+changesKey[:len(changesKey)-1]), 401, "WWW-Authenticate"},
		{"more than the secret", header("Authorization", "Bearer "+changesKey+"s"), 401, "WWW-Authenticate"},
		{"two headers", header("Authorization", "Bearer "+changesKey, "Bearer "+changesKey), 401, "WWW-Authenticate"},
		{"GET", func(r *http.Request) { r.Method = http.MethodGet }, 405, "Allow"},
		{"PUT", func(r *http.Request) { r.Method = http.MethodPut }, 405, "Allow"},
		{"OPTIONS", func(r *http.Request) { r.Method = http.MethodOptions }, 405, "Allow"},
		{"no media type", header("Content-Type"), 415, ""},
		{"a form", header("Content-Type", "application/x-www-form-urlencoded"), 415, ""},
		{"another charset", header("Content-Type", "application/json; charset=iso-8859-1"), 415, ""},
		{"a media type that is none", header("Content-Type", "application/json; charset"), 415, ""},
		{"compressed", header("Content-Encoding", "gzip"), 415, ""},
		{"a body that breaks off", func(r *http.Request) { r.Body = io.NopCloser(failingBody{r.Body}) }, 400, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			var log logbook
			r := newRig(t, "annotated", gqlcache.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
			r.run("annotated", []string{"MISS: " + readAnn})
			req := changesRequest(t.Context(), body)
			row.change(req)
			a, w := sendChanges(t, invalidateHandler(t, r.cache), req)
			if w.Code != row.status || row.header != "" && w.Header().Get(row.header) == "" {
				t.Errorf("status %d, %+v, %v, want %d with %q", w.Code, a, w.Header(), row.status, row.header)
			}
			want := "MISS: "
			if row.status != http.StatusOK {
				want = "HIT: "
			}
			r.run("annotated", []string{want + readAnn})
			if said := fmt.Sprint(w.Body, w.Header(), log.String()); strings.Contains(said, changesKey[:8]) || strings.Contains(said, oldSecret[:8]) {
				t.Errorf("the secret is in %s", said)
			}
		})
	}
}

// TestInvalidateHandlerSecrets: which secrets are refused, and that the error does not
// have them.
func TestInvalidateHandlerSecrets(t *testing.T) {
	t.Parallel()
	c := newCache(t, gqlcache.Options{})
	for _, row := range []struct {
		name    string
		secrets []string
		says    string // "" when they are good
	}{
		{"32 characters", []string{strings.Repeat("x", 32)}, ""},
		{"two", []string{changesKey, oldSecret}, ""},
		{"none", nil, "has no secret"},
		{"an empty one", []string{""}, "secret 0 of InvalidateHandler has 0 characters"},
		{"31 characters", []string{strings.Repeat("x", 31)}, "has 31 characters"},
		{"the second is short", []string{changesKey, "xxxx"}, "secret 1 of InvalidateHandler has 4 characters"},
		{"the end of a line", []string{changesKey + "\n"}, "line break"},
		{"spaces", []string{changesSecret}, "has a space"},
		{"beyond ASCII", []string{strings.Repeat("ü", 40)}, "visible ASCII"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			h, err := c.InvalidateHandler(row.secrets...)
			if row.says == "" {
				if err != nil || h == nil {
					t.Errorf("InvalidateHandler = %v, %v", h, err)
				}
				return
			}
			if h != nil || !errors.Is(err, gqlcache.ErrOptions) || !strings.Contains(err.Error(), row.says) {
				t.Errorf("InvalidateHandler = %v, %v, want %q", h, err, row.says)
			}
			for _, s := range row.secrets {
				if s != "" && strings.Contains(err.Error(), strings.TrimSpace(s)) {
					t.Errorf("the secret is in %v", err)
				}
			}
		})
	}
	if _, err := (*gqlcache.Cache)(nil).InvalidateHandler(changesKey); err == nil {
		t.Error("a cache that was not made has a handler")
	}
}

// TestInvalidateHandlerUnavailable: a cache that knows no names yet applies everything
// alone, and one that is closed nothing.
func TestInvalidateHandlerUnavailable(t *testing.T) {
	t.Parallel()
	c, err := gqlcache.New(quiet(gqlcache.Options{Callers: gqlcache.AllSeeTheSame}))
	if err != nil {
		t.Fatal(err)
	}
	h := invalidateHandler(t, c)
	const everything = `{"changes":[{"everything":true}]}`
	if a, w := sendChanges(t, h, changesRequest(t.Context(), `{"changes":[{"everything":true},{"view":"v_user"}]}`)); w.Code != 503 || a.Applied != 0 || !strings.Contains(a.Error, "no schema yet") {
		t.Errorf("without a schema: status %d, %+v", w.Code, a)
	}
	if a, w := sendChanges(t, h, changesRequest(t.Context(), everything)); w.Code != 200 || a.Applied != 1 || c.Stats().Flushes != 1 {
		t.Errorf("everything without a schema: status %d, %+v", w.Code, a)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if a, w := sendChanges(t, h, changesRequest(t.Context(), everything)); w.Code != 503 || a.Applied != 0 || !strings.Contains(a.Error, "closed") {
		t.Errorf("closed: status %d, %+v", w.Code, a)
	}
}

// TestInvalidateHandlerPending: what the answer says when the log has not taken the
// changes.
func TestInvalidateHandlerPending(t *testing.T) {
	t.Parallel()
	const body = `{"changes":[{"row":{"type":"User","id":$Ann}}]}`
	r := newInstances(t, 2, func(_ *instance, o *gqlcache.Options) { o.Tokens = true })
	a, b := r.two()
	h := invalidateHandler(t, a.cache)
	b.log.withhold()
	if got, w := sendChanges(t, h, changesRequest(t.Context(), body)); w.Code != 200 || got.Applied != 1 || got.Consistency != "bounded" || got.Token == "" ||
		w.Header().Get(gqlcache.ConsistencyHeader) != "bounded" || w.Header().Get(gqlcache.TokenHeader) != got.Token {
		t.Errorf("an instance does not answer: status %d, %+v, %v", w.Code, got, w.Header())
	}
	a.log.breakDown(errors.New("dial tcp 10.1.2.3:6379: refused"))
	if got, w := sendChanges(t, h, changesRequest(t.Context(), body)); w.Code != 503 || got.Applied != 1 || got.Consistency != "pending" || got.Token != "" ||
		w.Header().Get(gqlcache.ConsistencyHeader) != "pending" || !strings.Contains(got.Error, "when the log is back") || strings.Contains(got.Error, "10.1.2.3") {
		t.Errorf("the log is down: status %d, %+v, %v", w.Code, got, w.Header())
	}
	a.log.recover()
	b.log.recover()
	if got, w := sendChanges(t, h, changesRequest(t.Context(), body)); w.Code != 200 || got.Applied != 1 || got.Consistency != "" || got.Token == "" {
		t.Errorf("sent again: status %d, %+v", w.Code, got)
	}
}

// TestInvalidateHandlerNotStarted: a log that has not started keeps nothing, and the
// answer does not promise that it does.
func TestInvalidateHandlerNotStarted(t *testing.T) {
	t.Parallel()
	c := newCache(t, gqlcache.Options{Instances: gqlcache.Instances{Log: newFakeLog().join(changelog.Bounded)}})
	got, w := sendChanges(t, invalidateHandler(t, c), changesRequest(t.Context(), `{"changes":[{"everything":true}]}`))
	if w.Code != 503 || got.Applied != 1 || !strings.Contains(got.Error, "this instance only; send them again") {
		t.Errorf("status %d, %+v", w.Code, got)
	}
}

// TestInvalidateHandlerOverRedis: a change that one instance was told of is applied on
// the other before the answer, also when the client does not wait for it.
func TestInvalidateHandlerOverRedis(t *testing.T) {
	t.Parallel()
	all := redisInstances(t, 2, redistest.Start(t), nil)
	h := invalidateHandler(t, all[0].cache)
	for range 5 {
		for _, m := range all {
			m.want("MISS", "Ann", readAnn)
			m.want("HIT memory", "Ann", readAnn)
		}
		gone, leave := context.WithCancel(t.Context())
		leave()
		got, w := sendChanges(t, h, changesRequest(gone, `{"changes":[{"row":{"type":"User","id":$Ann}}]}`))
		if w.Code != 200 || got != (changesAnswer{Applied: 1}) {
			t.Errorf("status %d, %+v", w.Code, got)
		}
	}
	for _, m := range all {
		m.want("MISS", "Ann", readAnn)
	}
}

// TestInvalidateHandlerCutOff: an instance that cannot reach Redis applies a change, says
// so, and the others learn of it when it can.
func TestInvalidateHandlerCutOff(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	link := redistest.NewProxy(t, s.Addr())
	rows := testgraph.NewStore()
	cut := newNode(t, nodeSpec{client: redistest.Client(t, link.Addr()), rows: rows, level: changelog.Strong, ttl: patientLease})
	other := newNode(t, nodeSpec{client: s.Client(), rows: rows, level: changelog.Strong, ttl: patientLease})
	for _, n := range []*node{cut, other} {
		eventually(t, "a lease", n.log.Fresh)
		n.run(t, expand(readAnn), nil)
	}
	h := invalidateHandler(t, cut.cache)
	const body = `{"changes":[{"row":{"type":"User","id":$Ann}}]}`
	link.Cut()
	if got, w := sendChanges(t, h, changesRequest(t.Context(), body)); w.Code != 503 || got.Applied != 1 || got.Consistency != "pending" {
		t.Errorf("cut off: status %d, %+v", w.Code, got)
	}
	link.Heal()
	eventually(t, "the change", func() bool { st := cut.log.Stats(); return st.Fresh && st.Pending == 0 })
	if got, w := sendChanges(t, h, changesRequest(t.Context(), body)); w.Code != 200 || got.Applied != 1 || got.Consistency != "" {
		t.Errorf("sent again: status %d, %+v", w.Code, got)
	}
	misses := other.cache.Stats().Misses
	other.run(t, expand(readAnn), nil)
	if other.cache.Stats().Misses != misses+1 {
		t.Error("the other instance has not dropped the answer")
	}
}

// FuzzInvalidateHandler: a body is applied as a whole, and as any other reader of JSON
// reads it, or not at all.
func FuzzInvalidateHandler(f *testing.F) {
	for _, seed := range []string{
		`{"changes":[{"row":{"type":"User","id":"u1"}},{"view":"v_post"},{"operation":"Feed"},{"everything":true}]}`,
		`{"changes":[{"row":{"id":-1.5e3,"type":"v_user"}}]}`,
		`{"changes":[{"where":{"type":"Post","column":"status","value":true}},{"tag":"a"},{"computed":"b"},{"computedMatching":"c*"}]}`, `{"changes":[]}`, `{"changes":[{}],"x":[[]]}`, "{\"changes\":[{\"view\":\"\\ud800\"}]}",
	} {
		f.Add([]byte(seed))
	}
	c := newCache(f, gqlcache.Options{})
	testgraph.NewServer(testgraph.NewStore(), c)
	h, err := c.InvalidateHandler(changesKey)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		before := c.Stats().Invalidations
		r := changesRequest(t.Context(), "")
		r.Body = io.NopCloser(bytes.NewReader(body))
		a, w := sendChanges(t, h, r)
		var read struct {
			Changes []map[string]any
		}
		err := json.Unmarshal(body, &read)
		switch applied := c.Stats().Invalidations - before; {
		case w.Code != http.StatusOK && (applied != 0 || a.Applied != 0):
			t.Errorf("status %d, and applied", w.Code)
		case w.Code == http.StatusOK && (applied != 1 || err != nil || len(read.Changes) != a.Applied || a.Applied == 0):
			t.Errorf("%d changes applied, %d times; another reader: %v, %v", a.Applied, applied, read, err)
		}
	})
}

// documentIn finds the document of a recipe: JSON in any language.
var documentIn = regexp.MustCompile(`\{"changes": .*\}\]\}`)

// TestDocumentedChanges sends what the recipes of docs/changes.md send.
func TestDocumentedChanges(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../docs/changes.md")
	if err != nil {
		t.Fatal(err)
	}
	documents := documentIn.FindAllString(string(page), -1)
	if len(documents) < 2 {
		t.Fatalf("found %q", documents)
	}
	h := invalidateHandler(t, newRig(t, "annotated", gqlcache.Options{}).cache)
	for _, d := range documents {
		if a, w := sendChanges(t, h, changesRequest(t.Context(), d)); w.Code != 200 {
			t.Errorf("%s: status %d, %s", d, w.Code, a.Error)
		}
	}
}

// A program in another language reports that prices have changed, of which the schema knows
// nothing, and that a value is to be computed anew.
func ExampleCache_InvalidateHandler_values() {
	cache := exampleCache()
	defer closeCache(cache)
	testgraph.NewServer(testgraph.NewStore(), cache)
	secret := "e4f1c0de8a7b4d6e9f20a1b2c3d4e5f6" // of the environment, elsewhere
	changes, err := cache.InvalidateHandler(secret)
	if err != nil {
		fmt.Println(err)
		return
	}
	total := func() {
		key := gqlcache.KeyOf("basket").Arg("id", 7)
		_, err := gqlcache.Compute(context.Background(), cache, key, func(context.Context) (int, error) {
			fmt.Println("computed")
			return 42, nil
		}, gqlcache.ForAll(), gqlcache.Reads(gqlcache.Tag("pricing")))
		if err != nil {
			fmt.Println(err)
		}
	}
	total()
	total()
	body := strings.NewReader(`{"changes": [{"tag": "pricing"}, {"computed": "leaderboard"}]}`)
	r := httptest.NewRequestWithContext(context.Background(), http.MethodPost, "/changes", body)
	r.Header.Set("Authorization", "Bearer "+secret)
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	changes.ServeHTTP(w, r)
	fmt.Print(w.Code, " ", w.Body)
	total()
	// Output:
	// computed
	// 200 {"applied":2}
	// computed
}

// A program in another language reports that it has changed a row.
func ExampleCache_InvalidateHandler() {
	cache := exampleCache()
	defer closeCache(cache)
	srv := testgraph.NewServer(testgraph.NewStore())
	srv.Use(cache)
	secret := "e4f1c0de8a7b4d6e9f20a1b2c3d4e5f6" // of the environment, elsewhere
	changes, err := cache.InvalidateHandler(secret)
	if err != nil {
		fmt.Println(err)
		return
	}
	mux := http.NewServeMux()
	mux.Handle("/graphql", srv)
	mux.Handle("/changes", changes)

	ask(srv, cache, readAnn)
	body := strings.NewReader(`{"changes": [{"row": {"type": "User", "id": "` + testgraph.Ann + `"}}]}`)
	r := httptest.NewRequestWithContext(context.Background(), http.MethodPost, "/changes", body)
	r.Header.Set("Authorization", "Bearer "+secret)
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, r)
	fmt.Print(w.Code, " ", w.Body)
	ask(srv, cache, readAnn)
	// Output:
	// {"data":{"user":{"name":"Ann"}}} 0 hits, 1 misses
	// 200 {"applied":1}
	// {"data":{"user":{"name":"Ann"}}} 0 hits, 2 misses
}
