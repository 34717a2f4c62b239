package gqlcache

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/cascadeql/cascadeql/cascade"
	"github.com/cascadeql/cascadeql/gqlcache/footprint"
	"github.com/cascadeql/cascadeql/gqlcache/inspect"
	"github.com/cascadeql/cascadeql/gqlcache/internal/engine"
	"github.com/cascadeql/cascadeql/gqlcache/internal/flight"
	"github.com/cascadeql/cascadeql/gqlcache/internal/safe"
	"github.com/cascadeql/cascadeql/gqlcache/internal/values"
	"github.com/cascadeql/cascadeql/gqlcache/internal/watch"
	"github.com/cascadeql/cascadeql/gqlcache/store"
)

// computedValues is what the cache keeps for Compute. The zero value is ready to use.
type computedValues struct {
	flights flight.Group[*valueResult]
	names   values.Names
}

// A valueStamp is the cache's part of the entry of a value. It is not changed.
type valueStamp struct {
	engine.Stamp
	// value points to the value, nil for one that is encoded. plain says that a copy of it
	// shares nothing that could be changed.
	value any
	plain bool
	typ   reflect.Type
	// absent says that there is no value: see ErrAbsent.
	absent bool
	// failed is an error that is kept in place of a value, under a key of its own: see
	// ErrorAge. beyond says that the store holds the value when it has expired.
	failed error
	beyond bool
	// sum is what those depend on who have the value in theirs.
	sum     values.Sum
	figures *values.Figures
	// began says which computation it was, 0 for a value that was put.
	began uint64
	// only is a digest of the credentials that the value is for, 0 for all: see
	// computedcheck.go.
	only uint64
}

// A valueFunc is the function of a call of Compute, and its value. Nothing of it may be
// kept: then it need not be in the heap, nor what the program's function refers to.
type valueFunc struct {
	// run calls the function. It keeps the value in the caller's variable.
	run func(context.Context) error
	// box returns a pointer to a copy of the value.
	box func() any
}

// A valueResult is what a computation gave.
type valueResult struct {
	// own says that the value is in the caller's variable.
	own bool
	// For others: see valueStamp.
	value any
	body  []byte
	plain bool
	typ   reflect.Type
	// instead is what others get in place of the value, nil where there is one.
	instead error
	stamp   *valueStamp // nil when nothing was kept
	sum     values.Sum
	until   time.Time
	// why says why the value was not kept; left that its context had ended, and shared
	// that others may have it.
	why          Reason
	left, shared bool
	// looked says that the function has read something, as far as anybody has said.
	looked bool
	// failed is the function's error, where that may be kept; stale says that the query's
	// old value is to be used.
	failed error
	stale  bool
	// began says which computation it is, see Cache.begun.
	began uint64
	// found says that it was kept after all, and whose what a part of it is one caller's
	// by.
	found bool
	whose whose
	only  uint64 // see valueStamp
}

// findValue looks a value up. It returns nil when there is none.
func (c *Cache) findValue(ctx context.Context, q *valueQuery) (s *valueStamp, body []byte) {
	e, _ := c.engine.Lookup(ctx, q.key)
	if e == nil {
		return nil, nil
	}
	s, ok := e.Meta.(*valueStamp)
	if !ok || !q.isFor(ctx, s.only) {
		return nil, nil
	}
	if s.hasExpired(c.opts.Now) {
		if q.set.beyond() > 0 && q.wants.policy != Refresh {
			q.old, q.oldBody = s, e.Body
		}
		return nil, nil
	}
	return s, e.Body
}

// hit counts a value that was found, and hands on what it depends on.
func (q *valueQuery) hit(ctx context.Context, s *valueStamp) {
	s.figures.Hits.Add(1)
	q.depend(ctx, &s.sum, s.Expires())
	if q.c.opts.Inspector.Allow != nil {
		q.c.inspector.ValueServed(q.key, q.name)
	}
}

// declared returns the tags of what a call declares, and says what is wrong with it.
func (q *valueQuery) declared() ([]cascade.Tag, error) {
	if q.set.readsOf != nil && !q.all {
		return nil, fmt.Errorf("%w: of %s: ReadsOf is for ComputeAll; use Reads", ErrKey, q.name)
	}
	return q.c.tagsRead(nil, q.set.reads, q.part(), q.tenanted)
}

