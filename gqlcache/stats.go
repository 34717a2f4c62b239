package gqlcache

import (
	"slices"
	"sync/atomic"
	"time"

	"github.com/cascadeql/cascadeql/gqlcache/changelog"
	"github.com/cascadeql/cascadeql/gqlcache/internal/clock"
	"github.com/cascadeql/cascadeql/gqlcache/internal/count"
	"github.com/cascadeql/cascadeql/gqlcache/internal/safe"
	"github.com/cascadeql/cascadeql/gqlcache/store"
)

// counters count since the cache was made.
type counters struct {
	hits, misses, joined, abandoned atomic.Uint64
	invalidations, flushes, tags    atomic.Uint64
	fill, settle                    count.Durations
	refreshed, hidden, stale        atomic.Uint64
	sent                            atomic.Uint64 // answers that a transport has sent as they are kept
	purges, purgeErrors             atomic.Uint64
	replanned                       atomic.Uint64 // operations planned again for the same text
	inFlight                        atomic.Int64  // computations that run
	adopted                         atomic.Uint64 // answers taken over, to count PromoteEvery by
	byReason                        [64]atomic.Uint64
}

var reasonIndex = func() map[Reason]int {
	m := make(map[Reason]int, len(reasons))
	for i, r := range reasons {
		m[r] = i
	}
	return m
}()

func (c *counters) bypass(r Reason)  { c.byReason[reasonIndex[r]].Add(1) }
func (c *counters) refused(r Reason) { c.byReason[reasonIndex[r]].Add(1) }

