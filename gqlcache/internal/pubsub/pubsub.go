// Package pubsub receives the messages of a subscription to channels of Redis.
package pubsub

import (
	"context"
	"errors"
	"net"
	"time"

	"github.com/redis/go-redis/v9"
)

// silence is how long nothing is heard before the connection is tried.
const silence = 2 * time.Second

// Receive calls heard with each message of a subscription: a *redis.Subscription when the
// server has confirmed it, a *redis.Message, a *redis.Pong. It blocks until the subscription
// has failed, and returns why, or until ctx is done. Then the subscription is closed. heard
// is called on the caller's goroutine.
func Receive(ctx context.Context, subscription *redis.PubSub, heard func(message any)) error {
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
		message, err := subscription.ReceiveTimeout(ctx, silence)
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
		heard(message)
	}
}