// newComputation makes the computation of a call.
func (q *valueQuery) newComputation(ctx context.Context, token uint64, own *flight.Flight[*valueResult]) *computation {
	x := &computation{
		Context: ctx, c: q.c, outer: q.computation, within: q.request, token: token, at: q.at, shapes: q.shapes,
		forAll: q.set.forAll, tenanted: q.tenanted, predicated: q.predicated, personal: q.whose&personal != 0, part: q.part(),
	}
	x.mu.flight = own
	return x
}

// bypass returns the context for a function whose value is neither looked up nor kept. end
// hands on what it depends on.
func (q *valueQuery) bypass(ctx context.Context) (x *computation, end func(), err error) {
	q.figures().Bypass(string(q.why))
	tags, err := q.declared()
	if err != nil {
		return nil, nil, err
	}
	if !q.set.declared {
		tags = q.c.appendAnything(tags)
	}
	around := q.enclosing
	c := q.c
	by := q.mayBe() // it was not asked whose it is
	q.at = q.place()
	x = q.newComputation(orBackground(ctx), q.begin(), nil)
	return x, func() {
		said := x.close()
		said.sum.Add(&values.Sum{Tags: tags})
		around.dependOn(c, &said.sum, said.sum.Until, by|said.whose)
	}, nil
}

// mayBe says whose a value may be by what the call says.
func (q *valueQuery) mayBe() (by whose) {
	if q.c.opts.Predicate != nil && !q.set.forAll || q.tenanted && !q.set.anyTenant {
		by |= personal
	}
	if (q.c.opts.Vary != nil || len(q.c.schema.Load().headers) > 0) && !q.set.forAll {
		by |= varied
	}
	return by
}

// computeValue has a value computed, by the caller or by another one. With an error there
// is no value.
func (c *Cache) computeValue(ctx context.Context, q *valueQuery, f *valueFunc) (*valueResult, error) {
	ctx = orBackground(ctx)
	if fault := q.set.typeFault(q.typ); fault != "" {
		return nil, codecFault(q.typ, fault)
	}
	tags, err := q.declared()
	if err != nil {
		return nil, err
	}
	key := string(q.key)
	var led *valueResult
	fill := func(token uint64, own *flight.Flight[*valueResult]) flight.Outcome[*valueResult] {
		c.counts.inFlight.Add(1)
		defer c.counts.inFlight.Add(-1) // also when the function panics
		led = c.fillValue(ctx, q, f, &valueFill{key: key, tags: tags, token: token, ended: q.ended, own: own})
		return led.outcome()
	}
	usual := q.figures().Usual()
	q.at = q.place() // before any number that the value may be based on
	if res := c.keptFailure(ctx, q); res != nil {
		return res, nil
	}
	call := flight.Call[*valueResult]{
		Key: key, Arrived: q.since, Begin: q.begin, Compute: fill, Valid: c.usableValue,
		Bound: max(minBound, boundFactor*usual) + c.opts.FillLease, Usual: usual,
	}
	q.boundWait(&call)
	out, role := c.values.flights.Do(ctx, call)
	if role == flight.Busy && q.old != nil {
		if q.serves(q.patientFor()) {
			return &valueResult{stale: true}, nil
		}
		if q.boundWait(&call); !call.NoWait { // a change has reached it meanwhile
			out, role = c.values.flights.Do(ctx, call)
		}
	}
	if role == flight.Joined && !q.mayJoin(out.Value) { // see Cache.compute
		if out, role = c.values.flights.Do(ctx, call); role == flight.Joined && !q.mayJoin(out.Value) {
			role = flight.Alone
		}
	}
	if role == flight.Joined && (out.Value.isForeign(q) || !q.isFor(ctx, out.Value.only)) {
		role = flight.Alone
	}
	switch role {
	case flight.Ended:
		q.figures().Abandoned.Add(1)
		return nil, ctx.Err()
	case flight.Joined:
		q.figures().Joined.Add(1)
		q.depend(ctx, &out.Value.sum, out.Value.until)
		return out.Value, nil
	case flight.Alone, flight.Busy:
		if fill(q.begin(), nil).End == flight.Shared {
			c.values.flights.Shareable(key)
		}
	}
	if led.found {
		q.hit(ctx, led.stamp)
		return led, nil
	}
	q.figures().Misses.Add(1)
	c.inspector.ValueMissed(q.name)
	if led.why != "" {
		q.figures().Refuse(string(led.why))
	}
	return led, nil
}

