package redislog

import (
	"context"
	"strconv"
	"time"

	"github.com/cascadeql/cascadeql/gqlcache/changelog"
)

const (
	// Announcements can be lost: after a while the members' own words are read, ever more rarely.
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

// await waits for the other instances, as the level says.
func (l *Log) await(ctx context.Context, w wait) changelog.Receipt {
	why := l.waitFor(ctx, &w)
	waited := now() - w.replied
	l.counts.waited.Add(int64(waited))
	if len(w.members) > 0 {
		l.reaping.schedule(w.outlived, w.Position)
	}
	return changelog.Receipt{Epoch: w.Epoch, Number: w.Number, Confirmed: why == "", Waited: waited, Why: why}
}

// waitFor returns "" once nobody can serve what is stale, else why that is not sure.
func (l *Log) waitFor(ctx context.Context, w *wait) string {
	deadline := w.replied
	switch w.level {
	case changelog.Bounded:
		deadline += l.o.AckBudget
	case changelog.Strong:
		deadline = max(w.outlived, w.gate)
	}
	slow := l.setAside(w)
	poll, interval := w.replied+firstPoll, firstPoll
	for {
		news := l.acks.settle(w.members, w.Number)
		t := now()
		if len(w.members) > 0 && t >= w.outlived {
			// Every lease that was granted before the record is over. Those granted since know of it, if the
			// server still does.
			if why := l.reap(ctx, w.Position); why != "" {
				return why
			}
			clear(w.members)
		}
		if len(w.members) == 0 && t >= w.gate {
			return l.verdict(w, slow)
		}
		if t >= deadline || len(w.members) == 0 && w.gate > deadline {
			return l.tooLate(w)
		}
		next := deadline
		if len(w.members) > 0 {
			next = min(next, poll, w.outlived)
		} else {
			next = min(next, w.gate)
		}
		switch sleep(ctx, l.ctx, next-t, news) {
		case ended:
			return whyCancel
		case elapsed:
			if len(w.members) > 0 && now() >= poll {
				l.poll(ctx, w, deadline)
				interval = min(2*interval, longestPoll)
				poll = now() + interval
			}
		}
	}
}

// setAside takes the members out of the wait that were waited for in vain before, at the levels that do not
// wait for the end of their leases. It costs a budget once, not at every mutation.
func (l *Log) setAside(w *wait) (slow map[string]bool) {
	if w.level == changelog.Strong {
		return nil
	}
	for id := range w.members {
		if l.acks.isSlow(id) {
			if slow == nil {
				slow = map[string]bool{}
			}
			slow[id] = true
			delete(w.members, id)
		}
	}
	return slow
}

func (l *Log) verdict(w *wait, slow map[string]bool) string {
	if l.acks.settle(slow, w.Number); len(slow) == 0 {
		return ""
	}
	w.members = slow // for the reap
	return whySlow
}

func (l *Log) tooLate(w *wait) string {
	if len(w.members) == 0 {
		return whyEpoch
	}
	if w.level == changelog.Eventual {
		return whyLevel
	}
	l.acks.gaveUp(w.members, w.Number)
	return whyLate
}

type wakeup int

const (
	heard wakeup = iota
	elapsed
	ended
)

func sleep(ctx, life context.Context, d time.Duration, news <-chan struct{}) wakeup {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-news:
		return heard
	case <-timer.C:
		return elapsed
	case <-ctx.Done():
		return ended
	case <-life.Done():
		return ended
	}
}

// poll reads what the members have said. Who is no member any more has left or holds no lease.
//
// That is so where the record is known. A replica may be promoted that has neither it nor the member who joined
// just before it, and is of the same epoch until somebody renews there: it would say that nobody is left to wait
// for, while the lease from the old primary runs. Replication keeps the order, so a server that has the number
// has every member that it was published to.
func (l *Log) poll(ctx context.Context, w *wait, deadline time.Duration) {
	fields := []string{"e", "s"}
	ids := make([]string, 0, len(w.members))
	for id := range w.members {
		ids = append(ids, id)
		fields = append(fields, "m:"+id)
	}
	ctx, cancel := context.WithTimeout(ctx, min(l.o.TTL, max(deadline-now(), time.Millisecond)))
	defer cancel()
	values, err := l.client.HMGet(ctx, l.keys[0], fields...).Result()
	if err != nil || len(values) != len(fields) || values[0] != formatNumber(w.Epoch) {
		return
	}
	last, _ := values[1].(string)
	if n, err := strconv.ParseUint(last, 10, 64); err != nil || n < w.Number {
		return
	}
	applied := map[string]uint64{}
	for i, id := range ids {
		text, member := values[i+2].(string)
		if !member {
			delete(w.members, id)
		} else if n, err := strconv.ParseUint(text, 10, 64); err == nil {
			applied[id] = n
		}
	}
	l.acks.learn(applied)
}

// reap drops the members whose leases are over. It returns why it cannot be said that they are.
func (l *Log) reap(ctx context.Context, p changelog.Position) string {
	ctx, cancel := context.WithTimeout(ctx, l.o.TTL)
	defer cancel()
	dropped, err := reapScript.Run(ctx, l.client, l.keys, formatNumber(p.Epoch), formatNumber(p.Number)).Int64()
	switch {
	case err != nil:
		return whyReap
	case dropped < 0:
		return whyLost
	case dropped > 0:
		l.counts.reaped.Add(uint64(dropped))
		l.event(EventReaped, p, "")
	}
	return ""
}

// reapDue does the reap that was left behind by a publication that did not wait so long.
func (l *Log) reapDue(ctx context.Context) {
	if p, due := l.reaping.due(now()); due {
		l.reap(ctx, p)
	}
}
