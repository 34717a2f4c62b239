package shop

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"golang.org/x/sync/errgroup"
)

// Env is what resolvers ask the HTTP stack around the server, by the request's context. Ask and Inner may be
// nil where no query asks.
type Env struct {
	// User is the caller, Writer the response, Ask runs a query on the same server.
	User   func(ctx context.Context) string
	Writer func(ctx context.Context) http.ResponseWriter
	Ask    func(ctx context.Context, query string) string
	// DoNotStore, Private and MaxAge speak to the cache, if there is one.
	DoNotStore, Private, Commit func(ctx context.Context) error
	MaxAge                      func(ctx context.Context, age time.Duration) error
	// Me is the caller's row, as a middleware has read it. It may be nil.
	Me func(ctx context.Context) *User
	// Inner says that the request was made by Ask.
	Inner func(ctx context.Context) bool
}

// Resolver resolves everything.
type Resolver struct {
	Store *Store
	Gates *Gates
	Env   *Env
}

// Query implements ResolverRoot.
func (r *Resolver) Query() QueryResolver { return query{r} }

// Mutation implements ResolverRoot.
func (r *Resolver) Mutation() MutationResolver { return mutation{r} }

// Subscription implements ResolverRoot.
func (r *Resolver) Subscription() SubscriptionResolver { return subscription{r} }

// Item implements ResolverRoot.
func (r *Resolver) Item() ItemResolver { return item{r} }

// Part implements ResolverRoot.
func (r *Resolver) Part() PartResolver { return part{r} }

type (
	query        struct{ *Resolver }
	mutation     struct{ *Resolver }
	subscription struct{ *Resolver }
	item         struct{ *Resolver }
	part         struct{ *Resolver }
)

func (q query) Item(_ context.Context, id int) (*Item, error) { return q.Store.Item(id), nil }

func (q query) Items(context.Context) ([]*Item, error) {
	return q.Store.Items(func(Item) bool { return true }), nil
}

func (q query) ByDue(_ context.Context, due time.Time) ([]*Item, error) {
	return q.Store.Items(func(it Item) bool { return it.Due.Equal(due) }), nil
}

func (q query) ByPrice(_ context.Context, price float64) ([]*Item, error) {
	return q.Store.Items(func(it Item) bool { return it.Price == price }), nil
}

func (q query) Thing(_ context.Context, sku string) (*Thing, error) { return q.Store.Thing(sku), nil }

func (q query) Mail(_ context.Context, email string) (*User, error) {
	return q.Store.UserBy(func(u User) bool { return u.Email != nil && *u.Email == email }), nil
}

func (q query) Ghost(context.Context) (*Ghost, error) { return &Ghost{Text: "boo"}, nil }

func (q query) Node(_ context.Context, id int) (Node, error) {
	if it := q.Store.Item(id); it != nil {
		return it, nil
	}
	return nil, nil
}

func (q query) Self(context.Context) (*Query, error) { return &Query{}, nil }

func (q query) Whoami(ctx context.Context) (string, error) {
	// Whoever left gets no answer; what counts is whose name the others are given.
	_ = q.Gates.pass(context.WithoutCancel(ctx), "whoami")
	return q.Env.User(ctx), nil
}

func (q query) Me(ctx context.Context) (*User, error) {
	if q.Env.Me != nil {
		return q.Env.Me(ctx), nil
	}
	name := q.Env.User(ctx)
	return q.Store.UserBy(func(u User) bool { return u.Name == name }), nil
}

func (q query) Slow(ctx context.Context, id int) (*Item, error) {
	if err := q.Gates.pass(ctx, "slow"); err != nil {
		return nil, err
	}
	return q.Store.Item(id), nil
}

func (q query) Stubborn(ctx context.Context, id int) (*Item, error) {
	_ = q.Gates.pass(context.WithoutCancel(ctx), "stubborn")
	return q.Store.Item(id), nil
}