// Stats are a cache's figures since it was made. Counters only grow.
type Stats struct {
	// Hits are answers from the cache, Misses answers computed, Joined answers that
	// another request was computing already, Abandoned requests that ended while they
	// waited.
	Hits      uint64 `json:"hits"`
	Misses    uint64 `json:"misses"`
	Joined    uint64 `json:"joined"`
	Abandoned uint64 `json:"abandoned"`
	// Bypassed counts queries that were not looked up, and NotStored answers that were
	// computed but not kept, by reason.
	Bypassed  map[Reason]uint64 `json:"bypassed"`
	NotStored map[Reason]uint64 `json:"notStored"`
	// Refreshed are answers computed anew before they expired, a part of Misses: see
	// Options.EarlyRefresh.
	Refreshed uint64 `json:"refreshed"`
	// Hidden are failures that no client saw, since an older answer was there, a part of
	// Misses. NotStored counts them, too.
	Hidden uint64 `json:"hidden"`
	// Stale are queries answered by an entry that had expired: a part of Hits by
	// Options.StaleWhileRevalidate, and of Misses by Options.StaleIfError.
	Stale uint64 `json:"stale"`
	// Dead are lookups that found an entry which a change had reached.
	Dead uint64 `json:"dead"`
	// Invalidations are changes applied, Tags the tags they named, Flushes those that
	// dropped everything.
	Invalidations uint64 `json:"invalidations"`
	Tags          uint64 `json:"tags"`
	Flushes       uint64 `json:"flushes"`
	// StoreErrors are failures of the store: misses, as far as clients can tell.
	StoreErrors uint64 `json:"storeErrors"`
	// FillDuration is how long resolvers took, of queries that were computed, stored or
	// not.
	FillDuration Histogram `json:"fillDuration"`
	// InFlight is how many computations run now, of operations and of values, those
	// included that look into Options.Shared first or wait for another instance. Who
	// waits for one of them is not counted.
	InFlight int64 `json:"inFlight"`
	// SharedGetDuration is how long the looks into Options.Shared took, also those that
	// found nothing or failed.
	SharedGetDuration Histogram `json:"sharedGetDuration"`
	// SettleDuration is how long responses of mutations were held up by the cache, to
	// apply what they had changed; WaitDuration the part of it that was a wait for other
	// instances, for each change that the log has taken.
	SettleDuration Histogram `json:"settleDuration"`
	WaitDuration   Histogram `json:"waitDuration"`
	// Tiers are the figures of each store: of Options.Store, called memory, or of its
	// tiers if it is a store.Tiered, and of Options.Shared, called shared. Faults of the
	// first and the last are failures that the cache was told of, and add up to
	// StoreErrors.
	Tiers []store.TierStats `json:"tiers"`
	// Log are the figures of Options.Log, nil without one.
	Log *changelog.Stats `json:"log,omitempty"`
	// SharedHits are answers taken over from Options.Shared, a part of Hits; SharedDead
	// those found there that could not be proven true, values of Compute included.
	SharedHits uint64 `json:"sharedHits"`
	SharedDead uint64 `json:"sharedDead"`
	// LeaseWaits are answers, and values of Compute, computed here after another instance's
	// was waited for in vain: see Options.FillLease.
	LeaseWaits uint64 `json:"leaseWaits"`
	// Unconfirmed are changes that other instances had perhaps not applied when they were
	// acknowledged, LogErrors those that did not reach the log at first.
	Unconfirmed uint64 `json:"unconfirmed"`
	LogErrors   uint64 `json:"logErrors"`
	// Entries and Bytes are what the store holds, dead entries included; Evictions and
	// Expirations what it removed.
	Entries     int64  `json:"entries"`
	Bytes       int64  `json:"bytes"`
	Evictions   uint64 `json:"evictions"`
	Expirations uint64 `json:"expirations"`
	// Sent are the answers that transports made by Cache.Transport have sent as they are
	// kept, hits and others.
	Sent uint64 `json:"sent"`
	// EdgePurges are the calls of Options.HTTP.Edge.Purge, EdgePurgeErrors those that
	// failed.
	EdgePurges      uint64 `json:"edgePurges"`
	EdgePurgeErrors uint64 `json:"edgePurgeErrors"`
	// Plans are the operations remembered, PlanBytes the memory that they take with their
	// documents: at most Options.MaxPlanBytes, which MaxPlanBytes repeats.
	Plans        int64 `json:"plans"`
	PlanBytes    int64 `json:"planBytes"`
	MaxPlanBytes int64 `json:"maxPlanBytes"`
	// LiveTags are the tags that entries depend on, or did at the last sweep; TagBytes
	// the memory that they take. It is part of Bytes, but for the tags of entries that
	// are gone.
	LiveTags int64 `json:"liveTags"`
	TagBytes int64 `json:"tagBytes"`
	// Observed are the figures of the handles of Options.Observe, nil without one.
	Observed *ObservedStats `json:"observed,omitempty"`
	// Versions are the figures of the sources of Options.Versions, by its names.
	Versions map[string]VersionStats `json:"versions,omitempty"`
	// LastSweep tells live entries from dead ones, as of then. Nil before the first
	// sweep.
	LastSweep *SweepReport `json:"lastSweep,omitempty"`
}

