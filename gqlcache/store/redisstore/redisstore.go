package redisstore

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cascadeql/cascadeql/gqlcache/internal/safe"
	"github.com/cascadeql/cascadeql/gqlcache/store"
)

// A Store is a store.Store in Redis. See the package's documentation for what differs from one in
// memory.
type Store struct {
	opts    Options
	begin   string // of every key in Redis, the hash tag's brace included
	codec   codec
	breaker breaker
	log     log
	slots   chan struct{} // a token for each call that runs
	queue   *queue        // nil under Through

	counters  counters
	closed    atomic.Bool
	closeOnce sync.Once
	closeErr  error
}

var _ store.Store = (*Store)(nil)

// New makes a store, without talking to Redis. The error names every fault of the options. Under
// Behind a store runs one goroutine until it is closed.
func New(opts Options) (*Store, error) {
	opts = opts.withDefaults()
	if err := opts.validate(); err != nil {
		return nil, err
	}
	s := &Store{
		opts:  opts,
		begin: opts.Prefix + ":q:{",
		codec: newCodec(opts.MaxEntryBytes),
		slots: make(chan struct{}, opts.MaxCalls),
	}
	s.log.Log, s.log.server = safe.Logger(opts.Logger), address(opts.Client)
	s.breaker.after, s.breaker.coolDown, s.breaker.changed = opts.BreakAfter, opts.CoolDown, s.log.breaker
	if opts.Write == Behind {
		s.queue = newQueue(opts.QueueEntries, opts.QueueBytes)
		go s.writeBehind()
	}
	return s, nil
}

// key returns where Redis holds the entry of a key.
func (s *Store) key(key []byte) string {
	sum := sha256.Sum256(key)
	b := make([]byte, 0, len(s.begin)+base64.RawURLEncoding.EncodedLen(len(sum))+1)
	b = append(b, s.begin...)
	b = base64.RawURLEncoding.AppendEncode(b, sum[:])
	return string(append(b, '}'))
}

// Close writes what is queued, as long as CloseTimeout allows, and waits as long again for calls that
// are running. The entries stay in Redis. It returns ErrNotFlushed when the time was too short.
func (s *Store) Close() error {
	s.closeOnce.Do(func() { s.closeErr = s.close() })
	return s.closeErr
}

func (s *Store) close() error {
	s.closed.Store(true)
	var faults []error
	if s.queue != nil {
		if lost := s.queue.close(s.opts.CloseTimeout); lost > 0 {
			s.counters.dropped.Add(uint64(lost))
			faults = append(faults, fmt.Errorf("%w: %d writes are lost", ErrNotFlushed, lost))
		}
	}
	if s.opts.OwnClient {
		// Calls that are still waiting for an answer end with this.
		if err := s.opts.Client.Close(); err != nil {
			faults = append(faults, fault("close", err))
		}
	}
	// With all the tokens taken no call runs, and none starts any more.
	timeout := time.NewTimer(s.opts.CloseTimeout)
	defer timeout.Stop()
	for n := range cap(s.slots) {
		select {
		case s.slots <- struct{}{}:
		case <-timeout.C:
			return errors.Join(append(faults, fmt.Errorf("%w: %d calls still run", ErrNotFlushed, cap(s.slots)-n))...)
		}
	}
	return errors.Join(faults...)
}

// run executes a pipeline whose commands are looked at one by one. It returns an error only if none of
// them has one to tell.
func run(ctx context.Context, pipe redis.Pipeliner) error {
	cmds, err := pipe.Exec(ctx)
	for _, cmd := range cmds {
		if cmd.Err() != nil {
			return nil //nolint:nilerr // a command that has an error tells it
		}
	}
	return err
}

// linger is how long a call may go on after nobody waits for it: ending it at once would close its
// connection, and a Redis that is slow for a moment would have to accept new ones on top of it.
const linger = time.Second

// call runs f in a goroutine of its own and waits for it, at most timeout: whether a client obeys a
// context is up to its options. What f works on is its own until it returns.
func call[T any](ctx context.Context, s *Store, timeout time.Duration, f func(context.Context) (T, error)) (T, error) {
	type answer struct {
		value T
		err   error
	}
	var none T
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	select {
	case s.slots <- struct{}{}:
	case <-timer.C:
		return none, ErrTimeout
	case <-ctx.Done():
		return none, ctx.Err()
	}
	done := make(chan answer, 1)
	go func() {
		defer func() { <-s.slots }()
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), timeout+linger)
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
