package redislog

import (
	"context"
	"errors"

	"github.com/redis/go-redis/v9"

	"github.com/cascadeql/cascadeql/gqlcache/changelog"
)

var _ changelog.Tail = (*Log)(nil)

// LastChanges implements changelog.Tail.
func (l *Log) LastChanges(ctx context.Context, n int) ([]changelog.Change, error) {
	ctx, stop, err := l.life.within(ctx)
	if err != nil {
		return nil, err
	}
	defer stop()
	changes, err := l.server.tail(ctx, n)
	if over := context.Cause(ctx); err != nil && over != nil {
		err = over
	}
	return changes, err
}

// tail reads the stream backwards until it has n changes of the epoch. The records are
// read before the epoch is: those whose numbers are greater than it belong to it.
func (s *server) tail(ctx context.Context, n int) ([]changelog.Change, error) {
	var changes []changelog.Change
	for from := "+"; len(changes) < n; {
		records, last, err := s.before(ctx, from)
		if err != nil {
			return nil, err
		}
		head, err := s.head(ctx)
		if err != nil {
			return nil, err
		}
		for _, r := range records {
			switch {
			case !r.misnumbered && r.Number <= head.Epoch:
				return changes, nil // of an older epoch, as all before it
			case r.unknown:
				r.Record = changelog.Record{Number: r.Number, All: true, Origin: r.Origin}
			case r.silent():
				continue
			}
			if len(changes) < n {
				changes = append(changes, changelog.Change{Epoch: head.Epoch, Record: r.Record})
			}
		}
		if len(records) == 0 {
			return changes, nil
		}
		from = "(" + last
	}
	return changes, nil
}

// before returns the records of the stream up to an ID, the youngest first, and the ID of
// the last of them.
func (s *server) before(ctx context.Context, from string) (records []streamRecord, last string, err error) {
	ctx, cancel := context.WithTimeout(ctx, s.ttl)
	defer cancel()
	messages, err := s.client.XRevRangeN(ctx, s.stream, from, "-", readCount).Result()
	if err != nil && !errors.Is(err, redis.Nil) {
		return nil, "", err
	}
	for _, m := range messages {
		payload, _ := m.Values["t"].(string)
		origin, _ := m.Values["o"].(string)
		records, last = append(records, parseRecord(m.ID, payload, origin)), m.ID
	}
	return records, last, nil
}
