package wire

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// Directives are those of a request's Cache-Control that a server may hear.
type Directives struct {
	NoCache, NoStore, OnlyIfCached bool
	// MaxStale is how long ago an answer may have expired: without a number for as long
	// as there is. 0 means that the request does not say it.
	MaxStale time.Duration
}

// ReadDirectives reads the values of a request's Cache-Control. What it does not know, or
// cannot read, is left out, as RFC 9111 has it.
func ReadDirectives(values []string) (d Directives) {
	for _, value := range values {
		for value != "" {
			var one string
			one, value = cutDirective(value)
			name, argument, has := strings.Cut(one, "=")
			switch strings.ToLower(strings.TrimSpace(name)) {
			case "no-cache":
				d.NoCache = true
			case "no-store":
				d.NoStore = true
			case "only-if-cached":
				d.OnlyIfCached = true
			case "max-stale":
				d.MaxStale = readAge(argument, has)
			}
		}
	}
	return d
}

// cutDirective returns the first directive of a list, and the rest behind its comma. A
// comma within quotes ends none.
func cutDirective(s string) (one, rest string) {
	quoted := false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case c == ',' && !quoted:
			return s[:i], s[i+1:]
		}
	}
	return s, ""
}

// readAge reads the argument of max-stale: seconds, 0 when they cannot be read.
func readAge(argument string, has bool) time.Duration {
	if !has {
		return math.MaxInt64
	}
	text := strings.Trim(strings.TrimSpace(argument), `"`)
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil && (n == 0 || strings.ContainsAny(text, "+-")) {
		return 0
	}
	return time.Duration(min(n, uint64(math.MaxInt64/int64(time.Second)))) * time.Second
}
