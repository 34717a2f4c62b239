package gqlcache

import (
	"context"
	"encoding/binary"
	"errors"
	"slices"

	"github.com/99designs/gqlgen/graphql"
	"github.com/cascadeql/cascadeql/cascade"
	"github.com/cascadeql/cascadeql/gqlcache/changelog"
	"github.com/cascadeql/cascadeql/gqlcache/internal/engine"
	"github.com/cascadeql/cascadeql/gqlcache/internal/safe"
	"github.com/cascadeql/cascadeql/gqlcache/store"
)

// sink is the cache's side of Options.Log.
type sink struct {
	c *Cache
	// noted is called between the two steps of Apply, in tests.
	noted func()
}

// Apply implements changelog.Sink. The history learns of a record before the clock does. The other way
// round, an entry of the shared store could be taken over with a token from after the record, while
// the history did not know yet that the record names it.
func (s sink) Apply(r changelog.Record) {
	tags, ok := s.c.readable(r)
	if !ok {
		r.All = true
	}
	r.Tags = tags
	s.c.history.Note(r)
	if s.noted != nil {
		s.noted()
	}
	s.c.applyRecord(r)
}

// applyRecord gives a record to the clock, and tells the watch.
func (c *Cache) applyRecord(r changelog.Record) {
	if r.All {
		c.heard(r.Origin, nil, "a record that names everything, or what this schema does not have", c.clock.Flush())
		return
	}
	c.heard(r.Origin, r.Tags, "", c.clock.Apply(r.Tags))
}

// heard tells the watch of a record that was applied. The log calls it on a goroutine of its own.
func (c *Cache) heard(origin string, tags []cascade.Tag, everything string, number uint64) {
	if c.watched() {
		c.shield.Run(func() { c.watch.Applied(origin, tags, everything, number) })
	}
}

// Flush implements changelog.Sink.
func (s sink) Flush(epoch, number uint64) {
	s.c.history.Flush(epoch, number)
	s.c.heard("", nil, "the log has begun anew, or a part of it is lost", s.c.clock.Flush())
}

// sign puts the mark before the tags of an entry for the shared store. See readable for those of records.
func (st *schemaState) sign(tags []cascade.Tag) []cascade.Tag {
	return append([]cascade.Tag{st.Mark}, tags...)
}

// signed returns the tags behind the mark; false when there is none, or they mean something else here.
func (st *schemaState) signed(tags []cascade.Tag) ([]cascade.Tag, bool) {
	if len(tags) == 0 || tags[0] != st.Mark {
		return nil, false
	}
	return tags[1:], true
}

// announced is what became of a change.
type announced struct {
	number uint64 // of the clock
	// shared says that the change went to the log, receipt and err how.
	shared  bool
	receipt changelog.Receipt
	err     error
}

// announce applies a change here and makes it known to the other instances. It waits for them as the
// log's level says. What announced the change, if anything did, is settled with it.
func (c *Cache) announce(ctx context.Context, in *intention, tags []cascade.Tag, all bool) announced {
	if c.opts.Log == nil {
		return announced{number: c.apply(tags, all)}
	}
	if c.shadow != nil {
		return c.announceLater(tags, all)
	}
	a := announced{shared: true}
	var to publisher = c.opts.Log
	if in != nil {
		to = in.shared
	}
	a.receipt, a.err = c.publishTo(ctx, to, tags, all)
	c.failedToLog(a.receipt, a.err)
	if a.err != nil {
		if !errors.Is(a.err, changelog.ErrPending) {
			c.apply(tags, all) // the log has perhaps not: it is closed, not started, or broken
		}
	} else {
		c.counts.wait.Observe(a.receipt.Waited)
		if !a.receipt.Confirmed {
			c.counts.unconfirmed.Add(1)
		}
	}
	a.number = c.clock.Seq()
	return a
}

// A publisher is a log, or an intention of one.
type publisher interface {
	Publish(ctx context.Context, tags []cascade.Tag, all bool) (changelog.Receipt, error)
}

func (c *Cache) publishTo(ctx context.Context, to publisher, tags []cascade.Tag, all bool) (changelog.Receipt, error) {
	if all {
		tags = nil
	} else if len(tags) > 0 {
		tags = c.recorded(tags)
	}
	return safe.Call(func() (changelog.Receipt, error) { return to.Publish(ctx, tags, all) })
}

func (c *Cache) failedToLog(_ changelog.Receipt, err error) {
	if err != nil {
		c.counts.logErrors.Add(1)
		c.once.Warn("publish", "gqlcache: a change did not reach the log: other instances learn of it when it is back", err)
	}
}

func (c *Cache) apply(tags []cascade.Tag, all bool) uint64 {
	if all {
		return c.clock.Flush()
	}
	return c.clock.Apply(tags)
}

// fresh says whether entries may be served at all. It is asked before an entry's validity: see
// changelog.Log.
func (c *Cache) fresh() bool {
	if c.opts.Log == nil {
		return true
	}
	fresh, err := safe.Call(func() (bool, error) { return c.opts.Log.Fresh(), nil })
	if err != nil {
		c.once.Warn("log", logFailed, err)
	}
	return fresh && err == nil
}

const logFailed = "gqlcache: Options.Log failed, so requests bypass the cache"

// applied is the log's Applied, and no position when that fails.
func (c *Cache) applied() changelog.Position {
	at, err := safe.Call(func() (changelog.Position, error) { return c.opts.Log.Applied(), nil })
	if err != nil {
		c.once.Warn("log", logFailed, err)
		return changelog.Position{}
	}
	return at
}

// sharedMeta is what an entry of the shared store carries: the place in the log that its computation
// is based on, and its tags, signed.
type sharedMeta struct {
	at   changelog.Position
	tags []cascade.Tag
}

