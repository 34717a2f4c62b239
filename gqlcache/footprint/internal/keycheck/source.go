package keycheck

import (
	"cmp"
	"encoding/json"
	"reflect"
	"slices"
	"strings"

	"github.com/cespare/xxhash/v2"
)

// A source is where a value may have come from: a part of the key, or a column of the rows
// of a statement. Its lowest bits are its kind and how the value is derived; the rest tells
// the part.
type source uint64

// A kind is what kind of part a source is of.
type kind uint64

const (
	ofVariable kind = iota
	ofLiteral
	ofPredicate
	ofVary
	ofKnown
	ofRow
	ofNothing // for functions only
)

// A derivation says how a value is made from a part.
type derivation uint64

const (
	equal    derivation = iota
	decoded             // base64, and what is within
	within              // a token of it, a part of an id
	oneMore             // for limits that find out whether there is a next page
	oneLess             // for pages that count from one
	product             // of two variables, for offsets
	truth               // a truth value as a number
	composed            // of several tokens with sources of their own
	instant             // the time that a number is, or the other way round
	shifted             // a time, a day later for instance
	scaled              // a number, of another unit
	compact             // without what is no letter and no digit
	digested            // a digest
)

const (
	kindBits       = 3
	derivationBits = 5
	partMask       = ^source(1<<(kindBits+derivationBits) - 1)
)

func newSource(hash uint64, k kind, d derivation) source {
	return source(hash)&partMask | source(d)<<kindBits | source(k)
}

func (s source) kind() kind   { return kind(s & (1<<kindBits - 1)) }
func (s source) isRow() bool  { return s.kind() == ofRow }
func (s source) part() source { return s&partMask | source(s.kind()) }
func (s source) derived(d derivation) source {
	return s.part() | source(d)<<kindBits
}

// An origin is a source within one computation.
type origin struct {
	source source
	// value is the part's, exact; plain says that it is one of few.
	value uint64
	plain bool
	// field is that of the statement, distinct how many values the column had.
	field    string
	distinct int
}

// mix makes one hash of two.
func mix(a, b uint64) uint64 {
	h := a ^ (b + 0x9e3779b97f4a7c15 + a<<6 + a>>2)
	h *= 0xff51afd7ed558ccd
	h ^= h >> 33
	h *= 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}

func hashString(s string) uint64 { return xxhash.Sum64String(s) }

// An origins is all that is known of where values come from, of one computation.
type origins struct {
	normalizer
	list   []origin
	values index // folded hashes of values to origins
	bySrc  index // sources to origins
	over   bool
	// ints are the whole numbers among the variables, for products.
	ints []wholePart
	// forms are parts whose other forms are made when a value is found to be none of those
	// that were taken in.
	forms       []form
	squeezed    []byte
	parts, rows int
	nulls       uint64 // a hash of the variables that are null
	sets        []rowSet
	// pieces counts those of computed values, partial says that these hold more than was
	// taken in.
	pieces  int
	partial bool
}

type wholePart struct {
	part uint64
	n    int64
}

// A rowSet is the columns of what a statement returned.
type rowSet struct {
	field string
	text  uint64
	// first is the number of the first column's origin.
	first, columns int
}

// The bounds of one computation.
const (
	maxParts   = 5000   // scalars of the key, and sources among them
	maxRows    = 10_000 // distinct values of rows
	maxSets    = 256    // statements with rows
	maxColumns = 4096   // of all of them
	maxDepth   = 16     // of variables
)

func (o *origins) empty() {
	o.list, o.ints, o.sets, o.forms = o.list[:0], o.ints[:0], o.sets[:0], o.forms[:0]
	o.values.empty()
	o.bySrc.empty()
	o.over, o.partial, o.parts, o.pieces, o.rows, o.nulls = false, false, 0, 0, 0, 0
}

