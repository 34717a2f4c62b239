package gqlcache_test

import (
	"context"
	"iter"
	"sync"
	"time"

	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/store"
)

// sharedEntries are what several caches share: entries as bytes, as a store outside of
// the process holds them.
type sharedEntries struct {
	mu      sync.Mutex // protects all below
	entries map[string]sharedEntry
}

type sharedEntry struct {
	body, meta []byte
	expires    time.Time
	version    uint64
}

func newSharedEntries() *sharedEntries { return &sharedEntries{entries: map[string]sharedEntry{}} }

func (a *sharedEntries) len() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.entries)
}

// edit changes all entries.
func (a *sharedEntries) edit(f func(*sharedEntry)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for k, e := range a.entries {
		f(&e)
		a.entries[k] = e
	}
}

// A fakeShared is one cache's shared store, which holds the shared entries.
type fakeShared struct {
	*sharedEntries
	// found is called when Get has read an entry, before it returns it; fail fails calls.
	found func()
	fail  error
	// put is called before Put writes an entry.
	put   func()
	onEnd func()
}

// Get implements store.Store.
func (h *fakeShared) Get(_ context.Context, key []byte) (*store.Entry, error) {
	if h.fail != nil {
		return nil, h.fail
	}
	h.mu.Lock()
	e, ok := h.entries[string(key)]
	h.mu.Unlock()
	if !ok {
		return nil, store.ErrMiss
	}
	meta, err := gqlcache.DecodeMeta(e.meta)
	if err != nil {
		return nil, store.ErrMiss
	}
	if h.found != nil {
		h.found()
	}
	return &store.Entry{Body: e.body, Expires: e.expires, Version: e.version, Meta: meta}, nil
}

// Put implements store.Store.
func (h *fakeShared) Put(_ context.Context, key []byte, e *store.Entry) error {
	if h.fail != nil {
		return h.fail
	}
	meta, err := e.Meta.AppendBinary(nil)
	if err != nil {
		return err
	}
	if h.put != nil {
		h.put()
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.entries[string(key)] = sharedEntry{body: e.Body, meta: meta, expires: e.Expires, version: e.Version}
	return nil
}

// Delete implements store.Store.
func (h *fakeShared) Delete(_ context.Context, key []byte) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.entries, string(key))
	return nil
}

// DeleteEntry implements store.Store.
func (h *fakeShared) DeleteEntry(ctx context.Context, key []byte, _ *store.Entry) error {
	return h.Delete(ctx, key)
}

// All implements store.Store.
func (h *fakeShared) All(context.Context) iter.Seq2[[]byte, *store.Entry] {
	return func(func([]byte, *store.Entry) bool) {}
}

// Clear implements store.Store.
func (h *fakeShared) Clear(context.Context) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	clear(h.entries)
	return nil
}

// Stats implements store.Store.
func (h *fakeShared) Stats() store.Stats { return store.Stats{} }

// Close implements store.Store.
func (h *fakeShared) Close() error {
	if h.onEnd != nil {
		h.onEnd()
	}
	return nil
}
