package gqlcache

import (
	"errors"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"unsafe"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/executor"
	"github.com/99designs/gqlgen/graphql/handler"
	"github.com/99designs/gqlgen/graphql/handler/transport"
	"github.com/vektah/gqlparser/v2/ast"
)

// Install adds the cache to a server, and applies Transport to the server's transports:
// to those that it has already, in their places, and to the given ones, which are added
// after them. So it is also for servers of handler.NewDefaultServer, and those that
// another package has made:
//
//	srv := handler.NewDefaultServer(schema)
//	gqlcache.Install(srv, cache)
//
// Call it after the other extensions and transports were added, and before the server's
// first request. Like srv.Use it panics when the schema's directives are wrong.
//
// A GET, POST or UrlEncodedForm that is added to the server later, and comes first for
// its kind, is named once in the log. It serves the cache's answers as well, and encodes
// them again.
//
// gqlgen has no way to ask for the transports of a server, so they are read from its
// memory. Should a version of gqlgen keep them elsewhere, those that the server has
// already stay as they are, and the log says so.
func Install(srv *handler.Server, cache *Cache, transports ...graphql.Transport) {
	install(srv, transportsIn(srv), cache, transports)
}

var errUnseen = errors.New("make the server with handler.New, and give its transports to gqlcache.Install")

func install(srv *handler.Server, list *[]graphql.Transport, cache *Cache, transports []graphql.Transport) {
	cache.mustBeMade()
	if list == nil {
		cache.once.Warn("transports", "gqlcache: the transports of the server cannot be seen, so those that were added already encode answers of the cache again", errUnseen)
	} else {
		// A list of its own: the server may have been copied.
		all := []graphql.Transport{&lookout{cache: cache, list: list}}
		for _, t := range *list {
			all = append(all, cache.Transport(t))
		}
		*list = all
	}
	for _, t := range transports {
		srv.AddTransport(cache.Transport(t))
	}
	srv.Use(cache)
}

// transportsIn returns where a server keeps its transports, nil when that is unknown.
// server is a pointer to a struct.
func transportsIn(server any) *[]graphql.Transport {
	v := reflect.ValueOf(server)
	if v.IsNil() {
		return nil
	}
	f := v.Elem().FieldByName("transports")
	if !f.IsValid() || f.Type() != reflect.TypeFor[[]graphql.Transport]() {
		return nil
	}
	return (*[]graphql.Transport)(unsafe.Pointer(f.UnsafeAddr())) //nolint:gosec // the type is looked at
}

// A lookout is the first transport of a server. It supports no request, but gqlgen asks it
// at each one, where the server's transports may be read: they are looked at anew when
// their number has changed.
type lookout struct {
	cache *Cache
	list  *[]graphql.Transport
	seen  atomic.Int64
}

var errNotWrapped = errors.New("add such transports before gqlcache.Install, or by srv.AddTransport(cache.Transport(…))")

// Supports implements graphql.Transport.
func (l *lookout) Supports(*http.Request) bool {
	if n := int64(len(*l.list)); l.seen.Load() != n {
		l.seen.Store(n)
		if names := notWrapped(*l.list); len(names) > 0 {
			l.cache.once.Warn("order", "gqlcache: the server has transports that encode answers of the cache again, since they were added without Cache.Transport: "+strings.Join(names, ", "), errNotWrapped)
		}
	}
	return false
}

// Do implements graphql.Transport. It is not called.
func (*lookout) Do(http.ResponseWriter, *http.Request, graphql.GraphExecutor) {}

// notWrapped returns the types of transports that could send answers as they are kept,
// and do not. One behind a wrapped one of its kind gets no requests.
func notWrapped(list []graphql.Transport) (names []string) {
	met := map[transportKind]bool{noKind: true}
	for _, t := range list {
		a, wrapped := t.(*answering)
		if wrapped {
			t = a.Transport
		}
		k := kindOf(t)
		if !met[k] && !wrapped {
			names = append(names, reflect.TypeOf(t).String())
		}
		met[k] = true
	}
	slices.Sort(names)
	return names
}

// transportKind is the kind of a transport: which of the server's requests it gets.
type transportKind uint8

const (
	noKind transportKind = iota // it cannot send answers as they are kept
	getKind
	postKind
	formKind
)

func kindOf(t graphql.Transport) transportKind {
	switch t.(type) {
	case transport.GET, *transport.GET:
		return getKind
	case transport.POST, *transport.POST:
		return postKind
	case transport.UrlEncodedForm, *transport.UrlEncodedForm:
		return formKind
	}
	return noKind
}

// passedBy notes whether requests come to the wrapped POST.
type passedBy struct{ state atomic.Int32 }

const (
	hasNone   = iota // no POST was wrapped
	wasPassed        // no request has come to it yet
	wasMet           // one has, or it was said that none has
)

var errPassedBy = errors.New("gqlgen takes the first transport that fits: add no unwrapped POST before it, or call gqlcache.Install, which wraps those that a server has already")

// warnOfOrder says once that a POST was answered by a transport that was not wrapped, as
// long as none has come to the one that was.
func (c *Cache) warnOfOrder(oc *graphql.OperationContext) {
	if c.post.state.Load() != wasPassed || !isPost(oc.Headers) || !c.post.state.CompareAndSwap(wasPassed, wasMet) {
		return
	}
	c.once.Warn("order", "gqlcache: a POST was answered by a transport without Cache.Transport, and none has come to the one with it", errPassedBy)
}

// wrapped notes that a POST was wrapped.
func (p *passedBy) wrapped() { p.state.CompareAndSwap(hasNone, wasPassed) }

// met notes that a request has come to it.
func (p *passedBy) met() {
	if p.state.Load() != wasMet {
		p.state.Store(wasMet)
	}
}

// isPost says of the header of an operation's request that gqlgen's POST would take it,
// and none of its transports for streams.
func isPost(h http.Header) bool {
	return strings.HasPrefix(h.Get("Content-Type"), "application/json") && h.Get("Upgrade") == "" &&
		!strings.Contains(h.Get("Accept"), "text/event-stream") && !strings.Contains(h.Get("Accept"), "multipart/mixed")
}

var errNoQueryCache = errors.New("call srv.SetQueryCache(lru.New[*ast.QueryDocument](1000))")

// warnOfQueryCache says once that a server has no query cache. Where that cannot be seen,
// nothing is said.
func (c *Cache) warnOfQueryCache(e *executor.Executor) {
	documents, _ := queryCacheOf(e)
	switch documents.(type) {
	case graphql.NoCache[*ast.QueryDocument], *graphql.NoCache[*ast.QueryDocument]:
		c.once.Warn("querycache", "gqlcache: the server has no query cache, so each request is parsed and validated anew, also one that hits", errNoQueryCache)
	}
}
