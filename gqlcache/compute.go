package gqlcache

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"time"
	"weak"

	"github.com/99designs/gqlgen/graphql"
	"github.com/cascadeql/cascadeql/cascade"
	"github.com/cascadeql/cascadeql/extractor"
	"github.com/cascadeql/cascadeql/gqlcache/internal/engine"
	"github.com/cascadeql/cascadeql/gqlcache/internal/flight"
	"github.com/cascadeql/cascadeql/gqlcache/internal/inspector"
	"github.com/cascadeql/cascadeql/gqlcache/internal/plans"
	"github.com/cascadeql/cascadeql/gqlcache/internal/probe"
	"github.com/cascadeql/cascadeql/gqlcache/internal/safe"
	"github.com/cascadeql/cascadeql/gqlcache/internal/values"
	"github.com/cascadeql/cascadeql/gqlcache/internal/watch"
	"github.com/cascadeql/cascadeql/gqlcache/internal/witness"
	"github.com/cascadeql/cascadeql/gqlcache/store"
)

// filled is what a computation gave.
type filled struct {
	resp  *graphql.Response // for the request that computed it
	body  []byte            // for those that joined it
	stamp *stamp            // nil when the answer was not stored
	why   Reason            // why it was not stored
	born  uint64            // the clock number it is based on
	began uint64            // which computation it is, see Cache.begun
	ttl   time.Duration     // of the stored entry
	took  time.Duration     // to compute it
	// caller is a digest of the credentials of the request that computed it, when all
	// share it; 0 when not known.
	caller uint64
	// only is that of those who may have it, 0 for all: see keycheck.go.
	only uint64
	// entry is what was stored for this answer now, tags what it depends on, in memory of
	// their own: for those who watch.
	entry *store.Entry
	tags  []cascade.Tag
	// fromShared says that another instance has computed it, found that it was in the
	// store after all.
	fromShared, found bool
	// left says that the request ended before its answer was computed.
	left bool
	// seen is what statements told of it.
	seen seen
	// maxAge is what resolvers said of the age, 0 for nothing, and reads what the answer
	// depends on by values that they have got.
	maxAge time.Duration
	reads  values.Sum
	// unsaid is a field that should have said what it reads, "" for none: see executions.
	unsaid string
}

// compute runs the operation on the request's own goroutine and context, or waits for a
// request that does.
func (c *Cache) compute(ctx context.Context, r *request, oc *graphql.OperationContext, d *document, who *caller, key string, next graphql.ResponseHandler) *graphql.Response {
	if !who.public && c.opts.Predicate != nil {
		who.partition = c.partition(ctx)
	}
	var f *filled
	fill := func(token uint64, own *flight.Flight[*filled]) flight.Outcome[*filled] {
		f = c.fill(ctx, r, oc, d, who, key, token, own, next)
		return c.shareable(r, f)
	}
	r.old.before(ctx)
	o := &r.out
	o.key = key
	ctx, o.span = c.span(ctx, SpanFill)
	out, role := c.share(ctx, r, d, key, fill)
	if role == flight.Joined && !r.mayJoin(out.Value) {
		// The next flight begins when this one has ended, so after the request has asked.
		if out, role = c.share(ctx, r, d, key, fill); role == flight.Joined && !r.mayJoin(out.Value) {
			role = flight.Alone
		}
	}
	if role == flight.Joined && !c.isFor(ctx, oc, out.Value.only) {
		role = flight.Alone
	}
	switch role {
	case flight.Joined:
		if resp := c.compareJoined(ctx, r, oc, d, key, out.Value, next); resp != nil {
			return resp
		}
		o.fate, o.f, o.resp = inspector.Joined, out.Value, respond(ctx, out.Value.body)
		return o.resp
	case flight.Ended:
		// The server answers as it does when a request has ended before its resolvers
		// ran.
		r.passed = true
		o.fate = inspector.Abandoned
		o.resp = next(ctx)
		return o.resp
	case flight.Busy:
		return c.answerOld(ctx, r)
	case flight.Alone:
		if fill(r.begin(), nil).End == flight.Shared {
			c.flights.Shareable(key)
		}
	}
	o.fate, o.why, o.f, o.resp = inspector.Computed, f.why, f, f.resp
	if f.fromShared || f.found {
		o.fate = inspector.Hit
	}
	if r.old != nil {
		c.fallBack(ctx, r, f)
	}
	return o.resp
}

