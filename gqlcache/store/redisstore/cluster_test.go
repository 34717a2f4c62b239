package redisstore_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/cascadeql/cascadeql/gqlcache/store"
	"github.com/cascadeql/cascadeql/gqlcache/store/redisstore"
	"github.com/cascadeql/cascadeql/internal/redistest"
)

// entries is how many there are in the cluster: enough for each node to have many.
const entries = 200

// A sharded is a store on three primaries.
type sharded struct {
	t *testing.T
	*redisstore.Store
	cluster *redistest.Cluster
}

// each reads all entries, by key and by All.
func (s *sharded) each(what string) {
	s.t.Helper()
	for n := range entries {
		e, err := s.Get(s.t.Context(), []byte(fmt.Sprint(n)))
		if err != nil || string(e.Body) != fmt.Sprint("body ", n) {
			s.t.Fatalf("%s: entry %d: %+v, %v", what, n, e, err)
		}
	}
	seen := map[string]int{}
	for key, e := range s.All(s.t.Context()) {
		seen[string(key)]++
		if string(e.Body) != "body "+string(key) {
			s.t.Errorf("%s: All: the entry of %q is %q", what, key, e.Body)
		}
	}
	for n := range entries {
		if seen[fmt.Sprint(n)] != 1 {
			s.t.Errorf("%s: All came to entry %d %d times", what, n, seen[fmt.Sprint(n)])
		}
	}
	if len(seen) != entries {
		s.t.Errorf("%s: All came to %d entries, want %d", what, len(seen), entries)
	}
}

func (s *sharded) fill() {
	s.t.Helper()
	for n := range entries {
		mustPut(s.t, s.Store, fmt.Sprint(n), &store.Entry{Body: []byte(fmt.Sprint("body ", n)), Version: 1})
	}
	if err := s.Flush(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
}

// sizes are the numbers of keys at the nodes.
func (s *sharded) sizes() (sizes [3]int64) {
	s.t.Helper()
	for n := range sizes {
		var err error
		if sizes[n], err = s.cluster.Node(n).DBSize(s.t.Context()).Result(); err != nil {
			s.t.Fatal(err)
		}
	}
	return sizes
}

// begin begins to move the slot of an entry that is alone in it, and moves the entry.
func (s *sharded) begin() *redistest.Migration {
	s.t.Helper()
	at, err := s.cluster.Node(0).RandomKey(s.t.Context()).Result()
	if err != nil {
		s.t.Fatal(err)
	}
	m := s.cluster.Migrate(s.cluster.Slot(at), 1)
	m.Move(at)
	return m
}

func TestClusterOnTheMove(t *testing.T) { //nolint:tparallel // its parts count the keys of the same nodes
	t.Parallel()
	c := redistest.StartCluster(t)
	for name, write := range map[string]redisstore.Policy{"behind": redisstore.Behind, "through": redisstore.Through} {
		// One after the other: they count the keys of the nodes.
		t.Run(name, func(t *testing.T) {
			s := &sharded{t: t, cluster: c, Store: newStore(t, redisstore.Options{Client: c.Client(), Write: write})}
			s.fill()
			for n, size := range s.sizes() {
				if size < entries/10 {
					t.Errorf("node %d has %d of %d entries", n, size, entries)
				}
			}
			s.each("at rest")

			m := s.begin()
			s.each("on the move")
			m.End()
			s.each("moved")

			m = s.begin()
			s.fill()
			s.each("written on the move")
			deleteAll(t, s)
			if sizes := s.sizes(); sizes != [3]int64{} {
				t.Errorf("deleted on the move: the nodes have %v", sizes)
			}
			s.fill()
			if err := s.Clear(t.Context()); err != nil {
				t.Errorf("Clear on the move: %v", err)
			}
			if sizes := s.sizes(); sizes != [3]int64{} {
				t.Errorf("cleared on the move: the nodes have %v", sizes)
			}
			m.End()
			s.fill()
			s.each("filled again")
			if err := s.Clear(t.Context()); err != nil {
				t.Error(err)
			}
			if sizes := s.sizes(); sizes != [3]int64{} {
				t.Errorf("cleared: the nodes have %v", sizes)
			}
			if st := s.Counters(); st.Corrupt > 0 || st.ReadErrors+st.WriteErrors > 0 {
				t.Errorf("%+v", st)
			}
		})
	}
}

// deleteAll deletes half of the entries by key and half by version.
func deleteAll(t *testing.T, s *sharded) {
	t.Helper()
	for n := range entries {
		key := []byte(fmt.Sprint(n))
		var err error
		if n%2 == 0 {
			err = s.Delete(t.Context(), key)
		} else {
			err = s.DeleteEntry(t.Context(), key, &store.Entry{Version: 1})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	for n := range entries {
		if _, err := s.Get(t.Context(), []byte(fmt.Sprint(n))); !errors.Is(err, store.ErrMiss) {
			t.Errorf("entry %d was deleted: %v", n, err)
		}
	}
}
