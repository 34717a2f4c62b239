package redisstore

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cascadeql/cascadeql/gqlcache/internal/pubsub"
)

// A waker hears which leases are given up, over one subscription for all keys, on a
// connection of its own. It subscribes when somebody first waits, so that a store without
// leases has no such connection, and then stays subscribed. It is safe for concurrent use.
//
// Invariants:
//  1. A channel that await hands out is closed when a message about its lease arrives, and
//     when the subscription may have missed one.
//  2. While nothing can be heard, await hands out nil: callers then ask as often as they
//     did before there were messages.
//
// A message is sent by the script that gives the lease up, after that, and behind the
// entry in the same pipeline: who is woken by it finds both.
type waker struct {
	client  redis.UniversalClient
	channel string
	log     *log

	ctx    context.Context // of the loop
	cancel context.CancelFunc
	done   sync.WaitGroup

	mu      sync.Mutex
	started bool
	closed  bool
	live    bool // the server has confirmed the subscription
	waiting map[string]map[chan struct{}]struct{}
}

func newWaker(client redis.UniversalClient, channel string, log *log) *waker {
	w := &waker{client: client, channel: channel, log: log, waiting: map[string]map[chan struct{}]struct{}{}}
	w.ctx, w.cancel = context.WithCancel(context.Background())
	return w
}

// await returns a channel that is closed when the lease at a place may have been given up
// since the call, nil while messages cannot be heard. Stop ends the wait.
func (w *waker) await(at string) (released <-chan struct{}, stop func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.started && !w.closed {
		w.started = true
		w.done.Go(w.loop)
	}
	if !w.live {
		return nil, func() {}
	}
	c := make(chan struct{})
	if w.waiting[at] == nil {
		w.waiting[at] = map[chan struct{}]struct{}{}
	}
	w.waiting[at][c] = struct{}{}
	return c, func() { w.forget(at, c) }
}

func (w *waker) forget(at string, c chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.waiting[at], c)
	if len(w.waiting[at]) == 0 {
		delete(w.waiting, at)
	}
}

// wake ends the waits for a lease.
func (w *waker) wake(at string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for c := range w.waiting[at] {
		close(c)
	}
	delete(w.waiting, at)
}

// hearing notes whether messages arrive. When they do not any more, all waits end.
func (w *waker) hearing(live bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.live = live
	if live {
		return
	}
	for _, all := range w.waiting {
		for c := range all {
			close(c)
		}
	}
	clear(w.waiting)
}

// close ends the subscription and all waits.
func (w *waker) close() {
	w.mu.Lock()
	w.closed = true
	w.mu.Unlock()
	w.cancel()
	w.done.Wait()
}

// loop listens until the store is closed.
func (w *waker) loop() {
	wait := 20 * time.Millisecond
	for w.ctx.Err() == nil {
		err := w.hear(func() {
			wait = 20 * time.Millisecond
			w.hearing(true)
		})
		w.hearing(false)
		if w.ctx.Err() != nil {
			return
		}
		w.log.once("subscribe", diagnose(err))
		pause := time.NewTimer(wait/2 + rand.N(wait))
		select {
		case <-pause.C:
		case <-w.ctx.Done():
		}
		pause.Stop()
		wait = min(2*wait, 5*time.Second)
	}
}

// hear subscribes and returns when the subscription has failed or the store is closed.
func (w *waker) hear(confirmed func()) error {
	return pubsub.Receive(w.ctx, w.client.Subscribe(w.ctx, w.channel), func(message any) {
		switch m := message.(type) {
		case *redis.Subscription:
			confirmed()
		case *redis.Message:
			w.wake(m.Payload)
		}
	})
}
