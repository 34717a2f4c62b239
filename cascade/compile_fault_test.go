package cascade

import (
	"errors"
	"strconv"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
)

// faultBase is what the rows of the fault table extend.
const faultBase = `
enum Status { DRAFT PUBLISHED }
enum Color { RED GREEN }
scalar Time
interface Node { id: ID! }
interface Animal { id: ID! legs: Int! }
union Hit = User | Post
type User implements Node @view(name: "v_user") { id: ID! name: String! }
type Post implements Node @view(name: "v_post", columns: ["tenant_id"], touched: ["version"]) {
  id: ID!
  title: String!
  status: Status!
  version: Int!
  author: User!
  hit: Hit
  excerpt(length: Int!): String!
  editor(at: Time!): User
}
type Country @view(name: "v_country", key: "code", static: true) { code: ID! name: String! }
type Loose { id: ID! text: String! }
type Page { total: Int! }
input PostInput { title: String authorId: ID color: Color nested: PostInput }
type Query { hello: String }
type Mutation { nothing: Boolean }
type Subscription { ticks: Int }
extend schema @view(name: "v_tag", columns: ["post_id", "tag_id"])
`

// faultAt marks the place of the fault in a row's schema; it is taken out before loading.
const faultAt = "▸"

func TestCompileFaults(t *testing.T) {
	t.Parallel()
	rows := []struct{ name, schema, want string }{
		// @view
		{"view name empty", `type T @view(name: ▸"") { id: ID! }`, "name of @view is empty"},
		{"view name with space", `type T @view(name: ▸" v") { id: ID! }`, "white space"},
		{"view name a number", `type T @view(name: ▸5) { id: ID! }`, `must be a string: write "5" in quotes`},
		{"view name a list", `type T @view(name: ▸["a"]) { id: ID! }`, "must be a string, not"},
		{"view name an object", `type T @view(name: ▸{a: 1}) { id: ID! }`, "must be a string, not"},
		{"view name twice on a type", `type T @view(name: "a") @view(name: ▸"a") { id: ID! }`, "named twice"},
		{"name a block string", "type T\n@view(name: ▸\"\"\"\n Post\n\"\"\") { id: ID! }", "called like the type Post"},
		{"key null", `type T @view(name: "a", ▸key: null) { id: ID! }`, "must not be null"},
		{"static a string", `type T @view(name: "a", static: ▸"true") { id: ID! }`, "must be true or false"},
		{"key missing", `type T @▸view(name: "a") { uuid: ID! }`, "no field id to be the key"},
		{"key suggested", `type T @view(name: "a", key: ▸"uid") { uuid: ID! }`, "did you mean uuid?"},
		{"key a path", `type T @view(name: "a", key: ▸"a.id") { id: ID! }`, "is no name"},
		{"key an object", `type T @view(name: "a", key: ▸"author") { author: User! }`, "because it is User!"},
		{"key a list", `type T @view(name: "a", key: ▸"ids") { ids: [ID!]! }`, "because it is [ID!]!"},
		{"key with argument", `type T @view(name: "a", key: ▸"k") { k(a: Int!): ID! }`, "needs the argument a"},
		{"key missing on one type", `type A @view(name: "x", key: ▸"k") { k: ID! } type B @view(name: "x", key: "k") { id: ID! }`, "type B has no field k"},
		{"view on root", `extend type Query @▸view(name: "q")`, "root type and has no rows"},
		{"keys disagree", `type A @view(name: "x") { id: ID! } type B @view(name: "x", key: ▸"k") { id: ID! k: ID! }`, `key "k" here and "id" at row.graphql:1:9`},
		{"static disagrees", `type A @view(name: "x") { id: ID! } type B @▸view(name: "x", static: true) { id: ID! }`, "static in one declaration"},
		{"partitioned disagrees", `type A @view(name: "x") { id: ID! } type B @▸view(name: "x", partitioned: true) { id: ID! }`, "partitioned in one declaration"},
		{"named like another type", `type A @view(name: ▸"Post") { id: ID! }`, "called like the type Post"},
		{"named like a type without view", `type A @view(name: ▸"Page") { id: ID! }`, "called like the type Page"},
		{"schema view named like a type", `extend schema @view(name: ▸"Loose")`, "called like the type Loose"},
		{"schema view of a type", `extend schema @view(name: ▸"v_post")`, "already that of type Post"},
		{"schema view twice", `extend schema @view(name: "x") @view(name: ▸"x")`, "named twice"},
		{"interface view unused", `extend interface Node @▸view(name: "nodes")`, "every type of Node has its own @view"},
		{"column syntax", `type T @view(name: "a", columns: [▸"a..b"]) { id: ID! }`, "is no column"},
		{"column number", `type T @view(name: "a", columns: ["x", ▸1]) { id: ID! }`, `write "1" in quotes`},
		{"column twice", `type T @view(name: "a", columns: ["x", ▸"x"]) { id: ID! }`, "listed twice"},
		{"column an object", `type T @view(name: "a", columns: [▸"author"]) { id: ID! author: User! }`, "by a path such as author.id"},
		{"column with argument", `type T @view(name: "a", columns: [▸"x"]) { id: ID! x(a: Int!): Int }`, "needs the argument a"},
		{"column path unknown", `type T @view(name: "a", columns: [▸"author.nam"]) { id: ID! author: User! }`, "type User has no field nam: did you mean name?"},
		{"column path through leaf", `type T @view(name: "a", columns: [▸"id.x"]) { id: ID! }`, "ID has no field x because it is a scalar"},
		{"column path to object", `type T @view(name: "a", columns: [▸"post.author"]) { id: ID! post: Post! }`, "ends at User: go on"},
		{"column path through union", `type T @view(name: "a", columns: [▸"hit.id"]) { id: ID! hit: Hit }`, "Hit has no field id because it is a union"},
		{"column path needs argument", `type T @view(name: "a", columns: [▸"post.editor.id"]) { id: ID! post: Post! }`, "needs the argument at"},
		{"column path to typename", `type T @view(name: "a", columns: [▸"author.__typename"]) { id: ID! author: User! }`, "has no field __typename"},
		{"touched unknown", `type T @view(name: "a", touched: [▸"vesion"]) { id: ID! version: Int! }`, "did you mean version?"},

		// @dependsOn
		{"on unknown", `type T @view(name: "a") @dependsOn(on: ▸"v_psot") { id: ID! }`, "did you mean v_post?"},
		{"on empty", `type T @view(name: "a") @dependsOn(on: ▸"") { id: ID! }`, "on of @dependsOn is empty"},
		{"on an enum", `type T @view(name: "a") @dependsOn(on: ▸v_post) { id: ID! }`, `write "v_post" in quotes`},
		{"on several views", `type T @view(name: "a") @dependsOn(on: ▸"Node") { id: ID! }`, "stands for several views"},
		{"on type without view", `type T @view(name: "a") @dependsOn(on: ▸"Page") { id: ID! }`, "type Page has no view"},
		{"on interface without types", `type T @view(name: "a") @dependsOn(on: ▸"Animal") { id: ID! }`, "no type implements Animal"},
		{"on root", `type T @view(name: "a") @dependsOn(on: ▸"Query") { id: ID! }`, `no view or type "Query"`},
		{"edge key unknown", `type T @view(name: "a") @dependsOn(on: "v_post", key: ▸"authorId") { id: ID! }`, "no column authorId"},
		{"edge key empty", `type T @view(name: "a") @dependsOn(on: "v_post", key: ▸"") { id: ID! }`, "is no column"},
		{"edge using unknown", `type T @view(name: "a") @dependsOn(on: "v_post", using: [▸"stats"]) { id: ID! }`, "did you mean status?"},
		{"schema view column unknown", `type T @view(name: "a") @dependsOn(on: "v_tag", key: ▸"postId") { id: ID! }`, "did you mean post_id?"},
		{"view on a type's edge", `type T @view(name: "a") @dependsOn(on: "v_post", view: ▸"a") { id: ID! }`, "so leave it out"},
		{"schema edge without view", `extend schema @▸dependsOn(on: "v_post")`, "needs view"},
		{"schema edge of unknown view", `extend schema @dependsOn(on: "v_post", view: ▸"v_tga")`, "did you mean v_tag?"},
		{"edge of a type without view", `extend type Page @▸dependsOn(on: "v_post")`, "type Page has no view that could depend"},
		{"edge of a root", `extend type Query @▸dependsOn(on: "v_post")`, "type Query has no view that could depend"},
		{"edge of a static view", `extend type Country @▸dependsOn(on: "v_post")`, "static and cannot depend"},
		{"self edge", `extend type Post @▸dependsOn(on: "v_post")`, "a change of v_post -> v_post: break the cycle"},
		{"cycle", `extend type User @dependsOn(on: "v_tag")
extend type Post @▸dependsOn(on: "User")
extend schema @dependsOn(on: "Post", view: "v_tag")`, "a change of v_post -> v_tag -> v_user -> v_post"},

		// @reads
		{"reads unknown view", `extend type Query { f: Post @reads(view: ▸"Pots") }`, "did you mean Post?"},
		{"reads empty view", `extend type Query { f: Post @reads(view: ▸"") }`, "view of @reads is empty"},
		{"reads on mutation", `extend type Mutation { f: Post @▸reads(view: "Post") }`, "Mutation.f cannot have @reads"},
		{"reads on subscription", `extend type Subscription { f: Post @▸reads(view: "Post") }`, "Subscription.f cannot have @reads"},
		{"reads several views without row", `extend type Query { f: Node @reads(view: ▸"Node") }`, "only @reads with row can name it"},
		{"row with where", `extend type Query { f(id: ID!): Post @reads(view: "Post", row: "args.id", where: ▸["status = 'DRAFT'"]) }`, "leave row or where out"},
		{"row with using", `extend type Query { f(id: ID!): Post @reads(view: "Post", row: "args.id", using: ▸[]) }`, "so leave it out"},
		{"row no path", `extend type Query { f(id: ID!): Post @reads(view: "Post", row: ▸"id") }`, "such as args.id"},
		{"row empty", `extend type Query { f(id: ID!): Post @reads(view: "Post", row: ▸"") }`, "is no path"},
		{"row a number", `extend type Query { f(id: ID!): Post @reads(view: "Post", row: ▸1) }`, "must be a string"},
		{"row unknown argument", `extend type Query { f(id: ID!): Post @reads(view: "Post", row: ▸"args.idd") }`, "field f has no argument idd: did you mean id?"},
		{"row without arguments", `extend type Query { f: Post @reads(view: "Post", row: ▸"args.id") }`, "there are none"},
		{"row args alone", `extend type Query { f(id: ID!): Post @reads(view: "Post", row: ▸"args") }`, "args alone"},
		{"row result", `extend type Query { f(id: ID!): Post @reads(view: "Post", row: ▸"result.id") }`, "in @reads use args or parent"},
		{"row parent of root", `extend type Query { f(id: ID!): Post @reads(view: "Post", row: ▸"parent.id") }`, "a field of Query has no parent"},
		{"row parent alone", `extend type Post { f: Post @reads(view: "Post", row: ▸"parent") }`, "parent alone"},
		{"row parent unknown", `extend type Post { f: User @reads(view: "User", row: ▸"parent.autor.id") }`, "did you mean author?"},
		{"row at input", `extend type Query { f(in: PostInput!): Post @reads(view: "Post", row: ▸"args.in") }`, "ends at PostInput"},
		{"row input unknown", `extend type Query { f(in: PostInput!): Post @reads(view: "Post", row: ▸"args.in.nested.id") }`, "input PostInput has no field id"},
		{"row through scalar", `extend type Query { f(id: ID!): Post @reads(view: "Post", row: ▸"args.id.x") }`, "because it is a scalar"},
		{"where empty", `extend type Query { f: Post @reads(view: "Post", where: ▸[]) }`, "where is an empty list"},
		{"where number", `extend type Query { f: Post @reads(view: "Post", where: [▸7]) }`, "must be a string"},
		{"where object", `extend type Query { f: Post @reads(view: "Post", where: [▸{a: 1}]) }`, "must be a string, not"},
		{"where column unknown", `extend type Query { f: Post @reads(view: "Post", where: [▸"stat = 'DRAFT'"]) }`, "did you mean status?"},
		{"where implicit view", `extend type Query { f: Loose @reads(view: "Loose", where: [▸"zzzzzz = 1"]) }`, "known are id, text, or give the type @view with this column"},
		{"where column twice", `extend type Query { f: Post @reads(view: "Post", where: ["title = 'a'", ▸"title = 'b'"]) }`, "compares the column title twice"},
		{"where too many", `extend type Query { f: Post @reads(view: "Post", where: ["title = 'a'", "status = 'DRAFT'", "id = '1'", "version = 1", ▸"tenant_id = 't'"]) }`, "at most 4"},
		{"where syntax", `extend type Query { f: Post @reads(view: "Post", where: [▸"title > 'a'"]) }`, "terms only say column = operand"},
		{"where bare unknown", `extend type Query { f(titel: String): Post @reads(view: "Post", where: [▸"title"]) }`, "did you mean titel?"},
		{"where result", `extend type Query { f: Post @reads(view: "Post", where: [▸"id = result.id"]) }`, "result stands for"},
		{"where enum value", `extend type Query { f: Post @reads(view: "Post", where: [▸"status = 'PUBLISHD'"]) }`, "enum Status of status has no value PUBLISHD: did you mean PUBLISHED?"},
		{"where enum number", `extend type Query { f: Post @reads(view: "Post", where: [▸"status = 1"]) }`, "has no value 1: known are DRAFT, PUBLISHED"},
		{"where unquoted", `extend type Query { f: Post @reads(view: "Post", where: [▸"status = DRAFT"]) }`, "'DRAFT' for a constant"},
		{"where other enum", `extend type Query { f(c: Color): Post @reads(view: "Post", where: [▸"status = args.c"]) }`, "never equals a value of Color"},
		{"reads without view", `extend type Query { f: Post @▸reads(using: []) }`, "needs view, or atRuntime: true"},
		{"reads not at run time without view", `extend type Query { f: Post @▸reads(atRuntime: false) }`, "needs view, or atRuntime: true"},
		{"at run time a string", `extend type Query { f: Post @reads(view: "Post", atRuntime: ▸"true") }`, "must be true or false"},
		{"at run time with view", `extend type Query { f: Post @reads(view: ▸"Post", atRuntime: true) }`, "or write two @reads"},
		{"at run time with where", `extend type Query { f: Post @reads(where: ▸["title = 'a'"], atRuntime: true) }`, "with atRuntime the resolver says that"},
		{"at run time with appends", `extend type Query { f: Post @reads(appends: ▸true, atRuntime: true) }`, "with atRuntime the resolver says that"},
		{"at run time beside limit", `extend type Query { f(n: Int): [Post] @▸reads(view: "Post", limit: "args.n") @reads(atRuntime: true) }`, "with atRuntime it has others"},
		{"at run time on mutation", `extend type Mutation { f: Post @▸reads(atRuntime: true) }`, "only answers of queries are kept"},
		{"using unknown", `extend type Query { f: Post @reads(view: "Post", using: [▸"titel"]) }`, "did you mean title?"},

		// @writes
		{"writes on query", `extend type Query { f: Post @▸writes(view: "Post") }`, "only fields of the mutation type write"},
		{"writes on type", `extend type Post { f: Post @▸writes(view: "Post") }`, "Post.f cannot have @writes"},
		{"writes unknown", `extend type Mutation { f: Post @writes(view: ▸"v_tags") }`, "did you mean v_tag?"},
		{"writes several views", `extend type Mutation { f: Post @writes(view: ▸"Hit") }`, "stands for several views"},
		{"writes static", `extend type Mutation { f: Post @writes(view: ▸"Country") }`, "static, so nothing may write it"},
		{"op unknown", `extend type Mutation { f: Post @writes(view: "Post", op: ▸"DELTE") }`, "CREATE, UPDATE, DELETE, UPSERT or ANY"},
		{"op lower case", `extend type Mutation { f: Post @writes(view: "Post", op: ▸"delete") }`, `there is no op "delete"`},
		{"op unquoted", `extend type Mutation { f: Post @writes(view: "Post", op: ▸DELETE) }`, `write "DELETE" in quotes`},
		{"op null", `extend type Mutation { f: Post @writes(view: "Post", ▸op: null) }`, "must not be null"},
		{"fields with other op", `extend type Mutation { f: Post @writes(view: "Post", fields: ▸["title"]) }`, `only for op "UPDATE"`},
		{"set with DELETE", `extend type Mutation { f: Post @writes(view: "Post", op: "DELETE", set: ▸["title = 'a'"]) }`, "no values after op DELETE"},
		{"where with CREATE", `extend type Mutation { f: Post @writes(view: "Post", op: "CREATE", where: ▸["title = 'a'"]) }`, "did not exist before op CREATE"},
		{"writes where empty", `extend type Mutation { f: Post @writes(view: "Post", where: ▸[]) }`, "where is an empty list"},
		{"set empty", `extend type Mutation { f: Post @writes(view: "Post", set: ▸[]) }`, "set is an empty list"},
		{"set twice", `extend type Mutation { f: Post @writes(view: "Post", set: ["title = 'a'", ▸"title = 'b'"]) }`, "set compares the column title twice"},
		{"writes parent", `extend type Mutation { f: Post @writes(view: "Post", row: ▸"parent.id") }`, "in @writes use args or result"},
		{"result of object", `extend type Mutation { f: Post @writes(view: "Post", row: ▸"result") }`, "ends at Post"},
		{"result through union", `extend type Mutation { f: Hit @writes(view: "Post", row: ▸"result.id") }`, "because it is a union"},
		{"result alone in a term", `extend type Mutation { f: ID @writes(view: "Post", set: [▸"id = result"]) }`, "result alone"},
		{"result unknown", `extend type Mutation { f: Post @writes(view: "Post", row: ▸"result.uid") }`, "did you mean id?"},
		{"fields unknown column", `extend type Mutation { f: Post @writes(view: "Post", op: "UPDATE", fields: [▸"titel"]) }`, "did you mean title?"},
		{"fields unknown argument", `extend type Mutation { f(in: PostInput): Post @writes(view: "Post", op: "UPDATE", fields: [▸"args.inn"]) }`, "did you mean in?"},
		{"fields at scalar", `extend type Mutation { f(title: String): Post @writes(view: "Post", op: "UPDATE", fields: [▸"args.title"]) }`, "ends at String"},
		{"fields syntax", `extend type Mutation { f: Post @writes(view: "Post", op: "UPDATE", fields: [▸"args."]) }`, "is no path"},

		// @cacheControl
		{"maxAge negative", `extend type Query { f: Post @cacheControl(maxAge: ▸-1) }`, "from 0 to 2147483647, not -1"},
		{"maxAge too large", `extend type Query { f: Post @cacheControl(maxAge: ▸99999999999999999999) }`, "from 0 to"},
		{"maxAge a string", `extend type Query { f: Post @cacheControl(maxAge: ▸"60") }`, "whole number of seconds"},
		{"maxAge a float", `extend type Post @cacheControl(maxAge: ▸1.5)`, "whole number of seconds"},
		{"scope a string", `extend union Hit @cacheControl(scope: ▸"PRIVATE")`, "without quotes"},
		{"scope unknown", `extend interface Node @cacheControl(scope: ▸SHARED)`, "must be PUBLIC or PRIVATE"},
		{"inherit a number", `extend type Query { f: Post @cacheControl(inheritMaxAge: ▸1) }`, "must be true or false"},
		{"sMaxAge negative", `extend type Query { f: Post @cacheControl(sMaxAge: ▸-1) }`, "from 0 to 2147483647, not -1"},
		{"sMaxAge of a private answer", `extend type Query { f: Post @▸cacheControl(sMaxAge: 1, scope: PRIVATE) }`, "have no private answers"},
		{"sMaxAge of what is not kept", `extend type Query { f: Post @▸cacheControl(sMaxAge: 1, maxAge: 0) }`, "nothing is kept"},
		{"sMaxAge and inherit", `extend type Query { f: Post @▸cacheControl(sMaxAge: 1, inheritMaxAge: true) }`, "leave one out"},
		{"staleWhileRevalidate a string", `extend type Query { f: Post @cacheControl(staleWhileRevalidate: ▸"1") }`, "whole number of seconds"},
		{"vary empty", `extend type Query { f: Post @▸cacheControl(vary: []) }`, "leave it out"},
		{"vary no header", `extend type Query { f: Post @cacheControl(vary: ["A", ▸"a b"]) }`, "must name header fields"},
		{"vary everything", `extend type Query { f: Post @cacheControl(vary: ▸"*") }`, "must name header fields"},
		{"vary by what headers do not have", `extend type Query { f: Post @cacheControl(vary: ["A", ▸"Host"]) }`, "belongs to Options.Vary"},
		{"vary no text", `extend type Query { f: Post @cacheControl(vary: [▸1]) }`, ""},
		{"maxAge and inherit", `extend type Query { f: Post @▸cacheControl(maxAge: 1, inheritMaxAge: true) }`, "leave one out"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			text, line, column := cutMark(t, row.schema)
			_, err := Compile(loadWith(t, SDL("")+CacheControlSDL(), faultBase, text), Options{})
			var faults Faults
			if !errors.As(err, &faults) || !errors.Is(err, ErrDirectives) {
				t.Fatalf("error %v is no Faults wrapping ErrDirectives", err)
			}
			if len(faults) != 1 {
				t.Fatalf("got %d faults, want 1:\n%v", len(faults), err)
			}
			f := faults[0]
			if f.File != "row.graphql" || f.Line != line || f.Column != column {
				t.Errorf("fault at %s:%d:%d, want row.graphql:%d:%d", f.File, f.Line, f.Column, line, column)
			}
			if !strings.Contains(f.Message, row.want) {
				t.Errorf("message %q does not contain %q", f.Message, row.want)
			}
		})
	}
}

