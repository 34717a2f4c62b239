package opkey

import (
	"encoding/json"
	"testing"
)

const typicalQuery = `query Feed($author: ID!, $first: Int = 20, $filter: PostFilter) {
  posts(first: $first, authorId: $author, filter: $filter, orderBy: {field: CREATED_AT, direction: DESC}) {
    edges { cursor node { ...PostCard author { ...UserCard } comments(first: 3) { id body author { ...UserCard } } } }
    pageInfo { hasNextPage endCursor }
  }
}
fragment PostCard on Post { id title slug status tags { id name } }
fragment UserCard on User { id name avatarUrl(size: 64) }`

func typicalVariables() map[string]any {
	return map[string]any{
		"author": "0190163d-8694-739b-aea5-966c26f8ad91",
		"first":  int64(20),
		"filter": map[string]any{"status": "PUBLISHED", "tags": []any{"go", "graphql"}, "after": json.Number("12")},
	}
}

func BenchmarkAppendOperation(b *testing.B) {
	doc := parse(b, typicalQuery)
	buf := make([]byte, 0, 4096)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := AppendOperation(buf, doc, doc.Operations[0]); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAppendVariables(b *testing.B) {
	v := typicalVariables()
	buf := make([]byte, 0, 4096)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := AppendVariables(buf, v); err != nil {
			b.Fatal(err)
		}
	}
}
