package redislog_test

import (
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cascadeql/cascadeql/gqlcache/changelog"
	"github.com/cascadeql/cascadeql/gqlcache/changelog/redislog"
	"github.com/cascadeql/cascadeql/internal/redistest"
)

// A world is two instances of a strong log: a is connected to the server, b over a link.
// Both have register 0 and 1 cached.
type world struct {
	t      *testing.T
	server *redistest.Server
	link   *redistest.Proxy
	redis  *redis.Client
	a, b   *instance
	value  int
}

func newWorld(t *testing.T, o redislog.Options, args ...string) *world {
	t.Helper()
	w := &world{t: t, server: redistest.Start(t, args...)}
	w.redis = w.server.Client()
	w.link = redistest.NewProxy(t, w.server.Addr())
	if o.Level == 0 {
		o.Level = changelog.Strong
	}
	db := newDatabase()
	w.a = startInstance(t, w.server.Addr(), db, o)
	w.b = startInstance(t, w.link.Addr(), db, o)
	w.settle()
	return w
}

// settle waits until both instances serve from their caches.
func (w *world) settle() {
	w.t.Helper()
	for _, i := range []*instance{w.a, w.b} {
		i.until(w.t, "entries that are served", func() bool {
			i.read(0)
			i.read(1)
			before := i.hits.Load()
			i.read(0)
			i.read(1)
			return i.hits.Load() == before+2 && i.read(0) == w.a.db.read(0)
		})
	}
}

// write changes register 0 on an instance.
func (w *world) write(i *instance) (changelog.Receipt, error) {
	w.t.Helper()
	w.value++
	return i.write(w.t, 0, w.value)
}

// confirmed writes on a and expects that nobody serves what is stale from then on.
func (w *world) confirmed(what string) changelog.Receipt {
	w.t.Helper()
	receipt, err := w.write(w.a)
	if err != nil || !receipt.Confirmed {
		w.t.Fatalf("%s: the write is not confirmed: %+v, %v\n%s", what, receipt, err, w.a.logged)
	}
	w.fresh(what, w.a, w.b)
	return receipt
}

func (w *world) fresh(what string, all ...*instance) {
	w.t.Helper()
	for n, i := range all {
		if got := i.read(0); got != w.value {
			w.t.Errorf("%s: stale: instance %d of %d reads %d, the value is %d", what, n+1, len(all), got, w.value)
		}
	}
}

func (w *world) epoch() uint64 { return w.a.Applied().Epoch }

func TestKilledAndRestartedEmpty(t *testing.T) {
	t.Parallel()
	w := newWorld(t, redislog.Options{})
	old := w.epoch()
	w.server.Kill()
	for range 3 {
		receipt, err := w.write(w.a)
		if !errors.Is(err, changelog.ErrPending) || receipt.Confirmed {
			t.Fatalf("a write without a server: %+v, %v", receipt, err)
		}
	}
	if w.a.Fresh() || w.a.Stats().Pending != 3 {
		t.Errorf("a lease is held with changes pending: %+v", w.a.Stats())
	}
	w.fresh("right after the write, where it was made", w.a)
	w.b.until(t, "the end of the lease", func() bool { return !w.b.Fresh() })
	w.fresh("after the lease", w.b)
	w.server.Restart()
	w.settle()
	w.fresh("after the restart", w.a, w.b)
	if w.epoch() <= old || w.b.Applied().Epoch != w.epoch() || w.a.Stats().Pending != 0 {
		t.Errorf("epoch %d, then %d and %d; %+v", old, w.epoch(), w.b.Applied().Epoch, w.a.Stats())
	}
	w.confirmed("after the restart")
	if n := w.a.logged.lines("has not taken changes"); n != 2 {
		t.Errorf("the trouble was logged %d times, want beginning and end:\n%s", n, w.a.logged)
	}
}

func TestServerHangs(t *testing.T) {
	t.Parallel()
	w := newWorld(t, redislog.Options{})
	w.server.Pause()
	receipt, err := w.write(w.a)
	if !errors.Is(err, changelog.ErrPending) || receipt.Confirmed {
		t.Errorf("a write to a server that hangs: %+v, %v", receipt, err)
	}
	w.fresh("where it was made", w.a)
	w.b.until(t, "the end of the lease", func() bool { return !w.b.Fresh() })
	w.fresh("after the lease", w.b)
	w.server.Resume()
	w.settle()
	w.confirmed("after the server went on")
}