// share has fill called at most once for all who ask for a key.
//
// An operation that a resolver runs inside of an operation that is computed does not wait
// for others: one of them may wait for it.
//
//	request 1 leads A                      request 2 leads B
//	its resolver asks B, and waits for 2
//	                                       its resolver asks A, and would wait for 1
func (c *Cache) share(ctx context.Context, r *request, d *document, key string, fill func(uint64, *flight.Flight[*filled]) flight.Outcome[*filled]) (flight.Outcome[*filled], flight.Role) {
	if r.enclosed || r.outer != nil && r.within((*request).isComputing) {
		return flight.Outcome[*filled]{}, flight.Alone
	}
	usual := d.usual.get()
	return c.flights.Do(ctx, flight.Call[*filled]{
		Key: r.anew + key, Arrived: r.since, Begin: r.begin, Compute: fill, Valid: c.usable,
		Bound: max(minBound, boundFactor*usual) + c.opts.FillLease, Usual: usual, NoWait: r.old.spares(c),
	})
}

// A computation counts as stuck when it takes longer than minBound, and boundFactor times
// as long as the operation's slowest ones.
const (
	minBound    = time.Second
	boundFactor = 4
)

// shareable says who else may have a computed answer.
func (c *Cache) shareable(r *request, f *filled) flight.Outcome[*filled] {
	out := flight.Outcome[*filled]{Value: f}
	switch {
	case f.left:
		out.End = flight.Left
	case f.body != nil && c.mayShare(f) && r.refusal() == "":
		out.End = flight.Shared
	default:
		out.Lasting = f.why != ReasonInvalidated
	}
	return out
}

// mayShare says whether those who have joined a flight may have its answer. The clock
// cannot tell a flight that began before they arrived from a younger one when nothing was
// published in between. In that time a mutation may have been committed that is not
// applied yet, and its change seen by another reader; with Options.Intent it is
// announced, so the answer could not be stored, and everybody computes alone.
func (c *Cache) mayShare(f *filled) bool { return !c.opts.Intent || f.why != ReasonInvalidated }

// usable says whether an answer computed by an older flight is still right.
func (c *Cache) usable(f *filled) bool {
	return f.stamp != nil && c.valid(f.stamp)
}

