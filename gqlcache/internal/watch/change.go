package watch

import (
	"slices"
	"sync/atomic"
	"time"

	"github.com/cascadeql/cascadeql/cascade"
	"github.com/cascadeql/cascadeql/gqlcache/inspect"
)

// A Change is one invalidation or removal, about to happen. Of Everything, Only and the
// tags, the first that is set says what it reaches.
type Change struct {
	Cause inspect.Cause
	// Everything says why all entries are dropped. It is empty when only some are.
	Everything string
	// Cleared says that entries are taken out of the store, too: with Everything, or
	// those of Only.
	Cleared bool
	// Only takes the entries of some operations out of the store, which is no change to
	// the clock. It is called with the recorder's lock held. It needs Cleared.
	Only func(*Operation) bool
	// Again says that the change was reported before and is only applied once more. The
	// recorder does not look for entries that it reaches, and it is no event of the log.
	// Its record is not another instance's when it comes back through the log.
	Again bool
	// Tags are the tags that are published, in any order. Trace says where they come from,
	// nil when nobody knows. Both are kept and must not be changed.
	Tags  []cascade.Tag
	Trace *cascade.Trace
}

// A Pending change has begun. Its methods do nothing on nil.
type Pending struct {
	r     *Recorder
	s     *session // nil when nobody watched when it began
	c     Change
	sum   uint64
	began uint64 // session.stores then
	done  atomic.Bool

	// Protected by the session's lock:
	number  uint64 // of the change within the session, once it has reached entries
	reached []reached
	last    *inspect.LastInvalidation
	event   inspect.LogEvent
}

// reached counts the entries that were dropped at one node.
type reached struct {
	entries int
	bytes   int64
	ops     map[*opRow]int
}

// maxPending bounds the changes that have begun and not ended, should somebody forget to
// end them.
const maxPending = 1000

// Begin reports that a change is about to be applied. Call it before the clock, the log or
// the store learns of the change. Call Done after they have, also if they failed. Begin
// returns nil while nobody watches, except for a change that is Cleared: somebody may
// begin to watch while the store is being emptied.
func (r *Recorder) Begin(c Change) *Pending {
	s, _ := r.session()
	if c.Cleared {
		r.removing.Add(1)
	} else if s == nil {
		return nil
	}
	// Clients choose names, and payloads choose reasons. The log and each removal keep
	// them.
	c.Cause.Name, c.Everything = clip(c.Cause.Name, maxName), clip(c.Everything, maxReason)
	p := &Pending{r: r, s: s, c: c}
	if s == nil {
		return p
	}
	p.sum = sumOf(c.Tags)
	s.mu.Lock()
	defer s.mu.Unlock()
	p.began = s.stores.Load()
	if len(s.pending) >= maxPending {
		s.pending = slices.Delete(s.pending, 0, 1) // its records count as a peer's
	}
	s.pending = append(s.pending, p)
	return p
}

// sumOf is the same for equal sets of tags in any order.
func sumOf(tags []cascade.Tag) uint64 {
	sum := uint64(len(tags))
	for _, t := range tags {
		h := (t.Hash ^ maskOf(t)*0x9e3779b97f4a7c15) * 0xff51afd7ed558ccd
		sum += h ^ h>>32
	}
	return sum
}

// Applied reports that the sink of the log has applied a record to the clock, which gave
// it the number. everything says why all entries are dropped. It is empty if the tags say
// which are. A record with the tags of a pending change is this instance's own: the
// entries that it drops count for that change. Any other record is an event of the kind
// peer in the log, under the name of its origin. The tags are not kept.
func (r *Recorder) Applied(origin string, tags []cascade.Tag, everything string, number uint64) {
	s, now := r.session()
	if s == nil {
		return
	}
	sum := sumOf(tags)
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.pending {
		own := p.c.Everything != "" && everything != "" ||
			p.c.Everything == "" && everything == "" && p.c.Only == nil && p.sum == sum
		if own && p.number == 0 {
			if p.c.Again {
				p.number = max(1, s.changes) // it has come back
				return
			}
			s.apply(p, number, now)
			return
		}
	}
	p := &Pending{s: s, c: Change{
		Cause:      inspect.Cause{Kind: "peer", Name: clip(origin, maxName)},
		Everything: everything, Tags: tags,
	}}
	s.apply(p, number, now)
}

// Done ends a change. number is the clock's, as Apply or Flush returned it, 0 for Only;
// it is not looked at if Applied was told of the change before. It returns what the
// change did, as far as it is known here: Instances and Confirmed are left for the
// caller. Nil means that nobody watched when it began. The second call returns nil.
func (p *Pending) Done(number uint64, took time.Duration) *inspect.Invalidation {
	if p == nil || p.done.Swap(true) {
		return nil
	}
	if p.c.Cleared {
		defer p.r.removing.Add(-1)
		if now := p.r.live.Load(); now != nil && now != p.s {
			now.unclaimAll(p)
		}
	}
	s, now := p.s, p.r.opts.Now()
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pending = slices.DeleteFunc(s.pending, func(other *Pending) bool { return other == p })
	if p.c.Again {
		return nil
	}
	if p.number == 0 {
		s.apply(p, number, now)
	}
	s.unclaim(p, p.began)
	p.event.DurationUS = took.Microseconds()
	for i := range s.log {
		if s.log[i].Seq == p.event.Seq {
			s.log[i] = p.event
		}
	}
	evicted := s.evicted(p)
	return &inspect.Invalidation{
		Seq: p.event.Seq, Tags: len(p.c.Tags), Everything: p.c.Everything, DurationUS: p.event.DurationUS,
		Cascade: &p.event.Cascade, Evicted: &evicted, Kept: new(p.event.Kept),
	}
}

