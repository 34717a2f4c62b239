package cascade_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"

	"github.com/cascadeql/cascadeql/cascade"
)

const feedQuery = `query ($status: Status) {
  byAuthor(authorId: 7, status: $status) {
    total
    items { id title author { id name } authorName tags { id name } views }
  }
}`

// feedData is a page of 20 posts.
func feedData() string {
	var posts []string
	for i := range 20 {
		posts = append(posts, fmt.Sprintf(
			`{"id":"%d","title":"t","views":3,"author":{"id":"%d","name":"n"},"authorName":"n","tags":[{"id":"t%d","name":"x"},{"id":"t%d","name":"y"}]}`, i, i%5, i%7, i%3))
	}
	return `{"byAuthor":{"total":20,"items":[` + strings.Join(posts, ",") + `]}}`
}

func BenchmarkOperation(b *testing.B) {
	f := mustFixture(b, ruleSchema)
	doc, err := gqlparser.LoadQuery(f.schema, feedQuery)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := f.plan.Operation(doc, doc.Operations[0]); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkReads(b *testing.B) {
	f := mustFixture(b, ruleSchema)
	q, err := f.prepare(feedQuery, map[string]any{"status": "DRAFT"})
	if err != nil {
		b.Fatal(err)
	}
	res, err := q.execute(tree(b, feedData()))
	if err != nil {
		b.Fatal(err)
	}
	var tags []cascade.Tag
	b.ReportAllocs()
	for b.Loop() {
		if tags, err = q.op.Reads(tags[:0], q.vars, res, cascade.Partition{}, nil); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(len(tags)), "tags")
}

// BenchmarkPublish is what a mutation of one row costs when ten views are derived from
// its view, each read by a list with two terms.
func BenchmarkPublish(b *testing.B) {
	var sdl, queries strings.Builder
	sdl.WriteString("enum Status { DRAFT PUBLISHED }\ntype Post @view(name: \"v_post\") { id: ID! title: String status: Status author: User @reads(view: \"User\", row: \"parent.author.id\") }\ntype User @view(name: \"v_user\") { id: ID! name: String }\n")
	for i := range 10 {
		key := []string{`, key: "author.id"`, ""}[i%5/4]
		fmt.Fprintf(&sdl, "type D%d @view(name: \"v_d%d\") @dependsOn(on: \"Post\"%s) { id: ID! a: Int b: Int }\n", i, i, key)
		fmt.Fprintf(&queries, "  d%d(id: ID!): D%d\n  ds%d(a: Int, b: Int): [D%d!]! @reads(view: \"D%d\", where: [\"a\", \"b\"], using: [])\n", i, i, i, i, i)
	}
	sdl.WriteString("type Query {\n  posts(authorId: ID, status: Status): [Post!]! @reads(view: \"Post\", where: [\"author.id = args.authorId\", \"status\"], using: [])\n" + queries.String() + "}\n")
	sdl.WriteString("input PostInput { title: String status: Status }\ntype Mutation { updatePost(id: ID!, input: PostInput!): Post @writes(view: \"Post\", op: \"UPDATE\", row: \"args.id\", fields: [\"args.input\"]) }\n")
	f := mustFixture(b, sdl.String())
	m, err := f.prepare(`mutation { updatePost(id: 1, input: {title: "x", status: DRAFT}) { title } }`, nil)
	if err != nil {
		b.Fatal(err)
	}
	res, err := m.execute(tree(b, `{"updatePost":{"id":"1","title":"x","status":"DRAFT","author":{"id":"7"}}}`))
	if err != nil {
		b.Fatal(err)
	}
	var tags []cascade.Tag
	b.ReportAllocs()
	for b.Loop() {
		events, everything := m.op.Events(cascade.Outcome{Vars: m.vars, Result: res})
		if everything != "" {
			b.Fatal(everything)
		}
		tags = f.plan.Publish(tags[:0], events, cascade.Partition{})
	}
	b.ReportMetric(float64(len(tags)), "tags")
}
