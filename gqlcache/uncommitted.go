package gqlcache

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/cascadeql/cascadeql/cascade"
	"github.com/cascadeql/cascadeql/gqlcache/inspect"
	"github.com/cascadeql/cascadeql/gqlcache/internal/fleet"
	"github.com/cascadeql/cascadeql/gqlcache/internal/verify"
	"github.com/cascadeql/cascadeql/gqlcache/internal/watch"
)

// Where a server commits.
//
// Invariant: a change is applied, and made known to other instances, after the commit
// that makes it visible and before the client can have the acknowledgement.
//
// The cache does not see commits. It applies a change wherever it learns of it, so that
// readers see it as soon as they may, and once more at each later point up to which the
// server may have committed:
//
//  1. when gqlgen has answered, inside of all response interceptors: Cache.mutation;
//  2. when the operation's handler returns, outside of all of them: request.leave;
//  3. when the HTTP handler returns, with HoldUntilCommit: hold.release.
//
// Between two of them another request may read the state before the commit and store it;
// the later application has a number of its own and drops that. The log gets one record,
// at the last point: the one after which the transport, or the writer that holds the
// response, sends bytes. Each point that is still ahead is an uncommitted; what is said
// when none is ahead is made known at once.

// uncommitted are changes that were applied to the clock and are to be applied once more
// at a later point. The zero value is ready to use.
type uncommitted struct {
	mu sync.Mutex
	// ahead is how many times the point is still to be reached: an operation's handler
	// may run more than once at a time.
	ahead int32
	// some says that there is something to take.
	some  atomic.Bool
	batch *batch // nil when there is nothing
}

// batch is what is applied together.
type batch struct {
	by inspect.Cause // the last one
	fleet.Change
	// announced are open until the changes are applied for the last time, and mutations
	// are running for Options.Verify until then.
	announced []*fleet.Announcement
	mutations []*verify.Mutation
}

// maxTags bounds the tags that wait: of a request that streams for hours, say. Beyond,
// everything counts as changed.
const maxTags = 50_000

func (b *batch) empty() bool {
	return b.IsEmpty() && len(b.announced) == 0 && len(b.mutations) == 0
}

func (b *batch) add(more *batch) {
	if !more.IsEmpty() {
		b.by = more.by
	}
	b.All = b.All || more.All
	b.announced, b.mutations = append(b.announced, more.announced...), append(b.mutations, more.mutations...)
	if b.All {
		b.Tags, b.Rows, b.Texts = nil, nil, nil
		return
	}
	if b.Change.Add(more.Change) > maxTags {
		if b.Tags = cascade.Merge(b.Tags); len(b.Tags)+len(b.Rows)+len(b.Texts) > maxTags/2 { // half: or each addition would merge again
			b.Change = fleet.Change{All: true}
		}
	}
}

// begin says that the point is ahead, once more.
func (u *uncommitted) begin() {
	u.mu.Lock()
	u.ahead++
	u.mu.Unlock()
}

// keep keeps a batch until the point. false: the point is over, and nobody will take it.
//
// The answer and the addition are one step. Were the point asked for first, it could be
// reached in between: a goroutine that a resolver left behind asks and learns that the
// point is ahead, the handler returns and takes what there is, the goroutine adds its
// change, and no instance ever hears of it.
func (u *uncommitted) keep(b *batch) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.ahead == 0 {
		return false
	}
	u.add(b)
	return true
}

// repeat keeps a batch that is made known now: it is applied again at the point, if that
// is still reached.
func (u *uncommitted) repeat(b *batch) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.add(&batch{by: b.by, Change: b.Change})
}

// add REQUIRES mu held.
func (u *uncommitted) add(b *batch) {
	if u.batch == nil {
		u.batch = &batch{}
	}
	u.batch.add(b)
	u.some.Store(true)
}

// take returns what was kept.
func (u *uncommitted) take() (b batch) {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.taken()
}

// reach is take when the point is over, once.
func (u *uncommitted) reach() batch {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.ahead--
	return u.taken()
}

// taken REQUIRES mu held.
func (u *uncommitted) taken() (b batch) {
	if u.batch != nil {
		b = *u.batch
		b.Tags = cascade.Merge(b.Tags)
	}
	u.batch = nil
	u.some.Store(false)
	return b
}

