package extractor_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/cascadeql/cascadeql/extractor"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/formatter"
)

func noneRuns(string) bool { return false }

// TestProbeDifferential executes random documents and their probes on the same data. What
// is found in both is what the executor saw, and the client's answer stays as it is.
func TestProbeDifferential(t *testing.T) {
	t.Parallel()
	const seed, want = 2, 1000
	r := rand.New(rand.NewPCG(seed, seed))
	valid, objects := 0, 0
	for range 20 * want {
		query := randomDocument(r)
		doc := loadLoose(query)
		if doc == nil {
			continue
		}
		spec := testSpec()
		spec.Resolve = func(*extractor.Field, *ast.Definition, []string) bool { return true } // some paths have arguments
		o, err := extractor.Prepare(spec, doc, doc.Operations[0])
		if err != nil {
			t.Fatalf("%s: %v", query, err)
		}
		probe := o.Probe(noneRuns)
		if probe == nil {
			continue
		}
		valid++
		vars := map[string]any{"a": r.IntN(2) == 0, "b": r.IntN(2) == 0}
		w := &world{seed: r.Uint64(), values: map[string]uint64{}}
		plain := w.execute(doc, doc.Operations[0], vars, testPaths)
		answer := plain.out.String()
		beside := w.execute(probe.Doc, probe.Operation, vars, nil).out.String()
		seen, err := o.Walk([]byte(beside))
		if err != nil {
			t.Fatalf("%s\n%s: %v", query, beside, err)
		}
		res, disagreed, err := o.WalkBeside([]byte(answer), seen)
		if err != nil || disagreed != nil {
			t.Fatalf("%s\nanswer %s\nprobe %s\n%v %v", query, answer, beside, disagreed, err)
		}
		got, rows := entries(res)
		if !reflect.DeepEqual(got, plain.truth) || res.Rows != rows || string(res.Data) != answer {
			t.Fatalf("%s\nanswer %s\nprobe %s\ngot  %+v\nwant %+v", query, answer, beside, got, plain.truth)
		}
		if objects += len(got); valid == want {
			break
		}
	}
	if valid < want || objects < 4*want {
		t.Fatalf("only %d valid documents with %d objects", valid, objects)
	}
}

// TestProbe: a probe has what tells rows, and nothing that runs again.
func TestProbe(t *testing.T) {
	t.Parallel()
	schema := gqlparser.MustLoadSchema(&ast.Source{Input: `
		directive @mask on FIELD
		directive @auth on FIELD_DEFINITION | OBJECT
		directive @doc on FIELD_DEFINITION | OBJECT
		directive @check on ARGUMENT_DEFINITION
		interface Node { id: ID! }
		type User implements Node @doc { id: ID! @doc name: String! friend(n: Int = 1): User closed: Closed open: Open }
		type Closed implements Node @auth { id: ID! name: String }
		type Open implements Node { id: ID! @auth name: String arg: Arg }
		type Arg { id(x: Int): ID! name: String }
		type Query { me(n: Int! = 1): User node: Node checked(n: Int @check): User arg: Arg }
		type Mutation { save: User @doc }`})
	runs := func(directive string) bool { return directive == "auth" || directive == "check" }
	resolve := false
	spec := extractor.Spec{
		Schema: schema, Key: func(*ast.Definition) string { return "id" },
		Paths: func(f *extractor.Field, _ *ast.Definition) [][]string {
			if f.Name != "save" {
				return nil
			}
			return [][]string{{"friend", "name"}, {"closed", "id"}, {"open", "name"}}
		},
		Resolve: func(_ *extractor.Field, _ *ast.Definition, path []string) bool { return resolve && path[0] != "open" },
	}
	probeOf := func(query string) *extractor.Probe {
		doc := gqlparser.MustLoadQuery(schema, query)
		o, err := extractor.Prepare(spec, doc, doc.Operations[0])
		if err != nil {
			t.Fatalf("%s: %v", query, err)
		}
		return o.Probe(runs)
	}
	text := func(s *extractor.Probe) string {
		if s == nil {
			return ""
		}
		var b bytes.Buffer
		formatter.NewFormatter(&b, formatter.WithIndent("")).FormatQueryDocument(s.Doc)
		return strings.Join(strings.Fields(strings.ReplaceAll(b.String(), extractor.Nonce(), "N")), " ")
	}
	for _, row := range []struct{ name, query, want string }{
		{"nothing hidden", `{ me { id name } }`, ``},
		{"leaves and arguments", `{ me(n: 2) { name friend(n: 3) { name } } }`, `query { me { Nk0: id friend { Nk0: id } } }`},
		{"conditions, and other directives", `query($a: Boolean!) { me @include(if: $a) { n: name @mask friend @mask { name } } }`, `query ($a: Boolean!) { me @include(if: $a) { Nk0: id friend { Nk0: id } } }`},
		{"fragments", `{ me { ...F } } fragment F on User { friend { name } }`, `query { me { Nk0: id ... F } } fragment F on User { friend { Nk0: id } }`},
		{"a plain key stays", `{ me { id friend { name } } }`, `query { me { id friend { Nk0: id } } }`},
		{"introspection", `{ me { name } __schema { types { name } } }`, `query { me { Nk0: id } }`},
		{"directives that run", `{ me { name closed { name } open { name } } }`, `query { me { Nk2: id closed { Nt0: __typename } open { Nt1: __typename } } }`},
		{"an abstract type", `{ node { id } }`, `query { node { ... on Closed { Nt0: __typename } ... on Open { Nt1: __typename } ... on User { Nk2: id } } }`},
		{"a key with an argument", `{ arg { name } }`, `query { arg { Nt0: __typename } }`},
		{"an argument's directive", `{ checked(n: 1) { name } }`, ``},
		{"an argument's directive, without the argument", `{ checked { name } }`, ``},
		{"paths", `mutation { save { id } }`, `mutation { save { Np2: closed Np4: open { Np5: name } id } }`},
	} {
		if got := text(probeOf(row.query)); got != row.want {
			t.Errorf("%s: got\n%s\nwant\n%s", row.name, got, row.want)
		}
	}
	if s := probeOf(`mutation { save { id } }`); s.Resolves() {
		t.Error("nothing may resolve")
	}
	resolve = true
	s := probeOf(`mutation { save { id } }`)
	if got, want := text(s), `mutation { save { Np0: friend { Np1: name } Np2: closed { Np3: id } Np4: open { Np5: name } id } }`; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	var may, guarded []bool
	for _, alias := range []string{"p0", "p1", "p3", "p5", "k0", "p99"} {
		m, g := s.MayResolve(extractor.Nonce() + alias)
		may, guarded = append(may, m), append(guarded, g)
	}
	if !s.Resolves() || !slices.Equal(may, []bool{true, true, true, false, false, false}) || !slices.Equal(guarded, []bool{true, false, true, false, false, false}) {
		t.Errorf("%v, %v", may, guarded)
	}
}

