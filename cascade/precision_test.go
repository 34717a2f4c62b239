package cascade_test

import (
	"strings"
	"testing"

	"github.com/cascadeql/cascadeql/cascade"
)

const pageSchema = `
enum Status { DRAFT PUBLISHED }
union Hit = Post | User
type User @view(name: "v_user") { id: ID! name: String }
type Post @view(name: "v_post") {
  id: ID! title: String body: String status: Status
  comments(limit: Int = 2): [Comment!]! @reads(view: "Comment", where: ["post.id = parent.id"], using: [], limit: "args.limit", appends: true)
}
type Comment @view(name: "v_comment") @dependsOn(on: "Post", key: "id", using: []) {
  id: ID! body: String post: Post @reads(view: "Post", row: "parent.post.id")
}
type Stats @view(name: "v_stats", key: "postId") @dependsOn(on: "Comment", key: "post.id", using: []) { postId: ID! n: Int }
type Query {
  feed(limit: Int = 2, offset: Int): [Post!]!
    @reads(view: "Post", where: ["status = 'PUBLISHED'"], using: [], limit: "args.limit", offset: "args.offset")
  ranked(limit: Int = 2): [Post!]! @reads(view: "Post", where: ["status = 'PUBLISHED'"], using: ["body"], limit: "args.limit")
  plain(limit: Int): [Post!]! @reads(view: "Post", where: ["status = 'PUBLISHED'"], using: [])
  search(term: String, limit: Int = 2): [Hit!]!
    @reads(view: "Post", where: ["title contains args.term"], using: [], limit: "args.limit")
    @reads(view: "User", where: ["name contains args.term"], using: [])
  drafts(term: String!): [Post!]! @reads(view: "Post", where: ["status = 'DRAFT'", "title contains args.term"], using: [])
  any(terms: [String!]): [Post!]! @reads(view: "Post", where: ["title contains args.terms"], using: [])
  stats(postId: ID!): Stats @reads(view: "Stats", row: "args.postId")
  comment(id: ID!): Comment @reads(view: "Comment", row: "args.id")
}
input In { title: String status: Status body: String }
type Mutation {
  create(title: String, status: Status): Boolean @writes(view: "Post", op: "CREATE", set: ["title = args.title", "status = args.status"])
  createMany(in: [In!]): Boolean @writes(view: "Post", op: "CREATE", set: ["title = args.in.title", "status = args.in.status"])
  update(id: ID!, in: In!): Boolean @writes(view: "Post", op: "UPDATE", row: "args.id", fields: ["args.in"])
  updateMany(ids: [ID!]!, in: In!): Boolean @writes(view: "Post", op: "UPDATE", row: "args.ids", fields: ["args.in"])
  updateAll(in: In!): Boolean @writes(view: "Post", op: "UPDATE", fields: ["args.in"])
  delete(id: ID!): Boolean
    @writes(view: "Post", op: "DELETE", row: "args.id")
    @writes(view: "Comment", op: "DELETE", where: ["post.id = args.id"])
  clear: Boolean @writes(view: "Comment", op: "DELETE")
  addComment(postId: ID!): Comment @writes(view: "Comment", op: "CREATE", row: "result.id", set: ["post.id = args.postId"])
  rename(id: ID!): Boolean @writes(view: "User", op: "UPDATE", row: "args.id", fields: ["name"])
}`

func (r rule) on(schema string) rule {
	r.schema = schema
	return r
}

