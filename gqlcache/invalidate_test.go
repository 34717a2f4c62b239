package gqlcache_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/internal/testgraph"
	"github.com/google/uuid"
)

// TestInvalidateReaches: what each change drops, and what it leaves.
func TestInvalidateReaches(t *testing.T) {
	t.Parallel()
	all := []string{readAnn, "{user(id:$Bob){name}}", "{counter(id:1){value}}", "{settings}", "{looseAll{name}}"}
	type rows = []gqlcache.Change
	for _, row := range []struct {
		name    string
		changes rows
		dropped []int // of all; what declares nothing falls with every change
	}{
		{"none", nil, nil},
		{"row by string", rows{gqlcache.Entity("User", testgraph.Ann)}, []int{0, 4}},
		{"row by another spelling", rows{gqlcache.Entity("User", "{11111111-1111-4111-8111-111111111111}")}, []int{0, 4}},
		{"row by UUID", rows{gqlcache.Entity("User", uuid.MustParse(testgraph.Ann))}, []int{0, 4}},
		{"row by int", rows{gqlcache.Entity("Counter", 1)}, []int{2, 4}},
		{"row by int64", rows{gqlcache.Entity("Counter", int64(1))}, []int{2, 4}},
		{"row by uint8", rows{gqlcache.Entity("Counter", uint8(1))}, []int{2, 4}},
		{"row by pointer", rows{gqlcache.Entity("Counter", new(1))}, []int{2, 4}},
		{"row by the number's text", rows{gqlcache.Entity("Counter", "1")}, []int{2, 4}},
		{"row by json.Number", rows{gqlcache.Entity("Counter", json.Number("1"))}, []int{2, 4}},
		{"row by a string type", rows{gqlcache.Entity("Counter", textKey("1"))}, []int{2, 4}},
		{"row that is nobody's", rows{gqlcache.Entity("User", "nobody")}, []int{4}},
		{"row of a view", rows{gqlcache.Entity("v_user", testgraph.Bob)}, []int{1, 4}},
		{"row of an interface", rows{gqlcache.Entity("Named", testgraph.Bob)}, []int{1, 4}},
		{"view", rows{gqlcache.View("v_user")}, []int{0, 1, 4}},
		{"view of a type", rows{gqlcache.View("User")}, []int{0, 1, 4}},
		{"view without a type", rows{gqlcache.View("v_setting")}, []int{3, 4}},
		{"several", rows{gqlcache.Entity("User", testgraph.Ann), gqlcache.View("v_setting")}, []int{0, 3, 4}},
		{"everything", rows{gqlcache.Everything()}, []int{0, 1, 2, 3, 4}},
		{"the zero Change", rows{{}}, []int{0, 1, 2, 3, 4}},
		{"everything, and what is unknown", rows{gqlcache.View("nope"), gqlcache.Everything()}, []int{0, 1, 2, 3, 4}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, "annotated", gqlcache.Options{})
			for _, read := range all {
				r.run("annotated", []string{"MISS: " + read, "HIT: " + read})
			}
			before := r.cache.Stats()
			if err := r.cache.Invalidate(t.Context(), row.changes...); err != nil {
				t.Fatal(err)
			}
			want := map[int]bool{}
			for _, i := range row.dropped {
				want[i] = true
			}
			for i, read := range all {
				r.run("annotated", []string{map[bool]string{true: "MISS", false: "HIT"}[want[i]] + ": " + read})
			}
			s := r.cache.Stats()
			if n := s.Invalidations - before.Invalidations; (n == 1) != (len(row.changes) > 0) {
				t.Errorf("%d invalidations", n)
			}
			if n := s.Flushes - before.Flushes; (n == 1) != (len(row.dropped) == len(all)) {
				t.Errorf("%d flushes", n)
			}
		})
	}
}

type textKey string

// TestInvalidateRefuses: an error says that nothing was dropped.
func TestInvalidateRefuses(t *testing.T) {
	t.Parallel()
	good := gqlcache.Entity("User", testgraph.Ann)
	for _, row := range []struct {
		name    string
		change  gqlcache.Change
		unknown bool
	}{
		{"unknown view", gqlcache.View("v_nope"), true},
		{"no name", gqlcache.View(""), true},
		{"unknown type", gqlcache.Entity("Nope", "1"), true},
		{"a type without a key", gqlcache.Entity("Blurb", "1"), true},
		{"a root type", gqlcache.Entity("Query", "1"), true},
		{"nil key", gqlcache.Entity("User", nil), false},
		{"nil pointer", gqlcache.Entity("User", (*string)(nil)), false},
		{"struct key", gqlcache.Entity("User", struct{ ID int }{1}), false},
		{"list key", gqlcache.Entity("User", []string{testgraph.Ann}), false},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, "annotated", gqlcache.Options{})
			r.run("annotated", []string{"MISS: " + readAnn})
			err := r.cache.Invalidate(t.Context(), good, row.change)
			if err == nil || errors.Is(err, gqlcache.ErrUnknownName) != row.unknown {
				t.Errorf("Invalidate = %v", err)
			}
			r.run("annotated", []string{"HIT: " + readAnn})
		})
	}
}

// TestInvalidateWithoutSchema: names mean nothing before there is a schema; everything
// does.
func TestInvalidateWithoutSchema(t *testing.T) {
	t.Parallel()
	c := newCache(t, gqlcache.Options{Callers: gqlcache.AllSeeTheSame})
	if err := c.Invalidate(t.Context(), gqlcache.View("User")); !errors.Is(err, gqlcache.ErrNoSchema) {
		t.Errorf("Invalidate = %v, want ErrNoSchema", err)
	}
	if err := c.Invalidate(t.Context(), gqlcache.Everything()); err != nil {
		t.Error(err)
	}
	if err := c.Clear(t.Context()); err != nil {
		t.Error(err)
	}
	if s := c.Stats(); s.Flushes != 2 || s.Invalidations != 2 {
		t.Errorf("%d flushes, %d invalidations; want 2 and 2", s.Flushes, s.Invalidations)
	}
}

// TestClear: it frees what is stored, and what is being computed is not stored either.
func TestClear(t *testing.T) {
	t.Parallel()
	r := newRig(t, "annotated", gqlcache.Options{})
	r.send(readAnn)
	latch := r.store.Block("Query.users:done")
	slow := r.start(t.Context(), readUsers)
	receive(t, latch.Reached, "the fill")
	if err := r.cache.Clear(t.Context()); err != nil {
		t.Fatal(err)
	}
	latch.Release()
	if got := slow.wait(t); !strings.Contains(got.Body, "Ann") {
		t.Errorf("answer %s", got.Body)
	}
	if s := r.cache.Stats(); s.Entries != 0 || s.NotStored[gqlcache.ReasonInvalidated] != 1 {
		t.Errorf("%d entries, not stored %v", s.Entries, s.NotStored)
	}
	r.run("annotated", []string{"MISS: " + readAnn, "HIT: " + readAnn})
}