func TestSlowLink(t *testing.T) {
	t.Parallel()
	w := newWorld(t, redislog.Options{TTL: 1500 * time.Millisecond})
	w.link.Delay(100 * time.Millisecond)
	for range 5 {
		w.confirmed("with 100 ms of latency")
	}
	w.link.Heal()
	w.settle()
	w.confirmed("healed")
}

func TestRepliesSwallowed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, redislog.Options{})
	w.link.SwallowReplies()
	for range 3 {
		w.confirmed("replies swallowed")
	}
	// Its requests arrive, and must not make it a member again.
	for range 20 {
		wait(ttl / 10)
		w.confirmed("replies swallowed")
		if st := w.a.Stats(); st.Members != 1 {
			t.Fatalf("a deaf instance is a member: %+v", st)
		}
	}
	w.link.Heal()
	w.settle()
	w.confirmed("healed")
	if st := w.a.Stats(); st.Members != 2 {
		t.Errorf("after healing: %+v", st)
	}
}

func TestInstanceCutOff(t *testing.T) {
	t.Parallel()
	w := newWorld(t, redislog.Options{})
	w.link.Cut()
	w.confirmed("b is cut off") // after b's lease
	w.confirmed("b was reaped")
	if w.a.Stats().Members != 1 || w.a.had(redislog.EventReaped) == 0 {
		t.Errorf("it was not reaped: %+v", w.a.Stats())
	}
	w.link.Heal()
	w.settle()
	w.confirmed("healed")
}

func TestMutatorCutOff(t *testing.T) {
	t.Parallel()
	w := newWorld(t, redislog.Options{})
	w.link.Cut()
	receipt, err := w.write(w.b)
	if !errors.Is(err, changelog.ErrPending) || receipt.Confirmed || receipt.Why == "" {
		t.Errorf("a write that nobody hears of: %+v, %v", receipt, err)
	}
	w.fresh("where it was made", w.b)
	if w.b.Fresh() {
		t.Error("a lease is held with a change pending")
	}
	w.link.Heal()
	w.b.until(t, "the push", func() bool { return w.b.Stats().Pending == 0 && w.b.had(redislog.EventPushed) == 1 })
	w.a.until(t, "the record", func() bool { return w.a.Applied().Reached(w.b.Applied()) })
	w.fresh("after the push", w.a, w.b)
	w.settle()
	w.confirmed("healed")
}

// TestServerForgets has an instance on a cut link serve by a lease of which the server
// knows nothing any more.
func TestServerForgets(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name   string
		forget func(w *world) error
	}{
		{"FLUSHALL", func(w *world) error { return w.redis.FlushAll(w.t.Context()).Err() }},
		{"control key evicted", func(w *world) error {
			control, _ := w.a.Keys()
			return w.redis.Del(w.t.Context(), control).Err()
		}},
		{"epoch lost", func(w *world) error {
			control, _ := w.a.Keys()
			return w.redis.HDel(w.t.Context(), control, "e").Err()
		}},
		{"epoch broken", func(w *world) error {
			control, _ := w.a.Keys()
			return w.redis.HSet(w.t.Context(), control, "e", "x").Err()
		}},
		{"made by another server", func(w *world) error {
			control, _ := w.a.Keys()
			return w.redis.HSet(w.t.Context(), control, "r", "0123456789").Err()
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, redislog.Options{})
			old := w.epoch()
			w.link.Cut()
			if err := row.forget(w); err != nil {
				t.Fatal(err)
			}
			w.confirmed("a write to a server that forgot")
			w.link.Heal()
			w.settle()
			w.confirmed("in the new epoch")
			if w.epoch() <= old || w.b.Applied().Epoch != w.epoch() {
				t.Errorf("epoch %d, then %d and %d", old, w.epoch(), w.b.Applied().Epoch)
			}
		})
	}
}

