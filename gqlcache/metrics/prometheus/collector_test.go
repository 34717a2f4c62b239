package cacheprometheus_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/changelog"
	"github.com/cascadeql/cascadeql/gqlcache/footprint"
	"github.com/cascadeql/cascadeql/gqlcache/inspect"
	"github.com/cascadeql/cascadeql/gqlcache/internal/testgraph"
	"github.com/cascadeql/cascadeql/gqlcache/metrics"
	cacheprometheus "github.com/cascadeql/cascadeql/gqlcache/metrics/prometheus"
	"github.com/cascadeql/cascadeql/gqlcache/store"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

// source is a source with figures that a test has made up.
type source struct {
	stats      gqlcache.Stats
	operations []gqlcache.OperationStats
	values     []gqlcache.ComputedStats
	verify     inspect.Verify
}

func (s *source) Stats() gqlcache.Stats                     { return s.stats }
func (s *source) OperationStats() []gqlcache.OperationStats { return s.operations }
func (s *source) ComputedStats() []gqlcache.ComputedStats   { return s.values }
func (s *source) VerifyStats() *inspect.Verify              { return &s.verify }

// everything has each metric at least once.
func everything() *source {
	return &source{
		stats: gqlcache.Stats{
			Hits: 12, Bypassed: map[gqlcache.Reason]uint64{gqlcache.ReasonDefer: 3}, NotStored: map[gqlcache.Reason]uint64{gqlcache.ReasonErrors: 1},
			FillDuration: gqlcache.Histogram{
				Bounds: []time.Duration{time.Millisecond, time.Second}, Counts: []uint64{1, 2, 4}, Count: 7, Sum: 9 * time.Second,
			},
			Tiers:     []store.TierStats{{Name: "memory", Stats: store.Stats{Bytes: 99}}, {Name: "shared", Faults: 5}},
			Log:       &changelog.Stats{Fresh: true, Members: 2},
			LastSweep: &gqlcache.SweepReport{LiveEntries: 4},
			Versions:  map[string]gqlcache.VersionStats{"v_sales": {Asked: 4, Age: 2500 * time.Millisecond}},
			Observed: &gqlcache.ObservedStats{
				Known: 20, Widened: 3, NotUnderstood: 2, Commits: 11, OutsideCommits: 5, UncertainCommits: 1,
				Findings: map[footprint.FindingKind]uint64{footprint.NotUnderstood: 2, footprint.IncompleteKey: 0},
			},
		},
		operations: []gqlcache.OperationStats{{Name: "(other)", Hits: 2, FillTime: time.Second}, {Name: "Feed", Hits: 10}},
		values:     []gqlcache.ComputedStats{{Name: "board", Hits: 6, FillTime: time.Second, Bypassed: map[gqlcache.Reason]uint64{gqlcache.ReasonLease: 1, gqlcache.ReasonErrors: 2}}, {Name: "b\xff"}},
		verify:     inspect.Verify{Rate: 0.01, Mismatched: 6},
	}
}

// TestTierNamesBreakNoScrape: stores name their tiers, and two may have one name, or one
// that is no label.
func TestTierNamesBreakNoScrape(t *testing.T) {
	t.Parallel()
	s := everything()
	for _, name := range []string{"a\xff", "memory", "shared", "memory#2", "", ""} {
		s.stats.Tiers = append(s.stats.Tiers, store.TierStats{Name: name, Stats: store.Stats{Bytes: 7}})
	}
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(cacheprometheus.NewCollector(s))
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range families {
		if f.GetName() == "gqlcache_store_size_bytes" {
			for _, m := range f.GetMetric() {
				names = append(names, m.GetLabel()[0].GetValue())
			}
		}
	}
	if got, want := strings.Join(names, " "), " #2 a? memory memory#2 memory#2#2 shared shared#2"; got != want {
		t.Errorf("tiers %q, want %q", got, want)
	}
	if s.stats.Tiers[2].Name != "a\xff" {
		t.Error("the source's own figures were changed")
	}
}

