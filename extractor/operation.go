package extractor

import "github.com/vektah/gqlparser/v2/ast"

// A Spec tells Prepare what to look for in a schema.
type Spec struct {
	Schema *ast.Schema
	// Key returns the name of the field that identifies a row of an object type, or "" when rows of
	// the type have no identity. The field must exist, take no required argument and be a leaf.
	Key func(object *ast.Definition) string
	// Paths returns the field paths, relative to an object of the given type returned by the given
	// field, whose values the caller wants to know although the client may not have selected them.
	// Every path ends at a leaf. Nil means none.
	Paths func(field *Field, object *ast.Definition) [][]string
	// Cascade asks for a hidden copy of GraphQL Cascade payloads below the root fields.
	Cascade bool
	// MaxFields bounds the response positions of one operation: nested fragments can describe
	// exponentially many. Defaults to 10,000.
	MaxFields int
}

// An Operation is a prepared operation: a copy of the client's with hidden fields, and the tree of
// its response positions. It is immutable and safe for concurrent use, for any number of walks.
type Operation struct {
	// Doc and Operation are what to execute. When nothing had to be injected they are the client's.
	Doc       *ast.QueryDocument
	Operation *ast.OperationDefinition
	// Root is the selection on the operation's root type.
	Root *Selection
	// Fields are all positions, by Field.ID.
	Fields []*Field
	// Injected says whether Doc differs from the client's document.
	Injected bool
}

// A Selection is what an operation selects on one concrete object type at one position: fields that
// share a response name are merged, those under @skip or @include are there.
type Selection struct {
	// ID is dense over the selections of an operation.
	ID     int
	Object *ast.Definition
	// Field is the position that returns the object; nil for the root.
	Field  *Field
	Fields []*Field
	// Paths are the hidden paths, as Spec.Paths gave them.
	Paths [][]string

	byName map[string]*Field
}

// A Field is one response position.
type Field struct {
	ID         int
	Name       string // response name: the alias or the name
	Definition *ast.FieldDefinition
	Arguments  ast.ArgumentList
	// In is the selection that the field belongs to.
	In *Selection
	// On holds, for a field of object, interface or union type, one selection per possible object
	// type, sorted by type name. Empty for leaves.
	On []*Selection
}
