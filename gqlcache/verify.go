package gqlcache

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/cascadeql/cascadeql/cascade"
	"github.com/cascadeql/cascadeql/extractor"
	"github.com/cascadeql/cascadeql/gqlcache/internal/safe"
	"github.com/cascadeql/cascadeql/gqlcache/store"
)

// A verifier recomputes hits. Its methods do nothing on nil.
//
// Invariants:
//
//  1. A reported mismatch is a wrong answer, one that no change still on its way to the clock can explain.
//  2. Every sampled hit ends up in exactly one counter, whatever mutations run meanwhile.
//  3. No resolver runs on the context of a client's request: see lend.
//
// For the first, let the recomputation differ because it saw a change that the entry lacks.
//
//   - A mutation of this instance made it. It had committed when the recomputation ended, so it was running
//     then, or its tags were applied. Those running then are waited for, and no others; when they have
//     ended, their tags are applied as well. If the entry is valid at that moment, the change did not name
//     it. What kills the entry later began after the recomputation, which has not seen it.
//   - Somebody else made it. Verify.Grace is longer than it takes until the clock knows, by assumption. An
//     entry that is dead after that counts as wrong only if nobody but mutations of this instance has
//     changed anything since.
//   - Nobody made it, and the resolvers answer differently each time. Then a recomputation right after the
//     first one differs from it. Where a mutation ran meanwhile that proves nothing, and a new pair is
//     computed, maxPairs times.
//
// Simply checking the entry when the recomputation has ended is not enough: between a mutation's commit and
// its Apply the entry is old, valid, and right to be served. Asking that the entry is still valid after
// Grace is too much: on a busy server some mutation has dropped each entry by then.
type verifier struct {
	c         *Cache
	opts      VerifyOptions
	threshold uint64 // of a random number, out of 1<<63
	counts    verifyCounters
	deeds     deeds
	found     findings
	evidence  evidence
	// outside counts the changes that were made by no mutation of this instance.
	outside atomic.Uint64

	// schema is what executes: nil before there is one, and when there are several that may differ.
	schema struct {
		sync.Mutex
		es      graphql.ExecutableSchema
		several bool
	}

	base  context.Context // ends with the cache
	stop  context.CancelFunc
	queue verifyQueue
}

// maxPairs bounds the recomputations of one hit in pairs, none of which agreed while mutations ran.
const maxPairs = 4

// A skip says why a hit was not judged.
type skip uint8

const (
	skipNone       skip = iota
	skipRepeated        // the entry is being verified already
	skipFull            // too many hits wait
	skipServers         // several servers have the cache
	skipContext         // Verify.Context failed, or its context ended
	skipCaller          // the recomputation's context is another caller's
	skipTimeout         // the recomputation took too long
	skipUnreadable      // its answer is no JSON that the operation could give
	skipUnstored        // its resolvers said that the answer must not be stored
	skipMutations       // a mutation that ran meanwhile did not end
	skipBusy            // mutations ran during each pair, and none agreed
	skipClosed          // the cache was closed
	skipEnded           // a resolver has ended the goroutine
	skips
)

// skipNames are the keys of inspect.Verify.SkippedBy.
var skipNames = [skips]string{
	skipRepeated: "repeated", skipFull: "full", skipServers: "servers", skipContext: "context", skipCaller: "caller",
	skipTimeout: "timeout", skipUnreadable: "unreadable", skipUnstored: "unstored", skipMutations: "mutations",
	skipBusy: "busy", skipClosed: "closed", skipEnded: "ended",
}

type verifyCounters struct {
	sampled, confirmed, discounted, unstable, mismatched atomic.Uint64
	skipped                                              [skips]atomic.Uint64
}

func newVerifier(c *Cache, o VerifyOptions) *verifier {
	v := &verifier{c: c, opts: o}
	v.threshold = uint64(o.Rate * (1 << 63))
	v.base, v.stop = context.WithCancel(context.Background())
	v.queue.slots, v.queue.maxBytes = max(1, o.Concurrency), c.opts.MaxBytes/8
	return v
}

