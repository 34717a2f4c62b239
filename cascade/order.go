package cascade

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
	"strconv"
	"strings"

	"github.com/cespare/xxhash/v2"
)

// A page in a declared order depends on no row beyond its last one, once a resolver has
// told that row's place. Tags compare for equality only, so the places, whole numbers,
// are cut into ranges whose sizes are powers of two: a change publishes all ranges that
// its place is in, a page subscribes to the few ranges that make up the places which
// matter to it. For a place of n binary digits that is 2n tags, and n.
//
// A change whose place is not known publishes one tag instead, to which pages subscribe
// as well.

// An order is how a read's rows are ordered.
type order struct {
	column     string
	mask       Mask
	descending bool
}

// parseOrder parses "column", "column asc" or "column desc".
func parseOrder(s string) (column string, descending bool, err error) {
	words := strings.Fields(s)
	if len(words) == 0 || len(words) > 2 {
		return "", false, fmt.Errorf("the order %q is no column with asc or desc: write one such as created desc", s)
	}
	if len(words) == 2 {
		switch words[1] {
		case "asc":
		case "desc":
			descending = true
		default:
			return "", false, fmt.Errorf("the order %q ends in %s: write asc or desc", s, words[1])
		}
	}
	return words[0], descending, nil
}

// order compiles the argument of that name.
func (c *compiler) order(u use, s site, v *View, r *readDecl) {
	text, ok := u.str("order")
	if !ok {
		return
	}
	column, descending, err := parseOrder(text.text)
	if err == nil && len(r.Where) == 0 {
		err = errors.New("order is for reads with where: leave it out")
	}
	if err != nil {
		c.faultf(text.pos, "%v", err)
		return
	}
	m, leaf, ok := c.column(v, literal{column, text.pos})
	switch why := c.plan.rules.incomparable(leaf); {
	case !ok:
	case why != "":
		r.Using |= m // it orders the rows, but its values tell no places
		c.vaguef(s, text.pos, why, "the order %q", text.text)
	default:
		r.order = &order{column, m, descending}
	}
}

// The kinds of tag that are derived from the tag of a set.
const (
	tagRange   = 'o' // the places of a range: those that begin with some binary digits
	tagAtLeast = 'g' // the places of so many binary digits, or more
	tagDigits  = 'l' // the places of so many binary digits
	tagNowhere = 'p' // a place that is not known
)

func placeTag(kind byte, set uint64, level int, prefix uint64) uint64 {
	var h [18]byte
	h[0], h[1] = kind, byte(level)
	binary.LittleEndian.PutUint64(h[2:], set)
	binary.LittleEndian.PutUint64(h[10:], prefix)
	return xxhash.Sum64(h[:])
}

// placeOf returns the place that a value stands for. Only whole numbers from 0 have one.
func placeOf(v Value) (uint64, bool) {
	if v.kind != valueText {
		return 0, false
	}
	n, err := strconv.ParseUint(v.text, 10, 63)
	return n, err == nil
}

// places publishes the place of a change within a set.
func (p *publisher) places(set uint64, at uint64, known bool, mask Mask) {
	add := func(kind byte, level int, prefix uint64) {
		p.out = append(p.out, Tag{Hash: placeTag(kind, set, level, prefix), Mask: uint64(mask)})
	}
	if !known {
		add(tagNowhere, 0, 0)
		return
	}
	n := bits.Len64(at)
	add(tagDigits, n, 0)
	add(tagRange, 0, at)
	for level := range n {
		add(tagRange, level+1, at>>(level+1))
		add(tagAtLeast, level+1, 0)
	}
}

// until subscribes to the places of a set that come first in an order, up to the last
// one.
func (r *reader) until(set uint64, last uint64, descending bool, mask Mask) {
	add := func(kind byte, level int, prefix uint64) { r.add(placeTag(kind, set, level, prefix), mask) }
	add(tagNowhere, 0, 0)
	add(tagRange, 0, last)
	n := bits.Len64(last)
	for level := range max(n-1, 0) { // below the highest digit
		digit := last >> level & 1
		switch {
		case descending && digit == 0:
			add(tagRange, level, last>>level|1)
		case !descending && digit == 1:
			add(tagRange, level, last>>level&^1)
		}
	}
	if descending {
		add(tagAtLeast, n+1, 0)
		return
	}
	for fewer := range n {
		add(tagDigits, fewer, 0)
	}
}

// A page is the end of a list in its order.
type page struct {
	last       uint64
	descending bool
}

// page returns where a list of the answer ends, nil when that is not known.
func (r *reader) page(b *boundRead, sh *shape, place listPlace) *page {
	if b.order == nil || b.order.column != sh.order || place.parent != 0 || place.field.In.Field != nil {
		return nil
	}
	last, ok := placeOf(r.lasts[place.field.Name])
	if !ok {
		return nil
	}
	return &page{last, b.order.descending}
}
