package extractor_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/cascadeql/cascadeql/extractor"
	"github.com/vektah/gqlparser/v2/ast"
)

// FuzzWalk feeds any bytes; "N" in a name stands for the nonce, so that seeds reach
// hidden members. A walk must not panic, and what it strips from valid JSON must leave
// valid JSON that has nothing more to strip.
func FuzzWalk(f *testing.F) {
	for _, seed := range []string{
		`{"me":{"Nk0":"7","name":"x","friend":{"Nk1":"1","extra":{"a":[{}]}}},"any":{"Nt2":"Stats"},"anys":[[{"Nk1":"1"}],null]}`,
		`{"me":{"a":1,"Nk0":null,"Np0":[{"Np1":"1"},{"Np3":2}],"Np2":{"Np3":{"Np4":"x"}}}}`, `null`, ` { "me" : null } `, `{"me":[[[`, `{"me":"\\"}`, "{\"\xff\":1}",
		`{"full":{"Ns":true,"Nc":{},"Nd":{"Nc":1}}}`,
	} {
		f.Add([]byte(seed))
	}
	spec := testSpec()
	spec.Paths = func(_ *extractor.Field, object *ast.Definition) [][]string { return testPaths("odd", object.Name) }
	operations := []*extractor.Operation{
		prepare(f, spec, `{ me { name a: id friend { name extra node { ... on Post { title } } } } any { __typename } anys { ... on User { name } } }`),
		prepare(f, spec, `mutation { full { success } inData { success } me: save(id: 1) { friend { name } } }`),
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		data = bytes.ReplaceAll(data, []byte(`"N`), []byte(`"`+extractor.Nonce()))
		for _, o := range operations {
			in := bytes.Clone(data)
			res, err := o.Walk(data)
			if !bytes.Equal(in, data) {
				t.Fatal("the input changed")
			}
			if err != nil {
				if json.Valid(data) && bytes.HasPrefix(bytes.TrimSpace(data), []byte("{")) && !deeplyNested(data) {
					t.Fatalf("%q: %v", data, err)
				}
				continue
			}
			checkResult(t, res, data)
			if json.Valid(data) {
				if !json.Valid(res.Data) {
					t.Fatalf("%q becomes %q", data, res.Data)
				}
				again, err := o.Walk(res.Data)
				if err != nil || !bytes.Equal(again.Data, res.Data) {
					t.Fatalf("%q is not stripped in one walk: %v", data, err)
				}
			}
		}
	})
}

func deeplyNested(data []byte) bool { return bytes.Count(data, []byte("[")) > 10_000 }

func checkResult(t *testing.T, res *extractor.Result, data []byte) {
	t.Helper()
	rows := 0
	for i, o := range res.Objects {
		if int(o.Parent) >= i || (i == 0) != (o.Parent == -1) || (i == 0) != (o.Field == nil) {
			t.Fatalf("%q: object %d has parent %d", data, i, o.Parent)
		}
		if o.Key != nil {
			rows++
		}
		if o.Null && (o.Selection != nil || o.Key != nil) {
			t.Fatalf("%q: a null with a key or selection", data)
		}
	}
	if rows != res.Rows || len(res.Objects) == 0 || len(res.Data) > len(data) {
		t.Fatalf("%q: %d rows of %d objects in %d bytes", data, res.Rows, len(res.Objects), len(res.Data))
	}
}

// FuzzCanonicalID compares with encoding/json: what it reads as the same string has the
// same key, and a canonical key is its own canonical form.
func FuzzCanonicalID(f *testing.F) {
	for _, seed := range []string{
		`"01890A5D-ac96-774b-bcce-b302099a8057"`, `"{01890a5d-ac96-774b-bcce-b302099a8057}"`, `"\u0041"`, `"\ud800"`, `1.50e-3`, `-0`, `true`, `"` + "\xff" + `"`, `1e400`, `""`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		id := extractor.CanonicalID(raw)
		if !json.Valid(raw) {
			return
		}
		var v any
		d := json.NewDecoder(bytes.NewReader(raw))
		d.UseNumber()
		if d.Decode(&v) != nil {
			t.Fatal("valid JSON that does not decode")
		}
		value, ok := extractor.CanonicalValue(v)
		if raw[0] == ' ' || strings.ContainsAny(string(raw[len(raw)-1:]), " \t\r\n") || strings.ContainsAny(string(raw[:1]), "\t\r\n") {
			return
		}
		if ok != (id != nil) || value != string(id) {
			t.Fatalf("%q: %q as text, %q %v as a value", raw, id, value, ok)
		}
		if s, isString := v.(string); isString {
			if again := extractor.CanonicalString(string(id)); again != string(id) {
				t.Fatalf("%q: %q becomes %q", s, id, again)
			}
		} else if id != nil && v != true && v != false {
			if again := extractor.CanonicalID(id); !bytes.Equal(again, id) {
				t.Fatalf("%q: %q becomes %q", raw, id, again)
			}
		}
	})
}

// FuzzParseCascade: no panic, and what is not JSON is malformed.
func FuzzParseCascade(f *testing.F) {
	for _, seed := range []string{
		`{"updated":[{"__typename":"Company","id":"7","operation":"UPDATED","entity":{"__typename":"A"}}],"deleted":[{"id":1}],"metadata":{"affectedCount":2,"truncated":false}}`,
		`{"success":false,"cascade":{"updated":null}}`, `{"updated":[],"deleted":[],"invalidations":[{"queryName":"q","arguments":{"id":1},"strategy":"INVALIDATE","scope":"EXACT"}]}`, `[[[`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		c := extractor.ParseCascade(raw)
		if !json.Valid(raw) && !c.Malformed {
			t.Fatalf("%q is not malformed", raw)
		}
		for _, i := range c.Invalidations {
			if i.Scope == extractor.ScopePrefix && i.QueryName == "" || i.Scope == extractor.ScopePattern && i.QueryPattern == "" {
				t.Fatalf("%q: a scope without what it needs", raw)
			}
		}
	})
}