// outcome says who else may have a result.
func (res *valueResult) outcome() flight.Outcome[*valueResult] {
	out := flight.Outcome[*valueResult]{Value: res}
	switch {
	case res.left:
		out.End = flight.Left
	case res.shared:
		out.End = flight.Shared
		// The leader's value is in its own variable, not in that of who joins.
		others := *res
		others.own = false
		out.Value = &others
	default:
		out.Lasting = res.why != ReasonInvalidated
	}
	return out
}

// usableValue says whether a value computed by an older flight is still true.
func (c *Cache) usableValue(res *valueResult) bool {
	return res.stamp != nil && c.fresh() && c.engine.Valid(&res.stamp.Stamp)
}

// A valueFill is one run of a function.
type valueFill struct {
	key   string
	tags  []cascade.Tag // declared
	token uint64
	ended uint64 // flights, before the first look-up
	own   *flight.Flight[*valueResult]
	batch bool     // of ComputeAll: each key has its tags beside
	all   []string // the keys of a batch
}

// keys returns the keys whose values the function computes.
func (f *valueFill) keys() []string {
	if f.batch {
		return f.all
	}
	return []string{f.key}
}

// fillValue runs a function, and keeps its value if nothing that it depends on has changed
// since its token.
func (c *Cache) fillValue(ctx context.Context, q *valueQuery, f *valueFunc, fill *valueFill) *valueResult {
	began := c.begun.Add(1)
	if res := c.againValue(ctx, q, f, fill); res != nil {
		return res
	}
	if res := c.sharedValue(ctx, q, fill.key); res != nil {
		return res
	}
	led, release := c.leadValue(ctx, q, fill.key)
	if led != nil {
		return led
	}
	x := q.newComputation(ctx, fill.token, fill.own)
	defer x.holdLease(release)() // after the value is kept
	around, done := q.enclosing, false
	defer func() {
		if !done { // the function has panicked, or ended its goroutine
			x.close()
			around.refuse(ReasonErrors)
		}
	}()
	res := &valueResult{own: true, typ: q.typ, began: began}
	token, took := c.runValue(ctx, x, q, f, fill, res)
	done = true
	around.dependOn(c, &res.sum, res.until, q.whose|res.whose)
	if res.why != "" {
		c.keepFailure(ctx, q, fill.key, x, res, token, took)
		return res
	}
	if res.instead == nil {
		if err := packValue(res, &q.set, f.box()); err != nil {
			c.warnOfCodec(res.typ, err)
			res.why = ReasonCodec
			return res
		}
	}
	res.shared = true
	c.keepValue(ctx, q, fill.key, x, res, token, took)
	return res
}

// warnOfCodec says once that values of a type are not what they were once they are encoded
// and decoded.
func (c *Cache) warnOfCodec(typ reflect.Type, err error) {
	c.once.Warn("codec "+typ.String(), "gqlcache: a value of "+typ.String()+" is not kept", err)
}

// againValue looks once more for a value, if one may have come since the first look: see
// Cache.again.
func (c *Cache) againValue(ctx context.Context, q *valueQuery, f *valueFunc, fill *valueFill) *valueResult {
	if fill.ended == c.values.flights.Ended() || !c.fresh() {
		return nil
	}
	e, _ := c.engine.Lookup(ctx, []byte(fill.key))
	if e == nil {
		return nil
	}
	s, ok := e.Meta.(*valueStamp)
	if !ok || s.hasExpired(c.opts.Now) || s.typ != q.typ || q.passesOver(s) || s.value != nil && !s.plain && !q.set.immutable || !q.isFor(ctx, s.only) {
		return nil
	}
	return &valueResult{
		value: s.value, body: e.Body, plain: s.plain, typ: s.typ, instead: s.instead(), stamp: s, sum: s.sum, until: s.Expires(), began: s.began, found: true, shared: true, only: s.only,
	}
}

