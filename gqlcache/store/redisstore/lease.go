package redisstore

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cascadeql/cascadeql/gqlcache/store"
)

var _ store.Leaser = (*Store)(nil)

// Lease implements store.Leaser. It waits at most ReadTimeout. A lease whose answer is lost runs for its
// ttl, and nobody holds it.
func (s *Store) Lease(ctx context.Context, key []byte, ttl time.Duration) (release func(context.Context), holder bool, err error) {
	release = func(context.Context) {}
	if s.closed.Load() {
		return release, false, store.ErrClosed
	}
	t, ok := s.breaker.admit(time.Now())
	if !ok {
		s.counters.skipped.Add(1)
		return release, false, ErrUnavailable
	}
	at, token := s.leaseKey(key), rand.Text()
	holder, err = call(ctx, s, s.opts.ReadTimeout, func(ctx context.Context) (bool, error) {
		err := s.opts.Client.SetArgs(ctx, at, token, redis.SetArgs{Mode: "NX", TTL: max(ttl, time.Millisecond)}).Err()
		if errors.Is(err, redis.Nil) {
			return false, nil
		}
		return err == nil, err
	})
	s.breaker.report(t, false, s.judgeWrite(ctx, err), time.Now(), err)
	if err != nil {
		return release, false, s.writeFailed(ctx, "lease", err, 1)
	}
	if holder {
		var once sync.Once
		release = func(ctx context.Context) { once.Do(func() { s.release(ctx, at, token) }) }
	}
	return release, holder, nil
}

// leaseKey returns where Redis holds the lease of a key: in the slot of its entry. The writer's pipeline is
// then one for both, on the same node, and keeps their order.
func (s *Store) leaseKey(key []byte) string {
	return strings.Replace(s.key(key), s.begin, s.opts.Prefix+":l:{", 1)
}

// release goes the way of the writes, behind those that wait: who gets the lease then sees the entry.
func (s *Store) release(ctx context.Context, at, token string) {
	if s.closed.Load() {
		return
	}
	_ = s.write(ctx, "release", write{at: at, lease: token}) // counted and logged; the lease ends by itself
}

// deleteLease removes a lease that is still the caller's. It returns 0: leases are no entries, which
// deletions count.
const deleteLease = `if redis.call('GETRANGE',KEYS[1],0,-1)==ARGV[1] then redis.call('UNLINK',KEYS[1]) end return 0`