// fill computes an answer and stores it if nothing that it depends on changed since
// token.
func (c *Cache) fill(ctx context.Context, r *request, oc *graphql.OperationContext, d *document, who *caller, key string, token uint64, own *flight.Flight[*filled], next graphql.ResponseHandler) *filled {
	began := c.begun.Add(1)
	c.counts.inFlight.Add(1)
	defer c.counts.inFlight.Add(-1) // also when a resolver panics
	if f := c.again(ctx, r, oc, key); f != nil {
		return f
	}
	if f := c.fromShared(ctx, r, d, who.public, key); f != nil {
		c.remember(d, oc.Variables, key, f)
		f.resp = respond(ctx, f.body)
		return f
	}
	led, release := c.lead(ctx, r, d, who.public, key)
	defer r.holdLease(release)() // after the answer is stored
	if led != nil {
		c.remember(d, oc.Variables, key, led)
		led.resp = respond(ctx, led.body)
		return led
	}
	vars := plans.CopyVariables(oc.Variables)
	f, res := c.resolved(ctx, r, &asked{oc, d, who, key, vars}, own, next)
	token = f.seen.based(token)
	f.born, f.began = token, began
	if d.callers != nil {
		f.caller = credentials(ctx, oc)
	}
	if f.why != "" {
		return f
	}
	resp := f.resp
	if c.opts.OnlyHinted && !d.hinted && f.maxAge == 0 {
		f.why, f.body = ReasonNoAge, resp.Data // for those who wait for it
		return f
	}
	tags, ok := c.readsOf(r, d, who, vars, f, res)
	if !ok {
		f.why = ReasonReads
		return f
	}
	tags = f.addRead(tags)
	f.stamp, f.ttl = &stamp{caller: f.caller, only: f.only, began: began, unsaid: f.unsaid, bounded: f.maxAge > 0 || !f.reads.Until.IsZero()}, c.lifetime(d, f.maxAge)
	now := c.opts.Now()
	if until := f.reads.Until; !until.IsZero() {
		if f.ttl = min(f.ttl, until.Sub(now)); f.ttl <= 0 {
			f.stamp, f.ttl, f.why = nil, 0, ReasonPolicy
			return f
		}
	}
	f.stamp.ready, resp.Data = c.ready(resp.Data)
	f.body = resp.Data
	f.stamp.edge = c.edgeFields(d, who.public && f.only == 0, key, tags)
	tags = c.appendOwn(tags, d, who, token)
	named := tags
	if c.opts.Shared != nil || c.inspector.Listens() {
		named = slices.Clone(tags) // Keep keeps and reorders them
	}
	e, kept := c.engine.Keep(ctx, key, engine.Answer{
		Body: f.body, Meta: f.stamp, Beside: f.beside(), Took: f.took, Token: token, Tags: tags,
		Expires: now.Add(f.ttl), Beyond: d.beyond,
	})
	if f.why = notKept[kept]; e == nil {
		f.stamp, f.ttl = nil, 0
		return f
	}
	if !r.keep(key, e) {
		c.withdraw(key, e)
		f.why = r.refusal()
		return f
	}
	f.entry, f.tags = e, named
	c.remember(d, vars, key, f)
	if res != nil && (r.note != nil || c.inspector.Watching()) {
		c.inspector.Sample(key, weak.Make(f.stamp), func() ([]cascade.Row, int) { return d.Operation.Rows(res, inspector.MaxRows) })
	}
	c.fleet.Answered(r.anew, key, f.stamp.Stamp.Stamp)
	if f.only == 0 && c.opts.Shared != nil {
		// Which names another instance knew when a pattern came, nobody can tell.
		others := append(slices.Clip(f.seen.others(f.reads.Coarse, named)), cascade.OtherOperations)
		c.fleet.Share(ctx, key, whileFresh(e, f.stamp), r.at, cascade.Merge(others))
		if why := r.refusal(); why != "" { // said late, perhaps after what was said had removed it everywhere
			c.withdraw(key, e)
			f.why = why
		}
	}
	return f
}

// addRead adds what was read to the tags of an answer, beside what is declared.
func (f *filled) addRead(tags []cascade.Tag) []cascade.Tag {
	tags = f.seen.add(tags)
	if len(f.reads.Tags) == 0 {
		return tags
	}
	return cascade.Merge(append(tags, f.reads.Tags...))
}

// beside is what a stored answer takes beside its data.
func (f *filled) beside() int { return readySize(f.stamp.ready, f.body) + fieldsSize(f.stamp.edge) }

// notKept says why an answer is not in the store.
var notKept = [...]Reason{engine.Reached: ReasonInvalidated, engine.TooLarge: ReasonTooLarge, engine.Refused: ReasonStore}

// remember tells the watch of an entry that the store has taken. The tags are not kept.
func (c *Cache) remember(d *document, vars map[string]any, key string, f *filled) {
	if f.entry == nil || f.why != "" {
		return
	}
	c.inspector.Stored(key, d.Plan, vars, func() watch.Entry {
		e, s := f.entry, f.stamp
		return watch.Entry{
			Op: d.shown, Tags: f.tags, Born: e.Version, Size: e.Size, Expires: s.Expires(),
			Cost: s.Took(), Live: func() bool { return c.engine.Valid(&s.Stamp) },
		}
	})
}

// readsOf returns the tags of what an answer depends on. It returns false, and logs that
// once, when they are unknown.
func (c *Cache) readsOf(r *request, d *document, who *caller, vars map[string]any, f *filled, res *extractor.Result) ([]cascade.Tag, bool) {
	if f.unsaid != "" {
		c.warnOfUnsaid(f.unsaid)
	}
	tags, err := safe.Call(func() ([]cascade.Tag, error) {
		return d.Operation.ReadsOf([]cascade.Tag{d.Tag}, cascade.Answer{
			Vars: vars, Result: res, Part: who.partition, Predicate: who.predicate.Reads, Lasts: r.lastRows(),
			Anything: f.unsaid != "",
		})
	})
	if err != nil {
		c.once.Warn("reads", "gqlcache: what answers depend on cannot be told, as Predicate.Reads is wrong, say: they are not stored", err)
	}
	return tags, err == nil
}

