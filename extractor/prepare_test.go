package extractor_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/cascadeql/cascadeql/extractor"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/formatter"
)

// render prints the prepared document with N for the nonce. The formatter prints fields
// without position information, which hidden fields need not have.
func render(o *extractor.Operation) string {
	var b bytes.Buffer
	formatter.NewFormatter(&b, formatter.WithIndent("")).FormatQueryDocument(o.Doc)
	return strings.Join(strings.Fields(strings.ReplaceAll(b.String(), extractor.Nonce(), "N")), " ")
}

func TestPrepareInjects(t *testing.T) {
	t.Parallel()
	onNode := "... on Post { Nk0: id } ... on User { Nk1: id }"
	for _, row := range []struct{ name, query, want string }{
		{"plain key", `{ me { name id } }`, ``},
		{"no key", `{ me { name } }`, `query { me { Nk0: id name } }`},
		{"key under another name", `{ me { a: id } }`, `query { me { Nk0: id a: id } }`},
		{"another field under the key's name", `{ me { id: name } }`, `query { me { Nk0: id id: name } }`},
		{"conditional key", `query($w: Boolean!) { me { id @skip(if: $w) name } }`, `query ($w: Boolean!) { me { Nk0: id id @skip(if: $w) name } }`},
		{"key twice, once for sure", `query($w: Boolean!) { me { id @skip(if: $w) id } }`, ``},
		{"key with a custom directive", `{ me { id @mask } }`, `query { me { Nk0: id id @mask } }`},
		{"key spoilt by another node", `{ me { id } me { id @mask } }`, `query { me { Nk0: id id } me { Nk0: id id @mask } }`},
		{"key through a fragment", `{ me { ...F } } fragment F on User { id }`, ``},
		{"key through a fragment on an interface", `{ me { ... on Node { ... { id } } } }`, ``},
		{"key through a conditional fragment", `{ me { ... @include(if: true) { id } } }`, `query { me { Nk0: id ... @include(if: true) { id } } }`},
		{"key through a conditional spread", `{ me { ...F @include(if: true) } } fragment F on User { id }`, `query { me { Nk0: id ... F @include(if: true) } } fragment F on User { id }`},
		{"key through a spread of another type", `{ me { ...F } } fragment F on Node { ... on Post { id } }`, `query { me { Nk0: id ... F } } fragment F on Node { ... on Post { id } }`},
		{"merged nodes", `{ me { id } me { ...F } } fragment F on User { id name }`, ``},
		{"merged nodes, one without key", `{ me { id } me { name } }`, `query { me { id } me { Nk0: id name } }`},
		{"in a fragment", `{ me { id ...F } } fragment F on User { friend { name } }`, `query { me { id ... F } } fragment F on User { friend { Nk0: id name } }`},
		{"interface", `{ node { id } }`, `query { node { ` + onNode + ` id } }`},
		{"only __typename", `{ node { __typename } }`, `query { node { ` + onNode + ` __typename } }`},
		{"__typename that is never there", `{ me { id __typename @include(if: false) } }`, ``},
		{"union with a keyless member", `{ any { __typename } }`, `query { any { ... on Counter { Nk0: number } ... on Post { Nk1: id } ... on Stats { Nt2: __typename } ... on User { Nk3: id } __typename } }`},
		{"fragment on an interface in a union", `{ any { ... on Node { id } } }`, `query { any { ... on Counter { Nk0: number } ... on Post { Nk1: id } ... on Stats { Nt2: __typename } ... on User { Nk3: id } ... on Node { id } } }`},
		{"keyless object", `{ stats { count } }`, ``},
		{"key of another name", `{ counter { name } }`, `query { counter { Nk0: number name } }`},
		{"scalars", `{ hello map }`, ``},
		{"introspection", `{ __schema { types { name fields { name } } } __type(name: "User") { name } __typename }`, ``},
		{"nested root", `{ again { again { hello } } }`, ``},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			o := prepare(t, extractor.Spec{}, row.query)
			if row.want == "" {
				if o.Injected {
					t.Fatalf("injected: %s", render(o))
				}
				return
			}
			if got := render(o); !o.Injected || got != row.want {
				t.Fatalf("got\n%s\nwant\n%s", got, row.want)
			}
		})
	}
}

func TestPrepareWithoutChangeSharesDocument(t *testing.T) {
	t.Parallel()
	doc, op := load(t, `{ me { id } }`)
	o, err := extractor.Prepare(extractor.Spec{Schema: testSchema, Key: keyName}, doc, op)
	if err != nil || o.Doc != doc || o.Operation != op {
		t.Fatalf("document copied: %v", err)
	}
}

