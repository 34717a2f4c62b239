package blog

import (
	"context"
	stdsql "database/sql"
	"database/sql/driver"
	"sync"
	"sync/atomic"
)

// A conn is one connection with the statements prepared on it. One goroutine uses
// it at a time.
type conn struct {
	*stdsql.Conn
	prepared map[string]*stdsql.Stmt
	sent     *atomic.Uint64 // statements sent, over all connections of the store
	sees     *Tenant        // what the transaction was told to see, nil if nothing
	rested   bool           // nobody used it for a while
}

func (c *conn) prepare(ctx context.Context, text string) (*stdsql.Stmt, error) {
	if s := c.prepared[text]; s != nil {
		return s, nil
	}
	s, err := c.PrepareContext(ctx, text)
	if err == nil {
		c.prepared[text] = s
	}
	return s, err
}

// query sends a statement and returns its rows, each read by scan.
func query[T any](
	ctx context.Context, c *conn, text string, scan func(*stdsql.Rows, *T) error, args ...any,
) ([]T, error) {
	s, err := c.prepare(ctx, text)
	if err != nil {
		return nil, err
	}
	c.sent.Add(1)
	rows, err := s.QueryContext(ctx, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []T
	for rows.Next() {
		var one T
		if err := scan(rows, &one); err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, rows.Err()
}

// exec sends a statement without rows and returns how many it affected.
func (c *conn) exec(ctx context.Context, text string, args ...any) (int, error) {
	s, err := c.prepare(ctx, text)
	if err != nil {
		return 0, err
	}
	c.sent.Add(1)
	res, err := s.ExecContext(ctx, args...)
	if err != nil {
		return 0, err
	}
	n, err := res.RowsAffected()
	return int(n), err
}

// control sends BEGIN, COMMIT, ROLLBACK, or what the transaction is to see, which are not
// counted.
func (c *conn) control(ctx context.Context, text string, args ...any) error {
	_, err := c.ExecContext(ctx, text, args...)
	return err
}

// discard closes the connection instead of giving it back.
func (c *conn) discard() {
	_ = c.Raw(func(any) error { return driver.ErrBadConn })
	_ = c.Close()
}

// A pool hands out connections, the one used last first: its pages and statements are
// warm. database/sql's own pool would prepare every statement again for every
// transaction.
type pool struct {
	db    *stdsql.DB
	sent  *atomic.Uint64
	slots chan struct{} // one taken by each connection in use

	mu   sync.Mutex
	idle []*conn
}

func newPool(db *stdsql.DB, size int, sent *atomic.Uint64) *pool {
	return &pool{db: db, sent: sent, slots: make(chan struct{}, size)}
}

// acquire blocks until a connection is free or the context is done.
func (p *pool) acquire(ctx context.Context) (*conn, error) {
	select {
	case p.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if c := p.pop(); c != nil {
		return c, nil
	}
	c, err := p.db.Conn(ctx)
	if err != nil {
		<-p.slots
		return nil, err
	}
	return &conn{Conn: c, prepared: map[string]*stdsql.Stmt{}, sent: p.sent}, nil
}

func (p *pool) pop() *conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	last := len(p.idle) - 1
	if last < 0 {
		return nil
	}
	c := p.idle[last]
	p.idle = p.idle[:last]
	return c
}

// begin returns a connection in a transaction that text begins. Connections that have
// ended while nobody used them, as lost tells from the error, are replaced: a database
// that was restarted fails nobody later.
func (p *pool) begin(ctx context.Context, text string, lost func(error) bool) (*conn, error) {
	for {
		c, err := p.acquire(ctx)
		if err != nil {
			return nil, err
		}
		if err = c.control(ctx, text); err == nil {
			return c, nil
		}
		again := c.rested && lost(err) && ctx.Err() == nil
		p.rollback(c)
		if !again {
			return nil, err
		}
	}
}

// release gives back a connection that is in no transaction.
func (p *pool) release(c *conn) {
	c.sees, c.rested = nil, true
	p.mu.Lock()
	p.idle = append(p.idle, c)
	p.mu.Unlock()
	<-p.slots
}

// rollback ends the transaction of a connection and gives it back. A statement cut off by
// its context may have ended the transaction already; a connection whose state is not
// certain is not used again.
func (p *pool) rollback(c *conn) {
	if err := c.control(context.Background(), "ROLLBACK"); err != nil {
		c.discard()
		<-p.slots
		return
	}
	p.release(c)
}

// close waits for the connections in use and closes all.
func (p *pool) close() error {
	for range cap(p.slots) {
		p.slots <- struct{}{}
	}
	for c := p.pop(); c != nil; c = p.pop() {
		for _, s := range c.prepared {
			_ = s.Close()
		}
		_ = c.Close()
	}
	return p.db.Close()
}
