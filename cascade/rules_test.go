package cascade_test

import (
	"strings"
	"testing"

	"github.com/cascadeql/cascadeql/cascade"
)

// ruleSchema uses every kind of read, write and dependency once or more. The mutations of
// one name with a number differ in how much they declare.
const ruleSchema = `
extend schema @view(name: "v_post_tag", columns: ["post_id", "tag_id"]) @dependsOn(view: "v_typeless", on: "User", key: "id")
extend schema @view(name: "v_typeless") @view(name: "v_quiet") @view(name: "v_country", static: true)
schema { query: Query mutation: Mutation }

interface Node { id: ID! }
union Hit = User | Post
enum Status { DRAFT PUBLISHED ARCHIVED }

type User implements Node @view(name: "v_user", touched: ["version"]) {
  id: ID!
  name: String
  email: String
  karma: Int
  version: Int
  posts(status: Status): [Post!]! @reads(view: "Post", where: ["author.id = parent.id", "status"], using: [])
  postCount: Int! @reads(view: "Post", where: ["author.id = parent.id"], using: [])
  stats: Stats @reads(view: "Stats", row: "parent.id")
}
type Post implements Node @view(name: "v_post", columns: ["tenant_id"]) {
  id: ID!
  title: String
  status: Status
  views: Int
  author: User @reads(view: "User", row: "parent.author.id")
  authorName: String @reads(view: "User", row: "parent.author.id")
  excerpt: String @reads(view: "Post", row: "parent.id")
  tags: [Tag!]! @reads(view: "v_post_tag", where: ["post_id = parent.id"], using: ["tag_id"])
  mood: Mood
}
type Mood { text: String }
type Tag implements Node @view(name: "v_tag") { id: ID! name: String }
type Stats @view(name: "v_stats", key: "userId") @dependsOn(on: "Post", key: "author.id", using: ["status"]) {
  userId: ID!
  posts: Int
  best: Best @reads(view: "Best", row: "parent.userId")
}
type Best @view(name: "v_best", key: "userId") @dependsOn(on: "Stats", key: "userId") @dependsOn(on: "User", key: "id", using: ["karma"]) {
  userId: ID!
  rank: Int
}
type Board @view(name: "v_board") @dependsOn(on: "Stats") @dependsOn(on: "User", using: ["name"]) { id: ID! text: String }
type Country @view(name: "v_country_t", static: true) { id: ID! name: String }
type Lonely @view(name: "v_lonely") { id: ID! name: String }
type PostPage { total: Int! items: [Post!]! edges: [PostEdge!]! }
type PostEdge { cursor: String node: Post }

type Query {
  user(id: ID!): User
  post(id: ID!): Post
  posts: [Post!]! @reads(view: "Post")
  byAuthor(authorId: ID!, status: Status): PostPage! @reads(view: "Post", where: ["author.id = args.authorId", "status"], using: [])
  byAuthors(ids: [ID!], statuses: [Status]): [Post!]! @reads(view: "Post", where: ["author.id = args.ids", "status = args.statuses"], using: [])
  popular: [Post!]! @reads(view: "Post", where: ["status = 'PUBLISHED'"], using: ["views"])
  some(ids: [ID!]!): [Post!]! @reads(view: "Post", where: ["id = args.ids"], using: [])
  userByEmail(email: String!): User @reads(view: "User", where: ["email"], using: [])
  users: [User!]! @reads(view: "User", using: ["name"])
  node(id: ID!): Node @reads(view: "Node", row: "args.id")
  search(term: String): [Hit!]! @reads(view: "User", using: ["name"]) @reads(view: "Post", using: ["title"])
  stats(userId: ID!): Stats
  best(userId: ID!): Best
  board: Board @reads(view: "Board")
  typeless(id: ID!): String @reads(view: "v_typeless", row: "args.id")
  country(id: ID!): Country
  lonely(id: ID!): Lonely
  quiet: String @reads(view: "v_quiet")
  version: String
  firstPost: Post
}
input PostInput { title: String status: Status authorId: ID views: Int other: String }
input Batch { post: PostInput }
input DefaultInput { title: String status: Status = DRAFT }
type PostPayload { post: Post posts: [Post!] ref: Ref }
type Ref { id: ID! status: Status }
type Mutation {
  any: Boolean
  anyPost: Boolean @writes(view: "Post")
  createPost(input: PostInput): Post @writes(view: "Post", op: "CREATE")
  createPost2(input: PostInput): Boolean @writes(view: "Post", op: "CREATE", set: ["author.id = args.input.authorId", "status = args.input.status"])
  createPost3: Boolean @writes(view: "Post", op: "CREATE")
  createPost4(id: ID): Boolean @writes(view: "Post", op: "CREATE", row: "args.id")
  upsertPost(id: ID, status: Status): Post @writes(view: "Post", op: "UPSERT", row: "args.id", set: ["status"])
  updatePost(id: ID!, input: PostInput): Post @writes(view: "Post", op: "UPDATE", row: "args.id", fields: ["args.input"])
  updatePost2(id: ID!): Boolean @writes(view: "Post", op: "UPDATE", row: "args.id", fields: ["title"])
  updatePost3(id: ID): Boolean @writes(view: "Post", op: "UPDATE", row: "args.id")
  updatePost4(id: ID!, input: DefaultInput): Boolean @writes(view: "Post", op: "UPDATE", row: "args.id", fields: ["args.input"])
  updatePosts(ids: [ID!], input: PostInput): [Post] @writes(view: "Post", op: "UPDATE", row: "args.ids", fields: ["args.input"])
  updateBatch(inputs: [PostInput]): Boolean @writes(view: "Post", op: "UPDATE", fields: ["args.inputs"])
  updateNested(batch: [Batch]): Boolean @writes(view: "Post", op: "UPDATE", fields: ["args.batch.post"])
  touchPost: PostPayload @writes(view: "Post", op: "UPDATE", row: "result.post.id", fields: ["views"])
  touchRef: PostPayload @writes(view: "Post", op: "UPDATE", row: "result.ref.id", fields: ["views"])
  touchList: PostPayload @writes(view: "Post", op: "UPDATE", row: "result.posts.id", fields: ["views"])
  touchMany: [Post] @writes(view: "Post", op: "UPDATE", row: "result.id", fields: ["views"])
  hidePost(id: ID!): Boolean @writes(view: "Post", op: "UPDATE", row: "args.id", fields: ["tenant_id"])
  publish(id: ID!): Boolean @writes(view: "Post", op: "UPDATE", row: "args.id", where: ["status = 'DRAFT'"], set: ["status = 'PUBLISHED'"], fields: [])
  republish(authorId: ID!, from: Status): Boolean @writes(view: "Post", op: "UPDATE", where: ["author.id = args.authorId", "status = args.from"], set: ["status = 'PUBLISHED'"], fields: [])
  view(id: ID!): Post @writes(view: "Post", op: "UPDATE", row: "args.id", fields: ["views"])
  deletePost(id: ID!): Boolean @writes(view: "Post", op: "DELETE", row: "args.id")
  deletePost2(id: ID!, authorId: ID): Boolean @writes(view: "Post", op: "DELETE", row: "args.id", where: ["author.id = args.authorId", "status = 'DRAFT'"])
  deleteBy(authorIds: [ID!]): Boolean @writes(view: "Post", op: "DELETE", where: ["author.id = args.authorIds"])
  deleteShown(id: ID!): Post @writes(view: "Post", op: "DELETE", row: "args.id", where: ["author.id = result.author.id"])
  deleteAll: Boolean @writes(view: "Post", op: "DELETE")
  deleteWhere(ids: [ID!]): Boolean @writes(view: "Post", op: "DELETE", where: ["id = args.ids"])
  deleteNullable: Boolean @writes(view: "Post", op: "DELETE", where: ["status = null"])
  tagPost(postId: ID!, tagId: ID!): Boolean @writes(view: "v_post_tag", op: "CREATE", set: ["post_id = args.postId", "tag_id = args.tagId"])
  rename(id: ID!): Boolean @writes(view: "User", op: "UPDATE", row: "args.id", fields: ["name"])
  setEmail(id: ID!, email: String): User @writes(view: "User", op: "UPDATE", row: "args.id", set: ["email"], fields: [])
  karma(id: ID!): Boolean @writes(view: "User", op: "UPDATE", row: "args.id", fields: ["karma"])
  createUser: Boolean @writes(view: "User", op: "CREATE")
  renameTag(id: ID!): Boolean @writes(view: "Tag", op: "UPDATE", row: "args.id", fields: ["name"])
  createTag: Tag @writes(view: "Tag", op: "CREATE")
  statsWritten(id: ID!): Boolean @writes(view: "Stats", op: "UPDATE", row: "args.id")
}`