// runValue runs the function. It sets what the value depends on, whatever becomes of it,
// and why it must not be kept. It returns the number that the value is based on.
func (c *Cache) runValue(ctx context.Context, x *computation, q *valueQuery, f *valueFunc, fill *valueFill, res *valueResult) (token uint64, took time.Duration) {
	token = fill.token
	var rec *footprint.Recording
	run := context.Context(x)
	// Where statements alone say what the value depends on, they also say it of what the
	// function has from outside of it: of the parent object of a resolver, say.
	fromAround := c.opts.Observe.Everything && !q.set.declared
	if c.observing != nil {
		run, rec = footprint.Begin(run, footprint.Start{
			Since: q.shapes, Number: token, Sink: c.observing, Coarse: c.opts.Shared != nil, Around: fromAround,
			Part: true, Check: c.checkOf(ctx, q, fill.keys()...),
		}, c.opts.Observe.Handles...)
		rec.Late = func() { x.refuseToStore(ReasonUnexplained) }
		defer rec.End() // also when the function panics; the second time it does nothing
	}
	failures := failuresIn(ctx)
	start := time.Now()
	err := f.run(run) //nolint:contextcheck // it is made of the caller's own context
	took = time.Since(start)
	if err == nil {
		q.figures().Filled(took)
	}
	absent := isAbsence(err)
	if absent {
		q.figures().Filled(took)
		res.instead = ErrAbsent
	}
	var fp footprint.Footprint
	observed := rec != nil && !c.opts.Observe.ReportOnly
	if rec != nil {
		fp = rec.End()
	}
	// Asked before the value is looked at, and after the function has returned: it may
	// have taken the end of its context for the end of its rows.
	res.left = ctx.Err() != nil
	said := x.close()
	res.sum, res.whose = said.sum, said.whose
	res.sum.Add(&values.Sum{Tags: fill.tags})
	// Values that it has got say nothing of what else it has read.
	known := q.set.declared || said.read
	res.looked = len(fill.tags) > 0 || said.read || said.got
	if observed {
		token = min(token, fp.Number)
		res.sum.Add(&values.Sum{Tags: fp.Tags, Coarse: fp.Coarse})
		known = known || c.opts.Observe.Everything && (fp.Statements > 0 || said.got)
		res.looked = res.looked || fp.Statements > 0
	}
	if fromAround {
		q.addAround(&res.sum)
	}
	forNobody := observed && q.judge(ctx, res, &fp.Verdict)
	var anything values.Sum
	if !known || observed && fp.Unknown != "" {
		anything.Tags = c.appendAnything(nil)
		anything.Coarse = anything.Tags
	}
	q.ofName(&anything, token)
	if !fill.batch {
		stored, replaced := cascade.ValueTags([]byte(fill.key))
		anything.Tags = append(anything.Tags, stored, replaced)
	}
	anything.Tags = append(anything.Tags, q.tenants...)
	consulted, consultable := c.consulted(q)
	anything.Tags = append(anything.Tags, consulted...)
	res.sum.Add(&anything)
	res.sum.Merge()
	age := q.set.ttl
	if age == 0 {
		age = c.opts.TTL
	}
	if said.maxAge > 0 {
		age = min(age, said.maxAge)
	}
	if c.opts.Jitter > 0 {
		age -= time.Duration(rand.Float64() * c.opts.Jitter * float64(age))
	}
	now := c.opts.Now()
	res.until = now.Add(age)
	if until := res.sum.Until; !until.IsZero() && until.Before(res.until) {
		res.until = until
	}
	switch {
	case res.left:
		res.why = ReasonEnded
	case err != nil && !absent, failuresIn(ctx) > failures:
		res.why = ReasonErrors
	case absent && !res.looked && !fill.batch: // nothing says which change will end it
		res.why = ReasonErrors
	case said.unstored != "":
		res.why = said.unstored
	case forNobody:
		res.why = ReasonKey
	case observed && fp.Uncommitted != "":
		res.why = ReasonUncommitted
	case observed && fp.Volatile != "" && !q.set.declared && q.set.ttl == 0:
		res.why = ReasonVolatile
	case res.sum.Full, !consultable:
		res.why = ReasonReads
	case !res.until.After(now):
		res.why = ReasonPolicy
	case c.opts.OnlyHinted && q.set.ttl == 0 && said.maxAge == 0:
		res.why = ReasonNoAge
	}
	if err != nil && !absent && said.unstored == "" && fp.Uncommitted == "" && !res.sum.Full && consultable {
		res.failed = err
	}
	return token, took
}

