package opkey

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/cascadeql/cascadeql/internal/allocs"
)

func encode(t testing.TB, vars map[string]any) []byte {
	t.Helper()
	b, err := AppendVariables(nil, vars)
	if err != nil {
		t.Fatalf("%#v: %v", vars, err)
	}
	return b
}

type vars = map[string]any

// TestVariablesThatDiffer compares every value with every other.
func TestVariablesThatDiffer(t *testing.T) {
	t.Parallel()
	all := []vars{
		{},
		{"x": nil},
		{"y": nil},
		{"x": nil, "y": nil},
		{"x": "null"},
		{"x": ""},
		{"x": "1"},
		{"x": 1},
		{"x": int64(1)},
		{"x": int32(1)},
		{"x": uint64(1)},
		{"x": 1.0},
		{"x": float32(1)},
		{"x": 0.0},
		{"x": math.Copysign(0, -1)},
		{"x": json.Number("1")},
		{"x": json.Number("1.0")},
		{"x": true},
		{"x": false},
		{"x": "true"},
		{"x": []any{}},
		{"x": []any(nil)},
		{"x": []any{nil}},
		{"x": []any{int64(1)}},
		{"x": []any{"1"}},
		{"x": []any{[]any{int64(1)}}},
		{"x": []any{[]any{int64(1)}, int64(2)}},
		{"x": []any{[]any{int64(1), int64(2)}}},
		{"x": []any{int64(1), int64(2)}},
		{"x": []any{int64(2), int64(1)}},
		{"x": []any{"a", "b"}},
		{"x": []any{"ab"}},
		{"x": []any{"a"}, "b": nil},
		{"x": vars{}},
		{"x": vars(nil)},
		{"x": vars{"y": nil}},
		{"x": vars{"y": int64(1)}},
		{"x": []any{vars{"y": int64(1)}}},
		{"x": vars{"y": int64(1)}, "y": int64(1)},
		{"x": vars{"y": vars{"z": int64(1)}}},
		{"x": "\x00"},
		{"x": "s\x011"},
		{"xs": "1"},
	}
	for i, a := range all {
		for j, b := range all {
			if got := bytes.Equal(encode(t, a), encode(t, b)); got != (i == j) {
				t.Errorf("%#v and %#v: equal %v", a, b, got)
			}
		}
	}
}

func TestVariablesThatAgree(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		a, b vars
	}{
		{"nil and empty", nil, vars{}},
		{"strings", vars{"x": []string{"a", "b"}}, vars{"x": []any{"a", "b"}}},
		{"numbers", vars{"x": []int64{1}}, vars{"x": []any{int64(1)}}},
		{"floats", vars{"x": []float64{1}}, vars{"x": []any{1.0}}},
		{"booleans", vars{"x": []bool{true, false}}, vars{"x": []any{true, false}}},
		{"json numbers", vars{"x": []json.Number{"1"}}, vars{"x": []any{json.Number("1")}}},
		{"objects", vars{"x": []map[string]any{{"b": nil, "a": []any{"1"}}}}, vars{"x": []any{vars{"a": []any{"1"}, "b": nil}}}},
		{"lists of lists", vars{"x": [][]string{{"a"}, nil}}, vars{"x": []any{[]any{"a"}, []any(nil)}}},
		{"typed maps", vars{"x": map[string]string{"b": "2", "a": "1"}}, vars{"x": vars{"a": "1", "b": "2"}}},
		{"typed nil map", vars{"x": map[string]string(nil)}, vars{"x": vars(nil)}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if a, b := encode(t, tt.a), encode(t, tt.b); !bytes.Equal(a, b) {
				t.Errorf("%q\n%q", a, b)
			}
		})
	}
}

// upload looks like graphql.Upload.
type upload struct {
	File     io.ReadSeeker
	Filename string
}

type named string

func nested(depth int, leaf any) any {
	for range depth {
		leaf = []any{leaf}
	}
	return leaf
}

func TestUnencodable(t *testing.T) {
	t.Parallel()
	loop := vars{}
	loop["x"] = loop
	text := "a"
	for name, v := range map[string]any{
		"NaN":            math.NaN(),
		"infinity":       math.Inf(-1),
		"float32 NaN":    float32(math.NaN()),
		"channel":        make(chan int),
		"function":       func() {},
		"reader":         strings.NewReader("x"),
		"upload":         upload{File: strings.NewReader("x")},
		"upload pointer": &upload{},
		"nil pointer":    (*upload)(nil),
		"list of upload": []upload{{}},
		"upload in list": []any{upload{}},
		"upload below":   vars{"a": []any{vars{"b": upload{}}}},
		"pointer":        &text,
		"array":          [1]int{1},
		"complex":        complex(1, 2),
		"uintptr":        uintptr(1),
		"time":           time.Now(),
		"named string":   named("x"),
		"named in slice": []named{"x"},
		"named list":     json.RawMessage("1"),
		"map by number":  map[int]string{1: "x"},
		"map by name":    map[named]string{"x": "x"},
		"NaN in slice":   []float64{math.NaN()},
		"too deep":       nested(1000, nil),
		"loop":           loop,
		"too deep typed": []any{nested(99, [][][]string{{{"x"}}})},
	} {
		if _, err := AppendVariables(nil, vars{"x": v}); !errors.Is(err, ErrUnencodable) {
			t.Errorf("%s: error %v", name, err)
		}
	}
	if _, err := AppendVariables(nil, vars{"x": nested(90, "x")}); err != nil {
		t.Errorf("90 levels: %v", err)
	}
}

