package federated

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler"
	"github.com/99designs/gqlgen/graphql/handler/transport"
)

// Store holds products and their reviews.
type Store struct {
	mu       sync.Mutex
	products map[string]row
	reviews  map[string]opinion
	found    []string
}

type row struct {
	sku, name string
	price     int
}

type opinion struct {
	upc, author string
	stars       int
}

// NewStore returns a store with three products and three reviews.
func NewStore() *Store {
	return &Store{
		products: map[string]row{"1": {"a", "table", 100}, "2": {"b", "chair", 50}, "3": {"c", "lamp", 20}},
		reviews:  map[string]opinion{"1": {"1", "ann", 5}, "2": {"1", "bob", 2}, "3": {"2", "ann", 4}},
	}
}

// Found returns the keys that entities were found by since the last call, in order.
func (s *Store) Found() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := s.found
	s.found = nil
	slices.Sort(found)
	return found
}

// note notes that an entity was asked for. REQUIRES: mu held.
func (s *Store) note(key string) { s.found = append(s.found, key) }

func (s *Store) product(upc string) *Product {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.get(upc)
}

// get returns a product, nil for none. REQUIRES: mu held.
func (s *Store) get(upc string) *Product {
	p, ok := s.products[upc]
	if !ok {
		return nil
	}
	return &Product{Upc: upc, Sku: p.sku, Name: p.name}
}

// opinion returns a review, nil for none. REQUIRES: mu held.
func (s *Store) opinion(id string) *Review {
	o, ok := s.reviews[id]
	if !ok {
		return nil
	}
	return &Review{ID: id, Stars: o.stars, Body: strings.Repeat("*", o.stars)}
}

// NewServer returns a server with extensions in the given order.
func NewServer(s *Store, exts ...graphql.HandlerExtension) *handler.Server {
	return NewServerWith(s, nil, exts...)
}

// A Finder finds entities instead of the store. What it does not do, next does.
type Finder interface {
	Product(ctx context.Context, upc string, next func(context.Context, string) (*Product, error)) (*Product, error)
	Reviews(ctx context.Context, ids []string, next func(context.Context, []string) ([]*Review, error)) ([]*Review, error)
}

// NewServerWith is NewServer with a finder; nil for none.
func NewServerWith(s *Store, f Finder, exts ...graphql.HandlerExtension) *handler.Server {
	srv := handler.New(NewExecutableSchema(Config{Resolvers: resolver{s, f}}))
	srv.AddTransport(transport.POST{})
	for _, e := range exts {
		srv.Use(e)
	}
	return srv
}

type userKey struct{}

// WithUser hands the caller, who is in the header X-User, to the resolvers.
func WithUser(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), userKey{}, r.Header.Get("X-User"))))
	})
}

// Caller returns the caller.
func Caller(ctx context.Context) string {
	user, _ := ctx.Value(userKey{}).(string)
	return user
}

type resolver struct {
	*Store
	finder Finder
}

func (r resolver) Entity() EntityResolver     { return entity(r) }
func (r resolver) Mutation() MutationResolver { return mutation(r) }
func (r resolver) Product() ProductResolver   { return product(r) }
func (r resolver) Query() QueryResolver       { return query(r) }
func (r resolver) Review() ReviewResolver     { return review(r) }
func (r resolver) User() UserResolver         { return user(r) }

type (
	entity   resolver
	mutation resolver
	product  resolver
	query    resolver
	review   resolver
	user     resolver
)

func (e entity) FindProductByUpc(ctx context.Context, upc string) (*Product, error) {
	find := func(_ context.Context, upc string) (*Product, error) {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.note("upc " + upc)
		if p := e.get(upc); p != nil {
			return p, nil
		}
		return nil, errors.New("no such product")
	}
	if e.finder != nil {
		return e.finder.Product(ctx, upc, find)
	}
	return find(ctx, upc)
}

