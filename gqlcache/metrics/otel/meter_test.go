package cacheotel_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/changelog"
	"github.com/cascadeql/cascadeql/gqlcache/footprint"
	"github.com/cascadeql/cascadeql/gqlcache/inspect"
	"github.com/cascadeql/cascadeql/gqlcache/metrics"
	cacheotel "github.com/cascadeql/cascadeql/gqlcache/metrics/otel"
	"github.com/cascadeql/cascadeql/gqlcache/store"
)

// source is a source with figures that a test has made up.
type source struct {
	stats      gqlcache.Stats
	operations []gqlcache.OperationStats
	values     []gqlcache.ComputedStats
	verify     inspect.Verify
}

func (s *source) Stats() gqlcache.Stats                     { return s.stats }
func (s *source) OperationStats() []gqlcache.OperationStats { return s.operations }
func (s *source) ComputedStats() []gqlcache.ComputedStats   { return s.values }
func (s *source) VerifyStats() *inspect.Verify              { return &s.verify }

// everything has each metric at least once.
func everything() *source {
	return &source{
		stats: gqlcache.Stats{
			Hits: 12, Bypassed: map[gqlcache.Reason]uint64{gqlcache.ReasonDefer: 3}, NotStored: map[gqlcache.Reason]uint64{gqlcache.ReasonErrors: 1},
			FillDuration: gqlcache.Histogram{
				Bounds: []time.Duration{time.Millisecond, time.Second}, Counts: []uint64{1, 2, 4}, Count: 7, Sum: 9500 * time.Millisecond,
			},
			Tiers:     []store.TierStats{{Name: "memory", Stats: store.Stats{Bytes: 99}}, {Name: "shared", Faults: 5}},
			Log:       &changelog.Stats{Fresh: true, Members: 2},
			LastSweep: &gqlcache.SweepReport{LiveEntries: 4},
			Versions:  map[string]gqlcache.VersionStats{"v_sales": {Asked: 4, Age: 2500 * time.Millisecond}},
			Observed: &gqlcache.ObservedStats{
				Known: 20, Widened: 3, NotUnderstood: 2, Commits: 11, OutsideCommits: 5, UncertainCommits: 1,
				Findings: map[footprint.FindingKind]uint64{footprint.NotUnderstood: 2, footprint.IncompleteKey: 0},
			},
		},
		operations: []gqlcache.OperationStats{{Name: "(other)", Hits: 2, FillTime: 1500 * time.Millisecond}, {Name: "Feed", Hits: 10}},
		values:     []gqlcache.ComputedStats{{Name: "board", Hits: 6, FillTime: time.Second, Bypassed: map[gqlcache.Reason]uint64{gqlcache.ReasonLease: 1, gqlcache.ReasonErrors: 2}}, {Name: "b\xff"}},
		verify:     inspect.Verify{Rate: 0.01, Mismatched: 6},
	}
}

// collected is what a reader has collected: values by name and attribute values.
type collected struct {
	values    map[string]float64
	units     map[string]string
	monotonic map[string]bool
}

func collect(t *testing.T, reader *sdkmetric.ManualReader) collected {
	t.Helper()
	var rm metricdata.ResourceMetrics
	if err := reader.Collect(t.Context(), &rm); err != nil {
		t.Fatal(err)
	}
	c := collected{map[string]float64{}, map[string]string{}, map[string]bool{}}
	key := func(name string, set attribute.Set) string {
		for _, kv := range set.ToSlice() {
			name += " " + kv.Value.String()
		}
		return name
	}
	for _, scope := range rm.ScopeMetrics {
		for _, m := range scope.Metrics {
			c.units[m.Name] = m.Unit
			switch data := m.Data.(type) {
			case metricdata.Sum[int64]:
				for _, p := range data.DataPoints {
					c.values[key(m.Name, p.Attributes)] = float64(p.Value)
				}
				c.monotonic[m.Name] = data.IsMonotonic
			case metricdata.Sum[float64]:
				for _, p := range data.DataPoints {
					c.values[key(m.Name, p.Attributes)] = p.Value
				}
				c.monotonic[m.Name] = data.IsMonotonic
			case metricdata.Histogram[float64]:
				for _, p := range data.DataPoints {
					c.values[key(m.Name+".count", p.Attributes)] = float64(p.Count)
					c.values[key(m.Name+".sum", p.Attributes)] = p.Sum
					for i, n := range p.BucketCounts {
						le := "+Inf"
						if i < len(p.Bounds) {
							le = fmt.Sprint(p.Bounds[i])
						}
						c.values[key(m.Name+".bucket", p.Attributes)+" "+le] = float64(n)
					}
				}
			case metricdata.Gauge[float64]:
				for _, p := range data.DataPoints {
					c.values[key(m.Name, p.Attributes)] = p.Value
				}
			default:
				t.Errorf("%s is a %T", m.Name, data)
			}
		}
	}
	return c
}

