package main

import "testing"

// Each row is answered by the fixture of newBlog.
func TestQueries(t *testing.T) { onEach(t, testQueries) }

func testQueries(t *testing.T, database kind) {
	t.Helper()
	s := newBlogOn(t, database)
	rows := []struct{ name, tenant, query, want string }{
		{"user", tenantA, `{user(id:"<u1>"){id email name bio karma version}}`,
			`{"user":{"id":"<u1>","email":"ann@x","name":"Ann","bio":"Bio","karma":0,"version":1}}`},
		{"user without bio", tenantA, `{user(id:"<u2>"){bio}}`, `{"user":{"bio":null}}`},
		{"absent user", tenantA, `{user(id:"<u9>"){id}}`, `{"user":null}`},
		{"user of another tenant", tenantA, `{user(id:"<ub>"){id}}`, `{"user":null}`},
		{"id that is no UUID", tenantA, `{user(id:"x"){id} post(id:"x"){id} tag(id:"1"){id} node(id:""){id} authorStats(authorId:"x"){postCount}}`,
			`{"user":null,"post":null,"tag":null,"node":null,"authorStats":null}`},
		{"upper-case id", tenantA, `{user(id:"00000000-0000-4000-8000-0000000000A0"){id}}`, `{"user":{"id":"<u1>"}}`},
		{"any user for the administrator", admin, `{a:user(id:"<u1>"){id} b:user(id:"<ub>"){id}}`,
			`{"a":{"id":"<u1>"},"b":{"id":"<ub>"}}`},

		{"user by email", tenantB, `{userByEmail(email:"ann@x"){id}}`, `{"userByEmail":{"id":"<ub>"}}`},
		{"email in another case", tenantA, `{userByEmail(email:"Ann@x"){id}}`, `{"userByEmail":null}`},
		{"oldest by email for the administrator", admin, `{userByEmail(email:"ann@x"){id}}`, `{"userByEmail":{"id":"<u1>"}}`},

		{"post", tenantA, `{post(id:"<p1>"){id title body status version author{id} commentCount}}`,
			`{"post":{"id":"<p1>","title":"Alpha","body":"a","status":"PUBLISHED","version":1,"author":{"id":"<u1>"},"commentCount":2}}`},
		{"default status", tenantA, `{post(id:"<p2>"){status commentCount comments{id} tags{id}}}`,
			`{"post":{"status":"DRAFT","commentCount":0,"comments":[],"tags":[]}}`},
		{"comments oldest first", tenantA, `{post(id:"<p1>"){comments{id body version author{name} post{id}}}}`,
			`{"post":{"comments":[{"id":"<c1>","body":"one","version":1,"author":{"name":"Bob"},"post":{"id":"<p1>"}},{"id":"<c2>","body":"two","version":1,"author":{"name":"Ann"},"post":{"id":"<p1>"}}]}}`},
		{"comments with limits", tenantA, `{post(id:"<p1>"){a:comments(limit:1){id} b:comments(limit:0){id} c:comments(limit:-3){id}}}`,
			`{"post":{"a":[{"id":"<c1>"}],"b":[],"c":[]}}`},
		{"tags of a post in binary order", tenantA, `{post(id:"<p1>"){tags{name version}}}`,
			`{"post":{"tags":[{"name":"Sql","version":1},{"name":"go","version":1}]}}`},

		{"posts of an author", tenantA, `{posts(authorId:"<u1>"){total items{id}}}`,
			`{"posts":{"total":3,"items":[{"id":"<p4>"},{"id":"<p2>"},{"id":"<p1>"}]}}`},
		{"posts with a status", tenantA, `{posts(authorId:"<u1>",status:DRAFT){total items{id}}}`,
			`{"posts":{"total":1,"items":[{"id":"<p2>"}]}}`},
		{"posts with a null status", tenantA, `{posts(authorId:"<u1>",status:null){total}}`, `{"posts":{"total":3}}`},
		{"page of posts", tenantA, `{posts(authorId:"<u1>",limit:1,offset:1){total items{id}}}`,
			`{"posts":{"total":3,"items":[{"id":"<p2>"}]}}`},
		{"page behind the end", tenantA, `{posts(authorId:"<u1>",offset:9){total items{id}}}`, `{"posts":{"total":3,"items":[]}}`},
		{"negative page", tenantA, `{posts(authorId:"<u1>",limit:-1,offset:-1){total items{id}} b:posts(authorId:"<u1>",limit:1,offset:-5){items{id}}}`,
			`{"posts":{"total":3,"items":[]},"b":{"items":[{"id":"<p4>"}]}}`},
		{"posts of an absent author", tenantA, `{posts(authorId:"<u9>"){total items{id}} b:posts(authorId:"no"){total items{id}} c:posts(authorId:"<ub>"){total items{id}}}`,
			`{"posts":{"total":0,"items":[]},"b":{"total":0,"items":[]},"c":{"total":0,"items":[]}}`},

		{"feed", tenantA, `{feed{id} b:feed(limit:1,offset:1){id} c:feed(limit:-1){id}}`,
			`{"feed":[{"id":"<p3>"},{"id":"<p1>"}],"b":[{"id":"<p1>"}],"c":[]}`},
		{"feed of all", admin, `{feed{id}}`, `{"feed":[{"id":"<pb>"},{"id":"<p3>"},{"id":"<p1>"}]}`},
		{"posts by status", tenantA, `{a:postsByStatus(status:ARCHIVED){id} b:postsByStatus(status:PUBLISHED,limit:1,offset:1){id}}`,
			`{"a":[{"id":"<p4>"}],"b":[{"id":"<p1>"}]}`},

		{"tag", tenantA, `{tag(id:"<t1>"){id name version posts{id} a:posts(limit:1){id}} x:tag(id:"<t9>"){id} y:tag(id:"<tb>"){id}}`,
			`{"tag":{"id":"<t1>","name":"go","version":1,"posts":[{"id":"<p3>"},{"id":"<p1>"}],"a":[{"id":"<p3>"}]},"x":null,"y":null}`},
		{"tags in binary order", tenantA, `{tags{name}}`, `{"tags":[{"name":"Sql"},{"name":"go"}]}`},
		{"tags of one name, oldest first", admin, `{tags{id}}`, `{"tags":[{"id":"<t2>"},{"id":"<t1>"},{"id":"<tb>"}]}`},

		{"stats", tenantA, `{authorStats(authorId:"<u1>"){authorId author{name} postCount publishedCount commentCount latestPost{id}}}`,
			`{"authorStats":{"authorId":"<u1>","author":{"name":"Ann"},"postCount":3,"publishedCount":1,"commentCount":2,"latestPost":{"id":"<p4>"}}}`},
		{"stats without posts", tenantA, `{authorStats(authorId:"<u3>"){postCount publishedCount commentCount latestPost{id}}}`,
			`{"authorStats":{"postCount":0,"publishedCount":0,"commentCount":0,"latestPost":null}}`},
		{"stats of nobody", tenantA, `{authorStats(authorId:"<u9>"){postCount} b:authorStats(authorId:"<ub>"){postCount}}`,
			`{"authorStats":null,"b":null}`},
		{"stats of a user", tenantA, `{user(id:"<u2>"){stats{postCount commentCount latestPost{id}} posts{id}}}`,
			`{"user":{"stats":{"postCount":1,"commentCount":1,"latestPost":{"id":"<p3>"}},"posts":[{"id":"<p3>"}]}}`},
		{"posts of a user", tenantA, `{user(id:"<u1>"){posts{id} a:posts(status:PUBLISHED){id} b:posts(limit:1,offset:1){id} c:posts(limit:-1){id}}}`,
			`{"user":{"posts":[{"id":"<p4>"},{"id":"<p2>"},{"id":"<p1>"}],"a":[{"id":"<p1>"}],"b":[{"id":"<p2>"}],"c":[]}}`},
		{"leaderboard by posts, comments, age", tenantA, `{leaderboard{authorId publishedCount commentCount author{name}}}`,
			`{"leaderboard":[{"authorId":"<u1>","publishedCount":1,"commentCount":2,"author":{"name":"Ann"}},{"authorId":"<u2>","publishedCount":1,"commentCount":1,"author":{"name":"Bob"}},{"authorId":"<u3>","publishedCount":0,"commentCount":0,"author":{"name":"Cid"}}]}`},
		{"leaderboard of all", admin, `{leaderboard(limit:3){authorId latestPost{id}}}`,
			`{"leaderboard":[{"authorId":"<u1>","latestPost":{"id":"<p4>"}},{"authorId":"<u2>","latestPost":{"id":"<p3>"}},{"authorId":"<ub>","latestPost":{"id":"<pb>"}}]}`},
		{"short leaderboard", tenantA, `{leaderboard(limit:0){authorId}}`, `{"leaderboard":[]}`},

		{"node of each type", tenantA, `{a:node(id:"<u1>"){__typename id} b:node(id:"<p1>"){__typename ... on Post{title}} c:node(id:"<c1>"){__typename} d:node(id:"<t1>"){__typename ... on Tag{name}} e:node(id:"<u9>"){id} f:node(id:"<pb>"){id}}`,
			`{"a":{"__typename":"User","id":"<u1>"},"b":{"__typename":"Post","title":"Alpha"},"c":{"__typename":"Comment"},"d":{"__typename":"Tag","name":"go"},"e":null,"f":null}`},

		{"search in order", tenantA, `{search(term:"A"){__typename ... on User{name} ... on Post{title} ... on Tag{name}}}`,
			`{"search":[{"__typename":"User","name":"Ann"},{"__typename":"Post","title":"Delta"},{"__typename":"Post","title":"Gamma"},{"__typename":"Post","title":"Beta"},{"__typename":"Post","title":"Alpha"}]}`},
		{"search tags", tenantA, `{search(term:"sQL"){... on Tag{id}}}`, `{"search":[{"id":"<t2>"}]}`},
		{"search limits", tenantA, `{a:search(term:"a",limit:2){__typename} b:search(term:"a",limit:0){__typename} c:search(term:"a",limit:-1){__typename}}`,
			`{"a":[{"__typename":"User"},{"__typename":"Post"}],"b":[],"c":[]}`},
		{"search for nothing", tenantA, `{search(term:""){__typename}}`, `{"search":[]}`},
		{"search for a pattern", tenantA, `{search(term:"%"){__typename}}`, `{"search":[]}`},
		{"search only ASCII case", tenantA, `{search(term:"Ä"){__typename}}`, `{"search":[]}`},
		{"search of all", admin, `{search(term:"alpha"){... on Post{id}}}`, `{"search":[{"id":"<pb>"},{"id":"<p1>"}]}`},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			at := *s
			at.t = t
			at.want(row.tenant, row.query, row.want)
		})
	}
}

// Tags and posts of a tenant that exists nowhere, and a limit of a thousand.
func TestEmptyTenantAndLargeLimit(t *testing.T) { onEach(t, testEmptyTenantAndLargeLimit) }

func testEmptyTenantAndLargeLimit(t *testing.T, database kind) {
	t.Helper()
	s := newSiteOn(t, database)
	s.want("new", `{tags{id} feed(limit:1000){id} leaderboard(limit:1000){authorId} search(term:"a",limit:1000){__typename}}`,
		`{"tags":[],"feed":[],"leaderboard":[],"search":[]}`)
}
