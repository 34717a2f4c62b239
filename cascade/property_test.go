package cascade_test

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/cascadeql/cascadeql/cascade"
)

// An opText is a random operation.
type opText struct {
	m    *model
	b    strings.Builder
	decl []string // variables
	next int      // number of the next alias
	vars map[string]any
}

func (o *opText) String() string {
	text := o.b.String()
	if len(o.decl) > 0 {
		text = "(" + strings.Join(o.decl, ", ") + ") " + text
	}
	return text
}

// selection writes random fields of a type.
func (o *opText) selection(typ string, depth int) {
	t := o.m.types[typ]
	o.b.WriteString("{")
	if strings.HasPrefix(t.head, "union") || strings.HasPrefix(t.head, "interface") {
		o.b.WriteString("__typename")
		for _, table := range o.m.tables {
			if (typ == "Hit" || table.node) && o.m.chance(60, "fragment") {
				o.b.WriteString(" ... on " + table.name + " ")
				o.selection(table.name, depth-1)
			}
		}
		o.b.WriteString("}")
		return
	}
	n := 0
	for range 1 + o.m.pick(3, "fields") {
		f := t.fields[o.m.pick(len(t.fields), "field")]
		if len(t.windows) > 0 && o.m.chance(40, "window") {
			f = t.windows[o.m.pick(len(t.windows), "field")]
		}
		target := strings.Trim(f.typ, "[]!")
		if depth <= 0 && o.m.types[target] != nil {
			continue
		}
		o.next++
		o.field(f, fmt.Sprintf("f%d", o.next), depth)
		n++
	}
	if n == 0 {
		o.b.WriteString("__typename")
	}
	o.b.WriteString("}")
}

func (o *opText) field(f *modelField, alias string, depth int) {
	o.b.WriteString(" " + alias + ": " + f.name)
	var args []string
	for _, a := range f.args {
		if !strings.HasSuffix(a.typ, "!") && a.name != "limit" && o.m.chance(30, "omitted") {
			continue
		}
		args = append(args, a.name+": "+o.argument(a))
	}
	if len(args) > 0 {
		o.b.WriteString("(" + strings.Join(args, ", ") + ")")
	}
	if target := strings.Trim(f.typ, "[]!"); o.m.types[target] != nil {
		o.selection(target, depth-1)
	}
}

func (o *opText) argument(a modelArg) string {
	v := a.value()
	if !strings.HasSuffix(a.typ, "!") && o.m.chance(10, "null") {
		v = nil
	}
	v = o.m.spell(v, a.name == "term" || strings.HasPrefix(a.name, "find"))
	if list, ok := v.([]any); ok && len(list) == 1 && o.m.chance(30, "single") {
		v = list[0]
	}
	if o.m.chance(25, "variable") {
		name := fmt.Sprintf("v%d", len(o.decl))
		o.decl = append(o.decl, "$"+name+": "+a.typ)
		o.vars[name] = v
		return "$" + name
	}
	return literal(v)
}

func literal(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case string:
		return strconv.Quote(v)
	case []any:
		var items []string
		for _, e := range v {
			items = append(items, literal(e))
		}
		return "[" + strings.Join(items, ", ") + "]"
	case map[string]any:
		var items []string
		for _, k := range slices.Sorted(maps.Keys(v)) {
			items = append(items, k+": "+literal(v[k]))
		}
		return "{" + strings.Join(items, ", ") + "}"
	default:
		return fmt.Sprint(v)
	}
}

func (m *model) query() *opText {
	o := &opText{m: m, vars: map[string]any{}}
	if windows := m.types["Query"].windows; m.chance(40, "one window") { // nothing else hears what it may ignore
		o.b.WriteString("{")
		o.field(windows[m.pick(len(windows), "window")], "f0", 0)
		o.b.WriteString("}")
		return o
	}
	o.selection("Query", 3)
	return o
}

// mutation writes one field of the mutation type, or two.
func (m *model) mutation() *opText {
	o := &opText{m: m, vars: map[string]any{}}
	o.b.WriteString("{")
	fields := m.types["Mutation"].fields
	for i := range 1 + m.pick(6, "two fields")/5 {
		o.field(fields[m.pick(len(fields), "mutation")], fmt.Sprintf("m%d", i), 1)
	}
	o.b.WriteString("}")
	return o
}

// A cached is an answer with the tags that it was stored under.
type cached struct {
	caller string
	text   *opText
	op     *prepared
	data   []byte
	tags   []cascade.Tag
}

