package gqlcache

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/99designs/gqlgen/graphql"
	"github.com/cascadeql/cascadeql/gqlcache/internal/inspector"
	"github.com/cascadeql/cascadeql/gqlcache/internal/wire"
	"github.com/cascadeql/cascadeql/gqlcache/store"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// Transport wraps a transport of gqlgen's, so that an answer from the cache is sent as it
// is kept, and a request that came before is not decoded again:
//
//	srv.AddTransport(cache.Transport(transport.GET{}))
//	srv.AddTransport(cache.Transport(transport.POST{}))
//
// Without it gqlgen's transports encode each answer again, which takes most of the time
// of a hit, and the more the larger the answer is. gqlgen uses the first of its
// transports that fits a request, so a transport that is added without Transport must not
// come before.
//
// Requests, answers and all that extensions see are the same with and without it: the
// operation's hooks run on hits, and a response that one of them has replaced, or added
// errors or extensions to, is encoded as gqlgen does. Status, Content-Type and
// ResponseHeaders are those of inner. Answers to GET have an ETag, a Cache-Control and
// Vary in addition: see [HTTP].
//
// It wraps POST, GET and UrlEncodedForm, as values or pointers, and returns any other
// transport as it is: the cache serves those, too. Configure the server before its first
// request: what its executor has made of a request may be used for the next one that is
// the same.
func (c *Cache) Transport(inner graphql.Transport) graphql.Transport {
	c.mustBeMade()
	kind := kindOf(inner)
	if kind == noKind {
		return inner
	}
	t := &answering{Transport: inner, cache: c, get: kind == getKind, json: kind == postKind}
	if t.json {
		c.post.wrapped()
	}
	if n := c.transports.Add(1); n <= math.MaxUint8 {
		t.number = byte(n)
	}
	return t
}

// answering is a transport that sends answers of the cache as they are kept.
//
// Invariant: what the client gets is what inner would have sent, but for the headers that
// package wire adds to answers of GET.
//
// The first request of its kind is inner's own: it decodes, and creates and dispatches
// the operation by the executor that it is given, which notes what it does. An answer
// that is exactly the cache's is held back, and inner encodes a stand-in, for which the
// writer that it is given sends the answer. So nothing of inner is repeated here: neither
// its errors and status codes, nor how it chooses the type of its content.
//
// A request that is the same, byte for byte, is decoded from memory: the header fields
// that inner has set are set again, and the parameters that it has decoded are copied.
// When the operation is then refused, inner sends that, and is given what was refused.
type answering struct {
	graphql.Transport // inner

	cache *Cache
	// number tells the cache's transports apart. 0 is for those that remember nothing:
	// there are too many.
	number byte
	typed  typed
	met    atomic.Pointer[extensions] // of the last executor
	// get is set for GET: the parameters are in the URL. json is set for POST: the body
	// is a JSON value.
	get, json bool
}

// Do implements graphql.Transport.
//
// A middleware between Cache.Handler and the server may give the server a writer with a
// header of its own, which it copies later: http.TimeoutHandler, and whatever buffers
// responses. Then what resolvers set is in that header.
func (t *answering) Do(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	if h := wire.HeaderFrom(r.Context()); h != nil && !h.IsOf(w) {
		wire.Serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { t.do(w, r, exec) }), w, r, false) //nolint:contextcheck // it has the request
		return
	}
	t.do(w, r, exec)
}

func (t *answering) do(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	if t.json {
		t.cache.post.met()
	}
	if !t.get && r.Body == nil {
		t.through(w, r, &executing{GraphExecutor: exec})
		return
	}
	start := graphql.Now()
	buf := requestBuffers.Get().(*[]byte)
	text, err := t.text(append((*buf)[:0], t.number), r)
	*buf = text
	if err == nil {
		t.known(w, r, exec, text, start)
	} else {
		t.through(w, t.withBody(r, text, err), &executing{GraphExecutor: exec})
	}
	if cap(text) <= maxRequestBuffer { // the operation has ended, and inner has its own copy
		requestBuffers.Put(buf)
	}
}

