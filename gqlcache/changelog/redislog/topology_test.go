package redislog_test

import (
	"cmp"
	"context"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cascadeql/cascadeql/gqlcache/changelog"
	"github.com/cascadeql/cascadeql/gqlcache/changelog/redislog"
	"github.com/cascadeql/cascadeql/internal/redistest"
)

// A fleet is some strong instances that read and write registers until they are told to
// stop, each with a client of its own.
type fleet struct {
	t     *testing.T
	all   []*instance
	trace trace
	stop  func()
	extra int // the value of a register that only the test writes
}

func newFleet(t *testing.T, client func() redis.UniversalClient) *fleet {
	t.Helper()
	f, db, ns := &fleet{t: t}, newDatabase(), namespace()
	for range 3 {
		i := newInstanceOf(t, client(), db, redislog.Options{Namespace: ns, Level: changelog.Strong})
		if err := i.Start(context.Background(), i); err != nil {
			t.Fatal(err)
		}
		f.all = append(f.all, i)
	}
	f.untilFresh()
	done := make(chan struct{})
	var clients sync.WaitGroup
	f.stop = sync.OnceFunc(func() { close(done); clients.Wait() })
	t.Cleanup(f.stop)
	f.trace.began = time.Now()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	for n := range 3 * len(f.all) {
		i := f.all[n%len(f.all)]
		clients.Go(func() {
			r := rand.New(rand.NewPCG(seed, uint64(n)))
			for {
				select {
				case <-done:
					return
				case <-time.After(time.Duration(r.IntN(3000)) * time.Microsecond):
					f.trace.client(t, i, r, 1)
				}
			}
		})
	}
	return f
}

func (f *fleet) untilFresh() {
	f.t.Helper()
	for _, i := range f.all {
		i.untilFresh(f.t)
	}
}

// serve waits until every instance has answered from its cache again, and then until
// every one has confirmed a write that the others know of.
func (f *fleet) serve(what string) {
	f.t.Helper()
	f.untilFresh()
	for _, i := range f.all {
		before := i.hits.Load()
		i.until(f.t, what+": reads from the cache", func() bool { return i.hits.Load() > before })
		f.confirmed(what, i)
	}
}

// confirmed writes the extra register until that is confirmed, and reads it everywhere.
func (f *fleet) confirmed(what string, by *instance) {
	f.t.Helper()
	by.until(f.t, what+": a confirmed write", func() bool {
		f.extra++
		receipt, err := by.write(f.t, registers, f.extra)
		return err == nil && receipt.Confirmed
	})
	for _, i := range f.all {
		if got := i.read(registers); got != f.extra {
			f.t.Errorf("%s: stale: %d was confirmed, read %d", what, f.extra, got)
		}
	}
}

// check ends the history: no read that began after a confirmed write returns what was
// there before it.
func (f *fleet) check() {
	f.t.Helper()
	f.stop()
	broken, reads, confirmed := f.trace.checkConfirmed()
	f.t.Logf("%d of %d reads stale after %d confirmed writes; %d writes failed", broken, reads, confirmed, f.trace.failed.Load())
	if broken > 0 || confirmed == 0 || reads == 0 {
		f.t.Errorf("%d of %d reads are stale after %d confirmed writes", broken, reads, confirmed)
	}
}

// checkConfirmed is check, of confirmed writes alone and for long histories.
func (h *trace) checkConfirmed() (broken, reads, confirmed int) {
	var writes [registers][]op
	for _, o := range h.ops {
		if o.write && o.confirmed {
			writes[o.k] = append(writes[o.k], o)
			confirmed++
		}
	}
	for _, w := range writes {
		slices.SortFunc(w, func(a, b op) int { return cmp.Compare(a.ret, b.ret) })
		for n := 1; n < len(w); n++ {
			w[n].v = max(w[n].v, w[n-1].v)
		}
	}
	for _, r := range h.ops {
		if r.write {
			continue
		}
		reads++
		w := writes[r.k]
		before, _ := slices.BinarySearchFunc(w, r.call, func(w op, t time.Duration) int { return cmp.Compare(w.ret, t) })
		if before > 0 && w[before-1].v > r.v {
			broken++
		}
	}
	return broken, reads, confirmed
}

func TestCheckConfirmed(t *testing.T) {
	t.Parallel()
	h := &trace{ops: []op{
		{write: true, v: 2, call: 1, ret: 2, confirmed: true},
		{write: true, v: 1, call: 1, ret: 3, confirmed: true},
		{write: true, v: 3, call: 4, ret: 5},
		{v: 0, call: 1, ret: 9}, {v: 2, call: 6, ret: 7}, // fine
		{v: 1, call: 4, ret: 5}, {k: 1, v: 0, call: 9, ret: 9}, {v: 0, call: 3, ret: 5},
	}}
	if broken, reads, confirmed := h.checkConfirmed(); broken != 2 || reads != 5 || confirmed != 2 {
		t.Errorf("%d of %d reads broken by %d writes, want 2 of 5 by 2", broken, reads, confirmed)
	}
}

