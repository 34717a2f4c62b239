package inspector

import (
	"strings"
	"time"

	"github.com/cascadeql/cascadeql/cascade"
	"github.com/cascadeql/cascadeql/gqlcache/inspect"
	"github.com/cascadeql/cascadeql/gqlcache/internal/plans"
	"github.com/cascadeql/cascadeql/gqlcache/internal/watch"
)

// A Note is what is noted of one operation for somebody who has asked. The operation's
// own goroutine uses it.
type Note struct {
	// Explanation is set once the operation has ended.
	Explanation inspect.Extension

	start  time.Time
	lookup time.Duration
	key    []byte
	parts  []inspect.KeyPart
	missed inspect.Reason // why there was no entry
	// hits is how often the entry was served while somebody watched.
	hits uint64
}

// NewNote returns the note of an operation that begins.
func NewNote() *Note { return &Note{start: time.Now()} }

// looked notes how long the look-up took. It may be called on nil.
func (n *Note) looked() {
	if n != nil {
		n.lookup = time.Since(n.start)
	}
}

// Anew notes why no entry was of use: the client's token, or the request's policy; of
// package reason. It may be called on nil.
func (n *Note) Anew(why string) {
	if n != nil {
		n.missed = inspect.Reason{Code: why, Message: messages[why]}
	}
}

// refreshes notes that an entry was found and is computed anew. It may be called on nil.
func (n *Note) refreshes() {
	if n != nil {
		n.looked()
		n.missed = inspect.Reason{Code: codeRefreshed, Message: messages[codeRefreshed]}
	}
}

// Took is how long the operation has taken up to now.
func (n *Note) Took() time.Duration { return time.Since(n.start) }

// An Answer is what is known of the answer to a query. The zero value is for none.
type Answer struct {
	Bytes int
	// Took is how long it took to compute, 0 when that is not known.
	Took time.Duration
	// Entry stands for the entry that it is stored as, nil for none: see
	// Inspector.Sample. Tags is how many it depends on, TTL how long it may be kept on,
	// and Age how old it is.
	Entry    any
	Tags     int
	TTL, Age time.Duration
	// Unsaid is a field of which a resolver should have said what it reads, "" for none.
	Unsaid string
}

// Query explains a query that has ended. plan is nil when it was not planned.
func (i *Inspector) Query(n *Note, o Outcome, plan *plans.Plan, a Answer) inspect.Extension {
	x := o.Extension()
	if n.key != nil {
		x.Key, x.KeyParts = i.Fingerprint("key", n.key), n.parts
		x.Timing = &inspect.Timing{LookupUS: n.lookup.Microseconds()}
	}
	if plan != nil && plan.Bypass == "" {
		x.Operation.Hash = plan.ShortHash()
		x.TTLLimitedBy, x.DependsOnAnything = plan.Operation.Policy.LimitedBy, whyAnything(plan.Operation.Anything)
		if x.DependsOnAnything == "" && a.Unsaid != "" {
			x.DependsOnAnything = "a resolver of " + a.Unsaid + " has not said what it reads"
		}
		x.ReadsAtRuntime = plan.Operation.AtRuntime()
		x.Dependencies = dependenciesOf(plan.Operation)
	}
	if a.Bytes == 0 && a.Entry == nil && a.Took == 0 {
		return x
	}
	x.Bytes = a.Bytes
	if a.Entry != nil {
		x.Tags, x.TTLMS = a.Tags, new(a.TTL.Milliseconds())
		i.recall(&x, n.key, a.Entry)
	}
	if !x.Hit {
		x.Timing.OriginUS = a.Took.Microseconds()
		if x.DidCache && n.missed.Code != "" {
			x.Reason = n.missed
		}
		return x
	}
	x.EntryHits, x.AgeMS = n.hits, new(a.Age.Milliseconds())
	if a.Took > 0 {
		x.Timing.OriginUS = a.Took.Microseconds()
		x.Timing.SavedUS = max(0, x.Timing.OriginUS-x.Timing.LookupUS)
	}
	return x
}

// A Change is what a mutation has done to the cache.
type Change struct {
	Tags int
	// Everything says why everything was dropped, "" when it was not.
	Everything string
	Events     []cascade.Event
	Took       time.Duration
	// Trace and Invalidation are what Inspector.Trace and Inspector.Begin have returned.
	Trace        *cascade.Trace
	Invalidation *inspect.Invalidation
}

// Mutation explains a mutation that has changed something, or nothing, as far as it is
// known before the change is published.
func (i *Inspector) Mutation(o Outcome, c Change) inspect.Extension {
	x := o.Extension()
	x.Invalidation = c.Invalidation
	if x.Invalidation == nil {
		x.Invalidation = &inspect.Invalidation{Tags: c.Tags, Everything: c.Everything, DurationUS: c.Took.Microseconds()}
	}
	x.Invalidation.Confirmed = !i.config.Several
	trace := c.Trace
	if trace == nil {
		trace = i.config.Schema().Plan.Trace(nil, c.Events, cascade.Partition{})
	}
	x.Changes = watch.Changes(trace, i.config.HideIDs)
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
