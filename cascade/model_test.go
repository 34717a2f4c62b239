package cascade_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"pgregory.net/rapid"

	"github.com/cascadeql/cascadeql/cascade"
)

// A level says how much of what is true the schema of a model declares.
type level int

const (
	declareAll   level = iota // everything, exactly
	declareSome               // parts are left out or said more widely
	declareViews              // @view only
)

func (l level) String() string { return [...]string{"everything", "something", "views only"}[l] }

// A model is a random schema over a random small database, with resolvers for both. What
// its directives say is true of what its resolvers do.
type model struct {
	rt      *rapid.T
	scatter uint64
	level   level
	tables  []*table
	links   *linkTable // between the first and the last table; nil without
	types   map[string]*modelType
	order   []string // of types
	extend  []string // directives on the schema

	// lenient says that clients spell keys and values as they like; meant are the values
	// of such spellings.
	lenient bool
	means   map[string]string

	// Of the operation that runs:
	caller  string // tenant; "" sees everything
	root    string // response name of the mutation's field
	running string // its name
	roots   int    // how many have run
	reports []cascade.Report
	plan    *cascade.Plan
	created int // rows so far
}

type table struct {
	name     string
	columns  []string // text columns that may be null; all have a number n
	refs     []*ref
	version  bool // touched
	tenanted bool
	node     bool
	rows     map[string]*rec
}

// A ref is a column with the key of another table's row.
type ref struct {
	name     string // field of the object; the column is name.id
	to       *table
	withID   bool // the type has the field nameId too
	onDelete int  // of the row it names
}

const (
	deleteDangles = iota
	deleteCascades
	deleteClears
)

type rec struct {
	table  *table
	id     string
	text   map[string]any // by column, nil or string
	refs   map[string]any // by ref, nil or the key
	n      int
	ver    int
	seq    int // order of creation
	tenant string
}

func (r *rec) clone() *rec {
	c := *r
	c.text, c.refs = maps.Clone(r.text), maps.Clone(r.refs)
	return &c
}

func (r *rec) String() string {
	return fmt.Sprintf("%s:%s %v %v n=%d v%d %s", r.table.name, r.id, r.text, r.refs, r.n, r.ver, r.tenant)
}

// A linkTable is a relation without a type.
type linkTable struct {
	a, b *table
	rows map[[2]string]bool
}

// agg is a row of a derived type, page an object without a row.
type (
	agg struct {
		typ, key   string
		count, sum int
	}
	page struct {
		typ  string
		rows []*rec
	}
)

func typeName(v any) string {
	switch v := v.(type) {
	case *rec:
		return v.table.name
	case *agg:
		return v.typ
	default:
		return v.(*page).typ
	}
}

type modelType struct {
	head   string
	fields []*modelField
	byName map[string]*modelField
	// windows are the fields that show the first rows of a set: asked for more often than
	// others.
	windows []*modelField
}

type modelField struct {
	name, typ, directives string
	args                  []modelArg
	resolve               func(args map[string]any, parent any) any
}

type modelArg struct {
	name, typ string
	value     func() any // nil, string, int, []any or map[string]any
}

func (m *model) chance(percent int, what string) bool { return m.pick(100, what) >= 100-percent }

// pick draws a number below n. rapid prefers small numbers, so that what needs several
// large ones hardly ever comes: every other model scatters them, at the price of larger
// counterexamples.
func (m *model) pick(n int, what string) int {
	i := rapid.IntRange(0, n-1).Draw(m.rt, what)
	if m.scatter&1 == 0 {
		return i
	}
	m.scatter += 0x9e3779b97f4a7c16 // even: it stays odd
	x := m.scatter
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return int((uint64(i) + (x ^ x>>31)) % uint64(n))
}

func (m *model) typ(name, head string) *modelType {
	t := m.types[name]
	if t == nil {
		t = &modelType{head: head, byName: map[string]*modelField{}}
		m.types[name] = t
		m.order = append(m.order, name)
	}
	return t
}

func (t *modelType) add(f *modelField) {
	t.fields = append(t.fields, f)
	t.byName[f.name] = f
	if slices.ContainsFunc(f.args, func(a modelArg) bool { return a.name == "limit" }) {
		t.windows = append(t.windows, f)
	}
}

