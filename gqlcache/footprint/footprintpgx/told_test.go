package footprintpgx

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cascadeql/cascadeql/gqlcache/footprint"
)

// In every mode of pgx's, an answer depends on the rows that it was made of, and on no
// others; and a write publishes the rows that it changes.
func TestShownRows(t *testing.T) {
	for _, m := range modes {
		t.Run(m.String(), func(t *testing.T) {
			r := newRig(t, inMode(m))
			byKey := func(ctx context.Context) {
				var name string
				if err := r.QueryRow(ctx, `SELECT name FROM users WHERE id = $1`, 1).Scan(&name); err != nil || name != "ann" && name != "eve" {
					t.Fatal(name, err)
				}
			}
			shown := func(ctx context.Context) {
				r.all(ctx, r, `SELECT id, name FROM users ORDER BY id LIMIT 2`)
			}
			named := func(ctx context.Context) {
				r.all(ctx, r, `SELECT id, title FROM posts WHERE author_id = @author`, pgx.NamedArgs{"author": 1})
			}
			fp, list, posts := r.known(byKey), r.known(shown), r.known(named)
			r.exec(r, `UPDATE users SET name = $1 WHERE id = $2`, "dan", 2)
			if !r.fresh(fp) || r.fresh(list) || !r.fresh(posts) {
				t.Errorf("another row: %v, a row shown: %v, another table: %v", r.fresh(fp), r.fresh(list), r.fresh(posts))
			}
			r.exec(r, `UPDATE users SET email = $1 WHERE id = $2`, "x", 1)
			if !r.fresh(fp) {
				t.Error("another column")
			}
			r.exec(r, `UPDATE posts SET title = $1 WHERE id = $2`, "x", 3)
			if !r.fresh(posts) {
				t.Error("a row of another author")
			}
			r.exec(r, `UPDATE posts SET title = @title WHERE id = @id`, pgx.NamedArgs{"id": 2, "title": "y"})
			if r.fresh(posts) {
				t.Error("a row that was shown")
			}
			r.exec(r, `UPDATE users SET name = $1 WHERE id = $2`, "eve", int64(1))
			if r.fresh(fp) {
				t.Error("the row")
			}
			posts = r.known(named)
			r.exec(r, `INSERT INTO posts (id, author_id, title) VALUES ($1, $2, $3)`, 9, 2, "nine")
			if !r.fresh(posts) {
				t.Error("an insert of another author")
			}
			r.exec(r, `INSERT INTO posts (id, author_id, title) VALUES ($1, $2, $3)`, 10, 1, "ten")
			if r.fresh(posts) {
				t.Error("an insert")
			}
		})
	}
}

