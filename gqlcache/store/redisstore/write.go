package redisstore

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cascadeql/cascadeql/gqlcache/store"
)

// A write is what is to happen at a key: a value is put, or, without one, deleted.
type write struct {
	at      string
	value   []byte
	entry   *store.Entry // of the value
	version *uint64      // of a deletion: only an entry of this version
	lease   string       // not an entry, but the lease with this token is deleted
}

// A sender sends writes to Redis, at once, or from its queue in one goroutine. It is safe
// for concurrent use.
type sender struct {
	conn     *conn
	queue    *queue // nil under Through
	timeout  time.Duration
	released string // the channel on which leases that are given up are told
	clock    func() time.Time
	log      *log
	counters *counters
}

// left returns the time that an entry has left, in whole milliseconds, 0 for ever, and
// whether there is any.
func (s *sender) left(e *store.Entry) (time.Duration, bool) {
	if e.Expires.IsZero() {
		return 0, true
	}
	ttl := e.Expires.Sub(s.clock()).Truncate(time.Millisecond)
	return ttl, ttl > 0
}

// write queues a write, or sends it.
func (s *sender) write(ctx context.Context, op string, w write) error {
	if s.queue == nil {
		return s.send(ctx, op, []write{w})
	}
	if s.conn.breaker.refuses(time.Now()) {
		s.counters.skipped.Add(1)
		return ErrUnavailable
	}
	deletes, err := s.queue.add(w)
	if deletes {
		s.counters.deletes.Add(1)
	}
	if errors.Is(err, ErrDropped) {
		s.counters.dropped.Add(1)
		s.log.once(op, "the queue of writes is full; entries are not shared")
	}
	return err
}

// writeAll is write of several, which are sent in few round trips.
func (s *sender) writeAll(ctx context.Context, op string, all []write) (err error) {
	if s.queue == nil {
		for rest := all; len(rest) > 0 && err == nil; {
			part := rest[:min(len(rest), maxRead)]
			rest, err = rest[len(part):], s.send(ctx, op, part)
		}
		return err
	}
	for _, w := range all {
		if e := s.write(ctx, op, w); err == nil {
			err = e
		}
	}
	return err
}

// deleteVersion removes a value of ours that has the given version.
var deleteVersion = fmt.Sprintf(`if redis.call('GETRANGE',KEYS[1],%d,%d)==ARGV[1] then return redis.call('UNLINK',KEYS[1]) end return 0`, versionAt, versionAt+7)

// send makes one round trip of writes and waits for it, at most WriteTimeout. It returns
// the first fault; the other writes may have been done.
func (s *sender) send(ctx context.Context, op string, batch []write) error {
	t, err := s.conn.admit(len(batch))
	if err != nil {
		return err
	}
	answers, err := call(ctx, s.conn, s.timeout, func(ctx context.Context) ([]redis.Cmder, error) {
		pipe := s.conn.client.Pipeline()
		for _, w := range batch {
			s.command(ctx, pipe, w)
		}
		cmds := pipe.Cmds() // Exec forgets them
		return cmds, run(ctx, pipe)
	})
	if err != nil {
		s.conn.report(t, false, s.judge(ctx, err), err)
		return s.failed(ctx, op, err, len(batch))
	}
	first, why := s.tally(ctx, op, answers)
	s.conn.report(t, false, s.judge(ctx, why), why)
	return first
}

// command adds a write to a pipeline. The time left is taken again: an entry must not get
// the time that it has spent in the queue on top.
func (s *sender) command(ctx context.Context, pipe redis.Pipeliner, w write) {
	if w.value != nil {
		if ttl, alive := s.left(w.entry); alive {
			pipe.Set(ctx, w.at, w.value, ttl)
			return
		}
	}
	if w.lease != "" {
		pipe.Eval(ctx, deleteLease, []string{w.at}, w.lease, s.released)
		return
	}
	if w.version != nil {
		pipe.Eval(ctx, deleteVersion, []string{w.at}, string(binary.BigEndian.AppendUint64(nil, *w.version)))
		return
	}
	pipe.Unlink(ctx, w.at)
}

// tally counts what became of each write. It returns the first fault and, for the
// breaker, the error that says most.
func (s *sender) tally(ctx context.Context, op string, answers []redis.Cmder) (first, why error) {
	for _, answer := range answers {
		err := answer.Err()
		_, put := answer.(*redis.StatusCmd)
		switch {
		case err == nil && !put:
			s.counters.deletes.Add(removed(answer))
		case err == nil || !put && wrongType(err): // what is no string is no entry of the version
		default:
			f := s.failed(ctx, op, err, 1)
			if first == nil {
				first = f
			}
			if why == nil || s.judge(ctx, err) == bad {
				why = err
			}
		}
	}
	return first, why
}

// removed returns how many entries a deletion has met.
func removed(answer redis.Cmder) uint64 {
	switch answer := answer.(type) {
	case *redis.IntCmd:
		return uint64(answer.Val())
	case *redis.Cmd:
		n, err := answer.Int64()
		if err == nil {
			return uint64(n)
		}
	}
	return 0
}

// judge says what a write means for the breaker. A Redis that refuses writes, because it
// is full, say, may well be good for reads.
func (s *sender) judge(ctx context.Context, err error) outcome {
	switch {
	case err == nil:
		return good
	case refused(err), ctx.Err() != nil:
		return unknown
	}
	return bad
}

func (s *sender) failed(ctx context.Context, op string, err error, n int) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if s.conn.closed.Load() && s.queue == nil {
		return store.ErrClosed
	}
	s.counters.writeErrors.Add(uint64(n))
	s.log.once(op, diagnose(err))
	return fault(op, err)
}
