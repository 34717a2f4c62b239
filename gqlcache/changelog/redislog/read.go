package redislog

import (
	"context"
	"time"

	"github.com/cascadeql/cascadeql/gqlcache/changelog"
)

// A reader applies records as they are logged. It occupies one connection of the client's
// pool.
type reader struct {
	server  *server
	applier *applier
	report  *reporter
	gate    *gate
}

// loop reads from the first epoch until the context ends.
func (r *reader) loop(ctx context.Context) {
	select {
	case <-ctx.Done():
		return
	case <-r.applier.joined:
	}
	failures, c := 0, cursor{}
	for ctx.Err() == nil {
		err := r.read(ctx, &c)
		if err == nil {
			failures = 0
			r.report.end(troubleRead)
			continue
		}
		if ctx.Err() != nil {
			return
		}
		r.report.begin(troubleRead, err)
		failures++
		pause(ctx, backoff(20*time.Millisecond, failures))
	}
}

// A cursor is where to read on from while the position stays where it is: after an entry
// that did not move it, which would else be read again and again.
type cursor struct {
	at   changelog.Position
	last string // ID of the last entry read since
}

// read waits for records once.
func (r *reader) read(ctx context.Context, c *cursor) error {
	at := r.applier.position()
	from := formatNumber(at.Number) + "-0"
	if c.at == at && c.last != "" {
		from = c.last
	}
	records, last, err := r.server.read(ctx, from)
	if err != nil || len(records) == 0 {
		return err
	}
	r.gate.pass("read")
	if reached, ok := r.applier.read(at.Epoch, records); ok {
		*c = cursor{at: reached, last: last}
	}
	return nil
}
