package memstore_test

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/cascadeql/cascadeql/gqlcache/store"
	"github.com/cascadeql/cascadeql/gqlcache/store/memstore"
	"github.com/cascadeql/cascadeql/gqlcache/store/storetest"
	"github.com/cascadeql/cascadeql/internal/allocs"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// newStore makes a store that is closed with the test.
func newStore(t testing.TB, opts memstore.Options) *memstore.Store {
	t.Helper()
	s, err := memstore.New(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestConformance(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, o storetest.Options) store.Store {
		t.Helper()
		return newStore(t, memstore.Options(o))
	})
}

func TestOptions(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name string
		opts memstore.Options
		want []string // what the error names; none: no error
	}{
		{"zero", memstore.Options{}, nil},
		{"all", memstore.Options{MaxBytes: 1 << 40, MaxEntries: 1 << 20, MaxEntryBytes: 1 << 20, Clock: time.Now}, nil},
		{"entry as large as the store", memstore.Options{MaxBytes: 10, MaxEntryBytes: 10}, nil},
		{"largest entry count", memstore.Options{MaxBytes: 1, MaxEntries: math.MaxInt}, nil},
		{"all negative", memstore.Options{MaxBytes: -1, MaxEntries: -2, MaxEntryBytes: -3}, []string{"MaxBytes is -1", "MaxEntries is -2", "MaxEntryBytes is -3"}},
		{"entry larger than the store", memstore.Options{MaxBytes: 10, MaxEntryBytes: 11}, []string{"MaxEntryBytes (11) exceeds MaxBytes (10)"}},
		{"floor beyond 32 bits", memstore.Options{MaxBytes: 1 << 40, MaxEntries: 2}, []string{"4 GiB"}},
		{"two different faults", memstore.Options{MaxBytes: 10, MaxEntries: -1, MaxEntryBytes: 11}, []string{"MaxEntries", "exceeds"}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			s, err := memstore.New(row.opts)
			if (err != nil) != (len(row.want) > 0) || (s == nil) != (err != nil) {
				t.Fatalf("New = %v, %v", s, err)
			}
			if s != nil {
				_ = s.Close()
			}
			for _, want := range row.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q does not say %q", err, want)
				}
			}
		})
	}
}

// TestExpiryWithoutLookup runs on the synthetic time of a bubble: an entry that nobody
// asks for is removed all the same, and Close leaves no goroutine, else the bubble would
// not end.
func TestExpiryWithoutLookup(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, err := memstore.New(memstore.Options{MaxBytes: 1000})
		if err != nil {
			t.Fatal(err)
		}
		e := &store.Entry{Size: 10, Expires: time.Now().Add(time.Minute)}
		if err := s.Put(t.Context(), []byte("k"), e); err != nil {
			t.Fatal(err)
		}
		// The clean-up runs every second, on a wheel whose slots are a little wider.
		<-time.After(65 * time.Second)
		synctest.Wait()
		if st := s.Stats(); st.Entries != 0 || st.Bytes != 0 || st.Expirations != 1 {
			t.Errorf("not removed: %+v", st)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		synctest.Wait()
	})
}

// TestDeleteEntryIsByIdentity tells apart entries of one version.
func TestDeleteEntryIsByIdentity(t *testing.T) {
	t.Parallel()
	ctx, s := t.Context(), newStore(t, memstore.Options{})
	one, two := &store.Entry{Version: 1}, &store.Entry{Version: 1}
	for _, e := range []*store.Entry{one, two} {
		if err := s.Put(ctx, []byte("k"), e); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.DeleteEntry(ctx, []byte("k"), one); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Get(ctx, []byte("k")); got != two {
		t.Fatalf("Get = %v, %v; the other entry was deleted", got, err)
	}
}

// TestFloorRoundsUp uses bounds that do not divide: with a floor of 2 bytes, 29 entries
// would fit.
func TestFloorRoundsUp(t *testing.T) {
	t.Parallel()
	s := newStore(t, memstore.Options{MaxBytes: 59, MaxEntries: 20})
	for i := range 100 {
		if err := s.Put(t.Context(), []byte{byte(i)}, &store.Entry{Size: 1}); err != nil {
			t.Fatal(err)
		}
		if n := s.Stats().Entries; n > 20 {
			t.Fatalf("%d entries, bound 20", n)
		}
	}
	if n := s.Stats().Entries; n < 15 {
		t.Errorf("%d entries, want nearly 20", n)
	}
}

func TestEntryBeyond32Bits(t *testing.T) {
	t.Parallel()
	size := int64(math.MaxUint32) + 1
	if size > math.MaxInt {
		t.Skip("an int has 32 bits")
	}
	s := newStore(t, memstore.Options{MaxBytes: math.MaxInt64})
	err := s.Put(t.Context(), []byte("k"), &store.Entry{Size: int(size)})
	if !errors.Is(err, store.ErrTooLarge) {
		t.Errorf("Put = %v, want ErrTooLarge", err)
	}
}

// TestAllKeyIsACopy writes to the key that All yields, which the contract forbids: even
// then the store's own key must stay.
func TestAllKeyIsACopy(t *testing.T) {
	t.Parallel()
	ctx, s := t.Context(), newStore(t, memstore.Options{})
	if err := s.Put(ctx, []byte("key"), &store.Entry{}); err != nil {
		t.Fatal(err)
	}
	for k := range s.All(ctx) {
		clear(k)
	}
	if _, err := s.Get(ctx, []byte("key")); err != nil {
		t.Errorf("Get = %v", err)
	}
}

func TestHitDoesNotAllocate(t *testing.T) {
	// Not parallel: the runtime counts the allocations of all goroutines.
	ctx, key := context.Background(), []byte(strings.Repeat("key", 200))
	s := newStore(t, memstore.Options{MaxBytes: 1 << 20, MaxEntries: 100})
	if err := s.Put(ctx, key, &store.Entry{Size: 100, Expires: time.Now().Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	if n := allocs.PerRun(1000, func() {
		if _, err := s.Get(ctx, key); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("a hit allocates %v times", n)
	}
}
