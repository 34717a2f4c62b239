package watch_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/cascadeql/cascadeql/cascade"
	"github.com/cascadeql/cascadeql/gqlcache/inspect"
	"github.com/cascadeql/cascadeql/gqlcache/internal/watch"
)

// An answer is an entry as the model has it, with all that became of it.
type answer struct {
	key     string
	op      *watch.Operation
	tags    []cascade.Tag
	born    uint64
	size    int
	expires time.Time

	reached         []*change // before it expired
	cleared         []*change
	evicted, forgot bool // by the store, while it was good; its cells by the clock
	unsure          bool // stored while entries were removed
	stored          int
}

// A change is one that the clock has applied or that has emptied the store.
type change struct {
	seq     uint64 // once it is told
	number  uint64
	c       watch.Change
	pending *watch.Pending
	session int // in which it began
	began   int // world.stores then

	// What must be told of it, since it was applied.
	applied bool
	nodes   []int // what fell at each
	ops     map[string]int
	bytes   int64
	before  int // entries in the index
}

// A world is a cache without a cache: a store, a clock, and the recorder beside it. What
// the recorder should have in its index is kept naively.
type world struct {
	rt      *rapid.T
	rec     *watch.Recorder
	now     time.Time
	until   time.Time // somebody watches
	seq     uint64
	session int
	stores  int
	logged  bool // changes go to a log, whose records come back
	store   map[string]*answer
	last    map[string]*answer // by key, the last ever stored
	index   map[string]*answer
	open    []*change
	claims  map[string]map[string]bool // while a lookup is under way: what would be right to say
	count   map[string]int
}

func (w *world) pick(n int, what string) int { return rapid.IntRange(0, n-1).Draw(w.rt, what) }

var (
	modelKeys = []string{"a", "b", "c", "d", "e"}
	modelOps  = []*watch.Operation{
		watch.NewOperation("List", "1", []string{"post", "user"}),
		watch.NewOperation("One", "2", []string{"post"}),
		watch.NewOperation("", "3", nil),
	}
)

func (w *world) tags(most int) []cascade.Tag {
	tags := make([]cascade.Tag, w.pick(most, "tags"))
	for i := range tags {
		tags[i] = cascade.Tag{Hash: uint64(1 + w.pick(5, "tag")), Mask: uint64(w.pick(4, "mask"))}
	}
	return tags
}

func meets(a, b []cascade.Tag) bool {
	for _, x := range a {
		for _, y := range b {
			if x.Hash == y.Hash && (x.Mask == 0 || y.Mask == 0 || x.Mask&y.Mask != 0) {
				return true
			}
		}
	}
	return false
}

func (w *world) watching() bool { return w.now.Before(w.until) }

func (w *world) expired(a *answer) bool { return !w.now.Before(a.expires) }

func (w *world) live(a *answer) bool { return len(a.reached) == 0 && !a.forgot }

// removing says that a change which empties the store has begun.
func (w *world) removing() bool {
	return slices.ContainsFunc(w.open, func(c *change) bool { return c.c.Cleared })
}

func (w *world) fill() {
	key := modelKeys[w.pick(len(modelKeys), "key")]
	a := &answer{
		key: key, op: modelOps[w.pick(len(modelOps), "operation")], tags: w.tags(4), born: w.seq, size: 1 + w.pick(9, "size"),
		expires: w.now.Add(time.Duration(1+w.pick(60, "ttl")) * time.Second), unsure: w.removing(),
	}
	if !w.live(a) {
		return
	}
	w.stores++
	a.stored = w.stores
	w.store[key], w.last[key] = a, a
	w.rec.Stored(key, func() watch.Entry {
		return watch.Entry{
			Op: a.op, Parts: []inspect.KeyPart{{Name: "predicate", Fingerprint: key}}, Tags: slices.Clone(a.tags),
			Born: a.born, Size: a.size, Expires: a.expires, Cost: time.Second, Live: func() bool { return w.live(a) },
		}
	})
	if w.watching() {
		w.index[key] = a
	}
	w.observe()
}

