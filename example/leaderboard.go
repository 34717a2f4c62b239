package main

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"

	"github.com/99designs/gqlgen/graphql"

	"github.com/cascadeql/cascadeql/example/internal/blog"
	"github.com/cascadeql/cascadeql/gqlcache"
)

// A leaderboards serves the table of authors to programs that do not speak GraphQL. It is an
// aggregate of a tenant's posts and comments, and is kept as a value: mutations drop it as
// they drop the answers of the field leaderboard.
type leaderboards struct {
	store *blog.Store
	cache *gqlcache.Cache // nil for none
	opts  []gqlcache.ComputeOption
}

// newLeaderboards returns the handler. Without directives the SQL statements tell what the
// table depends on, and nothing is declared.
func newLeaderboards(schema graphql.ExecutableSchema, store *blog.Store, cache *gqlcache.Cache) *leaderboards {
	l := &leaderboards{store: store, cache: cache}
	if schema.Schema().Types["AuthorStats"].Directives.ForName("view") != nil {
		l.opts = append(l.opts, gqlcache.Reads(gqlcache.View("AuthorStats")))
	}
	return l
}

const maxLeaders = 1000

// ServeHTTP implements http.Handler.
func (l *leaderboards) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	limit := 10
	if s := r.URL.Query().Get("limit"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil || n < 0 || n > maxLeaders {
			http.Error(w, "limit is a number from 0 to 1000", http.StatusBadRequest)
			return
		}
		limit = n
	}
	rows, err := l.leaders(r.Context(), limit)
	if errors.Is(err, context.Canceled) {
		return // nobody waits for it
	}
	if err != nil {
		http.Error(w, "the table could not be computed", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "private, no-store")
	_ = json.NewEncoder(w).Encode(rows) // the client may have left
}

// leaders returns the first rows of the caller's tenant. The tenant of the key is the
// caller's own, so a hit shows no other one's rows. The administrator has none: what he sees
// is of all tenants, and is computed each time.
func (l *leaderboards) leaders(ctx context.Context, limit int) ([]blog.AuthorStats, error) {
	compute := func(ctx context.Context) ([]blog.AuthorStats, error) {
		rows, err := l.store.As(blog.TenantOf(ctx)).Leaderboard(ctx, limit)
		if rows == nil && err == nil {
			rows = []blog.AuthorStats{} // JSON has a list then
		}
		return rows, err
	}
	tenant := partitionOf(ctx)
	if l.cache == nil || tenant == "" {
		return compute(ctx)
	}
	key := gqlcache.KeyOf("leaderboard").Tenant(tenant).Arg("limit", limit)
	return gqlcache.Compute(ctx, l.cache, key, compute, l.opts...)
}
