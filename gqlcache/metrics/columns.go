package metrics

import (
	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/changelog"
	"github.com/cascadeql/cascadeql/gqlcache/inspect"
	"github.com/cascadeql/cascadeql/gqlcache/store"
)

// The labels, as OpenTelemetry writes attributes.
const (
	labelReason    = "gqlcache.reason"
	labelTier      = "gqlcache.tier"
	labelOperation = "graphql.operation.name" // OpenTelemetry's
	labelKind      = "gqlcache.finding.kind"
	labelOutcome   = "gqlcache.statement.outcome"
	labelView      = "gqlcache.view"
	labelValue     = "gqlcache.computed.name"
)

func counter(name string, unit Unit, help string, of func(*gqlcache.Stats) uint64) Metric {
	return Metric{Name: name, Kind: Counter, Unit: unit, Help: help, each: func(r *Reading, yield func(string, float64)) {
		yield("", float64(of(&r.stats)))
	}}
}

func upDown(name string, unit Unit, help string, of func(*gqlcache.Stats) int64) Metric {
	return Metric{Name: name, Kind: UpDown, Unit: unit, Help: help, each: func(r *Reading, yield func(string, float64)) {
		yield("", float64(of(&r.stats)))
	}}
}

func histogram(name, help string, of func(*gqlcache.Stats) gqlcache.Histogram) Metric {
	return Metric{Name: name, Kind: Histogram, Unit: Seconds, Help: help, histogram: func(r *Reading) gqlcache.Histogram {
		return of(&r.stats)
	}}
}

func byReason(name string, unit Unit, help string, of func(*gqlcache.Stats) map[gqlcache.Reason]uint64) Metric {
	return Metric{Name: name, Kind: Counter, Unit: unit, Label: labelReason, Help: help, each: func(r *Reading, yield func(string, float64)) {
		for reason, n := range of(&r.stats) {
			yield(string(reason), float64(n))
		}
	}}
}

func byOperation(name string, unit Unit, help string, of func(*gqlcache.OperationStats) float64) Metric {
	return Metric{Name: name, Kind: Counter, Unit: unit, Label: labelOperation, Help: help, each: func(r *Reading, yield func(string, float64)) {
		for i := range r.operations {
			yield(r.operations[i].Name, of(&r.operations[i]))
		}
	}}
}

// byValue has a figure for each name of the keys of values. There are as many as there are
// names of operations.
func byValue(name string, unit Unit, help string, of func(*gqlcache.ComputedStats) float64) Metric {
	return Metric{Name: name, Kind: Counter, Unit: unit, Label: labelValue, Help: help, each: func(r *Reading, yield func(string, float64)) {
		for i := range r.values {
			yield(r.values[i].Name, of(&r.values[i]))
		}
	}}
}

// sum adds figures up that reasons tell apart: as many series for each name would be too many.
func sum(byReason map[gqlcache.Reason]uint64) float64 {
	n := uint64(0)
	for _, of := range byReason {
		n += of
	}
	return float64(n)
}

func byTier(name string, kind Kind, unit Unit, help string, of func(*store.TierStats) float64) Metric {
	return Metric{Name: name, Kind: kind, Unit: unit, Label: labelTier, Help: help, each: func(r *Reading, yield func(string, float64)) {
		for i := range r.stats.Tiers {
			yield(r.stats.Tiers[i].Name, of(&r.stats.Tiers[i]))
		}
	}}
}

func ofSweep(name string, unit Unit, help string, of func(*gqlcache.SweepReport) float64) Metric {
	return Metric{Name: name, Kind: UpDown, Unit: unit, Help: help, each: func(r *Reading, yield func(string, float64)) {
		if r.stats.LastSweep != nil {
			yield("", of(r.stats.LastSweep))
		}
	}}
}

func ofLog(name string, kind Kind, unit Unit, help string, of func(*changelog.Stats) float64) Metric {
	return Metric{Name: name, Kind: kind, Unit: unit, Help: help, each: func(r *Reading, yield func(string, float64)) {
		if r.stats.Log != nil {
			yield("", of(r.stats.Log))
		}
	}}
}

// ofObserved is left out where no handle is observed.
func ofObserved(name string, unit Unit, help string, of func(*gqlcache.ObservedStats) uint64) Metric {
	return Metric{Name: name, Kind: Counter, Unit: unit, Help: help, each: func(r *Reading, yield func(string, float64)) {
		if r.stats.Observed != nil {
			yield("", float64(of(r.stats.Observed)))
		}
	}}
}

// byOutcome are the runs of statements, by what is known of them.
func byOutcome(name string, unit Unit, help string) Metric {
	return Metric{Name: name, Kind: Counter, Unit: unit, Label: labelOutcome, Help: help, each: func(r *Reading, yield func(string, float64)) {
		if o := r.stats.Observed; o != nil {
			yield("known", float64(o.Known))
			yield("widened", float64(o.Widened))
			yield("not understood", float64(o.NotUnderstood))
		}
	}}
}

// byFinding are findings by their kinds, those among them that were never found: an alert
// about an increase must see the 0 before the first.
func byFinding(name string, unit Unit, help string) Metric {
	return Metric{Name: name, Kind: Counter, Unit: unit, Label: labelKind, Help: help, each: func(r *Reading, yield func(string, float64)) {
		if o := r.stats.Observed; o != nil {
			for kind, n := range o.Findings {
				yield(string(kind), float64(n))
			}
		}
	}}
}

// ofVersion has a figure for each source of Options.Versions. There are as many as the
// options name.
func ofVersion(name string, kind Kind, unit Unit, help string, of func(*gqlcache.VersionStats) float64) Metric {
	return Metric{Name: name, Kind: kind, Unit: unit, Label: labelView, Help: help, each: func(r *Reading, yield func(string, float64)) {
		for i := range r.versions {
			yield(r.versions[i].view, of(&r.versions[i].stats))
		}
	}}
}

// ofVerify is left out while verify mode is off.
func ofVerify(name string, kind Kind, unit Unit, help string, of func(*inspect.Verify) float64) Metric {
	return Metric{Name: name, Kind: kind, Unit: unit, Help: help, each: func(r *Reading, yield func(string, float64)) {
		if r.verify.Rate > 0 {
			yield("", of(&r.verify))
		}
	}}
}
