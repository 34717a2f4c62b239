package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// A chooser picks a number below n: a seeded source, or one that rapid can shrink.
type chooser interface{ IntN(n int) int }

// A generator makes random documents of a schema over the rows of a world.
type generator struct {
	chooser
	schema *ast.Schema
	world  *world

	// of the document at hand
	doc     *doc
	memo    map[string][]arg // arguments of fields without an alias: they merge
	aliases int
	budget  int
}

func (g *generator) chance(percent int) bool { return g.IntN(100) >= 100-percent }

func pick[T any](c chooser, list []T) T { return list[c.IntN(len(list))] }

func (g *generator) begin(kind string) {
	g.doc = &doc{kind: kind}
	g.memo = map[string][]arg{}
	g.aliases = 0
	g.budget = 14
	if g.chance(20) {
		g.doc.name = pick(g, []string{"A", "Q", "query", "on", "Main"})
	}
	if g.chance(5) {
		g.doc.others = []string{"query Other{tags{id}}"}
	}
}

// query makes a query with one to three root fields.
func (g *generator) query() *doc {
	g.begin("query")
	for range 1 + max(0, g.IntN(5)-2) {
		f := pick(g, g.schema.Query.Fields)
		for strings.HasPrefix(f.Name, "__") {
			f = pick(g, g.schema.Query.Fields)
		}
		g.doc.root = append(g.doc.root, g.decorate("Query", g.field(g.schema.Query, f, 4))...)
	}
	if g.chance(3) {
		g.doc.root = append(g.doc.root, &sel{field: "__typename"})
	}
	if g.chance(1) {
		g.doc.root = append(g.doc.root, &sel{field: "__type", args: []arg{{"name", text("Post")}}, sub: []*sel{{field: "name"}}})
	}
	return g.doc
}

// field makes a field with arguments and a selection up to the depth.
func (g *generator) field(on *ast.Definition, f *ast.FieldDefinition, depth int) *sel {
	s := &sel{field: f.Name}
	g.budget--
	key := on.Name + "." + f.Name
	switch {
	case g.chance(25):
		s.alias = fmt.Sprintf("a%d", g.aliases)
		g.aliases++
		s.args = g.args(f)
	case g.chance(1):
		s.alias = pick(g, []string{"id", "__typename2", "name", "data", "title", "authorId", "_k"})
		s.args = g.args(f)
	default:
		if _, ok := g.memo[key]; !ok {
			g.memo[key] = g.args(f)
		}
		s.args = g.memo[key]
	}
	if t := g.schema.Types[f.Type.Name()]; t.IsCompositeType() {
		s.sub = g.selection(t, depth-1)
	}
	return s
}

// selection makes a selection set. It is never empty.
func (g *generator) selection(t *ast.Definition, depth int) []*sel {
	var list []*sel
	if t.IsAbstractType() {
		if g.chance(60) {
			list = append(list, &sel{field: "__typename"})
		}
		if t.Kind == ast.Interface && g.chance(60) {
			list = append(list, &sel{field: "id"})
		}
		for _, p := range g.schema.PossibleTypes[t.Name] {
			if g.chance(60) {
				list = append(list, g.decorate(p.Name, &sel{on: p.Name, sub: g.selection(p, depth)})...)
			}
		}
	} else {
		for range 1 + g.IntN(4) {
			f := pick(g, t.Fields)
			if g.schema.Types[f.Type.Name()].IsCompositeType() && (depth <= 0 || g.budget <= 0) {
				f = t.Fields[0]
				if g.schema.Types[f.Type.Name()].IsCompositeType() {
					continue
				}
			}
			list = append(list, g.decorate(t.Name, g.field(t, f, depth))...)
		}
		if id := t.Fields.ForName("id"); id != nil && g.chance(40) {
			list = append(list, &sel{field: "id"})
		}
		if g.chance(15) {
			list = append(list, &sel{field: "__typename"})
		}
	}
	if len(list) == 0 {
		list = append(list, &sel{field: "__typename"})
	}
	return list
}

// decorate repeats a selection, wraps it in fragments, or puts conditions on it.
func (g *generator) decorate(on string, s *sel) []*sel {
	list := []*sel{s}
	if g.chance(6) {
		again := *s
		if s.sub != nil && s.field != "" {
			def := g.schema.Types[on].Fields.ForName(s.field)
			again.sub = g.selection(g.schema.Types[def.Type.Name()], 1)
		}
		list = append(list, &again)
	}
	if g.chance(6) {
		list[0].conds = append(list[0].conds, cond{pick(g, []string{"skip", "include"}), g.boolean()})
	}
	switch n := g.IntN(100); {
	case n < 80:
		return list
	case n < 85:
		return []*sel{{sub: list}}
	case n < 90:
		return []*sel{{on: on, sub: list}}
	}
	// a named fragment, sometimes one that exists
	if g.chance(30) {
		for _, f := range g.doc.frags {
			if f.on == on {
				return append(list, &sel{frag: f})
			}
		}
	}
	f := &frag{on: on, sub: list}
	g.doc.frags = append(g.doc.frags, f)
	spread := &sel{frag: f}
	if g.chance(10) {
		spread.conds = []cond{{"include", g.boolean()}}
	}
	return []*sel{spread}
}

