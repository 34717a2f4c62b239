package gqlcache_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cascadeql/cascadeql/cascade"
	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/changelog"
	"github.com/cascadeql/cascadeql/gqlcache/internal/testgraph"
	"github.com/cascadeql/cascadeql/gqlcache/store"
)

const (
	renameBob   = `mutation{renameUser(id:$Bob,name:"Robert")}`
	readCounter = "{counter(id:1){value}}"
	setCounter  = "mutation{setCounter(id:1,value:99){value}}"
)

// TestSharedEntries: an answer that one instance has computed serves all, until a change
// anywhere.
func TestSharedEntries(t *testing.T) {
	t.Parallel()
	r := newInstances(t, 3)
	a, b := r.two()
	a.want("MISS", "Ann", readAnn)
	a.want("HIT memory", "Ann", readAnn)
	b.want("HIT shared", "Ann", readAnn)
	b.want("HIT memory", "Ann", readAnn)
	b.want("MISS", "11", readCounter)

	a.want("INVALIDATED", "", renameAnn)
	b.want("MISS", "New", readAnn)
	a.want("HIT shared", "New", readAnn)
	a.want("HIT shared", "11", readCounter)
	r.all[2].want("HIT shared", "New", readAnn)

	b.want("INVALIDATED", "", setCounter)
	a.want("MISS", "99", readCounter)
	a.want("HIT memory", "New", readAnn)
	if n := r.rows.Calls("Query.user"); n != 2 {
		t.Errorf("%d computations, want 2", n)
	}
	s := b.cache.Stats()
	if s.Hits != 2 || s.SharedHits != 1 || s.Misses != 2 || s.SharedDead != 1 || s.Unconfirmed+s.LogErrors+s.StoreErrors != 0 {
		t.Errorf("%+v", s)
	}
}

// TestSharedEntriesThatAreNotProven are misses.
func TestSharedEntriesThatAreNotProven(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name string
		// change happens after a has stored the answer, and returns who asks; nil is b.
		change func(*instances) *instance
		want   string
	}{
		{"nothing happened", func(*instances) *instance { return nil }, "HIT shared"},
		{"a record about something else", func(r *instances) *instance { r.all[0].ask(setCounter); return nil }, "HIT shared"},
		{"a newcomer that missed nothing", func(r *instances) *instance { return r.add() }, "HIT shared"},
		{"a newcomer that missed a record", func(r *instances) *instance { r.all[0].ask(setCounter); return r.add() }, "MISS"},
		{"a record was trimmed before it came", func(r *instances) *instance {
			r.all[1].log.withhold()
			r.all[0].ask(setCounter)
			r.fakeLog.trim()
			r.all[1].log.recover()
			return nil
		}, "MISS"},
		{"other directives", func(r *instances) *instance {
			return r.add(func(_ *instance, o *gqlcache.Options) { o.Infer = true })
		}, "MISS"},
		{"no stamp", func(r *instances) *instance { r.sharedEntries.edit(func(e *sharedEntry) { e.meta = nil }); return nil }, "MISS"},
		{"a stamp of another version", func(r *instances) *instance { r.sharedEntries.edit(func(e *sharedEntry) { e.meta[0]++ }); return nil }, "MISS"},
		{"half a tag", func(r *instances) *instance {
			r.sharedEntries.edit(func(e *sharedEntry) { e.meta = e.meta[:len(e.meta)-8] })
			return nil
		}, "MISS"},
		{"no tags, hence no mark", func(r *instances) *instance {
			r.sharedEntries.edit(func(e *sharedEntry) { e.meta = e.meta[:17] })
			return nil
		}, "MISS"},
		{"another mark", func(r *instances) *instance { r.sharedEntries.edit(func(e *sharedEntry) { e.meta[17]++ }); return nil }, "MISS"},
		{"another epoch", func(r *instances) *instance { r.sharedEntries.edit(func(e *sharedEntry) { e.meta[1]++ }); return nil }, "MISS"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			r := newInstances(t, 2)
			a, b := r.two()
			a.want("MISS", "Ann", readAnn)
			if other := row.change(r); other != nil {
				b = other
			}
			b.want(row.want, "Ann", readAnn)
			b.want("HIT memory", "Ann", readAnn)
		})
	}
}

