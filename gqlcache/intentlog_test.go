package gqlcache_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/changelog"
	"github.com/cascadeql/cascadeql/gqlcache/internal/testgraph"
	"github.com/cascadeql/cascadeql/internal/redistest"
	"github.com/cascadeql/cascadeql/internal/rounds"
)

// patientIntent is the IntentTTL of the instances that newIntentRig makes.
const patientIntent = 2 * patientLease

// newIntentRig makes instances with intents or without, each with a link of its own, and
// waits until they serve.
func newIntentRig(t *testing.T, n int, intent bool, change ...func(*gqlcache.Options)) *redisRig {
	t.Helper()
	q := newRedisRig(t)
	for range n {
		q.add(nodeSpec{
			level: changelog.Strong,
			// A busy machine must renew the lease, and hear of the shared store, or the
			// controls compute.
			ttl: patientLease, intent: patientIntent, readTimeout: 5 * time.Second,
			change: func(o *gqlcache.Options) {
				o.Intent = intent
				for _, f := range change {
					f(o)
				}
			},
		})
	}
	q.untilFresh()
	return q
}

const (
	readRegister  = `{counter(id:1){value}}`
	writeRegister = `mutation{setCounter(id:1,value:77){value}}`
)

// TestIntentOverTheLog looks at answers of other instances in the time between a
// mutation's commit and its answer: from memory, and from the shared store.
func TestIntentOverTheLog(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, hook, write string
	}{
		{"declared", "setCounter", writeRegister},
		{"undeclared", "renameUndeclared", `mutation{setCounter(id:1,value:77){value} renameUndeclared(id:"` + testgraph.Ann + `",name:"New")}`},
	} {
		for _, intent := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s/%v", row.name, intent), func(t *testing.T) {
				t.Parallel()
				q := newIntentRig(t, 3, intent)
				before := q.shared(0, readRegister)
				q.ask(1, readRegister) // the other takes it from the shared store later
				latch := q.rows.Block("Mutation." + row.hook + ":done")
				write := q.start(0, row.write)
				receive(t, latch.Reached, "the commit")
				for n := range 3 {
					for range 2 {
						if got := q.ask(n, readRegister).Body; (got != before) != intent {
							t.Errorf("after the commit instance %d answers %s, before it %s", n, got, before)
						}
					}
				}
				latch.Release()
				write.wait(t)
				for n, node := range q.nodes {
					eventually(t, "an answer that is kept", func() bool {
						hits := node.cache.Stats().Hits
						if got := q.ask(n, readRegister).Body; got == before {
							t.Errorf("after the mutation instance %d answers %s", n, got)
						}
						return node.cache.Stats().Hits > hits
					})
				}
			})
		}
	}
}

// TestIntentCannotBeAnnounced: the mutation does not run.
func TestIntentCannotBeAnnounced(t *testing.T) {
	t.Parallel()
	q := newIntentRig(t, 2, true)
	eventually(t, "a link that is cut within the lease", func() bool {
		q.links[0].Heal()
		eventually(t, "a lease", q.nodes[0].log.Fresh)
		q.links[0].Cut()
		return q.nodes[0].log.Fresh()
	})
	resp := q.ask(0, writeRegister)
	if !strings.Contains(resp.Body, gqlcache.ErrNoLease.Error()) {
		t.Errorf("answer %s", resp.Body)
	}
	if got := q.ask(1, readRegister).Body; strings.Contains(got, "77") {
		t.Errorf("it was run: %s", got)
	}
	q.links[0].Heal()
	eventually(t, "a mutation that is run", func() bool { return len(q.ask(0, writeRegister).Errors) == 0 })
}

// TestIntentHeldOverTheLog: an intent of a held mutation is open, everywhere, until the
// commit.
func TestIntentHeldOverTheLog(t *testing.T) {
	t.Parallel()
	q := newIntentRig(t, 2, true)
	q.ask(1, readRegister)
	h := q.nodes[0].cache.HoldUntilCommit(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q.h[0].ServeHTTP(w, r)
		hits := q.nodes[1].cache.Stats().Hits
		q.ask(1, readRegister)
		q.ask(1, readRegister)
		if got := q.nodes[1].cache.Stats().Hits - hits; got != 0 {
			t.Errorf("%d hits before the commit", got)
		}
		if n := q.nodes[0].log.Stats().Open; n != 1 {
			t.Errorf("%d are open before the commit", n)
		}
	}))
	h.ServeHTTP(&wire{header: http.Header{}}, post(t, writeRegister, "application/json"))
	for n, node := range q.nodes {
		eventually(t, "the settlement", func() bool { return node.log.Stats().Open == 0 })
		if got := q.ask(n, readRegister).Body; !strings.Contains(got, "77") {
			t.Errorf("instance %d answers %s", n, got)
		}
	}
}

