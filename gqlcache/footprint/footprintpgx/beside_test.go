package footprintpgx

import (
	"context"
	"io"
	"log/slog"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/cascadeql/cascadeql/gqlcache/footprint"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/footprintsql"
	"github.com/cascadeql/cascadeql/internal/pgtest"
)

// The keys of a join are asked for beside the pool, with arguments as the application gives
// them: slices, numbers of any size.
func TestBeside(t *testing.T) {
	t.Parallel()
	r := &rig{t: t, url: pgtest.Database(t)}
	config, err := pgx.ParseConfig(r.url)
	if err != nil {
		t.Fatal(err)
	}
	beside := footprintsql.Beside(stdlib.GetConnector(*config))
	t.Cleanup(func() { _ = beside.Close() })
	r.obs = footprint.New(footprint.Options{
		Dialect: footprint.PostgreSQL, SemiJoins: true, Beside: beside, Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
	t.Cleanup(r.obs.Attach(r))
	plain, err := pgx.Connect(t.Context(), r.url)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := plain.Exec(t.Context(), schema+`
		CREATE TABLE notes (id bigint PRIMARY KEY, post integer NOT NULL);
		INSERT INTO notes VALUES (1, 1), (2, 3)`); err != nil {
		t.Fatal(err)
	}
	if err := plain.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if r.Pool, err = NewPool(t.Context(), r.config(), r.obs); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Pool.Close)
	if err := r.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	count := func(text string, arg any) footprint.Footprint {
		return r.known(func(ctx context.Context) {
			var n int
			if err := r.QueryRow(ctx, text, arg).Scan(&n); err != nil {
				t.Fatal(err)
			}
		})
	}
	const one, list = `SELECT count(*) FROM posts p JOIN notes n ON n.post = p.id WHERE p.author_id = $1`, `SELECT count(*) FROM posts p JOIN notes n ON n.post = p.id WHERE p.author_id = ANY($1)`
	id := 10
	for _, c := range []struct {
		text string
		arg  any
	}{{one, 1}, {one, int64(1)}, {one, int32(1)}, {list, []int64{1}}, {list, []int{1}}, {list, "{1}"}} {
		f := count(c.text, c.arg)
		add := func(post int) {
			id++
			if _, err := r.Exec(t.Context(), `INSERT INTO notes (id, post) VALUES ($1, $2)`, id, post); err != nil {
				t.Fatal(err)
			}
		}
		if add(3); !r.fresh(f) {
			t.Errorf("%s %T: a note of another author's post drops the answer: %v", c.text, c.arg, r.obs.Findings())
		}
		if add(2); r.fresh(f) {
			t.Errorf("%s %T: a note of the author's post keeps the answer", c.text, c.arg)
		}
	}
}