func TestCompileReportsAllFaultsByPlace(t *testing.T) {
	t.Parallel()
	_, err := Compile(loadWith(t, SDL("")+CacheControlSDL(), faultBase, `type Zed @view(name: "z", key: "none") { id: ID! }
type Abc @view(name: "a", static: 1) { id: ID! }
extend type Query {
  one: Post @reads(view: "nope", where: []) @reads(view: "Post", where: ["x = 1", "status = 'y'"])
  two: Post @cacheControl(maxAge: -5)
}`), Options{})
	want := []string{
		`row.graphql:1:32: type Zed has no field none`,
		`row.graphql:2:35: static of @view must be true or false, not 1`,
		`row.graphql:4:26: there is no view or type "nope"`,
		`row.graphql:4:74: view "v_post" has no column x`,
		`row.graphql:4:83: enum Status of status has no value y`,
		`row.graphql:5:35: maxAge of @cacheControl must be`,
	}
	if err == nil {
		t.Fatal("no faults")
	}
	got := strings.Split(err.Error(), "\n")
	if len(got) != len(want) {
		t.Fatalf("got %d faults, want %d:\n%v", len(got), len(want), err)
	}
	for i := range want {
		if !strings.HasPrefix(got[i], want[i]) {
			t.Errorf("fault %d is\n%s\nwant\n%s", i, got[i], want[i])
		}
	}
}