// TestSentinelFailover kills the primary under a history, with kill -9, and lets three
// sentinels elect another: with everything that was confirmed, and without the last of
// it.
func TestSentinelFailover(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name     string
		replicas int
		lose     bool
	}{
		{"two replicas", 2, false},
		{"the last records lost", 1, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			s := redistest.StartSentinels(t, row.replicas)
			f := newFleet(t, s.Client)
			f.serve("before")
			if row.lose {
				redistest.Isolate(t, s.Primary, s.Replicas[0])
				for _, i := range f.all {
					f.confirmed("what will be lost", i)
				}
			}
			old := f.all[0].Applied()
			s.Primary.Kill()
			if row.lose {
				s.Replicas[0].Resume()
			}
			elected := s.Elected()
			f.goesOn(old, elected)
		})
	}
}

// goesOn serves from the server that was elected, where the instances are in an epoch after
// that of old, and owe no change.
func (f *fleet) goesOn(old changelog.Position, elected *redistest.Server) {
	f.t.Helper()
	f.serve("after the failover")
	for n, i := range f.all {
		if at := i.Applied(); at.Epoch <= old.Epoch || i.Stats().Pending > 0 {
			f.t.Errorf("instance %d is at %v, was at %v: %+v", n, at, old, i.Stats())
		}
	}
	f.check()
	agree(f, elected.Client())
}

// TestPlannedFailover has a sentinel promote a replica while the primary lives. For a
// while both are primaries. The old one takes no changes, and grants no leases, for want of
// its replica: without min-replicas-to-write an instance that is still connected to it
// serves what was changed at the new one.
func TestPlannedFailover(t *testing.T) {
	t.Parallel()
	s := redistest.StartSentinels(t, 1)
	for _, server := range append(s.Replicas, s.Primary) {
		if err := server.Client().ConfigSet(t.Context(), "min-replicas-to-write", "1").Err(); err != nil {
			t.Fatal(err)
		}
	}
	f := newFleet(t, s.Client)
	f.serve("before")
	old := f.all[0].Applied()
	s.FailOver()
	elected := s.Elected()
	f.goesOn(old, elected)
}

// TestPrimaryAlone: an operator is told that the primary takes changes without its
// replicas, while it does.
func TestPrimaryAlone(t *testing.T) {
	t.Parallel()
	const alone = "takes changes without its replicas"
	p := newPair(t)
	primary := p.primary.Client()
	need := func(replicas string) {
		if err := primary.ConfigSet(t.Context(), "min-replicas-to-write", replicas).Err(); err != nil {
			t.Fatal(err)
		}
	}
	need("1")
	a := startInstance(t, p.link.Addr(), newDatabase(), redislog.Options{})
	a.untilFresh(t)
	if n := a.logged.lines(alone); n != 0 {
		t.Errorf("it is said of a primary that does not:\n%s", a.logged)
	}
	need("0")
	a.until(t, "the line", func() bool { return a.logged.lines("trouble: the primary "+alone) == 1 })
	need("1")
	a.until(t, "its end", func() bool { return a.logged.lines("over: the primary "+alone) == 1 })
	if n := a.logged.lines(alone); n != 2 {
		t.Errorf("it was said %d times:\n%s", n, a.logged)
	}
}

// agree checks that every instance is where the server is.
func agree(f *fleet, server redis.Cmdable) {
	f.t.Helper()
	control, _ := f.all[0].Keys()
	for _, i := range f.all {
		i.until(f.t, "the server's position", func() bool {
			v, err := server.HMGet(f.t.Context(), control, "e", "s").Result()
			return err == nil && v[0] != nil && i.Applied().String() == v[0].(string)+":"+v[1].(string)
		})
	}
}

