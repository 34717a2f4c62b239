package gqlcache_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/internal/testgraph"
	"github.com/cascadeql/cascadeql/internal/redistest"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	atOnce := 32
	if raceEnabled {
		atOnce = 4 // they do more than wait
	}
	redistest.WaitInParallel(atOnce)
	var left []goleak.Option
	if onFloor { // which never ends a goroutine for what is deferred and not read
		left = append(left, goleak.IgnoreTopFunction("github.com/cascadeql/cascadeql/gqlcache/internal/testgraph.(*executionContext).processDeferredGroup.func1"))
	}
	goleak.VerifyTestMain(m, left...)
}

// levels are how much of the schema's annotations a rig leaves: the directives taken
// away.
var levels = map[string][]string{
	"annotated":   {"cacheControl"},
	"only reads":  {"cacheControl", "writes"},
	"only writes": {"cacheControl", "reads"},
	"bare":        {"cacheControl", "view", "dependsOn", "reads", "writes"},
	"policies":    nil,
}

// A rig is a server with the cache and one without, over stores with the same history.
type rig struct {
	t             *testing.T
	cache         *gqlcache.Cache
	cached, plain http.Handler
	store, twin   *testgraph.Store
}

func quiet(o gqlcache.Options) gqlcache.Options {
	if o.Logger == nil {
		o.Logger = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	o.SweepInterval = -1
	return o
}

// viewerPredicate is row-level security by the header X-Viewer.
func viewerPredicate(ctx context.Context) (gqlcache.Predicate, error) {
	return gqlcache.Predicate{Text: "owner = '" + testgraph.Viewer(ctx) + "'"}, nil
}

func newCache(t testing.TB, o gqlcache.Options) *gqlcache.Cache {
	t.Helper()
	if o.Predicate == nil {
		o.Callers = gqlcache.AllSeeTheSame
	}
	c, err := gqlcache.New(quiet(o))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// newRig makes a rig at a level. Extensions that come before the cache are used by both
// servers.
func newRig(t *testing.T, level string, o gqlcache.Options, before ...graphql.HandlerExtension) *rig {
	t.Helper()
	without, ok := levels[level]
	if !ok {
		t.Fatalf("no level %q", level)
	}
	if o.Predicate == nil && o.Callers == 0 {
		o.Predicate = viewerPredicate
	}
	r := &rig{t: t, cache: newCache(t, o), store: testgraph.NewStore(), twin: testgraph.NewStore()}
	exts := append(append([]graphql.HandlerExtension{}, before...), r.cache)
	r.cached = testgraph.ServeBy(r.cache.Transport, testgraph.Executable(r.store, without...), exts...)
	r.plain = testgraph.Serve(testgraph.Executable(r.twin, without...), before...)
	return r
}

// do sends a request to both servers, compares the bytes, and tells what the cache did:
// HIT, MISS, "" for what is no query, or the reason of a bypass; "MISS reason" for an
// answer that was not stored.
func (r *rig) do(q testgraph.Request) (testgraph.Response, string) {
	r.t.Helper()
	before := r.cache.Stats()
	got := testgraph.Do(r.t, r.t.Context(), r.cached, q)
	status := outcome(before, r.cache.Stats())
	want := testgraph.Do(r.t, r.t.Context(), r.plain, q)
	if got.Body != want.Body || got.Status != want.Status {
		r.t.Errorf("%s\n   cached: %d %s\n uncached: %d %s", q.Query+q.Raw, got.Status, got.Body, want.Status, want.Body)
	}
	return got, status
}

func outcome(a, b gqlcache.Stats) string {
	switch {
	case b.Hits > a.Hits:
		return "HIT"
	case b.Joined > a.Joined:
		return "JOINED"
	case b.Misses > a.Misses:
		return strings.TrimSpace("MISS " + grown(a.NotStored, b.NotStored))
	}
	return grown(a.Bypassed, b.Bypassed)
}

func grown(a, b map[gqlcache.Reason]uint64) string {
	for reason, n := range b {
		if n > a[reason] {
			return string(reason)
		}
	}
	return ""
}

// run sends the steps of a script. A step is "[@viewer ][STATUS: ]document"; the status
// KEPT is HIT on a schema with all annotations, and anything on others.
func (r *rig) run(level string, steps []string) {
	r.t.Helper()
	for i, step := range steps {
		q, want := stepRequest(step)
		got, status := r.do(q)
		switch {
		case want == "KEPT" && level != "annotated", want == "":
		case want == "KEPT" && status == "HIT", want == status:
		default:
			r.t.Errorf("step %d, %s: %q, want %q; answer %s", i, q.Query, status, want, got.Body)
		}
	}
}

// stepRequest returns what a step sends, and the status that it wants, "" for any.
func stepRequest(step string) (q testgraph.Request, want string) {
	q.Header = map[string]string{}
	if strings.HasPrefix(step, "@") {
		viewer, rest, _ := strings.Cut(step[1:], " ")
		q.Header["X-Viewer"], step = viewer, rest
	}
	want, document, ok := strings.Cut(step, ": ")
	if !ok || strings.ContainsAny(want, "{(") {
		want, document = "", step
	}
	q.Query = expand(document)
	return q, want
}

// expand puts in the ids of rows: $Ann, $Bob, …
func expand(document string) string {
	return strings.NewReplacer(
		"$Ann", quote(testgraph.Ann), "$Bob", quote(testgraph.Bob), "$Hello", quote(testgraph.Hello), "$Draft", quote(testgraph.Draft),
		"$Said", quote(testgraph.Said), "$Paper", quote(testgraph.Paper), "$Zed", quote(testgraph.Zed),
	).Replace(document)
}

func quote(s string) string { return fmt.Sprintf("%q", s) }

// A script is one row of a table of sequences.
type script struct {
	name  string
	steps []string
}

// runScripts runs every script at every level.
func runScripts(t *testing.T, scripts []script, at ...string) {
	t.Helper()
	for _, level := range at {
		for _, s := range scripts {
			t.Run(level+"/"+s.name, func(t *testing.T) {
				t.Parallel()
				newRig(t, level, gqlcache.Options{}).run(level, s.steps)
			})
		}
	}
}
