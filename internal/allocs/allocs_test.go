package allocs_test

import (
	"runtime"
	"testing"

	"github.com/cascadeql/cascadeql/internal/allocs"
)

var sink []byte

// TestPerRun: what somebody else allocates in most of the rounds is not counted.
func TestPerRun(t *testing.T) {
	const runs = 100
	n := 0
	f := func() {
		n++
		sink = make([]byte, 100)
		if n < 4*runs { // somebody else, for four of the five rounds
			sink = make([]byte, 200)
			runtime.KeepAlive(sink)
		}
	}
	if got := allocs.PerRun(runs, f); got != 1 {
		t.Errorf("%v allocations, want 1", got)
	}
}
