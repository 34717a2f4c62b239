package extractor_test

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/cascadeql/cascadeql/extractor"
	"github.com/cascadeql/cascadeql/internal/allocs"
	"github.com/google/uuid"
)

func TestCanonicalID(t *testing.T) {
	t.Parallel()
	const id = "01890a5d-ac96-774b-bcce-b302099a8057"
	for _, row := range []struct{ name, raw, want string }{
		{"uuid", `"` + id + `"`, id},
		{"upper case", `"01890A5D-AC96-774B-BCCE-B302099A8057"`, id},
		{"braces", `"{01890a5d-ac96-774b-bcce-b302099a8057}"`, id},
		{"urn", `"URN:uuid:01890a5d-ac96-774b-bcce-b302099a8057"`, id},
		{"no hyphens", `"01890a5dac96774bbcceb302099a8057"`, id},
		{"escaped hyphen", `"01890a5d\u002dac96-774b-bcce-b302099a8057"`, id},
		{"other brackets", `"[01890a5d-ac96-774b-bcce-b302099a8057]"`, "[01890a5d-ac96-774b-bcce-b302099a8057]"},
		{"one brace", `"{01890a5d-ac96-774b-bcce-b302099a8057 "`, "{01890a5d-ac96-774b-bcce-b302099a8057 "},
		{"braces without hyphens", `"{01890a5dac96774bbcceb302099a8057}"`, "{01890a5dac96774bbcceb302099a8057}"},
		{"36 bytes but none", `"01890a5d-ac96-774b-bcce-b302099a805g"`, "01890a5d-ac96-774b-bcce-b302099a805g"},
		{"nil uuid", `"00000000-0000-0000-0000-000000000000"`, "00000000-0000-0000-0000-000000000000"},
		{"ulid keeps its case", `"01ARZ3NDEKTSV4RRFFQ69G5FAV"`, "01ARZ3NDEKTSV4RRFFQ69G5FAV"},
		{"relay id", `"VXNlcjox=="`, "VXNlcjox=="},
		{"empty", `""`, ""},
		{"escapes", `"a\"b\\\n\u00e4"`, "a\"b\\\nä"},
		{"not UTF-8", "\"a\xff\xfeb\"", "a\ufffd\ufffdb"},
		{"not UTF-8 beside an escape", "\"a\\n\xff\xfeb\"", "a\n\ufffd\ufffdb"},
		{"digits in a string", `"1"`, "1"},
		{"decimal in a string", `"1.0"`, "1.0"},
		{"integer", `1`, "1"},
		{"negative", `-12`, "-12"},
		{"big integer", `123456789012345678901234567890123456789`, "123456789012345678901234567890123456789"},
		{"fraction of zeros", `1.00`, "1"},
		{"exponent", `1e3`, "1000"},
		{"capital exponent with sign", `15E+1`, "150"},
		{"negative exponent", `1200e-2`, "12"},
		{"fraction", `-1.50`, "-1.5"},
		{"small", `12e-5`, "0.00012"},
		{"exact where float64 is not", `0.1234567890123456789`, "0.1234567890123456789"},
		{"zero", `0`, "0"},
		{"minus zero", `-0`, "0"},
		{"minus zero with fraction", `-0.0e5`, "0"},
		{"huge exponent", `15e100000`, "15e100000"},
		{"tiny exponent", `-1.5e-100000`, "-15e-100001"},
		{"true", `true`, "true"},
		{"false", `false`, "false"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			got := extractor.CanonicalID([]byte(row.raw))
			if got == nil || string(got) != row.want {
				t.Fatalf("got %q (nil %v), want %q", got, got == nil, row.want)
			}
		})
	}
	for _, raw := range []string{``, `null`, `{}`, `[1]`, `"`, `"a`, `tru`, `trueish`, `f`, `-`, `1.`, `.5`, `01`, `1e`, `1e+`, `1x`, `1 `, `NaN`, `"a"b"`, `"\x"`, `1e99999999999`} {
		if got := extractor.CanonicalID([]byte(raw)); got != nil {
			t.Errorf("%q is %q", raw, got)
		}
	}
}

type (
	namedString string
	namedInt    int32
)

func TestCanonicalValue(t *testing.T) {
	t.Parallel()
	id := uuid.MustParse("01890a5d-ac96-774b-bcce-b302099a8057")
	for _, row := range []struct {
		name string
		v    any
		want string
	}{
		{"string", "x", "x"},
		{"uuid text", strings.ToUpper(id.String()), id.String()},
		{"uuid", id, id.String()},
		{"named string", namedString("{" + id.String() + "}"), id.String()},
		{"json.Number", json.Number("1.0"), "1"},
		{"int", -5, "-5"}, {"int64", int64(math.MinInt64), "-9223372036854775808"}, {"named int", namedInt(7), "7"},
		{"uint64", uint64(math.MaxUint64), "18446744073709551615"}, {"uint8", uint8(9), "9"},
		{"whole float", 1.0, "1"}, {"float", 0.1, "0.1"}, {"float32", float32(0.1), "0.1"}, {"large float", 1e21, "1000000000000000000000"},
		{"minus zero", math.Copysign(0, -1), "0"}, {"bool", true, "true"},
	} {
		if got, ok := extractor.CanonicalValue(row.v); !ok || got != row.want {
			t.Errorf("%s: got %q %v, want %q", row.name, got, ok, row.want)
		}
	}
	for _, v := range []any{nil, math.NaN(), math.Inf(1), json.Number("x"), json.Number(""), []string{"a"}, map[string]any{}, struct{}{}, new(int), []byte("x")} {
		if got, ok := extractor.CanonicalValue(v); ok || got != "" {
			t.Errorf("%#v is %q", v, got)
		}
	}
}

// TestCanonicalAgrees: a key names the same row as JSON text and as a Go value.
func TestCanonicalAgrees(t *testing.T) {
	t.Parallel()
	for _, v := range []any{
		"a", "", "ä\n", "\xff", "1.0", "01890A5Dac96774bbcceb302099a8057", 1, -1, 1.5, 1e300, 5e-324, math.MaxFloat64, float64(1 << 60), true, uint32(4),
	} {
		raw, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		text := string(extractor.CanonicalID(raw))
		value, ok := extractor.CanonicalValue(v)
		if !ok || text != value {
			t.Errorf("%v: %q as JSON, %q as a value", v, text, value)
		}
		if f, ok := v.(float64); ok {
			if plain := string(extractor.CanonicalID(strconv.AppendFloat(nil, f, 'f', -1, 64))); plain != value {
				t.Errorf("%v: %q in plain notation, %q as a value", v, plain, value)
			}
		}
	}
}

func TestCanonicalAllocs(t *testing.T) {
	raw := []byte(`"01890a5d-ac96-774b-bcce-b302099a8057"`)
	for name, f := range map[string]func(){
		"uuid":    func() { extractor.CanonicalID(raw) },
		"integer": func() { extractor.CanonicalID(raw[2:5]) },
		"string":  func() { extractor.CanonicalString("01890a5d-ac96-774b-bcce-b302099a8057") },
	} {
		if n := allocs.PerRun(100, f); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}
