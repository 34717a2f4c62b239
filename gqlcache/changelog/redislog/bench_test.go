package redislog_test

import (
	"testing"
	"time"

	"github.com/cascadeql/cascadeql/gqlcache/changelog"
	"github.com/cascadeql/cascadeql/gqlcache/changelog/redislog"
	"github.com/cascadeql/cascadeql/internal/redistest"
)

// BenchmarkPublish measures a publication of three tags, with two other instances, and
// reports it as a multiple of a plain GET to the same server in the same run.
func BenchmarkPublish(b *testing.B) {
	for _, level := range []changelog.Level{changelog.Eventual, changelog.Bounded, changelog.Strong} {
		b.Run(level.String(), func(b *testing.B) {
			s := redistest.Start(b)
			all := startFresh(b, 3, s.Addr(), redislog.Options{Level: level, TTL: time.Second})
			tags := append(append(entity(1), entity(2)...), entity(3)...)
			client := s.Client()
			ctx := b.Context()
			if err := client.Set(ctx, "x", "y", 0).Err(); err != nil {
				b.Fatal(err)
			}
			var publishing, getting time.Duration
			unconfirmed := 0
			b.ReportAllocs()
			for b.Loop() {
				began := time.Now()
				receipt, err := all[0].Publish(ctx, tags, false)
				if err != nil {
					b.Fatal(err)
				}
				if !receipt.Confirmed {
					unconfirmed++
				}
				published := time.Now()
				if err := client.Get(ctx, "x").Err(); err != nil {
					b.Fatal(err)
				}
				publishing += published.Sub(began)
				getting += time.Since(published)
			}
			b.ReportMetric(float64(publishing)/float64(getting), "GETs/publication")
			b.ReportMetric(float64(unconfirmed)/float64(b.N), "unconfirmed/op")
		})
	}
}

// BenchmarkFresh is the cost of a hit's look at the lease.
func BenchmarkFresh(b *testing.B) {
	s := redistest.Start(b)
	i := startFresh(b, 1, s.Addr(), redislog.Options{TTL: time.Second})[0]
	b.ReportAllocs()
	for b.Loop() {
		i.Fresh()
	}
}
