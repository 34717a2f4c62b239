package footprintpgx

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
)

// unknown is a value that cannot be told. It is of no class, and it is not NULL.
type unknown struct{}

// decode returns what a driver of database/sql makes of a value that was received: whole
// numbers, texts, truth values and bytes. Others are unknown.
func decode(oid uint32, format int16, b []byte) driver.Value {
	if b == nil {
		return nil
	}
	if format == pgtype.TextFormatCode {
		return decodeText(oid, string(b))
	}
	switch oid {
	case pgtype.Int2OID:
		if len(b) == 2 {
			return int64(int16(binary.BigEndian.Uint16(b))) //nolint:gosec // the sign is in the bits
		}
	case pgtype.Int4OID:
		if len(b) == 4 {
			return int64(int32(binary.BigEndian.Uint32(b))) //nolint:gosec // the sign is in the bits
		}
	case pgtype.Int8OID:
		if len(b) == 8 {
			return int64(binary.BigEndian.Uint64(b)) //nolint:gosec // the sign is in the bits
		}
	case pgtype.OIDOID:
		if len(b) == 4 {
			return int64(binary.BigEndian.Uint32(b))
		}
	case pgtype.BoolOID:
		if len(b) == 1 {
			return b[0] != 0
		}
	case pgtype.UUIDOID:
		if len(b) == 16 {
			return string(appendUUID(nil, b))
		}
	case pgtype.ByteaOID:
		return append([]byte{}, b...)
	case pgtype.TextOID, pgtype.VarcharOID, pgtype.BPCharOID, pgtype.NameOID:
		return string(b)
	}
	return unknown{}
}

// decodeText reads the text of a value. That of an enum, whose type has no number of its
// own here, is its label.
func decodeText(oid uint32, text string) driver.Value {
	switch oid {
	case pgtype.Int2OID, pgtype.Int4OID, pgtype.Int8OID, pgtype.OIDOID:
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			return n
		}
		return unknown{}
	case pgtype.BoolOID:
		return text == "t"
	case pgtype.ByteaOID:
		if digits, ok := strings.CutPrefix(text, `\x`); ok {
			if b, err := hex.DecodeString(digits); err == nil {
				return b
			}
		}
		return unknown{}
	case pgtype.TextOID, pgtype.VarcharOID, pgtype.BPCharOID, pgtype.NameOID, pgtype.UUIDOID:
		return text
	}
	if oid >= firstOID {
		return text
	}
	return unknown{}
}

// firstOID is that of the first type which is not PostgreSQL's own.
const firstOID = 16384

func appendUUID(dst, b []byte) []byte {
	for i, from := range [][2]int{{0, 4}, {4, 6}, {6, 8}, {8, 10}, {10, 16}} {
		if i > 0 {
			dst = append(dst, '-')
		}
		dst = hex.AppendEncode(dst, b[from[0]:from[1]])
	}
	return dst
}

// rewritten is a QueryRewriter that has done its work.
type rewritten struct {
	text string
	args []any
	err  error
}

// RewriteQuery implements pgx.QueryRewriter.
func (r rewritten) RewriteQuery(context.Context, *pgx.Conn, string, []any) (string, []any, error) {
	return r.text, r.args, r.err
}

// split returns the arguments behind the options, and where the rewriter is among these,
// -1 for none: the last one counts.
func split(args []any) (rewriter int, rest []any) {
	rewriter = -1
	for i, a := range args {
		switch a.(type) {
		case pgx.QueryResultFormats, pgx.QueryResultFormatsByOID, pgx.QueryExecMode:
		case pgx.QueryRewriter:
			rewriter = i
		default:
			return rewriter, args[i:]
		}
	}
	return rewriter, nil
}

// rewrite returns a run of a statement, and the arguments to pass on: a QueryRewriter has
// been asked already, and pgx gets what it has answered.
func (c *conn) rewrite(ctx context.Context, text string, args []any) (r *run, pass []any) {
	at, rest := split(args)
	if at < 0 {
		return &run{text: text, args: rest}, args
	}
	var w rewritten
	w.text, w.args, w.err = args[at].(pgx.QueryRewriter).RewriteQuery(ctx, c.pg, text, rest)
	pass = append([]any{}, args...)
	pass[at] = w
	return &run{text: w.text, args: w.args, given: args, refused: w.err != nil}, pass
}

// unannounced returns a run of a statement that no wrapper has announced.
func unannounced(text string, args []any) *run {
	at, rest := split(args)
	if at < 0 {
		return &run{text: text, args: rest}
	}
	var err error
	switch w := args[at].(type) {
	case rewritten:
		text, rest, err = w.text, w.args, w.err
	case pgx.NamedArgs:
		text, rest, err = w.RewriteQuery(nobody, nil, text, rest)
	case pgx.StrictNamedArgs:
		text, rest, err = w.RewriteQuery(nobody, nil, text, rest)
	default: // it may make anything of the text
		text, rest = "rewritten: "+text, nil
	}
	return &run{text: text, args: rest, refused: err != nil}
}

