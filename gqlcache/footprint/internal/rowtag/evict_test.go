package rowtag

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/cascadeql/cascadeql/cascade/tag"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/catalog"
)

// wide returns a table of so many columns.
func wide(n int) *catalog.Table {
	table := &catalog.Table{Name: "t"}
	for i := range n {
		table.Columns = append(table.Columns, catalog.Column{Name: fmt.Sprint("c", i), Class: catalog.Int})
	}
	c := &catalog.Catalog{Tables: map[string]*catalog.Table{"t": table}}
	c.Finish()
	return table
}

func catalogOf(table *catalog.Table) *catalog.Catalog {
	return &catalog.Catalog{Tables: map[string]*catalog.Table{table.Name: table}}
}

// Shapes that reads go on asking for stay. The others make room, not before their time.
func TestRetire(t *testing.T) {
	table := wide(30)
	s := NewShapes("", catalogOf(table))
	read := func(columns ...int) []tag.Tag {
		r := Rows{Table: table, Mask: catalog.All, Since: ^uint64(0)}
		for _, c := range columns {
			r.Terms = append(r.Terms, known(t, table, c, int64(1)))
		}
		return s.Subscribe(nil, &r)
	}
	read(0)
	if _, tags := s.Retire(time.Hour); len(tags) > 0 {
		t.Error("a set with room is swept")
	}
	for i := range 20 {
		for j := range 4 {
			read(j, 5+i)
		}
	}
	n := len(s.tables[table].all())
	if n != maxShapesOfTable || !s.Full() {
		t.Fatalf("%d shapes", n)
	}
	now := time.Hour
	if r, _ := s.Retire(now); len(r.list) > 0 {
		t.Error("shapes that were asked for since they are there are retired")
	}
	if s.Full() {
		t.Error("the set is still full after a sweep")
	}
	kept := read(0)
	read(27, 28)
	if r, _ := s.Retire(now + sweepEvery - 1); len(r.list) > 0 {
		t.Error("shapes are retired before their time")
	}
	now += sweepEvery
	r, tags := s.Retire(now)
	if len(r.list) != n-1 || len(tags) != n-1 {
		t.Fatalf("%d of %d shapes are retired, with %d tags", len(r.list), n, len(tags))
	}
	if meet(kept, tags) {
		t.Error("what relies on a shape that stays is dropped")
	}
	if sub := read(0, 5); meet(sub, tags) {
		t.Error("a read relies on a shape that is retired")
	}
	s.Remove(r)
	if n := len(s.tables[table].all()); n != 1 || s.total.Load() != 1 {
		t.Errorf("%d shapes are left, of all %d", n, s.total.Load())
	}
	if sub := read(27, 28); len(sub) != 4 {
		t.Errorf("there is no room: %d tags", len(sub))
	}
	s.Remove(r) // once more
	if s.total.Load() != 2 {
		t.Error("a shape is removed twice")
	}
}

// Each read that relies on a shape is dropped with it: one of terms, of a page, of the page
// of a whole table, and of a search.
func TestRetiredTags(t *testing.T) {
	c, table := posts()
	w := func(column int) *Window { return NewWindow(column, val(t, catalog.Int, int64(9)), true) }
	for name, read := range map[string]func(*Shapes, *Rows) []tag.Tag{
		"terms": func(s *Shapes, r *Rows) []tag.Tag {
			r.Terms = []Known{known(t, table, author, "a", "b"), known(t, table, status, "P")}
			return s.Subscribe(nil, r)
		},
		"page of terms": func(s *Shapes, r *Rows) []tag.Tag {
			r.Terms, r.Window = []Known{known(t, table, author, "a")}, w(seq)
			return s.Subscribe(nil, r)
		},
		"page": func(s *Shapes, r *Rows) []tag.Tag { r.Window = w(seq); return s.Subscribe(nil, r) },
		"search": func(s *Shapes, r *Rows) []tag.Tag {
			tags, _ := s.SubscribeContains(nil, r, title, []string{"cache"})
			return tags
		},
	} {
		s := NewShapes("", c)
		sub := read(s, &Rows{Table: table, Mask: catalog.Bit(title), Since: ^uint64(0)})
		var r Retired
		r.retire(s.tables[table].all(), func(*shape) bool { return true })
		if len(r.list) != 1 || !meet(sub, r.tags()) {
			t.Errorf("%s: %d shapes, and the read is not dropped", name, len(r.list))
		}
	}
}

// A history of readers, writers and sweeps, step by step in a random order. An answer that
// is served after a change was acknowledged shows it.
func TestRetireHistory(t *testing.T) {
	const columns, steps = 6, 400
	table := wide(columns)
	served, dropped := 0, 0
	for seed := range uint64(100) {
		rnd := rand.New(rand.NewPCG(seed, 11)) //nolint:gosec // a history that can be repeated
		s := NewShapes("", catalogOf(table))
		var (
			log      [][]tag.Tag // number n is log[n-1]
			versions [columns]int
			acked    [columns]int
			begun    []func() // what goes on is a step of one of them
		)
		type answer struct {
			column, version, number int
			tags                    []tag.Tag
		}
		var cache []answer
		apply := func(tags []tag.Tag) { log = append(log, tags) }
		valid := func(a *answer) bool {
			return !slices.ContainsFunc(log[a.number:], func(tags []tag.Tag) bool { return meet(a.tags, tags) })
		}
		in := func(list ...func()) { // the steps of one actor
			begun = append(begun, func() {})
			at, i := len(begun)-1, 0
			begun[at] = func() {
				if i < len(list) {
					list[i]()
					i++
				}
			}
		}
		reader := func() {
			a := answer{column: rnd.IntN(columns), number: len(log)}
			r := Rows{Table: table, Mask: catalog.All, Since: Generation(), Terms: []Known{known(t, table, a.column, int64(1))}}
			in(func() { a.version = versions[a.column] },
				func() { a.tags = s.Subscribe(nil, &r) },
				func() {
					if valid(&a) {
						cache = append(cache, a)
					}
				})
		}
		row := func(c int) (list []Known) { // which has 1 in a column
			for i := range columns {
				v := int64(2)
				if i == c {
					v = 1
				}
				list = append(list, known(t, table, i, v))
			}
			return list
		}
		writer := func() {
			c, version := rnd.IntN(columns), 0
			var tags []tag.Tag
			in(func() { versions[c]++; version = versions[c] },
				func() { tags = s.Publish(nil, &Event{Table: table, Op: Inserted, New: row(c)}) },
				func() { apply(tags); acked[c] = max(acked[c], version) })
		}
		sweeper := func() {
			var r Retired
			in(func() { r.retire(s.tables[table].all(), func(*shape) bool { return rnd.IntN(2) == 0 }) },
				func() { apply(r.tags()) },
				func() { s.Remove(r) })
		}
		for range steps {
			switch n := rnd.IntN(20); {
			case n < 4:
				reader()
			case n < 5:
				writer()
			case n < 6:
				sweeper()
			default:
				if len(begun) > 0 {
					begun[max(0, len(begun)-1-rnd.IntN(8))]()
				}
			}
			for i := range cache {
				a := &cache[i]
				switch {
				case !valid(a):
					dropped++
				case a.version < acked[a.column]:
					t.Fatalf("seed %d: an answer of column %d shows version %d after %d", seed, a.column, a.version, acked[a.column])
				default:
					served++
				}
			}
			cache = slices.DeleteFunc(cache, func(a answer) bool { return !valid(&a) })
		}
	}
	if served < 1000 || dropped < 1000 {
		t.Errorf("%d answers were served, %d dropped", served, dropped)
	}
}
