package main

import (
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/cascadeql/cascadeql/cascade"
	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/inspect"
	"github.com/cascadeql/cascadeql/internal/rounds"
)

// alteredSchema is the example's schema with one piece of its text replaced.
func alteredSchema(t *testing.T, field, old, replacement string) func() (*ast.Schema, error) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("graph", "schema.graphql"))
	if err != nil {
		t.Fatal(err)
	}
	before, after, ok := strings.Cut(string(text), field)
	if !ok || !strings.Contains(after, old) {
		t.Fatalf("the schema has no %q behind %q", old, field)
	}
	schema, err := gqlparser.LoadSchema(
		&ast.Source{Name: "schema.graphql", Input: before + field + strings.Replace(after, old, replacement, 1)},
		&ast.Source{Name: "directives.graphql", Input: cascade.SDL("")})
	if err != nil {
		t.Fatal(err)
	}
	return func() (*ast.Schema, error) { return schema, nil }
}

// A verified is a server in verify mode with the rows of a workload.
type verified struct {
	*rig
	t *testing.T
	w *workload
}

// newVerified starts a server that recomputes every hit, so many at a time.
func newVerified(t *testing.T, s setup, w *workload, concurrency int, grace time.Duration) *verified {
	t.Helper()
	s.change = func(o *gqlcache.Options) {
		o.Verify = gqlcache.VerifyOptions{Rate: 1, Context: outlivingContext, Grace: grace, Concurrency: concurrency}
		o.SweepInterval, o.TTL = -1, time.Hour
	}
	v := &verified{rig: startRig(t, s), t: t, w: w}
	for _, tenant := range w.tenants {
		if _, err := v.store.As(tenant.id).Import(t.Context(), w.rows(tenant)); err != nil {
			t.Fatal(err)
		}
	}
	return v
}

// send sends a request of the workload.
func (v *verified) send(r oracleRequest) {
	v.t.Helper()
	body, err := json.Marshal(map[string]any{"query": oracleDocuments[r.name], "variables": json.RawMessage(r.variables)})
	if err != nil {
		v.t.Error(err)
	}
	if rep := v.ask(string(r.tenant), string(body), false); !r.mutation && len(rep.Errors) > 0 {
		v.t.Errorf("%s %s: %s", r.name, r.variables, rep.Errors)
	}
}

// wait returns when fewer hits than that are being verified.
func (v *verified) wait(pending uint64) *inspect.Verify {
	look := time.NewTicker(100 * time.Microsecond)
	defer look.Stop()
	for {
		s := v.cache.VerifyStats()
		if s.Sampled-s.Confirmed-s.Discounted-s.Skipped-s.Unstable-s.Mismatched < pending {
			return s
		}
		<-look.C
	}
}

// TestVerifyFindsWrongAnnotations: one wrong annotation is found within a thousand hits,
// and named.
func TestVerifyFindsWrongAnnotations(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name                    string
		field, old, replacement string
		at                      string
		missing                 []string // one of them comes first
	}{
		{
			"an edge of the view graph is missing",
			"type AuthorStats", `@dependsOn(on: "Comment", key: "post.author.id", using: ["post.author.id"])`, "",
			"AuthorStats.commentCount",
			[]string{
				"@writes of Mutation.addComment does not reach v_author_stats, which AuthorStats.commentCount reads: @dependsOn does not lead there from v_comment",
				"@writes of Mutation.deleteComment does not reach v_author_stats, which AuthorStats.commentCount reads: @dependsOn does not lead there from v_comment",
			},
		},
		{
			"a mutation writes more than it says",
			"publishPost(id", `@writes(view: "User", op: "UPDATE", row: "result.author.id", fields: ["karma"], resolve: true)`, "",
			"User.karma",
			[]string{"@writes of Mutation.publishPost does not reach v_user, which User.karma reads"},
		},
		{
			"a mutation changes more columns than it says",
			"publishPost(id", `fields: ["karma"]`, `fields: ["bio"]`,
			"User.karma",
			[]string{"@writes of Mutation.publishPost reaches this row of v_user, but not its column karma"},
		},
		{
			"a value is taken from the wrong argument",
			// Without the path that its resolver would tell: what the answer shows counts
			// beside what is set.
			"addComment(input", `"post.id = args.input.postId"
        "post.author.id = result.post.author.id"
      ]
      resolve: true`, `"post.id = args.input.authorId"
        "post.author.id = result.post.author.id"
      ]`,
			"Post.comments",
			[]string{"@writes of Mutation.addComment reaches v_comment, but not the rows that Post.comments shows: its row, where or set names others"},
		},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			w := newWorkload(1, oracleSize{users: 10, posts: 30, comments: 80}, 300)
			v := newVerified(t, setup{schema: alteredSchema(t, row.field, row.old, row.replacement)}, w, 1, time.Millisecond)
			var s *inspect.Verify
			for s = v.wait(1); v.cache.Stats().Hits < 1000 && s.Mismatched < 5; s = v.wait(1) {
				v.send(w.next())
			}
			named := map[string]int{}
			for _, m := range s.Mismatches {
				if m.Field != row.at {
					t.Errorf("%s of %s is reported as wrong", m.Path, m.Field)
				}
				if len(m.Suspects) == 0 {
					t.Fatalf("nobody is suspected: %+v", m)
				}
				named[m.Suspects[0].Missing]++
			}
			right := 0
			for _, text := range row.missing {
				right += named[text]
			}
			t.Logf("%d hits, %d of them stale, the right edge named first for %d", s.Sampled, s.Mismatched, right)
			if s.Mismatched == 0 || 2*right < len(s.Mismatches) {
				t.Errorf("%d mismatches; first suspects %v, want %q", s.Mismatched, named, row.missing)
			}
			if s.Discounted+s.Skipped+s.Unstable > 0 {
				t.Errorf("nothing was running: %+v", s)
			}
		})
	}
}

