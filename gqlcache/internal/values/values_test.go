package values_test

import (
	"bytes"
	"fmt"
	"iter"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/cascadeql/cascadeql/cascade/tag"
	"github.com/cascadeql/cascadeql/gqlcache/internal/values"
	"pgregory.net/rapid"
)

// A question is what a key is built of, as far as two of them can differ.
type question struct {
	scope  values.Scope
	name   string
	tenant string
	args   []string // the name of each, and its value
}

var questions = rapid.Custom(func(t *rapid.T) question {
	text := rapid.SampledFrom([]string{"", "a", "b", "ab", "\x00", "A", "1", strings.Repeat("x", 200)})
	var q question
	switch rapid.IntRange(0, 3).Draw(t, "scope") {
	case 0:
		q.scope.All = true
	case 1:
		q.scope.Outside = true
	case 2:
		q.scope.Public = true
	default:
		q.scope.Predicate = text.Draw(t, "predicate")
	}
	if !q.scope.All && !q.scope.Outside {
		q.scope.Vary = rapid.SliceOfN(text, 0, 2).Draw(t, "vary")
		q.scope.Headers = text.Draw(t, "headers")
	}
	q.name = "n" + text.Draw(t, "name")
	q.tenant = text.Draw(t, "tenant")
	q.args = rapid.SliceOfN(text, 0, 4).Draw(t, "args")
	return q
})

func (q *question) key() values.Key {
	k := values.KeyOf(q.name)
	if q.tenant != "" {
		k.SetTenant(q.tenant)
	}
	for i := 0; i+1 < len(q.args); i += 2 {
		k.Add(q.args[i], q.args[i+1])
	}
	return k
}

// TestKeysDiffer: two keys have the same bytes only if they are built of the same parts,
// and the bytes tell the text for people.
func TestKeysDiffer(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b := questions.Draw(t, "a"), questions.Draw(t, "b")
		if len(a.args)%2 == 1 {
			a.args = a.args[1:]
		}
		if len(b.args)%2 == 1 {
			b.args = b.args[1:]
		}
		ka, kb := a.key(), b.key()
		ba, bb := ka.AppendTo(nil, &a.scope), kb.AppendTo(nil, &b.scope)
		if same := fmt.Sprintf("%#v", a) == fmt.Sprintf("%#v", b); same != (string(ba) == string(bb)) {
			t.Fatalf("%q and %q: the same %v", ba, bb, same)
		}
		if text, ok := values.Describe(ba); !ok || text != ka.String() {
			t.Fatalf("%q is described as %q, %v; want %q", ba, text, ok, ka.String())
		}
		if scope, _, ok := values.ScopeOf(ba); !ok || shown(&scope) != shown(&a.scope) {
			t.Fatalf("%q is for %s, %v; want %s", ba, shown(&scope), ok, shown(&a.scope))
		}
	})
}

// shown tells all of a scope.
func shown(s *values.Scope) string {
	return fmt.Sprintf("all %v, outside %v, public %v, predicate %q, vary %q, headers %q", s.All, s.Outside, s.Public, s.Predicate, s.Vary, s.Headers)
}

// of returns a key with a tenant.
func of(name, tenant string) values.Key {
	k := values.KeyOf(name)
	k.SetTenant(tenant)
	return k
}

// with returns a copy of a key with one more argument.
func with(k values.Key, name string, value any) values.Key {
	k.Add(name, value)
	return k
}

// TestKeysOfOneStem: keys that are built of one have arguments of their own, also long
// ones.
func TestKeysOfOneStem(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 80, 85, 86, 87, 88, 89, 90, 91, 92, 95, 300} {
		stem := with(values.KeyOf("n"), "long", strings.Repeat("x", n))
		a, b := with(stem, "a", 1), with(stem, "b", 2)
		if a.String() == b.String() || stem.String() == a.String() || !strings.Contains(a.String(), "x") {
			t.Errorf("%s, %s", a.String(), b.String())
		}
		all := values.Scope{All: true}
		if string(a.AppendTo(nil, &all)) == string(b.AppendTo(nil, &all)) {
			t.Error("they are one")
		}
	}
}

// TestKeyText: what people see of each kind of argument.
func TestKeyText(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 5, 1, 12, 0, 0, 0, time.FixedZone("", 3600))
	k := of("k", "t")
	for i, v := range []any{nil, true, false, -1, uint64(1 << 63), 1.5, "x", []byte{1, 255}, [2]byte{1, 2}, at, &at, (*time.Time)(nil), []int{1, 2}, [][]string{{"a"}, nil}} {
		k.Add(fmt.Sprint(i), v)
	}
	want := `k(tenant: "t", 0: null, 1: true, 2: false, 3: -1, 4: 9223372036854775808, 5: 1.5, 6: "x", 7: 01ff, 8: 0102, ` +
		`9: 2026-05-01T11:00:00Z, 10: 2026-05-01T11:00:00Z, 11: null, 12: [1, 2], 13: [["a"], null])`
	if got := k.String(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	for _, fault := range []values.Key{values.KeyOf(""), with(k, "map", map[string]int{}), with(k, "deep", [][][][][][][][][][]int{{{{{{{{{{1}}}}}}}}}})} {
		if fault.Fault() == "" || !strings.Contains(fault.String(), "invalid") {
			t.Errorf("%s is valid", fault.String())
		}
	}
}

