package verify

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cascadeql/cascadeql/extractor"
	"github.com/cascadeql/cascadeql/gqlcache/inspect"
	"github.com/cascadeql/cascadeql/gqlcache/internal/safe"
)

const (
	// maxOperations bounds the operations that have counters of their own.
	maxOperations = 500
	// maxCallers bounds the callers that are remembered of one entry.
	maxCallers = 16
	// maxFindings bounds the findings that are kept, the last ones.
	maxFindings = 50
	// maxJudging bounds the differences that wait to be judged: each holds two answers.
	maxJudging = 64
)

// The kinds of inspect.ShadowFinding.
const (
	unsettled = iota
	stale
	otherCaller
	unstable
	kinds
)

var kindNames = [kinds]string{"unsettled", "stale", "otherCaller", "unstable"}

var kindTexts = [kinds]string{
	stale:       "gqlcache: in shadow mode a hit would have been stale: a @writes lacks something, or the cache was not told of a change",
	otherCaller: "gqlcache: in shadow mode a caller would have been given another caller's answer: Predicate or Vary lack what it depends on",
	unstable:    "gqlcache: in shadow mode an operation answers the same caller differently each time: keep it out with @cacheControl(maxAge: 0), or its hits will repeat one of the answers",
}

// A Shadow compares the answers that the cache would have given with those that the
// server gave. A difference is judged as a Verifier does, when the mutations that were
// running have ended: until then an old entry is right to be served. Nothing that it
// reports or logs holds a value of an answer.
type Shadow struct {
	v       *Verifier
	other   string // the name of the operations without counters of their own
	shield  safe.Shield
	judging atomic.Int64

	mu         sync.Mutex
	operations map[string]*operation // by hash
	order      []*operation
	last       []inspect.ShadowFinding
}

// NewShadow returns a shadow that uses the verifier's mutations and configuration.
// Operations beyond a bound are counted together, under the name other. The shield ends
// panics of the judgement, which runs on goroutines of its own.
func NewShadow(v *Verifier, other string, shield safe.Shield) *Shadow {
	return &Shadow{v: v, other: other, shield: shield}
}

// An operation has the figures of one operation.
type operation struct {
	name, hash                      string
	queries, hits, right, overtaken atomic.Uint64

	// The rest is guarded by Shadow.mu.
	kinds    [kinds]uint64 // may be corrected later
	unstable bool          // it answers the same caller differently
	logged   [kinds]bool
}

// answers are what is known of one entry: who computed it, who computed the same, and who
// did not. Guarded by Shadow.mu.
type answers struct {
	caller, digest string
	same           map[string]bool
	others         map[string]*otherAnswer
}

// An otherAnswer is a caller's last answer that differed from the entry.
type otherAnswer struct {
	digest  string
	kind    int
	count   uint64 // of the caller's hits that differed, counted under kind
	moment  moment
	outside uint64
}

// A Query is one in shadow mode.
type Query struct {
	s       *Shadow
	caller  string
	moment  moment // before the resolvers ran
	outside uint64
}

// Query begins the comparison of a query. Call it before the resolvers run. caller names
// who asks, in reports too.
func (s *Shadow) Query(caller string) *Query {
	return &Query{s: s, caller: caller, moment: s.v.mutations.now(), outside: s.v.outside.Load()}
}

// Count counts a query, whether it is compared or not.
func (s *Shadow) Count(op inspect.Operation) { s.of(op).queries.Add(1) }

// Keep notes that the caller's answer is about to be stored.
func (q *Query) Keep(e *Entry, body []byte) {
	e.answers = &answers{
		caller: q.caller, digest: q.s.digest(body), same: map[string]bool{}, others: map[string]*otherAnswer{},
	}
}

// Compare compares the answer of the server to what would have been served. It keeps the
// answer's data until the difference is judged.
func (q *Query) Compare(h Hit, computed *Answer) {
	s := q.s
	n := s.of(h.Operation)
	n.hits.Add(1)
	if computed.is(h.Body) {
		n.right.Add(1)
		q.agreed(n, h.Entry.answers)
		return
	}
	diff := &shadowDifference{Query: q, hit: h, n: n, computed: *computed}
	diff.computed.Data = slices.Clone(computed.Data)
	running := s.v.mutations.runningNow()
	if s.judging.Add(1) > maxJudging || !s.v.queue.background(func() {
		defer s.judging.Add(-1)
		s.shield.Run(func() { diff.judge(running) })
	}) {
		s.judging.Add(-1)
		n.overtaken.Add(1)
	}
}

// A shadowDifference is a server's answer that differs from the one that would have been
// served.
type shadowDifference struct {
	*Query
	hit      Hit
	n        *operation
	computed Answer
}

// judge finds out whether the entry is wrong, and how: see Verifier for why it waits.
func (d *shadowDifference) judge(running []*Mutation) {
	v := d.s.v
	if v.waitFor(running) != nil || !v.stands(&d.hit) || !v.wait(v.cfg.Grace) ||
		!v.stands(&d.hit) && v.othersChanged(d.outside) || !v.cfg.OneServer() {
		d.n.overtaken.Add(1)
		return
	}
	path, digest := d.computed.Path, "failed"
	if !d.computed.Failed {
		path, digest = difference(d.hit.Body, d.computed.Data), d.s.digest(d.computed.Data)
	}
	at := placeAt(d.hit.Op, path, &extractor.Result{})
	d.differs(digest, Shorten(at.path.String()))
}

