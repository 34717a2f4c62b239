package redisstore

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/cascadeql/cascadeql/gqlcache/store"
)

// A queue holds the writes that wait, one a key, in the order in which their keys came.
//
// Invariants:
//  1. A key is in waiting at most once; a later write replaces an earlier one in its
//     place.
//  2. Batches are written one after the other, so two writes of a key reach Redis in
//     their order, unless a batch has outlived its timeout.
//  3. A write can be looked up from when it is accepted until Redis has answered: what
//     take hands out stays in writing until done.
//
// A nil queue is one that holds nothing.
type queue struct {
	maxEntries, maxBytes int
	wake                 chan struct{}   // of one: something waits, or the queue is closed
	ended                chan struct{}   // closed when the sender's loop has stopped
	ctx                  context.Context // of the loop; ends when Close has no time left
	cancel               context.CancelFunc

	mu      sync.Mutex
	waiting map[string]*write
	order   []*write // in waiting, or replaced: then its at is not
	writing map[string]*write
	bytes   int // of values waiting
	closed  bool
	lost    int // writes that Close had no time for
	flushes []flush
	added   uint64 // places in order handed out
	written uint64 // places done with
}

// A flush waits until the first upTo places are done with.
type flush struct {
	upTo uint64
	done chan struct{}
}

func newQueue(maxEntries, maxBytes int) *queue {
	q := &queue{
		maxEntries: maxEntries, maxBytes: maxBytes,
		wake: make(chan struct{}, 1), ended: make(chan struct{}),
		waiting: map[string]*write{},
	}
	q.ctx, q.cancel = context.WithCancel(context.Background())
	return q
}

// add accepts a write, and reports whether a put that waited is deleted by it. A put that
// is older than the one that waits is kept out.
func (q *queue) add(w write) (deletes bool, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return false, store.ErrClosed
	}
	old := q.waiting[w.at]
	if w.version != nil && !q.matches(&w, old) {
		return false, nil
	}
	if old != nil {
		if w.entry != nil && old.value != nil && old.entry.Version > w.entry.Version {
			return false, nil
		}
		if q.bytes-len(old.value)+len(w.value) > q.maxBytes {
			return false, ErrDropped
		}
		q.bytes += len(w.value) - len(old.value)
		deletes = old.value != nil && w.entry == nil
		*old = w
		return deletes, nil
	}
	if len(q.waiting) >= q.maxEntries || q.bytes+len(w.value) > q.maxBytes {
		return false, ErrDropped
	}
	q.waiting[w.at] = &w
	q.order = append(q.order, &w)
	q.bytes += len(w.value)
	q.added++
	q.signal()
	return false, nil
}

// matches reports whether the deletion of a version has anything to do, given what waits
// at its key. A put of that version becomes an unconditional deletion: what Redis holds
// is older or the same.
// REQUIRES: mu held.
func (q *queue) matches(w, old *write) bool {
	if old == nil {
		return true
	}
	if old.version != nil { // of another version, or the same: the later one saw what is there now
		return true
	}
	if old.value == nil || old.entry.Version != *w.version {
		return false
	}
	w.version = nil
	return true
}

// signal wakes the loop. A token that is there already serves for this, too: the loop
// looks at the queue after it has taken it.
func (q *queue) signal() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// lookup returns what the queue will make of a key: an entry, or nil for a deletion, if
// queued is true. Else it is Redis's to say, but that an entry of the version gone, if
// there is one, is deleted.
func (q *queue) lookup(at string) (e *store.Entry, gone *uint64, queued bool) {
	if q == nil {
		return nil, nil, false
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, w := range []*write{q.waiting[at], q.writing[at]} {
		switch {
		case w == nil:
		case w.version == nil && w.entry != nil && gone != nil && w.entry.Version == *gone:
			return nil, nil, true
		case w.version == nil:
			return w.entry, nil, true
		case gone == nil:
			gone = w.version
		}
	}
	return nil, gone, false
}

func (q *queue) len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.waiting) + len(q.writing)
}

// A batch is bounded, so that its timeout means the same for a long queue.
const (
	batchEntries = 64
	batchBytes   = 2 << 20
)

// take moves the next batch to writing; there is none when nothing waits. It also reports
// whether the queue is closed: both are of one moment, so that nothing can have been
// added after an empty batch of a closed queue.
func (q *queue) take() (batch []write, closed bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	size := 0
	q.writing = map[string]*write{}
	for len(q.order) > 0 && len(batch) < batchEntries {
		w := q.order[0]
		if len(batch) > 0 && size+len(w.value) > batchBytes {
			break
		}
		q.order[0] = nil
		q.order = q.order[1:]
		delete(q.waiting, w.at)
		q.writing[w.at] = w
		q.bytes -= len(w.value)
		size += len(w.value)
		batch = append(batch, *w)
	}
	return batch, q.closed
}

// done forgets the batch that was taken last, of n writes, and wakes those who wait for
// it.
func (q *queue) done(n int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.ctx.Err() != nil {
		q.lost += n
	}
	q.writing = nil
	q.written += uint64(n)
	rest := q.flushes[:0]
	for _, f := range q.flushes {
		if f.upTo <= q.written {
			close(f.done)
		} else {
			rest = append(rest, f)
		}
	}
	q.flushes = rest
}

// close refuses further writes, lets the loop finish within the timeout, and returns how
// many writes are lost, or may be.
func (q *queue) close(timeout time.Duration) int {
	q.mu.Lock()
	q.closed = true
	q.signal()
	q.mu.Unlock()
	timer := time.AfterFunc(timeout, q.cancel)
	defer timer.Stop()
	<-q.ended
	q.cancel()
	return q.lost // the loop was the last to change it
}

// loop sends what is queued. It stops when the queue is closed and empty; once its
// context has ended no write takes any time.
func (s *sender) loop() {
	q := s.queue
	defer close(q.ended)
	for {
		batch, closed := q.take()
		if len(batch) == 0 {
			if closed {
				return
			}
			<-q.wake
			continue
		}
		if q.ctx.Err() == nil {
			if err := s.send(q.ctx, "write", batch); errors.Is(err, ErrUnavailable) {
				s.counters.dropped.Add(uint64(len(batch)))
			}
		}
		q.done(len(batch))
	}
}

// flush returns a channel that is closed when the writes that are queued now are done
// with.
func (q *queue) flush() <-chan struct{} {
	q.mu.Lock()
	defer q.mu.Unlock()
	f := flush{upTo: q.added, done: make(chan struct{})}
	if f.upTo <= q.written {
		close(f.done)
	} else {
		q.flushes = append(q.flushes, f)
	}
	return f.done
}