// A search depends on the rows that contain its term, before or after a change.
func TestContains(t *testing.T) {
	t.Parallel()
	search := func(name, term, mutation string, falls bool, reports ...cascade.Report) rule {
		return rule{
			name: name, schema: pageSchema, query: `query($t: String) {search(term: $t) {... on Post {title}}}`[len("query"):],
			vars: `{"t": ` + term + `}`, data: `{"search":[]}`, mutation: mutation, reports: reports, falls: falls,
		}
	}
	title := func(before, after any) cascade.Report { return moved("v_post", "1", "title", before, after) }
	long := strings.Repeat("long title ", 30)
	rules := []rule{
		search("created with the term", `"green"`, `{create(title: "a Green apple")}`, true),
		search("created with the term in the other case", `"green"`, `{create(title: "a GREEN apple")}`, true),
		search("created without it", `"green"`, `{create(title: "a red apple")}`, false),
		search("created with a short term", `"gre"`, `{create(title: "Agrees")}`, true),
		search("created without a short term", `"gre"`, `{create(title: "great", status: null)}`, true),
		search("created with an unknown title", `"green"`, `{create}`, true),
		search("created with a null title", `"green"`, `{create(title: null)}`, true),
		search("one of many created has an unknown title", `"green"`, `{createMany(in: [{title: "a"}, {}])}`, true),
		search("many created without it", `"green"`, `{createMany(in: [{title: "red"}, {title: "blue"}])}`, false),
		search("many created, one with it", `"green"`, `{createMany(in: [{title: "red"}, {title: "green"}])}`, true),
		search("term too short for grams", `"gr"`, `{create(title: "a Green apple")}`, true),
		search("term too short for grams, not contained", `"zz"`, `{create(title: "a Green apple")}`, true),
		search("no term", `null`, `{create(title: "a Green apple")}`, true),
		search("old title not known", `"green"`, `{update(id: 1, in: {title: "red"})}`, true),
		search("neither title has it", `"green"`, `{update(id: 1, in: {title: "red"})}`, false, title("blue", "red")),
		search("old title has it", `"green"`, `{update(id: 1, in: {title: "red"})}`, true, title("so green", "red")),
		search("new title has it", `"green"`, `{update(id: 1, in: {title: "greenish"})}`, true, title("blue", "greenish")),
		search("both titles have it", `"green"`, `{update(id: 1, in: {title: "greenish"})}`, true, title("so green", "greenish")),
		search("another column", `"green"`, `{update(id: 1, in: {body: "green"})}`, false),
		search("title reported null", `"green"`, `{update(id: 1, in: {title: "x"})}`, false, title(nil, "x")),
		search("beyond ASCII, other case", `"GRÜN"`, `{create(title: "so grün")}`, true),
		search("Kelvin sign", `"\u212aelvin"`, `{create(title: "300 kelvin")}`, true),
		search("long s", `"e\u017fcape"`, `{create(title: "ESCAPE")}`, true),
		search("control character in the term", `"abc\u0000"`, `{create(title: "xyz")}`, true),
		search("term is a UUID in braces", `"{f47ac10b-58cc-4372-a567-0e02b2c3d479}"`, `{create(title: "see {f47ac10b-58cc-4372-a567-0e02b2c3d479}")}`, true),
		search("title is a UUID, term a part of it", `"urn:uuid"`, `{create(title: "urn:uuid:f47ac10b-58cc-4372-a567-0e02b2c3d479")}`, true),
		search("long title", `"green"`, `{create(title: "`+long+`")}`, true),
		search("another view", `"green"`, `{rename(id: 1)}`, true),
		{
			name: "shown row loses the term", query: `{search(term: "green") {... on Post {id}}}`, data: `{"search":[{"__typename":"Post","id":"1"}]}`,
			mutation: `{update(id: 1, in: {title: "red"})}`, reports: []cascade.Report{title("green", "red")}, falls: true,
		},
		{
			name: "two terms, both met", query: `{drafts(term: "green") {id}}`, data: `{"drafts":[]}`, mutation: `{create(title: "green", status: DRAFT)}`, falls: true,
		},
		{
			name: "two terms, one met", query: `{drafts(term: "green") {id}}`, data: `{"drafts":[]}`, mutation: `{create(title: "green", status: PUBLISHED)}`,
		},
		{
			name: "two terms, the other met", query: `{drafts(term: "green") {id}}`, data: `{"drafts":[]}`, mutation: `{create(title: "red", status: DRAFT)}`,
		},
		{
			name: "two terms, one unknown", query: `{drafts(term: "green") {id}}`, data: `{"drafts":[]}`, mutation: `{create(title: "green")}`, falls: true,
		},
		{
			name: "two terms, one unknown and the other not met", query: `{drafts(term: "green") {id}}`, data: `{"drafts":[]}`, mutation: `{create(title: "red")}`,
		},
		{
			name: "any of several terms", query: `{any(terms: ["green", "blue"]) {id}}`, data: `{"any":[]}`, mutation: `{create(title: "so blue")}`, falls: true,
		},
		{
			name: "none of several terms", query: `{any(terms: ["green", "blue"]) {id}}`, data: `{"any":[]}`, mutation: `{create(title: "so red")}`,
		},
	}
	for i := range rules {
		rules[i].schema = pageSchema
	}
	runRules(t, rules)
}

