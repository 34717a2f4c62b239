package blog

import (
	"context"
	"sync"
)

// A snapshot is a read transaction that begins with the first read of its context. All
// reads of one root field share it, so that an author that is deleted between the
// statement that finds a post and the one that finds its author does not turn a correct
// answer into an error.
type snapshot struct {
	store *Store

	mu     sync.Mutex // one statement at a time on the connection
	conn   *conn      // nil before the first read
	closed bool
}

type snapshotKey struct{}

// Snapshot returns a context whose reads see one state of the database, the one at the
// first of them, and a function that ends it. Reads that come later see the newest state
// each, as without a snapshot. The reads may come from several goroutines.
func (s *Store) Snapshot(ctx context.Context) (context.Context, func()) {
	snap := &snapshot{store: s}
	return context.WithValue(ctx, snapshotKey{}, snap), snap.end
}

func (sn *snapshot) end() {
	sn.mu.Lock()
	defer sn.mu.Unlock()
	sn.closed = true
	if sn.conn != nil {
		sn.store.read.rollback(sn.conn)
		sn.conn = nil
	}
}

// use calls f with the snapshot's connection, which sees the tenant's rows, and reports
// false when the snapshot has ended.
func (sn *snapshot) use(ctx context.Context, t Tenant, f func(*conn) error) (bool, error) {
	sn.mu.Lock()
	defer sn.mu.Unlock()
	if sn.closed {
		return false, nil
	}
	if sn.conn == nil {
		c, err := sn.store.read.begin(ctx, sn.store.beginRead, sn.store.kind.lost)
		if err != nil {
			return true, err
		}
		sn.conn = c
	}
	if err := sn.store.kind.enter(ctx, sn.conn, t); err != nil {
		return true, err
	}
	return true, f(sn.conn)
}

// reading calls f with a connection for one read statement of a tenant.
func (s *Store) reading(ctx context.Context, t Tenant, f func(*conn) error) error {
	if sn, ok := ctx.Value(snapshotKey{}).(*snapshot); ok && sn.store == s {
		if used, err := sn.use(ctx, t, f); used {
			return err
		}
	}
	if !s.readsAlone {
		sn := &snapshot{store: s}
		defer sn.end()
		_, err := sn.use(ctx, t, f)
		return err
	}
	c, err := s.read.acquire(ctx)
	if err != nil {
		return err
	}
	defer s.read.release(c)
	return f(c)
}
