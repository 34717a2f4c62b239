package gqlcache_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/internal/testgraph"
)

const readBob = "{user(id:$Bob){name}}"

// TestSweep: dead entries are told from live ones, counted and removed; live ones stay.
func TestSweep(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]gqlcache.Options{"default store": {}, "custom store": {Store: newMapStore()}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, "annotated", o)
			for _, read := range []string{readAnn, readBob, readUsers} {
				r.send(read)
			}
			before := r.sweep()
			if before.LiveEntries != 3 || before.DeadEntries != 0 || before.DeadBytes != 0 || before.Tags == 0 {
				t.Errorf("before: %+v", before)
			}
			r.send(renameAnn)
			if s := r.cache.Stats(); s.Entries != 3 {
				t.Errorf("%d entries: a change enumerates nothing", s.Entries)
			}
			after := r.sweep()
			if after.LiveEntries != 1 || after.DeadEntries != 2 || after.LiveBytes+after.DeadBytes != before.LiveBytes {
				t.Errorf("after: %+v; before: %+v", after, before)
			}
			if after.LiveBytes <= 0 || after.DeadBytes <= 0 || after.Tags >= before.Tags || after.Tags == 0 {
				t.Errorf("after: %+v; before: %+v", after, before)
			}
			if s := r.cache.Stats(); s.Entries != 1 || s.LastSweep == nil || *s.LastSweep != after {
				t.Errorf("%d entries, last sweep %+v", s.Entries, s.LastSweep)
			}
			r.run("annotated", []string{"HIT: " + readBob})
			if again := r.sweep(); again.LiveEntries != 1 || again.DeadEntries != 0 {
				t.Errorf("again: %+v", again)
			}
			if err := r.cache.Clear(t.Context()); err != nil {
				t.Fatal(err)
			}
			if empty := r.sweep(); empty.LiveEntries+empty.DeadEntries+empty.Tags != 0 {
				t.Errorf("after Clear: %+v", empty)
			}
		})
	}
}

func (r *rig) sweep() gqlcache.SweepReport {
	r.t.Helper()
	rep, err := r.cache.Sweep(r.t.Context())
	if err != nil {
		r.t.Error(err)
	}
	return rep
}

// TestSweepEnds: a sweep whose context ends leaves the dead entries that it has not come
// to, and does no harm to the live ones.
func TestSweepEnds(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	s := newMapStore()
	s.hook = func(_ context.Context, call string) error {
		if call == "All" {
			cancel()
		}
		return nil
	}
	r := newRig(t, "annotated", gqlcache.Options{Store: s})
	r.send(readAnn)
	r.send(readBob)
	r.send(renameAnn)
	rep, err := r.cache.Sweep(ctx)
	if !errors.Is(err, context.Canceled) || rep.LiveEntries != 1 || rep.DeadEntries != 0 || s.Stats().Entries != 2 {
		t.Errorf("Sweep = %+v, %v; %d entries", rep, err, s.Stats().Entries)
	}
	// Had the sweep forgotten the tags of live entries, the next change of anything would
	// drop them.
	r.send("mutation{setCounter(id:1,value:1){id}}")
	r.run("annotated", []string{"HIT: " + readBob})
	if _, err := r.cache.Sweep(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Sweep of an ended context = %v", err)
	}
	if rep := r.sweep(); rep.DeadEntries != 1 {
		t.Errorf("then %+v", rep)
	}
}

// TestSweepUnderTraffic: while sweeps run, whoever changes a row sees the change, and
// what nobody changed stays.
func TestSweepUnderTraffic(t *testing.T) {
	t.Parallel()
	r := newRig(t, "annotated", gqlcache.Options{})
	r.send(readBob)
	var traffic, sweeper sync.WaitGroup
	done := make(chan struct{})
	sweeper.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
				r.sweep()
			}
		}
	})
	for worker := range 4 {
		traffic.Go(func() {
			for i := range 40 {
				r.send(fmt.Sprintf("mutation{setCounter(id:%d,value:%d){id}}", worker, i))
				for range 2 {
					got := r.send(fmt.Sprintf("{counter(id:%d){value}}", worker))
					if want := fmt.Sprintf(`{"counter":{"value":%d}}`, i); string(got.Data) != want {
						t.Errorf("worker %d got %s, want %s", worker, got.Body, want)
					}
				}
			}
		})
	}
	traffic.Wait()
	close(done)
	sweeper.Wait()
	r.run("annotated", []string{"HIT: " + readBob})
	for worker := range 4 { // two sweeps within one computation may have refused its answer
		r.send(fmt.Sprintf("{counter(id:%d){value}}", worker))
	}
	if rep := r.sweep(); rep.LiveEntries != 5 || rep.DeadEntries != 0 {
		t.Errorf("at the end: %+v", rep)
	}
	if n := r.store.Calls("Query.user"); n != 1 {
		t.Errorf("the row that nobody changed was read %d times", n)
	}
}

// TestSweepAfterClose: a sweep in progress ends when the cache is closed.
func TestSweepAfterClose(t *testing.T) {
	t.Parallel()
	s := newMapStore()
	r := newRig(t, "annotated", gqlcache.Options{Store: s})
	s.hook = func(_ context.Context, call string) error {
		if call == "All" {
			return r.cache.Close()
		}
		return nil
	}
	r.send(readAnn)
	if rep := r.sweep(); rep.LiveEntries != 0 {
		t.Errorf("%+v", rep)
	}
	if _, err := r.cache.Sweep(t.Context()); !errors.Is(err, gqlcache.ErrClosed) {
		t.Errorf("Sweep = %v, want ErrClosed", err)
	}
	testgraph.Ask(t, r.cached, readUsers, nil)
}
