package gqlcache

import (
	"context"
	"fmt"
	"slices"

	"github.com/cascadeql/cascadeql/cascade"
	"github.com/cascadeql/cascadeql/gqlcache/inspect"
)

// A Change names something that was changed outside of GraphQL.
type Change struct {
	kind changeKind
	name string
	id   any
}

type changeKind uint8

const (
	changeEverything changeKind = iota
	changeEntity
	changeView
	changeOperation
)

// Entity is a change of one row: of a type or view, by its key as a string or number.
func Entity(typ string, id any) Change { return Change{changeEntity, typ, id} }

// View is a change of unknown rows of a view, or of the views of a type.
func View(name string) Change { return Change{kind: changeView, name: name} }

// Operation drops the stored answers of an operation, whatever they depend on: of all
// operations of that name, or of the one without a name that has this hash, as
// extensions.cache shows it. Operations that differ in nothing but the name share no
// answers. It is no change of rows: nothing else is
// dropped.
func Operation(name string) Change { return Change{kind: changeOperation, name: name} }

// Everything is a change of unknown extent.
func Everything() Change { return Change{} }

// Invalidate drops what the changes, and all that is derived from them, could have
// changed: call it after the change is committed. When it returns, no request that starts
// later gets an answer computed before. It does not block on anything but other
// invalidations. It returns ErrClosed, ErrNoSchema, an error that wraps ErrUnknownName,
// or one that names a key which is neither string nor number; then nothing was dropped.
// With Options.Log it waits for the other instances as for a mutation, and returns the
// log's error: then what was to be dropped is dropped here, and elsewhere when the log is
// back. Beside Everything the other changes are not looked at.
func (c *Cache) Invalidate(ctx context.Context, changes ...Change) error {
	if c.unmade() {
		return errUnmade
	}
	_, err := c.invalidate(orBackground(ctx), inspect.Cause{Kind: causeManual, Name: "Invalidate"}, changes...)
	return err
}

func (c *Cache) invalidate(ctx context.Context, by inspect.Cause, changes ...Change) (published, error) {
	if c.isClosed() {
		return published{}, ErrClosed
	}
	ch := change{by: by}
	if slices.ContainsFunc(changes, func(ch Change) bool { return ch.kind == changeEverything }) {
		ch.everything = "everything was invalidated"
	} else {
		var err error
		if ch.events, ch.operations, err = c.events(changes...); err != nil {
			return published{}, err
		}
	}
	p := c.publish(ctx, ch)
	return p, p.Err
}

// events resolves the names of changes. Operations have tags instead.
func (c *Cache) events(changes ...Change) (events []cascade.Event, operations []cascade.Tag, err error) {
	st := c.schema.Load()
	if st == nil {
		return nil, nil, ErrNoSchema
	}
	for _, ch := range changes {
		var found []cascade.Event
		ok := false
		switch ch.kind {
		case changeEntity:
			id := cascade.ValueOf(ch.id)
			if !id.Known() || id.IsNull() {
				return nil, nil, fmt.Errorf("gqlcache: the key of %s is a %T; use a string or a number", ch.name, ch.id)
			}
			found, ok = st.Plan.RowEvent(ch.name, id)
		case changeView:
			found, ok = st.Plan.ViewEvent(ch.name)
		case changeOperation:
			operations, ok = append(operations, cascade.OperationTag(ch.name)), true
		}
		if !ok {
			return nil, nil, fmt.Errorf("%w: %q is no view and no type with a key", ErrUnknownName, ch.name)
		}
		events = append(events, found...)
	}
	return events, operations, nil
}
