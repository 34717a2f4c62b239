package engine

import (
	"math"
	"sync/atomic"
	"time"

	"github.com/cascadeql/cascadeql/gqlcache/internal/clock"
	"github.com/cascadeql/cascadeql/gqlcache/store"
)

// A Stamp says what an entry is based on. The Meta of an engine's entries is a Stamp, or a value of the owner's type
// that embeds one. Stamp makes them; it is not copied afterwards.
type Stamp struct {
	*clock.Stamp
	engine *Engine // that made it
	// Stored is when, in nanoseconds since 1970.
	Stored int64
	took   uint32 // microseconds that computing the answer took, as far as they fit; 0 when that is not known
	// withdrawn is set when the entry must not be served, whatever the clock says.
	withdrawn atomic.Bool
}

// stamped is implemented by *Stamp, and so by what embeds a Stamp.
type stamped interface{ stamp() *Stamp }

func (s *Stamp) stamp() *Stamp { return s }

// UnknownCost is given to Stamp when it is not known how long computing an answer took.
const UnknownCost time.Duration = -1

// Stamp sets s for an answer that Finish gave a stamp of the clock. took is how long computing it took, or UnknownCost.
func (e *Engine) Stamp(s *Stamp, st *clock.Stamp, took time.Duration) {
	s.Stamp, s.engine, s.Stored = st, e, e.config.Now().UnixNano()
	if took != UnknownCost {
		s.took = uint32(max(1, min(took.Microseconds(), math.MaxUint32)))
	}
}

// Took is how long computing the answer took, 0 when that is not known.
func (s *Stamp) Took() time.Duration { return time.Duration(s.took) * time.Microsecond }

// AppendBinary implements encoding.BinaryAppender. It refuses with ErrLocal.
func (s *Stamp) AppendBinary(b []byte) ([]byte, error) { return b, ErrLocal }

// Entry returns the entry of an answer, charged for its key, body and tags. The body and the stamp, which meta is or
// embeds, belong to the entry from here on.
func Entry(key string, body []byte, meta store.Meta, s *Stamp, expires time.Time) *store.Entry {
	return &store.Entry{
		Body: body, Expires: expires, Version: s.Born(), Meta: meta,
		Size: len(key) + len(body) + entryOverhead + s.Size(),
	}
}

// entryOverhead is what an entry costs beside its key, body and tags, in bytes: see BenchmarkEntryMemory.
const entryOverhead = 400