// A rule is one read, one mutation, and whether the answer must fall.
type rule struct {
	name         string
	schema       string // ruleSchema when ""
	query, data  string
	vars         string
	mutation     string
	mvars        string
	result       string // the mutation's answer; "" for one with nulls
	failed       bool   // the answer is not known
	nothing      string // the root field that wrote nothing
	reports      []cascade.Report
	reader, from string // partitions
	predicate    []string
	falls        bool
}

func (r *rule) run(t *testing.T) (falls bool, why string) {
	t.Helper()
	f := mustFixture(t, cmpOr(r.schema, ruleSchema))
	entry := r.read(t, f)
	m, err := f.prepare("mutation "+r.mutation, decode(t, r.mvars))
	if err != nil {
		t.Fatal(err)
	}
	res, err := m.execute(tree(t, r.result))
	if err != nil {
		t.Fatal(err)
	}
	out := cascade.Outcome{Vars: m.vars, Result: res, Reports: r.reports, Nothing: map[string]bool{r.nothing: true}}
	for i := range out.Reports {
		rep := &out.Reports[i]
		rep.View = namedView(t, f, rep.View.Name)
	}
	if r.failed {
		out.Result = nil
	}
	events, everything := m.op.Events(out)
	if everything != "" {
		return true, everything
	}
	if len(events) == 0 {
		return false, ""
	}
	return meet(entry, f.plan.Publish(nil, events, cascade.PartitionOf(r.from))), ""
}

func (r *rule) read(t *testing.T, f *fixture) []cascade.Tag {
	t.Helper()
	q, err := f.prepare("query "+r.query, decode(t, r.vars))
	if err != nil {
		t.Fatal(err)
	}
	res, err := q.execute(tree(t, r.data))
	if err != nil {
		t.Fatal(err)
	}
	entry, err := q.op.Reads(nil, q.vars, res, cascade.PartitionOf(r.reader), r.predicate)
	if err != nil {
		t.Fatal(err)
	}
	return entry
}

// namedView finds a view of a fixture's plan, by way of an event on it.
func namedView(t *testing.T, f *fixture, name string) *cascade.View {
	t.Helper()
	events, ok := f.plan.ViewEvent(name)
	if !ok {
		t.Fatalf("no view %s", name)
	}
	return events[0].View
}

