package values

import (
	"slices"
	"time"

	"github.com/cascadeql/cascadeql/cascade/tag"
)

// MaxTags bounds what one value depends on.
const MaxTags = 1 << 16

// A Sum is what a value depends on, and what all that was made of it does. The zero Sum is
// of a value that depends on nothing.
type Sum struct {
	// Tags are those of this process. Coarse are those with which other instances can
	// tell whether the value is still true, beside Tags.
	Tags, Coarse []tag.Tag
	// Until is when the first part expires, zero for never.
	Until time.Time
	// Full says that the tags are more than MaxTags.
	Full bool
	// Only says that it is for requests with the same credentials only.
	Only bool

	merged int // length of Tags and Coarse after the last merge
}

// Add adds what another sum has. The other one is not changed, nor kept.
func (s *Sum) Add(o *Sum) {
	s.Tags, s.Coarse = append(s.Tags, o.Tags...), append(s.Coarse, o.Coarse...)
	s.Expire(o.Until)
	s.Full, s.Only = s.Full || o.Full, s.Only || o.Only
	if n := len(s.Tags) + len(s.Coarse); n > 2*s.merged+256 {
		s.Merge()
	}
}

// Expire says that a part expires at a time, zero for never.
func (s *Sum) Expire(at time.Time) {
	if !at.IsZero() && (s.Until.IsZero() || at.Before(s.Until)) {
		s.Until = at
	}
}

// Merge joins equal tags.
func (s *Sum) Merge() {
	s.Tags, s.Coarse = tag.Merge(s.Tags), tag.Merge(s.Coarse)
	if s.merged = len(s.Tags) + len(s.Coarse); s.merged > MaxTags {
		s.Full, s.Tags, s.Coarse, s.merged = true, nil, nil, 0
	}
}

// Clone returns a sum with memory of its own.
func (s *Sum) Clone() Sum {
	c := *s
	c.Tags, c.Coarse = slices.Clone(s.Tags), slices.Clone(s.Coarse)
	return c
}

// SizeOfTag is what a tag of a Sum takes, in bytes.
const SizeOfTag = 16

// Size is what the tags take, in bytes.
func (s *Sum) Size() int { return (cap(s.Tags) + cap(s.Coarse)) * SizeOfTag }
