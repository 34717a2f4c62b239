package engine

import (
	"context"
	"time"

	"github.com/cascadeql/cascadeql/cascade/tag"
	"github.com/cascadeql/cascadeql/gqlcache/internal/clock"
	"github.com/cascadeql/cascadeql/gqlcache/internal/safe"
	"github.com/cascadeql/cascadeql/gqlcache/store"
)

// Finish is Finish of the clock: it returns the stamp of an answer that was begun with
// token and depends on tags, and false when a change has reached one of them since. The
// tags are kept and reordered. They count as come in, whatever becomes of the answer: it
// may be refused after some of them have got their cells, or not be stored.
func (e *Engine) Finish(token clock.Token, tags []tag.Tag) (*clock.Stamp, bool) {
	n := len(tags)
	st, ok := e.config.Clock.Finish(token, tags)
	e.pressure.add(n * clock.CellSize)
	return st, ok
}

// An Answer is what Keep makes an entry of.
type Answer struct {
	// Body and Meta belong to the entry from here on, whatever becomes of it.
	Body []byte
	Meta Meta
	// Beside is how many bytes Meta keeps beside the body. The entry is charged for them.
	Beside int
	// Expires is when the answer expires. The store drops the entry Beyond later.
	Expires time.Time
	Beyond  time.Duration
	// Took is how long computing the answer took, or UnknownCost.
	Took time.Duration
	// Token is the clock's number that was read before the computation began, and Tags
	// are what the answer depends on. Keep reorders and keeps them.
	Token clock.Token
	Tags  []tag.Tag
	// Proven is the clock's stamp of an answer that has one: another instance has
	// computed it. Then Token and Tags do not count, nor does Config.MaxBody.
	Proven *clock.Stamp
	// Passing says that the answer is for those who wait for it alone: it gets its stamp,
	// and is Refused without asking the store.
	Passing bool
}

// Kept is what became of an answer.
type Kept uint8

const (
	// Stored: the store has taken the entry.
	Stored Kept = iota
	// Reached: a change has reached the answer since its token. There is no entry.
	Reached
	// TooLarge: the body is larger than Config.MaxBody. There is no entry.
	TooLarge
	// Refused: the store has not taken the entry, which is as good as any other, or was
	// not asked.
	Refused
)

// Keep stamps an answer and stores it. It blocks as the store's Put does.
func (e *Engine) Keep(ctx context.Context, key string, a Answer) (*store.Entry, Kept) {
	st := a.Proven
	if st == nil {
		var ok bool
		if st, ok = e.Finish(a.Token, a.Tags); !ok {
			return nil, Reached
		}
		if len(a.Body) > e.config.MaxBody || len(key) > e.config.MaxBody { // clients choose what keys have
			return nil, TooLarge
		}
	}
	s := a.Meta.stamp()
	e.stamp(s, st, a.Expires, a.Took)
	entry := &store.Entry{
		Body: a.Body, Expires: a.Expires.Add(a.Beyond), Version: s.Born(), Meta: a.Meta,
		Size: len(key) + len(a.Body) + a.Beside + entryOverhead + s.Size(),
	}
	if a.Passing {
		return entry, Refused
	}
	defer e.pressure.add(entry.Size - s.Len()*clock.CellSize) // Finish has counted the tags
	err := safe.Do(func() error { return e.config.Store.Put(ctx, []byte(key), entry) })
	if err != nil {
		e.failed("put", err)
		return entry, Refused
	}
	return entry, Stored
}

// Grow charges an entry for n bytes more, which its Meta is about to keep, and reports
// whether the store has room. It blocks as the store's Put does.
//
// The entry is put once more, with another size. It may have been removed in the
// meantime, withdrawn or reached by a change: then it is back, and not returned by
// Lookup, since both have the one stamp that says so.
func (e *Engine) Grow(ctx context.Context, key string, entry *store.Entry, n int) bool {
	grown := *entry
	grown.Size += n
	if err := safe.Do(func() error { return e.config.Store.Put(ctx, []byte(key), &grown) }); err != nil {
		e.failed("put", err)
		return false
	}
	e.pressure.add(n)
	return true
}

// Remove removes an entry, and reports whether the store did. A failure leaves a dead
// entry to the next sweep: it is never served.
func (e *Engine) Remove(ctx context.Context, key []byte, entry *store.Entry) bool {
	err := safe.Do(func() error { return e.config.Store.DeleteEntry(ctx, key, entry) })
	if err != nil {
		e.failed("delete", err)
	}
	return err == nil
}

// Clear empties the store. The error is the store's.
func (e *Engine) Clear(ctx context.Context) error {
	err := safe.Do(func() error { return e.config.Store.Clear(ctx) })
	if err != nil {
		e.errors.Add(1)
	}
	return err
}

func (e *Engine) failed(call string, err error) {
	e.errors.Add(1)
	if e.config.Failed != nil {
		e.config.Failed(call, err)
	}
}
