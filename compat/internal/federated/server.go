package federated

import (
	"context"
	"errors"
	"sync"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler"
	"github.com/99designs/gqlgen/graphql/handler/transport"
)

// Store holds the products.
type Store struct {
	mu    sync.Mutex
	names map[string]string
}

// NewStore returns a store with three products.
func NewStore() *Store {
	return &Store{names: map[string]string{"1": "table", "2": "chair", "3": "lamp"}}
}

func (s *Store) product(upc string) *Product {
	s.mu.Lock()
	defer s.mu.Unlock()
	name, ok := s.names[upc]
	if !ok {
		return nil
	}
	return &Product{Upc: upc, Name: name}
}

// NewServer returns a server with extensions in the given order.
func NewServer(s *Store, exts ...graphql.HandlerExtension) *handler.Server {
	srv := handler.New(NewExecutableSchema(Config{Resolvers: resolver{s}}))
	srv.AddTransport(transport.POST{})
	for _, e := range exts {
		srv.Use(e)
	}
	return srv
}

type resolver struct{ *Store }

func (r resolver) Entity() EntityResolver     { return entity(r) }
func (r resolver) Mutation() MutationResolver { return mutation(r) }
func (r resolver) Product() ProductResolver   { return product(r) }
func (r resolver) Query() QueryResolver       { return query(r) }

type (
	entity   resolver
	mutation resolver
	product  resolver
	query    resolver
)

func (e entity) FindProductByUpc(_ context.Context, upc string) (*Product, error) {
	p := e.product(upc)
	if p == nil {
		return nil, errors.New("no such product")
	}
	return p, nil
}

func (m mutation) Rename(_ context.Context, upc string, name string) (*Product, error) {
	m.mu.Lock()
	if _, ok := m.names[upc]; ok {
		m.names[upc] = name
	}
	m.mu.Unlock()
	return m.product(upc), nil
}

func (p product) Shipping(_ context.Context, _ *Product, required map[string]any) (int, error) {
	switch w := required["weight"].(type) {
	case int64:
		return int(w) * 2, nil
	case interface{ Int64() (int64, error) }:
		n, err := w.Int64()
		return int(n) * 2, err
	case int:
		return w * 2, nil
	case float64:
		return int(w) * 2, nil
	default:
		return 0, errors.New("no weight")
	}
}

func (q query) Product(_ context.Context, upc string) (*Product, error) { return q.product(upc), nil }

func (q query) Products(context.Context) ([]*Product, error) {
	var out []*Product
	for _, upc := range []string{"1", "2", "3"} {
		out = append(out, q.product(upc))
	}
	return out, nil
}
