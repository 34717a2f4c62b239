package gqlcache

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/cascadeql/cascadeql/gqlcache/inspect"
	"github.com/cascadeql/cascadeql/gqlcache/internal/safe"
	"github.com/cascadeql/cascadeql/gqlcache/internal/values"
)

// ComputedStats are the figures of the values under keys of one name, since the cache was
// made: see Compute. They are no part of Stats, but for its figures of stores.
type ComputedStats struct {
	// Name is the name of the keys, or OperationOther for those that came after 200
	// others, and very long ones.
	Name string `json:"name"`
	// Hits are values that were found, Shared those of them that another instance had
	// computed and that were taken over from Options.Shared, Misses those that were
	// computed, Joined those that another caller was computing already, Abandoned callers
	// whose context ended while they waited.
	Hits      uint64 `json:"hits"`
	Shared    uint64 `json:"shared"`
	Misses    uint64 `json:"misses"`
	Joined    uint64 `json:"joined"`
	Abandoned uint64 `json:"abandoned"`
	// Stale are expired values that were returned, for StaleFor, OnError or Within; Failures
	// errors that were kept, for ErrorAge.
	Stale    uint64 `json:"stale"`
	Failures uint64 `json:"failures"`
	// Fills are the times that a function has returned a value, FillTime how long they
	// took altogether.
	Fills    uint64        `json:"fills"`
	FillTime time.Duration `json:"fillTimeNs"`
	// Bypassed counts calls that looked nothing up, NotStored values that were not kept,
	// by reason.
	Bypassed  map[Reason]uint64 `json:"bypassed"`
	NotStored map[Reason]uint64 `json:"notStored"`
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
			Name: name, Hits: f.Hits.Load(), Shared: f.Shared.Load(), Misses: f.Misses.Load(), Joined: f.Joined.Load(), Abandoned: f.Abandoned.Load(),
			Stale: f.Stale.Load(), Failures: f.Failures.Load(),
			Fills: f.Fills.Load(), FillTime: time.Duration(f.FillTime.Load()),
		}
		bypassed, refused := f.Reasons()
		s.Bypassed, s.NotStored = byReason(bypassed), byReason(refused)
		if s.Hits+s.Misses+s.Joined+s.Abandoned+s.Stale+s.Failures > 0 || len(s.Bypassed)+len(s.NotStored) > 0 {
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

// ComputedValues returns at most limit of the values that are kept and still true, in the
// order of their keys, with these as they were built. It looks at every entry of the store,
// and is not for the way of a request. The result belongs to the caller.
func (c *Cache) ComputedValues(limit int) []inspect.Value {
	if c.unmade() {
		return nil
	}
	return c.listValues(limit, maxLooked, false)
}

// maxShown bounds the values of a snapshot, and maxShownOf the entries that are looked at
// for it. maxLooked is no bound.
const (
	maxShown   = 200
	maxShownOf = 20_000
	maxLooked  = int(^uint(0) >> 1)
)

// shownValues returns the values of a snapshot.
func (c *Cache) shownValues() []inspect.Value {
	if len(c.ComputedStats()) == 0 {
		return nil
	}
	return c.listValues(maxShown, maxShownOf, c.opts.Inspector.HideIDs || c.opts.Inspector.HideVariables)
}

// listValues returns values among the first entries of the store. hide leaves out what
// arguments hold.
func (c *Cache) listValues(limit, of int, hide bool) (list []inspect.Value) {
	now := c.opts.Now()
	err := safe.Do(func() error {
		for key, e := range c.store.All(context.Background()) {
			if of--; of < 0 || len(list) >= limit {
				break
			}
			s, ok := e.Meta.(*valueStamp)
			if !ok || !c.engine.Valid(&s.Stamp) || s.hasExpired(c.opts.Now) {
				continue
			}
			v, ok := c.valueOf(key, hide)
			if !ok {
				continue
			}
			v.Type, v.Absent, v.Bytes, v.Tags = s.typ.String(), s.absent, e.Size, s.Len()
			v.AgeMS, v.LeftMS = (now.UnixNano()-s.Stored)/1e6, s.Expires().Sub(now).Milliseconds()
			list = append(list, v)
		}
		return nil
	})
	if err != nil {
		c.once.Warn("list", "gqlcache: the store failed to enumerate its entries", err)
	}
	slices.SortFunc(list, func(a, b inspect.Value) int {
		return cmp.Or(strings.Compare(a.Key, b.Key), strings.Compare(a.ID, b.ID))
	})
	return list
}

// valueOf returns what the bytes of a key tell of its value. ok is false for other bytes.
func (c *Cache) valueOf(key []byte, hide bool) (v inspect.Value, ok bool) {
	text, ok := values.Describe(key)
	if !ok {
		return v, false
	}
	scope, _, ok := values.ScopeOf(key)
	if !ok {
		return v, false
	}
	name, _, _ := strings.Cut(text, "(")
	v = inspect.Value{ID: c.inspector.Fingerprint("value", key), Key: text, Name: name, Hits: c.inspector.ValueHits(key)}
	if hide {
		v.Key = name + " " + v.ID
	}
	switch {
	case scope.All:
		v.Scope = inspect.ScopeAll
	case scope.Outside:
		v.Scope = inspect.ScopeOutside
	case scope.Public:
		v.Scope = inspect.ScopePublic
	default:
		v.Scope, v.Caller = inspect.ScopeCallers, c.inspector.Fingerprint("predicate", []byte(scope.Predicate))
	}
	return v, true
}
