package cascade

import (
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/cascadeql/cascadeql/extractor"
)

// cacheHint is one @cacheControl.
type cacheHint struct {
	maxAge     int // seconds; -1 when not given
	scope      scopeKind
	inheritAge bool
	// sMaxAge and stale are seconds, -1 when not given: those of shared caches, and those
	// of staleWhileRevalidate.
	sMaxAge, stale int
	// vary has the names of header fields, in lower case, sorted, and each followed by a
	// line break.
	vary string
}

// scopeKind says who may share an answer.
type scopeKind uint8

// The scopes of @cacheControl; scopeUnset when it does not say. A higher one is stricter.
const (
	scopeUnset scopeKind = iota
	scopePublic
	scopePrivate
)

// A Policy is what @cacheControl says of a whole operation.
type Policy struct {
	// MaxAge is the lowest maxAge in seconds; -1 when there is none. 0 is never stored.
	MaxAge int
	// Default is set when a root field, or one that returns objects, says nothing: then
	// the default age bounds the operation too.
	Default bool
	// Public is set when every part of the operation says PUBLIC.
	Public bool
	// SMaxAge is the lowest sMaxAge in seconds; 0 when a root field, or one that returns
	// objects, says nothing: then no shared cache may show an answer that is not so any
	// more.
	SMaxAge int
	// Stale is the lowest staleWhileRevalidate in seconds; -1 when there is none.
	// StaleDefault is set when a root field, or one that returns objects, says nothing:
	// then the default bounds the operation too.
	Stale        int
	StaleDefault bool
	// Vary has the header fields that some part of the operation depends on, in lower
	// case, sorted.
	Vary []string
	// LimitedBy is the field (Type.field) or type that set MaxAge.
	LimitedBy string
	// PrivateBy is the first field or type that is not PUBLIC.
	PrivateBy string
}

// HasPrivate says whether anything in the schema has scope PRIVATE.
func (p *Plan) HasPrivate() bool {
	return p.hasHint(func(h cacheHint) bool { return h.scope == scopePrivate })
}

// HasStale says whether anything in the schema has staleWhileRevalidate.
func (p *Plan) HasStale() bool {
	return p.hasHint(func(h cacheHint) bool { return h.stale > 0 })
}

// hasHint says whether a hint of a field or a type is such a one.
func (p *Plan) hasHint(is func(cacheHint) bool) bool {
	for hint := range p.hints {
		if is(hint) {
			return true
		}
	}
	return false
}

// hints yields the hints of all fields and types.
func (p *Plan) hints(yield func(cacheHint) bool) {
	for _, hint := range p.policies {
		if !yield(hint) {
			return
		}
	}
	for _, hint := range p.typeHints {
		if !yield(hint) {
			return
		}
	}
}

// Vary returns the header fields that anything in the schema depends on, in lower case,
// sorted.
func (p *Plan) Vary() []string {
	all := ""
	for hint := range p.hints {
		all = bothVary(all, hint.vary)
	}
	return strings.Fields(all)
}

func (p *Plan) fieldHint(ref fieldRef) cacheHint {
	if hint, ok := p.policies[ref]; ok {
		return hint
	}
	return noHint
}

func (p *Plan) typeHint(name string) cacheHint {
	if hint, ok := p.typeHints[name]; ok {
		return hint
	}
	return noHint
}

// policy merges the hints of an operation, given by the selection on its root type.
func (p *Plan) policy(root *extractor.Selection) Policy {
	w := policyWalk{plan: p, out: Policy{MaxAge: -1, Stale: -1, Public: true}, edge: -1}
	// Nothing returns the root type, so its own hint can only restrict.
	hint := p.typeHint(root.Object.Name)
	w.limit(hint.maxAge, root.Object.Name)
	w.refuse(hint.scope, root.Object.Name)
	w.beside(hint)
	w.selection(root, true)
	if !w.edgeless {
		w.out.SMaxAge = max(w.edge, 0)
	}
	return w.out
}

// A policyWalk goes over the response positions of an operation.
type policyWalk struct {
	plan *Plan
	out  Policy
	// edge is the lowest sMaxAge, -1 for none; edgeless says that some part has none.
	edge     int
	edgeless bool
}

// beside adds what a hint says beside maxAge and scope.
func (w *policyWalk) beside(hint cacheHint) {
	w.edge = lowerAge(w.edge, hint.sMaxAge)
	w.out.Stale = lowerAge(w.out.Stale, hint.stale)
	for name := range strings.Lines(hint.vary) {
		name = strings.TrimSuffix(name, "\n")
		if at, found := slices.BinarySearch(w.out.Vary, name); !found {
			w.out.Vary = slices.Insert(w.out.Vary, at, name)
		}
	}
}

