package footprintsql

import (
	"database/sql/driver"
	"reflect"
	"runtime"
	"strings"
)

// hooked reports whether statements may be sent on a driver's connection that nobody sees:
// when the pool hands it out, since ResetSession of pgx's stdlib may call a function of the
// application's; or at any time, which always says, where the connection is of a package that
// is not known here: it may be a wrapper that tells the server whom a statement is for.
//
// The type of stdlib's is not named here: the field is found by its name, and whether the
// function is the package's own by the name of its code.
func hooked(inner driver.Conn) (may, always bool) {
	defer func() {
		if recover() != nil {
			may, always = true, true
		}
	}()
	v := reflect.ValueOf(inner)
	if v.Kind() != reflect.Pointer || v.Elem().Kind() != reflect.Struct {
		return true, true
	}
	switch v.Elem().Type().PkgPath() {
	case "github.com/lib/pq":
		return false, false
	case stdlib:
		f := v.Elem().FieldByName("resetSessionFunc")
		if f.Kind() != reflect.Func || f.IsNil() {
			return true, false
		}
		code := runtime.FuncForPC(f.Pointer())
		return code == nil || !strings.HasPrefix(code.Name(), stdlib+"."), false
	}
	return true, true
}

const stdlib = "github.com/jackc/pgx/v5/stdlib"
