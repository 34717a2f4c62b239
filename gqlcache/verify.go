package gqlcache

import (
	"bytes"
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/cascadeql/cascadeql/extractor"
	"github.com/cascadeql/cascadeql/gqlcache/store"
)

// A verifier recomputes hits. Its methods do nothing on nil.
//
// Invariant: a reported mismatch is a stale answer, one that no change still on its way to the clock can
// explain. Let the recomputation differ because it saw a change that the entry lacks.
//
//   - A mutation of this instance made it. It had committed when the recomputation ended, so it was running
//     then, or its tags were applied. Those running are waited for; when they have ended, their tags are
//     applied as well. If the entry is still valid then, the change did not name it.
//   - Somebody else made it. Verify.Grace is longer than it takes until the clock knows, by assumption; the
//     entry is looked at once more after that.
//   - Nobody made it, and the resolvers answer differently each time. Then the second recomputation
//     differs from the first.
//
// Simply checking the entry when the recomputation has ended is not enough: between a mutation's commit and
// its Apply the entry is old, valid, and right to be served.
type verifier struct {
	c         *Cache
	opts      VerifyOptions
	threshold uint64 // of a random number, out of 1<<63
	counts    verifyCounters
	deeds     deeds
	found     findings
	evidence  evidence

	// schema is what executes: nil before there is one, and when there are several that may differ.
	schema struct {
		sync.Mutex
		es      graphql.ExecutableSchema
		several bool
	}

	base  context.Context // ends with the cache
	stop  context.CancelFunc
	slots chan struct{}
	work  struct {
		sync.Mutex
		closed bool
		jobs   sync.WaitGroup
	}
}

type verifyCounters struct {
	sampled, confirmed, discounted, skipped, unstable, mismatched atomic.Uint64
}

func newVerifier(c *Cache, o VerifyOptions) *verifier {
	v := &verifier{c: c, opts: o, slots: make(chan struct{}, max(1, o.Concurrency))}
	v.threshold = uint64(o.Rate * (1 << 63))
	v.base, v.stop = context.WithCancel(context.Background())
	return v
}

// serves notes the schema that executes operations. Servers with different resolvers may share a cache;
// which one a hit was for is not known.
func (v *verifier) serves(es graphql.ExecutableSchema) {
	if v == nil {
		return
	}
	v.schema.Lock()
	same, err := protect(func() (bool, error) { return v.schema.es == nil || v.schema.es == es, nil })
	v.schema.es = es
	first := (err != nil || !same) && !v.schema.several
	v.schema.several = v.schema.several || first
	v.schema.Unlock()
	if first { // the logger is not called under a lock
		v.c.opts.Logger.Warn("gqlcache: several servers have this cache, so Options.Verify skips all hits: it cannot tell whose resolvers to ask")
	}
}

func (v *verifier) executable() graphql.ExecutableSchema {
	v.schema.Lock()
	defer v.schema.Unlock()
	if v.schema.several {
		return nil
	}
	return v.schema.es
}

// picks decides about one hit. It neither allocates nor shares memory with other hits.
func (v *verifier) picks() bool { return rand.Uint64()>>1 < v.threshold }

// sample has a hit recomputed, if there is room. It does not block.
func (v *verifier) sample(ctx context.Context, r *request, oc *graphql.OperationContext, d *document, who *caller, key []byte, e *store.Entry, s *stamp) {
	v.counts.sampled.Add(1)
	if r.hold != nil || v.executable() == nil {
		v.counts.skipped.Add(1)
		return
	}
	select {
	case v.slots <- struct{}{}:
	default:
		v.counts.skipped.Add(1)
		return
	}
	j := &job{
		// The request's context ends when it is answered, and so does all that it has begun to cancel.
		ctx: context.WithoutCancel(ctx), operation: copyOperation(oc), doc: d, public: who.public,
		key: string(key), body: e.Body, stamp: s, at: v.c.opts.Now(),
	}
	if !v.start(func() { v.check(j) }) { //nolint:contextcheck // the job's own, see there
		<-v.slots
		v.counts.skipped.Add(1)
	}
}

// start runs a job that gives back its slot; false after close.
func (v *verifier) start(f func()) bool {
	v.work.Lock()
	defer v.work.Unlock()
	if v.work.closed {
		return false
	}
	v.work.jobs.Go(func() {
		defer func() { <-v.slots }()
		f()
	})
	return true
}

// close ends what is running, and waits for it, but not for resolvers that do not obey their context.
func (v *verifier) close() {
	if v == nil {
		return
	}
	v.work.Lock()
	v.work.closed = true
	v.work.Unlock()
	v.stop()
	ended := make(chan struct{})
	go func() {
		v.work.jobs.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-time.After(v.opts.Timeout):
	}
}

