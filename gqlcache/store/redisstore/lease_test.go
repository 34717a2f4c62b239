package redisstore_test

import (
	"context"
	"errors"
	"strconv"
	"testing"
	"time"

	"github.com/cascadeql/cascadeql/gqlcache/store"
	"github.com/cascadeql/cascadeql/gqlcache/store/redisstore"
	"github.com/cascadeql/cascadeql/internal/redistest"
)

func lease(t *testing.T, s *redisstore.Store, key string, ttl time.Duration) (release func(context.Context), holder bool) {
	t.Helper()
	release, holder, err := s.Lease(t.Context(), []byte(key), ttl)
	if err != nil || release == nil {
		t.Fatalf("Lease: %v", err)
	}
	return release, holder
}

func TestLease(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name  string
		write redisstore.Policy
	}{{"behind", redisstore.Behind}, {"through", redisstore.Through}} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			srv := redistest.Start(t)
			open := func() *redisstore.Store {
				return newStore(t, redisstore.Options{
					Client: srv.Client(), DecodeMeta: decodeNumber, Write: row.write,
					ReadTimeout: 5 * time.Second, WriteTimeout: 5 * time.Second,
				})
			}
			a, b := open(), open()
			_, holder := lease(t, a, "k", time.Minute)
			if !holder {
				t.Fatal("nobody holds it, and it is not given out")
			}
			if _, holder := lease(t, a, "other", time.Minute); !holder {
				t.Error("leases of two keys are one")
			}
			again, holder := lease(t, b, "k", time.Minute)
			if holder {
				t.Fatal("two hold it")
			}
			again(t.Context()) // of who is no holder
			if _, holder := lease(t, b, "k", time.Minute); holder {
				t.Fatal("released by who does not hold it")
			}
			// Who has the lease next sees the entry, though nobody waits for the writer.
			for n := range 20 {
				key := "k" + strconv.Itoa(n)
				release, _ := lease(t, a, key, time.Minute)
				mustPut(t, a, key, sample("body"))
				release(t.Context())
				redistest.Eventually(t, "the lease", func() bool { _, holder := lease(t, b, key, time.Minute); return holder })
				wantHit(t, b, key, sample("body"))
			}
			if d := a.Stats().Deletes + b.Stats().Deletes; d != 0 {
				t.Errorf("%d deletes are counted: leases are no entries", d)
			}
		})
	}
}

// TestLateRelease: who comes back after the lease has ended does not end another's.
func TestLateRelease(t *testing.T) {
	t.Parallel()
	srv := redistest.Start(t)
	s := newStore(t, redisstore.Options{Client: srv.Client(), Write: redisstore.Through, ReadTimeout: 5 * time.Second, WriteTimeout: 5 * time.Second})
	late, _ := lease(t, s, "k", time.Millisecond)
	var holder bool
	redistest.Eventually(t, "the end of the lease", func() bool { _, holder = lease(t, s, "k", time.Minute); return holder })
	late(t.Context())
	if _, holder := lease(t, s, "k", time.Minute); holder {
		t.Error("the lease of another was released")
	}
}

func TestLeaseFaults(t *testing.T) {
	t.Parallel()
	t.Run("no server", func(t *testing.T) {
		t.Parallel()
		s := newStore(t, redisstore.Options{Client: redistest.Client(t, redistest.FreeAddr(t)), OwnClient: true})
		release, holder, err := s.Lease(t.Context(), []byte("k"), time.Second)
		if err == nil || holder {
			t.Fatalf("%v, %v", holder, err)
		}
		release(t.Context())
	})
	t.Run("no answer", func(t *testing.T) {
		t.Parallel()
		s, _, _ := stalled(t, redisstore.Options{CloseTimeout: 10 * time.Millisecond, ReadTimeout: 20 * time.Millisecond})
		if _, holder, err := s.Lease(t.Context(), []byte("k"), time.Second); !errors.Is(err, redisstore.ErrTimeout) || holder {
			t.Errorf("%v, %v", holder, err)
		}
	})
	t.Run("the context ends", func(t *testing.T) {
		t.Parallel()
		s, _, _ := stalled(t, redisstore.Options{CloseTimeout: 10 * time.Millisecond, ReadTimeout: time.Hour})
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if _, _, err := s.Lease(ctx, []byte("k"), time.Second); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v", err)
		}
	})
	t.Run("closed", func(t *testing.T) {
		t.Parallel()
		s := newStore(t, redisstore.Options{Client: redistest.Start(t).Client()})
		release, _ := lease(t, s, "k", time.Minute)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		release(t.Context())
		if _, holder, err := s.Lease(t.Context(), []byte("k"), time.Second); !errors.Is(err, store.ErrClosed) || holder {
			t.Errorf("%v, %v", holder, err)
		}
	})
}
