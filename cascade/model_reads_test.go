package cascade_test

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// tableType declares the type of a table with the fields of its own row.
func (m *model) tableType(t *table) {
	head := "type " + t.name
	if t.node {
		head += " implements Node"
	}
	head += fmt.Sprintf(` @view(name: "v_%s"`, strings.ToLower(t.name))
	if t.version {
		head += `, touched: ["version"]`
	}
	if t.tenanted {
		head += `, partitioned: true, columns: ["tenant_id"]`
	}
	typ := m.typ(t.name, head+")")
	typ.add(&modelField{name: "id", typ: "ID!", resolve: func(_ map[string]any, p any) any { return p.(*rec).id }})
	for _, c := range t.columns {
		typ.add(&modelField{name: c, typ: "String", resolve: func(_ map[string]any, p any) any { return p.(*rec).text[c] }})
	}
	typ.add(&modelField{name: "n", typ: "Int", resolve: func(_ map[string]any, p any) any { return p.(*rec).n }})
	if t.version {
		typ.add(&modelField{name: "version", typ: "Int", resolve: func(_ map[string]any, p any) any { return p.(*rec).ver }})
	}
	for _, f := range t.refs {
		target := func(p any) *rec { return m.row(f.to, p.(*rec).refs[f.name]) }
		typ.add(&modelField{
			name: f.name, typ: f.to.name, directives: m.readsRow(f.to.name, "parent."+f.name+".id"),
			resolve: func(_ map[string]any, p any) any { return target(p) },
		})
		if f.withID {
			typ.add(&modelField{name: f.name + "Id", typ: "ID", resolve: func(_ map[string]any, p any) any { return p.(*rec).refs[f.name] }})
		}
		if m.chance(40, "name of") {
			typ.add(&modelField{
				name: f.name + "Name", typ: "String",
				directives: m.computed(func() string { return m.readsRow(f.to.name, "parent."+f.name+".id") }),
				resolve: func(_ map[string]any, p any) any {
					if r := target(p); r != nil {
						return fmt.Sprint(r.text["c0"], r.n)
					}
					return nil
				},
			})
		}
	}
	if m.chance(40, "label") {
		typ.add(&modelField{
			name: "label", typ: "String!", directives: m.computed(func() string { return m.readsRow(t.name, "parent.id") }),
			resolve: func(_ map[string]any, p any) any { r := p.(*rec); return fmt.Sprint(r.text, r.n) },
		})
	}
	if m.chance(40, "twins") {
		typ.add(&modelField{
			name: "twins", typ: "[" + t.name + "!]!", directives: m.reads(t.name, []string{"c0 = parent.c0"}, nil),
			resolve: func(_ map[string]any, p any) any {
				return m.visible(t, func(r *rec) bool { return r.text["c0"] == p.(*rec).text["c0"] })
			},
		})
	}
}

// A filter is a where of some read: its terms, its arguments, and what they mean.
type filter struct {
	terms []string
	args  []modelArg
	match func(args map[string]any, r *rec) bool
}

// filter makes a random filter on a table.
func (m *model) filter(t *table) filter {
	var f filter
	add := func(term string, arg *modelArg, match func(v any, r *rec) bool) {
		column := strings.Fields(term)[0]
		if slices.ContainsFunc(f.terms, func(o string) bool { return strings.Fields(o)[0] == column }) {
			return
		}
		before := f.match
		f.terms = append(f.terms, term)
		if arg != nil {
			f.args = append(f.args, *arg)
		}
		f.match = func(args map[string]any, r *rec) bool {
			if before != nil && !before(args, r) {
				return false
			}
			if arg == nil {
				return match(nil, r)
			}
			v, ok := args[arg.name]
			return !ok || v == nil || match(v, r)
		}
	}
	equal := func(column string) func(v any, r *rec) bool {
		return func(v any, r *rec) bool { return r.text[column] == v }
	}
	for range m.pick(4, "terms") {
		c := t.columns[m.pick(len(t.columns), "column")]
		switch m.pick(8, "term") {
		case 6:
			matches := m.search()
			add(c+" contains args.find_"+c, &modelArg{"find_" + c, "String", m.term}, func(v any, r *rec) bool { return matches(r.text[c], v) })
		case 7:
			matches := m.search()
			add(c+" contains args.findAny_"+c, &modelArg{"findAny_" + c, "[String!]", m.list(m.term)}, func(v any, r *rec) bool {
				return slices.ContainsFunc(listOf(v), func(term any) bool { return matches(r.text[c], term) })
			})
		case 0:
			add(c, &modelArg{c, "String", m.text}, equal(c))
		case 1:
			add(c+" = args.list_"+c, &modelArg{"list_" + c, "[String!]", m.list(m.text)}, func(v any, r *rec) bool {
				return slices.Contains(listOf(v), r.text[c])
			})
		case 2:
			add(c+" = 'x'", nil, func(_ any, r *rec) bool { return r.text[c] == "x" })
		case 3:
			add(c+" = args.must_"+c, &modelArg{"must_" + c, "String!", m.text}, equal(c))
		case 4:
			add("id = args.ids", &modelArg{"ids", "[ID!]", m.list(func() any { return m.id(t) })}, func(v any, r *rec) bool {
				return slices.ContainsFunc(listOf(v), func(id any) bool { return fmt.Sprint(id) == r.id })
			})
		default:
			if len(t.refs) > 0 {
				f := t.refs[m.pick(len(t.refs), "ref")]
				add(f.name+".id = args."+f.name, &modelArg{f.name, "ID", func() any { return m.id(f.to) }}, func(v any, r *rec) bool {
					return r.refs[f.name] != nil && fmt.Sprint(v) == r.refs[f.name]
				})
			}
		}
	}
	if f.match == nil {
		f.match = func(map[string]any, *rec) bool { return true }
	}
	return f
}

