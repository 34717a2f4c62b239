package redislog_test

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cascadeql/cascadeql/gqlcache/changelog"
	"github.com/cascadeql/cascadeql/gqlcache/changelog/redislog"
	"github.com/cascadeql/cascadeql/internal/redistest"
)

// BenchmarkInstances publishes from one of several instances, by one caller and by
// sixteen at a time, and reports the time of a publication and what the server was asked:
// scripts and announcements for each publication, those of renewals included. All
// instances and the server share the machine.
func BenchmarkInstances(b *testing.B) {
	for _, n := range []int{3, 10, 50} {
		for _, level := range []changelog.Level{changelog.Eventual, changelog.Bounded, changelog.Strong} {
			for _, callers := range []int{1, 16} {
				b.Run(fmt.Sprintf("%d/%v/%d", n, level, callers), func(b *testing.B) {
					benchInstances(b, n, callers, level)
				})
			}
		}
	}
}

func benchInstances(b *testing.B, n, callers int, level changelog.Level) {
	b.Helper()
	s := redistest.Start(b)
	all := startFresh(b, n, s.Addr(), redislog.Options{Level: level, TTL: 1500 * time.Millisecond})
	client, ctx := s.Client(), context.Background()
	var unconfirmed atomic.Int64
	var mu sync.Mutex
	var took []time.Duration
	publish := func(k int) {
		began := time.Now()
		receipt, err := all[0].Publish(ctx, entity(k), false)
		if err != nil {
			b.Error(err)
		}
		if !receipt.Confirmed {
			unconfirmed.Add(1)
		}
		mu.Lock()
		took = append(took, time.Since(began))
		mu.Unlock()
	}
	before := commands(b, client)
	for b.Loop() {
		var wg sync.WaitGroup
		for k := range callers {
			wg.Go(func() { publish(k) })
		}
		wg.Wait()
	}
	after := commands(b, client)
	slices.Sort(took)
	published := float64(len(took))
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "µs/p50")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "µs/p99")
	b.ReportMetric(float64(after["evalsha"]-before["evalsha"])/published, "scripts/publication")
	b.ReportMetric(float64(after["publish"]-before["publish"])/published, "announcements/publication")
	b.ReportMetric(float64(unconfirmed.Load())/published, "unconfirmed/publication")
}

// commands returns how often the server has run each command.
func commands(b *testing.B, c *redis.Client) map[string]int {
	b.Helper()
	text, err := c.Info(context.Background(), "commandstats").Result()
	if err != nil {
		b.Fatal(err)
	}
	calls := map[string]int{}
	for line := range strings.Lines(text) {
		name, rest, _ := strings.Cut(strings.TrimPrefix(line, "cmdstat_"), ":calls=")
		digits, _, _ := strings.Cut(rest, ",")
		calls[name], _ = strconv.Atoi(digits)
	}
	return calls
}
