package metrics

import (
	"slices"

	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/changelog"
	"github.com/cascadeql/cascadeql/gqlcache/inspect"
	"github.com/cascadeql/cascadeql/gqlcache/store"
)

// All returns every metric, in the order of docs/metrics.md.
func All() []Metric {
	return slices.Concat(requests, operations, computed, fills, invalidations, stores, memory, sweeps, logs, observed, versions, verifies)
}

var requests = []Metric{
	counter("hits", "{query}", "Queries answered from the cache.", func(s *gqlcache.Stats) uint64 { return s.Hits }),
	counter("misses", "{query}", "Queries whose answers were computed.", func(s *gqlcache.Stats) uint64 { return s.Misses }),
	counter("joined", "{query}", "Queries answered by what another request was computing already.", func(s *gqlcache.Stats) uint64 { return s.Joined }),
	counter("abandoned", "{query}", "Queries whose requests ended while they waited.", func(s *gqlcache.Stats) uint64 { return s.Abandoned }),
	byReason("bypassed", "{query}", "Queries that were not looked up.", func(s *gqlcache.Stats) map[gqlcache.Reason]uint64 { return s.Bypassed }),
	counter("refreshed", "{query}", "Answers computed anew before they expired, a part of the misses.", func(s *gqlcache.Stats) uint64 { return s.Refreshed }),
	counter("hidden", "{query}", "Failures that no client saw, since an older answer was there, a part of the misses.", func(s *gqlcache.Stats) uint64 { return s.Hidden }),
	counter("stale", "{query}", "Queries answered by an entry that had expired.", func(s *gqlcache.Stats) uint64 { return s.Stale }),
	counter("dead", "{entry}", "Look-ups that found an entry which a change had reached.", func(s *gqlcache.Stats) uint64 { return s.Dead }),
	counter("sent", "{query}", "Answers that transports of Cache.Transport have sent as they are kept.", func(s *gqlcache.Stats) uint64 { return s.Sent }),
	counter("shared_hits", "{query}", "Answers taken over from other instances, a part of the hits.", func(s *gqlcache.Stats) uint64 { return s.SharedHits }),
	counter("shared_dead", "{entry}", "Answers and values of other instances that could not be proven to be true.", func(s *gqlcache.Stats) uint64 { return s.SharedDead }),
}

var operations = []Metric{
	byOperation("operation.hits", "{query}", "Hits by name of the operation.", func(o *gqlcache.OperationStats) float64 { return float64(o.Hits) }),
	byOperation("operation.misses", "{query}", "Misses by name of the operation.", func(o *gqlcache.OperationStats) float64 { return float64(o.Misses) }),
	byOperation("operation.joined", "{query}", "Joined queries by name of the operation.", func(o *gqlcache.OperationStats) float64 { return float64(o.Joined) }),
	byOperation("operation.abandoned", "{query}", "Abandoned queries by name of the operation.", func(o *gqlcache.OperationStats) float64 { return float64(o.Abandoned) }),
	byOperation("operation.bypassed", "{query}", "Bypasses by name of the operation.", func(o *gqlcache.OperationStats) float64 { return float64(o.Bypassed) }),
	byOperation("operation.fills", "{query}", "Fills by name of the operation.", func(o *gqlcache.OperationStats) float64 { return float64(o.Fills) }),
	byOperation("operation.fill_time", Seconds, "Time that fills took, by name of the operation.", func(o *gqlcache.OperationStats) float64 { return o.FillTime.Seconds() }),
}

