package cascade_test

import (
	"strings"
	"testing"

	"github.com/cascadeql/cascadeql/cascade"
)

const cornerSchema = `
extend schema @view(name: "v_post_tag", columns: ["post_id", "tag_id"])
schema { query: Query mutation: Mutation }
enum Status { DRAFT PUBLISHED ARCHIVED }
union Hit = Post | User
type User @view(name: "v_user") { id: ID! name: String }
type Tag @view(name: "v_tag") { id: ID! name: String }
type Post @view(name: "v_post", columns: ["tenant_id"]) {
  id: ID! title: String body: String status: Status rank: Int year: Int
  tags(limit: Int = 2): [Tag!]!
    @reads(view: "v_post_tag", where: ["post_id = parent.id"], using: ["tag_id"], limit: "args.limit", appends: true)
  top(limit: Int = 2): [Post!]! @reads(view: "Post", where: ["status = 'PUBLISHED'"], using: ["rank"], limit: "args.limit")
}
type Query {
  feed(status: Status = PUBLISHED, limit: Int = 2, offset: Int): [Post]!
    @reads(view: "Post", where: ["status"], using: ["rank"], limit: "args.limit", offset: "args.offset")
  log(limit: Int = 2): [Post]! @reads(view: "Post", using: [], limit: "args.limit", appends: true)
  of(statuses: [Status!], limit: Int = 2): [Post!]! @reads(view: "Post", where: ["status = args.statuses"], using: [], limit: "args.limit")
  hits(limit: Int = 2): [Hit!]!
    @reads(view: "Post", using: [], limit: "args.limit", appends: true)
    @reads(view: "User", using: [], limit: "args.limit", appends: true)
  find(term: String): [Post!]! @reads(view: "Post", where: ["title contains args.term"], using: [])
  findAny(terms: [String]): [Post!]! @reads(view: "Post", where: ["title contains args.terms"], using: [])
  findBoth(title: String, body: String): [Post!]! @reads(view: "Post", where: ["title contains args.title", "body contains args.body"], using: [])
  findIn(term: String, year: Int): [Post!]! @reads(view: "Post", where: ["title contains args.term", "year"], using: [])
}
input In { title: String body: String status: Status rank: Int }
type Mutation {
  create(title: String, body: String, year: Int): Boolean
    @writes(view: "Post", op: "CREATE", set: ["title = args.title", "body = args.body", "year = args.year"])
  createUser: Boolean @writes(view: "User", op: "CREATE")
  update(id: ID!, in: In!): Boolean @writes(view: "Post", op: "UPDATE", row: "args.id", fields: ["args.in"])
  status(id: ID!): Boolean @writes(view: "Post", op: "UPDATE", row: "args.id", fields: ["status"])
  move(id: ID!, from: Status, to: Status): Boolean
    @writes(view: "Post", op: "UPDATE", row: "args.id", where: ["status = args.from"], set: ["status = args.to"], fields: ["rank"])
  hide(id: ID!): Boolean @writes(view: "Post", op: "UPDATE", row: "args.id", fields: ["tenant_id"])
  upsert(id: ID!): Boolean @writes(view: "Post", op: "UPSERT", row: "args.id")
  any(id: ID!): Boolean @writes(view: "Post", row: "args.id")
  delete(id: ID!): Boolean @writes(view: "Post", op: "DELETE", row: "args.id")
  deleteDrafts: Boolean @writes(view: "Post", op: "DELETE", where: ["status = 'DRAFT'"])
  deletePublished: Boolean @writes(view: "Post", op: "DELETE", where: ["status = 'PUBLISHED'"])
  tag(post: ID!, tag: ID!): Boolean @writes(view: "v_post_tag", op: "CREATE", set: ["post_id = args.post", "tag_id = args.tag"])
  untag(post: ID!, tag: ID!): Boolean @writes(view: "v_post_tag", op: "DELETE", where: ["post_id = args.post", "tag_id = args.tag"])
  nameUser(id: ID!): Boolean @writes(view: "User", op: "UPDATE", row: "args.id", fields: ["name"])
  nameTag(id: ID!): Boolean @writes(view: "Tag", op: "UPDATE", row: "args.id", fields: ["name"])
}`

