package gqlcache

import (
	"context"
	"errors"
	"fmt"

	"github.com/cascadeql/cascadeql/cascade"
)

var errNoPredicate = errors.New("the predicate function returned a Predicate without Text")

// predicate evaluates the caller's condition. ok is false when it cannot be told: also when nobody has said that all
// callers see the same, for an answer that turns out not to be public.
func (c *Cache) predicate(ctx context.Context) (p Predicate, ok bool) {
	if c.opts.Predicate == nil {
		return Predicate{}, c.opts.Callers == AllSeeTheSame
	}
	p, err := protect(func() (Predicate, error) { return c.opts.Predicate(ctx) })
	if err == nil && p.Text == "" {
		err = errNoPredicate
	}
	if err != nil {
		c.complain.once("predicate", "gqlcache: a request's predicate is unknown, so it bypasses the cache", err)
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
	name, err := protect(func() (string, error) { return c.opts.Partition(ctx), nil })
	if err != nil {
		c.complain.once("partition", "gqlcache: a request's partition is unknown, so it counts as outside of all", err)
	}
	return cascade.PartitionOf(name)
}

// protect turns a panic of a user's function into an error.
func protect[T any](f func() (T, error)) (v T, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return f()
}
