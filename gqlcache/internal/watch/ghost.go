package watch

import (
	"time"

	"github.com/cascadeql/cascadeql/gqlcache/inspect"
)

// The codes of inspect.Reason that are about what became of a key.
const (
	cold        = "cold"
	expired     = "expired"
	evicted     = "evicted"
	invalidated = "invalidated"
	cleared     = "cleared"
	unknown     = "miss"
)

// A ghost is why the last entry of a key went.
type ghost struct {
	id     id
	code   string
	stored uint64 // of the entry
	seq    uint64
	cause  inspect.Cause
}

// bury takes an entry out of the index and notes why. REQUIRES: mu held.
func (s *session) bury(e *entry, g ghost) {
	s.remove(e)
	g.id, g.stored = e.id, e.stored
	for len(s.ghosts) >= s.r.opts.Limits.Ghosts {
		s.forget(s.departed.Back().Value.(*ghost).id)
	}
	s.ghosts[e.id] = s.departed.PushFront(&g)
}

// forget drops the ghost of a key. What is neither in the index nor a ghost is not known.
// REQUIRES: mu held.
func (s *session) forget(k id) {
	if el := s.ghosts[k]; el != nil {
		s.departed.Remove(el)
		delete(s.ghosts, k)
	}
}

func (s *session) ghost(k id) *ghost {
	if el := s.ghosts[k]; el != nil {
		return el.Value.(*ghost)
	}
	return nil
}

// Found says what a lookup has found that is no hit.
type Found uint8

const (
	// Nothing: the store has no entry.
	Nothing Found = iota
	// Dead: the store has one which a change has reached.
	Dead
	// Unsure: the store has failed, or its entry was not looked at.
	Unsure
)

// A Mark is a moment before a lookup. The zero Mark is one when nobody watched.
type Mark struct {
	s      *session
	stores uint64
}

// Mark is called before each lookup whose miss is told to Missed. While nobody watches it
// is one atomic load.
func (r *Recorder) Mark() Mark {
	s := r.live.Load()
	if s == nil {
		return Mark{}
	}
	return Mark{s, s.stores.Load()}
}

// Missed tells why a lookup, begun after the mark, was no hit, as far as is known. It
// counts nothing. It is right to call it while nobody watches; then it knows of keys that
// were never stored only.
//
// What it says of the key holds at some moment between the mark and the call:
//
//   - cold: no entry of the key was ever stored in this process, since the recorder was
//     made.
//   - expired: the time to live of the last entry was over.
//   - evicted: the store gave the entry up although it had not expired, no change had
//     reached it, and nothing was being removed.
//   - invalidated: the lookup has found an entry dead, or a change that was told reached
//     the last entry before it expired. Seq is its event in the log; 0 when it was not
//     told, or not yet. That the store had evicted the entry before is not known then.
//   - cleared: the same of a change that is Cleared.
//   - miss: nobody watched when the last entry was stored, or it was stored again between
//     the mark and the call, or too much happened since to remember it.
func (r *Recorder) Missed(m Mark, key []byte, found Found) inspect.Reason {
	k := idOf(key)
	s, now := r.session()
	if s == nil || m.s != s || found == Unsure {
		switch {
		case found == Dead:
			return reason(invalidated, ghost{})
		case found == Nothing && !r.known.maybe(k):
			return reason(cold, ghost{})
		}
		return reason(unknown, ghost{})
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	e, g := s.entries[k], s.ghost(k)
	switch {
	case g != nil && g.stored <= m.stores:
		return reason(g.code, *g)
	case found == Dead:
		return reason(invalidated, ghost{}) // the entry stays: the change that has reached it is told soon
	case e != nil && e.stored <= m.stores:
		return s.gone(e, now)
	case e == nil && g == nil && !r.known.maybe(k):
		return reason(cold, ghost{})
	}
	return reason(unknown, ghost{})
}

// gone tells why the store has not got an entry of the index. REQUIRES: mu held.
func (s *session) gone(e *entry, now time.Time) inspect.Reason {
	g := ghost{code: evicted}
	switch {
	case e.expired(now):
		g.code = expired
	case s.r.removing.Load() > 0 || !e.live():
		// Somebody is removing entries, or a change has reached it that is told soon, or
		// the clock has forgotten the tags of an entry evicted long ago. It stays, for
		// the change to be counted.
		return reason(unknown, ghost{})
	}
	s.bury(e, g)
	return reason(g.code, g)
}

func reason(code string, g ghost) inspect.Reason {
	why := inspect.Reason{Code: code, Seq: g.seq}
	switch code {
	case cold:
		why.Message = "No answer was ever stored under this key in this process."
	case expired:
		why.Message = "The stored answer's time to live was over."
	case evicted:
		why.Message = "The store gave up the answer to make room."
	case invalidated:
		why.Message = "A change has dropped the stored answer; which one is not known."
		if g.seq > 0 {
			why.Message = "Dropped by " + describe(g.cause) + "."
		}
	case cleared:
		why.Message = "Removed by " + describe(g.cause) + "."
	default:
		why.Message = "No answer is stored under this key. What became of an earlier one, if there was any, is not known."
	}
	return why
}

func describe(c inspect.Cause) string {
	switch c.Kind {
	case "mutation":
		return "the mutation " + nameOr(c.Name)
	case "resolver":
		return "a change that a resolver reported in " + nameOr(c.Name)
	case "peer":
		return "a change in another instance"
	}
	return nameOr(c.Name)
}

func nameOr(name string) string {
	if name == "" {
		return anonymous
	}
	return name
}
