package gqlcache

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler/transport"
	"github.com/cascadeql/cascadeql/gqlcache/internal/clock"
	"github.com/cascadeql/cascadeql/gqlcache/internal/digest"
	"github.com/cascadeql/cascadeql/gqlcache/internal/inspector"
	"github.com/cascadeql/cascadeql/gqlcache/internal/verify"
	"github.com/cascadeql/cascadeql/gqlcache/store"
)

// The invariant of this file: an answer that is shared by callers of all kinds, since
// Options.Callers or scope: PUBLIC says so, is given to callers with other credentials
// than the one that it was computed for only after some of them have computed it, too,
// and got the same bytes. An operation of which they got different ones is not served or
// stored any more.

// credentialHeaders are where servers look for who asks, in canonical form.
var credentialHeaders = []string{
	"Authorization", "Cookie", "Proxy-Authorization", "X-Api-Key", "Api-Key", "X-Auth-Token", "X-Access-Token",
	"X-User", "X-User-Id", "X-Forwarded-User", "X-Forwarded-Email", "X-Remote-User",
	"X-Tenant", "X-Tenant-Id", "X-Session-Id",
	// proxies that authenticate: oauth2-proxy, AWS, Cloudflare, Google, Azure, Tailscale
	"X-Auth-Request-User", "X-Auth-Request-Email", "X-Amzn-Oidc-Identity", "X-Amzn-Oidc-Data",
	"Cf-Access-Jwt-Assertion", "X-Goog-Authenticated-User-Id", "X-Goog-Iap-Jwt-Assertion",
	"X-Ms-Client-Principal-Id", "Tailscale-User-Login",
}

// credentials returns a digest of what a request says of its caller, never 0. It is of
// this process: nobody can check it against guesses.
func credentials(ctx context.Context, oc *graphql.OperationContext) uint64 {
	return credentialsIn(ctx, oc.Headers)
}

// credentialsIn is credentials of a request with a header.
func credentialsIn(ctx context.Context, header http.Header) uint64 {
	var h digest.Running
	for i, name := range credentialHeaders {
		for _, v := range header[name] {
			h.Add(uint64(i))
			h.Text(v)
		}
	}
	var payload digest.Running // of a websocket's first message, in any order
	addPayload(&payload, 0, map[string]any(transport.GetInitPayload(ctx)), maxPayloadDepth)
	h.Add(uint64(payload))
	return uint64(h) | 1
}

// maxPayloadDepth is how deep in a websocket's first message credentials are looked for.
// Clients put them into an object: {"headers": {"Authorization": "…"}}.
const maxPayloadDepth = 8

// addPayload adds the texts of a value, each with its place. That is a digest: were it a
// text, a long name would be copied for each member below it.
func addPayload(sum *digest.Running, at digest.Running, v any, depth int) {
	if depth == 0 {
		return
	}
	switch v := v.(type) {
	case string:
		at.Text(v)
		*sum += at // in any order
	case map[string]any:
		for name, member := range v {
			below := at
			below.Text(name)
			addPayload(sum, below, member, depth-1)
		}
	case []any:
		for i, element := range v {
			below := at
			below.Add(uint64(i))
			addPayload(sum, below, element, depth-1)
		}
	}
}

const (
	// watchedCallers is how many operations are watched, the last ones used.
	watchedCallers = 2000
	// closelyWatched is how many hits of an operation are looked at; of the later ones,
	// each lookedAtLater-th, and each comparedLater-th of all is computed and compared,
	// when its caller has other credentials.
	closelyWatched, lookedAtLater, comparedLater = 1000, 64, 1024
	// firstEntries is how many entries of an operation are compared once, for the first
	// caller with other credentials who hits them: callers may see the same posts but for
	// drafts. Of the later ones it is each laterEntries-th.
	firstEntries, laterEntries = 64, 16
	// maxDoubts is how often an operation is taken back when a difference turned out to
	// be a change.
	maxDoubts = 8
	// maxRefusals is how many callers may be refused what others got before that counts
	// as a difference.
	maxRefusals = 3
)

// A callerWatch compares what different callers get of one operation.
type callerWatch struct {
	hits atomic.Uint64
	// seen has a bit for each kind of credentials whose answer was compared.
	seen atomic.Uint64
	// entries counts the entries that a caller with other credentials has hit.
	entries atomic.Uint64
	// stopped is set while answers are neither served nor stored.
	stopped atomic.Bool

	mu struct {
		sync.Mutex
		doubt    *doubt // since when stopped; nil for ever
		doubts   int
		refusals int
	}
}

