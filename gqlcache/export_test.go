package gqlcache

import (
	"github.com/cascadeql/cascadeql/gqlcache/changelog"
)

// StopInApply returns the sink with a function that is called between the two steps of Apply.
func StopInApply(s changelog.Sink, f func()) changelog.Sink {
	return sink{c: s.(sink).c, noted: f}
}

// Reasons are all reasons there are.
func Reasons() []Reason { return reasons }

// CacheStatus is the header's member for an outcome.
var CacheStatus = cacheStatus
