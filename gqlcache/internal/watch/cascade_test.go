package watch_test

import (
	"fmt"
	"reflect"
	"testing"

	"github.com/cascadeql/cascadeql/cascade"
	"github.com/cascadeql/cascadeql/gqlcache/inspect"
	"github.com/cascadeql/cascadeql/gqlcache/internal/watch"
)

// blogTrace is a write of posts, which reaches statistics in two ways.
func blogTrace() (*cascade.Trace, []cascade.Tag) {
	t := &cascade.Trace{
		Nodes: []cascade.TraceNode{
			{View: view("post"), Op: cascade.Create, Tags: []cascade.Tag{{Hash: 1}, {Hash: 9}}, Events: []cascade.Event{
				{View: view("post"), Op: cascade.Create, Rows: []string{"p1", "p2"}},
				{View: view("post"), Op: cascade.Create, Rows: []string{"p3", "p4", "p5"}},
			}},
			{View: view("stats"), Derived: true, Tags: []cascade.Tag{{Hash: 2}, {Hash: 9}}, Events: []cascade.Event{{View: view("stats"), Rows: []string{"u1"}}}},
			{View: view("report"), Derived: true, Tags: []cascade.Tag{{Hash: 3}}, Events: []cascade.Event{{View: view("report"), All: true}}},
		},
		Edges: []cascade.TraceEdge{{From: 0, To: 1, Key: "author_id"}, {From: 0, To: 2}, {From: 1, To: 2}},
		Own:   []cascade.Tag{{Hash: 4}},
	}
	return t, []cascade.Tag{{Hash: 1}, {Hash: 2}, {Hash: 3}, {Hash: 4}, {Hash: 9}}
}

func TestCascadeOfAChange(t *testing.T) {
	t.Parallel()
	trace, tags := blogTrace()
	cause := inspect.Cause{Kind: "mutation", Name: "AddPosts"}
	fill := func(d *desk) {
		put(d.Recorder, "a", list, 0, cascade.Tag{Hash: 1}, cascade.Tag{Hash: 2})
		put(d.Recorder, "b", list, 0, cascade.Tag{Hash: 2}, cascade.Tag{Hash: 9}) // at the first node by its second tag
		put(d.Recorder, "c", one, 0, cascade.Tag{Hash: 3})
		put(d.Recorder, "d", one, 0, cascade.Tag{Hash: 4})
		put(d.Recorder, "e", one, 0, cascade.Tag{Hash: 5})
	}
	nodes := func(details ...string) []inspect.CascadeNode {
		return []inspect.CascadeNode{
			{ID: "cause", Kind: "cause", Label: "AddPosts", Detail: "mutation", Evicted: 1},
			{ID: "cause.op0", Kind: "operation", Label: "One", Detail: "2", Evicted: 1},
			{ID: "n0", Kind: "row", Label: "post", Detail: details[0], Evicted: 2},
			{ID: "n0.op0", Kind: "operation", Label: "List", Detail: "1", Evicted: 2},
			{ID: "n1", Kind: "view", Label: "stats", Detail: details[1]},
			{ID: "n2", Kind: "view", Label: "report", Detail: "unknown rows", Evicted: 1},
			{ID: "n2.op0", Kind: "operation", Label: "One", Detail: "2", Evicted: 1},
		}
	}
	edges := []inspect.CascadeEdge{
		{From: "cause", To: "cause.op0"}, {From: "cause", To: "n0", Via: "INSERT"}, {From: "n0", To: "n0.op0"}, {From: "n2", To: "n2.op0"},
		{From: "n0", To: "n1", Via: `@dependsOn(on: "post", key: "author_id")`}, {From: "n0", To: "n2", Via: `@dependsOn(on: "post")`},
		{From: "n1", To: "n2", Via: `@dependsOn(on: "stats")`},
	}
	rows := []struct {
		name string
		opts watch.Options
		want inspect.Cascade
	}{
		{"all of it", watch.Options{}, inspect.Cascade{Nodes: nodes("p1, p2, p3 and 2 more", "u1"), Edges: edges}},
		{"without keys", watch.Options{HideIDs: true}, inspect.Cascade{Nodes: nodes("5 rows", "1 row"), Edges: edges}},
		{"without room", watch.Options{Limits: watch.Limits{Nodes: 1}}, inspect.Cascade{
			Nodes: append(nodes("p1, p2, p3 and 2 more", "u1")[:4], inspect.CascadeNode{ID: "rest", Kind: "view", Label: "(other views)", Detail: "2 more", Evicted: 1}),
			Edges: []inspect.CascadeEdge{edges[0], edges[1], edges[2], {From: "cause", To: "rest"}}, Truncated: true,
		}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, row.opts)
			fill(d)
			got := d.Begin(watch.Change{Cause: cause, Trace: trace, Tags: tags}).Done(1, 0)
			if !reflect.DeepEqual(*got.Cascade, row.want) {
				t.Errorf("got  %+v\nwant %+v", *got.Cascade, row.want)
			}
			wantEvicted := inspect.Evicted{Entries: 4, Bytes: 40, Operations: []inspect.EvictedOperation{{Name: "List", Entries: 2}, {Name: "One", Entries: 2}}}
			if !reflect.DeepEqual(*got.Evicted, wantEvicted) || *got.Kept != 1 || got.Tags != 5 {
				t.Errorf("evicted %+v, kept %d, tags %d", *got.Evicted, *got.Kept, got.Tags)
			}
		})
	}
}

