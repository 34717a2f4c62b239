package gqlcache_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/changelog"
	"github.com/cascadeql/cascadeql/gqlcache/internal/testgraph"
	"github.com/cascadeql/cascadeql/internal/rounds"
)

// A history is readers and writers on several instances. The counters only grow, each by
// one writer, so a read is stale when it shows less than what was acknowledged before it
// began.
type history struct {
	*instances
	acked, begun [3]atomic.Int64
	reads        atomic.Int64
	stale        atomic.Int64
	first        atomic.Pointer[string] // stale read
}

func pause(rng *rand.Rand, most time.Duration) {
	<-time.After(rand.N(most) * time.Duration(rng.IntN(2)))
}

func (h *history) write(k int, m *instance) {
	n := h.begun[k].Add(1)
	resp := testgraph.Ask(h.t, m.h, fmt.Sprintf("mutation{setCounter(id:%d,value:%d){value}}", k, 100+n), nil)
	if len(resp.Errors) > 0 {
		h.t.Errorf("%s", resp.Body)
	}
	h.acked[k].Store(n)
}

func (h *history) read(k int, m *instance, all bool) {
	document := fmt.Sprintf("{c:counter(id:%d){value}}", k)
	if all {
		document = "{c:counters{value}}"
	}
	acked := h.acked[k].Load()
	resp := testgraph.Ask(h.t, m.h, document, nil)
	h.reads.Add(1)
	got := struct{ C json.RawMessage }{}
	var one struct{ Value int64 }
	list := make([]struct{ Value int64 }, 3)
	err := json.Unmarshal(resp.Data, &got)
	if err == nil && all {
		err = json.Unmarshal(got.C, &list)
		one = list[k]
	} else if err == nil {
		err = json.Unmarshal(got.C, &one)
	}
	if err != nil || len(resp.Errors) > 0 {
		h.t.Errorf("%s: %s, %v", document, resp.Body, err)
	}
	if acked > 0 && one.Value < 100+acked {
		h.stale.Add(1)
		h.first.CompareAndSwap(nil, new(fmt.Sprintf("%s shows %d, acknowledged was %d", document, one.Value, 100+acked)))
	}
}

// trouble stops deliveries, ends leases and begins epochs, at random, until the channel
// is closed.
func (h *history) trouble(rng *rand.Rand, end <-chan struct{}) {
	for {
		select {
		case <-end:
			return
		default:
		}
		m := h.all[rng.IntN(len(h.all))].log
		switch rng.IntN(8) {
		case 0:
			h.fakeLog.restart()
			for _, m := range h.all {
				pause(rng, 200*time.Microsecond)
				m.log.recover()
			}
		case 1, 2, 3:
			m.withhold()
			pause(rng, time.Millisecond)
			m.lose()
			pause(rng, time.Millisecond)
			if rng.IntN(2) == 0 {
				h.fakeLog.trim()
			}
		default:
			m.withhold()
			pause(rng, time.Millisecond)
		}
		m.recover()
		pause(rng, time.Millisecond)
	}
}

// TestHistories: with a log that waits no read is stale, whatever becomes of deliveries,
// leases and epochs; the same check finds stale reads where the log does not wait.
func TestHistories(t *testing.T) {
	t.Parallel()
	rows := []struct {
		level   changelog.Level
		trouble bool
		stale   bool
	}{
		{changelog.Strong, false, false},
		{changelog.Strong, true, false},
		{changelog.Eventual, false, true},
	}
	for _, row := range rows {
		t.Run(fmt.Sprintf("%v, trouble=%v", row.level, row.trouble), func(t *testing.T) {
			t.Parallel()
			seed := rand.Uint64()
			h := &history{instances: newInstances(t, 3, func(m *instance, _ *gqlcache.Options) { m.log.level = row.level })}
			var carried sync.WaitGroup
			h.fakeLog.carry = func(m *logMember) {
				if row.level != changelog.Eventual {
					m.deliver()
					return
				}
				carried.Go(func() { <-time.After(rand.N(2 * time.Millisecond)); m.deliver() })
			}
			rounds.Until(t, "no hits, shared hits, dead entries, lost leases and stale reads, where there must be some", func(int) bool {
				var writers, others sync.WaitGroup
				end := make(chan struct{})
				for k := range 3 {
					writers.Go(func() {
						rng := rand.New(rand.NewPCG(seed, uint64(k)))
						for range 150 {
							h.write(k, h.all[rng.IntN(3)])
							pause(rng, 2*time.Millisecond)
						}
					})
					for i := range 2 {
						others.Go(func() {
							rng := rand.New(rand.NewPCG(seed, uint64(100+10*k+i)))
							for {
								select {
								case <-end:
									return
								default:
									h.read(k, h.all[rng.IntN(3)], rng.IntN(2) == 0)
								}
							}
						})
					}
				}
				if row.trouble {
					others.Go(func() { h.trouble(rand.New(rand.NewPCG(seed, 999)), end) })
				}
				writers.Wait()
				close(end)
				others.Wait()
				carried.Wait()
				var s gqlcache.Stats
				for _, m := range h.all {
					st := m.cache.Stats()
					s.Hits, s.SharedHits, s.Dead, s.SharedDead = s.Hits+st.Hits, s.SharedHits+st.SharedHits, s.Dead+st.Dead, s.SharedDead+st.SharedDead
					s.Misses += st.Bypassed[gqlcache.ReasonLease]
				}
				t.Logf("seed %d: %d of %d reads stale; %d hits, %d shared, %d dead, %d shared dead, %d without a lease",
					seed, h.stale.Load(), h.reads.Load(), s.Hits, s.SharedHits, s.Dead, s.SharedDead, s.Misses)
				if first := h.first.Load(); first != nil && !row.stale {
					t.Errorf("%d stale reads: %s", h.stale.Load(), *first)
				}
				if s.Misses > 0 && !row.trouble {
					t.Errorf("%d requests without a lease", s.Misses)
				}
				return s.Hits > 0 && s.SharedHits > 0 && s.Dead > 0 && s.SharedDead > 0 && (s.Misses > 0) == row.trouble && (h.stale.Load() > 0) == row.stale
			})
		})
	}
}
