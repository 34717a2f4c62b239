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

// Publish appends to dst the tags of the events and of everything derived from them, and
// returns all of it merged and sorted by hash. A change made inside a partition reaches,
// in partitioned views, only that partition's readers and those outside all partitions;
// what is derived from a view that is not partitioned reaches all.
func (p *Plan) Publish(dst []Tag, events []Event, part Partition) []Tag {
	pub := publisher{out: append(dst, Anything)}
	all := p.Cascade(events)
	for i := range all {
		pub.add(&all[i], part)
	}
	return Merge(pub.out)
}

// A publisher turns events into tags.
type publisher struct {
	out  []Tag
	part Partition
	b    tagBuilder
	keys []Value // of the event's rows, when it has no others
}

// add publishes an event of a change that was made in a partition.
func (p *publisher) add(e *Event, part Partition) {
	p.part = part
	if e.everywhere {
		p.part = Partition{}
	}
	p.event(e)
}

func (p *publisher) event(e *Event) {
	if e.Columns == 0 || (len(e.Rows) == 0 && !e.All) {
		return // nothing changed
	}
	p.keys = p.keys[:0]
	for _, k := range e.Rows {
		hashes, n := p.b.row(e.View, []byte(k))
		for _, h := range hashes[:n] {
			p.out = append(p.out, Tag{Hash: h, Mask: uint64(e.Columns)})
		}
		if n == 0 && !e.All { // it may be any row
			any := *e
			any.All = true
			e = &any
		}
		p.keys = append(p.keys, Value{kind: valueText, text: k})
	}
	if e.All {
		p.keys = p.keys[:0]
	}
	parts, n := writerParts(e.View, p.part)
	for _, part := range parts[:n] {
		p.rows(e, part)
		p.shapes(e, part)
	}
}

// rows publishes what the reads of rows listen to besides their own rows.
func (p *publisher) rows(e *Event, part uint64) {
	add := func(kind byte) {
		p.out = append(p.out, Tag{Hash: p.b.rows(kind, e.View, part), Mask: uint64(e.Columns)})
	}
	if e.All && e.Op != Create { // a row that is created was not there
		add(tagAllRows)
	}
	if e.All && e.Op != Delete { // a row that is deleted was there
		add(tagNoRow)
	}
	if e.Op != Create && e.Op != Delete {
		add(tagUpdate)
	}
}

// shapes publishes what the where-reads of the view listen to.
func (p *publisher) shapes(e *Event, part uint64) {
	for i := range e.View.shapes {
		sh := &e.View.shapes[i]
		if len(sh.columns) == 0 {
			mask := e.Columns
			switch e.Op {
			case Create:
				mask = created
			case Delete:
				mask = vanished
			}
			p.out = append(p.out, Tag{Hash: p.b.set(sh.id, 0, nil, part), Mask: uint64(mask)})
			continue
		}
		if e.Columns&(sh.mask|existence) == 0 {
			continue
		}
		switch {
		case e.Op == Create:
			p.tuple(sh, e, e.New, nil, created, part)
		case e.Op == Delete:
			p.tuple(sh, e, e.Old, nil, vanished, part)
		case e.Op == Update && e.Columns&existence == 0:
			// a column that did not change has one value, whichever side knows it
			left, entered := e.Columns, e.Columns
			if sh.moved(e) {
				left, entered = vanished, existence
			}
			p.tuple(sh, e, e.Old, e.New, left, part)
			p.tuple(sh, e, e.New, e.Old, entered, part)
		default:
			p.tuple(sh, e, nil, nil, e.Columns, part)
		}
	}
}

// tuple publishes the tags of one side's values: for the columns of the shape that are
// known, each combination; the reads that compare other columns as well subscribe to
// every subset of theirs. other tells the values of columns that did not change. The key
// of known rows is always known.
func (p *publisher) tuple(sh *shape, e *Event, side, other Known, mask Mask, part uint64) {
	var known uint
	var lists [maxTerms][]Value
	combos := 1
	for i, c := range sh.names {
		vals, most := side.of(c), maxCombinations
		if vals == nil && other != nil && e.Columns&sh.bits[i] == 0 {
			vals = other.of(c)
		}
		if c == e.View.key && len(p.keys) > 0 {
			vals = p.keys
		}
		if vals == nil {
			continue
		}
		var ok bool
		if c != sh.columns[i] { // contains
			vals, ok = gramsOfValues(vals)
			most = maxGrams
		} else {
			vals, ok = withClasses(vals)
		}
		if !ok {
			continue
		}
		if len(vals) > 1 && combos*len(vals) > most {
			continue
		}
		combos *= len(vals)
		known |= 1 << i
		lists[i] = vals
	}
	leaf := setLeaf{sh: sh, known: known, mask: mask, part: part}
	if all := uint(1)<<len(sh.columns) - 1; sh.order != "" && known == all {
		leaf.ordered = true
		at := side.of(sh.order)
		if m, _ := e.View.column(sh.order); at == nil && other != nil && e.Columns&m == 0 {
			at = other.of(sh.order)
		}
		if len(at) == 1 && len(e.Rows) == 1 && !e.All {
			leaf.place, leaf.placed = placeOf(at[0])
		}
	}
	var combo [maxTerms]Value
	p.combine(&leaf, 0, lists[:len(sh.columns)], combo[:len(sh.columns)])
}

// setLeaf is what the tags of one side of a change have in common.
type setLeaf struct {
	sh    *shape
	known uint
	mask  Mask
	part  uint64
	// ordered says that pages listen for the place of the change, placed that it is
	// known.
	ordered, placed bool
	place           uint64
}

func (p *publisher) combine(leaf *setLeaf, i int, lists [][]Value, combo []Value) {
	if i == len(lists) {
		set := p.b.set(leaf.sh.id, leaf.known, combo, leaf.part)
		p.out = append(p.out, Tag{Hash: set, Mask: uint64(leaf.mask)})
		if leaf.ordered {
			p.places(set, leaf.place, leaf.placed, leaf.mask)
		}
		return
	}
	if leaf.known&(1<<i) == 0 {
		p.combine(leaf, i+1, lists, combo)
		return
	}
	for _, v := range lists[i] {
		combo[i] = v
		p.combine(leaf, i+1, lists, combo)
	}
}
