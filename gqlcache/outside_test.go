package gqlcache_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/changelog"
	"github.com/cascadeql/cascadeql/gqlcache/internal/fleet"
)

// TestMutationsAwaitCommits: a commit outside of operations stops waiting after a while. A
// mutation, whose own that may be, does not: it is acknowledged when the commits before it
// are made known, the one that is under way and the one that waits for it.
func TestMutationsAwaitCommits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		release := make(chan fleet.Publication)
		var made int
		o := gqlcache.NewOutside(time.Millisecond, func(fleet.Change) fleet.Publication {
			p := <-release
			made++
			return p
		})
		for range 2 {
			if o.Add(t.Context()) {
				t.Fatal("published before it was")
			}
		}
		type result struct {
			worst  fleet.Publication
			doubts uint64
		}
		awaited := make(chan result)
		go func() {
			worst, doubts := o.Await()
			awaited <- result{worst, doubts}
		}()
		confirmed := fleet.Publication{Shared: true, Receipt: changelog.Receipt{Confirmed: true}}
		for _, p := range []fleet.Publication{confirmed, {Shared: true, Err: errors.ErrUnsupported}} {
			synctest.Wait()
			select {
			case <-awaited:
				t.Fatalf("awaited after %d records", made)
			default:
			}
			release <- p
		}
		if got := <-awaited; made != 2 || got.doubts != 1 || !errors.Is(got.worst.Err, errors.ErrUnsupported) {
			t.Errorf("%d made, %+v", made, got)
		}
		o.Wait()
	})
}
