package extractor

// A Result is what Walk found in a response.
type Result struct {
	// Data is what the client gets: the input without hidden members. It shares the
	// input's memory when nothing was removed.
	Data []byte
	// Objects are the objects of the response in document order; the first is the root.
	Objects []Object
	// Rows is the number of objects with a key.
	Rows int
	// Cascade holds, per root field, the raw bytes of a hidden GraphQL Cascade payload.
	Cascade []CascadePayload
}

// An Object is one object, or one null, at a position that can hold objects.
type Object struct {
	// Field is the position; nil for the root.
	Field *Field
	// Selection is nil when the value is null, or when its concrete type could not be
	// told.
	Selection *Selection
	// Parent is the index of the enclosing object; -1 for the root.
	Parent int32
	// Null is set when the position (or the list element) holds null.
	Null bool
	// Key is the canonical text of the row's key, see CanonicalID; nil when the type has
	// none or the key could not be read. It may share memory with the walked bytes.
	Key []byte
	// Paths holds the values found at Selection.Paths, one list each: raw JSON scalars,
	// never null. A nil list means that the path could not be read, in full or in part: a
	// null on the way may be the trace of a failed hidden field. A path through an empty
	// list has an empty list.
	Paths [][][]byte

	raw []byte // of the key
}

// A CascadePayload is the raw JSON of one root field's cascade member.
type CascadePayload struct {
	Root *Field
	// Raw is what ParseCascade reads; nil when the response had no cascade member,
	// because the payload around it is null or was not an object. It shares memory with
	// the walked bytes.
	Raw []byte
	// Failed is set when the payload around it has a success field that is not true.
	Failed bool
}

// Parse reads the payload. It is ParseCascade with what the payload around the cascade
// member says.
func (p CascadePayload) Parse() Cascade {
	c := ParseCascade(p.Raw)
	c.Failed = c.Failed || p.Failed
	return c
}
