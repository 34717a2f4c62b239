package redislog

import (
	"context"
	"sync"
)

// owed collects whom to tell what was applied. While one message is under way the next collects, so that
// a burst of records takes few messages.
type owed struct {
	wake chan struct{}

	mu      sync.Mutex // protects all below
	origins map[string]bool
}

// mostOrigins bounds one message. Who is left out reads the control key.
const mostOrigins = 64

// add remembers an origin; "" if it is not known. Nobody tells itself.
func (o *owed) add(origin, self string) {
	if origin == self {
		return
	}
	o.mu.Lock()
	if o.origins == nil {
		o.origins = map[string]bool{}
	}
	if name.MatchString(origin) && len(o.origins) < mostOrigins {
		o.origins[origin] = true
	}
	o.mu.Unlock()
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

func (o *owed) take() map[string]bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	taken := o.origins
	o.origins = nil
	return taken
}

// ackLoop says what was applied here. What fails is not repeated: renewals say it too.
func (l *Log) ackLoop() {
	for {
		select {
		case <-l.ctx.Done():
			return
		case <-l.owed.wake:
		}
		origins := l.owed.take()
		l.at("ack")
		at := l.Applied()
		args := []any{l.o.Instance, formatNumber(at.Epoch), formatNumber(at.Number)}
		for origin := range origins {
			args = append(args, origin)
		}
		ctx, cancel := context.WithTimeout(l.ctx, l.o.TTL)
		err := ackScript.Run(ctx, l.client, l.keys, args...).Err()
		cancel()
		if l.ctx.Err() == nil {
			l.trouble.is(troubleAck, err)
		}
	}
}
