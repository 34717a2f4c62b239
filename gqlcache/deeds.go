package gqlcache

import (
	"context"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/cascadeql/cascadeql/cascade"
)

const (
	// maxDeeds is how many mutations are remembered.
	maxDeeds = 512
	// maxDeedRows is how many rows of one of its events are.
	maxDeedRows = 100
)

// deeds remembers what mutations of this instance did, and which are running.
type deeds struct {
	mu      sync.Mutex
	running map[*deed]struct{}
	past    []*deed // a ring, next is its oldest once it is full
	next    int
}

// A deed is one mutation. Its methods do nothing on nil.
type deed struct {
	done    chan struct{} // closed when its changes are applied
	at      time.Time
	name    string // of the operation
	writers []cascade.Writer

	list *deeds
	// number is the clock's when the changes were applied; until then it is later than any. Guarded by
	// deeds.mu, as the events are: what it changed, without what follows.
	number uint64
	events []cascade.Event
}

// begin notes that a mutation is about to run.
func (l *deeds) begin(at time.Time, name string, writers []cascade.Writer) *deed {
	d := &deed{done: make(chan struct{}), at: at, name: name, writers: writers, list: l, number: math.MaxUint64}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.running == nil {
		l.running = map[*deed]struct{}{}
	}
	l.running[d] = struct{}{}
	if len(l.past) < maxDeeds {
		l.past = append(l.past, d)
	} else {
		l.past[l.next] = d
		l.next = (l.next + 1) % maxDeeds
	}
	return d
}

// did notes what a mutation changed. The events are not kept.
func (d *deed) did(events []cascade.Event) {
	if d == nil {
		return
	}
	kept := slices.Clone(events)
	for i := range kept {
		if e := &kept[i]; len(e.Rows) > maxDeedRows {
			e.Rows, e.All = slices.Clone(e.Rows[:maxDeedRows]), true
		}
	}
	d.list.mu.Lock()
	d.events = append(d.events, kept...)
	d.list.mu.Unlock()
}

// end notes that a mutation's changes are applied, as of a number.
func (l *deeds) end(d *deed, number uint64) {
	l.mu.Lock()
	d.number = number
	delete(l.running, d)
	l.mu.Unlock()
	close(d.done)
}

// settled waits for the mutations that are running now. It returns the context's error when it ends
// first.
func (l *deeds) settled(ctx context.Context) error {
	l.mu.Lock()
	var wait []*deed
	for d := range l.running {
		wait = append(wait, d)
	}
	l.mu.Unlock()
	for _, d := range wait {
		select {
		case <-d.done:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return ctx.Err()
}

// since returns the mutations that were applied after a number, the youngest first, without those that
// are running. One that has published nothing has the number of the change before it: it counts when it
// may have come later.
func (l *deeds) since(born uint64) []pastDeed {
	l.mu.Lock()
	defer l.mu.Unlock()
	var list []pastDeed
	for i := range l.past {
		d := l.past[(l.next+i)%len(l.past)]
		if _, running := l.running[d]; running {
			continue
		}
		if d.number > born || d.number == born && len(d.events) == 0 {
			list = append(list, pastDeed{deed: d, number: d.number, events: slices.Clip(d.events)})
		}
	}
	slices.Reverse(list)
	return list
}

// pastDeed is a deed as it was when it was asked for.
type pastDeed struct {
	*deed
	number uint64
	events []cascade.Event
}
