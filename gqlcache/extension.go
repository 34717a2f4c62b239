package gqlcache

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/cascadeql/cascadeql/cascade"
	"github.com/cascadeql/cascadeql/gqlcache/changelog"
	"github.com/cascadeql/cascadeql/gqlcache/footprint"
	"github.com/cascadeql/cascadeql/gqlcache/internal/fleet"
	"github.com/cascadeql/cascadeql/gqlcache/internal/flight"
	"github.com/cascadeql/cascadeql/gqlcache/internal/inspector"
	"github.com/cascadeql/cascadeql/gqlcache/internal/values"
	"github.com/cascadeql/cascadeql/gqlcache/internal/verify"
	"github.com/cascadeql/cascadeql/gqlcache/internal/wire"
	"github.com/cascadeql/cascadeql/gqlcache/store"
	"github.com/vektah/gqlparser/v2/ast"
)

var _ interface {
	graphql.HandlerExtension
	graphql.OperationInterceptor
	graphql.ResponseInterceptor
} = (*Cache)(nil)

var errTwice = errors.New("remove one srv.Use(cache)")

// ExtensionName implements graphql.HandlerExtension.
func (c *Cache) ExtensionName() string { return "Gqlcache" }

// Validate implements graphql.HandlerExtension. It compiles the directives of the
// server's schema; the error lists all their faults, and gqlgen's Use panics with it.
func (c *Cache) Validate(es graphql.ExecutableSchema) error {
	if c.unmade() {
		return errUnmade
	}
	if err := c.useSchema(es.Schema()); err != nil {
		return err
	}
	c.prober.Serves(es)
	c.meet(es)
	c.recomputesWith(es)
	c.roots.serves(es)
	return c.join()
}

// InterceptOperation implements graphql.OperationInterceptor: it notes when the operation
// arrived, and what it changed when its handler returns.
func (c *Cache) InterceptOperation(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
	if c == nil || c.closed == nil {
		return next(ctx) // New has not made it
	}
	oc := graphql.GetOperationContext(ctx)
	if oc.Operation == nil {
		return next(ctx)
	}
	outer := requestFrom(ctx)
	if outer != nil && outer.cache == c && outer.operation == oc {
		outer.twice = true
		c.once.Warn("twice", "gqlcache: the cache was added to a server twice, and works once", errTwice)
		return next(ctx)
	}
	c.warnOfOrder(oc)
	r := newRequest(ctx, c, outer)
	r.operation = oc
	for x := computationFrom(ctx); x != nil; x = x.outer {
		x.refuseToStore(ReasonUnexplained) // the operation does not tell what its answer depends on
		r.enclosed = true
	}
	r.header = wire.HeaderFrom(ctx)
	r.explained, _ = ctx.Value(explainKey{}).(bool)
	switch oc.Operation.Operation {
	case ast.Mutation:
		r.mutates = true
	case ast.Subscription:
		r.hold.stream()
	}
	return r.prepareHandler(next)
}

// InterceptResponse implements graphql.ResponseInterceptor. It decides here rather than
// in InterceptOperation so that the other extensions' response hooks run on hits too. Add
// the cache to the server last, so that what it stores is what the resolvers said.
func (c *Cache) InterceptResponse(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
	r := requestFrom(ctx)
	switch {
	case r == nil || c == nil:
		return next(ctx) // a request that did not get as far as an operation
	case r.cache != c:
		return c.besideAnother(ctx, r, next)
	}
	if r.twice {
		if ctx.Value(insideKey{}) == r {
			return next(ctx) // the outer one answers
		}
		ctx = context.WithValue(ctx, insideKey{}, r)
	}
	oc := graphql.GetOperationContext(ctx)
	if !r.answers(ctx, oc) {
		return next(ctx)
	}
	if r.header != nil {
		defer r.header.Begin()()
	}
	switch oc.Operation.Operation {
	case ast.Query:
		return c.query(ctx, r, oc, next)
	case ast.Mutation:
		c.writing.Add(1)
		defer c.writing.Add(-1)
		return c.mutation(ctx, r, oc, next)
	default:
		return next(ctx)
	}
}

