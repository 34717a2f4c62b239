package keycheck

import (
	"cmp"
	"slices"
	"strings"
)

// maxCallers bounds Options.Callers.
const maxCallers = 4

// callers are those who confirmed an explanation, as many as are needed.
type callers struct {
	list [maxCallers]Caller
	n    uint8
}

// add adds a caller. It reports whether enough are there, and whether that is new.
func (c *callers) add(who Caller, enough int) (confirmed, now bool) {
	if int(c.n) >= enough {
		return true, false
	}
	if slices.Contains(c.list[:c.n], who) {
		return false, false
	}
	c.list[c.n] = who
	c.n++
	return int(c.n) >= enough, int(c.n) >= enough
}

// A position is what was learned of one place in the statements of one document.
type position struct {
	convicted, clock bool
	// strands explain its values by where they come from. A value that two fields of the
	// operation look up with one statement has a strand for each.
	strands []strand
	// functions explain, by the parts of the key that determine them, the values that no
	// strand explains.
	functions []function
	judged    bool // functions were made
	// doubt says that the last value without a strand was not confirmed: then the strands
	// that explain the others may hold by coincidence.
	doubt bool
}

// A strand is a set of sources each of which held all values of the strand so far.
type strand struct {
	sources []source
	callers callers
	// last is a value, changes how often the next one was another: one of few values, a
	// number or a truth value for instance, may be anybody's.
	last    uint64
	changes uint8
}

// enoughChanges is how many times a strand must have held when its value changed, of values
// that are one of few.
const enoughChanges = 2

// changed notes a value. It reports whether the strand has held often enough for it.
func (s *strand) changed(ob *observation) bool {
	if ob.exact != s.last && s.changes < enoughChanges {
		s.changes++
		s.last = ob.exact
	}
	return !ob.plain || s.changes == 0 || s.changes == enoughChanges
}

// A function is a part of the key that has determined the values so far.
type function struct {
	part source
	// open is how many values of the part were seen beyond those that were seen again,
	// confirmed how many were seen with enough callers.
	open, confirmed uint8
}

// A pair is what a value of a part of the key came with at a position.
type pair struct {
	values  uint64
	callers callers
}

// The bounds of a position.
const (
	maxStrands   = 6
	maxSources   = 16
	maxFunctions = 8
	// maxOpen is how many values a variable may have, and none again, for it to determine a
	// position's: more are no choice between few.
	maxOpen = 6
	// trusted is how many values of a predicate must have been confirmed for the function
	// to be believed of others.
	trusted = 3
)

const (
	positionBytes = 120
	strandBytes   = 64
	pairBytes     = 48
)

func (p *position) bytes() int {
	n := positionBytes + 16*len(p.functions)
	for i := range p.strands {
		n += strandBytes + 8*cap(p.strands[i].sources)
	}
	return n
}

func pairSize(*pair) int { return pairBytes }

// An outcome is what one position says of a computation.
type outcome struct {
	convicted, clock, news bool
	coincidental           bool
}

// A trial is the judgment of one computation.
type trial struct {
	c   *Checker
	who Caller
	key *Key
	o   *origins
	b   *buffers
}

// judge judges a computation.
func (c *Checker) judge(f *Fill, b *buffers) (v Verdict) {
	judged := false
	defer func() {
		if !judged && recover() != nil {
			v = Verdict{Coincidental: true}
		}
	}()
	t := &trial{c, f.key.Caller, &f.key, &b.origins, b}
	c.mu.Lock()
	defer c.mu.Unlock()
	if b.over || b.origins.over {
		judged = true
		return t.unjudged()
	}
	v.Coincidental = b.unsaid
	seen := b.sorted()
	for _, text := range b.rare {
		if !t.pair(mix(6, text), 1).confirmed {
			v.Coincidental = true
		}
	}
	for len(seen) > 0 {
		n := 1
		for n < len(seen) && seen[n].place == seen[0].place {
			n++
		}
		pl := &b.places[seen[0].place]
		out := t.position(pl, seen[:n])
		if out.convicted {
			v.Convicted = append(v.Convicted, t.told(pl, out))
		}
		v.Coincidental = v.Coincidental || out.coincidental
		seen = seen[n:]
	}
	judged = true
	c.recycle(b)
	return v
}

// told returns a position that is convicted, for a report.
func (t *trial) told(pl *place, out outcome) Position {
	return Position{
		Operation: t.key.Operation, Field: strings.Clone(pl.field), Text: beginning(pl.text),
		Ordinal: pl.ordinal, Setting: strings.Clone(pl.setting), Clock: out.clock, New: out.news,
		Value: t.key.Value, Of: strings.Clone(pl.of), Part: strings.Clone(pl.part),
	}
}