// A doubt is a difference that may still turn out to be a change of the data.
type doubt struct {
	key, body uint64 // of the entry that differed
	caller    uint64 // that it was computed for
	stamp     *clock.Stamp
	expires   time.Time
	said      bool
}

// watchCallers returns the watch of an operation, nil for one whose answers are under a
// predicate.
func (c *Cache) watchCallers(ctx context.Context, d *document) *callerWatch {
	if c.opts.Predicate != nil && !d.Operation.Policy.Public {
		return nil
	}
	name := string(d.Hash[:])
	w, ok := c.callers.Get(ctx, name)
	if !ok {
		w = &callerWatch{}
		c.callers.Add(ctx, name, w)
	}
	return w
}

// doubts says whether a hit is computed, to be compared with what is stored.
func (w *callerWatch) doubts(ctx context.Context, oc *graphql.OperationContext, s *stamp) bool {
	n := w.hits.Add(1)
	if !isLookedAt(n) {
		return false
	}
	caller := credentials(ctx, oc)
	if caller == s.caller {
		return false
	}
	bit := bitOf(caller)
	first := w.seen.Or(bit)&bit == 0
	if s.foreign.CompareAndSwap(false, true) {
		n := w.entries.Add(1)
		first = first || n <= firstEntries || n%laterEntries == 0
	}
	return first || n%comparedLater == 0
}

// isLookedAt says of an operation's n-th hit whether its caller is looked at.
func isLookedAt(n uint64) bool { return n <= closelyWatched || n%lookedAtLater == 0 }

// trusts says whether doubts would let a hit pass, and counts nothing.
func (w *callerWatch) trusts(ctx context.Context, oc *graphql.OperationContext, s *stamp) bool {
	if w.hits.Load() >= closelyWatched {
		return true
	}
	caller := credentials(ctx, oc)
	return caller == s.caller || s.foreign.Load() && w.seen.Load()&bitOf(caller) != 0
}

// mayDoubt says whether doubts has to decide on a hit. Otherwise it counts the hit.
func (w *callerWatch) mayDoubt(ctx context.Context, oc *graphql.OperationContext, s *stamp) bool {
	n := w.hits.Load() + 1
	if isLookedAt(n) && credentials(ctx, oc) != s.caller {
		return true
	}
	w.hits.Add(1)
	return false
}

// forget has a caller, and an entry, compared again.
func (w *callerWatch) forget(caller uint64, s *stamp) {
	w.seen.And(^bitOf(caller))
	if s != nil {
		s.foreign.Store(false)
	}
}

func bitOf(caller uint64) uint64 { return 1 << (caller >> 1 & 63) }

// compareCallers computes an answer that is stored, for a caller with other credentials,
// who gets what was computed.
func (c *Cache) compareCallers(ctx context.Context, r *request, oc *graphql.OperationContext, d *document, key []byte, e *store.Entry, s *stamp, next graphql.ResponseHandler) *graphql.Response {
	caller, writing := credentials(ctx, oc), c.writing.Load()
	resp := c.bypass(ctx, r, ReasonCallers, next)
	if c.weigh(ctx, r, d, key, &filled{body: e.Body, stamp: s, caller: s.caller}, s.Expires(), caller, writing, resp) {
		c.engine.Withdraw(ctx, key, e)
	}
	return resp
}

// compareJoined computes an answer that another request has just computed, for a caller
// with credentials that were not compared yet. It returns nil when the caller may have
// the other's answer. The client's own operation must be in place.
func (c *Cache) compareJoined(ctx context.Context, r *request, oc *graphql.OperationContext, d *document, key string, f *filled, next graphql.ResponseHandler) *graphql.Response {
	if d.callers == nil {
		return nil
	}
	caller := credentials(ctx, oc)
	if bit := bitOf(caller); caller == f.caller || d.callers.seen.Or(bit)&bit != 0 {
		return nil
	}
	writing := c.writing.Load()
	r.plainValues.Store(true)
	r.passed = true
	resp := next(ctx)
	r.out.fate, r.out.why, r.out.resp = inspector.Compared, ReasonCallers, resp
	c.weigh(ctx, r, d, []byte(key), f, c.opts.Now().Add(d.TTL), caller, writing, resp)
	return resp
}