// trace makes up nodes; the recorder does not look behind them.
func (w *world) trace() (*cascade.Trace, []cascade.Tag) {
	t := &cascade.Trace{Own: w.tags(2)}
	all := slices.Clone(t.Own)
	for i := range w.pick(4, "nodes") {
		n := cascade.TraceNode{View: &cascade.View{Name: []string{"post", "user", "stats"}[i]}, Derived: i > 0, Tags: w.tags(3)}
		n.Events = []cascade.Event{{View: n.View, Rows: []string{"r1"}, All: i > 1}}
		if i > 0 {
			t.Edges = append(t.Edges, cascade.TraceEdge{From: i - 1, To: i})
		}
		t.Nodes = append(t.Nodes, n)
		all = append(all, n.Tags...)
	}
	return t, all
}

// begin applies a change, and leaves it pending.
func (w *world) begin() {
	c := &change{session: w.session, began: w.stores, c: watch.Change{Cause: inspect.Cause{Kind: "mutation", Name: "Edit"}}}
	kind := w.pick(6, "kind")
	switch kind {
	case 0:
		c.c.Everything = "undeclared"
	case 1:
		c.c.Everything, c.c.Cleared = "cleared", true
	case 2:
		op := modelOps[w.pick(len(modelOps), "operation")]
		c.c.Only, c.c.Cleared = func(o *watch.Operation) bool { return o.Hash() == op.Hash() }, true
	default:
		c.c.Trace, c.c.Tags = w.trace()
	}
	c.pending = w.rec.Begin(c.c)
	w.open = append(w.open, c)
	if c.c.Only == nil {
		w.seq++
		c.number = w.seq
		for _, a := range w.last {
			if c.reaches(a) && !w.expired(a) {
				a.reached = append(a.reached, c)
			}
		}
	}
	if w.logged && c.c.Only == nil && w.watching() {
		w.fall(c)
		w.rec.Applied("me", c.c.Tags, c.c.Everything, c.number)
		c.seq = w.lastEvent().Seq
	}
	if c.c.Cleared {
		for key, a := range w.last {
			a.unsure = true
			if c.c.Only == nil || c.c.Only(a.op) {
				a.cleared = append(a.cleared, c)
				delete(w.store, key)
			}
		}
	}
	w.observe()
}

func (c *change) reaches(a *answer) bool {
	return a.born < c.number && (c.c.Everything != "" || meets(a.tags, c.c.Tags))
}

func (w *world) done() {
	if len(w.open) == 0 {
		return
	}
	i := w.pick(len(w.open), "open")
	c := w.open[i]
	w.open = slices.Delete(w.open, i, i+1)
	if !c.applied {
		w.fall(c)
	}
	if c.c.Cleared { // of what was stored meanwhile nothing is known
		maps.DeleteFunc(w.index, func(_ string, a *answer) bool {
			return (a.stored > c.began || c.session != w.session) && (c.c.Only == nil || c.c.Only(a.op))
		})
	}
	inv := c.pending.Done(c.number, time.Millisecond)
	if c.session != w.session || !w.watching() || inv == nil { // what it tells is of a session that is over
		return
	}
	c.seq = inv.Seq
	w.checkInvalidation(c, inv)
	w.observe()
}

// peer applies a change of another instance.
func (w *world) peer() {
	if !w.logged {
		return
	}
	w.seq++
	c := &change{session: w.session, number: w.seq, c: watch.Change{Tags: w.tags(3)}}
	for _, a := range w.last {
		if c.reaches(a) && !w.expired(a) {
			a.reached = append(a.reached, c)
		}
	}
	w.observe()
	w.fall(c)
	w.rec.Applied("other", c.c.Tags, "", c.number)
	if !w.watching() {
		return
	}
	event := w.lastEvent()
	c.seq = event.Seq
	if event.Cause.Kind != "peer" || event.Evicted != c.nodes[0] || event.Kept != c.before-c.nodes[0] {
		w.rt.Fatalf("a peer's change: %+v, want %d of %d evicted", event, c.nodes[0], c.before)
	}
}

func (w *world) lastEvent() inspect.LogEvent {
	log := w.rec.Snapshot(0, nil).Log
	if len(log) == 0 {
		w.rt.Fatal("the log is empty")
	}
	return log[len(log)-1]
}

