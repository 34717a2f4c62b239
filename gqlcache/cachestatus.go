package gqlcache

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/cascadeql/cascadeql/gqlcache/internal/inspector"
	"github.com/cascadeql/cascadeql/gqlcache/internal/wire"
)

const cacheStatus = "Cache-Status"

// hitStatus returns the Cache-Status of a hit, nil when there is to be none.
func (o *HTTP) hitStatus() []string {
	if o.CacheStatus == "" {
		return nil
	}
	return []string{wire.Status{Cache: o.CacheStatus, Hit: true}.String()}
}

// addStatus adds the Cache-Status of an operation to the header of its response. The
// request is nil, or another cache's, when this cache was not asked.
func (c *Cache) addStatus(ctx context.Context, own *request, h http.Header) {
	if c.hitStatus == nil {
		return
	}
	if own == nil || own.cache != c {
		c.addStatusOf(ctx, h, []string{wire.Status{Cache: c.opts.HTTP.CacheStatus, Forward: wire.ForwardBypass}.String()})
		return
	}
	// What has not ended is still written to: an extension has answered without waiting
	// for it. Nothing has ended of what the inspector has answered, or what Shadow
	// watches.
	ended := own.mutates || own.out.given.Load() != nil
	if ended && !own.mutates && own.out.fate == inspector.Hit && !own.out.expired {
		c.addStatusOf(ctx, h, c.hitStatus)
		return
	}
	s := wire.Status{Forward: wire.ForwardBypass}
	if ended {
		s = own.status(c)
	}
	s.Cache = c.opts.HTTP.CacheStatus
	c.addStatusOf(ctx, h, []string{s.String()})
}

// addStatusOf adds a Cache-Status, unless the inspector says more.
func (c *Cache) addStatusOf(ctx context.Context, h http.Header, value []string) {
	switch {
	case value == nil || wire.ExchangeFrom(ctx).Reports():
	case len(h[cacheStatus]) == 0:
		h[cacheStatus] = value // its capacity is its length, so nobody appends to it
	default:
		h[cacheStatus] = append(slices.Clip(h[cacheStatus]), value...)
	}
}

// status says what became of an operation that is no hit of a fresh answer, once that is
// reported.
func (r *request) status(c *Cache) wire.Status {
	if r.mutates {
		return wire.Status{Forward: wire.ForwardMethod}
	}
	o := &r.out
	s := wire.Status{Forward: wire.ForwardBypass, Detail: string(o.why)}
	switch {
	case o.fate == inspector.Hit: // while another request computes
		return wire.Status{Hit: true, HasTTL: true, TTL: -r.old.stamp.ExpiredFor(c.opts.Now()).Round(time.Second)}
	case o.computes(), o.fate == inspector.Abandoned:
		s.Forward = wire.ForwardMiss
		switch {
		case r.anew != "" || r.renews:
			s.Forward = wire.ForwardRequest
		case r.old != nil && !r.old.early:
			s.Forward = wire.ForwardStale
		}
		s.Stored = o.fate == inspector.Computed && o.why == ""
		s.Collapsed = o.fate == inspector.Joined
	case o.why == ReasonInspector, o.why == ReasonNoStore:
		s.Forward = wire.ForwardRequest
	case o.why == ReasonNotCached:
		s.Forward = "" // nobody was asked
	}
	return s
}
