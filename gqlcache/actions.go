package gqlcache

import (
	"context"
	"errors"
	"fmt"

	"github.com/cascadeql/cascadeql/gqlcache/inspect"
)

// The types of inspect.Action.
const (
	actionRow       = "invalidateRow"
	actionView      = "invalidateView"
	actionOperation = "invalidateOperation"
	actionClear     = "clear"
)

var errAction = errors.New("no such action, or a part of it is missing")

// Clear drops everything, answers being computed included, in all instances. It returns
// ErrClosed after Close, or what the log and the store say; the answers are dropped here
// in any case. Entries of Options.Shared are not removed: they count as dropped.
func (c *Cache) Clear(ctx context.Context) error {
	if c.unmade() {
		return errUnmade
	}
	_, err := c.clear(orBackground(ctx), inspect.Cause{Kind: causeManual, Name: "Clear"})
	return err
}

// clear flushes the clock and empties the store. The watch hears of both as of one
// change: what is taken out of the store is not to look evicted.
func (c *Cache) clear(ctx context.Context, by inspect.Cause) (p published, err error) {
	if c.isClosed() {
		return p, ErrClosed
	}
	return c.publishAnd(ctx, change{by: by, everything: "the cache was cleared", cleared: true}, func() error {
		if err := c.engine.Clear(ctx); err != nil {
			return fmt.Errorf("gqlcache: clearing the store: %w", err)
		}
		return nil
	})
}

// act does what a user of the inspector asks for.
func (c *Cache) act(ctx context.Context, a *inspect.Action) *inspect.ActionResult {
	by := inspect.Cause{Kind: causeManual, Name: "inspector"}
	var p published
	var what string
	err := errAction
	switch {
	case a.Type == actionRow && a.View != "" && a.ID != "":
		what = fmt.Sprintf("row %s of %s", a.ID, a.View)
		p, err = c.invalidate(ctx, by, Entity(a.View, a.ID))
	case a.Type == actionView && a.View != "":
		what = "all rows of " + a.View
		p, err = c.invalidate(ctx, by, View(a.View))
	case a.Type == actionOperation && a.Operation != "":
		what = "answers of " + a.Operation
		p, err = c.invalidate(ctx, by, Operation(a.Operation))
	case a.Type == actionClear:
		what = "everything"
		p, err = c.clear(ctx, by)
	}
	if err != nil {
		return &inspect.ActionResult{Message: err.Error()}
	}
	r := &inspect.ActionResult{OK: true, Message: "Dropped: " + what + "."}
	if p.invalidation != nil && p.invalidation.Evicted != nil {
		r.Evicted = new(p.invalidation.Evicted.Entries)
	}
	return r
}
