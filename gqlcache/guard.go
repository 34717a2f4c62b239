package gqlcache

import (
	"bytes"
	"context"
	"io"
	"sync/atomic"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/cascadeql/cascadeql/extractor"
	"github.com/google/uuid"
)

// prepare makes gqlgen execute the prepared operation. The returned function puts the client's back:
// it may be called only when nothing but hidden resolvers that timed out executes the operation any
// more, and leaves it when there are such.
func prepare(oc *graphql.OperationContext, d *document, timeout time.Duration) (restore func()) {
	if !d.walk || !d.op.Extract.Injected {
		return func() {}
	}
	doc, op, mw := oc.Doc, oc.Operation, oc.ResolverMiddleware
	g := &guard{next: mw, timeout: timeout}
	oc.Doc, oc.Operation, oc.ResolverMiddleware = d.op.Extract.Doc, d.op.Extract.Operation, g.resolve
	return func() {
		if !g.late.Load() {
			oc.Doc, oc.Operation, oc.ResolverMiddleware = doc, op, mw
		}
	}
}

// quietNull is a null that does not propagate to its parent: gqlgen compares with its own Null.
type quietNull struct{}

func (quietNull) MarshalGQL(w io.Writer) { _, _ = io.WriteString(w, "null") }

// marshaled is a value that was marshaled already.
type marshaled []byte

func (m marshaled) MarshalGQL(w io.Writer) { _, _ = w.Write(m) }

// A guard keeps hidden fields from changing the response: whatever goes wrong with one, it is null, and
// nobody else notices. Field interceptors of other extensions do not see hidden fields.
type guard struct {
	next    graphql.FieldMiddleware
	timeout time.Duration
	// late is set when a hidden resolver was given up: it goes on, and may read the operation.
	late atomic.Bool
}

func (g *guard) resolve(ctx context.Context, next graphql.Resolver) (any, error) {
	fc := graphql.GetFieldContext(ctx)
	if !extractor.IsHidden(fc.Field.Alias) {
		return g.next(ctx, next)
	}
	// Errors and extensions of the field, and of its marshaler, which gets the same context, stay here.
	ctx = graphql.WithFreshResponseContext(ctx)
	if len(fc.Field.Selections) == 0 && !fc.IsResolver && !fc.IsMethod {
		return quietly(ctx, next), nil // a value that is there already
	}
	return g.within(ctx, next), nil
}

func quietly(ctx context.Context, next graphql.Resolver) (res any) {
	defer func() {
		if recover() != nil {
			res = quietNull{}
		}
	}()
	res, err := next(ctx)
	if err != nil || res == nil {
		return quietNull{}
	}
	return tame(ctx, res)
}

// tame marshals values whose own marshaler might panic while the response is written, and replaces
// those of which gqlgen makes the null that propagates.
func tame(ctx context.Context, res any) any {
	var b bytes.Buffer
	switch v := res.(type) {
	case uuid.UUID:
		if v == uuid.Nil {
			return quietNull{}
		}
		return res
	case graphql.Marshaler:
		v.MarshalGQL(&b)
	case graphql.ContextMarshaler:
		if v.MarshalGQLContext(ctx, &b) != nil {
			return quietNull{}
		}
	default:
		return res
	}
	return marshaled(b.Bytes())
}

// hiddenUntil is the context key of the time when the hidden fields below a hidden field are given up.
type hiddenUntil struct{}

// within gives up on a resolver that takes too long, even one that does not look at its context: it
// goes on, and its result is dropped.
//
// The resolver's context is not canceled when the time is up. Loaders share one computation between
// fields, on the context of whichever came first: a hidden field that cancels its own would take away
// what a field of the client's waits for. Nor may the context end when the resolver has returned:
// gqlgen resolves the fields below with it.
func (g *guard) within(ctx context.Context, next graphql.Resolver) any {
	until, nested := ctx.Value(hiddenUntil{}).(time.Time)
	if !nested {
		until = time.Now().Add(g.timeout)
		ctx = context.WithValue(ctx, hiddenUntil{}, until)
	}
	timer := time.NewTimer(time.Until(until))
	defer timer.Stop()
	result := make(chan any, 1)
	go func() {
		// not when it returns, but when it cannot: runtime.Goexit ends the goroutine without a result
		returned := false
		defer func() {
			if !returned {
				result <- quietNull{}
			}
		}()
		res := quietly(ctx, next)
		returned = true
		result <- res
	}()
	select {
	case res := <-result:
		return res
	case <-timer.C:
	case <-ctx.Done():
	}
	g.late.Store(true)
	return quietNull{}
}
