package main

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"github.com/cascadeql/cascadeql/internal/rounds"
)

var staleReads = flag.Int64("stale.reads", defaultReads, "reads of the stale-after-acknowledgment check")

// testLatency is the database's: a read may hold rows for longer than a mutation takes.
const testLatency = 10 * time.Millisecond

// A race is readers and writers on the same rows.
type race struct {
	rig       *rig
	peers     []*rig // further instances over the same rows
	registers []*register
	readers   int
	writers   int
	reads     int64 // to do
	perWrite  int64 // reads that let one write go ahead

	done   atomic.Int64
	stale  atomic.Int64
	latest atomic.Int64 // the register written last
	mu     sync.Mutex
	faults []string
}

func (r *race) fault(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.faults) < 10 {
		r.faults = append(r.faults, fmt.Sprintf(format, args...))
	}
}

// any returns one of the instances.
func (r *race) any() *rig {
	if i := rand.IntN(1 + len(r.peers)); i > 0 {
		return r.peers[i-1]
	}
	return r.rig
}

// run lets the writers write at the pace of the readers, and returns the number of
// writes.
func (r *race) run(seed uint64) int64 {
	turns := make(chan struct{}, r.writers)
	r.done.Store(0)
	var writes atomic.Int64
	var writing, reading sync.WaitGroup
	for w := range r.writers {
		writing.Go(func() {
			rng := rand.New(rand.NewPCG(seed, uint64(w)))
			var mine []int
			for i := w; i < len(r.registers); i += r.writers {
				mine = append(mine, i)
			}
			for range turns {
				i := pick(rng, mine)
				r.write(r.registers[i])
				r.latest.Store(int64(i))
				writes.Add(1)
			}
		})
	}
	for n := range r.readers {
		reading.Go(func() {
			rng := rand.New(rand.NewPCG(seed, 1<<32+uint64(n)))
			for {
				n := r.done.Add(1)
				if n > r.reads {
					return
				}
				if n%r.perWrite == 0 {
					turns <- struct{}{} // waits for writers that are behind
				}
				if n%512 == 0 && r.rig.cache != nil {
					_, _ = r.any().cache.Sweep(r.rig.ctx) // which forgets tags that fills are about to use
				}
				reg := pick(rng, r.registers)
				if rng.IntN(2) == 0 {
					reg = r.registers[r.latest.Load()]
				}
				r.read(reg, pick(rng, reg.views), rng.IntN(4) == 0)
			}
		})
	}
	reading.Wait()
	close(turns)
	writing.Wait()
	return writes.Load()
}

// write brings about the next state of a register, of which the caller is the only
// writer.
func (r *race) write(reg *register) {
	n := reg.begun.Add(1)
	rep := r.any().ask(reg.tenant, reg.write(int(n)), false)
	if failed := len(rep.Errors) > 0; failed != reg.fails || rep.Status != 200 {
		r.fault("write %d of %s: status %d, errors %s", n, reg.name, rep.Status, rep.Errors)
	}
	reg.acked.Store(n)
}

// read looks at a register, as its tenant or as the administrator.
func (r *race) read(reg *register, s sight, asAdmin bool) {
	tenant := reg.tenant
	if asAdmin {
		tenant = "*"
	}
	acked := reg.acked.Load()
	rep := r.any().ask(tenant, s.query, false)
	begun := reg.begun.Load()
	if rep.Status != 200 || len(rep.Errors) > 0 {
		r.fault("read of %s by %s: status %d, errors %s", reg.name, s.query, rep.Status, rep.Errors)
	}
	if shown := s.see(rep.Data); s.stale(shown, acked, begun) {
		r.stale.Add(1)
		r.fault("stale: %s by %s as %s shows %q, acknowledged was state %d (%q), begun %d", reg.name, s.query, tenant,
			shown, acked, s.shows(int(acked)), begun)
	}
}

// settle reads every sight of every register after the last write.
func (r *race) settle() {
	for _, reg := range r.registers {
		for _, s := range reg.views {
			for range 2 {
				r.read(reg, s, false)
				r.read(reg, s, true)
			}
		}
	}
}

// newRace fills the tables of the boards.
func newRace(t *testing.T, s setup, tenants ...string) *race {
	t.Helper()
	return newRaceOn(t, startRig(t, s), tenants...)
}

func newRaceOn(t *testing.T, rig *rig, tenants ...string) *race {
	t.Helper()
	r := &race{rig: rig, readers: 32, writers: 6, perWrite: 24}
	for i, tenant := range tenants {
		b := &board{tenant: tenant, serial: i + 1}
		r.registers = append(r.registers, b.registers()...)
		for _, seed := range b.seeds {
			if rep := r.rig.ask(tenant, requestBody("mutation { "+seed+" }"), false); len(rep.Errors) > 0 {
				t.Fatalf("%s: %s", seed, rep.Errors)
			}
		}
	}
	return r
}

// TestNoStaleReads runs readers and writers on the same rows: no read that began after a
// mutation was acknowledged shows the state before it.
func TestNoStaleReads(t *testing.T) {
	t.Parallel()
	for name, s := range setups() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			noStaleReads(t, s)
		})
	}
}

func noStaleReads(t *testing.T, s setup) {
	t.Helper()
	r := newRace(t, s, "tenant one", "tenant two")
	r.settle() // sees state 0, and tests the sights
	if r.reads = *staleReads; testing.Short() {
		r.reads = min(r.reads, shortReads)
	}
	rounds.Until(t, "no hits, joined flights, dead entries and overtaken computations", func(int) bool {
		seed := rand.Uint64()
		start := time.Now()
		r.rig.store.SetLatency(testLatency)
		writes := r.run(seed)
		took := time.Since(start)
		r.rig.store.SetLatency(0)
		r.settle()
		st := r.rig.cache.Stats()
		t.Logf("seed %d: %d reads, %d writes in %v; %d stale; %.0f %% hits, %d joined, %d dead, %d refused as overtaken",
			seed, r.reads, writes, took.Round(time.Millisecond), r.stale.Load(), 100*st.HitRate(), st.Joined, st.Dead, st.NotStored["invalidated"])
		for _, f := range r.faults {
			t.Error(f)
		}
		return writes >= r.reads/100 && st.HitRate() >= 0.2 && st.Joined > 0 && st.Dead > 0 && st.NotStored["invalidated"] > 0
	})
}

// TestStaleReadsAreSeen lets the same check find a naive cache out: it is right as long
// as nothing overlaps, and stale when readers and writers do.
func TestStaleReadsAreSeen(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name  string
		alone bool
	}{
		{"one after the other", true},
		{"side by side", false},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			r := newRace(t, setup{extension: func() graphql.HandlerExtension { return newNaive() }}, "tenant one")
			r.registers = r.registers[:1]
			r.registers[0].views = r.registers[0].views[:1]
			r.reads, r.readers, r.writers, r.perWrite = 1500, 8, 1, 8
			if row.alone {
				for range 20 {
					r.write(r.registers[0])
					r.settle()
				}
			} else {
				r.rig.store.SetLatency(testLatency)
				rounds.Until(t, "no read was stale: the check sees nothing", func(round int) bool {
					r.run(uint64(round))
					return r.stale.Load() > 0
				})
			}
			if got := r.stale.Load(); row.alone && got > 0 {
				t.Errorf("%d stale reads; %v", got, r.faults)
			}
		})
	}
}