func TestPrepareSharesUnchangedFragments(t *testing.T) {
	t.Parallel()
	doc, op := load(t, `{ me { ...A } posts { ...B } } fragment A on User { id name } fragment B on Post { author { name } }`)
	o, err := extractor.Prepare(extractor.Spec{Schema: testSchema, Key: keyName}, doc, op)
	if err != nil {
		t.Fatal(err)
	}
	if o.Doc.Fragments[0] != doc.Fragments[0] || o.Doc.Fragments[1] == doc.Fragments[1] {
		t.Fatal("fragment A must be shared, fragment B copied")
	}
	if o.Doc.Operations[0] != o.Operation {
		t.Fatal("the document does not hold the operation")
	}
}

// TestPrepareTree checks what the tree says where fields are merged and depend on the
// type.
func TestPrepareTree(t *testing.T) {
	t.Parallel()
	o := prepare(t, extractor.Spec{}, `
		query($w: Boolean!) { x: node(id: 7) { id ... on User { label: email } } x: node(id: 7) { ... on Post { label: title author { name } } ...F @skip(if: $w) } }
		fragment F on Post { author { email } }`)
	x := o.Root.Lookup("x")
	if x == nil || x.Definition.Name != "node" || x.Arguments.ForName("id").Value.Raw != "7" || x.In != o.Root {
		t.Fatalf("bad field: %+v", x)
	}
	if len(x.On) != 2 || x.On[0].Object.Name != "Post" || x.On[1].Object.Name != "User" {
		t.Fatalf("bad types: %+v", x.On)
	}
	if d := x.On[0].Lookup("label").Definition.Name; d != "title" {
		t.Fatalf("label of a Post is %s", d)
	}
	author := x.On[0].Lookup("author").On[0]
	if len(author.Fields) != 2 || author.Lookup("name") == nil || author.Lookup("email") == nil {
		t.Fatalf("author selects %d fields", len(author.Fields))
	}
	for i, f := range o.Fields {
		if f.ID != i {
			t.Fatalf("field %d has id %d", i, f.ID)
		}
	}
	for i, s := range o.Selections {
		if s.ID != i {
			t.Fatalf("selection %d has id %d", i, s.ID)
		}
	}
}

func TestPrepareRefuses(t *testing.T) {
	t.Parallel()
	wide := &strings.Builder{}
	wide.WriteString("{ me { ...F0 } }")
	for i := range 40 {
		fmt.Fprintf(wide, " fragment F%d on User { a: friend { ...F%d } b: friend { ...F%d } }", i, i+1, i+1)
	}
	wide.WriteString(" fragment F40 on User { id }")
	for _, row := range []struct {
		name string
		doc  func(t *testing.T) *ast.QueryDocument
		want error
	}{
		{"exponential fragments", func(t *testing.T) *ast.QueryDocument { d, _ := load(t, wide.String()); return d }, extractor.ErrTooLarge},
		{"client alias with the nonce", func(t *testing.T) *ast.QueryDocument {
			d, _ := load(t, `{ me { ...F } } fragment F on User { `+extractor.Nonce()+`k0: name }`)
			return d
		}, extractor.ErrAlias},
		{"cyclic fragments", func(t *testing.T) *ast.QueryDocument {
			d, _ := load(t, `{ me { ...A } } fragment A on User { ...B name } fragment B on User { name }`)
			d.Fragments[1].SelectionSet = append(d.Fragments[1].SelectionSet, &ast.FragmentSpread{Name: "A"})
			return d
		}, extractor.ErrInvalid},
		{"cycle through a field", func(t *testing.T) *ast.QueryDocument {
			d, _ := load(t, `{ me { ...A } } fragment A on User { friend { name } }`)
			f := d.Fragments[0].SelectionSet[0].(*ast.Field)
			f.SelectionSet = append(f.SelectionSet, &ast.FragmentSpread{Name: "A"})
			return d
		}, extractor.ErrInvalid},
		{"unknown fragment", func(t *testing.T) *ast.QueryDocument {
			d, _ := load(t, `{ me { name } }`)
			d.Operations[0].SelectionSet = append(d.Operations[0].SelectionSet, &ast.FragmentSpread{Name: "A"})
			return d
		}, extractor.ErrInvalid},
		{"not validated", func(t *testing.T) *ast.QueryDocument {
			return &ast.QueryDocument{Operations: ast.OperationList{{
				Operation: ast.Query, SelectionSet: ast.SelectionSet{&ast.Field{Alias: "me", Name: "me"}},
			}}}
		}, extractor.ErrInvalid},
		{"conflicting fields", func(t *testing.T) *ast.QueryDocument {
			d, _ := load(t, `{ me { name email } }`)
			d.Operations[0].SelectionSet[0].(*ast.Field).SelectionSet[1].(*ast.Field).Alias = "name"
			return d
		}, extractor.ErrInvalid},
		{"no such operation type", func(t *testing.T) *ast.QueryDocument {
			d, _ := load(t, `{ me { name } }`)
			d.Operations[0].Operation = ast.Subscription
			return d
		}, extractor.ErrInvalid},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			doc := row.doc(t)
			o, err := extractor.Prepare(extractor.Spec{Schema: testSchema, Key: keyName}, doc, doc.Operations[0])
			if !errors.Is(err, row.want) || o != nil {
				t.Fatalf("got %v, want %v", err, row.want)
			}
		})
	}
}

