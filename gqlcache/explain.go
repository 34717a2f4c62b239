package gqlcache

import (
	"context"
	"maps"
	"strings"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/cascadeql/cascadeql/cascade"
	"github.com/cascadeql/cascadeql/gqlcache/inspect"
	"github.com/cascadeql/cascadeql/gqlcache/internal/watch"
	"github.com/cascadeql/cascadeql/gqlcache/internal/wire"
)

type explainKey struct{}

// WithExplain asks the cache to note in full what becomes of the operations of a context, for Explain. A
// middleware around the server, or an operation interceptor added before the cache, is the place for it. It
// shows clients nothing.
func WithExplain(ctx context.Context) context.Context {
	return context.WithValue(orBackground(ctx), explainKey{}, true)
}

// Explain tells what the cache did for an operation, after it did: in a response interceptor that was
// added to the server before the cache, once next has returned. It is the value that extensions.cache shows
// to those who may see it. Without WithExplain, and without such a client, it has no more than the status, the
// reason and the operation. ok is false for what is no query or mutation, and without a cache.
//
// Slices and pointers in it are not to be changed.
func Explain(ctx context.Context) (x inspect.Extension, ok bool) {
	r := requestFrom(ctx)
	if r == nil || !r.out.ended || r.mutates && r.out.fate == failed {
		return x, false
	}
	if r.note != nil {
		return r.note.told, true
	}
	x = r.out.extension()
	if graphql.HasOperationContext(ctx) {
		if op := graphql.GetOperationContext(ctx).Operation; op != nil {
			x.Operation = inspect.Operation{Name: op.Name, Type: string(op.Operation)}
		}
	}
	return x, true
}

// extension says what became of an operation, in short.
func (o *outcome) extension() inspect.Extension {
	x := inspect.Extension{Version: inspect.Version}
	code := string(o.why)
	switch o.fate {
	case bypassed:
		x.Status = inspect.Bypass
	case hit:
		x.Status, code, x.Tier = inspect.Hit, codeHit, tierMemory
		if o.f != nil && o.f.fromShared {
			x.Tier = tierShared
		}
	case failed, computed, compared:
		x.Status = inspect.Miss
		if code == "" {
			code, x.DidCache = codeMiss, true
		}
	case joined:
		x.Status, code, x.Collapsed = inspect.Miss, codeJoined, true
	case abandoned:
		x.Status, code = inspect.Miss, codeAbandoned
	case refused:
		x.Status, code = inspect.Bypass, string(ReasonLease)
	case changed:
		x.Status, code = inspect.Invalidated, codeMutation
	case unchanged:
		x.Status, code = inspect.Unchanged, codeUnchanged
	case inspected:
		x.Status, code = inspect.Inspected, codeInspected
	}
	x.Hit = x.Status == inspect.Hit
	x.Reason = inspect.Reason{Code: code, Message: messageOf(code, x.Tier)}
	return x
}

// An explanation is what the cache notes of one operation for somebody who has asked. Its methods do
// nothing on nil.
type explanation struct {
	start  time.Time
	lookup time.Duration
	key    []byte
	parts  []inspect.KeyPart
	missed inspect.Reason // why there was no entry
	// hits is how often the entry was served while somebody watched.
	hits uint64
	told inspect.Extension
}

// newExplanation returns the explanation of an operation that begins, for somebody who has asked.
func (c *Cache) newExplanation() *explanation { return &explanation{start: time.Now()} }

// looked notes the key that is looked up.
func (n *explanation) looked(c *Cache, d *document, vars map[string]any, key []byte) {
	if n == nil {
		return
	}
	n.key = append(n.key[:0], key...)
	n.parts = c.keyParts(d, vars, key)
}

// looks notes how long the lookup took.
func (n *explanation) looks() {
	if n != nil {
		n.lookup = time.Since(n.start)
	}
}

// conclude makes what is told of an operation, and shows it to the client who may see it.
func (c *Cache) conclude(ctx context.Context, r *request, resp *graphql.Response, x inspect.Extension) {
	n := r.note
	op := graphql.GetOperationContext(ctx).Operation
	x.Operation.Name, x.Operation.Type = op.Name, string(op.Operation)
	x.DurationUS = time.Since(n.start).Microseconds()
	x.Warnings = append(x.Warnings, c.alarms()...)
	if r.access != nil && r.access.fault != nil {
		x.Warnings = append(x.Warnings, inspect.Warning{Code: "request", Severity: "warning", Message: r.access.fault.Error()})
	}
	n.told = x
	if r.access != nil && resp != nil {
		extend(resp, x)
		wire.ExchangeFrom(ctx).Report(&x)
	}
}

