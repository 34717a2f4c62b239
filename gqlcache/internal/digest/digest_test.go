package digest_test

import (
	"testing"

	"github.com/cascadeql/cascadeql/gqlcache/internal/digest"
	"github.com/cascadeql/cascadeql/internal/allocs"
)

func of(texts ...string) (r digest.Running) {
	for _, t := range texts {
		r.Text(t)
	}
	return r
}

// TestRunning: order and boundaries count, and equal texts in equal order agree.
func TestRunning(t *testing.T) {
	t.Parallel()
	if first, second := of("a", "b"), of("a", "b"); first != second {
		t.Error("equal texts differ")
	}
	seen := map[digest.Running][]string{}
	for _, texts := range [][]string{nil, {""}, {"a"}, {"a", "b"}, {"b", "a"}, {"ab"}, {"ab", ""}, {"", "ab"}} {
		d := of(texts...)
		if other, ok := seen[d]; ok {
			t.Errorf("%q and %q agree", texts, other)
		}
		seen[d] = texts
	}
}

// TestOf: it is the digest of the bytes.
func TestOf(t *testing.T) {
	t.Parallel()
	a, again, b := digest.Of([]byte("a")), digest.Of([]byte("a")), digest.Of([]byte("b"))
	if a != again || a == b {
		t.Errorf("a is %x and %x, b is %x", a, again, b)
	}
}

// TestRunningDoesNotAllocate: it is made for each request.
func TestRunningDoesNotAllocate(t *testing.T) { //nolint:paralleltest // allocs.PerRun
	if n := allocs.PerRun(100, func() { of("a", "b") }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
