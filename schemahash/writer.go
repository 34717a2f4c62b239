package schemahash

import (
	"encoding/binary"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// A writer builds the canonical form. Two different schemas never have the same form by
// concatenation, because a form can be read back: every string and every list starts with
// its length, every optional part with whether it is there, and every value with its
// kind.
type writer struct {
	buf []byte
}

func (w *writer) count(n int) { w.buf = binary.AppendUvarint(w.buf, uint64(n)) }

func (w *writer) text(s string) {
	w.count(len(s))
	w.buf = append(w.buf, s...)
}

func (w *writer) flag(b bool) {
	if b {
		w.buf = append(w.buf, 1)
	} else {
		w.buf = append(w.buf, 0)
	}
}

// names writes a set of names.
func (w *writer) names(set []string) {
	sorted := slices.Clone(set)
	slices.Sort(sorted)
	sorted = slices.Compact(sorted)
	w.count(len(sorted))
	for _, name := range sorted {
		w.text(name)
	}
}

// byName returns the elements that keep accepts, sorted by name. The sort is stable: what
// shares a name, such as the applications of a repeatable directive, keeps its order. Nil
// elements are left out.
func byName[T any](list []*T, name func(*T) string, keep func(*T) bool) []*T {
	sorted := make([]*T, 0, len(list))
	for _, element := range list {
		if element != nil && keep(element) {
			sorted = append(sorted, element)
		}
	}
	slices.SortStableFunc(sorted, func(a, b *T) int { return strings.Compare(name(a), name(b)) })
	return sorted
}

// preludeName is the source of the definitions that gqlparser adds to every schema.
const preludeName = "prelude.graphql"

// fromPrelude reports whether gqlparser added what stands at a position. BuiltIn alone
// does not say so: gqlgen marks the sources that its plugins generate from the user's
// schema in the same way.
func fromPrelude(pos *ast.Position) bool {
	return pos != nil && pos.Src != nil && pos.Src.BuiltIn && pos.Src.Name == preludeName
}

// builtInType reports whether gqlparser added a type. A type that was built by hand has
// no position; then its own flag decides.
func builtInType(def *ast.Definition) bool {
	if !def.BuiltIn {
		return false
	}
	return def.Position == nil || def.Position.Src == nil || fromPrelude(def.Position)
}

// introspection reports whether a name is reserved for introspection. gqlparser adds such
// fields to the query type without a position, and refuses them in a user's schema.
func introspection(name string) bool { return strings.HasPrefix(name, "__") }
