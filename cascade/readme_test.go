package cascade_test

import (
	"os"
	"strings"
	"testing"
)

// TestReadme: the schema of the README drops the answers that the README says, and no
// others.
func TestReadme(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(page), "```graphql\n")
	schema, _, end := strings.Cut(rest, "```\n")
	if !ok || !end {
		t.Fatal("the README has no schema")
	}
	retitle := func(name, query, data string, falls bool) rule {
		return rule{name: name, query: query, data: data, mutation: `{retitle(id: 1, title: "New") {title}}`, falls: falls}.on(schema)
	}
	runRules(t, []rule{
		retitle("this post's title", `{post(id: 1) {title}}`, `{"post":{"id":"1","title":"Old"}}`, true),
		retitle("this post's title and body", `{post(id: 1) {title body}}`, `{"post":{"id":"1","title":"Old","body":"a"}}`, true),
		retitle("only this post's body", `{post(id: 1) {body}}`, `{"post":{"id":"1","body":"a"}}`, false),
		retitle("another post", `{post(id: 2) {title}}`, `{"post":{"id":"2","title":"Old"}}`, false),
	})
}
