package cascade_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/cascadeql/cascadeql/cascade"
)

// checkTrace compares a trace with what Cascade and Publish do.
func checkTrace(plan *cascade.Plan, own []cascade.Tag, events []cascade.Event, part cascade.Partition) error {
	tr := plan.Trace(own, events, part)
	var nodes, all []string
	tags := slices.Clone(tr.Own)
	for i, n := range tr.Nodes {
		for _, e := range n.Events {
			if e.View != n.View || e.Op != n.Op {
				return fmt.Errorf("node %d of %s %s has the event %s", i, n.Op, n.View.Name, describe([]cascade.Event{e}))
			}
			nodes = append(nodes, describe([]cascade.Event{e}))
		}
		tags = append(tags, n.Tags...)
	}
	for _, e := range plan.Cascade(events) {
		all = append(all, describe([]cascade.Event{e}))
	}
	slices.Sort(nodes)
	slices.Sort(all)
	if !slices.Equal(nodes, all) {
		return fmt.Errorf("events of the nodes:%s\nof the cascade:%s", strings.Join(nodes, ""), strings.Join(all, ""))
	}
	if want := plan.Publish(slices.Clone(own), events, part); !slices.Equal(cascade.Merge(tags), want) {
		return fmt.Errorf("tags of the nodes %v, published %v", cascade.Merge(tags), want)
	}
	reached := make([]bool, len(tr.Nodes))
	for _, e := range tr.Edges {
		from, to := tr.Nodes[e.From], tr.Nodes[e.To]
		if !to.Derived || !slices.Contains(from.View.Dependents(), to.View) || !slices.Contains(to.View.DependsOn(), from.View) {
			return fmt.Errorf("edge from node %d, %s, to node %d, %s", e.From, from.View.Name, e.To, to.View.Name)
		}
		reached[e.To] = true
	}
	for i, n := range tr.Nodes {
		if n.Derived != reached[i] {
			return fmt.Errorf("node %d, %s: derived %v, has an edge %v", i, n.View.Name, n.Derived, reached[i])
		}
	}
	return nil
}

func TestTraceIsCascadeAndPublish(t *testing.T) {
	t.Parallel()
	edges := 0
	rapid.Check(t, func(rt *rapid.T) {
		m := newModel(rt, declareSome)
		f, err := newFixture(m.sdl())
		if err != nil {
			rt.Fatal(err)
		}
		m.plan = f.plan
		for range 3 {
			s := m.step(f)
			own := []cascade.Tag{{Hash: 7, Mask: 1}, cascade.RootField("x")}
			if err := checkTrace(f.plan, own, s.events, cascade.PartitionOf(s.caller)); err != nil {
				rt.Fatalf("%s\nevents %s\n%v", m.sdl(), describe(s.events), err)
			}
			edges += len(f.plan.Trace(nil, s.events, cascade.Partition{}).Edges)
		}
	})
	if edges == 0 {
		t.Error("no mutation of the models reaches a derived view")
	}
}

const traceSchema = `
	type Query {
		posts(author: ID!): [Post!]! @reads(view: "post", where: ["author_id = args.author"])
		all: [Post!]! @reads(view: "post")
		stats(id: ID!): Stats @reads(view: "stats", row: "args.id")
		report: Report @reads(view: "report")
	}
	type Post @view(name: "post", columns: ["author_id"]) { id: ID! title: String! }
	type Stats @view(name: "stats") @dependsOn(on: "post", key: "author_id") { id: ID! posts: Int! }
	type Report @view(name: "report") @dependsOn(on: "stats") @dependsOn(on: "post") { id: ID! text: String! }
	type Mutation { editPost(id: ID!, title: String!): Post! @writes(view: "post", op: "UPDATE", row: "args.id") }
`

// A view that is reached in two ways has one node, and an edge for each way.
func TestTraceOfTwoWays(t *testing.T) {
	t.Parallel()
	f, err := newFixture(traceSchema)
	if err != nil {
		t.Fatal(err)
	}
	events, ok := f.plan.RowEvent("post", cascade.ValueOf("p1"))
	if !ok {
		t.Fatal("no view post")
	}
	if err := checkTrace(f.plan, nil, events, cascade.Partition{}); err != nil {
		t.Fatal(err)
	}
	tr := f.plan.Trace(nil, events, cascade.Partition{})
	var nodes []string
	for _, n := range tr.Nodes {
		nodes = append(nodes, n.View.Name)
	}
	if want := []string{"post", "report", "stats"}; !slices.Equal(nodes, want) {
		t.Errorf("nodes %v, want %v", nodes, want)
	}
	want := []cascade.TraceEdge{{From: 0, To: 1}, {From: 0, To: 2, Key: "author_id"}, {From: 2, To: 1}}
	if !reflect.DeepEqual(tr.Edges, want) {
		t.Errorf("edges %v, want %v", tr.Edges, want)
	}
	if !slices.Equal(tr.Own, []cascade.Tag{cascade.Anything}) {
		t.Errorf("own tags %v", tr.Own)
	}
}

func TestDependencies(t *testing.T) {
	t.Parallel()
	f, err := newFixture(traceSchema)
	if err != nil {
		t.Fatal(err)
	}
	rows := []struct{ name, query, want string }{
		{"a condition is wider than the rows shown", `{ posts(author: "a") { id title } }`, "post where"},
		{"any row is wider than a condition", `{ posts(author: "a") { id } all { id } }`, "post all"},
		{"a row, and what it is derived from", `{ stats(id: "a") { id posts } }`, "stats rows, post derived via stats"},
		{"through a view that is read itself", `{ report { id } stats(id: "a") { id } }`, "report all, stats rows, post derived via report"},
		{"derived twice", `{ report { id } }`, "report all, post derived via report, stats derived via report"},
		{"a mutation", `mutation { editPost(id: "a", title: "b") { id } }`, ""},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			op, err := f.prepare(row.query, nil)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, d := range op.op.Dependencies() {
				text := d.View.Name + " " + d.How.String()
				if d.Via != nil {
					text += " via " + d.Via.Name
				}
				got = append(got, text)
			}
			if strings.Join(got, ", ") != row.want {
				t.Errorf("got %s, want %s", strings.Join(got, ", "), row.want)
			}
		})
	}
}
