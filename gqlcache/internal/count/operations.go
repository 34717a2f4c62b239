package count

import (
	"iter"
	"strings"
	"sync"
	"sync/atomic"
)

const (
	// Other is the name under which operations without a name of their own are counted.
	Other = "(other)"
	// Anonymous is the name of operations without one.
	Anonymous = "(anonymous)"

	// maxNames and maxName, in bytes, bound what clients, who choose the names, can make
	// of the memory here and of the number of time series elsewhere.
	maxNames = 200
	maxName  = 100
)

// An Operation has the counters of the operations of one name.
type Operation struct {
	// Hits and the others count queries by how they were answered, Fills runs of
	// resolvers.
	Hits, Misses, Joined, Abandoned, Bypassed, Fills atomic.Uint64
	// FillTime is how long the fills took altogether, in nanoseconds.
	FillTime atomic.Int64
}

// Operations has the counters of all names. The zero value is ready to use. A plan keeps
// a pointer to the counters of its name, so that a hit looks nothing up here. Names are
// never given back: counters only grow.
type Operations struct {
	mu        sync.RWMutex // protects the map
	names     map[string]*Operation
	anonymous Operation
	other     Operation
}

// Of returns the counters of a name.
func (t *Operations) Of(name string) *Operation {
	if name == "" {
		return &t.anonymous
	}
	if len(name) > maxName {
		return &t.other
	}
	t.mu.RLock()
	n, full := t.names[name], len(t.names) >= maxNames
	t.mu.RUnlock()
	switch {
	case n != nil:
		return n
	case full:
		return &t.other
	}
	return t.add(name)
}

// add returns the counters of a name that may be new.
func (t *Operations) add(name string) *Operation {
	t.mu.Lock()
	defer t.mu.Unlock()
	if n := t.names[name]; n != nil {
		return n
	}
	if len(t.names) >= maxNames || !isName(name) {
		return &t.other
	}
	if t.names == nil {
		t.names = map[string]*Operation{}
	}
	name = strings.Clone(name) // it is a part of the document, which would stay in memory with it
	n := &Operation{}
	t.names[name] = n
	return n
}

// All ranges over the counters of all names, in no order. It holds a lock: the loop must
// not call Of.
func (t *Operations) All() iter.Seq2[string, *Operation] {
	return func(yield func(string, *Operation) bool) {
		t.mu.RLock()
		defer t.mu.RUnlock()
		for name, n := range t.names {
			if !yield(name, n) {
				return
			}
		}
		_ = yield(Anonymous, &t.anonymous) && yield(Other, &t.other)
	}
}

// isName reports whether GraphQL allows a name. An extension that makes operations of its
// own may give others, which are no labels, or are ours.
func isName(name string) bool {
	for _, c := range []byte(name) {
		if c != '_' && (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
			return false
		}
	}
	return true
}

// Name returns the name of an operation in figures and spans.
func Name(name string) string {
	switch {
	case name == "":
		return Anonymous
	case len(name) > maxName || !isName(name):
		return Other
	}
	return name
}
