package rowtag

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/cascadeql/cascadeql/cascade/tag"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/catalog"
)

// posts has a key of one column, and one of two.
func posts() (*catalog.Catalog, *catalog.Table) {
	t := &catalog.Table{Name: "posts", Columns: []catalog.Column{
		{Name: "id", Class: catalog.Int, NotNull: true}, {Name: "author", Class: catalog.Text},
		{Name: "status", Class: catalog.Text}, {Name: "seq", Class: catalog.Int}, {Name: "title", Class: catalog.Text},
		{Name: "tenant", Class: catalog.Text, NotNull: true}, {Name: "slug", Class: catalog.Text, NotNull: true},
	}, Keys: [][]int{{0}, {5, 6}}}
	c := &catalog.Catalog{Dialect: catalog.SQLite, Tables: map[string]*catalog.Table{"posts": t}}
	c.Finish()
	return c, t
}

const (
	id = iota
	author
	status
	seq
	title
	tenant
	slug
)

func val(t *testing.T, class catalog.Class, v any) Value {
	t.Helper()
	x, ok := ValueOf(class, v)
	if !ok || x == 0 {
		t.Fatalf("%v has no value", v)
	}
	return x
}

func known(t *testing.T, c *catalog.Table, column int, vals ...any) Known {
	t.Helper()
	k := Known{Column: column}
	for _, v := range vals {
		k.Values = append(k.Values, val(t, c.Columns[column].Class, v))
	}
	if len(vals) == 1 {
		k.Text, k.HasText = vals[0].(string)
	}
	return k
}

func meet(a, b []tag.Tag) bool {
	for _, x := range a {
		for _, y := range b {
			if x.Hash == y.Hash && x.Mask&y.Mask != 0 {
				return true
			}
		}
	}
	return false
}

func TestValueOf(t *testing.T) {
	type name string
	type number int32
	text, null := "x", (*string)(nil)
	id := [16]byte{0xa0, 0xee, 0xbc, 0x99, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}
	for _, c := range []struct {
		class catalog.Class
		equal []any
	}{
		{catalog.Int, []any{int64(7), "7", number(7), 7.0, uint8(7), "+7", "007"}},
		{catalog.Int, []any{int64(1), true}},
		{catalog.Int, []any{int64(-1 << 63), "-9223372036854775808"}},
		{catalog.Text, []any{"x", []byte("x"), name("x"), &text}},
		{catalog.Text, []any{"", []byte{}}},
		{catalog.UUID, []any{
			"a0eebc99-0102-0304-0506-0708090a0b0c", "A0EEBC99-0102-0304-0506-0708090A0B0C", "{a0eebc9901020304-05060708090a0b0c}",
			"a0eebc99010203040506070809" + "0a0b0c", id, id[:], []byte("a0eebc99-0102-0304-0506-0708090a0b0c"),
		}},
		{catalog.Bool, []any{true, "t", "true", []byte("true"), int64(1)}},
		{catalog.Bool, []any{false, "f", int64(0)}},
		{catalog.Bytes, []any{[]byte("x"), name2("x")}},
		{catalog.Text, []any{nil, null, []byte(nil)}},
		{catalog.Opaque, []any{nil}},
	} {
		first := val(t, c.class, c.equal[0])
		for _, v := range c.equal[1:] {
			if val(t, c.class, v) != first {
				t.Errorf("%d: %v (%T) is not %v", c.class, v, v, c.equal[0])
			}
		}
	}
	for _, c := range []struct {
		class catalog.Class
		v     any
	}{
		{catalog.Int, "x"}, {catalog.Int, 1.5}, {catalog.Int, 1e300}, {catalog.Int, uint64(1 << 63)}, {catalog.Int, []int{1}},
		{catalog.Int, "7 "}, {catalog.Int, []byte("7")}, {catalog.Int, "0x10"}, {catalog.Int, "1_000"},
		{catalog.Text, int64(1)}, {catalog.Text, true}, {catalog.Text, 1.0},
		{catalog.UUID, "a0eebc99"}, {catalog.UUID, "a0eebc99-0102-0304-0506-0708090a0b0cdd"}, {catalog.UUID, int64(1)}, {catalog.UUID, "a}eebc99-0102-0304-0506-0708090a0b0c"},
		{catalog.Bool, "yes"}, {catalog.Bool, int64(2)}, {catalog.Bytes, "x"}, {catalog.Opaque, "x"}, {catalog.Opaque, int64(1)},
	} {
		if x, ok := ValueOf(c.class, c.v); ok {
			t.Errorf("%d: %v (%T) is %x", c.class, c.v, c.v, x)
		}
	}
	if val(t, catalog.Text, "7") == val(t, catalog.Text, "8") || val(t, catalog.Int, int64(7)) == Null || val(t, catalog.Text, nil) != Null {
		t.Error("values are not told apart")
	}
}

