package engine

import (
	"math"
	"sync/atomic"
	"time"

	"github.com/cascadeql/cascadeql/gqlcache/internal/clock"
)

// A Stamp says what an entry is based on. The Meta of an engine's entries is a Stamp, or
// a value of the owner's type that embeds one. Keep sets it; it is not copied afterwards.
type Stamp struct {
	*clock.Stamp
	engine *Engine // that made it
	// Stored is when, in nanoseconds since 1970.
	Stored int64
	// expires is when the answer is too old to count as a hit. The store may hold it
	// longer.
	expires time.Time
	took    uint32 // microseconds that computing the answer took, as far as they fit; 0 when that is not known
	// withdrawn is set when the entry must not be served, whatever the clock says.
	withdrawn atomic.Bool
}

// UnknownCost is the Took of an Answer when it is not known how long computing an answer
// took.
const UnknownCost time.Duration = -1

// stamp sets s for an answer that has a stamp of the clock.
func (e *Engine) stamp(s *Stamp, st *clock.Stamp, expires time.Time, took time.Duration) {
	s.Stamp, s.engine, s.Stored, s.expires = st, e, e.config.Now().UnixNano(), expires
	if took != UnknownCost {
		s.took = uint32(max(1, min(took.Microseconds(), math.MaxUint32)))
	}
}

// Took is how long computing the answer took, 0 when that is not known.
func (s *Stamp) Took() time.Duration { return time.Duration(s.took) * time.Microsecond }

// Expires is when the answer is too old to count as a hit.
func (s *Stamp) Expires() time.Time { return s.expires }

// ExpiredFor returns how long ago the answer has expired, by the wall clock. It is
// negative before.
func (s *Stamp) ExpiredFor(now time.Time) time.Duration { return now.Round(0).Sub(s.expires) }

// AppendBinary implements encoding.BinaryAppender. It refuses with ErrLocal.
func (s *Stamp) AppendBinary(b []byte) ([]byte, error) { return b, ErrLocal }

// entryOverhead is what an entry costs beside its key, body and tags, in bytes: see
// BenchmarkEntryMemory.
const entryOverhead = 400
