// Package witness sees, during a computation, what its answer does not show: errors of
// which the server's presenter makes nothing, panics of which its recover function does,
// and contexts that end. An answer with one of these must not be stored: it lacks what
// failed, and looks like one that does not.
//
// It changes nothing. The server's own functions present the errors, with the response
// context and in the order that they would have without the cache.
//
// It may import internal/safe of this module. It knows gqlgen, because it looks at how
// gqlgen executes. It has no locks.
//
// # Traps
//
//   - A presenter, a recover function or an interceptor may make nothing of an error.
//     AddError leaves no trace then, but that it looks for the response context.
//   - A resolver that ignores rows.Err() returns a part of its rows when its context
//     ends. So may the context end of a field only: interceptors and directives give
//     resolvers contexts of their own.
//   - What a middleware has left behind may read OperationContext.ResolverMiddleware:
//     Watch is for good.
package witness