type name2 []byte

// The places of numbers follow from their values.
func TestPlace(t *testing.T) {
	for _, n := range []int64{0, 1, 2, 1 << 40, 1<<63 - 1} {
		if at, ok := place(val(t, catalog.Int, n)); !ok || at != uint64(n) {
			t.Errorf("%d is at %d, %v", n, at, ok)
		}
	}
	for range 1000 {
		if x := rand.Uint64(); unmix(mix(x)) != x {
			t.Fatal("mix is not undone")
		}
	}
	for _, v := range []any{int64(-1), nil} {
		if _, ok := place(val(t, catalog.Int, v)); ok {
			t.Errorf("%v has a place", v)
		}
	}
}

// A change at a place reaches a page if and only if the place is up to its last row.
func TestPages(t *testing.T) {
	numbers := []uint64{0, 1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 100, 1 << 20, 1<<63 - 1}
	for _, last := range numbers {
		for _, at := range numbers {
			pub := publishPlace(nil, 77, at, 1)
			for _, descending := range []bool{false, true} {
				sub := subscribeUntil(nil, 77, &Window{1, last, descending}, 1)
				if want := !descending && at <= last || descending && at >= last; meet(sub, pub) != want {
					t.Errorf("%d until %d, descending %v: %v", at, last, descending, !want)
				}
			}
		}
	}
}

// model says whether a read with terms may be reached by an event, at the level of rows.
func model(e *Event, r *Rows) bool {
	side := func(side, other []Known) bool {
		for _, term := range r.Terms {
			k := lookup(side, term.Column)
			if k == nil && e.Columns&catalog.Bit(term.Column) == 0 {
				k = lookup(other, term.Column)
			}
			if k == nil {
				continue
			}
			found := false
			for _, v := range k.Values {
				for _, w := range term.Values {
					found = found || v == w
				}
			}
			if !found {
				return false
			}
		}
		return true
	}
	switch e.Op {
	case Inserted:
		return r.Mask&catalog.Created != 0 && side(e.New, nil)
	case Deleted:
		return r.Mask&catalog.Vanished != 0 && side(e.Old, nil)
	case Updated:
		before, after := side(e.Old, e.New), side(e.New, e.Old)
		moves := catalog.Mask(0)
		for _, term := range r.Terms {
			moves |= catalog.Bit(term.Column) & e.Columns
		}
		if moves == 0 {
			return e.Columns&r.Mask != 0 && before
		}
		return after || before && r.Mask&catalog.Vanished != 0
	}
	return r.Mask != 0 // or nothing was read
}

