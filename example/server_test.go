package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"github.com/cascadeql/cascadeql/example/internal/blog"
)

// silent keeps go-redis' own remarks about connections out of the output.
type silent struct{}

func (silent) Printf(context.Context, string, ...any) {}

// exampleMain is the variable that makes this test binary the example itself.
const exampleMain = "EXAMPLE_MAIN"

func TestMain(m *testing.M) {
	if os.Getenv(exampleMain) != "" {
		main()
		return
	}
	slog.SetDefault(slog.New(slog.DiscardHandler))
	redis.SetLogger(silent{})
	if level := os.Getenv(memberLevel); level != "" {
		if err := runMember(level); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

func (s *site) request(method, target, body string, headers ...string) *httptest.ResponseRecorder {
	s.t.Helper()
	req := httptest.NewRequestWithContext(s.t.Context(), method, target, strings.NewReader(body))
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	rec := httptest.NewRecorder()
	s.handler.ServeHTTP(rec, req)
	return rec
}

func TestNoTenantNoData(t *testing.T) {
	t.Parallel()
	s := newBlog(t)
	n := s.statements(func() {
		a := s.do("", `{feed{id}}`)
		if a.status != http.StatusBadRequest || a.data != "null" || !strings.Contains(a.errors, tenantHeader) {
			t.Errorf("got %+v", a)
		}
	})
	if n != 0 {
		t.Errorf("%d statements sent", n)
	}
}

// A tenant is any text, and never becomes part of a statement.
func TestOpaqueTenants(t *testing.T) { onEach(t, testOpaqueTenants) }

func testOpaqueTenants(t *testing.T, database kind) {
	t.Helper()
	s := newBlogOn(t, database)
	for _, tenant := range []string{"x' OR '1'='1", "**", "%", "tenant-A", " tenant-a-"} {
		s.want(tenant, `{feed{id}}`, `{"feed":[]}`)
	}
}

func TestPredicateOf(t *testing.T) {
	t.Parallel()
	for tenant, want := range map[blog.Tenant]string{
		"":       "",
		"*":      "true",
		"acme":   "tenant = 'acme'",
		"o'neil": "tenant = 'o''neil'",
	} {
		got, err := predicateOf(blog.WithTenant(t.Context(), tenant))
		if err != nil || got.Text != want || got.Reads != nil {
			t.Errorf("predicate of %q is %v, %v, want %q", tenant, got, err, want)
		}
	}
}

func TestStats(t *testing.T) { onEach(t, testStats) }

func testStats(t *testing.T, database kind) {
	t.Helper()
	s := newBlogOn(t, database)
	read := func() (n uint64) {
		t.Helper()
		rec := s.request(http.MethodGet, "/__stats", "")
		var stats map[string]uint64
		if err := json.Unmarshal(rec.Body.Bytes(), &stats); err != nil || rec.Code != http.StatusOK {
			t.Fatalf("status %d, %v: %s", rec.Code, err, rec.Body)
		}
		return stats["dbStatements"]
	}
	rows := []struct {
		name, query string
		want        uint64
	}{
		{"one read", `{user(id:"<u1>"){name}}`, 1},
		{"two fields", `{a:user(id:"<u1>"){name} b:user(id:"<u1>"){name}}`, 2},
		{"no read for what is no id", `{user(id:"x"){name}}`, 0},
		{"introspection", `{__typename}`, 0},
		{"only what is asked for", `{posts(authorId:"<u1>"){total}}`, 1},
		{"a mutation, and what it changes", `mutation{renameTag(id:"<t1>",name:"x"){name}}`, 2},
		{"a mutation of two rows and two reads", `mutation{publishPost(id:"<p2>"){author{karma}}}`, 4},
		{"a refused mutation", `mutation{renameTag(id:"<t9>",name:"x"){name}}`, 1},
	}
	for _, row := range rows {
		before := read()
		s.do(tenantA, row.query)
		if got := read() - before; got != row.want {
			t.Errorf("%s: %d statements, want %d", row.name, got, row.want)
		}
	}
}

func TestLatencyKnob(t *testing.T) { onEach(t, testLatencyKnob) }

func testLatencyKnob(t *testing.T, database kind) {
	t.Helper()
	s := newBlogOn(t, database)
	for _, row := range []struct {
		method, query string
		status        int
	}{
		{http.MethodPost, "ms=1", http.StatusNoContent},
		{http.MethodPost, "ms=0", http.StatusNoContent},
		{http.MethodPost, "ms=0.5", http.StatusNoContent},
		{http.MethodPost, "ms=-1", http.StatusBadRequest},
		{http.MethodPost, "ms=NaN", http.StatusBadRequest},
		{http.MethodPost, "ms=soon", http.StatusBadRequest},
		{http.MethodPost, "", http.StatusBadRequest},
		{http.MethodGet, "ms=1", http.StatusMethodNotAllowed},
	} {
		if rec := s.request(row.method, "/__latency?"+row.query, ""); rec.Code != row.status {
			t.Errorf("%s %q: status %d, want %d", row.method, row.query, rec.Code, row.status)
		}
	}
	s.want(tenantA, `{user(id:"<u1>"){name}}`, `{"user":{"name":"Ann"}}`)
}

// A page costs as many statements as its query has levels, however many rows it has.
func TestStatementsDoNotGrowWithRows(t *testing.T) { onEach(t, testStatementsDoNotGrowWithRows) }

func testStatementsDoNotGrowWithRows(t *testing.T, database kind) {
	t.Helper()
	queries := []struct {
		name, query string
		want        uint64
	}{
		{"feed with everything", `{feed{author{name stats{postCount latestPost{id}}} tags{name posts{id}} commentCount
			comments{author{name} post{title}}}}`, 10},
		{"leaderboard", `{leaderboard(limit:100){author{posts{id}} latestPost{comments{id}}}}`, 5},
		{"tags", `{tags{posts{author{name}}}}`, 3},
		{"search", `{search(term:"t",limit:100){... on User{posts{tags{name}}} ... on Post{author{name}} ... on Tag{posts{id}}}}`, 7},
		{"same field with other arguments", `{feed{a:comments(limit:1){author{id}} b:comments(limit:2){id}}}`, 4},
	}
	for _, size := range []int{2, 15} {
		s := newSiteOn(t, database)
		fill(s, size)
		for _, q := range queries {
			if got := s.statements(func() { s.must(tenantA, q.query) }); got != q.want {
				t.Errorf("%s with %d rows: %d statements, want %d", q.name, size, got, q.want)
			}
		}
	}
}

// fill creates n users with n posts, n comments and n tags, all found by "t".
func fill(s *site, n int) {
	s.t.Helper()
	id := func(kind string, i int) string { return fmt.Sprintf("00000000-0000-4000-800%s-%012x", kind, i) }
	var users, posts, comments, tags, relations strings.Builder
	for i := range n {
		fmt.Fprintf(&users, `{id:"%s",email:"%d",name:"t"}`, id("1", i), i)
		fmt.Fprintf(&posts, `{id:"%s",authorId:"%s",title:"t",body:"",status:PUBLISHED}`, id("2", i), id("1", i))
		fmt.Fprintf(&comments, `{postId:"%s",authorId:"%s",body:""}`, id("2", i), id("1", 0))
		fmt.Fprintf(&tags, `{id:"%s",name:"t"}`, id("3", i))
		fmt.Fprintf(&relations, `r%d:tagPost(postId:"%s",tagId:"%s"){id} `, i, id("2", i), id("3", i))
	}
	s.must(tenantA, `mutation{importData(users:[`+users.String()+`],posts:[`+posts.String()+`],comments:[`+
		comments.String()+`],tags:[`+tags.String()+`]){users}}`)
	s.must(tenantA, `mutation{`+relations.String()+`}`)
}

func TestLargeBodies(t *testing.T) { onEach(t, testLargeBodies) }

func testLargeBodies(t *testing.T, database kind) {
	t.Helper()
	s := newBlogOn(t, database)
	send := func(size int) answer {
		body, err := json.Marshal(map[string]any{
			"query":     `mutation($p:[CreatePostInput!]!){importData(posts:$p){posts}}`,
			"variables": map[string]any{"p": []map[string]any{{"authorId": idOf("u1"), "title": "t", "body": strings.Repeat("x", size)}}},
		})
		if err != nil {
			t.Fatal(err)
		}
		return s.post(tenantA, body)
	}
	if a := send(8 << 20); a.data != `{"importData":{"posts":1}}` {
		t.Errorf("8 MB: %+v", a)
	}
	if a := send(maxBody); a.errors == "" || a.data != "null" && a.data != "" {
		t.Errorf("over the limit: %+v", a)
	}
}

func TestTransports(t *testing.T) {
	t.Parallel()
	s := newBlog(t)
	query := named(`{"query":"query Q($id:ID!){user(id:$id){name}} query R{tags{id}}","operationName":"Q","variables":{"id":"<u1>"}}`, false)
	rows := []struct {
		name   string
		rec    *httptest.ResponseRecorder
		status int
		body   string
	}{
		{"POST with operation name and variables", s.request(http.MethodPost, "/graphql", query,
			"Content-Type", "application/json", tenantHeader, tenantA), 200, `{"data":{"user":{"name":"Ann"}}}`},
		{"GET", s.request(http.MethodGet, "/graphql?query={tags{name}}", "", tenantHeader, tenantA), 200,
			`{"data":{"tags":[{"name":"Sql"},{"name":"go"}]}}`},
		{"mutation by GET", s.request(http.MethodGet, named(`/graphql?query=mutation{deleteTag(id:"<t1>")}`, false), "",
			tenantHeader, tenantA), 406, `only allow query`},
		{"event stream", s.request(http.MethodPost, "/graphql", query, "Content-Type", "application/json",
			"Accept", "text/event-stream", tenantHeader, tenantA), 200, "event: next\ndata: " + `{"data":{"user":{"name":"Ann"}}}`},
		{"OPTIONS", s.request(http.MethodOptions, "/graphql", ""), 200, ""},
		{"no JSON", s.request(http.MethodPost, "/graphql", "{", "Content-Type", "application/json", tenantHeader, tenantA), 400, "errors"},
		{"playground", s.request(http.MethodGet, "/", ""), 200, "/graphql"},
		{"elsewhere", s.request(http.MethodGet, "/x", ""), 404, ""},
	}
	for _, row := range rows {
		if row.rec.Code != row.status || !strings.Contains(row.rec.Body.String(), row.body) {
			t.Errorf("%s: status %d, body %s", row.name, row.rec.Code, row.rec.Body)
		}
	}
}

// What is wrong with the database is nobody's business.
func TestInternalErrorsAreHidden(t *testing.T) {
	t.Parallel()
	for name, err := range map[string]error{
		"database": fmt.Errorf("blog: read: %w", fmt.Errorf("no such table: users")),
		"panic":    recoverPanic(t.Context(), "index out of range"),
	} {
		if got := presentError(t.Context(), err).Message; got != "internal error" {
			t.Errorf("%s: shown %q", name, got)
		}
	}
	shown := presentError(t.Context(), fmt.Errorf("user: %w", blog.ErrNotFound))
	if shown.Message != "user: not found" {
		t.Errorf("shown %q", shown.Message)
	}
}