// known answers a request that has the text of its parameters.
func (t *answering) known(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor, text []byte, start time.Time) {
	fields, ok := t.typed.find(r.Header["Accept"])
	q := t.cache.requests.Find(text)
	if ok && q != nil {
		t.again(w, r, exec, &repeated{question: q, fields: fields, text: text, start: start})
		return
	}
	e := &executing{GraphExecutor: exec}
	if q != nil || t.number != 0 && t.cache.requests.Again(text) && (!t.json || json.Valid(text[1:])) {
		e.learning = t.learn(text, r.Header["Accept"], w.Header(), q != nil)
	}
	t.through(w, t.withBody(r, text, nil), e)
}

// through has inner answer a request.
func (t *answering) through(w http.ResponseWriter, r *http.Request, e *executing) {
	t.cache.warnOfNoServer()
	e.writer = &awaiting{ResponseWriter: w, t: t, request: r}
	t.Transport.Do(e.writer, r, e)
}

// A repeated is a request that came before.
type repeated struct {
	*question

	fields []field
	text   []byte
	start  time.Time
}

// again answers a request that came before.
func (t *answering) again(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor, q *repeated) {
	addFields(w.Header(), q.fields)
	oc, met, errs := t.operation(r, exec, q.question, q.start)
	if errs != nil || t.get && !asksOnly(oc) {
		e := &executing{GraphExecutor: exec, made: oc, errs: errs}
		e.writer = &awaiting{ResponseWriter: w, t: t, request: r, scratch: http.Header{}}
		t.Transport.Do(e.writer, t.withBody(r, q.text, nil), e)
		return
	}
	ctx := r.Context()
	if t.cache.opts.HTTP.Direct && met != nil {
		switch t.direct(w, r, oc, met) {
		case wasSent:
			return
		case wasDrawn:
			ctx = context.WithValue(ctx, drawnKey{t.cache}, true)
		}
	}
	responses, ctx := exec.DispatchOperation(ctx, oc)
	resp := responses(ctx)
	if t.sent(ctx, w, r, resp) {
		return
	}
	t.complete(ctx, requestFrom(ctx), w.Header(), r)
	if t.cache.lacks(ctx, resp) {
		w.WriteHeader(http.StatusGatewayTimeout)
	}
	_, _ = w.Write(encoded(resp))
}

// encoded returns a response as gqlgen's transports encode it.
func encoded(resp *graphql.Response) []byte {
	b, err := json.Marshal(resp)
	if err != nil {
		panic(fmt.Errorf("unable to marshal %s: %w", string(resp.Data), err)) // gqlgen's server answers, as for its own transports
	}
	return b
}

// asksOnly says whether gqlgen's GET answers an operation.
func asksOnly(oc *graphql.OperationContext) bool {
	op := oc.Doc.Operations.ForName(oc.OperationName)
	return op != nil && op.Operation == ast.Query
}

// sent sends a response if it is an answer of the cache as it is kept, and reports
// whether it was.
func (t *answering) sent(ctx context.Context, w http.ResponseWriter, r *http.Request, resp *graphql.Response) bool {
	k := t.cache.keptIn(ctx, resp)
	if k.stamp == nil {
		return false
	}
	t.cache.addStatus(ctx, requestFrom(ctx), w.Header())
	t.cache.send(ctx, w, r, &k)
	return true
}

// complete adds to the header what the cache says of a response that is no answer as it
// is kept. own is nil when no operation was dispatched.
func (t *answering) complete(ctx context.Context, own *request, h http.Header, r *http.Request) {
	t.forbidKeeping(h)
	t.cache.addStatus(ctx, own, h)
	if own == nil || own.cache != t.cache {
		return
	}
	if groups := own.groups.Load(); groups != nil {
		t.cache.addChangedGroups(h, r, *groups)
	}
}

// forbidKeeping tells HTTP caches to keep nothing that is not known to be an answer of
// the cache.
func (t *answering) forbidKeeping(h http.Header) {
	if t.get && h["Cache-Control"] == nil {
		h["Cache-Control"] = noStore
	}
}

var noStore = []string{"no-store"}