// TestSharedStoreFails: whatever it does is a miss and a counter.
func TestSharedStoreFails(t *testing.T) {
	t.Parallel()
	rows := map[string]func() store.Store{
		"fails":  func() store.Store { return &fakeShared{sharedEntries: newSharedEntries(), fail: errors.New("down")} },
		"panics": func() store.Store { return &fakeShared{} },
		"nothing": func() store.Store {
			s := newMapStore()
			s.get = func(*store.Entry) *store.Entry { return nil }
			return s
		},
		"no stamp": func() store.Store {
			s := newMapStore()
			s.get = func(*store.Entry) *store.Entry { return &store.Entry{Body: []byte("{}")} }
			return s
		},
	}
	for name, shared := range rows {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newInstances(t, 1, func(_ *instance, o *gqlcache.Options) { o.Shared = shared() })
			r.all[0].want("MISS", "Ann", readAnn)
			r.all[0].want("HIT memory", "Ann", readAnn)
			s := r.all[0].cache.Stats()
			if (s.StoreErrors > 0) != (name == "fails" || name == "panics") || (s.SharedDead > 0) == (s.StoreErrors > 0) {
				t.Errorf("%d errors, %d dead", s.StoreErrors, s.SharedDead)
			}
		})
	}
}

// TestAdoptionRaces: a change that is applied while an instance takes an entry over.
func TestAdoptionRaces(t *testing.T) {
	t.Parallel()
	t.Run("after the entry was read", func(t *testing.T) {
		t.Parallel()
		r := newInstances(t, 2)
		a, b := r.two()
		a.want("MISS", "Ann", readAnn)
		b.shared.found = func() { b.shared.found = nil; a.want("INVALIDATED", "", renameAnn) }
		b.want("MISS invalidated", "New", readAnn) // it arrived before the change
		b.want("MISS", "New", readAnn)
		b.want("HIT memory", "New", readAnn)
	})
	t.Run("after the entry was proven", func(t *testing.T) {
		t.Parallel()
		r := newInstances(t, 2)
		a, b := r.two()
		a.want("MISS", "Ann", readAnn)
		b.want("HIT shared", "Ann", readAnn)
		a.want("INVALIDATED", "", renameAnn)
		b.want("MISS", "New", readAnn)
	})
	// The history learns of a record before the clock does. In between, an old entry is
	// refused; the other way round it would be taken over for good.
	t.Run("between history and clock", func(t *testing.T) {
		t.Parallel()
		reached, open := make(chan struct{}), make(chan struct{})
		r := newInstances(t, 1)
		a := r.all[0]
		b := r.add(func(m *instance, _ *gqlcache.Options) {
			m.log.wrap = func(s changelog.Sink) changelog.Sink {
				return gqlcache.StopInApply(s, func() { close(reached); <-open })
			}
		})
		a.want("MISS", "Ann", readAnn)
		write := a.begin(renameAnn)
		receive(t, reached, "the record")
		b.want("MISS", "New", readAnn)
		close(open)
		write.wait(t)
		b.want("MISS", "New", readAnn)
		b.want("HIT memory", "New", readAnn)
	})
}

// TestLostLease: without a lease nothing is looked up and nothing stored, and with the
// next one only what is still true is served.
func TestLostLease(t *testing.T) {
	t.Parallel()
	r := newInstances(t, 2)
	a, b := r.two()
	a.want("MISS", "Ann", readAnn)
	b.want("HIT shared", "Ann", readAnn)
	b.log.withhold()
	b.log.lose()
	a.want("INVALIDATED", "", renameAnn) // confirmed: b has no lease
	b.want("BYPASS lease", "New", readAnn)
	b.want("BYPASS lease", "11", readCounter)
	if n := r.sharedEntries.len(); n != 1 {
		t.Errorf("%d shared entries, want 1", n)
	}
	b.log.recover()
	b.want("MISS", "New", readAnn)
	b.want("MISS", "11", readCounter)
	if s := b.cache.Stats(); s.Bypassed[gqlcache.ReasonLease] != 2 {
		t.Errorf("%+v", s.Bypassed)
	}
}

