package main

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"github.com/cascadeql/cascadeql/example/graph"
	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/inspect"
	"github.com/cascadeql/cascadeql/internal/pgtest"
)

var (
	historySteps = flag.Int("history.steps", defaultSteps, "requests in a random history")
	historySeed  = flag.Uint64("history.seed", 0, "seed of the histories; 0 is a new one")
	historyRuns  = flag.Int("history.runs", 1, "histories for each variant")
)

// What the long tests do at most in short mode.
const (
	shortSteps    = 600
	shortReads    = 4000
	shortVerified = 2000
)

// TestSameAnswers sends one random history to a cached and an uncached server and
// compares every answer. The variants differ in what the cache knows and keeps: none may
// differ in an answer.
func TestSameAnswers(t *testing.T) {
	t.Parallel()
	variants := []struct {
		name string
		setup
		// minHits is the part of lookups that must hit, in percent: without hits nothing
		// was tested.
		minHits float64
		part    int // of the steps, in percent
		changes int // of a thousand steps, mutations; 0 is 100
	}{
		{"example", setup{}, 30, 100, 0},
		{"many changes", setup{}, 15, 60, 350},
		{"no lists", setup{change: func(o *gqlcache.Options) { o.OneRowOnly = true }}, 5, 40, 0},
		{"ten entries", setup{change: func(o *gqlcache.Options) { o.MaxEntries = 10 }}, 5, 40, 0},
		{"no partitions", setup{change: func(o *gqlcache.Options) { o.Partition = nil }}, 20, 40, 0},
		{"no directives", setup{schema: bareSchema}, 8, 40, 0},
		{"views only", setup{schema: viewSchema}, 8, 40, 0},
		{"gqlgen's transports", setup{gqlgens: true}, 20, 40, 0},
		{"past the hooks", setup{change: func(o *gqlcache.Options) { o.HTTP.Direct = true }}, 20, 40, 0},
		// Its answers are compared with those of a server over SQLite.
		{"PostgreSQL", setup{postgres: true}, 25, 40, 0},
		{"many changes, PostgreSQL", setup{postgres: true}, 10, 20, 350},
		{"no directives, statements", setup{bare: true}, 25, 100, 0},
		{"many changes, statements", setup{bare: true}, 10, 50, 350},
		{"PostgreSQL, statements", setup{bare: true, postgres: true}, 20, 40, 0},
		{"many changes, PostgreSQL, statements", setup{bare: true, postgres: true}, 8, 20, 350},
		// Hidden fields are given up at once, while loaders may have begun on their
		// behalf.
		{"no patience", setup{latency: 200 * time.Microsecond, change: func(o *gqlcache.Options) { o.PathTimeout = 1 }}, 10, 10, 0},
	}
	for _, v := range variants {
		t.Run(v.name, func(t *testing.T) {
			t.Parallel()
			if v.postgres {
				pgtest.Need(t)
			}
			for range *historyRuns {
				seed := *historySeed
				if seed == 0 {
					seed = rand.Uint64()
				}
				story := newStory(seed, graph.NewExecutableSchema(graph.Config{}).Schema())
				if v.changes > 0 {
					story.changes = v.changes
				}
				steps := *historySteps * v.part / 100
				if testing.Short() {
					steps = min(steps, shortSteps)
				}
				compareHistory(t, seed, story.history(steps), v.setup, v.minHits)
			}
		})
	}
}

// compareHistory fails the test with a script when the servers differ.
func compareHistory(t *testing.T, seed uint64, list []step, s setup, minHits float64) outcome {
	t.Helper()
	n := len(list)
	out, err := replay(t.Context(), list, s)
	if err != nil {
		t.Fatal(err)
	}
	if out.at >= 0 {
		t.Error(report(t.Context(), seed, list[:out.at+1], s, shrinkTime))
		return out
	}
	hits := 100 * out.stats.HitRate()
	if n < 1000 {
		minHits /= 5 // a short history may have bad luck
	}
	t.Logf("seed %d: %d steps, %d with data, %d failed mutations, %.1f %% hits, %d dead entries found, %d flushes",
		seed, n, out.withData, out.failed, hits, out.stats.Dead, out.stats.Flushes)
	if hits < minHits {
		t.Errorf("seed %d: %.1f %% hits, want at least %.1f %%", seed, hits, minHits)
	}
	if out.withData < n*6/10 {
		t.Errorf("seed %d: only %d of %d answers have data", seed, out.withData, n)
	}
	return out
}

