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
	// ErrNotCached is the error in the answer to a query that is not stored, and whose
	// policy is CacheOnly.
	ErrNotCached = errors.New("no answer is stored, and the request wants none to be computed")
	// ErrMiss says that no value is kept under a key, or none that is still true.
	ErrMiss = errors.New("gqlcache: no value is kept under this key")
	// ErrAbsent is what a function of Compute returns, or wraps, to say that there is no
	// value: that is kept like a value. Compute and Get return it where that is kept.
	ErrAbsent = errors.New("gqlcache: there is no value")
	// ErrKey is wrapped when a key is of no use, or options of a call: the error says why.
	ErrKey = errors.New("gqlcache: invalid key")
	// ErrTenant is wrapped when a key has not the caller's tenant, or none where one is
	// needed.
	ErrTenant = errors.New("gqlcache: tenant")
	// ErrCallers is wrapped when a value belongs to no request, and nobody has said who
	// shares it.
	ErrCallers = errors.New("gqlcache: not within a request, and neither ForAll nor a tenant says who shares the value")
	// ErrCodec is wrapped when values of a type are not what they were once they are
	// encoded and decoded.
	ErrCodec = errors.New("gqlcache: the value does not survive being encoded")
	// ErrOutdated says that a change has come since a value's token, so that the value was
	// not kept.
	ErrOutdated = errors.New("gqlcache: the value may be older than a change that is known")
	// ErrWriting says that nothing is kept or removed within a mutation, or a request with
	// uncommitted changes.
	ErrWriting = errors.New("gqlcache: within a mutation, or a transaction that has written")
)
