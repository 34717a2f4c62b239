package gqlcache_test

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/internal/testgraph"
	"github.com/cascadeql/cascadeql/internal/rounds"
)

// This file has porcupine judge histories in which clients of several instances over Redis
// read registers by values: by Compute, ComputeAll, Get and values of values, by operations
// that are made of values, beside operations that are cached and reads beside the cache. They
// write them by mutations and as jobs do, which call Invalidate.

// An acknowledgedState is what reads of a register may return, if they show each write that
// was acknowledged before they began: the value that was written last, and each that is being
// written.
type acknowledgedState struct {
	now  int
	open []int // in order
	done []int // those of open that are written, in order
}

// A writeStep is a part of a write.
type writeStep struct {
	registerOp

	last bool // its acknowledgement; else it takes its place among the writes
}

// with and without return a list in order with a value more, or less.
func with(list []int, v int) []int {
	at, _ := slices.BinarySearch(list, v)
	return slices.Insert(slices.Clone(list), at, v)
}

func without(list []int, v int) (_ []int, had bool) {
	at, had := slices.BinarySearch(list, v)
	if !had {
		return list, false
	}
	return slices.Delete(slices.Clone(list), at, at+1), true
}

// acknowledged is what Level Strong promises without Intent. A write is three operations in
// the time of its call: it begins to be seen, by some, it takes its place among the writes,
// and it is acknowledged. A read in between may return its value or the one before, also
// after another read has returned the other one. Of two writes at once, the instance of the
// one that came first may show that one until it is acknowledged. A write that was flagged is
// never acknowledged.
var acknowledged = porcupine.Model{
	Partition: func(history []porcupine.Operation) [][]porcupine.Operation {
		parts := map[int][]porcupine.Operation{}
		for _, op := range history {
			var k int
			switch in := op.Input.(type) {
			case registerOp:
				k = in.register
			case writeStep:
				k = in.register
			}
			parts[k] = append(parts[k], op)
		}
		var all [][]porcupine.Operation
		for _, part := range parts {
			all = append(all, part)
		}
		return all
	},
	Init: func() any { return acknowledgedState{now: unread} },
	Step: func(state, input, output any) (bool, any) {
		s := state.(acknowledgedState)
		switch op := input.(type) {
		case writeStep:
			if !op.last {
				_, begun := slices.BinarySearch(s.open, op.value)
				return begun, acknowledgedState{op.value, s.open, with(s.done, op.value)}
			}
			done, written := without(s.done, op.value)
			open, _ := without(s.open, op.value)
			return written, acknowledgedState{s.now, open, done}
		case registerOp:
			if op.write {
				return true, acknowledgedState{s.now, with(s.open, op.value), s.done}
			}
			now := s.now
			if now == unread {
				now = op.first()
			}
			_, open := slices.BinarySearch(s.open, output.(int))
			return output.(int) == now || open, s
		}
		return false, nil
	},
	Equal: func(a, b any) bool {
		x, y := a.(acknowledgedState), b.(acknowledgedState)
		return x.now == y.now && slices.Equal(x.open, y.open) && slices.Equal(x.done, y.done)
	},
}

// acknowledgements returns a history for the model acknowledged.
func acknowledgements(ops []porcupine.Operation) []porcupine.Operation {
	all := slices.Clone(ops)
	for _, op := range ops {
		if in := op.Input.(registerOp); in.write && !in.flagged {
			for _, last := range []bool{false, true} {
				op.Input = writeStep{in, last}
				all = append(all, op)
			}
		}
	}
	return all
}

// A valueClients is clients that read registers by values, beside what a recorder's do.
type valueClients struct {
	*recorder
	caches []*gqlcache.Cache
	// jobs says that some writes are those of jobs.
	jobs bool
	// cells says that values are put which are no register's: see cell.
	cells           bool
	found, computed atomic.Int64
}

// inCache is the context key of the cache whose values a resolver uses.
type inCache struct{}

// row reads a register beside all caches. It returns a list, so that values are encoded.
func (c *valueClients) row(k int) ([]int, error) {
	c.computed.Add(1)
	resp := testgraph.Ask(c.t, c.uncached, fmt.Sprintf("{c:counter(id:%d){value}}", k), nil)
	var got struct{ C struct{ Value int } }
	err := json.Unmarshal(resp.Data, &got)
	return []int{got.C.Value}, err
}

func linearKey(k int) gqlcache.Key { return gqlcache.KeyOf("linear").Arg("k", k) }

