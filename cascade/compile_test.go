package cascade

import (
	_ "embed"
	"fmt"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"
)

//go:embed testdata/blog.graphql
var blogSchema string

func TestCompileViews(t *testing.T) {
	t.Parallel()
	rows := []struct{ name, schema, view, want string }{
		{
			"implicit", `type T { id: ID! a: Int b: [Int!] c: User d(x: Int!): Int e(x: Int = 1): Int }`, "T",
			"types [T] key id columns [id a b e] touched {} hidden {} implicit",
		},
		{"no id", `type T { uuid: ID! }`, "T", "none"},
		{"id list", `type T { id: [ID!]! }`, "T", "none"},
		{"id with argument", `type T { id(a: Int!): ID! }`, "T", "none"},
		{"root", `extend type Query { id: ID! }`, "Query", "none"},
		{
			"explicit", `type T @view(name: "v", key: "k", columns: ["author.id", "tenant"], touched: ["n"], partitioned: true) { n: Int! k: ID! author: User! }`, "v",
			"types [T] key k columns [k n author.id tenant] touched {n} hidden {tenant} partitioned",
		},
		{"single string as list", `type T @view(name: "v", columns: "x", touched: "x") { id: ID! }`, "v", "types [T] key id columns [id x] touched {x} hidden {x}"},
		{"field listed as column", `type T @view(name: "v", columns: ["n"]) { id: ID! n: Int }`, "v", "types [T] key id columns [id n] touched {} hidden {}"},
		{"touched path", `type T @view(name: "v", touched: ["author.name"]) { id: ID! author: User! }`, "v", "types [T] key id columns [id author.name] touched {author.name} hidden {}"},
		{"named like its type", `type T @view(name: "T") { id: ID! }`, "T", "types [T] key id columns [id] touched {} hidden {}"},
		{
			"shared by types", `type B @view(name: "v", touched: ["b"]) { id: ID! b: Int! } type A @view(name: "v", columns: ["h"]) { a: Int! id: ID! }`, "v",
			"types [A B] key id columns [id a b h] touched {b} hidden {h}",
		},
		{"shared by name of a type", `type B @view(name: "B") { id: ID! } type A @view(name: "B") { id: ID! }`, "B", "types [A B] key id columns [id] touched {} hidden {}"},
		{"interface", `interface I @view(name: "v") { id: ID! } type A implements I { id: ID! } type B implements I @view(name: "b") { id: ID! }`, "v", "types [A] key id columns [id] touched {} hidden {}"},
		{"interface named like itself", `interface I @view(name: "I") { id: ID! } type A implements I { id: ID! }`, "I", "types [A] key id columns [id] touched {} hidden {}"},
		{"second view", `type T @view(name: "a") @view(name: "b", columns: ["x"]) { id: ID! }`, "b", "types [T] key id columns [id x] touched {} hidden {x}"},
		{
			"path of one type", `type A @view(name: "v") { id: ID! s: String } type B @view(name: "v", columns: ["author.name"]) { id: ID! author: User! s: Status }
				extend type Query { f: Int @reads(view: "v", where: ["s = 'anything'"]) }`, "v",
			"types [A B] key id columns [id s author.name] touched {} hidden {}",
		},
		{"extension", `type T { id: ID! } extend type T @view(name: "v") { n: Int }`, "v", "types [T] key id columns [id n] touched {} hidden {}"},
		{"schema", `extend schema @view(name: "v", key: "k", columns: ["a", "k", "b.c"], touched: ["a"], static: true)`, "v", "types [] key k columns [k a b.c] touched {a} hidden {a b.c} static"},
		{
			"edges", `type T @view(name: "v", key: "by") @dependsOn(on: "Post", key: "author.id", using: ["status"]) @dependsOn(on: "v_tag") { by: ID! }`, "v",
			"types [T] key by columns [by] touched {} hidden {} <- v_post(author.id){author.id status} <- v_tag()*",
		},
		{"edges of one key", `type T @view(name: "v") @dependsOn(on: "Post", using: ["status"]) @dependsOn(on: "v_post", using: ["title"]) { id: ID! }`, "v", "types [T] key id columns [id] touched {} hidden {} <- v_post(){status title}"},
		{"edge on schema", `extend schema @view(name: "v") @dependsOn(on: "v_tag", view: "v", key: "post_id")`, "v", "types [] key id columns [id] touched {} hidden {} <- v_tag(post_id)*"},
		{"edge of interface", `interface I @dependsOn(on: "v_tag") { id: ID! } type A implements I { id: ID! }`, "A", "types [A] key id columns [id] touched {} hidden {} implicit <- v_tag()*"},
		{
			"written through edges", `type A @view(name: "a") @dependsOn(on: "v_tag") { id: ID! } type B @view(name: "b") @dependsOn(on: "A") { id: ID! }
				extend type Mutation { f: Int @writes(view: "v_tag") }`, "b",
			"types [B] key id columns [id] touched {} hidden {} written <- a()*",
		},
		{"not written", `extend type Mutation { f: Int }`, "v_tag", "types [] key id columns [id post_id tag_id] touched {} hidden {post_id tag_id}"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			if got := describeView(mustCompile(t, faultBase, row.schema, Options{}), row.view); got != row.want {
				t.Errorf("view %s is\n%s\nwant\n%s", row.view, got, row.want)
			}
		})
	}
}

