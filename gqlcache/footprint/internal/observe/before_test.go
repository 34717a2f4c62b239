package observe

import (
	"context"
	"testing"
	"testing/synctest"
)

// servedKey marks contexts of requests in these tests.
type servedKey struct{}

// Request implements Requester.
func (*fakeSink) Request(ctx context.Context) <-chan struct{} {
	if ctx.Value(servedKey{}) == nil {
		return nil
	}
	return ctx.Done()
}

// request returns the context of a request.
func request() (context.Context, context.CancelFunc) {
	return context.WithCancel(context.WithValue(context.Background(), servedKey{}, true))
}

// What was read on a request's context before a computation begins belongs to it, with the
// number of then: a middleware that has read it may have left it in the context.
func TestReadBeforeOnARequest(t *testing.T) {
	r := newRig(t, Options{})
	r.read(postByID, args(7), args(7, "old"))
	ctx, end := request()
	defer end()
	other, endOther := request()
	defer endOther()
	record := func(ctx context.Context) *Recording {
		_, rec := r.record(context.WithValue(ctx, servedKey{}, "other values"))
		return rec
	}
	query(ctx, r.session(), postByID, args(7), args(7, "old"))
	a, b := record(ctx).End(), record(other).End()
	if len(b.Tags) > 0 || b.Statements != 0 {
		t.Errorf("another request has it: %+v", b)
	}
	exec(t.Context(), r.session(), updateTitle, "new", 8)
	if !r.fresh(a) {
		t.Error("another row drops it")
	}
	exec(t.Context(), r.session(), updateTitle, "new", 7)
	if r.fresh(a) {
		t.Error("the row does not drop it")
	}
	if r.fresh(record(ctx).End()) {
		t.Error("a change between the statement and the computation counts as seen")
	}
}

// Of a request that has sent more than is remembered nothing is known.
func TestMuchReadBeforeOnARequest(t *testing.T) {
	r := newRig(t, Options{})
	ctx, end := request()
	defer end()
	for n := range maxBeforeStatements + 1 {
		_, rec := r.record(ctx)
		if f := rec.End(); f.Unknown != "" || f.Statements != n {
			t.Fatalf("after %d statements: %+v", n, f)
		}
		query(ctx, r.session(), postByID, args(7), args(7, "old"))
	}
	if _, rec := r.record(ctx); rec.End().Unknown == "" {
		t.Error("what is not remembered has no effect")
	}
}

// Requests that have ended make room, and one that has none depends on everything.
func TestManyRequestsBefore(t *testing.T) {
	g := &registry{}
	r := newRig(t, Options{})
	e := &Execution{s: r.session()}
	var requests []<-chan struct{}
	for range maxBefore {
		c := make(chan struct{})
		requests = append(requests, c)
		if kept, first := g.keep(e, c); !kept || !first {
			t.Fatal("a request has no room")
		}
	}
	late := make(chan struct{})
	if kept, first := g.keep(e, late); kept || first {
		t.Error("there is no bound")
	}
	rec := &Recording{}
	if g.takeBefore(rec, late); !rec.missed {
		t.Error("a request without room depends on nothing")
	}
	for _, c := range requests {
		g.forget(c)
	}
	if rec = (&Recording{}); len(g.before) > 0 || g.crowded {
		t.Error("what has ended is remembered")
	}
	if g.takeBefore(rec, late); rec.missed {
		t.Error("there is room again")
	}
}

// A request that ends is forgotten.
func TestRequestBeforeEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Options{})
		ctx, end := request()
		query(ctx, r.session(), postByID, args(7), args(7, "old"))
		remembered := func() bool {
			reg.mu.Lock()
			defer reg.mu.Unlock()
			return reg.before[ctx.Done()] != nil
		}
		if !remembered() {
			t.Error("nothing is remembered")
		}
		end()
		synctest.Wait()
		if remembered() {
			t.Error("it is not forgotten")
		}
	})
}
