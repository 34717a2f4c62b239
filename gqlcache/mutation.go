package gqlcache

import (
	"cmp"
	"context"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/cascadeql/cascadeql/cascade"
	"github.com/cascadeql/cascadeql/extractor"
)

// mutation runs a mutation and applies what it changed before its response is handed on. Nothing
// about the request exempts it: not Enabled, not an unknown predicate, uploads or @defer. When the
// resolvers panic, or their goroutine ends, the changes count as made.
func (c *Cache) mutation(ctx context.Context, r *request, oc *graphql.OperationContext, next graphql.ResponseHandler) *graphql.Response {
	if r.served {
		return nil // refused before it ran
	}
	first := !r.passed
	if first {
		r.access = c.access(ctx, oc)
		if r.access.inspects() {
			r.served = true
			return c.inspect(ctx, r, oc)
		}
		r.passed = true
		r.note = c.explains(ctx, r)
		r.planned = c.document(ctx, oc)
		prepare(oc, r.planned, c.opts.PathTimeout) // for good: a hidden resolver that timed out may still read it
		if c.shadow != nil {
			withoutHiddenResolvers(oc)
		}
		if r.hold != nil {
			r.hold.mutation()
		}
	}
	d := r.planned
	if first {
		if !c.mayWrite(ctx) {
			return c.refuse(ctx, r)
		}
		settle, ok := c.intend(ctx, r, oc, d)
		if !ok {
			return c.refuse(ctx, r)
		}
		defer settle() // runs last: when the changes are applied
		defer c.verify.mutation(r, oc, d)()
	} else {
		c.verify.changedOutside() // by a deferred part, after the mutation was over for Options.Verify
	}
	r.start()
	answered := false
	defer func() {
		if !answered {
			c.settle(ctx, r, oc, d, nil)
		}
	}()
	resp := next(ctx)
	if resp == nil {
		answered = true
		if first {
			c.settle(ctx, r, oc, d, nil)
		} else {
			r.finish(ctx)
		}
		return nil // the streaming transports ask until there is nothing more
	}
	var res *extractor.Result
	if d.walk {
		walked, err := d.op.Extract.Walk(resp.Data)
		if err == nil {
			resp.Data = walked.Data
			if len(resp.Errors) == 0 {
				res = walked
			}
		} else {
			c.unreadable(ctx, resp, err)
		}
	}
	answered = true // and not before: should the walk panic, the changes count as made
	done := c.settle(ctx, r, oc, d, res)
	c.confess(resp, done)
	c.explainMutation(ctx, r, resp, done)
	return resp
}

// refuse answers a mutation that does not run.
func (c *Cache) refuse(ctx context.Context, r *request) *graphql.Response {
	r.served = true
	graphql.AddError(ctx, ErrNoLease)
	resp := respond(ctx, []byte("null"))
	c.explainRefused(ctx, r, resp)
	return resp
}

func (r *request) start() {
	r.mu.Lock()
	r.mu.running = true
	r.mu.Unlock()
}

// finish ends a mutation that has been settled: what a resolver touches from here on counts at once.
func (r *request) finish(ctx context.Context) {
	r.mu.Lock()
	r.mu.running = false
	late := r.mu.events
	r.mu.events = nil
	r.mu.Unlock()
	r.cache.publish(ctx, change{by: causeOf(ctx), events: late, part: r.cache.partition(ctx), hold: r.hold})
}

// settled is what a mutation did to the cache.
type settled struct {
	change
	published
	took time.Duration
}

// settle applies what a mutation changed. It is called for every response of the operation: the parts
// of a deferred one may have written too.
func (c *Cache) settle(ctx context.Context, r *request, oc *graphql.OperationContext, d *document, res *extractor.Result) settled {
	start := time.Now()
	r.mu.Lock()
	touched, reports, nothing := r.mu.events, r.mu.reports, r.mu.nothing
	r.mu.running = false
	r.mu.events = nil
	r.mu.Unlock()

	s := settled{change: change{by: causeOf(ctx), everything: "an operation without a plan", hold: r.hold, intent: r.intent}}
	if d.op != nil {
		// It has committed: what cannot be told must fall.
		s.everything = "an operation that could not be evaluated"
		err := guarded(func() error {
			c.changed(&s.change, d, res, cascade.Outcome{Vars: oc.Variables, Result: res, Nothing: nothing, Reports: reports})
			return nil
		})
		if err != nil {
			c.complain.once("settle", "gqlcache: what a mutation has changed could not be told, so it has dropped everything", err)
		}
	}
	s.events = append(s.events, touched...)
	if s.everything == "" {
		s.part = c.partition(ctx)
	}
	s.published = c.publish(ctx, s.change)
	r.deed.did(s.events)
	s.took = time.Since(start)
	c.counts.settle.observe(s.took)
	return s
}

// changed adds to a change what a mutation did.
func (c *Cache) changed(ch *change, d *document, res *extractor.Result, out cascade.Outcome) {
	events, everything := d.op.Events(out)
	if res != nil {
		p := c.schema.Load().plan.Payloads(res)
		events, ch.more = append(events, p.Events...), p.Tags
		everything = cmp.Or(everything, p.Everything)
	}
	ch.events, ch.everything = events, everything
}
