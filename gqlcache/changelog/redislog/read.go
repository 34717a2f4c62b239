package redislog

import (
	"context"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cascadeql/cascadeql/gqlcache/changelog"
)

const (
	readCount = 512
	// readBlock is how long one read of the log waits for a record. It is also how long Close may wait.
	readBlock = 200 * time.Millisecond
)

// readLoop applies records as they are logged. It occupies one connection of the client's pool.
func (l *Log) readLoop() {
	select {
	case <-l.ctx.Done():
		return
	case <-l.joined:
	}
	failures, c := 0, cursor{}
	for l.ctx.Err() == nil {
		err := l.read(&c)
		if err == nil {
			failures = 0
			l.trouble.end(troubleRead)
			continue
		}
		if l.ctx.Err() != nil {
			return
		}
		l.trouble.begin(troubleRead, err)
		failures++
		l.pause(backoff(20*time.Millisecond, failures))
	}
}

// A cursor is where to read on from while the position stays where it is: after an entry that did not move it,
// which would else be read again and again.
type cursor struct {
	at   changelog.Position
	last string // ID of the last entry read since
}

// read waits for records once.
func (l *Log) read(c *cursor) error {
	at := l.Applied()
	from := formatNumber(at.Number) + "-0"
	if c.at == at && c.last != "" {
		from = c.last
	}
	ctx, cancel := context.WithTimeout(l.ctx, readBlock+l.o.TTL)
	defer cancel()
	streams, err := l.client.XRead(ctx, &redis.XReadArgs{
		Streams: []string{l.keys[1], from}, Count: readCount, Block: readBlock,
	}).Result()
	if errors.Is(err, redis.Nil) || err == nil && len(streams) == 0 {
		return nil
	}
	if err != nil {
		return err
	}
	messages := streams[0].Messages
	records := make([]streamRecord, 0, len(messages))
	for _, m := range messages {
		payload, _ := m.Values["t"].(string)
		origin, _ := m.Values["o"].(string)
		records = append(records, parseRecord(m.ID, payload, origin))
	}
	l.at("read")
	l.mu.Lock()
	defer l.mu.Unlock()
	// In another epoch, these may be records of the old one.
	if l.Applied().Epoch == at.Epoch {
		l.apply(records)
		*c = cursor{at: l.Applied(), last: messages[len(messages)-1].ID}
	}
	return nil
}