func listOf(v any) []any {
	switch v := v.(type) {
	case []any:
		return v
	case []string: // a single value that became a list
		return anys(v)
	case []map[string]any:
		return anys(v)
	case string:
		return []any{v}
	default:
		return []any{v}
	}
}

// sorting makes a random order of rows; using are the columns that it looks at.
func (m *model) sorting(t *table) (using []string, sort func([]*rec) []*rec) {
	by := func(less func(a, b *rec) int) func([]*rec) []*rec {
		return func(rows []*rec) []*rec { slices.SortStableFunc(rows, less); return rows }
	}
	switch m.pick(3, "order") {
	case 0:
		return []string{"n"}, by(func(a, b *rec) int { return cmp.Compare(a.n, b.n) })
	case 1:
		c := t.columns[len(t.columns)-1]
		return []string{c}, by(func(a, b *rec) int { return cmp.Compare(fmt.Sprint(a.text[c]), fmt.Sprint(b.text[c])) })
	}
	return nil, func(rows []*rec) []*rec { return rows }
}

func sum(rows []*rec) (n int) {
	for _, r := range rows {
		n += r.n
	}
	return n
}

func (m *model) queries(t *table) {
	q := m.types["Query"]
	low := strings.ToLower(t.name)
	key := modelArg{"id", "ID!", func() any { return m.id(t) }}
	q.add(&modelField{name: low, typ: t.name, args: []modelArg{key}, resolve: func(args map[string]any, _ any) any { return m.row(t, args["id"]) }})
	q.add(&modelField{
		name: low + "Text", typ: "String", args: []modelArg{key}, directives: m.readsRow(t.name, "args.id"),
		resolve: func(args map[string]any, _ any) any {
			if r := m.row(t, args["id"]); r != nil {
				return fmt.Sprint(r.text, r.refs)
			}
			return nil
		},
	})
	q.add(&modelField{
		name: low + "By", typ: t.name, args: []modelArg{{"c0", "String!", m.text}}, directives: m.reads(t.name, []string{"c0"}, nil),
		resolve: func(args map[string]any, _ any) any {
			if rows := m.visible(t, func(r *rec) bool { return r.text["c0"] == args["c0"] }); len(rows) > 0 {
				return rows[0]
			}
			return nil
		},
	})
	m.lists(q, t, low+"s", nil, m.filter(t))
	m.firstRows(q, t, low+"First", nil, m.filter(t))
	pageType := t.name + "Page"
	p := m.typ(pageType, "type "+pageType)
	p.add(&modelField{name: "total", typ: "Int!", resolve: func(_ map[string]any, p any) any { return len(p.(*page).rows) }})
	p.add(&modelField{name: "sum", typ: "Int!", resolve: func(_ map[string]any, p any) any { return sum(p.(*page).rows) }})
	p.add(&modelField{name: "items", typ: "[" + t.name + "!]!", resolve: func(_ map[string]any, p any) any { return p.(*page).rows }})
	p.add(&modelField{name: "first", typ: t.name, resolve: func(_ map[string]any, p any) any {
		if rows := p.(*page).rows; len(rows) > 0 {
			return rows[0]
		}
		return nil
	}})
	f := m.filter(t)
	using, sort := m.sorting(t)
	q.add(&modelField{
		name: low + "Page", typ: pageType + "!", args: f.args, directives: m.reads(t.name, f.terms, append(using, "n")),
		resolve: func(args map[string]any, _ any) any {
			rows := m.visible(t, func(r *rec) bool { return f.match(args, r) })
			return &page{pageType, sort(rows)}
		},
	})
}

