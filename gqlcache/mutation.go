package gqlcache

import (
	"cmp"
	"context"
	"maps"
	"reflect"
	"slices"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/cascadeql/cascadeql/cascade"
	"github.com/cascadeql/cascadeql/extractor"
	"github.com/cascadeql/cascadeql/gqlcache/internal/fleet"
	"github.com/cascadeql/cascadeql/gqlcache/internal/inspector"
	"github.com/cascadeql/cascadeql/gqlcache/internal/plans"
	"github.com/cascadeql/cascadeql/gqlcache/internal/probe"
	"github.com/cascadeql/cascadeql/gqlcache/internal/safe"
)

// mutation runs a mutation and applies what it changed before its response is handed on;
// an extension may commit after that: see uncommitted. Nothing about the request exempts
// it: not Enabled, not an unknown predicate, uploads or @defer. When the resolvers panic,
// or their goroutine ends, the changes count as made.
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
		if c.shadow == nil && (r.explained || r.access != nil) {
			r.note = inspector.NewNote()
		}
		r.planned = c.document(ctx, oc)
		if c.isReplaced(r, oc) {
			r.planned = r.planned.undeclared()
		}
		r.guardRoots(oc)
		r.hold.mutation()
		r.doubts = c.observing.doubts()
	}
	defer c.end(ctx, r)
	d := r.planned
	if first {
		if !c.fleet.MayWrite(ctx) {
			return c.refuse(ctx, r)
		}
		if !c.intend(ctx, r, oc, d) {
			return c.refuse(ctx, r)
		}
		c.beginMutation(r, oc, d)
	} else {
		c.verify.ChangedOutside() // by a deferred part, after the mutation was over for Options.Verify
	}
	r.start()
	answered := false
	defer func() {
		if !answered {
			r.changed(c.settle(ctx, r, oc, d, nil, nil))
		}
	}()
	var rec *probe.Recorder
	if first {
		rec = c.prober.Record(oc, d.probe, c.met.hooksRoots(oc))
		defer rec.Stop()
	}
	resp := next(ctx)
	if resp == nil {
		answered = true
		if first {
			c.settle(ctx, r, oc, d, nil, nil)
		} else {
			r.finish(ctx)
		}
		return nil // the streaming transports ask until there is nothing more
	}
	var res *extractor.Result
	if d.Walk && len(resp.Errors) == 0 {
		var err error
		if res, err = rec.Read(ctx, d.Operation.Extract, resp); err != nil {
			res = nil
			c.unreadable(err)
		}
	}
	answered = true // and not before: should the walk panic, the changes count as made
	done := c.settle(ctx, r, oc, d, res, resp)
	r.done = r.changed(done)
	return resp
}

// changed notes what a mutation has done.
func (r *request) changed(done settled) *settled {
	r.out.fate, r.out.done = inspector.Changed, &done
	if done.tags == 0 && done.everything == "" && !r.hasCommitted() {
		r.out.fate = inspector.Unchanged
	}
	return &done
}

// complete puts on a mutation's response what became of its changes, when they are made
// known.
func (c *Cache) complete(ctx context.Context, r *request, resp *graphql.Response, p fleet.Publication) {
	done := r.done
	if done == nil || resp == nil {
		return
	}
	r.done = nil
	done.Publication = p
	c.confess(resp, *done)
	c.explainPublished(ctx, r, resp, *done)
}

// refuse answers a mutation that does not run.
func (c *Cache) refuse(ctx context.Context, r *request) *graphql.Response {
	r.served = true
	graphql.AddError(ctx, ErrNoLease)
	r.out.fate, r.out.resp = inspector.Refused, respond(ctx, []byte("null"))
	return r.out.resp
}

func (r *request) start() {
	r.mu.Lock()
	r.mu.running = true
	r.mu.Unlock()
}

// finish ends a mutation that has been settled: what a resolver touches from here on
// counts at once.
func (r *request) finish(ctx context.Context) {
	r.mu.Lock()
	r.mu.running = false
	late := r.mu.events
	r.mu.events = nil
	r.mu.Unlock()
	r.cache.publish(ctx, change{by: causeOf(ctx), events: late, part: r.cache.partition(ctx), within: r})
}