// TestVerifyFindsNothing: with the right annotations no hit is reported, however many
// mutations come in while they are recomputed.
func TestVerifyFindsNothing(t *testing.T) { onEach(t, testVerifyFindsNothing) }

func testVerifyFindsNothing(t *testing.T, database kind) {
	t.Helper()
	hits := defaultVerified
	switch {
	case testing.Short():
		hits = min(hits, shortVerified)
	case database != sqlite: // many more reads come to a hit, or each takes longer
		hits = min(hits, 2*shortVerified)
	}
	const clients, writers, readsPerWrite, pending = 3, 2, 16, 16
	size := oracleSize{users: 6, posts: 12, comments: 24}
	v := newVerified(t, setup{postgres: database.postgres, bare: database.bare}, newWorkload(7, size, 0), pending, time.Millisecond)
	// Each has a workload of its own, which draws requests by itself, all about the same
	// rows.
	draw := func(n, writes int) *workload {
		w := newWorkload(7, size, writes)
		for _, tenant := range w.tenants {
			w.rows(tenant)
		}
		w.rng = rand.New(rand.NewPCG(9, uint64(n)))
		return w
	}
	rounds.Until(t, "no recomputation was overtaken by a mutation", func(round int) bool {
		turns := make(chan struct{}, writers)
		var reading, writing sync.WaitGroup
		for n := range writers {
			writing.Go(func() {
				w := draw(n, 1000)
				for range turns {
					v.send(w.next())
				}
			})
		}
		for n := range clients {
			reading.Go(func() {
				w := draw(writers+n, 0)
				for i := 0; ; i++ {
					v.send(w.next())
					if s := v.wait(pending); s.Sampled-s.Skipped >= hits*uint64(round+1) {
						return
					}
					if i%readsPerWrite == 0 {
						turns <- struct{}{}
					}
				}
			})
		}
		reading.Wait()
		close(turns)
		writing.Wait()
		s := v.wait(1)
		t.Logf("%d hits sampled: %d confirmed, %d overtaken, %d skipped", s.Sampled, s.Confirmed, s.Discounted, s.Skipped)
		if s.Mismatched+s.Unstable > 0 {
			t.Errorf("%d mismatches, %d unstable: %+v", s.Mismatched, s.Unstable, s.Mismatches)
		}
		return s.Discounted > 0 && v.cache.Stats().Dead > 0
	})
}

// TestVerifyFindsWhatIsStaleInABusyRun: readers and writers do not wait for verify mode,
// which has two places and a grace of a second, in which most entries are dropped. The
// missing edge is found all the same, and nothing else is accused.
func TestVerifyFindsWhatIsStaleInABusyRun(t *testing.T) {
	t.Parallel()
	schema := alteredSchema(t, "publishPost(id", `@writes(view: "User", op: "UPDATE", row: "result.author.id", fields: ["karma"], resolve: true)`, "")
	size := oracleSize{users: 6, posts: 12, comments: 24}
	s := newVerified(t, setup{schema: schema}, newWorkload(7, size, 0), 2, time.Second)
	var clients sync.WaitGroup
	for n := range 3 {
		w := newWorkload(7, size, 150)
		for _, tenant := range w.tenants {
			w.rows(tenant)
		}
		w.rng = rand.New(rand.NewPCG(9, uint64(n)))
		clients.Go(func() {
			for i := 0; i < 20_000 && (i < 2_000 || s.cache.VerifyStats().Mismatched == 0); i++ {
				s.send(w.next())
			}
		})
	}
	clients.Wait()
	v := s.wait(1)
	t.Logf("%d hits sampled: %d confirmed, %d overtaken, %d stale, %d unstable, skipped %v",
		v.Sampled, v.Confirmed, v.Discounted, v.Mismatched, v.Unstable, v.SkippedBy)
	if v.Mismatched == 0 || v.Unstable > 0 {
		t.Errorf("%d stale hits found, %d unstable", v.Mismatched, v.Unstable)
	}
	for _, m := range v.Mismatches {
		if m.Field != "User.karma" {
			t.Errorf("%s of %s is reported as wrong", m.Path, m.Field)
		}
	}
}