// Every change that may alter what was read meets it: random reads and events.
func TestMeets(t *testing.T) {
	c, table := posts()
	texts := []any{"a", "b", "c", nil}
	numbers := []any{int64(1), int64(2), int64(3), int64(4)}
	pick := func(column int) any {
		if table.Columns[column].Class == catalog.Int {
			return numbers[rand.IntN(len(numbers))]
		}
		return texts[rand.IntN(len(texts))]
	}
	side := func() (list []Known) {
		for col := range table.Columns {
			if rand.IntN(2) == 0 {
				k := known(t, table, col, pick(col))
				if rand.IntN(4) == 0 {
					k = known(t, table, col, pick(col), pick(col))
				}
				list = append(list, k)
			}
		}
		return list
	}
	exact, reached := 0, 0
	for range 200 {
		s := NewShapes("", c)
		for range 40 {
			r := Rows{Table: table, Terms: side(), Since: ^uint64(0)}
			r.Mask = catalog.Mask(rand.IntN(1<<7)) | uint64(rand.IntN(4))<<60
			for i := range r.Terms { // terms decide
				r.Mask |= catalog.Bit(r.Terms[i].Column)
			}
			warm := s.Subscribe(nil, &r)
			sub := s.Subscribe(nil, &r)
			e := Event{Table: table, Op: Op(1 + rand.IntN(4)), Old: side(), New: side(), Columns: catalog.Mask(rand.IntN(1 << 7))}
			e.New = slices.DeleteFunc(e.New, func(k Known) bool { // what does not change is one value
				return e.Columns&catalog.Bit(k.Column) == 0 && lookup(e.Old, k.Column) != nil
			})
			pub := s.Publish(nil, &e)
			if model(&e, &r) {
				reached++
				if !meet(sub, pub) || !meet(warm, pub) {
					t.Fatalf("missed: %+v by %+v", r, e)
				}
			} else if !meet(sub, pub) {
				exact++
			}
		}
	}
	if exact < 1000 || reached < 1000 {
		t.Errorf("%d changes reached a read, %d left one alone", reached, exact)
	}
}

// A read relies on a shape only if it is older than the read.
func TestLateShape(t *testing.T) {
	c, table := posts()
	s := NewShapes("", c)
	since := Generation()
	e := Event{Table: table, Op: Updated, Columns: catalog.Bit(status), Old: []Known{known(t, table, id, int64(1))}, New: []Known{known(t, table, status, "draft")}}
	pub := s.Publish(nil, &e) // knows no shape
	r := Rows{Table: table, Terms: []Known{known(t, table, status, "published")}, Mask: catalog.Bit(status) | catalog.Presence, Since: since}
	for range 2 {
		if !meet(s.Subscribe(nil, &r), pub) {
			t.Fatal("a read relies on a shape that the writer did not know")
		}
	}
	r.Since = Generation()
	if meet(s.Subscribe(nil, &r), pub) {
		t.Error("a read that is younger than the shape depends on the table")
	}
	if !meet(s.Subscribe(nil, &r), s.Publish(nil, &e)) {
		t.Error("a later change is missed")
	}
}

// A row that moves within the order reaches the pages of both places.
func TestMoveInOrder(t *testing.T) {
	c, table := posts()
	s := NewShapes("", c)
	v := val(t, catalog.Int, int64(10))
	for _, terms := range [][]Known{nil, {known(t, table, author, "a")}} {
		r := Rows{Table: table, Terms: terms, Mask: catalog.Bit(seq) | catalog.Presence, Since: ^uint64(0), Window: NewWindow(seq, v, false)}
		sub := s.Subscribe(s.Subscribe(nil, &r)[:0], &r)
		move := func(from, to any) []tag.Tag {
			return s.Publish(nil, &Event{
				Table: table, Op: Updated, Columns: catalog.Bit(seq),
				Old: []Known{known(t, table, author, "a"), known(t, table, seq, from)}, New: []Known{known(t, table, seq, to)},
			})
		}
		if !meet(sub, move(int64(50), int64(5))) || !meet(sub, move(int64(5), int64(50))) || !meet(sub, move(nil, int64(5))) {
			t.Error("a row that moves into the page, or out of it, is missed")
		}
		if meet(sub, move(int64(50), int64(60))) {
			t.Error("a row beyond the page drops it")
		}
		if !meet(sub, s.Publish(nil, &Event{Table: table, Op: Changed})) {
			t.Error("a change of any row is missed")
		}
	}
}

