package e2e

import (
	"context"
	"database/sql"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/cascadeql/cascadeql/gqlcache/footprint/footprintsql"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/catalog"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/observe"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/rowtag"
)

// TestImagesDeadlockNothing asserts that a query for row images takes no stronger lock than
// the statement that it precedes. A transaction that inserts a row which refers to an
// author, and then counts it in the author's row, holds FOR KEY SHARE of the author and
// asks for FOR NO KEY UPDATE, which two can do at a time. FOR UPDATE in between would wait
// for the other one's FOR KEY SHARE, on both sides.
func TestImagesDeadlockNothing(t *testing.T) {
	dsn := postgres(t)
	plain, err := sql.Open("pgx", dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = plain.Close() }()
	execAll(t, plain, []string{
		"ALTER ROLE postgres SET deadlock_timeout = '10ms'",
		"CREATE TABLE authors (id integer PRIMARY KEY, email text NOT NULL UNIQUE, posts integer NOT NULL)",
		"CREATE TABLE posts (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, author_id integer NOT NULL REFERENCES authors (id))",
		"INSERT INTO authors VALUES (1, 'ann@x', 0)",
	})
	for _, c := range []struct {
		name, update string
		imaged       bool
	}{
		{"columns", "UPDATE authors SET posts = posts + 1 WHERE id = 1", true},
		// A key that is set to what it was: the statement locks as if it were not set.
		{"the same key", "UPDATE authors SET email = 'ann@x', posts = posts + 1 WHERE id = 1", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			without, _ := counterCaches(t, dsn, observe.Off, c.update)
			with, imaged := counterCaches(t, dsn, observe.On, c.update)
			t.Logf("deadlocks and serialization failures: %d without images, %d with; %d commits knew the counter's value", without, with, imaged)
			if with > without+2 {
				t.Errorf("%d deadlocks and serialization failures with images, %d without", with, without)
			}
			if c.imaged != (imaged > 0) {
				t.Errorf("%d commits knew the counter's value", imaged)
			}
		})
	}
}

// counterCaches runs transactions of two at a time, which have both inserted before one of
// them counts. It returns how many the server has ended, and how many commits know what
// the counter is afterwards.
func counterCaches(t *testing.T, dsn string, images observe.Switch, update string) (failed, imaged int) {
	t.Helper()
	o := observe.New(observe.Options{Dialect: catalog.PostgreSQL, Images: images, Logger: slog.New(slog.DiscardHandler)})
	sink := &counterSink{}
	o.Attach(sink)
	db, err := footprintsql.Open("pgx", dsn, o)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	const rounds, workers = 40, 2
	var ended atomic.Int64
	for range rounds {
		var inserted, done sync.WaitGroup
		inserted.Add(workers)
		for range workers {
			done.Go(func() {
				err := func() error {
					tx, err := db.BeginTx(t.Context(), nil)
					if err != nil {
						inserted.Done()
						return err
					}
					defer func() { _ = tx.Rollback() }()
					_, err = tx.ExecContext(t.Context(), "INSERT INTO posts (author_id) VALUES (1)")
					inserted.Done()
					if err != nil {
						return err
					}
					inserted.Wait()
					if _, err := tx.ExecContext(t.Context(), update); err != nil {
						return err
					}
					return tx.Commit()
				}()
				switch {
				case err == nil:
				case strings.Contains(err.Error(), "40P01"), strings.Contains(err.Error(), "40001"):
					ended.Add(1)
				default:
					t.Error(err)
				}
			})
		}
		done.Wait()
	}
	// A deadlock of the query itself is undone, and costs nothing but the images.
	for _, f := range o.Findings() {
		if f.Kind == observe.ImageRefused {
			t.Errorf("%s: %s", f.Text, f.Why)
		}
	}
	return int(ended.Load()), int(sink.imaged.Load())
}

// A counterSink counts the commits that know the value of authors.posts.
type counterSink struct{ imaged atomic.Int64 }

func (*counterSink) Number() uint64        { return 0 }
func (*counterSink) Wrote(context.Context) {}

func (s *counterSink) Committed(_ context.Context, c observe.Commit) {
	for _, e := range c.Events {
		if e.Table == nil || e.Table.Name != "authors" {
			continue
		}
		column, ok := e.Table.Index("posts")
		if ok && len(e.New) > 0 && slices.ContainsFunc(e.New, knows(column)) {
			s.imaged.Add(1)
		}
	}
}

func knows(column int) func(rowtag.Known) bool {
	return func(k rowtag.Known) bool { return k.Column == column && len(k.Values) == 1 }
}