// originOf returns the number of a source's origin.
func (o *origins) originOf(s source, v *value) (uint32, bool) {
	if i, ok := o.bySrc.first(uint64(s)); ok {
		return i, true
	}
	if len(o.list) >= maxParts+maxColumns {
		o.over = true
		return 0, false
	}
	i := uint32(len(o.list))
	og := origin{source: s}
	if v != nil {
		og.value, og.plain = v.exact, v.plain
	}
	o.list = append(o.list, og)
	o.bySrc.add(uint64(s), i)
	return i, true
}

// hold says that a source holds a value.
func (o *origins) hold(s source, v value) {
	if o.over || v.null {
		return
	}
	if i, ok := o.originOf(s, &v); ok {
		o.values.add(v.folded, i)
	}
}

// The hashes of parts that have no name.
var predicateHash = mix(2, 0)

func varyHash(i int) uint64 { return mix(3, uint64(i)) }

// predicatePart is the predicate as a whole, varyPart a part of Vary.
var predicatePart = newSource(predicateHash, ofPredicate, equal)

func varyPart(i int) source { return newSource(varyHash(i), ofVary, equal) }

// key takes in the parts of the key.
func (o *origins) key(k *Key) {
	for name, v := range k.Variables {
		o.part(hashString(name), ofVariable, v, 0)
	}
	for i, v := range k.Literals {
		o.part(mix(1, uint64(i)), ofLiteral, v, 0)
	}
	o.tokens(predicateHash, ofPredicate, k.Predicate)
	for i, v := range k.Vary {
		o.tokens(varyHash(i), ofVary, v)
	}
	for _, v := range k.Known {
		o.part(mix(4, 0), ofKnown, v, 0)
	}
	slices.SortFunc(o.ints, func(a, b wholePart) int { return cmp.Compare(a.part, b.part) })
	o.ints = o.ints[:min(len(o.ints), maxInts)]
	for i, a := range o.ints {
		for _, b := range o.ints[i+1:] {
			hash := a.part ^ b.part
			for _, x := range [...]int64{a.n * b.n, (a.n - 1) * b.n, a.n * (b.n - 1)} {
				o.hold(newSource(hash, ofVariable, product), o.whole(x))
			}
		}
	}
}

// maxInts is how many numbers are multiplied with each other.
const maxInts = 6

// part takes in a variable, an element of a list of them, or a field of an input object.
func (o *origins) part(hash uint64, k kind, v any, depth int) {
	if o.parts++; o.parts > maxParts || depth > maxDepth {
		o.over = true
		return
	}
	switch v := v.(type) {
	case map[string]any:
		for name, x := range v {
			o.part(mix(hash, hashString(name)), k, x, depth+1)
		}
		return
	case []any:
		for _, x := range v {
			o.part(mix(hash, 7), k, x, depth+1)
		}
		return
	}
	val, ok := o.scalar(v)
	if !ok {
		o.composite(hash, k, v, depth)
		return
	}
	if val.null {
		o.nulls += mix(hash, 1)
		return
	}
	o.given(newSource(hash, k, equal), val)
	if val.whole {
		o.hold(newSource(hash, k, oneMore), o.whole(val.n+1))
		o.hold(newSource(hash, k, oneLess), o.whole(val.n-1))
		if k == ofVariable {
			o.ints = append(o.ints, wholePart{hash, val.n})
		}
	}
	text, _ := textOf(v)
	o.instants(hash, k, &val)
	o.form(hash, k, &val, text)
	switch v := v.(type) {
	case bool:
		n := int64(0)
		if v {
			n = 1
		}
		o.hold(newSource(hash, k, truth), o.whole(n))
	case string:
		o.spelled(hash, k, v)
	}
}

// given says that a part, or an element of it, has a value. The values of all elements make
// the one of the part.
func (o *origins) given(s source, v value) {
	if i, ok := o.bySrc.first(uint64(s)); ok {
		og := &o.list[i]
		og.value, og.plain = mix(og.value, v.exact), og.plain && v.plain
	}
	o.hold(s, v)
}