func (m *model) resolve(typ, field string, args map[string]any, parent any) any {
	if typ == "Mutation" { // its fields run one after the other
		m.root, m.running = fmt.Sprintf("m%d", m.roots), field
		m.roots++
	}
	v := m.types[typ].byName[field].resolve(m.meant(args).(map[string]any), parent)
	switch v := v.(type) {
	case *rec:
		if v == nil {
			return nil
		}
	case *agg:
		if v == nil {
			return nil
		}
	case []*rec:
		return anys(v)
	case []*agg:
		return anys(v)
	}
	return v
}

func anys[T any](list []T) []any {
	out := make([]any, len(list))
	for i, e := range list {
		out[i] = e
	}
	return out
}

// visible returns the rows that the caller sees, by key.
func (m *model) visible(t *table, match func(*rec) bool) []*rec {
	var out []*rec
	for _, id := range slices.Sorted(maps.Keys(t.rows)) {
		if r := t.rows[id]; m.sees(r) && (match == nil || match(r)) {
			out = append(out, r)
		}
	}
	return out
}

func (m *model) sees(r *rec) bool {
	return r != nil && (m.caller == "" || !r.table.tenanted || r.tenant == m.caller)
}

func (m *model) row(t *table, id any) *rec {
	s, _ := id.(string)
	if n, isInt := id.(int64); isInt {
		s = fmt.Sprint(n)
	}
	if r := t.rows[s]; m.sees(r) {
		return r
	}
	return nil
}

func newModel(rt *rapid.T, l level) *model {
	m := &model{rt: rt, level: l, types: map[string]*modelType{}, scatter: rapid.Uint64().Draw(rt, "scatter")}
	m.lenient, m.means = m.chance(50, "lenient"), map[string]string{}
	m.typ("Query", "type Query")
	m.typ("Mutation", "type Mutation")
	for i := range 1 + m.pick(3, "tables") {
		t := &table{name: string(rune('A' + i)), rows: map[string]*rec{}}
		t.columns = []string{"c0", "c1"}[:1+m.pick(2, "columns")]
		t.version, t.tenanted, t.node = m.chance(50, "version"), m.chance(30, "tenanted"), m.chance(50, "node")
		m.tables = append(m.tables, t)
	}
	for i, t := range m.tables {
		for range m.pick(3, "refs") {
			t.refs = append(t.refs, &ref{
				name: "r" + fmt.Sprint(len(t.refs)), to: m.tables[m.pick(len(m.tables), "target")],
				withID: m.chance(30, "withID"), onDelete: m.pick(3, "onDelete"),
			})
		}
		_ = i
	}
	if m.chance(40, "links") {
		m.links = &linkTable{m.tables[0], m.tables[len(m.tables)-1], map[[2]string]bool{}}
	}
	m.fill()
	for _, t := range m.tables {
		m.tableType(t)
	}
	for _, t := range m.tables {
		m.queries(t)
		m.mutations(t)
		for _, r := range t.refs {
			m.reverse(t, r)
			if m.chance(60, "derived") {
				m.derived(t, r)
			}
		}
	}
	m.abstract()
	if m.links != nil {
		m.linked()
	}
	return m
}

var texts = []any{"x", "y", "z"}

func (m *model) text() any {
	if m.chance(30, "long") {
		return longTexts[m.pick(len(longTexts), "long text")]
	}
	return texts[m.pick(len(texts), "text")]
}

func (m *model) textOrNull() any {
	if m.chance(20, "null") {
		return nil
	}
	return m.text()
}

func (m *model) id(t *table) any { return m.idAt(t, m.pick(5, "id")) }

func (m *model) idAt(t *table, i int) string {
	if t.node {
		return t.name + fmt.Sprint(i)
	}
	return fmt.Sprint(i)
}

func (m *model) idOrNull(t *table) any {
	if m.chance(20, "null") {
		return nil
	}
	return m.id(t)
}

func (m *model) list(one func() any) func() any {
	return func() any {
		out := make([]any, m.pick(3, "length"))
		for i := range out {
			out[i] = one()
		}
		return out
	}
}

var tenants = []string{"", "t1", "t2"}

func (m *model) fill() {
	for _, t := range m.tables {
		rows := m.pick(5, "rows")
		if m.chance(60, "many rows") {
			rows = 5
		}
		for i := range rows {
			r := m.newRec(t, m.idAt(t, i))
			for _, c := range t.columns {
				r.text[c] = m.textOrNull()
			}
			for _, f := range t.refs {
				r.refs[f.name] = m.idOrNull(f.to)
			}
			r.n = m.pick(3, "n")
			if t.tenanted {
				r.tenant = tenants[m.pick(3, "tenant")]
			}
			t.rows[r.id] = r
		}
	}
	if l := m.links; l != nil {
		for range m.pick(4, "links") {
			a, b := m.id(l.a).(string), m.id(l.b).(string)
			if l.a.rows[a] != nil && l.b.rows[b] != nil {
				l.rows[[2]string{a, b}] = true
			}
		}
	}
}

