package main

import (
	"context"
	"database/sql/driver"

	"github.com/cascadeql/cascadeql/example/graph"
	"github.com/cascadeql/cascadeql/example/internal/blog"
	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/footprint"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/footprintsql"
)

// newCache returns the response cache, nil when the configuration turns it off. Without a
// cluster it is the only instance. watched is what sees the statements, nil for nothing.
func newCache(cfg config, shared *cluster, watched *footprint.Observer) (*gqlcache.Cache, error) {
	if !cfg.cache {
		return nil, nil
	}
	opts := cacheOptions()
	if watched != nil {
		observe(&opts, watched)
	}
	if shared != nil {
		opts.Log, opts.Shared, opts.RequireLease = shared.log, shared.store, true
	}
	return gqlcache.New(opts)
}

// observe lets the SQL statements tell what directives would.
func observe(opts *gqlcache.Options, watched *footprint.Observer) {
	opts.Schema = graph.WithoutDirectives(graph.NewExecutableSchema(graph.Config{})).Schema()
	opts.Observe = gqlcache.Observe{
		Handles: []*footprint.Observer{watched}, Everything: true,
		// posts returns a page of the arguments, whose fields read. total and search read
		// nothing for an author that is no id, and for an empty term: what they return then
		// follows from the arguments.
		Computed: []string{"Query.posts", "PostPage.total", "Query.search"},
	}
}

func cacheOptions() gqlcache.Options {
	return gqlcache.Options{
		Schema:    graph.NewExecutableSchema(graph.Config{}).Schema(), // so that faults are errors of New
		Predicate: predicateOf,
		Partition: partitionOf,
		// To be changed with what partitionOf returns.
		Instances: gqlcache.Instances{PartitionVersion: "1"},
		// They count, and wait: nothing that depends on who asks.
		FieldHooksCovered: true,
		// Who is at this machine may look, and drop answers: see markLocal.
		Inspector: gqlcache.Inspector{Allow: isLocal, Actions: isLocal},
		// Off without a Rate.
		Verify: gqlcache.VerifyOptions{Context: outlivingContext},
	}
}

// outlivingContext returns a context on which a hit may be recomputed when its request is
// over. The tenant is all that resolvers take from a request's.
func outlivingContext(ctx context.Context) (context.Context, error) {
	return blog.WithTenant(context.Background(), blog.TenantOf(ctx)), nil
}

// predicateOf returns the row level security condition that the resolvers of a request
// evaluate: all answers depend on it. A context without a tenant has none, and bypasses
// the cache.
func predicateOf(ctx context.Context) (gqlcache.Predicate, error) {
	tenant := blog.TenantOf(ctx)
	if tenant == "" {
		return gqlcache.Predicate{}, nil
	}
	return gqlcache.Predicate{Text: tenant.Predicate()}, nil
}

// partitionOf returns the tenant whose rows a request sees and changes. The administrator
// is outside of all: its changes reach every tenant.
func partitionOf(ctx context.Context) string {
	tenant := blog.TenantOf(ctx)
	if tenant == blog.Admin {
		return ""
	}
	return string(tenant)
}

// newObserver returns what sees the statements of a server without directives, nil for
// one with them.
func newObserver(cfg config) *footprint.Observer {
	if cfg.directives || !cfg.cache {
		return nil
	}
	opts := footprint.Options{Dialect: footprint.SQLite, SemiJoins: true}
	if blog.IsURL(cfg.database) {
		opts = footprint.Options{Dialect: footprint.PostgreSQL}
	}
	return footprint.New(opts)
}

// blogOptions open a database whose statements are watched, unless watched is nil.
func blogOptions(database string, watched *footprint.Observer) blog.Options {
	opts := blog.Options{Database: database}
	if watched != nil {
		opts.Wrap = func(c driver.Connector) driver.Connector { return footprintsql.Connector(c, watched) }
	}
	return opts
}
