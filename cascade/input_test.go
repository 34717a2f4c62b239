package cascade_test

import "testing"

const inputSchema = `
enum Status { DRAFT PUBLISHED ARCHIVED }
type Post @view(name: "v_post") { id: ID! status: Status author: String views: Int }
input Place { author: String = "ann" }
input NewPost { id: ID status: Status! = DRAFT place: Place! = {} }
input Change { views: Int status: Status = DRAFT }
type Query {
  drafts: [Post!]! @reads(view: "Post", where: ["status = 'DRAFT'"], using: [])
  archived: [Post!]! @reads(view: "Post", where: ["status = 'ARCHIVED'"], using: [])
  by(posts: [NewPost!]): [Post!]! @reads(view: "Post", where: ["status = args.posts.status"], using: [])
  ofAnn: [Post!]! @reads(view: "Post", where: ["author = 'ann'"], using: [])
}
type Mutation {
  create(post: NewPost!): Boolean @writes(view: "Post", op: "CREATE", row: "args.post.id",
    set: ["status = args.post.status", "author = args.post.place.author"])
  import(posts: [NewPost!]!): Boolean @writes(view: "Post", op: "CREATE", row: "args.posts.id",
    set: ["status = args.posts.status", "author = args.posts.place.author"])
  change(id: ID!, to: Change!): Boolean @writes(view: "Post", op: "UPDATE", row: "args.id", set: ["status = args.to.status"], fields: ["args.to"])
}`

// TestInputDefaults: what an input object leaves out has its default, wherever the object
// comes from.
func TestInputDefaults(t *testing.T) {
	t.Parallel()
	const drafts, archived, ofAnn, none = `{ drafts { id } }`, `{ archived { id } }`, `{ ofAnn { id } }`, `{"drafts": [], "archived": [], "by": [], "ofAnn": []}`
	rows := []rule{
		{name: "literal", query: drafts, mutation: `{ create(post: {id: "1"}) }`, falls: true},
		{name: "literal, another value", query: archived, mutation: `{ create(post: {id: "1"}) }`},
		{name: "variable", query: drafts, mutation: `($p: NewPost!) { create(post: $p) }`, mvars: `{"p": {"id": "1"}}`, falls: true},
		{name: "default of a variable", query: drafts, mutation: `($p: NewPost! = {id: "1"}) { create(post: $p) }`, falls: true},
		{name: "second of a list", query: drafts, mutation: `{ import(posts: [{id: "1", status: ARCHIVED}, {id: "2"}]) }`, falls: true},
		{name: "second of a list in a variable", query: drafts, mutation: `($p: [NewPost!]!) { import(posts: $p) }`,
			mvars: `{"p": [{"id": "1", "status": "ARCHIVED"}, {"id": "2"}]}`, falls: true},
		{name: "list, none with it", query: drafts, mutation: `{ import(posts: [{id: "1", status: ARCHIVED}, {id: "2", status: PUBLISHED}]) }`},
		{name: "one in place of a list", query: drafts, mutation: `{ import(posts: {id: "1"}) }`, falls: true},
		{name: "one in place of a list in a variable", query: drafts, mutation: `($p: [NewPost!]!) { import(posts: $p) }`, mvars: `{"p": {"id": "1"}}`, falls: true},
		{name: "default within a default", query: ofAnn, mutation: `{ import(posts: [{id: "1", place: {author: "bob"}}, {id: "2"}]) }`, falls: true},
		{name: "default within an object", query: ofAnn, mutation: `{ import(posts: [{id: "1", place: {author: "bob"}}, {id: "2", place: {}}]) }`, falls: true},
		{name: "no default within", query: ofAnn, mutation: `{ import(posts: [{id: "1", place: {author: "bob"}}]) }`},
		{name: "an update sets its default", query: drafts, mutation: `{ change(id: "1", to: {views: 1}) }`, falls: true},
		{name: "operand of a read", query: `{ by(posts: [{status: ARCHIVED}, {}]) { id } }`, mutation: `{ create(post: {id: "1"}) }`, falls: true},
		{name: "operand of a read, another value", query: `{ by(posts: [{status: ARCHIVED}]) { id } }`, mutation: `{ create(post: {id: "1"}) }`},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			row.schema, row.data = inputSchema, none
			if falls, why := row.run(t); falls != row.falls {
				t.Errorf("falls: %v %s, want %v", falls, why, row.falls)
			}
		})
	}
}
