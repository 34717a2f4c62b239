package gqlcache

import (
	"context"
	"maps"

	"github.com/99designs/gqlgen/graphql"
	"github.com/cascadeql/cascadeql/cascade"
)

// ShownUntil tells the cache, from inside the resolver of a root query field whose @reads declare an
// order, the value of the order's column in the last row that matters: that of the last row returned,
// when there are as many rows as were asked for. Then changes of rows beyond it leave the answer alone,
// if mutations name the places of the rows that they change (see Moved). Do not call it for a list that
// is shorter than its limit: the next row would be shown there.
//
// Values are whole numbers from 0; others tell nothing, nor does a call for a field below the root. It
// returns ErrNoOperation outside of an operation.
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