// TestLeaseBeforeValidity: an entry's validity counts only if the lease was looked at
// before. In the other order a lease that comes with the change, between the two, makes a
// stale entry look good.
func TestLeaseBeforeValidity(t *testing.T) {
	t.Parallel()
	r := newInstances(t, 2)
	a, b := r.two()
	b.want("MISS", "Ann", readAnn)
	b.log.withhold()
	b.log.lose()
	a.want("INVALIDATED", "", renameAnn)
	renewal := func() { b.log.onFresh.Store(nil); b.log.recover() }
	b.log.onFresh.Store(&renewal)
	b.want("MISS invalidated", "New", readAnn) // it arrived before the change did
}

// TestJoinAfterTheLease: a computation that began before a change must not serve a
// request that arrived after the change was acknowledged, although the change was applied
// here only when the request looked at its lease, or at its token.
func TestJoinAfterTheLease(t *testing.T) {
	t.Parallel()
	for _, byToken := range []bool{false, true} {
		t.Run(fmt.Sprintf("token=%v", byToken), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newInstances(t, 2, func(_ *instance, o *gqlcache.Options) { o.Tokens, o.Store, o.Shared = true, newMapStore(), nil })
				a, b := r.two()
				latch := r.rows.Block("Query.user:done")
				older := b.begin(readAnn)
				synctest.Wait()
				b.log.withhold()
				var headers []string
				if !byToken {
					b.log.lose()
					renewal := func() { b.log.onFresh.Store(nil); b.log.recover() }
					b.log.onFresh.Store(&renewal)
				}
				resp, _ := a.ask(renameAnn)
				if byToken {
					headers = []string{gqlcache.TokenHeader, extensionOf(t, resp).Token}
				}
				later := b.begin(readAnn, headers...)
				synctest.Wait()
				latch.Release()
				if got := string(older.wait(t).Data); got != `{"user":{"name":"Ann"}}` {
					t.Errorf("the older request got %s: it did not read before the change", got)
				}
				if got := string(later.wait(t).Data); got != `{"user":{"name":"New"}}` {
					t.Errorf("the later request got %s", got)
				}
			})
		})
	}
}

// TestLeaseLostWhileJoined: who waits for an older computation when the lease ends
// computes anew.
func TestLeaseLostWhileJoined(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newInstances(t, 2, func(_ *instance, o *gqlcache.Options) { o.Store, o.Shared = newMapStore(), nil })
		a, b := r.two()
		latch := r.rows.Block("Query.user:done")
		older := b.begin(readAnn)
		synctest.Wait()
		a.want("INVALIDATED", "", setCounter)
		later := b.begin(readAnn) // arrives after a change, so the older computation must be valid for it
		synctest.Wait()
		b.log.withhold()
		b.log.lose()
		a.want("INVALIDATED", "", renameAnn)
		latch.Release()
		older.wait(t)
		if got := string(later.wait(t).Data); got != `{"user":{"name":"New"}}` {
			t.Errorf("got %s", got)
		}
	})
}

// TestForeignRecords: what cannot be read drops everything.
func TestForeignRecords(t *testing.T) {
	t.Parallel()
	row := cascade.Tag{Hash: 12345, Mask: 1}
	rows := []struct {
		name string
		// record is made of one of this schema.
		record func(own changelog.Record) changelog.Record
		want   string
	}{
		{"of this schema", func(r changelog.Record) changelog.Record { r.Tags = []cascade.Tag{r.Tags[0], row}; return r }, "HIT memory"},
		{"of this schema, nothing changed", func(r changelog.Record) changelog.Record { r.Tags = r.Tags[:1]; return r }, "HIT memory"},
		{"of another schema", func(r changelog.Record) changelog.Record {
			return changelog.Record{Tags: []cascade.Tag{{Hash: r.Tags[0].Hash, Mask: r.Tags[0].Mask + 1}, row}}
		}, "MISS"},
		{"without a mark", func(changelog.Record) changelog.Record { return changelog.Record{Tags: []cascade.Tag{row}} }, "MISS"},
		{"without tags", func(changelog.Record) changelog.Record { return changelog.Record{} }, "MISS"},
		{"everything", func(changelog.Record) changelog.Record { return changelog.Record{All: true} }, "MISS"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			r := newInstances(t, 2)
			a, b := r.two()
			a.ask(renameBob)
			a.want("MISS", "11", readCounter)
			b.want("HIT shared", "11", readCounter)
			b.want("MISS", "Ann", readAnn)
			r.fakeLog.change(func() { r.fakeLog.append(row.record(r.fakeLog.records[0])) })
			a.log.deliver()
			b.log.deliver()
			b.want(row.want, "Ann", readAnn)
			a.want(row.want, "11", readCounter)
		})
	}
}

