package gqlcache

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/cascadeql/cascadeql/cascade"
	"github.com/cascadeql/cascadeql/gqlcache/internal/fleet"
	"github.com/cascadeql/cascadeql/gqlcache/internal/flight"
	"github.com/cascadeql/cascadeql/gqlcache/internal/values"
	"github.com/cascadeql/cascadeql/gqlcache/store"
)

// A valueBatch computes the missing values of a call of ComputeAll.
//
// Invariants:
//
//  1. Who waits for a flight leads none: package flight has the interleaving.
//  2. Each value depends on all that was collected while the function ran, and on its own
//     key; what is around the call depends on all of it.
//  3. An id that was left out is absent only if the function has returned without an error
//     on a context that had not ended, and has looked at something.
type valueBatch struct {
	c *Cache
	q *valueQuery
	v batchValues
	// like is the key of the first id, ended the number of flights before the first look-up.
	like  []byte
	ended uint64
	tags  []cascade.Tag // of Reads
	parts []batchPart
	known map[string]struct{} // the keys of parts
	// convicted says that the keys do not explain the function's statements.
	convicted, asked bool
	waits            time.Time // when it began to wait for others, as Within counts it
}

// batchValues are the values of a batch. Those that are missing go by their numbers.
type batchValues interface {
	// run calls the function, and keeps what it returns.
	run(ctx context.Context, which []int) error
	// box returns a pointer to a copy of what the function has returned, nil for what it
	// has left out.
	box(n int) any
	// take takes a value that another call has computed.
	take(q *valueQuery, n int, res *valueResult) (usable bool, err error)
}

// A batchPart is a value that is missing.
type batchPart struct {
	key   string
	tags  []cascade.Tag // of the key
	reads []cascade.Tag // of ReadsOf
	old   *valueStamp   // see valueQuery.old
	body  []byte
	lead  *flight.Lead[*valueResult]
	other *flight.Flight[*valueResult] // of another caller
	alone bool                         // nobody is waited for any more
}

func newBatch(q *valueQuery, v batchValues) *valueBatch {
	return &valueBatch{c: q.c, q: q, v: v, like: slices.Clone(q.key), ended: q.c.values.flights.Ended()}
}

// next makes the query that of another id.
func (b *valueBatch) next(ctx context.Context, first, k *values.Key) error {
	q := b.q
	if k.Fault() != "" {
		return fmt.Errorf("%w: %s", ErrKey, k.String())
	}
	if !k.IsOf(first) {
		return errOneName(q.name)
	}
	q.old, q.oldBody = nil, nil
	if b.asked { // the key of the first id was told of by askValue
		q.asks(ctx, k)
	}
	b.asked = true
	if q.why == "" {
		q.key = k.AppendLike((*q.scratch)[:0], first, b.like)
		*q.scratch = q.key
	}
	return nil
}

// add adds the id of the query to the missing ones.
func (b *valueBatch) add(id any) error {
	q := b.q
	p := batchPart{old: q.old, body: q.oldBody}
	if q.why == "" {
		p.key = string(q.key)
		if _, twice := b.known[p.key]; twice {
			return fmt.Errorf("%w: of %s: two ids have one key; keyOf must add the id to it", ErrKey, q.name)
		}
		if b.known == nil {
			b.known = map[string]struct{}{}
		}
		b.known[p.key] = struct{}{}
		stored, replaced := cascade.ValueTags(q.key)
		p.tags = []cascade.Tag{stored, replaced}
	}
	if q.set.readsOf != nil {
		reads, ok := q.set.readsOf(id)
		if !ok {
			return fmt.Errorf("%w: of %s: ReadsOf is for another type of ids than %T", ErrKey, q.name, id)
		}
		var err error
		if p.reads, err = b.c.tagsRead(nil, reads, q.part(), q.tenanted); err != nil {
			return err
		}
	}
	b.parts = append(b.parts, p)
	return nil
}

// all returns the numbers of all parts.
func (b *valueBatch) all() []int {
	all := make([]int, len(b.parts))
	for i := range all {
		all[i] = i
	}
	return all
}