func (m *model) newRec(t *table, id string) *rec {
	m.created++
	r := &rec{table: t, id: id, text: map[string]any{}, refs: map[string]any{}, seq: m.created}
	for _, c := range t.columns {
		r.text[c] = nil
	}
	for _, f := range t.refs {
		r.refs[f.name] = nil
	}
	return r
}

func quoteList(items []string) string {
	quoted := make([]string, len(items))
	for i, s := range items {
		quoted[i] = `"` + s + `"`
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}

// allColumns are the columns of a table as directives name them.
func (t *table) allColumns() []string {
	out := append([]string{"n"}, t.columns...)
	for _, f := range t.refs {
		out = append(out, f.columns()...)
	}
	return out
}

// columns are the names of a reference's column: the path, and the field that shows the
// same.
func (f *ref) columns() []string {
	if f.withID {
		return []string{f.name + ".id", f.name + "Id"}
	}
	return []string{f.name + ".id"}
}

// reads writes one @reads that is true: the rows of terms, with the columns that decide
// besides.
func (m *model) reads(view string, terms, using []string) string {
	mode := 0
	switch m.level {
	case declareViews:
		return ""
	case declareSome:
		mode = m.pick(8, "reads")
	}
	var column = func(term string) string { return strings.Fields(term)[0] }
	switch {
	case mode == 1:
		return ""
	case mode == 2:
		return fmt.Sprintf(` @reads(view: %q%s)`, view, whereText(terms))
	case mode == 3:
		return fmt.Sprintf(` @reads(view: %q)`, view)
	case mode == 4 && len(terms) > 0:
		i := m.pick(len(terms), "dropped")
		using = append(slices.Clone(using), column(terms[i]))
		terms = slices.Delete(slices.Clone(terms), i, i+1)
	}
	return fmt.Sprintf(` @reads(view: %q%s, using: %s)`, view, whereText(terms), quoteList(using))
}

func whereText(terms []string) string {
	if len(terms) == 0 {
		return ""
	}
	return ", where: " + quoteList(terms)
}

func (m *model) readsRow(view, row string) string {
	switch {
	case m.level == declareViews:
		return ""
	case m.level == declareSome && m.chance(15, "row left out"):
		return ""
	case m.level == declareSome && m.chance(15, "row widened"):
		return fmt.Sprintf(` @reads(view: %q)`, view)
	}
	return fmt.Sprintf(` @reads(view: %q, row: %q)`, view, row)
}

// computed writes the @reads of a scalar that is no column. @view promises that scalars
// without one are.
func (m *model) computed(reads func() string) string {
	for range 100 {
		if d := reads(); d != "" || m.level == declareViews {
			return d
		}
	}
	panic("no @reads in a hundred draws")
}

// sdl writes the schema.
func (m *model) sdl() string {
	var b strings.Builder
	for _, e := range m.extend {
		b.WriteString("extend schema " + e + "\n")
	}
	b.WriteString("schema { query: Query mutation: Mutation }\n")
	for _, name := range m.order {
		t := m.types[name]
		b.WriteString(t.head)
		if strings.HasPrefix(t.head, "union") {
			b.WriteString("\n")
			continue
		}
		b.WriteString(" {\n")
		for _, f := range t.fields {
			b.WriteString("  " + f.name)
			var args []string
			for _, a := range f.args {
				args = append(args, a.name+": "+a.typ)
			}
			if len(args) > 0 {
				b.WriteString("(" + strings.Join(args, ", ") + ")")
			}
			b.WriteString(": " + f.typ + f.directives + "\n")
		}
		b.WriteString("}\n")
	}
	return b.String()
}

// dump writes the database.
func (m *model) dump() string {
	var b strings.Builder
	for _, t := range m.tables {
		for _, id := range slices.Sorted(maps.Keys(t.rows)) {
			fmt.Fprintln(&b, t.rows[id])
		}
	}
	if m.links != nil {
		fmt.Fprintln(&b, "links", m.links.rows)
	}
	return b.String()
}
