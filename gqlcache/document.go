package gqlcache

import (
	"cmp"
	"context"
	"crypto/sha256"
	"sync/atomic"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/cascadeql/cascadeql/cascade"
	"github.com/cascadeql/cascadeql/gqlcache/internal/opkey"
	"github.com/cascadeql/cascadeql/gqlcache/internal/watch"
	"github.com/vektah/gqlparser/v2/ast"
)

// documentSet holds the plans of the operations of one document text.
type documentSet struct {
	docs atomic.Pointer[[]*document]
}

// document is one operation of a document, planned. Immutable.
type document struct {
	// source is the operation that was planned. The text alone does not tell the operation: another
	// extension may have rewritten it for this request.
	source *ast.OperationDefinition
	hash   [sha256.Size]byte
	tag    cascade.Tag        // of all answers to operations of its name: see Operation
	shown  *watch.Operation   // nil without an inspector
	op     *cascade.Operation // nil when bypass is ReasonOperation
	bypass Reason
	// counts are those of the operation's name, which it shares with others; nil for a mutation.
	counts *operationCounts
	// usual is how long its computations take.
	usual usual
	// walk says that the operation is executed as prepared, and its answer walked.
	walk bool
}

// document returns the plan of the operation at hand. The plan is remembered by the document's text,
// and used only for the very operation that it was made from.
func (c *Cache) document(ctx context.Context, oc *graphql.OperationContext) *document {
	set, ok := c.docs.Get(ctx, oc.RawQuery)
	if !ok {
		set = &documentSet{}
		c.docs.Add(ctx, oc.RawQuery, set)
	}
	known := set.docs.Load()
	if known != nil {
		for _, d := range *known {
			if d.source == oc.Operation {
				return d
			}
		}
		c.counts.replanned.Add(1)
	}
	d := c.plan(oc)
	if oc.Operation.Operation == ast.Query {
		c.show(d)
	}
	// Two requests may plan the same operation at once; the later one wins, and either is right.
	next := []*document{d}
	if known != nil {
		for _, old := range *known {
			if old.source.Name != d.source.Name && len(next) < maxOperationsPerText {
				next = append(next, old)
			}
		}
	}
	set.docs.Store(&next)
	return d
}

// maxOperationsPerText bounds the operations remembered of one document text.
const maxOperationsPerText = 16

// plan analyses an operation once.
func (c *Cache) plan(oc *graphql.OperationContext) *document {
	st := c.schema.Load()
	d := &document{source: oc.Operation, bypass: staticBypass(oc.Operation)}
	if oc.Operation.Operation == ast.Query {
		d.counts = c.operations.of(oc.Operation.Name)
	}
	if d.bypass != "" && oc.Operation.Operation == ast.Query {
		return d
	}
	op, err := st.plan.Operation(oc.Doc, oc.Operation)
	if err != nil {
		c.complain.once("operation", "gqlcache: an operation could not be planned, so it bypasses the cache", err)
		d.bypass = ReasonOperation
		return d
	}
	d.op = op
	// what depends on anything needs no rows: neither an answer nor a mutation that drops everything
	d.walk = !op.Extract.Deferred && (op.Anything == "" || (oc.Operation.Operation == ast.Query && !*c.opts.CacheLists))
	if oc.Operation.Operation != ast.Query {
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
	b := append([]byte(nil), st.hash[:]...)
	b, err = opkey.AppendOperation(b, oc.Doc, oc.Operation)
	if err != nil {
		c.complain.once("operation", "gqlcache: an operation has no normal form, so it bypasses the cache", err)
		d.bypass = ReasonOperation
		return d
	}
	d.hash = sha256.Sum256(b)
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

// staticBypass tells why an operation is not worth or not safe to cache, by its root fields.
func staticBypass(op *ast.OperationDefinition) Reason {
	typenames, others := 0, 0
	var visit func(ast.SelectionSet, int) Reason
	visit = func(set ast.SelectionSet, depth int) Reason {
		for _, s := range set {
			switch s := s.(type) {
			case *ast.Field:
				switch s.Name {
				case "__schema", "__type", "_service":
					return ReasonIntrospection
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
				if s.Definition == nil || depth > maxRootFragments {
					return ReasonOperation
				}
				if r := visit(s.Definition.SelectionSet, depth+1); r != "" {
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