// A write is published when the call that consumes the end of its statement returns, and
// before: not at a row.
func TestPublishTiming(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	if n := r.published(func() { r.exec(r, `UPDATE users SET name = 'x' WHERE id = 1`) }); n != 1 {
		t.Errorf("exec: %d", n)
	}
	rows, err := r.Query(ctx, `UPDATE users SET name = 'y' WHERE id < 3 RETURNING id`)
	if err != nil {
		t.Fatal(err)
	}
	if n := r.published(func() { rows.Next() }); n != 0 {
		t.Errorf("the first row: %d", n)
	}
	if n := r.published(rows.Close); n != 1 {
		t.Errorf("closed rows: %d", n)
	}
	if n := r.published(func() {
		var id int
		if err := r.QueryRow(ctx, `UPDATE users SET name = 'z' WHERE id = 1 RETURNING id`).Scan(&id); err != nil {
			t.Fatal(err)
		}
	}); n != 1 {
		t.Errorf("a row: %d", n)
	}
	if n := r.published(func() { r.exec(r, `UPDATE users SET name = 'z' WHERE id = 100`) }); n != 0 {
		t.Errorf("no row: %d", n)
	}

	b := &pgx.Batch{}
	b.Queue(`UPDATE users SET name = 'b' WHERE id = 1`)
	b.Queue(`SELECT id FROM users`)
	var br pgx.BatchResults
	if n := r.published(func() {
		br = r.SendBatch(ctx, b)
		if _, err := br.Exec(); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("a batch before its end: %d", n)
	}
	if n := r.published(func() {
		if err := br.Close(); err != nil {
			t.Fatal(err)
		}
	}); n != 1 || r.last().Uncertain {
		t.Errorf("the end of a batch: %d, %+v", n, r.last())
	}

	tx, err := r.Begin(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if n := r.published(func() {
		r.exec(tx, `UPDATE users SET name = 'c' WHERE id = 1`)
		r.all(ctx, tx, `UPDATE users SET name = 'd' WHERE id = 2 RETURNING id`)
	}); n != 0 {
		t.Errorf("a transaction: %d", n)
	}
	if n := r.published(func() {
		if err := tx.Commit(ctx); err != nil {
			t.Fatal(err)
		}
	}); n != 1 || len(r.last().Events) != 2 || r.last().Uncertain {
		t.Errorf("a commit: %d %+v", n, r.last())
	}
}

// What is rolled back publishes nothing; a COMMIT that the server answers with a rollback
// or an error is one.
func TestRollback(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	for what, end := range map[string]func(pgx.Tx) error{
		"rollback": func(tx pgx.Tx) error { return tx.Rollback(ctx) },
		"commit of an aborted transaction": func(tx pgx.Tx) error {
			if _, err := tx.Exec(ctx, `SELECT 1/0`); err == nil {
				t.Error("no error")
			}
			if err := tx.Commit(ctx); !errors.Is(err, pgx.ErrTxCommitRollback) {
				return errors.Join(errors.New("another error"), err)
			}
			return nil
		},
	} {
		tx, err := r.Begin(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if n := r.published(func() {
			r.exec(tx, `UPDATE users SET name = 'c' WHERE id = 1`)
			if err := end(tx); err != nil {
				t.Errorf("%s: %v", what, err)
			}
		}); n != 0 {
			t.Errorf("%s: %d published", what, n)
		}
	}
	if n := r.published(func() { r.exec(r, `UPDATE users SET name = 'x' WHERE id = 1`) }); n != 1 {
		t.Errorf("afterwards: %d", n)
	}
}

// A savepoint that is rolled back keeps its changes: wider. Nothing is published before the
// transaction commits.
func TestSavepoints(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	tx, err := r.Begin(ctx)
	if err != nil {
		t.Fatal(err)
	}
	n := r.published(func() {
		for _, end := range []func(pgx.Tx) error{
			func(tx pgx.Tx) error { return tx.Commit(ctx) },
			func(tx pgx.Tx) error { return tx.Rollback(ctx) },
		} {
			sp, err := tx.Begin(ctx)
			if err != nil {
				t.Fatal(err)
			}
			r.exec(sp, `UPDATE users SET name = 'c' WHERE id = 1`)
			if err := end(sp); err != nil {
				t.Fatal(err)
			}
		}
	})
	if n != 0 {
		t.Errorf("%d published within the transaction", n)
	}
	other := r.known(func(ctx context.Context) { r.all(ctx, r, `SELECT name FROM users WHERE id = $1`, 2) })
	if n := r.published(func() {
		if err := tx.Commit(ctx); err != nil {
			t.Fatal(err)
		}
	}); n != 1 || r.last().Everything != "" || !r.fresh(other) {
		t.Errorf("%d published, %+v", n, r.last())
	}
}

// Of two transactions that write what the other one has read, one fails: it publishes
// nothing, and the error is pgx's.
func TestSerializationFailure(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	begin := func() pgx.Tx {
		tx, err := r.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.Serializable})
		if err != nil {
			t.Fatal(err)
		}
		return tx
	}
	a, b := begin(), begin()
	r.all(ctx, a, `SELECT count(*) FROM users`)
	r.all(ctx, b, `SELECT count(*) FROM users`)
	r.exec(a, `UPDATE users SET name = 'a' WHERE id = 1`)
	r.exec(b, `UPDATE users SET name = 'b' WHERE id = 2`)
	if n := r.published(func() {
		if err := a.Commit(ctx); err != nil {
			t.Fatal(err)
		}
	}); n != 1 {
		t.Errorf("%d published", n)
	}
	var err error
	if n := r.published(func() { err = b.Commit(ctx) }); n != 0 || err == nil {
		t.Errorf("%d published, %v", n, err)
	}
}

// A context that ends while a statement runs costs the connection. What it may have written
// is published.
func TestCancelledContext(t *testing.T) {
	r := newRig(t)
	holder, err := r.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	r.exec(holder, `UPDATE users SET name = 'h' WHERE id = 1`)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	before := r.Number()
	go func() {
		_, err := r.Exec(ctx, `UPDATE users SET name = 'w' WHERE id = 1`)
		done <- err
	}()
	for waiting := 0; waiting == 0; { // for the lock
		if err := r.QueryRow(t.Context(), `SELECT count(*) FROM pg_locks WHERE NOT granted`).Scan(&waiting); err != nil {
			t.Fatal(err)
		}
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if r.Number() == before || !r.last().Uncertain {
		t.Errorf("%d published, %+v", r.Number()-before, r.last())
	}
	if err := holder.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}

	tx, err := r.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	r.exec(tx, `UPDATE users SET name = 'w' WHERE id = 1`)
	if n := r.published(func() { err = tx.Commit(ctx) }); n == 0 || !errors.Is(err, context.Canceled) {
		t.Errorf("%d published, %v", n, err)
	}
}

// Row-level security by a setting of the transaction: the setting is a position of the
// statements after it, and rows are those of the role.
func TestRowLevelSecurity(t *testing.T) {
	r := newRig(t)
	for _, text := range []string{
		`CREATE ROLE tenant_pgx`, `GRANT SELECT, UPDATE ON posts TO tenant_pgx`, `ALTER TABLE posts ENABLE ROW LEVEL SECURITY`,
		`CREATE POLICY own ON posts USING (author_id = current_setting('app.user')::bigint)`,
	} {
		r.exec(r, text)
	}
	read := func(ctx context.Context) {
		if err := pgx.BeginFunc(ctx, r, func(tx pgx.Tx) error {
			r.exec(tx, `SET LOCAL ROLE tenant_pgx`)
			r.exec(tx, `SELECT set_config('app.user', '2', true)`)
			if list := r.all(ctx, tx, `SELECT id, title FROM posts`); len(list) != 1 {
				t.Errorf("%v", list)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	fp := r.read(read)
	r.exec(r, `UPDATE users SET name = 'changed' WHERE id = 3`)
	if !r.fresh(fp) {
		t.Errorf("another table: %+v", fp)
	}
	r.exec(r, `UPDATE posts SET title = 'changed' WHERE id = 3`)
	if r.fresh(fp) {
		t.Errorf("%+v", fp)
	}
}

// Uncommitted data of the own transaction is not stored.
func TestUncommitted(t *testing.T) {
	r := newRig(t)
	tx, err := r.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	r.exec(tx, `UPDATE users SET name = 'c' WHERE id = 1`)
	fp := r.read(func(ctx context.Context) { r.all(ctx, tx, `SELECT name FROM users WHERE id = 1`) })
	if fp.Uncommitted == "" {
		t.Errorf("%+v", fp)
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// COPY inserts rows of unknown values, which concern the table's readers and no others. One
// that fails before it begins ends, too.
func TestCopyFrom(t *testing.T) {
	for _, m := range modes {
		t.Run(m.String(), func(t *testing.T) {
			r := newRig(t, inMode(m))
			users := r.known(func(ctx context.Context) { r.all(ctx, r, `SELECT name FROM users`) })
			posts := r.known(func(ctx context.Context) { r.all(ctx, r, `SELECT title FROM posts WHERE author_id = $1`, 3) })
			source := pgx.CopyFromRows([][]any{{int32(20), int64(3), "copied"}})
			var err error
			if n := r.published(func() {
				_, err = r.CopyFrom(t.Context(), pgx.Identifier{"posts"}, []string{"id", "author_id", "title"}, source)
			}); n != 1 || err != nil || r.last().Everything != "" {
				t.Errorf("%d, %v, %+v", n, err, r.last())
			}
			if r.fresh(posts) || !r.fresh(users) {
				t.Errorf("posts %v, users %v", r.fresh(posts), r.fresh(users))
			}
			c, err := r.Acquire(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer c.Release()
			if _, err := c.CopyFrom(t.Context(), pgx.Identifier{"nowhere"}, []string{"id"}, source); err == nil {
				t.Error("no error")
			}
			if len(c.c.open) != 0 {
				t.Error("it has not ended")
			}
		})
	}
}

// The results of a batch, read in all three ways, are rows that the answer depends on.
func TestBatch(t *testing.T) {
	for _, m := range modes {
		t.Run(m.String(), func(t *testing.T) {
			r := newRig(t, inMode(m))
			for what, read := range map[string]func(pgx.BatchResults, *pgx.QueuedQuery){
				"query": func(br pgx.BatchResults, _ *pgx.QueuedQuery) {
					rows, err := br.Query()
					if err != nil {
						t.Fatal(err)
					}
					for rows.Next() {
					}
				},
				"row": func(br pgx.BatchResults, _ *pgx.QueuedQuery) {
					var id, name any
					if err := br.QueryRow().Scan(&id, &name); err != nil {
						t.Fatal(err)
					}
				},
				"callback": nil,
			} {
				fp := r.known(func(ctx context.Context) {
					b := &pgx.Batch{}
					q := b.Queue(`SELECT id, name FROM users ORDER BY id LIMIT 1`)
					seen := 0
					if read == nil {
						q.Query(func(rows pgx.Rows) error {
							for rows.Next() {
								seen++
							}
							return rows.Err()
						})
					}
					b.Queue(`SELECT title FROM posts WHERE id = @id`, pgx.NamedArgs{"id": 1})
					br := r.SendBatch(ctx, b)
					if read != nil {
						read(br, q)
					}
					if err := br.Close(); err != nil || read == nil && seen != 1 {
						t.Fatal(err, seen)
					}
				})
				r.exec(r, `UPDATE users SET name = name || '!' WHERE id = $1`, 3)
				r.exec(r, `UPDATE posts SET title = title || '!' WHERE id = $1`, 2)
				if !r.fresh(fp) {
					t.Errorf("%s: other rows", what)
				}
				posts := fp
				r.exec(r, `UPDATE posts SET title = title || '!' WHERE id = $1`, 1)
				if r.fresh(posts) {
					t.Errorf("%s: the row of a query with named arguments", what)
				}
			}
			fp := r.known(func(ctx context.Context) {
				b := &pgx.Batch{}
				b.Queue(`SELECT id, name FROM users ORDER BY id LIMIT 1`).QueryRow(func(row pgx.Row) error {
					var id, name any
					return row.Scan(&id, &name)
				})
				if err := r.SendBatch(ctx, b).Close(); err != nil {
					t.Fatal(err)
				}
			})
			r.exec(r, `UPDATE users SET name = name || '!' WHERE id = $1`, 1)
			if r.fresh(fp) {
				t.Error("the row that was shown")
			}
		})
	}
}

// A batch may begin a transaction; it publishes when that commits.
func TestBatchBeginsTransaction(t *testing.T) {
	r := newRig(t)
	b := &pgx.Batch{}
	b.BeginTx(pgx.TxOptions{})
	b.Queue(`UPDATE users SET name = 'b' WHERE id = $1`, 1)
	br := r.SendBatch(t.Context(), b)
	tx := br.Tx()
	if n := r.published(func() {
		if err := br.Close(); err != nil {
			t.Fatal(err)
		}
		r.exec(tx, `UPDATE users SET name = 'c' WHERE id = 2`)
	}); n != 0 {
		t.Errorf("%d published", n)
	}
	if n := r.published(func() {
		if err := tx.Commit(t.Context()); err != nil {
			t.Fatal(err)
		}
	}); n != 1 || len(r.last().Events) != 2 {
		t.Errorf("%d published, %+v", n, r.last())
	}
	if in := r.Stat().AcquiredConns(); in != 0 {
		t.Errorf("%d connections are out", in)
	}
}

// What comes past the wrappers is seen by the tracer.
func TestPastTheWrappers(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	fp := r.known(func(ctx context.Context) {
		rows, err := r.Unwrap().Query(ctx, `SELECT name FROM users WHERE id = @id`, pgx.NamedArgs{"id": 1})
		if err != nil {
			t.Fatal(err)
		}
		rows.Close()
	})
	write := func(id int) {
		if _, err := r.Unwrap().Exec(ctx, `UPDATE users SET name = 'p' WHERE id = $1`, id); err != nil {
			t.Fatal(err)
		}
	}
	write(2)
	if !r.fresh(fp) {
		t.Error("another row")
	}
	write(1)
	if r.fresh(fp) || r.last().Everything != "" {
		t.Errorf("%+v", r.last())
	}

	for what, take := range map[string]func(*Conn){
		"Conn":   func(c *Conn) { c.Conn() },
		"Raw":    func(c *Conn) { _ = c.Raw(ctx, func(*pgx.Conn) error { return nil }) },
		"Tx":     func(c *Conn) { tx, _ := c.Begin(ctx); tx.Conn(); _ = tx.Rollback(ctx) },
		"rows":   func(c *Conn) { rows, _ := c.Query(ctx, `SELECT 1`); rows.Conn(); rows.Close() },
		"Hijack": func(c *Conn) { pg := c.Hijack(); _ = pg.Close(ctx) },
	} {
		c, err := r.Acquire(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if n := r.published(func() { take(c) }); n == 0 || r.last().Everything == "" {
			t.Errorf("%s: %d", what, n)
		}
		if what == "Hijack" {
			continue
		}
		// After Raw nothing is in doubt: nothing goes on, and nothing is held back.
		if (what == "Raw" || what == "Conn") && r.last().Uncertain != (what == "Conn") {
			t.Errorf("%s: %+v", what, r.last())
		}
		if n := r.published(c.Release); (n == 0) != (what == "Raw") || r.last().Everything == "" {
			t.Errorf("%s, released: %d", what, n)
		}
		r.exec(r, `SELECT 1`) // the pool hands it out again
		if n := r.published(func() { r.exec(r, `UPDATE users SET name = 'q' WHERE id = 1`) }); n != 1 || r.last().Everything != "" {
			t.Errorf("%s, afterwards: %d, %+v", what, n, r.last())
		}
	}
}

// A function that has had the connection is in doubt as long as its transaction is open.
func TestRawLeavesATransaction(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	c, err := r.Acquire(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Release()
	raw := func(text string) bool {
		if err := c.Raw(ctx, func(pg *pgx.Conn) error {
			return pg.PgConn().Exec(ctx, text).Close() // no tracer sees it
		}); err != nil {
			t.Fatal(err)
		}
		return r.last().Uncertain
	}
	if !raw(`BEGIN; UPDATE users SET name = 'p' WHERE id = 1`) {
		t.Error("within the transaction it is certain")
	}
	if raw(`COMMIT`) {
		t.Error("after the commit it is in doubt")
	}
}

// A prepared statement runs by its name, also one that a hook has prepared.
func TestPreparedByName(t *testing.T) {
	r := newRig(t, func(c *pgxpool.Config) {
		c.AfterConnect = func(ctx context.Context, pg *pgx.Conn) error {
			_, err := pg.Prepare(ctx, "rename", `UPDATE users SET name = $1 WHERE id = $2`)
			return err
		}
	})
	fp := r.known(func(ctx context.Context) {
		if err := r.AcquireFunc(ctx, func(c *Conn) error {
			if _, err := c.Prepare(ctx, "one", `SELECT name FROM users WHERE id = $1`); err != nil {
				return err
			}
			r.all(ctx, c, "one", 1)
			return c.Deallocate(ctx, "one")
		}); err != nil {
			t.Fatal(err)
		}
	})
	r.exec(r, "rename", "x", 2)
	if !r.fresh(fp) {
		t.Errorf("another row: %+v", r.last())
	}
	r.exec(r, "rename", "x", 1)
	if r.fresh(fp) {
		t.Error("the row")
	}
}

// Rows of a pool that are left open when their connection is given back have ended.
func TestRowsLeftOpen(t *testing.T) {
	r := newRig(t)
	c, err := r.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	rows, err := c.Query(t.Context(), `UPDATE users SET name = 'l' WHERE id = 1 RETURNING id`)
	if err != nil || !rows.Next() {
		t.Fatal(err)
	}
	if n := r.published(c.Release); n == 0 {
		t.Error("nothing was published")
	}
}

// What workers read is nobody's, and what they write counts.
func TestOutside(t *testing.T) {
	r := newRig(t)
	jobs, err := Outside(t.Context(), r.config(), r.obs)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(jobs.Close)
	fp := r.read(func(ctx context.Context) { r.all(ctx, jobs, `SELECT name FROM users`) })
	if fp.Statements != 0 {
		t.Errorf("%+v", fp)
	}
	if n := r.published(func() { r.exec(jobs, `UPDATE users SET name = 'j' WHERE id = 1`) }); n != 1 {
		t.Errorf("%d published", n)
	}
}

// Large objects and notifications work, and nothing is taken for less than it is.
func TestOtherCalls(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	if err := pgx.BeginFunc(ctx, r, func(tx pgx.Tx) error {
		objects := tx.LargeObjects()
		oid, err := objects.Create(ctx, 0)
		if err != nil {
			return err
		}
		return objects.Unlink(ctx, oid)
	}); err != nil {
		t.Fatal(err)
	}
	if r.last().Everything == "" {
		t.Errorf("%+v", r.last())
	}
	c, err := r.Acquire(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Release()
	if n := r.published(func() {
		r.exec(c, `LISTEN news`)
		r.exec(r, `NOTIFY news, 'x'`)
	}); n != 0 {
		t.Errorf("%d published, %+v", n, r.last())
	}
	if n, err := c.WaitForNotification(ctx); err != nil || n.Payload != "x" {
		t.Error(n, err)
	}
}

// The hooks and tracers of the configuration are called, also what an older application has
// in BeforeAcquire, and what they write is published.
func TestHooks(t *testing.T) {
	calls := map[string]int{}
	r := newRig(t, func(c *pgxpool.Config) {
		c.MaxConns = 1
		c.BeforeConnect = func(_ context.Context, c *pgx.ConnConfig) error {
			calls["before connect"]++
			c.Tracer = &traces{} // in place of ours
			return nil
		}
		c.BeforeAcquire = func(ctx context.Context, pg *pgx.Conn) bool { //nolint:staticcheck // older applications have it
			calls["before acquire"]++
			_, err := pg.Exec(ctx, `UPDATE users SET email = 'h' WHERE id = 3`)
			return err == nil
		}
		c.BeforeClose = func(*pgx.Conn) { calls["before close"]++ }
	})
	fp := r.known(func(ctx context.Context) { r.all(ctx, r, `SELECT name FROM users WHERE id = $1`, 1) })
	if n := r.published(func() { r.exec(r, `UPDATE users SET name = 'x' WHERE id = 1`) }); n != 2 || r.fresh(fp) {
		t.Errorf("%d published, %v", n, r.fresh(fp))
	}
	r.Pool.Close()
	if calls["before connect"] != 1 || calls["before acquire"] < 3 || calls["before close"] != 1 {
		t.Error(calls)
	}
	if c := r.Config(); c.AfterConnect != nil || c.PrepareConn != nil || c.BeforeAcquire == nil { //nolint:staticcheck // as above
		t.Error("the configuration is not the application's")
	}
}

// A connection that the server ends within a transaction leaves an outcome that nobody saw.
func TestBrokenConnection(t *testing.T) {
	r := newRig(t)
	tx, err := r.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	r.exec(tx, `UPDATE users SET name = 'b' WHERE id = 1`)
	var pid int
	if err := tx.QueryRow(t.Context(), `SELECT pg_backend_pid()`).Scan(&pid); err != nil {
		t.Fatal(err)
	}
	r.exec(r, `SELECT pg_terminate_backend($1)`, pid)
	before := r.Number()
	if err := tx.Commit(t.Context()); err == nil {
		t.Error("no error")
	}
	if r.Number() == before || !r.last().Uncertain {
		t.Errorf("%d published", r.Number()-before)
	}

	c, err := r.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	r.exec(c, `BEGIN`)
	r.exec(c, `UPDATE users SET name = 'b' WHERE id = 1`)
	if err := c.QueryRow(t.Context(), `SELECT pg_backend_pid()`).Scan(&pid); err != nil {
		t.Fatal(err)
	}
	r.exec(r, `SELECT pg_terminate_backend($1)`, pid)
	if n := r.published(func() {
		if _, err := c.Exec(t.Context(), `SELECT 1`); err == nil {
			t.Error("no error")
		}
	}); n == 0 {
		t.Error("nothing was published")
	}
	c.Release()
}

// A write in a common table expression counts, although the command tag is that of a query
// without rows.
func TestWriteWithinQuery(t *testing.T) {
	r := newRig(t)
	if n := r.published(func() {
		r.exec(r, `WITH w AS (UPDATE users SET name = 'w' WHERE id = 1 RETURNING id) SELECT id FROM w WHERE id > 5`)
	}); n != 1 {
		t.Errorf("exec: %d", n)
	}
	if n := r.published(func() {
		if list := r.all(t.Context(), r, `WITH w AS (UPDATE users SET name = 'v' WHERE id = 1 RETURNING id) SELECT id FROM w WHERE id > 5`); len(list) != 0 {
			t.Error(list)
		}
	}); n != 1 {
		t.Errorf("query: %d", n)
	}
}

// Rows that were not read to their end are more than those that were seen, also where the
// application asks again for the next one.
func TestClosedEarly(t *testing.T) {
	const text = `SELECT id, name FROM users ORDER BY id LIMIT 2`
	r := newRig(t)
	early := func(rows pgx.Rows, err error) {
		t.Helper()
		if err != nil || !rows.Next() {
			t.Fatal(err)
		}
		rows.Close()
		if rows.Next() {
			t.Error("a row of closed rows")
		}
	}
	for what, read := range map[string]func(context.Context){
		"query": func(ctx context.Context) { early(r.Query(ctx, text)) },
		"row": func(ctx context.Context) {
			var id, name any
			if err := r.QueryRow(ctx, text).Scan(&id, &name); err != nil {
				t.Fatal(err)
			}
		},
		"batch": func(ctx context.Context) {
			b := &pgx.Batch{}
			b.Queue(text)
			br := r.SendBatch(ctx, b)
			early(br.Query())
			if err := br.Close(); err != nil {
				t.Fatal(err)
			}
		},
	} {
		fp := r.known(read)
		r.exec(r, `UPDATE users SET name = name || '!' WHERE id = $1`, 2)
		if r.fresh(fp) {
			t.Errorf("%s: the second row", what)
		}
	}
}

// A pool is used by many at once.
func TestConcurrent(t *testing.T) {
	r := newRig(t, func(c *pgxpool.Config) { c.MaxConns = 4 })
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for n := range 10 {
				ctx, rec := footprint.Begin(t.Context(), footprint.Start{Sink: r}, r.obs)
				b := &pgx.Batch{}
				b.Queue(`SELECT name FROM users WHERE id = $1`, i%3+1)
				b.Queue(`UPDATE posts SET title = $1 WHERE id = $2`, "n", n%3+1)
				if err := r.SendBatch(ctx, b).Close(); err != nil {
					t.Error(err)
				}
				var name string
				if err := r.QueryRow(ctx, `SELECT name FROM users WHERE id = $1`, i%3+1).Scan(&name); err != nil {
					t.Error(err)
				}
				if err := pgx.BeginFunc(ctx, r, func(tx pgx.Tx) error {
					_, err := tx.Exec(ctx, `UPDATE posts SET title = title || '.' WHERE id = $1`, n%3+1)
					return err
				}); err != nil {
					t.Error(err)
				}
				if fp := rec.End(); fp.Orphans != 0 || fp.Statements == 0 || fp.Unknown != "" {
					t.Errorf("%+v", fp)
				}
			}
		})
	}
	wg.Wait()
	if n := r.Number(); n != 160 {
		t.Errorf("%d published", n)
	}
}
