package gqlcache

import (
	"context"
	"errors"
	"strings"

	"github.com/cascadeql/cascadeql/gqlcache/internal/safe"
	"github.com/cascadeql/cascadeql/gqlcache/store"
)

// Whatever a store does, a panic included, is a miss and a counter to the requests that meet it.

// get returns the entry of a key, or nil.
func (c *Cache) get(ctx context.Context, key []byte) (e *store.Entry, failed bool) {
	e, err := safe.Call(func() (*store.Entry, error) { return c.store.Get(ctx, key) })
	if err == nil {
		return e, false
	}
	if !errors.Is(err, store.ErrMiss) {
		c.storeFailed("get", err)
		return nil, true
	}
	return nil, false
}

// storePut tells whether the store took an entry.
func (c *Cache) storePut(ctx context.Context, key string, e *store.Entry) bool {
	defer c.cameIn(e)
	err := safe.Do(func() error { return c.store.Put(ctx, []byte(key), e) })
	if err != nil {
		c.storeFailed("put", err)
	}
	return err == nil
}

// remove removes a dead entry. A failure leaves it to the next sweep: it is never served.
func (c *Cache) remove(ctx context.Context, key []byte, e *store.Entry) bool {
	err := safe.Do(func() error { return c.store.DeleteEntry(ctx, key, e) })
	if err != nil {
		c.storeFailed("delete", err)
	}
	return err == nil
}

// sharedCall begins the names of calls to Options.Shared.
const sharedCall = "shared "

func (c *Cache) storeFailed(call string, err error) {
	if strings.HasPrefix(call, sharedCall) {
		c.counts.sharedErrors.Add(1)
	} else {
		c.counts.storeErrors.Add(1)
	}
	c.once.Warn(call, "gqlcache: the store failed: "+call, err)
}