// text appends what the parameters of a request are in to b.
func (t *answering) text(b []byte, r *http.Request) ([]byte, error) {
	if t.get {
		return append(b, r.URL.RawQuery...), nil
	}
	b = slices.Grow(b, int(max(0, min(r.ContentLength, maxRequestBuffer)))+1)
	for {
		if len(b) == cap(b) {
			b = slices.Grow(b, 512)
		}
		n, err := r.Body.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		switch {
		case err == io.EOF: // as io.ReadAll: what wraps it is no end
			return b, nil
		case err != nil:
			return b, err //nolint:wrapcheck // inner reads it
		}
	}
}

// requestBuffers holds memory for the text of requests.
var requestBuffers = sync.Pool{New: func() any {
	b := make([]byte, 0, 4096)
	return &b
}}

// maxRequestBuffer bounds what is kept of it, and what the length that a client names
// makes a request take at once.
const maxRequestBuffer = 64 << 10

// withBody returns a request whose text was read, and then an error, if there was one.
//
// The query of a URL is copied: what is decoded of it may be parts of it, and a server
// that is not net/http's, fasthttp behind an adaptor say, may write the next request into
// the memory of this one.
func (t *answering) withBody(r *http.Request, text []byte, err error) *http.Request {
	with := *r
	if t.get {
		u := *r.URL
		u.RawQuery = string(text[1:])
		with.URL = &u
		return &with
	}
	var body io.Reader = bytes.NewReader(text[1:])
	if err != nil {
		body = io.MultiReader(body, failing{err})
	}
	with.Body = struct {
		io.Reader
		io.Closer
	}{body, r.Body}
	return &with
}

// failing is a reader that fails.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// executing is the executor that inner is given.
type executing struct {
	graphql.GraphExecutor

	writer *awaiting
	// learning is what is remembered of the request, nil for nothing.
	learning *learning
	// made and errs are what was made of the request already, nil when nothing was.
	made *graphql.OperationContext
	errs gqlerror.List
}

// CreateOperationContext implements graphql.GraphExecutor.
func (e *executing) CreateOperationContext(ctx context.Context, params *graphql.RawParams) (*graphql.OperationContext, gqlerror.List) {
	if oc := e.made; oc != nil {
		e.made, e.writer.scratch = nil, nil
		return oc, e.errs
	}
	if e.learning == nil {
		return e.GraphExecutor.CreateOperationContext(ctx, params)
	}
	l := e.learning
	l.t.typed.add(l.accept, func() []field { return l.fieldsOf(e.writer.Header()) })
	if l.known {
		return e.GraphExecutor.CreateOperationContext(ctx, params)
	}
	q := l.question(params)
	oc, errs := e.GraphExecutor.CreateOperationContext(ctx, params)
	if errs == nil {
		l.t.cache.rememberRequest(q)
	}
	return oc, errs
}

// DispatchOperation implements graphql.GraphExecutor.
func (e *executing) DispatchOperation(ctx context.Context, oc *graphql.OperationContext) (graphql.ResponseHandler, context.Context) {
	responses, ctx := e.GraphExecutor.DispatchOperation(ctx, oc)
	ask := responses
	return func(ctx context.Context) *graphql.Response { return e.writer.standIn(ctx, ask(ctx)) }, ctx
}

// awaiting is the writer that inner is given. It sends what a stand-in stands for.
type awaiting struct {
	http.ResponseWriter

	t       *answering
	request *http.Request
	ctx     context.Context //nolint:containedctx // of the operation, nil as long as there is none
	held    *graphql.Response
	// completed is set when the header has what the cache says of a response that is no
	// answer as it is kept.
	completed bool
	// lacks says that the response is that of Cache.lacks, whose status is still to be
	// sent.
	lacks bool
	// scratch gets the header fields that inner sets before it asks for an operation that
	// was made already: they are set.
	scratch http.Header
}

// Header implements http.ResponseWriter.
func (a *awaiting) Header() http.Header {
	if a.scratch != nil {
		return a.scratch
	}
	return a.ResponseWriter.Header()
}

