package engine

import (
	"context"

	"github.com/cascadeql/cascadeql/cascade/tag"
	"github.com/cascadeql/cascadeql/gqlcache/internal/clock"
	"github.com/cascadeql/cascadeql/gqlcache/internal/safe"
	"github.com/cascadeql/cascadeql/gqlcache/store"
)

// Finish is Finish of the clock: it returns the stamp of an answer that was begun with token and depends on tags, and
// false when a change has reached one of them since. The tags are kept and reordered. They count as come in, whatever
// becomes of the answer: it may be refused after some of them have got their cells, or not be stored.
func (e *Engine) Finish(token clock.Token, tags []tag.Tag) (*clock.Stamp, bool) {
	n := len(tags)
	st, ok := e.config.Clock.Finish(token, tags)
	e.pressure.add(n * clock.CellSize)
	return st, ok
}

// Put stores an entry that Entry has made, and reports whether the store took it. It blocks as the store's Put does.
func (e *Engine) Put(ctx context.Context, key string, entry *store.Entry) bool {
	size := entry.Size
	if s := e.own(entry); s != nil {
		size -= s.Len() * clock.CellSize // which Finish has counted
	}
	defer e.pressure.add(size)
	err := safe.Do(func() error { return e.config.Store.Put(ctx, []byte(key), entry) })
	if err != nil {
		e.failed("put", err)
	}
	return err == nil
}

// Remove removes an entry, and reports whether the store did. A failure leaves a dead entry to the next sweep: it is
// never served.
func (e *Engine) Remove(ctx context.Context, key []byte, entry *store.Entry) bool {
	err := safe.Do(func() error { return e.config.Store.DeleteEntry(ctx, key, entry) })
	if err != nil {
		e.failed("delete", err)
	}
	return err == nil
}

// Clear empties the store. The error is the store's.
func (e *Engine) Clear(ctx context.Context) error {
	err := safe.Do(func() error { return e.config.Store.Clear(ctx) })
	if err != nil {
		e.errors.Add(1)
	}
	return err
}

func (e *Engine) failed(call string, err error) {
	e.errors.Add(1)
	if e.config.Failed != nil {
		e.config.Failed(call, err)
	}
}