// one computes a register.
func (c *valueClients) one(ctx context.Context, cache *gqlcache.Cache, k int, opts ...gqlcache.ComputeOption) ([]int, error) {
	c.found.Add(1)
	return gqlcache.Compute(ctx, cache, linearKey(k), func(ctx context.Context) ([]int, error) {
		c.found.Add(-1)
		if err := gqlcache.Read(ctx, gqlcache.Entity("Counter", k)); err != nil {
			return nil, err
		}
		return c.row(k)
	}, append(opts, gqlcache.ForAll())...)
}

// several computes registers at once.
func (c *valueClients) several(ctx context.Context, cache *gqlcache.Cache, ids []int) (map[int]int, error) {
	all, err := gqlcache.ComputeAll(ctx, cache, ids, linearKey, func(_ context.Context, missing []int) (map[int][]int, error) {
		some := map[int][]int{}
		for _, k := range missing {
			v, err := c.row(k)
			if err != nil {
				return nil, err
			}
			some[k] = v
		}
		return some, nil
	}, gqlcache.ForAll(), gqlcache.ReadsOf(counterReads))
	got := map[int]int{}
	for k, v := range all {
		got[k] = v[0]
	}
	return got, err
}

// names is what the resolver of userNames returns: values of all registers. Nothing else
// tells that the answer depends on them.
func (c *valueClients) names(ctx context.Context) (any, error) {
	all, err := c.several(ctx, ctx.Value(inCache{}).(*gqlcache.Cache), []int{0, 1, 2})
	names := make([]string, 3)
	for k := range names {
		names[k] = strconv.Itoa(all[k])
	}
	return names, err
}

// read reads registers by values, or changes which values are kept.
func (c *valueClients) read(client, k int, rng *rand.Rand) {
	n := rng.IntN(len(c.caches))
	cache, ctx := c.caches[n], c.t.Context()
	switch kind := rng.IntN(16); {
	case c.cells && kind < 5:
		c.cell(client, cache, rng)
	case kind < 4:
		c.recorder.read(client, k, rng)
	case kind == 4: // no client's matter: what is true does not change by it
		_, _ = gqlcache.Delete(ctx, cache, linearKey(k), gqlcache.ForAll())
	case kind == 5:
		_ = cache.Invalidate(ctx, gqlcache.Entity("Counter", k), gqlcache.Computed("linear"))
	case kind < 8: // a value that was read beside the cache is one for all
		c.observe(client, func() map[int]int {
			token := cache.Begin(ctx)
			v, err := c.row(k)
			if err != nil {
				c.t.Error(err)
			}
			pause(rng, 500*time.Microsecond)
			_ = gqlcache.Put(ctx, cache, linearKey(k), v, token, gqlcache.ForAll(), gqlcache.Reads(counterReads(k)...))
			return map[int]int{k: v[0]}
		})
	case kind < 10:
		c.observe(client, func() map[int]int {
			v, err := gqlcache.Get[[]int](ctx, cache, linearKey(k), gqlcache.ForAll())
			switch {
			case errors.Is(err, gqlcache.ErrMiss):
				return nil
			case err != nil:
				c.t.Error(err)
				return nil
			}
			c.found.Add(1)
			return map[int]int{k: v[0]}
		})
	case kind < 11:
		c.observe(client, func() map[int]int {
			all, err := c.several(ctx, cache, rng.Perm(3)[:1+rng.IntN(3)])
			if err != nil || len(all) == 0 {
				c.t.Errorf("several: %v, %v", all, err)
			}
			return all
		})
	case kind < 12:
		c.observe(client, func() map[int]int {
			resp := testgraph.Do(c.t, context.WithValue(ctx, inCache{}, cache), c.cached[n], testgraph.Request{Query: "{userNames}"})
			var got struct{ UserNames []string }
			err := json.Unmarshal(resp.Data, &got)
			all := map[int]int{}
			for k, v := range got.UserNames {
				all[k], _ = strconv.Atoi(v)
			}
			if err != nil || len(all) != 3 {
				c.t.Errorf("an answer made of values: %s, %v", resp.Body, err)
			}
			return all
		})
	case kind < 13:
		c.observe(client, func() map[int]int {
			all, err := gqlcache.Compute(ctx, cache, gqlcache.KeyOf("linears"), func(ctx context.Context) (all [3]int, err error) {
				for k := range all {
					v, err := c.one(ctx, cache, k)
					if err != nil {
						return all, err
					}
					all[k] = v[0]
				}
				return all, nil
			}, gqlcache.ForAll(), gqlcache.Reads())
			if err != nil {
				c.t.Error(err)
				return nil
			}
			return map[int]int{0: all[0], 1: all[1], 2: all[2]}
		})
	default:
		var aged []gqlcache.ComputeOption
		if kind == 13 {
			aged = []gqlcache.ComputeOption{gqlcache.TTL(50 * time.Microsecond), gqlcache.StaleFor(time.Second), gqlcache.OnError(time.Second)}
		}
		c.observe(client, func() map[int]int {
			v, err := c.one(ctx, cache, k, aged...)
			if err != nil {
				c.t.Error(err)
				return nil
			}
			return map[int]int{k: v[0]}
		})
	}
}

