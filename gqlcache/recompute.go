package gqlcache

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"

	"github.com/99designs/gqlgen/graphql"
	"github.com/cascadeql/cascadeql/cascade"
	"github.com/cascadeql/cascadeql/extractor"
	"github.com/cascadeql/cascadeql/gqlcache/inspect"
	"github.com/cascadeql/cascadeql/gqlcache/internal/probe"
	"github.com/cascadeql/cascadeql/gqlcache/internal/safe"
	"github.com/cascadeql/cascadeql/gqlcache/internal/verify"
	"github.com/cascadeql/cascadeql/gqlcache/internal/witness"
	"github.com/cascadeql/cascadeql/gqlcache/store"
	"github.com/vektah/gqlparser/v2/ast"
)

// This file is what verify mode needs of gqlgen: it recomputes hits.
//
// Invariant: no resolver runs on the context of a client's request, and none on a context
// under which the key or the partition is another: see lend and sameKey.

var (
	errRecomputing    = errors.New("a resolver panicked")
	errNoContext      = errors.New("it returned nil")
	errRequestContext = errors.New("it returned the request's own context, which ends with the request; return one that holds copies of what resolvers need")
)

// newVerifier returns what judges hits, in shadow mode too.
func (c *Cache) newVerifier(o VerifyOptions) *verify.Verifier {
	return verify.New(verify.Config{
		Rate: o.Rate, Timeout: o.Timeout, Concurrency: o.Concurrency, Grace: o.Grace,
		MaxBytes: c.opts.MaxBytes / 8, Instances: c.opts.Log != nil,
		Now: c.opts.Now, Logger: c.opts.Logger, Once: c.once, Fingerprint: c.inspector.Fingerprint,
		OneServer: func() bool { return c.serving.executable() != nil },
		Plan:      func() *cascade.Plan { return c.schema.Load().Plan },
		Seq:       c.clock.Seq,
		Fresh:     c.fresh,
	})
}

// serving is the schema that executes operations. Servers with different resolvers may
// share a cache, and which of them a hit was for is not known.
type serving struct {
	mu      sync.Mutex
	es      graphql.ExecutableSchema
	several bool
}

// add notes a server's schema. It returns true when it is the first one that may differ
// from another.
func (s *serving) add(es graphql.ExecutableSchema) (differs bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	same, err := safe.Call(func() (bool, error) { return s.es == nil || s.es == es, nil })
	s.es = es
	differs = (err != nil || !same) && !s.several
	s.several = s.several || differs
	return differs
}

// executable returns the schema that executes, and nil before there is one, and when
// there are several that may differ.
func (s *serving) executable() graphql.ExecutableSchema {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.several {
		return nil
	}
	return s.es
}

// recomputesWith notes the schema of a server.
func (c *Cache) recomputesWith(es graphql.ExecutableSchema) {
	if c.verify != nil && c.serving.add(es) && c.opts.Verify.Rate > 0 {
		c.opts.Logger.Warn("gqlcache: several servers have this cache, so Options.Verify skips all hits: it cannot tell whose resolvers to ask")
	}
}

// verifyHit has a hit recomputed in the background. It does not block.
func (c *Cache) verifyHit(ctx context.Context, oc *graphql.OperationContext, d *document, who *caller, key []byte, e *store.Entry, s *stamp) {
	r := &recomputation{c: c, d: d, key: string(key), who: &caller{public: who.public}}
	c.verify.Sample(c.hitOf(d, r.key, e, s), func() (context.Context, verify.Recompute, error) {
		if !who.public && c.opts.Predicate != nil { // an answer that is public is in no partition
			r.who.partition = c.partition(ctx)
		}
		lent, err := c.lend(ctx)
		if err != nil {
			return nil, nil, err
		}
		r.operation = probe.CopyOperation(oc)
		r.operation.Headers = ownHeader(oc.Headers)
		return lent, r.run, nil
	})
}

// ownHeader returns a copy of a request's header that lasts. The request's map may be
// written to, or serve another request later, and so may its texts: behind an adaptor to
// fasthttp they are parts of a buffer, into which the next request is read.
func ownHeader(h http.Header) http.Header {
	if h == nil {
		return nil
	}
	own := make(http.Header, len(h))
	for name, values := range h {
		list := make([]string, len(values))
		for i, v := range values {
			list[i] = strings.Clone(v)
		}
		own[strings.Clone(name)] = list
	}
	return own
}

// hitOf returns what there is to know of a hit.
func (c *Cache) hitOf(d *document, key string, e *store.Entry, s *stamp) verify.Hit {
	h := verify.Hit{
		Operation: d.named(), Op: d.Operation, Key: key, Body: e.Body, Entry: &s.verified,
		Born: s.Born(), Stored: s.Stored, Valid: func() bool { return c.engine.Valid(&s.Stamp) },
	}
	if c.observing != nil && d.projections != nil {
		h.Promises = d.projections.list
	}
	return h
}

// named names the operation for reports.
func (d *document) named() inspect.Operation {
	return inspect.Operation{Name: d.Definition.Name, Type: string(d.Definition.Operation), Hash: d.ShortHash()}
}

