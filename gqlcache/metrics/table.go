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
	return slices.Concat(requests, operations, fills, invalidations, stores, memory, sweeps, logs, observed, verifies)
}

var requests = []Metric{
	counter("hits", "Queries answered from the cache.", func(s *gqlcache.Stats) uint64 { return s.Hits }),
	counter("misses", "Queries whose answers were computed.", func(s *gqlcache.Stats) uint64 { return s.Misses }),
	counter("joined", "Queries answered by what another request was computing already.", func(s *gqlcache.Stats) uint64 { return s.Joined }),
	counter("abandoned", "Queries whose requests ended while they waited.", func(s *gqlcache.Stats) uint64 { return s.Abandoned }),
	byReason("bypassed", "Queries that were not looked up.", func(s *gqlcache.Stats) map[gqlcache.Reason]uint64 { return s.Bypassed }),
	counter("refreshed", "Answers computed anew before they expired, a part of the misses.", func(s *gqlcache.Stats) uint64 { return s.Refreshed }),
	counter("hidden", "Failures that no client saw, since an older answer was there, a part of the misses.", func(s *gqlcache.Stats) uint64 { return s.Hidden }),
	counter("stale", "Queries answered by an entry that had expired.", func(s *gqlcache.Stats) uint64 { return s.Stale }),
	counter("dead", "Look-ups that found an entry which a change had reached.", func(s *gqlcache.Stats) uint64 { return s.Dead }),
	counter("sent", "Answers that transports of Cache.Transport have sent as they are kept.", func(s *gqlcache.Stats) uint64 { return s.Sent }),
	counter("shared_hits", "Answers taken over from other instances, a part of the hits.", func(s *gqlcache.Stats) uint64 { return s.SharedHits }),
	counter("shared_dead", "Answers of other instances that could not be proven to be true.", func(s *gqlcache.Stats) uint64 { return s.SharedDead }),
}

var operations = []Metric{
	byOperation("operation.hits", Count, "Hits by name of the operation.", func(o *gqlcache.OperationStats) float64 { return float64(o.Hits) }),
	byOperation("operation.misses", Count, "Misses by name of the operation.", func(o *gqlcache.OperationStats) float64 { return float64(o.Misses) }),
	byOperation("operation.joined", Count, "Joined queries by name of the operation.", func(o *gqlcache.OperationStats) float64 { return float64(o.Joined) }),
	byOperation("operation.abandoned", Count, "Abandoned queries by name of the operation.", func(o *gqlcache.OperationStats) float64 { return float64(o.Abandoned) }),
	byOperation("operation.bypassed", Count, "Bypasses by name of the operation.", func(o *gqlcache.OperationStats) float64 { return float64(o.Bypassed) }),
	byOperation("operation.fills", Count, "Fills by name of the operation.", func(o *gqlcache.OperationStats) float64 { return float64(o.Fills) }),
	byOperation("operation.fill_time", Seconds, "Time that fills took, by name of the operation.", func(o *gqlcache.OperationStats) float64 { return o.FillTime.Seconds() }),
}

var fills = []Metric{
	histogram("fill.duration", "How long resolvers took, of queries that were computed.", func(s *gqlcache.Stats) gqlcache.Histogram { return s.FillDuration }),
	byReason("not_stored", "Answers that were computed and not stored.", func(s *gqlcache.Stats) map[gqlcache.Reason]uint64 { return s.NotStored }),
	counter("lease_waits", "Answers computed here after another instance's was waited for in vain.", func(s *gqlcache.Stats) uint64 { return s.LeaseWaits }),
}