func TestContains(t *testing.T) {
	c, table := posts()
	s := NewShapes("", c)
	r := Rows{Table: table, Mask: catalog.Bit(title) | catalog.Created, Since: ^uint64(0)}
	for _, operand := range []string{"", "go", "é", "a%b", "Straße", "k!%x"} {
		if _, ok := s.SubscribeContains(nil, &r, title, []string{operand}); ok {
			t.Errorf("%q stands for a gram", operand)
		}
	}
	sub := func(operand string) []tag.Tag {
		tags, ok := s.SubscribeContains(nil, &r, title, []string{operand})
		if !ok {
			t.Fatalf("%q has no gram", operand)
		}
		return tags
	}
	insert := func(v any) []tag.Tag {
		k := Known{Column: title, Values: []Value{val(t, catalog.Text, v)}}
		if v != nil {
			k.Text, k.HasText = v.(string), true
		}
		return s.Publish(nil, &Event{Table: table, Op: Inserted, New: []Known{k}})
	}
	sub("%Cache%")
	for _, text := range []string{"the CACHE", "caches", "é cache", "İstanbul"} {
		if !meet(sub("%Cache%"), insert(text)) {
			t.Errorf("%q is missed", text)
		}
	}
	for _, text := range []any{"cash", "", nil} {
		if meet(sub("%Cache%"), insert(text)) {
			t.Errorf("%v drops the search", text)
		}
	}
	if !meet(sub("Cache"), s.Publish(nil, &Event{Table: table, Op: Inserted})) {
		t.Error("a row of unknown text is missed")
	}
	if !meet(sub("longer operand"), insert("a longer operand is found by its end")) {
		t.Error("a long operand is missed")
	}
}

// Clients choose which columns are compared: the number of shapes has a bound, and reads
// beyond it are wider.
func TestBounds(t *testing.T) {
	table := &catalog.Table{Name: "t"}
	for i := range 20 {
		table.Columns = append(table.Columns, catalog.Column{Name: string(rune('a' + i)), Class: catalog.Text})
	}
	c := &catalog.Catalog{Tables: map[string]*catalog.Table{"t": table}}
	c.Finish()
	s := NewShapes("", c)
	for i := range 20 {
		for j := range i {
			r := Rows{Table: table, Terms: []Known{known(t, table, j, "x"), known(t, table, i, "y")}, Mask: catalog.All, Since: ^uint64(0)}
			sub := s.Subscribe(nil, &r)
			if !meet(sub, s.Publish(nil, &Event{Table: table, Op: Inserted, New: r.Terms})) {
				t.Fatalf("%d, %d: a change of the set is missed", i, j)
			}
		}
	}
	if n := len(s.tables[table].all()); n != maxShapesOfTable || !s.Full() {
		t.Errorf("%d shapes", n)
	}
	pub := s.Publish(nil, &Event{Table: table, Op: Inserted})
	if len(pub) > maxShapesOfTable+1 {
		t.Errorf("a change publishes %d tags", len(pub))
	}
	many := Known{Column: 0}
	for i := range 10_000 {
		many.Values = append(many.Values, Value(i+1))
	}
	if tags := s.Subscribe(nil, &Rows{Table: table, Terms: []Known{many}, Mask: catalog.All}); len(tags) != 1 {
		t.Errorf("a long list makes %d tags", len(tags))
	}
	if tags := s.Publish(nil, &Event{Table: table, Op: Inserted, New: []Known{many}}); len(tags) > maxShapesOfTable+1 {
		t.Errorf("a long list publishes %d tags", len(tags))
	}
}

// In a set without values are no rows.
func TestEmptyList(t *testing.T) {
	c, table := posts()
	s := NewShapes("", c)
	if tags := s.Subscribe(nil, &Rows{Table: table, Terms: []Known{{Column: author}}, Mask: catalog.All}); len(tags) != 0 {
		t.Error("there are tags")
	}
	if tags := s.Subscribe(nil, &Rows{Table: table, Terms: []Known{known(t, table, author, nil)}, Mask: catalog.All}); len(tags) == 0 {
		t.Error("NULL is a value")
	}
}

