package redislog_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cascadeql/cascadeql/cascade/tag"
	"github.com/cascadeql/cascadeql/gqlcache/changelog"
	"github.com/cascadeql/cascadeql/gqlcache/changelog/redislog"
	"github.com/cascadeql/cascadeql/internal/redistest"
)

func TestRecordsReachEveryInstanceInOrder(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	all := startFresh(t, 3, s.Addr(), redislog.Options{})
	var last changelog.Position
	const rounds = 30
	for n := range rounds {
		for _, i := range all {
			receipt, err := i.write(t, n%4, n)
			if err != nil {
				t.Fatal(err)
			}
			last = receipt.Position()
		}
	}
	for _, i := range all {
		i.until(t, "the last record", func() bool { return i.Applied().Reached(last) })
		numbers := i.numbers()
		if len(numbers) != 3*rounds || !slices.IsSorted(numbers) || len(slices.Compact(numbers)) != 3*rounds {
			t.Errorf("%d records were applied, want %d once each and in order: %v", len(numbers), 3*rounds, numbers)
		}
		if st := i.Stats(); st.Members != 3 || st.Published != rounds || st.Records != 3*rounds || st.Applied != last {
			t.Errorf("stats %+v", st)
		}
	}
}

func TestPublishedTagsArrive(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	all := startFresh(t, 2, s.Addr(), redislog.Options{Level: changelog.Strong})
	a, b := all[0], all[1]
	many := make([]tag.Tag, 4097)
	for n := range many {
		many[n] = tag.Tag{Hash: uint64(n), Mask: 1}
	}
	for _, row := range []struct {
		name string
		tags []tag.Tag
		all  bool
		want changelog.Record
	}{
		{"one", []tag.Tag{{Hash: 1<<64 - 1, Mask: 1 << 63}}, false, changelog.Record{Tags: []tag.Tag{{Hash: 1<<64 - 1, Mask: 1 << 63}}}},
		{"two", []tag.Tag{{Hash: 1, Mask: 2}, {Hash: 3}}, false, changelog.Record{Tags: []tag.Tag{{Hash: 1, Mask: 2}, {Hash: 3}}}},
		{"as many as a record takes", many[:4096], false, changelog.Record{Tags: many[:4096]}},
		{"too many", many, false, changelog.Record{All: true}},
		{"everything", nil, true, changelog.Record{All: true}},
		{"everything and a tag", many[:1], true, changelog.Record{All: true}},
	} {
		receipt, err := a.Publish(t.Context(), row.tags, row.all)
		if err != nil || receipt.Number == 0 {
			t.Fatalf("%s: %+v, %v", row.name, receipt, err)
		}
		for _, i := range []*instance{a, b} {
			i.until(t, row.name, func() bool { return i.Applied().Reached(receipt.Position()) })
			i.mu.Lock()
			got := i.records[len(i.records)-1]
			i.mu.Unlock()
			if got.Number != receipt.Number || got.All != row.want.All || !slices.Equal(got.Tags, row.want.Tags) || got.Origin == "" {
				t.Errorf("%s: record %d of %s arrived with %d tags, all %v", row.name, got.Number, got.Origin, len(got.Tags), got.All)
			}
		}
	}
}

func TestNothingChanged(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	i := startFresh(t, 1, s.Addr(), redislog.Options{})[0]
	before := i.Applied()
	receipt, err := i.Publish(t.Context(), nil, false)
	if err != nil || !receipt.Confirmed || receipt.Position() != before || i.Applied() != before {
		t.Errorf("publishing nothing returned %+v, %v", receipt, err)
	}
}

func TestUnreachableServerIsNoError(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	s.Kill()
	db := newDatabase()
	i := startInstance(t, s.Addr(), db, redislog.Options{})
	i.until(t, "a trouble", func() bool { return i.had(redislog.EventTrouble) > 0 })
	if i.Fresh() {
		t.Error("there is a lease without a server")
	}
	if v := i.read(0); v != 0 {
		t.Errorf("read %d", v)
	}
	s.Restart()
	i.untilFresh(t)
	i.until(t, "the end of the trouble", func() bool { return i.had(redislog.EventTroubleOver) > 0 })
	if n := i.logged.lines("does not renew the lease"); n != 2 {
		t.Errorf("the trouble was logged %d times, want its beginning and its end:\n%s", n, i.logged)
	}
}