// addAround adds what the computations and operations around a call depend on by the values
// that they have got.
func (e *enclosing) addAround(s *values.Sum) {
	for x := e.computation; x != nil; x = x.outer {
		x.mu.Lock()
		s.Add(&x.mu.sum)
		x.mu.Unlock()
	}
	for r := e.request; r != nil; r = r.outer {
		r.mu.Lock()
		s.Add(&r.mu.reads)
		r.mu.Unlock()
	}
}

// knowTenants finds the tags by which changes of all that a tenant has reach a value: of the
// tenant of its key, and of that of its caller. It returns false, and says so in the log, when
// the call runs in Options.Partition, which tells the latter.
//
// It is called before anybody waits for the value. Options.Partition may get the value itself:
//
//	resolver                              its call of Options.Partition, on one goroutine
//	leads the value's flight
//	asks whose tenant the caller is
//	                                      asks for the value, and would wait for the flight
func (q *valueQuery) knowTenants(ctx context.Context) bool {
	if t, ok := q.part().Tag(); ok && q.tenanted {
		q.tenants = append(q.tenants, t)
	}
	if q.predicate.Text == "" || q.c.opts.Partition == nil {
		return true
	}
	asking, ok := q.asking(ctx, askingPartition)
	if !ok {
		return false
	}
	if t, ok := q.c.partition(asking).Tag(); ok {
		q.tenants = append(q.tenants, t)
	}
	return true
}

// consulted returns the tags of what the caller's predicate depends on.
func (c *Cache) consulted(q *valueQuery) (tags []cascade.Tag, ok bool) {
	for _, name := range q.predicate.Reads {
		if tags, ok = c.schema.Load().Plan.ReadConsulted(tags, name, q.part()); !ok {
			c.once.Warn("reads", "gqlcache: what values depend on cannot be told, as Predicate.Reads is wrong: they are not kept", errors.New(name+" is neither a view nor a column"))
			return nil, false
		}
	}
	return tags, true
}

// failuresIn counts the errors that resolvers have added to the operation's answer by
// themselves: a value that is found adds none.
func failuresIn(ctx context.Context) int {
	if !graphql.HasOperationContext(ctx) {
		return 0
	}
	n, _ := safe.Call(func() (int, error) { return len(graphql.GetErrors(ctx)), nil }) // there may be no response yet
	return n
}

// typeFault says why values of a type cannot be kept with these settings, whatever they
// are.
func (s *computeSettings) typeFault(typ reflect.Type) string {
	if s.immutable || s.codec != nil || values.Plain(typ) {
		return ""
	}
	return values.JSONFault(typ)
}

// packValue makes of a value what is kept of it, and given to others. boxed points to the
// value. The error wraps ErrCodec. Which values cannot be kept is a matter of the data: so
// it is none of whoever asks for the value.
func packValue(res *valueResult, set *computeSettings, boxed any) error {
	if res.plain = values.Plain(res.typ); res.plain || set.immutable {
		res.value = boxed
		return nil
	}
	return encodeValue(res, set, boxed)
}

// encodeValue makes the bytes of a value, if they come back as the value.
func encodeValue(res *valueResult, set *computeSettings, boxed any) error {
	back := reflect.New(res.typ)
	body, err := safe.Call(func() ([]byte, error) {
		body, err := set.by().Marshal(reflect.ValueOf(boxed).Elem().Interface())
		if err != nil {
			return nil, err
		}
		return body, set.by().Unmarshal(body, back.Interface())
	})
	if err == nil && !values.Same(boxed, back.Interface()) {
		err = errChanged
	}
	if err != nil {
		return codecFault(res.typ, err.Error())
	}
	res.body = body
	return nil
}

var errChanged = errors.New("what was decoded is not what was encoded")

