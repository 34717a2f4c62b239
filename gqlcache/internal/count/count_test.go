package count_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cascadeql/cascadeql/gqlcache/internal/count"
)

func TestName(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"":                       count.Anonymous,
		"a_B1":                   "a_B1",
		strings.Repeat("a", 100): strings.Repeat("a", 100),
		strings.Repeat("a", 101): count.Other,
		"two words":              count.Other,
		"a\xff":                  count.Other,
		count.Anonymous:          count.Other,
		count.Other:              count.Other,
	} {
		if got := count.Name(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
		var all count.Operations
		all.Of(name).Hits.Add(1)
		for name, n := range all.All() {
			if hits := n.Hits.Load(); (hits == 1) != (name == want) {
				t.Errorf("%d hits of %q, want them of %q", hits, name, want)
			}
		}
	}
}

// TestOperationsAreBounded: 200 names have counters of their own, those that came first.
func TestOperationsAreBounded(t *testing.T) {
	t.Parallel()
	var all count.Operations
	for range 2 {
		for i := range 201 {
			all.Of(fmt.Sprint("q", i)).Misses.Add(1)
		}
	}
	names := map[string]uint64{}
	for name, n := range all.All() {
		names[name] = n.Misses.Load()
	}
	if len(names) != 202 || names["q0"] != 2 || names["q199"] != 2 || names[count.Other] != 2 || names[count.Anonymous] != 0 {
		t.Errorf("%d names: %v", len(names), names)
	}
	var fresh count.Operations
	for range fresh.All() {
		break
	}
	fresh.Of("new").Hits.Add(1) // waits for ever if the loop has kept its lock
}

func TestDurations(t *testing.T) {
	t.Parallel()
	bounds := count.Bounds()
	if !slices.IsSorted(bounds) {
		t.Errorf("bounds: %v", bounds)
	}
	for i, bound := range bounds {
		var d count.Durations
		d.Observe(bound)
		d.Observe(bound + 1)
		want := make([]uint64, len(bounds)+1)
		want[i], want[i+1] = 1, 1
		if got := d.Counts(); !slices.Equal(got, want) || d.Sum() != 2*bound+1 {
			t.Errorf("%v: %v, sum %v", bound, got, d.Sum())
		}
	}
	bounds[0] = time.Hour
	if count.Bounds()[0] == time.Hour {
		t.Error("the bounds are shared")
	}
}
