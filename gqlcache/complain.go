package gqlcache

import (
	"log/slog"
	"sync"
)

// complaints logs each kind of trouble once: a cache that logs per request hides what it says.
type complaints struct {
	log  *slog.Logger
	seen sync.Map
}

func (c *complaints) once(kind, msg string, err error) {
	if _, loaded := c.seen.LoadOrStore(kind, true); !loaded {
		c.log.Warn(msg, "error", err, "further", "counted, not logged")
	}
}

// orphan hears of a panic in resolvers whose request is gone. The key names the caller's predicate and
// variables: it is not logged.
func (c *Cache) orphan(_ string, value any, stack []byte) {
	c.opts.Logger.Error("gqlcache: resolvers panicked after their request had ended", "panic", value, "stack", string(stack))
}
