package gqlcache_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/internal/rounds"
)

// A hostileRecord is a value that says whose it is, and that who gets it writes into.
type hostileRecord struct {
	Who   string
	V     int64
	Parts map[string][]int64
}

// A hostileHistory is what callers do at once with values of theirs and of all, whose functions
// fail in every way. Nobody gets another caller's value, what another caller has written into
// one, or a version that is older than one that was acknowledged before the request.
type hostileHistory struct {
	*valuesRig

	committed, acknowledged [2]atomic.Int64
	writing                 [2]sync.Mutex
	found, computed         atomic.Int64
}

const forAll = "everybody"

func hostileKey(k int) gqlcache.Key { return gqlcache.KeyOf("record").Arg("k", k) }

func hostileTag(k int) gqlcache.Change { return gqlcache.Tag(fmt.Sprintf("record %d", k)) }

func (h *hostileHistory) write(k int, rng *rand.Rand) {
	h.writing[k].Lock()
	defer h.writing[k].Unlock()
	v := h.committed[k].Add(1)
	change := hostileTag(k)
	switch rng.IntN(12) {
	case 0:
		change = gqlcache.Computed("record")
	case 1:
		change = gqlcache.ComputedMatching("rec*")
	case 2:
		change = gqlcache.Everything()
	}
	if err := h.cache.Invalidate(h.t.Context(), change, gqlcache.Tag("noise")); err != nil {
		h.t.Error(err)
	}
	h.acknowledged[k].Store(v)
}

// value is what a function returns, in one of the ways that functions end.
func (h *hostileHistory) value(ctx context.Context, owner string, k int, rng *rand.Rand, depth int) (hostileRecord, error) {
	h.computed.Add(1)
	declared := rng.IntN(2) == 0
	if declared {
		_ = gqlcache.Read(ctx, hostileTag(k))
	}
	v := h.committed[k].Load()
	if rng.IntN(4) == 0 { // it takes the end of its context for the end of its rows
		select {
		case <-time.After(30 * time.Microsecond):
		case <-ctx.Done():
			return hostileRecord{Who: "nobody", V: -1}, nil
		}
	}
	if !declared {
		_ = gqlcache.Read(ctx, hostileTag(k))
	}
	switch n := rng.IntN(24); {
	case n == 0:
		panic(errFailing)
	case n == 1:
		runtime.Goexit()
	case n < 4:
		return hostileRecord{Who: "nobody", V: -1}, errFailing
	case n == 4:
		return hostileRecord{Who: "nobody", V: -1}, gqlcache.ErrAbsent
	case n == 5:
		return hostileRecord{Who: "nobody", V: -1}, errors.Join(gqlcache.ErrAbsent, errFailing)
	case n == 6:
		go func() { _ = gqlcache.Read(ctx, gqlcache.Tag("late")) }()
	case n == 7:
		_ = gqlcache.DoNotStore(ctx)
	case n == 8 && owner == forAll:
		_ = gqlcache.Private(ctx)
	case n < 12 && depth == 0: // made of another one
		part, err := h.get(ctx, owner, 1-k, rng, depth+1)
		if err != nil {
			return hostileRecord{}, err
		}
		return hostileRecord{Who: owner, V: v, Parts: map[string][]int64{"own": {v}, "other": {part.V}}}, nil
	}
	return hostileRecord{Who: owner, V: v, Parts: map[string][]int64{"own": {v}}}, nil
}

