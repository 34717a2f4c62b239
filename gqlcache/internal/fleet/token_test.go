package fleet_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cascadeql/cascadeql/gqlcache/changelog"
	"github.com/cascadeql/cascadeql/gqlcache/internal/clock"
	"github.com/cascadeql/cascadeql/gqlcache/internal/fleet"
)

// TestCatchUp: what a token makes of a request, while the log may be asked.
func TestCatchUp(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, token string
		err         error
		looks       int
		ok          bool
	}{
		{"none", "", nil, 0, true},
		{"no position", "x", nil, 0, true},
		{"reached", "7:100", nil, 0, true},
		{"of an epoch that is over", "6:900", nil, 0, true},
		{"caught up", "7:101", nil, 1, true},
		{"beyond the log", "7:900", changelog.ErrBehind, 1, true},
		{"of an epoch to come", "8:1", changelog.ErrBehind, 1, false},
		{"the log fails", "7:101", errors.New("down"), 1, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			i, looks := start(t, nil), 0
			i.log.catchUp = func(changelog.Position) error { looks++; return row.err }
			if window, ok := i.CatchUp(t.Context(), row.token, false); window != "" || ok != row.ok || looks != row.looks {
				t.Errorf("window %q, %t, after %d looks", window, ok, looks)
			}
		})
	}
}

// TestWindows: tokens beyond the limit wait for a window, and those of one window have
// its answers.
func TestWindows(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		i := start(t, nil)
		i.log.catchUp = func(changelog.Position) error { return nil }
		for range 10 {
			i.CatchUp(t.Context(), "7:101", false)
		}
		i.log.catchUp = func(changelog.Position) error { t.Error("the log was asked"); return nil }
		if _, ok := i.CatchUp(t.Context(), "7:101", true); ok {
			t.Error("a held request has a window")
		}
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		if _, ok := i.CatchUp(gone, "7:101", false); ok {
			t.Error("a request that has ended has a window")
		}
		began := time.Now()
		first, ok := i.CatchUp(t.Context(), "7:101", false)
		if took := time.Since(began); !ok || first == "" || took != 100*time.Millisecond {
			t.Errorf("window %q, %t after %v", first, ok, took)
		}
		s := i.stamp()
		i.Answered("", "key", s)
		i.Answered(first, "key", s)
		if !i.WasAnswered(first, []byte("key"), s) || i.WasAnswered(first, []byte("key"), i.stamp()) || i.WasAnswered(first, []byte("other"), s) {
			t.Error("not what was answered")
		}
		next, _ := i.CatchUp(t.Context(), "7:101", false)
		if next == first || i.WasAnswered(next, []byte("key"), s) {
			t.Error("the next window has answers of the first")
		}
		var last *clock.Stamp
		for n := range 1001 { // a thousand are remembered
			last = i.stamp()
			i.Answered(next, fmt.Sprint(n), last)
		}
		if i.WasAnswered(first, []byte("key"), s) || i.WasAnswered(next, []byte("1000"), last) {
			t.Error("more is remembered than the bound")
		}
	})
	alone := start(t, func(c *fleet.Config) { c.Log = nil })
	if window, ok := alone.CatchUp(t.Context(), "7:101", false); window != "" || !ok {
		t.Error("a token means something without a log")
	}
}
