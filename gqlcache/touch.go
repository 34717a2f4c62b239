package gqlcache

import (
	"context"
	"fmt"
	"maps"

	"github.com/99designs/gqlgen/graphql"
	"github.com/cascadeql/cascadeql/cascade"
)

// NothingWritten tells the cache, from inside a mutation's resolver, that this field
// wrote nothing of what its @writes declare: a refused request, say. It returns
// ErrNoOperation outside of an operation. Changes reported by Touch and Report still
// count.
func NothingWritten(ctx context.Context) error {
	r := requestFrom(ctx)
	if r == nil {
		return ErrNoOperation
	}
	root := rootField(ctx)
	if root == "" {
		return ErrNoOperation
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.mu.nothing == nil {
		r.mu.nothing = map[string]bool{}
	}
	r.mu.nothing[root] = true
	return nil
}

// rootField returns the response name of the root field that is being resolved, ""
// outside of one.
func rootField(ctx context.Context) string {
	fc := graphql.GetFieldContext(ctx)
	if fc == nil {
		return ""
	}
	for fc.Parent != nil && fc.Parent.Field.Field != nil {
		fc = fc.Parent
	}
	if fc.Field.Field == nil {
		return ""
	}
	return fc.Field.Alias
}

// Touch says that a row was changed in a way that the schema does not tell. Inside a
// mutation the change counts when the mutation ends; elsewhere in an operation, at once
// and again when the operation ends, since it may be committed later than this. The
// answer of a query that calls it is not stored. After the end of its operation it counts
// at once. typ is a type's or view's name, id the row's key as a string or number. It
// returns ErrNoOperation outside of an operation and wraps ErrUnknownName for an unknown
// type.
func Touch(ctx context.Context, typ string, id any) error {
	r := requestFrom(ctx)
	if r == nil {
		return ErrNoOperation
	}
	events, err := r.cache.events(Entity(typ, id))
	if err != nil {
		return err
	}
	r.add(ctx, events)
	return nil
}

// add joins events to the running mutation, or applies them when none is running.
func (r *request) add(ctx context.Context, events []cascade.Event) {
	r.mu.Lock()
	if r.mu.running {
		r.mu.events = append(r.mu.events, events...)
		r.mu.Unlock()
		return
	}
	r.mu.Unlock()
	if !r.mutates {
		r.refuseToStore(ReasonWrote)
	}
	for x := computationFrom(ctx); x != nil; x = x.outer {
		x.refuseToStore(ReasonWrote)
	}
	by := causeOf(ctx)
	by.Kind = causeResolver
	r.cache.publish(ctx, change{by: by, events: events, part: r.cache.partition(ctx), within: r})
}

// A RowReport is what a resolver knows of rows that the schema cannot tell: see [Moved],
// [Unchanged], [Rows] and [MovedAll].
type RowReport struct {
	kind   reportKind
	typ    string
	ids    []any
	column string
	before any
	after  any
}

type reportKind uint8

const (
	reportRow reportKind = iota
	reportRows
	reportAll
)

// Moved reports that a column of a row had one value before the mutation and has another
// now. With the old value known, only the answers are dropped that the row has left or
// entered. Equal values say that the column stayed as it was. Of a row that was deleted only
// the old value counts.
func Moved(typ string, id any, column string, before, after any) RowReport {
	return RowReport{reportRow, typ, []any{id}, column, before, after}
}

// Unchanged reports that the mutation left a row as it was, although it is declared to
// write it.
func Unchanged(typ string, id any) RowReport {
	return RowReport{kind: reportRow, typ: typ, ids: []any{id}}
}

// Rows reports which rows of a type or view this field of the mutation changed, of those
// that its @writes declare: exactly these, and none for an empty list. Without it,
// deleting the comments of one post drops every answer that shows a comment.
func Rows[K any](typ string, ids []K) RowReport {
	r := RowReport{kind: reportRows, typ: typ}
	for _, id := range ids {
		r.ids = append(r.ids, id)
	}
	return r
}

// MovedAll is Moved for every row of a type or view that this field of the mutation
// changed.
func MovedAll(typ, column string, before, after any) RowReport {
	return RowReport{kind: reportAll, typ: typ, column: column, before: before, after: after}
}

// resolve finds what the names of a report stand for.
func (r *RowReport) resolve(plan *cascade.Plan) (cascade.Report, bool) {
	ids := make([]cascade.Value, len(r.ids))
	for i, id := range r.ids {
		ids[i] = cascade.ValueOf(id)
	}
	before, after := cascade.ValueOf(r.before), cascade.ValueOf(r.after)
	switch r.kind {
	case reportRows:
		return plan.NewRowsReport(r.typ, ids)
	case reportAll:
		return plan.NewMovedAllReport(r.typ, r.column, before, after)
	default:
		return plan.NewReport(r.typ, ids[0], r.column, before, after)
	}
}

// Report refines, from inside a mutation's resolver, what the mutation is declared to
// write. A report about a row that no @writes names is a change of its own. Elsewhere in
// an operation, and after the mutation has ended, there is nothing to refine: the rows
// that the reports name are changed, all of the view's with MovedAll, as Touch says it.
// It returns ErrNoOperation outside of an operation and wraps ErrUnknownName for an
// unknown type or column; then none of the reports counts.
func Report(ctx context.Context, reports ...RowReport) error {
	r := requestFrom(ctx)
	if r == nil {
		return ErrNoOperation
	}
	plan, root := r.cache.schema.Load().Plan, rootField(ctx)
	var known []cascade.Report
	var named []Change
	for _, rep := range reports {
		k, ok := rep.resolve(plan)
		if !ok {
			return fmt.Errorf("%w: rows %v of %s, column %q", ErrUnknownName, rep.ids, rep.typ, rep.column)
		}
		k.Root = root
		known = append(known, k)
		named = append(named, rep.changes()...)
	}
	r.mu.Lock()
	if r.mu.running {
		r.mu.reports = append(r.mu.reports, known...)
		r.mu.Unlock()
		return nil
	}
	r.mu.Unlock()
	events, err := r.cache.events(named...)
	if err != nil {
		return err
	}
	if len(events) > 0 {
		r.add(ctx, events)
	}
	return nil
}

// changes are what a report names, without a mutation that it could refine.
func (r *RowReport) changes() (named []Change) {
	switch {
	case r.kind == reportAll:
		return []Change{View(r.typ)}
	case r.kind == reportRow && r.column == "":
		return nil // unchanged
	}
	for _, id := range r.ids {
		named = append(named, Entity(r.typ, id))
	}
	return named
}

// ShownUntil tells the cache, from inside the resolver of a root query field whose @reads
// declare an order, the value of the order's column in the last row that matters: that of
// the last row returned, when there are as many rows as were asked for. Then changes of
// rows beyond it leave the answer alone, if mutations name the places of the rows that
// they change (see Moved). Do not call it for a list that is shorter than its limit: the
// next row would be shown there.
//
// Values are whole numbers from 0; others tell nothing, nor does a call for a field below
// the root. It returns ErrNoOperation outside of an operation.
func ShownUntil(ctx context.Context, value any) error {
	r := requestFrom(ctx)
	if r == nil {
		return ErrNoOperation
	}
	fc := graphql.GetFieldContext(ctx)
	if fc == nil {
		return ErrNoOperation
	}
	if fc.Parent != nil && fc.Parent.Field.Field != nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.mu.lasts == nil {
		r.mu.lasts = map[string]cascade.Value{}
	}
	r.mu.lasts[fc.Field.Alias] = cascade.ValueOf(value)
	return nil
}

// lastRows returns what the resolvers of the computation told.
func (r *request) lastRows() map[string]cascade.Value {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.mu.lasts)
}
