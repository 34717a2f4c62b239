package footprintsql

import (
	"database/sql/driver"
	"reflect"
	"runtime"
	"strings"
)

// hooked reports whether the application may send statements on a driver's connection when
// the pool hands it out, which nobody sees: ResetSession may call a function of the
// application's. It does not
//
//   - where the connection has no ResetSession, or is lib/pq's,
//   - where it is of pgx's stdlib, and the function is the package's own. Its type is not
//     named here: the field is found by its name, and a function by that of its code.
func hooked(inner driver.Conn) (may bool) {
	defer func() {
		if recover() != nil {
			may = true
		}
	}()
	if _, resets := inner.(driver.SessionResetter); !resets {
		return false
	}
	v := reflect.ValueOf(inner)
	if v.Kind() != reflect.Pointer || v.Elem().Kind() != reflect.Struct {
		return true
	}
	switch v.Elem().Type().PkgPath() {
	case "github.com/lib/pq":
		return false
	case stdlib:
		f := v.Elem().FieldByName("resetSessionFunc")
		if f.Kind() != reflect.Func || f.IsNil() {
			return true
		}
		code := runtime.FuncForPC(f.Pointer())
		return code == nil || !strings.HasPrefix(code.Name(), stdlib+".")
	}
	return true
}

const stdlib = "github.com/jackc/pgx/v5/stdlib"