// A list of the first rows does not depend on rows that it does not show and that leave,
// nor on rows that are created after its last one.
func TestFirstRows(t *testing.T) {
	t.Parallel()
	const two = `[{"id":"1","status":"PUBLISHED"},{"id":"2","status":"PUBLISHED"}]`
	status := func(key, before, after string) []cascade.Report {
		return []cascade.Report{moved("v_post", key, "status", before, after)}
	}
	leaves := func(key string) rule {
		return rule{mutation: `{update(id: ` + key + `, in: {status: DRAFT})}`, reports: status(key, "PUBLISHED", "DRAFT")}
	}
	list := func(name, query string, r rule, falls bool) rule {
		r.name, r.query, r.falls = name, query, falls
		for _, field := range []string{"feed", "plain", "ranked"} {
			if strings.Contains(query, field) {
				r.data = `{"` + field + `":` + two + `}`
			}
		}
		return r.on(pageSchema)
	}
	comments := func(name, data, mutation string, falls bool) rule {
		return rule{
			name: name, query: `{feed {comments {body}}}`, data: `{"feed":[{"id":"1","comments":` + data + `}]}`,
			mutation: mutation, result: `{"addComment":{"id":"9"}}`, falls: falls,
		}.on(pageSchema)
	}
	const full, half = `[{"id":"5"},{"id":"6"}]`, `[{"id":"5"}]`
	runRules(t, []rule{
		list("a row that is not shown leaves", `{feed {title}}`, leaves("3"), false),
		list("a row that is shown leaves", `{feed {title}}`, leaves("1"), true),
		list("a row leaves, of which it is not known whether it was there", `{feed {title}}`, rule{mutation: `{update(id: 3, in: {status: DRAFT})}`}, true),
		list("a row that is not shown leaves a later page", `{feed(offset: 2) {title}}`, leaves("3"), true),
		list("a row that is not shown leaves the first page", `{feed(offset: 0) {title}}`, leaves("3"), false),
		list("a row enters", `{feed {title}}`, rule{mutation: `{update(id: 3, in: {status: PUBLISHED})}`, reports: status("3", "DRAFT", "PUBLISHED")}, true),
		list("a row is deleted that is not shown", `{feed {title}}`, rule{mutation: `{delete(id: 3)}`}, false),
		list("a row is deleted that is shown", `{feed {title}}`, rule{mutation: `{delete(id: 2)}`}, true),
		list("a row is created", `{feed {title}}`, rule{mutation: `{create(status: PUBLISHED)}`}, true),
		list("rows leave that are not known", `{feed {title}}`, rule{mutation: `{updateAll(in: {status: DRAFT})}`}, true),
		list("no limit is declared", `{plain {title}}`, leaves("3"), true),
		list("the order changes", `{ranked {title}}`, rule{mutation: `{update(id: 3, in: {body: "x"})}`}, true),
		list("a row leaves and its place in the order too", `{ranked {title}}`, rule{
			mutation: `{update(id: 3, in: {status: DRAFT, body: "x"})}`, reports: status("3", "PUBLISHED", "DRAFT"),
		}, false),
		list("a shown row leaves and its place in the order too", `{ranked {title}}`, rule{
			mutation: `{update(id: 2, in: {status: DRAFT, body: "x"})}`, reports: status("2", "PUBLISHED", "DRAFT"),
		}, true),
		comments("a row is added after a full list", full, `{addComment(postId: 1) {id}}`, false),
		comments("a row is added to a list that is not full", half, `{addComment(postId: 1) {id}}`, true),
		comments("a row is added to an empty list", `[]`, `{addComment(postId: 1) {id}}`, true),
		comments("a row is deleted from a full list", full, `{clear}`, true),
		rule{
			name: "one of two lists is full", query: `{feed {comments {body}}}`,
			data:     `{"feed":[{"id":"1","comments":` + full + `},{"id":"2","comments":` + half + `}]}`,
			mutation: `{addComment(postId: 2) {id}}`, result: `{"addComment":{"id":"9"}}`, falls: true,
		}.on(pageSchema),
	})
}

