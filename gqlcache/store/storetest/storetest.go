package storetest

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/cascadeql/cascadeql/gqlcache/store"
)

// Options are what the suite asks of a new store. A zero bound is no bound.
type Options struct {
	MaxBytes      int64
	MaxEntries    int
	MaxEntryBytes int
	// Clock is the time that entries expire by; nil is the store's own choice. It is safe
	// for concurrent use.
	Clock func() time.Time
}

// A Quirk is what the contract allows to stores outside of the process, and the suite
// then does not ask for.
type Quirk int

const (
	// LastPutWins is a store that cannot compare versions: an older entry may replace a
	// younger one.
	LastPutWins Quirk = iota + 1
	// UnknownHoldings is a store whose Stats tell what it did, but neither what is held
	// nor what has become of it: Entries and Bytes are 0.
	UnknownHoldings
)

// Run runs the suite. newStore makes an empty store that shares nothing with the others
// it made; the suite closes it. It returns nil for options that the store does not have:
// the checks that need them are then left out.
func Run(t *testing.T, newStore func(t *testing.T, opts Options) store.Store, quirks ...Quirk) {
	t.Helper()
	for _, part := range []struct {
		name string
		opts func(*timer) Options
		run  func(*testing.T, *suite)
	}{
		{"Miss", unbounded, testMiss},
		{"PutAndGet", unbounded, testPutAndGet},
		{"KeysApart", unbounded, testKeysApart},
		{"KeyBufferReused", unbounded, testKeyBufferReused},
		{"Versions", unbounded, testVersions},
		{"Delete", unbounded, testDelete},
		{"DeleteEntry", unbounded, testDeleteEntry},
		{"All", unbounded, testAll},
		{"AllWhileDeleting", unbounded, testAllWhileDeleting},
		{"Clear", unbounded, testClear},
		{"Batch", unbounded, testBatch},
		{"Accounting", unbounded, testAccounting},
		{"Expiry", clocked, testExpiry},
		{"ExpiredPut", clocked, testExpiredPut},
		{"ExpiryOfReplacement", clocked, testExpiryOfReplacement},
		{"TimeLeftOfCopy", clocked, testTimeLeftOfCopy},
		{"MaxBytes", func(*timer) Options { return Options{MaxBytes: 10_000} }, testMaxBytes},
		{"MaxEntries", func(*timer) Options { return Options{MaxEntries: 20} }, testMaxEntries},
		{"BothBounds", func(*timer) Options { return Options{MaxBytes: 10_000, MaxEntries: 20} }, testBothBounds},
		{"TooLarge", func(*timer) Options { return Options{MaxBytes: 10_000, MaxEntryBytes: 1000} }, testTooLarge},
		{"TooLargeForStore", func(*timer) Options { return Options{MaxBytes: 1000} }, testTooLargeForStore},
		{"Concurrent", unbounded, testConcurrent},
		{"ConcurrentBounded", func(*timer) Options { return Options{MaxBytes: 4000, MaxEntries: 40} }, testConcurrent},
		{"ConcurrentVersions", unbounded, testConcurrentVersions},
		{"ConcurrentClose", unbounded, testConcurrentClose},
		{"Close", unbounded, testClose},
	} {
		t.Run(part.name, func(t *testing.T) {
			t.Parallel()
			clock := &timer{}
			clock.set(time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC))
			opts := part.opts(clock)
			s := newStore(t, opts)
			if s == nil {
				t.Logf("left out: the store does not have %+v", opts)
				return
			}
			t.Cleanup(func() { noError(t, s.Close()) })
			part.run(t, &suite{Store: s, opts: opts, clock: clock, quirks: quirks, another: func() store.Store {
				other := newStore(t, opts)
				t.Cleanup(func() { noError(t, other.Close()) })
				return other
			}})
		})
	}
}

func unbounded(*timer) Options { return Options{} }

func clocked(c *timer) Options { return Options{Clock: c.now} }

