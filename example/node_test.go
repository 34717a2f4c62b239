package main

import "testing"

// TestNode: the field node says at run time which rows it has looked for. Its answer is
// kept, and dropped by changes of these and of the row that it shows, and by nothing else. In
// a server without directives the statements tell that, and columns that are read and not
// shown count.
func TestNode(t *testing.T) {
	t.Parallel()
	const (
		ann    = `{node(id:"<u1>"){... on User{name}}}`
		alpha  = `{node(id:"<p1>"){... on Post{title}}}`
		first  = `{node(id:"<c1>"){... on Comment{body}}}`
		goTag  = `{node(id:"<t1>"){... on Tag{name}}}`
		nobody = `{node(id:"<u9>"){__typename}}`
		noID   = `{node(id:"nobody"){__typename}}`
	)
	for _, row := range []struct {
		name, query, mutation string
		stays                 bool // with directives
	}{
		{"user, name", ann, `mutation{updateUser(id:"<u1>",input:{name:"Anne"}){id}}`, false},
		{"user, what is not shown", ann, `mutation{updateUser(id:"<u1>",input:{bio:"x"}){id}}`, true},
		{"user, another one", ann, `mutation{updateUser(id:"<u2>",input:{name:"x"}){id}}`, true},
		{"user, a new one", ann, `mutation{createUser(input:{id:"<u9>",email:"x",name:"x"}){id}}`, true},
		{"user, a new post", ann, `mutation{createPost(input:{id:"<p9>",authorId:"<u1>",title:"x",body:"x"}){id}}`, true},
		{"user, gone", ann, `mutation{deleteUser(id:"<u1>")}`, false},
		{"user by type, gone", `{node(id:"<u1>"){__typename}}`, `mutation{deleteUser(id:"<u1>")}`, false},
		{"user without a field, gone", `{node(id:"<u1>"){... on Post{title}}}`, `mutation{deleteUser(id:"<u1>")}`, false},
		{"post, title", alpha, `mutation{updatePost(id:"<p1>",input:{title:"x"}){id}}`, false},
		{"post, what is not shown", alpha, `mutation{updatePost(id:"<p1>",input:{body:"x"}){id}}`, true},
		{"post, its author", alpha, `mutation{updateUser(id:"<u1>",input:{name:"Anne"}){id}}`, true},
		{"post, a new user", alpha, `mutation{createUser(input:{id:"<u9>",email:"x",name:"x"}){id}}`, true},
		{"post, gone", alpha, `mutation{deletePost(id:"<p1>"){deletedId}}`, false},
		{"post without a field, gone with its author", `{node(id:"<p1>"){... on Tag{name}}}`, `mutation{deleteUser(id:"<u1>")}`, false},
		{"comment, body", first, `mutation{updateComment(id:"<c1>",body:"x"){id}}`, false},
		{"comment, another one", first, `mutation{updateComment(id:"<c2>",body:"x"){id}}`, true},
		{"comment, gone with its post", first, `mutation{deletePost(id:"<p1>"){deletedId}}`, false},
		{"tag, name", goTag, `mutation{renameTag(id:"<t1>",name:"golang"){id}}`, false},
		{"tag, another one", goTag, `mutation{renameTag(id:"<t2>",name:"x"){id}}`, true},
		{"tag, gone", goTag, `mutation{deleteTag(id:"<t1>")}`, false},
		{"absent, a user of the id", nobody, `mutation{createUser(input:{id:"<u9>",email:"x",name:"x"}){id}}`, false},
		{"absent, a post of the id", nobody, `mutation{createPost(input:{id:"<u9>",authorId:"<u1>",title:"x",body:"x"}){id}}`, false},
		{"absent, a comment of the id", nobody, `mutation{addComment(input:{id:"<u9>",postId:"<p1>",authorId:"<u1>",body:"x"}){id}}`, false},
		{"absent, a tag of the id", nobody, `mutation{createTag(input:{id:"<u9>",name:"x"}){id}}`, false},
		{"absent, imported", nobody, `mutation{importData(tags:[{id:"<u9>",name:"x"}]){tags}}`, false},
		{"absent, a tag of another id", nobody, `mutation{createTag(input:{id:"<t9>",name:"x"}){id}}`, true},
		{"absent, a user changes", nobody, `mutation{updateUser(id:"<u1>",input:{name:"Anne"}){id}}`, true},
		{"no id, a user", noID, `mutation{createUser(input:{id:"<u9>",email:"x",name:"x"}){id}}`, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			for _, database := range kinds {
				s := newBlogOn(t, database)
				s.must(tenantA, row.query)
				if n := s.statements(func() { s.must(tenantA, row.query) }); n != 0 {
					t.Fatalf("%s: not kept before the mutation: %d statements", database, n)
				}
				s.must(tenantA, row.mutation)
				var got string
				n := s.statements(func() { got = s.must(tenantA, row.query) })
				if stays := n == 0; stays != row.stays && (stays || !database.bare) {
					t.Errorf("%s: stays = %v, want %v", database, stays, row.stays)
				}
				uncached := &site{t: t, handler: newServer(s.store, nil), store: s.store}
				if want := uncached.must(tenantA, row.query); got != want {
					t.Errorf("%s: stale: %s, want %s", database, got, want)
				}
			}
		})
	}
}
