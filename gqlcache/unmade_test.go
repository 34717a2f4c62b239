package gqlcache_test

import (
	"context"
	"errors"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/internal/testgraph"
)

// argumentsOf returns arguments for a method: no contexts, no schemas, and handlers that
// do nothing.
func argumentsOf(method reflect.Type) (args []reflect.Value) {
	for i := range method.NumIn() {
		switch in := method.In(i); {
		case method.IsVariadic() && i == method.NumIn()-1:
		case in == reflect.TypeFor[http.Handler]():
			args = append(args, reflect.ValueOf(http.NotFoundHandler()))
		case in.Kind() == reflect.Func: // a handler of gqlgen's
			args = append(args, reflect.MakeFunc(in, func([]reflect.Value) []reflect.Value {
				return []reflect.Value{reflect.Zero(in.Out(0))}
			}))
		default:
			args = append(args, reflect.Zero(in))
		}
	}
	return args
}

// plainly calls a method, and says when it panics with anything but an error of this
// package.
func plainly(t *testing.T, call func()) {
	t.Helper()
	defer func() {
		p := recover()
		if err, ok := p.(error); p != nil && (!ok || !strings.HasPrefix(err.Error(), "gqlcache: ")) {
			t.Errorf("it panics: %v", p)
		}
	}()
	call()
}

// TestUnmadeCache: every method of a cache that New has not made does nothing, or says
// what is wrong.
func TestUnmadeCache(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]*gqlcache.Cache{"nil": nil, "zero": new(gqlcache.Cache)} {
		for method, f := range reflect.ValueOf(c).Methods() {
			t.Run(name+"/"+method.Name, func(t *testing.T) {
				t.Parallel()
				plainly(t, func() {
					for _, out := range f.Call(argumentsOf(f.Type())) {
						if err, ok := out.Interface().(error); ok && !strings.Contains(err.Error(), "not made by New") {
							t.Errorf("it says %q", err)
						}
					}
				})
			})
		}
	}
	t.Run("use", func(t *testing.T) {
		t.Parallel()
		defer func() {
			if p, ok := recover().(error); !ok || !strings.Contains(p.Error(), "not made by New") {
				t.Errorf("srv.Use panics with %v", p)
			}
		}()
		testgraph.NewServer(testgraph.NewStore(), &gqlcache.Cache{})
	})
}

// TestWithoutContext: who has no context has one that never ends, or is in no operation.
func TestWithoutContext(t *testing.T) {
	t.Parallel()
	r := newRig(t, "annotated", gqlcache.Options{})
	r.run("annotated", []string{"MISS: " + readAnn, "HIT: " + readAnn})
	for method, f := range reflect.ValueOf(r.cache).Methods() {
		takes := f.Type().NumIn() > 0 && f.Type().In(0) == reflect.TypeFor[context.Context]()
		if !takes || strings.HasPrefix(method.Name, "Intercept") { // gqlgen has one
			continue
		}
		plainly(t, func() {
			for _, out := range f.Call(argumentsOf(f.Type())) {
				if err, ok := out.Interface().(error); ok && !errors.Is(err, gqlcache.ErrNoLog) {
					t.Errorf("%s: %v", method.Name, err)
				}
			}
		})
	}
	r.run("annotated", []string{"MISS: " + readAnn}) // Clear has worked
	var none context.Context
	for name, err := range map[string]error{
		"Touch": gqlcache.Touch(none, "User", 1), "Report": gqlcache.Report(none), "NothingWritten": gqlcache.NothingWritten(none),
		"ShownUntil": gqlcache.ShownUntil(none, 1), "Commit": gqlcache.Commit(none), "Refused": gqlcache.Refused(none),
		"DoNotStore": gqlcache.DoNotStore(none), "Private": gqlcache.Private(none), "MaxAge": gqlcache.MaxAge(none, time.Second),
	} {
		if !errors.Is(err, gqlcache.ErrNoOperation) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, ok := gqlcache.Explain(none); ok {
		t.Error("something is explained")
	}
	if gqlcache.WithExplain(none) == nil {
		t.Error("no context")
	}
}

var _ graphql.HandlerExtension = (*gqlcache.Cache)(nil)
