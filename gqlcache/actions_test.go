package gqlcache_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cascadeql/cascadeql/cascade"
	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/inspect"
	"github.com/cascadeql/cascadeql/gqlcache/internal/testgraph"
)

// TestActions: what each action drops, and what stays.
func TestActions(t *testing.T) {
	t.Parallel()
	documents := map[string]string{
		"ann": "query Ann{user(id:$Ann){name}}", "bob": "query Bob{user(id:$Bob){name}}", "posts": "query Posts{posts{name}}",
		"anonymous": "{counter(id:1){value}}", "anything": "query Loose{looseAll{name}}",
	}
	names := []string{"ann", "bob", "posts", "anonymous", "anything"}
	for _, row := range []struct {
		name    string
		action  func(hash string) inspect.Action
		dropped string
		ok      bool
	}{
		{"row", func(string) inspect.Action {
			return inspect.Action{Type: "invalidateRow", View: "v_user", ID: testgraph.Ann}
		}, "ann anything", true},
		{"row by its type", func(string) inspect.Action {
			return inspect.Action{Type: "invalidateRow", View: "User", ID: strings.ToUpper(testgraph.Bob)}
		}, "bob anything", true},
		{"view", func(string) inspect.Action { return inspect.Action{Type: "invalidateView", View: "v_user"} }, "ann bob anything", true},
		{"operation", func(string) inspect.Action {
			return inspect.Action{Type: "invalidateOperation", Operation: "Ann"}
		}, "ann", true},
		{"operation without a name", func(hash string) inspect.Action {
			return inspect.Action{Type: "invalidateOperation", Operation: hash}
		}, "anonymous", true},
		{"operation that nobody sent", func(string) inspect.Action {
			return inspect.Action{Type: "invalidateOperation", Operation: "Nope"}
		}, "", true},
		{"clear", func(string) inspect.Action { return inspect.Action{Type: "clear"} }, strings.Join(names, " "), true},
		{"unknown view", func(string) inspect.Action { return inspect.Action{Type: "invalidateView", View: "v_nothing"} }, "", false},
		{"no view", func(string) inspect.Action { return inspect.Action{Type: "invalidateView"} }, "", false},
		{"no row", func(string) inspect.Action { return inspect.Action{Type: "invalidateRow", View: "v_user"} }, "", false},
		{"unknown action", func(string) inspect.Action { return inspect.Action{Type: "restart"} }, "", false},
	} {
		for _, watched := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, watched %v", row.name, watched), func(t *testing.T) {
				t.Parallel()
				p := newPanel(t, nil)
				if watched {
					p.snapshot()
				}
				hash := ""
				for _, name := range names {
					if x := p.ask("ann", documents[name], nil); name == "anonymous" {
						hash = x.Operation.Hash
					}
				}
				got := p.act(row.action(hash))
				if got.OK != row.ok || got.Message == "" {
					t.Errorf("%+v", got)
				}
				var dropped []string
				for _, name := range names {
					if x := p.ask("ann", documents[name], nil); x.Status != inspect.Hit {
						dropped = append(dropped, name)
					}
				}
				if s := strings.Join(dropped, " "); s != row.dropped {
					t.Errorf("dropped %q, want %q", s, row.dropped)
				}
				if watched && row.ok && (got.Evicted == nil || *got.Evicted != len(dropped)) || (!watched || !row.ok) && got.Evicted != nil {
					t.Errorf("evicted %v of %v", got.Evicted, dropped)
				}
			})
		}
	}
	t.Run("closed", func(t *testing.T) {
		t.Parallel()
		p := newPanel(t, nil)
		if err := p.cache.Close(); err != nil {
			t.Fatal(err)
		}
		for _, a := range []inspect.Action{{Type: "clear"}, {Type: "invalidateOperation", Operation: "x"}} {
			if r := p.act(a); r.OK {
				t.Errorf("%+v", r)
			}
		}
		p.snapshot()
	})
}

