package blog

import (
	"context"
	stdsql "database/sql"
	_ "embed"
	"fmt"
	"net/url"
	"path/filepath"
	"sync/atomic"
	"time"
)

//go:embed schema.sql
var schema string

const (
	// busyTimeout is how long a transaction waits for one of another process.
	busyTimeout = 10 * time.Second
	// readers bounds the snapshots open at once. One stays open while a request sleeps or
	// computes, so there are more of them than processors.
	readers = 64
)

// A Store is one database file. Several processes may share it: SQLite's write-ahead log
// lets readers and one writer work side by side, and writers wait for each other.
type Store struct {
	read, write *pool
	latency     latency
	sent        atomic.Uint64
	name        string
}

// Open opens the database, creating the file and the tables when they are missing. It
// blocks while another process creates them.
func Open(ctx context.Context, path string) (*Store, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("blog: %w", err)
	}
	s := &Store{}
	s.latency.sleep = sleep
	writer, err := stdsql.Open("sqlite", dsn(path, "_pragma=foreign_keys(1)"))
	if err != nil {
		return nil, fmt.Errorf("blog: %s: %w", path, err)
	}
	s.write = newPool(writer, 1, &s.sent)
	if err := s.create(ctx); err != nil {
		_ = writer.Close()
		return nil, fmt.Errorf("blog: %s: %w", path, err)
	}
	// mode=rw: a file that vanished is an error, not a new and empty database.
	reader, err := stdsql.Open("sqlite", dsn(path, "mode=rw&_query_only=1"))
	if err != nil {
		_ = writer.Close()
		return nil, fmt.Errorf("blog: %s: %w", path, err)
	}
	s.read = newPool(reader, readers, &s.sent)
	return s, nil
}

func dsn(path, more string) string {
	u := url.URL{Scheme: "file", Path: path}
	return fmt.Sprintf("%s?_pragma=busy_timeout(%d)&_pragma=synchronous(NORMAL)&%s",
		&u, busyTimeout.Milliseconds(), more)
}

// create switches to the write-ahead log and creates what is missing. SQLite does not
// wait by itself when two processes switch at the same time, so this does.
func (s *Store) create(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, busyTimeout)
	defer cancel()
	for {
		err := s.tryCreate(ctx)
		if !isBusy(err) {
			return err
		}
		if sleep(ctx, 10*time.Millisecond) != nil {
			return err
		}
	}
}

func (s *Store) tryCreate(ctx context.Context) error {
	c, err := s.write.acquire(ctx)
	if err != nil {
		return err
	}
	if err := c.control(ctx, "PRAGMA journal_mode = WAL"); err != nil {
		s.write.release(c)
		return err
	}
	if err := c.control(ctx, "BEGIN IMMEDIATE"); err != nil {
		s.write.rollback(c)
		return err
	}
	if err := c.control(ctx, schema); err != nil {
		s.write.rollback(c)
		return err
	}
	if err := c.QueryRowContext(ctx, "SELECT name FROM about").Scan(&s.name); err != nil {
		s.write.rollback(c)
		return err
	}
	return s.commit(c)
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

// Statements is the number of SQL statements sent so far, without BEGIN, COMMIT, ROLLBACK
// and what Open needed. A statement is counted before it is sent.
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
	err = s.store.reading(ctx, func(c *conn) error {
		all, err = query(ctx, c, st.text(s.tenant), scan, append([]any{string(s.tenant)}, args...)...)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("blog: read: %w", err)
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
