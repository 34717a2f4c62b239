package opkey

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"pgregory.net/rapid"
)

// A generator draws documents that parse but need not validate.
type generator struct {
	t         *rapid.T
	fragments int
}

var (
	names = rapid.SampledFrom([]string{"a", "b", "c", "ab", "id", "on_", "null_", "F0"})
	types = rapid.SampledFrom([]string{"T", "U", "Int", "String"})
	// Texts that would upset a form without lengths.
	texts = rapid.OneOf(rapid.SampledFrom([]string{"", "1", "null", "a", `"`, "\x01a", "f\x01a\x01a\x00\x00\x00", "é\u2028", "{", "$a"}),
		rapid.StringMatching(`[ -~]{0,6}`))
)

func (g *generator) chance(label string, percent int) bool {
	return rapid.IntRange(0, 99).Draw(g.t, label) < percent
}

func (g *generator) document() *ast.QueryDocument {
	g.fragments = rapid.IntRange(0, 12).Draw(g.t, "fragments")
	op := &ast.OperationDefinition{
		Operation:           rapid.SampledFrom([]ast.Operation{ast.Query, ast.Mutation, ast.Subscription}).Draw(g.t, "kind"),
		Name:                names.Draw(g.t, "operation"),
		VariableDefinitions: g.definitions(),
		Directives:          g.directives(),
		SelectionSet:        g.selections(3),
	}
	doc := &ast.QueryDocument{Operations: ast.OperationList{op}}
	for i := range g.fragments {
		doc.Fragments = append(doc.Fragments, &ast.FragmentDefinition{
			Name: fmt.Sprintf("frag%d", i), TypeCondition: types.Draw(g.t, "on"), Directives: g.directives(), SelectionSet: g.selections(2),
		})
	}
	return doc
}

func (g *generator) definitions() (list ast.VariableDefinitionList) {
	for _, n := range rapid.SliceOfNDistinct(names, 0, 3, rapid.ID).Draw(g.t, "variables") {
		v := &ast.VariableDefinition{Variable: n, Type: g.typ()}
		if g.chance("default", 40) {
			v.DefaultValue = g.value(1, false)
		}
		list = append(list, v)
	}
	return list
}

func (g *generator) typ() *ast.Type {
	if g.chance("list", 30) {
		return &ast.Type{Elem: g.typ(), NonNull: g.chance("nonnull", 50)}
	}
	return &ast.Type{NamedType: types.Draw(g.t, "type"), NonNull: g.chance("nonnull", 50)}
}

func (g *generator) directives() (list ast.DirectiveList) {
	for g.chance("directive", 15) {
		list = append(list, &ast.Directive{Name: names.Draw(g.t, "directive"), Arguments: g.arguments()})
	}
	return list
}

func (g *generator) arguments() (list ast.ArgumentList) {
	for _, n := range rapid.SliceOfNDistinct(names, 0, 3, rapid.ID).Draw(g.t, "arguments") {
		list = append(list, &ast.Argument{Name: n, Value: g.value(2, true)})
	}
	return list
}

func (g *generator) selections(depth int) (set ast.SelectionSet) {
	for range rapid.IntRange(1, 3).Draw(g.t, "selections") {
		switch {
		case g.fragments > 0 && g.chance("spread", 30):
			i := rapid.IntRange(0, g.fragments-1).Draw(g.t, "fragment")
			set = append(set, &ast.FragmentSpread{Name: fmt.Sprintf("frag%d", i), Directives: g.directives()})
		case depth > 0 && g.chance("inline", 20):
			f := &ast.InlineFragment{Directives: g.directives(), SelectionSet: g.selections(depth - 1)}
			if g.chance("typed", 70) {
				f.TypeCondition = types.Draw(g.t, "on")
			}
			set = append(set, f)
		default:
			name := names.Draw(g.t, "field")
			f := &ast.Field{Alias: name, Name: name, Arguments: g.arguments(), Directives: g.directives()}
			if g.chance("alias", 30) {
				f.Alias = names.Draw(g.t, "alias")
			}
			if depth > 0 && g.chance("object", 40) {
				f.SelectionSet = g.selections(depth - 1)
			}
			set = append(set, f)
		}
	}
	return set
}

