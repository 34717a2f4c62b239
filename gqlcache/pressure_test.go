package gqlcache_test

import (
	"context"
	"fmt"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/internal/testgraph"
)

// absentRows is a query for rows that are not there, by variables.
func absentRows(rows int) string {
	var params, fields strings.Builder
	for i := range rows {
		fmt.Fprintf(&params, " $r%d: ID!", i)
		fmt.Fprintf(&fields, " a%d: user(id: $r%d) { name }", i, i)
	}
	return "query(" + params.String() + ") {" + fields.String() + " }"
}

// TestTagsAreWithinMaxBytes: entries and tags together stay within half more than MaxBytes, on the heap, however
// many rows the answers depend on, and however the sizes of answers and of their tags change: small answers with
// many tags, then large ones with few, then answers that are too large to be stored.
func TestTagsAreWithinMaxBytes(t *testing.T) {
	const bound = 4 << 20
	c := newBenchCache(t, gqlcache.Options{MaxBytes: bound, MaxEntryBytes: 32 << 10})
	r := newRunner(testgraph.Executable(testgraph.NewStore(), "cacheControl"), c)
	many, few := absentRows(50), `query($t: String, $id: ID!) { echo(text: $t) user(id: $id) { name } }`
	large := regexp.MustCompile(` (a\d+): `).ReplaceAllString(many, " ${1}"+strings.Repeat("x", 700)+": ") // which the answer shows
	row := 0
	load := map[string]func(){
		"1 many tags": func() {
			vars := map[string]any{}
			for i := range 50 {
				row++
				vars[fmt.Sprint("r", i)] = fmt.Sprint("absent", row)
			}
			r.run(t, many, vars)
		},
		"2 large answers": func() {
			row++
			r.run(t, few, map[string]any{"t": strings.Repeat("x", 30<<10), "id": fmt.Sprint("absent", row)})
		},
		"3 too large answers": func() {
			vars := map[string]any{}
			for i := range 50 {
				row++
				vars[fmt.Sprint("r", i)] = fmt.Sprint("absent", row)
			}
			r.run(t, large, vars)
		},
	}
	before := heldHeap()
	for _, phase := range []struct {
		name  string
		times int
	}{{"1 many tags", 3000}, {"2 large answers", 400}, {"3 too large answers", 1500}} {
		for i := range phase.times {
			load[phase.name]()
			if i%(phase.times/4) == 0 || i == phase.times-1 {
				settledSweeps(t, c)
				held, st := heldHeap()-before, c.Stats()
				if held > bound*3/2 {
					t.Errorf("%s, %d: %d bytes are held, of %d; %d entries of %d bytes, %d tags of %d bytes",
						phase.name, i, held, bound, st.Entries, st.Bytes, st.LiveTags, st.TagBytes)
				}
			}
		}
		st := c.Stats()
		t.Logf("%s: %d bytes held; %d entries of %d bytes, %d tags of %d bytes", phase.name, heldHeap()-before, st.Entries, st.Bytes, st.LiveTags, st.TagBytes)
		if phase.name != "3 too large answers" && st.Bytes < bound/2 {
			t.Errorf("%s: only %d bytes of entries: not what may be kept", phase.name, st.Bytes)
		}
	}
	runtime.KeepAlive(r)
}

// settledSweeps waits until the sweeps that are due have begun, and a running one has ended.
func settledSweeps(t *testing.T, c *gqlcache.Cache) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := gqlcache.AwaitDueSweeps(ctx, c); err != nil {
		t.Fatal(err)
	}
}
