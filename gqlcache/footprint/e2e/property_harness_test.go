package e2e

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5/stdlib"

	"github.com/cascadeql/cascadeql/cascade/tag"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/footprintsql"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/footprintsqlite"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/catalog"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/observe"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/rowtag"
)

// A dependence is what an answer depends on.
type dependence struct {
	tags    []tag.Tag
	unknown string // why it depends on anything
	number  uint64 // of the clock: what was published later counts
	refused bool   // it depends on what is not committed
}

// A clock is a cache's, as the observer sees it: it numbers the commits.
type clock struct {
	mu      sync.Mutex
	commits []committed // commits[i] has number i+1
	tagsOf  func([]rowtag.Event) []tag.Tag
}

type committed struct {
	masks      map[uint64]catalog.Mask
	everything string
	imaged     int // rows that are known before and after
}

func (c *clock) Number() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return uint64(len(c.commits))
}

func (c *clock) count() int { return int(c.Number()) }

// Committed is called by the observer.
func (c *clock) Committed(_ context.Context, done observe.Commit) {
	tags := c.tagsOf(done.Events)
	masks := make(map[uint64]catalog.Mask, len(tags))
	for _, t := range tags {
		masks[t.Hash] |= t.Mask
	}
	imaged := 0
	for i := range done.Events {
		if e := &done.Events[i]; e.Op == rowtag.Updated && len(e.Old) > 3 && len(e.New) == len(e.Old) {
			imaged++
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.commits = append(c.commits, committed{masks, done.Everything, imaged})
}

// tell counts what was published.
func (c *clock) tell(f *figures) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f.commits += len(c.commits)
	for _, one := range c.commits {
		f.imaged += one.imaged
		if one.everything != "" {
			f.everything++
			f.everythings[one.everything]++
		}
	}
}

// Wrote is called by the observer.
func (c *clock) Wrote(context.Context) {}

// met reports whether something was published that a kept answer depends on.
func (c *clock) met(k *kept) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for k.seen = max(k.seen, int(k.footprint.number)); k.seen < len(c.commits) && !k.hit; k.seen++ {
		one := c.commits[k.seen]
		if one.everything != "" || k.footprint.unknown != "" {
			k.hit = true
		}
		for _, t := range k.footprint.tags {
			k.hit = k.hit || one.masks[t.Hash]&t.Mask != 0
		}
	}
	return k.hit
}

// A harness is one database with its observer.
type harness struct {
	plain    *sql.DB    // not observed
	db       *sql.DB    // observed; the computations'
	writers  [2]*sql.DB // observed; the transactions'
	above    string     // the DSN of a role that policies do not apply to
	beside   *footprintsql.BesideConn
	names    [2]string
	clock    *clock
	dialect  catalog.Dialect
	observer *observe.Observer
}

func (h *harness) snapshot() *sql.TxOptions {
	if h.dialect == catalog.PostgreSQL {
		return &sql.TxOptions{Isolation: sql.LevelRepeatableRead}
	}
	return nil
}

func (h *harness) close() {
	if h.beside != nil {
		_ = h.beside.Close()
	}
	for _, db := range []*sql.DB{h.db, h.writers[0], h.writers[1], h.plain} {
		if db != nil {
			_ = db.Close()
		}
	}
}

// A maker makes harnesses, each with a database of the scenario's rows.
type maker func(*testing.T, *scenario) *harness

// sqliteMaker copies one file with the model's tables for each harness.
func sqliteMaker(t *testing.T) maker {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "model.db")
	db, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	execAll(t, db, modelDefinitions(catalog.SQLite))
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	model, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return func(t *testing.T, s *scenario) *harness {
		t.Helper()
		name := filepath.Join(dir, "round.db")
		for _, suffix := range []string{"", "-wal", "-shm"} {
			_ = os.Remove(name + suffix)
		}
		if err := os.WriteFile(name, model, 0o600); err != nil {
			t.Fatal(err)
		}
		dsn := "file:" + name + "?_pragma=foreign_keys(" + map[bool]string{true: "0", false: "1"}[s.seed%6 > 3] + ")&_pragma=journal_mode(wal)&_pragma=synchronous(off)&_pragma=busy_timeout(10000)"
		h := &harness{dialect: catalog.SQLite, clock: &clock{}}
		if h.plain, err = sql.Open("sqlite", dsn); err != nil {
			t.Fatal(err)
		}
		h.plain.SetMaxOpenConns(1)
		execAll(t, h.plain, s.setup)
		observed(t, s, h, "sqlite", [3]string{dsn, dsn, dsn})
		return h
	}
}

