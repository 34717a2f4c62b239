package gqlcache_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/internal/testgraph"
	"github.com/cascadeql/cascadeql/internal/rounds"
)

// registerOp is what a client asked of one register: to write a value, or to read.
type registerOp struct {
	register int
	write    bool
	value    int
	// flagged says that the writer was told that not everybody may know of it yet.
	flagged bool
}

// unread is the state of a register that was not read yet.
const unread = -1

// theCell is the register that begins with nothing: see valueClients.cell.
const theCell = 3

// first is what the register begins with.
func (op registerOp) first() int {
	if op.register == theCell {
		return 0
	}
	return 10 + op.register
}

// registers is registers, three of which begin as the counters of a new store.
var registers = porcupine.Model{
	Partition: func(history []porcupine.Operation) [][]porcupine.Operation {
		var parts [][]porcupine.Operation
		for _, op := range history {
			k := op.Input.(registerOp).register
			for len(parts) <= k {
				parts = append(parts, nil)
			}
			parts[k] = append(parts[k], op)
		}
		return parts
	},
	Init: func() any { return unread },
	Step: func(state, input, output any) (bool, any) {
		op := input.(registerOp)
		if op.write {
			return true, op.value
		}
		now := state.(int)
		if now == unread {
			now = op.first()
		}
		return output.(int) == now, now
	},
	Equal: func(a, b any) bool { return a == b },
}

// recorder runs clients on caches, each on one of them, and on a server without one, over
// the same rows.
type recorder struct {
	t        *testing.T
	cached   []http.Handler
	uncached http.Handler
	time     atomic.Int64 // grows with every call and return
	mu       sync.Mutex
	ops      []porcupine.Operation
	refused  int           // writes that the cache has refused
	refusal  chan struct{} // receives when a write is refused or flagged, unless it is full or nil
	slowest  time.Duration // the longest time from the call of a write to its commit
	flagged  int           // writes that not everybody may know of
	// readOne and writeOne are what clients do, read and write unless they are set, and
	// reached is called once in the middle.
	readOne  func(client, k int, rng *rand.Rand)
	writeOne func(client, k, value int, rng *rand.Rand)
	reached  func()
}

// record records an operation, unless it was not done.
func (r *recorder) record(client int, op registerOp, do func() (out int, done bool)) {
	call := r.time.Add(1)
	out, done := do()
	end := r.time.Add(1)
	r.mu.Lock()
	defer r.mu.Unlock()
	if done {
		r.ops = append(r.ops, porcupine.Operation{ClientId: client, Input: op, Call: call, Output: out, Return: end})
	}
}

// recordWrite records a write, unless it was not done. Do tells what became of it.
func (r *recorder) recordWrite(client int, op registerOp, do func(op *registerOp) (done bool)) {
	call := r.time.Add(1)
	done := do(&op)
	end := r.time.Add(1)
	r.mu.Lock()
	defer r.mu.Unlock()
	if op.flagged {
		r.flagged++
		r.trouble()
	}
	if done {
		r.ops = append(r.ops, porcupine.Operation{ClientId: client, Input: op, Call: call, Output: op.value, Return: end})
	}
}

// observe records reads of several registers, all in the time of the call.
func (r *recorder) observe(client int, do func() map[int]int) {
	call := r.time.Add(1)
	got := do()
	end := r.time.Add(1)
	r.mu.Lock()
	defer r.mu.Unlock()
	for k, v := range got {
		r.ops = append(r.ops, porcupine.Operation{ClientId: client, Input: registerOp{register: k}, Call: call, Output: v, Return: end})
	}
}

// trouble tells that a write was refused or flagged.
func (r *recorder) trouble() {
	select {
	case r.refusal <- struct{}{}:
	default:
	}
}

// errAfterCommit fails some writes that have changed their register.
var errAfterCommit = errors.New("failed after the commit")

// calledKey is the context key of the time at which a write was called.
type calledKey struct{}

// write writes a register. A write that the cache refuses is not recorded: it changes
// nothing, so no read may return its value. On a busy machine instances over a log refuse
// some writes, because the log does not take an announcement in time.
func (r *recorder) write(client, k, value int) {
	r.recordWrite(client, registerOp{register: k, write: true, value: value}, func(op *registerOp) bool {
		resp := testgraph.Do(r.t, context.WithValue(r.t.Context(), calledKey{}, time.Now()), r.cached[client%len(r.cached)],
			testgraph.Request{Query: fmt.Sprintf("mutation{setCounter(id:%d,value:%d){value}}", k, value)})
		if strings.Contains(resp.Body, gqlcache.ErrNoLease.Error()) {
			r.mu.Lock()
			r.refused++
			r.mu.Unlock()
			r.trouble()
			return false
		}
		if len(resp.Errors) > 0 && !strings.Contains(resp.Body, errAfterCommit.Error()) {
			r.t.Errorf("a write is answered %s", resp.Body)
		}
		op.flagged = strings.Contains(string(resp.Extensions["cache"]), `"consistency"`)
		return true
	})
}

