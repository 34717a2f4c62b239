package redislog

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/cascadeql/cascadeql/gqlcache/changelog"
)

const (
	// Messages can be lost: after a while the members' own words are read, ever more
	// rarely.
	firstPoll   = 10 * time.Millisecond
	longestPoll = 100 * time.Millisecond
)

// Why a publication is not confirmed.
const (
	whyLevel  = "the level does not wait"
	whyLate   = "an instance has not answered in time"
	whySlow   = "an instance does not answer"
	whyEpoch  = "an epoch has just begun, leases of the one before may run"
	whyLost   = "the server has lost the record"
	whyReap   = "the server did not say whether it still has the record"
	whyCancel = "the caller did not wait"
)

// A wait is what a publication waits for.
type wait struct {
	changelog.Position
	level    changelog.Level
	members  map[string]bool // who has not applied it, as far as is known
	replied  time.Duration
	gate     time.Duration // until then leases of older epochs may run
	outlived time.Duration // by then every lease granted before the record is over
}

// A confirmer waits until no other instance can serve what is stale: each has
// acknowledged, or its lease is over. It drops the members whose leases are over. It is
// safe for concurrent use.
type confirmer struct {
	instance string
	level    changelog.Level
	budget   time.Duration
	server   *server
	lease    *lease
	acks     *acks
	life     *life
	report   *reporter
	counts   *counters

	reaping reaping
}

// expect returns what a publication waits for, by the reply that brought its number. The
// gate is left to the caller.
func (c *confirmer) expect(reply numbered) wait {
	w := wait{
		Position: changelog.Position{Epoch: reply.epoch, Number: reply.number},
		level:    c.level,
		members:  map[string]bool{},
		replied:  now(),
	}
	w.outlived = w.replied + max(reply.longest, c.lease.term())
	c.acks.learn(reply.members)
	c.acks.only(reply.members)
	for id, n := range reply.members {
		if id != c.instance && n < reply.number {
			w.members[id] = true
		}
	}
	c.counts.members.Store(int64(len(reply.members)))
	return w
}

// await waits for the other instances, as the level says.
func (c *confirmer) await(ctx context.Context, w wait) changelog.Receipt {
	why := c.waitFor(ctx, &w)
	waited := now() - w.replied
	c.counts.waited.Add(int64(waited))
	if len(w.members) > 0 {
		c.reaping.schedule(w.outlived, w.Position)
	}
	return changelog.Receipt{Epoch: w.Epoch, Number: w.Number, Confirmed: why == "", Waited: waited, Why: why}
}

// waitFor returns "" once nobody can serve what is stale, else why that is not sure.
func (c *confirmer) waitFor(ctx context.Context, w *wait) string {
	deadline := w.replied
	switch w.level {
	case changelog.Bounded:
		deadline += c.budget
	case changelog.Strong:
		deadline = max(w.outlived, w.gate)
	}
	slow := c.setAside(w)
	poll, interval := w.replied+firstPoll, firstPoll
	for {
		news := c.acks.strike(w.members, w.Number)
		t := now()
		if len(w.members) > 0 && t >= w.outlived {
			// Every lease that was granted before the record is over. Those granted since
			// know of it, if the server still does.
			if why := c.reap(ctx, w.Position); why != "" {
				return why
			}
			clear(w.members)
		}
		if len(w.members) == 0 && t >= w.gate {
			return c.verdict(w, slow)
		}
		if t >= deadline || len(w.members) == 0 && w.gate > deadline {
			return c.tooLate(w)
		}
		next := deadline
		if len(w.members) > 0 {
			next = min(next, poll, w.outlived)
		} else {
			next = min(next, w.gate)
		}
		switch sleep(ctx, c.life.over(), next-t, news) {
		case ended:
			return whyCancel
		case elapsed:
			if len(w.members) > 0 && now() >= poll {
				c.poll(ctx, w, deadline)
				interval = min(2*interval, longestPoll)
				poll = now() + interval
			}
		}
	}
}

// setAside takes the members out of the wait that were waited for in vain before, at the
// levels that do not wait for the end of their leases. It costs a budget once, not at
// every mutation.
func (c *confirmer) setAside(w *wait) (slow map[string]bool) {
	if w.level == changelog.Strong {
		return nil
	}
	for id := range w.members {
		if c.acks.isSlow(id) {
			if slow == nil {
				slow = map[string]bool{}
			}
			slow[id] = true
			delete(w.members, id)
		}
	}
	return slow
}

func (c *confirmer) verdict(w *wait, slow map[string]bool) string {
	if c.acks.strike(slow, w.Number); len(slow) == 0 {
		return ""
	}
	w.members = slow // for the reap
	return whySlow
}

func (c *confirmer) tooLate(w *wait) string {
	if len(w.members) == 0 {
		return whyEpoch
	}
	if w.level == changelog.Eventual {
		return whyLevel
	}
	c.acks.gaveUp(w.members, w.Number)
	return whyLate
}

type wakeup int

const (
	heard wakeup = iota
	elapsed
	ended
)

func sleep(ctx context.Context, over <-chan struct{}, d time.Duration, news <-chan struct{}) wakeup {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-news:
		return heard
	case <-timer.C:
		return elapsed
	case <-ctx.Done():
		return ended
	case <-over:
		return ended
	}
}

// poll reads what the members have said. Who is no member any more has left or holds no
// lease.
func (c *confirmer) poll(ctx context.Context, w *wait, deadline time.Duration) {
	ids := slices.Collect(maps.Keys(w.members))
	applied, gone, known := c.server.members(ctx, ids, w.Position, max(deadline-now(), time.Millisecond))
	if !known {
		return
	}
	for _, id := range gone {
		delete(w.members, id)
	}
	c.acks.learn(applied)
}

// reap drops the members whose leases are over. It returns why it cannot be said that
// they are.
func (c *confirmer) reap(ctx context.Context, p changelog.Position) string {
	dropped, err := c.server.reap(ctx, p)
	switch {
	case err != nil:
		return whyReap
	case dropped < 0:
		return whyLost
	case dropped > 0:
		c.counts.reaped.Add(uint64(dropped))
		c.report.event(EventReaped, p, "")
	}
	return ""
}

// reapDue does the reap that was left behind by a publication that did not wait so long.
func (c *confirmer) reapDue(ctx context.Context) {
	if p, due := c.reaping.due(now()); due {
		c.reap(ctx, p)
	}
}
