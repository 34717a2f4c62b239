package footprintpgx

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cascadeql/cascadeql/internal/pgtest"
)

// tenantTrap is a way in which pgx runs a statement under another search_path than the last
// one that was seen. It changes the row of t2.
type tenantTrap struct {
	name   string
	config func(*pgxpool.Config)
	write  func(*rig) error
}

// batchOf has statements sent together.
func batchOf(texts ...string) *pgx.Batch {
	b := &pgx.Batch{}
	for _, text := range texts {
		b.Queue(text)
	}
	return b
}

const changePost = `UPDATE posts SET name = 'x' WHERE id = 1`

var tenantTraps = []tenantTrap{
	{
		name: "a batch commits",
		write: func(r *rig) error {
			ctx := r.t.Context()
			r.exec(r, `SET search_path TO t2`)
			tx, err := r.Begin(ctx)
			if err != nil {
				return err
			}
			defer func() { _ = tx.Rollback(ctx) }()
			r.exec(tx, `SET LOCAL search_path TO t1`)
			return tx.SendBatch(ctx, batchOf(`COMMIT`, changePost)).Close()
		},
	},
	{
		name: "a batch rolls back",
		write: func(r *rig) error {
			ctx := r.t.Context()
			r.exec(r, `SET search_path TO t2`)
			tx, err := r.Begin(ctx)
			if err != nil {
				return err
			}
			defer func() { _ = tx.Rollback(ctx) }()
			r.exec(tx, `SET search_path TO t1`)
			return tx.SendBatch(ctx, batchOf(`ROLLBACK`, changePost)).Close()
		},
	},
	{
		name: "a batch rolls back to a savepoint",
		write: func(r *rig) error {
			ctx := r.t.Context()
			tx, err := r.Begin(ctx)
			if err != nil {
				return err
			}
			defer func() { _ = tx.Rollback(ctx) }()
			r.exec(tx, `SET LOCAL search_path TO t2`)
			r.exec(tx, `SAVEPOINT a`)
			r.exec(tx, `SET LOCAL search_path TO t1`)
			if err := tx.SendBatch(ctx, batchOf(`ROLLBACK TO a`, changePost)).Close(); err != nil {
				return err
			}
			return tx.Commit(ctx)
		},
	},
	{
		name: "a batch with SET",
		write: func(r *rig) error {
			return r.SendBatch(r.t.Context(), batchOf(`SELECT 1`, `SET search_path TO t2`, changePost)).Close()
		},
	},
	{
		name: "a batch whose SET is rolled back by an error",
		write: func(r *rig) error {
			r.exec(r, `SET search_path TO t2`)
			_ = r.SendBatch(r.t.Context(), batchOf(`SET search_path TO t1`, `SELECT 1/0`)).Close()
			r.exec(r, changePost)
			return nil
		},
	},
	{
		name: "a hook with PgConn",
		config: func(c *pgxpool.Config) {
			c.BeforeAcquire = func(ctx context.Context, pg *pgx.Conn) bool { //nolint:staticcheck // older applications have it
				return pg.PgConn().Exec(ctx, `SET search_path TO t2`).Close() == nil
			}
		},
		write: func(r *rig) error {
			r.exec(r, changePost)
			return nil
		},
	},
	{
		name: "a hook with a statement",
		config: func(c *pgxpool.Config) {
			c.PrepareConn = func(ctx context.Context, pg *pgx.Conn) (bool, error) {
				_, err := pg.Exec(ctx, `SET search_path TO t2`)
				return err == nil, err
			}
		},
		write: func(r *rig) error {
			r.exec(r, changePost)
			return nil
		},
	},
	{
		name: "a hook when the connection comes back",
		config: func(c *pgxpool.Config) {
			c.AfterRelease = func(pg *pgx.Conn) bool {
				return pg.PgConn().Exec(context.Background(), `SET search_path TO t2`).Close() == nil
			}
		},
		write: func(r *rig) error {
			r.exec(r, `SELECT 1`)
			r.exec(r, `SELECT 1`)
			r.exec(r, changePost)
			return nil
		},
	},
	{
		name: "PgConn of a connection of pgx's pool",
		write: func(r *rig) error {
			ctx := r.t.Context()
			c, err := r.Unwrap().Acquire(ctx)
			if err != nil {
				return err
			}
			defer c.Release()
			if err := c.Conn().PgConn().Exec(ctx, `SET search_path TO t2`).Close(); err != nil {
				return err
			}
			_, err = c.Exec(ctx, changePost)
			return err
		},
	},
	{
		name: "PgConn of a connection of pgx's pool, before",
		write: func(r *rig) error {
			ctx := r.t.Context()
			c, err := r.Unwrap().Acquire(ctx)
			if err != nil {
				return err
			}
			err = c.Conn().PgConn().Exec(ctx, `SET search_path TO t2`).Close()
			c.Release()
			if err != nil {
				return err
			}
			r.exec(r, changePost)
			return nil
		},
	},
	{
		name: "Conn",
		write: func(r *rig) error {
			ctx := r.t.Context()
			c, err := r.Acquire(ctx)
			if err != nil {
				return err
			}
			defer c.Release()
			if err := c.Conn().PgConn().Exec(ctx, `SET search_path TO t2`).Close(); err != nil {
				return err
			}
			r.exec(c, `SELECT 1`)
			r.exec(c, changePost)
			return nil
		},
	},
	{
		name: "a transaction with its own words",
		write: func(r *rig) error {
			ctx := r.t.Context()
			tx, err := r.BeginTx(ctx, pgx.TxOptions{BeginQuery: `BEGIN; SET LOCAL search_path TO t2`})
			if err != nil {
				return err
			}
			defer func() { _ = tx.Rollback(ctx) }()
			r.exec(tx, changePost)
			return tx.Commit(ctx)
		},
	},
	{
		name: "a commit with its own words",
		write: func(r *rig) error {
			ctx := r.t.Context()
			tx, err := r.BeginTx(ctx, pgx.TxOptions{CommitQuery: `COMMIT; SET search_path TO t2`})
			if err != nil {
				return err
			}
			defer func() { _ = tx.Rollback(ctx) }()
			r.exec(tx, `SET LOCAL search_path TO t1`)
			if err := tx.Commit(ctx); err != nil {
				return err
			}
			r.exec(r, changePost)
			return nil
		},
	},
	{
		name: "a nested transaction",
		write: func(r *rig) error {
			ctx := r.t.Context()
			tx, err := r.Begin(ctx)
			if err != nil {
				return err
			}
			defer func() { _ = tx.Rollback(ctx) }()
			r.exec(tx, `SET LOCAL search_path TO t2`)
			inner, err := tx.Begin(ctx)
			if err != nil {
				return err
			}
			r.exec(inner, `SET LOCAL search_path TO t1`)
			if err := inner.Rollback(ctx); err != nil {
				return err
			}
			r.exec(tx, changePost)
			return tx.Commit(ctx)
		},
	},
	{
		name: "a prepared statement",
		write: func(r *rig) error {
			ctx := r.t.Context()
			c, err := r.Acquire(ctx)
			if err != nil {
				return err
			}
			defer c.Release()
			r.exec(c, `SET search_path TO t1`)
			if _, err := c.Prepare(ctx, "change", changePost); err != nil {
				return err
			}
			r.exec(c, `SET search_path TO t2`)
			r.exec(c, "change")
			return nil
		},
	},
	{
		name: "CopyFrom",
		write: func(r *rig) error {
			ctx := r.t.Context()
			r.exec(r, `SET search_path TO t2`)
			_, err := r.CopyFrom(ctx, pgx.Identifier{"posts"}, []string{"id", "name"}, pgx.CopyFromRows([][]any{{9, "x"}}))
			return err
		},
	},
	{
		name: "a SET that was cancelled",
		write: func(r *rig) error {
			ctx, cancel := context.WithCancel(r.t.Context())
			cancel()
			r.exec(r, `SET search_path TO t2`)
			_, _ = r.Exec(ctx, `SET search_path TO t1`)
			r.exec(r, changePost)
			return nil
		},
	},
}

