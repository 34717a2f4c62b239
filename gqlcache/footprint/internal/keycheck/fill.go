package keycheck

import (
	"cmp"
	"database/sql/driver"
	"slices"
	"sync"
	"time"
)

// A Fill is the check of one computation. Its methods may be called concurrently. After
// End they do nothing.
type Fill struct {
	c     *Checker
	key   Key
	start time.Time

	mu sync.Mutex
	b  *buffers // nil after End
}

// buffers are reused by later computations.
type buffers struct {
	origins origins
	indexed bool
	// places are the positions that had a value; places of one hash are one.
	places  []place
	byHash  index
	seen    []observation
	numbers []uint32
	// once are the pairs of place and value that were seen.
	once index
	// rare are the hashes of texts with literals.
	rare []uint64
	// over says that there was more than a check looks at, unsaid that something it depends on
	// was not told.
	over, unsaid bool
}

// A place is a position, in one computation.
type place struct {
	hash    uint64
	field   string
	text    string
	setting string
	ordinal int
	// of and part are of a value's key.
	of, part string
}

// An observation is a value at a place, and where it may come from: some of numbers.
type observation struct {
	place       uint32
	from, until uint32
	exact       uint64
	// clock says that it is the time of the computation, plain that it is one of few.
	clock, plain bool
}

// maxSeen is how many values at places one computation judges.
const maxSeen = 10_000

// keptSlots is how large the indexes are that are kept for later computations.
const keptSlots = 8192

// Argument says that a statement is about to run with a value. field is the path of the
// field that sent it, without places in lists, "" when that is not known. textHash is of
// text; texts that differ in the length of a list only should have one, and one position
// for all of the list: see Shape. ordinal is the argument's number, for reports. Both count
// from 1. A value that is a list is one position. Statements whose rows are not read
// do not count: nothing should be said of them.
func (f *Fill) Argument(field, text string, textHash uint64, position, ordinal int, v any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	defer f.contain()
	if f.b == nil {
		return
	}
	hash := mix(mix(textHash, uint64(position)), hashString(field))
	f.b.observe(f, place{hash: hash, field: field, text: text, ordinal: ordinal}, v)
}

// Setting says that a statement runs under a setting of its connection: SET, set_config, SET
// ROLE, search_path, or the schema that its text names a table in. name tells the setting.
func (f *Fill) Setting(name string, v any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	defer f.contain()
	if f.b == nil {
		return
	}
	f.b.observe(f, place{hash: mix(5, hashString(name)), setting: name}, v)
}

// Part says that a computed value is asked for, under a key of that name, and what a part of
// the key holds. The value may be found, and then no statement tells what it was made of.
func (f *Fill) Part(field, name, part string, v any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	defer f.contain()
	if f.b == nil {
		return
	}
	hash := mix(mix(mix(8, hashString(name)), hashString(part)), hashString(field))
	f.b.observe(f, place{hash: hash, field: field, of: name, part: part}, v)
}

// Known vouches for a value that was computed in Go, for statements to come.
func (f *Fill) Known(v any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	defer f.contain()
	if f.b == nil {
		return
	}
	f.b.index(f)
	f.b.origins.part(mix(4, 0), ofKnown, v, 0)
}

// Doubt says that something of the computation cannot be judged: a setting whose value is
// not known, say.
func (f *Fill) Doubt() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.b != nil {
		f.b.over = true
	}
}

// Unsaid says that the computation depends on something which cannot be told, and which the
// key may lack: the answer is for the same caller. What was told is judged all the same.
func (f *Fill) Unsaid() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.b != nil {
		f.b.unsaid = true
	}
}

// Literal says that a statement's text has literals. They count as constants once two
// callers have sent the text.
func (f *Fill) Literal(textHash uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.b == nil || f.b.over {
		return
	}
	if !slices.Contains(f.b.rare, textHash) {
		f.b.rare = append(f.b.rare, textHash)
		f.b.over = len(f.b.rare) > maxSets
	}
}

// Row says that a row of a statement was read. It must be called before the application
// sees the row. row is not kept.
func (f *Fill) Row(field string, textHash uint64, row []driver.Value) {
	f.mu.Lock()
	defer f.mu.Unlock()
	defer f.contain()
	if f.b == nil {
		return
	}
	o := &f.b.origins
	if o.over {
		return
	}
	first, ok := o.row(field, textHash, len(row))
	if !ok {
		return
	}
	for i, cell := range row {
		o.cell(first+i, cell)
	}
}