var computed = []Metric{
	byValue("computed.hits", "{call}", "Values that were found, by name of their keys: see Compute.", func(v *gqlcache.ComputedStats) float64 { return float64(v.Hits) }),
	byValue("computed.shared_hits", "{call}", "Values taken over from other instances, a part of the hits.", func(v *gqlcache.ComputedStats) float64 { return float64(v.Shared) }),
	byValue("computed.misses", "{call}", "Values that were computed, by name of their keys.", func(v *gqlcache.ComputedStats) float64 { return float64(v.Misses) }),
	byValue("computed.joined", "{call}", "Values that another caller was computing already, by name of their keys.", func(v *gqlcache.ComputedStats) float64 { return float64(v.Joined) }),
	byValue("computed.abandoned", "{call}", "Callers whose contexts ended while they waited, by name of their keys.", func(v *gqlcache.ComputedStats) float64 { return float64(v.Abandoned) }),
	byValue("computed.stale", "{call}", "Expired values that were returned, by name of their keys.", func(v *gqlcache.ComputedStats) float64 { return float64(v.Stale) }),
	byValue("computed.failures", "{error}", "Errors that were kept for a while, by name of their keys.", func(v *gqlcache.ComputedStats) float64 { return float64(v.Failures) }),
	byValue("computed.bypassed", "{call}", "Calls that looked nothing up, by name of their keys.", func(v *gqlcache.ComputedStats) float64 { return sum(v.Bypassed) }),
	byValue("computed.not_stored", "{value}", "Values that were computed and not kept, by name of their keys.", func(v *gqlcache.ComputedStats) float64 { return sum(v.NotStored) }),
	byValue("computed.fills", "{call}", "Times that a function has returned a value, by name of the keys.", func(v *gqlcache.ComputedStats) float64 { return float64(v.Fills) }),
	byValue("computed.fill_time", Seconds, "Time that these functions took, by name of the keys.", func(v *gqlcache.ComputedStats) float64 { return v.FillTime.Seconds() }),
}

var fills = []Metric{
	histogram("fill.duration", "How long resolvers took, of queries that were computed.", func(s *gqlcache.Stats) gqlcache.Histogram { return s.FillDuration }),
	upDown("active_fills", "{fill}", "Computations that run now, of operations and values.", func(s *gqlcache.Stats) int64 { return s.InFlight }),
	byReason("not_stored", "{query}", "Answers that were computed and not stored.", func(s *gqlcache.Stats) map[gqlcache.Reason]uint64 { return s.NotStored }),
	histogram("shared_get.duration", "How long looks into the store took that the instances share.", func(s *gqlcache.Stats) gqlcache.Histogram { return s.SharedGetDuration }),
	counter("lease_waits", "{query}", "Answers and values computed here after another instance's was waited for in vain.", func(s *gqlcache.Stats) uint64 { return s.LeaseWaits }),
}

var invalidations = []Metric{
	counter("invalidations", "{change}", "Changes applied that this instance has made.", func(s *gqlcache.Stats) uint64 { return s.Invalidations }),
	counter("flushes", "{change}", "Changes that dropped everything, a part of the invalidations.", func(s *gqlcache.Stats) uint64 { return s.Flushes }),
	counter("invalidated_tags", "{tag}", "Tags that the changes have named.", func(s *gqlcache.Stats) uint64 { return s.Tags }),
	histogram("settle.duration", "How long the cache held responses of mutations up.", func(s *gqlcache.Stats) gqlcache.Histogram { return s.SettleDuration }),
	histogram("wait.duration", "How long changes waited for other instances.", func(s *gqlcache.Stats) gqlcache.Histogram { return s.WaitDuration }),
	counter("unconfirmed", "{change}", "Changes acknowledged when other instances had perhaps not applied them.", func(s *gqlcache.Stats) uint64 { return s.Unconfirmed }),
	counter("edge_purges", "{call}", "Calls that purge what changes reach from caches in front.", func(s *gqlcache.Stats) uint64 { return s.EdgePurges }),
	counter("edge_purge_errors", "{call}", "Calls of these that failed, and are repeated.", func(s *gqlcache.Stats) uint64 { return s.EdgePurgeErrors }),
	counter("log_errors", "{change}", "Changes that did not reach the log at first.", func(s *gqlcache.Stats) uint64 { return s.LogErrors }),
}

