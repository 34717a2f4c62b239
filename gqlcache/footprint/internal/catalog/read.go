package catalog

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// A Version tells definitions apart: another one says that they may have changed.
type Version = [32]byte

// A Connection says what a connection is, whatever the definitions.
type Connection struct {
	// Replica says that it is one that follows another server, ReadOnly that it refuses
	// writes.
	Replica, ReadOnly bool
	// ReadUncommitted says that it sees what others have not committed.
	ReadUncommitted bool
	// ForeignKeys says that foreign keys are enforced for its writes, Triggers that its
	// writes fire triggers.
	ForeignKeys, Triggers bool
	// SearchPath is PostgreSQL's, as the server writes it, and DefaultPath what it is after
	// RESET.
	SearchPath, DefaultPath string
	// Role is PostgreSQL's current user, "" where it is not the one of the session.
	Role string
}

// ErrDialect says that there is no reader for a Dialect.
var ErrDialect = errors.New("catalog: unknown dialect")

// readings is how often Read starts over when the definitions change meanwhile.
const readings = 3

// Read reads the catalog. An error says that nothing is known.
//
// The Version of the result was read before all else, because a version that was read
// afterwards would hide a change in between:
//
//	Read: tables, without trigger r on t
//	DDL:  CREATE TRIGGER r ON t, commits
//	Read: version, with r
//	poll: the version is the same, so r stays unknown for ever
func Read(ctx context.Context, d Dialect, q Query) (*Catalog, error) {
	var c *Catalog
	version, err := ReadVersion(ctx, d, q)
	for range readings {
		if err != nil {
			return nil, err
		}
		if c, err = read(ctx, d, q); err != nil {
			// A relation that was dropped between two queries is an error of the second.
			after, again := ReadVersion(ctx, d, q)
			if again != nil || after == version {
				return nil, err
			}
			version, err = after, nil
			continue
		}
		c.Version = version
		// The queries saw one state if nothing has changed. If something has, the version
		// from before makes the next poll find it.
		var after Version
		if after, err = ReadVersion(ctx, d, q); err != nil || after == version {
			break
		}
		version = after
	}
	if err != nil {
		return nil, err
	}
	if c == nil {
		return nil, errors.New("catalog: the definitions change all the time")
	}
	return c, nil
}

func read(ctx context.Context, d Dialect, q Query) (*Catalog, error) {
	switch d {
	case SQLite:
		return readSQLite(ctx, q)
	case PostgreSQL:
		return readPostgres(ctx, q)
	}
	return nil, ErrDialect
}

// ReadVersion asks whether the definitions have changed, by few queries without a result of
// size.
func ReadVersion(ctx context.Context, d Dialect, q Query) (Version, error) {
	switch d {
	case SQLite:
		return versionSQLite(ctx, q)
	case PostgreSQL:
		return versionPostgres(ctx, q)
	}
	return Version{}, ErrDialect
}

// ReadConnection asks what the connection is.
func ReadConnection(ctx context.Context, d Dialect, q Query) (Connection, error) {
	switch d {
	case SQLite:
		return connectionSQLite(ctx, q)
	case PostgreSQL:
		return connectionPostgres(ctx, q)
	}
	return Connection{}, ErrDialect
}

// A record is a row, whatever the driver makes of it.
type record []driver.Value

// text returns column i as text, "" for NULL.
func (r record) text(i int) string {
	switch v := r[i].(type) {
	case nil:
		return ""
	case string:
		return strings.Clone(v)
	case []byte:
		return string(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case bool:
		return strconv.FormatBool(v)
	default:
		return fmt.Sprint(v)
	}
}

// number returns column i as a number, 0 for what is none.
func (r record) number(i int) int64 {
	if v, ok := r[i].(int64); ok {
		return v
	}
	n, _ := strconv.ParseInt(r.text(i), 10, 64)
	return n
}

// yes reports whether column i is true.
func (r record) yes(i int) bool {
	switch r.text(i) {
	case "1", "t", "true", "on", "yes":
		return true
	}
	return false
}

// each runs a query of n columns, and calls row for each of its rows.
func (q Query) each(ctx context.Context, n int, text string, row func(record), args ...string) error {
	values := make([]driver.NamedValue, len(args))
	for i, a := range args {
		values[i] = driver.NamedValue{Ordinal: i + 1, Value: a}
	}
	return q(ctx, text, values, func(v []driver.Value) error {
		if len(v) != n {
			return fmt.Errorf("catalog: %d columns instead of %d", len(v), n)
		}
		row(v)
		return nil
	})
}

// lower folds the case of ASCII letters, as SQLite does.
func lower(s string) string {
	for i := range len(s) {
		if c := s[i]; 'A' <= c && c <= 'Z' {
			b := []byte(s)
			for ; i < len(b); i++ {
				if c := b[i]; 'A' <= c && c <= 'Z' {
					b[i] = c + 'a' - 'A'
				}
			}
			return string(b)
		}
	}
	return s
}
