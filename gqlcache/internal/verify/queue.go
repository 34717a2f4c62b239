package verify

import (
	"sync"

	"github.com/cascadeql/cascadeql/gqlcache/internal/safe"
)

// maxJobs bounds the hits that are recomputed, or wait to be, or wait for mutations and
// the grace.
const maxJobs = 1000

// A queue orders the hits that are to be recomputed, and bounds their number and bytes.
// Hits of entries that were never recomputed come first, so that a busy cache is verified
// in its breadth. One turn of three goes to the others.
type queue struct {
	slots    int   // jobs that run at a time
	maxBytes int64 // of the bodies that jobs keep in memory

	jobs sync.WaitGroup

	mu struct {
		sync.Mutex
		closed  bool
		running int
		// resumed are the jobs that have waited for the grace, first those of entries
		// that were never recomputed, again the others. The oldest is in front.
		resumed, first, again []*job
		turn                  uint
		// held and bytes count the jobs that have room.
		held  int
		bytes int64
	}
}

// room reserves room for a job, if need be that of the oldest hit of an entry that was
// recomputed before. It returns false when there is none. A job that has room must be
// finished.
func (q *queue) room(j *job) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	size := int64(len(j.hit.Body))
	for q.mu.closed || q.mu.held >= maxJobs || q.mu.held > 0 && q.mu.bytes+size > q.maxBytes {
		if q.mu.closed || j.seen || len(q.mu.again) == 0 {
			return false
		}
		oldest := q.mu.again[0]
		q.mu.again = q.mu.again[1:]
		q.release(oldest)
		oldest.skip(skipFull)
	}
	q.mu.held++
	q.mu.bytes += size
	j.held = true
	return true
}

// release gives a job's room back. REQUIRES: mu.
func (q *queue) release(j *job) {
	if j.held {
		j.held = false
		q.mu.held--
		q.mu.bytes -= int64(len(j.hit.Body))
	}
}

// leave gives a job's room back.
func (q *queue) leave(j *job) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.release(j)
}

// add runs a job, now or when a slot is free.
func (q *queue) add(j *job) {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case q.mu.closed:
		q.release(j)
		j.skip(skipClosed)
	case q.mu.running < q.slots:
		q.mu.running++
		q.start(j)
	case j.differing != nil:
		q.mu.resumed = append(q.mu.resumed, j)
	case j.seen:
		q.mu.again = append(q.mu.again, j)
	default:
		q.mu.first = append(q.mu.first, j)
	}
}

// start runs a job on a goroutine of its own, and the next one after it, also when a
// resolver ends the goroutine. REQUIRES: mu, and not closed.
func (q *queue) start(j *job) {
	q.jobs.Go(func() {
		parked := false
		// A job that waits may run again by now, on another slot: it must not be looked
		// at.
		defer func() { q.next(j, parked) }()
		defer safe.Shield{Failed: func(err error) {
			j.v.cfg.Once.Warn("verify", "gqlcache: a hit could not be verified", err)
		}}.Recover()
		parked = j.run()
	})
}

// next gives the slot of a job that has run, or that waits, to another one.
func (q *queue) next(ran *job, parked bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !parked {
		q.release(ran)
		ran.skip(skipEnded) // unless it is finished
	}
	if j := q.pick(); j != nil && !q.mu.closed {
		q.start(j)
		return
	}
	q.mu.running--
}

// pick takes the job whose turn it is, and returns nil without any. REQUIRES: mu.
func (q *queue) pick() *job {
	take := func(list *[]*job) *job {
		if len(*list) == 0 {
			return nil
		}
		j := (*list)[0]
		(*list)[0] = nil
		*list = (*list)[1:]
		return j
	}
	if j := take(&q.mu.resumed); j != nil {
		return j
	}
	q.mu.turn++
	lists := [2]*[]*job{&q.mu.first, &q.mu.again}
	if q.mu.turn%3 == 0 {
		lists[0], lists[1] = lists[1], lists[0]
	}
	if j := take(lists[0]); j != nil {
		return j
	}
	return take(lists[1])
}

// park has a job wait without a slot. wait returns true when the job is to run again, and
// false when wait has finished it. The caller must not touch the job any more.
func (q *queue) park(j *job, wait func() (again bool)) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.mu.closed {
		q.release(j)
		j.skip(skipClosed)
		return
	}
	q.jobs.Go(func() {
		if wait() {
			q.add(j)
		} else {
			q.leave(j)
		}
	})
}

// background runs a function that close waits for. After close it returns false and runs
// nothing.
func (q *queue) background(f func()) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.mu.closed {
		return false
	}
	q.jobs.Go(f)
	return true
}

// close keeps jobs from starting, and returns those that have not started.
func (q *queue) close() (dropped []*job) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.mu.closed = true
	dropped = append(append(append(dropped, q.mu.resumed...), q.mu.first...), q.mu.again...)
	q.mu.resumed, q.mu.first, q.mu.again = nil, nil, nil
	return dropped
}
