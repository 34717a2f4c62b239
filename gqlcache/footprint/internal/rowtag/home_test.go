package rowtag

import (
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/cascadeql/cascadeql/cascade/tag"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/catalog"
)

// ambiguous returns a table that several schemas have.
func ambiguous() (*catalog.Catalog, *catalog.Table) {
	c, table := posts()
	table.Ambiguous = true
	return c, table
}

// Rows of known homes are told apart, and those of unknown ones are never left out.
func TestHomes(t *testing.T) {
	t.Parallel()
	c, table := ambiguous()
	s := NewShapes("", c)
	homes := []Home{0, HomeOf("a"), HomeOf("b")}
	read := map[string]func(h Home) []tag.Tag{
		"a key": func(h Home) []tag.Tag {
			return subscribed(s, Rows{Table: table, Home: h, Terms: []Known{known(t, table, id, int64(1))}})
		},
		"a set": func(h Home) []tag.Tag {
			return subscribed(s, Rows{Table: table, Home: h, Terms: []Known{known(t, table, author, "x")}})
		},
		"all": func(h Home) []tag.Tag { return subscribed(s, Rows{Table: table, Home: h}) },
		"a page": func(h Home) []tag.Tag {
			return subscribed(s, Rows{Table: table, Home: h, Window: NewWindow(seq, val(t, catalog.Int, int64(9)), false)})
		},
		"late": func(h Home) []tag.Tag {
			return s.Subscribe(nil, &Rows{Table: table, Home: h, Mask: catalog.All, Terms: []Known{known(t, table, slug, "late")}})
		},
		"a text": func(h Home) []tag.Tag {
			tags, _ := s.SubscribeContains(nil, &Rows{Table: table, Home: h, Mask: catalog.All, Since: ^uint64(0)}, title, []string{"cache"})
			return tags
		},
		"no text": func(h Home) []tag.Tag {
			tags, _ := s.SubscribeContains(nil, &Rows{Table: table, Home: h, Mask: catalog.All}, author, []string{"cache"})
			return tags
		},
	}
	row := []Known{
		known(t, table, id, int64(1)), known(t, table, author, "x"), known(t, table, status, "y"), known(t, table, seq, int64(3)),
		known(t, table, title, "a cache"), known(t, table, slug, "late"),
	}
	for _, to := range homes {
		for name, f := range read {
			for range 2 { // the shape is new at first
				f(to)
			}
			for _, from := range homes {
				for _, e := range []Event{
					{Table: table, Home: from, Op: Inserted, New: row}, {Table: table, Home: from, Op: Deleted, Old: row},
					{Table: table, Home: from, Op: Updated, Columns: catalog.All, Old: row, New: row}, {Table: table, Home: from, Op: Changed},
				} {
					want := from == 0 || to == 0 || from == to
					words := s.AppendEvents(nil, []Event{e})
					back, ok := s.ReadEvents(words)
					if !ok || len(back) != 1 || back[0].Home != from || back[0].Op != e.Op {
						t.Fatalf("%d: %+v is read as %+v", e.Op, e, back)
					}
					for _, one := range []Event{e, back[0]} {
						if got := meet(f(to), s.Publish(nil, &one)); got != want {
							t.Errorf("%s: a read of %x meets a change of %x by %d: %v", name, to, from, e.Op, got)
						}
					}
				}
			}
		}
	}
}

func subscribed(s *Shapes, r Rows) []tag.Tag {
	r.Mask, r.Since = catalog.All, ^uint64(0)
	return s.Subscribe(nil, &r)
}

// A read of a home is dropped with the shape that it relies on.
func TestRetiredTagsOfHomes(t *testing.T) {
	t.Parallel()
	table := wide(30)
	table.Ambiguous = true
	s := NewShapes("", catalogOf(table))
	read := func(columns ...int) []tag.Tag {
		r := Rows{Table: table, Home: HomeOf("a")}
		for _, c := range columns {
			r.Terms = append(r.Terms, known(t, table, c, int64(1)))
		}
		return subscribed(s, r)
	}
	for i := range 20 {
		for j := range 4 {
			read(j, 5+i)
		}
	}
	s.Retire(time.Hour)
	relies := read(0, 5)
	r, tags := s.Retire(time.Hour + sweepEvery)
	if read(27, 28); len(r.list) == 0 {
		s.full.Store(true)
		r, tags = s.Retire(time.Hour + 2*sweepEvery)
	}
	if len(r.list) == 0 || !meet(relies, tags) {
		t.Errorf("%d shapes are retired, and who relies on one stays", len(r.list))
	}
}

// Events of homes survive any damage to their words, or are refused.
func TestHomesOnTheWire(t *testing.T) {
	t.Parallel()
	c, table := ambiguous()
	s := NewShapes("", c)
	e := Event{Table: table, Home: HomeOf("a"), Op: Updated, Columns: catalog.Bit(title), Old: []Known{{Column: id, Values: []Value{7}}}}
	words := s.AppendEvents(nil, []Event{e, {Table: table, Home: HomeOf("b"), Op: Changed}, {Table: table, Op: Changed}})
	if got, ok := s.ReadEvents(words); !ok || len(got) != 3 || !reflect.DeepEqual(got[0], e) || got[1].Home != HomeOf("b") || got[2].Home != 0 {
		t.Errorf("%+v", got)
	}
	for range 1000 {
		broken := append([]tag.Tag(nil), words...)
		w := &broken[rand.IntN(len(broken))]
		w.Mask ^= 1 << rand.IntN(64)
		w.Hash += uint64(rand.IntN(2))
		if events, ok := s.ReadEvents(broken[:rand.IntN(len(broken)+1)]); ok {
			for i := range events {
				s.Publish(nil, &events[i])
			}
		}
	}
}