func TestPrepareMaxFields(t *testing.T) {
	t.Parallel()
	doc, op := load(t, `{ me { id name email } }`) // 2 selections, 4 fields
	for n, ok := range map[int]bool{5: false, 6: true, 0: true} {
		_, err := extractor.Prepare(extractor.Spec{Schema: testSchema, Key: keyName, MaxFields: n}, doc, op)
		if (err == nil) != ok {
			t.Errorf("MaxFields %d: %v", n, err)
		}
	}
}

// TestPrepareFragmentReach has few positions, each of which looks at every fragment.
func TestPrepareFragmentReach(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("{ me { ")
	for range 3000 {
		b.WriteString("... on Post { id } ")
	}
	b.WriteString("} }")
	doc, op := load(t, strings.ReplaceAll(b.String(), "... on Post", "... on Node"))
	_, err := extractor.Prepare(extractor.Spec{Schema: testSchema, Key: keyName, MaxFields: 10}, doc, op)
	if !errors.Is(err, extractor.ErrTooLarge) {
		t.Fatalf("got %v", err)
	}
}

// TestPrepareRepeatedSpreads has 2^40 ways to one field; a fragment counts once per
// position.
func TestPrepareRepeatedSpreads(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("{ me { ...F0 } }")
	for i := range 40 {
		fmt.Fprintf(&b, " fragment F%d on User { ...F%d ...F%d }", i, i+1, i+1)
	}
	b.WriteString(" fragment F40 on User { name }")
	if o := prepare(t, extractor.Spec{}, b.String()); len(o.Fields) != 2 || !o.Injected {
		t.Fatalf("%d fields", len(o.Fields))
	}
}

func TestPrepareDeferred(t *testing.T) {
	t.Parallel()
	for _, query := range []string{
		`{ me { ... @defer { name } } }`,
		`{ me { ...F @defer(label: "x") } } fragment F on User { name }`,
		`{ me { ...G } } fragment G on User { ...F @defer } fragment F on User { name }`,
	} {
		o := prepare(t, extractor.Spec{Cascade: true}, query)
		if !o.Deferred || o.Injected || o.Root.Lookup("me") == nil {
			t.Errorf("%s: deferred %v, injected %v", query, o.Deferred, o.Injected)
		}
		data := `{"me":{"` + extractor.Nonce() + `k0":"1"}}`
		if res, err := o.Walk([]byte(data)); err != nil || string(res.Data) != data {
			t.Errorf("%s: nothing is hidden, so nothing may be stripped: %s %v", query, res.Data, err)
		}
	}
}

// TestPrepareBadKeys: a policy that names no usable key makes the type keyless.
func TestPrepareBadKeys(t *testing.T) {
	t.Parallel()
	for _, key := range []string{"nothing", "posts", "friend"} {
		o := prepare(t, extractor.Spec{Key: func(*ast.Definition) string { return key }}, `{ me { id name } }`)
		if o.Injected {
			t.Errorf("%s: %s", key, render(o))
		}
	}
}

// TestPrepareKeepsDocument compares the client's document before and after with a second
// parse of it, while other goroutines read and prepare it. The race detector watches for
// writes.
func TestPrepareKeepsDocument(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 4))
	for range 100 {
		query := randomDocument(r)
		doc, same := loadLoose(query), loadLoose(query)
		if doc == nil {
			continue
		}
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				o, err := extractor.Prepare(testSpec(), doc, doc.Operations[0])
				if err != nil {
					t.Errorf("%s: %v", query, err)
					return
				}
				w := &world{seed: 9}
				vars := map[string]any{"a": true, "b": false}
				if _, err := o.Walk([]byte(w.execute(o.Doc, o.Operation, vars, nil).out.String())); err != nil {
					t.Errorf("%s: %v", query, err)
				}
				w.execute(doc, doc.Operations[0], vars, nil)
			})
		}
		wg.Wait()
		if !reflect.DeepEqual(doc, same) {
			t.Fatalf("the document changed: %s", query)
		}
	}
}

func TestIsHidden(t *testing.T) {
	t.Parallel()
	for alias, want := range map[string]bool{
		extractor.Nonce() + "k0": true, extractor.Nonce(): true, extractor.Nonce()[:18]: false, "__c": false, "id": false, "": false,
	} {
		if extractor.IsHidden(alias) != want {
			t.Errorf("IsHidden(%q) is %v", alias, !want)
		}
	}
	if len(extractor.Nonce()) != 19 {
		t.Errorf("nonce %q has no 64 bits", extractor.Nonce())
	}
}