// keepValue stores a result. Where it is not stored, others may have it all the same.
func (c *Cache) keepValue(ctx context.Context, q *valueQuery, key string, x *computation, res *valueResult, token uint64, took time.Duration) {
	e, s, why := c.storeValue(ctx, q, key, res, token, took, nil)
	if res.why = why; why != "" {
		// See Cache.mayShare. What was said too late is not in the sum.
		res.shared = (!c.opts.Intent || why != ReasonInvalidated) && x.refusal() == ""
		return
	}
	if !x.keep(key, e) {
		c.withdrawValue(key, e)
		res.why, res.shared = x.refusal(), false
		return
	}
	res.stamp = s
	c.shareValue(ctx, q, key, res, x.at)
	if x.refusal() != "" { // said late, perhaps after what was said had removed it everywhere
		c.withdrawValue(key, e)
	}
}

// storeValue stores a value that has been packed. The entry does not subscribe to a tag of
// its sum, but, if there is one.
func (c *Cache) storeValue(ctx context.Context, q *valueQuery, key string, res *valueResult, token uint64, took time.Duration, but *cascade.Tag) (*store.Entry, *valueStamp, Reason) {
	beside := 0
	if res.value != nil {
		beside = values.SizeOf(res.value)
	}
	if beside > c.opts.MaxEntryBytes {
		return nil, nil, ReasonTooLarge
	}
	s := &valueStamp{
		value: res.value, plain: res.plain, typ: res.typ, absent: res.instead != nil, beyond: q.set.beyond() > 0,
		sum: res.sum.Clone(), figures: q.figures(), began: res.began, only: res.only,
	}
	tags := make([]cascade.Tag, 0, len(s.sum.Tags))
	for _, t := range s.sum.Tags {
		if but == nil || t.Hash != but.Hash {
			tags = append(tags, t)
		}
	}
	e, kept := c.engine.Keep(ctx, key, engine.Answer{
		Body: res.body, Meta: s, Beside: beside + s.sum.Size(), Took: took, Token: token, Tags: tags, Expires: res.until, Beyond: q.set.beyond(),
	})
	if kept != engine.Stored {
		return nil, nil, notKept[kept]
	}
	c.inspector.ValueStored(key, q.name, func() watch.Entry {
		return watch.Entry{
			Tags: tags, Born: e.Version, Size: e.Size, Expires: res.until, Cost: s.Took(),
			Live: func() bool { return c.engine.Valid(&s.Stamp) },
		}
	})
	return e, s, ""
}

