package compat_test

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/changelog"
	"github.com/cascadeql/cascadeql/gqlcache/footprint"
	"github.com/cascadeql/cascadeql/gqlcache/inspect"
	"github.com/cascadeql/cascadeql/gqlcache/metrics"
	cacheotel "github.com/cascadeql/cascadeql/gqlcache/metrics/otel"
	cacheprometheus "github.com/cascadeql/cascadeql/gqlcache/metrics/prometheus"
	"github.com/cascadeql/cascadeql/gqlcache/store"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	otelprometheus "go.opentelemetry.io/otel/exporters/prometheus"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
)

// figures is a source that has each metric at least once.
type figures struct{}

func (figures) Stats() gqlcache.Stats {
	h := gqlcache.Histogram{
		Bounds: []time.Duration{time.Millisecond, time.Second}, Counts: []uint64{1, 2, 4}, Count: 7, Sum: 9500 * time.Millisecond,
	}
	return gqlcache.Stats{
		Hits: 12, Bypassed: map[gqlcache.Reason]uint64{gqlcache.ReasonDefer: 3}, NotStored: map[gqlcache.Reason]uint64{gqlcache.ReasonErrors: 1},
		FillDuration: h, SettleDuration: h, WaitDuration: h, SharedGetDuration: h,
		Tiers:     []store.TierStats{{Name: "memory", Stats: store.Stats{Bytes: 99}}, {Name: "shared", Faults: 5}},
		Log:       &changelog.Stats{Fresh: true, Members: 2},
		LastSweep: &gqlcache.SweepReport{LiveEntries: 4},
		Observed:  &gqlcache.ObservedStats{Known: 20, Findings: map[footprint.FindingKind]uint64{footprint.NotUnderstood: 2}},
		Versions:  map[string]gqlcache.VersionStats{"sales": {Asked: 4, Failed: 1, Changed: 2, Age: time.Minute}},
	}
}

func (figures) OperationStats() []gqlcache.OperationStats {
	return []gqlcache.OperationStats{{Name: "Feed", Hits: 10, FillTime: 1500 * time.Millisecond}}
}

func (figures) ComputedStats() []gqlcache.ComputedStats {
	return []gqlcache.ComputedStats{{Name: "board", Hits: 9, FillTime: 2500 * time.Millisecond, Bypassed: map[gqlcache.Reason]uint64{gqlcache.ReasonLease: 1}}}
}

func (figures) VerifyStats() *inspect.Verify { return &inspect.Verify{Rate: 0.01, Mismatched: 6} }

// series returns what a registry exposes, a line for each series: name, kind, labels and
// figures. What only one of the roads has, of the instrumentation's scope, is left out.
func series(t *testing.T, r *prometheus.Registry) map[string]string {
	t.Helper()
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, f := range families {
		if !strings.HasPrefix(f.GetName(), metrics.Stem) {
			continue
		}
		for _, m := range f.GetMetric() {
			key := f.GetName()
			for _, l := range m.GetLabel() {
				if !strings.HasPrefix(l.GetName(), "otel_scope_") {
					key += fmt.Sprintf(" %s=%q", l.GetName(), l.GetValue())
				}
			}
			all[key] = fmt.Sprintf("%v of %v: %s", f.GetType(), f.GetHelp(), figure(f.GetType(), m))
		}
	}
	return all
}

func figure(kind dto.MetricType, m *dto.Metric) string {
	switch kind {
	case dto.MetricType_COUNTER:
		return fmt.Sprint(m.GetCounter().GetValue())
	case dto.MetricType_GAUGE:
		return fmt.Sprint(m.GetGauge().GetValue())
	default:
		s := fmt.Sprint(m.GetHistogram().GetSampleCount(), m.GetHistogram().GetSampleSum())
		for _, b := range m.GetHistogram().GetBucket() {
			s += fmt.Sprintf(" %v:%d", b.GetUpperBound(), b.GetCumulativeCount())
		}
		return s
	}
}

// roads returns the series of the collector for Prometheus, and those of OpenTelemetry's
// own exporter for it.
func roads(t *testing.T) (direct, translated map[string]string) {
	t.Helper()
	collected := prometheus.NewPedanticRegistry()
	collected.MustRegister(cacheprometheus.NewCollector(figures{}))
	exported := prometheus.NewRegistry()
	exporter, err := otelprometheus.New(otelprometheus.WithRegisterer(exported), otelprometheus.WithProducer(cacheotel.NewProducer(figures{})))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := cacheotel.Register(sdkmetric.NewMeterProvider(sdkmetric.WithReader(exporter)), figures{}); err != nil {
		t.Fatal(err)
	}
	return series(t, collected), series(t, exported)
}

// TestMetricsAreTheSameOnBothRoads: what OpenTelemetry's exporter makes of the instruments
// is what the collector for Prometheus exposes, names, kinds, labels and figures.
func TestMetricsAreTheSameOnBothRoads(t *testing.T) {
	t.Parallel()
	direct, translated := roads(t)
	for key, want := range direct {
		if got := translated[key]; got != want {
			t.Errorf("%s\nby OpenTelemetry %s\nby the collector %s", key, got, want)
		}
	}
	for key := range translated {
		if direct[key] == "" {
			t.Errorf("only by OpenTelemetry: %s", key)
		}
	}
	if len(direct) < len(metrics.All()) {
		t.Errorf("%d series of %d metrics", len(direct), len(metrics.All()))
	}
}

// TestDashboardOnBothRoads: each metric and label that the dashboard, the alerts and the
// manual name is there, on either road.
func TestDashboardOnBothRoads(t *testing.T) {
	t.Parallel()
	direct, translated := roads(t)
	for name, road := range map[string]map[string]string{"collector": direct, "OpenTelemetry": translated} {
		have := map[string]bool{}
		label := regexp.MustCompile(` (\w+)=`)
		for key, of := range road {
			metric := strings.Fields(key)[0]
			have[metric] = true
			if strings.HasPrefix(of, dto.MetricType_HISTOGRAM.String()) {
				have[metric+"_bucket"], have[metric+"_count"], have[metric+"_sum"] = true, true, true
			}
			for _, l := range label.FindAllStringSubmatch(key, -1) {
				have[l[1]] = true
			}
		}
		for file, most := range map[string]int{"grafana/cascadeql.json": 50, "prometheus-alerts.yml": 15, "metrics.md": 70} {
			words := named(t, "../docs/"+file)
			if len(words) < most {
				t.Errorf("%s names %d metrics and labels", file, len(words))
			}
			for _, word := range words {
				if !have[word] {
					t.Errorf("%s names %s, which the road by %s does not have", file, word, name)
				}
			}
		}
	}
}

// named returns the metrics and labels that a document names.
func named(t *testing.T, file string) []string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if strings.HasSuffix(file, ".json") { // only what is asked for and shown
		var d any
		if err := json.Unmarshal(text, &d); err != nil {
			t.Fatal(err)
		}
	}
	words := regexp.MustCompile(`\b(gqlcache|graphql_operation)_[a-z_]*[a-z]\b`).FindAllString(string(text), -1)
	words = slices.DeleteFunc(words, func(w string) bool { return w == "gqlcache_operation" }) // gqlcache_operation_*
	slices.Sort(words)
	return slices.Compact(words)
}
