package redislog_test

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cascadeql/cascadeql/gqlcache/changelog"
	"github.com/cascadeql/cascadeql/gqlcache/changelog/redislog"
	"github.com/cascadeql/cascadeql/internal/redistest"
	"github.com/cascadeql/cascadeql/internal/rounds"
)

// An op is a read or a write of one register, with the times between which it took place.
type op struct {
	write     bool
	k, v      int
	call, ret time.Duration
	confirmed bool
}

const registers = 3

// A trace is what clients did and saw.
type trace struct {
	began  time.Time
	next   atomic.Int64
	failed atomic.Int64          // writes
	locks  [registers]sync.Mutex // one writer a register, so that its values grow

	mu  sync.Mutex // protects all below
	ops []op
}

// client does some operations on an instance.
func (h *trace) client(t *testing.T, i *instance, r *rand.Rand, ops int) {
	t.Helper()
	for range ops {
		i.stopped.pass() // a stopped process takes no requests
		o := op{k: r.IntN(registers), call: time.Since(h.began)}
		if o.write = r.IntN(100) < 8; o.write {
			h.locks[o.k].Lock()
			o.v = int(h.next.Add(1))
			receipt, err := i.write(t, o.k, o.v)
			o.confirmed = receipt.Confirmed
			if err != nil {
				h.failed.Add(1) // the server is too busy to answer within a lease
			}
			o.ret = time.Since(h.began)
			h.locks[o.k].Unlock()
		} else {
			o.v = i.read(o.k)
			o.ret = time.Since(h.began)
		}
		h.mu.Lock()
		h.ops = append(h.ops, o)
		h.mu.Unlock()
		wait(time.Duration(r.IntN(1000)) * time.Microsecond)
	}
}

func wait(d time.Duration) { <-time.After(d) }

// check counts the reads that began after a write had been acknowledged and returned what
// was there before it: after any acknowledgement, and after a confirmed one.
func (h *trace) check() (stale, broken, reads, unconfirmed int) {
	for _, w := range h.ops {
		if w.write && !w.confirmed {
			unconfirmed++
		}
	}
	for _, r := range h.ops {
		if r.write {
			continue
		}
		reads++
		isStale, isBroken := false, false
		for _, w := range h.ops {
			if w.write && w.k == r.k && w.ret < r.call && w.v > r.v {
				isStale = true
				isBroken = isBroken || w.confirmed
			}
		}
		if isStale {
			stale++
		}
		if isBroken {
			broken++
		}
	}
	return stale, broken, reads, unconfirmed
}

// disturb shuts a gate of one instance after another, for a while.
func disturb(all []*instance, r *rand.Rand, which func(*instance) *gate, d time.Duration, done <-chan struct{}) {
	for {
		g := which(all[r.IntN(len(all))])
		g.close()
		select {
		case <-done:
		case <-time.After(d):
		}
		g.open()
		select {
		case <-done:
			return
		case <-time.After(d / 4):
		}
	}
}

// TestHistories has clients of three instances read and write. Verified of every history:
// no read that began after a write was confirmed returns what was there before it. A
// strong write that the server has taken is confirmed. And the check can fail: an
// eventual log shows staleness, none of it confirmed.
func TestHistories(t *testing.T) {
	t.Parallel()
	paused := func(i *instance) *gate { return &i.stopped }
	deaf := func(i *instance) *gate { return &i.deaf }
	s := redistest.Start(t)
	for _, row := range []struct {
		name    string
		level   changelog.Level
		disturb func(*instance) *gate
		d       time.Duration
	}{
		{"eventual, deaf", changelog.Eventual, deaf, ttl / 2},
		{"bounded, healthy", changelog.Bounded, nil, 0},
		{"bounded, paused", changelog.Bounded, paused, ttl * 3 / 2},
		{"bounded, deaf", changelog.Bounded, deaf, ttl / 2},
		{"strong, healthy", changelog.Strong, nil, 0},
		{"strong, paused", changelog.Strong, paused, ttl * 3 / 2},
		{"strong, deaf", changelog.Strong, deaf, ttl / 2},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			rounds.Until(t, "no read was served from a cache, or none is stale though nobody waited: the check sees nothing", func(int) bool {
				seed := uint64(time.Now().UnixNano())
				all := startFresh(t, 3, s.Addr(), redislog.Options{Namespace: namespace(), Level: row.level})
				h := &trace{began: time.Now()}
				done := make(chan struct{})
				var clients, disturber sync.WaitGroup
				if row.disturb != nil {
					disturber.Go(func() { disturb(all, rand.New(rand.NewPCG(seed, 0)), row.disturb, row.d, done) })
				}
				for n := range 6 {
					clients.Go(func() { h.client(t, all[n%3], rand.New(rand.NewPCG(seed, uint64(n+1))), 400) })
				}
				clients.Wait()
				close(done)
				disturber.Wait()
				stale, broken, reads, unconfirmed := h.check()
				hits := int64(0)
				for _, i := range all {
					hits += i.hits.Load()
				}
				t.Logf("seed %d: %d of %d reads stale, %d after a confirmed write; %d hits; %d writes unconfirmed", seed, stale, reads, broken, hits, unconfirmed)
				switch {
				case broken > 0:
					t.Errorf("%d reads are stale after a confirmed write", broken)
				case row.level == changelog.Strong && int64(unconfirmed) > h.failed.Load():
					t.Errorf("strong: %d writes not confirmed, %d failed", unconfirmed, h.failed.Load())
				}
				return hits > 0 && (stale > 0 || row.level != changelog.Eventual)
			})
		})
	}
}
