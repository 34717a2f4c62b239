package footprint

import (
	"context"

	"github.com/cascadeql/cascadeql/cascade/tag"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/catalog"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/observe"
)

// An Early collects what is read for a request before its computations begin. It is for
// caches.
type Early = observe.Early

// EarlyKey is the key under which a context has an *Early.
var EarlyKey = observe.EarlyKey

// AnyRow is a tag for answers that depend on anything: caches publish it with each commit
// that a handle has seen.
var AnyRow = tag.Tag{Hash: 0x8c54_01f2_9d3e_6b77, Mask: catalog.All}

// Explain tells the recording of a context that fields which are being resolved return
// what was kept: the cache has added what that depends on.
func Explain(ctx context.Context) { observe.Explain(ctx) }

// Words returns the words of a commit's events, for Reach in this process and in others.
// It returns false when everything may have changed.
func Words(c Commit) ([]tag.Tag, bool) {
	if c.Everything != "" {
		return nil, false
	}
	return c.Observer.AppendEvents(nil, c.Events)
}

// Reach adds to tags those that words have for reads through some observers, now. It
// returns false when they may reach everything. It must be called after the commit.
func Reach(tags, words []tag.Tag, observers ...*Observer) ([]tag.Tag, bool) {
	tags, ok := observe.Reach(tags, words, observers...)
	return append(tags, AnyRow), ok
}
