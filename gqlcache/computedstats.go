package gqlcache

import (
	"slices"
	"strings"
	"time"
)

// ComputedStats are the figures of the values under keys of one name, since the cache was
// made: see Compute. They are no part of Stats, but for its figures of stores.
type ComputedStats struct {
	// Name is the name of the keys, or OperationOther for those that came after 200
	// others, and very long ones.
	Name string
	// Hits are values that were found, Misses those that were computed, Joined those that
	// another caller was computing already, Abandoned callers whose context ended while
	// they waited.
	Hits, Misses, Joined, Abandoned uint64
	// Fills are the times that a function has returned a value, FillTime how long they
	// took altogether.
	Fills    uint64
	FillTime time.Duration
	// Bypassed counts calls that looked nothing up, NotStored values that were not kept,
	// by reason.
	Bypassed, NotStored map[Reason]uint64
}

// ComputedStats returns the figures by name, in the order of the names. It does not block
// for long, and is not for the way of a request.
func (c *Cache) ComputedStats() []ComputedStats {
	if c.unmade() {
		return nil
	}
	var all []ComputedStats
	for name, f := range c.values.names.All() {
		s := ComputedStats{
			Name: name, Hits: f.Hits.Load(), Misses: f.Misses.Load(), Joined: f.Joined.Load(), Abandoned: f.Abandoned.Load(),
			Fills: f.Fills.Load(), FillTime: time.Duration(f.FillTime.Load()),
		}
		bypassed, refused := f.Reasons()
		s.Bypassed, s.NotStored = byReason(bypassed), byReason(refused)
		if s.Hits+s.Misses+s.Joined+s.Abandoned > 0 || len(s.Bypassed)+len(s.NotStored) > 0 {
			all = append(all, s)
		}
	}
	slices.SortFunc(all, func(a, b ComputedStats) int { return strings.Compare(a.Name, b.Name) })
	return all
}

func byReason(counts map[string]uint64) map[Reason]uint64 {
	m := map[Reason]uint64{}
	for why, n := range counts {
		m[Reason(why)] = n
	}
	return m
}
