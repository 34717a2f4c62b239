package gqlcache

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cascadeql/cascadeql/gqlcache/inspect"
)

const (
	// maxShadowOperations bounds the operations that are counted for themselves.
	maxShadowOperations = 500
	// maxShadowCallers bounds the callers that are remembered of one entry.
	maxShadowCallers = 16
	// maxShadowFindings is how many of the last findings are kept.
	maxShadowFindings = 50
)

// The kinds of inspect.ShadowFinding.
const (
	shadowUnsettled = iota
	shadowStale
	shadowOtherCaller
	shadowUnstable
	shadowKinds
)

var shadowNames = [shadowKinds]string{"unsettled", "stale", "otherCaller", "unstable"}

var shadowTexts = [shadowKinds]string{
	shadowStale:       "gqlcache: in shadow mode a hit would have been stale: a @writes lacks something, or the cache was not told of a change",
	shadowOtherCaller: "gqlcache: in shadow mode a caller would have been given another caller's answer: Predicate or Vary lack what it depends on",
	shadowUnstable:    "gqlcache: in shadow mode an operation answers the same caller differently each time: keep it out with @cacheControl(maxAge: 0), or its hits will repeat one of the answers",
}

// shadowCounts are the figures of one operation. kinds may be corrected later.
type shadowCounts struct {
	name, hash                      string
	queries, hits, right, overtaken atomic.Uint64

	kinds    [shadowKinds]uint64 // guarded by shadowFindings.mu
	unstable bool                // so are these
	logged   [shadowKinds]bool
}

// shadowRecord is what is known of one entry: who computed it, who computed the same, and who did not. Guarded by
// shadowFindings.mu.
type shadowRecord struct {
	caller, digest string
	agreed         map[string]bool
	votes          map[string]*shadowVote
}

// A shadowVote is what one caller's last computation gave that differed from the entry.
type shadowVote struct {
	computed string // digest
	kind     int
	count    uint64 // of hits, counted under kind
	mark     deedsMark
	outside  uint64
}

// shadowFindings are the figures and the last findings.
type shadowFindings struct {
	mu         sync.Mutex
	operations map[string]*shadowCounts
	order      []*shadowCounts
	last       []inspect.ShadowFinding
}

// of returns the counters of an operation.
func (f *shadowFindings) of(d *document) *shadowCounts {
	hash := d.shortHash()
	f.mu.Lock()
	defer f.mu.Unlock()
	n := f.operations[hash]
	if n == nil {
		if f.operations == nil {
			f.operations = map[string]*shadowCounts{}
		}
		n = &shadowCounts{name: shorten(d.source.Name), hash: hash}
		if len(f.order) >= maxShadowOperations {
			if n = f.operations[""]; n != nil {
				return n
			}
			n, hash = &shadowCounts{name: OperationOther}, ""
		}
		f.operations[hash] = n
		f.order = append(f.order, n)
	}
	return n
}

// agreed notes that a caller has computed what the entry says.
func (f *shadowFindings) agreed(q *shadowQuery, n *shadowCounts) {
	f.mu.Lock()
	defer f.mu.Unlock()
	rec := q.stamp.shadow
	if v := rec.votes[q.caller]; v != nil && f.quiet(q, v) {
		f.unstable(n, v) // it has gone back, and nothing was changed
	}
	if len(rec.agreed) < maxShadowCallers {
		rec.agreed[q.caller] = true
	}
}

// quiet says that nothing was changed between the computation of a vote and the one at hand.
func (f *shadowFindings) quiet(q *shadowQuery, v *shadowVote) bool {
	return q.c.verify.deeds.quiet(v.mark) && q.c.verify.outside.Load() == v.outside
}

// unstable notes that an operation differs from itself. REQUIRES: mu.
func (f *shadowFindings) unstable(n *shadowCounts, v *shadowVote) {
	n.unstable = true
	f.move(n, v, shadowUnstable)
}

