//go:build go1.27

package footprintsql

import (
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"reflect"
	"testing"
)

// withScanner are rows that scan themselves, as those of pgx do. Next of them fails.
type withScanner struct{ *fakeRows }

func (w withScanner) Next([]driver.Value) error { return errors.New("Next was called") }
func (w withScanner) NextRow() error {
	if err := w.f.note("next row %d", w.next); err != nil {
		return err
	}
	if w.next++; w.next > len(w.f.rows) {
		return io.EOF
	}
	return nil
}

func (w withScanner) ScanColumn(ctx driver.ScanContext, i int, dest any) error {
	v := w.f.rows[w.next-1][i]
	if v == "panic" {
		panic("the driver's panic")
	}
	if r, ok := dest.(*[]rune); ok {
		*r = []rune(fmt.Sprint(v))
		return nil
	}
	return sql.ConvertAssign(ctx, dest, v)
}

func init() {
	fakeRowses["scanner"] = func(r *fakeRows) driver.Rows { return withScanner{r} }
}

func TestScanner(t *testing.T) {
	scan := func(tr *transcript, db *sql.DB) {
		rows, err := db.Query(app + "rows")
		tr.failed("query", err)
		for rows.Next() {
			var id, name []rune
			tr.failed("scan", rows.Scan(&id, &name))
			tr.note("%q %q", string(id), string(name))
			var n int
			var null sql.NullString
			tr.failed("scan again", rows.Scan(&n, &null))
			tr.note("%d %v", n, null)
		}
		tr.failed("err", rows.Err())
	}
	compare(t, func() *fake { return newFake("all", "all", "scanner") }, scan)

	f := newFake("all", "all", "scanner")
	f.rows = append(f.rows, []driver.Value{int64(3), "panic"})
	c := &conn{inner: nil, o: observer()}
	c.s = c.o.NewSession(nil)
	e := c.start(t.Context(), app+"rows", nil)
	r := wrapRows(rows{inner: fakeRowses["scanner"](&fakeRows{f: f}), c: c, e: e, ctx: t.Context()}).(*scannerRows)
	want := [][]driver.Value{{int64(1), "ann"}, {int64(2), nil}, {int64(3), unread{}}}
	for i := range want {
		if err := r.NextRow(); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(r.dest, want[i]) {
			t.Errorf("row %d was told as %v", i, r.dest)
		}
	}
	if err := r.NextRow(); err != io.EOF || !r.complete { //nolint:errorlint // the very same
		t.Errorf("the rows ended with %v, complete is %v", err, r.complete)
	}
}
