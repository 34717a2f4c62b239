package cascade

// A Value is a column's value in canonical text: what two spellings of one value have in common.
// The zero Value is unknown.
type Value struct {
	kind valueKind
	text string
}

type valueKind uint8

const (
	valueUnknown valueKind = iota
	valueNull
	valueText
)
