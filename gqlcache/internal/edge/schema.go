package edge

import "github.com/cascadeql/cascadeql/cascade/tag"

// A View is what is known of a view of the schema.
type View struct {
	// Name is the hash of the view's name.
	Name uint64
	// Reached is the hash of a tag that every change of the view publishes.
	Reached uint64
	// Partitioned says that its rows belong to tenants.
	Partitioned bool
	// Whole are the hashes of the tags that a change of the whole view publishes, one of
	// which each answer has that depends on the view.
	Whole []uint64
}

// A Schema tells which view a tag is of. It is not changed.
type Schema struct {
	reached, whole map[uint64]*View
	// beside are the hashes of tags that are of no view.
	beside map[uint64]bool
	// unnamed is the hash of the tag that is published beside tags of which nothing is
	// known.
	unnamed uint64
}

// NewSchema returns the schema. beside are the tags that are of no view, but for those of
// operations.
func NewSchema(views []View, beside []tag.Tag, unnamed tag.Tag) *Schema {
	s := &Schema{reached: map[uint64]*View{}, whole: map[uint64]*View{}, beside: map[uint64]bool{}, unnamed: unnamed.Hash}
	for i := range views {
		v := &views[i]
		s.reached[v.Reached] = v
		for _, h := range v.Whole {
			s.whole[h] = v
		}
	}
	for _, t := range beside {
		s.beside[t.Hash] = true
	}
	return s
}

// views returns the views of tags, each once, as the index of hashes knows them.
func views(tags []tag.Tag, index map[uint64]*View) []*View {
	var found []*View
	seen := map[*View]bool{}
	for _, t := range tags {
		if v := index[t.Hash]; v != nil && !seen[v] {
			seen[v] = true
			found = append(found, v)
		}
	}
	return found
}