// beside calls the function beside the cache.
func (b *valueBatch) beside(ctx context.Context) error {
	around := b.q.enclosing
	x, end, err := b.q.bypass(ctx)
	if err != nil {
		return err
	}
	defer end()
	defer func() { around.dependOn(b.c, b.sum(b.all()), time.Time{}, 0) }()
	return orAbsent(b.v.run(x, b.all())) //nolint:contextcheck // a computation is made of the caller's own context
}

// orAbsent is the error of a function, nil if it says that nothing exists.
func orAbsent(err error) error {
	if isAbsence(err) {
		return nil
	}
	return err
}

// sum is what parts depend on by themselves.
func (b *valueBatch) sum(which []int) *values.Sum {
	var s values.Sum
	for _, n := range which {
		s.Add(&values.Sum{Tags: b.parts[n].tags})
		s.Add(&values.Sum{Tags: b.parts[n].reads})
	}
	return &s
}

// maxBatchRounds is how often a batch tries to lead what others have not computed for it.
// After that it computes alone.
const maxBatchRounds = 2

// compute has the missing values computed, by the caller or by others.
func (b *valueBatch) compute(ctx context.Context) (err error) {
	ctx = orBackground(ctx)
	if fault := b.q.set.typeFault(b.q.typ); fault != "" {
		return codecFault(b.q.typ, fault)
	}
	if b.tags, err = b.q.declared(); err != nil {
		return err
	}
	if !b.q.knowTenants(ctx) {
		b.q.why = ReasonPredicate
		return b.beside(ctx)
	}
	defer func() { // also when the function panics
		for i := range b.parts {
			b.parts[i].lead.End(flight.Outcome[*valueResult]{})
		}
	}()
	b.q.at = b.q.place() // before any number that the values may be based on
	left := b.all()
	for round := 0; len(left) > 0; round++ {
		token := b.q.begin() // before any flight: others may take what is not older than theirs
		run, busy, err := b.lead(ctx, left, round)
		if err != nil {
			return err
		}
		if run, err = b.takeShared(ctx, run); err != nil {
			return err
		}
		if err := b.fillAll(ctx, token, run); err != nil {
			return err
		}
		left = nil
		for _, n := range busy {
			has, err := b.wait(ctx, n)
			if err != nil {
				return err
			}
			if !has {
				left = append(left, n)
			}
		}
	}
	return nil
}

// lead starts the flights of parts. It returns those which the caller is to compute, and
// those that others compute.
func (b *valueBatch) lead(ctx context.Context, parts []int, round int) (run, busy []int, err error) {
	for _, n := range parts {
		p := &b.parts[n]
		if !p.alone && round < maxBatchRounds {
			var role flight.Role
			p.lead, p.other, role = b.c.values.flights.Try(p.key, b.q.begin)
			// Who is within a computation waits for nobody: one of those may wait for it.
			if role == flight.Busy && b.isServed(ctx, n, false) {
				continue
			}
			if role == flight.Busy && b.q.computation == nil {
				busy = append(busy, n)
				continue
			}
		}
		if has, err := b.again(ctx, n); has || err != nil {
			if err != nil {
				return nil, nil, err
			}
			continue
		}
		run = append(run, n)
	}
	return run, busy, nil
}

// again takes a value that has come since the first look-up.
func (b *valueBatch) again(ctx context.Context, n int) (has bool, err error) {
	p := &b.parts[n]
	res := b.c.againValue(ctx, b.q, nil, &valueFill{key: p.key, ended: b.ended})
	if res == nil {
		return false, nil
	}
	return b.found(ctx, n, res)
}

// found takes a value that is kept after all, and ends the flight of its part.
func (b *valueBatch) found(ctx context.Context, n int, res *valueResult) (has bool, err error) {
	p := &b.parts[n]
	if has, err = b.v.take(b.q, n, res); !has {
		return false, err
	}
	b.at(n)
	b.q.hit(ctx, res.stamp)
	p.lead.End(res.outcome())
	p.lead = nil
	return true, nil
}

