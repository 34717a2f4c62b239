package redisstore

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
)

// A conn makes the calls to Redis: those that the breaker admits, at most so many at one
// time, each for at most so long. It is safe for concurrent use.
type conn struct {
	client   redis.UniversalClient
	breaker  *breaker
	slots    chan struct{} // a token for each call that runs
	log      *log
	counters *counters

	closed atomic.Bool // Close has begun
}

// admit asks the breaker for n reads or writes that are one call. Without an error,
// report what came of it.
func (c *conn) admit(n int) (ticket, error) {
	t, ok := c.breaker.admit(time.Now())
	if !ok {
		c.counters.skipped.Add(uint64(n))
		return ticket{}, ErrUnavailable
	}
	return t, nil
}

// report gives the breaker the outcome of a call.
func (c *conn) report(t ticket, read bool, o outcome, why error) {
	c.breaker.report(t, read, o, time.Now(), why)
}

// wait waits until no call runs, and none starts any more.
func (c *conn) wait(timeout time.Duration) error {
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	for n := range cap(c.slots) {
		select {
		case c.slots <- struct{}{}:
		case <-timer.C:
			return fmt.Errorf("%w: %d calls still run", ErrNotFlushed, cap(c.slots)-n)
		}
	}
	return nil
}

// run executes a pipeline whose commands are looked at one by one. It returns an error
// only if none of them has one.
func run(ctx context.Context, pipe redis.Pipeliner) error {
	cmds, err := pipe.Exec(ctx)
	for _, cmd := range cmds {
		if cmd.Err() != nil {
			return nil //nolint:nilerr // a command that has an error returns it
		}
	}
	return err
}

// linger is how long a call may go on after nobody waits for it: ending it at once would
// close its connection, and a Redis that is slow for a moment would have to accept new
// ones on top of it.
const linger = time.Second

// call runs f in a goroutine of its own and waits for it, at most timeout: whether a
// client obeys a context is up to its options. What f works on is its own until it
// returns. The caller's context is not: see lent.
func call[T any](ctx context.Context, c *conn, timeout time.Duration, f func(context.Context) (T, error)) (T, error) {
	type answer struct {
		value T
		err   error
	}
	var none T
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	select {
	case c.slots <- struct{}{}:
	case <-timer.C:
		return none, ErrTimeout
	case <-ctx.Done():
		return none, ctx.Err()
	}
	done := make(chan answer, 1)
	values := &lent{ctx: ctx}
	defer values.end()
	go func() { //nolint:contextcheck // it is given the values, for as long as they are the caller's
		defer func() { <-c.slots }()
		ctx, cancel := context.WithTimeout(values, timeout+linger)
		defer cancel()
		value, err := f(ctx)
		done <- answer{value, err}
	}()
	select {
	case a := <-done:
		return a.value, a.err
	case <-timer.C:
		return none, ErrTimeout
	case <-ctx.Done():
		return none, ctx.Err()
	}
}

// wrongType reports whether a key holds something that is no string.
func wrongType(err error) bool { return redis.HasErrorPrefix(err, "WRONGTYPE") }

// refused reports whether Redis itself has answered with an error.
func refused(err error) bool {
	var reply redis.Error
	return errors.As(err, &reply)
}