// TestIntentOfACutOffInstance: it has committed, and the others do not hear of it. They
// serve nothing from before, and cache again when nobody has stood by the announcement
// for a while.
func TestIntentOfACutOffInstance(t *testing.T) {
	t.Parallel()
	q := newIntentRig(t, 2, true)
	before := q.shared(1, readRegister)
	latch := q.rows.Block("Mutation.setCounter:done")
	write := q.start(0, writeRegister)
	receive(t, latch.Reached, "the commit")
	q.links[0].Cut()
	eventually(t, "an answer that is kept", func() bool {
		hits := q.nodes[1].cache.Stats().Hits
		if got := q.ask(1, readRegister).Body; got == before {
			t.Errorf("after the commit: %s", got)
		}
		return q.nodes[1].cache.Stats().Hits > hits
	})
	if n := q.nodes[1].log.Stats().Expired; n != 1 {
		t.Errorf("%d were ended", n)
	}
	latch.Release()
	if resp := write.wait(t); !strings.Contains(resp.Body, `"pending"`) {
		t.Errorf("the mutation is answered %s", resp.Body)
	}
	q.links[0].Heal()
	eventually(t, "a lease", q.nodes[0].log.Fresh)
	if got := q.ask(0, readRegister).Body; got == before {
		t.Errorf("after it has healed: %s", got)
	}
}

// recordHistory sets each register to the value that the model begins with, and records
// what six clients of all instances do at once. If cut is not nil, it is cut until an
// instance has refused a write.
func (r *redisRig) recordHistory(seed uint64, cut *redistest.Proxy) *recorder {
	r.t.Helper()
	for k := range 3 {
		eventually(r.t, "a register that is set", func() bool {
			return len(r.ask(k, fmt.Sprintf("mutation{setCounter(id:%d,value:%d){value}}", k, 10+k)).Errors) == 0
		})
	}
	rec := &recorder{t: r.t, cached: r.h, uncached: testgraph.NewServer(r.rows), refusal: make(chan struct{}, 1)}
	ended, healed := make(chan struct{}), make(chan struct{})
	if cut != nil {
		cut.Cut()
	}
	go func() {
		defer close(healed)
		select {
		case <-rec.refusal:
		case <-ended:
		}
		if cut != nil {
			cut.Heal()
		}
	}()
	rec.run(r.rows, seed)
	close(ended)
	<-healed
	r.rows.On("Mutation.setCounter:done", nil)
	return rec
}

// A tally counts histories of instances over a log, by what porcupine says of them.
type tally struct {
	histories, rejected, inconclusive, refused int
	slowest                                    time.Duration // of the writes, to its commit
}

// mostInconclusive bounds how many rejected histories a tally leaves out.
const mostInconclusive = 8

// add checks a history with porcupine. A rejected history is inconclusive, and is not
// counted, if a write took an IntentTTL or longer from its call to its commit. On a
// machine that stands still for so long, the announcement may end before the commit: the
// write is as one without Intent then, as Options.Intent documents. No announcement of a
// write that commits sooner ends before its commit.
func (n *tally) add(t *testing.T, r *recorder) {
	t.Helper()
	n.refused, n.slowest = n.refused+r.refused, max(n.slowest, r.slowest)
	switch porcupine.CheckOperationsTimeout(registers, r.ops, 30*time.Second) {
	case porcupine.Illegal:
		if r.slowest >= patientIntent && n.inconclusive < mostInconclusive {
			n.inconclusive++
			return
		}
		n.rejected++
	case porcupine.Unknown:
		t.Error("porcupine came to no end")
	}
	n.histories++
}

func (n *tally) String() string {
	return fmt.Sprintf("%d of %d histories rejected, %d more inconclusive; %d writes refused, the slowest took %v to its commit",
		n.rejected, n.histories, n.inconclusive, n.refused, n.slowest)
}

