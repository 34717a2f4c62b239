package redislog

import (
	"context"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cascadeql/cascadeql/gqlcache/internal/pubsub"
)

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
	return pubsub.Receive(ctx, l.server.subscribe(ctx), func(message any) {
		well()
		if m, ok := message.(*redis.Message); ok {
			l.acks.hear(m.Payload)
		}
	})
}
