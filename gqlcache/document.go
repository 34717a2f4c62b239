package gqlcache

import (
	"context"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/cascadeql/cascadeql/gqlcache/internal/plans"
	"github.com/cascadeql/cascadeql/gqlcache/internal/probe"
	"github.com/cascadeql/cascadeql/gqlcache/internal/watch"
	"github.com/vektah/gqlparser/v2/ast"
)

// document is the plan of one operation of a document, with what the cache keeps beside
// it.
type document struct {
	*plans.Plan
	shown *watch.Operation // nil without an inspector
	// callers compares what different callers get, when all share its answers; nil
	// otherwise.
	callers *callerWatch
	// probe is executed beside the operation to read its answer, nil when the answer
	// alone tells all that can be known.
	probe *probe.Plan
	// template is what the key check knows its computations by.
	template template
	// projections are what @view(decides:) promises of what is observed, nil for nothing.
	projections *projections
	// hinted says that the schema has an age for each part of a query.
	hinted bool
	// stale is how long after its expiry an answer is served while another request
	// computes it, and beyond how long the store holds it.
	stale, beyond time.Duration
	// headers are the header fields of the request that answers depend on, and vary those
	// with which GET tells it.
	headers, vary []string
	// usual is how long its computations take.
	usual usual
	// reported counts the computations that were to be reported of: see observed.read.
	reported atomic.Uint64
}

// plan makes the plan of an operation that has none, and keeps it.
func (c *Cache) plan(ctx context.Context, oc *graphql.OperationContext, s *plans.Source) *document {
	st := c.schema.Load()
	d := &document{Plan: c.plans.Make(st.Schema, s)}
	if d.Operation != nil {
		c.seeFieldHooks(oc)
		if c.observing != nil {
			d.projections = newProjections(d.Operation)
		}
	}
	if d.Walk {
		d.probe = c.prober.Plan(d.Operation.Extract, st.Definition, c.runs)
	}
	if oc.Operation.Operation == ast.Query {
		if d.Operation != nil {
			c.readPolicy(d) // also of one that bypasses the cache: its values do not
		}
		if d.Bypass == "" {
			d.callers = c.watchCallers(ctx, d)
			d.hinted = d.Operation.Policy.MaxAge >= 0 && !d.Operation.Policy.Default
		}
		d.shown = c.inspector.Show(d.Plan)
	}
	d.Owner = d
	if c.plans.Keep(s, d.Plan, d.probe.Size()) {
		c.counts.replanned.Add(1)
	}
	return d
}

// undeclared returns the document of a mutation of which it is not known what it does.
func (d *document) undeclared() *document {
	u := &document{shown: d.shown, Plan: &plans.Plan{Definition: d.Definition, Bypass: d.Bypass, Hash: d.Hash, Tag: d.Tag, TTL: d.TTL, Counts: d.Counts}}
	u.Owner = u
	return u
}

// readPolicy reads what the schema says of an operation beside maxAge and scope.
func (c *Cache) readPolicy(d *document) {
	p := &d.Operation.Policy
	d.stale = c.opts.StaleWhileRevalidate
	if said := time.Duration(p.Stale) * time.Second; p.Stale >= 0 && (!p.StaleDefault || said < d.stale) {
		d.stale = said
	}
	d.beyond = max(c.opts.StaleIfError, d.stale)
	d.vary, d.headers = c.vary, canonical(p.Vary)
	for _, name := range d.headers {
		if !slices.ContainsFunc(d.vary, func(other string) bool { return http.CanonicalHeaderKey(other) == name }) {
			d.vary = append(slices.Clip(d.vary), name)
		}
	}
	d.vary = slices.Clip(d.vary)
}

// canonical returns the names of header fields as headers have them.
func canonical(names []string) []string {
	out := make([]string, 0, len(names))
	for _, name := range names {
		out = append(out, http.CanonicalHeaderKey(name))
	}
	return out
}

// headersBy returns the header fields that what an operation's resolvers compute may depend
// on. Where the operation is not planned, as a subscription, these are all that the schema
// names. A query that bypasses the cache has those that it has otherwise: what is removed
// within it was computed within others.
func (c *Cache) headersBy(own *request) []string {
	all := c.schema.Load().headers
	if len(all) == 0 {
		return nil
	}
	d := own.out.d
	if d == nil && own.operation.Operation.Operation == ast.Query {
		d = c.document(own, own.operation)
	}
	if d == nil || d.Operation == nil {
		return all
	}
	return d.headers
}
