package gqlcache_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/internal/testgraph"
)

// TestA2PrivateBehindAnInterface: a PRIVATE type behind a PUBLIC field of an interface
// type is not shared.
func TestA2PrivateBehindAnInterface(t *testing.T) {
	t.Parallel()
	r := newRig(t, "policies", gqlcache.Options{})
	r.run("policies", []string{
		`@ann MISS: {publicNode(id:"n-ann"){id ... on Note{name}}}`, `@bob MISS: {publicNode(id:"n-ann"){id ... on Note{name}}}`,
		`@ann HIT: {publicNode(id:"n-ann"){id ... on Note{name}}}`, `@bob MISS: {publicNode(id:"n-ann"){id}}`, `@ann MISS: {publicNode(id:"n-ann"){id}}`,
		"@ann MISS: {notes{name}}", "@bob MISS: {notes{name}}"})
}

// TestPublicIsShared: an operation that is PUBLIC throughout leaves the predicate out.
func TestPublicIsShared(t *testing.T) {
	t.Parallel()
	r := newRig(t, "policies", gqlcache.Options{})
	r.run("policies", []string{
		`@ann MISS: {banner(id:"b1"){text}}`, `@bob HIT: {banner(id:"b1"){text}}`,
		`@ann MISS: {banner(id:"b1"){text} users{name}}`, `@bob MISS: {banner(id:"b1"){text} users{name}}`,
		`@bob mutation{setBanner(id:"b1",text:"new")}`, `@ann MISS: {banner(id:"b1"){text}}`})
}

// TestS15PrivateFieldUnderAnAlias: a PRIVATE field is private under every name.
func TestS15PrivateFieldUnderAnAlias(t *testing.T) {
	t.Parallel()
	r := newRig(t, "policies", gqlcache.Options{})
	r.run("policies", []string{
		`@ann MISS: {banner(id:"b1"){text r:reader}}`, `@bob MISS: {banner(id:"b1"){text r:reader}}`,
		`@ann MISS: {banner(id:"b1"){text:reader}}`, `@bob MISS: {banner(id:"b1"){text:reader}}`,
		`@ann MISS: {banner(id:"b1"){...F}} fragment F on Banner{id:reader}`, `@bob MISS: {banner(id:"b1"){...F}} fragment F on Banner{id:reader}`})
}

// TestA6OrderOfVariables: the order in which a client sends its variables does not
// matter, what they are does.
func TestA6OrderOfVariables(t *testing.T) {
	t.Parallel()
	r := newRig(t, "annotated", gqlcache.Options{})
	for _, row := range []struct{ vars, want string }{
		{`{"t":"a","n":1,"m":{"x":1,"y":[{"p":1,"q":2}]}}`, "MISS"},
		{`{"n":1,"m":{"y":[{"q":2,"p":1}],"x":1},"t":"a"}`, "HIT"},
		{`{"n":1,"m":{"y":[{"q":1,"p":2}],"x":1},"t":"a"}`, "MISS"},
		{`{"t":"a","n":1,"m":{"x":1,"y":[{"p":1,"q":2}]},"unknown":1}`, "HIT"},
	} {
		raw := `{"query":"query($t:String,$n:Float,$m:Map){echo(text:$t,n:$n,map:$m)}","variables":` + row.vars + `}`
		if _, status := r.do(testgraph.Request{Raw: raw}); status != row.want {
			t.Errorf("%s: %s, want %s", row.vars, status, row.want)
		}
	}
}

// TestA3AgeBehindAnInterface: the shortest age counts, also behind an interface.
func TestA3AgeBehindAnInterface(t *testing.T) {
	t.Parallel()
	var passed atomic.Int64 // the store reads the time in the background
	now := func() time.Time { return time.Unix(1000, passed.Load()) }
	wait := func(d time.Duration) { passed.Add(int64(d)) }
	r := newRig(t, "policies", gqlcache.Options{Now: now, Jitter: -1, TTL: time.Hour})
	r.run("policies", []string{`MISS: {node(id:"f1"){... on Flash{text}}}`, `MISS: {flash(id:"f1"){text}}`, "MISS: {users{name}}"})
	wait(4 * time.Second)
	r.run("policies", []string{`HIT: {node(id:"f1"){... on Flash{text}}}`, `HIT: {flash(id:"f1"){text}}`})
	wait(2 * time.Second)
	r.run("policies", []string{`MISS: {node(id:"f1"){... on Flash{text}}}`, `MISS: {flash(id:"f1"){text}}`, "HIT: {users{name}}"})
	wait(time.Hour)
	r.run("policies", []string{"MISS: {users{name}}"})
}

