package schemahash

import "github.com/vektah/gqlparser/v2/ast"

// directives writes the applications on one node.
func (w *writer) directives(list ast.DirectiveList) {
	applied := byName(list,
		func(d *ast.Directive) string { return d.Name },
		func(d *ast.Directive) bool { return !fromPrelude(d.Position) })
	w.count(len(applied))
	for _, d := range applied {
		w.text(d.Name)
		args := byName(d.Arguments,
			func(a *ast.Argument) string { return a.Name },
			func(*ast.Argument) bool { return true })
		w.count(len(args))
		for _, a := range args {
			w.text(a.Name)
			w.value(a.Value)
		}
	}
}

// defaultValue writes an optional value. No default and the default null are different:
// only the first makes a non-null argument required and leaves an input field absent.
func (w *writer) defaultValue(v *ast.Value) {
	w.flag(v != nil)
	if v != nil {
		w.value(v)
	}
}

// The kinds of values as they are hashed. They are our own numbers, since those of
// gqlparser may move when it adds a kind.
const (
	kindNone byte = iota
	kindVariable
	kindInt
	kindFloat
	kindString
	kindBoolean
	kindNull
	kindEnum
	kindList
	kindObject
	kindUnknown // of a gqlparser that knows more kinds than this package
)

var kinds = map[ast.ValueKind]byte{
	ast.Variable:     kindVariable,
	ast.IntValue:     kindInt,
	ast.FloatValue:   kindFloat,
	ast.StringValue:  kindString,
	ast.BlockValue:   kindString, // Raw is the content, without the layout
	ast.BooleanValue: kindBoolean,
	ast.NullValue:    kindNull,
	ast.EnumValue:    kindEnum,
	ast.ListValue:    kindList,
	ast.ObjectValue:  kindObject,
}

func (w *writer) value(v *ast.Value) {
	if v == nil {
		w.buf = append(w.buf, kindNone)
		return
	}
	kind, ok := kinds[v.Kind]
	if !ok {
		kind = kindUnknown
	}
	w.buf = append(w.buf, kind)
	switch kind {
	case kindList:
		w.count(len(v.Children))
		for _, child := range v.Children {
			w.value(childValue(child))
		}
	case kindObject:
		members := byName(v.Children,
			func(c *ast.ChildValue) string { return c.Name },
			func(*ast.ChildValue) bool { return true })
		w.count(len(members))
		for _, c := range members {
			w.text(c.Name)
			w.value(c.Value)
		}
	default:
		w.text(v.Raw)
	}
}

func childValue(c *ast.ChildValue) *ast.Value {
	if c == nil {
		return nil
	}
	return c.Value
}