var stores = []Metric{
	byTier("store.entries", UpDown, "{entry}", "Entries held, dead ones included.", func(t *store.TierStats) float64 { return float64(t.Entries) }),
	byTier("store.entry_limit", UpDown, "{entry}", "Bound of the entries, 0 for none.", func(t *store.TierStats) float64 { return float64(t.MaxEntries) }),
	byTier("store.size", UpDown, Bytes, "Bytes of the entries held.", func(t *store.TierStats) float64 { return float64(t.Bytes) }),
	byTier("store.size_limit", UpDown, Bytes, "Bound of the bytes, 0 for none.", func(t *store.TierStats) float64 { return float64(t.MaxBytes) }),
	byTier("store.evictions", Counter, "{entry}", "Entries removed to make room.", func(t *store.TierStats) float64 { return float64(t.Evictions) }),
	byTier("store.expirations", Counter, "{entry}", "Entries removed because of their age.", func(t *store.TierStats) float64 { return float64(t.Expirations) }),
	byTier("store.hits", Counter, "{read}", "Reads that found an entry, dead ones included.", func(t *store.TierStats) float64 { return float64(t.Hits) }),
	byTier("store.misses", Counter, "{read}", "Reads that found none.", func(t *store.TierStats) float64 { return float64(t.Misses) }),
	byTier("store.puts", Counter, "{entry}", "Entries taken in.", func(t *store.TierStats) float64 { return float64(t.Puts) }),
	byTier("store.errors", Counter, "{call}", "Calls that failed.", func(t *store.TierStats) float64 { return float64(t.Faults) }),
}

var memory = []Metric{
	upDown("live_tags", "{tag}", "Tags that entries depend on, or did at the last sweep.", func(s *gqlcache.Stats) int64 { return s.LiveTags }),
	upDown("live_tag_size", Bytes, "Bytes of these tags, which are part of the bytes of the entries as long as those are held.", func(s *gqlcache.Stats) int64 { return s.TagBytes }),
	upDown("plans", "{operation}", "Operations that are remembered.", func(s *gqlcache.Stats) int64 { return s.Plans }),
	upDown("plan_size", Bytes, "Bytes of these operations, with their documents.", func(s *gqlcache.Stats) int64 { return s.PlanBytes }),
	upDown("plan_size_limit", Bytes, "Bound of the bytes of the operations.", func(s *gqlcache.Stats) int64 { return s.MaxPlanBytes }),
}

var sweeps = []Metric{
	ofSweep("sweep.live_entries", "{entry}", "Entries that the last sweep left.", func(s *gqlcache.SweepReport) float64 { return float64(s.LiveEntries) }),
	ofSweep("sweep.live_size", Bytes, "Bytes of the entries that the last sweep left.", func(s *gqlcache.SweepReport) float64 { return float64(s.LiveBytes) }),
	ofSweep("sweep.dead_entries", "{entry}", "Entries that the last sweep removed.", func(s *gqlcache.SweepReport) float64 { return float64(s.DeadEntries) }),
	ofSweep("sweep.tags", "{tag}", "Tags that live entries depended on at the last sweep.", func(s *gqlcache.SweepReport) float64 { return float64(s.Tags) }),
}

var logs = []Metric{
	ofLog("lease_held", Gauge, "{lease}", "1 while this instance may serve what is cached, 0 while it is cut off from the log.", func(l *changelog.Stats) float64 { return float64(oneIf(l.Fresh)) }),
	ofLog("members", Gauge, "{instance}", "Instances with a lease, as of the last publication of this one.", func(l *changelog.Stats) float64 { return float64(l.Members) }),
	ofLog("log.published", Counter, "{change}", "Changes of this instance that got a number.", func(l *changelog.Stats) float64 { return float64(l.Published) }),
	ofLog("log.failed", Counter, "{call}", "Publications that the server did not take.", func(l *changelog.Stats) float64 { return float64(l.Failed) }),
	ofLog("log.pending", UpDown, "{change}", "Changes that wait for the server.", func(l *changelog.Stats) float64 { return float64(l.Pending) }),
	ofLog("log.records", Counter, "{change}", "Changes applied, of all instances.", func(l *changelog.Stats) float64 { return float64(l.Records) }),
	ofLog("log.flushes", Counter, "{flush}", "Times that everything was dropped because records may have been missed.", func(l *changelog.Stats) float64 { return float64(l.Flushes) }),
	ofLog("log.epochs", Counter, "{epoch}", "New epochs of the log.", func(l *changelog.Stats) float64 { return float64(l.Epochs) }),
	ofLog("log.leases_lost", Counter, "{lease}", "Leases that ran out.", func(l *changelog.Stats) float64 { return float64(l.LeasesLost) }),
	ofLog("log.reaped", Counter, "{reap}", "Times that members without a lease were dropped.", func(l *changelog.Stats) float64 { return float64(l.Reaped) }),
	ofLog("log.intents", Counter, "{mutation}", "Announcements of mutations of this instance: see Options.Intent.", func(l *changelog.Stats) float64 { return float64(l.Intents) }),
	ofLog("log.intents_refused", Counter, "{mutation}", "Mutations refused because they could not be announced.", func(l *changelog.Stats) float64 { return float64(l.Refused) }),
	ofLog("log.intents_expired", Counter, "{mutation}", "Announcements that nobody stood by, ended by this instance.", func(l *changelog.Stats) float64 { return float64(l.Expired) }),
	ofLog("log.intents_open", Gauge, "{mutation}", "Announced mutations that are not over, of all instances.", func(l *changelog.Stats) float64 { return float64(l.Open) }),
}