// What happens to rows that a list does not show matters unless the list is known to be
// full.
func TestFirstRowsCorners(t *testing.T) {
	t.Parallel()
	const (
		two, one  = `[{"id":"1"},{"id":"2"}]`, `[{"id":"1"}]`
		published = `{move(id: 3, from: PUBLISHED, to: DRAFT)}`
	)
	list := func(name, query, rows, mutation string, falls bool) rule {
		field, _, _ := strings.Cut(strings.TrimLeft(query, "{"), "(")
		field, _, _ = strings.Cut(field, " ")
		return rule{name: name, query: query, data: `{"` + field + `":` + rows + `}`, mutation: mutation, falls: falls}.on(cornerSchema)
	}
	reported := func(r rule, reports ...cascade.Report) rule { r.reports = reports; return r }
	status := func(before, after string) cascade.Report { return moved("v_post", "3", "status", before, after) }
	runRules(t, []rule{
		list("full, a row leaves", `{feed {title}}`, two, published, false),
		list("not full, a row leaves", `{feed {title}}`, one, published, true),
		list("not full, another set's row leaves", `{feed {title}}`, one, `{move(id: 3, from: ARCHIVED, to: DRAFT)}`, false),
		list("empty, a row leaves", `{feed {title}}`, `[]`, published, true),
		list("full with a null in place of a row, a row leaves", `{feed {title}}`, `[{"id":"1"},null]`, published, true),
		list("more rows than the limit, a row leaves", `{feed(limit: 1) {title}}`, two, published, true),
		list("limit null, a row leaves", `{feed(limit: null) {title}}`, two, published, true),
		list("offset 0", `{feed(offset: 0) {title}}`, two, published, false),
		list("offset null", `{feed(offset: null) {title}}`, two, published, false),
		list("offset", `{feed(offset: 1) {title}}`, two, published, true),
		list("offset before the first", `{feed(offset: -1) {title}}`, two, published, true),
		list("a row leaves and its place in the order", `{feed {title}}`, two, published, false),
		list("a shown row leaves", `{feed {title}}`, two, `{move(id: 2, from: PUBLISHED, to: DRAFT)}`, true),
		list("a shown row leaves, element fields skipped", `{feed {title @skip(if: true)}}`, two, `{move(id: 2, from: PUBLISHED, to: DRAFT)}`, true),
		list("a row leaves, element fields skipped", `{feed {title @skip(if: true)}}`, two, published, false),
		list("a row enters, whose place in the order changes", `{feed(status: DRAFT) {title}}`, two, published, true),
		list("a row moves between other sets", `{feed(status: ARCHIVED) {title}}`, two, published, false),
		list("the order changes", `{feed {title}}`, two, `{update(id: 3, in: {rank: 1})}`, true),
		list("the order of another set changes", `{feed(status: DRAFT) {title}}`, two, `{move(id: 3, from: PUBLISHED, to: PUBLISHED)}`, false),
		list("a row stays and its place in the order changes", `{feed {title}}`, two, `{move(id: 3, from: PUBLISHED, to: PUBLISHED)}`, true),
		list("a column of no interest", `{feed {title}}`, two, `{update(id: 3, in: {body: "x"})}`, false),
		list("the old set is not known", `{feed {title}}`, two, `{move(id: 3, to: DRAFT)}`, true),
		list("upsert", `{feed {title}}`, two, `{upsert(id: 3)}`, true),
		list("any change", `{feed {title}}`, two, `{any(id: 3)}`, true),
		list("deleted", `{feed {title}}`, two, `{delete(id: 3)}`, false),
		list("deleted, not full", `{feed {title}}`, one, `{delete(id: 3)}`, true),
		list("deleted before the first", `{feed(offset: 1) {title}}`, two, `{delete(id: 3)}`, true),
		list("unknown rows deleted", `{feed {title}}`, two, `{deletePublished}`, true),
		list("unknown rows deleted, all sets", `{feed(status: null) {title}}`, two, `{deletePublished}`, true),
		reported(list("left and entered again", `{feed {title}}`, two, `{a: status(id: 3) b: status(id: 3)}`, true),
			by("a", status("PUBLISHED", "DRAFT")), by("b", status("DRAFT", "PUBLISHED"))),
		reported(list("left and entered again in one field", `{feed {title}}`, two, `{status(id: 3)}`, true),
			status("PUBLISHED", "DRAFT"), status("DRAFT", "PUBLISHED")),
		reported(list("left by two steps", `{feed {title}}`, two, `{a: status(id: 3) b: status(id: 3)}`, false),
			by("a", status("PUBLISHED", "DRAFT")), by("b", status("DRAFT", "ARCHIVED"))),
		list("deleted and created", `{feed {title}}`, two, `{delete(id: 3) create}`, true),

		list("any of the old set", `{of(statuses: [PUBLISHED]) {title}}`, two, published, false),
		list("any of the new set", `{of(statuses: [DRAFT, ARCHIVED]) {title}}`, two, published, true),
		list("any of both sets", `{of(statuses: [DRAFT, PUBLISHED]) {title}}`, two, published, true),
		list("any of none", `{of(statuses: []) {title}}`, `[]`, published, false),

		list("full, a row is appended", `{log {title}}`, two, `{create}`, false),
		list("not full, a row is appended", `{log {title}}`, one, `{create}`, true),
		list("limit 0, a row is appended", `{log(limit: 0) {title}}`, `[]`, `{create}`, true),
		list("limit below 0, a row is appended", `{log(limit: -1) {title}}`, two, `{create}`, true),
		list("limit null, a row is appended", `{log(limit: null) {title}}`, two, `{create}`, true),
		list("full with a null in place of a row, a row is appended", `{log {title}}`, `[{"id":"1"},null]`, `{create}`, true),
		list("full, a row is upserted", `{log {title}}`, two, `{upsert(id: 3)}`, true),
		list("full, a row is created that is not appended", `{feed {title}}`, two, `{create}`, true),

		list("full of users, a user is appended", `{hits {__typename}}`, `[{"__typename":"User","id":"1"},{"__typename":"User","id":"2"}]`, `{createUser}`, false),
		list("full of posts, a user is appended", `{hits {__typename}}`, `[{"__typename":"Post","id":"1"},{"__typename":"Post","id":"2"}]`, `{createUser}`, true),
		list("full of both, a user is appended", `{hits {__typename}}`, `[{"__typename":"User","id":"1"},{"__typename":"Post","id":"1"}]`, `{createUser}`, true),
		list("full of users, a post is deleted", `{hits {... on User {name}}}`, `[{"__typename":"User","id":"1"},{"__typename":"User","id":"2"}]`, `{delete(id: 1)}`, true),
		list("full of posts, one of them is deleted", `{hits {... on User {name}}}`, `[{"__typename":"Post","id":"1"},{"__typename":"Post","id":"2"}]`, `{delete(id: 1)}`, true),
		list("full of posts, another is deleted", `{hits {... on User {name}}}`, `[{"__typename":"Post","id":"1"},{"__typename":"Post","id":"2"}]`, `{delete(id: 3)}`, false),

		list("rows of a relation are not those shown: one goes", `{feed {tags {name}}}`, `[{"id":"1","tags":[{"id":"5"},{"id":"6"}]}]`, `{untag(post: 1, tag: 5)}`, true),
		list("rows of a relation are not those shown: one comes", `{feed {tags {name}}}`, `[{"id":"1","tags":[{"id":"5"},{"id":"6"}]}]`, `{tag(post: 1, tag: 4)}`, true),
		list("a list that every parent has", `{log {top {title}}}`, `[{"id":"1","top":`+two+`},{"id":"2","top":`+one+`}]`, published, true),
		rule{
			name: "two lists of one set, one full", query: `{a: log(limit: 2) {title} b: log(limit: 3) {title}}`, data: `{"log":` + two + `}`,
			mutation: `{create}`, falls: true,
		}.on(cornerSchema),
		rule{
			name: "two lists of one set, both full", query: `{a: log(limit: 2) {title} b: log(limit: 2) {body}}`, data: `{"log":` + two + `}`,
			mutation: `{create}`,
		}.on(cornerSchema),
		rule{
			name: "predicate compares a hidden column", query: `{feed {title}}`, data: `{"feed":` + two + `}`, predicate: []string{"Post.tenant_id"},
			mutation: `{hide(id: 3)}`, falls: true,
		}.on(cornerSchema),
		rule{
			name: "predicate compares the column of the set", query: `{feed {title}}`, data: `{"feed":` + two + `}`, predicate: []string{"Post.status"},
			mutation: published, falls: true,
		}.on(cornerSchema),
		rule{
			name: "no predicate, hidden column", query: `{feed {title}}`, data: `{"feed":` + two + `}`, mutation: `{hide(id: 3)}`,
		}.on(cornerSchema),
	})
}

