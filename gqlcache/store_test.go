package gqlcache_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/internal/testgraph"
	"github.com/cascadeql/cascadeql/gqlcache/store"
	"github.com/cascadeql/cascadeql/internal/redistest"
)

// mapStore is the smallest store: a map. Each call first goes through the hook, which may
// fail, panic or wait.
type mapStore struct {
	hook func(ctx context.Context, call string) error
	// get replaces what Get returns.
	get func(*store.Entry) *store.Entry

	mu      sync.Mutex
	entries map[string]*store.Entry
	keys    []string // of every Put
	closed  int
}

func newMapStore() *mapStore { return &mapStore{entries: map[string]*store.Entry{}} }

func (s *mapStore) enter(ctx context.Context, call string) error {
	if s.hook == nil {
		return nil
	}
	return s.hook(ctx, call)
}

func (s *mapStore) Get(ctx context.Context, key []byte) (*store.Entry, error) {
	if err := s.enter(ctx, "Get"); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.entries[string(key)]
	if s.get != nil {
		return s.get(e), nil
	}
	if e == nil {
		return nil, fmt.Errorf("wrapped: %w", store.ErrMiss)
	}
	return e, nil
}

func (s *mapStore) Put(ctx context.Context, key []byte, e *store.Entry) error {
	if err := s.enter(ctx, "Put"); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.entries[string(key)] = e
	s.keys = append(s.keys, string(key))
	return nil
}

func (s *mapStore) Delete(ctx context.Context, key []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.entries, string(key))
	return s.enter(ctx, "Delete")
}

func (s *mapStore) DeleteEntry(ctx context.Context, key []byte, e *store.Entry) error {
	if err := s.enter(ctx, "DeleteEntry"); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.entries[string(key)] == e {
		delete(s.entries, string(key))
	}
	return nil
}

func (s *mapStore) All(ctx context.Context) iter.Seq2[[]byte, *store.Entry] {
	return func(yield func([]byte, *store.Entry) bool) {
		if s.enter(ctx, "All") != nil || ctx.Err() != nil {
			return
		}
		s.mu.Lock()
		held := maps.Clone(s.entries)
		s.mu.Unlock()
		for k, e := range held {
			if !yield([]byte(k), e) {
				return
			}
		}
	}
}

func (s *mapStore) Clear(ctx context.Context) error {
	if err := s.enter(ctx, "Clear"); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.entries)
	return nil
}

func (s *mapStore) Stats() store.Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return store.Stats{Entries: int64(len(s.entries))}
}

func (s *mapStore) Close() error {
	s.mu.Lock()
	s.closed++
	s.mu.Unlock()
	return s.enter(context.Background(), "Close")
}

// logged is a logger and the lines that it was given.
type logged struct{ redistest.Output }

func (l *logged) logger() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }

func (l *logged) lines() []string {
	return slices.DeleteFunc(strings.Split(l.String(), "\n"), func(s string) bool { return s == "" })
}

// loud makes a cache that logs.
func loud(t *testing.T, o gqlcache.Options) (*gqlcache.Cache, *logged) {
	t.Helper()
	l := &logged{}
	o.Logger = l.logger()
	o.SweepInterval = -1
	c, err := gqlcache.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c, l
}

// TestFailingStore: whatever a store's methods do, requests are answered as without the
// cache, a counter moves for each failure, and the log has one line.
func TestFailingStore(t *testing.T) {
	t.Parallel()
	failures := map[string]func() error{
		"error": func() error { return errors.New("store is broken") },
		"panic": func() error { panic("store is broken") },
	}
	for _, row := range []struct {
		call string
		want []string // the outcomes of reading twice, changing, reading, reading
	}{
		{"Get", []string{"MISS", "MISS", "", "MISS", "MISS"}},
		{"Put", []string{"MISS store", "MISS store", "", "MISS store", "MISS store"}},
		{"DeleteEntry", []string{"MISS", "HIT", "", "MISS", "HIT"}},
		{"All", []string{"MISS", "HIT", "", "MISS", "HIT"}},
		{"Clear", []string{"MISS", "HIT", "", "MISS", "HIT"}},
		{"Close", []string{"MISS", "HIT", "", "MISS", "HIT"}},
	} {
		for how, fail := range failures {
			t.Run(row.call+"/"+how, func(t *testing.T) {
				t.Parallel()
				s := newMapStore()
				s.hook = func(_ context.Context, call string) error {
					if call == row.call {
						return fail()
					}
					return nil
				}
				r := newRig(t, "annotated", gqlcache.Options{Callers: gqlcache.AllSeeTheSame})
				c, log := loud(t, gqlcache.Options{Callers: gqlcache.AllSeeTheSame, Store: s})
				r.cache, r.cached = c, testgraph.NewServer(r.store, c)
				for i, document := range []string{readAnn, readAnn, renameAnn, readAnn, readAnn} {
					if _, status := r.do(testgraph.Request{Query: expand(document)}); status != row.want[i] {
						t.Errorf("%d: %q, want %q", i, status, row.want[i])
					}
				}
				other := `mutation{renameUser(id:$Ann,name:"Other")}`
				r.do(testgraph.Request{Query: expand(other)})
				_, sweepErr := c.Sweep(t.Context())
				clearErr := c.Clear(t.Context())
				closeErr := c.Close()
				if sweepErr != nil || (clearErr != nil) != (row.call == "Clear") || (closeErr != nil) != (row.call == "Close") {
					t.Errorf("Sweep: %v, Clear: %v, Close: %v", sweepErr, clearErr, closeErr)
				}
				// An All that fails yields nothing: its contract has no error.
				nothing := row.call == "All" && how == "error"
				if n := c.Stats().StoreErrors; (n == 0) != (nothing || row.call == "Close") {
					t.Errorf("%d failures counted", n)
				}
				lines := log.lines()
				silent := nothing || row.call == "Clear" || row.call == "Close" // their callers are told
				if silent != (len(lines) == 0) || len(lines) > 1 {
					t.Errorf("log: %q", lines)
				}
			})
		}
	}
}

