package redislog

import (
	"context"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"
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
	failures, cursor := 0, ""
	for l.ctx.Err() == nil {
		var err error
		if cursor, err = l.read(cursor); err == nil {
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

// read waits for records once. The cursor is the ID of the last entry seen: it is needed only when entries
// that are not ours follow the position, which would else be read again for ever.
func (l *Log) read(cursor string) (string, error) {
	at := l.Applied()
	from := formatNumber(at.Number) + "-0"
	if parseRecord(cursor, "", "").Number == at.Number && cursor != "" {
		from = cursor
	}
	ctx, cancel := context.WithTimeout(l.ctx, readBlock+l.o.TTL)
	defer cancel()
	streams, err := l.client.XRead(ctx, &redis.XReadArgs{
		Streams: []string{l.keys[1], from}, Count: readCount, Block: readBlock,
	}).Result()
	if errors.Is(err, redis.Nil) || err == nil && len(streams) == 0 {
		return cursor, nil
	}
	if err != nil {
		return cursor, err
	}
	records := make([]streamRecord, 0, len(streams[0].Messages))
	for _, m := range streams[0].Messages {
		payload, _ := m.Values["t"].(string)
		origin, _ := m.Values["o"].(string)
		records = append(records, parseRecord(m.ID, payload, origin))
		cursor = m.ID
	}
	l.at("read")
	l.mu.Lock()
	defer l.mu.Unlock()
	// In another epoch, these may be records of the old one.
	if l.Applied().Epoch == at.Epoch {
		l.apply(records)
	}
	return cursor, nil
}
