package gqlcache

import (
	"context"
	"fmt"
)

// Health says how a cache is. Its fields are apart because a server whose cache cannot
// serve is slower, not broken. When Redis fails, it fails for all instances at once, and
// a readiness probe that fails with it takes all of them out of service.
type Health struct {
	// Serving says that the instance may get requests. It is false only of a cache that
	// is closed, or that New has not made. Redis, the log and the lease do not decide it.
	// A readiness probe asks for it.
	Serving bool `json:"serving"`
	// Cached says that queries may be answered from the cache now. While it is false,
	// each query is computed. It is for dashboards and alerts.
	Cached bool `json:"cached"`
	// Consistent says that this instance and the others learn of each other's changes.
	// While it is false, the others may show the state before changes of this instance.
	// This one serves nothing that could be stale. A cache without a log is consistent by
	// itself. It is for alerts.
	Consistent bool `json:"consistent"`
	// Why has a sentence for each reason why a field is false. It is empty when all are
	// true.
	Why []string `json:"why,omitempty"`
}

// Health says how the cache is now. It waits for nothing but short locks, asks nobody
// over the network, and does not look at the context. It may be called concurrently, and
// often. A readiness probe looks at Serving alone:
//
//	http.HandleFunc("/readyz", func(w http.ResponseWriter, r *http.Request) {
//		if !cache.Health(r.Context()).Serving {
//			w.WriteHeader(http.StatusServiceUnavailable)
//		}
//	})
//
// An instance without a lease answers queries from its resolvers. It may refuse
// mutations, see Options.RequireLease and Options.Intent: so do all others while Redis is
// away.
func (c *Cache) Health(_ context.Context) Health {
	if c.unmade() {
		return Health{Why: []string{"the cache was not made by New"}}
	}
	if c.isClosed() {
		return Health{Why: []string{"the cache is closed"}}
	}
	h := Health{Serving: true, Cached: true, Consistent: true}
	if c.schema.Load() == nil {
		h.Cached = false
		h.because("the cache has no schema yet: it was not added to a server")
	}
	if c.shadow != nil {
		h.Cached = false
		h.because("Options.Shadow answers no query from the cache")
	}
	if c.opts.Log == nil {
		return h
	}
	if !c.fresh() {
		h.Cached, h.Consistent = false, false
		h.because("this instance has no lease: it is cut off from the log, or has just started")
	}
	if n := c.fleet.LogStats().Pending; n > 0 {
		h.Consistent = false
		h.because(fmt.Sprintf("the log has not taken %d changes of this instance", n))
	}
	return h
}

func (h *Health) because(why string) { h.Why = append(h.Why, why) }
