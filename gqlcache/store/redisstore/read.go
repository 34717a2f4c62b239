package redisstore

import (
	"context"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cascadeql/cascadeql/gqlcache/store"
)

// A reader reads entries from Redis. It is safe for concurrent use.
type reader struct {
	conn     *conn
	format   *format
	timeout  time.Duration
	clock    func() time.Time
	log      *log
	counters *counters
}

func expired(e *store.Entry, now time.Time) bool {
	return !e.Expires.IsZero() && !e.Expires.After(now)
}

// fetch asks Redis. Without an error, a nil entry is a miss.
func (r *reader) fetch(ctx context.Context, key []byte, at string) (*store.Entry, error) {
	t, err := r.conn.admit(1)
	if err != nil {
		return nil, err
	}
	asked := r.clock()
	h, err := call(ctx, r.conn, r.timeout, func(ctx context.Context) (holding, error) {
		pipe := r.conn.client.Pipeline()
		read := r.ask(ctx, pipe, at)
		if err := run(ctx, pipe); err != nil {
			return holding{}, err
		}
		return read()
	})
	r.conn.report(t, true, r.judge(ctx, err), err)
	switch {
	case r.conn.closed.Load():
		return nil, store.ErrClosed
	case err != nil && wrongType(err):
		r.corrupt(err)
		return nil, nil
	case err != nil:
		return nil, r.failed(ctx, err)
	case h.absent():
		return nil, nil
	}
	e, err := r.format.entry(h.value, key, h.left, asked)
	if err != nil {
		r.corrupt(err)
		return nil, nil
	}
	return e, nil
}

// A holding is what Redis has at a key.
type holding struct {
	left  time.Duration // as PTTL answers: below 0 are -1 (no expiry) and -2 (no key)
	value []byte        // of one byte more than MaxEntryBytes at most
}

// absent distinguishes no value from an empty one, for which GETRANGE answers the same.
func (h holding) absent() bool { return len(h.value) == 0 && h.left == noKey }

// ask queues the two commands of a read, and returns what gives their answer once they
// have run.
//
// GETRANGE bounds what is read, whoever put whatever at our key. PTTL comes first: should
// the value be replaced between the two, then the time left is that of the older one. In
// the other order a dying value could get the time of its successor. See expiry for what
// becomes of it.
func (r *reader) ask(ctx context.Context, pipe redis.Pipeliner, at string) func() (holding, error) {
	left := pipe.PTTL(ctx, at)
	value := pipe.GetRange(ctx, at, 0, int64(r.format.maxBytes))
	return func() (holding, error) {
		if err := errors.Join(value.Err(), left.Err()); err != nil {
			return holding{}, err
		}
		b, err := value.Bytes()
		return holding{left: left.Val(), value: b}, err
	}
}

// Answers of PTTL that are no times; go-redis leaves them as they are.
const (
	noKey    time.Duration = -2
	noExpiry time.Duration = -1
)

// expiry says when a copy of a value expires here: what Redis says is left, less the
// millisecond that it rounds by, and not more than what its writer gave it. The second
// bound counts when the value was replaced between the two commands of ask: it then has
// all of its own time left, and what Redis said was its predecessor's.
func expiry(ttl, left time.Duration, asked time.Time) (time.Time, error) {
	switch {
	case left == noKey: // put since
		if ttl == 0 {
			return time.Time{}, nil
		}
		return asked.Add(ttl), nil
	case left == noExpiry && ttl == 0:
		return time.Time{}, nil
	case left < 0:
		return time.Time{}, errAge // somebody's PERSIST: its age is lost
	case ttl > 0:
		left = min(left, ttl)
	}
	return asked.Add(left - time.Millisecond), nil
}

// judge says what a read means for the breaker. A caller who left means nothing; a Redis
// that answers with an error is of no use for reads.
func (r *reader) judge(ctx context.Context, err error) outcome {
	switch {
	case err == nil || wrongType(err):
		return good
	case ctx.Err() != nil || r.conn.closed.Load():
		return unknown
	}
	return bad
}

// failed counts and logs, and returns what the caller gets to see.
func (r *reader) failed(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	r.counters.readErrors.Add(1)
	if errors.Is(err, ErrTimeout) {
		r.counters.timeouts.Add(1)
	}
	f := fault("get", err)
	r.log.once("get", diagnose(err))
	return f
}

// corrupt counts a value that is none of ours, or no longer.
func (r *reader) corrupt(err error) {
	r.counters.corrupt.Add(1)
	trouble := "a value below the prefix is not as this package writes it: " + err.Error()
	if wrongType(err) {
		trouble = diagnose(err)
	}
	r.log.once("read", trouble)
}
