package gqlcache_test

import (
	"flag"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler"
	"github.com/99designs/gqlgen/graphql/handler/lru"
	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/internal/testgraph"
	"github.com/vektah/gqlparser/v2/ast"
)

var memoryFull = flag.Bool("memory.full", false, "bounds of memory at the sizes of production: takes minutes and 4 GB")

// heldHeap returns the bytes of live objects.
func heldHeap() int64 {
	runtime.GC()
	runtime.GC() // what pools and finalizers held over the first
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// serverOfDocuments is a server that remembers some parsed documents, with the
// extensions.
func serverOfDocuments(remembered int, exts ...graphql.HandlerExtension) *handler.Server {
	srv := testgraph.NewServer(testgraph.NewStore(), exts...)
	srv.SetQueryCache(lru.New[*ast.QueryDocument](remembered))
	return srv
}

// plansOnly makes a cache that stores next to no answers.
func plansOnly(t testing.TB, maxPlanBytes int64) *gqlcache.Cache {
	t.Helper()
	c, err := gqlcache.New(gqlcache.Options{
		Callers: gqlcache.AllSeeTheSame, Limits: gqlcache.Limits{MaxBytes: 1, MaxEntries: 1, MaxPlanBytes: maxPlanBytes}, SweepInterval: -1,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// aliasedDocument is a query with a name and many aliases: 900 of them make 58 KB.
func aliasedDocument(name, aliases int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "query Q%d {", name)
	for i := range aliases {
		fmt.Fprintf(&b, " a%d_%d: post(id: \"%d\") { id name author { id name boss { id } } }", name, i, i)
	}
	return b.String() + "}"
}

// documentShapes are documents of about n nodes each, of every kind of node that keeps
// memory.
var documentShapes = map[string]func(name, n int) string{
	"aliases": func(name, n int) string { return aliasedDocument(name, n/8) },
	"flat": func(name, n int) string {
		return listOf(name, n, func(i int) string { return fmt.Sprintf("u%d: userCount", i) })
	},
	"comments": func(name, n int) string {
		return listOf(name, 1, func(int) string { return strings.Repeat("#\n", n) + "userCount" })
	},
	"padding": func(name, n int) string {
		return listOf(name, 1, func(int) string { return "userCount #" + strings.Repeat("x", 100*n) + "\n" })
	},
	"arguments": func(name, n int) string {
		return listOf(name, n/4, func(i int) string { return fmt.Sprintf(`e%d: echo(text: "a\n", list: ["x", "y"], input: {a: "b"})`, i) })
	},
	"fragments": func(name, n int) string {
		return listOf(name, n/8, func(i int) string { return fmt.Sprintf(`n%d: node(id: "u1") { ... on User { name } ...f }`, i) }) +
			" fragment f on Node { id @skip(if: false) }"
	},
	"interfaces": func(name, n int) string {
		return listOf(name, n/20, func(i int) string { return fmt.Sprintf(`n%d: node(id: "u1") { id }`, i) })
	},
	"variables": func(name, n int) string {
		return fmt.Sprintf("query Q%d(", name) + strings.Join(repeated(n/4, func(i int) string { return fmt.Sprintf("$v%d: [[Int!]!] = [[1]]", i) }), " ") +
			") {" + strings.Join(repeated(n/4, func(i int) string { return fmt.Sprintf("e%d: echo(grid: $v%d)", i, i) }), " ") + "}"
	},
}

func listOf(name, n int, of func(i int) string) string {
	return fmt.Sprintf("query Q%d { ", name) + strings.Join(repeated(n, of), " ") + " }"
}

func repeated(n int, of func(i int) string) []string {
	all := make([]string, max(1, n))
	for i := range all {
		all[i] = of(i)
	}
	return all
}

// TestPlanWeight: the figure of the plans is about what they keep on the heap, documents
// and texts included, whatever the documents look like.
func TestPlanWeight(t *testing.T) {
	for name, text := range documentShapes {
		t.Run(name, func(t *testing.T) {
			const count = 8
			c := plansOnly(t, 1<<40)
			srv := serverOfDocuments(1, c)
			testgraph.Ask(t, srv, text(count, 600), nil) // what is made once
			before, weighed := heldHeap(), c.Stats().PlanBytes
			for i := range count {
				if r := testgraph.Ask(t, srv, text(i, 600), nil); len(r.Errors) > 0 {
					t.Fatalf("%.300s", r.Body)
				}
			}
			held := heldHeap() - before
			figure := c.Stats().PlanBytes - weighed
			runtime.KeepAlive(srv)
			t.Logf("%d bytes of text: held %d, weighed %d", len(text(0, 600)), held/count, figure/count)
			if held > figure*5/4 || figure > held*2 {
				t.Errorf("%d bytes are held, and the figure says %d", held, figure)
			}
		})
	}
}

// TestPlansAreBounded: whatever texts come, the plans stay within their bound, on the
// heap as in the figure. The server itself remembers few documents: what else stays, the
// cache keeps.
func TestPlansAreBounded(t *testing.T) {
	const bound = 1 << 20
	for name, text := range documentShapes {
		t.Run(name, func(t *testing.T) {
			c := plansOnly(t, bound)
			srv := serverOfDocuments(1, c)
			testgraph.Ask(t, srv, "{ userCount }", nil)
			before := heldHeap()
			for i := range 60 {
				for range 2 { // a large plan is kept when its text comes again
					testgraph.Ask(t, srv, text(i, 120), nil)
				}
				if st := c.Stats(); st.PlanBytes > bound {
					t.Fatalf("after %d texts, %d bytes are kept", i, st.PlanBytes)
				}
			}
			st := c.Stats()
			if st.Plans < 3 || st.PlanBytes < bound/2 {
				t.Errorf("%d plans of %d bytes are kept: not what may be kept", st.Plans, st.PlanBytes)
			}
			held := heldHeap() - before
			runtime.KeepAlive(srv)
			if held > bound*2 {
				t.Errorf("%d bytes are held of %d", held, bound)
			}
		})
	}
}

// TestDocumentsCostLittleMore: a client that sends ever new large documents, once each or
// twice each, makes a server with the cache keep at most a fifth more than one without,
// and little more than the bound of its plans. The server itself remembers half of the
// documents. A document and the bound are a thirtieth of those of production, unless
// -memory.full is set.
func TestDocumentsCostLittleMore(t *testing.T) {
	count, aliases, bound := 200, 30, int64(32<<20)/30 // gqlgen's validation takes the square of the aliases
	if *memoryFull {
		count, aliases, bound = 2000, 900, 0
	}
	// kept returns the bytes that a server keeps when each of the first half of the
	// documents has come so many times, then each of the second half.
	kept := func(times [2]int, exts ...graphql.HandlerExtension) int64 {
		srv := serverOfDocuments(count/2, exts...)
		before := heldHeap()
		for i := range count {
			for range times[i*2/count] {
				testgraph.Ask(t, srv, aliasedDocument(i, aliases), nil)
			}
		}
		n := heldHeap() - before
		runtime.KeepAlive(srv)
		return n
	}
	plain := kept([2]int{1, 1})
	t.Logf("%d documents of %d bytes: %d bytes without the cache", count, len(aliasedDocument(0, aliases)), plain)
	for _, row := range []struct {
		name  string
		times [2]int
		plans int64 // at least; a large plan is kept when its text comes again
	}{
		{"once each", [2]int{1, 1}, 0},
		{"twice each", [2]int{2, 2}, 3},
		{"twice each, and forgotten by the server", [2]int{2, 1}, 3},
	} {
		t.Run(row.name, func(t *testing.T) {
			c := plansOnly(t, bound)
			cached, st := kept(row.times, c), c.Stats()
			t.Logf("%d bytes, %d plans of %d bytes", cached, st.Plans, st.PlanBytes)
			if cached > plain*6/5 || cached > plain+st.MaxPlanBytes*5/4 {
				t.Errorf("%d bytes are kept, and %d without the cache; the bound of the plans is %d", cached, plain, st.MaxPlanBytes)
			}
			if st.Plans < row.plans {
				t.Errorf("%d plans are kept: not what may be kept", st.Plans)
			}
		})
	}
}

// TestLargePlans: an operation whose plan is not kept is answered from the cache, and its
// mutations drop what they change.
func TestLargePlans(t *testing.T) {
	t.Parallel()
	s := testgraph.NewStore()
	c, err := gqlcache.New(gqlcache.Options{Callers: gqlcache.AllSeeTheSame, SweepInterval: -1, Limits: gqlcache.Limits{MaxPlanBytes: 1}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	srv := testgraph.NewServer(s, c)
	testgraph.Ask(t, srv, `mutation { createUser(id: "u1", input: {name: "Ann"}) { id } }`, nil)
	const query = `{ user(id: "u1") { name } }`
	for range 3 {
		testgraph.Ask(t, srv, query, nil)
	}
	if st := c.Stats(); st.Hits != 2 || st.Plans != 0 {
		t.Fatalf("%d hits of 2, %d plans", st.Hits, st.Plans)
	}
	testgraph.Ask(t, srv, `mutation { updateUser(id: "u1", input: {name: "Zoe"}) { id } }`, nil)
	if r := testgraph.Ask(t, srv, query, nil); !strings.Contains(r.Body, "Zoe") {
		t.Errorf("stale: %s", r.Body)
	}
}

// TestPaddedTexts: a server that remembers few documents does not keep the texts of many
// through the cache.
func TestPaddedTexts(t *testing.T) {
	const bound = 1 << 20
	c := plansOnly(t, bound)
	srv := serverOfDocuments(10, c)
	padding := strings.Repeat("x", 100_000)
	testgraph.Ask(t, srv, "{ userCount }", nil)
	before := heldHeap()
	for i := range 300 {
		testgraph.Ask(t, srv, fmt.Sprintf("{ userCount } # %d %s", i, padding), nil)
	}
	held := heldHeap() - before
	runtime.KeepAlive(srv)
	if allowed := int64(2*bound + 10*len(padding)); held > allowed {
		t.Errorf("%d bytes are held, of %d", held, allowed)
	}
}

// BenchmarkDocumentMemory reports the bytes that a server keeps for each distinct
// document, with the cache and without.
func BenchmarkDocumentMemory(b *testing.B) {
	for _, aliases := range []int{1, 10, 900} {
		for name, plans := range map[string]int64{"without": -1, "unbounded": 1 << 40, "default": 0} {
			b.Run(fmt.Sprintf("aliases=%d/%s", aliases, name), func(b *testing.B) {
				const count = 50
				var each float64
				for b.Loop() {
					var exts []graphql.HandlerExtension
					if plans >= 0 {
						exts = append(exts, plansOnly(b, plans))
					}
					srv := serverOfDocuments(count, exts...)
					before := heldHeap()
					for i := range count {
						testgraph.Ask(b, srv, aliasedDocument(i, aliases), nil)
					}
					each = float64(heldHeap()-before) / count
					runtime.KeepAlive(srv)
				}
				b.ReportMetric(each, "B/document")
			})
		}
	}
}