// unjudged returns the verdict of a computation with more than is looked at: what was
// convicted before remains so.
func (t *trial) unjudged() Verdict {
	v := Verdict{Coincidental: true}
	for i := range t.b.places {
		pl := &t.b.places[i]
		p := t.c.mu.settled.get(mix(pl.hash, t.key.Document), (*position).bytes)
		if p != nil && p.convicted {
			v.Convicted = append(v.Convicted, t.told(pl, outcome{clock: p.clock}))
		}
	}
	return v
}

// position judges the values of one position.
func (t *trial) position(pl *place, seen []observation) outcome {
	hash := mix(pl.hash, t.key.Document)
	fresh, settled := &t.c.mu.fresh, &t.c.mu.settled
	p, kept := settled.get(hash, (*position).bytes), true
	if p == nil {
		p, kept = fresh.get(hash, (*position).bytes), false
	}
	if p == nil {
		p = new(position)
	} else if p.convicted {
		return outcome{convicted: true, clock: p.clock}
	}
	before := p.bytes()
	out := t.learn(p, hash, pl, seen)
	if out.convicted {
		*p = position{convicted: true, clock: out.clock}
	}
	switch after := p.bytes(); {
	case kept:
		settled.resize(after - before)
	case out.convicted || !out.coincidental:
		fresh.remove(hash, before)
		settled.put(hash, p, after)
	case fresh.young[hash] == nil:
		fresh.put(hash, p, after)
	default:
		fresh.resize(after - before)
	}
	return out
}

// learn explains the values of one position, and keeps what has explained all.
func (t *trial) learn(p *position, hash uint64, pl *place, seen []observation) (out outcome) {
	var hits [maxStrands]int
	var weak [maxStrands]bool
	rest, some, rows := uint64(0), false, false
	for i := range seen {
		ob := &seen[i]
		if ob.clock {
			return outcome{convicted: true, clock: true, news: true}
		}
		s := t.strand(p, ob)
		if s == tooMany {
			out.coincidental = true
			continue
		}
		if s >= 0 {
			hits[s]++
			if !p.strands[s].changed(ob) {
				weak[s] = true
			}
			rows = rows || slices.ContainsFunc(p.strands[s].sources, source.isRow)
			continue
		}
		rest, some = rest+mix(hash, ob.exact), true
	}
	for i := range p.strands {
		if hits[i] == 0 {
			continue
		}
		s := &p.strands[i]
		confirmed := false
		if t.telling(s, pl, hits[i]) {
			confirmed, _ = s.callers.add(t.who, t.c.opts.Callers)
		}
		out.coincidental = out.coincidental || !confirmed || weak[i]
	}
	if some {
		determined, confirmed := t.determined(p, hash, rest)
		if !determined {
			return outcome{convicted: true, news: true}
		}
		p.doubt = !confirmed
	}
	out.coincidental = out.coincidental || p.doubt
	if alternatives := len(p.strands); alternatives > 1 || alternatives > 0 && p.judged {
		if len(seen) == 1 && !rows && t.pair(mix(hash, t.whole()), seen[0].exact).differs {
			return outcome{convicted: true, news: true}
		}
	}
	return out
}

// whole returns a hash of all that the key has beside the document.
func (t *trial) whole() uint64 {
	h := hashString(t.key.Predicate)
	for _, v := range t.key.Vary {
		h = mix(h, hashString(v))
	}
	parts := t.o.nulls
	for i := range t.o.list {
		if s := t.o.list[i].source; (s.kind() == ofVariable || s.kind() == ofLiteral) && s == s.derived(equal) {
			parts += mix(uint64(s), t.o.list[i].value)
		}
	}
	return mix(h, parts)
}

// What strand returns beside numbers of strands.
const (
	unexplained = -1
	tooMany     = -2 // it has sources, and the position has too many strands to learn them
)

// strand returns the number of the strand that explains a value. The sources of the strand
// that do not are removed.
func (t *trial) strand(p *position, ob *observation) int {
	numbers := t.b.numbers[ob.from:ob.until]
	holds := func(s source) bool {
		for _, n := range numbers {
			if t.o.list[n].source == s {
				return true
			}
		}
		return false
	}
	best, most := unexplained, 0
	for i := range p.strands {
		s, n := &p.strands[i], 0
		for _, src := range s.sources {
			if holds(src) {
				n++
			}
		}
		if n > 0 && n == len(s.sources) {
			return i
		}
		if n > most {
			best, most = i, n
		}
	}
	if best >= 0 {
		s := &p.strands[best]
		s.sources = slices.DeleteFunc(s.sources, func(src source) bool { return !holds(src) })
		return best
	}
	if len(numbers) == 0 {
		return unexplained
	}
	if len(p.strands) == maxStrands {
		return tooMany
	}
	s := strand{last: ob.exact, sources: make([]source, 0, min(len(numbers), maxSources))}
	for _, n := range numbers {
		if src := t.o.list[n].source; len(s.sources) < maxSources && !slices.Contains(s.sources, src) {
			s.sources = append(s.sources, src)
		}
	}
	p.strands = append(p.strands, s)
	return len(p.strands) - 1
}

