package cacheexpvar_test

import (
	"encoding/json"
	"expvar"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/internal/testgraph"
	cacheexpvar "github.com/cascadeql/cascadeql/gqlcache/metrics/expvar"
)

func newCache(t *testing.T) *gqlcache.Cache {
	t.Helper()
	c, err := gqlcache.New(gqlcache.Options{Callers: gqlcache.AllSeeTheSame, SweepInterval: -1})
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

// TestVar: the variable is JSON, and follows the cache.
func TestVar(t *testing.T) {
	t.Parallel()
	c := newCache(t)
	srv := testgraph.NewServer(testgraph.NewStore(), c)
	v := cacheexpvar.Var(c)
	for _, q := range []string{`query A{users{name}}`, `query A{users{name}}`, `{__typename}`} {
		testgraph.Ask(t, srv, q, nil)
	}
	var got struct {
		Hits           float64            `json:"hits"`
		Bypassed       map[string]float64 `json:"bypassed"`
		OperationHits  map[string]float64 `json:"operation_hits"`
		Entries        map[string]float64 `json:"store_entries"`
		StoreErrors    map[string]float64 `json:"store_errors"`
		Lease          *float64           `json:"lease_held"`
		SettleDuration *struct{}          `json:"settle_duration_seconds"`
		FillDuration   struct {
			Count   uint64
			Sum     float64
			Buckets map[string]uint64
		} `json:"fill_duration_seconds"`
	}
	if err := json.Unmarshal([]byte(v.String()), &got); err != nil {
		t.Fatal(err)
	}
	if got.Hits != 1 || !maps.Equal(got.Bypassed, map[string]float64{"typename": 1}) ||
		!maps.Equal(got.OperationHits, map[string]float64{"A": 1, "(anonymous)": 0}) ||
		!maps.Equal(got.Entries, map[string]float64{"memory": 1}) || !maps.Equal(got.StoreErrors, map[string]float64{"memory": 0}) {
		t.Errorf("%+v", got)
	}
	if got.Lease != nil || got.SettleDuration == nil {
		t.Errorf("lease %v, settle %v", got.Lease, got.SettleDuration)
	}
	h := got.FillDuration
	if h.Count != 1 || h.Sum <= 0 || h.Sum > time.Minute.Seconds() || h.Buckets["10"] != 1 || len(h.Buckets) != 16 {
		t.Errorf("%+v", h)
	}
	if _, ok := h.Buckets["0.0025"]; !ok {
		t.Errorf("bounds %v", slices.Sorted(maps.Keys(h.Buckets)))
	}
}

func ExampleVar() {
	cache, err := gqlcache.New(gqlcache.Options{Callers: gqlcache.AllSeeTheSame})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = cache.Close() }()
	expvar.Publish("gqlcache", cacheexpvar.Var(cache))

	var v struct{ Hits, Misses int }
	fmt.Println(json.Unmarshal([]byte(expvar.Get("gqlcache").String()), &v), v)
	// Output: <nil> {0 0}
}
