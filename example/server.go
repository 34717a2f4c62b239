package main

import (
	"net/http"

	"github.com/99designs/gqlgen/graphql/playground"

	"github.com/cascadeql/cascadeql/example/internal/blog"
	"github.com/cascadeql/cascadeql/gqlcache"
)

// maxBody bounds a request's body; an import of 8 MB must get through.
const maxBody = 16 << 20

// newServer returns the whole server: GraphQL behind the tenant, the playground, and what measures it
// from outside. Without a cache, nil, every query goes to the database.
func newServer(store *blog.Store, cache *gqlcache.Cache) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/graphql", limitBody(requireTenant(markLocal(withInspector(newGraphQL(store, cache), cache)))))
	mux.Handle("GET /{$}", playground.Handler("cascadeql example", "/graphql",
		playground.WithGraphiqlUiHeaders(map[string]string{tenantHeader: demoTenants[0].id})))
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
