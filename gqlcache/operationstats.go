package gqlcache

import (
	"context"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/99designs/gqlgen/graphql"
)

const (
	// OperationOther is the name under which the operations are counted that have none of their own: those
	// whose names came after maxOperations others, those with very long names, and those whose names are none
	// in GraphQL.
	OperationOther = "(other)"
	// OperationAnonymous is the name of operations without one.
	OperationAnonymous = "(anonymous)"

	// maxOperations and maxOperationName bound what clients, who choose the names, can make of the memory
	// here and of the number of time series elsewhere.
	maxOperations    = 200
	maxOperationName = 100
)

// OperationStats are the figures of the queries of one name, since the cache was made. They add up, over
// all names, to those of Stats.
type OperationStats struct {
	// Name is the operation's, OperationAnonymous or OperationOther.
	Name string
	// Hits, Misses, Joined and Abandoned are as in Stats; Bypassed is the sum over all reasons.
	Hits, Misses, Joined, Abandoned, Bypassed uint64
	// Fills are the times that its resolvers ran to their end, FillTime how long they took altogether.
	Fills    uint64
	FillTime time.Duration
}

// operationCounts are the counters of one name.
type operationCounts struct {
	hits, misses, joined, abandoned, bypassed, fills atomic.Uint64
	fillTime                                         atomic.Int64
}

// operationTable has the counters of all names. A plan keeps a pointer to its own, so that a hit looks
// nothing up here. Names are never given back: counters only grow.
type operationTable struct {
	mu        sync.RWMutex // protects the map
	names     map[string]*operationCounts
	anonymous operationCounts
	other     operationCounts
}

// of returns the counters of a name.
func (t *operationTable) of(name string) *operationCounts {
	if name == "" {
		return &t.anonymous
	}
	if len(name) > maxOperationName {
		return &t.other
	}
	t.mu.RLock()
	n, full := t.names[name], len(t.names) >= maxOperations
	t.mu.RUnlock()
	switch {
	case n != nil:
		return n
	case full:
		return &t.other
	}
	return t.add(name)
}

// add returns the counters of a name that may be new.
func (t *operationTable) add(name string) *operationCounts {
	t.mu.Lock()
	defer t.mu.Unlock()
	if n := t.names[name]; n != nil {
		return n
	}
	if len(t.names) >= maxOperations || !isName(name) {
		return &t.other
	}
	if t.names == nil {
		t.names = map[string]*operationCounts{}
	}
	name = strings.Clone(name) // it is a part of the document, which would stay in memory with it
	n := &operationCounts{}
	t.names[name] = n
	return n
}

// isName says that a name is one that GraphQL allows. An extension that makes operations of its own may give
// others, which are no labels, or are ours.
func isName(name string) bool {
	for _, c := range []byte(name) {
		if c != '_' && (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
			return false
		}
	}
	return true
}

// operationName is what an operation is called in figures and spans.
func operationName(name string) string {
	switch {
	case name == "":
		return OperationAnonymous
	case len(name) > maxOperationName || !isName(name):
		return OperationOther
	}
	return name
}

// outcome is how a query was answered that did not bypass the cache.
type outcome uint8

const (
	missed outcome = iota
	served
	joined
	abandoned
)

// count counts a query, in the totals and under its name.
func (c *Cache) count(d *document, how outcome) {
	switch how {
	case missed:
		c.counts.misses.Add(1)
		d.counts.misses.Add(1)
	case served:
		c.counts.hits.Add(1)
		d.counts.hits.Add(1)
	case joined:
		c.counts.joined.Add(1)
		d.counts.joined.Add(1)
	case abandoned:
		c.counts.abandoned.Add(1)
		d.counts.abandoned.Add(1)
	}
}

// countBypass counts a query that was not looked up. The document is nil when it was not asked for.
func (c *Cache) countBypass(ctx context.Context, d *document, why Reason) {
	c.counts.bypass(why)
	if d != nil {
		d.counts.bypassed.Add(1)
		return
	}
	c.operations.of(graphql.GetOperationContext(ctx).Operation.Name).bypassed.Add(1)
}

// resolve runs the resolvers of a query and counts how long they took, also when they panic.
func (c *Cache) resolve(ctx context.Context, d *document, next graphql.ResponseHandler) (resp *graphql.Response, took time.Duration) {
	start := time.Now()
	defer func() {
		took = time.Since(start)
		c.counts.fill.observe(took)
		d.counts.fills.Add(1)
		d.counts.fillTime.Add(int64(took))
	}()
	return next(ctx), 0
}

// OperationStats returns the figures by name of the operation, in the order of the names: at most 200
// names of up to 100 bytes, those that were asked for first, and the rest as OperationOther. It does not
// block for long, and is not for the way of a request.
func (c *Cache) OperationStats() []OperationStats {
	if c.unmade() {
		return nil
	}
	var all []OperationStats
	add := func(name string, n *operationCounts) {
		s := OperationStats{
			Name: name,
			Hits: n.hits.Load(), Misses: n.misses.Load(), Joined: n.joined.Load(),
			Abandoned: n.abandoned.Load(), Bypassed: n.bypassed.Load(),
			Fills: n.fills.Load(), FillTime: time.Duration(n.fillTime.Load()),
		}
		if s != (OperationStats{Name: name}) {
			all = append(all, s)
		}
	}
	t := &c.operations
	t.mu.RLock()
	defer t.mu.RUnlock()
	for name, n := range t.names {
		add(name, n)
	}
	add(OperationAnonymous, &t.anonymous)
	add(OperationOther, &t.other)
	slices.SortFunc(all, func(a, b OperationStats) int { return strings.Compare(a.Name, b.Name) })
	return all
}
