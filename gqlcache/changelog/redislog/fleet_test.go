package redislog_test

import (
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cascadeql/cascadeql/gqlcache/changelog"
	"github.com/cascadeql/cascadeql/gqlcache/changelog/redislog"
	"github.com/cascadeql/cascadeql/internal/redistest"
)

// TestTwins: two processes were given one Instance, as from a template of their
// configuration. Each waits for the other all the same.
func TestTwins(t *testing.T) {
	t.Parallel()
	w := &world{t: t, server: redistest.Start(t)}
	w.redis = w.server.Client()
	db := newDatabase()
	o := redislog.Options{Instance: "twin", Level: changelog.Strong}
	w.a = startInstance(t, w.server.Addr(), db, o)
	w.b = startInstance(t, w.server.Addr(), db, o)
	w.settle()
	if n := w.a.Stats().Members; n > 2 {
		t.Fatalf("%d members", n)
	}
	for range 3 {
		s := w.b.hold(t, "read", "renew")
		receipt, err := w.write(w.a)
		if err != nil || !receipt.Confirmed {
			t.Fatalf("%+v, %v", receipt, err)
		}
		w.fresh("the twin has not heard of it", w.a, w.b)
		s.release()
		w.settle()
	}
}

func TestMemberNames(t *testing.T) {
	t.Parallel()
	client := redistest.Client(t, redistest.FreeAddr(t))
	known := map[string]bool{}
	for _, label := range []string{"", "web-1", "web-1", strings.Repeat("x", 40) + "-pod-of-a-replica-set-7"} {
		l, err := redislog.New(client, redislog.Options{Namespace: "a", Instance: label})
		if err != nil {
			t.Fatal(err)
		}
		got := l.Instance()
		if !regexp.MustCompile(`^[A-Za-z0-9._-]{16,64}$`).MatchString(got) || known[got] {
			t.Errorf("%q is called %q", label, got)
		}
		if tail := label[max(0, len(label)-20):]; !strings.Contains(got, tail) {
			t.Errorf("%q does not say %q", got, tail)
		}
		known[got] = true
	}
}

// TestPushedAgain: the connection breaks while a change is published. The change is
// pushed again before the caller is told that it is pending, within the time that it
// waits for others in any case.
func TestPushedAgain(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name  string
		level changelog.Level
		again bool
	}{
		{"strong", changelog.Strong, true},
		{"eventual", changelog.Eventual, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, redislog.Options{Level: row.level, TTL: 3 * time.Second})
			var heal sync.Once
			again := false
			w.b.Gate(func(point string) {
				if point == "again" {
					heal.Do(func() { again = true; w.link.Heal() })
				}
			})
			w.link.Cut()
			receipt, err := w.write(w.b)
			if again != row.again || (err == nil) != row.again || receipt.Confirmed != row.again {
				t.Errorf("pushed again: %v, %+v, %v", again, receipt, err)
			}
			if row.again {
				w.fresh("after the answer", w.a, w.b)
			}
			w.link.Heal()
			w.settle()
		})
	}
}

// TestPushedWhenReplicasAreBack: a primary that refuses changes while it has too few
// replicas takes them a moment later.
func TestPushedWhenReplicasAreBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t, redislog.Options{Level: changelog.Strong, TTL: 3 * time.Second})
	need := func(replicas string) {
		if err := w.redis.ConfigSet(t.Context(), "min-replicas-to-write", replicas).Err(); err != nil {
			t.Error(err)
		}
	}
	again := false
	w.b.Gate(func(point string) {
		if point == "again" && !again {
			again = true
			need("0")
		}
	})
	need("1")
	if receipt, err := w.write(w.b); err != nil || !receipt.Confirmed || !again {
		t.Errorf("pushed again: %v, %+v, %v", again, receipt, err)
	}
	w.fresh("after the answer", w.a, w.b)
}

// TestRefusedAtOnce: what the server does not allow is not asked for again.
func TestRefusedAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, redislog.Options{TTL: 3 * time.Second})
	w.b.Gate(func(point string) {
		if point == "again" {
			t.Error("asked again")
		}
	})
	control, _ := w.b.Keys()
	if err := w.redis.Set(t.Context(), control, "somebody else's", 0).Err(); err != nil {
		t.Fatal(err)
	}
	if receipt, err := w.write(w.b); err == nil {
		t.Errorf("%+v", receipt)
	}
	if err := w.redis.Del(t.Context(), control).Err(); err != nil {
		t.Fatal(err)
	}
	w.settle()
}