// known returns a copy of what is kept, without announcements and mutations.
func (u *uncommitted) known() (b batch) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.batch != nil {
		b.add(&batch{by: u.batch.by, Change: u.batch.Change})
	}
	return b
}

// isAhead says that the point is still to be reached.
func (u *uncommitted) isAhead() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.ahead > 0
}

// keepChange keeps a change that this operation made for a later point. later says that
// it is made known then, and need only be applied now. It may be called on nil: then
// there is no such point.
//
// Only a mutation's record waits for the end of its operation. A subscription's operation
// waits for its next event most of the time, and nothing acknowledges what a query
// changed: it is made known at once, and again at the end.
//
// An operation that a resolver runs inside of another one may write in the transaction of
// that one, which commits later: the change is applied once more at the end of each
// operation around it.
func (r *request) keepChange(b *batch) (later bool) {
	if r != nil {
		r.repeatAround(b)
	}
	switch {
	case r == nil:
		return false
	case !r.mutates:
		r.uncommitted.repeat(b)
	case r.uncommitted.keep(b):
		return true
	}
	return r.hold.keep(b)
}

// repeatAround has a change applied again when the operations end that this one runs
// inside of.
func (r *request) repeatAround(b *batch) {
	for o := r.outer; o != nil; o = o.outer {
		switch {
		case o.cache != r.cache:
		case o.mutates:
			o.uncommitted.keep(&batch{by: b.by, Change: b.Change})
		default:
			o.uncommitted.repeat(b)
		}
	}
}

// publishesLater says that a change which the operation makes now is made known, in a
// span of its own, when it ends.
func (r *request) publishesLater() bool { return r != nil && r.mutates && r.uncommitted.isAhead() }

// leave is the second point: the operation's handler returns, or ends with a panic. It
// applies what the operation changed, and makes it known unless a hold does that later.
func (r *request) leave(ctx context.Context) fleet.Publication {
	a := r.leaveAlone(ctx)
	if r.mutates {
		a = r.cache.observing.awaitOutside(r.doubts, a)
	}
	return a
}

// leaveAlone is leave but for what others have changed.
func (r *request) leaveAlone(ctx context.Context) (a fleet.Publication) {
	var b batch
	switch {
	case r.mutates:
		b = r.uncommitted.reach()
	default:
		b = r.uncommitted.take()
	}
	if b.empty() {
		return a
	}
	told := false
	defer func() {
		if !told { // as in applyUnknown
			r.cache.clock.Flush()
			if b.Change = (fleet.Change{All: true}); !r.hold.keep(&b) {
				r.cache.publishBatch(ctx, &b, true)
			}
		}
	}()
	ctx, endSpan := r.cache.span(ctx, SpanInvalidate)
	defer func() { endSpan(appliedEnd(a)) }()
	if r.hold.keep(&b) {
		told = true
		a.Number = r.cache.applyBatch(&b)
		return a
	}
	a = r.cache.publishBatch(ctx, &b, true)
	told = true
	if groups := r.cache.changedGroups(&b); groups != nil && r.mutates {
		r.groups.Store(&groups)
	}
	return a
}

func (c *Cache) applyBatch(b *batch) uint64 {
	if b.IsEmpty() {
		return c.clock.Seq()
	}
	return c.fleet.Apply(b.Change)
}

// publishBatch applies a batch and makes it known. It settles the announcements and ends
// the mutations, whatever becomes of it. again says that the watch was told of the
// changes.
func (c *Cache) publishBatch(ctx context.Context, b *batch, again bool) (p fleet.Publication) {
	defer func() {
		for _, a := range b.announced {
			c.fleet.Settle(ctx, a)
		}
		for _, m := range b.mutations {
			c.verify.End(m)
		}
	}()
	if b.IsEmpty() {
		return p
	}
	change := watch.Change{Cause: b.by, Tags: b.Tags, Again: again}
	if b.All {
		change.Everything, change.Tags = "a change of the transaction that was committed", nil
	}
	var first *fleet.Announcement
	if len(b.announced) > 0 {
		first = b.announced[0] // the others are settled after the changes
	}
	end := c.inspector.Begin(change)
	p = c.makeKnown(ctx, first, b.Change)
	end(p.Number)
	return p
}
