package redislog

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/cascadeql/cascadeql/gqlcache/changelog"
)

const (
	// maxPages bounds one round of renewal: with it, the longest log that is read at a
	// start.
	maxPages = 1024
	// longestBackoff is between attempts to reach a server.
	longestBackoff = 3 * time.Second
)

// A renewer takes the lease, and renews it three times per TTL and when asked to. A round
// of renewal is also when what was kept is pushed, and when members and intents are
// looked after.
type renewer struct {
	server    *server
	applier   *applier
	publisher *publisher
	confirmer *confirmer
	upkeep    *upkeep
	rounds    *rounds
	report    *reporter
	gate      *gate
	ttl       time.Duration

	nonce uint64 // of the last reply received; only loop uses it
}

// loop renews until the context ends.
func (r *renewer) loop(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	failures := 0
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		case <-r.rounds.kick:
		}
		began := now()
		r.rounds.begin()
		err := r.round(ctx)
		r.rounds.end(err)
		if ctx.Err() != nil {
			return
		}
		r.report.is(troubleServer, err)
		if err != nil {
			failures++
			timer.Reset(backoff(r.ttl/3, failures))
			continue
		}
		failures = 0
		r.publisher.answered()
		r.confirmer.reapDue(ctx)
		if err := r.upkeep.tend(ctx); ctx.Err() == nil {
			r.report.is(troubleTend, err)
		}
		timer.Reset(r.next(began))
	}
}

// backoff doubles with each failure, up to a limit, less up to a quarter so that
// instances do not come back all at once.
func backoff(first time.Duration, failures int) time.Duration {
	d := min(first<<min(failures-1, 10), max(first, longestBackoff))
	return d - rand.N(d/4)
}

// next is how long to wait after a round that went well.
func (r *renewer) next(began time.Duration) time.Duration {
	d := began + r.ttl/3 - now()
	if untilReady := r.applier.readyAt() - now(); untilReady > 0 {
		d = min(d, untilReady)
	}
	return max(d, time.Millisecond)
}

var errPages = errors.New("redislog: the log grows faster than it is read")

// round pushes what the server has not taken, catches up and takes a lease.
func (r *renewer) round(ctx context.Context) error {
	r.gate.pass("renew")
	if err := r.publisher.push(ctx); err != nil {
		return err
	}
	for range maxPages {
		// The lease counts from before the request: whatever is granted later is granted
		// after this.
		sent := now()
		reply, err := r.ask(ctx)
		if err != nil {
			return err
		}
		r.gate.pass("renewed")
		r.nonce = reply.nonce
		if r.applier.learn(reply, sent) {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return errPages
}

// ask asks for a lease, and for what this instance has missed.
func (r *renewer) ask(ctx context.Context) (renewal, error) {
	var at changelog.Position
	var hushed, look bool
	r.applier.withIntents(func(open *intents, position changelog.Position) { at, hushed, look = position, open.hushed, open.blind })
	return r.server.renew(ctx, at, r.nonce, hushed, look)
}
