package redislog

import (
	"errors"
	"net"
	"time"

	"github.com/redis/go-redis/v9"
)

// hearSilence is how long nothing is heard before the connection is tried.
const hearSilence = 2 * time.Second

// hearLoop listens for what others have applied. It only makes publications return sooner. It has a
// connection of its own.
func (l *Log) hearLoop() {
	failures := 0
	for l.ctx.Err() == nil {
		err := l.hear(func() {
			failures = 0
			l.trouble.end(troubleHear)
		})
		if l.ctx.Err() != nil {
			return
		}
		l.trouble.begin(troubleHear, err)
		failures++
		l.pause(backoff(20*time.Millisecond, failures))
	}
}

// hear subscribes and returns when the subscription has failed or the log is closed.
func (l *Log) hear(well func()) error {
	subscription := l.client.Subscribe(l.ctx, l.channel)
	stop, closed := make(chan struct{}), make(chan struct{})
	go func() { // a receive obeys no context, only the end of its connection
		defer close(closed)
		select {
		case <-l.ctx.Done():
		case <-stop:
		}
		_ = subscription.Close()
	}()
	defer func() { close(stop); <-closed }()
	asked := false
	for {
		message, err := subscription.ReceiveTimeout(l.ctx, hearSilence)
		var network net.Error
		if errors.As(err, &network) && network.Timeout() && !asked && l.ctx.Err() == nil {
			// Silence is usual, and is also what a dead connection sounds like.
			if err := subscription.Ping(l.ctx); err != nil {
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
