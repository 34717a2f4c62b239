package cascade_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/cascadeql/cascadeql/cascade"
)

// writes writes one @writes, or nothing where the schema says nothing.
func (m *model) writes(view, op string, parts ...string) string {
	if m.level == declareViews {
		return ""
	}
	text := fmt.Sprintf(` @writes(view: %q, op: %q`, view, op)
	for _, p := range parts {
		if p != "" {
			text += ", " + p
		}
	}
	return text + ")"
}

// maybe leaves out a part of a declaration.
func (m *model) maybe(part string) string {
	if m.level == declareSome && m.chance(35, "left out") {
		return ""
	}
	return part
}

// some leaves out some items of a list.
func (m *model) some(name string, items []string) string {
	if m.level == declareSome {
		items = slices.DeleteFunc(slices.Clone(items), func(string) bool { return m.chance(35, "left out") })
	}
	if len(items) == 0 {
		return ""
	}
	return name + ": " + quoteList(items)
}

func (m *model) undeclared() bool { return m.level == declareSome && m.chance(8, "undeclared") }

// touch notes a write of a row.
func (r *rec) touch() {
	if r.table.version {
		r.ver++
	}
}

func (m *model) report(t *table, id, column string, before, after any) {
	r, ok := m.plan.NewReport(t.name, cascade.ValueOf(id), column, cascade.ValueOf(before), cascade.ValueOf(after))
	if !ok {
		return // a column that the schema never names
	}
	r.Root = m.root
	if m.chance(30, "root unknown") {
		r.Root = ""
	}
	m.reports = append(m.reports, r)
}

// change writes columns of a row, as the resolver of an update does, and reports it at
// random.
func (m *model) change(r *rec, text map[string]any, refs map[string]any, n *int) {
	report := m.chance(40, "report")
	changed := false
	for c, v := range text {
		if report {
			m.report(r.table, r.id, c, r.text[c], v)
		}
		changed = changed || r.text[c] != v
		r.text[c] = v
	}
	for c, v := range refs {
		if report {
			m.report(r.table, r.id, c+".id", r.refs[c], v)
		}
		changed = changed || r.refs[c] != v
		r.refs[c] = v
	}
	if n != nil {
		changed = changed || r.n != *n
		r.n = *n
	}
	switch {
	case changed, !report:
		r.touch()
	default:
		m.report(r.table, r.id, "", nil, nil)
	}
}

// inputType declares the fields of an input that creates or updates rows. read returns
// what of it is set.
func (m *model) inputType(t *table, name string, withDefault bool) (arg modelArg, columns []string, read func(map[string]any) (text, refs map[string]any, n *int)) {
	typ := m.typ(name, "input "+name)
	values := map[string]func() any{"n": func() any { return m.pick(3, "n") }}
	typ.add(&modelField{name: "n", typ: "Int"})
	columns = []string{"n"}
	defaults := map[string]any{}
	for i, c := range t.columns {
		text := "String"
		if withDefault && i == 0 {
			text, defaults[c] = `String = "y"`, "y"
		}
		typ.add(&modelField{name: c, typ: text})
		values[c] = m.textOrNull
		columns = append(columns, c)
	}
	for _, f := range t.refs {
		typ.add(&modelField{name: f.name + "Id", typ: "ID"})
		values[f.name+"Id"] = func() any { return m.idOrNull(f.to) }
		columns = append(columns, f.columns()...)
	}
	arg = modelArg{"input", name, func() any {
		v := map[string]any{}
		for _, f := range typ.fields {
			if m.chance(45, "set") {
				v[f.name] = values[f.name]()
			}
		}
		return v
	}}
	read = func(in map[string]any) (text, refs map[string]any, n *int) {
		text, refs = map[string]any{}, map[string]any{}
		if in == nil {
			return text, refs, nil
		}
		for c, v := range defaults {
			text[c] = v
		}
		for _, c := range t.columns {
			if v, ok := in[c]; ok {
				text[c] = v
			}
		}
		for _, f := range t.refs {
			if v, ok := in[f.name+"Id"]; ok {
				if v != nil {
					v = fmt.Sprint(v)
				}
				refs[f.name] = v
			}
		}
		if v, ok := in["n"]; ok && v != nil {
			var i int
			if _, err := fmt.Sscan(fmt.Sprint(v), &i); err != nil {
				panic(err) // the model writes integers only
			}
			n = &i
		}
		return text, refs, n
	}
	return arg, columns, read
}

