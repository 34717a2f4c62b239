package gqlcache

import (
	"context"
	"errors"

	"github.com/cascadeql/cascadeql/cascade"
	"github.com/cascadeql/cascadeql/gqlcache/internal/safe"
)

var errNoPredicate = errors.New("the predicate function returned a Predicate without Text")

// predicate evaluates the caller's condition. ok is false when it cannot be told: also when nobody has said that all
// callers see the same, for an answer that turns out not to be public.
func (c *Cache) predicate(ctx context.Context) (p Predicate, ok bool) {
	if c.opts.Predicate == nil {
		return Predicate{}, c.opts.Callers == AllSeeTheSame
	}
	p, err := safe.Call(func() (Predicate, error) { return c.opts.Predicate(ctx) })
	if err == nil && p.Text == "" {
		err = errNoPredicate
	}
	if err != nil {
		c.once.Warn("predicate", "gqlcache: a request's predicate is unknown, so it bypasses the cache", err)
		return Predicate{}, false
	}
	return p, true
}

// partition tells the partition of a request. One that cannot be told is outside of all: its changes
// reach everybody, and its answers hear of every change.
func (c *Cache) partition(ctx context.Context) cascade.Partition {
	if c.opts.Partition == nil {
		return cascade.Partition{}
	}
	name, err := safe.Call(func() (string, error) { return c.opts.Partition(ctx), nil })
	if err != nil {
		c.once.Warn("partition", "gqlcache: a request's partition is unknown, so it counts as outside of all", err)
	}
	return cascade.PartitionOf(name)
}