func TestCompileForeignDeclarations(t *testing.T) {
	t.Parallel()
	rows := []struct{ name, declaration, want string }{
		{"argument", `directive @view(name: String!, role: String) on OBJECT`, "it has an argument role"},
		{"type", `directive @view(name: Int!) on OBJECT`, "its argument name is not String!"},
		{"nullable", `directive @view(name: String) on OBJECT`, "its argument name is not String!"},
		{"missing", `directive @view(key: String! = "id") on OBJECT`, "it has no argument name"},
		{"location", `directive @view(name: String!) on OBJECT | FIELD_DEFINITION`, "it is allowed on FIELD_DEFINITION"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			_, err := Compile(loadWith(t, row.declaration, "type Query { a: Int }", ""), Options{})
			if err == nil || !strings.Contains(err.Error(), row.want) || !strings.Contains(err.Error(), "sdl.graphql:1:") {
				t.Errorf("error %v, want one at sdl.graphql:1 with %q", err, row.want)
			}
		})
	}
}

func TestCompileOptionsFaults(t *testing.T) {
	t.Parallel()
	if _, err := Compile(nil, Options{}); !errors.Is(err, ErrDirectives) {
		t.Errorf("no schema: error %v", err)
	}
	schema := loadWith(t, "", "type Query { a: Int }", "")
	for _, prefix := range []string{"9x", "__x", "a.b", "a b", "a-"} {
		if _, err := Compile(schema, Options{Prefix: prefix}); err == nil || !strings.Contains(err.Error(), "Options.Prefix "+strconv.Quote(prefix)) {
			t.Errorf("prefix %q: error %v", prefix, err)
		}
	}
}

