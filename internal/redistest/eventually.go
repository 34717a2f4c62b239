package redistest

import (
	"testing"
	"time"
)

// patience is how long anything may take on a machine that is busy with other things. No
// test measures speed.
const patience = 30 * time.Second

// Eventually waits until something holds, and asks every few milliseconds.
func Eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	limit := time.After(patience)
	tick := time.NewTicker(3 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatalf("waited too long for %s", what)
		}
	}
}
