package gqlcache

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/cascadeql/cascadeql/cascade"
	"github.com/cascadeql/cascadeql/gqlcache/inspect"
	"github.com/cascadeql/cascadeql/gqlcache/internal/fleet"
)

// A Change names something that was changed outside of GraphQL, or that a value depends
// on: see Reads.
type Change struct {
	kind changeKind
	name string
	id   any // of a row, or a value of column
	// column is that of the rows of Where.
	column string
}

type changeKind uint8

const (
	changeEverything changeKind = iota
	changeEntity
	changeView
	changeOperation
	changeWhere
	changeTag
	changeComputed
	changeOperations
	changeTenant
	changeComputedMatching
)

// Entity is a change of one row: of a type or view, by its key as a string or number.
func Entity(typ string, id any) Change { return Change{kind: changeEntity, name: typ, id: id} }

// View is a change of unknown rows of a view, or of the views of a type.
func View(name string) Change { return Change{kind: changeView, name: name} }

// Where is a change of unknown rows of a view, or of the views of a type, that had or have
// one value in a column: Where("Comment", "post.id", id). Any of them may have come, gone or
// changed. As what a value reads, it is all of these rows, of which rows come and go, and
// any column counts. It is as precise as the schema's own @reads: where no field compares
// the column, it is the whole view; updates of other rows of the view count as well.
func Where(typ, column string, value any) Change {
	return Change{kind: changeWhere, name: typ, column: column, id: value}
}

// Tag is a change of something that the schema does not have, under a name of the
// program's own: Tag("pricing"). It reaches the values that read this tag, and what may
// depend on anything.
func Tag(name string) Change { return Change{kind: changeTag, name: name} }

// Computed drops the values under keys of a name, those of all callers and tenants: see
// KeyOf. It is no change of rows: beside these values only the answers are dropped
// that were made of one.
func Computed(name string) Change { return Change{kind: changeComputed, name: name} }

// ComputedMatching drops the values under keys of all names that match a pattern, as Computed
// drops those of one: an asterisk stands for any text, a question mark for one byte, so
// "sales*" is "sales" and "salesByDay". Each instance looks for the names that it has values
// for; beyond the first thousand names every pattern drops a value, as it does an answer in
// Options.Shared that was made of one. More than 64 patterns in one call are one that fits
// every name.
func ComputedMatching(pattern string) Change {
	return Change{kind: changeComputedMatching, name: pattern}
}

// Operation drops the stored answers of an operation, whatever they depend on: of all
// operations of that name, or of the one without a name that has this hash, as
// extensions.cache shows it. Operations that differ in nothing but the name share no
// answers. It is no change of rows: nothing else is dropped.
func Operation(name string) Change { return Change{kind: changeOperation, name: name} }

// OperationsMatching drops the stored answers of all operations whose name matches a
// pattern, whatever they depend on: an asterisk stands for any text, a question mark for
// one character, so "feed*" is "feed" and "feedPage". Each instance looks for the names that
// it has answers for; beyond the first thousand names every pattern drops an answer,
// as it does in Options.Shared. More than 64 patterns in one call are one that fits every
// name. Operations without a name are matched by their hash. It is no change of rows:
// nothing else is dropped.
func OperationsMatching(pattern string) Change {
	return Change{kind: changeOperations, name: pattern}
}

// Tenant drops all that belongs to a tenant, as after his data were restored or removed:
// the answers and values of his callers, whatever they depend on, and all others that may
// show rows of his, of partitioned views. It is the name that Options.Partition returns, or
// that of a key's Tenant.
func Tenant(name string) Change { return Change{kind: changeTenant, name: name} }

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
		if err := c.name(&ch, changes...); err != nil {
			return published{}, err
		}
	}
	p := c.publish(ctx, ch)
	return p, p.Err
}

// unknown is the error for a name that the schema does not have.
func (ch *Change) unknown() error {
	if ch.kind == changeWhere {
		return fmt.Errorf("%w: %q is no view and no type with a column %q", ErrUnknownName, ch.name, ch.column)
	}
	return fmt.Errorf("%w: %q is no view and no type with a key", ErrUnknownName, ch.name)
}

// events returns the changes of rows that some changes name.
func (c *Cache) events(changes ...Change) ([]cascade.Event, error) {
	var to change
	err := c.name(&to, changes...)
	return to.events, err
}

// name resolves the names of changes into one that is to be made known. What is no change
// of rows has tags instead.
func (c *Cache) name(to *change, changes ...Change) error {
	st := c.schema.Load()
	if st == nil {
		return ErrNoSchema
	}
	var matching patterns
	for _, ch := range changes {
		var found []cascade.Event
		ok := true
		switch ch.kind {
		case changeEntity:
			id := cascade.ValueOf(ch.id)
			if !id.Known() || id.IsNull() {
				return fmt.Errorf("gqlcache: the key of %s is a %T; use a string or a number", ch.name, ch.id)
			}
			found, ok = st.Plan.RowEvent(ch.name, id)
		case changeView:
			found, ok = st.Plan.ViewEvent(ch.name)
		case changeWhere:
			value := cascade.ValueOf(ch.id)
			if !value.Known() {
				return fmt.Errorf("gqlcache: the value of %s.%s is a %T; use a text, a number or a truth value", ch.name, ch.column, ch.id)
			}
			found, ok = st.Plan.WhereEvents(ch.name, ch.column, value)
		case changeTag:
			to.operations = append(to.operations, cascade.UserTag(ch.name), cascade.Anything)
		case changeComputed:
			to.operations = append(to.operations, cascade.ValueNameTag(ch.name))
		case changeOperation:
			to.operations = append(to.operations, cascade.OperationTag(ch.name))
		case changeOperations:
			if err := ch.patternFault(); err != nil {
				return err
			}
			matching.operations = addPattern(matching.operations, ch.name)
		case changeComputedMatching:
			if err := ch.patternFault(); err != nil {
				return err
			}
			matching.values = addPattern(matching.values, ch.name)
		case changeTenant:
			if ch.name == "" {
				return errTenantName
			}
			tags, known := tenantTags(st.Plan, ch.name)
			if !known {
				to.everything = "a tenant whose name is not told apart from others"
			}
			to.operations = append(to.operations, tags...)
			to.texts = fleet.AppendText(to.texts, fleet.Text{Kind: fleet.Tenant, Text: ch.name})
		}
		if !ok {
			return ch.unknown()
		}
		to.events = append(to.events, found...)
	}
	to.operations, to.texts = matching.appendTags(c, to.operations), matching.appendWords(to.texts)
	return nil
}

var errTenantName = errors.New("gqlcache: the tenant's name is empty; use Everything for all tenants")
