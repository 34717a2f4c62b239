package gqlcache

import (
	"cmp"
	"context"
	"crypto/sha256"
	"sync/atomic"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/cascadeql/cascadeql/cascade"
	"github.com/cascadeql/cascadeql/gqlcache/internal/count"
	"github.com/cascadeql/cascadeql/gqlcache/internal/opkey"
	"github.com/cascadeql/cascadeql/gqlcache/internal/probe"
	"github.com/cascadeql/cascadeql/gqlcache/internal/watch"
	"github.com/vektah/gqlparser/v2/ast"
)

// document is one operation of a document, planned. Immutable but for used.
type document struct {
	// source is the operation that was planned. The text alone does not tell the operation: another
	// extension may have rewritten it for this request.
	source *ast.OperationDefinition
	// shape is of all that execution reads of the document: see shapeOf.
	shape  uint64
	hash   [sha256.Size]byte
	tag    cascade.Tag        // of all answers to operations of its name: see Operation
	shown  *watch.Operation   // nil without an inspector
	op     *cascade.Operation // nil when bypass is ReasonOperation
	bypass Reason
	// counts are those of the operation's name, which it shares with others; nil for a mutation.
	counts *count.Operation
	// callers compares what different callers get, when all share its answers; nil otherwise.
	callers *callerWatch
	// walk says that the answer is read; probe is executed beside the operation to do so, nil when the answer
	// alone tells all that can be known.
	walk  bool
	probe *probe.Plan
	// usual is how long its computations take.
	usual usual
	// used is set when the plan is found, and cleared when it is looked at to make room: see planCache.
	used atomic.Bool
}

// document returns the plan of the operation at hand. A plan is used only for the very operation that it
// was made from, with the very fragments.
func (c *Cache) document(ctx context.Context, oc *graphql.OperationContext) *document {
	shape := shapeOf(oc.Doc, oc.Operation)
	if d := c.plans.get(oc, shape); d != nil {
		return d
	}
	d := c.plan(ctx, oc)
	d.shape = shape
	if oc.Operation.Operation == ast.Query {
		c.show(d)
	}
	if c.plans.add(oc, d) {
		c.counts.replanned.Add(1)
	}
	return d
}

// plan analyses an operation once.
func (c *Cache) plan(ctx context.Context, oc *graphql.OperationContext) *document {
	st := c.schema.Load()
	d := &document{source: oc.Operation, bypass: staticBypass(oc.Doc, oc.Operation)}
	if oc.Operation.Operation == ast.Query {
		d.counts = c.operations.Of(oc.Operation.Name)
	}
	if d.bypass != "" && oc.Operation.Operation == ast.Query {
		return d
	}
	op, err := st.plan.Operation(oc.Doc, oc.Operation)
	if err != nil {
		c.once.Warn("operation", "gqlcache: an operation could not be planned, so it bypasses the cache", err)
		d.bypass = ReasonOperation
		return d
	}
	d.op = op
	c.seeFieldHooks(oc)
	// what depends on anything needs no rows: neither an answer nor a mutation that drops everything
	d.walk = !op.Extract.Deferred && (op.Anything == "" || (oc.Operation.Operation == ast.Query && c.opts.OneRowOnly))
	if d.walk {
		d.probe = c.prober.Plan(op.Extract, st.schema, c.runs)
	}
	if oc.Operation.Operation != ast.Query {
		return d
	}
	if name := c.directiveIn(oc, op); name != "" {
		d.bypass = ReasonDirective
		return d
	}
	if op.Policy.MaxAge == 0 {
		d.bypass = ReasonPolicy
		return d
	}
	if op.Extract.Deferred {
		d.bypass = ReasonDefer
		return d
	}
	// The name is no part of the normal form. It is one of the key: Invalidate drops answers by the name, which
	// would miss those that were stored under another name, here or by another instance.
	b := opkey.AppendPart(append([]byte(nil), st.hash[:]...), oc.Operation.Name)
	b, err = opkey.AppendOperation(b, oc.Doc, oc.Operation)
	if err != nil {
		c.once.Warn("operation", "gqlcache: an operation has no normal form, so it bypasses the cache", err)
		d.bypass = ReasonOperation
		return d
	}
	d.hash = sha256.Sum256(b)
	d.callers = c.watchCallers(ctx, d)
	d.tag = cascade.OperationTag(cmp.Or(oc.Operation.Name, d.shortHash()))
	return d
}

// show makes what the watch knows the operation by.
func (c *Cache) show(d *document) {
	if c.watch == nil {
		return
	}
	hash := ""
	var views []string
	if d.bypass == "" {
		hash = d.shortHash()
		for _, dep := range d.op.Dependencies() {
			views = append(views, dep.View.Name)
		}
	}
	d.shown = watch.NewOperation(d.source.Name, hash, views)
}

// staticBypass tells why an operation is not worth or not safe to cache, by its fields.
func staticBypass(doc *ast.QueryDocument, op *ast.OperationDefinition) Reason {
	if introspects(doc, op) {
		return ReasonIntrospection
	}
	typenames, others := 0, 0
	var visit func(ast.SelectionSet, int) Reason
	visit = func(set ast.SelectionSet, depth int) Reason {
		for _, s := range set {
			switch s := s.(type) {
			case *ast.Field:
				switch s.Name {
				case "__typename":
					typenames++
				default:
					others++
				}
			case *ast.InlineFragment:
				if r := visit(s.SelectionSet, depth+1); r != "" {
					return r
				}
			case *ast.FragmentSpread:
				f := doc.Fragments.ForName(s.Name)
				if f == nil || depth > maxRootFragments {
					return ReasonOperation
				}
				if r := visit(f.SelectionSet, depth+1); r != "" {
					return r
				}
			}
		}
		return ""
	}
	if r := visit(op.SelectionSet, 0); r != "" {
		return r
	}
	if others == 0 {
		return ReasonTypename
	}
	return ""
}

// maxRootFragments bounds the nesting of fragments around root fields.
const maxRootFragments = 50

// ttl is how long an answer may be kept: the shortest maxAge of its fields, where a field without one
// counts as Options.TTL.
func (c *Cache) ttl(p cascade.Policy) time.Duration {
	ttl := c.opts.TTL
	if p.MaxAge >= 0 {
		age := time.Duration(p.MaxAge) * time.Second
		if !p.Default || age < ttl {
			ttl = age
		}
	}
	return ttl
}