func cmpOr(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

func moved(view, key, column string, before, after any) cascade.Report {
	return cascade.Report{View: &cascade.View{Name: view}, Key: key, Column: column, Old: cascade.ValueOf(before), New: cascade.ValueOf(after)}
}

func unchanged(view, key string) cascade.Report {
	return cascade.Report{View: &cascade.View{Name: view}, Key: key, Unchanged: true}
}

func by(root string, r cascade.Report) cascade.Report {
	r.Root = root
	return r
}

func runRules(t *testing.T, rules []rule) {
	t.Helper()
	for _, r := range rules {
		t.Run(strings.ReplaceAll(r.name, " ", "_"), func(t *testing.T) {
			t.Parallel()
			falls, why := r.run(t)
			if falls != r.falls {
				t.Errorf("query %s\nmutation %s %s: falls = %v (%s), want %v", r.query, r.mutation, r.mvars, falls, why, r.falls)
			}
		})
	}
}

const (
	post1     = `{"post":{"id":"1","title":"a","status":"DRAFT","author":{"id":"7","name":"Ann"}}}`
	noPost    = `{"post":null}`
	onePage   = `{"byAuthor":{"total":1,"items":[{"id":"1","title":"a"}]}}`
	emptyPage = `{"byAuthor":{"total":0,"items":[]}}`
	titleOf1  = `{post(id: 1) {title}}`
	page7     = `{byAuthor(authorId: 7) {total items {title}}}`
	page7Pub  = `{byAuthor(authorId: 7, status: PUBLISHED) {total}}`
)

func TestRowRules(t *testing.T) {
	t.Parallel()
	runRules(t, []rule{
		{name: "known row", query: titleOf1, data: post1, mutation: `{updatePost2(id: 1)}`, falls: true},
		{name: "other row", query: titleOf1, data: post1, mutation: `{updatePost2(id: 2)}`},
		{name: "other column", query: `{post(id: 1) {status}}`, data: post1, mutation: `{updatePost2(id: 1)}`},
		{name: "unknown columns", query: `{post(id: 1) {status}}`, data: post1, mutation: `{updatePost3(id: 1)}`, falls: true},
		{name: "unknown columns of another row", query: `{post(id: 1) {status}}`, data: post1, mutation: `{updatePost3(id: 2)}`},
		{name: "unknown row", query: titleOf1, data: post1, mutation: `{updatePost3}`, falls: true},
		{name: "all rows", query: titleOf1, data: post1, mutation: `{deleteAll}`, falls: true},
		{name: "all rows by values", query: titleOf1, data: post1, mutation: `{deleteBy(authorIds: [7])}`, falls: true},
		{name: "no values, which may be no filter", query: titleOf1, data: post1, mutation: `{deleteBy(authorIds: [])}`, falls: true},
		{name: "where with the key names the row", query: titleOf1, data: post1, mutation: `{deleteWhere(ids: [1, 2])}`, falls: true},
		{name: "where with the key of others", query: titleOf1, data: post1, mutation: `{deleteWhere(ids: [2])}`},
		{name: "where with no keys, which may be no filter", query: titleOf1, data: post1, mutation: `{deleteWhere(ids: [])}`, falls: true},
		{name: "hidden column", query: titleOf1, data: post1, mutation: `{hidePost(id: 1)}`, falls: true},
		{name: "hidden column of another row", query: titleOf1, data: post1, mutation: `{hidePost(id: 2)}`},
		{name: "touched column", query: `{user(id: 7) {version}}`, data: `{"user":{"id":"7"}}`, mutation: `{rename(id: 7)}`, falls: true},
		{name: "column besides the touched", query: `{user(id: 7) {karma}}`, data: `{"user":{"id":"7"}}`, mutation: `{rename(id: 7)}`},
		{name: "absent row created", query: titleOf1, data: noPost, mutation: `{createPost {id}}`, result: `{"createPost":{"id":"1"}}`, falls: true},
		{name: "absent row and another created", query: titleOf1, data: noPost, mutation: `{createPost {id}}`, result: `{"createPost":{"id":"2"}}`},
		{name: "absent row and an unknown one created", query: titleOf1, data: noPost, mutation: `{createPost3}`, falls: true},
		{name: "present row and an unknown one created", query: titleOf1, data: post1, mutation: `{createPost3}`},
		{name: "present row and an unknown one upserted", query: titleOf1, data: post1, mutation: `{upsertPost {id}}`, falls: true},
		{name: "absent row and unknown rows deleted", query: titleOf1, data: noPost, mutation: `{deleteAll}`, falls: true},
		{name: "absent row upserted", query: titleOf1, data: noPost, mutation: `{upsertPost(id: 1) {id}}`, falls: true},
		{name: "absent row and another upserted", query: titleOf1, data: noPost, mutation: `{upsertPost(id: 2) {id}}`},
		{name: "absent row and unknown rows updated", query: titleOf1, data: noPost, mutation: `{updatePost3}`, falls: true},
		{name: "interface", query: `{node(id: 1) {id}}`, data: `{"node":{"__typename":"Post","id":"1"}}`, mutation: `{deletePost(id: 1)}`, falls: true},
		{name: "interface and the row of that key of another type", query: `{node(id: 1) {id}}`, data: `{"node":{"__typename":"Post","id":"1"}}`, mutation: `{karma(id: 2)}`},
		{name: "interface null and a row of some type", query: `{node(id: 1) {id}}`, data: `{"node":null}`, mutation: `{createTag {id}}`, result: `{"createTag":{"id":"1"}}`, falls: true},
		{name: "interface null and another row", query: `{node(id: 1) {id}}`, data: `{"node":null}`, mutation: `{createTag {id}}`, result: `{"createTag":{"id":"2"}}`},
		{name: "fragment on an interface", query: `{node(id: 1) {... on Post {title} ... on User {karma}}}`, data: `{"node":{"__typename":"Post","id":"1"}}`, mutation: `{updatePost2(id: 1)}`, falls: true},
		{name: "fragment on the other type", query: `{node(id: 1) {... on Tag {name} ... on User {karma}}}`, data: `{"node":{"__typename":"Post","id":"1"}}`, mutation: `{updatePost2(id: 1)}`},
		{name: "int and string are one key", query: `{node(id: "1") {... on Post {title}}}`, data: `{"node":{"__typename":"Post","id":1}}`, mutation: `{updatePost2(id: 1)}`, falls: true},
		{name: "text of another int", query: `{post(id: "011") {title}}`, data: `{"post":{"id":"011"}}`, mutation: `{updatePost2(id: 1)}`},
		{
			name: "uuid spellings", query: `{post(id: "{6BA7B810-9DAD-11D1-80B4-00C04FD430C8}") {title}}`,
			data: `{"post":{"id":"6ba7b8109dad11d180b400c04fd430c8"}}`, mutation: `{updatePost2(id: "urn:uuid:6ba7b810-9dad-11d1-80b4-00c04fd430c8")}`, falls: true,
		},
		{
			name: "other uuid", query: `{post(id: "{6BA7B810-9DAD-11D1-80B4-00C04FD430C8}") {title}}`,
			data: `{"post":{"id":"6ba7b8109dad11d180b400c04fd430c8"}}`, mutation: `{updatePost2(id: "6ba7b810-9dad-11d1-80b4-00c04fd430c9")}`,
		},
	})
}

func TestWhereRules(t *testing.T) {
	t.Parallel()
	list := func(name, mutation string, falls bool) rule {
		return rule{name: name, query: page7Pub, data: emptyPage, mutation: mutation, falls: falls}
	}
	runRules(t, []rule{
		{name: "whole, other view", query: `{posts {title}}`, data: `{"posts":[]}`, mutation: `{createUser}`},
		{name: "whole, create", query: `{posts {title}}`, data: `{"posts":[]}`, mutation: `{createPost3}`, falls: true},
		{name: "whole, any column", query: `{posts {title}}`, data: `{"posts":[]}`, mutation: `{view(id: 3) {id}}`, falls: true},
		{name: "whole with using, its column", query: `{users {karma}}`, data: `{"users":[]}`, mutation: `{rename(id: 3)}`, falls: true},
		{name: "whole with using, other column", query: `{users {karma}}`, data: `{"users":[]}`, mutation: `{karma(id: 3)}`},
		{name: "whole with using, shown column of its row", query: `{users {karma}}`, data: `{"users":[{"id":"3"}]}`, mutation: `{karma(id: 3)}`, falls: true},

		list("create matching", `{createPost2(input: {authorId: 7, status: PUBLISHED})}`, true),
		list("create of another status", `{createPost2(input: {authorId: 7, status: DRAFT})}`, false),
		list("create of another author", `{createPost2(input: {authorId: 8, status: PUBLISHED})}`, false),
		list("create, status unknown", `{createPost2(input: {authorId: 7})}`, true),
		list("create, status unknown, of another author", `{createPost2(input: {authorId: 8})}`, false),
		list("create, author unknown", `{createPost2(input: {status: PUBLISHED})}`, true),
		list("create, author unknown, of another status", `{createPost2(input: {status: DRAFT})}`, false),
		list("create, nothing known", `{createPost2}`, true),
		list("create, null values", `{createPost2(input: {authorId: 8, status: null})}`, false),
		list("delete, unknown values", `{deletePost(id: 3)}`, true),
		list("delete matching author", `{deleteBy(authorIds: [7, 9])}`, true),
		list("delete of other authors", `{deleteBy(authorIds: [8, 9])}`, false),
		list("delete of another author and status", `{deletePost2(id: 3, authorId: 8)}`, false),
		list("delete of another status", `{deletePost2(id: 3, authorId: 7)}`, false),
		list("delete with a null operand", `{deletePost2(id: 3)}`, false), // DRAFT still counts
		list("delete where a constant is null", `{deleteNullable}`, true),
		list("any", `{anyPost}`, true),
		list("upsert", `{upsertPost(id: 3, status: DRAFT) {id}}`, true),
		list("update of no term", `{updatePost2(id: 3)}`, false),
		list("update of unknown columns", `{updatePost3(id: 3)}`, true),
		list("moved in from DRAFT", `{publish(id: 3)}`, true),
		list("moved, of another author", `{republish(authorId: 8, from: DRAFT)}`, false),
		list("moved, of this author", `{republish(authorId: 7, from: DRAFT)}`, true),
		list("term column set, old value unknown", `{updatePost(id: 3, input: {status: ARCHIVED}) {id}}`, true),
		list("nothing set", `{updatePost(id: 3, input: {}) {id}}`, false),
		list("no input", `{updatePost(id: 3) {id}}`, false),
		list("null set", `{updatePost(id: 3, input: {status: null}) {id}}`, true),
		list("field that is no column", `{updatePost(id: 3, input: {other: "x"}) {id}}`, true),
		list("field for a path", `{updatePost(id: 3, input: {authorId: 9}) {id}}`, true),
		list("default of an input field", `{updatePost4(id: 3, input: {title: "x"})}`, true),
		list("list of inputs", `{updateBatch(inputs: [{title: "x"}])}`, true),
		list("inputs in a list", `{updateNested(batch: [{post: {title: "x"}}])}`, true),
		list("other view", `{rename(id: 7)}`, false),

		{name: "moved out of DRAFT", query: `{byAuthor(authorId: 7, status: DRAFT) {total}}`, data: emptyPage, mutation: `{publish(id: 3)}`, falls: true},
		{name: "neither in nor out", query: `{byAuthor(authorId: 7, status: ARCHIVED) {total}}`, data: emptyPage, mutation: `{publish(id: 3)}`},
		{name: "absent operand, any status", query: page7, data: emptyPage, mutation: `{createPost2(input: {authorId: 7, status: DRAFT})}`, falls: true},
		{name: "absent operand, other author", query: page7, data: emptyPage, mutation: `{createPost2(input: {authorId: 8, status: DRAFT})}`},
		{name: "absent operand, nullable column of the term", query: page7, data: emptyPage, mutation: `{publish(id: 3)}`, falls: true},
		{name: "null variable", query: `($s: Status) {byAuthor(authorId: 7, status: $s) {total}}`, vars: `{"s":null}`, data: emptyPage, mutation: `{createPost2(input: {authorId: 7, status: DRAFT})}`, falls: true},
		{name: "null selects the rows without a value, one gets a value", query: page7, data: emptyPage, mutation: `{updatePost(id: 3, input: {status: DRAFT}) {id}}`, falls: true},
		{name: "null selects the rows without a value, another column", query: page7, data: emptyPage, mutation: `{updatePost2(id: 3)}`},
		{name: "empty text, which may be no filter", query: `{userByEmail(email: "") {name}}`, data: `{"userByEmail":null}`, mutation: `{setEmail(id: 7, email: "b") {id}}`, falls: true, reports: []cascade.Report{moved("v_user", "7", "email", "c", "b")}},
		{name: "shown column of a listed row", query: page7, data: onePage, mutation: `{updatePost2(id: 1)}`, falls: true},
		{name: "other column of a listed row", query: page7, data: onePage, mutation: `{view(id: 1) {id}}`},
		{name: "wrapper alone", query: `{byAuthor(authorId: 7) {total}}`, data: onePage, mutation: `{updatePost2(id: 1)}`},
		{name: "connection", query: `{byAuthor(authorId: 7) {edges {cursor node {title}}}}`, data: `{"byAuthor":{"edges":[{"node":{"id":"1"}}]}}`, mutation: `{updatePost2(id: 1)}`, falls: true},
		{name: "connection, other row", query: `{byAuthor(authorId: 7) {edges {cursor node {title}}}}`, data: `{"byAuthor":{"edges":[{"node":{"id":"1"}}]}}`, mutation: `{updatePost2(id: 2)}`},
		{name: "type without a view below a list", query: `{byAuthor(authorId: 7) {items {mood {text}}}}`, data: onePage, mutation: `{createUser}`, falls: true},

		{name: "list operand, one of them", query: `{byAuthors(ids: [6, 7]) {id}}`, data: `{"byAuthors":[]}`, mutation: `{createPost2(input: {authorId: 7})}`, falls: true},
		{name: "list operand, none of them", query: `{byAuthors(ids: [6, 7]) {id}}`, data: `{"byAuthors":[]}`, mutation: `{createPost2(input: {authorId: 8})}`},
		{name: "list operand, too many", query: `($s: [Status]) {byAuthors(ids: [1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23], statuses: $s) {id}}`, vars: `{"s":["DRAFT","PUBLISHED","ARCHIVED"]}`, data: `{"byAuthors":[]}`, mutation: `{createPost2(input: {authorId: 99})}`, falls: true},
		{name: "list operand with null, which may be no filter", query: `{byAuthors(ids: [6], statuses: [null, DRAFT]) {id}}`, data: `{"byAuthors":[]}`, mutation: `{createPost2(input: {authorId: 6, status: PUBLISHED})}`, falls: true},
		{name: "single value for a list", query: `{byAuthors(ids: 7) {id}}`, data: `{"byAuthors":[]}`, mutation: `{createPost2(input: {authorId: 7})}`, falls: true},
		{name: "single value from a variable", query: `($i: [ID!]) {byAuthors(ids: $i) {id}}`, vars: `{"i":7}`, data: `{"byAuthors":[]}`, mutation: `{createPost2(input: {authorId: 7})}`, falls: true},
		{name: "single value from a variable, other", query: `($i: [ID!]) {byAuthors(ids: $i) {id}}`, vars: `{"i":7}`, data: `{"byAuthors":[]}`, mutation: `{createPost2(input: {authorId: 8})}`},
		{name: "empty list, which may be no filter", query: `{byAuthors(ids: []) {id}}`, data: `{"byAuthors":[]}`, mutation: `{createPost2(input: {authorId: 7})}`, falls: true},
		{name: "both terms absent", query: `{byAuthors {id}}`, data: `{"byAuthors":[]}`, mutation: `{createPost2(input: {authorId: 8})}`, falls: true},

		{name: "constant, matching", query: `{popular {title}}`, data: `{"popular":[]}`, mutation: `{createPost2(input: {status: PUBLISHED})}`, falls: true},
		{name: "constant, not matching", query: `{popular {title}}`, data: `{"popular":[]}`, mutation: `{createPost2(input: {status: DRAFT})}`},
		{name: "using column, status unknown", query: `{popular {title}}`, data: `{"popular":[]}`, mutation: `{updatePost(id: 3, input: {views: 1}) {id}}`, falls: true},
		{name: "using column, row shown to match", query: `{popular {title}}`, data: `{"popular":[]}`, mutation: `{view(id: 3) {id}}`, result: `{"view":{"id":"3","status":"PUBLISHED"}}`, falls: true},
		{name: "using column, row shown not to match", query: `{popular {title}}`, data: `{"popular":[]}`, mutation: `{view(id: 3) {id}}`, result: `{"view":{"id":"3","status":"DRAFT"}}`},
		{name: "column that is neither", query: `{popular {title}}`, data: `{"popular":[]}`, mutation: `{updatePost2(id: 3)}`},

		{name: "key column, known row", query: `{some(ids: [1, 2]) {title}}`, data: `{"some":[]}`, mutation: `{createPost {id}}`, result: `{"createPost":{"id":"2"}}`, falls: true},
		{name: "key column, other row", query: `{some(ids: [1, 2]) {title}}`, data: `{"some":[]}`, mutation: `{createPost {id}}`, result: `{"createPost":{"id":"3"}}`},
		{name: "key column, unknown row", query: `{some(ids: [1, 2]) {title}}`, data: `{"some":[]}`, mutation: `{createPost3}`, falls: true},
		{name: "key column, any change of another row", query: `{some(ids: [1, 2]) {title}}`, data: `{"some":[]}`, mutation: `{updatePost3(id: 3)}`},
		{name: "key column, list of rows", query: `{some(ids: [1, 2]) {title}}`, data: `{"some":[]}`, mutation: `{deleteWhere(ids: [2, 3])}`, falls: true},

		{name: "lookup, absent, set to it", query: `{userByEmail(email: "a") {name}}`, data: `{"userByEmail":null}`, mutation: `{setEmail(id: 7, email: "a") {id}}`, falls: true},
		{name: "lookup, name of a user", query: `{userByEmail(email: "a") {email}}`, data: `{"userByEmail":{"id":"7"}}`, mutation: `{rename(id: 8)}`},
		{name: "lookup, other value, old known", query: `{userByEmail(email: "a") {name}}`, data: `{"userByEmail":null}`, mutation: `{setEmail(id: 7, email: "b") {id}}`, reports: []cascade.Report{moved("v_user", "7", "email", "c", "b")}},
		{name: "lookup, other value, old unknown", query: `{userByEmail(email: "a") {name}}`, data: `{"userByEmail":null}`, mutation: `{setEmail(id: 7, email: "b") {id}}`, falls: true},

		{name: "union", query: `{search {... on User {id}}}`, data: `{"search":[]}`, mutation: `{rename(id: 3)}`, falls: true},
		{name: "union, column not used", query: `{search {... on User {id}}}`, data: `{"search":[]}`, mutation: `{karma(id: 3)}`},
		{name: "union, row of one type", query: `{search {... on User {karma}}}`, data: `{"search":[{"__typename":"User","id":"3"}]}`, mutation: `{karma(id: 3)}`, falls: true},
	})
}

func TestNestedRules(t *testing.T) {
	t.Parallel()
	const user = `{"user":{"id":"7","posts":[],"postCount":0,"stats":{"userId":"7"}}}`
	runRules(t, []rule{
		{name: "nested list", query: `{user(id: 7) {posts {title}}}`, data: user, mutation: `{createPost2(input: {authorId: 7})}`, falls: true},
		{name: "nested list of another parent", query: `{user(id: 7) {posts {title}}}`, data: user, mutation: `{createPost2(input: {authorId: 8})}`},
		{name: "nested list with argument", query: `{user(id: 7) {posts(status: DRAFT) {title}}}`, data: user, mutation: `{createPost2(input: {authorId: 7, status: PUBLISHED})}`},
		{name: "nested list without parent", query: `{user(id: 7) {posts {title}}}`, data: `{"user":null}`, mutation: `{createPost2(input: {authorId: 7})}`},
		{name: "count", query: `{user(id: 7) {postCount}}`, data: user, mutation: `{createPost2(input: {authorId: 7})}`, falls: true},
		{name: "count, other column", query: `{user(id: 7) {postCount}}`, data: user, mutation: `{publish(id: 3)}`},
		{name: "to-one", query: `{post(id: 1) {author {name}}}`, data: post1, mutation: `{rename(id: 7)}`, falls: true},
		{name: "to-one, other row", query: `{post(id: 1) {author {name}}}`, data: post1, mutation: `{rename(id: 8)}`},
		{name: "to-one, other column", query: `{post(id: 1) {author {name}}}`, data: post1, mutation: `{karma(id: 7)}`},
		{name: "to-one, reference moved", query: `{post(id: 1) {author {name}}}`, data: post1, mutation: `{updatePost(id: 1, input: {authorId: 8}) {id}}`, falls: true},
		{name: "to-one, reference of another row moved", query: `{post(id: 1) {author {name}}}`, data: post1, mutation: `{updatePost(id: 2, input: {authorId: 8}) {id}}`},
		{name: "to-one null, row created", query: `{post(id: 1) {author {name}}}`, data: `{"post":{"id":"1","author":null}}`, mutation: `{createUser}`, falls: true},
		{name: "to-one null, row updated", query: `{post(id: 1) {author {name}}}`, data: `{"post":{"id":"1","author":null}}`, mutation: `{rename(id: 8)}`},
		{name: "to-one there, row created", query: `{post(id: 1) {author {name}}}`, data: post1, mutation: `{createUser}`},
		{name: "computed from another row", query: `{post(id: 1) {authorName}}`, data: post1, mutation: `{rename(id: 7)}`, falls: true},
		{name: "computed from another row, others", query: `{post(id: 1) {authorName}}`, data: post1, mutation: `{rename(id: 8)}`},
		{name: "computed, reference moved", query: `{post(id: 1) {authorName}}`, data: post1, mutation: `{updatePost(id: 1, input: {authorId: 8}) {id}}`, falls: true},
		{name: "computed, reference not readable", query: `{post(id: 1) {authorName}}`, data: `{"post":{"id":"1","author":null}}`, mutation: `{rename(id: 8)}`, falls: true},
		{name: "computed from its own row", query: `{post(id: 1) {excerpt}}`, data: post1, mutation: `{updatePost2(id: 1)}`, falls: true},
		{name: "computed from its own row, others", query: `{post(id: 1) {excerpt}}`, data: post1, mutation: `{updatePost2(id: 2)}`},
		{name: "typeless relation", query: `{post(id: 1) {tags {id}}}`, data: `{"post":{"id":"1","tags":[]}}`, mutation: `{tagPost(postId: 1, tagId: 5)}`, falls: true},
		{name: "rows that come into sight in a relation", query: `{post(id: 1) {tags {id}}}`, data: `{"post":{"id":"1","tags":[]}}`, predicate: []string{"Tag.name"}, mutation: `{renameTag(id: 5)}`, falls: true},
		{name: "rows of a relation, nothing consulted", query: `{post(id: 1) {tags {id}}}`, data: `{"post":{"id":"1","tags":[]}}`, mutation: `{renameTag(id: 5)}`},
		{name: "typeless relation of another row", query: `{post(id: 1) {tags {id}}}`, data: `{"post":{"id":"1","tags":[]}}`, mutation: `{tagPost(postId: 2, tagId: 5)}`},
		{name: "alias and fragment", query: `{post(id: 1) {a: author {...f}}} fragment f on User {n: name}`, data: post1, mutation: `{rename(id: 7)}`, falls: true},
		{name: "skipped field", query: `($s: Boolean!) {post(id: 1) {status author @skip(if: $s) {name}}}`, vars: `{"s":true}`, data: post1, mutation: `{rename(id: 7)}`},
		{name: "included field", query: `($s: Boolean!) {post(id: 1) {status author @include(if: $s) {name}}}`, vars: `{"s":true}`, data: post1, mutation: `{rename(id: 7)}`, falls: true},
	})
}

func TestCascadeRules(t *testing.T) {
	t.Parallel()
	const stats7 = `{stats(userId: 7) {posts}}`
	stats := func(name, mutation, result string, falls bool, reports ...cascade.Report) rule {
		return rule{name: name, query: stats7, data: `{"stats":{"userId":"7"}}`, mutation: mutation, result: result, reports: reports, falls: falls}
	}
	author := func(id string) string { return `{"updatePost":{"id":"3","author":{"id":"` + id + `"}}}` }
	runRules(t, []rule{
		stats("created for it", `{createPost2(input: {authorId: 7})}`, "", true),
		stats("created for another", `{createPost2(input: {authorId: 8})}`, "", false),
		stats("created for it, as the result shows", `{createPost {id}}`, `{"createPost":{"id":"3","author":{"id":"7"}}}`, true),
		stats("created for another, as the result shows", `{createPost {id}}`, `{"createPost":{"id":"3","author":{"id":"8"}}}`, false),
		stats("created for somebody", `{createPost3}`, "", true),
		stats("deleted, unknown", `{deletePost(id: 3)}`, "", true),
		stats("deleted of another", `{deletePost2(id: 3, authorId: 8)}`, "", false),
		stats("deleted of it among others", `{deleteBy(authorIds: [7, 8])}`, "", true),
		stats("deleted of others", `{deleteBy(authorIds: [8, 9])}`, "", false),
		stats("key unchanged and it", `{updatePost(id: 3, input: {status: DRAFT}) {id}}`, author("7"), true),
		stats("key unchanged and another", `{updatePost(id: 3, input: {status: DRAFT}) {id}}`, author("8"), false),
		stats("key unchanged, not shown", `{updatePost(id: 3, input: {status: DRAFT}) {id}}`, "", true),
		stats("column not used", `{updatePost(id: 3, input: {title: "x"}) {id}}`, "", false),
		stats("moved, old unknown", `{updatePost(id: 3, input: {authorId: 9}) {id}}`, author("9"), true),
		stats("moved away, old known", `{updatePost(id: 3, input: {authorId: 9}) {id}}`, author("9"), true, moved("v_post", "3", "author.id", "7", "9")),
		stats("moved here, old known", `{updatePost(id: 3, input: {authorId: 7}) {id}}`, author("7"), true, moved("v_post", "3", "author.id", "9", "7")),
		stats("moved elsewhere, old known", `{updatePost(id: 3, input: {authorId: 9}) {id}}`, author("9"), false, moved("v_post", "3", "author.id", "8", "9")),
		stats("moved elsewhere, old null", `{updatePost(id: 3, input: {authorId: 9}) {id}}`, author("9"), false, moved("v_post", "3", "author.id", nil, "9")),
		stats("any", `{anyPost}`, "", true),
		{name: "absent derived row appears", query: stats7, data: `{"stats":null}`, mutation: `{createPost2(input: {authorId: 7})}`, falls: true},
		{name: "absent derived row stays absent", query: stats7, data: `{"stats":null}`, mutation: `{createPost2(input: {authorId: 8})}`},
		{name: "nested derived row", query: `{user(id: 7) {stats {posts}}}`, data: `{"user":{"id":"7","stats":{"userId":"7"}}}`, mutation: `{createPost2(input: {authorId: 7})}`, falls: true},
		{name: "nested derived row of another", query: `{user(id: 7) {stats {posts}}}`, data: `{"user":{"id":"7","stats":{"userId":"7"}}}`, mutation: `{createPost2(input: {authorId: 8})}`},
		{name: "transitive", query: `{best(userId: 7) {rank}}`, data: `{"best":{"userId":"7"}}`, mutation: `{createPost2(input: {authorId: 7})}`, falls: true},
		{name: "transitive, another", query: `{best(userId: 7) {rank}}`, data: `{"best":{"userId":"7"}}`, mutation: `{createPost2(input: {authorId: 8})}`},
		{name: "own key as key", query: `{best(userId: 7) {rank}}`, data: `{"best":{"userId":"7"}}`, mutation: `{karma(id: 7)}`, falls: true},
		{name: "own key as key, another", query: `{best(userId: 7) {rank}}`, data: `{"best":{"userId":"7"}}`, mutation: `{karma(id: 8)}`},
		{name: "own key as key, column not used", query: `{best(userId: 7) {rank}}`, data: `{"best":{"userId":"7"}}`, mutation: `{rename(id: 7)}`},
		{name: "no key: all", query: `{board {text}}`, data: `{"board":{"id":"1"}}`, mutation: `{createPost2(input: {authorId: 8})}`, falls: true},
		{name: "no key, column used", query: `{board {text}}`, data: `{"board":{"id":"1"}}`, mutation: `{rename(id: 8)}`, falls: true},
		{name: "no key, column not used", query: `{board {text}}`, data: `{"board":{"id":"1"}}`, mutation: `{karma(id: 8)}`},
		{name: "to a typeless view", query: `{typeless(id: 7)}`, data: `{"typeless":"x"}`, mutation: `{karma(id: 7)}`, falls: true},
		{name: "to a typeless view, another", query: `{typeless(id: 7)}`, data: `{"typeless":"x"}`, mutation: `{karma(id: 8)}`},
		{name: "not upwards", query: titleOf1, data: post1, mutation: `{statsWritten(id: 1)}`},
	})
}

func TestDiamondIsVisitedOnce(t *testing.T) {
	t.Parallel()
	f := mustFixture(t, `
type A @view(name: "a") { id: ID! g: ID }
type B @view(name: "b") @dependsOn(on: "A", key: "id") { id: ID! }
type C @view(name: "c") @dependsOn(on: "A", key: "id") { id: ID! }
type D @view(name: "d") @dependsOn(on: "B", key: "id") @dependsOn(on: "C", key: "id") { id: ID! }
type Query { a(id: ID!): A }
type Mutation { w(id: ID!): Boolean @writes(view: "A", row: "args.id") }`)
	events, _ := f.plan.RowEvent("A", cascade.ValueOf("1"))
	var got []string
	for _, e := range f.plan.Cascade(events) {
		got = append(got, e.View.Name+":"+strings.Join(e.Rows, ","))
	}
	if want := "a:1 b:1 c:1 d:1"; strings.Join(got, " ") != want {
		t.Errorf("cascade = %v, want %s", got, want)
	}
	whole, _ := f.plan.ViewEvent("A")
	if n := len(f.plan.Cascade(append(events, whole...))); n != 8 {
		t.Errorf("a row and then all rows: %d events, want 8", n)
	}
	if n := len(f.plan.Cascade(append(whole, events...))); n != 5 {
		t.Errorf("all rows and then a row: %d events, want 5", n)
	}
}

func TestUndeclaredRules(t *testing.T) {
	t.Parallel()
	runRules(t, []rule{
		{name: "mutation without writes", query: titleOf1, data: post1, mutation: `{any}`, falls: true},
		{name: "mutation without writes among others", query: titleOf1, data: post1, mutation: `{karma(id: 1) any}`, falls: true},
		{name: "mutation without writes that wrote nothing", query: titleOf1, data: post1, mutation: `{any}`, nothing: "any"},
		{name: "mutation without writes, another wrote nothing", query: titleOf1, data: post1, mutation: `{any a: any}`, nothing: "any", falls: true},
		{name: "only the type name", query: titleOf1, data: post1, mutation: `{__typename}`},
		{name: "undeclared root field", query: `{version}`, data: `{"version":"1"}`, mutation: `{karma(id: 3)}`, falls: true},
		{name: "undeclared root object", query: `{firstPost {title}}`, data: `{"firstPost":{"id":"1"}}`, mutation: `{karma(id: 3)}`, falls: true},
		{name: "undeclared object field", query: `{post(id: 1) {mood {text}}}`, data: post1, mutation: `{karma(id: 3)}`, falls: true},
		{name: "undeclared field among declared ones", query: `{post(id: 1) {title} version}`, data: post1, mutation: `{karma(id: 3)}`, falls: true},
		{name: "view that nobody writes", query: `{quiet}`, data: `{"quiet":"x"}`, mutation: `{karma(id: 3)}`, falls: true},
		{name: "type that nobody writes", query: `{lonely(id: 1) {name}}`, data: `{"lonely":{"id":"1"}}`, mutation: `{karma(id: 3)}`, falls: true},
		{name: "static view", query: `{country(id: 1) {name}}`, data: `{"country":{"id":"1"}}`, mutation: `{karma(id: 1)}`},
		{name: "inferred read whose argument is not the key", query: titleOf1, data: `{"post":{"id":"2"}}`, mutation: `{karma(id: 3)}`, falls: true},
		{name: "inferred read", query: titleOf1, data: post1, mutation: `{karma(id: 3)}`},
		{name: "key that cannot be read", query: titleOf1, data: `{"post":{"id":null,"title":"a"}}`, mutation: `{karma(id: 3)}`, falls: true},
		{name: "undeclared, no change at all", query: `{version}`, data: `{"version":"1"}`, mutation: `{karma(id: 3)}`, nothing: "karma"},
	})
}

func TestReportRules(t *testing.T) {
	t.Parallel()
	two := `{a: updatePost(id: 3, input: {status: DRAFT}) {id} b: updatePost(id: 3, input: {title: "x"}) {id}}`
	status := func(v string) string { return `{byAuthor(authorId: 7, status: ` + v + `) {total}}` }
	runRules(t, []rule{
		{name: "unchanged", query: `{post(id: 3) {status}}`, data: `{"post":{"id":"3"}}`, mutation: `{updatePost3(id: 3)}`, reports: []cascade.Report{unchanged("v_post", "3")}},
		{name: "unchanged, another row", query: `{post(id: 3) {status}}`, data: `{"post":{"id":"3"}}`, mutation: `{updatePost3(id: 3)}`, reports: []cascade.Report{unchanged("v_post", "4")}, falls: true},
		{name: "unchanged, one of several rows", query: `{post(id: 4) {title}}`, data: `{"post":{"id":"4"}}`, mutation: `{updatePosts(ids: [3, 4], input: {title: "x"}) {id}}`, reports: []cascade.Report{unchanged("v_post", "3")}, falls: true},
		{name: "unchanged, that of several rows", query: `{post(id: 3) {title}}`, data: `{"post":{"id":"3"}}`, mutation: `{updatePosts(ids: [3, 4], input: {title: "x"}) {id}}`, reports: []cascade.Report{unchanged("v_post", "3")}},
		{name: "unchanged among unknown rows", query: `{post(id: 3) {title}}`, data: `{"post":{"id":"3"}}`, mutation: `{updatePost3}`, reports: []cascade.Report{unchanged("v_post", "3")}, falls: true},
		{name: "unchanged by one of two fields", query: `{post(id: 3) {title}}`, data: `{"post":{"id":"3"}}`, mutation: two, reports: []cascade.Report{by("a", unchanged("v_post", "3"))}, falls: true},
		{name: "unchanged by the field that writes the column", query: `{post(id: 3) {title}}`, data: `{"post":{"id":"3"}}`, mutation: two, reports: []cascade.Report{by("b", unchanged("v_post", "3"))}},
		{name: "unchanged by an unknown one of two fields", query: `{post(id: 3) {title}}`, data: `{"post":{"id":"3"}}`, mutation: two, reports: []cascade.Report{unchanged("v_post", "3")}, falls: true},
		{name: "unchanged and moved", query: `{post(id: 3) {title}}`, data: `{"post":{"id":"3"}}`, mutation: `{updatePost2(id: 3)}`, reports: []cascade.Report{unchanged("v_post", "3"), moved("v_post", "3", "title", "a", "b")}, falls: true},
		{name: "equal values", query: status("DRAFT"), data: emptyPage, mutation: `{updatePost(id: 3, input: {status: DRAFT}) {id}}`, reports: []cascade.Report{moved("v_post", "3", "status", "DRAFT", "DRAFT")}},
		{name: "equal values, another column", query: status("DRAFT"), data: emptyPage, mutation: `{updatePost(id: 3, input: {status: DRAFT}) {id}}`, reports: []cascade.Report{moved("v_post", "3", "title", "a", "a")}, falls: true},
		{name: "unknown values", query: status("DRAFT"), data: emptyPage, mutation: `{updatePost(id: 3, input: {status: DRAFT}) {id}}`, reports: []cascade.Report{moved("v_post", "3", "status", struct{}{}, struct{}{})}, falls: true},
		{name: "moved out", query: status("DRAFT"), data: emptyPage, mutation: `{updatePost(id: 3, input: {status: PUBLISHED}) {id}}`, reports: []cascade.Report{moved("v_post", "3", "status", "DRAFT", "PUBLISHED")}, falls: true},
		{name: "moved in", query: status("PUBLISHED"), data: emptyPage, mutation: `{updatePost(id: 3, input: {status: PUBLISHED}) {id}}`, reports: []cascade.Report{moved("v_post", "3", "status", "DRAFT", "PUBLISHED")}, falls: true},
		{name: "moved past", query: status("ARCHIVED"), data: emptyPage, mutation: `{updatePost(id: 3, input: {status: PUBLISHED}) {id}}`, reports: []cascade.Report{moved("v_post", "3", "status", "DRAFT", "PUBLISHED")}},
		{
			name: "moved in steps, the one between", query: status("PUBLISHED"), data: onePage, mutation: `{updatePost(id: 3, input: {status: ARCHIVED}) {id}}`,
			reports: []cascade.Report{moved("v_post", "3", "status", "DRAFT", "PUBLISHED"), moved("v_post", "3", "status", "PUBLISHED", "ARCHIVED")}, falls: true,
		},
		{
			name: "moved in steps, the first", query: status("DRAFT"), data: onePage, mutation: `{updatePost(id: 3, input: {status: ARCHIVED}) {id}}`,
			reports: []cascade.Report{moved("v_post", "3", "status", "DRAFT", "PUBLISHED"), moved("v_post", "3", "status", "PUBLISHED", "ARCHIVED")}, falls: true,
		},
		{name: "report of a column that is not declared", query: status("DRAFT"), data: emptyPage, mutation: `{updatePost2(id: 3)}`, reports: []cascade.Report{moved("v_post", "3", "status", "DRAFT", "PUBLISHED")}, falls: true},
		{name: "report of a row that no write names", query: `{user(id: 7) {name}}`, data: `{"user":{"id":"7"}}`, mutation: `{updatePost2(id: 3)}`, reports: []cascade.Report{moved("v_user", "7", "name", "a", "b")}, falls: true},
		{name: "report of a row that no write names, other column", query: `{user(id: 7) {email}}`, data: `{"user":{"id":"7"}}`, mutation: `{updatePost2(id: 3)}`, reports: []cascade.Report{moved("v_user", "7", "name", "a", "b")}},
		{name: "report of a row that no write names, touched column", query: `{user(id: 7) {version}}`, data: `{"user":{"id":"7"}}`, mutation: `{updatePost2(id: 3)}`, reports: []cascade.Report{moved("v_user", "7", "name", "a", "b")}, falls: true},
		{name: "report of a row that no write names, unchanged", query: `{user(id: 7) {name}}`, data: `{"user":{"id":"7"}}`, mutation: `{updatePost2(id: 3)}`, reports: []cascade.Report{unchanged("v_user", "7")}},
		{name: "report of a field that wrote nothing", query: `{user(id: 7) {name}}`, data: `{"user":{"id":"7"}}`, mutation: `{rename(id: 7)}`, nothing: "rename", reports: []cascade.Report{by("rename", moved("v_user", "7", "name", "a", "b"))}, falls: true},
		{name: "nothing written", query: `{user(id: 7) {name}}`, data: `{"user":{"id":"7"}}`, mutation: `{rename(id: 7)}`, nothing: "rename"},
		{name: "nothing written by an alias", query: `{user(id: 7) {name}}`, data: `{"user":{"id":"7"}}`, mutation: `{a: rename(id: 7) b: rename(id: 7)}`, nothing: "a", falls: true},
	})
}

func TestResultRules(t *testing.T) {
	t.Parallel()
	const touched = `{touchPost {post {title}}}`
	row := func(n string) string { return `{"touchPost":{"post":{"id":"` + n + `"}}}` }
	views := `{post(id: 1) {views}}`
	runRules(t, []rule{
		{name: "row of the result", query: views, data: post1, mutation: touched, result: row("1"), falls: true},
		{name: "other row of the result", query: views, data: post1, mutation: touched, result: row("2")},
		{name: "null result", query: views, data: post1, mutation: touched, result: `{"touchPost":null}`, falls: true},
		{name: "null on the way", query: views, data: post1, mutation: touched, result: `{"touchPost":{"post":null}}`, falls: true},
		{name: "failed", query: views, data: post1, mutation: touched, result: row("2"), failed: true, falls: true},
		{name: "failed, other column", query: titleOf1, data: post1, mutation: touched, result: row("2"), failed: true},
		{name: "failed, row in the arguments", query: titleOf1, data: post1, mutation: `{updatePost2(id: 1)}`, failed: true, falls: true},
		{name: "failed, other row in the arguments", query: titleOf1, data: post1, mutation: `{updatePost2(id: 2)}`, failed: true},
		{name: "failed, created row unknown", query: titleOf1, data: noPost, mutation: `{createPost {id}}`, result: `{"createPost":{"id":"2"}}`, failed: true, falls: true},
		{name: "failed, values not shown", query: `{popular {title}}`, data: `{"popular":[]}`, mutation: `{view(id: 3) {id}}`, result: `{"view":{"id":"3","status":"DRAFT"}}`, failed: true, falls: true},
		{name: "rows of a list", query: views, data: post1, mutation: `{touchMany {title}}`, result: `{"touchMany":[{"id":"2"},{"id":"1"}]}`, falls: true},
		{name: "other rows of a list", query: views, data: post1, mutation: `{touchMany {title}}`, result: `{"touchMany":[{"id":"2"},{"id":"3"}]}`},
		{name: "null in a list", query: views, data: post1, mutation: `{touchMany {title}}`, result: `{"touchMany":[{"id":"2"},null]}`, falls: true},
		{name: "empty list, which may be no filter", query: views, data: post1, mutation: `{touchMany {title}}`, result: `{"touchMany":[]}`},
		{name: "rows of a list inside", query: views, data: post1, mutation: `{touchList {ref {id}}}`, result: `{"touchList":{"posts":[{"id":"1"},{"id":"2"}]}}`, falls: true},
		{name: "other rows of a list inside", query: views, data: post1, mutation: `{touchList {ref {id}}}`, result: `{"touchList":{"posts":[{"id":"3"},{"id":"2"}]}}`},
		{name: "each row of a list with its own values", query: `{popular {title}}`, data: `{"popular":[]}`, mutation: `{touchMany {title}}`, result: `{"touchMany":[{"id":"2","status":"DRAFT"},{"id":"3","status":"ARCHIVED"}]}`},
		{name: "one row of a list matches", query: `{popular {title}}`, data: `{"popular":[]}`, mutation: `{touchMany {title}}`, result: `{"touchMany":[{"id":"2","status":"DRAFT"},{"id":"3","status":"PUBLISHED"}]}`, falls: true},
		{name: "values of an object that is not the row", query: `{popular {title}}`, data: `{"popular":[]}`, mutation: `{touchRef {ref {id}}}`, result: `{"touchRef":{"ref":{"id":"2","status":"DRAFT"}}}`, falls: true},
		{name: "values of the row in a payload", query: `{popular {title}}`, data: `{"popular":[]}`, mutation: `{touchPost {ref {id}}}`, result: `{"touchPost":{"post":{"id":"2","status":"DRAFT"}}}`},
		{name: "rows in the arguments, one shown", query: `{popular {title}}`, data: `{"popular":[]}`, mutation: `{updatePosts(ids: [2, 3], input: {views: 1}) {id}}`, result: `{"updatePosts":[{"id":"2","status":"DRAFT"}]}`, falls: true},
		{name: "rows in the arguments, all shown", query: `{popular {title}}`, data: `{"popular":[]}`, mutation: `{updatePosts(ids: [2, 3], input: {views: 1}) {id}}`, result: `{"updatePosts":[{"id":"2","status":"DRAFT"},{"id":"3","status":"DRAFT"}]}`},
		{name: "unchanged author, his list", query: page7, data: emptyPage, mutation: `{updatePost(id: 3, input: {authorId: 7}) {id}}`, reports: []cascade.Report{moved("v_post", "3", "author.id", "7", "7")}},
		{name: "shown value beats the input's", query: `{byAuthor(authorId: 7, status: DRAFT) {total}}`, data: emptyPage, mutation: `{createPost(input: {status: PUBLISHED}) {id}}`, result: `{"createPost":{"id":"3","status":"DRAFT","author":{"id":"7"}}}`, falls: true},
		{name: "deleted, old value in the result", query: page7, data: emptyPage, mutation: `{deleteShown(id: 3) {title}}`, result: `{"deleteShown":{"id":"3","author":{"id":"7"}}}`, falls: true},
		{name: "deleted, other old value in the result", query: page7, data: emptyPage, mutation: `{deleteShown(id: 3) {title}}`, result: `{"deleteShown":{"id":"3","author":{"id":"8"}}}`},
		{name: "deleted, old value not readable", query: page7, data: emptyPage, mutation: `{deleteShown(id: 3) {title}}`, result: `{"deleteShown":{"id":"3","author":null}}`, falls: true},
		{name: "deleted, old value reported", query: page7, data: emptyPage, mutation: `{deletePost(id: 3)}`, reports: []cascade.Report{moved("v_post", "3", "author.id", "8", nil)}},
		{name: "deleted, this old value reported", query: page7, data: emptyPage, mutation: `{deletePost(id: 3)}`, reports: []cascade.Report{moved("v_post", "3", "author.id", "7", nil)}, falls: true},
		{name: "created, argument null", query: titleOf1, data: noPost, mutation: `{createPost4}`, falls: true},
	})
}

func TestPartitionRules(t *testing.T) {
	t.Parallel()
	const schema = `
type Post @view(name: "v_post", partitioned: true, columns: ["tenant_id"]) { id: ID! title: String status: String }
type Tag @view(name: "v_tag") { id: ID! name: String }
type Stats @view(name: "v_stats", partitioned: true) @dependsOn(on: "Tag") @dependsOn(on: "Post") { id: ID! n: Int }
type Shared @view(name: "v_shared") @dependsOn(on: "Post", using: ["status"]) { id: ID! n: Int }
type Query {
  post(id: ID!): Post
  posts: [Post!]! @reads(view: "Post", using: ["status"])
  drafts(status: String): [Post!]! @reads(view: "Post", where: ["status"], using: [])
  stats: Stats @reads(view: "Stats")
  shared: Shared @reads(view: "Shared")
  tags: [Tag!]! @reads(view: "Tag")
}
type Mutation {
  create: Boolean @writes(view: "Post", op: "CREATE")
  all: Boolean @writes(view: "Post", op: "UPDATE", fields: ["status"])
  one(id: ID!): Boolean @writes(view: "Post", op: "UPDATE", row: "args.id", fields: ["title"])
  move(id: ID!): Boolean @writes(view: "Post", op: "UPDATE", row: "args.id", fields: ["tenant_id"])
  tag: Boolean @writes(view: "Tag", op: "CREATE")
}`
	rules := []rule{
		{name: "inside", query: `{posts {title}}`, reader: "a", mutation: `{create}`, from: "a", falls: true},
		{name: "other", query: `{posts {title}}`, reader: "a", mutation: `{create}`, from: "b"},
		{name: "change from outside", query: `{posts {title}}`, reader: "a", mutation: `{create}`, falls: true},
		{name: "reader outside", query: `{posts {title}}`, mutation: `{create}`, from: "b", falls: true},
		{name: "both outside", query: `{posts {title}}`, mutation: `{create}`, falls: true},
		{name: "all rows, inside", query: `{post(id: 1) {status}}`, data: post1, reader: "a", mutation: `{all}`, from: "a", falls: true},
		{name: "all rows, other", query: `{post(id: 1) {status}}`, data: post1, reader: "a", mutation: `{all}`, from: "b"},
		{name: "all rows, from outside", query: `{post(id: 1) {status}}`, data: post1, reader: "a", mutation: `{all}`, falls: true},
		{name: "absent row, other", query: titleOf1, data: noPost, reader: "a", mutation: `{create}`, from: "b"},
		{name: "absent row, inside", query: titleOf1, data: noPost, reader: "a", mutation: `{create}`, from: "a", falls: true},
		{name: "where, inside", query: `{drafts(status: "x") {title}}`, reader: "a", mutation: `{all}`, from: "a", falls: true},
		{name: "where, other", query: `{drafts(status: "x") {title}}`, reader: "a", mutation: `{all}`, from: "b"},
		{name: "view that is not partitioned", query: `{tags {name}}`, reader: "a", mutation: `{tag}`, from: "b", falls: true},
		{name: "derived, inside", query: `{stats {n}}`, reader: "a", mutation: `{create}`, from: "a", falls: true},
		{name: "derived, other", query: `{stats {n}}`, reader: "a", mutation: `{create}`, from: "b"},
		{name: "derived from a shared view, other", query: `{stats {n}}`, reader: "a", mutation: `{tag}`, from: "b", falls: true},
		{name: "shared view derived from a partitioned one, other", query: `{shared {n}}`, reader: "a", mutation: `{create}`, from: "b", falls: true},

		{name: "predicate reads a view", query: `{posts {title}}`, predicate: []string{"v_tag"}, mutation: `{tag}`, falls: true},
		{name: "predicate reads a type", query: `{posts {title}}`, predicate: []string{"Tag"}, mutation: `{tag}`, falls: true},
		{name: "predicate reads another view", query: `{tags {name}}`, predicate: []string{"v_stats"}, mutation: `{move(id: 1)}`, falls: true},
		{name: "predicate reads nothing", query: `{posts {title}}`, mutation: `{tag}`},
		{name: "predicate reads a column, list", query: `{posts {title}}`, predicate: []string{"v_post.title"}, mutation: `{one(id: 3)}`, falls: true},
		{name: "predicate reads no column, list", query: `{posts {title}}`, mutation: `{one(id: 3)}`},
		{name: "predicate reads a column, where", query: `{drafts(status: "x") {title}}`, predicate: []string{"Post.title"}, mutation: `{one(id: 3)}`, falls: true},
		{name: "predicate reads a column, where, other column", query: `{drafts(status: "x") {title}}`, predicate: []string{"Post.tenant_id"}, mutation: `{one(id: 3)}`},
		{name: "predicate reads a column, row", query: `{post(id: 1) {status}}`, data: post1, predicate: []string{"Post.title"}, mutation: `{one(id: 1)}`, falls: true},
		{name: "predicate reads a column, other row", query: `{post(id: 1) {status}}`, data: post1, predicate: []string{"Post.title"}, mutation: `{one(id: 3)}`},
		{name: "predicate reads a column, derived view", query: `{shared {n}}`, predicate: []string{"Post.title"}, mutation: `{one(id: 3)}`, falls: true},
		{name: "predicate reads a column, other view", query: `{tags {name}}`, predicate: []string{"Post.title"}, mutation: `{one(id: 3)}`},
	}
	for i := range rules {
		rules[i].schema = schema
		if rules[i].data == "" {
			rules[i].data = `{"posts":[],"drafts":[],"tags":[],"stats":{"id":"1"},"shared":{"id":"1"}}`
		}
	}
	runRules(t, rules)
}

func TestPredicateOfUnknownName(t *testing.T) {
	t.Parallel()
	f := mustFixture(t, ruleSchema)
	q, err := f.prepare(titleOf1, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := q.execute(tree(t, post1))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"v_nothing", "v_post.nothing", "", ".", "v_post."} {
		if tags, err := q.op.Reads(nil, q.vars, res, cascade.Partition{}, []string{name}); err == nil || tags != nil {
			t.Errorf("Reads with predicate %q = %v, %v, want an error", name, tags, err)
		}
	}
}

func TestUnusualSchemas(t *testing.T) {
	t.Parallel()
	var wide strings.Builder
	for i := range 80 {
		wide.WriteString("c" + string(rune('a'+i/10)) + string(rune('a'+i%10)) + ": Int ")
	}
	overflow := `type W @view(name: "w") { id: ID! ` + wide.String() + `}
type Query { w(id: ID!): W ws: [W!]! @reads(view: "W", where: ["cha = 1"], using: ["caa"]) }
type Mutation {
  first(id: ID!): Boolean @writes(view: "W", op: "UPDATE", row: "args.id", fields: ["cab"])
  last(id: ID!): Boolean @writes(view: "W", op: "UPDATE", row: "args.id", fields: ["chj"])
}`
	const joined = `
type P @view(name: "p") @view(name: "p_slug", key: "slug") @view(name: "p_more") { id: ID! slug: String a: Int }
extend schema @view(name: "v_other", static: true)
schema { query: Query mutation: Mutation }
type Query { other: Int @reads(view: "v_other") p(id: ID!): P @reads(view: "p", row: "args.id") }
type Mutation {
  a(id: ID!): Boolean @writes(view: "p", op: "UPDATE", row: "args.id", fields: ["a"])
  slug(slug: String): P @writes(view: "p_slug", op: "UPDATE", row: "args.slug", fields: ["a"])
  slugNew: P @writes(view: "p_slug", op: "CREATE")
  more(id: ID!): Boolean @writes(view: "p_more", op: "UPDATE", row: "args.id", fields: ["a"])
}`
	const implicit = `
type I { id: ID! name: String @reads(view: "I", row: "parent.id") e: E @reads(view: "E", row: "parent.e.id") }
type E @view(name: "e") { id: ID! n: Int }
type Query { is: [I!]! @reads(view: "I", using: []) }
type Mutation {
  i(id: ID!): Boolean @writes(view: "I", op: "UPDATE", row: "args.id")
  e(id: ID!): Boolean @writes(view: "E", op: "UPDATE", row: "args.id", fields: ["n"])
}`
	const aliased = `
type P @view(name: "p") { id: ID! authorId: ID author: U @reads(view: "U", row: "parent.author.id") }
type U @view(name: "u") { id: ID! n: Int profile: F @reads(view: "f", row: "parent.id") }
type F @view(name: "f") { id: ID! text: String u: G @reads(view: "u", row: "parent.u.id") }
type G @view(name: "g") { id: ID! n: Int }
input In { authorId: ID }
type Query { p(id: ID!): P f(id: ID!): F u(id: ID!): U }
type Mutation {
  p(id: ID!, in: In): Boolean @writes(view: "p", op: "UPDATE", row: "args.id", fields: ["args.in"])
  u(id: ID!): Boolean @writes(view: "u", op: "UPDATE", row: "args.id", fields: ["n"])
  g(id: ID!): Boolean @writes(view: "g", op: "UPDATE", row: "args.id", fields: ["n"])
  f: F @writes(view: "f", op: "CREATE")
}`
	runRules(t, []rule{
		{name: "overflow column", schema: overflow, query: `{w(id: 1) {chi}}`, data: `{"w":{"id":"1"}}`, mutation: `{last(id: 1)}`, falls: true},
		{name: "column before the overflow", schema: overflow, query: `{w(id: 1) {cac}}`, data: `{"w":{"id":"1"}}`, mutation: `{last(id: 1)}`},
		{name: "overflow column and one before", schema: overflow, query: `{w(id: 1) {chi}}`, data: `{"w":{"id":"1"}}`, mutation: `{first(id: 1)}`},
		{name: "overflow column in a term", schema: overflow, query: `{ws {cac}}`, data: `{"ws":[]}`, mutation: `{last(id: 1)}`, falls: true},
		{
			name: "overflow column reported equal", schema: overflow, query: `{w(id: 1) {chj}}`, data: `{"w":{"id":"1"}}`, mutation: `{last(id: 1)}`,
			reports: []cascade.Report{moved("w", "1", "chi", "1", "1")}, falls: true,
		},

		{name: "primary view", schema: joined, query: `{p(id: 1) {a}}`, data: `{"p":{"id":"1","slug":"x"}}`, mutation: `{a(id: 2)}`},
		{name: "second view, same key", schema: joined, query: `{p(id: 1) {slug}}`, data: `{"p":{"id":"1","slug":"x"}}`, mutation: `{more(id: 1)}`, falls: true},
		{name: "second view, same key, other row", schema: joined, query: `{p(id: 1) {slug}}`, data: `{"p":{"id":"1","slug":"x"}}`, mutation: `{more(id: 2)}`},
		{name: "second view, other key", schema: joined, query: `{p(id: 1) {a}}`, data: `{"p":{"id":"1","slug":"x"}}`, mutation: `{slug(slug: "x") {a}}`, falls: true},
		{name: "predicate reads a type, second view", schema: joined, query: `{other}`, predicate: []string{"P"}, mutation: `{slugNew {a}}`, falls: true},
		{name: "predicate reads nothing, second view", schema: joined, query: `{other}`, mutation: `{slugNew {a}}`},
		{name: "second view, created", schema: joined, query: `{p(id: 1) {a}}`, data: `{"p":{"id":"1","slug":"x"}}`, mutation: `{slugNew {a}}`, result: `{"slugNew":{"id":"5","slug":"x"}}`, falls: true},

		{name: "implicit view, row of a list", schema: implicit, query: `{is {e {n}}}`, data: `{"is":[{"id":"1","e":{"id":"2"}}]}`, mutation: `{i(id: 1)}`, falls: true},
		{name: "implicit view, other row of a list", schema: implicit, query: `{is {e {n}}}`, data: `{"is":[{"id":"1","e":{"id":"2"}}]}`, mutation: `{e(id: 3)}`},
		{name: "implicit view, plain field", schema: implicit, query: `{is {id}}`, data: `{"is":[]}`, mutation: `{e(id: 3)}`, falls: true},
		{name: "implicit view, declared field", schema: implicit, query: `{is {name}}`, data: `{"is":[{"id":"1"}]}`, mutation: `{e(id: 3)}`},

		{name: "both authorId and author.id", schema: aliased, query: `{p(id: 1) {author {n}}}`, data: `{"p":{"id":"1","author":{"id":"2"}}}`, mutation: `{p(id: 1, in: {authorId: 3})}`, falls: true},
		{name: "both, nothing set", schema: aliased, query: `{p(id: 1) {author {n}}}`, data: `{"p":{"id":"1","author":{"id":"2"}}}`, mutation: `{p(id: 1, in: {})}`},
		{name: "row of another view than the object's", schema: aliased, query: `{f(id: 1) {u {id}}}`, data: `{"f":{"id":"1","u":{"id":"2"}}}`, mutation: `{u(id: 2)}`, falls: true},
		{name: "row of another view than the object's, other row", schema: aliased, query: `{f(id: 1) {u {id}}}`, data: `{"f":{"id":"1","u":{"id":"2"}}}`, mutation: `{g(id: 3)}`},
		{name: "nested row absent, created", schema: aliased, query: `{u(id: 1) {profile {text}}}`, data: `{"u":{"id":"1","profile":null}}`, mutation: `{f {id}}`, result: `{"f":{"id":"1"}}`, falls: true},
		{name: "nested row absent, another created", schema: aliased, query: `{u(id: 1) {profile {text}}}`, data: `{"u":{"id":"1","profile":null}}`, mutation: `{f {id}}`, result: `{"f":{"id":"2"}}`},
	})
}