var invalidations = []Metric{
	counter("invalidations", "Changes applied that this instance has made.", func(s *gqlcache.Stats) uint64 { return s.Invalidations }),
	counter("flushes", "Changes that dropped everything, a part of the invalidations.", func(s *gqlcache.Stats) uint64 { return s.Flushes }),
	counter("tags", "Tags that the changes have named.", func(s *gqlcache.Stats) uint64 { return s.Tags }),
	histogram("settle.duration", "How long the cache held responses of mutations up.", func(s *gqlcache.Stats) gqlcache.Histogram { return s.SettleDuration }),
	histogram("wait.duration", "How long changes waited for other instances.", func(s *gqlcache.Stats) gqlcache.Histogram { return s.WaitDuration }),
	counter("unconfirmed", "Changes acknowledged when other instances had perhaps not applied them.", func(s *gqlcache.Stats) uint64 { return s.Unconfirmed }),
	counter("edge_purges", "Calls that purge what changes reach from caches in front.", func(s *gqlcache.Stats) uint64 { return s.EdgePurges }),
	counter("edge_purge_errors", "Calls of these that failed, and are repeated.", func(s *gqlcache.Stats) uint64 { return s.EdgePurgeErrors }),
	counter("log_errors", "Changes that did not reach the log at first.", func(s *gqlcache.Stats) uint64 { return s.LogErrors }),
}

var stores = []Metric{
	byTier("entries", Gauge, Count, "Entries held, dead ones included.", func(t *store.TierStats) float64 { return float64(t.Entries) }),
	byTier("max_entries", Gauge, Count, "Bound of the entries, 0 for none.", func(t *store.TierStats) float64 { return float64(t.MaxEntries) }),
	byTier("bytes", Gauge, Bytes, "Bytes of the entries held.", func(t *store.TierStats) float64 { return float64(t.Bytes) }),
	byTier("max_bytes", Gauge, Bytes, "Bound of the bytes, 0 for none.", func(t *store.TierStats) float64 { return float64(t.MaxBytes) }),
	byTier("evictions", Counter, Count, "Entries removed to make room.", func(t *store.TierStats) float64 { return float64(t.Evictions) }),
	byTier("expirations", Counter, Count, "Entries removed because of their age.", func(t *store.TierStats) float64 { return float64(t.Expirations) }),
	byTier("store.hits", Counter, Count, "Reads that found an entry, dead ones included.", func(t *store.TierStats) float64 { return float64(t.Hits) }),
	byTier("store.misses", Counter, Count, "Reads that found none.", func(t *store.TierStats) float64 { return float64(t.Misses) }),
	byTier("store.puts", Counter, Count, "Entries taken in.", func(t *store.TierStats) float64 { return float64(t.Puts) }),
	byTier("store.errors", Counter, Count, "Calls that failed.", func(t *store.TierStats) float64 { return float64(t.Faults) }),
}

var memory = []Metric{
	gauge("live_tags", Count, "Tags that entries depend on, or did at the last sweep.", func(s *gqlcache.Stats) int64 { return s.LiveTags }),
	gauge("tag_bytes", Bytes, "Bytes of these tags, which are part of the bytes of the entries as long as those are held.", func(s *gqlcache.Stats) int64 { return s.TagBytes }),
	gauge("plans", Count, "Operations that are remembered.", func(s *gqlcache.Stats) int64 { return s.Plans }),
	gauge("plan_bytes", Bytes, "Bytes of these operations, with their documents.", func(s *gqlcache.Stats) int64 { return s.PlanBytes }),
	gauge("max_plan_bytes", Bytes, "Bound of the bytes of the operations.", func(s *gqlcache.Stats) int64 { return s.MaxPlanBytes }),
}

var sweeps = []Metric{
	ofSweep("sweep.live_entries", Count, "Entries that the last sweep left.", func(s *gqlcache.SweepReport) float64 { return float64(s.LiveEntries) }),
	ofSweep("sweep.live_bytes", Bytes, "Bytes of the entries that the last sweep left.", func(s *gqlcache.SweepReport) float64 { return float64(s.LiveBytes) }),
	ofSweep("sweep.dead_entries", Count, "Entries that the last sweep removed.", func(s *gqlcache.SweepReport) float64 { return float64(s.DeadEntries) }),
	ofSweep("sweep.tags", Count, "Tags that live entries depended on at the last sweep.", func(s *gqlcache.SweepReport) float64 { return float64(s.Tags) }),
}

