package blog

import (
	"context"
	stdsql "database/sql"
	_ "embed"
	"errors"
	"fmt"
	"maps"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

//go:embed postgres.sql
var postgresSchema string

const (
	// member is the role that everything runs as when the URL's user is one to whom no
	// policy applies.
	member = "cascadeql_example"
	// creation is the key of the lock that is held while tables are created.
	creation = 0x6361736361646571
	// postgresWriters bounds the transactions that write at once.
	postgresWriters = 8
)

// postgres is PostgreSQL: the database at a URL, which several processes may share. Its
// policies decide which rows a transaction sees: no statement names the tenant. Writers
// are serializable, and run again when they get into each other's way.
type postgres struct{ url string }

func (d postgres) open(ctx context.Context) (access, error) {
	cfg, err := pgx.ParseConfig(d.url)
	if err != nil {
		return access{}, err // it hides the password
	}
	a := access{
		writersAtOnce: postgresWriters,
		beginRead:     "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY",
		beginWrite:    "BEGIN ISOLATION LEVEL SERIALIZABLE",
	}
	db := stdlib.OpenDB(*cfg)
	var above bool
	a.name, above, err = createPostgres(ctx, db)
	if e := db.Close(); err == nil {
		err = e
	}
	if err != nil {
		return access{}, err
	}
	if above {
		cfg.RuntimeParams = maps.Clone(cfg.RuntimeParams)
		cfg.RuntimeParams["role"] = member
	}
	a.readers, a.writers = stdlib.GetConnector(*cfg), stdlib.GetConnector(*cfg)
	return a, nil
}

// createPostgres creates the tables if they are missing. It returns the database's name,
// and whether the user is above the policies. Then the user gets a role that is not.
func createPostgres(ctx context.Context, db *stdsql.DB) (name string, above bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, busyTimeout)
	defer cancel()
	t, err := db.BeginTx(ctx, nil)
	if err != nil {
		return "", false, err
	}
	defer func() { _ = t.Rollback() }() // nothing after the commit
	// Processes that start at once create the tables one after the other.
	if _, err := t.ExecContext(ctx, "SELECT pg_advisory_xact_lock($1)", int64(creation)); err != nil {
		return "", false, err
	}
	var schema string
	var there bool
	err = t.QueryRowContext(ctx, `SELECT rolsuper OR rolbypassrls, coalesce(quote_ident(current_schema()), ''),
		to_regclass(quote_ident(current_schema()) || '.about') IS NOT NULL
		FROM pg_roles WHERE rolname = current_user`).Scan(&above, &schema, &there)
	if err != nil {
		return "", false, err
	}
	if !there {
		if _, err := t.ExecContext(ctx, postgresSchema); err != nil {
			return "", false, err
		}
	}
	if above {
		if _, err := t.ExecContext(ctx, fmt.Sprintf(createMember, schema)); err != nil {
			return "", false, err
		}
	}
	if err := t.QueryRowContext(ctx, "SELECT name FROM about").Scan(&name); err != nil {
		return "", false, err
	}
	return name, above, t.Commit()
}

// createMember creates the role and lets it use the schema's tables. Roles belong to all
// databases of a server: another one's may be created at the same time.
const createMember = `
DO $$ BEGIN
  CREATE ROLE ` + member + ` NOLOGIN;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$;
GRANT USAGE ON SCHEMA %[1]s TO ` + member + `;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA %[1]s TO ` + member

func (postgres) says(_ Tenant, st statement, args []any) (string, []any) {
	all := make([]any, len(args))
	for i, arg := range args {
		if ids, ok := arg.(keys); ok {
			arg = []string(ids)
		}
		all[i] = arg
	}
	return st.postgres, all
}

// enter tells PostgreSQL whose rows the transaction sees, until it ends.
func (postgres) enter(ctx context.Context, c *conn, t Tenant) error {
	if c.sees != nil && *c.sees == t {
		return nil
	}
	err := c.control(ctx, "SELECT set_config('app.tenant', $1, true)", string(t))
	if err == nil {
		c.sees = &t
	}
	return err
}

// What PostgreSQL calls its errors.
const (
	uniqueViolation      = "23505"
	foreignKeyViolation  = "23503"
	notInRepertoire      = "22021"
	serializationFailure = "40001"
	deadlockDetected     = "40P01"
)

func code(err error) string {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return e.Code
	}
	return ""
}

func (postgres) taken(err error) bool { return code(err) == uniqueViolation }

// overtaken: a row that refers to one that another transaction has deleted meanwhile is an
// error of the foreign key. Run again, the transaction sees that the row is gone.
func (postgres) overtaken(err error) bool {
	switch code(err) {
	case serializationFailure, deadlockDetected, foreignKeyViolation:
		return true
	}
	return false
}

func (postgres) lost(err error) bool {
	e, ok := errors.AsType[*pgconn.PgError](err)
	return !ok || e.Severity == "FATAL"
}

func (postgres) refused(err error) error {
	if code(err) == notInRepertoire {
		return ErrText
	}
	return nil
}