// TestCompileArgumentTwice: the oldest gqlparser loads a directive with an argument
// twice, others do not.
func TestCompileArgumentTwice(t *testing.T) {
	t.Parallel()
	schema := loadWith(t, SDL("")+CacheControlSDL(), faultBase, `type T @view(name: "a") { id: ID! }`)
	view := schema.Types["T"].Directives.ForName("view")
	view.Arguments = append(view.Arguments, view.Arguments[0])
	if _, err := Compile(schema, Options{}); !errors.Is(err, ErrDirectives) || !strings.Contains(err.Error(), "gives name twice") {
		t.Errorf("error %v", err)
	}
}

// loadWith loads declarations, a base and a row as files of their own.
func loadWith(t testing.TB, sdl, base, row string) *ast.Schema {
	t.Helper()
	schema, err := gqlparser.LoadSchema(
		&ast.Source{Name: "sdl.graphql", Input: sdl},
		&ast.Source{Name: "base.graphql", Input: base},
		&ast.Source{Name: "row.graphql", Input: row},
	)
	if err != nil {
		t.Fatalf("load: %v", err)
	}
	return schema
}

// cutMark takes the mark out of a text and returns its line and column, counted in
// characters from 1.
func cutMark(t testing.TB, text string) (clean string, line, column int) {
	t.Helper()
	before, after, found := strings.Cut(text, faultAt)
	if !found {
		t.Fatal("the row marks no place")
	}
	line = strings.Count(before, "\n") + 1
	column = len([]rune(before[strings.LastIndexByte(before, '\n')+1:])) + 1
	return before + after, line, column
}