// A search falls with all that some server finds, be it one that trims the term or knows
// letters better.
func TestContainsCorners(t *testing.T) {
	t.Parallel()
	find := func(name, term, title string, falls bool) rule {
		return rule{
			name: name, query: `($t: String) {find(term: $t) {id}}`, vars: `{"t":` + term + `}`, data: `{"find":[]}`,
			mutation: `($t: String) {create(title: $t)}`, mvars: `{"t":` + title + `}`, falls: falls,
		}.on(cornerSchema)
	}
	other := func(name, query, mutation string, falls bool) rule {
		return rule{name: name, query: query, data: `{"findAny":[],"findBoth":[],"findIn":[]}`, mutation: mutation, falls: falls}.on(cornerSchema)
	}
	long := strings.Repeat("abcdefghij ", 9)
	runRules(t, []rule{
		find("space around the term", `" green "`, `"greenish"`, true),
		find("space around the term, not found", `" green "`, `"greed"`, false),
		find("space in the term", `"green p"`, `"green apple"`, false),
		find("LIKE: any text", `"gre%ple"`, `"green apple"`, true),
		find("LIKE: any letter", `"ap_le"`, `"apple"`, true),
		find("LIKE: quoted", `"50\\%off"`, `"50%off"`, true),
		find("LIKE: a piece not contained", `"gre%plum"`, `"green apple"`, false),
		find("LIKE: short pieces", `"a%p"`, `"xyz"`, true),
		find("sharp s, term", `"stra\u00dfe"`, `"STRASSE"`, true),
		find("sharp s, title", `"strasse"`, `"Stra\u00dfe"`, true),
		find("dotted capital I, term", `"\u0130stanbul"`, `"istanbul"`, true),
		find("dotted capital I, title", `"ist"`, `"\u0130stanbul"`, true),
		find("dotless i, term", `"d\u0131\u015f"`, `"DIŞ"`, true),
		find("dotless i, title", `"dis"`, `"d\u0131s"`, true),
		find("ligature", `"file"`, `"\ufb01le"`, true),
		find("final sigma", `"\u03bf\u03b4\u03bf\u03c2"`, `"ΟΔΟΣ"`, true),
		find("beyond the basic plane", `"x\ud83d\ude00y"`, `"AX😀YB"`, true),
		find("beyond the basic plane, another", `"x\ud83d\ude00y"`, `"AX😁YB"`, true),
		find("beyond the basic plane, other case", `"\ud801\udc28\ud801\udc29\ud801\udc2a"`, `"𐐀𐐁𐐂"`, true),
		find("accent in the title", `"munchen"`, `"M\u00fcnchen"`, true),
		find("accent in the term", `"M\u00dcNCHEN"`, `"munchen"`, true),
		find("full width", `"\uff47\uff52\uff45\uff45\uff4e"`, `"green"`, true),
		find("combining accent", `"cafe"`, `"caf\u0065\u0301"`, true),
		find("lone surrogate", `"ab\ud83d"`, `"ab\ud83d"`, true),
		find("NUL in the title", `"green"`, `"x\u0000green"`, true),
		find("empty term", `""`, `"green"`, true),
		find("only space", `"   "`, `"green"`, true),
		find("UUID without hyphens", `"f47ac10b58cc4372a5670e02b2c3d479"`, `"f47ac10b58cc4372a5670e02b2c3d479"`, true),
		find("part of a UUID", `"f47ac10b"`, `"F47AC10B-58CC-4372-A567-0E02B2C3D479"`, true),
		find("number", `"300"`, `"1300 kelvin"`, true),
		find("title as long as may be cut", `"green"`, `"`+strings.Repeat("x", 251)+`green"`, true),
		find("title as long as may be cut, not found", `"green"`, `"`+strings.Repeat("x", 256)+`"`, false),
		find("title too long to be cut", `"green"`, `"`+strings.Repeat("x", 257)+`"`, true),
		other("null among the terms", `{findAny(terms: ["green", null]) {id}}`, `{create(title: "red")}`, true),
		other("no terms, which may be no filter", `{findAny(terms: []) {id}}`, `{create(title: "red")}`, true),
		other("two columns, both", `{findBoth(title: "green", body: "apple") {id}}`, `{create(title: "greens", body: "apples")}`, true),
		other("two columns, first", `{findBoth(title: "green", body: "apple") {id}}`, `{create(title: "greens", body: "pears")}`, false),
		other("two columns, second", `{findBoth(title: "green", body: "apple") {id}}`, `{create(title: "reds", body: "apples")}`, false),
		other("two columns, one null", `{findBoth(title: "green") {id}}`, `{create(title: "greens", body: "pears")}`, true),
		other("two columns, one null, the other not met", `{findBoth(body: "apple") {id}}`, `{create(title: "greens", body: "pears")}`, false),
		other("two columns, more grams than may be combined", `{findBoth(title: "abcdef", body: "fghij") {id}}`, `{create(title: "`+long+`", body: "`+long+`")}`, true),
		other("compared too, both met", `{findIn(term: "defghij", year: 1999) {id}}`, `{create(title: "`+long+`", year: 1999)}`, true),
		other("compared too, not met", `{findIn(term: "defghij", year: 1999) {id}}`, `{create(title: "`+long+`", year: 2000)}`, false),
		other("compared only", `{findIn(year: 1999) {id}}`, `{create(title: "`+long+`", year: 1999)}`, true),
	})
}

