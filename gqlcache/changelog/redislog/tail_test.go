package redislog_test

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/cascadeql/cascadeql/gqlcache/changelog"
	"github.com/cascadeql/cascadeql/gqlcache/changelog/redislog"
	"github.com/cascadeql/cascadeql/internal/redistest"
)

// wantTail wants the last changes to be those of entities, the youngest first.
func wantTail(t *testing.T, i *instance, n int, want ...int) []changelog.Change {
	t.Helper()
	got, err := i.LastChanges(t.Context(), n)
	if err != nil || len(got) != len(want) {
		t.Fatalf("%d changes, %v, want %v", len(got), err, want)
	}
	for at, k := range want {
		if !slices.Equal(got[at].Tags, entity(k)) || got[at].Origin == "" {
			t.Errorf("change %d is %+v, want that of %d", at, got[at], k)
		}
	}
	return got
}

// TestLastChanges: the last ones come first, whoever made them, as many as are asked for
// and are there.
func TestLastChanges(t *testing.T) {
	t.Parallel()
	all := startFresh(t, 2, redistest.Start(t).Addr(), redislog.Options{})
	a, b := all[0], all[1]
	wantTail(t, b, 5)
	var last changelog.Receipt
	for k := range 4 {
		last = publish(t, all[k%2], k)
	}
	wantTail(t, a, 0)
	wantTail(t, a, -1)
	wantTail(t, a, 2, 3, 2)
	got := wantTail(t, b, 9, 3, 2, 1, 0)
	if got[0].Position() != last.Position() {
		t.Errorf("at %v, want %v", got[0].Position(), last.Position())
	}
}

// TestLastChangesOfManyRecords: what changes nothing is left out, however much of it there
// is, what nobody understands may be anything, and what another epoch had is gone.
func TestLastChangesOfManyRecords(t *testing.T) {
	t.Parallel()
	srv := redistest.Start(t)
	i := startFresh(t, 1, srv.Addr(), redislog.Options{})[0]
	for k := range 3 {
		publish(t, i, k)
	}
	last := i.Applied()
	log := onlyStream(t, srv.Client())
	const silent = 1500                                                                               // more than one reply has
	add(t, srv.Client(), log, last.Number, silent, "\x05\x01\x00\x00\x00"+strings.Repeat("\x01", 16)) // ends an announcement that is not open
	wantTail(t, i, 2, 2, 1)
	add(t, srv.Client(), log, last.Number+silent, 1, "?")
	got, err := i.LastChanges(t.Context(), 2)
	if err != nil || len(got) != 2 || !got[0].All || got[1].All {
		t.Errorf("%+v, %v", got, err)
	}
	if err := srv.Client().HSet(t.Context(), strings.TrimSuffix(log, "log")+"c", "e", strconv.FormatUint(last.Number+2_000_000, 10)).Err(); err != nil {
		t.Fatal(err)
	}
	if got, err := i.LastChanges(t.Context(), 2); err != nil || len(got) != 0 {
		t.Errorf("%+v, %v of another epoch", got, err)
	}
}

func TestLastChangesFail(t *testing.T) {
	t.Parallel()
	srv := redistest.Start(t)
	i := startFresh(t, 1, srv.Addr(), redislog.Options{})[0]
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := i.LastChanges(ctx, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if err := i.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := i.LastChanges(t.Context(), 1); !errors.Is(err, changelog.ErrClosed) {
		t.Errorf("closed: %v", err)
	}
	log, err := redislog.New(srv.Client(), redislog.Options{Namespace: "main"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := log.LastChanges(t.Context(), 1); !errors.Is(err, changelog.ErrNotStarted) {
		t.Errorf("not started: %v", err)
	}
}

// onlyStream returns the key of the log of a server that has one.
func onlyStream(t *testing.T, c *redis.Client) string {
	t.Helper()
	keys, err := c.Keys(t.Context(), "*:log").Result()
	if err != nil || len(keys) != 1 {
		t.Fatalf("logs %q, %v", keys, err)
	}
	return keys[0]
}

// add appends records after a number to the log, past all instances, at once.
func add(t *testing.T, c *redis.Client, log string, after, n uint64, payload string) {
	t.Helper()
	_, err := c.TxPipelined(t.Context(), func(pipe redis.Pipeliner) error {
		pipe.HSet(t.Context(), strings.TrimSuffix(log, "log")+"c", "s", after+n)
		for range n {
			after++
			pipe.XAdd(t.Context(), &redis.XAddArgs{
				Stream: log, ID: strconv.FormatUint(after, 10) + "-0", Values: []any{"t", payload, "o", "test"},
			})
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
