package gqlcache

import (
	"maps"
	"net/http"

	"github.com/99designs/gqlgen/graphql"
	"github.com/cascadeql/cascadeql/gqlcache/internal/fleet"
)

// Headers between clients and instances.
const (
	// TokenHeader is the request header with which a client asks for answers that show a
	// change it has seen acknowledged: extensions.cache.token of that mutation. It is a
	// response header of a mutation held until its commit, and of
	// Cache.InvalidateHandler, with the token. See Options.Tokens.
	TokenHeader = "X-Gqlcache-Token"
	// ConsistencyHeader is the response header of a mutation held until its commit, see
	// Cache.HoldUntilCommit, with the value of extensions.cache.consistency, and of
	// Cache.InvalidateHandler.
	ConsistencyHeader = "X-Gqlcache-Consistency"

	// consistencyBounded: other instances may serve what was before the change, until
	// their leases end.
	consistencyBounded = "bounded"
	// consistencyPending: the log has not taken the change; other instances do not know
	// of it until it has.
	consistencyPending = "pending"
)

// mutationExtension is what extensions.cache says of a mutation to every client.
type mutationExtension struct {
	Consistency string `json:"consistency,omitempty"`
	Token       string `json:"token,omitempty"`
}

// setHeaders sets the headers that have the same values.
func (x mutationExtension) setHeaders(h http.Header) {
	if x.Consistency != "" {
		h.Set(ConsistencyHeader, x.Consistency)
	}
	if x.Token != "" {
		h.Set(TokenHeader, x.Token)
	}
}

// confess tells the client when other instances may not know of the change, and the token
// that its next requests may show.
func (c *Cache) confess(resp *graphql.Response, s settled) {
	x := c.confession(s.Publication)
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

func (c *Cache) confession(p fleet.Publication) (x mutationExtension) {
	if !p.Shared {
		return x
	}
	switch {
	case p.Err != nil:
		x.Consistency = consistencyPending
	case !p.Receipt.Confirmed:
		x.Consistency = consistencyBounded
	}
	if at := p.Receipt.Position(); c.opts.Tokens && p.Err == nil && at.Epoch != 0 {
		x.Token = at.String()
	}
	return x
}
