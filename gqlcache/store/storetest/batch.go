package storetest

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/cascadeql/cascadeql/gqlcache/store"
)

// testBatch: of many keys each is answered as by itself, in its place.
func testBatch(t *testing.T, s *suite) {
	t.Helper()
	b, ok := s.Store.(store.Batcher)
	if !ok {
		return
	}
	const n = 300
	var keys [][]byte
	for i := range n {
		keys = append(keys, fmt.Appendf(nil, "key %d", i%(n-10))) // some of them twice
		if i%3 == 0 {
			s.put(t, string(keys[i]), entry(fmt.Sprint("body ", i), uint64(i+1)))
		}
	}
	noError(t, s.Delete(t.Context(), []byte("key 3")))
	all, err := b.GetAll(t.Context(), keys, nil)
	noError(t, err)
	refusing, err := b.GetAll(t.Context(), keys, func(n int, e *store.Entry) bool {
		if e == nil {
			t.Error("ok is asked for no entry")
		}
		return n%2 == 0
	})
	noError(t, err)
	if len(all) != n || len(refusing) != n {
		t.Fatalf("%d and %d entries of %d keys", len(all), len(refusing), n)
	}
	for i, key := range keys {
		e, err := s.Get(t.Context(), key)
		if (e == nil) != (all[i] == nil) || e != nil && (!bytes.Equal(e.Body, all[i].Body) || e.Version != all[i].Version || metaOf(t, e) != metaOf(t, all[i])) {
			t.Fatalf("%s: %+v of many, %+v, %v by itself", key, all[i], e, err)
		}
		if (refusing[i] == nil) != (e == nil || i%2 == 1) {
			t.Fatalf("%s: %+v, and every second one was refused", key, refusing[i])
		}
	}
	none, err := b.GetAll(t.Context(), nil, nil)
	if noError(t, err); len(none) != 0 {
		t.Fatalf("%d entries of no keys", len(none))
	}
}
