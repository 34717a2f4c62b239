package redislog

import (
	"context"
	"errors"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/cascadeql/cascadeql/gqlcache/changelog"
)

const (
	// pageSize is the most records in one reply.
	pageSize = 1024
	// maxPages bounds one round of renewal: with it, the longest log that is read at a start.
	maxPages = 1024
	// longestBackoff is between attempts to reach a server.
	longestBackoff = 3 * time.Second
)

func formatNumber(n uint64) string { return strconv.FormatUint(n, 10) }

// term is how long leases run: the longest of any instance that is known.
func (l *Log) term() time.Duration { return time.Duration(l.longest.Load()) }

// renewLoop takes the lease, and renews it three times per TTL and when asked to.
func (l *Log) renewLoop() {
	r := renewer{Log: l, nonce: "0"}
	timer := time.NewTimer(0)
	defer timer.Stop()
	failures := 0
	for {
		select {
		case <-l.ctx.Done():
			return
		case <-timer.C:
		case <-l.rounds.kick:
		}
		began := now()
		l.rounds.begin()
		err := r.round(l.ctx)
		l.rounds.end(err)
		if l.ctx.Err() != nil {
			return
		}
		l.trouble.is(troubleServer, err)
		if err != nil {
			failures++
			timer.Reset(backoff(l.o.TTL/3, failures))
			continue
		}
		failures = 0
		l.down.Store(false)
		l.reapDue(l.ctx)
		if err := l.tend(l.ctx); l.ctx.Err() == nil {
			l.trouble.is(troubleTend, err)
		}
		timer.Reset(r.next(began))
	}
}

// backoff doubles with each failure, up to a limit, less up to a quarter so that instances do not
// come back all at once.
func backoff(first time.Duration, failures int) time.Duration {
	d := min(first<<min(failures-1, 10), max(first, longestBackoff))
	return d - rand.N(d/4)
}

// A renewer belongs to renewLoop.
type renewer struct {
	*Log
	nonce string // of the last reply received
}

// next is how long to wait after a round that went well.
func (r *renewer) next(began time.Duration) time.Duration {
	r.mu.Lock()
	ready := r.ready
	r.mu.Unlock()
	d := began + r.o.TTL/3 - now()
	if untilReady := ready - now(); untilReady > 0 {
		d = min(d, untilReady)
	}
	return max(d, time.Millisecond)
}

var errPages = errors.New("redislog: the log grows faster than it is read")

// round pushes what the server has not taken, catches up and takes a lease.
func (r *renewer) round(ctx context.Context) error {
	r.at("renew")
	if err := r.push(ctx); err != nil {
		return err
	}
	for range maxPages {
		// The lease counts from before the request: whatever is granted later is granted after this.
		sent := now()
		reply, err := r.ask(ctx, r.Applied())
		if err != nil {
			return err
		}
		r.at("renewed")
		r.nonce = formatNumber(reply.nonce)
		if r.learn(reply, sent) {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return errPages
}

func (r *renewer) ask(ctx context.Context, at changelog.Position) (renewal, error) {
	ctx, cancel := context.WithTimeout(ctx, r.o.TTL)
	defer cancel()
	strong := 0
	if r.o.Level == changelog.Strong {
		strong = 1
	}
	tell, look := r.asks()
	items, err := renewScript.Run(ctx, r.client, r.keys, r.o.Instance, formatNumber(at.Epoch), formatNumber(at.Number),
		r.nonce, r.o.TTL.Milliseconds(), pageSize, strong, tell, look).Slice()
	if err != nil {
		return renewal{}, err
	}
	reply, err := parseRenewal(items)
	reply.looked = look == 1
	return reply, err
}

// learn applies a reply and reports whether the round is over: with a lease, or with none to be had yet.
func (l *Log) learn(reply renewal, sent time.Duration) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.longest.Store(max(int64(reply.longest), l.longest.Load())) // never less: leases of an older epoch may run
	l.replicas.Store(int64(reply.replicas))
	if reply.named {
		l.trouble.end(troubleName)
	} else {
		l.trouble.begin(troubleName, nil)
	}
	at := l.Applied()
	if reply.epoch != at.Epoch {
		if reply.epoch > at.Epoch {
			l.adopt(reply.epoch, reply.first, reply.quiet)
		}
		return false
	}
	l.apply(reply.missed)
	if len(reply.missed) >= pageSize {
		return false // there is more
	}
	if at = l.Applied(); at.Number < reply.number {
		l.flush(changelog.Position{Epoch: at.Epoch, Number: reply.number}, "missing records")
	}
	if !l.look(reply) {
		return false
	}
	if reply.granted {
		l.extend(sent)
	}
	return reply.granted
}

// extend takes the lease that the server has granted. REQUIRES: mu held, and everything that the
// server knew when it granted the lease has been applied.
func (l *Log) extend(sent time.Duration) {
	if now() < l.ready || l.ctx.Err() != nil {
		return
	}
	end := int64(sent + l.o.TTL*9/10)
	l.pending.mu.Lock()
	defer l.pending.mu.Unlock()
	if !l.pending.empty() || end <= l.until.Load() {
		return
	}
	was := l.until.Swap(end)
	if was != never && int64(sent) > was {
		l.counts.leasesLost.Add(1)
		l.event(EventLeaseLost, l.Applied(), "ran out")
	}
	if was == never || int64(sent) > was {
		l.event(EventLease, l.Applied(), "")
	}
}

// dropLease gives the lease up.
func (l *Log) dropLease() {
	if was := l.until.Swap(never); was != never {
		l.counts.leasesLost.Add(1)
		l.event(EventLeaseLost, l.Applied(), "given up")
	}
}