func TestCompileReads(t *testing.T) {
	t.Parallel()
	rows := []struct{ name, schema, field, want string }{
		{"undeclared", `extend type Query { f: Post }`, "Query.f", "undeclared"},
		{"whole", `extend type Query { f: [Post!]! @reads(view: "Post") }`, "Query.f", "v_post where using *"},
		{"whole, none used", `extend type Query { f: Int! @reads(view: "v_post", using: []) }`, "Query.f", "v_post where using {}"},
		{"several", `extend type Query { f: Int! @reads(view: "Post", using: "title") @reads(view: "v_tag") }`, "Query.f", "v_post where using {title}; v_tag where using *"},
		{"sorted terms", `extend type Query { f(title: String!): [Post] @reads(view: "Post", where: ["title", "author.id = 'u1'", "status='DRAFT'"], using: ["version"]) }`, "Query.f", "v_post where author.id='u1' status='DRAFT' title=args.title using {version}"},
		{"single term", `extend type Query { f: [Post] @reads(view: "Post", where: "title = null") }`, "Query.f", "v_post where title=null using *"},
		{"hidden column", `extend type Query { f(t: [ID!]): [Post] @reads(view: "Post", where: ["tenant_id = args.t"]) }`, "Query.f", "v_post where tenant_id=args.t using *"},
		{"input path", `extend type Query { f(in: PostInput): [Post] @reads(view: "Post", where: ["author.id = args.in.nested.authorId"]) }`, "Query.f", "v_post where author.id=args.in.nested.authorId using *"},
		{"same enum", `extend type Query { f(s: [Status]): [Post] @reads(view: "Post", where: ["status = args.s"]) }`, "Query.f", "v_post where status=args.s using *"},
		{"enum from string", `extend type Query { f(s: String): [Post] @reads(view: "Post", where: ["status = args.s"]) }`, "Query.f", "v_post where status=args.s using *"},
		{"parent", `extend type User { posts: [Post!]! @reads(view: "Post", where: ["author.id = parent.id"]) }`, "User.posts", "v_post where author.id=parent.id using *"},
		{"row of parent", `extend type Post { a: User! @reads(view: "User", row: "parent.author.id") }`, "Post.a", "v_user row parent.author.id"},
		{"row of interface", `extend type Query { n(id: ID!): Node @reads(view: "Node", row: "args.id") }`, "Query.n", "v_post|v_user row args.id"},
		{"row of union", `extend type Query { n(ids: [ID!]!): [Hit] @reads(view: "Hit", row: "args.ids") }`, "Query.n", "v_post|v_user row args.ids"},
		{"interface with one view", `interface I @view(name: "v") { id: ID! } type A implements I { id: ID! } type B implements I { id: ID! } extend type Query { f: I @reads(view: "I") }`, "Query.f", "v where using *"},
		{"inferred", `extend type Query { post(id: ID!): Post }`, "Query.post", "v_post row args.id inferred"},
		{"inferred, nullable argument", `extend type Query { post(id: ID): Post! }`, "Query.post", "v_post row args.id inferred"},
		{"inferred by other key", `extend type Query { country(code: ID!): Country }`, "Query.country", "v_country row args.code inferred"},
		{"inferred for two views", `type T @view(name: "a") @view(name: "b") { id: ID! } extend type Query { f(id: ID!): T }`, "Query.f", "a|b row args.id inferred"},
		{"not inferred: keys differ", `type T @view(name: "a") @view(name: "b", key: "k") { id: ID! k: ID! } extend type Query { f(id: ID!): T }`, "Query.f", "undeclared"},
		{"not inferred: implicit view", `extend type Query { f(id: ID!): Loose }`, "Query.f", "undeclared"},
		{"not inferred: two arguments", `extend type Query { f(id: ID!, draft: Boolean): Post }`, "Query.f", "undeclared"},
		{"not inferred: other name", `extend type Query { f(uid: ID!): Post }`, "Query.f", "undeclared"},
		{"not inferred: list", `extend type Query { f(id: ID!): [Post] }`, "Query.f", "undeclared"},
		{"not inferred: list argument", `extend type Query { f(id: [ID!]!): Post }`, "Query.f", "undeclared"},
		{"not inferred: interface", `extend type Query { f(id: ID!): Node }`, "Query.f", "undeclared"},
		{"not inferred: mutation", `extend type Mutation { f(id: ID!): Post }`, "Mutation.f", "undeclared"},
		{"declared instead of inferred", `extend type Query { f(id: ID!): Post @reads(view: "v_tag") }`, "Query.f", "v_tag where using *"},
		{"by interface", `interface I { n: Int @reads(view: "v_tag", where: ["post_id = parent.id"]) id: ID! } type A implements I { n: Int id: ID! }`, "A.n", "v_tag where post_id=parent.id using *"},
		{"own over interface", `interface I { n: Int @reads(view: "v_tag") id: ID! } type A implements I { n: Int @reads(view: "Post") id: ID! }`, "A.n", "v_post where using *"},
		{"by two interfaces", `interface I { n: Int @reads(view: "v_tag") } interface J { n: Int @reads(view: "User") } type A implements I & J { n: Int }`, "A.n", "v_tag where using *; v_user where using *"},
		{"by interface on query", `interface I { n: Int @reads(view: "v_tag") } extend type Query implements I { n: Int }`, "Query.n", "v_tag where using *"},
		{"at run time", `extend type Query { f: [Post] @reads(atRuntime: true) }`, "Query.f", "at run time"},
		{"at run time and declared", `extend type Query { f: [Post] @reads(atRuntime: true) @reads(view: "v_tag") }`, "Query.f", "v_tag where using *; at run time"},
		{"not inferred: at run time", `extend type Query { f(id: ID!): Post @reads(atRuntime: true) }`, "Query.f", "at run time"},
		{"not at run time", `extend type Query { f: [Post] @reads(view: "v_tag", atRuntime: false) }`, "Query.f", "v_tag where using *"},
		{"at run time by an interface", `interface I { n: Int @reads(view: "v_tag") } interface J { n: Int @reads(atRuntime: true) } type A implements I & J { n: Int }`, "A.n", "v_tag where using *; at run time"},
		{"by interface on query, parent", `interface I { n: Int @reads(view: "v_tag", where: ["post_id = parent.n"]) } extend type Query implements I { n: Int }`, "Query.n", "undeclared"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			if got := describeField(mustCompile(t, faultBase, row.schema, Options{}), row.field); got != row.want {
				t.Errorf("%s reads\n%s\nwant\n%s", row.field, got, row.want)
			}
		})
	}
}