// TestInvalidateOperation: from the program, for answers stored and answers being
// computed.
func TestInvalidateOperation(t *testing.T) {
	t.Parallel()
	const read = "query Ann{user(id:$Ann){name}}"
	t.Run("stored", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, "annotated", gqlcache.Options{})
		r.run("annotated", []string{"MISS: " + read, "MISS: " + readUsers, "HIT: " + read})
		if err := r.cache.Invalidate(t.Context(), gqlcache.Operation("Ann")); err != nil {
			t.Fatal(err)
		}
		r.run("annotated", []string{"MISS: " + read, "HIT: " + readUsers, "HIT: " + read})
		if err := r.cache.Invalidate(t.Context(), gqlcache.Operation("Ann"), gqlcache.Entity("User", testgraph.Bob)); err != nil {
			t.Fatal(err)
		}
		r.run("annotated", []string{"MISS: " + read, "MISS: " + readUsers})
		if err := r.cache.Invalidate(t.Context(), gqlcache.Operation("Ann"), gqlcache.View("v_nothing")); !errors.Is(err, gqlcache.ErrUnknownName) {
			t.Errorf("error %v", err)
		}
		r.run("annotated", []string{"HIT: " + read})
	})
	t.Run("under another name, too", func(t *testing.T) {
		t.Parallel()
		// What was stored under one name must not answer for another one, here or from
		// another instance: Invalidate knows answers by their names.
		m := newInstances(t, 2)
		a, b := m.two()
		other := strings.Replace(read, "Ann", "Other", 1)
		a.want("MISS", "Ann", other)
		a.want("MISS", "Ann", read)
		b.want("HIT shared", "Ann", read)
		b.want("HIT shared", "Ann", other)
		if err := a.cache.Invalidate(t.Context(), gqlcache.Operation("Ann")); err != nil {
			t.Fatal(err)
		}
		for _, m := range m.all {
			m.want("HIT memory", "Ann", other)
		}
		a.want("MISS", "Ann", read)
		b.want("HIT shared", "Ann", read)
	})
	t.Run("being computed", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, "annotated", gqlcache.Options{})
		latch := r.store.Block("Query.user")
		call := r.start(t.Context(), read)
		<-latch.Reached
		if err := r.cache.Invalidate(t.Context(), gqlcache.Operation("Ann")); err != nil {
			t.Fatal(err)
		}
		latch.Release()
		call.wait(t)
		r.run("annotated", []string{"MISS: " + read})
	})
	t.Run("in another instance", func(t *testing.T) {
		t.Parallel()
		m := newInstances(t, 2)
		a, b := m.two()
		b.want("MISS", "Ann", read)
		b.want("MISS", "", readUsers)
		if err := a.cache.Invalidate(t.Context(), gqlcache.Operation("Ann")); err != nil {
			t.Fatal(err)
		}
		b.want("MISS", "Ann", read)
		a.want("HIT shared", "Ann", read)
		b.want("HIT memory", "", readUsers)
	})
	t.Run("as tags", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, "annotated", gqlcache.Options{})
		tags, err := r.cache.Tags(gqlcache.Operation("Ann"))
		if err != nil || !slices.Contains(tags, cascade.OperationTag("Ann")) {
			t.Errorf("tags %v, %v", tags, err)
		}
	})
}

// evictions checks that the figures of an invalidation agree with each other.
func evictions(t *testing.T, inv *inspect.Invalidation) int {
	t.Helper()
	if inv == nil || inv.Cascade == nil || inv.Evicted == nil || inv.Kept == nil {
		t.Fatalf("incomplete: %+v", inv)
	}
	sum, byOperation := 0, 0
	ids := map[string]bool{}
	for _, n := range inv.Cascade.Nodes {
		if ids[n.ID] {
			t.Errorf("node %s twice", n.ID)
		}
		ids[n.ID] = true
		if n.Kind != "operation" {
			sum += n.Evicted
		}
	}
	for _, e := range inv.Cascade.Edges {
		if !ids[e.From] || !ids[e.To] {
			t.Errorf("edge %+v leads nowhere", e)
		}
	}
	for _, o := range inv.Evicted.Operations {
		byOperation += o.Entries
	}
	if sum != inv.Evicted.Entries || byOperation != sum {
		t.Errorf("%d at nodes, %d by operation, %d in all", sum, byOperation, inv.Evicted.Entries)
	}
	return sum
}

