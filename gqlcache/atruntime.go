package gqlcache

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"github.com/99designs/gqlgen/graphql"
	"github.com/cascadeql/cascadeql/cascade"
)

// This file is about fields with @reads(atRuntime: true): their resolvers say what they
// read.
//
// Invariants:
//
//  1. What is said is added to what the answer depends on, whoever says it: see
//     computedreads.go. Here is only known whether it may stand for anything.
//  2. It may if each execution of such a field has said something: by Read, or by a value, or
//     its absence, that it has got by Compute, ComputeAll or Get. A miss of Get, Exists, an
//     error and a statement do not count: what the field returns comes from elsewhere then.
//  3. It is said in time: on the field's own context, while its resolver runs. What another
//     field says counts for that one, and what a goroutine says that the resolver has left
//     behind counts for nobody.
//  4. Nothing is known of an execution whose resolver was not asked: an interceptor has
//     answered in its place.

// executions are those of an operation's fields that say at run time what they read. The
// methods may be called concurrently, and on nil.
type executions struct {
	operation *cascade.Operation

	mu struct {
		sync.Mutex
		// running are the resolvers that have begun and not returned, with whether they
		// have said something.
		running map[*graphql.FieldContext]bool
		// unsaid is the first field of which an execution has said nothing, "" for none.
		unsaid string
	}
}

// watchExecutions has the operation's resolvers report to the request, if there are fields
// that say what they read. It is called when the operation is in place, by the goroutine that
// owns the operation context.
func (r *request) watchExecutions(oc *graphql.OperationContext, op *cascade.Operation) {
	if op == nil || !op.HasAtRuntime() {
		return
	}
	x := &executions{operation: op}
	x.mu.running = map[*graphql.FieldContext]bool{}
	r.executions.Store(x)
	oc.ResolverMiddleware = x.around(oc.ResolverMiddleware)
}

// around watches the fields that say what they read. It is outside of the server's
// interceptors, to see each execution, and inside of them, to see its resolver.
func (x *executions) around(fields graphql.FieldMiddleware) graphql.FieldMiddleware {
	return func(ctx context.Context, resolve graphql.Resolver) (any, error) {
		fc := graphql.GetFieldContext(ctx)
		if fc == nil || fc.Field.Field == nil || !x.concerns(fc) {
			return fields(ctx, resolve)
		}
		var asked atomic.Bool // an interceptor may leave its resolver behind
		v, err := fields(ctx, func(ctx context.Context) (any, error) {
			asked.Store(true)
			x.begin(fc)
			defer x.end(fc) // also when the resolver panics
			return resolve(ctx)
		})
		if !asked.Load() {
			x.end(fc)
		}
		return v, err
	}
}

// concerns reports whether an execution of a field has to say what it reads.
func (x *executions) concerns(fc *graphql.FieldContext) bool {
	switch x.operation.SaysAtRuntime(fc.Object, fc.Field.Name) {
	case cascade.SaysReads:
		return true
	case cascade.SaysBelow:
		return fc.IsResolver || fc.IsMethod // a plain one is a part of what its object's field has read
	case cascade.SaysNothing:
	}
	return false
}

func (x *executions) begin(fc *graphql.FieldContext) {
	x.mu.Lock()
	x.mu.running[fc] = false
	x.mu.Unlock()
}

func (x *executions) end(fc *graphql.FieldContext) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if said := x.mu.running[fc]; !said && x.mu.unsaid == "" {
		x.mu.unsaid = fc.Object + "." + fc.Field.Name
	}
	delete(x.mu.running, fc) // an interceptor may ask it once more
}

// said notes that a field has said something.
func (x *executions) said(fc *graphql.FieldContext) {
	x.mu.Lock()
	if _, running := x.mu.running[fc]; running {
		x.mu.running[fc] = true
	}
	x.mu.Unlock()
}

// unsaid returns a field that has to say what it reads, and of which a resolver has said
// nothing, "" when there is none.
func (x *executions) unsaid() string {
	if x == nil {
		return ""
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.mu.unsaid
}

// said notes that the field on whose context something was read has said so. What a function
// of Compute reads is said when the call of Compute returns.
func (e *enclosing) said(ctx context.Context) {
	if e.request == nil || e.computation != nil && e.computation.within == e.request {
		return
	}
	x := e.request.executions.Load()
	if x == nil {
		return
	}
	if fc := graphql.GetFieldContext(ctx); fc != nil {
		x.said(fc)
	}
}

var errSaysNothing = errors.New("call gqlcache.Read or Compute on the resolver's own context, before it returns; a resolver that reads nothing says so by a Read without arguments")

// warnOfUnsaid says once of each field that one of its resolvers has said nothing.
func (c *Cache) warnOfUnsaid(field string) {
	c.once.Warn("at runtime "+field, "gqlcache: "+field+" has @reads(atRuntime: true), and a resolver of it, or of what it returns, has not said what it reads: the answer depends on every change", errSaysNothing)
}
