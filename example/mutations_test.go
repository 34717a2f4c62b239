package main

import "testing"

// Each row has its own copy of the fixture: a mutation and its answer, then what a read
// sees.
func TestMutations(t *testing.T) { onEach(t, testMutations) }

func testMutations(t *testing.T, database kind) {
	t.Helper()
	rows := []struct{ name, tenant, mutation, want, query, then string }{
		{"create user", tenantA, `mutation{createUser(input:{id:"<u9>",email:"d@x",name:"Dan",bio:"hm"}){id email name bio karma version posts{id} stats{postCount}}}`,
			`{"createUser":{"id":"<u9>","email":"d@x","name":"Dan","bio":"hm","karma":0,"version":1,"posts":[],"stats":{"postCount":0}}}`,
			`{userByEmail(email:"d@x"){id} leaderboard{authorId}}`,
			`{"userByEmail":{"id":"<u9>"},"leaderboard":[{"authorId":"<u1>"},{"authorId":"<u2>"},{"authorId":"<u3>"},{"authorId":"<u9>"}]}`},
		{"create with an upper-case id", tenantA, `mutation{createTag(input:{id:"00000000-0000-4000-8000-0000000000AF",name:"up"}){id}}`,
			`{"createTag":{"id":"<t9>"}}`, `{tag(id:"<t9>"){name}}`, `{"tag":{"name":"up"}}`},
		{"email of another tenant's user", tenantB, `mutation{createUser(input:{id:"<u9>",email:"bob@x",name:"B"}){id}}`,
			`{"createUser":{"id":"<u9>"}}`, `{userByEmail(email:"bob@x"){id}}`, `{"userByEmail":{"id":"<u9>"}}`},
		{"update user", tenantA, `mutation{updateUser(id:"<u1>",input:{name:"Anne"}){email name bio version}}`,
			`{"updateUser":{"email":"ann@x","name":"Anne","bio":"Bio","version":2}}`,
			`{post(id:"<p1>"){author{name} version}}`, `{"post":{"author":{"name":"Anne"},"version":1}}`},
		{"update user with nulls", tenantA, `mutation{updateUser(id:"<u1>",input:{name:null,email:null,bio:null}){email name bio version}}`,
			`{"updateUser":{"email":"ann@x","name":"Ann","bio":"Bio","version":2}}`, `{user(id:"<u1>"){version}}`, `{"user":{"version":2}}`},
		{"update user with nothing", tenantA, `mutation{updateUser(id:"<u1>",input:{}){version}}`, `{"updateUser":{"version":2}}`,
			`{user(id:"<u1>"){version}}`, `{"user":{"version":2}}`},
		{"update by the administrator", admin, `mutation{updateUser(id:"<ub>",input:{bio:"x"}){bio version}}`,
			`{"updateUser":{"bio":"x","version":2}}`, `{user(id:"<ub>"){bio}}`, `{"user":{"bio":"x"}}`},
		{"delete user", tenantA, `mutation{deleteUser(id:"<u1>")}`, `{"deleteUser":true}`,
			`{user(id:"<u1>"){id} p:post(id:"<p1>"){id} c:node(id:"<c1>"){id} post(id:"<p3>"){version comments{id}} tag(id:"<t1>"){version posts{id}} leaderboard{authorId commentCount} u:user(id:"<u2>"){version}}`,
			`{"user":null,"p":null,"c":null,"post":{"version":1,"comments":[]},"tag":{"version":1,"posts":[{"id":"<p3>"}]},"leaderboard":[{"authorId":"<u2>","commentCount":0},{"authorId":"<u3>","commentCount":0}],"u":{"version":1}}`},
		{"delete absent user", tenantA, `mutation{a:deleteUser(id:"<u9>") b:deleteUser(id:"<ub>") c:deleteUser(id:"no")}`,
			`{"a":false,"b":false,"c":false}`, `{user(id:"<u1>"){id}}`, `{"user":{"id":"<u1>"}}`},
		{"delete by the administrator", admin, `mutation{a:deleteUser(id:"<ub>") b:deleteTag(id:"<t1>")}`,
			`{"a":true,"b":true}`, `{user(id:"<ub>"){id} post(id:"<pb>"){id} tag(id:"<t1>"){id}}`, `{"user":null,"post":null,"tag":null}`},

		{"create post", tenantA, `mutation{createPost(input:{id:"<p9>",authorId:"<u3>",title:"New",body:"n"}){id status version author{id version}}}`,
			`{"createPost":{"id":"<p9>","status":"DRAFT","version":1,"author":{"id":"<u3>","version":1}}}`,
			`{posts(authorId:"<u3>"){total items{id}} authorStats(authorId:"<u3>"){postCount latestPost{id}}}`,
			`{"posts":{"total":1,"items":[{"id":"<p9>"}]},"authorStats":{"postCount":1,"latestPost":{"id":"<p9>"}}}`},
		{"create post by the administrator", admin, `mutation{createPost(input:{id:"<p9>",authorId:"<ub>",title:"New",body:"n",status:PUBLISHED}){id}}`,
			`{"createPost":{"id":"<p9>"}}`, `{feed{id}}`, `{"feed":[{"id":"<p9>"},{"id":"<pb>"},{"id":"<p3>"},{"id":"<p1>"}]}`},
		{"update post", tenantA, `mutation{updatePost(id:"<p1>",input:{title:"T",status:ARCHIVED}){title body status version author{version}}}`,
			`{"updatePost":{"title":"T","body":"a","status":"ARCHIVED","version":2,"author":{"version":1}}}`,
			`{feed{id}}`, `{"feed":[{"id":"<p3>"}]}`},
		{"move post to another author", tenantA, `mutation{updatePost(id:"<p1>",input:{authorId:"<u3>"}){author{id} version}}`,
			`{"updatePost":{"author":{"id":"<u3>"},"version":2}}`,
			`{leaderboard{authorId postCount commentCount}}`,
			`{"leaderboard":[{"authorId":"<u3>","postCount":1,"commentCount":2},{"authorId":"<u2>","postCount":1,"commentCount":1},{"authorId":"<u1>","postCount":2,"commentCount":0}]}`},
		{"update post with nulls", tenantA, `mutation{updatePost(id:"<p1>",input:{authorId:null,title:null,body:null,status:null}){title status version}}`,
			`{"updatePost":{"title":"Alpha","status":"PUBLISHED","version":2}}`, `{post(id:"<p1>"){author{id}}}`, `{"post":{"author":{"id":"<u1>"}}}`},
		{"publish draft", tenantA, `mutation{publishPost(id:"<p2>"){status version author{karma version}}}`,
			`{"publishPost":{"status":"PUBLISHED","version":2,"author":{"karma":10,"version":2}}}`,
			`{feed{id} authorStats(authorId:"<u1>"){publishedCount}}`,
			`{"feed":[{"id":"<p3>"},{"id":"<p2>"},{"id":"<p1>"}],"authorStats":{"publishedCount":2}}`},
		{"publish archived", tenantA, `mutation{publishPost(id:"<p4>"){status author{karma}}}`,
			`{"publishPost":{"status":"PUBLISHED","author":{"karma":10}}}`, `{post(id:"<p4>"){version}}`, `{"post":{"version":2}}`},
		{"publish published", tenantA, `mutation{publishPost(id:"<p1>"){status version author{karma version}}}`,
			`{"publishPost":{"status":"PUBLISHED","version":1,"author":{"karma":0,"version":1}}}`,
			`{user(id:"<u1>"){karma version}}`, `{"user":{"karma":0,"version":1}}`},
		{"set status of several", tenantA, `mutation{setPostsStatus(ids:["<p1>","<p2>","<p1>","<p9>","<pb>","no"],status:PUBLISHED)}`,
			`{"setPostsStatus":2}`, `{feed{id version} user(id:"<u1>"){karma version}}`,
			`{"feed":[{"id":"<p3>","version":1},{"id":"<p2>","version":2},{"id":"<p1>","version":2}],"user":{"karma":0,"version":1}}`},
		{"set status of none", tenantA, `mutation{setPostsStatus(ids:[],status:DRAFT)}`, `{"setPostsStatus":0}`, `{feed{id}}`,
			`{"feed":[{"id":"<p3>"},{"id":"<p1>"}]}`},
		{"set status by the administrator", admin, `mutation{setPostsStatus(ids:["<p1>","<pb>"],status:DRAFT)}`, `{"setPostsStatus":2}`,
			`{feed{id}}`, `{"feed":[{"id":"<p3>"}]}`},
		{"archive an author's posts", tenantA, `mutation{archiveAuthorPosts(authorId:"<u1>")}`, `{"archiveAuthorPosts":2}`,
			`{postsByStatus(status:ARCHIVED){id version} post(id:"<p3>"){status}}`,
			`{"postsByStatus":[{"id":"<p4>","version":1},{"id":"<p2>","version":2},{"id":"<p1>","version":2}],"post":{"status":"PUBLISHED"}}`},
		{"archive nothing", tenantA, `mutation{archiveAuthorPosts(authorId:"<u3>")}`, `{"archiveAuthorPosts":0}`, `{feed{id}}`,
			`{"feed":[{"id":"<p3>"},{"id":"<p1>"}]}`},
		{"delete post", tenantA, `mutation{deletePost(id:"<p1>"){deletedId}}`, `{"deletePost":{"deletedId":"<p1>"}}`,
			`{post(id:"<p1>"){id} c:node(id:"<c1>"){id} tag(id:"<t2>"){version posts{id}} user(id:"<u1>"){version stats{postCount commentCount}}}`,
			`{"post":null,"c":null,"tag":{"version":1,"posts":[]},"user":{"version":1,"stats":{"postCount":2,"commentCount":0}}}`},

		{"add comment", tenantA, `mutation{addComment(input:{id:"<c9>",postId:"<p1>",authorId:"<u3>",body:"hi"}){id body version author{name version} post{version commentCount}}}`,
			`{"addComment":{"id":"<c9>","body":"hi","version":1,"author":{"name":"Cid","version":1},"post":{"version":1,"commentCount":3}}}`,
			`{post(id:"<p1>"){comments{id}}}`, `{"post":{"comments":[{"id":"<c1>"},{"id":"<c2>"},{"id":"<c9>"}]}}`},
		{"add comment by the administrator", admin, `mutation{addComment(input:{id:"<c9>",postId:"<pb>",authorId:"<ub>",body:"hi"}){id}}`,
			`{"addComment":{"id":"<c9>"}}`, `{post(id:"<pb>"){commentCount}}`, `{"post":{"commentCount":2}}`},
		{"update comment", tenantA, `mutation{updateComment(id:"<c1>",body:"new"){body version post{version}}}`,
			`{"updateComment":{"body":"new","version":2,"post":{"version":1}}}`, `{node(id:"<c1>"){... on Comment{body}}}`, `{"node":{"body":"new"}}`},
		{"delete comment", tenantA, `mutation{deleteComment(id:"<c1>"){id body version author{name} post{id version comments{id}}}}`,
			`{"deleteComment":{"id":"<c1>","body":"one","version":1,"author":{"name":"Bob"},"post":{"id":"<p1>","version":1,"comments":[{"id":"<c2>"}]}}}`,
			`{node(id:"<c1>"){id} authorStats(authorId:"<u1>"){commentCount}}`, `{"node":null,"authorStats":{"commentCount":1}}`},

		{"create tag", tenantA, `mutation{createTag(input:{id:"<t9>",name:"go"}){id name version posts{id}}}`,
			`{"createTag":{"id":"<t9>","name":"go","version":1,"posts":[]}}`, `{tags{id}}`, `{"tags":[{"id":"<t2>"},{"id":"<t1>"},{"id":"<t9>"}]}`},
		{"rename tag", tenantA, `mutation{renameTag(id:"<t2>",name:"zzz"){name version}}`, `{"renameTag":{"name":"zzz","version":2}}`,
			`{tags{id} post(id:"<p1>"){version tags{id}}}`, `{"tags":[{"id":"<t1>"},{"id":"<t2>"}],"post":{"version":1,"tags":[{"id":"<t1>"},{"id":"<t2>"}]}}`},
		{"delete tag", tenantA, `mutation{a:deleteTag(id:"<t1>") b:deleteTag(id:"<t1>") c:deleteTag(id:"<tb>") d:deleteTag(id:"no")}`,
			`{"a":true,"b":false,"c":false,"d":false}`, `{post(id:"<p1>"){version tags{id}}}`, `{"post":{"version":1,"tags":[{"id":"<t2>"}]}}`},
		{"tag twice", tenantA, `mutation{a:tagPost(postId:"<p2>",tagId:"<t1>"){id version tags{id version}} b:tagPost(postId:"<p2>",tagId:"<t1>"){id}}`,
			`{"a":{"id":"<p2>","version":1,"tags":[{"id":"<t1>","version":1}]},"b":{"id":"<p2>"}}`,
			`{tag(id:"<t1>"){posts{id}}}`, `{"tag":{"posts":[{"id":"<p3>"},{"id":"<p2>"},{"id":"<p1>"}]}}`},
		{"untag twice", tenantA, `mutation{a:untagPost(postId:"<p1>",tagId:"<t1>") b:untagPost(postId:"<p1>",tagId:"<t1>")}`,
			`{"a":true,"b":false}`, `{post(id:"<p1>"){version tags{id}}}`, `{"post":{"version":1,"tags":[{"id":"<t2>"}]}}`},
		{"tag and untag by the administrator", admin, `mutation{a:tagPost(postId:"<p3>",tagId:"<t2>"){id} b:untagPost(postId:"<pb>",tagId:"<tb>") c:untagPost(postId:"<pb>",tagId:"<t1>")}`,
			`{"a":{"id":"<p3>"},"b":true,"c":false}`, `{post(id:"<p3>"){tags{id}}}`, `{"post":{"tags":[{"id":"<t2>"},{"id":"<t1>"}]}}`},

		{"import", tenantA, `mutation{importData(users:[{id:"<u9>",email:"i@x",name:"I"}],posts:[{id:"<p9>",authorId:"<u9>",title:"t",body:"b"}],comments:[{id:"<c9>",postId:"<p9>",authorId:"<u1>",body:"c"}],tags:[{name:"a"},{name:"b"}]){users posts comments tags}}`,
			`{"importData":{"users":1,"posts":1,"comments":1,"tags":2}}`,
			`{post(id:"<p9>"){status author{id} comments{id}}}`, `{"post":{"status":"DRAFT","author":{"id":"<u9>"},"comments":[{"id":"<c9>"}]}}`},
		{"import nothing", tenantA, `mutation{importData{users posts comments tags}}`, `{"importData":{"users":0,"posts":0,"comments":0,"tags":0}}`,
			`{tags{id}}`, `{"tags":[{"id":"<t2>"},{"id":"<t1>"}]}`},

		{"later fields see earlier ones", tenantA, `mutation{a:updateUser(id:"<u1>",input:{name:"A"}){name} b:publishPost(id:"<p2>"){author{name karma version}} c:updateUser(id:"<u1>",input:{name:"B"}){name posts{author{name}}}}`,
			`{"a":{"name":"A"},"b":{"author":{"name":"A","karma":10,"version":3}},"c":{"name":"B","posts":[{"author":{"name":"B"}},{"author":{"name":"B"}},{"author":{"name":"B"}}]}}`,
			`{user(id:"<u1>"){name version}}`, `{"user":{"name":"B","version":4}}`},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			s := newBlogOn(t, database)
			s.want(row.tenant, row.mutation, row.want)
			s.want(row.tenant, row.query, row.then)
		})
	}
}