// TestLinearizableOverTheLog: with intents porcupine finds the histories of clients of
// three instances linearizable; without, at the level that waits for all, it rejects one.
func TestLinearizableOverTheLog(t *testing.T) {
	t.Parallel()
	for _, intent := range []bool{true, false} {
		t.Run(fmt.Sprintf("intent=%v", intent), func(t *testing.T) {
			t.Parallel()
			seed := rand.Uint64()
			q := newIntentRig(t, 3, intent)
			var n tally
			i := uint64(0)
			rounds.Until(t, "no hits, shared hits and misses, or none was rejected without intents", func(round int) bool {
				for ; n.histories < 8*(round+1) && (intent || n.rejected == 0); i++ {
					n.add(t, q.recordHistory(seed+i, nil))
				}
				var s gqlcache.Stats
				for _, n := range q.nodes {
					st := n.cache.Stats()
					s.Hits, s.SharedHits, s.Misses = s.Hits+st.Hits, s.SharedHits+st.SharedHits, s.Misses+st.Misses
				}
				t.Logf("seed %d: %v; %d hits, %d of them shared, %d misses", seed, &n, s.Hits, s.SharedHits, s.Misses)
				if intent && n.rejected > 0 {
					t.Errorf("%d of %d histories rejected", n.rejected, n.histories)
				}
				return s.Hits > 0 && s.SharedHits > 0 && s.Misses > 0 && (intent || n.rejected > 0)
			})
		})
	}
}

// TestLinearizableWithRefusals: an instance that is cut off refuses mutations while its
// lease still runs. Porcupine finds each history linearizable without the refused writes.
func TestLinearizableWithRefusals(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	q := newIntentRig(t, 3, true)
	var n tally
	for i := uint64(0); n.histories < 4; i++ {
		refused := n.refused
		n.add(t, q.recordHistory(seed+i, q.links[i%2])) // clients write to the first two
		if n.refused == refused {
			t.Error("no write was refused")
		}
	}
	t.Logf("seed %d: %v", seed, &n)
	if n.rejected > 0 {
		t.Errorf("%d of %d histories rejected", n.rejected, n.histories)
	}
}

// TestIntentOfAClosedCache: the cache of an instance is closed while a mutation of it has
// committed and is not answered. The others are told nevertheless, at the latest when it
// is answered, and keep nothing from before.
func TestIntentOfAClosedCache(t *testing.T) {
	t.Parallel()
	for _, late := range []bool{false, true} { // than its announcement is stood by
		t.Run(fmt.Sprintf("late=%v", late), func(t *testing.T) {
			t.Parallel()
			q := newIntentRig(t, 2, true)
			before := q.shared(1, readRegister)
			latch := q.rows.Block("Mutation.setCounter") // before it writes
			write := q.start(0, writeRegister)
			receive(t, latch.Reached, "the mutation")
			if err := q.nodes[0].cache.Close(); err != nil {
				t.Error(err)
			}
			if late {
				eventually(t, "the end of the announcement", func() bool { return q.nodes[1].log.Stats().Expired == 1 })
				eventually(t, "an answer that is kept", func() bool {
					hits := q.nodes[1].cache.Stats().Hits
					q.ask(1, readRegister)
					return q.nodes[1].cache.Stats().Hits > hits
				})
			} else if n := q.nodes[1].log.Stats().Open; n != 1 {
				t.Errorf("%d announcements are open", n)
			}
			latch.Release()
			if resp := write.wait(t); len(resp.Errors) > 0 {
				t.Errorf("the mutation is answered %s", resp.Body)
			}
			// A log that is closed waits for nobody.
			eventually(t, "the change", func() bool { return q.ask(1, readRegister).Body != before })
			eventually(t, "the settlement", func() bool { return q.nodes[1].log.Stats().Open == 0 })
			if got := q.ask(0, readRegister).Body; got == before {
				t.Errorf("the instance itself answers %s", got)
			}
			if resp := q.ask(0, writeRegister); !strings.Contains(resp.Body, gqlcache.ErrNoLease.Error()) {
				t.Errorf("a mutation of a closed cache is answered %s", resp.Body)
			}
		})
	}
}
