package redislog

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/cascadeql/cascadeql/cascade/tag"
	"github.com/cascadeql/cascadeql/gqlcache/changelog"
)

// An announcer announces changes of this instance before they are made. It is safe for
// concurrent use.
type announcer struct {
	life      *life
	publisher *publisher
	confirmer *confirmer
	own       *own
	report    *reporter
	counts    *counters
}

// intend announces a change: see Log.Intend.
func (a *announcer) intend(ctx context.Context, tags []tag.Tag, all bool) (changelog.Intention, error) {
	in := &intention{
		publisher: a.publisher,
		own:       a.own,
		change:    changes{count: 1, tags: slices.Clone(tags), all: all || len(tags) > maxTags, intent: true},
	}
	switch {
	case in.change.nothing():
		in.over = true
		return in, nil
	case !a.life.isStarted():
		return nil, changelog.ErrNotStarted
	case a.life.isOver():
		return nil, changelog.ErrClosed
	}
	if in.change.all {
		in.change.tags = nil
	}
	w, err := in.announce(ctx)
	a.report.is(troubleIntent, err)
	if err != nil {
		a.publisher.failed(err)
		a.counts.refused.Add(1)
		return nil, fmt.Errorf("%w: %w", changelog.ErrUnannounced, err)
	}
	w.level = changelog.Strong
	receipt := a.confirmer.await(ctx, w)
	if !receipt.Confirmed {
		a.counts.refused.Add(1)
		a.report.event(EventUnconfirmed, receipt.Position(), receipt.Why)
		_, err := in.Publish(ctx, nil, false)
		return nil, errors.Join(fmt.Errorf("%w: %s", changelog.ErrUnannounced, receipt.Why), err)
	}
	a.counts.intents.Add(1)
	return in, nil
}

// An intention is an intent of this instance. The log stands by it from its number until
// Publish.
type intention struct {
	publisher *publisher
	own       *own
	change    changes // as it was announced

	mu     sync.Mutex           // protects all below
	ids    []changelog.Position // one for each epoch that it was announced in
	over   bool
	signed time.Duration // when the request of the last sign of life was sent
}

// announce logs the intent, once more if it was before, and applies it here.
func (in *intention) announce(ctx context.Context) (wait, error) {
	sent := now()
	// A caller who leaves now would leave behind an intent that nobody knows the number
	// of.
	reply, err := in.publisher.numberUnlessDown(context.WithoutCancel(ctx), in.change)
	if err != nil {
		return wait{}, err
	}
	id := changelog.Position{Epoch: reply.epoch, Number: reply.number}
	in.mu.Lock()
	over := in.over
	if !over {
		in.ids, in.signed = append(in.ids, id), sent
		in.own.add(in)
	}
	in.mu.Unlock()
	w := in.publisher.take(reply, in.change)
	if over { // published meanwhile: the new announcement stands for nothing
		_, err = in.publisher.log(ctx, changes{count: 1, settles: []changelog.Position{id}})
	}
	return w, err
}

// Publish implements changelog.Intention.
func (in *intention) Publish(ctx context.Context, tags []tag.Tag, all bool) (changelog.Receipt, error) {
	in.mu.Lock()
	ids := in.ids
	in.ids, in.over = nil, true
	in.mu.Unlock()
	in.own.remove(in)
	if len(ids) == 0 {
		return in.publisher.publish(ctx, tags, all)
	}
	return in.publisher.log(ctx, changes{count: 1, tags: tags, all: all, settles: ids})
}

// last returns where the intention was last announced; false if it is published.
func (in *intention) last() (id changelog.Position, signed time.Duration, open bool) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.over || len(in.ids) == 0 {
		return id, 0, false
	}
	return in.ids[len(in.ids)-1], in.signed, true
}

// sign remembers when the request of the last sign of life was sent.
func (in *intention) sign(sent time.Duration) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.signed = sent
}

// own are the intentions of this instance that are not published. It is safe for
// concurrent use; an intention's lock may be held.
type own struct {
	mu  sync.Mutex // protects all
	all map[*intention]bool
}

func (o *own) add(in *intention) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.all == nil {
		o.all = map[*intention]bool{}
	}
	o.all[in] = true
}

func (o *own) remove(in *intention) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.all, in)
}

func (o *own) list() []*intention {
	o.mu.Lock()
	defer o.mu.Unlock()
	var all []*intention
	for in := range o.all {
		all = append(all, in)
	}
	return all
}
