package gqlcache

import (
	"context"
	"errors"
)

// errUnmade is what the methods of a cache say that is nil, or the zero Cache.
var errUnmade = errors.New("gqlcache: this Cache was not made by New")

// unmade reports whether a cache is of no use, because New has not made it.
func (c *Cache) unmade() bool { return c == nil || c.closed == nil }

// mustBeMade panics where a server is put together, and there is no error to return.
func (c *Cache) mustBeMade() {
	if c.unmade() {
		panic(errUnmade)
	}
}

// orBackground returns the context, or one that never ends in place of none.
func orBackground(ctx context.Context) context.Context {
	if ctx == nil {
		return context.Background()
	}
	return ctx
}
