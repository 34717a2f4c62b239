package verify

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"time"

	"github.com/cascadeql/cascadeql/cascade"
	"github.com/cascadeql/cascadeql/extractor"
	"github.com/cascadeql/cascadeql/gqlcache/inspect"
	"github.com/cascadeql/cascadeql/gqlcache/internal/safe"
)

// A Verifier has hits recomputed and judges the differences. It knows which mutations of
// this instance run, which a Shadow needs too. Its methods may be called concurrently.
// Begin, End, ChangedOutside, Stats and Close do nothing on nil.
//
// Invariants:
//
//  1. A reported mismatch is a wrong answer, one that no change still on its way to the
//     clock can explain.
//  2. Every sampled hit ends up in exactly one counter, whatever mutations run meanwhile.
//
// For the first, let the recomputation differ because it saw a change that the entry
// lacks.
//
//   - A mutation of this instance made it. It had committed when the recomputation ended,
//     so it was running then, or its tags were applied. Those running then are waited
//     for, and no others; when they have ended, their tags are applied as well. If the
//     entry is valid at that moment, the change did not name it. A change that
//     invalidates the entry later began after the recomputation, which has not seen it.
//   - Somebody else made it. Config.Grace is longer than it takes until the clock knows,
//     by assumption. An entry that is invalid after that counts as wrong only if nobody
//     but mutations of this instance has changed anything since.
//   - Nobody made it, and the resolvers answer differently each time. Then a
//     recomputation right after the first one differs from it. Where a mutation ran
//     meanwhile that proves nothing, and a new pair is computed, maxPairs times.
//
// Checking the entry when the recomputation has ended is not enough: between a mutation's
// commit and its application the entry is old, valid, and right to be served. Asking that
// the entry is still valid after the grace is too much: on a busy server some mutation
// has invalidated each entry by then.
type Verifier struct {
	cfg          Config
	threshold    uint64 // of a random number, out of 1<<63
	counts       counters
	mutations    mutations
	found        findings
	explanations explanations
	writes       writes
	// outside counts the changes that were made by no mutation of this instance.
	outside atomic.Uint64

	base  context.Context // ends with the verifier
	stop  context.CancelFunc
	queue queue
}

// Config has what a Verifier needs of the cache. All fields must be set unless they say
// otherwise. The functions may be called concurrently and must not block.
type Config struct {
	// Rate is the fraction of hits that are sampled, from 0 to 1. In shadow mode it is 0.
	Rate float64
	// Timeout bounds one recomputation, the wait for running mutations, and Close.
	Timeout time.Duration
	// Concurrency is how many hits are recomputed at a time; 0 counts as 1.
	Concurrency int
	// Grace is how long a difference is left alone before it is judged.
	Grace time.Duration
	// MaxBytes bounds the bodies of the hits that wait.
	MaxBytes int64
	// Instances says that there may be other instances, whose changes cannot be told from
	// those of this one.
	Instances bool

	Now    func() time.Time
	Logger *slog.Logger
	Once   *safe.Once
	// Fingerprint names bytes without telling what they are.
	Fingerprint func(what string, b []byte) string

	// OneServer reports whether it is known whose resolvers have computed the entries.
	OneServer func() bool
	// Plan returns the schema's plan. It is called after the first operation only.
	Plan func() *cascade.Plan
	// Seq returns the clock's number.
	Seq func() uint64
	// Fresh reports whether this instance has heard of all changes that others had
	// acknowledged.
	Fresh func() bool
}

// An Entry is what the package remembers of an entry of the store. The zero value is one
// of an entry that was never looked at. It must not be copied.
type Entry struct {
	// confirmed is the clock's number as of which the entry was last found right, 0
	// before.
	confirmed atomic.Uint64
	// checking is set while a hit of the entry is verified; wrong once the entry was
	// found wrong.
	checking, wrong atomic.Bool
	// answers are those that a Shadow has seen, nil without one.
	answers *answers
}

