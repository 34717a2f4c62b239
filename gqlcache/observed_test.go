package gqlcache_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/footprint"
	"github.com/cascadeql/cascadeql/gqlcache/inspect"
	"github.com/cascadeql/cascadeql/gqlcache/internal/inspector"
	"github.com/cascadeql/cascadeql/gqlcache/internal/testgraph"
)

// observedPanel is a panel with a handle, whose catalog was not read. Each of the texts is
// sent without a context by the resolver of Query.users.
func observedPanel(t *testing.T, texts ...string) (p *panel, handle *footprint.Observer) {
	t.Helper()
	handle = footprint.New(footprint.Options{Dialect: footprint.SQLite, Logger: slog.New(slog.DiscardHandler)})
	p = newPanel(t, func(o *gqlcache.Options) { o.Observe = gqlcache.Observe{Handles: []*footprint.Observer{handle}} })
	p.store.On("Query.users", func(context.Context) error {
		for _, text := range texts {
			handle.NewSession(nil).Start(context.Background(), text, nil).End(nil, -1, true)
		}
		return nil
	})
	return p, handle
}

// TestInspectorTellsOfStatements: a snapshot has what statements tell, the widest first,
// with what to do, and no value of any. Nobody but those whom the inspector answers sees it.
func TestInspectorTellsOfStatements(t *testing.T) {
	t.Parallel()
	// The number is in no time in milliseconds.
	const lost = "SELECT name FROM people WHERE city = 'sesame' AND age > 47114711471147 /* sesame */"
	p, handle := observedPanel(t, lost, lost)
	p.snapshot()
	p.send(readUsers)
	s := handle.NewSession(nil)
	s.Start(t.Context(), "UPDATE people SET city = 'sesame'", nil).End(nil, 1, true)
	s.Start(t.Context(), "DELETE FROM people WHERE city = 'sesame'", nil).End(errors.New("the connection broke near 'sesame'"), -1, true)

	resp := testgraph.Do(t, t.Context(), p.h, inspectRequest("admin", asks, inspect.Request{Inspect: &inspect.SnapshotRequest{}}))
	if strings.Contains(resp.Body, "sesame") || strings.Contains(resp.Body, "47114711471147") {
		t.Errorf("a value of a statement is shown: %s", resp.Body)
	}
	told := p.read(resp).Inspect
	if told == nil || told.Observed == nil {
		t.Fatalf("nothing of statements: %s", resp.Body)
	}
	o := told.Observed
	if want := (inspect.ObservedStatements{NotUnderstood: 4}); o.Statements != want {
		t.Errorf("statements %+v", o.Statements)
	}
	if want := (inspect.ObservedCommits{Seen: 4, Everything: 4, Outside: 4, Uncertain: 1}); o.Commits != want {
		t.Errorf("commits %+v", o.Commits)
	}
	kinds := map[string]inspect.ObservedFinding{}
	for _, f := range o.Findings {
		kinds[f.Kind] = f
	}
	orphan, uncertain := kinds[string(footprint.Orphan)], kinds[string(footprint.UncertainCommit)]
	if orphan.Text != "SELECT name FROM people WHERE city = ? AND age > ?" || orphan.Count != 2 || orphan.Effect != "wider" || !strings.Contains(orphan.Advice, "context") ||
		!strings.Contains(orphan.Place, "testgraph") && !strings.Contains(orphan.Place, "observed_test.go:") {
		t.Errorf("%+v", orphan)
	}
	if uncertain.Text != "DELETE FROM people WHERE city = ?" || uncertain.Count != 1 {
		t.Errorf("%+v", uncertain)
	}
	named := false
	for _, e := range told.Log {
		named = named || e.Cause == (inspect.Cause{Kind: "commit", Name: "UPDATE people SET city = ?"})
	}
	if !named {
		t.Errorf("the log does not name the commit: %+v", told.Log)
	}

	for _, viewer := range []string{"stranger", ""} {
		r := inspectRequest(viewer, asks, inspect.Request{Inspect: &inspect.SnapshotRequest{}})
		if viewer == "" {
			delete(r.Header, gqlcache.DebugHeader)
		}
		if resp := testgraph.Do(t, t.Context(), p.h, r); resp.Extensions["cache"] != nil || strings.Contains(resp.Body, "people") {
			t.Errorf("%q is told: %s", viewer, resp.Body)
		}
	}
}

// TestInspectorBoundsStatements: however many statements there are, and however long, a
// snapshot has the first of them, and says how many it leaves out.
func TestInspectorBoundsStatements(t *testing.T) {
	t.Parallel()
	var texts []string
	for i := range 300 {
		texts = append(texts, "SELECT "+strings.Repeat("y", i+1)+" FROM "+strings.Repeat("people, ", 1000)+"towns")
	}
	p, _ := observedPanel(t, texts...)
	p.send(readUsers)
	o := p.cache.Snapshot().Observed
	if o == nil || len(o.Findings) != 50 || o.MoreFindings < 200 || o.MoreFindings > 256 {
		t.Fatalf("%+v", o)
	}
	b, err := json.Marshal(o)
	if err != nil || len(b) > 80_000 {
		t.Errorf("%d bytes, %v", len(b), err)
	}
	if all := p.cache.Observed(); len(all.Findings) != o.MoreFindings+len(o.Findings) {
		t.Errorf("%d findings, and %d + %d in the snapshot", len(all.Findings), len(o.Findings), o.MoreFindings)
	}
}

// TestInspectorWithoutHandles: a cache that observes nothing says nothing of statements.
func TestInspectorWithoutHandles(t *testing.T) {
	t.Parallel()
	p := newPanel(t, nil)
	if o := p.cache.Snapshot().Observed; o != nil {
		t.Errorf("%+v", o)
	}
	if s := p.cache.Stats().Observed; s != nil {
		t.Errorf("%+v", s)
	}
}

// TestFindingsAreExplained: there is no kind of finding of which the inspector does not say
// what it does, and what to do.
func TestFindingsAreExplained(t *testing.T) {
	t.Parallel()
	p, _ := observedPanel(t)
	kinds := p.cache.Stats().Observed.Findings
	if len(kinds) < 11 {
		t.Errorf("kinds %v", kinds)
	}
	for kind := range kinds {
		f := inspect.ObservedFinding{Kind: string(kind), Why: "ERROR: sesame (SQLSTATE 22P02)"}
		inspector.Explain(&f)
		if f.Effect == "" || f.Advice == "" || strings.HasPrefix(f.Advice, "The server's log has more") {
			t.Errorf("%s: %q, %q", kind, f.Effect, f.Advice)
		}
		switch kind {
		case footprint.NoCatalog, footprint.ImageRefused, footprint.Panicked: // they quote errors, which have values
			if f.Why != "" {
				t.Errorf("%s tells what the database has said: %q", kind, f.Why)
			}
		}
	}
}

// TestLookedAt: the first computations of an operation are compared with its directives,
// and later ones now and then, since its statements may be others by then.
func TestLookedAt(t *testing.T) {
	t.Parallel()
	list := gqlcache.LookedAt(1000)
	if len(list) < 64+1000/64-2 || len(list) > 100 || list[63] != 64 || list[len(list)-1] < 900 {
		t.Errorf("%d of 1000 are: %v", len(list), list)
	}
}
