package redislog_test

import (
	"log/slog"
	"testing"

	"github.com/cascadeql/cascadeql/gqlcache/changelog"
	"github.com/cascadeql/cascadeql/gqlcache/changelog/redislog"
	"github.com/cascadeql/cascadeql/internal/redistest"
)

// TestBrokenListener: an OnEvent that panics, on the goroutines of the log or on those
// that publish, changes nothing, and has one line.
func TestBrokenListener(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	space, lines := namespace(), &syncBuffer{}
	other := startInstance(t, s.Addr(), newDatabase(), redislog.Options{Namespace: space, Level: changelog.Strong})
	i := newInstance(t, s.Addr(), newDatabase(), redislog.Options{Namespace: space})
	log, err := redislog.New(redistest.Client(t, s.Addr()), redislog.Options{
		Namespace: space, Level: changelog.Strong, TTL: ttl, OnEvent: func(redislog.Event) { panic("no listener") },
		Logger: slog.New(slog.NewTextHandler(lines, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = log.Close() })
	if err := log.Start(t.Context(), i); err != nil {
		t.Fatal(err)
	}
	i.until(t, "a lease", log.Fresh)
	other.untilFresh(t)
	if _, err := other.Publish(t.Context(), entity(1), false); err != nil {
		t.Error(err)
	}
	i.until(t, "the record", func() bool { return len(i.numbers()) > 0 })
	s.Kill()
	if _, err := log.Publish(t.Context(), entity(2), false); err == nil {
		t.Error("a server that is gone has taken a change")
	}
	if n := lines.lines("OnEvent"); n != 1 {
		t.Errorf("%d lines: %s", n, lines)
	}
}