// composite takes in what has parts, by reflection.
func (o *origins) composite(hash uint64, k kind, v any, depth int) {
	rv := reflect.ValueOf(v)
	switch rv.Kind() {
	case reflect.Slice, reflect.Array:
		for i := range rv.Len() {
			o.part(mix(hash, 7), k, rv.Index(i).Interface(), depth+1)
		}
	case reflect.Map, reflect.Struct, reflect.Pointer:
		if x, ok := viaJSON(v); ok {
			o.part(hash, k, x, depth+1)
		}
	}
}

// viaJSON returns what a value is in JSON.
func viaJSON(v any) (x any, ok bool) {
	defer func() {
		if recover() != nil {
			x, ok = nil, false
		}
	}()
	b, err := json.Marshal(v)
	if err != nil || len(b) > 1<<20 {
		return nil, false
	}
	return unmarshal(string(b))
}

// unmarshal returns what a text is in JSON, with numbers as they are written.
func unmarshal(s string) (x any, ok bool) {
	d := json.NewDecoder(strings.NewReader(s))
	d.UseNumber()
	return x, d.Decode(&x) == nil && !d.More()
}

// spelled takes in what a text may be a form of: base64, Type:id, a cursor, words.
func (o *origins) spelled(hash uint64, k kind, s string) {
	if len(s) > longest {
		return
	}
	text := s
	switch b, ok := o.decodeBytes(s); {
	case ok && isText(b):
		text = string(b)
		o.hold(newSource(hash, k, decoded), o.text(text))
		o.inner(hash, k, text)
	case ok:
		o.hold(newSource(hash, k, decoded), o.bytes(b))
		if x, ok := messagePack(b); ok {
			o.leaves(mix(hash, 17), k, x)
		}
	}
	if i := strings.LastIndexAny(text, ":/|"); i >= 0 && i+1 < len(text) {
		o.hold(newSource(hash, k, within), o.text(text[i+1:]))
	}
	n := 0
	eachToken(s, inWord, func(token string) {
		if n++; n <= 32 && len(token) < len(s) {
			o.hold(newSource(hash, k, within), o.text(token))
		}
	})
}

// inner takes in the parts of what was encoded: of JSON, or of text with separators.
func (o *origins) inner(hash uint64, k kind, d string) {
	if d[0] == '{' || d[0] == '[' {
		if x, ok := unmarshal(d); ok {
			o.leaves(hash, k, x)
			return
		}
	}
	n := 0
	eachToken(d, func(c byte) bool { return inToken(c) || c == '+' || c == ':' || c == ' ' }, func(token string) {
		if n++; n <= 32 {
			o.decodedPart(mix(hash, uint64(n)), k, token)
		}
	})
	n = 0
	eachToken(d, inToken, func(token string) {
		if n++; n <= 32 {
			o.decodedPart(mix(hash, uint64(n)), k, token)
		}
	})
}

func (o *origins) decodedPart(hash uint64, k kind, token string) {
	v := o.text(token)
	o.hold(newSource(hash, k, decoded), v)
	if v.whole {
		o.hold(newSource(hash, k, oneMore), o.whole(v.n+1))
	}
	o.instants(hash, k, &v)
}

// leaves takes in the scalars of what JSON decodes to.
func (o *origins) leaves(hash uint64, k kind, x any) {
	switch x := x.(type) {
	case map[string]any:
		for name, y := range x {
			o.leaves(mix(hash, hashString(name)), k, y)
		}
	case []any:
		for i, y := range x {
			o.leaves(mix(hash, uint64(i)), k, y)
		}
	default:
		if v, ok := o.scalar(x); ok {
			o.hold(newSource(hash, k, decoded), v)
			o.instants(hash, k, &v)
		}
	}
}

