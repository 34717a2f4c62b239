package cascade

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// The helpers here render parts of a plan as text, so that tables can say what they
// expect.

func describeField(p *Plan, coordinate string) string {
	typ, name, _ := strings.Cut(coordinate, ".")
	f := p.fields[fieldRef{typ, name}]
	if f == nil {
		return "undeclared"
	}
	if !f.Declared {
		return "not declared"
	}
	reads := make([]string, 0, len(f.Reads)+1)
	for _, r := range f.Reads {
		reads = append(reads, describeRead(r))
	}
	if f.AtRuntime {
		reads = append(reads, "at run time")
	}
	return strings.Join(reads, "; ")
}

func describeRead(r readDecl) string {
	names := make([]string, len(r.Views))
	for i, v := range r.Views {
		names[i] = v.Name
	}
	text := strings.Join(names, "|")
	if r.Kind == readRow {
		text += " row " + describeOperand(r.Row)
		if r.Inferred {
			text += " inferred"
		}
		return text
	}
	return text + " where" + describeTerms(r.Where) + " using " + describeMask(r.Views[0], r.Using)
}

func describeTerms(terms []termDecl) string {
	var b strings.Builder
	for _, t := range terms {
		b.WriteString(" " + t.Column + "=" + describeOperand(t.Operand))
	}
	return b.String()
}

func describeOperand(op operandDecl) string {
	if op.Kind != fromConst {
		return pathText(op)
	}
	if op.Const.kind == valueNull {
		return "null"
	}
	return "'" + op.Const.text + "'"
}

func describeMask(v *View, m Mask) string {
	if m == AllColumns {
		return "*"
	}
	var names []string
	for _, name := range v.names {
		if bit, _ := v.column(name); m&bit != 0 {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return "{" + strings.Join(names, " ") + "}"
}

func describeMutation(p *Plan, name string) string {
	m := p.mutations[name]
	if m == nil {
		return "undeclared"
	}
	writes := make([]string, len(m.Writes))
	for i, w := range m.Writes {
		writes[i] = describeWrite(w)
	}
	return strings.Join(writes, "; ")
}

func describeWrite(w writeDecl) string {
	op := map[Op]string{Any: "ANY", Create: "CREATE", Update: "UPDATE", Delete: "DELETE", Upsert: "UPSERT"}[w.Op]
	text := op + " " + w.View.Name
	if w.Row != nil {
		text += " row " + describeOperand(*w.Row)
	}
	if len(w.Where) > 0 {
		text += " where" + describeTerms(w.Where)
	}
	if len(w.Set) > 0 {
		text += " set" + describeTerms(w.Set)
	}
	text += " columns " + describeMask(w.View, w.Columns)
	for _, from := range w.ColumnsFrom {
		var fields []string
		for name, m := range from.masks {
			fields = append(fields, fmt.Sprintf("%s:%s:%s", name, describeMask(w.View, m), from.columns[name]))
		}
		slices.Sort(fields)
		text += " from " + joinPath("args", from.path) + "[" + strings.Join(fields, " ") + "]"
	}
	return text
}

func describeView(p *Plan, name string) string {
	v := p.byName[name]
	if v == nil {
		return "none"
	}
	text := fmt.Sprintf("types %v key %s columns %v touched %s hidden %s",
		v.types, v.key, v.names, describeMask(v, v.touched), describeMask(v, v.hidden))
	flags := []struct {
		name string
		set  bool
	}{{"implicit", !v.explicit}, {"static", v.static}, {"partitioned", v.Partitioned}, {"written", v.written}}
	for _, f := range flags {
		if f.set {
			text += " " + f.name
		}
	}
	for _, e := range v.in {
		text += fmt.Sprintf(" <- %s(%s)%s", e.from.Name, e.key, describeMask(e.from, e.using))
	}
	return text
}

func describeShapes(p *Plan, name string) string {
	v := p.byName[name]
	shapes := make([]string, len(v.shapes))
	for i, s := range v.shapes {
		shapes[i] = strings.Join(s.columns, "+") + ":" + describeMask(v, s.mask)
	}
	return strings.Join(shapes, " ")
}

func mustCompile(t testing.TB, base, row string, opts Options) *Plan {
	t.Helper()
	p, err := Compile(loadWith(t, SDL(opts.Prefix)+CacheControlSDL(), base, row), opts)
	if err != nil {
		t.Fatalf("compile: %v", err)
	}
	return p
}