// TestCascadeAddsUp: what a mutation says fell is what is no hit afterwards, at the nodes
// taken together, and what it says stayed is.
func TestCascadeAddsUp(t *testing.T) {
	t.Parallel()
	documents := []string{
		"query A{user(id:$Ann){name}}", "query B{user(id:$Bob){name}}", "query C{users{name}}", "query D{activeUsers{__typename}}",
		"query E{posts{name}}", "query F{userCount}", "query G{userStats(userId:$Ann){__typename}}", "{looseAll{name}}", "query H{settings}",
	}
	for _, mutation := range []string{
		"mutation Rename{renameUser(id:$Ann,name:\"New\")}", `mutation Delete{deleteUser(id:$Ann)}`, `mutation Set{setSetting(key:"a",value:"b")}`,
		`mutation Loose{renameUndeclared(id:$Ann,name:"x")}`, "mutation Log{log}",
	} {
		p := newPanel(t, nil)
		p.snapshot()
		stored := 0
		for _, d := range documents {
			if x := p.ask("ann", d, nil); x.DidCache {
				stored++
			}
		}
		if stored < len(documents)-1 {
			t.Fatalf("%d stored", stored)
		}
		told := p.ask("ann", mutation, nil)
		fell := evictions(t, told.Invalidation)
		if told.Invalidation.Seq == 0 || !told.Invalidation.Confirmed {
			t.Errorf("%+v", told.Invalidation)
		}
		gone := 0
		for _, d := range documents {
			x := p.ask("ann", d, nil)
			if x.Status == inspect.Hit {
				continue
			}
			gone++
			if x.Reason.Code != "invalidated" || x.Reason.Seq != told.Invalidation.Seq || !strings.Contains(x.Reason.Message, told.Operation.Name) {
				t.Errorf("%s: %+v", d, x.Reason)
			}
		}
		if fell != gone || *told.Invalidation.Kept != stored-gone {
			t.Errorf("%s: told that %d fell and %d stayed; %d of %d did", mutation, fell, *told.Invalidation.Kept, gone, stored)
		}
		log := p.snapshot().Log
		if len(log) != 1 || log[0].Evicted != fell || log[0].Cause != (inspect.Cause{Kind: "mutation", Name: told.Operation.Name}) {
			t.Errorf("log %+v", log)
		}
	}
}

// TestCausesAreTold: each way to change something is in the log under its name, once.
func TestCausesAreTold(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	for _, row := range []struct {
		name string
		do   func(*panel)
		want inspect.Cause
	}{
		{"mutation", func(p *panel) { p.ask("ann", "mutation M{log}", nil) }, inspect.Cause{Kind: "mutation", Name: "M"}},
		{"resolver", func(p *panel) {
			p.store.On("Query.posts", func(ctx context.Context) error { return gqlcache.Touch(ctx, "User", testgraph.Ann) })
			p.ask("ann", "query Q{posts{name}}", nil)
		}, inspect.Cause{Kind: "resolver", Name: "Q"}},
		{"Invalidate", func(p *panel) { _ = p.cache.Invalidate(ctx, gqlcache.View("User")) }, inspect.Cause{Kind: "manual", Name: "Invalidate"}},
		{"everything", func(p *panel) { _ = p.cache.Invalidate(ctx, gqlcache.Everything()) }, inspect.Cause{Kind: "manual", Name: "Invalidate"}},
		{"Clear", func(p *panel) { _ = p.cache.Clear(ctx) }, inspect.Cause{Kind: "manual", Name: "Clear"}},
		{"action", func(p *panel) { p.act(inspect.Action{Type: "clear"}) }, inspect.Cause{Kind: "manual", Name: "inspector"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			p := newPanel(t, nil)
			p.snapshot()
			row.do(p)
			log := p.snapshot().Log
			if len(log) != 1 || log[0].Cause != row.want {
				t.Errorf("log %+v, want %+v", log, row.want)
			}
		})
	}
	t.Run("another instance", func(t *testing.T) {
		t.Parallel()
		m := newInstances(t, 2)
		a, b := m.two()
		watch := func(m *instance) inspect.Snapshot {
			q := inspectRequest("", asks, inspect.Request{Inspect: &inspect.SnapshotRequest{}})
			return *(&panel{rig: &rig{t: t}}).read(testgraph.Do(t, t.Context(), m.h, q)).Inspect
		}
		watch(a)
		watch(b)
		b.want("MISS", "Ann", readAnn)
		a.want("INVALIDATED", "", renameAnn)
		here, there := watch(a), watch(b)
		if len(here.Log) != 1 || here.Log[0].Cause.Kind != "mutation" {
			t.Errorf("here: %+v", here.Log)
		}
		if len(there.Log) != 1 || there.Log[0].Cause.Kind != "peer" || there.Log[0].Evicted != 1 {
			t.Errorf("there: %+v", there.Log)
		}
		if here.Cluster == nil || !here.Cluster.Fresh || len(here.Tiers) != 2 {
			t.Errorf("%+v, %+v", here.Cluster, here.Tiers)
		}
	})
}