// arguments returns the values that are bound, as far as they can be told.
func arguments(args []any) []driver.NamedValue {
	list := make([]driver.NamedValue, len(args))
	for i, a := range args {
		list[i] = driver.NamedValue{Ordinal: i + 1, Value: bound(a)}
	}
	return list
}

// maxListed bounds the elements of a list that are looked at.
const maxListed = 2048

// bound returns what pgx binds for an argument: a value of a basic type, a list of such,
// or unknown.
//
// pgx asks a type's own methods before it looks at what the type is made of, and which
// ones depends on the parameter's type, which is not known here. So a type with methods
// counts only where all that may be asked give the same.
func bound(v any) (value any) {
	defer func() {
		if recover() != nil {
			value = unknown{}
		}
	}()
	switch x := v.(type) {
	case nil, string, bool, int, int8, int16, int32, int64, uint, uint8, uint16, uint32, uint64:
		return v
	case []byte:
		if x == nil {
			return nil
		}
		return x
	case [16]byte:
		return string(appendUUID(nil, x[:]))
	case []string, []int64, []int32, []int16, []int:
		return v
	}
	rv := reflect.ValueOf(v)
	if rv.Kind() == reflect.Pointer {
		if rv.IsNil() {
			if valuer, ok := v.(driver.Valuer); ok && !rv.Type().Elem().Implements(reflect.TypeFor[driver.Valuer]()) {
				return boundValuer(v, valuer, rv.Type()) // pgx asks the pointer, too
			}
			return nil
		}
		if _, ok := rv.Elem().Interface().(driver.Valuer); !ok && special(v) && !special(rv.Elem().Interface()) {
			return unknown{} // methods of the pointer's
		}
		x := bound(rv.Elem().Interface())
		if _, ok := rv.Elem().Interface().(driver.Valuer); x == nil && !ok {
			return unknown{} // a pointer to nil, which may be bound as JSON's null
		}
		return x
	}
	if valuer, ok := v.(driver.Valuer); ok {
		return boundValuer(v, valuer, rv.Type())
	}
	if special(v) && (rv.Kind() != reflect.Slice || !ours(rv.Type())) {
		if s, ok := v.(fmt.Stringer); ok && !encodes(v) && rv.Kind() == reflect.String && s.String() == rv.String() {
			return rv.String()
		}
		if _, ok := v.(fmt.Stringer); !ok || encodes(v) || !rv.CanInt() {
			return unknown{}
		}
		return rv.Int() // a number's name is bound to texts only, which a number is not
	}
	switch rv.Kind() {
	case reflect.String:
		return rv.String()
	case reflect.Bool:
		return rv.Bool()
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return rv.Int()
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return rv.Uint()
	case reflect.Array:
		if rv.Len() == 16 && rv.Type().Elem().Kind() == reflect.Uint8 {
			var id [16]byte
			reflect.Copy(reflect.ValueOf(&id).Elem(), rv)
			return bound(id)
		}
	case reflect.Slice:
		return boundList(rv)
	}
	return unknown{}
}

// boundValuer is bound of a type with a Value.
func boundValuer(v any, valuer driver.Valuer, t reflect.Type) any {
	value, err := valuer.Value()
	if err != nil {
		return unknown{}
	}
	ours := ours(t)
	if value == nil && (ours || !encodes(v)) {
		return nil
	}
	if s, ok := v.(fmt.Stringer); ok && !ours {
		if text, ok := value.(string); !ok || text != s.String() {
			return unknown{}
		}
	}
	if encodes(v) && !ours {
		return unknown{}
	}
	switch value.(type) {
	case string, bool, int64, []byte:
		return value
	}
	return unknown{}
}

// ours reports whether a type is one of pgtype or of database/sql, whose methods agree with
// each other.
func ours(t reflect.Type) bool {
	path := t.PkgPath()
	return path == reflect.TypeFor[pgtype.Text]().PkgPath() || path == reflect.TypeFor[sql.NullString]().PkgPath()
}

// boundList is bound of a list.
func boundList(rv reflect.Value) any {
	if rv.IsNil() {
		return nil
	}
	if rv.Type().Elem().Kind() == reflect.Uint8 {
		return rv.Bytes()
	}
	if rv.Len() > maxListed {
		return unknown{}
	}
	list := make([]any, rv.Len())
	for i := range list {
		list[i] = bound(rv.Index(i).Interface())
	}
	return list
}

// special reports whether pgx may ask a value's own methods.
func special(v any) bool {
	switch v.(type) {
	case driver.Valuer, fmt.Stringer:
		return true
	}
	return encodes(v)
}

// encodes reports whether a value has methods of pgtype's.
func encodes(v any) bool {
	switch v.(type) {
	case pgtype.TextValuer, pgtype.Int64Valuer, pgtype.BoolValuer, pgtype.UUIDValuer, pgtype.BytesValuer,
		pgtype.Float64Valuer, pgtype.NumericValuer, pgtype.CompositeIndexGetter, pgtype.ArrayGetter:
		return true
	}
	return false
}
