package redisstore

import (
	"context"
	"crypto/rand"
	"errors"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// A leaser takes leases of keys and gives them back. It is safe for concurrent use.
type leaser struct {
	conn    *conn
	sender  *sender
	timeout time.Duration
}

// take asks for the lease at a place: see Store.Lease.
func (l *leaser) take(ctx context.Context, at string, ttl time.Duration) (release func(context.Context), holder bool, err error) {
	release = func(context.Context) {}
	t, err := l.conn.admit(1)
	if err != nil {
		return release, false, err
	}
	token := rand.Text()
	holder, err = call(ctx, l.conn, l.timeout, func(ctx context.Context) (bool, error) {
		err := l.conn.client.SetArgs(ctx, at, token, redis.SetArgs{Mode: "NX", TTL: max(ttl, time.Millisecond)}).Err()
		if errors.Is(err, redis.Nil) {
			return false, nil
		}
		return err == nil, err
	})
	l.conn.report(t, false, l.sender.judge(ctx, err), err)
	if err != nil {
		return release, false, l.sender.failed(ctx, "lease", err, 1)
	}
	if holder {
		var once sync.Once
		release = func(ctx context.Context) { once.Do(func() { l.release(ctx, at, token) }) }
	}
	return release, holder, nil
}

// takeAll asks for the leases at several places, up to maxRead in one round trip: see
// Store.LeaseAll.
func (l *leaser) takeAll(ctx context.Context, at []string, ttl time.Duration) (held []bool, release func(context.Context), err error) {
	held = make([]bool, len(at))
	token := rand.Text()
	var mine []write
	for from := 0; from < len(at) && err == nil; from += maxRead {
		part := at[from:min(len(at), from+maxRead)]
		var taken []bool
		taken, err = l.takePart(ctx, part, token, ttl)
		for i, is := range taken {
			if held[from+i] = is; is {
				mine = append(mine, write{at: part[i], lease: token})
			}
		}
	}
	var once sync.Once
	return held, func(ctx context.Context) {
		once.Do(func() {
			if len(mine) > 0 && !l.conn.closed.Load() {
				_ = l.sender.writeAll(ctx, "release", mine)
			}
		})
	}, err
}

// takePart is one round trip of takeAll. With an error it returns the leases that it knows
// to be taken.
func (l *leaser) takePart(ctx context.Context, at []string, token string, ttl time.Duration) (taken []bool, err error) {
	t, err := l.conn.admit(len(at))
	if err != nil {
		return nil, err
	}
	timeout := l.timeout * time.Duration((len(at)+readsPerTimeout-1)/readsPerTimeout)
	answers, err := call(ctx, l.conn, timeout, func(ctx context.Context) ([]*redis.StatusCmd, error) {
		pipe := l.conn.client.Pipeline()
		asked := make([]*redis.StatusCmd, len(at))
		for i, at := range at {
			asked[i] = pipe.SetArgs(ctx, at, token, redis.SetArgs{Mode: "NX", TTL: max(ttl, time.Millisecond)})
		}
		return asked, run(ctx, pipe)
	})
	taken = make([]bool, len(at))
	for i, answer := range answers {
		e := answer.Err()
		if taken[i] = e == nil; e != nil && !errors.Is(e, redis.Nil) && err == nil {
			err = e // of a node that cannot be asked: the others have answered
		}
	}
	l.conn.report(t, false, l.sender.judge(ctx, err), err)
	if err != nil {
		return taken, l.sender.failed(ctx, "lease", err, len(at))
	}
	return taken, nil
}

// release goes the way of the writes, behind those that wait: who gets the lease then
// sees the entry.
func (l *leaser) release(ctx context.Context, at, token string) {
	if l.conn.closed.Load() {
		return
	}
	_ = l.sender.write(ctx, "release", write{at: at, lease: token}) // counted and logged; the lease ends by itself
}

// deleteLease removes a lease that is still the caller's, and tells those who wait for it.
// A user who may not publish gives leases up all the same: pcall. It returns 0: leases are
// no entries, which deletions count.
const deleteLease = `if redis.call('GETRANGE',KEYS[1],0,-1)==ARGV[1] then redis.call('UNLINK',KEYS[1]) redis.pcall('PUBLISH',ARGV[2],KEYS[1]) end return 0`
