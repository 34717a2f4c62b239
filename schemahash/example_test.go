package schemahash_test

import (
	"fmt"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/cascadeql/cascadeql/schemahash"
)

func ExampleSum() {
	sum := func(source string) schemahash.Hash {
		return schemahash.Sum(gqlparser.MustLoadSchema(&ast.Source{Input: source}))
	}
	one := sum("type Query { name: String  age: Int }")
	two := sum("\"Ask here.\"\ntype Query {\n  age: Int\n  name: String\n}")
	three := sum("type Query { name: String!  age: Int }")

	fmt.Println(one == two, one == three)
	fmt.Println(one)
	// Output:
	// true false
	// 23cb21874a5fc99ab72d81e618920840afa174fd718588897177a880125d4543
}