// lacks notes that a root field, or one that returns objects, does not say everything
// beside maxAge. hints are those that count for it.
func (w *policyWalk) lacks(inherits bool, hints ...cacheHint) {
	edge, stale := inherits, inherits
	for _, hint := range hints {
		edge, stale = edge || hint.sMaxAge >= 0, stale || hint.stale >= 0
	}
	w.edgeless = w.edgeless || !edge
	w.out.StaleDefault = w.out.StaleDefault || !stale
}

func (w *policyWalk) selection(s *extractor.Selection, root bool) {
	for _, f := range s.Fields {
		if f.Definition.Name == "__typename" {
			continue
		}
		own := w.plan.fieldHint(fieldRef{s.Object.Name, f.Definition.Name})
		coordinate := s.Object.Name + "." + f.Definition.Name
		w.limit(own.maxAge, coordinate)
		w.refuse(own.scope, coordinate)
		w.beside(own)
		if def := w.plan.schema.Types[f.Definition.Type.Name()]; def != nil && def.IsLeafType() {
			w.leaf(s, own, coordinate, root)
			continue
		}
		w.composite(f, own, coordinate, root)
	}
}

// leaf: a scalar has the age of what encloses it, but for root fields, and is public by
// itself or because its object is.
func (w *policyWalk) leaf(in *extractor.Selection, own cacheHint, coordinate string, root bool) {
	if root && own.maxAge < 0 {
		w.out.Default = true
	}
	if root {
		w.lacks(false, own)
	}
	if own.scope != scopePublic && (root || w.plan.typeHint(in.Object.Name).scope != scopePublic) {
		w.private(coordinate)
	}
}

func (w *policyWalk) composite(f *extractor.Field, own cacheHint, coordinate string, root bool) {
	if own.scope != scopePublic {
		w.private(coordinate)
	}
	name := f.Definition.Type.Name()
	declared := w.plan.typeHint(name)
	w.refuse(declared.scope, name)
	// The field's own ages count before the type's, and header fields of either.
	w.beside(cacheHint{sMaxAge: unless(own.sMaxAge, declared.sMaxAge), stale: unless(own.stale, declared.stale), vary: declared.vary})
	aged := own.maxAge >= 0
	if !aged {
		w.limit(declared.maxAge, name)
		aged = declared.maxAge >= 0
	}
	inherits := !root && (own.inheritAge || declared.inheritAge)
	w.lacks(inherits, own, declared)
	if !aged && !inherits && !w.allAged(f, name, root) {
		w.out.Default = true
	}
	for _, on := range f.On {
		// What an interface or union turns out to be counts whatever the field says: the
		// field's author need not know all types, and a private one must not leak through
		// it.
		if on.Object.Name != name {
			hint := w.plan.typeHint(on.Object.Name)
			w.limit(hint.maxAge, on.Object.Name)
			w.refuse(hint.scope, on.Object.Name)
			w.beside(hint)
		}
		w.selection(on, false)
	}
}

// allAged says whether each possible type of an abstract one brings its own age.
func (w *policyWalk) allAged(f *extractor.Field, name string, root bool) bool {
	def := w.plan.schema.Types[name]
	if def == nil || def.Kind == ast.Object || len(f.On) == 0 {
		return false
	}
	for _, on := range f.On {
		hint := w.plan.typeHint(on.Object.Name)
		if hint.maxAge < 0 && (root || !hint.inheritAge) {
			return false
		}
	}
	return true
}

// unless returns an age that counts where another one, of the field itself, is not given.
func unless(own, age int) int {
	if own >= 0 {
		return -1
	}
	return age
}

func (w *policyWalk) limit(maxAge int, by string) {
	if maxAge >= 0 && (w.out.MaxAge < 0 || maxAge < w.out.MaxAge) {
		w.out.MaxAge, w.out.LimitedBy = maxAge, by
	}
}

func (w *policyWalk) refuse(scope scopeKind, by string) {
	if scope == scopePrivate {
		w.private(by)
	}
}

func (w *policyWalk) private(by string) {
	w.out.Public = false
	if w.out.PrivateBy == "" {
		w.out.PrivateBy = by
	}
}

// lowerAge returns the lower of two maxAges, of which -1 is none.
func lowerAge(a, b int) int {
	if a < 0 || b >= 0 && b < a {
		return b
	}
	return a
}
