package wire_test

import (
	"testing"

	"github.com/cascadeql/cascadeql/gqlcache/inspect"
	"github.com/cascadeql/cascadeql/gqlcache/internal/wire"
)

// TestCacheStatus: an answer that was too old is stale, in the RFC's words.
func TestCacheStatus(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		x    inspect.Extension
		want string
	}{
		{
			inspect.Extension{Status: inspect.Miss, DidCache: true, Key: "k", Reason: inspect.Reason{Code: "expired"}, TTLMS: new(int64(1500))},
			`gqlcache; fwd=stale; stored; ttl=1; key="k"; detail=expired`,
		},
		{inspect.Extension{Status: inspect.Miss, Collapsed: true, Reason: inspect.Reason{Code: "joined"}}, `gqlcache; fwd=miss; collapsed; detail=joined`},
		{inspect.Extension{Status: inspect.Hit, Tier: "memory"}, `gqlcache; hit; detail=memory`},
		{inspect.Extension{Status: inspect.Bypass, Reason: inspect.Reason{Code: "inspector"}}, `gqlcache; fwd=request; detail=inspector`},
		{inspect.Extension{Status: inspect.Bypass, Reason: inspect.Reason{Code: "lease"}}, `gqlcache; fwd=bypass; detail=lease`},
	} {
		if got := wire.CacheStatus(&row.x); got != row.want {
			t.Errorf("%q, want %q", got, row.want)
		}
	}
}
