package twin

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/99designs/gqlgen/graphql"
)

// A Contract is what resolvers rely on in a gqlgen server: they run while their request's handler
// runs, and on its context. Breaches are collected. It may be used concurrently.
type Contract struct {
	mu     sync.Mutex
	faults []string
}

func (c *Contract) fault(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.faults = append(c.faults, fmt.Sprintf(format, args...))
}

// Faults returns the breaches so far, without repetitions.
func (c *Contract) Faults() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	list := slices.Clone(c.faults)
	slices.Sort(list)
	return slices.Compact(list)
}

// call is one request.
type call struct {
	mu     sync.Mutex
	fields []string // that extensions saw, in the order in which they began
}

func (c *call) saw(field string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fields = append(c.fields, field)
}

// seen returns the fields in alphabetical order: siblings run concurrently.
func (c *call) seen() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Sorted(slices.Values(c.fields))
}

type (
	callKey   struct{}
	serveKey  struct{}
	serveSpan struct {
		ctx   context.Context
		ended atomic.Bool
	}
)

// Apart returns a context for a request that a resolver makes: what it does is not the outer one's.
func Apart(ctx context.Context) context.Context { return context.WithValue(ctx, callKey{}, nil) }

// Around returns next, whose requests are watched from their first moment to their last. Put it directly
// around gqlgen's handler, within all middlewares.
func (c *Contract) Around(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		span := &serveSpan{ctx: r.Context()}
		if r.Header.Get("Upgrade") == "" { // gqlgen's websockets do not wait for operations when they close
			defer span.ended.Store(true)
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), serveKey{}, span)))
	})
}

// Fields is a field middleware, for handler.Server.AroundFields.
func (c *Contract) Fields(ctx context.Context, next graphql.Resolver) (any, error) {
	fc := graphql.GetFieldContext(ctx)
	name := fc.Object + "." + fc.Field.Name
	if call, ok := ctx.Value(callKey{}).(*call); ok {
		call.saw(name + " as " + fc.Field.Alias)
	}
	span, ok := ctx.Value(serveKey{}).(*serveSpan)
	if !ok {
		return next(ctx) // not by way of Around
	}
	c.check(ctx, span, name)
	defer func() {
		if span.ended.Load() {
			c.fault("%s ran on after its request's handler had returned", name)
		}
	}()
	return next(ctx)
}

func (c *Contract) check(ctx context.Context, span *serveSpan, name string) {
	if span.ended.Load() {
		c.fault("%s began after its request's handler had returned", name)
	}
	if span.ctx.Err() != nil && ctx.Err() == nil {
		c.fault("%s does not see that its request has ended", name)
	}
	if want, ok := span.ctx.Deadline(); ok {
		if got, ok := ctx.Deadline(); !ok || got.After(want) {
			c.fault("%s does not see its request's deadline", name)
		}
	}
}
