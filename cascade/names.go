package cascade

import (
	"encoding/binary"

	"github.com/cespare/xxhash/v2"
)

// Unnamed is published beside tags that stand for more than changes of views: for answers
// to an operation, or with a query field. A reader of records who does not know what tags
// mean must take such a change for anything.
var Unnamed = Tag{Hash: xxhash.Sum64String("?unnamed"), Mask: uint64(AllColumns)}

// NameHash returns the hash of the view's name. It is the same in every schema that has a
// view of this name.
func (v *View) NameHash() uint64 { return xxhash.Sum64String(v.Name) }

// ReachedTag returns the hash of a tag that Publish gives for every event of the view,
// whatever changed and in whichever partition. It is the tag of the whole view that
// readers outside all partitions subscribe to.
func (v *View) ReachedTag() uint64 {
	part := uint64(partNone)
	if v.Partitioned {
		part = partAny
	}
	var b tagBuilder
	return b.set(shapeID(v, nil), 0, nil, part)
}

// WholeViews returns changes of unknown rows of views. Published outside of all
// partitions, and with what is derived from them, they reach every answer that depends on
// one of the views in any way.
func WholeViews(views []*View) []Event {
	events := make([]Event, 0, len(views))
	for _, v := range views {
		events = append(events, Event{View: v, Op: Any, All: true, Columns: AllColumns})
	}
	return events
}

// AppendLayout appends what the tags of this plan mean beyond the schema's content, which
// has no order: the columns of each view in the order of their bits, its key, and whether
// it is partitioned. Two plans of one schema, loaded from files in another order, differ
// here.
func (p *Plan) AppendLayout(b []byte) []byte {
	text := func(s string) {
		b = binary.AppendUvarint(b, uint64(len(s)))
		b = append(b, s...)
	}
	for _, v := range p.views {
		text(v.Name)
		text(v.key)
		flag := byte(0)
		if v.Partitioned {
			flag = 1
		}
		b = binary.AppendUvarint(append(b, flag), uint64(len(v.names)))
		for _, c := range v.names {
			text(c)
		}
	}
	return b
}
