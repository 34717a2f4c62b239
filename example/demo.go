package main

import (
	"context"
	"fmt"

	"github.com/cascadeql/cascadeql/example/internal/blog"
)

// A demoTenant is a tenant of the demo data. The last digits of its rows' ids tell them
// apart.
type demoTenant struct {
	id, prefix string
	authors    []string
}

var demoTenants = []demoTenant{
	{
		id: "11111111-1111-4111-8111-111111111111", prefix: "a1111111",
		authors: []string{"Ada Byron", "Grace Murray", "Edsger Wybe"},
	},
	{
		id: "22222222-2222-4222-8222-222222222222", prefix: "b2222222",
		authors: []string{"Barbara Jane", "Donald Ervin"},
	},
}

const postsPerAuthor = 3

// The kinds of rows in demo ids.
const (
	demoUser = iota + 1
	demoPost
	demoComment
	demoTag
)

func (t demoTenant) rowID(kind, n int) string {
	return fmt.Sprintf("%s-0000-4000-8000-%04d%08d", t.prefix, kind, n)
}

var demoTags = []string{"caching", "graphql", "sqlite"}

func seedDemo(ctx context.Context, store *blog.Store) error {
	for _, t := range demoTenants {
		if err := t.seed(ctx, store.As(blog.Tenant(t.id))); err != nil {
			return fmt.Errorf("demo data: %w", err)
		}
	}
	return nil
}

func (t demoTenant) seed(ctx context.Context, s blog.Session) error {
	return s.ImportTagged(ctx, t.rows())
}

// rows are users with posts, of which every third is a draft, a comment on each by the
// next author, and tags.
func (t demoTenant) rows() (in blog.Import) {
	for a, name := range t.authors {
		author := t.rowID(demoUser, a+1)
		in.Users = append(in.Users, &blog.NewUser{
			ID: &author, Email: fmt.Sprintf("author%d@example.org", a+1), Name: name,
		})
		for p := range postsPerAuthor {
			n := len(in.Posts) + 1
			post, comment := t.rowID(demoPost, n), t.rowID(demoComment, n)
			status := blog.Published
			if p == postsPerAuthor-1 {
				status = blog.Draft
			}
			in.Posts = append(in.Posts, &blog.NewPost{
				ID: &post, AuthorID: author, Status: status,
				Title: fmt.Sprintf("Post %d by %s", p+1, name), Body: "Some text.",
			})
			in.Comments = append(in.Comments, &blog.NewComment{
				ID: &comment, PostID: post, Body: "I see.",
				AuthorID: t.rowID(demoUser, (a+1)%len(t.authors)+1),
			})
		}
	}
	for i, name := range demoTags {
		id := t.rowID(demoTag, i+1)
		in.Tags = append(in.Tags, &blog.NewTag{ID: &id, Name: name})
	}
	return in
}

// demoHelp says what to try on a server with the demo data.
func demoHelp(addr string) string {
	t := demoTenants[0]
	curl := fmt.Sprintf("curl -s http://%s/graphql -H 'Content-Type: application/json' -H '%s: %s' \\\n  -d '{\"query\":\"%%s\"}'\n",
		addr, tenantHeader, t.id)
	feed := fmt.Sprintf(curl, "{ feed(limit: 3) { id title author { name } tags { name } } }")
	publish := fmt.Sprintf(curl,
		fmt.Sprintf(`mutation { publishPost(id: \"%s\") { status author { karma } } }`, t.rowID(demoPost, postsPerAuthor)))
	return "demo data in a temporary database; tenants " + demoTenants[0].id + " and " + demoTenants[1].id +
		", and * for all\n\n# a read\n" + feed + "\n# a mutation that changes its answer\n" + publish +
		"\n# a playground: http://" + addr + "/\n# SQL statements sent so far: curl -s http://" + addr +
		"/__stats\n# a value that is kept beside the answers: curl -s -H '" + tenantHeader + ": " + t.id + "' http://" + addr +
		"/leaderboard\n# Ctrl-C stops the server\n"
}
