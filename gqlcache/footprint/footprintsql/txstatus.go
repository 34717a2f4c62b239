package footprintsql

import (
	"database/sql/driver"
	"reflect"

	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/observe"
)

// txStatus returns how to ask a driver's connection whether a transaction is open, nil when
// no way is known:
//
//   - pgx has TxStatus on what Conn().PgConn() returns, whose types are not named here:
//     they are found by their names, once for each connection.
//   - mattn's sqlite3 has AutoCommit.
func txStatus(inner driver.Conn) (ask func() (inTransaction, known bool)) {
	defer func() {
		if recover() != nil {
			ask = nil
		}
	}()
	if a, ok := inner.(interface{ AutoCommit() bool }); ok {
		return func() (bool, bool) { return !a.AutoCommit(), true }
	}
	s, ok := pgConn(inner).(interface{ TxStatus() byte })
	if !ok {
		return nil
	}
	return func() (bool, bool) { return observe.InTransaction(s.TxStatus()) }
}

// idle returns how to ask a driver's connection whether it is whole, waits for no answer and
// has no transaction open, nil when no way is known: pgx has one. What SQLite says does not
// tell of rows that are open.
func idle(inner driver.Conn) (ask func() bool) {
	defer func() {
		if recover() != nil {
			ask = nil
		}
	}()
	pg, ok := pgConn(inner).(observe.PgConn)
	if !ok {
		return nil
	}
	return func() bool { return observe.IsIdle(pg) }
}

func pgConn(inner driver.Conn) any {
	c := reflect.ValueOf(inner).MethodByName("Conn")
	if !noArguments(c) {
		return nil
	}
	p := c.Call(nil)[0].MethodByName("PgConn")
	if !noArguments(p) {
		return nil
	}
	return p.Call(nil)[0].Interface()
}

// noArguments reports whether m is a method of no arguments and one pointer as its result.
func noArguments(m reflect.Value) bool {
	return m.IsValid() && m.Type().NumIn() == 0 && m.Type().NumOut() == 1 &&
		m.Type().Out(0).Kind() == reflect.Pointer
}