func inputOf(args map[string]any) map[string]any {
	in, _ := args["input"].(map[string]any)
	return in
}

func (m *model) mutations(t *table) {
	m.create(t)
	m.createMany(t)
	m.update(t)
	m.delete(t)
	m.bulk(t)
	m.move(t)
	if t.tenanted {
		m.setTenant(t)
	}
}

func (m *model) create(t *table) {
	arg, _, read := m.inputType(t, "Create"+t.name, m.chance(30, "default"))
	set := []string{}
	for _, c := range t.columns {
		set = append(set, c+" = args.input."+c)
	}
	for _, f := range t.refs {
		set = append(set, f.name+".id = args.input."+f.name+"Id")
	}
	if len(set) > 0 && m.chance(50, "no set") {
		set = nil // the result shows it
	}
	directives := m.writes(t.name, "CREATE", m.some("set", set), m.maybe(`row: "result.id"`))
	if m.undeclared() {
		directives = ""
	}
	m.types["Mutation"].add(&modelField{
		name: "create" + t.name, typ: t.name, args: []modelArg{arg}, directives: directives,
		resolve: func(args map[string]any, _ any) any {
			text, refs, n := read(inputOf(args))
			if r := m.insert(t, text, refs, n); r != nil {
				return r
			}
			return nil
		},
	})
}

// insert adds a row with the first key that is free; nil when there is none.
func (m *model) insert(t *table, text, refs map[string]any, n *int) *rec {
	for i := range 5 {
		id := m.idAt(t, i)
		if t.rows[id] != nil {
			continue
		}
		r := m.newRec(t, id)
		if t.tenanted {
			r.tenant = m.caller
		}
		maps.Copy(r.text, text)
		maps.Copy(r.refs, refs)
		if n != nil {
			r.n = *n
		}
		t.rows[id] = r
		return r
	}
	return nil
}

func (m *model) update(t *table) {
	arg, columns, read := m.inputType(t, "Update"+t.name, m.chance(30, "default"))
	fields := `fields: ["args.input"]`
	if m.level == declareSome && m.chance(30, "list the columns") {
		fields = "fields: " + quoteList(columns)
	}
	payload := m.chance(30, "payload")
	typ, row := t.name, "args.id"
	if payload {
		typ = t.name + "Payload"
		m.typ(typ, "type "+typ).add(&modelField{name: "row", typ: t.name, resolve: func(_ map[string]any, p any) any {
			if rows := p.(*page).rows; len(rows) > 0 {
				return rows[0]
			}
			return nil
		}})
		if m.chance(60, "row of the result") {
			row = "result.row.id"
		}
	}
	key := modelArg{"id", "ID!", func() any { return m.id(t) }}
	directives := m.writes(t.name, "UPDATE", m.maybe(`row: "`+row+`"`), m.maybe(fields))
	if m.undeclared() {
		directives = ""
	}
	m.types["Mutation"].add(&modelField{
		name: "update" + t.name, typ: typ, args: []modelArg{key, arg}, directives: directives,
		resolve: func(args map[string]any, _ any) any {
			r := m.row(t, args["id"])
			if r != nil {
				text, refs, n := read(inputOf(args))
				m.change(r, text, refs, n)
			}
			if !payload {
				return r
			}
			p := &page{typ: typ}
			if r != nil {
				p.rows = []*rec{r}
			}
			return p
		},
	})
	upsertFields := m.some("set", []string{"c0"})
	m.types["Mutation"].add(&modelField{
		name: "upsert" + t.name, typ: t.name, args: []modelArg{key, {"c0", "String", m.textOrNull}},
		directives: m.writes(t.name, "UPSERT", m.maybe(`row: "args.id"`), upsertFields),
		resolve: func(args map[string]any, _ any) any {
			id := fmt.Sprint(args["id"])
			r := t.rows[id]
			if r == nil {
				r = m.newRec(t, id)
				if t.tenanted {
					r.tenant = m.caller
				}
				t.rows[id] = r
			} else if !m.sees(r) {
				return nil
			}
			r.text["c0"] = args["c0"]
			r.touch()
			return r
		},
	})
}

