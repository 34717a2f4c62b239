package floor_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/99designs/gqlgen/graphql"
	"github.com/cascadeql/cascadeql/compat/floor"
	"github.com/cascadeql/cascadeql/compat/internal/twin"
	"github.com/cascadeql/cascadeql/gqlcache"
)

func newCache(t *testing.T) *gqlcache.Cache {
	t.Helper()
	c, err := gqlcache.New(gqlcache.Options{
		Callers: gqlcache.AllSeeTheSame, SweepInterval: -1, Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

func newPair(t *testing.T) (*twin.Pair, *floor.Server) {
	t.Helper()
	w := &twin.Pair{T: t, Contract: &twin.Contract{}}
	plain, cached := floor.NewServer(), floor.NewServer()
	open := make(chan struct{})
	close(open)
	plain.Gate, cached.Gate = open, open
	front := func(s *floor.Server, exts ...graphql.HandlerExtension) http.Handler {
		srv := s.NewHandler()
		srv.AroundFields(w.Contract.Fields)
		for _, e := range exts {
			srv.Use(e)
		}
		return w.Contract.Around(srv)
	}
	w.Plain, w.Oracle, w.Cached = front(plain), front(cached), front(cached, newCache(t))
	t.Cleanup(w.Check)
	return w, cached
}

// TestFloor: this module builds with the version that it says. Update the root's README with it.
func TestFloor(t *testing.T) {
	t.Parallel()
	const want = "v0.17.67"
	if graphql.Version != want {
		t.Errorf("gqlgen is %s, want %s", graphql.Version, want)
	}
}

// TestAnswers: queries, mutations, errors and streams on the oldest gqlgen.
func TestAnswers(t *testing.T) {
	t.Parallel()
	w, _ := newPair(t)
	stream := map[string]string{"Accept": "text/event-stream"}
	for _, r := range []twin.Request{
		{Query: `{ item(id: 1) { name } items { name parts { name item { name } } } node(id: 2) { ... on Item { name } } }`},
		{Query: `{ item(id: 1) { ...f } } fragment f on Item { note a: name b: name }`},
		{Query: `{ fails item(id: 1) { name } }`},
		{Query: `{ item(id: "x") { name } }`},
		{Query: `{ item { name } }`},
		{Method: http.MethodGet, Query: `{ item(id: 3) { name } }`},
		{Query: `{ item(id: 1) { name } }`, Header: stream},
		{Query: `subscription { counted }`, Header: stream},
		{Query: `mutation { updateItem(id: 1, input: {name: "new"}) { name } }`},
		{Query: `{ item(id: 1) { name } items { name parts { name item { name } } } node(id: 2) { ... on Item { name } } }`},
		{Query: `mutation { addPart(itemId: 1, name: "p") { name } }`},
		{Query: `{ item(id: 1) { name } items { name parts { name item { name } } } node(id: 2) { ... on Item { name } } }`},
		{Query: `mutation { addPart(itemId: 99, name: "lost") { name } }`}, // the item that nobody asked for cannot be had
		{Query: `{ items { name parts { name } } }`},
		{Query: `mutation { updateItem(id: 1, input: {note: null}) { note } }`},
		{Query: `{ item(id: 1) { ...f } } fragment f on Item { note a: name b: name }`},
	} {
		w.Same(r)
		if !strings.HasPrefix(r.Query, "mutation") {
			w.Same(r)
		}
	}
}

// TestRowsThatNobodySelected: which row a mutation changed is read from what its resolver returned.
func TestRowsThatNobodySelected(t *testing.T) {
	t.Parallel()
	w, _ := newPair(t)
	first, second := twin.Request{Query: `{ item(id: 1) { name } }`}, twin.Request{Query: `{ node(id: 2) { ... on Item { name } } }`}
	w.Same(first)
	w.Same(second)
	w.Same(twin.Request{Query: `mutation { renameFirst(name: "new") { name } }`})
	if w.Same(first); len(w.Same(second).Fields) != 0 {
		t.Error("a row that was not changed was dropped")
	}
}

// TestLeader: the leader of a computation leaves, and a joiner is answered.
func TestLeader(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, server := newPair(t)
		server.Gate = make(chan struct{})
		send := func(ctx context.Context) (answer func() twin.Answer) {
			done := make(chan twin.Answer, 1)
			go func() { done <- w.Contract.Serve(ctx, w.Cached, twin.Request{Query: `{ slow(id: 1) { name } }`}) }()
			synctest.Wait()
			return func() twin.Answer { return <-done }
		}
		ctx, leave := context.WithCancel(context.Background())
		leader := send(ctx)
		joiner := send(context.Background())
		leave()
		synctest.Wait()
		close(server.Gate)
		leader()
		if got := joiner().Body; got != `{"data":{"slow":{"name":"one"}}}` {
			t.Errorf("the joiner got %s", got)
		}
	})
}