// lists adds a list of rows and their number to a type. within, if not nil, bounds both
// to the parent.
func (m *model) lists(on *modelType, t *table, name string, within func(parent any, r *rec) bool, f filter, terms ...string) {
	using, sort := m.sorting(t)
	rows := func(args map[string]any, p any) []*rec {
		return m.visible(t, func(r *rec) bool { return (within == nil || within(p, r)) && f.match(args, r) })
	}
	terms = append(terms, f.terms...)
	if len(terms) > 4 {
		terms = terms[:4]
		using = t.allColumns()
	}
	on.add(&modelField{
		name: name, typ: "[" + t.name + "!]!", args: f.args, directives: m.reads(t.name, terms, using),
		resolve: func(args map[string]any, p any) any { return sort(rows(args, p)) },
	})
	counted := slices.Clone(using)
	if len(terms) < 4 {
		counted = nil
	}
	on.add(&modelField{
		name: name + "Count", typ: "Int!", args: f.args,
		directives: m.computed(func() string { return m.reads(t.name, terms, counted) }),
		resolve:    func(args map[string]any, p any) any { return len(rows(args, p)) },
	})
}

// reverse adds to the type that a reference names the rows that have it.
func (m *model) reverse(t *table, f *ref) {
	column := f.name + ".id"
	flt := m.filter(t)
	if slices.ContainsFunc(flt.terms, func(s string) bool { return strings.Fields(s)[0] == column }) {
		flt = filter{match: func(map[string]any, *rec) bool { return true }}
	}
	within := func(p any, r *rec) bool { return r.refs[f.name] == p.(*rec).id }
	m.lists(m.types[f.to.name], t, "of"+t.name+f.name, within, flt, column+" = parent.id")
	m.firstRows(m.types[f.to.name], t, "first"+t.name+f.name, within, flt, column+" = parent.id")
}

// derived adds a type with a row for each key that a reference has, and one derived from
// that.
func (m *model) derived(t *table, f *ref) {
	name := t.name + strings.ToUpper(f.name)
	withBase := m.chance(40, "base") // the sum counts the row of the key too
	row := func(key string) *agg {
		rows := m.visible(t, func(r *rec) bool { return r.refs[f.name] == key })
		if len(rows) == 0 {
			return nil
		}
		a := &agg{name, key, len(rows), sum(rows)}
		if base := f.to.rows[key]; withBase && m.sees(base) {
			a.sum += base.n
		}
		return a
	}
	all := func() (out []*agg) {
		for i := range 5 {
			if a := row(m.idAt(f.to, i)); a != nil {
				out = append(out, a)
			}
		}
		return out
	}
	edge := fmt.Sprintf(`@dependsOn(on: %q, key: "%s.id", using: ["n"])`, t.name, f.name)
	if m.level != declareAll {
		switch m.pick(3, "edge") {
		case 1:
			edge = fmt.Sprintf(`@dependsOn(on: %q, key: "%s.id")`, t.name, f.name)
		case 2:
			edge = fmt.Sprintf(`@dependsOn(on: %q)`, t.name)
		}
	}
	if withBase {
		edge += fmt.Sprintf(` @dependsOn(on: %q, key: "id", using: ["n"])`, f.to.name)
	}
	partitioned := t.tenanted && m.chance(50, "partitioned")
	key := m.viewType(name, "key", partitioned, edge)
	key.add(&modelField{name: "count", typ: "Int!", resolve: func(_ map[string]any, p any) any { return p.(*agg).count }})
	key.add(&modelField{name: "sum", typ: "Int!", resolve: func(_ map[string]any, p any) any { return p.(*agg).sum }})
	q, arg := m.types["Query"], []modelArg{{"key", "ID!", func() any { return m.id(f.to) }}}
	low := strings.ToLower(name)
	q.add(&modelField{name: low, typ: name, args: arg, resolve: func(args map[string]any, _ any) any { return row(fmt.Sprint(args["key"])) }})
	q.add(&modelField{name: low + "Board", typ: "[" + name + "!]!", directives: m.reads(name, nil, []string{"count", "sum"}), resolve: func(map[string]any, any) any { return all() }})
	m.types[f.to.name].add(&modelField{
		name: low, typ: name, directives: m.readsRow(name, "parent.id"),
		resolve: func(_ map[string]any, p any) any { return row(p.(*rec).id) },
	})
	if !m.chance(50, "transitive") {
		return
	}
	twice := m.viewType(name+"Twice", "key", partitioned && m.chance(50, "partitioned"), fmt.Sprintf(`@dependsOn(on: %q, key: "key")`, name))
	twice.add(&modelField{name: "sum", typ: "Int!", resolve: func(_ map[string]any, p any) any { return 2 * p.(*agg).sum }})
	q.add(&modelField{name: low + "Twice", typ: name + "Twice", args: arg, resolve: func(args map[string]any, _ any) any { return row(fmt.Sprint(args["key"])) }})
	top := m.viewType(name+"Top", "key", false, fmt.Sprintf(`@dependsOn(on: %q)`, name))
	top.add(&modelField{name: "sum", typ: "Int!", resolve: func(_ map[string]any, p any) any { return p.(*agg).sum }})
	q.add(&modelField{name: low + "Top", typ: name + "Top", directives: m.reads(name+"Top", nil, nil), resolve: func(map[string]any, any) any {
		var best *agg
		for _, a := range all() {
			if best == nil || a.sum > best.sum {
				best = a
			}
		}
		return best
	}})
}

