package cacheotel

import (
	"context"
	"fmt"
	"strconv"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/cascadeql/cascadeql/gqlcache/metrics"
)

// scope names the instrumentation.
const scope = "github.com/cascadeql/cascadeql/gqlcache/metrics/otel"

// Register makes an instrument for each figure of a cache. They are read when the
// provider's readers collect, and take no part in requests. The attributes are added to
// all of them, to tell several caches of one process apart. Unregister the registration
// when the cache is closed. The error is the provider's.
func Register(p metric.MeterProvider, s metrics.Source, attributes ...attribute.KeyValue) (metric.Registration, error) {
	meter := p.Meter(scope)
	o := &observer{source: s, attributes: attributes}
	var all []metric.Observable
	for _, m := range metrics.All() {
		i, err := newInstrument(meter, m)
		if err != nil {
			return nil, fmt.Errorf("cacheotel: %s: %w", m.OpenTelemetry(), err)
		}
		o.all = append(o.all, i)
		all = append(all, i.observables()...)
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

// An instrument is a metric's, of which it has those that its kind and unit need.
type instrument struct {
	metrics.Metric
	counts, buckets metric.Int64ObservableCounter
	sums            metric.Float64ObservableCounter
	gauge           metric.Float64ObservableGauge
}

func newInstrument(meter metric.Meter, m metrics.Metric) (*instrument, error) {
	i := &instrument{Metric: m}
	name, help, unit := m.OpenTelemetry(), metric.WithDescription(m.Help), metric.WithUnit(ucum(m.Unit))
	var err error
	switch {
	case m.Kind == metrics.Histogram:
		if i.sums, err = meter.Float64ObservableCounter(name+".sum", help, unit); err != nil {
			return nil, err
		}
		if i.counts, err = meter.Int64ObservableCounter(name+".count", help); err != nil {
			return nil, err
		}
		i.buckets, err = meter.Int64ObservableCounter(name+".bucket", help)
	case m.Kind == metrics.Gauge:
		i.gauge, err = meter.Float64ObservableGauge(name, help, unit)
	case m.Unit == metrics.Seconds:
		i.sums, err = meter.Float64ObservableCounter(name, help, unit)
	default:
		i.counts, err = meter.Int64ObservableCounter(name, help, unit)
	}
	return i, err
}

// ucum returns a unit as OpenTelemetry writes it.
func ucum(u metrics.Unit) string {
	switch u {
	case metrics.Seconds:
		return "s"
	case metrics.Bytes:
		return "By"
	default:
		return ""
	}
}

func (i *instrument) observables() []metric.Observable {
	var all []metric.Observable
	if i.counts != nil {
		all = append(all, i.counts)
	}
	if i.buckets != nil {
		all = append(all, i.buckets)
	}
	if i.sums != nil {
		all = append(all, i.sums)
	}
	if i.gauge != nil {
		all = append(all, i.gauge)
	}
	return all
}

func (i *instrument) observe(r *metrics.Reading, to metric.Observer, base []attribute.KeyValue) {
	if i.Kind == metrics.Histogram {
		i.distribution(r, to, base)
		return
	}
	i.Each(r, func(label string, value float64) {
		with := with(base, i.Label, label)
		switch {
		case i.gauge != nil:
			to.ObserveFloat64(i.gauge, value, with)
		case i.sums != nil:
			to.ObserveFloat64(i.sums, value, with)
		default:
			to.ObserveInt64(i.counts, int64(value), with)
		}
	})
}

func (i *instrument) distribution(r *metrics.Reading, to metric.Observer, base []attribute.KeyValue) {
	h, plain := i.Histogram(r), with(base, "", "")
	to.ObserveInt64(i.counts, int64(h.Count), plain)
	to.ObserveFloat64(i.sums, h.Sum.Seconds(), plain)
	for bound, n := range h.Cumulative() {
		le := strconv.FormatFloat(bound.Seconds(), 'g', -1, 64)
		to.ObserveInt64(i.buckets, int64(n), with(base, "le", le))
	}
	to.ObserveInt64(i.buckets, int64(h.Count), with(base, "le", "+Inf"))
}

// with returns the attributes of a figure.
func with(base []attribute.KeyValue, label, value string) metric.ObserveOption {
	all := append([]attribute.KeyValue{}, base...)
	if label != "" {
		all = append(all, attribute.String(label, value))
	}
	return metric.WithAttributeSet(attribute.NewSet(all...))
}
