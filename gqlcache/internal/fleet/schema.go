package fleet

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"

	"github.com/cascadeql/cascadeql/cascade/tag"
)

// A View is what a view of the schema is called in records.
type View struct {
	// Name is the hash of the view's name. No schema decides it.
	Name uint64
	// Reached is the hash of a tag that every change of the view publishes.
	Reached uint64
	// Partitioned says that the tags of the view's changes depend on the partition.
	Partitioned bool
}

// A SchemaConfig is what a Schema is made of.
type SchemaConfig struct {
	// Mark names how tags are derived: instances with one mark understand each other's
	// tags.
	Mark tag.Tag
	// Unnamed is the hash of the tag that is published beside tags which stand for no
	// view.
	Unnamed uint64
	// Views are all views.
	Views []View
	// Whole appends, to tags that it may change, those of a change of some views, by
	// their names: of the whole views, outside all partitions.
	Whole func(tags []tag.Tag, names []uint64) []tag.Tag
}

// A Schema is what the tags of records, and of shared entries, mean in this instance. It
// is not changed.
type Schema struct {
	cfg     SchemaConfig
	reached map[uint64]View // by the hash of the tag that each of their changes publishes
	named   map[uint64]View // by the hash of their name
	names   []uint64        // hashes of all names, sorted
	sum     uint64          // of names
}

// NewSchema returns the schema.
func NewSchema(cfg SchemaConfig) *Schema {
	s := &Schema{cfg: cfg, reached: map[uint64]View{}, named: map[uint64]View{}}
	for _, v := range cfg.Views {
		s.reached[v.Reached], s.named[v.Name] = v, v
		s.names = append(s.names, v.Name)
	}
	slices.Sort(s.names)
	s.sum = sumOf(s.names)
	return s
}

func sumOf(names []uint64) uint64 {
	b := make([]byte, 0, 8*len(names))
	for _, n := range names {
		b = binary.LittleEndian.AppendUint64(b, n)
	}
	sum := sha256.Sum256(b)
	return binary.LittleEndian.Uint64(sum[:])
}

// sign returns the mark, and behind it the tags of an entry for the shared store.
func (s *Schema) sign(tags []tag.Tag) []tag.Tag {
	return append([]tag.Tag{s.cfg.Mark}, tags...)
}

// signed returns the tags behind the mark. It returns false when there is no mark, or
// another one: then the tags mean something else here.
func (s *Schema) signed(tags []tag.Tag) ([]tag.Tag, bool) {
	if len(tags) == 0 || tags[0] != s.cfg.Mark {
		return nil, false
	}
	return tags[1:], true
}
