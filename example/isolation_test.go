package main

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/cascadeql/cascadeql/example/graph"
)

// A twist changes a request. Equal ones mean the same, so that the two requests should
// share an entry; of the others nothing is expected but that they share it only if they
// are answered alike.
type twist struct {
	name  string
	equal bool
	apply func(c chooser, d *doc, sp *spelling, tenant *string)
}

// isolationTenants look alike on purpose.
var isolationTenants = []string{"ta", "tb", "*", "true", "t'a", "ta' OR 'a", "TA"}

var twists = []twist{
	{"same again", true, func(chooser, *doc, *spelling, *string) {}},
	{"white space", true, func(c chooser, _ *doc, sp *spelling, _ *string) {
		sp.space, sp.comma = pick(c, []string{"\n", "\t ", " , ", "\r\n"}), pick(c, []string{",", "\n", ", "})
	}},
	{"comment", true, func(_ chooser, _ *doc, sp *spelling, _ *string) { sp.comment = true }},
	{"argument order", true, func(_ chooser, _ *doc, sp *spelling, _ *string) { sp.reversed = true }},
	{"fragments first", true, func(_ chooser, _ *doc, sp *spelling, _ *string) { sp.last = true }},
	{"operation name", false, // it is a part of the key: Invalidate knows answers by it
		func(_ chooser, _ *doc, sp *spelling, _ *string) { sp.opName = "Renamed" }},
	{"names", false, func(_ chooser, _ *doc, sp *spelling, _ *string) { sp.prefix = "other" }},
	{"tenant", false, func(c chooser, _ *doc, _ *spelling, tenant *string) { *tenant = pick(c, isolationTenants) }},
	{"form of a value", false, func(c chooser, d *doc, _ *spelling, _ *string) {
		if v := d.anyValue(c); v != nil {
			v.form = form(c.IntN(4))
		}
	}},
	{"string for a number", false, func(c chooser, d *doc, _ *spelling, _ *string) {
		if v := d.anyValue(c); v != nil && v.lit != "" {
			if _, err := strconv.Atoi(v.lit); err == nil {
				v.lit, v.js = strconv.Quote(v.lit), strconv.Quote(v.js)
			} else if s, err := strconv.Unquote(v.lit); err == nil {
				v.lit, v.js = s, s
			}
		}
	}},
	{"value of a variable", false, func(c chooser, d *doc, _ *spelling, _ *string) {
		if v := d.anyValue(c); v != nil {
			v.form = variable
			switch strings.TrimSuffix(v.typ, "!") {
			case "Int":
				v.js = pick(c, []string{"1", "2", "4"})
			case "ID":
				v.js = strconv.Quote(absentID(c.IntN(2)))
			case "PostStatus":
				v.js = pick(c, []string{`"DRAFT"`, `"PUBLISHED"`})
			case "Boolean":
				v.js = strconv.FormatBool(c.IntN(2) == 0)
			}
		}
	}},
	{"null", false, func(c chooser, d *doc, _ *spelling, _ *string) {
		if v := d.anyValue(c); v != nil {
			v.lit, v.js, v.form = pick(c, []string{"null", `"null"`}), pick(c, []string{"null", `"null"`, ""}), form(c.IntN(4))
		}
	}},
	{"another value", false, func(c chooser, d *doc, _ *spelling, _ *string) {
		if v := d.anyValue(c); v != nil {
			n := pick(c, []string{"1", "2", "-1", "21", "true", "PUBLISHED", `"[1]"`, "[1]", `""`})
			v.lit, v.js = n, n
			if n == "PUBLISHED" {
				v.js = `"PUBLISHED"`
			}
		}
	}},
	{"no argument", false, func(c chooser, d *doc, _ *spelling, _ *string) {
		if s := d.anyField(c); s != nil && len(s.args) > 0 {
			s.args = s.args[1:]
		}
	}},
	{"alias", false, func(c chooser, d *doc, _ *spelling, _ *string) {
		if s := d.anyField(c); s != nil {
			s.alias = pick(c, []string{"", "a0", "a1", "zz", "id", "name", "title", s.field})
		}
	}},
	{"field order", false, func(c chooser, d *doc, _ *spelling, _ *string) {
		if s := d.anyField(c); s != nil {
			slices.Reverse(s.sub)
		}
	}},
	{"field twice", false, func(c chooser, d *doc, _ *spelling, _ *string) {
		if s := d.anyField(c); s != nil && len(s.sub) > 0 {
			s.sub = append(slices.Clone(s.sub), pick(c, s.sub))
		}
	}},
	{"another field", false, func(c chooser, d *doc, _ *spelling, _ *string) {
		if s := d.anyField(c); s != nil && s.sub == nil {
			s.field = pick(c, []string{"id", "name", "title", "version", "__typename"})
		}
	}},
	{"condition", false, func(c chooser, d *doc, _ *spelling, _ *string) {
		if s := d.anyField(c); s != nil {
			b := strconv.FormatBool(c.IntN(2) == 0)
			s.conds = []cond{{pick(c, []string{"skip", "include"}), value{lit: b, js: b, typ: "Boolean!", form: form(c.IntN(2))}}}
		}
	}},
	{"type condition", false, func(c chooser, d *doc, _ *spelling, _ *string) {
		for _, s := range d.all() {
			if s.field == "" && s.frag == nil {
				s.on = pick(c, []string{"User", "Post", "Tag", "Comment", "Node", ""})
				return
			}
		}
	}},
}