// syncIndex takes out of the naive index what the recorder has taken out on its own: what
// has expired.
func (w *world) syncIndex() {
	w.rec.Snapshot(0, nil)
	maps.DeleteFunc(w.index, func(_ string, a *answer) bool { return w.expired(a) })
	if !w.watching() {
		clear(w.index)
	}
}

// fall notes what falls with a change, and at which node, by a look at every entry.
func (w *world) fall(c *change) {
	w.syncIndex()
	c.applied, c.ops, c.before = true, map[string]int{}, len(w.index)
	var nodes [][]cascade.Tag
	if c.c.Trace != nil {
		for _, n := range c.c.Trace.Nodes {
			nodes = append(nodes, n.Tags)
		}
	}
	c.nodes = make([]int, 1+len(nodes))
	if c.session != w.session {
		return
	}
	for key, a := range w.index {
		falls := c.reaches(a)
		if c.c.Only != nil {
			falls = c.c.Only(a.op) && a.stored <= c.began
		}
		if !falls {
			continue
		}
		delete(w.index, key)
		c.bytes += int64(a.size)
		name := a.op.Name()
		if name == "" {
			name = "(anonymous)"
		}
		c.ops[name]++
		at := slices.IndexFunc(nodes, func(tags []cascade.Tag) bool { return c.c.Everything == "" && meets(a.tags, tags) })
		c.nodes[at+1]++
	}
}

// checkInvalidation compares what is told with what had to fall.
func (w *world) checkInvalidation(c *change, inv *inspect.Invalidation) {
	var nodes []int
	sum := 0
	below := map[string]int{} // evictions of operations, by the node above
	for _, n := range inv.Cascade.Nodes {
		if n.Kind == "operation" {
			at := slices.IndexFunc(inv.Cascade.Edges, func(e inspect.CascadeEdge) bool { return e.To == n.ID })
			below[inv.Cascade.Edges[at].From] += n.Evicted
			continue
		}
		nodes = append(nodes, n.Evicted)
		sum += n.Evicted
	}
	if !slices.Equal(nodes, c.nodes) {
		w.rt.Fatalf("evicted at the nodes %v, want %v of %d", nodes, c.nodes, c.before)
	}
	for _, n := range inv.Cascade.Nodes {
		if n.Kind != "operation" && below[n.ID] != n.Evicted {
			w.rt.Fatalf("at %s %d fell, of its operations %d", n.ID, n.Evicted, below[n.ID])
		}
	}
	ops := map[string]int{}
	for _, o := range inv.Evicted.Operations {
		ops[o.Name] = o.Entries
	}
	if sum != inv.Evicted.Entries || sum+*inv.Kept != c.before || inv.Evicted.Bytes != c.bytes || !maps.Equal(ops, c.ops) {
		w.rt.Fatalf("nodes evicted %d, in all %d, kept %d of %d; %d bytes, want %d; operations %v, want %v",
			sum, inv.Evicted.Entries, *inv.Kept, c.before, inv.Evicted.Bytes, c.bytes, ops, c.ops)
	}
	events := w.rec.Snapshot(inv.Seq-1, nil).Log
	if len(events) == 0 || events[0].Seq != inv.Seq || events[0].Evicted != sum || events[0].Kept != *inv.Kept || events[0].DurationUS != 1000 {
		w.rt.Fatalf("log after %d: %+v", inv.Seq-1, events)
	}
	w.count["fell"] += sum
}

// observe adds what is right to say now of the keys that are being looked up.
func (w *world) observe() {
	for key, claims := range w.claims {
		a := w.last[key]
		if a == nil {
			claims["cold"] = true
			continue
		}
		if w.expired(a) {
			claims["expired"] = true
		}
		if a.evicted {
			claims["evicted"] = true
		}
		for _, c := range a.reached {
			claims["invalidated"] = true
			claims[fmt.Sprintf("invalidated %d", c.seq)] = true
			claims[fmt.Sprintf("cleared %d", c.seq)] = c.c.Cleared
		}
		for _, c := range a.cleared {
			claims[fmt.Sprintf("cleared %d", c.seq)] = true
		}
	}
}

