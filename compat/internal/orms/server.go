package orms

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler"
	"github.com/99designs/gqlgen/graphql/handler/transport"
	"github.com/vikstrous/dataloadgen"
	"golang.org/x/sync/singleflight"
)

// A Server is a server's parts.
type Server struct {
	Store
	// DropContext has loaders ask without the context of the request. Single has requests
	// that ask for one post at the same time wait for one query.
	DropContext, Single bool
	// Flying is called before a query for one post that others may wait for, Landing after
	// it and before the others have its answer. Both may be nil.
	Flying, Landing func()
	// Kept returns the user that the process has in memory, nil for none. It may be nil.
	Kept func(id int) *User

	shared  *dataloadgen.Loader[int, *User]
	flights singleflight.Group
}

// NewServer returns a server over a store.
func NewServer(s Store) *Server {
	return &Server{Store: s}
}

// ShareLoader has all requests use one loader of users, which asks for a number of them at
// a time and keeps nothing.
func (s *Server) ShareLoader(users int) {
	s.shared = dataloadgen.NewLoader(s.users, dataloadgen.WithWait(time.Minute),
		dataloadgen.WithBatchCapacity(users), dataloadgen.WithoutCache())
}

// NewHandler returns the endpoint with extensions in the given order, and a loader for
// each request.
func (s *Server) NewHandler(exts ...graphql.HandlerExtension) http.Handler {
	srv := handler.New(NewExecutableSchema(Config{Resolvers: s}))
	srv.AddTransport(transport.POST{})
	for _, e := range exts {
		srv.Use(e)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		srv.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), loadersKey{}, s.newLoaders())))
	})
}

var errRolledBack = errors.New("rolled back")

// Transactional runs requests of next that have the header X-Tx in a transaction of their
// own, which is committed after next has returned, or rolled back if that is the header's
// value.
func (s *Server) Transactional(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Tx") == "" {
			next.ServeHTTP(w, r)
			return
		}
		err := within(r.Context(), s.Store, func(ctx context.Context) error {
			next.ServeHTTP(w, r.WithContext(ctx))
			if r.Header.Get("X-Tx") == "rollback" {
				return errRolledBack
			}
			return nil
		})
		if err != nil && !errors.Is(err, errRolledBack) {
			panic(err)
		}
	})
}

// ServeHTTP is a handler beside the endpoint: it renames a user, ?id=1&name=new.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id, err := strconv.Atoi(r.FormValue("id"))
	if err == nil {
		err = s.Store.RenameUser(r.Context(), id, r.FormValue("name"))
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

type loadersKey struct{}

// loaders are those of one request.
type loaders struct {
	users    *dataloadgen.Loader[int, *User]
	comments *dataloadgen.Loader[int, []*Comment]
}

func (s *Server) newLoaders() *loaders {
	wait := dataloadgen.WithWait(time.Millisecond)
	return &loaders{dataloadgen.NewLoader(s.users, wait), dataloadgen.NewLoader(s.comments, wait)}
}

func (s *Server) users(ctx context.Context, ids []int) ([]*User, []error) {
	if s.DropContext {
		ctx = context.Background()
	}
	list, err := s.UsersByID(ctx, ids)
	if err != nil {
		return nil, []error{err}
	}
	at := map[int]*User{}
	for _, u := range list {
		at[u.ID] = u
	}
	out := make([]*User, len(ids))
	for i, id := range ids {
		out[i] = at[id]
	}
	return out, nil
}

func (s *Server) comments(ctx context.Context, posts []int) ([][]*Comment, []error) {
	if s.DropContext {
		ctx = context.Background()
	}
	list, err := s.CommentsOf(ctx, posts)
	if err != nil {
		return nil, []error{err}
	}
	at := map[int][]*Comment{}
	for _, c := range list {
		at[c.PostID] = append(at[c.PostID], c)
	}
	out := make([][]*Comment, len(posts))
	for i, id := range posts {
		out[i] = at[id]
	}
	return out, nil
}

// Mutation implements ResolverRoot.
func (s *Server) Mutation() MutationResolver { return mutation{s} }

// Query implements ResolverRoot.
func (s *Server) Query() QueryResolver { return query{s} }

// Post implements ResolverRoot.
func (s *Server) Post() PostResolver { return postFields{s} }

// User implements ResolverRoot.
func (s *Server) User() UserResolver { return userFields{s} }
