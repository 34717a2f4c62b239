package storetest

import (
	"fmt"
	"testing"

	"github.com/cascadeql/cascadeql/gqlcache/store"
)

// fill puts n entries and returns what they are.
func (s *suite) fill(t *testing.T, n int) map[string]*store.Entry {
	t.Helper()
	all := map[string]*store.Entry{}
	for i := range n {
		e := entry(fmt.Sprint("body ", i), uint64(i))
		all[fmt.Sprint("key ", i)] = e
		s.put(t, fmt.Sprint("key ", i), e)
	}
	return all
}

func testAll(t *testing.T, s *suite) {
	for k := range s.All(t.Context()) {
		t.Errorf("an empty store yields %q", k)
	}
	want := s.fill(t, 500)
	seen := map[string]bool{}
	for k, e := range s.All(t.Context()) {
		if w := want[string(k)]; w == nil || string(w.Body) != string(e.Body) {
			t.Fatalf("All yields %q with %q", k, e.Body)
		}
		if seen[string(k)] {
			t.Fatalf("All yields %q twice", k)
		}
		seen[string(k)] = true
	}
	if len(seen) != len(want) {
		t.Errorf("All yields %d entries, want %d", len(seen), len(want))
	}
	n := 0
	for range s.All(t.Context()) {
		if n++; n == 3 {
			break
		}
	}
	if n != 3 {
		t.Errorf("stopped after %d entries, want 3", n)
	}
}

// testAllWhileDeleting sweeps as the cache does: it removes what it finds while it
// ranges.
func testAllWhileDeleting(t *testing.T, s *suite) {
	s.fill(t, 500)
	kept := 0
	for k, e := range s.All(t.Context()) {
		if e.Version%2 == 0 {
			kept++
			continue
		}
		noError(t, s.DeleteEntry(t.Context(), k, e))
	}
	if kept != 250 {
		t.Errorf("saw %d entries that stay, want 250", kept)
	}
	s.wantHeld(t, 250, 25_000)
	s.want(t, "key 2", entry("body 2", 2))
	s.wantMiss(t, "key 3")
}

func testClear(t *testing.T, s *suite) {
	noError(t, s.Clear(t.Context()))
	s.fill(t, 500)
	noError(t, s.Clear(t.Context()))
	s.wantHeld(t, 0, 0)
	s.wantMiss(t, "key 1")
	for k := range s.All(t.Context()) {
		t.Errorf("a cleared store yields %q", k)
	}
	s.put(t, "key 1", entry("after", 0))
	s.want(t, "key 1", entry("after", 0))
	s.wantHeld(t, 1, 100)
	s.wantBalance(t, 0)
}

func testAccounting(t *testing.T, s *suite) {
	sized := func(size int, version uint64) *store.Entry {
		e := entry("body", version)
		e.Size = size
		return e
	}
	s.put(t, "a", sized(10, 1))
	s.put(t, "b", sized(1000, 1))
	s.wantHeld(t, 2, 1010)
	s.put(t, "a", sized(30, 2)) // larger
	s.wantHeld(t, 2, 1030)
	s.put(t, "b", sized(1, 2)) // smaller
	s.wantHeld(t, 2, 31)
	s.put(t, "b", sized(500, 1)) // kept out
	s.wantHeld(t, 2, 31)
	same := sized(7, 3)
	s.put(t, "a", same)
	s.put(t, "a", same) // the same once more
	s.wantHeld(t, 2, 8)
	noError(t, s.Delete(t.Context(), []byte("a")))
	noError(t, s.Delete(t.Context(), []byte("a")))
	s.wantHeld(t, 1, 1)
	s.put(t, "none", sized(0, 1))
	s.put(t, "negative", sized(-5, 1))
	s.wantHeld(t, 3, 1)
	noError(t, s.Clear(t.Context()))
	noError(t, s.Clear(t.Context()))
	s.wantHeld(t, 0, 0)
	s.wantBalance(t, 4)
}
