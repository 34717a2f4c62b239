package schemahash

import (
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

func (w *writer) schema(s *ast.Schema) {
	if s == nil {
		s = &ast.Schema{}
	}
	for _, root := range []*ast.Definition{s.Query, s.Mutation, s.Subscription} {
		w.flag(root != nil)
		if root != nil {
			w.text(root.Name)
		}
	}
	w.directives(s.SchemaDirectives)
	w.directiveDefinitions(s.Directives)
	w.types(s.Types)
}

func (w *writer) types(types map[string]*ast.Definition) {
	defs := make([]*ast.Definition, 0, len(types))
	for _, def := range types {
		if def != nil && !untouched(def) {
			defs = append(defs, def)
		}
	}
	slices.SortFunc(defs, func(a, b *ast.Definition) int { return strings.Compare(a.Name, b.Name) })
	w.count(len(defs))
	for _, def := range defs {
		w.definition(def)
	}
}

// untouched reports whether a type is a built-in one that the schema does not extend.
func untouched(def *ast.Definition) bool {
	return builtInType(def) && len(def.Interfaces) == 0 && len(def.Types) == 0 &&
		!slices.ContainsFunc(def.Directives, func(d *ast.Directive) bool { return d != nil && said(d.Position) }) &&
		!slices.ContainsFunc(def.Fields, func(f *ast.FieldDefinition) bool { return f != nil && said(f.Position) }) &&
		!slices.ContainsFunc(def.EnumValues, func(v *ast.EnumValueDefinition) bool { return v != nil && said(v.Position) })
}

// said reports whether something with a position was written by the user. On a built-in
// type, what has no position was built together with the type.
func said(pos *ast.Position) bool { return pos != nil && !fromPrelude(pos) }

func (w *writer) definition(def *ast.Definition) {
	w.text(def.Name)
	w.text(string(def.Kind))
	w.names(def.Interfaces)
	w.names(def.Types)
	w.directives(def.Directives)

	fields := byName(def.Fields,
		func(f *ast.FieldDefinition) string { return f.Name },
		func(f *ast.FieldDefinition) bool { return !fromPrelude(f.Position) && !introspection(f.Name) })
	w.count(len(fields))
	for _, f := range fields {
		w.text(f.Name)
		w.arguments(f.Arguments)
		w.typ(f.Type)
		w.defaultValue(f.DefaultValue)
		w.directives(f.Directives)
	}

	values := byName(def.EnumValues,
		func(v *ast.EnumValueDefinition) string { return v.Name },
		func(v *ast.EnumValueDefinition) bool { return !fromPrelude(v.Position) })
	w.count(len(values))
	for _, v := range values {
		w.text(v.Name)
		w.directives(v.Directives)
	}
}

func (w *writer) arguments(list ast.ArgumentDefinitionList) {
	args := byName(list,
		func(a *ast.ArgumentDefinition) string { return a.Name },
		func(*ast.ArgumentDefinition) bool { return true })
	w.count(len(args))
	for _, a := range args {
		w.text(a.Name)
		w.typ(a.Type)
		w.defaultValue(a.DefaultValue)
		w.directives(a.Directives)
	}
}

// typ writes a type reference from the outside in: per level whether it is non-null, and
// its name, which a list does not have.
func (w *writer) typ(t *ast.Type) {
	for ; t != nil; t = t.Elem {
		w.flag(true)
		w.flag(t.NonNull)
		w.text(t.NamedType)
	}
	w.flag(false)
}

func (w *writer) directiveDefinitions(defs map[string]*ast.DirectiveDefinition) {
	list := make([]*ast.DirectiveDefinition, 0, len(defs))
	for _, d := range defs {
		list = append(list, d)
	}
	list = byName(list,
		func(d *ast.DirectiveDefinition) string { return d.Name },
		func(d *ast.DirectiveDefinition) bool { return !fromPrelude(d.Position) })
	w.count(len(list))
	for _, d := range list {
		w.text(d.Name)
		w.flag(d.IsRepeatable)
		w.arguments(d.Arguments)
		locations := make([]string, len(d.Locations))
		for i, l := range d.Locations {
			locations[i] = string(l)
		}
		w.names(locations)
	}
}