func (m *model) delete(t *table) {
	directives := m.writes(t.name, "DELETE", m.maybe(`row: "args.id"`))
	type dependent struct {
		table *table
		ref   *ref
	}
	var dependents []dependent
	for _, s := range m.tables {
		for _, f := range s.refs {
			if f.to != t || f.onDelete == deleteDangles || s == t {
				continue
			}
			dependents = append(dependents, dependent{s, f})
			where := m.maybe(fmt.Sprintf(`where: ["%s.id = args.id"]`, f.name))
			if f.onDelete == deleteCascades {
				directives += m.writes(s.name, "DELETE", where)
			} else {
				directives += m.writes(s.name, "UPDATE", where, m.maybe(fmt.Sprintf(`set: ["%s.id = null"]`, f.name)), "fields: "+quoteList(f.columns()))
			}
		}
	}
	if l := m.links; l != nil && l.a == t {
		directives += m.writes("v_link", "DELETE", m.maybe(`where: ["a_id = args.id"]`))
	}
	if l := m.links; l != nil && l.b == t {
		directives += m.writes("v_link", "DELETE", m.maybe(`where: ["b_id = args.id"]`))
	}
	if m.undeclared() {
		directives = ""
	}
	m.types["Mutation"].add(&modelField{
		name: "delete" + t.name, typ: t.name, args: []modelArg{{"id", "ID!", func() any { return m.id(t) }}}, directives: directives,
		resolve: func(args map[string]any, _ any) any {
			r := m.row(t, args["id"])
			if r == nil {
				return nil
			}
			shown := r.clone()
			changed := map[*table][]*rec{t: {r}}
			for _, d := range dependents {
				for _, s := range m.visible(d.table, func(s *rec) bool { return s.refs[d.ref.name] == r.id }) {
					changed[d.table] = append(changed[d.table], s)
					if d.ref.onDelete == deleteCascades {
						m.remove(s)
					} else {
						s.refs[d.ref.name] = nil
						s.touch()
					}
				}
			}
			m.remove(r)
			for _, d := range m.tables {
				if rows := changed[d]; rows != nil || slices.ContainsFunc(dependents, func(e dependent) bool { return e.table == d }) {
					m.rowsReport(d, rows)
				}
			}
			for c, v := range r.text {
				m.movedAll(t, c, v, nil) // of a row that is gone only the old value counts
			}
			return shown
		},
	})
}

// remove deletes a row. Its links go only with a table's own deletion: otherwise they
// dangle.
func (m *model) remove(r *rec) {
	delete(r.table.rows, r.id)
	if l := m.links; l != nil && strings.TrimPrefix(m.running, "delete") == r.table.name {
		for k := range l.rows {
			if l.a == r.table && k[0] == r.id || l.b == r.table && k[1] == r.id {
				delete(l.rows, k)
			}
		}
	}
}

