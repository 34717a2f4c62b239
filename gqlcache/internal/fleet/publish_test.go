package fleet_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cascadeql/cascadeql/cascade/tag"
	"github.com/cascadeql/cascadeql/gqlcache/changelog"
	"github.com/cascadeql/cascadeql/gqlcache/internal/fleet"
)

// TestPublish: what becomes of a change, by what the log says.
func TestPublish(t *testing.T) {
	t.Parallel()
	down := errors.New("down")
	for _, row := range []struct {
		name                string
		receipt             changelog.Receipt
		err                 error
		dead                bool // by what is applied here beside the log
		errors, unconfirmed uint64
	}{
		{"confirmed", changelog.Receipt{Epoch: 7, Number: 101, Confirmed: true}, nil, false, 0, 0},
		{"not confirmed", changelog.Receipt{Epoch: 7, Number: 101}, nil, false, 0, 1},
		{"pending", changelog.Receipt{}, changelog.ErrPending, false, 1, 0},
		{"the log is broken", changelog.Receipt{}, down, true, 1, 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			i := start(t, nil)
			var sent []tag.Tag
			i.log.publish = func(tags []tag.Tag, _ bool) (changelog.Receipt, error) {
				sent = slices.Clone(tags)
				return row.receipt, row.err
			}
			s := i.stamp()
			p := i.Publish(t.Context(), nil, fleet.Change{Tags: []tag.Tag{ann}})
			if !p.Shared || p.Receipt != row.receipt || !errors.Is(p.Err, row.err) || p.Number != i.clock.Seq() {
				t.Errorf("%+v", p)
			}
			if dead := !i.valid(s); dead != row.dead {
				t.Errorf("dead: %t", dead)
			}
			if i.Counts.LogErrors.Load() != row.errors || i.Counts.Unconfirmed.Load() != row.unconfirmed {
				t.Errorf("%d errors, %d unconfirmed", i.Counts.LogErrors.Load(), i.Counts.Unconfirmed.Load())
			}
			// The record is one that every instance can read.
			i.log.sink.Apply(changelog.Record{Number: 101, Tags: sent})
			if got := i.heard; len(got) != 1 || !slices.Equal(got[0].tags, []tag.Tag{ann}) || got[0].number != i.clock.Seq() {
				t.Errorf("heard %v", got)
			}
		})
	}
}

// TestPublishAlone: without a log a change is applied, and nobody else is told.
func TestPublishAlone(t *testing.T) {
	t.Parallel()
	i := start(t, func(c *fleet.Config) { c.Log = nil })
	s := i.stamp()
	if p := i.Publish(t.Context(), nil, fleet.Change{Tags: []tag.Tag{ann}}); p.Shared || p.Number != i.clock.Seq() || i.valid(s) {
		t.Errorf("%+v", p)
	}
	s = i.stamp()
	if p := i.Publish(t.Context(), nil, fleet.Change{All: true}); p.Number != i.clock.Seq() || i.valid(s) {
		t.Errorf("everything: %+v", p)
	}
	if i.LogStats() != nil || i.Leave() != nil {
		t.Error("there is a log")
	}
}

// TestPublishInTheBackground: Publish waits for nothing, and the log learns of the
// changes joined, in their order; of what comes when nothing runs in the background any
// more it learns at once.
func TestPublishInTheBackground(t *testing.T) {
	t.Parallel()
	var waiting []func()
	ended := false
	i := start(t, func(c *fleet.Config) {
		c.Background = func(f func()) bool {
			if !ended {
				waiting = append(waiting, f)
			}
			return !ended
		}
	})
	var sent []int
	i.log.publish = func(tags []tag.Tag, all bool) (changelog.Receipt, error) {
		if all {
			sent = append(sent, -1)
		} else {
			sent = append(sent, len(tags)-3) // without what a record begins with
		}
		return changelog.Receipt{}, nil
	}
	s := i.stamp()
	if p := i.Publish(t.Context(), nil, fleet.Change{Tags: []tag.Tag{ann}}); p.Shared || i.valid(s) || len(sent) > 0 {
		t.Errorf("%+v, sent %v", p, sent)
	}
	i.Publish(t.Context(), nil, fleet.Change{Tags: []tag.Tag{bob}})
	if len(waiting) != 1 {
		t.Fatalf("%d in the background", len(waiting))
	}
	waiting[0]()
	i.Publish(t.Context(), nil, fleet.Change{Tags: make([]tag.Tag, 10_001)})
	waiting[1]()
	ended = true
	i.Publish(t.Context(), nil, fleet.Change{Tags: []tag.Tag{ann}})
	if want := []int{2, -1, 1}; !slices.Equal(sent, want) {
		t.Errorf("sent %v, want %v", sent, want)
	}
}

// An intention notes what it is published with.
type intention struct{ published [][]tag.Tag }