func (q query) Listed(ctx context.Context) ([]*Item, error) {
	all := q.Store.Items(func(Item) bool { return true })
	if q.Gates.pass(ctx, "listed") != nil {
		return all[:1], nil //nolint:nilerr // the mistake is the point: rows.Next() without rows.Err()
	}
	return all, nil
}

func (q query) Sometimes(context.Context) (*string, error) {
	if q.Store.broken() {
		return nil, errors.New("database is away")
	}
	return new("value"), nil
}

func (q query) Fail(_ context.Context, how Failure) (string, error) {
	_, err := fail(how)
	return "", err
}

func (q query) Perhaps(_ context.Context, how Failure) (*string, error) { return fail(how) }

func fail(how Failure) (*string, error) {
	switch how {
	case FailureError:
		return nil, errors.New("it failed")
	case FailurePanic:
		panic("it panicked")
	case FailureCode:
		return nil, &gqlerror.Error{Message: "not yours", Extensions: map[string]any{"code": "FORBIDDEN"}}
	default:
		return nil, nil
	}
}

func (q query) Counted(ctx context.Context, how Hint) (int, error) {
	n := q.Store.count()
	_ = q.Gates.pass(ctx, "counted")
	switch how {
	case HintDoNotStore:
		return n, q.Env.DoNotStore(ctx)
	case HintPrivate:
		return n, q.Env.Private(ctx)
	case HintSecond:
		return n, q.Env.MaxAge(ctx, time.Second)
	default:
		return n, nil
	}
}

func (q query) Cookie(ctx context.Context) (*string, error) {
	_ = q.Gates.pass(context.WithoutCancel(ctx), "cookie")
	http.SetCookie(q.Env.Writer(ctx), &http.Cookie{Name: "seen", Value: q.Env.User(ctx)})
	return new("set"), nil
}

func (q query) Experiment(ctx context.Context) (*string, error) {
	graphql.RegisterExtension(ctx, "experiment", "B")
	return new("on"), nil
}

func (q query) Ask(ctx context.Context, text string) (*string, error) {
	if text == "" { // the operation that this is part of, once
		if q.Env.Inner(ctx) {
			return new("inner"), nil
		}
		text = graphql.GetOperationContext(ctx).RawQuery
	}
	return new(q.Env.Ask(ctx, text)), nil
}

func (q query) Pair(ctx context.Context, a int, b int) ([]*Item, error) {
	out := make([]*Item, 2)
	g, ctx := errgroup.WithContext(ctx)
	for i, id := range []int{a, b} {
		g.Go(func() error {
			out[i] = q.Store.Item(id)
			return ctx.Err()
		})
	}
	return out, g.Wait()
}

func (m mutation) UpdateItem(_ context.Context, id int, in ItemInput) (*Item, error) {
	return m.Store.Change(id, func(it *Item) {
		if name, ok := in.Name.ValueOK(); ok && name != nil {
			it.Name = *name
		}
		if price, ok := in.Price.ValueOK(); ok && price != nil {
			it.Price = *price
		}
		if due, ok := in.Due.ValueOK(); ok && due != nil {
			it.Due = *due
		}
		if note, ok := in.Note.ValueOK(); ok {
			it.Note = note // null deletes it
		}
	}), nil
}

func (m mutation) CreateItem(_ context.Context, name string, price float64) (*Item, error) {
	return m.Store.Create(name, price), nil
}

// CreateDefault returns the row as it was inserted: what the database filled in is missing.
func (m mutation) CreateDefault(_ context.Context, name string) (*Item, error) {
	it := m.Store.Create(name, 1)
	return &Item{Base: it.Base}, nil
}

func (m mutation) AddPart(_ context.Context, itemID int, name string) (*Part, error) {
	return m.Store.AddPart(itemID, name), nil
}

func (m mutation) AddPartVia(_ context.Context, itemID int, name string) (*Part, error) {
	return m.Store.AddPart(itemID, name), nil
}

func (m mutation) AddPartLate(_ context.Context, itemID int, name string) (*Part, error) {
	return m.Store.AddPart(itemID, name), nil
}