// TestClusterSlotMoves moves the slot of the log's keys between the primaries of a
// cluster, under a history. On the way there is a time when each node has one of the two
// keys, and the scripts are refused.
func TestClusterSlotMoves(t *testing.T) {
	t.Parallel()
	c := redistest.StartCluster(t)
	f := newFleet(t, func() redis.UniversalClient { return c.Client() })
	f.serve("before")
	control, log := f.all[0].Keys()
	slot := c.Slot(control)
	for n, first := range []string{control, log} {
		old := f.all[0].Applied()
		to := (c.Owner(slot) + 1) % len(c.Nodes)
		m := c.Migrate(slot, to)
		f.serve("both keys at the old node")
		m.Move(first)
		for _, i := range f.all {
			i.until(t, "the end of the lease while the keys are apart", func() bool { return !i.Fresh() })
		}
		for m.Step() {
		}
		// Both keys are at the new node, which does not own the slot. It refuses commands
		// while one of them is missing, and the stream is from the beginning of an epoch
		// to the first record: whether instances are served depends on who comes first.
		// What is certain is that they are when the slot has moved.
		wait(2 * ttl)
		m.End()
		f.serve("moved")
		if at := f.all[0].Applied(); at.Epoch <= old.Epoch {
			t.Errorf("move %d: the position is %v, was %v", n, at, old)
		}
		if owner := c.Owner(slot); owner != to {
			t.Errorf("the slot is at node %d, want %d", owner, to)
		}
		agree(f, c.Node(to))
	}
	f.check()
}

// A pair is a primary and a replica in step with it.
type pair struct {
	primary, replica *redistest.Server
	link             *redistest.Proxy // to the primary
}

func newPair(t *testing.T) *pair {
	t.Helper()
	p := &pair{primary: redistest.Start(t, "--repl-diskless-sync-delay", "0")}
	p.replica = redistest.Start(t, "--replicaof", "127.0.0.1 "+p.primary.Port())
	p.link = redistest.NewProxy(t, p.primary.Addr())
	redistest.Eventually(t, "a replica in step", func() bool { return redistest.InStep(p.replica) })
	primary := p.primary.Client()
	redistest.Eventually(t, "a primary that counts its replica", func() bool {
		info, err := primary.Info(t.Context(), "replication").Result()
		return err == nil && strings.Contains(info, "state=online")
	})
	return p
}

// promote makes the isolated replica the primary, for who is connected over the link.
func (p *pair) promote(t *testing.T) {
	t.Helper()
	p.primary.Kill()
	p.replica.Resume()
	if err := p.replica.Client().ReplicaOf(t.Context(), "NO", "ONE").Err(); err != nil {
		t.Fatal(err)
	}
	p.link.Retarget(p.replica.Addr())
}

// TestPromotedByHand promotes a replica that lacks the last writes, under a history.
func TestPromotedByHand(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	f := newFleet(t, func() redis.UniversalClient { return redistest.Client(t, p.link.Addr()) })
	f.serve("before")
	redistest.Isolate(t, p.primary, p.replica)
	for _, i := range f.all {
		f.confirmed("what will be lost", i)
	}
	old := f.all[0].Applied()
	p.promote(t)
	f.serve("after the failover")
	if at := f.all[0].Applied(); at.Epoch <= old.Epoch {
		t.Errorf("the position is %v, was %v", at, old)
	}
	f.check()
	agree(f, p.replica.Client())
}

// TestWaitForReplica has a strong log wait for a replica: when it says nothing of it, the
// record is there.
func TestWaitForReplica(t *testing.T) {
	t.Parallel()
	const unheard = "replicas do not confirm in time"
	p := newPair(t)
	db := newDatabase()
	a := startInstance(t, p.link.Addr(), db, redislog.Options{Level: changelog.Strong})
	a.untilFresh(t)
	control, _ := a.Keys()
	replica := p.replica.Client()
	// The first time the script is not loaded there. It is run with a WAIT behind it all
	// the same: a second one.
	if _, err := a.write(t, 0, 1); err != nil {
		t.Fatal(err)
	}
	if stats := p.primary.Client().InfoMap(t.Context(), "commandstats").Val()["Commandstats"]["cmdstat_wait"]; !strings.HasPrefix(stats, "calls=2,") {
		t.Errorf("WAIT after the first write: %q", stats)
	}
	proven := 0
	a.until(t, "replicated writes", func() bool {
		receipt, err := a.write(t, 0, db.read(0)+1)
		if err != nil || !receipt.Confirmed || a.logged.lines("trouble: "+unheard) > a.logged.lines("over: "+unheard) {
			return false // the machine is too busy
		}
		if n, err := replica.HGet(t.Context(), control, "s").Uint64(); err != nil || n < receipt.Number {
			t.Fatalf("the replica is at %d, %v after %+v", n, err, receipt)
		}
		proven++
		return proven == 10
	})
	// It goes on without the replica, and says so once.
	redistest.Isolate(t, p.primary, p.replica)
	before := a.logged.lines("trouble: " + unheard)
	a.until(t, "writes without a replica", func() bool {
		receipt, err := a.write(t, 0, db.read(0)+1)
		return err == nil && receipt.Confirmed && a.logged.lines("trouble: "+unheard) <= before+1
	})
	p.replica.Resume()
}

