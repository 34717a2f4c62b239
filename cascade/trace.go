package cascade

// A Trace is how changes went through the view graph, for people to look at. It belongs
// to who asked for it; the events and views in it may not be changed.
type Trace struct {
	// Nodes are what was written, then what follows from it, those nearest to the write
	// first. There is at most one for each view and kind of write, and one for each
	// derived view.
	Nodes []TraceNode
	// Edges lead from what was written to what follows, without a cycle. A node that is
	// reached in several ways has several.
	Edges []TraceEdge
	// Own are the tags that come from no event: those given to Trace, and Anything.
	Own []Tag
}

// A TraceNode is a view with its changes of one kind.
type TraceNode struct {
	View *View
	// Op is Any for a derived view.
	Op      Op
	Derived bool
	// Events are those of the node, as Cascade has them, Tags what they publish, merged.
	Events []Event
	Tags   []Tag
}

// A TraceEdge is a @dependsOn: rows of the view of node To follow from those of node
// From. Key is the column of From's view that holds the key of To's row; "" when every
// row follows.
type TraceEdge struct {
	From, To int
	Key      string
}

// Trace tells what Cascade and Publish do with some events: the events of its nodes are
// those of Cascade, each in one node, and the tags of its nodes and its own, merged, are
// those of Publish with the same arguments. It costs more than both together. The
// arguments are not changed, and more is not kept.
func (p *Plan) Trace(more []Tag, events []Event, part Partition) *Trace {
	type link struct {
		from, to int
		key      string
	}
	var links []link
	all := follow(events, func(from, to int, by *edge) { links = append(links, link{from, to, by.key}) })

	type kind struct {
		view    *View
		op      Op
		derived bool
	}
	t := &Trace{}
	nodes := map[kind]int{}
	of := make([]int, len(all)) // the node of an event
	for i := range all {
		e := &all[i]
		k := kind{e.View, e.Op, i >= len(events)}
		n, ok := nodes[k]
		if !ok {
			n = len(t.Nodes)
			nodes[k] = n
			t.Nodes = append(t.Nodes, TraceNode{View: k.view, Op: k.op, Derived: k.derived})
		}
		t.Nodes[n].Events = append(t.Nodes[n].Events, *e)
		of[i] = n
	}
	seen := map[TraceEdge]bool{}
	for _, l := range links {
		e := TraceEdge{of[l.from], of[l.to], l.key}
		if !seen[e] {
			seen[e] = true
			t.Edges = append(t.Edges, e)
		}
	}
	for i := range t.Nodes {
		n := &t.Nodes[i]
		var pub publisher
		for j := range n.Events {
			pub.add(&n.Events[j], part)
		}
		n.Tags = Merge(pub.out)
	}
	t.Own = Merge(append(append([]Tag(nil), more...), Anything))
	return t
}
