package redislog

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cascadeql/cascadeql/cascade/tag"
	"github.com/cascadeql/cascadeql/gqlcache/changelog"
)

// A Log is a changelog.Log on Redis. See the package comment for the protocol.
//
// It makes the parts and hands calls on to them. No part knows the Log, and each calls
// only those below it here:
//
//	renewer       takes the lease, three times per TTL and when asked; pushes, reaps
//	upkeep        stands by the intents of this instance, ends those of the dead
//	announcer     announces a change, and publishes it later
//	publisher     has changes logged; keeps what the server does not take (pending)
//	confirmer     waits until nobody else can serve what is stale (acks, reaping)
//	reader        has records applied as they are logged
//	acknowledger  says what was applied, to the origins that wait for it (owed)
//	listener      hears what others have applied
//	follower      reads the log for one loop over a feed
//	applier       calls the sink, moves the position, takes the lease (intents)
//	lease         until when entries may be served
//	server        scripts, commands, keys; the form of requests and replies
//
// Each of them uses the life, the rounds (who asks for a renewal, and waits for one), the
// reporter, the counters and, for tests, the gate.
//
// These hold at any time, X being this instance:
//
//  1. The applier's position is (e, n): the sink has applied every record of e up to n,
//     or was flushed after it.
//  2. The lease runs only if, when the server granted it at number s, or since, the
//     position has reached s, in the lease's epoch; and it ends at most 0.9 TTL after the
//     request was sent.
//  3. While pending holds a publication of X that the server has not taken, the lease
//     does not run.
//  4. No lease is held while intents may be open that the sink was not given: see
//     intents.
//  5. The server has a nonce of X other than X's own, or has X as a member, or X has no
//     lease.
//
// A publication is confirmed when each member that the server had at its number n has
// acknowledged n or left, or when TTL has passed since the reply that brought n: any
// lease was then granted at n or later, because a lease granted before the number was
// requested before, and is over. With 2, whoever holds a lease has applied n. Only the
// rates of two machines' clocks are compared, over one TTL; the tenth that is left out of
// the lease is for their difference.
//
// The locks are taken in this order: life.mu, applier.mu, pending.mu, and any other last;
// of those, only own.mu is taken under another, intention.mu. None is held over I/O. The
// sink is called under applier.mu, and OnEvent under either of applier.mu and pending.mu.
type Log struct {
	instance string
	ttl      time.Duration
	closeErr func() error

	life      *life
	server    *server
	applier   *applier
	lease     *lease
	pending   *pending
	publisher *publisher
	announcer *announcer
	rounds    *rounds
	report    *reporter
	counts    *counters
	gate      *gate
	loops     []func(context.Context) // run from Start on
}

var (
	_ changelog.Log      = (*Log)(nil)
	_ changelog.Intender = (*Log)(nil)
	_ changelog.Feed     = (*Log)(nil)
)

// New returns a log that is not started. It reports everything that is wrong with the
// options at once; it does not connect. The client stays the caller's, who closes it
// after the log.
func New(client redis.UniversalClient, o Options) (*Log, error) {
	o = o.withDefaults()
	if err := o.validate(client); err != nil {
		return nil, err
	}
	o.Instance = memberName(o.Instance)

	// What has no other part in it comes first; each of the others gets the parts that it
	// calls.
	life, gate, counts, report := &life{}, &gate{}, &counters{}, newReporter(o)
	pending, rounds, own, acks, owed := &pending{}, newRounds(), &own{}, newAcks(), newOwed(o.Instance)
	server := newServer(client, o, report)
	lease := newLease(o.TTL, report, counts)
	applier := &applier{
		instance: o.Instance, ttl: o.TTL, life: life, lease: lease, pending: pending, owed: owed, rounds: rounds,
		report: report, counts: counts, joined: make(chan struct{}), intents: intents{ttl: o.IntentTTL},
	}
	applier.at.Store(&changelog.Position{})
	confirmer := &confirmer{
		instance: o.Instance, level: o.Level, budget: o.AckBudget, server: server, lease: lease, acks: acks, life: life,
		report: report, counts: counts,
	}
	publisher := &publisher{
		level: o.Level, ttl: o.TTL, budget: o.AckBudget, life: life, server: server, applier: applier,
		confirmer: confirmer, pending: pending, lease: lease, rounds: rounds, report: report, counts: counts, gate: gate,
	}
	announcer := &announcer{life: life, publisher: publisher, confirmer: confirmer, own: own, report: report, counts: counts}
	upkeep := &upkeep{
		intentTTL: o.IntentTTL, server: server, applier: applier, publisher: publisher, own: own, report: report, counts: counts,
	}
	renewer := &renewer{
		ttl: o.TTL, server: server, applier: applier, publisher: publisher, confirmer: confirmer, upkeep: upkeep,
		rounds: rounds, report: report, gate: gate,
	}
	reader := &reader{server: server, applier: applier, report: report, gate: gate}
	acknowledger := &acknowledger{server: server, applier: applier, owed: owed, report: report, gate: gate}
	listener := &listener{server: server, acks: acks, report: report}

	l := &Log{
		instance: o.Instance, ttl: o.TTL, life: life, server: server, applier: applier, lease: lease, pending: pending,
		publisher: publisher, announcer: announcer, rounds: rounds, report: report, counts: counts, gate: gate,
		loops: []func(context.Context){renewer.loop, reader.loop, acknowledger.loop, listener.loop},
	}
	l.closeErr = sync.OnceValue(l.close)
	return l, nil
}

