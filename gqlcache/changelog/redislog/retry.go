package redislog

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cascadeql/cascadeql/gqlcache/changelog"
)

// firstRetry is the pause before a change is pushed again; it doubles.
const firstRetry = 5 * time.Millisecond

// patience is for how long a change is pushed again before its caller learns that it is
// pending: as long as the level has the caller wait for others in any case.
func (p *publisher) patience() time.Duration {
	switch p.level {
	case changelog.Strong:
		return p.ttl
	case changelog.Bounded:
		return p.budget
	}
	return 0
}

// numberWithin logs a change, again when the connection breaks, until the time is over.
// It takes a TTL at most.
//
// A change whose reply is lost may be logged twice, under two numbers: it invalidates
// twice. It is not applied here before the server has taken it, or the caller learns that
// it has not: until then the caller has no answer, so nobody may know of the change. The
// intents in settles may be gone the second time, which is no fault.
func (p *publisher) numberWithin(ctx context.Context, c changes, patience time.Duration) (numbered, error) {
	ctx, cancel := context.WithTimeout(ctx, p.ttl)
	defer cancel()
	end := now() + patience
	for pause := firstRetry; ; pause *= 2 {
		reply, err := p.number(ctx, c)
		if err == nil || !passing(err) || ctx.Err() != nil || p.down.Load() || now()+pause >= end {
			return reply, err
		}
		p.gate.pass("again")
		wait := time.NewTimer(pause)
		select {
		case <-wait.C:
		case <-ctx.Done():
		case <-p.life.over(): // Close tries once more
		}
		wait.Stop()
		if p.life.isOver() {
			return reply, err
		}
	}
}

// passingAnswers begin what a server answers while a failover is under way, while its
// replicas are connecting again (min-replicas-to-write), or while a script runs for long.
var passingAnswers = []string{"READONLY", "LOADING", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN", "MOVED", "ASK", "NOREPLICAS", "BUSY"}

// passing reports whether the same may succeed a moment later: the connection broke, or
// the server says so. What it refuses for good, for want of rights say, it refuses again.
func passing(err error) bool {
	if errors.Is(err, redis.ErrClosed) || errors.Is(err, errReply) {
		return false
	}
	if !refused(err) {
		return true
	}
	return slices.ContainsFunc(passingAnswers, func(prefix string) bool { return redis.HasErrorPrefix(err, prefix) })
}
