package gqlcache

import (
	"context"
	"slices"

	"github.com/99designs/gqlgen/graphql"
	"github.com/cascadeql/cascadeql/cascade"
	"github.com/cascadeql/cascadeql/gqlcache/internal/engine"
	"github.com/cascadeql/cascadeql/gqlcache/internal/fleet"
	"github.com/cascadeql/cascadeql/gqlcache/store"
)

// DecodeMeta decodes what the cache attaches to entries of Options.Shared. Pass it to the
// store.
func DecodeMeta(b []byte) (store.Meta, error) { return fleet.DecodeMeta(b) }

// newFleet makes the cache's side of several instances. Call it when the engine is made.
func (c *Cache) newFleet() *fleet.Fleet {
	cfg := fleet.Config{
		Log: c.opts.Log, Shared: c.opts.Shared, FillLease: c.opts.FillLease, Build: c.opts.Build,
		OwnPartitions: c.opts.Partition != nil && c.opts.PartitionVersion == "",
		NeedsLease:    c.opts.RequireLease || c.opts.Intent, // an announcement needs the log, too
		Intents:       c.opts.Intent,
		Clock:         c.clock, Finish: c.engine.Finish, Once: c.once, Closed: c.closed, Heard: c.heard,
		Schema: func() *fleet.Schema { return c.schema.Load().records },
	}
	cfg.Texts = c.appendTexts
	if c.observing != nil {
		cfg.Rows = c.observing.reach
	}
	if c.opts.Shadow {
		cfg.Background = c.verify.Background
	}
	return fleet.New(cfg)
}

// heard reports a record that was applied here to the watch, and to caches in front.
func (c *Cache) heard(origin string, tags []cascade.Tag, everything string, number uint64) {
	c.inspector.Heard(origin, tags, everything, number)
	c.purgeForeign()
}

// fresh reports whether entries may be served at all. Ask it before an entry's validity:
// see changelog.Log.
func (c *Cache) fresh() bool { return c.fleet.Fresh() }

// valid reports whether an answer may be served now: whether there is a lease, and then
// whether no change has reached the answer.
func (c *Cache) valid(s *stamp) bool { return c.fresh() && c.engine.Valid(&s.Stamp) }

// catchUp makes sure that this instance has applied all that the caller has seen
// elsewhere, or that the answer is computed after now: then r.anew is set. Otherwise it
// returns ReasonToken, and the request bypasses the cache.
func (c *Cache) catchUp(ctx context.Context, r *request, token string) Reason {
	window, ok := c.fleet.CatchUp(ctx, token, r.hold != nil)
	if !ok {
		return ReasonToken
	}
	r.anew = window
	return ""
}

// fromShared returns an answer that another instance has stored, and that is true as far
// as is known here, or nil. A request whose answer must be computed anew gets none.
func (c *Cache) fromShared(ctx context.Context, r *request, d *document, public bool, key string) *filled {
	if r.anew != "" || r.renews {
		return nil
	}
	return c.adopt(ctx, r, d, public, key, c.fleet.TakeOver(ctx, key, fleet.Wanted{Younger: r.old.expires()}))
}

// lead decides which of all instances computes a key: see Options.FillLease and
// fleet.Lead. An operation that runs inside of a computation waits for nobody.
func (c *Cache) lead(ctx context.Context, r *request, d *document, public bool, key string) (f *filled, release func()) {
	if r.anew != "" || r.renews || r.old != nil && r.old.early || r.enclosed || r.outer != nil && r.within((*request).isComputing) {
		return nil, func() {}
	}
	t, release := c.fleet.Lead(ctx, key, fleet.Wanted{})
	return c.adopt(ctx, r, d, public, key, t), release
}

// promotes reports whether an answer, or a value, that was taken over is kept in this
// process: see Instances.PromoteEvery. One that replaces an expired entry is: that entry
// would send every request to the shared store.
func (c *Cache) promotes(replaces bool) bool {
	every := uint64(max(1, c.opts.PromoteEvery))
	return replaces || c.counts.adopted.Add(1)%every == 0
}

// adopt stores another instance's answer in the store of this one, and returns the
// answer. Without an answer it returns nil.
func (c *Cache) adopt(ctx context.Context, r *request, d *document, public bool, key string, t *fleet.Taken) *filled {
	if t == nil {
		return nil
	}
	f := &filled{born: t.Stamp.Born(), fromShared: true, ttl: t.Expires.Sub(c.opts.Now()), stamp: &stamp{bounded: true}}
	f.stamp.ready, f.body = c.ready(t.Body)
	f.stamp.edge = c.edgeFields(d, public, key, t.Tags)
	if graphql.HasOperationContext(ctx) {
		// The caller for whom the other instance has computed the answer is not known.
		// From here on the answer is compared with those that others than this caller
		// get.
		f.caller = credentials(ctx, graphql.GetOperationContext(ctx))
		f.stamp.caller = f.caller
	}
	own, kept := c.engine.Keep(ctx, key, engine.Answer{
		Body: f.body, Meta: f.stamp, Beside: f.beside(), Took: engine.UnknownCost,
		Proven: t.Stamp, Passing: !c.promotes(r.old != nil), Expires: t.Expires, Beyond: d.beyond,
	})
	if kept == engine.Stored {
		f.entry, f.tags = own, t.Tags
		if c.inspector.Listens() {
			f.tags = slices.Clone(t.Tags) // the watch keeps them
		}
	}
	return f
}

// recordsOf returns the meaning of tags in records, under a plan with the mark.
func recordsOf(mark cascade.Tag, plan *cascade.Plan) *fleet.Schema {
	cfg := fleet.SchemaConfig{Mark: mark, Unnamed: cascade.Unnamed.Hash}
	byName := map[uint64]*cascade.View{}
	for _, v := range plan.Views() {
		byName[v.NameHash()] = v
		cfg.Views = append(cfg.Views, fleet.View{Name: v.NameHash(), Reached: v.ReachedTag(), Partitioned: v.Partitioned})
	}
	cfg.Whole = func(tags []cascade.Tag, names []uint64) []cascade.Tag {
		var views []*cascade.View
		for _, name := range names {
			views = append(views, byName[name])
		}
		return plan.Publish(tags, cascade.WholeViews(views), cascade.Partition{})
	}
	return fleet.NewSchema(cfg)
}
