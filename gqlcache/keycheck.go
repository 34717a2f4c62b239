package gqlcache

import (
	"context"
	"hash/maphash"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/99designs/gqlgen/graphql"
	"github.com/cascadeql/cascadeql/cascade"
	"github.com/cascadeql/cascadeql/gqlcache/footprint"
	"github.com/cascadeql/cascadeql/gqlcache/inspect"
	"github.com/cascadeql/cascadeql/gqlcache/internal/digest"
	"github.com/cascadeql/cascadeql/gqlcache/internal/opkey"
	"github.com/vektah/gqlparser/v2/ast"
)

// The key check: whether the values in a computation's statements come from its key.
//
// Invariants:
//
//  1. An answer with a value that comes from nothing which the key has is not stored, and
//     what was stored of its operation's name before that was known is dropped, in all
//     instances.
//  2. An answer whose values may come from the key by coincidence is for requests with the
//     same credentials, in this process: entries have whose they are in stamp.only. Who
//     joins the computation with others computes for himself.

// An asked is what a computation answers.
type asked struct {
	oc  *graphql.OperationContext
	d   *document
	who *caller
	key string
	// vars are a copy of the request's variables.
	vars map[string]any
}

// check begins the check of a computation.
func (c *Cache) check(ctx context.Context, q *asked) *footprint.KeyCheck {
	k := footprint.Key{
		Operation: q.d.Definition.Name, Variables: q.vars, Predicate: q.who.predicate.Text,
		Caller: footprint.Caller(c.asker(ctx, q.oc)),
	}
	k.Document, k.Literals = q.d.withoutLiterals(q.oc)
	if !q.who.public {
		h := digest.Running(k.Caller)
		h.Text(q.who.predicate.Text)
		k.Caller = footprint.Caller(h)
	}
	if parts, ok := q.d.Cut([]byte(q.key), q.vars); ok {
		for rest := parts.Vary; len(rest) > 0; {
			var part []byte
			if part, rest, ok = opkey.CutPart(rest); !ok {
				break
			}
			k.Vary = append(k.Vary, string(part))
		}
	}
	return c.observing.keys.Begin(k)
}

// asker returns a digest of the credentials of an operation, and of those around it: an
// operation that a resolver runs may have no headers of its own. It is never 0.
func (c *Cache) asker(ctx context.Context, oc *graphql.OperationContext) uint64 {
	h := digest.Running(credentials(ctx, oc))
	for r := requestFrom(ctx); r != nil; r = r.outer {
		if r.operation != nil && r.operation != oc {
			h.Add(credentials(ctx, r.operation))
		}
	}
	return uint64(h) | 1
}

// credentialsFrom is asker outside of operations, of a request with a header.
func credentialsFrom(ctx context.Context, header http.Header) uint64 {
	return credentialsIn(ctx, header) | 1
}

// isFor says whether an answer may be given to who asks.
func (c *Cache) isFor(ctx context.Context, oc *graphql.OperationContext, only uint64) bool {
	return only == 0 || only == c.asker(ctx, oc)
}

// dropOperation drops what is stored of an operation's name, since its key was found to
// be incomplete.
func (c *Cache) dropOperation(ctx context.Context, d *document) {
	c.publish(context.WithoutCancel(ctx), change{
		by:         inspect.Cause{Kind: causeManual, Name: "key check: " + d.Definition.Name},
		operations: []cascade.Tag{d.Tag},
	})
}

// fieldPath returns the path of the field that a context belongs to, without places in
// lists.
func fieldPath(ctx context.Context) string {
	var names []string
	for fc := graphql.GetFieldContext(ctx); fc != nil; fc = fc.Parent {
		if fc.Field.Field != nil {
			names = append(names, fc.Field.Alias)
		}
	}
	slices.Reverse(names)
	return strings.Join(names, ".")
}

// A template is a document without the values of its literals.
type template struct {
	once     sync.Once
	digest   uint64
	literals []any
}

// withoutLiterals returns a digest of the operation's document without its literals, and
// these in the order of the text. The digest is of this process: nobody can make two
// documents with one.
func (d *document) withoutLiterals(oc *graphql.OperationContext) (digest uint64, literals []any) {
	t := &d.template
	t.once.Do(func() {
		w := templateWriter{template: t}
		w.text(oc.Operation.Name)
		for _, v := range oc.Operation.VariableDefinitions {
			w.text(v.Variable)
			w.mark('=')
			w.value(v.DefaultValue)
		}
		w.directives(oc.Operation.Directives)
		w.set(oc.Operation.SelectionSet)
		for _, f := range oc.Doc.Fragments {
			w.mark('F')
			w.text(f.Name)
			w.text(f.TypeCondition)
			w.directives(f.Directives)
			w.set(f.SelectionSet)
		}
		t.digest = maphash.Bytes(templateSeed, w.out)
	})
	return t.digest, t.literals
}

var templateSeed = maphash.MakeSeed()

// A templateWriter writes a document so that two with other parts have other bytes.
type templateWriter struct {
	*template
	out []byte
}

func (w *templateWriter) mark(kind byte) { w.out = append(w.out, kind) }

func (w *templateWriter) text(s string) { w.out = opkey.AppendPart(w.out, s) }

func (w *templateWriter) set(set ast.SelectionSet) {
	w.mark('{')
	for _, node := range set {
		switch n := node.(type) {
		case *ast.Field:
			w.mark('f')
			w.text(n.Name)
			w.text(n.Alias)
			w.arguments(n.Arguments)
			w.directives(n.Directives)
			w.set(n.SelectionSet)
		case *ast.FragmentSpread:
			w.mark('s')
			w.text(n.Name)
			w.directives(n.Directives)
		case *ast.InlineFragment:
			w.mark('i')
			w.text(n.TypeCondition)
			w.directives(n.Directives)
			w.set(n.SelectionSet)
		}
	}
	w.mark('}')
}

func (w *templateWriter) directives(list ast.DirectiveList) {
	for _, d := range list {
		w.mark('@')
		w.text(d.Name)
		w.arguments(d.Arguments)
	}
}

func (w *templateWriter) arguments(list ast.ArgumentList) {
	w.mark('(')
	for _, a := range list {
		w.mark('a')
		w.text(a.Name)
		w.value(a.Value)
	}
	w.mark(')')
}

// value writes a value: of a number or a text that it is one. Truth values and enums say
// which, too: they choose what a resolver does.
func (w *templateWriter) value(v *ast.Value) {
	if v == nil {
		w.mark('0')
		return
	}
	w.mark('v')
	w.mark(byte(v.Kind))
	switch v.Kind {
	case ast.Variable, ast.BooleanValue, ast.EnumValue, ast.NullValue:
		w.text(v.Raw)
	default:
	}
	switch v.Kind {
	case ast.IntValue, ast.FloatValue, ast.StringValue, ast.BlockValue, ast.BooleanValue, ast.EnumValue:
		if x, err := v.Value(nil); err == nil {
			w.literals = append(w.literals, x)
		} else {
			w.literals = append(w.literals, v.Raw)
		}
	default:
	}
	for _, x := range v.Children {
		w.mark('c')
		w.text(x.Name)
		w.value(x.Value)
	}
	w.mark('.')
}