// TestPromotedWithoutMember promotes a replica that does not know of the last member, nor
// of the last record, of which the publisher is waiting for that member.
func TestPromotedWithoutMember(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	o := redislog.Options{Level: changelog.Strong, TTL: 2 * time.Second}
	db := newDatabase()
	a := startInstance(t, p.link.Addr(), db, o)
	a.untilFresh(t)
	control, _ := a.Keys()
	redistest.Eventually(t, "the first member at the replica", func() bool {
		return p.replica.Client().HExists(t.Context(), control, "m:"+memberOf(t, p.primary, control)).Val()
	})
	redistest.Isolate(t, p.primary, p.replica)
	b := startInstance(t, p.primary.Addr(), db, o)
	b.untilFresh(t)
	a.renewal.close() // it would begin a new epoch at the promoted replica
	b.deaf.close()
	b.renewal.close()
	b.read(0)
	published := make(chan changelog.Receipt)
	go func() {
		receipt, _ := a.write(t, 0, 1)
		published <- receipt
	}()
	a.until(t, "the record", func() bool { return slices.Contains(a.numbers(), a.Applied().Number) && len(a.numbers()) == 1 })
	p.promote(t)
	receipt := <-published
	if receipt.Confirmed && b.read(0) != 1 {
		t.Errorf("stale: b, with a lease: %v, reads %d after a confirmed write: %+v", b.Fresh(), b.read(0), receipt)
	}
	a.renewal.open()
	a.untilFresh(t)
}

// memberOf returns the only member's name.
func memberOf(t *testing.T, s *redistest.Server, control string) string {
	t.Helper()
	fields, err := s.Client().HKeys(t.Context(), control).Result()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range fields {
		if id, ok := strings.CutPrefix(f, "m:"); ok {
			return id
		}
	}
	t.Fatalf("no member: %v", fields)
	return ""
}

// TestFailedBack loses the last record by a failover, and goes back to the first primary,
// before anybody has renewed: it is the process that began the epoch, without its last
// record.
func TestFailedBack(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	primary, replica := p.primary.Client(), p.replica.Client()
	o := redislog.Options{Level: changelog.Strong}
	db := newDatabase()
	a, b := startInstance(t, p.link.Addr(), db, o), startInstance(t, p.link.Addr(), db, o)
	a.untilFresh(t)
	b.untilFresh(t)
	control, _ := a.Keys()
	redistest.Eventually(t, "a replica in step", func() bool {
		v, err := replica.HMGet(t.Context(), control, "e", "s").Result()
		return err == nil && v[0] != nil && a.Applied().String() == v[0].(string)+":"+v[1].(string)
	})
	redistest.Isolate(t, p.primary, p.replica)
	b.until(t, "a confirmed write", func() bool {
		receipt, err := a.write(t, 0, db.read(0)+1)
		return err == nil && receipt.Confirmed
	})
	b.read(1)
	a.renewal.close()
	b.renewal.close()
	a.until(t, "the end of the lease", func() bool { return !a.Fresh() && !b.Fresh() }) // no renewal is under way
	old := b.Applied()

	p.primary.Pause() // the replica must not catch up
	p.replica.Resume()
	if err := replica.ReplicaOf(t.Context(), "NO", "ONE").Err(); err != nil {
		t.Fatal(err)
	}
	p.primary.Resume()
	if err := primary.ReplicaOf(t.Context(), "127.0.0.1", p.replica.Port()).Err(); err != nil {
		t.Fatal(err)
	}
	redistest.Eventually(t, "the old primary in step", func() bool { return redistest.InStep(p.primary) })
	if err := primary.ReplicaOf(t.Context(), "NO", "ONE").Err(); err != nil {
		t.Fatal(err)
	}

	c := startInstance(t, p.primary.Addr(), db, o)
	c.until(t, "to join", func() bool { return c.Applied().Epoch != 0 })
	published := make(chan changelog.Receipt)
	go func() {
		receipt, _ := c.write(t, 1, 77)
		published <- receipt
	}()
	c.until(t, "the record", func() bool { return len(c.numbers()) > 0 })
	b.renewal.open()
	receipt := <-published
	b.untilFresh(t)
	if got := b.read(1); receipt.Confirmed && got != 77 {
		t.Errorf("stale: b reads %d after a confirmed write: %+v; b is at %v, was at %v", got, receipt, b.Applied(), old)
	}
	if b.Applied().Epoch <= old.Epoch {
		t.Errorf("no new epoch after records were lost: %v, before %v", b.Applied(), old)
	}
}
