package hostile

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler"
	"github.com/99designs/gqlgen/graphql/handler/lru"
	"github.com/99designs/gqlgen/graphql/handler/transport"
	"github.com/google/uuid"
	"github.com/vektah/gqlparser/v2/ast"
)

// Due is the time of the first item.
var Due = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// A World is the data and what was noticed. Safe for concurrent use.
type World struct {
	mu    sync.Mutex
	items []*Item
	parts []*Part
	calls map[string]int
	// busy counts those who use the one connection.
	busy int
	// Anyone lets @guarded pass.
	Anyone bool
	// AskedBy is called by shy and addGuarded with what their client asks for.
	AskedBy func(ctx context.Context)
}

// NewWorld returns a world with one item.
func NewWorld() *World {
	return &World{calls: map[string]int{}, items: []*Item{{
		ID: "1", Name: "one", Due: Due, Color: ColorRed, Code: "x", Stamp: &Stamp{1}, Owner: &Owner{7, "seven"},
	}}}
}

// Calls returns how often something ran.
func (w *World) Calls() map[string]int {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := map[string]int{}
	for name, n := range w.calls {
		out[name] = n
	}
	return out
}

func (w *World) called(name string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls[name]++
}

// connection takes the only connection, as a transaction's: two resolvers that use it at
// once both fail.
func (w *World) connection(ctx context.Context, name string) error {
	w.called(name)
	w.mu.Lock()
	w.busy++
	busy := w.busy > 1
	w.mu.Unlock()
	defer func() {
		w.mu.Lock()
		w.busy--
		w.mu.Unlock()
	}()
	if busy {
		return errors.New("conn busy")
	}
	return ctx.Err()
}

func (w *World) guarded(ctx context.Context, _ any, next graphql.Resolver) (any, error) {
	w.called("@guarded")
	if !w.Anyone {
		return nil, errors.New("refused")
	}
	return next(ctx)
}

func (w *World) audited(ctx context.Context, _ any, next graphql.Resolver) (any, error) {
	w.called("@audited")
	return next(ctx)
}

// Fields is a field middleware that counts, and lets one field at a time run, as entgql's
// Transactioner does.
func (w *World) Fields() func(context.Context, graphql.Resolver) (any, error) {
	var mu sync.Mutex
	return func(ctx context.Context, next graphql.Resolver) (any, error) {
		fc := graphql.GetFieldContext(ctx)
		w.called("field " + fc.Object + "." + fc.Field.Name)
		if fc.IsResolver && fc.Object != "Query" && fc.Object != "Mutation" {
			mu.Lock()
			defer mu.Unlock()
		}
		return next(ctx)
	}
}

// Serve returns a server over a world.
func Serve(w *World, exts ...graphql.HandlerExtension) *handler.Server {
	return ServeSchema(Executable(w), w, exts...)
}

// ServeSchema is Serve for an executable schema.
func ServeSchema(es graphql.ExecutableSchema, w *World, exts ...graphql.HandlerExtension) *handler.Server {
	srv := handler.New(es)
	srv.AddTransport(transport.POST{})
	srv.SetQueryCache(lru.New[*ast.QueryDocument](100))
	srv.SetRecoverFunc(func(context.Context, any) error { return errors.New("panicked") })
	srv.AroundFields(w.Fields())
	for _, e := range exts {
		srv.Use(e)
	}
	return srv
}

// Executable returns the executable schema over a world.
func Executable(w *World) graphql.ExecutableSchema {
	return NewExecutableSchema(Config{Resolvers: root{w}, Directives: DirectiveRoot{Guarded: w.guarded, Audited: w.audited}})
}

type root struct{ *World }

func (r root) Query() QueryResolver       { return query(r) }
func (r root) Mutation() MutationResolver { return mutation(r) }
func (r root) Item() ItemResolver         { return item(r) }
func (r root) Part() PartResolver         { return part(r) }

type item struct{ *World }

func (r item) Loaded(ctx context.Context, _ *Item) (bool, error) {
	return true, r.connection(ctx, "Item.loaded")
}

func (r item) Maker(ctx context.Context, _ *Item) (*Owner, error) {
	return &Owner{8, "eight"}, r.connection(ctx, "Item.maker")
}

type part struct{ *World }

func (r part) Loaded(ctx context.Context, _ *Part) (bool, error) {
	return true, r.connection(ctx, "Part.loaded")
}

func (r part) Item(ctx context.Context, _ *Part) (*Item, error) {
	return r.items[0], r.connection(ctx, "Part.item")
}

func (r part) Owners(ctx context.Context, _ *Part) ([]*Item, error) {
	return []*Item{nil}, r.connection(ctx, "Part.owners")
}

type query struct{ *World }

func (q query) where(is func(*Item) bool) ([]*Item, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	out := []*Item{}
	for _, i := range q.items {
		if is(i) {
			out = append(out, i)
		}
	}
	return out, nil
}

func (q query) one(is func(*Item) bool) (*Item, error) {
	all, _ := q.where(is)
	if len(all) == 0 {
		return nil, nil
	}
	return all[0], nil
}

