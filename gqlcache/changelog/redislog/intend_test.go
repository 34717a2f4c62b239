package redislog_test

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/cascadeql/cascadeql/cascade/tag"
	"github.com/cascadeql/cascadeql/gqlcache/changelog"
	"github.com/cascadeql/cascadeql/gqlcache/changelog/redislog"
	"github.com/cascadeql/cascadeql/internal/redistest"
)

// TestIntend: from the announcement to the settlement no instance serves or keeps what is
// named, and all serve the rest.
func TestIntend(t *testing.T) {
	t.Parallel()
	c := newIntentRig(t, redistest.Start(t).Addr(), 3, redislog.Options{Level: changelog.Eventual})
	for _, l := range c.all {
		for k := range 2 {
			l.until(t, "entries", func() bool { return l.hit(k) })
		}
	}
	in := c.all[0].intend(t, 0)
	c.db.write(0, 7)
	for n, l := range c.all {
		for range 2 {
			if l.hit(0) {
				t.Errorf("instance %d serves what is announced", n)
			}
		}
		if !l.hit(1) {
			t.Errorf("instance %d does not serve what is not announced", n)
		}
	}
	if _, err := in.Publish(t.Context(), entity(0), false); err != nil {
		t.Fatal(err)
	}
	for _, l := range c.all {
		l.until(t, "to serve it again", func() bool { return l.hit(0) })
		if v := l.read(0); v != 7 {
			t.Errorf("it reads %d", v)
		}
	}
	st := c.all[0].Stats()
	if st.Intents != 1 || st.Refused != 0 || st.Expired != 0 || st.Open != 0 {
		t.Errorf("%+v", st)
	}
}

// TestIntendWaits: an instance holds a lease and does not hear the announcement. It must
// not be made before the lease is over, at any level.
func TestIntendWaits(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	for _, level := range []changelog.Level{changelog.Eventual, changelog.Bounded, changelog.Strong} {
		t.Run(level.String(), func(t *testing.T) {
			t.Parallel()
			c := newIntentRig(t, s.Addr(), 2, redislog.Options{Level: level})
			a, b := c.all[0], c.all[1]
			b.until(t, "an entry", func() bool { return b.hit(0) })
			b.deaf.close()
			b.renewal.close()
			in := a.intend(t, 0)
			if fresh := b.Fresh(); fresh && !b.holdsBack(0) {
				t.Error("announced, and an instance with a lease has not applied it")
			}
			b.deaf.open()
			b.renewal.open()
			b.until(t, "to hear of it", func() bool { return b.Fresh() && b.holdsBack(0) })
			a.settled(t, in, 0, 1)
			b.until(t, "the end", func() bool { return b.hit(0) })
		})
	}
}

// TestChangeBeforeSettlement: a computation that no longer finds the announcement must
// find the change.
func TestChangeBeforeSettlement(t *testing.T) {
	t.Parallel()
	c := newIntentRig(t, redistest.Start(t).Addr(), 2, redislog.Options{Level: changelog.Strong}) // a busy machine may not answer within a budget
	for _, row := range []struct {
		name   string
		change int // registers that were changed
		want   []string
	}{
		{"as announced", 1, []string{"announce 1", "apply 1", "settle"}},
		{"more", 2, []string{"announce 1", "apply 2", "settle"}},
		{"nothing", 0, []string{"announce 1", "settle"}},
	} {
		var from []int
		for _, l := range c.all {
			from = append(from, len(l.history()))
		}
		in := c.all[0].intend(t, 0)
		tags := slices.Concat(entity(0), entity(1))[:row.change]
		receipt, err := in.Publish(t.Context(), tags, false)
		if err != nil || !receipt.Confirmed {
			t.Fatalf("%s: %+v, %v", row.name, receipt, err)
		}
		for n, l := range c.all {
			l.until(t, "the settlement", func() bool { return l.Stats().Open == 0 })
			if got := l.history()[from[n]:]; !slices.Equal(got, row.want) {
				t.Errorf("%s: instance %d: %q, want %q", row.name, n, got, row.want)
			}
		}
	}
}