func TestManyVariablesAreSorted(t *testing.T) {
	t.Parallel()
	many := vars{}
	for i := range 200 {
		many[strings.Repeat("k", i)] = int64(i)
	}
	want := encode(t, many)
	for range 5 { // maps iterate in another order every time
		if !bytes.Equal(encode(t, many), want) {
			t.Fatal("the order of the map shows")
		}
	}
}

func TestVariablesDoNotAllocate(t *testing.T) {
	many := vars{}
	for i := range inPlace {
		many[strings.Repeat("k", i)] = int64(i)
	}
	buf := make([]byte, 0, 4096)
	for name, v := range map[string]vars{"typical": typicalVariables(), "sixteen keys": many} {
		if n := allocs.PerRun(100, func() {
			if _, err := AppendVariables(buf, v); err != nil {
				t.Fatal(err)
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

// drawVariable draws values of the types that decoding and coercion make.
func drawVariable(t *rapid.T, depth int) any {
	kinds := 8
	if depth > 0 {
		kinds = 12
	}
	switch rapid.IntRange(0, kinds-1).Draw(t, "kind") {
	case 0:
		return nil
	case 1:
		return rapid.Bool().Draw(t, "bool")
	case 2:
		return int64(rapid.IntRange(-2, 300).Draw(t, "int"))
	case 3:
		return rapid.IntRange(-2, 300).Draw(t, "int")
	case 4:
		return rapid.SampledFrom([]float64{0, 1, -1, 0.5, 1e300}).Draw(t, "float")
	case 5:
		return json.Number(rapid.SampledFrom([]string{"0", "1", "1.0", "1e0", "-0"}).Draw(t, "number"))
	case 6, 7:
		return texts.Draw(t, "text")
	case 8, 9:
		list := []any{}
		for range rapid.IntRange(0, 3).Draw(t, "length") {
			list = append(list, drawVariable(t, depth-1))
		}
		return list
	default:
		return drawVariables(t, depth-1)
	}
}

func drawVariables(t *rapid.T, depth int) vars {
	m := vars{}
	for range rapid.IntRange(0, 3).Draw(t, "members") {
		m[texts.Draw(t, "name")] = drawVariable(t, depth)
	}
	return m
}

// TestVariablesRoundTrip: what is encoded can be decoded to the same, types included, so
// no two different values have the same bytes.
func TestVariablesRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawVariables(t, 3), drawVariables(t, 1)
		enc, err := AppendVariables(nil, a)
		if err != nil {
			t.Fatal(err)
		}
		d := decoder{enc}
		if got := d.variables(); !reflect.DeepEqual(got, a) || len(d.b) != 0 {
			t.Fatalf("%#v decodes to %#v, %d bytes are left", a, got, len(d.b))
		}
		other, err := AppendVariables(nil, b)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Equal(enc, other) != reflect.DeepEqual(a, b) {
			t.Fatalf("%#v\n%#v\n%q", a, b, enc)
		}
	})
}

func FuzzVariables(f *testing.F) {
	for _, s := range []string{`{}`, `{"x":null}`, `{"x":[1,"1",1.0,{"y":[]}],"x":2}`, `{"\u0000":"\ud800"}`, strings.Repeat(`{"x":`, 120)} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		dec := json.NewDecoder(bytes.NewReader(text))
		dec.UseNumber()
		var v vars
		if dec.Decode(&v) != nil {
			return
		}
		enc, err := AppendVariables(nil, v)
		if err != nil {
			return
		}
		d := decoder{enc}
		if got := d.variables(); len(v) > 0 && !reflect.DeepEqual(got, v) {
			t.Fatalf("%#v decodes to %#v", v, got)
		}
	})
}

func TestParts(t *testing.T) {
	t.Parallel()
	join := func(parts ...string) string {
		var b []byte
		for _, p := range parts {
			b = AppendPart(b, p)
		}
		return string(b)
	}
	seen := map[string][]string{}
	for _, parts := range [][]string{
		{}, {""}, {"", ""}, {"a"}, {"a", ""}, {"", "a"}, {"a", "b"}, {"ab"}, {"ab", ""}, {"\x01a"}, {"\x01", "a"}, {strings.Repeat("a", 128)}, {strings.Repeat("a", 127), "a"},
	} {
		key := join(parts...)
		if other, ok := seen[key]; ok {
			t.Errorf("%q and %q have one key", parts, other)
		}
		seen[key] = parts
	}
	if got := AppendPart(nil, []byte("ab")); string(got) != join("ab") {
		t.Errorf("bytes are written as %q", got)
	}
}
