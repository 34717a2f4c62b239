package main

import (
	"math/rand/v2"
	"net/http"
	"testing"

	"github.com/cascadeql/cascadeql/example/internal/blog"
	"github.com/cascadeql/cascadeql/gqlcache/gqlcachetest"
)

// A closing handler ends its server after a history.
type closingHandler struct {
	http.Handler
	close func()
}

// Close implements io.Closer.
func (h closingHandler) Close() error {
	h.close()
	return nil
}

// TestCompare: with the cache the example answers what it answers without it.
func TestCompare(t *testing.T) {
	t.Parallel()
	w := newWorkload(11, oracleSize{users: 3, posts: 6, comments: 8}, 0)
	tenants := w.tenants[:2]
	rows := map[blog.Tenant]blog.Import{}
	for _, tenant := range tenants {
		rows[tenant.id] = w.rows(tenant)
	}
	server := func(s setup) func() http.Handler {
		return func() http.Handler {
			r, err := newRig(t.Context(), s)
			if err != nil {
				t.Fatal(err)
			}
			for tenant, in := range rows {
				if _, err := r.store.As(tenant).Import(t.Context(), in); err != nil {
					t.Fatal(err)
				}
			}
			return closingHandler{r.handler, r.close}
		}
	}
	mine := tenants[0]
	pick := func(r *rand.Rand, ids []string) string { return ids[r.IntN(min(3, len(ids)))] }
	draws := map[string]func(r *rand.Rand) map[string]any{
		"feed":        func(*rand.Rand) map[string]any { return map[string]any{"at": 0} },
		"post":        func(r *rand.Rand) map[string]any { return map[string]any{"id": pick(r, mine.posts)} },
		"posts":       func(r *rand.Rand) map[string]any { return map[string]any{"by": pick(r, mine.users), "at": 0} },
		"stats":       func(r *rand.Rand) map[string]any { return map[string]any{"id": pick(r, mine.users)} },
		"leaderboard": nil,
		"updatePost": func(r *rand.Rand) map[string]any {
			return map[string]any{"id": pick(r, mine.posts), "in": map[string]any{"title": pick(r, words)}}
		},
		"publishPost":   func(r *rand.Rand) map[string]any { return map[string]any{"id": pick(r, mine.draft)} },
		"deleteComment": func(r *rand.Rand) map[string]any { return map[string]any{"id": pick(r, mine.comments)} },
		"setPostsStatus": func(r *rand.Rand) map[string]any {
			return map[string]any{"ids": []string{pick(r, mine.posts)}, "is": []blog.Status{blog.Draft, blog.Archived}[r.IntN(2)]}
		},
	}
	c := gqlcachetest.Comparison{
		Plain: server(setup{uncached: true}), Cached: server(setup{}),
		Histories: 5,
	}
	for _, name := range []string{"feed", "post", "posts", "stats", "leaderboard", "updatePost", "publishPost", "deleteComment", "setPostsStatus"} {
		c.Operations = append(c.Operations, gqlcachetest.Operation{Query: oracleDocuments[name], Draw: draws[name]})
	}
	for _, tenant := range tenants {
		c.Callers = append(c.Callers, http.Header{tenantHeader: {string(tenant.id)}})
	}
	if rep := c.Run(t); len(rep.Unstable) > 0 || rep.Requests < 1000 {
		t.Errorf("%d requests, not compared %v", rep.Requests, rep.Unstable)
	}
}