var errSeveral = errors.New("use one cache for each server")

// besideAnother stands in for the cache in a server that has another one, which comes
// later and answers. What resolvers say reaches only that one, so a mutation drops
// everything here: other servers may use this cache.
func (c *Cache) besideAnother(ctx context.Context, inner *request, next graphql.ResponseHandler) *graphql.Response {
	own := inner.outer
	for own != nil && own.operation == inner.operation && own.cache != c {
		own = own.outer
	}
	if own == nil || own.operation != inner.operation || own.cache != c {
		return next(ctx)
	}
	c.once.Warn("several", "gqlcache: several caches were added to a server: only the last one stores answers, and mutations drop everything of the others", errSeveral)
	if own.mutates {
		defer c.publish(ctx, change{by: causeOf(ctx), everything: "a mutation of a server with another cache", within: own})
	}
	return next(ctx)
}

type requestKey struct{}

// insideKey marks what runs inside of a request's InterceptResponse, in a server that has
// the cache twice.
type insideKey struct{}

// request is the cache's state of one operation. It is the operation's context, too.
type request struct {
	context.Context

	cache *Cache
	// handler runs the operation: respond calls it.
	handler graphql.ResponseHandler
	// mutates is set for a mutation, explained when somebody has called WithExplain, and
	// twice, before the operation runs, when its server has the cache twice.
	mutates, explained, twice bool
	// served is set once a query's only answer has been given: the streaming transports
	// ask again until they get nil. passed is set when the server's own code was asked for
	// an answer, because the query bypasses the cache or is computed: then it is asked for
	// all others, too. It says nil to a streaming transport. An extension between may have
	// had the operation's handler made anew, to run an operation again that has failed in
	// its transaction, and wants what that gives. Only the transport's goroutine uses them.
	served, passed bool
	// entered is set when the cache's response interceptor was called for the operation.
	// It is written before any resolver of it runs.
	entered bool
	// operation is what was asked for. A resolver may run an operation of its own in this
	// request's context: that is another one.
	operation *graphql.OperationContext
	// header is that of the response, nil when it cannot be looked at.
	header *wire.Header
	// outer is the request in whose resolver this operation runs, nil without.
	outer *request
	// arrived is the clock number when the operation began, or the HTTP request that it
	// came with, if that is known: everything applied before is visible to its resolvers,
	// and in what middlewares have read for them. at is the place in the log, read before
	// the number; it is zero where no other instance may have what is computed.
	arrived uint64
	at      changelog.Position
	hold    *hold
	// shapes is the generation of shapes when it arrived: see package footprint. early is
	// what was read for it before a recording began.
	shapes uint64
	early  footprint.Early
	// arrival is that of the operation's request, nil when it is not known.
	arrival *arrival
	// since is the number from which on a computation that somebody else began is as good
	// as one that begins now.
	since uint64
	// anew is set when the answer must be computed after the request arrived: see
	// catchUp. It is the window.
	anew string
	// wants is how the query uses the cache, and renews that it is computed although an
	// entry could be served. asked is how many computations had begun when it asked.
	wants  wanted
	renews bool
	asked  uint64
	// old is an entry that is computed anew, nil when there is none.
	old *older
	// ended is how many computations had ended before the cache was asked.
	ended uint64
	// planned is the mutation's plan, once it runs.
	planned *document
	// access is what the request may ask of the inspector, nil for nothing. out is what
	// became of it, and note is for those who want to know more of that. The request's
	// own goroutine uses them.
	access *access
	note   *inspector.Note
	out    outcome
	// who asks the query, and hit is the response of a hit. They are here so that a hit
	// allocates neither.
	who caller
	hit graphql.Response
	// uncommitted are the changes that are applied again when the operation ends.
	uncommitted uncommitted
	// doubts is what observing.doubts returned before the mutation ran.
	doubts uint64
	// done is what the mutation did, until its response is completed; told is what became
	// of it where it was made known before the handler was asked. The operation's own
	// goroutine uses them.
	done *settled
	told *fleet.Publication
	// groups are those that the response to a mutation names: see Edge.Groups.
	groups atomic.Pointer[[]string]
	// took is how long the cache has held the mutation's response up.
	took time.Duration
	// mutation is what Options.Verify remembers of a mutation; nil when it is off.
	mutation *verify.Mutation

	// enclosed says that the operation runs within a computation of Compute, so that it
	// waits for nobody.
	enclosed bool
	// plainValues says that functions of Compute run beside the cache: the answer is
	// compared with what is stored, or must be computed anew.
	plainValues atomic.Bool
	// executions are those of fields that say at run time what they read, nil without such
	// fields.
	executions atomic.Pointer[executions]

	// What resolvers said, until the mutation is published or the query's answer stored.
	mu struct {
		sync.Mutex
		lasts map[string]cascade.Value // by response name of the root field
		// computing and computed say where the computation of the answer is; flight has
		// those who wait for it, predicate says that its key has one.
		computing, computed bool
		predicate           bool
		flight              *flight.Flight[*filled]
		// unstored says why the answer must not be stored, maxAge how long it may be
		// kept, 0 for nothing said.
		unstored Reason
		maxAge   time.Duration
		// reads is what the answer depends on by values that resolvers have got, and by
		// Read.
		reads values.Sum
		// lease gives up the lease to compute the answer for all instances; nil without.
		lease func()
		// entry is what was made of the answer, under key.
		key     string
		entry   *store.Entry
		running bool
		nothing map[string]bool // by response name of the root field
		reports []cascade.Report
		events  []cascade.Event
		wrote   map[string]bool // by response name of the root field: see noteWrite
		// committed are the tables that commits of the operation have changed.
		committed map[string]bool
		asked     map[string]any        // the variables of a mutation: see keepVariables
		roots     map[string]*rootState // of a mutation, by response name: see refused.go
	}
}

