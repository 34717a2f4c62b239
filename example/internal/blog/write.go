package blog

import (
	"context"
	stdsql "database/sql"
	"math/rand/v2"
	"time"
)

// A tx is one write transaction of a session.
type tx struct {
	*conn
	tenant Tenant
	kind   dialect
}

// write runs f in a transaction that is committed when write returns without an error,
// and not when f returns one. f may be called again: when others that wrote at the same
// time made its transaction fail. The latency lies before and after the transaction.
func (s Session) write(ctx context.Context, f func(tx) error) error {
	if err := s.store.latency.wait(ctx); err != nil {
		return err
	}
	if err := s.transact(ctx, f); err != nil {
		return s.store.refusal("write", err)
	}
	return s.store.latency.wait(ctx)
}

// transact runs f in a transaction, and again while others overtake it: after a pause that
// is random, so that two that overtake each other do not go on doing so.
func (s Session) transact(ctx context.Context, f func(tx) error) error {
	const shortest, longest = time.Millisecond, 64 * time.Millisecond
	patience := time.Now().Add(busyTimeout)
	for pause := shortest; ; pause = min(2*pause, longest) {
		err := s.attempt(ctx, f)
		if err == nil || !s.store.kind.overtaken(err) || time.Now().After(patience) {
			return err
		}
		if e := sleep(ctx, rand.N(pause)); e != nil {
			return err
		}
	}
}

func (s Session) attempt(ctx context.Context, f func(tx) error) error {
	c, err := s.store.write.begin(ctx, s.store.beginWrite, s.store.kind.lost)
	if err != nil {
		return err
	}
	done := false
	defer func() {
		if !done { // failed or panicked
			s.store.write.rollback(c)
		}
	}()
	if err := s.store.kind.enter(ctx, c, s.tenant); err != nil {
		return err
	}
	if err := f(tx{conn: c, tenant: s.tenant, kind: s.store.kind}); err != nil {
		return err
	}
	done = true
	return s.store.commit(c)
}

// commit commits and gives the connection back. It does not obey a context: a commit cut
// off in the middle could have happened or not, and the caller would not know which.
func (s *Store) commit(c *conn) error {
	if err := c.control(context.Background(), "COMMIT"); err != nil {
		s.write.rollback(c)
		return err
	}
	s.write.release(c)
	return nil
}

// run sends a statement without rows and returns how many it affected.
func (t tx) run(ctx context.Context, st statement, args ...any) (int, error) {
	text, all := t.kind.says(t.tenant, st, args)
	return t.exec(ctx, text, all...)
}

// rows sends a statement that returns rows.
func rows[T any](
	ctx context.Context, t tx, st statement, scan func(*stdsql.Rows, *T) error, args ...any,
) ([]T, error) {
	text, all := t.kind.says(t.tenant, st, args)
	return query(ctx, t.conn, text, scan, all...)
}

// row sends a statement that returns a row or none; then it returns nil.
func row[T any](
	ctx context.Context, t tx, st statement, scan func(*stdsql.Rows, *T) error, args ...any,
) (*T, error) {
	all, err := rows(ctx, t, st, scan, args...)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	return &all[0], nil
}

// all sends the statements one after the other, with the same arguments.
func (t tx) all(ctx context.Context, sts []statement, args ...any) error {
	for _, st := range sts {
		if _, err := t.run(ctx, st, args...); err != nil {
			return err
		}
	}
	return nil
}

// must returns the row of a statement, or that the target is not found.
func must[T any](found *T, err error, what, id string) (*T, error) {
	if err == nil && found == nil {
		err = notFound(what, id)
	}
	return found, err
}

var (
	seeUser = sql(`SELECT ` + userColumns("") + ` FROM users WHERE id = ?2 AND users.VISIBLE`)
	seePost = sql(`SELECT ` + postColumns("") + ` FROM posts WHERE id = ?2 AND posts.VISIBLE`)
	seeTag  = sql(`SELECT ` + tagColumns("") + ` FROM tags WHERE id = ?2 AND tags.VISIBLE`)
)

// user, post and tag return the visible row or ErrNotFound; the id must be canonical.

func (t tx) user(ctx context.Context, id string) (*User, error) {
	u, err := row(ctx, t, seeUser, scanUser, id)
	return must(u, err, "user", id)
}

func (t tx) post(ctx context.Context, id string) (*Post, error) {
	p, err := row(ctx, t, seePost, scanPost, id)
	return must(p, err, "post", id)
}

func (t tx) tag(ctx context.Context, id string) (*Tag, error) {
	g, err := row(ctx, t, seeTag, scanTag, id)
	return must(g, err, "tag", id)
}
