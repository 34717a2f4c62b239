package redislog

import (
	"context"
	"sync"
)

// owed collects the origins of the records that were applied and not acknowledged. While
// one message is under way the next collects, so that a burst of records takes few
// messages. It is safe for concurrent use.
type owed struct {
	self string
	wake chan struct{}

	mu      sync.Mutex // protects all below
	origins map[string]bool
}

// mostOrigins bounds one message. Who is left out reads the control key.
const mostOrigins = 64

func newOwed(self string) *owed { return &owed{self: self, wake: make(chan struct{}, 1)} }

// add remembers an origin; "" if it is not known. An instance owes itself nothing.
func (o *owed) add(origin string) {
	if origin == o.self {
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

// An acknowledger says what was applied here. It does not repeat what fails: renewals say
// it too.
type acknowledger struct {
	server  *server
	applier *applier
	owed    *owed
	report  *reporter
	gate    *gate
}

// loop acknowledges until the context ends.
func (a *acknowledger) loop(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-a.owed.wake:
		}
		origins := a.owed.take()
		a.gate.pass("ack")
		err := a.server.acknowledge(ctx, a.applier.position(), origins)
		if ctx.Err() == nil {
			a.report.is(troubleAck, err)
		}
	}
}
