package extractor_test

import (
	"fmt"
	"strings"

	"github.com/cascadeql/cascadeql/extractor"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
)

func ExamplePrepare() {
	schema := gqlparser.MustLoadSchema(&ast.Source{Input: `
		type Query { me: User }
		type User { id: ID! name: String }`})
	doc := gqlparser.MustLoadQuery(schema, `{ me { name } }`)

	o, err := extractor.Prepare(extractor.Spec{
		Schema: schema,
		Key:    func(object *ast.Definition) string { return "id" },
	}, doc, doc.Operations[0])
	if err != nil {
		fmt.Println(err)
		return
	}

	// What a server answers to o.Operation.
	data := strings.ReplaceAll(`{"me":{"HIDDENk0":"7","name":"Ada"}}`, "HIDDEN", extractor.Nonce())
	res, err := o.Walk([]byte(data))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s\n", res.Data)
	for _, object := range res.Objects {
		fmt.Printf("%s %q\n", object.Selection.Object.Name, object.Key)
	}
	// Output:
	// {"me":{"name":"Ada"}}
	// Query ""
	// User "7"
}

func ExampleCanonicalID() {
	for _, raw := range []string{`"{01890A5D-AC96-774B-BCCE-B302099A8057}"`, `1`, `"1"`, `1.0`, `"01ARZ3"`} {
		fmt.Printf("%s\n", extractor.CanonicalID([]byte(raw)))
	}
	// Output:
	// 01890a5d-ac96-774b-bcce-b302099a8057
	// 1
	// 1
	// 1
	// 01ARZ3
}

func ExampleParseCascade() {
	c := extractor.ParseCascade([]byte(`{
		"updated": [{"__typename": "UpdatedEntity", "entityType": "Company", "id": "7", "operation": "UPDATED"}],
		"deleted": [{"__typename": "Address", "id": "3"}],
		"metadata": {"affectedCount": 3}
	}`))
	fmt.Println(c.Updated[0].Type, c.Updated[0].ID)
	fmt.Println(c.Deleted[0].Type, c.Deleted[0].ID)
	fmt.Println("incomplete:", c.Truncated)
	// Output:
	// Company 7
	// Address 3
	// incomplete: true
}