func (g *generator) value(depth int, variables bool) *ast.Value {
	scalars := []*ast.Value{
		{Kind: ast.IntValue, Raw: "1"},
		{Kind: ast.IntValue, Raw: "12"},
		{Kind: ast.FloatValue, Raw: "1.0"},
		{Kind: ast.BooleanValue, Raw: "true"},
		{Kind: ast.EnumValue, Raw: "a"},
		{Kind: ast.NullValue, Raw: "null"},
		{Kind: ast.StringValue, Raw: texts.Draw(g.t, "text")},
	}
	if variables {
		scalars = append(scalars, &ast.Value{Kind: ast.Variable, Raw: "a"})
	}
	if depth == 0 || g.chance("scalar", 60) {
		return rapid.SampledFrom(scalars).Draw(g.t, "scalar")
	}
	v := &ast.Value{Kind: ast.ListValue}
	if g.chance("object", 50) {
		v.Kind = ast.ObjectValue
		for _, n := range rapid.SliceOfNDistinct(names, 0, 3, rapid.ID).Draw(g.t, "input") {
			v.Children = append(v.Children, &ast.ChildValue{Name: n, Value: g.value(depth-1, variables)})
		}
		return v
	}
	for range rapid.IntRange(0, 3).Draw(g.t, "list") {
		v.Children = append(v.Children, &ast.ChildValue{Value: g.value(depth-1, variables)})
	}
	return v
}

// A printer writes a document as text. Without a source of chance it writes everything in
// sorted order, fragments as the operation reaches them, and leaves the operation's name
// out: two documents are equivalent when it writes the same.
type printer struct {
	t     *rapid.T // nil: sorted
	doc   *ast.QueryDocument
	out   strings.Builder
	names map[string]string
	order []string
}

func canonical(doc *ast.QueryDocument) string {
	p := &printer{doc: doc, names: map[string]string{}}
	p.operation(doc.Operations[0])
	for i := 0; i < len(p.order); i++ {
		p.fragment(p.order[i])
	}
	return p.out.String()
}

// shuffled writes the same document in another way, with operations and fragments that
// nobody uses.
func shuffled(t *rapid.T, doc *ast.QueryDocument) string {
	p := &printer{t: t, doc: doc, names: map[string]string{}}
	for _, i := range rapid.Permutation([]int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}).Draw(t, "names") {
		p.names[fmt.Sprintf("frag%d", i)] = fmt.Sprintf("z%d", len(p.names))
	}
	var all []string
	for _, f := range doc.Fragments {
		all = append(all, f.Name)
	}
	if len(all) > 0 {
		all = rapid.Permutation(all).Draw(t, "order")
	}
	for _, name := range all[:len(all)/2] {
		p.fragment(name)
	}
	p.put("query unused { a }")
	p.operation(doc.Operations[0])
	p.put("fragment unused on T { ...unused }")
	for _, name := range all[len(all)/2:] {
		p.fragment(name)
	}
	return p.out.String()
}

func (p *printer) put(s string) {
	gap := " "
	if p.t != nil {
		gap = rapid.SampledFrom([]string{" ", "\n", ", ", " # }\n", "\t"}).Draw(p.t, "gap")
	}
	p.out.WriteString(s + gap)
}

// each calls f for the elements in sorted or any order.
func each[E any](p *printer, list []E, name func(E) string, f func(E)) {
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b E) int { return strings.Compare(name(a), name(b)) })
	if p.t != nil && len(list) > 1 {
		list = rapid.Permutation(list).Draw(p.t, "order")
	}
	for _, e := range list {
		f(e)
	}
}