// digest names an answer without telling what it is.
func (s *Shadow) digest(body []byte) string { return s.v.cfg.Fingerprint("answer", body) }

// of returns the counters of an operation.
func (s *Shadow) of(op inspect.Operation) *operation {
	hash := op.Hash
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.operations[hash]
	if n == nil {
		if s.operations == nil {
			s.operations = map[string]*operation{}
		}
		n = &operation{name: Shorten(op.Name), hash: hash}
		if len(s.order) >= maxOperations {
			if n = s.operations[""]; n != nil {
				return n
			}
			n, hash = &operation{name: s.other}, ""
		}
		s.operations[hash] = n
		s.order = append(s.order, n)
	}
	return n
}

// agreed notes that the caller's answer is that of the entry.
func (q *Query) agreed(n *operation, known *answers) {
	q.s.mu.Lock()
	defer q.s.mu.Unlock()
	if o := known.others[q.caller]; o != nil && q.quietSince(o) {
		n.setUnstable(o) // the answer has gone back, and nothing was changed
	}
	if len(known.same) < maxCallers {
		known.same[q.caller] = true
	}
}

// quietSince reports whether nothing was changed between the computation of another
// answer and the one at hand.
func (q *Query) quietSince(o *otherAnswer) bool {
	return q.s.v.mutations.quietSince(o.moment) && q.s.v.outside.Load() == o.outside
}

// setUnstable notes that an operation differs from itself. REQUIRES: Shadow.mu.
func (n *operation) setUnstable(o *otherAnswer) {
	n.unstable = true
	n.move(o, unstable)
}

// move counts the hits of an answer under another kind. REQUIRES: Shadow.mu.
func (n *operation) move(o *otherAnswer, kind int) {
	n.kinds[o.kind] -= o.count
	n.kinds[kind] += o.count
	o.kind = kind
}

// differs notes that a caller's answer differs from the entry, and no change that is on
// its way explains it. The kind is known when the caller has computed the same twice, or
// something else again.
func (d *shadowDifference) differs(digest, path string) {
	s, n, known := d.s, d.n, d.hit.Entry.answers
	cfg := &s.v.cfg
	now := cfg.Now()
	s.mu.Lock()
	o := known.others[d.caller]
	first := o == nil
	if first {
		if len(known.others) >= maxCallers {
			n.overtaken.Add(1)
			s.mu.Unlock()
			return
		}
		o = &otherAnswer{digest: digest}
		known.others[d.caller] = o
	}
	n.kinds[o.kind]++
	o.count++
	same := o.digest == digest
	switch {
	case n.unstable || !same && d.quietSince(o):
		n.setUnstable(o)
	case !first && same, first && known.same[d.caller] && len(s.v.mutations.appliedAfter(d.hit.Born)) > 0:
		d.settle(o, digest)
	}
	o.digest, o.moment, o.outside = digest, d.moment, d.outside
	finding := inspect.ShadowFinding{
		At: now.UnixMilli(), Kind: kindNames[o.kind], Path: path,
		Operation: inspect.Operation{Name: n.name, Type: d.hit.Operation.Type, Hash: d.hit.Operation.Hash},
		AgeMS:     (now.UnixNano() - d.hit.Stored) / int64(time.Millisecond),
		Stored:    known.digest, StoredFor: known.caller, Computed: digest, Caller: d.caller,
	}
	if len(s.last) == maxFindings {
		s.last = slices.Delete(s.last, 0, 1)
	}
	s.last = append(s.last, finding)
	text := kindTexts[o.kind]
	log := text != "" && !n.logged[o.kind]
	n.logged[o.kind] = true
	s.mu.Unlock()
	if log {
		cfg.Logger.Warn(text, "operation", finding.Operation.Name, "hash", finding.Operation.Hash, "path", path,
			"stored", finding.Stored, "stored_for", finding.StoredFor, "computed", digest, "caller", finding.Caller, "further", "counted, not logged")
	}
}

// settle decides whether a caller's answer, which has not changed, is another caller's or
// shows that the entry is stale. REQUIRES: Shadow.mu.
func (d *shadowDifference) settle(o *otherAnswer, digest string) {
	n, known := d.n, d.hit.Entry.answers
	kind := otherCaller
	base := known.others[known.caller]
	if d.caller == known.caller || known.same[d.caller] || base != nil && base.digest == digest {
		kind = stale
	}
	n.move(o, kind)
	if d.caller != known.caller {
		return
	}
	for _, other := range known.others { // what the entry's own caller gets too is not theirs alone
		if other.kind == otherCaller && other.digest == digest {
			n.move(other, stale)
		}
	}
}

// Stats returns what was found. The result belongs to the caller.
func (s *Shadow) Stats() *inspect.Shadow {
	stats := &inspect.Shadow{Operations: []inspect.ShadowOperation{}, Findings: []inspect.ShadowFinding{}}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range s.order {
		stats.Operations = append(stats.Operations, inspect.ShadowOperation{
			Name: n.name, Hash: n.hash, Right: n.right.Load(), Overtaken: n.overtaken.Load(),
			Stale: n.kinds[stale], OtherCaller: n.kinds[otherCaller], Unstable: n.kinds[unstable], Unsettled: n.kinds[unsettled],
			Hits: n.hits.Load(), Queries: n.queries.Load(), // last, so that they are not less than their parts
		})
	}
	stats.Findings = append(stats.Findings, s.last...)
	return stats
}