// Events travel: two instances have other shapes, and columns of other numbers.
func TestEvents(t *testing.T) {
	c, table := posts()
	s := NewShapes("h", c)
	r := Rows{Table: table, Mask: catalog.Bit(title), Since: ^uint64(0)}
	s.SubscribeContains(nil, &r, title, []string{"cache"})
	events := []Event{
		{Table: table, Op: Updated, Columns: catalog.Bit(title) | catalog.Bit(seq), Old: []Known{known(t, table, id, int64(1))}, New: []Known{known(t, table, title, "the cache is a text of some length")}},
		{Table: table, Op: Inserted, New: []Known{known(t, table, id, int64(2)), known(t, table, author, "a", "b", "c")}},
		{Table: table, Op: Deleted, Old: []Known{known(t, table, author, nil)}},
		{Table: table, Op: Changed},
		{TableHash: 77, Op: Changed},
	}
	words := s.AppendEvents(nil, events)
	got, ok := s.ReadEvents(words)
	if !ok || len(got) != len(events) {
		t.Fatal(got, ok)
	}
	for i := range events { // texts that nobody searches stay here
		for _, side := range [][]Known{events[i].Old, events[i].New} {
			for j := range side {
				if side[j].Column != title {
					side[j].Text, side[j].HasText = "", false
				}
			}
		}
		if !reflect.DeepEqual(got[i], events[i]) {
			t.Errorf("%d: %+v, not %+v", i, got[i], events[i])
		}
	}
	other := &catalog.Table{Name: "posts", Columns: []catalog.Column{{Name: "new"}, table.Columns[title], table.Columns[id], table.Columns[seq]}}
	oc := &catalog.Catalog{Tables: map[string]*catalog.Table{"posts": other}}
	oc.Finish()
	os := NewShapes("h", oc)
	got, ok = os.ReadEvents(words)
	if !ok || got[0].Op != Updated || got[0].Columns != catalog.Bit(1)|catalog.Bit(3) || got[0].Old[0].Column != 2 || got[0].New[0].Column != 1 {
		t.Errorf("%+v", got)
	}
	if got[1].Op != Changed || got[1].Table != other {
		t.Errorf("a column that is not known makes %+v", got[1])
	}
	if got, ok := NewShapes("x", c).ReadEvents(words); !ok || got[0].Table != nil || got[0].Op != Changed {
		t.Errorf("another handle reads %+v", got)
	}
}

// An event of another catalog's table names the whole table.
func TestOldTable(t *testing.T) {
	c, table := posts()
	s := NewShapes("", c)
	_, old := posts()
	r := Rows{Table: table, Terms: []Known{known(t, table, author, "a")}, Mask: catalog.Bit(author), Since: ^uint64(0)}
	s.Subscribe(nil, &r)
	sub := s.Subscribe(nil, &r)
	if !meet(sub, s.Publish(nil, &Event{Table: old, Op: Updated, Columns: catalog.Bit(title), Old: []Known{known(t, table, author, "z")}})) {
		t.Error("it is missed")
	}
	if !meet(sub, s.Publish(nil, &Event{TableHash: s.TableHash("posts"), Op: Changed})) {
		t.Error("a table by its hash is missed")
	}
}

func FuzzReadEvents(f *testing.F) {
	f.Add([]byte("seed"), uint64(1))
	c, table := posts()
	s := NewShapes("", c)
	words := s.AppendEvents(nil, []Event{{Table: table, Op: Updated, Columns: 5, Old: []Known{{Column: 1, Values: []Value{7}}}}})
	f.Fuzz(func(t *testing.T, data []byte, at uint64) {
		tags := append([]tag.Tag(nil), words...)
		for i, b := range data {
			w := &tags[(int(at%uint64(len(tags)))+i)%len(tags)]
			w.Mask ^= uint64(b) << (8 * (i % 8))
			if i%3 == 0 {
				w.Hash += uint64(b)
			}
		}
		events, ok := s.ReadEvents(tags)
		if !ok {
			return
		}
		for i := range events {
			s.Publish(nil, &events[i])
		}
		again, ok := s.ReadEvents(s.AppendEvents(nil, events))
		if !ok || len(again) != len(events) {
			t.Fatalf("%+v is read as %+v", events, again)
		}
	})
}