// extend puts extensions.cache on a response. The map is copied: it may be shared.
func extend(resp *graphql.Response, x inspect.Extension) {
	ext := maps.Clone(resp.Extensions)
	if ext == nil {
		ext = map[string]any{}
	}
	ext["cache"] = x
	resp.Extensions = ext
}

// explain makes the explanation of an operation that has ended, and shows it to the client who may see it.
func (c *Cache) explain(ctx context.Context, r *request) {
	defer c.shield.Recover()
	o := &r.out
	x := o.extension()
	switch o.fate {
	case refused:
	case changed, unchanged:
		c.explainChange(&x, o.done)
	default:
		c.explainQuery(ctx, r, &x)
	}
	c.conclude(ctx, r, o.resp, x)
}

// explainQuery adds what is known of a query.
func (c *Cache) explainQuery(ctx context.Context, r *request, x *inspect.Extension) {
	n, o := r.note, &r.out
	if n := r.note; n.key != nil {
		x.Key, x.KeyParts = c.fingerprint("key", n.key), n.parts
		x.Timing = &inspect.Timing{LookupUS: n.lookup.Microseconds()}
	}
	if d := o.d; d != nil && d.Bypass == "" {
		x.Operation.Hash = d.ShortHash()
		x.TTLLimitedBy, x.DependsOnAnything = d.Operation.Policy.LimitedBy, whyAnything(d.Operation.Anything)
		x.Dependencies = dependenciesOf(d.Operation)
	}
	switch {
	case o.entry != nil:
		x.EntryHits = n.hits
		s := o.entry.Meta.(*stamp)
		x.Bytes, x.TTLMS = len(o.entry.Body), new(o.entry.Expires.Sub(c.opts.Now()).Milliseconds())
		c.explainEntry(ctx, x, n, s)
	case o.f == nil:
	case o.fate == joined:
		x.Bytes, x.Timing.OriginUS = len(o.f.body), o.f.took.Microseconds()
	default:
		x.Bytes = len(o.f.body)
		if o.f.stamp != nil {
			x.TTLMS = new(o.f.ttl.Milliseconds())
			c.explainEntry(ctx, x, n, o.f.stamp)
		}
		if x.Hit {
			return
		}
		x.Timing.OriginUS = o.f.took.Microseconds()
		if x.DidCache && n.missed.Code != "" {
			x.Reason = n.missed
		}
	}
}

// explainEntry adds what the stamp of an entry says, and what a hit has saved.
func (c *Cache) explainEntry(ctx context.Context, x *inspect.Extension, n *explanation, s *stamp) {
	x.Tags = s.Len()
	c.recall(ctx, x, n.key, s)
	if !x.Hit {
		return
	}
	x.AgeMS = new((c.opts.Now().UnixNano() - s.Stored) / int64(time.Millisecond))
	if cost := s.Took(); cost > 0 {
		x.Timing.OriginUS = cost.Microseconds()
		x.Timing.SavedUS = max(0, x.Timing.OriginUS-x.Timing.LookupUS)
	}
}

// explainChange adds what a mutation did, as far as it is known inside of the other extensions.
func (c *Cache) explainChange(x *inspect.Extension, s *settled) {
	x.Invalidation = s.invalidation
	if x.Invalidation == nil {
		x.Invalidation = &inspect.Invalidation{Tags: s.tags, Everything: s.everything, DurationUS: s.took.Microseconds()}
	}
	x.Invalidation.Confirmed = c.opts.Log == nil
	trace := s.trace
	if trace == nil {
		trace = c.schema.Load().Plan.Trace(nil, s.events, cascade.Partition{})
	}
	x.Changes = watch.Changes(trace, c.opts.Inspector.HideIDs)
}

// whyAnything says what cascade.Operation.Anything means.
func whyAnything(name string) string {
	if name == "" {
		return ""
	}
	if view, ok := strings.CutPrefix(name, "view "); ok {
		return "no mutation declares that it writes the view " + view
	}
	return "nothing says what " + name + " reads"
}

// explainPublished adds what became of the change, and shows it to the client who may see it.
func (c *Cache) explainPublished(ctx context.Context, r *request, resp *graphql.Response, s settled) {
	if r.note == nil {
		return
	}
	defer c.shield.Recover()
	x := r.note.told
	told := c.confession(s.Publication)
	x.Consistency, x.Token = told.Consistency, told.Token
	if x.Invalidation != nil {
		inv := *x.Invalidation // an extension may have kept the other
		inv.Confirmed = !s.Shared || s.Err == nil && s.Receipt.Confirmed
		if s.Shared && s.Err == nil {
			inv.Instances = c.others()
		}
		x.Invalidation = &inv
	}
	r.note.told = x
	if r.access != nil {
		extend(resp, x)
		wire.ExchangeFrom(ctx).Report(&x)
	}
}
