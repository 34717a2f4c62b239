package cascade_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cascadeql/cascadeql/cascade"
)

const payloadSchema = `
interface Node { id: ID! }
type Post implements Node @view(name: "v_post") { id: ID! title: String }
type User implements Node @view(name: "v_user") @view(name: "v_slug", key: "slug") { id: ID! slug: String }
type Query { post(id: ID!): Post posts: [Post!]! @reads(view: "Post") postCount: Int @reads(view: "Post") users: [User!]! @reads(view: "User") }
type Mutation { save: Payload @writes(view: "Post", op: "UPDATE", row: "result.post.id", fields: ["title"]) }
type Payload { success: Boolean post: Post cascade: Report }
type Report { updated: [Updated!]! deleted: [Deleted!]! invalidations: [Invalidation!] metadata: Metadata }
type Updated { id: ID operation: String entity: Node entityType: String }
type Deleted { id: ID entityType: String }
type Invalidation { queryName: String queryPattern: String queryHash: String strategy: String scope: String }
type Metadata { affectedCount: Int truncated: Boolean }`

func runPayload(t *testing.T, f *fixture, payload string) cascade.Payloads {
	t.Helper()
	m, err := f.prepare(`mutation {save {success}}`, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := m.execute(tree(t, `{"save":`+payload+`}`))
	if err != nil {
		t.Fatal(err)
	}
	return f.plan.Payloads(res)
}

func TestPayloads(t *testing.T) {
	t.Parallel()
	f := mustFixture(t, payloadSchema)
	report := func(updated, deleted, invalidations string) string {
		return fmt.Sprintf(`{"success":true,"cascade":{"updated":[%s],"deleted":[%s],"metadata":{"affectedCount":%d,"truncated":false},"invalidations":[%s]}}`,
			updated, deleted, strings.Count(updated+deleted, "{")-strings.Count(updated, `"entity":{`), invalidations)
	}
	invalidate := func(fields string) string {
		return report("", "", `{"strategy":"INVALIDATE",`+fields+`}`)
	}
	one := report(`{"id":"1","operation":"UPDATED","entityType":"Post"}`, "", "")
	tests := []struct {
		name, payload string
		events        string // of each: op, view, rows or *
		roots         string // query fields that fall
		everything    string // part of it
	}{
		{name: "nothing", payload: report("", "", "")},
		{name: "updated", payload: report(`{"id":"1","operation":"UPDATED","entityType":"Post"}`, "", ""), events: "UPDATE v_post 1"},
		{name: "created", payload: report(`{"id":"1","operation":"CREATED","entityType":"Post"}`, "", ""), events: "CREATE v_post 1"},
		{name: "deleted among updated", payload: report(`{"id":"1","operation":"DELETED","entityType":"Post"}`, "", ""), events: "DELETE v_post 1"},
		{name: "deleted", payload: report("", `{"id":"1","entityType":"Post"}`, ""), events: "DELETE v_post 1"},
		{name: "unknown operation", payload: report(`{"id":"1","operation":"MERGED","entityType":"Post"}`, "", ""), events: "ANY v_post 1"},
		{name: "type by entity", payload: report(`{"id":"1","operation":"UPDATED","entity":{"__typename":"Post","id":"1"}}`, "", ""), events: "UPDATE v_post 1"},
		{name: "several", payload: report(`{"id":"1","operation":"UPDATED","entityType":"Post"},{"id":"2","operation":"CREATED","entityType":"Post"}`, `{"id":"3","entityType":"Post"}`, ""), events: "UPDATE v_post 1; CREATE v_post 2; DELETE v_post 3"},
		{name: "no id", payload: report(`{"operation":"UPDATED","entityType":"Post"}`, "", ""), events: "ANY v_post *"},
		{name: "second view with another key", payload: report(`{"id":"1","operation":"UPDATED","entityType":"User"}`, "", ""), events: "UPDATE v_user 1; ANY v_slug *"},
		{name: "interface", payload: report(`{"id":"1","operation":"UPDATED","entityType":"Node"}`, "", ""), events: "UPDATE v_post 1; UPDATE v_user 1; ANY v_slug *"},
		{name: "view", payload: report(`{"id":"x","operation":"UPDATED","entityType":"v_slug"}`, "", ""), events: "UPDATE v_slug x"},
		{name: "unknown type", payload: report(`{"id":"1","operation":"UPDATED","entityType":"Ghost"}`, "", ""), everything: "unknown type Ghost"},
		{name: "no type", payload: report(`{"id":"1","operation":"UPDATED"}`, "", ""), everything: "unknown type"},
		{name: "uuid", payload: report(`{"id":"6BA7B8109DAD11D180B400C04FD430C8","operation":"UPDATED","entityType":"Post"}`, "", ""), events: "UPDATE v_post 6ba7b810-9dad-11d1-80b4-00c04fd430c8"},

		{name: "null payload", payload: `null`, everything: "malformed"},
		{name: "null report", payload: `{"success":true,"cascade":null}`, everything: "malformed"},
		{name: "null invalidations", payload: strings.Replace(one, `"invalidations":[]`, `"invalidations":null`, 1), everything: "malformed"},
		{name: "null list", payload: `{"success":true,"cascade":{"updated":null,"deleted":[]}}`, everything: "malformed"},
		{name: "truncated", payload: strings.Replace(one, `"truncated":false`, `"truncated":true`, 1), events: "ANY v_post *"},
		{name: "count too high", payload: strings.Replace(one, `"affectedCount":1`, `"affectedCount":2`, 1), events: "ANY v_post *"},
		{name: "failed", payload: strings.Replace(report("", "", ""), "true", "false", 1)},
		{name: "failed with changes", payload: strings.Replace(report("", `{"id":"1","entityType":"Post"}`, ""), "true", "false", 1), events: "DELETE v_post 1"},

		{name: "exact", payload: invalidate(`"queryName":"post","scope":"EXACT"`), roots: "post"},
		{name: "exact, unknown", payload: invalidate(`"queryName":"pos","scope":"EXACT"`), everything: "all queries"},
		{name: "exact, by hash alone", payload: invalidate(`"queryHash":"abc","scope":"EXACT"`), everything: "all queries"},
		{name: "prefix", payload: invalidate(`"queryName":"post","scope":"PREFIX"`), roots: "post postCount posts"},
		{name: "pattern", payload: invalidate(`"queryPattern":"*s","scope":"PATTERN"`), roots: "posts users"},
		{name: "pattern of none", payload: invalidate(`"queryPattern":"x*","scope":"PATTERN"`), everything: "all queries"},
		{name: "bad pattern", payload: invalidate(`"queryPattern":"[","scope":"PATTERN"`), everything: "all queries"},
		{name: "all", payload: invalidate(`"scope":"ALL"`), everything: "all queries"},
		{name: "unknown strategy", payload: strings.Replace(invalidate(`"queryName":"post","scope":"EXACT"`), "INVALIDATE", "FORGET", 1), everything: "all queries"},
		{name: "invalidations add to events", payload: report(`{"id":"1","operation":"UPDATED","entityType":"Post"}`, "", `{"strategy":"REFETCH","queryName":"users","scope":"EXACT"}`), events: "UPDATE v_post 1", roots: "users"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := runPayload(t, f, tt.payload)
			if (got.Everything != "") != (tt.everything != "") || !strings.Contains(got.Everything, tt.everything) {
				t.Fatalf("everything = %q, want %q", got.Everything, tt.everything)
			}
			if events := eventText(got.Events); tt.everything == "" && events != tt.events {
				t.Errorf("events = %s, want %s", events, tt.events)
			}
			var roots []cascade.Tag
			for _, name := range strings.Fields(tt.roots) {
				roots = append(roots, cascade.RootField(name))
			}
			if !slices.Equal(cascade.Merge(got.Tags), cascade.Merge(roots)) {
				t.Errorf("tags = %v, want those of %s", got.Tags, tt.roots)
			}
		})
	}
}

