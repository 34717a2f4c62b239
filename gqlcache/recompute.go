package gqlcache

import (
	"context"
	"errors"
	"fmt"

	"github.com/99designs/gqlgen/graphql"
	"github.com/cascadeql/cascadeql/extractor"
)

var errRecomputing = errors.New("a resolver panicked")

func errPanic(p any) error { return fmt.Errorf("panic: %v", p) }

// copyOperation copies an operation context for an execution of its own. The original belongs to its
// request, whose extensions may write to it; what of it is not copied is state of an execution.
func copyOperation(oc *graphql.OperationContext) *graphql.OperationContext {
	return &graphql.OperationContext{
		RawQuery: oc.RawQuery, Variables: oc.Variables, OperationName: oc.OperationName, Doc: oc.Doc,
		Extensions: oc.Extensions, Headers: oc.Headers, Operation: oc.Operation,
		DisableIntrospection: oc.DisableIntrospection, RecoverFunc: oc.RecoverFunc,
		ResolverMiddleware: oc.ResolverMiddleware, RootResolverMiddleware: oc.RootResolverMiddleware,
	}
}

// recompute runs a hit's operation as a fill would, and returns the walked answer. ok is false when
// there is none to compare with: errors, no data, no time.
func (v *verifier) recompute(j *job) (res *extractor.Result, ok bool) {
	ctx, cancel := v.bounded(j.ctx)
	defer cancel()
	resp, rec := v.execute(ctx, j)
	// A resolver may take the end of its context for the end of its rows.
	if ctx.Err() != nil || resp == nil {
		return nil, false
	}
	res = &extractor.Result{Data: resp.Data}
	if j.doc.walk {
		var err error
		if res, err = rec.read(ctx, j.doc, resp); err != nil {
			return nil, false
		}
	}
	return res, v.c.storable(resp, res) == ""
}

// execute runs the operation. The request's response context is not used: what it holds was
// sent. Nor are the server's error presenter and recover function, which report to people.
func (v *verifier) execute(ctx context.Context, j *job) (*graphql.Response, *recorder) {
	es := v.executable()
	if es == nil {
		return nil, nil
	}
	oc := copyOperation(j.operation)
	quiet := func(context.Context, any) error { return errRecomputing }
	oc.RecoverFunc = quiet
	rec := v.c.record(oc, j.doc)
	ctx = graphql.WithOperationContext(ctx, oc)
	ctx = graphql.WithResponseContext(ctx, graphql.DefaultErrorPresenter, quiet)
	ctx = context.WithValue(ctx, requestKey{}, newRequest(ctx, v.c)) // what resolvers tell is not said of the hit
	resp := es.Exec(ctx)(ctx)
	if resp != nil {
		resp.Errors = append(resp.Errors, graphql.GetErrors(ctx)...)
	}
	return resp, rec
}
