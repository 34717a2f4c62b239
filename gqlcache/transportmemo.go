package gqlcache

import (
	"encoding/json"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"weak"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler/extension"
	"github.com/cascadeql/cascadeql/extractor"
	"github.com/cascadeql/cascadeql/gqlcache/internal/plans"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// What is made of a request is remembered by its text, see answering.text, in
// Cache.requests.
//
// Invariants:
//
//  1. What an operation is given is in memory of its own: gqlgen writes default values
//     into the variables of a request, and resolvers and extensions may write to them as
//     well.
//  2. A text has the transport's number and all that the transport decodes. The header
//     fields that it sets depend on the Accept header in addition.
//  3. What is remembered has a bound: clients choose the texts.

const (
	// maxAccepts bounds the values of the Accept header that are remembered, maxAccept
	// their length.
	maxAccepts, maxAccept = 64, 256
	// questionSize is what a question takes beside what is decoded, in bytes, and an
	// operation that is prepared.
	questionSize = 256
)

// typed are the header fields that a transport sets, by the Accept header of the request.
type typed struct {
	byAccept sync.Map // from string to []field
	number   atomic.Int32
}

// find returns the fields for a header, if they are known.
func (f *typed) find(accept []string) (fields []field, ok bool) {
	a, ok := acceptOf(accept)
	if !ok {
		return nil, false
	}
	v, ok := f.byAccept.Load(a)
	if !ok {
		return nil, false
	}
	return v.([]field), true
}

// add notes the fields for a header. Clients may send ever new ones: then all are
// forgotten, and learned again.
func (f *typed) add(accept string, fields func() []field) {
	if _, ok := f.byAccept.Load(accept); ok {
		return
	}
	if f.number.Add(1) > maxAccepts {
		f.byAccept.Clear()
		f.number.Store(1)
	}
	f.byAccept.Store(accept, fields())
}

// acceptOf returns the one value of an Accept header. ok is false for a header that is
// not remembered.
func acceptOf(accept []string) (value string, ok bool) {
	switch {
	case len(accept) == 0:
		return "", true
	case len(accept) == 1 && accept[0] != "" && len(accept[0]) <= maxAccept:
		return accept[0], true
	}
	return "", false
}

// A field is a field of a response's header, which a transport sets.
type field struct {
	name   string
	values []string // its capacity is its length, so nobody appends to it
}

// addFields adds fields to a header as a transport does.
func addFields(h http.Header, fields []field) {
	for _, f := range fields {
		if h[f.name] == nil {
			h[f.name] = f.values
		} else {
			h[f.name] = append(h[f.name], f.values...)
		}
	}
}

// A question is what a transport has decoded. It is not changed, but for document.
type question struct {
	text                  string
	query, operationName  string
	variables, extensions map[string]any
	// document is the one of the last operation that was made of it.
	document atomic.Pointer[weak.Pointer[ast.QueryDocument]]
	// prepared is what the executor has made of it, nil when it has to do that for each
	// request.
	prepared *prepared
}

// learning is a request from which a memo learns.
type learning struct {
	t      *answering
	text   string
	accept string
	before map[string]int // how many values the header's fields had
	// known is set when only the header fields are to be learned.
	known bool
}

// learn returns what is to be told of a request that inner is about to decode; nil when
// nothing is remembered of it. known says that only the header fields are not.
func (t *answering) learn(text []byte, accept []string, header http.Header, known bool) *learning {
	a, ok := acceptOf(accept)
	if !ok {
		return nil
	}
	before := make(map[string]int, len(header))
	for name, values := range header {
		before[name] = len(values)
	}
	return &learning{t: t, text: string(text), accept: strings.Clone(a), before: before, known: known}
}

// question returns what a transport has decoded, before anybody changes it.
func (l *learning) question(params *graphql.RawParams) *question {
	return &question{
		text: l.text, query: params.Query, operationName: params.OperationName,
		variables: plans.CopyVariables(params.Variables), extensions: plans.CopyVariables(params.Extensions),
	}
}

func (l *learning) fieldsOf(header http.Header) (fields []field) {
	for _, name := range slices.Sorted(maps.Keys(header)) {
		if values := header[name][min(l.before[name], len(header[name])):]; len(values) > 0 {
			fields = append(fields, field{name: name, values: slices.Clip(slices.Clone(values))})
		}
	}
	return fields
}

// operation has the executor make an operation of a question, or repeats what it has
// made. met has the executor's extensions when the operation is one that it has made
// before, and nil otherwise.
func (t *answering) operation(r *http.Request, exec graphql.GraphExecutor, q *question, start time.Time) (oc *graphql.OperationContext, met *extensions, errs gqlerror.List) {
	ctx := r.Context()
	met = t.extensionsOf(exec)
	read := graphql.TraceTiming{Start: start, End: graphql.Now()}
	if p := q.prepared; p != nil && p.by == met && met.hasDocument(ctx, q.query, p.operation.Doc) {
		oc = p.again(q, r.Header, graphql.Stats{
			OperationStart: graphql.GetStartTime(ctx), Read: read,
			Parsing:    graphql.TraceTiming{Start: read.End, End: read.End},
			Validation: graphql.TraceTiming{Start: read.End, End: read.End},
		})
		return oc, met, met.refuses(ctx, oc)
	}
	oc, errs = exec.CreateOperationContext(ctx, &graphql.RawParams{
		Query: q.query, OperationName: q.operationName, Headers: r.Header, ReadTime: read,
		Variables: plans.CopyVariables(q.variables), Extensions: plans.CopyVariables(q.extensions),
	})
	t.cache.warnOfChanges(met)
	if errs == nil && met.repeatable(q) && q.hasDocument(oc.Doc) {
		t.cache.prepare(q, met, oc)
	}
	return oc, nil, errs
}

// hasDocument says that the document of an operation is the one of the operation before:
// it is in the server's query cache, and shared by all requests. Another one belongs to
// its request, whose extensions may change it.
func (q *question) hasDocument(doc *ast.QueryDocument) bool {
	now := weak.Make(doc)
	before := q.document.Swap(&now)
	return before != nil && *before == now
}

// prepared is an operation that the executor has made of a question, and extensions have
// changed. It is not changed.
type prepared struct {
	by *extensions
	// operation is never executed: its variables are copied for each request.
	operation *graphql.OperationContext
	// complexity is what extension.ComplexityLimit has found, nil without.
	complexity *extension.ComplexityStats
}

// prepare remembers an operation that the executor has made.
func (c *Cache) prepare(q *question, by *extensions, oc *graphql.OperationContext) {
	p := &prepared{by: by, operation: copyOperation(oc)}
	if by.limited {
		found, ok := oc.Stats.GetExtension(limitName).(*extension.ComplexityStats)
		if !ok {
			return
		}
		limit := *found
		p.complexity = &limit
	}
	c.rememberRequest(&question{
		text: q.text, query: q.query, operationName: q.operationName, variables: q.variables, extensions: q.extensions, prepared: p,
	})
}

// rememberRequest remembers a question, in place of another one with its text. A document
// that is kept is shared with the server's query cache, which may forget it.
func (c *Cache) rememberRequest(q *question) {
	size := questionSize + 2*len(q.text) + sizeOf(q.variables) + sizeOf(q.extensions)
	if q.prepared != nil {
		size += questionSize + sizeOf(q.prepared.operation.Variables) + extractor.DocumentSize(q.prepared.operation.Doc)
	}
	c.requests.Keep(q.text, q, size)
}

// sizeOf estimates the memory of what was decoded from JSON, in bytes, with the interface
// that it is in.
func sizeOf(v any) int {
	const (
		header = 16 // of an interface, and of a string
		list   = 24
		empty  = 48 // of a map, which has groups of slots for 8 keys and values
		slots  = 8
		slot   = 2*header + 1
	)
	size := header
	switch v := v.(type) {
	case string:
		return size + header + len(v)
	case json.Number:
		return size + header + len(v)
	case []any:
		size += list
		for _, e := range v {
			size += sizeOf(e)
		}
	case map[string]any:
		size += empty
		if len(v) > 0 {
			size += slot * slots * (1 + 2*len(v)/slots)
		}
		for name, e := range v {
			size += len(name) + sizeOf(e) - header
		}
	default:
		rv := reflect.ValueOf(v) // variables may be lists of a type
		if rv.Kind() == reflect.Slice {
			size += list
			for i := range rv.Len() {
				size += sizeOf(rv.Index(i).Interface())
			}
		}
	}
	return size
}

// again returns an operation as the executor would make it.
func (p *prepared) again(q *question, headers http.Header, stats graphql.Stats) *graphql.OperationContext {
	oc := copyOperation(p.operation)
	oc.Extensions, oc.Headers, oc.Stats = plans.CopyVariables(q.extensions), headers, stats
	if p.complexity != nil {
		limit := *p.complexity
		oc.Stats.SetExtension(limitName, &limit)
	}
	return oc
}

// copyOperation returns an operation with what the executor has made of its document and
// variables, and without what belongs to a request.
func copyOperation(oc *graphql.OperationContext) *graphql.OperationContext {
	return &graphql.OperationContext{
		RawQuery: oc.RawQuery, Variables: plans.CopyVariables(oc.Variables), OperationName: oc.OperationName,
		Doc: oc.Doc, Operation: oc.Operation, DisableIntrospection: oc.DisableIntrospection, RecoverFunc: oc.RecoverFunc,
		ResolverMiddleware: oc.ResolverMiddleware, RootResolverMiddleware: oc.RootResolverMiddleware,
	}
}
