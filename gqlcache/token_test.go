package gqlcache_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/changelog"
)

// A countedLog counts how often it is asked to catch up.
type countedLog struct {
	*logMember
	looks atomic.Int64
}

func (l *countedLog) CatchUp(ctx context.Context, p changelog.Position) error {
	l.looks.Add(1)
	return l.logMember.CatchUp(ctx, p)
}

// counted makes b an instance whose log counts.
func counted(t *testing.T, tokens bool) (a, b *instance, log *countedLog, r *instances) {
	t.Helper()
	log = &countedLog{}
	r = newInstances(t, 1, func(_ *instance, o *gqlcache.Options) { o.Tokens, o.Store, o.Shared = true, newMapStore(), nil })
	b = r.add(func(m *instance, o *gqlcache.Options) {
		log.logMember = m.log
		o.Log, o.Tokens, o.Store, o.Shared = log, tokens, newMapStore(), nil
	})
	return r.all[0], b, log, r
}

// TestTokensOff: without Options.Tokens the header is not looked at, whatever it says.
func TestTokensOff(t *testing.T) {
	t.Parallel()
	_, b, log, _ := counted(t, false)
	b.want("MISS", "Ann", readAnn)
	for _, token := range []string{"x", "7:999", "8:1", "7:100", strings.Repeat("7:", 1000)} {
		b.want("HIT memory", "Ann", readAnn, gqlcache.TokenHeader, token)
	}
	if n := log.looks.Load(); n != 0 {
		t.Errorf("%d looks", n)
	}
}

// TestTokensCostNoLoad: who sends tokens that the log has not reached, one after the
// other or many at once, makes an instance ask the log ten times a second, and compute an
// answer once for all of a moment.
func TestTokensCostNoLoad(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name  string
		token func(i int) string
		down  bool
	}{
		{"of the future", func(i int) string { return fmt.Sprint("7:", 900+i) }, false},
		{"of an epoch to come", func(i int) string { return fmt.Sprint(8+i, ":1") }, false},
		{"the log does not answer", func(int) string { return "7:101" }, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				_, b, log, r := counted(t, true)
				b.want("MISS", "Ann", readAnn)
				if row.down {
					log.breakDown(errors.New("down"))
				}
				ask := func() {
					const crowd = 100
					began, looks, calls := time.Now(), log.looks.Load(), r.rows.Calls("Query.user")
					var all []*call
					for i := range crowd {
						all = append(all, b.begin(readAnn, gqlcache.TokenHeader, row.token(i)))
					}
					for _, c := range all {
						if got := c.wait(t); !strings.Contains(string(got.Data), "Ann") || len(got.Errors) > 0 {
							t.Errorf("%s", got.Body)
						}
					}
					looks, calls = log.looks.Load()-looks, r.rows.Calls("Query.user")-calls
					if looks > 10 || calls > 20 || time.Since(began) > time.Second {
						t.Errorf("%d looks, %d calls in %v for %d requests", looks, calls, time.Since(began), crowd)
					}
				}
				ask()
				time.Sleep(time.Second) // of the bubble
				ask()
			})
		})
	}
}

// TestTokensOfOneWindow: a computation for tokens begins after the window in which they
// came. What is changed when the first of them has come, and is named by the last, is in
// the answer that they share.
func TestTokensOfOneWindow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, b, _, r := counted(t, true)
		b.want("MISS", "Ann", readAnn)
		for i := range 10 {
			b.ask(readAnn, gqlcache.TokenHeader, fmt.Sprint("8:", i))
		}
		latch := r.rows.Block("Query.user:done")
		first := b.begin(readAnn, gqlcache.TokenHeader, "8:99")
		synctest.Wait()
		b.log.withhold()
		resp, _ := a.ask(renameAnn)
		last := b.begin(readAnn, gqlcache.TokenHeader, extensionOf(t, resp).Token)
		time.Sleep(time.Second / 5) // of the bubble: they are computing
		latch.Release()
		if got := last.wait(t); !strings.Contains(string(got.Data), "New") {
			t.Errorf("the last one got %s", got.Body)
		}
		first.wait(t)
	})
}

// TestTokenBeyondTheLimit: a genuine token is kept also when the log may not be asked any
// more: neither what is stored nor what is being computed since before the token's change
// is given to its bearer, and what is computed for the bearer is.
func TestTokenBeyondTheLimit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, b, log, r := counted(t, true)
		b.want("MISS", "Ann", readAnn)
		for i := range 10 {
			b.ask(readAnn, gqlcache.TokenHeader, fmt.Sprint("8:", i))
		}
		latch := r.rows.Block("Query.user:done")
		older := b.begin("query Other"+readAnn, gqlcache.TokenHeader, "8:99") // beyond the limit, too
		time.Sleep(time.Second / 5)                                           // of the bubble: it is computing
		receive(t, latch.Reached, "the older computation")
		b.log.withhold()
		resp, _ := a.ask(renameAnn)
		token := extensionOf(t, resp).Token
		if token != "7:101" {
			t.Fatalf("token %q", token)
		}
		looks := log.looks.Load()
		stored := b.begin(readAnn, gqlcache.TokenHeader, token)
		joins := b.begin("query Other"+readAnn, gqlcache.TokenHeader, token)
		time.Sleep(time.Second / 5) // of the bubble: both are computing, or have joined
		latch.Release()
		if got := stored.wait(t); !strings.Contains(string(got.Data), "New") || strings.HasPrefix(extensionOf(t, got).sum(), "HIT") {
			t.Errorf("instead of what is stored: %s", got.Body)
		}
		if got := joins.wait(t); !strings.Contains(string(got.Data), "New") {
			t.Errorf("instead of what was being computed: %s", got.Body)
		}
		older.wait(t)
		if log.looks.Load() != looks {
			t.Error("the log was asked")
		}
		if n := b.cache.Stats().Bypassed[gqlcache.ReasonToken]; n < 3 {
			t.Errorf("%d bypasses are counted", n)
		}
	})
}
