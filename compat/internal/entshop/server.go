package entshop

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"sync"

	"entgo.io/contrib/entgql"
	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler"
	"github.com/99designs/gqlgen/graphql/handler/transport"
	"github.com/cascadeql/cascadeql/compat/internal/entshop/ent"
	_ "modernc.org/sqlite" // the driver
)

// Server is the server's parts.
type Server struct {
	DB     *sql.DB
	Client *ent.Client
	// BeforeCommit is called with a transaction's context when it is about to commit, BetweenRows after the first row
	// of names, Loading by the resolver of loaded, Items by that of items. Any may be nil.
	// Querying is called before each of ent's queries for items.
	BeforeCommit, BetweenRows, Loading, Items, Querying func(ctx context.Context)
}

// migrating is held while ent makes tables: it fills in their descriptions, which are global.
var migrating sync.Mutex

// Open opens, or makes, the database in a file.
func Open(ctx context.Context, file string) (*Server, error) {
	db, err := sql.Open("sqlite", "file:"+file+"?_pragma=journal_mode(wal)&_pragma=busy_timeout(5000)&_pragma=foreign_keys(1)&_pragma=synchronous(off)")
	if err != nil {
		return nil, err
	}
	s := &Server{DB: db, Client: ent.NewClient(ent.Driver(entsql.OpenDB(dialect.SQLite, db)))}
	migrating.Lock()
	err = s.Client.Schema.Create(ctx)
	migrating.Unlock()
	if err != nil {
		return nil, err
	}
	s.Client.Item.Intercept(ent.InterceptFunc(func(next ent.Querier) ent.Querier {
		return ent.QuerierFunc(func(ctx context.Context, q ent.Query) (ent.Value, error) {
			call(s.Querying, ctx)
			return next.Query(ctx, q)
		})
	}))
	n, err := s.Client.Item.Query().Count(ctx)
	if err != nil || n > 0 {
		return s, err
	}
	for _, name := range []string{"one", "two", "three"} {
		if err := s.Client.Item.Create().SetName(name).Exec(ctx); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// Close closes the database.
func (s *Server) Close() error { return s.Client.Close() }

// Transactioner is entgql's, as its documentation has it.
func (s *Server) Transactioner() entgql.Transactioner { return entgql.Transactioner{TxOpener: s} }

// OpenTx implements entgql.TxOpener.
func (s *Server) OpenTx(ctx context.Context) (context.Context, driver.Tx, error) {
	ctx, tx, err := s.Client.OpenTx(ctx)
	return ctx, &noticed{tx, func() { call(s.BeforeCommit, ctx) }}, err
}

type noticed struct {
	driver.Tx
	before func()
}

func (t *noticed) Commit() error {
	t.before()
	return t.Tx.Commit()
}

func call(f func(context.Context), ctx context.Context) {
	if f != nil {
		f(ctx)
	}
}

// client returns that of the transaction, if there is one.
func (s *Server) client(ctx context.Context) *ent.Client {
	if c := ent.FromContext(ctx); c != nil {
		return c
	}
	return s.Client
}

// NewHandler returns a server with extensions in the given order.
func (s *Server) NewHandler(exts ...graphql.HandlerExtension) *handler.Server {
	srv := handler.New(NewExecutableSchema(Config{Resolvers: s}))
	srv.AddTransport(transport.Websocket{})
	srv.AddTransport(transport.POST{})
	for _, e := range exts {
		srv.Use(e)
	}
	return srv
}

// Mutation implements ResolverRoot.
func (s *Server) Mutation() MutationResolver { return mutation{s} }

// Query implements ResolverRoot.
func (s *Server) Query() QueryResolver { return query{s} }

// Part implements ResolverRoot.
func (s *Server) Part() PartResolver { return part{s} }

type (
	mutation struct{ *Server }
	query    struct{ *Server }
	part     struct{ *Server }
)

func (m mutation) UpdateItem(ctx context.Context, id int, name string) (*ent.Item, error) {
	return m.client(ctx).Item.UpdateOneID(id).SetName(name).Save(ctx)
}

func (m mutation) AddPart(ctx context.Context, itemID int, name string) (*ent.Part, error) {
	return m.client(ctx).Part.Create().SetName(name).SetItemID(itemID).Save(ctx)
}

func (m mutation) FailAfter(ctx context.Context, id int, name string) (*ent.Item, error) {
	if _, err := m.client(ctx).Item.UpdateOneID(id).SetName(name).Save(ctx); err != nil {
		return nil, err
	}
	return nil, sql.ErrTxDone
}

func (q query) Item(ctx context.Context, id int) (*ent.Item, error) {
	it, err := q.client(ctx).Item.Get(ctx, id)
	if ent.IsNotFound(err) {
		return nil, nil
	}
	return it, err
}

func (q query) Items(ctx context.Context) ([]*ent.Item, error) {
	list, err := q.client(ctx).Item.Query().All(ctx)
	call(q.Server.Items, ctx)
	return list, err
}

func (q query) Names(ctx context.Context) ([]string, error) {
	rows, err := q.DB.QueryContext(ctx, `SELECT name FROM items ORDER BY id`) //nolint:rowserrcheck // the mistake that this server is about
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var names []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		if names = append(names, name); len(names) == 1 {
			call(q.BetweenRows, ctx)
		}
	}
	return names, nil
}

func (p part) Loaded(ctx context.Context, obj *ent.Part) (bool, error) {
	call(p.Loading, ctx)
	return true, nil
}