func TestNotReadyBeforeOneTerm(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	db := newDatabase()
	began := redislog.Now()
	i := startInstance(t, s.Addr(), db, redislog.Options{})
	i.untilFresh(t)
	if took := redislog.Now() - began; took < ttl {
		t.Errorf("the first lease was taken after %v, within the term of %v", took, ttl)
	}
}

func TestNewcomerReadsTheLog(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	o := redislog.Options{}
	a := startFresh(t, 1, s.Addr(), o)[0]
	born := a.Applied()
	const records = 2500 // more than two pages
	for n := range records {
		if _, err := a.write(t, n, 1); err != nil {
			t.Fatal(err)
		}
	}
	b := startInstance(t, s.Addr(), a.db, o)
	b.untilFresh(t)
	if b.Applied() != a.Applied() || len(b.numbers()) != records {
		t.Fatalf("the newcomer is at %v with %d records, the other at %v", b.Applied(), len(b.numbers()), a.Applied())
	}
	// It can tell which entries of others are true.
	if b.table.Unchanged(born.Epoch, born.Number, entity(7)) {
		t.Error("an entry that a record voids was proven")
	}
	if !b.table.Unchanged(born.Epoch, born.Number, entity(records)) {
		t.Error("an entry that no record voids was not proven")
	}
}

