package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// A doc is a document to send, apart from its spelling.
type doc struct {
	kind  string // query or mutation
	name  string
	root  []*sel
	frags []*frag // in the order of their use
	// others are operations that are not run: the request names the one it means.
	others []string
}

// A frag is a named fragment.
type frag struct {
	on  string
	sub []*sel
}

// A sel is a field, an inline fragment (without field and frag) or the spread of a named
// fragment.
type sel struct {
	field, alias string
	args         []arg
	on           string // of an inline fragment, may be empty
	frag         *frag
	conds        []cond
	sub          []*sel
}

// A cond is @skip or @include.
type cond struct {
	name string
	val  value
}

type arg struct {
	name string
	val  value
}

// A value is written as a literal, or as a variable with or without a default.
type value struct {
	lit, js string // as GraphQL and as JSON; js "" leaves the variable out
	typ     string // of the variable
	form    form
}

type form uint8

const (
	literal form = iota
	variable
	defaulted  // a variable whose default is the value, not sent
	overridden // a variable with a default that is not used
)

// A spelling is one of the ways to write a doc that all mean the same.
type spelling struct {
	space    string // around tokens
	comma    string // between arguments
	reversed bool   // order of arguments
	prefix   string // of names of fragments and variables
	last     bool   // fragments before operations
	opName   string // instead of the doc's name
	comment  bool
}

var plain = spelling{space: " ", comma: ", ", prefix: "n"}

// A writer renders one doc.
type writer struct {
	strings.Builder
	s     spelling
	frags []*frag
	vars  []string // declarations
	json  []string // members of the variables' object
	seen  map[string]string
}

// body renders a request.
func (d *doc) body(s spelling) string {
	w := &writer{s: s, seen: map[string]string{}, frags: slices.Clone(d.frags)}
	w.set(d.root)
	root := w.String()
	var frags []string
	for i, f := range d.frags {
		w.Reset()
		_, _ = fmt.Fprintf(w, "fragment %sF%d on %s", s.prefix, i, f.on)
		w.set(f.sub)
		frags = append(frags, w.String())
	}
	name := d.name
	if s.opName != "" {
		name = s.opName
	}
	if name == "" && len(d.others) > 0 {
		name = "Main"
	}
	head := ""
	if name != "" || len(w.vars) > 0 || d.kind != "query" || s.space == "  " {
		head = d.kind
		if name != "" {
			head += " " + name
		}
		if len(w.vars) > 0 {
			head += "(" + strings.Join(w.vars, s.comma) + ")"
		}
	}
	parts := append([]string{head + root}, d.others...)
	if s.last {
		parts = append(frags, parts...)
	} else {
		parts = append(parts, frags...)
	}
	text := strings.Join(parts, s.space)
	if s.comment {
		text = "# a comment { } \"\n" + text + "\n#"
	}
	q, _ := json.Marshal(text) // strings always encode
	body := `{"query":` + string(q)
	if len(w.json) > 0 {
		body += `,"variables":{` + strings.Join(w.json, ",") + "}"
	}
	if len(d.others) > 0 {
		body += `,"operationName":"` + name + `"`
	}
	return body + "}"
}

func (w *writer) set(list []*sel) {
	w.WriteString("{" + w.s.space)
	for i, s := range list {
		if i > 0 {
			w.WriteString(" ")
		}
		w.sel(s)
	}
	w.WriteString(w.s.space + "}")
}

func (w *writer) sel(s *sel) {
	switch {
	case s.frag != nil:
		_, _ = fmt.Fprintf(w, "...%sF%d", w.s.prefix, slices.Index(w.frags, s.frag))
	case s.field == "":
		w.WriteString("...")
		if s.on != "" {
			w.WriteString(" on " + s.on)
		}
	default:
		if s.alias != "" {
			w.WriteString(s.alias + ":" + w.s.space)
		}
		w.WriteString(s.field)
		w.args(s.args)
	}
	for _, c := range s.conds {
		w.WriteString(" @" + c.name + "(if:" + w.value(c.val) + ")")
	}
	if s.sub != nil {
		w.set(s.sub)
	}
}

func (w *writer) args(args []arg) {
	if len(args) == 0 {
		return
	}
	texts := make([]string, len(args))
	for i, a := range args {
		texts[i] = a.name + ":" + w.s.space + w.value(a.val)
	}
	if w.s.reversed {
		slices.Reverse(texts)
	}
	w.WriteString("(" + strings.Join(texts, w.s.comma) + ")")
}

// value renders a value; equal variables are declared once.
func (w *writer) value(v value) string {
	if v.form == literal {
		return v.lit
	}
	id := fmt.Sprint(v)
	name := w.seen[id]
	if name != "" {
		return name
	}
	name = fmt.Sprintf("$%sV%d", w.s.prefix, len(w.seen))
	w.seen[id] = name
	decl := name + ":" + w.s.space + v.typ
	member := fmt.Sprintf("%q:%s", name[1:], v.js)
	switch v.form {
	case defaulted:
		decl += " = " + v.lit
		member = ""
	case overridden:
		if def := defaultFor(v.typ); def != "" {
			decl += " = " + def
		}
	}
	w.vars = append(w.vars, decl)
	if member != "" && v.js != "" {
		w.json = append(w.json, member)
	}
	return name
}

// defaultFor is some valid default of a variable's type, "" for an input type.
func defaultFor(typ string) string {
	switch strings.TrimSuffix(typ, "!") {
	case "Int":
		return "7"
	case "Boolean":
		return "true"
	case "PostStatus":
		return "DRAFT"
	case "ID", "String":
		return `"default"`
	}
	return ""
}
