package gqlcache_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/internal/testgraph"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// wantSums fails unless the figures by name add up to the totals. Nothing may be running.
func wantSums(t *testing.T, c *gqlcache.Cache) {
	t.Helper()
	s, sum := c.Stats(), gqlcache.OperationStats{}
	for _, o := range c.OperationStats() {
		sum.Hits += o.Hits
		sum.Misses += o.Misses
		sum.Joined += o.Joined
		sum.Abandoned += o.Abandoned
		sum.Bypassed += o.Bypassed
		sum.Fills += o.Fills
		sum.FillTime += o.FillTime
	}
	want := gqlcache.OperationStats{
		Hits: s.Hits, Misses: s.Misses, Joined: s.Joined, Abandoned: s.Abandoned,
		Fills: s.FillDuration.Count, FillTime: s.FillDuration.Sum,
	}
	for _, n := range s.Bypassed {
		want.Bypassed += n
	}
	if sum != want {
		t.Errorf("operations add up to %+v, totals are %+v", sum, want)
	}
}

func figuresOf(c *gqlcache.Cache, name string) gqlcache.OperationStats {
	all := c.OperationStats()
	i := slices.IndexFunc(all, func(o gqlcache.OperationStats) bool { return o.Name == name })
	if i < 0 {
		return gqlcache.OperationStats{}
	}
	o := all[i]
	o.FillTime = 0
	return o
}

func TestOperationStats(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("l", 101)
	for _, row := range []struct {
		name      string
		documents []string
		want      gqlcache.OperationStats
	}{
		{
			"miss and hits", []string{`query A{users{name}}`, `query A{users{name}}`, `query A{users{name}}`},
			gqlcache.OperationStats{Name: "A", Misses: 1, Hits: 2, Fills: 1},
		},
		{
			"two operations of one name", []string{`query A{users{name}}`, `query A{users{id}}`},
			gqlcache.OperationStats{Name: "A", Misses: 2, Fills: 2},
		},
		{
			"the same under another name", []string{`query B{users{name}}`, `query A{users{name}}`},
			gqlcache.OperationStats{Name: "A", Misses: 1, Fills: 1},
		},
		{
			"anonymous", []string{`{users{name}}`, `query{users{name}}`},
			gqlcache.OperationStats{Name: gqlcache.OperationAnonymous, Misses: 1, Hits: 1, Fills: 1},
		},
		{
			"bypassed", []string{`query A{__typename}`, `query A{__schema{queryType{name}}}`},
			gqlcache.OperationStats{Name: "A", Bypassed: 2},
		},
		{
			"long name", []string{`query ` + long + `{users{name}}`},
			gqlcache.OperationStats{Name: gqlcache.OperationOther, Misses: 1, Fills: 1},
		},
		{
			"not stored", []string{`query A{fails}`, `query A{fails}`},
			gqlcache.OperationStats{Name: "A", Misses: 2, Fills: 2},
		},
		{"mutation", []string{`mutation A{renameUser(id:$Ann,name:"x")}`}, gqlcache.OperationStats{}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, "annotated", gqlcache.Options{})
			for _, document := range row.documents {
				testgraph.Ask(t, r.cached, expand(document), nil)
			}
			if got := figuresOf(r.cache, row.want.Name); got != row.want {
				t.Errorf("%+v, want %+v", got, row.want)
			}
			wantSums(t, r.cache)
		})
	}
}

// TestOperationStatsAreBounded: clients choose the names.
func TestOperationStatsAreBounded(t *testing.T) {
	t.Parallel()
	r := newRig(t, "annotated", gqlcache.Options{})
	for i := range 260 {
		testgraph.Ask(t, r.cached, fmt.Sprintf(`query Q%03d{users{name}}`, i), nil)
	}
	testgraph.Ask(t, r.cached, `{users{name}}`, nil)
	testgraph.Ask(t, r.cached, `query Q000{users{name}}`, nil)
	all := r.cache.OperationStats()
	if len(all) != 202 || !slices.IsSortedFunc(all, func(a, b gqlcache.OperationStats) int { return strings.Compare(a.Name, b.Name) }) {
		t.Errorf("%d names: %v", len(all), all)
	}
	if got, want := figuresOf(r.cache, gqlcache.OperationOther), (gqlcache.OperationStats{Name: gqlcache.OperationOther, Misses: 60, Fills: 60}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if got := figuresOf(r.cache, "Q000"); got.Hits+got.Misses != 2 {
		t.Errorf("%+v", got)
	}
	wantSums(t, r.cache)
}

// renamer is an extension that gives operations another name.
type renamer string

func (renamer) ExtensionName() string                   { return "Renamer" }
func (renamer) Validate(graphql.ExecutableSchema) error { return nil }

// MutateOperationContext implements graphql.OperationContextMutator.
func (n renamer) MutateOperationContext(_ context.Context, oc *graphql.OperationContext) *gqlerror.Error {
	op := *oc.Operation
	op.Name = string(n)
	oc.Operation = &op
	return nil
}

// TestOperationStatsOfOddNames: names that an extension has made up are no labels.
func TestOperationStatsOfOddNames(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"a\xff", "two words", gqlcache.OperationOther, gqlcache.OperationAnonymous, "line\n"} {
		r := newRig(t, "annotated", gqlcache.Options{}, renamer(name))
		testgraph.Ask(t, r.cached, `query A{users{name}}`, nil)
		all := r.cache.OperationStats()
		if len(all) != 1 || all[0].Name != gqlcache.OperationOther || all[0].Misses != 1 {
			t.Errorf("%q: %+v", name, all)
		}
	}
}

// TestOperationStatsWithoutAPlan: requests that are turned away before their operation is
// looked at.
func TestOperationStatsWithoutAPlan(t *testing.T) {
	t.Parallel()
	r := newRig(t, "annotated", gqlcache.Options{})
	if err := r.cache.Close(); err != nil {
		t.Fatal(err)
	}
	testgraph.Ask(t, r.cached, `query A{users{name}}`, nil)
	testgraph.Ask(t, r.cached, `{users{name}}`, nil)
	if got := figuresOf(r.cache, "A"); got.Bypassed != 1 {
		t.Errorf("%+v", got)
	}
	wantSums(t, r.cache)
}
