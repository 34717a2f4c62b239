package extractor

import (
	"sync/atomic"

	"github.com/vektah/gqlparser/v2/ast"
)

// A Spec tells Prepare what to look for in a schema.
type Spec struct {
	Schema *ast.Schema
	// Key returns the name of the field that identifies a row of an object type, or ""
	// when rows of the type have no identity. A name that is no field, a field that takes
	// a required argument, or one that is not a leaf counts as "".
	Key func(object *ast.Definition) string
	// Paths returns the field paths, relative to an object of the given type returned by
	// the given field, whose values the caller wants to know although the client may not
	// have selected them. Every path ends at a leaf. Nil means none. It is called while
	// the tree is built: of the field, Name, Definition, Arguments and In are set, On is
	// not.
	Paths func(field *Field, object *ast.Definition) [][]string
	// Wanted reports whether the value of a path that Paths returned is of use where a
	// field of the object is selected: where it is for none of them, it stays unknown.
	// Nil means that all are.
	Wanted func(object *ast.Definition, path []string, field string) bool
	// Resolve reports whether the resolvers on a path that Paths returned may run for it:
	// see Probe. Nil means that none may.
	Resolve func(field *Field, object *ast.Definition, path []string) bool
	// Cascade asks for a hidden copy of GraphQL Cascade payloads below the root fields.
	Cascade bool
	// MaxFields bounds the response positions of one operation: nested fragments can
	// describe exponentially many. Selections count as well. Defaults to 10,000.
	MaxFields int
}

// An Operation is a prepared operation: a copy of the client's with hidden fields, and
// the tree of its response positions. It is immutable and safe for concurrent use, for
// any number of walks.
type Operation struct {
	// Doc and Operation are the client's with the hidden fields, or just the client's
	// when nothing had to be injected. Probe has the part of them to execute beside the
	// client's.
	Doc       *ast.QueryDocument
	Operation *ast.OperationDefinition
	// Root is the selection on the operation's root type.
	Root *Selection
	// Fields are all positions, by Field.ID.
	Fields []*Field
	// Selections are all selections, by Selection.ID.
	Selections []*Selection
	// Injected says whether Doc differs from the client's document.
	Injected bool
	// Deferred says that the operation uses @defer. Nothing is injected then: its
	// response comes in parts, and hidden fields would be resolved while other goroutines
	// already read the operation.
	Deferred bool

	steps  []step
	schema *ast.Schema
	// objects is the number of objects in the response walked last, to size the next
	// result.
	objects atomic.Int32
}

// A Selection is what an operation selects on one concrete object type at one position:
// fields that share a response name are merged, those under @skip or @include are there.
type Selection struct {
	// ID is dense over the selections of an operation.
	ID     int
	Object *ast.Definition
	// Field is the position that returns the object; nil for the root.
	Field  *Field
	Fields []*Field
	// Paths are the hidden paths, as Spec.Paths gave them.
	Paths [][]string

	// byName is nil where there are few fields, which are searched one by one: see
	// smallSelection.
	byName map[string]*Field
	// typeNo is the number by which aliases name Object; -1 for the root.
	typeNo int
	// key is the field whose member holds the plain key; nil when there is none to rely
	// on.
	key *Field
	// keyPaths are the indexes of Paths that name the key itself.
	keyPaths []int
	wants    []want
	cascade  *cascadeShape
}

// A Field is one response position.
type Field struct {
	ID         int
	Name       string // response name: the alias or the name
	Definition *ast.FieldDefinition
	Arguments  ast.ArgumentList
	// In is the selection that the field belongs to.
	In *Selection
	// On holds, for a field of object, interface or union type, one selection per
	// possible object type, sorted by type name. Empty for leaves.
	On []*Selection
	// Cascade is set on a root field below which a hidden GraphQL Cascade payload was
	// injected. Then every result with a member for the field has a CascadePayload for
	// it, be it an unreadable one.
	Cascade bool

	index     int  // of the field in In.Fields
	composite bool // object, interface or union type, also one without possible types
	abstract  bool // interface or union type
}

// smallSelection is up to how many fields a selection has no map of their names. Most
// selections are small, and a map takes as much memory as several fields.
const smallSelection = 8

// Lookup returns the field with the given response name, or nil.
func (s *Selection) Lookup(name string) *Field {
	if s.byName != nil {
		return s.byName[name]
	}
	for _, f := range s.Fields {
		if f.Name == name {
			return f
		}
	}
	return nil
}

// lookup is Lookup for bytes, and does not allocate.
func (s *Selection) lookup(name []byte) *Field {
	if s.byName != nil {
		return s.byName[string(name)]
	}
	for _, f := range s.Fields {
		if f.Name == string(name) {
			return f
		}
	}
	return nil
}

// selectionOf returns the selection for a type number, or nil. Type numbers follow the
// order of names, so On is sorted by them too.
func (f *Field) selectionOf(typeNo int) *Selection {
	lo, hi := 0, len(f.On)
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		if f.On[mid].typeNo < typeNo {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	if lo < len(f.On) && f.On[lo].typeNo == typeNo {
		return f.On[lo]
	}
	return nil
}