var observed = []Metric{
	byOutcome("observed.statements", "{statement}", "Runs of SQL statements that read or write, by what is known of them."),
	byFinding("observed.findings", "{finding}", "What makes answers wider, or should be known, by kind."),
	ofObserved("observed.commits", "{commit}", "Commits seen, and changes of the database's schema.", func(o *gqlcache.ObservedStats) uint64 { return o.Commits }),
	ofObserved("observed.everything_commits", "{commit}", "Commits that may have changed everything, a part of the commits.", func(o *gqlcache.ObservedStats) uint64 { return o.CommitsOfEverything }),
	ofObserved("observed.outside_commits", "{commit}", "Commits outside of mutations, a part of the commits.", func(o *gqlcache.ObservedStats) uint64 { return o.OutsideCommits }),
	ofObserved("observed.uncertain_commits", "{commit}", "Commits whose outcome nobody saw, a part of the commits.", func(o *gqlcache.ObservedStats) uint64 { return o.UncertainCommits }),
}

var versions = []Metric{
	ofVersion("version.calls", Counter, "{call}", "Calls that ask for the version of a view: see Options.Versions.", func(v *gqlcache.VersionStats) float64 { return float64(v.Asked) }),
	ofVersion("version.failures", Counter, "{call}", "Calls without a version, each of which drops what depends on the view.", func(v *gqlcache.VersionStats) float64 { return float64(v.Failed) }),
	ofVersion("version.changes", Counter, "{change}", "Changes that were made of versions, and of calls without one.", func(v *gqlcache.VersionStats) float64 { return float64(v.Changed) }),
	ofVersion("version.age", Gauge, Seconds, "Time since the last call began that told a version.", func(v *gqlcache.VersionStats) float64 { return v.Age.Seconds() }),
}

var verifies = []Metric{
	ofVerify("verify.sample_ratio", Gauge, Ratio, "Part of the hits that verify mode recomputes.", func(v *inspect.Verify) float64 { return v.Rate }),
	ofVerify("verify.sampled", Counter, "{hit}", "Hits that were chosen to be recomputed.", func(v *inspect.Verify) float64 { return float64(v.Sampled) }),
	ofVerify("verify.confirmed", Counter, "{hit}", "Hits that recomputing has confirmed.", func(v *inspect.Verify) float64 { return float64(v.Confirmed) }),
	ofVerify("verify.discounted", Counter, "{hit}", "Recomputations that a change has overtaken.", func(v *inspect.Verify) float64 { return float64(v.Discounted) }),
	ofVerify("verify.skipped", Counter, "{hit}", "Hits that could not be recomputed.", func(v *inspect.Verify) float64 { return float64(v.Skipped) }),
	ofVerify("verify.unstable", Counter, "{hit}", "Hits whose recomputations differ from each other.", func(v *inspect.Verify) float64 { return float64(v.Unstable) }),
	ofVerify("verify.mismatched", Counter, "{hit}", "Hits that were not what recomputing gave.", func(v *inspect.Verify) float64 { return float64(v.Mismatched) }),
}

func oneIf(b bool) int {
	if b {
		return 1
	}
	return 0
}