// A suite is what one part of the suite works on.
type suite struct {
	store.Store
	opts    Options
	clock   *timer
	quirks  []Quirk
	another func() store.Store // one more store of the same options
}

func (s *suite) has(q Quirk) bool { return slices.Contains(s.quirks, q) }

// put stores an entry that must be accepted.
func (s *suite) put(t *testing.T, key string, e *store.Entry) {
	t.Helper()
	noError(t, s.Put(t.Context(), []byte(key), e))
}

// want checks what a key holds.
func (s *suite) want(t *testing.T, key string, want *store.Entry) *store.Entry {
	t.Helper()
	got, err := s.Get(t.Context(), []byte(key))
	if err != nil {
		t.Fatalf("Get(%q): %v", key, err)
	}
	if !bytes.Equal(got.Body, want.Body) || got.Version != want.Version || got.Size != want.Size ||
		!got.Expires.Equal(want.Expires) || metaOf(t, got) != metaOf(t, want) {
		t.Fatalf("Get(%q) = %+v, want %+v", key, got, want)
	}
	return got
}

// wantMiss checks that a key holds nothing.
func (s *suite) wantMiss(t *testing.T, key string) {
	t.Helper()
	if e, err := s.Get(t.Context(), []byte(key)); !errors.Is(err, store.ErrMiss) || e != nil {
		t.Fatalf("Get(%q) = %+v, %v; want a miss", key, e, err)
	}
}

// settleTime is how long a store may take to finish what it does in the background.
const settleTime = 10 * time.Second

// settles fails the test unless a check of the figures passes within settleTime. A store may
// evict in the background, between two looks at it.
func settles(t *testing.T, check func() error) {
	t.Helper()
	over := time.After(settleTime)
	again := time.NewTicker(time.Millisecond)
	defer again.Stop()
	for {
		err := check()
		if err == nil {
			return
		}
		select {
		case <-over:
			t.Fatal(err)
		case <-again.C:
		}
	}
}

// wantHeld checks the figures of what is held.
func (s *suite) wantHeld(t *testing.T, entries, bytes int64) {
	t.Helper()
	settles(t, func() error { return s.holds(entries, bytes) })
}

func (s *suite) holds(entries, bytes int64) error {
	if s.has(UnknownHoldings) {
		entries, bytes = 0, 0
	}
	if st := s.Stats(); st.Entries != entries || st.Bytes != bytes {
		return fmt.Errorf("holds %d entries of %d bytes, want %d of %d", st.Entries, st.Bytes, entries, bytes)
	}
	return nil
}

// wantBalance checks that every entry put is in one place, given how many were replaced.
func (s *suite) wantBalance(t *testing.T, replaced uint64) {
	t.Helper()
	if s.has(UnknownHoldings) {
		return
	}
	settles(t, func() error {
		st := s.Stats()
		if gone := st.Deletes + st.Evictions + st.Expirations + replaced; st.Puts != gone+uint64(st.Entries) {
			return fmt.Errorf("%d puts, but %d gone (%d replaced) and %d held: %+v", st.Puts, gone, replaced, st.Entries, st)
		}
		return nil
	})
}

// entry makes an entry that is told apart by its body and its meta.
func entry(body string, version uint64) *store.Entry {
	return &store.Entry{Body: []byte(body), Version: version, Size: 100, Meta: meta(version)}
}

// meta is an entry's Meta.
type meta uint64

// AppendBinary implements encoding.BinaryAppender.
func (m meta) AppendBinary(b []byte) ([]byte, error) {
	return binary.BigEndian.AppendUint64(b, uint64(m)), nil
}

// metaOf encodes an entry's Meta, so that a store which keeps the encoding passes as
// well.
func metaOf(t *testing.T, e *store.Entry) string {
	t.Helper()
	if e.Meta == nil {
		return ""
	}
	b, err := e.Meta.AppendBinary(nil)
	noError(t, err)
	return string(b)
}

func noError(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