// Publish implements changelog.Intention.
func (in *intention) Publish(_ context.Context, tags []tag.Tag, _ bool) (changelog.Receipt, error) {
	in.published = append(in.published, slices.Clone(tags))
	return changelog.Receipt{Confirmed: true}, nil
}

// TestAnnounceWithoutAnIntention: a log that has neither an intention nor an error to
// give has not announced anything, so the mutation must not run.
func TestAnnounceWithoutAnIntention(t *testing.T) {
	t.Parallel()
	i := start(t, func(c *fleet.Config) { c.Intents = true })
	i.log.intend = func([]tag.Tag, bool) (changelog.Intention, error) { return nil, nil } //nolint:nilnil // what is tested
	if _, ok := i.Announce(t.Context(), []tag.Tag{ann}, false); ok {
		t.Error("it counts as announced")
	}
}

// TestAnnounce: while an announcement is open nothing that it names is stored, here and,
// over the log, elsewhere.
func TestAnnounce(t *testing.T) {
	t.Parallel()
	storable := func(i *instance) bool {
		_, ok := i.clock.Finish(i.clock.Begin(), []tag.Tag{ann})
		return ok
	}
	for _, all := range []bool{false, true} {
		alone := start(t, func(c *fleet.Config) { c.Log = nil })
		a, ok := alone.Announce(t.Context(), []tag.Tag{ann}, all)
		if !ok || storable(alone) {
			t.Errorf("announced: %t", ok)
		}
		if alone.Settle(t.Context(), a); !storable(alone) {
			t.Error("it is open")
		}
		alone.Settle(t.Context(), nil)

		i := start(t, func(c *fleet.Config) { c.Intents = true })
		in := &intention{}
		var announced changelog.Record
		i.log.intend = func(tags []tag.Tag, all bool) (changelog.Intention, error) {
			announced = changelog.Record{Tags: slices.Clone(tags), All: all}
			return in, nil
		}
		if a, ok = i.Announce(t.Context(), []tag.Tag{ann}, all); !ok || announced.All != all {
			t.Errorf("announced: %t, %v", ok, announced)
		}
		sink := i.log.sink.(changelog.IntentSink)
		id := changelog.Position{Epoch: 7, Number: 101}
		for range 2 { // an open one may come again
			if sink.Announce(id, announced); storable(i) {
				t.Error("stored while it is announced")
			}
		}
		if sink.Settle(id); !storable(i) {
			t.Error("it is open")
		}
		sink.Settle(id)
		i.Publish(t.Context(), a, fleet.Change{Tags: []tag.Tag{bob}})
		i.Settle(t.Context(), a)
		if len(in.published) != 2 || len(in.published[0]) != 4 || len(in.published[1]) != 0 {
			t.Errorf("published %v", in.published)
		}
		i.log.intend = func([]tag.Tag, bool) (changelog.Intention, error) { return nil, changelog.ErrUnannounced }
		if _, ok := i.Announce(t.Context(), []tag.Tag{ann}, all); ok {
			t.Error("announced, and the log says no")
		}
	}
}

// TestMayWrite: when a mutation runs, and how long it waits for a lease.
func TestMayWrite(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name   string
		config func(*fleet.Config)
		lease  time.Duration // when there is one
		end    time.Duration // of the context
		closes time.Duration // of the cache
		may    bool
		took   time.Duration
	}{
		{"no lease is needed", func(*fleet.Config) {}, time.Hour, time.Hour, time.Hour, true, 0},
		{"there is a lease", needsLease, 0, time.Hour, time.Hour, true, 0},
		{"a lease comes", needsLease, time.Second, time.Hour, time.Hour, true, time.Second},
		{"none comes", needsLease, time.Hour, time.Hour, time.Hour, false, 3 * time.Second},
		{"the request ends", needsLease, time.Hour, time.Second, time.Hour, false, time.Second},
		{"the cache is closed meanwhile", needsLease, time.Hour, time.Hour, time.Second, false, time.Second},
		{"the cache is closed", needsLease, time.Hour, time.Hour, 0, false, 0},
		{"mutations wait for nothing", func(c *fleet.Config) {
			needsLease(c)
			c.Background = func(func()) bool { return true }
		}, time.Hour, time.Hour, time.Hour, true, 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				i := start(t, row.config)
				began := time.Now()
				i.log.fresh = func() bool { return time.Since(began) >= row.lease }
				ctx, cancel := context.WithTimeout(t.Context(), row.end)
				defer cancel()
				if row.closes == 0 {
					close(i.closed)
				} else {
					end := time.AfterFunc(row.closes, func() { close(i.closed) })
					defer end.Stop()
				}
				if may, took := i.MayWrite(ctx), time.Since(began); may != row.may || took != row.took {
					t.Errorf("%t after %v", may, took)
				}
			})
		})
	}
}

func needsLease(c *fleet.Config) { c.NeedsLease = true }