// get gets a record in one of the ways that there are.
func (h *hostileHistory) get(ctx context.Context, owner string, k int, rng *rand.Rand, depth int) (rec hostileRecord, err error) {
	var opts []gqlcache.ComputeOption
	if owner == forAll {
		opts = append(opts, gqlcache.ForAll())
	}
	switch rng.IntN(6) {
	case 0:
		opts = append(opts, gqlcache.TTL(20*time.Microsecond), gqlcache.StaleFor(time.Second), gqlcache.OnError(time.Second))
	case 1:
		opts = append(opts, gqlcache.TTL(20*time.Microsecond), gqlcache.OnError(time.Second), gqlcache.Within(20*time.Microsecond))
	case 2:
		opts = append(opts, gqlcache.ErrorAge(time.Millisecond))
	}
	switch rng.IntN(12) {
	case 0:
		ctx = gqlcache.WithPolicy(ctx, gqlcache.Refresh)
	case 1:
		ctx = gqlcache.WithPolicy(ctx, gqlcache.NoStore)
	case 2:
		ctx = gqlcache.WithPolicy(ctx, gqlcache.CacheOnly)
	case 3:
		var leave context.CancelFunc
		ctx, leave = context.WithTimeout(ctx, time.Duration(rng.IntN(50))*time.Microsecond)
		defer leave()
	}
	ran := false
	fn := func(ctx context.Context) (hostileRecord, error) {
		ran = true
		return h.value(ctx, owner, k, rng, depth)
	}
	defer func() {
		switch {
		case err == nil && !ran:
			h.found.Add(1)
		case err == nil:
			err = ctx.Err() // what was computed is incomplete, and only who has left has it
		}
	}()
	switch rng.IntN(8) {
	case 0:
		return gqlcache.Get[hostileRecord](ctx, h.cache, hostileKey(k), opts...)
	case 1:
		if len(opts) > 1 { // ErrorAge is not for several
			opts = opts[:1]
		}
		all, err := gqlcache.ComputeAll(ctx, h.cache, []int{k}, hostileKey, func(ctx context.Context, ids []int) (map[int]hostileRecord, error) {
			rec, err := fn(ctx)
			if err != nil {
				return map[int]hostileRecord{}, err
			}
			return map[int]hostileRecord{ids[0]: rec, 77: {Who: "nobody asked"}}, nil
		}, append(opts[:len(opts):len(opts)], gqlcache.Reads(hostileTag(k)))...)
		rec, ok := all[k]
		if err == nil && !ok {
			err = gqlcache.ErrAbsent
		}
		return rec, err
	case 2:
		if depth > 0 || rng.IntN(3) > 0 {
			break
		}
		token := h.cache.Begin(ctx)
		v := h.committed[k].Load()
		err := gqlcache.Put(ctx, h.cache, hostileKey(k), hostileRecord{Who: owner, V: v, Parts: map[string][]int64{"own": {v}}}, token, append(opts, gqlcache.Reads(hostileTag(k)))...)
		return rec, errors.Join(gqlcache.ErrMiss, err)
	case 3:
		if rng.IntN(4) == 0 {
			_, err := gqlcache.Delete(ctx, h.cache, hostileKey(k), opts...)
			return rec, errors.Join(gqlcache.ErrMiss, err)
		}
	}
	if rng.IntN(3) == 0 {
		opts = append(opts, gqlcache.Reads(hostileTag(k)))
	}
	return gqlcache.Compute(ctx, h.cache, hostileKey(k), fn, opts...)
}

// visit is one request of a viewer.
func (h *hostileHistory) visit(viewer string, rng *rand.Rand) {
	var least [2]int64
	for k := range least {
		least[k] = h.acknowledged[k].Load()
	}
	over := make(chan struct{})
	go func() { // a function may end its goroutine
		defer close(over)
		defer func() {
			if p := recover(); p != nil && p != any(errFailing) {
				h.t.Errorf("panic: %v", p)
			}
		}()
		h.within(viewer, func(ctx context.Context) {
			for range 3 {
				k, owner := rng.IntN(2), viewer
				if rng.IntN(3) == 0 {
					owner = forAll
				}
				rec, err := h.get(ctx, owner, k, rng, 0)
				if err != nil {
					continue
				}
				own := rec.Parts["own"]
				if rec.Who != owner || rec.V < least[k] || len(own) != 1 || own[0] != rec.V {
					h.t.Errorf("%s asks for record %d of %s, and gets %+v; %v was acknowledged", viewer, k, owner, rec, least)
				}
				if other := rec.Parts["other"]; len(other) > 0 && other[0] < least[1-k] {
					h.t.Errorf("%s gets %+v, made of record %d, of which %d was acknowledged", viewer, rec, 1-k, least[1-k])
				}
				own[0], rec.Parts["mine"] = -1, nil
			}
		})
	}()
	<-over
}

// TestComputedHostileHistories: whatever functions do, in requests of several callers and all
// at once, nobody gets another caller's value, one that somebody has written into, or one that
// is older than an acknowledged change; and nobody waits for ever.
func TestComputedHostileHistories(t *testing.T) {
	t.Parallel()
	h := &hostileHistory{valuesRig: newValues(t, gqlcache.Options{
		Partition: who, Logger: slog.New(slog.DiscardHandler), Limits: gqlcache.Limits{MaxEntries: 64},
	})}
	rounds.Until(t, "not both found and computed", func(int) bool {
		seed := rand.Uint64()
		var clients sync.WaitGroup
		for id := range 6 {
			clients.Go(func() {
				rng := rand.New(rand.NewPCG(seed, uint64(id)))
				for range 300 {
					if id == 0 {
						h.write(rng.IntN(2), rng)
					}
					h.visit([]string{"ann", "bob", "cid"}[rng.IntN(3)], rng)
				}
			})
		}
		clients.Wait()
		t.Logf("seed %d: %d found, %d computed", seed, h.found.Load(), h.computed.Load())
		return h.found.Load() > 0 && h.computed.Load() > 0
	})
}