// committed notes how long a write took from its call to its commit.
func (r *recorder) committed(ctx context.Context) {
	if called, ok := ctx.Value(calledKey{}).(time.Time); ok {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.slowest = max(r.slowest, time.Since(called))
	}
}

// read reads a register in one of the ways that have answers of their own, or no cache.
func (r *recorder) read(client, k int, rng *rand.Rand) {
	document, h := fmt.Sprintf("{c:counter(id:%d){value}}", k), r.cached[client%len(r.cached)]
	list := rng.IntN(3) == 0
	if list {
		document = "{c:counters{value}}"
	}
	if rng.IntN(6) == 0 {
		h = r.uncached
	}
	r.record(client, registerOp{register: k}, func() (int, bool) {
		resp := testgraph.Ask(r.t, h, document, nil)
		var one struct{ C struct{ Value int } }
		var all struct{ C []struct{ Value int } }
		var err error
		if list {
			if err = json.Unmarshal(resp.Data, &all); err == nil && len(all.C) == 3 {
				one.C.Value = all.C[k].Value
			}
		} else {
			err = json.Unmarshal(resp.Data, &one)
		}
		if err != nil || len(resp.Errors) > 0 {
			r.t.Errorf("%s: %s, %v", document, resp.Body, err)
		}
		return one.C.Value, true
	})
}

// recordHistory records what six clients of one cache do at once.
func recordHistory(t *testing.T, seed uint64, intent bool) (*recorder, *gqlcache.Cache) {
	t.Helper()
	one := newRig(t, "annotated", gqlcache.Options{Instances: gqlcache.Instances{Intent: intent}})
	r := &recorder{t: t, cached: []http.Handler{one.cached}, uncached: testgraph.NewServer(one.store)}
	r.run(one.store, seed)
	return r, one.cache
}

// run records what six clients do at once.
func (r *recorder) run(rows *testgraph.Store, seed uint64) {
	// Mutations take a while between commit and answer, and some fail then; computations
	// between what they read and the end.
	rows.On("Mutation.setCounter:done", func(ctx context.Context) error {
		r.committed(ctx)
		<-time.After(rand.N(300 * time.Microsecond))
		if rand.IntN(10) == 0 {
			return errAfterCommit
		}
		return nil
	})
	linger := func(context.Context) error { <-time.After(rand.N(50 * time.Microsecond)); return nil }
	rows.On("Query.counter:done", linger)
	rows.On("Query.counters:done", linger)
	read, write := r.read, func(client, k, value int, _ *rand.Rand) { r.write(client, k, value) }
	if r.readOne != nil {
		read, write = r.readOne, r.writeOne
	}
	const rounds = 60
	var clients sync.WaitGroup
	for id := range 6 {
		clients.Go(func() {
			rng := rand.New(rand.NewPCG(seed, uint64(id)))
			for i := range rounds {
				if id == 0 && i == rounds/3 && r.reached != nil {
					r.reached()
				}
				switch k := rng.IntN(3); {
				case id < 2 && i%2 == 0:
					write(id, k, 1000*(id+1)+i, rng)
					pause(rng, 300*time.Microsecond)
				default:
					read(id, k, rng)
				}
			}
		})
	}
	clients.Wait()
}

// TestLinearizable: with intents, porcupine finds every history of reads and writes
// linearizable, reads beside the cache included: whoever begins after somebody has seen a
// change sees it too. Without them it finds some that are not, so that the check can
// fail.
func TestLinearizable(t *testing.T) {
	t.Parallel()
	histories := 40
	if raceEnabled || testing.Short() || os.Getenv("CASCADEQL_LONG") == "" {
		histories = 20
	}
	for _, intent := range []bool{true, false} {
		t.Run(fmt.Sprintf("intent=%v", intent), func(t *testing.T) {
			t.Parallel()
			seed := rand.Uint64()
			var rejected int
			var hits, misses, joined uint64
			one := func(round, i int) {
				r, cache := recordHistory(t, seed+uint64(histories*round+i), intent)
				switch porcupine.CheckOperationsTimeout(registers, r.ops, 30*time.Second) {
				case porcupine.Illegal:
					rejected++
				case porcupine.Unknown:
					t.Error("porcupine came to no end")
				}
				s := cache.Stats()
				hits, misses, joined = hits+s.Hits, misses+s.Misses, joined+s.Joined
			}
			rounds.Until(t, "no hits, misses and joined computations, or none was rejected without intents", func(round int) bool {
				for i := range histories {
					one(round, i)
				}
				t.Logf("seed %d: %d histories rejected; %d hits, %d misses, %d joined", seed, rejected, hits, misses, joined)
				if intent && rejected > 0 {
					t.Errorf("%d histories rejected", rejected)
				}
				return hits > 0 && misses > 0 && joined > 0 && (intent || rejected > 0)
			})
		})
	}
}