func (q query) Item(_ context.Context, id string) (*Item, error) {
	return q.one(func(i *Item) bool { return i.ID == id })
}
func (q query) Items(context.Context) ([]*Item, error) {
	return q.where(func(*Item) bool { return true })
}
func (q query) ByDue(_ context.Context, due time.Time) ([]*Item, error) {
	return q.where(func(i *Item) bool { return i.Due.Equal(due) })
}
func (q query) ByColor(_ context.Context, color Color) ([]*Item, error) {
	return q.where(func(i *Item) bool { return i.Color == color })
}
func (q query) ByCode(_ context.Context, code string) ([]*Item, error) {
	return q.where(func(i *Item) bool { return i.Code == code })
}
func (q query) ByStamp(_ context.Context, stamp Stamp) ([]*Item, error) {
	return q.where(func(i *Item) bool { return i.Stamp != nil && *i.Stamp == stamp })
}
func (q query) ByOwner(_ context.Context, owner string) ([]*Item, error) {
	return q.where(func(i *Item) bool { return i.Owner != nil && strconv.Itoa(i.Owner.ID) == owner })
}
func (q query) PartsOf(_ context.Context, item string) ([]*Part, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if item != q.items[0].ID {
		return nil, nil
	}
	return slices.Clone(q.parts), nil
}
func (q query) Ghost(context.Context) (*Ghost, error) { return &Ghost{Text: "boo"}, nil }
func (q query) Vault(context.Context) (*Vault, error) { return &Vault{"v", "open"}, nil }
func (q query) Safe(context.Context) (*Safe, error)   { return &Safe{"s", "shut"}, nil }
func (q query) Relay(context.Context) (*Relay, error) { return &Relay{"r", "race"}, nil }
func (q query) Sealed(context.Context) (*Sealed, error) {
	return &Sealed{nil, "wax", &Owner{9, "nine"}}, nil
}
func (q query) Tagged(context.Context) (*Tagged, error) { return &Tagged{"panic", "tag"}, nil }
func (q query) Nodes(context.Context) ([]Node, error) {
	return []Node{q.items[0], nil, (*Owner)(nil)}, nil
}
func (q query) Audited(context.Context, *string) (*Item, error) { return q.items[0], nil }

func (q query) Doc(_ context.Context, isNil bool) (*Doc, error) {
	if isNil {
		return &Doc{uuid.Nil, "nil"}, nil
	}
	return &Doc{uuid.MustParse("01890a5d-ac96-774b-bcce-b302099a8057"), "doc"}, nil
}

func (q query) Anys(context.Context) ([]Any, error) {
	return []Any{q.items[0], &Vault{"v", "open"}, &Ghost{Text: "boo"}, &Owner{7, "seven"}}, nil
}

func (q query) Shy(ctx context.Context) (*Item, error) {
	if q.AskedBy != nil {
		q.AskedBy(ctx)
	}
	if slices.Contains(graphql.CollectAllFields(ctx), "id") {
		return nil, errors.New("ids are not for you")
	}
	return q.items[0], nil
}

type mutation struct{ *World }

func (m mutation) create(i *Item) *Item {
	m.mu.Lock()
	defer m.mu.Unlock()
	i.ID = strconv.Itoa(len(m.items) + 1)
	m.items = append(m.items, i)
	return i
}

// CreateDefault returns what an INSERT … RETURNING id knows.
func (m mutation) CreateDefault(_ context.Context, name string) (*Item, error) {
	full := m.create(&Item{Name: name, Due: Due, Color: ColorRed, Code: "x", Stamp: &Stamp{1}, Owner: &Owner{7, "seven"}})
	return &Item{ID: full.ID, Name: name}, nil
}

func (m mutation) CreateNil(_ context.Context, name string) (*Item, error) {
	m.create(&Item{Name: name, Due: Due, Color: ColorRed, Code: "x"})
	return nil, nil
}

func (m mutation) CreateCode(_ context.Context, code string) (*Item, error) {
	return m.create(&Item{Name: code, Due: Due, Color: ColorGreen, Code: code, Stamp: &Stamp{1}}), nil
}

func (m mutation) CreateOwned(_ context.Context, name string) (*Item, error) {
	return m.create(&Item{Name: name, Due: Due, Color: ColorGreen, Code: "y", Stamp: &Stamp{2}, Owner: &Owner{9, "nine"}}), nil
}

func (m mutation) add(name string) (*Part, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	p := &Part{strconv.Itoa(len(m.parts) + 1), name}
	m.parts = append(m.parts, p)
	return p, nil
}

func (m mutation) AddPart(_ context.Context, name string) (*Part, error)  { return m.add(name) }
func (m mutation) AddVia(_ context.Context, name string) (*Part, error)   { return m.add(name) }
func (m mutation) AddOwned(_ context.Context, name string) (*Part, error) { return m.add(name) }

// AddGuarded refuses those who ask for the item.
func (m mutation) AddGuarded(ctx context.Context, name string) (*Part, error) {
	if m.AskedBy != nil {
		m.AskedBy(ctx)
	}
	if slices.Contains(graphql.CollectAllFields(ctx), "item") {
		return nil, errors.New("no item for you")
	}
	return m.add(name)
}

func (m mutation) TouchAll(context.Context) (bool, error) { return true, nil }