// Stats returns the figures. They are not taken at one instant. It does not block.
func (c *Cache) Stats() Stats {
	if c.unmade() {
		return Stats{}
	}
	st, en := statsOf(c.store), c.engine.Stats()
	s := Stats{
		Hits:          c.counts.hits.Load(),
		Misses:        c.counts.misses.Load(),
		Joined:        c.counts.joined.Load(),
		Sent:          c.counts.sent.Load(),
		EdgePurges:    c.counts.purges.Load(),
		Abandoned:     c.counts.abandoned.Load(),
		Bypassed:      map[Reason]uint64{},
		NotStored:     map[Reason]uint64{},
		Refreshed:     c.counts.refreshed.Load(),
		Hidden:        c.counts.hidden.Load(),
		Stale:         c.counts.stale.Load(),
		Dead:          en.Dead,
		Invalidations: c.counts.invalidations.Load(),
		Tags:          c.counts.tags.Load(),
		Flushes:       c.counts.flushes.Load(),
		StoreErrors:   en.Errors + c.fleet.Counts.SharedErrors.Load(),

		InFlight:          c.counts.inFlight.Load(),
		SharedGetDuration: histogramOf(&c.fleet.Counts.SharedGets),

		FillDuration:   histogramOf(&c.counts.fill),
		SettleDuration: histogramOf(&c.counts.settle),
		WaitDuration:   histogramOf(&c.fleet.Counts.Waits),
		SharedHits:     c.fleet.Counts.SharedHits.Load(),
		SharedDead:     c.fleet.Counts.SharedDead.Load(),
		LeaseWaits:     c.fleet.Counts.LeaseWaits.Load(),
		Unconfirmed:    c.fleet.Counts.Unconfirmed.Load(),
		LogErrors:      c.fleet.Counts.LogErrors.Load(),
		Entries:        st.Entries,
		Bytes:          st.Bytes,
		Evictions:      st.Evictions,
		Expirations:    st.Expirations,
		LastSweep:      (*SweepReport)(en.LastSweep),
	}
	s.EdgePurgeErrors = c.counts.purgeErrors.Load()
	s.LiveTags = int64(c.clock.Stats().Cells)
	s.TagBytes = s.LiveTags * int64(clock.CellSize)
	s.Plans, s.PlanBytes = c.plans.Figures()
	s.MaxPlanBytes = c.opts.MaxPlanBytes
	s.Tiers = c.storeTiers(st)
	s.Log = c.fleet.LogStats()
	s.Observed, s.Versions = c.observing.figures(), c.VersionStats()
	for i, r := range reasons {
		n := c.counts.byReason[i].Load()
		switch {
		case n == 0:
		case i < firstNotStored:
			s.Bypassed[r] = n
		default:
			s.NotStored[r] = n
		}
	}
	return s
}

// storeTiers returns the figures of each store, of which those of Options.Store are
// given. Names tell time series apart: tiers of Options.Shared are shared/ and their
// name.
func (c *Cache) storeTiers(first store.Stats) []store.TierStats {
	tiers := []store.TierStats{{Name: "memory", Stats: first, Faults: c.engine.Stats().Errors}}
	if t, ok := c.store.(store.Tiered); ok {
		tiers = tiersOf(t)
	}
	if t, ok := c.opts.Shared.(store.Tiered); ok {
		for _, tier := range tiersOf(t) {
			tier.Name = "shared/" + tier.Name
			tiers = append(tiers, tier)
		}
	} else if c.opts.Shared != nil {
		name := "shared"
		if slices.ContainsFunc(tiers, func(t store.TierStats) bool { return t.Name == name }) {
			name = "Options.Shared"
		}
		tiers = append(tiers, store.TierStats{Name: name, Stats: statsOf(c.opts.Shared), Faults: c.fleet.Counts.SharedErrors.Load()})
	}
	return tiers
}

// statsOf returns the figures of a store, and none when it fails to tell them.
func statsOf(s store.Store) store.Stats {
	st, _ := safe.Call(func() (store.Stats, error) { return s.Stats(), nil })
	return st
}

func tiersOf(t store.Tiered) []store.TierStats {
	tiers, _ := safe.Call(func() ([]store.TierStats, error) { return t.Tiers(), nil })
	return tiers
}

// HitRate is the part of the lookups that were answered without computing, from 0 to 1; 0
// before the first lookup.
func (s Stats) HitRate() float64 {
	all := s.Hits + s.Joined + s.Misses
	if all == 0 {
		return 0
	}
	return float64(s.Hits+s.Joined) / float64(all)
}

// SweepReport is what a sweep found.
type SweepReport struct {
	At   time.Time     `json:"at"`
	Took time.Duration `json:"tookNs"`
	// Live entries could be served; Dead ones could not and were removed.
	LiveEntries int   `json:"liveEntries"`
	DeadEntries int   `json:"deadEntries"`
	LiveBytes   int64 `json:"liveBytes"`
	DeadBytes   int64 `json:"deadBytes"`
	// Tags are those that live entries depend on.
	Tags int `json:"tags"`
}