// beginMutation has Options.Verify and Options.Shadow know that a mutation is about to
// run. It runs until its changes are applied for the last time: see uncommitted.
func (c *Cache) beginMutation(r *request, oc *graphql.OperationContext, d *document) {
	if c.verify == nil {
		return
	}
	var writers []cascade.Writer
	if d.Operation != nil {
		writers = d.Operation.Writers()
	}
	r.mutation = c.verify.Begin(oc.Operation.Name, writers)
	if !r.uncommitted.keep(&batch{mutations: []*verify.Mutation{r.mutation}}) {
		c.verify.End(r.mutation)
	}
}

// VerifyStats returns what Options.Verify has found since the cache was made, and nil
// when it is off. The result belongs to the caller. It does not block.
func (c *Cache) VerifyStats() *inspect.Verify {
	if c.unmade() {
		return nil
	}
	return c.verify.Stats()
}

// lend returns the context that a hit is recomputed on, which outlives the request. It is
// never derived from the request's here: a framework may hand what that holds (a pooled
// gin.Context, a connection, a transaction) to the next request as soon as this one is
// answered, and then resolvers see another caller.
func (c *Cache) lend(ctx context.Context) (context.Context, error) {
	if c.opts.Verify.WithoutValues {
		return context.Background(), nil
	}
	return safe.Call(func() (context.Context, error) {
		lent, err := c.opts.Verify.Context(ctx)
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

// A recomputation answers a hit's operation anew.
type recomputation struct {
	c         *Cache
	d         *document
	key       string                    // the hit's
	who       *caller                   // without a predicate
	operation *graphql.OperationContext // never executed: copies of it are
}

// run runs a hit's operation as a fill would, and returns the walked answer, or why there
// is none to compare with.
func (x *recomputation) run(ctx context.Context) (*verify.Answer, verify.Skip) {
	c := x.c
	es := c.serving.executable()
	if es == nil {
		return nil, verify.SkipServers
	}
	oc := probe.CopyOperation(x.operation)
	quiet := func(context.Context, any) error { return errRecomputing }
	oc.RecoverFunc = quiet
	ctx = graphql.WithOperationContext(ctx, oc)
	ctx = graphql.WithResponseContext(ctx, graphql.DefaultErrorPresenter, quiet)
	r := newRequest(ctx, c, nil) // what resolvers say is not said of the hit
	r.hold = nil                 // should the owner's context be derived from the request's, that is over all the same
	r.plainValues.Store(true)    // a value that is kept may be what is wrong
	r.computing(nil, !x.who.public && c.opts.Predicate != nil)
	ctx = context.WithValue(ctx, requestKey{}, r)

	// On the very context that the resolvers get. Before: nobody else's rows are read.
	// Afterwards: the rows that were read are this caller's.
	if !x.sameCaller(ctx, oc) {
		return nil, verify.SkipCaller
	}
	w := &witness.Witness{}
	w.Watch(oc)
	rec := c.prober.Record(oc, x.d.probe, c.met.hooksRoots(oc))
	defer rec.Stop()
	observed, statements := c.record(ctx, r, nil) // or its statements would be everybody's
	defer statements.stop()
	resp, err := safe.Call(func() (*graphql.Response, error) { return execute(w.Context(observed), es), nil })
	switch {
	case ctx.Err() != nil, w.Partial(): // a resolver may take the end of its context for the end of its rows
		return nil, verify.SkipTimeout
	case !x.sameCaller(ctx, oc):
		return nil, verify.SkipCaller
	case err != nil: // a marshaler panicked
		return &verify.Answer{Failed: true}, verify.SkipNone
	case r.refusal() != "":
		return nil, verify.SkipUnstored
	case resp == nil:
		return &verify.Answer{Failed: true}, verify.SkipNone
	}
	res := &extractor.Result{Data: resp.Data}
	if x.d.Walk && len(resp.Errors) == 0 {
		if res, err = rec.Read(ctx, x.d.Operation.Extract, resp); err != nil {
			return nil, verify.SkipUnreadable
		}
	}
	got := &verify.Answer{Data: resp.Data, Result: res, Failed: w.Failed() || c.storable(resp, res) != ""}
	if len(resp.Errors) > 0 {
		got.Path = pathOf(resp.Errors[0].Path)
	}
	return got, verify.SkipNone
}

// sameCaller reports whether a request on this context would ask for the hit's entry: the
// parts of the key, and the partition, are byte for byte the hit's.
func (x *recomputation) sameCaller(ctx context.Context, oc *graphql.OperationContext) bool {
	return x.c.sameKey(ctx, x.d, oc, x.who, x.key)
}

// execute runs the operation. The request's response context is not used: what it holds
// was sent. Nor are the server's error presenter and recover function, which report to
// people.
func execute(ctx context.Context, es graphql.ExecutableSchema) *graphql.Response {
	resp := es.Exec(ctx)(ctx)
	if resp != nil {
		resp.Errors = append(resp.Errors, graphql.GetErrors(ctx)...)
	}
	return resp
}

// pathOf turns the path of an error into that of an answer.
func pathOf(path ast.Path) verify.Path {
	var p verify.Path
	for _, e := range path {
		switch e := e.(type) {
		case ast.PathName:
			p = append(p, verify.Step{Name: string(e)})
		case ast.PathIndex:
			if len(p) > 0 {
				p[len(p)-1].Indexes = append(p[len(p)-1].Indexes, int(e))
			}
		}
	}
	return p
}
