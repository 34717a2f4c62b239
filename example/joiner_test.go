package main

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"github.com/cascadeql/cascadeql/example/internal/blog"
	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/store"
	"github.com/cascadeql/cascadeql/gqlcache/store/memstore"
)

// A hookedStore tells what the cache does with it.
type hookedStore struct {
	store.Store
	get func()
	put func()
}

func (s *hookedStore) Get(ctx context.Context, key []byte) (*store.Entry, error) {
	e, err := s.Store.Get(ctx, key)
	s.get()
	return e, err
}

func (s *hookedStore) Put(ctx context.Context, key []byte, e *store.Entry) error {
	err := s.Store.Put(ctx, key, e)
	s.put()
	return err
}

// TestJoinerChecksAStoredAnswer lets a change come in between the storing of an answer
// and the end of its flight, and a request after the change join that flight.
func TestJoinerChecksAStoredAnswer(t *testing.T) { onEach(t, testJoinerChecksAStoredAnswer) }

func testJoinerChecksAStoredAnswer(t *testing.T, database kind) {
	t.Helper()
	inner, err := memstore.New(memstore.Options{MaxBytes: 1 << 20, MaxEntries: 100})
	if err != nil {
		t.Fatal(err)
	}
	var once, looked sync.Once
	var armed atomic.Bool
	lookedUp := make(chan struct{})
	joined := make(chan reply, 1)
	hooks := &hookedStore{Store: inner}
	r := startRig(t, setup{
		postgres: database.postgres, bare: database.bare,
		change: func(o *gqlcache.Options) { o.Store = hooks },
	})
	const id = "aaaaaaaa-0000-4000-8000-000000000001"
	body := requestBody(`{ tag(id: "` + id + `") { name } }`)
	hooks.get = func() {
		if armed.Load() {
			looked.Do(func() { close(lookedUp) })
		}
	}
	hooks.put = func() {
		once.Do(func() {
			if _, err := r.store.As("t").RenameTag(t.Context(), id, "new"); err != nil {
				t.Error(err)
			}
			if !database.bare { // otherwise the commit has told the cache
				if err := r.cache.Invalidate(t.Context(), gqlcache.Entity("Tag", id)); err != nil {
					t.Error(err)
				}
			}
			armed.Store(true)
			go func() { joined <- r.ask("t", body, false) }()
			<-lookedUp
			// It has missed and is about to join. Nothing tells when it has; should it
			// come too late, it computes by itself and is right anyway.
			<-time.After(20 * time.Millisecond)
		})
	}
	if _, err := r.store.As("t").CreateTag(t.Context(), blog.NewTag{ID: new(id), Name: "old"}); err != nil {
		t.Fatal(err)
	}
	r.ask("t", body, false)
	if rep := <-joined; string(rep.Data) != `{"tag":{"name":"new"}}` {
		t.Errorf("a request after the change got %s %s", rep.Data, rep.Errors)
	}
}

// TestPartialAnswersAreNotStored has one field fail once.
func TestPartialAnswersAreNotStored(t *testing.T) {
	t.Parallel()
	var failing atomic.Bool
	r := startRig(t, setup{fields: func(ctx context.Context, next graphql.Resolver) (any, error) {
		if graphql.GetFieldContext(ctx).Field.Name == "bio" && failing.Load() {
			return nil, errors.Join(errInternal)
		}
		return next(ctx)
	}})
	r.ask("t", requestBody(`mutation { createUser(input: {email: "e", name: "n", bio: "text"}) { id } }`), false)
	body := requestBody(`{ userByEmail(email: "e") { name bio } }`)
	failing.Store(true)
	if rep := r.ask("t", body, false); len(rep.Errors) != 1 || string(rep.Data) != `{"userByEmail":{"name":"n","bio":null}}` {
		t.Fatalf("got %s %s", rep.Data, rep.Errors)
	}
	failing.Store(false)
	if rep := r.ask("t", body, false); len(rep.Errors) != 0 || string(rep.Data) != `{"userByEmail":{"name":"n","bio":"text"}}` {
		t.Errorf("got %s %s", rep.Data, rep.Errors)
	}
}
