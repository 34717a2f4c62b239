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

// A removal says why the last entry of a key is gone.
type removal struct {
	id     id
	code   string
	stored uint64 // of the entry
	seq    uint64
	cause  inspect.Cause
}

// drop takes an entry out of the index and keeps the removal of its key. The oldest
// removal makes room for it. REQUIRES: mu held.
func (s *session) drop(e *entry, g removal) {
	s.remove(e)
	g.id, g.stored = e.id, e.stored
	for len(s.removals) >= s.r.opts.Limits.Removals {
		s.forget(s.removed.Back().Value.(*removal).id)
	}
	s.removals[e.id] = s.removed.PushFront(&g)
}

// forget drops the removal of a key. Nothing is known then of a key that is not in the
// index. REQUIRES: mu held.
func (s *session) forget(k id) {
	if el := s.removals[k]; el != nil {
		s.removed.Remove(el)
		delete(s.removals, k)
	}
}

// removalOf returns the removal of a key, nil for none. REQUIRES: mu held.
func (s *session) removalOf(k id) *removal {
	if el := s.removals[k]; el != nil {
		return el.Value.(*removal)
	}
	return nil
}

// Found is what a lookup that was no hit has found in the store.
type Found uint8

const (
	// Nothing: the store has no entry.
	Nothing Found = iota
	// Dead: the store has an entry that a change has reached.
	Dead
	// Unsure: the store has failed, or nobody looked at its entry.
	Unsure
)

// A Mark is a moment before a lookup. The zero Mark stands for a moment at which nobody
// watched.
type Mark struct {
	s      *session
	stores uint64
}

// Mark returns the present moment. Call it before each lookup whose miss is reported to
// Missed. It costs one atomic load while nobody watches.
func (r *Recorder) Mark() Mark {
	s := r.live.Load()
	if s == nil {
		return Mark{}
	}
	return Mark{s, s.stores.Load()}
}

// Missed returns why a lookup that began after the mark was no hit, as far as the
// recorder knows. It counts nothing. It may be called while nobody watches. Then it only
// knows which keys were never stored.
//
// The reason was true at some moment between the mark and the call:
//
//   - cold: no entry of the key was ever stored in this process, since the recorder was
//     made.
//   - expired: the time to live of the last entry was over.
//   - evicted: the store removed the entry to make room. It had not expired, no change
//     had reached it, and nothing was being removed.
//   - invalidated: the lookup has found a dead entry, or a change reached the last entry
//     before it expired. Seq is the change's event in the log, 0 while there is none. The
//     store may have evicted the entry before: the recorder cannot know.
//   - cleared: as invalidated, by a change that is Cleared.
//   - miss: nobody watched when the last entry was stored, or it was stored again between
//     the mark and the call, or too much happened since to remember it.
func (r *Recorder) Missed(m Mark, key []byte, found Found) inspect.Reason {
	k := idOf(key)
	s, now := r.session()
	if s == nil || m.s != s || found == Unsure {
		switch {
		case found == Dead:
			return reason(invalidated, removal{})
		case found == Nothing && !r.known.maybe(k):
			return reason(cold, removal{})
		}
		return reason(unknown, removal{})
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	e, g := s.entries[k], s.removalOf(k)
	switch {
	case g != nil && g.stored <= m.stores:
		return reason(g.code, *g)
	case found == Dead:
		return reason(invalidated, removal{}) // the entry stays: the change that has reached it is reported soon
	case e != nil && e.stored <= m.stores:
		return s.gone(e, now)
	case e == nil && g == nil && !r.known.maybe(k):
		return reason(cold, removal{})
	}
	return reason(unknown, removal{})
}

// gone returns why the store has no longer got an entry of the index. REQUIRES: mu held.
func (s *session) gone(e *entry, now time.Time) inspect.Reason {
	g := removal{code: evicted}
	switch {
	case e.expired(now):
		g.code = expired
	case s.r.removing.Load() > 0 || !e.live():
		// Somebody is removing entries, or a change has reached the entry and is reported
		// soon, or the clock has forgotten the tags of an entry that was evicted long ago.
		// The entry stays in the index, so that the change is counted.
		return reason(unknown, removal{})
	}
	s.drop(e, g)
	return reason(g.code, g)
}

func reason(code string, g removal) inspect.Reason {
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
