package gqlcache_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/inspect"
	"github.com/cascadeql/cascadeql/gqlcache/internal/testgraph"
)

// TestInspectorForgetsVariables: what a client has sent is not kept, by what is
// remembered of its answer, once the store has given that up. It measures the heap, so
// nothing runs beside it.
func TestInspectorForgetsVariables(t *testing.T) { //nolint:paralleltest // see above
	const requests, size = 40, 1 << 19 // MaxEntryBytes bounds the key, too
	p := newPanel(t, func(o *gqlcache.Options) { o.Store = nil })
	p.snapshot()
	before := heap()
	for i := range requests {
		b, err := json.Marshal(map[string]any{
			"query":     "query Read($who:ID!){user(id:$who){name}}",
			"variables": map[string]any{"who": fmt.Sprint(i, strings.Repeat("x", size))},
		})
		if err != nil {
			t.Fatal(err)
		}
		resp := testgraph.Do(t, t.Context(), p.h, testgraph.Request{Raw: string(b), Header: map[string]string{"X-Viewer": "stranger"}})
		if resp.Errors != nil {
			t.Fatalf("%.200s", resp.Body)
		}
	}
	if p.cache.Stats().Entries != requests {
		t.Errorf("stored: %d", p.cache.Stats().Entries)
	}
	if err := p.cache.Clear(t.Context()); err != nil {
		t.Fatal(err)
	}
	if kept := int64(heap()) - int64(before); kept > requests*size/4 {
		t.Errorf("%d MB are kept of %d MB that were sent", kept>>20, requests*size>>20)
	}
}

// TestInspectorShortensNames: clients name operations as they like. Neither what the
// inspector keeps nor what it says grows with that, except for the client's own name in
// the answer to its own request.
func TestInspectorShortensNames(t *testing.T) {
	t.Parallel()
	p := newPanel(t, nil)
	p.snapshot()
	long := strings.Repeat("LongName", 10_000)
	for _, document := range []string{"query " + long + readUsers, "mutation " + long + strings.TrimPrefix(renameAnn, "mutation")} {
		resp := testgraph.Do(t, t.Context(), p.h, inspectRequest("stranger", document, nil))
		if resp.Errors != nil {
			t.Fatal(resp.Body)
		}
	}
	resp := testgraph.Do(t, t.Context(), p.h, inspectRequest("admin", asks, inspect.Request{Inspect: &inspect.SnapshotRequest{}}))
	x := p.read(resp)
	if len(resp.Body) > 100_000 || len(x.Inspect.Log) != 1 || !strings.HasPrefix(x.Inspect.Log[0].Cause.Name, "LongName") {
		t.Errorf("%d bytes", len(resp.Body))
	}
	if x := p.ask("admin", readUsers, nil); len(x.Reason.Message) > 300 {
		t.Errorf("a reason of %d bytes", len(x.Reason.Message))
	}
}

// TestWatchingChangesNoAnswer: what goes wrong while somebody watches keeps no change
// from being applied, and no mutation from being answered.
func TestWatchingChangesNoAnswer(t *testing.T) {
	t.Parallel()
	var broken atomic.Bool
	p := newPanel(t, func(o *gqlcache.Options) {
		o.Now = func() time.Time {
			if broken.Load() {
				panic("the clock is broken")
			}
			return time.Now()
		}
	})
	p.snapshot()
	p.send(readUsers)
	broken.Store(true)
	if resp := p.send(renameAnn); resp.Errors != nil || resp.Status != http.StatusOK {
		t.Errorf("the mutation: %d %s", resp.Status, resp.Body)
	}
	if err := p.cache.Invalidate(t.Context(), gqlcache.View("v_user")); err != nil {
		t.Error(err)
	}
	broken.Store(false)
	if resp := p.send(readUsers); !strings.Contains(resp.Body, "New") {
		t.Errorf("a stale answer: %s", resp.Body)
	}
}
