package gqlcache

import (
	"slices"
	"strings"
	"time"

	"github.com/cascadeql/cascadeql/gqlcache/internal/count"
)

const (
	// OperationOther is the name under which the operations are counted that have none of
	// their own: those whose names came after 200 others, those with very long names, and
	// those whose names are none in GraphQL.
	OperationOther = count.Other
	// OperationAnonymous is the name of operations without one.
	OperationAnonymous = count.Anonymous
)

// OperationStats are the figures of the queries of one name, since the cache was made.
// They add up, over all names, to those of Stats.
type OperationStats struct {
	// Name is the operation's, OperationAnonymous or OperationOther.
	Name string `json:"name"`
	// Hits, Misses, Joined and Abandoned are as in Stats; Bypassed is the sum over all
	// reasons.
	Hits      uint64 `json:"hits"`
	Misses    uint64 `json:"misses"`
	Joined    uint64 `json:"joined"`
	Abandoned uint64 `json:"abandoned"`
	Bypassed  uint64 `json:"bypassed"`
	// Fills are the times that its resolvers ran to their end, FillTime how long they
	// took altogether.
	Fills    uint64        `json:"fills"`
	FillTime time.Duration `json:"fillTimeNs"`
}

// OperationStats returns the figures by name of the operation, in the order of the names:
// at most 200 names of up to 100 bytes, those that were asked for first, and the rest as
// OperationOther. It does not block for long, and is not for the way of a request.
func (c *Cache) OperationStats() []OperationStats {
	if c.unmade() {
		return nil
	}
	var all []OperationStats
	for name, n := range c.operations.All() {
		s := OperationStats{
			Name: name,
			Hits: n.Hits.Load(), Misses: n.Misses.Load(), Joined: n.Joined.Load(),
			Abandoned: n.Abandoned.Load(), Bypassed: n.Bypassed.Load(),
			Fills: n.Fills.Load(), FillTime: time.Duration(n.FillTime.Load()),
		}
		if s != (OperationStats{Name: name}) {
			all = append(all, s)
		}
	}
	slices.SortFunc(all, func(a, b OperationStats) int { return strings.Compare(a.Name, b.Name) })
	return all
}
