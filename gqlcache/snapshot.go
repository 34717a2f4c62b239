package gqlcache

import (
	"context"

	"github.com/cascadeql/cascadeql/cascade"
	"github.com/cascadeql/cascadeql/gqlcache/changelog"
	"github.com/cascadeql/cascadeql/gqlcache/inspect"
	"github.com/cascadeql/cascadeql/gqlcache/internal/inspector"
	"github.com/cascadeql/cascadeql/gqlcache/internal/plans"
	"github.com/cascadeql/cascadeql/gqlcache/internal/wire"
)

// Snapshot returns the state of the cache and, while somebody uses the inspector, what it
// has seen since: for expvar, say. It blocks on nothing but other snapshots and, while
// somebody watches, requests; it keeps nobody watching. Its capabilities are none: those
// belong to requests.
func (c *Cache) Snapshot() inspect.Snapshot {
	if c.unmade() {
		return inspect.Snapshot{}
	}
	return c.snapshot(0)
}

func (c *Cache) snapshot(since uint64) inspect.Snapshot {
	now := c.opts.Now()
	seen := c.inspector.Seen(since)
	st := c.Stats()
	s := inspect.Snapshot{
		Now: now.UnixMilli(), Instance: c.opts.Inspector.Instance, UptimeMS: now.Sub(c.started).Milliseconds(),
		WatchingSince: seen.WatchingSince, Totals: totalsOf(st), Series: seen.Series,
		Tiers: c.showTiers(st), Operations: seen.Operations, Views: seen.Views, Values: c.shownValues(), Log: seen.Log, LogNext: seen.LogNext,
		Verify: c.VerifyStats(), Shadow: c.ShadowStats(), Cluster: clusterOf(st.Log), Observed: c.showObserved(), Security: c.security(), Warnings: c.warnings(),
		Capabilities: inspect.Capabilities{HidesIDs: c.opts.Inspector.HideIDs},
	}
	s.Totals.SavedMS = seen.Saved.Milliseconds()
	s.Security.Predicates = seen.Predicates
	return s
}

// totalsOf are the figures of Stats. Requests is their sum, so that they add up: each is
// counted when its answer is there.
func totalsOf(st Stats) inspect.Totals {
	t := inspect.Totals{
		Hits: st.Hits, Misses: st.Misses, Collapsed: st.Joined, Abandoned: st.Abandoned,
		BypassedBy: map[string]uint64{}, NotStored: map[string]uint64{},
		Invalidations: st.Invalidations, Flushes: st.Flushes, StoreErrors: st.StoreErrors,
	}
	for why, n := range st.Bypassed {
		t.BypassedBy[string(why)] = n
		t.Bypasses += n
	}
	for why, n := range st.NotStored {
		t.NotStored[string(why)] = n
	}
	t.Requests = t.Hits + t.Misses + t.Collapsed + t.Abandoned + t.Bypasses
	return t
}

// showTiers are the figures of the stores, the fastest first.
func (c *Cache) showTiers(st Stats) []inspect.Tier {
	tiers := make([]inspect.Tier, len(st.Tiers))
	for i, t := range st.Tiers {
		tiers[i] = inspect.Tier{
			Name: t.Name, Status: "up", Entries: t.Entries, MaxEntries: t.MaxEntries, Bytes: t.Bytes, MaxBytes: t.MaxBytes,
			Hits: t.Hits, Misses: t.Misses, Evictions: t.Evictions, Expirations: t.Expirations, Errors: t.Faults,
		}
	}
	if last := len(tiers) - 1; c.opts.Shared != nil && !c.fresh() {
		tiers[last].Status, tiers[last].Note = "degraded", "Not asked while this instance is cut off from the log."
	}
	return tiers
}

func clusterOf(st *changelog.Stats) *inspect.Cluster {
	if st == nil {
		return nil
	}
	return &inspect.Cluster{
		Fresh: st.Fresh, Position: st.Applied.String(), Members: st.Members, Published: st.Published, Unconfirmed: st.Unconfirmed,
		Pending: st.Pending, LeasesLost: st.LeasesLost, Records: st.Records, Flushes: st.Flushes, Epochs: st.Epochs,
	}
}

// others is how many other instances a change was told to.
func (c *Cache) others() int {
	if st := c.fleet.LogStats(); st != nil {
		return max(0, st.Members-1)
	}
	return 0
}

func (c *Cache) security() inspect.Security {
	s := inspect.Security{
		Callers:   c.opts.callersName(),
		Predicate: c.opts.Predicate != nil, Partitioned: c.opts.Partition != nil,
	}
	if st := c.schema.Load(); st != nil {
		s.SchemaHash, s.SchemaSinceMS = st.Hash.String(), c.opts.Now().Sub(st.since).Milliseconds()
	}
	return s
}

// warnings are what is worth a look, the worst first.
func (c *Cache) warnings() []inspect.Warning {
	return append(c.alarms().Warnings(), c.inspector.Unsaid(func(st *plans.Schema) cascade.Options {
		opts := c.opts.cascade()
		opts.DirectivesCovered = c.met.directives.Settled(st)
		return opts
	})...)
}

// alarms are what concerns every request.
func (c *Cache) alarms() inspector.Alarms {
	a := inspector.Alarms{
		Differing: c.different(), Uncovered: c.met.directives.Guarded(), Hooked: c.met.hooked.Load() && !c.opts.FieldHooksCovered,
		NoLease: !c.fresh(), Foreign: c.fleet.Counts.Foreign.Load(), Replanned: c.counts.replanned.Load(),
		StoreErrors: c.engine.Stats().Errors + c.fleet.Counts.SharedErrors.Load(),
	}
	if v := c.VerifyStats(); v != nil {
		a.Mismatched = v.Mismatched
	}
	return a
}

// unwrapped warns of actions that nobody can take, because the request did not come
// through Cache.Handler.
func (c *Cache) unwrapped(ctx context.Context) []inspect.Warning {
	if c.opts.Inspector.Actions == nil || wire.ExchangeFrom(ctx) != nil {
		return nil
	}
	return []inspect.Warning{{
		Code: "handler", Severity: inspector.SeverityWarning,
		Message: "Options.Inspector.Actions is set, but nobody can act: this request did not come through Cache.Handler. Wrap the server: http.Handle(\"/graphql\", cache.Handler(srv)).",
	}}
}