// A Hit is an answer that the cache has given, or would have given in shadow mode.
type Hit struct {
	Operation inspect.Operation // for reports; the name may have any length
	Op        *cascade.Operation
	Key       string
	Body      []byte
	Entry     *Entry
	// Promises are those of @view(decides:) that the answer relies on.
	Promises []cascade.Projection
	Born     uint64 // the clock's number that the entry is based on
	Stored   int64  // when, in nanoseconds since 1970
	// Valid reports whether no change applied since invalidates the entry.
	Valid func() bool
}

// lastRight returns the number as of which the entry is known to have been right.
func (h *Hit) lastRight() uint64 { return max(h.Born, h.Entry.confirmed.Load()) }

// Recompute answers a hit's operation anew, or returns why there is nothing to compare
// with. Its context is derived from the hit's, and ends in time and with the verifier.
type Recompute func(ctx context.Context) (*Answer, Skip)

// An Answer is what resolvers gave.
type Answer struct {
	Data   []byte
	Result *extractor.Result // not nil unless Failed is set; unused in shadow mode
	// Failed says that there were errors, or no data; Path is where.
	Failed bool
	Path   Path
}

// is reports whether the answer is that of the hit.
func (a *Answer) is(body []byte) bool { return !a.Failed && bytes.Equal(a.Data, body) }

// same reports whether two answers agree. Two that failed do, wherever they failed:
// messages may name a time, or a request.
func (a *Answer) same(b *Answer) bool {
	return a.Failed == b.Failed && (a.Failed || bytes.Equal(a.Data, b.Data))
}

// maxPairs bounds the recomputations of one hit in pairs, none of which agreed while
// mutations ran.
const maxPairs = 4

// A Skip says why a hit was not judged.
type Skip uint8

const (
	SkipNone       Skip = iota
	skipRepeated        // the entry is being verified already
	skipFull            // too many hits wait
	SkipServers         // several servers have the cache
	skipContext         // there was no context for the recomputation, or it ended
	SkipCaller          // the recomputation's context is another caller's
	SkipTimeout         // the recomputation took too long
	SkipUnreadable      // its answer is no JSON that the operation could give
	SkipUnstored        // its resolvers said that the answer must not be stored
	skipMutations       // a mutation that ran meanwhile did not end
	skipBusy            // mutations ran during each pair, and none agreed
	skipClosed          // the verifier was closed
	skipEnded           // a resolver has ended the goroutine
	skips
)

// skipNames are the keys of inspect.Verify.SkippedBy.
var skipNames = [skips]string{
	skipRepeated: "repeated", skipFull: "full", SkipServers: "servers", skipContext: "context", SkipCaller: "caller",
	SkipTimeout: "timeout", SkipUnreadable: "unreadable", SkipUnstored: "unstored", skipMutations: "mutations",
	skipBusy: "busy", skipClosed: "closed", skipEnded: "ended",
}

// The texts of what is logged once, and what is wrong.
const (
	noContextText   = "gqlcache: Verify.Context gave no context that outlives the request, so the hit is not recomputed"
	endedText       = "gqlcache: the context of Verify.Context ended before a hit was recomputed; return one that outlives the request"
	otherCallerText = "gqlcache: a hit is not recomputed, because it would be for another caller; Verify.Context must give what Predicate, Vary and Partition look at"

	contextEnded = "the context has ended"
	otherKey     = "Predicate, Vary or Partition give something else under the context of Options.Verify than for the hit"
)

var errGoroutineEnded = errors.New("it ended its goroutine")

type counters struct {
	sampled, confirmed, discounted, unstable, mismatched atomic.Uint64
	skipped                                              [skips]atomic.Uint64
}

// New returns a verifier. Close it when no requests come any more.
func New(cfg Config) *Verifier {
	v := &Verifier{cfg: cfg}
	v.threshold = uint64(cfg.Rate * (1 << 63))
	v.base, v.stop = context.WithCancel(context.Background())
	v.queue.slots, v.queue.maxBytes = max(1, cfg.Concurrency), cfg.MaxBytes
	return v
}