// Each row fails and changes nothing.
func TestRefusals(t *testing.T) { onEach(t, testRefusals) }

// The rows share one blog, and none may change it.
func testRefusals(t *testing.T, database kind) {
	t.Helper()
	s := newBlogOn(t, database)
	const all = `{users:leaderboard(limit:99){author{id email name bio karma version} postCount}
		a:postsByStatus(status:PUBLISHED){id title version author{id} comments{id body version author{id}} tags{id name version}}
		b:postsByStatus(status:DRAFT){id title version author{id} tags{id}} tags{id name version posts{id}}}`
	before := s.must(admin, all)
	rows := []struct{ name, tenant, mutation, message string }{
		{"email is taken", tenantA, `mutation{createUser(input:{email:"ann@x",name:"N"}){id}}`, "taken"},
		{"id is taken", tenantA, `mutation{createUser(input:{id:"<u1>",email:"n@x",name:"N"}){id}}`, "taken"},
		{"id is taken in another tenant", tenantA, `mutation{createTag(input:{id:"<tb>",name:"N"}){id}}`, "taken"},
		{"post's id is taken", tenantA, `mutation{createPost(input:{id:"<p1>",authorId:"<u1>",title:"",body:""}){id}}`, "taken"},
		{"comment's id is taken", tenantA, `mutation{addComment(input:{id:"<c1>",postId:"<p1>",authorId:"<u1>",body:""}){id}}`, "taken"},
		{"id is no UUID", tenantA, `mutation{createUser(input:{id:"x",email:"n@x",name:"N"}){id}}`, "not a UUID"},
		{"change to a taken email", tenantA, `mutation{updateUser(id:"<u1>",input:{email:"bob@x"}){id}}`, "taken"},
		{"update absent user", tenantA, `mutation{updateUser(id:"<u9>",input:{}){id}}`, "not found"},
		{"update invisible user", tenantA, `mutation{updateUser(id:"<ub>",input:{name:"x"}){id}}`, "not found"},
		{"update by no UUID", tenantA, `mutation{updateUser(id:"x",input:{}){id}}`, "not found"},
		{"post of absent author", tenantA, `mutation{createPost(input:{authorId:"<u9>",title:"",body:""}){id}}`, "not found"},
		{"post of invisible author", tenantA, `mutation{createPost(input:{authorId:"<ub>",title:"",body:""}){id}}`, "not found"},
		{"update absent post", tenantA, `mutation{updatePost(id:"<p9>",input:{}){id}}`, "not found"},
		{"update invisible post", tenantA, `mutation{updatePost(id:"<pb>",input:{title:"x"}){id}}`, "not found"},
		{"move post to absent author", tenantA, `mutation{updatePost(id:"<p1>",input:{authorId:"<u9>"}){id}}`, "not found"},
		{"move post to invisible author", tenantA, `mutation{updatePost(id:"<p1>",input:{authorId:"<ub>"}){id}}`, "not found"},
		{"move post to another tenant", admin, `mutation{updatePost(id:"<p1>",input:{authorId:"<ub>"}){id}}`, "not found"},
		{"delete absent post", tenantA, `mutation{deletePost(id:"<p9>"){deletedId}}`, "not found"},
		{"delete invisible post", tenantA, `mutation{deletePost(id:"<pb>"){deletedId}}`, "not found"},
		{"publish absent post", tenantA, `mutation{publishPost(id:"<p9>"){id}}`, "not found"},
		{"publish invisible post", tenantA, `mutation{publishPost(id:"<pb>"){id}}`, "not found"},
		{"archive posts of absent author", tenantA, `mutation{archiveAuthorPosts(authorId:"<u9>")}`, "not found"},
		{"archive posts of invisible author", tenantA, `mutation{archiveAuthorPosts(authorId:"<ub>")}`, "not found"},
		{"comment on absent post", tenantA, `mutation{addComment(input:{postId:"<p9>",authorId:"<u1>",body:""}){id}}`, "not found"},
		{"comment on invisible post", tenantA, `mutation{addComment(input:{postId:"<pb>",authorId:"<u1>",body:""}){id}}`, "not found"},
		{"comment by absent author", tenantA, `mutation{addComment(input:{postId:"<p1>",authorId:"<u9>",body:""}){id}}`, "not found"},
		{"comment across tenants", admin, `mutation{addComment(input:{postId:"<p1>",authorId:"<ub>",body:""}){id}}`, "not found"},
		{"update absent comment", tenantA, `mutation{updateComment(id:"<c9>",body:""){id}}`, "not found"},
		{"update invisible comment", tenantA, `mutation{updateComment(id:"<cb>",body:""){id}}`, "not found"},
		{"delete absent comment", tenantA, `mutation{deleteComment(id:"<c9>"){id}}`, "not found"},
		{"delete invisible comment", tenantA, `mutation{deleteComment(id:"<cb>"){id}}`, "not found"},
		{"rename absent tag", tenantA, `mutation{renameTag(id:"<t9>",name:""){id}}`, "not found"},
		{"rename invisible tag", tenantA, `mutation{renameTag(id:"<tb>",name:""){id}}`, "not found"},
		{"tag absent post", tenantA, `mutation{tagPost(postId:"<p9>",tagId:"<t1>"){id}}`, "not found"},
		{"tag with absent tag", tenantA, `mutation{tagPost(postId:"<p1>",tagId:"<t9>"){id}}`, "not found"},
		{"tag with invisible tag", tenantA, `mutation{tagPost(postId:"<p1>",tagId:"<tb>"){id}}`, "not found"},
		{"tag across tenants", admin, `mutation{tagPost(postId:"<p1>",tagId:"<tb>"){id}}`, "not found"},
		{"untag absent post", tenantA, `mutation{untagPost(postId:"<p9>",tagId:"<t1>")}`, "not found"},
		{"untag absent tag", tenantA, `mutation{untagPost(postId:"<p1>",tagId:"<t9>")}`, "not found"},
		{"user of the administrator", admin, `mutation{createUser(input:{email:"n@x",name:"N"}){id}}`, "administrator"},
		{"tag of the administrator", admin, `mutation{createTag(input:{name:"N"}){id}}`, "administrator"},
		{"import of the administrator", admin, `mutation{importData{users}}`, "administrator"},
		{"import with a bad last row", tenantA, `mutation{importData(users:[{email:"i@x",name:"I"}],tags:[{name:"ok"},{id:"<t1>",name:"bad"}]){users}}`, "taken"},
		{"import of a post before its author", tenantA, `mutation{importData(users:[{id:"<u9>",email:"i@x",name:"I"}],comments:[{postId:"<p9>",authorId:"<u9>",body:""}]){users}}`, "not found"},
		{"null where a list must be", tenantA, `mutation{importData(users:null){users}}`, ""},
		{"unknown status", tenantA, `mutation{setPostsStatus(ids:["<p1>"],status:GONE)}`, ""},
		{"unknown field", tenantA, `mutation{nothing}`, ""},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			at := *s
			at.t = t
			at.fails(row.tenant, row.mutation, row.message)
			at.want(admin, all, before)
		})
	}
}