// longestName is the longest name of a member that instances of any version acknowledge
// to.
const longestName = 64

// memberName makes the name of a member of its label. It is never that of another one:
// were it, an instance would take the other's acknowledgements for its own, and nobody
// would wait for it.
func memberName(label string) string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	random := hex.EncodeToString(b[:])
	if label == "" {
		return random
	}
	// The end of a long label says more: hosts of one kind begin alike.
	return label[max(0, len(label)+1+len(random)-longestName):] + "." + random
}

// Instance returns the name of this instance in the log: its label and a random number.
// It is another one in each process, and for each New.
func (l *Log) Instance() string { return l.instance }

// Start implements changelog.Log.
func (l *Log) Start(ctx context.Context, sink changelog.Sink) error {
	if sink == nil {
		return errors.New("redislog: the sink is nil")
	}
	return l.life.start(ctx, func() {
		l.applier.start(sink)
		for _, loop := range l.loops {
			l.life.run(loop)
		}
		context.AfterFunc(l.life.ctx, l.lease.end)
	})
}

// Close implements changelog.Log. It takes about a TTL at most where Redis answers. Where
// it is slow, a read that waits for the client's ReadTimeout comes on top.
func (l *Log) Close() error { return l.closeErr() }

func (l *Log) close() error {
	// The background ends first: a renewal after the departure would enlist the instance
	// again.
	if started := l.life.end(); !started {
		return nil
	}
	l.lease.end()
	ctx, cancel := context.WithTimeout(context.Background(), l.ttl)
	defer cancel()
	pushed := l.publisher.push(ctx)
	left := l.server.leave(ctx)
	if n := l.pending.count(); n > 0 {
		return errors.Join(fmt.Errorf("redislog: close: %d left: %w", n, changelog.ErrPending), pushed)
	}
	if left != nil {
		return fmt.Errorf("redislog: close: mutations wait once for this instance, it could not leave: %w", left)
	}
	return nil
}

// Fresh implements changelog.Log. On Linux it costs a system call.
func (l *Log) Fresh() bool { return l.lease.valid() }

// Applied implements changelog.Log.
func (l *Log) Applied() changelog.Position { return l.applier.position() }

// Publish implements changelog.Log. It waits for the server for at most a TTL. What a
// connection that breaks has left in doubt is asked for again within that time, at the
// level Strong, and else within AckBudget. More than 4096 tags are published as
// everything. After Close, a change is still published as long as the client is open:
// others must know of it. Nobody is waited for then.
func (l *Log) Publish(ctx context.Context, tags []tag.Tag, all bool) (changelog.Receipt, error) {
	return l.publisher.publish(ctx, tags, all)
}

// Intend implements changelog.Intender. It waits for the server for at most a TTL, and
// for the others for about another. More than 4096 tags are announced as everything.
func (l *Log) Intend(ctx context.Context, tags []tag.Tag, all bool) (changelog.Intention, error) {
	return l.announcer.intend(ctx, tags, all)
}

// CatchUp implements changelog.Log.
func (l *Log) CatchUp(ctx context.Context, p changelog.Position) error {
	if l.Applied().Reached(p) {
		return nil
	}
	if !l.life.isStarted() {
		return changelog.ErrNotStarted
	}
	if l.Applied().Epoch > p.Epoch {
		return changelog.ErrEpoch
	}
	err := l.rounds.wait(ctx, l.life.over())
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