func (e entity) FindProductBySku(_ context.Context, sku string) (*Product, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.note("sku " + sku)
	for _, upc := range slices.Sorted(maps.Keys(e.products)) { // several may have it
		if e.products[upc].sku == sku {
			return e.get(upc), nil
		}
	}
	return nil, errors.New("no such product")
}

// FindManyReviewByIDs has null for a review that is not there, and an error for one called "broken".
func (e entity) FindManyReviewByIDs(ctx context.Context, reps []*ReviewByIDsInput) ([]*Review, error) {
	find := func(_ context.Context, ids []string) ([]*Review, error) {
		e.mu.Lock()
		defer e.mu.Unlock()
		list := make([]*Review, len(ids))
		for i, id := range ids {
			if id == "broken" {
				return nil, errors.New("broken")
			}
			e.note("review " + id)
			list[i] = e.opinion(id)
		}
		return list, nil
	}
	ids := make([]string, len(reps))
	for i, rep := range reps {
		ids[i] = rep.ID
	}
	if e.finder != nil {
		return e.finder.Reviews(ctx, ids, find)
	}
	return find(ctx, ids)
}

func (e entity) FindUserByID(_ context.Context, id string) (*User, error) { return &User{ID: id}, nil }

// change changes a product that is there.
func (m mutation) change(upc string, set func(*row)) (*Product, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if p, ok := m.products[upc]; ok {
		set(&p)
		m.products[upc] = p
	}
	return m.get(upc), nil
}

func (m mutation) Rename(_ context.Context, upc string, name string) (*Product, error) {
	return m.change(upc, func(p *row) { p.name = name })
}

func (m mutation) Relabel(_ context.Context, upc string, sku string) (*Product, error) {
	return m.change(upc, func(p *row) { p.sku = sku })
}

func (m mutation) Reprice(_ context.Context, upc string, price int) (*Product, error) {
	return m.change(upc, func(p *row) { p.price = price })
}

func (m mutation) Stock(_ context.Context, upc string, sku string, name string) (*Product, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	p := m.products[upc]
	p.sku, p.name = sku, name
	m.products[upc] = p
	return m.get(upc), nil
}

func (m mutation) Drop(_ context.Context, upc string) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	_, ok := m.products[upc]
	delete(m.products, upc)
	return ok, nil
}

func (m mutation) Review(_ context.Context, id string, upc string, author string, stars int) (*Review, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.reviews[id] = opinion{upc, author, stars}
	return m.opinion(id), nil
}

func (m mutation) Unreview(_ context.Context, id string) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	_, ok := m.reviews[id]
	delete(m.reviews, id)
	return ok, nil
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

// Price is lower for ann.
func (p product) Price(ctx context.Context, obj *Product) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	price := p.products[obj.Upc].price
	if Caller(ctx) == "ann" {
		price--
	}
	return price, nil
}

func (p product) Reviews(_ context.Context, obj *Product, stars *int) ([]*Review, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	list := []*Review{}
	for id, o := range p.reviews {
		if o.upc == obj.Upc && (stars == nil || o.stars == *stars) {
			list = append(list, p.opinion(id))
		}
	}
	slices.SortFunc(list, func(a, b *Review) int { return strings.Compare(a.ID, b.ID) })
	return list, nil
}

func (q query) Product(_ context.Context, upc string) (*Product, error) { return q.product(upc), nil }

func (q query) Products(context.Context) ([]*Product, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	var out []*Product
	for upc := range q.products {
		out = append(out, q.get(upc))
	}
	slices.SortFunc(out, func(a, b *Product) int { return strings.Compare(a.Upc, b.Upc) })
	return out, nil
}

func (r review) Product(_ context.Context, obj *Review) (*Product, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if p := r.get(r.reviews[obj.ID].upc); p != nil {
		return p, nil
	}
	return nil, errors.New("its product is gone")
}

func (u user) Reviews(_ context.Context, obj *User) (int, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	n := 0
	for _, o := range u.reviews {
		if o.author == obj.ID {
			n++
		}
	}
	return n, nil
}
