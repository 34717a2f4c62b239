package metrics

import (
	"slices"
	"strconv"
	"strings"

	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/inspect"
	"github.com/cascadeql/cascadeql/gqlcache/store"
)

// A Source has figures: a *gqlcache.Cache. What it tells of verify mode is part of them
// if it has the method VerifyStats() *inspect.Verify, which returns nil while it is off.
type Source interface {
	Stats() gqlcache.Stats
	OperationStats() []gqlcache.OperationStats
}

var _ Source = (*gqlcache.Cache)(nil)

// A Reading is what the figures of a source were at one time.
type Reading struct {
	stats      gqlcache.Stats
	operations []gqlcache.OperationStats
	verify     inspect.Verify // zero while verify mode is off
}

// Read reads all figures of a source. It does not block.
func Read(s Source) *Reading {
	r := &Reading{stats: s.Stats(), operations: s.OperationStats()}
	r.stats.Tiers = tellApart(r.stats.Tiers)
	if v, ok := s.(interface{ VerifyStats() *inspect.Verify }); ok {
		if found := v.VerifyStats(); found != nil {
			r.verify = *found
		}
	}
	return r
}

// tellApart returns the tiers under names that are labels: valid, and each of one tier.
// Stores choose them, and one wrong label fails the whole scrape, with the metrics of
// everybody else in it.
func tellApart(tiers []store.TierStats) []store.TierStats {
	tiers = slices.Clone(tiers)
	seen := map[string]bool{}
	for i := range tiers {
		base := strings.ToValidUTF8(tiers[i].Name, "?")
		name := base
		for n := 2; seen[name]; n++ {
			name = base + "#" + strconv.Itoa(n)
		}
		seen[name] = true
		tiers[i].Name = name
	}
	return tiers
}

// Kind says how a figure moves.
type Kind uint8

const (
	// Counter only grows, from 0 when the cache was made.
	Counter Kind = iota
	// Gauge goes up and down.
	Gauge
	// Histogram is a gqlcache.Histogram.
	Histogram
)

// String returns the kind's name.
func (k Kind) String() string { return [...]string{"counter", "gauge", "histogram"}[k] }

// Unit is what a figure is measured in.
type Unit string

// The units. Those of counts have no name.
const (
	Count   Unit = ""
	Seconds Unit = "seconds"
	Bytes   Unit = "bytes"
)

// A Metric is one figure, or several that a label tells apart.
type Metric struct {
	// Name has its words, as in gqlcache.Stats, with underscores, and dots between what
	// belongs to each other.
	Name string
	Kind Kind
	Unit Unit
	// Label is the name of the label, empty for a metric of one figure: reason, tier,
	// operation, kind or outcome.
	Label string
	// Help says in a sentence what the figure is.
	Help string

	each      func(r *Reading, yield func(label string, value float64))
	histogram func(*Reading) gqlcache.Histogram
}

// words is the name as one word, with its unit.
func (m Metric) words() string {
	w := strings.ReplaceAll(m.Name, ".", "_")
	if m.Unit == Seconds {
		w += "_seconds"
	}
	return w
}

// Prometheus returns the name that Prometheus' conventions make of it.
func (m Metric) Prometheus() string {
	w := "gqlcache_" + m.words()
	if m.Kind == Counter {
		w += "_total"
	}
	return w
}

// OpenTelemetry returns the name that OpenTelemetry's conventions make of it.
func (m Metric) OpenTelemetry() string { return "cascadeql.cache." + m.Name }

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
