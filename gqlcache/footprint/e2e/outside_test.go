package e2e

import (
	"context"
	"io"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/cascadeql/cascadeql/cascade"
	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/changelog"
	"github.com/cascadeql/cascadeql/gqlcache/footprint"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/footprintsql"
	"github.com/cascadeql/cascadeql/gqlcache/internal/testgraph"
)

// A slowLog numbers records for the caches that share it. While it is held, no publication
// returns.
type slowLog struct {
	*logOf
	sink changelog.Sink
}

// logOf is what the instances share.
type logOf struct {
	mu      sync.Mutex
	sinks   []changelog.Sink
	number  uint64
	records int
	gate    chan struct{} // nil: open
}

func (l *slowLog) Start(_ context.Context, s changelog.Sink) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sink, l.sinks = s, append(l.sinks, s)
	s.Flush(1, l.number)
	return nil
}

func (l *slowLog) Publish(ctx context.Context, tags []cascade.Tag, all bool) (changelog.Receipt, error) {
	l.mu.Lock()
	l.number++
	l.records++
	r := changelog.Receipt{Epoch: 1, Number: l.number, Confirmed: true}
	for _, s := range l.sinks {
		s.Apply(changelog.Record{Number: l.number, Tags: tags, All: all})
	}
	gate := l.gate
	l.mu.Unlock()
	if gate != nil {
		<-gate
	}
	return r, nil
}

func (l *slowLog) Fresh() bool                                       { return true }
func (l *slowLog) CatchUp(context.Context, changelog.Position) error { return nil }
func (l *slowLog) Stats() changelog.Stats                            { return changelog.Stats{} }
func (l *slowLog) Close() error                                      { return nil }

func (l *slowLog) Applied() changelog.Position {
	l.mu.Lock()
	defer l.mu.Unlock()
	return changelog.Position{Epoch: 1, Number: l.number}
}

// instance is one of several servers over one database, with a handle of its own.
func instance(t *testing.T, path string, shared *logOf, wait time.Duration, change ...func(*gqlcache.Options)) *seam {
	t.Helper()
	quiet := slog.New(slog.NewTextHandler(io.Discard, nil))
	s := &seam{T: t, store: testgraph.NewStore(), watched: footprint.New(footprint.Options{Dialect: footprint.SQLite, Logger: quiet})}
	var err error
	if s.db, err = footprintsql.Open("sqlite", path+"?_pragma=foreign_keys(1)&_pragma=busy_timeout(10000)", s.watched); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.db.Close() })
	s.exec(t.Context(), `CREATE TABLE IF NOT EXISTS loose (id TEXT PRIMARY KEY NOT NULL, name TEXT NOT NULL)`)
	s.exec(t.Context(), `INSERT OR IGNORE INTO loose VALUES ('1', 'one'), ('2', 'two')`)
	opts := gqlcache.Options{
		Callers: gqlcache.AllSeeTheSame, FieldHooksCovered: true, SweepInterval: -1, Logger: quiet,
		Observe: gqlcache.Observe{Handles: []*footprint.Observer{s.watched}, Everything: true},
	}
	opts.Log, opts.CommitWait = &slowLog{logOf: shared}, wait
	for _, f := range change {
		f(&opts)
	}
	if s.cache, err = gqlcache.New(opts); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.cache.Close() })
	s.srv = testgraph.Serve(testgraph.Executable(s.store, undeclared...), s.cache)
	s.reads("Query.loose", byID, "1")
	return s
}

// A commit through one instance's handle reaches the reads of another, by the shapes that
// only that one knows, and no other reads.
func TestRowsBetweenInstances(t *testing.T) {
	path, shared := filepath.Join(t.TempDir(), "fleet.db"), &logOf{}
	a, b := instance(t, path, shared, 0), instance(t, path, shared, 0)
	b.warm()
	a.exec(t.Context(), rename, "2")
	if !b.ask(first) {
		t.Error("another row drops it")
	}
	a.exec(t.Context(), rename, "1")
	if b.ask(first) {
		t.Error("stale after a commit of another instance")
	}
	b.warm()
	a.writes("Mutation.setLoose", rename, "1")
	a.ask(`mutation {setLoose(id: "1", name: "x")}`)
	if b.ask(first) {
		t.Error("stale after a mutation of another instance")
	}
}

// A commit outside of mutations waits for a bounded time while the log hangs, the next ones
// do not wait at all, and all of them go into few records.
func TestCommitsDoNotWaitForTheLog(t *testing.T) {
	shared := &logOf{}
	s := instance(t, filepath.Join(t.TempDir(), "job.db"), shared, time.Millisecond)
	s.warm()
	shared.mu.Lock()
	shared.gate = make(chan struct{})
	before := shared.records
	shared.mu.Unlock()
	for range 100 {
		s.exec(t.Context(), rename, "2") // hangs, and the test with it, if it waits for the log
	}
	if !s.ask(first) {
		t.Error("another row drops it")
	}
	s.exec(t.Context(), rename, "1")
	if s.ask(first) {
		t.Error("stale: it is not applied here before the log answers")
	}
	shared.mu.Lock()
	close(shared.gate)
	shared.gate = nil
	shared.mu.Unlock()
	_ = s.cache.Close() // waits for what is published
	if n := shared.records - before; n < 1 || n > 3 {
		t.Errorf("%d records for 101 commits", n)
	}
}