// TestOtherSchema: instances of a deployment under way drop, at each other's changes,
// what depends on the views that were changed.
func TestOtherSchema(t *testing.T) {
	t.Parallel()
	r := newInstances(t, 1)
	a := r.all[0]
	b := r.add(func(_ *instance, o *gqlcache.Options) { o.Infer = true })
	a.want("MISS", "11", readCounter)
	b.want("MISS", "11", readCounter)
	a.want("MISS", "Ann", readAnn)
	b.want("INVALIDATED", "", renameAnn)
	a.want("HIT memory", "11", readCounter)
	a.want("MISS", "New", readAnn)
	b.want("MISS", "New", readAnn)
	a.want("INVALIDATED", "", renameBob)
	b.want("HIT memory", "11", readCounter)
	b.want("MISS", "New", readAnn) // which of the view's rows was changed means nothing to it
}

func TestNewEpoch(t *testing.T) {
	t.Parallel()
	r := newInstances(t, 2)
	a, b := r.two()
	a.want("MISS", "Ann", readAnn)
	b.want("HIT shared", "Ann", readAnn)
	r.fakeLog.restart()
	a.want("BYPASS lease", "Ann", readAnn)
	a.log.recover()
	b.log.recover()
	a.want("MISS", "Ann", readAnn) // neither the one in memory nor the shared one
	b.want("HIT shared", "Ann", readAnn)
	b.want("INVALIDATED", "", renameAnn)
	a.want("MISS", "New", readAnn)
}

// TestFailingLog: the change is in force here at once, and elsewhere when the log is
// back.
func TestFailingLog(t *testing.T) {
	t.Parallel()
	r := newInstances(t, 2)
	a, b := r.two()
	a.want("MISS", "Ann", readAnn)
	b.want("HIT shared", "Ann", readAnn)
	down := errors.New("down")
	a.log.breakDown(down)
	a.want("INVALIDATED pending", "", renameAnn)
	a.want("BYPASS lease", "New", readAnn)
	b.want("HIT memory", "Ann", readAnn) // what "pending" warns of
	if err := a.cache.Invalidate(t.Context(), gqlcache.Entity("User", testgraph.Bob)); !errors.Is(err, down) {
		t.Errorf("Invalidate: %v", err)
	}
	if err := a.cache.Invalidate(t.Context(), gqlcache.Everything()); !errors.Is(err, down) {
		t.Errorf("Invalidate everything: %v", err)
	}
	if err := a.cache.Clear(t.Context()); !errors.Is(err, down) {
		t.Errorf("Clear: %v", err)
	}
	if s := a.cache.Stats(); s.LogErrors != 4 {
		t.Errorf("%d log errors, want 4", s.LogErrors)
	}
	a.log.recover()
	b.log.deliver()
	b.want("MISS", "New", readAnn)
}

// brokenLog is a log that panics when it is told anything.
type brokenLog struct{ *logMember }

func (brokenLog) Publish(context.Context, []cascade.Tag, bool) (changelog.Receipt, error) {
	panic("publish") // what it is for
}

func TestPanickingLog(t *testing.T) {
	t.Parallel()
	r := newInstances(t, 1, func(m *instance, o *gqlcache.Options) { o.Log, o.Shared = brokenLog{m.log}, nil })
	a := r.all[0]
	a.want("MISS", "Ann", readAnn)
	a.want("INVALIDATED pending", "", renameAnn)
	a.want("MISS", "New", readAnn)
}

// TestInvalidateReachesAll: changes made outside of GraphQL reach all instances, those of one
// call as one record.
func TestInvalidateReachesAll(t *testing.T) {
	t.Parallel()
	calls := map[string]func(*gqlcache.Cache) error{
		"row": func(c *gqlcache.Cache) error {
			return c.Invalidate(t.Context(), gqlcache.Entity("User", testgraph.Ann))
		},
		"several": func(c *gqlcache.Cache) error {
			return c.Invalidate(t.Context(), gqlcache.Operation("Nobody"), gqlcache.View("v_setting"), gqlcache.Entity("User", testgraph.Ann))
		},
		"everything": func(c *gqlcache.Cache) error { return c.Invalidate(t.Context(), gqlcache.Everything()) },
		"clear":      func(c *gqlcache.Cache) error { return c.Clear(t.Context()) },
	}
	for name, call := range calls {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newInstances(t, 2)
			a, b := r.two()
			b.want("MISS", "Ann", readAnn)
			b.want("MISS", "11", readCounter)
			testgraph.Ask(t, testgraph.NewServer(r.rows), expand(renameAnn), nil)
			before := a.log.Applied().Number
			if err := call(a.cache); err != nil {
				t.Fatal(err)
			}
			if n := a.log.Applied().Number - before; n != 1 {
				t.Errorf("%d records, want one", n)
			}
			b.want("MISS", "New", readAnn)
			kept := "HIT memory"
			if name == "everything" || name == "clear" {
				kept = "MISS"
			}
			b.want(kept, "11", readCounter)
		})
	}
}

