package blog

import (
	"context"
	stdsql "database/sql"
	"database/sql/driver"
	"fmt"
	"strings"
	"sync/atomic"
	"time"
)

const (
	// busyTimeout is how long a transaction waits for one of another process.
	busyTimeout = 10 * time.Second
	// readers bounds the snapshots open at once. One stays open while a request sleeps or
	// computes, so there are more of them than processors.
	readers = 64
)

// A Store is one database.
type Store struct {
	access
	kind        dialect
	read, write *pool
	latency     latency
	sent        atomic.Uint64
}

// Options say which database a store is over.
type Options struct {
	// Database is the path of an SQLite file, or the URL of a database of PostgreSQL,
	// which begins with postgres:// or postgresql://.
	Database string
	// Wrap, if it is not nil, is called with the connector of those who read and with the
	// one of those who write, when the tables are there. The store connects with what it
	// returns.
	Wrap func(driver.Connector) driver.Connector
}

// IsURL reports whether a database is one of PostgreSQL.
func IsURL(database string) bool {
	return strings.HasPrefix(database, "postgres://") || strings.HasPrefix(database, "postgresql://")
}

// Open opens the database at a path or URL, as [Options] have it.
func Open(ctx context.Context, database string) (*Store, error) {
	return OpenWith(ctx, Options{Database: database})
}

// OpenWith opens the database, creating the SQLite file and the tables when they are
// missing. It blocks while another process creates them.
func OpenWith(ctx context.Context, opts Options) (*Store, error) {
	s := &Store{kind: lite{opts.Database}}
	if IsURL(opts.Database) {
		s.kind = postgres{opts.Database}
	}
	s.latency.sleep = sleep
	var err error
	if s.access, err = s.kind.open(ctx); err != nil {
		return nil, fmt.Errorf("blog: %w", err)
	}
	if opts.Wrap != nil {
		s.readers, s.writers = opts.Wrap(s.readers), opts.Wrap(s.writers)
	}
	s.read = newPool(stdsql.OpenDB(s.readers), readers, &s.sent)
	s.write = newPool(stdsql.OpenDB(s.writers), s.writersAtOnce, &s.sent)
	return s, nil
}

// Close waits for reads and writes that run and closes the database.
func (s *Store) Close() error {
	err := s.read.close()
	if e := s.write.close(); err == nil {
		err = e
	}
	return err
}

// Name tells the database from all others, wherever its file is: a random name from its
// creation.
func (s *Store) Name() string { return s.name }

// Statements is the number of SQL statements sent so far, without BEGIN, COMMIT, ROLLBACK,
// what says whose rows a transaction sees, and what Open needed. A statement is counted before it is sent.
func (s *Store) Statements() uint64 { return s.sent.Load() }

// SetLatency makes every read and write slower from now on: two random sleeps below d
// around each read statement and around each transaction.
func (s *Store) SetLatency(d time.Duration) { s.latency.most.Store(int64(d)) }

// As returns a session that sees the tenant's rows.
func (s *Store) As(t Tenant) Session { return Session{store: s, tenant: t} }

// A Session reads and writes one tenant's rows; [Admin]'s reads and writes all.
type Session struct {
	store  *Store
	tenant Tenant
}

// read sends one read statement, with the latency before it and before its rows are
// handed on. The connection is not held while it sleeps, unless the context carries a
// snapshot.
func read[T any](
	ctx context.Context, s Session, st statement, scan func(*stdsql.Rows, *T) error, args ...any,
) (all []T, err error) {
	if err := s.store.latency.wait(ctx); err != nil {
		return nil, err
	}
	text, sent := s.store.kind.says(s.tenant, st, args)
	err = s.store.reading(ctx, s.tenant, func(c *conn) error {
		all, err = query(ctx, c, text, scan, sent...)
		return err
	})
	if err != nil {
		return nil, s.store.refusal("read", err)
	}
	if err := s.store.latency.wait(ctx); err != nil {
		return nil, err
	}
	return all, nil
}

// readOne is read for statements that return one row or none; then it returns nil.
func readOne[T any](
	ctx context.Context, s Session, st statement, scan func(*stdsql.Rows, *T) error, args ...any,
) (*T, error) {
	all, err := read(ctx, s, st, scan, args...)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	return &all[0], nil
}
