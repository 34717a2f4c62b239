package verify

import (
	"slices"
	"strings"
	"testing"

	"github.com/cascadeql/cascadeql/cascade"
	"github.com/cascadeql/cascadeql/extractor"
)

func (r *rig) promises(list ...cascade.Projection) []inspectSuspect {
	r.t.Helper()
	at := &place{path: Path{{Name: "post"}, {Name: "title"}}}
	var out []inspectSuspect
	found := at.decides(r.read, list, r.writes.after(5, 1<<62), &r.explanations, false)
	slices.SortStableFunc(found, func(a, b scored) int { return b.score - a.score })
	for _, s := range found {
		out = append(out, inspectSuspect{s.Mutation, s.Field, s.Missing})
	}
	return out
}

type inspectSuspect struct{ mutation, field, missing string }

// The columns that commits have changed since the entry was right, and that the promise
// hides, are what it may lack.
func TestDecidesSuspects(t *testing.T) {
	t.Parallel()
	post := cascade.Projection{Table: "posts", Types: []string{"Post"}, Fields: []string{"title"}, Decides: []string{"authorId"}}
	other := cascade.Projection{Table: "tags", Types: []string{"Tag"}}
	names := func(list []inspectSuspect) string {
		var out []string
		for _, s := range list {
			_, column, _ := strings.Cut(s.missing, "does not name ")
			column, _, _ = strings.Cut(column, ",")
			out = append(out, column+" by "+s.mutation+s.field)
		}
		return strings.Join(out, "; ")
	}
	r := newRig(t, nil)
	r.seq.Store(3)
	r.Wrote(nil, "posts", []string{"old"}) // before the entry was right
	r.seq.Store(10)
	m := r.Begin("Rename", r.write.Writers())
	r.Wrote(m, "tags", []string{"name"})
	r.Wrote(m, "posts", []string{"title", "author_id", "status"})
	r.Wrote(nil, "posts", []string{"status", "visits"})
	r.Wrote(nil, "users", []string{"status"})
	r.End(m)
	for _, c := range []struct {
		promises []cascade.Projection
		want     string
	}{
		{nil, ""},
		{[]cascade.Projection{post}, "status by ; visits by "},
		{[]cascade.Projection{other, post}, "status by ; visits by ; name by RenameMutation.tag"},
	} {
		if got := names(r.promises(c.promises...)); got != c.want {
			t.Errorf("%d promises: %q, want %q", len(c.promises), got, c.want)
		}
	}
	// A right answer that shows posts speaks for the columns that have changed before it.
	r.seq.Store(20)
	shown := &extractor.Result{Objects: []extractor.Object{{Selection: r.read.Extract.Selections[1]}}}
	if shown.Objects[0].Selection.Object.Name != "Post" {
		t.Fatal("the selection is another one")
	}
	none := &extractor.Result{Objects: []extractor.Object{{Selection: r.read.Extract.Selections[0]}}}
	since := r.writes.after(5, 1<<62)
	since = slices.DeleteFunc(since, func(w write) bool { return !slices.Contains(w.columns, "visits") })
	since[0].columns = []string{"status"}
	r.explanations.refuteDecides([]cascade.Projection{post}, shown, since)
	r.explanations.refuteDecides([]cascade.Projection{post}, none, r.writes.after(5, 1<<62))
	if got, want := names(r.promises(post)), "visits by ; status by "; got != want {
		t.Errorf("after a right answer: %q, want %q", got, want)
	}
	for range 2 * maxWrites {
		r.Wrote(nil, "posts", make([]string, 2*maxColumns))
	}
	if n := len(r.writes.list); n != maxWrites || len(r.writes.list[0].columns) != maxColumns {
		t.Errorf("%d writes are remembered", n)
	}
}