// resolved runs the resolvers, and says why the answer must not be stored, whatever it
// depends on.
func (c *Cache) resolved(ctx context.Context, r *request, q *asked, own *flight.Flight[*filled], next graphql.ResponseHandler) (*filled, *extractor.Result) {
	oc, d, who, key := q.oc, q.d, q.who, q.key
	r.computing(own, !who.public && c.opts.Predicate != nil)
	defer r.computed() // also when an extension below panics
	f := &filled{why: ReasonErrors}
	w := &witness.Witness{}
	var rec *probe.Recorder
	before := besidesBefore(ctx)
	observed, statements := c.record(ctx, r, q)
	defer statements.stop() // also when an extension below panics
	w.Fields = statements.fields()
	f.resp, f.took, rec = c.execute(observed, r, oc, d, who, key, w, next)
	f.unsaid = r.executions.Load().unsaid()
	f.seen = statements.end(d, oc.Variables, f.unsaid)
	if f.seen.private {
		f.only = c.asker(ctx, oc)
	}
	if f.seen.convicted {
		c.dropOperation(ctx, d)
	}
	c.besidesAfter(ctx, r, before, f.resp)
	said := r.computed()
	f.maxAge, f.reads = said.maxAge, said.reads
	// Asked before the answer is looked at, and after all that runs for it has ended: a
	// resolver that took the end of its context for the end of its rows returned before.
	f.left = ctx.Err() != nil
	if f.reads.Only {
		f.only = c.asker(ctx, oc)
	}
	var res *extractor.Result
	if f.resp != nil && d.Walk && !f.left && len(f.resp.Errors) == 0 {
		var err error
		if res, err = rec.Read(ctx, d.Operation.Extract, f.resp); err != nil {
			f.why = ReasonUnreadable
			c.unreadable(err)
			return f, nil
		}
	}
	partial := w.Partial()
	if !f.left && !partial {
		d.usual.note(f.took)
	}
	switch {
	case f.left, partial:
		f.why = ReasonEnded
	case f.resp == nil:
		f.why = ReasonNoData
	case said.unstored != "":
		f.why = said.unstored
	case said.reads.Full:
		f.why = ReasonReads
	case f.seen.why != "":
		f.why = f.seen.why
	case w.Failed():
		f.why = ReasonErrors
	default:
		f.why = c.storable(f.resp, res)
	}
	return f, res
}

// execute runs the operation, and remembers what read needs.
func (c *Cache) execute(ctx context.Context, r *request, oc *graphql.OperationContext, d *document, who *caller, key string, w *witness.Witness, next graphql.ResponseHandler) (resp *graphql.Response, took time.Duration, rec *probe.Recorder) {
	hooked := c.met.hooksRoots(oc)
	c.watchInner(oc, r, d, who, key, w)
	r.watchExecutions(oc, d.Operation)
	w.Watch(oc)
	rec = c.prober.Record(oc, d.probe, hooked)
	defer rec.Stop() // also when an extension below panics
	r.passed = true
	resp, took = c.resolve(w.Context(ctx), d, next)
	return resp, took, rec
}

// resolve runs the resolvers of a query and counts how long they took, also when they
// panic.
func (c *Cache) resolve(ctx context.Context, d *document, next graphql.ResponseHandler) (resp *graphql.Response, took time.Duration) {
	start := time.Now()
	defer func() {
		took = time.Since(start)
		c.counts.fill.Observe(took)
		d.Counts.Fills.Add(1)
		d.Counts.FillTime.Add(int64(took))
	}()
	return next(ctx), 0
}

