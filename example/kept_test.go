package main

import "testing"

// What a mutation did not change stays, as far as the directives and the resolvers'
// reports tell: each row is a query and a mutation after which its answer is still there,
// or is not.
func TestKept(t *testing.T) {
	t.Parallel()
	const (
		feed   = `{feed(limit:1){title}}`
		second = `{feed(limit:1,offset:1){title}}`
		ann    = `{authorStats(authorId:"<u1>"){postCount publishedCount commentCount}}`
		bob    = `{authorStats(authorId:"<u2>"){postCount publishedCount commentCount}}`
		c3     = `{node(id:"<c3>"){... on Comment{body}}}`
		first  = `{post(id:"<p1>"){title comments(limit:1){body}}}`
	)
	for _, row := range []struct {
		name, query, mutation string
		stays                 bool
	}{
		{"refused", `{post(id:"<p1>"){title}}`, `mutation{updatePost(id:"<p1>",input:{title:"x",authorId:"<u9>"}){id}}`, true},
		{"publish a draft", `{postsByStatus(status:DRAFT){title}}`, `mutation{publishPost(id:"<p2>"){id}}`, false},
		{"publish a published one", `{postsByStatus(status:PUBLISHED){title}}`, `mutation{publishPost(id:"<p1>"){id}}`, true},
		{"publish, author's karma", `{user(id:"<u1>"){karma}}`, `mutation{publishPost(id:"<p2>"){id}}`, false},
		{"publish, author's name", `{user(id:"<u1>"){name}}`, `mutation{publishPost(id:"<p2>"){id}}`, true},
		{"publish, page of newer posts", feed, `mutation{publishPost(id:"<p2>"){id}}`, true},
		{"publish, page with it", second, `mutation{publishPost(id:"<p2>"){id}}`, false},
		{"publish, archived posts", `{postsByStatus(status:ARCHIVED){title}}`, `mutation{publishPost(id:"<p2>"){id}}`, true},
		{"publish, page that is not full", `{feed(limit:9){title}}`, `mutation{publishPost(id:"<p2>"){id}}`, false},
		{"create a draft, feed", feed, `mutation{createPost(input:{authorId:"<u1>",title:"x",body:"x"}){id}}`, true},
		{"create a draft, drafts", `{postsByStatus(status:DRAFT){title}}`, `mutation{createPost(input:{authorId:"<u1>",title:"x",body:"x"}){id}}`, false},
		{"create, older posts", `{postsByStatus(status:ARCHIVED,limit:1){title}}`, `mutation{createPost(input:{authorId:"<u1>",title:"x",body:"x",status:ARCHIVED}){id}}`, false},
		{"status of a post, stats of its author", ann, `mutation{setPostsStatus(ids:["<p2>"],status:PUBLISHED)}`, false},
		{"status of a post, stats of another author", bob, `mutation{setPostsStatus(ids:["<p2>"],status:PUBLISHED)}`, true},
		{"status of posts that are absent", bob, `mutation{setPostsStatus(ids:["<p2>","<p9>"],status:PUBLISHED)}`, true},
		{"status as it was", feed, `mutation{setPostsStatus(ids:["<p1>"],status:PUBLISHED)}`, true},
		{"status as it was, version", `{post(id:"<p1>"){version}}`, `mutation{setPostsStatus(ids:["<p1>"],status:PUBLISHED)}`, false},
		{"archive an author's posts", `{post(id:"<p1>"){status}}`, `mutation{archiveAuthorPosts(authorId:"<u1>")}`, false},
		{"archive an author's posts, another's post", `{post(id:"<p3>"){status}}`, `mutation{archiveAuthorPosts(authorId:"<u1>")}`, true},
		{"archive nothing", `{post(id:"<p1>"){status}}`, `mutation{archiveAuthorPosts(authorId:"<u3>")}`, true},
		{"new author, stats of the old one", ann, `mutation{updatePost(id:"<p1>",input:{authorId:"<u2>"}){id}}`, false},
		{"new author, stats of the new one", bob, `mutation{updatePost(id:"<p1>",input:{authorId:"<u2>"}){id}}`, false},
		{"new title, stats", ann, `mutation{updatePost(id:"<p1>",input:{title:"x"}){id}}`, true},
		{"new title, search for another", `{search(term:"gamma"){... on Post{id}}}`, `mutation{updatePost(id:"<p1>",input:{title:"x"}){id}}`, true},
		{"new title, search for the old one", `{search(term:"alpha"){... on Post{id}}}`, `mutation{updatePost(id:"<p1>",input:{title:"x"}){id}}`, false},
		{"new title, search for the new one", `{search(term:"omega"){... on Post{id}}}`, `mutation{updatePost(id:"<p1>",input:{title:"an OMEGA"}){id}}`, false},
		{"new title, short search", `{search(term:"ga"){... on Post{id}}}`, `mutation{updatePost(id:"<p1>",input:{title:"an OMEGA"}){id}}`, false},
		{"new name, search for another", `{search(term:"gamma"){... on Post{id}}}`, `mutation{updateUser(id:"<u1>",input:{name:"Eve"}){id}}`, true},
		{"new name, search for it", `{search(term:"eve"){... on User{id}}}`, `mutation{updateUser(id:"<u1>",input:{name:"Eve"}){id}}`, false},
		{"new name of a tag, search for another", `{search(term:"gamma"){... on Post{id}}}`, `mutation{renameTag(id:"<t1>",name:"golang"){id}}`, true},
		{"comment, its post", `{post(id:"<p3>"){commentCount}}`, `mutation{addComment(input:{postId:"<p3>",authorId:"<u3>",body:"x"}){id}}`, false},
		{"comment, another post", `{post(id:"<p1>"){commentCount}}`, `mutation{addComment(input:{postId:"<p3>",authorId:"<u3>",body:"x"}){id}}`, true},
		{"comment after a full list", first, `mutation{addComment(input:{postId:"<p1>",authorId:"<u3>",body:"x"}){id}}`, true},
		{"comment after a list that is not full", `{post(id:"<p1>"){comments(limit:3){body}}}`, `mutation{addComment(input:{postId:"<p1>",authorId:"<u3>",body:"x"}){id}}`, false},
		{"comment, stats of its author", ann, `mutation{addComment(input:{postId:"<p3>",authorId:"<u1>",body:"x"}){id}}`, true},
		{"comment, stats of the post's author", bob, `mutation{addComment(input:{postId:"<p3>",authorId:"<u1>",body:"x"}){id}}`, false},
		{"delete a comment behind the first", first, `mutation{deleteComment(id:"<c2>"){id}}`, true},
		{"delete the first comment", first, `mutation{deleteComment(id:"<c1>"){id}}`, false},
		{"delete a post, comment of another", c3, `mutation{deletePost(id:"<p1>"){deletedId}}`, true},
		{"delete a post, its comment", c3, `mutation{deletePost(id:"<p3>"){deletedId}}`, false},
		{"delete a post, stats of its author", ann, `mutation{deletePost(id:"<p1>"){deletedId}}`, false},
		{"delete a post, stats of another author", bob, `mutation{deletePost(id:"<p1>"){deletedId}}`, true},
		{"delete a post, page of newer ones", feed, `mutation{deletePost(id:"<p1>"){deletedId}}`, true},
		{"delete a post, page of older ones", second, `mutation{deletePost(id:"<p3>"){deletedId}}`, false},
		{"delete a user, comment by another elsewhere", `{node(id:"<c2>"){... on Comment{body}}}`, `mutation{deleteUser(id:"<u2>")}`, true},
		{"delete a user, comment on a post of theirs", c3, `mutation{deleteUser(id:"<u2>")}`, false},
		{"delete a user, comment by them", `{node(id:"<c1>"){... on Comment{body}}}`, `mutation{deleteUser(id:"<u2>")}`, false},
		{"delete a user, stats of the author of a post with it", ann, `mutation{deleteUser(id:"<u2>")}`, false},
		{"delete a user that is absent", `{user(id:"<u1>"){name}}`, `mutation{deleteUser(id:"<u9>")}`, true},
		{"delete a tag that is absent", `{tags{name}}`, `mutation{deleteTag(id:"<t9>")}`, true},
		{"tag a post that has the tag", `{post(id:"<p1>"){tags{name}}}`, `mutation{tagPost(postId:"<p1>",tagId:"<t1>"){id}}`, true},
		{"tag a post", `{post(id:"<p2>"){tags{name}}}`, `mutation{tagPost(postId:"<p2>",tagId:"<t1>"){id}}`, false},
		{"untag a post that has no such tag", `{post(id:"<p2>"){tags{name}}}`, `mutation{untagPost(postId:"<p2>",tagId:"<t1>")}`, true},
		{"untag a post", `{post(id:"<p1>"){tags{name}}}`, `mutation{untagPost(postId:"<p1>",tagId:"<t1>")}`, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			s := newBlog(t)
			s.must(tenantA, row.query)
			if n := s.statements(func() { s.must(tenantA, row.query) }); n != 0 {
				t.Fatalf("not kept before the mutation: %d statements", n)
			}
			s.do(tenantA, row.mutation)
			var got string
			n := s.statements(func() { got = s.must(tenantA, row.query) })
			if stays := n == 0; stays != row.stays {
				t.Errorf("stays = %v, want %v", stays, row.stays)
			}
			uncached := &site{t: t, handler: newServer(s.store, nil), store: s.store}
			if want := uncached.must(tenantA, row.query); got != want {
				t.Errorf("stale: %s, want %s", got, want)
			}
		})
	}
}