func (m mutation) AddGuarded(ctx context.Context, itemID int, name string) (*Part, error) {
	asked := graphql.CollectAllFields(ctx)
	if slices.Contains(asked, "item") {
		return nil, errors.New("item is not for everybody")
	}
	return m.Store.AddPart(itemID, name), nil
}

func (m mutation) AddOwned(_ context.Context, itemID int, name string) (*Owned, error) {
	return &Owned{Part: m.Store.AddPart(itemID, name), Owners: []*Item{nil}}, nil
}

func (m mutation) PutThing(_ context.Context, sku string, name string) (bool, error) {
	m.Store.PutThing(sku, name)
	return true, nil
}

func (m mutation) CreateMail(_ context.Context, email string, name string) (*User, error) {
	return m.Store.AddUser(name, email), nil
}

func (m mutation) RenameUser(_ context.Context, id int, name string) (*User, error) {
	return m.Store.RenameUser(id, name), nil
}

func (m mutation) SetSecret(_ context.Context, id int, secret string) (bool, error) {
	return m.Store.Change(id, func(it *Item) { it.Secret = secret }) != nil, nil
}

func (m mutation) FailAfter(_ context.Context, id int, name string, how Failure) (*string, error) {
	m.Store.Change(id, func(it *Item) { it.Name = name })
	return fail(how)
}

func (m mutation) Reserve(_ context.Context, id int, name string) (*Item, error) {
	return m.Store.Change(id, func(it *Item) { it.Name = name }), nil
}

func (m mutation) Announce(ctx context.Context, id int, name string) (*Item, error) {
	it := m.Store.write(id, func(it *Item) { it.Name = name })
	if err := m.Env.Commit(ctx); err != nil {
		return nil, err
	}
	m.Store.tell(it)
	return it, m.Gates.pass(ctx, "announced")
}

func (m mutation) Login(ctx context.Context, user string) (bool, error) {
	http.SetCookie(m.Env.Writer(ctx), &http.Cookie{Name: "session", Value: user, HttpOnly: true})
	return true, nil
}

func (m mutation) Photo(_ context.Context, id int, file graphql.Upload) (*Item, error) {
	b, err := io.ReadAll(file.File)
	if err != nil {
		return nil, err
	}
	return m.Store.Change(id, func(it *Item) { it.Note = new(fmt.Sprintf("%s: %d bytes", file.Filename, len(b))) }), nil
}

func (s subscription) Changed(ctx context.Context) (<-chan *Item, error) {
	in, stop := s.Store.Watch()
	out := make(chan *Item)
	go func() {
		defer close(out)
		defer stop()
		for {
			select {
			case <-ctx.Done():
				return
			case it := <-in:
				select {
				case out <- it:
				case <-ctx.Done():
					return
				}
			}
		}
	}()
	return out, nil
}

func (i item) Secret(_ context.Context, obj *Item) (*string, error) { return &obj.Secret, nil }

func (i item) Owner(ctx context.Context, obj *Item) (*User, error) {
	return loadersFrom(ctx).owner.Load(ctx, obj.OwnerID)
}

func (i item) Seller(ctx context.Context, obj *Item) (*User, error) {
	return loadersFrom(ctx).seller.Load(ctx, obj.OwnerID)()
}

func (i item) Parts(_ context.Context, objs []*Item) ([][]*Part, error) {
	out := make([][]*Part, len(objs))
	for k, it := range objs {
		out[k] = i.Store.Parts(it.ID)
	}
	return out, nil
}

func (i item) Stock(_ context.Context, objs []*Item) ([]int, error) {
	out := make([]int, len(objs))
	for k, it := range objs {
		out[k] = len(i.Store.Parts(it.ID))
	}
	return out, nil
}

func (p part) Item(ctx context.Context, obj *Part) (*Item, error) {
	_ = p.Gates.pass(ctx, "part.item")
	return p.Store.Item(obj.ItemID), nil
}

func (p part) Loaded(ctx context.Context, _ *Part) (bool, error) {
	_ = p.Gates.pass(ctx, "part.loaded")
	return true, nil
}