func eventText(events []cascade.Event) string {
	var out []string
	for _, e := range events {
		rows := strings.Join(e.Rows, ",")
		if e.All {
			rows = strings.TrimPrefix(rows+",*", ",")
		}
		out = append(out, e.Op.String()+" "+e.View.Name+" "+rows)
	}
	return strings.Join(out, "; ")
}

// A truncated report without a list says less than one with: then its types are not known
// either.
func TestPayloadTruncatedAndEmpty(t *testing.T) {
	t.Parallel()
	f := mustFixture(t, payloadSchema)
	for _, success := range []string{"true", "false"} {
		got := runPayload(t, f, `{"success":`+success+`,"cascade":{"updated":[],"deleted":[],"metadata":{"affectedCount":3,"truncated":true},"invalidations":[]}}`)
		if !strings.Contains(got.Everything, "incomplete") {
			t.Errorf("success %s: everything = %q", success, got.Everything)
		}
	}
}

// The tags of payloads reach the answers that have the query field, and no others.
func TestPayloadTagsReachAnswers(t *testing.T) {
	t.Parallel()
	f := mustFixture(t, payloadSchema)
	r := rule{schema: payloadSchema, query: `{n: postCount}`, data: `{"postCount":1}`}
	if entry := r.read(t, f); !meet(entry, []cascade.Tag{cascade.RootField("postCount")}) || meet(entry, []cascade.Tag{cascade.RootField("n")}) {
		t.Error("an answer has the tags of its query fields by name, not by alias")
	}
}
