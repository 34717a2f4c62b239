package redislog

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cascadeql/cascadeql/gqlcache/changelog"
	"github.com/cascadeql/cascadeql/gqlcache/internal/safe"
)

// A Log is a changelog.Log on Redis. See the package comment for the protocol.
//
// These hold at any time, X being this instance:
//
//  1. Position is (e, n): the sink has applied every record of e up to n, or was flushed after it.
//  2. Until is the end of a lease only if, when the server granted it at number s, or since, Position has
//     reached s, in the lease's epoch; and it is at most 0.9 TTL after the request was sent.
//  3. While a publication of X is kept that the server has not taken, until is in the past.
//  4. No lease is held while intents may be open that the sink was not told of: see intents.
//  5. The server has a nonce of X other than X's own, or has X as a member, or X has no lease.
//
// A publication is confirmed when each member that the server had at its number n has acknowledged n or
// left, or when TTL has passed since the reply that brought n: any lease was then granted at n or later,
// because a lease granted before the number was requested before, and is over. With 2, whoever holds a
// lease has applied n. Only the rates of two machines' clocks are compared, over one TTL; the tenth that
// is left out of the lease is for their difference.
//
// The locks are taken in this order: mu, pending.mu, and any other alone. None is held over I/O.
type Log struct {
	client  redis.UniversalClient
	o       Options
	keys    []string // control, stream
	channel string   // where acknowledgements for this instance are announced
	trouble troubles
	counts  counters
	gate    atomic.Pointer[func(point string)] // tests stop the log at a point

	until    atomic.Int64 // end of the lease, on the clock of now
	position atomic.Pointer[changelog.Position]
	replicas atomic.Int64
	longest  atomic.Int64 // the longest lease of any instance
	deaf     atomic.Bool  // OnEvent has panicked
	down     atomic.Bool  // the server has not taken the last publication, and nothing worked since

	mu    sync.Mutex // one at a time applies to the sink and moves the position
	sink  changelog.Sink
	ready time.Duration // no lease before: see join
	since time.Duration // until then leases of earlier epochs may run

	intents intents // protected by mu

	pending pending
	acks    acks
	owed    owed
	own     own
	rounds  rounds
	reaping reaping

	joined chan struct{} // closed when the first epoch is known
	life   struct {
		sync.Mutex
		started, closed bool
		stop            context.CancelFunc
		done            sync.WaitGroup
	}
	ctx      context.Context // of the background; set by Start
	closeErr func() error
}

var _ changelog.Log = (*Log)(nil)

// New returns a log that is not started. It reports everything that is wrong with the options at once;
// it does not connect. The client stays the caller's, who closes it after the log.
func New(client redis.UniversalClient, o Options) (*Log, error) {
	o = o.withDefaults()
	if err := o.validate(client); err != nil {
		return nil, err
	}
	prefix := "{gqlc:" + o.Namespace + "}:"
	l := &Log{
		client:  client,
		o:       o,
		keys:    []string{prefix + "c", prefix + "log"},
		channel: prefix + "c:" + o.Instance,
		joined:  make(chan struct{}),
	}
	l.trouble.log = safe.Logger(o.Logger).With("component", "redislog", "namespace", o.Namespace, "instance", o.Instance)
	l.trouble.event = l.tell
	l.until.Store(never)
	l.position.Store(&changelog.Position{})
	l.longest.Store(int64(o.TTL))
	l.acks.init()
	l.owed.wake = make(chan struct{}, 1)
	l.rounds.init()
	l.closeErr = sync.OnceValue(l.close)
	return l, nil
}

func randomName() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	return fmt.Sprintf("%x", b)
}

// Start implements changelog.Log.
func (l *Log) Start(ctx context.Context, sink changelog.Sink) error {
	l.life.Lock()
	defer l.life.Unlock()
	switch {
	case sink == nil:
		return errors.New("redislog: the sink is nil")
	case l.life.closed:
		return changelog.ErrClosed
	case l.life.started:
		return changelog.ErrStarted
	}
	l.life.started = true
	ctx, l.life.stop = context.WithCancel(ctx)
	l.ctx = ctx
	l.mu.Lock()
	l.sink = sink
	l.intents.sink, _ = sink.(changelog.IntentSink)
	l.intents.open = map[changelog.Position]*openIntent{}
	l.mu.Unlock()
	l.life.done.Go(l.renewLoop)
	l.life.done.Go(l.readLoop)
	l.life.done.Go(l.ackLoop)
	l.life.done.Go(l.hearLoop)
	context.AfterFunc(ctx, func() { l.until.Store(never) })
	return nil
}

// Close implements changelog.Log. It takes at most about a TTL.
func (l *Log) Close() error { return l.closeErr() }

func (l *Log) close() error {
	l.life.Lock()
	l.life.closed = true
	started := l.life.started
	l.life.Unlock()
	if !started {
		return nil
	}
	l.life.stop()
	// The background ends first: a renewal after the departure would enlist the instance again.
	l.life.done.Wait()
	l.until.Store(never)
	ctx, cancel := context.WithTimeout(context.Background(), l.o.TTL)
	defer cancel()
	pushed := l.push(ctx)
	left := leaveScript.Run(ctx, l.client, l.keys, l.o.Instance).Err()
	if n := l.pending.count(); n > 0 {
		return errors.Join(fmt.Errorf("redislog: close: %d left: %w", n, changelog.ErrPending), pushed)
	}
	if left != nil {
		return fmt.Errorf("redislog: close: mutations wait once for this instance, it could not leave: %w", left)
	}
	return nil
}

func (l *Log) isStarted() bool {
	l.life.Lock()
	defer l.life.Unlock()
	return l.life.started
}

// Fresh implements changelog.Log. On Linux it costs a system call.
func (l *Log) Fresh() bool {
	// The end first, the clock second: the lease that was loaded is then valid when the clock is read.
	// The other way round a reader that stops in between compares an old time with a lease that was
	// taken, and ran out, since; and everything after it is not covered by any.
	until := l.until.Load()
	return until > 0 && int64(now()) < until
}

// Applied implements changelog.Log.
func (l *Log) Applied() changelog.Position { return *l.position.Load() }

// CatchUp implements changelog.Log.
func (l *Log) CatchUp(ctx context.Context, p changelog.Position) error {
	if l.Applied().Reached(p) {
		return nil
	}
	if !l.isStarted() {
		return changelog.ErrNotStarted
	}
	if l.Applied().Epoch > p.Epoch {
		return changelog.ErrEpoch
	}
	err := l.rounds.wait(ctx, l.ctx.Done())
	switch at := l.Applied(); {
	case at.Reached(p):
		return nil
	case err != nil:
		return err
	case at.Epoch > p.Epoch:
		return changelog.ErrEpoch
	}
	return changelog.ErrBehind
}

// at stops a test's log at a point.
func (l *Log) at(point string) {
	if gate := l.gate.Load(); gate != nil {
		(*gate)(point)
	}
}

func (l *Log) event(kind EventKind, p changelog.Position, detail string) {
	l.tell(Event{Kind: kind, Epoch: p.Epoch, Number: p.Number, Detail: detail})
}

// tell calls OnEvent. Most events happen on a goroutine of the log, where a panic would end the process.
func (l *Log) tell(e Event) {
	defer func() {
		if p := recover(); p != nil && !l.deaf.Swap(true) {
			l.trouble.log.Error("OnEvent panicked", "panic", p, "further", "not logged")
		}
	}()
	l.o.OnEvent(e)
}
