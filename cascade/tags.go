package cascade

import (
	"encoding/binary"

	"github.com/cespare/xxhash/v2"

	"github.com/cascadeql/cascadeql/cascade/tag"
)

// A Tag is what an entry depends on and a change names: see the package tag.
type Tag = tag.Tag

// Merge sorts tags in place and joins the masks of equal ones.
func Merge(tags []Tag) []Tag { return tag.Merge(tags) }

// A Partition is the tenant that a caller's predicate, or a change, belongs to. The zero
// Partition is outside all of them.
type Partition struct {
	hash uint64
}

// PartitionOf returns the partition of that name; "" is outside all partitions. Names
// that a database may take for one are one partition: those that differ in the case of
// ASCII letters, in punctuation, space or zeros at the beginning. A name with other than
// ASCII characters is outside all partitions, which reaches further.
func PartitionOf(name string) Partition {
	var buf [64]byte
	class, ok := appendClass(append(buf[:0], 'p'), name)
	if name == "" || !ok {
		return Partition{}
	}
	// the smallest numbers are taken by the marks below
	return Partition{hash: max(xxhash.Sum64(class), partOutside+1)}
}

// The kinds of tag. They go into the hash, and so do the lengths of what follows.
const (
	tagAnything  = 'a' // entries whose reads are not all declared; every change publishes it
	tagRow       = 'r' // one row of a view, there or not
	tagAllRows   = 'R' // each row of a view that is there; for changes that do not know which
	tagNoRow     = 'n' // each row of a view that is not there
	tagSet       = 's' // the rows with these values; no values: the shape; no columns: the whole view
	tagUpdate    = 'u' // each update of known columns of a view; for conditions on its rows
	tagRootField = 'f' // answers with this query field
	tagOperation = 'o' // answers to operations of this name
	tagTenant    = 't' // answers of this partition's callers
)

// Anything is the tag of entries whose reads are not all declared.
var Anything = Tag{Hash: xxhash.Sum64String("a"), Mask: uint64(AllColumns)}

// RootField is the tag of the answers that contain a field of the query type.
func RootField(name string) Tag {
	return Tag{Hash: xxhash.Sum64String(string(rune(tagRootField)) + name), Mask: uint64(AllColumns)}
}

// OperationTag is a tag for the answers to operations of a name. No event publishes it.
func OperationTag(name string) Tag {
	return Tag{Hash: xxhash.Sum64String(string(rune(tagOperation)) + name), Mask: uint64(AllColumns)}
}

// OtherOperations is the tag of answers to operations whose name may not have been known
// when somebody looked for those that match a pattern. Every pattern publishes it.
var OtherOperations = Tag{Hash: xxhash.Sum64String("?operations"), Mask: uint64(AllColumns)}

// OtherValues is the same of values, for patterns of the names of their keys.
var OtherValues = Tag{Hash: xxhash.Sum64String("?values"), Mask: uint64(AllColumns)}

// Tag returns a tag for all answers of callers inside the partition. No event publishes
// it. It returns false outside of all partitions.
func (p Partition) Tag() (Tag, bool) {
	if p.hash == 0 {
		return Tag{}, false
	}
	b := binary.LittleEndian.AppendUint64([]byte{tagTenant}, p.hash)
	return Tag{Hash: xxhash.Sum64(b), Mask: uint64(AllColumns)}, true
}

type tagBuilder struct {
	buf [128]byte
}

// row returns the tags of a row, one for each class of its key. There are none when the
// key has no class: then the row cannot be told from the others of its view.
func (b *tagBuilder) row(view *View, key []byte) (hashes [maxClasses]uint64, n int) {
	h := append(b.buf[:0], tagRow)
	h = binary.LittleEndian.AppendUint64(h, view.hash)
	at := len(h)
	h, ok := appendClass(h, key)
	if !ok || view.opaqueKey != "" {
		return hashes, 0
	}
	hashes[0] = xxhash.Sum64(h)
	others, more := otherClasses(key, h[at:])
	for i, o := range others[:more] {
		hashes[1+i] = xxhash.Sum64(append(h[:at], o...))
	}
	return hashes, 1 + more
}

func (b *tagBuilder) rows(kind byte, view *View, part uint64) uint64 {
	h := append(b.buf[:0], kind)
	h = binary.LittleEndian.AppendUint64(h, view.hash)
	h = binary.LittleEndian.AppendUint64(h, part)
	return xxhash.Sum64(h)
}

// set hashes a where-shape with the values of some of its columns: known has bit i set
// when values holds one for the i-th column of the shape.
func (b *tagBuilder) set(shapeID uint64, known uint, values []Value, part uint64) uint64 {
	h := append(b.buf[:0], tagSet, byte(known))
	h = binary.LittleEndian.AppendUint64(h, shapeID)
	h = binary.LittleEndian.AppendUint64(h, part)
	for i, v := range values {
		if known&(1<<i) == 0 {
			continue
		}
		switch v.kind {
		case valueText:
			h, _ = appendClass(h, v.text) // withClasses has seen that there is one
		case valueClass:
			h = append(h, v.text...)
		}
		h = append(h, 0) // null is like the empty text
	}
	return xxhash.Sum64(h)
}

// shapeID names a set of columns of a view.
func shapeID(view *View, columns []string) uint64 {
	h := binary.AppendUvarint(nil, uint64(len(view.Name)))
	h = append(h, view.Name...)
	for _, c := range columns {
		h = binary.AppendUvarint(h, uint64(len(c)))
		h = append(h, c...)
	}
	return xxhash.Sum64(h)
}

// Partition marks within tags. A reader inside a partition hears changes made inside it
// and changes from outside all of them; a reader outside hears every change.
const (
	partNone    = 0 // the view is not partitioned
	partAny     = 1 // heard by readers outside all partitions, published by every change
	partOutside = 2 // heard by readers in any partition, published by changes from outside
)

// readerParts returns the partition marks that a reader of the view subscribes to.
func readerParts(v *View, p Partition) (parts [2]uint64, n int) {
	switch {
	case !v.Partitioned:
		return [2]uint64{partNone}, 1
	case p.hash == 0:
		return [2]uint64{partAny}, 1
	default:
		return [2]uint64{p.hash, partOutside}, 2
	}
}

// writerParts returns the partition marks that a change of the view publishes.
func writerParts(v *View, p Partition) (parts [2]uint64, n int) {
	switch {
	case !v.Partitioned:
		return [2]uint64{partNone}, 1
	case p.hash == 0:
		return [2]uint64{partOutside, partAny}, 2
	default:
		return [2]uint64{p.hash, partAny}, 2
	}
}
