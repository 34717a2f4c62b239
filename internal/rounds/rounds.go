// Package rounds is for tests of random histories. What a history must have shown for the
// test to mean anything, a hit or a stale read that proves that the check sees some, is a
// matter of chance in each of them. On a slow machine one history may lack it.
package rounds

import "testing"

// most is how many histories a test may take. It bounds their number and not their time:
// a slow machine has as many attempts as a quick one.
const most = 20

// Until runs histories until one says that it, or all so far, have shown what they must.
// It fails the test with the text of what is lacking when 20 have not. It ends as soon as
// the test has failed for another reason. Until calls history on its own goroutine, with
// the number of the history: 0, 1, 2.
func Until(t testing.TB, lacking string, history func(round int) bool) {
	t.Helper()
	for round := range most {
		if history(round) || t.Failed() {
			return
		}
	}
	t.Errorf("%d histories: %s", most, lacking)
}