// FuzzDescribe: bytes that are no key are described as none, and nothing fails.
func FuzzDescribe(f *testing.F) {
	k := with(of("k", "t"), "a", []any{1, "x", 1.5, nil, true, []byte{1}})
	for _, s := range []values.Scope{{All: true}, {Outside: true}, {Public: true, Vary: []string{"de"}}, {Predicate: "p", Vary: []string{"", "x"}}, {Public: true, Headers: "\x01"}} {
		f.Add(k.AppendTo(nil, &s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if text, ok := values.Describe(b); !ok && text != "" {
			t.Errorf("%q", text)
		}
		if _, parts, ok := values.ScopeOf(b); ok {
			for range parts {
			}
		}
	})
}

// TestSum: a sum keeps each tag and the earliest end, and says when it is full.
func TestSum(t *testing.T) {
	t.Parallel()
	var s values.Sum
	now := time.Unix(1000, 0)
	for i := range uint64(2000) {
		s.Add(&values.Sum{Tags: []tag.Tag{{Hash: i % 1000, Mask: 1 << (i / 1000)}}, Coarse: []tag.Tag{{Hash: 7, Mask: 1}}, Until: now.Add(time.Duration(i) * time.Second)})
	}
	s.Expire(time.Time{})
	s.Merge()
	if len(s.Tags) != 1000 || s.Tags[5].Mask != 3 || len(s.Coarse) != 1 || !s.Until.Equal(now) || s.Full {
		t.Errorf("%d tags, %d coarse, until %v, full %v", len(s.Tags), len(s.Coarse), s.Until, s.Full)
	}
	c := s.Clone()
	for i := range uint64(values.MaxTags) {
		s.Add(&values.Sum{Tags: []tag.Tag{{Hash: 1 << 20 * i, Mask: 1}}})
	}
	s.Merge()
	if !s.Full || len(c.Tags) != 1000 {
		t.Errorf("full %v, and a copy has %d tags", s.Full, len(c.Tags))
	}
	var outer values.Sum
	outer.Add(&s)
	if !outer.Full {
		t.Error("a sum of one that is full is not")
	}
}

// TestSameAndSize: values that anybody could tell apart are not the same, and memory that
// is shared counts once.
func TestSameAndSize(t *testing.T) {
	t.Parallel()
	type node struct {
		N    int
		Next *node
		M    map[string][]int
	}
	now := time.Now()
	a, b := &node{1, &node{N: 2}, map[string][]int{"x": {1}}}, &node{1, &node{N: 2}, map[string][]int{"x": {1}}}
	for _, row := range []struct {
		a, b any
		same bool
	}{
		{a, b, true}, {a, a.Next, false}, {now, now.Round(0), true}, {now, now.Add(1), false}, {now, now.In(time.FixedZone("", 7)), false},
		{[]int(nil), []int{}, false}, {map[string]int(nil), map[string]int{}, false}, {map[string]int{"a": 1}, map[string]int{"b": 1}, false},
		{1, int64(1), false}, {nil, nil, true}, {nil, 1, false}, {any(nil), (*node)(nil), false}, {[2]string{"a"}, [2]string{"a"}, true},
	} {
		if got := values.Same(row.a, row.b); got != row.same {
			t.Errorf("%v, %v: %v", row.a, row.b, got)
		}
	}
	ring := &node{}
	ring.Next = ring
	if values.Same(ring, &node{Next: ring}) {
		t.Error("a ring is the same as another one") // it must come to an end
	}
	graphs := [2]any{} // their paths are too many to be walked
	for i := range graphs {
		n, list, table := &node{}, []any{}, map[string]any{}
		for range 100 {
			n = &node{Next: n, M: n.M}
			list, table = []any{list, list, table, n}, map[string]any{"a": table, "b": list, "c": table}
		}
		graphs[i] = []any{list, table}
	}
	if !values.Same(graphs[0], graphs[1]) {
		t.Error("values with shared pieces are not the same")
	}
	body := make([]byte, 1000)
	if n := values.SizeOf(&[2][]byte{body, body}); n < 1000 || n > 1200 {
		t.Errorf("shared memory counts as %d", n)
	}
	if n := values.SizeOf(ring); n > 100 {
		t.Errorf("a ring counts as %d", n)
	}
}

// TestParts: the parts of a key come back as what they were built of, whoever shares it.
func TestParts(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 5, 1, 12, 0, 0, 1, time.UTC)
	id := [16]byte{1, 255}
	k := of("k", "t")
	given := []any{nil, true, false, -1, uint64(1 << 63), 1.5, "x", id, at, []any{1, "y", []string{"z"}}, []int(nil)}
	for i, v := range given {
		k.Add(fmt.Sprint(i), v)
	}
	want := fmt.Sprintf("%#v", []any{
		"t", nil, true, false, int64(-1), uint64(1 << 63), 1.5, "x", id[:], at, []any{int64(1), "y", []any{"z"}}, nil,
	})
	for _, s := range []values.Scope{{All: true}, {Outside: true}, {Public: true, Vary: []string{"de"}}, {Predicate: "p", Vary: []string{"", "x"}}} {
		got, others, ok := values.ScopeOf(k.AppendTo(nil, &s))
		if !ok || fmt.Sprintf("%#v", got) != fmt.Sprintf("%#v", s) {
			t.Errorf("the scope of %+v is %+v, %v", s, got, ok)
		}
		for _, parts := range []iter.Seq2[string, any]{k.Parts(), others} {
			var names []string
			var list []any
			for name, v := range parts {
				names, list = append(names, name), append(list, v)
			}
			if text := fmt.Sprintf("%#v", list); text != want {
				t.Errorf("got  %s\nwant %s", text, want)
			}
			if names[0] != values.TenantPart || names[1] != `argument "0"` {
				t.Errorf("%q", names)
			}
		}
	}
}