// End ends the check, and says what may be done with the answer. Only the first call
// counts.
func (f *Fill) End() Verdict {
	f.mu.Lock()
	b := f.b
	f.b = nil
	f.mu.Unlock()
	if b == nil {
		return Verdict{}
	}
	return f.c.judge(f, b)
}

// contain makes a panic of the check, or of a value's methods, one more thing that it does
// not judge.
func (f *Fill) contain() {
	if f.b != nil && recover() != nil {
		f.b.over = true
	}
}

// observe notes a value at a place.
func (b *buffers) observe(f *Fill, p place, v any) {
	number, ok := b.byHash.first(p.hash)
	if !ok {
		if len(b.places) >= maxSeen {
			b.over = true
			return
		}
		number = uint32(len(b.places))
		b.places = append(b.places, p)
		b.byHash.add(p.hash, number)
	}
	if b.over || b.origins.over {
		return
	}
	b.index(f)
	b.value(f, number, v, 0)
}

// index takes in the key, once.
func (b *buffers) index(f *Fill) {
	if !b.indexed {
		b.indexed = true
		b.origins.key(&f.key)
	}
}

// value notes a value, or the elements of one.
func (b *buffers) value(f *Fill, place uint32, v any, depth int) {
	if val, ok := b.origins.scalar(v); ok {
		b.scalar(f, place, v, val, depth)
		return
	}
	if depth > maxDepth || !elements(v, func(x any) { b.value(f, place, x, depth+1) }) {
		b.over = true
	}
}

func (b *buffers) scalar(f *Fill, place uint32, v any, val value, depth int) {
	if b.over || !b.once.add(mix(b.places[place].hash, val.exact), 0) {
		return
	}
	if len(b.seen) >= maxSeen {
		b.over = true
		return
	}
	o := &b.origins
	from := len(b.numbers)
	if !val.null {
		b.numbers = o.values.all(b.numbers, val.folded)
		if len(b.numbers) == from {
			s, isText := textOf(v)
			if !isText {
				s = "" // none, or one that is too long
			}
			b.numbers = o.computed(b.numbers, &val, s)
			if isText && len(b.numbers) == from {
				if depth == 0 && list(s, func(x any) { b.value(f, place, x, depth+1) }) {
					return
				}
				b.numbers = o.derived(b.numbers, s)
			}
		}
		if len(b.numbers) == from && o.partial {
			b.over = true // it may come from what was not looked at
			return
		}
	}
	b.seen = append(b.seen, observation{
		place: place, from: uint32(from), until: uint32(len(b.numbers)), exact: val.exact, plain: val.plain,
		clock: len(b.numbers) == from && f.isClock(&val),
	})
}

// isClock reports whether a value is about the time of the computation.
func (f *Fill) isClock(v *value) bool {
	near := func(t time.Time) bool { return t.Sub(f.start).Abs() <= time.Minute }
	switch {
	case !v.at.IsZero():
		return near(v.at)
	case v.whole && v.n > 1e9:
		return near(time.Unix(v.n, 0)) || near(time.UnixMilli(v.n)) || near(time.UnixMicro(v.n)) || near(time.Unix(0, v.n))
	}
	return false
}

// sorted has the observations of each place together.
func (b *buffers) sorted() []observation {
	slices.SortStableFunc(b.seen, func(x, y observation) int { return cmp.Compare(x.place, y.place) })
	return b.seen
}

// buffers returns empty ones.
func (c *Checker) buffers() *buffers {
	b := c.pool.Get().(*buffers)
	b.origins.empty()
	b.byHash.empty()
	b.once.empty()
	b.indexed, b.over, b.unsaid = false, false, false
	return b
}

// recycle keeps what is not large.
func (c *Checker) recycle(b *buffers) {
	if len(b.origins.values.slots) > keptSlots || len(b.once.slots) > keptSlots || cap(b.numbers) > 4*keptSlots || cap(b.origins.buf) > 1<<16 {
		return
	}
	clear(b.places)
	clear(b.origins.sets)
	clear(b.origins.list)
	clear(b.origins.forms)
	b.places, b.seen, b.numbers, b.rare = b.places[:0], b.seen[:0], b.numbers[:0], b.rare[:0]
	c.pool.Put(b)
}
