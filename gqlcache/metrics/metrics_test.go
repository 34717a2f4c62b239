package metrics_test

import (
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/changelog"
	"github.com/cascadeql/cascadeql/gqlcache/footprint"
	"github.com/cascadeql/cascadeql/gqlcache/inspect"
	"github.com/cascadeql/cascadeql/gqlcache/metrics"
	"github.com/cascadeql/cascadeql/gqlcache/store"
)

var write = flag.Bool("write", false, "write the table of docs/metrics.md")

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

// distinct sets all numbers below a value to different ones, and returns them by their
// paths.
func distinct(v reflect.Value, path string, next *int, set map[string]float64) {
	switch v.Kind() {
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			return
		}
		for i := range v.NumField() {
			distinct(v.Field(i), path+"."+v.Type().Field(i).Name, next, set)
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		distinct(v.Elem(), path, next, set)
	case reflect.Uint64:
		*next++
		v.SetUint(uint64(*next))
		set[path] = float64(*next)
	case reflect.Int, reflect.Int64:
		*next++
		n := int64(*next)
		set[path] = float64(n)
		if v.Type() == reflect.TypeFor[time.Duration]() {
			n *= int64(time.Second)
		}
		v.SetInt(n)
	case reflect.Float64:
		*next++
		v.SetFloat(float64(*next))
		set[path] = float64(*next)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Map, reflect.Slice, reflect.String:
		// set by the test
	default:
		panic(fmt.Sprintf("%s is a %v", path, v.Kind()))
	}
}

// TestEveryFigureIsExported: no figure of the cache is without a metric, but those named
// here.
func TestEveryFigureIsExported(t *testing.T) {
	t.Parallel()
	s, next, want := &source{}, 1_000_000, map[string]float64{}
	distinct(reflect.ValueOf(&s.stats).Elem(), "Stats", &next, want)
	s.operations = make([]gqlcache.OperationStats, 1)
	distinct(reflect.ValueOf(&s.operations[0]).Elem(), "Operation", &next, want)
	s.values = make([]gqlcache.ComputedStats, 1)
	distinct(reflect.ValueOf(&s.values[0]).Elem(), "Value", &next, want)
	s.values[0].Bypassed = map[gqlcache.Reason]uint64{gqlcache.ReasonDefer: 10, gqlcache.ReasonErrors: 1}
	s.values[0].NotStored = map[gqlcache.Reason]uint64{gqlcache.ReasonErrors: 12, gqlcache.ReasonCodec: 2}
	want["Value.Bypassed"], want["Value.NotStored"] = 11, 14
	s.stats.Tiers = make([]store.TierStats, 1)
	distinct(reflect.ValueOf(&s.stats.Tiers[0]).Elem(), "Tier", &next, want)
	distinct(reflect.ValueOf(&s.verify).Elem(), "Verify", &next, want)
	var version gqlcache.VersionStats
	distinct(reflect.ValueOf(&version).Elem(), "Version", &next, want)
	s.stats.Versions = map[string]gqlcache.VersionStats{"v_sales": version}
	s.stats.Bypassed = map[gqlcache.Reason]uint64{gqlcache.ReasonDefer: 7}
	s.stats.NotStored = map[gqlcache.Reason]uint64{gqlcache.ReasonErrors: 8}
	s.stats.Observed.Findings = map[footprint.FindingKind]uint64{footprint.Orphan: 9}
	want["Bypassed"], want["NotStored"], want["Log.Fresh"], want["Observed.Findings"] = 7, 8, 1, 9

	for _, left := range []string{
		"Stats.Entries", "Stats.Bytes", "Stats.Evictions", "Stats.Expirations", "Stats.StoreErrors", // by tier
		"Stats.Log.Applied.Epoch", "Stats.Log.Applied.Number", "Stats.Log.Unconfirmed", "Stats.Log.Waited", // the cache's own
		"Stats.LastSweep.Took", "Stats.LastSweep.DeadBytes",
		"Tier.Stats.Deletes", "Tier.Stats.Refused", "Tier.Promotions", "Tier.Rejected",
	} {
		if _, ok := want[left]; !ok {
			t.Errorf("there is no figure %s", left)
		}
		delete(want, left)
	}
	got := map[float64]int{}
	r := metrics.Read(s)
	for _, m := range metrics.All() {
		m.Each(r, func(_ string, v float64) { got[v]++ })
		if h := m.Histogram(r); m.Kind == metrics.Histogram {
			got[float64(h.Count)]++
			got[h.Sum.Seconds()]++
		}
	}
	for path, v := range want {
		if got[v] != 1 {
			t.Errorf("%s is in %d metrics", path, got[v])
		}
	}
}

// TestNames: no name stands for two metrics, anywhere.
func TestNames(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, m := range metrics.All() {
		for _, name := range []string{m.Prometheus(), m.OpenTelemetry(), "expvar " + m.Expvar()} {
			if seen[name] {
				t.Errorf("%s twice", name)
			}
			seen[name] = true
		}
		if !strings.HasSuffix(m.Help, ".") || (m.Kind == metrics.Counter) != strings.HasSuffix(m.Prometheus(), "_total") {
			t.Errorf("%+v", m)
		}
	}
	for _, name := range []string{
		"gqlcache_hits_total", "gqlcache.hits", "gqlcache_fill_duration_seconds", "gqlcache.fill.duration",
		"gqlcache_operation_fill_time_seconds_total", "expvar fill_duration_seconds", "gqlcache_store_size_bytes",
		"gqlcache.store.size", "gqlcache_verify_sample_ratio", "gqlcache_store_entries", "gqlcache_lease_held",
	} {
		if !seen[name] {
			t.Errorf("no %s", name)
		}
	}
}

