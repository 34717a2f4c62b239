package gqlcache_test

import (
	"context"
	"testing"

	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/inspect"
	"github.com/cascadeql/cascadeql/gqlcache/internal/testgraph"
)

// TestIntentsAreNoEvents: what is announced before it happens is told to those who watch
// once, when it has happened: by the instance that did it and by the others. A mutation
// that wrote nothing is not told of.
func TestIntentsAreNoEvents(t *testing.T) {
	t.Parallel()
	q := newIntentRig(t, 2, true, func(o *gqlcache.Options) {
		o.Inspector = gqlcache.Inspector{Allow: func(context.Context) bool { return true }}
	})
	watch := func(n int) inspect.Snapshot {
		ask := inspectRequest("", asks, inspect.Request{Inspect: &inspect.SnapshotRequest{}})
		x := (&panel{rig: &rig{t: t}}).read(testgraph.Do(t, t.Context(), q.h[n], ask))
		if x.Inspect == nil {
			t.Fatalf("no snapshot: %+v", x)
		}
		return *x.Inspect
	}
	for n := range q.h {
		watch(n)
		q.ask(n, expand(readAnn))
	}
	x := (&panel{rig: &rig{t: t}}).read(testgraph.Do(t, t.Context(), q.h[0], inspectRequest("", renameAnn, nil)))
	if fell := evictions(t, x.Invalidation); fell != 1 || !x.Invalidation.Confirmed || x.Invalidation.Instances != 1 {
		t.Errorf("%d fell: %+v", fell, x.Invalidation)
	}
	q.rows.On("Mutation.log", func(ctx context.Context) error { return gqlcache.NothingWritten(ctx) })
	q.ask(0, "mutation{log}")
	for n, kind := range []string{"mutation", "peer"} {
		log := watch(n).Log
		if len(log) != 1 || log[0].Cause.Kind != kind || log[0].Evicted != 1 {
			t.Errorf("instance %d: %+v", n, log)
		}
	}
}

// TestSnapshotHasVerify: the figures of verify mode are in snapshots while it is on.
func TestSnapshotHasVerify(t *testing.T) {
	t.Parallel()
	p := newPanel(t, func(o *gqlcache.Options) { o.Verify.Rate, o.Verify.WithoutValues = 1, true })
	p.ask("ann", readUsers, nil)
	p.ask("ann", readUsers, nil)
	if v := p.snapshot().Verify; v == nil || v.Rate != 1 || v.Sampled != 1 || v.Mismatches == nil {
		t.Errorf("%+v", v)
	}
	if v := newPanel(t, nil).snapshot().Verify; v != nil {
		t.Errorf("off: %+v", v)
	}
}
