// Package cacheotel hands a cache's figures and spans to OpenTelemetry. It is a module of
// its own, so that importers of the cache do not get OpenTelemetry with it.
//
//	cache, err := gqlcache.New(gqlcache.Options{Tracer: cacheotel.NewTracer(otel.GetTracerProvider())})
//	…
//	reader := sdkmetric.NewPeriodicReader(exporter, sdkmetric.WithProducer(cacheotel.NewProducer(cache)))
//	provider := sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))
//	registration, err := cacheotel.Register(provider, cache)
//
// The instruments and histograms are those of docs/metrics.md. Their names, units and
// attributes follow OpenTelemetry's semantic conventions. Where they are translated for
// Prometheus, as its specification says, they are those of package cacheprometheus.
package cacheotel