// TestLogLost has records lost that an instance has not read: of two the last, the first,
// or both.
func TestLogLost(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name string
		lose func(w *world, log, first, last string) error
	}{
		{"evicted", func(w *world, log, _, _ string) error { return w.redis.Del(w.t.Context(), log).Err() }},
		{"trimmed", func(w *world, log, _, _ string) error { return w.redis.XTrimMaxLen(w.t.Context(), log, 0).Err() }},
		{"last", func(w *world, log, _, last string) error { return w.redis.XDel(w.t.Context(), log, last).Err() }},
		{"first", func(w *world, log, first, _ string) error { return w.redis.XDel(w.t.Context(), log, first).Err() }},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, redislog.Options{Level: changelog.Eventual})
			_, log := w.b.Keys()
			flushes := w.b.Stats().Flushes
			w.link.Cut()
			var receipts [2]changelog.Receipt
			for n := range receipts {
				var err error
				if receipts[n], err = w.a.write(t, n, 1); err != nil {
					t.Fatal(err)
				}
			}
			w.value = 1
			id := func(r changelog.Receipt) string { return strconv.FormatUint(r.Number, 10) + "-0" }
			if err := row.lose(w, log, id(receipts[0]), id(receipts[1])); err != nil {
				t.Fatal(err)
			}
			w.link.Heal()
			w.b.until(t, "to get past the hole", func() bool { return w.b.Applied().Reached(receipts[1].Position()) })
			if got := w.b.Stats(); got.Flushes == flushes {
				t.Errorf("a record is missing and nothing was flushed: %+v", got)
			}
			for k := range receipts {
				if got := w.b.read(k); got != 1 {
					t.Errorf("stale: register %d is %d after the hole", k, got)
				}
			}
			w.settle()
		})
	}
}

func TestOutOfMemory(t *testing.T) {
	t.Parallel()
	w := newWorld(t, redislog.Options{}, "--maxmemory-policy", "noeviction")
	if err := w.redis.ConfigSet(t.Context(), "maxmemory", "1mb").Err(); err != nil {
		t.Fatal(err)
	}
	if err := w.redis.Set(t.Context(), "x", "y", 0).Err(); err == nil || !strings.Contains(err.Error(), "OOM") {
		t.Fatalf("SET on a full server: %v", err)
	}
	for range 3 {
		w.confirmed("the server is full")
	}
}

func TestScriptFlush(t *testing.T) {
	t.Parallel()
	w := newWorld(t, redislog.Options{})
	for range 3 {
		if err := w.redis.ScriptFlush(t.Context()).Err(); err != nil {
			t.Fatal(err)
		}
		w.confirmed("after SCRIPT FLUSH")
	}
	w.settle()
}

// TestNumbersRewound is a failover to a server that has lost the last record, without its
// being another process.
func TestNumbersRewound(t *testing.T) {
	t.Parallel()
	w := newWorld(t, redislog.Options{})
	control, log := w.a.Keys()
	old := w.a.Applied()
	w.confirmed("before")
	if err := w.redis.HSet(t.Context(), control, "s", old.Number).Err(); err != nil {
		t.Fatal(err)
	}
	if err := w.redis.Del(t.Context(), log).Err(); err != nil {
		t.Fatal(err)
	}
	c := startInstance(t, w.server.Addr(), w.a.db, redislog.Options{Level: changelog.Strong})
	c.untilFresh(t)
	if c.Applied().Epoch <= old.Epoch {
		t.Errorf("a newcomer serves in the epoch that has lost records: %v after %v", c.Applied(), old)
	}
	w.settle()
	w.confirmed("after the regression")
	w.fresh("after the regression", c)
}