func TestRegister(t *testing.T) {
	t.Parallel()
	s := everything()
	reader := sdkmetric.NewManualReader(sdkmetric.WithProducer(cacheotel.NewProducer(s)))
	registration, err := cacheotel.Register(sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)), s)
	if err != nil {
		t.Fatal(err)
	}
	got := collect(t, reader)
	for name, want := range map[string]float64{
		"gqlcache.hits":                             12,
		"gqlcache.bypassed defer":                   3,
		"gqlcache.observed.statements widened":      3,
		"gqlcache.observed.findings not understood": 2,
		"gqlcache.observed.findings incomplete key": 0,
		"gqlcache.observed.uncertain_commits":       1,
		"gqlcache.operation.hits Feed":              10,
		"gqlcache.operation.hits (other)":           2,
		"gqlcache.operation.fill_time (other)":      1.5,
		"gqlcache.store.errors shared":              5,
		"gqlcache.store.size memory":                99,
		"gqlcache.lease_held":                       1,
		"gqlcache.members":                          2,
		"gqlcache.sweep.live_entries":               4,
		"gqlcache.version.calls v_sales":            4,
		"gqlcache.version.age v_sales":              2.5,
		"gqlcache.verify.sample_ratio":              0.01,
		"gqlcache.verify.mismatched":                6,
		"gqlcache.fill.duration.count":              7,
		"gqlcache.fill.duration.sum":                9.5,
		"gqlcache.fill.duration.bucket 0.001":       1,
		"gqlcache.fill.duration.bucket 1":           2,
		"gqlcache.fill.duration.bucket +Inf":        4,
	} {
		if v, ok := got.values[name]; !ok || v != want {
			t.Errorf("%s is %v, want %v", name, v, want)
		}
	}
	for _, m := range metrics.All() {
		name := m.OpenTelemetry()
		if unit, ok := got.units[name]; !ok || unit != string(m.Unit) {
			t.Errorf("%s: %v, unit %q, want %q", name, ok, unit, m.Unit)
		}
		if got.monotonic[name] != (m.Kind == metrics.Counter) {
			t.Errorf("%s is monotonic: %v", name, got.monotonic[name])
		}
	}

	s.stats.Hits = 13
	if v := collect(t, reader).values["gqlcache.hits"]; v != 13 {
		t.Errorf("hits are %v after one more", v)
	}
	if err := registration.Unregister(); err != nil {
		t.Error(err)
	}
	for name := range collect(t, reader).values {
		if !strings.Contains(name, ".duration.") {
			t.Errorf("%s after Unregister", name)
		}
	}
}

// TestAttributes tell caches apart.
func TestAttributes(t *testing.T) {
	t.Parallel()
	reader := sdkmetric.NewManualReader()
	provider := sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))
	for i, name := range []string{"a", "b"} {
		s := everything()
		s.stats.Hits = uint64(i + 1)
		if _, err := cacheotel.Register(provider, s, attribute.String("cache", name)); err != nil {
			t.Fatal(err)
		}
	}
	got := collect(t, reader).values
	if got["gqlcache.hits a"] != 1 || got["gqlcache.hits b"] != 2 || got["gqlcache.bypassed b defer"] != 3 {
		t.Errorf("%v", got)
	}
}

// refusing is a provider of meters that make no counters.
type refusing struct{ noop.MeterProvider }

type refusingMeter struct{ noop.Meter }

var errRefused = errors.New("refused")

func (refusing) Meter(string, ...metric.MeterOption) metric.Meter { return refusingMeter{} }

func (refusingMeter) Int64ObservableCounter(string, ...metric.Int64ObservableCounterOption) (metric.Int64ObservableCounter, error) {
	return nil, errRefused
}

func TestRegisterReports(t *testing.T) {
	t.Parallel()
	if _, err := cacheotel.Register(refusing{}, everything()); !errors.Is(err, errRefused) {
		t.Errorf("error %v", err)
	}
}

func ExampleRegister() {
	cache, err := gqlcache.New(gqlcache.Options{Callers: gqlcache.AllSeeTheSame})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = cache.Close() }()
	reader := sdkmetric.NewManualReader(sdkmetric.WithProducer(cacheotel.NewProducer(cache))) // yours: NewPeriodicReader
	provider := sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))
	registration, err := cacheotel.Register(provider, cache)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = registration.Unregister() }()

	var rm metricdata.ResourceMetrics
	fmt.Println(reader.Collect(context.Background(), &rm))
	for _, scope := range rm.ScopeMetrics {
		fmt.Println(scope.Metrics[0].Name)
	}
	// Output:
	// <nil>
	// gqlcache.hits
	// gqlcache.fill.duration
}