func TestTenantTraps(t *testing.T) {
	for _, c := range tenantTraps {
		t.Run(c.name, func(t *testing.T) {
			r := &rig{t: t, url: pgtest.Database(t)}
			plain, err := pgx.Connect(t.Context(), r.url)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = plain.Close(context.Background()) })
			for _, s := range []string{"public", "t1", "t2"} {
				for _, text := range []string{
					`CREATE SCHEMA IF NOT EXISTS ` + s, `CREATE TABLE ` + s + `.posts (id int PRIMARY KEY, name text NOT NULL)`,
					`INSERT INTO ` + s + `.posts SELECT i, 'n' FROM generate_series(1, 3) i`,
				} {
					if _, err := plain.Exec(t.Context(), text); err != nil {
						t.Fatal(err)
					}
				}
			}
			config := r.config(func(config *pgxpool.Config) { config.MaxConns = 1 })
			if c.config != nil {
				c.config(config)
			}
			r.observe(config)
			reader, err := NewPool(t.Context(), r.config(), r.obs)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(reader.Close)
			fp := r.known(func(ctx context.Context) {
				r.all(ctx, reader, `SELECT id, name FROM t2.posts WHERE id IN (1, 9) ORDER BY id`)
			})
			if err := c.write(r); err != nil {
				t.Fatal(err)
			}
			var changed bool
			if err := plain.QueryRow(t.Context(), `SELECT EXISTS (SELECT 1 FROM t2.posts WHERE name = 'x')`).Scan(&changed); err != nil {
				t.Fatal(err)
			}
			switch {
			case !changed:
				t.Error("the trap has changed nothing")
			case r.fresh(fp):
				t.Error("stale")
			}
		})
	}
}
