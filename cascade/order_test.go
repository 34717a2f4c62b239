package cascade_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cascadeql/cascadeql/cascade"
)

const orderSchema = `
type Post @view(name: "v_post", columns: ["seq"]) { id: ID! title: String kind: String }
type Query {
  newest(kind: String): [Post!]! @reads(view: "Post", where: ["kind"], using: [], order: "seq desc")
  oldest(kind: String): [Post!]! @reads(view: "Post", where: ["kind"], using: [], order: "seq asc")
  plain(kind: String): [Post!]! @reads(view: "Post", where: ["kind"], using: [])
}
type Mutation {
  move(id: ID!, kind: String): Boolean @writes(view: "Post", op: "UPDATE", row: "args.id", set: ["kind = args.kind"], fields: [])
  create(id: ID!, kind: String): Boolean @writes(view: "Post", op: "CREATE", row: "args.id", set: ["kind = args.kind"])
  delete(id: ID!): Boolean @writes(view: "Post", op: "DELETE", row: "args.id")
  deleteAll(kind: String!): Boolean @writes(view: "Post", op: "DELETE", where: ["kind"])
  any(id: ID!): Boolean @writes(view: "Post", row: "args.id")
}`

// pageTags returns what a page depends on that ends at a place.
func pageTags(t *testing.T, f *fixture, field string, last any) []cascade.Tag {
	t.Helper()
	q, err := f.prepare(fmt.Sprintf(`query {%s(kind: "a") {title}}`, field), nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := q.execute(tree(t, fmt.Sprintf(`{%q:[{"id":"1"}]}`, field)))
	if err != nil {
		t.Fatal(err)
	}
	tags, err := q.op.ReadsOf(nil, cascade.Answer{Vars: q.vars, Result: res, Lasts: map[string]cascade.Value{field: cascade.ValueOf(last)}})
	if err != nil {
		t.Fatal(err)
	}
	return tags
}

// changeTags returns what a mutation of row 9 publishes.
func changeTags(t *testing.T, f *fixture, mutation string, reports ...cascade.Report) []cascade.Tag {
	t.Helper()
	m, err := f.prepare("mutation "+mutation, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := range reports {
		reports[i].View = namedView(t, f, "v_post")
	}
	events, everything := m.op.Events(cascade.Outcome{Vars: m.vars, Reports: reports})
	if everything != "" {
		t.Fatal(everything)
	}
	return f.plan.Publish(nil, events, cascade.Partition{})
}

// Whatever the places, a change reaches the pages that it could show in, and no others.
func TestOrderOfAllPlaces(t *testing.T) {
	t.Parallel()
	f := mustFixture(t, orderSchema)
	places := []int64{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 14, 15, 16, 17, 31, 32, 33, 100, 1 << 20, 1<<20 + 1, 1<<62 - 1, 1 << 62, 1<<63 - 1}
	newest, oldest := map[int64][]cascade.Tag{}, map[int64][]cascade.Tag{}
	for _, last := range places {
		newest[last], oldest[last] = pageTags(t, f, "newest", last), pageTags(t, f, "oldest", last)
	}
	for _, at := range places {
		change := changeTags(t, f, `{create(id: 9, kind: "a")}`, moved("v_post", "9", "seq", nil, at))
		for _, last := range places {
			if got := meet(newest[last], change); got != (at >= last) {
				t.Errorf("newest first until %d, a change at %d: falls = %v", last, at, got)
			}
			if got := meet(oldest[last], change); got != (at <= last) {
				t.Errorf("oldest first until %d, a change at %d: falls = %v", last, at, got)
			}
		}
	}
}

func TestOrder(t *testing.T) {
	t.Parallel()
	seq := func(before, after any) cascade.Report { return moved("v_post", "9", "seq", before, after) }
	kind := func(before, after any) cascade.Report { return moved("v_post", "9", "kind", before, after) }
	for _, row := range []struct {
		name, field string
		last        any
		mutation    string
		reports     []cascade.Report
		falls       bool
	}{
		{"enters before the end", "newest", 10, `{move(id: 9, kind: "a")}`, []cascade.Report{seq(12, 12), kind("b", "a")}, true},
		{"enters beyond the end", "newest", 10, `{move(id: 9, kind: "a")}`, []cascade.Report{seq(8, 8), kind("b", "a")}, false},
		{"leaves before the end", "newest", 10, `{move(id: 9, kind: "b")}`, []cascade.Report{seq(12, 12), kind("a", "b")}, true},
		{"leaves beyond the end", "newest", 10, `{move(id: 9, kind: "b")}`, []cascade.Report{seq(8, 8), kind("a", "b")}, false},
		{"place not told", "newest", 10, `{move(id: 9, kind: "a")}`, []cascade.Report{kind("b", "a")}, true},
		{"place is no number", "newest", 10, `{move(id: 9, kind: "a")}`, []cascade.Report{seq("x", "x"), kind("b", "a")}, true},
		{"place is negative", "newest", 10, `{move(id: 9, kind: "a")}`, []cascade.Report{seq(-1, -1), kind("b", "a")}, true},
		{"old kind not told", "newest", 10, `{move(id: 9, kind: "b")}`, []cascade.Report{seq(8, 8)}, true},
		{"moves to the front", "newest", 10, `{move(id: 9, kind: "a")}`, []cascade.Report{seq(8, 12)}, true},
		{"moves beyond the end", "newest", 10, `{move(id: 9, kind: "a")}`, []cascade.Report{seq(12, 8), kind("a", "a")}, true},
		{"another kind", "newest", 10, `{create(id: 9, kind: "b")}`, []cascade.Report{seq(nil, 12)}, false},
		{"deleted beyond the end", "newest", 10, `{delete(id: 9)}`, []cascade.Report{seq(8, nil), kind("a", nil)}, false},
		{"deleted before the end", "newest", 10, `{delete(id: 9)}`, []cascade.Report{seq(12, nil), kind("a", nil)}, true},
		{"deleted, kind not told", "newest", 10, `{delete(id: 9)}`, []cascade.Report{seq(8, nil)}, true},
		{"several deleted", "newest", 10, `{deleteAll(kind: "a")}`, nil, true},
		{"anything done", "newest", 10, `{any(id: 9)}`, []cascade.Report{seq(8, 8)}, true},
		{"end not told", "newest", nil, `{create(id: 9, kind: "a")}`, []cascade.Report{seq(nil, 8)}, true},
		{"end is no number", "newest", "x", `{create(id: 9, kind: "a")}`, []cascade.Report{seq(nil, 8)}, true},
		{"end is 0", "newest", 0, `{create(id: 9, kind: "a")}`, []cascade.Report{seq(nil, 8)}, true},
		{"no order declared", "plain", 10, `{create(id: 9, kind: "a")}`, []cascade.Report{seq(nil, 8)}, true},
		{"oldest first, beyond the end", "oldest", 10, `{create(id: 9, kind: "a")}`, []cascade.Report{seq(nil, 12)}, false},
		{"oldest first, at the end", "oldest", 10, `{create(id: 9, kind: "a")}`, []cascade.Report{seq(nil, 10)}, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			f := mustFixture(t, orderSchema)
			if got := meet(pageTags(t, f, row.field, row.last), changeTags(t, f, row.mutation, row.reports...)); got != row.falls {
				t.Errorf("falls = %v, want %v", got, row.falls)
			}
		})
	}
}

// Only a list at the root has one end: of lists further down there may be several.
func TestOrderBelowTheRoot(t *testing.T) {
	t.Parallel()
	f := mustFixture(t, `
type Group @view(name: "v_group") { id: ID! posts: [Post!]! @reads(view: "Post", where: ["kind = parent.id"], using: [], order: "seq desc") }
type Post @view(name: "v_post", columns: ["seq"]) { id: ID! kind: String }
type Query { groups: [Group!]! @reads(view: "Group") }
type Mutation {
  group(id: ID!): Boolean @writes(view: "Group", op: "UPDATE", row: "args.id")
  create(id: ID!, kind: String): Boolean @writes(view: "Post", op: "CREATE", row: "args.id", set: ["kind = args.kind"])
}`)
	q, err := f.prepare(`query {groups {posts {kind}}}`, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := q.execute(tree(t, `{"groups":[{"id":"a","posts":[{"id":"1","kind":"a"}]}]}`))
	if err != nil {
		t.Fatal(err)
	}
	tags, err := q.op.ReadsOf(nil, cascade.Answer{Vars: q.vars, Result: res, Lasts: map[string]cascade.Value{"posts": cascade.ValueOf(10), "groups": cascade.ValueOf(10)}})
	if err != nil {
		t.Fatal(err)
	}
	if !meet(tags, changeTags(t, f, `{create(id: 9, kind: "a")}`, moved("v_post", "9", "seq", nil, 8))) {
		t.Error("a list below the root has an end")
	}
}

func TestFaultsOfOrder(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ order, where, want string }{
		{"", `where: ["title"]`, "is no column with asc or desc"},
		{"title down", `where: ["title"]`, "ends in down"},
		{"title desc first", `where: ["title"]`, "is no column with asc or desc"},
		{"nothing desc", `where: ["title"]`, "has no column nothing"},
		{"title", ``, "order is for reads with where"},
		{"title", `row: "args.title"`, "leave it out"},
	} {
		_, err := newFixture(fmt.Sprintf(`type Post @view(name: "v_post") { id: ID! title: String }
type Query { posts(title: String): [Post!]! @reads(view: "Post", %s order: %q) }`, row.where, row.order))
		if err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("order %q with %s: error %v, want one with %q", row.order, row.where, err, row.want)
		}
	}
}
