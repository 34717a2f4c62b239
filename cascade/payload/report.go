package payload

import (
	"encoding"
	"errors"
	"fmt"
	"reflect"
	"time"
)

// The most entries that the specification allows in the lists of a payload.
const (
	MaxUpdated = 500
	MaxDeleted = 100
)

// A Report is what a mutation has changed.
type Report struct {
	// Changes are the entities that were changed, each once, whoever may see them.
	Changes []Change
	// Invalidates names query fields whose answers are not true any more, beside those
	// that show the entities: names, or patterns such as "list*".
	Invalidates []string
	// Transaction is the id of the transaction; "" for none.
	Transaction string
	// Depth is how many relations were followed to find the changes. Defaults to 1.
	Depth int
	// Time is when it happened. Defaults to now.
	Time time.Time
}

// A Change is one entity that was changed. Created, Updated and Deleted return one.
type Change struct {
	op     string
	typ    string
	id     any
	entity any
}

// Created reports a new entity. The type is the GraphQL type's name. The id is a text, a
// number, or a value that is written as a text. The entity is what the field entity of
// the payload shows, and may be nil: for a caller who may not see it, for instance.
func Created(typ string, id, entity any) Change { return Change{"CREATED", typ, id, entity} }

// Updated reports an entity that was changed. Its arguments are those of Created.
func Updated(typ string, id, entity any) Change { return Change{"UPDATED", typ, id, entity} }

// Deleted reports an entity that is gone.
func Deleted(typ string, id any) Change { return Change{"DELETED", typ, id, nil} }

var errEmptyChange = errors.New("payload: a Change is empty: use Created, Updated or Deleted")

// key returns the text of a change's id.
func (c *Change) key() (string, error) {
	if c.op == "" {
		return "", errEmptyChange
	}
	if c.typ == "" {
		return "", fmt.Errorf("payload: a change of the entity %v has no type: name the GraphQL type", c.id)
	}
	text, err := textOf(c.id)
	if err != nil {
		return "", fmt.Errorf("payload: the id of an entity %s: %w", c.typ, err)
	}
	return text, nil
}

func textOf(id any) (text string, err error) {
	v := reflect.ValueOf(id)
	for v.Kind() == reflect.Pointer && !v.IsNil() && !isText(v.Interface()) {
		v = v.Elem()
	}
	switch {
	case !v.IsValid(), v.Kind() == reflect.Pointer && v.IsNil():
		return "", errors.New("it is nil: a payload that names no entity makes clients and the cache drop nothing")
	case isText(v.Interface()):
		text, err = written(v.Interface())
	case v.Kind() == reflect.String:
		text = v.String()
	case v.CanInt(), v.CanUint():
		text = fmt.Sprint(v.Interface())
	default:
		return "", fmt.Errorf("%s is neither a text nor a whole number: give it as the schema shows it", v.Type())
	}
	if err == nil && text == "" {
		err = errors.New("it is empty")
	}
	return text, err
}

// isText says that a value writes itself as a text.
func isText(v any) bool {
	switch v.(type) {
	case encoding.TextMarshaler, fmt.Stringer:
		return true
	}
	return false
}

func written(v any) (string, error) {
	if m, ok := v.(encoding.TextMarshaler); ok {
		text, err := m.MarshalText()
		return string(text), err
	}
	return v.(fmt.Stringer).String(), nil
}

// split returns the changes of both lists, within the bounds of the specification. What
// is left out of a list is of a type that the list still names: whoever drops what an
// incomplete list names drops all entities of these types.
func (r *Report) split() (updated, deleted []Change, truncated bool) {
	for _, c := range r.Changes {
		if c.op == "DELETED" {
			deleted = append(deleted, c)
		} else {
			updated = append(updated, c)
		}
	}
	truncated = len(updated) > MaxUpdated || len(deleted) > MaxDeleted
	return shortened(updated, MaxUpdated), shortened(deleted, MaxDeleted), truncated
}

func shortened(list []Change, most int) []Change {
	if len(list) <= most {
		return list
	}
	named := map[string]bool{}
	var first, others []Change
	for _, c := range list {
		if named[c.typ] {
			others = append(others, c)
		} else {
			first = append(first, c)
			named[c.typ] = true
		}
	}
	return append(first, others...)[:max(most, len(first))]
}
