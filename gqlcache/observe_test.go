package gqlcache_test

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cascadeql/cascadeql/cascade"
	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/footprint"
)

// commits has something commit through a handle whose catalog was not read: it may be
// anything.
func commits(ctx context.Context, o *footprint.Observer) {
	o.NewSession(nil).Start(ctx, "UPDATE people SET name = 'x'", nil).End(nil, 1, true)
}

// TestCommitAheadOfTheLog: a commit that did not wait for the log any longer is
// acknowledged. What another instance has shared before it is not taken over, although no
// record speaks against it yet.
func TestCommitAheadOfTheLog(t *testing.T) {
	t.Parallel()
	var handles []*footprint.Observer
	r := newInstances(t, 2, func(_ *instance, o *gqlcache.Options) {
		handles = append(handles, footprint.New(footprint.Options{Dialect: footprint.SQLite, Logger: slog.New(slog.DiscardHandler)}))
		o.CommitWait = time.Millisecond
		o.Observe = gqlcache.Observe{Handles: handles[len(handles)-1:]}
	})
	a, b := r.two()
	b.want("MISS", "Ann", readAnn)
	a.log.delivery.Lock() // the log does not answer
	commits(t.Context(), handles[0])
	a.want("MISS", "Ann", readAnn)
	a.log.delivery.Unlock()
	if err := a.cache.Close(); err != nil { // publishes what waits
		t.Error(err)
	}
	b.want("MISS", "Ann", readAnn)
}

// TestRecomputedStatements: what Options.Verify asks for belongs to no request that is
// computed meanwhile.
func TestRecomputedStatements(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		handle := footprint.New(footprint.Options{Dialect: footprint.SQLite, Logger: slog.New(slog.DiscardHandler)})
		r := newVerifyRig(t, func(o *gqlcache.Options) {
			o.Predicate, o.Callers = nil, gqlcache.AllSeeTheSame
			o.Observe = gqlcache.Observe{Handles: []*footprint.Observer{handle}}
		})
		statements, orphans := 0, 0
		r.hit(readAnn)
		r.store.On("Query.user", func(ctx context.Context) error {
			_, other := footprint.Begin(context.Background(), footprint.Start{}, handle) // of another request
			statements++
			handle.NewSession(nil).Start(ctx, "SELECT 1 FROM people", nil).End(nil, -1, true)
			orphans += other.End().Orphans
			return nil
		})
		r.ask(readAnn)
		time.Sleep(2 * time.Second) // of the bubble's clock: beyond the grace
		synctest.Wait()
		if statements == 0 {
			t.Errorf("nothing was recomputed: %+v", r.cache.VerifyStats())
		}
		if orphans != 0 {
			t.Error("its statements are everybody's")
		}
	})
}

// TestShapesMakeRoom: what depends on a shape that is taken out of a full set is dropped,
// and nothing else.
func TestShapesMakeRoom(t *testing.T) {
	t.Parallel()
	handle := footprint.New(footprint.Options{Dialect: footprint.SQLite, Logger: slog.New(slog.DiscardHandler)})
	r := newRig(t, "bare", gqlcache.Options{Observe: gqlcache.Observe{Handles: []*footprint.Observer{handle}}})
	// Nothing is declared, so that answers depend on any row.
	sink, ok := gqlcache.SinkOf(r.cache).(footprint.Forgetter)
	if !ok {
		t.Fatal("a cache cannot drop answers: no shape is ever taken out")
	}
	r.run("bare", []string{"MISS: " + readAnn})
	sink.Forget([]cascade.Tag{{Hash: 1, Mask: 1}})
	r.run("bare", []string{"HIT: " + readAnn})
	sink.Forget([]cascade.Tag{footprint.AnyRow})
	r.run("bare", []string{"MISS: " + readAnn})
}
