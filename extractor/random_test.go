package extractor_test

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// A writer makes random documents. They need not be valid: callers validate and skip
// those that are not.
type writer struct {
	*rand.Rand
	fragments []string // bodies of the fragments to define
	on        []string // their type conditions
}

func randomDocument(r *rand.Rand) string {
	w := &writer{Rand: r}
	for i, n := 0, r.IntN(4); i < n; i++ {
		w.on = append(w.on, []string{"User", "Post", "Node", "Named", "Any", "Query", "Stats", "Thing", "Counter"}[r.IntN(9)])
	}
	for i, on := range w.on {
		// A fragment spreads only those before it, so that there is no cycle.
		before := &writer{Rand: r, on: w.on[:i]}
		w.fragments = append(w.fragments, fmt.Sprintf("fragment F%d on %s %s", i, on, before.set(testSchema.Types[on], 2)))
	}
	op, root := "query", testSchema.Query
	if r.IntN(4) == 0 {
		op, root = "mutation", testSchema.Mutation
	}
	return op + "($a: Boolean!, $b: Boolean!) " + w.set(root, 4) + "\n" + strings.Join(w.fragments, "\n")
}

func (w *writer) set(on *ast.Definition, depth int) string {
	var b strings.Builder
	b.WriteString("{ ")
	n := 1 + w.IntN(4)
	for range n {
		b.WriteString(w.selection(on, depth) + " ")
	}
	b.WriteString("}")
	return b.String()
}

func (w *writer) selection(on *ast.Definition, depth int) string {
	switch p := w.IntN(10); {
	case p == 0 && len(w.on) > 0:
		return fmt.Sprintf("...F%d%s", w.IntN(len(w.on)), w.condition())
	case p <= 2 && depth > 0:
		return w.inline(on, depth)
	case p == 3:
		return []string{"__typename", "t: __typename", "__typename" + w.condition()}[w.IntN(3)]
	case p <= 5 && on.Fields.ForName("id") != nil:
		return []string{"id", "id" + w.condition(), "id @mask", "a: id", "id id", "id"}[w.IntN(6)]
	}
	if len(on.Fields) == 0 { // a union
		return "__typename"
	}
	f := on.Fields[w.IntN(len(on.Fields))]
	typ := testSchema.Types[f.Type.Name()]
	if strings.HasPrefix(f.Name, "__") || (typ.IsCompositeType() && depth == 0) {
		return "__typename"
	}
	return w.field(f, typ, depth)
}

func (w *writer) inline(on *ast.Definition, depth int) string {
	types := append([]*ast.Definition{on}, testSchema.GetPossibleTypes(on)...)
	types = append(types, testSchema.GetImplements(on)...)
	t := types[w.IntN(len(types))]
	if w.IntN(4) == 0 {
		return "..." + w.condition() + w.set(on, depth-1)
	}
	return "... on " + t.Name + w.condition() + w.set(t, depth-1)
}

func (w *writer) field(f *ast.FieldDefinition, typ *ast.Definition, depth int) string {
	s := f.Name
	if w.IntN(6) == 0 {
		s = []string{"id", "x", "__c0", "number", "alias"}[w.IntN(5)] + ": " + s
	}
	for _, a := range f.Arguments {
		if a.Type.NonNull || w.IntN(2) == 0 {
			s += fmt.Sprintf("(%s: %d)", a.Name, w.IntN(2))
		}
	}
	s += w.condition()
	if typ.IsCompositeType() {
		s += " " + w.set(typ, depth-1)
	}
	return s
}

func (w *writer) condition() string {
	if w.IntN(5) > 0 {
		return ""
	}
	return []string{" @skip(if: $a)", " @include(if: $a)", " @skip(if: $b)", " @include(if: true)", " @include(if: false)"}[w.IntN(5)]
}
