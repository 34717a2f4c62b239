package cascade

import (
	"reflect"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

var opNames = map[string]Op{"CREATE": Create, "UPDATE": Update, "DELETE": Delete, "UPSERT": Upsert, "ANY": Any}

const opList = "CREATE, UPDATE, DELETE, UPSERT or ANY"

func (c *compiler) writesOf(def *ast.Definition, f *ast.FieldDefinition, uses []use) {
	if def != c.schema.Mutation {
		c.faultf(uses[0].dir.Position, "%s.%s cannot have @%s: only fields of the mutation type write, so remove it", def.Name, f.Name, uses[0].dir.Name)
		return
	}
	m := &mutationDecl{}
	for _, u := range uses {
		if w, ok := c.write(u, site{owner: def, field: f, write: true}); ok {
			m.Writes = append(m.Writes, w)
		}
	}
	c.plan.mutations[f.Name] = m
}

func (c *compiler) write(u use, s site) (writeDecl, bool) {
	w := writeDecl{Columns: AllColumns, pos: u.dir.Position}
	op, opOK := c.op(u)
	w.Op = op
	name, ok := u.required("view")
	if !ok {
		return w, false
	}
	if w.View = c.lookupOne(name); w.View == nil {
		return w, false
	}
	if w.View.static {
		c.faultf(name.pos, "view %q is static, so nothing may write it: remove static from its %s, or this @%s", w.View.Name, c.at(dirView), u.dir.Name)
	}
	if opOK {
		c.checkOp(u, op)
	}
	if row, given, ok := c.row(u, s); ok {
		w.Row = &row
	} else if given {
		return w, false
	}
	w.Where, _, _ = c.where(u, s, w.View)
	set, _ := u.list("set")
	if isEmptyList(u, "set") {
		c.faultf(u.place("set", u.value("set")), "set is an empty list: leave it out")
	}
	w.Resolve = u.boolean("resolve")
	var vague Mask
	w.Set, _, vague = c.terms(s, w.View, "set", set)
	if items, given := u.list("fields"); given && op == Update {
		c.changedColumns(&w, s, items)
		w.Columns |= vague
	}
	return w, true
}

func (c *compiler) op(u use) (Op, bool) {
	text, ok := u.str("op")
	if !ok {
		return Any, u.value("op") == nil
	}
	op, ok := opNames[text.text]
	if !ok {
		c.faultf(text.pos, "there is no op %q: write %s", text.text, opList)
	}
	return op, ok
}

// checkOp refuses arguments that contradict the op.
func (c *compiler) checkOp(u use, op Op) {
	refuse := func(name, message string) {
		if v := u.value(name); v != nil {
			c.faultf(u.place(name, v), "%s", message)
		}
	}
	switch op {
	case Create:
		refuse("where", "rows did not exist before op CREATE: leave where out, and say in set which values they have afterwards")
	case Delete:
		refuse("set", "rows have no values after op DELETE: leave set out, and say in where which values they had")
	}
	if op != Update {
		refuse("fields", `fields is only for op "UPDATE": any other op changes every column, so leave it out`)
	}
}

// changedColumns compiles fields: columns by name, or the fields that a request sets in
// an input.
func (c *compiler) changedColumns(w *writeDecl, s site, items []literal) {
	w.Columns = w.View.touched
	for _, item := range items {
		if !strings.HasPrefix(item.text, "args.") {
			m, _, ok := c.column(w.View, item)
			if !ok {
				// A fault; widen so that nothing relies on it.
				m = AllColumns
			}
			w.Columns |= m
			continue
		}
		op, err := parsePath(item.text)
		if err != nil {
			c.faultf(item.pos, "%v", err)
			continue
		}
		end, err := c.argsPath(s.field, op.Path)
		switch {
		case err != nil:
			c.faultf(item.pos, "%v", err)
		case end.def.Kind != ast.InputObject:
			c.faultf(item.pos, "the path %s ends at %s, which has no fields: name the column that it changes, or a path to an input object", item.text, end.def.Name)
		default:
			w.ColumnsFrom = append(w.ColumnsFrom, c.columnsFrom(w.View, op.Path, end.def))
			if why := c.operandChange(s, op); why != "" {
				w.Columns = AllColumns // which fields are set is not known either
				c.vaguef(s, item.pos, why, "the path %q", item.text)
			}
		}
	}
	// A value that rows have afterwards may be new to them, unless they are known to have
	// had it.
	for _, term := range w.Set {
		if slices.ContainsFunc(w.Where, func(before termDecl) bool { return reflect.DeepEqual(before, term) }) {
			continue
		}
		m, _ := w.View.column(term.Column)
		w.Columns |= m
	}
}

// columnsFrom maps the fields of an input to columns. Fields that match none change
// anything.
func (c *compiler) columnsFrom(v *View, path []string, input *ast.Definition) columnsFrom {
	from := columnsFrom{path: path, masks: map[string]Mask{}, columns: map[string]string{}, defaults: map[string]Value{}}
	for _, f := range input.Fields {
		if f.DefaultValue != nil {
			v, _ := f.DefaultValue.Value(nil)
			from.defaults[f.Name] = ValueOf(v)
		}
		var found Mask
		names := []string{f.Name}
		if prefix, ok := strings.CutSuffix(f.Name, "Id"); ok && prefix != "" {
			names = append(names, prefix+".id")
		}
		for _, name := range names {
			m, leaf, err := c.findColumn(v, name)
			def := c.schema.Types[f.Type.Name()]
			if err != nil {
				continue
			}
			// A type may have both authorId and author.id: then both change.
			found |= m
			// Only a single value of a fitting type is the new value of its column.
			if from.columns[f.Name] == "" && f.Type.Elem == nil && def.IsLeafType() && leafCheck(leaf, def, termDecl{Operand: operandDecl{Kind: fromArgs}}) == nil && !c.vagueInput(input, f, def) {
				from.columns[f.Name] = name
			}
		}
		if found == 0 {
			found = AllColumns
		}
		from.masks[f.Name] = found
	}
	return from
}