func TestCompileWrites(t *testing.T) {
	t.Parallel()
	rows := []struct{ name, field, want string }{
		{"undeclared", `f: Int`, "undeclared"},
		{"any", `f: Int @writes(view: "Post")`, "ANY v_post columns *"},
		{"row of result", `f: Page @writes(view: "Post", op: "CREATE", row: "result.total")`, "CREATE v_post row result.total columns *"},
		{"row is result", `f: [ID!]! @writes(view: "Post", op: "UPSERT", row: "result")`, "UPSERT v_post row result columns *"},
		{"deep result", `f: Post @writes(view: "User", op: "UPDATE", row: "result.author.id", fields: ["name"])`, "UPDATE v_user row result.author.id columns {name}"},
		{"touched", `f(id: ID!): Int @writes(view: "Post", op: "UPDATE", row: "args.id", fields: [])`, "UPDATE v_post row args.id columns {version}"},
		{"update without fields", `f(id: ID!): Int @writes(view: "Post", op: "UPDATE", row: "args.id")`, "UPDATE v_post row args.id columns *"},
		{"before and after", `f(by: ID!): Int @writes(view: "Post", op: "UPDATE", where: ["author.id = args.by", "status = 'DRAFT'"], set: ["author.id = args.by", "status = 'PUBLISHED'"], fields: ["title"])`, "UPDATE v_post where author.id=args.by status='DRAFT' set author.id=args.by status='PUBLISHED' columns {status title version}"},
		{"set of create", `f(in: PostInput!): Post @writes(view: "Post", op: "CREATE", row: "result.id", set: ["author.id = args.in.authorId", "status = result.status"])`, "CREATE v_post row result.id set author.id=args.in.authorId status=result.status columns *"},
		{"several", `f(p: ID!, t: ID!): Int @writes(view: "v_tag", op: "DELETE", where: ["post_id = args.p", "tag_id = args.t"]) @writes(view: "Post", op: "UPDATE", row: "args.p", fields: ["title"])`, "DELETE v_tag where post_id=args.p tag_id=args.t columns *; UPDATE v_post row args.p columns {title version}"},
		{
			"fields of input", `f(in: PostInput!): Post @writes(view: "Post", op: "UPDATE", row: "result.id", fields: ["args.in"])`,
			"UPDATE v_post row result.id columns {version} from args.in[authorId:{author.id}:author.id color:*: nested:*: title:{title}:title]",
		},
		{
			"fields of nested inputs", `f(in: [PostInput!]!): Post @writes(view: "Loose", op: "UPDATE", fields: ["args.in.nested", "text"])`,
			"UPDATE Loose columns {text} from args.in.nested[authorId:*: color:*: nested:*: title:*:]",
		},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			p := mustCompile(t, faultBase, "extend type Mutation { "+row.field+" }", Options{})
			if got := describeMutation(p, "f"); got != row.want {
				t.Errorf("f writes\n%s\nwant\n%s", got, row.want)
			}
		})
	}
}