// at makes the query that of a part.
func (b *valueBatch) at(n int) {
	b.q.key = append((*b.q.scratch)[:0], b.parts[n].key...)
	*b.q.scratch = b.q.key
}

// takeShared takes the values of parts over that other instances have stored, in one round
// trip, or few, and returns the parts that are left.
func (b *valueBatch) takeShared(ctx context.Context, parts []int) (left []int, err error) {
	if len(parts) == 0 || !b.q.asksOthers() {
		return parts, nil
	}
	keys, takings := b.takings(parts)
	taken := b.c.fleet.TakeAll(ctx, keys, func(i int) fleet.Wanted { return takings[i].wanted() })
	for i, n := range parts {
		has, err := b.adopt(ctx, n, takings[i], taken[i])
		if err != nil {
			return nil, err
		}
		if !has {
			left = append(left, n)
		}
	}
	return left, nil
}

// takings returns the keys of parts in the shared store, and what takes their values over.
func (b *valueBatch) takings(parts []int) (keys []string, all []*taking) {
	keys, all = make([]string, len(parts)), make([]*taking, len(parts))
	form := b.q.form()
	for i, n := range parts {
		keys[i], all[i] = values.SharedKey(b.parts[n].key), b.q.newTaking(b.parts[n].old)
		all[i].form = form
	}
	return keys, all
}

// adopt takes a value of another instance, nil for none.
func (b *valueBatch) adopt(ctx context.Context, n int, x *taking, t *fleet.Taken) (has bool, err error) {
	b.q.old = b.parts[n].old
	res := b.c.adoptValue(ctx, x, b.parts[n].key, t)
	if res == nil {
		return false, nil
	}
	return b.found(ctx, n, res)
}

// only takes what other instances have stored for a call that must not compute, and reports
// whether that is all that was missing.
func (b *valueBatch) only(ctx context.Context) (all bool, err error) {
	ctx = orBackground(ctx)
	left, err := b.takeShared(ctx, b.all())
	if err != nil {
		return false, err
	}
	for _, n := range left {
		if b.q.why == "" {
			b.at(n)
		}
		b.q.missed(ctx)
	}
	return len(left) == 0, nil
}

// wait waits for a part that another call computes.
func (b *valueBatch) wait(ctx context.Context, n int) (has bool, err error) {
	p, figures := &b.parts[n], b.q.figures()
	usual := figures.Usual()
	out, role := p.other.Wait(ctx, flight.Call[*valueResult]{
		Arrived: b.q.since, Valid: b.c.usableValue,
		Bound: max(minBound, boundFactor*usual) + b.c.opts.FillLease, Usual: usual, Within: b.within(n),
	})
	if role == flight.Joined && (out.Value.isForeign(b.q) || !b.q.mayJoin(out.Value) || !b.q.isFor(ctx, out.Value.only)) {
		role = flight.Busy // an error is no absence, and a refresh wants what began after it
	}
	switch role {
	case flight.Ended:
		figures.Abandoned.Add(1)
		return false, ctx.Err()
	case flight.Joined:
		if has, err = b.v.take(b.q, n, out.Value); has {
			figures.Joined.Add(1)
			b.q.depend(ctx, &out.Value.sum, out.Value.until)
			return true, nil
		}
		p.alone = true
	case flight.Busy:
		has = b.isServed(ctx, n, true)
		p.alone = !has
	}
	return has, err
}

// fillAll has parts computed whose flights the caller leads: by itself, or by other instances.
// It computes those whose leases it holds, gives the leases up, and only then waits for the
// others: see fleet.Leading. The flights of these are led meanwhile, and nobody whom they wait
// for waits for a flight.
func (b *valueBatch) fillAll(ctx context.Context, token uint64, run []int) error {
	if len(run) == 0 {
		return nil
	}
	leading := b.leading()
	if leading == nil {
		return b.fill(ctx, token, run, func() {})
	}
	defer leading.End()
	for {
		mine, theirs, release, err := b.ask(ctx, leading, run)
		if err != nil {
			release()
			return err
		}
		if err := b.fill(ctx, token, mine, release); err != nil || len(theirs) == 0 {
			return err
		}
		again := leading.Wait(ctx)
		if err := ctx.Err(); err != nil {
			b.q.figures().Abandoned.Add(1)
			return err
		}
		b.q.at = b.q.place() // as for a call that begins now
		if run, token = theirs, b.q.begin(); !again {
			return b.fill(ctx, token, run, func() {})
		}
	}
}