// TestReplicaPromoted loses records for good, and uses their numbers again before any
// instance that has applied them can say so.
func TestReplicaPromoted(t *testing.T) {
	t.Parallel()
	w := newWorld(t, redislog.Options{})
	replica := redistest.Start(t, "--replicaof", "127.0.0.1 "+w.server.Port())
	promoted := replica.Client()
	control, _ := w.a.Keys()
	w.confirmed("before the replica")
	w.a.until(t, "the replica", func() bool {
		role, err := promoted.Info(t.Context(), "replication").Result()
		return err == nil && strings.Contains(role, "master_link_status:up")
	})
	w.confirmed("with a replica")
	w.a.until(t, "the replica to catch up", func() bool {
		n, err := promoted.HGet(t.Context(), control, "s").Uint64()
		return err == nil && n == w.a.Applied().Number
	})
	old := w.a.Applied()
	// The replica stops listening; what is written now is lost with the primary.
	if err := promoted.Do(t.Context(), "REPLICAOF", "NO", "ONE").Err(); err != nil {
		t.Fatal(err)
	}
	w.confirmed("on the old primary")
	if got := w.b.Applied().Number; got != old.Number+1 {
		t.Fatalf("b has applied %d, want %d", got, old.Number+1)
	}
	w.b.renewal.close()
	w.link.Retarget(replica.Addr())
	w.server.Kill()

	// Another instance meets the new primary first and publishes under the number that
	// was used.
	c := startInstance(t, replica.Addr(), w.a.db, redislog.Options{Level: changelog.Strong})
	c.until(t, "to join", func() bool { return c.Applied().Epoch != 0 })
	published := make(chan changelog.Receipt)
	go func() {
		receipt, _ := c.write(t, 1, 77)
		published <- receipt
	}()
	w.b.renewal.open()
	receipt := <-published
	if receipt.Confirmed && w.b.read(1) != 77 {
		t.Errorf("stale: b reads %d after a confirmed write: %+v; b is at %v", w.b.read(1), receipt, w.b.Applied())
	}
	w.b.untilFresh(t)
	if w.b.Applied().Epoch <= old.Epoch {
		t.Errorf("no new epoch after records were lost: %v, before %v", w.b.Applied(), old)
	}
	w.fresh("after the failover", w.b, c)
	if got := w.b.read(1); got != 77 {
		t.Errorf("stale: b reads %d", got)
	}
}

func TestAcknowledgementsLost(t *testing.T) {
	t.Parallel()
	w := newWorld(t, redislog.Options{})
	if err := w.redis.Do(t.Context(), "ACL", "SETUSER", "default", "resetchannels").Err(); err != nil {
		t.Fatal(err)
	}
	if err := w.redis.Do(t.Context(), "CLIENT", "KILL", "TYPE", "pubsub").Err(); err != nil {
		t.Fatal(err)
	}
	for range 5 {
		w.confirmed("no announcements")
	}
	w.a.until(t, "the trouble", func() bool { return w.a.logged.lines("cannot be heard") > 0 })
	if n := w.a.logged.lines("cannot be heard"); n != 1 {
		t.Errorf("it was logged %d times", n)
	}
}

func TestInfoNotAllowed(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	c := s.Client()
	if err := c.Do(t.Context(), "ACL", "SETUSER", "default", "-info").Err(); err != nil {
		t.Fatal(err)
	}
	all := startFresh(t, 2, s.Addr(), redislog.Options{Level: changelog.Strong})
	receipt, err := all[0].write(t, 0, 1)
	if err != nil || !receipt.Confirmed || all[1].read(0) != 1 {
		t.Errorf("%+v, %v", receipt, err)
	}
	if n := all[0].logged.lines("INFO is not allowed"); n != 1 {
		t.Errorf("it was logged %d times:\n%s", n, all[0].logged)
	}
}

func TestCleanLeave(t *testing.T) {
	t.Parallel()
	w := newWorld(t, redislog.Options{TTL: 2 * time.Second})
	if err := w.b.Close(); err != nil {
		t.Fatal(err)
	}
	receipt, err := w.write(w.a)
	if err != nil || !receipt.Confirmed || w.a.Stats().Members != 1 || w.a.had(redislog.EventReaped) > 0 {
		t.Errorf("a write waited for who has left: %+v, %v, %+v", receipt, err, w.a.Stats())
	}
	w.fresh("after it left", w.b)
	control, _ := w.a.Keys()
	fields, err := w.redis.HKeys(t.Context(), control).Result()
	if err != nil {
		t.Fatal(err)
	}
	members := 0
	for _, f := range fields {
		if strings.Contains(f, ":") {
			members++
		}
	}
	if members != 3 {
		t.Errorf("the control key has %v, want the three fields of one member", fields)
	}
}

