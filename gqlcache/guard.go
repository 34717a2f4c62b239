package gqlcache

import (
	"context"
	"io"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/cascadeql/cascadeql/extractor"
)

// prepare makes gqlgen execute the prepared operation. The returned function puts the client's back:
// it may be called only when nothing executes the operation any more.
func prepare(oc *graphql.OperationContext, d *document, timeout time.Duration) (restore func()) {
	if !d.walk || !d.op.Extract.Injected {
		return func() {}
	}
	doc, op, mw := oc.Doc, oc.Operation, oc.ResolverMiddleware
	oc.Doc, oc.Operation = d.op.Extract.Doc, d.op.Extract.Operation
	oc.ResolverMiddleware = guard(mw, timeout)
	return func() { oc.Doc, oc.Operation, oc.ResolverMiddleware = doc, op, mw }
}

// quietNull is a null that does not propagate to its parent: gqlgen compares with its own Null.
type quietNull struct{}

func (quietNull) MarshalGQL(w io.Writer) { _, _ = io.WriteString(w, "null") }

// guard keeps hidden fields from changing the response: whatever goes wrong with one, it is null, and
// nobody else notices. Field interceptors of other extensions do not see hidden fields.
func guard(mw graphql.FieldMiddleware, timeout time.Duration) graphql.FieldMiddleware {
	return func(ctx context.Context, next graphql.Resolver) (any, error) {
		field := graphql.GetFieldContext(ctx).Field
		if !extractor.IsHidden(field.Alias) {
			return mw(ctx, next)
		}
		if len(field.Selections) == 0 {
			return quietly(ctx, next)
		}
		return quietlyWithin(ctx, next, timeout)
	}
}

func quietly(ctx context.Context, next graphql.Resolver) (res any, err error) {
	defer func() {
		if recover() != nil {
			res, err = quietNull{}, nil
		}
	}()
	if res, err = next(ctx); err != nil || res == nil {
		return quietNull{}, nil
	}
	return res, nil
}

// quietlyWithin gives up on a resolver that takes too long, even one that does not look at its
// context: it goes on, and its result is dropped.
//
// gqlgen hands the context given to next on to the fields below, so it must outlive the resolver: were
// it cancelled as soon as there is a result, then of the hidden path post.author.id the post would be
// found and its author not. The limit thus holds for each field of a path, and the context ends with
// the request's.
func quietlyWithin(ctx context.Context, next graphql.Resolver, timeout time.Duration) (any, error) {
	ctx, cancel := context.WithCancel(ctx)
	over := make(chan struct{})
	timer := time.AfterFunc(timeout, func() { cancel(); close(over) })
	result := make(chan any, 1)
	go func() {
		res, _ := quietly(ctx, next)
		result <- res
	}()
	select {
	case res := <-result:
		timer.Stop()
		return res, nil
	case <-over:
	case <-ctx.Done(): // the request's context has ended
		timer.Stop()
	}
	return quietNull{}, nil
}
