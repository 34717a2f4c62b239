package cascade

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
