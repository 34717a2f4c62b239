package gqlcache

import (
	"log/slog"
	"sync"
	"time"

	"github.com/cascadeql/cascadeql/gqlcache/internal/safe"
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

// clock wraps Options.Now, which is asked on requests' goroutines and on some of the cache's own, where a panic
// would end the process.
func (c *complaints) clock(now func() time.Time) func() time.Time {
	return safe.Clock(now, func(err error) {
		c.once("now", "gqlcache: Options.Now failed, so the system's clock counts", err)
	})
}
