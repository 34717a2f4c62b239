package gqlcache

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

// A witness sees, during a computation, what its answer does not show: errors of which the server's
// presenter makes nothing, panics of which its recover function does, and contexts that end. An answer with
// one of these must not be stored: it lacks what failed, and looks like one that does not.
//
// It changes nothing. The server's own functions present the errors, with the response context and in the order that they
// would have without the cache.
type witness struct {
	// failed says that something failed, ended that a context ended on which a resolver ran.
	failed, ended atomic.Bool
	// running counts the resolvers and root fields that have begun and not returned.
	running atomic.Int64
	// root is called with the context of each resolver of a root field; nil without need.
	root func(ctx context.Context)
}

// watch makes the operation's resolvers tell the witness. Only the goroutine that executes the operation may call it, before it
// does. It is for good: an interceptor may have left a goroutine behind, a time limit for instance, which resolves
// fields after the answer is given, and reads the operation context.
func (w *witness) watch(oc *graphql.OperationContext) {
	fields, recovers := oc.ResolverMiddleware, oc.RecoverFunc
	oc.ResolverMiddleware = w.around(fields)
	oc.RecoverFunc = func(ctx context.Context, p any) error {
		w.failed.Store(true)
		return recovers(ctx, p)
	}
}

// leftBehind says that a resolver still runs when the answer is there: a middleware did not wait for it, and the
// answer lacks what it will return.
func (w *witness) leftBehind() bool { return w.running.Load() > 0 }

// around watches the fields that run code of the server. The resolver's own context is looked at, the innermost:
// an interceptor or a directive may have given it less time than the request has. A resolver may take the end of its
// context for the end of its rows, and return those that it has, without an error.
func (w *witness) around(fields graphql.FieldMiddleware) graphql.FieldMiddleware {
	return func(ctx context.Context, resolve graphql.Resolver) (any, error) {
		if fc := graphql.GetFieldContext(ctx); fc != nil && (fc.IsResolver || fc.IsMethod) {
			inner := resolve
			resolve = func(ctx context.Context) (any, error) {
				if w.root != nil && fc.IsResolver && isRoot(fc) {
					w.root(ctx)
				}
				v, err := w.call(ctx, inner)
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

// isRoot says whether a field is one of the operation's root fields.
func isRoot(fc *graphql.FieldContext) bool { return fc.Parent == nil || fc.Parent.Field.Field == nil }

// call resolves a field. Its errors and panics are noted, since an interceptor may make a value of them.
func (w *witness) call(ctx context.Context, resolve graphql.Resolver) (any, error) {
	returned := false
	w.running.Add(1)
	defer func() {
		w.running.Add(-1)
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

// context returns the context for the resolvers. Errors that are added to the response beside those of
// fields, by a resolver or because a value is not what its type says, are seen where they look for it.
func (w *witness) context(ctx context.Context) context.Context {
	if responseKey == nil {
		return ctx
	}
	return watchedContext{ctx, w}
}

// A watchedContext sees who looks for gqlgen's response context. It hides nothing.
type watchedContext struct {
	context.Context
	witness *witness
}

// Value implements context.Context.
func (c watchedContext) Value(key any) any {
	if key == responseKey && !c.witness.failed.Load() && addsError() {
		c.witness.failed.Store(true)
	}
	return c.Context.Value(key)
}

// responseKey is the key under which gqlgen has its response context; nil when it could not be learned.
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

// adders are the functions of gqlgen that add an error to the response, or make one of a panic.
var adders = []string{"AddError", "AddErrorf", "Recover"}

// lookDepth is how many frames lie at most between a context's Value and the function that asks, with
// contexts in between that were made of it.
const lookDepth = 64

// addsError says whether the goroutine is about to add an error. Others look for the response context as well:
// tracers ask for the errors of each field. Only who asks tells them apart. When that cannot be told, it is an error.
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
