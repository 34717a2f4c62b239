package gqlcache

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/cascadeql/cascadeql/gqlcache/internal/safe"
	"github.com/cascadeql/cascadeql/gqlcache/internal/values"
)

// This file is what programs call to have values computed and kept beside the answers of
// operations: by resolvers, REST handlers and jobs. docs/compute.md is about it, and the
// section "Computed values" of DESIGN.md has the invariants.

var errNoFunction = fmt.Errorf("%w: the function is nil", ErrKey)

// Compute returns the value of a key: one that is kept and still true, or what fn returns.
//
// A value is true until something that it depends on changes: what Reads declares, what fn
// says with Read, what statements of fn have read (Options.Observe), and all that values
// depend on which fn gets by Compute and Get. It is based on the state when the request
// arrived, outside of requests when fn began; where something has changed meanwhile, fn's
// value is returned and not kept. An operation of GraphQL, or a computation, that gets a
// value depends on all of this as well, and expires with it.
//
// fn runs on the caller's goroutine, and its context is made of ctx: fn must use it. It
// runs at most once. Concurrent callers of one key, in this process, wait for the first of
// them: until they have its value, until it has failed, then each calls its own fn, until
// it has left, then the next one calls its fn, or until it takes unusually long. Within a
// computation nobody waits. When ctx ends while Compute waits, it returns the context's
// error. An error of fn, and a value whose context has ended, are returned as they are, and
// neither kept nor given to others. A panic of fn goes on in its caller.
//
// With StaleFor, OnError and Within a value that has expired, and that no change has
// reached, is returned in place of waiting, or of an error; with ErrorAge an error is kept.
// Only callers compute, on their own contexts: never somebody in the background. An answer,
// or a value, that is made of an expired value or of a kept error is not stored.
//
// An error that is ErrAbsent, or wraps it and nothing else, says that there is no value.
// That is kept as a value is, and Compute and Get return ErrAbsent until what it depends on
// changes: the creation, say. It is not kept where fn has read nothing by then, as far as
// Reads, Read and statements say: no change would be known to end it. ErrAbsent that is
// joined with another error is an error.
//
// Within a request (an operation of a server with the cache, or a handler that
// Cache.Handler is around), the value is for callers with the same Predicate and Vary,
// unless ForAll is given, and a tenant must be the caller's: else the error wraps
// ErrTenant. Outside of requests it needs ForAll or a tenant: else the error is ErrCallers.
// Errors that wrap ErrKey, ErrTenant, ErrCallers, ErrUnknownName, ErrNoSchema or ErrCodec
// say what is wrong with the call: fn has not been called then. A value that cannot be
// encoded, or is not the same once it is decoded, is returned and not kept.
//
// Where operations would bypass the cache, fn is called, and nothing is looked up or kept:
// within a mutation, in a request with uncommitted changes, when the predicate cannot be
// told, without a lease of the log, when Options.Enabled says no, after Close.
//
// WithPolicy says otherwise of a call's context: with Refresh fn is called and its value
// kept in place of the other, with CacheOnly fn is not called, and the error is ErrMiss
// where nothing is kept, with NoStore nothing is looked up or kept. Without it a call in a
// resolver is as its operation: it is refreshed with it.
//
// With Options.Shared a value that another instance has computed is found as well, unless it
// is Immutable, and with Options.FillLease callers in several instances wait for one of them.
//
// The value belongs to the caller, unless it is Immutable. fn must have no effects: a hit
// has none.
func Compute[T any](ctx context.Context, cache *Cache, key Key, fn func(ctx context.Context) (T, error), opts ...ComputeOption) (T, error) {
	var none T
	if fn == nil {
		return none, errNoFunction
	}
	var q valueQuery
	defer q.free()
	if err := cache.askValue(ctx, &key.key, opts, &q); err != nil {
		return none, err
	}
	q.reads()
	if q.wants.policy == CacheOnly {
		return get[T](ctx, &q)
	}
	if q.why != "" {
		return beside(ctx, &q, fn)
	}
	if s, body := cache.findValue(ctx, &q); s != nil && !q.passesOver(s) {
		v, usable, err := opened[T](s, body, &q.set)
		if usable {
			q.hit(ctx, s)
			return given(ctx, &q, v, err)
		}
		if err != nil {
			return none, err
		}
	}
	return computed(ctx, cache, q, fn)
}