// telling reports whether it is no matter of course that a strand holds the values: a
// column of many rows, of which few values are used, holds much.
func (t *trial) telling(s *strand, pl *place, used int) bool {
	for _, src := range s.sources {
		if src.kind() != ofRow {
			return true
		}
		n, ok := t.o.bySrc.first(uint64(src))
		if !ok {
			continue
		}
		og, factor := &t.o.list[n], 4
		if !above(og.field, pl.field) {
			factor = 2
		}
		if og.distinct <= factor*used {
			return true
		}
	}
	return false
}

// above reports whether a field is another one or above it, or may be.
func above(outer, inner string) bool {
	return outer == "" || inner == "" ||
		strings.HasPrefix(inner, outer) && (len(inner) == len(outer) || inner[len(outer)] == '.')
}

// determined reports whether some part of the key determines the values that no strand
// explains, and whether that was confirmed. A constant is determined by nothing.
func (t *trial) determined(p *position, hash, values uint64) (determined, confirmed bool) {
	if !p.judged {
		p.judged, p.functions = true, t.functions()
	}
	p.functions = slices.DeleteFunc(p.functions, func(fn function) bool { return fn.part.kind() == ofVariable && !t.oneOfFew(fn.part) })
	kept := p.functions[:0]
	for _, fn := range p.functions {
		r := t.pair(mix(mix(hash, uint64(fn.part)), t.given(fn.part)), values)
		if r.first {
			fn.open = uint8(min(int(fn.open)+1, maxOpen+1))
		} else if fn.open > 0 {
			fn.open--
		}
		if r.differs || fn.open > maxOpen && few(fn.part) {
			continue
		}
		if r.now {
			fn.confirmed = uint8(min(int(fn.confirmed)+1, trusted))
		}
		confirmed = confirmed || r.confirmed || fn.confirmed >= trusted && !few(fn.part)
		kept = append(kept, fn)
	}
	p.functions = kept
	return len(kept) > 0, confirmed
}

// few reports whether a part determines anything only while it has few values.
func few(s source) bool { return s.kind() != ofPredicate && s.kind() != ofVary }

// functions returns the parts of the key that may determine a position.
func (t *trial) functions() []function {
	list := []function{{part: newSource(0, ofNothing, equal)}, {part: predicatePart}}
	for i := range min(len(t.key.Vary), 2) {
		list = append(list, function{part: varyPart(i)})
	}
	for i := range t.o.list {
		og := &t.o.list[i]
		if k := og.source.kind(); (k == ofVariable || k == ofLiteral) && og.plain && og.source == og.source.derived(equal) {
			list = append(list, function{part: og.source})
		}
	}
	if len(list) > maxFunctions {
		slices.SortFunc(list[2+min(len(t.key.Vary), 2):], func(a, b function) int { return cmp.Compare(a.part, b.part) })
		list = list[:maxFunctions]
	}
	return slices.Clip(list)
}

// given returns the value of a part in this computation.
func (t *trial) given(part source) uint64 {
	n, ok := t.o.bySrc.first(uint64(part))
	if !ok {
		return 0
	}
	return t.o.list[n].value
}

// oneOfFew reports whether a part has one of few values, or none.
func (t *trial) oneOfFew(part source) bool {
	n, ok := t.o.bySrc.first(uint64(part))
	return !ok || t.o.list[n].plain
}

// A reading is what a pair says.
type reading struct {
	// first says that there was none, differs that it came with other values.
	first, differs bool
	// confirmed says that enough callers had it, now that this one is the last of them.
	confirmed, now bool
}

// pair notes what a part came with.
func (t *trial) pair(hash, values uint64) (r reading) {
	pr := t.c.mu.pairs.get(hash, pairSize)
	if pr == nil {
		pr = &pair{values: values}
		t.c.mu.pairs.put(hash, pr, pairBytes)
		r.first = true
	}
	if r.differs = pr.values != values; r.differs {
		return r
	}
	r.confirmed, r.now = pr.callers.add(t.who, t.c.opts.Callers)
	return r
}

// beginning returns enough of a text for a report.
func beginning(s string) string {
	if len(s) <= 200 {
		return s
	}
	return strings.ToValidUTF8(s[:200], "") + "…"
}