func (g *generator) boolean() value {
	b := strconv.FormatBool(g.chance(60))
	return g.form(value{lit: b, js: b, typ: "Boolean!"}, false)
}

// args chooses arguments for a query field; optional ones may be left out.
func (g *generator) args(f *ast.FieldDefinition) []arg {
	var list []arg
	for _, a := range f.Arguments {
		optional := !a.Type.NonNull || a.DefaultValue != nil
		if optional && g.chance(60) {
			continue
		}
		list = append(list, arg{a.Name, g.value(f.Name, a, optional)})
	}
	return list
}

func (g *generator) value(field string, a *ast.ArgumentDefinition, optional bool) value {
	v := value{typ: a.Type.String()}
	switch a.Type.Name() {
	case "ID":
		v.lit, v.js = g.id(field, a.Name)
	case "Int":
		v.lit = pick(g, []string{"20", "3", "2", "1", "0", "5", "1000", "-1"})
		v.js = v.lit
		if g.chance(2) {
			v.js = v.lit + ".0"
		}
	case "PostStatus":
		v.lit = pick(g, []string{"PUBLISHED", "DRAFT", "ARCHIVED"})
		v.js = strconv.Quote(v.lit)
		if g.chance(1) {
			v.lit, v.js = "NOPE", `"NOPE"`
		}
	case "String":
		if a.Name == "email" {
			v.js = strconv.Quote(g.world.email(g))
		} else {
			v.js = strconv.Quote(pick(g, []string{"a", "e", "Post", "user 1", "", "%", "_", "'", "T", "zz"}))
		}
		v.lit = v.js
	}
	if !a.Type.NonNull && g.chance(15) {
		v.lit, v.js = "null", "null"
	}
	return g.form(v, optional)
}

// id chooses an id for an argument: mostly of a row that is there.
func (g *generator) id(field, name string) (lit, js string) {
	kind := field
	switch {
	case name == "authorId":
		kind = "user"
	case field == "node" || g.chance(3):
		kind = pick(g, []string{"user", "post", "comment", "tag"})
	}
	id := g.world.id(g, kind)
	switch n := g.IntN(100); {
	case n < 92:
	case n < 94:
		id = strings.ToUpper(id)
	case n < 96:
		id = pick(g, []string{"nope", "", "1", "null", "*", "urn:uuid:" + id, "{" + id + "}", strings.ReplaceAll(id, "-", "")})
	case n < 97:
		return "1", "1" // ids may be integers
	case n < 98:
		return "null", "null"
	default:
		id = absentID(g.IntN(4))
	}
	return strconv.Quote(id), strconv.Quote(id)
}

func absentID(n int) string { return fmt.Sprintf("dddddddd-dddd-4ddd-8ddd-%012d", n) }

// form decides how a value is written. The default of a variable may be used where the
// argument has one itself.
func (g *generator) form(v value, optional bool) value {
	nullable := !strings.HasSuffix(v.typ, "!")
	switch n := g.IntN(100); {
	case n < 45:
	case n < 85:
		v.form = variable
		if (optional || nullable) && g.chance(10) {
			v.typ = strings.TrimSuffix(v.typ, "!")
			v.js = "" // absent
		}
	case n < 93 && v.lit != "null":
		v.form = defaulted
	case v.lit != "null":
		v.form = overridden
	}
	return v
}

// text is a string as a literal.
func text(s string) value { return value{lit: strconv.Quote(s), js: strconv.Quote(s), typ: "String!"} }

// A world is what a history has made so far, roughly: a row may be gone without the world
// knowing.
type world struct {
	rows map[string][]string // by kind
	gone map[string][]string
}

func newWorld() *world {
	return &world{rows: map[string][]string{}, gone: map[string][]string{}}
}

// id chooses a row of a kind, mostly one that is there.
func (w *world) id(c chooser, kind string) string {
	list := w.rows[kind]
	if gone := w.gone[kind]; len(gone) > 0 && (len(list) == 0 || c.IntN(100) >= 94) {
		list = gone
	}
	if len(list) == 0 {
		return absentID(9)
	}
	return pick(c, list)
}

func (w *world) add(kind, id string) { w.rows[kind] = append(w.rows[kind], id) }

// drop takes a row that is to be deleted out of the world, now and then.
func (w *world) drop(kind, id string) {
	if i := slices.Index(w.rows[kind], id); i >= 0 {
		w.rows[kind] = slices.Delete(w.rows[kind], i, i+1)
		w.gone[kind] = append(w.gone[kind], id)
		if extra := len(w.gone[kind]) - 8; extra > 0 {
			w.gone[kind] = w.gone[kind][extra:]
		}
	}
}

func (w *world) email(c chooser) string { return fmt.Sprintf("e%d@x", c.IntN(40)) }