// leading returns what decides which of all instances computes the parts, nil where nobody
// does: see leadValue.
func (b *valueBatch) leading() *fleet.Leading {
	if !b.q.asksOthers() || b.q.computation != nil {
		return nil
	}
	return b.c.fleet.LeadAll()
}

// ask asks for the leases of parts, and takes over what is there by then. It returns the parts
// that the caller is to compute, and those that other instances compute. Who has an expired
// value for those who wait computes at once.
func (b *valueBatch) ask(ctx context.Context, leading *fleet.Leading, parts []int) (mine, theirs []int, release func(), err error) {
	var asked []int
	for _, n := range parts {
		if b.parts[n].old != nil {
			mine = append(mine, n)
		} else {
			asked = append(asked, n)
		}
	}
	if len(asked) == 0 {
		return mine, nil, func() {}, nil
	}
	keys, takings := b.takings(asked)
	all, release := leading.Ask(ctx, keys, func(i int) fleet.Wanted { return takings[i].wanted() })
	for i, n := range asked {
		has := false
		if all[i].Taken != nil {
			if has, err = b.adopt(ctx, n, takings[i], all[i].Taken); err != nil {
				return nil, nil, release, err
			}
		}
		switch {
		case has:
		case all[i].Mine, all[i].Taken != nil:
			mine = append(mine, n)
		default:
			theirs = append(theirs, n)
		}
	}
	return mine, theirs, release, nil
}

// fill calls the function for parts, if there are any, keeps what it returns, and ends their
// flights. Then, or when the values must not be kept, it gives their leases up.
func (b *valueBatch) fill(ctx context.Context, token uint64, run []int, release func()) error {
	if len(run) == 0 {
		release()
		return nil
	}
	c, q := b.c, b.q
	x := q.newComputation(ctx, token, nil)
	x.mu.batch = b.leads(run)
	defer x.holdLease(release)() // after the values are kept
	around, done := q.enclosing, false
	defer func() {
		if !done { // the function has panicked, or ended its goroutine
			x.close()
			around.refuse(ReasonErrors)
		}
	}()
	var failed error
	f := valueFunc{run: func(ctx context.Context) error { failed = b.v.run(ctx, run); return failed }}
	c.counts.inFlight.Add(1)
	defer c.counts.inFlight.Add(-1) // also when the function panics
	base := &valueResult{own: true, typ: q.typ, began: c.begun.Add(1)}
	token, took := c.runValue(ctx, x, q, &f, &valueFill{tags: b.tags, token: token, batch: true, all: b.keys(run)}, base)
	done = true
	b.convicted = b.convicted || base.why == ReasonKey
	all := base.sum.Clone()
	all.Add(b.sum(run))
	around.dependOn(c, &all, base.until, q.whose|base.whose)
	for _, n := range run {
		p := &b.parts[n]
		res := b.part(ctx, x, n, base, token, took)
		q.figures().Misses.Add(1)
		c.inspector.ValueMissed(q.name)
		if res.why != "" {
			q.figures().Refuse(string(res.why))
		}
		out := res.outcome()
		if p.lead == nil && out.End == flight.Shared {
			c.values.flights.Shareable(p.key)
		}
		p.lead.End(out)
		p.lead = nil
	}
	if err := orAbsent(failed); err != nil && !b.isSaved(ctx, run) {
		return err
	}
	return nil
}