// postgresMaker makes one database, and fills its tables anew for each harness.
func postgresMaker(t *testing.T) maker {
	t.Helper()
	admin := postgres(t)
	db, err := sql.Open("pgx", admin)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	var name string
	if err := db.QueryRowContext(t.Context(), "SELECT current_database()").Scan(&name); err != nil {
		t.Fatal(err)
	}
	// Policies do not apply to a superuser. A deadlock is found at once. Planning for the
	// compiler takes longer than any of these statements.
	execAll(t, db, []string{
		"DROP ROLE IF EXISTS app_" + name,
		"CREATE ROLE app_" + name + " LOGIN",
		"ALTER ROLE app_" + name + " SET deadlock_timeout = '10ms'",
		"ALTER ROLE app_" + name + " SET jit = off",
		"ALTER DATABASE " + name + " OWNER TO app_" + name,
		"CREATE EXTENSION citext",
	})
	dsn := func(application string) string {
		return strings.Replace(admin, "user=postgres", "user=app_"+name, 1) + " application_name=" + application
	}
	plain, err := sql.Open("pgx", dsn("plain"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = plain.Close() })
	execAll(t, plain, modelDefinitions(catalog.PostgreSQL))
	return func(t *testing.T, s *scenario) *harness {
		t.Helper()
		h := &harness{dialect: catalog.PostgreSQL, clock: &clock{}, names: [2]string{"first", "second"}, above: admin}
		if h.plain, err = sql.Open("pgx", dsn("plain")); err != nil {
			t.Fatal(err)
		}
		h.plain.SetMaxOpenConns(1)
		execAll(t, h.plain, []string{"TRUNCATE users, posts, comments, tags, post_tags, counters, members, items, notes, journal, docs, events, beings, persons, ruled RESTART IDENTITY CASCADE"})
		execAll(t, h.plain, s.setup)
		observed(t, s, h, "pgx", [3]string{dsn("computations"), dsn(h.names[0]), dsn(h.names[1])})
		return h
	}
}

func execAll(t *testing.T, db *sql.DB, texts []string) {
	t.Helper()
	for _, text := range texts {
		if _, err := db.ExecContext(t.Context(), text); err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
	}
}

// observed opens the handles that are observed.
func observed(t *testing.T, s *scenario, h *harness, driverName string, dsns [3]string) {
	t.Helper()
	images := observe.Off
	if s.mode.images {
		images = observe.On
	}
	opts := observe.Options{Dialect: h.dialect, Images: images, SemiJoins: s.mode.semi, Logger: slog.New(slog.DiscardHandler)}
	if s.mode.semi && h.dialect == catalog.PostgreSQL {
		// By turns one that policies do not apply to, and the computations' own role.
		c, err := stdlib.GetDefaultDriver().(driver.DriverContext).OpenConnector([]string{h.above, dsns[0]}[s.seed%4/2])
		if err != nil {
			t.Fatal(err)
		}
		h.beside = footprintsql.Beside(c)
		opts.Beside = h.beside
	}
	h.observer = observe.New(opts)
	h.observer.Attach(h.clock)
	h.clock.tagsOf = h.observer.TagsOf
	for i, to := range []**sql.DB{&h.db, &h.writers[0], &h.writers[1]} {
		var opts []footprintsql.Option
		if s.mode.hook {
			opts = append(opts, footprintsqlite.RowHook())
		}
		db, err := footprintsql.Open(driverName, dsns[i], h.observer, opts...)
		if err != nil {
			t.Fatal(err)
		}
		*to = db
		if i > 0 {
			db.SetMaxOpenConns(1)
		}
	}
}

// begin begins a computation.
func (h *harness) begin(ctx context.Context) (context.Context, func() dependence) {
	start := observe.Start{Since: rowtag.Generation(), Number: h.clock.Number(), Sink: h.clock}
	ctx, r := observe.Begin(ctx, start, h.observer)
	return ctx, func() dependence {
		f := r.End()
		return dependence{tags: f.Tags, unknown: f.Unknown, number: f.Number, refused: f.Uncommitted != ""}
	}
}