// all returns the selections of a document, fragments included.
func (d *doc) all() []*sel {
	var list []*sel
	var visit func([]*sel)
	visit = func(set []*sel) {
		for _, s := range set {
			list = append(list, s)
			visit(s.sub)
		}
	}
	visit(d.root)
	for _, f := range d.frags {
		visit(f.sub)
	}
	return list
}

func (d *doc) anyField(c chooser) *sel {
	var list []*sel
	for _, s := range d.all() {
		if s.field != "" {
			list = append(list, s)
		}
	}
	if len(list) == 0 {
		return nil
	}
	return pick(c, list)
}

func (d *doc) anyValue(c chooser) *value {
	var list []*value
	for _, s := range d.all() {
		s.args = slices.Clone(s.args) // fields may share them
		for i := range s.args {
			list = append(list, &s.args[i].val)
		}
		for i := range s.conds {
			list = append(list, &s.conds[i].val)
		}
	}
	if len(list) == 0 {
		return nil
	}
	return pick(c, list)
}

// An isolation is a cached and an uncached server with the same rows, which nobody
// changes.
type isolation struct {
	cached, plain *rig

	mu      sync.Mutex
	answers map[string]reply // by the fingerprint of the key: what the uncached server says
	bodies  map[string]string
	tried   map[string]int
	shared  map[string]int
}

// ask sends a request to both servers and checks the answer against all that had the same
// key.
func (iso *isolation) ask(t *rapid.T, tenant, body string) reply {
	want := iso.plain.ask(tenant, body, false)
	got := iso.cached.ask(tenant, body, true)
	if diff := same(want, got, newTwins()); diff != "" {
		t.Fatalf("%s as %s: %s", body, tenant, diff)
	}
	key := got.Extensions.Cache.Key
	if key == "" {
		return got
	}
	iso.mu.Lock()
	defer iso.mu.Unlock()
	if before, ok := iso.answers[key]; !ok {
		iso.answers[key], iso.bodies[key] = want, tenant+" "+body
	} else if diff := same(before, want, newTwins()); diff != "" && len(want.Errors) == 0 && len(before.Errors) == 0 {
		t.Fatalf("%s as %s has the key of %s: %s", body, tenant, iso.bodies[key], diff)
	}
	return got
}

// TestSharedEntriesAreAnsweredAlike asks for random documents in many spellings, with
// values and tenants that look alike. Requests that share a key must get the same bytes
// from a server without a cache; and spellings that mean the same must share.
func TestSharedEntriesAreAnsweredAlike(t *testing.T) {
	t.Parallel()
	for name, s := range setups() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sharedEntriesAreAnsweredAlike(t, s)
		})
	}
}

func sharedEntriesAreAnsweredAlike(t *testing.T, s setup) {
	t.Helper()
	iso := &isolation{cached: startRig(t, s), plain: startRig(t, setup{uncached: true}),
		answers: map[string]reply{}, bodies: map[string]string{}, tried: map[string]int{}, shared: map[string]int{}}
	schema := graph.NewExecutableSchema(graph.Config{}).Schema()
	story := newStory(7, schema)
	rows := newWorld()
	for _, tenant := range []string{"ta", "tb"} {
		for _, st := range story.seed(tenant) {
			iso.plain.ask(tenant, st.body, false)
			iso.cached.ask(tenant, st.body, false)
		}
		for kind, ids := range story.worlds[tenant].rows {
			rows.rows[kind] = append(rows.rows[kind], ids...)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		// rapid's own numbers are mostly small, and so would be the documents. A failure
		// is two requests, which need no shrinking.
		c := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		for range 10 {
			g := &generator{chooser: c, schema: schema, world: rows}
			d, tenant, sp := g.query(), pick(c, isolationTenants), plain
			first := iso.ask(t, tenant, d.body(sp))
			iso.ask(t, pick(c, isolationTenants), d.body(sp))
			tw := pick(c, twists)
			tw.apply(c, d, &sp, &tenant)
			second := iso.ask(t, tenant, d.body(sp))
			if first.Extensions.Cache.Status != "MISS" && first.Extensions.Cache.Status != "HIT" || len(first.Errors) > 0 {
				continue
			}
			iso.tried[tw.name]++
			if second.Extensions.Cache.Status == "HIT" && second.Extensions.Cache.Key == first.Extensions.Cache.Key {
				iso.shared[tw.name]++
			} else if tw.equal {
				t.Fatalf("%s keeps requests from sharing: %s as %s", tw.name, d.body(sp), tenant)
			}
		}
	})
	for _, f := range iso.cached.findings() {
		t.Log(f)
	}
	var all, equal int
	for _, tw := range twists {
		t.Logf("%-20s %4d of %4d shared", tw.name, iso.shared[tw.name], iso.tried[tw.name])
		all += iso.tried[tw.name]
		if tw.equal {
			equal += iso.shared[tw.name]
		}
	}
	if all < 40 || equal < 15 {
		t.Errorf("%d pairs, %d shared by spellings that mean the same: too few to say anything", all, equal)
	}
}
