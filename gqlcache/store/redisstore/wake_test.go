package redisstore_test

import (
	"context"
	"testing"
	"time"

	"github.com/cascadeql/cascadeql/gqlcache/store/redisstore"
	"github.com/cascadeql/cascadeql/internal/redistest"
)

// awaited returns the channel of a wait for a key, when messages can be heard.
func awaited(t *testing.T, s *redisstore.Store, key string) (released <-chan struct{}, stop func()) {
	t.Helper()
	redistest.Eventually(t, "the subscription", func() bool {
		released, stop = s.Released([]byte(key))
		return released != nil
	})
	return released, stop
}

// wantWoken wants a wait to end.
func wantWoken(t *testing.T, released <-chan struct{}) {
	t.Helper()
	select {
	case <-released:
	case <-time.After(10 * time.Second):
		t.Fatal("nobody has said that the lease was given up")
	}
}

func asleep(t *testing.T, released <-chan struct{}) {
	t.Helper()
	select {
	case <-released:
		t.Error("woken for nothing")
	default:
	}
}

// TestReleased: who waits for a lease is told when its holder gives it up, in whichever
// process, finds the entry then, and hears nothing of other leases.
func TestReleased(t *testing.T) {
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
			holder, waiter := open(), open()
			other, stopOther := awaited(t, waiter, "other")
			defer stopOther()
			stopped, stop := awaited(t, waiter, "k")
			stop()
			first, stopFirst := awaited(t, waiter, "k")
			defer stopFirst()
			second, stopSecond := awaited(t, waiter, "k")
			defer stopSecond()

			release, _ := lease(t, holder, "k", time.Minute)
			mustPut(t, holder, "k", sample("body"))
			asleep(t, first)
			release(t.Context())
			wantWoken(t, first)
			wantWoken(t, second)
			wantHit(t, waiter, "k", sample("body"))
			if _, holds := lease(t, waiter, "k", time.Minute); !holds {
				t.Error("told of the end of a lease that is held")
			}
			asleep(t, other)
			asleep(t, stopped)
		})
	}
}

// TestReleasedLate: who gives up a lease that is another's by now wakes nobody.
func TestReleasedLate(t *testing.T) {
	t.Parallel()
	srv := redistest.Start(t)
	s := newStore(t, redisstore.Options{Client: srv.Client(), Write: redisstore.Through, ReadTimeout: 5 * time.Second, WriteTimeout: 5 * time.Second})
	late, _ := lease(t, s, "k", time.Millisecond)
	var release func(context.Context)
	redistest.Eventually(t, "the end of the lease", func() (holds bool) {
		release, holds = lease(t, s, "k", time.Minute)
		return holds
	})
	released, stop := awaited(t, s, "k")
	defer stop()
	late(t.Context())
	marker, stopMarker := awaited(t, s, "marker")
	defer stopMarker()
	end, _ := lease(t, s, "marker", time.Minute)
	end(t.Context())
	wantWoken(t, marker) // comes after
	asleep(t, released)
	release(t.Context())
	wantWoken(t, released)
}

// TestReleasedOutage: those who wait when the subscription breaks are woken, nobody is
// told to rely on messages meanwhile, and it comes back by itself.
func TestReleasedOutage(t *testing.T) {
	t.Parallel()
	srv := redistest.Start(t)
	s := newStore(t, redisstore.Options{Client: srv.Client(), Write: redisstore.Through, ReadTimeout: 5 * time.Second, WriteTimeout: 5 * time.Second})
	released, stop := awaited(t, s, "k")
	defer stop()
	if n, err := srv.Client().ClientKillByFilter(t.Context(), "TYPE", "pubsub").Result(); err != nil || n == 0 {
		t.Fatalf("%d subscriptions ended, %v", n, err)
	}
	wantWoken(t, released)
	again, stopAgain := awaited(t, s, "k")
	defer stopAgain()
	release, _ := lease(t, s, "k", time.Minute)
	release(t.Context())
	wantWoken(t, again)
}

// TestReleasedWithout: without a server nothing can be heard, and a closed store neither
// waits nor leaves anybody waiting.
func TestReleasedWithout(t *testing.T) {
	t.Parallel()
	away := newStore(t, redisstore.Options{Client: redistest.Client(t, redistest.FreeAddr(t)), OwnClient: true})
	if released, stop := away.Released([]byte("k")); released != nil || stop == nil {
		t.Error("messages can be heard without a server")
	}
	s := newStore(t, redisstore.Options{Client: redistest.Start(t).Client()})
	released, stop := awaited(t, s, "k")
	defer stop()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	wantWoken(t, released)
	if released, _ := s.Released([]byte("k")); released != nil {
		t.Error("messages can be heard by a closed store")
	}
}
