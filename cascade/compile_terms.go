package cascade

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/vektah/gqlparser/v2/ast"
)

// terms compiles the strings of a where or set, given as name. It returns the terms
// sorted by column, the columns whose terms may have no value at run time, and those of
// terms that never have one, which are left out.
func (c *compiler) terms(s site, v *View, name string, items []literal) (terms []termDecl, optional map[string]bool, vague Mask) {
	optional = map[string]bool{}
	seen := map[string]bool{}
	for _, item := range items {
		term, isOptional, why, ok := c.term(s, v, item)
		if !ok {
			continue
		}
		if seen[term.Column] {
			c.faultf(item.pos, "%s compares the column %s twice: leave one term out, or use a list operand for any of several values", name, term.Column)
			continue
		}
		seen[term.Column] = true
		if why != "" {
			m, _ := v.column(term.Column)
			vague |= m
			c.vaguef(s, item.pos, why, "the term %q", item.text)
			continue
		}
		terms = append(terms, term)
		if isOptional {
			optional[term.Column] = true
		}
	}
	slices.SortFunc(terms, func(a, b termDecl) int { return cmp.Compare(a.Column, b.Column) })
	return terms, optional, vague
}

// term compiles a term. vague says why it never has a value.
func (c *compiler) term(s site, v *View, item literal) (term termDecl, optional bool, vague string, ok bool) {
	term, err := parseTerm(item.text)
	if err != nil {
		c.faultf(item.pos, "%v", err)
		return term, false, "", false
	}
	_, leaf, ok := c.column(v, literal{term.Column, item.pos})
	if !ok {
		return term, false, "", false
	}
	if term.Contains {
		if err := containsCheck(s, leaf, term); err != nil {
			c.faultf(item.pos, "%v", err)
			return term, false, "", false
		}
	}
	if term.Operand.Kind == fromResult && len(term.Operand.Path) == 0 {
		c.faultf(item.pos, "result alone is no value in a term: name one of its fields, such as result.id")
		return term, false, "", false
	}
	end, err := c.leafPath(s, term.Operand)
	if err == nil {
		err = leafCheck(leaf, end.def, term)
	}
	if err == nil && term.Contains && hasNoText(end.def) {
		err = fmt.Errorf("the operand of contains is %s, of which servers write one value in several ways: search for a String", end.def.Name)
	}
	if err != nil {
		c.faultf(item.pos, "%v", err)
		return term, false, "", false
	}
	term.nullable = (term.Operand.Kind == fromArgs || term.Operand.Kind == fromConst) && c.nullable(v, term.Column)
	optional = end.optional || term.Operand.Kind == fromConst && term.Operand.Const.kind == valueNull
	return term, optional, c.vagueTerm(s, v, term, leaf, end.def), true
}

// where compiles the where of a directive, if there is one.
func (c *compiler) where(u use, s site, v *View) (terms []termDecl, optional map[string]bool, vague Mask) {
	items, given := u.list("where")
	if given && isEmptyList(u, "where") {
		c.faultf(u.place("where", u.value("where")), "where is an empty list: leave it out")
	}
	if len(items) > maxTerms {
		c.faultf(items[maxTerms].pos, "where has %d terms: at most %d are possible, so leave out the ones that select least", len(items), maxTerms)
		return nil, nil, 0
	}
	return c.terms(s, v, "where", items)
}

// nullable says that a column may be null in some row.
func (c *compiler) nullable(v *View, column string) bool {
	types := c.infos[v].types
	return len(types) == 0 || slices.ContainsFunc(types, func(def *ast.Definition) bool {
		end, err := c.fieldPath(def, nil, splitPath(column), "")
		return err != nil || end.optional
	})
}

func isEmptyList(u use, name string) bool {
	v := u.value(name)
	return v != nil && v.Kind == ast.ListValue && len(v.Children) == 0
}

// row compiles the row of a directive: a path to keys.
func (c *compiler) row(u use, s site) (op operandDecl, given, ok bool) {
	text, given := u.str("row")
	if !given {
		return op, u.value("row") != nil, false
	}
	op, err := parsePath(text.text)
	var end pathEnd
	if err == nil {
		end, err = c.leafPath(s, op)
	}
	if err != nil {
		c.faultf(text.pos, "%v", err)
		return op, true, false
	}
	why := c.operandChange(s, op)
	if why == "" {
		why = c.plan.rules.incomparable(end.def)
	}
	if why != "" {
		op.unknown = true
		c.vaguef(s, text.pos, why, "the row %q", text.text)
	}
	return op, true, true
}

// leafCheck says whether a constant or a path can have the values of a column. Only enums
// are checked: how scalars are written is theirs to say.
func leafCheck(column, operand *ast.Definition, term termDecl) error {
	if column == nil || column.Kind != ast.Enum {
		return nil
	}
	if operand != nil && operand.Kind == ast.Enum && operand != column {
		return fmt.Errorf("%s is of enum %s and never equals a value of %s: compare it with another path", term.Column, column.Name, operand.Name)
	}
	if term.Operand.Kind != fromConst || term.Operand.Const.kind == valueNull {
		return nil
	}
	text := term.Operand.Const.text
	if column.EnumValues.ForName(text) != nil {
		return nil
	}
	known := make([]string, len(column.EnumValues))
	for i, v := range column.EnumValues {
		known[i] = v.Name
	}
	return fmt.Errorf("enum %s of %s has no value %s: %s", column.Name, term.Column, text, suggest(text, known))
}

// containsCheck says whether a column can be searched.
func containsCheck(s site, column *ast.Definition, term termDecl) error {
	if s.write {
		return fmt.Errorf("contains is for reads: say with %s = which value the rows have", term.Column)
	}
	if column != nil && column.Kind == ast.Enum {
		return fmt.Errorf("%s is of enum %s, which is compared with = only", term.Column, column.Name)
	}
	if hasNoText(column) {
		return fmt.Errorf("%s is %s, of which servers write one value in several ways: name it in using, not in a term with contains", term.Column, column.Name)
	}
	if term.Operand.Kind == fromConst && term.Operand.Const.IsNull() {
		return errors.New("nothing contains null: leave the term out")
	}
	return nil
}

// hasNoText says that the values of a scalar have no text that every server agrees on:
// 1.50, t.
func hasNoText(def *ast.Definition) bool {
	return def != nil && (def.Name == "Float" || def.Name == "Boolean")
}
