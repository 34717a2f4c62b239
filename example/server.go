package main

import (
	"net/http"

	"github.com/99designs/gqlgen/graphql"

	"github.com/cascadeql/cascadeql/example/internal/blog"
	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/panel"
)

// maxBody bounds a request's body; an import of 8 MB must get through.
const maxBody = 16 << 20

// firstQuery is what the playground opens with: the operations of the README.
const firstQuery = `query Feed {
  # Ctrl Enter runs the operation that the cursor is in. Run this one twice.
  feed(limit: 2) {
    title
    author {
      name
    }
  }
}

mutation Retitle {
  # Then this one, and Feed again. With a body instead of a title, Feed stays: it shows no body.
  updatePost(id: "a1111111-0000-4000-8000-000200000008", input: { title: "New" }) {
    title
  }
}
`

// newServer returns the whole server: GraphQL behind the tenant, the playground, and what
// measures it from outside. Without a cache, nil, every query goes to the database.
func newServer(store *blog.Store, cache *gqlcache.Cache) http.Handler {
	return newServerOver(schemaOver(store, config{directives: true}), store, cache)
}

// newServerOver is newServer for any schema that the resolvers fit.
func newServerOver(schema graphql.ExecutableSchema, store *blog.Store, cache *gqlcache.Cache) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/graphql", limitBody(requireTenant(markLocal(withInspector(newHandler(schema, store, cache), cache)))))
	mux.Handle("GET /{$}", panel.Handler("cascadeql example", "/graphql",
		panel.WithGraphiqlUiHeaders(map[string]string{tenantHeader: demoTenants[0].id}), panel.WithDefaultQuery(firstQuery)))
	mux.Handle("GET /leaderboard", requireTenant(withInspector(newLeaderboards(schema, store, cache), cache)))
	mux.Handle("GET /__stats", serveStats(store))
	mux.Handle("GET /debug/vars", serveVars(cache))
	mux.Handle("POST /__latency", setLatency(store))
	return mux
}

// withInspector lets the cache's inspector see HTTP.
func withInspector(next http.Handler, cache *gqlcache.Cache) http.Handler {
	if cache == nil {
		return next
	}
	return cache.Handler(next)
}

func limitBody(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		next.ServeHTTP(w, r)
	})
}
