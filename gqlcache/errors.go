package gqlcache

import "errors"

// Errors that callers may tell apart.
var (
	// ErrOptions is wrapped by the errors of New and InvalidateHandler.
	ErrOptions = errors.New("gqlcache: options")
	// ErrClosed is returned after Close.
	ErrClosed = errors.New("gqlcache: closed")
	// ErrNoOperation is returned by functions that belong inside a resolver when they are
	// called elsewhere, or on a server without the cache.
	ErrNoOperation = errors.New("gqlcache: not inside an operation of a server with the cache")
	// ErrUnknownName is wrapped when a type, view or column is not in the schema.
	ErrUnknownName = errors.New("gqlcache: unknown name")
	// ErrNoSchema is returned before the cache was added to a server.
	ErrNoSchema = errors.New("gqlcache: no schema yet: add the cache to a server or set Options.Schema")
	// ErrNoLease is the error in the answer to a mutation that Options.RequireLease has
	// refused, or that could not be announced as Options.Intent demands. The server's
	// error presenter gets it like those of resolvers.
	ErrNoLease = errors.New("the server is cut off from its peers: nothing was changed, try again")
)