func TestCompileInputFieldKinds(t *testing.T) {
	t.Parallel()
	p := mustCompile(t, faultBase, `
input In { id: ID status: Color tags: [String!] title: [String!] ownerId: ID Id: ID }
extend type Post { tags: [String!]! }
extend type Mutation { f(in: In!): Int @writes(view: "Post", op: "UPDATE", fields: ["args.in"]) }`, Options{})
	// An enum that is not the column's, and lists, change a column but do not tell its
	// value.
	want := "UPDATE v_post columns {version} from args.in[Id:*: id:{id}:id ownerId:*: status:{status}: tags:{tags}: title:{title}:]"
	if got := describeMutation(p, "f"); got != want {
		t.Errorf("f writes\n%s\nwant\n%s", got, want)
	}
}

func TestCompileShapes(t *testing.T) {
	t.Parallel()
	rows := []struct{ name, schema, want string }{
		{"none", ``, ":*"},
		{"whole", `extend type Query { f: Int @reads(view: "Post", using: ["title"]) g: Int @reads(view: "Post", using: ["status"]) }`, ":{status title}"},
		{"required argument", `extend type Query { f(t: String!): Int @reads(view: "Post", where: ["title = args.t"], using: []) }`, ":* title:{title}"},
		{"nullable argument", `extend type Query { f(t: String): Int @reads(view: "Post", where: ["title = args.t"], using: []) }`, ":{} title:{title}"},
		{"nullable element", `extend type Query { f(t: [String]!): Int @reads(view: "Post", where: ["title = args.t"], using: []) }`, ":{} title:{title}"},
		// A client may send null in spite of a default.
		{"nullable with default", `extend type Query { f(t: String = "x"): Int @reads(view: "Post", where: ["title = args.t"], using: []) }`, ":{} title:{title}"},
		{"required with default", `extend type Query { f(t: String! = "x"): Int @reads(view: "Post", where: ["title = args.t"], using: []) }`, ":* title:{title}"},
		{"input default", `input In { t: String! = "x" } extend type Query { f(in: In!): Int @reads(view: "Post", where: ["title = args.in.t"], using: []) }`, ":{} title:{title}"},
		{"nullable step", `input In { t: String! } extend type Query { f(in: In): Int @reads(view: "Post", where: ["title = args.in.t"], using: []) }`, ":{} title:{title}"},
		{"constant", `extend type Query { f: Int @reads(view: "Post", where: ["title = 'x'"], using: ["version"]) }`, ":* title:{title version}"},
		{"constant null", `extend type Query { f: Int @reads(view: "Post", where: ["title = null"], using: []) }`, ":{} title:{title}"},
		{"nullable parent", `type T { id: ID! post: Post f: Int @reads(view: "Post", where: ["id = parent.post.id"], using: []) }`, ":{} id:{id}"},
		{"required parent", `type T { id: ID! post: Post! f: Int @reads(view: "Post", where: ["id = parent.post.id"], using: []) }`, ":* id:{id}"},
		{
			"subsets", `extend type Query { f(t: String, s: Status): Int @reads(view: "Post", where: ["author.id = 'u'", "title = args.t", "status = args.s"], using: ["version"]) }`,
			":* author.id:{author.id version} author.id+status:{author.id status version} author.id+status+title:{author.id status title version} author.id+title:{author.id title version}",
		},
		{
			"merged", `extend type Query { f: Int @reads(view: "Post", where: ["title = 'x'"], using: ["version"]) g(t: String!): Int @reads(view: "Post", where: ["title = args.t"], using: ["status"]) }`,
			":* title:{status title version}",
		},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			p := mustCompile(t, faultBase, row.schema, Options{})
			if got := describeShapes(p, "v_post"); got != row.want {
				t.Errorf("shapes are\n%s\nwant\n%s", got, row.want)
			}
			v := p.byName["v_post"]
			for _, s := range v.shapes {
				if s.id != shapeID(v, s.columns) {
					t.Errorf("shape %v has id %d", s.columns, s.id)
				}
			}
		})
	}
}

