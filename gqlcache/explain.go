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
	"github.com/cascadeql/cascadeql/gqlcache/store"
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
	if r == nil || r.verdict.status == "" {
		return x, false
	}
	if r.note != nil {
		return r.note.told, true
	}
	x = r.verdict.extension()
	if graphql.HasOperationContext(ctx) {
		if op := graphql.GetOperationContext(ctx).Operation; op != nil {
			x.Operation = inspect.Operation{Name: op.Name, Type: string(op.Operation)}
		}
	}
	return x, true
}

// verdict is what became of an operation, in short: noted for each.
type verdict struct {
	status            inspect.Status
	code, tier        string
	stored, collapsed bool
}

// verdictOf is that of a computed answer, or one found instead of computing it.
func verdictOf(f *filled) verdict {
	switch {
	case f.fromShared:
		return verdict{status: inspect.Hit, code: codeHit, tier: tierShared}
	case f.found:
		return verdict{status: inspect.Hit, code: codeHit, tier: tierMemory}
	case f.why != "":
		return verdict{status: inspect.Miss, code: string(f.why)}
	}
	return verdict{status: inspect.Miss, code: codeMiss, stored: true}
}

func (v verdict) extension() inspect.Extension {
	return inspect.Extension{
		Version: inspect.Version, Status: v.status, Hit: v.status == inspect.Hit,
		DidCache: v.stored, Collapsed: v.collapsed, Tier: v.tier,
		Reason: inspect.Reason{Code: v.code, Message: messageOf(v)},
	}
}

// An explanation is what the cache notes of one operation for somebody who has asked. Its methods do
// nothing on nil.
type explanation struct {
	start  time.Time
	lookup time.Duration
	key    []byte
	parts  []inspect.KeyPart
	missed inspect.Reason // why there was no entry
	told   inspect.Extension
}

// explains returns the explanation to fill, nil when nobody asks.
func (c *Cache) explains(ctx context.Context, r *request) *explanation {
	if asked, _ := ctx.Value(explainKey{}).(bool); !asked && r.access == nil || c.shadow != nil {
		return nil
	}
	return &explanation{start: time.Now()}
}

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
	if n == nil {
		return
	}
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

// draft begins what is told of a query.
func (c *Cache) draft(r *request, d *document) inspect.Extension {
	x := r.verdict.extension()
	if n := r.note; n.key != nil {
		x.Key, x.KeyParts = c.fingerprint("key", n.key), n.parts
		x.Timing = &inspect.Timing{LookupUS: n.lookup.Microseconds()}
	}
	if d != nil && d.Bypass == "" {
		x.Operation.Hash = d.ShortHash()
		x.TTLLimitedBy, x.DependsOnAnything = d.Operation.Policy.LimitedBy, whyAnything(d.Operation.Anything)
		x.Dependencies = dependenciesOf(d.Operation)
	}
	return x
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

// explainHit explains a hit whose verdict is noted, to those who have asked.
func (c *Cache) explainHit(ctx context.Context, r *request, d *document, resp *graphql.Response, e *store.Entry, s *stamp, hit watch.Hit) {
	if r.note == nil {
		return
	}
	defer c.shield.Recover()
	x := c.draft(r, d)
	now := c.opts.Now()
	x.AgeMS = new((now.UnixNano() - s.Stored) / int64(time.Millisecond))
	x.TTLMS = new(e.Expires.Sub(now).Milliseconds())
	x.Bytes, x.Tags, x.EntryHits = len(e.Body), s.Len(), hit.Entry
	c.recall(ctx, &x, r.note.key, s)
	saved(x.Timing, s.Took())
	c.conclude(ctx, r, resp, x)
}

// saved tells what a hit saved of what its computation took, if that is known.
func saved(t *inspect.Timing, cost time.Duration) {
	if cost > 0 {
		t.OriginUS = cost.Microseconds()
		t.SavedUS = max(0, t.OriginUS-t.LookupUS)
	}
}

func (c *Cache) explainJoined(ctx context.Context, r *request, d *document, resp *graphql.Response, f *filled) {
	r.verdict = verdict{status: inspect.Miss, code: codeJoined, collapsed: true}
	if r.note == nil {
		return
	}
	defer c.shield.Recover()
	x := c.draft(r, d)
	x.Bytes = len(f.body)
	x.Timing.OriginUS = f.took.Microseconds()
	c.conclude(ctx, r, resp, x)
}

func (c *Cache) explainAbandoned(ctx context.Context, r *request, d *document, resp *graphql.Response) {
	r.verdict = verdict{status: inspect.Miss, code: codeAbandoned}
	if r.note == nil {
		return
	}
	defer c.shield.Recover()
	c.conclude(ctx, r, resp, c.draft(r, d))
}

func (c *Cache) explainFilled(ctx context.Context, r *request, d *document, f *filled) {
	r.verdict = verdictOf(f)
	if r.note == nil {
		return
	}
	defer c.shield.Recover()
	x := c.draft(r, d)
	x.Bytes = len(f.body)
	if f.stamp != nil {
		x.Tags, x.TTLMS = f.stamp.Len(), new(f.ttl.Milliseconds())
		c.recall(ctx, &x, r.note.key, f.stamp)
	}
	switch {
	case x.Hit:
		if f.stamp != nil {
			x.AgeMS = new((c.opts.Now().UnixNano() - f.stamp.Stored) / int64(time.Millisecond))
			saved(x.Timing, f.stamp.Took())
		}
	default:
		x.Timing.OriginUS = f.took.Microseconds()
		if x.DidCache && r.note.missed.Code != "" {
			x.Reason = r.note.missed
		}
	}
	c.conclude(ctx, r, f.resp, x)
}

func (c *Cache) explainBypass(ctx context.Context, r *request, d *document, resp *graphql.Response, why Reason) {
	r.verdict = verdict{status: inspect.Bypass, code: string(why)}
	if r.note == nil {
		return
	}
	defer c.shield.Recover()
	c.conclude(ctx, r, resp, c.draft(r, d))
}

// explainRefused is of a mutation that Options.RequireLease did not let run.
func (c *Cache) explainRefused(ctx context.Context, r *request, resp *graphql.Response) {
	r.verdict = verdict{status: inspect.Bypass, code: string(ReasonLease)}
	if r.note == nil {
		return
	}
	defer c.shield.Recover()
	c.conclude(ctx, r, resp, r.verdict.extension())
}

// explainMutation notes what a mutation did, as far as it is known inside of the other extensions.
func (c *Cache) explainMutation(ctx context.Context, r *request, s settled) {
	r.verdict = verdict{status: inspect.Invalidated, code: codeMutation}
	if s.tags == 0 && s.everything == "" {
		r.verdict = verdict{status: inspect.Unchanged, code: codeUnchanged}
	}
	if r.note == nil {
		return
	}
	defer c.shield.Recover()
	x := r.verdict.extension()
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
	c.conclude(ctx, r, nil, x)
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