// tokens takes in a predicate or a part of Vary, and what stands between separators. A
// token is told by its place from either end, and by the token before it.
func (o *origins) tokens(hash uint64, k kind, s string) {
	if s == "" {
		return
	}
	o.hold(newSource(hash, k, equal), o.text(s))
	if len(s) > 16*longest {
		return
	}
	total := 0
	eachToken(s, inToken, func(string) { total++ })
	i, before := 0, uint64(0)
	eachToken(s, inToken, func(token string) {
		if i >= 256 {
			return
		}
		v := o.text(token)
		o.hold(newSource(mix(hash, uint64(i)), k, within), v)
		o.hold(newSource(mix(hash, uint64(i-total)), k, within), v)
		if before != 0 {
			o.hold(newSource(mix(hash, before), k, within), v)
		}
		if !v.whole && len(token) >= 3 || len(token) >= 6 {
			o.hold(newSource(hash, k, within), v)
		}
		o.webToken(mix(hash, 11), k, token)
		i, before = i+1, v.folded
	})
	if !slices.Contains([]byte("{["), s[0]) {
		return
	}
	if x, ok := unmarshal(s); ok {
		o.leaves(mix(hash, 13), k, x)
	}
}

// webToken takes in the claims of a JSON web token.
func (o *origins) webToken(hash uint64, k kind, token string) {
	if !strings.HasPrefix(token, "eyJ") {
		return
	}
	parts := strings.SplitN(token, ".", 4)
	if len(parts) < 2 {
		return
	}
	claims, ok := o.decode(parts[1])
	if !ok {
		return
	}
	if x, ok := unmarshal(claims); ok {
		o.leaves(hash, k, x)
	}
}

// row takes in a row that a statement returned.
func (o *origins) row(field string, text uint64, columns int) (first int, ok bool) {
	for i := len(o.sets) - 1; i >= 0; i-- {
		if s := &o.sets[i]; s.text == text && s.columns == columns && s.field == field {
			return s.first, true
		}
	}
	if len(o.sets) >= maxSets || len(o.list)+columns > maxParts+maxColumns {
		o.over = true
		return 0, false
	}
	first = len(o.list)
	at := mix(text, hashString(field))
	for c := range columns {
		s := newSource(mix(at, uint64(c)), ofRow, equal)
		o.bySrc.add(uint64(s), uint32(len(o.list)))
		o.list = append(o.list, origin{source: s, field: field})
	}
	o.sets = append(o.sets, rowSet{field, text, first, columns})
	return first, true
}

// cell takes in a value of a row.
func (o *origins) cell(number int, cell any) {
	o.quick = true
	v, ok := o.scalar(cell)
	o.quick = false
	if !ok {
		o.over = true
	}
	if !ok || v.null {
		return
	}
	o.hasCell(uint32(number), v)
	if s, ok := compositeCell(cell); ok {
		o.cellParts(uint32(number), s)
	}
}

// hasCell says that a column has a value.
func (o *origins) hasCell(number uint32, v value) {
	if o.values.add(v.folded, number) {
		o.list[number].distinct++
		if o.rows++; o.rows > maxRows {
			o.over = true
		}
	}
}

// compositeCell returns the text of a cell that holds an array or JSON.
func compositeCell(cell any) (string, bool) {
	switch c := cell.(type) {
	case string:
		return c, len(c) > 2 && len(c) <= longest && (c[0] == '{' || c[0] == '[')
	case []byte:
		if len(c) > 2 && len(c) <= longest && (c[0] == '{' || c[0] == '[') {
			return string(c), true
		}
	}
	return "", false
}

// cellParts takes in what stands between the separators of a cell.
func (o *origins) cellParts(number uint32, s string) {
	field := o.list[number].field
	i, ok := o.originOf(o.list[number].source.derived(within), nil)
	if !ok {
		return
	}
	o.list[i].field = field
	o.quick = true
	eachToken(s, inToken, func(token string) { o.hasCell(i, o.text(token)) })
	o.quick = false
}