func TestPausedInstance(t *testing.T) {
	t.Parallel()
	w := newWorld(t, redislog.Options{})
	w.b.stopped.close()
	receipt, err := w.write(w.a)
	if err != nil || !receipt.Confirmed {
		t.Fatalf("%+v, %v", receipt, err)
	}
	if w.b.Fresh() {
		t.Error("confirmed while an instance that has not applied it holds a lease")
	}
	if v, ok := w.b.cached(0); !ok || v == w.value {
		t.Fatalf("the test is pointless: the paused instance has %d, %v cached", v, ok)
	}
	w.b.stopped.open()
	w.fresh("it goes on", w.b)
	w.settle()
	w.confirmed("it is back")
}

func TestBoundedFlagsWhoDoesNotAnswer(t *testing.T) {
	t.Parallel()
	w := newWorld(t, redislog.Options{Level: changelog.Bounded})
	w.b.deaf.close()
	w.b.renewal.close()
	late, err := w.write(w.a)
	if err != nil || late.Confirmed || late.Why != "an instance has not answered in time" {
		t.Errorf("%+v, %v", late, err)
	}
	slow, err := w.write(w.a)
	if err != nil || slow.Confirmed || slow.Why != "an instance does not answer" {
		t.Errorf("it is waited for again: %+v, %v", slow, err)
	}
	w.fresh("where it was written", w.a)
	// It is dropped some time after its lease.
	w.a.until(t, "the reap", func() bool { return w.a.had(redislog.EventReaped) > 0 })
	if w.b.Fresh() {
		t.Error("it was dropped with a lease")
	}
	w.confirmed("it was dropped")
	w.b.deaf.open()
	w.b.renewal.open()
	w.settle()
	w.b.until(t, "the confirmation of its answers", func() bool {
		receipt, err := w.write(w.a)
		return err == nil && receipt.Confirmed && w.a.Stats().Members == 2
	})
	w.fresh("it answers", w.a, w.b)
}

// TestLongerLeaseElsewhere has a strong publisher with a short lease, and an instance
// with a long one.
func TestLongerLeaseElsewhere(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	db := newDatabase()
	a := startInstance(t, s.Addr(), db, redislog.Options{Level: changelog.Strong, TTL: 200 * time.Millisecond})
	b := startInstance(t, s.Addr(), db, redislog.Options{Level: changelog.Strong, TTL: 1200 * time.Millisecond})
	a.untilFresh(t)
	b.untilFresh(t)
	b.stopped.close()
	receipt, err := a.write(t, 0, 1)
	if err != nil || !receipt.Confirmed || b.Fresh() {
		t.Errorf("confirmed %v while a lease is valid: %v; %+v, %v", receipt.Confirmed, b.Fresh(), receipt, err)
	}
}

// TestLeaseBeforeValidity stops a reader between its two checks. In the order of the
// contract it is right; the other order would return what was stale before it began.
func TestLeaseBeforeValidity(t *testing.T) {
	t.Parallel()
	w := newWorld(t, redislog.Options{})
	w.b.renewal.close()
	w.b.deaf.close()
	w.b.until(t, "a lease that runs out", func() bool { return !w.b.Fresh() })
	// A reader in the wrong order: its entry is valid …
	wrong, valid := w.b.cached(0)
	// … and a reader in the right order: no lease.
	fresh := w.b.Fresh()
	w.value++
	receipt, err := w.a.write(t, 0, w.value)
	if err != nil || !receipt.Confirmed {
		t.Fatalf("%+v, %v", receipt, err)
	}
	w.b.renewal.open()
	w.b.untilFresh(t)
	// Both go on.
	if !valid || wrong == w.value {
		t.Error("the test is pointless: the wrong order is right")
	}
	if _, valid := w.b.cached(0); fresh && valid {
		t.Error("the right order served what was stale")
	}
	if _, valid := w.b.cached(0); valid {
		t.Error("a lease was taken before the record was applied")
	}
}

