package gqlcache_test

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/inspect"
	"github.com/cascadeql/cascadeql/gqlcache/internal/testgraph"
)

const secret = "tenant = 'a-secret'"

// debugRig is a cache that shows extensions.cache to everybody but "stranger", whose
// check fails with a panic for "panics".
func debugRig(t *testing.T) *rig {
	t.Helper()
	start := time.Unix(1000, 0)
	return newRig(t, "annotated", gqlcache.Options{
		Store: newMapStore(), Jitter: -1, Now: func() time.Time { return start },
		Predicate: func(context.Context) (gqlcache.Predicate, error) { return gqlcache.Predicate{Text: secret}, nil },
		Enabled:   func(ctx context.Context) bool { return testgraph.Viewer(ctx) != "disabled" },
		Inspector: gqlcache.Inspector{Allow: func(ctx context.Context) bool {
			if testgraph.Viewer(ctx) == "panics" {
				panic("Allow") // a caller's bug
			}
			return testgraph.Viewer(ctx) != "stranger"
		}},
	})
}

func debugged(viewer, document string) testgraph.Request {
	return testgraph.Request{Query: expand(document), Header: map[string]string{"X-Viewer": viewer, gqlcache.DebugHeader: "true"}}
}

// volatile is what differs from run to run, or with the schema.
var volatile = regexp.MustCompile(`"(durationUs|hash|key|fingerprint)":("[0-9a-f]+"|\d+)`)

// TestDebugShape: what extensions.cache says of each kind of outcome, against testdata.
func TestDebugShape(t *testing.T) {
	t.Parallel()
	var shown []string
	synctest.Test(t, func(t *testing.T) {
		r := debugRig(t)
		show := func(name string, got testgraph.Response) {
			if strings.Contains(got.Body, "secret") {
				t.Errorf("%s tells the predicate: %s", name, got.Body)
			}
			validate[inspect.Extension](t, got.Extensions["cache"])
			shown = append(shown, name+"\n"+volatile.ReplaceAllString(string(got.Extensions["cache"]), `"$1":"…"`))
		}
		ask := func(name, viewer, document string) {
			show(name, testgraph.Do(t, t.Context(), r.cached, debugged(viewer, document)))
		}
		ask("miss", "ann", "query Read{user(id:$Ann){name}}")
		ask("hit", "ann", "query Read{user(id:$Ann){name}}")
		ask("miss, depends on anything", "ann", "{looseAll{name}}")
		ask("hit, depends on anything", "ann", "{looseAll{name}}")
		ask("miss, not stored", "ann", "{fails}")
		ask("bypass before planning", "disabled", readUsers)
		ask("bypass after planning", "ann", "{__typename}")

		latch := r.store.Block("Query.users")
		first := r.start(t.Context(), readUsers)
		<-latch.Reached
		joined := make(chan testgraph.Response)
		go func() { joined <- testgraph.Do(t, t.Context(), r.cached, debugged("ann", readUsers)) }()
		synctest.Wait()
		latch.Release()
		first.wait(t)
		show("joined", <-joined)

		ask("mutation", "ann", "mutation Rename{renameUser(id:$Ann,name:\"New\")}")
		ask("mutation of unknown rows", "ann", `mutation{setSetting(key:"a",value:"b")}`)
		ask("undeclared mutation", "ann", `mutation{renameUndeclared(id:$Ann,name:"x")}`)
		ask("failing mutation", "ann", "mutation{boom}")
		if err := r.cache.Close(); err != nil {
			t.Error(err)
		}
		ask("closed", "ann", readUsers)
	})
	got := strings.Join(shown, "\n\n") + "\n"
	file := filepath.Join("testdata", "debug.golden")
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs; if that is meant, put this there:\n%s", file, got)
	}
}

// TestDebugForbidden: without the header, or the permission, the bytes are those of a
// server without the cache, whatever the cache does.
func TestDebugForbidden(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ name, viewer, header string }{
		{"no header", "ann", ""},
		{"another value", "ann", "1"},
		{"no permission", "stranger", "true"},
		{"the check panics", "panics", "true"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			r := debugRig(t)
			for _, document := range []string{readUsers, readUsers, "{__typename}", "{fails}", renameAnn, `mutation{renameUndeclared(id:$Ann,name:"x")}`, readUsers} {
				q := debugged(row.viewer, document)
				q.Header[gqlcache.DebugHeader] = row.header
				if got, _ := r.do(q); got.Extensions != nil { // do compares the bytes
					t.Errorf("%s: %s", document, got.Body)
				}
			}
		})
	}
	t.Run("nobody by default", func(t *testing.T) {
		t.Parallel()
		newRig(t, "annotated", gqlcache.Options{}).do(debugged("ann", readUsers))
	})
}

// TestDebugAndOthers: extensions of other handlers stay.
func TestDebugAndOthers(t *testing.T) {
	t.Parallel()
	r := debugRig(t)
	r.cached = testgraph.NewServer(r.store, &after{named: "outer", register: true}, r.cache)
	for range 2 {
		got := testgraph.Do(t, t.Context(), r.cached, debugged("ann", readUsers))
		if string(got.Extensions["after"]) != `"here"` || got.Extensions["cache"] == nil {
			t.Errorf("answer %s", got.Body)
		}
	}
}

// TestDebugHeaderName: a name that browsers do not send to other origins unasked, in the
// canonical form that http.Header looks up.
func TestDebugHeaderName(t *testing.T) {
	t.Parallel()
	if http.CanonicalHeaderKey(gqlcache.DebugHeader) != gqlcache.DebugHeader {
		t.Errorf("%q is not canonical", gqlcache.DebugHeader)
	}
}