func (m *model) bulk(t *table) {
	mut := m.types["Mutation"]
	ids := modelArg{"ids", "[ID!]!", m.list(func() any { return m.id(t) })}
	mut.add(&modelField{
		name: "setAll" + t.name, typ: "Int", args: []modelArg{ids, {"c0", "String", m.textOrNull}},
		directives: m.writes(t.name, "UPDATE", m.maybe(`row: "args.ids"`), m.some("set", []string{"c0"}), m.maybe(`fields: ["c0"]`)),
		resolve: func(args map[string]any, _ any) any {
			rows := m.visible(t, func(r *rec) bool {
				return slices.ContainsFunc(listOf(args["ids"]), func(id any) bool { return fmt.Sprint(id) == r.id })
			})
			for _, r := range rows {
				if len(rows) == 1 {
					m.movedAll(t, "c0", r.text["c0"], args["c0"])
				}
				r.text["c0"] = args["c0"]
				r.touch()
			}
			m.rowsReport(t, rows)
			return len(rows)
		},
	})
	mut.add(&modelField{
		name: "recolor" + t.name, typ: "[" + t.name + "!]", args: []modelArg{{"old", "String!", m.text}, {"c0", "String", m.textOrNull}},
		directives: m.writes(t.name, "UPDATE", m.some("where", []string{"c0 = args.old"}), m.maybe(`row: "result.id"`), m.some("set", []string{"c0"}), m.maybe(`fields: ["c0"]`)),
		resolve: func(args map[string]any, _ any) any {
			rows := m.visible(t, func(r *rec) bool { return r.text["c0"] == args["old"] })
			for _, r := range rows {
				m.change(r, map[string]any{"c0": args["c0"]}, nil, nil)
			}
			m.rowsReport(t, rows)
			m.movedAll(t, "c0", args["old"], args["c0"])
			return rows
		},
	})
	mut.add(&modelField{
		name: "bump" + t.name, typ: t.name, args: []modelArg{{"id", "ID!", func() any { return m.id(t) }}},
		directives: m.writes(t.name, "UPDATE", m.maybe(`row: "args.id"`), m.maybe(`fields: ["n"]`)),
		resolve: func(args map[string]any, _ any) any {
			r := m.row(t, args["id"])
			if r != nil {
				n := r.n + 1
				m.change(r, nil, nil, &n)
			}
			return r
		},
	})
	c := t.columns[m.pick(len(t.columns), "column")]
	mut.add(&modelField{
		name: "purge" + t.name, typ: "Int", args: []modelArg{{"values", "[String!]!", m.list(m.text)}},
		directives: m.writes(t.name, "DELETE", m.some("where", []string{c + " = args.values"})),
		resolve: func(args map[string]any, _ any) any {
			rows := m.visible(t, func(r *rec) bool { return slices.Contains(listOf(args["values"]), r.text[c]) })
			for _, r := range rows {
				m.remove(r)
				if len(rows) == 1 {
					m.movedAll(t, c, r.text[c], nil)
				}
			}
			m.rowsReport(t, rows)
			return len(rows)
		},
	})
}

func (m *model) move(t *table) {
	for _, f := range t.refs {
		m.types["Mutation"].add(&modelField{
			name: "move" + t.name + f.name, typ: t.name, args: []modelArg{{"id", "ID!", func() any { return m.id(t) }}, {"to", "ID", func() any { return m.idOrNull(f.to) }}},
			directives: m.writes(t.name, "UPDATE", m.maybe(`row: "args.id"`), m.some("set", []string{f.name + ".id = args.to"}), m.maybe("fields: "+quoteList(f.columns()))),
			resolve: func(args map[string]any, _ any) any {
				r := m.row(t, args["id"])
				if r != nil {
					to := args["to"]
					if to != nil {
						to = fmt.Sprint(to)
					}
					m.change(r, nil, map[string]any{f.name: to}, nil)
				}
				return r
			},
		})
	}
}

// setTenant moves a row to another tenant. Only a caller outside of all may.
func (m *model) setTenant(t *table) {
	m.types["Mutation"].add(&modelField{
		name: "setTenant" + t.name, typ: "Boolean", args: []modelArg{{"id", "ID!", func() any { return m.id(t) }}, {"tenant", "String!", func() any { return tenants[m.pick(3, "tenant")] }}},
		directives: m.writes(t.name, "UPDATE", m.maybe(`row: "args.id"`), m.maybe(`fields: ["tenant_id"]`)),
		resolve: func(args map[string]any, _ any) any {
			r := m.row(t, args["id"])
			if r == nil || m.caller != "" {
				return false
			}
			r.tenant = args["tenant"].(string)
			r.touch()
			return true
		},
	})
}
