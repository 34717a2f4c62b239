package gqlcache

import (
	"context"
	"math"
	"slices"
	"strings"
	"sync"
	"time"
	"unsafe"

	"github.com/cascadeql/cascadeql/cascade"
)

const (
	// maxDeeds is how many mutations are remembered.
	maxDeeds = 512
	// maxDeedEvents is how many events of one are, before the others are told by their views alone;
	// maxDeedRows how many rows of an event. Fields of the mutation, rows and values are as many and as long
	// as a client likes.
	maxDeedEvents = 100
	maxDeedRows   = 100
	// maxDeedWriters is how many of its fields are.
	maxDeedWriters = 50
	// maxDeedText bounds the bytes of a name, a key and a value, maxDeedValues the values of a column.
	maxDeedText   = 100
	maxDeedValues = 20
	// maxDeedBytes bounds the memory of the events of all mutations together, about, and but for the last
	// one. What comes when it is used up is remembered by its view alone.
	maxDeedBytes = 8 << 20
)

// deeds remembers what mutations of this instance did, and which are running.
type deeds struct {
	mu      sync.Mutex
	running map[*deed]struct{}
	past    []*deed // a ring, next is its oldest once it is full
	next    int
	bytes   int // of the events of those in the ring
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
	bytes  int
	gone   bool // from the ring
}

// begin notes that a mutation is about to run.
func (l *deeds) begin(at time.Time, name string, writers []cascade.Writer) *deed {
	d := &deed{
		done: make(chan struct{}), at: at, name: shorten(name), list: l, number: math.MaxUint64,
		writers: slices.Clone(writers[:min(len(writers), maxDeedWriters)]),
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.running == nil {
		l.running = map[*deed]struct{}{}
	}
	l.running[d] = struct{}{}
	if len(l.past) < maxDeeds {
		l.past = append(l.past, d)
	} else {
		old := l.past[l.next]
		l.bytes, old.gone = l.bytes-old.bytes, true
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
	d.list.mu.Lock()
	defer d.list.mu.Unlock()
	if d.gone {
		return // so many others have begun since that nobody is told of it any more
	}
	for i := range events {
		e := &events[i]
		if len(d.events) < maxDeedEvents && d.list.bytes < maxDeedBytes {
			kept := remembered(e)
			n := eventBytes(&kept)
			d.events = append(d.events, kept)
			d.bytes, d.list.bytes = d.bytes+n, d.list.bytes+n
		} else if !slices.ContainsFunc(d.events, func(o cascade.Event) bool { return o.View == e.View && ofView(&o) }) {
			d.events = append(d.events, cascade.Event{View: e.View, Op: cascade.Any, All: true, Columns: cascade.AllColumns})
		}
	}
}

// ofView says that an event tells nothing but its view.
func ofView(e *cascade.Event) bool {
	return e.Op == cascade.Any && e.All && len(e.Rows)+len(e.Old)+len(e.New) == 0 && e.Columns == cascade.AllColumns
}

// eventBytes is about what an event takes in memory.
func eventBytes(e *cascade.Event) int {
	const header = 16 // of a string
	n := int(unsafe.Sizeof(*e)) + cap(e.Rows)*header
	for _, k := range e.Rows {
		n += len(k)
	}
	for _, known := range []cascade.Known{e.Old, e.New} {
		n += cap(known) * int(unsafe.Sizeof(cascade.ColumnValues{}))
		for i := range known {
			n += cap(known[i].Values) * int(unsafe.Sizeof(cascade.Value{}))
			for _, v := range known[i].Values {
				n += len(v.String())
			}
		}
	}
	return n
}

// remembered is what is kept of an event: what is left out may have been anything.
func remembered(e *cascade.Event) cascade.Event {
	kept := *e
	kept.Rows = nil
	for _, k := range e.Rows {
		if len(k) > maxDeedText || len(kept.Rows) == maxDeedRows {
			kept.All = true
		} else {
			kept.Rows = append(kept.Rows, strings.Clone(k)) // it may be a part of a document
		}
		if len(kept.Rows) == maxDeedRows && kept.All {
			break
		}
	}
	kept.Old, kept.New = shortValues(e.Old), shortValues(e.New)
	return kept
}

func shortValues(k cascade.Known) cascade.Known {
	long := func(v cascade.Value) bool { return len(v.String()) > maxDeedText }
	var short cascade.Known
	for _, c := range k {
		if len(c.Values) > maxDeedValues || slices.ContainsFunc(c.Values, long) {
			continue
		}
		kept := cascade.ColumnValues{Column: c.Column}
		for _, v := range c.Values {
			kept.Values = append(kept.Values, v.Clone())
		}
		short = append(short, kept)
	}
	return short
}

// shorten returns at most maxDeedText bytes of a text, which clients choose, in memory of its own: not to hold
// their document.
func shorten(text string) string {
	if len(text) > maxDeedText {
		return text[:maxDeedText] + "…"
	}
	return strings.Clone(text)
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