// serves notes the schema that executes operations. Servers with different resolvers may share a cache;
// which one a hit was for is not known.
func (v *verifier) serves(es graphql.ExecutableSchema) {
	if v == nil {
		return
	}
	v.schema.Lock()
	same, err := safe.Call(func() (bool, error) { return v.schema.es == nil || v.schema.es == es, nil })
	v.schema.es = es
	first := (err != nil || !same) && !v.schema.several
	v.schema.several = v.schema.several || first
	v.schema.Unlock()
	if first && v.opts.Rate > 0 { // the logger is not called under a lock
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

// sample has a hit recomputed, now or when there is room. It does not block. It is called while the request is
// alive, which is the only time at which Verify.Context may look at it.
func (v *verifier) sample(ctx context.Context, _ *request, oc *graphql.OperationContext, d *document, who *caller, key []byte, e *store.Entry, s *stamp) {
	v.counts.sampled.Add(1)
	switch {
	case v.executable() == nil:
		v.skipped(skipServers)
		return
	case !s.verifying.CompareAndSwap(false, true):
		v.skipped(skipRepeated)
		return
	}
	j := &job{
		v: v, doc: d, public: who.public, key: string(key), body: e.Body, stamp: s, at: v.c.opts.Now(),
		again: s.confirmed.Load() != 0,
	}
	j.part = v.partition(ctx, j.public)
	if !v.queue.room(j) {
		j.skip(skipFull)
		return
	}
	var err error
	if j.ctx, err = v.lend(ctx); err != nil {
		v.c.once.Warn("verify.context", "gqlcache: Verify.Context gave no context that outlives the request, so the hit is not recomputed", err)
		v.queue.leave(j)
		j.skip(skipContext)
		return
	}
	j.operation = copyOperation(oc)
	j.operation.Headers = oc.Headers.Clone() // the request's map may be written to, or serve another one later
	v.queue.add(j)
}

// partition is the one that an answer's tags depend on: none if it is public.
func (v *verifier) partition(ctx context.Context, public bool) cascade.Partition {
	if public || v.c.opts.Predicate == nil {
		return cascade.Partition{}
	}
	return v.c.partition(ctx)
}

func (v *verifier) skipped(why skip) { v.counts.skipped[why].Add(1) }

// close ends what is running, and waits for it, but not for resolvers that do not obey their context.
func (v *verifier) close() {
	if v == nil {
		return
	}
	dropped := v.queue.close()
	v.stop()
	for _, j := range dropped {
		j.skip(skipClosed)
	}
	ended := make(chan struct{})
	go func() {
		v.queue.jobs.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-time.After(v.opts.Timeout):
	}
}

// A job is a hit to be verified.
type job struct {
	v         *verifier
	ctx       context.Context           // outlives the request
	operation *graphql.OperationContext // never executed: copies of it are
	doc       *document
	public    bool
	part      cascade.Partition
	key       string
	body      []byte
	stamp     *stamp
	at        time.Time
	// again is set when the entry was found right before: others go first.
	again bool
	// evidence is what has differed, once a pair agreed; mark and outside are from before it was computed.
	evidence *recomputed
	mark     deedsMark
	outside  uint64

	// held and finished belong to whoever has the job: the queue, a slot or a wait.
	held, finished bool
}

// finish counts what became of the hit, once.
func (j *job) finish(count *atomic.Uint64) {
	if !j.finished {
		j.finished = true
		j.stamp.verifying.Store(false)
		count.Add(1)
	}
}

func (j *job) skip(why skip) { j.finish(&j.v.counts.skipped[why]) }

// run judges the hit as far as it can be without waiting for others. It holds a slot. It returns true when the
// job waits, without it; then nothing else may touch the job.
func (j *job) run() (parked bool) {
	v := j.v
	if j.evidence != nil {
		j.lastLook()
		return false
	}
	for range maxPairs {
		j.mark, j.outside = v.deeds.mark(), v.outside.Load()
		began := v.c.clock.Seq()
		first, why := v.recompute(j)
		switch {
		case why != skipNone:
			j.skip(why)
			return false
		case first.is(j.body):
			v.confirm(j, first.result, began)
			j.finish(&v.counts.confirmed)
			return false
		}
		running := v.deeds.runningNow()
		if !v.stands(j) {
			j.finish(&v.counts.discounted)
			return false
		}
		second, why := v.recompute(j)
		switch {
		case why != skipNone:
			j.skip(why)
			return false
		case first.same(second):
			j.evidence = first
			v.queue.park(j, func() bool { return j.await(running) })
			return true
		case v.deeds.quiet(j.mark):
			j.finish(&v.counts.unstable)
			return false
		}
	}
	j.skip(skipBusy)
	return false
}

// await waits, without a slot, until no change that the evidence may show is on its way. See the invariant. It
// returns true when the hit is to be looked at once more, and has finished it otherwise.
func (j *job) await(running []*deed) (again bool) {
	v := j.v
	ctx, cancel := v.bounded(v.base)
	err := waitFor(ctx, running)
	cancel()
	switch {
	case v.base.Err() != nil:
		j.skip(skipClosed)
		return false
	case err != nil:
		j.skip(skipMutations)
		return false
	case !v.stands(j):
		j.finish(&v.counts.discounted)
		return false
	}
	if !v.wait(v.opts.Grace) {
		j.skip(skipClosed)
		return false
	}
	switch {
	case v.stands(j):
		return true
	// What other instances tell cannot be told apart from what this one does.
	case v.c.opts.Log != nil || v.outside.Load() != j.outside:
		j.finish(&v.counts.discounted)
	default:
		v.report(j)
	}
	return false
}

// lastLook recomputes a wrong entry that is still served once more, after the grace.
func (j *job) lastLook() {
	v := j.v
	last, why := v.recompute(j)
	switch {
	case why != skipNone:
		j.skip(why)
	case last.is(j.body), !last.same(j.evidence) && v.deeds.quiet(j.mark):
		j.finish(&v.counts.unstable)
	case (v.c.opts.Log != nil || v.outside.Load() != j.outside) && !v.stands(j):
		j.finish(&v.counts.discounted)
	default:
		v.report(j)
	}
}

// stands says that the entry would still be served.
func (v *verifier) stands(j *job) bool { return v.c.fresh() && v.c.engine.Valid(&j.stamp.Stamp) }

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

// changedOutside notes a change that no running mutation of this instance has made.
func (v *verifier) changedOutside() {
	if v != nil {
		v.outside.Add(1)
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
func (v *verifier) report(j *job) {
	fresh := j.evidence
	var sc *scene
	if fresh.failed {
		sc = newScene(j.doc.op, fresh.path, &extractor.Result{})
	} else {
		sc = newScene(j.doc.op, difference(j.body, fresh.data), fresh.result)
	}
	since := v.deeds.since(j.stamp.lastTrue())
	v.found.add(v.c, j, sc, sc.suspects(v.c.schema.Load().plan, since, &v.evidence, j.stamp.wrong.Swap(true)))
	j.finish(&v.counts.mismatched)
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
