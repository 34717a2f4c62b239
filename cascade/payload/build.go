package payload

import (
	"fmt"
	"reflect"
	"strings"
	"time"
)

// Build returns a CascadeUpdates with what a report says. T is the type that gqlgen has
// generated for it, or one with fields of the same names. Fields that it does not have
// are left out, but for updated, deleted, and what names an entity. The error says which
// change or which field is wrong; then there is no payload, and the resolver should
// return the error: what it changed is dropped as declared. Build keeps nothing.
func Build[T any](r Report) (*T, error) {
	out := new(T)
	if err := build(reflect.ValueOf(out).Elem(), &r); err != nil {
		return nil, err
	}
	return out, nil
}

// An object is the fields of an object, by name.
type object map[string]any

func build(out reflect.Value, r *Report) error {
	at := r.Time
	if at.IsZero() {
		at = time.Now()
	}
	updated, deleted, truncated := r.split()
	root := object{"metadata": object{
		"timestamp": at, "depth": max(1, r.Depth), "affectedCount": len(r.Changes), "truncated": truncated,
		"transactionId": optional(r.Transaction),
	}}
	var lists [2][]object
	for i, changes := range [2][]Change{updated, deleted} {
		lists[i] = []object{}
		for _, c := range changes {
			id, err := c.key()
			if err != nil {
				return err
			}
			o := object{"entityType": c.typ, "id": id}
			if i == 0 {
				o["operation"], o["entity"] = c.op, c.entity
			} else {
				o["deletedAt"] = at
			}
			lists[i] = append(lists[i], o)
		}
	}
	root["updated"], root["deleted"], root["invalidations"] = lists[0], lists[1], invalidations(r.Invalidates)
	return fill(out, root, "updated", "deleted")
}

func invalidations(names []string) []object {
	list := []object{}
	for _, name := range names {
		o := object{"queryName": name, "strategy": "INVALIDATE", "scope": "EXACT"}
		if strings.ContainsAny(name, "*?[") {
			o = object{"queryPattern": name, "strategy": "INVALIDATE", "scope": "PATTERN"}
		}
		list = append(list, o)
	}
	return list
}

// optional is nil for a text that is not there.
func optional(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// fill sets the fields of a struct. Those that are needed must be there.
func fill(out reflect.Value, o object, needed ...string) error {
	if out.Kind() != reflect.Struct {
		return fmt.Errorf("payload: %s is no struct: name the type that gqlgen generates for CascadeUpdates", out.Type())
	}
	for _, name := range needed {
		if !field(out, name).IsValid() {
			return fmt.Errorf("payload: %s has no field %s: generate it from payload.graphql", out.Type(), name)
		}
	}
	for name, v := range o {
		f := field(out, name)
		if !f.IsValid() {
			continue
		}
		if err := set(f, v); err != nil {
			return fmt.Errorf("payload: %s.%s: %w", out.Type(), name, err)
		}
	}
	return nil
}

// field finds the field of a GraphQL name.
func field(out reflect.Value, name string) reflect.Value {
	for i := range out.NumField() {
		f := out.Type().Field(i)
		tag, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.IsExported() && (tag == name || tag == "" && strings.EqualFold(f.Name, name)) {
			return out.Field(i)
		}
	}
	return reflect.Value{}
}

func set(f reflect.Value, v any) error {
	if v == nil || reflect.ValueOf(v).Kind() == reflect.Pointer && reflect.ValueOf(v).IsNil() {
		return nil // null
	}
	if list, ok := v.([]object); ok {
		return setList(f, list)
	}
	if f.Kind() == reflect.Pointer && !reflect.TypeOf(v).AssignableTo(f.Type()) {
		f.Set(reflect.New(f.Type().Elem()))
		return set(f.Elem(), v)
	}
	if o, ok := v.(object); ok {
		return fill(f, o)
	}
	if at, ok := v.(time.Time); ok && f.Kind() == reflect.String {
		v = at.UTC().Format(time.RFC3339Nano)
	}
	value := reflect.ValueOf(v)
	switch {
	case value.Type().AssignableTo(f.Type()):
		f.Set(value)
	case f.Kind() == reflect.String && value.Kind() == reflect.String:
		f.SetString(value.String()) // an enum's type
	case f.CanInt() && value.CanInt():
		f.SetInt(value.Int())
	default:
		return fmt.Errorf("it cannot be %s, it is %s", value.Type(), f.Type())
	}
	return nil
}

func setList(f reflect.Value, list []object) error {
	if f.Kind() != reflect.Slice {
		return fmt.Errorf("it must be a list, and is %s", f.Type())
	}
	f.Set(reflect.MakeSlice(f.Type(), len(list), len(list)))
	for i, o := range list {
		e := f.Index(i)
		if e.Kind() == reflect.Pointer {
			e.Set(reflect.New(e.Type().Elem()))
			e = e.Elem()
		}
		var needed []string
		if o["id"] != nil {
			needed = []string{"entityType", "id"}
		}
		if err := fill(e, o, needed...); err != nil {
			return err
		}
	}
	return nil
}