// TestLogLifeCycle: the log starts when the schema is known, and when nothing can fail
// any more; it is left before the stores are closed.
func TestLogLifeCycle(t *testing.T) {
	t.Parallel()
	schema := testgraph.Executable(testgraph.NewStore(), "cacheControl").Schema()
	t.Run("before the schema", func(t *testing.T) {
		t.Parallel()
		f := newFakeLog()
		c := newCache(t, gqlcache.Options{Instances: gqlcache.Instances{Log: f.join(changelog.Bounded)}})
		if err := c.Invalidate(t.Context(), gqlcache.Everything()); !errors.Is(err, changelog.ErrNotStarted) {
			t.Errorf("Invalidate: %v", err)
		}
		if err := c.Clear(t.Context()); !errors.Is(err, changelog.ErrNotStarted) {
			t.Errorf("Clear: %v", err)
		}
	})
	t.Run("with the schema", func(t *testing.T) {
		t.Parallel()
		m := newFakeLog().join(changelog.Bounded)
		c := newCache(t, gqlcache.Options{Instances: gqlcache.Instances{Log: m}, Schema: schema})
		if !m.Fresh() {
			t.Error("New did not start the log")
		}
		srv := testgraph.NewServer(testgraph.NewStore(), c) // does not start it again
		testgraph.NewServer(testgraph.NewStore(), c)
		if got := testgraph.Ask(t, srv, expand(readAnn), nil); len(got.Errors) != 0 {
			t.Error(got.Body)
		}
	})
	t.Run("faulty options", func(t *testing.T) {
		t.Parallel()
		m := newFakeLog().join(changelog.Bounded)
		if _, err := gqlcache.New(quiet(gqlcache.Options{Callers: gqlcache.AllSeeTheSame, Instances: gqlcache.Instances{Log: m}, Schema: schema, TTL: -1})); !errors.Is(err, gqlcache.ErrOptions) {
			t.Errorf("New: %v", err)
		}
		if m.Fresh() {
			t.Error("the log was started")
		}
	})
	t.Run("log in use", func(t *testing.T) {
		t.Parallel()
		m := newFakeLog().join(changelog.Bounded)
		newCache(t, gqlcache.Options{Instances: gqlcache.Instances{Log: m}, Schema: schema})
		_, err := gqlcache.New(quiet(gqlcache.Options{Callers: gqlcache.AllSeeTheSame, Instances: gqlcache.Instances{Log: m}, Schema: schema}))
		if !errors.Is(err, gqlcache.ErrOptions) || !errors.Is(err, changelog.ErrStarted) {
			t.Errorf("New: %v", err)
		}
	})
	t.Run("without a log", func(t *testing.T) {
		t.Parallel()
		for name, o := range map[string]gqlcache.Options{
			"Shared": {Instances: gqlcache.Instances{Shared: &fakeShared{sharedEntries: newSharedEntries()}}}, "RequireLease": {Instances: gqlcache.Instances{RequireLease: true}}, "Tokens": {Instances: gqlcache.Instances{Tokens: true}},
		} {
			if _, err := gqlcache.New(quiet(o)); !errors.Is(err, gqlcache.ErrOptions) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
	t.Run("order of Close", func(t *testing.T) {
		t.Parallel()
		var order []string
		local := newMapStore()
		m := newFakeLog().join(changelog.Bounded)
		local.hook = func(_ context.Context, call string) error {
			if call == "Close" {
				order = append(order, fmt.Sprintf("store, left=%v", m.closed > 0))
			}
			return nil
		}
		shared := &fakeShared{sharedEntries: newSharedEntries(), onEnd: func() { order = append(order, "shared") }}
		c, err := gqlcache.New(quiet(gqlcache.Options{Callers: gqlcache.AllSeeTheSame, Instances: gqlcache.Instances{Log: m, Shared: shared}, Schema: schema, Store: local}))
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := c.Close(); err != nil {
				t.Error(err)
			}
		}
		if want := []string{"store, left=true", "shared"}; !slices.Equal(order, want) || m.closed != 1 {
			t.Errorf("%q, the log was closed %d times", order, m.closed)
		}
		if err := c.Invalidate(t.Context(), gqlcache.Everything()); !errors.Is(err, gqlcache.ErrClosed) {
			t.Errorf("Invalidate: %v", err)
		}
	})
}

// TestNewThatFails leaves nothing running. It is alone, and without a garbage collector, which
// ends the goroutine of a store that nobody has closed.
func TestNewThatFails(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	stores := func() int {
		all := make([]byte, 1<<22)
		return strings.Count(string(all[:runtime.Stack(all, true)]), "created by github.com/maypok86/otter/v2.newCache[...]")
	}
	schema := testgraph.Executable(testgraph.NewStore(), "cacheControl").Schema()
	m := newFakeLog().join(changelog.Bounded)
	o := gqlcache.Options{Callers: gqlcache.AllSeeTheSame, Instances: gqlcache.Instances{Log: m}, Schema: schema}
	o.Verify.Rate, o.Verify.WithoutValues = 1, true
	first := newCache(t, o)
	most := stores() // with those of earlier tests that have just ended
	if most == 0 {
		t.Fatal("the cache's store cannot be seen")
	}
	if _, err := gqlcache.New(quiet(o)); !errors.Is(err, changelog.ErrStarted) {
		t.Errorf("New: %v", err)
	}
	eventually(t, "the end of its store", func() bool { return stores() <= most })
	if err := first.Close(); err != nil {
		t.Error(err)
	}
}

// TestStrongWaits: a mutation is answered when the slow instance has applied it, or has
// no lease.
func TestStrongWaits(t *testing.T) {
	t.Parallel()
	ends := map[string]func(*instance){
		"applied":     func(b *instance) { b.log.recover() },
		"lease ended": func(b *instance) { b.log.lose() },
	}
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newInstances(t, 2, func(m *instance, o *gqlcache.Options) { m.log.level, o.Store = changelog.Strong, newMapStore() })
				a, b := r.two()
				b.want("MISS", "Ann", readAnn)
				b.log.withhold()
				write := a.begin(renameAnn)
				synctest.Wait()
				select {
				case <-write.done:
					t.Error("acknowledged before b knew")
				default:
				}
				b.want("HIT memory", "Ann", readAnn)
				start := time.Now()
				end(b)
				if x := extensionOf(t, write.wait(t)); x.sum() != "INVALIDATED" || time.Since(start) != 0 {
					t.Errorf("%+v after %v", x, time.Since(start))
				}
				if resp, _ := b.ask(readAnn); string(resp.Data) != `{"user":{"name":"New"}}` {
					t.Errorf("b answers %s", resp.Data)
				}
			})
		})
	}
}

// TestRefusedWhileItIsShared: what a resolver says late, while its answer is on its way to
// the store of all instances, keeps it from being there.
func TestRefusedWhileItIsShared(t *testing.T) {
	t.Parallel()
	r := newInstances(t, 2)
	a, b := r.two()
	var left context.Context
	r.rows.On("Query.counter:done", func(ctx context.Context) error { left = ctx; return nil })
	a.shared.put = func() {
		if err := gqlcache.DoNotStore(left); !errors.Is(err, gqlcache.ErrLate) {
			t.Error(err)
		}
	}
	testgraph.Ask(t, a.h, readCounter, nil)
	if n := r.sharedEntries.len(); n != 0 {
		t.Errorf("%d entries are shared", n)
	}
	a.shared.put = nil
	testgraph.Ask(t, b.h, readCounter, nil)
	testgraph.Ask(t, a.h, readCounter, nil)
	if hits := a.cache.Stats().Hits - a.cache.Stats().SharedHits; hits != 0 || r.sharedEntries.len() != 1 {
		t.Errorf("%d hits of what was refused, %d entries are shared", hits, r.sharedEntries.len())
	}
}