// Reports about all rows of a write narrow the writes of the field that makes them.
func TestReportsOfAllRows(t *testing.T) {
	t.Parallel()
	p := mustFixture(t, pageSchema).plan
	rows := func(view string, keys ...any) cascade.Report {
		t.Helper()
		ids := make([]cascade.Value, len(keys))
		for i, k := range keys {
			ids[i] = cascade.ValueOf(k)
		}
		r, ok := p.NewRowsReport(view, ids)
		if !ok {
			t.Fatalf("no report of %v in %s", keys, view)
		}
		return r
	}
	all := func(view, column string, before, after any) cascade.Report {
		t.Helper()
		r, ok := p.NewMovedAllReport(view, column, cascade.ValueOf(before), cascade.ValueOf(after))
		if !ok {
			t.Fatalf("no report of %s.%s", view, column)
		}
		return r
	}
	const comment5, post1, stats1 = `{comment(id: 5) {body}}`, `{feed {title}}`, `{stats(postId: 1) {n}}`
	one := func(name, query, mutation string, falls bool, reports ...cascade.Report) rule {
		return rule{
			name: name, query: query, mutation: mutation, reports: reports, falls: falls,
			data: `{"comment":{"id":"5"},"feed":[{"id":"1"}],"stats":{"postId":"1"}}`,
		}.on(pageSchema)
	}
	runRules(t, []rule{
		one("some row, not reported", comment5, `{clear}`, true),
		one("some row, this one", comment5, `{clear}`, true, rows("v_comment", "4", 5)),
		one("some row, others", comment5, `{clear}`, false, rows("v_comment", 4, 6)),
		one("some row, none", comment5, `{clear}`, false, rows("Comment")),
		one("some row, reported in two parts", comment5, `{clear}`, true, rows("v_comment", 4), rows("v_comment", 5)),
		one("of another view", comment5, `{clear}`, true, rows("v_post", 4)),
		one("by another field", comment5, `{a: clear b: clear}`, true, by("a", rows("v_comment", 4))),
		one("by each field", comment5, `{a: clear b: clear}`, false, by("a", rows("v_comment", 4)), by("b", rows("v_comment"))),
		one("by an unknown one of two fields", comment5, `{a: clear b: clear}`, true, rows("v_comment", 4)),
		one("named rows, this one left out", post1, `{updateMany(ids: [1, 2], in: {title: "x"})}`, false, rows("v_post", 2)),
		one("named rows, this one", post1, `{updateMany(ids: [1, 2], in: {title: "x"})}`, true, rows("v_post", 1)),
		one("derived from unknown rows", stats1, `{clear}`, true),
		one("derived from unknown rows, value known", stats1, `{clear}`, false, all("v_comment", "post.id", 2, nil)),
		one("derived from unknown rows, this value", stats1, `{clear}`, true, all("v_comment", "post.id", 1, nil)),
		one("derived from unknown rows, two values", stats1, `{clear}`, true, all("v_comment", "post.id", 2, nil), all("v_comment", "post.id", 1, nil)),
		one("all rows of an update did not move", post1, `{updateAll(in: {status: DRAFT})}`, false, all("v_post", "status", "DRAFT", "DRAFT")),
	})
	if _, ok := p.NewRowsReport("v_nothing", nil); ok {
		t.Error("rows of an unknown view are known")
	}
	if _, ok := p.NewRowsReport("v_post", []cascade.Value{cascade.Null}); ok {
		t.Error("null is a key")
	}
	if _, ok := p.NewMovedAllReport("v_post", "nothing", cascade.Null, cascade.Null); ok {
		t.Error("an unknown column is known")
	}
}

func TestFaultsOfSearchesAndPages(t *testing.T) {
	t.Parallel()
	const schema = `enum Status { DRAFT }
type Post @view(name: "v_post") { id: ID! title: String status: Status }
type Page { items: [Post!]! }
input In { title: String }
type Query {
  a(term: String, limit: Int, text: String): %s @reads(view: "Post", %s)
}
type Mutation { m(title: String): Post @writes(view: "Post", op: "UPDATE", %s) }`
	for _, row := range []struct{ name, returns, reads, writes, want string }{
		{"contains in a write", "[Post]", `using: []`, `where: ["title contains args.title"]`, "contains is for reads"},
		{"contains in an enum", "[Post]", `where: ["status contains args.term"]`, `row: "args.title"`, "compared with = only"},
		{"contains null", "[Post]", `where: ["title contains null"]`, `row: "args.title"`, "nothing contains null"},
		{"contains nothing", "[Post]", `where: ["title contains"]`, `row: "args.title"`, "no = after title"},
		{"limit of a page", "Page", `limit: "args.limit"`, `row: "args.title"`, "fields that return a list of rows"},
		{"limit of one row", "Post", `row: "args.term", limit: "args.limit"`, `row: "args.title"`, "leave it out"},
		{"limit that is no number", "[Post]", `limit: "args.text"`, `row: "args.title"`, "name an Int"},
		{"limit that is no argument", "[Post]", `limit: "5"`, `row: "args.title"`, "is no path"},
		{"offset without limit", "[Post]", `offset: "args.limit"`, `row: "args.title"`, "offset needs limit"},
		{"appends without limit", "[Post]", `appends: true`, `row: "args.title"`, "appends needs limit"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			text := strings.NewReplacer("%s @reads", row.returns+" @reads", `"Post", %s)
}`, `"Post", `+row.reads+`)
}`, `"UPDATE", %s`, `"UPDATE", `+row.writes).Replace(schema)
			_, err := newFixture(text)
			if err == nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("error %v, want one with %q", err, row.want)
			}
		})
	}
}