// cell puts, deletes or gets a value that is no row's: it is whatever was put last, or
// nothing. That there is none is always lawful, since caches forget.
func (c *valueClients) cell(client int, cache *gqlcache.Cache, rng *rand.Rand) {
	key, ctx := gqlcache.KeyOf("cell"), c.t.Context()
	op := registerOp{register: theCell, write: true}
	switch kind := rng.IntN(9); {
	case kind > 2:
		op.write = false
		c.record(client, op, func() (int, bool) {
			v, err := gqlcache.Get[[]int](ctx, cache, key, gqlcache.ForAll())
			if err != nil {
				if !errors.Is(err, gqlcache.ErrMiss) {
					c.t.Error(err)
				}
				return 0, false
			}
			c.found.Add(1)
			return v[0], true
		})
	default:
		c.recordWrite(client, op, func(op *registerOp) bool {
			var err error
			flags := flagged(cache)
			if kind == 0 {
				_, err = gqlcache.Delete(ctx, cache, key, gqlcache.ForAll())
			} else {
				op.value = int(c.time.Add(1)) // of no other write
				err = gqlcache.Put(ctx, cache, key, []int{op.value}, cache.Begin(ctx), gqlcache.ForAll(), gqlcache.Reads())
			}
			op.flagged = err != nil || flags() > 0
			return !errors.Is(err, gqlcache.ErrOutdated) // somebody else has changed it since: nothing was done
		})
	}
}

// write writes a register as a mutation or as a job.
func (c *valueClients) write(client, k, value int, rng *rand.Rand) {
	if !c.jobs || rng.IntN(2) == 0 {
		c.recorder.write(client, k, value)
		return
	}
	c.recordWrite(client, registerOp{register: k, write: true, value: value}, func(op *registerOp) bool {
		resp := testgraph.Do(c.t, c.t.Context(), c.uncached, testgraph.Request{Query: fmt.Sprintf("mutation{setCounter(id:%d,value:%d){value}}", k, value)})
		if len(resp.Errors) > 0 && !strings.Contains(resp.Body, errAfterCommit.Error()) {
			c.t.Errorf("a write is answered %s", resp.Body)
		}
		cache := c.caches[rng.IntN(len(c.caches))]
		flags := flagged(cache)
		op.flagged = cache.Invalidate(c.t.Context(), gqlcache.Entity("Counter", k)) != nil || flags() > 0
		return true
	})
}

// flagged returns a function that tells how many changes of an instance were not confirmed
// by all others since: the caller's, or somebody else's.
func flagged(cache *gqlcache.Cache) (since func() uint64) {
	before := cache.Stats().Unconfirmed
	return func() uint64 { return cache.Stats().Unconfirmed - before }
}

// A linearFault is what becomes of Redis, or of the way to it, in the middle of a history.
type linearFault struct {
	name    string
	do, end func(*redisRig)
}

var linearFaults = []linearFault{
	{"whole", nil, nil},
	{"cut off", func(r *redisRig) { r.links[0].Cut() }, func(r *redisRig) { r.links[0].Heal() }},
	{"half open", func(r *redisRig) { r.links[0].SwallowReplies() }, func(r *redisRig) { r.links[0].Heal() }},
	{"killed", func(r *redisRig) { r.server.Kill() }, func(r *redisRig) { r.server.Restart() }},
	{"stopped", func(r *redisRig) { r.server.Pause() }, func(r *redisRig) { r.server.Resume() }},
}