// A job is a hit to be verified.
type job struct {
	ctx       context.Context
	operation *graphql.OperationContext // never executed: copies of it are
	doc       *document
	public    bool
	key       string
	body      []byte
	stamp     *stamp
	at        time.Time
}

// check recomputes a hit and counts what came of it.
func (v *verifier) check(j *job) {
	count := &v.counts.skipped // also when it panics, or the goroutine ends
	defer func() {
		if p := recover(); p != nil {
			count = &v.counts.skipped
			v.c.complain.once("verify", "gqlcache: a hit could not be verified", errPanic(p))
		}
		count.Add(1)
	}()
	count = v.verdict(j)
}

// verdict is what came of a hit.
func (v *verifier) verdict(j *job) *atomic.Uint64 {
	began := v.c.clock.Seq()
	first, ok := v.recompute(j)
	switch {
	case !ok:
		return &v.counts.skipped
	case bytes.Equal(first.Data, j.body):
		v.confirm(j, first, began)
		return &v.counts.confirmed
	case !v.stands(j):
		return &v.counts.discounted
	case !v.wait(v.opts.Grace):
		return &v.counts.skipped
	}
	second, ok := v.recompute(j)
	switch {
	case !ok:
		return &v.counts.skipped
	case !v.stands(j):
		return &v.counts.discounted
	case !bytes.Equal(first.Data, second.Data):
		return &v.counts.unstable
	}
	v.report(j, second)
	return &v.counts.mismatched
}

// stands says that the entry would still be served, and that no change of this instance's mutations which
// a recomputation before may have seen is still on its way. See the invariant.
func (v *verifier) stands(j *job) bool {
	ctx, cancel := v.bounded(v.base)
	defer cancel()
	if v.deeds.settled(ctx) != nil {
		return false
	}
	return v.sameKey(j) && v.c.fresh() && v.c.clock.Valid(j.stamp.Stamp)
}

// sameKey says that the request would still ask for this entry: its predicate may be another by now, and
// then other rows are recomputed.
func (v *verifier) sameKey(j *job) bool {
	ctx, cancel := v.bounded(j.ctx)
	defer cancel()
	ctx = graphql.WithOperationContext(ctx, copyOperation(j.operation))
	who := &caller{public: j.public}
	if !who.public {
		p, ok := v.c.predicate(ctx)
		if !ok {
			return false
		}
		who.predicate = p
	}
	key, why := v.c.appendKey(ctx, nil, j.doc, j.operation.Variables, who)
	return why == "" && string(key) == j.key
}

// bounded returns a context that ends in time, and with the cache.
func (v *verifier) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(ctx, v.opts.Timeout)
	stop := context.AfterFunc(v.base, cancel)
	return ctx, func() {
		stop()
		cancel()
	}
}

// wait returns false when the cache is closed first.
func (v *verifier) wait(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-v.base.Done():
		return false
	}
}

// mutation notes that a mutation is about to run. It is over when its changes are applied for the last
// time: see uncommitted.
func (v *verifier) mutation(r *request, oc *graphql.OperationContext, d *document) {
	if v == nil {
		return
	}
	l := &v.deeds
	if d.op != nil {
		r.deed = l.begin(v.c.opts.Now(), oc.Operation.Name, d.op.Writers())
	} else {
		r.deed = l.begin(v.c.opts.Now(), oc.Operation.Name, nil)
	}
	if !r.uncommitted.keep(&batch{deeds: []*deed{r.deed}}) {
		v.ended(r.deed)
	}
}

func (v *verifier) ended(d *deed) {
	if v != nil {
		v.deeds.end(d, v.c.clock.Seq())
	}
}

// report tells of a mismatch.
func (v *verifier) report(j *job, fresh *extractor.Result) {
	sc := newScene(j.doc.op, difference(j.body, fresh.Data), fresh)
	since := v.deeds.since(j.stamp.lastTrue())
	v.found.add(v.c, j, sc, sc.suspects(v.c.schema.Load().plan, since, &v.evidence, j.stamp.wrong.Swap(true)))
}

// confirm notes what a right answer says of the mutations that it has outlived. began is the clock's
// number when its recomputation did: what was applied before was seen.
func (v *verifier) confirm(j *job, res *extractor.Result, began uint64) {
	last := j.stamp.lastTrue()
	if began <= last {
		return
	}
	since := v.deeds.since(last)
	since = slices.DeleteFunc(since, func(d pastDeed) bool { return d.number > began })
	v.evidence.clear(v.c.schema.Load().plan, j.doc.op, res, since)
	j.stamp.confirmed.Store(began)
}