// putValue keeps a value that the program has computed, in place of any other one.
//
// Every entry of the key subscribes to the tag that a Put publishes, in all instances, and a
// computation that runs meanwhile has a token of before. Its own entry is stored before that
// publication, or who looks in between would have made something of its absence for good,
// and without the tag. Once it is published the entry gets the tag, with the number of then:
//
//	Put                                      reader                     Put in another instance
//	the entry, without the tag
//	                                         has the new value
//	publishes n: all others are dead
//	the entry, with the tag, based on n
//	                                                                    publishes: it is dead
//
// See putNumber for the number n.
func (c *Cache) putValue(ctx context.Context, q *valueQuery, f *valueFunc, token Token) error {
	ctx = orBackground(ctx)
	if token.cache != c {
		return errNoToken
	}
	if fault := q.set.typeFault(q.typ); fault != "" {
		return codecFault(q.typ, fault)
	}
	tags, err := q.declared()
	if err != nil {
		return err
	}
	if err := q.mayWrite(); err != nil {
		return err
	}
	res := &valueResult{typ: q.typ}
	if err := packValue(res, &q.set, f.box()); err != nil {
		q.figures().Refuse(string(ReasonCodec))
		return err
	}
	if !q.set.declared {
		tags = c.appendAnything(tags)
	}
	stored, replaced := cascade.ValueTags(q.key)
	drop := change{by: inspect.Cause{Kind: causeManual, Name: "Put " + q.name}, operations: []cascade.Tag{stored, replaced}}
	consulted, ok := c.consulted(q)
	switch {
	case q.why != "":
		return c.publish(ctx, drop).Err
	case !ok:
		q.figures().Refuse(string(ReasonReads))
		return c.publish(ctx, drop).Err
	case c.opts.OnlyHinted && q.set.ttl == 0:
		q.figures().Refuse(string(ReasonNoAge))
		return c.publish(ctx, drop).Err
	case !q.knowTenants(ctx):
		q.figures().Refuse(string(ReasonPredicate))
		return c.publish(ctx, drop).Err
	}
	key := string(q.key)
	res.sum.Add(&values.Sum{Tags: append(append(append(tags, consulted...), q.tenants...), stored, replaced)})
	q.ofName(&res.sum, token.number)
	res.sum.Merge()
	age := q.set.ttl
	if age == 0 {
		age = c.opts.TTL
	}
	res.until = c.opts.Now().Add(age)
	if e, _ := c.engine.Lookup(ctx, q.key); e != nil && e.Version > token.number {
		c.engine.Remove(ctx, q.key, e) // the store would keep it
	}
	e, s, why := c.storeValue(ctx, q, key, res, token.number, engine.UnknownCost, &replaced)
	if why != "" {
		q.figures().Refuse(string(why))
		if why == ReasonInvalidated {
			return ErrOutdated
		}
		return c.publish(ctx, drop).Err
	}
	drop.operations = drop.operations[1:]
	p := c.publish(ctx, drop)
	// The number before Valid: a change that is applied after it meets what is kept.
	number, alone := c.putNumber(&p, replaced)
	if alone && c.engine.Valid(&s.Stamp) { // nothing else has changed since the token
		if _, _, why = c.storeValue(ctx, q, key, res, number, engine.UnknownCost, nil); why == "" {
			if p.Shared {
				// All records up to its own are applied here, and were looked at just now.
				c.shareValue(ctx, q, key, res, p.Receipt.Position())
			}
			return p.Err
		}
	}
	c.engine.Withdraw(ctx, q.key, e) // it does not hear of who replaces it
	return p.Err
}

// putNumber returns the number that a value is based on from the publication of its Put on.
// false: another Put or Delete of the key may have been published since. Without a log the
// publication has the number. With one it was applied in the order of the log, and those
// behind it may have been applied before the wait for other instances was over:
//
//	Put of a here              Put of b in another instance
//	publishes record 5
//	                           publishes record 6
//	record 6 is applied here
//	the number of now          the number of record 6
//	keeps a, based on that     keeps b
//
// Nothing would end a any more. So it is based on the number of now only where no record
// behind its own names the key.
func (c *Cache) putNumber(p *published, replaced cascade.Tag) (number uint64, alone bool) {
	switch {
	case !p.Shared:
		return p.Number, true
	case p.Err != nil: // it is in no order yet
		return 0, false
	}
	return c.fleet.Unchanged(p.Receipt.Position(), []cascade.Tag{replaced})
}

// mayWrite says whether a program may put and remove values. An error says that it may
// not.
func (q *valueQuery) mayWrite() error {
	if q.why == "" {
		return nil
	}
	q.figures().Bypass(string(q.why))
	switch q.why {
	case ReasonMutating:
		return ErrWriting
	case ReasonClosed:
		return ErrClosed
	}
	return nil
}

// deleteValue removes a value. It publishes the change before it removes the entry, so that
// a computation which is running cannot bring it back.
func (c *Cache) deleteValue(ctx context.Context, q *valueQuery) (existed bool, err error) {
	ctx = orBackground(ctx)
	if err := q.mayWrite(); err != nil {
		return false, err
	}
	e, _ := c.engine.Lookup(ctx, q.key)
	if e == nil {
		elsewhere, absent := c.existsElsewhere(ctx, *q)
		existed = elsewhere != nil && !absent
	} else {
		existed = !isAbsent(e) && !c.isExpired(e)
	}
	stored, replaced := cascade.ValueTags(q.key)
	p := c.publish(ctx, change{
		by: inspect.Cause{Kind: causeManual, Name: "Delete " + q.name}, operations: []cascade.Tag{stored, replaced},
	})
	if e != nil {
		c.engine.Remove(ctx, q.key, e)
	}
	c.fleet.Withdraw(ctx, values.SharedKey(string(q.key)))
	return existed, p.Err
}