func (p *printer) fragmentName(name string) string {
	if n, ok := p.names[name]; ok {
		return n
	}
	p.names[name] = fmt.Sprintf("F%d", len(p.order))
	p.order = append(p.order, name)
	return p.names[name]
}

func (p *printer) operation(op *ast.OperationDefinition) {
	p.put(string(op.Operation))
	if p.t != nil {
		p.put(rapid.SampledFrom([]string{"Main", "query", "x"}).Draw(p.t, "name"))
	}
	p.definitions(op.VariableDefinitions)
	p.directives(op.Directives)
	p.selections(op.SelectionSet)
}

func (p *printer) fragment(name string) {
	f := p.doc.Fragments.ForName(name)
	p.put("fragment")
	p.put(p.fragmentName(name))
	p.put("on")
	p.put(f.TypeCondition)
	p.directives(f.Directives)
	p.selections(f.SelectionSet)
}

func (p *printer) definitions(list ast.VariableDefinitionList) {
	if len(list) == 0 {
		return
	}
	p.put("(")
	each(p, list, func(v *ast.VariableDefinition) string { return v.Variable }, func(v *ast.VariableDefinition) {
		p.put("$" + v.Variable + ":" + v.Type.String())
		if v.DefaultValue != nil {
			p.put("=")
			p.value(v.DefaultValue)
		}
		p.directives(v.Directives)
	})
	p.put(")")
}

func (p *printer) directives(list ast.DirectiveList) {
	for _, d := range list {
		p.put("@" + d.Name)
		p.arguments(d.Arguments)
	}
}

func (p *printer) arguments(list ast.ArgumentList) {
	if len(list) == 0 {
		return
	}
	p.put("(")
	each(p, list, func(a *ast.Argument) string { return a.Name }, func(a *ast.Argument) {
		p.put(a.Name + ":")
		p.value(a.Value)
	})
	p.put(")")
}

func (p *printer) selections(set ast.SelectionSet) {
	if len(set) == 0 {
		return
	}
	p.put("{")
	for _, s := range set {
		switch s := s.(type) {
		case *ast.Field:
			if s.Alias != s.Name {
				p.put(s.Alias + ":")
			}
			p.put(s.Name)
			p.arguments(s.Arguments)
			p.directives(s.Directives)
			p.selections(s.SelectionSet)
		case *ast.FragmentSpread:
			p.put("..." + p.fragmentName(s.Name))
			p.directives(s.Directives)
		case *ast.InlineFragment:
			p.put("...")
			if s.TypeCondition != "" {
				p.put("on " + s.TypeCondition)
			}
			p.directives(s.Directives)
			p.selections(s.SelectionSet)
		}
	}
	p.put("}")
}

func (p *printer) value(v *ast.Value) {
	switch v.Kind {
	case ast.Variable:
		p.put("$" + v.Raw)
	case ast.StringValue:
		p.put(p.quote(v.Raw))
	case ast.ListValue:
		p.put("[")
		for _, c := range v.Children {
			p.value(c.Value)
		}
		p.put("]")
	case ast.ObjectValue:
		p.put("{")
		each(p, v.Children, func(c *ast.ChildValue) string { return c.Name }, func(c *ast.ChildValue) {
			p.put(c.Name + ":")
			p.value(c.Value)
		})
		p.put("}")
	default:
		p.put(v.Raw)
	}
}

func (p *printer) quote(s string) string {
	plain := s != "" && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' || r == '"' || r == '\\' })
	if p.t != nil && plain && rapid.Bool().Draw(p.t, "block") {
		return `"""` + s + `"""`
	}
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		if r == '"' || r == '\\' || r < ' ' {
			b.WriteString(`\u` + fmt.Sprintf("%04s", strconv.FormatInt(int64(r), 16)))
			continue
		}
		b.WriteRune(r)
	}
	b.WriteByte('"')
	return b.String()
}