// TestIntentOfTheDead: the instance dies after its commit. Nobody serves what it has
// announced, then all drop it, once, and entries from before do not come back.
func TestIntentOfTheDead(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	c := newIntentRig(t, s.Addr(), 3, redislog.Options{Level: changelog.Strong})
	a, b, d := c.all[0], c.all[1], c.all[2]
	b.until(t, "an entry in the shared store", func() bool { b.read(0); _, ok := c.shared.get(0); return ok })
	before, _ := c.shared.get(0)
	since := b.Applied()
	a.intend(t, 0)
	token := b.clock.Begin()
	a.stopped.close()
	c.db.write(0, 9)
	for _, l := range []*intentInstance{b, d} {
		if l.serves(0) {
			t.Error("what a dead instance has announced is served")
		}
	}
	for _, l := range []*intentInstance{b, d} {
		l.until(t, "the end of the announcement", func() bool { return l.Stats().Open == 0 })
		if l.table.Unchanged(before.at.Epoch, before.at.Number, entity(0)) {
			t.Error("an entry from before the announcement is still proven")
		}
		l.until(t, "to serve it again", func() bool { return l.hit(0) })
		if v := l.read(0); v != 9 {
			t.Errorf("it reads %d", v)
		}
	}
	if _, ok := b.clock.Finish(token, entity(0)); ok {
		t.Error("what was computed from before the commit is kept")
	}
	if n := b.Stats().Expired + d.Stats().Expired; n != 1 {
		t.Errorf("it was ended %d times", n)
	}
	if n := b.logged.lines("was never settled") + d.logged.lines("was never settled"); n != 1 {
		t.Errorf("it was logged %d times", n)
	}
	for change, err := range b.Changes(t.Context(), since) {
		if err != nil || !slices.Equal(change.Tags, entity(0)) {
			t.Errorf("a follower hears %+v, %v", change, err)
		}
		break
	}
	// It was not dead.
	a.stopped.open()
	a.until(t, "to hear of it", func() bool { return a.Fresh() && a.Applied().Reached(b.Applied()) })
}

// TestIntentIsStoodBy: a mutation that takes long keeps its announcement.
func TestIntentIsStoodBy(t *testing.T) {
	t.Parallel()
	c := newIntentRig(t, redistest.Start(t).Addr(), 2, redislog.Options{IntentTTL: patientTTL})
	a, b := c.all[0], c.all[1]
	in := a.intend(t, 0)
	over(patientTTL * 3 / 2)
	b.untilFresh(t)
	if !b.holdsBack(0) || a.Stats().Expired+b.Stats().Expired > 0 {
		t.Errorf("it was ended: %+v", b.Stats())
	}
	a.settled(t, in, 0, 3)
	b.until(t, "the change", func() bool { return b.hit(0) && b.read(0) == 3 })
}

// TestNewcomerLearnsOfIntents: the record of the announcement is gone when somebody
// joins.
func TestNewcomerLearnsOfIntents(t *testing.T) {
	t.Parallel()
	for _, trimmed := range []bool{false, true} {
		s := redistest.Start(t)
		c := newIntentRig(t, s.Addr(), 1, redislog.Options{IntentTTL: patientTTL})
		a := c.all[0]
		in := a.intend(t, 0)
		_, stream := a.Keys()
		if trimmed {
			if err := s.Client().XTrimMaxLen(t.Context(), stream, 0).Err(); err != nil {
				t.Fatal(err)
			}
		}
		b := c.join(s.Addr())
		b.untilFresh(t)
		if !b.holdsBack(0) || b.holdsBack(1) {
			t.Errorf("trimmed %v: with its first lease it knows: %v, %v", trimmed, b.holdsBack(0), b.holdsBack(1))
		}
		a.settled(t, in, 0, 1)
		b.until(t, "the settlement", func() bool { return b.hit(0) && b.read(0) == 1 })
		if n := b.Stats().Open; n != 0 {
			t.Errorf("%d are open", n)
		}
	}
}

// TestHoleHidesIntents: records are gone that an instance has not read. One was an
// announcement, another the settlement of one that it knew.
func TestHoleHidesIntents(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	c := newIntentRig(t, s.Addr(), 2, redislog.Options{Level: changelog.Eventual})
	a, b := c.all[0], c.all[1]
	known := a.intend(t, 1)
	b.until(t, "the first", func() bool { return b.holdsBack(1) })
	st := b.hold(t, "renew", "read")
	<-st.reached["renew"]
	hidden := a.intend(t, 0)
	a.settled(t, known, 1, 1)
	_, stream := a.Keys()
	if err := s.Client().XTrimMaxLen(t.Context(), stream, 0).Err(); err != nil {
		t.Fatal(err)
	}
	st.release()
	b.until(t, "a lease", func() bool { return b.Fresh() && b.Applied().Reached(a.Applied()) })
	if !b.holdsBack(0) || b.holdsBack(1) {
		t.Errorf("with a lease it knows: %v, %v", b.holdsBack(0), b.holdsBack(1))
	}
	a.settled(t, hidden, 0, 1)
	b.until(t, "the settlement", func() bool { return b.hit(0) && b.read(0) == 1 })
}

