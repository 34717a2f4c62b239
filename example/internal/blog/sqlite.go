package blog

import (
	"context"
	stdsql "database/sql"
	"database/sql/driver"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"time"

	"modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"
)

//go:embed sqlite.sql
var liteSchema string

// lite is SQLite: the file at a path. Several processes may share it: the write-ahead log
// lets readers and one writer work side by side, and writers wait for each other.
type lite struct{ path string }

func (d lite) open(ctx context.Context) (a access, err error) {
	path, err := filepath.Abs(d.path)
	defer func() {
		if err != nil {
			err = fmt.Errorf("%s: %w", path, err)
		}
	}()
	if err != nil {
		return access{}, err
	}
	a = access{
		writersAtOnce: 1,
		beginRead:     "BEGIN",
		// Immediate: a transaction that reads first and then wants to write would fail,
		// not wait, when another process wrote meanwhile.
		beginWrite: "BEGIN IMMEDIATE",
		readsAlone: true,
	}
	if a.writers, err = sqlite.NewConnector(dsn(path, "_pragma=foreign_keys(1)")); err != nil {
		return access{}, err
	}
	// mode=rw: a file that vanished is an error, not a new and empty database.
	if a.readers, err = sqlite.NewConnector(dsn(path, "mode=rw&_query_only=1")); err != nil {
		return access{}, err
	}
	db := stdsql.OpenDB(a.writers)
	a.name, err = createLite(ctx, db)
	if e := db.Close(); err == nil {
		err = e
	}
	return a, err
}

func dsn(path, more string) string {
	u := url.URL{Scheme: "file", Path: path}
	return fmt.Sprintf("%s?_pragma=busy_timeout(%d)&_pragma=synchronous(NORMAL)&%s",
		&u, busyTimeout.Milliseconds(), more)
}

// createLite switches to the write-ahead log, creates what is missing, and returns the
// database's name. SQLite does not wait by itself when two processes switch at the same
// time, so this does.
func createLite(ctx context.Context, db *stdsql.DB) (name string, err error) {
	ctx, cancel := context.WithTimeout(ctx, busyTimeout)
	defer cancel()
	for {
		name, err = tryCreateLite(ctx, db)
		if !isBusy(err) {
			return name, err
		}
		if sleep(ctx, 10*time.Millisecond) != nil {
			return "", err
		}
	}
}

func tryCreateLite(ctx context.Context, db *stdsql.DB) (name string, err error) {
	c, err := db.Conn(ctx)
	if err != nil {
		return "", err
	}
	defer func() {
		if err != nil { // a transaction that may be open ends with the connection
			_ = c.Raw(func(any) error { return driver.ErrBadConn })
		}
		_ = c.Close()
	}()
	for _, text := range []string{"PRAGMA journal_mode = WAL", "BEGIN IMMEDIATE", liteSchema} {
		if _, err := c.ExecContext(ctx, text); err != nil {
			return "", err
		}
	}
	if err := c.QueryRowContext(ctx, "SELECT name FROM about").Scan(&name); err != nil {
		return "", err
	}
	_, err = c.ExecContext(ctx, "COMMIT")
	return name, err
}

func (lite) says(t Tenant, st statement, args []any) (string, []any) {
	all := make([]any, 1, 1+len(args))
	all[0] = string(t)
	for _, arg := range args {
		if ids, ok := arg.(keys); ok {
			text, _ := json.Marshal([]string(ids)) // strings always encode
			arg = string(text)
		}
		all = append(all, arg)
	}
	if t == Admin {
		return st.admin, all
	}
	return st.tenant, all
}

// enter has nothing to do: the tenant is an argument of each statement.
func (lite) enter(context.Context, *conn, Tenant) error { return nil }

func (lite) taken(err error) bool {
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		switch e.Code() {
		case lib.SQLITE_CONSTRAINT_UNIQUE, lib.SQLITE_CONSTRAINT_PRIMARYKEY:
			return true
		}
	}
	return false
}

func (lite) overtaken(error) bool { return false }

func (lite) lost(error) bool { return false }

func (lite) refused(error) error { return nil }

func isBusy(err error) bool {
	e, ok := errors.AsType[*sqlite.Error](err)
	return ok && e.Code()&0xff == lib.SQLITE_BUSY
}
