package fleet_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cascadeql/cascadeql/cascade/tag"
	"github.com/cascadeql/cascadeql/gqlcache/changelog"
	"github.com/cascadeql/cascadeql/gqlcache/internal/fleet"
	"github.com/cascadeql/cascadeql/gqlcache/store"
)

// TestTakeOver: which entries of the shared store are taken over.
func TestTakeOver(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name   string
		before func(i *instance)
		config func(*fleet.Config) // of the reader
		taken  bool
	}{
		{"proven", func(*instance) {}, nil, true},
		{"another row changed", func(i *instance) { i.log.sink.Apply(record(101, bob)) }, nil, true},
		{"changed", func(i *instance) { i.log.sink.Apply(record(101, ann)) }, nil, false},
		{"changed before", func(i *instance) { i.log.sink.Apply(record(101, ann)); i.share(101) }, nil, true},
		{"from before what is known", func(i *instance) { i.share(99) }, nil, false},
		{"everything changed", func(i *instance) { i.log.sink.Apply(changelog.Record{Number: 101, All: true}) }, nil, false},
		{"no lease", func(i *instance) { i.log.fresh = func() bool { return false } }, nil, false},
		{"the store fails", func(i *instance) { i.shared.fail = errors.New("down") }, nil, false},
		{"announced", func(i *instance) { i.clock.Announce([]tag.Tag{ann}) }, nil, false},
		{"another build", func(*instance) {}, func(c *fleet.Config) { c.Build = "b" }, false},
		{"another schema", func(*instance) {}, func(c *fleet.Config) {
			s := fleet.NewSchema(fleet.SchemaConfig{Mark: bob})
			c.Schema = func() *fleet.Schema { return s }
		}, false},
		{"changed ahead of the log", func(i *instance) { i.Ahead().Note(fleet.Change{Tags: []tag.Tag{{Hash: ann.Hash}}}) }, nil, false},
		{"another row changed ahead of the log", func(i *instance) { i.Ahead().Note(fleet.Change{Tags: []tag.Tag{bob}}) }, nil, true},
		{"everything changed ahead of the log", func(i *instance) { i.Ahead().Note(fleet.Change{All: true}) }, nil, false},
		{"changed ahead of the log, which has it", func(i *instance) {
			a := i.Ahead()
			a.Note(fleet.Change{All: true})
			a.Recorded()
		}, nil, true},
		{"withdrawn", func(i *instance) { i.Withdraw(i.t.Context(), "key") }, nil, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			shared := start(t, nil)
			shared.share(100)
			i := start(t, func(c *fleet.Config) {
				if row.config != nil {
					row.config(c)
				}
			})
			i.shared.entries = shared.shared.entries
			row.before(i)
			got := i.TakeOver(t.Context(), "key", fleet.Wanted{})
			if (got != nil) != row.taken || i.Counts.SharedHits.Load() == 1 != row.taken {
				t.Fatalf("taken: %v", got)
			}
			if got != nil && (string(got.Body) != "body" || got.Expires.Unix() != 1000 || !slices.Equal(got.Tags, []tag.Tag{ann}) ||
				!i.valid(got.Stamp)) {
				t.Errorf("taken: %+v", got)
			}
		})
	}
}

// batches is a store that is asked for many keys at once.
type batches struct {
	*fakeStore
	asked [][]int // the keys of each call
	short bool    // it returns nothing
}

// GetAll implements store.Batcher.
func (b *batches) GetAll(ctx context.Context, keys [][]byte, ok func(int, *store.Entry) bool) ([]*store.Entry, error) {
	b.asked = append(b.asked, make([]int, len(keys)))
	all := make([]*store.Entry, len(keys))
	for n, key := range keys {
		if e, err := b.Get(ctx, key); err == nil && ok(n, e) {
			all[n] = e
		}
	}
	if b.accepted != nil {
		b.accepted()
	}
	if b.short {
		return nil, nil
	}
	return all, b.fail
}

// TestTakeAll: of many keys each is taken over as by itself, in one call where the store has
// it, and a store without is left alone after its first failure.
func TestTakeAll(t *testing.T) {
	t.Parallel()
	keys := []string{"none", "key", "unfit", "old", "key"}
	wanted := func(n int) fleet.Wanted {
		w := fleet.Wanted{Fits: func(*store.Entry) bool { return keys[n] != "unfit" }}
		if keys[n] == "old" {
			w.Younger = time.Unix(1000, 0)
		}
		return w
	}
	for _, row := range []struct {
		name   string
		before func(*instance, *batches)
		taken  string
		errors uint64
	}{
		{"proven", func(*instance, *batches) {}, "-k--k", 0},
		{"another row changed", func(i *instance, _ *batches) { i.log.sink.Apply(record(101, bob)) }, "-k--k", 0},
		{"changed", func(i *instance, _ *batches) { i.log.sink.Apply(record(101, ann)) }, "-----", 0},
		{"changed meanwhile", func(i *instance, b *batches) { b.accepted = func() { i.log.sink.Apply(record(101, ann)) } }, "-----", 0},
		{"no lease", func(i *instance, _ *batches) { i.log.fresh = func() bool { return false } }, "-----", 0},
		{"the store fails", func(_ *instance, b *batches) { b.fail = errors.New("down") }, "-----", 1},
		{"the store breaks its contract", func(_ *instance, b *batches) { b.short = true }, "-----", 0},
	} {
		for _, many := range []bool{true, false} {
			if !many && row.name == "the store breaks its contract" {
				continue
			}
			shared := start(t, nil)
			var b *batches
			i := start(t, func(c *fleet.Config) {
				b = &batches{fakeStore: shared.shared}
				if c.Shared = b; !many {
					c.Shared = shared.shared
				}
			})
			for _, key := range []string{"key", "unfit", "old"} {
				i.Share(t.Context(), key, &store.Entry{Body: []byte(key), Expires: time.Unix(1000, 0)}, changelog.Position{Epoch: 7, Number: 100}, []tag.Tag{ann})
			}
			row.before(i, b)
			got := ""
			for n, taken := range i.TakeAll(t.Context(), keys, wanted) {
				switch {
				case taken == nil:
					got += "-"
				case string(taken.Body) != keys[n] || !slices.Equal(taken.Tags, []tag.Tag{ann}):
					t.Errorf("%s: taken %+v", row.name, taken)
				default:
					if got += "k"; !i.valid(taken.Stamp) {
						t.Errorf("%s: it is not valid", row.name)
					}
				}
			}
			if !many {
				row.errors = 0 // a Sieve says nothing of the places that fail
			}
			if n := i.Counts.SharedErrors.Load(); got != row.taken || n != row.errors {
				t.Errorf("%s, many %v: taken %s, %d errors; want %s, %d", row.name, many, got, n, row.taken, row.errors)
			}
			if n := len(b.asked); many && row.name != "no lease" && n != 1 {
				t.Errorf("%s: %d calls", row.name, n)
			}
		}
	}
}

