package extractor_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/cascadeql/cascadeql/extractor"
	"github.com/cascadeql/cascadeql/internal/allocs"
	"github.com/google/uuid"
)

// benchCases are lists of 100 users of about 100 bytes and 1 KB each, with the key
// selected and not.
var benchCases = []struct {
	name, query string
	text        int
	hidden      bool
}{
	{"10KB/key", `{ users { id name email age } }`, 20, false},
	{"10KB/nokey", `{ users { name email age } }`, 20, true},
	{"100KB/key", `{ users { id name email age } }`, 950, false},
	{"100KB/nokey", `{ users { name email age } }`, 950, true},
}

func benchData(text int, hidden bool) []byte {
	key := "id"
	if hidden {
		key = extractor.Nonce() + "k0"
	}
	var b strings.Builder
	b.WriteString(`{"users":[`)
	for i := range 100 {
		if i > 0 {
			b.WriteByte(',')
		}
		id := uuid.NewSHA1(uuid.Nil, []byte{byte(i)})
		fmt.Fprintf(&b, `{%q:%q,"name":%q,"email":"user%d@example.org","age":%d}`, key, id, strings.Repeat("n", text), i, i)
	}
	b.WriteString(`]}`)
	return []byte(b.String())
}

func BenchmarkWalk(b *testing.B) {
	for _, c := range benchCases {
		b.Run(c.name, func(b *testing.B) {
			o := prepare(b, extractor.Spec{}, c.query)
			data := benchData(c.text, c.hidden)
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				if res, err := o.Walk(data); err != nil || res.Rows != 100 {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkUnmarshal is what the generic way costs, before looking at anything.
func BenchmarkUnmarshal(b *testing.B) {
	for _, c := range benchCases {
		b.Run(c.name, func(b *testing.B) {
			data := benchData(c.text, c.hidden)
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				var v any
				if err := json.Unmarshal(data, &v); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkPrepare(b *testing.B) {
	doc, op := load(b, `query($a: Boolean!) { users { name friend { ...F } anys { __typename ... on Post { title } } } node { id ...F @skip(if: $a) } }
		fragment F on User { name posts { title author { name } related { id } } }`)
	spec := testSpec()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := extractor.Prepare(spec, doc, op); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCanonicalID(b *testing.B) {
	for _, raw := range []string{`"01890a5d-ac96-774b-bcce-b302099a8057"`, `"01890A5D-AC96-774B-BCCE-B302099A8057"`, `12345`, `"01ARZ3NDEKTSV4RRFFQ69G5FAV"`} {
		b.Run(raw, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				extractor.CanonicalID([]byte(raw))
			}
		})
	}
}

func BenchmarkParseCascade(b *testing.B) {
	raw := []byte(`{"updated":[` + strings.Repeat(`{"__typename":"Company","id":"7","operation":"UPDATED"},`, 9) + `{"entityType":"A","id":1}],"deleted":[],"metadata":{"affectedCount":10}}`)
	b.ReportAllocs()
	for b.Loop() {
		if c := extractor.ParseCascade(raw); c.Malformed || c.Truncated {
			b.Fatal(c)
		}
	}
}

func TestWalkAllocs(t *testing.T) {
	// One for the result, one for the objects, one for the stripped bytes. A collection
	// may empty the pool of walkers now and then.
	for _, c := range benchCases {
		o, data := prepare(t, extractor.Spec{}, c.query), benchData(c.text, c.hidden)
		walk := func() {
			if _, err := o.Walk(data); err != nil {
				t.Fatal(err)
			}
		}
		walk()
		if n := allocs.PerRun(50, walk); n > 4 && allocs.Exact {
			t.Errorf("%s: %v allocations", c.name, n)
		}
	}
}
