package observe

import (
	"hash/maphash"
	"sync"
	"sync/atomic"

	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/analysis"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/catalog"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/keycheck"
)

// memoBytes bounds what the analyses of one catalog hold, by estimate.
const memoBytes = 8 << 20

// A memo remembers analyses by text, in two generations: when the young one has half of
// the bytes, the old one is forgotten. An analysis that is asked for is young again.
type memo struct {
	mu         sync.RWMutex
	young, old map[string]*analyzed
	bytes      int // of young
}

// analyzed is what is known of a text, or of all texts with one template.
type analyzed struct {
	*analysis.Statement
	text string
	// shape and positions are what the key check knows the text's arguments by: see
	// keycheck.Shape.
	shape     uint64
	positions []int
	// shared says that a field of another computation waited for the text's statement, and
	// place is where one was sent from since.
	shared atomic.Bool
	place  atomic.Pointer[string]

	naming sync.Once // guards the first use of name
	name   string

	hashing sync.Once // guards the first use of hash
	hash    uint64

	reaching sync.Once // guards the first use of hookable
	hookable bool

	inOne sync.Once // guards the first use of one
	one   *analysis.Statement
}

// reachesHookable is that of the statement.
func (x *analyzed) reachesHookable() bool {
	x.reaching.Do(func() { x.hookable = reachesHookable(x.Statement) })
	return x.hookable
}

// within returns what is known of a text whose Several are of one schema.
func (x *analyzed) within(analyze func() *analysis.Statement) *analysis.Statement {
	x.inOne.Do(func() { x.one = analyze() })
	return x.one
}

// locate notes where a statement is sent from that is shared by computations.
func (x *analyzed) locate() {
	if x.shared.Load() && x.place.Load() == nil {
		at := caller()
		x.place.Store(&at)
	}
}

// normalized returns the text without its values: see sqlparse.Normalize.
func (x *analyzed) normalized(o *Observer, st *state) string {
	x.naming.Do(func() { x.name = o.normalize(st, x.text) })
	return x.name
}

// textSeed is of this process: nobody can look for texts of one hash.
var textSeed = maphash.MakeSeed()

// hashed returns the hash of the whole text without its values.
func (x *analyzed) hashed(o *Observer, st *state) uint64 {
	x.hashing.Do(func() { x.hash = maphash.String(textSeed, o.normalizeTo(st, x.text, 2*len(x.text))) })
	return x.hash
}

// analyzedOf returns what is known of a text, with its analysis.
func analyzedOf(text string, a *analysis.Statement) *analyzed {
	x := &analyzed{Statement: a, text: text}
	x.shape, x.positions = keycheck.Shape(text)
	return x
}

// find returns what is known of a text, and notes in f how its arguments are those of its
// template. analyze is called where that is not known yet.
func (m *memo) find(d catalog.Dialect, text string, f *folds, analyze func(string) *analysis.Statement) *analyzed {
	if x := m.get(text); x != nil {
		return x
	}
	if x := m.findTemplate(d, &text, f); x != nil {
		return x
	}
	x := analyzedOf(text, analyze(text))
	m.put(text, x)
	return x
}

// templates are buffers for them.
var templates = sync.Pool{New: func() any { return new([]byte) }}

// maxTemplate bounds the buffers that are kept.
const maxTemplate = 64 << 10

// findTemplate returns what is known of a text's template, nil for nothing: then text is the
// template, where there is one.
func (m *memo) findTemplate(d catalog.Dialect, text *string, f *folds) *analyzed {
	buffer, _ := templates.Get().(*[]byte)
	template, ok := fold((*buffer)[:0], d, *text, f)
	if cap(template) <= maxTemplate {
		*buffer = template
		defer templates.Put(buffer)
	}
	if !ok {
		return nil
	}
	x := m.getBytes(template)
	if x == nil {
		*text = string(template)
	}
	return x
}

// get returns what is known of a text without a template of its own, nil for nothing.
func (m *memo) get(text string) *analyzed {
	m.mu.RLock()
	a, old := m.young[text], m.old[text]
	m.mu.RUnlock()
	if a == nil && old != nil {
		m.put(text, old)
		return old
	}
	return a
}

// getBytes is get.
func (m *memo) getBytes(text []byte) *analyzed {
	m.mu.RLock()
	a, old := m.young[string(text)], m.old[string(text)]
	m.mu.RUnlock()
	if a == nil && old != nil {
		m.put(old.text, old)
		return old
	}
	return a
}

func (m *memo) put(text string, a *analyzed) {
	size := weight(text, a.Statement) + 8*len(a.positions)
	if size > memoBytes/2 {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.young == nil || m.bytes+size > memoBytes/2 {
		m.old, m.young, m.bytes = m.young, map[string]*analyzed{}, 0
	}
	if m.young[text] == nil {
		m.young[text] = a
		m.bytes += size
	}
}

// weight estimates the bytes of an analysis. A text is in its key, in conditions, and
// without its values in its name.
func weight(text string, a *analysis.Statement) int {
	n := 512 + 4*len(text)
	if len(a.Several) > 0 {
		n += 4096 + 4*len(text) // its analysis within one schema
	}
	for _, r := range a.Refs {
		n += 512 + 8*len(r.Outs) + 128*(len(r.Terms)+len(r.Contains))
	}
	for _, w := range a.Writes {
		n += 512 + 64*len(w.Sets) + 8*len(w.Returning)
		for _, row := range w.Rows {
			n += 128 * len(row)
		}
	}
	return n
}