func TestCompileWideView(t *testing.T) {
	t.Parallel()
	var fields strings.Builder
	for i := range 100 {
		fmt.Fprintf(&fields, " c%d: Int", i)
	}
	p := mustCompile(t, faultBase, `type T @view(name: "v") { id: ID! `+fields.String()+` }
extend type Mutation { f: Int @writes(view: "T", op: "UPDATE", fields: ["c99"]) }`, Options{})
	v := p.byName["v"]
	if m, ok := v.column("c0"); !ok || m != 1<<1 {
		t.Errorf("c0 has mask %b", m)
	}
	last, _ := v.column("c99")
	if other, _ := v.column("c62"); last != 1<<overflowBit || other != last {
		t.Errorf("c99 and c62 have masks %b and %b, want the shared bit", last, other)
	}
	if got := p.mutations["f"].Writes[0].Columns; got != last {
		t.Errorf("f changes %b", got)
	}
}

func TestCompileViewIDs(t *testing.T) {
	t.Parallel()
	p := mustCompile(t, faultBase, "", Options{})
	for i, v := range p.views {
		if v.id != i || p.byName[v.Name] != v || i > 0 && p.views[i-1].Name >= v.Name {
			t.Errorf("view %d is %q with id %d", i, v.Name, v.id)
		}
	}
	if of := p.byType["Post"]; len(of) != 1 || of[0].Name != "v_post" {
		t.Errorf("Post has views %v", of)
	}
}

