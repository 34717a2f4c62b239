package fleet

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/cascadeql/cascadeql/cascade/tag"
	"github.com/cascadeql/cascadeql/gqlcache/changelog"
	"github.com/cascadeql/cascadeql/gqlcache/internal/clock"
	"github.com/cascadeql/cascadeql/gqlcache/internal/safe"
	"github.com/cascadeql/cascadeql/gqlcache/store"
)

// A Taken is an answer of another instance that is true as far as this one knows.
type Taken struct {
	// Body and Expires are the entry's. The bytes are not changed.
	Body    []byte
	Expires time.Time
	// Stamp is the clock's for the answer.
	Stamp *clock.Stamp
	// Tags are what the answer depends on. They belong to the shared store's entry.
	Tags []tag.Tag
}

// TakeOver returns an answer that another instance has stored, or nil: if this process
// knows every record since the answer's computation began, and none of them names one of
// its tags.
func (f *Fleet) TakeOver(ctx context.Context, key string) *Taken {
	return f.TakeYounger(ctx, key, time.Time{})
}

// TakeYounger is TakeOver of an answer that expires later than a given one.
func (f *Fleet) TakeYounger(ctx context.Context, key string, than time.Time) *Taken {
	if f.cfg.Shared == nil || !f.Fresh() {
		return nil
	}
	// Everything applied up to here is known to the history, too. What comes later and
	// names one of the tags is seen by the history below, by Finish, or by the entry's
	// first check.
	token := f.cfg.Clock.Begin()
	e, tags, err := f.get(ctx, f.sharedKey(key), than)
	if err != nil {
		if !errors.Is(err, store.ErrMiss) {
			f.storeFailed("shared get", err)
		}
		return nil
	}
	st, ok := f.cfg.Finish(token, slices.Clone(tags)) // it keeps and reorders them
	if !ok {
		f.Counts.SharedDead.Add(1) // a record came in since
		return nil
	}
	f.Counts.SharedHits.Add(1)
	return &Taken{Body: e.Body, Expires: e.Expires, Stamp: st, Tags: tags}
}

// get returns an entry of the shared store that is proven and expires after a time, with
// its tags. Where the store has several tiers, one whose entry is not proven leaves the
// key to the next: its entry may be older than the next one's.
func (f *Fleet) get(ctx context.Context, key []byte, after time.Time) (e *store.Entry, tags []tag.Tag, err error) {
	proven := func(e *store.Entry) (ok bool) {
		if e != nil && !e.Expires.IsZero() && !e.Expires.After(after) {
			return false
		}
		if tags, ok = f.proven(e); !ok {
			f.Counts.SharedDead.Add(1)
		}
		return ok
	}
	began := time.Now()
	defer func() { f.Counts.SharedGets.Observe(time.Since(began)) }()
	e, err = safe.Call(func() (*store.Entry, error) {
		if s, ok := f.cfg.Shared.(store.Sieve); ok {
			return s.GetIf(ctx, key, proven)
		}
		e, err := f.cfg.Shared.Get(ctx, key)
		if err == nil && !proven(e) {
			err = store.ErrMiss
		}
		return e, err
	})
	return e, tags, err
}

// proven returns the tags of a shared entry if no record that is known here speaks
// against it. The store may hand the tags out again: they are not changed.
func (f *Fleet) proven(e *store.Entry) ([]tag.Tag, bool) {
	if e == nil {
		return nil, false
	}
	m, ok := e.Meta.(*meta)
	if !ok {
		return nil, false
	}
	if f.ahead.meets(m.tags) { // before the history: what has left the one is in the other
		return nil, false
	}
	tags, ok := f.cfg.Schema().signed(m.tags)
	if !ok || !f.history.Unchanged(m.at.Epoch, m.at.Number, tags) {
		return nil, false
	}
	return tags, true
}

// Share stores an answer for the other instances. At is the place in the log that its
// computation is based on; a zero one means that no other instance may have it. The tags
// are not kept.
func (f *Fleet) Share(ctx context.Context, key string, e *store.Entry, at changelog.Position, tags []tag.Tag) {
	if f.cfg.Shared == nil || at.Epoch == 0 || !f.Fresh() {
		return
	}
	shared := *e
	shared.Version, shared.Meta = at.Number, &meta{at: at, tags: f.cfg.Schema().sign(tags)}
	err := safe.Do(func() error { return f.cfg.Shared.Put(ctx, f.sharedKey(key), &shared) })
	if err != nil && !errors.Is(err, store.ErrTooLarge) {
		f.storeFailed("shared put", err)
	}
}

// Withdraw removes an answer from the shared store. Other instances may have taken it
// over already.
func (f *Fleet) Withdraw(ctx context.Context, key string) {
	if f.cfg.Shared == nil {
		return
	}
	if err := safe.Do(func() error { return f.cfg.Shared.Delete(ctx, f.sharedKey(key)) }); err != nil {
		f.storeFailed("shared delete", err)
	}
}

// storeFailed counts a failure of the shared store, and logs the first of each call.
func (f *Fleet) storeFailed(call string, err error) {
	f.Counts.SharedErrors.Add(1)
	f.cfg.Once.Warn(call, "gqlcache: the store failed: "+call, err)
}

// sharedKey returns the key of an answer in the shared store: the build and the key in
// this process.
func (f *Fleet) sharedKey(key string) []byte {
	return append(append(make([]byte, 0, len(f.prefix)+len(key)), f.prefix...), key...)
}
