package cacheotel

import (
	"context"
	"slices"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/instrumentation"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/cascadeql/cascadeql/gqlcache/metrics"
)

// producer implements sdkmetric.Producer.
type producer struct {
	source     metrics.Source
	attributes attribute.Set
	since      time.Time
}

// NewProducer returns the histograms of a cache, with its own buckets. Give it to a reader
// of the SDK, once for each:
//
//	sdkmetric.NewPeriodicReader(exporter, sdkmetric.WithProducer(cacheotel.NewProducer(cache)))
//
// They are read when the reader collects, and take no part in requests. The instruments of
// OpenTelemetry's API cannot be histograms that are read. The temporality is cumulative,
// whatever the reader's, and views do not change them. The attributes are as in Register.
// It may be called concurrently, and does not block.
func NewProducer(s metrics.Source, attributes ...attribute.KeyValue) sdkmetric.Producer {
	return &producer{s, attribute.NewSet(slices.Clone(attributes)...), time.Now()}
}

// Produce implements sdkmetric.Producer.
func (p *producer) Produce(context.Context) ([]metricdata.ScopeMetrics, error) {
	r, now := metrics.Read(p.source), time.Now()
	all := metricdata.ScopeMetrics{Scope: instrumentation.Scope{Name: scope}}
	for _, m := range metrics.All() {
		if m.Kind == metrics.Histogram {
			all.Metrics = append(all.Metrics, p.distribution(m, r, now))
		}
	}
	return []metricdata.ScopeMetrics{all}, nil
}

func (p *producer) distribution(m metrics.Metric, r *metrics.Reading, now time.Time) metricdata.Metrics {
	h := m.Histogram(r)
	bounds := make([]float64, len(h.Bounds))
	for i, b := range h.Bounds {
		bounds[i] = b.Seconds()
	}
	counts := slices.Clone(h.Counts)
	if len(counts) != len(bounds)+1 { // a source that has none
		bounds, counts = nil, []uint64{h.Count}
	}
	point := metricdata.HistogramDataPoint[float64]{
		Attributes: p.attributes, StartTime: p.since, Time: now,
		Count: h.Count, Sum: h.Sum.Seconds(), Bounds: bounds, BucketCounts: counts,
	}
	return metricdata.Metrics{
		Name: m.OpenTelemetry(), Description: m.Help, Unit: string(m.Unit),
		Data: metricdata.Histogram[float64]{
			DataPoints: []metricdata.HistogramDataPoint[float64]{point}, Temporality: metricdata.CumulativeTemporality,
		},
	}
}
