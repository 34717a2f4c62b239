package shop

import (
	"context"
	"errors"
	"time"

	"github.com/graph-gophers/dataloader/v7"
	"github.com/vikstrous/dataloadgen"
)

// Loaders batch look-ups of one request.
type Loaders struct {
	owner  *dataloadgen.Loader[int, *User]
	seller *dataloader.Loader[int, *User]
}

var errNoUser = errors.New("no such user")

// NewLoaders returns loaders for one request, or for one operation.
func NewLoaders(s *Store) *Loaders {
	return &Loaders{
		owner: dataloadgen.NewLoader(func(ctx context.Context, ids []int) ([]*User, []error) {
			users, errs := make([]*User, len(ids)), make([]error, len(ids))
			for i, id := range ids {
				if users[i] = s.User(id); users[i] == nil {
					errs[i] = errNoUser
				}
				if err := ctx.Err(); err != nil {
					errs[i] = err
				}
			}
			return users, errs
		}, dataloadgen.WithWait(time.Millisecond)),
		seller: dataloader.NewBatchedLoader(func(_ context.Context, ids []int) []*dataloader.Result[*User] {
			out := make([]*dataloader.Result[*User], len(ids))
			for i, id := range ids {
				out[i] = &dataloader.Result[*User]{Data: s.User(id)}
			}
			return out
		}, dataloader.WithWait[int, *User](time.Millisecond)),
	}
}

type loadersKey struct{}

// WithLoaders returns a context with loaders.
func WithLoaders(ctx context.Context, l *Loaders) context.Context {
	return context.WithValue(ctx, loadersKey{}, l)
}

func loadersFrom(ctx context.Context) *Loaders { return ctx.Value(loadersKey{}).(*Loaders) }
