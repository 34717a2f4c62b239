package gqlcache

import (
	"context"
	"slices"
	"sync"

	"github.com/99designs/gqlgen/graphql"
	"github.com/cascadeql/cascadeql/cascade"
	"github.com/cascadeql/cascadeql/gqlcache/footprint"
)

// A projecting holds, during one computation, what @view(decides:) promises of the columns
// that its statements return. A statement is projected where the field that has sent it
// returns rows of the table, or a page of them. It is not where the field is a leaf: that
// may show any column. A leaf that runs code and has sent no statement may be made of what
// another field's statement has returned, by a loader for instance: with one in the
// operation nothing is projected. Nor is it with a field that runs code in one of the
// projected types. Its methods may be called concurrently.
type projecting struct {
	*projections

	mu sync.Mutex
	// leaves are the leaf fields that have sent a statement.
	leaves map[*graphql.FieldContext]bool
}

// projections are what the views of an operation promise.
type projections struct {
	operation *cascade.Operation
	list      []cascade.Projection
	all       []footprint.Projection // of list
}

// newProjections returns nil when the operation's views promise nothing.
func newProjections(op *cascade.Operation) *projections {
	list := op.Projections()
	if len(list) == 0 {
		return nil
	}
	p := &projections{operation: op, list: list, all: make([]footprint.Projection, len(list))}
	for i, t := range list {
		p.all[i] = footprint.Projection{Table: t.Table, Shown: t.Fields, Decides: t.Decides, Same: cascade.ColumnOf}
	}
	return p
}

// of implements footprint.Start.Projects.
func (p *projecting) of(ctx context.Context) []footprint.Projection {
	fc := graphql.GetFieldContext(ctx)
	if fc == nil || fc.Field.Field == nil {
		return nil
	}
	def := fc.Field.Definition
	if p.operation.IsLeaf(def) {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.leaves == nil {
			p.leaves = map[*graphql.FieldContext]bool{}
		}
		p.leaves[fc] = true
		return nil
	}
	list := p.all[:0:0]
	for i := range p.list {
		if p.operation.ComesFrom(def.Type.Name(), &p.list[i]) {
			list = append(list, p.all[i])
		}
	}
	return list
}

// refutes reports whether the promises no longer hold after a field has run code.
func (p *projecting) refutes(fc *graphql.FieldContext) bool {
	if slices.ContainsFunc(p.list, func(t cascade.Projection) bool { return slices.Contains(t.Types, fc.Object) }) {
		return true
	}
	if !p.operation.IsLeaf(fc.Field.Definition) {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return !p.leaves[fc]
}
