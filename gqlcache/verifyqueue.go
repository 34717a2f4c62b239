package gqlcache

import (
	"sync"

	"github.com/cascadeql/cascadeql/gqlcache/internal/safe"
)

// maxVerifyJobs bounds the hits that wait to be recomputed, or for mutations and the grace.
const maxVerifyJobs = 1000

// verifyQueue orders the hits that are to be recomputed, bounded in number and bytes. Entries that were never
// recomputed come before those that were, so that a busy cache is looked at in its breadth; of three
// turns, one goes to the others.
type verifyQueue struct {
	slots    int   // jobs that run at a time
	maxBytes int64 // of the bodies that jobs keep in memory

	jobs sync.WaitGroup

	mu struct {
		sync.Mutex
		closed  bool
		running int
		// resumed have waited and are looked at for the last time, first are entries that were never
		// recomputed, again the others. The oldest is in front.
		resumed, first, again []*job
		turn                  uint
		// held and bytes are of all jobs between room and the end of what they wait for.
		held  int
		bytes int64
	}
}

// room makes room for a job, if need be by giving up the oldest hit of an entry that was recomputed before.
// It returns false when there is none. A job that got room must be finished.
func (q *verifyQueue) room(j *job) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	size := int64(len(j.body))
	for q.mu.closed || q.mu.held >= maxVerifyJobs || q.mu.held > 0 && q.mu.bytes+size > q.maxBytes {
		if q.mu.closed || j.again || len(q.mu.again) == 0 {
			return false
		}
		oldest := q.mu.again[0]
		q.mu.again = q.mu.again[1:]
		q.drop(oldest)
		oldest.skip(skipFull)
	}
	q.mu.held++
	q.mu.bytes += size
	j.held = true
	return true
}

// drop gives a job's room back. REQUIRES: mu.
func (q *verifyQueue) drop(j *job) {
	if j.held {
		j.held = false
		q.mu.held--
		q.mu.bytes -= int64(len(j.body))
	}
}

// leave gives a job's room back.
func (q *verifyQueue) leave(j *job) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.drop(j)
}

// add runs a job, now or when a slot is free.
func (q *verifyQueue) add(j *job) {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case q.mu.closed:
		q.drop(j)
		j.skip(skipClosed)
	case q.mu.running < q.slots:
		q.mu.running++
		q.start(j)
	case j.evidence != nil:
		q.mu.resumed = append(q.mu.resumed, j)
	case j.again:
		q.mu.again = append(q.mu.again, j)
	default:
		q.mu.first = append(q.mu.first, j)
	}
}

// start runs a job on a goroutine of its own, and the next one after it. A resolver may end the goroutine: the
// slot is given on all the same. REQUIRES: mu, and not closed.
func (q *verifyQueue) start(j *job) {
	q.jobs.Go(func() {
		parked := false
		// The variable, not the job, says that it waits: by now it may run again, on another slot.
		defer func() { q.next(j, parked) }()
		defer safe.Shield{Failed: func(err error) {
			j.v.c.once.Warn("verify", "gqlcache: a hit could not be verified", err)
		}}.Recover()
		parked = j.run()
	})
}

// next gives the slot of a job that has run, or waits, to another one.
func (q *verifyQueue) next(ran *job, parked bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !parked {
		q.drop(ran)
		ran.skip(skipEnded) // unless it is finished
	}
	if j := q.pick(); j != nil && !q.mu.closed {
		q.start(j)
		return
	}
	q.mu.running--
}

// pick takes the job whose turn it is, nil without any. REQUIRES: mu.
func (q *verifyQueue) pick() *job {
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

// park has a job wait without a slot. wait returns false when it has finished the job, and true when it is
// to run again.
func (q *verifyQueue) park(j *job, wait func() (again bool)) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.mu.closed {
		q.drop(j)
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

// background runs a function that close waits for. It returns false after close.
func (q *verifyQueue) background(f func()) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.mu.closed {
		return false
	}
	q.jobs.Go(f)
	return true
}

// close lets nothing start any more, and returns what has not.
func (q *verifyQueue) close() (dropped []*job) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.mu.closed = true
	dropped = append(append(append(dropped, q.mu.resumed...), q.mu.first...), q.mu.again...)
	q.mu.resumed, q.mu.first, q.mu.again = nil, nil, nil
	return dropped
}