// part keeps one of the values that the function has returned, or its absence.
func (b *valueBatch) part(ctx context.Context, x *computation, n int, base *valueResult, token uint64, took time.Duration) *valueResult {
	p, res := &b.parts[n], *base
	if res.why != "" {
		return &res
	}
	res.sum = base.sum.Clone()
	res.sum.Add(&values.Sum{Tags: p.tags})
	res.sum.Add(&values.Sum{Tags: p.reads})
	if res.sum.Merge(); res.sum.Full {
		res.why = ReasonReads
		return &res
	}
	boxed := b.v.box(n)
	switch {
	case boxed != nil:
		res.instead = nil
		if err := packValue(&res, &b.q.set, boxed); err != nil {
			b.c.warnOfCodec(res.typ, err)
			res.why = ReasonCodec
			return &res
		}
	case !base.looked && len(p.reads) == 0: // nothing says which change will end it
		res.why = ReasonErrors
		return &res
	default:
		res.instead = ErrAbsent
	}
	res.shared = true
	b.c.keepValue(ctx, b.q, p.key, x, &res, token, took)
	return &res
}

// keys returns the keys of parts.
func (b *valueBatch) keys(which []int) []string {
	keys := make([]string, len(which))
	for i, n := range which {
		keys[i] = b.parts[n].key
	}
	return keys
}

// leads returns the flights of parts.
func (b *valueBatch) leads(which []int) *batchParts {
	parts := &batchParts{}
	for _, n := range which {
		if l := b.parts[n].lead; l != nil {
			parts.flights = append(parts.flights, &l.Flight)
		}
	}
	return parts
}

// batchParts are the flights and the entries of a computation of several values. The lock
// of the computation guards them. The methods may be called on nil.
type batchParts struct {
	flights []*flight.Flight[*valueResult]
	kept    []keptPart
}

type keptPart struct {
	key   string
	entry *store.Entry
}

// parts returns copies. REQUIRES: computation.mu.
func (p *batchParts) parts() ([]*flight.Flight[*valueResult], []keptPart) {
	if p == nil {
		return nil, nil
	}
	return p.flights, slices.Clone(p.kept)
}

// close forgets the flights. REQUIRES: computation.mu.
func (p *batchParts) close() {
	if p != nil {
		p.flights = nil
	}
}

// endParts sends those off who wait for the flights, and removes the entries.
func (x *computation) endParts(flights []*flight.Flight[*valueResult], kept []keptPart) {
	for _, f := range flights {
		f.Unshare()
	}
	for _, k := range kept {
		x.c.withdrawValue(k.key, k.entry)
	}
}

// within is how long the caller waits for a part that another one computes. All waits of a
// call together take no longer than was said of one.
func (b *valueBatch) within(n int) time.Duration {
	if b.parts[n].old == nil || b.q.set.within == 0 {
		return 0
	}
	if b.waits.IsZero() {
		b.waits = time.Now()
	}
	return max(1, b.q.set.within-time.Since(b.waits)) // 0 is without end
}

// isServed takes the expired value of a part that another caller computes, if the caller
// need not wait, or has waited.
func (b *valueBatch) isServed(ctx context.Context, n int, waited bool) bool {
	if !waited && b.q.set.within > 0 {
		return false
	}
	return b.takeOld(ctx, n, b.q.patientFor())
}

// isSaved takes the expired values of parts in place of a function's error, and reports
// whether each part has one. A value that the function has returned beside its error is
// none: it is the caller's together with the error.
func (b *valueBatch) isSaved(ctx context.Context, run []int) bool {
	if ctx.Err() != nil {
		return false
	}
	saved := true
	for _, n := range run {
		b.q.old = b.parts[n].old
		saved = saved && b.q.serves(b.q.set.onError)
	}
	for _, n := range run {
		if saved || b.v.box(n) == nil {
			saved = b.takeOld(ctx, n, b.q.set.onError) && saved
		}
	}
	return saved
}

// takeOld takes a value that has expired for less than a time.
func (b *valueBatch) takeOld(ctx context.Context, n int, bound time.Duration) bool {
	q, p := b.q, &b.parts[n]
	if q.old, q.oldBody = p.old, p.body; !q.serves(bound) {
		return false
	}
	s := q.old
	res := &valueResult{value: s.value, body: p.body, plain: s.plain, typ: s.typ, instead: s.instead()}
	if has, err := b.v.take(q, n, res); !has || err != nil {
		return false
	}
	q.stale(ctx)
	return true
}
