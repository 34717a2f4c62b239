package gqlcache

import (
	"context"
	"errors"

	"github.com/cascadeql/cascadeql/cascade"
	"github.com/cascadeql/cascadeql/gqlcache/internal/plans"
	"github.com/cascadeql/cascadeql/gqlcache/internal/safe"
)

var errNoPredicate = errors.New("the predicate function returned a Predicate without Text")

// predicate evaluates the caller's condition. ok is false when it cannot be told: also
// when nobody has said that all callers see the same, for an answer that turns out not to
// be public.
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

// partition tells the partition of a request. One that cannot be told is outside of all:
// its changes reach everybody, and its answers hear of every change.
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

// appendKey appends the key of a query's answer: see package plans. Vary is not asked for
// variables that no key can have.
func (c *Cache) appendKey(ctx context.Context, b []byte, d *document, vars map[string]any, who *caller) ([]byte, Reason) {
	b, why := d.AppendQuestion(b, vars)
	if why != "" {
		return b, Reason(why)
	}
	return c.appendScope(ctx, b, who)
}

// appendScope appends the part of a key that keeps callers apart.
func (c *Cache) appendScope(ctx context.Context, b []byte, who *caller) ([]byte, Reason) {
	s := plans.Scope{Public: who.public, Predicate: who.predicate.Text}
	if c.opts.Vary != nil {
		var err error
		if s.Vary, err = safe.Call(func() ([]string, error) { return c.opts.Vary(ctx), nil }); err != nil {
			c.once.Warn("vary", "gqlcache: Options.Vary failed, so the request bypasses the cache", err)
			return b, ReasonFailed
		}
	}
	return s.Append(b), ""
}