// TestHoleEndsTheLease: records are gone while the lease runs on. What they have
// announced is not known, so nothing may be served before the server was asked.
func TestHoleEndsTheLease(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	c := newIntentRig(t, s.Addr(), 2, redislog.Options{Level: changelog.Eventual, TTL: 2 * ttl, IntentTTL: 4 * ttl})
	a, b := c.all[0], c.all[1]
	b.renewal.close()
	b.until(t, "to stand before a renewal", b.renewal.holds)
	b.deaf.close()
	if _, err := a.Publish(t.Context(), entity(2), false); err != nil {
		t.Fatal(err)
	}
	b.until(t, "to stand before a record", b.deaf.holds)
	_, stream := a.Keys()
	control, _ := a.Keys()
	// An announcement, as an instance that b need not wait for would log it.
	client := s.Client()
	n := client.HIncrBy(t.Context(), control, "s", 2).Val()
	if err := client.XAdd(t.Context(), &redis.XAddArgs{Stream: stream, ID: formatID(n), Values: []any{"t", "\x02", "o", "x"}}).Err(); err != nil {
		t.Fatal(err)
	}
	b.deaf.open()
	b.until(t, "to get past the hole", func() bool { return b.Applied().Number >= uint64(n) })
	if b.Fresh() {
		t.Error("it holds a lease, and cannot know what is announced")
	}
	b.renewal.open()
	b.untilFresh(t)
}