// TestPrivateNeedsPredicate: a schema with PRIVATE parts does not start without a
// predicate.
func TestPrivateNeedsPredicate(t *testing.T) {
	t.Parallel()
	schema := testgraph.Executable(testgraph.NewStore()).Schema()
	if _, err := gqlcache.New(quiet(gqlcache.Options{Schema: schema})); !errors.Is(err, gqlcache.ErrOptions) {
		t.Errorf("New = %v, want ErrOptions", err)
	}
}

// TestR4SchemaHash: a changed schema is another key: here the cache refuses to serve two
// at once.
func TestR4SchemaHash(t *testing.T) {
	t.Parallel()
	c := newCache(t, gqlcache.Options{Predicate: viewerPredicate})
	s := testgraph.NewStore()
	testgraph.Serve(testgraph.Executable(s), c)
	testgraph.Serve(testgraph.Executable(s), c) // the same schema once more is fine
	if err := c.Validate(testgraph.Executable(s, "reads")); !errors.Is(err, gqlcache.ErrOptions) {
		t.Errorf("Validate of another schema = %v, want ErrOptions", err)
	}
}

// TestS29DisabledMutation: switching the cache off does not switch invalidation off.
func TestS29DisabledMutation(t *testing.T) {
	t.Parallel()
	enabled := func(ctx context.Context) bool { return testgraph.Viewer(ctx) != "off" }
	r := newRig(t, "annotated", gqlcache.Options{Enabled: enabled, Predicate: func(context.Context) (gqlcache.Predicate, error) {
		return gqlcache.Predicate{Text: "all"}, nil
	}})
	r.run("annotated", []string{
		"MISS: " + readAnn, "@off disabled: " + readAnn, "HIT: " + readAnn, "@off " + renameAnn, "MISS: " + readAnn})
}

// TestMutationOfUnknownCaller: nor does an unknown predicate.
func TestMutationOfUnknownCaller(t *testing.T) {
	t.Parallel()
	r := newRig(t, "annotated", gqlcache.Options{Predicate: func(ctx context.Context) (gqlcache.Predicate, error) {
		switch testgraph.Viewer(ctx) {
		case "stranger":
			return gqlcache.Predicate{}, nil
		case "panics":
			panic("predicate") // a caller's bug
		}
		return gqlcache.Predicate{Text: "all"}, nil
	}})
	r.run("annotated", []string{
		"MISS: " + readAnn, "@stranger predicate: " + readAnn, "@panics predicate: " + readAnn, "@stranger " + renameAnn, "MISS: " + readAnn,
		`@panics mutation{renameUser(id:$Ann,name:"x")}`, "MISS: " + readAnn})
}

// TestPredicateReads: answers fall with the data that the predicate was evaluated on.
func TestPredicateReads(t *testing.T) {
	t.Parallel()
	reads := []string{"v_setting"}
	r := newRig(t, "annotated", gqlcache.Options{Predicate: func(context.Context) (gqlcache.Predicate, error) {
		return gqlcache.Predicate{Text: "member", Reads: reads}, nil
	}})
	r.run("annotated", []string{
		"MISS: " + readAnn, "HIT: " + readAnn, `mutation{setSetting(key:"a",value:"b")}`, "MISS: " + readAnn})
	reads = []string{"v_nothing"}
	r.run("annotated", []string{"MISS reads: {userCount}", "MISS reads: {userCount}"})
}

// TestOneRowOnly: without lists only answers with at most one row are kept.
func TestOneRowOnly(t *testing.T) {
	t.Parallel()
	r := newRig(t, "annotated", gqlcache.Options{OneRowOnly: true})
	r.run("annotated", []string{"MISS: " + readAnn, "HIT: " + readAnn, "MISS lists: {users{name}}", "MISS lists: {users{name}}"})
}

// TestClosed: a closed cache gets out of the way.
func TestClosed(t *testing.T) {
	t.Parallel()
	r := newRig(t, "annotated", gqlcache.Options{})
	r.run("annotated", []string{"MISS: " + readAnn})
	if err := r.cache.Close(); err != nil {
		t.Fatal(err)
	}
	r.run("annotated", []string{"closed: " + readAnn, renameAnn, "closed: " + readAnn})
	if err := r.cache.Clear(t.Context()); !errors.Is(err, gqlcache.ErrClosed) {
		t.Errorf("Clear = %v, want ErrClosed", err)
	}
	if err := r.cache.Invalidate(t.Context(), gqlcache.Everything()); !errors.Is(err, gqlcache.ErrClosed) {
		t.Errorf("Invalidate = %v, want ErrClosed", err)
	}
}
