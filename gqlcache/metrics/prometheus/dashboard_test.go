//go:build dashboard

package cacheprometheus_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/changelog/redislog"
	"github.com/cascadeql/cascadeql/gqlcache/footprint"
	"github.com/cascadeql/cascadeql/gqlcache/internal/testgraph"
	"github.com/cascadeql/cascadeql/gqlcache/metrics"
	cacheprometheus "github.com/cascadeql/cascadeql/gqlcache/metrics/prometheus"
	"github.com/cascadeql/cascadeql/gqlcache/store/redisstore"
	"github.com/cascadeql/cascadeql/internal/redistest"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/redis/go-redis/v9"
)

const (
	docs      = "../../../docs/"
	dashboard = docs + "grafana/cascadeql.json"
	alerts    = docs + "prometheus-alerts.yml"
)

// An instance is one of two servers that share a Redis.
type instance struct {
	graphql http.Handler
	cache   *gqlcache.Cache
	handle  *footprint.Observer
	metrics *httptest.Server
}

func newInstance(t *testing.T, server *redistest.Server, rows *testgraph.Store) *instance {
	t.Helper()
	log, err := redislog.New(server.Client(), redislog.Options{Namespace: "main"})
	if err != nil {
		t.Fatal(err)
	}
	shared, err := redisstore.New(redisstore.Options{Client: server.Client(), Prefix: "gqlc", DecodeMeta: gqlcache.DecodeMeta})
	if err != nil {
		t.Fatal(err)
	}
	handle := footprint.New(footprint.Options{Dialect: footprint.SQLite, Logger: slog.New(slog.DiscardHandler)})
	loads := 0
	version := gqlcache.VersionSource{Every: 100 * time.Millisecond, Of: func(context.Context) (string, error) {
		if loads++; loads%5 == 0 {
			return "", errors.New("no version")
		}
		return strconv.Itoa(loads / 3), nil
	}}
	cache, err := gqlcache.New(gqlcache.Options{
		Versions: map[string]gqlcache.VersionSource{"v_setting": version},
		Observe:  gqlcache.Observe{Handles: []*footprint.Observer{handle}},
		Callers:  gqlcache.AllSeeTheSame, Instances: gqlcache.Instances{Log: log, Shared: shared}, SweepInterval: 100 * time.Millisecond,
		Verify: gqlcache.VerifyOptions{Rate: 0.1, WithoutValues: true},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cache.Close() })
	srv := testgraph.NewServer(rows, cache)
	eventually(t, "the instance has joined", func() error {
		if s := cache.Stats(); !s.Log.Fresh || s.LastSweep == nil {
			return errors.New("no lease, or no sweep")
		}
		return nil
	})
	reg := prometheus.NewPedanticRegistry()
	reg.MustRegister(cacheprometheus.NewCollector(cache))
	i := &instance{graphql: srv, cache: cache, handle: handle, metrics: httptest.NewServer(promhttp.HandlerFor(reg, promhttp.HandlerOpts{}))}
	t.Cleanup(i.metrics.Close)
	return i
}

// load sends what brings every figure about, until the test ends.
func load(t *testing.T, all []*instance) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for _, i := range all {
		wg.Go(func() {
			pace := time.NewTicker(10 * time.Millisecond)
			defer pace.Stop()
			for n := 0; ctx.Err() == nil; n++ {
				for _, q := range []string{
					`query Users{users{name}}`, `query Users{users{name}}`, `{posts{name}}`, `query Type{__typename}`, `query Fails{fails}`,
				} {
					testgraph.Ask(t, i.graphql, q, nil)
				}
				testgraph.Ask(t, i.graphql, fmt.Sprintf(`mutation Rename{renameUser(id:%q,name:"n%d")}`, testgraph.Ann, n), nil)
				for range 2 {
					_, err := gqlcache.Compute(ctx, i.cache, gqlcache.KeyOf("loaded").Arg("n", n), func(context.Context) (int, error) { return n, nil }, gqlcache.ForAll())
					if err != nil && ctx.Err() == nil {
						t.Error(err)
					}
				}
				i.handle.NewSession(nil).Start(ctx, "UPDATE people SET name = 'x'", nil).End(nil, 1, true)
				<-pace.C
			}
		})
	}
	t.Cleanup(func() { cancel(); wg.Wait() })
}

// A panel is what the test reads of a dashboard's.
type panel struct {
	Title   string
	Type    string
	Targets []struct{ Expr, RefID string }
}