// move counts a vote's hits under another kind. REQUIRES: mu.
func (f *shadowFindings) move(n *shadowCounts, v *shadowVote, kind int) {
	n.kinds[v.kind] -= v.count
	n.kinds[kind] += v.count
	v.kind = kind
}

// differs notes that a caller has computed something else than the entry says, which no change explains that is on
// its way. The kind is known when the caller has computed the same twice, or something else again.
func (f *shadowFindings) differs(q *shadowQuery, n *shadowCounts, computed, path string) {
	c, rec := q.c, q.stamp.shadow
	f.mu.Lock()
	v := rec.votes[q.caller]
	first := v == nil
	if first {
		if len(rec.votes) >= maxShadowCallers {
			n.overtaken.Add(1)
			f.mu.Unlock()
			return
		}
		v = &shadowVote{computed: computed}
		rec.votes[q.caller] = v
	}
	n.kinds[v.kind]++
	v.count++
	same := v.computed == computed
	switch {
	case n.unstable || !same && f.quiet(q, v):
		f.unstable(n, v)
	case !first && same, first && rec.agreed[q.caller] && len(c.verify.deeds.since(q.stamp.Born())) > 0:
		kind := shadowOtherCaller
		base := rec.votes[rec.caller]
		if q.caller == rec.caller || rec.agreed[q.caller] || base != nil && base.computed == computed {
			kind = shadowStale
		}
		f.move(n, v, kind)
		if q.caller == rec.caller { // what the others see is not theirs alone
			for _, o := range rec.votes {
				if o.kind == shadowOtherCaller && o.computed == computed {
					f.move(n, o, shadowStale)
				}
			}
		}
	}
	v.computed, v.mark, v.outside = computed, q.mark, q.outside
	finding := inspect.ShadowFinding{
		At: c.opts.Now().UnixMilli(), Kind: shadowNames[v.kind], Path: path,
		Operation: inspect.Operation{Name: n.name, Type: "query", Hash: q.d.shortHash()},
		AgeMS:     (c.opts.Now().UnixNano() - q.stamp.Stored) / int64(time.Millisecond),
		Stored:    rec.digest, StoredFor: rec.caller, Computed: computed, Caller: q.caller,
	}
	if len(f.last) == maxShadowFindings {
		f.last = slices.Delete(f.last, 0, 1)
	}
	f.last = append(f.last, finding)
	text := shadowTexts[v.kind]
	tell := text != "" && !n.logged[v.kind]
	n.logged[v.kind] = true
	f.mu.Unlock()
	if tell {
		c.opts.Logger.Warn(text, "operation", finding.Operation.Name, "hash", finding.Operation.Hash, "path", path,
			"stored", finding.Stored, "stored_for", finding.StoredFor, "computed", computed, "caller", finding.Caller, "further", "counted, not logged")
	}
}

// ShadowStats returns what Options.Shadow has found since the cache was made, and nil when it is off. The
// result belongs to the caller. It does not block.
func (c *Cache) ShadowStats() *inspect.Shadow {
	if c.unmade() || c.shadow == nil {
		return nil
	}
	f := &c.shadow.found
	s := &inspect.Shadow{Operations: []inspect.ShadowOperation{}, Findings: []inspect.ShadowFinding{}}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, n := range f.order {
		s.Operations = append(s.Operations, inspect.ShadowOperation{
			Name: n.name, Hash: n.hash, Right: n.right.Load(), Overtaken: n.overtaken.Load(),
			Stale: n.kinds[shadowStale], OtherCaller: n.kinds[shadowOtherCaller], Unstable: n.kinds[shadowUnstable], Unsettled: n.kinds[shadowUnsettled],
			Hits: n.hits.Load(), Queries: n.queries.Load(), // last, so that they are not less than their parts
		})
	}
	s.Findings = append(s.Findings, f.last...)
	return s
}