// TestShare: which answers other instances may have.
func TestShare(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name   string
		at     changelog.Position
		fresh  bool
		fail   error
		stored int
		errors uint64
	}{
		{"an answer", changelog.Position{Epoch: 7, Number: 100}, true, nil, 1, 0},
		{"without a place", changelog.Position{}, true, nil, 0, 0},
		{"without a lease", changelog.Position{Epoch: 7, Number: 100}, false, nil, 0, 0},
		{"too large", changelog.Position{Epoch: 7, Number: 100}, true, store.ErrTooLarge, 1, 0},
		{"the store fails", changelog.Position{Epoch: 7, Number: 100}, true, errors.New("down"), 1, 1},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			i := start(t, nil)
			i.log.fresh, i.shared.fail = func() bool { return row.fresh }, row.fail
			e := &store.Entry{Body: []byte("body"), Version: 5}
			i.Share(t.Context(), "key", e, row.at, []tag.Tag{ann})
			if n := i.shared.len(); n != row.stored || i.Counts.SharedErrors.Load() != row.errors {
				t.Errorf("%d stored, %d errors", n, i.Counts.SharedErrors.Load())
			}
			for _, got := range i.shared.entries {
				b, err := got.Meta.AppendBinary(nil)
				if err != nil || got.Version != row.at.Number || e.Version != 5 {
					t.Errorf("version %d, %v", got.Version, err)
				}
				if m, err := fleet.DecodeMeta(b); err != nil || m == nil {
					t.Errorf("meta: %v", err)
				}
			}
		})
	}
}

// A leaser gives the lease of each key to others, until it is free.
type leaser struct {
	*fakeStore
	free     bool
	released int
	asked    func()
}

// Lease implements store.Leaser.
func (l *leaser) Lease(context.Context, []byte, time.Duration) (func(context.Context), bool, error) {
	if l.asked != nil {
		l.asked()
	}
	return func(context.Context) { l.released++ }, l.free, l.fail
}

// TestLead: who computes, and when the wait for another instance is over.
func TestLead(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name     string
		before   func(i *instance, l *leaser)
		taken    bool
		took     time.Duration // at most
		released int
		waits    uint64
	}{
		{"the holder computes", func(_ *instance, l *leaser) { l.free = true }, false, 0, 0, 0},
		{"the one before has stored it", func(i *instance, l *leaser) {
			l.free, l.asked = true, func() { i.share(100) }
		}, true, 0, 1, 0},
		{"the holder stores it", func(i *instance, l *leaser) {
			n := 0
			l.asked = func() {
				if n++; n == 3 {
					i.share(100)
				}
			}
		}, true, 100 * time.Millisecond, 1, 0},
		{"the holder is slow", func(*instance, *leaser) {}, false, time.Second, 0, 1},
		{"the store fails", func(_ *instance, l *leaser) { l.fail = errors.New("down") }, false, 0, 0, 0},
		{"the cache is closed", func(i *instance, _ *leaser) { close(i.closed) }, false, 0, 0, 0},
		{"no lease of the log", func(i *instance, _ *leaser) { i.log.fresh = func() bool { return false } }, false, 0, 0, 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				l := &leaser{fakeStore: &fakeStore{}}
				i := start(t, func(c *fleet.Config) { c.Shared, c.FillLease = l, time.Second })
				row.before(i, l)
				began := time.Now()
				got, release := i.Lead(t.Context(), "key", fleet.Wanted{})
				if took := time.Since(began); (got != nil) != row.taken || took > row.took {
					t.Errorf("taken: %v, after %v", got, took)
				}
				if l.released != row.released || i.Counts.LeaseWaits.Load() != row.waits {
					t.Errorf("%d released, %d waits", l.released, i.Counts.LeaseWaits.Load())
				}
				release()
				if l.free && got == nil && l.released != 1 {
					t.Errorf("%d released after the answer", l.released)
				}
			})
		})
	}
}

// TestExecutable: the digest is that of the running program's file.
func TestExecutable(t *testing.T) {
	t.Parallel()
	name, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(b)
	if got, err := fleet.Executable(); err != nil || got != hex.EncodeToString(sum[:]) {
		t.Errorf("%s, %v", got, err)
	}
}
