package watch

import (
	"hash/maphash"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/cascadeql/cascadeql/cascade"
	"github.com/cascadeql/cascadeql/gqlcache/inspect"
)

// An Operation is how the recorder knows an operation. It is immutable.
type Operation struct {
	name, hash string
	views      []string
}

// The names of operations that have none, and of those that found no room.
const (
	anonymous = "(anonymous)"
	otherName = "(other)"
)

const maxName, maxHash, maxReason = 120, 64, 200

// NewOperation returns an operation of a client's document: its name, which may be of any
// length, the hash of its normal form, and the views that its answers depend on. The
// slice is kept. Make it once for each document, not for each request.
func NewOperation(name, hash string, views []string) *Operation {
	return &Operation{name: clip(name, maxName), hash: clip(hash, maxHash), views: views}
}

// Name returns the name, cut short if it is very long; "" if the client gave none.
func (o *Operation) Name() string { return o.name }

// Hash returns the hash of the normal form.
func (o *Operation) Hash() string { return o.hash }

// clip returns at most n bytes of a text, in memory of its own: not to hold the document
// that it is from.
func clip(text string, n int) string {
	if len(text) > n {
		for n--; n > 0 && !utf8.RuneStart(text[n]); n-- {
		}
		return text[:n] + "…"
	}
	return strings.Clone(text)
}

// An Entry describes an answer that was stored.
type Entry struct {
	Op *Operation
	// Parts are what its key is made of. The part named predicate is counted.
	Parts []inspect.KeyPart
	// Tags are what it depends on, in any order; those without hash and mask are not
	// looked at.
	Tags []cascade.Tag
	// Born is the clock's number on which it is based: changes up to it do not reach it.
	Born    uint64
	Size    int
	Expires time.Time     // zero is never
	Cost    time.Duration // of computing it
	// Live reports that no change has reached it: the clock's word. It is kept, called
	// with the recorder's lock held, and must neither block nor call the recorder.
	Live func() bool
}

// part is one part of a key: its name and its fingerprint, hashed.
type part struct {
	name, value uint64
	predicate   bool
}

const maxParts = 16

func partOf(p inspect.KeyPart) part {
	return part{maphash.String(seeds[0], p.Name), maphash.String(seeds[0], p.Fingerprint), p.Name == "predicate"}
}

// Stored reports that the store has taken an answer. Call it after each put, watched or
// not: it remembers that the key was stored, which takes some tens of nanoseconds.
// describe is only called while somebody watches, before Stored returns. Its slices are
// not kept.
func (r *Recorder) Stored(key string, describe func() Entry) {
	k := idOf(key)
	r.known.add(k)
	s, now := r.session()
	if s == nil {
		return
	}
	x := describe()
	e := &entry{id: k, born: x.Born, size: x.Size, expires: x.Expires, cost: x.Cost, live: x.Live}
	for _, p := range x.Parts[:min(len(x.Parts), maxParts)] {
		e.parts = append(e.parts, partOf(p))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.entries[k]
	if old != nil && old.born > e.born {
		return // the store keeps the younger one
	}
	e.stored = s.stores.Add(1)
	if old != nil {
		s.remove(old)
	}
	s.forget(k)
	// The change that has reached the entry was perhaps reported before this call. Nobody
	// would count it.
	if e.expired(now) || !e.live() {
		return
	}
	if len(x.Tags) > s.r.opts.Limits.Tags/4 {
		s.left++
		return
	}
	e.op = s.row(x.Op)
	s.add(e, x.Tags, now)
}

// A Hit is what the recorder knows of a hit.
type Hit struct {
	// Entry is how often the entry was served, this time included, since it is in the
	// index; 0 when it is not. Saved is the time that its computation took, less that of
	// the lookup.
	Entry uint64
	Saved time.Duration
}

// Served counts a hit, of an entry that was stored before or while somebody watches.
// lookup is how long it took.
func (r *Recorder) Served(key []byte, op *Operation, lookup time.Duration) Hit {
	s, now := r.session()
	if s == nil {
		return Hit{}
	}
	k := idOf(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	row := s.row(op)
	row.total().hits++
	for _, v := range row.views {
		v.hits++
	}
	s.series.at(now).hits++
	s.forget(k) // it is there after all
	e := s.entries[k]
	if e == nil {
		return Hit{}
	}
	e.hits++
	s.recent.MoveToFront(e.recent)
	saved := max(0, e.cost-lookup)
	row.total().saved += saved
	s.saved += saved
	return Hit{Entry: e.hits, Saved: saved}
}

// Hits returns how often an entry was served since it is in the index, 0 when it is not.
func (r *Recorder) Hits(key []byte) uint64 {
	s, _ := r.session()
	if s == nil {
		return 0
	}
	k := idOf(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.entries[k]; e != nil {
		return e.hits
	}
	return 0
}

// An Outcome says how a query ended that was no hit.
type Outcome uint8

// A query was computed, joined to another query's computation, or not looked up.
const (
	Miss Outcome = iota
	Collapsed
	Bypass
)

// Count counts a query that was no hit. op may be nil when the operation has no plan.
func (r *Recorder) Count(op *Operation, what Outcome) {
	s, now := r.session()
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	cell := s.series.at(now)
	if what == Bypass {
		cell.bypasses++
	} else {
		cell.misses++
	}
	if op == nil {
		return
	}
	row := s.row(op)
	if what == Bypass {
		row.total().bypasses++
		return
	}
	row.total().misses++
	for _, v := range row.views {
		v.misses++
	}
}

// maxNearest bounds the entries that are compared with a key.
const maxNearest = 128

// Nearest sets Changed in the parts of a key that differ from those of the nearest entry:
// of the last 128 stored of the same operation, the key's own left out, the one with the
// most equal parts, and of several the youngest. It returns false, and changes nothing,
// when there is none. It says something of a key that is cold; after another miss the
// nearest entry was the key's own.
func (r *Recorder) Nearest(key []byte, op *Operation, parts []inspect.KeyPart) bool {
	s, _ := r.session()
	if s == nil {
		return false
	}
	k := idOf(key)
	asked := make([]part, 0, maxParts)
	for _, p := range parts[:min(len(parts), maxParts)] {
		asked = append(asked, partOf(p))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	row := s.ops[opName{op.name, op.hash}]
	if row == nil {
		return false
	}
	var best *entry
	most, n := -1, 0
	for el := row.ages.Front(); el != nil && n < maxNearest; el = el.Next() {
		n++
		e := el.Value.(*entry)
		if e.id == k {
			continue
		}
		if equal := e.equalParts(asked); equal > most {
			best, most = e, equal
		}
	}
	if best == nil {
		return false
	}
	for i := range asked {
		parts[i].Changed = !slices.Contains(best.parts, asked[i])
	}
	return true
}

func (e *entry) equalParts(asked []part) int {
	n := 0
	for _, p := range asked {
		if slices.Contains(e.parts, p) {
			n++
		}
	}
	return n
}
