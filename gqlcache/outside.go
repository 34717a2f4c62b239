package gqlcache

import (
	"context"
	"sync"
	"time"

	"github.com/cascadeql/cascadeql/gqlcache/internal/fleet"
)

// Commits outside of operations: another HTTP handler's, a job's.
//
// Invariant 1: when the commit returns to the application, its change is applied here, and
// is in a record of the log, or in the next one, which somebody is about to publish. The
// application waits for that record for a bounded time, so that a job that inserts ten
// thousand rows does not wait ten thousand times for an instance that does not answer,
// and does not fill the log.
//
// Invariant 2: when a mutation is acknowledged, each such commit that returned before is
// made known. One may be the mutation's own, on a context that does not say so.

// commitGap is the least time between two records for commits outside of operations.
const commitGap = time.Millisecond

// commits joins changes that come while a record is under way.
type commits struct {
	// ahead opens an Ahead, apply applies a change here, publish publishes one that is
	// applied already, most is how long a commit waits for that. They are set before the
	// first use.
	ahead   func() *fleet.Ahead
	apply   func(fleet.Change) uint64
	publish func(fleet.Change) fleet.Publication
	most    time.Duration

	mu      sync.Mutex // protects all below
	running bool
	closed  bool         // nothing is published any more
	next    *commitGroup // nil when nothing waits
	current *commitGroup // being published, nil when none is
	// doubts counts the groups that were not confirmed by all instances, worst is what
	// became of the last one.
	doubts uint64
	worst  fleet.Publication
	// late says that the last group was not published in time: nobody waits for the next
	// one.
	late bool
	idle sync.WaitGroup
}

// A commitGroup is what one record holds.
type commitGroup struct {
	change    fleet.Change
	ahead     *fleet.Ahead
	published chan struct{} // closed when it is
}

// add applies a change, has it published, and waits for that, for a bounded time, and
// while ctx lasts. It returns the clock's number, and whether the change was published.
func (q *commits) add(ctx context.Context, ch fleet.Change) (number uint64, published bool) {
	g, late := q.join(ch)
	number = q.apply(ch)
	return number, g != nil && !late && q.waitFor(ctx, g)
}

// join adds a change to the next group: nil when nothing is published any more.
func (q *commits) join(ch fleet.Change) (g *commitGroup, late bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return nil, false
	}
	if q.next == nil {
		q.next = &commitGroup{ahead: q.ahead(), published: make(chan struct{})}
	}
	g = q.next
	g.add(ch)
	if !q.running {
		q.running = true
		q.idle.Add(1)
		go q.run()
	}
	return g, q.late
}

// waitFor reports whether a group was published in time.
func (q *commits) waitFor(ctx context.Context, g *commitGroup) bool {
	timer := time.NewTimer(q.most)
	defer timer.Stop()
	select {
	case <-g.published:
		return true
	case <-ctx.Done():
	case <-timer.C:
		q.mu.Lock()
		q.late = true
		q.mu.Unlock()
	}
	return false
}

func (g *commitGroup) add(ch fleet.Change) {
	g.ahead.Note(ch)
	if g.change.Add(ch) > maxTags || g.change.All {
		g.change = fleet.Change{All: true}
	}
}

// run publishes groups, one after the other, until nothing waits.
func (q *commits) run() {
	defer q.idle.Done()
	for {
		q.mu.Lock()
		g := q.next
		q.next, q.current = nil, g
		if g == nil {
			q.running = false
			q.mu.Unlock()
			return
		}
		q.mu.Unlock()
		began := time.Now()
		p := q.publish(g.change)
		g.ahead.Recorded()
		q.mu.Lock()
		if !confirmed(p) {
			q.doubts++
			q.worst = p
		}
		close(g.published)
		q.late = q.late && time.Since(began) > q.most
		q.mu.Unlock()
		if rest := commitGap - time.Since(began); rest > 0 {
			<-time.After(rest)
		}
	}
}

// await returns when all that was added before is published, with what became of the last
// group that was not confirmed, and how many these were.
func (q *commits) await() (worst fleet.Publication, doubts uint64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, g := range []*commitGroup{q.current, q.next} {
		if g != nil {
			q.mu.Unlock()
			<-g.published
			q.mu.Lock()
		}
	}
	return q.worst, q.doubts
}

// counted returns how many groups were not confirmed.
func (q *commits) counted() uint64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.doubts
}

// confirmed reports whether all instances know of a publication.
func confirmed(p fleet.Publication) bool { return !p.Shared || p.Err == nil && p.Receipt.Confirmed }

// close returns when nothing is being published any more. Commits that come later are
// applied here alone.
func (q *commits) close() {
	q.mu.Lock()
	q.closed = true
	q.mu.Unlock()
	q.idle.Wait()
}
