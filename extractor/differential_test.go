package extractor_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/cascadeql/cascadeql/extractor"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"
)

// testPaths are hidden paths by type, asked for below fields with a name of odd length,
// so that one node can be at positions with and without.
func testPaths(field, object string) [][]string {
	if len(field)%2 == 0 {
		return nil
	}
	switch object {
	case "User":
		return [][]string{{"id"}, {"posts", "id"}, {"friend", "best", "id"}, {"friend", "name"}, {"email"}}
	case "Post":
		return [][]string{{"author", "id"}, {"tags"}, {"related", "id"}, {"author", "stat", "count"}}
	case "Counter":
		return [][]string{{"next", "number"}, {"number"}, {"node", "id"}}
	}
	return nil
}

func testSpec() extractor.Spec {
	return extractor.Spec{
		Schema: testSchema, Key: keyName, Cascade: true,
		Paths: func(f *extractor.Field, object *ast.Definition) [][]string { return testPaths(f.Name, object.Name) },
	}
}

// TestDifferential executes random documents as they are and prepared, on the same data:
// the stripped response must have the same bytes, and the objects found must be those
// that the executor saw.
func TestDifferential(t *testing.T) {
	t.Parallel()
	const seed, want = 1, 1500
	r := rand.New(rand.NewPCG(seed, seed))
	valid, objects := 0, 0
	for range 20 * want {
		query := randomDocument(r)
		doc := loadLoose(query)
		if doc == nil {
			continue
		}
		valid++
		for n := range uint64(2) {
			vars := map[string]any{"a": r.IntN(2) == 0, "b": r.IntN(2) == 0}
			w := &world{seed: r.Uint64() + n}
			objects += len(checkWalk(t, w, doc, vars, query).Objects)
		}
		if valid == want {
			break
		}
	}
	if valid < want || objects < 5*want {
		t.Fatalf("only %d valid documents with %d objects", valid, objects)
	}
}

// loadLoose forgives unused variables and fragments, which random documents mostly have.
// It returns nil for documents that are invalid otherwise.
func loadLoose(query string) *ast.QueryDocument {
	doc, err := parser.ParseQuery(&ast.Source{Input: query})
	if err != nil {
		return nil
	}
	for _, err := range validator.Validate(testSchema, doc) {
		if err.Rule != "NoUnusedVariables" && err.Rule != "NoUnusedFragments" {
			return nil
		}
	}
	return doc
}

func checkWalk(t *testing.T, w *world, doc *ast.QueryDocument, vars map[string]any, query string) *extractor.Result {
	t.Helper()
	op := doc.Operations[0]
	o, err := extractor.Prepare(testSpec(), doc, op)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	plain := w.execute(doc, op, vars, testPaths)
	prepared := w.execute(o.Doc, o.Operation, vars, nil).out.String()
	res, err := o.Walk([]byte(prepared))
	if err != nil {
		t.Fatalf("%s\n%s: %v", query, prepared, err)
	}
	if string(res.Data) != plain.out.String() {
		t.Fatalf("%s\nvars     %v\nprepared %s\nstripped %s\nplain    %s", query, vars, prepared, res.Data, plain.out.String())
	}
	got, rows := entries(res)
	if !reflect.DeepEqual(got, plain.truth) {
		for i := range min(len(got), len(plain.truth)) {
			if !reflect.DeepEqual(got[i], plain.truth[i]) {
				t.Errorf("object %d: got %+v, want %+v", i, got[i], plain.truth[i])
			}
		}
		t.Fatalf("%s\nvars     %v\nprepared %s\n%d objects, want %d", query, vars, prepared, len(got), len(plain.truth))
	}
	if res.Rows != rows {
		t.Fatalf("%s: %d rows, want %d", query, res.Rows, rows)
	}
	return res
}

// entries brings a result into the form of the truth and checks that its parts belong
// together.
func entries(res *extractor.Result) (out []entry, rows int) {
	for i, o := range res.Objects {
		e := entry{Parent: int(o.Parent), Null: o.Null, Key: string(o.Key), HasKey: o.Key != nil}
		if o.Key != nil {
			rows++
		}
		if o.Field != nil {
			e.Field = o.Field.Name
			if parent := res.Objects[o.Parent]; parent.Selection != o.Field.In {
				e.Field = fmt.Sprintf("%s of the wrong parent at %d", e.Field, i)
			}
		}
		if o.Selection != nil {
			e.Type = o.Selection.Object.Name
			if o.Selection.Field != o.Field {
				e.Type += " of the wrong field"
			}
		}
		for _, values := range o.Paths {
			var texts []string
			if values != nil {
				texts = []string{}
			}
			for _, v := range values {
				texts = append(texts, string(v))
			}
			e.Paths = append(e.Paths, texts)
		}
		out = append(out, e)
	}
	return out, rows
}
