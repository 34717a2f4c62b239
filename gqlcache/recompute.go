package gqlcache

import (
	"bytes"
	"context"
	"errors"

	"github.com/99designs/gqlgen/graphql"
	"github.com/cascadeql/cascadeql/extractor"
	"github.com/cascadeql/cascadeql/gqlcache/internal/safe"
	"github.com/vektah/gqlparser/v2/ast"
)

var (
	errRecomputing    = errors.New("a resolver panicked")
	errNoContext      = errors.New("it returned nil")
	errRequestContext = errors.New("it returned the request's own context, which ends with the request; return one that holds copies of what resolvers need")
	errContextEnded   = errors.New("the context has ended")
	errOtherCaller    = errors.New("Predicate, Vary or Partition give something else under the context of Options.Verify than for the hit")
)

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

// lend returns the context that a hit is recomputed on, which outlives the request. It is never derived from
// the request's here: a framework may hand what that holds (a pooled gin.Context, a connection, a
// transaction) to the next request as soon as this one is answered, and then resolvers see another caller.
func (v *verifier) lend(ctx context.Context) (context.Context, error) {
	if v.opts.WithoutValues {
		return v.base, nil
	}
	return safe.Call(func() (context.Context, error) {
		lent, err := v.opts.Context(ctx)
		switch {
		case err != nil:
			return nil, err
		case lent == nil:
			return nil, errNoContext
		case lent == ctx:
			return nil, errRequestContext
		}
		return lent, nil
	})
}

// recomputed is what recomputing a hit gave.
type recomputed struct {
	data   []byte
	result *extractor.Result
	// failed says that there were errors, or no data, where an answer had been stored; path is where.
	failed bool
	path   jsonPath
}

// is says that the hit's answer is what it should be.
func (a *recomputed) is(body []byte) bool { return !a.failed && bytes.Equal(a.data, body) }

// same says that two recomputations agree. Two that fail do, wherever: messages may name a time, or a
// request.
func (a *recomputed) same(b *recomputed) bool {
	return a.failed == b.failed && (a.failed || bytes.Equal(a.data, b.data))
}

// recompute runs a hit's operation as a fill would, and returns the walked answer, or why there is none to
// compare with.
func (v *verifier) recompute(j *job) (*recomputed, skip) {
	es := v.executable()
	if es == nil {
		return nil, skipServers
	}
	ctx, cancel := v.bounded(j.ctx)
	defer cancel()
	oc := copyOperation(j.operation)
	quiet := func(context.Context, any) error { return errRecomputing }
	oc.RecoverFunc = quiet
	ctx = graphql.WithOperationContext(ctx, oc)
	ctx = graphql.WithResponseContext(ctx, graphql.DefaultErrorPresenter, quiet)
	r := newRequest(ctx, v.c, nil) // what resolvers say is not said of the hit
	r.hold = nil                   // should the owner's context be derived from the request's, that is over all the same
	r.computing(nil, !j.public && v.c.opts.Predicate != nil)
	ctx = context.WithValue(ctx, requestKey{}, r)

	// On the very context that the resolvers get. Before: nobody else's rows are read. Afterwards: the
	// rows that were read are this caller's.
	if !v.sameCaller(ctx, j, oc) {
		return nil, v.notTheCaller(j)
	}
	w := &witness{}
	w.watch(oc)
	rec := v.c.record(oc, j.doc)
	resp, err := safe.Call(func() (*graphql.Response, error) { return execute(w.context(ctx), es), nil })
	// A resolver may take the end of its context for the end of its rows.
	switch {
	case v.base.Err() != nil:
		return nil, skipClosed
	case j.ctx.Err() != nil:
		return nil, v.notTheCaller(j)
	case ctx.Err() != nil, w.ended.Load(), w.leftBehind():
		return nil, skipTimeout
	case !v.sameCaller(ctx, j, oc):
		return nil, v.notTheCaller(j)
	case err != nil: // a marshaler panicked
		return &recomputed{failed: true}, skipNone
	case r.refusal() != "":
		return nil, skipUnstored
	case resp == nil:
		return &recomputed{failed: true}, skipNone
	}
	res := &extractor.Result{Data: resp.Data}
	if j.doc.walk && len(resp.Errors) == 0 {
		if res, err = rec.read(ctx, j.doc, resp); err != nil {
			return nil, skipUnreadable
		}
	}
	got := &recomputed{data: resp.Data, result: res, failed: w.failed.Load() || v.c.storable(resp, res) != ""}
	if len(resp.Errors) > 0 {
		got.path = pathOf(resp.Errors[0].Path)
	}
	return got, skipNone
}

// execute runs the operation. The request's response context is not used: what it holds was
// sent. Nor are the server's error presenter and recover function, which report to people.
func execute(ctx context.Context, es graphql.ExecutableSchema) *graphql.Response {
	resp := es.Exec(ctx)(ctx)
	if resp != nil {
		resp.Errors = append(resp.Errors, graphql.GetErrors(ctx)...)
	}
	return resp
}

// sameCaller says that a request on this context would ask for the hit's entry: the parts of the key, and the
// partition, are byte for byte the hit's.
func (v *verifier) sameCaller(ctx context.Context, j *job, oc *graphql.OperationContext) bool {
	return v.c.sameKey(ctx, j.doc, oc, &caller{public: j.public, partition: j.part}, j.key)
}

// notTheCaller says why a context is of no use, in the log for the first time.
func (v *verifier) notTheCaller(j *job) skip {
	switch {
	case v.base.Err() != nil:
		return skipClosed
	case j.ctx.Err() != nil:
		v.c.once.Warn("verify.context.ended", "gqlcache: the context of Verify.Context ended before a hit was recomputed; return one that outlives the request", errContextEnded)
		return skipContext
	}
	v.c.once.Warn("verify.caller", "gqlcache: a hit is not recomputed, because it would be for another caller; Verify.Context must give what Predicate, Vary and Partition look at", errOtherCaller)
	return skipCaller
}

// pathOf turns the path of an error into that of an answer.
func pathOf(path ast.Path) jsonPath {
	var p jsonPath
	for _, e := range path {
		switch e := e.(type) {
		case ast.PathName:
			p = append(p, step{name: string(e)})
		case ast.PathIndex:
			if len(p) > 0 {
				p[len(p)-1].indexes = append(p[len(p)-1].indexes, int(e))
			}
		}
	}
	return p
}
