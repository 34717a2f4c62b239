package analysis

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/catalog"
)

// String is for reports and tests: one line for each table that is read or written, with
// why nothing is known before them.
func (s *Statement) String() string {
	var lines []string
	if s.Unknown != "" {
		line := "unknown: " + s.Unknown
		if s.ReadsOnly {
			line += "; reads only"
		}
		if s.Transaction {
			line += "; may end a transaction"
		}
		lines = append(lines, line)
	}
	for _, r := range s.Refs {
		lines = append(lines, r.String())
	}
	for _, w := range s.Writes {
		lines = append(lines, w.String())
	}
	if s.Volatile != "" {
		lines = append(lines, "volatile: "+s.Volatile)
	}
	if len(s.Settings) > 0 {
		lines = append(lines, "settings: "+strings.Join(s.Settings, ", "))
	}
	for _, c := range s.SetConfigs {
		line := "sets " + c.Name
		if c.Value != nil {
			line += " = " + c.Value.String()
		}
		lines = append(lines, line)
	}
	if len(lines) == 0 {
		return "no data"
	}
	return strings.Join(lines, "\n")
}

// Set is the table with the terms of its rows.
func (r *Ref) Set() string {
	return r.Table.Name + "(" + termsText(r.Table, r.Terms) + ")"
}

// SetWords is Set without the constants of the statement.
func (r *Ref) SetWords() string {
	one := *r
	one.Terms = withoutConstants(r.Terms)
	return one.Set()
}

// Words is String without the constants of the statement, for reports to people who may
// not see data.
func (s *Statement) Words() string {
	words := *s
	words.Refs, words.Writes, words.SetConfigs = nil, nil, nil
	for _, r := range s.Refs {
		one := *r
		one.Terms, one.Contains = withoutConstants(r.Terms), withoutConstants(r.Contains)
		words.Refs = append(words.Refs, &one)
	}
	for _, w := range s.Writes {
		one := *w
		one.Terms, one.Sets, one.Rows = withoutConstants(w.Terms), valuesWithoutConstants(w.Sets), nil
		for _, row := range w.Rows {
			one.Rows = append(one.Rows, valuesWithoutConstants(row))
		}
		words.Writes = append(words.Writes, &one)
	}
	for _, c := range s.SetConfigs {
		if c.Value != nil {
			value := c.Value.withoutConstants()
			c.Value = &value
		}
		words.SetConfigs = append(words.SetConfigs, c)
	}
	return words.String()
}

func withoutConstants(terms []Term) []Term {
	list := slices.Clone(terms)
	for i := range list {
		list[i].Source = list[i].Source.withoutConstants()
	}
	return list
}

func valuesWithoutConstants(sets []SetValue) []SetValue {
	list := slices.Clone(sets)
	for i := range list {
		if list[i].Source != nil {
			value := list[i].Source.withoutConstants()
			list[i].Source = &value
		}
	}
	return list
}

func (s Source) withoutConstants() Source {
	switch s.Kind {
	case Constant:
		s.Text, s.Number = "?", true
	case List:
		s.List = slices.Clone(s.List)
		for i := range s.List {
			s.List[i] = s.List[i].withoutConstants()
		}
	}
	return s
}

func (r *Ref) String() string {
	var b strings.Builder
	b.WriteString(r.Set())
	decides := r.Where
	for _, o := range r.Options {
		decides &^= o.Columns
	}
	part(&b, " decides ", maskText(r.Table, decides))
	for _, o := range r.Options {
		part(&b, " decides unless "+paramText(o.Param, o.Name)+" is null ", maskText(r.Table, o.Columns))
	}
	part(&b, " selects ", maskText(r.Table, r.Selected&^decides))
	part(&b, " orders by ", maskText(r.Table, r.Order&^decides))
	if r.Shown {
		part(&b, " shown by ", columnsText(r.Table, r.KeyColumns))
	}
	for _, t := range r.Contains {
		part(&b, " contains ", r.Table.Columns[t.Column].Name+" "+t.Source.String())
	}
	if r.Via != nil {
		part(&b, " via ", fmt.Sprintf("%s = %s.%s", r.Table.Columns[r.Via.Column].Name, r.Via.Ref.Table.Name, r.Via.Ref.Table.Columns[r.Via.From].Name))
	}
	if r.Window >= 0 {
		order := r.Table.Columns[r.Window].Name
		if r.Descending {
			order += " desc"
		}
		part(&b, " window ", order)
	}
	if f := r.First; f != nil {
		part(&b, " first ", f.Limit.String())
		if f.Each != nil {
			part(&b, " of each ", f.Each.String())
		}
	}
	mark(&b, r.Joined, " joined")
	mark(&b, r.Pinned, " pinned")
	mark(&b, r.Limited, " limited")
	mark(&b, r.Single, " single")
	return b.String()
}

