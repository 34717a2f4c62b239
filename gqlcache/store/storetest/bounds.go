package storetest

import (
	"errors"
	"fmt"
	"testing"

	"github.com/cascadeql/cascadeql/gqlcache/store"
)

// wantBounded puts entries of the given sizes in turn and checks the bounds after each.
func (s *suite) wantBounded(t *testing.T, n int, sizes ...int) {
	t.Helper()
	before := s.Stats()
	for i := range n {
		e := entry("body", uint64(i))
		e.Size = sizes[i%len(sizes)]
		s.put(t, fmt.Sprint("key ", i%(n/2)), e) // the second half replaces or returns
		st := s.Stats()
		if s.opts.MaxBytes > 0 && st.Bytes > s.opts.MaxBytes {
			t.Fatalf("%d bytes after %d puts, bound %d", st.Bytes, i+1, s.opts.MaxBytes)
		}
		if s.opts.MaxEntries > 0 && st.Entries > int64(s.opts.MaxEntries) {
			t.Fatalf("%d entries after %d puts, bound %d", st.Entries, i+1, s.opts.MaxEntries)
		}
		if st.Bytes < 0 || st.Entries < 0 {
			t.Fatalf("negative: %+v", st)
		}
	}
	st := s.Stats()
	if st.MaxBytes != s.opts.MaxBytes || st.MaxEntries != int64(s.opts.MaxEntries) {
		t.Errorf("bounds %d and %d, want %d and %d", st.MaxBytes, st.MaxEntries, s.opts.MaxBytes, s.opts.MaxEntries)
	}
	if st.Evictions == before.Evictions || st.Deletes != before.Deletes || st.Expirations != 0 {
		t.Errorf("want evictions and no other removals: %+v", st)
	}
	if st.Entries == 0 {
		t.Error("nothing is held")
	}
	s.wantSum(t)
	noError(t, s.Clear(t.Context()))
	s.wantHeld(t, 0, 0)
}

// wantSum compares the figures with what is there.
func (s *suite) wantSum(t *testing.T) {
	t.Helper()
	settles(t, func() error {
		var entries, bytes int64
		for _, e := range s.All(t.Context()) {
			entries++
			bytes += int64(e.Size)
		}
		return s.holds(entries, bytes)
	})
}

func testMaxBytes(t *testing.T, s *suite) { s.wantBounded(t, 2000, 100, 350, 20) }

func testMaxEntries(t *testing.T, s *suite) { s.wantBounded(t, 500, 100, 350, 20, 0) }

// testBothBounds fills first with entries so small that only their number counts, then
// with entries so large that only their bytes do.
func testBothBounds(t *testing.T, s *suite) {
	s.wantBounded(t, 500, 1)
	s.wantBounded(t, 500, 3000)
	s.wantBounded(t, 500, 1, 3000, 0, 10_000)
}

func testTooLarge(t *testing.T, s *suite) {
	fits, large := entry("fits", 1), entry("large", 2)
	fits.Size, large.Size = 1000, 1001
	s.put(t, "k", fits)
	if err := s.Put(t.Context(), []byte("k"), large); !errors.Is(err, store.ErrTooLarge) {
		t.Fatalf("Put of %d bytes: %v, want ErrTooLarge", large.Size, err)
	}
	s.want(t, "k", fits)
	s.wantHeld(t, 1, 1000)
	if st := s.Stats(); st.Refused != 1 || st.Puts != 1 {
		t.Errorf("%d refused and %d puts, want 1 and 1", st.Refused, st.Puts)
	}
}

// testTooLargeForStore stores an entry that is larger than all entries together may be.
func testTooLargeForStore(t *testing.T, s *suite) {
	s.put(t, "small", entry("small", 1))
	large := entry("large", 1)
	large.Size = int(s.opts.MaxBytes) + 1
	if err := s.Put(t.Context(), []byte("large"), large); !errors.Is(err, store.ErrTooLarge) {
		t.Fatalf("Put: %v, want ErrTooLarge", err)
	}
	s.wantMiss(t, "large")
	s.want(t, "small", entry("small", 1))
}
