package storetest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/cascadeql/cascadeql/gqlcache/store"
)

const (
	workers = 8
	rounds  = 400
)

// crowd runs work in several goroutines and waits for them. A worker's errors are
// reported by t.Error, which unlike t.Fatal may be called there.
func crowd(work func(worker int, r *rand.Rand)) {
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() { work(w, rand.New(rand.NewPCG(1, uint64(w)))) })
	}
	wg.Wait()
}

// testConcurrent mixes everything over few keys and then checks that the figures agree
// with what is there. Every body names its key, so that an answer to the wrong key is
// seen.
func testConcurrent(t *testing.T, s *suite) {
	ctx := context.Background()
	crowd(func(w int, r *rand.Rand) {
		for range rounds {
			key := fmt.Sprint("key ", r.IntN(100))
			if err := s.step(ctx, r, key); err != nil {
				t.Errorf("worker %d, %q: %v", w, key, err)
			}
			if st := s.Stats(); st.Entries < 0 || st.Bytes < 0 {
				t.Errorf("worker %d: negative figures %+v", w, st)
			}
		}
	})
	s.wantSum(t)
	settles(t, func() error {
		st := s.Stats()
		if s.opts.MaxBytes > 0 && (st.Bytes > s.opts.MaxBytes || st.Entries > int64(s.opts.MaxEntries)) {
			return fmt.Errorf("bounds exceeded: %+v", st)
		}
		return nil
	})
	noError(t, s.Clear(ctx))
	s.wantHeld(t, 0, 0)
}

// step does one random thing.
func (s *suite) step(ctx context.Context, r *rand.Rand, key string) error {
	switch n := r.IntN(100); {
	case n < 45:
		e := entry(key, uint64(r.IntN(1000)))
		e.Size = r.IntN(300)
		return s.Put(ctx, []byte(key), e)
	case n < 80:
		e, err := s.Get(ctx, []byte(key))
		if errors.Is(err, store.ErrMiss) {
			return nil
		}
		if err == nil && string(e.Body) != key {
			return fmt.Errorf("holds the entry of %q", e.Body)
		}
		if err == nil && n < 55 {
			return s.DeleteEntry(ctx, []byte(key), e)
		}
		return err
	case n < 97:
		return s.Delete(ctx, []byte(key))
	case n < 98:
		return s.Clear(ctx)
	default:
		for k, e := range s.All(ctx) {
			if string(k) != string(e.Body) {
				return fmt.Errorf("%q holds the entry of %q", k, e.Body)
			}
		}
		return nil
	}
}

// testConcurrentVersions checks that the youngest of the entries put at the same time is
// what stays, and that a reader never sees a key go back.
func testConcurrentVersions(t *testing.T, s *suite) {
	ctx, key := context.Background(), []byte("k")
	crowd(func(w int, r *rand.Rand) {
		var last uint64
		for i := range rounds {
			version := uint64(i*workers + w)
			if err := s.Put(ctx, key, entry("body", version)); err != nil {
				t.Error(err)
			}
			e, err := s.Get(ctx, key)
			if err != nil {
				t.Error(err)
				continue
			}
			if !s.has(LastPutWins) && (e.Version < version || e.Version < last) {
				t.Errorf("version %d after %d was put and %d seen", e.Version, version, last)
			}
			last = e.Version
		}
	})
	if !s.has(LastPutWins) {
		s.want(t, "k", entry("body", workers*rounds-1))
	}
	s.wantHeld(t, 1, 100)
}

// testConcurrentClose closes while others work: they see ErrClosed, and nothing stays
// behind.
func testConcurrentClose(t *testing.T, s *suite) {
	ctx := context.Background()
	crowd(func(w int, r *rand.Rand) {
		for i := range rounds {
			if w < 2 && i == rounds/2 {
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			}
			key := fmt.Sprint("key ", r.IntN(100))
			if err := s.step(ctx, r, key); err != nil && !errors.Is(err, store.ErrClosed) {
				t.Errorf("%q: %v", key, err)
			}
		}
	})
	noError(t, s.Close())
	s.wantHeld(t, 0, 0)
}
