package redisstore

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
	"time"

	"github.com/cascadeql/cascadeql/gqlcache/internal/safe"
	"github.com/cascadeql/cascadeql/gqlcache/store"
)

// A Store is a store.Store in Redis. See the package's documentation for what differs
// from one in memory.
//
// It makes the parts and hands calls on to them. No part knows the Store, and each calls
// only those below it here:
//
//	scanner   looks at every entry below the prefix
//	waker     hears which leases are given up
//	leaser    takes leases of keys and gives them back behind the writes that wait
//	sender    writes, at once or from its queue, and counts what becomes of the writes
//	reader    reads entries, and counts what is none
//	conn      makes single calls, if the breaker admits them, so many at a time
//	format    makes values of entries and entries of values, with the codec and the seal
//	keyNames  where Redis holds what
//
// Each lock is taken alone: that of the queue, that of the breaker, and that of the waker.
// None is held over I/O or the logger.
type Store struct {
	opts     Options
	names    keyNames
	format   *format
	conn     *conn
	reader   *reader
	sender   *sender
	leaser   *leaser
	waker    *waker
	scanner  *scanner
	queue    *queue // the sender's; nil under Through
	counters *counters

	closeOnce sync.Once
	closeErr  error
}

var (
	_ store.Store  = (*Store)(nil)
	_ store.Leaser = (*Store)(nil)
	_ store.Waker  = (*Store)(nil)
)

// New makes a store, without talking to Redis. The error names every fault of the
// options. Under Behind a store runs one goroutine until it is closed.
func New(opts Options) (*Store, error) {
	opts = opts.withDefaults()
	if err := opts.validate(); err != nil {
		return nil, err
	}
	names, format, counters, log := newKeyNames(opts.Prefix), newFormat(opts), &counters{}, &log{}
	log.Log, log.server = safe.Logger(opts.Logger), address(opts.Client)
	conn := &conn{
		client:   opts.Client,
		breaker:  &breaker{after: opts.BreakAfter, coolDown: opts.CoolDown, changed: log.breaker},
		slots:    make(chan struct{}, opts.MaxCalls),
		log:      log,
		counters: counters,
	}
	reader := &reader{conn: conn, format: format, timeout: opts.ReadTimeout, clock: opts.Clock, log: log, counters: counters}
	sender := &sender{conn: conn, timeout: opts.WriteTimeout, released: names.released, clock: opts.Clock, log: log, counters: counters}
	if opts.Write == Behind {
		sender.queue = newQueue(opts.QueueEntries, opts.QueueBytes)
		go sender.loop()
	}
	return &Store{
		opts: opts, names: names, format: format, conn: conn, reader: reader, sender: sender, queue: sender.queue,
		leaser:   &leaser{conn: conn, sender: sender, timeout: opts.ReadTimeout},
		waker:    newWaker(opts.Client, names.released, log),
		scanner:  &scanner{conn: conn, reader: reader, names: names},
		counters: counters,
	}, nil
}

// Get returns the entry of a key, as this process has queued it or as Redis holds it. It
// waits at most ReadTimeout. What is there but is no entry of this key is ErrMiss. Other
// errors say why Redis could not be asked; callers go on as after a miss. The entry's
// slices are its own.
func (s *Store) Get(ctx context.Context, key []byte) (*store.Entry, error) {
	if s.conn.closed.Load() {
		return nil, store.ErrClosed
	}
	at := s.names.entry(key)
	e, gone, queued := s.queue.lookup(at)
	if !queued {
		var err error
		if e, err = s.reader.fetch(ctx, key, at); err != nil {
			s.counters.misses.Add(1)
			return nil, err
		}
	}
	if e == nil || gone != nil && e.Version == *gone || expired(e, s.opts.Clock()) {
		s.counters.misses.Add(1)
		return nil, store.ErrMiss
	}
	s.counters.hits.Add(1)
	return e, nil
}

// Put stores an entry. Under Behind it returns once the entry is queued, or ErrDropped
// when the queue is full, and what Redis says later is counted only; under Through it
// waits at most WriteTimeout.
func (s *Store) Put(ctx context.Context, key []byte, e *store.Entry) error {
	if s.conn.closed.Load() {
		return store.ErrClosed
	}
	w := write{at: s.names.entry(key), entry: e}
	ttl, alive := s.sender.left(e)
	if alive {
		var err error
		w.value, err = s.format.encode(key, e, ttl)
		if errors.Is(err, store.ErrTooLarge) {
			s.counters.refused.Add(1)
			return err
		}
		if err != nil {
			return fmt.Errorf("redisstore: put: %w", err)
		}
	}
	if err := s.sender.write(ctx, "put", w); err != nil {
		return err
	}
	s.counters.puts.Add(1)
	return nil
}