func TestStrangeRecords(t *testing.T) {
	t.Parallel()
	const tagged = "\x01" + "\x01\x00\x00\x00\x00\x00\x00\x00" + "\xff\xff\xff\xff\xff\xff\xff\xff" // register 0
	for _, row := range []struct {
		name   string
		id     string // relative to the number, which is taken before
		fields []any
		flush  bool
	}{
		{"of another program", "%d-0", []any{"t", tagged, "o", "elsewhere"}, false},
		{"of another program, no origin", "%d-0", []any{"t", tagged}, false},
		{"everything", "%d-0", []any{"t", "\x02"}, false},
		{"unknown kind", "%d-0", []any{"t", "\x09" + tagged}, true},
		{"unknown length", "%d-0", []any{"t", tagged[:12]}, true},
		{"everything and something", "%d-0", []any{"t", "\x02x"}, true},
		{"empty payload", "%d-0", []any{"t", ""}, true},
		{"no payload", "%d-0", []any{"what", "ever"}, true},
		{"odd ID", "%d-7", []any{"t", tagged}, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, redislog.Options{})
			control, log := w.a.Keys()
			flushes := w.b.Stats().Flushes
			w.value++
			w.a.db.write(0, w.value)
			n, err := w.redis.HIncrBy(t.Context(), control, "s", 1).Result()
			if err != nil {
				t.Fatal(err)
			}
			id := strings.Replace(row.id, "%d", strconv.FormatInt(n, 10), 1)
			if err := w.redis.XAdd(t.Context(), &redis.XAddArgs{Stream: log, ID: id, Values: row.fields}).Err(); err != nil {
				t.Fatal(err)
			}
			for _, i := range []*instance{w.a, w.b} {
				i.until(t, "the record", func() bool { return i.Applied().Number >= uint64(n) })
			}
			w.fresh(row.name, w.a, w.b)
			if row.flush && w.b.Stats().Flushes == flushes {
				t.Error("nothing was flushed")
			}
			w.settle()
			w.confirmed("after it")
			w.settle()
			if got := w.b.Stats().Flushes; got > flushes+20 {
				t.Errorf("it was flushed %d times", got-flushes)
			}
		})
	}
}

func TestForeignRecordsInTheLog(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ name, id string }{
		{"by the clock", "*"},
		{"far ahead", "18446744073709551615-0"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, redislog.Options{})
			w.confirmed("before")
			_, log := w.a.Keys()
			if err := w.redis.XAdd(t.Context(), &redis.XAddArgs{Stream: log, ID: row.id, Values: []any{"a", "b"}}).Err(); err != nil {
				t.Fatal(err)
			}
			// Whatever becomes of the write, it is not lost.
			if _, err := w.write(w.a); err != nil {
				t.Log(err)
			}
			w.settle()
			w.confirmed("after it")
			w.settle()
		})
	}
}

func TestForeignKeys(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name string
		key  func(control, log string) string
	}{
		{"control", func(control, _ string) string { return control }},
		{"log", func(_, log string) string { return log }},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, redislog.Options{})
			key := row.key(w.a.Keys())
			if err := w.redis.Set(t.Context(), key, "somebody else's", 0).Err(); err != nil {
				t.Fatal(err)
			}
			if receipt, err := w.write(w.a); err == nil || receipt.Confirmed {
				t.Errorf("%+v, %v", receipt, err)
			}
			w.fresh("where it was written", w.a)
			w.b.until(t, "the end of the lease", func() bool { return row.name == "log" || !w.b.Fresh() })
			if got := w.redis.Get(t.Context(), key).Val(); got != "somebody else's" {
				t.Errorf("the foreign key was changed to %q", got)
			}
			if n := w.a.logged.lines("has not taken changes"); n != 1 {
				t.Errorf("the trouble was logged %d times:\n%s", n, w.a.logged)
			}
			if err := w.redis.Del(t.Context(), key).Err(); err != nil {
				t.Fatal(err)
			}
			w.settle()
			w.confirmed("the key is gone")
		})
	}
}

func TestWrongPassword(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t, "--requirepass", "correct-horse")
	i := startInstance(t, s.Addr(), newDatabase(), redislog.Options{})
	i.until(t, "the trouble", func() bool { return i.logged.lines("does not renew") > 0 })
	if _, err := i.write(t, 0, 1); err == nil {
		t.Error("a write without a password is published")
	}
	if i.Fresh() || i.read(0) != 1 {
		t.Error("it does not read the database")
	}
	if strings.Contains(i.logged.String(), "horse") {
		t.Errorf("a password was logged:\n%s", i.logged)
	}
}

