package redislog_test

import (
	"math"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/cascadeql/cascadeql/gqlcache/changelog"
	"github.com/cascadeql/cascadeql/gqlcache/changelog/redislog"
	"github.com/cascadeql/cascadeql/internal/redistest"
	"github.com/cascadeql/cascadeql/internal/rounds"
)

// registerModel is registers that hold what was last written, zero at first.
var registerModel = porcupine.Model{
	Partition: func(history []porcupine.Operation) [][]porcupine.Operation {
		parts := make([][]porcupine.Operation, registers)
		for _, o := range history {
			k := o.Input.(op).k
			parts[k] = append(parts[k], o)
		}
		return parts
	},
	Init: func() any { return 0 },
	Step: func(state, input, output any) (bool, any) {
		if o := input.(op); o.write {
			return true, o.v
		}
		return output.(int) == state.(int), state
	},
	Equal: func(a, b any) bool { return a == b },
}

// A register test records what clients of several instances do, some of them beside the
// caches.
type registerTest struct {
	*intentRig
	announced bool
	linger    time.Duration // the longest time between a commit and its publication
	next      atomic.Int64  // values
	time      atomic.Int64  // grows with every call and return
	refused   atomic.Int64
	doomed    atomic.Pointer[intentInstance] // its next mutation dies after the commit

	mu  sync.Mutex // protects all below
	ops []porcupine.Operation
}

func (h *registerTest) record(client int, o op, do func() (out int, done, ended bool)) {
	call := h.time.Add(1)
	out, done, ended := do()
	if !done {
		return
	}
	end := h.time.Add(1)
	if !ended {
		end = math.MaxInt64 // nobody was told: it may take effect at any time
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ops = append(h.ops, porcupine.Operation{ClientId: client, Input: o, Call: call, Output: out, Return: end})
}

// write changes a register. It reports whether the instance is still alive.
func (h *registerTest) write(client int, l *intentInstance, k int, rng *rand.Rand) (alive bool) {
	alive = true
	o := op{write: true, k: k, v: int(h.next.Add(1))}
	h.record(client, o, func() (int, bool, bool) {
		publish := l.Publish
		if h.announced {
			in, err := l.Intend(h.t.Context(), entity(k), false)
			if err != nil {
				h.refused.Add(1)
				return 0, false, false // it was not run
			}
			publish = in.Publish
		}
		l.stopped.pass()
		h.db.write(k, o.v)
		if h.doomed.CompareAndSwap(l, nil) {
			l.stopped.close()
			alive = false
			return 0, true, false
		}
		wait(time.Duration(rng.Int64N(int64(h.linger))))
		l.stopped.pass()
		_, err := publish(h.t.Context(), entity(k), false)
		// After an error it may be hidden from others, but for an announcement.
		return 0, true, err == nil || h.announced
	})
	return alive
}

func (h *registerTest) client(id int, l *intentInstance, rng *rand.Rand, ops int) {
	for range ops {
		l.stopped.pass() // a stopped process takes no requests
		k := rng.IntN(registers)
		switch n := rng.IntN(100); {
		case n < 8:
			if !h.write(id, l, k, rng) {
				return
			}
		case n < 20:
			h.record(id, op{k: k}, func() (int, bool, bool) { return h.db.read(k), true, true })
		default:
			h.record(id, op{k: k}, func() (int, bool, bool) { return l.read(k), true, true })
		}
		wait(time.Duration(rng.IntN(1000)) * time.Microsecond)
	}
}

// forget makes the server forget all that it knows, again and again.
func forget(t *testing.T, s *redistest.Server, l *intentInstance, every time.Duration, done <-chan struct{}) {
	t.Helper()
	client := s.Client()
	control, stream := l.Keys()
	for {
		select {
		case <-done:
			return
		case <-time.After(every):
		}
		if err := client.Del(t.Context(), control, stream).Err(); err != nil {
			t.Error(err)
		}
	}
}

// TestLinearizable: with announcements, porcupine finds every history of reads and writes
// on three instances, and beside them, linearizable, at the level that waits for nobody,
// and whatever becomes of the instances. Without them it rejects one at the level that
// waits for all.
func TestLinearizable(t *testing.T) {
	t.Parallel()
	paused := func(l *instance) *gate { return &l.stopped }
	deaf := func(l *instance) *gate { return &l.deaf }
	s := redistest.Start(t)
	for _, row := range []struct {
		name      string
		announced bool
		disturb   func(*instance) *gate
		d         time.Duration
		killed    bool
		forgets   bool
	}{
		{"healthy", true, nil, 0, false, false},
		{"paused", true, paused, ttl * 3 / 2, false, false},
		{"deaf", true, deaf, ttl / 2, false, false},
		{"mutator killed", true, nil, 0, true, false},
		{"server forgets", true, nil, 0, false, true},
		{"not announced", false, nil, 0, false, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			rounds.Until(t, "no hits and entries taken over, or none was rejected without announcements", func(int) bool {
				seed := uint64(time.Now().UnixNano())
				level := changelog.Strong
				if row.announced {
					level = changelog.Eventual
				}
				o := redislog.Options{Level: level}
				if row.disturb != nil {
					o.IntentTTL = 6 * ttl // it must exceed the pauses
				}
				h := &registerTest{intentRig: newIntentRig(t, s.Addr(), 3, o), announced: row.announced, linger: 500 * time.Microsecond}
				if row.killed {
					h.doomed.Store(h.all[0])
				}
				done := make(chan struct{})
				var clients, disturber sync.WaitGroup
				if row.disturb != nil {
					var all []*instance
					for _, l := range h.all {
						all = append(all, l.instance)
					}
					disturber.Go(func() { disturb(all, rand.New(rand.NewPCG(seed, 0)), row.disturb, row.d, done) })
				}
				if row.forgets {
					h.linger = 40 * time.Millisecond
					disturber.Go(func() { forget(t, s, h.all[0], intentTTL+ttl, done) })
				}
				var waiting atomic.Bool
				for n := range 6 {
					clients.Go(func() {
						if row.killed && n == 3 { // the other client of the instance that dies
							return
						}
						rng := rand.New(rand.NewPCG(seed, uint64(n+1)))
						h.client(n, h.all[n%3], rng, 400)
						if row.killed && n%3 != 0 && waiting.CompareAndSwap(false, true) {
							over(intentTTL) // the rest is after the announcement's end
						}
						if row.killed && n%3 != 0 {
							h.client(n, h.all[n%3], rng, 200)
						}
					})
				}
				clients.Wait()
				close(done)
				disturber.Wait()
				result := porcupine.CheckOperationsTimeout(registerModel, h.ops, 20*time.Second)
				hits, adopted, expired := int64(0), 0, uint64(0)
				for _, l := range h.all {
					hits += l.hits.Load()
					l.mu.Lock()
					adopted += l.adoptive
					l.mu.Unlock()
					expired += l.Stats().Expired
				}
				t.Logf("seed %d: %v; %d operations, %d hits, %d on the shelf, %d refused, %d expired", seed, result, len(h.ops), hits, adopted, h.refused.Load(), expired)
				if row.announced && result != porcupine.Ok {
					t.Errorf("porcupine says %v", result)
				}
				if row.killed && expired != 1 {
					t.Errorf("%d announcements have ended by themselves, of one instance that was killed", expired)
				}
				return hits > 0 && adopted > 0 && (row.announced || result == porcupine.Illegal)
			})
		})
	}
}