// TestTotalsAddUp: requests are the sum of what became of them, and so are those of the
// operations and the series.
func TestTotalsAddUp(t *testing.T) {
	t.Parallel()
	p := newPanel(t, nil)
	p.snapshot()
	for _, d := range []string{readUsers, readUsers, readAnn, "{__typename}", "{fails}", renameAnn, readAnn, readAnn, "query N{posts{name}}"} {
		p.ask("ann", d, nil)
	}
	s, st := p.snapshot(), p.cache.Stats()
	to := s.Totals
	if to.Requests != 8 || to.Requests != to.Hits+to.Misses+to.Collapsed+to.Abandoned+to.Bypasses || to.Hits != st.Hits || to.Misses != st.Misses {
		t.Errorf("totals %+v", to)
	}
	if to.BypassedBy["typename"] != 1 || to.NotStored["errors"] != 1 || to.Invalidations != 1 {
		t.Errorf("totals %+v", to)
	}
	var ops inspect.Totals
	for _, o := range s.Operations {
		ops.Hits += o.Hits
		ops.Misses += o.Misses
		ops.Bypasses += o.Bypasses
	}
	sum := func(n []uint64) (all uint64) {
		for _, k := range n {
			all += k
		}
		return all
	}
	se := s.Series
	if ops.Hits != to.Hits || ops.Misses != to.Misses || ops.Bypasses != to.Bypasses ||
		sum(se.Hits) != to.Hits || sum(se.Misses) != to.Misses || sum(se.Bypasses) != to.Bypasses || sum(se.Invalidations) != 1 {
		t.Errorf("operations %+v, series %+v, totals %+v", ops, se, to)
	}
	i := slices.IndexFunc(s.Views, func(v inspect.ViewStats) bool { return v.Name == "v_active_user" })
	if i < 0 || !slices.Contains(s.Views[i].DependsOn, "v_user") {
		t.Errorf("views %+v", s.Views)
	}
	if s.Security != (inspect.Security{Callers: "predicate", Predicate: true, Predicates: 1, SchemaHash: s.Security.SchemaHash, SchemaSinceMS: s.Security.SchemaSinceMS}) || len(s.Security.SchemaHash) != 64 {
		t.Errorf("security %+v", s.Security)
	}
	if got := p.cache.Snapshot(); got.Totals.Hits != to.Hits || got.WatchingSince == 0 || got.Instance != s.Instance || !strings.HasPrefix(s.Instance, "cache-") {
		t.Errorf("%+v", got)
	}
}

// TestSnapshotWithoutInspector: the totals are there for the program, and nobody can
// watch.
func TestSnapshotWithoutInspector(t *testing.T) {
	t.Parallel()
	r := newRig(t, "annotated", gqlcache.Options{})
	r.run("annotated", []string{"MISS: " + readUsers, "HIT: " + readUsers})
	s := r.cache.Snapshot()
	if s.Totals.Requests != 2 || s.WatchingSince != 0 || len(s.Views) == 0 || s.Operations == nil || s.Log == nil || len(s.Tiers) != 1 || s.Tiers[0].Entries != 1 {
		t.Errorf("%+v", s)
	}
}
