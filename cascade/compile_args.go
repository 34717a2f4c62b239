package cascade

import (
	"strconv"

	"github.com/vektah/gqlparser/v2/ast"
)

// A literal is a string out of a directive, with its place.
type literal struct {
	text string
	pos  *ast.Position
}

// A use is one application of a directive. gqlparser checks that arguments exist and that
// required ones are there, but not what kind of value they have: the methods do.
type use struct {
	c   *compiler
	dir *ast.Directive
}

// uses returns the applications of one of our directives, without its prefix
// (@cacheControl has none). Their arguments are checked for repetition here, once.
func (c *compiler) uses(list ast.DirectiveList, name string) []use {
	if name != dirCache {
		name = c.opts.Prefix + name
	}
	if !c.ours[name] {
		return nil
	}
	var uses []use
	for _, dir := range list {
		if dir.Name != name {
			continue
		}
		seen := map[string]bool{}
		for _, arg := range dir.Arguments {
			if seen[arg.Name] {
				c.faultf(arg.Position, "@%s gives %s twice: leave one out", name, arg.Name)
			}
			seen[arg.Name] = true
		}
		uses = append(uses, use{c, dir})
	}
	return uses
}

// value returns what is given for an argument, or the default that the schema declares;
// nil for neither and for null.
func (u use) value(name string) *ast.Value {
	var declared *ast.ArgumentDefinition
	if def := u.c.schema.Directives[u.dir.Name]; def != nil {
		declared = def.Arguments.ForName(name)
	}
	arg := u.dir.Arguments.ForName(name)
	switch {
	case arg != nil && arg.Value != nil && arg.Value.Kind != ast.NullValue:
		return arg.Value
	case arg != nil && declared != nil && declared.Type.NonNull:
		u.c.faultf(arg.Position, "%s of @%s must not be null: leave it out", name, u.dir.Name)
		return nil
	case arg == nil && declared != nil && declared.DefaultValue != nil && declared.DefaultValue.Kind != ast.NullValue:
		return declared.DefaultValue
	}
	return nil
}

// str returns a string argument; false when it is absent or no string. Its place is then
// the directive's.
func (u use) str(name string) (literal, bool) {
	if v := u.value(name); v != nil {
		return u.text(name, v)
	}
	return literal{pos: u.dir.Position}, false
}

// required is str for an argument that must be there.
func (u use) required(name string) (literal, bool) {
	if u.value(name) == nil {
		u.c.faultf(u.dir.Position, "@%s needs %s", u.dir.Name, name)
		return literal{pos: u.dir.Position}, false
	}
	l, ok := u.str(name)
	if ok && l.text == "" {
		u.c.faultf(l.pos, "%s of @%s is empty: name a view", name, u.dir.Name)
		return l, false
	}
	return l, ok
}

// list returns a list of strings; a single string is a list of one, as GraphQL's coercion
// has it.
func (u use) list(name string) (items []literal, given bool) {
	v := u.value(name)
	if v == nil {
		return nil, false
	}
	if v.Kind != ast.ListValue {
		if item, ok := u.text(name, v); ok {
			items = append(items, item)
		}
		return items, true
	}
	for _, child := range v.Children {
		if item, ok := u.text(name, child.Value); ok {
			items = append(items, item)
		}
	}
	return items, true
}

func (u use) text(name string, v *ast.Value) (literal, bool) {
	pos := u.place(name, v)
	switch v.Kind {
	case ast.StringValue, ast.BlockValue:
		return literal{v.Raw, pos}, true
	case ast.EnumValue, ast.IntValue, ast.FloatValue, ast.BooleanValue:
		u.c.faultf(pos, "%s of @%s must be a string: write %q in quotes", name, u.dir.Name, v.Raw)
	default:
		u.c.faultf(pos, "%s of @%s must be a string, not %s", name, u.dir.Name, v)
	}
	return literal{pos: pos}, false
}

func (u use) boolean(name string) bool {
	v := u.value(name)
	if v == nil {
		return false
	}
	if v.Kind != ast.BooleanValue {
		u.c.faultf(u.place(name, v), "%s of @%s must be true or false, not %s", name, u.dir.Name, v)
		return false
	}
	return v.Raw == "true"
}

// integer returns a number from 0 to what GraphQL's Int holds; -1 for none.
func (u use) integer(name string) int {
	v := u.value(name)
	if v == nil {
		return -1
	}
	n, err := strconv.ParseInt(v.Raw, 10, 32)
	if v.Kind != ast.IntValue || err != nil || n < 0 {
		u.c.faultf(u.place(name, v), "%s of @%s must be a whole number of seconds from 0 to 2147483647, not %s", name, u.dir.Name, v)
		return -1
	}
	return int(n)
}

// place is where an argument's value is written; the directive for a default.
func (u use) place(name string, v *ast.Value) *ast.Position {
	if v.Position == nil || u.dir.Arguments.ForName(name) == nil {
		return u.dir.Position
	}
	return valueStart(v)
}

// valueStart is where a value begins. gqlparser's column of a string is that of its first
// character after the quote, and its line of a block string is the last one; only Start
// is the quote itself.
func valueStart(v *ast.Value) *ast.Position {
	pos := *v.Position
	switch {
	case v.Kind == ast.StringValue:
		pos.Column--
	case v.Kind == ast.BlockValue && pos.Src != nil:
		pos.Line, pos.Column = 1, 1
		var before rune
		runes := 0
		for _, r := range pos.Src.Input {
			if runes == pos.Start {
				break
			}
			runes++
			pos.Column++
			if r == '\n' || r == '\r' {
				pos.Column = 1
				if r == '\r' || before != '\r' {
					pos.Line++
				}
			}
			before = r
		}
	}
	return &pos
}
