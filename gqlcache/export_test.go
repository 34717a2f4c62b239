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

// BuildOf returns the build that options get when the program's digest is what the function returns, and what is
// wrong with them then.
func BuildOf(o Options, executable func() (string, error)) (string, error) {
	o = o.withDefaults()
	o.knowBuild(executable)
	return o.Build, o.validate()
}

// Executable returns the digest of the program.
func Executable() (string, error) { return executable() }

// MayNotShareEntries reports whether two builds have different keys in Options.Shared.
func MayNotShareEntries(a, b string) bool { return string(keyOfBuild(a)) != string(keyOfBuild(b)) }