// newRequest returns the state of an operation that arrives now. outer is the request in
// whose resolver it runs.
func newRequest(ctx context.Context, c *Cache, outer *request) *request {
	r := &request{Context: ctx, cache: c, outer: outer}
	a := arrivalFrom(ctx, c)
	if c.observing != nil {
		r.shapes = footprint.Generation()
	}
	if a == nil && c.opts.Log != nil {
		r.at, r.arrived = c.fleet.Place()
	} else {
		r.arrived = c.clock.Seq()
	}
	// Not the number of the wrapper: a computation that began while this request's body
	// was still being read may lack a change that its client has seen acknowledged.
	r.since = r.arrived
	if a != nil {
		r.arrived, r.at, r.hold, r.shapes, r.arrival = a.number, a.at, a.hold, a.shapes, a
	}
	if r.hold != nil {
		r.at = changelog.Position{}
	}
	if c.observing != nil {
		r.early.Init(ctx, c.startOf(r.shapes, r.arrived))
	}
	return r
}

// Value implements context.Context.
func (r *request) Value(key any) any {
	switch {
	case key == (requestKey{}):
		return r
	case key == footprint.EarlyKey && r.cache.observing != nil:
		return &r.early
	}
	return r.Context.Value(key)
}

// String keeps whoever prints a context from printing the cache.
func (r *request) String() string { return fmt.Sprintf("%v.WithValue(gqlcache operation)", r.Context) }

// boundTo is a context to which a request was given anew: see request.bind.
type boundTo struct {
	context.Context

	request *request
}

// Value implements context.Context.
func (b *boundTo) Value(key any) any {
	switch {
	case key == (requestKey{}):
		return b.request
	case key == footprint.EarlyKey && b.request.cache.observing != nil:
		return &b.request.early
	}
	return b.Context.Value(key)
}

// String keeps whoever prints a context from printing the cache.
func (b *boundTo) String() string { return fmt.Sprintf("%v.WithValue(gqlcache operation)", b.Context) }

