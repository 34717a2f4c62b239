package metrics

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/inspect"
	"github.com/cascadeql/cascadeql/gqlcache/store"
)

// A Source has figures: a *gqlcache.Cache. What it tells of verify mode is part of them
// if it has the method VerifyStats() *inspect.Verify, which returns nil while it is off, and
// so is what it tells of computed values, by ComputedStats() []gqlcache.ComputedStats.
type Source interface {
	Stats() gqlcache.Stats
	OperationStats() []gqlcache.OperationStats
}

var _ Source = (*gqlcache.Cache)(nil)

// A Reading is what the figures of a source were at one time.
type Reading struct {
	stats      gqlcache.Stats
	operations []gqlcache.OperationStats
	versions   []version
	values     []gqlcache.ComputedStats
	verify     inspect.Verify // zero while verify mode is off
}

// A version has the figures of one source of Options.Versions.
type version struct {
	view  string // a label
	stats gqlcache.VersionStats
}

// Read reads all figures of a source. It does not block.
func Read(s Source) *Reading {
	r := &Reading{stats: s.Stats(), operations: s.OperationStats()}
	r.stats.Tiers = tellApart(r.stats.Tiers, func(t *store.TierStats) *string { return &t.Name })
	views := slices.Sorted(maps.Keys(r.stats.Versions))
	for i, label := range labels(views) {
		r.versions = append(r.versions, version{label, r.stats.Versions[views[i]]})
	}
	if v, ok := s.(interface {
		ComputedStats() []gqlcache.ComputedStats
	}); ok {
		r.values = tellApart(v.ComputedStats(), func(s *gqlcache.ComputedStats) *string { return &s.Name })
	}
	if v, ok := s.(interface{ VerifyStats() *inspect.Verify }); ok {
		if found := v.VerifyStats(); found != nil {
			r.verify = *found
		}
	}
	return r
}

// tellApart returns a copy of a list under names that are labels. Stores choose those of
// tiers, and programs those of the keys of values.
func tellApart[T any](list []T, name func(*T) *string) []T {
	list = slices.Clone(list)
	names := make([]string, len(list))
	for i := range list {
		names[i] = *name(&list[i])
	}
	for i, label := range labels(names) {
		*name(&list[i]) = label
	}
	return list
}

// labels makes labels of names: valid, and each of one name. One wrong label fails the whole
// scrape, with the metrics of everybody else in it.
func labels(names []string) []string {
	all := make([]string, len(names))
	seen := map[string]bool{}
	for i, name := range names {
		base := strings.ToValidUTF8(name, "?")
		label := base
		for n := 2; seen[label]; n++ {
			label = base + "#" + strconv.Itoa(n)
		}
		seen[label] = true
		all[i] = label
	}
	return all
}

// Kind says how a figure moves.
type Kind uint8

const (
	// Counter only grows, from 0 when the cache was made.
	Counter Kind = iota
	// Gauge goes up and down, and its sum over instances means nothing.
	Gauge
	// Histogram is a gqlcache.Histogram.
	Histogram
	// UpDown goes up and down, and adds up over instances: OpenTelemetry's UpDownCounter,
	// a gauge in Prometheus.
	UpDown
)

// String returns the kind's name, that of the instrument in OpenTelemetry.
func (k Kind) String() string {
	return [...]string{"counter", "gauge", "histogram", "updowncounter"}[k]
}

// Unit is what a figure is measured in, in the Unified Code for Units of Measure (UCUM).
// Counts have an annotation, {query} say, which says of what.
type Unit string

// The units that are none of counts.
const (
	Seconds Unit = "s"
	Bytes   Unit = "By"
	Ratio   Unit = "1"
)

// prometheus is the word that stands for the unit at the end of a name in Prometheus.
func (u Unit) prometheus() string {
	switch u {
	case Seconds:
		return "seconds"
	case Bytes:
		return "bytes"
	case Ratio:
		return "ratio"
	default:
		return ""
	}
}

// A Metric is one figure, or several that a label tells apart.
type Metric struct {
	// Name has its words with underscores, and dots between a name space and what is in
	// it. It names neither its unit nor its kind.
	Name string
	Kind Kind
	Unit Unit
	// Label is the name of the label, as OpenTelemetry writes attributes: gqlcache.reason,
	// gqlcache.tier, gqlcache.finding.kind, gqlcache.statement.outcome, gqlcache.view,
	// gqlcache.computed.name, or graphql.operation.name of the semantic conventions. It is
	// empty for a metric of one figure.
	Label string
	// Help says in a sentence what the figure is.
	Help string

	each      func(r *Reading, yield func(label string, value float64))
	histogram func(*Reading) gqlcache.Histogram
}

// Stem is what the names of all metrics begin with, on every road.
const Stem = "gqlcache"

// words is the name as one word, with its unit. A unit that the name ends with already is
// not repeated.
func (m Metric) words() string {
	w := strings.ReplaceAll(m.Name, ".", "_")
	if unit := m.Unit.prometheus(); unit != "" && !strings.HasSuffix(w, "_"+unit) {
		w += "_" + unit
	}
	return w
}

// Prometheus returns the name in Prometheus. The specification of OpenTelemetry says how
// its names become Prometheus': of OpenTelemetry() it makes the same.
func (m Metric) Prometheus() string {
	w := Stem + "_" + m.words()
	if m.Kind == Counter {
		w += "_total"
	}
	return w
}

// PrometheusLabel returns the label's name in Prometheus, to which OpenTelemetry's
// specification translates Label.
func (m Metric) PrometheusLabel() string { return strings.ReplaceAll(m.Label, ".", "_") }

// OpenTelemetry returns the name in OpenTelemetry.
func (m Metric) OpenTelemetry() string { return Stem + "." + m.Name }

// Expvar returns the name of the member in expvar's object.
func (m Metric) Expvar() string { return m.words() }

// Each calls yield for each figure of a counter or gauge, with the value of the label,
// once for each value. A figure that the source does not have, those of a log without a
// log, say, is left out. For a histogram it does nothing.
func (m Metric) Each(r *Reading, yield func(label string, value float64)) {
	if m.each != nil {
		m.each(r, yield)
	}
}

// Histogram returns the figures of a histogram. Of another metric they are zero.
func (m Metric) Histogram(r *Reading) gqlcache.Histogram {
	if m.histogram == nil {
		return gqlcache.Histogram{}
	}
	return m.histogram(r)
}
