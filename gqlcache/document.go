package gqlcache

import (
	"context"

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
	// usual is how long its computations take.
	usual usual
}

// document returns the plan of the operation at hand. A plan is used only for the very
// operation that it was made from, with the very fragments.
func (c *Cache) document(ctx context.Context, oc *graphql.OperationContext) *document {
	s := plans.NewSource(oc.RawQuery, oc.Doc, oc.Operation)
	if p := c.plans.Find(&s); p != nil {
		return p.Owner.(*document)
	}
	st := c.schema.Load()
	d := &document{Plan: c.plans.Make(st.Schema, &s)}
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
		if d.Bypass == "" {
			d.callers = c.watchCallers(ctx, d)
			d.hinted = d.Operation.Policy.MaxAge >= 0 && !d.Operation.Policy.Default
		}
		d.shown = c.inspector.Show(d.Plan)
	}
	d.Owner = d
	if c.plans.Keep(&s, d.Plan, d.probe.Size()) {
		c.counts.replanned.Add(1)
	}
	return d
}
