package observe

import (
	"database/sql/driver"
	"fmt"
	"testing"

	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/catalog"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/rowtag"
)

// A transaction that writes rows of very many schemas tells of rows of any: what it tells is
// bounded by the tables.
func TestCommitOfManySchemas(t *testing.T) {
	one, other := &catalog.Table{Name: "one", Ambiguous: true}, &catalog.Table{Name: "other", Ambiguous: true}
	st := &state{}
	var p pending
	count := func(table *catalog.Table) (homed, any int) {
		for _, e := range p.events {
			switch {
			case e.Table != table:
			case e.Home != 0:
				homed++
			case e.Op == rowtag.Changed:
				any++
			}
		}
		return homed, any
	}
	for i := range 3 * maxHomes {
		home := rowtag.HomeOf(fmt.Sprint("t", i))
		p.add(st, "", rowtag.Event{Table: one, Home: home, Op: rowtag.Inserted}, rowtag.Event{Table: one, Home: home, Op: rowtag.Deleted})
		if i%maxHomes == 0 {
			p.add(st, "", rowtag.Event{Table: other, Home: home, Op: rowtag.Inserted})
		}
		homed, any := count(one)
		if told := i < maxHomes; told && (homed != 2*(i+1) || any != 0) || !told && (homed != 0 || any != 1) {
			t.Fatalf("after %d schemas: %d events of one, %d of any", i+1, homed, any)
		}
	}
	if homed, any := count(other); homed != 3 || any != 0 {
		t.Errorf("another table: %d, %d", homed, any)
	}
}

// PostgreSQL answers COMMIT with a rollback, and without an error, where a statement has
// failed: what the transaction has set is not set.
func TestCommitThatRollsBack(t *testing.T) {
	for _, failed := range []bool{false, true} {
		r := newRig(t, Options{Dialect: catalog.PostgreSQL})
		s := r.session()
		s.names.known, s.names.path, s.names.role = true, "t1", "app"
		s.Begin(t.Context(), driver.TxOptions{}).Begun(nil)
		exec(t.Context(), s, `SET search_path TO t2`)
		if failed {
			s.Start(t.Context(), `SELECT 1`, nil).End(postgresError("XX000"), -1, false)
		}
		s.Committed(t.Context(), nil)
		p, known := s.path()
		if failed && known && p.Schemas[0] == "t2" {
			t.Error("what was rolled back is the path")
		}
		if !failed && (!known || p.Schemas[0] != "t2") {
			t.Errorf("what was committed is not the path: %v, %v", p, known)
		}
	}
}