func TestCompileWithoutDirectives(t *testing.T) {
	t.Parallel()
	p, err := Compile(loadWith(t, "", blogSchema, ""), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(p.fields)+len(p.mutations)+len(p.policies)+len(p.typeHints) != 0 {
		t.Errorf("something is declared: %v %v %v %v", p.fields, p.mutations, p.policies, p.typeHints)
	}
	for _, v := range p.views {
		if v.explicit || v.written || len(v.in)+len(v.out) > 0 {
			t.Errorf("view %s: %s", v.Name, describeView(p, v.Name))
		}
	}
	if len(p.views) != 4 || p.byName["AuthorStats"] != nil {
		t.Errorf("got %d views, want those of Comment, Post, Tag and User", len(p.views))
	}
}

// TestCompileBlog annotates the awkward parts of a whole schema by extensions of types.
// Directives on fields of the original need its text, so they are put in.
func TestCompileBlog(t *testing.T) {
	t.Parallel()
	blog := strings.NewReplacer(
		"posts(authorId: ID!, status: PostStatus, limit: Int! = 20, offset: Int! = 0): PostPage!",
		`posts(authorId: ID!, status: PostStatus, limit: Int! = 20, offset: Int! = 0): PostPage!
			@reads(view: "Post", where: ["author.id = args.authorId", "status"], using: [])`,
		"node(id: ID!): Node", `node(id: ID!): Node @reads(view: "Node", row: "args.id")`,
		"author: User!\n  comments", "author: User! @reads(view: \"User\", row: \"parent.author.id\")\n  comments",
		"updatePost(id: ID!, input: UpdatePostInput!): Post!",
		`updatePost(id: ID!, input: UpdatePostInput!): Post! @writes(view: "Post", op: "UPDATE", row: "args.id", fields: ["args.input"])`,
		"deletePost(id: ID!): DeletePayload!",
		`deletePost(id: ID!): DeletePayload! @writes(view: "Post", op: "DELETE", row: "args.id")
			@writes(view: "Comment", op: "DELETE", where: ["post.id = args.id"]) @writes(view: "post_tag", op: "DELETE", where: ["post_id = args.id"])`,
		"setPostsStatus(ids: [ID!]!, status: PostStatus!): Int!",
		`setPostsStatus(ids: [ID!]!, status: PostStatus!): Int! @writes(view: "Post", op: "UPDATE", row: "args.ids", set: ["status"], fields: ["status"])`,
	).Replace(blogSchema)
	p := mustCompile(t, blog, `
extend type User @view(name: "users", touched: ["version"], columns: ["tenant"])
extend type Post @view(name: "posts", touched: ["version"], columns: ["tenant"])
extend type Comment @view(name: "comments", columns: ["tenant"])
extend type Tag @view(name: "tags", columns: ["tenant"])
extend schema @view(name: "post_tag", columns: ["post_id", "tag_id"])
extend type AuthorStats @view(name: "author_stats", key: "authorId")
  @dependsOn(on: "posts", key: "author.id", using: ["status"])
  @dependsOn(on: "Comment", key: "post.author.id", using: [])`, Options{})
	fields := map[string]string{
		"Query.posts":       "posts where author.id=args.authorId status=args.status using {}",
		"Query.node":        "comments|posts|tags|users row args.id",
		"Query.user":        "users row args.id inferred",
		"Query.authorStats": "author_stats row args.authorId inferred",
		"Post.author":       "users row parent.author.id",
		"Query.search":      "undeclared",
	}
	for field, want := range fields {
		if got := describeField(p, field); got != want {
			t.Errorf("%s reads %s, want %s", field, got, want)
		}
	}
	mutations := map[string]string{
		"updatePost":     "UPDATE posts row args.id columns {version} from args.input[authorId:{author.id}:author.id body:{body}:body status:{status}:status title:{title}:title]",
		"deletePost":     "DELETE posts row args.id columns *; DELETE comments where post.id=args.id columns *; DELETE post_tag where post_id=args.id columns *",
		"setPostsStatus": "UPDATE posts row args.ids set status=args.status columns {status version}",
		"importData":     "undeclared",
	}
	for field, want := range mutations {
		if got := describeMutation(p, field); got != want {
			t.Errorf("%s writes %s, want %s", field, got, want)
		}
	}
	if got := describeView(p, "author_stats"); !strings.HasSuffix(got, "written <- posts(author.id){author.id status} <- comments(post.author.id){post.author.id}") {
		t.Errorf("author_stats: %s", got)
	}
	if got := describeShapes(p, "posts"); got != ":* author.id:{author.id} author.id+status:{author.id status}" {
		t.Errorf("shapes of posts: %s", got)
	}
}

// The bits of columns and the ids of views and shapes are shared by the instances that
// have the same schema, however it is split into files.
func TestCompileIsIndependentOfOrder(t *testing.T) {
	t.Parallel()
	const first = `type A @view(name: "x", columns: ["c"]) @dependsOn(on: "v_post", key: "author.id") { id: ID! a: Int b: Post }`
	const second = `type B @view(name: "x", columns: ["d"]) { id: ID! b: Post! }
extend type Query { q(s: String): Int @reads(view: "x", where: ["b.author.id = args.s", "b.title = args.s"]) }`
	p := mustCompile(t, first+faultBase, second, Options{})
	q := mustCompile(t, second+faultBase, first, Options{})
	if len(p.views) != len(q.views) {
		t.Fatalf("got %d and %d views", len(p.views), len(q.views))
	}
	for i, v := range p.views {
		other := q.views[i]
		if v.Name != other.Name {
			t.Fatalf("view %d is %s and %s", i, v.Name, other.Name)
		}
		if a, b := describeView(p, v.Name)+describeShapes(p, v.Name), describeView(q, v.Name)+describeShapes(q, v.Name); a != b {
			t.Errorf("view %s is\n%s\nand\n%s", v.Name, a, b)
		}
	}
	want := "types [A B] key id columns [id a c d b.author.id b.title] touched {} hidden {c d} <- v_post(author.id)*"
	if got := describeView(p, "x"); got != want {
		t.Errorf("x is\n%s\nwant\n%s", got, want)
	}
}

// gqlparser loads some schemas that make no sense; they must not stop a server with a
// panic.
func TestCompileOddSchemas(t *testing.T) {
	t.Parallel()
	rows := []struct{ name, schema, view, want string }{
		{"only types", `type A { id: ID! }`, "A", "types [A] key id columns [id] touched {} hidden {} implicit"},
		{"one root for all", `schema { query: Q mutation: Q subscription: Q } type Q { a: A @reads(view: "A") @writes(view: "A") } type A { id: ID! }`, "A", "types [A] key id columns [id] touched {} hidden {} implicit written"},
		{"extension without a type", `extend type A @view(name: "a") { id: ID! }`, "a", "types [A] key id columns [id] touched {} hidden {}"},
		{"query in a union", `union U = Query | A type Query { n: Int } type A { id: ID! }`, "A", "types [A] key id columns [id] touched {} hidden {} implicit"},
		{"recursive types", `type A { id: ID! a: A! b(x: Int): [[B!]!]! } type B @view(name: "b", columns: ["a.a.a.id", "a.b.a.id"]) { id: ID! a: A! }`, "b", "types [B] key id columns [id a.a.a.id a.b.a.id] touched {} hidden {}"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			p := mustCompile(t, row.schema, "", Options{})
			if got := describeView(p, row.view); got != row.want {
				t.Errorf("view %s is\n%s\nwant\n%s", row.view, got, row.want)
			}
		})
	}
}