// TestReap works on a control key made by hand: it is the lease's number that counts.
func TestReap(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	c := s.Client()
	ctx := t.Context()
	keys := []string{"{reap}:c", "{reap}:log"}
	if err := c.HSet(ctx, keys[0], "e", 100, "s", 150, "m:old", 140, "l:old", 140, "p:old", 1,
		"m:new", 141, "l:new", 150, "p:new", 1, "p:half", 3).Err(); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		name          string
		epoch, number int
		want          int
	}{
		{"number that was lost", 100, 151, -1},
		{"older epoch", 99, 150, -1},
		{"all but who has a lease", 100, 150, 1},
		{"again", 100, 150, 0},
	} {
		if n, err := redislog.ReapScript.Run(ctx, c, keys, row.epoch, row.number).Int(); err != nil || n != row.want {
			t.Errorf("%s: %d, %v, want %d", row.name, n, err, row.want)
		}
	}
	left := c.HGetAll(ctx, keys[0]).Val()
	if len(left) != 5 || left["l:new"] != "150" || left["m:new"] != "141" {
		t.Errorf("left over: %v", left)
	}
}

// TestLeaseNeedsTheLastReply is a link on which requests arrive and replies do not.
func TestLeaseNeedsTheLastReply(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	c := s.Client()
	keys := []string{"{nonce}:c", "{nonce}:log"}
	renew := func(epoch, number, nonce string) (e, s, next string, granted bool) {
		t.Helper()
		reply, err := redislog.RenewScript.Run(t.Context(), c, keys, "x", epoch, number, nonce, 1000, 100, 0).Slice()
		if err != nil {
			t.Fatal(err)
		}
		return reply[0].(string), reply[1].(string), reply[4].(string), reply[5].(int64) == 1
	}
	epoch, number, first, granted := renew("0", "0", "0")
	if granted {
		t.Fatal("a lease for who does not know the epoch")
	}
	_, _, second, granted := renew(epoch, number, first)
	if !granted {
		t.Fatal("no lease after the first reply")
	}
	// The reply with second is lost.
	last := ""
	for n := range 20 {
		if _, _, last, granted = renew(epoch, number, first); granted {
			t.Fatalf("lease %d for who has not received the reply before, nonce %s instead of %s", n, first, second)
		}
	}
	if _, _, _, granted = renew(epoch, number, last); !granted {
		t.Error("no lease after a reply arrived again")
	}
}

// TestNoLeaseWithChangesPending has a renewal's reply under way while a publication
// fails.
func TestNoLeaseWithChangesPending(t *testing.T) {
	t.Parallel()
	w := newWorld(t, redislog.Options{})
	leases := w.b.had(redislog.EventLease)
	w.b.reply.close()
	w.b.until(t, "a reply that is under way", w.b.reply.holds)
	w.link.Cut()
	if receipt, err := w.write(w.b); !errors.Is(err, changelog.ErrPending) {
		t.Fatalf("%+v, %v", receipt, err)
	}
	w.b.reply.open()
	w.b.until(t, "the next renewal", func() bool { return w.b.logged.lines("does not renew") > 0 })
	if w.b.had(redislog.EventLease) > leases || w.b.Fresh() {
		t.Error("a lease was taken with a change pending")
	}
	w.link.Heal()
	w.settle()
	w.fresh("healed", w.a, w.b)
}

// TestLeaseComesAfterTheRecords has a lease and a missed record come with one reply.
func TestLeaseComesAfterTheRecords(t *testing.T) {
	t.Parallel()
	w := newWorld(t, redislog.Options{Level: changelog.Eventual})
	w.b.deaf.close()
	w.b.renewal.close()
	w.b.until(t, "a lease that runs out", func() bool { return w.b.renewal.holds() && !w.b.Fresh() })
	leases := w.b.had(redislog.EventLease)
	receipt, err := w.write(w.a)
	if err != nil {
		t.Fatal(err)
	}
	w.b.renewal.open()
	w.b.until(t, "another lease", func() bool { return w.b.had(redislog.EventLease) > leases })
	w.b.mu.Lock()
	defer w.b.mu.Unlock()
	for _, e := range w.b.events {
		if e.Kind == redislog.EventLease {
			leases--
		}
		if leases < 0 && e.Kind == redislog.EventLease && e.Number < receipt.Number {
			t.Errorf("a lease was taken at %d, before record %d was applied", e.Number, receipt.Number)
		}
	}
}