// A field that fails takes the data away and nothing that was committed before or is
// after it.
func TestFailingFieldKeepsEarlierOnes(t *testing.T) { onEach(t, testFailingFieldKeepsEarlierOnes) }

func testFailingFieldKeepsEarlierOnes(t *testing.T, database kind) {
	t.Helper()
	s := newBlogOn(t, database)
	s.fails(tenantA, `mutation{a:renameTag(id:"<t1>",name:"first"){id} b:renameTag(id:"<t9>",name:"x"){id} c:updateUser(id:"<u1>",input:{name:"third"}){id}}`,
		"not found")
	s.want(tenantA, `{tag(id:"<t1>"){name version}}`, `{"tag":{"name":"first","version":2}}`)
}

// Without an id a row gets a fresh UUID.
func TestServerMakesIDs(t *testing.T) { onEach(t, testServerMakesIDs) }

func testServerMakesIDs(t *testing.T, database kind) {
	t.Helper()
	s := newSiteOn(t, database)
	seen := map[string]bool{}
	for _, name := range []string{"a", "b"} {
		data := s.must(tenantA, `mutation{createTag(input:{name:"`+name+`"}){id}}`)
		const head, tail = `{"createTag":{"id":"`, `"}}`
		id := data[len(head) : len(data)-len(tail)]
		s.want(tenantA, `{tag(id:"`+id+`"){name}}`, `{"tag":{"name":"`+name+`"}}`)
		if len(id) != 36 || seen[id] {
			t.Errorf("id %q", id)
		}
		seen[id] = true
	}
}