// standIn holds a response back that is an answer of the cache as it is kept, and returns
// one to be encoded instead.
func (a *awaiting) standIn(ctx context.Context, resp *graphql.Response) *graphql.Response {
	a.ctx = ctx
	a.lacks = a.t.cache.lacks(ctx, resp)
	if k := a.t.cache.keptIn(ctx, resp); k.stamp == nil {
		return resp
	}
	a.held = resp
	return &graphql.Response{Data: standInData}
}

// standInData is the data of a stand-in, and standInText what gqlgen's transports write
// of it.
var standInData = json.RawMessage("0")

const standInText = `{"data":0}`

// complete completes the header, once. Call it before the header is sent.
func (a *awaiting) complete() {
	if a.completed {
		return
	}
	a.completed = true
	if a.ctx != nil {
		a.t.complete(a.ctx, requestFrom(a.ctx), a.Header(), a.request)
	} else {
		a.t.complete(a.request.Context(), nil, a.Header(), a.request)
	}
}

// WriteHeader implements http.ResponseWriter.
func (a *awaiting) WriteHeader(status int) {
	if status >= http.StatusOK {
		a.complete()
		if a.lacks && status == http.StatusOK {
			status = http.StatusGatewayTimeout
		}
		a.lacks = false
	}
	a.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (a *awaiting) Write(b []byte) (int, error) {
	held := a.held
	if held == nil {
		if a.lacks {
			a.WriteHeader(http.StatusOK)
		}
		a.complete()
		return a.ResponseWriter.Write(b) //nolint:wrapcheck // as without the cache
	}
	a.held = nil
	if string(b) == standInText && a.t.sent(a.ctx, a.ResponseWriter, a.request, held) {
		return len(b), nil
	}
	a.complete()
	_, err := a.ResponseWriter.Write(encoded(held))
	return len(b), err //nolint:wrapcheck // as without the cache
}

// Unwrap is for http.ResponseController.
func (a *awaiting) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// A keptAnswer is the response of a request, when it is an answer as the cache keeps it.
type keptAnswer struct {
	data   []byte // of the entry, and so of the response
	stamp  *stamp // nil when the response is no such answer
	d      *document
	public bool
	// entry is what was stored, under key, if that is known.
	entry *store.Entry
	key   string
}

// kept returns the answer of a query.
func (o *outcome) kept() (k keptAnswer) {
	switch {
	case o.d == nil || o.d.Operation == nil || o.resp == nil:
		return k
	case (o.fate == inspector.Hit || o.old) && o.entry != nil:
		k = keptAnswer{data: o.entry.Body, entry: o.entry, key: o.entryKey}
		k.stamp, _ = o.entry.Meta.(*stamp)
	case o.f != nil && o.f.stamp != nil:
		k = keptAnswer{data: o.f.body, stamp: o.f.stamp, entry: o.f.entry, key: o.key}
	}
	k.d = o.d
	k.public = o.d.Operation.Policy.Public && (k.stamp == nil || k.stamp.only == 0)
	return k
}

// is says whether a response that hooks have seen is still the answer that the cache
// gave, and ready to be sent.
func (k *keptAnswer) is(resp *graphql.Response) bool {
	return k.stamp != nil && k.stamp.ready != nil && len(resp.Errors) == 0 && len(resp.Extensions) == 0 &&
		resp.Label == "" && resp.Path == nil && resp.HasNext == nil &&
		len(resp.Data) == len(k.data) && unsafe.SliceData(resp.Data) == unsafe.SliceData(k.data)
}

// keptIn returns the answer that a response is in the context of its operation; its stamp
// is nil when it is none.
func (c *Cache) keptIn(ctx context.Context, resp *graphql.Response) (k keptAnswer) {
	own := requestFrom(ctx)
	// The outcome is looked at only when its query has returned this very response: an
	// interceptor may have left the query behind, on a goroutine of its own that still
	// writes it.
	if own == nil || own.cache != c || resp == nil || own.out.given.Load() != resp {
		return k
	}
	if k = own.out.kept(); !k.is(resp) {
		return keptAnswer{}
	}
	return k
}