// TestWalkBeside: answers that do not have the probe's objects, or have other keys, are
// told.
func TestWalkBeside(t *testing.T) {
	t.Parallel()
	o := prepare(t, extractor.Spec{}, `{ me { id } node { id } users { name friend { id } } }`)
	const probe = `{"me":{"id":"1"},"node":{"Nk0":"2"},"users":[{"Nk1":"3","friend":null},{"Nk1":"4","friend":{"id":"5"}}]}`
	for _, row := range []struct{ name, answer, want string }{
		{"the same", `{"me":{"id":"1"},"node":{"id":"2"},"users":[{"name":"a","friend":null},{"name":"b","friend":{"id":"5"}}]}`, "Query^-1 User:1^0 Post:2^0 User:3^0 null^3 User:4^0 User:5^5"},
		{"a null more", `{"me":{"id":"1"},"node":{"id":"2"},"users":[{"name":"a","friend":null},{"name":"b","friend":null}]}`, "other"},
		{"a null less", `{"me":{"id":"1"},"node":{"id":"2"},"users":[{"name":"a","friend":{"id":"6"}},{"name":"b","friend":{"id":"5"}}]}`, "other"},
		{"an element less", `{"me":{"id":"1"},"node":{"id":"2"},"users":[{"name":"a","friend":null}]}`, "other"},
		{"an element more", `{"me":{"id":"1"},"node":{"id":"2"},"users":[{"name":"a","friend":null},{"name":"b","friend":{"id":"5"}},{"name":"c","friend":null}]}`, "other"},
		{"a root null", `null`, "other"},
		{"another key", `{"me":{"id":"9"},"node":{"id":"2"},"users":[{"name":"a","friend":null},{"name":"b","friend":{"id":"5"}}]}`, "User"},
		{"another spelling", `{"me":{"id":1},"node":{"id":"2"},"users":[{"name":"a","friend":null},{"name":"b","friend":{"id":"5"}}]}`, "Query^-1 User:1^0 Post:2^0 User:3^0 null^3 User:4^0 User:5^5"},
		{"junk", `{"me":{"id":"1"},`, "malformed"},
	} {
		seen, err := o.Walk([]byte(strings.ReplaceAll(probe, "N", extractor.Nonce())))
		if err != nil {
			t.Fatal(err)
		}
		res, disagreed, err := o.WalkBeside([]byte(row.answer), seen)
		var got string
		switch {
		case errors.Is(err, extractor.ErrOther):
			got = "other"
		case errors.Is(err, extractor.ErrMalformed):
			got = "malformed"
		case disagreed != nil:
			got = disagreed.Name
		default:
			got = describe(res)
		}
		if got != row.want {
			t.Errorf("%s: got %s, want %s", row.name, got, row.want)
		}
	}
}