// An outcome says where two servers differed first, and how.
type outcome struct {
	at               int // -1: nowhere
	problem          string
	withData, failed int
	stats            gqlcache.Stats
	verify           *inspect.Verify // nil when nothing was verified
}

// replay sends the steps to a server as set up and to one without a cache.
func replay(ctx context.Context, list []step, s setup) (out outcome, err error) {
	plainServer, err := newRig(ctx, setup{uncached: true})
	if err != nil {
		return out, err
	}
	defer plainServer.close()
	cached, err := newRig(ctx, s)
	if err != nil {
		return out, err
	}
	defer cached.close()
	ids := newTwins()
	want, got := &client{rig: plainServer}, &client{rig: cached}
	out.at = -1
	for i, st := range list {
		if st.sweep {
			if cached.cache != nil {
				_, _ = cached.cache.Sweep(ctx) // neither closed nor canceled
			}
			continue
		}
		ids.give(st.body)
		a, b := want.send(st), got.send(st)
		if out.problem = same(a, b, ids); out.problem != "" {
			out.at = i
			return out, nil
		}
		if len(a.Data) > 0 && string(a.Data) != "null" {
			out.withData++
		} else if isMutation(st.body) {
			out.failed++
		}
	}
	if cached.cache != nil {
		out.stats, out.verify = cached.cache.Stats(), cached.cache.VerifyStats()
	}
	return out, nil
}

// A client knows the ids that its server made.
type client struct {
	*rig
	made []string // placeholder, id, placeholder, id …
}

var madeValue = regexp.MustCompile(`"` + madeID + `":"([^"]*)"`)

func (c *client) send(st step) reply {
	body := st.body
	if len(c.made) > 0 {
		body = strings.NewReplacer(c.made...).Replace(body)
	}
	rep := c.ask(st.tenant, body, false)
	if m := madeValue.FindSubmatch(rep.Data); st.makes && m != nil {
		c.made = append(c.made, placeholder(st.number), string(m[1]))
	}
	return rep
}

var mutationText = regexp.MustCompile(`^\{"query":"[^{]*mutation\b`)

// isMutation tells whether a request may write.
func isMutation(body string) bool {
	return mutationText.MatchString(body) || strings.Contains(body, "mutation")
}

// report describes a failing history, as short as it can be made within patience.
func report(ctx context.Context, seed uint64, list []step, s setup, patience time.Duration) string {
	problem := ""
	short := minimize(list, func(list []step) int {
		out, err := replay(ctx, list, s)
		if err != nil || out.at < 0 {
			return -1
		}
		problem = out.problem
		return out.at
	}, patience)
	if out, err := replay(ctx, short, s); err == nil && out.at >= 0 {
		problem = out.problem
	}
	lines := make([]string, len(short))
	for i, st := range short {
		lines[i] = st.String()
	}
	return fmt.Sprintf("seed %d (again with -args -history.seed %d): the cached server differs at step %d: %s\n%d steps show it:\n%s",
		seed, seed, len(list)-1, problem, len(short), strings.Join(lines, "\n"))
}

// shrinkTime bounds how long a failing history is made shorter.
const shrinkTime = 30 * time.Second

// TestSameAnswersCanFail lets the comparison find what is wrong with a cache that is
// wrong, and show it in a few steps.
func TestSameAnswersCanFail(t *testing.T) {
	t.Parallel()
	s := setup{extension: func() graphql.HandlerExtension { return newNaive() }}
	list := newStory(1, graph.NewExecutableSchema(graph.Config{}).Schema()).history(600)
	out, err := replay(t.Context(), list, s)
	if err != nil {
		t.Fatal(err)
	}
	if out.at < 0 {
		t.Fatal("no difference found")
	}
	// As long as it takes: a slow machine finds the same few steps.
	text := report(t.Context(), 1, list[:out.at+1], s, time.Hour)
	t.Log(text)
	if n := strings.Count(text, "curl "); n > 12 {
		t.Errorf("the script has %d steps", n)
	}
}
