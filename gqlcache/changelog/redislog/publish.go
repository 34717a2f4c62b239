package redislog

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/cascadeql/cascadeql/cascade/tag"
	"github.com/cascadeql/cascadeql/gqlcache/changelog"
)

// errDown says that the server was not asked: it has just failed to answer, and whoever
// waits for it now would wait in vain.
var errDown = errors.New("redislog: the server does not answer")

// A publisher has changes of this instance logged, applies them here, and waits for the
// others. It keeps what the server does not take. It is safe for concurrent use.
type publisher struct {
	level     changelog.Level
	ttl       time.Duration
	budget    time.Duration
	life      *life
	server    *server
	applier   *applier
	confirmer *confirmer
	pending   *pending
	lease     *lease
	rounds    *rounds
	report    *reporter
	counts    *counters
	gate      *gate

	down atomic.Bool // the server has not taken the last publication, and nothing worked since
}

// publish publishes a change: see Log.Publish.
func (p *publisher) publish(ctx context.Context, tags []tag.Tag, all bool) (changelog.Receipt, error) {
	if len(tags) == 0 && !all {
		at := p.applier.position()
		return changelog.Receipt{Epoch: at.Epoch, Number: at.Number, Confirmed: true}, nil
	}
	if !p.life.isStarted() {
		return changelog.Receipt{Why: "not started"}, changelog.ErrNotStarted
	}
	return p.log(ctx, changes{count: 1, tags: tags, all: all})
}

// log logs a change, or settles intents, or both, and waits for the others. REQUIRES: the
// life has started.
func (p *publisher) log(ctx context.Context, change changes) (changelog.Receipt, error) {
	if change.all = change.all || len(change.tags) > maxTags; change.all {
		change.tags = nil
	}
	reply, err := numbered{}, errDown
	if !p.down.Load() {
		// The mutation has committed. Its caller may be gone; its change is not.
		reply, err = p.numberWithin(context.WithoutCancel(ctx), change, p.patience())
	}
	if err != nil {
		return p.keep(change, err)
	}
	w := p.take(reply, change)
	if change.nothing() { // nobody serves what is stale: nothing is
		return changelog.Receipt{Epoch: w.Epoch, Number: w.Number, Confirmed: true}, nil
	}
	p.counts.published.Add(1)
	receipt := p.confirmer.await(ctx, w)
	if !receipt.Confirmed {
		p.counts.unconfirmed.Add(1)
		p.report.event(EventUnconfirmed, receipt.Position(), receipt.Why)
	}
	return receipt, nil
}

// keep holds a change back that the server has not taken.
func (p *publisher) keep(change changes, err error) (changelog.Receipt, error) {
	p.counts.failed.Add(1)
	p.down.Store(true)
	p.pending.keep(change, func() { p.lease.drop(p.applier.position()) })
	p.applier.applyUnnumbered(change)
	p.report.begin(troublePublish, err)
	p.report.event(EventFailed, p.applier.position(), "")
	p.retry(err)
	if p.life.isOver() { // nobody is left who would push it, but Close, if that is still to come
		err = fmt.Errorf("%w: %w", changelog.ErrClosed, err)
	}
	return changelog.Receipt{Why: "the server has not taken it"}, fmt.Errorf("%w: %w", changelog.ErrPending, err)
}

// failed remembers that the server has not taken a change that is not kept.
func (p *publisher) failed(err error) {
	p.down.Store(true)
	p.retry(err)
}

// retry asks for a round of renewal, unless the server was not asked at all.
func (p *publisher) retry(err error) {
	if !errors.Is(err, errDown) {
		p.rounds.kickOff()
	}
}

// answered remembers that the server answers.
func (p *publisher) answered() { p.down.Store(false) }

// push publishes what was kept, without waiting for others: whoever published it has long
// learnt that it is not confirmed.
func (p *publisher) push(ctx context.Context) error {
	change, some := p.pending.take()
	if !some {
		return nil
	}
	reply, err := p.number(ctx, change)
	if err == nil {
		p.counts.published.Add(1)
		p.take(reply, change)
	}
	p.pending.finish(err)
	if err != nil {
		return err
	}
	p.answered()
	p.report.end(troublePublish)
	p.report.event(EventPushed, changelog.Position{Epoch: reply.epoch, Number: reply.number}, "")
	return nil
}

// number logs a change.
func (p *publisher) number(ctx context.Context, c changes) (numbered, error) {
	return p.server.publish(ctx, p.applier.position(), c)
}

// numberUnlessDown logs a change, if the server answered the last time.
func (p *publisher) numberUnlessDown(ctx context.Context, c changes) (numbered, error) {
	if p.down.Load() {
		return numbered{}, errDown
	}
	return p.number(ctx, c)
}

// take applies the reply to a publication, and the change itself. It returns what the
// publication waits for.
func (p *publisher) take(reply numbered, c changes) wait {
	w := p.confirmer.expect(reply)
	w.gate = p.applier.take(reply, c, w.outlived)
	return w
}
