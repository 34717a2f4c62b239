package redislog

import (
	"context"
	"errors"
	"net"
	"time"

	"github.com/redis/go-redis/v9"
)

// hearSilence is how long nothing is heard before the connection is tried.
const hearSilence = 2 * time.Second

// A listener hears what others have applied. It only makes publications return sooner. It
// has a connection of its own.
type listener struct {
	server *server
	acks   *acks
	report *reporter
}

// loop listens until the context ends.
func (l *listener) loop(ctx context.Context) {
	failures := 0
	for ctx.Err() == nil {
		err := l.hear(ctx, func() {
			failures = 0
			l.report.end(troubleHear)
		})
		if ctx.Err() != nil {
			return
		}
		l.report.begin(troubleHear, err)
		failures++
		pause(ctx, backoff(20*time.Millisecond, failures))
	}
}

// hear subscribes and returns when the subscription has failed or the context ends.
func (l *listener) hear(ctx context.Context, well func()) error {
	subscription := l.server.subscribe(ctx)
	stop, closed := make(chan struct{}), make(chan struct{})
	go func() { // a receive obeys no context, only the end of its connection
		defer close(closed)
		select {
		case <-ctx.Done():
		case <-stop:
		}
		_ = subscription.Close()
	}()
	defer func() { close(stop); <-closed }()
	asked := false
	for {
		message, err := subscription.ReceiveTimeout(ctx, hearSilence)
		var network net.Error
		if errors.As(err, &network) && network.Timeout() && !asked && ctx.Err() == nil {
			// Silence is usual, and is also what a dead connection sounds like.
			if err := subscription.Ping(ctx); err != nil {
				return err
			}
			asked = true
			continue
		}
		if err != nil {
			return err
		}
		asked = false
		well()
		if m, ok := message.(*redis.Message); ok {
			l.acks.hear(m.Payload)
		}
	}
}
