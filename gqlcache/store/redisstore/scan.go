package redisstore

import (
	"context"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cascadeql/cascadeql/gqlcache/store"
)

const (
	scanCount = 500 // keys that Redis looks at in one step
	readBatch = 16  // values read in one round trip, each up to MaxEntryBytes
)

// A scanner looks at every entry below the prefix, whoever put it. It is safe for
// concurrent use.
type scanner struct {
	conn   *conn
	reader *reader
	names  keyNames
}

// all yields the entries: see Store.All.
func (s *scanner) all(ctx context.Context, yield func([]byte, *store.Entry) bool) {
	seen := map[string]struct{}{} // SCAN may answer a key twice
	_ = s.scan(ctx, func(node redis.Cmdable, keys []string) (bool, error) {
		fresh := keys[:0]
		for _, at := range keys {
			if _, dup := seen[at]; !dup {
				seen[at] = struct{}{}
				fresh = append(fresh, at)
			}
		}
		for len(fresh) > 0 {
			n := min(len(fresh), readBatch)
			more, err := s.yieldSome(ctx, node, fresh[:n], yield)
			if !more || err != nil {
				return false, err
			}
			fresh = fresh[n:]
		}
		return true, nil
	})
}

// yieldSome reads the values of some keys and yields those that are entries.
func (s *scanner) yieldSome(ctx context.Context, node redis.Cmdable, keys []string, yield func([]byte, *store.Entry) bool) (bool, error) {
	asked := s.reader.clock()
	pipe := node.Pipeline()
	reads := make([]func() (holding, error), len(keys))
	for i, at := range keys {
		reads[i] = s.reader.ask(ctx, pipe, at)
	}
	if err := run(ctx, pipe); err != nil {
		return false, err
	}
	for i, read := range reads {
		h, err := read()
		if err != nil && !wrongType(err) {
			return false, err
		}
		if err == nil && h.absent() {
			continue // expired since
		}
		var key []byte
		var e *store.Entry
		if err == nil {
			key, e, err = s.unkeyed(h, keys[i], asked)
		}
		if err != nil {
			s.reader.corrupt(err)
			continue
		}
		if s.conn.closed.Load() || !expired(e, s.reader.clock()) && !yield(key, e) {
			return false, nil
		}
	}
	return true, nil
}

// unkeyed makes an entry of a value that alone names its key.
func (s *scanner) unkeyed(h holding, at string, asked time.Time) ([]byte, *store.Entry, error) {
	r, err := s.reader.format.decode(h.value)
	if err != nil {
		return nil, nil, err
	}
	if s.names.entry(r.key) != at {
		return nil, nil, errKey
	}
	e, err := s.reader.format.fromRecord(r, h.left, asked)
	return r.key, e, err
}

// clear removes all entries: see Store.Clear.
func (s *scanner) clear(ctx context.Context) error {
	return s.scan(ctx, func(node redis.Cmdable, keys []string) (bool, error) {
		// One UNLINK for each key: in a cluster a command has the keys of one slot.
		cmds, err := node.Pipelined(ctx, func(pipe redis.Pipeliner) error {
			for _, at := range keys {
				pipe.Unlink(ctx, at)
			}
			return nil
		})
		for _, cmd := range cmds {
			if cmd.Err() == nil {
				s.conn.counters.deletes.Add(removed(cmd))
			}
		}
		return true, err
	})
}

// scan hands the keys below the prefix to f, some at a time, until f has enough or fails,
// and through whom to reach them.
func (s *scanner) scan(ctx context.Context, f func(node redis.Cmdable, keys []string) (bool, error)) error {
	err := s.scanNodes(ctx, f)
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case s.conn.closed.Load():
		return store.ErrClosed
	}
	s.conn.counters.readErrors.Add(1)
	s.conn.log.once("scan", diagnose(err))
	return fault("scan", err)
}

func (s *scanner) scanNodes(ctx context.Context, f func(redis.Cmdable, []string) (bool, error)) error {
	nodes, err := primaries(ctx, s.conn.client)
	if err != nil {
		return err
	}
	for _, node := range nodes {
		var cursor uint64
		via := s.route(node)
		for {
			keys, next, err := node.Scan(ctx, cursor, s.names.pattern(), scanCount).Result()
			if err != nil {
				return err
			}
			if len(keys) > 0 {
				if more, err := f(via, keys); !more || err != nil {
					return err
				}
			}
			if err := ctx.Err(); err != nil {
				return err
			}
			if cursor = next; cursor == 0 {
				break
			}
		}
	}
	return nil
}

// route returns through whom the keys are reached that a node has shown. In a cluster
// that is the client, which follows redirections: while a slot is under way, its new node
// shows keys, and answers who does not come by way of the old node with MOVED; and a key
// may have gone since it was shown.
func (s *scanner) route(node redis.Cmdable) redis.Cmdable {
	if c, ok := s.conn.client.(*redis.ClusterClient); ok {
		return c
	}
	return node
}

// primaries returns the servers that hold keys.
func primaries(ctx context.Context, c redis.UniversalClient) ([]redis.Cmdable, error) {
	var mu sync.Mutex
	var nodes []redis.Cmdable
	collect := func(_ context.Context, node *redis.Client) error {
		mu.Lock()
		defer mu.Unlock()
		nodes = append(nodes, node)
		return nil
	}
	switch c := c.(type) {
	case *redis.ClusterClient:
		err := c.ForEachMaster(ctx, collect)
		return nodes, err
	case *redis.Ring:
		err := c.ForEachShard(ctx, collect)
		return nodes, err
	}
	return []redis.Cmdable{c}, nil
}
