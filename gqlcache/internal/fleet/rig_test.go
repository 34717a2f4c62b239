package fleet_test

import (
	"context"
	"log/slog"
	"sync"
	"testing"

	"github.com/cascadeql/cascadeql/cascade/tag"
	"github.com/cascadeql/cascadeql/gqlcache/changelog"
	"github.com/cascadeql/cascadeql/gqlcache/internal/clock"
	"github.com/cascadeql/cascadeql/gqlcache/internal/fleet"
	"github.com/cascadeql/cascadeql/gqlcache/internal/safe"
	"github.com/cascadeql/cascadeql/gqlcache/store"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A fakeLog is a log of functions. Those that are not set do nothing, and the lease is
// valid.
type fakeLog struct {
	sink    changelog.Sink
	at      changelog.Position
	fresh   func() bool
	applied func()
	publish func(tags []tag.Tag, all bool) (changelog.Receipt, error)
	intend  func(tags []tag.Tag, all bool) (changelog.Intention, error)
	catchUp func(changelog.Position) error
}

// Start implements changelog.Log.
func (l *fakeLog) Start(_ context.Context, s changelog.Sink) error { l.sink = s; return nil }

// Fresh implements changelog.Log.
func (l *fakeLog) Fresh() bool { return l.fresh == nil || l.fresh() }

// Applied implements changelog.Log.
func (l *fakeLog) Applied() changelog.Position {
	at := l.at
	if l.applied != nil {
		l.applied()
	}
	return at
}

// Publish implements changelog.Log.
func (l *fakeLog) Publish(_ context.Context, tags []tag.Tag, all bool) (changelog.Receipt, error) {
	if l.publish == nil {
		return changelog.Receipt{Confirmed: true}, nil
	}
	return l.publish(tags, all)
}

// Intend implements changelog.Intender.
func (l *fakeLog) Intend(_ context.Context, tags []tag.Tag, all bool) (changelog.Intention, error) {
	return l.intend(tags, all)
}

// CatchUp implements changelog.Log.
func (l *fakeLog) CatchUp(_ context.Context, p changelog.Position) error { return l.catchUp(p) }

// Stats implements changelog.Log.
func (l *fakeLog) Stats() changelog.Stats { return changelog.Stats{Applied: l.at} }

// Close implements changelog.Log.
func (l *fakeLog) Close() error { return nil }

// A fakeStore is a map. It hands out what it was given.
type fakeStore struct {
	store.Store // the methods that are never called

	mu      sync.Mutex // protects entries
	entries map[string]*store.Entry
	// accepted is called in GetIf after an entry was accepted.
	accepted func()
	fail     error
}

// Get implements store.Store.
func (s *fakeStore) Get(_ context.Context, key []byte) (*store.Entry, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.entries[string(key)]; e != nil && s.fail == nil {
		return e, nil
	}
	if s.fail != nil {
		return nil, s.fail
	}
	return nil, store.ErrMiss
}

// GetIf implements store.Sieve.
func (s *fakeStore) GetIf(ctx context.Context, key []byte, ok func(*store.Entry) bool) (*store.Entry, error) {
	e, err := s.Get(ctx, key)
	if err != nil || !ok(e) {
		return nil, store.ErrMiss
	}
	if s.accepted != nil {
		s.accepted()
	}
	return e, nil
}

// Put implements store.Store.
func (s *fakeStore) Put(_ context.Context, key []byte, e *store.Entry) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.entries == nil {
		s.entries = map[string]*store.Entry{}
	}
	s.entries[string(key)] = e
	return s.fail
}

// Delete implements store.Store.
func (s *fakeStore) Delete(_ context.Context, key []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.entries, string(key))
	return s.fail
}

func (s *fakeStore) len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.entries)
}

// An instance is a fleet with what it was given.
type instance struct {
	*fleet.Fleet
	t      *testing.T
	log    *fakeLog
	shared *fakeStore
	clock  *clock.Clock
	closed chan struct{}
	heard  []heard
}

type heard struct {
	origin, everything string
	tags               []tag.Tag
	number             uint64
}

// ann and bob are tags of rows, mark names the schema.
var (
	ann  = tag.Tag{Hash: 1, Mask: 1}
	bob  = tag.Tag{Hash: 2, Mask: 1}
	mark = tag.Tag{Hash: 77, Mask: 78}
)

// start makes an instance that has joined an epoch.
func start(t *testing.T, change func(*fleet.Config)) *instance {
	t.Helper()
	i := &instance{
		t: t, log: &fakeLog{at: changelog.Position{Epoch: 7, Number: 100}}, shared: &fakeStore{},
		clock: clock.New(clock.Options{}), closed: make(chan struct{}),
	}
	schema := fleet.NewSchema(fleet.SchemaConfig{Mark: mark, Unnamed: 99})
	cfg := fleet.Config{
		Log: i.log, Shared: i.shared, Build: "a", Clock: i.clock, Finish: i.clock.Finish, Closed: i.closed,
		Schema: func() *fleet.Schema { return schema },
		Heard: func(origin string, tags []tag.Tag, everything string, number uint64) {
			i.heard = append(i.heard, heard{origin, everything, tags, number})
		},
		Once: &safe.Once{Log: slog.New(slog.DiscardHandler)},
	}
	if change != nil {
		change(&cfg)
	}
	i.Fleet = fleet.New(cfg)
	if err := i.Start(); err != nil {
		t.Fatal(err)
	}
	if i.log.sink != nil {
		i.log.sink.Flush(7, 100)
		i.heard = nil
	}
	return i
}

// record is a record of the schema, without the names of views.
func record(number uint64, tags ...tag.Tag) changelog.Record {
	return changelog.Record{Number: number, Tags: append([]tag.Tag{mark}, tags...), Origin: "b"}
}

// valid reports whether the stamp's answer may be served as far as the clock knows.
func (i *instance) valid(s *clock.Stamp) bool { return i.clock.Valid(s) }

// stamp returns the stamp of an answer that depends on ann.
func (i *instance) stamp() *clock.Stamp {
	i.t.Helper()
	s, ok := i.clock.Finish(i.clock.Begin(), []tag.Tag{ann})
	if !ok {
		i.t.Fatal("refused")
	}
	return s
}
