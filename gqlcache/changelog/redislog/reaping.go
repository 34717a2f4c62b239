package redislog

import (
	"sync"
	"time"

	"github.com/cascadeql/cascadeql/gqlcache/changelog"
)

// reaping is the reap that is due. One at a time is enough: each drops all who are gone
// by then.
type reaping struct {
	mu  sync.Mutex // protects all below
	at  time.Duration
	pos changelog.Position
}

// schedule asks for a reap, unless one is due earlier.
func (r *reaping) schedule(at time.Duration, p changelog.Position) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.at == 0 {
		r.at, r.pos = at, p
	}
}

func (r *reaping) due(t time.Duration) (changelog.Position, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.at == 0 || t < r.at {
		return changelog.Position{}, false
	}
	r.at = 0
	return r.pos, true
}