// computed is Compute of a value that is not kept.
func computed[T any](ctx context.Context, c *Cache, q valueQuery, fn func(ctx context.Context) (T, error)) (T, error) {
	var v, none T
	var failed error // not in f: what is returned may be kept
	var f valueFunc
	if !q.knowTenants(orBackground(ctx)) {
		q.why = ReasonPredicate
		return beside(ctx, &q, fn)
	}
	q.typ = reflect.TypeFor[T]()
	f.run = func(ctx context.Context) error { v, failed = fn(ctx); return failed }
	f.box = func() any { p := new(T); *p = v; return p }
	res, err := c.computeValue(ctx, &q, &f)
	switch {
	case err != nil:
		return none, err
	case res.stale:
		return stale[T](ctx, &q, fn)
	case res.own, res.instead != nil:
		if !res.own {
			failed = res.instead
			if own, ok := ownError(failed); ok {
				failed = own
			}
		}
		if q.isSaved(ctx, res, failed) {
			if old, usable, err := opened[T](q.old, q.oldBody, &q.set); usable {
				q.stale(ctx)
				return given(ctx, &q, old, err)
			}
		}
		if res.why == ReasonKey { // what it holds explains nothing
			return v, failed
		}
		return given(ctx, &q, v, failed)
	}
	v, usable, err := openedParts[T](res.value, res.body, res.typ, res.plain, &q.set)
	if !usable && err == nil { // another call has it kept in another way
		q.why = ReasonCodec
		return beside(ctx, &q, fn)
	}
	return given(ctx, &q, v, err)
}

// beside is Compute beside the cache.
func beside[T any](ctx context.Context, q *valueQuery, fn func(ctx context.Context) (T, error)) (T, error) {
	x, end, err := q.bypass(ctx)
	if err != nil {
		return *new(T), err
	}
	defer end()
	v, err := fn(x) //nolint:contextcheck // a computation is made of the caller's own context
	return given(ctx, q, v, err)
}

// opened returns the value of an entry. usable is false when the call cannot have it: with
// an error when the key is another type's, and without one when the value is kept as the
// program's own and the call does not say Immutable, or cannot be decoded any more. The
// error of one that is usable is ErrAbsent: that there is no value is kept.
func opened[T any](s *valueStamp, body []byte, set *computeSettings) (v T, usable bool, err error) {
	if s.absent && s.typ == reflect.TypeFor[T]() {
		return v, true, ErrAbsent
	}
	return openedParts[T](s.value, body, s.typ, s.plain, set)
}

func openedParts[T any](value any, body []byte, typ reflect.Type, plain bool, set *computeSettings) (v T, usable bool, err error) {
	if own, ok := value.(*T); ok && (plain || set.immutable) {
		return *own, true, nil
	}
	if typ != reflect.TypeFor[T]() {
		return v, false, fmt.Errorf("%w: it has a value of type %v, and was asked for one of type %v; give each function a name of its own", ErrKey, typ, reflect.TypeFor[T]())
	}
	if value != nil {
		return v, false, nil
	}
	v, usable = decoded[T](body, set.by())
	return v, usable, nil
}

// decoded returns a value of its own from the bytes of an entry. It is apart so that a
// value which is not encoded need not be in the heap.
//
//go:noinline
func decoded[T any](body []byte, by Codec) (v T, ok bool) {
	if err := safe.Do(func() error { return by.Unmarshal(body, &v) }); err != nil {
		return *new(T), false
	}
	return v, true
}

// Get returns the value that is kept under a key, if it is still true, with Compute's rules
// for who has it. The error is ErrAbsent where it is kept that there is no value. Otherwise
// it is ErrMiss. It always is within a mutation, and with the policies Refresh and NoStore.
// What gets a value, or gets none, depends on it: see Compute.
func Get[T any](ctx context.Context, cache *Cache, key Key, opts ...ComputeOption) (T, error) {
	var none T
	var q valueQuery
	defer q.free()
	if err := cache.askValue(ctx, &key.key, opts, &q); err != nil {
		return none, err
	}
	return get[T](ctx, &q)
}

