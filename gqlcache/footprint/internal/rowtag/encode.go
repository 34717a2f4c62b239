package rowtag

import (
	"encoding/binary"

	"github.com/cascadeql/cascadeql/cascade/tag"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/catalog"
)

// Events travel as words of tags. Tables and columns are named by hashes of their names,
// since their numbers are of one catalog. An event is
//
//	the table's hash, and the header: op, how many columns changed, how many Known are
//	old, how many are new, and in bit 32 whether a home follows
//	the home, if it is known
//	the changed columns, two a tag
//	each Known: the column's hash, and how many values it has, and how long its text is
//	plus one; then the values, two a tag; then the text, 16 bytes a tag
//
// A catalog that lacks a column makes the event Changed.

// The bounds of an event on its way. One beyond them travels as Changed.
const (
	maxWireColumns = 255
	maxWireKnown   = 255
)

// withHome in a header says that a home follows.
const withHome = 1 << 32

// AppendEvents adds the words of events.
func (s *Shapes) AppendEvents(dst []tag.Tag, events []Event) []tag.Tag {
	for i := range events {
		dst = s.appendEvent(dst, &events[i])
	}
	return dst
}

func (s *Shapes) appendEvent(dst []tag.Tag, e *Event) []tag.Tag {
	hash := e.TableHash
	if e.Table != nil {
		hash = s.TableHash(e.Table.Name)
	}
	coarse := []tag.Tag{{Hash: hash, Mask: uint64(Changed)}}
	var home []tag.Tag
	if e.Home != 0 {
		coarse[0].Mask |= withHome
		home = []tag.Tag{{Hash: uint64(e.Home)}}
		coarse = append(coarse, home...)
	}
	t := s.tables[e.Table]
	if e.Table == nil || t == nil || e.Op == Changed {
		return append(dst, coarse...)
	}
	var changed []uint64
	for c := range t.columns {
		if e.Op == Updated && e.Columns&catalog.Bit(c) != 0 {
			changed = append(changed, t.columns[c])
		}
	}
	if len(changed) > maxWireColumns || len(e.Old) > maxWireKnown || len(e.New) > maxWireKnown {
		return append(dst, coarse...)
	}
	for _, side := range [...][]Known{e.Old, e.New} {
		for i := range side {
			if n := len(side[i].Values); n == 0 || n > maxValues {
				return append(dst, coarse...)
			}
		}
	}
	dst = append(dst, tag.Tag{Hash: hash, Mask: coarse[0].Mask&withHome | uint64(e.Op) | uint64(len(changed))<<8 | uint64(len(e.Old))<<16 | uint64(len(e.New))<<24})
	dst = append(dst, home...)
	dst = appendWords(dst, changed)
	for _, side := range [...][]Known{e.Old, e.New} {
		for i := range side {
			dst = t.appendKnown(dst, &side[i])
		}
	}
	return dst
}

func (t *tableShapes) appendKnown(dst []tag.Tag, k *Known) []tag.Tag {
	text := ""
	head := uint64(len(k.Values))
	if k.HasText && len(k.Text) <= maxText && t.find([]int{k.Column}, -1, k.Column) != nil { // somebody searches it
		text = k.Text
		head |= uint64(len(text)+1) << 16
	}
	dst = append(dst, tag.Tag{Hash: t.columns[k.Column], Mask: head})
	for i := 0; i < len(k.Values); i += 2 {
		w := tag.Tag{Hash: uint64(k.Values[i])}
		if i+1 < len(k.Values) {
			w.Mask = uint64(k.Values[i+1])
		}
		dst = append(dst, w)
	}
	for len(text) > 0 {
		var b [16]byte
		n := copy(b[:], text)
		text = text[n:]
		dst = append(dst, tag.Tag{Hash: binary.LittleEndian.Uint64(b[:8]), Mask: binary.LittleEndian.Uint64(b[8:])})
	}
	return dst
}

func appendWords(dst []tag.Tag, words []uint64) []tag.Tag {
	for i := 0; i < len(words); i += 2 {
		w := tag.Tag{Hash: words[i]}
		if i+1 < len(words) {
			w.Mask = words[i+1]
		}
		dst = append(dst, w)
	}
	return dst
}

