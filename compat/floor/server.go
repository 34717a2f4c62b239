package floor

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler"
	"github.com/99designs/gqlgen/graphql/handler/lru"
	"github.com/99designs/gqlgen/graphql/handler/transport"
	"github.com/vektah/gqlparser/v2/ast"
)

// Server holds the rows, and resolves everything.
type Server struct {
	mu    sync.Mutex
	items []Item
	parts []Part
	owner map[int]int // items of parts
	// Gate holds slow back, unless it is nil.
	Gate chan struct{}
}

// NewServer returns a server with three items.
func NewServer() *Server {
	s := &Server{owner: map[int]int{}}
	for id, name := range []string{"one", "two", "three"} {
		s.items = append(s.items, Item{ID: id + 1, Name: name})
	}
	return s
}

// NewHandler returns a handler with extensions in the given order.
func (s *Server) NewHandler(exts ...graphql.HandlerExtension) *handler.Server {
	srv := handler.New(NewExecutableSchema(Config{Resolvers: s}))
	srv.AddTransport(transport.SSE{})
	srv.AddTransport(transport.GET{})
	srv.AddTransport(transport.POST{})
	srv.SetQueryCache(lru.New[*ast.QueryDocument](100))
	for _, e := range exts {
		srv.Use(e)
	}
	return srv
}

func (s *Server) item(id int) *Item {
	s.mu.Lock()
	defer s.mu.Unlock()
	if id < 1 || id > len(s.items) {
		return nil
	}
	return new(s.items[id-1])
}

// Item implements ResolverRoot.
func (s *Server) Item() ItemResolver { return item{s} }

// Mutation implements ResolverRoot.
func (s *Server) Mutation() MutationResolver { return mutation{s} }

// Part implements ResolverRoot.
func (s *Server) Part() PartResolver { return part{s} }

// Query implements ResolverRoot.
func (s *Server) Query() QueryResolver { return query{s} }

// Subscription implements ResolverRoot.
func (s *Server) Subscription() SubscriptionResolver { return subscription{} }

type (
	item         struct{ *Server }
	mutation     struct{ *Server }
	part         struct{ *Server }
	query        struct{ *Server }
	subscription struct{}
)

func (i item) Parts(_ context.Context, obj *Item) ([]*Part, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	out := []*Part{}
	for _, p := range i.parts {
		if i.owner[p.ID] == obj.ID {
			out = append(out, new(p))
		}
	}
	return out, nil
}

func (m mutation) UpdateItem(_ context.Context, id int, in ItemInput) (*Item, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	at := slices.IndexFunc(m.items, func(it Item) bool { return it.ID == id })
	if at < 0 {
		return nil, nil
	}
	if name, ok := in.Name.ValueOK(); ok && name != nil {
		m.items[at].Name = *name
	}
	if note, ok := in.Note.ValueOK(); ok {
		m.items[at].Note = note
	}
	return new(m.items[at]), nil
}

func (m mutation) RenameFirst(_ context.Context, name string) (*Item, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.items[0].Name = name
	return new(m.items[0]), nil
}

func (m mutation) AddPart(_ context.Context, itemID int, name string) (*Part, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	p := Part{ID: len(m.parts) + 1, Name: name}
	m.parts, m.owner[p.ID] = append(m.parts, p), itemID
	return &p, nil
}

func (p part) Item(_ context.Context, obj *Part) (*Item, error) {
	p.mu.Lock()
	id := p.owner[obj.ID]
	p.mu.Unlock()
	it := p.item(id)
	if it == nil {
		return nil, errors.New("no such item")
	}
	return it, nil
}

func (q query) Item(_ context.Context, id int) (*Item, error) { return q.item(id), nil }

func (q query) Items(context.Context) ([]*Item, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	var out []*Item
	for _, it := range q.items {
		out = append(out, new(it))
	}
	return out, nil
}

func (q query) Slow(ctx context.Context, id int) (*Item, error) {
	select {
	case <-q.Gate:
		return q.item(id), nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (q query) Node(_ context.Context, id int) (Node, error) {
	if it := q.item(id); it != nil {
		return it, nil
	}
	return nil, nil
}

func (q query) Fails(context.Context) (*string, error) { return nil, errors.New("it failed") }

func (subscription) Counted(ctx context.Context) (<-chan int, error) {
	out := make(chan int)
	go func() {
		defer close(out)
		for n := range 3 {
			select {
			case out <- n:
			case <-ctx.Done():
				return
			}
		}
	}()
	return out, nil
}
