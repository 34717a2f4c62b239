package observe

import (
	"database/sql/driver"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"
)

// A strange value is one of which it is not known what a driver binds. It is of no class, and
// it is not NULL.
type strange struct{}

// taken returns what a driver binds for an argument that it takes as the application has
// given it, as pgx does: what the value's own method says, where it has one. A nil that is
// not known to be NULL is strange, since conditions are left out where a parameter is NULL.
func taken(v any) any {
	if isPlain(v) {
		return v
	}
	rv := reflect.ValueOf(v)
	if valuer, ok := v.(driver.Valuer); ok {
		if rv.Kind() == reflect.Pointer && rv.IsNil() && rv.Type().Elem().Implements(reflect.TypeFor[driver.Valuer]()) {
			return nil // its method is the element's, which there is not
		}
		return valueOf(valuer, rv.Type())
	}
	switch {
	case rv.Kind() == reflect.Pointer && rv.IsNil():
		return nil
	case encodes(rv.Type()), renamed(v, rv):
		return strange{}
	case rv.Kind() == reflect.Pointer:
		x := taken(rv.Elem().Interface())
		if isNull(x) { // JSON's null, maybe
			return strange{}
		}
		return x
	}
	return v
}

// isPlain reports whether a value is of the types that most arguments have, which drivers bind
// as they are.
func isPlain(v any) bool {
	switch v.(type) {
	case nil, string, []byte, bool, int64, float64, time.Time, int, int32:
		return true
	}
	return false
}

// valueOf is what a value says of itself.
func valueOf(valuer driver.Valuer, t reflect.Type) (v any) {
	defer func() {
		if recover() != nil {
			v = strange{}
		}
	}()
	v, err := valuer.Value()
	if err != nil || encodes(t) {
		return strange{}
	}
	switch x := v.(type) {
	case nil, string, bool, int64, float64, time.Time:
		return v
	case []byte:
		if x == nil {
			return nil
		}
		return v
	}
	return strange{}
}

// renamed reports whether a text says another text of itself, which some versions of pgx bind.
func renamed(v any, rv reflect.Value) (yes bool) {
	s, ok := v.(fmt.Stringer)
	if !ok || rv.Kind() != reflect.String {
		return false
	}
	defer func() { yes = yes || recover() != nil }()
	return s.String() != rv.String()
}

// encodes reports whether a type has methods that pgx asks before the one of database/sql,
// and that need not agree with it.
func encodes(t reflect.Type) bool {
	of := t
	if of.Kind() == reflect.Pointer {
		of = of.Elem()
	}
	if strings.HasPrefix(of.PkgPath(), "github.com/jackc/pgx/") {
		return false
	}
	// The names are constants, since the linker keeps the methods of all types in a program that
	// looks for one by another name.
	for _, has := range [...]func() (reflect.Method, bool){
		func() (reflect.Method, bool) { return t.MethodByName("TextValue") },
		func() (reflect.Method, bool) { return t.MethodByName("Int64Value") },
		func() (reflect.Method, bool) { return t.MethodByName("UUIDValue") },
		func() (reflect.Method, bool) { return t.MethodByName("BytesValue") },
		func() (reflect.Method, bool) { return t.MethodByName("BoolValue") },
		func() (reflect.Method, bool) { return t.MethodByName("NumericValue") },
		func() (reflect.Method, bool) { return t.MethodByName("Index") },
	} {
		if _, ok := has(); ok {
			return true
		}
	}
	return false
}

// withoutOptions returns the arguments behind the options of pgx, which are none: it takes
// them from database/sql as well, in front of the arguments. rewritten says that one of them
// makes another text of the statement's.
func withoutOptions(values []driver.NamedValue) (rest []driver.NamedValue, rewritten bool) {
	n := 0
	for ; n < len(values); n++ {
		option, rewrites := isOption(values[n].Value)
		if rewritten = rewritten || rewrites; !option {
			break
		}
	}
	if n == 0 {
		return values, false
	}
	rest = slices.Clone(values[n:])
	for i := range rest {
		rest[i].Ordinal -= n
	}
	return rest, rewritten
}

// options are the types of pgx that it takes for options.
var options = []string{"QueryExecMode", "QueryResultFormats", "QueryResultFormatsByOID"}

// isOption reports whether pgx takes a value for an option.
func isOption(v any) (option, rewrites bool) {
	if isPlain(v) {
		return false, false
	}
	t := reflect.TypeOf(v)
	if _, rewrites = t.MethodByName("RewriteQuery"); rewrites {
		return true, true
	}
	version, ok := strings.CutPrefix(t.PkgPath(), "github.com/jackc/pgx/")
	return ok && !strings.Contains(version, "/") && slices.Contains(options, t.Name()), false
}
