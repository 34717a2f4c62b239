package cascade_test

import (
	"errors"
	"fmt"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/cascadeql/cascadeql/cascade"
)

func ExampleCompile() {
	schema := gqlparser.MustLoadSchema(
		&ast.Source{Name: "cascade.graphql", Input: cascade.SDL("")},
		&ast.Source{Name: "schema.graphql", Input: `
type Post @view(name: "v_post", touched: ["version"]) {
  id: ID!
  status: String!
  version: Int!
}
type Query {
  drafts: [Post!]! @reads(view: "Post", where: ["stauts = 'DRAFT'"])
}
type Mutation {
  publish(id: ID!): Post! @writes(view: "v_posts", op: "UPDATE", row: "args.id", fields: ["status"])
}`})

	_, err := cascade.Compile(schema, cascade.Options{})
	fmt.Println(err)
	fmt.Println(errors.Is(err, cascade.ErrDirectives))
	// Output:
	// schema.graphql:8:49: view "v_post" has no column stauts: did you mean status?, or declare it in columns of its @view
	// schema.graphql:11:41: there is no view or type "v_posts": did you mean v_post?
	// true
}

func ExampleConfig() {
	fmt.Print(cascade.Config(""))
	// Output:
	// directives:
	//   view: {skip_runtime: true}
	//   dependsOn: {skip_runtime: true}
	//   reads: {skip_runtime: true}
	//   writes: {skip_runtime: true}
	//   cacheControl: {skip_runtime: true}
}