// weigh compares what a caller got with what others would have got, and returns true when
// it ends the sharing. writing is how many mutations ran when the computation began.
func (c *Cache) weigh(ctx context.Context, r *request, d *document, key []byte, f *filled, expires time.Time, caller uint64, writing int64, resp *graphql.Response) bool {
	w := d.callers
	if resp == nil || ctx.Err() != nil || f.stamp == nil {
		w.forget(caller, f.stamp) // nothing was compared
		return false
	}
	refused := len(resp.Errors) > 0
	if !refused && bytes.Equal(resp.Data, f.body) {
		return false
	}
	// A change that has come in the meantime explains the difference, and has made the
	// entry invalid. One that is committed and not applied yet has not: so a first
	// difference is a doubt, from which the operation can recover.
	w.forget(caller, f.stamp)
	if !c.engine.Valid(&f.stamp.Stamp) || refused && !w.refuses() {
		return false
	}
	quiet := writing == 0 && c.writing.Load() == 0 && r.hold == nil && c.opts.Log == nil
	if w.stop(&doubt{key: digest.Of(key), body: digest.Of(f.body), caller: f.caller, stamp: f.stamp.Stamp.Stamp, expires: expires, said: quiet}) || quiet {
		c.sayCallersDiffer(d)
	}
	return true
}

// apart answers a query whose operation is stopped, and learns from the answer.
func (c *Cache) apart(ctx context.Context, r *request, oc *graphql.OperationContext, d *document, key []byte, next graphql.ResponseHandler) *graphql.Response {
	id := digest.Of(key) // key is scratch, and next may take long
	resp := c.bypass(ctx, r, ReasonCallers, next)
	if resp == nil || ctx.Err() != nil || len(resp.Errors) > 0 {
		return resp
	}
	if d.callers.judge(id, digest.Of(resp.Data), credentials(ctx, oc)) {
		c.sayCallersDiffer(d)
	}
	return resp
}

// isStopped says whether the operation's answers are neither served nor stored. A doubt
// ends when a change is known that explains it, and when the entry would have expired.
func (c *Cache) isStopped(w *callerWatch) bool {
	if !w.stopped.Load() {
		return false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if d := w.mu.doubt; d != nil && (!c.clock.Valid(d.stamp) || c.opts.Now().After(d.expires)) {
		w.resume()
	}
	return w.stopped.Load()
}

// refuses counts an answer with errors where another caller got one without. One may be
// an accident.
func (w *callerWatch) refuses() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.mu.refusals++
	return w.mu.refusals >= maxRefusals
}

// stop ends the sharing. It returns true when it is for ever and was not said before.
func (w *callerWatch) stop(d *doubt) (final bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.stopped.Load() {
		return false // somebody else was faster
	}
	w.mu.doubts++
	w.mu.doubt = d
	if w.mu.doubts > maxDoubts {
		w.mu.doubt = nil
	}
	w.stopped.Store(true)
	return w.mu.doubt == nil && !d.said
}

// judge learns what somebody got under a key. The bytes of the entry, once more after
// another caller got different ones: the difference is the caller's. Other bytes for the
// caller that the entry was made for: the data has changed. It returns true when the stop
// has become final and was not said before.
func (w *callerWatch) judge(key, body, caller uint64) (final bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	d := w.mu.doubt
	switch {
	case d == nil || d.key != key:
		return false
	case body == d.body:
		w.mu.doubt = nil
		return !d.said
	case caller == d.caller:
		w.resume()
	}
	return false
}

// resume takes a stop back. REQUIRES: w.mu is held.
func (w *callerWatch) resume() {
	w.mu.doubt = nil
	w.seen.Store(0)
	w.stopped.Store(false)
}

var errCallersDiffer = errors.New("set Options.Predicate to what the answers depend on; if the difference is none of the caller's, " +
	"such as the time of day, give the field maxAge: 0")

// maxDifferent is how many operations are named in the panel.
const maxDifferent = 5

// differing are operations whose answers differ by caller.
type differing struct {
	mu    sync.Mutex
	names []string
	n     int
}

// sayCallersDiffer says it once in the log, and of each operation in the panel.
func (c *Cache) sayCallersDiffer(d *document) {
	name := verify.Shorten(d.Definition.Name)
	if name == "" {
		name = d.ShortHash()
	}
	c.differing.mu.Lock()
	c.differing.n++
	if len(c.differing.names) < maxDifferent {
		c.differing.names = append(c.differing.names, name)
	}
	c.differing.mu.Unlock()
	c.once.Warn("callers", fmt.Sprintf("gqlcache: the operation %q gave callers with different credentials different answers, although Options.Callers, or scope: PUBLIC, "+
		"says that all see the same: such operations are not cached any more", name), errCallersDiffer)
}

// different says which operations differ, "" for none.
func (c *Cache) different() string {
	c.differing.mu.Lock()
	defer c.differing.mu.Unlock()
	names := strings.Join(c.differing.names, ", ")
	if more := c.differing.n - len(c.differing.names); more > 0 {
		return fmt.Sprintf("%s and %d more", names, more)
	}
	return names
}