// Many operations at one node are cut, and the sums stay.
func TestManyOperationsFall(t *testing.T) {
	t.Parallel()
	d := newDesk(t, watch.Options{})
	const n = 50
	for i := range n {
		put(d.Recorder, fmt.Sprint("k", i), watch.NewOperation(fmt.Sprintf("Op%02d", i), "", nil), 0, cascade.Tag{Hash: 1})
	}
	got := d.Begin(watch.Change{Tags: []cascade.Tag{{Hash: 1}}}).Done(1, 0)
	sum := 0
	for _, o := range got.Evicted.Operations {
		sum += o.Entries
	}
	last := got.Evicted.Operations[len(got.Evicted.Operations)-1]
	if sum != n || got.Evicted.Entries != n || len(got.Evicted.Operations) != 21 || last.Name != "(other)" {
		t.Errorf("evicted %+v", got.Evicted)
	}
	if c := got.Cascade; len(c.Nodes) != 5 || !c.Truncated || c.Nodes[0].Evicted != n {
		t.Errorf("cascade %+v", c)
	}
}

func TestChanges(t *testing.T) {
	t.Parallel()
	trace, _ := blogTrace()
	want := []inspect.Change{
		{View: "post", Op: "INSERT", IDs: []string{"p1", "p2"}},
		{View: "post", Op: "INSERT", IDs: []string{"p3", "p4", "p5"}},
		{View: "stats", Op: "ANY", IDs: []string{"u1"}, Derived: true},
		{View: "report", Op: "ANY", Unknown: true, Derived: true},
	}
	if got := watch.Changes(trace, false); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	for _, c := range watch.Changes(trace, true) {
		if c.IDs != nil {
			t.Errorf("hidden: %+v", c)
		}
	}
	if got := watch.Changes(nil, false); got == nil || len(got) > 0 {
		t.Errorf("of no trace: %v", got)
	}
	var many cascade.Trace
	for range 300 {
		many.Nodes = append(many.Nodes, cascade.TraceNode{View: view("v"), Events: []cascade.Event{{Rows: make([]string, 100)}}})
	}
	if got := watch.Changes(&many, false); len(got) != 100 || len(got[0].IDs) != 20 {
		t.Errorf("%d changes", len(got))
	}
}

// The records of a log: this instance's own count for the change that waits, others are
// events.
func TestApplied(t *testing.T) {
	t.Parallel()
	tag := cascade.Tag{Hash: 1, Mask: 1}
	other := cascade.Tag{Hash: 2, Mask: 1}
	d := newDesk(t, watch.Options{})
	put(d.Recorder, "a", list, 0, tag)
	put(d.Recorder, "b", list, 0, other)
	mine := d.Begin(watch.Change{Cause: inspect.Cause{Kind: "mutation", Name: "Edit"}, Tags: []cascade.Tag{other, tag}})
	d.Applied("them", []cascade.Tag{other}, "", 1)
	d.Applied("me", []cascade.Tag{tag, other}, "", 2) // in another order
	put(d.Recorder, "a", list, 2, tag)                // computed after the change, before it is confirmed
	got := mine.Done(3, 0)
	if got.Evicted.Entries != 1 || *got.Kept != 0 || got.Seq != 2 {
		t.Errorf("own change: %+v, evicted %+v", got, got.Evicted)
	}
	log := d.Snapshot(0, nil).Log
	if len(log) != 2 || log[0].Cause != (inspect.Cause{Kind: "peer", Name: "them"}) || log[0].Evicted != 1 || log[1].Cause.Name != "Edit" {
		t.Errorf("log %+v", log)
	}
	if d.Sizes().Entries != 1 {
		t.Error("what was computed after the change has fallen")
	}
	d.Applied("me", []cascade.Tag{tag, other}, "", 4) // nothing waits for it any more
	if log := d.Snapshot(2, nil).Log; len(log) != 1 || log[0].Cause.Kind != "peer" || log[0].Evicted != 1 {
		t.Errorf("log %+v", log)
	}
	all := d.Begin(watch.Change{Everything: "undeclared"})
	d.Applied("", nil, "everything", 5)
	if inv := all.Done(5, 0); inv.Seq != 4 || all.Done(5, 0) != nil || d.Snapshot(0, nil).LogNext != 4 {
		t.Errorf("everything: %+v", inv)
	}
	var none *watch.Pending
	if none.Done(1, 0) != nil {
		t.Error("a change that began when nobody watched tells something")
	}
}

// The entries of one operation are taken out of the store.
func TestOnly(t *testing.T) {
	t.Parallel()
	d := newDesk(t, watch.Options{})
	put(d.Recorder, "a", list, 5)
	put(d.Recorder, "b", one, 5)
	p := d.Begin(watch.Change{Cause: inspect.Cause{Kind: "manual", Name: "invalidateOperation List"}, Cleared: true,
		Only: func(o *watch.Operation) bool { return o.Name() == "List" }})
	put(d.Recorder, "c", list, 5) // perhaps taken out, perhaps not
	got := p.Done(0, 0)
	if got.Evicted.Entries != 1 || *got.Kept != 2 || d.Sizes().Entries != 1 {
		t.Errorf("evicted %d, kept %d, index %d", got.Evicted.Entries, *got.Kept, d.Sizes().Entries)
	}
	for key, want := range map[string]string{"a": "cleared", "b": "evicted", "c": "miss"} {
		if why := d.Missed(d.Mark(), []byte(key), watch.Nothing); why.Code != want {
			t.Errorf("%s: %+v, want %s", key, why, want)
		}
	}
}