// ReadEvents reads what AppendEvents has written, here or elsewhere. ok is false when it
// is not that: then anything may have changed.
func (s *Shapes) ReadEvents(tags []tag.Tag) (events []Event, ok bool) {
	r := reader{tags: tags}
	for len(r.tags) > 0 {
		e, ok := r.event(s)
		if !ok {
			return nil, false
		}
		events = append(events, e)
	}
	return events, true
}

// A reader takes words from the front of tags.
type reader struct{ tags []tag.Tag }

func (r *reader) next() (t tag.Tag, ok bool) {
	if len(r.tags) == 0 {
		return t, false
	}
	t, r.tags = r.tags[0], r.tags[1:]
	return t, true
}

// words reads n of them, two a tag.
func (r *reader) words(n int) (list []uint64, ok bool) {
	if need := (n + 1) / 2; need > len(r.tags) {
		return nil, false
	}
	for len(list) < n {
		t, _ := r.next()
		if list = append(list, t.Hash); len(list) < n {
			list = append(list, t.Mask)
		} else if t.Mask != 0 {
			return nil, false
		}
	}
	return list, true
}

func (r *reader) event(s *Shapes) (e Event, ok bool) {
	head, ok := r.next()
	if !ok || head.Mask&^withHome>>32 != 0 {
		return e, false
	}
	op, columns, before, after := Op(head.Mask), int(head.Mask>>8&0xff), int(head.Mask>>16&0xff), int(head.Mask>>24&0xff)
	if op < Inserted || op > Changed || op == Changed && head.Mask&^withHome>>8 != 0 {
		return e, false
	}
	t := s.byHash[head.Hash]
	coarse := Event{TableHash: head.Hash, Op: Changed}
	e.Op = op
	if t != nil {
		e.Table, coarse = t.table, Event{Table: t.table, Op: Changed}
	}
	if head.Mask&withHome != 0 {
		home, ok := r.next()
		if !ok || home.Hash&1 == 0 || home.Mask != 0 {
			return e, false
		}
		e.Home, coarse.Home = Home(home.Hash), Home(home.Hash)
	}
	exact := t != nil && op != Changed
	changed, ok := r.words(columns)
	if !ok {
		return e, false
	}
	for _, h := range changed {
		c, found := t.column(h)
		exact = exact && found
		e.Columns |= catalog.Bit(max(c, 0))
	}
	for i := range before + after {
		k, known, ok := r.known(t)
		if !ok {
			return e, false
		}
		exact = exact && known
		if i < before {
			e.Old = append(e.Old, k)
		} else {
			e.New = append(e.New, k)
		}
	}
	if !exact {
		return coarse, true
	}
	sortKnown(e.Old)
	sortKnown(e.New)
	return e, true
}

// known reads a Known. found is false when the table has no such column.
func (r *reader) known(t *tableShapes) (k Known, found, ok bool) {
	head, ok := r.next()
	values, text := int(head.Mask&0xffff), int(head.Mask>>16)
	if !ok || values == 0 || values > maxValues || head.Mask>>32 != 0 || text > maxText+1 || text > 0 && values != 1 {
		return k, false, false
	}
	k.Column, found = t.column(head.Hash)
	list, ok := r.words(values)
	if !ok {
		return k, false, false
	}
	for _, v := range list {
		if v == 0 {
			return k, false, false
		}
		k.Values = append(k.Values, Value(v))
	}
	if text == 0 {
		return k, found, true
	}
	k.HasText = true
	var b []byte
	for len(b) < text-1 {
		t, ok := r.next()
		if !ok {
			return k, false, false
		}
		b = binary.LittleEndian.AppendUint64(b, t.Hash)
		b = binary.LittleEndian.AppendUint64(b, t.Mask)
	}
	k.Text = string(b[:text-1])
	return k, found, true
}

// column returns the number of a column by the hash of its name.
func (t *tableShapes) column(hash uint64) (int, bool) {
	if t != nil {
		for i, h := range t.columns {
			if h == hash {
				return i, true
			}
		}
	}
	return -1, false
}

// sortKnown sorts by column.
func sortKnown(list []Known) {
	for i := 1; i < len(list); i++ {
		for j := i; j > 0 && list[j].Column < list[j-1].Column; j-- {
			list[j], list[j-1] = list[j-1], list[j]
		}
	}
}