// TestForms: two types, or two codecs, have one form only if they mean the same by their
// bytes, and a type always has the same one.
func TestForms(t *testing.T) {
	t.Parallel()
	type inner struct{ A int }
	type other struct{ A int }
	type node struct {
		N    int
		Next *node
	}
	type tree struct {
		N    int
		Next *tree
	}
	type codec struct{ Level int }
	types := []any{
		1, int64(1), uint8(1), "", 1.5, true, []byte(nil), [2]byte{}, [3]byte{}, []int(nil), map[string]int(nil), map[int]string(nil), time.Time{}, time.Second,
		struct{ A int }{}, struct{ B int }{}, struct{ A, B int }{}, struct{ B, A int }{}, struct {
			A int `json:"a"`
		}{}, struct{ A *int }{}, struct{ A []int }{}, struct{ a int }{}, struct{ inner }{}, struct{ inner inner }{}, struct{ Inner inner }{},
		struct{ Inner other }{}, inner{}, other{}, &inner{}, node{}, tree{}, []node(nil), []any(nil), []fmt.Stringer(nil), func(int) {}, make(chan int),
	}
	seen := map[values.Form]string{}
	add := func(name string, f values.Form) {
		if before, ok := seen[f]; ok {
			t.Errorf("%s and %s have one form", before, name)
		}
		seen[f] = name
	}
	for _, v := range types {
		typ := reflect.TypeOf(v)
		f := values.FormOf(typ, nil)
		if f != values.FormOf(typ, nil) {
			t.Errorf("%v has two forms", typ)
		}
		add(fmt.Sprintf("%#v", v), f)
	}
	typ := reflect.TypeOf(node{})
	add("of a codec", values.FormOf(typ, codec{}))
	add("of its other setting", values.FormOf(typ, codec{1}))
	add("of a pointer to it", values.FormOf(typ, &codec{1}))
	add("of another one", values.FormOf(typ, tree{}))
	if a, b := values.FormOf(typ, codec{1}), values.FormOf(typ, codec{1}); a != b {
		t.Error("one codec has two forms")
	}
}

// TestSharedBytes: a value comes back as it was given, and other bytes are none: whatever is
// cut off, added or turned.
func TestSharedBytes(t *testing.T) {
	t.Parallel()
	form := values.FormOf(reflect.TypeFor[int](), nil)
	for _, row := range []struct {
		absent bool
		body   string
	}{{false, "1234"}, {false, ""}, {true, ""}} {
		b := values.AppendShared([]byte("before"), row.absent, form, []byte(row.body))[len("before"):]
		absent, f, body, ok := values.CutShared(b)
		if absent != row.absent || f != form || string(body) != row.body || !ok {
			t.Errorf("%+v: %v, %x, %q, %v", row, absent, f, body, ok)
		}
		for i := range b {
			if _, _, _, ok := values.CutShared(b[:i]); ok {
				t.Errorf("%+v: %d bytes of %d are a value", row, i, len(b))
			}
			turned := bytes.Clone(b)
			turned[i] ^= 1
			if _, _, _, ok := values.CutShared(turned); ok {
				t.Errorf("%+v: with another byte %d it is a value", row, i)
			}
		}
		if _, _, _, ok := values.CutShared(append(bytes.Clone(b), 0)); ok {
			t.Errorf("%+v: with a byte more it is a value", row)
		}
	}
	if _, _, _, ok := values.CutShared(values.AppendShared(nil, true, form, []byte("1"))); ok {
		t.Error("an absence has a body")
	}
	if a, b := values.SharedKey("a"), values.SharedKey("b"); a == b || len(a) != 33 || a[0] != values.Version || strings.Contains(values.SharedKey("Vsecret"), "secret") {
		t.Errorf("keys %q, %q", a, b)
	}
}
