package inspector_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cascadeql/cascadeql/cascade"
	"github.com/cascadeql/cascadeql/gqlcache/inspect"
	"github.com/cascadeql/cascadeql/gqlcache/internal/inspector"
	"github.com/cascadeql/cascadeql/gqlcache/internal/plans"
	"github.com/cascadeql/cascadeql/gqlcache/internal/reason"
	"github.com/cascadeql/cascadeql/schemahash"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
)

// A rig is an inspector of a schema with one query.
type rig struct {
	*inspector.Inspector
	plan   *plans.Plan
	failed []error
}

func newRig(t *testing.T, change func(*inspector.Config)) *rig {
	t.Helper()
	schema := gqlparser.MustLoadSchema(&ast.Source{Input: "type Query { user(id: ID!): User } type User { id: ID! name: String! }"})
	compiled, err := plans.Compile(schema, schemahash.Sum(schema), cascade.Options{}, "")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := parser.ParseQuery(&ast.Source{Input: "query A($id: ID!) { user(id: $id) { name } }"})
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{plan: &plans.Plan{Definition: doc.Operations[0], Bypass: reason.Typename}}
	c := inspector.Config{
		Now: time.Now, Schema: func() *plans.Schema { return compiled },
		Failed: func(err error) { r.failed = append(r.failed, err) },
	}
	if change != nil {
		change(&c)
	}
	r.Inspector = inspector.New(c)
	t.Cleanup(r.Close)
	return r
}

// TestOutcomes: each outcome has a status and a message, and two that people must tell
// apart differ in one of them.
func TestOutcomes(t *testing.T) {
	t.Parallel()
	seen := map[string]inspector.Outcome{}
	for _, o := range []inspector.Outcome{
		{Fate: inspector.Failed, Why: reason.Errors},
		{Fate: inspector.Bypassed, Why: reason.Lease},
		{Fate: inspector.Hit},
		{Fate: inspector.Hit, Shared: true},
		{Fate: inspector.Computed},
		{Fate: inspector.Computed, Why: reason.TooLarge},
		{Fate: inspector.Joined},
		{Fate: inspector.Compared, Why: reason.Callers},
		{Fate: inspector.Abandoned},
		{Fate: inspector.Changed},
		{Fate: inspector.Unchanged},
		{Fate: inspector.Inspected},
	} {
		x := o.Extension()
		if x.Version != inspect.Version || x.Status == "" || x.Reason.Code == "" || x.Reason.Message == "" {
			t.Errorf("%+v: %+v", o, x)
		}
		if x.Hit != (o.Fate == inspector.Hit) || x.DidCache != (o == inspector.Outcome{Fate: inspector.Computed}) || x.Collapsed != (o.Fate == inspector.Joined) {
			t.Errorf("%+v: %+v", o, x)
		}
		said := fmt.Sprintf("%s %s %s", x.Status, x.Reason.Code, x.Tier)
		if other, ok := seen[said]; ok {
			t.Errorf("%+v and %+v are both %q", o, other, said)
		}
		seen[said] = o
	}
	if x := (inspector.Outcome{Fate: inspector.Refused}).Extension(); x.Status != inspect.Bypass || x.Reason.Code != reason.Lease {
		t.Errorf("refused: %+v", x)
	}
}

