package gqlcache

import (
	"context"
	"maps"
	"time"
	"weak"

	"github.com/99designs/gqlgen/graphql"
	"github.com/cascadeql/cascadeql/gqlcache/inspect"
	"github.com/cascadeql/cascadeql/gqlcache/internal/inspector"
	"github.com/cascadeql/cascadeql/gqlcache/internal/plans"
	"github.com/cascadeql/cascadeql/gqlcache/internal/wire"
)

type explainKey struct{}

// WithExplain asks the cache to note in full what becomes of the operations of a context,
// for Explain. A middleware around the server, or an operation interceptor added before
// the cache, is the place for it. It shows clients nothing.
func WithExplain(ctx context.Context) context.Context {
	return context.WithValue(orBackground(ctx), explainKey{}, true)
}

// Explain tells what the cache did for an operation, after it did: in a response
// interceptor that was added to the server before the cache, once next has returned. It
// is the value that extensions.cache shows to those who may see it. Without WithExplain,
// and without such a client, it has no more than the status, the reason and the
// operation. ok is false for what is no query or mutation, and without a cache.
//
// Slices and pointers in it are not to be changed.
func Explain(ctx context.Context) (x inspect.Extension, ok bool) {
	r := requestFrom(ctx)
	if r == nil || !r.out.ended || r.mutates && r.out.fate == inspector.Failed {
		return x, false
	}
	if r.note != nil {
		return r.note.Explanation, true
	}
	x = r.out.short().Extension()
	if graphql.HasOperationContext(ctx) {
		if op := graphql.GetOperationContext(ctx).Operation; op != nil {
			x.Operation = inspect.Operation{Name: op.Name, Type: string(op.Operation)}
		}
	}
	return x, true
}

// short is the outcome as the inspector knows it.
func (o *outcome) short() inspector.Outcome {
	return inspector.Outcome{
		Fate: o.fate, Why: string(o.why), Shared: o.f != nil && o.f.fromShared, Early: o.early, Old: o.old, Expired: o.expired,
	}
}

// conclude completes the explanation of an operation, keeps it, and shows it to the
// client who may see it.
func (c *Cache) conclude(ctx context.Context, r *request, resp *graphql.Response, x inspect.Extension) {
	n := r.note
	op := graphql.GetOperationContext(ctx).Operation
	x.Operation.Name, x.Operation.Type = op.Name, string(op.Operation)
	x.DurationUS = n.Took().Microseconds()
	x.Warnings = append(x.Warnings, c.alarms().Warnings()...)
	if r.access != nil && r.access.fault != nil {
		x.Warnings = append(x.Warnings, inspect.Warning{Code: "request", Severity: "warning", Message: r.access.fault.Error()})
	}
	n.Explanation = x
	if r.access != nil && resp != nil {
		extend(resp, x)
		wire.ExchangeFrom(ctx).Report(&x)
	}
}

// extend puts extensions.cache on a response. The map is copied: it may be shared.
func extend(resp *graphql.Response, x inspect.Extension) {
	ext := maps.Clone(resp.Extensions)
	if ext == nil {
		ext = map[string]any{}
	}
	ext["cache"] = x
	resp.Extensions = ext
}

// explain makes the explanation of an operation that has ended, and shows it to the
// client who may see it.
func (c *Cache) explain(ctx context.Context, r *request) {
	defer c.shield.Recover()
	o := &r.out
	switch {
	case o.fate == inspector.Refused:
		c.conclude(ctx, r, o.resp, o.short().Extension())
	case r.mutates:
		c.conclude(ctx, r, nil, c.inspector.Mutation(o.short(), inspector.Change{
			Tags: o.done.tags, Everything: o.done.everything, Events: o.done.events, Took: o.done.took,
			Trace: o.done.trace, Invalidation: o.done.invalidation,
		}))
	default:
		var plan *plans.Plan
		if o.d != nil {
			plan = o.d.Plan
		}
		c.conclude(ctx, r, o.resp, c.inspector.Query(r.note, o.short(), plan, c.answerOf(o)))
	}
}

// answerOf returns what is known of the answer to a query.
func (c *Cache) answerOf(o *outcome) (a inspector.Answer) {
	var s *stamp
	switch {
	case o.entry != nil:
		s = o.entry.Meta.(*stamp)
		a.Bytes, a.TTL = len(o.entry.Body), s.Expires().Sub(c.opts.Now())
	case o.f != nil:
		a.Bytes, a.TTL, a.Took = len(o.f.body), o.f.ttl, o.f.took
		if o.fate != inspector.Joined {
			s = o.f.stamp
		}
	}
	if s == nil {
		return a
	}
	a.Unsaid = s.unsaid
	a.Entry, a.Tags, a.Age = weak.Make(s), s.Len(), time.Duration(c.opts.Now().UnixNano()-s.Stored)
	if o.fate == inspector.Hit || o.old {
		a.Took = s.Took()
	}
	return a
}

// explainPublished adds what became of the change, and shows it to the client who may see
// it.
func (c *Cache) explainPublished(ctx context.Context, r *request, resp *graphql.Response, s settled) {
	if r.note == nil {
		return
	}
	defer c.shield.Recover()
	x := r.note.Explanation
	told := c.confession(s.Publication)
	x.Consistency, x.Token = told.Consistency, told.Token
	if x.Invalidation != nil {
		inv := *x.Invalidation // an extension may have kept the other
		inv.Confirmed = !s.Shared || s.Err == nil && s.Receipt.Confirmed
		if s.Shared && s.Err == nil {
			inv.Instances = c.others()
		}
		x.Invalidation = &inv
	}
	r.note.Explanation = x
	if r.access != nil {
		extend(resp, x)
		wire.ExchangeFrom(ctx).Report(&x)
	}
}
