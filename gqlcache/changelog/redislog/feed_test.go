package redislog_test

import (
	"context"
	"errors"
	"iter"
	"slices"
	"strconv"
	"sync"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/cascadeql/cascadeql/cascade/tag"
	"github.com/cascadeql/cascadeql/gqlcache/changelog"
	"github.com/cascadeql/cascadeql/gqlcache/changelog/redislog"
	"github.com/cascadeql/cascadeql/internal/redistest"
)

// A feed is a loop over changes that a test takes one by one.
type feed struct {
	t      *testing.T
	cancel context.CancelFunc
	next   func() (changelog.Change, error, bool)
}

// followed begins a loop. It ends with the test.
func followed(t *testing.T, i *instance, since changelog.Position) *feed {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	next, stop := iter.Pull2(i.Changes(ctx, since))
	t.Cleanup(func() { cancel(); stop() })
	return &feed{t: t, cancel: cancel, next: next}
}

func (f *feed) want(number uint64, tags []tag.Tag, all bool) changelog.Change {
	f.t.Helper()
	c, err, ok := f.next()
	if !ok || err != nil || c.Number != number || !slices.Equal(c.Tags, tags) || c.All != all {
		f.t.Fatalf("%+v, %v, %v, want number %d, tags %v, all %v", c, err, ok, number, tags, all)
	}
	return c
}

// wantEnd wants an error, and nothing after it.
func (f *feed) wantEnd(want error) {
	f.t.Helper()
	if c, err, ok := f.next(); !ok || !errors.Is(err, want) || c.Number != 0 {
		f.t.Fatalf("%+v, %v, %v, want %v", c, err, ok, want)
	}
	if c, err, ok := f.next(); ok {
		f.t.Errorf("%+v, %v after the end", c, err)
	}
}

func publish(t *testing.T, i *instance, k int) changelog.Receipt {
	t.Helper()
	receipt, err := i.Publish(t.Context(), entity(k), false)
	if err != nil {
		t.Fatal(err)
	}
	return receipt
}

func TestFeedFromNow(t *testing.T) {
	t.Parallel()
	all := startFresh(t, 2, redistest.Start(t).Addr(), redislog.Options{Level: changelog.Strong})
	a, b := all[0], all[1]
	publish(t, a, 0)
	// The place is that of the call: what comes between the call and the loop is not
	// lost.
	f := followed(t, b, changelog.Position{})
	first := publish(t, a, 1)
	got := f.want(first.Number, entity(1), false)
	if got.Epoch != first.Epoch || got.Origin == "" || got.Position() != first.Position() {
		t.Errorf("%+v of %+v", got, first)
	}
	second := publish(t, b, 2)
	f.want(second.Number, entity(2), false)
	if _, err := a.Publish(t.Context(), nil, true); err != nil {
		t.Fatal(err)
	}
	f.want(second.Number+1, nil, true)
}

func TestFeedFromAPosition(t *testing.T) {
	t.Parallel()
	i := startFresh(t, 1, redistest.Start(t).Addr(), redislog.Options{})[0]
	var receipts []changelog.Receipt
	for k := range 5 {
		receipts = append(receipts, publish(t, i, k))
	}
	changes := i.Changes(t.Context(), receipts[1].Position())
	for range 2 { // each loop begins there
		k := 2
		for c, err := range changes {
			if err != nil || c.Position() != receipts[k].Position() || !slices.Equal(c.Tags, entity(k)) {
				t.Fatalf("%+v, %v, want that of %d", c, err, k)
			}
			if k++; k == len(receipts) {
				break
			}
		}
	}
	future := receipts[4].Position()
	future.Number += 7
	followed(t, i, future).wantEnd(changelog.ErrBehind)
}

func TestFeedIsToldOfGaps(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name string
		// lose takes records away; the feed begins after the first of six.
		lose func(t *testing.T, c *redis.Client, log string)
	}{
		{"trimmed", func(t *testing.T, c *redis.Client, log string) {
			if err := c.XTrimMaxLen(t.Context(), log, 2).Err(); err != nil {
				t.Fatal(err)
			}
		}},
		{"evicted", func(t *testing.T, c *redis.Client, log string) {
			if err := c.Del(t.Context(), log).Err(); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			s := redistest.Start(t)
			i := startFresh(t, 1, s.Addr(), redislog.Options{})[0]
			first := publish(t, i, 0)
			for k := range 5 {
				publish(t, i, k)
			}
			_, log := i.Keys()
			row.lose(t, s.Client(), log)
			followed(t, i, first.Position()).wantEnd(changelog.ErrGap)
			f := followed(t, i, changelog.Position{})
			f.want(publish(t, i, 9).Number, entity(9), false)
		})
	}
}

// TestFeedIsToldOfAHole: a number that nobody has logged. What is before it is handed
// out.
func TestFeedIsToldOfAHole(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	i := startFresh(t, 1, s.Addr(), redislog.Options{})[0]
	control, _ := i.Keys()
	since := i.Applied()
	first := publish(t, i, 0)
	if err := s.Client().HIncrBy(t.Context(), control, "s", 1).Err(); err != nil {
		t.Fatal(err)
	}
	publish(t, i, 1)
	f := followed(t, i, since)
	f.want(first.Number, entity(0), false)
	f.wantEnd(changelog.ErrGap)
}

