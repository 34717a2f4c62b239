package rowtag

import (
	"github.com/cascadeql/cascadeql/cascade/tag"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/catalog"
)

// Publish adds the tags of a change: that of its table, and for each shape of it the tag
// of what the event knows of the shape's columns, before and after. It must be called
// after the commit: see Generation.
func (s *Shapes) Publish(dst []tag.Tag, e *Event) []tag.Tag {
	var t *tableShapes
	hash := e.TableHash
	switch {
	case e.Table == nil:
		t = s.byHash[hash]
	case s.tables[e.Table] != nil:
		t = s.tables[e.Table]
	default: // of another catalog: its columns have other numbers
		hash = s.TableHash(e.Table.Name)
		t = s.byHash[hash]
	}
	if t == nil { // who reads it knows no more of it
		return append(dst, tag.Tag{Hash: mix(hash), Mask: catalog.All})
	}
	op := e.Op
	if e.Table != t.table {
		op = Changed
	}
	p := publishing{t: t, e: e}
	switch op {
	case Inserted:
		p.mask = catalog.Created
	case Deleted:
		p.mask = catalog.Vanished
	case Updated:
		if p.mask = e.Columns &^ catalog.Presence; p.mask == 0 {
			return dst
		}
	default:
		p.mask = catalog.All
	}
	if e.Home == 0 && t.table.Ambiguous {
		dst = append(dst, tag.Tag{Hash: t.strayTag(), Mask: p.mask})
	}
	e.homes(func(home Home) {
		p.home = home
		dst = p.all(dst, op)
	})
	return dst
}

// all adds the tags of one home.
func (p *publishing) all(dst []tag.Tag, op Op) []tag.Tag {
	e := p.e
	dst = append(dst, tag.Tag{Hash: p.t.tableTag(p.home), Mask: p.mask})
	for _, sh := range p.t.all() {
		switch op {
		case Inserted:
			dst = p.side(dst, sh, e.New, nil, p.mask)
		case Deleted:
			dst = p.side(dst, sh, e.Old, nil, p.mask)
		case Updated:
			if !p.moves(sh) {
				dst = p.side(dst, sh, e.Old, e.New, p.mask)
				continue
			}
			// Who has the row after the change hears of it by the second side. Who had it, and
			// has it no more, asks for rows that go, or has the row's own tag.
			dst = p.side(dst, sh, e.Old, e.New, catalog.Vanished)
			dst = p.side(dst, sh, e.New, e.Old, p.mask|catalog.Created)
		default:
			dst = p.side(dst, sh, nil, nil, p.mask)
		}
	}
	return dst
}

// publishing is one event's.
type publishing struct {
	t    *tableShapes
	e    *Event
	mask catalog.Mask
	home Home
}

// moves reports whether an update may take the row from one set of the shape to another,
// or to another place in it.
func (p *publishing) moves(sh *shape) bool {
	m := catalog.Mask(0)
	for _, c := range sh.columns {
		m |= catalog.Bit(c)
	}
	if sh.order >= 0 {
		m |= catalog.Bit(sh.order)
	}
	return m&p.mask != 0
}

// known returns what one side of the event knows of a column. What the other knows is true
// of both where the update leaves the column alone.
func (p *publishing) known(side, other []Known, column int) *Known {
	if k := lookup(side, column); k != nil {
		return k
	}
	if other != nil && p.mask&catalog.Bit(column) == 0 {
		return lookup(other, column)
	}
	return nil
}

func lookup(list []Known, column int) *Known {
	for i := range list {
		if list[i].Column == column && len(list[i].Values) > 0 {
			return &list[i]
		}
	}
	return nil
}

// side adds the tags of a row before, or after, for one shape.
func (p *publishing) side(dst []tag.Tag, sh *shape, side, other []Known, mask catalog.Mask) []tag.Tag {
	if sh.grams >= 0 {
		return p.grams(dst, sh, p.known(side, other, sh.grams), mask)
	}
	var buffer [maxTerms]Known
	terms := buffer[:0]
	combinations := 1
	for _, c := range sh.columns {
		if k := p.known(side, other, c); k != nil && (combinations*len(k.Values) <= maxCombinations || len(sh.columns) == 1 && len(k.Values) <= maxValues) {
			combinations *= len(k.Values)
			terms = append(terms, *k)
		}
	}
	complete := len(terms) == len(sh.columns)
	return p.t.combine(dst, sh, terms, 1<<len(terms)-1, setHash(p.home), func(dst []tag.Tag, hash uint64) []tag.Tag {
		if sh.order < 0 || !complete {
			return append(dst, tag.Tag{Hash: hash, Mask: mask})
		}
		if k := p.known(side, other, sh.order); k != nil && len(k.Values) == 1 {
			if at, ok := place(k.Values[0]); ok {
				return publishPlace(dst, hash, at, mask)
			}
		}
		return append(dst, tag.Tag{Hash: placeTag(anyPlace, hash, 0, 0), Mask: mask})
	})
}

// grams adds the tags of the column's text.
func (p *publishing) grams(dst []tag.Tag, sh *shape, k *Known, mask catalog.Mask) []tag.Tag {
	if k != nil && len(k.Values) == 1 {
		if k.Values[0] == Null {
			return dst // contains nothing
		}
		if k.HasText && grams(k.Text, func(g string) { dst = append(dst, tag.Tag{Hash: sh.gramTag(p.home, g), Mask: mask}) }) {
			return dst
		}
	}
	return append(dst, tag.Tag{Hash: sh.gramTag(p.home, ""), Mask: mask})
}