func newCache(t testing.TB, o gqlcache.Options) *gqlcache.Cache {
	t.Helper()
	o.Callers, o.SweepInterval = gqlcache.AllSeeTheSame, -1
	c, err := gqlcache.New(o)
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

// TestCollect compares some of each kind with what Prometheus reads.
func TestCollect(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ name, metric, kind, want string }{
		{"counter", "gqlcache_hits_total", "counter", "gqlcache_hits_total 12"},
		{"by reason", "gqlcache_bypassed_total", "counter", `gqlcache_bypassed_total{gqlcache_reason="defer"} 3`},
		{"by operation", "gqlcache_operation_hits_total", "counter", `gqlcache_operation_hits_total{graphql_operation_name="(other)"} 2
gqlcache_operation_hits_total{graphql_operation_name="Feed"} 10`},
		{"seconds", "gqlcache_operation_fill_time_seconds_total", "counter", `gqlcache_operation_fill_time_seconds_total{graphql_operation_name="(other)"} 1
gqlcache_operation_fill_time_seconds_total{graphql_operation_name="Feed"} 0`},
		{"by tier", "gqlcache_store_errors_total", "counter", `gqlcache_store_errors_total{gqlcache_tier="memory"} 0
gqlcache_store_errors_total{gqlcache_tier="shared"} 5`},
		{"gauge", "gqlcache_lease_held", "gauge", "gqlcache_lease_held 1"},
		{"bytes", "gqlcache_store_size_bytes", "gauge", `gqlcache_store_size_bytes{gqlcache_tier="memory"} 99
gqlcache_store_size_bytes{gqlcache_tier="shared"} 0`},
		{"statements", "gqlcache_observed_statements_total", "counter", `gqlcache_observed_statements_total{gqlcache_statement_outcome="known"} 20
gqlcache_observed_statements_total{gqlcache_statement_outcome="not understood"} 2
gqlcache_observed_statements_total{gqlcache_statement_outcome="widened"} 3`},
		{"findings", "gqlcache_observed_findings_total", "counter", `gqlcache_observed_findings_total{gqlcache_finding_kind="incomplete key"} 0
gqlcache_observed_findings_total{gqlcache_finding_kind="not understood"} 2`},
		{"commits", "gqlcache_observed_outside_commits_total", "counter", "gqlcache_observed_outside_commits_total 5"},
		{"versions", "gqlcache_version_calls_total", "counter", `gqlcache_version_calls_total{gqlcache_view="v_sales"} 4`},
		{"age of a version", "gqlcache_version_age_seconds", "gauge", `gqlcache_version_age_seconds{gqlcache_view="v_sales"} 2.5`},
		{"values", "gqlcache_computed_hits_total", "counter", `gqlcache_computed_hits_total{gqlcache_computed_name="b?"} 0
gqlcache_computed_hits_total{gqlcache_computed_name="board"} 6`},
		{"reasons of a value", "gqlcache_computed_bypassed_total", "counter", `gqlcache_computed_bypassed_total{gqlcache_computed_name="b?"} 0
gqlcache_computed_bypassed_total{gqlcache_computed_name="board"} 3`},
		{"verify mode", "gqlcache_verify_mismatched_total", "counter", "gqlcache_verify_mismatched_total 6"},
		{"histogram", "gqlcache_fill_duration_seconds", "histogram", `gqlcache_fill_duration_seconds_bucket{le="0.001"} 1
gqlcache_fill_duration_seconds_bucket{le="1"} 3
gqlcache_fill_duration_seconds_bucket{le="+Inf"} 7
gqlcache_fill_duration_seconds_sum 9
gqlcache_fill_duration_seconds_count 7`},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			help := ""
			for _, m := range metrics.All() {
				if m.Prometheus() == row.metric {
					help = m.Help
				}
			}
			want := fmt.Sprintf("# HELP %s %s\n# TYPE %s %s\n%s\n", row.metric, help, row.metric, row.kind, row.want)
			if err := testutil.CollectAndCompare(cacheprometheus.NewCollector(everything()), strings.NewReader(want), row.metric); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestLint: what promtool says of names and help texts, and that each metric arrives.
func TestLint(t *testing.T) {
	t.Parallel()
	c := cacheprometheus.NewCollector(everything())
	problems, err := testutil.CollectAndLint(c)
	if err != nil || len(problems) > 0 {
		t.Error(problems, err)
	}
	for _, m := range metrics.All() {
		if testutil.CollectAndCount(c, m.Prometheus()) == 0 {
			t.Errorf("no %s", m.Prometheus())
		}
	}
}

// TestTwoCaches in one registry are told apart by a label.
func TestTwoCaches(t *testing.T) {
	t.Parallel()
	reg := prometheus.NewPedanticRegistry()
	for _, name := range []string{"public", "private"} {
		c := cacheprometheus.NewCollector(newCache(t, gqlcache.Options{}))
		if err := prometheus.WrapRegistererWith(prometheus.Labels{"cache": name}, reg).Register(c); err != nil {
			t.Error(err)
		}
	}
	if n, err := testutil.GatherAndCount(reg, "gqlcache_hits_total"); n != 2 || err != nil {
		t.Errorf("%d series, %v", n, err)
	}
	if reg.Register(cacheprometheus.NewCollector(newCache(t, gqlcache.Options{}))) == nil {
		t.Error("a third without the label is taken")
	}
}

// TestBadName: tiers whose names are no label values, or the same, are scraped under
// names of their own.
func TestBadName(t *testing.T) {
	t.Parallel()
	s := everything()
	for len(s.stats.Tiers) < 2 {
		s.stats.Tiers = append(s.stats.Tiers, store.TierStats{})
	}
	for i := range s.stats.Tiers {
		s.stats.Tiers[i].Name = "\xff"
	}
	reg := prometheus.NewPedanticRegistry()
	reg.MustRegister(cacheprometheus.NewCollector(s))
	if n, err := testutil.GatherAndCount(reg, "gqlcache_store_entries"); n != len(s.stats.Tiers) || err != nil {
		t.Errorf("%d series, %v; want one for each of %d tiers", n, err, len(s.stats.Tiers))
	}
}

// TestScrapeUnderLoad scrapes a cache that is in use: each scrape is whole, and no
// counter goes back.
func TestScrapeUnderLoad(t *testing.T) {
	t.Parallel()
	cache := newCache(t, gqlcache.Options{})
	reg := prometheus.NewPedanticRegistry() // checks consistency at each scrape
	reg.MustRegister(cacheprometheus.NewCollector(cache))
	srv := testgraph.NewServer(testgraph.NewStore(), cache)
	done := make(chan struct{})
	var wg sync.WaitGroup
	for n := range 2 {
		wg.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-done:
					return
				default:
				}
				testgraph.Ask(t, srv, fmt.Sprintf(`query Q%d{users{name}}`, i%5), nil)
				if i%20 == n {
					testgraph.Ask(t, srv, fmt.Sprintf(`mutation{renameUser(id:%q,name:"x")}`, testgraph.Ann), nil)
				}
			}
		})
	}
	last := map[string]float64{}
	for range 50 {
		families, err := reg.Gather()
		if err != nil {
			t.Error(err)
		}
		for _, f := range families {
			for _, m := range f.GetMetric() {
				key := f.GetName()
				for _, l := range m.GetLabel() {
					key += " " + l.GetValue()
				}
				if v := m.GetCounter().GetValue(); m.Counter != nil {
					if v < last[key] {
						t.Errorf("%s went from %v to %v", key, last[key], v)
					}
					last[key] = v
				}
			}
		}
	}
	close(done)
	wg.Wait()
	if last["gqlcache_hits_total"] == 0 {
		t.Error("no hits")
	}
}

func ExampleNewCollector() {
	cache, err := gqlcache.New(gqlcache.Options{Callers: gqlcache.AllSeeTheSame})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = cache.Close() }()
	registry := prometheus.NewRegistry()
	registry.MustRegister(cacheprometheus.NewCollector(cache))

	answer := httptest.NewRecorder() // of http.Handle("/metrics", …)
	promhttp.HandlerFor(registry, promhttp.HandlerOpts{}).ServeHTTP(answer, httptest.NewRequestWithContext(context.Background(), http.MethodGet, "/metrics", nil))
	fmt.Println(answer.Code, strings.Contains(answer.Body.String(), "gqlcache_hits_total 0"))
	// Output: 200 true
}
