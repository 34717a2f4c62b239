package gqlcache_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

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

// TestCommitAfterClose: it is no business of a cache that is closed, and the application
// goes on.
func TestCommitAfterClose(t *testing.T) {
	t.Parallel()
	handle := footprint.New(footprint.Options{Dialect: footprint.SQLite, Logger: slog.New(slog.DiscardHandler)})
	r := newInstances(t, 1, func(_ *instance, o *gqlcache.Options) {
		o.Observe = gqlcache.Observe{Handles: []*footprint.Observer{handle}}
	})
	commits(t.Context(), handle)
	if err := r.all[0].cache.Close(); err != nil {
		t.Error(err)
	}
	commits(t.Context(), handle)
	if n := len(r.fakeLog.records); n != 1 {
		t.Errorf("%d records", n)
	}
}