// bind returns a context in which the operation and its request are found. An extension
// around the cache need not hand on the context that the transport gives to the
// operation's handler. It may give the handler one that it has made of its own, from
// before the cache came:
//
//	func(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
//		h := next(ctx)
//		return func(context.Context) *graphql.Response { return h(context.WithoutCancel(ctx)) }
//	}
//
// gqlgen runs such an operation. The request is found in there by nobody, so a mutation
// would drop nothing. With two caches in a server, the request of the inner one leads to
// that of the outer one.
//
// gqlgen v0.17.67 hands on nil when an extension behind the cache answers in place of the
// operation.
func (r *request) bind(ctx context.Context) context.Context {
	if ctx == nil {
		return r
	}
	for o := requestFrom(ctx); o != nil; o = o.outer {
		if o == r {
			return ctx
		}
	}
	if !graphql.HasOperationContext(ctx) || graphql.GetOperationContext(ctx) != r.operation {
		ctx = graphql.WithOperationContext(ctx, r.operation)
	}
	return &boundTo{Context: ctx, request: r}
}

// answers says whether a response in a context is one of the operation's. A resolver, or
// an extension around the cache, may send a request of its own in the operation's context.
// When that is refused before there is an operation, by the parser for instance, the
// response interceptors run all the same, for errors that are not the operation's.
//
// The first response belongs to the operation itself: resolvers run within it.
func (r *request) answers(ctx context.Context, oc *graphql.OperationContext) bool {
	if oc.Operation == nil {
		return false
	}
	if !r.entered && oc == r.operation {
		r.entered = true
		return true
	}
	if graphql.GetFieldContext(ctx) != graphql.GetFieldContext(r.Context) {
		return false // within a resolver of the operation
	}
	r.entered = true
	return true
}

func requestFrom(ctx context.Context) *request {
	if ctx == nil {
		return nil
	}
	r, _ := ctx.Value(requestKey{}).(*request)
	return r
}

// begin returns the number that a computation of this request is based on: the number
// when the operation arrived, or when the transaction began that it reads in, also if the
// computation begins later. What extensions and middlewares have read, or what a snapshot
// shows that one of them opened, may be as old. A later number would bless what they
// still show after a change.
func (r *request) begin() uint64 { return r.arrived }

// within says whether the operation runs inside of one that fits, in a resolver.
func (r *request) within(fits func(outer *request) bool) bool {
	for o := r.outer; o != nil; o = o.outer {
		if fits(o) {
			return true
		}
	}
	return false
}

// isComputing says that others may wait for the request's answer, which is being
// computed.
func (r *request) isComputing() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.mu.computing
}

// isWriting says that the request is a mutation that runs, or has changed something that
// may not be committed yet.
func (r *request) isWriting() bool {
	if r.uncommitted.some.Load() {
		return true
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.mu.running
}

// prepareHandler makes the operation's handler. An extension further inside may run the
// operation at once, and return a handler that has the response: that is a run as well,
// and its changes are made known before anybody is asked for the response.
func (r *request) prepareHandler(next graphql.OperationHandler) graphql.ResponseHandler {
	r.enter()
	defer func() { // also when it panics
		if !r.leaves() {
			return
		}
		if a := r.leave(r); a.Shared {
			told := a // not a itself: it would be allocated for each operation
			r.told = &told
		}
	}()
	if r.handler = next(r); r.handler == nil {
		return nil
	}
	return r.respond
}

// respond is the operation's handler. It lies outside of all response interceptors, those
// that commit after next among them.
func (r *request) respond(ctx context.Context) (resp *graphql.Response) {
	ctx = r.bind(ctx)
	if r.mutates {
		r.cache.warnOfOuterHandler(r)
	}
	r.enter()
	defer func() {
		if !r.leaves() {
			return
		}
		start := time.Time{}
		if r.mutates {
			start = time.Now()
		}
		a := r.leave(ctx)
		if r.took > 0 {
			r.cache.counts.settle.Observe(r.took + time.Since(start))
			r.took = 0
		}
		if !a.Shared && r.told != nil {
			a = *r.told
		}
		r.cache.complete(ctx, r, resp, a)
	}()
	return r.handler(ctx)
}

// leaves reports whether leave has anything to do. A query pays for no more than this.
func (r *request) leaves() bool { return r.mutates || r.uncommitted.some.Load() }

// enter begins a span of time in which the operation may run, which leave ends.
func (r *request) enter() {
	if r.mutates {
		r.uncommitted.begin()
	}
}
