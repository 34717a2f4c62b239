package cacheotel

import (
	"context"
	"fmt"
	"slices"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/cascadeql/cascadeql/gqlcache/metrics"
)

// scope names the instrumentation.
const scope = "github.com/cascadeql/cascadeql/gqlcache/metrics/otel"

// Register makes an instrument for each figure of a cache but the histograms, which
// NewProducer has. They are read when the provider's readers collect, and take no part in
// requests. The attributes are added to all of them, to tell several caches of one process
// apart. Unregister the registration when the cache is closed. The error is the
// provider's.
func Register(p metric.MeterProvider, s metrics.Source, attributes ...attribute.KeyValue) (metric.Registration, error) {
	meter := p.Meter(scope)
	o := &observer{source: s, attributes: attributes}
	var all []metric.Observable
	for _, m := range metrics.All() {
		if m.Kind == metrics.Histogram {
			continue
		}
		i, err := newInstrument(meter, m)
		if err != nil {
			return nil, fmt.Errorf("cacheotel: %s: %w", m.OpenTelemetry(), err)
		}
		o.all = append(o.all, i)
		all = append(all, i.observable())
	}
	return meter.RegisterCallback(o.observe, all...)
}

// observer reads the figures of a cache at each collection.
type observer struct {
	source     metrics.Source
	attributes []attribute.KeyValue
	all        []*instrument
}

func (o *observer) observe(_ context.Context, to metric.Observer) error {
	r := metrics.Read(o.source)
	for _, i := range o.all {
		i.observe(r, to, o.attributes)
	}
	return nil
}

// An instrument is a metric's: one of these, as its kind and unit need.
type instrument struct {
	metrics.Metric
	counts metric.Int64ObservableCounter
	sums   metric.Float64ObservableCounter
	levels metric.Int64ObservableUpDownCounter
	gauge  metric.Float64ObservableGauge
}

func newInstrument(meter metric.Meter, m metrics.Metric) (*instrument, error) {
	i := &instrument{Metric: m}
	name, help, unit := m.OpenTelemetry(), metric.WithDescription(m.Help), metric.WithUnit(string(m.Unit))
	var err error
	switch {
	case m.Kind == metrics.Gauge:
		i.gauge, err = meter.Float64ObservableGauge(name, help, unit)
	case m.Kind == metrics.UpDown:
		i.levels, err = meter.Int64ObservableUpDownCounter(name, help, unit)
	case m.Unit == metrics.Seconds:
		i.sums, err = meter.Float64ObservableCounter(name, help, unit)
	default:
		i.counts, err = meter.Int64ObservableCounter(name, help, unit)
	}
	return i, err
}

func (i *instrument) observable() metric.Observable {
	switch {
	case i.gauge != nil:
		return i.gauge
	case i.levels != nil:
		return i.levels
	case i.sums != nil:
		return i.sums
	default:
		return i.counts
	}
}

func (i *instrument) observe(r *metrics.Reading, to metric.Observer, base []attribute.KeyValue) {
	i.Each(r, func(label string, value float64) {
		with := metric.WithAttributeSet(attributesOf(base, i.Label, label))
		switch {
		case i.gauge != nil:
			to.ObserveFloat64(i.gauge, value, with)
		case i.levels != nil:
			to.ObserveInt64(i.levels, int64(value), with)
		case i.sums != nil:
			to.ObserveFloat64(i.sums, value, with)
		default:
			to.ObserveInt64(i.counts, int64(value), with)
		}
	})
}

// attributesOf returns the attributes of a figure.
func attributesOf(base []attribute.KeyValue, label, value string) attribute.Set {
	all := slices.Clone(base)
	if label != "" {
		all = append(all, attribute.String(label, value))
	}
	return attribute.NewSet(all...)
}
