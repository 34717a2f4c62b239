// Package cacheotel hands a cache's figures and spans to OpenTelemetry. It is a module of
// its own, so that importers of the cache do not get OpenTelemetry with it.
//
//	cache, err := gqlcache.New(gqlcache.Options{Tracer: cacheotel.NewTracer(otel.GetTracerProvider())})
//	…
//	registration, err := cacheotel.Register(otel.GetMeterProvider(), cache)
//
// The instruments are those of docs/metrics.md. OpenTelemetry has no histogram that is
// read rather than pushed; each of ours is three counters: .count, .sum in seconds, and
// .bucket, cumulative, with the attribute le.
package cacheotel