var logs = []Metric{
	ofLog("lease", Gauge, "1 while this instance may serve what is cached, 0 while it is cut off from the log.", func(l *changelog.Stats) float64 { return float64(oneIf(l.Fresh)) }),
	ofLog("members", Gauge, "Instances with a lease, as of the last publication of this one.", func(l *changelog.Stats) float64 { return float64(l.Members) }),
	ofLog("log.published", Counter, "Changes of this instance that got a number.", func(l *changelog.Stats) float64 { return float64(l.Published) }),
	ofLog("log.failed", Counter, "Publications that the server did not take.", func(l *changelog.Stats) float64 { return float64(l.Failed) }),
	ofLog("log.pending", Gauge, "Changes that wait for the server.", func(l *changelog.Stats) float64 { return float64(l.Pending) }),
	ofLog("log.records", Counter, "Changes applied, of all instances.", func(l *changelog.Stats) float64 { return float64(l.Records) }),
	ofLog("log.flushes", Counter, "Times that everything was dropped because records may have been missed.", func(l *changelog.Stats) float64 { return float64(l.Flushes) }),
	ofLog("log.epochs", Counter, "New epochs of the log.", func(l *changelog.Stats) float64 { return float64(l.Epochs) }),
	ofLog("log.leases_lost", Counter, "Leases that ran out.", func(l *changelog.Stats) float64 { return float64(l.LeasesLost) }),
	ofLog("log.reaped", Counter, "Times that members without a lease were dropped.", func(l *changelog.Stats) float64 { return float64(l.Reaped) }),
	ofLog("log.intents", Counter, "Announcements of mutations of this instance: see Options.Intent.", func(l *changelog.Stats) float64 { return float64(l.Intents) }),
	ofLog("log.intents_refused", Counter, "Mutations refused because they could not be announced.", func(l *changelog.Stats) float64 { return float64(l.Refused) }),
	ofLog("log.intents_expired", Counter, "Announcements that nobody stood by, ended by this instance.", func(l *changelog.Stats) float64 { return float64(l.Expired) }),
	ofLog("log.intents_open", Gauge, "Announced mutations that are not over, of all instances.", func(l *changelog.Stats) float64 { return float64(l.Open) }),
}

var observed = []Metric{
	byOutcome("observed.statements", "Runs of SQL statements that read or write, by what is known of them."),
	byFinding("observed.findings", "What makes answers wider, or should be known, by kind."),
	ofObserved("observed.commits", "Commits seen, and changes of the database's schema.", func(o *gqlcache.ObservedStats) uint64 { return o.Commits }),
	ofObserved("observed.everything_commits", "Commits that may have changed everything, a part of the commits.", func(o *gqlcache.ObservedStats) uint64 { return o.CommitsOfEverything }),
	ofObserved("observed.outside_commits", "Commits outside of mutations, a part of the commits.", func(o *gqlcache.ObservedStats) uint64 { return o.OutsideCommits }),
	ofObserved("observed.uncertain_commits", "Commits whose outcome nobody saw, a part of the commits.", func(o *gqlcache.ObservedStats) uint64 { return o.UncertainCommits }),
}

var verifies = []Metric{
	ofVerify("verify.rate", Gauge, "Part of the hits that verify mode recomputes.", func(v *inspect.Verify) float64 { return v.Rate }),
	ofVerify("verify.sampled", Counter, "Hits that were chosen to be recomputed.", func(v *inspect.Verify) float64 { return float64(v.Sampled) }),
	ofVerify("verify.confirmed", Counter, "Hits that recomputing has confirmed.", func(v *inspect.Verify) float64 { return float64(v.Confirmed) }),
	ofVerify("verify.discounted", Counter, "Recomputations that a change has overtaken.", func(v *inspect.Verify) float64 { return float64(v.Discounted) }),
	ofVerify("verify.skipped", Counter, "Hits that could not be recomputed.", func(v *inspect.Verify) float64 { return float64(v.Skipped) }),
	ofVerify("verify.unstable", Counter, "Hits whose recomputations differ from each other.", func(v *inspect.Verify) float64 { return float64(v.Unstable) }),
	ofVerify("verify.mismatched", Counter, "Hits that were not what recomputing gave.", func(v *inspect.Verify) float64 { return float64(v.Mismatched) }),
}

func oneIf(b bool) int {
	if b {
		return 1
	}
	return 0
}
