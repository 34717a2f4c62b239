package observe

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cascadeql/cascadeql/cascade/tag"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/catalog"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/rowtag"
)

// crowded is a rig with a table of which as many sets of columns were compared as there is
// room for. The columns are a0, a1 and so on.
func crowded(t *testing.T) *rig {
	t.Helper()
	table := &catalog.Table{Name: "t", Columns: []catalog.Column{{Name: "id", Class: catalog.Int, NotNull: true}}, Keys: [][]int{{0}}}
	for i := range 20 {
		table.Columns = append(table.Columns, catalog.Column{Name: fmt.Sprint("a", i), Class: catalog.Int, NotNull: true})
	}
	c := &catalog.Catalog{Dialect: catalog.SQLite, Tables: map[string]*catalog.Table{"t": table}, Schemas: map[string]bool{"main": true}}
	c.Finish()
	r := newRig(t, Options{read: func(context.Context, catalog.Dialect, catalog.Query) (*catalog.Catalog, error) { return c, nil }})
	shapes := r.state.Load().shapes
	for last := rowtag.Generation() + 64; rowtag.Generation() < last; { // other tests that run at a time would disturb it
		n := rowtag.Generation() + 64 - last
		r.ask(int(n%4), 4+int(n/4))
	}
	if shapes.Full() || r.has(ManyShapes) {
		t.Fatal("there is no room")
	}
	return r
}

// ask reads a count of the rows that have 1 in two columns.
func (r *rig) ask(i, j int) Footprint {
	ctx, rec := Begin(r.t.Context(), Start{Since: rowtag.Generation(), Number: r.sink.Number(), Sink: r.sink}, r.Observer)
	query(ctx, r.session(), fmt.Sprintf("SELECT count(*) FROM t WHERE a%d = ? AND a%d = ?", i, j), args(1, 1), args(0))
	return rec.End()
}

// insert inserts a row with another value in each column but two.
func (r *rig) insert(i, j int) {
	var names, values []string
	for c := range 20 {
		names = append(names, fmt.Sprint("a", c))
		values = append(values, map[bool]string{true: "1", false: "2"}[c == i || c == j])
	}
	exec(Outside(r.t.Context()), r.session(), "INSERT INTO t (id, "+strings.Join(names, ", ")+") VALUES (1, "+strings.Join(values, ", ")+")")
}

// TestMakeRoom: once nobody has asked for most of the shapes in a while, others get their
// places. What relies on them is dropped first.
func TestMakeRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := crowded(t)
		forgotten := 0
		var idle, inUse Footprint
		r.sink.forget = func(tags []tag.Tag) {
			forgotten++
			if !meet(idle.Tags, tags) {
				t.Error("what relies on a shape that goes is not dropped")
			}
			if meet(inUse.Tags, tags) {
				t.Error("what relies on a shape that stays is dropped")
			}
			before := r.commits()
			r.insert(0, 4)
			if !meet(idle.Tags, r.sink.commits[before].tags) {
				t.Error("a shape is taken out before what relies on it is dropped")
			}
		}
		idle = r.ask(0, 4)
		time.Sleep(time.Hour)
		if r.ask(0, 4); forgotten > 0 {
			t.Fatal("shapes go although there is no read without one")
		}
		late := r.ask(18, 19) // from here on it is noted who is asked for
		r.insert(16, 17)
		if r.fresh(late) {
			t.Fatal("a read beyond the bound is told from others")
		}
		time.Sleep(5 * time.Minute)
		inUse = r.ask(0, 5)
		r.ask(18, 19)
		if forgotten != 1 {
			t.Fatalf("caches were told %d times", forgotten)
		}
		if r.fresh(idle) || !r.fresh(inUse) {
			t.Error("fresh:", r.fresh(idle), r.fresh(inUse))
		}
		r.ask(18, 19)
		late = r.ask(18, 19)
		r.insert(16, 17)
		if !r.fresh(late) {
			t.Error("there is no room")
		}
		r.insert(18, 19)
		if r.fresh(late) {
			t.Error("stale")
		}
	})
}

// TestMakeRoomNever: no shape goes while there is a cache that keeps its answers, or one
// that has failed to drop them.
func TestMakeRoomNever(t *testing.T) {
	for name, prepare := range map[string]func(*rig){
		"keeps":  func(r *rig) { r.t.Cleanup(r.Attach(struct{ Sink }{r.sink})) },
		"panics": func(r *rig) { r.sink.forget = func([]tag.Tag) { panic("forget") } },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := crowded(t)
				prepare(r)
				f := r.ask(0, 4)
				r.ask(18, 19)
				time.Sleep(6 * time.Minute)
				for range 3 {
					r.ask(18, 19)
					time.Sleep(6 * time.Minute)
				}
				if !r.fresh(f) {
					t.Error("it was dropped")
				}
				r.insert(0, 4)
				if r.fresh(f) {
					t.Error("stale: its shape is gone")
				}
			})
		})
	}
}