// Delete removes an entry. It waits as Put does.
func (s *Store) Delete(ctx context.Context, key []byte) error {
	if s.conn.closed.Load() {
		return store.ErrClosed
	}
	return s.sender.write(ctx, "delete", write{at: s.names.entry(key)})
}

// DeleteEntry removes the entry of a key if its Version is that of e: copies of an entry
// have no identity. It waits as Put does.
func (s *Store) DeleteEntry(ctx context.Context, key []byte, e *store.Entry) error {
	if s.conn.closed.Load() {
		return store.ErrClosed
	}
	return s.sender.write(ctx, "delete", write{at: s.names.entry(key), version: &e.Version})
}

// Lease implements store.Leaser. It waits at most ReadTimeout. A lease whose answer is
// lost runs for its ttl, and nobody holds it.
func (s *Store) Lease(ctx context.Context, key []byte, ttl time.Duration) (release func(context.Context), holder bool, err error) {
	if s.conn.closed.Load() {
		return func(context.Context) {}, false, store.ErrClosed
	}
	return s.leaser.take(ctx, s.names.lease(key), ttl)
}

// LeaseAll implements store.BatchLeaser. It asks for 1024 leases in one round trip, in a Cluster
// for those of each node in one, and waits at most ReadTimeout for each 256 of them that it has
// begun to ask for. Once Redis could not be asked, the rest is not either.
func (s *Store) LeaseAll(ctx context.Context, keys [][]byte, ttl time.Duration) (held []bool, release func(context.Context), err error) {
	if s.conn.closed.Load() {
		return make([]bool, len(keys)), func(context.Context) {}, store.ErrClosed
	}
	at := make([]string, len(keys))
	for n, key := range keys {
		at[n] = s.names.lease(key)
	}
	return s.leaser.takeAll(ctx, at, ttl)
}

// Released implements store.Waker. The first call subscribes, in the background, on a
// connection of its own, which stays until Close. It does not block.
func (s *Store) Released(key []byte) (released <-chan struct{}, stop func()) {
	return s.waker.await(s.names.lease(key))
}

// Flush waits until the writes that are queued now have been sent and answered, or have
// failed. It returns the context's error when that ends it; under Through there is
// nothing to wait for.
func (s *Store) Flush(ctx context.Context) error {
	if s.queue == nil {
		return ctx.Err()
	}
	done := s.queue.flush()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// All ranges over the entries in Redis, whoever put them, after it has flushed what is
// queued. It looks at every key of every primary, ours or not, and remembers those it has
// seen: it is meant for tools, not for the path of requests. It obeys the context, as far
// as the client does, rather than ReadTimeout and the breaker; an error ends it and is
// counted. An entry whose slot moves to a primary that has been looked at is passed over.
func (s *Store) All(ctx context.Context) iter.Seq2[[]byte, *store.Entry] {
	return func(yield func([]byte, *store.Entry) bool) {
		if s.conn.closed.Load() || s.Flush(ctx) != nil {
			return
		}
		s.scanner.all(ctx, yield)
	}
}

// Clear removes all entries below the prefix, whoever put them; see All for what it costs
// and obeys.
func (s *Store) Clear(ctx context.Context) error {
	if s.conn.closed.Load() {
		return store.ErrClosed
	}
	if err := s.Flush(ctx); err != nil {
		return err
	}
	return s.scanner.clear(ctx)
}

// Close writes what is queued, as long as CloseTimeout allows, and waits as long again
// for calls that are running. The entries stay in Redis. It returns ErrNotFlushed when
// the time was too short.
func (s *Store) Close() error {
	s.closeOnce.Do(func() { s.closeErr = s.close() })
	return s.closeErr
}

func (s *Store) close() error {
	s.conn.closed.Store(true)
	s.waker.close()
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
	if err := s.conn.wait(s.opts.CloseTimeout); err != nil {
		faults = append(faults, err)
	}
	return errors.Join(faults...)
}
