package gqlcache

import (
	"slices"
	"sync"
	"time"

	"github.com/cascadeql/cascadeql/gqlcache/inspect"
)

const (
	// maxMismatches is how many of the last mismatches are kept.
	maxMismatches = 50
	// maxVerifyLines bounds the lines that are logged: one for each operation and suspect.
	maxVerifyLines = 100
)

// findings are the mismatches found.
type findings struct {
	mu     sync.Mutex
	last   []inspect.Mismatch // the oldest first
	logged map[finding]bool
}

// finding is what is logged once.
type finding struct{ operation, kind, missing string }

// The kinds of inspect.Mismatch.
const (
	mismatchStale = "stale"
	mismatchError = "error"
)

func (f *findings) add(c *Cache, j *job, sc *scene, suspects []inspect.Suspect) {
	operation := j.operation.Operation
	m := inspect.Mismatch{
		At:        c.opts.Now().UnixMilli(),
		Operation: inspect.Operation{Name: shorten(operation.Name), Type: string(operation.Operation), Hash: j.doc.shortHash()},
		Key:       c.fingerprint("key", []byte(j.key)),
		AgeMS:     (j.at.UnixNano() - j.stamp.Stored) / int64(time.Millisecond),
		Path:      shorten(sc.path.String()),
		Field:     sc.field(),
		Suspects:  suspects,
		Kind:      mismatchStale,
	}
	text := "gqlcache: a hit was stale: an annotation is missing, or a change that the cache was not told of"
	if j.evidence.failed {
		m.Kind = mismatchError
		text = "gqlcache: a hit was served where recomputing it fails: the server would answer with an error now, or its resolvers need something that Options.Verify's context lacks"
	}
	what := finding{operation: m.Operation.Hash, kind: m.Kind, missing: "no mutation of this instance was seen since: was something changed by another program, or does an extension that was added after the cache change answers?"}
	if len(suspects) > 0 {
		what.missing = suspects[0].Missing
	}
	f.mu.Lock()
	if len(f.last) == maxMismatches {
		f.last = slices.Delete(f.last, 0, 1)
	}
	f.last = append(f.last, m)
	tell := !f.logged[what] && len(f.logged) < maxVerifyLines
	if tell {
		if f.logged == nil {
			f.logged = map[finding]bool{}
		}
		f.logged[what] = true
	}
	f.mu.Unlock()
	if tell {
		// Neither rows nor values: the path has response names only, and those of the schema name no caller.
		c.opts.Logger.Warn(text,
			"operation", m.Operation.Name, "hash", m.Operation.Hash, "key", m.Key, "age_ms", m.AgeMS,
			"path", m.Path, "field", m.Field, "suspect", what.missing, "further", "counted, not logged")
	}
}

// VerifyStats returns what Options.Verify has found since the cache was made, and nil when it is off. The
// result belongs to the caller. It does not block.
func (c *Cache) VerifyStats() *inspect.Verify {
	if c.unmade() {
		return nil
	}
	v := c.verify
	if v == nil || v.opts.Rate == 0 {
		return nil
	}
	n := &v.counts
	s := &inspect.Verify{
		Rate: v.opts.Rate, Confirmed: n.confirmed.Load(), Discounted: n.discounted.Load(), SkippedBy: map[string]uint64{},
		Unstable: n.unstable.Load(), Mismatched: n.mismatched.Load(),
	}
	for why := range n.skipped {
		if count := n.skipped[why].Load(); count > 0 {
			s.Skipped += count
			s.SkippedBy[skipNames[why]] = count
		}
	}
	s.Sampled = n.sampled.Load() // last, so that it is not less than the sum of the others
	v.found.mu.Lock()
	s.Mismatches = append([]inspect.Mismatch{}, v.found.last...)
	v.found.mu.Unlock()
	return s
}
