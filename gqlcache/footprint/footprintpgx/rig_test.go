package footprintpgx

import (
	"context"
	"io"
	"log/slog"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cascadeql/cascadeql/cascade/tag"
	"github.com/cascadeql/cascadeql/gqlcache/footprint"
	"github.com/cascadeql/cascadeql/internal/pgtest"
)

// A database is what a pool of pgx's and ours have in common.
type database interface {
	Exec(context.Context, string, ...any) (pgconn.CommandTag, error)
	Query(context.Context, string, ...any) (pgx.Rows, error)
	QueryRow(context.Context, string, ...any) pgx.Row
	SendBatch(context.Context, *pgx.Batch) pgx.BatchResults
	CopyFrom(context.Context, pgx.Identifier, []string, pgx.CopyFromSource) (int64, error)
	Begin(context.Context) (pgx.Tx, error)
}

var (
	_ database = (*pgxpool.Pool)(nil)
	_ database = (*Pool)(nil)
	_ database = (*Conn)(nil)
	_ database = pgx.Tx(nil)
	_ pgx.Tx   = (*Tx)(nil)
)

const schema = `
CREATE TABLE users (id bigint PRIMARY KEY, name text NOT NULL, email text);
CREATE TABLE posts (id integer PRIMARY KEY, author_id bigint NOT NULL REFERENCES users(id), title text NOT NULL, status text NOT NULL DEFAULT 'DRAFT');
INSERT INTO users VALUES (1, 'ann', NULL), (2, 'bob', 'bob@example.org'), (3, 'cid', NULL);
INSERT INTO posts VALUES (1, 1, 'one', 'DRAFT'), (2, 1, 'two', 'DONE'), (3, 2, 'three', 'DONE');`

// A rig is a pool with one cache.
type rig struct {
	*Pool
	t   *testing.T
	url string
	obs *footprint.Observer

	mu      sync.Mutex
	commits []told
}

// told is a commit, with its tags at that moment.
type told struct {
	footprint.Commit
	tags []tag.Tag
}

func (r *rig) Number() uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return uint64(len(r.commits))
}

func (r *rig) Wrote(context.Context) {}

func (r *rig) Committed(_ context.Context, c footprint.Commit) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.commits = append(r.commits, told{c, r.obs.TagsOf(c.Events)})
}

func (r *rig) config(change ...func(*pgxpool.Config)) *pgxpool.Config {
	r.t.Helper()
	config, err := pgxpool.ParseConfig(r.url)
	if err != nil {
		r.t.Fatal(err)
	}
	for _, f := range change {
		f(config)
	}
	return config
}

func newRig(t *testing.T, change ...func(*pgxpool.Config)) *rig {
	t.Helper()
	r := &rig{t: t, url: pgtest.Database(t)}
	plain, err := pgx.Connect(t.Context(), r.url)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := plain.Exec(t.Context(), schema); err != nil {
		t.Fatal(err)
	}
	if err := plain.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.observe(r.config(change...))
	if err := r.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !r.obs.Loaded() {
		t.Fatal(r.obs.Findings())
	}
	return r
}

// observe makes the pool.
func (r *rig) observe(config *pgxpool.Config) {
	r.t.Helper()
	r.obs = footprint.New(footprint.Options{Dialect: footprint.PostgreSQL, Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	r.t.Cleanup(r.obs.Attach(r))
	var err error
	if r.Pool, err = NewPool(r.t.Context(), config, r.obs); err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(r.Pool.Close)
}

// read records f twice, because the first one registers shapes.
func (r *rig) read(f func(context.Context)) footprint.Footprint {
	r.t.Helper()
	var fp footprint.Footprint
	for range 2 {
		ctx, rec := footprint.Begin(r.t.Context(), footprint.Start{Since: ^uint64(0), Number: r.Number(), Sink: r}, r.obs)
		f(ctx)
		fp = rec.End()
	}
	return fp
}

// known is read of what must be understood.
func (r *rig) known(f func(context.Context)) footprint.Footprint {
	r.t.Helper()
	fp := r.read(f)
	if fp.Unknown != "" || fp.Uncommitted != "" || fp.Statements == 0 {
		r.t.Fatalf("%+v\n%v", fp, r.obs.Findings())
	}
	return fp
}

// fresh reports whether an answer is still good: nothing that came after its number meets
// it.
func (r *rig) fresh(f footprint.Footprint) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.commits[min(f.Number, uint64(len(r.commits))):] {
		if f.Unknown != "" || c.Everything != "" || meet(f.Tags, c.tags) {
			return false
		}
	}
	return true
}

func (r *rig) last() told {
	r.t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.commits) == 0 {
		r.t.Fatal("nothing was published")
	}
	return r.commits[len(r.commits)-1]
}

// published runs f, and returns how many commits it has published.
func (r *rig) published(f func()) int {
	before := r.Number()
	f()
	return int(r.Number() - before) //nolint:gosec // a handful
}

func (r *rig) exec(db database, text string, args ...any) {
	r.t.Helper()
	if _, err := db.Exec(r.t.Context(), text, args...); err != nil {
		r.t.Fatalf("%s: %v", text, err)
	}
}

// all reads a query to its end.
func (r *rig) all(ctx context.Context, db database, text string, args ...any) (list [][]any) {
	r.t.Helper()
	rows, err := db.Query(ctx, text, args...)
	if err != nil {
		r.t.Fatalf("%s: %v", text, err)
	}
	for rows.Next() {
		v, err := rows.Values()
		if err != nil {
			r.t.Fatal(err)
		}
		list = append(list, v)
	}
	if rows.Err() != nil {
		r.t.Fatalf("%s: %v", text, rows.Err())
	}
	return list
}

func meet(a, b []tag.Tag) bool {
	for _, x := range a {
		for _, y := range b {
			if x.Hash == y.Hash && x.Mask&y.Mask != 0 {
				return true
			}
		}
	}
	return false
}

// modes are all ways in which pgx sends a query.
var modes = []pgx.QueryExecMode{
	pgx.QueryExecModeCacheStatement, pgx.QueryExecModeCacheDescribe, pgx.QueryExecModeDescribeExec,
	pgx.QueryExecModeExec, pgx.QueryExecModeSimpleProtocol,
}

// inMode sets the mode of a configuration.
func inMode(m pgx.QueryExecMode) func(*pgxpool.Config) {
	return func(c *pgxpool.Config) { c.ConnConfig.DefaultQueryExecMode = m }
}
