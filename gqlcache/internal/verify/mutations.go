package verify

import (
	"context"
	"maps"
	"math"
	"slices"
	"strings"
	"sync"
	"time"
	"unsafe"

	"github.com/cascadeql/cascadeql/cascade"
)

const (
	// maxMutations bounds the mutations that are remembered.
	maxMutations = 512
	// maxEvents bounds the events kept of a mutation. Further events are kept as "the
	// view has changed". Clients choose how many fields a mutation has.
	maxEvents = 100
	// maxRows bounds the rows kept of an event, maxValues the values kept of a column.
	maxRows   = 100
	maxValues = 20
	// maxWriters bounds the root fields kept of a mutation.
	maxWriters = 50
	// maxEventBytes bounds, roughly, the memory of the events of all mutations. Events
	// that come when it is used up are kept as "the view has changed".
	maxEventBytes = 8 << 20
)

// mutations are those of this instance that are running, and what the last ones have
// changed.
type mutations struct {
	mu      sync.Mutex
	running map[*Mutation]struct{}
	past    []*Mutation // a ring; next is its oldest element once it is full
	next    int
	bytes   int // of the events of those in the ring
	begun   uint64
}

// A Mutation is one that runs or has run. Its methods do nothing on nil.
type Mutation struct {
	done    chan struct{} // closed when its changes are applied
	at      time.Time
	name    string // of the operation
	writers []cascade.Writer

	list *mutations
	// number is the clock's when the changes were applied, and the largest before.
	// Guarded by mutations.mu, as is the rest.
	number uint64
	events []cascade.Event // what the mutation changed, without what follows from it
	bytes  int             // of the events
	gone   bool            // from the ring
}

// begin adds a mutation that is about to run.
func (l *mutations) begin(at time.Time, name string, writers []cascade.Writer) *Mutation {
	m := &Mutation{
		done: make(chan struct{}), at: at, name: Shorten(name), list: l, number: math.MaxUint64,
		writers: slices.Clone(writers[:min(len(writers), maxWriters)]),
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.running == nil {
		l.running = map[*Mutation]struct{}{}
	}
	l.running[m] = struct{}{}
	l.begun++
	if len(l.past) < maxMutations {
		l.past = append(l.past, m)
	} else {
		old := l.past[l.next]
		l.bytes, old.gone = l.bytes-old.bytes, true
		l.past[l.next] = m
		l.next = (l.next + 1) % maxMutations
	}
	return m
}

// Record adds what the mutation changed. It copies what it keeps of the events.
func (m *Mutation) Record(events []cascade.Event) {
	if m == nil {
		return
	}
	m.list.mu.Lock()
	defer m.list.mu.Unlock()
	if m.gone {
		return // so many others have begun since that no report can name it
	}
	for i := range events {
		e := &events[i]
		if len(m.events) < maxEvents && m.list.bytes < maxEventBytes {
			kept := bounded(e)
			n := eventBytes(&kept)
			m.events = append(m.events, kept)
			m.bytes, m.list.bytes = m.bytes+n, m.list.bytes+n
		} else if !slices.ContainsFunc(m.events, func(o cascade.Event) bool { return o.View == e.View && saysOnlyView(&o) }) {
			m.events = append(m.events, cascade.Event{View: e.View, Op: cascade.Any, All: true, Columns: cascade.AllColumns})
		}
	}
}

// saysOnlyView reports whether an event says nothing but which view has changed.
func saysOnlyView(e *cascade.Event) bool {
	return e.Op == cascade.Any && e.All && len(e.Rows)+len(e.Old)+len(e.New) == 0 && e.Columns == cascade.AllColumns
}

// eventBytes returns, roughly, the memory that an event takes.
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

// bounded returns the part of an event that is kept. A row that is left out makes the
// event one of all rows, and a column that is left out may have had any value.
func bounded(e *cascade.Event) cascade.Event {
	kept := *e
	kept.Rows = nil
	for _, k := range e.Rows {
		if len(k) > maxText || len(kept.Rows) == maxRows {
			kept.All = true
		} else {
			kept.Rows = append(kept.Rows, strings.Clone(k)) // it may be a part of a document
		}
		if len(kept.Rows) == maxRows && kept.All {
			break
		}
	}
	kept.Old, kept.New = boundedValues(e.Old), boundedValues(e.New)
	return kept
}

func boundedValues(k cascade.Known) cascade.Known {
	long := func(v cascade.Value) bool { return len(v.String()) > maxText }
	var short cascade.Known
	for _, c := range k {
		if len(c.Values) > maxValues || slices.ContainsFunc(c.Values, long) {
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

// end says that a mutation's changes are applied, as of a number of the clock.
func (l *mutations) end(m *Mutation, number uint64) {
	l.mu.Lock()
	m.number = number
	delete(l.running, m)
	l.mu.Unlock()
	close(m.done)
}

// runningNow returns the mutations that are running.
func (l *mutations) runningNow() []*Mutation {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Collect(maps.Keys(l.running))
}

// waitFor waits until the changes of some mutations are applied. It returns the context's
// error when that ends first.
func waitFor(ctx context.Context, running []*Mutation) error {
	for _, m := range running {
		select {
		case <-m.done:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return ctx.Err()
}

// A moment is a point in time, as far as mutations are concerned.
type moment struct {
	begun   uint64
	running bool
}

// now returns this moment, for quietSince.
func (l *mutations) now() moment {
	l.mu.Lock()
	defer l.mu.Unlock()
	return moment{begun: l.begun, running: len(l.running) > 0}
}

// quietSince reports whether no mutation was running at a moment, and none has begun
// since.
func (l *mutations) quietSince(m moment) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return !m.running && l.begun == m.begun
}

// appliedAfter returns the mutations that were applied after a number, the youngest
// first, without those that are running. A mutation that has published nothing has the
// number of the change before it. It counts when it may have come later.
func (l *mutations) appliedAfter(born uint64) []pastMutation {
	l.mu.Lock()
	defer l.mu.Unlock()
	var list []pastMutation
	for i := range l.past {
		m := l.past[(l.next+i)%len(l.past)]
		if _, running := l.running[m]; running {
			continue
		}
		if m.number > born || m.number == born && len(m.events) == 0 {
			list = append(list, pastMutation{Mutation: m, number: m.number, events: slices.Clip(m.events)})
		}
	}
	slices.Reverse(list)
	return list
}

// A pastMutation is a mutation as it was when it was asked for.
type pastMutation struct {
	*Mutation
	number uint64
	events []cascade.Event
}
