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

// A Wanted says which answer of a key is of use. The zero Wanted is any.
type Wanted struct {
	// Younger is when the answer must not have expired yet: later than that of one which
	// is known already.
	Younger time.Time
	// Fits looks at the body of an answer that is proven, nil is no look. What does not
	// fit counts as one that is not proven.
	Fits func(e *store.Entry) bool
	// Uncounted says that the caller counts what it takes over: SharedHits are a part of
	// the hits of operations.
	Uncounted bool
}

// TakeOver returns an answer that another instance has stored, or nil: if this process
// knows every record since the answer's computation began, and none of them names one of
// its tags.
func (f *Fleet) TakeOver(ctx context.Context, key string, w Wanted) *Taken {
	if f.cfg.Shared == nil || !f.Fresh() {
		return nil
	}
	// Everything applied up to here is known to the history, too. What comes later and
	// names one of the tags is seen by the history below, by Finish, or by the entry's
	// first check.
	token := f.cfg.Clock.Begin()
	e, tags, err := f.get(ctx, f.sharedKey(key), &w)
	if err != nil {
		if !errors.Is(err, store.ErrMiss) {
			f.storeFailed("shared get", err)
		}
		return nil
	}
	return f.taken(token, e, tags, &w)
}

// taken returns an entry that was proven. Token is from before the store was asked.
func (f *Fleet) taken(token clock.Token, e *store.Entry, tags []tag.Tag, w *Wanted) *Taken {
	st, ok := f.cfg.Finish(token, slices.Clone(tags)) // it keeps and reorders them
	if !ok {
		f.Counts.SharedDead.Add(1) // a record came in since
		return nil
	}
	if !w.Uncounted {
		f.Counts.SharedHits.Add(1)
	}
	return &Taken{Body: e.Body, Expires: e.Expires, Stamp: st, Tags: tags}
}

// accepts returns the tags of an entry that is wanted, and is proven.
func (f *Fleet) accepts(e *store.Entry, w *Wanted) (tags []tag.Tag, ok bool) {
	if e != nil && !e.Expires.IsZero() && !e.Expires.After(w.Younger) {
		return nil, false
	}
	if tags, ok = f.proven(e); ok && w.Fits != nil {
		ok = w.Fits(e)
	}
	if !ok {
		f.Counts.SharedDead.Add(1)
	}
	return tags, ok
}

// get returns an entry of the shared store that is wanted and proven, with its tags. Where
// the store has several tiers, one whose entry is neither leaves the key to the next: its
// entry may be older than the next one's.
func (f *Fleet) get(ctx context.Context, key []byte, w *Wanted) (e *store.Entry, tags []tag.Tag, err error) {
	proven := func(e *store.Entry) (ok bool) {
		tags, ok = f.accepts(e, w)
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

// Unchanged reports whether no change which is known here, and is later than a place in the
// log, names one of the tags. What is based on that place is then as good as what is based
// on the number that it returns, which is from before it has looked: later changes are
// applied under larger ones.
func (f *Fleet) Unchanged(at changelog.Position, tags []tag.Tag) (number clock.Token, ok bool) {
	number = f.cfg.Clock.Begin()
	_, ok = f.proven(&store.Entry{Meta: &meta{at: at, tags: f.cfg.Schema().sign(tags)}})
	return number, ok
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

// TakeAll is TakeOver of many keys, in few round trips where the shared store is a
// store.Batcher. It returns what it has taken over in the places of the keys. wanted says
// which answer of the key in a place is of use.
func (f *Fleet) TakeAll(ctx context.Context, keys []string, wanted func(n int) Wanted) []*Taken {
	all := make([]*Taken, len(keys))
	if f.cfg.Shared == nil || len(keys) == 0 || !f.Fresh() {
		return all
	}
	token := f.cfg.Clock.Begin() // see TakeOver
	entries, tags, err := f.getAll(ctx, keys, wanted)
	for n, e := range entries {
		if e != nil && tags[n] != nil {
			w := wanted(n)
			all[n] = f.taken(token, e, *tags[n], &w)
		}
	}
	if err != nil && !errors.Is(err, store.ErrMiss) {
		f.storeFailed("shared get", err)
	}
	return all
}

// getAll is get of many keys. A store that is asked key by key is left alone after its
// first failure.
func (f *Fleet) getAll(ctx context.Context, keys []string, wanted func(n int) Wanted) (entries []*store.Entry, tags []*[]tag.Tag, err error) {
	tags = make([]*[]tag.Tag, len(keys))
	b, ok := f.cfg.Shared.(store.Batcher)
	if !ok {
		entries = make([]*store.Entry, len(keys))
		for n, key := range keys {
			w := wanted(n)
			e, found, err := f.get(ctx, f.sharedKey(key), &w)
			switch {
			case err == nil:
				entries[n], tags[n] = e, &found
			case !errors.Is(err, store.ErrMiss):
				return entries, tags, err
			}
		}
		return entries, tags, nil
	}
	shared := make([][]byte, len(keys))
	for n, key := range keys {
		shared[n] = f.sharedKey(key)
	}
	began := time.Now()
	defer func() { f.Counts.SharedGets.Observe(time.Since(began)) }()
	err = safe.Do(func() (err error) {
		entries, err = b.GetAll(ctx, shared, func(n int, e *store.Entry) bool {
			w := wanted(n)
			found, ok := f.accepts(e, &w)
			if ok {
				tags[n] = &found
			}
			return ok
		})
		return err
	})
	if len(entries) != len(keys) {
		entries = nil // of a store that does not keep its contract
	}
	return entries, tags, err
}
