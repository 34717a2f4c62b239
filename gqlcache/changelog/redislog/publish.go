package redislog

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cascadeql/cascadeql/cascade"
	"github.com/cascadeql/cascadeql/gqlcache/changelog"
)

// errDown says that the server was not asked: it has just failed to answer, and whoever waits for it now
// would wait in vain.
var errDown = errors.New("redislog: the server does not answer")

// Publish implements changelog.Log. It waits for the server for at most a TTL. What a connection that breaks has
// left in doubt is asked for again within that time, at the level Strong, and else within AckBudget. More than 4096 tags are
// published as everything. After Close, a change is still published as long as the client is open: others
// must know of it. Nobody is waited for then.
func (l *Log) Publish(ctx context.Context, tags []cascade.Tag, all bool) (changelog.Receipt, error) {
	if len(tags) == 0 && !all {
		at := l.Applied()
		return changelog.Receipt{Epoch: at.Epoch, Number: at.Number, Confirmed: true}, nil
	}
	if !l.isStarted() {
		return changelog.Receipt{Why: "not started"}, changelog.ErrNotStarted
	}
	return l.log(ctx, changes{count: 1, tags: tags, all: all})
}

// log publishes a change, or settles intents, or both.
func (l *Log) log(ctx context.Context, change changes) (changelog.Receipt, error) {
	if change.all = change.all || len(change.tags) > maxTags; change.all {
		change.tags = nil
	}
	reply, err := numbered{}, errDown
	if !l.down.Load() {
		// The mutation has committed. Its caller may be gone; its change is not.
		reply, err = l.numberWithin(context.WithoutCancel(ctx), change, l.patience())
	}
	if err != nil {
		return l.keep(change, err)
	}
	w := l.take(reply, change)
	if change.nothing() { // nobody serves what is stale: nothing is
		return changelog.Receipt{Epoch: w.Epoch, Number: w.Number, Confirmed: true}, nil
	}
	l.counts.published.Add(1)
	receipt := l.await(ctx, w)
	if !receipt.Confirmed {
		l.counts.unconfirmed.Add(1)
		l.event(EventUnconfirmed, receipt.Position(), receipt.Why)
	}
	return receipt, nil
}

// keep holds a change back that the server has not taken.
func (l *Log) keep(change changes, err error) (changelog.Receipt, error) {
	l.counts.failed.Add(1)
	l.down.Store(true)
	l.pending.mu.Lock()
	l.pending.kept.add(change)
	l.dropLease() // under the lock: extend looks for kept changes under it
	l.pending.mu.Unlock()
	l.applyUnnumbered(change)
	l.trouble.begin(troublePublish, err)
	l.event(EventFailed, l.Applied(), "")
	if !errors.Is(err, errDown) {
		l.rounds.kickOff()
	}
	if l.ctx.Err() != nil { // nobody is left who would push it, but Close, if that is still to come
		err = fmt.Errorf("%w: %w", changelog.ErrClosed, err)
	}
	return changelog.Receipt{Why: "the server has not taken it"}, fmt.Errorf("%w: %w", changelog.ErrPending, err)
}