// TestCompileOddRoots: the oldest gqlparser loads schemas whose roots are no objects,
// others do not.
func TestCompileOddRoots(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name, schema string
		change       func(s *ast.Schema)
		view, want   string
	}{
		{"union as query", `type Query { n: Int } union U = A type A { id: ID! }`, func(s *ast.Schema) { s.Query = s.Types["U"] },
			"A", "types [A] key id columns [id] touched {} hidden {} implicit"},
		{"enum as mutation", `schema { query: Q } enum E { A } type Q { id: ID! }`, func(s *ast.Schema) { s.Mutation = s.Types["E"] }, "Q", "none"},
		{"interface as query", `type Query { n: Int } interface I { a(id: ID!): A } type A @view(name: "a") { id: ID! }`,
			func(s *ast.Schema) { s.Query = s.Types["I"] }, "a", "types [A] key id columns [id] touched {} hidden {}"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			schema := loadWith(t, SDL("")+CacheControlSDL(), row.schema, "")
			row.change(schema)
			p, err := Compile(schema, Options{})
			if err != nil {
				t.Fatal(err)
			}
			if got := describeView(p, row.view); got != row.want {
				t.Errorf("view %s is\n%s\nwant\n%s", row.view, got, row.want)
			}
		})
	}
}

func TestCompilePrefix(t *testing.T) {
	t.Parallel()
	p := mustCompile(t, "directive @view(role: Int) on FIELD_DEFINITION type Query { a: Int @view(role: 1) }",
		`type T @c_view(name: "v") { id: ID! }`, Options{Prefix: "c_"})
	if describeView(p, "v") == "none" {
		t.Error("the prefixed @view was not read")
	}
	_, err := Compile(loadWith(t, SDL("c_"), "type Query { a: Int }", `type T @c_view(name: "v", columns: ["a."]) @c_dependsOn(on: "U") { id: ID! } type U { a: Int! }`), Options{Prefix: "c_"})
	if err == nil || !strings.Contains(err.Error(), "type U has no view: give it @c_view") {
		t.Errorf("error %v does not name the directive by its prefix", err)
	}
}