func TestFeedEndsWithItsEpoch(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	i := startFresh(t, 1, s.Addr(), redislog.Options{})[0]
	old := publish(t, i, 0).Position()
	f := followed(t, i, old)
	next := publish(t, i, 1)
	f.want(next.Number, entity(1), false)
	if err := s.Client().FlushAll(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	f.wantEnd(changelog.ErrEpoch) // without any new record
	i.until(t, "the new epoch", func() bool { return i.Applied().Epoch > old.Epoch })
	followed(t, i, old).wantEnd(changelog.ErrEpoch)
	f = followed(t, i, changelog.Position{})
	f.want(publish(t, i, 2).Number, entity(2), false)
}

func TestFeedGoesOnAfterAnOutage(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	i := startFresh(t, 1, s.Addr(), redislog.Options{})[0]
	f := followed(t, i, changelog.Position{})
	f.want(publish(t, i, 0).Number, entity(0), false)
	c := s.Client()
	if err := c.Do(t.Context(), "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes").Err(); err != nil {
		t.Fatal(err)
	}
	var receipt changelog.Receipt
	i.until(t, "a publication", func() bool {
		var err error
		receipt, err = i.Publish(t.Context(), entity(1), false)
		return err == nil
	})
	for { // publications that had no answer may be in the log, too
		got, err, ok := f.next()
		if err != nil || !ok {
			t.Fatal(err, ok)
		}
		if got.Position() == receipt.Position() {
			break
		}
	}
}

func TestFeedOfUnknownRecords(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	i := startFresh(t, 1, s.Addr(), redislog.Options{})[0]
	f := followed(t, i, changelog.Position{})
	control, log := i.Keys()
	n := publish(t, i, 0).Number
	f.want(n, entity(0), false)
	for _, payload := range []string{"\x09future", "\x01short", ""} {
		n++
		c := s.Client()
		if err := c.HIncrBy(t.Context(), control, "s", 1).Err(); err != nil {
			t.Fatal(err)
		}
		if err := c.XAdd(t.Context(), &redis.XAddArgs{Stream: log, ID: redislogID(n), Values: []string{"t", payload, "o", "me"}}).Err(); err != nil {
			t.Fatal(err)
		}
		if c := f.want(n, nil, true); c.Origin != "me" {
			t.Errorf("%+v", c)
		}
	}
	f.want(publish(t, i, 1).Number, entity(1), false)
}

func TestFeedUnderConcurrentPublishers(t *testing.T) {
	t.Parallel()
	const each = 40
	all := startFresh(t, 3, redistest.Start(t).Addr(), redislog.Options{Level: changelog.Eventual})
	feeds := []*feed{followed(t, all[0], changelog.Position{}), followed(t, all[2], changelog.Position{})}
	since := all[1].Applied()
	var publishers sync.WaitGroup
	for _, i := range all {
		publishers.Go(func() {
			for k := range each {
				if _, err := i.Publish(t.Context(), entity(k), false); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for _, f := range feeds {
		perTag := map[uint64]int{}
		for n := range uint64(len(all) * each) {
			c, err, ok := f.next()
			if err != nil || !ok || c.Number != since.Number+n+1 || c.Epoch != since.Epoch {
				t.Fatalf("%+v, %v, %v, want number %d", c, err, ok, since.Number+n+1)
			}
			perTag[c.Tags[0].Hash]++
		}
		for k := range each {
			if perTag[uint64(k+1)] != len(all) {
				t.Errorf("tag %d came %d times", k, perTag[uint64(k+1)])
			}
		}
	}
	publishers.Wait()
}

func TestFeedEnds(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	t.Run("before the start", func(t *testing.T) {
		t.Parallel()
		i := newInstance(t, s.Addr(), newDatabase(), redislog.Options{})
		followed(t, i, changelog.Position{}).wantEnd(changelog.ErrNotStarted)
	})
	t.Run("with the context", func(t *testing.T) {
		t.Parallel()
		i := startFresh(t, 1, s.Addr(), redislog.Options{Namespace: namespace()})[0]
		f := followed(t, i, changelog.Position{})
		f.want(publish(t, i, 0).Number, entity(0), false)
		f.cancel()
		f.wantEnd(context.Canceled)
	})
	t.Run("with the log", func(t *testing.T) {
		t.Parallel()
		i := startFresh(t, 1, s.Addr(), redislog.Options{Namespace: namespace()})[0]
		f := followed(t, i, changelog.Position{})
		f.want(publish(t, i, 0).Number, entity(0), false)
		if err := i.Close(); err != nil {
			t.Fatal(err)
		}
		f.wantEnd(changelog.ErrClosed)
		followed(t, i, changelog.Position{}).wantEnd(changelog.ErrClosed)
	})
	t.Run("while nobody has joined", func(t *testing.T) {
		t.Parallel()
		i := startInstance(t, "127.0.0.1:1", newDatabase(), redislog.Options{})
		f := followed(t, i, changelog.Position{})
		f.cancel()
		f.wantEnd(context.Canceled)
	})
}

// TestFeedBeginsWhenTheLogJoins: at the end of the log, not with what is in it.
func TestFeedBeginsWhenTheLogJoins(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	a := startFresh(t, 1, s.Addr(), redislog.Options{})[0]
	publish(t, a, 0)
	late := newInstance(t, s.Addr(), newDatabase(), redislog.Options{})
	late.renewal.close()
	if err := late.Start(t.Context(), late); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	next, stop := iter.Pull2(late.Changes(ctx, changelog.Position{}))
	defer stop()
	late.renewal.open()
	// Publications go on until the feed has seen one: it begins with some time after the
	// call.
	seen := make(chan changelog.Change, 1)
	go func() {
		c, err, _ := next()
		if err != nil {
			t.Error(err)
		}
		seen <- c
	}()
	var after []uint64
	a.until(t, "a change in the feed", func() bool {
		select {
		case c := <-seen:
			if !contains(after, c.Number) {
				t.Errorf("%+v is none of %v", c, after)
			}
			return true
		default:
			after = append(after, publish(t, a, 1).Number)
			return false
		}
	})
}

func redislogID(n uint64) string { return strconv.FormatUint(n, 10) + "-0" }
