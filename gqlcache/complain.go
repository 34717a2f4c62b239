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
