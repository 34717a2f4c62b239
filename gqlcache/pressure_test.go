package gqlcache_test

import (
	"context"
	"fmt"
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

// A pressureLoad sends operations whose answers have different sizes and numbers of tags.
// A full store keeps only what is asked for more often than what it would replace, so
// each is sent a few times.
type pressureLoad struct {
	t                     *testing.T
	r                     *runner
	small, large, tooLong string
	row                   int // the last one that was asked for
}

func newPressureLoad(t *testing.T, c *gqlcache.Cache, maxEntryBytes int) *pressureLoad {
	t.Helper()
	const parts = 16
	l := &pressureLoad{
		t: t, r: newRunner(testgraph.Executable(testgraph.NewStore(), "cacheControl"), c),
		small: absentRows(50),
	}
	l.r.run(t, `mutation($name: String!) { createUser(id: "long", input: {name: $name}) { id } }`,
		map[string]any{"name": strings.Repeat("x", maxEntryBytes*15/16/parts)})
	part := func(i int) string { return fmt.Sprintf(`p%d: user(id: "long") { name }`, i) }
	l.large = "query($r0: ID!) { user(id: $r0) { name } " + strings.Join(repeated(parts, part), " ") + "}"
	l.tooLong = strings.TrimSuffix(l.small, "}") + strings.Join(repeated(parts+2, part), " ") + "}"
	return l
}

// send sends a query a few times, for rows that nothing else depends on.
func (l *pressureLoad) send(query string, rows, times int) {
	l.t.Helper()
	vars := map[string]any{}
	for i := range rows {
		l.row++
		vars[fmt.Sprint("r", i)] = fmt.Sprint("absent", l.row)
	}
	for range times {
		l.r.run(l.t, query, vars)
	}
}

func (l *pressureLoad) manyTags()    { l.send(l.small, 50, 1) }
func (l *pressureLoad) largeAnswer() { l.send(l.large, 1, 3) }
func (l *pressureLoad) tooLarge()    { l.send(l.tooLong, 50, 1) }

// mixture sends a large answer and some small ones that take about as much.
func (l *pressureLoad) mixture(small int) {
	l.largeAnswer()
	for range small {
		l.send(l.small, 50, 5)
	}
}

// TestTagsAreWithinMaxBytes: entries and tags together stay within half more than
// MaxBytes, on the heap, however many rows the answers depend on, and however the sizes
// of answers and of their tags change: small answers with many tags, then large ones with
// few, then both, then answers that are too large to be stored. MaxBytes is 4 MiB and a
// large answer 60 KB, or with -memory.full 64 MiB and 1 MB.
func TestTagsAreWithinMaxBytes(t *testing.T) {
	scale := 1
	if *memoryFull {
		scale = 16
	}
	bound, maxEntry := int64(scale)*(4<<20), scale*(64<<10)
	c := newBenchCache(t, gqlcache.Options{Limits: gqlcache.Limits{MaxBytes: bound, MaxEntryBytes: maxEntry}})
	load := newPressureLoad(t, c, maxEntry)
	before := heldHeap()
	// fill sends so many, and returns what the cache keeps then.
	fill := func(name string, times int, send func()) gqlcache.Stats {
		peak := int64(0)
		for i := range times {
			send()
			if i%max(1, times/8) == 0 || i == times-1 {
				settledSweeps(t, c)
				held, st := heldHeap()-before, c.Stats()
				if peak = max(peak, held); held > bound*3/2 {
					t.Errorf("%s, %d: %d bytes are held, of %d; %d entries of %d bytes, %d tags of %d bytes",
						name, i, held, bound, st.Entries, st.Bytes, st.LiveTags, st.TagBytes)
				}
			}
		}
		st := c.Stats()
		t.Logf("%s: at most %d bytes held; %d entries of %d bytes, %d tags of %d bytes",
			name, peak, st.Entries, st.Bytes, st.LiveTags, st.TagBytes)
		return st
	}
	st := fill("many tags", 1200*scale, load.manyTags)
	small := st.Bytes / st.Entries
	if st.Bytes < bound*3/4 {
		t.Errorf("only %d bytes of small answers: not what may be kept", st.Bytes)
	}
	st = fill("large answers", 150, load.largeAnswer)
	large := st.Bytes / st.Entries
	if st.Bytes < bound*3/4 || large < int64(maxEntry)*7/8 {
		t.Errorf("only %d bytes of %d answers: not the large ones that may be kept", st.Bytes, st.Entries)
	}
	st = fill("a mixture", 40, func() { load.mixture(8 * scale) })
	// st.Bytes is large*n + small*(st.Entries-n)
	if n := (st.Bytes - small*st.Entries) / (large - small); st.Bytes < bound*3/4 || n < 8 || st.Entries-n < 64 {
		t.Errorf("only %d bytes of %d answers, %d of them large: no mixture of what may be kept", st.Bytes, st.Entries, n)
	}
	fill("too large answers", 1000*scale, load.tooLarge)
	runtime.KeepAlive(load)
}

// settledSweeps waits until the sweeps that are due have begun, and a running one has
// ended.
func settledSweeps(t *testing.T, c *gqlcache.Cache) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := gqlcache.AwaitDueSweeps(ctx, c); err != nil {
		t.Fatal(err)
	}
}