// A report must not be taken for more than it says.
func TestReportCorners(t *testing.T) {
	t.Parallel()
	f := mustFixture(t, pageSchema)
	rows := func(keys ...any) cascade.Report {
		t.Helper()
		ids := make([]cascade.Value, len(keys))
		for i, k := range keys {
			ids[i] = cascade.ValueOf(k)
		}
		r, ok := f.plan.NewRowsReport("v_post", ids)
		if !ok {
			t.Fatalf("no report of %v", keys)
		}
		return r
	}
	all, ok := f.plan.NewMovedAllReport("v_post", "status", cascade.ValueOf("DRAFT"), cascade.ValueOf("DRAFT"))
	if !ok {
		t.Fatal("no report of status")
	}
	feed := func(name, mutation string, falls bool, reports ...cascade.Report) rule {
		return rule{name: name, query: `{feed {title}}`, data: `{"feed":[{"id":"1"}]}`, mutation: mutation, reports: reports, falls: falls}.on(pageSchema)
	}
	failed := func(r rule) rule { r.failed = true; return r }
	nothing := func(root string, r rule) rule { r.nothing = root; return r }
	const update, updates = `{updateAll(in: {title: "x"})}`, `{a: update(id: 1, in: {title: "x"}) b: update(id: 1, in: {title: "y"})}`
	const found = `{search(term: "green") {__typename}}`
	steps := func(name, title string, falls bool, reports ...cascade.Report) rule {
		return rule{
			name: name, query: found, data: `{"search":[]}`, reports: reports, falls: falls,
			mutation: `{a: update(id: 1, in: {title: "blue"}) b: update(id: 1, in: {title: "` + title + `"})}`,
		}.on(pageSchema)
	}
	was := func(before, after string) cascade.Report { return moved("v_post", "1", "title", before, after) }
	runRules(t, []rule{
		feed("all rows", update, false, rows(2)),
		failed(feed("all rows, failed afterwards", update, true, rows(2))),
		failed(feed("no rows, failed afterwards", update, true, rows())),
		feed("all rows stayed", `{updateAll(in: {status: DRAFT})}`, false, all),
		failed(feed("all rows stayed, failed afterwards", `{updateAll(in: {status: DRAFT})}`, true, all)),
		nothing("a", feed("rows of an unknown field, another wrote nothing", updates, true, rows())),
		nothing("a", feed("rows of a field that wrote nothing", updates, true, by("a", rows()))),
		nothing("a", feed("rows of the field that wrote", updates, false, by("b", rows()))),
		nothing("a", feed("a row stayed, says an unknown field, and another wrote nothing", updates, true, unchanged("v_post", "1"))),
		nothing("a", feed("a row stayed, says the field that wrote", updates, false, by("b", unchanged("v_post", "1")))),
		nothing("a", feed("a row stayed, says the field that wrote nothing", updates, true, by("a", unchanged("v_post", "1")))),
		steps("one field goes on from the report of an unknown one", "green", true, was("red", "blue")),
		steps("a field goes on from the report of another", "green", true, by("a", was("red", "blue"))),
		steps("two steps beside the term", "pink", false, by("a", was("red", "blue")), by("b", was("blue", "pink"))),
		steps("two steps by unknown fields", "pink", true, was("red", "blue"), was("blue", "pink")),
		steps("the first of two steps from the term", "pink", true, by("a", was("green", "blue")), by("b", was("blue", "pink"))),
	})
}

func TestFaultsOfSearchedNumbers(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ name, term, want string }{
		{"column", "price contains args.text", "price is Float"},
		{"boolean column", "sold contains args.text", "sold is Boolean"},
		{"operand", "title contains args.least", "the operand of contains is Float"},
		{"text", "title contains args.text", ""},
		{"whole number", "stock contains args.text", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			_, err := newFixture(`type Item @view(name: "v_item") { id: ID! title: String price: Float sold: Boolean stock: Int }
type Query { items(text: String, least: Float): [Item!]! @reads(view: "Item", where: ["` + row.term + `"]) }
type Mutation { sell(id: ID!): Boolean @writes(view: "Item", op: "UPDATE", row: "args.id") }`)
			if row.want == "" && err != nil || row.want != "" && (err == nil || !strings.Contains(err.Error(), row.want)) {
				t.Errorf("error %v, want one with %q", err, row.want)
			}
		})
	}
}