// TestForeignEntries: neither nil nor an entry of somebody else's is served.
func TestForeignEntries(t *testing.T) {
	t.Parallel()
	for name, get := range map[string]func(*store.Entry) *store.Entry{
		"nil":          func(*store.Entry) *store.Entry { return nil },
		"without Meta": func(*store.Entry) *store.Entry { return &store.Entry{Body: []byte(`{"stolen":true}`)} },
		"foreign Meta": func(*store.Entry) *store.Entry {
			return &store.Entry{Body: []byte(`{"stolen":true}`), Meta: foreignMeta{}}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newMapStore()
			s.get = get
			s.entries["foreign"] = &store.Entry{Meta: foreignMeta{}} // for the sweep
			r := newRig(t, "annotated", gqlcache.Options{Store: s})
			r.run("annotated", []string{"MISS: " + readAnn, "MISS: " + readAnn, renameAnn, "MISS: " + readAnn})
			if rep, err := r.cache.Sweep(t.Context()); err != nil || rep.LiveEntries != 1 || rep.DeadEntries != 0 {
				t.Errorf("Sweep = %+v, %v; want the one entry that is ours", rep, err)
			}
		})
	}
}

type foreignMeta struct{}

func (foreignMeta) AppendBinary(b []byte) ([]byte, error) { return b, nil }

// TestR4SharedStore: two caches over one store never serve each other's entries. With
// other schemas even their keys differ; with the same schema it is the entries that tell
// whose they are, since a change that one cache has seen is unknown to the other.
func TestR4SharedStore(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name     string
		without  []string
		sameKeys bool
	}{{"other schema", []string{"cacheControl", "reads"}, false}, {"same schema", []string{"cacheControl"}, true}} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			shared := newMapStore()
			rows := testgraph.NewStore()
			a := newCache(t, gqlcache.Options{Store: shared, Callers: gqlcache.AllSeeTheSame})
			b := newCache(t, gqlcache.Options{Store: shared, Callers: gqlcache.AllSeeTheSame})
			first := testgraph.NewServer(rows, a)
			second := testgraph.Serve(testgraph.Executable(rows, row.without...), b)
			testgraph.Ask(t, first, readUsers, nil)
			testgraph.Ask(t, second, expand(renameAnn), nil) // the first does not hear of it
			if got := testgraph.Ask(t, second, readUsers, nil); !strings.Contains(got.Body, "New") {
				t.Errorf("the other cache's entry was served: %s", got.Body)
			}
			if s := b.Stats(); s.Hits != 0 || s.Misses != 1 {
				t.Errorf("%d hits and %d misses, want one miss", s.Hits, s.Misses)
			}
			if len(shared.keys) != 2 || (shared.keys[0] == shared.keys[1]) != row.sameKeys {
				t.Errorf("keys %x", shared.keys)
			}
			if rep, err := a.Sweep(t.Context()); err != nil || rep.DeadEntries != 0 || rep.LiveEntries > 1 {
				t.Errorf("Sweep = %+v, %v: it judges entries that are not its own", rep, err)
			}
		})
	}
}

// TestSlowStore: a store that takes its time delays answers and nothing else; a request
// that ends does not wait for it.
func TestSlowStore(t *testing.T) {
	t.Parallel()
	for _, call := range []string{"Get", "Put"} {
		t.Run(call, func(t *testing.T) {
			t.Parallel()
			s := newMapStore()
			reached, open := make(chan struct{}, 10), make(chan struct{})
			s.hook = func(ctx context.Context, at string) error {
				if at != call {
					return nil
				}
				reached <- struct{}{}
				select {
				case <-open:
					return nil
				case <-ctx.Done():
					return ctx.Err()
				}
			}
			r := newRig(t, "annotated", gqlcache.Options{Store: s})
			ctx, cancel := context.WithCancel(t.Context())
			gone, stays := r.start(ctx, readAnn), r.start(t.Context(), readUsers)
			<-reached
			<-reached
			cancel()
			if got := gone.wait(t); got.Status == 0 {
				t.Errorf("%+v", got)
			}
			close(open)
			if got := stays.wait(t); !strings.Contains(got.Body, "Ann") || len(got.Errors) > 0 {
				t.Errorf("answer %s", got.Body)
			}
			r.mustSee("Ann")
		})
	}
}

// TestCustomStore: the store of the options holds the entries, and is closed once.
func TestCustomStore(t *testing.T) {
	t.Parallel()
	s := newMapStore()
	r := newRig(t, "annotated", gqlcache.Options{Store: s})
	r.run("annotated", []string{"MISS: " + readAnn, "HIT: " + readAnn})
	if n := s.Stats().Entries; n != 1 || r.cache.Stats().Entries != 1 {
		t.Errorf("%d entries", n)
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if err := r.cache.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if s.closed != 1 {
		t.Errorf("closed %d times", s.closed)
	}
	r.run("annotated", []string{"closed: " + readAnn})
	if _, err := r.cache.Sweep(t.Context()); !errors.Is(err, gqlcache.ErrClosed) {
		t.Errorf("Sweep = %v, want ErrClosed", err)
	}
}
