package footprintpgx

import (
	"database/sql"
	"database/sql/driver"
	"reflect"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgtype"
)

type (
	plainText  string
	masked     string
	level      int
	upper      string
	uuidLike   [16]byte
	plainUUID  [16]byte
	tags       []plainText
	withText   struct{ s string }
	ptrValuer  struct{ s string }
	bothValuer struct{ s, t string }
	same       string
	nilValuer  struct{}
	halfNull   struct{}
)

// reversed is a list whose elements pgx gets in another way.
type reversed []string

func (r reversed) Dimensions() []pgtype.ArrayDimension {
	return pgtype.FlatArray[string](r).Dimensions()
}
func (r reversed) Index(i int) any { return r[len(r)-1-i] + "!" }
func (reversed) IndexType() any    { return "" }

func (masked) String() string                      { return "***" }
func (level) String() string                       { return "HIGH" }
func (u upper) Value() (driver.Value, error)       { return "UPPER " + string(u), nil }
func (uuidLike) Value() (driver.Value, error)      { return "01000000-0000-0000-0000-000000000000", nil }
func (uuidLike) String() string                    { return "01000000-0000-0000-0000-000000000000" }
func (w withText) TextValue() (pgtype.Text, error) { return pgtype.Text{String: w.s, Valid: true}, nil }
func (p *ptrValuer) Value() (driver.Value, error)  { return p.s, nil }
func (b bothValuer) Value() (driver.Value, error)  { return b.s, nil }
func (*nilValuer) Value() (driver.Value, error)    { return "nil", nil }
func (halfNull) Value() (driver.Value, error)      { return nil, nil }
func (halfNull) TextValue() (pgtype.Text, error)   { return pgtype.Text{String: "x", Valid: true}, nil }
func (b bothValuer) String() string                { return b.t }
func (s same) String() string                      { return string(s) }

// What is bound is told only where pgx binds nothing else, whatever the parameter's type.
func TestBound(t *testing.T) {
	text, number := "x", 7
	var none *string
	for _, row := range []struct{ give, want any }{
		{nil, nil}, {"x", "x"}, {5, 5}, {int64(5), int64(5)}, {true, true}, {&text, "x"}, {&number, 7}, {none, nil}, {[]byte("b"), []byte("b")},
		{[]byte(nil), nil}, {[]string{"a"}, []string{"a"}}, {1.5, unknown{}}, {time.Time{}, unknown{}},
		{plainText("x"), "x"}, {masked("secret"), unknown{}}, {same("x"), "x"}, {level(3), int64(3)}, {upper("x"), "UPPER x"},
		{pgtype.Text{String: "x", Valid: true}, "x"}, {pgtype.Text{}, nil}, {pgtype.Int8{Int64: 3, Valid: true}, int64(3)},
		{&pgtype.Int4{Int32: 3, Valid: true}, int64(3)}, {pgtype.Bool{Bool: true, Valid: true}, true},
		{pgtype.UUID{Bytes: [16]byte{1}, Valid: true}, "01000000-0000-0000-0000-000000000000"},
		{sql.NullString{String: "x", Valid: true}, "x"}, {sql.NullInt64{}, nil}, {sql.Null[string]{V: "x", Valid: true}, "x"},
		{uuidLike{1}, "01000000-0000-0000-0000-000000000000"}, {plainUUID{1}, "01000000-0000-0000-0000-000000000000"},
		{tags{"a", "b"}, []any{"a", "b"}}, {[]uuidLike{{1}}, []any{"01000000-0000-0000-0000-000000000000"}}, {[]masked{"a"}, []any{unknown{}}},
		{tags(nil), nil}, {make([]plainText, maxListed+1), unknown{}},
		{pgtype.FlatArray[plainText]{"a"}, []any{"a"}}, {reversed{"a", "b"}, unknown{}}, {[]any{"a", 1, nil}, []any{"a", 1, nil}},
		{withText{"x"}, unknown{}}, {&ptrValuer{"x"}, unknown{}}, {ptrValuer{"x"}, unknown{}}, {bothValuer{"a", "b"}, unknown{}}, {bothValuer{"a", "a"}, "a"},
		// What is nil in Go is NULL only where pgx binds it as such.
		{(*nilValuer)(nil), "nil"}, {(*upper)(nil), nil}, {&none, unknown{}}, {new([]byte), unknown{}}, {new(sql.NullString), nil}, {halfNull{}, unknown{}},
		{struct{}{}, unknown{}}, {map[string]int{}, unknown{}}, {panicking{}, unknown{}},
	} {
		if got := bound(row.give); !reflect.DeepEqual(got, row.want) {
			t.Errorf("%T %v: %#v instead of %#v", row.give, row.give, got, row.want)
		}
	}
}

// What is received has one value, in both formats; what cannot be told is not NULL.
func TestDecode(t *testing.T) {
	const binary, text = pgtype.BinaryFormatCode, pgtype.TextFormatCode
	for _, row := range []struct {
		oid    uint32
		format int16
		give   string
		want   any
	}{
		{pgtype.Int2OID, binary, "\xff\xfe", int64(-2)}, {pgtype.Int4OID, binary, "\xff\xff\xff\xfe", int64(-2)}, {pgtype.Int4OID, text, "-2", int64(-2)},
		{pgtype.Int8OID, binary, "\x00\x00\x00\x00\x00\x00\x00\x05", int64(5)}, {pgtype.Int8OID, text, "5", int64(5)}, {pgtype.Int8OID, text, "x", unknown{}},
		{pgtype.Int4OID, binary, "\x01", unknown{}}, {pgtype.OIDOID, binary, "\xff\xff\xff\xff", int64(1<<32 - 1)},
		{pgtype.BoolOID, binary, "\x01", true}, {pgtype.BoolOID, text, "t", true}, {pgtype.BoolOID, text, "f", false},
		{pgtype.UUIDOID, binary, "\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff", "01000000-0000-0000-0000-0000000000ff"},
		{pgtype.UUIDOID, text, "01000000-0000-0000-0000-0000000000ff", "01000000-0000-0000-0000-0000000000ff"},
		{pgtype.ByteaOID, binary, "\x01\x02", []byte{1, 2}}, {pgtype.ByteaOID, text, `\x0102`, []byte{1, 2}}, {pgtype.ByteaOID, text, `ab\000`, unknown{}},
		{pgtype.TextOID, binary, "a", "a"}, {pgtype.VarcharOID, text, "a", "a"}, {firstOID, text, "label", "label"}, {firstOID, binary, "label", unknown{}},
		{pgtype.NumericOID, text, "1.5", unknown{}}, {pgtype.TimestamptzOID, binary, "\x00\x00\x00\x00\x00\x00\x00\x05", unknown{}},
	} {
		if got := decode(row.oid, row.format, []byte(row.give)); !reflect.DeepEqual(got, row.want) {
			t.Errorf("%d %d %q: %#v instead of %#v", row.oid, row.format, row.give, got, row.want)
		}
	}
	if got := decode(pgtype.NumericOID, text, nil); got != nil {
		t.Errorf("NULL is %#v", got)
	}
}
