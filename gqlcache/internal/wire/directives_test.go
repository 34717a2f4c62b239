package wire_test

import (
	"math"
	"testing"
	"time"

	"github.com/cascadeql/cascadeql/gqlcache/internal/wire"
)

// TestReadDirectives: directives are read as RFC 9111 writes them, and what is wrong is
// left out.
func TestReadDirectives(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		values []string
		want   wire.Directives
	}{
		{nil, wire.Directives{}},
		{[]string{""}, wire.Directives{}},
		{[]string{"no-cache"}, wire.Directives{NoCache: true}},
		{[]string{" No-Cache ,no-STORE"}, wire.Directives{NoCache: true, NoStore: true}},
		{[]string{"max-age=0", "only-if-cached"}, wire.Directives{OnlyIfCached: true}},
		{[]string{"no-cachet, xno-cache, no cache"}, wire.Directives{}},
		{[]string{`ext="a, no-cache", no-store`}, wire.Directives{NoStore: true}},
		{[]string{`ext="a\", no-cache", no-store`}, wire.Directives{NoStore: true}},
		{[]string{`ext="a, no-cache`}, wire.Directives{}},
		{[]string{"max-stale"}, wire.Directives{MaxStale: math.MaxInt64}},
		{[]string{"max-stale=10"}, wire.Directives{MaxStale: 10 * time.Second}},
		{[]string{`max-stale="10"`}, wire.Directives{MaxStale: 10 * time.Second}},
		{[]string{"max-stale=0"}, wire.Directives{}},
		{[]string{"max-stale="}, wire.Directives{}},
		{[]string{"max-stale=-1"}, wire.Directives{}},
		{[]string{"max-stale=1.5"}, wire.Directives{}},
		{[]string{"max-stale=99999999999999999999999"}, wire.Directives{MaxStale: 9223372036 * time.Second}},
	} {
		if got := wire.ReadDirectives(row.values); got != row.want {
			t.Errorf("%q: %+v, want %+v", row.values, got, row.want)
		}
	}
}

// FuzzReadDirectives: whatever a client sends is read.
func FuzzReadDirectives(f *testing.F) {
	f.Add("no-cache, max-stale=1")
	f.Add(`a="\`)
	f.Fuzz(func(t *testing.T, value string) {
		if d := wire.ReadDirectives([]string{value}); d.MaxStale < 0 {
			t.Errorf("%+v", d)
		}
	})
}