// apply drops the entries that the change reaches. An entry counts at the first node that
// reaches it. REQUIRES: mu held.
func (s *session) apply(p *Pending, number uint64, now time.Time) {
	s.prune(now)
	s.changes++
	p.number = s.changes
	seq := s.r.seq.Add(1)
	p.last = &inspect.LastInvalidation{Seq: seq, At: now.UnixMilli(), Cause: describe(p.c.Cause)}
	nodes := 1
	if p.c.Trace != nil {
		nodes += len(p.c.Trace.Nodes)
	}
	p.reached = make([]reached, nodes)
	switch {
	case p.c.Everything != "":
		for _, e := range s.entries {
			s.reach(p, 0, e, number, now)
		}
		for _, v := range s.views {
			v.invalidated(p.number, p.last)
		}
	case p.c.Only != nil:
		for _, e := range s.entries {
			if p.c.Only(e.op.op) {
				s.reach(p, 0, e, 0, now)
			}
		}
	case p.c.Trace != nil:
		for i := range p.c.Trace.Nodes {
			n := &p.c.Trace.Nodes[i]
			s.view(n.View.Name).invalidated(p.number, p.last)
			s.meet(p, i+1, n.Tags, number, now)
		}
		s.meet(p, 0, p.c.Trace.Own, number, now)
	}
	if p.c.Everything == "" && p.c.Only == nil {
		s.meet(p, 0, p.c.Tags, number, now) // what the trace has not named, if anything
	}
	s.series.at(now).invalidations++
	s.note(p, now)
}

// unclaim takes entries out of the index that were stored while a removal ran. The store
// may have them or not, so the recorder claims nothing of them. REQUIRES: mu held.
func (s *session) unclaim(p *Pending, began uint64) {
	if !p.c.Cleared {
		return
	}
	for _, e := range s.entries {
		if e.stored > began && (p.c.Only == nil || p.c.Only(e.op.op)) {
			s.left++
			s.remove(e)
		}
	}
}

// unclaimAll is unclaim, in a session that began while the removal ran.
func (s *session) unclaimAll(p *Pending) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unclaim(p, 0)
}

// meet reaches the entries that have one of the tags. REQUIRES: mu held.
func (s *session) meet(p *Pending, node int, tags []cascade.Tag, number uint64, now time.Time) {
	for _, t := range tags {
		b := s.buckets[t.Hash]
		if b == nil {
			continue
		}
		mask := maskOf(t)
		for i := len(b.refs) - 1; i >= 0; i-- { // what is taken out is replaced by the last one
			if i >= len(b.refs) {
				continue // an entry that was in it twice is gone
			}
			if b.refs[i].mask&mask != 0 {
				s.reach(p, node, b.refs[i].e, number, now)
			}
		}
	}
}

// reach takes an entry out of the index, unless it is younger than the change. REQUIRES:
// mu held.
func (s *session) reach(p *Pending, node int, e *entry, number uint64, now time.Time) {
	switch {
	case number > 0 && e.born >= number:
		return
	case e.expired(now):
		s.drop(e, removal{code: expired})
		return
	case p.c.Only != nil && e.stored > p.began:
		return // perhaps it was stored after the removal: see unclaim
	}
	n := &p.reached[node]
	n.entries++
	n.bytes += int64(e.size)
	row := e.op.total()
	if n.ops == nil {
		n.ops = map[*opRow]int{}
	}
	n.ops[row]++
	row.last = p.last
	for _, v := range e.op.views {
		v.last = p.last
	}
	code := invalidated
	if p.c.Cleared {
		code = cleared
	}
	s.drop(e, removal{code: code, seq: p.last.Seq, cause: p.c.Cause})
}

// note writes the change into the log when it is applied. So the log is in the order of
// its numbers, and no event comes behind a reader's cursor. REQUIRES: mu held.
func (s *session) note(p *Pending, now time.Time) {
	p.event = inspect.LogEvent{
		Seq: p.last.Seq, At: now.UnixMilli(), Cause: p.c.Cause, Everything: p.c.Everything,
		Changes: Changes(p.c.Trace, s.r.opts.HideIDs), Cascade: s.cascade(p), Kept: len(s.entries),
	}
	for i := range p.reached {
		p.event.Evicted += p.reached[i].entries
	}
	s.log = append(s.log, p.event)
	s.logged += weigh(&p.event)
	over := 0
	for len(s.log)-over > 1 && (len(s.log)-over > s.r.opts.Limits.Log || s.logged > s.r.opts.Limits.LogBytes) {
		s.logged -= weigh(&s.log[over])
		over++
	}
	s.log = slices.Delete(s.log, 0, over)
}