const sharedVersion = 1

// AppendBinary implements encoding.BinaryAppender.
func (m *sharedMeta) AppendBinary(b []byte) ([]byte, error) {
	b = append(b, sharedVersion)
	b = binary.LittleEndian.AppendUint64(b, m.at.Epoch)
	b = binary.LittleEndian.AppendUint64(b, m.at.Number)
	for _, t := range m.tags {
		b = binary.LittleEndian.AppendUint64(b, t.Hash)
		b = binary.LittleEndian.AppendUint64(b, t.Mask)
	}
	return b, nil
}

var errSharedMeta = errors.New("gqlcache: no stamp of a shared entry, or of another version")

// DecodeMeta decodes what the cache attaches to entries of Options.Shared. Pass it to the store.
func DecodeMeta(b []byte) (store.Meta, error) {
	const head, tag = 17, 16
	if len(b) < head || b[0] != sharedVersion || (len(b)-head)%tag != 0 {
		return nil, errSharedMeta
	}
	m := &sharedMeta{at: changelog.Position{
		Epoch:  binary.LittleEndian.Uint64(b[1:]),
		Number: binary.LittleEndian.Uint64(b[9:]),
	}}
	m.tags = make([]cascade.Tag, 0, (len(b)-head)/tag)
	for b = b[head:]; len(b) > 0; b = b[tag:] {
		m.tags = append(m.tags, cascade.Tag{
			Hash: binary.LittleEndian.Uint64(b),
			Mask: binary.LittleEndian.Uint64(b[8:]),
		})
	}
	return m, nil
}

// fromShared returns an answer that another instance has stored, or nil: if this process knows every
// record since the answer's computation began, and none of them names one of its tags.
func (c *Cache) fromShared(ctx context.Context, key string) *filled {
	if c.opts.Shared == nil || !c.fresh() {
		return nil
	}
	// Everything applied up to here is known to the history, too. What comes later and names one of
	// the tags is seen by the history below, by Finish, or by the entry's first check.
	token := c.clock.Begin()
	e, tags, err := c.sharedGet(ctx, c.sharedKey(key))
	if err != nil {
		if !errors.Is(err, store.ErrMiss) {
			c.sharedFailed("get", err)
		}
		return nil
	}
	named := tags
	if c.watch != nil {
		named = slices.Clone(tags) // Finish keeps and reorders them
	}
	st, ok := c.engine.Finish(token, tags)
	if !ok {
		c.counts.sharedDead.Add(1) // a record came in since
		return nil
	}
	c.counts.sharedHits.Add(1)
	f := &filled{body: e.Body, born: token, fromShared: true}
	f.stamp, f.ttl = &stamp{}, e.Expires.Sub(c.opts.Now())
	c.engine.Stamp(&f.stamp.Stamp, st, engine.UnknownCost)
	if graphql.HasOperationContext(ctx) {
		// For whom the other instance has computed it is not known. From here on it is compared with what others
		// than this caller get.
		f.caller = credentials(ctx, graphql.GetOperationContext(ctx))
		f.stamp.caller = f.caller
	}
	own := engine.Entry(key, e.Body, f.stamp, &f.stamp.Stamp, e.Expires)
	if c.engine.Put(ctx, key, own) {
		f.entry, f.tags = own, named
	}
	return f
}

// sharedGet returns an entry of the shared store that is proven, with its tags. Where the store has several
// tiers, one that is not leaves the key to the next: it may be older than what that has.
func (c *Cache) sharedGet(ctx context.Context, key []byte) (e *store.Entry, tags []cascade.Tag, err error) {
	proven := func(e *store.Entry) (ok bool) {
		if tags, ok = c.proven(e); !ok {
			c.counts.sharedDead.Add(1)
		}
		return ok
	}
	e, err = safe.Call(func() (*store.Entry, error) {
		if s, ok := c.opts.Shared.(store.Sieve); ok {
			return s.GetIf(ctx, key, proven)
		}
		e, err := c.opts.Shared.Get(ctx, key)
		if err == nil && !proven(e) {
			err = store.ErrMiss
		}
		return e, err
	})
	return e, tags, err
}

// proven returns the tags of a shared entry if no record that is known here speaks against it.
func (c *Cache) proven(e *store.Entry) ([]cascade.Tag, bool) {
	if e == nil {
		return nil, false
	}
	m, ok := e.Meta.(*sharedMeta)
	if !ok {
		return nil, false
	}
	tags, ok := c.schema.Load().signed(m.tags)
	if !ok || !c.history.Unchanged(m.at.Epoch, m.at.Number, tags) {
		return nil, false
	}
	return slices.Clone(tags), true // the clock reorders them; the store may hand them out again
}

// toShared stores an answer for the other instances.
func (c *Cache) toShared(ctx context.Context, key string, e *store.Entry, at changelog.Position, tags []cascade.Tag) {
	if c.opts.Shared == nil || at.Epoch == 0 || !c.fresh() {
		return
	}
	shared := *e
	shared.Version, shared.Meta = at.Number, &sharedMeta{at: at, tags: c.schema.Load().sign(tags)}
	err := safe.Do(func() error { return c.opts.Shared.Put(ctx, c.sharedKey(key), &shared) })
	if err != nil && !errors.Is(err, store.ErrTooLarge) {
		c.sharedFailed("put", err)
	}
}

// sharedFailed counts and logs a call to Options.Shared that failed.
func (c *Cache) sharedFailed(call string, err error) {
	c.counts.sharedErrors.Add(1)
	c.once.Warn("shared "+call, "gqlcache: the store failed: shared "+call, err)
}