// again looks once more for an entry, if one may have come since the first look: a flight
// for the key ended between that look and the start of this one. It returns nil when
// there is nothing to serve.
func (c *Cache) again(ctx context.Context, r *request, oc *graphql.OperationContext, key string) *filled {
	if r.anew != "" || r.ended == c.flights.Ended() || !c.fresh() {
		return nil
	}
	e, s, _ := c.lookup(ctx, oc, []byte(key))
	if e == nil || r.old.is(s) || r.passesOver(c, s) {
		return nil
	}
	return &filled{
		resp: respond(ctx, e.Body), body: e.Body, stamp: s, entry: e, born: e.Version, began: s.began, found: true, caller: s.caller, only: s.only,
		ttl: s.Expires().Sub(c.opts.Now()),
	}
}

// unreadable deals with an answer that is no JSON which its operation could give: a
// scalar's marshaler has written something else. gqlgen's transports refuse to send what
// is no JSON at all.
func (c *Cache) unreadable(err error) {
	c.once.Warn("unreadable", "gqlcache: an answer could not be read: it is not stored, or drops more", err)
}

// storable says why an answer must not be kept, whatever it depends on.
func (c *Cache) storable(resp *graphql.Response, res *extractor.Result) Reason {
	switch {
	case len(resp.Errors) > 0:
		return ReasonErrors
	case len(resp.Data) == 0 || string(resp.Data) == "null":
		return ReasonNoData
	case resp.HasNext != nil || resp.Label != "" || len(resp.Path) > 0:
		return ReasonIncremental
	case c.opts.OneRowOnly && res.Rows > 1:
		return ReasonLists
	}
	return ""
}

// lifetime returns how long an answer may be kept. Resolvers may have said a maximal age,
// 0 is none.
func (c *Cache) lifetime(d *document, maxAge time.Duration) time.Duration {
	ttl := d.TTL
	if maxAge > 0 {
		ttl = min(ttl, maxAge)
	}
	if c.opts.Jitter > 0 {
		ttl -= time.Duration(rand.Float64() * c.opts.Jitter * float64(ttl))
	}
	return ttl
}

// usual is how long the slowest of an operation's recent computations took: a maximum
// that decays. The zero value knows of none. It is used concurrently; a note that is lost
// does no harm.
type usual struct {
	nanoseconds atomic.Int64
}

// usualDecay is how many shorter computations let the maximum fall to some third of what
// it was.
const usualDecay = 128

func (u *usual) get() time.Duration { return time.Duration(u.nanoseconds.Load()) }

func (u *usual) note(took time.Duration) {
	old := u.nanoseconds.Load()
	if n := int64(took); n >= old {
		u.nanoseconds.Store(n)
	} else {
		u.nanoseconds.Store(old - (old-n)/usualDecay)
	}
}

// computing notes that the request's answer is being computed, which happens once. What
// was said before, by an extension that comes before the cache, is said of this answer:
// it was told so without an error.
func (r *request) computing(f *flight.Flight[*filled], predicate bool) {
	r.mu.Lock()
	r.mu.computing, r.mu.computed, r.mu.flight, r.mu.predicate = true, false, f, predicate
	refused := r.mu.unstored != ""
	r.mu.Unlock()
	if refused {
		f.Unshare()
	}
}

// said is what was said of a computation.
type said struct {
	unstored Reason
	maxAge   time.Duration // 0 when nothing was said
	reads    values.Sum
}

// computed ends what may be said of the answer in time.
//
//	computation                          goroutine of a resolver
//	computed: nothing was said
//	                                     DoNotStore: computed already: nothing is stored yet
//	the entry is put, keep notes it: remove it, since something was said
func (r *request) computed() said {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.mu.computed {
		for a := r.arrival; a != nil; a = a.around {
			a.values.addTo(&r.mu.reads)
		}
	}
	r.mu.computing, r.mu.computed, r.mu.flight = false, true, nil
	return said{r.mu.unstored, r.mu.maxAge, r.mu.reads}
}

// keep notes the entry that was made of the answer. It returns false when it must be
// removed.
func (r *request) keep(key string, e *store.Entry) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.mu.key, r.mu.entry = key, e
	return r.mu.unstored == ""
}

// holdLease notes how the lease to compute the answer for all instances is given up: see
// the function.
func (r *request) holdLease(release func()) func() {
	return holdLease(&r.mu, &r.mu.lease, &r.mu.unstored, release)
}
