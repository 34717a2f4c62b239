package gqlcache

import (
	"context"
	"maps"
	"time"

	"github.com/99designs/gqlgen/graphql"
)

// Headers between clients and instances.
const (
	// TokenHeader is the request header with which a client asks for answers that show a change it has
	// seen acknowledged: extensions.cache.token of that mutation. It is a response header of a mutation
	// held until its commit, with the token. See Options.Tokens.
	TokenHeader = "X-Gqlcache-Token"
	// ConsistencyHeader is the response header of a mutation held until its commit, see
	// Cache.HoldUntilCommit, with the value of extensions.cache.consistency.
	ConsistencyHeader = "X-Gqlcache-Consistency"

	// consistencyBounded: other instances may serve what was before the change, until their leases end.
	consistencyBounded = "bounded"
	// consistencyPending: the log has not taken the change; other instances do not know of it until it has.
	consistencyPending = "pending"
)

// leaseWait is how long a mutation waits for a lease before it is refused.
const leaseWait = 3 * time.Second

// mayWrite says whether a mutation may run: see Options.RequireLease. One that is to be announced waits for the
// log in the same way: it could not be while the server is out of reach.
func (c *Cache) mayWrite(ctx context.Context) bool {
	if !c.opts.RequireLease && !c.opts.Intent || c.shadow != nil || c.fresh() {
		return true
	}
	if c.isClosed() {
		return false // no lease comes any more
	}
	ctx, cancel := context.WithTimeout(ctx, leaseWait)
	defer cancel()
	poll := time.NewTicker(10 * time.Millisecond)
	defer poll.Stop()
	for {
		select {
		case <-ctx.Done():
			return false
		case <-c.closed:
			return false
		case <-poll.C:
			if c.fresh() {
				return true
			}
		}
	}
}

// mutationExtension is what extensions.cache says of a mutation to every client.
type mutationExtension struct {
	Consistency string `json:"consistency,omitempty"`
	Token       string `json:"token,omitempty"`
}

// confess tells the client when other instances may not know of the change, and the token that its
// next requests may show.
func (c *Cache) confess(resp *graphql.Response, s settled) {
	x := c.confession(s.announced)
	if x == (mutationExtension{}) {
		return
	}
	ext := maps.Clone(resp.Extensions)
	if ext == nil {
		ext = map[string]any{}
	}
	ext["cache"] = x
	resp.Extensions = ext
}

func (c *Cache) confession(a announced) (x mutationExtension) {
	if !a.shared {
		return x
	}
	switch {
	case a.err != nil:
		x.Consistency = consistencyPending
	case !a.receipt.Confirmed:
		x.Consistency = consistencyBounded
	}
	if at := a.receipt.Position(); c.opts.Tokens && a.err == nil && at.Epoch != 0 {
		x.Token = at.String()
	}
	return x
}