// recordValues records what six clients of all instances do at once. A fault lasts until a
// write has been refused or flagged, or to the end.
func (r *redisRig) recordValues(seed uint64, fault linearFault, change func(*valueClients)) *valueClients {
	r.t.Helper()
	r.untilFresh()
	for k := range 3 {
		eventually(r.t, "a register that is set", func() bool {
			resp := r.ask(k, fmt.Sprintf("mutation{setCounter(id:%d,value:%d){value}}", k, 10+k))
			return len(resp.Errors) == 0 && resp.Extensions == nil
		})
	}
	c := &valueClients{recorder: &recorder{t: r.t, cached: r.h, uncached: testgraph.NewServer(r.rows), refusal: make(chan struct{}, 1)}}
	for _, n := range r.nodes {
		c.caches = append(c.caches, n.cache)
		// Cells of the history before.
		eventually(r.t, "values that are dropped", func() bool { return n.cache.Invalidate(r.t.Context(), gqlcache.Computed("cell")) == nil })
	}
	change(c)
	c.readOne, c.writeOne = c.read, c.write
	r.rows.Answer("Query.userNames", c.names)
	ended, healed := make(chan struct{}), make(chan struct{})
	begun := make(chan struct{})
	c.reached = func() { close(begun) }
	go func() {
		defer close(healed)
		select {
		case <-begun:
		case <-ended:
		}
		if fault.do == nil {
			return
		}
		fault.do(r)
		select {
		case <-c.refusal:
		case <-ended:
		}
		fault.end(r)
	}()
	c.run(r.rows, seed)
	close(ended)
	<-healed
	r.rows.On("Mutation.setCounter:done", nil)
	return c
}

// illegal says whether porcupine rejects a history.
func illegal(t *testing.T, m porcupine.Model, ops []porcupine.Operation) bool {
	t.Helper()
	switch porcupine.CheckOperationsTimeout(m, ops, time.Minute) {
	case porcupine.Illegal:
		return true
	case porcupine.Unknown:
		t.Error("porcupine came to no end")
	}
	return false
}

// print logs the registers whose history is illegal.
func (c *valueClients) print() {
	for _, part := range acknowledged.Partition(c.ops) {
		if porcupine.CheckOperations(acknowledged, acknowledgements(part)) {
			continue
		}
		slices.SortFunc(part, func(a, b porcupine.Operation) int { return cmp.Compare(a.Call, b.Call) })
		for _, op := range part {
			c.t.Logf("client %d, from %d to %d: %+v, %v", op.ClientId, op.Call, op.Return, op.Input, op.Output)
		}
	}
}

// TestLinearizableValues: whatever becomes of Redis, no history has a value, or an answer
// that is made of values, which lacks a write that was acknowledged before. With intents the
// histories of mutations are linearizable. Without, porcupine rejects some as not
// linearizable, so that the check can fail.
func TestLinearizableValues(t *testing.T) {
	t.Parallel()
	histories := 1
	if !raceEnabled && !testing.Short() && os.Getenv("CASCADEQL_LONG") != "" {
		histories = 6
	}
	for _, intent := range []bool{true, false} {
		for _, fault := range linearFaults {
			name := "acknowledged"
			if intent {
				name = "linearizable"
			}
			t.Run(name+"/"+fault.name, func(t *testing.T) {
				t.Parallel()
				seed := rand.Uint64()
				q := newIntentRig(t, 3, intent)
				var n, inconclusive, rejected, refused, flagged int
				var found, computed int64
				rounds.Until(t, "not both found and computed, or no write was troubled by the fault, or none was seen early without intents", func(round int) bool {
					for ; n < histories*(round+1); n++ {
						c := q.recordValues(seed+uint64(n), fault, func(c *valueClients) { c.jobs, c.cells = !intent, !intent })
						found, computed, refused, flagged = found+c.found.Load(), computed+c.computed.Load(), refused+c.refused, flagged+c.flagged
						if illegal(t, acknowledged, acknowledgements(c.ops)) {
							t.Error("a read lacks a write that was acknowledged before it began")
							c.print()
						}
						switch {
						case !intent && fault.do != nil, !illegal(t, registers, c.ops):
						case intent && c.slowest >= patientIntent && inconclusive < mostInconclusive: // see tally.add
							inconclusive++
						default:
							rejected++
						}
					}
					t.Logf("seed %d: %d of %d histories rejected, %d inconclusive; %d found, %d computed; %d writes refused, %d flagged",
						seed, rejected, n, inconclusive, found, computed, refused, flagged)
					if intent && rejected > 0 {
						t.Errorf("%d histories are not linearizable", rejected)
					}
					return found > 0 && computed > 0 && (fault.do == nil || refused+flagged > 0) && (intent || fault.do != nil || rejected > 0)
				})
			})
		}
	}
}
