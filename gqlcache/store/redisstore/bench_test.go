package redisstore_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cascadeql/cascadeql/gqlcache/store"
	"github.com/cascadeql/cascadeql/gqlcache/store/redisstore"
	"github.com/cascadeql/cascadeql/internal/redistest"
)

// tags is a Meta of the size that an entry of three tags has.
type tags struct{}

func (tags) AppendBinary(b []byte) ([]byte, error) { return append(b, make([]byte, 80)...), nil }

// typical is an entry of 2 KiB of JSON.
func typical() *store.Entry {
	body := strings.Repeat(`{"id":"0b5f2a","title":"some title","author":{"name":"somebody"}},`, 32)
	return &store.Entry{Body: []byte(body), Version: 1, Size: 3000, Meta: tags{}, Expires: time.Now().Add(time.Hour)}
}

var longKey = []byte(strings.Repeat("k", 150))

// BenchmarkGet compares Get with a plain GET of as many bytes, in turns.
func BenchmarkGet(b *testing.B) {
	client := redistest.Start(b).Client()
	s := newStore(b, redisstore.Options{Client: client, Write: redisstore.Through})
	mustPut(b, s, string(longKey), typical())
	value := strings.Repeat("v", 44+len(longKey)+80+len(typical().Body))
	ctx := context.Background()
	if err := client.Set(ctx, "plain", value, time.Hour).Err(); err != nil {
		b.Fatal(err)
	}
	ratio(b, func() error { return client.Get(ctx, "plain").Err() }, func() error { _, err := s.Get(ctx, longKey); return err })
}

// BenchmarkPut compares Put with a plain SET of as many bytes, in turns.
func BenchmarkPut(b *testing.B) {
	for name, write := range map[string]redisstore.Policy{"through": redisstore.Through, "behind": redisstore.Behind} {
		b.Run(name, func(b *testing.B) {
			client := redistest.Start(b).Client()
			s := newStore(b, redisstore.Options{Client: client, Write: write})
			e := typical()
			value := strings.Repeat("v", 44+len(longKey)+80+len(e.Body))
			ctx := context.Background()
			ratio(b, func() error { return client.Set(ctx, "plain", value, time.Hour).Err() }, func() error { return s.Put(ctx, longKey, e) })
		})
	}
}

// ratio reports how many times as long as plain ours takes.
func ratio(b *testing.B, plain, ours func() error) {
	b.Helper()
	var took [2]time.Duration
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		for i, f := range []func() error{plain, ours} {
			start := time.Now()
			if err := f(); err != nil {
				b.Fatal(err)
			}
			took[i] += time.Since(start)
		}
		n++
	}
	b.ReportMetric(float64(took[1])/float64(took[0]), "x-plain")
	b.ReportMetric(float64(took[0].Nanoseconds())/float64(n), "ns/plain")
	b.ReportMetric(float64(took[1].Nanoseconds())/float64(n), "ns/ours")
}

// BenchmarkMemory reports what Redis needs for an entry of 2 KiB, beside its body.
func BenchmarkMemory(b *testing.B) {
	for name, above := range map[string]int{"plain": 0, "zstd": 1} {
		b.Run(name, func(b *testing.B) {
			client := redistest.Start(b).Client()
			s := newStore(b, redisstore.Options{Client: client, Write: redisstore.Through, CompressAbove: above})
			e := typical()
			for i := 0; b.Loop(); i++ {
				mustPut(b, s, fmt.Sprintf("%0150d", i%1000), e)
			}
			ctx := context.Background()
			b.ReportMetric(memory(b, client), "bytes/entry")
			b.ReportMetric(memory(b, client)-float64(len(e.Body)), "bytes/overhead")
			if n := client.DBSize(ctx).Val(); n == 0 {
				b.Error("nothing is stored")
			}
		})
	}
}

// memory returns what some key needs, by MEMORY USAGE.
func memory(b *testing.B, client *redis.Client) float64 {
	b.Helper()
	at, err := client.RandomKey(context.Background()).Result()
	if err != nil {
		b.Fatal(err)
	}
	n, err := client.MemoryUsage(context.Background(), at).Result()
	if err != nil {
		b.Fatal(err)
	}
	return float64(n)
}
