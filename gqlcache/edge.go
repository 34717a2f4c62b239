package gqlcache

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/cascadeql/cascadeql/cascade"
	"github.com/cascadeql/cascadeql/gqlcache/internal/edge"
	"github.com/cascadeql/cascadeql/gqlcache/internal/fleet"
	"github.com/cascadeql/cascadeql/gqlcache/internal/safe"
	"github.com/cascadeql/cascadeql/gqlcache/internal/wire"
)

// Edge gives answers to GET of which everything is PUBLIC the keys by which an HTTP cache
// in front of the server, a CDN say, purges them, and purges what a change may reach. It
// is of use where HTTP.CacheControl lets that cache answer without asking. The zero value
// does nothing.
//
// A key is a keyed hash. A change may purge more than it drops here: which columns an
// answer shows is not looked at, and an answer that depends on more than fits into its
// header, or on a partitioned view, is purged by each change of its views.
type Edge struct {
	// Secret is the key of the hashes, at least 16 random bytes, the same in all
	// instances. Without it anybody could compute the key of a row that he guesses. A new
	// one leaves what is kept under the old keys: purge everything.
	Secret []byte
	// Trusted says whether a request comes from a cache that may see the keys, and
	// removes them from what it sends on. Others get no keys. It may be called
	// concurrently. When it panics, there are none.
	Trusted func(r *http.Request) bool
	// Header is the header that has the keys: Surrogate-Key, Cache-Tag, xkey. Defaults to
	// none.
	Header string
	// Delimiter is between two keys: a space for Surrogate-Key, a comma for Cache-Tag.
	// Defaults to a space.
	Delimiter string
	// MaxBytes bounds the value of the header. An answer has 32 keys of 22 characters, or
	// as many as fit, at least 2. Defaults to no other bound.
	MaxBytes int
	// Groups has the keys also in Cache-Groups (RFC 9875), and those of a change in
	// Cache-Group-Invalidation of its mutation's response. That reaches only caches that
	// the response passes through, so it takes the place of no purge. Defaults to false.
	Groups bool
	// Purge removes what is kept with one of some keys, at most 100. The cache calls it
	// on goroutines of its own, twice for each change that this instance makes: when the
	// change is applied, in all instances as their level says, and again after InFlight.
	// It calls it again after each failure. Purge should return when its context ends,
	// after 10 seconds at most. It may be called concurrently. Defaults to none.
	Purge func(ctx context.Context, keys []string) error
	// InFlight is how long an answer may be on its way to the cache in front: the second
	// purge removes what has arrived after the first. With a Log that acknowledges before
	// all instances have applied a change, Bounded or Eventual, they may give older
	// answers for as long as their leases: then it is that much longer. Defaults to 10
	// seconds.
	InFlight time.Duration
	// WaitForPurge has a mutation, and Invalidate, wait for the first purge, whether it
	// fails or not: some 20 seconds at most. An answer that was on its way meanwhile may
	// still be kept until the second one. Defaults to false.
	WaitForPurge bool
}

const (
	cacheGroups     = "Cache-Groups"
	groupsOfChanges = "Cache-Group-Invalidation"
)

// names says whether answers have keys.
func (o *Edge) names() bool { return o.Header != "" || o.Groups }

// most returns how many keys an answer has.
func (o *Edge) most() int {
	if o.MaxBytes == 0 {
		return edge.MaxNames
	}
	return min(edge.MaxNames, (o.MaxBytes+len(o.Delimiter))/(edge.NameSize+len(o.Delimiter)))
}

// validate reports every fault of options that have their defaults.
func (o *Edge) validate(fault func(string, ...any)) {
	if o.names() && len(o.Secret) < edge.MinSecret {
		fault("HTTP.Edge.Secret has %d bytes; use at least %d random ones, the same in all instances", len(o.Secret), edge.MinSecret)
	}
	if o.names() && o.Trusted == nil {
		fault("HTTP.Edge.Trusted is not set, so no answer would have keys; return whether a request comes from your cache, and not from a client")
	}
	if o.Header != "" && !wire.IsToken(o.Header) {
		fault("HTTP.Edge.Header is %q; it must be the name of a header, such as Surrogate-Key", o.Header)
	}
	if strings.ContainsFunc(o.Delimiter, func(r rune) bool { return r < ' ' || r > '~' }) {
		fault("HTTP.Edge.Delimiter is %q; it must be printable ASCII, such as a space or a comma", o.Delimiter)
	}
	if o.MaxBytes < 0 || o.most() < edge.MinNames {
		fault("HTTP.Edge.MaxBytes is %d; it must be 0, for no bound, or enough for %d keys of %d characters", o.MaxBytes, edge.MinNames, edge.NameSize)
	}
	if o.Purge != nil && !o.names() {
		fault("HTTP.Edge.Purge is set, and neither HTTP.Edge.Header nor HTTP.Edge.Groups, so no answer would have a key to purge it by")
	}
	if o.InFlight < 0 {
		fault("HTTP.Edge.InFlight is %v; it must be positive", o.InFlight)
	}
}

// front is what the cache does for caches in front of it.
type front struct {
	names  edge.Names
	most   int
	header string
	purger *edge.Purger // nil when nothing is purged
	// foreign is how many records of instances with another schema were heard.
	foreign atomic.Uint64
}

// purges says whether changes are purged. It may be called on nil.
func (f *front) purges() bool { return f != nil && f.purger != nil }

