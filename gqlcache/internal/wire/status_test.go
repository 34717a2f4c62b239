package wire_test

import (
	"testing"
	"time"

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

// TestStatus: what callers get who may not see the key, and texts that are no tokens.
func TestStatus(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		s    wire.Status
		want string
	}{
		{wire.Status{Hit: true, TTL: 90500 * time.Millisecond, HasTTL: true, Detail: "memory"}, `gqlcache; hit; ttl=90; detail=memory`},
		{wire.Status{Hit: true, Forward: wire.ForwardMiss}, `gqlcache; hit`},
		{wire.Status{Forward: wire.ForwardMiss, Stored: true, Collapsed: true, HasTTL: true}, `gqlcache; fwd=miss; stored; collapsed; ttl=0`},
		{wire.Status{Forward: wire.ForwardBypass, Detail: "max-age_0"}, `gqlcache; fwd=bypass; detail=max-age_0`},
		{wire.Status{Forward: wire.ForwardBypass, Detail: "0age"}, `gqlcache; fwd=bypass; detail="0age"`},
		{wire.Status{Forward: wire.ForwardBypass, Detail: "a, b"}, `gqlcache; fwd=bypass; detail="a, b"`},
		{wire.Status{Forward: wire.ForwardBypass, Detail: "a\"\\\nä", Key: `"`}, `gqlcache; fwd=bypass; key="\""; detail="a\"\\???"`},
	} {
		if got := row.s.String(); got != row.want {
			t.Errorf("%s, want %s", got, row.want)
		}
	}
}