// TestAbsentFigures: what a cache does not have is left out, rather than 0.
func TestAbsentFigures(t *testing.T) {
	t.Parallel()
	absent := func(s *source) (names []string) {
		r := metrics.Read(s)
		for _, m := range metrics.All() {
			n := 0
			m.Each(r, func(string, float64) { n++ })
			if n == 0 && m.Kind != metrics.Histogram && m.Label == "" {
				names = append(names, strings.SplitN(m.Name, ".", 2)[0])
			}
		}
		return slices.Compact(names)
	}
	for _, row := range []struct {
		name string
		s    source
		want []string
	}{
		{"nothing", source{}, []string{"sweep", "lease_held", "members", "log", "observed", "verify"}},
		{"a log", source{stats: gqlcache.Stats{Log: &changelog.Stats{}}}, []string{"sweep", "observed", "verify"}},
		{"a sweep", source{stats: gqlcache.Stats{LastSweep: &gqlcache.SweepReport{}}}, []string{"lease_held", "members", "log", "observed", "verify"}},
		{"a handle", source{stats: gqlcache.Stats{Observed: &gqlcache.ObservedStats{}}}, []string{"sweep", "lease_held", "members", "log", "verify"}},
		{"verify mode", source{verify: inspect.Verify{Rate: 0.5}}, []string{"sweep", "lease_held", "members", "log", "observed"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			if got := absent(&row.s); !slices.Equal(got, row.want) {
				t.Errorf("left out %v, want %v", got, row.want)
			}
		})
	}
}

// TestLabelsAreFew: however much was found, a metric of statements has a series for each
// kind and each outcome, and no more. Kinds that were never found are 0.
func TestLabelsAreFew(t *testing.T) {
	t.Parallel()
	handle := footprint.New(footprint.Options{Dialect: footprint.SQLite, Logger: slog.New(slog.DiscardHandler)})
	c, err := gqlcache.New(gqlcache.Options{Callers: gqlcache.AllSeeTheSame, Observe: gqlcache.Observe{Handles: []*footprint.Observer{handle}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	for i := range 300 {
		handle.NewSession(nil).Start(t.Context(), fmt.Sprintf("UPDATE t%d SET a = 'x'", i), nil).End(errBroken, -1, true)
	}
	labels := map[string]map[string]float64{}
	for _, m := range metrics.All() {
		if strings.HasPrefix(m.Name, "observed.") {
			labels[m.Name] = map[string]float64{}
			m.Each(metrics.Read(c), func(label string, v float64) { labels[m.Name][label] = v })
		}
	}
	if got := labels["observed.statements"]; len(got) != 3 || got["not understood"] != 300 {
		t.Errorf("statements %v", got)
	}
	if got := labels["observed.findings"]; len(got) != len(handle.Figures().Findings) || len(got) < 15 || got[string(footprint.UncertainCommit)] != 300 {
		t.Errorf("findings %v", got)
	}
	if got := labels["observed.uncertain_commits"]; len(got) != 1 || got[""] != 300 {
		t.Errorf("uncertain commits %v", got)
	}
	if got := labels["observed.outside_commits"]; len(got) != 1 || got[""] != 300 {
		t.Errorf("commits outside of operations %v", got)
	}
}

var errBroken = errors.New("the connection broke")

// TestVersionsByView: each source has a label of its own, also where its name is none.
func TestVersionsByView(t *testing.T) {
	t.Parallel()
	s := &source{stats: gqlcache.Stats{Versions: map[string]gqlcache.VersionStats{
		"v_sales": {Asked: 7, Failed: 1, Changed: 3, Age: 1500 * time.Millisecond}, "\xff": {Asked: 2}, "\xfe": {Asked: 5},
	}}}
	got := map[string]map[string]float64{}
	for _, m := range metrics.All() {
		if name, ok := strings.CutPrefix(m.Name, "version."); ok {
			got[name] = map[string]float64{}
			m.Each(metrics.Read(s), func(label string, v float64) { got[name][label] = v })
		}
	}
	want := map[string]map[string]float64{
		"calls": {"v_sales": 7, "?": 5, "?#2": 2}, "failures": {"v_sales": 1, "?": 0, "?#2": 0},
		"changes": {"v_sales": 3, "?": 0, "?#2": 0}, "age": {"v_sales": 1.5, "?": 0, "?#2": 0},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// TestTable: docs/metrics.md has every metric, as it is.
func TestTable(t *testing.T) {
	const file, begin, end = "../../docs/metrics.md", "<!-- metrics -->\n", "<!-- end -->\n"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, ok1 := strings.Cut(string(text), begin)
	got, tail, ok2 := strings.Cut(rest, end)
	if !ok1 || !ok2 {
		t.Fatalf("%s has no table", file)
	}
	var b strings.Builder
	b.WriteString("| Prometheus | OpenTelemetry | kind | unit | label | |\n|---|---|---|---|---|---|\n")
	for _, m := range metrics.All() {
		fmt.Fprintf(&b, "| `%s` | `%s` | %v | `%s` | %s | %s |\n", m.Prometheus(), m.OpenTelemetry(), m.Kind, m.Unit, m.Label, m.Help)
	}
	if got == b.String() {
		return
	}
	if !*write {
		t.Fatalf("the table of %s is out of date: go test ./gqlcache/metrics -run TestTable -args -write", file)
	}
	if err := os.WriteFile(file, []byte(head+begin+b.String()+end+tail), 0o644); err != nil {
		t.Fatal(err)
	}
}