func TestCatchUp(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	all := startFresh(t, 2, s.Addr(), redislog.Options{Level: changelog.Eventual})
	a, b := all[0], all[1]
	b.deaf.close()
	receipt, err := a.write(t, 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.CatchUp(t.Context(), receipt.Position()); err != nil {
		t.Fatal(err)
	}
	if !b.Applied().Reached(receipt.Position()) || !contains(b.numbers(), receipt.Number) {
		t.Errorf("at %v after catching up with %v", b.Applied(), receipt)
	}
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	future := changelog.Position{Epoch: receipt.Epoch, Number: receipt.Number + 5}
	for _, row := range []struct {
		name string
		ctx  context.Context
		p    changelog.Position
		want error
	}{
		{"applied already", canceled, receipt.Position(), nil},
		{"older epoch", t.Context(), changelog.Position{Epoch: receipt.Epoch - 1, Number: 1}, changelog.ErrEpoch},
		{"newer epoch", t.Context(), changelog.Position{Epoch: receipt.Epoch + 1, Number: 1}, changelog.ErrBehind},
		{"number that does not exist", t.Context(), future, changelog.ErrBehind},
		{"canceled", canceled, future, context.Canceled},
	} {
		if err := b.CatchUp(row.ctx, row.p); !errors.Is(err, row.want) {
			t.Errorf("%s: %v, want %v", row.name, err, row.want)
		}
	}
	s.Kill()
	if err := b.CatchUp(t.Context(), future); err == nil || errors.Is(err, changelog.ErrBehind) {
		t.Errorf("without a server: %v", err)
	}
}

func TestLifeCycle(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	i := newInstance(t, s.Addr(), newDatabase(), redislog.Options{TTL: patientTTL})
	if _, err := i.Publish(t.Context(), entity(0), false); !errors.Is(err, changelog.ErrNotStarted) {
		t.Errorf("Publish before Start: %v", err)
	}
	if err := i.CatchUp(t.Context(), changelog.Position{Epoch: 1, Number: 1}); !errors.Is(err, changelog.ErrNotStarted) {
		t.Errorf("CatchUp before Start: %v", err)
	}
	if err := i.Start(t.Context(), nil); err == nil {
		t.Error("Start without a sink succeeds")
	}
	if err := i.Start(t.Context(), i); err != nil {
		t.Fatal(err)
	}
	if err := i.Start(t.Context(), i); !errors.Is(err, changelog.ErrStarted) {
		t.Errorf("second Start: %v", err)
	}
	i.untilFresh(t)
	for range 2 {
		if err := i.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	}
	if i.Fresh() {
		t.Error("a lease is valid after Close")
	}
	if err := i.CatchUp(t.Context(), changelog.Position{Epoch: 1 << 62, Number: 1}); !errors.Is(err, changelog.ErrClosed) {
		t.Errorf("CatchUp after Close: %v", err)
	}
	// A mutation that ends after the log is still made known.
	if receipt, err := i.write(t, 0, 1); err != nil || receipt.Number == 0 {
		t.Errorf("Publish after Close: %+v, %v", receipt, err)
	}
	if i.had(redislog.EventLease) != 1 {
		t.Errorf("events %+v", i.events)
	}
}

func TestClosedBeforeItStarted(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	i := newInstance(t, s.Addr(), newDatabase(), redislog.Options{})
	if err := i.Close(); err != nil {
		t.Error(err)
	}
	if err := i.Start(t.Context(), i); !errors.Is(err, changelog.ErrClosed) {
		t.Errorf("Start after Close: %v", err)
	}
}

func TestEndOfTheContextEndsTheLease(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	i := newInstance(t, s.Addr(), newDatabase(), redislog.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	if err := i.Start(ctx, i); err != nil {
		t.Fatal(err)
	}
	i.untilFresh(t)
	cancel()
	i.until(t, "the end of the lease", func() bool { return !i.Fresh() })
}

func TestOptions(t *testing.T) {
	t.Parallel()
	good := redis.NewClient(&redis.Options{ContextTimeoutEnabled: true})
	deafToDeadlines := redis.NewClient(&redis.Options{})
	cluster := redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{"127.0.0.1:1"}, ContextTimeoutEnabled: true})
	replicas := redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{"127.0.0.1:1"}, ContextTimeoutEnabled: true, RouteRandomly: true})
	ring := redis.NewRing(&redis.RingOptions{Addrs: map[string]string{"a": "127.0.0.1:1"}})
	t.Cleanup(func() {
		_, _, _, _, _ = good.Close(), deafToDeadlines.Close(), cluster.Close(), replicas.Close(), ring.Close()
	})
	for _, row := range []struct {
		name   string
		client redis.UniversalClient
		o      redislog.Options
		want   []string
	}{
		{"least", good, redislog.Options{Namespace: "a"}, nil},
		{"nothing", good, redislog.Options{}, []string{"Namespace is not set", "shop-production"}},
		{"cluster", cluster, redislog.Options{Namespace: "a"}, nil},
		{"short lease", good, redislog.Options{Namespace: "a", TTL: 100 * time.Millisecond}, nil},
		{"no client", nil, redislog.Options{}, []string{"client is nil"}},
		{"nil client", (*redis.Client)(nil), redislog.Options{}, []string{"client is nil"}},
		{"ring", ring, redislog.Options{}, []string{"type *redis.Ring"}},
		{"cluster client that reads from replicas", replicas, redislog.Options{}, []string{"RouteRandomly"}},
		{"client that ignores deadlines", deafToDeadlines, redislog.Options{}, []string{"ContextTimeoutEnabled"}},
		{"everything", deafToDeadlines, redislog.Options{Namespace: "a}b", Instance: "a b", Level: 9, TTL: time.Hour, AckBudget: -1, MaxLen: 1},
			[]string{"Namespace", "Instance", "Level", "TTL", "AckBudget", "MaxLen", "ContextTimeoutEnabled"}},
		{"intents end with two leases", good, redislog.Options{Namespace: "a", TTL: time.Second, IntentTTL: 2 * time.Second}, nil},
		{"intents end before that", good, redislog.Options{TTL: time.Second, IntentTTL: 1900 * time.Millisecond}, []string{"IntentTTL"}},
		{"intents that do not end", good, redislog.Options{IntentTTL: 2 * time.Hour}, []string{"IntentTTL"}},
		{"budget above the lease", good, redislog.Options{AckBudget: time.Minute}, []string{"AckBudget"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			_, err := redislog.New(row.client, row.o)
			if (err == nil) != (row.want == nil) {
				t.Fatalf("New: %v", err)
			}
			for _, want := range row.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q is not in: %v", want, err)
				}
			}
		})
	}
}