// Picks draws whether a hit is sampled. It neither allocates nor shares memory with other
// hits.
func (v *Verifier) Picks() bool { return rand.Uint64()>>1 < v.threshold }

// Sample has a hit recomputed, now or when there is room. It does not block. It calls
// prepare at most once, before it returns: the hit's request, which is alive until then,
// may be looked at there only. prepare returns the context for the recomputation, which
// outlives the request, and the function that recomputes the hit.
func (v *Verifier) Sample(h Hit, prepare func() (context.Context, Recompute, error)) {
	v.counts.sampled.Add(1)
	switch {
	case !v.cfg.OneServer():
		v.counts.skipped[SkipServers].Add(1)
		return
	case !h.Entry.checking.CompareAndSwap(false, true):
		v.counts.skipped[skipRepeated].Add(1)
		return
	}
	h.Operation.Name = Shorten(h.Operation.Name)
	j := &job{v: v, hit: h, at: v.cfg.Now(), seen: h.Entry.confirmed.Load() != 0}
	if !v.queue.room(j) {
		j.skip(skipFull)
		return
	}
	err := errGoroutineEnded // unless prepare returns
	defer func() {
		if err != nil {
			v.queue.leave(j)
			j.skip(skipContext)
			v.cfg.Once.Warn("verify.context", noContextText, err)
			return
		}
		v.queue.add(j)
	}()
	j.ctx, j.compute, err = prepare()
}

// Begin adds a mutation that is about to run, with its root fields. Call End when its
// changes are applied for the last time.
func (v *Verifier) Begin(name string, writers []cascade.Writer) *Mutation {
	if v == nil {
		return nil
	}
	return v.mutations.begin(v.cfg.Now(), name, writers)
}

// End says that a mutation's changes are applied.
func (v *Verifier) End(m *Mutation) {
	if v != nil {
		v.mutations.end(m, v.cfg.Seq())
	}
}

// ChangedOutside says that there was a change which no running mutation of this instance
// has made.
func (v *Verifier) ChangedOutside() {
	if v != nil {
		v.outside.Add(1)
	}
}

// Background runs a function that Close waits for, with the recomputations. After Close
// it returns false and runs nothing.
func (v *Verifier) Background(f func()) bool { return v.queue.background(f) }

// Close ends the recomputations. It waits for them, but not longer than Config.Timeout
// for resolvers that do not obey their context.
func (v *Verifier) Close() {
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
	case <-time.After(v.cfg.Timeout):
	}
}

// A job is a hit that is verified.
type job struct {
	v       *Verifier
	hit     Hit
	ctx     context.Context // outlives the request
	compute Recompute
	at      time.Time
	// seen is set when the entry was found right before: others go first.
	seen bool
	// differing is the answer that differs, once a pair agreed; moment and outside are
	// from before it was computed.
	differing *Answer
	moment    moment
	outside   uint64

	// held and finished belong to the queue, the slot or the wait that has the job.
	held, finished bool
}

// finish counts the outcome of the hit, once.
func (j *job) finish(count *atomic.Uint64) {
	if !j.finished {
		j.finished = true
		j.hit.Entry.checking.Store(false)
		count.Add(1)
	}
}

func (j *job) skip(why Skip) { j.finish(&j.v.counts.skipped[why]) }

// recompute runs the hit's operation anew.
func (j *job) recompute() (*Answer, Skip) {
	v := j.v
	ctx, cancel := v.bounded(j.ctx)
	defer cancel()
	a, why := j.compute(ctx)
	switch {
	case v.base.Err() != nil:
		return nil, skipClosed
	case j.ctx.Err() != nil: // a resolver may take the end of its context for the end of its rows
		v.cfg.Once.WarnWith("verify.context.ended", endedText, "error", contextEnded)
		return nil, skipContext
	case why == SkipCaller:
		v.cfg.Once.WarnWith("verify.caller", otherCallerText, "error", otherKey)
	}
	return a, why
}