// newFront returns nil when there is nothing to do.
func (c *Cache) newFront() *front {
	o := &c.opts.HTTP.Edge
	if !o.names() || c.opts.Shadow {
		return nil
	}
	f := &front{names: edge.Names{Secret: slices.Clone(o.Secret)}, most: o.most(), header: http.CanonicalHeaderKey(o.Header)}
	if o.Purge != nil {
		f.purger = edge.NewPurger(edge.PurgerConfig{
			Purge: o.Purge, Everything: f.names.Everything(), InFlight: o.InFlight, Ended: c.purgeEnded,
			Pending: func() bool {
				s := c.fleet.LogStats()
				return s != nil && s.Pending > 0
			},
		})
	}
	return f
}

// purgeEnded counts a call of Edge.Purge.
func (c *Cache) purgeEnded(err error) {
	c.counts.purges.Add(1)
	if err != nil {
		c.counts.purgeErrors.Add(1)
		c.once.Warn("purge", "gqlcache: Options.HTTP.Edge.Purge failed: it is called again, and caches in front may have what was changed until then", err)
	}
}

// edgeSchema returns what the tags of a plan mean for caches in front.
func edgeSchema(plan *cascade.Plan, queryFields []string) *edge.Schema {
	whole := func(v *cascade.View) map[uint64]bool {
		hashes := map[uint64]bool{}
		for _, t := range plan.Publish(nil, cascade.WholeViews([]*cascade.View{v}), cascade.Partition{}) {
			hashes[t.Hash] = true
		}
		delete(hashes, cascade.Anything.Hash)
		return hashes
	}
	var views []edge.View
	for _, v := range plan.Views() {
		own := whole(v)
		for _, derived := range v.Dependents() {
			for h := range whole(derived) {
				delete(own, h)
			}
		}
		view := edge.View{Name: v.NameHash(), Reached: v.ReachedTag(), Partitioned: v.Partitioned}
		for h := range own {
			view.Whole = append(view.Whole, h)
		}
		views = append(views, view)
	}
	beside := []cascade.Tag{cascade.Anything}
	for _, name := range queryFields {
		beside = append(beside, cascade.RootField(name))
	}
	return edge.NewSchema(views, beside, cascade.Unnamed)
}

// edgeFields returns the header fields with the keys of an answer, nil when it has none.
func (c *Cache) edgeFields(d *document, public bool, key string, tags []cascade.Tag) []field {
	if c.front == nil || !public || !c.sends() {
		return nil
	}
	keys := c.front.names.Answer(c.schema.Load().edge, tags, d.Tag.Hash, key, c.front.most)
	var fields []field
	if c.front.header != "" {
		fields = append(fields, field{c.front.header, []string{strings.Join(keys, c.opts.HTTP.Edge.Delimiter)}})
	}
	if c.opts.HTTP.Edge.Groups {
		fields = append(fields, field{cacheGroups, groups(keys)})
	}
	return fields
}

// groups returns keys as RFC 9875's list of strings.
func groups(keys []string) []string { return []string{`"` + strings.Join(keys, `", "`) + `"`} }

// fieldsSize is the memory of header fields.
func fieldsSize(fields []field) (size int) {
	for _, f := range fields {
		size += 64 + len(f.values[0])
	}
	return size
}

// addKeys adds the keys of an answer to its header, if whoever asks may see them.
func (c *Cache) addKeys(h http.Header, r *http.Request, s *stamp) {
	if s.edge != nil && len(h["Set-Cookie"]) == 0 && c.trusts(r) {
		addFields(h, s.edge)
	}
}

// trusts says whether a request comes from a cache that may see keys.
func (c *Cache) trusts(r *http.Request) bool {
	trusted, err := safe.Call(func() (bool, error) { return c.opts.HTTP.Edge.Trusted(r), nil })
	if err != nil {
		c.once.Warn("trusted", "gqlcache: Options.HTTP.Edge.Trusted failed, so an answer has no keys", err)
	}
	return trusted && err == nil
}

// makeKnown applies a change here and in the other instances, and then purges it from the
// caches in front: one that asked before would get, from an instance that has not applied
// it, what it has just purged.
func (c *Cache) makeKnown(ctx context.Context, a *fleet.Announcement, ch fleet.Change) fleet.Publication {
	p := c.fleet.Publish(ctx, a, ch)
	if !c.front.purges() {
		return p
	}
	purged := c.front.purger.Add(c.changeKeys(ch, edge.MaxChange))
	if c.opts.HTTP.Edge.WaitForPurge {
		select {
		case <-purged:
		case <-ctx.Done():
		}
	}
	return p
}

// purgeForeign purges everything when a record of an instance with another schema was
// heard: its names are not those that answers of this one have.
func (c *Cache) purgeForeign() {
	if !c.front.purges() {
		return
	}
	if n := c.fleet.Counts.Foreign.Load(); c.front.foreign.Swap(n) != n {
		c.front.purger.Add([]string{c.front.names.Everything()})
	}
}

// changedGroups returns the groups that the response to a mutation names when its changes
// are made known, nil for none.
func (c *Cache) changedGroups(b *batch) []string {
	if c.front == nil || !c.opts.HTTP.Edge.Groups || b.IsEmpty() {
		return nil
	}
	return groups(c.changeKeys(b.Change, edge.MaxNames))
}

// addChangedGroups adds them to a header, if whoever asks may see keys.
func (c *Cache) addChangedGroups(h http.Header, r *http.Request, changed []string) {
	if changed != nil && r.Method == http.MethodPost && c.trusts(r) {
		h[groupsOfChanges] = changed
	}
}

// changeKeys returns the keys of a change, so many at most. No key stands for rows of
// tables, names that match a pattern, or a tenant: a change of these names everything.
func (c *Cache) changeKeys(ch fleet.Change, most int) []string {
	var s *edge.Schema
	if st := c.schema.Load(); st != nil {
		s = st.edge
	}
	return c.front.names.Change(s, ch.Tags, ch.All || len(ch.Rows)+len(ch.Texts) > 0, most)
}
