package footprintpgx

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

const tenantTables = `
CREATE SCHEMA t1; CREATE TABLE t1.users (LIKE public.users INCLUDING ALL); INSERT INTO t1.users SELECT * FROM public.users;
CREATE SCHEMA t2; CREATE TABLE t2.users (LIKE public.users INCLUDING ALL); INSERT INTO t2.users SELECT * FROM public.users;`

// tenantKey is the context key of the tenant that a hook sets.
type tenantKey struct{}

func tenantOf(ctx context.Context) string {
	tenant, _ := ctx.Value(tenantKey{}).(string)
	return tenant
}

// Rows of two schemas are told apart wherever search_path is known: from the connection's
// parameters, from what hooks send, from SET LOCAL, from a batch. After an error in a batch
// it is not.
func TestTenants(t *testing.T) {
	t.Parallel()
	set := func(ctx context.Context, pg *pgx.Conn) error {
		if tenant := tenantOf(ctx); tenant != "" {
			_, err := pg.Exec(ctx, `SET search_path TO `+tenant+`, public`)
			return err
		}
		return nil
	}
	const ann = `SELECT id, name FROM users WHERE id = 1`
	for name, c := range map[string]struct {
		config func(*pgxpool.Config)
		read   func(ctx context.Context, r *rig) error
		wide   bool // changes of the other tenant drop the answer, too
	}{
		"parameters": {
			func(c *pgxpool.Config) { c.ConnConfig.RuntimeParams["search_path"] = "t1, public" },
			func(ctx context.Context, r *rig) error { return drain(r.Query(ctx, ann)) }, false,
		},
		"AfterConnect": {
			func(c *pgxpool.Config) {
				c.AfterConnect = func(ctx context.Context, pg *pgx.Conn) error {
					return set(context.WithValue(ctx, tenantKey{}, "t1"), pg)
				}
			},
			func(ctx context.Context, r *rig) error { return drain(r.Query(ctx, ann)) }, false,
		},
		"PrepareConn": {
			func(c *pgxpool.Config) {
				c.PrepareConn = func(ctx context.Context, pg *pgx.Conn) (bool, error) {
					_, err := pg.Exec(ctx, `SET search_path TO t1`)
					return true, err
				}
			},
			func(ctx context.Context, r *rig) error { return drain(r.Query(ctx, ann)) }, false,
		},
		// A hook may have set the role unseen, with PgConn: that of public may be the table.
		"PrepareConn, and another schema with the name": {
			func(c *pgxpool.Config) {
				c.PrepareConn = func(ctx context.Context, pg *pgx.Conn) (bool, error) { return true, set(ctx, pg) }
			},
			func(ctx context.Context, r *rig) error {
				return drain(r.Query(context.WithValue(ctx, tenantKey{}, "t1"), ann))
			}, true,
		},
		"SET LOCAL": {nil, func(ctx context.Context, r *rig) error {
			return pgx.BeginFunc(ctx, r.Pool, func(tx pgx.Tx) error {
				if _, err := tx.Exec(ctx, `SET LOCAL search_path TO t1`); err != nil {
					return err
				}
				return drain(tx.Query(ctx, ann))
			})
		}, false},
		"after a batch": {nil, func(ctx context.Context, r *rig) error {
			return r.AcquireFunc(ctx, func(conn *Conn) error {
				b := &pgx.Batch{}
				b.Queue(`SELECT 1`)
				b.Queue(`SET search_path TO t1`)
				if err := conn.SendBatch(ctx, b).Close(); err != nil {
					return err
				}
				return drain(conn.Query(ctx, ann))
			})
		}, false},
		"within a batch": {nil, func(ctx context.Context, r *rig) error {
			return r.AcquireFunc(ctx, func(conn *Conn) error {
				b := &pgx.Batch{}
				b.Queue(`SET search_path TO t1`)
				b.Queue(ann)
				return conn.SendBatch(ctx, b).Close()
			})
		}, true},
		"after a batch that has failed": {nil, func(ctx context.Context, r *rig) error {
			return r.AcquireFunc(ctx, func(conn *Conn) error {
				if _, err := conn.Exec(ctx, `SET search_path TO t1`); err != nil {
					return err
				}
				b := &pgx.Batch{}
				b.Queue(`SET search_path TO t2`)
				b.Queue(`SELECT 1/0`)
				if err := conn.SendBatch(ctx, b).Close(); err == nil {
					t.Error("it does not fail")
				}
				return drain(conn.Query(ctx, ann))
			})
		}, true},
		"Raw": {nil, func(ctx context.Context, r *rig) error {
			return r.AcquireFunc(ctx, func(conn *Conn) error {
				if _, err := conn.Exec(ctx, `SET search_path TO t2`); err != nil {
					return err
				}
				if err := conn.Raw(ctx, func(pg *pgx.Conn) error {
					return set(context.WithValue(ctx, tenantKey{}, "t1"), pg)
				}); err != nil {
					return err
				}
				return drain(conn.Query(ctx, ann))
			})
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var change []func(*pgxpool.Config)
			if c.config != nil {
				change = append(change, c.config)
			}
			r := newRig(t, change...)
			if _, err := r.Exec(t.Context(), tenantTables); err != nil {
				t.Fatal(err)
			}
			r.obs.CatalogChanged(t.Context())
			if err := r.Ping(t.Context()); err != nil { // it reads the catalog
				t.Fatal(err)
			}
			r.Reset() // others are younger than the tables
			fp := r.read(func(ctx context.Context) {
				if err := c.read(ctx, r); err != nil {
					t.Error(err)
				}
			})
			for _, schema := range []string{"t1", "t2"} {
				before := len(r.commits)
				if _, err := r.Exec(t.Context(), `UPDATE `+schema+`.users SET name = name || '!' WHERE id = 1`); err != nil {
					t.Fatal(err)
				}
				dropped := fp.Unknown != "" || fp.Uncommitted != ""
				for _, commit := range r.commits[before:] {
					dropped = dropped || commit.Everything != "" || meet(fp.Tags, commit.tags)
				}
				if want := schema == "t1" || c.wide; dropped != want {
					t.Errorf("a change of %s drops the answer: %v, %+v", schema, dropped, fp)
				}
			}
		})
	}
}

func drain(rows pgx.Rows, err error) error {
	if err != nil {
		return err
	}
	for rows.Next() {
	}
	return rows.Err()
}
