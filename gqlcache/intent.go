package gqlcache

import (
	"context"
	"slices"

	"github.com/99designs/gqlgen/graphql"
	"github.com/cascadeql/cascadeql/cascade"
	"github.com/cascadeql/cascadeql/extractor"
	"github.com/cascadeql/cascadeql/gqlcache/changelog"
	"github.com/cascadeql/cascadeql/gqlcache/internal/clock"
	"github.com/cascadeql/cascadeql/gqlcache/internal/safe"
)

// An intention is what a mutation has announced: to this process, or over the log to all. nil is none.
type intention struct {
	local  *clock.Intent
	shared changelog.Intention
}

// settle ends what the changes that were made have not ended. They are applied before.
func (c *Cache) settleIntent(ctx context.Context, in *intention) {
	switch {
	case in == nil:
	case in.shared == nil:
		in.local.Settle()
	default:
		// If a change was published, this does nothing; else nothing was changed.
		c.failedToLog(c.publishTo(ctx, in.shared, nil, false))
	}
}

// intend announces, before a mutation runs, all that its declared writes may change: see Options.Intent. What
// only the answer would tell counts as unknown, as it does for a mutation that fails. The intent is settled
// when the changes are applied for the last time: see uncommitted. false: it could not be announced, and the
// mutation must not run.
func (c *Cache) intend(ctx context.Context, r *request, oc *graphql.OperationContext, d *document) (ok bool) {
	if !c.opts.Intent || c.shadow != nil {
		return true
	}
	tags, all := c.foreseen(ctx, oc, d)
	if !all && len(tags) == 0 {
		return true
	}
	in := &intention{}
	switch {
	case c.opts.Log != nil:
		if in.shared = c.announceFirst(ctx, tags, all); in.shared == nil {
			return false
		}
	case all:
		in.local = c.clock.AnnounceAll()
	default:
		in.local = c.clock.Announce(tags)
	}
	if !r.uncommitted.keep(&batch{intents: []*intention{in}}) {
		c.settleIntent(ctx, in) // the operation is over: nothing of ours runs it
		return false
	}
	return true
}

// announceFirst announces over the log; nil when it could not.
func (c *Cache) announceFirst(ctx context.Context, tags []cascade.Tag, all bool) changelog.Intention {
	if all {
		tags = nil
	} else {
		tags = c.recorded(tags)
	}
	in, err := safe.Call(func() (changelog.Intention, error) {
		return c.opts.Log.(changelog.Intender).Intend(ctx, tags, all)
	})
	if err != nil {
		c.once.Warn("intend", "gqlcache: a mutation was refused, because it could not be announced", err)
		return nil
	}
	return in
}

// foreseen returns the tags of all that a mutation may change, as far as it declares that; or that it may be
// anything.
func (c *Cache) foreseen(ctx context.Context, oc *graphql.OperationContext, d *document) (tags []cascade.Tag, all bool) {
	if d.Operation == nil || slices.ContainsFunc(d.Operation.Extract.Fields, func(f *extractor.Field) bool { return f.Cascade }) {
		return nil, true // a cascade payload may name anything
	}
	ch := change{everything: "an operation that could not be evaluated"}
	_ = safe.Do(func() error { c.changed(&ch, d, nil, cascade.Outcome{Vars: oc.Variables}); return nil }) // settle logs it
	switch {
	case ch.everything != "":
		return nil, true
	case len(ch.events) == 0:
		return nil, false
	}
	return c.schema.Load().Plan.Publish(nil, ch.events, c.partition(ctx)), false
}

// intentSink is a sink that is told of announcements. The log calls it from one goroutine at a time, which is what
// protects open.
type intentSink struct {
	sink
	open map[changelog.Position]*clock.Intent
}

var _ changelog.IntentSink = intentSink{}

// Announce implements changelog.IntentSink. The history is told nothing: an entry of the shared store that the
// announcement names is refused by the clock while it is open, and by the history for what was changed.
func (s intentSink) Announce(id changelog.Position, r changelog.Record) {
	if s.open[id] != nil {
		return
	}
	if tags, ok := s.c.readable(r); ok {
		s.open[id] = s.c.clock.Announce(tags)
	} else {
		s.open[id] = s.c.clock.AnnounceAll()
	}
}

// Settle implements changelog.IntentSink.
func (s intentSink) Settle(id changelog.Position) {
	if in := s.open[id]; in != nil {
		in.Settle()
		delete(s.open, id)
	}
}
