package redislog_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/cascadeql/cascadeql/gqlcache/changelog"
	"github.com/cascadeql/cascadeql/gqlcache/changelog/redislog"
	"github.com/cascadeql/cascadeql/internal/redistest"
)

// named is newWorld with instances called a and b.
func named(t *testing.T, o redislog.Options) *world {
	t.Helper()
	w := &world{t: t, server: redistest.Start(t)}
	w.redis = w.server.Client()
	w.link = redistest.NewProxy(t, w.server.Addr())
	db := newDatabase()
	o.Instance = "a"
	w.a = startInstance(t, w.server.Addr(), db, o)
	o.Instance = "b"
	w.b = startInstance(t, w.link.Addr(), db, o)
	w.settle()
	return w
}

// A stop holds an instance up at some points.
type stop struct {
	reached map[string]chan struct{}
	pass    map[string]chan struct{}
	once    sync.Once
}

// hold stops the instance at points from now on, until release: each time, it says that
// it has been reached and waits for a pass.
func (i *instance) hold(t *testing.T, points ...string) *stop {
	t.Helper()
	s := &stop{reached: map[string]chan struct{}{}, pass: map[string]chan struct{}{}}
	for _, p := range points {
		s.reached[p], s.pass[p] = make(chan struct{}, 1), make(chan struct{})
	}
	i.Gate(func(point string) {
		if pass, held := s.pass[point]; held {
			select {
			case s.reached[point] <- struct{}{}:
			default:
			}
			<-pass
		}
	})
	t.Cleanup(s.release)
	return s
}

func (s *stop) release() {
	s.once.Do(func() {
		for _, pass := range s.pass {
			close(pass)
		}
	})
}

// TestLeaseCountsFromTheRequest: the reply to a renewal travels for most of a lease.
// Counted from its arrival the lease would outlast the wait of a publication that the
// server took right after the renewal.
func TestLeaseCountsFromTheRequest(t *testing.T) {
	t.Parallel()
	const term = time.Second
	w := named(t, redislog.Options{TTL: term, Level: changelog.Strong})
	control, _ := w.a.Keys()
	nonce := func() string { return w.redis.HGet(t.Context(), control, "p:"+w.b.Instance()).Val() }
	s := w.b.hold(t, "renew", "read")
	<-s.reached["renew"]
	before := nonce()
	w.link.Delay(term * 7 / 10)
	s.pass["renew"] <- struct{}{}
	w.b.until(t, "a renewal that arrives", func() bool { return nonce() != before })
	receipt, err := w.write(w.a)
	if err != nil || !receipt.Confirmed {
		t.Fatalf("%+v, %v", receipt, err)
	}
	if v, ok := w.b.cached(0); !ok || v == w.value {
		t.Fatalf("the test is pointless: b has %d, %v cached", v, ok)
	}
	w.fresh("after the lease", w.b)
	s.release()
	w.link.Heal()
	w.settle()
}

// TestNoLeaseWhilePending: a change is kept back while the reply to a renewal waits to be
// applied, which grants a lease.
func TestNoLeaseWhilePending(t *testing.T) {
	t.Parallel()
	w := named(t, redislog.Options{Level: changelog.Strong})
	s := w.b.hold(t, "renewed")
	<-s.reached["renewed"]
	w.link.Cut()
	if _, err := w.write(w.b); !errors.Is(err, changelog.ErrPending) {
		t.Fatalf("a write without a server: %v", err)
	}
	leases := w.b.had(redislog.EventLease)
	s.release()
	w.b.until(t, "the next round", func() bool { return w.b.logged.lines("does not renew the lease") > 0 })
	if n := w.b.had(redislog.EventLease); n != leases || w.b.Fresh() {
		t.Errorf("%d leases were taken with a change pending", n-leases)
	}
	w.link.Heal()
	w.settle()
	w.fresh("healed", w.a, w.b)
}

// TestLeaseNeedsTheReplyBefore: on a link that lets requests through and no replies, an
// instance would stay a member that never answers.
func TestLeaseNeedsTheReplyBefore(t *testing.T) {
	t.Parallel()
	c := redistest.Start(t).Client()
	ctx := t.Context()
	keys := []string{"{renew}:c", "{renew}:log"}
	if err := c.HSet(ctx, keys[0], "e", 100, "s", 150, "x", 7, "p:one", 7).Err(); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		name, instance, nonce string
		want                  int64
	}{
		{"stranger", "two", "0", 0},
		{"nonce that was never given", "one", "6", 0},
		{"nonce before the last", "one", "7", 0},
		{"last nonce", "one", "10", 1},
		{"the same again", "one", "10", 0},
	} {
		reply, err := redislog.RenewScript.Run(ctx, c, keys, row.instance, 100, 150, row.nonce, 1000, 10, 0).Slice()
		if err != nil {
			t.Fatal(err)
		}
		member := c.HExists(ctx, keys[0], "m:"+row.instance).Val()
		if reply[5] != row.want || row.want == 1 && !member || row.instance == "two" && member {
			t.Errorf("%s: granted %v, member %v, want %d", row.name, reply[5], member, row.want)
		}
	}
}

// TestHole: a record is gone before it was read, and the position moves past it. What it
// named must not be served.
func TestHole(t *testing.T) {
	t.Parallel()
	t.Run("before the next record", func(t *testing.T) {
		t.Parallel()
		testHole(t, true)
	})
	t.Run("at the end of the log", func(t *testing.T) {
		t.Parallel()
		testHole(t, false)
	})
}

func testHole(t *testing.T, next bool) {
	t.Helper()
	w := named(t, redislog.Options{Level: changelog.Eventual, TTL: 1500 * time.Millisecond})
	_, log := w.b.Keys()
	publish := func(register int) changelog.Receipt {
		t.Helper()
		w.value++
		receipt, err := w.a.write(t, register, w.value)
		if err != nil {
			t.Fatal(err)
		}
		return receipt
	}
	s := w.b.hold(t, "renew", "read")
	<-s.reached["renew"]
	publish(1)
	<-s.reached["read"]
	end := publish(0)
	gone := end.Number
	last, err := w.redis.XRevRangeN(t.Context(), log, "+", "-", 1).Result()
	if err != nil {
		t.Fatal(err)
	}
	if err := w.redis.XDel(t.Context(), log, last[0].ID).Err(); err != nil {
		t.Fatal(err)
	}
	if next {
		end = publish(1)
	}
	s.release()
	w.b.until(t, "to get past the hole", func() bool { return w.b.Applied().Reached(end.Position()) })
	if contains(w.b.numbers(), gone) {
		t.Fatal("the test is pointless: b has read the record")
	}
	if got, want := w.b.read(0), w.b.db.read(0); got != want {
		t.Errorf("stale: %d, the value is %d", got, want)
	}
}