func (l *Log) applyUnnumbered(c changes) {
	if c.nothing() {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.applyHere(changelog.Record{Tags: c.tags, All: c.all})
}

// push publishes what was kept, without waiting for others: whoever published it has long been told that
// it is not confirmed.
func (l *Log) push(ctx context.Context) error {
	change, some := l.pending.take()
	if !some {
		return nil
	}
	reply, err := l.number(ctx, change)
	if err == nil {
		l.counts.published.Add(1)
		l.take(reply, change)
	}
	l.pending.settle(err)
	if err != nil {
		return err
	}
	l.down.Store(false)
	l.trouble.end(troublePublish)
	l.event(EventPushed, changelog.Position{Epoch: reply.epoch, Number: reply.number}, "")
	return nil
}

// number logs a change.
func (l *Log) number(ctx context.Context, c changes) (numbered, error) {
	ctx, cancel := context.WithTimeout(ctx, l.o.TTL)
	defer cancel()
	at := l.Applied()
	intent := 0
	if c.intent {
		intent = 1
	}
	args := []any{c.payload(), l.o.Instance, formatNumber(at.Epoch), formatNumber(at.Number), l.o.MaxLen, pageSize, intent, c.unless}
	for _, id := range c.settles {
		args = append(args, formatNumber(id.Number))
	}
	run := l.run
	if l.o.Level == changelog.Strong && l.replicas.Load() > 0 {
		run = l.runReplicated
	}
	items, err := run(ctx, args)
	if err != nil {
		return numbered{}, err
	}
	return parseNumbered(items)
}

func (l *Log) run(ctx context.Context, args []any) ([]any, error) {
	return publishScript.Run(ctx, l.client, l.keys, args...).Slice()
}

// A wait is what a publication waits for.
type wait struct {
	changelog.Position
	level    changelog.Level
	members  map[string]bool // who has not applied it, as far as is known
	replied  time.Duration
	gate     time.Duration // until then leases of older epochs may run
	outlived time.Duration // by then every lease granted before the record is over
}

// take applies the reply to a publication, and the change itself.
func (l *Log) take(reply numbered, c changes) wait {
	w := wait{
		Position: changelog.Position{Epoch: reply.epoch, Number: reply.number},
		level:    l.o.Level,
		members:  map[string]bool{},
		replied:  now(),
	}
	w.outlived = w.replied + max(reply.longest, l.term())
	l.acks.learn(reply.members)
	l.acks.only(reply.members)
	for id, n := range reply.members {
		if id != l.o.Instance && n < reply.number {
			w.members[id] = true
		}
	}
	l.counts.members.Store(int64(len(reply.members)))

	l.mu.Lock()
	defer l.mu.Unlock()
	own := changelog.Record{Number: reply.number, Tags: c.tags, All: c.all, Origin: l.o.Instance}
	if reply.epoch == l.Applied().Epoch {
		l.apply(append(reply.missed, streamRecord{Record: own, intent: c.intent, settles: c.settles}))
		w.gate = l.since
		return w
	}
	// The server has begun another epoch and does not know who holds leases, or one has begun since it
	// answered. Only the end of the longest lease says that the others have stopped. The next renewal
	// flushes; nothing is served here before.
	l.dropLease()
	if !c.intent && !c.nothing() {
		l.applyHere(own)
	}
	l.rounds.kickOff()
	w.gate = max(w.outlived, l.since)
	return w
}

// runReplicated is run, followed on the same connection by WAIT for one replica. That it is not answered in
// time is no failure: a promoted replica that lacks the record begins a new epoch. It only makes that rarer.
func (l *Log) runReplicated(ctx context.Context, args []any) ([]any, error) {
	var node *redis.Client
	switch c := l.client.(type) {
	case *redis.Client:
		node = c
	case *redis.ClusterClient:
		master, err := c.MasterForKey(ctx, l.keys[0])
		if err != nil {
			return l.run(ctx, args)
		}
		node = master
	}
	script, replicas, err := withWait(ctx, node, func(pipe redis.Pipeliner) *redis.Cmd {
		return publishScript.EvalSha(ctx, pipe, l.keys, args...)
	})
	if redis.HasErrorPrefix(err, "NOSCRIPT") { // the first time on a server
		script, replicas, err = withWait(ctx, node, func(pipe redis.Pipeliner) *redis.Cmd {
			return publishScript.Eval(ctx, pipe, l.keys, args...)
		})
	}
	if err != nil {
		if !refused(err) {
			return nil, err
		}
		return l.run(ctx, args) // the slot has moved
	}
	if n, err := replicas.Int(); err != nil {
		l.trouble.begin(troubleWAIT, err)
	} else if n == 0 {
		l.trouble.begin(troubleWAIT, nil)
	} else {
		l.trouble.end(troubleWAIT)
	}
	return script.Slice()
}

const replicaWait = 50 * time.Millisecond

// withWait runs a script and WAIT on one connection. The error is the script's.
func withWait(ctx context.Context, node *redis.Client, run func(redis.Pipeliner) *redis.Cmd) (script, replicas *redis.Cmd, err error) {
	pipe := node.Pipeline()
	script = run(pipe)
	replicas = pipe.Do(ctx, "WAIT", 1, replicaWait.Milliseconds())
	_, _ = pipe.Exec(ctx) // each command has its own error
	return script, replicas, script.Err()
}

// refused reports whether a server has answered that it did not run a command.
func refused(err error) bool {
	var answer redis.Error
	return errors.As(err, &answer)
}