func (c *cached) compute(m *model) error {
	m.caller = c.caller
	res, err := c.op.execute(m.resolve, typeName)
	if err != nil {
		return err
	}
	c.data = res.Data
	c.tags, err = c.op.op.Reads(nil, c.op.vars, res, cascade.PartitionOf(c.caller), m.predicate())
	return err
}

// predicate names the columns that the caller's condition compares.
func (m *model) predicate() []string {
	var names []string
	for _, t := range m.tables {
		if t.tenanted && m.caller != "" {
			names = append(names, t.name+".tenant_id")
		}
	}
	return names
}

// A tally counts what mutations did to answers that were there.
type tally struct{ answers, changed, fell, kept int }

// history runs random operations on a random model: whatever changes the bytes of an
// answer must make it fall. An answer that stays keeps the tags of the time when it was
// computed.
func history(rt *rapid.T, l level, count *tally) {
	m := newModel(rt, l)
	f, err := newFixture(m.sdl())
	if err != nil {
		rt.Fatal(err)
	}
	m.plan = f.plan
	var entries []*cached
	for range 1 + m.pick(3, "queries") {
		c := &cached{caller: tenants[m.pick(3, "caller")], text: m.query()}
		if c.op, err = f.prepare("query "+c.text.String(), c.text.vars); err != nil {
			rt.Fatal(err)
		}
		if err := c.compute(m); err != nil {
			rt.Fatal(err)
		}
		entries = append(entries, c)
	}
	for range 1 + m.pick(3, "mutations") {
		before := m.dump()
		s := m.step(f)
		for _, c := range entries {
			old := *c
			if err := c.compute(m); err != nil {
				rt.Fatal(err)
			}
			falls := s.everything != "" || meet(old.tags, s.tags)
			changed := !bytes.Equal(old.data, c.data)
			if changed && !falls {
				rt.Fatalf("stale answer\n\n%s\n--- database before\n%s--- database after\n%s\nquery %s %v as %q\nmutation %s %v as %q, failed %v, reports %+v\nbefore %s\nafter  %s\nevents %s",
					m.sdl(), before, m.dump(), c.text, c.text.vars, c.caller, s.text, s.text.vars, s.caller, s.failed, m.reports, old.data, c.data, describe(s.events))
			}
			count.add(changed, falls)
			if !falls {
				*c = old
			}
		}
	}
}

func (t *tally) add(changed, falls bool) {
	t.answers++
	switch {
	case changed:
		t.changed++
	case falls:
		t.fell++
	default:
		t.kept++
	}
}

func describe(events []cascade.Event) string {
	var b strings.Builder
	for _, e := range events {
		fmt.Fprintf(&b, "\n  %s %s rows %v all %v columns %x old %v new %v", e.Op, e.View.Name, e.Rows, e.All, uint64(e.Columns), e.Old, e.New)
	}
	return b.String()
}

// A step is one mutation and what it published.
type step struct {
	text       *opText
	caller     string
	failed     bool
	events     []cascade.Event
	everything string
	tags       []cascade.Tag
}

func (m *model) step(f *fixture) step {
	s := step{caller: tenants[m.pick(3, "caller")], text: m.mutation(), failed: m.chance(10, "failed")}
	op, err := f.prepare("mutation "+s.text.String(), s.text.vars)
	if err != nil {
		m.rt.Fatal(err)
	}
	m.caller, m.reports, m.roots = s.caller, nil, 0
	res, err := op.execute(m.resolve, typeName)
	if err != nil {
		m.rt.Fatal(err)
	}
	out := cascade.Outcome{Vars: op.vars, Result: res, Reports: m.reports}
	if s.failed {
		out.Result = nil
	}
	s.events, s.everything = op.op.Events(out)
	s.tags = f.plan.Publish(nil, s.events, cascade.PartitionOf(s.caller))
	return s
}

func testHistory(t *testing.T, l level) {
	t.Helper()
	t.Parallel()
	var count tally
	rapid.Check(t, func(rt *rapid.T) { history(rt, l, &count) })
	if unchanged := count.fell + count.kept; unchanged > 0 {
		t.Logf("%s declared: %d answers, %d changed; of the others %.1f %% fell", l, count.answers, count.changed, 100*float64(count.fell)/float64(unchanged))
	}
}

// Nothing that changed may stay, however much or little a schema declares.
func TestHistoryAllDeclared(t *testing.T)   { testHistory(t, declareAll) }
func TestHistorySomeDeclared(t *testing.T)  { testHistory(t, declareSome) }
func TestHistoryViewsDeclared(t *testing.T) { testHistory(t, declareViews) }
