//go:build !race

package keycheck

import (
	"database/sql/driver"
	"testing"

	"github.com/cascadeql/cascadeql/internal/allocs"
)

// TestAllocations: arguments of positions that exist, and rows, allocate nothing.
func TestAllocations(t *testing.T) {
	c := newChecker(Options{})
	// In boxes already: what the driver hands over is an interface.
	row, values := []driver.Value{"p", int64(1000), []byte("x")}, []any{"PUBLISHED", int64(7777), "U1", nil}
	variables := vars{"id": "u1"}
	caller := 0
	of := func(n int) func() {
		return func() {
			caller++
			f := c.Begin(Key{Document: 1, Variables: variables, Caller: Caller(caller % 3)})
			for i := range n {
				f.Row("posts", 7, row)
				f.Argument("posts", users, 8, 1+i, 1+i, values[i%4])
			}
			if v := f.End(); len(v.Convicted) > 0 {
				t.Errorf("%+v", v)
			}
		}
	}
	of(100)()
	few, many := allocs.PerRun(100, of(10)), allocs.PerRun(100, of(100))
	if many > few+1 {
		t.Errorf("%v allocations with 10 arguments, %v with 100", few, many)
	}
}
