package cascade_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/cascadeql/cascadeql/cascade"
)

// named returns the views that a reader of tags finds in them by the tags that every
// change of a view publishes.
func named(p *cascade.Plan, tags []cascade.Tag) (views []*cascade.View) {
	for _, v := range p.Views() {
		if slices.ContainsFunc(tags, func(t cascade.Tag) bool { return t.Hash == v.ReachedTag() }) {
			views = append(views, v)
		}
	}
	return views
}

// TestWholeViewsReach: who knows of a change only which views it has reached, and calls
// the partitions otherwise, drops all that falls by the change's own tags. The tags name
// the views of all events, derived ones included, and no others.
func TestWholeViewsReach(t *testing.T) {
	t.Parallel()
	for _, l := range []level{declareAll, declareSome} {
		fell := 0
		rapid.Check(t, func(rt *rapid.T) {
			m := newModel(rt, l)
			f, err := newFixture(m.sdl())
			if err != nil {
				rt.Fatal(err)
			}
			m.plan = f.plan
			c := &cached{caller: tenants[m.pick(3, "caller")], text: m.query()}
			if c.op, err = f.prepare("query "+c.text.String(), c.text.vars); err != nil {
				rt.Fatal(err)
			}
			m.caller = c.caller
			res, err := c.op.execute(m.resolve, typeName)
			if err != nil {
				rt.Fatal(err)
			}
			reads := func(partition string) []cascade.Tag {
				tags, err := c.op.op.Reads(nil, c.op.vars, res, cascade.PartitionOf(partition), m.predicate())
				if err != nil {
					rt.Fatal(err)
				}
				return tags
			}
			other := c.caller
			if other != "" {
				other = "renamed " + other
			}
			own, renamed := reads(c.caller), reads(other)
			s := m.step(f)
			if s.everything != "" {
				return
			}
			views := named(f.plan, s.tags)
			for _, e := range f.plan.Cascade(s.events) {
				reached := e.Columns != 0 && (e.All || len(e.Rows) > 0)
				if reached && !slices.Contains(views, e.View) {
					rt.Fatalf("view %s is not named", e.View.Name)
				}
			}
			whole := f.plan.Publish(nil, cascade.WholeViews(views), cascade.Partition{})
			if meet(own, s.tags) && len(views) > 0 {
				fell++
				if !meet(own, whole) || !meet(renamed, whole) {
					rt.Fatalf("an answer falls by a change of %d views, and not by the views\n\n%s\nquery %s %v as %q\nmutation %s %v as %q",
						len(views), m.sdl(), c.text, c.text.vars, c.caller, s.text, s.text.vars, s.caller)
				}
			}
		})
		if fell == 0 {
			t.Errorf("%s declared: no answer fell", l)
		}
	}
}

// TestWholeViewsReachRows: rows that an answer holds by their keys alone fall by a change
// of the whole view too. A change that only creates rows would pass them by. A change
// inside of a partition names its view. Random schemas ask this too rarely.
func TestWholeViewsReachRows(t *testing.T) {
	t.Parallel()
	for _, partitioned := range []string{"", ", partitioned: true"} {
		f := mustFixture(t, `type Query { p(id: ID!): P @reads(view: "v_post", row: "args.id") }
			type P @view(name: "v_post"`+partitioned+`) { id: ID! title: String }
			type Mutation { w: P @writes(view: "v_post") }`)
		op, err := f.prepare(`query { p(id: 1) { id title } }`, nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := op.execute(tree(t, `{"p":{"id":"1","title":"a"}}`))
		if err != nil {
			t.Fatal(err)
		}
		reads, err := op.op.Reads(nil, op.vars, res, cascade.PartitionOf("tenant"), nil)
		if err != nil {
			t.Fatal(err)
		}
		if whole := f.plan.Publish(nil, cascade.WholeViews(f.plan.Views()), cascade.Partition{}); !meet(reads, whole) {
			t.Errorf("@view(%s): a row outlives a change of its whole view", partitioned)
		}
		change := []cascade.Event{{View: f.plan.Views()[0], Op: cascade.Update, Rows: []string{"1"}, Columns: cascade.AllColumns}}
		if names := named(f.plan, f.plan.Publish(nil, change, cascade.PartitionOf("tenant"))); len(names) != 1 {
			t.Errorf("@view(%s): a change of one row names %d views", partitioned, len(names))
		}
	}
}

// TestViewNamesAreOfNoSchema: a view's name in records is the same whatever else a schema
// says.
func TestViewNamesAreOfNoSchema(t *testing.T) {
	t.Parallel()
	view := func(sdl string) *cascade.View {
		f := mustFixture(t, sdl)
		return f.plan.Views()[slices.IndexFunc(f.plan.Views(), func(v *cascade.View) bool { return v.Name == "v_post" })]
	}
	a := view(`type Query { p(id: ID!): P @reads(view: "v_post", row: "args.id") } type P @view(name: "v_post") { id: ID! title: String }
		type Mutation { w: P @writes(view: "v_post") }`)
	b := view(`type Query { q: [Q!]! @reads(view: "v_post") } type Q @view(name: "v_post", key: "key", partitioned: true) { key: ID! text: String more: Int }
		type Mutation { w: Q @writes(view: "v_post") }`)
	if a.NameHash() != b.NameHash() {
		t.Error("one name has two hashes")
	}
}

// TestLayout: two schemas that mean the same, but number their columns otherwise, differ
// in their layout.
func TestLayout(t *testing.T) {
	t.Parallel()
	layout := func(sdl string) string { return string(mustFixture(t, sdl).plan.AppendLayout(nil)) }
	const begin = `type Query { p(id: ID!): P @reads(view: "v", row: "args.id") } type Mutation { w: P @writes(view: "v") } `
	a := layout(begin + `type P @view(name: "v") { id: ID! } extend type P { a: Int } extend type P { b: Int }`)
	b := layout(begin + `type P @view(name: "v") { id: ID! } extend type P { b: Int } extend type P { a: Int }`)
	if a == b || a == "" {
		t.Errorf("layouts %q and %q", a, b)
	}
}
