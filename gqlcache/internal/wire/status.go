package wire

import (
	"cmp"
	"strconv"
	"strings"
	"time"

	"github.com/cascadeql/cascadeql/gqlcache/inspect"
	"github.com/cascadeql/cascadeql/gqlcache/internal/reason"
)

// A Status is what became of an answer, in RFC 9211's parameters. One without a Key says
// nothing that an answer's caller must not know: it may be sent to everybody.
type Status struct {
	// Cache is the name of the cache, a token. Empty means gqlcache.
	Cache string
	Hit   bool
	// Forward is the reason why resolvers ran, of what is no hit: one of the words below.
	// Empty means that none ran.
	Forward           string
	Stored, Collapsed bool
	// TTL is how long the answer may be used, where HasTTL says that this is known.
	TTL    time.Duration
	HasTTL bool
	Key    string // a fingerprint; empty where the caller may not see it
	Detail string // of a hit its tier, of everything else the reason
}

// Reasons why resolvers ran, in the RFC's words.
const (
	ForwardMiss    = "miss"    // there was no answer of use
	ForwardStale   = "stale"   // it was too old
	ForwardBypass  = "bypass"  // the cache is not for this operation
	ForwardRequest = "request" // the client asked for it
	ForwardMethod  = "method"  // the operation is a mutation
)

// String returns the member of Cache-Status for this cache.
func (s Status) String() string {
	var room [128]byte
	b := append(room[:0], cmp.Or(s.Cache, "gqlcache")...)
	if s.Hit {
		b = append(b, "; hit"...)
	} else if s.Forward != "" {
		b = append(append(b, "; fwd="...), s.Forward...)
	}
	if s.Stored {
		b = append(b, "; stored"...)
	}
	if s.Collapsed {
		b = append(b, "; collapsed"...)
	}
	if s.HasTTL {
		b = strconv.AppendInt(append(b, "; ttl="...), int64(s.TTL/time.Second), 10)
	}
	if s.Key != "" {
		b = appendText(append(b, "; key="...), s.Key)
	}
	if s.Detail != "" {
		b = append(b, "; detail="...)
		if IsToken(s.Detail) {
			b = append(b, s.Detail...)
		} else {
			b = appendText(b, s.Detail)
		}
	}
	return string(b)
}

// IsToken reports whether a text is a token of structured fields (RFC 9651).
func IsToken(s string) bool {
	for i := range len(s) {
		c := s[i]
		letter := 'a' <= c|0x20 && c|0x20 <= 'z' || c == '*'
		if !letter && (i == 0 || (c < '0' || c > '9') && !strings.ContainsRune("!#$%&'+-.^_`|~:/", rune(c))) {
			return false
		}
	}
	return s != ""
}

// appendText appends a string of structured fields, which has printable ASCII only.
func appendText(b []byte, s string) []byte {
	b = append(b, '"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c < ' ' || c > '~':
			b = append(b, '?')
		default:
			b = append(b, c)
		}
	}
	return append(b, '"')
}

// CacheStatus returns RFC 9211's member for this cache, as those see it who may see
// extensions.cache.
func CacheStatus(e *inspect.Extension) string {
	s := Status{
		Hit: e.Status == inspect.Hit, Stored: e.DidCache, Collapsed: e.Collapsed,
		Forward: ForwardMethod, Key: e.Key, Detail: e.Reason.Code,
	}
	switch e.Status {
	case inspect.Hit:
		s.Detail = e.Tier
	case inspect.Miss:
		s.Forward = ForwardOf(e.Reason.Code)
	case inspect.Bypass:
		s.Forward = ForwardBypass
		switch e.Reason.Code {
		case reason.Inspector, reason.NoStore:
			s.Forward = ForwardRequest
		case reason.NotCached:
			s.Forward = ""
		}
	}
	if e.TTLMS != nil {
		s.TTL, s.HasTTL = time.Duration(*e.TTLMS)*time.Millisecond, true
	}
	return s.String()
}

// ForwardOf returns the reason why a miss went to the resolvers, from the cache's own.
func ForwardOf(code string) string {
	if code == "expired" {
		return ForwardStale
	}
	return ForwardMiss
}