// run judges the hit as far as it can be without waiting for others. It holds a slot. It
// returns true when the job waits, without a slot; then the caller must not touch the job
// any more.
func (j *job) run() (parked bool) {
	v := j.v
	if j.differing != nil {
		j.lastLook()
		return false
	}
	for range maxPairs {
		j.moment, j.outside = v.mutations.now(), v.outside.Load()
		began := v.cfg.Seq()
		first, why := j.recompute()
		switch {
		case why != SkipNone:
			j.skip(why)
			return false
		case first.is(j.hit.Body):
			v.confirm(j, first.Result, began)
			j.finish(&v.counts.confirmed)
			return false
		}
		running := v.mutations.runningNow()
		if !v.stands(&j.hit) {
			j.finish(&v.counts.discounted)
			return false
		}
		second, why := j.recompute()
		switch {
		case why != SkipNone:
			j.skip(why)
			return false
		case first.same(second):
			j.differing = first
			v.queue.park(j, func() bool { return j.await(running) })
			return true
		case v.mutations.quietSince(j.moment):
			j.finish(&v.counts.unstable)
			return false
		}
	}
	j.skip(skipBusy)
	return false
}

// await waits, without a slot, until no change that the answer may show is on its way:
// see Verifier. It returns true when the hit is to be looked at once more, and false when
// it has finished the hit.
func (j *job) await(running []*Mutation) (again bool) {
	v := j.v
	err := v.waitFor(running)
	switch {
	case v.base.Err() != nil:
		j.skip(skipClosed)
		return false
	case err != nil:
		j.skip(skipMutations)
		return false
	case !v.stands(&j.hit):
		j.finish(&v.counts.discounted)
		return false
	}
	if !v.wait(v.cfg.Grace) {
		j.skip(skipClosed)
		return false
	}
	switch {
	case v.stands(&j.hit):
		return true
	case v.othersChanged(j.outside):
		j.finish(&v.counts.discounted)
	default:
		v.report(j)
	}
	return false
}

// lastLook recomputes a wrong entry that is still served once more, after the grace.
func (j *job) lastLook() {
	v := j.v
	last, why := j.recompute()
	switch {
	case why != SkipNone:
		j.skip(why)
	case last.is(j.hit.Body), !last.same(j.differing) && v.mutations.quietSince(j.moment):
		j.finish(&v.counts.unstable)
	case v.othersChanged(j.outside) && !v.stands(&j.hit):
		j.finish(&v.counts.discounted)
	default:
		v.report(j)
	}
}

// stands reports whether the entry would still be served.
func (v *Verifier) stands(h *Hit) bool { return v.cfg.Fresh() && h.Valid() }

// othersChanged reports whether anybody but mutations of this instance may have changed
// anything since outside was read.
func (v *Verifier) othersChanged(outside uint64) bool {
	return v.cfg.Instances || v.outside.Load() != outside
}

// waitFor waits until the changes of some mutations are applied. It returns an error when
// the time is up, or the verifier is closed.
func (v *Verifier) waitFor(running []*Mutation) error {
	ctx, cancel := v.bounded(v.base)
	defer cancel()
	return waitFor(ctx, running)
}

// bounded returns a context that ends in time, and with the verifier.
func (v *Verifier) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(ctx, v.cfg.Timeout)
	stop := context.AfterFunc(v.base, cancel)
	return ctx, func() {
		stop()
		cancel()
	}
}

// wait waits for a time. It returns false when the verifier is closed first.
func (v *Verifier) wait(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-v.base.Done():
		return false
	}
}

// confirm counts the explanations that a right answer refutes. began is the clock's
// number before the recomputation, which has seen all that was applied by then.
func (v *Verifier) confirm(j *job, answer *extractor.Result, began uint64) {
	last := j.hit.lastRight()
	if began <= last {
		return
	}
	since := v.mutations.appliedAfter(last)
	since = slices.DeleteFunc(since, func(m pastMutation) bool { return m.number > began })
	v.explanations.refute(v.cfg.Plan(), j.hit.Op, answer, since)
	v.explanations.refuteDecides(j.hit.Promises, answer, v.writes.after(last, began))
	j.hit.Entry.confirmed.Store(began)
}
