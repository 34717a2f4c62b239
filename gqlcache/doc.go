// Package gqlcache caches resolved GraphQL queries of a gqlgen server and drops, after
// each mutation, the answers that it changed.
//
//	cache, err := gqlcache.New(gqlcache.Options{Predicate: predicateOf})
//	if err != nil {
//		log.Fatal(err)
//	}
//	defer cache.Close()
//	srv.Use(cache) // after all other extensions
//
// What queries read and mutations write is declared by directives in the schema: see
// package cascade. A schema without any is served correctly, with every mutation dropping
// every answer; each annotation lets answers stay that the mutation did not change.
//
// Values that a program computes by itself, in resolvers, other handlers and jobs, are kept
// beside the answers with [Compute], and dropped by the same changes.
//
// # Promises
//
// In this order; where two collide, the earlier wins:
//
//  1. No leak. Answers are shared only by requests with equal operation, variables,
//     predicate, schema and Vary parts. A request whose predicate is unknown bypasses the
//     cache, and so does one that selects a field with a run-time directive that
//     Options.DirectivesCovered does not name.
//  2. No stale read. Once a client has a mutation's response, no request of this process
//     that starts later gets an answer computed before it: not a stored one, not one in
//     the making.
//  3. The cache never breaks the API. Responses are the bytes that the server would send
//     without it; what goes wrong in the cache is a miss, a counter and one line in the
//     log.
//  4. It keeps what it may keep.
//  5. A hit costs almost nothing.
//
// # What it relies on
//
// Mutations commit before their resolver returns; where a middleware commits after gqlgen
// has answered, wrap it with [Cache.HoldUntilCommit]. Resolvers read the primary, not a
// lagging replica. What an answer, or a permission check, depends on beside arguments and
// rows is in the predicate or in Options.Vary: on a hit no resolver, directive or
// interceptor of fields runs. What is written by others, outside of this server's
// mutations, is told with [Cache.Invalidate] or [Cache.InvalidateHandler], or expires
// with Options.TTL. Other extensions replace Response.Data if they change it, and do not
// write into its bytes.
package gqlcache
