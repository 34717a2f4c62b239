package verify

import "testing"

func TestDifference(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ name, a, b, want string }{
		{"equal", `{"a":[1,{"b":null}],"c":{}}`, `{"a":[1,{"b":null}],"c":{}}`, ""},
		{"spaces", `{"a": 1}`, `{"a":1}`, ""},
		{"scalar", `{"a":1,"b":2}`, `{"a":1,"b":3}`, "b"},
		{"null", `{"a":{"b":{"c":1}}}`, `{"a":{"b":null}}`, "a.b"},
		{"type", `{"a":"1"}`, `{"a":1}`, "a"},
		{"numbers are compared as they are written", `{"a":1.0}`, `{"a":1}`, "a"},
		{"in a list", `{"p":[{"t":1},{"t":2}]}`, `{"p":[{"t":1},{"t":3}]}`, "p[1].t"},
		{"behind a list", `{"p":[1,2],"q":1}`, `{"p":[1,2],"q":2}`, "q"},
		{"lists in lists", `{"g":[[1,2],[3,4]]}`, `{"g":[[1,2],[3,5]]}`, "g[1][1]"},
		{"longer", `{"p":[{"t":1}]}`, `{"p":[{"t":1},{"t":3}]}`, "p[1]"},
		{"shorter", `{"p":[{"t":1},{"t":3}]}`, `{"p":[]}`, "p[0]"},
		{"longer inner list", `{"g":[[],[1]]}`, `{"g":[[],[1,2]]}`, "g[1][1]"},
		{"first of two", `{"a":1,"b":1}`, `{"a":2,"b":2}`, "a"},
		{"other members", `{"a":{"x":1}}`, `{"a":{"y":1}}`, "a"},
		{"more members", `{"a":{"x":1}}`, `{"a":{"x":1,"y":1}}`, "a"},
		{"broken", `{"a":{"x":`, `{"a":{"x":1}}`, "a.x"},
		{"nothing", ``, `{}`, ""},
		{"a list at the root", `[1]`, `[2]`, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			if got := difference([]byte(row.a), []byte(row.b)).String(); got != row.want {
				t.Errorf("differ at %q, want %q", got, row.want)
			}
			if got := difference([]byte(row.b), []byte(row.a)).String(); got != row.want {
				t.Errorf("the other way round at %q, want %q", got, row.want)
			}
		})
	}
}

// FuzzDifference: equal bytes differ nowhere, and nothing panics.
func FuzzDifference(f *testing.F) {
	f.Add([]byte(`{"a":[1,{"b":null}]}`), []byte(`{"a":[1,{"b":[]}]}`))
	f.Add([]byte(`[[]]`), []byte(`[`))
	f.Fuzz(func(t *testing.T, a, b []byte) {
		if p := difference(a, b).String(); p != difference(b, a).String() {
			t.Errorf("%q and %q differ at %q one way only", a, b, p)
		}
	})
}
