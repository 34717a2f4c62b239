package witness

import (
	"context"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/99designs/gqlgen/graphql"

	"github.com/cascadeql/cascadeql/gqlcache/internal/safe"
)

// A Witness is of one computation. The zero value is ready to use. Its methods may be
// called concurrently, but for Watch and Context.
type Witness struct {
	// Root is called with the context of each resolver of a root field; nil without need.
	// It is set before Watch.
	Root func(ctx context.Context)
	// Fields is told of each resolver and method; nil without need. It is set before
	// Watch.
	Fields Fields

	// failed says that something failed, ended that a context ended on which a resolver
	// ran.
	failed, ended atomic.Bool
	// running counts the resolvers and root fields that have begun and not returned.
	running atomic.Int64
}

// Fields is told when a field's resolver begins, and when it has returned without a panic.
// Enter's result is for Leave. Its methods are called concurrently.
type Fields interface {
	Enter(fc *graphql.FieldContext) uint64
	Leave(fc *graphql.FieldContext, entered uint64, returned any)
}

// Failed reports whether something has failed.
func (w *Witness) Failed() bool { return w.failed.Load() }

// Partial reports whether the answer may be a part of the truth: a context ended on which
// a resolver ran, or a resolver was left behind.
func (w *Witness) Partial() bool { return w.ended.Load() || w.leftBehind() }

// Enter counts a root field whose execution begins. Leave ends that.
func (w *Witness) Enter() { w.running.Add(1) }

// Leave counts a root field whose execution has ended.
func (w *Witness) Leave() { w.running.Add(-1) }

// Watch makes the operation's resolvers report to the witness. Only the goroutine that
// executes the operation may call it, before it does. It is for good: an interceptor may
// have left a goroutine behind, a time limit for instance, which resolves fields after
// the answer is given, and reads the operation context.
func (w *Witness) Watch(oc *graphql.OperationContext) {
	fields, recovers := oc.ResolverMiddleware, oc.RecoverFunc
	oc.ResolverMiddleware = w.around(fields)
	oc.RecoverFunc = func(ctx context.Context, p any) error {
		w.failed.Store(true)
		return recovers(ctx, p)
	}
}

// leftBehind reports whether a resolver still runs when the answer is there: a middleware
// did not wait for it, and the answer lacks what it will return.
func (w *Witness) leftBehind() bool { return w.running.Load() > 0 }

// around watches the fields that run code of the server. The resolver's own context is
// looked at, the innermost: an interceptor or a directive may have given it less time
// than the request has. A resolver may take the end of its context for the end of its
// rows, and return those that it has, without an error.
func (w *Witness) around(fields graphql.FieldMiddleware) graphql.FieldMiddleware {
	return func(ctx context.Context, resolve graphql.Resolver) (any, error) {
		if fc := graphql.GetFieldContext(ctx); fc != nil && (fc.IsResolver || fc.IsMethod) {
			inner := resolve
			resolve = func(ctx context.Context) (any, error) {
				if w.Root != nil && fc.IsResolver && isRoot(fc) {
					w.Root(ctx)
				}
				v, err := w.callWatched(ctx, fc, inner)
				if ctx.Err() != nil {
					w.ended.Store(true)
				}
				return v, err
			}
		}
		v, err := fields(ctx, resolve)
		if err != nil {
			w.failed.Store(true)
		}
		return v, err
	}
}

// callWatched is call with Fields around it.
func (w *Witness) callWatched(ctx context.Context, fc *graphql.FieldContext, resolve graphql.Resolver) (any, error) {
	if w.Fields == nil {
		return w.call(ctx, resolve)
	}
	entered := w.Fields.Enter(fc)
	v, err := w.call(ctx, resolve)
	w.Fields.Leave(fc, entered, v)
	return v, err
}

// isRoot reports whether a field is one of the operation's root fields.
func isRoot(fc *graphql.FieldContext) bool { return fc.Parent == nil || fc.Parent.Field.Field == nil }

// call resolves a field. Its errors and panics are noted, since an interceptor may make a
// value of them.
func (w *Witness) call(ctx context.Context, resolve graphql.Resolver) (any, error) {
	returned := false
	w.Enter()
	defer func() {
		w.Leave()
		if !returned {
			w.failed.Store(true)
		}
	}()
	v, err := resolve(ctx)
	returned = true
	if err != nil {
		w.failed.Store(true)
	}
	return v, err
}

// Context returns the context for the resolvers. Errors that are added to the response
// beside those of fields, by a resolver or because a value is not what its type says, are
// seen where they look for it.
func (w *Witness) Context(ctx context.Context) context.Context {
	if responseKey == nil {
		return ctx
	}
	return watchedContext{ctx, w}
}

// A watchedContext sees who looks for gqlgen's response context. It hides nothing.
type watchedContext struct {
	context.Context
	witness *Witness
}

// Value implements context.Context.
func (c watchedContext) Value(key any) any {
	if key == responseKey && !c.witness.failed.Load() && addsError() {
		c.witness.failed.Store(true)
	}
	return c.Context.Value(key)
}

// responseKey is the key under which gqlgen has its response context; nil when it could
// not be learned.
var responseKey = func() any {
	k := &keyContext{Context: context.Background()}
	_ = safe.Do(func() error { _ = graphql.GetErrors(k); return nil }) // there is no response context in it
	return k.key
}()

// A keyContext learns the last key that was looked for.
type keyContext struct {
	context.Context
	key any
}

// Value implements context.Context.
func (c *keyContext) Value(key any) any {
	c.key = key
	return nil
}

// adders are the functions of gqlgen that add an error to the response, or make one of a
// panic.
var adders = []string{"AddError", "AddErrorf", "Recover"}

// lookDepth is how many frames lie at most between a context's Value and the function
// that asks, with contexts in between that were made of it.
const lookDepth = 64

// addsError reports whether the goroutine is about to add an error. Others look for the
// response context as well: tracers ask for the errors of each field. Only the
// function that asks differs. When it is unknown, it counts as one that adds an error.
func addsError() bool {
	var pcs [lookDepth]uintptr
	n := runtime.Callers(3, pcs[:])
	frames := runtime.CallersFrames(pcs[:n])
	for {
		frame, more := frames.Next()
		if name, ok := strings.CutPrefix(frame.Function, graphqlPackage); ok && name != "getResponseContext" {
			return slices.Contains(adders, name)
		}
		if !more {
			return true
		}
	}
}

// graphqlPackage is how names of gqlgen's functions begin.
var graphqlPackage = func() string {
	name := runtime.FuncForPC(reflect.ValueOf(graphql.GetErrors).Pointer()).Name()
	return strings.TrimSuffix(name, "GetErrors")
}()