func (w *Write) String() string {
	var b strings.Builder
	b.WriteString([]string{Inserts: "insert ", Updates: "update ", Deletes: "delete ", Any: "any "}[w.Kind])
	b.WriteString(w.Table.Name)
	b.WriteByte('(')
	b.WriteString(termsText(w.Table, w.Terms))
	b.WriteByte(')')
	if w.Kind == Updates {
		part(&b, " changes ", maskText(w.Table, w.Changed))
		part(&b, " sets ", setsText(w.Table, w.Sets))
	}
	for _, row := range w.Rows {
		part(&b, " row ", "("+setsText(w.Table, row)+")")
	}
	mark(&b, w.Ignores, " ignores")
	if w.Returning != nil {
		part(&b, " returning ", columnsText(w.Table, w.Returning))
	}
	mark(&b, w.OwnRows, " own")
	mark(&b, w.Plain, " plain")
	mark(&b, w.Policies, " policies")
	mark(&b, w.Cascades, " cascades")
	return b.String()
}

func part(b *strings.Builder, name, text string) {
	if text != "" {
		b.WriteString(name)
		b.WriteString(text)
	}
}

func mark(b *strings.Builder, is bool, name string) {
	if is {
		b.WriteString(name)
	}
}

func termsText(t *catalog.Table, terms []Term) string {
	list := make([]string, len(terms))
	for i, term := range terms {
		list[i] = t.Columns[term.Column].Name + " = " + term.Source.String()
	}
	return strings.Join(list, ", ")
}

func setsText(t *catalog.Table, sets []SetValue) string {
	var list []string
	for _, s := range sets {
		switch {
		case s.Null:
			list = append(list, t.Columns[s.Column].Name+" = NULL")
		case s.Source != nil && s.Keep:
			list = append(list, t.Columns[s.Column].Name+" ?= "+s.Source.String())
		case s.Source != nil:
			list = append(list, t.Columns[s.Column].Name+" = "+s.Source.String())
		}
	}
	return strings.Join(list, ", ")
}

func maskText(t *catalog.Table, m catalog.Mask) string {
	if m == catalog.All {
		return "all"
	}
	var list []int
	for i := range t.Columns {
		if m&catalog.Bit(i) != 0 {
			list = append(list, i)
		}
	}
	return columnsText(t, list)
}

func columnsText(t *catalog.Table, columns []int) string {
	list := make([]string, len(columns))
	for i, c := range columns {
		list[i] = "?"
		if c >= 0 {
			list[i] = t.Columns[c].Name
		}
	}
	return strings.Join(list, ", ")
}

func (s Source) String() string {
	var text string
	switch s.Kind {
	case Constant:
		text = s.Text
		if !s.Number {
			text = "'" + strings.ReplaceAll(text, "'", "''") + "'"
		}
	case List:
		list := make([]string, len(s.List))
		for i := range s.List {
			list[i] = s.List[i].String()
		}
		text = "in (" + strings.Join(list, ", ") + ")"
	case JSONList:
		text = "in json " + paramText(s.Param, s.Name)
	case Array:
		text = "in " + paramText(s.Param, s.Name)
	default:
		text = paramText(s.Param, s.Name)
	}
	if s.Unless != 0 {
		text += " unless " + paramText(s.Unless, s.UnlessName) + " is null"
	}
	return text
}

func paramText(n int, name string) string {
	if name != "" {
		return name
	}
	return fmt.Sprintf("$%d", n)
}
