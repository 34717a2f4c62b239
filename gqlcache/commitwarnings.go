package gqlcache

import (
	"context"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
)

// commitWarnings says, once each, what can be seen of a server that may commit where the
// cache does not expect it.
type commitWarnings struct {
	holds    atomic.Int32 // requests behind a hold that were looked at
	handlers atomic.Int32 // mutations whose handler's caller was
	outer    sync.Once
}

// looked is how many requests, and mutations, are looked at: transactions may be begun
// for some only.
const looked = 100

// warnOfTransaction looks for a transaction in the context of a request that a hold
// begins with: one that was begun before the hold noted the clock, so that what it shows
// may be older.
func (c *Cache) warnOfTransaction(ctx context.Context) {
	if c.commits.holds.Load() >= looked || c.commits.holds.Add(1) > looked {
		return
	}
	defer c.shield.Recover()
	if t := transactionIn(reflect.ValueOf(ctx), maxContexts); t != "" {
		c.once.Warn("hold", "gqlcache: a transaction seems to have begun outside of HoldUntilCommit: wrap whatever begins it, "+
			"or answers from before a change may be stored after it", errTransaction(t))
	}
}

// maxContexts bounds the contexts around each other that are looked at.
const maxContexts = 100

type errTransaction string

func (e errTransaction) Error() string {
	return "the request's context has a " + string(e) + ", which has the methods Commit and Rollback"
}

// transactionIn returns the type of a value in a context that can commit and roll back,
// "" if there is none. It looks at the types only of what context.WithValue keeps, which
// never changes, and calls nothing.
func transactionIn(ctx reflect.Value, depth int) string {
	for ; depth > 0; depth-- {
		for ctx.Kind() == reflect.Interface || ctx.Kind() == reflect.Pointer {
			if ctx.IsNil() {
				return ""
			}
			ctx = ctx.Elem()
		}
		if ctx.Kind() != reflect.Struct || ctx.Type().PkgPath() != "context" && ctx.Type() != reflect.TypeFor[arrival]() {
			return ""
		}
		if v := ctx.FieldByName("val"); v.IsValid() && v.Kind() == reflect.Interface && !v.IsNil() {
			t := v.Elem().Type()
			_, commits := t.MethodByName("Commit")
			_, rolls := t.MethodByName("Rollback")
			if commits && rolls {
				return t.String()
			}
		}
		ctx = ctx.FieldByName("Context")
		if !ctx.IsValid() {
			return ""
		}
	}
	return ""
}

// ownPackage is what the names of this package's functions begin with.
const ownPackage = "github.com/cascadeql/cascadeql/gqlcache."

// warnOfOuterHandler says once which function is around a mutation's handler that is not
// gqlgen's: an extension that handles operations outside of the cache, and may commit
// when the handler has returned.
func (c *Cache) warnOfOuterHandler(r *request) {
	if !r.mutates || r.hold != nil || c.commits.handlers.Load() >= looked || c.commits.handlers.Add(1) > looked {
		return
	}
	defer c.shield.Recover()
	c.warnOfUncommitted(r.Context)
	pcs := make([]uintptr, 8)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs)])
	for {
		f, more := frames.Next()
		if !strings.HasPrefix(f.Function, ownPackage) {
			if f.Function != "" && !strings.HasPrefix(f.Function, "github.com/99designs/gqlgen/") {
				c.commits.outer.Do(func() {
					c.opts.Logger.Info("gqlcache: a function outside of the cache is around the handlers of operations: "+
						"if it commits what they have changed, use HoldUntilCommit or gqlcache.Commit", "function", f.Function)
				})
			}
			return
		}
		if !more {
			return
		}
	}
}