// TestNewEpochHidesIntents: the server has forgotten what is announced, and an instance
// joins that never heard of it.
func TestNewEpochHidesIntents(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	c := newIntentRig(t, s.Addr(), 1, redislog.Options{})
	a := c.all[0]
	in := a.intend(t, 0)
	a.renewal.close()
	a.until(t, "to stand still", a.renewal.holds)
	if err := s.Client().FlushAll(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	b := c.join(s.Addr())
	b.untilFresh(t)
	if !b.holdsBack(0) {
		t.Error("with its first lease in a new epoch it knows nothing of what is announced")
	}
	a.renewal.open()
	b.until(t, "the end of the older epochs' announcements", func() bool { return !b.holdsBack(1) })
	if !b.holdsBack(0) {
		t.Error("the announcement was not repeated in the new epoch")
	}
	// Who joins now waits no more.
	d := c.join(s.Addr())
	d.untilFresh(t)
	if !d.holdsBack(0) || d.holdsBack(1) {
		t.Errorf("who joins later knows: %v, %v", d.holdsBack(0), d.holdsBack(1))
	}
	a.settled(t, in, 0, 4)
	for _, l := range c.all {
		l.until(t, "the settlement", func() bool { return l.hit(0) && l.read(0) == 4 })
	}
}

// TestPlainSinkHearsChangesOnly: caches that know no announcements are told of changes,
// and wait for no older epochs.
func TestPlainSinkHearsChangesOnly(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	plain := startInstance(t, s.Addr(), newDatabase(), redislog.Options{Namespace: "mixed"})
	plain.untilFresh(t)
	if n := plain.Stats().Open; n != 0 {
		t.Errorf("%d are open in the first epoch", n)
	}
	c := newIntentRig(t, s.Addr(), 1, redislog.Options{Namespace: "mixed", Level: changelog.Strong})
	c.all[0].settled(t, c.all[0].intend(t, 1), 1, 2)
	var tags [][]tag.Tag
	plain.mu.Lock()
	for _, r := range plain.records {
		tags = append(tags, r.Tags)
	}
	plain.mu.Unlock()
	if len(tags) != 1 || !slices.Equal(tags[0], entity(1)) {
		t.Errorf("it was told of %v", tags)
	}
}

// TestFollowersHearChangesOnly: an announcement is no change, nor is a settlement of
// nothing.
func TestFollowersHearChangesOnly(t *testing.T) {
	t.Parallel()
	l := newIntentRig(t, redistest.Start(t).Addr(), 1, redislog.Options{}).all[0]
	f := followed(t, l.instance, l.Applied())
	nothing := l.intend(t, 0)
	if _, err := nothing.Publish(t.Context(), nil, false); err != nil {
		t.Fatal(err)
	}
	first := publish(t, l.instance, 1)
	something := l.intend(t, 0)
	second, err := something.Publish(t.Context(), entity(2), false)
	if err != nil {
		t.Fatal(err)
	}
	f.want(first.Number, entity(1), false)
	f.want(second.Number, entity(2), false)
	if second.Number != first.Number+2 {
		t.Errorf("numbers %d and %d, and an announcement in between", first.Number, second.Number)
	}
}

// TestIntendRefused: what cannot be announced is an error, before anything was changed.
func TestIntendRefused(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	t.Run("not started", func(t *testing.T) {
		t.Parallel()
		i := newInstance(t, s.Addr(), newDatabase(), redislog.Options{})
		if _, err := i.Intend(t.Context(), entity(0), false); !errors.Is(err, changelog.ErrNotStarted) {
			t.Error(err)
		}
	})
	t.Run("closed", func(t *testing.T) {
		t.Parallel()
		l := newIntentRig(t, s.Addr(), 1, redislog.Options{}).all[0]
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := l.Intend(t.Context(), entity(0), false); !errors.Is(err, changelog.ErrClosed) {
			t.Error(err)
		}
	})
	t.Run("nothing", func(t *testing.T) {
		t.Parallel()
		l := newIntentRig(t, s.Addr(), 1, redislog.Options{}).all[0]
		in, err := l.Intend(t.Context(), nil, false)
		if err != nil || l.Stats().Open != 0 {
			t.Fatal(err)
		}
		if receipt, err := in.Publish(t.Context(), entity(0), false); err != nil || receipt.Number == 0 {
			t.Errorf("%+v, %v", receipt, err)
		}
	})
	t.Run("caller leaves", func(t *testing.T) {
		t.Parallel()
		c := newIntentRig(t, s.Addr(), 2, redislog.Options{})
		a, b := c.all[0], c.all[1]
		b.deaf.close()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := a.Intend(ctx, entity(0), false); !errors.Is(err, changelog.ErrUnannounced) {
			t.Error(err)
		}
		b.deaf.open()
		for _, l := range c.all {
			l.until(t, "the settlement", func() bool { return l.Stats().Open == 0 && l.hit(0) })
		}
	})
	t.Run("server away", func(t *testing.T) {
		t.Parallel()
		s := redistest.Start(t)
		l := newIntentRig(t, s.Addr(), 1, redislog.Options{}).all[0]
		s.Kill()
		for range 2 {
			if _, err := l.Intend(t.Context(), entity(0), false); !errors.Is(err, changelog.ErrUnannounced) {
				t.Error(err)
			}
		}
		if n := l.Stats().Refused; n != 2 || l.logged.lines("cannot be announced") != 1 {
			t.Errorf("%d refused\n%s", n, l.logged)
		}
	})
}

// TestIntentSettledLate: the server cannot be reached between the announcement and the
// change. What is named stays held back elsewhere until the change has been pushed.
func TestIntentSettledLate(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	c := newIntentRig(t, s.Addr(), 1, redislog.Options{IntentTTL: 6 * ttl, Level: changelog.Strong})
	b := c.all[0]
	link := redistest.NewProxy(t, s.Addr())
	a := c.join(link.Addr())
	a.untilFresh(t)
	in := a.intend(t, 0)
	c.db.write(0, 5)
	link.Cut()
	if _, err := in.Publish(t.Context(), entity(0), false); !errors.Is(err, changelog.ErrPending) {
		t.Fatalf("a publication without a server: %v", err)
	}
	if a.Fresh() {
		t.Error("a lease is held with a change pending")
	}
	b.untilFresh(t)
	if b.serves(0) {
		t.Error("what is announced is served")
	}
	link.Heal()
	for _, l := range c.all {
		l.until(t, "the settlement", func() bool { return l.hit(0) })
		if v := l.read(0); v != 5 {
			t.Errorf("it reads %d", v)
		}
	}
}

func formatID(n int64) string { return strconv.FormatInt(n, 10) + "-0" }
