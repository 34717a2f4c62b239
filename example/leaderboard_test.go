package main

import (
	"net/http"
	"strings"
	"testing"

	"github.com/cascadeql/cascadeql/example/internal/blog"
)

// TestLeaderboard: the table for other programs is kept as a value, and dropped by the
// mutations that change it, and by no others. Tenants have their own. With directives and
// without, over either database, it is that of a server without the cache.
func TestLeaderboard(t *testing.T) {
	t.Parallel()
	for _, database := range kinds {
		t.Run(database.String(), func(t *testing.T) {
			t.Parallel()
			s := newBlogOn(t, database)
			plain := &site{t: t, handler: newServer(s.store, nil), store: s.store}
			// want looks at the table, and whether the database was asked.
			want := func(what, tenant, query string, asked bool) string {
				t.Helper()
				var got string
				n := s.statements(func() {
					rec := s.request(http.MethodGet, "/leaderboard"+query, "", tenantHeader, tenant)
					if got = rec.Body.String(); rec.Code != http.StatusOK || rec.Header().Get("Content-Type") != "application/json" {
						t.Errorf("%s: status %d, %s", what, rec.Code, got)
					}
				})
				if (n > 0) != asked {
					t.Errorf("%s: %d statements, want some: %v", what, n, asked)
				}
				if rec := plain.request(http.MethodGet, "/leaderboard"+query, "", tenantHeader, tenant); rec.Body.String() != got {
					t.Errorf("%s: %s, without the cache %s", what, got, rec.Body)
				}
				return got
			}
			first := want("first", tenantA, "", true)
			want("again", tenantA, "", false)
			want("shorter", tenantA, "?limit=1", true)
			want("none", tenantA, "?limit=0", true)
			if other := want("of another tenant", tenantB, "", true); other == first || !strings.Contains(other, `"PostCount":1`) {
				t.Errorf("tenants have %s and %s", first, other)
			}
			if all := want("of all", string(blog.Admin), "", true); len(all) <= len(first) {
				t.Errorf("all have %s", all)
			}
			want("of all, again", string(blog.Admin), "", true)

			s.must(tenantA, `mutation { updateUser(id: "<u1>", input: {name: "Anne"}) { id } }`)
			if !database.bare {
				want("after a name, which it does not show", tenantA, "", false)
			}
			s.must(tenantA, `mutation { publishPost(id: "<p2>") { id } }`)
			if second := want("after a mutation", tenantA, "", true); second == first {
				t.Errorf("still %s", second)
			}
			want("after a mutation, again", tenantA, "", false)
			if !database.bare { // statements do not say whose rows they write
				want("after a mutation of another tenant", tenantB, "", false)
			}
			want("after a mutation, of all", string(blog.Admin), "", true)
			s.must(string(blog.Admin), `mutation { deleteComment(id: "<cb>") { id } }`)
			want("after the administrator's", tenantB, "", true)
		})
	}
}

// TestLeaderboardRequests: what is no request for a table gets none.
func TestLeaderboardRequests(t *testing.T) {
	t.Parallel()
	s := newBlog(t)
	for _, row := range []struct {
		method, target, tenant string
		status                 int
	}{
		{http.MethodGet, "/leaderboard", "", http.StatusBadRequest},
		{http.MethodGet, "/leaderboard?limit=-1", tenantA, http.StatusBadRequest},
		{http.MethodGet, "/leaderboard?limit=1001", tenantA, http.StatusBadRequest},
		{http.MethodGet, "/leaderboard?limit=x", tenantA, http.StatusBadRequest},
		{http.MethodPost, "/leaderboard", tenantA, http.StatusMethodNotAllowed},
	} {
		n := s.statements(func() {
			if rec := s.request(row.method, row.target, "", tenantHeader, row.tenant); rec.Code != row.status {
				t.Errorf("%s %s: status %d, want %d", row.method, row.target, rec.Code, row.status)
			}
		})
		if n > 0 {
			t.Errorf("%s %s: %d statements", row.method, row.target, n)
		}
	}
}