// get is Get of a call that is asked for already.
func get[T any](ctx context.Context, q *valueQuery) (T, error) {
	var none T
	if q.reads(); q.why != "" {
		q.figures().Bypass(string(q.why))
		q.missed(ctx)
		return none, ErrMiss
	}
	s, body := q.c.findValue(ctx, q)
	if s == nil || q.passesOver(s) {
		res := q.c.takeValue(ctx, *q, reflect.TypeFor[T]())
		if res == nil {
			q.missed(ctx)
			return none, ErrMiss
		}
		s, body = res.stamp, res.body
	}
	v, usable, err := opened[T](s, body, &q.set)
	switch {
	case usable:
		q.hit(ctx, s)
		return given(ctx, q, v, err)
	case err == nil:
		q.missed(ctx)
		err = ErrMiss
	}
	return none, err
}

// Exists reports whether Get would find a value, but for its type. It decodes nothing. That
// there is no value, ErrAbsent, is none.
func Exists(ctx context.Context, cache *Cache, key Key, opts ...ComputeOption) (bool, error) {
	var q valueQuery
	defer q.free()
	if err := cache.askValue(ctx, &key.key, opts, &q); err != nil {
		return false, err
	}
	if q.reads(); q.why != "" {
		q.figures().Bypass(string(q.why))
	} else if s, _ := cache.findValue(ctx, &q); s != nil && !q.passesOver(s) {
		q.depend(ctx, &s.sum, s.Expires())
		return !s.absent, nil
	} else if found, absent := cache.existsElsewhere(ctx, q); found != nil {
		q.depend(ctx, &values.Sum{Tags: slices.Clone(found.Tags)}, found.Expires)
		return !absent, nil
	}
	q.missed(ctx)
	return false, nil
}

// Put keeps a value that the program has computed by itself. token is what Cache.Begin
// returned before the first read for it: a value that is older than a change which is known
// is not kept, and the error is ErrOutdated. An older value of the key is dropped, and what
// was made of it, in all instances, as after Invalidate: also where the new one cannot be
// kept, since operations would bypass the cache, say, which is no error. Within a mutation, and
// in a request with uncommitted changes, the error is ErrWriting. ErrCallers also says that
// nobody can tell who the caller is, and ErrCodec that the value cannot be encoded. Other
// errors are as those of Compute, or the log's: then other instances learn of it later.
func Put[T any](ctx context.Context, cache *Cache, key Key, value T, token Token, opts ...ComputeOption) error {
	q := valueQuery{writes: true}
	defer q.free()
	if err := cache.askValue(ctx, &key.key, opts, &q); err != nil {
		return err
	}
	var f valueFunc
	q.typ = reflect.TypeFor[T]()
	f.box = func() any { p := new(T); *p = value; return p }
	return cache.putValue(ctx, &q, &f, token)
}

// Delete removes the value of a key, and reports whether there was one that was still true.
// A computation that is running does not bring it back: its value is not kept. What was
// made of the value is dropped, in all instances, as after Invalidate, also where operations
// would bypass the cache. Errors are as those of Put. Computed drops the values of all callers.
func Delete(ctx context.Context, cache *Cache, key Key, opts ...ComputeOption) (existed bool, err error) {
	q := valueQuery{writes: true}
	defer q.free()
	if err := cache.askValue(ctx, &key.key, opts, &q); err != nil {
		return false, err
	}
	return cache.deleteValue(ctx, &q)
}

// A Token says which changes a value has that is computed from now on. Cache.Begin returns
// one; the zero Token is of no use.
type Token struct {
	cache  *Cache
	number uint64
}

var errNoToken = errors.New("gqlcache: the token is not of this cache: call Begin before the first read for the value")

// Begin returns the token of a value that the program is about to compute. Call it before
// anything is read for the value. Within a request it is that of the request's arrival.
func (c *Cache) Begin(ctx context.Context) Token {
	if c.unmade() {
		return Token{}
	}
	var q valueQuery
	q.c = c
	q.enclose(orBackground(ctx))
	return Token{c, q.begin()}
}