// lookup looks a key up; other things may happen between the mark and the look, and
// before the miss is told.
func (w *world) lookup(meanwhile bool) {
	key := modelKeys[w.pick(len(modelKeys), "key")]
	mark := w.rec.Mark()
	w.claims[key] = map[string]bool{"miss": true}
	w.observe()
	w.some(meanwhile)
	w.observe() // time may have passed
	a := w.store[key]
	found := watch.Nothing
	switch {
	case a != nil && w.expired(a):
		delete(w.store, key)
	case a != nil && w.live(a):
		w.rec.Served([]byte(key), a.op, time.Millisecond)
		delete(w.claims, key)
		return
	case a != nil:
		found = watch.Dead
	}
	w.some(meanwhile)
	w.observe()
	w.syncIndex()
	why := w.rec.Missed(mark, []byte(key), found)
	claim := why.Code
	if why.Seq > 0 {
		claim += fmt.Sprintf(" %d", why.Seq)
	}
	if found == watch.Dead && why.Code == "miss" {
		w.rt.Fatalf("%s was found dead, and nothing is said", key)
	}
	if !w.claims[key][claim] {
		w.rt.Fatalf("%s is said to be missing for %s (%s); right is %v", key, claim, why.Message, w.claims[key])
	}
	if ix := w.index[key]; !meanwhile && why.Code == "miss" && ix != nil && len(w.open) == 0 && !ix.forgot && !ix.unsure {
		w.rt.Fatalf("%s is in the index, and nothing is said of it: %v", key, w.claims[key])
	}
	w.count[why.Code]++
	if why.Code == "evicted" || why.Code == "expired" {
		if ix := w.index[key]; ix != nil && ix == w.last[key] {
			delete(w.index, key)
		}
	}
	delete(w.claims, key)
}

func (w *world) some(meanwhile bool) {
	if !meanwhile {
		return
	}
	for range w.pick(4, "meanwhile") {
		w.step(false)
	}
}

func (w *world) step(lookups bool) {
	n := 10
	if lookups {
		n = 13
	}
	switch w.pick(n, "step") {
	case 0, 1, 2:
		w.fill()
	case 3:
		w.begin()
	case 4:
		w.begin()
		for len(w.open) > 0 {
			w.done()
		}
	case 5:
		w.done()
	case 6: // the store evicts
		key := modelKeys[w.pick(len(modelKeys), "key")]
		if a := w.store[key]; a != nil {
			delete(w.store, key)
			a.evicted = w.live(a) && !w.expired(a)
		}
	case 7: // a sweep removes what is dead, and the cells of what is not stored
		maps.DeleteFunc(w.store, func(_ string, a *answer) bool { return !w.live(a) })
		for key, a := range w.last {
			a.forgot = a.forgot || w.store[key] == nil
		}
	case 8:
		w.now = w.now.Add(time.Duration(1+w.pick(20, "seconds")) * time.Second)
		w.syncIndex()
	case 9:
		w.peer()
	case 10:
		if !w.watching() {
			w.session++
		}
		w.rec.Watch()
		w.until = w.now.Add(30 * time.Second)
	case 11:
		w.lookup(true)
	case 12:
		w.lookup(false)
	}
	w.observe()
	if err := w.rec.Check(); err != nil {
		w.rt.Fatal(err)
	}
	if got := w.rec.Sizes().Entries; w.watching() && got != len(w.index) {
		w.rt.Fatalf("%d entries in the index, want %d", got, len(w.index))
	}
}

// TestAgainstModel runs random histories of a store, a clock and watchers. What is said
// of a miss must be right at some moment of the lookup, and an invalidation must count
// what a look at all entries counts, at the nodes where it counts it.
func TestAgainstModel(t *testing.T) {
	t.Parallel()
	count := map[string]int{}
	rapid.Check(t, func(rt *rapid.T) {
		w := &world{
			rt: rt, now: time.Unix(1e9, 0), store: map[string]*answer{}, last: map[string]*answer{}, index: map[string]*answer{},
			claims: map[string]map[string]bool{}, count: count,
		}
		w.logged = rapid.Bool().Draw(rt, "logged")
		w.rec = watch.New(watch.Options{Now: func() time.Time { return w.now }})
		defer w.rec.Close()
		for range 200 {
			w.step(true)
		}
	})
	for _, what := range []string{"cold", "expired", "evicted", "invalidated", "cleared", "miss", "fell"} {
		if count[what] == 0 {
			t.Errorf("never: %s", what)
		}
	}
	t.Log(count)
}
