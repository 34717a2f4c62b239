package e2e

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/99designs/gqlgen/graphql"

	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/inspect"
	"github.com/cascadeql/cascadeql/gqlcache/internal/testgraph"
)

// A gate is an extension that has the field with the alias b wait for the one with a.
type gate struct {
	mu    sync.Mutex // guards first
	first chan struct{}
}

// open has the next fields wait.
func (g *gate) open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.first = make(chan struct{})
}

func (*gate) ExtensionName() string                          { return "gate" }
func (*gate) Validate(schema graphql.ExecutableSchema) error { return nil }

func (g *gate) InterceptField(ctx context.Context, next graphql.Resolver) (any, error) {
	g.mu.Lock()
	first := g.first
	g.mu.Unlock()
	switch graphql.GetFieldContext(ctx).Field.Alias {
	case "a":
		defer close(first)
	case "b":
		<-first
	}
	return next(ctx)
}

// A field of the root whose objects come out of the database for some rows and out of a map
// of the process for others is one that no statement explains: nothing says what those of
// the map depend on, though the program keeps its map right.
func TestMapOfTheProcess(t *testing.T) {
	t.Parallel()
	s := newSeam(t, gqlcache.Observe{Everything: true}, undeclared, nil)
	g := &gate{}
	s.srv = testgraph.Serve(testgraph.Executable(s.store, undeclared...), g, s.cache)
	var names sync.Map
	names.Store("2", "two")
	s.store.Answer("Query.echo", func(ctx context.Context) (any, error) {
		id, name := "", ""
		if name, ok := names.Load(*argument(ctx, "text").(*string)); ok {
			return name.(string), nil
		}
		err := s.db.QueryRowContext(ctx, byID, *argument(ctx, "text").(*string)).Scan(&id, &name)
		return name, err
	})
	s.store.On("Mutation.setLoose", func(ctx context.Context) error {
		id, name := argument(ctx, "id"), argument(ctx, "name")
		names.Store(id, name)
		_, err := s.db.ExecContext(ctx, `UPDATE loose SET name = ? WHERE id = ?`, name, id)
		return err
	})
	ask := func() string {
		g.open()
		r := testgraph.Ask(t, s.srv, `{a: echo(text: "1") b: echo(text: "2")}`, nil)
		return r.Body
	}
	for _, name := range []string{"zwei", "deux", "due"} {
		ask() // a read of the same row, whose shape is new
		ask()
		s.ask(`mutation {setLoose(id: "2", name: "` + name + `")}`)
		if got := ask(); !strings.Contains(got, name) {
			t.Errorf("the name is %s: %s", name, got)
		}
	}
	if !slices.ContainsFunc(s.cache.Observed().Findings, func(f inspect.ObservedFinding) bool { return f.Kind == "unexplained field" && f.Text == "Query.echo" }) {
		t.Errorf("%+v", s.cache.Observed().Findings)
	}
}
