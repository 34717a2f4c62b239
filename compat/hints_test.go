package compat_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// TestHints: what resolvers say of an answer holds for who waits for it, too.
func TestHints(t *testing.T) {
	everyStack(t, func(t stackTest) {
		w := newWorld(t, t.stack, setup{})
		ask := func(how string) string {
			c := w.send(w.Cached, q(`{ counted(how: `+how+`) }`))
			c.wait(t, "a client")
			return c.answer.Body
		}
		want := func(how string, n int) {
			t.Helper()
			if got := ask(how); got != fmt.Sprintf(`{"data":{"counted":%d}}`, n) {
				t.Errorf("%s: got %s, want %d", how, got, n)
			}
		}
		want("NONE", 1)
		want("NONE", 1)
		want("DO_NOT_STORE", 2)
		want("DO_NOT_STORE", 3)
		want("SECOND", 4)
		want("SECOND", 4)
		<-time.After(2 * time.Second)
		want("SECOND", 5)
		want("PRIVATE", 6) // the key has the caller's predicate
		want("PRIVATE", 6)

		// Who waits for an answer that is not to be shared is not held up by it.
		open := w.cached.gates.Trap("counted")
		leader := w.send(w.Cached, q(`{ counted(how: DO_NOT_STORE) }`))
		joiner := w.send(w.Cached, q(`{ counted(how: DO_NOT_STORE) }`))
		open()
		synctest.Wait()
		leader.wait(t, "the leader")
		joiner.wait(t, "the joiner")
		if leader.answer.Body == joiner.answer.Body {
			t.Errorf("both got %s", joiner.answer.Body)
		}
	})
}