// TestExplanation: what is known of an answer is in its explanation, and what is not is
// left out.
func TestExplanation(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	entry := &inspector.Answer{}
	stored := inspector.Answer{Bytes: 7, Took: 3 * time.Millisecond, Entry: entry, Tags: 2, TTL: time.Second, Age: time.Minute}
	for _, row := range []struct {
		name    string
		outcome inspector.Outcome
		answer  inspector.Answer
		check   func(x inspect.Extension) bool
	}{
		{"hit", inspector.Outcome{Fate: inspector.Hit}, stored, func(x inspect.Extension) bool {
			return *x.AgeMS == 60_000 && *x.TTLMS == 1000 && x.Bytes == 7 && x.Tags == 2 && x.Timing.OriginUS == 3000 && x.Timing.SavedUS > 0
		}},
		{"stored", inspector.Outcome{Fate: inspector.Computed}, stored, func(x inspect.Extension) bool {
			return x.AgeMS == nil && *x.TTLMS == 1000 && x.Timing.OriginUS == 3000 && x.Timing.SavedUS == 0
		}},
		{"joined", inspector.Outcome{Fate: inspector.Joined}, inspector.Answer{Bytes: 7, Took: time.Second}, func(x inspect.Extension) bool {
			return x.TTLMS == nil && x.Bytes == 7 && x.Timing.OriginUS == 1_000_000
		}},
		{"abandoned", inspector.Outcome{Fate: inspector.Abandoned}, inspector.Answer{}, func(x inspect.Extension) bool {
			return x.TTLMS == nil && x.Bytes == 0 && x.Timing.OriginUS == 0
		}},
	} {
		note := inspector.NewNote()
		l := r.Look(note, r.plan, nil, nil, []byte("no key of the plan"))
		l.Hit(nil)
		if x := r.Query(note, row.outcome, r.plan, row.answer); x.Key == "" || !row.check(x) {
			t.Errorf("%s: %+v, timing %+v", row.name, x, x.Timing)
		}
	}
	if x := r.Query(inspector.NewNote(), inspector.Outcome{Fate: inspector.Bypassed, Why: reason.Closed}, nil, inspector.Answer{}); x.Key != "" || x.Timing != nil {
		t.Errorf("of what was not looked up: %+v", x)
	}
	note := inspector.NewNote()
	note.Anew(reason.Token)
	r.Look(note, r.plan, nil, nil, []byte("key"))
	if x := r.Query(note, inspector.Outcome{Fate: inspector.Computed}, r.plan, stored); x.Reason.Code != reason.Token {
		t.Errorf("computed anew: %+v", x.Reason)
	}
	if len(r.failed) > 0 {
		t.Errorf("failed: %v", r.failed)
	}
}

// TestNobodyAsks: without a note, and without a watch, nothing is done and nothing fails.
func TestNobodyAsks(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	l := r.Look(nil, r.plan, r.Show(r.plan), nil, []byte("key"))
	l.Missed([]byte("key"), 0)
	l.Hit([]byte("key"))
	r.Ended(nil, inspector.Hit, "key")
	r.Heard("a", nil, "", 1)
	if r.Watching() || r.Listens() || r.Show(r.plan) != nil || r.Trace(nil, nil, cascade.Partition{}) != nil {
		t.Error("somebody watches")
	}
	if s := r.Seen(0); s.Log == nil || s.Views == nil {
		t.Errorf("%+v", s)
	}
	var n *inspector.Note
	n.Anew(reason.Token)
	if len(r.failed) > 0 {
		t.Errorf("failed: %v", r.failed)
	}
}

// TestFailuresStayInHere: a panic of what the inspector asks is reported and ends there.
func TestFailuresStayInHere(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(c *inspector.Config) {
		c.Listens = true
		c.Schema = func() *plans.Schema { panic("no schema") } // what it is for
	})
	r.Watch()
	r.Sample("key", nil, func() ([]cascade.Row, int) { panic("no rows") }) // what it is for
	if tr := r.Trace(nil, make([]cascade.Event, 1), cascade.Partition{}); tr != nil {
		t.Errorf("%+v", tr)
	}
	if len(r.failed) != 2 {
		t.Errorf("failed: %v", r.failed)
	}
}

// TestAlarms: what is wrong is said once, the worst first, and nothing otherwise.
func TestAlarms(t *testing.T) {
	t.Parallel()
	if w := (inspector.Alarms{Replanned: 19}).Warnings(); len(w) != 0 {
		t.Errorf("%+v", w)
	}
	w := inspector.Alarms{
		Mismatched: 1, Differing: "A", Uncovered: map[string][]string{"b": {"Q.x"}, "a": {"1", "2", "3", "4", "5", "6"}},
		Hooked: true, NoLease: true, Foreign: 1, Replanned: 20, StoreErrors: 1,
	}.Warnings()
	var codes []string
	for _, x := range w {
		codes = append(codes, x.Code+"/"+x.Severity)
	}
	want := "verify/critical callers/critical directive/warning directive/warning field_hooks/warning lease/warning schema/warning query_cache/warning store/warning"
	if got := strings.Join(codes, " "); got != want {
		t.Errorf("%s", got)
	}
	if !strings.Contains(w[2].Message, "1, 2, 3, 4, 5 and 1 more") {
		t.Errorf("%s", w[2].Message)
	}
}
