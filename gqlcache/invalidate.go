package gqlcache

import (
	"context"
	"fmt"

	"github.com/cascadeql/cascadeql/cascade"
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
)

// Entity is a change of one row: of a type or view, by its key as a string or number.
func Entity(typ string, id any) Change { return Change{changeEntity, typ, id} }

// View is a change of unknown rows of a view, or of the views of a type.
func View(name string) Change { return Change{kind: changeView, name: name} }

// Everything is a change of unknown extent.
func Everything() Change { return Change{} }

// Invalidate drops what the changes, and all that is derived from them, could have changed: call it
// after the change is committed. When it returns, no request that starts later gets an answer
// computed before. It does not block on anything but other invalidations. It returns ErrClosed,
// ErrNoSchema, an error that wraps ErrUnknownName, or one that names a key which is neither string nor
// number; then nothing was dropped. With Options.Log it waits for the other instances as for a mutation,
// and returns the log's error: then what was to be dropped is dropped here, and elsewhere when the log is
// back. Beside Everything the other changes are not looked at.
func (c *Cache) Invalidate(ctx context.Context, changes ...Change) error {
	if c.isClosed() {
		return ErrClosed
	}
	for _, ch := range changes {
		if ch.kind == changeEverything {
			return c.flush(ctx, destination{}).err
		}
	}
	events, err := c.events(changes...)
	if err != nil {
		return err
	}
	_, a := c.publish(ctx, events, nil, cascade.Partition{}, destination{})
	return a.err
}

// events resolves the names of changes.
func (c *Cache) events(changes ...Change) ([]cascade.Event, error) {
	st := c.schema.Load()
	if st == nil {
		return nil, ErrNoSchema
	}
	var events []cascade.Event
	for _, ch := range changes {
		var more []cascade.Event
		ok := false
		switch ch.kind {
		case changeEntity:
			id := cascade.ValueOf(ch.id)
			if !id.Known() || id.IsNull() {
				return nil, fmt.Errorf("gqlcache: the key of %s is a %T; use a string or a number", ch.name, ch.id)
			}
			more, ok = st.plan.RowEvent(ch.name, id)
		case changeView:
			more, ok = st.plan.ViewEvent(ch.name)
		}
		if !ok {
			return nil, fmt.Errorf("%w: %q is no view and no type with a key", ErrUnknownName, ch.name)
		}
		events = append(events, more...)
	}
	return events, nil
}

// A destination is where changes go to: all instances at once, unless a hold collects them until their
// commit. intent, which may be nil, is what announced them.
type destination struct {
	hold   *hold
	intent *intention
}

// publish applies events to the clock: when it returns, no answer that they reach is served any more.
// Changes made in a transaction that commits later are applied again then, by the hold.
func (c *Cache) publish(ctx context.Context, events []cascade.Event, more []cascade.Tag, part cascade.Partition, to destination) (tags int, a announced) {
	if len(events) == 0 && len(more) == 0 {
		return 0, announced{number: c.clock.Seq()}
	}
	t := c.schema.Load().plan.Publish(more, events, part)
	c.counts.invalidations.Add(1)
	c.counts.tags.Add(uint64(len(t)))
	if to.hold != nil {
		to.hold.add(t)
		return len(t), announced{number: c.clock.Apply(t)} // the others learn of it at the commit
	}
	return len(t), c.announce(ctx, to.intent, t, false)
}

// flush drops everything.
func (c *Cache) flush(ctx context.Context, to destination) announced {
	c.counts.invalidations.Add(1)
	c.counts.flushes.Add(1)
	if to.hold != nil {
		to.hold.addAll()
		return announced{number: c.clock.Flush()}
	}
	return c.announce(ctx, to.intent, nil, true)
}