// expressions returns those of the dashboard, its variables filled in, and those of the
// manual.
func expressions(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile(dashboard)
	if err != nil {
		t.Fatal(err)
	}
	var d struct {
		Panels     []panel
		Templating struct {
			List []struct{ Name, Definition string }
		}
	}
	if err := json.Unmarshal(text, &d); err != nil {
		t.Fatal(err)
	}
	fill := strings.NewReplacer("$__rate_interval", "10s", "$job", ".*", "$instance", ".*")
	all := map[string]string{}
	for _, p := range d.Panels {
		if len(p.Targets) == 0 && p.Type != "row" {
			t.Errorf("panel %s shows nothing", p.Title)
		}
		for _, target := range p.Targets {
			key := p.Title + " " + target.RefID
			for all[key] != "" {
				key += "'"
			}
			all[key] = fill.Replace(target.Expr)
		}
	}
	labels := regexp.MustCompile(`^label_values\((.*), (\w+)\)$`)
	for _, v := range d.Templating.List {
		if m := labels.FindStringSubmatch(v.Definition); m != nil {
			all["variable "+v.Name] = fmt.Sprintf("count by (%s) (%s)", m[2], fill.Replace(m[1]))
		}
	}
	manual, err := os.ReadFile(docs + "metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	for n, m := range regexp.MustCompile("`([^`]*gqlcache_[^`]*\\[5m\\][^`]*)`").FindAllSubmatch(manual, -1) {
		all[fmt.Sprintf("manual %d", n)] = string(m[1])
	}
	for key, expr := range all {
		if strings.Contains(expr, "$") {
			t.Errorf("%s: a variable is left in %s", key, expr)
		}
	}
	if len(all) < 70 || all["manual 4"] == "" || all["variable instance"] == "" {
		t.Errorf("%d expressions", len(all))
	}
	return all
}

// silent keeps go-redis' own remarks about connections out of the output.
type silent struct{}

func (silent) Printf(context.Context, string, ...any) {}

// TestDashboard: in a Prometheus that scrapes two instances in use, each expression of the dashboard gives
// numbers, each alert can be evaluated, and what the collector writes has no fault in promtool's eyes.
func TestDashboard(t *testing.T) {
	redis.SetLogger(silent{})
	server, rows := redistest.Start(t), testgraph.NewStore()
	var all []*instance
	var targets []string
	for range 2 {
		i := newInstance(t, server, rows)
		all, targets = append(all, i), append(targets, strings.TrimPrefix(i.metrics.URL, "http://"))
	}
	load(t, all)
	p := startPrometheus(t, alerts, targets)

	eventually(t, "both instances are scraped", func() error {
		n, _, err := p.query(t.Context(), `up == 1 and count_over_time(up[10s]) > 4`)
		if err == nil && n != 2 {
			err = fmt.Errorf("%d are", n)
		}
		return err
	})
	for name, expr := range expressions(t) {
		eventually(t, name, func() error {
			samples, numbers, err := p.query(t.Context(), expr)
			if err == nil && numbers == 0 {
				err = fmt.Errorf("%d samples, none of them a number: %s", samples, expr)
			}
			return err
		})
	}
	for _, m := range metrics.All() {
		name := m.Prometheus()
		if m.Kind == metrics.Histogram {
			name += "_bucket"
		}
		if n, _, err := p.query(t.Context(), name); n == 0 || err != nil {
			t.Errorf("%s: %d series, %v", name, n, err)
		}
	}
	p.checkRules(t)
	text, err := get(t.Context(), all[0].metrics.URL)
	if err != nil {
		t.Fatal(err)
	}
	promtool(t, text, "check", "metrics")
}

// checkRules fails unless each rule was evaluated without an error.
func (p *prometheusServer) checkRules(t *testing.T) {
	t.Helper()
	eventually(t, "rules are evaluated", func() error {
		body, err := get(t.Context(), p.url+"/api/v1/rules")
		if err != nil {
			return err
		}
		var answer struct {
			Data struct {
				Groups []struct {
					Rules []struct{ Name, Health, LastError string }
				}
			}
		}
		if err := json.Unmarshal([]byte(body), &answer); err != nil {
			return err
		}
		n := 0
		for _, g := range answer.Data.Groups {
			for _, r := range g.Rules {
				n++
				if r.Health != "ok" {
					return fmt.Errorf("%s: %s %s", r.Name, r.Health, r.LastError)
				}
			}
		}
		if n == 0 {
			return errors.New("there are none")
		}
		return nil
	})
}

// TestAlerts: promtool's own checks, and the unit tests of the rules.
func TestAlerts(t *testing.T) {
	t.Parallel()
	promtool(t, "", "check", "rules", alerts)
	promtool(t, "", "test", "rules", docs+"prometheus-alerts_test.yml")
}
