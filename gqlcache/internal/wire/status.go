package wire

import (
	"strconv"
	"strings"

	"github.com/cascadeql/cascadeql/gqlcache/inspect"
	"github.com/cascadeql/cascadeql/gqlcache/internal/reason"
)

// CacheStatus returns RFC 9211's member for this cache. The detail of a hit is its tier,
// of everything else the reason.
func CacheStatus(e *inspect.Extension) string {
	var b strings.Builder
	b.WriteString("gqlcache")
	detail := e.Reason.Code
	switch e.Status {
	case inspect.Hit:
		b.WriteString("; hit")
		detail = e.Tier
	case inspect.Miss:
		b.WriteString("; fwd=" + forwarded(e.Reason.Code))
	case inspect.Bypass:
		if e.Reason.Code == reason.Inspector {
			b.WriteString("; fwd=request")
		} else {
			b.WriteString("; fwd=bypass")
		}
	default:
		b.WriteString("; fwd=method")
	}
	if e.DidCache {
		b.WriteString("; stored")
	}
	if e.Collapsed {
		b.WriteString("; collapsed")
	}
	if e.TTLMS != nil {
		b.WriteString("; ttl=" + strconv.FormatInt(*e.TTLMS/1000, 10))
	}
	if e.Key != "" {
		b.WriteString(`; key="` + e.Key + `"`)
	}
	if detail != "" {
		b.WriteString("; detail=" + detail)
	}
	return b.String()
}

// forwarded returns the reason why a miss went to the resolvers, in the RFC's words:
// there was an answer that was too old, or none of use.
func forwarded(code string) string {
	if code == "expired" {
		return "stale"
	}
	return "miss"
}