func (m *model) viewType(name, key string, partitioned bool, edge string) *modelType {
	t := m.typ(name, fmt.Sprintf(`type %s @view(name: "v_%s", key: %q, partitioned: %v) %s`, name, strings.ToLower(name), key, partitioned, edge))
	t.add(&modelField{name: key, typ: "ID!", resolve: func(_ map[string]any, p any) any { return p.(*agg).key }})
	return t
}

// abstract adds an interface and a union.
func (m *model) abstract() {
	q := m.types["Query"]
	var nodes []*table
	var names []string
	for _, t := range m.tables {
		names = append(names, t.name)
		if t.node {
			nodes = append(nodes, t)
		}
	}
	if len(nodes) > 0 {
		m.typ("Node", "interface Node").add(&modelField{name: "id", typ: "ID!"})
		find := func(id any) any {
			for _, t := range nodes {
				if r := m.row(t, id); r != nil {
					return r
				}
			}
			return nil
		}
		anyID := func() any { return m.id(nodes[m.pick(len(nodes), "node")]) }
		q.add(&modelField{
			name: "node", typ: "Node", args: []modelArg{{"id", "ID!", anyID}}, directives: m.readsNode("args.id"),
			resolve: func(args map[string]any, _ any) any { return find(args["id"]) },
		})
		q.add(&modelField{
			name: "nodes", typ: "[Node]!", args: []modelArg{{"ids", "[ID!]!", m.list(anyID)}}, directives: m.readsNode("args.ids"),
			resolve: func(args map[string]any, _ any) any {
				var out []any
				for _, id := range listOf(args["ids"]) {
					out = append(out, find(id))
				}
				if out == nil {
					out = []any{}
				}
				return out
			},
		})
	}
	m.typ("Hit", "union Hit = "+strings.Join(names, " | "))
	var directives string
	for _, t := range m.tables {
		d := m.reads(t.name, []string{"c0 = args.term"}, nil)
		if d == "" {
			directives = "" // all of them or none
			break
		}
		directives += d
	}
	q.add(&modelField{
		name: "search", typ: "[Hit!]!", args: []modelArg{{"term", "String!", m.text}}, directives: directives,
		resolve: func(args map[string]any, _ any) any {
			out := []any{}
			for _, t := range m.tables {
				out = append(out, anys(m.visible(t, func(r *rec) bool { return r.text["c0"] == args["term"] }))...)
			}
			return out
		},
	})
	m.found()
}

func (m *model) readsNode(row string) string {
	if m.level == declareViews {
		return ""
	}
	return fmt.Sprintf(` @reads(view: "Node", row: %q)`, row)
}

// linked adds the fields that go through a relation without a type.
func (m *model) linked() {
	l := m.links
	m.extend = append(m.extend, `@view(name: "v_link", columns: ["a_id", "b_id"])`)
	m.types[l.a.name].add(&modelField{
		name: "linked", typ: "[" + l.b.name + "!]!", directives: m.reads("v_link", []string{"a_id = parent.id"}, []string{"b_id"}),
		resolve: func(_ map[string]any, p any) any {
			return m.visible(l.b, func(r *rec) bool { return l.rows[[2]string{p.(*rec).id, r.id}] })
		},
	})
	args := []modelArg{{"a", "ID!", func() any { return m.id(l.a) }}, {"b", "ID!", func() any { return m.id(l.b) }}}
	mut := m.types["Mutation"]
	mut.add(&modelField{
		name: "link", typ: "Boolean", args: args, directives: ` @writes(view: "v_link", op: "CREATE", set: ["a_id = args.a", "b_id = args.b"])`,
		resolve: func(args map[string]any, _ any) any {
			a, b := m.row(l.a, args["a"]), m.row(l.b, args["b"])
			if a == nil || b == nil {
				return false
			}
			l.rows[[2]string{a.id, b.id}] = true
			return true
		},
	})
	mut.add(&modelField{
		name: "unlink", typ: "Boolean", args: args, directives: ` @writes(view: "v_link", op: "DELETE", where: ["a_id = args.a", "b_id = args.b"])`,
		resolve: func(args map[string]any, _ any) any {
			delete(l.rows, [2]string{fmt.Sprint(args["a"]), fmt.Sprint(args["b"])})
			return true
		},
	})
}
