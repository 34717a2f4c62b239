package extractor

import (
	"crypto/rand"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// A Probe is an operation with the hidden fields of a prepared one and nothing that a
// client would read: of the client's fields it has those that return objects, under the
// same response names, and those that are keys. It is for an executor that has executed
// the client's operation, unchanged, and that gives to the fields with objects the values
// that they had there: then the answer to the probe has the same objects as the answer to
// the client, and [Operation.Walk] of it tells their types, keys and paths.
//
// Its fields have no arguments and no directives but @skip and @include, so that
// executing it evaluates no argument a second time and runs no directive of the document.
type Probe struct {
	Doc       *ast.QueryDocument
	Operation *ast.OperationDefinition

	op      *Operation
	guarded map[int]bool // steps that may resolve and have directives or arguments
}

// MayResolve tells, by its alias, whether Spec.Resolve allows the resolver of a hidden
// field to run, and whether something of the server's runs with the field even when it
// has no resolver.
func (s *Probe) MayResolve(alias string) (may, guarded bool) {
	kind, rest := hiddenName([]byte(alias))
	if kind != aliasPath {
		return false, false
	}
	id, ok := hiddenNumber(rest)
	return ok && id < len(s.op.steps) && s.op.steps[id].resolve, s.guarded[id]
}

// Resolves reports whether MayResolve is true of any field.
func (s *Probe) Resolves() bool {
	return slices.ContainsFunc(s.op.steps, func(st step) bool { return st.resolve })
}

// Probe returns the probe of the operation; nil when nothing is hidden in it, or when
// executing its fields once more could run something of the server's. runs says whether a
// directive of the schema has code that runs when a field is resolved: such fields are
// not read, and what they would tell is unknown. It is called only before Probe returns.
func (o *Operation) Probe(runs func(directive string) bool) *Probe {
	if !o.Injected {
		return nil
	}
	p := probeer{op: o, runs: runs, definitions: map[*ast.FieldDefinition]*ast.FieldDefinition{}, keys: map[string]bool{}, guarded: map[int]bool{}}
	for _, s := range o.Selections {
		if s.key != nil {
			p.keys[s.key.Definition.Name] = true
		}
	}
	op := *o.Operation
	op.Directives = nil
	op.SelectionSet = p.set(o.Operation.SelectionSet)
	doc := &ast.QueryDocument{Operations: ast.OperationList{&op}, Position: o.Doc.Position}
	for _, f := range o.Doc.Fragments {
		c := *f
		c.Directives = nil
		c.SelectionSet = p.set(f.SelectionSet)
		doc.Fragments = append(doc.Fragments, &c)
	}
	if p.unsafe {
		return nil
	}
	return &Probe{Doc: doc, Operation: &op, op: o, guarded: p.guarded}
}

type probeer struct {
	op          *Operation
	runs        func(directive string) bool
	definitions map[*ast.FieldDefinition]*ast.FieldDefinition
	keys        map[string]bool // names of key fields
	guarded     map[int]bool
	unsafe      bool
}

func (p *probeer) set(set ast.SelectionSet) ast.SelectionSet {
	out := make(ast.SelectionSet, 0, len(set))
	for _, sel := range set {
		switch sel := sel.(type) {
		case *ast.Field:
			if f := p.field(sel); f != nil {
				out = append(out, f)
			}
		case *ast.InlineFragment:
			c := *sel
			c.Directives, c.SelectionSet = conditions(sel.Directives), p.set(sel.SelectionSet)
			out = append(out, &c)
		case *ast.FragmentSpread:
			c := *sel
			c.Directives = conditions(sel.Directives)
			out = append(out, &c)
		}
	}
	return out
}

func (p *probeer) field(f *ast.Field) *ast.Field {
	switch {
	case IsHidden(f.Alias):
		return p.hidden(f)
	case len(f.SelectionSet) == 0:
		if p.isKey(f) {
			return f
		}
		return nil
	case len(f.Name) > 2 && f.Name[:2] == "__":
		return nil // introspection
	}
	for _, a := range f.Definition.Arguments {
		// gqlgen can be told to run the directives of arguments that are absent.
		p.unsafe = p.unsafe || p.anyRuns(a.Directives)
	}
	c := *f
	c.Arguments, c.Directives = nil, conditions(f.Directives)
	c.Definition = p.withoutArguments(f.Definition)
	c.SelectionSet = p.set(f.SelectionSet)
	return &c
}

// isKey reports whether a field of the client's may be the plain key of its object.
func (p *probeer) isKey(f *ast.Field) bool {
	return p.keys[f.Name] && f.Alias == f.Name && len(f.Definition.Arguments) == 0 && !hasCustomDirective(f.Directives) &&
		p.readable(f.ObjectDefinition, f.Definition)
}

// hidden returns what stands for a hidden field: nil for one that must not be read. The
// key of an abstract type's object also tells which type it is, so __typename takes its
// place.
func (p *probeer) hidden(f *ast.Field) *ast.Field {
	kind, rest := hiddenName([]byte(f.Alias))
	if kind == aliasTypename || f.Name == "__typename" {
		return f
	}
	id, isNumber := hiddenNumber(rest)
	plain := len(f.Definition.Arguments) == 0 && p.readable(f.ObjectDefinition, f.Definition)
	resolve := kind == aliasPath && isNumber && p.op.steps[id].resolve
	if resolve && !plain {
		p.guarded[id] = true
	}
	if resolve || plain {
		c := *f
		c.SelectionSet = p.inner(f)
		return &c
	}
	if kind == aliasKey {
		return hiddenField(string(aliasTypename)+strconv.Itoa(id), typenameDefinition, f.ObjectDefinition, nil, f.Position)
	}
	return nil
}

func (p *probeer) inner(f *ast.Field) ast.SelectionSet {
	if len(f.SelectionSet) == 0 {
		return nil
	}
	return p.set(f.SelectionSet)
}

// readable reports whether no directive runs when a field is resolved. gqlgen runs an
// object's directives for each of its fields, and those of the concrete type, not of the
// interface.
func (p *probeer) readable(on *ast.Definition, f *ast.FieldDefinition) bool {
	if on == nil {
		return false
	}
	if p.anyRuns(on.Directives) || p.anyRuns(f.Directives) {
		return false
	}
	if !on.IsAbstractType() {
		return true
	}
	for _, object := range p.op.schema.GetPossibleTypes(on) {
		if object == nil || object.Kind != ast.Object {
			continue
		}
		def := object.Fields.ForName(f.Name)
		if def == nil || len(def.Arguments) > 0 || p.anyRuns(object.Directives) || p.anyRuns(def.Directives) {
			return false
		}
	}
	return true
}

func (p *probeer) anyRuns(list ast.DirectiveList) bool {
	return slices.ContainsFunc(list, func(d *ast.Directive) bool { return p.runs(d.Name) })
}

// withoutArguments copies a field's definition: gqlgen evaluates the defaults of
// arguments, too.
func (p *probeer) withoutArguments(def *ast.FieldDefinition) *ast.FieldDefinition {
	if len(def.Arguments) == 0 {
		return def
	}
	c := p.definitions[def]
	if c == nil {
		d := *def
		d.Arguments = nil
		c = &d
		p.definitions[def] = c
	}
	return c
}

// conditions returns those directives of a node that decide whether it is there.
func conditions(list ast.DirectiveList) ast.DirectiveList {
	if !hasCustomDirective(list) {
		return list
	}
	return slices.DeleteFunc(slices.Clone(list), func(d *ast.Directive) bool { return d.Name != "skip" && d.Name != "include" })
}

// nonce starts every hidden alias of this process. It is random so that neither a client
// nor data can name a hidden member except by guessing 64 bits.
var nonce = func() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the process instead
	return "__c" + hex.EncodeToString(b[:])
}()

// What follows the nonce: a letter for the kind, then a number or a name.
const (
	aliasKey      = 'k' // + type number: the key field of that type
	aliasTypename = 't' // + type number: __typename of a type without key
	aliasPath     = 'p' // + path node: a step of a hidden path
	aliasCascade  = 'c' // the cascade member of a payload
	aliasSuccess  = 's' // the success member of a payload
	aliasData     = 'd' // the data member of a payload that holds the cascade member
	aliasInner    = '_' // + field name: a field inside the cascade member
)

// Nonce returns the text that every hidden alias starts with. It is different in every
// process and constant within one.
func Nonce() string { return nonce }

// IsHidden reports whether a response name was made by Prepare in this process.
func IsHidden(alias string) bool { return strings.HasPrefix(alias, nonce) }

// hiddenNumber reads the number of a hidden alias, given what follows the kind.
func hiddenNumber(s []byte) (int, bool) {
	if len(s) == 0 || len(s) > 9 {
		return 0, false
	}
	n := 0
	for _, c := range s {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return n, true
}