// settled is what a mutation did to the cache.
type settled struct {
	change
	published
	took time.Duration
}

// settle applies what a mutation changed. It is called for every response of the
// operation: the parts of a deferred one may have written too. resp is nil when there is
// none.
func (c *Cache) settle(ctx context.Context, r *request, oc *graphql.OperationContext, d *document, res *extractor.Result, resp *graphql.Response) settled {
	start := time.Now()
	told := false
	defer func() {
		if !told {
			c.applyUnknown(ctx, &change{by: causeOf(ctx), within: r})
		}
	}()
	said := r.reported(true)
	maps.Copy(said.nothing, r.unwritten(d, resp))
	ch, err := c.declared(ctx, r, d, res, said)
	ch.within = r
	c.addWrites(r, d, &ch)
	s := settled{change: ch}
	s.published = c.publish(ctx, s.change)
	told = true
	if err != nil { // after the change is applied: a logger may panic
		c.once.Warn("settle", "gqlcache: what a mutation has changed could not be told, so it has dropped everything", err)
	}
	r.mutation.Record(s.events)
	s.took = time.Since(start)
	r.took += s.took
	return s
}

// reported is what the resolvers of a mutation have said.
type reported struct {
	events  []cascade.Event
	reports []cascade.Report
	nothing map[string]bool // by response name of the root field
}

// reported returns what was said up to now. With end, what comes later is no part of the
// mutation any more: that is one step, or what is said in between would be lost.
func (r *request) reported(end bool) (s reported) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s = reported{slices.Clone(r.mu.events), slices.Clone(r.mu.reports), map[string]bool{}}
	maps.Copy(s.nothing, r.mu.nothing)
	if end {
		r.mu.running = false
		r.mu.events = nil
	}
	return s
}

// declared returns the change that a mutation is declared to have made, with what its
// resolvers have said. The mutation has been committed. So the change is Everything where
// its extent is not known, and the error says why.
func (c *Cache) declared(ctx context.Context, r *request, d *document, res *extractor.Result, said reported) (ch change, err error) {
	ch = change{by: causeOf(ctx), everything: "an operation without a plan"}
	if d.Operation != nil {
		ch.everything = "an operation that could not be evaluated"
		err = safe.Do(func() error {
			var all change
			seen := c.seenWrites(r, d)
			for _, vars := range r.variables() {
				var one change
				c.changed(&one, d, res, cascade.Outcome{Vars: vars, Result: res, Nothing: said.nothing, Seen: seen, Reports: said.reports})
				all.events, all.more = append(all.events, one.events...), append(all.more, one.more...)
				all.everything = cmp.Or(all.everything, one.everything)
			}
			ch.events, ch.more, ch.everything = all.events, all.more, all.everything
			return nil
		})
	}
	ch.events = append(ch.events, said.events...)
	if ch.everything == "" {
		ch.part = c.partition(ctx)
	}
	return ch, err
}

// changed adds to a change what a mutation did.
func (c *Cache) changed(ch *change, d *document, res *extractor.Result, out cascade.Outcome) {
	events, everything := d.Operation.Events(out)
	queries, all := d.Operation.Invalidates()
	ch.more, everything = queries, cmp.Or(everything, all)
	if res != nil {
		p := c.schema.Load().Plan.Payloads(res)
		events, ch.more = append(events, p.Events...), append(ch.more, p.Tags...)
		everything = cmp.Or(everything, p.Everything)
	}
	ch.events, ch.everything = events, everything
}

// keepVariables notes the variables with which a mutation's first resolver runs.
func (r *request) keepVariables() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.mu.asked == nil {
		r.mu.asked = plans.CopyVariables(r.operation.Variables)
	}
}

// variables returns those of a mutation: as its first resolver had them, and as they are
// now where that differs, which later root fields had.
func (r *request) variables() []map[string]any {
	r.mu.Lock()
	first := r.mu.asked
	r.mu.Unlock()
	now := r.operation.Variables
	if first == nil || reflect.DeepEqual(first, now) {
		return []map[string]any{now}
	}
	return []map[string]any{first, now}
}
