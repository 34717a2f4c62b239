package gqlcache_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/changelog"
	"github.com/cascadeql/cascadeql/gqlcache/internal/testgraph"
	"github.com/cascadeql/cascadeql/gqlcache/store/memstore"
	"github.com/cascadeql/cascadeql/gqlcache/store/redisstore"
	"github.com/cascadeql/cascadeql/gqlcache/store/tiered"
	"github.com/cascadeql/cascadeql/internal/redistest"
)

// A tieredRig is instances whose shared store has three tiers behind the memory of the
// cache itself: one of the process, a Redis that is near and one that is far. The log has
// a server of its own, so that a test may stop the tiers'.
type tieredRig struct {
	*redisRig
	near, far *redistest.Server
}

// A tieredNode is one instance of a tieredRig.
type tieredNode struct {
	*node
	tiers     *tiered.Store
	process   *memstore.Store
	near, far *redisstore.Store
}

func newTieredRig(t *testing.T) *tieredRig {
	t.Helper()
	return &tieredRig{redisRig: newRedisRig(t), near: redistest.Start(t), far: redistest.Start(t)}
}

func (w *tieredRig) redis(t *testing.T, s *redistest.Server, write redisstore.Policy) *redisstore.Store {
	t.Helper()
	writeTimeout := time.Second // a server that hangs is waited for
	if write == redisstore.Behind {
		writeTimeout = time.Minute // what is queued is looked for while one hangs
	}
	r, err := redisstore.New(redisstore.Options{
		Client: s.Client(), Prefix: "gqlc", DecodeMeta: gqlcache.DecodeMeta, Write: write,
		ReadTimeout: 5 * time.Second, WriteTimeout: writeTimeout, CoolDown: 50 * time.Millisecond,
		Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// join adds an instance. Change gets the three tiers of its shared store.
func (w *tieredRig) join(t *testing.T, write redisstore.Policy, change func([]tiered.Tier)) *tieredNode {
	t.Helper()
	f := &tieredNode{near: w.redis(t, w.near, write), far: w.redis(t, w.far, redisstore.Through)}
	var err error
	if f.process, err = memstore.New(memstore.Options{}); err != nil {
		t.Fatal(err)
	}
	o := tiered.Options{Tiers: []tiered.Tier{
		{Name: "process", Store: f.process}, {Name: "near", Store: f.near}, {Name: "far", Store: f.far},
	}}
	if change != nil {
		change(o.Tiers)
	}
	if f.tiers, err = tiered.New(o); err != nil {
		t.Fatal(err)
	}
	f.node = w.add(nodeSpec{client: w.server.Client(), level: changelog.Strong, ttl: patientLease, change: func(o *gqlcache.Options) {
		_ = o.Shared.Close()
		o.Shared = f.tiers
	}})
	w.untilFresh()
	return f
}

// tier are the figures of one.
func (f *tieredNode) tier(name string) tiered.TierStats {
	for _, t := range f.tiers.Tiers() {
		if t.Name == name {
			return t
		}
	}
	return tiered.TierStats{}
}

// reads asks for the counter, and says when the answer or what the cache did is another.
func (f *tieredNode) reads(t *testing.T, what, status string, value int) {
	t.Helper()
	eventually(t, "a lease", f.log.Fresh)
	before := f.cache.Stats()
	got := string(f.run(t, readCounter, nil).Data)
	if want := fmt.Sprintf(`{"counter":{"value":%d}}`, value); got != want {
		t.Errorf("%s: answer %s, want %s", what, got, want)
	}
	after := f.cache.Stats()
	did := outcome(before, after)
	if did == "HIT" && after.SharedHits > before.SharedHits {
		did = "SHARED"
	}
	if did != status {
		t.Errorf("%s: %q, want %q", what, did, status)
	}
}

func keys(t *testing.T, s *redistest.Server) int64 {
	t.Helper()
	n, err := s.Client().DBSize(t.Context()).Result()
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func flush(t *testing.T, s *redistest.Server) {
	t.Helper()
	if err := s.Client().FlushAll(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
}

// stopWrites lets a server answer reads only. Were it stopped, reads would time out, too.
func stopWrites(t *testing.T, s *redistest.Server) {
	t.Helper()
	if err := s.Client().Do(t.Context(), "CLIENT", "PAUSE", 60000, "WRITE").Err(); err != nil {
		t.Fatal(err)
	}
}

// TestTiers: an answer goes to all tiers, comes from the fastest that has it, and moves
// up on its way. Where one tier has an entry that a change has reached, the next one is
// asked.
func TestTiers(t *testing.T) {
	t.Parallel()
	w := newTieredRig(t)
	a, b := w.join(t, redisstore.Through, nil), w.join(t, redisstore.Through, nil)
	a.reads(t, "nobody has it", "MISS", 11)
	a.reads(t, "the cache has it", "HIT", 11)
	if st := a.process.Stats(); st.Entries != 1 || keys(t, w.near) != 1 || keys(t, w.far) != 1 {
		t.Errorf("%+v in the process, %d near, %d far; want one each", st, keys(t, w.near), keys(t, w.far))
	}
	b.reads(t, "the near tier has it", "SHARED", 11)
	if n, p := b.tier("near"), b.tier("process"); n.Hits != 1 || p.Promotions != 1 {
		t.Errorf("near %+v, process %+v", n, p)
	}

	flush(t, w.near)
	c := w.join(t, redisstore.Through, nil)
	c.reads(t, "the far tier has it", "SHARED", 11)
	if f, n, p := c.tier("far"), c.tier("near"), c.tier("process"); f.Hits != 1 || n.Promotions != 1 || p.Promotions != 1 || keys(t, w.near) != 1 {
		t.Errorf("far %+v, near %+v, process %+v, %d keys near", f, n, p, keys(t, w.near))
	}

	a.run(t, "mutation{setCounter(id:1,value:12){value}}", nil)
	b.reads(t, "dead in each tier", "MISS", 12)
	if p, n, f := b.tier("process"), b.tier("near"), b.tier("far"); p.Rejected != 1 || n.Rejected != 1 || f.Rejected != 1 {
		t.Errorf("process %+v, near %+v, far %+v, want one rejected each", p, n, f)
	}
	a.reads(t, "dead in the process, true in the near tier", "SHARED", 12)
	if p, n := a.tier("process"), a.tier("near"); p.Rejected != 1 || n.Rejected != 0 {
		t.Errorf("process %+v, near %+v", p, n)
	}
	if st := a.cache.Stats(); st.StoreErrors != 0 {
		t.Errorf("%+v", st)
	}
}

// TestTiersOfTheProcess: Options.Store may have tiers, too: what a small one has no room
// for comes from a large one.
func TestTiersOfTheProcess(t *testing.T) {
	t.Parallel()
	var stores [2]*memstore.Store
	for i, o := range []memstore.Options{{MaxEntries: 1}, {}} {
		var err error
		if stores[i], err = memstore.New(o); err != nil {
			t.Fatal(err)
		}
	}
	tiers, err := tiered.New(tiered.Options{Tiers: []tiered.Tier{{Name: "small", Store: stores[0]}, {Name: "large", Store: stores[1]}}})
	if err != nil {
		t.Fatal(err)
	}
	c := newBenchCache(t, gqlcache.Options{Store: tiers})
	r := newRunner(testgraph.Executable(testgraph.NewStore(), "cacheControl"), c)
	ask := func() (values string) {
		for n := range 3 {
			values += string(r.run(t, fmt.Sprintf("{counter(id:%d){value}}", n), nil).Data)
		}
		return values
	}
	first := ask()
	if got := ask(); got != first || c.Stats().Hits != 3 {
		t.Errorf("answers %s, then %s; %d hits, want 3", first, got, c.Stats().Hits)
	}
	figures := tiers.Tiers()
	if figures[1].Hits < 2 || figures[0].Promotions < 2 || figures[1].Entries != 3 {
		t.Errorf("figures %+v, want at least two hits in the large tier, that move up", figures)
	}
	r.run(t, "mutation{setCounter(id:1,value:99){value}}", nil)
	if got := ask(); got == first || c.Stats().Hits != 5 {
		t.Errorf("answers %s after the change; %d hits, want 5", got, c.Stats().Hits)
	}
}

// TestTierPolicies has each way to write to a tier, and a near tier that hangs.
func TestTierPolicies(t *testing.T) {
	t.Parallel()
	t.Run("through", func(t *testing.T) {
		t.Parallel()
		w := newTieredRig(t)
		a := w.join(t, redisstore.Through, nil)
		a.reads(t, "first", "MISS", 11)
		if n := keys(t, w.near); n != 1 {
			t.Errorf("%d keys in the near tier when the answer is given", n)
		}
		stopWrites(t, w.near)
		a.run(t, `{counter(id:2){value}}`, nil) // after its timeout
		if st := a.tier("near"); st.Faults == 0 {
			t.Errorf("the tier hangs, and nobody noticed: %+v", st)
		}
		if n := keys(t, w.far); n != 2 {
			t.Errorf("%d keys in the far tier, want 2: it does not depend on the near one", n)
		}
	})
	t.Run("behind", func(t *testing.T) {
		t.Parallel()
		w := newTieredRig(t)
		a := w.join(t, redisstore.Behind, func(tiers []tiered.Tier) {
			tiers[0].Write = tiered.Around // or it would answer what is asked below
		})
		stopWrites(t, w.near)
		a.reads(t, "first", "MISS", 11)
		if n := keys(t, w.near); n != 0 {
			t.Errorf("%d keys in a tier that takes no writes", n)
		}
		if st := a.tier("near"); st.Faults != 0 {
			t.Errorf("faults: %+v", st)
		}
		for key := range a.far.All(t.Context()) {
			if _, err := a.near.Get(t.Context(), key); err != nil {
				t.Errorf("what is queued is not found: %v", err)
			}
		}
		if err := w.near.Client().Do(t.Context(), "CLIENT", "UNPAUSE").Err(); err != nil {
			t.Fatal(err)
		}
		redistest.Eventually(t, "the write", func() bool { return keys(t, w.near) == 1 })
	})
	t.Run("around", func(t *testing.T) {
		t.Parallel()
		w := newTieredRig(t)
		around := func(tiers []tiered.Tier) { tiers[1].Write = tiered.Around }
		a, b := w.join(t, redisstore.Through, around), w.join(t, redisstore.Through, around)
		a.reads(t, "first", "MISS", 11)
		if near, far := keys(t, w.near), keys(t, w.far); near != 0 || far != 1 {
			t.Errorf("%d keys near, %d far; want 0 and 1", near, far)
		}
		b.reads(t, "from the far tier", "SHARED", 11)
		if n := keys(t, w.near); n != 1 || b.tier("near").Promotions != 1 {
			t.Errorf("%d keys near, %+v: what is read moves up", n, b.tier("near"))
		}
		a.run(t, "mutation{setCounter(id:1,value:12){value}}", nil)
		a.reads(t, "after the change", "MISS", 12)
		if n := keys(t, w.near); n != 0 {
			t.Errorf("%d keys near: what a write goes around loses what it had", n)
		}
	})
}

// TestTierTTL: a tier's share and jitter hold for what is put and for what moves up, and
// nothing outlives its original.
func TestTierTTL(t *testing.T) {
	t.Parallel()
	w := newTieredRig(t)
	shares := func(tiers []tiered.Tier) {
		tiers[0].TTLFactor, tiers[1].TTLFactor, tiers[1].Jitter = 0.5, 0.5, 0.5
	}
	a := w.join(t, redisstore.Through, shares)
	const operations = 12
	ask := func(f *tieredNode) {
		t.Helper()
		for n := range operations {
			f.run(t, fmt.Sprintf(`{counter(id:1){value} x%d:__typename}`, n), nil)
		}
	}
	ask(a)
	check := func(what string, f *tieredNode) {
		t.Helper()
		near, far := ages(t, w.near.Client()), ages(t, w.far.Client())
		if len(near) != operations || len(far) != operations {
			t.Fatalf("%s: %d keys near, %d far, want %d", what, len(near), len(far), operations)
		}
		shares := map[int64]bool{}
		for key, left := range far {
			share := float64(near[key]) / float64(left)
			if share > 0.501 || share < 0.24 {
				t.Errorf("%s: %v of %v in the near tier, want from a quarter to a half", what, near[key], left)
			}
			shares[int64(share*1000)] = true
		}
		if len(shares) < operations/2 {
			t.Errorf("%s: shares %v: no jitter", what, shares)
		}
		for key, e := range f.process.All(t.Context()) {
			in := time.Until(e.Expires)
			if in > 150*time.Second || in <= 0 {
				t.Errorf("%s: %q has %v left in the process, want less than half of 5 minutes", what, key, in)
			}
		}
	}
	check("put", a)
	for key := range ages(t, w.far.Client()) { // a part of their life is over
		if err := w.far.Client().PExpire(t.Context(), key, time.Minute).Err(); err != nil {
			t.Fatal(err)
		}
	}
	flush(t, w.near)
	b := w.join(t, redisstore.Through, shares)
	ask(b)
	if st := b.cache.Stats(); st.SharedHits != operations {
		t.Fatalf("%d shared hits, want %d", st.SharedHits, operations)
	}
	check("moved up", b)
	for _, e := range b.process.All(t.Context()) {
		if in := time.Until(e.Expires); in > 15*time.Second {
			t.Errorf("%v in the process, want at most a half of a half of a minute", in)
		}
	}
	if d := b.cache.Stats(); d.StoreErrors != 0 {
		t.Errorf("%+v", d)
	}
}

// ages are the times left of all keys of a server.
func ages(t *testing.T, c *redis.Client) map[string]time.Duration {
	t.Helper()
	found, err := c.Keys(t.Context(), "*").Result()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]time.Duration{}
	for _, key := range found {
		if all[key], err = c.PTTL(context.Background(), key).Result(); err != nil {
			t.Fatal(err)
		}
	}
	return all
}
