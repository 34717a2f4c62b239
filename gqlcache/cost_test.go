package gqlcache_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cascadeql/cascadeql/cascade"
	"github.com/cascadeql/cascadeql/gqlcache/internal/clock"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
)

// dependents is how many views are derived from the one that is written, each by its key.
const dependents = 10

// costPlan compiles a view with its dependents, which are read by row and by column.
func costPlan(tb testing.TB) (*cascade.Plan, *ast.Schema) {
	tb.Helper()
	var types, fields strings.Builder
	for i := range dependents {
		fmt.Fprintf(&types, "type D%d @view(name: \"d%d\", partitioned: true) @dependsOn(on: \"Base\", key: \"owner\") { id: ID! kind: String }\n", i, i)
		fmt.Fprintf(&fields, "d%d(id: ID!): D%d\n  all%d(kind: String!): [D%d!]! @reads(view: \"D%d\", where: [\"kind\"], using: [])\n", i, i, i, i, i)
	}
	schema, err := gqlparser.LoadSchema(
		&ast.Source{Name: "directives.graphql", Input: cascade.SDL("")},
		&ast.Source{Name: "schema.graphql", Input: `
type Base @view(name: "base", partitioned: true) { id: ID! owner: ID! kind: String }
` + types.String() + `type Query {
  base(id: ID!): Base
  bases(owner: ID!): [Base!]! @reads(view: "Base", where: ["owner"], using: ["kind"])
  ` + fields.String() + `}
type Mutation { update(id: ID!, owner: ID!): Base @writes(view: "Base", op: "UPDATE", row: "args.id", set: ["owner = args.owner"], fields: ["owner"]) }`},
	)
	if err != nil {
		tb.Fatal(err)
	}
	plan, err := cascade.Compile(schema, cascade.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	return plan, schema
}

// A costMutation is an operation that changes one row, with an owner before and after.
type costMutation struct {
	plan        *cascade.Plan
	op, queried *cascade.Operation
	part        cascade.Partition
}

func newCostMutation(tb testing.TB) *costMutation {
	tb.Helper()
	plan, schema := costPlan(tb)
	operation := func(text string) *cascade.Operation {
		doc, errs := gqlparser.LoadQuery(schema, text)
		if errs != nil {
			tb.Fatal(errs)
		}
		op, err := plan.Operation(doc, doc.Operations[0])
		if err != nil {
			tb.Fatal(err)
		}
		return op
	}
	return &costMutation{
		plan, operation(`mutation($id: ID!, $owner: ID!) { update(id: $id, owner: $owner) { id } }`),
		operation(`query($id: ID!, $owner: ID!) { base(id: $id) { id kind } d0(id: $owner) { id kind } }`),
		cascade.PartitionOf("tenant"),
	}
}

// run does what the cache does when a mutation has answered, and returns the number of
// tags.
func (m *costMutation) run(c *clock.Clock, n int) int {
	row, before, after := fmt.Sprint("row", n), cascade.ValueOf(fmt.Sprint("owner", n)), cascade.ValueOf(fmt.Sprint("owner", n+1))
	report, _ := m.plan.NewReport("Base", cascade.ValueOf(row), "owner", before, after)
	events, _ := m.op.Events(cascade.Outcome{
		Vars:    map[string]any{"id": row, "owner": after.String()},
		Reports: []cascade.Report{report},
	})
	tags := m.plan.Publish(nil, events, m.part)
	c.Apply(tags)
	return len(tags)
}

// fill puts entries into a clock: two for each row, which they show with one that is
// derived from it.
func (m *costMutation) fill(tb testing.TB, c *clock.Clock, entries int) []*clock.Stamp {
	tb.Helper()
	stamps := make([]*clock.Stamp, entries)
	var tags []cascade.Tag
	for n := range stamps {
		row, owner := fmt.Sprint("row", n/2), fmt.Sprint("owner", n/2)
		res, err := m.queried.Extract.Walk(fmt.Appendf(nil, `{"base":{"id":%q,"kind":"a"},"d0":{"id":%q,"kind":"b"}}`, row, owner))
		if err != nil {
			tb.Fatal(err)
		}
		tags, err = m.queried.ReadsOf(tags[:0], cascade.Answer{Vars: map[string]any{"id": row, "owner": owner}, Result: res, Part: m.part})
		if err != nil {
			tb.Fatal(err)
		}
		var ok bool
		if stamps[n], ok = c.Finish(c.Begin(), tags); !ok {
			tb.Fatal("refused")
		}
	}
	return stamps
}

// A mutation costs what its tags cost, whatever is cached.
func TestMutationCost(t *testing.T) {
	m := newCostMutation(t)
	var tags []int
	for _, entries := range []int{0, 20_000} {
		c := clock.New(clock.Options{})
		stamps := m.fill(t, c, entries)
		var took []time.Duration
		for n := range 301 {
			start := time.Now()
			count := m.run(c, n)
			took = append(took, time.Since(start))
			if n == 0 {
				tags = append(tags, count)
			}
		}
		slices.Sort(took)
		// not the slowest: other programs do not matter
		if limit := 100 * time.Microsecond; took[len(took)/5] > limit && !raceEnabled {
			t.Errorf("%d entries: %v, more than %v", entries, took[len(took)/5], limit)
		}
		for n, s := range stamps {
			if changed := n/2 <= 301; c.Valid(s) == changed {
				t.Fatalf("entry %d: changed %v and valid %v", n, changed, !changed)
			}
		}
	}
	if tags[0] != tags[1] || tags[0] > 20*dependents {
		t.Errorf("tags %v with %d dependents", tags, dependents)
	}
}

// BenchmarkMutationCost changes a row on which ten views depend, with ever more entries
// in the cache.
func BenchmarkMutationCost(b *testing.B) {
	for _, entries := range []int{1_000, 100_000, 1_000_000} {
		b.Run(fmt.Sprintf("entries=%d", entries), func(b *testing.B) {
			m := newCostMutation(b)
			c := clock.New(clock.Options{})
			stamps := m.fill(b, c, entries)
			b.ReportAllocs()
			tags, n := 0, 0
			for b.Loop() {
				n++
				tags = m.run(c, n%entries)
			}
			b.ReportMetric(float64(tags), "tags")
			if last := stamps[len(stamps)-1]; n < entries/2-1 && !c.Valid(last) {
				b.Error("an entry fell without a change of its row")
			}
		})
	}
}
