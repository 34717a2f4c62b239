package cascade

import (
	"fmt"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// A value may be compared by its text only if a resolver gets the value that a client
// sends, and shows the value that its database compares. Three things in a schema say
// that this may be otherwise:
//
//   - a directive that runs: gqlgen hands an argument, an input field, a field's value to
//     its code, which may return another one;
//   - a scalar of the schema's own: how its values are written, and which of them are
//     equal, is its own affair;
//   - a resolver for an input field, which @goField(forceResolver: true) asks for.
//
// Such a value is unknown, on the side of the read and of the write. A term with one
// selects rows that nobody can tell: it counts as a column in using. A key that is one
// makes each row of its view any row.

// valueRules say what may be compared.
type valueRules struct {
	passive    map[string]bool // directives that change no value
	comparable map[string]bool // scalars
	arguments  map[string]bool // directives on fields that change the field's arguments
}

// passiveDirectives are those of GraphQL and of gqlgen's configuration, which run no code.
var passiveDirectives = []string{
	"deprecated", "specifiedBy", "oneOf", "include", "skip", "defer",
	"goModel", "goField", "goTag", "goEnum", "goExtraField", "entityResolver",
}

// passiveInSubgraphs are those of Federation, which run no code in a subgraph. A server
// that is none may have one of its own with such a name.
var passiveInSubgraphs = []string{
	"key", "requires", "provides", "external", "extends", "shareable", "inaccessible", "override", "tag", "link",
	"interfaceObject", "composeDirective", "context", "fromContext",
}

// comparableScalars are the built-in ones and those whose names promise text that differs
// in case and punctuation at most, or whole numbers.
var comparableScalars = []string{
	"Int", "Float", "String", "Boolean", "ID",
	"UUID", "ULID", "ObjectID", "Int32", "Int64", "Uint", "Uint32", "Uint64", "Long",
}

// valueRules reads the options.
func (c *compiler) valueRules() {
	rules := &c.plan.rules
	*rules = valueRules{passive: map[string]bool{}, comparable: map[string]bool{}, arguments: map[string]bool{}}
	add := func(to map[string]bool, names []string) {
		for _, name := range names {
			to[name] = true
		}
	}
	add(rules.passive, passiveDirectives)
	if isSubgraph(c.schema) {
		add(rules.passive, passiveInSubgraphs)
	}
	add(rules.passive, c.opts.PassiveDirectives)
	for name := range c.ours {
		rules.passive[name] = true
	}
	add(rules.comparable, comparableScalars)
	add(rules.comparable, c.opts.ComparableScalars)
	add(rules.arguments, c.opts.ArgumentDirectives)
	for _, list := range [][]string{c.opts.PassiveDirectives, c.opts.ArgumentDirectives} {
		for _, name := range list {
			if c.schema.Directives[name] == nil {
				c.faultf(nil, "the options name a directive @%s, which the schema does not declare: %s", name, suggest(name, keys(c.schema.Directives)))
			}
		}
	}
	for _, name := range c.opts.ComparableScalars {
		if def := c.schema.Types[name]; def == nil || def.Kind != ast.Scalar {
			c.faultf(nil, "Options.ComparableScalars names %s, which is no scalar of the schema", name)
		}
	}
}

func keys[V any](m map[string]V) []string {
	var names []string
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// changing returns what may change a value that has these directives; "" for nothing.
func (r *valueRules) changing(lists ...ast.DirectiveList) string {
	for _, list := range lists {
		for _, d := range list {
			if !r.passive[d.Name] {
				return "@" + d.Name
			}
		}
	}
	return ""
}

// changingInput is changing for a field of an input object.
func (r *valueRules) changingInput(input *ast.Definition, f *ast.FieldDefinition) string {
	if d := f.Directives.ForName("goField"); d != nil {
		if a := d.Arguments.ForName("forceResolver"); a != nil && a.Value != nil && a.Value.Raw == "true" {
			return "the resolver of " + input.Name + "." + f.Name
		}
	}
	return r.changing(input.Directives, f.Directives)
}

// changingArguments returns the directive of a field that changes the field's arguments.
func (r *valueRules) changingArguments(f *ast.FieldDefinition) string {
	for _, d := range f.Directives {
		if r.arguments[d.Name] {
			return "@" + d.Name
		}
	}
	return ""
}

const scalarPrefix = "the scalar "

// incomparable says why the values of a type cannot be compared by their text; "" when
// they can.
func (r *valueRules) incomparable(def *ast.Definition) string {
	if def == nil || def.Kind != ast.Scalar || r.comparable[def.Name] {
		return ""
	}
	return scalarPrefix + def.Name
}

// argumentChange says what may make another value of what a path of arguments leads to
// before a resolver gets it; "" for nothing. The path is one that exists.
func (r *valueRules) argumentChange(schema *ast.Schema, field *ast.FieldDefinition, path []string) string {
	if by := r.changingArguments(field); by != "" {
		return by
	}
	arg := field.Arguments.ForName(path[0])
	if by := r.changing(arg.Directives); by != "" {
		return by
	}
	def := schema.Types[arg.Type.Name()]
	for _, step := range path[1:] {
		f := def.Fields.ForName(step)
		if by := r.changingInput(def, f); by != "" {
			return by
		}
		def = schema.Types[f.Type.Name()]
	}
	if def.Kind == ast.InputObject {
		return r.changing(def.Directives)
	}
	return ""
}

// fieldChange says what may show another value than the database has at the end of a path
// of fields that starts at a type; "" for nothing.
func (r *valueRules) fieldChange(schema *ast.Schema, def *ast.Definition, path []string) string {
	for _, step := range path {
		if def == nil {
			return ""
		}
		f := def.Fields.ForName(step)
		if f == nil {
			return ""
		}
		if by := r.changing(def.Directives, f.Directives); by != "" {
			return by
		}
		def = schema.Types[f.Type.Name()]
	}
	return ""
}

// operandChange is argumentChange or fieldChange for an operand.
func (c *compiler) operandChange(s site, op operandDecl) string {
	r := &c.plan.rules
	var from *ast.Definition
	switch op.Kind {
	case fromArgs:
		return r.argumentChange(c.schema, s.field, op.Path)
	case fromParent:
		from = s.owner
	case fromResult:
		from = c.schema.Types[s.field.Type.Name()]
	default:
		return ""
	}
	if why := r.fieldChange(c.schema, from, op.Path); why != "" {
		return why
	}
	return c.opaqueEnd(from, op.Path)
}

// vague says why a term, a row or a key tells no values. Subject and pos are as in
// Finding.
type vague struct {
	subject, what, why string
	pos                *ast.Position
}

func (c *compiler) vaguef(s site, pos *ast.Position, why, format string, args ...any) {
	c.plan.vagues = append(c.plan.vagues, vague{s.owner.Name + "." + s.field.Name, fmt.Sprintf(format, args...), why, pos})
}

// opaqueEnd says why the end of a path of fields is a key without known spellings; ""
// when it is not.
func (c *compiler) opaqueEnd(def *ast.Definition, path []string) string {
	for i, step := range path {
		f := def.Fields.ForName(step)
		if f == nil {
			return ""
		}
		if vs := c.plan.byType[def.Name]; i == len(path)-1 && len(vs) > 0 && vs[0].key == step {
			return vs[0].opaqueKey
		}
		def = c.schema.Types[f.Type.Name()]
	}
	return ""
}

// vagueTerm says why a term selects rows that its values do not tell; "" when they do.
// end is where its operand leads, leaf the type of its column.
func (c *compiler) vagueTerm(s site, v *View, term termDecl, leaf, end *ast.Definition) string {
	why := c.operandChange(s, term.Operand)
	if why == "" {
		why = c.plan.rules.incomparable(leaf)
	}
	if why == "" {
		why = c.plan.rules.incomparable(end)
	}
	if why == "" && term.Column == v.key {
		why = v.opaqueKey
	}
	for _, def := range c.infos[v].types {
		if why == "" {
			why = c.opaqueEnd(def, splitPath(term.Column))
		}
	}
	if why == "" && term.Contains && end != nil && end.Name != "String" {
		why = "the operand, which is " + end.Name + " and not String"
	}
	return why
}

// vagueEdge says why the values of a column do not tell the keys of the rows that are
// derived.
func (c *compiler) vagueEdge(from *View, column string) string {
	if column == from.key && from.opaqueKey != "" {
		return from.opaqueKey
	}
	return c.plan.rules.incomparable(c.infos[from].leaves[column])
}

// vagueInput says that a field of an input does not tell the value that its column gets.
func (c *compiler) vagueInput(input *ast.Definition, f *ast.FieldDefinition, leaf *ast.Definition) bool {
	return c.plan.rules.changingInput(input, f) != "" || c.plan.rules.incomparable(leaf) != ""
}

// opaqueKeys finds the views of which no spelling of a key is known.
func (c *compiler) opaqueKeys() {
	rules := &c.plan.rules
	for _, v := range c.plan.views {
		if slices.Contains(c.opts.OpaqueKeys, v.Name) {
			v.opaqueKey = "Options.OpaqueKeys"
		}
		for _, def := range c.infos[v].types {
			f := def.Fields.ForName(v.key)
			if f == nil {
				continue
			}
			why := rules.changing(def.Directives, f.Directives)
			if why == "" {
				why = rules.incomparable(c.schema.Types[f.Type.Name()])
			}
			if why != "" && v.opaqueKey == "" {
				v.opaqueKey = why
				if v.explicit {
					c.plan.vagues = append(c.plan.vagues, vague{def.Name + "." + f.Name, fmt.Sprintf("the key of %q", v.Name), why, f.Position})
				}
			}
			if slices.Contains(c.opts.OpaqueKeys, def.Name) {
				v.opaqueKey = "Options.OpaqueKeys"
			}
		}
	}
	for _, name := range c.opts.OpaqueKeys {
		if len(c.plan.viewsNamed(name)) == 0 {
			c.faultf(nil, "Options.OpaqueKeys names %s, which is no view and no type with one", name)
		}
	}
}

// enumValue returns a value that a resolver has told of a column, unknown if it is none
// that the schema has: Go code may have other names for the values of an enum.
func (v *View) enumValue(column string, val Value) Value {
	def := v.leaves[column]
	if val.kind != valueText || def == nil || def.Kind != ast.Enum || def.EnumValues.ForName(val.text) != nil {
		return val
	}
	return Value{}
}

// directiveOf returns the directive that a reason names, "" if it names none.
func directiveOf(why string) string {
	name, _ := strings.CutPrefix(why, "@")
	if name == why {
		return ""
	}
	return name
}
